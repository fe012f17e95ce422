"""Units of a zone dealt out to the areas that the zone is divided between: whole, without bias, evenly over kinds of unit.

A zone's units are put in the order of their kinds, chance deciding among units of one kind; then area after area takes its
share of those who are left, by a systematic draw along that order with a random start (Madow 1949, Ann. Math. Stat. 20). Each
unit goes to an area with the probability that is the area's share; of every stretch of the order, so of every kind, an area
takes its share to within one unit a draw (implicit stratification).
"""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.streams import next_uniform, shuffle

__all__ = ["allocate_zones"]


@njit
def allocate_zones(unit_start, kind, part_start, share, keys):
    """Deal out the units of a block of zones.

    unit_start : (n_zones + 1,) int64; kind : (n_units,) int32. Units by zone as CSR, and what kind each is of.
    part_start : (n_zones + 1,) int64; share : (n_parts,) float64, > 0. Parts of each zone as CSR; shares of one zone add to 1.
    keys : (n_zones,) uint64. Each zone's stream key of purpose REZONE.
    Returns part (n_units,) int32: which part of its zone (counted from part_start) each unit goes to; -1 in a zone of no part.
    """
    part = np.full(kind.shape[0], -1, np.int32)
    state = np.empty(1, np.uint64)
    for z in range(unit_start.shape[0] - 1):
        first, n = unit_start[z], unit_start[z + 1] - unit_start[z]
        a, k = part_start[z], part_start[z + 1] - part_start[z]
        if n == 0 or k == 0:
            continue
        if k == 1:
            part[first : first + n] = 0
            continue
        state[0] = keys[z]
        mixed = np.arange(n)
        shuffle(state, mixed, n)
        order = mixed[np.argsort(kind[first + mixed], kind="mergesort")]
        left, rest = n, 1.0
        for j in range(k - 1):
            chance = min(share[a + j] / rest, 1.0)
            rest -= share[a + j]
            start, taken, kept = next_uniform(state), 0, 0
            for i in range(left):
                if np.int64(np.floor(start + (i + 1) * chance)) > taken:
                    taken += 1
                    part[first + order[i]] = j
                else:
                    order[kept] = order[i]
                    kept += 1
            left = kept
        for i in range(left):
            part[first + order[i]] = k - 1
    return part
