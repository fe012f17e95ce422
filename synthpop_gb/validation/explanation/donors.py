"""Who stands for a place: how many donors each cell could draw on and did, and who is used most."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.indicators import FEW_DONORS
from synthpop_gb.population import DonorCounts
from synthpop_gb.validation.explanation.counted import Counted, incidence_of

__all__ = ["FEW", "Support", "donor_frame", "excluding", "few_withheld", "number_told", "support_of", "used_by_cell"]

MOST = 50
"""Donors that are listed."""


FEW = f"fewer than {FEW_DONORS}"
"""Stands for counts of survey records, or households, from 1 to 9, where the survey's licence is not open."""


def number_told(counted: Counted, n: float) -> str:
    """Write how many donors there are; `FEW` for a few where the survey is not open."""
    return FEW if 0 < n < FEW_DONORS and counted.aligned.survey.licence != "open" else f"{n:,.0f}"


def few_withheld(counted: Counted, cells: pd.DataFrame) -> pd.DataFrame:
    """Put `FEW` in place of counts of donors from 1 to 9, and nothing where a share or a worth would tell them.

    cells : of `Explanation`. The same frame where the survey is open.
    """
    if counted.aligned.survey.licence == "open":
        return cells
    out, beside = cells.copy(), {"donors_here": "effective_donors", "used": "largest_share"}
    for column in ("donors", "donors_here", "used"):
        few = (cells[column] > 0) & (cells[column] < FEW_DONORS)
        if few.any():
            out[column] = cells[column].astype(object).mask(few, FEW)
        if column in beside:
            out[beside[column]] = out[beside[column]].mask(few)
    return out


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


def excluding(counted: Counted, zone: int, donors: np.ndarray) -> list[tuple[int, float]]:
    """Cells of target nought in a zone that exclude some of the donors, with how many, those that exclude most first.

    donors : (n_profiles,) float64, donors of each profile that are asked about.
    """
    has = incidence_of(counted.problem)
    has.data[:] = 1.0
    blocked = (has.T @ donors) * (counted.target[zone] <= 0)
    return [(int(c), float(blocked[c])) for c in np.argsort(-blocked, kind="stable") if blocked[c] > 0]


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
    """List the most used donors, and the numbers over all of them.

    Returns
    -------
    (frame, facts)
        frame: donor (a record, or a household where those are placed), copies, share (per cent of people), members of a
        household; for an open survey its label in each table, those of a household's members in their order. facts: people,
        donors (distinct records), most (people from one of them), effective (sum n)^2 / sum n^2 over these, or over the units
        where households are placed, and households (distinct units, where those are placed).
    """
    record, n = _together(counted.placed)
    people, homes = float(n.sum()), counted.aligned.households
    facts = {"people": people, "donors": float(len(record)), "effective": people**2 / (float((n**2).sum()) or 1.0),
             "most": float(n.max(initial=0.0))}  # fmt: skip
    if homes is None:
        top, copies, members = _most(record, n)
        ids, of, extra = counted.aligned.records[top], [[r] for r in top], {}
    else:
        copied = np.zeros(len(counted.aligned.records))
        copied[record] = n
        units = copied[homes.reference]  # members come along: they tell no more than their household does
        facts |= {"households": float((units > 0).sum()), "effective": units.sum() ** 2 / (float((units**2).sum()) or 1.0)}
        top, copies, members = _most(np.arange(len(homes.ids)), units, homes.size)
        ids, extra = homes.ids[top], {"members": members}
        of = [homes.member[homes.member_start[u] : homes.member_start[u + 1]] for u in top]
    share = 100 * copies * members / (people or 1.0)
    frame = pd.DataFrame({"donor": ids.astype(str), "copies": copies.astype(np.int64), "share": share, **extra})
    if counted.aligned.survey.licence == "open":
        for table in counted.aligned.constraints:
            labels = np.array([*table.cell_labels, ""], object)
            frame[table.name] = [", ".join(x for x in labels[table.record_cell[rows]] if x) for rows in of]
    return frame, facts


def _most(units: np.ndarray, n: np.ndarray, size: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the most used units, how often each is, and its members."""
    order = np.argsort(-n, kind="stable")[:MOST]
    order = order[n[order] > 0]
    return units[order], n[order], np.ones(len(order), np.int64) if size is None else size[units[order]]
