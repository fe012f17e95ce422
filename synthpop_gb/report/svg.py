"""Drawings as SVG text: a few shapes, axes and labels, every word in them escaped in one place.

Pictures of thousands of cells with labels that must not touch need every position to be known when they are drawn, and a point
to cost ten bytes; so these are written out here, where charts of few marks are left to Altair (`figures`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from synthpop_gb.report.words import number

__all__ = [
    "GREY",
    "INK",
    "LINE",
    "Counts",
    "Drawing",
    "Linear",
    "fitted",
    "place_labels",
    "short",
    "ticks",
    "width_of",
    "wrapped",
]

INK, GREY, LINE = "#1f2933", "#5f6b76", "#e4e9ee"

_NARROW, _WIDE = frozenset("iljtfrI.,;:'!|()[] ·"), frozenset("mwMW@%—…")


def width_of(text: str, size: float) -> float:
    """Width of a text in pixels in a plain sans serif, within a tenth; what is not Latin counts as a full square.

    >>> width_of("Husband", 10) > width_of("illi", 10) > 0
    True
    """
    ems = 0.0
    for c in text:
        ems += 0.3 if c in _NARROW else 0.86 if c in _WIDE else 0.69 if c.isupper() else 0.56 if ord(c) < 0x2E80 else 1.0
    return ems * size


def short(text: str, width: float, size: float) -> str:
    """Cut a text to so many pixels, with an ellipsis in the middle: names that begin alike often end otherwise.

    >>> short("Married-civilian-spouse", 60, 10), short("Wife", 60, 10)
    ('Marrie…ouse', 'Wife')
    """
    text = " ".join(str(text).split())
    if width_of(text, size) <= width:
        return text
    for kept in range(len(text) - 1, 0, -1):
        first = (3 * kept + 4) // 5  # more of the beginning
        cut = f"{text[:first].rstrip()}…{text[first - kept :].lstrip() if kept > first else ''}"
        if width_of(cut, size) <= width:
            return cut
    return "…"


def wrapped(text: str, width: float, size: float, most: int = 2) -> list[str]:
    """Break a text into at most so many lines of so many pixels; the last is cut where it is too long.

    >>> wrapped("relationship = Husband and sex = Female", 130, 10)
    ['relationship = Husband and', 'sex = Female']
    """
    lines, words = [], " ".join(str(text).split()).split(" ")
    while words and len(lines) < most - 1:
        line = [words.pop(0)]
        while words and width_of(" ".join([*line, words[0]]), size) <= width:
            line.append(words.pop(0))
        lines.append(short(" ".join(line), width, size))
    return [*lines, short(" ".join(words), width, size)] if words else lines


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers between two numbers, about so many.

    >>> ticks(0, 1, 4), ticks(-3, 12)
    ([0.0, 0.5, 1.0], [0.0, 5.0, 10.0])
    """
    if not (np.isfinite(low) and np.isfinite(high)) or high <= low:
        return [float(low)] if np.isfinite(low) else []
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) + 0.0 for i in range(first, math.floor(high / step + 1e-9) + 1)]


