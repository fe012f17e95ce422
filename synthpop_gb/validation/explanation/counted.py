"""The numbers of a place: what its tables ask, what the fit gave, who was placed, and who could have been."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned, AlignedTable
from synthpop_gb.population import DonorCounts, Population
from synthpop_gb.problem import Problem

__all__ = ["Counted", "count", "incidence_of", "of_zones", "open_profiles", "unit_word"]

MISSED = 0.5
"""People (or households) from which a miss is one: targets of whole units are whole numbers."""


@dataclass(frozen=True, eq=False)
class Counted:
    """What tables ask of some zones, and who stands there; arrays are (n_zones, n_cells), in the unit that a cell counts.

    Attributes
    ----------
    population, aligned : as given
    where : (n_zones,) int64
        Positions of the zones in the population.
    placed : DonorCounts
        Records placed in these zones.
    published, target, goal, observed : numpy.ndarray
        As published; after settling; what whole units were made to meet; counted from the donors.
    fitted : numpy.ndarray or None
        The fractional fit; None where the method keeps none.
    open : (n_zones, n_profiles) bool
        Profiles that no target of nought excludes from the zone.
    """

    population: Population
    aligned: Aligned
    where: np.ndarray
    placed: DonorCounts
    published: np.ndarray
    target: np.ndarray
    goal: np.ndarray
    observed: np.ndarray
    fitted: np.ndarray | None
    open: np.ndarray

    @property
    def problem(self) -> Problem:
        """What was solved."""
        return self.population.problem

    @property
    def units(self) -> list[str]:
        """By cell, what it counts: 'people' or 'households'."""
        words = [unit_word(t) for t in self.aligned.constraints]
        return np.repeat(words, np.diff(self.problem.constraint_start)).tolist()

    @property
    def tables(self) -> np.ndarray:
        """(n_cells,) int64: constraint of each cell."""
        return np.repeat(np.arange(self.problem.n_constraints), np.diff(self.problem.constraint_start))

    @property
    def missed_whole(self) -> np.ndarray:
        """(n_zones, n_cells) bool: whole units miss what they were made to meet."""
        return np.abs(self.observed - self.goal) >= MISSED

    @property
    def missed_fit(self) -> np.ndarray:
        """(n_zones, n_cells) bool: the fractional fit misses a hard target."""
        if self.fitted is None or self.population.settled is not None:
            return np.zeros(self.target.shape, bool)
        return np.abs(self.fitted - self.target) >= MISSED

    @property
    def missed(self) -> np.ndarray:
        """(n_zones, n_cells) bool: either of them."""
        return self.missed_whole | self.missed_fit


def unit_word(table: AlignedTable) -> str:
    """Say what a table counts, in the plural."""
    return "households" if table.universe.unit == "household" else "people"


def incidence_of(problem: Problem):
    """Members of each profile in each cell as a scipy.sparse.csr_array (n_profiles, n_cells)."""
    return problem.members.matrix()


def open_profiles(members, target: np.ndarray) -> np.ndarray:
    """(n_zones, n_profiles) bool: profiles without a member in a cell whose target is nought.

    >>> from scipy.sparse import csr_array
    >>> open_profiles(csr_array(np.array([[1, 0], [1, 2]])), np.array([[5.0, 0.0], [5.0, 1.0]])).tolist()
    [[True, False], [True, True]]
    """
    closed = (target <= 0).astype(np.float64)
    return np.asarray(members @ closed.T).T < 0.5


def count(population: Population, aligned: Aligned, zones: pd.Index, counts: Iterable[DonorCounts] | None = None) -> Counted:
    """Gather the numbers of some zones.

    Parameters
    ----------
    population, aligned : as of `explain`
    zones : pandas.Index
        Codes, each of them known.
    counts : iterable of DonorCounts, optional
        The people that are judged; placed by the population where absent.

    Returns
    -------
    Counted
    """
    problem = population.problem
    where, at = population.zones.get_indexer(zones), aligned.zones.get_indexer(zones)
    placed = population.donors(where) if counts is None else of_zones(counts, zones)
    target, goal = problem.targets[where], population.goals[where]
    published = np.concatenate([t.published.reindex(aligned.zones).to_numpy()[at] for t in aligned.constraints], axis=1)
    members = incidence_of(problem)
    fitted = None
    if population.duals is not None:
        fitted = np.asarray(members.T @ population.fitted(where).T).T
    observed = _observed(placed, aligned, problem)
    return Counted(population, aligned, where, placed, published, target, goal, observed, fitted, open_profiles(members, target))


def of_zones(counts: Iterable[DonorCounts], zones: pd.Index) -> DonorCounts:
    """Gather some zones out of blocks, in the order asked for; a zone that no block has is empty."""
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for block in counts:
        for row in np.flatnonzero(block.zones.isin(zones)):
            rows = slice(int(block.indptr[row]), int(block.indptr[row + 1]))
            found[block.zones[row]] = np.array(block.record[rows]), np.array(block.n[rows])
        if len(found) == len(zones):
            break
    nobody = np.zeros(0, np.int32), np.zeros(0, np.int32)
    parts = [found.get(z, nobody) for z in zones]
    indptr = np.concatenate([[0], np.cumsum([len(r) for r, _ in parts])]).astype(np.int64)
    record, n = (np.concatenate([p[i] for p in parts]) for i in (0, 1))
    return DonorCounts(zones, indptr, record, n)


def _observed(placed: DonorCounts, aligned: Aligned, problem: Problem) -> np.ndarray:
    """(n_zones, n_cells) float64: people counted from donors; households through their references."""
    row = np.repeat(np.arange(len(placed.zones)), np.diff(placed.indptr))
    out = np.zeros((len(placed.zones), problem.n_cells))
    for table, first in zip(aligned.constraints, problem.constraint_start, strict=False):
        cell = table.record_cell[placed.record]
        inside = cell >= 0
        np.add.at(out, (row[inside], first + cell[inside]), placed.n[inside])
    return out
