"""People in the wrong cell, always beside what else could be had: the fractional fit, independence, the survey as it is, noise.

Everything is in people first, zone by zone; per cents are made at the end, so that zones count by their size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthpop_gb.validation.comparisons import Comparison
from synthpop_gb.validation.metrics import effective_number

__all__ = ["YARDSTICKS", "Ruler", "floor_survey"]

YARDSTICKS = ("whole", "fit", "independence", "survey", "average", "rounding", "floor", "floor_sample")
"""Whose people are in the wrong cell of the reference, in this order:

- whole: the population as counted;
- fit: the fractional fit;
- independence: the product of the zone's margins, as fitted;
- survey: the survey's own joint distribution, the same in every zone, scaled to the zone's total;
- average: the reference's distribution over the whole study area, scaled to the zone's total (known only where published);
- rounding: the whole people measured against the fractional fit instead of the reference;
- floor: noise floor, the expectation for whole people drawn at random from the reference with the fixed margins met exactly;
- floor_sample: the same for a plain multinomial sample of the zone's size.
"""

_GRAIN = 2.0**20
"""Sums over zones are kept in whole units of 2**-20 people, so that they are the same in any order of blocks."""


@dataclass(frozen=True, eq=False)
class CellTotals:
    """Sums over zones by cell of one comparison, (n_cells,) float64 people."""

    expected: np.ndarray
    observed: np.ndarray
    fitted: np.ndarray
    abs_error: np.ndarray
    invented: np.ndarray
    missing: np.ndarray


class Ruler:
    """Measures blocks of zones against several comparisons and keeps what is found.

    Parameters
    ----------
    comparisons : sequence of Comparison
        What is compared; their columns follow one another in the arrays given to `measure`.
    survey_share : sequence of numpy.ndarray
        For each comparison, the survey's weighted distribution over its cells (sums to 1, or to 0 for an empty universe).
    n_zones : int
        Zones of the study.
    keep : int
        Comparisons from this one on are kept cell by cell for every zone, in `observed`.

    Attributes
    ----------
    misplaced : numpy.ndarray
        (n_zones, n_comparisons, n_yardsticks) float64 people, NaN where a yardstick is not known.
    people : numpy.ndarray
        (n_zones, n_comparisons) float64 people of the reference.
    observed : list of numpy.ndarray or None
        (n_zones, n_cells) int64 counted people of each comparison that is kept whole.
    """

    def __init__(self, comparisons: Sequence[Comparison], survey_share: Sequence[np.ndarray], n_zones: int, keep: int = 0):
        self.comparisons, self.survey_share = comparisons, survey_share
        self.misplaced = np.full((n_zones, len(comparisons), len(YARDSTICKS)), np.nan)
        self.people = np.zeros((n_zones, len(comparisons)))
        self.observed = [np.zeros((n_zones, c.n_cells), np.int64) if k >= keep else None for k, c in enumerate(comparisons)]
        self._sums = [np.zeros((6, c.n_cells), np.int64) for c in comparisons]
        self._average = [None if c.reference is None else _share(c.reference.sum(axis=0)) for c in comparisons]

    def measure(self, where: np.ndarray, whole: np.ndarray, fit: np.ndarray | None) -> None:
        """Measure some zones. where: (n,) positions; whole: (n, n_columns) int64; fit: (n, n_columns) float64 or None."""
        first = 0
        for k, comparison in enumerate(self.comparisons):
            columns = slice(first, first + comparison.n_cells)
            first += comparison.n_cells
            if self.observed[k] is not None:
                self.observed[k][where] = whole[:, columns]
            fitted = None if fit is None else np.ascontiguousarray(fit[:, columns])
            reference = fitted if comparison.reference is None else comparison.reference[where]
            if reference is not None:
                self._compare(k, where, np.ascontiguousarray(whole[:, columns], np.float64), fitted, reference)

    def _compare(self, k, where, whole, fitted, reference) -> None:
        comparison = self.comparisons[k]
        people = reference.sum(axis=1)
        self.people[where, k] = people
        out = dict.fromkeys(YARDSTICKS, None)
        out["whole"] = whole
        out["survey"] = people[:, None] * self.survey_share[k]
        if self._average[k] is not None:
            out["average"] = people[:, None] * self._average[k]
        if fitted is not None:
            out["fit"], out["independence"] = fitted, _independence(fitted, comparison.shape)
        for y, name in enumerate(YARDSTICKS):
            if out[name] is not None:
                self.misplaced[where, k, y] = np.abs(out[name] - reference).sum(axis=1) / 2
        if fitted is not None:
            self.misplaced[where, k, YARDSTICKS.index("rounding")] = np.abs(whole - fitted).sum(axis=1) / 2
        self.misplaced[where, k, YARDSTICKS.index("floor") :] = _floors(reference, comparison)
        nobody = np.zeros_like(reference)
        for row, values in enumerate(
            (reference, whole, nobody if fitted is None else fitted, np.abs(whole - reference),
             np.where(reference == 0, whole, 0.0), np.where(whole == 0, reference, 0.0))
        ):  # fmt: skip
            self._sums[k][row] += np.rint(values * _GRAIN).astype(np.int64).sum(axis=0)

    def cells(self, k: int) -> CellTotals:
        """Return sums over all zones by cell of one comparison."""
        return CellTotals(*(self._sums[k] / _GRAIN))

    def by_zone(self, k: int) -> dict[str, np.ndarray]:
        """Per cent of people in the wrong cell by zone, by yardstick; 0 in zones where the reference has nobody."""
        people = self.people[:, k]
        share = 100 * self.misplaced[:, k] / np.where(people > 0, people, 1.0)[:, None]
        return {name: np.where(people > 0, share[:, y], 0.0) for y, name in enumerate(YARDSTICKS)}

    def pooled(self, k: int) -> dict[str, float]:
        """People in the wrong cell over all zones, in per cent of the reference's people, by yardstick; NaN where not known."""
        people = self.people[:, k].sum()
        return {name: float(100 * self.misplaced[:, k, y].sum() / people) if people else 0.0 for y, name in enumerate(YARDSTICKS)}

    def zone_mean(self, k: int) -> dict[str, float]:
        """Mean of the per cents of populated zones, by yardstick: a small zone counts as much as a large one."""
        live = self.people[:, k] > 0
        return {name: float(values[live].mean()) if live.any() else 0.0 for name, values in self.by_zone(k).items()}


