"""From fitted weights of households to whole ones: component after component, and what each still misses, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels.unit_block import place_alone
from synthpop_gb.kernels.unit_layout import Component, UnitLayout, component, unit_layout, unit_work
from synthpop_gb.kernels.unit_pairs import pair_work
from synthpop_gb.kernels.unit_whole import place_units, placed_units
from synthpop_gb.methods._integer_programme import can_be_met, nearest_whole
from synthpop_gb.methods._remembered import Remembered
from synthpop_gb.methods._whole_options import WholeOptions
from synthpop_gb.problem import Problem

__all__ = ["ENDINGS", "Whole", "whole_households"]

ENDINGS = {
    "exact": "household and person tables are met",
    "exact by integer programme": "they are met; swaps did not find how, an integer programme did",
    "no exact point": "no whole households of these donors meet the tables: proven by an integer programme",
    "not found": "no exact point was found within the limits, nor that there is none",
}  # fmt: skip
_UNLIMITED = np.iinfo(np.int32).max
_BEFORE_PROOF = 1  # restarts before it is asked whether there is anything to find
_BATCH = 32  # zones whose weights are held at once where nothing binds them together
_ROOM = 64  # units that settling totals may add to what weights round to


class Whole(NamedTuple):
    """Whole units of some zones, in the order asked for.

    indptr : (n + 1,) int64; profile, count : (nnz,) int32, profiles ascending within a row, units > 0.
    remainder : (n,) float64. Total absolute error of a zone's own tables, units and people.
    extra : columns of the status, one entry a zone: 'remainder_households', 'remainder_persons' (the same by tables of each),
        'proposals' and 'restarts' (of the component), 'ending' (of `ENDINGS`).
    """

    indptr: np.ndarray
    profile: np.ndarray
    count: np.ndarray
    remainder: np.ndarray
    extra: Mapping[str, np.ndarray]


def whole_households(
    problem: Problem,
    zones: np.ndarray,
    weights_of: Callable[[int], np.ndarray],
    targets: np.ndarray,
    options: WholeOptions,
    states: np.ndarray,
    *,
    above: Sequence[np.ndarray] | None = None,
    most: np.ndarray | None = None,
) -> Whole:
    """Draw whole units for some zones from their fitted weights and bring them onto tables of households and of persons.

    Zones that levels bind together are placed together, so that their sums meet the levels' tables as well; they must all be
    asked for at once. What a component comes out as depends on its own weights, targets and states alone, not on their order.

    Parameters
    ----------
    problem : Problem
        Of households or of persons.
    zones : (n,) int
        Positions of zones in it.
    weights_of : callable
        Position in `zones` -> (n_profiles,) float64, fitted weights, units.
    targets : (n, n_cells) float64
        Whole targets of these zones; taken to the nearest whole number.
    options : WholeOptions
        How hard to search.
    states : (n,) uint64
        Streams of purpose WHOLE of these zones.
    above : sequence of (n_areas, n_level_cells) float64, optional
        Whole targets of each level's areas. None = the problem's.
    most : (n_profiles,) or (n, n_profiles) int, optional
        Units that a zone may have of a profile. None = any number.

    Returns
    -------
    Whole

    References
    ----------
    Deville & Tille (2004), Biometrika 91: the draw. Williamson, Birkin & Rees (1998), Environ. Plan. A 30: swaps of households.
    """
    layout, n = _layout(problem), len(zones)
    most = None if most is None else np.broadcast_to(most, (n, problem.n_profiles))
    rows, found, ending = [None] * n, np.zeros((n, 4)), np.empty(n, object)
    if problem.levels:
        above = [level.targets for level in problem.levels] if above is None else above
        _place_together(problem, layout, zones, weights_of, targets, options, states, above, most, rows, found, ending)
    else:
        _place_alone(problem, layout, zones, weights_of, targets, options, states, most, rows, found, ending)
    return _result(rows, found, ending)


def _place_together(problem, layout, zones, weights_of, targets, options, states, above, most, rows, found, ending):
    """Place component after component; rows, found and ending are written."""
    matrix, effort, together = problem.members.matrix(), options.search, _components(problem, zones)
    most_zones = max(map(len, together), default=1)
    work, pairs = unit_work(layout, most_zones), pair_work(max(effort.swaps, 1) * most_zones)
    of_households = layout.household[: problem.n_cells]
    for members in together:
        parts = _parts(problem, layout, zones[members], targets[members], above, None if most is None else most[members])
        weights = np.stack([np.asarray(weights_of(int(i)), np.float64) for i in members])
        state = np.array([states[members].sum(dtype=np.uint64)])
        placed, best = _placed(weights, parts), np.empty(weights.shape, np.int32)
        first = _first(effort)
        error, proposals, restarts = place_units(weights, first, parts, layout, placed, best, work, pairs, state)
        counts, proposals, restarts, how = _go_on(
            best, error, proposals, restarts, weights, options, parts, layout, placed, work, pairs, state
        )
        miss = np.abs(counts @ matrix - np.rint(targets[members]))
        for j, i in enumerate(members):
            rows[i] = _row(counts[j])
            found[i] = miss[j][of_households].sum(), miss[j][~of_households].sum(), proposals, restarts
            ending[i] = how


def _place_alone(problem, layout, zones, weights_of, targets, options, states, most, rows, found, ending):
    """Place zones that nothing binds together, a batch at a time; rows, found and ending are written."""
    effort, n = options.search, len(zones)
    work, pairs = unit_work(layout), pair_work(max(effort.swaps, 1))
    parts = _parts(problem, layout, zones[:1], targets[:1], (), None)
    unlimited, of_households = np.full((1, problem.n_profiles), _UNLIMITED, np.int32), layout.household
    best, states = np.empty(unlimited.shape, np.int32), np.array(states, np.uint64)
    for begin in range(0, n, _BATCH):
        batch = np.arange(begin, min(begin + _BATCH, n))
        weights = np.stack([np.asarray(weights_of(int(i)), np.float64) for i in batch])
        wanted = np.rint(targets[batch]).astype(np.int32)
        limits = unlimited if most is None else np.ascontiguousarray(most[batch], np.int32)
        placed = _placed(weights, parts)
        indptr, profile, count, said = place_alone(
            weights, wanted, limits, _first(effort), parts, layout, placed, best, work, pairs, states[begin : begin + _BATCH]
        )
        found[batch] = said
        for j, i in enumerate(batch):
            mine = slice(indptr[j], indptr[j + 1])
            rows[i], ending[i] = (profile[mine], count[mine]), "exact"
            error = int(said[j, :2].sum())
            if error == 0:
                continue
            if options.effort == "quick":
                ending[i] = "not found"
                continue
            counts = np.zeros(best.shape, np.int32)
            counts[0, profile[mine]] = count[mine]
            own = _parts(problem, layout, zones[i : i + 1], targets[i : i + 1], (), None if most is None else most[i : i + 1])
            counts, found[i, 2], found[i, 3], ending[i] = _go_on(
                counts, error, int(said[j, 2]), int(said[j, 3]), weights[j : j + 1], options, own, layout, placed, work, pairs,
                states[i : i + 1],
            )  # fmt: skip
            rows[i] = _row(counts[0])
            miss = np.abs(counts[0] @ problem.members.matrix() - wanted[j])
            found[i, :2] = miss[of_households].sum(), miss[~of_households].sum()


def _row(counts):
    """Profiles that there are units of, and how many."""
    profile = np.flatnonzero(counts).astype(np.int32)
    return profile, counts[profile]


def _placed(weights, parts):
    """Allocate what the kernels write units to: as many as the weights of any of these zones round to, or of a component."""
    n_zones = len(parts.place)
    units = weights.sum() if n_zones > 1 else weights.sum(axis=1).max()
    return placed_units(n_zones, weights.shape[1], len(parts.target), int(units) + n_zones * _ROOM)


def _first(effort):
    """Return what is tried before it is asked whether there is anything to find."""
    return effort._replace(restarts=min(effort.restarts, _BEFORE_PROOF))


def _result(rows, found, ending) -> Whole:
    """Put rows of profiles and counts together."""
    indptr = np.concatenate([[0], np.cumsum([len(row[0]) for row in rows])]).astype(np.int64)
    profile = np.concatenate([np.empty(0, np.int32), *(row[0] for row in rows)])
    count = np.concatenate([np.empty(0, np.int32), *(row[1] for row in rows)])
    extra = {
        "remainder_households": found[:, 0], "remainder_persons": found[:, 1],
        "proposals": found[:, 2].astype(np.int64), "restarts": found[:, 3].astype(np.int32),
        "ending": ending.astype(f"U{max(map(len, ENDINGS))}"),
    }  # fmt: skip
    return Whole(indptr, profile, count, found[:, 0] + found[:, 1], extra)


def _go_on(best, error, proposals, restarts, weights, options, parts, layout, placed, work, pairs, state):
    """Go on with a component after its first attempts. Returns (counts, proposals, restarts, ending).

    Where they failed, it is asked whether weights that meet the tables exist at all: if not, going on were in vain.
    """
    if error == 0 or options.effort == "quick":
        return best, proposals, restarts, "exact" if error == 0 else "not found"
    effort, first, counts = options.search, _first(options.search), np.empty(weights.shape, np.int32)
    nodes = options.milp_nodes
    impossible = nodes > 0 and not can_be_met(weights, parts, layout)
    if not impossible and effort.restarts > first.restarts:
        more = effort._replace(restarts=effort.restarts - first.restarts - 1, done=first.restarts + 1)
        again, looked, further = place_units(weights, more, parts, layout, placed, counts, work, pairs, state)
        proposals, restarts = proposals + looked, restarts + further + 1
        if again < error:
            best, error = counts, again
    if error == 0:
        return best, proposals, restarts, "exact"
    if not impossible and nodes > 0:
        point, impossible = nearest_whole(weights, best, parts, layout, nodes)
        if point is not None:
            return point, proposals, restarts, "exact by integer programme"
    return best, proposals, restarts, "no exact point" if impossible else "not found"


def _components(problem: Problem, zones: np.ndarray) -> list[np.ndarray]:
    """Positions in `zones` of each component's zones, ordered by the zones' keys. Raises ValueError where some are missing."""
    name = problem.component
    asked, whole = name[zones], np.bincount(name, minlength=problem.n_zones)
    groups = [np.flatnonzero(asked == c) for c in dict.fromkeys(asked.tolist())]
    for group in groups:
        if len(group) != whole[asked[group[0]]]:
            raise ValueError("zones that a level binds together must be placed together")
    return [group[np.argsort(problem.zone_keys[zones[group]])] for group in groups]


def _parts(problem: Problem, layout: UnitLayout, zones, targets, above, most) -> Component:
    """Give a component's cells their places, those of its zones first, then the areas' above, and collect their targets."""
    n = len(zones)
    place = np.full((n, layout.n_cells), -1, np.int32)
    place[:, : problem.n_cells] = np.arange(n * problem.n_cells).reshape(n, problem.n_cells)
    goals, kinds = [np.asarray(targets).reshape(-1)], [np.tile(layout.household[: problem.n_cells], n)]
    end, cell = n * problem.n_cells, problem.n_cells
    for level, wanted in zip(problem.levels, above, strict=True):
        area = level.of_zone[zones]
        for a in np.unique(area[area >= 0]):
            place[area == a, cell : cell + level.n_cells] = np.arange(end, end + level.n_cells)
            goals.append(wanted[a])
            kinds.append(layout.household[cell : cell + level.n_cells])
            end += level.n_cells
        cell += level.n_cells
    limit = np.full((n, problem.n_profiles), _UNLIMITED, np.int32) if most is None else most
    return component(place, np.concatenate(goals), np.concatenate(kinds), limit)


def _make_layout(problem: Problem) -> UnitLayout:
    members, tables = problem.members, [problem.constraint_start.astype(np.int64)]
    counted = [(problem.cell_of >= 0).any(axis=1)]  # a household table has cells by profile, a table of their people has none
    for level in problem.levels:
        members = members.beside(level.members)
        tables.append(level.constraint_start[1:] + tables[-1][-1])
        counted.append((level.cell_of >= 0).any(axis=1))
    household = np.concatenate(counted) & (problem.incidence is not None)
    return unit_layout(members.start, members.cell, members.count, np.concatenate(tables), problem.n_constraints, household)


_layout = Remembered(_make_layout, start=False)
