"""Noise that agrees, by textbook: the null space by singular values, and weighted least squares."""

import numpy as np


def relations(counted):
    """(n, n_cells): what is nought for every household (row of counted), orthonormal."""
    _, size, rows = np.linalg.svd(counted.astype(float))
    return rows[(size > 1e-9 * size.max(initial=1.0)).sum() :]


def nearest(counted, noise, variance):
    """Nearest noise that keeps every relation, distances in standard errors; cells of variance 0 stay."""
    r = relations(counted)
    return noise - variance * (r.T @ (np.linalg.pinv((r * variance) @ r.T, rcond=1e-10) @ (r @ noise)))
