"""Repair of zones that hang together: whole counts brought onto the tables of zones and of the areas above them.

Zone by zone, in random order, `repair` does what it does for one zone; each sees what its areas still miss, at most one person a
cell. What no single zone can mend wanders from zone to zone; where two zones err against each other, the area being
right, one of them comes first and puts the area wrong for a moment. TAE over zones and areas never rises between passes.
"""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.repair import WANDER, repair_zone
from synthpop_gb.kernels.streams import next_below, next_uniform, shuffle

__all__ = ["repair_nested"]

_PASSES = 200  # looks at every zone; most components take 1 to 3
_PATIENCE = 3  # passes without headway
_SCAN = 250_000  # pairs of profiles that one full scan may look at
_HELPERS = 40  # zones right in themselves that look at what their areas miss, in one pass
_FIRST = 16  # what a miss of the zone counts for, beside one of its areas, where the zone comes first
_ROUNDS = 8  # times that all zones that are off come first together
_KICKS, _NEAR, _KICKED = 60, 30, 3  # times that one of them is disturbed alone, those that stay near, people replaced each time


@njit
def repair_nested(weights, targets, index, n_own, layout, work, state, counts, live, max_moves, miss):
    """Move people within zones until zones and areas meet their targets, or nothing helps.

    weights : (n_zones, n_profiles) float64, persons: what counts stay near; profiles of weight 0 are never filled.
    targets : (n_variables,) float64, persons, of zones and areas; whole numbers.
    index, n_own, layout, state : as in `halve_nested`; work : of `whole_work`.
    counts : (n_zones, n_profiles) int32, >= 0. Changed in place.
    live : (n_zones,) bool. Zones without people are left alone.
    max_moves : bound on moves of a zone in one pass; 0 only measures.
    miss : (n_variables,) int64. Written: count minus target.
    Returns moves made.

    A zone sees at most one person of what a cell of its area has too many or too few, so that a large miss is spread over zones.
    """
    n_zones, n_cells = index.shape
    inside, moves = np.zeros(n_cells, np.int64), 0
    for v in range(targets.shape[0]):
        miss[v] = -np.int64(np.rint(targets[v]))
    for z in range(n_zones):
        _count(counts[z], layout, inside)
        for d in range(n_cells):
            if index[z, d] >= 0:
                miss[index[z, d]] += inside[d]
    if max_moves > 0:
        for z in range(n_zones):
            if live[z]:
                moves += _mend_total(weights[z], index[z], n_own, layout, state, counts[z], miss, max_moves)
    if max_moves == 0:
        return moves
    moves += _passes(weights, index, n_own, layout, work, state, counts, live, max_moves, miss, 1)
    left = np.abs(miss).sum()
    if left > 0:
        kept, known, tried = counts.copy(), miss.copy(), 0
        while left > 0 and tried < _ROUNDS + _KICKS + _own_off(miss, index, n_own):
            for z in range(n_zones if tried < _ROUNDS else 0):
                if live[z] and _is_off(miss, index[z, :n_own]):
                    _zone_first(z, weights, index, n_own, layout, state, counts, miss)
            if tried >= _ROUNDS:
                z = _next_off(miss, index, n_own, live, state)
                if tried % 3 < 2:
                    _zone_first(z, weights, index, n_own, layout, state, counts, miss)
                else:
                    _kick(z, weights, index, layout, state, counts, miss)
            farthest = 1 if tried < _NEAR else WANDER
            moves += _passes(weights, index, n_own, layout, work, state, counts, live, max_moves, miss, farthest)
            found = np.abs(miss).sum()
            if found <= left:
                left, kept[:], known[:] = found, counts, miss
            else:
                counts[:], miss[:] = kept, known
            tried += 1
    return moves


