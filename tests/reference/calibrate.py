"""Calibration by plain Newton steps on the dual, with dense matrices: all distances, exact and soft targets. Slow, checkable."""

import numpy as np

from tests.reference.entropy import incidence


def link(kind, u, lower=0.0, upper=np.inf):
    """F(u), F'(u) and the integral of F from 0: Deville & Sarndal (1992), table 1, cases 1, 7 (cut), 2 and 6."""
    u = np.asarray(u, float)
    if kind == "linear":
        return 1 + u, np.ones_like(u), u + u**2 / 2
    if kind == "bounded":
        inner = np.clip(u, lower - 1, upper - 1)
        return 1 + inner, ((u > lower - 1) & (u < upper - 1)).astype(float), inner + inner**2 / 2 + (1 + inner) * (u - inner)
    if kind == "entropy":
        return np.exp(u), np.exp(u), np.exp(u) - 1
    a = (upper - lower) / ((1 - lower) * (upper - 1))
    e = np.exp(np.minimum(a * u, 600))
    f = (lower * (upper - 1) + upper * (1 - lower) * e) / (upper - 1 + (1 - lower) * e)
    integral = lower * u + (upper - lower) / a * np.log((upper - 1 + (1 - lower) * e) / (upper - lower))
    return f, a * (f - lower) * (upper - f) / (upper - lower), integral


def calibrate_zone(d, cell_of, target, variance, kind, lower=0.0, upper=np.inf, steps=200):
    """Weights w = d F(A lambda) with A'w + variance * lambda = target, where the dual is least.

    With variance 0 throughout this is calibration (Deville & Sarndal 1992); with variance sigma^2 it minimises the distance plus
    sum (A'w - target)^2 / (2 sigma^2) (Nagle et al. 2014; Beaumont & Bocci 2008 for the linear case). Returns (w, lambda).
    """
    a = incidence(cell_of, len(target))
    alive = (d > 0) & ~(a[:, (target == 0) & (variance == 0)] > 0).any(axis=1)
    a, s = a[alive], d[alive]
    lam = np.zeros(len(target))

    def dual(x):
        with np.errstate(over="ignore", invalid="ignore"):
            return np.sum(s * link(kind, a @ x, lower, upper)[2]) - target @ x + variance @ x**2 / 2

    for _ in range(steps):
        f, slope, _ = link(kind, a @ lam, lower, upper)
        gap = target - a.T @ (s * f) - variance * lam
        hessian = a.T @ ((s * np.maximum(slope, 1e-3))[:, None] * a) + np.diag(variance)
        step = np.linalg.pinv(hessian, rcond=1e-12, hermitian=True) @ gap
        if np.abs(gap).max() <= 1e-13 * max(target.max(), 1):
            break
        furthest = (a @ step).max(initial=0.0)
        length = min(1.0, 3.0 / furthest) if kind == "entropy" and furthest > 0 else 1.0
        while length > 1e-9 and not dual(lam + length * step) <= dual(lam) + 1e-13 * abs(dual(lam)):
            length /= 2
        lam = lam + length * step
    weights = np.zeros(len(d))
    weights[alive] = s * link(kind, a @ lam, lower, upper)[0]
    return weights, lam


def objective(w, d, a, target, variance, kind, lower=0.0, upper=np.inf):
    """What soft calibration minimises, written down: distance plus squared misses over their variances."""
    r = w / d
    if kind in ("linear", "bounded"):
        distance = (r - 1) ** 2 / 2
    elif kind == "entropy":
        distance = r * np.log(r) - r + 1
    else:
        k = (upper - lower) / ((1 - lower) * (upper - 1))
        distance = ((r - lower) * np.log((r - lower) / (1 - lower)) + (upper - r) * np.log((upper - r) / (upper - 1))) / k
    return np.sum(d * distance) + np.sum((a.T @ w - target) ** 2 / (2 * variance))
