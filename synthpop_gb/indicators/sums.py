"""Sums of an indicator by area: over the fractional fit, over each replicate's whole people, and over the donors behind them.

Everything comes from fractional or whole counts by profile: within a profile the records are told apart by design weight only, so
a sum over people is counts times the profile's mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from synthpop_gb.indicators.question import Answers, Asked
from synthpop_gb.population import DonorCounts, Population, resampled
from synthpop_gb.problem import Problem

__all__ = ["Behind", "donors_behind", "fractional_sums", "profile_means", "replicate_sums"]

_BLOCK = 512  # zones whose fractional weights are held at once


def profile_means(values: np.ndarray, problem: Problem, donor_weight: np.ndarray | None = None) -> np.ndarray:
    """Average values over the records of each profile, by design weight; of households, sums over their members.

    values : (n_records, n_columns) float64, by position in `problem.records`; donor_weight : (n_donors,), the problem's own where
    None. Returns (n_profiles, n_columns): what one unit of a profile adds to a sum over people.
    """
    from scipy.sparse import csr_matrix

    profile, record, share = problem.people_shares(donor_weight)  # profile by profile, so rows of a matrix as they stand
    first = np.searchsorted(profile, np.arange(problem.n_profiles + 1))
    return csr_matrix((share, record, first), (problem.n_profiles, len(problem.records))) @ values


def _added(rows: np.ndarray, area: np.ndarray, out: np.ndarray) -> None:
    """Add rows of zones, an array or a sparse matrix, to their areas; area -1 = none."""
    rows = rows.toarray() if hasattr(rows, "toarray") else rows
    np.add.at(out, area[area >= 0], rows[area >= 0])


def _sparse(indptr, profile, count, n_profiles, first, last):
    """Rows of some neighbouring zones as a sparse matrix, zones x profiles."""
    from scipy.sparse import csr_matrix

    a, b = indptr[first], indptr[last]
    return csr_matrix((count[a:b].astype(float), profile[a:b], indptr[first : last + 1] - a), (last - first, n_profiles))


def _product(rows, columns, of_zone: np.ndarray | None):
    """Rows of zones times columns, or times those of each zone's class of place where columns are a list by class."""
    if not isinstance(columns, list):
        return rows @ columns
    out = np.empty((rows.shape[0], columns[0].shape[1]))
    for c in np.unique(of_zone):
        mine = np.flatnonzero(of_zone == c)
        found = rows[mine] @ columns[c]
        out[mine] = found.toarray() if hasattr(found, "toarray") else found
    return out


def _width(columns) -> int:
    return (columns[0] if isinstance(columns, list) else columns).shape[1]


def fractional_sums(columns, answers: Asked | Answers, population: Population) -> np.ndarray:
    """Sum columns over the fractional fit, or over the whole people where the method keeps no duals.

    columns : (n_profiles, n_columns), an array or a sparse matrix; a list of them by class of place where they differ by it.
    Returns (n_areas, n_columns) float64.
    """
    out, n_zones = np.zeros((len(answers.areas), _width(columns))), population.problem.n_zones
    for first in range(0, n_zones, _BLOCK):
        last = min(first + _BLOCK, n_zones)
        if population.duals is None:
            whole = population.indptr, population.profile, population.count
            rows = _sparse(*whole, population.problem.n_profiles, first, last)
        else:
            rows = population.fitted(np.arange(first, last))
        of_zone = None if answers.of_zone is None else answers.of_zone[first:last]
        _added(_product(rows, columns, of_zone), answers.area[first:last], out)
    return out


