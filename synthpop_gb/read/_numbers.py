"""Counts out of columns: thousands separators and odd spaces are read; publishers' marks stay as they stand."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

__all__ = ["factor", "is_countlike", "number_of", "numbers", "texts"]

_PLAIN = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
_GROUPED = re.compile(r"[-+]?\d{1,3}([,\u00a0\u2009\u202f ]\d{3})+(\.\d+)?")
_MARKS = {
    "-", "\u2013", "\u2014", "*", "**", "***", "c", "x", "z", "s", "u", "w", "r", ":", ".", "..", "...", "\u2026", "~", "!", "#",
    "[c]", "[x]", "[z]", "[u]", "[w]", "[low]", "na", "n/a", "n.a.", "#n/a", "nan", "null", "none", "suppressed",
    "confidential", "not available",
}  # fmt: skip
_ALMOST = re.compile(r"[<>~\u2264\u2265]?\s*[-+\u00a3]?\d[\d,. ]*\s*%?\s*[a-z*\[\]]{0,3}")


def number_of(text: str) -> float | None:
    """Return the number that a text says, or None.

    >>> number_of("1,234"), number_of(" 12 "), number_of("<5"), number_of("12.5%")
    (1234.0, 12.0, None, None)
    """
    text = text.strip().replace("\u2212", "-")
    if _PLAIN.fullmatch(text):
        return float(text)
    if _GROUPED.fullmatch(text):
        return float(re.sub(r"[,\u00a0\u2009\u202f ]", "", text))
    return None


def factor(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """Return ((n,) int64 codes, -1 where blank; (k,) object, the distinct values as text).

    Values come in order of first appearance, without outer spaces; two that differ by spaces alone are one.
    """
    kind = column.type
    if pa.types.is_floating(kind):  # codes that became floats beside blanks: 3.0 means 3
        column = pa.chunked_array([pa.array([None if v is None else _plain(v) for v in column.to_pylist()], pa.string())])
    elif not pa.types.is_dictionary(kind):
        column = column.cast(pa.string())
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    array = column.unify_dictionaries().combine_chunks()
    array = array.chunk(0) if isinstance(array, pa.ChunkedArray) else array
    codes = array.indices.fill_null(len(array.dictionary)).to_numpy(zero_copy_only=False).astype(np.int64)
    place: dict[str, int] = {}
    values = array.dictionary.cast(pa.string()).to_pylist()
    stripped = [None if v is None or not v.strip() else v.strip() for v in values]
    move = np.array([-1 if v is None else place.setdefault(v, len(place)) for v in stripped] + [-1], dtype=np.int64)
    return move[codes], np.array(list(place), dtype=object)


def _plain(value: float) -> str | None:
    return None if value != value else str(int(value)) if float(value).is_integer() else repr(float(value))


def texts(column: pa.ChunkedArray) -> np.ndarray:
    """Values of a column as text without outer spaces, None where there is no value: (n,) object."""
    codes, values = factor(column)
    return np.append(values, None)[codes]


def numbers(column: pa.ChunkedArray, zero: frozenset[str] = frozenset()) -> tuple[np.ndarray, dict[int, str]]:
    """Return the counts of a column, (n,) float64, NaN where blank or marked; and the marks by row.

    zero : marks that the publisher declares to mean nought.
    """
    if _is_numeric(column.type):
        return column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(np.float64), {}
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    distinct = [None if v is None else v.strip() for v in encoded.dictionary.to_pylist()]
    values = np.full(len(distinct) + 1, np.nan)
    marked = np.zeros(len(distinct) + 1, dtype=bool)
    for i, text in enumerate(distinct):
        value = 0.0 if text in zero else number_of(text) if text else None
        values[i] = np.nan if value is None else value
        marked[i] = value is None and bool(text)
    index = encoded.indices.fill_null(len(distinct)).to_numpy(zero_copy_only=False)
    return values[index], {int(row): distinct[index[row]] for row in np.flatnonzero(marked[index])}


def _is_numeric(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def is_countlike(column: pa.ChunkedArray, zero: frozenset[str] = frozenset()) -> bool:
    """Whether a column holds counts: numbers, or text of which at least half are numbers and the rest marks or near numbers."""
    if _is_numeric(column.type):
        return True
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type)):
        return False
    sample = [v.strip() for v in column.slice(0, 5000).drop_null().unique().to_pylist() if v.strip()]
    if not sample:
        return False
    good = sum(number_of(v) is not None or v in zero for v in sample)
    odd = sum(number_of(v) is None and (v.casefold() in _MARKS or bool(_ALMOST.fullmatch(v.casefold()))) for v in sample)
    return good + odd == len(sample) or good >= 0.5 * len(sample)
