"""Fairness on the page: does a model learnt from synthetic data serve every subgroup as well as one learnt from real data."""

from __future__ import annotations

import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.report.audit.charts import Mark, Row, dot_chart
from synthpop_gb.report.audit.grids import grid, known, part, percent, table_of, text_in
from synthpop_gb.report.words import Column, counted, fixed, number, said, whole

__all__ = ["fairness"]

_MOST = 24
"""Groups of one variable drawn."""

_FALSE = 0.05
"""False discovery rate among groups, as the table's q is adjusted for."""

_CHARTED = {
    "accuracy": "predicted rightly, % of the group",
    "mean_absolute_error": "mean absolute error, in units of the outcome",
}


def fairness(checks: Checks) -> dict | None:
    """Return how models serve subgroups; None where that was not measured."""
    frame = table_of(checks, "fairness", ("group", "measure", "real", "synthetic"))
    if frame.empty:
        return None
    if "split" in frame and len(set(frame["split"])) > 1:  # intervals of one split cannot be averaged: the first is shown
        frame = frame[frame["split"] == frame["split"].min()].reset_index(drop=True)
    frame = frame.assign(by=text_in(frame, "by"), group=text_in(frame, "group"), measure=text_in(frame, "measure"))
    main = next((m for m in _CHARTED if (frame["measure"] == m).any()), frame["measure"].iloc[0])
    positive = next((p for p in text_in(frame, "positive") if p), "")
    pictures = [_chart(frame, main, _CHARTED.get(main, said(main)))]
    if (frame["measure"] == "selection_rate").any():
        pictures.append(_chart(frame, "selection_rate", f"predicted to be {positive or 'positive'}, % of the group"))
    sentences = [_sentence(frame, main), _small(frame)]
    return part("Does it serve every group alike?", sentences, pictures, table=_grid(frame, main))


def _name(row: dict) -> str:
    if not row["by"]:
        return row["group"] or "everybody"
    return f"{said(row['by'])} = {row['group']}"


def _sentence(frame: pd.DataFrame, main: str) -> str:
    if "difference" not in frame:
        return ""
    mine = frame[(frame["measure"] == main) & (frame["by"] != "") & frame["difference"].notna()]
    if mine.empty:
        return ""
    worse_is_more = main == "mean_absolute_error"
    worse = mine[:0]
    if "q" in mine:  # intervals are of one group each: among a hundred some exclude nought by chance
        worse = mine[(mine["q"] <= _FALSE) & ((mine["difference"] > 0) if worse_is_more else (mine["difference"] < 0))]
    groups = counted(len(mine), "group")
    if worse.empty:
        return f"None of {groups} is served worse by the model learnt from synthetic records than chance explains."
    row = worse.loc[worse["difference"].idxmax() if worse_is_more else worse["difference"].idxmin()].to_dict()
    if main == "accuracy":
        values = f"right for {number(100 * row['synthetic'], 0)} of 100, where the model of real records is for "
        values += number(100 * row["real"], 0)
    else:
        values = f"{number(row['synthetic'], 3)} where the model of real records has {number(row['real'], 3)}"
    verb = "is" if len(worse) == 1 else "are"
    first = f"{len(worse):,} of {groups} {verb} served worse by the model learnt from synthetic records"
    return f"{first}; most of all {_name(row)}: {values}."


def _small(frame: pd.DataFrame) -> str:
    if "records" not in frame or frame["records"].isna().all():
        return ""
    return f"The smallest group shown has {counted(int(frame['records'].min()), 'test record')}; smaller ones were not judged."


def _chart(frame: pd.DataFrame, measure: str, axis: str) -> str:
    """Draw one measure for the groups of one variable each."""
    single = ~frame["by"].str.contains(" x ", regex=False)
    mine = frame[(frame["measure"] == measure) & single & frame["real"].notna() & frame["synthetic"].notna()]
    if mine.empty:
        return ""
    factor = 1.0 if measure == "mean_absolute_error" else 100.0
    rows = []
    for r in mine.head(_MOST).to_dict("records"):
        marks = []
        for side in ("real", "synthetic"):
            ends = [factor * r[f"{side}_{e}"] if known(r.get(f"{side}_{e}")) else float("nan") for e in ("low", "high")]
            marks.append(Mark(side, factor * r[side], *ends))
        n = counted(int(r["records"]), "test record") if known(r.get("records")) else ""
        rows.append(Row(_name(r), tuple(marks), n))
    label = f"Models by group, {axis}. " + _sentence(frame, measure)
    names = {"real": "learnt from real", "synthetic": "learnt from synthetic"}
    return dot_chart(rows, label=label, axis=axis, names=names, ends=None if factor == 1.0 else (0.0, 100.0))


def _grid(frame: pd.DataFrame, main: str):
    sign = -1.0 if main == "mean_absolute_error" else 1.0
    order = (sign * frame["difference"]).sort_values(kind="stable").index if "difference" in frame else frame.index
    frame = frame.loc[order]
    frame = frame[frame["measure"] == main].reset_index(drop=True)
    write = fixed(3) if main == "mean_absolute_error" else percent
    unit = "" if main == "mean_absolute_error" else "right, %"
    frame = frame.assign(name=[_name(r) for r in frame.to_dict("records")])
    columns = [
        Column("name", "Group", text=True, wrap=True),
        Column("records", "Test records", "", whole),
        Column("real", "Learnt from real", unit, write),
        Column("synthetic", "From synthetic", unit, write),
        Column("difference", "Difference", "points" if unit else "", write),
        Column("difference_low", "Lower", "95 %", write),
        Column("difference_high", "Upper", "95 %", write),
    ]
    return grid(
        frame, columns, "Groups, those served worst by the model learnt from synthetic records first", most=40, what="group"
    )
