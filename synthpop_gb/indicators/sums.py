"""Sums of an indicator by area and group: of the fractional fit, the whole people, each replicate, and the donors behind them.

Everything comes from whole or fractional counts by profile: within a profile the records are told apart by design weight only,
so a sum over people is counts times the profile's mean. What that leaves out, which of a profile's records a person happens to
be, is a variance that can be written down: it is here too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from synthpop_gb.indicators.question import Answers
from synthpop_gb.population import DonorCounts, Population, resampled
from synthpop_gb.problem import Problem

__all__ = ["Behind", "Moments", "donors_behind", "fractional_moments", "profile_means", "replicate_moments"]

_BLOCK = 512  # zones whose fractional weights are held at once


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums by area and group, each (n_areas, n_groups) float64.

    people : expected people in the base; value : sum of their answers; square : sum of squared answers.
    mean_square, mean_cross, people_square : sums over profiles of people x the squared mean answer, x mean answer x mean base, x
        squared mean base, from which the variance between the records of a profile follows.
    """

    people: np.ndarray
    value: np.ndarray
    square: np.ndarray
    mean_square: np.ndarray
    mean_cross: np.ndarray
    people_square: np.ndarray

    @property
    def ratio(self) -> np.ndarray:
        """(n_areas, n_groups) mean answer; NaN where there is nobody."""
        return np.divide(self.value, self.people, out=np.full(self.value.shape, np.nan), where=self.people > 0)

    def within(self, ratio: np.ndarray | None = None) -> np.ndarray:
        """Variance of the sum of (answer - ratio) over people whose record within the profile is drawn at random.

        ratio : (n_areas, n_groups); noughts give the variance of the sum of answers itself. Taylor linearisation of a ratio
        (Sarndal, Swensson & Wretman 1992, eq. 5.6.10): the variance of the ratio is this over people squared.
        """
        r = np.zeros_like(self.value) if ratio is None else np.nan_to_num(ratio)
        total = self.square - 2 * r * self.value + r * r * self.people
        between = self.mean_square - 2 * r * self.mean_cross + r * r * self.people_square
        return np.maximum(total - between, 0.0)


def profile_means(answers: Answers, problem: Problem, donor_weight: np.ndarray | None = None) -> np.ndarray:
    """Average base, answer and squared answer over the records of each profile and group, by design weight.

    Returns (3, n_profiles, n_groups) float64: mean of [in base and group], of answer x that, of squared answer x that.
    """
    weight = problem.donor_weight if donor_weight is None else donor_weight
    profile = np.repeat(np.arange(problem.n_profiles), np.diff(problem.donor_start))
    total = np.bincount(profile, weight, problem.n_profiles)
    share = weight / np.where(total > 0, total, 1.0)[profile]
    group, value = answers.group[problem.donor], answers.value[problem.donor]
    inside, n_groups = group >= 0, len(answers.groups)
    key = profile[inside] * n_groups + group[inside]
    sums = [np.bincount(key, share[inside] * value[inside] ** k, problem.n_profiles * n_groups) for k in range(3)]
    return np.stack(sums).reshape(3, problem.n_profiles, n_groups)


def _by_area(rows: np.ndarray, answers: Answers, where: np.ndarray, out: np.ndarray) -> None:
    """Add rows of zones (n, ...) to their areas."""
    area = answers.area[where]
    np.add.at(out, area[area >= 0], rows[area >= 0])


def fractional_moments(answers: Answers, population: Population) -> Moments:
    """Sum over the fractional fit, or over the whole people where the method keeps no duals."""
    means = profile_means(answers, population.problem)
    base, value, square = means
    columns = np.concatenate([base, value, square, value * value, value * base, base * base], axis=1)
    out = np.zeros((len(answers.areas), columns.shape[1]))
    for first in range(0, population.problem.n_zones, _BLOCK):
        where = np.arange(first, min(first + _BLOCK, population.problem.n_zones))
        if population.duals is None:
            whole = population.indptr, population.profile, population.count
            rows = _sparse(*whole, population.problem.n_profiles, where) @ columns
        else:
            rows = population.fitted(where) @ columns
        _by_area(rows, answers, where, out)
    return Moments(*np.split(out, 6, axis=1))


