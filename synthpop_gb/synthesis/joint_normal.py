"""Joint modelling: numbers drawn from one multivariate normal distribution, learnt from complete records or by EM."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.errors import InputError, finding
from synthpop_gb.synthesis._columns import Column, columns_of, number_wanted, stream

__all__ = ["JointNormal", "fit_joint_normal", "normal_em"]


@dataclass(frozen=True, eq=False)
class JointNormal:
    """A multivariate normal distribution learnt from records.

    Attributes
    ----------
    mean : pandas.Series
        By variable; NaN where no value was known.
    covariance : pandas.DataFrame
        Divisor n, the maximum of the likelihood.
    n_records : int
        Records that the distribution was learnt from.
    cycles : int
        Of EM; 0 where only complete records were used.
    converged : bool
        Whether EM stopped because nothing moved.
    """

    mean: pd.Series
    covariance: pd.DataFrame
    n_records: int
    cycles: int
    converged: bool
    _columns: tuple[Column, ...]

    def draw(self, n: int | None = None, *, seed: int, blanks: bool = True) -> pd.DataFrame:
        """Draw synthetic records: mean + A z with A A' the covariance and z standard normal.

        Nothing but means, variances and covariances is kept: no skewness, no bend, no bound (heights below nought are drawn where
        the normal distribution has some). Whole numbers are rounded.

        Parameters
        ----------
        n : int, optional
            How many; as many as the frame had where absent.
        seed : int
            Same seed, same records.
        blanks : bool
            Give each record the pattern of missing values of a real one, drawn at random and independently of its values.

        Returns
        -------
        pandas.DataFrame
            Columns and types as learnt from.
        """
        n_real = len(self._columns[0].values)
        wanted = n_real if n is None else number_wanted(n, self.covariance)
        known = self.mean.notna().to_numpy()
        values = np.full((wanted, len(self._columns)), np.nan)
        spread, turn = np.linalg.eigh(self.covariance.to_numpy()[np.ix_(known, known)])
        root = turn * np.sqrt(np.maximum(spread, 0.0))  # a constant or a repeated column has no Cholesky factor, but a root
        z = stream(seed, "joint normal").standard_normal((wanted, int(known.sum())))
        values[:, known] = self.mean.to_numpy()[known] + z @ root.T
        if blanks:
            gone = np.isnan(np.stack([c.values for c in self._columns], axis=1))
            values[gone[stream(seed, "pattern").integers(n_real, size=wanted)]] = np.nan
        return pd.DataFrame({c.name: c.series(values[:, at]) for at, c in enumerate(self._columns)})


def fit_joint_normal(real: pd.DataFrame, *, missing: str = "em") -> JointNormal:
    """Learn a multivariate normal distribution from numbers.

    Parameters
    ----------
    real : pandas.DataFrame
        Numbers only; missing values as NaN. A column without any known value is left missing.
    missing : str
        'em': all records, by expectation and maximisation (Dempster, Laird & Rubin 1977), right where values are missing at
        random given what is known; 'complete': records without a missing value, right only where they are a random part of all.

    Returns
    -------
    JointNormal
        Draw from it with `JointNormal.draw`.

    Raises
    ------
    InputError
        'study-value' for categories and the rest of `columns_of`; 'no-records', also where 'complete' leaves none.
    ValueError
        For another word than 'em' or 'complete'.

    >>> frame = pd.DataFrame({"height": [150.0, 160, 170, 180], "weight": [50.0, 60, 60, 70]})
    >>> learnt = fit_joint_normal(frame)
    >>> learnt.mean.tolist(), learnt.covariance.to_numpy().tolist()
    ([165.0, 60.0], [[125.0, 75.0], [75.0, 50.0]])
    """
    if missing not in ("em", "complete"):
        raise ValueError(f"missing values are handled by 'em' or 'complete', not by {missing!r}")
    columns = columns_of(real)
    if wrong := [str(c.name) for c in columns if c.labels is not None]:
        message = f"A joint normal distribution takes numbers only; these are categories: {', '.join(wrong)}."
        raise InputError([finding("study-value", message, count=len(wrong), remedy="Leave them out, or use `sequential`.")])
    values = np.stack([c.values for c in columns], axis=1)
    known = ~np.isnan(values).all(axis=0)
    used = values[:, known]
    used = used[~np.isnan(used).any(axis=1)] if missing == "complete" else used[~np.isnan(used).all(axis=1)]
    if not len(used):
        raise InputError(
            [finding("no-records", "No record has a value in every column." if known.any() else "No value is known.")]
        )
    mean, covariance, cycles, converged = normal_em(used)
    names = [c.name for c in columns]
    means = pd.Series(np.nan, names)
    means[known] = mean
    full = np.full((len(names), len(names)), np.nan)
    full[np.ix_(known, known)] = covariance
    return JointNormal(means, pd.DataFrame(full, names, names), len(used), cycles, converged, columns)


def normal_em(values: np.ndarray, *, tolerance: float = 1e-8, most: int = 2000) -> tuple[np.ndarray, np.ndarray, int, bool]:
    """Maximum likelihood of a multivariate normal distribution from records with missing values.

    Each cycle puts the regression of what is missing on what is known in its place, adds the regression's residual covariance,
    and takes mean and covariance anew (Dempster, Laird & Rubin 1977; Little & Rubin 2002, section 11.2). Begins at means and
    variances of the known values. One closed step where nothing is missing.

    Parameters
    ----------
    values : numpy.ndarray
        (n, k) float64, NaN = missing; some value in every column and row.
    tolerance : float
        Stops when no mean and no covariance moves by more, in units of the variables' standard deviations.
    most : int
        Cycles at the most.

    Returns
    -------
    (mean, covariance, cycles, converged)
        (k,) and (k, k) float64, divisor n.

    >>> pairs = np.array([[1.0, 2], [2, 4], [3, 6], [4, np.nan]])  # y = 2 x: the fourth y can only be 8
    >>> mean, covariance, _, converged = normal_em(pairs)
    >>> mean.round(4).tolist(), covariance.round(4).tolist(), converged
    ([2.5, 5.0], [[1.25, 2.5], [2.5, 5.0]], True)
    """
    gone = np.isnan(values)
    centre = np.nanmean(values, axis=0)
    scale = np.nanstd(values, axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    x = (values - centre) / scale
    n, k = x.shape
    if not gone.any():
        return centre, np.atleast_2d(np.cov(values.T, bias=True)), 0, True
    patterns, which = np.unique(gone, axis=0, return_inverse=True)
    mean, covariance, cycle, moved = np.zeros(k), np.diag(np.nanvar(x, axis=0)), 0, np.inf
    while moved > tolerance and cycle < most:
        cycle += 1
        filled, extra = np.where(gone, 0.0, x), np.zeros((k, k))
        for at, pattern in enumerate(patterns):
            if not pattern.any():
                continue
            rows, m, o = np.flatnonzero(which.ravel() == at), np.flatnonzero(pattern), np.flatnonzero(~pattern)
            slope = covariance[np.ix_(m, o)] @ np.linalg.pinv(covariance[np.ix_(o, o)], hermitian=True)
            filled[np.ix_(rows, m)] = mean[m] + (x[np.ix_(rows, o)] - mean[o]) @ slope.T
            extra[np.ix_(m, m)] += len(rows) * (covariance[np.ix_(m, m)] - slope @ covariance[np.ix_(o, m)])
        new = filled.mean(axis=0)
        apart = filled - new
        spread = (apart.T @ apart + extra) / n
        moved = max(np.abs(new - mean).max(), np.abs(spread - covariance).max())
        mean, covariance = new, spread
    return centre + scale * mean, covariance * np.outer(scale, scale), cycle, bool(moved <= tolerance)
