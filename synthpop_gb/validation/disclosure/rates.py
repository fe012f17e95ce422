"""Success rates of attacks: the risk that is left once what succeeds on strangers is taken off; shares in per cent."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["expected_singles", "percent_of", "residual_risk"]


def percent_of(part: float, whole: float) -> float:
    """Return a part in per cent of the whole; NaN of nothing.

    >>> percent_of(1, 4), percent_of(0, 0)
    (25.0, nan)
    """
    return 100.0 * float(part) / whole if whole else math.nan


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
