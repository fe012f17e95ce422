"""Totals before details: household tables and the number of people are put right before annealing looks at anything else.

Annealing in narrow strata cannot change them, and in wide ones it is trapped by them: where the sizes of households are banded at
the top ('6 or more'), the few swaps that change a zone's number of people by one change a dozen cells besides, and no cold search
makes them once the rest fits. Made first, while plenty is off, they cost nothing: of zones made from a real population, a third
failed before, none after.
"""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.streams import next_below, next_uniform
from synthpop_gb.kernels.unit_swaps import ALIKE, WIDE, prepare_donors, propose

__all__ = ["settle_totals"]

_NOBODY = -1
_AWAY = 0.05  # see `unit_swaps.propose`
_SIDEWAYS = 0.1  # share of the moves let through that only shift what is off


@njit
def settle_totals(n, tries, weights, parts, layout, placed, work, state):
    """Swap, add and remove units until household tables and numbers of people are right, or tries are over.

    n : units; tries : proposals, for all zones together; others as in `anneal_units`. work's donors are overwritten.
    Returns (units, how much is off still, total absolute error, proposals made).
    """
    off, people = _measure(parts, layout, placed), 0
    for z in range(placed.counts.shape[0]):
        people += abs(_people_off(z, parts, layout, placed))
    made = 0
    which = ALIKE if off == 0 else WIDE
    if off + people > 0:
        prepare_donors(weights, which, layout, work)
    while off + people > 0 and made < tries and n > 0:
        made += 1
        if which == WIDE and off == 0:
            which = ALIKE
            prepare_donors(weights, which, layout, work)
        i, q = propose(n, which, _AWAY, weights, parts, layout, placed, work, state)
        if q < 0:
            continue
        z = np.int64(placed.zone[i])
        kind = next_below(state, 8)  # one in eight is added, one removed
        if kind == 0:
            if n == placed.zone.shape[0]:
                continue
            i = _NOBODY
        elif kind == 1:
            q = _NOBODY
        before = abs(_people_off(z, parts, layout, placed))
        change = _shift(z, i, q, 1, parts, layout, placed)
        after = abs(_people_off(z, parts, layout, placed))
        gain = after - before if change == 0 else change  # household tables first
        if gain < 0 or (gain == 0 and kind > 1 and which == WIDE and next_uniform(state) < _SIDEWAYS):
            off += change
            people += after - before
            n = _carry_out(z, i, q, n, placed)
        else:
            _shift(z, i, q, -1, parts, layout, placed)
    error = 0
    for g in range(placed.gap.shape[0]):
        error += abs(placed.gap[g])
    return n, off + people, error, made


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _measure(parts, layout, placed):
    """Total absolute error of household tables."""
    off = 0
    for g in range(placed.gap.shape[0]):
        if parts.household[g]:
            off += abs(placed.gap[g])
    return off


@njit(inline="always")
def _people_off(z, parts, layout, placed):
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


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _carry_out(z, i, q, n, placed):
    """Change counts and the list of units by a move whose gaps are changed already. Returns how many units there are."""
    if i >= 0:
        placed.counts[z, placed.profile[i]] -= 1
    if q >= 0:
        placed.counts[z, q] += 1
        if i < 0:
            i = n
            n += 1
            placed.zone[i] = z
        placed.profile[i] = q
    else:
        n -= 1
        placed.zone[i], placed.profile[i] = placed.zone[n], placed.profile[n]
    return n
