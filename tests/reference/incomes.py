"""Calibrating to area incomes by its formulas: scores, linking model, the best tilts by a general minimiser. Slow, checkable."""

import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm


def normal_scores(value, weight):
    """Quantile of the share who have less, half of those who have the same included, one record at a time."""
    total = weight.sum()
    return np.array([norm.ppf((weight[value < v].sum() + weight[value == v].sum() / 2) / total) for v in value])


def generalised_least_squares(y, psi, x, tau):
    """Coefficients of the linking model with whole matrices."""
    inverse = np.linalg.inv(np.diag(psi + tau**2))
    return np.linalg.inv(x.T @ inverse @ x) @ x.T @ inverse @ y


def adjusted_likelihood(y, psi, x, tau):
    """Logarithm of the restricted likelihood (a multivariate normal's, beta integrated out), adjusted by Yoshimori & Lahiri."""
    v = np.diag(psi + tau**2)
    inverse = np.linalg.inv(v)
    p = inverse - inverse @ x @ np.linalg.inv(x.T @ inverse @ x) @ x.T @ inverse
    restricted = -0.5 * (np.linalg.slogdet(v)[1] + np.linalg.slogdet(x.T @ inverse @ x)[1] + y @ p @ y)
    return restricted + np.log(np.arctan((tau**2 / (tau**2 + psi)).sum())) / len(y)


def best_predictor(y, psi, x, tau):
    """gamma y + (1 - gamma) x beta, area by area."""
    beta = generalised_least_squares(y, psi, x, tau)
    return np.array([(tau**2 * a + p * (row @ beta)) / (tau**2 + p) for a, p, row in zip(y, psi, x, strict=True)])


def raked(start, cell_of, targets):
    """Weights of one zone by plain iterative proportional fitting, until nothing moves."""
    weights = start.copy()
    cells = [np.flatnonzero(row == c) for row in cell_of for c in np.unique(row[row >= 0])]
    wanted = [targets[c] for row in cell_of for c in np.unique(row[row >= 0])]
    while True:
        before = weights.copy()
        for mine, target in zip(cells, wanted, strict=True):
            total = weights[mine].sum()
            weights[mine] *= target / total if total > 0 else 0.0
        if np.abs(weights - before).max() < 1e-9:
            return weights


def figures(tilt, start, score, cell_of, targets, area, income, people):
    """Log mean income of each area when every zone is fitted from its tilted start."""
    sums = np.zeros((len(tilt), 2))
    for z, wanted in enumerate(targets):
        weights = raked(start * np.exp(tilt[area[z]] * score), cell_of, wanted)
        sums[area[z]] += weights @ income, weights @ people
    return np.log(sums[:, 0] / sums[:, 1])


def best_tilts(goal, error, tau, *problem):
    """Tilts and their level that are likeliest: figures normal about goals, tilts normal about one level."""
    n = len(goal)

    def unlikely(values):
        tilt, level = values[:n], values[n]
        return (((goal - figures(tilt, *problem)) / error) ** 2).sum() / 2 + (((tilt - level) / tau) ** 2).sum() / 2

    return minimize(unlikely, np.zeros(n + 1), method="BFGS", options={"gtol": 1e-6}).x[:n]
