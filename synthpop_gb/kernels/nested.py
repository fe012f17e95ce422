"""Maximum entropy under the tables of zones and of the areas above them at once: Newton's method on the dual, arrow eliminated.

The weights of every zone are start * exp(A' lambda + B' mu), with duals lambda of the zone's own cells and mu of the cells of its
areas; they are least in relative entropy among all that meet the zones' tables zone by zone and the areas' tables over all their
zones. The dual sum w - t' lambda - T' mu + sum of variance / 2 times squared duals is convex (Deville & Sarndal 1992, JASA 87,
case 2; soft targets: Nagle et al. 2014), its Hessian an arrow (`nest_layout`).
"""

import math

import numpy as np

from synthpop_gb.kernels._jit import njit

__all__ = ["nested_newton"]

_UNSEEN = 1e-10  # a pivot below this share of its diagonal is rounding, not information
_LONGEST = 3.0  # no weight grows by more than exp(3), 20-fold, in one step, it may shrink by any factor; ...
_SLIGHT = 1e-3  # ... and those that nobody has may grow to this many units
_ARMIJO = 1e-4  # share of the fall promised by the slope that a step must bring
_ROUNDING = 1e-13  # of the dual's terms: a rise below may be rounding, if the misses say so
_SHORTEST = 1e-9  # a step cut to this share goes nowhere
_PATIENCE, _ENOUGH = 8, 0.5  # every 8 steps the largest miss of an exact target must have shrunk to half ...
_FAR = 100  # ... or some of them been shortened: weights that must go far are on their way, for so many steps


@njit
def nested_newton(start, cell, count, log_start, nest, live, targets, variance, allowed, most, duals, weights, gap):
    """Fit the zones of a component to their own tables and those of the areas above them.

    start : (n_profiles + 1,) int64; cell, count : (nnz,) int32. Members of each profile in each cell, CSR; cells of the levels
        are numbered after the zones' own.
    log_start : (1 or n_zones, n_profiles) float64. Logarithm of the start weights, of all zones or zone by zone; -inf = never.
    nest : of `nest_layout`. live : (n_zones,) bool. Zones without people get no weights.
    targets, variance, allowed : (n_variables,) float64, persons, persons^2, persons. Target of each cell, its variance (0 =
        exact), and how far off it may be.
    most : limit of Newton steps.
    duals : (n_variables,) float64. In: where to start. Out: the duals found. -inf stays: such a cell has nobody.
    weights : (n_zones, n_profiles) float64, persons. Written.
    gap : (n_variables,) float64, persons. Written: weights' margin less target, plus variance times dual.
    Returns (steps, met): Newton steps taken; whether every |gap| is allowed, but for targets that nobody can fill: those keep
    their gap and hold nobody up.

    Damped by backtracking on the dual (Armijo 1966, Pacific J. Math. 16). Soft tables that disagree pull against each other with
    duals of gap over variance, which may be thousands and cancel in every weight: so steps are measured by how far weights grow,
    not by duals. Directions that the Hessian does not see (totals that tables repeat, zones' totals that areas repeat) are left
    alone. Where exact tables contradict each other the steps end when the largest miss no longer shrinks; soft ones always have
    an answer, and steps go on to it.
    """
    n, n_nodes = duals.shape[0], nest.parent.shape[0]
    margin, direction = np.zeros(n), np.zeros(n)
    factor, inverse, seen = np.zeros(nest.room[n_nodes]), np.zeros(n), np.zeros(n)
    widest = 0
    for k in range(n_nodes):
        widest = max(widest, nest.ptr[k + 1] - nest.ptr[k])
    front, zone_duals = np.zeros((widest, widest)), np.zeros(nest.index.shape[1])
    hessian = np.zeros((nest.index.shape[1], nest.index.shape[1]))
    trial = duals.copy()
    people = _evaluate(start, cell, count, log_start, nest, live, trial, weights, margin, zone_duals)
    if not math.isfinite(people):  # begun at duals from elsewhere that are too large: from nought then
        duals[:] = np.where(np.isfinite(duals), 0.0, duals)
        people = _evaluate(start, cell, count, log_start, nest, live, duals, weights, margin, zone_duals)
    lacking = (margin == 0.0) & (targets > 0.0) & (variance == 0.0)
    steps, mark, met, shortened = 0, math.inf, False, False
    while True:
        met, exact, off = _measure(margin, targets, variance, duals, allowed, lacking, gap)
        if met or steps >= most:
            break
        if steps % _PATIENCE == 0:
            if exact > _ENOUGH * mark and not (shortened and steps <= _FAR):
                break
            mark, shortened = exact, False
        _factorise(start, cell, count, nest, live, variance, weights, hessian, front, factor, inverse, seen)
        direction[:] = np.where(lacking, 0.0, -gap)
        _solve(nest, factor, inverse, direction)
        slope = 0.0
        for i in range(n):
            slope -= gap[i] * direction[i]
        if not slope > 0.0:
            break
        length = _reach(start, cell, count, nest, live, weights, direction, zone_duals)
        shortened = shortened or length < 1.0
        found = False
        while not found and length >= _SHORTEST:
            for i in range(n):
                trial[i] = duals[i] + length * direction[i] if direction[i] != 0.0 else duals[i]
            there = _evaluate(start, cell, count, log_start, nest, live, trial, weights, margin, zone_duals)
            change, size, further = there - people, abs(there) + abs(people), 0.0
            for i in range(n):
                step = length * direction[i]
                if step != 0.0:
                    linear, curved = targets[i] * step, variance[i] * step * (duals[i] + 0.5 * step)
                    change += curved - linear
                    size += abs(linear) + abs(curved)
                if not lacking[i]:
                    further += (margin[i] - targets[i] + (variance[i] * trial[i] if variance[i] > 0.0 else 0.0)) ** 2
            # near the answer the dual no longer tells steps apart, its gradient does
            found = change <= -_ARMIJO * length * slope or (change <= _ROUNDING * size and further < _ENOUGH * off)
            if not found:
                length *= 0.25
        steps += 1
        if not found:
            _evaluate(start, cell, count, log_start, nest, live, duals, weights, margin, zone_duals)
            break
        people = there
        duals[:] = trial
    return steps, met


