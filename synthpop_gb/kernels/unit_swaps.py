"""Swaps of whole households: one unit of a zone exchanged for another donor, scored by the cells that change alone.

A swap stays within a stratum of the donors, so that in the narrow ones, alike in all cells of households, household tables are
left as they are. While there is hope that *near* swaps do, profiles give up only the copy that they have above their weight, in
proportion to how much it is above, and take one only where they have less, in proportion to how much less: misses are mended
where the draw was wrong, counts stay within one of the weights, and the mean stays where it was.

Annealing (Kirkpatrick, Gelatt & Vecchi 1983, Science 220) on the total absolute error; for synthetic households Williamson,
Birkin & Rees (1998, Environ. Plan. A 30).
"""

import math
from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.anneal_donors import make_alias
from synthpop_gb.kernels.streams import next_below, next_uniform

__all__ = [
    "ALIKE", "NARROW", "WIDE", "Placed", "anneal_units", "exchange_units", "go_back", "list_units", "prepare_donors", "propose",
    "swap_key",
]  # fmt: skip

NARROW, ALIKE, WIDE = 0, 1, 2  # kinds of strata: see `UnitLayout.stratum`
_NOBODY = -1
_NONE = -1.0  # no chance: a stratum in which nobody has a weight


class Placed(NamedTuple):
    """Units placed in a component. Changed in place by those who search.

    counts : (n_zones, n_profiles) int32. Copies of each profile.
    gap : (n_gaps,) int32. Count minus target, in the row of `Component.place`.
    zone, profile : (room,) int32. Of each unit, in no order.
    kept : (room,) int32. Profiles of the units in the best state seen.
    """

    counts: np.ndarray
    gap: np.ndarray
    zone: np.ndarray
    profile: np.ndarray
    kept: np.ndarray


@njit
def list_units(weights, parts, layout, placed):
    """List the units that `placed.counts` tells of and measure their gaps.

    weights : (n_zones, n_profiles) float64, fitted weights.
    Returns (tops, units, total absolute error). The first `tops` units are *top copies*: one of every profile that has more
    copies than its weight.
    """
    gap, n = placed.gap, 0
    for g in range(gap.shape[0]):
        gap[g] = -parts.target[g]
    for z in range(placed.counts.shape[0]):
        for p in range(placed.counts.shape[1]):
            copies = placed.counts[z, p]
            if copies > 0:
                for k in range(layout.start[p], layout.start[p + 1]):
                    g = parts.place[z, layout.cell[k]]
                    if g >= 0:
                        gap[g] += copies * layout.count[k]
                if copies > weights[z, p]:
                    placed.zone[n] = z
                    placed.profile[n] = p
                    n += 1
    tops = n
    for z in range(placed.counts.shape[0]):
        for p in range(placed.counts.shape[1]):
            copies = placed.counts[z, p]
            for _ in range(copies - 1 if copies > weights[z, p] else copies):
                placed.zone[n] = z
                placed.profile[n] = p
                n += 1
    error = 0
    for g in range(gap.shape[0]):
        error += abs(gap[g])
    return tops, n, error


@njit
def prepare_donors(weights, which, near, layout, work):
    """Make the tables that donors of every zone and stratum are drawn from.

    weights : (n_zones, n_profiles) float64; which : NARROW, ALIKE or WIDE; near : whether in proportion to the weights'
        fractions, or to the weights. work.chance and work.alias are written.
    """
    first, order, sorted_weight = layout.first[which], layout.order[which], work.fraction
    for z in range(weights.shape[0]):
        for i in range(order.shape[0]):
            w = weights[z, order[i]]
            sorted_weight[i] = w - np.floor(w) if near else w
        for s in range(first.shape[0] - 1):
            a, b = first[s], first[s + 1]
            if b > a and make_alias(sorted_weight[a:b], work.chance[z, a:b], work.alias[z, a:b], work.small, work.large) == 0.0:
                for j in range(a, b):  # nobody to draw: each stands for the first, which is refused below
                    work.chance[z, j] = _NONE


@njit(inline="always")
def propose(n, which, near, weights, parts, layout, placed, work, state):
    """Propose a unit and a donor to take its place. Returns (unit, donor), the donor -1 where the proposal is refused.

    n : the units to choose from. near : whether counts stay within 1 of the weights, for which n are the top copies: a profile
        then gives a unit away in proportion to what it has above its weight. Otherwise any unit goes, and any donor.
    """
    i = next_below(state, n)
    z, p = np.int64(placed.zone[i]), np.int64(placed.profile[i])
    if near and next_uniform(state) > placed.counts[z, p] - weights[z, p]:
        return i, np.int64(_NOBODY)
    s = layout.stratum[which, p]
    a, b = layout.first[which, s], layout.first[which, s + 1]
    j = next_below(state, b - a) + a
    if work.chance[z, j] == _NONE:
        return i, np.int64(_NOBODY)
    if next_uniform(state) >= work.chance[z, j]:
        j = a + work.alias[z, j]
    q = np.int64(layout.order[which, j])
    there = placed.counts[z, q]
    if q == p or there >= parts.most[z, q] or (near and there > weights[z, q]):
        return i, np.int64(_NOBODY)
    return i, q


