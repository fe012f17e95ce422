"""Two counts of the same thing: what luck alone would make of their difference, and which of thousands are beyond it.

Luck is measured by a *dispersion*: the variance of the difference over that of two Poisson counts. 1 - share for people drawn
one by one (multinomial), more where a survey was drawn as well, far less where a table fixes the count, and as replicates show
where there are some. Everything below takes the dispersion, so that small counts are judged as counts whatever the noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = [
    "expected_difference", "measured_discovery", "moderated_variance", "normal_score", "simes", "skellam_tail",
    "tail_probability", "variance_trend", "with_few_replicates",
]  # fmt: skip

_LEAST = 1e-4  # dispersion below which a count is as good as fixed
_EDGES = np.array([0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 1e4, 1e5])


def tail_probability(a, b, share, dispersion) -> np.ndarray:
    """Two-sided probability of counts as unlike as a and b, where a should be `share` of both together.

    Given a + b, a Poisson count is binomial (Przyborowski & Wilenski 1940); counts are divided by the dispersion first (the
    scaled Poisson of quasi-likelihood, McCullagh & Nelder 1989, section 6.2), the binomial tail being the incomplete beta
    function. Twice the smaller tail, at most 1. Discrete, so conservative. Below a dispersion of 1 most of a count is fixed and
    the rest are few people who may or may not be there, so the probability is not less than that of their difference
    (`skellam_tail`).

    Parameters
    ----------
    a, b : array-like
        Counts, people >= 0.
    share : array-like
        Expected share of a in a + b: the first population's people among those of both.
    dispersion : array-like
        >= 0. At nought the counts are fixed: any difference has probability nought, none has one.

    >>> tail_probability([8, 5, 0], [2, 5, 0], 0.5, 1.0).round(4).tolist()
    [0.1094, 1.0, 1.0]
    """
    from scipy.special import betainc

    a, b, share, dispersion = np.broadcast_arrays(*(np.asarray(x, np.float64) for x in (a, b, share, dispersion)))
    scale = np.maximum(dispersion, _LEAST)
    x, y = a / scale, b / scale
    up = np.where(x > 0, betainc(np.maximum(x, 1e-12), y + 1, share), 1.0)
    down = np.where(y > 0, betainc(np.maximum(y, 1e-12), x + 1, 1 - share), 1.0)
    p = np.minimum(2 * np.minimum(up, down), 1.0)
    apart = np.abs(a - share * (a + b)) > 1e-9 * np.maximum(a + b, 1)
    p = np.where(~apart, 1.0, np.where(dispersion <= 0, 0.0, p))
    loose = (dispersion > 0) & (dispersion < 1) & (p < 0.1)
    if loose.any():
        odds = share[loose] / (1 - share[loose])
        away = np.abs(a[loose] - odds * b[loose]) / np.sqrt(odds)  # as of two populations of one size
        variance = (dispersion * (a + b))[loose]
        p[loose] = np.maximum(p[loose], np.minimum(2 * skellam_tail(away, variance), 1.0))
    return p


def skellam_tail(difference, variance) -> np.ndarray:
    """Probability that two Poisson counts of one mean, of this variance together, differ by so much or more to one side.

    Saddlepoint approximation of Lugannani & Rice (1980) on the lattice, second continuity correction (Daniels 1987): within a
    few per cent for two people or more, also far out. The difference of two Poisson counts is Skellam's (1946).

    >>> skellam_tail([2, 6], [0.1, 8.0]).round(4).tolist()
    [0.0012, 0.026]
    """
    from scipy.special import ndtr

    difference, variance = np.broadcast_arrays(np.asarray(difference, np.float64), np.asarray(variance, np.float64))
    d = np.maximum(difference - 0.5, 0.25)
    v = np.maximum(variance, 1e-12)
    t = np.arcsinh(d / v)
    w = np.sqrt(2 * np.maximum(t * d - v * (np.cosh(t) - 1), 1e-12))
    u = 2 * np.sinh(t / 2) * np.sqrt(v * np.cosh(t))
    density = np.exp(-(w**2) / 2) / np.sqrt(2 * np.pi)
    return np.clip(ndtr(-w) + density * (1 / u - 1 / w), 0.0, 1.0)


def with_few_replicates(p, freedom: float) -> np.ndarray:
    """Two-sided probabilities where the noise is itself estimated: Student's t with `freedom` degrees in place of the normal.

    >>> with_few_replicates([0.05, 1.0], 19).round(4).tolist()
    [0.0648, 1.0]
    """
    from scipy.special import ndtri, stdtr

    p = np.asarray(p, np.float64)
    return np.where(p > 0, np.minimum(2 * stdtr(freedom, ndtri(np.maximum(p, 1e-315) / 2)), 1.0), 0.0)


def normal_score(difference, p) -> np.ndarray:
    """Standardised difference: the standard normal quantile of a two-sided probability, signed as the difference; at most 38.

    >>> normal_score([3, -3, 0], [0.05, 0.05, 1.0]).round(2).tolist()
    [1.96, -1.96, 0.0]
    """
    from scipy.special import ndtri

    p = np.asarray(p, np.float64)
    return np.sign(difference) * np.clip(-ndtri(np.maximum(p, 1e-315) / 2), 0.0, 38.0) + 0.0  # + 0.0: no -0.0


def expected_difference(total, dispersion) -> np.ndarray:
    """Mean of |a - b| by luck alone, for two counts of equal expectation that are `total` together, people.

    For a fair binomial E|2X - m| = 2k C(2k, k) / 4^k with k = ceil(m / 2) (de Moivre 1730; Diaconis & Zabell 1991), between
    whole numbers linearly; counts are scaled by the dispersion as in `tail_probability`.

    >>> expected_difference([0, 1, 2, 3, 4], 1.0).round(9).tolist()
    [0.0, 1.0, 1.0, 1.5, 1.5]
    """
    from scipy.special import gammaln

    def fair(m):
        k = np.maximum(np.ceil(m / 2), 0.5)
        return np.where(m > 0, 2 * np.exp(gammaln(k + 0.5) - gammaln(k)) / np.sqrt(np.pi), 0.0)

    total, dispersion = np.broadcast_arrays(np.asarray(total, np.float64), np.asarray(dispersion, np.float64))
    scale = np.maximum(dispersion, _LEAST)
    scaled = total / scale
    low = np.floor(scaled)
    mean = fair(low) + (scaled - low) * (fair(low + 1) - fair(low))
    return np.where(dispersion > 0, scale * mean, 0.0)


def variance_trend(squares, means, count: int, at=None, kind=None) -> np.ndarray:
    """Variance that cells of one kind and size have: variance over mean of all whose mean is about as large, times the mean.

    Parameters
    ----------
    squares : (n_cells,) float64
        Sum of squared deviations of each cell's counts from their mean over replicates.
    means : (n_cells,) float64
        Mean over replicates, people.
    count : int
        Replicates, 2 or more.
    at : (n_cells,) float64, optional
        Mean at which the trend is read where it is larger than the replicates' mean: something more is known.
    kind : (n_cells,) int64, optional
        Only cells of one kind are pooled, e.g. of one table; all where absent.

    >>> variance_trend(np.array([0.0, 9.0]), np.array([1.5, 1.5]), 10).tolist()
    [0.5, 0.5]
    """
    at = means if at is None else np.maximum(at, means)
    kind = np.zeros(len(means), np.int64) if kind is None else kind
    n, kinds = len(_EDGES) + 1, int(kind.max(initial=0)) + 1
    cell = kind * n + np.digitize(means, _EDGES)
    whole = np.bincount(cell, means, n * kinds).reshape(kinds, n)
    spread = np.bincount(cell, squares, n * kinds).reshape(kinds, n) / (count - 1)
    ratio = np.divide(spread, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
    for row in ratio:  # sizes that no cell has take their neighbour's
        known = np.flatnonzero(np.isfinite(row))
        row[:] = row[known[np.abs(np.arange(n)[:, None] - known).argmin(axis=1)]] if len(known) else 0.0
    return ratio[kind, np.digitize(at, _EDGES)] * at


def moderated_variance(squares, trend, count: int, prior: float = 20.0) -> np.ndarray:
    """Variances of many cells from few replicates, each drawn towards what cells like it have (Smyth 2004, eq. 3).

    squares, count: as in `variance_trend`, whose result is `trend`; prior: degrees of freedom that the trend counts for.

    >>> moderated_variance(np.array([0.0, 9.0]), np.array([0.5, 0.5]), 10, prior=9.0).tolist()
    [0.25, 0.75]
    """
    return (prior * trend + squares) / (prior + count - 1)


def measured_discovery(p, null: Sequence[np.ndarray]) -> np.ndarray:
    """Share of false discoveries as pure luck shows it: how often the same statistic is as unlikely between draws of one thing.

    q = (mean number of null probabilities at most p in a pair) / (probabilities at most p), made monotone (Tusher, Tibshirani &
    Chu 2001), and not less than the share of pairs, the one judged included, whose least probability is at most the least of p
    (Davison & Hinkley 1997, section 4.2.5): probabilities come in clumps, and luck alone must rarely make a single discovery.

    Parameters
    ----------
    p : (n,) float64
        Of two populations.
    null : sequence of (m,) float64
        Of each pair of draws that differ by luck alone; those larger than any p that matters may be left out.

    >>> measured_discovery([0.001, 0.01, 0.5], [[0.005, 0.4], [0.6], []]).round(4).tolist()
    [0.25, 0.25, 0.25]
    """
    p, least = np.asarray(p, np.float64), min(np.min(p, initial=1.0), 1.0)
    pooled = np.sort(np.concatenate([np.asarray(pair, np.float64) for pair in null]))
    order = np.argsort(p, kind="stable")
    ordered = p[order]
    beside = np.maximum(np.searchsorted(ordered, ordered, side="right"), 1)
    raw = np.searchsorted(pooled, ordered, side="right") / len(null) / beside
    whole = (1 + sum(np.min(pair, initial=1.0) <= least for pair in null)) / (1 + len(null))
    q = np.empty(len(p))
    q[order] = np.minimum(np.minimum.accumulate(raw[::-1])[::-1], 1.0) if len(p) else raw
    return np.maximum(q, whole)


def simes(p: np.ndarray) -> np.ndarray:
    """Probability that nothing in a row is but luck (Simes 1986): min over i of n p(i) / i. NaN marks what was not tested.

    p : (n_rows, n_tests) float64. Returns (n_rows,), 1 where nothing was tested.

    >>> simes(np.array([[0.01, 0.6, np.nan], [np.nan] * 3])).tolist()
    [0.02, 1.0]
    """
    tested = np.isfinite(p)
    ordered = np.sort(np.where(tested, p, 2.0), axis=1)
    n = tested.sum(axis=1, keepdims=True)
    least = (ordered * n / np.arange(1, p.shape[1] + 1)).min(axis=1, initial=1.0)
    return np.where(n[:, 0] > 0, np.minimum(least, 1.0), 1.0)
