"""Describing many variables of one survey: what `features.describe` says, with the work that they share done once.

Sums over profiles and regions are sparse products laid out beforehand. All thresholds of a variable are gone through together: a
histogram of the records by profile and step, added up from the top, holds the rate above every one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_matrix

from synthpop_gb.assessment.features import SMALL, THRESHOLDS, Design, Features, Variable, explained_by, heterogeneity

__all__ = ["describer"]


def describer(design: Design) -> Callable[[Variable, Design], Features]:
    """Return a function that describes variables of a design as `features.describe` does, up to the order of sums."""
    made = _Describer(design)
    return lambda variable, _: made.describe(variable)


class _Describer:
    def __init__(self, design: Design):
        self.design = design
        n_donors, n_profiles = len(design.profile), len(design.start)
        self.alone = len(design.record) == n_donors  # every donor one person
        first = np.searchsorted(design.profile, np.arange(n_profiles + 1))
        self.of_profile = csr_matrix((design.weight, np.arange(n_donors), first), (n_profiles, n_donors))
        self.over = 1.0 / np.where(design.start > 0, design.start, 1.0)
        self.person_weight = design.weight[design.donor_of]
        self.person_profile = design.profile[design.donor_of]
        shares = np.linspace(0, 1, THRESHOLDS + 1)
        self.nearest = np.quantile(np.arange(len(design.record)), shares, method="nearest").astype(np.int64)
        if design.region is not None:
            known = np.flatnonzero(design.region >= 0)
            code, weight, profile = design.region[known], design.weight[known], design.profile[known]
            shape = int(code.max(initial=-1)) + 1, n_profiles
            self.by_region = csr_matrix((weight, (code, known)), (shape[0], n_donors))
            self.region_profile = csr_matrix((weight, (code, profile)), shape)
            self.region_squares = csr_matrix((weight * weight, (code, profile)), shape)

    def describe(self, variable: Variable) -> Features:
        """Describe one variable; see `features.describe` for every step."""
        d = self.design
        inside, value = variable.base[d.record], variable.value[d.record]
        total = float(self.person_weight[inside].sum())
        mean = float((self.person_weight * np.where(inside, value, 0.0)).sum() / total) if total > 0 else 0.0
        u = np.where(inside, value - mean, 0.0)
        summed = d.totals(u)
        moments = (self.of_profile @ np.stack([summed, summed * summed], axis=1)) * self.over[:, None]
        means = moments[:, 0]
        fitted = d.solve @ means
        main = d.cells @ fitted
        noise = np.maximum(moments[:, 1] - means**2, 0.0) + (means - main) ** 2
        scale, size = self._scale(u, np.flatnonzero(inside & (value != 0)), inside, mean)
        scale[scale < SMALL * size] = 0.0
        noise[noise < SMALL * size * size] = 0.0
        overall = float((d.weight * summed * summed).sum())
        explained = 1.0 - float((d.start * noise).sum()) / overall if overall > 0 else 1.0
        region, error = self._between_regions(summed, main, scale, noise)
        likeness = {name: explained_by(means, d.start, *table, overall) for name, table in d.tables.items()}
        sums = np.stack([d.totals(inside.astype(np.float64)), d.totals(np.where(inside, value, 0.0))], axis=1)
        base, answer = ((self.of_profile @ sums) * self.over[:, None]).T
        variance = float((self.person_weight * u * u).sum()) / total if total > 0 else 0.0
        return Features(mean, variance, base.copy(), answer.copy(), scale, noise, explained, region, error, likeness)

    def _scale(self, u: np.ndarray, some: np.ndarray, inside: np.ndarray, mean: float) -> tuple[np.ndarray, float]:
        """(n_profiles,) scale, and the range of the values.

        some : people of the base whose value is not nought; all others have one of two values.
        """
        n_profiles, n = len(self.design.start), len(u)
        n_inside = int(inside.sum())
        steps = self._steps(u[some], ((0.0 - mean, n_inside - len(some)), (0.0, n - n_inside)))
        n_steps = len(steps)
        place = np.where(inside, *(max(int(np.searchsorted(steps, x, side="right")) - 1, 0) for x in (0.0 - mean, 0.0)))
        place[some] = np.searchsorted(steps, u[some], side="right") - 1
        if self.alone:
            here = np.bincount(self.person_profile * n_steps + place, self.person_weight, n_profiles * n_steps)
            rate = here.reshape(n_profiles, n_steps)[:, ::-1].cumsum(axis=1)[:, ::-1] * self.over[:, None]
            square = rate
        else:
            here = np.bincount(self.design.donor_of * n_steps + place, minlength=len(self.design.profile) * n_steps)
            above = here.reshape(-1, n_steps)[:, ::-1].cumsum(axis=1)[:, ::-1].astype(np.float64)
            rate = (self.of_profile @ above) * self.over[:, None]
            square = (self.of_profile @ (above * above)) * self.over[:, None]
        rate, square = rate[:, 1:], square[:, 1:]  # all are above the lowest
        off = rate - self.design.main_effects(rate)
        scale = (np.maximum(square - rate**2, 0.0) + off**2) @ np.diff(steps)
        return scale, float(steps[-1] - steps[0]) or 1.0

    def _steps(self, some: np.ndarray, constants) -> np.ndarray:
        """Values that thresholds are set at, of some values and of constants, pairs of value and number; as `features` does."""
        some = np.sort(some)
        present = [c for c, number in constants if number]
        distinct = np.unique(np.concatenate([some, present]))
        if len(distinct) <= THRESHOLDS + 1:
            return distinct if len(distinct) > 1 else np.repeat(distinct if len(distinct) else 0.0, 2)
        for value, number in sorted(constants):
            at = int(np.searchsorted(some, value))
            some = np.concatenate([some[:at], np.full(number, value), some[at:]])
        return np.unique(some[self.nearest])

    def _between_regions(self, summed, main, scale, noise) -> tuple[float, float]:
        if self.design.region is None:
            return 0.0, 0.0
        shift = self.by_region @ summed - self.region_profile @ main
        size, variance = self.region_profile @ scale, self.region_squares @ noise
        return heterogeneity(shift, size, variance)