@njit
def _measure(margin, targets, variance, duals, allowed, lacking, gap):
    """Write the gaps. Returns (whether all are allowed, the largest of an exact cell, 0 where these are met, sum of squares)."""
    met, exact, inside, off = True, 0.0, True, 0.0
    for i in range(gap.shape[0]):
        gap[i] = margin[i] - targets[i] + (variance[i] * duals[i] if variance[i] > 0.0 else 0.0)
        if lacking[i]:
            continue
        off += gap[i] * gap[i]
        if abs(gap[i]) > allowed[i]:
            met = False
            inside = inside and variance[i] > 0.0
        if variance[i] == 0.0:
            exact = max(exact, abs(gap[i]))
    return met, 0.0 if inside else exact, off


@njit
def _reach(start, cell, count, nest, live, weights, direction, mine):
    """Find what share of a step, at most 1, may be gone before a weight grows too far."""
    n_profiles, n_duals, length = start.shape[0] - 1, nest.index.shape[1], 1.0
    for z in range(nest.n_zones):
        if not live[z]:
            continue
        for d in range(n_duals):
            mine[d] = direction[nest.index[z, d]] if nest.index[z, d] >= 0 else 0.0
        for p in range(n_profiles):
            if weights[z, p] > 0.0:
                rise = 0.0
                for e in range(start[p], start[p + 1]):
                    rise += count[e] * mine[cell[e]]
                if length * rise > _LONGEST:
                    length = min(length, max(_LONGEST, math.log(_SLIGHT / weights[z, p])) / rise)
    return length


@njit
def _evaluate(start, cell, count, log_start, nest, live, duals, weights, margin, mine):
    """Find weights and margins at some duals. Returns the sum of the weights, the dual's first term."""
    n_profiles, n_duals = start.shape[0] - 1, nest.index.shape[1]
    people = 0.0
    margin[:] = 0.0
    for z in range(nest.n_zones):
        row = weights[z]
        if not live[z]:
            row[:] = 0.0
            continue
        for d in range(n_duals):
            mine[d] = duals[nest.index[z, d]] if nest.index[z, d] >= 0 else 0.0
        base = log_start[z if log_start.shape[0] > 1 else 0]
        for p in range(n_profiles):
            power = base[p]
            for e in range(start[p], start[p + 1]):
                power += count[e] * mine[cell[e]]
            w = math.exp(power)
            row[p] = w
            people += w
        for d in range(n_duals):
            mine[d] = 0.0
        for p in range(n_profiles):
            w = row[p]
            for e in range(start[p], start[p + 1]):
                mine[cell[e]] += w * count[e]
        for d in range(n_duals):
            if nest.index[z, d] >= 0:
                margin[nest.index[z, d]] += mine[d]
    return people


