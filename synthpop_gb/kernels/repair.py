"""Best-swap repair: whole counts that miss a few targets brought onto them, one person at a time, staying near the weights.

A *switch* takes one person to the profile that differs only where it helps: from a cell with too many people to a cell of the
same constraint with too few, on as many constraints at once as possible (found by hash, so a round costs a look at each profile
in use). Where none exists: adding or removing a person (if universes' totals are off), then wandering switches that move a miss
elsewhere at no cost (chains of two and more), then a scan of all swaps. TAE never rises, so the last state is the best seen.

Among equally good switches p -> q one is drawn with probability proportional to (counts_p - weights_p)+ (weights_q - counts_q)+.
At a martingale's end P(p up, q down) is about f_p (1 - f_q), so this makes p -> q and q -> p equally frequent, and misses
come with either sign equally often: repair leaves the mean where it was (measured: rms z 1.01 over 200 seeds).
Voas & Williamson (2000) for swaps of records scored by TAE; two-swap chains as in Lin & Kernighan (1973), sideways moves as
in Selman, Kautz & Cohen (1994).
"""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.layout import find_profile
from synthpop_gb.kernels.streams import next_below, next_uniform

__all__ = ["MAX_MOVES", "WANDER", "repair_zone"]

MAX_MOVES = 1000  # moves a zone; real zones take 1 to 10
WANDER = 40  # sideways moves without an improvement before the full scan decides
_SUBSETS = 4  # choices of constraints tried for one person: all that help, then random ones
_SCAN = 250_000  # pairs of profiles that one full scan may look at


@njit
def repair_zone(weights, targets, layout, work, state, counts, max_moves, wander=WANDER):
    """Move people between profiles until every target is met or no move is left that helps.

    weights : (n_profiles,) float64, persons: what counts stay near; profiles of weight 0 are never filled.
    targets : (n_cells,) float64, persons; taken to the nearest whole number.
    counts : (n_profiles,) int32, >= 0. Changed in place.
    max_moves : bound on moves; 0 only measures. No move takes a profile above work.most. wander : moves that lower nothing
        before all swaps are looked at; with fewer than `WANDER`, before it is given up.
    Returns (tae, n_moves): what is left, sum over cells of |count - target| in persons; moves made.

    The total stays as long as it agrees with every table's, also where a cell cannot be filled; where it does not, people are
    added or removed as this lowers the TAE. Where no constraint counts everybody it goes to the rounded sum of the weights.
    """
    n = _measure(weights, targets, layout, work, counts)
    gap, people = work.gap, work.people
    tae = 0
    for c in range(layout.outside):
        tae += abs(gap[c])
    moves, wandered = 0, 0
    while tae > 0 and moves < max_moves:
        _list_short(layout, work)
        p, q, change = _best_switch(weights, layout, work, state, counts, n)
        if change >= 0:
            p, q, change = _best_single(weights, layout, work, state, counts, n)
        if change >= 0 and _at_floor(layout, work, tae):
            break
        if change >= 0 and wander == 0:
            break
        if change >= 0 and wandered < wander:
            p, q, change = _sideways(weights, layout, work, state, counts, n)
        if change > 0 or (change == 0 and wandered >= wander):
            if wander < WANDER:
                break
            p, q, change = _scan_swaps(weights, layout, work, state, counts, n)
            if change >= 0:
                break
        wandered = wandered + 1 if change == 0 else 0
        n = _move(p, q, layout, gap, people, counts, n)
        tae += change
        moves += 1
    left = 0
    for c in range(layout.n_cells):
        left += abs(gap[c])
    return left, moves


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _measure(weights, targets, layout, work, counts):
    """Set gap to count minus target; list the profiles in use. Returns how many."""
    cells, gap, people = layout.cells, work.gap, work.people
    for c in range(layout.n_cells):
        gap[c] = -np.int32(np.rint(targets[c]))
    if layout.outside > layout.n_cells:
        total = 0.0
        for p in range(weights.shape[0]):
            total += weights[p]
        gap[layout.n_cells] = -np.int32(np.rint(total))
    n = 0
    for p in range(counts.shape[0]):
        if counts[p] > 0:
            people[n] = p
            n += 1
    for k in range(cells.shape[0]):
        for i in range(n):
            gap[cells[k, people[i]]] += counts[people[i]]
    gap[layout.outside] = 0
    return n


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _list_short(layout, work):
    """List each constraint's cells that want people; leaving the universe is one where the constraint has too many in all."""
    gap, start, short = work.gap, layout.start, work.short
    for k in range(start.shape[0] - 1):
        first = start[k] + k
        n, excess = 0, 0
        for c in range(start[k], start[k + 1]):
            excess += gap[c]
            if gap[c] < 0:
                short[first + n] = c
                n += 1
        if excess > 0 and layout.partial[k]:
            short[first + n] = layout.outside
            n += 1
        work.n_short[k] = n
        work.excess[k] = excess


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _best_switch(weights, layout, work, state, counts, n):
    """Best p -> q over people p and the profiles q that differ from p only where it helps. Returns (p, q, change of TAE <= 0)."""
    cells, salts, outside = layout.cells, layout.salts, layout.outside
    gap, excess, short, n_short = work.gap, work.excess, work.short, work.n_short
    n_constraints = cells.shape[0]
    best, total, best_p, best_q = 1, 0.0, -1, -1
    for i in range(n):
        p = np.int64(work.people[i])
        if counts[p] <= 0:
            continue
        for attempt in range(_SUBSETS):
            key, gain, helping = layout.keys[p], 0, 0
            for k in range(n_constraints):
                here = cells[k, p]
                if n_short[k] == 0 or (gap[here] <= 0 if here != outside else excess[k] >= 0):
                    continue
                helping += 1
                if attempt > 0 and next_uniform(state) < 0.5:
                    continue
                there = short[layout.start[k] + k + (0 if n_short[k] == 1 else next_below(state, n_short[k]))]
                key += salts[there] - salts[here]
                gain += (here != outside) + (there != outside)
            if gain >= best:
                q = find_profile(key, layout.keys, layout.table)
                if q >= 0 and weights[q] > 0 and counts[q] < work.most[q]:
                    if gain > best:
                        best, total = gain, 0.0
                    share = _closeness(weights, counts, p, q)
                    total += share
                    if next_uniform(state) * total < share:
                        best_p, best_q = p, q
            if helping == 0 or (helping == 1 and attempt == 1):
                break
    if best_p < 0:
        return -1, -1, 1
    return best_p, best_q, -best


