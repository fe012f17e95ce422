"""Counting by plain loops over people. Slow, checkable."""

import numpy as np


def tally_cells(indptr, profile, count, cell_of, n_cells):
    """People in each cell of each zone."""
    out = np.zeros((len(indptr) - 1, n_cells), np.asarray(count).dtype)
    for z in range(len(indptr) - 1):
        for i in range(indptr[z], indptr[z + 1]):
            for row in cell_of:
                if row[profile[i]] >= 0:
                    out[z, row[profile[i]]] += count[i]
    return out


def tally_pairs(indptr, record, count, codes, first, second, sizes, zones, into, n_out):
    """Two-way tables of variables first[q] x second[q], flattened and side by side; zone zones[i] is added to row into[i]."""
    out = []
    for a, b in zip(first, second, strict=True):
        table = np.zeros((n_out, sizes[a], sizes[b]), np.asarray(count).dtype)
        for z, row in zip(zones, into, strict=True):
            for i in range(indptr[z], indptr[z + 1]):
                x, y = codes[record[i], a], codes[record[i], b]
                if x >= 0 and y >= 0:
                    table[row, x, y] += count[i]
        out.append(table.reshape(n_out, -1))
    return np.concatenate(out, axis=1)
