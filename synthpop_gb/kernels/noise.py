"""How far a random population with the right margins lies from the table it was drawn from: the error that nobody can avoid."""

import math

import numpy as np

from synthpop_gb.kernels._jit import njit

__all__ = ["noise_floor", "poisson_deviation"]


@njit
def poisson_deviation(mean):
    """Mean absolute deviation of a Poisson count: 2 exp(-mean) mean^(k + 1) / k!, k = floor(mean). Crow (1958). mean >= 0."""
    if mean <= 0.0:
        return 0.0
    k = math.floor(mean)
    return 2.0 * math.exp(-mean + (k + 1.0) * math.log(mean) - math.lgamma(k + 1.0))


@njit
def _deviation(smallest, variance):
    """E |X - EX| of a count: Poisson in its smallest cell, shrunk to its variance. Within 1 % above one person, 10 % below."""
    if smallest <= 0.0 or variance <= 0.0:
        return 0.0
    return poisson_deviation(smallest) * math.sqrt(min(1.0, variance / smallest))


@njit
def _invert(matrix, size):
    """Invert a symmetric positive definite matrix in place by Cholesky, written out: BLAS differs by machine. (>= size,) * 2."""
    for j in range(size):
        for k in range(j):
            matrix[j, j] -= matrix[j, k] * matrix[j, k]
        matrix[j, j] = math.sqrt(matrix[j, j])
        for i in range(j + 1, size):
            for k in range(j):
                matrix[i, j] -= matrix[i, k] * matrix[j, k]
            matrix[i, j] /= matrix[j, j]
    for j in range(size):  # the factor's inverse, in its place
        matrix[j, j] = 1.0 / matrix[j, j]
        for i in range(j + 1, size):
            total = 0.0
            for k in range(j, i):
                total -= matrix[i, k] * matrix[k, j]
            matrix[i, j] = total / matrix[i, i]
    for i in range(size):
        for j in range(i + 1):
            total = 0.0
            for k in range(i, size):
                total += matrix[k, i] * matrix[k, j]
            matrix[i, j] = total
    for i in range(size):
        for j in range(i):
            matrix[j, i] = matrix[i, j]


@njit
def noise_floor(expected, margin_of, n_margins, out):
    """Expect so many misplaced people in a random whole population of each zone, drawn from the table itself.

    expected  : (n_zones, n_cells) float64, persons. The table that people are drawn from.
    margin_of : (n_kept, n_cells) int32. Margin that each cell belongs to in each kept variable, numbered across variables.
    n_margins : how many margins; 0 where none is kept.
    out       : (n_zones, 2) float64, persons. Output: half the expected sum of |X - expected|, with the kept margins met
                exactly; and for a plain multinomial sample of the zone's size.

    Given its margins, a count's variance is its mean times one minus its leverage in the margins (the normal limit of a
    multinomial given linear totals; Haberman 1974). Its mean absolute deviation is that of a Poisson count in the
    smallest of the cells that move together, shrunk to that variance. Closed form: no random draws.
    """
    n_kept, n_cells = margin_of.shape
    gram = np.zeros((n_margins, n_margins))
    margin = np.zeros(n_margins)
    for z in range(expected.shape[0]):
        people = 0.0
        for c in range(n_cells):
            people += expected[z, c]
        out[z, 0] = 0.0
        out[z, 1] = 0.0
        if people <= 0.0:
            continue
        gram[:] = 0.0
        margin[:] = 0.0
        for c in range(n_cells):
            for a in range(n_kept):
                margin[margin_of[a, c]] += expected[z, c]
                for b in range(n_kept):
                    gram[margin_of[a, c], margin_of[b, c]] += expected[z, c]
        for a in range(n_margins):
            gram[a, a] += 1e-9 * people  # margins repeat the total, and some are empty: the matrix alone is singular
        _invert(gram, n_margins)
        for c in range(n_cells):
            e = expected[z, c]
            out[z, 1] += 0.5 * _deviation(min(e, people - e), e * (1.0 - e / people))
            if n_margins == 0:
                continue
            leverage = 0.0
            smallest = e
            fourth = people + e
            for a in range(n_kept):
                smallest = min(smallest, margin[margin_of[a, c]] - e)
                fourth -= margin[margin_of[a, c]]
                for b in range(n_kept):
                    leverage += gram[margin_of[a, c], margin_of[b, c]]
            if n_kept == 2:
                smallest = min(smallest, fourth)
            out[z, 0] += 0.5 * _deviation(smallest, e * (1.0 - e * leverage))
        if n_margins == 0:
            out[z, 0] = out[z, 1]
