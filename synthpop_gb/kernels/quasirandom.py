"""Quasirandom integer sampling: whole people drawn one after another from what the tables still want, margins met exactly.

QISI draws each person from the fit to the *remaining* targets: start weights' association, margins of the people still to be
drawn (Smith, Lovelace & Birkin 2017, JASSS 20(4) 14). A Sobol point has one coordinate a constraint; coordinate k chooses the
category of constraint k, given the categories chosen before it. Profiles are the leaves of a tree with one level a constraint,
so that all conditional probabilities of a draw are sums up the tree, and only profiles of the survey are ever drawn.

Fitting anew after every draw costs too much. Between two fits weights are scaled by r / r0 in each cell, people wanted now over
people wanted at the last fit: where constraints are independent that *is* the new fit. A cell with nobody left to draw has
factor 0. In the end few people are wanted in few cells, and the survey may hold no record for them: those who are left are
drawn where fewest of their cells are full, and exchanges (`repair`) bring every margin onto its target.
"""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.ipf import write_weights
from synthpop_gb.kernels.repair import repair_zone
from synthpop_gb.kernels.sobol import first_point, next_point, unit
from synthpop_gb.kernels.sparse_rows import add_row, empty_rows
from synthpop_gb.status import FitStatus

__all__ = ["qisi_block", "qisi_zone"]

_EMPTY = int(FitStatus.EMPTY)
_FULL = 1e-12  # of a cell that nobody is wanted in any more, against 1 for each person wanted, once nothing better is left
_NEAR = 0.01  # share of the people left who may be in the wrong cell of a table after a fit to what remains
_MISSED = 0.5  # persons by which a fit misses a target that it cannot meet, and not for want of precision
_RANGE = 280  # decimal digits that a product of factors may have, so that none overflows where tables cannot be met


