"""What is inside a run's households, beside the survey and, in made-up counties, the truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from synthpop_gb import run_folder
from synthpop_gb.aligned import Aligned
from synthpop_gb.checks import Checks
from synthpop_gb.errors import InputError, finding
from synthpop_gb.population import Population
from synthpop_gb.spec.model import Truth

__all__ = ["add_households", "true_people"]


def add_households(truth: Truth | None, folder: Path, aligned: Aligned, population: Population, checks: Checks) -> Checks:
    """Add what `household_checks` finds in the written people to the checks, and where they are not those of the households.

    Raises
    ------
    InputError
        `missing-file`, `missing-column` where the truth cannot be read.
    """
    from synthpop_gb.validation.inside_households import household_checks
    from synthpop_gb.validation.whole_households import households_differ

    persons, households = (None, None) if truth is None else true_people(truth, aligned)
    counts = run_folder.read_counts(folder, aligned.records)
    found = household_checks(population, aligned, counts=counts, truth=persons, true_households=households)
    homes = run_folder.read_households(folder, aligned.households.ids)
    differing = households_differ(homes, run_folder.read_counts(folder, aligned.records), aligned)
    return replace(
        checks, headline={**checks.headline, **found.headline}, tables={**checks.tables, **found.tables},
        findings=(*differing, *checks.findings, *found.findings),
    )  # fmt: skip


def true_people(truth: Truth, aligned: Aligned):
    """Read true people and households: two frames, the second None where there is no file.

    Both are None where the people's file says nothing of households. Raises as `add_households`.
    """
    persons = _read(truth.persons, "truth.persons")
    column = next((c for c in (aligned.survey.household, "household") if c in persons), None)
    if column is None:
        return None, None
    households = None if truth.households is None else _read(truth.households, "truth.households")
    if households is not None and column not in households:
        message = f"{truth.households} has no column {column!r} to join households by."
        raise InputError([finding("missing-column", message, place="truth.households", level="error")])
    return persons, households


def _read(path: str, place: str):
    import pandas as pd

    file = Path(path)
    if not file.is_file():
        raise InputError([finding("missing-file", f"There is no file {file} of true people.", place=place)])
    return pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file)
