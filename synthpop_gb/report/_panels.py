"""What stands on a map's sheet: panels of filled zones, and the blocks of its legend."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthpop_gb.geography import Geography
from synthpop_gb.geography.classes import MISSING, Classes
from synthpop_gb.report._shapes import borders, curves
from synthpop_gb.report.words import counted

__all__ = ["GREY", "INK", "Outlines", "Panel", "Swatches", "draw_panel", "of_classes", "plain_text"]

_RASTERISE = 4_000
"""Polygons above which the SVG holds them as a picture: as curves the file would be tens of megabytes and slow to open."""

INK, GREY, _PAPER = "#1f2933", "#5f6b76", "#ffffff"
_DOUBT, _STRIPES = "\\\\\\\\", "#7b8794"  # over zones whose value should not be used by itself
_VEIL = 0.45
_ROW = 0.33  # inches


def plain_text(text: str) -> str:
    """Return text that matplotlib prints as it stands: a '$' would start a formula."""
    return str(text).replace("$", r"\$")


@dataclass(frozen=True, eq=False)
class Panel:
    """One map of a sheet.

    Attributes
    ----------
    title : str
        Line above it; nothing where the sheet's title says it.
    fill : (n_zones,) array of str
        Colour of each zone, '' where it has no value.
    veil : (n_zones,) float64
        How far each zone is faded: 0 not at all, 1 to white.
    hatched : (n_zones,) bool
        Zones whose value should not be used by itself.
    """

    title: str
    fill: np.ndarray
    veil: np.ndarray
    hatched: np.ndarray


@dataclass(frozen=True, eq=False)
class Swatches:
    """A block of the legend: a heading and rows of colour, label, line below, hatching ('' or matplotlib's), fading."""

    heading: str
    rows: Sequence[tuple[str, str, str, str, float]]

    def draw(self, axes, y: float, font) -> float:
        """Draw downwards from y (inches); returns where the next block may begin."""
        from matplotlib.patches import Rectangle

        for line in textwrap.wrap(str(self.heading), 26)[:4]:
            axes.text(0, y, plain_text(line), color=INK, font=font, size=9.5, va="center")
            y -= 0.19
        y -= 0.12
        for colour, label, below, hatch, veil in self.rows:
            box = {"linewidth": 0.4, "edgecolor": "#9aa5b1"}
            axes.add_patch(Rectangle((0, y - 0.11), 0.32, 0.22, facecolor=colour, hatch=hatch if not veil else None, **box))
            if veil:
                axes.add_patch(Rectangle((0, y - 0.11), 0.32, 0.22, facecolor=(1, 1, 1, veil), linewidth=0))
                if hatch:
                    pattern = {"facecolor": "none", "linewidth": 0, "edgecolor": _STRIPES, "hatch": hatch}
                    axes.add_patch(Rectangle((0, y - 0.11), 0.32, 0.22, **pattern))
            axes.text(0.42, y + 0.055 if below else y, plain_text(label), color=INK, font=font, size=9, va="center")
            axes.text(0.42, y - 0.085, plain_text(below), color=GREY, font=font, size=7, va="center")
            y -= _ROW
        return y - 0.1

    @property
    def height(self) -> float:
        """Inches that it takes."""
        return 0.19 * min(len(textwrap.wrap(str(self.heading), 26)) or 1, 4) + 0.22 + _ROW * len(self.rows)


def of_classes(
    numbers: np.ndarray,
    classes: Classes,
    *,
    title: str = "",
    unit: str,
    doubtful: np.ndarray | None = None,
    doubt: str = "unreliable",
    reliability: np.ndarray | None = None,
    count: bool = True,
) -> tuple[Panel, list[Swatches]]:
    """Fill zones by the class of their value, and say in blocks of a legend what each class holds.

    numbers : (n_zones,) float64, NaN = no value. doubtful : (n_zones,) bool, zones to fade and hatch, in the legend `doubt`.
    reliability : (n_zones,) str, classes of `indicators.RELIABILITY`: zones fade class by class, and the last is hatched too.
    """
    of, known = classes.of(numbers), ~np.isnan(numbers)
    fill = np.array([*classes.colours, ""], dtype=object)[of]
    veil, hatched = np.zeros(len(numbers)), np.zeros(len(numbers), bool)
    say = (lambda n: counted(int(n), "zone")) if count else (lambda n: "")
    rows = [(c, label, say(n), "", 0.0) for c, label, n in zip(classes.colours, classes.labels, classes.counts, strict=True)][
        ::-1
    ]
    absent = int((~known).sum())
    rows += [(MISSING, "no value", say(absent), "//////", 0.0)] if absent else []
    blocks, sure = [Swatches(unit, rows)], []
    if reliability is not None:
        for name, much in _fading().items():
            mine = (reliability == name) & known
            veil[mine], hatched[mine] = much, name == "unreliable"
            if mine.any():
                sure.append((GREY, name, say(mine.sum()), _DOUBT if name == "unreliable" else "", much))
        blocks += [Swatches("How sure: colours fade", sure)] if sure else []
    elif doubtful is not None and (doubtful & known).any():
        hatched = doubtful & known
        veil[hatched] = _VEIL
        rows.append((_PAPER, doubt, say(hatched.sum()), _DOUBT, 0.0))
    return Panel(title, fill, veil, hatched), blocks


def _fading() -> dict[str, float]:
    """How far each class of reliability is faded: not at all, then in steps that can be told apart."""
    from synthpop_gb.indicators import RELIABILITY

    return dict(zip(RELIABILITY, (0.0, 0.3, 0.55, 0.75), strict=True))


@dataclass(eq=False)
class Outlines:
    """Polygons and borders of a sheet, turned into curves once for all its panels."""

    shapes: object
    paths: list = field(init=False)
    lines: np.ndarray = field(init=False)
    geography: Geography
    level: str | None

    def __post_init__(self):
        self.paths = curves(self.shapes.geometry.to_numpy())
        self.lines = _borders(self.shapes, self.geography, self.level)

    @property
    def many(self) -> bool:
        """Whether there are so many that they are drawn as a picture."""
        return len(self.paths) > _RASTERISE


def _borders(shapes, geography: Geography, level: str | None) -> np.ndarray:
    """Borders of a parent level; 'auto' takes the first with 2 to 400 areas of 5 zones or more on average."""
    if level == "auto":
        sizes = {p: geography.zones[p].nunique() for p in geography.covering}
        level = next((p for p, n in sizes.items() if 2 <= n <= 400 and 5 * n <= len(geography.codes)), None)
    area = np.zeros(len(shapes), int) if level is None else pd.factorize(geography.zones[level].reindex(shapes.index))[0]
    return borders(shapes.geometry.to_numpy(), area)


def draw_panel(axes, outlines: Outlines, panel: Panel, scale: float = 1.0) -> None:
    """Fill the zones; those without a value are grey and hatched, doubtful ones faded and hatched the other way; then borders.

    scale : how large the panel is beside a single map, for the width of lines.
    """
    from matplotlib.collections import LineCollection, PathCollection

    paths, many = outlines.paths, outlines.many
    width = (0.35 if len(paths) <= 1_000 else 0.12) * scale**2

    def chosen(mask):
        return [p for p, m in zip(paths, mask, strict=True) if m]

    known = panel.fill != ""
    for mask, hatch in ((known, None), (~known, "//////")):
        if mask.any():
            # among tens of thousands white edges would wash towns out
            edge = "#9aa5b1" if hatch else "face" if many else _PAPER
            colours = np.where(panel.fill[mask] == "", MISSING, panel.fill[mask])
            style = {"edgecolors": edge, "linewidths": 0.05 if many else width, "hatch": hatch, "rasterized": many}
            axes.add_collection(PathCollection(chosen(mask), facecolors=colours, **style), autolim=False)
    for much in np.unique(panel.veil[panel.veil > 0]):
        for hatch in (False, True):
            mask = (panel.veil == much) & (panel.hatched == hatch)
            if mask.any():
                veil = {"facecolors": (1.0, 1.0, 1.0, much), "edgecolors": _STRIPES, "linewidths": 0.0, "rasterized": many}
                axes.add_collection(PathCollection(chosen(mask), hatch=_DOUBT if hatch else None, **veil), autolim=False)
    if len(outlines.lines):
        style = {"linewidths": (0.35 if many else 0.6) * scale, "colors": INK, "alpha": 0.75, "capstyle": "round"}
        axes.add_collection(LineCollection(outlines.lines, rasterized=many, **style), autolim=False)