@njit
def _factorise(start, cell, count, nest, live, variance, weights, hessian, front, factor, inverse, seen):
    """Eliminate all zones, then all areas. factor, inverse: written; seen: the Hessian's diagonal, for telling rounding apart."""
    n_profiles, n_nodes = start.shape[0] - 1, nest.parent.shape[0]
    factor[:] = 0.0
    for i in range(seen.shape[0]):
        seen[i] = variance[i]
    for k in range(n_nodes):
        first, m = nest.ptr[k], nest.ptr[k + 1] - nest.ptr[k]
        own = nest.own[k + 1] - nest.own[k]
        if k < nest.n_zones:
            if not live[k]:
                inverse[nest.own[k] : nest.own[k + 1]] = 0.0
                continue
            _fill(start, cell, count, weights[k], n_profiles, hessian)
            for a in range(m):
                for b in range(a, m):
                    front[a, b] = hessian[nest.cell[first + a], nest.cell[first + b]]
                seen[nest.var[first + a]] += front[a, a]
        else:
            place = nest.room[k]
            for a in range(m):
                for b in range(a, m):
                    front[a, b] = factor[place + a * m + b]
        for a in range(own):
            front[a, a] += variance[nest.own[k] + a]
        first_own, end = nest.own[k], nest.own[k + 1]
        _eliminate(front, own, m, seen[first_own:end], variance[first_own:end], inverse[first_own:end])
        place = nest.room[k]
        for a in range(own):
            for b in range(a, m):
                factor[place + a * m + b] = front[a, b]
        up = nest.parent[k]
        if up >= 0:
            place, width = nest.room[up], nest.ptr[up + 1] - nest.ptr[up]
            for a in range(own, m):
                i = nest.into[first + a]
                for b in range(a, m):
                    j = nest.into[first + b]
                    factor[place + (i * width + j if i <= j else j * width + i)] += front[a, b]


@njit
def _fill(start, cell, count, weights, n_profiles, hessian):
    """Find the two-way margins of one zone, upper triangle: cells of a profile ascend."""
    hessian[:] = 0.0
    for p in range(n_profiles):
        w = weights[p]
        if w > 0.0:
            for a in range(start[p], start[p + 1]):
                row, x = hessian[cell[a]], w * count[a]
                for b in range(a, start[p + 1]):
                    row[cell[b]] += x * count[b]


@njit
def _eliminate(front, own, m, seen, least, inverse):
    """Cholesky of the first `own` rows of an upper triangle (m x m); the rest becomes what they leave (Schur complement).

    least : (own,) float64, variances: no pivot can be less, and where one drowns in rounding this is what it is.
    """
    for k in range(own):
        row = front[k]
        pivot = row[k] if row[k] > _UNSEEN * seen[k] else least[k]
        r = 1.0 / math.sqrt(pivot) if pivot > 0.0 else 0.0
        inverse[k] = r
        for j in range(k, m):
            row[j] *= r
        if r > 0.0:
            for i in range(k + 1, m):
                x, f = front[i], row[i]
                if f != 0.0:
                    for j in range(i, m):
                        x[j] -= f * row[j]


@njit
def _solve(nest, factor, inverse, x):
    """Solve with what `_factorise` left. x: (n_variables,), right-hand side in, solution out."""
    n_nodes = nest.parent.shape[0]
    for k in range(n_nodes):
        first, m, place = nest.ptr[k], nest.ptr[k + 1] - nest.ptr[k], nest.room[k]
        for a in range(nest.own[k + 1] - nest.own[k]):
            y = x[nest.own[k] + a] * inverse[nest.own[k] + a]
            x[nest.own[k] + a] = y
            if y != 0.0:
                for b in range(a + 1, m):
                    x[nest.var[first + b]] -= factor[place + a * m + b] * y
    for k in range(n_nodes - 1, -1, -1):
        first, m, place = nest.ptr[k], nest.ptr[k + 1] - nest.ptr[k], nest.room[k]
        for a in range(nest.own[k + 1] - nest.own[k] - 1, -1, -1):
            y = x[nest.own[k] + a]
            for b in range(a + 1, m):
                y -= factor[place + a * m + b] * x[nest.var[first + b]]
            x[nest.own[k] + a] = y * inverse[nest.own[k] + a]
