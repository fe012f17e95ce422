"""Persons in zones that levels bind together: fitted with the areas above them, then whole people that nest."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthpop_gb.kernels.layout import whole_layout, whole_work
from synthpop_gb.kernels.nested_repair import repair_nested
from synthpop_gb.kernels.nested_whole import halve_nested
from synthpop_gb.kernels.streams import WHOLE
from synthpop_gb.kernels.whole import HALVING, whole_zone
from synthpop_gb.methods._method import BlockResult, Streams
from synthpop_gb.methods._nested import Component, FittedComponent, components, fit_component, flat_cells, judge
from synthpop_gb.methods._remembered import Remembered
from synthpop_gb.methods.integerise import INTEGERISE
from synthpop_gb.problem import Problem

__all__ = ["NestedBlock", "people_that_nest"]


class NestedBlock:
    """What is found for a block, component by component, in the order of the zones asked for.

    A column of its own, `level_remainder`, says by how much the areas that a zone lies in are missed: total absolute error of the
    whole people (households for tables of households) in all their zones together.
    """

    def __init__(self, n: int, problem: Problem):
        self._problem = problem
        self._rows: list = [None] * n
        self._columns = {
            "fit": np.zeros(n, np.int8), "cycles": np.zeros(n, np.int32), "residual": np.zeros(n),
            "worst_cell": np.full(n, -1, np.int32), "remainder": np.zeros(n), "duals": np.zeros((n, problem.n_duals)),
        }  # fmt: skip
        self._extra: dict[str, np.ndarray] = {"level_remainder": np.zeros(n)}

    def fitted(self, component: Component, fit: FittedComponent, max_steps: int) -> np.ndarray:
        """Take what fitting found; returns the zones' statuses."""
        status, residual, worst = judge(self._problem, component, fit, max_steps)
        found = {
            "fit": status,
            "cycles": fit.steps,
            "residual": residual,
            "worst_cell": worst,
            "duals": component.by_cell(fit.duals),
        }
        for name, value in found.items():
            self._columns[name][component.rows] = value
        return status

    def placed(self, component: Component, counts: np.ndarray, miss: np.ndarray, **extra: np.ndarray) -> None:
        """Take whole counts: (n, n_profiles); miss : (n_variables,) count minus target; extra : (n,) further columns."""
        off = np.abs(component.by_cell(miss)).astype(np.float64)
        self._columns["remainder"][component.rows] = off[:, : self._problem.n_cells].sum(axis=1)
        self._extra["level_remainder"][component.rows] = off[:, self._problem.n_cells :].sum(axis=1)
        for name, value in extra.items():
            self._extra.setdefault(name, np.zeros(len(self._rows), value.dtype))[component.rows] = value
        for row, mine in zip(component.rows.tolist(), counts, strict=True):
            profile = np.flatnonzero(mine).astype(np.int32)
            self._rows[row] = profile, mine[profile].astype(np.int32)

    def result(self) -> BlockResult:
        """Return the block."""
        none = np.empty(0, np.int32)
        profile, count = (np.concatenate([none, *part]) for part in zip(*self._rows, strict=True)) if self._rows else (none, none)
        indptr = np.concatenate([[0], np.cumsum([len(p) for p, _ in self._rows])]).astype(np.int64)
        return BlockResult(indptr, profile, count, **self._columns, extra=self._extra)


def people_that_nest(problem: Problem, zones: np.ndarray, options: Any, streams: Streams, first: np.ndarray) -> BlockResult:
    """Fit the zones at these positions together with their areas and draw their whole people.

    options : those of 'ipf'. first : (n, n_duals) duals to start from: those of each zone's own fit, say.

    Raises ValueError where zones are missing that share an area with one of these.
    """
    made, layout = NestedBlock(len(zones), problem), _layout(problem)
    work, (draw, repaired) = whole_work(layout), INTEGERISE[options.integerise]
    max_moves = options.max_moves if repaired else 0
    for component in components(problem, zones):
        fit = fit_component(
            problem, component, first[component.rows], tolerance=options.tolerance, relative=options.relative,
            max_steps=options.max_cycles,
        )  # fmt: skip
        made.fitted(component, fit, options.max_cycles)
        state, index = streams.keys(np.array([component.key]), WHOLE), component.nest.index
        counts = np.zeros(fit.weights.shape, np.int32)
        live = fit.weights.any(axis=1)
        if draw == HALVING:
            halve_nested(fit.weights, index, problem.n_cells, layout, state, counts)
        else:
            for z in np.flatnonzero(live):
                whole_zone(
                    draw, fit.weights[z], component.targets[index[z, : problem.n_cells]], layout, work, state, counts[z], 0
                )
        miss = np.zeros(len(component.targets), np.int64)
        repair_nested(fit.weights, component.targets, index, problem.n_cells, layout, work, state, counts, live, max_moves, miss)
        made.placed(component, counts, miss)
    return made.result()


_layout = Remembered(lambda problem: whole_layout(*flat_cells(problem)), start=False)
