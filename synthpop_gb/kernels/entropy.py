"""Newton's method on the dual of minimum relative entropy, several zones side by side.

Weights w = start * exp(sum of the duals of a profile's cells) that meet the targets t are where the convex dual
D(lambda) = sum w(lambda) - t' lambda is least (Deville & Sarndal 1992, case 2; the optimum is that of iterative proportional fitting:
Csiszar 1975, theorem 3.2). Its gradient is fitted margins minus targets, its Hessian the two-way margins of the cells.
Constraints of one universe repeat their total, so the Hessian is singular: directions it does not see are left alone.
"""

import math

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.fit_layout import add_margins, multiply, take_factors

__all__ = ["dual_newton", "evaluate", "factorise", "fill_hessian", "solve"]

_UNSEEN = 1e-10  # a pivot below this share of its diagonal is rounding, not information
_LONGEST = 2.0  # no dual moves by more in one step: exp(2) = 7.4-fold
_SAME_HESSIAN = 3  # the first steps share the Hessian of the first, which costs ten times an evaluation; by then most zones fit
_PATIENCE = 4  # steps within which the squared misfit must shrink by _ENOUGH, else the zone goes back to plain cycles
_ENOUGH = 0.2


@njit
def evaluate(layout, work):
    """Weights of rows and columns and all margins from the multipliers work.u. Writes every other array of work but `factor`."""
    take_factors(layout.row_cells, work.u, work.row_factor)
    take_factors(layout.column_cells, work.u, work.column_factor)
    multiply(layout.row_ptr, layout.row_index, layout.row_value, work.column_factor, work.row_passed)
    multiply(layout.column_ptr, layout.column_index, layout.column_value, work.row_factor, work.column_passed)
    work.margin[:] = 0.0
    add_margins(layout.row_cells, work.row_factor, work.row_passed, work.margin)
    add_margins(layout.column_cells, work.column_factor, work.column_passed, work.margin)


@njit
def fill_hessian(layout, work, hessian, scratch):
    """Two-way margins at the weights that `evaluate` left in work.

    hessian : (n_cells + 1, n_cells + 1, lanes) float64, persons in both cells. Lower triangle written.
    scratch : (n_cells + 1, lanes) float64.
    """
    lanes, n_cells = scratch.shape[1], work.margin.shape[0] - 1
    hessian[:] = 0.0
    _add_pairs(layout.row_cells, work.row_factor, work.row_passed, hessian)
    _add_pairs(layout.column_cells, work.column_factor, work.column_passed, hessian)
    later = layout.constraint_start[layout.row_cells.shape[1]]  # first cell of the second half
    for i in range(layout.row_cells.shape[0]):
        scratch[later:] = 0.0  # S g of this row, told apart by the cells of the second half
        for e in range(layout.row_ptr[i], layout.row_ptr[i + 1]):
            column, s = layout.row_index[e], layout.row_value[e]
            g = work.column_factor[column]
            for k in range(layout.column_cells.shape[1]):
                into = scratch[layout.column_cells[column, k]]
                for l in range(lanes):
                    into[l] += s * g[l]
        f = work.row_factor[i]
        for k in range(layout.row_cells.shape[1]):
            c = layout.row_cells[i, k]
            for b in range(later, n_cells):
                h, x = hessian[b, c], scratch[b]
                for l in range(lanes):
                    h[l] += f[l] * x[l]
    for c in range(n_cells):
        hessian[c, c] = work.margin[c]


@njit
def _add_pairs(cells, factor, passed, hessian):
    """Two-way margins between constraints of one half; a later constraint's cells have the larger numbers."""
    lanes = factor.shape[1]
    for i in range(cells.shape[0]):
        f, x = factor[i], passed[i]
        for k in range(1, cells.shape[1]):
            for j in range(k):
                h = hessian[cells[i, k], cells[i, j]]
                for l in range(lanes):
                    h[l] += f[l] * x[l]


@njit
def factorise(hessian, inverse, n):
    """Cholesky factor of the leading n x n matrix of each lane, in place (lower triangle); semi-definite matrices welcome.

    hessian : (>= n, >= n, lanes) float64. inverse : (>= n, lanes) float64, written: 1 / diagonal, and 0 for a row that depends on those before it.
    """
    lanes = hessian.shape[2]
    for i in range(n):
        for j in range(i):
            x, r = hessian[i, j], inverse[j]
            for k in range(j):
                a, b = hessian[i, k], hessian[j, k]
                for l in range(lanes):
                    x[l] -= a[l] * b[l]
            for l in range(lanes):
                x[l] *= r[l]
        x, r = hessian[i, i], inverse[i]
        for l in range(lanes):
            r[l] = _UNSEEN * x[l]
        for k in range(i):
            a = hessian[i, k]
            for l in range(lanes):
                x[l] -= a[l] * a[l]
        for l in range(lanes):
            r[l] = 1.0 / math.sqrt(x[l]) if x[l] > r[l] else 0.0


