"""Entropy balancing of one zone: weights of whole households nearest their start weights that meet household and person tables.

Least are sum w log(w / s) - w + s, plus sum over cells of (A w - t)^2 / (2 v): s the start weights, A the members of each
household in each cell, t the targets and v the variance of the published counts; a cell with v = 0 is met exactly. The answer is
w = s exp(A' lambda), held within bounds where there are any, at the lambda where the convex dual

    D = sum w(lambda) - t' lambda + v' lambda^2 / 2

is least: entropy balancing (Hainmueller 2012, Polit. Analysis 20), raking ratio calibration with counts for auxiliary variables
(Deville & Sarndal 1992, JASA 87, case 2), with v > 0 penalised maximum entropy (Nagle et al. 2014, Prof. Geographer 66). Its
gradient is A w - t + v lambda, its Hessian sum of w a a' plus v on the diagonal; Newton steps are damped by backtracking.
"""

import math
from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.entropy import factorise, solve
from synthpop_gb.status import FitStatus

__all__ = ["SOFTNESS", "BalanceWork", "balance_bounded", "balance_work", "balance_zone"]

_LONGEST = 3.0  # no weight grows by more than exp(3), 20-fold, in one step; it may shrink by any factor
_LITTLE = -7.0  # but one below exp(-7) units may grow to that at once
_FAR = 0.1  # a zone whose weights are off by more than exp(0.1) all together is brought to its size first
_FLAT = 1e-3  # of a weight, counted in the Hessian for a profile at its bound, which must be able to come back
_ARMIJO = 1e-4  # share of the fall promised by the slope that a step must bring
_ROUNDING = 1e-12  # of the dual's terms: a rise below may be rounding, if the misses say so
_FINEST = 1e-13  # no cell is asked to be nearer than this share of its target
_PATIENCE, _ENOUGH = 12, 0.5  # every 12 steps the largest miss must have shrunk to half, else tables contradict each other
_SHARE = 1e-6  # a zone stops where less than this share of its misfit can be removed by any weights, if cells are exact
_SHARP = 50.0  # logarithms of factors up to here are added up to the last digits that the two shares above leave room for
_HALVINGS = 30
SOFTNESS = 0.01  # variance over target of the cells of a zone that contradicts itself: to miss t by m costs 50 m^2 / t

_CONVERGED, _STALLED, _LIMIT = int(FitStatus.CONVERGED), int(FitStatus.STALLED), int(FitStatus.CYCLE_LIMIT)
_INFEASIBLE, _EMPTY = int(FitStatus.INFEASIBLE), int(FitStatus.EMPTY)


class BalanceWork(NamedTuple):
    """Work space of one thread, from `balance_work`; nothing in it outlives a call."""

    alive: np.ndarray  # (n_profiles,) int32: profiles that take part
    u: np.ndarray  # (n_profiles,) log weight of each before bounds
    du: np.ndarray  # (n_profiles,) how u changes along the direction
    low: np.ndarray  # (n_profiles,) bounds of each
    high: np.ndarray
    w: np.ndarray  # (n_profiles,) weights on trial
    slope: np.ndarray  # (n_profiles,) how fast they grow with u
    target: np.ndarray  # (n_cells,) t, with cells that nobody can fill at 0
    variance: np.ndarray  # (n_cells,)
    margin: np.ndarray  # (n_cells,) A w
    gap: np.ndarray  # (n_cells,) t - A w - v lambda
    dual: np.ndarray  # (n_cells,) lambda
    step: np.ndarray  # (n_cells, 1)
    hessian: np.ndarray  # (n_cells, n_cells, 1), lower triangle
    inverse: np.ndarray  # (n_cells, 1)
    softness: np.ndarray  # (n_cells,) variance over target of the cells of a zone that contradicts itself: may be written to


def balance_work(n_profiles, n_cells):
    """Allocate the work space that `balance_zone` needs: once a thread, for any number of zones."""
    return BalanceWork(
        np.empty(n_profiles, np.int32), *(np.empty(n_profiles) for _ in range(6)), *(np.empty(n_cells) for _ in range(5)),
        np.empty((n_cells, 1)), np.empty((n_cells, n_cells, 1)), np.empty((n_cells, 1)),
        np.full(n_cells, SOFTNESS),
    )  # fmt: skip


