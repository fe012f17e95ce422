"""Measures of the distance of two tables, or of two groups told apart by a score: pure functions of counts.

o and s are the real and synthetic counts of a cell (or of the records with one propensity score), n1 and n2 their sums,
N = n1 + n2, c = n2 / N, k the number of cells with anybody. "Null expectation" is what a synthesis from the right model, fitted
to these real records, would show; a standardised measure `s_...` is the measure over it: 1 for such a synthesis of any size.
Raab, Nowok & Dibben (2021, arXiv:2109.12717), appendix A.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["ACCEPTABLE", "GOOD", "TABLE_MEASURES", "pmse_null", "propensity_measures", "table_measures", "verdict"]

GOOD, ACCEPTABLE = 3.0, 10.0
"""Rules of thumb for standardised pMSE: below 3 nothing need be done, below 10 it is usable (Raab, Nowok & Dibben 2021)."""

TABLE_MEASURES = (
    "cells", "df", "pmse", "s_pmse", "vw", "s_vw", "ft", "s_ft", "g", "s_g", "df_g", "jsd", "s_jsd", "mabsdd", "wmabsdd",
    "s_wmabsdd", "dbhatt", "specks", "po50", "u",
)  # fmt: skip
"""What `table_measures` returns, in order."""


def plainly(value: float) -> str:
    """Write a figure without powers of ten: three digits that count below a hundred, else whole.

    >>> plainly(2312.4), plainly(3.14159)
    ('2,312', '3.14')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def verdict(s_pmse: float) -> str:
    """Word for a standardised pMSE: 'good' below 3, 'acceptable' below 10, else 'poor'; 'unknown' where it is NaN.

    >>> [verdict(x) for x in (1.2, 3.0, 10.0, float("nan"))]
    ['good', 'acceptable', 'poor', 'unknown']
    """
    if math.isnan(s_pmse):
        return "unknown"
    return "good" if s_pmse < GOOD else "acceptable" if s_pmse < ACCEPTABLE else "poor"


def pmse_null(df: float, n_real: float, n_synthetic: float) -> float:
    """Return the pMSE expected of a synthesis from the right model: df c (1 - c)^2 / N (Snoke et al. 2018).

    Parameters
    ----------
    df : float
        Degrees of freedom that the propensity model takes: parameters without the intercept, cells less one.
    n_real, n_synthetic : float
        Effective numbers of records.

    >>> pmse_null(4, 100, 100)  # 4 x 1/2 x 1/4 / 200
    0.0025
    """
    n = n_real + n_synthetic
    if not n > 0:
        return math.nan
    c = n_synthetic / n
    return df * c * (1 - c) ** 2 / n


def propensity_measures(score: np.ndarray, real: np.ndarray, synthetic: np.ndarray) -> dict[str, float]:
    """Measure how well a propensity score tells the sides apart.

    Parameters
    ----------
    score : numpy.ndarray
        (n,) float64: predicted probability of being synthetic, of a record or of a cell of alike records.
    real, synthetic : numpy.ndarray
        (n,) float64: weight of real and of synthetic records with that score.

    Returns
    -------
    dict
        'pmse' = sum (p - c)^2 / N (Woo et al. 2009), from 0 to c (1 - c); 'po50', per cent above a half that the score puts on
        the right side of c, of those not at c; 'specks', largest distance of the sides' distributions of p (Bowen, Liu &
        Su 2021); 'u', sum of the synthetic records' midranks (Wilcoxon); 'auc' = (u - n2 (n2 + 1) / 2) / (n1 n2), 1/2 where
        the sides cannot be told apart. NaN where a side is empty.

    >>> propensity_measures(np.array([0.25, 0.75]), np.array([3.0, 1.0]), np.array([1.0, 3.0]))
    {'pmse': 0.0625, 'po50': 25.0, 'specks': 0.5, 'u': 22.0, 'auc': 0.75}
    """
    p, o, s = (np.asarray(a, np.float64) for a in (score, real, synthetic))
    n1, n2 = float(o.sum()), float(s.sum())
    if not (n1 > 0 and n2 > 0):
        return dict.fromkeys(("pmse", "po50", "specks", "u", "auc"), math.nan)
    n = n1 + n2
    c = n2 / n
    both = o + s
    away = np.abs(p - c) > 1e-9  # s / (s + o) misses c by rounding where the sides agree
    told = float((both * away).sum())
    right = float((s * (away & (p > c))).sum() + (o * (away & (p < c))).sum())
    _, at = np.unique(np.round(p, 12), return_inverse=True)
    o, s = np.bincount(at, o), np.bincount(at, s)
    both_at = o + s
    u = float((s * (np.cumsum(both_at) - both_at + (both_at + 1) / 2)).sum())
    return {
        "pmse": float((both * (p - c) ** 2).sum() / n),
        "po50": 100 * right / told - 50 if told else 0.0,
        "specks": float(np.abs(np.cumsum(o) / n1 - np.cumsum(s) / n2).max()),
        "u": u,
        "auc": (u - n2 * (n2 + 1) / 2) / (n1 * n2),
    }


