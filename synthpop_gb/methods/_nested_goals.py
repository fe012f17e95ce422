"""Whole tables that nest, for whole households to meet: zones' rounded from the fit, those of the areas to agree with them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from synthpop_gb.kernels.consistent import Relations, relations_of, round_consistent
from synthpop_gb.kernels.consistent_areas import moved_above_nought, round_rest
from synthpop_gb.kernels.streams import ROUND
from synthpop_gb.methods._method import Streams
from synthpop_gb.methods._nested import flat_members
from synthpop_gb.methods._remembered import Remembered
from synthpop_gb.methods._whole_goals import nearest_consistent, zone_relations
from synthpop_gb.problem import Problem, zone_key

__all__ = ["nested_goals"]

_HANDED_ON = 0.3  # of what rounding took from the zones before: their sum errs by 1.4 roundings then, a zone by a twelfth more


def nested_goals(
    problem: Problem, zones: np.ndarray, weights_of: Callable, soft: np.ndarray, streams: Streams
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Find whole targets for zones that levels bind together and for the areas above them, which agree.

    Zones are rounded one after another, area by area. Some of what rounding took from those before is given to the next, so that
    sums over an area's zones stay about as near the fit as a single zone does, and every cell's mean is its margin. Then areas,
    from the finest level up: sums of the zones (and of finer areas) are given, and the area's cells follow.

    Parameters
    ----------
    problem : Problem
        With levels.
    zones : (n,) int
        Positions of zones; whole components.
    weights_of : callable
        Position in `zones` -> (n_profiles,) float64, fitted weights, units.
    soft : (n, n_duals) bool
        Cells met softly, those of levels after the zones' own: rounded from the fit. The others keep the problem's target.
    streams : Streams
        Randomness: streams of purpose ROUND of each zone and area.

    Returns
    -------
    goals : (n, n_cells) float64
    above : list of (n_areas, n_level_cells) float64
        By level; targets of areas that no zone asked for lies in are left as they are.
    """
    weights = np.stack([np.asarray(weights_of(row), np.float64) for row in range(len(zones))])
    members = flat_members(problem).matrix()
    fitted = weights @ members
    goals = np.rint(problem.targets[zones])
    of_zones = soft[:, : problem.n_cells]
    for rows in _runs(problem, zones):
        _round_zones(problem, zones, rows, weights, fitted[:, : problem.n_cells], of_zones, goals, streams)
    above = [np.rint(level.targets) for level in problem.levels]
    first = problem.n_cells + np.concatenate([[0], np.cumsum([level.n_cells for level in problem.levels])])
    for k, level in enumerate(problem.levels):
        area = level.of_zone[zones]
        own = np.arange(first[k], first[k + 1])
        for a in np.unique(area[area >= 0]):
            rows = np.flatnonzero(area == a)
            flexible = soft[rows[0], own]
            if not flexible.any():
                continue
            below = _levels_within(problem, k, zones[rows])
            cells = np.concatenate([np.arange(problem.n_cells), *(np.arange(first[j], first[j + 1]) for j, _ in below)])
            given = np.concatenate([goals[rows].sum(axis=0), *(above[j][areas].sum(axis=0) for j, areas in below)])
            key = streams.keys(np.array([zone_key(level.areas[a])], np.uint64), ROUND)
            found = _round_area(problem, (*(j for j, _ in below), k), cells, own, given, fitted[rows], weights[rows], flexible,
                                above[k][a], key)  # fmt: skip
            above[k][a] = np.where(flexible, found, above[k][a])
    return goals, above


def _runs(problem: Problem, zones: np.ndarray) -> list[np.ndarray]:
    """Rows of each component, those of one area next to each other, the coarsest level first; by keys, not by positions."""
    keys, order = problem.zone_keys[zones], [problem.zone_keys[zones]]
    for level in problem.levels:
        area = level.of_zone[zones]
        least = np.full(len(level.areas) + 1, np.iinfo(np.uint64).max, np.uint64)
        np.minimum.at(least, area, keys)
        order.append(least[area])
    component = problem.component[zones]
    rows = np.lexsort([*order, component])
    return [run for run in np.split(rows, np.flatnonzero(np.diff(component[rows])) + 1) if len(run)]


def _round_zones(problem, zones, rows, weights, fitted, soft, goals, streams) -> None:
    """Round the zones of a component one after another; writes to goals."""
    relations, matrix = zone_relations(problem), problem.members.matrix()
    first = matrix[:, np.flatnonzero(relations.first[: problem.n_cells])].T
    keys, left = streams.keys(problem.zone_keys[zones], ROUND), np.zeros(problem.n_cells)
    for row in rows.tolist():
        if not soft[row].any():
            continue
        margins = np.where(soft[row], fitted[row], goals[row])
        wanted, done = moved_above_nought(relations, margins + np.where(soft[row], _HANDED_ON * left, 0.0))
        if not done:
            wanted = margins
        moments = (first.multiply(weights[row][None]) @ matrix).toarray()
        whole, still = round_consistent(relations, wanted[None], moments[None], keys[row : row + 1])
        found = nearest_consistent(relations, wanted, soft[row]) if still[0] else whole[0]
        goals[row] = np.where(soft[row], found, goals[row])
        left += margins - goals[row]


def _round_area(problem, levels, cells, own, given, fitted, weights, flexible, target, key) -> np.ndarray:
    """Round the tables of one area: (n_level_cells,) whole."""
    relations = _relations_of_levels(problem, levels)
    matrix, together = flat_members(problem).matrix(), np.concatenate([cells, own])
    sums = fitted.sum(axis=0)
    mine = np.where(flexible, sums[own], target)
    moments = (matrix[:, cells].T.multiply(weights.sum(axis=0)[None]) @ matrix[:, together]).toarray()
    found, done = round_rest(relations, np.stack([sums[cells], given]), mine, moments, key)
    if done:
        return found
    wanted = np.concatenate([given, np.maximum(found, 0.0)])
    free = np.concatenate([np.zeros(len(given), bool), flexible])
    return nearest_consistent(relations, wanted, free)[len(given) :]


def _levels_within(problem: Problem, k: int, zones: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Finer levels whose areas make up these zones exactly: (level, positions of the areas)."""
    found = []
    for j, level in enumerate(problem.levels[:k]):
        areas = np.unique(level.of_zone[zones])
        if areas[0] >= 0 and np.isin(level.of_zone, areas).sum() == len(zones):
            found.append((j, areas))
    return found


def _relations_of_levels(problem: Problem, levels: tuple[int, ...]) -> Relations:
    """Relations over the cells of zones and of some levels."""
    known = _known(problem)
    if levels not in known:
        members, tables = problem.members, [problem.constraint_start]
        for j in levels:
            level = problem.levels[j]
            members = members.beside(level.members)
            tables.append(level.constraint_start[1:] + tables[-1][-1])
        bounds = np.concatenate(tables)
        none_first = np.zeros(len(bounds) - 1, bool)
        known[levels] = relations_of(members.start, members.cell, members.count, problem.start, bounds, none_first)
    return known[levels]


_known = Remembered(lambda problem: {})
