"""Codes about policy models, scenarios, incomes and what is handed to other programs."""

from __future__ import annotations

from synthpop_gb.errors._meaning import Meaning

__all__ = ["POLICY"]

POLICY: dict[str, Meaning] = {
    "unknown-policy-model": Meaning(
        "error", "A scenario needs the rules that it changes.", "Name a registered model, or give one with --model file.py:Name."
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
}
