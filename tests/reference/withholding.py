"""Slow twin of release/_withholding.py: which withheld cells totals determine, by linear algebra."""

import numpy as np


def protected(withheld, *, row_totals: bool = True, column_totals: bool = True) -> np.ndarray:
    """(n_rows, n_columns) bool: withheld cells that totals do not determine, by linear algebra, for small tables.

    A cell is determined where every change of the withheld cells that keeps the known totals leaves it as it is.
    """
    withheld = np.asarray(withheld, bool)
    cells = np.argwhere(withheld)
    lines = []
    if row_totals:
        lines += [(cells[:, 0] == i).astype(float) for i in range(withheld.shape[0])]
    if column_totals:
        lines += [(cells[:, 1] == j).astype(float) for j in range(withheld.shape[1])]
    out = np.zeros(withheld.shape, bool)
    if not len(cells):
        return out
    system = np.array(lines) if lines else np.zeros((1, len(cells)))
    _, size, basis = np.linalg.svd(system)
    rank = int((size > 1e-9).sum())
    free = np.abs(basis[rank:]).max(axis=0, initial=0.0) > 1e-9
    out[cells[:, 0], cells[:, 1]] = free
    return out
