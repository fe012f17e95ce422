"""Success rates of attacks: Wilson intervals, and the risk that is left once what succeeds on strangers is taken off."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

__all__ = ["expected_singles", "residual_risk", "wilson"]


def wilson(successes: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Score interval of a proportion.

    (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n), p = successes / n (Wilson 1927, JASA 22; method 3 of
    Newcombe 1998, Statistics in Medicine 17, whose examples the tests hold it to). NaN where n = 0.

    Parameters
    ----------
    successes : float
        May be fractional, where successes are expected values.
    n : float
        Trials; an effective number may be given.
    level : float
        Nominal coverage.

    >>> [round(v, 4) for v in wilson(81, 263)], [round(v, 4) for v in wilson(0, 20)]
    ([0.2553, 0.3662], [0.0, 0.1611])
    """
    if not n > 0:
        return float("nan"), float("nan")
    z = NormalDist().inv_cdf((1 + level) / 2)
    p = min(max(successes / n, 0.0), 1.0)
    middle = p + z * z / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low, high = (middle - half) / scale, (middle + half) / scale
    return (0.0 if p == 0 else max(low, 0.0)), (1.0 if p == 1 else min(high, 1.0))


def residual_risk(attack: tuple[float, float, float], control: tuple[float, float, float]) -> tuple[float, float, float]:
    """Risk = (attack - control) / (1 - control): the share of what control leaves that the attack gains.

    What succeeds against people whose records the synthetic data never saw is knowledge of the population, not a leak (Giomi,
    Boenisch, Wehmeyer & Tasnadi 2023, PoPETs 2023(2), section 4). The interval propagates the halves of both Wilson intervals:
    half^2 = (a / (1 - c))^2 + (k (1 - p) / (1 - c)^2)^2, with a, k the halves and p, c the rates of attack and control.

    Parameters
    ----------
    attack, control : (float, float, float)
        Rate, lower, upper, each between 0 and 1.

    Returns
    -------
    (float, float, float)
        Risk, lower, upper. Negative where strangers are hit more often. NaN where control always succeeds or a rate is unknown.

    >>> [round(v, 3) for v in residual_risk((0.5, 0.4, 0.6), (0.2, 0.1, 0.3))]
    [0.375, 0.228, 0.522]
    """
    (p, low, high), (c, c_low, c_high) = attack, control
    if not (p == p and c < 1):
        return float("nan"), float("nan"), float("nan")
    risk = (p - c) / (1 - c)
    half = math.hypot((high - low) / 2 / (1 - c), (c_high - c_low) / 2 * (1 - p) / (1 - c) ** 2)
    return risk, risk - half, min(risk + half, 1.0)


def expected_singles(found: np.ndarray, n: int, size: int) -> np.ndarray:
    """Probability that exactly one of the records that a predicate is true of is in a random part of the records.

    Hypergeometric: C(c, 1) C(n - c, size - 1) / C(n, size). How often a predicate is true of
    one record hangs on how many records there are, so two sets are compared at the size of the smaller.

    Parameters
    ----------
    found : numpy.ndarray
        (n_predicates,) records of which each is true.
    n, size : int
        All records, and those of the part, size <= n.

    >>> expected_singles(np.array([0, 1, 2]), 4, 2).round(4).tolist()
    [0.0, 0.5, 0.6667]
    """
    from scipy.stats import hypergeom

    found = np.asarray(found)
    if size >= n:
        return (found == 1).astype(np.float64)
    return np.where(found > 0, hypergeom.pmf(1, n, np.maximum(found, 1), size), 0.0)
