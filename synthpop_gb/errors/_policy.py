"""Codes about policy models, scenarios, incomes and what is handed to other programs."""

from __future__ import annotations

from synthpop_gb.errors._meaning import Meaning

__all__ = ["POLICY"]

POLICY: dict[str, Meaning] = {
    "scenario-empty": Meaning(
        "error", "A group can only be made of donors that the survey has.", "Check the condition, or supply records of the group."
    ),
    "scenario-not-reached": Meaning(
        "warning",
        "What is shown there is less than what was asked for.",
        "Ask for less, widen the condition, or supply more records of the group.",
    ),
    "projection-partial": Meaning(
        "warning", "What is not projected stays as it is.", "Add the missing areas to the projection, or leave their zones out."
    ),
    "unknown-policy-model": Meaning(
        "error", "A scenario needs the rules that it changes.", "Name a registered model, or give one with --model file.py:Name."
    ),
    "export-differs": Meaning(
        "error",
        "What was read back from the files is not the population, so a model would be run on other people.",
        "Try again; where it comes back, a label or a disk does something that was not foreseen: report it.",
    ),
    "export-left-out": Meaning(
        "note",
        "Models of households cannot take people who live in none, or where nobody is of age.",
        "Add them to totals from the population itself, where they matter.",
    ),
    "export-defaults": Meaning(
        "note",
        "Another model takes these for the people's own answers.",
        "Give those that matter: --input, --label, --places; `columns.csv` says where each column is from.",
    ),
    "bad-links": Meaning(
        "error",
        "Benefit units, partners and parents are made from the survey's links, or the roles that people have in their household.",
        "Mend them in the survey, or say what its codes mean.",
    ),
    "engine-place": Meaning(
        "error",
        "Rules differ between places; at the engine's default every household would live in one place.",
        "Correct the lookup, or the table of places.",
    ),
    "engine-input": Meaning(
        "error",
        "What the rules read of people cannot be filled as asked.",
        "Name another column, or say which value of the engine each label means.",
    ),
    "engine-outcome": Meaning(
        "error", "An engine works out its own variables only.", "Name one of its variables that is a number."
    ),
    "engine-parameter": Meaning(
        "error",
        "A parameter that the rules do not have changes nothing.",
        "Use the parameter's full name, and a value of its kind.",
    ),
    "engine-results": Meaning(
        "error",
        "Results that cannot be laid beside the donors say nothing of areas.",
        "Give the results of the dataset that was written, indexed by its ids.",
    ),
    "engine-defaults": Meaning(
        "note",
        "Rules read these inputs and were given none, so they took the engine's own default for everybody.",
        "Give those that matter to the question as inputs.",
    ),
    "several-years": Meaning("note", "A population is made from one year's records.", "Name the year, if another is meant."),
    "model-failed": Meaning(
        "error", "A model that stops tells nothing of anybody.", "Mend the model; it is given the donors of `policy.donors_of`."
    ),
    "model-outcomes": Meaning(
        "error",
        "Outcomes are put on copies of each donor: one that is missing, doubled or no number would be in every figure.",
        "Return one finite number a donor and outcome, with the index of the donors or of their households.",
    ),
    "model-parameter": Meaning(
        "error", "A parameter that the rules do not read would change nothing.", "Name one of the model's parameters."
    ),
    "model-reads-place": Meaning(
        "error",
        "Copies of a donor live in other places than the donor did, so that its outcome is not theirs.",
        "Let the model declare what it reads of a place (`places = ('region',)`): it is then run once for each class of place.",
    ),
    "model-reads-id": Meaning(
        "error",
        "Copies of a donor have other ids and stand in other rows, so that its outcome is not theirs.",
        "Let the rules read answers only; where they need chance, give each donor its draw as a column.",
    ),
    "model-reads-others": Meaning(
        "error",
        "A rank, a median or a quota of the donors is not that of the people of an area.",
        "Return the value itself, and ask for the relative measure (poverty, quantile, decile), taken of the projected people.",
    ),
    "model-not-repeatable": Meaning(
        "error",
        "The same donors had other outcomes when asked again, so that no figure can be had twice.",
        "Take out whatever draws at random, or give each donor its draw as a column.",
    ),
    # published incomes
    "income-year": Meaning(
        "error",
        "Incomes of two years differ by what prices and wages rose, which a fit would take for a difference between people.",
        "Give `uprate`, the factor by which incomes rose from that year to the survey's; 1 takes them as they stand.",
    ),
    "income-error": Meaning(
        "error",
        "How far a fit moves to a published figure depends on how sure it is.",
        "Give `standard_error`, in the figure's unit, or `relative_error`, as a share of it.",
    ),
    "income-areas": Meaning(
        "warning",
        "Figures of other areas, or of the same areas before their borders changed, say nothing of these.",
        "Name the level whose codes the file has; for another vintage give a lookup (`lookup`, `from`, `to`).",
    ),
    "income-regrouped": Meaning(
        "note",
        "How the income of an area that was divided differs between its parts is not known.",
        "Nothing: such areas are compared together. A lookup with weights says how much each former area counts.",
    ),
    "income-unlike": Meaning(
        "warning",
        "Figures that disagree with others of the same areas would move a population to something that nobody has.",
        "Compare the file with what its publisher prints, and take another measure.",
    ),
    "income-shortfall": Meaning(
        "warning",
        "Tilting finds people whom the survey has; nobody else can be placed.",
        "Ask for fewer tables, pool surveys, or take the figure as out of reach.",
    ),
    "no-map": Meaning(
        "warning",
        "Without boundaries there is nothing to draw; tables and graphs are on the page all the same.",
        "Add `boundaries` under [zones] of the study.",
    ),
    "explorer-trimmed": Meaning(
        "note",
        "A page that holds every figure would be slower than anybody waits for.",
        "Name fewer variables or subgroups, or make a run of fewer zones.",
    ),
}
