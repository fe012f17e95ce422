"""The sheet of static maps: heading, panels, legend, scale bar, north, foot, laid out in inches on a page as tall as needed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthpop_gb.geography.numbers import number
from synthpop_gb.report._panels import GREY, INK, Outlines, Panel, draw_panel, plain_text
from synthpop_gb.report.words import counted

__all__ = ["Sheet", "lay_out"]

_PAPER = "#ffffff"
_FONTS = ("Source Sans 3", "Open Sans", "Helvetica Neue", "Arial", "Liberation Sans", "DejaVu Sans")
_WIDE, _WIDEST, _LEGEND, _MARGIN, _FOOT, _GAP, _CAPTION = 6.2, 9.6, 2.3, 0.25, 0.42, 0.18, 0.3  # inches


@dataclass(frozen=True)
class Sheet:
    """Words on a map: title, subtitle, line at the foot."""

    title: str
    subtitle: str
    foot: str


def lay_out(outlines: Outlines, panels: Sequence[Panel], legend: Sequence, sheet: Sheet, columns: int | None = None):
    """Draw one map, or several of the same zones, on a figure of its own, outside pyplot.

    outlines : polygons in metres, with their borders. panels : maps, row by row. legend : blocks with `draw` and `height`.
    columns : maps side by side; as many as make the sheet widest without making them small, where absent.
    Returns the matplotlib Figure.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    west, south, east, north = outlines.shapes.total_bounds
    pad = 0.02 * max(east - west, north - south, 1.0)
    aspect = min(max((north - south + 2 * pad) / (east - west + 2 * pad), 0.45), 1.6)
    columns = columns or _columns(len(panels), aspect)
    rows = -(-len(panels) // columns)
    wide = _WIDE if len(panels) == 1 else (_WIDEST - _GAP * (columns - 1)) / columns
    caption = _CAPTION if any(p.title for p in panels) else 0.0
    all_wide = columns * wide + (columns - 1) * _GAP
    least = max(3.2, sum(b.height for b in legend) + 1.0)
    tall = max(wide * aspect, (least - (rows - 1) * _GAP) / rows - caption)
    all_tall = rows * (tall + caption) + (rows - 1) * _GAP
    size = (all_wide + _LEGEND + 2 * _MARGIN, all_tall + _FOOT + (0.8 if sheet.subtitle else 0.52))
    figure = Figure(figsize=size, facecolor=_PAPER)
    FigureCanvasAgg(figure)
    font = _font()
    for i, panel in enumerate(panels):
        row, column = divmod(i, columns)
        left = _MARGIN + column * (wide + _GAP)
        low = _FOOT + all_tall - (row + 1) * (tall + caption) - row * _GAP
        axes = figure.add_axes((left / size[0], low / size[1], wide / size[0], tall / size[1]))
        axes.set_axis_off()
        axes.set_xlim(west - pad, east + pad)
        axes.set_ylim(south - pad, north + pad)
        axes.set_aspect("equal", adjustable="box", anchor="NW" if len(panels) > 1 else "W")
        draw_panel(axes, outlines, panel, min(1.0, wide / _WIDE + 0.2))
        if panel.title:
            text = plain_text(_fitting(panel.title, wide * 11.5))
            figure.text(left / size[0], (low + tall + 0.08) / size[1], text, color=INK, font=font, size=10, va="bottom")
    _heading(figure, size, sheet, font)
    _draw_legend(figure, (all_wide + 2 * _MARGIN, _FOOT, _LEGEND - _MARGIN, all_tall), size, legend, font)
    _scale_bar(figure, axes, all_wide, size, font)
    left_out = len(outlines.geography.codes) - len(outlines.shapes)
    foot = " ".join(filter(None, [sheet.foot, f"{counted(left_out, 'zone')} without a polygon not drawn." if left_out else ""]))
    figure.text(_MARGIN / size[0], 0.1 / size[1], plain_text(foot), color=GREY, font=font, va="bottom", size=6.5)
    return figure


def _columns(n: int, aspect: float) -> int:
    """Choose how many maps stand side by side: so many that the sheet comes out about as tall as it is wide, four at most."""
    if n <= 3 and aspect > 0.55:
        return n
    best = min(range(1, min(n, 4) + 1), key=lambda c: abs(-(-n // c) * aspect / c - 0.85))
    return max(best, 2) if n > 1 else 1


def _font():
    """Return the first of our fonts that is installed, found without touching the user's own settings."""
    from matplotlib.font_manager import FontProperties, fontManager

    installed = {f.name for f in fontManager.ttflist}
    return FontProperties(family=next((f for f in _FONTS if f in installed), "DejaVu Sans"))


def _heading(figure, size, sheet: Sheet, font) -> None:
    """Write title and subtitle, shortened where they would leave the page."""
    bold = font.copy()
    bold.set_weight("bold")
    left, top = _MARGIN / size[0], 1 - 0.18 / size[1]
    figure.text(left, top, plain_text(_fitting(sheet.title, size[0] * 8.2)), color=INK, font=bold, va="top", size=13)
    if sheet.subtitle:
        text = plain_text(_fitting(sheet.subtitle, size[0] * 13))
        figure.text(left, top - 0.3 / size[1], text, color=GREY, font=font, va="top", size=9)


def _fitting(text: str, characters: float) -> str:
    text = re.sub(r"\s+", " ", str(text)).strip()
    return text if len(text) <= characters else text[: int(characters) - 1].rstrip() + "…"


def _draw_legend(figure, box, size, legend: Sequence, font) -> None:
    """Draw the legend's blocks one below the other; box : left, low, width, height in inches."""
    left, low, wide, tall = box
    axes = figure.add_axes((left / size[0], low / size[1], wide / size[0], tall / size[1]))
    axes.set_axis_off()
    axes.set_xlim(0, wide)
    axes.set_ylim(0, tall)
    y = tall - 0.15
    for block in legend:
        y = block.draw(axes, y, font)


def _scale_bar(figure, axes, all_wide: float, size, font) -> None:
    """Draw a bar of a round number of kilometres at the foot of the legend's column, and where north is (the grid's: up)."""
    axes.apply_aspect()
    box = axes.get_position()
    metres_per_inch = np.ptp(axes.get_xlim()) / (box.width * size[0])
    target = min(1.5, 0.5 * box.width * size[0]) * metres_per_inch
    power = 10.0 ** np.floor(np.log10(target))
    length = power * max(m for m in (1, 2, 5) if m * power <= target)
    inches = length / metres_per_inch
    left, low = (all_wide + 2 * _MARGIN) / size[0], 0.5 / size[1]
    bar = figure.add_axes((left, low, inches / size[0], 0.05 / size[1]))
    bar.set_axis_off()
    bar.set_xlim(0, 1)
    bar.set_ylim(0, 1)
    bar.fill_between([0, 0.5], 0, 1, color=INK, linewidth=0)
    bar.fill_between([0.5, 1], 0, 1, facecolor=_PAPER, edgecolor=INK, linewidth=0.6)
    bar.fill_between([0, 1], 0, 1, facecolor="none", edgecolor=INK, linewidth=0.6)
    text = f"{number(length / 1000)} km" if length >= 1000 else f"{number(length)} m"
    figure.text(left + (inches + 0.08) / size[0], low + 0.025 / size[1], text, color=INK, font=font, size=8, va="center")
    arrow = figure.add_axes((left, low + 0.12 / size[1], 0.12 / size[0], 0.22 / size[1]))
    arrow.set_axis_off()
    arrow.set_xlim(0, 1)
    arrow.set_ylim(0, 1)
    arrow.fill([0, 0.5, 1, 0.5], [0, 1, 0, 0.28], color=INK, linewidth=0)
    figure.text(left + 0.16 / size[0], low + 0.2 / size[1], "N", color=INK, font=font, size=8, va="center")
