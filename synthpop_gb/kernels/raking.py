"""One cycle of iterative proportional fitting, zones side by side: the weights scaled to each constraint in turn.

Deming & Stephan (1940, Ann. Math. Stat. 11, section 5), with sums over rows and columns of `fit_layout` in place of profiles: the
constraints of one half change the factor of each row only, so what a row passes on is found once for all of them. The multipliers
are those of the textbook cycle, constraint by constraint, to rounding.
"""

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.fit_layout import add_margins, multiply, take_factors

__all__ = ["LEAST", "cycle", "prepare"]

LEAST = 1e-250  # margins below are nobody: what is left of profiles that another cell has ruled out


@njit
def prepare(layout, work):
    """Bring about what `cycle` expects on entry."""
    take_factors(layout.column_cells, work.u, work.column_factor)
    multiply(layout.row_ptr, layout.row_index, layout.row_value, work.column_factor, work.row_passed)


@njit
def cycle(layout, work, targets, moving):
    """Take one cycle: every constraint in turn, first those of the rows, then those of the columns; then all margins.

    work.column_factor and work.row_passed must belong to work.u, and do so afterwards. targets : (n_cells, lanes), persons;
        constraints of the layout beyond these cells are tilts, and keep the multipliers they have.
    moving : (lanes,) bool; the others are left untouched, bit by bit.
    """
    bounds, cut = layout.constraint_start, layout.row_cells.shape[1]
    _rake(layout.row_cells, bounds, targets, moving, work, work.row_factor, work.row_passed, work.row_weight)
    multiply(layout.column_ptr, layout.column_index, layout.column_value, work.row_factor, work.column_passed)
    _rake(layout.column_cells, bounds[cut:], targets, moving, work, work.column_factor, work.column_passed, work.column_weight)
    multiply(layout.row_ptr, layout.row_index, layout.row_value, work.column_factor, work.row_passed)
    work.margin[:] = 0.0
    add_margins(layout.row_cells, work.row_factor, work.row_passed, work.margin)
    add_margins(layout.column_cells, work.column_factor, work.column_passed, work.margin)


@njit
def _rake(cells, bounds, targets, moving, work, own_factor, passed, weight):
    """Scale to the k constraints of one half in turn. cells : (n, k); bounds : (> k,), first cell of each and of the next."""
    lanes, n = targets.shape[1], cells.shape[0]
    margin, factor = work.margin, work.factor
    take_factors(cells, work.u, own_factor)
    for i in range(n):
        w, f, x = weight[i], own_factor[i], passed[i]
        for l in range(lanes):
            w[l] = f[l] * x[l]
    factor[-1] = 1.0
    for k in range(cells.shape[1]):
        low, high = bounds[k], bounds[k + 1]
        if low >= targets.shape[0]:
            break  # tilts, which come last: their multipliers are given
        margin[low:high] = 0.0
        for i in range(n):
            w, m = weight[i], margin[cells[i, k]]
            for l in range(lanes):
                m[l] += w[l]
        for c in range(low, high):
            u, f, m, t = work.u[c], factor[c], margin[c], targets[c]
            for l in range(lanes):
                f[l] = t[l] / m[l] if moving[l] and m[l] > LEAST else 1.0
                u[l] *= f[l]
        for i in range(n):
            w, f = weight[i], factor[cells[i, k]]
            for l in range(lanes):
                w[l] *= f[l]
    take_factors(cells, work.u, own_factor)
