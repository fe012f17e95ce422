"""Minimum relative entropy to the start weights by Newton's method on the dual, with dense matrices. Slow, checkable."""

import numpy as np


def incidence(cell_of, n_cells):
    """Profiles x cells, 1 where the profile is in the cell."""
    return np.stack([(cell_of == c).any(axis=0) for c in range(n_cells)], axis=1).astype(float)


def fit_zone(start, cell_of, target, steps=200):
    """Weights minimising sum w log(w / start) - w + start subject to the targets, for a zone that can be fitted.

    The dual is minimised: sum start exp(A lambda) - target' lambda (Deville & Sarndal 1992, case 2). Redundant directions are
    left alone by the pseudo-inverse; a step is halved until the dual no longer rises.
    """
    a = incidence(cell_of, len(target))
    alive = (start > 0) & ~(a[:, target == 0] > 0).any(axis=1)
    a, s = a[alive], start[alive]
    lam = np.zeros(len(target))

    def dual(x):
        with np.errstate(over="ignore"):
            return np.sum(s * np.exp(a @ x)) - target @ x

    for _ in range(steps):
        w = s * np.exp(a @ lam)
        d = np.linalg.pinv(a.T @ (w[:, None] * a), rcond=1e-12, hermitian=True) @ (target - a.T @ w)
        step = 1.0
        while step > 1e-6 and not dual(lam + step * d) <= dual(lam) + 1e-12 * abs(dual(lam)):
            step /= 2
        lam = lam + step * d
    weights = np.zeros(len(start))
    weights[alive] = s * np.exp(a @ lam)
    return weights
