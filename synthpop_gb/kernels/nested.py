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
_LONGEST = 2.0  # no dual moves by more in one step: exp(2) = 7.4-fold; where some are soft no weight grows by more
_LITTLE = -7.0  # but one below exp(-7) units may grow to that at once
_ARMIJO = 1e-4  # share of the fall promised by the slope that a step must bring
_ROUNDING = 1e-14  # of the dual's terms: a change below is no change
_SHORTEST = 1e-9  # a step cut to this share goes nowhere
_PATIENCE, _ENOUGH = 8, 0.5  # every 8 steps the largest miss must have shrunk to half ...
_FAR = 100  # ... or some of them been shortened: duals that must go far are on their way, for so many steps


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

    Damped by backtracking on the dual (Armijo 1966, Pacific J. Math. 16). Directions that the Hessian does not see (totals that
    tables repeat, zones' totals that areas repeat) are left alone. Where tables contradict each other the steps end when the
    largest miss no longer shrinks. Only exact ones can: soft tables that disagree have an answer, at duals far apart.
    """
    n, n_nodes = duals.shape[0], nest.parent.shape[0]
    soft, exact = (variance > 0.0).any(), ((variance == 0.0) & (targets > 0.0)).any()
    margin, direction = np.zeros(n), np.zeros(n)
    factor, inverse, seen = np.zeros(nest.room[n_nodes]), np.zeros(n), np.zeros(n)
    widest = 0
    for k in range(n_nodes):
        widest = max(widest, nest.ptr[k + 1] - nest.ptr[k])
    front, zone_duals = np.zeros((widest, widest)), np.zeros(nest.index.shape[1])
    hessian = np.zeros((nest.index.shape[1], nest.index.shape[1]))
    trial = duals.copy()
    value = _evaluate(start, cell, count, log_start, nest, live, targets, variance, trial, weights, margin, zone_duals)
    lacking = (margin == 0.0) & (targets > 0.0) & (variance == 0.0)
    steps, mark, met, shortened = 0, math.inf, False, False
    while True:
        worst = 0.0
        met = True
        for i in range(n):
            gap[i] = margin[i] - targets[i] + (variance[i] * duals[i] if variance[i] > 0.0 else 0.0)
            if not lacking[i]:
                worst = max(worst, abs(gap[i]))
                met = met and abs(gap[i]) <= allowed[i]
        if met or steps >= most:
            break
        if exact and steps % _PATIENCE == 0:
            if worst > _ENOUGH * mark and not (shortened and steps <= _FAR):
                break
            mark, shortened = worst, False
        _factorise(start, cell, count, nest, live, variance, weights, hessian, front, factor, inverse, seen)
        direction[:] = np.where(lacking, 0.0, -gap)
        _solve(nest, factor, inverse, direction)
        slope, furthest = 0.0, 0.0
        for i in range(n):
            slope -= gap[i] * direction[i]
            furthest = max(furthest, abs(direction[i]))
        if not slope > 0.0:
            break
        if soft and furthest > _LONGEST:
            furthest = _growth(start, cell, count, log_start, nest, live, duals, direction)
        length = min(1.0, _LONGEST / furthest) if furthest > 0.0 else 1.0
        shortened = shortened or length < 1.0
        while True:
            for i in range(n):
                trial[i] = duals[i] + length * direction[i] if direction[i] != 0.0 else duals[i]
            found = _evaluate(start, cell, count, log_start, nest, live, targets, variance, trial, weights, margin, zone_duals)
            if found[0] <= value[0] - _ARMIJO * length * slope + _ROUNDING * (found[1] + value[1]):
                break
            length *= 0.25
            if length < _SHORTEST:
                break
        steps += 1
        if length < _SHORTEST:
            _evaluate(start, cell, count, log_start, nest, live, targets, variance, duals, weights, margin, zone_duals)
            break
        value = found
        duals[:] = trial
    return steps, met


@njit
def _evaluate(start, cell, count, log_start, nest, live, targets, variance, duals, weights, margin, mine):
    """Find weights and margins at some duals. Returns the dual function and the size of its terms, which rounding goes with."""
    n_profiles, n_duals = start.shape[0] - 1, nest.index.shape[1]
    people, gained, terms, spent = 0.0, 0.0, 0.0, 0.0
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
    for i in range(targets.shape[0]):
        if targets[i] > 0.0:
            gained += targets[i] * duals[i]
            terms += targets[i] * abs(duals[i])
        if variance[i] > 0.0:
            spent += 0.5 * variance[i] * duals[i] * duals[i]
    return people - gained + spent, people + terms + spent


@njit
def _growth(start, cell, count, log_start, nest, live, duals, direction):
    """Find how much the logarithm of a weight grows at most along a direction; of one as good as nought, beyond that."""
    furthest, n_duals = 0.0, nest.index.shape[1]
    here, there = np.empty(n_duals), np.empty(n_duals)
    for z in range(nest.n_zones):
        if live[z]:
            for d in range(n_duals):
                i = nest.index[z, d]
                here[d], there[d] = (duals[i], direction[i]) if i >= 0 else (0.0, 0.0)
            base = log_start[z if log_start.shape[0] > 1 else 0]
            for p in range(start.shape[0] - 1):
                power, more = base[p], 0.0
                for e in range(start[p], start[p + 1]):
                    power += count[e] * here[cell[e]]
                    more += count[e] * there[cell[e]]
                if more > 0.0 and power > -math.inf:
                    furthest = max(furthest, more * _LONGEST / max(_LONGEST, _LITTLE - power))
    return furthest


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
