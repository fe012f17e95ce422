"""All cells of a scan as points of a picture: real against synthetic counts, near ones taken together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.validation.intersections.judge import Judged, Reference

__all__ = ["POINT_COLUMNS", "point_rows"]

POINT_COLUMNS = ("reference", "k", "expected", "observed", "beyond", "cells", "spread")

_STEPS = 50
"""Points a power of ten: finer than a picture of 300 pixels over six powers shows."""


def point_rows(judged: Judged, reference: Reference) -> pd.DataFrame:
    """One row an order and place in the picture.

    Columns: reference; k; expected (of the reference, brought to the population's size) and observed people, below ten to a
    tenth, above to a fiftieth of a power of ten; beyond (whether these cells differ by more than chance, or are impossible and
    have people); cells (how many are there); spread (variance of an observed count over its expectation where chance alone is
    at work: people over effective records, of both sides where the reference is a sample). Some thousand rows, of however many.
    """
    parts = []
    for table, basis, told in zip(judged.tables, judged.bases, judged.told, strict=True):
        if not (basis.expected > 0 and basis.observed > 0 and len(table)):
            continue
        spread = basis.observed / basis.effective + (0.0 if basis.known else basis.observed / basis.reference)
        expected = _place(table.expected * (basis.observed / basis.expected))
        place = {"k": len(table.at), "expected": expected, "observed": _place(table.observed), "beyond": told}
        parts.append(pd.DataFrame({**place, "cells": 1, "spread": spread}))
    if not parts:
        return pd.DataFrame(columns=list(POINT_COLUMNS))
    by = pd.concat(parts).groupby(["k", "expected", "observed", "beyond"], as_index=False)
    return by.agg(cells=("cells", "sum"), spread=("spread", "median")).assign(reference=reference.name)[list(POINT_COLUMNS)]


def _place(people: np.ndarray) -> np.ndarray:
    """Make counts of people that are near each other equal.

    >>> _place(np.array([0.0, 3.04, 5012.0, 5013.0])).round(1).tolist()
    [0.0, 3.0, 5011.9, 5011.9]
    """
    with np.errstate(divide="ignore"):
        large = 10.0 ** (np.round(np.log10(people) * _STEPS) / _STEPS)
    return np.where(people < 10, np.round(people, 1), large)
