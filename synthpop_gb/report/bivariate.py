"""Bivariate maps: two figures of one zone in one colour, three classes of each, with a square for a legend that can be read."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.export import polygons
from synthpop_gb.geography import Geography
from synthpop_gb.geography.classes import MISSING, Classes, classify
from synthpop_gb.report._panels import GREY, INK, Outlines, Panel, Swatches, plain_text
from synthpop_gb.report._sheet import Sheet, lay_out
from synthpop_gb.report.drawing import Drawing
from synthpop_gb.report.maps import foot_of, numbers_of, save
from synthpop_gb.report.words import counted

__all__ = ["BIVARIATE", "draw_bivariate"]

BIVARIATE = (
    ("#ebebeb", "#f3e6b3", "#f3b300"),
    ("#b4d3e1", "#b3b3b3", "#b36600"),
    ("#509dc2", "#376387", "#1a1a1a"),
)
"""Colour by class of the first figure (row) and of the second (column): blue grows with the first, orange with the second, both
together are black. Any two differ by 12 or more (CIE 1976) in every kind of colour vision: `tests/stages/test_maps.py` checks it
by the model of Machado, Oliveira and Fernandes (2009)."""


def draw_bivariate(
    first: pd.Series,
    second: pd.Series,
    geography: Geography,
    path: str | Path,
    *,
    title: str,
    labels: tuple[str, str],
    units: tuple[str, str],
    subtitle: str = "",
    classes: str = "quantile",
    outlines: str | None = "auto",
    attribution: str | None = None,
    formats: Sequence[str] = ("png", "svg"),
) -> Drawing:
    """Draw two figures by zone in one map: three classes of each, nine colours.

    Parameters
    ----------
    first, second : pandas.Series
        Numbers by zone code; a zone that lacks one of them is drawn without a value.
    geography, path, title, subtitle, outlines, attribution, formats
        As `draw_map`.
    labels, units : pair of str
        What the two figures are, and in what.
    classes : str
        'quantile' (thirds of the zones, where values allow) or 'equal' steps.

    Returns
    -------
    Drawing
        List of the files; a notebook shows the picture.

    Raises
    ------
    InputError
        `missing-file` without boundaries, `output-locked`.
    """
    drawn = polygons(geography)
    numbers = [numbers_of(s, geography) for s in (first, second)]
    both = numbers[0].notna() & numbers[1].notna()
    numbers = [n.where(both) for n in numbers]
    scales = [classify(n.to_numpy(), method=classes, n=3) for n in numbers]
    of = [s.of(n.reindex(drawn.index).to_numpy()) for s, n in zip(scales, numbers, strict=True)]
    palette = np.array(_palette(*scales), dtype=object)
    known = (of[0] >= 0) & (of[1] >= 0)
    fill = np.full(len(drawn), "", dtype=object)
    fill[known] = palette[of[0][known], of[1][known]]
    zones = np.zeros(palette.shape, int)
    np.add.at(zones, (of[0][known], of[1][known]), 1)
    panel = Panel("", fill, np.zeros(len(drawn)), np.zeros(len(drawn), bool))
    legend: list[Swatches | _Square] = [_Square(scales, palette, labels, units, zones)]
    absent = int((~known).sum())
    legend += [Swatches("", [(MISSING, "no value", counted(absent, "zone"), "//////", 0.0)])] if absent else []
    sheet = Sheet(title, subtitle, foot_of(geography, attribution))
    figure = lay_out(Outlines(drawn, geography, outlines), [panel], legend, sheet)
    return save(figure, path, formats)


def _palette(first: Classes, second: Classes) -> list[list[str]]:
    """Colours of fewer classes than three are the ends of the scale, so that high stays high."""
    ends = {0: [0], 1: [1], 2: [0, 2], 3: [0, 1, 2]}
    return [[BIVARIATE[i][j] for j in ends[len(second.labels)]] for i in ends[len(first.labels)]]


@dataclass(frozen=True, eq=False)
class _Square:
    """The legend: a square of nine, the first figure upwards, the second to the right, with limits and how many zones in each."""

    scales: Sequence[Classes]
    palette: np.ndarray
    labels: tuple[str, str]
    units: tuple[str, str]
    zones: np.ndarray

    _SIDE = 0.42

    @property
    def height(self) -> float:
        """Inches that it takes."""
        return 0.19 * sum(len(self._lines(i)) for i in (0, 1)) + self._SIDE * len(self.palette) + 1.5

    def _lines(self, i: int) -> list[str]:
        return textwrap.wrap(f"{'↑' if i == 0 else '→'} {self.labels[i]}, {self.units[i]}", 28)[:4]

    def draw(self, axes, y: float, font) -> float:
        """Draw downwards from y (inches); returns where the next block may begin."""
        from matplotlib.patches import Rectangle

        y = self._words(axes, y, font, 0) - 0.08
        rows, columns = self.palette.shape
        left = 0.62
        for i in range(rows):  # the highest class of the first figure stands on top
            top = y - (rows - 1 - i) * self._SIDE
            for j in range(columns):
                colour = self.palette[i, j]
                box = {"facecolor": colour, "edgecolor": "#ffffff", "linewidth": 0.8}
                axes.add_patch(Rectangle((left + j * self._SIDE, top - self._SIDE), self._SIDE, self._SIDE, **box))
                ink = "#ffffff" if _dark(colour) else INK
                middle = (left + (j + 0.5) * self._SIDE, top - 0.5 * self._SIDE)
                axes.text(*middle, f"{self.zones[i, j]:,}", color=ink, font=font, size=7, ha="center", va="center")
            label = plain_text(self._label(0, i))
            axes.text(left - 0.06, top - 0.5 * self._SIDE, label, color=INK, font=font, size=7.5, ha="right", va="center")
        y -= rows * self._SIDE + 0.06
        for j in range(columns):
            label = plain_text(self._label(1, j))
            axes.text(left + (j + 0.5) * self._SIDE, y, label, color=INK, font=font, size=7.5, ha="right", va="top", rotation=40,
                      rotation_mode="anchor")  # fmt: skip
        y = self._words(axes, y - 0.66, font, 1)
        axes.text(0, y, "Numbers in the square: zones", color=GREY, font=font, size=7, va="center")
        return y - 0.3

    def _label(self, i: int, place: int) -> str:
        labels = self.scales[i].labels
        return labels[place] if place < len(labels) else ""  # no zone has both figures

    def _words(self, axes, y: float, font, i: int) -> float:
        for line in self._lines(i):
            axes.text(0, y, plain_text(line), color=INK, font=font, size=9, va="center")
            y -= 0.19
        return y


def _dark(colour: str) -> bool:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue < 130
