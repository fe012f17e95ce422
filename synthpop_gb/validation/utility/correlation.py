"""Correlation matrices of weighted numbers, and the size of the difference of two of them under definitions that have names."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.pair import Pair

__all__ = ["CORRELATIONS", "NORMS", "correlation_difference", "correlation_matrix", "matrix_norm", "numbers_of"]

CORRELATIONS = ("pearson", "spearman")
"""Pearson's r, and Spearman's: Pearson's r of the midranks."""

NORMS = ("entrywise", "upper", "induced_1", "frobenius", "max")
"""How large a matrix D of differences is:

- entrywise: sum of abs(D[i, j]) over all entries (every pair counts twice);
- upper: the same above the diagonal (every pair counts once): half of entrywise;
- induced_1: largest column sum of abs(D), the operator norm that the 1-norm of vectors induces;
- frobenius: square root of the sum of squares of all entries;
- max: largest abs(D[i, j]).

"L1 norm" is said of the first three.
"""


def matrix_norm(difference: np.ndarray, norm: str) -> float:
    """Return the size of a matrix under a definition of `NORMS`; entries that are NaN are left out, NaN where all are.

    >>> d = np.array([[0, 0.3, -0.1], [0.3, 0, 0.2], [-0.1, 0.2, 0]])
    >>> [round(matrix_norm(d, n), 4) for n in NORMS]  # 2 x 0.6; 0.6; 0.3 + 0.2; sqrt(2 x 0.14); 0.3
    [1.2, 0.6, 0.5, 0.5292, 0.3]
    """
    if norm not in NORMS:
        raise ValueError(f"there is no norm {norm!r}: {', '.join(NORMS)}")
    d = np.abs(np.asarray(difference, np.float64))
    known = ~np.isnan(d)
    if not known.any():
        return float("nan")
    d = np.where(known, d, 0.0)
    if norm == "upper":
        return float(np.triu(d, 1).sum())
    if norm == "frobenius":
        return float(np.sqrt((d**2).sum()))
    return float(
        {"entrywise": d.sum, "induced_1": d.sum(axis=0).max, "frobenius": lambda: np.sqrt((d**2).sum()), "max": d.max}[norm]()
    )


def correlation_matrix(values: np.ndarray, weight: np.ndarray | None = None, *, correlation: str = "pearson") -> np.ndarray:
    """Correlations of every pair of columns over the rows that have both.

    Parameters
    ----------
    values : numpy.ndarray
        (n, p) float64, missing as NaN.
    weight : numpy.ndarray, optional
        (n,) weights, all alike by default.
    correlation : str
        'pearson', or 'spearman': of midranks among the rows that have both; a record of weight w is ranked as w records.

    Returns
    -------
    numpy.ndarray
        (p, p) symmetric, 1 on the diagonal; NaN where fewer than two rows have both, or one of them does not vary there.

    >>> correlation_matrix(np.array([[1.0, 1], [2, 4], [3, 9]]), correlation="spearman")[0].round(6).tolist()
    [1.0, 1.0]
    """
    if correlation not in CORRELATIONS:
        raise ValueError(f"there is no correlation {correlation!r}: {', '.join(CORRELATIONS)}")
    x = np.asarray(values, np.float64)
    w = np.ones(len(x)) if weight is None else np.asarray(weight, np.float64)
    x, w = x[w > 0], w[w > 0]
    there = np.isfinite(x)
    complete = there.all(axis=0)
    out = np.full((x.shape[1],) * 2, np.nan)
    full = np.flatnonzero(complete)
    if len(full) and len(x):
        columns = x[:, full]
        if correlation == "spearman":
            columns = np.stack([_midranks(c, w) for c in columns.T], axis=1)
        out[np.ix_(full, full)] = _pearson(columns, w)
    for i in range(x.shape[1]):
        for j in range(i, x.shape[1]):
            if complete[i] and complete[j]:
                continue
            both = there[:, i] & there[:, j]
            pair, v = x[both][:, [i, j]], w[both]
            if correlation == "spearman":
                pair = np.stack([_midranks(c, v) for c in pair.T], axis=1)
            out[i, j] = out[j, i] = _pearson(pair, v)[0, 1]
    return out


def correlation_difference(
    real, synthetic, *, correlation: str = "pearson", norm: str = "entrywise", weights=(None, None)
) -> float:
    """Return the size of the difference of the correlation matrices of two sets of records, under a named definition.

    A published "L1 norm of the difference between correlation matrices" may be any of three norms of either correlation: they
    differ by factors of two and more, so a figure says nothing without its definition.

    Parameters
    ----------
    real, synthetic : pandas.DataFrame or numpy.ndarray
        (n, p) numbers, the same columns in the same order; missing as NaN, left out pair by pair.
    correlation : str
        Of `CORRELATIONS`.
    norm : str
        Of `NORMS`.
    weights : (numpy.ndarray or None, numpy.ndarray or None)
        Weights of the real and of the synthetic records.

    Returns
    -------
    float
        Pairs that either side does not determine are left out; NaN where none is left.

    Raises
    ------
    ValueError
        For an unknown definition, or sides with other columns.

    >>> real = np.array([[0.0, 0], [1, 1]])
    >>> made = np.array([[0.0, 1], [1, 0]])  # r = 1 has become -1
    >>> [round(correlation_difference(real, made, norm=n), 6) for n in ("entrywise", "upper", "induced_1")]
    [4.0, 2.0, 2.0]
    """
    both = [np.asarray(side, np.float64) for side in (real, synthetic)]
    names = [list(getattr(side, "columns", range(a.shape[1]))) for side, a in zip((real, synthetic), both, strict=True)]
    if names[0] != names[1]:
        raise ValueError("the sides have other columns, or in another order")
    found = [correlation_matrix(a, w, correlation=correlation) for a, w in zip(both, weights, strict=True)]
    return matrix_norm(found[1] - found[0], norm)


def numbers_of(pair: Pair, names: tuple[str, ...]) -> list[np.ndarray]:
    """Both sides' columns as numbers (n, len(names)): a category of two as 0 and 1, missing as NaN."""
    out = []
    for side in (pair.real, pair.synthetic):
        columns = []
        for name in names:
            column: pd.Series = side[name]
            if pair.variable(name).kind == "category":
                code = column.cat.codes.to_numpy().astype(np.float64)
                columns.append(np.where(code < 0, np.nan, code))
            else:
                columns.append(column.to_numpy(np.float64))
        out.append(np.stack(columns, axis=1) if columns else np.empty((len(side), 0)))
    return out


def _pearson(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Weighted Pearson correlations of complete columns."""
    p = x.shape[1]
    if len(x) < 2:
        return np.full((p, p), np.nan)
    share = w / w.sum()
    x = x / np.where((largest := np.abs(x).max(axis=0)) > 0, largest, 1.0)  # squares of huge numbers stay finite
    away = x - share @ x
    covariance = away.T @ (away * share[:, None])
    flat = (x == x[0]).all(axis=0)
    sd = np.sqrt(np.where(flat, np.nan, np.diag(covariance)))
    sd = np.where(sd > 0, sd, np.nan)
    out = np.clip(covariance / np.outer(sd, sd), -1.0, 1.0)
    known = ~np.isnan(sd)
    out[known, known] = 1.0
    return out


def _midranks(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Weighted midranks: the weight below a value and half the weight at it."""
    _, at = np.unique(x, return_inverse=True)
    each = np.bincount(at, w)
    return (np.cumsum(each) - each / 2)[at]
