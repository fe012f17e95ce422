"""Slow twin of kernels/nearest.py: the whole table of distances."""

import numpy as np


def distances(number, category, to_number, to_category, inverse):
    """(n, n_to) Gower distances; a missing value is 1 away from a value and 0 from another missing one."""
    a, b = number[:, None, :], to_number[None, :, :]
    gap = np.minimum(np.abs(a - b) * inverse, 1.0)
    gap = np.where(np.isnan(a) & np.isnan(b), 0.0, np.where(np.isnan(a) ^ np.isnan(b), 1.0, gap))
    differ = (category[:, None, :] != to_category[None, :, :]).astype(float)
    total = differ.sum(axis=2)
    for k in range(gap.shape[2]):  # in the kernel's order, so that equal distances are equal bits
        total = total + gap[:, :, k]
    return total / max(number.shape[1] + category.shape[1], 1)


def nearest_records(number, category, to_number, to_category, inverse, own):
    """Return (first, second, set of nearest records) of each record."""
    table = distances(number, category, to_number, to_category, inverse)
    out = []
    for i, row in enumerate(table):
        rows = [(d, j) for j, d in enumerate(row) if j != own[i]]
        rows.sort()
        first = rows[0][0] if rows else np.nan
        second = rows[1][0] if len(rows) > 1 else np.nan
        out.append((first, second, {j for d, j in rows if d == first}))
    return out