@njit
def balance_zone(start, cell, count, log_start, targets, variance, tolerance, max_steps, duals, weights, work):
    """Balance one zone.

    start, cell, count : of an incidence: entries of profile p are start[p] to start[p + 1] - 1; cell (nnz,) int, ascending within
        a profile; count (nnz,) int, members in the cell, > 0.
    log_start : (n_profiles,) float64. Log of the zone's start weights, in units (households); -inf = never.
    targets : (n_cells,) float64, what each cell counts. variance : (n_cells,) float64, its square; 0 = exact.
    tolerance : largest |A w - t + v lambda| in what cells count; for an exact cell that is its miss. max_steps : Newton steps.
    duals : (n_cells,) float64. In: where steps begin, noughts or the duals of a fit nearby. Out: those found, -inf where an exact
        target is 0: whoever is in such a cell takes no part.
    weights : (n_profiles,) float64, written: units. work : of `balance_work`.
    Returns (status, steps, residual, worst): FitStatus; Newton steps; largest miss; its cell, -1 where nothing is off.

    A zone whose exact targets contradict each other is STALLED, one with a target that no profile fills INFEASIBLE; either then
    gets the weights nearest to its targets: those that are least with a variance of a hundredth of each target. EMPTY: all
    targets are 0 and exact. The bits depend on the zone's own numbers alone.
    """
    return _balance(start, cell, count, log_start, targets, variance, tolerance, max_steps, duals, weights, weights, weights,
                    False, work)  # fmt: skip


@njit
def balance_bounded(start, cell, count, log_start, low, high, targets, variance, tolerance, max_steps, duals, weights, work):
    """Balance one zone with every weight held within bounds; as `balance_zone` otherwise.

    low, high : (n_profiles,) float64, units; 0 <= low <= high, high may be inf.

    Least is the same sum, among the weights within the bounds: w = min(max(s exp(A' lambda), low), high), the entropy distance
    cut as Deville & Sarndal (1992, case 7) cut the linear one. Start weights may themselves lie outside. INFEASIBLE also where
    the bounds of a cell's profiles together forbid its exact target.
    """
    return _balance(start, cell, count, log_start, targets, variance, tolerance, max_steps, duals, weights, low, high, True, work)


@njit
def _balance(start, cell, count, log_start, targets, variance, tolerance, max_steps, duals, weights, low, high, bounded, work):
    n = _enter(start, cell, count, log_start, targets, variance, low, high, bounded, duals, work)
    status, steps, residual, worst = _EMPTY, 0, 0.0, -1
    if targets.any() or variance.any():
        impossible = _out_of_reach(start, cell, count, n, bounded, tolerance, work)
        status, steps = _newton(start, cell, count, n, bounded, tolerance, max_steps, work)
        if status == _STALLED and _soften(targets, variance, work):
            for i in range(n):
                work.u[i] = log_start[work.alive[i]]
            work.dual[:] = 0.0
            _, more = _newton(start, cell, count, n, bounded, tolerance, max_steps, work)
            steps += more
        if impossible >= 0:
            status = _INFEASIBLE
        residual, worst = _worst(targets, variance, work)
        if impossible >= 0:
            worst = impossible
    else:
        n = 0
        work.dual[:] = 0.0
    weights[:] = 0.0
    for i in range(n):
        weights[work.alive[i]] = work.w[i]
    for c in range(targets.shape[0]):
        duals[c] = -math.inf if targets[c] == 0.0 and variance[c] == 0.0 else work.dual[c]
    return status, steps, residual, worst


@njit
def _enter(start, cell, count, log_start, targets, variance, low, high, bounded, duals, work):
    """List the profiles that take part, at the duals given. Returns how many."""
    n = 0
    for c in range(targets.shape[0]):
        work.dual[c] = duals[c] if math.isfinite(duals[c]) else 0.0
        work.target[c], work.variance[c] = targets[c], variance[c]
    for p in range(log_start.shape[0]):
        u, ok = log_start[p], log_start[p] > -math.inf and (not bounded or high[p] > 0.0)
        for e in range(start[p], start[p + 1]):
            c = cell[e]
            ok = ok and (targets[c] > 0.0 or variance[c] > 0.0)
            u += count[e] * work.dual[c]
        if ok:
            work.alive[n], work.u[n] = p, u
            if bounded:
                work.low[n], work.high[n] = low[p], high[p]
            n += 1
    return n


