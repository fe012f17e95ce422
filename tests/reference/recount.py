"""Slow twin of kernels/recount.py: expand every person to a row and count rows."""

import numpy as np
import pandas as pd


def recount_zones(indptr, record, n, cells_of):
    """cells_of: list over tables of (n_records,) cell or -1. Returns ([(n_zones, n_cells)], reuse (n_zones, 4))."""
    n_zones = len(indptr) - 1
    zone = np.repeat(np.arange(n_zones), np.diff(indptr))
    people = pd.DataFrame({"zone": np.repeat(zone, np.maximum(n, 0)), "record": np.repeat(record, np.maximum(n, 0))})
    tables = []
    for cells in cells_of:
        out = np.zeros((n_zones, cells.max() + 1 if len(cells) else 0), np.int64)
        for z, r in people.itertuples(index=False):
            if cells[r] >= 0:
                out[z, cells[r]] += 1
        tables.append(out)
    reuse = np.zeros((n_zones, 4), np.int64)
    for z, here in people.groupby("zone"):
        copies = here["record"].value_counts().to_numpy()
        reuse[z] = copies.sum(), len(copies), copies.max(), (copies**2).sum()
    return tables, reuse
