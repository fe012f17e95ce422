"""Whole counts of a block of zones put down one zone after another, as the rows of a CSR matrix."""

import numpy as np

from synthpop_gb.kernels._jit import njit

__all__ = ["add_row", "empty_rows"]

_FIRST_GUESS = 512  # entries a zone; more are made room for as they come


@njit
def empty_rows(n_zones, n_profiles):
    """Allocate what `add_row` fills. Returns (profile, count), int32, with room for the entries that zones usually have."""
    room = max(1, n_zones * min(n_profiles, _FIRST_GUESS))
    return np.empty(room, np.int32), np.empty(room, np.int32)


@njit
def add_row(counts, profile, count, n):
    """Append one zone's counts above nought.

    counts : (n_profiles,) int32, people. profile, count : int32, of which the first n entries are taken.
    Returns (profile, count, n): the same arrays, or longer copies; and how many entries are taken now.
    """
    n_profiles = counts.shape[0]
    if n + n_profiles > profile.shape[0]:
        used = 0
        for p in range(n_profiles):
            used += counts[p] > 0
        if n + used > profile.shape[0]:
            profile, count = _grown(profile, n, n + used), _grown(count, n, n + used)
    for p in range(n_profiles):
        if counts[p] > 0:
            profile[n] = p
            count[n] = counts[p]
            n += 1
    return profile, count, n


@njit
def _grown(array, n, needed):
    """Copy of array[:n] with room for `needed` and as much again."""
    out = np.empty(2 * needed, array.dtype)
    out[:n] = array[:n]
    return out
