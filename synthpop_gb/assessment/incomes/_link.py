"""The model that links areas (Fay & Herriot 1979): how much of a published figure to believe, and what to expect without one.

Of area a a direct measurement y_a = theta_a + e_a is known with the variance psi_a, and theta_a = x_a beta + u_a with the
variance tau^2. tau^2 is found by restricted maximum likelihood, adjusted so that it is never quite nought, which would say that
areas are all alike because there are few of them (Yoshimori & Lahiri 2014, Annals of Statistics 42); beta by generalised least
squares, and theta_a by the best predictor, gamma_a y_a + (1 - gamma_a) x_a beta with gamma_a = tau^2 / (tau^2 + psi_a) (Rao &
Molina 2015, Small Area Estimation, ch. 6).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Linked", "link_areas"]

_MOST = 5.0  # tilts of five standard deviations: no survey has such people
_STEPS = 60
_TWICE = 2.0  # standard errors of a slope that is believed


@dataclass(frozen=True, eq=False)
class Linked:
    """What was found.

    beta : (k,); tau : standard deviation of areas about the line; expected : (n,) x beta of every area, measured or not;
    expected_variance : (n,) variance of x beta; tau_variance : variance of tau^2, 0 where tau was given.
    """

    beta: np.ndarray
    tau: float
    expected: np.ndarray
    expected_variance: np.ndarray
    tau_variance: float = 0.0

    def weight(self, psi: np.ndarray) -> np.ndarray:
        """(n,) gamma: share of an area's own measurement, of variance psi, in its best predictor; 0 where psi is NaN."""
        known = np.isfinite(psi)
        return np.where(known, self.tau**2 / np.maximum(self.tau**2 + np.where(known, psi, 1.0), 1e-300), 0.0)

    def squared_error(self, psi: np.ndarray) -> np.ndarray:
        """(n,) mean squared error of the best predictors, those of areas without a measurement (psi NaN) included.

        gamma psi + (1 - gamma)^2 var(x beta) + 2 psi^2 (tau^2 + psi)^-3 var(tau^2): the last since tau was learnt (Datta & Lahiri
        2000, Statistica Sinica 10, eq. 3.3). Without a measurement tau^2 + var(x beta).
        """
        known, tau2 = np.isfinite(psi), self.tau**2
        own = np.where(known, psi, 0.0)
        gamma, total = self.weight(psi), np.maximum(tau2 + own, 1e-300)
        learnt = 2 * self.tau_variance * own**2 / total**3
        return np.where(known, gamma * own, tau2) + (1 - gamma) ** 2 * self.expected_variance + learnt


def link_areas(y: np.ndarray, psi: np.ndarray, x: np.ndarray, tau: float | None = None, *, tested: bool = False) -> Linked:
    """Fit the linking model.

    Parameters
    ----------
    y : (n,) float64
        Direct measurements, NaN where there is none.
    psi : (n,) float64
        Their variances, not negative.
    x : (n, k) float64
        Covariates, the first column ones; k = 0 for a line at nought.
    tau : float, optional
        Standard deviation about the line, where it is known; it is learnt otherwise.
    tested : bool
        Leave a second covariate out unless its coefficient is twice its standard error.

    Returns
    -------
    Linked

    Examples
    --------
    With areas far surer than they are alike the line is their mean, and tau their standard deviation.

    >>> found = link_areas(np.array([1.0, -1.0, 1.0, -1.0]), np.full(4, 1e-4), np.ones((4, 1)))
    >>> round(found.tau, 3), found.expected.round(6).tolist()
    (1.155, [0.0, 0.0, 0.0, 0.0])
    """
    known = np.isfinite(y)
    mine = y[known], psi[known], x[known]
    spread = _likeliest(*mine) if tau is None else tau
    beta, covariance = _least_squares(*mine, spread)
    if tested and x.shape[1] == 2 and abs(beta[1]) < _TWICE * np.sqrt(covariance[1, 1]):
        return link_areas(y, psi, x[:, :1], tau)
    unsure = 0.0 if tau is not None else 2.0 / float(((psi[known] + spread**2) ** -2.0).sum())
    return Linked(beta, spread, x @ beta, np.einsum("ij,jk,ik->i", x, covariance, x), unsure)


def _least_squares(y, psi, x, tau: float) -> tuple[np.ndarray, np.ndarray]:
    """Generalised least squares: coefficients and their covariance."""
    if not x.shape[1]:
        return np.zeros(0), np.zeros((0, 0))
    weight = 1.0 / (psi + tau**2 + 1e-12)
    gram = (x * weight[:, None]).T @ x
    covariance = np.linalg.pinv(gram, hermitian=True)
    return covariance @ (x.T @ (weight * y)), covariance


def _likeliest(y, psi, x) -> float:
    """Return tau of the largest adjusted likelihood: the best of a grid, then by golden section about it."""
    grid = np.geomspace(1e-3, _MOST, _STEPS)
    found = np.array([_likelihood(y, psi, x, t) for t in grid])
    at = int(found.argmax())
    low, high = grid[max(at - 1, 0)], grid[min(at + 1, _STEPS - 1)]
    ratio = (np.sqrt(5.0) - 1.0) / 2.0
    for _ in range(40):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if _likelihood(y, psi, x, left) >= _likelihood(y, psi, x, right):
            high = right
        else:
            low = left
    return float((low + high) / 2)


def _likelihood(y, psi, x, tau: float) -> float:
    """Logarithm of the adjusted restricted likelihood, without its constant (Yoshimori & Lahiri 2014, section 2)."""
    beta, _ = _least_squares(y, psi, x, tau)
    variance = psi + tau**2 + 1e-12
    rest = y - x @ beta
    told = np.linalg.slogdet((x / variance[:, None]).T @ x)[1] if x.shape[1] else 0.0
    adjusted = np.log(np.arctan((tau**2 / variance).sum())) / len(y)
    return float(adjusted - 0.5 * (np.log(variance).sum() + told + (rest**2 / variance).sum()))
