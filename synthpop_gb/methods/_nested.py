"""Zones that levels bind together, solved component by component: fitted with the areas above them, whole people that nest.

What a method of single zones does for each zone is done here for all zones of a component at once. Within a component zones and
areas are put in the order of their keys, and draws are keyed by the first of them, so that the result does not depend on the
order of zones, on blocks, or on what else is solved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from synthpop_gb.kernels.nest_layout import Nest, nest_layout
from synthpop_gb.kernels.nested import nested_newton
from synthpop_gb.methods._remembered import Remembered
from synthpop_gb.methods._tilted import log_start
from synthpop_gb.problem import Problem, zone_key
from synthpop_gb.status import FitStatus

__all__ = ["Component", "FittedComponent", "components", "fit_component", "flat_cells", "judge", "level_remainder", "together"]

_ROUNDING = 1e-13  # no cell is asked to be nearer than this share of its target
_SOFTENED = 1.0  # persons^2: variance of tables that contradict each other, so that the weights nearest them are found


@dataclass(frozen=True, eq=False)
class Component:
    """Zones that share areas, with those areas.

    zones : (n,) int64 positions in the problem, in the order of their keys.
    rows : (n,) int64 positions of the same zones among those asked for.
    nest : layout of their duals. targets : (n_variables,) float64, of the zones and then of the areas.
    key : uint64, what the component's random streams hang on.
    """

    zones: np.ndarray
    rows: np.ndarray
    nest: Nest
    targets: np.ndarray
    key: np.uint64

    def variables(self, by_zone: np.ndarray, by_level: list[np.ndarray]) -> np.ndarray:
        """Put numbers by zone and cell, and by zone and cell of its area, in the order of the variables.

        by_zone : (n, n_cells); by_level : (n, n_level_cells) each, equal for zones of one area.
        """
        out = np.zeros(self.nest.own[-1])
        together = np.concatenate([by_zone, *by_level], axis=1)
        inside = self.nest.index >= 0
        out[self.nest.index[inside]] = together[inside]
        return out

    def by_cell(self, values: np.ndarray) -> np.ndarray:
        """(n_variables,) -> (n, n_duals), nought where a level binds a zone to nothing."""
        inside = self.nest.index >= 0
        return np.where(inside, values[np.where(inside, self.nest.index, 0)], 0)


def together(problem: Problem, zones: np.ndarray) -> list[np.ndarray]:
    """Positions in `zones` of each component's zones, in the order of their keys. Raises ValueError where some are missing."""
    number = problem.component[zones]
    if np.isin(problem.component, number).sum() != len(zones):
        raise ValueError("zones that share an area must be solved together")
    order = np.lexsort((problem.zone_keys[zones], number))
    return [rows for rows in np.split(order, np.flatnonzero(np.diff(number[order])) + 1) if len(rows)]


def components(problem: Problem, zones: np.ndarray) -> Iterator[Component]:
    """Yield the components that some zones (positions) make up. Raises ValueError where a component is not all there."""
    keys = _area_keys(problem)
    for rows in together(problem, zones):
        mine, areas = zones[rows], []
        for level, key in zip(problem.levels, keys, strict=True):
            area = level.of_zone[mine]
            bound = np.unique(area[area >= 0])
            rank = np.full(len(level.areas) + 1, -1, np.int64)
            rank[bound[np.argsort(key[bound], kind="stable")]] = np.arange(len(bound))
            areas.append(rank[area])
        nest = nest_layout(len(mine), problem.n_cells, areas, [level.n_cells for level in problem.levels])
        made = Component(mine, rows, nest, np.empty(0), problem.zone_keys[mine[0]])
        above = [level.by_zone(level.targets, mine) for level in problem.levels]
        yield Component(mine, rows, nest, made.variables(problem.targets[mine], above), made.key)


def _area_keys(problem: Problem) -> list[np.ndarray]:
    return [np.fromiter((zone_key(a) for a in v.areas.tolist()), np.uint64, len(v.areas)) for v in problem.levels]


