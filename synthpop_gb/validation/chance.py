"""What chance alone does: intervals of shares, pairs of judgements on the same people, and false discoveries among many tests."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

__all__ = ["adjusted", "harmonic", "paired_difference", "paired_probability", "share_difference", "wilson"]


def wilson(successes: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Score interval of a proportion.

    (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n), p = successes / n (Wilson 1927, JASA 22; method 3 of
    Newcombe 1998, Statistics in Medicine 17, whose examples the tests hold it to).

    Parameters
    ----------
    successes, n : float
        Successes among n trials; fractional where they are expected values or effective numbers of weighted records.
    level : float
        Nominal coverage.

    Returns
    -------
    (low, high)
        Never beyond 0 and 1; NaN for n = 0.

    >>> [round(v, 4) for v in wilson(81, 263)], [round(v, 4) for v in wilson(0, 20)]
    ([0.2553, 0.3662], [0.0, 0.1611])
    """
    if not n > 0:
        return math.nan, math.nan
    z = NormalDist().inv_cdf((1 + level) / 2)
    p = min(max(successes / n, 0.0), 1.0)
    middle = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low, high = (middle - half) / scale, (middle + half) / scale
    return (0.0 if p == 0 else max(low, 0.0)), (1.0 if p == 1 else min(high, 1.0))


def paired_difference(both: float, first: float, second: float, neither: float, level: float = 0.95) -> tuple[float, float]:
    """Return the confidence interval of the difference of two shares of the same people (Newcombe 1998, method 10).

    Statistics in Medicine 17, 2635-2650: Wilson's intervals of either share, put together with the correlation of the two,
    which is lowered for continuity where it is positive.

    Parameters
    ----------
    both, first, second, neither : float
        Counts of people who count in both, only in the first, only in the second, in neither. The difference is first less
        second, (first - second) / n.
    level : float
        Nominal coverage.

    Returns
    -------
    (low, high)
        NaN where there is nobody.

    >>> [round(x, 4) for x in paired_difference(36, 12, 2, 0)]  # Newcombe (1998), table III: 0.0569 to 0.3404
    [0.0569, 0.3404]
    """
    n = both + first + second + neither
    if not n > 0:
        return math.nan, math.nan
    p1, p2 = (both + first) / n, (both + second) / n
    (l1, u1), (l2, u2) = wilson(both + first, n, level), wilson(both + second, n, level)
    margins = (both + first) * (second + neither) * (both + second) * (first + neither)
    product = both * neither - first * second
    phi = 0.0
    if margins > 0:
        lowered = max(product - n / 2, 0.0) if product > 0 else product
        phi = lowered / math.sqrt(margins)
    d = p1 - p2
    low = d - math.sqrt(max((p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2, 0.0))
    high = d + math.sqrt(max((u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2, 0.0))
    return low, high


def share_difference(first: float, n_first: float, second: float, n_second: float, level: float = 0.95) -> tuple[float, float]:
    """Return the confidence interval of the difference of two shares of different people (Newcombe 1998, method 10).

    Statistics in Medicine 17, 873-890: Wilson's intervals of either share, put together by their squares.

    Parameters
    ----------
    first, n_first, second, n_second : float
        Those who count, of how many, in either group. The difference is first less second.
    level : float
        Nominal coverage.

    Returns
    -------
    (low, high)
        NaN where a group is empty.

    >>> [round(x, 4) for x in share_difference(56, 70, 48, 80)]  # Newcombe (1998), table II: 0.0524 to 0.3339
    [0.0524, 0.3339]
    """
    if not (n_first > 0 and n_second > 0):
        return math.nan, math.nan
    p1, p2 = first / n_first, second / n_second
    (l1, u1), (l2, u2) = wilson(first, n_first, level), wilson(second, n_second, level)
    return p1 - p2 - math.hypot(p1 - l1, u2 - p2), p1 - p2 + math.hypot(u1 - p1, p2 - l2)


def paired_probability(first: float, second: float) -> float:
    """Two-sided exact probability of counts as unlike as these of people who count in one of two ways only (McNemar 1947).

    Were the two shares the same, either way would be as likely: binomial with chance 1/2, twice the smaller tail, at most 1.
    Effective counts need not be whole: the incomplete beta function carries the tails on. 1 where nobody counts in one way only.

    >>> paired_probability(5, 0), paired_probability(3, 3), paired_probability(0, 0)  # five heads of five: 2 / 32
    (0.0625, 1.0, 1.0)
    """
    from scipy.special import betainc

    fewer, more = min(first, second), max(first, second)
    return min(1.0, 2 * float(betainc(more, fewer + 1, 0.5))) if more > 0 else 1.0


def harmonic(n: int) -> float:
    """Sum 1 + 1/2 + ... + 1/n, about ln n: what any dependence costs (Benjamini & Yekutieli 2001). 1 for n = 0."""
    return float((1.0 / np.arange(1, n + 1)).sum()) or 1.0


def adjusted(p: np.ndarray, control: str = "bh", tests: int | None = None) -> np.ndarray:
    """Adjust p values for how many there are: those at most q hold at most a share q of false discoveries, in expectation.

    Parameters
    ----------
    p : numpy.ndarray
        (n,) p values, none missing.
    control : str
        'bh', Benjamini & Hochberg (1995): for tests that are independent or positively dependent in the sense of Benjamini &
        Yekutieli (2001). Cells of nested tables are so along the nesting and slightly the reverse within a table; and exact
        tails of counts are above their nominal values, which leaves room. 'by', Benjamini & Yekutieli (2001): under any
        dependence, at the price of a factor of about ln n.
    tests : int, optional
        How many tests there were, where the largest p values are left out of `p`.

    Returns
    -------
    (n,) float64
        Adjusted p values ('q values'), at most 1.

    >>> adjusted(np.array([0.01, 0.04, 0.03, 0.5])).round(4).tolist()
    [0.04, 0.0533, 0.0533, 0.5]
    >>> adjusted(np.array([0.01, 0.04]), tests=4).round(4).tolist()
    [0.04, 0.08]
    """
    if control not in ("bh", "by"):
        raise ValueError(f"control must be 'bh' or 'by', not {control!r}")
    p = np.asarray(p, np.float64)
    if not len(p):
        return np.zeros(0)
    n = len(p) if tests is None else tests
    order = np.argsort(p, kind="stable")
    factor = harmonic(n) if control == "by" else 1.0
    steps = np.minimum.accumulate((p[order] * (n * factor) / np.arange(1, len(p) + 1))[::-1])[::-1]
    out = np.empty(len(p))
    out[order] = np.minimum(steps, 1.0)
    return out
