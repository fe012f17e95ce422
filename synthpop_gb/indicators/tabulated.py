"""Tabulated: figures of whole variables, category by category, in groups and at several levels of place, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.indicators.table import FEW_DONORS, RELIABILITY

__all__ = ["CLASSES", "WITHHELD", "Figures", "Group", "Level", "Measured", "reliability_codes"]

CLASSES = (*RELIABILITY, "")
"""Classes of reliability by code; the last, without a word, is that of figures that were not estimated."""

WITHHELD = len(CLASSES)
"""Code of figures that may not be shown: fewer than `FEW_DONORS` records of a survey that is not open stand behind them."""


@dataclass(frozen=True, eq=False)
class Measured:
    """Something to be estimated everywhere: the shares of a variable's categories, the share who meet a condition, or a mean.

    Attributes
    ----------
    name : str
        The variable, the condition, or the column of numbers.
    columns : tuple of str
        Labels of what is estimated: the categories; one for a condition or a mean.
    base : (n_records,) bool
        Records that count: of whom it is known, and of households their references only.
    values : (n_records, n_columns) float64
        1 where a record is in the category, or its number; 0 outside the base.
    share : bool
        Whether the figures are shares.
    of : str
        'person' or 'household'.
    """

    name: str
    columns: tuple[str, ...]
    base: np.ndarray
    values: np.ndarray
    share: bool = True
    of: str = "person"


@dataclass(frozen=True, eq=False)
class Group:
    """Records of one group: `member` (n_records,) bool; everybody has no variable."""

    variable: str
    label: str
    member: np.ndarray


@dataclass(frozen=True, eq=False)
class Level:
    """Areas of one level: `areas` their codes, `of_zone` (n_zones,) int64 position of each zone's, -1 = none."""

    name: str
    areas: pd.Index
    of_zone: np.ndarray


@dataclass(frozen=True, eq=False)
class Figures:
    """Figures of one `Measured` at one level.

    Attributes
    ----------
    estimate, half : (n_groups, n_columns, n_areas) float64
        Estimate, and half the width of its interval before it is cut off at what is possible; NaN where nothing was estimated.
    reliability : (n_groups, n_columns, n_areas) uint8
        Codes of `CLASSES`, or `WITHHELD`.
    people : (n_groups, n_areas) float64
        People, or households, in the base, expected.
    donors : (n_groups, n_areas) int64
        Distinct records behind them.
    below : (n_groups, n_columns, n_areas) float64, optional
        How far the interval reaches below the estimate, where that is not `half`.
    """

    estimate: np.ndarray
    half: np.ndarray
    reliability: np.ndarray
    people: np.ndarray
    donors: np.ndarray
    below: np.ndarray | None = None

    def withheld(self, few: int = FEW_DONORS) -> Figures:
        """Return the same with figures blanked that fewer records stand behind, unless nobody is there."""
        hidden = np.broadcast_to(((self.donors < few) & ~(self.people <= 0))[:, None, :], self.estimate.shape)
        return Figures(
            np.where(hidden, np.nan, self.estimate), np.where(hidden, np.nan, self.half),
            np.where(hidden, np.uint8(WITHHELD), self.reliability), self.people, self.donors,
            None if self.below is None else np.where(hidden, np.nan, self.below),
        )  # fmt: skip


def reliability_codes(estimate, standard_error, donors, *, share: bool) -> np.ndarray:
    """Say classes as `classify` does, in codes of `CLASSES`; without an error only few records make a figure unreliable.

    >>> reliability_codes([0.2, 0.01, 0.2, np.nan], [0.009, 0.01, 0.001, 0.1], [50, 50, 3, 50], share=True).tolist()
    [0, 3, 3, 4]
    """
    estimate, error, donors = (np.asarray(a, float) for a in (estimate, standard_error, donors))
    size = np.minimum(np.abs(estimate), np.abs(1.0 - estimate)) if share else np.abs(estimate)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        variation = np.where(size > 0, error / size, np.where(np.isnan(error), np.nan, np.inf))
    found = np.searchsorted(list(RELIABILITY.values())[:-1], variation, side="right").astype(np.uint8)
    none, unreliable = len(CLASSES) - 1, len(CLASSES) - 2
    found[np.isnan(variation)] = none
    found[np.broadcast_to(donors, found.shape) < FEW_DONORS] = unreliable
    found[~np.isfinite(estimate)] = none
    return found
