"""Measures of a distribution with their intervals: quantiles, Gini's coefficient, S80/S20 and P90/P10.

Estimates are exact: of all donors, weighted as they are in the area. Errors are those of means, since a measure moves nearly
with the mean of its *influence* (Deville 1999, Survey Methodology 25), what one more person of a value does to it. So the model
error and that of finite areas are those of the influence's mean, worked out for the whole study area's people of the group;
replicates are measured themselves. A quantile has Woodruff's interval (1952): that of the share of people below it, turned back
into values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from synthpop_gb.assessment.estimates import Averaged, Means, spread_of
from synthpop_gb.indicators.group_sums import by_class
from synthpop_gb.indicators.question import Asked
from synthpop_gb.indicators.sums import Behind
from synthpop_gb.population import Population
from synthpop_gb.simulation.distributed import Distributed, Told, fitted_rows, replicate_rows, told_of_counts

__all__ = ["DISTRIBUTIONAL", "Measures", "influence_of", "statistic"]

DISTRIBUTIONAL = ("quantile", "gini", "s80s20", "p90p10")
"""Measures that this module gives."""

_STEP = 0.025
"""Share of people on either side of a decile, over which its slope is taken."""


@dataclass(frozen=True)
class Levels:
    """Shares of people at which a distribution is looked at, for a quantile and the ratios."""

    quantile: float

    @property
    def values(self) -> np.ndarray:
        """Ascending."""
        around = [d + s * _STEP for d in (0.1, 0.9) for s in (-1, 0, 1)]
        return np.unique(np.round([0.2, 0.8, self.quantile, *around], 12))

    def at(self, told: np.ndarray, level: float) -> np.ndarray:
        """Take one level of an array that has them last."""
        return told[..., int(np.argmin(np.abs(self.values - level)))]


def statistic(measure: str, told: Told, levels: Levels) -> np.ndarray:
    """Compute a measure by area and group, (n_areas, n_groups); NaN of nobody, and of ratios to nothing or less.

    gini : Gini's coefficient. s80s20 : sum of the values of the richest fifth over that of the poorest. p90p10 : the ninth decile
    over the first. quantile : of `levels.quantile`.
    """
    live = told.people > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        if measure == "gini":
            return np.where(live & (told.total > 0), told.pairs / (told.people * told.total) - 1.0, np.nan)
        if measure == "s80s20":
            poor = levels.at(told.poorest, 0.2)
            return np.where(live & (poor > 0), (told.total - levels.at(told.poorest, 0.8)) / poor, np.nan)
        if measure == "p90p10":
            low = levels.at(told.quantile, 0.1)
            return np.where(live & (low > 0), levels.at(told.quantile, 0.9) / low, np.nan)
        return np.where(live, levels.at(told.quantile, levels.quantile), np.nan)


def _slope(told: Told, levels: Levels, decile: float) -> np.ndarray:
    """Value a share of people at a decile: the slope of the quantile function."""
    high, low = levels.at(told.quantile, decile + _STEP), levels.at(told.quantile, decile - _STEP)
    return (high - low) / (2 * _STEP)


def influence_of(measure: str, value: np.ndarray, weight: np.ndarray, quantile: float = 0.5) -> np.ndarray:
    """Compute each person's influence on a measure of their own distribution; its weighted mean is nought, or nearly.

    value, weight : (n,). Returns (n,) in the unit of the measure; of a quantile 1 at or below it, else 0.

    >>> v = np.array([1.0, 2.0, 3.0, 4.0])
    >>> influence_of("gini", v, np.ones(4)).round(3).tolist()
    [0.25, -0.05, -0.15, -0.05]
    """
    order = np.argsort(value, kind="stable")
    v, w = value[order], weight[order]
    people, total = w.sum(), (w * v).sum()
    out = np.zeros(len(v))
    if people <= 0:
        return out
    first, last = np.searchsorted(v, v, side="left"), np.searchsorted(v, v, side="right")
    reached, summed = np.concatenate([[0.0], np.cumsum(w)]) / people, np.concatenate([[0.0], np.cumsum(w * v)]) / people
    below, mean = (reached[first] + reached[last]) / 2, total / people  # half of those of the same value
    if measure == "gini":
        if mean > 0:
            gini = 2 * float((w * v * below).sum()) / (people * mean) - 1
            above = summed[-1] - (summed[first] + summed[last]) / 2
            out = (2 * v * below + 2 * above - (gini + 1) * v) / mean - (gini + 1)
    else:
        told = {p: _below(v, w / people, reached, summed, p) for p in (0.1, 0.2, 0.8, 0.9, quantile)}
        out = _of_shares(measure, v, told, reached, mean, quantile)
    back = np.empty(len(v))
    back[order] = out
    return back


def _below(v, w, reached, summed, level: float) -> tuple[float, float]:
    """Return a quantile, and the mean over everybody of what the poorest of that share have."""
    at = min(int(np.searchsorted(reached[1:], level * (1 - 1e-12))), len(v) - 1)
    return float(v[at]), float(summed[at] + (level - reached[at]) * v[at])


def _of_shares(measure: str, v, told, reached, mean: float, quantile: float) -> np.ndarray:
    if measure == "quantile":
        return (v <= told[quantile][0]).astype(np.float64)
    if measure == "s80s20":
        (q20, poor), (q80, rest) = told[0.2], told[0.8]
        if poor <= 0:
            return np.zeros(len(v))
        of_poor = np.where(v <= q20, v - q20, 0.0) + 0.2 * q20 - poor
        of_rich = np.where(v > q80, v - q80, 0.0) + 0.2 * q80 - (mean - rest)
        return (of_rich - (mean - rest) / poor * of_poor) / poor
    (q10, _), (q90, _) = told[0.1], told[0.9]
    if q10 <= 0:
        return np.zeros(len(v))

    def moved(level: float, value: float) -> np.ndarray:
        ends = [v[min(int(np.searchsorted(reached[1:], level + s * _STEP)), len(v) - 1)] for s in (-1, 1)]
        return (level - (v <= value)) * (ends[1] - ends[0]) / (2 * _STEP)

    return q90 / q10 * (moved(0.9, q90) / q90 - moved(0.1, q10) / q10)


class Measures:
    """Measures of one value's distribution in areas and groups."""

    def __init__(self, asked: Asked, population: Population, value: np.ndarray, measures: Sequence[str], quantile: float):
        self.asked, self.population, self.value, self.measures = asked, population, value, tuple(measures)
        self.levels = Levels(quantile)
        self.exact = Distributed(asked, population.problem, value)
        self.rows = fitted_rows(population)
        self.told = self.exact.told(self.rows, self.levels.values)

    def influences(self) -> list[Averaged]:
        """Values whose means have the errors of the measures, one a measure; to be described with others."""
        asked = self.asked
        n_classes = self.exact.n_classes
        value, group = by_class(self.value, n_classes), by_class(asked.group, n_classes)
        weight = self._weight_of_records(n_classes)
        found = []
        for measure in self.measures:
            out = np.zeros(value.shape)
            for g in range(len(asked.groups)):
                mine = (group == g) & (weight > 0)
                whose = np.unique(value[group == g]) if measure == "quantile" else None
                out[mine] = influence_of(measure, value[mine], weight[mine], self.levels.quantile)
                if whose is not None and mine.any():  # those that weigh nothing are below it or not as well
                    out[group == g] = value[group == g] <= value[mine][out[mine] > 0].max()
            found.append(Averaged(out if n_classes > 1 else out[0]))
        return found

    def _weight_of_records(self, n_classes: int) -> np.ndarray:
        """(n_classes, n_records): people that each record stands for in the whole study area."""
        problem = self.population.problem
        profile, record, share = problem.people_shares()
        of_zone = np.zeros(problem.n_zones, np.int64) if n_classes == 1 else self.asked.of_zone
        by = np.zeros((n_classes, problem.n_profiles))
        used = np.flatnonzero(self.asked.area >= 0)
        for first in range(0, len(used), 512):
            zones = used[first : first + 512]
            np.add.at(by, of_zone[zones], np.maximum(self.rows(zones), 0.0))
        return np.stack([np.bincount(record, row[profile] * share, len(problem.records)) for row in by])

    def means(self, influences: Sequence[Means]) -> list[Means]:
        """Put estimates and spreads of the measures in the place of those of their influences."""
        spreads = self._spreads()
        out = []
        for measure, mean in zip(self.measures, influences, strict=True):
            found, scale, finite = statistic(measure, self.told, self.levels), mean.scale, mean.finite
            if measure == "quantile":  # from the whole area's quantile, where an area may have few, to its own
                level = self.levels.quantile
                with np.errstate(invalid="ignore", divide="ignore"):
                    own = level * (1 - level) / np.maximum(mean.estimate * (1 - mean.estimate), 1e-3)
                found = np.where(np.isfinite(found), level, np.nan)
                scale, finite = np.minimum(scale * own, 0.25), finite * own
            out.append(replace(mean, estimate=found, scale=scale, finite=finite, spread=spreads[measure]))
        return out

    def _spreads(self) -> dict[str, np.ndarray]:
        """Compute the standard deviation of each measure between replicates; of a quantile, of the share of people below it."""
        asked, levels, population = self.asked, self.levels, self.population
        coarse = Distributed(asked, population.problem, self.value, coarse=True)
        lines = np.stack([levels.at(self.told.quantile, p) for p in (0.1, 0.9, levels.quantile)], axis=-1)
        slopes = [_slope(self.told, levels, p) for p in (0.1, 0.9)]
        fit = coarse.told(self.rows, np.array([0.2, 0.8]), lines)
        drawn = {m: np.full((len(population.replicates), *self.told.people.shape), np.nan) for m in self.measures}
        two = _TwoLevels()
        for place in range(len(population.replicates)):
            rows, share = replicate_rows(population, place)
            told = coarse.told(rows, two.values, lines, share)
            with np.errstate(invalid="ignore", divide="ignore"):
                reached = told.reached / told.people[..., None]
                off = reached - fit.reached / fit.people[..., None]
                for measure in self.measures:
                    if measure == "quantile":
                        drawn[measure][place] = reached[..., 2]
                    elif measure == "p90p10":
                        low, high = (lines[..., k] - off[..., k] * slopes[k] for k in (0, 1))
                        drawn[measure][place] = high / low
                    else:
                        drawn[measure][place] = statistic(measure, told, two)
        return {m: spread_of(np.where(np.isfinite(d), d, np.nan)) for m, d in drawn.items()}

    def ends(self, half: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the quantile, and the values at the share +- its half-width (Woodruff 1952)."""
        value, level = statistic("quantile", self.told, self.levels), self.levels.quantile
        known = np.isfinite(value) & np.isfinite(half)
        shares = np.stack([np.where(known, np.clip(level + s * half, 1e-9, 1.0), level) for s in (-1, 1)], axis=-1)
        found = self.exact.told(self.rows, shares).quantile
        return value, *(np.where(known, found[..., k], np.nan) for k in (0, 1))

    def counted(self, behind: Behind) -> dict[str, np.ndarray]:
        """Measures of the people as they were placed."""
        told = told_of_counts(self.asked, behind, self.value, self.levels.values)
        return {m: statistic(m, told, self.levels) for m in self.measures}


class _TwoLevels(Levels):
    """The levels that S80/S20 needs, and no others."""

    def __init__(self):
        super().__init__(0.2)

    @property
    def values(self) -> np.ndarray:
        """Two fifths."""
        return np.array([0.2, 0.8])
