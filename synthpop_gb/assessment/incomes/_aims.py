"""Targets as arrays on a problem whose profiles tell incomes apart: scores to tilt along, sums of income and of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from synthpop_gb.assessment.incomes.target import Matched
from synthpop_gb.assessment.starts._joint import cells_by_unit
from synthpop_gb.assessment.starts._split import add_tilt, split_profiles
from synthpop_gb.problem import Problem

__all__ = ["Aim", "Aims", "aims_of", "income_bands"]

_WIDE, _THIN = 0.1, 0.05  # log income on either side of a median, and the least density, a unit, that is believed there
_EDGE = 2.25  # normal scores beyond which bands are not divided further: one household in 80 on either side


def income_bands(value: np.ndarray, weight: np.ndarray, bands: int) -> tuple[np.ndarray, np.ndarray]:
    """Divide incomes into bands of equal width on the scale of normal scores, and score them.

    A record's score is the standard normal quantile of the share of all, by design weight, who have less, half of those who have
    the same included (van der Waerden 1952); a band's is the mean of its records'. For incomes that are spread log-normally that
    is the standardised logarithm, so that a tilt along it shifts the whole distribution by a factor; noughts, debts and
    millionaires need no care.

    Parameters
    ----------
    value, weight : (n,) float64
        Incomes and design weights.
    bands : int
        How many, four or more; empty ones are left out.

    Returns
    -------
    band : (n,) int64, from 0.
    score : (n_bands,) float64, ascending, of weighted mean nought.

    Examples
    --------
    >>> band, score = income_bands(np.array([9.0, 1.0, 1.0, 5.0]), np.ones(4), 8)
    >>> band.tolist(), score.round(2).tolist()
    ([2, 0, 0, 1], [-0.7, 0.29, 1.12])
    """
    level, number = np.unique(value, return_inverse=True)
    held = np.bincount(number.reshape(-1), weight, len(level))
    middle = (np.cumsum(held) - held / 2) / held.sum()
    score = ndtri(middle)[number.reshape(-1)]
    band = np.unique(np.searchsorted(np.linspace(-_EDGE, _EDGE, bands - 1), score), return_inverse=True)[1].reshape(-1)
    of_band = np.bincount(band, weight)
    mean = np.bincount(band, weight * score) / of_band
    return band, mean - (of_band @ mean) / of_band.sum()


@dataclass(frozen=True, eq=False)
class Aim:
    """One target. Sums are of a unit of each profile, in expectation over its donors.

    matched : of which it is; score : which of `Aims.scores` it tilts along; income : (n_profiles, k) float64, incomes of those
    who count (of shares and medians how many of them have so much), one column for all areas or one an area; people :
    (n_profiles,) how many count; goal, error : (n_areas,) what is aimed at and its standard error on the scale of `linked`, NaN
    where nothing is published; density : (n_areas,) only of medians, share of those who count a unit of log income at the
    published one.
    """

    matched: Matched
    score: int
    income: np.ndarray
    people: np.ndarray
    goal: np.ndarray
    error: np.ndarray
    density: np.ndarray | None = None

    def incomes_of(self, zones: np.ndarray) -> np.ndarray:
        """Column of `income` that goes for each of some zones (positions)."""
        area = np.maximum(self.matched.area[zones], 0)
        return np.zeros(len(zones), np.int64) if self.income.shape[1] == 1 else area

    def linked(self, ratio: np.ndarray) -> np.ndarray:
        """Bring (n_areas,) incomes over people to the scale of goals: logarithms of means and medians, shares as they are.

        A median is told by the share at or below the published one, which the survey's density there turns into a distance.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.density is not None:
                return self.goal + (0.5 - ratio) / self.density
            return np.log(ratio) if self.matched.incomes.measure == "mean" else ratio

    def slope(self, ratio: np.ndarray) -> np.ndarray:
        """(n_areas,) derivative of `linked`."""
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.density is not None:
                return -1.0 / self.density
            return 1.0 / ratio if self.matched.incomes.measure == "mean" else np.ones(len(ratio))

    def shown(self, linked: np.ndarray) -> np.ndarray:
        """Bring values on the scale of goals back to what was published: pounds, or shares."""
        return linked if self.matched.incomes.measure == "share" else np.exp(linked)


