"""Simulated annealing over whole records: one person of a zone exchanged for another donor, again and again, while it cools.

The objective is the total absolute error of the tables, each table's cells at its price, plus a price times the earth mover's
distance of statistics that are no constraint. Only the cells that a proposal changes are looked at, so it costs O(constraints)
whatever the number of cells and people. Kirkpatrick, Gelatt & Vecchi (1983, Science 220); for synthetic populations Williamson,
Birkin & Rees (1998, Environ. Plan. A 30), Voas & Williamson (2000, Int. J. Popul. Geogr. 6), Harland et al. (2012, JASSS 15, 1).

A proposal takes a random person and puts in a donor: a random one, or, *guided*, the profile that differs from the person only
where it helps (from a cell with too many people to one of the same constraint with too few), if some record has it.
"""

import math
from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.anneal_donors import draw_donor
from synthpop_gb.kernels.anneal_moves import change_of, exchange, further_of, guided_donor, measure, measure_bins
from synthpop_gb.kernels.streams import next_below, next_uniform

__all__ = [
    "FLOOR",
    "HOTTER",
    "MET",
    "NOBODY",
    "NO_DONORS",
    "NO_MOVE",
    "PROPOSALS",
    "STEPS",
    "UNCHANGED",
    "Schedule",
    "anneal_zone",
]

MET, FLOOR, NO_MOVE, UNCHANGED, STEPS, PROPOSALS, NOBODY, NO_DONORS = 0, 1, 2, 3, 4, 5, 6, 7
HOTTER = 3.0  # each heating against the one before: what froze once would freeze again
_OPEN = -1
_EQUAL = 1e-9  # objectives nearer than this are equal: prices need not be whole


class Schedule(NamedTuple):
    """How long and how hot. People: those of the zone.

    temperature : at the first step, in the objective's unit; cooling : what it is multiplied by after each step.
    steps : limit of steps. attempts, successes : proposals, and accepted moves, a person after which a step ends.
    unchanged : steps without a change of the objective after which it is frozen, as it is after a step without a move.
    reheats : how often it may be heated again then.
    max_proposals : limit of proposals.
    guided : share of proposals that are guided, 0 to 1.
    like : whether a donor of the person's own profile counts as a move (records are exchanged then, not profiles).
    best : whether the best state seen is kept, and not the last.
    """

    temperature: float
    cooling: float
    steps: int
    attempts: float
    successes: float
    unchanged: int
    reheats: int
    max_proposals: int
    guided: float
    like: bool
    best: bool


