"""Sums of an indicator by area: over the fractional fit, over each replicate's whole people, and over the donors behind them.

Everything comes from fractional or whole counts by profile: within a profile the records are told apart by design weight only, so
a sum over people is counts times the profile's mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from synthpop_gb.indicators.question import Answers
from synthpop_gb.population import DonorCounts, Population, resampled
from synthpop_gb.problem import Problem

__all__ = ["Behind", "donors_behind", "fractional_sums", "profile_means", "replicate_sums"]

_BLOCK = 512  # zones whose fractional weights are held at once


def profile_means(values: np.ndarray, problem: Problem, donor_weight: np.ndarray | None = None) -> np.ndarray:
    """Average values over the records of each profile, by design weight; of households, sums over their members.

    values : (n_records, n_columns) float64, by position in `problem.records`; donor_weight : (n_donors,), the problem's own where
    None. Returns (n_profiles, n_columns): what one unit of a profile adds to a sum over people.
    """
    profile, record, share = problem.people_shares(donor_weight)
    rows = values[record]
    return np.stack([np.bincount(profile, share * rows[:, c], problem.n_profiles) for c in range(rows.shape[1])], axis=1)


def _added(rows: np.ndarray, area: np.ndarray, out: np.ndarray) -> None:
    """Add rows of zones, an array or a sparse matrix, to their areas; area -1 = none."""
    rows = rows.toarray() if hasattr(rows, "toarray") else rows
    np.add.at(out, area[area >= 0], rows[area >= 0])


def _sparse(indptr, profile, count, n_profiles, first, last):
    """Rows of some neighbouring zones as a sparse matrix, zones x profiles."""
    from scipy.sparse import csr_matrix

    a, b = indptr[first], indptr[last]
    return csr_matrix((count[a:b].astype(float), profile[a:b], indptr[first : last + 1] - a), (last - first, n_profiles))


def fractional_sums(columns: np.ndarray, answers: Answers, population: Population) -> np.ndarray:
    """Sum columns over the fractional fit, or over the whole people where the method keeps no duals.

    columns : (n_profiles, n_columns), an array or a sparse matrix. Returns (n_areas, n_columns) float64.
    """
    out, n_zones = np.zeros((len(answers.areas), columns.shape[1])), population.problem.n_zones
    for first in range(0, n_zones, _BLOCK):
        last = min(first + _BLOCK, n_zones)
        if population.duals is None:
            whole = population.indptr, population.profile, population.count
            rows = _sparse(*whole, population.problem.n_profiles, first, last) @ columns
        else:
            rows = population.fitted(np.arange(first, last)) @ columns
        _added(rows, answers.area[first:last], out)
    return out


def replicate_sums(
    columns: Callable[[np.ndarray | None], np.ndarray], answers: Answers, population: Population
) -> Iterator[np.ndarray]:
    """Sum columns over the whole people of each replicate, one after another.

    columns : from the donors' weights in the replicate (None = the survey's own) to (n_profiles, n_columns), an array or a sparse
    matrix. Yields (n_areas, n_columns) float64 for each replicate.
    """
    made, problem = population.replicates, population.problem
    again = "donors" in made.sources
    fixed = None if again else columns(None)
    for place, number in enumerate(made.numbers.tolist()):
        values = columns(resampled(problem, population.provenance.seed, number)[1]) if again else fixed
        out = np.zeros((len(answers.areas), values.shape[1]))
        rows = made.indptr[place], made.profile[place], made.count[place]
        for first in range(0, problem.n_zones, _BLOCK):
            last = min(first + _BLOCK, problem.n_zones)
            _added(_sparse(*rows, problem.n_profiles, first, last) @ values, answers.area[first:last], out)
        yield out


@dataclass(frozen=True, eq=False)
class Behind:
    """Who stands behind each figure, (n_areas, n_groups): the population's own people and their donors.

    people, value : sums over the whole people placed; donors : distinct records; largest : share of people who are copies of the
    commonest of them; n_eff : effective number of records, (sum n)^2 / sum n^2 (Kish 1965); cell : (n_entries,) area x n_groups +
    group of each donor of an area, answer : its answer, number : its people, for figures that are no sums.
    """

    people: np.ndarray
    value: np.ndarray
    donors: np.ndarray
    largest: np.ndarray
    n_eff: np.ndarray
    cell: np.ndarray
    answer: np.ndarray
    number: np.ndarray


def donors_behind(answers: Answers, blocks: Iterable[DonorCounts], zones) -> Behind:
    """Count people and donors of the base by area and group, from placed donors (`Population.blocks()`, or a run's file)."""
    n_groups, n_records = len(answers.groups), len(answers.base)
    shape = (len(answers.areas), n_groups)
    keys, numbers = [], []
    for block in blocks:
        zone = np.repeat(zones.get_indexer(block.zones), np.diff(block.indptr))
        area = answers.area[zone]
        used = (zone >= 0) & (area >= 0) & (answers.group[block.record] >= 0)
        key, inverse = np.unique(area[used] * n_records + block.record[used].astype(np.int64), return_inverse=True)
        keys.append(key)
        numbers.append(np.bincount(inverse.reshape(-1), block.n[used], len(key)))
    key, number = np.concatenate(keys or [np.empty(0, np.int64)]), np.concatenate(numbers or [np.empty(0)])
    if len(answers.areas) < len(zones):  # an area's donors come from several zones
        key, inverse = np.unique(key, return_inverse=True)
        number = np.bincount(inverse.reshape(-1), number, len(key))
    record = key % n_records
    cell, size = (key // n_records) * n_groups + answers.group[record], shape[0] * n_groups
    answer = answers.value[record]
    people, value = np.bincount(cell, number, size), np.bincount(cell, number * answer, size)
    largest = np.zeros(size)
    np.maximum.at(largest, cell, number)
    with np.errstate(invalid="ignore", divide="ignore"):
        share, n_eff = largest / people, people**2 / np.bincount(cell, number**2, size)
    donors = np.bincount(cell, minlength=size)
    return Behind(*(a.reshape(shape) for a in (people, value, donors, share, n_eff)), cell, answer, number)
