"""Iterative proportional updating as Ye et al. (2009) write it: one cell after another, households that touch it scaled."""

import numpy as np


def ipu(counted, weights, target, cycles):
    """Weights after some cycles, (n_households,), and how they stood after each cell of the last one, (n_cells, n_households)."""
    weights, steps = np.array(weights, float), []
    for _ in range(cycles):
        steps = []
        for c in range(counted.shape[1]):
            there = weights @ counted[:, c]
            if there > 0:
                weights[counted[:, c] > 0] *= target[c] / there
            steps.append(weights.copy())
    return weights, np.array(steps)