def table_measures(real: np.ndarray, synthetic: np.ndarray) -> dict[str, float]:
    """Measure the distance of two tables of counts.

    Parameters
    ----------
    real, synthetic : array_like
        Counts of equal shape, not negative, whole or fractional: of cloned or weighted records scaled to their effective number.

    Returns
    -------
    dict
        By name, in the order of `TABLE_MEASURES` (null expectation in brackets):

        - 'cells' k, 'df' = k - 1; 'df_g' the same of the cells that both sides have
        - 'vw' = sum (s - o n2/n1)^2 / (c (o + s)) (Voas & Williamson 2001; k - 1)
        - 'pmse' = sum (o + s) (s / (o + s) - c)^2 / N, which is vw c (1 - c)^2 / N
        - 'ft' = 4 sum (sqrt s - sqrt(o n2/n1))^2 (Freeman & Tukey; k - 1)
        - 'g' = 2 sum s log((s/n2) / (o/n1)) over cells that both have (likelihood ratio; df_g)
        - 'jsd', Jensen-Shannon divergence in bits ((k - 1) / (8 n2 log 2))
        - 'mabsdd' = sum abs(o/n1 - s/n2); 'wmabsdd' = sum abs(s - o n2/n1) / sqrt(2 c (o + s) / pi) (k - 1)
        - 'dbhatt' = sqrt(1 - sum sqrt(s o / (n1 n2))), and ft = 8 n2 dbhatt^2
        - 'specks' = mabsdd / 2, 'po50', 'u': as `propensity_measures` of the score s / (o + s)

        NaN throughout where a side is empty; standardised ones NaN where there is nothing to vary (k = 1).

    >>> m = table_measures([6, 4], [4, 6])
    >>> m["vw"], m["pmse"], round(m["mabsdd"], 12)  # (2^2 / 5) x 2; 1.6 x 1/8 / 20; 0.2 + 0.2
    (1.6, 0.01, 0.4)
    """
    o, s = (np.ravel(np.asarray(a, np.float64)) for a in (real, synthetic))
    if o.shape != s.shape:
        raise ValueError(f"{o.size} real cells and {s.size} synthetic ones")
    some = (o + s) > 0
    o, s = o[some], s[some]
    n1, n2 = float(o.sum()), float(s.sum())
    if not (n1 > 0 and n2 > 0):
        return {**dict.fromkeys(TABLE_MEASURES, math.nan), "cells": len(o)}
    n = n1 + n2
    c = n2 / n
    df = len(o) - 1
    po, ps, hoped = o / n1, s / n2, o * (n2 / n1)
    vw = float(((s - hoped) ** 2 / (c * (o + s))).sum())
    ft = float(4 * ((np.sqrt(s) - np.sqrt(hoped)) ** 2).sum())
    both = (o > 0) & (s > 0)
    g = float(2 * (s[both] * np.log(ps[both] / po[both])).sum())
    df_g = int(both.sum()) - 1
    middle = (po + ps) / 2
    jsd = (_bits(ps, middle) + _bits(po, middle)) / 2
    wmabsdd = float((np.abs(s - hoped) / np.sqrt(2 * c * (o + s) / math.pi)).sum())
    score = propensity_measures(s / (o + s), o, s)
    return {
        "cells": len(o), "df": df, "pmse": vw * c * (1 - c) ** 2 / n, "s_pmse": _over(vw, df), "vw": vw, "s_vw": _over(vw, df),
        "ft": ft, "s_ft": _over(ft, df), "g": g, "s_g": _over(g, df_g), "df_g": df_g, "jsd": jsd,
        "s_jsd": _over(jsd * 8 * n2 * math.log(2), df), "mabsdd": float(np.abs(po - ps).sum()), "wmabsdd": wmabsdd,
        "s_wmabsdd": _over(wmabsdd, df), "dbhatt": math.sqrt(max(1 - float(np.sqrt(po * ps).sum()), 0.0)),
        "specks": score["specks"], "po50": score["po50"], "u": score["u"],
    }  # fmt: skip


def _bits(p: np.ndarray, q: np.ndarray) -> float:
    """Kullback-Leibler divergence of p from q in bits."""
    some = p > 0
    return float((p[some] * np.log2(p[some] / q[some])).sum())


def _over(value: float, df: int) -> float:
    return value / df if df > 0 else math.nan
