"""Profiles as a sparse matrix between two halves of the constraints: the arrangement in which fitting is cheap.

The multiplier of a profile is a product of one factor per constraint. Cut the list of constraints in two: the product over
the first half depends only on the *row*, the combination of cells on those constraints, and the product over the second half
only on the *column*. With the start weights as a sparse matrix S (rows x columns), weights are diag(f) S diag(g), and all that
fitting needs are S g and S' f: one multiplication a profile instead of one a profile and constraint, and no scattered writes.
Sums over cells then cost only as much as there are rows and columns (16,255 profiles of eight tables: 604 and 462).

Arrays called *lanes* hold several zones side by side in their last axis, so that one index serves all of them and the inner
loops are vector operations. No arithmetic crosses lanes: a zone's bits do not depend on its neighbours.
"""

from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels._jit import njit

__all__ = ["FitLayout", "FitWork", "add_margins", "fit_layout", "fit_work", "multiply", "take_factors"]


class FitLayout(NamedTuple):
    """The zone-independent part of a fit. Cells are numbered across constraints; n_cells stands for "outside the universe".

    constraint_start : (n_constraints + 1,) int32. Constraint k has the cells constraint_start[k] to constraint_start[k + 1] - 1.
    row_cells : (n_rows, constraints in the first half) uint32; column_cells : (n_columns, constraints in the second) uint32.
    row_ptr, row_index, row_value : S by rows: (n_rows + 1,) int32, (n_entries,) uint32 columns, (n_entries,) float64 persons.
    column_ptr, column_index, column_value : S by columns, in the same form.
    """

    constraint_start: np.ndarray
    row_cells: np.ndarray
    column_cells: np.ndarray
    row_ptr: np.ndarray
    row_index: np.ndarray
    row_value: np.ndarray
    column_ptr: np.ndarray
    column_index: np.ndarray
    column_value: np.ndarray


class FitWork(NamedTuple):
    """Work space of one thread, lanes in the last axis of every array.

    u : (n_cells + 1, lanes) float64. Multiplier of each cell, exp(dual); the last row, "outside", is 1.
    margin, factor : (n_cells + 1, lanes) float64. Fitted persons in each cell; what to multiply it by. Last row: anything.
    row_factor, row_passed, row_weight : (n_rows, lanes) float64. Product of the row's multipliers f; S g; persons in the row.
    column_factor, column_passed, column_weight : (n_columns, lanes) float64. The same of columns: g; S' f; persons.
    """

    u: np.ndarray
    margin: np.ndarray
    factor: np.ndarray
    row_factor: np.ndarray
    row_passed: np.ndarray
    row_weight: np.ndarray
    column_factor: np.ndarray
    column_passed: np.ndarray
    column_weight: np.ndarray


