"""Areas above the zones whose tables whole people miss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding, finding
from synthpop_gb.problem import Problem

__all__ = ["areas_missed"]


def areas_missed(
    problem: Problem, goals: Sequence[np.ndarray], indptr: np.ndarray, profile: np.ndarray, count: np.ndarray
) -> Finding | None:
    """Say which areas above the zones miss their tables, the worst first; None where all are met.

    goals : whole tables to meet, by level. indptr, profile, count : whole counts of all zones, CSR.
    """
    rows = []
    for level, wanted in zip(problem.levels, goals, strict=True):
        gap = np.abs(level.counted(np.arange(problem.n_zones), indptr, profile, count) - wanted)
        for area in np.flatnonzero(gap.any(axis=1)):
            cell = " = ".join(map(str, level.cells[int(gap[area].argmax())]))
            rows.append((level.name, str(level.areas[area]), gap[area].sum(), cell))
    if not rows:
        return None
    frame = pd.DataFrame(rows, columns=["level", "area", "tae", "worst_cell"]).sort_values("tae", ascending=False, kind="stable")
    worst, verb = frame.iloc[0], "areas above the zones miss" if len(rows) > 1 else "area above the zones misses"
    message = (
        f"{len(rows):,} {verb} tables; worst: {worst.area} ({worst.level}), total absolute error {worst.tae:,.0f}, most of it at "
        f"{worst.worst_cell}."
    )
    return finding("level-not-met", message, place=worst.area, count=len(rows), rows=frame.reset_index(drop=True))
