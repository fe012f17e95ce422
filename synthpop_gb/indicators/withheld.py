"""Withheld: what a licence keeps from figures: those that few records stand behind, and groups that few records are in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthpop_gb.indicators.table import FEW_DONORS

__all__ = ["few_withheld", "significant", "three_figures"]

_VALUES = ("estimate", "lower", "upper", "counted")
_TELLING = (*_VALUES, "standard_error", "replicate_error", "finite_error", "model_error")


def few_withheld(frame: pd.DataFrame, records_by_group: Sequence[int] | None) -> tuple[pd.DataFrame, int]:
    """Blank figures that fewer than `FEW_DONORS` records stand behind; leave out groups that fewer records are in.

    A group's label is a value of the survey: that of a group of one is one record's.

    Parameters
    ----------
    frame : pandas.DataFrame
        As of `Indicators` or a simulation: areas by groups, and that several times over.
    records_by_group : sequence of int, optional
        Records of the survey in each group, in order; None where there are no groups.

    Returns
    -------
    (pandas.DataFrame, int)
        The rows that are left, numbered anew, and how many figures were blanked or left out.

    >>> told = {name: [0.5, 0.5, 0.5] for name in _TELLING}
    >>> frame = pd.DataFrame({**told, "donors": [40, 3, 40], "people": [90.0, 8.0, 90.0]})
    >>> found, held = few_withheld(frame, [300, 300, 2])
    >>> found["estimate"].tolist(), held
    ([0.5, nan], 2)
    """
    kept = np.ones(len(frame), bool)
    if records_by_group is not None:
        kept = np.tile(np.asarray(records_by_group) >= FEW_DONORS, len(frame) // len(records_by_group))
    frame = frame[kept].reset_index(drop=True)
    few = (frame["donors"] < FEW_DONORS) & (frame["people"] > 0)
    frame = frame.assign(**{name: frame[name].mask(few) for name in _TELLING})
    return frame, int(few.sum() + (~kept).sum())


def three_figures(frame: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    """Round estimates that are some record's answer, as quantiles are, to three figures. rows : (n,) bool."""
    return frame.assign(**{name: frame[name].mask(rows, significant(frame[name], 3)) for name in _VALUES})


def significant(values, figures: int) -> np.ndarray:
    """Round to so many significant figures; NaN and infinite values stay."""
    return np.array([float(f"{v:.{figures}g}") for v in np.asarray(values, np.float64)])