def fit_layout(start, cell_of, constraint_start) -> FitLayout:
    """Arrange a problem for fitting; once per problem, whatever the number of zones.

    start : (n_profiles,) float64, persons. Start weights >= 0; profiles of weight 0 take no part.
    cell_of : (n_constraints, n_profiles) int32. Cell of each profile, numbered across constraints; -1 outside the universe.
    constraint_start : (n_constraints + 1,) integers. First cell of each constraint, and the number of cells.

    The cut is made where rows and columns, times their constraints, are fewest; the order of constraints stays as it is.
    12 ms for 16,255 profiles.
    """
    start = np.asarray(start, np.float64)
    n_cells = int(constraint_start[-1])
    used = np.flatnonzero(start > 0)
    cells = np.asarray(cell_of, np.int64)[:, used]
    cells = np.where(cells < 0, n_cells, cells)
    n_constraints = cells.shape[0]
    heads = _combinations(cells, n_cells)
    tails = [*_combinations(cells[::-1], n_cells)[::-1], np.zeros(used.size, np.int64)]

    def size(cut):
        return cut * _span(heads[cut - 1]) + (n_constraints - cut) * _span(tails[cut])

    cut = min(range(1, n_constraints + 1), key=size)
    row, column = heads[cut - 1], tails[cut]
    n_rows, n_columns = _span(row), _span(column)
    entries, entry = np.unique(row * n_columns + column, return_inverse=True)  # zero-weight twins are out, other twins are summed
    value = np.bincount(entry.reshape(-1), weights=start[used], minlength=entries.size)
    row_of, column_of = np.divmod(entries, max(n_columns, 1))
    by_column = np.argsort(column_of, kind="stable")
    row_cells = np.empty((n_rows, cut), np.uint32)
    row_cells[row] = cells[:cut].T
    column_cells = np.empty((n_columns, n_constraints - cut), np.uint32)
    column_cells[column] = cells[cut:].T
    return FitLayout(
        constraint_start=np.array(constraint_start, np.int32),
        row_cells=row_cells,
        column_cells=column_cells,
        row_ptr=np.searchsorted(row_of, np.arange(n_rows + 1)).astype(np.int32),
        row_index=column_of.astype(np.uint32),
        row_value=value,
        column_ptr=np.searchsorted(column_of[by_column], np.arange(n_columns + 1)).astype(np.int32),
        column_index=row_of[by_column].astype(np.uint32),
        column_value=value[by_column],
    )


def _combinations(cells, n_cells):
    """Give numbers to the combinations of the first 1, 2, ... rows of cells that occur, in lexicographic order."""
    code, out = np.zeros(cells.shape[1], np.int64), []
    for row in cells:
        code = np.unique(code * (n_cells + 1) + row, return_inverse=True)[1].reshape(-1)
        out.append(code)
    return out


def _span(code):
    """Count codes numbered from 0 without gaps."""
    return int(code.max(initial=-1)) + 1


@njit
def fit_work(layout, lanes):
    """Allocate the work space for a number of lanes. See `FitWork`."""
    n_cells, n_rows, n_columns = layout.constraint_start[-1], layout.row_cells.shape[0], layout.column_cells.shape[0]
    return FitWork(
        np.ones((n_cells + 1, lanes)),
        np.zeros((n_cells + 1, lanes)),
        np.ones((n_cells + 1, lanes)),
        np.ones((n_rows, lanes)),
        np.zeros((n_rows, lanes)),
        np.zeros((n_rows, lanes)),
        np.ones((n_columns, lanes)),
        np.zeros((n_columns, lanes)),
        np.zeros((n_columns, lanes)),
    )


@njit
def multiply(ptr, index, value, factor, out):
    """Do out = S factor, S by rows in ptr, index, value. factor: (n_columns, lanes); out: (n_rows, lanes), written."""
    lanes = factor.shape[1]
    for i in range(ptr.shape[0] - 1):
        total = out[i]
        for l in range(lanes):
            total[l] = 0.0
        for e in range(ptr[i], ptr[i + 1]):
            s, f = value[e], factor[index[e]]
            for l in range(lanes):
                total[l] += s * f[l]


@njit
def take_factors(cells, u, out):
    """Multiply together the multipliers of each combination.

    cells : (n, k) uint32; u : (n_cells + 1, lanes) float64, last row 1; out : (n, lanes) float64, written.
    """
    lanes = u.shape[1]
    for i in range(cells.shape[0]):
        f = out[i]
        for l in range(lanes):
            f[l] = 1.0
        for k in range(cells.shape[1]):
            g = u[cells[i, k]]
            for l in range(lanes):
                f[l] *= g[l]


@njit
def add_margins(cells, factor, passed, margin):
    """Add the persons of each combination, factor * passed, to its cells. margin: (n_cells + 1, lanes), added to."""
    lanes = factor.shape[1]
    for i in range(cells.shape[0]):
        f, x = factor[i], passed[i]
        for k in range(cells.shape[1]):
            m = margin[cells[i, k]]
            for l in range(lanes):
                m[l] += f[l] * x[l]