@njit(inline="always")
def _closeness(weights, counts, p, q):
    """How much likelier p -> q is than others of equal gain; tiny, but not 0, where it leads away from the weights."""
    down, up = counts[p] - weights[p], weights[q] - counts[q]
    return down * up + 1e-9 if down > 0 and up > 0 else 1e-9 * min(weights[q], 1.0)


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _change(p, q, layout, gap):
    """Change of TAE when one person leaves profile p and one joins q (-1: nobody)."""
    cells, outside = layout.cells, layout.outside
    change = 0
    for k in range(cells.shape[0]):
        here = cells[k, p] if p >= 0 else outside
        there = cells[k, q] if q >= 0 else outside
        if here != there:
            if here != outside:
                change += -1 if gap[here] > 0 else 1
            if there != outside:
                change += -1 if gap[there] < 0 else 1
    return change


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _best_single(weights, layout, work, state, counts, n):
    """Best addition or removal of one person. Returns (p or -1, q or -1, change); (-1, -1, 1) where none helps.

    It helps if it lowers the TAE or, where all constraints that count everybody want a larger (smaller) total, leaves it as
    it is.
    """
    wanted, off = _total_wanted(layout, work)
    if not off:
        return -1, -1, 1
    n_profiles = weights.shape[0]
    best, total, best_p, best_q = 0 if wanted != 0 else -1, 0.0, -1, -1
    for i in range(n_profiles + n):
        p, q = -1, i
        if i < n_profiles:
            possible, share = weights[q] > 0 and counts[q] < work.most[q], weights[q] - counts[q]
        else:
            p, q = np.int64(work.people[i - n_profiles]), -1
            possible, share = counts[p] > 0, counts[p] - weights[p]
        if not possible:
            continue
        change = _change(p, q, layout, work.gap)
        if change > best or (change == 0 and (wanted < 0 if p < 0 else wanted > 0)):
            continue
        share = max(share, 1e-9)
        total = share if change < best else total + share
        best = change
        if next_uniform(state) * total < share:
            best_p, best_q = p, q
    if best_p < 0 and best_q < 0:
        return -1, -1, 1
    return best_p, best_q, best


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _total_wanted(layout, work):
    """Return 1 if all constraints that count everybody want people, -1 if all have too many, else 0; and if any total is off."""
    n_short, n_over, n_all, off = 0, 0, 0, False
    for k in range(layout.partial.shape[0]):
        off |= work.excess[k] != 0
        if not layout.partial[k]:
            n_all += 1
            n_short += work.excess[k] < 0
            n_over += work.excess[k] > 0
    return (n_short == n_all) - (n_over == n_all), off


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _at_floor(layout, work, tae):
    """Whether all that is missed is the disagreement of tables on their total, and the total is a median of theirs."""
    floor, n_over, n_short, n_level = 0, 0, 0, 0
    for k in range(layout.partial.shape[0]):
        excess = work.excess[k]
        if layout.partial[k]:
            if excess != 0:
                return False
            continue
        floor += abs(excess)
        n_over += excess > 0
        n_short += excess < 0
        n_level += excess == 0
    return tae == floor and abs(n_over - n_short) <= n_level


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _sideways(weights, layout, work, state, counts, n):
    """Draw one of the switches that move a miss elsewhere at no cost, or lower the TAE. Returns (p, q, change).

    In a constraint with a miss: from any cell to one with too few, from one with too many to any other, or from one with too
    many to one with too few while another constraint changes too (the plain switch would have been found before).
    """
    cells, salts, gap, start = layout.cells, layout.salts, work.gap, layout.start
    n_constraints = cells.shape[0]
    total, best_p, best_q, best = 0.0, -1, -1, 1
    for i in range(n):
        p = np.int64(work.people[i])
        if counts[p] <= 0:
            continue
        for k in range(n_constraints):
            here, n_short = cells[k, p], work.n_short[k]
            over = gap[here] > 0 if here != layout.outside else work.excess[k] < 0
            for s in range(n_short + (start[k + 1] - start[k] + 1 if over else 0)):
                there = work.short[start[k] + k + s] if s < n_short else _cell(k, s - n_short, layout)
                both = over and s < n_short
                for other in range(n_constraints if both else 1):
                    if both and other == k:
                        continue
                    for c in range(start[other + 1] - start[other] + 1 if both else 1):
                        key = layout.keys[p] + salts[there] - salts[here]
                        if both:
                            key += salts[_cell(other, c, layout)] - salts[cells[other, p]]
                        q = find_profile(key, layout.keys, layout.table)
                        if q < 0 or q == p or weights[q] <= 0 or counts[q] >= work.most[q]:
                            continue
                        change = _change(p, q, layout, gap)
                        if change <= 0:
                            share = _closeness(weights, counts, p, q)
                            total += share
                            if next_uniform(state) * total < share:
                                best_p, best_q, best = p, q, change
    return best_p, best_q, best


