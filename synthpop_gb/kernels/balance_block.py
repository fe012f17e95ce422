"""Entropy balancing of many zones, side by side: one walk along the tree of households serves as many zones as there are lanes.

The method is that of `balance`, in other words: factors exp(lambda)^members are multiplied on the way down the tree, weights and
two-way sums gathered on the way up, for all lanes at once; then every lane takes its own step. A zone that is done makes room for
the next at once. The bits of a zone depend on its own numbers and the layout alone: lanes never meet.

Soft tables that disagree have duals far apart, t - A w = v lambda, hundreds of them where v is small, that cancel out along a
row. Their factors are too large and too small for numbers as machines keep them: such a lane adds up logarithms instead.
"""

import math
from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.balance import SOFTNESS
from synthpop_gb.kernels.entropy import factorise, solve
from synthpop_gb.status import FitStatus

__all__ = ["BalanceFit", "balance_block"]

LANES = 64  # zones side by side at most; changes no zone's bits
_WORK = 2**17  # numbers that the Hessians of all lanes may hold, 1 MB, half a second-level cache: fewer lanes for many cells
_LONGEST = 3.0  # no weight grows by more than exp(3), 20-fold, in one step; it may shrink by any factor
_LITTLE = -7.0  # but one below exp(-7) units may grow to that at once
_ARMIJO = 1e-4  # share of the fall promised by the slope that a step must bring
_ROUNDING = 1e-12  # of the dual's terms: a rise below may be rounding, if the misses say so
_FINEST = 1e-13  # no cell is asked to be nearer than this share of its target
_PATIENCE, _ENOUGH = 12, 0.5  # every 12 steps the largest miss must have shrunk to half, else tables contradict each other
_SHARE = 1e-6  # a zone stops where less than this share of its misfit can be removed by any weights, if cells are exact
_SHARP = 50.0  # logarithms of factors up to here are added up to the last digits that the two shares above leave room for
_PRODUCT = 600.0  # of logarithms up to here factors are multiplied: the largest number is exp(709), the least exp(-745)
_HALVINGS = 30

_CONVERGED, _STALLED, _LIMIT = int(FitStatus.CONVERGED), int(FitStatus.STALLED), int(FitStatus.CYCLE_LIMIT)
_INFEASIBLE, _EMPTY, _OPEN = int(FitStatus.INFEASIBLE), int(FitStatus.EMPTY), -1


class BalanceFit(NamedTuple):
    """What `balance_block` found, by zone.

    duals : (n_zones, n_cells) float64; -inf where an exact target is 0. status : (n_zones,) int8, FitStatus.
    steps : (n_zones,) int32. residual : (n_zones,) float64, largest miss in what cells count. worst : (n_zones,) int32, its cell,
    -1 where nothing is off.
    """

    duals: np.ndarray
    status: np.ndarray
    steps: np.ndarray
    residual: np.ndarray
    worst: np.ndarray


class _Lanes(NamedTuple):
    """Where each lane stands: (n_cells, lanes), cells as the layout numbers them, or (lanes,)."""

    target: np.ndarray  # with cells that nobody can fill at 0
    variance: np.ndarray
    base: np.ndarray  # duals accepted
    direction: np.ndarray
    gap: np.ndarray  # t - A w - v lambda at base
    margin: np.ndarray  # A w on trial
    zone: np.ndarray  # int64, -1 = idle
    taken: np.ndarray  # int64, steps since the lane was loaded or softened
    before: np.ndarray  # int64, steps before it was softened
    halvings: np.ndarray  # int64, of the step on trial
    length: np.ndarray  # of the step on trial: duals are base + length * direction
    slope: np.ndarray  # how fast the dual falls along the direction
    total: np.ndarray  # units at base; inf = nothing accepted yet
    mark: np.ndarray  # largest miss at the last look
    lacking: np.ndarray  # int64, the largest cell that nobody can fill, -1 = none
    soft: np.ndarray  # bool, the zone contradicts itself and was given variances
    turning: np.ndarray  # bool, a new direction is due
    reach: np.ndarray  # largest |logarithm of a factor| on trial
    exact: np.ndarray  # bool, some cell with a target is exact: the zone may contradict itself


