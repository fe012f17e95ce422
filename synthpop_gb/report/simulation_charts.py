"""The chart of a simulation: a bar with its interval for every decile."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.report.svg import GREY, INK, Drawing, Linear, fitted
from synthpop_gb.report.words import number

__all__ = ["deciles_chart"]

_WIDE, _TALL, _LEFT, _TOP, _FOOT = 640, 260, 70, 30, 40
_RISE, _FALL = "#2c7fb8", "#b35806"  # blue and brown: told apart by people who do not tell red from green


def deciles_chart(rows: pd.DataFrame, title: str) -> str:
    """Draw bars of the mean change by decile, each with its interval; returns SVG.

    rows : decile, estimate, lower, upper, reliability; title : what is drawn, with its unit.
    """
    values = rows[["estimate", "lower", "upper"]].to_numpy(np.float64)
    low, high = fitted(values[np.isfinite(values)], zero=True)
    scale = Linear(low, high, _TALL - _FOOT, _TOP)
    told = "; ".join(f"decile {r.decile}: {number(r.estimate)}" for r in rows.itertuples())
    drawing = Drawing(_WIDE, _TALL, f"{title}. {told}.")
    drawing.text(_LEFT, 16, title, size=12, fill=GREY)
    for value, text in scale.marks():
        drawing.line(_LEFT, scale(value), _WIDE - 8, scale(value))
        drawing.text(_LEFT - 8, scale(value) + 4, text, size=11, anchor="end", fill=GREY)
    step = (_WIDE - 8 - _LEFT) / max(len(rows), 1)
    for i, row in enumerate(rows.itertuples()):
        x = _LEFT + (i + 0.5) * step
        drawing.text(x, _TALL - 20, str(row.decile), size=11, anchor="middle")
        if not np.isfinite(row.estimate):
            drawing.text(x, scale(0) - 4, "withheld", size=10, anchor="middle", fill=GREY)
            continue
        top, bottom = sorted((scale(row.estimate), scale(0)))
        faint = row.reliability == "unreliable"
        words = f"Decile {row.decile}: {number(row.estimate)} ({number(row.lower)} to {number(row.upper)}), {row.reliability}"
        fill = _RISE if row.estimate >= 0 else _FALL
        drawing.rect(x - 0.33 * step, top, 0.66 * step, bottom - top, fill, words, opacity=0.45 if faint else None)
        for end in (row.lower, row.upper):
            drawing.line(x - 5, scale(end), x + 5, scale(end), INK, 1.2)
        drawing.line(x, scale(row.lower), x, scale(row.upper), INK, 1.2)
    drawing.line(_LEFT, scale(0), _WIDE - 8, scale(0), INK, 1)
    drawing.text(_LEFT, _TALL - 4, "Decile, 1 = lowest; lines show the interval, faint bars are unreliable", size=11, fill=GREY)
    return drawing.svg()
