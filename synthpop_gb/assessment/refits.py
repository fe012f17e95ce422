"""Fractional fits to some of a problem's tables, whatever method made its population: what tables left out are predicted by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from synthpop_gb.incidence import Incidence
from synthpop_gb.problem import Problem

__all__ = ["fitted_without"]

_TOLERANCE, _CYCLES = 1e-4, 300  # people; a zone that tables contradict each other in ends where cycles leave it
_STEPS = 60  # of Newton, which needs about eight
_BLOCK = 512


def fitted_without(
    problem: Problem, kept: Sequence[int], start: np.ndarray, duals: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Yield weights of blocks of zones fitted to the constraints `kept` by maximum entropy; the survey as it is without any.

    Units without a member in the universes of all of them keep the survey's proportion to the others: nothing else is known of
    them. Tables of persons and of households are fitted together where households are placed.

    Parameters
    ----------
    problem : Problem
    kept : sequence of int
        Positions of constraints.
    start : (n_profiles,) float64
        Start weights.
    duals : (n_zones, n_cells of those kept) float64, optional
        Of households only: where fits begin, and overwritten by where they end. Fits from nearby start weights need fewer steps.

    Yields
    ------
    (zones of the block, n_profiles) float64, in the order of the zones.
    """
    if not kept:
        for first in range(0, problem.n_zones, _BLOCK):
            yield np.broadcast_to(start, (min(_BLOCK, problem.n_zones - first), problem.n_profiles))
        return
    first = problem.constraint_start
    cells = np.concatenate([np.arange(first[k], first[k + 1]) for k in kept])
    fit, inside = _persons(problem, kept, cells, start) if problem.incidence is None else _whole(problem, cells, start, duals)
    for z in range(0, problem.n_zones, _BLOCK):
        targets = np.ascontiguousarray(problem.targets[z : z + _BLOCK][:, cells])
        weights = fit(z, targets)
        weights[targets.sum(axis=1) == 0] = 0.0  # nobody: the duals of such a zone say nothing
        if not inside.all():
            weights[:, ~inside] = start[~inside] * (weights[:, inside].sum(axis=1) / start[inside].sum())[:, None]
        yield weights


def _persons(problem: Problem, kept: Sequence[int], cells: np.ndarray, start: np.ndarray):
    """Return what fits a block of zones of persons, and which profiles some table counts."""
    from synthpop_gb.kernels.fit_layout import fit_layout
    from synthpop_gb.kernels.ipf import fit_block, weights_from_duals

    number = np.full(problem.n_cells + 1, -1, np.int32)
    number[cells] = np.arange(len(cells))
    cell_of = np.ascontiguousarray(number[problem.cell_of[list(kept)]])
    widths = np.diff(problem.constraint_start)[list(kept)]
    layout = fit_layout(start, cell_of, np.concatenate([[0], np.cumsum(widths)]).astype(np.int32))

    def fit(first: int, targets: np.ndarray) -> np.ndarray:
        return weights_from_duals(start, cell_of, fit_block(layout, targets, _TOLERANCE, False, _CYCLES).duals)

    return fit, (cell_of >= 0).any(axis=0)


def _whole(problem: Problem, cells: np.ndarray, start: np.ndarray, duals: np.ndarray | None):
    """Return what balances a block of zones of households, and which profiles have a member in some table."""
    from synthpop_gb.kernels.balance import balance_work, balance_zone

    counted = problem.incidence.matrix()[:, cells].toarray().astype(np.int32)
    members = Incidence.of_rows(counted)
    work, exact = balance_work(problem.n_profiles, len(cells)), np.zeros(len(cells))
    with np.errstate(divide="ignore"):
        log_start = np.log(start)
    tilts = None if problem.tilt is None else Incidence.of_cells(problem.tilt_of, problem.tilt.shape[1]).matrix()
    duals = np.zeros((problem.n_zones, len(cells))) if duals is None else duals

    def fit(first: int, targets: np.ndarray) -> np.ndarray:
        weights = np.empty((len(targets), problem.n_profiles))
        for i, target in enumerate(targets):
            begin = log_start if tilts is None else log_start + tilts @ problem.tilt[first + i]
            arrays = members.start, members.cell, members.count, begin, target, exact
            balance_zone(*arrays, _TOLERANCE, _STEPS, duals[first + i], weights[i], work)
        return weights

    return fit, counted.any(axis=1)
