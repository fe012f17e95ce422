"""Slow twin of kernels/uniqueness.py: everybody written out, zones and combinations grouped."""

import numpy as np
import pandas as pd


def unique_in_zones(indptr, record, n, key_of, limits):
    """Return few (n_zones, n_limits), and by combination people, zones, squares, largest; and alike by record."""
    n_zones, n_keys = len(indptr) - 1, int(key_of.max(initial=-1)) + 1
    zone = np.repeat(np.arange(n_zones), np.diff(indptr))
    rows = pd.DataFrame({"zone": np.repeat(zone, n), "record": np.repeat(record, n)})
    rows["key"] = key_of[rows["record"]]
    rows = rows[rows["key"] >= 0]
    crowd = rows.groupby(["zone", "key"])["record"].transform("size")
    few = np.array([[int(((crowd < m) & (rows["zone"] == z)).sum()) for m in limits] for z in range(n_zones)])
    few = few.reshape(n_zones, len(limits))
    table = np.zeros((n_zones, n_keys), np.int64)
    np.add.at(table, (rows["zone"], rows["key"]), 1)
    alike = np.bincount(rows["record"], crowd, minlength=len(key_of)).astype(np.int64)
    largest = table.max(axis=0, initial=0)
    return few, table.sum(axis=0), (table > 0).sum(axis=0), (table**2).sum(axis=0), largest, alike
