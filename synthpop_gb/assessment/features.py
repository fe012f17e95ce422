"""What a survey tells of a variable beside the tables: how far they leave it open, how regions differ, which table it is like.

A variable is a value of some records: an answer of an indicator, or one cell of a table. Fitting settles the main effects of the
tables' cells and nothing else, so what is open is the departure from them: within profiles, and between profiles in ways that no
single table says. The *scale* of a share is the mean squared departure, r(1 - r) + (r - a)^2 in a profile of rate r and main
effects a: so far it moves where the zone's odds differ from what is implied by one unit on the logit scale. A number is the sum
of its thresholds, v(y) = sum over t of (t' - t) v([y >= t']), half of Gini's mean difference where nothing else is known.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from synthpop_gb.problem import Problem

__all__ = ["Design", "Features", "Variable", "describe"]

_SMALL = 1e-9
_THRESHOLDS = 32


@dataclass(frozen=True, eq=False)
class Variable:
    """A value of some records. base : (n_records,) bool; value : (n_records,) float64, 0 outside the base."""

    base: np.ndarray
    value: np.ndarray


@dataclass(frozen=True, eq=False)
class Design:
    """Records, profiles and tables as describing a variable needs them, worked out once for a set of tables.

    profile : (n_donors,) int64, profile of each donor; weight : (n_donors,) float64, design weights with mean 1; record :
    (n_donors,) positions in `Problem.records`; cells : (n_profiles, n_cells) float64, 0 or 1; solve : (n_cells, n_profiles), from
    profile means to the main effects' coefficients by weighted least squares; start : (n_profiles,) weights; tables : by name,
    (n_donors,) category of the donor; region : (n_donors,) code, -1 unknown, or None.
    """

    profile: np.ndarray
    weight: np.ndarray
    record: np.ndarray
    cells: np.ndarray
    solve: np.ndarray
    start: np.ndarray
    tables: dict[str, np.ndarray]
    region: np.ndarray | None

    @classmethod
    def of(cls, problem: Problem, kept, region: np.ndarray | None = None) -> Design:
        """Prepare for the constraints at positions `kept`; `region`: (n_records,) code of each record's region, or None."""
        profile = problem.donor_profile
        weight = problem.donor_weight / problem.donor_weight.mean()
        start = np.bincount(profile, weight, problem.n_profiles)
        cells = np.zeros((problem.n_profiles, problem.n_cells + 1))
        cells[:, -1] = 1.0
        for k in kept:
            inside = np.flatnonzero(problem.cell_of[k] >= 0)
            cells[inside, problem.cell_of[k, inside]] = 1.0
        cells = cells[:, cells.any(axis=0)]
        solve = np.linalg.pinv(cells.T @ (start[:, None] * cells), hermitian=True) @ (cells * start[:, None]).T
        names = problem.cells.get_level_values(0)[problem.constraint_start[:-1]]
        tables = {str(names[k]): problem.cell_of[k][profile] for k in kept}
        of_donor = None if region is None else region[problem.donor]
        return cls(profile, weight, problem.donor, cells, solve, start, tables, of_donor)

    def by_profile(self, x: np.ndarray) -> np.ndarray:
        """Mean over each profile's records: (n_donors,) to (n_profiles,)."""
        return np.bincount(self.profile, self.weight * x, len(self.start)) / np.where(self.start > 0, self.start, 1.0)

    def main_effects(self, means: np.ndarray) -> np.ndarray:
        """Say of profile means what the tables' cells tell, each by itself."""
        return self.cells @ (self.solve @ means)


@dataclass(frozen=True, eq=False)
class Features:
    """A variable described by a survey.

    mean, variance : of the value over the survey's base; base : (n_profiles,) share of the profile's records that count; answer :
    (n_profiles,) mean of value x that; scale : (n_profiles,) in the variable's unit, see the module; noise : (n_profiles,) mean
    squared departure from the main effects, in its unit squared; explained : share of its variance that they explain; region,
    region_error : standard deviation between regions of what they do not explain, on the logit scale, and its standard error
    were there none (both 0 without regions); likeness : by table, R squared on its categories alone.
    """

    mean: float
    variance: float
    base: np.ndarray
    answer: np.ndarray
    scale: np.ndarray
    noise: np.ndarray
    explained: float
    region: float
    region_error: float
    likeness: dict[str, float]


