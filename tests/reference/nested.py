"""Zones and the areas above them fitted at once: Newton's method on the dual with one dense matrix. Slow, checkable."""

import numpy as np


def fit_together(start, members, index, targets, variance, steps=200, tolerance=1e-10):
    """Weights of all zones together.

    start : (n_zones, n_profiles); members : (n_profiles, n_duals) dense; index : (n_zones, n_duals) variable of each cell, -1 =
    none; targets, variance : (n_variables,). Returns (n_zones, n_profiles) weights and (n_variables,) duals.
    """
    n_zones, n_profiles = start.shape
    together = np.zeros((n_zones * n_profiles, len(targets)))
    for z in range(n_zones):
        for d in np.flatnonzero(index[z] >= 0):
            together[z * n_profiles : (z + 1) * n_profiles, index[z, d]] += members[:, d]
    flat, duals = start.ravel(), np.zeros(len(targets))
    dead = together[:, (targets == 0) & (variance == 0)].any(axis=1)
    flat = np.where(dead, 0.0, flat)

    def dual(x):
        weights = flat * np.exp(together @ x)
        return weights, weights.sum() - targets @ x + (variance * x**2).sum() / 2

    weights, value = dual(duals)
    for _ in range(steps):
        gap = together.T @ weights - targets + variance * duals
        if np.abs(gap).max() < tolerance:
            break
        hessian = together.T @ (weights[:, None] * together) + np.diag(variance)
        direction = -np.linalg.pinv(hessian, rcond=1e-12, hermitian=True) @ gap
        length = min(1.0, 2.0 / np.abs(direction).max())
        while dual(duals + length * direction)[1] > value + 1e-4 * length * (gap @ direction) + 1e-12 * abs(value):
            length /= 4
            if length < 1e-12:
                return weights.reshape(start.shape), duals
        duals = duals + length * direction
        weights, value = dual(duals)
    return weights.reshape(start.shape), duals
