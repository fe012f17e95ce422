"""A row of the table of verdicts, and the rules that several uses share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

__all__ = [
    "COLUMNS", "GIVING", "HANDING", "VERDICTS", "WORDS", "graded", "row", "summary", "table_of", "unknown", "worst",
]  # fmt: skip

VERDICTS = ("fit", "care", "unfit", "unknown")
"""Fit for the use; usable with care; not fit; not known, because nothing that was measured says so."""

WORDS = {"fit": "fit", "care": "with care", "unfit": "not fit", "unknown": "not known"}
"""The verdicts as people say them."""

GIVING, HANDING = "Giving them to people who may not see the real records", "Handing out rows of people"
"""The uses that a release rule decides: of synthetic records, and of a run's people."""

COLUMNS = ("use", "verdict", "figure", "threshold", "reason", "table", "meant")


def row(
    use: str, verdict: str, figure: str, threshold: str, reason: str, table: str, *, meant: bool = True
) -> dict[str, str | bool]:
    """Return one verdict: use, what may be said of it, the figure behind it, the rule, why in plain words, the figure's table.

    meant : whether data of this kind are meant for the use at all; where not, that they are unfit is no failure of theirs.
    """
    if verdict not in VERDICTS:
        raise ValueError(f"a verdict is one of {', '.join(VERDICTS)}, not {verdict!r}")
    return dict(zip(COLUMNS, (use, verdict, figure, threshold, reason, table, meant), strict=True))


def unknown(use: str, why: str, table: str = "") -> dict[str, str | bool]:
    """Return the verdict where nothing was measured: no figure, and why."""
    return row(use, "unknown", "not measured", "", why, table)


def graded(value: float, fit: float, care: float) -> str:
    """Grade a figure of which less is better; not a number is not known.

    >>> graded(2.9, 3, 10), graded(3.0, 3, 10), graded(10.0, 3, 10), graded(float("nan"), 3, 10)
    ('fit', 'care', 'unfit', 'unknown')
    """
    if np.isnan(value):
        return "unknown"
    return "fit" if value < fit else "care" if value < care else "unfit"


def summary(verdicts: pd.DataFrame) -> str:
    """Say how many uses have which verdict.

    >>> summary(pd.DataFrame({"verdict": ["fit", "unfit", "fit"]}))
    '2 fit, 1 not fit'
    """
    counts = verdicts["verdict"].value_counts()
    return ", ".join(f"{counts[v]} {words}" for v, words in WORDS.items() if v in counts)


def worst(verdicts: Iterable[str]) -> str:
    """Return the worst of several verdicts; what is not known is left out.

    >>> worst(["fit", "unknown", "care"]), worst([])
    ('care', 'unknown')
    """
    known = [v for v in verdicts if v != "unknown"]
    return max(known, key=VERDICTS.index) if known else "unknown"


def table_of(tables: Mapping[str, pd.DataFrame], name: str) -> pd.DataFrame:
    """Return a table, or an empty one where it is not there."""
    frame = tables.get(name)
    return pd.DataFrame() if frame is None else frame
