"""The picture of intersections: every cell's real count against its synthetic one, and what is lost by rarity."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from synthpop_gb.report.audit.words import cell_count, cell_words, short_cell
from synthpop_gb.report.svg import GREY, INK, LINE, Counts, Drawing, place_labels, width_of, wrapped
from synthpop_gb.report.words import counted, number

__all__ = ["KIND_MARKS", "band", "cells_picture", "order_words", "rarity_picture"]

KIND_MARKS = {
    "impossible": ("cross", "#111827"),
    "invented": ("up", "#542788"),
    "missing": ("down", "#b35806"),
    "too many": ("diamond", "#8073ac"),
    "too few": ("square", "#e08214"),
}
"""Symbol and colour of each kind of wrong cell: orange where people lack, purple where there are too many."""

_QUIET, _MORE, _FEWER, _BAND = "#9fb3c4", "#c9bfe0", "#f4c58f", "#e6eff5"
_WIDE, _TALL = 344, 366
_LEFT, _RIGHT, _TOP, _FOOT = 46, 8, 26, 44
_MARKED = 400
"""Wrong cells drawn each by a symbol of its own, worst first; the others are dots of their kind's colour."""


def band(expected: np.ndarray, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Return counts between which about 19 of 20 cells of a perfect sample lie: (sqrt e -+ 0.98 sqrt spread)^2.

    The square root makes the variance of counts even, a quarter whatever their expectation (Bartlett 1936; Anscombe 1948).

    >>> low, high = band(np.array([0.0, 100.0]), 1.0)
    >>> low.round(1).tolist(), high.round(1).tolist()
    ([0.0, 81.4], [1.0, 120.6])
    """
    root, half = np.sqrt(np.asarray(expected, np.float64)), 0.98 * math.sqrt(spread)
    return np.where(root > half, (root - half) ** 2, 0.0), (root + half) ** 2


def cells_picture(
    cells: pd.DataFrame, points: pd.DataFrame | None = None, *, title: str, unit: str = "records", most_labels: int = 5
) -> str:
    """Draw real counts against synthetic ones, both logarithmic with a place for nought.

    Parameters
    ----------
    cells : pandas.DataFrame
        Wrong cells: expected, observed (at the synthetic data's size), kind, cell (in words), rank (1 the worst), explained_by.
    points : pandas.DataFrame, optional
        All cells: expected, observed, cells (how many are there), beyond (whether they differ by more than chance), spread:
        variance of an observed count over its expectation where chance alone is at work; 1 where the reference is known exactly,
        1 + n_synthetic / n_real where it is a sample.
    title : str
        Heading of the panel.
    unit : str
        What is counted.
    most_labels : int
        Labels tried, the worst first; those without room are left out.

    Returns
    -------
    str
        An SVG element; for its band see `band`.
    """
    points = pd.DataFrame({"expected": [], "observed": [], "cells": []}) if points is None else points
    expected = np.concatenate([f["expected"].to_numpy(np.float64) for f in (cells, points)])
    observed = np.concatenate([f["observed"].to_numpy(np.float64) for f in (cells, points)])
    some = np.concatenate([expected[expected > 0], observed[observed > 0]])
    least, most = (float(some.min()), float(some.max())) if some.size else (1.0, 10.0)
    least, most = min(max(least, 0.05), 1.0), max(most * 1.15, 10.0, least * 10)
    x = Counts(least, most, _LEFT + 14, _WIDE - _RIGHT)
    y = Counts(least, most, _TALL - _FOOT - 14, _TOP + 4)
    n = int(points["cells"].sum()) if len(points) else len(cells)
    label = (
        f"{title}: {counted(n, 'cell')}; {counted(len(cells), 'cell')} named further from the real count than chance explains."
    )
    drawing = Drawing(_WIDE, _TALL, label)
    drawing.text(_LEFT - 30, 13, title, size=12.5, font_weight=650)
    spread = float(points["spread"].median()) if "spread" in points and len(points) else 2.0
    _ground(drawing, x, y, least, most, spread if np.isfinite(spread) else 2.0)
    beyond = points["beyond"].to_numpy(bool) if "beyond" in points else np.zeros(len(points), bool)
    more = points["observed"].to_numpy(np.float64) > points["expected"].to_numpy(np.float64)
    dots = np.stack([x(points["expected"]), y(points["observed"])], axis=1)
    for which, colour in ((~beyond, _QUIET), (beyond & more, _MORE), (beyond & ~more, _FEWER)):
        drawing.dots(dots[which], 2.6, colour)
    at = np.stack([x(cells["expected"]), y(cells["observed"])], axis=1)
    kinds = cells["kind"].tolist()
    follows = (cells["explained_by"].fillna("") != "").tolist() if "explained_by" in cells else [False] * len(cells)
    order = [int(i) for i in np.argsort(cells["rank"].to_numpy(np.float64), kind="stable")]
    worst, others = [i for i in order if not follows[i]], [i for i in order if follows[i]]
    for kind, (_, colour) in KIND_MARKS.items():
        drawing.dots(at[[i for i in [*others, *worst[_MARKED:]] if kinds[i] == kind]], 3.2, colour)
    for i in reversed(worst[:_MARKED]):  # the worst on top
        row = cells.iloc[i]
        shape, colour = KIND_MARKS.get(row["kind"], ("circle", GREY))
        counts = f"{cell_count(row['observed'])} synthetic, {cell_count(row['expected'])} expected"
        said = f"{cell_words(row['cell'])}: {counts} ({row['kind']})"
        drawing.mark(shape, at[i, 0], at[i, 1], 8, colour, said)
    _labels(drawing, cells, at, worst, most_labels)
    drawing.text(
        (_LEFT + _WIDE) / 2,
        _TALL - 8,
        f"{'real' if unit == 'records' else 'expected'} {unit}, at the synthetic data’s size",
        size=11,
        anchor="middle",
        fill=GREY,
    )
    middle = (_TOP + _TALL - _FOOT) / 2
    drawing.text(11, middle, f"synthetic {unit}", size=11, anchor="middle", fill=GREY, turn=-90)
    return drawing.svg()


def _ground(drawing: Drawing, x: Counts, y: Counts, least: float, most: float, spread: float) -> None:
    """Draw the lanes of nought, the grid, the band of chance and the line of agreement."""
    bottom, right = _TALL - _FOOT, _WIDE - _RIGHT
    drawing.rect(_LEFT, _TOP, 28, bottom - _TOP, "#f7f3fb")
    drawing.rect(_LEFT, bottom - 28, right - _LEFT, 28, "#fdf5ec")
    e = np.geomspace(least, most, 80)
    low, high = band(e, spread)
    upper = [(float(a), float(b)) for a, b in zip(x(e), y(high), strict=True)]
    lower = [(float(a), float(b)) for a, b in zip(x(e), np.where(low >= least, y(low), bottom - 28.0), strict=True)]
    reach = float(y(band(np.zeros(1), spread)[1][0]))  # what chance alone puts where the reference has nobody
    drawing.path([(_LEFT + 28.0, reach), *upper, *reversed(lower), (_LEFT + 28.0, bottom - 28.0)], close=True, fill=_BAND)
    drawing.rect(_LEFT, reach, 28, max(bottom - 28 - reach, 0), _BAND)
    give_way = e[low <= least]
    if give_way.size:
        drawing.rect(_LEFT + 28, bottom - 28, float(x(give_way[-1])) - _LEFT - 28, 28, _BAND)
    for value, said in x.marks():
        at = float(x(value))
        drawing.line(at, _TOP, at, bottom, LINE if value else "none")
        drawing.text(at, bottom + 15, said, size=10.5, anchor="middle", fill=GREY)
    for value, said in y.marks():
        at = float(y(value))
        drawing.line(_LEFT, at, right, at, LINE if value else "none")
        drawing.text(_LEFT - 6, at + 3.5, said, size=10.5, anchor="end", fill=GREY)
    ends = [(float(x(v)), float(y(v))) for v in (least, most)]
    drawing.path(ends, stroke="#7b8794", stroke_width=1, stroke_dasharray="4 3")


def _labels(drawing: Drawing, cells: pd.DataFrame, at: np.ndarray, worst: list[int], most: int) -> None:
    """Name the worst cells, as many as have room."""
    named = worst[:most]
    said = [short_cell(c) for c in cells["cell"]]
    lines = [wrapped(said[i], 150, 10) for i in named]
    sizes = [(max(width_of(t, 10) for t in text) * 1.04, 12.0 * len(text)) for text in lines]
    others = [tuple(at[i]) for i in worst[:40] if i not in named]
    box = (_LEFT + 2, _TOP, _WIDE - 2, _TALL - _FOOT - 2)
    for i, text, (w, h), spot in zip(
        named, lines, sizes, place_labels([tuple(at[i]) for i in named], sizes, box, others), strict=True
    ):
        if spot is None:
            continue
        left, top = spot
        px, py = at[i]
        end = (min(max(px, left), left + w), min(max(py, top), top + h))
        if math.hypot(end[0] - px, end[1] - py) > 9:
            drawing.line(px, py, *end, stroke="#9aa5b1", width=0.8)
        for row, words in enumerate(text):
            drawing.text(
                left, top + 9.5 + 12 * row, words, size=10, fill=INK, paint_order="stroke", stroke="#ffffff", stroke_width=3
            )


def rarity_picture(rarity: pd.DataFrame, *, title: str) -> str:
    """Draw how many of the reference's cells the synthetic data lack, by how rare they are, beside what a perfect sample lacks.

    rarity : rarity (in words), cells, missing, missing_floor (numbers of cells), in order. Returns an SVG element.
    """
    rows = rarity[rarity["cells"] > 0].reset_index(drop=True)
    left, wide, step = 96, 344, 40
    tall = 30 + step * len(rows) + 34
    cells, lost, floor = (rows[c].to_numpy(np.float64) for c in ("cells", "missing", "missing_floor"))
    share, luck = lost / np.maximum(cells, 1), floor / np.maximum(cells, 1)
    top = min(1.0, max(0.05, 1.1 * float(np.nanmax(np.concatenate([share, luck, [0.0]])))))
    said = "; ".join(f"{r}: {_lost(s)}, a perfect sample {_lost(f)}" for r, s, f in zip(rows["rarity"], share, luck, strict=True))
    drawing = Drawing(wide, tall, f"{title}: real cells that are missing. {said}.")
    drawing.text(left - 80, 13, title, size=12.5, font_weight=650)
    end = wide - 54
    for i, row in rows.iterrows():
        y = 28 + step * i
        drawing.text(left - 8, y + 13, str(row["rarity"]), size=11, anchor="end")
        drawing.text(left - 8, y + 26, counted(int(cells[i]), "cell"), size=9.5, anchor="end", fill=GREY)
        drawing.rect(left, y + 3, end - left, 18, "#f5f7f9")
        tip = f"{row['rarity']}: {number(lost[i])} of {counted(int(cells[i]), 'cell')} missing; "
        tip += f"{cell_count(floor[i])} in a perfect sample"
        drawing.rect(left, y + 3, share[i] / top * (end - left), 18, KIND_MARKS["missing"][1], tip)
        if np.isfinite(luck[i]):
            drawing.rect(left + luck[i] / top * (end - left) - 1, y - 1, 2.4, 26, "#111827")
        drawing.text(end + 6, y + 16, _lost(share[i]), size=11)
    foot = 28 + step * len(rows) + 10
    drawing.text(left, foot, "0 %", size=10.5, fill=GREY)
    drawing.text(end, foot, f"{number(100 * top, 0 if top >= 0.1 else 1)} %", size=10.5, anchor="end", fill=GREY)
    drawing.text((left + end) / 2, foot + 15, "of these cells missing", size=11, anchor="middle", fill=GREY)
    return drawing.svg()


def order_words(k: int) -> str:
    """Write how many variables, as a heading.

    >>> order_words(1), order_words(3), order_words(7)
    ('One variable', 'Three variables', '7 variables')
    """
    words = ("", "One variable", "Two variables", "Three variables", "Four variables")
    return words[k] if 0 < k < len(words) else f"{k} variables"


def _lost(share: float) -> str:
    if not np.isfinite(share):
        return "not known"
    if 0 < share < 0.0005:
        return "< 0.1 %"
    return f"{number(100 * share, 0 if share >= 0.0995 or share == 0 else 1)} %" if share < 1 else "all"