def replicate_sums(columns: Callable[[np.ndarray | None], object], answers: Asked | Answers, population: Population) -> Iterator:
    """Sum columns over the whole people of each replicate, one after another.

    columns : from the donors' weights in the replicate (None = the survey's own) to (n_profiles, n_columns), as for
    `fractional_sums`. Yields (n_areas, n_columns) float64 for each replicate.
    """
    made, problem = population.replicates, population.problem
    again = "donors" in made.sources
    fixed = None if again else columns(None)
    for place, number in enumerate(made.numbers.tolist()):
        values = columns(resampled(problem, population.provenance.seed, number)[1]) if again else fixed
        out = np.zeros((len(answers.areas), _width(values)))
        rows = made.indptr[place], made.profile[place], made.count[place]
        for first in range(0, problem.n_zones, _BLOCK):
            last = min(first + _BLOCK, problem.n_zones)
            of_zone = None if answers.of_zone is None else answers.of_zone[first:last]
            some = _sparse(*rows, problem.n_profiles, first, last)
            _added(_product(some, values, of_zone), answers.area[first:last], out)
        yield out


@dataclass(frozen=True, eq=False)
class Behind:
    """Who stands behind each figure, (n_areas, n_groups): the population's own people and their donors.

    people : sums over the whole people placed; donors : distinct records; largest : share of people who are copies of the
    commonest of them; n_eff : effective number of records, (sum n)^2 / sum n^2 (Kish 1965); cell : (n_entries,) area x n_groups +
    group of each donor of an area, slot : where its answer is (class x n_records + record), number : its people.
    """

    people: np.ndarray
    donors: np.ndarray
    largest: np.ndarray
    n_eff: np.ndarray
    cell: np.ndarray
    slot: np.ndarray
    number: np.ndarray

    def total(self, value: np.ndarray) -> np.ndarray:
        """(n_areas, n_groups): sum of a value over the whole people placed. value : (n_records,), or by class of place."""
        return np.bincount(self.cell, self.number * value.ravel()[self.slot], self.people.size).reshape(self.people.shape)


def donors_behind(answers: Asked | Answers, blocks: Iterable[DonorCounts], zones) -> Behind:
    """Count people and donors of the base by area and group, from placed donors (`Population.blocks()`, or a run's file)."""
    n_groups, n_records, group = len(answers.groups), answers.group.shape[-1], answers.group.ravel()
    shape = (len(answers.areas), n_groups)
    keys, numbers = [], []
    for block in blocks:
        zone = np.repeat(zones.get_indexer(block.zones), np.diff(block.indptr))
        area, slot = answers.area[zone], block.record.astype(np.int64)
        if answers.of_zone is not None:
            slot = slot + answers.of_zone[zone].astype(np.int64) * n_records
        used = (zone >= 0) & (area >= 0) & (group[slot] >= 0)
        key, inverse = np.unique(area[used] * len(group) + slot[used], return_inverse=True)
        keys.append(key)
        numbers.append(np.bincount(inverse.reshape(-1), block.n[used], len(key)))
    key, number = np.concatenate(keys or [np.empty(0, np.int64)]), np.concatenate(numbers or [np.empty(0)])
    if len(answers.areas) < len(zones):  # an area's donors come from several zones
        key, inverse = np.unique(key, return_inverse=True)
        number = np.bincount(inverse.reshape(-1), number, len(key))
    slot = key % len(group)
    cell, size = (key // len(group)) * n_groups + group[slot], shape[0] * n_groups
    people = np.bincount(cell, number, size)
    donors, largest, squares = _of_records(cell, slot % n_records, number, size, answers.of_zone is not None)
    with np.errstate(invalid="ignore", divide="ignore"):
        share, n_eff = largest / people, people**2 / squares
    return Behind(*(a.reshape(shape) for a in (people, donors, share, n_eff)), cell, slot, number)


def _of_records(cell, record, number, size: int, by_class: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct records of each cell, people of the commonest, and the sum of squares; a record counts once whatever its class."""
    if by_class:
        most = int(record.max(initial=0)) + 1
        key, inverse = np.unique(cell * most + record, return_inverse=True)
        cell, number = key // most, np.bincount(inverse.reshape(-1), number, len(key))
    largest = np.zeros(size)
    np.maximum.at(largest, cell, number)
    return np.bincount(cell, minlength=size), largest, np.bincount(cell, number**2, size)