@dataclass(frozen=True, eq=False)
class Aims:
    """All targets on one problem.

    problem : its profiles are alike on every band; scores : (n_profiles, n_scores) float64, sum over those of a unit who count;
    bands : of each score (tilt_of (n_slots, n_profiles), score (n_bands,)); aims : in the order of the targets.
    """

    problem: Problem
    scores: np.ndarray
    bands: tuple[tuple[np.ndarray, np.ndarray], ...]
    aims: tuple[Aim, ...]

    def tilted(self, tilts: Sequence[np.ndarray]) -> Problem:
        """Tilt the problem: tilts are (n_areas,) float64, one an aim, of areas along their score."""
        by_score = np.zeros((self.problem.n_zones, len(self.bands)))
        for aim, tilt in zip(self.aims, tilts, strict=True):
            inside = aim.matched.area >= 0
            by_score[inside, aim.score] += tilt[aim.matched.area[inside]]
        problem = self.problem
        for s, (tilt_of, score) in enumerate(self.bands):
            if by_score[:, s].any():
                problem = add_tilt(problem, tilt_of, by_score[:, s : s + 1] * score)
        return problem


def aims_of(problem: Problem, matched: Sequence[Matched], bands: int) -> Aims:
    """Split profiles by bands of every income aimed at, and lay targets out on them.

    Targets of the same income (column, condition and unit) share their bands, whatever areas they are of.
    """
    scored: dict[tuple, int] = {}
    cells: list[np.ndarray] = []
    scores: list[np.ndarray] = []
    of = []
    for one in matched:
        key = (one.target.column, one.target.where, one.incomes.of)
        if key not in scored:
            scored[key] = len(cells)
            base, weight = one.answers.base, _record_weight(problem)
            cell = np.full(len(base), -1, np.int64)
            cell[base], score = income_bands(one.answers.value[base], weight[base], bands)
            cells.append(cells_by_unit(problem, cell))
            scores.append(score)
        of.append(scored[key])
    together = np.unique(np.hstack(cells), axis=0, return_inverse=True)[1].reshape(-1)
    if (np.bincount(problem.donor_profile, minlength=problem.n_profiles) > 1).any():
        problem = split_profiles(problem, together)
    example = problem.donor[problem.donor_start[:-1]]
    rows = [np.ascontiguousarray(c[example].T) for c in cells]
    summed = np.stack([np.where(r >= 0, s[np.maximum(r, 0)], 0.0).sum(axis=0) for r, s in zip(rows, scores, strict=True)], axis=1)
    aims = tuple(_aim(problem, one, score) for one, score in zip(matched, of, strict=True))
    return Aims(problem, summed, tuple(zip(rows, scores, strict=True)), aims)


def _record_weight(problem: Problem) -> np.ndarray:
    """(n_records,) design weight of each record, that of its unit."""
    donor, record = problem.donor_people()
    out = np.zeros(len(problem.records))
    out[record] = problem.donor_weight[donor]
    return out


def _aim(problem: Problem, one: Matched, score: int) -> Aim:
    profile, record, share = problem.people_shares()
    base, value = one.answers.base, one.answers.value
    people = np.bincount(profile, share * base[record], problem.n_profiles)
    measure, published, error = one.incomes.measure, one.published, one.error
    if measure == "mean":
        income = np.bincount(profile, share * (base * value)[record], problem.n_profiles)[:, None]
        return Aim(one, score, income, people, np.log(published), error / published)
    if measure == "share":
        met = base & (value >= one.incomes.above)
        income = np.bincount(profile, share * met[record], problem.n_profiles)[:, None]
        return Aim(one, score, income, people, published, error)
    return _median_aim(problem, one, score, people, (profile, record, share))


def _median_aim(problem: Problem, one: Matched, score: int, people: np.ndarray, shares: tuple[np.ndarray, ...]) -> Aim:
    """Aim at half of an area being at or below its published median (Woodruff 1952, JASA 47). shares : `people_shares`."""
    profile, record, share = shares
    base, value = one.answers.base[record], one.answers.value[record]
    income, density = np.zeros((problem.n_profiles, len(one.areas))), np.full(len(one.areas), np.nan)
    weight = problem.donor_weight[problem.donor_people()[0]] * base
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(value)
    for a in np.flatnonzero(np.isfinite(one.published)):
        income[:, a] = np.bincount(profile, share * (base & (value <= one.published[a])), problem.n_profiles)
        near = weight[np.abs(logs - np.log(one.published[a])) <= _WIDE].sum() / weight.sum()
        density[a] = max(near / (2 * _WIDE), _THIN)
    return Aim(one, score, income, people, np.log(one.published), one.error / one.published, density)
