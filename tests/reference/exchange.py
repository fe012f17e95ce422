"""Units exchanged one at a time, every possible exchange listed afresh before each."""

import numpy as np

from synthpop_gb.kernels.streams import next_below, next_uniform


def exchange(copies, kind_of, class_of, value, pools, own, goal, key):
    """Exchange units of one zone; returns copies, exchanges by level, what is left. pools: {kind: {class: [(unit, weight)]}}."""
    copies, state = [int(u) for u in copies], np.array([key], np.uint64)
    moved = [0] * len(kind_of)

    def off(members):
        return int(np.abs(goal - members).sum())

    members = value[class_of[copies]].sum(axis=0) if copies else np.zeros(len(goal), int)
    for level, kinds in enumerate(kind_of):
        if off(members) == 0:
            break
        free, before = {}, {}
        for i, u in enumerate(copies):
            if kinds[u] >= 0:
                free.setdefault((int(kinds[u]), int(class_of[u])), []).append(i)
                before.setdefault((int(kinds[u]), int(class_of[u])), []).append(u)
        here = own and level == 0
        while off(members):
            ways = []
            for kind, was in sorted(free):
                at_home = {c: [(u, 1.0) for u in before[k, c]] for k, c in sorted(before) if k == kind}
                coming = at_home if here else pools[kind]
                whole = sum(sum(w for _, w in units) for units in coming.values())
                for will, units in coming.items():
                    better = off(members - value[was] + value[will]) < off(members)
                    if will != was and better and free[kind, was]:
                        ways.append((len(free[kind, was]) * sum(w for _, w in units) / whole, kind, was, will, units))
            if not ways:
                break
            reached = np.cumsum([w[0] for w in ways])
            way = ways[min(int(np.searchsorted(reached, next_uniform(state) * reached[-1], side="right")), len(ways) - 1)]
            _, kind, was, will, units = way
            mine = free[kind, was]
            place = int(next_below(state, len(mine)))
            mine[place], mine[-1] = mine[-1], mine[place]
            i = mine.pop()
            if here:
                new = units[int(next_below(state, len(units)))][0]
            else:
                cumulated = np.cumsum([w for _, w in units])
                drawn = int(np.searchsorted(cumulated, next_uniform(state) * cumulated[-1], side="right"))
                new = units[min(drawn, len(units) - 1)][0]
            copies[i] = new
            members = members - value[was] + value[will]
            moved[level] += 1
    return copies, moved, off(members)
