"""Donors of one zone: who is eligible, and a table from which one is drawn in constant time.

A donor with an attribute of which a zone has nobody could only do harm, so it is left out (the Flexible Modelling Framework's
rule). Where that leaves nobody, those with the fewest such attributes are taken. Donors are then drawn by the alias method
(Walker 1977, ACM Trans. Math. Softw. 3; the linear-time table of Vose 1991, IEEE Trans. Softw. Eng. 17).
"""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.streams import next_below, next_uniform

__all__ = ["draw_donor", "eligible_donors", "make_alias"]


@njit
def eligible_donors(targets, start, layout, eligible):
    """Mark the profiles that may be put into a zone.

    targets : (n_cells,) float64, persons, taken to whole numbers. start : (n_profiles,) float64; a profile of weight nought
        has no record. eligible : (n_profiles,) bool. Written.
    Returns (n_eligible, n_empty): profiles marked; cells that nobody is wanted in of each of them, 0 unless all others have
        more. (0, 0) where no profile has a weight.
    """
    cells, n_cells = layout.cells, layout.n_cells
    fewest, n_eligible = cells.shape[1] + 1, 0
    for p in range(cells.shape[0]):
        eligible[p] = False
        if start[p] > 0.0:
            empty = 0
            for k in range(cells.shape[1]):
                c = cells[p, k]
                if c != n_cells and np.rint(targets[c]) == 0.0:
                    empty += 1
            if empty < fewest:
                fewest, n_eligible = empty, 0
                eligible[:p] = False
            if empty == fewest:
                eligible[p] = True
                n_eligible += 1
    return n_eligible, fewest if n_eligible > 0 else 0


@njit
def make_alias(weight, chance, alias, small, large):
    """Make the table that `draw_donor` draws from in proportion to `weight`.

    weight : (n,) float64, >= 0. Only read. chance : (n,) float64, alias : (n,) int32. Written.
    small, large : (n,) int32. Work space. Returns the sum of the weights; where it is 0, nothing can be drawn.
    """
    n, total = weight.shape[0], 0.0
    for p in range(n):
        total += weight[p]
    if not total > 0.0:
        return 0.0
    scale = n / total
    n_small, n_large, heaviest = 0, 0, 0
    for p in range(n):
        chance[p] = weight[p] * scale
        alias[p] = p
        if weight[p] > weight[heaviest]:
            heaviest = p
        if chance[p] < 1.0:
            small[n_small] = p
            n_small += 1
        else:
            large[n_large] = p
            n_large += 1
    while n_small > 0 and n_large > 0:
        n_small -= 1
        s, l = small[n_small], large[n_large - 1]
        alias[s] = l
        chance[l] -= 1.0 - chance[s]
        if chance[l] < 1.0:
            n_large -= 1
            small[n_small] = l
            n_small += 1
    for i in range(n_large):
        chance[large[i]] = 1.0
    for i in range(n_small):  # left over by rounding alone
        p = small[i]
        if weight[p] > 0.0:
            chance[p] = 1.0
        else:
            alias[p] = heaviest
    return total


@njit(inline="always")
def draw_donor(state, chance, alias):
    """Draw a profile. state : (1,) uint64, advanced by two."""
    p = next_below(state, chance.shape[0])
    return p if next_uniform(state) < chance[p] else np.int64(alias[p])
