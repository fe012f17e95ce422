"""Tables moved to given totals by an unbiased draw: as few people as possible change cell, none in a preferred direction."""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.streams import next_uniform

__all__ = ["meet_margins", "settle", "uniforms"]


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


@njit
def meet_margins(table, weight, block, totals, keys):
    """Move people between cells of one table until every one of its margins has the totals wanted, or nobody can be moved.

    table : (n_zones, n_cells) float64, persons, whole. Changed in place; its sum by zone stays.
    weight : (n_zones, n_cells) float64, >= 0. Published counts: nobody moves into a cell of weight nought.
    block : (n_margins, n_cells) int32. Block of each cell in each margin, numbered across all margins.
    totals : (n_zones, n_blocks) float64, persons, whole. The blocks of each margin add up to the table's sum.
    keys : (n_zones,) uint64. State of each zone's stream.
    Returns (n_zones,) float64: people by which the margins are still wrong, half the sum of the absolute residuals.

    One person at a time goes from a cell of an overfull block to a cell of a block that lacks people, such that no other
    margin gets worse. The cell left is drawn in proportion to its people, the cell entered to its weight, so that the
    association of the table is disturbed as little as chance allows.
    """
    n_zones, n_cells = table.shape
    n_margins, n_blocks = block.shape[0], totals.shape[1]
    wrong = np.zeros(n_zones)
    excess, tried = np.empty(n_blocks), np.empty(n_cells, np.bool_)
    chance = np.empty(n_cells)
    state = np.empty(1, np.uint64)
    for z in range(n_zones):
        state[0] = keys[z]
        excess[:] = -totals[z]
        for m in range(n_margins):
            for c in range(n_cells):
                excess[block[m, c]] += table[z, c]
        tried[:] = False
        while True:
            size = 0.0  # people who could go: those in a cell that some margin has too many of
            for c in range(n_cells):
                chance[c] = 0.0
                if not tried[c]:
                    for m in range(n_margins):
                        if excess[block[m, c]] > 0.0:
                            chance[c] = table[z, c]
                size += chance[c]
            if size <= 0.0:
                break
            source = _draw(state, chance, size)
            size = 0.0
            for c in range(n_cells):
                gain, worse = False, False
                for m in range(n_margins):
                    if block[m, c] != block[m, source]:
                        better = excess[block[m, source]] > 0.0 and excess[block[m, c]] < 0.0
                        gain = gain or better
                        worse = worse or not better
                chance[c] = weight[z, c] if gain and not worse else 0.0
                size += chance[c]
            if size <= 0.0:
                tried[source] = True
                continue
            target = _draw(state, chance, size)
            table[z, source] -= 1.0
            table[z, target] += 1.0
            for m in range(n_margins):
                excess[block[m, source]] -= 1.0
                excess[block[m, target]] += 1.0
            tried[:] = False
        wrong[z] = np.abs(excess).sum() / 2.0
    return wrong


@njit
def _draw(state, chance, size):
    """Draw a cell in proportion to `chance`, whose sum is `size` > 0."""
    point, last = next_uniform(state) * size, 0
    for c in range(chance.shape[0]):
        if chance[c] > 0.0:
            last = c
            point -= chance[c]
            if point < 0.0:
                break
    return last
