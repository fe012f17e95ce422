"""Conditionals: draw one variable given others, by regression with normal errors, logistic regression, or trees with donors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthpop_gb.synthesis._columns import sklearn_part

__all__ = ["CATEGORY_METHODS", "NUMBER_METHODS", "Predictor", "Settings", "draw_conditional", "natural_spline"]

NUMBER_METHODS = ("linear", "sqrt", "spline", "sqrt-spline", "cart", "bootstrap")
"""Of numbers: linear regression; of the square root; on natural splines of the numbers; both; a tree; at random."""

CATEGORY_METHODS = ("logistic", "cart", "bootstrap")
"""Of categories: (multinomial) logistic regression; a tree; at random."""


@dataclass(frozen=True)
class Settings:
    """How conditionals are fitted.

    Attributes
    ----------
    proper : bool
        Draw the parameters, too: of regressions with normal errors from their posterior under the usual flat prior (Rubin 1987,
        section 5.3), of all others by fitting to a bootstrap sample. Without it, synthetic data vary less than new real data
        would.
    minbucket : int
        Records in a leaf of a tree at the least.
    df : int
        Degrees of freedom of a natural spline: interior knots + 1.
    penalty : float
        Variance of the normal prior on logistic coefficients of standardised predictors: weak, yet finite where classes are
        separated.
    """

    proper: bool = False
    minbucket: int = 5
    df: int = 4
    penalty: float = 10.0


@dataclass(frozen=True, eq=False)
class Predictor:
    """One variable that others are predicted from: real and synthetic values, categories as positions, NaN = missing.

    n_labels : int, number of categories; 0 of a number.
    """

    real: np.ndarray
    synthetic: np.ndarray
    n_labels: int = 0


def draw_conditional(
    method: str,
    y: np.ndarray,
    predictors: list[Predictor],
    used: np.ndarray,
    wanted: np.ndarray,
    settings: Settings,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw synthetic values of one variable given others.

    Parameters
    ----------
    method : str
        One of `NUMBER_METHODS` or `CATEGORY_METHODS`.
    y : numpy.ndarray
        (n_used,) float64, known real values of the variable, categories as positions.
    predictors : list of Predictor
        Whatever y is modelled by.
    used, wanted : numpy.ndarray
        Positions of the real records that `y` belongs to, and of the synthetic ones for which values are drawn.
    settings : Settings
        See there.
    rng : numpy.random.Generator
        The only source of chance.

    Returns
    -------
    numpy.ndarray
        (n_wanted,) float64. Where there is too little to model (no predictor, fewer records than parameters, one class),
        values are those of real records drawn at random.
    """
    if method == "bootstrap" or not predictors or len(y) < 2:
        return _bootstrap(y, len(wanted), rng)
    if method == "cart":
        x, new = _raw(predictors, used, wanted)
        return _cart(y, x, new, settings, rng, classes=False)
    if method == "cart-category":
        x, new = _raw(predictors, used, wanted)
        return _cart(y, x, new, settings, rng, classes=True)
    if method == "logistic":
        x, new = _design(predictors, used, wanted, 0)
        return _logistic(y, x, new, settings, rng)
    x, new = _design(predictors, used, wanted, settings.df if "spline" in method else 0)
    if method.startswith("sqrt"):
        root = _linear(np.sqrt(y), x, new, settings, rng)
        return np.maximum(root, 0.0) ** 2
    return _linear(y, x, new, settings, rng)


