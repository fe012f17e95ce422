"""Tables moved to given totals by an unbiased draw: as few people as possible change cell, none in a preferred direction."""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.streams import next_uniform

__all__ = ["settle", "uniforms"]


@njit
def uniforms(keys):
    """First uniform draw of many streams. keys: (n,) uint64, left as they are. Returns (n,) float64 in [0, 1)."""
    out = np.empty(keys.shape[0])
    state = np.empty(1, np.uint64)
    for i in range(keys.shape[0]):
        state[0] = keys[i]
        out[i] = next_uniform(state)
    return out


@njit
def settle(counts, block, totals, share, keys, out):
    """Move every zone's counts to whole numbers that add up to given totals, block of cells by block of cells.

    counts : (n_zones, n_cells) float64, persons, >= 0. Published.
    block : (n_cells,) int32. Which total each cell belongs to, 0 to n_blocks - 1.
    totals : (n_zones, n_blocks) float64, persons. Whole numbers >= 0.
    share : (n_cells,) float64, >= 0, above nought somewhere in each block. How people are spread over a block that is all
        nought in a zone where its total is not.
    keys : (n_zones,) uint64. State of each zone's stream; one uniform is drawn a block.
    out : (n_zones, n_cells) float64. Written.

    Within a block of old total T and new total M, E[out] = counts * M / T, and whole counts change by |M - T| in all, which
    is the least possible: a systematic sample (Madow 1949, Ann. Math. Statist. 20) of |M - T| people, with probability
    proportional to the counts, is added or removed. Its points lie T / |M - T| >= 1 apart when removing, so no cell falls
    below nought. Where a count is not whole, the sample is of all M people, each cell getting its expected count rounded
    up or down.
    """
    n_zones, n_cells = counts.shape
    state = np.empty(1, np.uint64)
    for z in range(n_zones):
        state[0] = keys[z]
        for b in range(totals.shape[1]):
            u = next_uniform(state)
            old, whole = 0.0, True
            for c in range(n_cells):
                if block[c] == b:
                    old += counts[z, c]
                    whole = whole and counts[z, c] == np.floor(counts[z, c])
            size, last = 0.0, -1
            for c in range(n_cells):
                weight = counts[z, c] if old > 0.0 else share[c]
                if block[c] == b and weight > 0.0:
                    size += weight
                    last = c
            keep = whole and old > 0.0
            drawn = np.abs(totals[z, b] - old) if keep else totals[z, b]
            sign = -1.0 if keep and totals[z, b] < old else 1.0
            passed, before = 0.0, 0.0
            for c in range(n_cells):
                if block[c] != b:
                    continue
                passed += counts[z, c] if old > 0.0 else share[c]
                after = max(before, min(drawn, np.ceil(passed * drawn / size - u)))
                if c == last:  # all of them, whatever the last bit of a difference from u says
                    after = drawn
                out[z, c] = (counts[z, c] if keep else 0.0) + sign * (after - before)
                before = after
