"""Units of a zone exchanged for others, so that its categories hold as many members as a scenario asks for, to a person.

A unit (a person, or a household with its members) is of a *class* by how many of its members are in each category, and of a
*kind* that says which others may take its place: those alike on every table, then those alike on fewer, level after level. One
exchange takes a copy out and puts a unit of the same kind and another class in; only exchanges that bring the zone nearer to its
goal, in the sum over categories of abs(goal - members), are made, until none is left. Which copy goes and which class comes is
drawn in proportion to the copies there are, times the share of that class among the units that may come: who is as likely to
be of the class as its like in the survey is as likely to be exchanged.
"""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.streams import next_below, next_uniform

__all__ = ["exchange_zones"]


@njit
def _gain(gap, was, will):
    """Fall of sum(abs(gap)) where a unit that counts `was` gives way to one that counts `will`."""
    fall = 0
    for c in range(gap.shape[0]):
        fall += abs(gap[c]) - abs(gap[c] - will[c] + was[c])
    return fall


@njit
def _runs(key, order):
    """First position of each run of equal keys along an order, and the end; runs of keys below nought are left out."""
    n = order.shape[0]
    begin = 0
    while begin < n and key[order[begin]] < 0:
        begin += 1
    n_runs = 0
    for i in range(begin, n):
        if i == begin or key[order[i]] != key[order[i - 1]]:
            n_runs += 1
    first = np.empty(n_runs + 1, np.int64)
    r = 0
    for i in range(begin, n):
        if i == begin or key[order[i]] != key[order[i - 1]]:
            first[r] = i
            r += 1
    first[n_runs] = n
    return first


@njit
def _ways(within, first, at_home, kind_start, pool_start, cumulated):
    """List what may take the place of a copy of each run: units of its kind, in a run of the zone or in a group of the pool.

    within : (n_runs,) int64, kind of each run; first : as of `_runs`. at_home : whether units come from the zone's own runs.
    Returns (run, source, rate), (n_ways,) each: the run or the group that a unit comes from, and its share of all that may come.
    """
    n_runs = within.shape[0]
    low, high = np.empty(n_runs, np.int64), np.empty(n_runs, np.int64)
    for r in range(n_runs):
        if not at_home:
            low[r], high[r] = kind_start[within[r]], kind_start[within[r] + 1]
        elif r > 0 and within[r] == within[r - 1]:  # runs of one kind lie side by side
            low[r], high[r] = low[r - 1], high[r - 1]
        else:
            low[r], high[r] = r, r + 1
            while high[r] < n_runs and within[high[r]] == within[r]:
                high[r] += 1
    n_ways = (high - low).sum()
    run, source, rate = np.empty(n_ways, np.int64), np.empty(n_ways, np.int64), np.empty(n_ways)
    i = 0
    for r in range(n_runs):
        whole, begin = 0.0, i
        for s in range(low[r], high[r]):
            run[i], source[i] = r, s
            rate[i] = first[s + 1] - first[s] if at_home else cumulated[pool_start[s + 1] - 1]
            whole += rate[i]
            i += 1
        for k in range(begin, i):
            rate[k] /= whole
    return run, source, rate


@njit
def exchange_zones(
    indptr, copies, kind_of, class_of, value, kind_start, group_class, pool_start, pool, cumulated, own, goal, keys
):  # fmt: skip
    """Exchange units of a block of zones.

    indptr : (n_zones + 1,) int64; copies : (n_copies,) int32. The unit of every copy, zone by zone.
    kind_of : (n_levels, n_units) int32. Kind of each unit at each level of likeness, numbered across levels; -1 = stays.
    class_of : (n_units,) int32; value : (n_classes, n_categories) int64. Members that a unit of a class has in each category.
    kind_start : (n_kinds + 1,) int64; group_class : (n_groups,) int32. Groups of units that may come, kind by kind, each of one
              class.
    pool_start : (n_groups + 1,) int64; pool : (n_pool,) int32; cumulated : (n_pool,) float64. Units of each group, and their
              weights cumulated within the group.
    own : bool. Whether at the first level the units that may come are those of the zone as it was, each copy alike.
    goal : (n_zones, n_categories) int64, members. keys : (n_zones,) uint64, each zone's stream key of purpose SCENARIO.

    Returns (copies, moved, missed): the units after, in the same places; (n_zones, n_levels) int64 exchanges; (n_zones,) int64
    what is left of sum(abs(goal - members)). Zones whose goal cannot be reached keep the rest: nothing is forced.
    """
    n_zones, n_levels, n_classes, n_categories = goal.shape[0], kind_of.shape[0], value.shape[0], value.shape[1]
    after = copies.copy()
    moved, missed = np.zeros((n_zones, n_levels), np.int64), np.zeros(n_zones, np.int64)
    state = np.empty(1, np.uint64)
    gap = np.empty(n_categories, np.int64)
    for z in range(n_zones):
        mine = after[indptr[z] : indptr[z + 1]]
        gap[:] = goal[z]
        for i in range(mine.shape[0]):
            gap -= value[class_of[mine[i]]]
        left = np.abs(gap).sum()
        state[0] = keys[z]
        for level in range(n_levels):
            if left == 0:
                break
            key = np.empty(mine.shape[0], np.int64)
            for i in range(mine.shape[0]):
                kind = np.int64(kind_of[level, mine[i]])
                key[i] = kind * n_classes + class_of[mine[i]] if kind >= 0 else -1
            order = np.argsort(key, kind="mergesort")
            first = _runs(key, order)
            n_runs = first.shape[0] - 1
            room = first[1:] - first[:-1]  # copies of each run that have not been exchanged
            was, within = np.empty(n_runs, np.int64), np.empty(n_runs, np.int64)
            for r in range(n_runs):
                was[r], within[r] = key[order[first[r]]] % n_classes, key[order[first[r]]] // n_classes
            at_home = own and level == 0
            before, stock = mine.copy(), order.copy()
            run, source, rate = _ways(within, first, at_home, kind_start, pool_start, cumulated)
            n_pairs = run.shape[0]
            reached = np.empty(n_pairs)
            while left > 0:
                total = 0.0
                for p in range(n_pairs):
                    r = run[p]
                    if room[r] > 0:
                        will = was[source[p]] if at_home else np.int64(group_class[source[p]])
                        if will != was[r] and _gain(gap, value[was[r]], value[will]) > 0:
                            total += room[r] * rate[p]
                    reached[p] = total
                if total <= 0.0:
                    break
                p = min(np.searchsorted(reached, next_uniform(state) * total, side="right"), n_pairs - 1)
                while p > 0 and reached[p] == reached[p - 1]:  # a draw at the very end: back to the last that can be made
                    p -= 1
                r = run[p]
                place = first[r] + next_below(state, room[r])
                room[r] -= 1
                copy = order[place]
                order[place], order[first[r] + room[r]] = order[first[r] + room[r]], copy
                if at_home:
                    s = source[p]
                    new = before[stock[first[s] + next_below(state, first[s + 1] - first[s])]]
                else:
                    a, b = pool_start[source[p]], pool_start[source[p] + 1]
                    drawn = np.searchsorted(cumulated[a:b], next_uniform(state) * cumulated[b - 1], side="right")
                    new = pool[a + min(drawn, b - a - 1)]
                gap += value[was[r]] - value[class_of[new]]
                mine[copy] = new
                left = np.abs(gap).sum()
                moved[z, level] += 1
        missed[z] = left
    return after, moved, missed