def flat_cells(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """List constraints of the zones and then of every level as if they were a zone's: (cell_of, constraint_start)."""
    cells, starts, first = [problem.cell_of], [problem.constraint_start], problem.n_cells
    for level in problem.levels:
        cells.append(np.where(level.cell_of >= 0, level.cell_of + first, -1))
        starts.append(level.constraint_start[1:] + first)
        first += level.n_cells
    return np.concatenate(cells).astype(np.int32), np.concatenate(starts).astype(np.int32)


flat_members = Remembered(lambda problem: problem.all_members, start=False)


@dataclass(frozen=True, eq=False)
class FittedComponent:
    """What fitting a component found.

    weights : (n, n_profiles) float64; duals : (n_variables,); miss : (n_variables,) weights' margin less target, persons, of a
    soft cell the miss of the optimum;
    steps : Newton steps; bad : (n_variables,) bool, cells that are missed; lacking : those of them that nobody can fill.
    """

    weights: np.ndarray
    duals: np.ndarray
    miss: np.ndarray
    steps: int
    bad: np.ndarray
    lacking: np.ndarray


def fit_component(
    problem: Problem, component: Component, duals: np.ndarray, *, tolerance: float, relative: bool = False, max_steps: int = 1000,
    variance: np.ndarray | None = None, targets: np.ndarray | None = None, scale: np.ndarray | None = None,
) -> FittedComponent:  # fmt: skip
    """Fit the zones of a component with the areas above them.

    duals : (n, n_duals), where to start: those of the zones alone are near. An entry of -inf starts from nought where its cell
        has a target.
    tolerance : persons, or where `relative` a share of each target. variance, targets : (n_variables,), as in `nested_newton`;
        exact and those of the problem by default. scale : (n,) what start weights are multiplied by in each zone; 1 by default.

    Where tables contradict each other, those of the zones and areas concerned are fitted softly (variance 1), which leaves the
    weights nearest to them.
    """
    nest, members = component.nest, flat_members(problem)
    targets = component.targets if targets is None else targets
    variance = np.zeros(len(targets)) if variance is None else variance
    live = problem.targets[component.zones].any(axis=1)
    first = component.variables(duals[:, : problem.n_cells], [duals[:, problem.n_cells :]])
    first = np.where((targets == 0) & (variance == 0), -np.inf, np.where(np.isfinite(first), first, 0.0))
    base = log_start(problem, component.zones if problem.tilt is not None else component.zones[:1])
    if scale is not None:
        base = base + np.log(np.where(scale > 0, scale, 1.0))[:, None]
    allowed = np.maximum(tolerance * np.maximum(targets, _ROUNDING) if relative else tolerance, _ROUNDING * targets)
    weights, gap, found = np.zeros((len(live), problem.n_profiles)), np.zeros(len(targets)), first.copy()
    arrays = members.start, members.cell, members.count, base, nest, live, targets
    steps, _met = nested_newton(*arrays, variance, allowed, max_steps, found, weights, gap)
    miss = gap.copy()
    bad = np.abs(gap) > allowed
    lacking = bad & (variance == 0) & (miss <= -targets * (1 - 1e-12))
    if bad.any():
        softened = np.where(_nodes(nest, bad) & (targets > 0) & (variance == 0), _SOFTENED, variance)
        found = first.copy()
        more, _ = nested_newton(*arrays, softened, allowed, max_steps, found, weights, gap)
        given = (softened > 0) & (variance == 0)  # exact cells that were softened: their miss is that of the target
        miss, steps = np.where(given, gap - softened * np.where(given, found, 0.0), gap), steps + more
        bad |= (np.abs(miss) > allowed) & (variance == 0)
    return FittedComponent(weights, found, miss, steps, bad, lacking)


def _nodes(nest: Nest, bad: np.ndarray) -> np.ndarray:
    """Variables of zones and areas of which some is bad."""
    node = np.repeat(np.arange(len(nest.own) - 1), np.diff(nest.own))
    return np.bincount(node, bad, len(nest.own) - 1)[node] > 0


def level_remainder(
    problem: Problem, zones: np.ndarray, indptr: np.ndarray, profile: np.ndarray, count: np.ndarray,
    above: Sequence[np.ndarray] | None = None,
) -> np.ndarray:  # fmt: skip
    """(n,) total absolute error of whole counts in the areas that each zone lies in; all their zones must be there.

    above : whole targets of each level's areas; None = the problem's.
    """
    out = np.zeros(len(zones))
    above = [level.targets for level in problem.levels] if above is None else above
    for level, wanted in zip(problem.levels, above, strict=True):
        area = level.of_zone[zones]
        miss = np.abs(level.counted(zones, indptr, profile, count) - np.rint(wanted)).sum(axis=1)
        out += np.where(area >= 0, miss[np.maximum(area, 0)], 0.0) if len(miss) else 0.0
    return out


def judge(
    problem: Problem, component: Component, fit: FittedComponent, max_steps: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Statuses of the zones: (fit, residual, worst_cell), (n,) each; a miss of an area is one of all its zones."""
    miss, bad = component.by_cell(np.abs(fit.miss)), component.by_cell(fit.bad.astype(float)) > 0
    lacking = component.by_cell(fit.lacking.astype(float)) > 0
    worst = np.where(bad, np.where(lacking, miss + 1e12, miss), -1.0).argmax(axis=1)
    status = np.full(len(miss), int(FitStatus.CONVERGED), np.int8)
    off = bad.any(axis=1)
    status[off] = int(FitStatus.CYCLE_LIMIT if fit.steps >= max_steps else FitStatus.STALLED)
    status[lacking.any(axis=1)] = int(FitStatus.INFEASIBLE)
    status[~problem.targets[component.zones].any(axis=1)] = int(FitStatus.EMPTY)
    return status, miss.max(axis=1, initial=0.0), np.where(off, worst, -1).astype(np.int32)