def describe(variable: Variable, design: Design) -> Features:
    """Describe a variable by the survey's records; see `Features`. A mean over some of the records is linearised.

    Between-region variance by the moments of DerSimonian & Laird (1986, Controlled Clinical Trials 7, eq. 8), with regions as
    studies: departures of a region's records add up to its shift times the sum of their scales, plus sampling noise.
    """
    d = design.weight
    inside = variable.base[design.record].astype(float)
    value = variable.value[design.record]
    total = float((d * inside).sum())
    mean = float((d * inside * value).sum() / total) if total > 0 else 0.0
    u = inside * (value - mean)
    means = design.by_profile(u)
    main = design.main_effects(means)
    noise = np.maximum(design.by_profile(u * u) - means**2, 0.0) + (means - main) ** 2
    scale = np.zeros(len(design.start))
    steps = _steps(u)
    for low, high in itertools.pairwise(steps):
        rate = design.by_profile((u >= high).astype(float))
        scale += (high - low) * (rate * (1.0 - rate) + (rate - design.main_effects(rate)) ** 2)
    size = float(steps[-1] - steps[0]) or 1.0
    scale[scale < _SMALL * size] = 0.0
    noise[noise < _SMALL * size * size] = 0.0
    overall = float((d * u * u).sum())
    explained = 1.0 - float((design.start * noise).sum()) / overall if overall > 0 else 1.0
    region, error = _between_regions(u - main[design.profile], scale[design.profile], noise[design.profile], design)
    likeness = {name: _explained_by(u, d, category) for name, category in design.tables.items()}
    base, answer = design.by_profile(inside), design.by_profile(inside * value)
    return Features(mean, overall / total if total > 0 else 0.0, base, answer, scale, noise, explained, region, error, likeness)


def _steps(u: np.ndarray) -> np.ndarray:
    """Values that thresholds are set at: all of them where they are few, else 33 quantiles, ends included."""
    distinct = np.unique(u)
    if len(distinct) <= _THRESHOLDS + 1:
        return distinct if len(distinct) > 1 else np.array([0.0, 0.0])
    return np.unique(np.quantile(u, np.linspace(0, 1, _THRESHOLDS + 1), method="nearest"))


def _between_regions(departure, scale, noise, design: Design) -> tuple[float, float]:
    if design.region is None:
        return 0.0, 0.0
    known = design.region >= 0
    code = design.region[known]
    d = design.weight[known]
    n = int(code.max(initial=-1)) + 1
    shift, size = np.bincount(code, d * departure[known], n), np.bincount(code, d * scale[known], n)
    variance = np.bincount(code, d * d * noise[known], n)
    use = (size > 0) & (variance > 0)
    if use.sum() < 2:
        return 0.0, 0.0
    weight, free = size[use] ** 2 / variance[use], int(use.sum()) - 1
    spare = weight.sum() - (weight**2).sum() / weight.sum()
    heterogeneity = float((weight * (shift[use] / size[use]) ** 2).sum())
    return math.sqrt(max((heterogeneity - free) / spare, 0.0)), math.sqrt(math.sqrt(2 * free) / spare)


def _explained_by(u: np.ndarray, d: np.ndarray, category: np.ndarray) -> float:
    """R squared of u on categories, weighted."""
    place = category - category.min(initial=0)
    total, mean = np.bincount(place, d), (d * u).sum() / d.sum()
    group = np.bincount(place, d * u) / np.where(total > 0, total, 1.0)
    overall = float((d * (u - mean) ** 2).sum())
    return float((total * (group - mean) ** 2).sum()) / overall if overall > 0 else 0.0
