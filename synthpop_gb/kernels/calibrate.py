"""Calibration of one zone after another by damped Newton steps on the dual: all distances, exact and soft targets in one solver.

Weights w = d F(u), u the sum of the duals lambda of the profile's cells, minimise the distance between w and d that F stands for
(`links`; Deville & Sarndal 1992, JASA 87) plus sum over cells of (A w - t)^2 / (2 v), v the variance of the published count t
(penalised maximum entropy: Nagle et al. 2014, Prof. Geographer 66; for the linear distance Beaumont & Bocci 2008, Surv. Methodol.
34, and Guggemos & Tille 2010, J. Stat. Plan. Inference 140). The dual D = sum d (integral of F) - t' lambda + v' lambda^2 / 2 is
convex; its gradient A w - t + v lambda is nought at the answer, its Hessian the two-way margins of d F' plus v on the diagonal. A
cell with v = 0 is met exactly, so hard and soft targets are one problem; v > 0 makes it solvable whatever the tables say.
"""

import math
from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.entropy import factorise, solve
from synthpop_gb.kernels.links import BOUNDED, ENTROPY, LOGIT, link_value
from synthpop_gb.status import FitStatus

__all__ = ["calibrate_block"]

_LONGEST = 3.0  # no weight grows by more than exp(3), 20-fold, in one step; it may shrink by any factor
_FLAT, _FLAT_SOFT = 1e-3, 1e-9  # least F' in the Hessian: a profile at its bound must be able to come back; soft cells see to it
_ARMIJO = 1e-4  # share of the fall promised by the slope that a step must bring
_ROUNDING = 1e-12  # of the dual's terms: a rise below may be rounding, if the misses say so
_FINEST = 1e-13  # no cell is asked to be nearer than this share of its target
_PATIENCE, _ENOUGH = 16, 0.5  # every 16 steps the largest miss must have shrunk to half, else tables or bounds contradict it
_SHARE = 1e-6  # a zone stops where less than this share of its misfit can be removed by any weights
_HALVINGS = 40

_CONVERGED, _STALLED, _LIMIT = int(FitStatus.CONVERGED), int(FitStatus.STALLED), int(FitStatus.CYCLE_LIMIT)
_INFEASIBLE, _EMPTY = int(FitStatus.INFEASIBLE), int(FitStatus.EMPTY)


class _Work(NamedTuple):
    """Work space of one thread; only `duals` means anything between steps."""

    alive: np.ndarray  # (n_profiles,) int32: profiles that take part
    d: np.ndarray  # (n_profiles,) start weights of those, persons
    u: np.ndarray  # (n_profiles,) sum of the duals of each
    du: np.ndarray  # (n_profiles,) how u changes along the direction
    slope: np.ndarray  # (n_profiles,) d F'
    margin: np.ndarray  # (n_cells + 1,) fitted persons; the last: outside
    gap: np.ndarray  # (n_cells,) t - A w - v lambda
    dual: np.ndarray  # (n_cells + 1,); the last is 0
    step: np.ndarray  # (n_cells + 1, 1); the last is 0
    hessian: np.ndarray  # (n_cells + 1, n_cells + 1, 1)
    inverse: np.ndarray  # (n_cells, 1)


