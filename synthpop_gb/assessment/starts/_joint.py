"""A joint table on the profiles of a problem: who counts in which cell, what a fit makes of it, which tilts bring it about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthpop_gb.aligned import AlignedTable
from synthpop_gb.assessment.refits import TOLERANCE, zone_weights
from synthpop_gb.assessment.starts._split import add_tilt, split_profiles
from synthpop_gb.incidence import Incidence
from synthpop_gb.kernels.fit_layout import fit_layout
from synthpop_gb.kernels.ipf import fit_block
from synthpop_gb.problem import Problem

__all__ = ["Joint", "bring_about", "cells_by_unit"]

_CYCLES, _FURTHEST = 1000, 12.0  # a tilt of exp(12) = 160,000 decides as well as any


@dataclass(frozen=True, eq=False)
class Joint:
    """A table on a problem whose profiles are alike on it.

    Attributes
    ----------
    problem : Problem
        Split where its constraints did not tell the cells.
    tilt_of : (n_slots, n_profiles) int
        Cell of each person of a profile, one slot a person; -1 = outside the table's universe, or nobody.
    margins : list of (n_cells,) int
        Groups of cells whose sums the constraints fix (the group that each cell is in), one a constraint that does.
    """

    problem: Problem
    tilt_of: np.ndarray
    margins: list[np.ndarray]

    @classmethod
    def of(cls, problem: Problem, table: AlignedTable) -> Joint:
        """Put a table on a problem. `table.record_cell` is by position in `problem.records`."""
        cells = cells_by_unit(problem, table.record_cell)
        used = cells[problem.donor]
        same = np.ones(len(used), bool)
        same[1:] = (used[1:] == used[:-1]).all(axis=1) | (problem.donor_profile[1:] != problem.donor_profile[:-1])
        if not same.all():
            problem = split_profiles(problem, np.unique(cells, axis=0, return_inverse=True)[1].reshape(-1))
        tilt_of = cells[problem.donor[problem.donor_start[:-1]]].T
        return cls(problem, np.ascontiguousarray(tilt_of), _margins(problem, table))

    @property
    def n_cells(self) -> int:
        """How many cells the table has."""
        return len(self.margins[-1])

    def counts(self, zones: np.ndarray) -> np.ndarray:
        """(n, n_cells) float64: people of the fit in each cell, in some zones (positions)."""
        members = _members(self.tilt_of, self.n_cells).matrix()
        parts = [np.asarray(w @ members) for w in zone_weights(self.problem, zones)]
        return np.concatenate(parts) if parts else np.zeros((0, self.n_cells))


def _members(tilt_of: np.ndarray, n_cells: int) -> Incidence:
    """(n_profiles, n_cells): people of each profile in each cell."""
    slot, profile = np.nonzero(tilt_of >= 0)
    counted = np.zeros((tilt_of.shape[1], n_cells), np.int64)
    np.add.at(counted, (profile, tilt_of[slot, profile]), 1)
    return Incidence.of_rows(counted)


def bring_about(problem: Problem, tables: Sequence[AlignedTable], predicted: Sequence[np.ndarray]) -> Problem:
    """Tilt the start of every zone so that maximum entropy under the zone's tables has the joints predicted for it.

    predicted : (n_zones, n_cells) people, one array a table. The tilts are the duals that a fit to the zone's tables and to all
        of these finds for their cells, so starting from them the same weights solve the fit to the zone's tables alone. Rounded
        to a billionth, so that the last bits of matrix products, which differ by machine, do not get in; cells with nobody in the
        prediction are left alone, since the zone's tables rule them out.
    """
    for table in tables:
        problem = Joint.of(problem, table).problem
    rows = [Joint.of(problem, table).tilt_of for table in tables]
    first = np.cumsum([0, *(p.shape[1] for p in predicted)])
    tilt_of = np.vstack([np.where(r >= 0, r + offset, -1) for r, offset in zip(rows, first[:-1], strict=True)])
    find = _person_duals if problem.incidence is None else _household_duals
    found = find(problem, tilt_of, first, np.hstack(predicted))
    found = np.clip(np.where(np.isfinite(found), found, 0.0), -_FURTHEST, _FURTHEST)
    return add_tilt(problem, tilt_of, np.round(found, 9))


def _person_duals(problem: Problem, tilt_of: np.ndarray, first: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    n, last = problem.n_cells, problem.n_cells + predicted.shape[1]
    # of persons each table has one row
    cell_of = np.vstack([problem.cell_of, np.where(tilt_of >= 0, tilt_of + n, -1)])
    starts = np.concatenate([problem.constraint_start, n + first[1:]])
    if problem.tilt is not None:
        cell_of = np.vstack([cell_of, np.where(problem.tilt_of >= 0, problem.tilt_of + last, -1)])
        starts = np.append(starts, np.full(len(problem.tilt_of), last + problem.tilt.shape[1]))
    layout = fit_layout(problem.start, cell_of.astype(np.int32), starts.astype(np.int32))
    targets = np.ascontiguousarray(np.hstack([problem.targets, predicted]))
    return fit_block(layout, targets, TOLERANCE, False, _CYCLES, tilt=problem.tilt).duals[:, n:]


def _household_duals(problem: Problem, tilt_of: np.ndarray, first: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    from synthpop_gb.kernels.balance import balance_work, balance_zone

    both = problem.incidence.beside(_members(tilt_of, predicted.shape[1]))
    duals, exact = np.zeros((problem.n_zones, both.n_cells)), np.zeros(both.n_cells)
    work, weights = balance_work(problem.n_profiles, both.n_cells), np.empty(problem.n_profiles)
    with np.errstate(divide="ignore"):
        base = np.log(problem.start)
    tilts = None if problem.tilt is None else problem.tilts.matrix()
    for z in range(problem.n_zones):
        start = base if tilts is None else base + tilts @ problem.tilt[z]
        targets = np.concatenate([problem.targets[z], predicted[z]])
        balance_zone(both.start, both.cell, both.count, start, targets, exact, TOLERANCE, _CYCLES, duals[z], weights, work)
    return duals[:, problem.n_cells :]


def cells_by_unit(problem: Problem, record_cell: np.ndarray) -> np.ndarray:
    """(n_units, n_slots) int64: cells of each unit's people, descending, -1 = outside or nobody."""
    if problem.households is None:
        return record_cell.astype(np.int64)[:, None]
    size = np.diff(problem.member_start)
    cells = np.full((len(size), int(size.max(initial=1))), -1, np.int64)
    unit = np.repeat(np.arange(len(size)), size)
    slot = np.arange(len(unit)) - problem.member_start[unit]
    cells[unit, slot] = record_cell[problem.member]
    cells = -np.sort(-cells, axis=1)
    return cells[:, : max(int((cells >= 0).any(axis=0).sum()), 1)]


def _margins(problem: Problem, table: AlignedTable) -> list[np.ndarray]:
    """Find groups of the table's cells whose sums some constraint fixes; the last: all of them, for their sum the fit is trusted.

    A constraint fixes a group where all records of each of the table's cells lie in one of the constraint's cells, and all
    records of that cell in the table. Needs what the problem was formulated from; without, only the sum is kept.
    """
    n = table.targets.shape[1]
    whole = np.zeros(n, np.int64)
    out, mine = [], table.record_cell
    for other in () if problem.aligned is None else problem.aligned.constraints:
        theirs = other.record_cell
        pairs = np.unique(np.stack([mine, theirs]), axis=1)
        inside = pairs[:, pairs[0] >= 0]
        strangers = pairs[1][(pairs[0] < 0) & (pairs[1] >= 0)]  # cells that the table counts in part only
        functional = inside.shape[1] == len(np.unique(inside[0])) and (inside[1] >= 0).all()
        if not functional or np.isin(inside[1], strangers).any():
            continue
        group = np.full(n, other.targets.shape[1], np.int64)
        group[inside[0]] = inside[1]
        out.append(np.unique(group, return_inverse=True)[1].reshape(-1))
    return [*out, whole]
