"""Slow twin of kernels/project.py: everybody is written out as a row, and rows are added up."""

import numpy as np


def project_rows(indptr, slot, count, offset, area, entry_start, group, values, n_areas, n_groups):
    """Returns (n_areas, n_groups, n_values); counts are whole."""
    out = np.zeros((n_areas, n_groups, values.shape[1]))
    for z in range(len(indptr) - 1):
        for i in range(indptr[z], indptr[z + 1]):
            s = offset[z] + slot[i]
            for e in range(entry_start[s], entry_start[s + 1]):
                for _ in range(int(count[i]) if area[z] >= 0 else 0):
                    out[area[z], group[e]] += values[e]
    return out
