"""Charts of numbers with intervals, of orders that change, and of who is taken for whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.report.svg import GREY, INK, LINE, Drawing, Linear, fitted, short, width_of
from synthpop_gb.report.words import number, whole

__all__ = ["SERIES", "Mark", "Row", "confusion_picture", "dot_chart", "slope_picture"]

SERIES = {
    "real": ("circle", "#5f6b76"),
    "synthetic": ("diamond", "#253494"),
    "guess": ("bar", "#e08214"),
    "control": ("circle", "#5f6b76"),
    "attack": ("diamond", "#253494"),
}
"""Symbol and colour of what is set side by side, the same in every chart: trained on or found in real data, in synthetic data."""


@dataclass(frozen=True)
class Mark:
    """One value with its interval (NaN where there is none), of one of `SERIES`."""

    series: str
    value: float
    lower: float = np.nan
    upper: float = np.nan


@dataclass(frozen=True)
class Row:
    """One line of a chart: what it is, a smaller second line, its marks, and words at the right."""

    label: str
    marks: tuple[Mark, ...]
    beside: str = ""
    right: str = ""


def dot_chart(
    rows: Sequence[Row], *, label: str, axis: str, names: dict[str, str], ends: tuple[float, float] | None = None,
    right: str = "", line: float | None = None, wide: float = 680,
) -> str:  # fmt: skip
    """Draw rows of marks with intervals over one axis; what lies beyond its ends is drawn as an arrow on them.

    Parameters
    ----------
    rows : sequence of Row
        From the top.
    label, axis : str
        What a screen reader says; title of the axis with its unit.
    names : dict
        By series, what the legend calls it.
    ends : (float, float), optional
        Ends of the axis; by default those of the values, a twentieth at either end apart.
    right : str
        Heading of the words at the right.
    line : float, optional
        Where a line stands, such as nought.
    wide : float
        Pixels.

    Returns
    -------
    str
        An SVG element.
    """
    left = min(240.0, 18 + max((max(width_of(r.label, 11.5), width_of(r.beside, 10)) for r in rows), default=0))
    space = (
        14 + max([width_of(r.right, 11) for r in rows] + [width_of(right, 10.5)]) if right or any(r.right for r in rows) else 14
    )
    if ends is None:
        values = [v for r in rows for m in r.marks for v in (m.value, m.lower, m.upper)]
        ends = fitted([*values, *([line] if line is not None else [])], robust=0.03 if len(values) > 40 else 0.0)
    x = Linear(*ends, left + 8, wide - space - 8)
    many = [max(1, len(r.marks)) for r in rows]
    steps = [max(24 if r.beside else 18, 9 * n + 9) for r, n in zip(rows, many, strict=True)]
    top = 34
    tall = top + sum(steps) + 40
    drawing = Drawing(wide, tall, label)
    _legend(drawing, left, names)
    bottom = top + sum(steps)
    for value, said in x.marks(6):
        drawing.line(x(value), top, x(value), bottom)
        drawing.text(x(value), bottom + 14, said, size=10.5, anchor="middle", fill=GREY)
    if line is not None:
        drawing.line(x(line), top, x(line), bottom, "#7b8794", 1.2)
    drawing.text((x.start + x.end) / 2, bottom + 31, axis, size=11, anchor="middle", fill=GREY)
    if right:
        drawing.text(wide - 4, top - 6, right, size=10.5, anchor="end", fill=GREY)
    y = float(top)
    for row, step in zip(rows, steps, strict=True):
        drawing.line(0, y, wide, y, LINE)
        middle = y + step / 2
        base = middle - 1.5 if row.beside else middle + 4
        drawing.text(left - 6, base, short(row.label, left - 8, 11.5), size=11.5, anchor="end", title=row.label)
        if row.beside:
            drawing.text(left - 6, base + 12, short(row.beside, left - 8, 10), size=10, anchor="end", fill=GREY)
        for i, mark in enumerate(row.marks):
            _mark(drawing, x, middle + 9 * (i - (len(row.marks) - 1) / 2), mark, row.label, names)
        if row.right:
            drawing.text(wide - 4, middle + 4, row.right, size=11, anchor="end")
        y += step
    return drawing.svg()


def _legend(drawing: Drawing, left: float, names: dict[str, str]) -> None:
    at = left
    for series, name in names.items():
        shape, colour = SERIES[series]
        drawing.mark(shape, at + 5, 11, 9, colour)
        drawing.text(at + 14, 15, name, size=11)
        at += 30 + width_of(name, 11)


def _mark(drawing: Drawing, x: Linear, y: float, mark: Mark, row: str, names: dict[str, str]) -> None:
    if not np.isfinite(mark.value):
        return
    shape, colour = SERIES[mark.series]
    known = np.isfinite(mark.lower) and np.isfinite(mark.upper)
    tip = f"{row}, {names.get(mark.series, mark.series)}: {number(mark.value, 3)}"
    tip += f" ({number(mark.lower, 3)} to {number(mark.upper, 3)})" if known else ""
    if known:
        drawing.line(x(mark.lower), y, x(mark.upper), y, colour, 1.8)
        for end, way, cut in ((x.start, -1, mark.lower < x.low), (x.end, 1, mark.upper > x.high)):
            if cut:
                drawing.path([(end - 4 * way, y - 3), (end, y), (end - 4 * way, y + 3)], stroke=colour, stroke_width=1.4)
    if not x.low <= mark.value <= x.high:  # an arrow on the edge
        way = 1 if mark.value > x.high else -1
        tipped = x.end if way > 0 else x.start
        drawing.path(
            [(tipped - 6 * way, y - 4), (tipped, y), (tipped - 6 * way, y + 4)], stroke=colour, stroke_width=1.8, title=tip
        )
    else:
        drawing.mark(shape, x(mark.value), y, 9, colour, tip)


def slope_picture(importance: pd.DataFrame, *, title: str, most: int = 12) -> str:
    """Draw the order of importance learnt from real data beside that learnt from synthetic data, lines joining the same variable.

    importance : variable, real, synthetic (importance, larger is more), of one measure. Returns an SVG element.
    """
    data = importance.dropna(subset=["real", "synthetic"]).reset_index(drop=True)
    ranks = {s: data[s].rank(ascending=False, method="first").astype(int) for s in ("real", "synthetic")}
    data = data.assign(first=ranks["real"], second=ranks["synthetic"]).sort_values("first", kind="stable")
    left = data[data["first"] <= most]
    shown = data[(data["first"] <= most) | (data["second"] <= most)]
    step, top, wide = 20, 44, 344
    kept = int((data["first"] == data["second"]).sum())
    first = shown.iloc[0]["variable"] if len(shown) else "none"
    same = "also" if len(data) and int(data.iloc[0]["second"]) == 1 else "not"
    label = f"{title}: {kept:,} of {len(data):,} variables keep their place. "
    label += f"{first} comes first in the real data, and {same} in the synthetic."
    drawing = Drawing(wide, top + step * max(len(left), 1) + 8, label)
    drawing.text(2, 13, title, size=12.5, font_weight=650)
    drawing.text(132, 34, "real", size=11, anchor="end", fill=GREY)
    drawing.text(212, 34, "synthetic", size=11, fill=GREY)
    for row in shown.to_dict("records"):
        y1, y2 = (top + step * (row[r] - 0.5) for r in ("first", "second"))
        moved = abs(row["first"] - row["second"])
        colour = "#b35806" if moved >= 3 else "#7b8794" if moved else "#253494"
        a, b = row["first"] <= most, row["second"] <= most
        if a and b:
            drawing.line(138, y1, 206, y2, colour, 2.2 if moved >= 3 else 1.6)
        tip = f"{row['variable']}: {number(row['real'], 4)} real, {number(row['synthetic'], 4)} synthetic"
        name = str(row["variable"]).replace("_", " ")
        if a:
            drawing.text(132, y1 + 4, short(f"{name}  {row['first']}", 130, 11), size=11, anchor="end", title=tip)
            drawing.mark("circle", 138, y1, 6, colour)
        if b:
            drawing.text(212, y2 + 4, short(f"{row['second']}  {name}", 130, 11), size=11, title=tip)
            drawing.mark("circle", 206, y2, 6, colour)
    return drawing.svg()


def confusion_picture(frame: pd.DataFrame, *, title: str) -> str:
    """Draw how many records of each true class were taken for which: rows true, columns predicted, shaded by share of the row.

    frame : actual, predicted, records. Returns an SVG element.
    """
    names = list(dict.fromkeys([*frame["actual"].astype(str), *frame["predicted"].astype(str)]))
    counts = frame.assign(actual=frame["actual"].astype(str), predicted=frame["predicted"].astype(str))
    table = counts.pivot_table(index="actual", columns="predicted", values="records", aggfunc="sum", fill_value=0, observed=True)
    table = table.reindex(index=names, columns=names, fill_value=0)
    cell = max(30, min(64, 240 // max(len(names), 1)))
    left, top = 10 + min(100, max(width_of(n, 11) for n in names)), 66
    right = int(np.trace(table.to_numpy()))
    total = int(table.to_numpy().sum())
    label = f"{title}: {right:,} of {total:,} real records predicted rightly."
    drawing = Drawing(max(left + cell * len(names) + 30, 200), top + cell * len(names) + 10, label)
    drawing.text(2, 13, title, size=12.5, font_weight=650)
    drawing.text(2, 30, "rows: true; columns: predicted", size=10.5, fill=GREY)
    for i, actual in enumerate(names):
        drawing.text(left - 6, top + cell * (i + 0.5) + 4, short(actual, left - 8, 11), size=11, anchor="end", title=actual)
        heading = {"turn": -30} if len(names) > 3 else {"anchor": "middle"}
        x = left + cell * (i + (0.3 if len(names) > 3 else 0.5))
        drawing.text(x, top - 7, short(actual, cell if len(names) <= 3 else 70, 11), size=11, title=actual, **heading)
        whole_row = max(float(table.loc[actual].sum()), 1.0)
        for j, predicted in enumerate(names):
            n = float(table.loc[actual, predicted])
            fill = _shade(n / whole_row)
            tip = f"true {actual}, predicted {predicted}: {whole(n)} ({number(100 * n / whole_row, 1)} % of the row)"
            drawing.rect(
                left + cell * j + 1, top + cell * i + 1, cell - 2, cell - 2, fill, tip, stroke="#c5ced6", stroke_width=0.5
            )
            ink = "#ffffff" if n / whole_row > 0.6 else INK
            written = whole(n) if cell >= 44 or n < 10_000 else f"{number(n / 1000, 0)}k"
            drawing.text(left + cell * (j + 0.5), top + cell * (i + 0.5) + 4, written, size=10.5, anchor="middle", fill=ink)
    return drawing.svg()


def _shade(share: float) -> str:
    """Colour between paper and the synthetic blue."""
    light, dark = (247, 249, 251), (44, 90, 150)
    return "#" + "".join(f"{round(a + (b - a) * min(share, 1.0)):02x}" for a, b in zip(light, dark, strict=True))