@njit
def anneal_zone(people, targets, price, over_targets, over_price, layout, work, schedule, state, trace, every):
    """Exchange people for donors until the targets are met or another rule stops it.

    people : (n,) int32. Profile of each person; changed in place.
    targets : (n_cells,) float64, persons, taken to whole numbers. price : (n_cells + 1,) float64. What a person too many or too
        few in a cell costs; 0 for the last, "outside".
    over_targets : (n_bins,) int32. How many people there should be up to and including each bin; over_price : what one person
        by one bin costs.
    layout, work : of `anneal_layout` and `anneal_work`; work.eligible, work.chance and work.alias tell the donors.
    schedule : `Schedule`; steps, cooling and unchanged count from the last heating.
    state : (1,) uint64, the zone's stream of purpose ANNEAL; advanced.
    trace : (m, 3) float64. Written every `every` proposals, from the state before the first: proposals, temperature, TAE.
    Returns (stopped, tae, distance, steps, proposals, accepted, traced): the rule that fired; total absolute error and earth
        mover's distance that are left, persons; steps of temperature; moves proposed and accepted; rows of the trace.
    """
    n = people.shape[0]
    tae, floor = measure(people, targets, price, layout, work)
    distance = measure_bins(people, over_targets, layout, work)
    priced = 0.0
    for c in range(layout.n_cells):
        priced += price[c] * abs(work.gap[c])
    kept, dirty, listed, n_dirty = people.copy(), np.zeros(n, np.bool_), np.empty(n, np.int32), 0
    best_tae, best_priced, best_distance = tae, priced, distance
    limit, most = max(1, np.int64(schedule.attempts * n)), max(1, np.int64(schedule.successes * n))
    temperature, steps, same, proposals, accepted, traced = schedule.temperature, 0, 0, 0, 0, 0
    heated, last = 0, schedule.steps
    stopped = _goal(tae, floor, distance)
    if trace.shape[0] > 0:
        traced = _note(trace, traced, 0, temperature, tae)
    while stopped == _OPEN:
        if steps == last:
            stopped = STEPS
            break
        steps += 1
        taken, before = 0, priced + over_price * distance
        for _ in range(limit):
            if proposals == schedule.max_proposals:
                stopped = PROPOSALS
                break
            proposals += 1
            i = next_below(state, n)
            p, q = np.int64(people[i]), np.int64(-1)
            if schedule.guided > 0.0 and next_uniform(state) < schedule.guided:
                q = guided_donor(p, tae > floor, layout, work, state)
            if q < 0:
                q = draw_donor(state, work.chance, work.alias)
            if q != p or schedule.like:
                change = change_of(p, q, layout.cells, work.up, work.down)
                further = further_of(p, q, layout, work.over)
                rise = change + over_price * further
                if rise <= 0.0 or next_uniform(state) < math.exp(-rise / temperature):
                    taken += 1
                    tae += exchange(p, q, price, layout, work)
                    priced += change
                    distance += further
                    people[i] = q
                    if schedule.best:
                        if not dirty[i]:
                            dirty[i] = True
                            listed[n_dirty] = i
                            n_dirty += 1
                        if _better(priced, distance, best_priced, best_distance):
                            best_tae, best_priced, best_distance = tae, priced, distance
                            _take_over(people, kept, dirty, listed, n_dirty)
                            n_dirty = 0
                    stopped = _goal(tae, floor, distance)
            if trace.shape[0] > 0 and proposals % every == 0:
                traced = _note(trace, traced, proposals, temperature, tae)
            if stopped != _OPEN or taken >= most:
                break
        accepted += taken
        same = same + 1 if abs(priced + over_price * distance - before) < _EQUAL else 0
        if stopped == _OPEN and taken == 0:
            stopped = NO_MOVE
        elif stopped == _OPEN and same >= schedule.unchanged:
            stopped = UNCHANGED
        temperature *= schedule.cooling
        if (stopped == NO_MOVE or stopped == UNCHANGED) and heated < schedule.reheats:
            heated, last, same, stopped = heated + 1, steps + schedule.steps, 0, _OPEN
            temperature = schedule.temperature * HOTTER**heated
    if schedule.best and n_dirty > 0:
        _take_over(kept, people, dirty, listed, n_dirty)
        tae, distance = best_tae, best_distance
    if trace.shape[0] > 0:
        traced = _note(trace, traced, proposals, temperature, tae)
    return stopped, tae, distance, steps, proposals, accepted, traced


@njit(inline="always")
def _goal(tae, floor, distance):
    """MET where nothing is missed, FLOOR where nothing but the disagreement of the tables on their totals is, else _OPEN."""
    if tae > floor or distance > 0:
        return _OPEN
    return FLOOR if floor > 0 else MET


@njit(inline="always")
def _better(priced, distance, best_priced, best_distance):
    """Whether tables are nearer, or as near and the statistics nearer: exact tables come first, whatever the prices."""
    return priced < best_priced - _EQUAL or (priced < best_priced + _EQUAL and distance < best_distance)


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _take_over(source, sink, dirty, listed, n):
    """Copy the people listed from one state to another, and strike them off the list."""
    for j in range(n):
        i = listed[j]
        sink[i] = source[i]
        dirty[i] = False


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _note(trace, row, proposals, temperature, tae):
    """Write one row of the trace, the last over again where it is full. Returns how many rows there are."""
    row = min(row, trace.shape[0] - 1)
    trace[row, 0], trace[row, 1], trace[row, 2] = proposals, temperature, tae
    return row + 1