def _share(total: np.ndarray) -> np.ndarray:
    return total / total.sum() if total.sum() else np.zeros_like(total)


def _independence(fitted: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Product of each zone's own margins: (n_zones, n_cells)."""
    grid = fitted.reshape(len(fitted), *shape)
    people = fitted.sum(axis=1).reshape(-1, *[1] * len(shape))
    some = np.where(people > 0, people, 1.0)
    product = people
    for axis in range(1, len(shape) + 1):
        others = tuple(a for a in range(1, len(shape) + 1) if a != axis)
        product = product * (grid.sum(axis=others, keepdims=True) / some)
    return np.ascontiguousarray(product.reshape(len(fitted), -1))


def _floors(reference: np.ndarray, comparison: Comparison) -> np.ndarray:
    from synthpop_gb.kernels.noise import noise_floor

    out = np.empty((len(reference), 2))
    margin_of, n_margins = comparison.margins
    noise_floor(np.ascontiguousarray(reference), margin_of, n_margins, out)
    return out


def floor_survey(share: np.ndarray, weight: np.ndarray) -> float:
    """Error of a joint distribution that only the survey tells, in per cent: sampling noise at its effective number of records.

    Half the expected sum of |X / n - share| for a multinomial sample of n = (sum w)^2 / sum w^2 records (Kish 1965).

    >>> round(floor_survey(np.array([0.5, 0.5]), np.ones(100)), 2)
    3.98
    """
    from synthpop_gb.kernels.noise import noise_floor

    n = effective_number(weight)
    if not n or not share.sum():
        return 0.0
    out = np.empty((1, 2))
    noise_floor(np.ascontiguousarray(share[None] * n / share.sum()), np.zeros((0, len(share)), np.int32), 0, out)
    return float(100 * out[0, 1] / n)
