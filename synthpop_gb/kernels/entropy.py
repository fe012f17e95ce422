"""Newton's method on the dual of minimum relative entropy, several zones side by side.

Weights w = start * exp(sum of the duals of a profile's cells) meet the targets t where the convex dual function
D(lambda) = sum w(lambda) - t' lambda is least (Deville & Sarndal 1992, JASA 87, case 2). Iterative proportional fitting leads to
the same weights (Csiszar 1975, Ann. Prob. 3, theorem 3.2). The gradient of D is fitted margins minus targets, its Hessian the
two-way margins of the cells. Constraints of one universe repeat their total, so the Hessian is singular: directions that it does
not see are left alone.
"""

import math
from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.fit_layout import add_margins, multiply, take_factors

__all__ = ["dual_newton", "evaluate", "factorise", "fill_hessian", "solve"]

_UNSEEN = 1e-10  # a pivot below this share of its diagonal is rounding, not information
_LONGEST = 2.0  # no dual moves by more in one step: exp(2) = 7.4-fold
_SAME_HESSIAN = 3  # the first steps share the Hessian of the first, which costs ten times an evaluation; by then most zones fit
_ARMIJO = 1e-4  # share of the fall promised by the slope that a step must bring
_ROUNDING = 1e-14  # of the dual's two terms: a change below is no change
_PATIENCE, _ENOUGH = 16, 0.5  # every 16 steps the misfit must have shrunk to half, else the zone goes back to plain cycles
_SHARE = 0.01  # so does one of whose misfit less than this share can be removed: the rest contradicts itself


@njit
def evaluate(layout, work):
    """Find all margins from the multipliers work.u. Writes margin, *_factor and *_passed of work."""
    take_factors(layout.row_cells, work.u, work.row_factor)
    take_factors(layout.column_cells, work.u, work.column_factor)
    multiply(layout.row_ptr, layout.row_index, layout.row_value, work.column_factor, work.row_passed)
    multiply(layout.column_ptr, layout.column_index, layout.column_value, work.row_factor, work.column_passed)
    work.margin[:] = 0.0
    add_margins(layout.row_cells, work.row_factor, work.row_passed, work.margin)
    add_margins(layout.column_cells, work.column_factor, work.column_passed, work.margin)


@njit
def fill_hessian(layout, work, hessian, scratch):
    """Find the two-way margins at the weights that `evaluate` left in work.

    hessian : (n_cells + 1, n_cells + 1, lanes) float64, persons in both cells. Lower triangle written.
    scratch : (n_cells + 1, lanes) float64.
    """
    lanes, n_cells = scratch.shape[1], work.margin.shape[0] - 1
    hessian[:] = 0.0
    _add_pairs(layout.row_cells, work.row_factor, work.row_passed, hessian)
    _add_pairs(layout.column_cells, work.column_factor, work.column_passed, hessian)
    later = layout.constraint_start[layout.row_cells.shape[1]]  # first cell of the second half
    for i in range(layout.row_cells.shape[0]):
        for b in range(later, n_cells + 1):  # S g of this row, told apart by the cells of the second half
            for l in range(lanes):
                scratch[b, l] = 0.0
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
        for l in range(lanes):
            hessian[c, c, l] = work.margin[c, l]


@njit
def _add_pairs(cells, factor, passed, hessian):
    """Add two-way margins between constraints of one half; a later constraint's cells have the larger numbers."""
    lanes = factor.shape[1]
    for i in range(cells.shape[0]):
        f, x = factor[i], passed[i]
        for k in range(1, cells.shape[1]):
            for j in range(k):
                h = hessian[cells[i, k], cells[i, j]]
                for l in range(lanes):
                    h[l] += f[l] * x[l]


