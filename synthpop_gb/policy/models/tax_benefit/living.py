"""Households: rent, council tax, and incomes made comparable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["BANDS", "council_tax", "equivalence"]

BANDS = {"A": 6, "B": 7, "C": 8, "D": 9, "E": 11, "F": 13, "G": 15, "H": 18}
"""Ninths of band D that each band pays (Local Government Finance Act 1992, s. 5; in England, and in Scotland up to D)."""


def council_tax(band_d, band, adults, p: Mapping[str, Any]) -> np.ndarray:
    """Council tax of a household: its band's share of band D, a quarter less where one adult lives.

    Reductions of people of low income are local schemes, and left out.

    >>> council_tax([1800.0, 1800.0], ["A", "D"], [2, 1], {"council_tax.single_discount": 0.25}).tolist()
    [1200.0, 1350.0]
    """
    ninths = np.array([BANDS.get(b, 9) for b in np.asarray(band, object)], np.float64)
    full = np.asarray(band_d, np.float64) * ninths / 9.0
    return full * np.where(np.asarray(adults) <= 1, 1.0 - p["council_tax.single_discount"], 1.0)


def equivalence(grown, children, p: Mapping[str, Any]) -> np.ndarray:
    """Return the modified OECD scale with a couple as 1: 0.67 the first, 0.33 each further member from 14, 0.20 each child.

    >>> p = {"equivalence.first_adult": 0.67, "equivalence.further_adult": 0.33, "equivalence.child": 0.20}
    >>> equivalence([1, 2, 2], [0, 0, 2], p).round(2).tolist()
    [0.67, 1.0, 1.4]
    """
    grown, children = np.asarray(grown, np.float64), np.asarray(children, np.float64)
    first = np.where(grown > 0, p["equivalence.first_adult"] - p["equivalence.further_adult"], 0.0)
    scale = first + p["equivalence.further_adult"] * grown + p["equivalence.child"] * children
    return np.where(grown > 0, scale, p["equivalence.first_adult"] + p["equivalence.child"] * np.maximum(children - 1.0, 0.0))