@njit
def solve(hessian, inverse, x, n):
    """Solve with the factor from `factorise`; x: (>= n, lanes) float64, right-hand side in, solution out (0 where inverse is 0)."""
    lanes = x.shape[1]
    for i in range(n):
        y, r = x[i], inverse[i]
        for k in range(i):
            a, b = hessian[i, k], x[k]
            for l in range(lanes):
                y[l] -= a[l] * b[l]
        for l in range(lanes):
            y[l] *= r[l]
    for i in range(n - 1, -1, -1):
        y, r = x[i], inverse[i]
        for k in range(i + 1, n):
            a, b = hessian[k, i], x[k]
            for l in range(lanes):
                y[l] -= a[l] * b[l]
        for l in range(lanes):
            y[l] *= r[l]


@njit
def _misfit(margin, targets, l):
    """Sum of (fitted - target)^2 / target over the cells that somebody fills; one lane."""
    total = 0.0
    for c in range(targets.shape[0]):
        if targets[c, l] > 0.0 and margin[c, l] > 0.0:
            gap = margin[c, l] - targets[c, l]
            total += gap * gap / targets[c, l]
    return total


@njit
def _meets(margin, targets, allowed, l):
    """Say whether every cell of one lane is within what is allowed."""
    for c in range(targets.shape[0]):
        if not abs(margin[c, l] - targets[c, l]) <= allowed[c, l]:
            return False
    return True


@njit
def dual_newton(layout, work, targets, allowed, most, steps, met):
    """Newton steps from the multipliers in work.u until every zone is within what is allowed or makes no headway.

    targets, allowed : (n_cells, lanes) float64, persons. Target of each cell and how far off it may be.
    most : limit of steps. steps : (lanes,) int32, written: steps taken. met : (lanes,) bool, written: every cell within what is allowed;
    False means that work.u of that lane is of no use and the caller goes on from where it was.

    Every step is halved twice until the misfit sum (fitted - target)^2 / target falls: a Newton direction lowers it for short steps.
    """
    n_cells, lanes = targets.shape
    hessian, scratch = np.zeros((n_cells + 1, n_cells + 1, lanes)), np.zeros((n_cells + 1, lanes))
    inverse, newest = np.zeros((n_cells, lanes)), np.zeros((n_cells, lanes))
    base, direction = np.zeros((n_cells, lanes)), np.zeros((n_cells, lanes))
    length, misfit, mark = np.zeros(lanes), np.zeros(lanes), np.zeros(lanes)
    busy, fresh = np.ones(lanes, np.bool_), np.ones(lanes, np.bool_)
    evaluate(layout, work)
    for l in range(lanes):
        steps[l], misfit[l] = 0, _misfit(work.margin, targets, l)
        met[l], mark[l] = _meets(work.margin, targets, allowed, l), misfit[l]
        busy[l] = not met[l]
        for c in range(n_cells):
            base[c, l] = math.log(work.u[c, l]) if work.u[c, l] > 0.0 else 0.0
    step = 0
    while step < most and busy.any():
        step += 1
        if step == 1 or step > _SAME_HESSIAN:
            fill_hessian(layout, work, hessian, scratch)
            factorise(hessian, inverse, n_cells)
        newest[:] = targets - work.margin[:n_cells]
        solve(hessian, inverse, newest, n_cells)
        for l in range(lanes):
            if busy[l]:
                if fresh[l]:
                    length[l] = _turn(newest, direction, l)
                for c in range(n_cells):
                    if work.u[c, l] > 0.0:
                        work.u[c, l] = math.exp(base[c, l] + length[l] * direction[c, l])
        evaluate(layout, work)
        for l in range(lanes):
            if not busy[l]:
                continue
            steps[l] = step
            reached = _misfit(work.margin, targets, l)
            fresh[l] = reached < misfit[l]
            if fresh[l]:
                misfit[l] = reached
                for c in range(n_cells):
                    base[c, l] += length[l] * direction[c, l]
                met[l] = _meets(work.margin, targets, allowed, l)
            else:
                length[l] *= 0.25
            slow = False
            if step % _PATIENCE == 0:
                slow = not misfit[l] < _ENOUGH * mark[l]
                mark[l] = misfit[l]
            busy[l] = not (met[l] or slow)


@njit
def _turn(newest, direction, l):
    """Take over a new direction for one lane; returns the length of the step, at most 1."""
    furthest = 0.0
    for c in range(direction.shape[0]):
        direction[c, l] = newest[c, l]
        furthest = max(furthest, abs(newest[c, l]))
    return 1.0 if furthest <= _LONGEST else _LONGEST / furthest
