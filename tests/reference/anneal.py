"""Annealing in plain Python: the whole objective is counted afresh for every proposal; the same draws in the same order.

`anneal` follows the kernel's rules step by step. What a proposal changes is found by counting all people again, tables and
distributions alike, and "the profile that differs only where it helps" by looking through all profiles.
"""

import math

import numpy as np

from synthpop_gb.kernels.streams import next_below, next_uniform


def tae(people, cell_of, targets):
    """Total absolute error of a list of people against targets taken to whole numbers, persons; and count minus target."""
    gap = -np.rint(targets).astype(int)
    for row in cell_of:
        for p in people:
            if row[p] >= 0:
                gap[row[p]] += 1
    return int(np.abs(gap).sum()), gap


def earth_movers(people, guide_of, guide_start, over_targets):
    """Sum over bins of abs(people up to the bin - wanted up to the bin): persons x bins that would have to be moved."""
    distance = 0
    for row, first, last in zip(guide_of, guide_start[:-1], guide_start[1:], strict=True):
        found = np.cumsum([sum(row[p] == b for p in people) for b in range(first, last)])
        distance += int(np.abs(found - over_targets[first:last]).sum())
    return distance


def objective(people, problem, prices, over_price):
    """(priced TAE, TAE, distance)."""
    total, gap = tae(people, problem["cell_of"], problem["targets"])
    distance = earth_movers(people, problem["guide_of"], problem["guide_start"], problem["over_targets"])
    return float(np.abs(gap) @ prices), total, distance


def eligible(targets, cell_of, start):
    """Profiles with the fewest cells in which nobody is wanted, and how many such cells: 0 where the rule holds."""
    empty = [
        sum(c >= 0 and np.rint(targets[c]) == 0 for c in column) if s > 0 else 99
        for column, s in zip(cell_of.T, start, strict=True)
    ]
    return np.array([e == min(empty) and e < 99 for e in empty]), min(empty)


def alias_table(weight):
    """Vose (1991): (chance, alias) such that a column drawn uniformly is kept with its chance, else its alias is taken."""
    n, total = len(weight), 0.0
    for w in weight:
        total += w
    chance, alias = [w * (n / total) for w in weight], list(range(n))
    small, large = [p for p in range(n) if chance[p] < 1], [p for p in range(n) if not chance[p] < 1]
    while small and large:
        s, l = small.pop(), large[-1]
        alias[s] = l
        chance[l] -= 1.0 - chance[s]
        if chance[l] < 1:
            small.append(large.pop())
    for p in large:
        chance[p] = 1.0
    for p in small:
        if weight[p] > 0:
            chance[p] = 1.0
        else:
            alias[p] = int(np.argmax(weight))
    return chance, alias


def draw(state, table):
    """One profile from an alias table."""
    p = next_below(state, len(table[0]))
    return p if next_uniform(state) < table[0][p] else table[1][p]


def alike(p, change, problem):
    """First profile with the cells and bins of p but for those in `change` ({(kind, row): new}), or -1."""
    rows = [("cell", k, row) for k, row in enumerate(problem["cell_of"])] + [
        ("bin", g, row) for g, row in enumerate(problem["guide_of"])
    ]
    for q in range(problem["cell_of"].shape[1]):
        if all(row[q] == change.get((kind, k), row[p]) for kind, k, row in rows):
            return q
    return -1


def guided(p, gap, missing, problem, state):
    """Return the profile like p but for what it has too much of, or -1."""
    start, change = problem["constraint_start"], {}
    if missing:
        some = next_uniform(state) < 0.5
        for k, row in enumerate(problem["cell_of"]):
            if row[p] >= 0 and gap[row[p]] > 0 and (not some or next_uniform(state) < 0.5):
                short = [c for c in range(start[k], start[k + 1]) if gap[c] < 0]
                if short:
                    change["cell", k] = short[next_below(state, len(short))]
    elif len(problem["guide_of"]):
        g = next_below(state, len(problem["guide_of"]))
        first = problem["guide_start"][g]
        there = first + next_below(state, problem["guide_start"][g + 1] - first)
        if there != problem["guide_of"][g][p]:
            change["bin", g] = there
    return alike(p, change, problem) if change else -1


def anneal(people, problem, prices, over_price, table, allowed, schedule, state):
    """Anneal a list of people in place. Returns (rule, TAE, distance, steps, proposals, accepted)."""
    from synthpop_gb.kernels.anneal import FLOOR, HOTTER, MET, NO_MOVE, PROPOSALS, STEPS, UNCHANGED

    n, start = len(people), problem["constraint_start"]
    priced, total, distance = objective(people, problem, prices, over_price)
    full = [k for k, row in enumerate(problem["cell_of"]) if (row >= 0).all()]
    wanted = np.rint(problem["targets"])
    floor = int(sum(abs(n - wanted[start[k] : start[k + 1]].sum()) for k in full))
    best = (priced, distance, list(people), total)

    def goal():
        return None if total > floor or distance > 0 else FLOOR if floor else MET

    temperature, steps, same, proposals, accepted, heated, last = schedule.temperature, 0, 0, 0, 0, 0, schedule.steps
    rule = goal()
    while rule is None:
        if steps == last:
            rule = STEPS
            break
        steps += 1
        taken, before = 0, priced + over_price * distance
        for _ in range(max(1, int(schedule.attempts * n))):
            if proposals == schedule.max_proposals:
                rule = PROPOSALS
                break
            proposals += 1
            i = next_below(state, n)
            p, q = people[i], -1
            if schedule.guided > 0 and next_uniform(state) < schedule.guided:
                q = guided(p, tae(people, problem["cell_of"], problem["targets"])[1], total > floor, problem, state)
                q = q if q >= 0 and allowed[q] else -1
            if q < 0:
                q = draw(state, table)
            if q != p or schedule.like:
                people[i] = q
                new = objective(people, problem, prices, over_price)
                rise = new[0] - priced + over_price * (new[2] - distance)
                if rise <= 0 or next_uniform(state) < math.exp(-rise / temperature):
                    taken += 1
                    priced, total, distance = new
                    if schedule.best and (priced, distance) < best[:2]:
                        best = (priced, distance, list(people), total)
                    rule = goal()
                else:
                    people[i] = p
            if rule is not None or taken >= max(1, int(schedule.successes * n)):
                break
        accepted += taken
        same = same + 1 if priced + over_price * distance == before else 0
        if rule is None and taken == 0:
            rule = NO_MOVE
        elif rule is None and same >= schedule.unchanged:
            rule = UNCHANGED
        temperature *= schedule.cooling
        if rule in (NO_MOVE, UNCHANGED) and heated < schedule.reheats:
            heated, last, same, rule = heated + 1, steps + schedule.steps, 0, None
            temperature = schedule.temperature * HOTTER**heated
    if schedule.best:
        people[:], total, distance = best[2], best[3], best[1]
    return rule, total, distance, steps, proposals, accepted
