"""Fractional weights of zones under some of a problem's tables: what starts are judged by and learnt from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from synthpop_gb.kernels.fit_layout import fit_layout
from synthpop_gb.kernels.ipf import fit_block
from synthpop_gb.problem import Problem

__all__ = ["TOLERANCE", "spread_zones", "tilt_members", "zone_duals", "zone_weights"]

TOLERANCE = 1e-4
"""Largest miss of a target by these fits, units."""
_CYCLES = 300
_BLOCK = 512


def spread_zones(problem: Problem, most: int) -> np.ndarray:
    """Positions of at most so many zones with people, ascending: those with the least keys, which are as good as drawn.

    The same zones are chosen whatever others the problem has between them, and nothing random is needed.
    """
    live = np.flatnonzero(problem.targets.sum(axis=1) > 0)
    return np.sort(live[np.argsort(problem.zone_keys[live], kind="stable")[:most]])


def zone_weights(problem: Problem, zones: np.ndarray, kept: Sequence[int] | None = None) -> Iterator[np.ndarray]:
    """Yield (n, n_profiles) float64 weights of blocks of zones (positions), units, fitted to some constraints by entropy.

    kept : numbers of the constraints; all where None. Without any the start weights are what is known, tilts included. Profiles
        outside the universes of all that are kept have the start's proportion to the others. Zones that these tables say nothing
        of have nobody.
    """
    kept = list(range(problem.n_constraints)) if kept is None else list(kept)
    for first in range(0, len(zones), _BLOCK):
        where = zones[first : first + _BLOCK]
        factor = _tilt_factor(problem, where)
        start = problem.start * factor
        if not kept:
            yield start
            continue
        duals, cells, people = zone_duals(problem, where, kept)
        yield _from_duals(problem, start, duals, cells, people)


def zone_duals(problem: Problem, zones: np.ndarray, kept: Sequence[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit some zones to the constraints kept: duals (n, n_kept_cells), those cells' numbers, and (n,) bool where anybody is."""
    first = problem.constraint_start
    cells = np.concatenate([np.arange(first[k], first[k + 1]) for k in kept])
    targets = np.ascontiguousarray(problem.targets[np.ix_(zones, cells)])
    people = targets.sum(axis=1) > 0
    if problem.incidence is not None:
        return _household_duals(problem, zones, cells, targets), cells, people
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


def _household_duals(problem: Problem, zones: np.ndarray, cells: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Do the same where units are households: members of each in each cell."""
    from synthpop_gb.incidence import Incidence
    from synthpop_gb.kernels.balance import balance_work, balance_zone

    held = problem.incidence.matrix()[:, cells].tocsr()
    held.sort_indices()
    members = Incidence(held.indptr, held.indices, np.rint(held.data), len(cells))
    duals, exact = np.zeros(targets.shape), np.zeros(len(cells))
    work, weights = balance_work(problem.n_profiles, len(cells)), np.empty(problem.n_profiles)
    with np.errstate(divide="ignore"):
        base = np.log(problem.start)
    for i, z in enumerate(zones):
        log_start = base if problem.tilt is None else base + tilt_members(problem) @ problem.tilt[z]
        balance_zone(members.start, members.cell, members.count, log_start, targets[i], exact, TOLERANCE, _CYCLES, duals[i],
                     weights, work)  # fmt: skip
    return duals


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


def tilt_members(problem: Problem):
    """(n_profiles, n_tilt_cells) sparse: how often each profile counts each cell of the tilts."""
    from synthpop_gb.incidence import Incidence

    return Incidence.of_cells(problem.tilt_of, problem.tilt.shape[1]).matrix()


def _tilt_factor(problem: Problem, zones: np.ndarray) -> np.ndarray:
    if problem.tilt is None:
        return np.ones((len(zones), problem.n_profiles))
    return np.exp(np.asarray(tilt_members(problem) @ problem.tilt[zones].T).T)
