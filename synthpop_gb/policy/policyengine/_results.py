"""Results that somebody worked out with PolicyEngine from a written dataset, taken back as outcomes of donors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.policy._model import BASELINE
from synthpop_gb.policy._outcomes import Outcomes
from synthpop_gb.policy.policyengine._dataset import donor_classes

__all__ = ["read_outcomes"]


def read_outcomes(
    results: Mapping[str, pd.DataFrame],
    dataset: Mapping[str, pd.DataFrame],
    aligned: Aligned,
    *,
    places: pd.DataFrame | None = None,
    scenario: str = BASELINE,
    parameters: Mapping[str, Any] | None = None,
    units: Mapping[str, str] | None = None,
    tolerance: float = 1e-6,
) -> Outcomes:
    """Take results of a dataset made by `write_dataset` back as outcomes of donors, to be projected with intervals.

    Parameters
    ----------
    results : mapping of 'person' and 'household' to pandas.DataFrame
        Numbers, one column an outcome, indexed by person_id or household_id.
    dataset : mapping of entity to pandas.DataFrame
        The tables that were run: of `placed_tables`, or a file's by `read_tables`.
    aligned : Aligned
        Records and zones that the dataset was made from.
    places : pandas.DataFrame, optional
        As they were given when it was written.
    scenario, parameters
        Name of the reform, and what it changed.
    units : mapping, optional
        Units by outcome, 'pounds a year' where absent.
    tolerance : float, default 1e-6
        By which copies of one donor in one class of place may differ.

    Returns
    -------
    Outcomes
        Donors of whom a class of place has no copy have nought there; a warning (`engine-results`) says how many, since the
        population's own figures are right without them and its replicates are not.

    Raises
    ------
    InputError
        `engine-results`: ids that the dataset has not, missing rows, values that are no numbers, no outcomes, donors that the
        study does not have, and copies of a donor that differ, as they do where draws were made anew from ids.
    """
    classes = donor_classes(aligned, places)
    home, person = dataset["household"].set_index("household_id"), dataset["person"].set_index("person_id")
    problems: list[Finding] = []
    keys = {
        "household": _donors(home["donor_household"], pd.Index(aligned.households.ids.astype(str)), "donor_household", problems),
        "person": _donors(person["donor"], pd.Index(aligned.records.astype(str)), "donor", problems),
    }
    of_class = {"household": home["place"], "person": person["person_household_id"].map(home["place"])}
    names, of, values, lacking = [], [], [], {}
    for kind, frame in results.items():
        if kind not in keys:
            problems.append(_wrong(f"Results are of persons or households, not of {kind!r}.", str(kind)))
            continue
        rows = _rows(frame, home.index if kind == "household" else person.index, kind, problems)
        if rows is None or problems:
            continue
        n_donors = len(aligned.households.ids if kind == "household" else aligned.records)
        cell = of_class[kind].to_numpy(np.int64) * n_donors + keys[kind]
        for column in frame.columns:
            numbers = pd.to_numeric(frame[column], errors="coerce").to_numpy(np.float64)[rows]
            table, missing = _by_donor(numbers, cell, len(classes) * n_donors, str(column), tolerance, problems)
            table = table.reshape(len(classes), n_donors)
            names.append(str(column))
            of.append(kind)
            values.append(table if kind == "person" else table[:, aligned.households.of_record])
            lacking[kind] = missing
    if not names and not problems:
        problems.append(_wrong("There are no results: no column of numbers.", "results"))
    if problems:
        raise InputError(problems)
    told = tuple((units or {}).get(n, "pounds a year") for n in names)
    facts = {"read_back": True, "placed_households": len(home)}
    return Outcomes(
        "policyengine-uk", scenario, dict(parameters or {}), tuple(names), tuple(of), told, np.stack(values), aligned.records,
        classes, facts, _partly(lacking),
    )  # fmt: skip


def _wrong(message: str, place: str, count: int = 1, remedy: str | None = None) -> Finding:
    return finding("engine-results", message, place=place, count=count, remedy=remedy)


def _donors(said: pd.Series, known: pd.Index, column: str, problems: list[Finding]) -> np.ndarray:
    """Position of each row's donor."""
    at = known.get_indexer(said.astype(str))
    if (at < 0).any():
        n = int((at < 0).sum())
        problems.append(_wrong(f"{n:,} rows of the dataset name a {column} that the study does not have.", column, n))
    return at


def _rows(frame: pd.DataFrame, ids: pd.Index, kind: str, problems: list[Finding]) -> np.ndarray | None:
    """Row of the results for each id of the dataset."""
    if frame.index.has_duplicates:
        n = int(frame.index.duplicated().sum())
        problems.append(_wrong(f"{n:,} ids of {kind} stand twice in the results.", kind, n))
        return None
    at = frame.index.get_indexer(ids)
    n_missing, n_strange = int((at < 0).sum()), int((~frame.index.isin(ids)).sum())
    if n_missing or n_strange:
        message = f"Results lack {n_missing:,} ids of {kind} of the dataset, and have {n_strange:,} that it does not have."
        problems.append(_wrong(message, kind, n_missing + n_strange, f"Index them by {kind}_id of the dataset that was run."))
        return None
    return at


def _by_donor(
    numbers: np.ndarray, cell: np.ndarray, n: int, column: str, tolerance: float, problems: list[Finding]
) -> tuple[np.ndarray, int]:
    """(n,) value of each donor in each class, nought where it has no copy, and how many have none."""
    bad = ~np.isfinite(numbers)
    if bad.any():
        problems.append(_wrong(f"{column!r} holds {int(bad.sum()):,} values that are no numbers.", column, int(bad.sum())))
        return np.zeros(n), 0
    low, high = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(low, cell, numbers)
    np.maximum.at(high, cell, numbers)
    there = np.isfinite(low)
    apart = there & (high - low > tolerance)
    if apart.any():
        message = f"{column!r} differs between copies of one donor for {int(apart.sum()):,} donors (by up to "
        message += f"{float((high - low)[apart].max()):,.2f})."
        remedy = "Run the dataset as it was written: with its draws, its places, and nothing that reads ids or the zone."
        problems.append(_wrong(message, column, int(apart.sum()), remedy))
    out = np.zeros(n)
    out[cell[::-1]] = numbers[::-1]
    return out, int((~there).sum())


def _partly(lacking: Mapping[str, int]) -> tuple[Finding, ...]:
    """Say that donors are missing whom only replicates place."""
    if not any(lacking.values()):
        return ()
    message = " and ".join(f"{n:,} {kind}s" for kind, n in lacking.items() if n)
    message = f"No copy of {message} (donors by class of place) is in the dataset; they count as nought."
    why = "The population itself places none of them, but replicates may: intervals from these outcomes are wrong."
    remedy = "For intervals run the model 'policyengine-uk', which runs every donor in every class."
    return (finding("engine-results", message, place="dataset", count=sum(lacking.values()), level="warning", why=why,
                    remedy=remedy),)  # fmt: skip
