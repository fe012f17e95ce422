"""How a report writes numbers, counts and tables: one place, so that no two sections round the same number differently."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthpop_gb.geography.numbers import number

__all__ = ["Column", "Grid", "counted", "fixed", "grid_of", "number", "percent", "plain", "said", "small", "whole"]


def whole(value: float) -> str:
    """Write a count; one that is not whole keeps a decimal."""
    return number(value, 0 if value is None or not np.isfinite(value) or float(value).is_integer() else 1)


def fixed(decimals: int) -> Callable[[float], str]:
    """Return a function that writes numbers with so many decimals."""
    return lambda value: number(value, decimals)


percent = fixed(2)
"""Per cents of people: the hundredth is the last digit that means anything in zones of 1,500."""


def small(value: float) -> str:
    """Write a number that is nought or tiny: at most two digits that count, powers of ten in words of a table.

    >>> small(0.0), small(4e-7), small(0.0123), small(20.873)
    ('0', '< 0.000001', '0.012', '21')
    """
    if value is None or not np.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    return "< 0.000001" if abs(value) < 1e-6 else f"{value:,.0f}" if abs(value) >= 10 else f"{value:.2g}"


def plain(value) -> str:
    """Write text; nothing where there is none."""
    return "" if value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NA else str(value)


def said(name) -> str:
    """Write the name of a table, pair or cell for people.

    >>> said("ethnic_group x age")
    'ethnic group × age'
    """
    return plain(name).replace("_", " ").replace(" x ", " × ")


def counted(n: int, one: str, many: str | None = None) -> str:
    """Write a count with its noun.

    >>> counted(1, "zone"), counted(1204, "zone"), counted(2, "category", "categories")
    ('1 zone', '1,204 zones', '2 categories')
    """
    return f"{n:,} {one if n == 1 else many or f'{one}s'}"


@dataclass(frozen=True)
class Column:
    """One column of a table on the page: key in the data, heading, unit under it, how values are written.

    `text` goes left, numbers go right; `wrap` lets long text run over several lines.
    """

    key: str
    heading: str
    unit: str = ""
    write: Callable = plain
    text: bool = False
    wrap: bool = False


@dataclass(frozen=True)
class Grid:
    """A table on the page: headings with units, rows of written cells, a caption that says what a row is, a line below.

    `strong` holds positions of rows that stand out; `marked` maps (row, column) to a tone ('ok', 'warn', 'bad').
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    foot: str = ""
    strong: frozenset[int] = frozenset()
    marked: dict[tuple[int, int], str] = field(default_factory=dict)


def grid_of(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    caption: str,
    *,
    foot: str = "",
    most: int | None = None,
    strong: Iterable[int] = (),
    marked: dict | None = None,
) -> Grid:
    """Write a frame as a table; where rows are left out, the foot says how many."""
    shown = frame if most is None else frame.head(most)
    left = len(frame) - len(shown)
    if left:
        foot = f"{foot} {left:,} more {'is' if left == 1 else 'are'} in the tables of the run's folder validation/.".strip()
    values = [[c.write(v) for v in shown[c.key].tolist()] for c in columns]
    return Grid(caption, tuple(columns), tuple(zip(*values, strict=True)), foot, frozenset(strong), marked or {})
