"""Squares of variables against variables: how well each pair is kept, readable up to some forty variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synthpop_gb.geography.classes import MISSING
from synthpop_gb.report.svg import INK, Drawing, short, width_of
from synthpop_gb.report.words import number

__all__ = ["DIFFERENCE", "UTILITY", "Scale", "matrix_picture"]


@dataclass(frozen=True)
class Scale:
    """Classes of values: inner limits (a value equal to one is in the class above), colours and words, from the lowest up."""

    limits: tuple[float, ...]
    colours: tuple[str, ...]
    words: tuple[str, ...]

    def of(self, value: float) -> int:
        """Class of a value; -1 where there is none."""
        return -1 if value is None or np.isnan(value) else int(np.searchsorted(self.limits, value, side="right"))

    def legend(self, values: Sequence[float]) -> list[dict]:
        """Rows of a legend: colour, words and how many squares are in each class, those without a value last."""
        of = [self.of(v) for v in values]
        rows = [
            {"colour": c, "words": w, "n": of.count(i)} for i, (c, w) in enumerate(zip(self.colours, self.words, strict=True))
        ]
        absent = of.count(-1)
        return rows + ([{"colour": MISSING, "words": "not looked at, or nothing to compare", "n": absent}] if absent else [])


UTILITY = Scale(
    (3.0, 10.0, 30.0, 100.0),
    ("#f1f9c5", "#a1dab4", "#41b6c4", "#2c7fb8", "#253494"),
    ("below 3: good", "3 to 10: acceptable", "10 to 30: poor", "30 to 100: poor", "100 or more: poor"),
)
"""Standardised pMSE: below 3 good, below 10 acceptable (Raab, Nowok & Dibben 2021); ColorBrewer YlGnBu, darker is worse."""

DIFFERENCE = Scale(
    (-0.3, -0.1, -0.03, 0.03, 0.1, 0.3),
    ("#7f3b08", "#e08214", "#fee0b6", "#f4f2f0", "#d8daeb", "#8073ac", "#2d004b"),
    (
        "weaker by 0.3 or more", "weaker by 0.1 to 0.3", "weaker by 0.03 to 0.1", "within 0.03", "stronger by 0.03 to 0.1",
        "stronger by 0.1 to 0.3", "stronger by 0.3 or more",
    ),
)  # fmt: skip
"""Synthetic less real association: orange where it is lost, purple where it is added."""

_DARK = frozenset({"#2c7fb8", "#253494", "#7f3b08", "#8073ac", "#2d004b"})


def matrix_picture(
    names: Sequence[str],
    values: Mapping[tuple[str, str], float],
    scale: Scale,
    *,
    label: str,
    tips: Mapping[tuple[str, str], str] | None = None,
    write: Callable[[float], str] | None = None,
) -> str:
    """Draw a triangle of squares, one a pair of variables, the diagonal one a variable.

    Parameters
    ----------
    names : sequence of str
        Variables in order.
    values : mapping of (name, name) to float
        By pair, in either order; (name, name) on the diagonal; a pair that is not there was not looked at.
    scale : Scale
        Classes and colours.
    label : str
        What a screen reader says: the result in a sentence.
    tips : mapping, optional
        More on a pair, shown when pointed at.
    write : callable, optional
        How a value is written in its square, where squares are large enough.

    Returns
    -------
    str
        An SVG element. Names stand at the left, and again along the diagonal, so that a column can be told without a ruler.
    """
    diagonal = any((v, v) in values for v in names)
    first = 0 if diagonal else 1  # without a diagonal the first variable has no row and the last no column
    n = len(names)
    cell = int(min(46, max(18, 700 // max(n, 1))))
    size = 12.0 if cell >= 24 else 11.0
    texts = [short(str(v).replace("_", " "), 180, size) for v in names]
    left = 10 + max((width_of(t, size) for t in texts[first:]), default=0)
    slant = 0.72 * max((width_of(t, size) for t in texts), default=0)
    top = 14 + (0.72 * width_of(texts[0], size) if n else 0)
    drawing = Drawing(left + (n - first) * cell + slant + 16, top + (n - first) * cell + 6, label)
    write = write or (lambda v: number(v, 0 if abs(v) >= 10 else 1))
    for i in range(first, n):
        b, y = names[i], top + (i - first) * cell
        drawing.text(left - 6, y + cell / 2 + 4, texts[i], size=size, anchor="end", title=str(b))
        for j, a in enumerate(names[: i + 1 - first]):
            value = values.get((a, b), values.get((b, a), np.nan))
            at = scale.of(value)
            fill = scale.colours[at] if at >= 0 else MISSING
            more = (tips or {}).get((a, b), (tips or {}).get((b, a), ""))
            said = str(a) if a == b else f"{a} × {b}"
            tip = f"{said}: {more or (number(value, 2) if at >= 0 else 'no value')}"
            x = left + j * cell
            drawing.rect(x + 0.5, y + 0.5, cell - 1, cell - 1, fill, tip, stroke="#c5ced6", stroke_width=0.5)
            if at < 0:
                drawing.line(x + 4, y + cell - 4, x + cell - 4, y + 4, "#9aa5b1")
            elif cell >= 30:
                ink = "#ffffff" if fill in _DARK else INK
                drawing.text(x + cell / 2, y + cell / 2 + 4, write(value), size=10.5, anchor="middle", fill=ink)
        j = i - first
        drawing.text(left + (j + 0.6) * cell, y - 4, texts[j], size=size, fill=INK, turn=-45)
    return drawing.svg()
