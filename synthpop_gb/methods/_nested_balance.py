"""Zones that levels bind together, balanced together: households or persons, exact and soft tables of zones and areas."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthpop_gb.kernels.links import unit_scales
from synthpop_gb.methods._balanced import ZoneFits, fit_zones
from synthpop_gb.methods._nested import components, fit_component, judge
from synthpop_gb.methods._softness import by_constraint, soft_areas, soft_targets
from synthpop_gb.problem import Problem

__all__ = ["fit_zones_together"]


def fit_zones_together(problem: Problem, zones: np.ndarray, options: Any) -> ZoneFits:
    """Fit the zones at these positions together with the areas above them.

    Exact tables are begun where each zone's own fit ends. Soft ones are begun at the start weights: zones' own fits spend much on
    misses that the areas decide otherwise.

    options : `BalanceOptions`. Soft tables of areas are those with a standard error, as those of zones are; importance of a table
    goes for zones and areas alike.

    Raises ValueError for bounds and for 'ipu', which look at one zone alone, and where zones are missing that share an area with
    one of these.
    """
    if options.fit == "ipu" or options.bounded or problem.max_copies is not None:
        what = "'ipu' looks" if options.fit == "ipu" else "bounds and caps on weights look"
        raise ValueError(f"{what} at one zone alone, and the levels of this study bind zones together: leave one of them out")
    aims_of, variance_of = soft_targets(problem, zones, options)
    first, before = np.zeros((len(zones), problem.n_duals)), np.zeros(len(zones), np.int32)
    if problem.first_duals is not None:
        first = problem.first_duals[zones].copy()
    elif not variance_of.any():
        alone = fit_zones(problem, zones, options)
        first[:, : problem.n_cells], before = alone.duals, alone.steps
    scale = unit_scales(problem.members, problem.start, problem.constraint_start, problem.targets[zones])
    targets, softness = soft_areas(problem, zones, options)
    labels = [problem.cells, *(level.cells for level in problem.levels)]
    importance = np.concatenate([by_constraint(problem, options.importance, "importance", np.ones(len(c)), c) for c in labels])
    duals, weights = np.zeros((len(zones), problem.n_duals)), np.zeros((len(zones), problem.n_profiles))
    status, steps = np.zeros(len(zones), np.int8), np.zeros(len(zones), np.int32)
    residual, worst = np.zeros(len(zones)), np.full(len(zones), -1, np.int32)
    for part in components(problem, zones):
        rows = part.rows
        variance = part.variables(
            options.prior * variance_of[rows] / importance[: problem.n_cells],
            [options.prior * softness[rows] / importance[problem.n_cells :]],
        )
        aims = part.variables(aims_of[rows], [targets[rows]])
        fit = fit_component(
            problem, part, first[rows], tolerance=options.tolerance, max_steps=options.max_steps, variance=variance, targets=aims,
            scale=scale[rows],
        )  # fmt: skip
        duals[rows], weights[rows], steps[rows] = part.by_cell(fit.duals), fit.weights, before[rows] + fit.steps
        status[rows], residual[rows], worst[rows] = judge(problem, part, fit, options.max_steps)
    return ZoneFits(duals, status, steps, residual, worst, aims_of, variance_of, weights.__getitem__, None, softness)