@njit
def calibrate_block(link, scale, start, cells, targets, variance, tolerance, max_steps, duals, status, steps, residual, worst):
    """Calibrate a block of zones; a zone's bits depend on its own numbers alone.

    link : Link with a kind other than EXPONENTIAL. scale : (n_zones,) float64 from `zone_scales`; zones with 0 are EMPTY.
    start : (n_profiles,) float64. cells : (n_profiles, n_constraints) int32, n_cells = outside the universe.
    targets : (n_zones, n_cells) float64, persons. variance : (n_zones, n_cells) float64, persons squared; 0 = exact.
    tolerance : largest |A w - t + v lambda|, persons; for an exact cell that is its miss. max_steps : Newton steps a zone.
    duals : (n_zones, n_cells) float64. In: where each zone's steps begin, noughts or the duals of a fit nearby. Out: those found,
        -inf where an exact target is nought (whoever is in such a cell takes no part, whatever the distance).
    Written: status (n_zones,) int8; steps (n_zones,) int32; residual (n_zones,) float64, persons; worst (n_zones,) int32, the
    cell of the residual, -1 where nothing is off.

    INFEASIBLE: an exact target that the profiles of its cell cannot reach, since there are none or their bounds forbid it.
    """
    n_profiles, n_cells = cells.shape[0], targets.shape[1]
    work = _Work(
        np.empty(n_profiles, np.int32), np.empty(n_profiles), np.empty(n_profiles), np.empty(n_profiles), np.empty(n_profiles),
        np.empty(n_cells + 1), np.empty(n_cells), np.empty(n_cells + 1), np.empty((n_cells + 1, 1)),
        np.empty((n_cells + 1, n_cells + 1, 1)), np.empty((n_cells, 1)),
    )  # fmt: skip
    for z in range(targets.shape[0]):
        steps[z], residual[z], worst[z] = 0, 0.0, -1
        if scale[z] == 0.0:
            status[z] = _EMPTY
            duals[z] = 0.0
            continue
        n = _enter(start, scale[z], cells, targets[z], variance[z], duals[z], work)
        impossible = _out_of_reach(link, n, cells, targets[z], variance[z], tolerance, work)
        status[z], steps[z] = _newton(link, n, cells, targets[z], variance[z], tolerance, max_steps, work)
        _, residual[z], worst[z] = _miss(targets[z], variance[z], tolerance, work)
        if impossible >= 0:
            status[z], worst[z] = _INFEASIBLE, impossible
        for c in range(n_cells):
            duals[z, c] = -math.inf if targets[z, c] == 0.0 and variance[z, c] == 0.0 else work.dual[c]


@njit
def _enter(start, scale, cells, target, variance, duals, work):
    """List the profiles that take part, start weights brought to the size of the zone, at the duals given. Returns how many."""
    n_cells, n = target.shape[0], 0
    for c in range(n_cells):
        work.dual[c] = duals[c] if math.isfinite(duals[c]) else 0.0
    for p in range(cells.shape[0]):
        ok = start[p] > 0.0
        for k in range(cells.shape[1]):
            c = cells[p, k]
            ok = ok and (c == n_cells or target[c] > 0.0 or variance[c] > 0.0)
        if ok:
            work.alive[n], work.d[n], work.u[n] = p, scale * start[p], 0.0
            for k in range(cells.shape[1]):
                if cells[p, k] < n_cells:
                    work.u[n] += work.dual[cells[p, k]]
            n += 1
    work.step[:] = 0.0
    return n


@njit
def _out_of_reach(link, n, cells, target, variance, tolerance, work):
    """Find an exact target that no weights within the link's bounds reach: the cell furthest out, -1 where there is none."""
    n_cells, margin = target.shape[0], work.margin
    margin[:] = 0.0
    for i in range(n):
        for k in range(cells.shape[1]):
            margin[cells[work.alive[i], k]] += work.d[i]
    bounded = link.kind == BOUNDED or link.kind == LOGIT
    found, furthest = -1, tolerance
    for c in range(n_cells):
        if variance[c] == 0.0:
            gap = target[c] if margin[c] == 0.0 else 0.0
            if bounded and target[c] > 0.0:
                gap = max(gap, target[c] - link.upper * margin[c], link.lower * margin[c] - target[c])
            if gap > furthest:
                found, furthest = c, gap
    return found


@njit
def _evaluate(link, n, cells, length, work):
    """Find margins and d F' at u + length * du; returns the sum of d (integral of F), the dual's first term."""
    margin, total = work.margin, 0.0
    margin[:] = 0.0
    for i in range(n):
        value, slope, integral = link_value(link, work.u[i] + length * work.du[i])
        w = work.d[i] * value
        work.slope[i] = work.d[i] * slope
        total += work.d[i] * integral
        p = work.alive[i]
        for k in range(cells.shape[1]):
            margin[cells[p, k]] += w
    return total


@njit
def _miss(target, variance, tolerance, work):
    """Find (whether all cells are met, largest |A w - t + v lambda| in persons, its cell)."""
    met, furthest, worst = True, 0.0, -1
    for c in range(target.shape[0]):
        shift = variance[c] * work.dual[c]
        gap = abs(work.margin[c] - target[c] + shift)
        met = met and gap <= max(tolerance, _FINEST * max(target[c], abs(shift)))
        if gap > furthest:
            furthest, worst = gap, c
    return met, furthest, worst