@njit
def factorise(hessian, least, inverse, n):
    """Find the Cholesky factor of the leading n x n matrix of each lane; it may be semi-definite.

    hessian : (>= n, >= n, lanes) float64. Lower triangle overwritten by the factor.
    least : (>= n, lanes) float64. What is known to stand on the diagonal beside a semi-definite matrix, variances: no pivot can be
        less, and where one drowns in rounding this is what it is.
    inverse : (>= n, lanes) float64. Written: 1 / diagonal of the factor, and 0 for a row that depends on those before it.
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
            y = x[l] if x[l] > r[l] else least[i, l]
            r[l] = 1.0 / math.sqrt(y) if y > 0.0 else 0.0


@njit
def solve(hessian, inverse, x, n):
    """Solve with the factor from `factorise`. x: (>= n, lanes) float64, right-hand side in, solution out."""
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
def dual_newton(layout, work, targets, allowed, most, steps, met):
    """Take Newton steps from the multipliers in work.u until every zone is within what is allowed or makes no headway.

    targets, allowed : (n_cells, lanes) float64, persons. Target of each cell and how far off it may be. Cells of the layout
        beyond these are of tilts, whose multipliers in work.u stay.
    most : limit of steps. steps : (lanes,) int32, written: steps taken.
    met : (lanes,) bool, written: every cell is within what is allowed. work is left as by `evaluate` at the last duals accepted.

    Damped by backtracking on the dual (Armijo 1966, Pacific J. Math. 16), which falls along directions from an earlier Hessian
    too: a zone that can be fitted is fitted from anywhere, quadratically in the end, by a factor e a step where weights vanish.
    """
    n_cells, lanes = targets.shape
    n_all = work.margin.shape[0]  # cells of tilts, and outside, included: they stand after those with targets
    hessian, scratch = np.zeros((n_all, n_all, lanes)), np.zeros((n_all, lanes))
    inverse, newest, none = np.zeros((n_cells, lanes)), np.zeros((n_cells, lanes)), np.zeros((n_cells, lanes))
    search = _new_search(n_cells, lanes)
    persons, step = np.zeros(lanes), 0
    met[:] = False
    for l in range(lanes):
        for c in range(n_cells):
            search.base[c, l] = math.log(work.u[c, l]) if work.u[c, l] > 0.0 else 0.0
    while True:
        evaluate(layout, work)
        _sum_persons(work.row_factor, work.row_passed, persons)
        for l in range(lanes):
            if search.busy[l]:
                steps[l] = step
                met[l] = _weigh(search, work.margin, persons[l], targets, allowed, l)
                search.busy[l] = not (met[l] or step == most or (step % _PATIENCE == 0 and _is_slow(search, l)))
        if not search.busy.any():
            break
        step += 1
        if step == 1 or step > _SAME_HESSIAN:
            fill_hessian(layout, work, hessian, scratch)
            factorise(hessian, none, inverse, n_cells)
        for c in range(n_cells):
            for l in range(lanes):
                scratch[c, l] = newest[c, l] = targets[c, l] - work.margin[c, l]
        solve(hessian, inverse, newest, n_cells)
        for l in range(lanes):
            if search.busy[l]:
                _aim(search, scratch, newest, work.margin, layout.constraint_start.shape[0] - 1, work.u, l)
    if not met.all():
        for l in range(lanes):
            if not met[l]:
                search.length[l] = 0.0
                _try(search, work.u, l)
        evaluate(layout, work)


class _Search(NamedTuple):
    """Where the line search of each lane stands: (n_cells, lanes) or (lanes,)."""

    base: np.ndarray  # duals accepted
    direction: np.ndarray
    length: np.ndarray  # of the step on trial: duals are base + length * direction
    slope: np.ndarray  # how fast the dual falls along the direction
    dual: np.ndarray  # at base
    misfit: np.ndarray  # at base: sum of (fitted - target)^2 / target
    mark: np.ndarray  # misfit at the last look
    turning: np.ndarray  # the trial was accepted: take a new direction
    busy: np.ndarray


@njit
def _new_search(n_cells, lanes):
    nought, never = np.zeros((3, lanes)), np.full((2, lanes), math.inf)
    yes = np.ones((2, lanes), np.bool_)
    cells = np.zeros((2, n_cells, lanes))
    return _Search(cells[0], cells[1], nought[0], nought[1], never[0], nought[2], never[1], yes[0], yes[1])


@njit
def _sum_persons(factor, passed, out):
    """Add up all weights of each lane. out: (lanes,) float64, written."""
    out[:] = 0.0
    for i in range(factor.shape[0]):
        f, x = factor[i], passed[i]
        for l in range(out.shape[0]):
            out[l] += f[l] * x[l]


@njit
def _weigh(search, margin, persons, targets, allowed, l):
    """Accept the trial of one lane if the dual has fallen enough; says whether the lane fits."""
    length, gained, misfit, fits = search.length[l], 0.0, 0.0, True
    for c in range(targets.shape[0]):
        gained += targets[c, l] * (search.base[c, l] + length * search.direction[c, l])
        gap = margin[c, l] - targets[c, l]
        fits = fits and abs(gap) <= allowed[c, l]
        if targets[c, l] > 0.0:
            misfit += gap * gap / targets[c, l]
    dual, slack = persons - gained, _ROUNDING * (persons + abs(gained))
    search.turning[l] = dual <= search.dual[l] - _ARMIJO * length * search.slope[l] + slack
    if search.turning[l]:
        search.dual[l], search.misfit[l] = dual, misfit
        for c in range(targets.shape[0]):
            search.base[c, l] += length * search.direction[c, l]
    return search.turning[l] and fits


@njit
def _is_slow(search, l):
    """Say whether the misfit of one lane has shrunk too little since the last look."""
    slow = not search.misfit[l] < _ENOUGH * search.mark[l]
    search.mark[l] = search.misfit[l]
    return slow


@njit
def _aim(search, gap, newest, margin, n_constraints, u, l):
    """Point one lane in its newest direction, or shorten a step that was not accepted, and set the multipliers to try.

    gap : (n_cells, lanes) float64, target - fitted, persons; newest : Hessian^-1 gap.

    The Hessian is at most n_constraints * diag(margin), so gap' newest is at least 1 / n_constraints of a misfit that weights can
    remove. Where it is far less, what is left lies in directions that no weight moves, and the lane is no longer busy.
    """
    n_cells = newest.shape[0]
    if search.turning[l]:
        furthest, slope, misfit = 0.0, 0.0, 0.0
        for c in range(n_cells):
            search.direction[c, l] = newest[c, l]
            slope += gap[c, l] * newest[c, l]
            furthest = max(furthest, abs(newest[c, l]))
            if margin[c, l] > 0.0:
                misfit += gap[c, l] * gap[c, l] / margin[c, l]
        search.slope[l], search.length[l] = slope, min(1.0, _LONGEST / furthest)
        search.busy[l] = slope * n_constraints >= _SHARE * misfit
    else:
        search.length[l] *= 0.25
    _try(search, u, l)


@njit
def _try(search, u, l):
    """Set the multipliers of one lane to the duals on trial."""
    for c in range(search.base.shape[0]):
        if u[c, l] > 0.0:
            u[c, l] = math.exp(search.base[c, l] + search.length[l] * search.direction[c, l])
