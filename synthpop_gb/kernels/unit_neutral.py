"""Whole households brought onto the tables of areas by moves that leave every table of the zones as it is.

Zones are brought onto their own tables first (`unit_zones`); what their areas count besides is then off. A *neutral move*
exchanges one household of a zone for a donor alike in all of the zone's cells, or two whose changes cancel there; what it changes
are cells of the areas alone. Two that cancel are rare, but of M swaps drawn M^2 / 2 pairs are looked at through a hash of their
changes (`unit_pairs`), and hundreds to thousands cancel. Annealing over neutral moves leaves zones as they are, while cells of
the areas come right one after another. Zone by zone: the swaps of one fit a processor's cache, those of all do not.

Where a zone misses tables of its own, pairs that mend it are looked for as well, and wanted more than anything else.
"""

import math

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.streams import next_uniform, shuffle
from synthpop_gb.kernels.unit_pairs import slot_of
from synthpop_gb.kernels.unit_swaps import NARROW, Placed, exchange_units, go_back, prepare_donors, propose, swap_key

__all__ = ["list_moves", "nest_units", "try_swaps", "units_by_zone", "wanted_of"]

_CHAIN = 32  # swaps with the same changes that one is paired with at most


@njit
def units_by_zone(n, placed):
    """Put the first n units zone by zone. Returns (n_zones + 1,) int64, where those of each zone begin."""
    first = np.zeros(placed.counts.shape[0] + 1, np.int64)
    for i in range(n):
        first[np.int64(placed.zone[i]) + 1] += 1
    for z in range(first.shape[0] - 1):
        first[z + 1] += first[z]
    zone, profile, end = placed.zone[:n].copy(), placed.profile[:n].copy(), first.copy()
    for i in range(n):
        z = np.int64(zone[i])
        placed.zone[end[z]], placed.profile[end[z]] = zone[i], profile[i]
        end[z] += 1
    return first


@njit
def try_swaps(i, q, j, r, temperature, price, parts, layout, placed, state):
    """Exchange one unit (j = -1) or two, one after the other, unless one leads above a limit or the temperature refuses them.

    i, q : unit and the profile of its donor; j, r : the other. temperature : in priced people.
    Returns (whether made, rise of the error).
    """
    z, p, other = np.int64(placed.zone[i]), np.int64(placed.profile[i]), np.int64(-1)
    rise = exchange_units(i, q, price, parts, layout, placed)
    allowed = placed.counts[z, q] <= parts.most[z, q]
    if j >= 0:
        other = np.int64(placed.profile[j])
        rise += exchange_units(j, r, price, parts, layout, placed)
        allowed = allowed and placed.counts[z, r] <= parts.most[z, r]
    if allowed and (rise <= 0 or next_uniform(state) < math.exp(-rise / temperature)):
        return True, rise
    exchange_units(i, p, price, parts, layout, placed)
    if j >= 0:
        exchange_units(j, other, price, parts, layout, placed)
    return False, 0


@njit
def wanted_of(z, end, parts, placed):
    """Find how much a zone misses in gaps before `end`, and the key of the swap that would mend it: (error, key)."""
    error, key = 0, np.uint64(0)
    for c in range(parts.place.shape[1]):
        g = parts.place[z, c]
        if 0 <= g < end and placed.gap[g] != 0:
            error += abs(placed.gap[g])
            key -= np.uint64(np.int64(placed.gap[g])) * parts.salts[g]
    return error, key