@njit
def anneal_units(n, which, near, error, temperature, cooling, steps, proposals, weights, parts, layout, placed, work, state):
    """Exchange units for donors while it cools, until every target is met or the steps are over; the best state seen is kept.

    n, which, near : units to choose from, strata and how far to go, as in `propose`; `prepare_donors` has prepared the donors.
    error : total absolute error now.
    temperature, cooling : at the first step, in the error's unit, and what it is multiplied by after each of `steps` steps of
        `proposals` proposals.
    Returns (error, proposals made).
    """
    gap, place, start, cell, count = placed.gap, parts.place, layout.start, layout.cell, layout.count
    best, made = error, 0
    placed.kept[:n] = placed.profile[:n]
    for _ in range(steps):
        for _ in range(proposals):
            if error == 0:
                return error, made
            made += 1
            i, q = propose(n, which, near, weights, parts, layout, placed, work, state)
            if q < 0:
                continue
            z, p = np.int64(placed.zone[i]), np.int64(placed.profile[i])
            rise = 0
            for k in range(start[p], start[p + 1]):
                g = place[z, cell[k]]
                if g >= 0:
                    before = abs(gap[g])
                    gap[g] -= count[k]
                    rise += abs(gap[g]) - before
            for k in range(start[q], start[q + 1]):
                g = place[z, cell[k]]
                if g >= 0:
                    before = abs(gap[g])
                    gap[g] += count[k]
                    rise += abs(gap[g]) - before
            if rise <= 0 or next_uniform(state) < math.exp(-rise / temperature):
                error += rise
                placed.profile[i] = q
                placed.counts[z, p] -= 1
                placed.counts[z, q] += 1
                if error < best:
                    best = error
                    placed.kept[:n] = placed.profile[:n]
            else:
                for k in range(start[p], start[p + 1]):
                    g = place[z, cell[k]]
                    if g >= 0:
                        gap[g] += count[k]
                for k in range(start[q], start[q + 1]):
                    g = place[z, cell[k]]
                    if g >= 0:
                        gap[g] -= count[k]
        temperature *= cooling
    if error > best:
        go_back(n, parts, layout, placed)
    return best, made


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def go_back(n, parts, layout, placed):
    """Go back to the state that `placed.kept` tells of: units' profiles when it was the best seen."""
    for i in range(n):
        p, q = np.int64(placed.profile[i]), np.int64(placed.kept[i])
        if p != q:
            exchange_units(i, q, None, parts, layout, placed)


@njit
def exchange_units(i, q, price, parts, layout, placed):
    """Put a unit of profile q in the place of unit i.

    price : (n_gaps,) int64, what a person missed counts for, cell by cell; None = the error is not asked for.
    Returns the change of the error at these prices; 0 where there are none.
    """
    z, p, rise = np.int64(placed.zone[i]), np.int64(placed.profile[i]), 0
    for side in range(2):
        row, step = (q, 1) if side == 1 else (p, -1)
        for k in range(layout.start[row], layout.start[row + 1]):
            g = parts.place[z, layout.cell[k]]
            if g >= 0:
                before = abs(placed.gap[g])
                placed.gap[g] += step * layout.count[k]
                if price is not None:
                    rise += (abs(placed.gap[g]) - before) * price[g]
    placed.counts[z, p] -= 1
    placed.counts[z, q] += 1
    placed.profile[i] = q
    return rise


@njit(inline="always")
def swap_key(z, p, q, end, parts, layout):
    """Return the number that tells what a swap of a unit of profile p for one of q changes in gaps before `end`.

    The sum of random 64 bits of the cells (Zobrist 1970), so that sums of changes are sums of numbers; nought changes nothing.
    """
    key = np.uint64(0)
    for k in range(layout.start[p], layout.start[p + 1]):
        g = parts.place[z, layout.cell[k]]
        if 0 <= g < end:
            key -= np.uint64(layout.count[k]) * parts.salts[g]
    for k in range(layout.start[q], layout.start[q + 1]):
        g = parts.place[z, layout.cell[k]]
        if 0 <= g < end:
            key += np.uint64(layout.count[k]) * parts.salts[g]
    return key
