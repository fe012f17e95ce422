"""Moves of annealing: what is missed, what an exchange of one person changes, and which donor would help most.

State is kept in `AnnealWork`: people by cell against the targets, what one more and one fewer costs in each cell, and people up
to each bin. An exchange touches only the cells and bins in which the two profiles differ.
"""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.layout import find_profile
from synthpop_gb.kernels.streams import next_below, next_uniform

__all__ = ["change_of", "exchange", "further_of", "guided_donor", "measure", "measure_bins"]


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def measure(people, targets, price, layout, work):
    """Set gap, up and down. Returns the TAE, and what no choice of people could better: tables that disagree on the total."""
    gap, cells, start = work.gap, layout.cells, layout.start
    for c in range(layout.n_cells):
        gap[c] = -np.int32(np.rint(targets[c]))
    for i in range(people.shape[0]):
        row = cells[people[i]]
        for k in range(row.shape[0]):
            gap[row[k]] += 1
    gap[layout.n_cells] = 0
    work.up[layout.n_cells] = work.down[layout.n_cells] = 0.0
    tae, floor = 0, 0
    for k in range(start.shape[0] - 1):
        work.n_short[k] = -1
        excess = 0
        for c in range(start[k], start[k + 1]):
            tae += abs(gap[c])
            excess += gap[c]
            _price(c, price, work)
        if not layout.partial[k]:
            floor += abs(excess)
    return tae, floor


@njit(inline="always")
def _price(c, price, work):
    """Set what one person more and one fewer in a cell change."""
    work.up[c] = -price[c] if work.gap[c] < 0 else price[c]
    work.down[c] = -price[c] if work.gap[c] > 0 else price[c]


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def measure_bins(people, over_targets, layout, work):
    """Set over. Returns the earth mover's distance: sum over bins of abs(people up to the bin - wanted up to the bin)."""
    over, distance = work.over, 0
    over[:] = 0
    for i in range(people.shape[0]):
        for g in range(layout.bins.shape[1]):
            over[layout.bins[people[i], g]] += 1
    for g in range(layout.bin_start.shape[0] - 1):
        running = 0
        for b in range(layout.bin_start[g], layout.bin_start[g + 1]):
            running += over[b]
            over[b] = running - over_targets[b]
            distance += abs(over[b])
    return distance


@njit(inline="always")
def change_of(p, q, cells, up, down):
    """Change of the weighted TAE when a person of profile p makes room for one of profile q."""
    change = 0.0
    for k in range(cells.shape[1]):
        here, there = cells[p, k], cells[q, k]
        step = down[here] + up[there]
        change += step if here != there else 0.0
    return change


@njit(inline="always")
def further_of(p, q, layout, over):
    """Change of the earth mover's distance: of the bins between the two, each counts one person more or fewer."""
    further = 0
    for g in range(layout.bins.shape[1]):
        a, b = layout.bins[p, g], layout.bins[q, g]
        for j in range(a, b):
            further += 1 if over[j] <= 0 else -1
        for j in range(b, a):
            further += 1 if over[j] >= 0 else -1
    return further


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def exchange(p, q, price, layout, work):
    """Put a person of profile q in the place of one of profile p. Returns the change of the TAE."""
    cells, gap, n_cells, change = layout.cells, work.gap, layout.n_cells, 0
    for k in range(cells.shape[1]):
        here, there = np.int64(cells[p, k]), np.int64(cells[q, k])
        if here != there:
            if here != n_cells:
                change += -1 if gap[here] > 0 else 1
                gap[here] -= 1
                _price(here, price, work)
            if there != n_cells:
                change += -1 if gap[there] < 0 else 1
                gap[there] += 1
                _price(there, price, work)
            work.n_short[k] = -1
    for g in range(layout.bins.shape[1]):
        a, b = layout.bins[p, g], layout.bins[q, g]
        for j in range(a, b):
            work.over[j] -= 1
        for j in range(b, a):
            work.over[j] += 1
    return change


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def guided_donor(p, missing, layout, work, state):
    """Return the eligible profile like p but for what it has too much of, or -1 where there is none.

    Every constraint in which p's cell has too many people gives a random cell that has too few; every second time each of
    them has its say by a coin only, since the profile that differs in all may not exist. Where no table misses anything, one
    bin of one statistic is changed.
    """
    gap, key, helping = work.gap, layout.keys[p], False
    if missing:
        some = next_uniform(state) < 0.5
        for k in range(layout.cells.shape[1]):
            here = np.int64(layout.cells[p, k])
            if gap[here] > 0 and (not some or next_uniform(state) < 0.5):
                if work.n_short[k] < 0:
                    _list_short(k, layout, work)
                if work.n_short[k] > 0:
                    there = work.short[layout.start[k] + next_below(state, work.n_short[k])]
                    key += layout.salts[there] - layout.salts[here]
                    helping = True
    elif layout.bins.shape[1] > 0:
        g = next_below(state, layout.bins.shape[1])
        first = layout.bin_start[g]
        there = first + next_below(state, layout.bin_start[g + 1] - first)
        key += layout.bin_salts[there] - layout.bin_salts[layout.bins[p, g]]
        helping = there != layout.bins[p, g]
    if not helping:
        return np.int64(-1)
    q = find_profile(key, layout.keys, layout.table)
    return q if q >= 0 and work.eligible[q] else np.int64(-1)


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _list_short(k, layout, work):
    """List a constraint's cells that have too few people."""
    first, n = layout.start[k], 0
    for c in range(first, layout.start[k + 1]):
        if work.gap[c] < 0:
            work.short[first + n] = c
            n += 1
    work.n_short[k] = n
