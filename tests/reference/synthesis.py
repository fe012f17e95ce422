"""Slow twins of the generators' formulas: written from the papers, one number at a time."""

import itertools
import math

import numpy as np


def natural_spline(x, knots):
    """Hastie, Tibshirani & Friedman (2009), equations 5.4 and 5.5, after shifting and scaling to the knots' range."""
    low, reach = knots[0], knots[-1] - knots[0]
    knots = [(k - low) / reach for k in knots]
    rows = []
    for value in x:
        v = (value - low) / reach

        def d(k, v=v):
            return (max(v - knots[k], 0) ** 3 - max(v - knots[-1], 0) ** 3) / (knots[-1] - knots[k])

        rows.append([v, *(d(k) - d(len(knots) - 2) for k in range(len(knots) - 2))])
    return np.array(rows)


def orthant_correlation(rho, first, second):
    """Pearson's correlation of two cut bivariate normals: by adding up the density over a grid. Cuts are of probabilities."""
    step = 0.02
    z = np.arange(-7, 7, step) + step / 2
    from scipy.special import ndtr

    f, g = first(ndtr(z)), second(ndtr(z))
    total = np.zeros(6)
    for a, fa in zip(z, f, strict=True):
        density = np.exp(-(a * a - 2 * rho * a * z + z * z) / (2 * (1 - rho * rho)))
        total += [density.sum(), (density * fa).sum(), (density * g).sum(), (density * fa * fa).sum(),
                  (density * g * g).sum(), (density * fa * g).sum()]  # fmt: skip
    n, sf, sg, ff, gg, fg = total / total[0]
    assert n == 1
    return (fg - sf * sg) / math.sqrt((ff - sf**2) * (gg - sg**2))


def normal_log_likelihood(values, mean, covariance):
    """Log likelihood of records with missing values: each by the normal density of what is known of it."""
    total = 0.0
    for row in values:
        known = ~np.isnan(row)
        apart, part = row[known] - mean[known], covariance[np.ix_(known, known)]
        total -= 0.5 * (known.sum() * math.log(2 * math.pi) + math.log(np.linalg.det(part)))
        total -= 0.5 * float(apart @ np.linalg.inv(part) @ apart)
    return total


def ks(values, cdf):
    """Kolmogorov-Smirnov distance: the largest gap just before or at any value."""
    worst = 0.0
    for v, side in itertools.product(values, ("before", "at")):
        share = np.mean([w < v for w in values]) if side == "before" else np.mean([w <= v for w in values])
        worst = max(worst, abs(share - cdf(v)))
    return worst
