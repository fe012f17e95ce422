"""Columns of a frame as plain float64 arrays and back again; one stream of random numbers a purpose."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.errors import InputError, finding

__all__ = ["Column", "columns_of", "number_wanted", "sklearn_part", "stream"]


@dataclass(frozen=True, eq=False)
class Column:
    """One variable as numbers, with what is needed to write it as it was.

    Attributes
    ----------
    name : hashable
        Its name in the frame.
    values : numpy.ndarray
        (n_records,) float64, NaN where missing: of a category the position of its label in `labels`.
    labels : pandas.Index or None
        Of a category: its labels, in the order of the frame's Categorical, else sorted; None of a number.
    whole : bool
        Of a number: whether all known values are whole; synthetic ones are rounded then.
    dtype : object
        Type of the frame's column.
    """

    name: object
    values: np.ndarray
    labels: pd.Index | None
    whole: bool
    dtype: object

    @property
    def known(self) -> np.ndarray:
        """(n_known,) float64: values that are not missing, in the order of the records."""
        return self.values[~np.isnan(self.values)]

    def series(self, values: np.ndarray) -> pd.Series:
        """Write values of this column as the frame had them: labels, whole numbers whole, and the same type where it fits.

        values : (n,) float64, NaN = missing.
        """
        values = np.asarray(values, np.float64)
        gone = np.isnan(values)
        if self.labels is not None:
            codes = np.where(gone, -1, values).astype(np.int64)
            made = pd.Series(pd.Categorical.from_codes(codes, categories=self.labels), name=self.name)
            if isinstance(self.dtype, pd.CategoricalDtype):
                return made.astype(self.dtype)
            return made.astype(object) if gone.any() and self.dtype == bool else made.astype(self.dtype)
        if self.whole:
            values = np.rint(values)
        made = pd.Series(values, name=self.name)
        if not gone.any() or pd.api.types.is_extension_array_dtype(self.dtype):
            return made.astype(self.dtype)
        return made


def columns_of(frame: pd.DataFrame) -> tuple[Column, ...]:
    """Read a frame's columns: numbers are numbers; text, truth values and Categoricals are categories.

    Raises
    ------
    InputError
        'no-records' for a frame without rows or columns; 'study-value' for two columns of one name, infinite numbers, dates and
        whatever else is neither a number nor a category. All at once.
    """
    if not len(frame) or not len(frame.columns):
        raise InputError([finding("no-records", f"The frame has {len(frame):,} rows and {len(frame.columns)} columns.")])
    wrong = []
    if not frame.columns.is_unique:
        twice = sorted({str(c) for c in frame.columns[frame.columns.duplicated()]})
        wrong.append(finding("study-value", f"Columns share a name: {', '.join(twice)}.", count=len(twice)))
    made = []
    for at, name in enumerate(frame.columns):
        column = frame.iloc[:, at]
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column) and not _complex(column):
            values = column.to_numpy(np.float64, na_value=np.nan)
            if np.isinf(values).any():
                n = int(np.isinf(values).sum())
                wrong.append(finding("study-value", f"Column {name!r} has {n:,} infinite values.", place=str(name), count=n))
            known = values[~np.isnan(values)]
            whole = bool(len(known)) and bool((known == np.rint(known)).all())
            made.append(Column(name, values, None, whole, column.dtype))
        elif _category(column):
            found = pd.Categorical(column)  # unordered text is sorted by pandas; a Categorical keeps its own order
            values = np.where(found.codes < 0, np.nan, found.codes.astype(np.float64))
            made.append(Column(name, values, found.categories, False, column.dtype))
        else:
            message = f"Column {name!r} of type {column.dtype} is neither numbers nor categories."
            wrong.append(finding("study-value", message, place=str(name)))
    if wrong:
        raise InputError(wrong)
    return tuple(made)


def _complex(column: pd.Series) -> bool:
    return pd.api.types.is_complex_dtype(column)


def _category(column: pd.Series) -> bool:
    """Whether a column holds categories: a Categorical, truth values, or text."""
    if isinstance(column.dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(column):
        return True
    if isinstance(column.dtype, pd.StringDtype):
        return True
    return column.dtype == object and bool(column.dropna().map(lambda v: isinstance(v, str | bool)).all())


def number_wanted(n: int | None, frame: pd.DataFrame) -> int:
    """Return how many records are to be made: as many as the frame has where `n` is None. Raises ValueError below nought."""
    wanted = len(frame) if n is None else int(n)
    if wanted < 0:
        raise ValueError(f"n = {wanted} records cannot be made")
    return wanted


def stream(seed: int, *purpose: object) -> np.random.Generator:
    """Return the generator of one purpose: of the same seed and purpose the same bits, whatever else is drawn.

    >>> stream(1, "age").integers(10, size=3).tolist() == stream(1, "age").integers(10, size=3).tolist()
    True
    """
    key = tuple(zlib.crc32(str(part).encode()) for part in purpose)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(int(seed), spawn_key=key)))


def sklearn_part(module: str, names: Iterable[str]) -> list:
    """Import names from a module of scikit-learn. Raises InputError 'missing-extra' where it is not installed."""
    from importlib import import_module

    try:
        found = import_module(f"sklearn.{module}")
    except ImportError as error:
        message = "Trees and regressions of categories need the package scikit-learn."
        raise InputError([finding("missing-extra", message, remedy="pip install synthpop_gb[audit]")]) from error
    return [getattr(found, name) for name in names]
