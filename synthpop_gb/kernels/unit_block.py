"""Whole households of zones that nothing binds to others, one after another in one call, as the rows of a CSR matrix."""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.sparse_rows import add_row, empty_rows
from synthpop_gb.kernels.unit_whole import place_units

__all__ = ["place_alone"]


@njit
def place_alone(weights, targets, most, effort, parts, layout, placed, best, work, pairs, states):
    """Place zones, each a component of its own.

    weights : (n, n_profiles) float64, units. targets : (n, n_cells) int32. most : (n, n_profiles) int32, or (1, n_profiles) for
        all zones. states : (n,) uint64, streams of the zones, advanced. n > 0.
    parts : of `component`, one zone's; its targets and limits are overwritten. placed, best : for one zone, with room for the
        units of each. Others as in `place_units`.
    Returns (indptr, profile, count, found): rows as in `sparse_rows`, indptr (n + 1,) int64; found (n, 4) int64, the error of
        household cells and of others, proposals, restarts.
    """
    n = weights.shape[0]
    profile, count = empty_rows(n, weights.shape[1])
    indptr, found, end = np.zeros(n + 1, np.int64), np.zeros((n, 4), np.int64), 0
    gap = np.empty(layout.n_cells, np.int64)
    for z in range(n):
        parts.target[:] = targets[z]
        if z < most.shape[0]:
            parts.most[0] = most[z]
        _, found[z, 2], found[z, 3] = place_units(
            weights[z : z + 1], effort, parts, layout, placed, best, work, pairs, states[z : z + 1]
        )
        profile, count, after = add_row(best[0], profile, count, end)
        for c in range(gap.shape[0]):
            gap[c] = -targets[z, c]
        for i in range(end, after):
            p = profile[i]
            for k in range(layout.start[p], layout.start[p + 1]):
                gap[layout.cell[k]] += layout.count[k] * count[i]
        for c in range(gap.shape[0]):
            found[z, 0 if layout.household[c] else 1] += abs(gap[c])
        indptr[z + 1] = end = after
    return indptr, profile[:end], count[:end], found
