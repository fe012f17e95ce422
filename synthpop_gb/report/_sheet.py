"""The sheet of a static map: heading, zones, legend, scale bar, foot, laid out in inches on a page as tall as the map needs."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.geography import Geography
from synthpop_gb.geography.classes import MISSING, Classes
from synthpop_gb.report._shapes import borders, curves
from synthpop_gb.report.words import counted, number

__all__ = ["Sheet", "lay_out", "plain_text"]

_RASTERISE = 4_000
"""Polygons above which the SVG holds them as a picture: as curves the file would be tens of megabytes and slow to open."""

_INK, _GREY, _PAPER = "#1f2933", "#5f6b76", "#ffffff"
_FONTS = ("Source Sans 3", "Open Sans", "Helvetica Neue", "Arial", "Liberation Sans", "DejaVu Sans")
_DOUBT, _STRIPES, _VEIL = "\\\\\\\\", "#7b8794", (1.0, 1.0, 1.0, 0.45)  # over zones whose value should not be used by itself
_WIDE, _LEGEND, _MARGIN, _FOOT = 6.2, 2.3, 0.25, 0.42  # inches


@dataclass(frozen=True)
class Sheet:
    """Words on a map: title, unit of its legend, subtitle, line at the foot."""

    title: str
    unit: str
    subtitle: str
    foot: str


def lay_out(
    shapes, values: pd.Series, geography: Geography, classes: Classes, sheet: Sheet, outlines: str | None, unreliable=None
):
    """Draw a map on a figure of its own, outside pyplot.

    shapes : GeoDataFrame in metres, indexed by zone; values : number by zone; outlines : parent level, 'auto' or None;
    unreliable : Series of bool by zone, or None: these zones are faded and hatched.
    Returns the matplotlib Figure.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    numbers = values.reindex(shapes.index).to_numpy(np.float64, na_value=np.nan)
    west, south, east, north = shapes.total_bounds
    pad = 0.02 * max(east - west, north - south, 1.0)
    aspect = (north - south + 2 * pad) / (east - west + 2 * pad)
    tall = max(_WIDE * min(max(aspect, 0.45), 1.6), 3.2)
    size = (_WIDE + _LEGEND + 2 * _MARGIN, tall + _FOOT + (0.8 if sheet.subtitle else 0.52))
    figure = Figure(figsize=size, facecolor=_PAPER)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((_MARGIN / size[0], _FOOT / size[1], _WIDE / size[0], tall / size[1]))
    axes.set_axis_off()
    axes.set_xlim(west - pad, east + pad)
    axes.set_ylim(south - pad, north + pad)
    axes.set_aspect("equal", adjustable="box", anchor="W")
    doubtful = np.zeros(len(shapes), bool)
    if unreliable is not None:
        doubtful = unreliable.reindex(shapes.index, fill_value=False).to_numpy(bool) & ~np.isnan(numbers)
    _draw_zones(axes, shapes, numbers, classes, doubtful)
    _draw_outlines(axes, shapes, geography, outlines)
    font = _font()
    _heading(figure, size, sheet, font)
    column = ((_WIDE + 2 * _MARGIN) / size[0], _FOOT / size[1], (_LEGEND - _MARGIN) / size[0], tall / size[1])
    _legend(figure, column, classes, sheet.unit, int(np.isnan(numbers).sum()), int(doubtful.sum()), font)
    _scale_bar(figure, axes, size, font)
    left = len(geography.codes) - len(shapes)
    foot = " ".join(filter(None, [sheet.foot, f"{counted(left, 'zone')} without a polygon not drawn." if left else ""]))
    figure.text(_MARGIN / size[0], 0.1 / size[1], plain_text(foot), color=_GREY, font=font, va="bottom", size=6.5)
    return figure


def _font():
    """Return the first of our fonts that is installed, found without touching the user's own settings."""
    from matplotlib.font_manager import FontProperties, fontManager

    installed = {f.name for f in fontManager.ttflist}
    return FontProperties(family=next((f for f in _FONTS if f in installed), "DejaVu Sans"))


def plain_text(text: str) -> str:
    """Return text that matplotlib prints as it stands: a '$' would start a formula."""
    return str(text).replace("$", r"\$")


def _draw_zones(axes, shapes, numbers: np.ndarray, classes: Classes, doubtful: np.ndarray) -> None:
    """Fill the zones; those without a value are grey and hatched, doubtful ones are faded and hatched the other way."""
    from matplotlib.collections import PathCollection

    paths, of = curves(shapes.geometry.to_numpy()), classes.of(numbers)
    many = len(paths) > _RASTERISE
    width = 0.35 if len(paths) <= 1_000 else 0.12
    fill = np.array([*classes.colours, MISSING])
    for mask, hatch in ((of >= 0, None), (of < 0, "//////")):
        if not mask.any():
            continue
        chosen = [p for p, m in zip(paths, mask, strict=True) if m]
        edge = "#9aa5b1" if hatch else "face" if many else "#ffffff"  # among tens of thousands white edges would wash towns out
        style = {"edgecolors": edge, "linewidths": 0.05 if many else width, "hatch": hatch, "rasterized": many}
        axes.add_collection(PathCollection(chosen, facecolors=fill[of[mask]], **style), autolim=False)
    if doubtful.any():
        chosen = [p for p, m in zip(paths, doubtful, strict=True) if m]
        veil = {"facecolors": _VEIL, "edgecolors": _STRIPES, "linewidths": 0.0, "hatch": _DOUBT, "rasterized": many}
        axes.add_collection(PathCollection(chosen, **veil), autolim=False)


