"""What a survey tells of a variable beside the tables: how far they leave it open, how regions differ, which table it is like.

A variable is a value of some records: an answer of an indicator, or one cell of a table. Fitting settles the main effects of the
tables' cells and nothing else, so what is open is the departure from them: within profiles, and between profiles in ways that no
single table says. The *scale* of a share is the mean squared departure, r(1 - r) + (r - a)^2 in a profile of rate r and main
effects a: so far it moves where the zone's odds differ from what is implied by one unit on the logit scale. A number is the sum
of its thresholds, v(y) = sum over t of (t' - t) v([y >= t']), half of Gini's mean difference where nothing else is known.

Where whole households are placed, everything is of households: a variable is summed over their members, main effects are sums
over the members' cells, and the scale is the mean squared departure of a household's number. So members who are alike, as smokers
and tenants are, leave a zone as uncertain as their households are few.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from synthpop_gb.problem import Problem

__all__ = ["SMALL", "THRESHOLDS", "Design", "Features", "Variable", "describe", "explained_by", "heterogeneity"]

SMALL = 1e-9
"""Of a variable's range: scales and variances below are nought but for rounding."""

THRESHOLDS = 32
"""Most thresholds that a number is the sum of."""


@dataclass(frozen=True, eq=False)
class Variable:
    """A value of some records. base : (n_records,) bool; value : (n_records,) float64, 0 outside the base."""

    base: np.ndarray
    value: np.ndarray


@dataclass(frozen=True, eq=False)
class Design:
    """Records, profiles and tables as describing a variable needs them, worked out once for a set of tables.

    profile : (n_donors,) int64, profile of each donor; weight : (n_donors,) float64, design weights with mean 1; record,
    donor_of : (n_people,) positions in `Problem.records` of who comes with the donors, and the donor of each: for persons one a
    donor; cells : (n_profiles, n_cells) float64, members in each cell, a household's size last (1 for persons); solve : (n_cells,
    n_profiles), from profile means to the main effects' coefficients by weighted least squares; start : (n_profiles,) weights;
    tables : by name, columns of `cells` and what `solve` is for them alone; region : (n_donors,) code, -1 unknown, or None.
    """

    profile: np.ndarray
    weight: np.ndarray
    record: np.ndarray
    donor_of: np.ndarray
    cells: np.ndarray
    solve: np.ndarray
    start: np.ndarray
    tables: dict[str, tuple[np.ndarray, np.ndarray]]
    region: np.ndarray | None

    @classmethod
    def of(cls, problem: Problem, kept, region: np.ndarray | None = None) -> Design:
        """Prepare for the constraints at positions `kept`; `region`: (n_records,) code of each record's region, or None.

        Of a household its reference's region counts.
        """
        profile = problem.donor_profile
        weight = problem.donor_weight / problem.donor_weight.mean()
        start = np.bincount(profile, weight, problem.n_profiles)
        first = problem.constraint_start
        cells = np.column_stack([problem.members.matrix().toarray(), problem.people_of])
        columns = [np.arange(first[k], first[k + 1]) for k in kept]
        columns = [c[cells[:, c].any(axis=0)] for c in columns]
        size = np.array([problem.n_cells])
        names, tables = problem.constraint_names, {}
        for k, mine in zip(kept, columns, strict=True):
            part = cells[:, np.append(mine, size)]
            tables[names[k]] = (part, _solving(part, start))
        everything = cells[:, np.concatenate([*columns, size])]
        donor_of, record = problem.donor_people()
        if problem.households is not None and region is not None:
            region = region[problem.member[problem.member_start[:-1]]]
        of_donor = None if region is None else region[problem.donor]
        return cls(profile, weight, record, donor_of, everything, _solving(everything, start), start, tables, of_donor)

    def totals(self, x: np.ndarray) -> np.ndarray:
        """Sum over who comes with each donor: (n_people,) to (n_donors,); persons come by themselves."""
        return x if len(x) == len(self.profile) else np.bincount(self.donor_of, x, len(self.profile))

    def by_profile(self, x: np.ndarray) -> np.ndarray:
        """Mean over each profile's donors: (n_donors,) to (n_profiles,)."""
        return np.bincount(self.profile, self.weight * x, len(self.start)) / np.where(self.start > 0, self.start, 1.0)

    def main_effects(self, means: np.ndarray) -> np.ndarray:
        """Say of profile means what the tables' cells tell, each by itself."""
        return self.cells @ (self.solve @ means)


