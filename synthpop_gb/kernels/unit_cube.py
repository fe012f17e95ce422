"""The cube method for whole households: a balanced draw on an incidence, landed so that household tables are kept.

As `cube`, on profiles whose members count several times in a cell. The flight keeps every cell's sum and leaves about as many
profiles open as there are independent cells. A second flight lets those move with the household cells alone kept (the landing by
suppression of variables of Deville & Tille 2004, Biometrika 91, section 5): the sums of up to two household tables are whole
at its end, since such tables' constraints are totally unimodular. What is still open then is drawn systematically.

Of a large survey most weights of a zone are far below 1, and every unit costs the flight the same. Small fractions may therefore
meet first, within their stratum: two neighbours keep their sum and one of them arrives (the pivotal method: Deville & Tille 1998,
Biometrika 85), until those left are worth a flight. Household tables and sizes keep their sums exactly, others roughly.
"""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.cube import EDGE, REFACTOR_EVERY, clear_basis, close_basis, move_along, settle_arrived
from synthpop_gb.kernels.integerise import split, systematic
from synthpop_gb.kernels.streams import next_below, next_uniform

__all__ = ["cube_units"]

_NOBODY = -1


@njit
def cube_units(weights, most, least, layout, work, state, counts):
    """Draw whole counts of a zone's units with E[counts] = weights, |counts - weights| < 1, and tables kept but for the landing.

    weights : (n_profiles,) float64, units, finite and >= 0. Only read. most : (n_profiles,) int32. Copies that there may be of a
        profile, which weights are taken to heed: what is above is cut off.
    layout, work : of `unit_layout` and `unit_work`; state : (1,) uint64, the zone's stream, advanced.
    counts : (n_profiles,) int32. Overwritten.
    Returns how many profiles the first flight left open: at most the rank of the cells.
    """
    y, order = work.fraction, work.undecided
    n = split(weights, EDGE, counts, y, order)
    n = _within_limits(most, y, counts, order, n)
    if least > 0.0:
        n = _gather(least, layout, y, state, order, counts)
    _flight(order, n, False, layout, work, state)
    n_open = settle_arrived(y, order, n, counts)
    _flight(order, n_open, True, layout, work, state)
    left = settle_arrived(y, order, n_open, counts)
    systematic(y, order, left, state, counts)
    return n_open


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _within_limits(most, y, counts, order, n):
    """Take out profiles that have as many copies as they may. Returns how many are left undecided."""
    kept = 0
    for i in range(n):
        p = order[i]
        if counts[p] < most[p]:
            order[kept] = p
            kept += 1
        else:
            y[p] = 0.0
    for p in range(counts.shape[0]):
        counts[p] = min(counts[p], most[p])
    return kept


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _gather(least, layout, y, state, order, counts):
    """Let fractions of a narrow stratum meet, neighbours first, until none but the last is below `least`.

    Two that meet keep their sum: one arrives at 0 or at 1. Those that arrive at 1 are counted. Returns how many are still
    open; they are listed in `order`.
    """
    first, sorted_profiles, n = layout.first[0], layout.order[0], 0
    for s in range(first.shape[0] - 1):
        r, now = _NOBODY, 0.0
        for i in range(first[s], first[s + 1]):
            p = sorted_profiles[i]
            other = y[p]
            if other <= EDGE:
                continue
            if r >= 0:
                both = now + other
                if both < 1.0:
                    if next_uniform(state) * both < now:
                        p, y[p] = r, 0.0
                    else:
                        y[r] = 0.0
                    other = both
                else:
                    if next_uniform(state) * (2.0 - both) < 1.0 - other:
                        y[r] = 1.0
                        counts[r] += 1
                    else:
                        y[p] = 1.0
                        counts[p] += 1
                        p = r
                    other = both - 1.0
                y[p] = other
            if other > 1.0 - EDGE or other < EDGE:
                counts[p] += other > 0.5
                y[p] = 0.0
                r = _NOBODY
            elif other >= least:
                order[n] = p
                n += 1
                r = _NOBODY
            else:
                r, now = p, other
        if r >= 0:
            order[n] = r
            n += 1
    return n


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _flight(order, n, households, layout, work, state):
    """Let the units order[:n] enter one by one, in the profiles' own order from a random start (see `cube`).

    households : whether only cells of households are kept.
    """
    kept = work.people
    free, pivots = clear_basis(work), 0
    first = next_below(state, n) if n > 0 else 0
    for i in range(n):
        entered, free = _step(order[first + i - n if first + i >= n else first + i], free, households, layout, work, state)
        pivots += entered
        if pivots == REFACTOR_EVERY:
            m = close_basis(work, kept)
            free, pivots = clear_basis(work), 0
            for k in range(m):
                _, free = _step(kept[k], free, households, layout, work, state)
    close_basis(work, kept)


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _step(j, free, households, layout, work, state):
    """Let unit j enter: find the one direction that it opens, and go along it. Returns as `cube.move_along`."""
    u = work.direction
    u[:] = 0.0
    for k in range(layout.start[j], layout.start[j + 1]):
        c = layout.cell[k]
        if households and not layout.household[c]:
            continue
        row, times = work.inverse[c], np.float64(layout.count[k])
        for r in range(u.shape[0]):
            u[r] += times * row[r]
    return move_along(j, free, work, state)
