"""Slow twin of kernels/noise.py, straight from the formulas with NumPy and SciPy."""

import numpy as np
from scipy.stats import poisson


def poisson_deviation(mean):
    """E |X - mean| by summation."""
    x = np.arange(int(mean + 20 * np.sqrt(mean) + 30))
    return float((np.abs(x - mean) * poisson.pmf(x, mean)).sum())


def kept_variance(expected, margin_of, n_margins):
    """Diagonal of D - D A' (A D A')^+ A D: variance of each cell given the margins."""
    incidence = np.zeros((n_margins, len(expected)))
    for row in margin_of:
        incidence[row, np.arange(len(expected))] += 1
    d = np.diag(expected)
    return np.diag(d - d @ incidence.T @ np.linalg.pinv(incidence @ d @ incidence.T, rcond=1e-12) @ incidence @ d)


def noise_floor(expected, margin_of, n_margins):
    """One zone: misplaced people with margins kept, and of a plain multinomial sample."""
    people = expected.sum()
    if people == 0:
        return 0.0, 0.0

    def shrunk(smallest, variance):
        return poisson_deviation(smallest) * np.sqrt(min(1.0, variance / smallest)) if smallest > 0 and variance > 0 else 0.0

    free = sum(shrunk(min(e, people - e), e * (1 - e / people)) for e in expected) / 2
    if n_margins == 0:
        return free, free
    margin = np.array([sum(expected[(margin_of == m).any(axis=0)]) for m in range(n_margins)])
    variance = kept_variance(expected, margin_of, n_margins)
    kept = 0.0
    for c, e in enumerate(expected):
        mine = margin[margin_of[:, c]]
        cells = [e, *(mine - e)] + ([people - mine.sum() + e] if len(mine) == 2 else [])
        kept += shrunk(min(cells), variance[c]) / 2
    return kept, free