@njit
def _passes(weights, index, n_own, layout, work, state, counts, live, max_moves, miss, farthest):
    """Repair zone after zone, in random order, until nothing is missed or no pass has helped for a while. Returns moves made."""
    best, since, moves = np.abs(miss).sum(), 0, 0
    for _ in range(_PASSES):
        if best == 0 or since == _PATIENCE:
            break
        moves += _onepass(weights, index, n_own, layout, work, state, counts, live, max_moves, miss, farthest if since > 0 else 0)
        left = np.abs(miss).sum()
        since = 0 if left < best else since + 1
        best = min(best, left)
    return moves


@njit
def _onepass(weights, index, n_own, layout, work, state, counts, live, max_moves, miss, wander):
    """Repair each zone that is off once, in random order; some of those right in themselves. Returns moves made."""
    n_zones, n_cells = index.shape
    inside, wanted, moves = np.zeros(n_cells, np.int64), np.zeros(layout.outside), 0
    order, helpers = np.arange(n_zones), 0
    shuffle(state, order, n_zones)
    for i in range(n_zones):
        z = order[i]
        if not live[z] or not _is_off(miss, index[z]):
            continue
        if not _is_off(miss, index[z, :n_own]):
            if helpers == _HELPERS:
                continue
            helpers += 1
        _count(counts[z], layout, inside)
        for d in range(n_cells):
            v = index[z, d]
            if d < n_own:
                wanted[d] = inside[d] - miss[v]
            else:
                wanted[d] = inside[d] - (min(max(miss[v], -1), 1) if v >= 0 else 0)
            if v >= 0:
                miss[v] -= inside[d]
        _, made = repair_zone(weights[z], wanted, layout, work, state, counts[z], max_moves, wander)
        moves += made
        _count(counts[z], layout, inside)
        for d in range(n_cells):
            if index[z, d] >= 0:
                miss[index[z, d]] += inside[d]
    return moves


@njit
def _zone_first(z, weights, index, n_own, layout, state, counts, miss):
    """Take the move that lowers a zone's own misses most and, among such moves, those of its areas least badly.

    Two zones of an area that err in opposite directions, the area being right, can only be mended one after the other: the first
    puts the area wrong. Looks at all swaps, or at as many from a random person on as `_SCAN` allows.
    """
    n_profiles = counts.shape[1]
    where = index[z]
    best, total, best_p, best_q = np.int64(0), 0.0, -1, -1
    first, seen = next_below(state, n_profiles), 0
    wanting = np.zeros(n_profiles, np.bool_)
    for q in range(n_profiles):
        wanting[q] = _touches(q, -1, where, n_own, layout, miss)
    for i in range(n_profiles):
        p = (first + i) % n_profiles
        if counts[z, p] <= 0 or seen > _SCAN or not _touches(p, 1, where, n_own, layout, miss):
            continue
        for q in range(n_profiles):
            if q == p or not weights[z, q] > 0.0 or not wanting[q]:
                continue
            seen += 1
            change = np.int64(0)
            for j in range(layout.cells.shape[0]):
                here, there = layout.cells[j, p], layout.cells[j, q]
                if here != there:
                    if here < where.shape[0] and where[here] >= 0:
                        change += (-1 if miss[where[here]] > 0 else 1) * (_FIRST if here < n_own else 1)
                    if there < where.shape[0] and where[there] >= 0:
                        change += (-1 if miss[where[there]] < 0 else 1) * (_FIRST if there < n_own else 1)
            if change <= best and change < 0:
                share = max(counts[z, p] - weights[z, p], 0.0) * max(weights[z, q] - counts[z, q], 0.0) + 1e-9
                total = share if change < best else total + share
                best = change
                if next_uniform(state) * total < share:
                    best_p, best_q = p, q
    if best_p >= 0:
        _add(best_p, -1, where, layout, counts[z], miss)
        _add(best_q, 1, where, layout, counts[z], miss)


@njit
def _touches(p, sign, where, n_own, layout, miss):
    """Whether a profile is in one of the zone's own cells that has too many people (sign 1) or too few (-1)."""
    for j in range(layout.cells.shape[0]):
        c = layout.cells[j, p]
        if c < n_own and miss[where[c]] * sign > 0:
            return True
    return False


