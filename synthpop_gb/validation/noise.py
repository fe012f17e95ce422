"""Are the people within the publisher's noise: perturbed counts set against the perturbation that the publisher says.

Census 2021 counts carry random noise: tables of the same people disagree, and no population meets all of them. What can be asked
is that people differ from the published counts by no more than the noise does.
"""

from __future__ import annotations

import numpy as np

__all__ = ["cells_within", "noise_measures", "noise_ratio"]

_Z = 1.96  # standard deviations: 95 % of normal noise


def cells_within(observed, published, error) -> np.ndarray:
    """Say of each cell whether |observed - published| < 1.96 standard errors + 1/2.

    observed, published : (..., n_cells) people; error : (n_cells,) or as these, standard errors, persons, > 0. The half is the
    correction for continuity: people and counts are whole, and of noise with a standard deviation of 0.5 about a fifth is one
    person.

    >>> cells_within([10, 12, 15], [11, 12, 12], [0.5, 0.5, 1.0]).tolist()
    [True, True, False]
    """
    return np.abs(np.asarray(observed) - published) < _Z * np.asarray(error) + 0.5


def noise_ratio(observed, published, error) -> np.ndarray:
    """Return sum over cells of (observed - published)^2 / error^2 over the 95th percentile of chi-squared with as many degrees.

    1 or less: the table as a whole is within its noise; noise alone exceeds it in about 1 of 20 tables. Shapes as in
    `cells_within`; one number a row.

    >>> round(float(noise_ratio([10, 12], [11, 12], [0.5, 0.5])), 4)  # 4 / 5.9915
    0.6676
    """
    from scipy.stats import chi2

    gap = (np.asarray(observed, np.float64) - published) / np.asarray(error)
    return (gap**2).sum(axis=-1) / chi2.ppf(0.95, gap.shape[-1])


def noise_measures(observed, published, error) -> dict[str, np.ndarray]:
    """Columns about the publisher's noise, one entry a row; NaN throughout for a table without noise.

    error : (n_cells,), or (n_rows, n_cells) where rows differ in it. noisy_cells (cells with a standard error above 0),
    cells_within_noise (how many of those are within it, see `cells_within`), noise_ratio (see there).
    """
    observed = np.asarray(observed, np.float64)
    error = np.broadcast_to(0.0 if error is None else np.asarray(error, np.float64), observed.shape)
    noisy = error > 0
    n, some = noisy.sum(axis=1), noisy.any(axis=1)
    within, ratio = np.full(len(n), np.nan), np.full(len(n), np.nan)
    if some.any():
        from scipy.stats import chi2

        gap = np.divide(observed - published, error, out=np.zeros(observed.shape), where=noisy)
        within[some] = (cells_within(observed, published, error) & noisy).sum(axis=1)[some]
        ratio[some] = (gap[some] ** 2).sum(axis=1) / chi2.ppf(0.95, n[some])
    return {"noisy_cells": n.astype(np.int64), "cells_within_noise": within, "noise_ratio": ratio}
