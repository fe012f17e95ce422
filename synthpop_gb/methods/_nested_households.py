"""Whole households of zones that levels bind together: drawn together, then zones, then areas by moves that spare zones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels.unit_layout import UnitLayout, component, unit_work
from synthpop_gb.kernels.unit_neutral import nest_units
from synthpop_gb.kernels.unit_pairs import match_swaps, pair_work
from synthpop_gb.kernels.unit_swaps import ALIKE, NARROW, anneal_units, list_units, prepare_donors
from synthpop_gb.kernels.unit_whole import place_units
from synthpop_gb.methods._nested import together
from synthpop_gb.methods._placing import Whole, first_effort, gathered, go_on, layout_of, parts_of, room_for, row_of
from synthpop_gb.methods._whole_options import WholeOptions
from synthpop_gb.problem import Problem

__all__ = ["nested_households"]

_SMALL = 8  # zones of a component up to which whole attempts are made again and again
_TRIES, _FIRST, _HOT, _COOLING, _STEPS = 4, 5_000, 0.6, 0.9, 20  # of one zone by itself; proposals are doubled each time
_ALIKE = (0, 2)  # attempts in which a household may have more or fewer members than the one it takes the place of
_MATCHED, _TRIPLES = 3_000, 40  # swaps of a zone that are matched at the end, as in `match_swaps`
_ROUNDS, _DRAWS, _NEUTRAL_HOT, _NEUTRAL_COOLING = 8, 10_000, 0.8, 0.7  # neutral moves: draws are a zone's
_AGAIN, _NEUTRAL_COLD, _CYCLES = 3, 0.1, 3
_WEIGHT, _LAST = 6, 20_000  # what a person missed by an area counts beside one missed by a zone; proposals a zone


class _Space(NamedTuple):
    """Work space, for components of any size asked for."""

    layout: UnitLayout
    work: object
    pairs: object


def nested_households(
    problem: Problem, zones: np.ndarray, weights_of: Callable, goals: np.ndarray, above: Sequence[np.ndarray],
    options: WholeOptions, states: np.ndarray,
) -> Whole:  # fmt: skip
    """Draw whole units for zones that levels bind together and bring them onto the tables of zones and areas.

    1. All zones of a component are drawn, and household tables of zones and areas put right, as `whole_households` does; a few
       zones are tried again as it does, more are not: no attempt would be exact in all at once.
    2. Each zone by itself is brought onto its tables by swaps that leave all household tables as they are.
    3. Areas are brought onto theirs by moves that leave the zones' as they are (`kernels.unit_neutral`).
    4. What is left is taken to zones: areas' tables count more than zones'. Then 2 to 4 again; the best state counts.

    Parameters as in `whole_households`; goals : (n, n_cells), above : (n_areas, n_level_cells) by level, whole.
    """
    layout, n, components = layout_of(problem), len(zones), together(problem, zones)
    rows, found, ending = [None] * n, np.zeros((n, 4)), np.empty(n, object)
    widest = max(map(len, components), default=1)
    effort = options.search
    space = _Space(layout, unit_work(layout, widest), pair_work(max(effort.swaps, _DRAWS) * widest))
    matrix, of_households = problem.members.matrix(), layout.household[: problem.n_cells]
    for members in components:
        parts = parts_of(problem, layout, zones[members], goals[members], above)
        weights = np.stack([np.asarray(weights_of(int(i)), np.float64) for i in members])
        state = np.array([states[members].sum(dtype=np.uint64)])
        placed, best = room_for(weights, parts), np.empty(weights.shape, np.int32)
        first = first_effort(effort)
        if len(members) > _SMALL:
            first = first._replace(restarts=0)
        error, proposals, restarts = place_units(weights, first, parts, layout, placed, best, space.work, space.pairs, state)
        how = "exact" if error == 0 else "not found"
        if error and options.effort != "quick":
            if len(members) <= _SMALL:
                best, proposals, restarts, how = go_on(
                    best, error, proposals, restarts, weights, options, parts, layout, placed, space.work, space.pairs, state
                )
            if how == "not found" or how == "no exact point":
                proposals += _settle(best, weights, problem.n_cells, parts, placed, space, state)
                how = "exact" if not (best @ matrix - np.rint(goals[members])).any() and not placed.gap.any() else how
        miss = np.abs(best @ matrix - np.rint(goals[members]))
        for j, i in enumerate(members):
            rows[i] = row_of(best[j])
            found[i] = miss[j][of_households].sum(), miss[j][~of_households].sum(), proposals, restarts
            ending[i] = how
    return gathered(rows, found, ending)


def _settle(counts, weights, n_cells, parts, placed, space, state) -> int:
    """Bring a component onto its tables, zones first, then areas; counts are changed in place. Returns the proposals made."""
    first_area, made, least = len(counts) * n_cells, 0, None
    best, heat = counts.copy(), 1.0
    for _ in range(_CYCLES):
        made += sum(_settle_zone(counts, z, weights, n_cells, parts, space, state) for z in range(len(counts)))
        placed.counts[:] = counts
        _, n, _ = list_units(weights, parts, space.layout, placed)
        for rounds, hot in ((_ROUNDS, _NEUTRAL_HOT * heat), (_AGAIN, _NEUTRAL_COLD)):
            error, drawn = nest_units(
                n, first_area, rounds, _DRAWS * len(counts), hot, _NEUTRAL_COOLING, weights, parts, space.layout, placed,
                space.work, space.pairs, state,
            )  # fmt: skip
            made += drawn
            if not error:
                break
            if rounds == _ROUNDS:
                prepare_donors(weights, ALIKE, False, space.layout, space.work)
                _, drawn = anneal_units(
                    n, ALIKE, False, first_area, _WEIGHT, _score(placed, first_area), heat, 0.85, _STEPS,
                    _LAST * len(counts) // _STEPS, weights, parts, space.layout, placed, space.work, state,
                )  # fmt: skip
                made += drawn
        counts[:] = placed.counts
        score = _score(placed, first_area)
        if least is None or score < least:
            best[:], least = counts, score
        if score == 0:
            break
        heat *= 0.6
    counts[:] = best
    return made


def _score(placed, first_area) -> int:
    """Total absolute error, a person missed by an area counting as several missed by a zone."""
    gap = np.abs(placed.gap)
    return int(gap[:first_area].sum() + _WEIGHT * gap[first_area:].sum())


def _settle_zone(counts, z, weights, n_cells, parts, space, state) -> int:
    """Bring one zone onto its own tables, household tables of areas as they are; row z of counts is changed if that helps."""
    layout, one = space.layout, weights[z : z + 1]
    place = np.full((1, layout.n_cells), -1, np.int32)
    place[0, :n_cells] = np.arange(n_cells)
    mine = slice(z * n_cells, (z + 1) * n_cells)
    own = component(place, parts.target[mine], parts.household[mine], parts.most[z : z + 1])
    placed, made = room_for(one, own), 0
    placed.counts[:] = counts[z]
    _, n, error = list_units(one, own, layout, placed)
    for attempt in range(_TRIES):
        if error == 0 or n == 0:
            break
        which = ALIKE if attempt in _ALIKE else NARROW
        prepare_donors(one, which, False, layout, space.work)
        error, tried = anneal_units(
            n, which, False, len(placed.gap), 1, error, _HOT, _COOLING, _STEPS, _FIRST * 2**attempt // _STEPS, one, own, layout,
            placed, space.work, state,
        )  # fmt: skip
        made += tried
        if error:
            found, tried = match_swaps(
                n, _MATCHED, _TRIPLES, which, False, one, own, layout, placed, space.work, space.pairs, state
            )  # fmt: skip
            made, error = made + tried, 0 if found else error
    counts[z] = placed.counts[0]
    return made