@njit
def _out_of_reach(start, cell, count, n, bounded, tolerance, work):
    """Find an exact target that no weights reach: the cell furthest out, -1 where there is none. Targets of nobody become 0."""
    least, most = work.margin, work.gap
    least[:], most[:] = 0.0, 0.0
    for i in range(n):
        p = work.alive[i]
        for e in range(start[p], start[p + 1]):
            if bounded:
                least[cell[e]] += count[e] * work.low[i]
                most[cell[e]] += count[e] * work.high[i]
            else:
                most[cell[e]] = math.inf
    found, furthest = -1, tolerance
    for c in range(work.target.shape[0]):
        if work.variance[c] == 0.0:
            gap = max(work.target[c] - most[c], least[c] - work.target[c])
            if gap > furthest:
                found, furthest = c, gap
            if most[c] == 0.0:
                work.target[c] = 0.0
    return found


@njit
def _soften(targets, variance, work):
    """Give the exact cells of a zone that contradicts itself a variance; says whether there are any with a target."""
    some = False
    for c in range(targets.shape[0]):
        if variance[c] == 0.0 and work.target[c] > 0.0:
            work.variance[c] = work.softness[c] * max(work.target[c], 1.0)
            some = True
    return some


@njit
def _evaluate(start, cell, count, n, length, bounded, work):
    """Find weights, slopes and margins at u + length * du; returns the sum of the integrals of weights, the dual's first term."""
    margin, total = work.margin, 0.0
    margin[:] = 0.0
    for i in range(n):
        p, u = work.alive[i], work.u[i] + length * work.du[i]
        w = math.exp(u)
        integral, slope = w, w
        if bounded:
            if w > work.high[i]:
                w = work.high[i]
                integral, slope = w * (1.0 + u - math.log(w)), _FLAT * w
            elif w < work.low[i]:
                w = work.low[i]
                integral, slope = w * (1.0 + u - math.log(w)), _FLAT * w
        work.w[i], work.slope[i] = w, slope
        total += integral
        for e in range(start[p], start[p + 1]):
            margin[cell[e]] += count[e] * w
    return total


@njit
def _blur(start, count, n, work):
    """Say how much coarser than usual rounding is, 1 or more: soft tables that disagree have duals of hundreds that cancel out."""
    most, reach = 0, 0.0
    for i in range(n):
        p = work.alive[i]
        for e in range(start[p], start[p + 1]):
            most = max(most, count[e])
    for c in range(work.dual.shape[0]):
        reach = max(reach, abs(work.dual[c]))
    return max(1.0, most * reach / _SHARP)


@njit
def _furthest(tolerance, blur, work):
    """Find (whether every cell is met, largest |A w - t + v lambda|)."""
    met, furthest = True, 0.0
    for c in range(work.target.shape[0]):
        shift = work.variance[c] * work.dual[c]
        gap = abs(work.margin[c] - work.target[c] + shift)
        met = met and gap <= max(tolerance, blur * _FINEST * max(work.target[c], abs(shift)))
        furthest = max(furthest, gap)
    return met, furthest


@njit
def _worst(targets, variance, work):
    """Find the largest miss, of the optimum at soft cells, and its cell; -1 where nothing is off."""
    furthest, worst = 0.0, -1
    for c in range(targets.shape[0]):
        gap = abs(work.margin[c] - targets[c] + variance[c] * work.dual[c])
        if gap > furthest:
            furthest, worst = gap, c
    return furthest, worst


@njit
def _newton(start, cell, count, n, bounded, tolerance, max_steps, work):
    """Take damped Newton steps from the duals in work. Returns (FitStatus, steps); work is left as at the last duals.

    Only exact targets can contradict each other: where all are soft there is an answer, and steps go on until it is found.
    """
    n_cells, exact = work.target.shape[0], ((work.variance == 0.0) & (work.target > 0.0)).any()
    work.du[:n] = 0.0
    first = _evaluate(start, cell, count, n, 0.0, bounded, work)
    mark = math.inf
    for taken in range(max_steps + 1):
        blur = _blur(start, count, n, work)
        met, furthest = _furthest(tolerance, blur, work)
        if met:
            return _CONVERGED, taken
        if exact and taken % _PATIENCE == 0:
            if not furthest < _ENOUGH * mark:
                return _STALLED, taken
            mark = furthest
        if taken == max_steps:
            break
        slope, furthest = _direct(start, cell, count, n, taken == 0, exact, work)
        if not slope > 0.0:
            return _STALLED, taken
        length = min(1.0, _LONGEST / furthest) if furthest > 0.0 else 1.0
        found, people = False, abs(first)
        for _ in range(_HALVINGS):
            total = _evaluate(start, cell, count, n, length, bounded, work)
            change, size = total - first, people + abs(total)
            for c in range(n_cells):
                step = length * work.step[c, 0]
                linear, curved = work.target[c] * step, work.variance[c] * step * (work.dual[c] + 0.5 * step)
                change += curved - linear
                size += abs(linear) + abs(curved)
            if change <= -_ARMIJO * length * slope:
                found = True
            elif change <= blur * _ROUNDING * size:  # near the answer the dual no longer tells steps apart, its gradient does
                found = _misfit(length, work) < _ENOUGH * _misfit(0.0, work)
            if found:
                break
            length *= 0.25
        if not found:
            _evaluate(start, cell, count, n, 0.0, bounded, work)
            return _STALLED, taken
        first = total
        for c in range(n_cells):
            work.dual[c] += length * work.step[c, 0]
        for i in range(n):
            work.u[i] += length * work.du[i]
    return _LIMIT, max_steps


