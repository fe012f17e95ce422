"""From a question to figures: estimates of the fractional fit, their spread over replicates, and how far the model may be off.

Three ways of asking come to one form, a mean over a base: a share or a mean has the base asked about; a count or a total is a
mean over everybody times the people; a quantile is where a share reaches its level (Woodruff 1952, JASA 47).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from synthpop_gb.assessment.features import Design, Features, Variable, describe
from synthpop_gb.indicators.group_sums import by_class, classes_of, replicate_group_sums
from synthpop_gb.indicators.question import Answers, Asked
from synthpop_gb.indicators.sums import fractional_sums, replicate_sums
from synthpop_gb.population import Population
from synthpop_gb.problem import Problem

__all__ = [
    "Averaged", "Distribution", "Means", "averaged_of", "fractional_means", "means_of", "quantiles_of", "replicate_means",
    "spread_of",
]  # fmt: skip

_GRID, _FEWEST = 400, 40
_MOST = 30_000_000  # shares of people held at once: where areas x groups are many, their distributions are told by fewer values


@dataclass(frozen=True, eq=False)
class Averaged:
    """A value to be averaged over each group, or, of sums (`adds`), over everybody, so that groups add up.

    value : (n_records,) float64, or (n_classes, n_records) where it differs by class of place; drawn : from a replicate's place
    to the value in it, where that is another, as where it hangs on a line that the replicate draws.
    """

    value: np.ndarray
    adds: bool = False
    drawn: Callable[[int], np.ndarray] | None = None


@dataclass(frozen=True, eq=False)
class Means:
    """Means of one value by area and group, each (n_areas, n_groups): estimate, people in the base, scale of the model error.

    asked : people of the group who are asked about; the same as the base but for counts and totals, whose base is everybody;
    finite : sampling variance that comes of an area's being finite; spread : standard deviation between replicates with somebody
    in the base; features : of each group's variable, in each class of place; replicates : (R, n_areas, n_groups) the same means
    in each replicate, NaN where it has nobody in the base; None where they were not kept.
    """

    estimate: np.ndarray
    people: np.ndarray
    asked: np.ndarray
    scale: np.ndarray
    finite: np.ndarray
    spread: np.ndarray
    features: list[tuple[Features, ...]]
    replicates: np.ndarray | None = None


def spread_of(replicates: np.ndarray) -> np.ndarray:
    """Compute the standard deviation between replicates with somebody in the base; 0 where there is one at most.

    replicates : (R, n_areas, n_groups), NaN where there is nobody.
    """
    known = np.isfinite(replicates)
    n = known.sum(axis=0)
    mean = np.where(known, replicates, 0.0).sum(axis=0) / np.maximum(n, 1)
    squares = np.where(known, (replicates - mean) ** 2, 0.0).sum(axis=0)
    return np.sqrt(squares / np.maximum(n - 1, 1))


def averaged_of(answers: Answers) -> Averaged:
    """Say what is averaged over whom, for a question's answers."""
    return Averaged(answers.value, answers.question.measure in ("count", "total"))


def means_of(
    asked: Asked | Answers, population: Population, design: Design, value: Averaged, *, replicates: bool = True
) -> Means:
    """Estimate the mean of a value in each area and group, and in each replicate; without `replicates` there are none."""
    (found,) = fractional_means(asked, population, design, [value], describe)
    if not replicates:
        return found
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = np.stack([r[..., 0] for r in replicate_means(asked, population, [value])])
    return replace(found, spread=spread_of(drawn), replicates=drawn)


