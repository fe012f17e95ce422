"""Gaussian copula: the latent correlations under which variables of any distribution get the correlations wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

__all__ = ["hermite", "latent_correlation", "nearest_correlation", "reached_correlation"]

_REACH, _STEP, _TERMS = 8.0, 0.004, 160
"""Grid over the standard normal, and how many terms of Mehler's series are summed. Steps (categories) need many where the latent
correlation is near one: what is left out is at most rho^161 of the variance there."""


def hermite(transform: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Coefficients of a function of a standard normal variable in normalised Hermite polynomials, scaled to variance 1.

    With g(Z) = sum_k a_k He_k(Z) / sqrt(k!), the variance of g(Z) is the sum of a_k^2 for k > 0. By Mehler's formula (1866) the
    correlation of f(X) and g(Y), X and Y standard normal with correlation rho, is sum_k a_k b_k rho^k.

    Parameters
    ----------
    transform : callable
        Takes probabilities (n,) float64 between 0 and 1, gives g at the normal quantile of each: `Marginal.quantile` or
        `Marginal.grade`.

    Returns
    -------
    numpy.ndarray
        (n_terms + 1,) float64, coefficient 0 first and set to nought; all nought where g is constant.

    >>> a = hermite(lambda u: np.where(u < 0.5, -1.0, 1.0))  # the sign: a_1 = sqrt(2 / pi)
    >>> round(float(a[1]), 3), round(float(abs(a[2])), 3)
    (0.798, 0.0)
    """
    from scipy.special import ndtr

    z = np.arange(-_REACH, _REACH + _STEP, _STEP) + _STEP / 2
    density = np.exp(-(z**2) / 2)
    density /= density.sum()
    g = np.asarray(transform(np.clip(ndtr(z), 1e-15, 1 - 1e-15)), np.float64)
    g = g - (density * g).sum()
    spread = np.sqrt((density * g**2).sum())
    out = np.zeros(_TERMS + 1)
    if not np.isfinite(spread) or spread <= 1e-12 * max(1.0, float(np.abs(g).max())):
        return out
    weighted, before, now = density * g / spread, np.zeros_like(z), np.ones_like(z)
    for k in range(1, _TERMS + 1):
        before, now = now, (z * now - np.sqrt(k - 1.0) * before) / np.sqrt(k)
        out[k] = weighted @ now
    return out


def reached_correlation(first: np.ndarray, second: np.ndarray, latent: float) -> float:
    """Correlation of two transformed variables whose latent normals have this correlation: Mehler's series."""
    return float(np.polynomial.polynomial.polyval(latent, first * second))


def latent_correlation(wanted: np.ndarray, coefficients: Sequence[np.ndarray]) -> np.ndarray:
    """Latent correlations under which each pair of variables has the correlation wanted, then the nearest correlation matrix.

    The correlation reached rises with the latent one, since quantiles rise; so each pair is solved by halving (NORTA: Cario &
    Nelson 1997). A correlation that the two distributions cannot have gets the nearest latent one, at most 0.999 in size.

    Parameters
    ----------
    wanted : numpy.ndarray
        (k, k) float64, symmetric; NaN (of a constant) counts as 0.
    coefficients : sequence of numpy.ndarray
        By variable, from `hermite`: of grades where Spearman's correlation is wanted, of values where Pearson's.

    Returns
    -------
    numpy.ndarray
        (k, k) float64: a correlation matrix with all eigenvalues above nought.
    """
    size = len(coefficients)
    out = np.eye(size)
    for i in range(size):
        for j in range(i):
            target, product = wanted[i, j], coefficients[i] * coefficients[j]
            if np.isnan(target) or not product.any():
                continue
            low, high = -0.999, 0.999
            for _ in range(40):
                middle = (low + high) / 2
                if np.polynomial.polynomial.polyval(middle, product) < target:
                    low = middle
                else:
                    high = middle
            out[i, j] = out[j, i] = (low + high) / 2
    return nearest_correlation(out)


def nearest_correlation(matrix: np.ndarray, *, smallest: float = 1e-8, most: int = 1000) -> np.ndarray:
    """Correlation matrix nearest to a symmetric one in the Frobenius norm: alternating projections (Higham 2002, algorithm 3.3).

    matrix : (k, k) float64, symmetric. smallest : eigenvalues are at least so large, so that a Cholesky factor exists. most :
    projections at the most. A correlation matrix with larger eigenvalues is returned as it is.

    >>> nearest_correlation(np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1.0]])).round(4).tolist()  # Higham 2002, section 4
    [[1.0, 0.7607, 0.1573], [0.7607, 1.0, 0.7607], [0.1573, 0.7607, 1.0]]
    """
    wanted = np.asarray(matrix, np.float64)
    if (np.diag(wanted) == 1).all() and np.linalg.eigvalsh(wanted)[0] >= smallest:
        return wanted.copy()
    y, correction = wanted.copy(), np.zeros_like(wanted)
    for _ in range(most):
        shifted = y - correction
        x = _positive(shifted, smallest)
        correction = x - shifted
        last, y = y, x.copy()
        np.fill_diagonal(y, 1.0)
        if np.abs(y - last).max() < 1e-12:
            break
    x = _positive(y, smallest)
    size = np.sqrt(np.diag(x))
    x = x / np.outer(size, size)
    np.fill_diagonal(x, 1.0)
    return (x + x.T) / 2


def _positive(matrix: np.ndarray, smallest: float) -> np.ndarray:
    """Project on symmetric matrices with no eigenvalue below `smallest`."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * np.maximum(values, smallest)) @ vectors.T