@njit(inline="always")
def _cell(k, c, layout):
    """Cell number c of constraint k; outside for the one after its last."""
    return layout.start[k] + c if c < layout.start[k + 1] - layout.start[k] else layout.outside


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _scan_swaps(weights, layout, work, state, counts, n):
    """Best swap that lowers the TAE, over all profiles and all people (or as many, from a random one on, as `_SCAN` allows)."""
    n_profiles = weights.shape[0]
    best, total, best_p, best_q = -1, 0.0, -1, -1
    first = next_below(state, n)
    for i in range(min(n, max(1, _SCAN // max(n_profiles, 1)))):
        p = np.int64(work.people[(first + i) % n])
        if counts[p] <= 0:
            continue
        for q in range(n_profiles):
            if weights[q] <= 0 or counts[q] >= work.most[q]:
                continue
            change = _change(p, q, layout, work.gap)
            if change <= best:
                if change < best:
                    best, total = change, 0.0
                share = _closeness(weights, counts, p, q)
                total += share
                if next_uniform(state) * total < share:
                    best_p, best_q = p, q
    if best_p < 0:
        return -1, -1, 1
    return best_p, best_q, best


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _move(p, q, layout, gap, people, counts, n):
    """Take one person from p to q (-1: nobody). Returns how many profiles are listed as in use."""
    cells, outside = layout.cells, layout.outside
    for k in range(cells.shape[0]):
        if p >= 0:
            gap[cells[k, p]] -= 1
        if q >= 0:
            gap[cells[k, q]] += 1
    gap[outside] = 0
    if p >= 0:
        counts[p] -= 1
    if q >= 0:
        counts[q] += 1
        if counts[q] == 1:
            for i in range(n):
                if people[i] == q:  # emptied before
                    return n
            people[n] = q
            n += 1
    return n
