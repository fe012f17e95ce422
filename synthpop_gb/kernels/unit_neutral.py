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
from synthpop_gb.kernels.unit_swaps import NARROW, prepare_donors, propose

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
    mask = np.uint64(table.shape[0] - 1)
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
            key = _key(z, p, q, first_area, parts, layout)
            moved, rise = False, 0
            if key == 0:
                moved, rise = _try(i, q, -1, -1, first_area, temperature, parts, layout, placed, state)
            else:
                k, looked = _first_with(np.uint64(0) - key, table, mask, pairs), 0
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
                here = key & mask
                while table[here] >= 0 and pairs.key[table[here]] != key:
                    here = (here + np.uint64(1)) & mask
                again[drawn] = table[here]
                table[here] = drawn
                drawn += 1
        temperature *= cooling
    if error > best:
        for i in range(n):
            if placed.profile[i] != placed.kept[i]:
                _exchange(i, np.int64(placed.kept[i]), first_area, parts, layout, placed)
    return best, made


@njit(inline="always")
def _key(z, p, q, first_area, parts, layout):
    """Return the number that tells what a swap changes in the zone's own cells."""
    key = np.uint64(0)
    for k in range(layout.start[p], layout.start[p + 1]):
        g = parts.place[z, layout.cell[k]]
        if 0 <= g < first_area:
            key -= np.uint64(layout.count[k]) * parts.salts[g]
    for k in range(layout.start[q], layout.start[q + 1]):
        g = parts.place[z, layout.cell[k]]
        if 0 <= g < first_area:
            key += np.uint64(layout.count[k]) * parts.salts[g]
    return key


@njit(inline="always")
def _first_with(key, table, mask, pairs):
    """Find the latest swap with this key, or -1."""
    here = key & mask
    while table[here] >= 0 and pairs.key[table[here]] != key:
        here = (here + np.uint64(1)) & mask
    return np.int64(table[here])


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _exchange(i, q, first_area, parts, layout, placed):
    """Put a unit of profile q in the place of unit i; returns the change of the areas' total absolute error."""
    z, p, rise = np.int64(placed.zone[i]), np.int64(placed.profile[i]), 0
    for side in range(2):
        row = q if side == 1 else p
        step = 1 if side == 1 else -1
        for k in range(layout.start[row], layout.start[row + 1]):
            g = parts.place[z, layout.cell[k]]
            if g >= 0:
                if g >= first_area:
                    rise -= abs(placed.gap[g])
                placed.gap[g] += step * layout.count[k]
                if g >= first_area:
                    rise += abs(placed.gap[g])
    placed.counts[z, p] -= 1
    placed.counts[z, q] += 1
    placed.profile[i] = q
    return rise


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _try(i, q, j, r, first_area, temperature, parts, layout, placed, state):
    """Make a neutral move of one unit (j = -1) or two, unless it is refused. Returns (whether made, rise of the error)."""
    z, p, other = np.int64(placed.zone[i]), np.int64(placed.profile[i]), np.int64(-1)
    rise = _exchange(i, q, first_area, parts, layout, placed)
    allowed = placed.counts[z, q] <= parts.most[z, q]
    if j >= 0:
        other = np.int64(placed.profile[j])
        rise += _exchange(j, r, first_area, parts, layout, placed)
        allowed = allowed and placed.counts[z, r] <= parts.most[z, r]
    if allowed and (rise <= 0 or next_uniform(state) < math.exp(-rise / temperature)):
        return True, rise
    _exchange(i, p, first_area, parts, layout, placed)
    if j >= 0:
        _exchange(j, other, first_area, parts, layout, placed)
    return False, 0


@njit
def favour_areas(n, which, first_area, weight, steps, proposals, hot, cooling, weights, parts, layout, placed, work, state):
    """Swap units while it cools, a person missed by an area counting as `weight` people missed by a zone.

    which : strata that swaps keep within, as in `unit_swaps.propose`.
    steps, proposals : steps of so many proposals each, between which the temperature is multiplied by `cooling`. Others as in
    `nest_units`. placed : changed in place; left at the best state seen.
    Returns (that state's error so weighted, proposals made).
    """
    gap, place = placed.gap, parts.place
    error = 0
    for g in range(gap.shape[0]):
        error += abs(gap[g]) * (weight if g >= first_area else 1)
    prepare_donors(weights, which, False, layout, work)
    best, made, temperature = error, 0, hot
    placed.kept[:n] = placed.profile[:n]
    for _ in range(steps):
        for _ in range(proposals):
            if error == 0:
                return error, made
            made += 1
            i, q = propose(n, which, False, weights, parts, layout, placed, work, state)
            if q < 0:
                continue
            z, p = np.int64(placed.zone[i]), np.int64(placed.profile[i])
            rise = 0
            for k in range(layout.start[p], layout.start[p + 1]):
                g = place[z, layout.cell[k]]
                if g >= 0:
                    here = weight if g >= first_area else 1
                    rise -= here * abs(gap[g])
                    gap[g] -= layout.count[k]
                    rise += here * abs(gap[g])
            for k in range(layout.start[q], layout.start[q + 1]):
                g = place[z, layout.cell[k]]
                if g >= 0:
                    here = weight if g >= first_area else 1
                    rise -= here * abs(gap[g])
                    gap[g] += layout.count[k]
                    rise += here * abs(gap[g])
            if rise <= 0 or next_uniform(state) < math.exp(-rise / temperature):
                error += rise
                placed.profile[i] = q
                placed.counts[z, p] -= 1
                placed.counts[z, q] += 1
                if error < best:
                    best = error
                    placed.kept[:n] = placed.profile[:n]
            else:
                for k in range(layout.start[p], layout.start[p + 1]):
                    g = place[z, layout.cell[k]]
                    if g >= 0:
                        gap[g] += layout.count[k]
                for k in range(layout.start[q], layout.start[q + 1]):
                    g = place[z, layout.cell[k]]
                    if g >= 0:
                        gap[g] -= layout.count[k]
        temperature *= cooling
    if error > best:
        for i in range(n):
            if placed.profile[i] != placed.kept[i]:
                _exchange(i, np.int64(placed.kept[i]), first_area, parts, layout, placed)
    return best, made