def balance_block(layout, scale, groups, targets, variance, tolerance, max_steps, duals=None, softness=None):
    """Balance a block of zones.

    layout : of `balance_layout`. scale : (n_zones,) float64, what start weights are multiplied by; 0 = an EMPTY zone.
    groups : (n_zones, n_groups) float64. What the start weights of each group of profiles are multiplied by; ones for no tilts.
    targets, variance : (n_zones, n_cells) float64, as in `balance.balance_zone`; tolerance, max_steps likewise.
    duals : (n_zones, n_cells) float64, where to begin: those of a fit nearby; noughts where None. Left as they are.
    softness : (n_cells,) float64. Variance over target of the cells of a zone that contradicts itself; `SOFTNESS` where None.
    Returns BalanceFit. Statuses are those of `balance.balance_zone`.
    """
    n_zones, n_cells = targets.shape
    fit = BalanceFit(
        np.zeros((n_zones, n_cells)) if duals is None else np.where(np.isfinite(duals), duals, 0.0),
        np.full(n_zones, _EMPTY, np.int8), np.zeros(n_zones, np.int32), np.zeros(n_zones), np.full(n_zones, -1, np.int32),
    )  # fmt: skip
    lanes = min(max(_WORK // max(n_cells, 1) ** 2, 8), LANES, max(n_zones, 1))
    softness = np.full(n_cells, SOFTNESS) if softness is None else softness
    given = (np.array(x, np.float64, order="C") for x in (scale, groups, targets, variance, softness))  # one type to compile for
    _balance_block(layout, *given, float(tolerance), int(max_steps), lanes, fit)
    return fit


@njit
def _balance_block(layout, scale, groups, targets, variance, softness, tolerance, max_steps, lanes, fit):
    n_cells, n_keys = targets.shape[1], layout.key_cell.shape[0]
    at = _new_lanes(n_cells, lanes)
    power, factor = np.zeros((n_keys, lanes)), np.zeros((layout.deepest + 1, lanes))
    rise, sums, tilt = np.zeros(factor.shape), np.zeros(factor.shape), np.zeros((groups.shape[1], lanes))
    far = np.zeros(lanes, np.int64)
    hessian, inverse, step = np.zeros((n_cells, n_cells, lanes)), np.zeros((n_cells, lanes)), np.zeros((n_cells, lanes))
    diagonal, root, growth = np.zeros((n_cells, lanes)), np.zeros(lanes), np.zeros(lanes)
    queue = 0
    for l in range(lanes):
        queue = _load(layout, scale, groups, targets, variance, fit, at, root, tilt, queue, l)
    while (at.zone >= 0).any():
        n_far = _raise(layout, at, power, far)
        _walk(layout, root, tilt, power, factor, rise, far[:n_far], sums, at.margin, hessian)
        for l in range(lanes):
            at.turning[l] = False
            if at.zone[l] >= 0:
                outcome = _weigh(at, sums[0, l], tolerance, max_steps, l)
                if outcome != _OPEN and _finish(layout, targets, variance, softness, fit, at, outcome, l):
                    queue = _load(layout, scale, groups, targets, variance, fit, at, root, tilt, queue, l)
            for c in range(n_cells):
                hessian[c, c, l] += at.variance[c, l]
                diagonal[c, l], step[c, l] = hessian[c, c, l], at.gap[c, l]
        if at.turning.any():
            factorise(hessian, at.variance, inverse, n_cells)
            solve(hessian, inverse, step, n_cells)
            _look_ahead(layout, at, step, power, factor, growth)
            if n_far > 0:
                _look_ahead_far(layout, at, step, far[:n_far], root, tilt, factor, rise, growth)
            for l in range(lanes):
                if at.turning[l] and not _aim(at, step, diagonal, growth[l], l):
                    if _finish(layout, targets, variance, softness, fit, at, _STALLED, l):
                        queue = _load(layout, scale, groups, targets, variance, fit, at, root, tilt, queue, l)


@njit
def _new_lanes(n_cells, lanes):
    cells, whole, real, flag = np.zeros((6, n_cells, lanes)), np.zeros((5, lanes), np.int64), np.zeros((5, lanes)), np.zeros(
        (3, lanes), np.bool_)  # fmt: skip
    return _Lanes(
        cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], whole[0], whole[1], whole[2], whole[3], real[0], real[1],
        real[2], real[3], whole[4], flag[0], flag[1], real[4], flag[2],
    )  # fmt: skip


@njit
def _load(layout, scale, groups, targets, variance, fit, at, root, tilt, queue, l):
    """Put the next zone with people into a lane; returns the one after it. A lane to spare is idle and holds nobody."""
    n_zones, n_cells = targets.shape
    while queue < n_zones and not (scale[queue] > 0.0 and (targets[queue].any() or variance[queue].any())):
        fit.duals[queue] = 0.0
        queue += 1
    z = queue if queue < n_zones else -1
    at.zone[l], at.before[l], at.lacking[l], at.soft[l] = z, 0, -1, False
    root[l] = scale[z] if z >= 0 else 0.0
    for g in range(tilt.shape[0]):
        tilt[g, l] = groups[z, g] if z >= 0 else 0.0
    for c in range(n_cells):
        there = layout.cell_at[c]
        at.target[c, l] = targets[z, there] if z >= 0 else 0.0
        at.variance[c, l] = variance[z, there] if z >= 0 else 0.0
        at.base[c, l] = fit.duals[z, there] if z >= 0 else 0.0
    _begin(at, l)
    return queue + 1 if z >= 0 else queue


@njit
def _begin(at, l):
    """Set a lane to try its base."""
    at.taken[l], at.halvings[l], at.length[l], at.total[l], at.mark[l] = 0, 0, 0.0, math.inf, math.inf
    at.direction[:, l], at.gap[:, l] = 0.0, 0.0


@njit
def _raise(layout, at, power, far):
    """Find the factor of each distinct (cell, members) pair at the duals on trial; 0 where an exact cell counts nobody.

    Lanes whose products might leave the range of numbers are listed in far, and keep the logarithms. Returns how many.
    """
    lanes, n_far = power.shape[1], 0
    at.reach[:] = 0.0
    for k in range(power.shape[0]):
        c, n = layout.key_cell[k], layout.key_count[k]
        for l in range(lanes):
            if at.target[c, l] == 0.0 and at.variance[c, l] == 0.0:
                power[k, l] = -math.inf
            else:
                power[k, l] = n * (at.base[c, l] + at.length[l] * at.direction[c, l])
                at.reach[l] = max(at.reach[l], abs(power[k, l]))
    for l in range(lanes):
        if layout.deepest * at.reach[l] > _PRODUCT:
            far[n_far] = l
            n_far += 1
    for k in range(power.shape[0]):
        for l in range(lanes):
            if layout.deepest * at.reach[l] <= _PRODUCT:
                power[k, l] = math.exp(power[k, l])
    return n_far


@njit
def _walk(layout, root, tilt, power, factor, rise, far, sums, margin, hessian):
    """Find margins (n_cells, lanes) and two-way sums (n_cells, n_cells, lanes), lower triangle; sums[0] is left with the units.

    The stack of the walk is factor and sums by depth: products from the root down, sums of the weights below. Lanes in far have
    rise, sums of logarithms from the root down, and a factor where rows end only.
    """
    lanes, n_nodes = root.shape[0], layout.depth.shape[0]
    cell_at, count_at = np.zeros(factor.shape[0], np.uint16), np.zeros(factor.shape[0])
    members = np.zeros(lanes)
    margin[:], hessian[:] = 0.0, 0.0
    factor[0], sums[0] = root, 0.0
    top = 0
    for i in range(n_nodes + 1):
        depth = layout.depth[i] if i < n_nodes else 1
        while top > 0 and top >= depth:  # nodes that nothing more hangs on
            c, n = cell_at[top], count_at[top]
            below, above, into = sums[top], sums[top - 1], margin[c]
            for l in range(lanes):
                above[l] += below[l]
            for l in range(lanes):
                people = n * below[l]
                members[l] = people
                into[l] += people
            row = hessian[c]
            for e in range(1, top + 1):
                h, m = row[cell_at[e]], count_at[e]
                for l in range(lanes):
                    h[l] += m * members[l]
            top -= 1
        if i == n_nodes:
            break
        here, weights = factor[depth], sums[depth]
        if depth > 0:
            top = depth
            cell_at[depth], count_at[depth] = layout.cell[i], layout.count[i]
            before, x = factor[depth - 1], power[layout.key[i]]
            for l in range(lanes):
                here[l] = before[l] * x[l]
                weights[l] = 0.0
            for j in range(far.shape[0]):
                l = far[j]
                rise[depth, l] = rise[depth - 1, l] + x[l]
                if layout.leaf_start[i + 1] > layout.leaf_start[i]:
                    here[l] = root[l] * math.exp(rise[depth, l])
        for e in range(layout.leaf_start[i], layout.leaf_start[i + 1]):
            s, of_group = layout.leaf_weight[e], tilt[layout.leaf_group[e]]
            for l in range(lanes):
                weights[l] += s * of_group[l] * here[l]


@njit
def _weigh(at, total, tolerance, max_steps, l):
    """Accept the trial of one lane, or shorten its step. Returns what the zone came to, _OPEN where it goes on."""
    n_cells, length = at.target.shape[0], at.length[l]
    if at.total[l] == math.inf and not math.isfinite(total):  # begun at duals from elsewhere that are too large: from nought then
        at.base[:, l] = 0.0
        return _OPEN
    if at.total[l] < math.inf:
        blur = max(1.0, at.reach[l] / _SHARP)
        change, size, old, new = total - at.total[l], at.total[l] + total, 0.0, 0.0
        for c in range(n_cells):
            step, v = length * at.direction[c, l], at.variance[c, l]
            linear, curved = at.target[c, l] * step, v * step * (at.base[c, l] + 0.5 * step)
            change += curved - linear
            size += abs(linear) + abs(curved)
            old += at.gap[c, l] ** 2
            new += (at.target[c, l] - at.margin[c, l] - v * (at.base[c, l] + step)) ** 2
        # near the answer the dual no longer tells steps apart, its gradient does
        if not (change <= -_ARMIJO * length * at.slope[l] or (change <= blur * _ROUNDING * size and new < _ENOUGH * old)):
            at.halvings[l] += 1
            at.length[l] *= 0.25
            return _STALLED if at.halvings[l] >= _HALVINGS else _OPEN
        at.taken[l] += 1
    elif not at.soft[l]:
        _leave_out(at, tolerance, l)
    met, furthest, blur = True, 0.0, max(1.0, at.reach[l] / _SHARP)
    at.exact[l] = False
    for c in range(n_cells):
        at.exact[l] = at.exact[l] or (at.variance[c, l] == 0.0 and at.target[c, l] > 0.0)
        at.base[c, l] += length * at.direction[c, l]
        shift = at.variance[c, l] * at.base[c, l]
        at.gap[c, l] = at.target[c, l] - at.margin[c, l] - shift
        furthest = max(furthest, abs(at.gap[c, l]))
        met = met and abs(at.gap[c, l]) <= max(tolerance, blur * _FINEST * max(at.target[c, l], abs(shift)))
    at.total[l], at.halvings[l], at.length[l] = total, 0, 0.0
    if met:
        return _CONVERGED
    if at.exact[l] and at.taken[l] % _PATIENCE == 0:
        if not furthest < _ENOUGH * at.mark[l]:
            return _STALLED
        at.mark[l] = furthest
    if at.taken[l] >= max_steps:
        return _LIMIT
    at.turning[l] = True
    return _OPEN


@njit
def _leave_out(at, tolerance, l):
    """Leave out exact cells that no profile of the zone fills: their target becomes 0, the largest is remembered."""
    most = tolerance
    for c in range(at.target.shape[0]):
        if at.margin[c, l] == 0.0 and at.variance[c, l] == 0.0 and at.target[c, l] > 0.0:
            if at.target[c, l] > most:
                at.lacking[l], most = c, at.target[c, l]
            at.target[c, l] = 0.0


@njit
def _look_ahead(layout, at, step, power, rise, growth):
    """Find how much the logarithm of a weight grows at most along the step of each lane. power, rise: overwritten."""
    lanes = growth.shape[0]
    for k in range(power.shape[0]):
        c, n = layout.key_cell[k], layout.key_count[k]
        for l in range(lanes):
            power[k, l] = -math.inf if at.target[c, l] == 0.0 and at.variance[c, l] == 0.0 else n * step[c, l]
    growth[:], rise[0] = 0.0, 0.0
    for i in range(1, layout.depth.shape[0]):
        here, before, x = rise[layout.depth[i]], rise[layout.depth[i] - 1], power[layout.key[i]]
        for l in range(lanes):
            here[l] = before[l] + x[l]
        if layout.leaf_start[i + 1] > layout.leaf_start[i]:
            for l in range(lanes):
                growth[l] = max(growth[l], here[l])


@njit
def _look_ahead_far(layout, at, step, far, root, tilt, more, rise, growth):
    """Find the same for lanes whose weights may be as good as nought, which have further to grow. more, rise: overwritten."""
    for j in range(far.shape[0]):
        l = far[j]
        growth[l], more[0, l], rise[0, l] = 0.0, 0.0, 0.0
        for i in range(layout.depth.shape[0]):
            depth = layout.depth[i]
            if depth > 0:
                c, n = layout.cell[i], layout.count[i]
                nobody = at.target[c, l] == 0.0 and at.variance[c, l] == 0.0
                more[depth, l] = -math.inf if nobody else more[depth - 1, l] + n * step[c, l]
                rise[depth, l] = rise[depth - 1, l] + n * at.base[c, l]
            for e in range(layout.leaf_start[i], layout.leaf_start[i + 1]):
                s = root[l] * tilt[layout.leaf_group[e], l] * layout.leaf_weight[e]
                if s > 0.0 and more[depth, l] > 0.0:
                    room = max(_LONGEST, _LITTLE - rise[depth, l] - math.log(s))
                    growth[l] = max(growth[l], more[depth, l] * _LONGEST / room)


@njit
def _aim(at, step, diagonal, growth, l):
    """Point one lane in its newest direction; says whether there is any headway to be made (see `balance._direct`)."""
    n_cells, slope, misfit = at.target.shape[0], 0.0, 0.0
    for c in range(n_cells):
        at.direction[c, l] = step[c, l]
        slope += at.gap[c, l] * step[c, l]
        if diagonal[c, l] > 0.0:
            misfit += at.gap[c, l] ** 2 / diagonal[c, l]
    at.slope[l], at.length[l] = slope, min(1.0, _LONGEST / growth) if growth > 0.0 else 1.0
    return slope > 0.0 and (not at.exact[l] or slope * n_cells >= _SHARE * misfit)


@njit
def _finish(layout, targets, variance, softness, fit, at, outcome, l):
    """Write a zone down, or give one that contradicts itself variances and begin again; says whether its lane is free."""
    n_cells, z = at.target.shape[0], at.zone[l]
    if outcome == _STALLED and not at.soft[l]:
        for c in range(n_cells):
            if at.variance[c, l] == 0.0 and at.target[c, l] > 0.0:
                at.variance[c, l] = softness[layout.cell_at[c]] * max(at.target[c, l], 1.0)
                at.soft[l] = True
        if at.soft[l]:
            at.before[l] = at.taken[l]
            at.base[:, l] = 0.0
            _begin(at, l)
            at.turning[l] = False
            return False
    fit.residual[z], fit.worst[z] = 0.0, -1
    for c in range(n_cells):
        there = layout.cell_at[c]
        t, v = targets[z, there], variance[z, there]
        miss = abs(at.gap[c, l] + (at.variance[c, l] - v) * at.base[c, l] + t - at.target[c, l])
        if miss > fit.residual[z]:
            fit.residual[z], fit.worst[z] = miss, there
        fit.duals[z, there] = -math.inf if t == 0.0 and v == 0.0 else at.base[c, l]
    fit.status[z], fit.steps[z] = _STALLED if at.soft[l] else outcome, at.before[l] + at.taken[l]
    if at.lacking[l] >= 0:
        fit.status[z], fit.worst[z] = _INFEASIBLE, layout.cell_at[at.lacking[l]]
    return True