@njit
def _newton(link, n, cells, target, variance, tolerance, max_steps, work):
    """Take damped Newton steps from the duals in work. Returns (FitStatus, steps); work is left as at the last duals."""
    n_cells = target.shape[0]
    work.du[:n] = 0.0
    first = _evaluate(link, n, cells, 0.0, work)
    mark, people = math.inf, work.d[:n].sum()
    for taken in range(max_steps + 1):
        met, furthest, _ = _miss(target, variance, tolerance, work)
        if met:
            return _CONVERGED, taken
        if taken % _PATIENCE == 0:
            if not furthest < _ENOUGH * mark:
                return _STALLED, taken
            mark = furthest
        if taken == max_steps:
            break
        slope, furthest = _direct(link, n, cells, target, variance, work)
        if not slope > 0.0:
            return _STALLED, taken
        length = min(1.0, _LONGEST / furthest) if link.kind == ENTROPY and furthest > 0.0 else 1.0
        found = False
        for _ in range(_HALVINGS):
            total = _evaluate(link, n, cells, length, work)
            change, size = total - first, people + abs(total)
            for c in range(n_cells):
                step = length * work.step[c, 0]
                linear, curved = target[c] * step, variance[c] * step * (work.dual[c] + 0.5 * step)
                change += curved - linear
                size += abs(linear) + abs(curved)
            if change <= -_ARMIJO * length * slope:
                found = True
            elif change <= _ROUNDING * size:  # near the answer the dual no longer tells steps apart, its gradient does
                found = _misfit(target, variance, length, work) < _ENOUGH * _misfit(target, variance, 0.0, work)
            if found:
                break
            length *= 0.25
        if not found:
            _evaluate(link, n, cells, 0.0, work)
            return _STALLED, taken
        first = total
        for c in range(n_cells):
            work.dual[c] += length * work.step[c, 0]
        for i in range(n):
            work.u[i] += length * work.du[i]
    return _LIMIT, max_steps


@njit
def _misfit(target, variance, length, work):
    """Sum up the squared gradient: before the step where length is 0, from the gap kept; else at the step on trial."""
    total = 0.0
    for c in range(target.shape[0]):
        gap = work.gap[c]
        if length > 0.0:
            gap = target[c] - work.margin[c] - variance[c] * (work.dual[c] + length * work.step[c, 0])
        total += gap * gap
    return total


@njit
def _direct(link, n, cells, target, variance, work):
    """Find the Newton direction. Writes step and du of work; returns (how fast the dual falls along it, largest du).

    The Hessian is at most n_constraints times its diagonal, so the fall is at least 1 / n_constraints of the misfit that weights
    can remove. Where it is far less, what is left contradicts itself and the fall comes back as 0.
    """
    n_cells, hessian, step = target.shape[0], work.hessian, work.step
    flat = 0.0 if link.kind == ENTROPY else _FLAT_SOFT if variance.any() else _FLAT
    hessian[:] = 0.0
    for i in range(n):
        p, f = work.alive[i], max(work.slope[i], flat * work.d[i])
        for k in range(cells.shape[1]):
            row = hessian[cells[p, k]]
            for j in range(k + 1):
                row[cells[p, j], 0] += f
    misfit = 0.0
    for c in range(n_cells):
        hessian[c, c, 0] += variance[c]
        gap = target[c] - work.margin[c] - variance[c] * work.dual[c]
        if hessian[c, c, 0] > 0.0:
            misfit += gap * gap / hessian[c, c, 0]
        step[c, 0] = work.gap[c] = gap
    factorise(hessian, variance.reshape((n_cells, 1)), work.inverse, n_cells)
    solve(hessian, work.inverse, step, n_cells)
    slope, furthest = 0.0, 0.0
    for c in range(n_cells):
        slope += work.gap[c] * step[c, 0]
    for i in range(n):
        p, du = work.alive[i], 0.0
        for k in range(cells.shape[1]):
            du += step[cells[p, k], 0]
        work.du[i] = du
        furthest = max(furthest, du)
    return slope if slope * cells.shape[1] >= _SHARE * misfit else 0.0, furthest
