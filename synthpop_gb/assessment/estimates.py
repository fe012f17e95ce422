"""From a question to figures: estimates of the fractional fit, their spread over replicates, and how far the model may be off.

Three ways of asking come to one form, a mean over a base: a share or a mean has the base asked about; a count or a total is a
mean over everybody times the people; a quantile is where a share reaches its level (Woodruff 1952, JASA 47).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthpop_gb.assessment.features import Design, Features, Variable, describe
from synthpop_gb.indicators.question import Answers, Asked
from synthpop_gb.indicators.sums import fractional_sums, profile_means, replicate_sums
from synthpop_gb.population import Population
from synthpop_gb.problem import Problem

__all__ = ["Distribution", "Means", "classes_of", "described", "grouped", "means_of", "quantiles_of", "variables_of"]

_GRID, _FEWEST = 400, 40
_MOST = 30_000_000  # shares of people held at once: where areas x groups are many, their distributions are told by fewer values


@dataclass(frozen=True, eq=False)
class Means:
    """Means by area and variable, each (n_areas, n_groups): estimate, people in the base, scale of the mean's model error.

    Of one value there is a variable a group. asked : people of the group who are asked about; the same as the base but for counts
    and totals, whose base is everybody; finite : sampling variance that comes of an area's being finite; replicates : (R, n_areas,
    n_groups) the same means in each replicate, NaN where it has nobody in the base; features : of each variable, in each class of
    place.
    """

    estimate: np.ndarray
    people: np.ndarray
    asked: np.ndarray
    scale: np.ndarray
    finite: np.ndarray
    replicates: np.ndarray
    features: list[tuple[Features, ...]]

    @property
    def spread(self) -> np.ndarray:
        """(n_areas, n_groups) standard deviation between replicates with somebody in the base; 0 where there is one at most."""
        known = np.isfinite(self.replicates)
        n = known.sum(axis=0)
        mean = np.where(known, self.replicates, 0.0).sum(axis=0) / np.maximum(n, 1)
        squares = np.where(known, (self.replicates - mean) ** 2, 0.0).sum(axis=0)
        return np.sqrt(squares / np.maximum(n - 1, 1))


def variables_of(answers: Answers) -> list[Variable]:
    """Return one variable a group: what is averaged, over whom."""
    adds = answers.question.measure in ("count", "total")
    return grouped(answers, answers.value, adds=adds)


def grouped(asked: Asked | Answers, value: np.ndarray, *, adds: bool) -> list[Variable]:
    """Split a value into one variable a group; of sums (`adds`) everybody is the base, so that groups add up.

    value : (n_records,), or (n_classes, n_records) where it differs by class of place.
    """
    inside = [asked.group == g for g in range(len(asked.groups))]
    return [Variable(asked.everybody if adds else mine, np.where(mine, value, 0.0)) for mine in inside]


def means_of(
    asked: Asked | Answers, population: Population, design: Design, variables: list[Variable], *, replicates: bool = True
) -> Means:
    """Estimate means of variables by area; without `replicates` there are none of these means.

    variables : of one value or several, each value's group after group as `grouped` has them; the arrays returned have one column
    a variable. Weights of zones and sums over replicates are worked out once for all of them.
    """
    n, n_groups, n_classes = len(variables), len(asked.groups), classes_of(asked)
    features = [described(v, design, n_classes) for v in variables]
    whom = [_by_class(asked.group == g, n_classes) for g in range(n_groups)]

    def parts(c: int) -> np.ndarray:
        of = [np.stack([getattr(f[c], name) for f in features], 1) for name in ("base", "answer", "scale", "noise")]
        of_group = [design.by_profile(design.totals(mine[c][design.record].astype(float))) for mine in whom]
        return np.concatenate([*of, np.stack(of_group, axis=1)], axis=1)

    def values(c: int) -> np.ndarray:
        base = (_by_class(v.base, n_classes)[c].astype(float) for v in variables)
        return np.stack([*base, *(_by_class(v.value, n_classes)[c] for v in variables)], axis=1)

    sums = fractional_sums(_all_classes(parts, n_classes), asked, population)
    told = _all_classes(values, n_classes)

    def columns(weight):
        if n_classes == 1:
            return profile_means(told, population.problem, weight)
        return [profile_means(t, population.problem, weight) for t in told]

    with np.errstate(invalid="ignore", divide="ignore"):
        people = sums[:, :n]
        drawn = [s[:, n:] / s[:, :n] for s in replicate_sums(columns, asked, population)] if replicates else []
        estimate, scale = sums[:, n : 2 * n] / people, sums[:, 2 * n : 3 * n] / people
        finite = np.maximum(sums[:, 3 * n : 4 * n], 1e-6) / people**2
    whose = np.tile(sums[:, 4 * n :], (1, n // n_groups))
    return Means(estimate, people, whose, scale, finite, np.reshape(drawn, (len(drawn), *people.shape)), features)


def classes_of(asked: Asked | Answers) -> int:
    """How many classes of place answers are told by."""
    return 1 if asked.of_zone is None else int(asked.of_zone.max(initial=0)) + 1


def _all_classes(make, n_classes: int):
    """Columns, or a list of them by class of place where there are several."""
    return make(0) if n_classes == 1 else [make(c) for c in range(n_classes)]


def _by_class(values: np.ndarray, n_classes: int) -> np.ndarray:
    """(n_classes, n_records), of values that may be alike in all classes."""
    return np.broadcast_to(values, (n_classes, values.shape[-1]))


def described(variable: Variable, design: Design, n_classes: int) -> tuple[Features, ...]:
    """Describe a variable in each class of place; classes that are alike in it are described once."""
    base, value = _by_class(variable.base, n_classes), _by_class(variable.value, n_classes)
    known: dict[bytes, Features] = {}
    found = []
    for c in range(n_classes):
        key = b"" if n_classes == 1 else base[c].tobytes() + value[c].tobytes()
        if key not in known:
            known[key] = describe(Variable(base[c], value[c]), design)
        found.append(known[key])
    return tuple(found)


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
        known = np.isfinite(self.reached[..., -1]) & np.isfinite(share)
        with np.errstate(invalid="ignore", divide="ignore"):
            place = np.minimum((self.reached < share[..., None] - 1e-12).sum(axis=-1), len(self.grid) - 1)
            if not self.smooth:
                return np.where(known, self.grid[place], np.nan)
            before = np.maximum(place - 1, 0)
            low, high = _taken(self.reached, before), _taken(self.reached, place)
            part = np.where(high > low, np.clip((share - low) / (high - low), 0.0, 1.0), 1.0)
        return np.where(known, self.grid[before] + part * (self.grid[place] - self.grid[before]), np.nan)

    def below(self, value: np.ndarray) -> np.ndarray:
        """Share of people at or below a value, by area and group: the inverse of `quantile`."""
        known = np.isfinite(value) & np.isfinite(self.reached[..., -1])
        place = np.clip(np.searchsorted(self.grid, np.where(known, value, self.grid[0]), side="right") - 1, 0, None)
        found = _taken(self.reached, place)
        if self.smooth:
            after = np.minimum(place + 1, len(self.grid) - 1)
            gap = np.where(after > place, self.grid[after] - self.grid[place], 1.0)
            found = found + (value - self.grid[place]) / gap * (_taken(self.reached, after) - found)
        return np.where(known, found, np.nan)


def _taken(reached: np.ndarray, place: np.ndarray) -> np.ndarray:
    return np.take_along_axis(reached, place[..., None], axis=-1)[..., 0]


def quantiles_of(answers: Answers, population: Population, design: Design) -> tuple[Distribution, np.ndarray, Means]:
    """Estimate a quantile by area and group.

    Returns the distribution, its quantile (n_areas, n_groups), and means of [value at or below it], whose spread and scale are
    those of the share of people below the area's own quantile.
    """
    level, n_groups = answers.question.quantile, len(answers.groups)
    values = np.unique(answers.value[answers.base])
    most = int(np.clip(_MOST // (len(answers.areas) * n_groups), _FEWEST, _GRID))
    smooth = len(values) > most
    grid = np.unique(np.quantile(answers.value[answers.base], np.linspace(0, 1, most))) if smooth else values
    grid = grid if len(grid) else np.zeros(1)
    place = np.searchsorted(grid, answers.value)

    def columns(weight):
        return _histograms(answers, place, len(grid), population.problem, weight)

    def reached(sums):
        with np.errstate(invalid="ignore", divide="ignore"):
            by = sums[:, n_groups:].reshape(len(sums), n_groups, len(grid))
            share = by.cumsum(axis=2) / sums[:, :n_groups, None]
            return np.minimum(np.maximum.accumulate(share, axis=2), 1.0)  # linear calibration leaves weights below nought

    found = Distribution(grid, reached(fractional_sums(columns(None), answers, population)), smooth)
    quantile = found.quantile(np.full((len(answers.areas), n_groups), level))
    drawn = [Distribution(grid, reached(sums), smooth).below(quantile) for sums in replicate_sums(columns, answers, population)]
    below = [Variable(answers.group == g, ((answers.group == g) & (answers.value <= _middle(answers, g, level))).astype(float))
             for g in range(n_groups)]  # fmt: skip
    shares = means_of(answers, population, design, below, replicates=False)
    with np.errstate(invalid="ignore", divide="ignore"):  # from the survey's quantile, where a zone may have few, to its own
        own_spread = level * (1 - level) / np.maximum(shares.estimate * (1 - shares.estimate), 1e-3)
    scale, finite = np.minimum(shares.scale * own_spread, 0.25), shares.finite * own_spread
    estimate = np.where(np.isfinite(quantile), level, np.nan)
    return found, quantile, Means(estimate, shares.people, shares.asked, scale, finite, np.stack(drawn), shares.features)


def _histograms(answers: Answers, place: np.ndarray, n_grid: int, problem: Problem, weight: np.ndarray | None):
    """Count what a unit of a profile brings into each group, then at each value: (n_profiles, n_groups x (1 + n_grid)).

    Sparse: a profile has few records, so of all values of all groups it has few.
    """
    from scipy.sparse import csr_matrix

    (profile, record, share), n_groups = problem.people_shares(weight), len(answers.groups)
    group = answers.group[record].astype(np.int64)
    inside = group >= 0
    rows, group = np.tile(profile[inside], 2), group[inside]
    columns = np.concatenate([group, n_groups + group * n_grid + place[record][inside]])
    return csr_matrix((np.tile(share[inside], 2), (rows, columns)), (problem.n_profiles, n_groups * (1 + n_grid)))


def _middle(answers: Answers, group: int, level: float) -> float:
    """Quantile of a group's answers in the survey."""
    mine = answers.value[answers.group == group]
    return float(np.quantile(mine, level, method="inverted_cdf")) if len(mine) else 0.0
