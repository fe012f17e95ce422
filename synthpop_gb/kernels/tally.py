"""Tallies of weighted records over a few variables: only cells that occur are kept, so no table is ever too large to be made."""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.streams import mix

__all__ = ["DENSE", "collapse_rows", "tally_cells", "tally_dense", "tally_hashed"]

DENSE = 1 << 16
"""Possible cells up to which a plain table is summed into: 2 MB at four sums a cell, which a core's cache holds."""

_GAMMA = np.uint64(0x9E3779B97F4A7C15)


@njit
def _row_hash(codes, i):
    """Hash of one row of codes."""
    h = _GAMMA
    for v in range(codes.shape[1]):
        h = mix(h ^ np.uint64(codes[i, v])) + _GAMMA
    return h


@njit
def _longer(array, n):
    """Copy of array[:n] with twice the room."""
    out = np.empty(2 * max(n, 1), array.dtype)
    out[:n] = array[:n]
    return out


@njit
def collapse_rows(codes, weight):
    """Find the distinct rows of a table of codes and add up their weights: fifty million clones become a few thousand classes.

    codes  : (n_records, n_variables) int32, >= 0.
    weight : (n_records,) float64, people.
    Returns (first, people, records): first (n_classes,) int64, first record of each class, ascending; people (n_classes,)
    float64, its weights added in the order of the records; records (n_classes,) int64, how many records it has.

    One pass with a hash table that grows with the classes; rows are compared code by code, so two rows of one hash stay apart.
    """
    n = codes.shape[0]
    room = np.int64(1 << 12)
    slot = np.full(2 * room, -1, np.int64)
    first = np.empty(room, np.int64)
    people = np.empty(room, np.float64)
    records = np.empty(room, np.int64)
    hashes = np.empty(room, np.uint64)
    n_classes = 0
    for i in range(n):
        h = _row_hash(codes, i)
        mask = np.uint64(slot.shape[0] - 1)
        at = h & mask
        while True:
            c = slot[np.int64(at)]
            if c < 0:
                break
            same = hashes[c] == h
            if same:
                j = first[c]
                for v in range(codes.shape[1]):
                    if codes[i, v] != codes[j, v]:
                        same = False
                        break
            if same:
                break
            at = (at + np.uint64(1)) & mask
        if c >= 0:
            people[c] += weight[i]
            records[c] += 1
            continue
        if n_classes == first.shape[0]:
            first, people = _longer(first, n_classes), _longer(people, n_classes)
            records, hashes = _longer(records, n_classes), _longer(hashes, n_classes)
        slot[np.int64(at)] = n_classes
        first[n_classes] = i
        people[n_classes] = weight[i]
        records[n_classes] = 1
        hashes[n_classes] = h
        n_classes += 1
        if 2 * n_classes > slot.shape[0]:
            slot = np.full(2 * slot.shape[0], -1, np.int64)
            mask = np.uint64(slot.shape[0] - 1)
            for d in range(n_classes):
                at = hashes[d] & mask
                while slot[np.int64(at)] >= 0:
                    at = (at + np.uint64(1)) & mask
                slot[np.int64(at)] = d
    return first[:n_classes].copy(), people[:n_classes].copy(), records[:n_classes].copy()


@njit
def tally_dense(codes, columns, strides, span, values):
    """Sum values by cell in a plain table. Arguments and results as for `tally_cells`."""
    n, k, n_sums = values.shape[0], columns.shape[0], values.shape[1]
    table = np.zeros((span, n_sums))
    seen = np.zeros(span, np.bool_)
    n_cells = 0
    for i in range(n):
        key = np.int64(0)
        for j in range(k):
            key += codes[columns[j], i] * strides[j]
        if not seen[key]:
            seen[key] = True
            n_cells += 1
        for s in range(n_sums):
            table[key, s] += values[i, s]
    keys = np.empty(n_cells, np.int64)
    sums = np.empty((n_cells, n_sums))
    at = 0
    for key in range(span):
        if seen[key]:
            keys[at] = key
            sums[at] = table[key]
            at += 1
    return keys, sums


@njit
def tally_hashed(codes, columns, strides, values):
    """Sum values by cell in a hash table that grows with the cells. Arguments and results as for `tally_cells`."""
    n, k, n_sums = values.shape[0], columns.shape[0], values.shape[1]
    room = np.int64(1 << 10)
    slot = np.full(2 * room, -1, np.int64)
    keys = np.empty(room, np.int64)
    sums = np.empty((room, n_sums))
    n_cells = 0
    for i in range(n):
        key = np.int64(0)
        for j in range(k):
            key += codes[columns[j], i] * strides[j]
        mask = np.uint64(slot.shape[0] - 1)
        at = mix(np.uint64(key) + _GAMMA) & mask
        while slot[np.int64(at)] >= 0 and keys[slot[np.int64(at)]] != key:
            at = (at + np.uint64(1)) & mask
        c = slot[np.int64(at)]
        if c < 0:
            if n_cells == keys.shape[0]:
                keys = _longer(keys, n_cells)
                longer = np.empty((keys.shape[0], n_sums))
                longer[:n_cells] = sums[:n_cells]
                sums = longer
            c = n_cells
            slot[np.int64(at)] = c
            keys[c] = key
            sums[c] = 0.0
            n_cells += 1
        for s in range(n_sums):
            sums[c, s] += values[i, s]
        if 2 * n_cells > slot.shape[0]:
            slot = np.full(2 * slot.shape[0], -1, np.int64)
            mask = np.uint64(slot.shape[0] - 1)
            for d in range(n_cells):
                at = mix(np.uint64(keys[d]) + _GAMMA) & mask
                while slot[np.int64(at)] >= 0:
                    at = (at + np.uint64(1)) & mask
                slot[np.int64(at)] = d
    order = np.argsort(keys[:n_cells])
    return keys[:n_cells][order], sums[:n_cells][order]


@njit
def tally_cells(codes, columns, strides, span, values):
    """Sum several values of the records by their cell in the cross-table of a few variables.

    codes   : (n_variables, n_records) int32, >= 0: one row a variable, so that a tally reads a few rows from end to end.
    columns : (k,) int64. Variables crossed.
    strides : (k,) int64. A record's cell is the sum of its codes times these; distinct cells must have distinct numbers.
    span    : int. Numbers of cells are below it; > 0.
    values  : (n_records, n_sums) float64, e.g. people of the reference and of the population.
    Returns (keys, sums): keys (n_cells,) int64, numbers of the cells that some record is in, ascending; sums (n_cells, n_sums)
    float64, added in the order of the records, so that the bits are those of a loop over the records whatever the way.
    """
    if span <= DENSE:
        return tally_dense(codes, columns, strides, span, values)
    return tally_hashed(codes, columns, strides, values)
