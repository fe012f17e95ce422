"""Tables of whole households drawn anew for a replicate: those of zones and of levels, in agreement with each other again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from synthpop_gb.incidence import Incidence
from synthpop_gb.kernels.redraw import add_noise
from synthpop_gb.kernels.redraw_units import UnitRelations, agreed_noise, unit_relations
from synthpop_gb.level import Level
from synthpop_gb.methods import Remembered
from synthpop_gb.problem import Problem

__all__ = ["redrawn_area_units", "redrawn_units"]

_YIELDING = 1e-6  # variance of exact counts of an area for each person in them: they move as far as their zones' tables did


def redrawn_units(problem: Problem, error: np.ndarray, states: np.ndarray) -> np.ndarray:
    """Draw the zones' tables of households and people anew: (n_zones, n_cells) float64.

    error : (n_zones, n_cells) float64, standard error of each count. states : (n_zones,) uint64, streams of purpose
    TABLES; advanced.

    Whatever holds of every household, such as how many people households of each size are, holds of the change. A zone for which
    no such change was found keeps its tables.
    """
    noisy = np.empty_like(problem.targets)
    add_noise(problem.targets, error, states, noisy)
    variance = np.where(problem.targets > 0, error**2, 0.0)
    change, stuck = agreed_noise(_of_zones(problem), noisy - problem.targets, variance, -problem.targets, states)
    return np.where(stuck[:, None], problem.targets, problem.targets + change)


def redrawn_area_units(
    problem: Problem, place: int, below: Sequence[np.ndarray | None], noisy: np.ndarray, error: np.ndarray, states: np.ndarray
) -> np.ndarray:
    """Move a level's redrawn tables to what the tables below add up to: (n_areas, n_level_cells) float64.

    place : position of the level. below : change of the zones' cells, then of each finer level's, summed over the areas; None
    where these do not nest in the areas. noisy, error : (n_areas, n_level_cells), the counts with noise and its standard error.
    """
    level = problem.levels[place]
    kept = [i for i, change in enumerate(below) if change is not None]
    known = _of_levels(problem)[place] if len(kept) == len(below) else _together(problem, place, kept)
    sums = [below[i] for i in kept]
    fixed = sum(change.shape[1] for change in sums)
    noise = np.concatenate([*sums, noisy - level.targets], axis=1)
    variance = np.zeros_like(noise)
    variance[:, fixed:] = np.where(level.targets > 0, error**2 + _YIELDING * level.targets, 0.0)
    lowest = np.concatenate([*(np.full(change.shape, -np.inf) for change in sums), -level.targets], axis=1)
    change, stuck = agreed_noise(known, noise, variance, lowest, states)
    return np.where(stuck[:, None], level.targets, level.targets + change[:, fixed:])


def _together(problem: Problem, place: int, kept: Sequence[int]) -> UnitRelations:
    """Relations of a level's cells and those of the tables below that are kept: 0 = the zones', then the finer levels'."""
    tables: list[Problem | Level] = [problem, *problem.levels]
    used = [*(tables[i] for i in kept), tables[place + 1]]
    members, starts = used[0].members, [np.asarray(used[0].constraint_start, np.int64)]
    for more in used[1:]:
        members = members.beside(more.members)
        starts.append(more.constraint_start[1:] + starts[-1][-1])
    return _relations(members, np.concatenate(starts))


def _relations(members: Incidence, constraint_start: np.ndarray) -> UnitRelations:
    return unit_relations(members.start, members.cell, members.count, constraint_start)


_of_zones: Callable[[Problem], UnitRelations] = Remembered(lambda p: _relations(p.members, p.constraint_start), start=False)
_of_levels: Callable[[Problem], list[UnitRelations]] = Remembered(
    lambda p: [_together(p, place, range(place + 1)) for place in range(len(p.levels))], start=False
)
