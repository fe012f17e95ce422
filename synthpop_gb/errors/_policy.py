"""Codes about policy models, scenarios and what is handed to other programs."""

from __future__ import annotations

from synthpop_gb.errors._meaning import Meaning

__all__ = ["POLICY"]

POLICY: dict[str, Meaning] = {
    "unknown-policy-model": Meaning(
        "error", "A scenario needs the rules that it changes.", "Name a registered model, or give one with --model file.py:Name."
    ),
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
}