@njit
def nest_units(n, first_area, sweeps, draws, hot, cooling, price, weights, parts, layout, placed, work, pairs, state):
    """Bring the units of a component onto the targets of its areas, the cells of its zones left as they are or mended.

    n : units that `unit_swaps.list_units` listed and measured in `placed`; any of them may move. They are put zone by zone.
    first_area : place of the first cell of an area in the row of gaps: those before are the zones'.
    sweeps, draws : sweeps over all zones, in random order, of so many swaps drawn each; `pairs` has room for those of a zone.
    hot, cooling : temperature of the first sweep, in priced people, and what it is multiplied by after each.
    price : (n_gaps,) int64, what a person missed counts for, cell by cell.
    weights, parts, layout, work, state : as in `unit_swaps`. Donors are drawn in narrow strata, in proportion to the weights.
    placed : changed in place; left at the best state seen.
    Returns (error at these prices, swaps drawn).
    """
    first, order = units_by_zone(n, placed), np.arange(weights.shape[0])
    before, again = np.zeros(draws, np.int32), np.zeros(draws, np.int32)
    error, made, temperature = 0, 0, hot
    for g in range(placed.gap.shape[0]):
        error += abs(placed.gap[g]) * price[g]
    prepare_donors(weights, NARROW, False, layout, work)
    best = error
    placed.kept[:n] = placed.profile[:n]
    for _ in range(sweeps):
        shuffle(state, order, order.shape[0])
        for k in range(order.shape[0]):
            z = order[k]
            low, high = first[z], first[z + 1]
            own = Placed(placed.counts, placed.gap, placed.zone[low:high], placed.profile[low:high], placed.kept[low:high])
            drawn, off, wanted = 0, 0, np.uint64(0)
            if error > 0 and high > low:
                pairs.table[:] = -1
                off, wanted = wanted_of(z, first_area, parts, placed)
            for _ in range(draws if high > low else 0):
                if error == 0:
                    break
                made += 1
                i, q = propose(high - low, NARROW, False, weights, parts, layout, own, work, state)
                if q < 0:
                    continue
                p = np.int64(own.profile[i])
                key, moved, rise = swap_key(z, p, q, first_area, parts, layout), False, 0
                for turn in range(1 if off > 0 else 0, -1, -1):  # what mends the zone, then what leaves it as it is
                    rest = wanted - key if turn == 1 else np.uint64(0) - key
                    if rest == 0:  # alone
                        moved, rise = try_swaps(i, q, -1, -1, temperature, price, parts, layout, own, state)
                    else:  # with one drawn before that changes the rest
                        k, looked = np.int64(pairs.table[slot_of(rest, pairs)]), 0
                        while k >= 0 and looked < _CHAIN and not moved:
                            other, donor = np.int64(pairs.unit[k]), np.int64(pairs.donor[k])
                            if other != i and own.profile[other] == before[k] and not (before[k] == q and donor == p):
                                looked += 1
                                moved, rise = try_swaps(i, q, other, donor, temperature, price, parts, layout, own, state)
                            k = np.int64(again[k])
                    if moved:
                        off = 0 if turn == 1 else off
                        break
                if moved:
                    error += rise
                    if error < best:
                        best = error
                        placed.kept[:n] = placed.profile[:n]
                elif key != 0:
                    pairs.key[drawn], pairs.unit[drawn], pairs.donor[drawn], before[drawn] = key, i, q, p
                    here = slot_of(key, pairs)
                    again[drawn] = pairs.table[here]
                    pairs.table[here] = drawn
                    drawn += 1
        temperature *= cooling
    if error > best:
        go_back(n, parts, layout, placed)
    return best, made


@njit
def list_moves(n, first_area, draws, weights, parts, layout, placed, work, pairs, state, moves, keys):
    """List neutral moves without making any.

    As `nest_units`; units are put zone by zone. moves : (room, 6) int64, written: unit, donor, the other unit and its donor (-1
    for none), and the profiles of both units. keys : (room,) uint64, of the changes of the areas' cells. Each zone gets an equal
    share of the room.
    Returns how many there are.
    """
    first, zones = units_by_zone(n, placed), weights.shape[0]
    again, found = np.zeros(draws, np.int32), 0
    prepare_donors(weights, NARROW, False, layout, work)
    for z in range(zones):
        low, high = first[z], first[z + 1]
        own = Placed(placed.counts, placed.gap, placed.zone[low:high], placed.profile[low:high], placed.kept[low:high])
        drawn, end = 0, found + keys.shape[0] // zones
        pairs.table[:] = -1
        for _ in range(draws if high > low else 0):
            if found >= end:
                break
            i, q = propose(high - low, NARROW, False, weights, parts, layout, own, work, state)
            if q < 0:
                continue
            p = np.int64(own.profile[i])
            key = swap_key(z, p, q, first_area, parts, layout)
            above = swap_key(z, p, q, placed.gap.shape[0], parts, layout) - key
            if key == 0:
                if above != 0:
                    _note(found, low + i, q, -1, -1, p, -1, above, moves, keys)
                    found += 1
                continue
            k, looked = np.int64(pairs.table[slot_of(np.uint64(0) - key, pairs)]), 0
            while k >= 0 and looked < _CHAIN and found < end:
                other, donor = np.int64(pairs.unit[k]), np.int64(pairs.donor[k])
                if other != i:
                    looked += 1
                    r = np.int64(own.profile[other])
                    both = above + swap_key(z, r, donor, placed.gap.shape[0], parts, layout)
                    both -= swap_key(z, r, donor, first_area, parts, layout)
                    if both != 0:
                        _note(found, low + i, q, low + other, donor, p, r, both, moves, keys)
                        found += 1
                k = np.int64(again[k])
            pairs.key[drawn], pairs.unit[drawn], pairs.donor[drawn] = key, i, q
            here = slot_of(key, pairs)
            again[drawn] = pairs.table[here]
            pairs.table[here] = drawn
            drawn += 1
    return found


@njit(inline="always")
def _note(row, i, q, j, r, p, other, key, moves, keys):
    """Write down a move."""
    moves[row, 0], moves[row, 1], moves[row, 2], moves[row, 3], moves[row, 4], moves[row, 5] = i, q, j, r, p, other
    keys[row] = key
