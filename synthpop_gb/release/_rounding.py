"""Counts rounded to a base: each to a multiple beside it, and the parts of a line to what the line's total is rounded to."""

from __future__ import annotations

import numpy as np

__all__ = ["round_counts", "round_values"]


def round_values(values, base: int) -> np.ndarray:
    """Round to the nearest multiple of a base; halves go up. NaN stays.

    >>> round_values([2, 3, 7.5, np.nan], 5).tolist()
    [0.0, 5.0, 10.0, nan]
    """
    return base * np.floor(np.asarray(values, np.float64) / base + 0.5)


def round_counts(counts, base: int, *, method: str = "nearest", seed: int | None = None) -> np.ndarray:
    """Round the counts of each line so that they add up to the line's rounded total.

    Every count becomes one of the two multiples of the base beside it (a multiple stays), and the rounded counts of a line add up
    to one of the two multiples beside the line's total (Cox 1987, JASA 82: controlled rounding in one dimension).

    - 'nearest': the total goes to its nearest multiple, and those counts go up that lack least of the next multiple, so the same
      counts are always rounded alike. Without noise, and slightly biased.
    - 'random': a systematic draw (Madow 1949) over the line's counts in random order: a count goes up with the probability
      remainder / base, so that each count and each total is expected to be itself.

    Parameters
    ----------
    counts : array-like
        (n_lines, n_cells) or (n_cells,) whole numbers >= 0; NaN (withheld) stays and is no part of the total.
    base : int
        Greater than 0; with 1 nothing changes.
    method : str
        'nearest' or 'random'.
    seed : int, optional
        For 'random', where it is needed. Keep it secret: whoever knows it learns more of the counts than the rounding tells.

    Raises
    ------
    ValueError
        For counts that are negative or not whole, another method, a base below 1, or a missing seed.

    >>> round_counts([[1, 1, 1], [4, 4, 12]], 5).tolist()
    [[5.0, 0.0, 0.0], [5.0, 5.0, 10.0]]
    """
    values = np.asarray(counts, np.float64)
    known = values[~np.isnan(values)]
    if (known < 0).any() or (known % 1 != 0).any():
        raise ValueError("counts are whole numbers from 0 up")
    if base < 1 or method not in ("nearest", "random") or (method == "random" and seed is None):
        raise ValueError("round to a base from 1 up, 'nearest' or 'random', the latter with a seed")
    lines = np.atleast_2d(values)
    whole = np.where(np.isnan(lines), 0.0, lines).astype(np.int64)
    rest = whole % base
    up = _nearest(rest, base) if method == "nearest" else _systematic(rest, base, np.random.default_rng(seed))
    rounded = np.where(np.isnan(lines), np.nan, (whole - rest + base * up).astype(np.float64))
    return rounded.reshape(values.shape)


def _nearest(rest: np.ndarray, base: int) -> np.ndarray:
    """(n_lines, n_cells) bool: counts that go up, the largest remainders first, the earlier of equal ones."""
    total = rest.sum(axis=1)
    many = np.floor(total / base + 0.5).astype(np.int64)
    order = np.argsort(-rest, axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(rest.shape[1]), rest.shape), axis=1)
    return (rank < many[:, None]) & (rest > 0)  # the total of remainders is at most that of the cells that have one


def _systematic(rest: np.ndarray, base: int, rng: np.random.Generator) -> np.ndarray:
    """(n_lines, n_cells) bool: counts that go up, by points every `base` along the remainders in random order."""
    order = np.argsort(rng.random(rest.shape), axis=1)
    start = rng.random((len(rest), 1)) * base
    running = np.cumsum(np.take_along_axis(rest, order, axis=1), axis=1)
    passed = np.floor((running + start) / base)
    up = np.diff(passed, axis=1, prepend=0.0) > 0
    out = np.zeros(rest.shape, bool)
    np.put_along_axis(out, order, up, axis=1)
    return out
