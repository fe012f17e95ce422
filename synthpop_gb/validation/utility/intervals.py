"""Confidence intervals of shares, and of the difference of two shares of the same people."""

from __future__ import annotations

import math

__all__ = ["paired_difference", "wilson"]

_Z = 1.959963984540054  # 95 %


def wilson(hits: float, n: float, *, z: float = _Z) -> tuple[float, float]:
    """Confidence interval of a share by its score (Wilson 1927); whole and fractional counts, never beyond 0 and 1.

    Parameters
    ----------
    hits, n : float
        Those who count, of how many; effective numbers of weighted records.
    z : float
        Normal quantile, 1.96 for 95 %.

    Returns
    -------
    (low, high)
        NaN for n = 0.

    >>> [round(x, 4) for x in wilson(81, 263)]  # Newcombe (1998), table I: 0.2553 to 0.3662
    [0.2553, 0.3662]
    >>> [round(x, 4) for x in wilson(0, 20)]  # the same: 0 to 0.1611
    [0.0, 0.1611]
    """
    if not n > 0:
        return math.nan, math.nan
    p = hits / n
    middle = p + z * z / (2 * n)
    half = z * math.sqrt(max(p * (1 - p), 0.0) / n + z * z / (4 * n * n))
    below = 1 + z * z / n
    return max((middle - half) / below, 0.0), min((middle + half) / below, 1.0)


def paired_difference(both: float, first: float, second: float, neither: float, *, z: float = _Z) -> tuple[float, float]:
    """Return the confidence interval of the difference of two shares of the same people (Newcombe 1998, method 10).

    Statistics in Medicine 17, 2635-2650: Wilson's intervals of either share, put together with the correlation of the two,
    which is lowered for continuity where it is positive.

    Parameters
    ----------
    both, first, second, neither : float
        Counts of people who count in both, only in the first, only in the second, in neither. The difference is first less
        second, (first - second) / n.
    z : float
        Normal quantile.

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
    (l1, u1), (l2, u2) = wilson(both + first, n, z=z), wilson(both + second, n, z=z)
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
