"""Zones that hang together brought onto their own tables, one after another, while their areas look on.

Annealing all zones at once does not get there: each of them needs its last few people mended by two or three swaps that together
are just what is missing (`unit_pairs`), and no such pair mends two zones. So each zone is annealed alone, people missed by its
areas counting as well, if less; then swaps are matched, and of those that mend it the ones that its areas like best are made.
Tables of households are put right before, household by household, of all exchanges the one that helps most.
"""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.streams import next_below, next_uniform
from synthpop_gb.kernels.unit_layout import UnitWork
from synthpop_gb.kernels.unit_neutral import try_swaps, units_by_zone, wanted_of
from synthpop_gb.kernels.unit_pairs import draw_swaps, slot_of
from synthpop_gb.kernels.unit_swaps import ALIKE, NARROW, Placed, exchange_units, prepare_donors, propose
from synthpop_gb.kernels.unit_totals import people_off

__all__ = ["close_zones"]

_STEPS, _COOLING = 20, 0.85  # of annealing a zone
_ENOUGH = 20  # ways to mend a zone among which the one that its areas like best is taken
_HOMES, _LOOKS = 40, 30  # exchanges that put household tables right, a zone; donors looked at for each


@njit
def close_zones(n, first_area, rounds, proposals, hot, draws, triples, price, weights, parts, layout, placed, work, pairs, state):
    """Bring zones that miss tables of their own onto them.

    n, first_area, price, weights, parts, layout, placed, work, state : as in `unit_neutral.nest_units`.
    rounds : looks at every zone. proposals, hot : of annealing a zone, doubled every round; temperature in priced people.
    draws, triples : see `unit_pairs.match_swaps`; `pairs` has room for the draws.
    Returns (zones that still miss something, swaps proposed).
    """
    first, zones, made, off = units_by_zone(n, placed), weights.shape[0], 0, 0
    for turn in range(rounds):
        off = 0
        for z in range(zones):
            low, high = first[z], first[z + 1]
            error, _ = wanted_of(z, first_area, parts, placed)
            if error == 0 or high == low:
                off += error > 0
                continue
            own = Placed(placed.counts, placed.gap, placed.zone[low:high], placed.profile[low:high], placed.kept[low:high])
            _mend_homes(z, high - low, first_area, price, weights, parts, layout, own, state)
            which = NARROW if people_off(z, parts, layout, placed) == 0 else ALIKE
            prepare_donors(weights[z : z + 1], which, False, layout, _own_work(z, work))
            made += _anneal(high - low, which, proposals << turn, hot, price, weights, parts, layout, own, work, state)
            error, wanted = wanted_of(z, first_area, parts, placed)
            if error > 0:
                closed, tried = _close(
                    z,
                    wanted,
                    high - low,
                    which,
                    first_area,
                    draws,
                    triples,
                    price,
                    weights,
                    parts,
                    layout,
                    own,
                    work,
                    pairs,
                    state,
                )
                made += tried
                off += not closed
        if off == 0:
            break
    return off, made


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _own_work(z, work):
    """Return work space of which the donors are those of one zone."""
    return UnitWork(
        work.fraction,
        work.undecided,
        work.people,
        work.inverse,
        work.direction,
        work.level,
        work.basis,
        work.chance[z : z + 1],
        work.alias[z : z + 1],
        work.small,
        work.large,
    )


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _anneal(m, which, proposals, hot, price, weights, parts, layout, own, work, state):
    """Anneal the units of one zone. Returns the proposals made."""
    temperature = hot
    for _ in range(_STEPS):
        for _ in range(proposals // _STEPS):
            i, q = propose(m, which, False, weights, parts, layout, own, work, state)
            if q >= 0:
                try_swaps(i, q, -1, -1, temperature, price, parts, layout, own, state)
        temperature *= _COOLING
    return proposals


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _close(z, wanted, m, which, first_area, draws, triples, price, weights, parts, layout, own, work, pairs, state):
    """Look for one, two or three swaps that mend a zone, and make those that its areas like best: (whether, looked at)."""
    drawn = draw_swaps(m, draws, draws, first_area, which, False, weights, parts, layout, own, work, pairs, state)
    table, looked, found = pairs.table, 0, 0
    least, bj, bk, br = np.int64(0), -1, -1, -1
    for t in range(triples + 1 if drawn > 0 else 0):
        r = -1 if t == 0 else next_below(state, drawn)
        rest = wanted if r < 0 else wanted - pairs.key[r]
        for j in range(drawn):
            k = np.int64(table[slot_of(rest - pairs.key[j], pairs)]) if rest != pairs.key[j] else -1
            if rest != pairs.key[j] and k < 0:
                continue
            rise, held = _weigh(j, k, r, price, parts, layout, own, pairs)
            if held and (found == 0 or rise < least):
                least, bj, bk, br = rise, j, k, r
            found += held
        looked += drawn
        if found >= _ENOUGH:
            break
    for s in (bj, bk, br):
        if s >= 0:
            exchange_units(np.int64(pairs.unit[s]), np.int64(pairs.donor[s]), price, parts, layout, own)
    return found > 0, draws + looked


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _weigh(j, k, r, price, parts, layout, own, pairs):
    """Find what up to three swaps together change (-1 = none): (rise, whether they are of different units and heed limits)."""
    a, b, c = np.int64(pairs.unit[j]), np.int64(-1), np.int64(-1)
    if k >= 0:
        b = np.int64(pairs.unit[k])
    if r >= 0:
        c = np.int64(pairs.unit[r])
    if a == b or a == c or (b >= 0 and b == c):
        return 0, False
    before, rise, held = (own.profile[a], own.profile[max(b, 0)], own.profile[max(c, 0)]), 0, True
    for s in (j, k, r):
        if s >= 0:
            rise += exchange_units(np.int64(pairs.unit[s]), np.int64(pairs.donor[s]), price, parts, layout, own)
    for s in (j, k, r):
        if s >= 0:
            i = np.int64(pairs.unit[s])
            held = held and own.counts[own.zone[i], own.profile[i]] <= parts.most[own.zone[i], own.profile[i]]
    exchange_units(a, np.int64(before[0]), price, parts, layout, own)
    if b >= 0:
        exchange_units(b, np.int64(before[1]), price, parts, layout, own)
    if c >= 0:
        exchange_units(c, np.int64(before[2]), price, parts, layout, own)
    return rise, held


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _mend_homes(z, m, first_area, price, weights, parts, layout, own, state):
    """Put the household tables of a zone right, exchange by exchange, as long as one helps."""
    order, first = layout.order[ALIKE], layout.first[ALIKE]
    for _ in range(_HOMES):
        if _homes_off(z, first_area, parts, layout, own) == 0:
            return
        best, unit, stratum, equal = 0, -1, -1, 0
        for i in range(m):
            p = np.int64(own.profile[i])
            gone = _homes_step(z, p, -1, first_area, parts, layout, own)
            for s in range(first.shape[0] - 1):
                if first[s + 1] == first[s]:
                    continue
                change = gone + _homes_come(z, np.int64(order[first[s]]), first_area, parts, layout, own)
                if change < best or (change == best and change < 0):
                    equal = 1 if change < best else equal + 1
                    best = change
                    if equal == 1 or next_uniform(state) * equal < 1.0:
                        unit, stratum = i, s
            _homes_step(z, p, 1, first_area, parts, layout, own)
        if unit < 0:
            return
        low, high, donor, least = first[stratum], first[stratum + 1], -1, 0
        p = np.int64(own.profile[unit])
        for _ in range(_LOOKS):
            q = np.int64(order[low + next_below(state, high - low)])
            if weights[z, q] > 0.0 and own.counts[z, q] < parts.most[z, q]:
                rise = exchange_units(unit, q, price, parts, layout, own)
                exchange_units(unit, p, price, parts, layout, own)
                if donor < 0 or rise < least:
                    donor, least = q, rise
        if donor < 0:
            return
        exchange_units(unit, np.int64(donor), price, parts, layout, own)


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _homes_off(z, first_area, parts, layout, own):
    """Total absolute error of a zone's household tables."""
    off = 0
    for c in range(layout.household.shape[0]):
        g = parts.place[z, c]
        if layout.household[c] and 0 <= g < first_area:
            off += abs(own.gap[g])
    return off


@njit(inline="always")
def _homes_step(z, p, step, first_area, parts, layout, own):
    """Let a unit of profile p leave (step -1) or come (1), in gaps of household tables alone. Returns how their error changes."""
    change = 0
    for k in range(layout.start[p], layout.start[p + 1]):
        c = layout.cell[k]
        g = parts.place[z, c]
        if layout.household[c] and 0 <= g < first_area:
            before = abs(own.gap[g])
            own.gap[g] += step * layout.count[k]
            change += abs(own.gap[g]) - before
    return change


@njit(inline="always")
def _homes_come(z, q, first_area, parts, layout, own):
    """Find by how much the error of a zone's household tables would change if a unit of profile q came."""
    change = 0
    for k in range(layout.start[q], layout.start[q + 1]):
        c = layout.cell[k]
        g = parts.place[z, c]
        if layout.household[c] and 0 <= g < first_area:
            change += abs(own.gap[g] + layout.count[k]) - abs(own.gap[g])
    return change
