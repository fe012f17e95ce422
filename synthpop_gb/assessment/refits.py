"""Fractional fits to some of a problem's tables, whatever method made its population: what is left out is predicted by them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from synthpop_gb.incidence import Incidence
from synthpop_gb.problem import Problem

__all__ = ["TOLERANCE", "spread_zones", "untold_by", "zone_weights"]

TOLERANCE = 1e-4
"""Largest miss of a target by these fits, units."""
_CYCLES = 300  # a zone that tables contradict each other in ends where cycles leave it
_BLOCK = 512


def spread_zones(problem: Problem, most: int) -> np.ndarray:
    """Positions of at most so many zones with people, ascending: those with the least keys, which are as good as drawn.

    The same zones are chosen whatever others the problem has between them, and nothing random is needed.
    """
    live = np.flatnonzero(problem.targets.sum(axis=1) > 0)
    return np.sort(live[np.argsort(problem.zone_keys[live], kind="stable")[:most]])


def untold_by(problem: Problem, k: int) -> list[int]:
    """Positions of the constraints that share no variable with the k-th: others would tell its margin.

    Variables are read from the names: 'age x sex'.
    """
    variables = [{part.strip() for part in name.split(" x ")} for name in problem.constraint_names]
    return [j for j, theirs in enumerate(variables) if not theirs & variables[k]]


def zone_weights(
    problem: Problem, zones: np.ndarray, kept: Sequence[int] | None = None, *, duals: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Yield weights of blocks of zones fitted to some constraints by maximum entropy.

    Tables of persons and of households are fitted together where households are placed. Units without a member in the universes
    of all constraints that are kept have the start's proportion to the others: nothing else is known of them. Zones that these
    tables say nothing of have nobody.

    Parameters
    ----------
    problem : Problem
        Its start weights, tilts included, are what fits begin at.
    zones : (n,) int
        Positions of zones.
    kept : sequence of int, optional
        Positions of constraints; all where None. Without any the start weights are what is known.
    duals : (n, n_cells of those kept) float64, optional
        Of households only: where fits begin, and overwritten by where they end. Fits from nearby start weights need fewer steps.

    Yields
    ------
    (zones of the block, n_profiles) float64, units, in the order of the zones.
    """
    kept = list(range(problem.n_constraints)) if kept is None else list(kept)
    for first in range(0, len(zones), _BLOCK):
        where = zones[first : first + _BLOCK]
        factor = _tilt_factor(problem, where)
        start = problem.start * factor
        if not kept:
            yield start
            continue
        found, cells, people = _duals(problem, where, kept, None if duals is None else duals[first : first + _BLOCK])
        yield _from_duals(problem, start, found, cells, people)


def _duals(
    problem: Problem, zones: np.ndarray, kept: Sequence[int], begin: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit some zones to the constraints kept: duals (n, n_kept_cells), those cells' numbers, and (n,) bool where anybody is."""
    from synthpop_gb.kernels.fit_layout import fit_layout
    from synthpop_gb.kernels.ipf import fit_block

    first = problem.constraint_start
    cells = np.concatenate([np.arange(first[k], first[k + 1]) for k in kept])
    targets = np.ascontiguousarray(problem.targets[np.ix_(zones, cells)])
    people = targets.sum(axis=1) > 0
    if problem.incidence is not None:
        begin = np.zeros(targets.shape) if begin is None else begin
        _balance_households(problem, zones, cells, targets, begin)
        return begin, cells, people
    number = np.full(problem.n_cells + 1, -1, np.int64)
    number[cells] = np.arange(len(cells))
    cell_of, sizes = number[problem.cell_of[list(kept)]], np.cumsum([0, *(first[k + 1] - first[k] for k in kept)])
    tilt = None
    if problem.tilt is not None:
        rows, tilt = problem.tilt_of, problem.tilt[zones]
        cell_of = np.vstack([cell_of, np.where(rows >= 0, rows + len(cells), -1)])
        sizes = np.append(sizes, np.full(len(rows), len(cells) + tilt.shape[1]))
    layout = fit_layout(problem.start, cell_of.astype(np.int32), sizes.astype(np.int32))
    return fit_block(layout, targets, TOLERANCE, False, _CYCLES, tilt=tilt).duals, cells, people


def _balance_households(problem: Problem, zones, cells: np.ndarray, targets: np.ndarray, duals: np.ndarray) -> None:
    """Do the same where units are households: members of each in each cell. duals : in and out."""
    held = problem.incidence.matrix()[:, cells].tocsr()
    held.sort_indices()
    members = Incidence(held.indptr, held.indices, np.rint(held.data), len(cells))
    if problem.tilt is None:
        _balance_alike(problem, members, cells, targets, duals)
    else:
        _balance_tilted(problem, members, zones, targets, duals)


def _balance_alike(problem: Problem, members: Incidence, cells: np.ndarray, targets: np.ndarray, duals: np.ndarray) -> None:
    """Fit zones of one start side by side."""
    from synthpop_gb.kernels.balance_block import balance_block
    from synthpop_gb.kernels.balance_layout import balance_layout

    table = np.searchsorted(problem.constraint_start, cells, side="right")
    first = np.concatenate([np.flatnonzero(np.diff(table, prepend=-1)), [len(cells)]])
    layout = balance_layout(members.start, members.cell, members.count, problem.start, first)
    alive = (targets.sum(axis=1) > 0).astype(np.float64)  # of start weights as they are: what duals of other starts refer to
    groups = np.ones((len(targets), 1))
    fit = balance_block(layout, alive, groups, targets, np.zeros(targets.shape), TOLERANCE, _CYCLES, duals)
    duals[:] = fit.duals


def _balance_tilted(problem: Problem, members: Incidence, zones, targets: np.ndarray, duals: np.ndarray) -> None:
    """Fit zones one by one, each from its own start."""
    from synthpop_gb.kernels.balance import balance_work, balance_zone

    n_cells = targets.shape[1]
    exact, weights, work = np.zeros(n_cells), np.empty(problem.n_profiles), balance_work(problem.n_profiles, n_cells)
    tilts = problem.tilts.matrix()
    with np.errstate(divide="ignore"):
        base = np.log(problem.start)
    for i, z in enumerate(zones):
        balance_zone(members.start, members.cell, members.count, base + tilts @ problem.tilt[z], targets[i], exact, TOLERANCE,
                     _CYCLES, duals[i], weights, work)  # fmt: skip


def _from_duals(problem: Problem, start: np.ndarray, duals: np.ndarray, cells: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Weights of zones from their duals."""
    members = problem.members.matrix()[:, cells]
    empty = ~np.isfinite(duals)
    with np.errstate(over="ignore"):
        weights = start * np.exp(np.asarray(members @ np.where(empty, 0.0, duals).T).T)
    if empty.any():
        weights[np.asarray(members @ empty.T.astype(float)).T > 0] = 0.0
    outside = np.diff(members.indptr) == 0
    if outside.any() and not outside.all():
        inside = weights[:, ~outside].sum(axis=1) / np.maximum(start[:, ~outside].sum(axis=1), 1e-300)
        weights[:, outside] = start[:, outside] * inside[:, None]
    weights[~people] = 0.0
    return weights


def _tilt_factor(problem: Problem, zones: np.ndarray) -> np.ndarray:
    if problem.tilt is None:
        return np.ones((len(zones), problem.n_profiles))
    return np.exp(np.asarray(problem.tilts.matrix() @ problem.tilt[zones].T).T)
