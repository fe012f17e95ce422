"""Donors within profiles: which survey records stand for a zone's people, drawn by design weight with reuse spread evenly.

A profile's n people are drawn from its donors by one systematic draw with a random start (Madow 1949, Ann. Math. Stat. 20):
donor d is used floor or ceil of n w_d / W times. Each zone draws from its own stream, so a zone's donors depend on nothing else.
"""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.streams import next_uniform

__all__ = ["place_zones", "placement_guide"]


@njit
def placement_guide(donor_start, donor_weight):
    """Cumulated design weights by profile, and a guide to search them in constant time (Chen & Asau 1974, AIIE Trans. 6).

    donor_start : (n_profiles + 1,) int64. First donor of each profile.
    donor_weight : (n_donors,) float64, >= 0.
    Returns cumulated (n_donors,) float64, within each profile; guide (n_donors,) int32: entry donor_start[p] + g is the
    first donor of p (counted from donor_start[p]) whose cumulated weight exceeds g / n of the profile's.
    """
    cumulated = np.empty(donor_weight.shape[0])
    guide = np.empty(donor_weight.shape[0], np.int32)
    for p in range(donor_start.shape[0] - 1):
        first, size = donor_start[p], donor_start[p + 1] - donor_start[p]
        total = 0.0
        for d in range(first, first + size):
            total += donor_weight[d]
            cumulated[d] = total
        d = 0
        for g in range(size):
            while d < size - 1 and cumulated[first + d] <= total * g / size:
                d += 1
            guide[first + g] = d
    return cumulated, guide


