"""Tables of checks as tables of the page, whatever columns they have: what is absent is left out, never invented."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.report.words import Column, Grid, counted, grid_of, number, plain

__all__ = ["grid", "known", "part", "percent", "table_of", "text_in"]


def table_of(checks: Checks, name: str, needed: Sequence[str] = ()) -> pd.DataFrame:
    """Return a table by name, rows numbered from 0; an empty one where there is none, or where a column needed is absent.

    Rows without a value in a column needed are left out.
    """
    frame = checks.tables.get(name, pd.DataFrame())
    if not set(needed) <= set(frame):
        return pd.DataFrame(columns=list(needed))
    return frame.dropna(subset=list(needed)).reset_index(drop=True) if needed else frame.reset_index(drop=True)


def text_in(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a column as text, '' where there is no value or no such column."""
    if name not in frame:
        return pd.Series("", frame.index, dtype=object)
    return pd.Series([plain(v) if not _absent(v) else "" for v in frame[name]], frame.index, dtype=object)


def part(heading: str, sentences=(), pictures=(), panels=(), table=None, fold: bool = True) -> dict:
    """Put one part of a section together; empty sentences and pictures are left out."""
    return {
        "heading": heading, "sentences": [s for s in sentences if s], "pictures": [p for p in pictures if p],
        "panels": [p for p in panels if p], "table": table, "fold": fold,
    }  # fmt: skip


def known(value) -> bool:
    """Tell whether a value is a finite number."""
    return value is not None and not pd.isna(value) and bool(np.isfinite(value))


def _absent(value) -> bool:
    return value is None or (pd.api.types.is_scalar(value) and pd.isna(value))


def _plain_values(column: pd.Series) -> pd.Series:
    """Return values with NaN for whatever stands for none, such as pandas' NA."""
    return pd.Series([np.nan if _absent(v) else v for v in column], column.index, dtype=object)


def percent(value: float) -> str:
    """Write a share as per cent: hundredths, or the first digit that counts."""
    if value is None or not np.isfinite(value):
        return "–"
    return number(100 * value, 2 if value == 0 or abs(value) >= 5e-5 else 4)


def grid(
    frame: pd.DataFrame, columns: Sequence[Column], caption: str, *, most: int | None = None, what: str = "row", **more
) -> Grid | None:
    """Write a frame as a table with those of the columns that it has; None where nothing is left to show.

    `most` rows are shown; `what` a row is, for the line that says how many are not.
    """
    there = [c for c in columns if c.key in frame and not frame[c.key].isna().all() and not (text_in(frame, c.key) == "").all()]
    if frame.empty or len(there) < 2 or not there[0].text:  # numbers without a name of what they are of
        return None
    shown = frame if most is None else frame.head(most)
    left = len(frame) - len(shown)
    foot = f"{counted(left, f'more {what}')} not shown; all are in the audit’s tables." if left else ""
    written = {c.key: text_in(shown, c.key) if c.write is plain else _plain_values(shown[c.key]) for c in there}
    shown = shown.assign(**written)
    return grid_of(shown, there, caption, foot=" ".join(filter(None, [more.pop("foot", ""), foot])), **more)
