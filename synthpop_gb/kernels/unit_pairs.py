"""The end of the search for whole households: two or three swaps that together are just what is missing, met in the middle.

When a few people are missing, hardly any swap is right, and annealing finds the right series by luck. But changes add up:
of M swaps drawn by the same rule as annealing's, a hash of their changes finds two that add up to what is missing in O(M),
where trying all pairs takes M^2 (Horowitz & Sahni 1974, J. ACM 21, two lists for subset sums); for three, a swap is taken as made
and the other two are looked up. A change is known by one number (`unit_swaps.swap_key`); what is found is counted again before it
is believed.
"""

from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.streams import next_below
from synthpop_gb.kernels.unit_swaps import exchange_units, propose, swap_key

__all__ = ["PairWork", "draw_swaps", "match_swaps", "pair_work", "slot_of"]

_TRIES = 8  # proposals a swap drawn: those that lead away from the weights are mostly refused


class PairWork(NamedTuple):
    """Work space: swaps drawn, and a hash of them.

    key : (n,) uint64, of each swap's changes; unit, donor : (n,) int32. table : (a power of two,) int32, -1 where free.
    """

    key: np.ndarray
    unit: np.ndarray
    donor: np.ndarray
    table: np.ndarray


def pair_work(n) -> PairWork:
    """Allocate work space for n swaps: 32 to 48 bytes each."""
    size = 4
    while size < 4 * n:
        size *= 2
    return PairWork(np.zeros(n, np.uint64), np.zeros(n, np.int32), np.zeros(n, np.int32), np.zeros(size, np.int32))


@njit
def match_swaps(n, m, triples, which, near, weights, parts, layout, placed, work, pairs, state):
    """Look for one, two or three swaps after which every target is met, and make them.

    n, which, near : as in `propose`; m : swaps to draw, no more than `pairs` has room for; triples : how many of them to take
        as made while looking for two more.
    Returns (whether found, swaps looked at).
    """
    m, end, wanted = min(m, pairs.key.shape[0]), placed.gap.shape[0], np.uint64(0)
    m = draw_swaps(n, m, _TRIES * m, end, which, near, weights, parts, layout, placed, work, pairs, state)
    for g in range(end):
        if placed.gap[g] != 0:
            wanted -= np.uint64(np.int64(placed.gap[g])) * parts.salts[g]
    for j in range(m):
        k = np.int64(pairs.table[slot_of(wanted - pairs.key[j], pairs)])
        if k >= 0 and _make(j, k, -1, parts, layout, placed, pairs):
            return True, m + j
    for t in range(triples if m > 0 else 0):
        r = next_below(state, m)
        rest = wanted - pairs.key[r]
        for j in range(m):
            k = np.int64(pairs.table[slot_of(rest - pairs.key[j], pairs)])
            if k >= 0 and _make(j, k, r, parts, layout, placed, pairs):
                return True, m * (t + 2)
    return False, m * (triples + 2)


@njit
def draw_swaps(n, m, tries, end, which, near, weights, parts, layout, placed, work, pairs, state):
    """Draw swaps and hash what they change in gaps before `end`: m of them, or as many as so many proposals give.

    n, which, near : as in `propose`. pairs : written; the table names the first swap of those that change the same.
    Returns how many were drawn.
    """
    table = pairs.table
    table[:] = -1
    drawn, tried = 0, 0
    while drawn < m and tried < tries:
        tried += 1
        i, q = propose(n, which, near, weights, parts, layout, placed, work, state)
        if q < 0:
            continue
        key = swap_key(np.int64(placed.zone[i]), np.int64(placed.profile[i]), q, end, parts, layout)
        pairs.key[drawn], pairs.unit[drawn], pairs.donor[drawn] = key, i, q
        here = slot_of(key, pairs)
        if table[here] < 0:
            table[here] = drawn
        drawn += 1
    return drawn


@njit(inline="always")
def slot_of(key, pairs):
    """Find the place in the hash of the swaps with this key, or the free one where they would stand."""
    table = pairs.table
    mask = np.uint64(table.shape[0] - 1)
    here = key & mask
    while table[here] >= 0 and pairs.key[table[here]] != key:
        here = (here + np.uint64(1)) & mask
    return here


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _make(j, k, r, parts, layout, placed, pairs):
    """Make swaps j, k and (unless -1) r if they are of different units, heed the limits and hit. Returns whether they do."""
    a, b = np.int64(pairs.unit[j]), np.int64(pairs.unit[k])
    c = np.int64(pairs.unit[r]) if r >= 0 else np.int64(-1)
    if a == b or a == c or b == c:
        return False
    before = placed.profile[a], placed.profile[b], placed.profile[max(c, 0)]
    exchange_units(a, np.int64(pairs.donor[j]), None, parts, layout, placed)
    exchange_units(b, np.int64(pairs.donor[k]), None, parts, layout, placed)
    if c >= 0:
        exchange_units(c, np.int64(pairs.donor[r]), None, parts, layout, placed)
    hit = _allowed(a, parts, placed) and _allowed(b, parts, placed) and (c < 0 or _allowed(c, parts, placed))
    if hit:
        for g in range(placed.gap.shape[0]):
            if placed.gap[g] != 0:
                hit = False
                break
    if not hit:
        exchange_units(a, np.int64(before[0]), None, parts, layout, placed)
        exchange_units(b, np.int64(before[1]), None, parts, layout, placed)
        if c >= 0:
            exchange_units(c, np.int64(before[2]), None, parts, layout, placed)
    return hit


@njit(inline="always")
def _allowed(i, parts, placed):
    """Whether there are no more copies of unit i's profile than there may be."""
    z, p = placed.zone[i], placed.profile[i]
    return placed.counts[z, p] <= parts.most[z, p]
