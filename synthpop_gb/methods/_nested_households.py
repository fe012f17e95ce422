"""Whole households of zones that levels bind together: drawn together, then zones, then areas by moves that spare zones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels.unit_layout import UnitLayout, UnitWork, unit_work
from synthpop_gb.kernels.unit_neutral import list_moves, nest_units
from synthpop_gb.kernels.unit_pairs import PairWork, pair_work
from synthpop_gb.kernels.unit_swaps import exchange_units, list_units
from synthpop_gb.kernels.unit_whole import place_units
from synthpop_gb.kernels.unit_zones import close_zones
from synthpop_gb.methods._area_programme import choose_moves
from synthpop_gb.methods._nested import together
from synthpop_gb.methods._placing import (
    Whole,
    first_effort,
    gathered,
    go_on,
    layout_of,
    parts_of,
    room_for,
    row_of,
    zone_layout_of,
)
from synthpop_gb.methods._whole_options import WholeOptions
from synthpop_gb.problem import Problem

__all__ = ["nested_households"]

_SMALL = 8  # zones of a component up to which whole attempts are made again and again
_QUICK = 2_000  # proposals a zone of the first attempt, where zones are brought onto their tables by themselves afterwards
_ZONE, _HOMES = 4, 4  # what a person missed by a zone counts beside one missed by an area, and a household missed by an area
_ROUNDS, _ALONE, _PROPOSALS, _HOT, _TRIPLES = 3, 5, 8_000, 4.0, 40  # of one zone by itself; the last as if there were no areas
_DRAWS = 16_000  # swaps drawn of a zone, to be matched
_NEUTRAL, _COOLING = ((18, 2.5), (8, 1.0)), 0.88  # sweeps of neutral moves and the temperature of the first, by cycle
_PROGRAMMES, _MOVES, _NODES = 3, 12_000, 50  # programmes of neutral moves; moves of a zone that are listed, at most


class _Space(NamedTuple):
    """Work space, for components of any size asked for."""

    layout: UnitLayout
    zones: UnitLayout  # the same with strata alike in household tables of the zones alone
    work: UnitWork
    pairs: PairWork


def nested_households(
    problem: Problem, zones: np.ndarray, weights_of: Callable, goals: np.ndarray, above: Sequence[np.ndarray],
    options: WholeOptions, states: np.ndarray,
) -> Whole:  # fmt: skip
    """Draw whole units for zones that levels bind together and bring them onto the tables of zones and areas.

    1. All zones of a component are drawn, and household tables of zones and areas put right, as `whole_households` does; a few
       zones are tried again as it does, more are not: no attempt would be exact in all at once.
    2. Each zone by itself is brought onto its tables, areas' counting as well, if less (`kernels.unit_zones`).
    3. Areas are brought onto theirs by moves that leave the zones' as they are (`kernels.unit_neutral`), first one after another,
       then many at once, chosen by an integer programme (`_area_programme`).
    4. Where something is missed still, 2 and 3 again; the best state counts.

    Parameters as in `whole_households`; goals : (n, n_cells), above : (n_areas, n_level_cells) by level, whole.
    """
    layout, n, components = layout_of(problem), len(zones), together(problem, zones)
    rows, found, ending = [None] * n, np.zeros((n, 4)), np.empty(n, object)
    widest = max(map(len, components), default=1)
    effort = options.search
    space = _Space(
        layout, zone_layout_of(problem), unit_work(layout, widest), pair_work(max(effort.swaps * min(widest, _SMALL), _DRAWS))
    )
    matrix, of_households = problem.members.matrix(), layout.household[: problem.n_cells]
    for members in components:
        parts = parts_of(problem, layout, zones[members], goals[members], above)
        weights = np.stack([np.asarray(weights_of(int(i)), np.float64) for i in members])
        state = np.array([states[members].sum(dtype=np.uint64)])
        placed, best = room_for(weights, parts), np.empty(weights.shape, np.int32)
        first = first_effort(effort)
        if len(members) > _SMALL:
            first = first._replace(restarts=0, max_proposals=min(_QUICK, effort.max_proposals), swaps=0)
        error, proposals, restarts = place_units(weights, first, parts, layout, placed, best, space.work, space.pairs, state)
        how = "exact" if error == 0 else "not found"
        if error and options.effort != "quick":
            if len(members) <= _SMALL:
                best, proposals, restarts, how = go_on(
                    best, error, proposals, restarts, weights, options, parts, layout, placed, space.work, space.pairs, state
                )
            if how == "not found" or how == "no exact point":
                proposals += _settle(best, weights, len(members) * problem.n_cells, parts, placed, space, state)
                how = "exact" if not (best @ matrix - np.rint(goals[members])).any() and not placed.gap.any() else how
        miss = np.abs(best @ matrix - np.rint(goals[members]))
        for j, i in enumerate(members):
            rows[i] = row_of(best[j])
            found[i] = miss[j][of_households].sum(), miss[j][~of_households].sum(), proposals, restarts
            ending[i] = how
    return gathered(rows, found, ending)


def _settle(counts, weights, first_area, parts, placed, space, state) -> int:
    """Bring a component onto its tables, zones first, then areas; counts are changed in place. Returns the proposals made."""
    made, least, best, layout = 0, None, counts.copy(), space.zones
    price = np.ones(len(parts.target), np.int64)
    price[:first_area] = _ZONE
    price[first_area:][parts.household[first_area:]] = _HOMES
    alone = np.where(np.arange(len(price)) < first_area, price, 0)
    for sweeps, hot in _NEUTRAL:
        placed.counts[:] = counts
        _, n, _ = list_units(weights, parts, layout, placed)
        tried = 0
        for rounds, heeded in ((_ROUNDS, price), (_ALONE, alone)):
            off, more = close_zones(
                n, first_area, rounds, _PROPOSALS, _HOT, _DRAWS, _TRIPLES, heeded, weights, parts, layout, placed, space.work,
                space.pairs, state,
            )  # fmt: skip
            tried += more
            if off == 0:
                break
        _, drawn = nest_units(
            n, first_area, sweeps, _DRAWS, hot, _COOLING, price, weights, parts, layout, placed, space.work,
            space.pairs, state,
        )  # fmt: skip
        made += tried + drawn
        for _ in range(_PROGRAMMES):
            if not placed.gap[first_area:].any():
                break
            chosen, looked = _choose(n, first_area, weights, parts, placed, space, state)
            made += looked
            if not chosen:
                break
        score = int(np.abs(placed.gap).sum())
        if least is None or score < least:
            best[:], least = placed.counts, score
        if score == 0:
            break
        counts[:] = placed.counts
    counts[:] = best
    return made


def _choose(n, first_area, weights, parts, placed, space, state) -> tuple[int, int]:
    """Make neutral moves that together bring areas onto their tables: (how many are made, how many were looked at)."""
    room = _MOVES * len(placed.counts)
    moves, keys = np.empty((room, 6), np.int64), np.empty(room, np.uint64)
    found = list_moves(
        n, first_area, _DRAWS, weights, parts, space.zones, placed, space.work, space.pairs, state, moves, keys
    )  # fmt: skip
    chosen = choose_moves(moves[:found], keys[:found], first_area, _NODES, parts, space.zones, placed)
    for row in chosen.tolist():
        for unit, donor in ((moves[row, 0], moves[row, 1]), (moves[row, 2], moves[row, 3])):
            if unit >= 0:
                exchange_units(unit, donor, None, parts, space.zones, placed)
    return len(chosen), found
