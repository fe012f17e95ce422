"""From a question to figures: estimates of the fractional fit, their spread over replicates, and how far the model may be off.

Three ways of asking come to one form, a mean over a base: a share or a mean has the base asked about; a count or a total is a
mean over everybody times the people; a quantile is where a share reaches its level (Woodruff 1952, JASA 47).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthpop_gb.assessment.features import Design, Features, Variable, describe
from synthpop_gb.indicators.question import Answers
from synthpop_gb.indicators.sums import fractional_sums, profile_means, replicate_sums
from synthpop_gb.population import Population
from synthpop_gb.problem import Problem

__all__ = ["Distribution", "Means", "means_of", "quantiles_of", "variables_of"]

_GRID = 400


@dataclass(frozen=True, eq=False)
class Means:
    """Means by area and group, each (n_areas, n_groups): estimate, people in the base, scale and sampling variance of the mean.

    replicates : (R, n_areas, n_groups) the same means in each replicate; features : of each group's variable.
    """

    estimate: np.ndarray
    people: np.ndarray
    scale: np.ndarray
    finite: np.ndarray
    replicates: np.ndarray
    features: list[Features]


def variables_of(answers: Answers) -> list[Variable]:
    """Return one variable a group: what is averaged, over whom."""
    everybody = np.ones(len(answers.base), bool)
    found = []
    for g in range(len(answers.groups)):
        mine = answers.group == g
        base = everybody if answers.question.measure in ("count", "total") else mine
        found.append(Variable(base, np.where(mine, answers.value, 0.0)))
    return found


def means_of(answers: Answers, population: Population, design: Design, variables: list[Variable] | None = None) -> Means:
    """Estimate the mean of each group's variable in each area."""
    variables = variables_of(answers) if variables is None else variables
    features, n = [describe(v, design) for v in variables], len(variables)
    parts = [np.stack([getattr(f, name) for f in features], 1) for name in ("base", "answer", "scale", "noise")]
    sums = fractional_sums(np.concatenate(parts, axis=1), answers, population)
    values = np.stack([*(v.base.astype(float) for v in variables), *(v.value for v in variables)], axis=1)

    def columns(weight):
        return profile_means(values, population.problem, weight)

    with np.errstate(invalid="ignore", divide="ignore"):
        people = sums[:, :n]
        drawn = [s[:, n:] / s[:, :n] for s in replicate_sums(columns, answers, population)]
        estimate, scale = sums[:, n : 2 * n] / people, sums[:, 2 * n : 3 * n] / people
        finite = np.maximum(sums[:, 3 * n :], 1e-6) / people**2
    return Means(estimate, people, scale, finite, np.stack(drawn), features)


@dataclass(frozen=True, eq=False)
class Distribution:
    """The distribution of a number by area and group.

    grid : (n_grid,) values, ascending; reached : (n_areas, n_groups, n_grid) share of people at or below each; smooth : whether
    values between the grid's are taken to lie evenly.
    """

    grid: np.ndarray
    reached: np.ndarray
    smooth: bool

    def quantile(self, share: np.ndarray) -> np.ndarray:
        """Value at which each area's and group's distribution reaches a share: (n_areas, n_groups) in and out."""
        out = np.full(share.shape, np.nan)
        for place in np.ndindex(share.shape):
            reached = self.reached[place]
            if np.isfinite(reached[-1]) and np.isfinite(share[place]):
                out[place] = _at(self.grid, reached, float(share[place]), self.smooth)
        return out


def _at(grid, reached, share, smooth) -> float:
    place = min(int(np.searchsorted(reached, share - 1e-12)), len(grid) - 1)
    if not smooth or place == 0:
        return float(grid[place])
    below, above = reached[place - 1], reached[place]
    part = (share - below) / (above - below) if above > below else 1.0
    return float(grid[place - 1] + min(max(part, 0.0), 1.0) * (grid[place] - grid[place - 1]))


