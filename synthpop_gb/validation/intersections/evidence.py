"""Is a cell's difference more than chance: binomial tails, and intervals of the ratio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Basis", "Trial", "two_samples"]


@dataclass(frozen=True, eq=False)
class Trial:
    """Binomial trials, one a cell: `success` of `success + failure` where each succeeds with probability `chance`.

    All (n_cells,) float64. Counts need not be whole: the incomplete beta function carries the tails on to effective counts, as
    for complex samples (Korn & Graubard 1998, Survey Methodology 24).
    """

    success: np.ndarray
    failure: np.ndarray
    chance: np.ndarray

    def p_values(self) -> np.ndarray:
        """(n_cells,) two-sided exact p values: twice the smaller tail, at most 1 (Clopper & Pearson 1934).

        >>> Trial(np.array([5.0]), np.array([0.0]), np.array([0.5])).p_values()  # five heads of five: 2 / 32
        array([0.0625])
        """
        from scipy.special import betainc

        s, f, c = (np.asarray(a, np.float64) for a in (self.success, self.failure, self.chance))
        upper = np.where(s > 0, betainc(np.where(s > 0, s, 1.0), f + 1, c), 1.0)
        lower = np.where(f > 0, betainc(np.where(f > 0, f, 1.0), s + 1, 1 - c), 1.0)
        return np.minimum(1.0, 2 * np.minimum(upper, lower))

    def deviance(self) -> np.ndarray:
        """(n_cells,) twice the log likelihood ratio, G^2: how surprising each cell is, where p values have long underflowed."""
        from scipy.special import xlogy

        s, f, c = self.success, self.failure, np.clip(self.chance, 1e-300, 1 - 1e-16)
        n = np.maximum(s + f, 1e-300)
        return np.maximum(2 * (xlogy(s, s / n) - xlogy(s, c) + xlogy(f, f / n) - xlogy(f, 1 - c)), 0.0)

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of the exact interval of the chance of success (Clopper & Pearson 1934), (n_cells,) each."""
        from scipy.special import betaincinv

        s, f, tail = self.success, self.failure, (1 - level) / 2
        low = np.where(s > 0, betaincinv(np.where(s > 0, s, 1.0), f + 1, tail), 0.0)
        high = np.where(f > 0, betaincinv(s + 1, np.where(f > 0, f, 1.0), 1 - tail), 1.0)
        return low, high


