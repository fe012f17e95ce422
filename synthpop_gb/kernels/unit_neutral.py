"""Whole households brought onto the tables of areas by moves that leave every table of the zones as it is.

Zones are brought onto their own tables first, each by itself; what their areas count besides is then off. A *neutral move*
exchanges one household of a zone for a donor alike in all of the zone's cells, or two whose changes cancel there; what it changes
are cells of the areas alone. Two that cancel are rare, but of M swaps drawn M^2 / 2 pairs are looked at through a hash of their
changes (`unit_pairs`), and hundreds to thousands cancel. Annealing over neutral moves leaves zones as they are, while cells of
the areas come right one after another.
"""

import math

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.streams import next_uniform
from synthpop_gb.kernels.unit_pairs import slot_of
from synthpop_gb.kernels.unit_swaps import NARROW, exchange_units, go_back, prepare_donors, propose, swap_key

__all__ = ["nest_units"]

_CHAIN = 32  # swaps with the same changes that one is paired with at most


@njit
def nest_units(n, first_area, rounds, draws, hot, cooling, weights, parts, layout, placed, work, pairs, state):
    """Bring the units of a component onto the targets of its areas, the cells of its zones left as they are.

    n : units that `unit_swaps.list_units` listed and measured in `placed`; any of them may move.
    first_area : place of the first cell of an area in the row of gaps: those before are the zones'.
    rounds, draws : rounds of so many swaps drawn; `pairs` must have room for them.
    hot, cooling : temperature of the first round, in the areas' total absolute error, and what it is multiplied by after each.
    weights, parts, layout, work, state : as in `unit_swaps`. Donors are drawn in narrow strata, in proportion to the weights.
    placed : changed in place; left at the best state seen.
    Returns (error of the areas, swaps drawn).
    """
    gap, table = placed.gap, pairs.table
    before, again = np.zeros(draws, np.int32), np.zeros(draws, np.int32)
    error = 0
    for g in range(first_area, gap.shape[0]):
        error += abs(gap[g])
    prepare_donors(weights, NARROW, False, layout, work)
    best, made, temperature = error, 0, hot
    placed.kept[:n] = placed.profile[:n]
    for _ in range(rounds):
        table[:] = -1
        drawn = 0
        for _ in range(draws):
            if error == 0:
                return error, made
            made += 1
            i, q = propose(n, NARROW, False, weights, parts, layout, placed, work, state)
            if q < 0:
                continue
            z, p = np.int64(placed.zone[i]), np.int64(placed.profile[i])
            key = swap_key(z, p, q, first_area, parts, layout)
            moved, rise = False, 0
            if key == 0:
                moved, rise = _try(i, q, -1, -1, first_area, temperature, parts, layout, placed, state)
            else:
                k, looked = np.int64(table[slot_of(np.uint64(0) - key, pairs)]), 0
                while k >= 0 and looked < _CHAIN and not moved:
                    other = np.int64(pairs.unit[k])
                    if other != i and placed.profile[other] == before[k]:
                        looked += 1
                        moved, rise = _try(
                            i, q, other, np.int64(pairs.donor[k]), first_area, temperature, parts, layout, placed, state
                        )
                    k = np.int64(again[k])
            if moved:
                error += rise
                if error < best:
                    best = error
                    placed.kept[:n] = placed.profile[:n]
            elif key != 0:
                pairs.key[drawn], pairs.unit[drawn], pairs.donor[drawn], before[drawn] = key, i, q, p
                here = slot_of(key, pairs)
                again[drawn] = table[here]
                table[here] = drawn
                drawn += 1
        temperature *= cooling
    if error > best:
        go_back(n, parts, layout, placed)
    return best, made


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _try(i, q, j, r, first_area, temperature, parts, layout, placed, state):
    """Make a neutral move of one unit (j = -1) or two, unless it is refused. Returns (whether made, rise of the error)."""
    z, p, other = np.int64(placed.zone[i]), np.int64(placed.profile[i]), np.int64(-1)
    rise = exchange_units(i, q, first_area, parts, layout, placed)
    allowed = placed.counts[z, q] <= parts.most[z, q]
    if j >= 0:
        other = np.int64(placed.profile[j])
        rise += exchange_units(j, r, first_area, parts, layout, placed)
        allowed = allowed and placed.counts[z, r] <= parts.most[z, r]
    if allowed and (rise <= 0 or next_uniform(state) < math.exp(-rise / temperature)):
        return True, rise
    exchange_units(i, p, first_area, parts, layout, placed)
    if j >= 0:
        exchange_units(j, other, first_area, parts, layout, placed)
    return False, 0
