"""Marginals: the best-fitting distribution of one variable by maximum likelihood and AIC; frequencies where values are few."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from synthpop_gb.synthesis._columns import Column

__all__ = ["FAMILIES", "FEW", "Marginal", "fit_family", "fit_marginal"]

FAMILIES = ("normal", "log-normal", "gamma", "Weibull", "exponential", "beta", "uniform", "logistic")
"""Families that are tried: of any number normal, logistic; of numbers above nought log-normal, gamma, Weibull, exponential
(all from nought on); between the least and the greatest value uniform, and beta a little beyond them."""

FEW = 10
"""A number with no more distinct values than these keeps their frequencies, as a category does."""

_POSITIVE = ("log-normal", "gamma", "Weibull", "exponential")
_SCIPY = {
    "normal": "norm", "log-normal": "lognorm", "gamma": "gamma", "Weibull": "weibull_min", "exponential": "expon",
    "beta": "beta", "uniform": "uniform", "logistic": "logistic",
}  # fmt: skip
_FREE = {"exponential": 1, "beta": 4}  # free parameters; two in all the others. Beta's ends are read from the data: they count


@dataclass(frozen=True, eq=False)
class Marginal:
    """Distribution of one variable.

    Attributes
    ----------
    name : hashable
        The variable.
    distribution : str
        One of `FAMILIES`, or 'frequencies'.
    parameters : tuple of float
        SciPy's, in its order: shapes, location, scale; empty for frequencies.
    nought : float
        Share of exact noughts where a family lives above nought: they are a point mass of their own, and the family describes the
        rest (a two-part model, Duan et al. 1983). Else 0.
    missing : float
        Share of missing values among all records.
    aic : float
        Akaike's criterion 2 k - 2 log L (Akaike 1974) of the family on what it describes; NaN for frequencies.
    ks : float
        Kolmogorov-Smirnov distance of the family and the values that it describes; 0 for frequencies, which are exact.
    values, shares : numpy.ndarray
        Of frequencies: (k,) float64 values, increasing, and their shares, which add up to 1.
    tried : tuple of (str, float, float)
        Family, AIC and KS of all that were tried, best first.
    """

    name: object
    distribution: str
    parameters: tuple[float, ...] = ()
    nought: float = 0.0
    missing: float = 0.0
    aic: float = float("nan")
    ks: float = 0.0
    values: np.ndarray = field(default_factory=lambda: np.empty(0))
    shares: np.ndarray = field(default_factory=lambda: np.empty(0))
    tried: tuple[tuple[str, float, float], ...] = ()

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """Return the values at these probabilities. u : float64 strictly between 0 and 1. NaN where nothing is known at all."""
        u = np.asarray(u, np.float64)
        if self.distribution == "frequencies":
            if not len(self.values):
                return np.full(u.shape, np.nan)
            return self.values[self._position(u)]
        above = np.clip((u - self.nought) / (1.0 - self.nought), 1e-12, 1 - 1e-12)
        return np.where(u < self.nought, 0.0, _frozen(self.distribution, self.parameters).ppf(above))

    def grade(self, u: np.ndarray) -> np.ndarray:
        """Return the mid-distribution function P(X < x) + P(X = x) / 2 of the values at these probabilities: what ranks measure.

        >>> coin = Marginal("coin", "frequencies", values=np.array([0.0, 1.0]), shares=np.array([0.4, 0.6]))
        >>> coin.grade(np.array([0.1, 0.5])).tolist()
        [0.2, 0.7]
        """
        u = np.asarray(u, np.float64)
        if self.distribution == "frequencies":
            if not len(self.values):
                return np.full(u.shape, 0.5)
            ends = np.cumsum(self.shares)
            return (ends - self.shares / 2)[self._position(u)]
        return np.where(u < self.nought, self.nought / 2, u)

    def _position(self, u: np.ndarray) -> np.ndarray:
        """Return which of the values has this probability."""
        return np.searchsorted(np.cumsum(self.shares)[:-1], u, side="right")


def fit_marginal(column: Column, families: Iterable[str] = FAMILIES, few: int = FEW) -> Marginal:
    """Fit every family that the values allow by maximum likelihood and keep the one of least AIC.

    Categories, and numbers of at most `few` distinct values, keep their frequencies. Where no value is below nought and some are
    nought, these are a point mass and the families above nought describe the rest; the other families then describe the rest,
    too, so that all are compared on the same values. A number whose families all fail keeps its frequencies.

    Parameters
    ----------
    column : Column
        Values, NaN = missing.
    families : iterable of str
        Which to try.
    few : int
        See `FEW`.

    Returns
    -------
    Marginal
        With AIC and Kolmogorov-Smirnov distance; parameters are those of the likelihood's maximum.

    Raises
    ------
    ValueError
        For a family that is none of `FAMILIES`.
    """
    families = tuple(families)
    if unknown := [f for f in families if f not in FAMILIES]:
        raise ValueError(f"there is no family {', '.join(unknown)}; there are {', '.join(FAMILIES)}")
    known = column.known
    missing = 1.0 - len(known) / len(column.values) if len(column.values) else 0.0
    values, counts = np.unique(known, return_counts=True)
    counted = Marginal(column.name, "frequencies", missing=missing, values=values, shares=counts / max(len(known), 1))
    if column.labels is not None or len(values) <= few:
        return counted
    nought = float((known == 0).mean()) if values[0] == 0 else 0.0
    described = known[known != 0] if nought else known
    tried = []
    for family in families:
        fitted = fit_family(family, described)
        if fitted is not None:
            tried.append((family, *fitted))
    if not tried:
        return counted
    tried.sort(key=lambda t: t[2])
    best = tried[0]
    said = tuple((family, aic, ks) for family, _, aic, ks in tried)
    return Marginal(column.name, best[0], best[1], nought, missing, best[2], best[3], tried=said)


def fit_family(family: str, values: np.ndarray) -> tuple[tuple[float, ...], float, float] | None:
    """Fit one family by maximum likelihood.

    values : (n,) float64, finite, at least two distinct. Returns (parameters, AIC, KS distance), or None where the family does
    not allow the values or its likelihood has no maximum. Normal, log-normal, exponential and uniform are in closed form; the
    Weibull shape k solves sum x^k log x / sum x^k - 1/k = mean log x (Cohen 1965); gamma, beta and logistic are SciPy's.

    >>> parameters, aic, ks = fit_family("uniform", np.array([0.0, 1.0, 2.0, 4.0]))
    >>> parameters, round(aic, 4), ks  # 2 x 2 - 2 x 4 log(1/4); at 2 the steps reach 3/4, the line 1/2
    ((0.0, 4.0), 15.0904, 0.25)
    """
    if family in _POSITIVE and values.min() <= 0:
        return None
    try:
        with np.errstate(all="ignore"):
            parameters = _parameters(family, values)
            frozen = _frozen(family, parameters)
            likelihood = float(frozen.logpdf(values).sum())
            ordered = np.sort(values)
            at = frozen.cdf(ordered)
    except (RuntimeError, ValueError, FloatingPointError):  # SciPy's FitError and failed root-finding among them
        return None
    if not np.isfinite(likelihood) or not np.isfinite(at).all() or not np.isfinite(parameters).all():
        return None
    steps = np.arange(len(ordered) + 1) / len(ordered)
    before, after = np.searchsorted(ordered, ordered, "left"), np.searchsorted(ordered, ordered, "right")
    ks = float(max(np.abs(steps[after] - at).max(), np.abs(steps[before] - at).max()))
    return parameters, 2.0 * _FREE.get(family, 2) - 2.0 * likelihood, ks


def _parameters(family: str, x: np.ndarray) -> tuple[float, ...]:
    """Return SciPy's parameters at the maximum of the likelihood."""
    from scipy import stats

    low, high = float(x.min()), float(x.max())
    if family == "normal":
        return float(x.mean()), float(x.std())
    if family == "log-normal":
        return float(np.log(x).std()), 0.0, float(np.exp(np.log(x).mean()))
    if family == "exponential":
        return 0.0, float(x.mean())
    if family == "uniform":
        return low, high - low
    if family == "Weibull":
        shape = _weibull_shape(x / high)
        return shape, 0.0, float(high * ((x / high) ** shape).mean() ** (1 / shape))
    if family == "gamma":
        shape, _, scale = stats.gamma.fit(x, floc=0)
        return float(shape), 0.0, float(scale)
    if family == "logistic":
        return tuple(float(p) for p in stats.logistic.fit(x))
    wider = (high - low) / len(x)  # at its very ends a beta's likelihood is nought or unbounded
    shapes = stats.beta.fit(x, floc=low - wider, fscale=high - low + 2 * wider)[:2]
    return float(shapes[0]), float(shapes[1]), low - wider, high - low + 2 * wider


def _weibull_shape(x: np.ndarray) -> float:
    """Solve the likelihood equation of the Weibull shape; it has one root (Cohen 1965). x : (n,), above 0 and at most 1."""
    from scipy.optimize import brentq

    logs = np.log(x)

    def slope(k):
        powers = x**k
        return (powers * logs).sum() / powers.sum() - 1.0 / k - logs.mean()

    return float(brentq(slope, 1e-3, 1e4))


def _frozen(family: str, parameters: tuple[float, ...]):
    """SciPy's distribution with its parameters."""
    from scipy import stats

    return getattr(stats, _SCIPY[family])(*parameters)
