"""Halving in plain NumPy: the same draws in the same order as the kernel, every step written from its definition."""

import numpy as np

from synthpop_gb.kernels.halving import GRID_BITS, SWEEPS
from synthpop_gb.kernels.layout import ONE_WAY_PULL
from synthpop_gb.kernels.streams import next_below, next_uniform


def incidence(cell_of):
    """Units x (one-way cells, then two-way cells) of 0 and 1, and the weight of a squared misfit in each column."""
    columns, pull = [], []
    one_way = [(k, c) for k, row in enumerate(cell_of) for c in np.unique(row[row >= 0])]
    for k, c in one_way:
        columns.append(cell_of[k] == c)
        pull.append(ONE_WAY_PULL)
    if not (cell_of >= 0).all(axis=1).any():
        columns.append(np.ones(cell_of.shape[1], bool))
        pull.append(ONE_WAY_PULL)
        one_way.append((len(cell_of), -1))
    for i, (k, _) in enumerate(one_way):
        for j, (m, _) in enumerate(one_way):
            if k < m:
                columns.append(columns[i] & columns[j])
                pull.append(1)
    return np.array(columns).T.astype(int), np.array(pull)


def halve(weights, cell_of, state):
    """Whole counts of one zone, and the fractional counts after each step (a martingale)."""
    rows, pull = incidence(cell_of)
    whole = np.floor(weights)
    points = np.floor(np.cumsum((weights - whole) * 2**GRID_BITS) + next_uniform(state))
    grid = np.diff(points, prepend=0.0).astype(int)
    path = [whole + grid / 2**GRID_BITS]
    settled = grid == 2**GRID_BITS
    for bit in range(GRID_BITS):
        step = 2**bit
        odd = np.flatnonzero((grid & step != 0) & ~settled)
        if len(odd) == 0:
            continue
        sign = colour(rows[odd], pull, SWEEPS[bit], state)
        grid[odd] += sign * (-step if next_uniform(state) < 0.5 else step)
        path.append(whole + grid / 2**GRID_BITS)
    return (whole + (grid >> GRID_BITS)).astype(int), path


def colour(rows, pull, sweeps, state):
    """Signs that keep sum of pull x (sum of signs in a column)^2 small."""
    n = len(rows)
    sign, order = np.zeros(n, int), np.roll(np.arange(n), -next_below(state, n))
    for i in order:
        slope = rows[i] @ (pull * (sign @ rows))
        sign[i] = -1 if slope > 0 or (slope == 0 and next_uniform(state) < 0.5) else 1
    for _ in range(sweeps):
        changed = False
        for i in order:
            energy = pull @ (sign @ rows) ** 2
            sign[i] = -sign[i]
            if pull @ (sign @ rows) ** 2 < energy:
                changed = True
            else:
                sign[i] = -sign[i]
        if not changed:
            break
    return sign
