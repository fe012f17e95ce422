"""Variables on the page, one by one: a sentence, a panel each, and the tables behind them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.report.audit.grids import grid, percent, table_of
from synthpop_gb.report.audit.univariate import significant, variable_picture
from synthpop_gb.report.audit.words import per_hundred
from synthpop_gb.report.words import Column, Grid, counted, fixed, number, said

__all__ = ["variables"]

_OPEN = 12
"""Variables drawn at once, those furthest apart first; the others are behind a fold."""

_MOST_VARIABLES = 60


def variables(checks: Checks, unit: str) -> dict | None:
    """Return the panels of single variables and their table; None where there are none."""
    bins, frame = table_of(checks, "univariate_bins", ("variable", "label")), table_of(checks, "univariate", ("variable",))
    if bins.empty and frame.empty:
        return None
    rows = {r["variable"]: r for r in frame.to_dict("records")} if "variable" in frame else {}
    names = list(dict.fromkeys([*rows, *bins.get("variable", ())]))
    names.sort(key=lambda v: -np.nan_to_num(float(rows.get(v, {}).get("tvd", 0.0))))
    drawn = []
    if {"variable", "label", "real", "synthetic"} <= set(bins):
        for name in names[:_MOST_VARIABLES]:
            mine, row = bins[bins["variable"] == name], rows.get(name, {})
            if len(mine):
                kind = row.get("kind", mine["kind"].iloc[0] if "kind" in mine else "category")
                drawn.append(variable_picture(mine, name=said(name), kind=kind, foot=_foot(row)))
    return {
        "sentence": _variables_sentence(frame, unit), "open": drawn[:_OPEN], "folded": drawn[_OPEN:],
        "left": max(0, len(names) - _MOST_VARIABLES), "table": _variables_grid(frame), "moments": _moments_grid(frame),
    }  # fmt: skip


def _foot(row: dict) -> str:
    if not np.isfinite(row.get("tvd", np.nan)):
        return ""
    floor = row.get("tvd_floor", np.nan)
    beside = f" (perfect sample {_short_percent(floor)})" if np.isfinite(floor) else ""
    return f"{_short_percent(row['tvd'])} differ{beside}"


def _short_percent(share: float) -> str:
    share = 0.0 if share < 1e-9 else share
    return f"{number(100 * share, 0 if share >= 0.0995 or share == 0 else 1 if share >= 0.00095 else 2)} %"


def _variables_sentence(frame: pd.DataFrame, unit: str) -> str:
    if frame.empty or "tvd" not in frame or frame["tvd"].isna().all():
        return ""
    worst = frame.loc[frame["tvd"].idxmax()]
    if worst["tvd"] < 1e-9:
        first = f"Every one of the {len(frame):,} variables" if len(frame) > 1 else "The variable"
        return f"{first} has the very shares of the real data."
    text = f"Of {counted(len(frame), 'variable')} the one least alike is {said(worst['variable'])}: "
    text += f"{per_hundred(worst['tvd'], unit)} would have to change category or group"
    if "tvd_floor" in frame and pd.notna(worst["tvd_floor"]):
        text += f"; of a perfect sample of this size it would be {per_hundred(worst['tvd_floor'], unit)}"
    text += "."
    for side in ("synthetic", "real"):
        column = f"only_{side}"
        if column in frame and (n := int(frame[column].fillna(0).sum())):
            text += f" {counted(n, 'category', 'categories')} {'stands' if n == 1 else 'stand'} in the {side} data only."
    return text


def _variables_grid(frame: pd.DataFrame) -> Grid | None:
    columns = [
        Column("variable", "Variable", text=True, write=said, wrap=True),
        Column("kind", "Kind", text=True),
        Column("tvd", "Differ", "TVD, %", percent),
        Column("tvd_floor", "Perfect sample", "TVD, %", percent),
        Column("ks", "KS", "", fixed(3)),
        Column("ks_floor", "Perfect sample", "KS", fixed(3)),
        Column("missing_real", "Missing, real", "%", percent),
        Column("missing_synthetic", "Missing, synthetic", "%", percent),
        Column("outside", "Outside", "% beyond the real range", percent),
        Column("only_real_names", "Only in the real data", text=True, wrap=True),
        Column("only_synthetic_names", "Only in the synthetic data", text=True, wrap=True),
    ]
    frame = frame.sort_values("tvd", ascending=False, kind="stable") if "tvd" in frame else frame
    caption = "Distance of every variable’s distribution, beside that of a perfect sample"
    return grid(frame.reset_index(drop=True), columns, caption, most=60, what="variable")


def _moments_grid(frame: pd.DataFrame) -> Grid | None:
    if "kind" not in frame or not (frame["kind"] == "number").any():
        return None
    columns = [Column("variable", "Variable", text=True, write=said)]
    for key, heading in (
        ("mean", "Mean"),
        ("sd", "Standard deviation"),
        ("skewness", "Skewness"),
        ("q05", "5 %"),
        ("q50", "Median"),
        ("q95", "95 %"),
    ):
        columns += [
            Column(f"{key}_real", heading, "real", significant),
            Column(f"{key}_synthetic", heading, "synthetic", significant),
        ]
    columns.append(Column("mean_difference", "Mean, difference", "real standard deviations", fixed(3)))
    numbers = frame[frame["kind"] == "number"].reset_index(drop=True)
    return grid(numbers, columns, "Moments and quantiles of numbers", most=60, what="variable")