@dataclass(frozen=True)
class Basis:
    """What the two sides are worth as evidence.

    Attributes
    ----------
    expected, observed : float
        People of the reference and of the population, all cells together.
    reference : float
        Effective number of the reference's records; infinite where it is known and not itself a sample (a census, a fit).
    effective : float
        Effective number of the population's records.
    """

    expected: float
    observed: float
    reference: float
    effective: float

    @property
    def known(self) -> bool:
        """Whether the reference has no sampling error."""
        return bool(np.isinf(self.reference))

    def scaled(self, expected: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Turn counts of people into counts of effective records (a known reference: as shares)."""
        e = expected / self.expected * (1.0 if self.known else self.reference)
        return e, observed / self.observed * self.effective

    def whole(self, expected: np.ndarray, observed: np.ndarray, ratio: np.ndarray | float = 1.0) -> Trial:
        """Trials of cells against their share of the whole; `ratio`: times that share, where something else predicts so.

        Against a known share p: binomial of n with chance p. Of a reference that is itself a sample, see `two_samples`.
        """
        e, o = self.scaled(expected, observed)
        ratio = np.broadcast_to(np.asarray(ratio, np.float64), e.shape)
        if self.known:
            return Trial(o, np.maximum(self.effective - o, 0.0), np.minimum(e * ratio, 1.0))
        return two_samples(o, e, self.effective, self.reference, ratio)

    def within(self, expected: np.ndarray, observed: np.ndarray, larger: tuple[np.ndarray, np.ndarray]) -> Trial:
        """Trials of cells against their share of a larger cell that holds them: `larger` is what that one has on either side."""
        (e, o), (pe, po) = self.scaled(expected, observed), self.scaled(*larger)
        if self.known:
            share = np.divide(e, pe, out=np.zeros_like(e), where=pe > 0)
            return Trial(o, np.maximum(po - o, 0.0), np.minimum(share, 1.0))
        return two_samples(o, e, po, pe)

    def ratio(self, expected: np.ndarray, observed: np.ndarray) -> np.ndarray:
        """Observed share over expected share; infinite where nobody was expected."""
        above, below = observed / self.observed, expected / self.expected
        return np.divide(above, below, out=np.full(np.shape(above), np.inf), where=below > 0)

    def ratio_interval(self, expected: np.ndarray, observed: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of the interval of `ratio`, (n_cells,) each, from the interval of the trial's chance.

        >>> low, high = Basis(100, 100, 100, 100).ratio_interval(np.array([10.0]), np.array([20.0]))
        >>> (low.round(2).tolist(), high.round(2).tolist())  # twice as many; from 0.95 to 4.4 times in truth
        ([0.95], [4.43])
        """
        if self.known:
            trial = self.whole(expected, observed)
            low, high = trial.interval(level)
            return tuple(np.divide(a, trial.chance, out=np.full(a.shape, np.inf), where=trial.chance > 0) for a in (low, high))
        e, o = self.scaled(expected, observed)
        low, high = two_samples(o, e, self.effective, self.reference, turned=False).interval(level)
        odds = [np.divide(a, 1 - a, out=np.full(a.shape, np.inf), where=a < 1) for a in (low, high)]
        return tuple(a * self.reference / self.effective for a in odds)


def two_samples(observed, expected, n, reference, ratio=1.0, *, turned: bool = True) -> Trial:
    """Trials of cells in two samples: given both counts, the population's is binomial with chance n / (n + r).

    That is exact of Poisson counts (Przyborowski & Wilenski 1940, Biometrika 31). Shares of samples of fixed size vary less, by
    one less the share, so counts are divided by that dispersion (the scaled Poisson of quasi-likelihood, McCullagh & Nelder
    1989, section 6.2): next to nothing in rare cells, and in common ones the difference between some power and none. Where more
    than half of both are in the cell, those who are not are counted instead: theirs are the rarer tails.

    Parameters
    ----------
    observed, expected : numpy.ndarray
        (n_cells,) effective counts of the population and of the reference.
    n, reference : numpy.ndarray or float
        Effective numbers of both, at least as large.
    ratio : numpy.ndarray or float
        Share of the population over that of the reference, as predicted.
    turned : bool
        Whether common cells are turned into those who are not in them.

    >>> p = two_samples(np.array([600.0]), np.array([500.0]), 1000.0, 1000.0).p_values()
    >>> p.round(6).tolist()  # 10 points apart, standard error 2.2: the normal limit is 0.000007
    [8e-06]
    """
    o, e, n, r, ratio = np.broadcast_arrays(*(np.asarray(a, np.float64) for a in (observed, expected, n, reference, ratio)))
    q = _over(o + e, ratio * n + r)  # the reference's share, were the prediction right
    p = np.minimum(ratio * q, 1.0)
    if turned:
        common = (p * n + q * r > (n + r) / 2) & (q < 1) & (p < 1)
        ratio = np.where(common, _over(1 - p, np.where(common, 1 - q, 1.0)), ratio)
        o, e = np.where(common, np.maximum(n - o, 0.0), o), np.where(common, np.maximum(r - e, 0.0), e)
        p, q = np.where(common, 1 - p, p), np.where(common, 1 - q, q)
    chance = _over(ratio * n, ratio * n + r)
    spread = np.maximum((1 - chance) * (1 - p) + chance * (1 - q), 1.0 / np.maximum(n + r, 1.0))
    return Trial(o / spread, e / spread, chance)


def _over(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
