"""Codes about policy models, scenarios and what is handed to other programs."""

from __future__ import annotations

from synthpop_gb.errors._meaning import Meaning

__all__ = ["POLICY"]

POLICY: dict[str, Meaning] = {
    "scenario-empty": Meaning(
        "error", "A group can only be made of donors that the survey has.", "Check the condition, or supply records of the group."
    ),
    "scenario-not-reached": Meaning(
        "warning", "What is shown there is less than what was asked for.",
        "Ask for less, widen the condition, or supply more records of the group.",
    ),
    "projection-partial": Meaning(
        "warning", "What is not projected stays as it is.", "Add the missing areas to the projection, or leave their zones out."
    ),
    "unknown-policy-model": Meaning(
        "error", "A scenario needs the rules that it changes.", "Name a registered model, or give one with --model file.py:Name."
    ),
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
        "error", "The same donors had other outcomes when asked again, so that no figure can be had twice.",
        "Take out whatever draws at random, or give each donor its draw as a column."
    ),
}
