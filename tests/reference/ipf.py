"""Iterative proportional fitting of one zone as in Deming & Stephan (1940), one constraint after the other. Slow, checkable."""

import numpy as np


def fit_zone(start, cell_of, constraint_start, target, cycles):
    """Weights after a number of cycles. Profiles in a cell whose target is nought are out from the beginning."""
    weights = np.array(start, float)
    for row in cell_of:
        weights[(row >= 0) & (target[row] == 0)] = 0.0
    for _ in range(cycles):
        for k, row in enumerate(cell_of):
            inside = row >= 0
            fitted = np.bincount(row[inside], weights[inside], minlength=len(target))
            for c in range(constraint_start[k], constraint_start[k + 1]):
                if fitted[c] > 0:  # a cell that nobody can fill is left as it is
                    weights[row == c] *= target[c] / fitted[c]
    return weights


def margins(cell_of, weights, n_cells):
    """Sum of the weights in each cell."""
    return sum(np.bincount(row[row >= 0], weights[row >= 0], minlength=n_cells) for row in cell_of)


def weights_from_duals(start, cell_of, duals):
    """Start weight times exp of the sum of the profile's duals; one zone."""
    total = np.zeros(len(start))
    for row in cell_of:
        total = total + np.where(row >= 0, duals[row], 0.0)
    return start * np.exp(total)
