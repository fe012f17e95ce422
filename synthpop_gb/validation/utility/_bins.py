"""What plots of single variables are drawn from: shares of each side in a few bins that the real records define."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from synthpop_gb.coded import MISSING
from synthpop_gb.validation.utility._sides import Sides

__all__ = ["bins"]

_MOST = 38
"""Categories, distinct numbers or intervals of a variable; with 'others' or 'missing' at most 40 bins."""

_INTERVALS = 28

_COLUMNS = ("variable", "kind", "bin", "label", "low", "high", "real", "synthetic")


def bins(both: Sides) -> pd.DataFrame:
    """Cut every variable into at most 40 bins and return each side's shares, one row a bin, in the order of an axis."""
    frames = []
    if both.usable:
        for v in both.pair.variables:
            of = _categories if v.kind == "category" else _numbers
            frames.append(of(both, v.name).assign(variable=v.name, kind=v.kind))
    if not frames:
        return pd.DataFrame(columns=list(_COLUMNS))
    return pd.concat(frames, ignore_index=True)[list(_COLUMNS)]


def _frame(both: Sides, labels: list[str], edges: list[tuple[float, float]], codes: list[np.ndarray]) -> pd.DataFrame:
    """Shares by bin; codes are -1 for missing, which is a bin where either side has it."""
    if any((c < 0).any() for c in codes):
        codes = [np.where(c < 0, len(labels), c) for c in codes]
        labels, edges = [*labels, MISSING], [*edges, (np.nan, np.nan)]
    out = {"bin": np.arange(len(labels)), "label": labels, "low": [a for a, _ in edges], "high": [b for _, b in edges]}
    for name, code, weight in zip(("real", "synthetic"), codes, (both.real_weight, both.synthetic_weight), strict=True):
        out[name] = np.bincount(code, weight, minlength=len(labels)) / weight.sum()
    return pd.DataFrame(out)


def _categories(both: Sides, name: str) -> pd.DataFrame:
    """Categories in their order; beyond 38 the most frequent of both sides, the rest taken together."""
    labels = [str(c) for c in both.pair.real[name].cat.categories]
    codes = [side[name].cat.codes.to_numpy().astype(np.int64) for side in (both.pair.real, both.pair.synthetic)]
    if len(labels) > _MOST:
        share = sum(
            np.bincount(c[c >= 0], w[c >= 0] / w.sum(), minlength=len(labels))
            for c, w in zip(codes, (both.real_weight, both.synthetic_weight), strict=True)
        )
        kept = np.sort(np.argsort(-share, kind="stable")[:_MOST])
        new = np.full(len(labels), len(kept))
        new[kept] = np.arange(len(kept))
        codes = [np.where(c < 0, -1, new[c]) for c in codes]
        labels = [*(labels[i] for i in kept), f"(others: {len(labels) - len(kept):,} categories)"]
    return _frame(both, labels, [(np.nan, np.nan)] * len(labels), codes)


def _numbers(both: Sides, name: str) -> pd.DataFrame:
    """Distinct real numbers where there are few, else equal intervals of the real middle 99 %, and what lies beyond it."""
    values = [side[name].to_numpy() for side in (both.pair.real, both.pair.synthetic)]
    known = values[0][np.isfinite(values[0])]
    distinct = np.unique(known)
    if not len(distinct):
        codes = [np.where(np.isfinite(v), 0, -1) for v in values]
        return _frame(both, ["any"], [(np.nan, np.nan)], codes)
    if len(distinct) <= _INTERVALS:
        middle = (distinct[1:] + distinct[:-1]) / 2
        codes = [np.where(np.isfinite(v), np.searchsorted(middle, np.nan_to_num(v), side="right"), -1) for v in values]
        return _frame(both, [f"{v:.6g}" for v in distinct], [(v, v) for v in distinct], codes)
    low, high = np.quantile(known, [0.005, 0.995])
    if low == high:  # one number and a few others
        low, high = distinct[0], distinct[-1]
    inner = np.linspace(low, high, _INTERVALS + 1)
    edges = np.unique(np.concatenate([[min(distinct[0], low)], inner, [max(distinct[-1], high)]]))
    codes = [np.where(np.isfinite(v), np.searchsorted(edges[1:-1], np.nan_to_num(v), side="right"), -1) for v in values]
    intervals = list(pairwise(edges))
    return _frame(both, [f"{a:.4g} to {b:.4g}" for a, b in intervals], intervals, codes)