def quantiles_of(answers: Answers, population: Population, design: Design) -> tuple[Distribution, np.ndarray, Means]:
    """Estimate a quantile by area and group.

    Returns the distribution, its quantile (n_areas, n_groups), and means of [value at or below it], whose spread and scale are
    those of the share of people below the area's own quantile.
    """
    level, n_groups = answers.question.quantile, len(answers.groups)
    values = np.unique(answers.value[answers.base])
    smooth = len(values) > _GRID
    grid = np.unique(np.quantile(answers.value[answers.base], np.linspace(0, 1, _GRID))) if smooth else values
    grid = grid if len(grid) else np.zeros(1)
    place = np.searchsorted(grid, answers.value)

    def columns(weight):
        return _histograms(answers, place, len(grid), population.problem, weight)

    def reached(sums):
        with np.errstate(invalid="ignore", divide="ignore"):
            by = sums[:, n_groups:].reshape(len(sums), n_groups, len(grid))
            return np.minimum(by.cumsum(axis=2) / sums[:, :n_groups, None], 1.0)

    found = Distribution(grid, reached(fractional_sums(columns(None), answers, population)), smooth)
    quantile = found.quantile(np.full((len(answers.areas), n_groups), level))
    drawn = []
    for sums in replicate_sums(columns, answers, population):
        own = reached(sums)
        drawn.append(_share_below(grid, own, quantile, smooth))
    below = [Variable(answers.group == g, ((answers.group == g) & (answers.value <= _middle(answers, g, level))).astype(float))
             for g in range(n_groups)]  # fmt: skip
    shares = means_of(answers, population, design, below)
    with np.errstate(invalid="ignore", divide="ignore"):  # from the survey's quantile, where a zone may have few, to its own
        own_spread = level * (1 - level) / np.maximum(shares.estimate * (1 - shares.estimate), 1e-3)
    scale, finite = np.minimum(shares.scale * own_spread, 0.25), shares.finite * own_spread
    estimate = np.where(np.isfinite(quantile), level, np.nan)
    return found, quantile, Means(estimate, shares.people, scale, finite, np.stack(drawn), shares.features)


def _histograms(answers: Answers, place: np.ndarray, n_grid: int, problem: Problem, weight: np.ndarray | None) -> np.ndarray:
    """Share of each profile's records in each group, then in each group at each value: (n_profiles, n_groups x (1 + n_grid))."""
    weight = problem.donor_weight if weight is None else weight
    profile, n_groups = np.repeat(np.arange(problem.n_profiles), np.diff(problem.donor_start)), len(answers.groups)
    total = np.bincount(profile, weight, problem.n_profiles)
    share = weight / np.where(total > 0, total, 1.0)[profile]
    group = answers.group[problem.donor].astype(np.int64)
    inside = group >= 0
    by_group = np.bincount(profile[inside] * n_groups + group[inside], share[inside], problem.n_profiles * n_groups)
    key = (profile * n_groups + group)[inside] * n_grid + place[problem.donor][inside]
    by_value = np.bincount(key, share[inside], problem.n_profiles * n_groups * n_grid)
    return np.concatenate([by_group.reshape(-1, n_groups), by_value.reshape(-1, n_groups * n_grid)], axis=1)


def _middle(answers: Answers, group: int, level: float) -> float:
    """Quantile of a group's answers in the survey."""
    mine = answers.value[answers.group == group]
    return float(np.quantile(mine, level)) if len(mine) else 0.0


def _share_below(grid, reached, value, smooth) -> np.ndarray:
    """Share of people at or below a value, by area and group."""
    out = np.full(value.shape, np.nan)
    for place in np.ndindex(value.shape):
        if np.isfinite(value[place]) and np.isfinite(reached[place][-1]):
            if smooth:
                out[place] = np.interp(value[place], grid, reached[place])
            else:
                out[place] = reached[place][np.searchsorted(grid, value[place], side="right") - 1]
    return out
