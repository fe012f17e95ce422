"""Balancing some zones of a problem: what kernels need of it, the fit, and the weights that the fit stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from synthpop_gb.incidence import Incidence
from synthpop_gb.kernels.balance import SOFTNESS, balance_bounded, balance_work
from synthpop_gb.kernels.balance_block import balance_block
from synthpop_gb.kernels.balance_layout import BalanceLayout, balance_layout
from synthpop_gb.kernels.ipu import ipu_zone, transposed
from synthpop_gb.kernels.links import ENTROPY, HELD, Link, unit_scales, unit_weights
from synthpop_gb.methods._remembered import Remembered
from synthpop_gb.methods._softness import by_constraint, soft_targets
from synthpop_gb.problem import Problem
from synthpop_gb.status import FitStatus

__all__ = ["ZoneFits", "balance_link", "fit_zones"]

_BATCH = 32  # zones whose weights are computed at once


@dataclass(frozen=True, eq=False)
class ZoneFits:
    """What was found for some zones, rows in the order asked for.

    duals : (n, n_cells), None where there are none; status, steps, residual, worst : (n,), as in `BlockResult`.
    targets, variance : (n, n_cells), what was aimed at. weights : callable, row -> (n_profiles,) float64 units.
    most : (n, n_profiles) int32, units that a zone may have of each profile; None = any number.
    variance_above : (n, n_duals - n_cells), of the cells of the areas that each zone lies in; None without levels.
    """

    duals: np.ndarray | None
    status: np.ndarray
    steps: np.ndarray
    residual: np.ndarray
    worst: np.ndarray
    targets: np.ndarray
    variance: np.ndarray
    weights: Any
    most: np.ndarray | None = None
    variance_above: np.ndarray | None = None


def balance_link(options: Any) -> Link:
    """Return what makes weights of duals under these options: exponentials, held within bounds where there are any."""
    bounds = {"lower": float(options.lower)} | ({} if options.upper is None else {"upper": float(options.upper)})
    return Link(HELD, **bounds) if options.bounded else Link(ENTROPY)


def fit_zones(problem: Problem, zones: np.ndarray, options: Any) -> ZoneFits:
    """Fit the zones at these positions, each by itself.

    options : `BalanceOptions`. Raises ValueError where they name constraints that there are none of.
    """
    if options.fit == "ipu":
        return _update(problem, zones, options)
    known, n_cells = _layouts(problem), problem.n_cells
    targets, variance = soft_targets(problem, zones, options)
    importance = by_constraint(problem, options.importance, "importance", np.ones(n_cells))
    scale = unit_scales(problem.members, problem.start, problem.constraint_start, problem.targets[zones])
    first = None if problem.first_duals is None else problem.first_duals[zones][:, :n_cells]
    fit = balance_block(
        known.tree, scale, known.groups(problem, zones), targets, options.prior * variance / importance, options.tolerance,
        options.max_steps, first, SOFTNESS / importance,
    )  # fmt: skip
    link, starts, caps = balance_link(options), _Starts(problem, zones, scale, known), _caps(problem, zones)

    batch = {}

    def weights(row):  # as `Population.fitted` computes them, some zones at a time
        begin = row - row % _BATCH
        if begin not in batch:
            some = slice(begin, begin + _BATCH)
            tilted = starts.tilted(begin)[None] if known.group is None else starts.tilted(some)
            found = unit_weights(link, scale[some], tilted, known.matrix, fit.duals[some])
            batch.clear()
            batch[begin] = found if caps is None else np.minimum(found, caps[some])
        return batch[begin][row - begin]

    if options.bounded or caps is not None:
        softness = options.prior * variance / importance
        _hold(problem, starts, caps, fit, known.matrix, targets, softness, importance, options)
    return ZoneFits(*_judged(fit), targets, variance, weights, caps)


def _judged(fit):
    """Duals, status, steps, residual and worst cell; where every cell is met none is worst."""
    return fit.duals, fit.status, fit.steps, fit.residual, np.where(fit.status == FitStatus.CONVERGED, -1, fit.worst)


def _hold(problem, starts, caps, fit, matrix, targets, variance, importance, options):
    """Bring zones within bounds and caps, writing to `fit`; those that keep to them already stay as they are, to the bit."""
    members, weights, work = problem.members, np.empty(problem.n_profiles), balance_work(problem.n_profiles, problem.n_cells)
    work.softness[:] = SOFTNESS / importance
    for row in np.flatnonzero(fit.status != FitStatus.EMPTY):
        d, u = starts.scaled(row), fit.duals[row] @ matrix.T
        low, high = options.lower * d, np.full(len(d), np.inf) if options.upper is None else options.upper * d
        if caps is not None:
            high = np.minimum(high, caps[row])
            low = np.minimum(low, high)
        free, alive = d * np.exp(u), ~np.isneginf(u)
        if (free <= high)[alive].all() and (free >= low)[alive].all():
            continue
        with np.errstate(divide="ignore"):
            log_start = np.log(d)
        duals, before = fit.duals[row].copy(), fit.steps[row]
        fit.status[row], steps, fit.residual[row], fit.worst[row] = balance_bounded(
            members.start, members.cell, members.count, log_start, low, high, targets[row], variance[row], options.tolerance,
            options.max_steps, duals, weights, work,
        )  # fmt: skip
        fit.duals[row], fit.steps[row] = duals, before + steps


def _update(problem: Problem, zones: np.ndarray, options: Any) -> ZoneFits:
    """Fit by iterative proportional updating."""
    known, n, targets = _layouts(problem), len(zones), problem.targets[zones]
    members = problem.members
    arrays = transposed(members.start, members.cell, members.count, problem.n_cells)
    scale = unit_scales(members, problem.start, problem.constraint_start, targets)
    starts = _Starts(problem, zones, scale, known)
    status, steps, residual, worst = np.empty(n, np.int8), np.empty(n, np.int32), np.empty(n), np.empty(n, np.int32)
    weights = [np.empty(0)] * n
    for row in range(n):
        weights[row] = starts.scaled(row)
        found = ipu_zone(*arrays, targets[row], float(options.tolerance), int(options.max_cycles), weights[row])
        status[row], steps[row], residual[row], worst[row] = found
    worst = np.where(status == FitStatus.CONVERGED, -1, worst)
    return ZoneFits(None, status, steps, residual, worst, targets, np.zeros_like(targets), weights.__getitem__,
                    _caps(problem, zones))  # fmt: skip


def _caps(problem: Problem, zones: np.ndarray) -> np.ndarray | None:
    """(n, n_profiles) int32, units that a zone may have of each profile; None where there is no limit."""
    if problem.max_copies is None:
        return None
    most = np.diff(problem.donor_start) * problem.caps(zones)[:, None]
    return np.minimum(most, np.iinfo(np.int32).max).astype(np.int32)


class _Starts:
    """Start weights of zones."""

    def __init__(self, problem, zones, scale, known):
        self._start, self._scale, self._known = problem.start, scale, known
        self._groups = known.groups(problem, zones)

    def tilted(self, row):
        """(n_profiles,) start weights of one zone in the survey's grossing, tilts included; of some, (n, n_profiles)."""
        return self._start * self._groups[row, self._known.group] if self._known.group is not None else self._start

    def scaled(self, row):
        """(n_profiles,) the same brought to the zone's size, units."""
        return self._scale[row] * self.tilted(row)


class _Layouts(NamedTuple):
    """What the kernels work out once per problem.

    tree : the profiles with a start weight. matrix : (n_profiles, n_cells) scipy sparse. group : (n_profiles,) profiles with the
    same tilts, None without any; combined : (n_groups, n_tilt_cells) scipy sparse, the tilts of each group.
    """

    tree: BalanceLayout
    matrix: Any
    group: np.ndarray | None
    combined: Any

    def groups(self, problem: Problem, zones: np.ndarray) -> np.ndarray:
        """(n, n_groups) factors on the start weights of each group."""
        return np.ones((len(zones), 1)) if self.combined is None else np.exp(problem.tilt[zones] @ self.combined.T)


def _lay_out(problem: Problem) -> _Layouts:
    members, group, combined = problem.members, None, None
    if problem.tilt_of is not None:
        kinds, group = np.unique(problem.tilt_of, axis=1, return_inverse=True)
        group, combined = group.reshape(-1), Incidence.of_cells(kinds, problem.tilt.shape[1]).matrix()
    tree = balance_layout(members.start, members.cell, members.count, problem.start, problem.constraint_start, group)
    return _Layouts(tree, members.matrix(), group, combined)


_layouts = Remembered(_lay_out)
