"""Are the people within the publisher's noise: perturbed counts set against the perturbation that the publisher says.

Census 2021 counts carry random noise: tables of the same people disagree, and no population meets all of them. What can be asked
is that people differ from the published counts by no more than the noise does.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["cells_within", "noise_measures", "noise_ratio", "within_noise"]

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


def within_noise(frame: pd.DataFrame, by: str) -> pd.Series:
    """Say of zones or areas whether they are within the publisher's noise, all their tables taken together.

    frame : rows of `zone_fit` or `level_fit`, one a table, with the columns of `noise_measures`; by : column of the zone or area.
    Bool by zone: the sum over perturbed cells of squared (observed - published) / error is at most the 95th percentile of
    chi-squared with as many degrees, and no table without noise misses a target. Cells without noise in a perturbed table take
    no part.

    >>> one = {"zone": "A", "tae": 2.0, "noisy_cells": 2, "noise_ratio": 0.6}
    >>> two, three = one | {"tae": 3.0, "noise_ratio": 1.2}, {"zone": "B", "tae": 1.0, "noisy_cells": 0, "noise_ratio": np.nan}
    >>> within_noise(pd.DataFrame([one, two, three]), "zone").to_dict()  # A: (0.6 + 1.2) * 5.99 against 9.49
    {'A': False, 'B': False}
    """
    from scipy.stats import chi2

    n = frame["noisy_cells"].to_numpy()
    squares = frame["noise_ratio"].fillna(0.0).to_numpy() * chi2.ppf(0.95, np.maximum(n, 1))
    rows = pd.DataFrame({"squares": squares, "n": n, "exact_missed": (n == 0) & (frame["tae"].to_numpy() > 0)})
    sums = rows.groupby(frame[by].to_numpy(), sort=False).sum()
    return (sums["squares"] <= chi2.ppf(0.95, np.maximum(sums["n"], 1))) & (sums["exact_missed"] == 0)
