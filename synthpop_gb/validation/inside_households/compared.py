"""One distribution of households: the population's beside the survey's and the true one, all zones together and each by itself.

Floors are the mean absolute error that sampling whole households leaves: a share is a ratio of sums over households, whose
variance is that of sum (m_c - p_c m) / sum m, linearised (Cochran 1977, Sampling Techniques, 6.4); errors are taken as normal,
with E|e| = sd sqrt(2 / pi). Several children of one household count together, as they must.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.validation.inside_households.distributions import Distribution

__all__ = ["Compared", "compared", "sampling_error"]

_NORMAL = np.sqrt(2 / np.pi)


@dataclass(frozen=True, eq=False)
class Compared:
    """A row of 'household_mix', the rows of 'household_cells' and of 'household_zones' (None without a truth)."""

    row: dict
    cells: pd.DataFrame
    zones: pd.DataFrame | None


def compared(one: Distribution, matrix, weight: np.ndarray, placed, truth: tuple | None, zones: pd.Index) -> Compared:
    """Compare a distribution.

    Parameters
    ----------
    one : Distribution
        Of the survey.
    matrix : scipy.sparse array
        (n_units, n_cells) its counts.
    weight : (n_units,) float64
        Design weights; 0 for residents of communal establishments.
    placed : scipy.sparse array
        (n_zones, n_units) copies of each household.
    truth : (matrix, zone) or None
        (n_true, n_cells) counts of true households in the same cells, and (n_true,) the zone of each.
    zones : pandas.Index
        Codes.
    """
    counts = _dense(placed @ matrix)
    survey, own_error = sampling_error(matrix, weight)
    ours = _share(counts.sum(axis=0))
    entries = np.asarray((matrix.T @ (weight > 0)).ravel())
    row = {
        "distribution": one.name, "unit": one.unit, "cells": len(one.labels), "survey": int(entries.sum()),
        "population": int(counts.sum()), "wrong_survey": _wrong(ours, survey), "floor_survey": 50 * _NORMAL * own_error.sum(),
    }  # fmt: skip
    frame = pd.DataFrame({
        "distribution": one.name, "cell": list(one.labels), "unit": one.unit, "entries": entries, "survey": 100 * survey,
        "population": 100 * ours, "truth": np.nan, "error_survey": 100 * (ours - survey), "error": np.nan,
    })  # fmt: skip
    if truth is None:
        return Compared(row, frame, None)
    true, zone = truth
    actual, error = sampling_error(true, np.ones(true.shape[0]))
    by_zone = _zones(one.name, counts, true, zone, survey, zones)
    size = by_zone["entries"].to_numpy(np.float64)
    live = (size > 0) & by_zone["wrong"].notna().to_numpy()
    means = {
        f"zone_{name}": float(np.average(by_zone.loc[live, name], weights=size[live])) if live.any() else np.nan
        for name in ("wrong", "as_survey", "floor")
    }
    off = 100 * (ours - actual)
    frame["truth"], frame["error"] = 100 * actual, off
    worst = int(np.argmax(np.abs(off)))
    row |= {
        "truth": int(true.sum()), "wrong": _wrong(ours, actual), "wrong_as_survey": _wrong(survey, actual),
        "floor": 50 * _NORMAL * error.sum(), "zones": int(live.sum()), **means, "worst_cell": one.labels[worst],
        "worst_error": float(off[worst]),
    }  # fmt: skip
    return Compared(row, frame, by_zone)


def sampling_error(matrix, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of each cell, and its standard error where households are drawn: (n_cells,) each; nought where there is nothing.

    matrix : (n_units, n_cells) sparse counts; weight : (n_units,).

    >>> from scipy.sparse import csr_array
    >>> share, error = sampling_error(csr_array(np.array([[1.0, 0], [0, 1], [1, 0], [0, 1]])), np.ones(4))
    >>> share.tolist(), error.round(3).tolist()
    ([0.5, 0.5], [0.25, 0.25])
    """
    total = np.asarray(matrix.T @ weight).ravel()
    everything = total.sum()
    if everything <= 0:
        return np.zeros(len(total)), np.zeros(len(total))
    share, size = total / everything, np.asarray(matrix.sum(axis=1)).ravel()
    squared = weight**2
    both = matrix.multiply(matrix).T @ squared
    cross = matrix.T @ (squared * size)
    variance = np.asarray(both).ravel() - 2 * share * np.asarray(cross).ravel() + share**2 * (squared * size**2).sum()
    return share, np.sqrt(np.maximum(variance, 0.0)) / everything


def _share(counts: np.ndarray) -> np.ndarray:
    return counts / (counts.sum() or 1.0)


def _wrong(left: np.ndarray, right: np.ndarray) -> float:
    """Per cent that would have to change cells; NaN where one side has nothing."""
    return 50 * float(np.abs(left - right).sum()) if left.any() and right.any() else np.nan


def _zones(name: str, counts: np.ndarray, true, zone: np.ndarray, survey: np.ndarray, zones: pd.Index) -> pd.DataFrame:
    """One row a zone: how far its households are from the true ones, beside the survey's and a random draw from the true ones."""
    from scipy.sparse import csr_array

    of_zone = csr_array((np.ones(len(zone)), (zone, np.arange(len(zone)))), shape=(len(zones), len(zone)))
    actual = _dense(of_zone @ true)
    total = actual.sum(axis=1)
    some = np.where(total > 0, total, 1.0)
    share = actual / some[:, None]
    size = np.asarray(true.sum(axis=1)).ravel()
    both, cross = _dense(of_zone @ true.multiply(true)), _dense(of_zone @ true.multiply(size[:, None]))
    variance = both - 2 * share * cross + share**2 * (of_zone @ size**2)[:, None]
    floor = 50 * _NORMAL * (np.sqrt(np.maximum(variance, 0.0)) / some[:, None]).sum(axis=1)
    ours = counts.sum(axis=1)
    mine = counts / np.where(ours > 0, ours, 1.0)[:, None]
    known = (total > 0) & (ours > 0)
    return pd.DataFrame({
        "zone": zones, "distribution": name, "entries": total.astype(np.int64),
        "wrong": np.where(known, 50 * np.abs(mine - share).sum(axis=1), np.nan),
        "as_survey": np.where(total > 0, 50 * np.abs(survey - share).sum(axis=1), np.nan),
        "floor": np.where(total > 0, floor, np.nan),
    })  # fmt: skip


def _dense(matrix) -> np.ndarray:
    return np.asarray(matrix.todense() if hasattr(matrix, "todense") else matrix, np.float64)