@njit
def _misfit(length, work):
    """Sum up the squared gradient: before the step where length is 0, from the gap kept; else at the step on trial."""
    total = 0.0
    for c in range(work.target.shape[0]):
        gap = work.gap[c]
        if length > 0.0:
            gap = work.target[c] - work.margin[c] - work.variance[c] * (work.dual[c] + length * work.step[c, 0])
        total += gap * gap
    return total


@njit
def _scale(work):
    """Set the step that scales all weights together, as far as duals can; says whether one is due. Needs the Hessian's factor."""
    n_cells = work.target.shape[0]
    for c in range(n_cells):
        work.step[c, 0] = work.margin[c]
    solve(work.hessian, work.inverse, work.step, n_cells)
    wanted, there = 0.0, 0.0
    for c in range(n_cells):
        wanted += work.target[c] * work.step[c, 0]
        there += work.margin[c] * work.step[c, 0]
    if not (wanted > 0.0 and there > 0.0) or abs(math.log(wanted / there)) < _FAR:
        for c in range(n_cells):
            work.step[c, 0] = work.gap[c]
        return False
    for c in range(n_cells):
        work.step[c, 0] *= math.log(wanted / there)
    return True


@njit
def _direct(start, cell, count, n, first, exact, work):
    """Find the Newton direction. Writes gap, step and du of work; returns (how fast the dual falls along it, largest du).

    The Hessian is at most the members of the largest household times its diagonal, so the fall is at least a fixed share of the
    misfit that weights can remove. Where it is far less, what is left contradicts itself and the fall comes back as 0, if there
    are exact cells.

    On the first step, where weights may be a thousand times those wanted, Newton's direction would bring them down by a factor e
    at a time. So all are first scaled together as far as duals can: along H^-1 (A w), by the factor that fits along it.
    """
    n_cells, hessian, step = work.target.shape[0], work.hessian, work.step
    hessian[:] = 0.0
    for i in range(n):
        p, f = work.alive[i], work.slope[i]
        for e in range(start[p], start[p + 1]):
            row, x = hessian[cell[e]], f * count[e]
            for j in range(start[p], e + 1):
                row[cell[j], 0] += x * count[j]
    misfit = 0.0
    for c in range(n_cells):
        hessian[c, c, 0] += work.variance[c]
        gap = work.target[c] - work.margin[c] - work.variance[c] * work.dual[c]
        if hessian[c, c, 0] > 0.0:
            misfit += gap * gap / hessian[c, c, 0]
        step[c, 0] = work.gap[c] = gap
    factorise(hessian, work.variance.reshape((n_cells, 1)), work.inverse, n_cells)
    scaled = first and _scale(work)
    if not scaled:
        solve(hessian, work.inverse, step, n_cells)
    slope, furthest = 0.0, 0.0
    for c in range(n_cells):
        slope += work.gap[c] * step[c, 0]
    for i in range(n):
        p, du = work.alive[i], 0.0
        for e in range(start[p], start[p + 1]):
            du += count[e] * step[cell[e], 0]
        work.du[i] = du
        if du > 0.0:
            furthest = max(furthest, du * _LONGEST / max(_LONGEST, _LITTLE - work.u[i]))
    if scaled:
        return slope, 0.0
    return slope if not exact or slope * n_cells >= _SHARE * misfit else 0.0, furthest
