"""Ridge regression in closed form: one design, a response and weights of its own for every column, many strengths at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["STRENGTHS", "Ridge", "fit_ridge"]

STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Penalties that cross-validation chooses from, times the sum of the weights: features have variance 1."""
_FURTHEST = 5.0  # standard deviations from the mean of the training areas: no line is followed further


@dataclass(frozen=True, eq=False)
class Ridge:
    """What a fit left, as plain numbers: predictions are intercepts plus features, centred and scaled, times coefficients.

    centre, scale : (n_raw,) of the raw features; intercept : (n_responses,); coefficients : (2 n_raw, n_responses): of the
    features and of their squares less 1.
    """

    centre: np.ndarray
    scale: np.ndarray
    intercept: np.ndarray
    coefficients: np.ndarray

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Predict (n, n_responses) from raw features (n, n_raw); features far from all training areas are drawn in."""
        return self.intercept + _design(features, self.centre, self.scale) @ self.coefficients

    def plain(self) -> dict:
        """Return it as lists for JSON, to ten digits; `of_plain` reads them."""
        return {n: _rounded(getattr(self, n)).tolist() for n in ("centre", "scale", "intercept", "coefficients")}

    @classmethod
    def of_plain(cls, values: dict) -> Ridge:
        """Return what `plain` told of. Raises KeyError where a part is missing."""
        return cls(*(np.array(values[n], np.float64) for n in ("centre", "scale", "intercept", "coefficients")))


def _rounded(values: np.ndarray) -> np.ndarray:
    """Round to ten significant digits, so that what is stored is what is used."""
    with np.errstate(divide="ignore"):
        digits = 9 - np.floor(np.log10(np.abs(values)))
    factor = 10.0 ** np.where(np.isfinite(digits), np.clip(digits, -100, 100), 0)
    return np.round(values * factor) / factor


def _design(features: np.ndarray, centre: np.ndarray, scale: np.ndarray) -> np.ndarray:
    x = np.clip((features - centre) / scale, -_FURTHEST, _FURTHEST)
    return np.hstack([x, x**2 - 1])


def fit_ridge(features: np.ndarray, response: np.ndarray, weight: np.ndarray, strengths=STRENGTHS) -> list[Ridge]:
    """Fit every response to the features and their squares by weighted least squares with a penalty on the coefficients.

    Parameters
    ----------
    features : (n, n_raw) float64
    response, weight : (n, n_responses) float64
        Weights are not negative; a response whose weights are all nought has coefficients of nought.
    strengths : sequence of float
        Penalties, times the sum of weights.

    Returns
    -------
    list of Ridge
        One a strength. Hoerl & Kennard (1970, Technometrics 12, eq. 2.1); the intercept bears no penalty.

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> fit_ridge(x, 2 * x, np.ones((4, 1)), [1e-12])[0].predict(np.array([[1.5]])).round(6).tolist()
    [[3.0]]
    """
    centre, scale = features.mean(axis=0), features.std(axis=0)
    # numbers that differ by rounding alone (a category that is nowhere) are no information
    scale = np.where(scale > 1e-9 * np.maximum(np.abs(centre), 1e-9), scale, 1.0)
    x = _design(features, centre, scale)
    out = [(np.zeros(response.shape[1]), np.zeros((x.shape[1], response.shape[1]))) for _ in strengths]
    for j in range(response.shape[1]):
        w, y = weight[:, j], response[:, j]
        total = w.sum()
        if total <= 0:
            continue
        mean_x, mean_y = w @ x / total, w @ y / total
        gram = ((x - mean_x) * w[:, None]).T @ (x - mean_x) / total
        values, vectors = np.linalg.eigh(gram)
        along = vectors.T @ ((x - mean_x).T @ (w * (y - mean_y)) / total)
        for (intercept, coefficients), strength in zip(out, strengths, strict=True):
            coefficients[:, j] = vectors @ (along / (np.maximum(values, 0.0) + strength))
            intercept[j] = mean_y - mean_x @ coefficients[:, j]
    return [Ridge(*map(_rounded, (centre, scale, *found))) for found in out]