@njit
def qisi_zone(weights, targets, layout, work, directions, state, refit, max_cycles, counts):
    """Draw the people of one zone; margins are met, short of the people who were left when nothing fitted any more.

    weights : (n_profiles,) float64, persons, finite and >= 0. The fit; profiles of weight 0 are never drawn.
    targets : (n_cells,) float64, persons; taken to the nearest whole number.
    layout, work : of `quasi_layout` (once a problem) and `quasi_work` (once a thread).
    directions : (n_bits, n_constraints) uint32, direction numbers of Sobol points; 2^n_bits points at most.
    state : (1,) uint64. The zone's stream of purpose QUASI; advanced.
    refit : share, above 0 and at most 1, of the people left who are drawn before weights are fitted anew; 1 never.
    max_cycles : limit of cycles of such a fit.
    counts : (n_profiles,) int32. Overwritten.
    Returns (stuck, n_fits): people who were left when no profile had all its cells open; fits made on the way.

    So many people are drawn as the tables that count everybody say (the median of those that disagree), or as the weights add
    up to where no table does.
    """
    counts[:] = 0
    n = _begin(weights, targets, layout, work)
    first_point(state, work.point)
    left, marked, stuck, n_fits = n, n, 0, 0
    for i in range(n):
        if i > 0:
            next_point(directions, i, work.point)
        if stuck == 0 and left <= (1.0 - refit) * marked:
            _fit_remaining(layout, work, left, max_cycles)
            marked, n_fits = left, n_fits + 1
        total = _sum_up(layout, work)
        if not total > 0.0 and stuck == 0:
            stuck = left
            _open_full(work)
            total = _sum_up(layout, work)
        if not total > 0.0:
            break  # nobody can be drawn at all: no weights
        p = _descend(layout, work, weights, total)
        leaf = work.alive[0]
        counts[p] += 1
        left -= 1
        for k in range(layout.leaf_cells.shape[1]):
            c = layout.leaf_cells[leaf, k]
            work.left[c] -= 1
            if stuck > 0:
                work.factor[c] = max(np.float64(work.left[c]), _FULL)
            elif work.left[c] > 0:
                work.factor[c] = work.scale[c] * work.left[c] / work.mark[c]
            else:
                work.factor[c] = 0.0
    return stuck, n_fits


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _begin(weights, targets, layout, work):
    """Set what is wanted and the leaves' weights; all factors are 1 where anybody is wanted. Returns how many are to be drawn."""
    start, left, n_constraints = layout.start, work.left, layout.leaf_cells.shape[1]
    total = 0.0
    for i in range(work.base.shape[0]):
        work.base[i] = 0.0
        for j in range(layout.leaf[i], layout.leaf[i + 1]):
            work.base[i] += weights[layout.order[j]]
        total += work.base[i]
    totals, n_all = np.zeros(n_constraints, np.int64), 0
    for k in range(n_constraints):
        people = np.int64(0)
        for c in range(start[k], start[k + 1]):
            left[c] = np.int64(np.rint(targets[c]))
            people += left[c]
        left[layout.n_cells + k] = people
        if not layout.partial[k]:
            totals[n_all] = people
            n_all += 1
    n = np.sort(totals[:n_all])[(n_all - 1) // 2] if n_all > 0 else np.int64(np.rint(total))
    for k in range(n_constraints):
        c = layout.n_cells + k
        left[c] = max(n - left[c], 0) if layout.partial[k] else 0
        _take_fit(layout, work, targets, k, n)
    for c in range(left.shape[0]):
        work.mark[c] = left[c]
        work.scale[c] = work.factor[c] = 1.0 if left[c] > 0 else 0.0
    return n


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _take_fit(layout, work, targets, k, people):
    """Where the weights cannot meet a table, aim at the margins that they have, by largest remainder; the rest is repair's."""
    left, margin, outside = work.left, work.margin, layout.n_cells + k
    first, n = layout.start[k], layout.start[k + 1] - layout.start[k] + 1
    for j in range(n):
        margin[first + j if j < n - 1 else outside] = 0.0
    total, off = 0.0, False
    for i in range(work.base.shape[0]):
        margin[layout.leaf_cells[i, k]] += work.base[i]
        total += work.base[i]
    for c in range(first, first + n - 1):
        off = off or abs(margin[c] - targets[c]) > _MISSED
    if not off or not total > 0.0:
        return
    missing = people
    for j in range(n):
        c = first + j if j < n - 1 else outside
        margin[c] *= people / total
        left[c] = np.int64(np.floor(margin[c]))
        margin[c] -= left[c]
        missing -= left[c]
    for _ in range(missing):
        best = outside
        for c in range(first, first + n - 1):
            if margin[c] > margin[best]:
                best = c
        left[best] += 1
        margin[best] -= 1.0


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _open_full(work):
    """Let full cells be drawn from, as a last resort: a profile with one full cell comes before all that have two."""
    for c in range(work.left.shape[0]):
        work.factor[c] = max(np.float64(work.left[c]), _FULL)


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _sum_up(layout, work):
    """Find the weight below each node. Returns their total."""
    value, cell, child, factor, level = work.value, layout.cell, layout.child, work.factor, layout.level
    first = level[level.shape[0] - 2]
    for i in range(work.base.shape[0]):
        value[first + i] = factor[cell[first + i]] * work.base[i]
    for i in range(first - 1, -1, -1):
        below = 0.0
        for j in range(child[i], child[i + 1]):
            below += value[j]
        value[i] = factor[cell[i]] * below
    total = 0.0
    for i in range(level[1]):
        total += value[i]
    return total


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _descend(layout, work, weights, total):
    """Go from constraint to constraint down to a profile, by one coordinate of the point each. Writes the leaf to alive[0]."""
    value, child, n_constraints = work.value, layout.child, layout.leaf_cells.shape[1]
    node, below, part = 0, total, 0.0
    for k in range(n_constraints):
        first = np.int64(0) if k == 0 else np.int64(child[node])
        last = np.int64(layout.level[1]) if k == 0 else np.int64(child[node + 1])
        part = unit(work.point[k]) * below
        chosen = -1
        for i in range(first, last):
            if value[i] > 0.0:
                chosen = i
                if part < value[i]:
                    break
                part -= value[i]
        node = chosen
        below = value[node] / work.factor[layout.cell[node]]
    leaf = node - layout.level[n_constraints - 1]
    work.alive[0] = leaf
    share = part / value[node] * work.base[leaf]  # what the last coordinate leaves over tells profiles that repeat apart
    p = -1
    for j in range(layout.leaf[leaf], layout.leaf[leaf + 1]):
        if weights[layout.order[j]] > 0.0:
            p = np.int64(layout.order[j])
            if share < weights[p]:
                break
            share -= weights[p]
    return p


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _fit_remaining(layout, work, people, max_cycles):
    """Fit the weights to what is left to draw, from the factors of the moment on; writes scale, mark and factor.

    Cells that no weight can fill keep their factor. Factors stay in a range whose products are finite.
    """
    leaf_cells, left, factor, margin, weight, alive = (
        layout.leaf_cells, work.left, work.factor, work.margin, work.weight, work.alive,
    )  # fmt: skip
    n_leaves, n_constraints = leaf_cells.shape
    most = 10.0 ** (_RANGE / n_constraints)
    n = 0
    for i in range(n_leaves):
        w = work.base[i]
        for k in range(n_constraints):
            w *= factor[leaf_cells[i, k]]
        if w > 0.0:
            alive[n] = i
            weight[n] = w
            n += 1
    for _ in range(max_cycles):
        wrong = 0.0
        for k in range(n_constraints):
            outside, before = layout.n_cells + k, layout.start[k]
            for c in range(before, layout.start[k + 1]):
                margin[c] = 0.0
            margin[outside] = 0.0
            for i in range(n):
                margin[leaf_cells[alive[i], k]] += weight[i]
            for j in range(layout.start[k + 1] - before + 1):
                c = before + j if before + j < layout.start[k + 1] else outside
                if left[c] > 0 and margin[c] > 0.0:
                    wrong = max(wrong, abs(margin[c] - left[c]))
                    scaled = min(max(factor[c] * left[c] / margin[c], 1.0 / most), most)
                    margin[c] = scaled / factor[c]
                    factor[c] = scaled
                else:
                    margin[c] = 1.0
            for i in range(n):
                weight[i] *= margin[leaf_cells[alive[i], k]]
        if wrong <= _NEAR * people:
            break
    for c in range(left.shape[0]):
        work.scale[c], work.mark[c] = factor[c], max(left[c], 1)


@njit
def qisi_block(
    start, cell_of, duals, status, targets, layout, work, whole, repair, directions, states, refit, max_cycles, max_moves, told
):
    """Draw the whole people of a block of zones from their duals, and bring them onto the targets.

    start, cell_of, duals, status, targets : as in `block.whole_block`. whole, repair : of `whole_layout` and `whole_work`.
    layout ... max_cycles : as in `qisi_zone`; states : (n_zones,) uint64, advanced; max_moves : as in `repair_zone`.
    told : (n_zones, 4) float64. Written: people still missed (sum over cells), people left when stuck, fits, moves of the repair.
    Returns indptr (n_zones + 1,) int64, profile (nnz,) int32 ascending within a zone, count (nnz,) int32 > 0, as CSR.
    """
    n_zones, n_profiles = status.shape[0], start.shape[0]
    weights, counts = np.empty((1, n_profiles)), np.zeros(n_profiles, np.int32)
    indptr = np.zeros(n_zones + 1, np.int64)
    profile, count = empty_rows(n_zones, n_profiles)
    n = 0
    for z in range(n_zones):
        told[z] = 0.0
        if status[z] != _EMPTY:
            write_weights(start, cell_of, duals[z : z + 1], weights)
            state = states[z : z + 1]
            told[z, 1], told[z, 2] = qisi_zone(weights[0], targets[z], layout, work, directions, state, refit, max_cycles, counts)
            told[z, 0], told[z, 3] = repair_zone(weights[0], targets[z], whole, repair, state, counts, max_moves)
            profile, count, n = add_row(counts, profile, count, n)
        indptr[z + 1] = n
    return indptr, profile[:n].copy(), count[:n].copy()
