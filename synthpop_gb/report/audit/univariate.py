"""Variables one by one: what share of records has which value, real and synthetic, a panel a variable."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.coded import MISSING
from synthpop_gb.report.svg import GREY, INK, Drawing, short, width_of
from synthpop_gb.report.words import number

__all__ = ["REAL", "SYNTHETIC", "significant", "variable_picture"]

REAL, SYNTHETIC = "#b9c9d6", "#253494"
"""Colours of the real data (broad and pale) and of the synthetic (narrow and dark), the same in every chart."""

_WIDE, _MOST_ROWS = 246, 9


def variable_picture(bins: pd.DataFrame, *, name: str, kind: str, foot: str = "") -> str:
    """Draw one variable: shares of real records as pale bars, of synthetic ones as a dark line or bars within.

    Parameters
    ----------
    bins : pandas.DataFrame
        label, real, synthetic (shares of records, 0 to 1), in order.
    name, kind : str
        The variable, and whether it is a 'number' (drawn as columns) or a 'category' (as rows with their names).
    foot : str
        A line below: how far apart the sides are.

    Returns
    -------
    str
        An SVG element.
    """
    bins = bins.reset_index(drop=True)
    if kind == "number" and (bins["label"] != MISSING).sum() > 6:
        return _columns(bins, name, foot)
    return _rows(bins, name, foot)


def _label(bins: pd.DataFrame, name: str) -> str:
    gap = (bins["synthetic"] - bins["real"]).abs()
    if gap.empty or gap.isna().all():
        return f"{name}: nothing to compare."
    worst = bins.loc[gap.idxmax()]
    shares = [f"{number(100 * v, 1)} %" for v in (worst["real"], worst["synthetic"])]
    return f"{name}: furthest apart at {worst['label']}, {shares[0]} of real and {shares[1]} of synthetic records."


def _columns(bins: pd.DataFrame, name: str, foot: str) -> str:
    """Draw bins of a number as columns; missing values stand apart at the right."""
    tall, left, right, top = 168, 34, 240, 30
    bottom = tall - 42
    drawing = Drawing(_WIDE, tall, _label(bins, name))
    drawing.text(2, 14, short(name, _WIDE - 4, 12.5), size=12.5, font_weight=650, title=name)
    real, made = (np.nan_to_num(bins[c].to_numpy(np.float64)) for c in ("real", "synthetic"))
    gone = (bins["label"].astype(str) == MISSING).to_numpy()
    n, apart = int((~gone).sum()), 1.5 if gone.any() else 0.0
    step = (right - left) / (len(bins) + apart)
    start = left + step * (np.arange(len(bins)) + np.where(gone, apart, 0.0))
    most = max(float(real.max()), float(made.max()), 1e-9)
    scale = (bottom - top) / most
    drawing.line(left, bottom, left + step * n, bottom, "#9aa5b1")
    drawing.text(left - 5, top + 4, f"{number(100 * most, 0 if most >= 0.095 else 1)} %", size=10, anchor="end", fill=GREY)
    drawing.text(left - 5, bottom + 3, "0", size=10, anchor="end", fill=GREY)
    line: list[tuple[float, float]] = []
    for i, row in bins.iterrows():
        tip = f"{row['label']}: {number(100 * real[i], 1)} % real, {number(100 * made[i], 1)} % synthetic"
        drawing.rect(start[i] + 0.4, bottom - real[i] * scale, step - 0.8, real[i] * scale, REAL, tip)
        piece = [(start[i], bottom - made[i] * scale), (start[i] + step, bottom - made[i] * scale)]
        if gone[i]:
            drawing.path(piece, stroke=SYNTHETIC, stroke_width=1.6)
        else:
            line += piece
    drawing.path(line, stroke=SYNTHETIC, stroke_width=1.6, stroke_linejoin="round")
    there = bins[~gone]
    last = min(left + step * n, right - width_of("missing", 10)) if gone.any() else left + step * n  # its label stands beside
    ends = [(left, _end(there.iloc[0], "low"), "start"), (last, _end(there.iloc[-1], "high"), "end")]
    for at, said, anchor in ends:
        drawing.text(at, bottom + 14, short(said, 78, 10), size=10, anchor=anchor, fill=GREY)
    if gone.any():
        drawing.text(right + 6, bottom + 14, "missing", size=10, anchor="end", fill=GREY)
    drawing.text(2, tall - 8, short(foot, _WIDE - 4, 10.5), size=10.5, fill=GREY)
    return drawing.svg()


def _rows(bins: pd.DataFrame, name: str, foot: str) -> str:
    left, right, step = 98, 206, 15.5
    if len(bins) > _MOST_ROWS:  # those furthest apart and the largest stand for themselves, in their order
        weight = (bins["synthetic"] - bins["real"]).abs().fillna(0) * 4 + bins[["real", "synthetic"]].max(axis=1).fillna(0)
        keep = np.sort(np.argsort(-weight.to_numpy(), kind="stable")[: _MOST_ROWS - 1])
        rest = bins.drop(index=bins.index[keep])
        other = {"label": f"{len(rest):,} others", "real": rest["real"].sum(), "synthetic": rest["synthetic"].sum()}
        bins = pd.concat([bins.iloc[keep], pd.DataFrame([other])], ignore_index=True)
    tall = 28 + step * len(bins) + 24
    drawing = Drawing(_WIDE, tall, _label(bins, name))
    drawing.text(2, 14, short(name, _WIDE - 4, 12.5), size=12.5, font_weight=650, title=name)
    real, made = (np.nan_to_num(bins[c].to_numpy(np.float64)) for c in ("real", "synthetic"))
    most = max(float(real.max(initial=0)), float(made.max(initial=0)), 1e-9)
    for i, row in bins.iterrows():
        y = 26 + step * i
        tip = f"{row['label']}: {number(100 * real[i], 1)} % real, {number(100 * made[i], 1)} % synthetic"
        drawing.text(
            left - 6, y + 10, short(str(row["label"]), left - 8, 10.5), size=10.5, anchor="end", fill=INK, title=str(row["label"])
        )
        drawing.rect(left, y + 0.5, real[i] / most * (right - left), step - 3, REAL, tip)
        drawing.rect(left, y + 4.5, made[i] / most * (right - left), step - 11, SYNTHETIC, tip)
        end = left + max(real[i], made[i]) / most * (right - left)
        drawing.text(end + 4, y + 10, _percent(made[i]), size=9.5, fill=GREY)
    drawing.text(2, tall - 6, short(foot, _WIDE - 4, 10.5), size=10.5, fill=GREY)
    return drawing.svg()


def _end(bin_: pd.Series, end: str) -> str:
    """Write an end of the axis: the number where it is known, else the bin's label."""
    value = bin_.get(end, np.nan)
    return str(bin_["label"]) if value is None or pd.isna(value) else significant(float(value))


def significant(value: float) -> str:
    """Write a number of any size with about four digits that count.

    >>> significant(1490400.0), significant(17.18), significant(0.01234), significant(17.0)
    ('1,490,400', '17.18', '0.0123', '17')
    """
    if value is None or not np.isfinite(value):
        return "–"
    size = abs(value)
    if float(value).is_integer():
        return number(value)
    return number(value, 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 1 else 3 if size >= 0.1 else 4)


def _percent(share: float) -> str:
    return "< 0.1 %" if 0 < share < 0.0005 else f"{number(100 * share, 0 if share >= 0.0995 or share == 0 else 1)} %"