def _draw_outlines(axes, shapes, geography: Geography, level: str | None) -> None:
    from matplotlib.collections import LineCollection

    if level == "auto":
        sizes = {p: geography.zones[p].nunique() for p in geography.covering}
        level = next((p for p, n in sizes.items() if 2 <= n <= 400 and 5 * n <= len(geography.codes)), None)
    area = np.zeros(len(shapes), int) if level is None else pd.factorize(geography.zones[level].reindex(shapes.index))[0]
    lines = borders(shapes.geometry.to_numpy(), area)
    if len(lines):
        many = len(shapes) > _RASTERISE
        style = {"linewidths": 0.35 if many else 0.6, "colors": _INK, "alpha": 0.75, "capstyle": "round", "rasterized": many}
        axes.add_collection(LineCollection(lines, **style), autolim=False)


def _heading(figure, size, sheet: Sheet, font) -> None:
    """Write title and subtitle, shortened where they would leave the page."""
    bold = font.copy()
    bold.set_weight("bold")
    left, top = _MARGIN / size[0], 1 - 0.18 / size[1]
    figure.text(left, top, plain_text(_fitting(sheet.title, size[0] * 8.2)), color=_INK, font=bold, va="top", size=13)
    if sheet.subtitle:
        text = plain_text(_fitting(sheet.subtitle, size[0] * 13))
        figure.text(left, top - 0.3 / size[1], text, color=_GREY, font=font, va="top", size=9)


def _fitting(text: str, characters: float) -> str:
    text = re.sub(r"\s+", " ", str(text)).strip()
    return text if len(text) <= characters else text[: int(characters) - 1].rstrip() + "…"


def _legend(figure, box, classes: Classes, unit: str, absent: int, doubtful: int, font) -> None:
    """Patches from the highest class down, with limits and numbers of zones; then the zones without a value."""
    from matplotlib.patches import Rectangle

    axes = figure.add_axes(box)
    axes.set_axis_off()
    tall = box[3] * figure.get_figheight()  # inches
    wide = box[2] * figure.get_figwidth()
    axes.set_xlim(0, wide)
    axes.set_ylim(0, tall)
    y = tall - 0.15
    for line in textwrap.wrap(str(unit), 26)[:4]:
        axes.text(0, y, plain_text(line), color=_INK, font=font, size=9.5, va="center")
        y -= 0.19
    y -= 0.12
    rows = [(c, label, n, None) for c, label, n in zip(classes.colours, classes.labels, classes.counts, strict=True)][::-1]
    rows += [(MISSING, "no value", absent, "//////")] if absent else []
    rows += [(_PAPER, "unreliable", doubtful, _DOUBT)] if doubtful else []
    for colour, label, count, hatch in rows:
        axes.add_patch(Rectangle((0, y - 0.11), 0.32, 0.22, facecolor=colour, edgecolor="#9aa5b1", linewidth=0.4, hatch=hatch))
        axes.text(0.42, y + 0.055, plain_text(label), color=_INK, font=font, size=9, va="center")
        axes.text(0.42, y - 0.085, counted(count, "zone"), color=_GREY, font=font, size=7, va="center")
        y -= 0.33


def _scale_bar(figure, axes, size, font) -> None:
    """Draw a bar of a round number of kilometres at the foot of the legend's column."""
    axes.apply_aspect()
    box = axes.get_position()
    metres_per_inch = np.ptp(axes.get_xlim()) / (box.width * size[0])
    target = 1.5 * metres_per_inch
    power = 10.0 ** np.floor(np.log10(target))
    length = power * max(m for m in (1, 2, 5) if m * power <= target)
    inches = length / metres_per_inch
    left, low = (_WIDE + 2 * _MARGIN) / size[0], 0.5 / size[1]
    bar = figure.add_axes((left, low, inches / size[0], 0.05 / size[1]))
    bar.set_axis_off()
    bar.set_xlim(0, 1)
    bar.set_ylim(0, 1)
    bar.fill_between([0, 0.5], 0, 1, color=_INK, linewidth=0)
    bar.fill_between([0.5, 1], 0, 1, facecolor=_PAPER, edgecolor=_INK, linewidth=0.6)
    bar.fill_between([0, 1], 0, 1, facecolor="none", edgecolor=_INK, linewidth=0.6)
    text = f"{number(length / 1000)} km" if length >= 1000 else f"{number(length)} m"
    figure.text(left + (inches + 0.08) / size[0], low + 0.025 / size[1], text, color=_INK, font=font, size=8, va="center")