def natural_spline(x: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Natural cubic spline basis: linear beyond the outer knots (Hastie, Tibshirani & Friedman 2009, equations 5.4 and 5.5).

    x : (n,) float64; knots : (k,) float64, increasing, k >= 2. Returns (n, k - 1): x itself and k - 2 bent columns, all scaled by
    the knots' range. The constant is left to the model.

    >>> natural_spline(np.array([0.0, 1, 2]), np.array([0.0, 1, 2])).tolist()  # at 2: d_1 = 8/2, d_2 = 1/1; (4 - 1) / 4
    [[0.0, 0.0], [0.5, 0.125], [1.0, 0.75]]
    """
    low, reach = knots[0], knots[-1] - knots[0]
    x, at = (np.asarray(x, np.float64) - low) / reach, (np.asarray(knots, np.float64) - low) / reach

    def bent(k):
        return (np.maximum(x - at[k], 0.0) ** 3 - np.maximum(x - at[-1], 0.0) ** 3) / (at[-1] - at[k])

    last = bent(len(at) - 2)
    return np.stack([x, *(bent(k) - last for k in range(len(at) - 2))], axis=1)


def _bootstrap(y: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    return y[rng.integers(len(y), size=n)] if len(y) else np.full(n, np.nan)


def _design(predictors, used, wanted, df: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns for regressions, of the real records used and the synthetic ones wanted: all scaled by the real ones.

    A number: itself, or its natural spline; missing values at the mean, and a column that says so. A category: a column a
    label but the first; missing is a label.
    """
    real, new = [], []
    for p in predictors:
        values, there = p.real[used], p.synthetic[wanted]
        if p.n_labels:
            for label in range(1, p.n_labels):
                real.append(values == label)
                new.append(there == label)
        elif not np.isnan(values).all():
            centre = np.nanmean(values)
            basis = _basis(values[~np.isnan(values)], df)
            real.extend(basis(np.where(np.isnan(values), centre, values)).T)
            new.extend(basis(np.where(np.isnan(there), centre, there)).T)
        if np.isnan(p.real).any():
            real.append(np.isnan(values))
            new.append(np.isnan(there))
    if not real:
        return np.empty((len(used), 0)), np.empty((len(wanted), 0))
    x, x_new = np.stack(real, axis=1).astype(np.float64), np.stack(new, axis=1).astype(np.float64)
    mean, spread = x.mean(axis=0), x.std(axis=0)
    kept = spread > 0  # a column that never varies among the records used teaches nothing
    return (x[:, kept] - mean[kept]) / spread[kept], (x_new[:, kept] - mean[kept]) / spread[kept]


def _basis(known: np.ndarray, df: int):
    """Return the function from a number to its columns: itself, or a natural spline, knots at the ends and even quantiles."""
    knots = np.unique(np.quantile(known, np.linspace(0, 1, df + 1))) if df else np.empty(0)
    return (lambda v: natural_spline(v, knots)) if len(knots) > 2 else (lambda v: v[:, None])


def _raw(predictors, used, wanted) -> tuple[np.ndarray, np.ndarray]:
    """Columns for trees: numbers as they are, missing below the least, so that a split can set them apart; a column a label."""
    real, new = [], []
    for p in predictors:
        values, there = p.real[used], p.synthetic[wanted]
        if p.n_labels:
            labels = range(1 if p.n_labels == 2 else 0, p.n_labels)
            real += [values == label for label in labels]
            new += [there == label for label in labels]
        else:
            known = p.real[~np.isnan(p.real)]
            below = known.min() - max(1.0, np.ptp(known)) if len(known) else 0.0
            real.append(np.where(np.isnan(values), below, values))
            new.append(np.where(np.isnan(there), below, there))
        if p.n_labels and np.isnan(p.real).any():
            real.append(np.isnan(values))
            new.append(np.isnan(there))
    return np.stack(real, axis=1).astype(np.float64), np.stack(new, axis=1).astype(np.float64)


def _linear(y, x, new, settings: Settings, rng) -> np.ndarray:
    """Draw by normal linear regression. By singular values, so that columns that repeat each other do no harm."""
    centre = y.mean()
    u, size, turn = np.linalg.svd(x, full_matrices=False)
    kept = size > 1e-10 * (size[0] if len(size) else 0.0)
    u, size, turn = u[:, kept], size[kept], turn[kept]
    along = u.T @ (y - centre)
    free = len(y) - len(size) - 1
    if free < 1:
        return _bootstrap(y, len(new), rng)
    sigma = np.sqrt(np.sum((y - centre - u @ along) ** 2) / free)
    if settings.proper:
        sigma = sigma * np.sqrt(free / rng.chisquare(free))
        along = along + sigma * rng.standard_normal(len(along))
        centre = centre + sigma / np.sqrt(len(y)) * rng.standard_normal()
    return centre + (new @ turn.T) @ (along / size) + sigma * rng.standard_normal(len(new))


def _logistic(y, x, new, settings: Settings, rng) -> np.ndarray:
    """Logistic regression with a weak normal prior; classes drawn by their probabilities."""
    (model,) = sklearn_part("linear_model", ["LogisticRegression"])
    if settings.proper:
        rows = rng.integers(len(y), size=len(y))
        y, x = y[rows], x[rows]
    if len(np.unique(y)) < 2 or not x.shape[1] or not len(new):
        return _bootstrap(y, len(new), rng)
    fitted = model(C=settings.penalty, max_iter=2000).fit(x, y.astype(np.int64))
    shares = np.cumsum(fitted.predict_proba(new), axis=1)
    drawn = (rng.random(len(new))[:, None] >= shares[:, :-1]).sum(axis=1)
    return fitted.classes_[drawn].astype(np.float64)


def _cart(y, x, new, settings: Settings, rng, *, classes: bool) -> np.ndarray:
    """Tree grown to leaves of `minbucket` records; each synthetic record takes the value of a random real one of its leaf.

    Reiter (2005). Splits that tie are chosen by a number from the stream.
    """
    regression, classification = sklearn_part("tree", ["DecisionTreeRegressor", "DecisionTreeClassifier"])
    if settings.proper:
        rows = rng.integers(len(y), size=len(y))
        y, x = y[rows], x[rows]
    tree = (classification if classes else regression)(
        min_samples_leaf=settings.minbucket, random_state=int(rng.integers(2**31 - 1))
    ).fit(x, y.astype(np.int64) if classes else y)
    if not len(new):
        return np.empty(0)
    leaf, leaf_new = tree.apply(x), tree.apply(new)
    order = np.argsort(leaf, kind="stable")
    first = np.searchsorted(leaf[order], leaf_new, side="left")
    after = np.searchsorted(leaf[order], leaf_new, side="right")
    return y[order[first + np.floor(rng.random(len(new)) * (after - first)).astype(np.int64)]]