@njit
def place_zones(zone_start, profile, number, keys, donor_start, donor, cumulated, guide, n_records, caps):
    """Draw the donors of a block of zones.

    zone_start : (n_zones + 1,) int64; profile, number : (n_entries,) int32. Whole counts by zone as CSR: `number` people of
        `profile`.
    keys : (n_zones,) uint64. Each zone's stream key of purpose PLACE.
    donor_start : (n_profiles + 1,) int64; donor : (n_donors,) int32, positions among the survey's n_records records, each
        record once.
    cumulated, guide : of `placement_guide`. Inputs are only read; read-only arrays do.
    caps : (n_zones,) int64, how often one donor may stand in a zone; empty for no limit. Shares that the design weights would
        take above it are cut there, and the rest goes to the profile's other donors by weight (`_draw_capped`).
    Returns start (n_zones + 1,) int64, record (n,) int32, people (n,) int32, unplaced: donors by zone as CSR, records
    ascending within a zone; and how many people belong to profiles without a donor of positive weight (0 where weights come
    from a fit).
    """
    bound = 0
    for e in range(number.shape[0]):
        p = profile[e]
        bound += min(np.int64(number[e]), donor_start[p + 1] - donor_start[p])
    start = np.zeros(zone_start.shape[0], np.int64)
    record = np.empty(bound, np.int32)
    people = np.empty(bound, np.int32)
    used = np.zeros(n_records, np.int32)
    marks = np.zeros(n_records // 64 + 1, np.uint64)
    state = np.empty(1, np.uint64)
    share = np.zeros(n_records if caps.shape[0] > 0 else 0)
    n, unplaced = 0, 0
    for z in range(zone_start.shape[0] - 1):
        state[0] = keys[z]
        for e in range(zone_start[z], zone_start[z + 1]):
            p = profile[e]
            first, last = donor_start[p], donor_start[p + 1]
            if number[e] <= 0:
                continue
            if caps.shape[0] > 0 and _exceeds(number[e], caps[z], first, last, cumulated):
                done = _draw_capped(number[e], caps[z], first, last, donor, cumulated, share, state, used, marks)
            else:
                done = _draw(number[e], first, last, donor, cumulated, guide, state, used, marks)
            if not done:
                unplaced += number[e]
        n = _gather(used, marks, record, people, n)
        start[z + 1] = n
    return start, record[:n], people[:n], unplaced


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _draw(number, first, last, donor, cumulated, guide, state, used, marks):
    """Systematic draw of `number` people among the donors first:last; False where none of them has weight."""
    size = last - first
    if size == 0 or not cumulated[last - 1] > 0:
        return False
    total = cumulated[last - 1]
    step, posts = total / number, size / total
    shift = next_uniform(state)
    d = 0
    for i in range(number):
        point = (i + shift) * step
        g = np.int64(guide[first + min(np.int64(point * posts), size - 1)])
        while g > 0 and cumulated[first + g - 1] > point:
            g -= 1  # point * posts was rounded up across a guide post
        d = max(d, g)
        while d < size - 1 and cumulated[first + d] <= point:
            d += 1
        while d > 0 and cumulated[first + d] == cumulated[first + d - 1]:
            d -= 1  # the last point was rounded up to the total: back over donors without weight
        r = donor[first + d]
        used[r] += 1
        marks[r >> 6] |= np.uint64(1) << np.uint64(r & 63)
    return True


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _exceeds(number, cap, first, last, cumulated):
    """Say whether a draw by weight alone may use some donor more than `cap` times."""
    before, most = 0.0, 0.0
    for d in range(first, last):
        most = max(most, cumulated[d] - before)
        before = cumulated[d]
    return number * most > cap * before * (1.0 - 1e-9)  # a share of just the cap may be rounded up across it


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _draw_capped(number, cap, first, last, donor, cumulated, share, state, used, marks):
    """Systematic draw of `number` people among the donors first:last, none of them more than `cap` times; False without weight.

    Donors whose share by weight is `cap` or more get just that, and the others share the rest by weight, until nobody is above
    (Chao 1982, Biometrika 69, for sampling with unequal probabilities). Where all donors with weight are full, those without (of
    a bootstrap replicate) come next, and only where they are full too does a donor stand more often than the cap.
    share : (>= last - first,) float64, work space.
    """
    size = last - first
    if size == 0 or not cumulated[last - 1] > 0:
        return False
    before = 0.0
    for d in range(size):
        share[d] = cumulated[first + d] - before
        before = cumulated[first + d]
    left, total, again = np.int64(number), before, True
    while again and left > 0 and total > 0.0:
        again, wanted, sum_of_all = False, left, total
        total = 0.0
        for d in range(size):
            if share[d] > 0.0 and left > 0 and wanted * share[d] >= cap * sum_of_all:
                left -= _use(donor[first + d], min(cap, left), used, marks)
                share[d], again = 0.0, True
            total += share[d]
    if left > 0 and total > 0.0:
        _draw_rest(left, cap, total, first, size, donor, share, state, used, marks)
        return True
    for d in range(size):
        if left > 0 and used[donor[first + d]] < cap:
            left -= _use(donor[first + d], min(cap - used[donor[first + d]], left), used, marks)
    if left > 0:
        _use(donor[first], left, used, marks)
    return True


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _draw_rest(number, cap, total, first, size, donor, share, state, used, marks):
    """Draw systematically among the donors with a share above nought, each share below `cap`; rounding is kept off the cap."""
    step, shift = total / number, next_uniform(state)
    reached, i, carried = 0.0, 0, 0
    last = -1
    for d in range(size):
        if share[d] <= 0.0:
            continue
        reached += share[d]
        last = d
        hits = carried
        while i < number and (i + shift) * step < reached:
            hits += 1
            i += 1
        mine = min(hits, cap)
        carried = hits - mine
        if mine > 0:
            _use(donor[first + d], mine, used, marks)
    carried += number - i  # the last point, rounded up to the total
    for d in range(last, -1, -1):
        if carried > 0 and share[d] > 0.0:
            mine = min(np.int64(carried), np.int64(cap) - used[donor[first + d]])
            if mine > 0:
                carried -= _use(donor[first + d], mine, used, marks)


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _use(record, times, used, marks):
    """Use a record so many times more; returns how many."""
    used[record] += times
    marks[record >> 6] |= np.uint64(1) << np.uint64(record & 63)
    return times


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _gather(used, marks, record, people, n):
    """Move the marked records, ascending, to record[n:] and people[n:], clearing them. Returns the new length."""
    one = np.uint64(1)
    for block in range(marks.shape[0]):
        mark = marks[block]
        while mark != 0:
            lowest = mark & (~mark + one)
            r = 64 * block + _bit_count(lowest - one)
            record[n] = r
            people[n] = used[r]
            used[r] = 0
            n += 1
            mark ^= lowest
        marks[block] = 0
    return n


@njit(inline="always")
def _bit_count(x):
    """Count the bits set among 64 (Warren, Hacker's Delight, 2nd ed., figure 5-2)."""
    x -= (x >> np.uint64(1)) & np.uint64(0x5555555555555555)
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * np.uint64(0x0101010101010101)) >> np.uint64(56))
