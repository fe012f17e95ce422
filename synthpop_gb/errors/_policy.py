"""Codes about policy models, scenarios and what is handed to other programs."""

from __future__ import annotations

from synthpop_gb.errors._meaning import Meaning

__all__ = ["POLICY"]

POLICY: dict[str, Meaning] = {
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
        "Benefit units, partners and parents are made from the roles that people have in their household.",
        "Mend the roles in the survey, or say what its codes mean.",
    ),
}