def replicate_means(asked: Asked | Answers, population: Population, values: Sequence[Averaged]) -> Iterator[np.ndarray]:
    """Estimate means of values over the whole people of each replicate: yields (n_areas, n_groups, n_values)."""
    n_classes, adds = classes_of(asked), np.array([v.adds for v in values])
    ones = np.ones(asked.group.shape[-1])

    def stacked(c: int, place: int | None) -> np.ndarray:
        return np.stack([ones, *(by_class(v.value if place is None or v.drawn is None else v.drawn(place), n_classes)[c]
                                 for v in values)], axis=1)  # fmt: skip

    fixed = [stacked(c, None) for c in range(n_classes)]
    moving = any(v.drawn is not None for v in values)

    def columns(place: int) -> list[np.ndarray]:
        return [stacked(c, place) for c in range(n_classes)] if moving else fixed

    for sums, everybody in replicate_group_sums(asked, population, columns):
        with np.errstate(invalid="ignore", divide="ignore"):
            base = np.where(adds, everybody[:, None, None], sums[..., :1])
            yield sums[..., 1:] / base


def fractional_means(
    asked: Asked | Answers, population: Population, design: Design, values: Sequence[Averaged], describing: Callable
) -> list[Means]:
    """Estimate means of values over the fractional fit, with their scales; `spread` is nought.

    describing : from a `Variable` and the design to its `Features`.
    """
    n_groups, n_classes = len(asked.groups), classes_of(asked)
    inside = [by_class(asked.group, n_classes) == g for g in range(n_groups)]
    features = [[_described(v, mine, asked, design, describing) for mine in inside] for v in values]
    flat = [f for of_value in features for f in of_value]
    n = len(flat)

    def parts(c: int) -> np.ndarray:
        of = [np.stack([getattr(f[c], name) for f in flat], 1) for name in ("base", "answer", "scale", "noise")]
        of_group = [design.by_profile(design.totals(mine[c][design.record].astype(float))) for mine in inside]
        return np.concatenate([*of, np.stack(of_group, axis=1)], axis=1)

    sums = fractional_sums(parts(0) if n_classes == 1 else [parts(c) for c in range(n_classes)], asked, population)
    with np.errstate(invalid="ignore", divide="ignore"):
        people = sums[:, :n]
        estimate, scale = sums[:, n : 2 * n] / people, sums[:, 2 * n : 3 * n] / people
        finite = np.maximum(sums[:, 3 * n : 4 * n], 1e-6) / people**2
    found = []
    for v in range(len(values)):
        mine = slice(v * n_groups, (v + 1) * n_groups)
        arrays = estimate[:, mine], people[:, mine], sums[:, 4 * n :], scale[:, mine], finite[:, mine]
        found.append(Means(*arrays, np.zeros(arrays[0].shape), features[v]))
    return found


def _described(value: Averaged, inside: np.ndarray, asked, design: Design, describing: Callable) -> tuple[Features, ...]:
    """Describe a group's variable in each class of place; classes that are alike in it are described once."""
    n_classes = len(inside)
    of_class, known, found = by_class(value.value, n_classes), {}, []
    for c in range(n_classes):
        variable = Variable(asked.everybody if value.adds else inside[c], np.where(inside[c], of_class[c], 0.0))
        key = b"" if n_classes == 1 else variable.base.tobytes() + variable.value.tobytes()
        if key not in known:
            known[key] = describing(variable, design)
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
    middle = np.array([*(_middle(answers, g, level) for g in range(n_groups)), -np.inf])  # of records in no group the last
    below = Averaged((answers.value <= middle[answers.group]).astype(float))
    shares = means_of(answers, population, design, below, replicates=False)
    with np.errstate(invalid="ignore", divide="ignore"):  # from the survey's quantile, where a zone may have few, to its own
        own_spread = level * (1 - level) / np.maximum(shares.estimate * (1 - shares.estimate), 1e-3)
    scale, finite = np.minimum(shares.scale * own_spread, 0.25), shares.finite * own_spread
    estimate = np.where(np.isfinite(quantile), level, np.nan)
    replicates = np.stack(drawn)
    arrays = estimate, shares.people, shares.asked, scale, finite, spread_of(replicates)
    return found, quantile, Means(*arrays, shares.features, replicates)


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
