"""What placing whole units of zones alone and of zones together share: layouts, components, further attempts, results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels.unit_layout import Component, UnitLayout, component, unit_layout
from synthpop_gb.kernels.unit_swaps import Placed
from synthpop_gb.kernels.unit_whole import Effort, place_units, placed_units
from synthpop_gb.methods._integer_programme import can_be_met, nearest_whole
from synthpop_gb.methods._nested import flat_cells
from synthpop_gb.methods._remembered import Remembered
from synthpop_gb.methods._whole_options import WholeOptions
from synthpop_gb.problem import Problem

__all__ = [
    "ENDINGS", "ROOM", "UNLIMITED", "Whole", "first_effort", "gathered", "go_on", "layout_of", "parts_of", "room_for", "row_of",
    "zone_layout_of",
]  # fmt: skip

ENDINGS = {
    "exact": "household and person tables are met",
    "exact by integer programme": "they are met; swaps did not find how, an integer programme did",
    "no exact point": "no whole households of these donors meet the tables: proven by an integer programme",
    "not found": "no exact point was found within the limits, nor that there is none",
}  # fmt: skip
UNLIMITED = np.iinfo(np.int32).max
ROOM = 64  # units that settling totals may add to weights rounded up
_BEFORE_PROOF = 4  # restarts before it is asked whether there is anything to find: asking takes as long as several of them


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


def row_of(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the profiles that there are units of, and how many. counts : (n_profiles,) int32."""
    profile = np.flatnonzero(counts).astype(np.int32)
    return profile, counts[profile]


def room_for(weights: np.ndarray, parts: Component) -> Placed:
    """Allocate what the kernels write units to: as many as the weights of any of these zones allow, or of a component."""
    n_zones = len(parts.place)
    units = np.ceil(weights).sum(axis=1)  # no draw places more
    units = units.sum() if n_zones > 1 else units.max()
    return placed_units(n_zones, weights.shape[1], len(parts.target), int(units) + n_zones * ROOM)


def first_effort(effort: Effort) -> Effort:
    """Return what is tried before it is asked whether there is anything to find."""
    return effort._replace(restarts=min(effort.restarts, _BEFORE_PROOF))


def gathered(rows: list, found: np.ndarray, ending: np.ndarray) -> Whole:
    """Put zones together: rows (`row_of`), and (n, 4) remainder of households and of persons, proposals, restarts."""
    indptr = np.concatenate([[0], np.cumsum([len(row[0]) for row in rows])]).astype(np.int64)
    profile = np.concatenate([np.empty(0, np.int32), *(row[0] for row in rows)])
    count = np.concatenate([np.empty(0, np.int32), *(row[1] for row in rows)])
    extra = {
        "remainder_households": found[:, 0], "remainder_persons": found[:, 1],
        "proposals": found[:, 2].astype(np.int64), "restarts": found[:, 3].astype(np.int32),
        "ending": ending.astype(f"U{max(map(len, ENDINGS))}"),
    }  # fmt: skip
    return Whole(indptr, profile, count, found[:, 0] + found[:, 1], extra)


def go_on(
    best: np.ndarray, error: int, proposals: int, restarts: int, weights: np.ndarray, options: WholeOptions, parts: Component,
    layout: UnitLayout, placed: Placed, work, pairs, state: np.ndarray,
) -> tuple[np.ndarray, int, int, str]:  # fmt: skip
    """Go on with a component after its first attempts. Returns (counts, proposals, restarts, ending).

    Where they failed, it is asked whether weights that meet the tables exist at all: if not, going on were in vain.
    """
    if error == 0 or options.effort == "quick":
        return best, proposals, restarts, "exact" if error == 0 else "not found"
    effort, first, counts = options.search, first_effort(options.search), np.empty(weights.shape, np.int32)
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


def parts_of(
    problem: Problem, layout: UnitLayout, zones: np.ndarray, targets: np.ndarray, above: Sequence[np.ndarray],
    most: np.ndarray | None = None,
) -> Component:  # fmt: skip
    """Give a component's cells their places, those of its zones first, then the areas' above, and collect their targets.

    zones : (n,) positions in the problem. targets : (n, n_cells); above : (n_areas, n_level_cells) by level; whole.
    most : (n, n_profiles) int32, units that there may be of a profile; None = any number.
    """
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
    limit = np.full((n, problem.n_profiles), UNLIMITED, np.int32) if most is None else most
    return component(place, np.concatenate(goals), np.concatenate(kinds), limit)


def _make_layout(problem: Problem, above: bool = True) -> UnitLayout:
    members, bounds = problem.all_members, flat_cells(problem)[1]
    of_units = np.concatenate([tables.counts_units for tables in (problem, *problem.levels)])
    household = of_units & (problem.incidence is not None)
    if not above:
        household[problem.n_constraints :] = False
    return unit_layout(members.start, members.cell, members.count, bounds, problem.n_constraints, household)


layout_of = Remembered(_make_layout, start=False)
zone_layout_of = Remembered(lambda problem: _make_layout(problem, above=False), start=False)
