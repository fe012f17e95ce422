"""Codes about policy models, scenarios and what is handed to other programs."""

from __future__ import annotations

from synthpop_gb.errors._meaning import Meaning

__all__ = ["POLICY"]

POLICY: dict[str, Meaning] = {
    "unknown-policy-model": Meaning(
        "error", "A scenario needs the rules that it changes.", "Name a registered model, or give one with --model file.py:Name."
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
    "engine-outcome": Meaning("error", "An engine works out its own variables only.", "Name one of its variables that is a number."),
    "engine-parameter": Meaning(
        "error", "A parameter that the rules do not have changes nothing.", "Use the parameter's full name, and a value of its kind."
    ),
    "engine-defaults": Meaning(
        "note",
        "Rules read these inputs and were given none, so they took the engine's own default for everybody.",
        "Give those that matter to the question as inputs.",
    ),
    "several-years": Meaning("note", "A population is made from one year's records.", "Name the year, if another is meant."),
}
