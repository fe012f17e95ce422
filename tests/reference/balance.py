"""Entropy balancing by plain Newton steps on the dual, with a dense incidence: exact and soft targets, bounds. Slow."""

import numpy as np


def balance_zone(a, s, target, variance, low=0.0, high=np.inf, steps=400):
    """Weights w = clip(s exp(A lambda), low, high) with A'w + variance * lambda = target, where the dual is least.

    a : (n_profiles, n_cells) members in each cell; s : (n_profiles,) start weights. Exact cells of nobody take their profiles
    out. Without bounds and with variance 0 this is raking (Deville & Sarndal 1992, case 2). Returns (w, lambda).
    """
    a = np.asarray(a, float)
    alive = (s > 0) & ~(a[:, (target == 0) & (variance == 0)] > 0).any(axis=1)
    low, high = (np.broadcast_to(x, len(s))[alive] for x in (low, high))
    a, s = a[alive], s[alive]
    lam = np.zeros(len(target))

    def at(x):
        u = np.log(s) + a @ x
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            w = np.clip(np.exp(u), low, high)
            beyond = (w == high) | (w == low)
            integral = np.where(beyond & (w > 0), w * (1 + u - np.log(w)), w)
        return w, np.sum(integral) - target @ x + variance @ x**2 / 2, beyond

    for _ in range(steps):
        w, dual, beyond = at(lam)
        gap = target - a.T @ w - variance * lam
        if np.abs(gap).max() <= 1e-12 * max(target.max(), 1):
            break
        hessian = a.T @ ((w * np.where(beyond, 1e-3, 1.0))[:, None] * a) + np.diag(variance)
        step = np.linalg.pinv(hessian, rcond=1e-12, hermitian=True) @ gap
        length = min(1.0, 3.0 / max((a @ step).max(initial=0.0), 1e-300))
        while length > 1e-9 and not at(lam + length * step)[1] <= dual + 1e-13 * abs(dual):
            length /= 2
        lam = lam + length * step
    weights = np.zeros(len(alive))
    weights[alive] = at(lam)[0]
    return weights, lam


def objective(w, a, s, target, variance):
    """What balancing minimises, written down: relative entropy plus squared misses over their variances."""
    soft = variance > 0
    miss = (w @ a - target)[soft]
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = np.where(w > 0, w * np.log(w / s), 0.0) - w + s
    return entropy[s > 0].sum() + np.sum(miss**2 / (2 * variance[soft]))