def _sparse(indptr, profile, count, n_profiles, where):
    """Rows of some neighbouring zones as a sparse matrix, zones x profiles."""
    from scipy.sparse import csr_matrix

    a, b = indptr[where[0]], indptr[where[-1] + 1]
    return csr_matrix((count[a:b].astype(float), profile[a:b], indptr[where[0] : where[-1] + 2] - a), (len(where), n_profiles))


def replicate_moments(answers: Answers, population: Population, columns=None) -> np.ndarray:
    """Sum base and answer over the whole people of each replicate.

    columns : callable, optional
        From (problem, donor_weight) to (n_profiles, n_columns) values to sum instead of base and answer by group.

    Returns (n_replicates, n_areas, n_columns) float64; without `columns` first the base by group, then the answer by group.
    """
    made, problem, found = population.replicates, population.problem, []
    fixed = None
    for place, number in enumerate(made.numbers.tolist()):
        if fixed is None or "donors" in made.sources:
            weight = resampled(problem, population.provenance.seed, number)[1] if "donors" in made.sources else None
            if columns is None:
                means = profile_means(answers, problem, weight)
                fixed = np.concatenate([means[0], means[1]], axis=1)
            else:
                fixed = columns(problem, weight)
        out = np.zeros((len(answers.areas), fixed.shape[1]))
        indptr, profile, count = made.indptr[place], made.profile[place], made.count[place]
        for first in range(0, problem.n_zones, _BLOCK):
            where = np.arange(first, min(first + _BLOCK, problem.n_zones))
            _by_area(_sparse(indptr, profile, count, problem.n_profiles, where) @ fixed, answers, where, out)
        found.append(out)
    return np.stack(found)


@dataclass(frozen=True, eq=False)
class Behind:
    """Who stands behind each figure, (n_areas, n_groups): the population's own people and their donors.

    people, value : int or float sums over the whole people placed.
    donors : distinct records; largest : share of the commonest of them; n_eff : Kish's effective number of records,
        (sum n)^2 / sum n^2 (Kish 1965).
    """

    people: np.ndarray
    value: np.ndarray
    donors: np.ndarray
    largest: np.ndarray
    n_eff: np.ndarray


def donors_behind(answers: Answers, blocks: Iterable[DonorCounts], zones) -> Behind:
    """Count people and donors of the base by area and group, from placed donors (`Population.blocks()`, or a run's file)."""
    n_groups, n_records = len(answers.groups), len(answers.base)
    shape = (len(answers.areas), n_groups)
    people, value = np.zeros(shape), np.zeros(shape)
    keys, numbers = [], []
    for block in blocks:
        zone = np.repeat(zones.get_indexer(block.zones), np.diff(block.indptr))
        area, group = answers.area[zone], answers.group[block.record]
        used = (zone >= 0) & (area >= 0) & (group >= 0)
        area, group, record, n = area[used], group[used], block.record[used].astype(np.int64), block.n[used]
        np.add.at(people, (area, group), n)
        np.add.at(value, (area, group), n * answers.value[record])
        key, inverse = np.unique(area * n_records + record, return_inverse=True)
        keys.append(key)
        numbers.append(np.bincount(inverse.reshape(-1), n, len(key)))
    key, number = np.concatenate(keys or [np.empty(0, np.int64)]), np.concatenate(numbers or [np.empty(0)])
    if len(answers.areas) < len(zones):  # an area's donors come from several zones
        key, inverse = np.unique(key, return_inverse=True)
        number = np.bincount(inverse.reshape(-1), number, len(key))
    cell = (key // n_records) * n_groups + answers.group[key % n_records]
    size = shape[0] * n_groups
    donors = np.bincount(cell, minlength=size).reshape(shape)
    squares, largest = np.bincount(cell, number**2, size).reshape(shape), np.zeros(size)
    np.maximum.at(largest, cell, number)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = largest.reshape(shape) / people
        n_eff = people**2 / squares
    return Behind(people, value, donors, share, n_eff)
