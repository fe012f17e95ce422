"""Combinations of two variables: meeting every table says nothing about who is old and ill at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthpop_gb.indicators import UNITS
from synthpop_gb.validation.comparisons import Comparison
from synthpop_gb.validation.yardsticks import YARDSTICKS, Ruler, floor_survey

__all__ = ["CELL_COLUMNS", "MEAN_COLUMNS", "PAIR_COLUMNS", "WRONG_COLUMNS", "comparison_cells", "intersections", "wrong_columns"]

_PLAIN = ("rounding", "floor", "floor_sample")

WRONG_COLUMNS = tuple(name if name in _PLAIN else f"wrong_{name}" for name in YARDSTICKS)
"""The yardsticks as columns, in per cent of people."""

MEAN_COLUMNS = tuple(f"zone_mean_{name}" for name in YARDSTICKS)
"""The same as the mean of the zones' per cents."""

PAIR_COLUMNS = (
    "pair", "unit", "reference", "pairs", "cells", "people", *WRONG_COLUMNS, "floor_survey", "invented", "missing", *MEAN_COLUMNS,
)  # fmt: skip

CELL_COLUMNS = (
    "reference", "cell", "expected", "observed", "fitted", "error", "abs_error", "invented", "missing", "share_of_error",
    "impossible",
)  # fmt: skip


def wrong_columns(ruler: Ruler, k: int) -> dict[str, float]:
    """Yardsticks of one comparison as columns, over all people and as the mean of zones."""
    pooled, mean = ruler.pooled(k), ruler.zone_mean(k)
    return {c: pooled[n] for c, n in zip(WRONG_COLUMNS, YARDSTICKS, strict=True)} | {
        c: mean[n] for c, n in zip(MEAN_COLUMNS, YARDSTICKS, strict=True)
    }


def intersections(ruler: Ruler, pairs: Sequence[Comparison], first: int, weight: np.ndarray) -> pd.DataFrame:
    """One row a pair of constraint variables, and one 'all pairs' row for each kind of reference.

    Columns: pair; unit ('people', or 'households', which then stand for people in what follows; their mean has the row 'all pairs
    of households'); reference ('fit': the fractional fit; 'held out': a published joint table that was not fitted; 'constraint':
    one that was); pairs (how many); cells; people; then, in per cent of people, wrong_whole, wrong_fit, wrong_independence,
    wrong_survey, wrong_average, rounding, floor, floor_sample (see `YARDSTICKS`); floor_survey (what the survey's size alone
    costs); invented and missing (people where the reference has none, and the reverse, zone by zone); zone_mean_whole and
    so on: the yardsticks as the mean of the per cents of populated zones, where a small zone counts as much as a large one.

    Parameters
    ----------
    ruler : Ruler
        After measuring.
    pairs : sequence of Comparison
        Comparisons `first` and on of the ruler.
    first : int
        Position of the first pair in the ruler.
    weight : numpy.ndarray
        (n_records,) design weights.
    """
    rows, everything = [], {}
    for k, pair in enumerate(pairs, start=first):
        people, cells = float(ruler.people[:, k].sum()), ruler.cells(k)
        some = people or 1.0
        rows.append(
            {
                "pair": pair.name, "unit": UNITS[pair.unit], "reference": pair.source, "pairs": 1,
                "cells": pair.n_cells, "people": people,
                **wrong_columns(ruler, k), "floor_survey": floor_survey(_share(cells.expected), weight),
                "invented": 100 * float(cells.invented.sum()) / some, "missing": 100 * float(cells.missing.sum()) / some,
            }
        )  # fmt: skip
        everything.setdefault((pair.unit, pair.source), []).append(rows[-1])
    together = [_together(unit, source, members) for (unit, source), members in everything.items()]
    return pd.DataFrame(rows + together, columns=list(PAIR_COLUMNS))


def _share(total: np.ndarray) -> np.ndarray:
    return total / total.sum() if total.sum() else total


def _together(unit: str, source: str, members: list[dict]) -> dict:
    """Mean of several pairs, weighted by their people (households)."""
    frame = pd.DataFrame(members)
    weight = frame["people"] / (frame["people"].sum() or 1.0)
    means = {c: float((frame[c] * weight).sum(skipna=False)) for c in PAIR_COLUMNS[6:]}
    sizes = {"pairs": len(frame), "cells": int(frame["cells"].sum()), "people": float(frame["people"].sum())}
    name = "all pairs" if unit == "person" else "all pairs of households"
    return {"pair": name, "unit": UNITS[unit], "reference": source, **sizes, **means}


def comparison_cells(ruler: Ruler, comparisons: Sequence[Comparison], first: int, column: str) -> pd.DataFrame:
    """One row a cell of each comparison, summed over zones, in people.

    Columns: `column` (the comparison's name), reference, cell, expected, observed, fitted, error (observed - expected),
    abs_error (sum over zones of |observed - expected|), invented (people in zones where the reference has none), missing
    (the reverse), share_of_error (of the comparison's absolute error, per cent), impossible (the reference has nobody in
    any zone).
    """
    frames = []
    for k, comparison in enumerate(comparisons, start=first):
        cells = ruler.cells(k)
        total = cells.abs_error.sum()
        frames.append(
            pd.DataFrame(
                {
                    column: comparison.name, "reference": comparison.source, "cell": comparison.cell_labels,
                    "expected": cells.expected,
                    "observed": cells.observed, "fitted": cells.fitted, "error": cells.observed - cells.expected,
                    "abs_error": cells.abs_error, "invented": cells.invented, "missing": cells.missing,
                    "share_of_error": 100 * cells.abs_error / (total or 1.0), "impossible": cells.expected == 0,
                }
            )
        )  # fmt: skip
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=[column, *CELL_COLUMNS])
