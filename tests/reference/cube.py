"""The cube method as in the textbook: null spaces by singular value decomposition; and its pivoting form by least squares.

Deville & Tille (2004): flight phase. `flight` is the textbook's, on all units at once; `pivoting_cube` lets units enter one by
one in the kernel's order with the kernel's draws, so that it ends at the same counts.
"""

import numpy as np

from synthpop_gb.kernels.streams import next_below, next_uniform

EDGE = 1e-9


def incidence(cell_of, n_cells):
    """n_cells x n_profiles of 0 and 1."""
    a = np.zeros((n_cells, cell_of.shape[1]))
    for row in cell_of:
        inside = np.flatnonzero(row >= 0)
        a[row[inside], inside] = 1.0
    return a


def flight(fraction, a, rng):
    """Random walk of fractions in the cube along null directions of `a` (n_cells, n_units) until none is left. Textbook form."""
    y = fraction.copy()
    while True:
        free = np.flatnonzero((y > EDGE) & (y < 1 - EDGE))
        if len(free) == 0:
            return y
        _, values, rows = np.linalg.svd(a[:, free])
        null = rows[np.count_nonzero(values > 1e-9) :]
        if len(null) == 0:
            return y
        u = null.T @ rng.standard_normal(len(null))
        rise, fall = _room(y[free], u)
        y[free] += u * (rise if rng.random() * (rise + fall) < fall else -fall)


def _room(y, u):
    with np.errstate(divide="ignore", invalid="ignore"):
        up = np.where(u > 1e-9, (1 - y) / u, np.where(u < -1e-9, -y / u, np.inf))
        down = np.where(u > 1e-9, y / u, np.where(u < -1e-9, (y - 1) / u, np.inf))
    return up.min(), down.min()


def pivoting_cube(weights, a, state):
    """Units enter in order from a random start; a unit that depends on the open ones moves along the one direction it opens."""
    whole = np.floor(weights + EDGE)
    y = np.maximum(weights - whole, 0.0)
    order = np.flatnonzero(y > EDGE)
    basis = []
    for j in np.roll(order, -next_below(state, len(order))) if len(order) else ():
        u, depends = _combination(a[:, basis], a[:, j])
        if not depends:
            basis.append(j)
            continue
        units, direction = np.array([*basis, j]), np.append(-u, 1.0)
        rise, fall = _room(y[units], direction)
        y[units] += direction * (rise if next_uniform(state) * (rise + fall) < fall else -fall)
        y[units] = np.where(np.abs(y[units] - np.rint(y[units])) < 1e-7, np.rint(y[units]), y[units])
        basis = [i for i in units if 0 < y[i] < 1]
    counts = whole + (y == 1)
    undecided = [p for p in order if 0 < y[p] < 1]
    shift = next_uniform(state)
    if undecided:
        counts[undecided] += systematic(y[undecided], shift)
    return counts.astype(int), y


def _combination(columns, column):
    if columns.shape[1] == 0:
        return np.zeros(0), not column.any()
    u = np.linalg.lstsq(columns, column, rcond=None)[0]
    return u, np.abs(columns @ u - column).max() < 1e-7


def systematic(fraction, shift):
    """0 or 1 each, with probabilities `fraction`; their sum is rounded to a whole number where it is near one."""
    total = fraction.sum()
    if abs(total - np.rint(total)) < 1e-2:
        fraction = fraction * (np.rint(total) / total)
        points = np.cumsum(fraction)
        points[-1] = np.rint(total)
    else:
        points = np.cumsum(fraction)
    return np.diff(np.floor(points + shift), prepend=0.0)
