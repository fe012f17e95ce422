"""One weighted linear or logistic regression, with what the records do not determine told apart from what they do."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from synthpop_gb.validation.utility._sides import part

__all__ = ["Fit", "fit"]

_NO_ERROR = 10.0
"""A log odds with a larger standard error says nothing: its category has one outcome only, and the estimate is infinite."""

_NO_ODDS = 15.0


@dataclass(frozen=True, eq=False)
class Fit:
    """Coefficients of one side.

    Attributes
    ----------
    coefficient, error : numpy.ndarray
        (p,) float64, the intercept first; NaN where the records do not determine it.
    covariance : numpy.ndarray
        (p, p) float64.
    aliased, separated : numpy.ndarray
        (p,) bool: does not vary or is a sum of columns before it; has an infinite estimate.
    records : int
        Records of some weight.
    n : float
        Their effective number.
    """

    coefficient: np.ndarray
    error: np.ndarray
    covariance: np.ndarray
    aliased: np.ndarray
    separated: np.ndarray
    records: int
    n: float


def fit(x: np.ndarray, y: np.ndarray, weight: np.ndarray, *, logistic: bool) -> Fit | str:
    """Fit a model, or return in words why there is none.

    x : (n, p) columns without the intercept; y : (n,) outcome, 0 or 1 of a logistic model; weight : (n,) weights that add up to
    the effective number of records. Variances are the model's own, at the effective number; of a linear model with that number
    less the parameters as divisor.
    """
    (glm,) = part("statsmodels.genmod.generalized_linear_model", "GLM")
    families = part("statsmodels.genmod.families", "Binomial", "Gaussian")
    some = weight > 0
    x, y, weight = x[some], y[some], weight[some]
    p = x.shape[1] + 1
    sure = np.zeros(p, bool)
    if logistic:
        sure[1:], live = _sure(x, y)
        if live.any() and not live.all() and (y[live] == y[live][0]).all() and (y != y[0]).any():
            return "one predictor alone decides the outcome, so that coefficients are infinite"
        x, y, weight = x[live], y[live], weight[live]
    if len(y) < 2 or (y == y[0]).all():
        return "the outcome does not vary"
    full = np.concatenate([np.ones((len(x), 1)), x], axis=1)
    kept = np.flatnonzero(_independent(full, weight) & ~sure)
    n = float(weight.sum())
    if n <= len(kept) + 1:
        return f"{n:,.4g} effective records cannot determine {len(kept)} coefficients"
    family = families[0]() if logistic else families[1]()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # separation and slow convergence are told from the result below
        try:
            result = glm(y, full[:, kept], family=family, freq_weights=weight).fit(maxiter=60)
            found = np.asarray(result.params, np.float64), np.asarray(result.cov_params(), np.float64)
        except (ValueError, np.linalg.LinAlgError, ArithmeticError) as error:
            return f"the fit failed: {error}"
    coefficient, covariance = np.full(p, np.nan), np.full((p, p), np.nan)
    coefficient[kept], covariance[np.ix_(kept, kept)] = found
    variance = np.diag(covariance)
    error = np.sqrt(np.where(variance > 0, variance, np.nan))
    aliased = np.ones(p, bool)
    aliased[kept] = False
    lost = ~np.isfinite(error) & ~aliased
    aliased &= ~sure
    separated = sure | lost | ((error > _NO_ERROR) | (np.abs(coefficient) > _NO_ODDS) if logistic else np.zeros(p, bool))
    coefficient, error = (np.where(separated, np.nan, a) for a in (coefficient, error))
    return Fit(coefficient, error, covariance, aliased, separated & ~aliased, len(y), n)


def _sure(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns of 0 and 1 whose ones have one outcome only, and the rows that are left without those.

    Their likelihood is largest at infinity, where these rows are certain and say nothing of the other coefficients: left out,
    the others are estimated as in the limit. That may leave another column with one outcome, so it is done until none is left.
    """
    sure, live = np.zeros(x.shape[1], bool), np.ones(len(y), bool)
    dummy = ((x == 0) | (x == 1)).all(axis=0)
    while True:
        ones = x[live][:, dummy]
        count, positive = ones.sum(axis=0), y[live] @ ones
        found = np.flatnonzero(dummy)[(count > 0) & ((positive == 0) | (positive == count))]
        if not len(found):
            return sure, live
        sure[found], dummy[found] = True, False
        live &= ~(x[:, found] == 1).any(axis=1)


def _independent(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Columns that are no sum of those before them, as R drops aliased terms: from the last."""
    scaled = x * np.sqrt(weight)[:, None]
    length = np.sqrt((scaled**2).sum(axis=0))
    scaled = scaled / np.where(length > 0, length, 1.0)
    left = np.abs(np.diag(np.linalg.qr(scaled, mode="r")))
    left = np.concatenate([left, np.zeros(x.shape[1] - len(left))])  # more columns than records
    return left > 1e-7
