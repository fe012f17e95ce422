"""Intervals that are honest: the model error of an outcome, learnt from the errors in tables left out.

Replicates tell of luck; what they cannot tell is how a zone differs from what its tables say, which is far more.
Here the error of outcome y in zone z has the standard deviation kappa_y g_y v_yz f_z:

- v_yz, its scale: how far one unit on the logit scale moves it (`features`);
- g_y = (reg^2 + dl^2 + 0.03^2)^0.3: outcomes that differ between the survey's regions beyond what the tables explain differ
  between zones too; dl, the error of reg were there no difference, flattens this where the survey is small;
- f_z: how far off the zone's own tables were when left out, beside the other zones;
- kappa_y: the quantile, at the intervals' level, of what the errors in all cells of all tables left out ask for, each divided by
  its own g, v and f. Tables that y is like count more.

Constants were fixed on Census 2021 tables of LSOAs outside Leeds with records of 2011, over 40 sets of three to six tables and 12
outcome tables; not on the demo counties or EU-SILC. The form of v was changed once after a look at coverage on the census of
2011, whose records these are too (docs/methods/uncertainty.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtri

from synthpop_gb.assessment.features import Features
from synthpop_gb.assessment.leave_one_out import LeftOut

__all__ = ["ModelError"]

_POWER, _FLOOR = 0.3, 0.03  # of reg^2 + dl^2 + floor^2
_ANY = 0.02  # likeness that every table has
_ZONE_POWER, _ZONE_RANGE, _MOST = 0.5, (0.5, 3.0), 5.0
_DETERMINED, _RARE = 0.98, 0.003  # cells that other tables settle, or too rare, teach nothing


@dataclass(frozen=True, eq=False)
class ModelError:
    """What tables left out teach of model error, ready for any outcome.

    Attributes
    ----------
    left_out : LeftOut
    level : float
        Nominal coverage.
    use : (n_cells,) bool
        Cells that teach something.
    zone : (n_zones,) float64
        Factor of each zone.
    asked : (n_used, n_zones) float64
        Squared kappa that each error asks for, the zone's factor (without the cell's own table) taken out; NaN where unknown.
    weight : (n_used,) float64
        A table's cells share one vote.
    by_region : bool
        Whether the survey tells regions apart.
    """

    left_out: LeftOut
    level: float
    use: np.ndarray
    zone: np.ndarray
    asked: np.ndarray
    weight: np.ndarray
    by_region: bool

    @classmethod
    def learn(cls, left_out: LeftOut, level: float = 0.9) -> ModelError:
        """Learn from tables left out. Raises ValueError for a level that is not between 0 and 1."""
        if not 0 < level < 1:
            raise ValueError(f"the level of intervals is above 0 and below 1, not {level}")
        cells, z = left_out.cells, ndtri((1 + level) / 2)
        use = (cells["explained"] < _DETERMINED).to_numpy() & (cells["mean"] >= _RARE).to_numpy()
        use = use if use.any() else np.ones(len(cells), bool)
        table = cells["table"].to_numpy()[use]
        weight = np.array([1.0 / (table == t).sum() for t in table])
        by_region = bool((cells["region_error"] > 0).any())
        scale = _region_factor(cells["region"], cells["region_error"], by_region)[use, None] * left_out.scale[use]
        error, variance = left_out.error[use], left_out.variance[use]
        with np.errstate(invalid="ignore", divide="ignore"):
            asked = np.maximum((error / z) ** 2 - variance, 0.0) / np.maximum(scale, 1e-9) ** 2
            common = _quantile(asked, weight, level)
            surprise = np.minimum(np.abs(error) / np.sqrt(variance + common * scale**2), _MOST)
            zone = _zone_factor(surprise, weight, np.ones(len(table), bool))
            own = {t: _zone_factor(surprise, weight, table != t) for t in dict.fromkeys(table)}
            asked = asked / np.stack([own[t] for t in table]) ** 2
        return cls(left_out, level, use, zone, asked, weight, by_region)

    def kappa(self, likeness: dict[str, float], like: str | None = None) -> float:
        """Kappa of an outcome, from its likeness to each table (R squared); `like` names a table that it is known to resemble."""
        tables = self.left_out.cells["table"].to_numpy()[self.use]
        share = np.array([_ANY + (1.0 if t == like else likeness.get(t, 0.0)) for t in tables])
        cell, value = self._ascending
        if not len(value):
            return 0.0
        reached = np.cumsum((self.weight * share)[cell])
        return float(np.sqrt(value[_place(reached, self.level)]))

    @cached_property
    def _ascending(self) -> tuple[np.ndarray, np.ndarray]:
        """Cell and value of everything known in `asked`, the least first: sorted once for all outcomes."""
        cell = np.repeat(np.arange(len(self.asked)), self.asked.shape[1])
        flat = self.asked.ravel()
        known = np.isfinite(flat)
        order = np.argsort(flat[known], kind="stable")
        return cell[known][order], flat[known][order]

    def deviation(self, features: Features, scale: np.ndarray, like: str | None = None) -> np.ndarray:
        """Give the standard deviation of the model error, in the unit of `scale` ((n_zones,), in the order of the zones)."""
        factor = _region_factor(features.region, features.region_error, self.by_region)
        return self.kappa(features.likeness, like) * float(factor) * scale * self.zone

    def by_table(self) -> dict[str, float]:
        """Kappa that each table asks for by itself."""
        tables = self.left_out.cells["table"].to_numpy()[self.use]
        return {
            str(t): float(np.sqrt(_quantile(self.asked[tables == t], self.weight[tables == t], self.level)))
            for t in dict.fromkeys(tables)
        }


def _region_factor(region, error, by_region: bool) -> np.ndarray:
    """(reg^2 + dl^2 + floor^2)^0.3; 1 where the survey does not tell regions apart."""
    if not by_region:
        return np.ones(np.shape(region))
    return (np.asarray(region, float) ** 2 + np.asarray(error, float) ** 2 + _FLOOR**2) ** _POWER


def _quantile(values: np.ndarray, weight: np.ndarray, level: float) -> float:
    """Quantile of all values of the cells, weighted by cell: the least at which the weight reached is `level`. NaN left out."""
    flat, by = values.ravel(), np.repeat(weight, values.shape[1])
    known = np.isfinite(flat)
    if not known.any():
        return 0.0
    order = np.argsort(flat[known], kind="stable")
    return float(flat[known][order][_place(np.cumsum(by[known][order]), level)])


def _place(reached: np.ndarray, level: float) -> int:
    """Find the first position at which the weight reached is `level` of all of it."""
    place = np.searchsorted(reached, level * reached[-1] * (1 - 1e-12))  # a tie is no matter of rounding
    return min(int(place), len(reached) - 1)


def _zone_factor(surprise: np.ndarray, weight: np.ndarray, use: np.ndarray) -> np.ndarray:
    """How far off a zone's tables were beside the other zones': the square root of the ratio, within limits."""
    if not use.any():
        return np.ones(surprise.shape[1])
    known = np.isfinite(surprise[use])
    mean = np.where(known, surprise[use], 0.0).T @ weight[use] / np.maximum(known.T @ weight[use], 1e-12)
    live = known.any(axis=0)  # an empty zone has no errors, and says nothing of the others
    middle = mean[live].mean() if live.any() else 0.0
    return np.where(live, np.clip((mean / middle) ** _ZONE_POWER, *_ZONE_RANGE), 1.0) if middle > 0 else np.ones(len(mean))
