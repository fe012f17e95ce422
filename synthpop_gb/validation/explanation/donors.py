"""Who stands for a place: how many donors each cell could draw on and did, and who is used most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.population import DonorCounts
from synthpop_gb.validation.explanation.counted import Counted, incidence_of

__all__ = ["Support", "donor_frame", "support_of", "used_by_cell"]

MOST = 50
"""Donors that are listed."""


@dataclass(frozen=True, eq=False)
class Support:
    """Donors by cell, (n_cells,) each: any in the survey; those that a zone leaves; how many of equal weight these are worth."""

    any: np.ndarray
    here: np.ndarray
    effective: np.ndarray


def support_of(counted: Counted, zones=slice(None)) -> Support:
    """Count the units of the survey by cell; `here`: those open in at least one of the zones (positions in `counted`).

    effective = (sum w)^2 / sum w^2 over their design weights (Kish 1965).
    """
    problem = counted.problem
    has = incidence_of(problem)
    has.data[:] = 1.0
    n = np.diff(problem.donor_start).astype(np.float64)
    live = np.atleast_2d(counted.open[zones]).any(axis=0)
    first = np.bincount(problem.donor_profile, problem.donor_weight, minlength=problem.n_profiles)
    second = np.bincount(problem.donor_profile, problem.donor_weight**2, minlength=problem.n_profiles)
    total, square = has.T @ (first * live), has.T @ (second * live)
    effective = np.divide(total**2, square, out=np.zeros_like(total), where=square > 0)
    return Support(has.T @ n, has.T @ (n * live), effective)


def used_by_cell(counted: Counted) -> tuple[np.ndarray, np.ndarray]:
    """(n_cells,) distinct records placed in each cell over all the zones, and the share of it that one of them makes."""
    record, n = _together(counted.placed)
    used, largest = [], []
    for table in counted.aligned.constraints:
        cell, width = table.record_cell[record], table.targets.shape[1]
        inside = cell >= 0
        total, most = np.bincount(cell[inside], n[inside], minlength=width), np.zeros(width)
        np.maximum.at(most, cell[inside], n[inside])
        used.append(np.bincount(cell[inside], minlength=width))
        largest.append(np.divide(most, total, out=np.zeros(width), where=total > 0))
    return np.concatenate(used), np.concatenate(largest)


def _together(placed: DonorCounts) -> tuple[np.ndarray, np.ndarray]:
    """Return the records over several zones together: (distinct records, people copied from each)."""
    record, at = np.unique(placed.record, return_inverse=True)
    return record, np.bincount(at, placed.n, minlength=len(record))


def donor_frame(counted: Counted) -> tuple[pd.DataFrame, dict[str, float]]:
    """List the most used records, and the numbers over all of them.

    Returns
    -------
    (frame, facts)
        frame: donor, copies, share (per cent), then for an open survey its label in each table. facts: people, donors (distinct),
        effective (sum n)^2 / sum n^2, households (distinct households, where those are placed).
    """
    record, n = _together(counted.placed)
    order = np.argsort(-n, kind="stable")[:MOST]
    people = float(n.sum())
    top = record[order]
    frame = pd.DataFrame({"donor": counted.aligned.records[top].astype(str), "copies": n[order].astype(np.int64),
                          "share": 100 * n[order] / (people or 1.0)})  # fmt: skip
    if counted.aligned.survey.licence == "open":
        for table in counted.aligned.constraints:
            labels = np.array([*table.cell_labels, ""], object)
            frame[table.name] = labels[table.record_cell[top]]
    facts = {"people": people, "donors": float(len(record)), "effective": people**2 / (float((n**2).sum()) or 1.0)}
    homes = counted.aligned.households
    if homes is not None:
        facts["households"] = float(len(np.unique(homes.of_record[record])))
    return frame, facts
