"""AreaIncomes: incomes as published for areas, each with its error: what they are of, when, and how they were measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding
from synthpop_gb.provenance import InputFile

__all__ = ["MEASURES", "AreaIncomes", "error_unit", "mean_error"]

MEASURES = ("mean", "median", "share")
"""What can be published of an area: the mean or the median income, or the share of those at or above an amount."""

_UNITS = ("household", "person")


@dataclass(frozen=True, eq=False)
class AreaIncomes:
    """Incomes of areas as published, or as brought to other areas and another year.

    Attributes
    ----------
    name : str
        Short name for tables and reports, unique within a study.
    values : pandas.DataFrame
        Indexed by area code (unique, named 'area'), float64 columns `value` (in `unit`, above 0; of shares from 0 to 1) and
        `standard_error` (in the same unit, not negative; NaN where the publisher gives none).
    measure : str
        One of `MEASURES`.
    of : str
        Who counts once in it: 'household' or 'person'.
    what : str
        What is counted as income, in words: 'net, equivalised, before housing costs'.
    equivalised : bool, optional
        Whether incomes are adjusted for the household's size; None where nobody says.
    unit : str
        Unit of the values: 'pounds a year', 'share'.
    year : int, optional
        Year that most of the period lies in: 2019 for the year ending in March 2020.
    period : str
        The period in words.
    above : float, optional
        Of shares: the amount that incomes are at or above, in pounds a year.
    groups : mapping of str to str, optional
        Where areas were taken together to fit other areas: code of each of those = the row of `values` that it is part of.
    uprated : float
        Factor that values and errors were multiplied by since they were read.
    source : InputFile, optional
        The file.
    findings : tuple of Finding
        What was noticed while reading.

    Raises
    ------
    ValueError
        For an unknown measure or unit, areas listed twice, values or errors out of range.
    """

    name: str
    values: pd.DataFrame
    measure: str = "mean"
    of: str = "household"
    what: str = ""
    equivalised: bool | None = None
    unit: str = "pounds a year"
    year: int | None = None
    period: str = ""
    above: float | None = None
    groups: Mapping[str, str] | None = None
    uprated: float = 1.0
    source: InputFile | None = None
    findings: tuple[Finding, ...] = field(default=())

    def __post_init__(self):
        if self.measure not in MEASURES:
            raise ValueError(f"measure is one of {', '.join(MEASURES)}, not {self.measure!r}")
        if self.of not in _UNITS:
            raise ValueError(f"incomes are of a {' or a '.join(_UNITS)}, not of {self.of!r}")
        if (self.measure == "share") != (self.above is not None):
            raise ValueError("shares, and only they, are of incomes `above` an amount")
        if not self.values.index.is_unique:
            raise ValueError(f"{self.name} lists an area twice: {self.values.index[self.values.index.duplicated()][0]}")
        value, error = (self.values[c].to_numpy(np.float64) for c in ("value", "standard_error"))
        most = 1.0 if self.measure == "share" else np.inf
        low = value >= 0 if self.measure == "share" else value > 0
        if not (np.isfinite(value) & low & (value <= most)).all() or (error < 0).any() or np.isinf(error).any():
            raise ValueError(f"{self.name} has values or errors out of range")

    @property
    def areas(self) -> pd.Index:
        """Codes of the areas."""
        return self.values.index

    @property
    def relative_errors(self) -> np.ndarray:
        """(n_areas,) standard error of each value over the value."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.values["standard_error"].to_numpy(float) / self.values["value"].to_numpy(float)

    def with_errors(self, *, standard_error: float | None = None, relative_error: float | None = None) -> AreaIncomes:
        """Give all areas one error, in the values' unit or as a share of each value. Raises ValueError unless one is given."""
        if (standard_error is None) == (relative_error is None):
            raise ValueError("give either standard_error or relative_error")
        value = self.values["value"]
        error = relative_error * value if standard_error is None else np.full(len(value), float(standard_error))
        return replace(self, values=self.values.assign(standard_error=np.asarray(error, float)))

    def uprate(self, factor: float) -> AreaIncomes:
        """Multiply values and errors (of shares: the amount) by a factor, e.g. by how incomes rose to the survey's year.

        Raises ValueError for a factor that is not a number above 0.

        >>> published = AreaIncomes("net", pd.DataFrame({"value": [30_000.0], "standard_error": [900.0]}, index=["E02000001"]))
        >>> published.uprate(1.05).values.loc["E02000001"].tolist()
        [31500.0, 945.0]
        """
        if not (np.isfinite(factor) and factor > 0):
            raise ValueError(f"incomes are uprated by a factor above 0, not {factor}")
        done = self.uprated * factor
        if self.measure == "share":
            return replace(self, above=self.above * factor, uprated=done)
        return replace(self, values=self.values * factor, uprated=done)

    def row_of(self, codes: pd.Index) -> np.ndarray:
        """(n,) row of `values` that each area code belongs to, -1 where nothing is published."""
        if self.groups is not None:
            codes = pd.Index([self.groups.get(str(c)) for c in codes], dtype=object)
        return self.areas.get_indexer(codes)

    def __repr__(self) -> str:
        """One line: what, of how many areas, how large, how sure."""
        value, error = self.values["value"], self.relative_errors
        sure = f", standard error {100 * np.nanmedian(error):.1f} %" if np.isfinite(error).any() else ", no standard errors"
        scaled = f"{value.median():.1%}" if self.measure == "share" else f"{value.median():,.0f} {self.unit}"
        of = "households" if self.of == "household" else "persons"
        return f"AreaIncomes {self.name}: {self.measure} of {of} in {len(value):,} areas, typically {scaled}{sure}"


def mean_error(figures: pd.Series, published: pd.Series, measure: str) -> float:
    """Mean absolute difference of areas' figures from what is published, in per cent of that; of shares in percentage points.

    Areas where one of them is NaN do not count.

    >>> mean_error(pd.Series([125.0, 75.0]), pd.Series([100.0, 100.0]), "mean")
    25.0
    """
    scale = 1.0 if measure == "share" else published
    return 100 * float((np.abs(figures - published) / scale).mean())


def error_unit(measure: str) -> str:
    """Return the unit of `mean_error`."""
    return "points" if measure == "share" else "%"
