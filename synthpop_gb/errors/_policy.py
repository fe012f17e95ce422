"""Codes about policy models, scenarios and what is handed to other programs."""

from __future__ import annotations

from synthpop_gb.errors._meaning import Meaning

__all__ = ["POLICY"]

POLICY: dict[str, Meaning] = {
    "unknown-policy-model": Meaning(
        "error", "A scenario needs the rules that it changes.", "Name a registered model, or give one with --model file.py:Name."
    ),
    "no-map": Meaning(
        "warning", "Without boundaries there is nothing to draw; tables and graphs are on the page all the same.",
        "Add `boundaries` under [zones] of the study.",
    ),
    "explorer-trimmed": Meaning(
        "note", "A page that holds every figure would be slower than anybody waits for.",
        "Name fewer variables or subgroups, or make a run of fewer zones.",
    ),
}
