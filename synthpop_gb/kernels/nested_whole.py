"""Whole people of zones that hang together: zones' tables and those of the areas above them met exactly, unbiased.

`halve_nested` is `halving` of all zones of a component at once: fractions on a grid of 1/32, halved until it is whole, with one fair
coin a step for the whole component, so E[counts] = weights. Ups and downs are made to cancel in every cell and two-way table of each
zone, and in every cell of each area over all its zones. `repair_nested` brings what is missed onto the targets, zone by zone, each
zone seeing what its areas still miss: TAE over zones and areas never rises, and a miss of an area wanders from zone to zone.
"""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.halving import GRID_BITS, SWEEPS
from synthpop_gb.kernels.layout import ONE_WAY_PULL
from synthpop_gb.kernels.repair import WANDER, repair_zone
from synthpop_gb.kernels.streams import next_below, next_uniform, shuffle

__all__ = ["MAX_PASSES", "halve_nested", "repair_nested"]

MAX_PASSES = 200  # looks at every zone; most components take 1 to 3
_PATIENCE = 3  # passes without headway
_SCAN = 250_000  # pairs of profiles that one full scan may look at
_FIRST = 16  # what a miss of the zone counts for, beside one of its areas, where the zone comes first
_KICKS, _KICKED = 60, 3  # times that a component which is stuck is disturbed; people replaced each time