@njit
def _kick(z, weights, index, layout, state, counts, miss):
    """Replace a few people of a zone that is off by others, so that repair can begin elsewhere."""
    n_profiles = counts.shape[1]
    for _ in range(_KICKED):
        p, q = next_below(state, n_profiles), next_below(state, n_profiles)
        for _ in range(n_profiles):
            if counts[z, p] > 0:
                break
            p = (p + 1) % n_profiles
        for _ in range(n_profiles):
            if weights[z, q] > 0.0:
                break
            q = (q + 1) % n_profiles
        if counts[z, p] > 0 and weights[z, q] > 0.0:
            _add(p, -1, index[z], layout, counts[z], miss)
            _add(q, 1, index[z], layout, counts[z], miss)


@njit
def _add(p, step, where, layout, counts, miss):
    """Add one person to, or take one from, a profile of a zone."""
    counts[p] += step
    for j in range(layout.cells.shape[0]):
        c = layout.cells[j, p]
        if c < where.shape[0] and where[c] >= 0:
            miss[where[c]] += step


@njit
def _mend_total(weights, where, n_own, layout, state, counts, miss, most):
    """Add or remove people until a zone's own total is right: in `repair_zone`'s eyes its areas, right in sum, forbid it.

    The total is that of a table of the zone that counts everybody; nothing is done where there is none. Whoever lowers the misses
    most comes or goes, drawn among equals as far as counts are below or above weights. Returns how many.
    """
    k = 0
    while k < layout.cells.shape[0] and (layout.partial[k] or layout.start[k + 1] > n_own):
        k += 1
    if k == layout.cells.shape[0]:
        return 0
    off = 0
    for c in range(layout.start[k], layout.start[k + 1]):
        off += miss[where[c]]
    made = 0
    while off != 0 and made < most:
        step = -1 if off > 0 else 1
        best, total, chosen = np.int64(0), 0.0, -1
        for p in range(counts.shape[0]):
            if (step < 0 and counts[p] <= 0) or (step > 0 and not weights[p] > 0.0):
                continue
            change = np.int64(0)
            for j in range(layout.cells.shape[0]):
                c = layout.cells[j, p]
                if c < where.shape[0] and where[c] >= 0:
                    change += 1 if miss[where[c]] * step >= 0 else -1
            share = max(step * (weights[p] - counts[p]), 1e-9)
            if chosen < 0 or change < best:
                best, total = change, 0.0
            if change <= best:
                total += share
                if next_uniform(state) * total < share:
                    chosen = p
        if chosen < 0:
            break
        _add(chosen, step, where, layout, counts, miss)
        off += step
        made += 1
    return made


@njit
def _count(counts, layout, inside):
    """People of one zone by cell. inside: (n_cells,) int64, written."""
    inside[:] = 0
    for k in range(layout.cells.shape[0]):
        row = layout.cells[k]
        for p in range(counts.shape[0]):
            if counts[p] > 0 and row[p] < inside.shape[0]:
                inside[row[p]] += counts[p]


@njit
def _own_off(miss, index, n_own):
    """How many zones miss a table of their own."""
    n = 0
    for z in range(index.shape[0]):
        n += _is_off(miss, index[z, :n_own])
    return n


@njit
def _next_off(miss, index, n_own, live, state):
    """Zone that misses a table of its own, the first from a random one on; where there is none, one whose areas are missed."""
    n_zones = index.shape[0]
    first = next_below(state, n_zones)
    for width in (n_own, index.shape[1]):
        for i in range(n_zones):
            z = (first + i) % n_zones
            if live[z] and _is_off(miss, index[z, :width]):
                return z
    return first


@njit
def _is_off(miss, where):
    """Whether some cell of a zone or its areas is missed."""
    for d in range(where.shape[0]):
        if where[d] >= 0 and miss[where[d]] != 0:
            return True
    return False
