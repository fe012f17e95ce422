"""A joint table on the profiles of a problem: who counts in which cell, what a fit makes of it, and which tilts bring it about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthpop_gb.aligned import AlignedTable
from synthpop_gb.assessment.starts._split import split_profiles
from synthpop_gb.assessment.starts._weights import TOLERANCE, tilt_members, zone_weights
from synthpop_gb.incidence import Incidence
from synthpop_gb.kernels.fit_layout import fit_layout
from synthpop_gb.kernels.ipf import fit_block
from synthpop_gb.problem import Problem

__all__ = ["Joint"]

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
        cells = _by_unit(problem, table.record_cell)
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

    def members(self) -> Incidence:
        """(n_profiles, n_cells): people of each profile in each cell."""
        profile = np.repeat(np.arange(self.problem.n_profiles), len(self.tilt_of))
        cell = self.tilt_of.T.reshape(-1)
        counted = np.zeros((self.problem.n_profiles, self.n_cells), np.int64)
        np.add.at(counted, (profile[cell >= 0], cell[cell >= 0]), 1)
        return Incidence.of_rows(counted)

    def counts(self, zones: np.ndarray) -> np.ndarray:
        """(n, n_cells) float64: people of the fit in each cell, in some zones (positions)."""
        members = self.members().matrix()
        parts = [np.asarray(w @ members) for w in zone_weights(self.problem, zones)]
        return np.concatenate(parts) if parts else np.zeros((0, self.n_cells))

    def duals(self, zones: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """(n, n_cells) float64, finite: logarithms of the factors of a fit to the zones' tables and to a predicted joint.

        predicted : (n, n_cells), people. Cells with nobody in the prediction are left alone: the zone's tables rule them out.
        """
        found = self._household_duals(zones, predicted) if self.problem.incidence is not None else self._person_duals(zones, predicted)
        return np.clip(np.where(np.isfinite(found), found, 0.0), -_FURTHEST, _FURTHEST)

    def _person_duals(self, zones: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        problem, n = self.problem, self.problem.n_cells
        row = np.where(self.tilt_of >= 0, self.tilt_of + n, -1)
        cell_of, starts = np.vstack([problem.cell_of, row]), np.append(problem.constraint_start, n + self.n_cells)
        tilt = None
        if problem.tilt is not None:
            tilt, rows, last = problem.tilt[zones], problem.tilt_of, n + self.n_cells
            cell_of = np.vstack([cell_of, np.where(rows >= 0, rows + last, -1)])
            starts = np.append(starts, np.full(len(rows), last + tilt.shape[1]))
        layout = fit_layout(problem.start, cell_of.astype(np.int32), starts.astype(np.int32))
        targets = np.ascontiguousarray(np.hstack([problem.targets[zones], predicted]))
        return fit_block(layout, targets, TOLERANCE, False, _CYCLES, tilt=tilt).duals[:, n:]

    def _household_duals(self, zones: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        from synthpop_gb.kernels.balance import balance_work, balance_zone

        problem = self.problem
        both = problem.incidence.beside(self.members())
        duals, exact = np.zeros((len(zones), both.n_cells)), np.zeros(both.n_cells)
        work, weights = balance_work(problem.n_profiles, both.n_cells), np.empty(problem.n_profiles)
        with np.errstate(divide="ignore"):
            base = np.log(problem.start)
        for i, z in enumerate(zones):
            start = base if problem.tilt is None else base + tilt_members(problem) @ problem.tilt[z]
            targets = np.concatenate([problem.targets[z], predicted[i]])
            balance_zone(both.start, both.cell, both.count, start, targets, exact, TOLERANCE, _CYCLES, duals[i], weights, work)
        return duals[:, problem.n_cells :]


def _by_unit(problem: Problem, record_cell: np.ndarray) -> np.ndarray:
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
    """Groups of the table's cells whose sums some constraint fixes; the last: all of them, whose sum the fit is trusted with.

    A constraint fixes a group where all records of each of the table's cells lie in one of the constraint's cells, and all records
    of that cell in the table. Needs what the problem was formulated from; without, only the sum is kept.
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