@njit
def halve_nested(weights, index, n_own, layout, state, counts):
    """Draw whole counts for the zones of a component with E[counts] = weights and |counts - weights| < 1.

    weights : (n_zones, n_profiles) float64, persons, finite, >= 0.
    index : (n_zones, n_duals) int64. Variable of each of a zone's cells (`nest_layout`), those of its areas after its `n_own`.
    layout : of `whole_layout`, of the zones' constraints and then the levels'.
    state : (1,) uint64, the component's stream; advanced.
    counts : (n_zones, n_profiles) int32. Overwritten.
    """
    n_zones, n_profiles = weights.shape
    grid = np.zeros((n_zones, n_profiles), np.int8)
    undecided, n = _to_grid(weights, state, counts, grid)
    odd, sign = np.empty(n, np.int64), np.empty(n, np.int8)
    misfit, above = np.zeros((n_zones, layout.n_slots), np.int32), np.zeros(index.max() + 1, np.int32)
    for bit in range(GRID_BITS):
        step, n_odd = np.int32(1 << bit), 0
        for i in range(n):
            if grid[undecided[i] // n_profiles, undecided[i] % n_profiles] & step:
                odd[n_odd] = undecided[i]
                n_odd += 1
        if n_odd == 0:
            continue
        _colour(odd, n_odd, index, n_own, layout, SWEEPS[bit], state, sign, misfit, above)
        if next_uniform(state) < 0.5:
            step = np.int32(-step)
        for i in range(n_odd):
            grid[odd[i] // n_profiles, odd[i] % n_profiles] += step * sign[i]
    for i in range(n):
        z, p = undecided[i] // n_profiles, undecided[i] % n_profiles
        counts[z, p] += grid[z, p] >> GRID_BITS


@njit
def _to_grid(weights, state, counts, grid):
    """Whole parts into counts; fractions onto the grid by systematic sampling, zone by zone. Returns (units undecided, how many)."""
    n_zones, n_profiles = weights.shape
    scale, n = 1 << GRID_BITS, 0
    undecided = np.empty(n_zones * n_profiles, np.int64)
    for z in range(n_zones):
        shift = next_uniform(state)
        total, before = 0.0, 0.0
        for p in range(n_profiles):
            whole = np.floor(weights[z, p])
            counts[z, p] = np.int32(whole)
            total += (weights[z, p] - whole) * scale
            now = np.floor(total + shift)
            g = np.int32(now - before)
            before = now
            if g == scale:
                counts[z, p] += 1
            elif g > 0:
                grid[z, p] = g
                undecided[n] = z * n_profiles + p
                n += 1
    return undecided, n


@njit
def _colour(units, n, index, n_own, layout, sweeps, state, sign, misfit, above):
    """Give each unit a sign so that signs nearly cancel in every slot of its zone and every cell of its areas."""
    cells, slots, cost, outside = layout.cells, layout.slots, layout.cost, layout.outside
    n_profiles, n_cells, n_constraints = cells.shape[1], index.shape[1], cells.shape[0]
    low = 0  # constraints of the levels: their cells are numbered from n_own to n_cells
    while low < n_constraints and layout.start[low] < n_own:
        low += 1
    high = low
    while high < n_constraints and layout.start[high] < n_cells:
        high += 1
    misfit[:], above[:] = 0, 0
    first = next_below(state, n)
    for sweep in range(sweeps + 1):
        changed = sweep == 0
        for k in range(n):
            i = first + k
            if i >= n:
                i -= n
            z, p = units[i] // n_profiles, units[i] % n_profiles
            row, mine, where = slots[p], misfit[z], index[z]
            pull, alone = 0, cost[p]
            for j in range(row.shape[0]):
                pull += mine[row[j]]
            for j in range(low, high):
                if cells[j, p] != outside and where[cells[j, p]] >= 0:
                    pull += above[where[cells[j, p]]]
                    alone += ONE_WAY_PULL
            if sweep == 0:
                step = np.int32(-1 if pull > 0 or (pull == 0 and next_uniform(state) < 0.5) else 1)
                sign[i] = step
            elif sign[i] * pull > alone:
                step = np.int32(-2 * sign[i])
                sign[i] = -sign[i]
                changed = True
            else:
                continue
            for j in range(n_constraints):
                mine[row[j]] += ONE_WAY_PULL * step
            for j in range(n_constraints, row.shape[0]):
                mine[row[j]] += step
            mine[outside] = 0
            for j in range(low, high):
                if cells[j, p] != outside and where[cells[j, p]] >= 0:
                    above[where[cells[j, p]]] += ONE_WAY_PULL * step
        if not changed:
            return


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
        kept, known = counts.copy(), miss.copy()
        for kick in range(_KICKS):
            if left == 0:
                break
            if kick % 3 < 2:
                _zone_first(weights, index, n_own, layout, state, counts, live, miss)
            else:
                _kick(weights, index, layout, state, counts, live, miss)
            moves += _passes(weights, index, n_own, layout, work, state, counts, live, max_moves, miss, 1 if kick < 30 else WANDER)
            found = np.abs(miss).sum()
            if found <= left:
                left, kept[:], known[:] = found, counts, miss
            else:
                counts[:], miss[:] = kept, known
    return moves


@njit
def _passes(weights, index, n_own, layout, work, state, counts, live, max_moves, miss, farthest):
    """Repair zone after zone, in random order, until nothing is missed or no pass has helped for a while. Returns moves made."""
    best, since, moves = np.abs(miss).sum(), 0, 0
    for _ in range(MAX_PASSES):
        if best == 0 or since == _PATIENCE:
            break
        moves += _onepass(weights, index, n_own, layout, work, state, counts, live, max_moves, miss, farthest if since > 0 else 0)
        left = np.abs(miss).sum()
        since = 0 if left < best else since + 1
        best = min(best, left)
    return moves


@njit
def _onepass(weights, index, n_own, layout, work, state, counts, live, max_moves, miss, wander):
    """Repair each zone that is off once, in random order. Returns moves made."""
    n_zones, n_cells = index.shape
    inside, wanted, moves = np.zeros(n_cells, np.int64), np.zeros(layout.outside), 0
    order = np.arange(n_zones)
    shuffle(state, order, n_zones)
    for i in range(n_zones):
        z = order[i]
        if not live[z] or not _is_off(miss, index[z]):
            continue
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
def _zone_first(weights, index, n_own, layout, state, counts, live, miss):
    """Take the move that lowers a zone's own misses most and, among such moves, those of its areas least badly.

    Two zones of an area that err in opposite directions, the area being right, can only be mended one after the other: the first
    puts the area wrong. Looks at all swaps, or at as many from a random person on as `_SCAN` allows.
    """
    n_zones, n_profiles = counts.shape
    z = next_below(state, n_zones)
    for _ in range(n_zones):  # the first from there on that misses a table of its own
        if live[z] and _is_off(miss, index[z, :n_own]):
            break
        z = (z + 1) % n_zones
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
def _kick(weights, index, layout, state, counts, live, miss):
    """Replace a few people of a zone that is off by others, so that repair can begin elsewhere."""
    n_zones, n_profiles = counts.shape
    z = next_below(state, n_zones)
    for _ in range(n_zones):  # the first from there on that is off
        if live[z] and _is_off(miss, index[z]):
            break
        z = (z + 1) % n_zones
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
def _is_off(miss, where):
    """Whether some cell of a zone or its areas is missed."""
    for d in range(where.shape[0]):
        if where[d] >= 0 and miss[where[d]] != 0:
            return True
    return False
