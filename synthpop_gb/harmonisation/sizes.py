"""How many people a survey says live in each household, beside how many members of it there are."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.harmonisation.records import code_variable
from synthpop_gb.microdata import Microdata

__all__ = ["SIZES", "short_of_members"]

SIZES = (*("1 person", "2 people", "3 people", "4 people", "5 people", "6 people", "7 people"), "8 or more people")
"""Atoms of household size, as the common codebook has them."""

AGREEING = 0.9
"""Share of the households whose members a column of numbers must count, to be taken for their size."""

_MOST = 60  # people in a household: a column of larger numbers counts something else


def short_of_members(
    survey: Microdata, unit: np.ndarray, size: np.ndarray, communal: np.ndarray
) -> tuple[np.ndarray, str | None]:
    """Find the households that are said to be larger than the members they have.

    What says so is the variable household_size, else a column of numbers that is equal on all members of a household and counts
    them in nine households of ten: surveys publish the size beside the people, whatever they call it.

    unit : (n_records,) int64, household of each record, -1 = none; size : (n_units,) int64, members; communal : (n_units,) bool,
    units that are no households.

    Returns (n_units,) bool, and the column that told; None where nothing tells.
    """
    said, column = _described(survey, unit, len(size))
    if column is None:
        said, column = _counted(survey, unit, size, communal)
    return (said > size) & ~communal, column


def _described(survey: Microdata, unit: np.ndarray, n_units: int) -> tuple[np.ndarray, str | None]:
    """Fewest people that the category of household_size leaves possible, by unit, and its column."""
    variable = survey.variables.get("household_size")
    if variable is None or (variable.column or variable.name) not in survey.records:
        return np.zeros(n_units, np.int64), None
    least = [min((i + 1 for i, atom in enumerate(SIZES) if atom in c.atoms), default=0) for c in variable.categories]
    of_record = code_variable(survey, variable).by_category(least, 0, 0)
    said = np.zeros(n_units, np.int64)
    np.maximum.at(said, unit[unit >= 0], of_record[unit >= 0])
    return said, variable.column or variable.name


def _counted(survey: Microdata, unit: np.ndarray, size: np.ndarray, communal: np.ndarray) -> tuple[np.ndarray, str | None]:
    """Value by unit of the column that agrees best with the numbers of members, and its name."""
    best, found, name = AGREEING, np.zeros(len(size), np.int64), None
    inside = np.flatnonzero(unit >= 0)
    if not len(inside):
        return found, name
    order = inside[np.argsort(unit[inside], kind="stable")]
    first = np.flatnonzero(np.diff(unit[order], prepend=-1))
    special = {survey.household, survey.household_weight, survey.weight, survey.strata, survey.cluster}
    for column in survey.records.columns:
        if column in special or not pd.api.types.is_numeric_dtype(survey.records[column]):
            continue
        values = survey.records[column].to_numpy(dtype=np.float64, na_value=np.nan)[order]
        low, high = np.fmin.reduceat(values, first), np.fmax.reduceat(values, first)
        known = np.isfinite(low) & ~communal
        mine = low[known]
        if not known.any() or (mine != high[known]).any() or (mine != np.floor(mine)).any():
            continue
        share = np.mean(mine == size[known])
        if share < best or mine.min() < 1 or mine.max() > _MOST or mine.min() == mine.max():
            continue
        best, name = max(share, np.nextafter(best, 2)), str(column)
        found = np.where(known, low, 0).astype(np.int64)
    return found, name
