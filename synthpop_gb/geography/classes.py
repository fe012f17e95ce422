"""Classes of a map: a few round limits, colours that everybody can tell apart, and labels that say exactly what is in each."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from synthpop_gb.geography.numbers import number

__all__ = ["DIVERGING", "MISSING", "SEQUENTIAL", "Classes", "classify", "classify_widths"]

SEQUENTIAL = {
    1: ("#41b6c4",),
    2: ("#dff1c2", "#225ea8"),
    3: ("#e3f4c1", "#41b6c4", "#253494"),
    4: ("#e3f4c1", "#7fcdbb", "#2c7fb8", "#253494"),
    5: ("#f1f9c5", "#a1dab4", "#41b6c4", "#2c7fb8", "#253494"),
    6: ("#f1f9c5", "#c7e9b4", "#7fcdbb", "#41b6c4", "#2c7fb8", "#253494"),
}
"""ColorBrewer YlGnBu (Harrower & Brewer 2003) by number of classes, its palest step darkened a little to stand out from paper."""

DIVERGING = {1: ("#f7f7f7",), 3: ("#e08214", "#f4f2f0", "#8073ac"), 5: ("#b35806", "#fdb863", "#f4f2f0", "#b2abd2", "#542788")}
"""ColorBrewer PuOr turned round: orange below, purple above, told apart by every kind of colour vision."""

MISSING = "#d9d9d9"


@dataclass(frozen=True, eq=False)
class Classes:
    """Classes of values.

    Attributes
    ----------
    limits : (n_classes - 1,) float64
        Inner limits; a value equal to a limit is in the class above it.
    labels : tuple of str
        What each class holds, without the unit.
    colours : tuple of str
        Fill of each class, '#rrggbb'.
    counts : tuple of int
        Zones in each class.
    missing : int
        Zones without a value.
    decimals : int
        Decimals that the limits need.
    """

    limits: np.ndarray
    labels: tuple[str, ...]
    colours: tuple[str, ...]
    counts: tuple[int, ...]
    missing: int
    decimals: int

    def of(self, values: np.ndarray) -> np.ndarray:
        """(n,) int: class of each value, -1 where there is none."""
        return np.where(np.isnan(values), -1, np.searchsorted(self.limits, values, side="right"))


def classify(values: np.ndarray, *, method: str = "quantile", n: int = 5, centre: float | None = None) -> Classes:
    """Divide values into at most n classes with round limits.

    Parameters
    ----------
    values : (n_zones,) float64
        NaN = no value.
    method : str
        'quantile' (about equally many zones a class) or 'equal' (equal steps).
    n : int
        Classes wanted, 1 to 6; fewer where values are few or rounding makes limits meet.
    centre : float, optional
        Makes the classes diverge around it: n of 3 or 5, the middle one around the centre.

    >>> classify(np.array([0.0, 0.0, 0.0])).labels
    ('0',)
    >>> classify(np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10.0]), n=2).labels
    ('1 to 5', '6 to 10')
    """
    if method not in ("quantile", "equal"):
        raise ValueError(f"method is 'quantile' or 'equal', not {method!r}")
    if not 1 <= n <= 6:
        raise ValueError(f"n is 1 to 6, not {n}")
    values = np.asarray(values, np.float64)
    known = values[np.isfinite(values)]
    if known.size == 0:
        return Classes(np.empty(0), (), (), (), len(values), 0)
    whole = bool((known == np.round(known)).all())
    limits, decimals = _diverging(known, n, centre) if centre is not None else _limits(known, method, n, whole)
    place = np.searchsorted(limits, known, side="right")
    used = np.bincount(place, minlength=len(limits) + 1)
    if centre is None and method == "quantile":  # a class that holds nobody would only be a line in the legend
        limits = limits[used[:-1] > 0]
        used = used[used > 0]
    palette = SEQUENTIAL if centre is None else DIVERGING
    labels = _labels(known, limits, decimals, whole)
    return Classes(limits, labels, palette[len(limits) + 1], tuple(used.tolist()), int(len(values) - known.size), decimals)


def classify_widths(widths: np.ndarray, beside: Classes, n: int = 5) -> Classes:
    """Divide half-lengths of intervals into classes no finer than a tenth of what the estimates beside them are told to.

    Estimates that the tables settle have widths of the solver's tolerance: one class, 'below 0.1', not colours of noise.

    >>> told = classify(np.array([0.5, 3.4, 7.6, 14.7]))
    >>> classify_widths(np.array([0.00012, 0.00011, 0.00004, 0.0001]), told).labels
    ('below 0.1',)
    """
    finest = 10.0 ** -(beside.decimals + 1)
    widths = np.asarray(widths, np.float64)
    small = widths < finest
    found = classify(np.where(small, 0.0, widths), n=n)
    if not (widths[small] > 0).any():
        return found
    end = float(found.limits[0]) if len(found.limits) else finest
    return replace(found, labels=(f"below {number(end, max(found.decimals, beside.decimals + 1))}", *found.labels[1:]))


def _limits(known: np.ndarray, method: str, n: int, whole: bool) -> tuple[np.ndarray, int]:
    low, high = float(known.min()), float(known.max())
    if low == high or n == 1:
        return np.empty(0), 0 if whole else max(0, _decimals(abs(low), 3))
    alone = method == "quantile" and n > 1 and float((known == low).mean()) > 1 / n
    if alone:  # a value that most zones share, usually nought, is a class of its own
        rest = known[known > low]
        first = float(rest.min())
        if n == 2 or first == high:
            raw = np.array([first])
        else:
            raw = np.concatenate([[first], np.quantile(rest, np.arange(1, n - 1) / (n - 1))])
    else:
        steps = np.arange(1, n) / n
        raw = np.quantile(known, steps) if method == "quantile" else low + (high - low) * steps
    spread = float(np.quantile(known, 0.9) - np.quantile(known, 0.1)) or high - low
    decimals = min(0, _decimals(spread, 2)) if whole else _decimals(spread, 2)
    limits = np.round(np.ceil(raw) if whole and decimals == 0 else raw, decimals)
    if alone:
        limits[0] = raw[0]  # as it is: rounding could put it among the rest
    limits = np.unique(limits)
    return limits[(limits > low) & (limits <= high)], max(decimals, 0)


def _diverging(known: np.ndarray, n: int, centre: float) -> tuple[np.ndarray, int]:
    reach = float(np.quantile(np.abs(known - centre), 0.98)) or float(np.abs(known - centre).max())
    if reach == 0:
        return np.empty(0), 0
    decimals = _decimals(reach, 1)
    outer, inner = (reach * 0.6, reach * 0.2) if n >= 5 else (None, reach / 3)
    near = [round(inner, decimals + 1), *([round(outer, decimals + 1)] if outer else [])]
    return np.array([centre - x for x in reversed(near)] + [centre + x for x in near]), max(decimals + 1, 0)


def _decimals(size: float, digits: int) -> int:
    """Decimals with which a number of this size shows so many digits (negative: tens, hundreds ...)."""
    return digits - 1 - math.floor(math.log10(size)) if size > 0 else 0


def _labels(known: np.ndarray, limits: np.ndarray, decimals: int, whole: bool) -> tuple[str, ...]:
    """'0 to 4', '5 to 9' for whole numbers; '5.1 to 6.3' for others, where the upper end belongs to the next class."""
    ends = [float(known.min()), *limits.tolist(), float(known.max())]
    below = known[known < limits[0]] if len(limits) else known
    only = float(below.max()) if below.size else math.nan  # a first class of one value is called by it
    out = []
    for i, (low, high) in enumerate(pairwise(ends)):
        last = i == len(ends) - 2
        if whole and decimals == 0:
            high = high if last else high - 1
        if i == 0 and only == low:
            high = low
        if high < low:  # an outer class of a diverging scale that holds nobody
            out.append(f"below {number(limits[0], decimals)}" if i == 0 else f"{number(limits[-1], decimals)} or more")
            continue
        first, second = number(low, decimals), number(high, decimals)
        out.append(first if first == second else f"{first} to {second}")
    return tuple(out)
