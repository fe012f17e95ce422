"""Totals before details: household tables and the number of people are put right before annealing looks at anything else.

Annealing in narrow strata cannot change them, and in wide ones it is trapped by them: where the sizes of households are banded at
the top ('6 or more'), the few swaps that change a zone's number of people by one change a dozen cells besides, and no cold search
makes them once the rest fits: zones stay one person out in every table. Made first, while plenty is off, they cost nothing.
"""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.streams import next_below, next_uniform
from synthpop_gb.kernels.unit_swaps import ALIKE, WIDE, list_units, prepare_donors, propose

__all__ = ["people_off", "settle_totals"]

_NOBODY = -1
_ADD, _REMOVE = 0, 1  # of eight proposals
_SIDEWAYS = 0.1  # share of the moves let through that only shift what is off


@njit
def settle_totals(tops, n, near, tries, weights, parts, layout, placed, work, state):
    """Swap, add and remove units until household tables and numbers of people are right, or tries are over.

    tops, n : of `list_units`; near : see `unit_swaps.propose`, for the first half of the tries; tries : proposals, for all zones
    together. Donors of `work` are overwritten.
    Returns (tops, units, how much is off still, total absolute error, proposals made).
    """
    off, people, made = _measure(parts, placed), 0, 0
    for z in range(placed.counts.shape[0]):
        people += abs(people_off(z, parts, layout, placed))
    which = ALIKE if off == 0 else WIDE
    if off + people > 0:
        prepare_donors(weights, which, near, layout, work)
    while off + people > 0 and made < tries:
        if near and 2 * made >= tries:  # half of the tries have gone: any unit may leave, any donor come
            near = False
            prepare_donors(weights, which, near, layout, work)
        choice = tops if near else n
        if choice == 0:
            break
        made += 1
        if which == WIDE and off == 0:
            which = ALIKE
            prepare_donors(weights, which, near, layout, work)
        i, q = propose(choice, which, near, weights, parts, layout, placed, work, state)
        if q < 0:
            continue
        z, kind = np.int64(placed.zone[i]), next_below(state, 8)
        if kind == _ADD:
            if n == placed.zone.shape[0]:
                continue
            i = _NOBODY
        elif kind == _REMOVE:
            q = np.int64(_NOBODY)
        before = abs(people_off(z, parts, layout, placed))
        change = _shift(z, i, q, 1, parts, layout, placed)
        further = abs(people_off(z, parts, layout, placed)) - before
        gain = further if change == 0 else change  # household tables first
        if gain > 0 or (gain == 0 and (i < 0 or q < 0 or which != WIDE or next_uniform(state) > _SIDEWAYS)):
            _shift(z, i, q, -1, parts, layout, placed)
            continue
        off += change
        people += further
        if i >= 0:
            placed.counts[z, placed.profile[i]] -= 1
        if q >= 0:
            placed.counts[z, q] += 1
        if i >= 0 and q >= 0:
            placed.profile[i] = q
        else:
            tops, n, _ = list_units(weights, parts, layout, placed)
    error = 0
    for g in range(placed.gap.shape[0]):
        error += abs(placed.gap[g])
    return tops, n, off + people, error, made


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _measure(parts, placed):
    """Total absolute error of household tables."""
    off = 0
    for g in range(placed.gap.shape[0]):
        if parts.household[g]:
            off += abs(placed.gap[g])
    return off


@njit(inline="always")
def people_off(z, parts, layout, placed):
    """People that a zone has too many, by the table that counts most of them."""
    off = 0
    for c in range(layout.people_first, layout.people_end):
        off += placed.gap[parts.place[z, c]]
    return off


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _shift(z, i, q, way, parts, layout, placed):
    """Change gaps as if unit i left and a unit of profile q came (either -1: nobody). way : 1, or -1 for back again.

    Returns the change of the total absolute error of household tables.
    """
    change = 0
    for side in range(2):
        p = q if side == 1 else (placed.profile[i] if i >= 0 else -1)
        if p < 0:
            continue
        step = way if side == 1 else -way
        for k in range(layout.start[p], layout.start[p + 1]):
            g = parts.place[z, layout.cell[k]]
            if g >= 0:
                if parts.household[g]:
                    change -= abs(placed.gap[g])
                placed.gap[g] += step * layout.count[k]
                if parts.household[g]:
                    change += abs(placed.gap[g])
    return change
