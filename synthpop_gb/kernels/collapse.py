"""Records alike on every constraint become one profile: distinct columns found by sorting packed integers."""

import numpy as np

__all__ = ["collapse"]


def collapse(cells, sizes):
    """Find the distinct columns of a table of cells.

    cells : (n_constraints, n_records) integers, -1 to sizes[c] - 1. Cell of each record in each constraint; -1 = outside.
    sizes : (n_constraints,) integers >= 1. How many cells each constraint has.
    Returns (first, inverse): first (n_profiles,) int64, position of the first record of each profile, and
    inverse (n_records,) int64, profile of each record. Profiles are in the order of their cells, the first constraint
    weighing most: the order does not depend on the order of the records.

    One mixed-radix integer a record is sorted instead of rows; where it would outgrow 63 bits it is replaced by its rank.
    """
    cells = np.asarray(cells)
    key = np.zeros(cells.shape[1], np.int64)
    span = 1
    for row, size in zip(cells, sizes, strict=True):
        if span * (int(size) + 1) >= 2**62:
            ranks, key = np.unique(key, return_inverse=True)
            span = len(ranks)
        key = key * (int(size) + 1) + row + 1
        span *= int(size) + 1
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return first.astype(np.int64), inverse.astype(np.int64)