@dataclass(frozen=True)
class Linear:
    """A straight scale from numbers to pixels; what lies beyond its ends is put on them."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Pixel of a value."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def marks(self, about: int = 5) -> list[tuple[float, str]]:
        """Round values with how they are written."""
        found = ticks(self.low, self.high, about)
        step = found[1] - found[0] if len(found) > 1 else 1.0
        decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step else 0
        return [(v, number(v, decimals)) for v in found]


@dataclass(frozen=True)
class Counts:
    """A logarithmic scale for counts with a place for nought at its start, set apart by a gap.

    `least` and `most` are the ends of the logarithmic part, which begins `gap` pixels after nought.
    """

    least: float
    most: float
    start: float
    end: float
    gap: float = 26.0

    def __call__(self, value):
        """Pixels of values; nought (and less) has its own place."""
        way = 1.0 if self.end > self.start else -1.0
        first = self.start + way * self.gap
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.log(np.asarray(value, np.float64) / self.least) / math.log(self.most / self.least)
        return np.where(np.asarray(value) > 0, first + np.clip(share, 0.0, 1.0) * (self.end - first), self.start)

    def marks(self) -> list[tuple[float, str]]:
        """Nought and the powers of ten, fewer where they would crowd."""
        low, high = math.ceil(math.log10(self.least) - 1e-9), math.floor(math.log10(self.most) + 1e-9)
        powers = range(low, high + 1, max(1, (high - low) // 6))
        return [(0.0, "0"), *((10.0**p, number(10.0**p, max(0, -p))) for p in powers)]


def fitted(values: Iterable[float], *, zero: bool = False, robust: float = 0.0) -> tuple[float, float]:
    """Return ends of a scale that hold these values, with a little air; `robust`: this share at either end may lie beyond.

    >>> fitted([1, 2, 3], zero=True), fitted([float("nan")])
    ((0.0, 3.12), (0.0, 1.0))
    """
    known = np.array([v for v in values if v is not None and np.isfinite(v)], np.float64)
    if not known.size:
        return 0.0, 1.0
    low, high = np.quantile(known, [robust, 1 - robust]).tolist()
    low, high = (min(low, 0.0), max(high, 0.0)) if zero else (low, high)
    air = 0.04 * (high - low) or 0.5 * (abs(high) or 1.0)
    return (low - air if low < 0 or not zero else low), (high + air if high > 0 or not zero else high)


class Drawing:
    """An SVG picture under way: shapes are added in order, `svg` ends it.

    width, height : pixels. label : what a screen reader says; it should tell the result, not only the axes.
    """

    def __init__(self, width: float, height: float, label: str):
        self.width, self.height, self.label, self._parts = width, height, label, []

    def _add(self, tag: str, title: str | None = None, text: str | None = None, **attributes) -> None:
        written = "".join(
            f' {k.rstrip("_").replace("_", "-")}="{_plain(v)}"' for k, v in attributes.items() if v is not None and v != ""
        )
        inner = (f"<title>{escape(str(title))}</title>" if title else "") + (escape(text) if text is not None else "")
        self._parts.append(f"<{tag}{written}>{inner}</{tag}>" if inner else f"<{tag}{written}/>")

    def rect(self, x: float, y: float, width: float, height: float, fill: str, title: str | None = None, **attributes) -> None:
        """Add a filled rectangle."""
        self._add("rect", title, x=x, y=y, width=max(width, 0), height=max(height, 0), fill=fill, **attributes)

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str = LINE, width: float = 1, **attributes) -> None:
        """Add a straight line."""
        self._add("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, stroke_width=width, **attributes)

    def path(self, points: Sequence[tuple[float, float]], *, close: bool = False, title: str | None = None, **attributes) -> None:
        """Add a line through points, closed to an area where asked."""
        steps = "L".join(f"{_plain(x)} {_plain(y)}" for x, y in points)
        if points:
            self._add("path", title, d=f"M{steps}{'Z' if close else ''}", **{"fill": "none", **attributes})

    def text(
        self, x: float, y: float, text: str, *, size: float = 11, anchor: str = "start", fill: str = INK, turn: float = 0,
        title: str | None = None, **attributes,
    ) -> None:  # fmt: skip
        """Add a line of text; y is its baseline, `turn` degrees turn it about its anchor."""
        turned = f"rotate({_plain(turn)} {_plain(x)} {_plain(y)})" if turn else None
        anchor = None if anchor == "start" else anchor
        self._add(
            "text", title, str(text), x=x, y=y, font_size=size, text_anchor=anchor, fill=fill, transform=turned, **attributes
        )

    def dots(self, points: np.ndarray, size: float, fill: str, **attributes) -> None:
        """Add many round dots as one path; those that fall on the same pixel are drawn once."""
        at = np.unique(np.round(np.asarray(points, np.float64)).astype(int), axis=0)
        if len(at):
            steps = "".join(f"M{x} {y}h0" for x, y in at.tolist())
            self._add("path", d=steps, stroke=fill, stroke_width=size, stroke_linecap="round", fill="none", **attributes)

    def mark(self, shape: str, x: float, y: float, size: float, fill: str, title: str | None = None) -> None:
        """Add one symbol ('circle', 'diamond', 'up', 'down', 'square', 'bar', 'cross') about a point, `size` pixels across."""
        r, white = size / 2, {"stroke": "#ffffff", "stroke_width": 0.8}
        if shape == "circle":
            self._add("circle", title, cx=x, cy=y, r=r, fill=fill, **white)
        elif shape == "cross":
            d = f"M{_plain(x - r)} {_plain(y - r)}l{_plain(size)} {_plain(size)}m0 {_plain(-size)}l{_plain(-size)} {_plain(size)}"
            self._add("path", title, d=d, stroke=fill, stroke_width=2.2, fill="none")
        else:
            corners = {
                "diamond": [(0, -r), (r, 0), (0, r), (-r, 0)], "up": [(0, -r), (r, r * 0.8), (-r, r * 0.8)],
                "down": [(0, r), (r, -r * 0.8), (-r, -r * 0.8)], "bar": [(-1, -r), (1, -r), (1, r), (-1, r)],
                "square": [(-r, -r), (r, -r), (r, r), (-r, r)],
            }[shape]  # fmt: skip
            self.path([(x + a, y + b) for a, b in corners], close=True, title=title, **{"fill": fill, **white})

    def svg(self) -> str:
        """Return the picture as an SVG element, safe to stand in a page."""
        wide, tall = _plain(self.width), _plain(self.height)
        size = f'width="{wide}" height="{tall}" viewBox="0 0 {wide} {tall}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(self.label)}">'
        return f"{head}{''.join(self._parts)}</svg>"


def _plain(value) -> str:
    """Write a number for SVG with at most one decimal, or escape a text."""
    if isinstance(value, (int, float, np.integer, np.floating)):
        text = f"{float(value):.1f}"
        return text.removesuffix(".0") if text != "-0.0" else "0"
    return escape(str(value))


def place_labels(
    points: Sequence[tuple[float, float]], sizes: Sequence[tuple[float, float]], box: tuple[float, float, float, float],
    avoid: Sequence[tuple[float, float]] = (),
) -> list[tuple[float, float] | None]:  # fmt: skip
    """Find a place for each label beside its point, so that none touches another, leaves the box or hides a point.

    points : where they belong, the most important first; sizes : (width, height) of each label; box : (left, top, right, bottom);
    avoid : further points not to be hidden. All in pixels. Returns the upper left corner of each; None where there is no room.

    >>> place_labels([(50, 50), (51, 50)], [(30, 10), (30, 10)], (0, 0, 100, 100))
    [(57.0, 45.0), (14.0, 45.0)]
    """
    taken: list[tuple[float, float, float, float]] = [(x - 4, y - 4, x + 4, y + 4) for x, y in (*points, *avoid)]
    out: list[tuple[float, float] | None] = []
    for (x, y), (w, h) in zip(points, sizes, strict=True):
        found = None
        for far in (7, 14, 24, 38, 56):
            slant = far * 0.75
            spots = [
                (x + far, y - h / 2), (x - far - w, y - h / 2), (x - w / 2, y - far - h), (x - w / 2, y + far),
                (x + slant, y - slant - h), (x + slant, y + slant), (x - slant - w, y - slant - h), (x - slant - w, y + slant),
            ]  # fmt: skip
            found = next((s for s in spots if _free(s, w, h, box, taken)), None)
            if found:
                break
        if found:
            found = (float(found[0]), float(found[1]))
            taken.append((found[0] - 2, found[1] - 2, found[0] + w + 2, found[1] + h + 2))
        out.append(found)
    return out


def _free(spot, w: float, h: float, box, taken) -> bool:
    left, top = spot
    inside = box[0] <= left and box[1] <= top and left + w <= box[2] and top + h <= box[3]
    return inside and not any(left < c and a < left + w and top < d and b < top + h for a, b, c, d in taken)
