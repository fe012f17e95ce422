"""How far measures of association of a perfect sample differ from those of the records that it is drawn from."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from synthpop_gb.validation.utility._sides import generator, size_of
from synthpop_gb.validation.utility.correlation import NORMS, correlation_matrix, matrix_norm

__all__ = ["eta_floor", "matrix_floors", "v_floor"]

_CELLS = 400_000
"""Most cells drawn for one floor: large tables get fewer draws."""

_WORK = 100_000_000
"""Most record-pairs of columns correlated for one floor."""


def v_floor(table: np.ndarray, n: float, measure: Callable, *, seed: int, draws: int) -> float:
    """Mean abs(V* - V) of tables V* of n records drawn from `table`; NaN where V is."""
    n, real = round(float(n)), measure(table)
    if n < 1 or math.isnan(real):
        return math.nan
    rows, columns = table.sum(axis=1) > 0, table.sum(axis=0) > 0
    share = table[rows][:, columns] / table.sum()
    draws = int(np.clip(_CELLS // share.size, 5, draws))
    drawn = generator(seed, "cramers_v").multinomial(n, share.ravel() / share.sum(), size=draws).reshape(draws, *share.shape)
    away = np.array([abs(measure(t) - real) for t in drawn])
    return float(away[~np.isnan(away)].mean()) if (~np.isnan(away)).any() else math.nan


def eta_floor(
    codes: np.ndarray, values: np.ndarray, weight: np.ndarray, n: float, real: float, *, seed: int, draws: int
) -> float:
    """Mean abs(eta* - eta) of samples of n: counts of categories multinomial, their means normal, variances as they are."""
    n = round(float(n))
    if n < 2 or math.isnan(real):
        return math.nan
    values = values / size_of(values)
    each = np.bincount(codes, weight)
    live = each > 0
    share = each[live] / each.sum()
    mean = np.bincount(codes, weight * values)[live] / each[live]
    away = np.where(live, np.bincount(codes, weight * values) / np.where(live, each, 1.0), 0.0)
    within = np.bincount(codes, weight * (values - away[codes]) ** 2)[live] / each[live]
    rng = generator(seed, "correlation_ratio")
    count = rng.multinomial(n, share / share.sum(), size=draws).astype(np.float64)
    some = np.where(count > 0, count, 1.0)
    drawn = mean + np.sqrt(within / some) * rng.standard_normal(count.shape)
    overall = (count * drawn).sum(axis=1, keepdims=True) / n
    between = (count * (drawn - overall) ** 2).sum(axis=1)
    total = between + (np.maximum(count - 1, 0) * within).sum(axis=1)
    eta = np.sqrt(between / np.where(total > 0, total, 1.0))
    return float(np.abs(eta - real).mean())


def matrix_floors(
    values: np.ndarray, weight: np.ndarray, n: float, correlation: str, *, seed: int, draws: int = 20
) -> dict[str, float]:
    """Mean of each norm of the difference of correlation matrices for samples of n drawn from the real records.

    Spearman's is taken of the real records' ranks, which differ from the sample's own by terms that vanish with n.
    """
    n = round(float(n))
    if n < 2 or len(values) < 2:
        return dict.fromkeys(NORMS, math.nan)
    if correlation == "spearman":
        values = np.stack([_ranks(c) for c in values.T], axis=1)
    real = correlation_matrix(values, weight)
    draws = int(np.clip(_WORK // (n * values.shape[1] ** 2), 3, draws))
    rng, share = generator(seed, f"matrix {correlation}"), weight / weight.sum()
    found = [correlation_matrix(values[rng.choice(len(values), n, p=share)]) - real for _ in range(draws)]
    return {name: float(np.mean([matrix_norm(d, name) for d in found])) for name in NORMS}


def _ranks(x: np.ndarray) -> np.ndarray:
    """Dense midranks of the numbers that are there."""
    out = np.full(len(x), np.nan)
    there = np.isfinite(x)
    _, at, count = np.unique(x[there], return_inverse=True, return_counts=True)
    out[there] = (np.cumsum(count) - count / 2)[at]
    return out
