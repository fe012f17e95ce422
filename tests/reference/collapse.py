"""Slow twin of kernels/collapse: a dictionary of tuples."""

import numpy as np


def collapse(cells, sizes):
    columns = [tuple(column) for column in np.asarray(cells).T]
    profiles = sorted(set(columns))
    return np.array([columns.index(p) for p in profiles], int), np.array([profiles.index(c) for c in columns], int)