def _solving(cells: np.ndarray, start: np.ndarray) -> np.ndarray:
    """(n_cells, n_profiles): from profile means to the coefficients of weighted least squares."""
    return np.linalg.pinv(cells.T @ (start[:, None] * cells), hermitian=True) @ (cells * start[:, None]).T


@dataclass(frozen=True, eq=False)
class Features:
    """A variable described by a survey.

    mean, variance : of the value over the survey's base; base : (n_profiles,) people of the base that come with a unit of the
    profile, for persons the share of its records that count; answer : (n_profiles,) the sum of their values; scale :
    (n_profiles,) in the variable's unit, see the module; noise : (n_profiles,) mean squared departure from the main effects, in
    its unit squared; explained : share of its variance that they explain; region, region_error : standard deviation between
    regions of what they do not explain, on the logit scale, and its standard error were there none (both 0 without regions);
    likeness : by table, R squared on its categories alone.
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
    d, of_person = design.weight, design.weight[design.donor_of]
    inside = variable.base[design.record].astype(float)
    value = variable.value[design.record]
    total = float((of_person * inside).sum())
    mean = float((of_person * inside * value).sum() / total) if total > 0 else 0.0
    u = inside * (value - mean)
    summed = design.totals(u)
    means = design.by_profile(summed)
    main = design.main_effects(means)
    noise = np.maximum(design.by_profile(summed * summed) - means**2, 0.0) + (means - main) ** 2
    scale = np.zeros(len(design.start))
    steps = _steps(u)
    for low, high in itertools.pairwise(steps):
        above = design.totals((u >= high).astype(float))
        rate = design.by_profile(above)
        spread = np.maximum(design.by_profile(above * above) - rate**2, 0.0)  # r(1 - r) where a donor is one person
        scale += (high - low) * (spread + (rate - design.main_effects(rate)) ** 2)
    size = float(steps[-1] - steps[0]) or 1.0
    scale[scale < SMALL * size] = 0.0
    noise[noise < SMALL * size * size] = 0.0
    overall = float((d * summed * summed).sum())
    explained = 1.0 - float((design.start * noise).sum()) / overall if overall > 0 else 1.0
    region, error = _between_regions(summed - main[design.profile], scale[design.profile], noise[design.profile], design)
    likeness = {n: explained_by(means, design.start, *table, overall) for n, table in design.tables.items()}
    base, answer = design.by_profile(design.totals(inside)), design.by_profile(design.totals(inside * value))
    variance = float((of_person * u * u).sum()) / total if total > 0 else 0.0
    return Features(mean, variance, base, answer, scale, noise, explained, region, error, likeness)


def _steps(u: np.ndarray) -> np.ndarray:
    """Values that thresholds are set at: all of them where they are few, else 33 quantiles, ends included."""
    distinct = np.unique(u)
    if len(distinct) <= THRESHOLDS + 1:
        return distinct if len(distinct) > 1 else np.array([0.0, 0.0])
    return np.unique(np.quantile(u, np.linspace(0, 1, THRESHOLDS + 1), method="nearest"))


def _between_regions(departure, scale, noise, design: Design) -> tuple[float, float]:
    if design.region is None:
        return 0.0, 0.0
    known = design.region >= 0
    code = design.region[known]
    d = design.weight[known]
    n = int(code.max(initial=-1)) + 1
    shift, size = np.bincount(code, d * departure[known], n), np.bincount(code, d * scale[known], n)
    variance = np.bincount(code, d * d * noise[known], n)
    return heterogeneity(shift, size, variance)


def heterogeneity(shift: np.ndarray, size: np.ndarray, variance: np.ndarray) -> tuple[float, float]:
    """Find the standard deviation between regions, and its standard error were there none; see `describe`.

    shift, size, variance : (n_regions,) sums of departures, of their scales, and sampling variance of the first.
    """
    use = (size > 0) & (variance > 0)
    if use.sum() < 2:
        return 0.0, 0.0
    weight, free = size[use] ** 2 / variance[use], int(use.sum()) - 1
    spare = weight.sum() - (weight**2).sum() / weight.sum()
    found = float((weight * (shift[use] / size[use]) ** 2).sum())
    return math.sqrt(max((found - free) / spare, 0.0)), math.sqrt(math.sqrt(2 * free) / spare)


def explained_by(means: np.ndarray, start: np.ndarray, cells: np.ndarray, solve: np.ndarray, overall: float) -> float:
    """R squared on the cells of one table: they are alike within a profile, so that profile means are all it can explain."""
    return float((start * (cells @ (solve @ means)) ** 2).sum()) / overall if overall > 0 else 0.0
