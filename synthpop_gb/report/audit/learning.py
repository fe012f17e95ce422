"""Prediction on the page: models learnt from synthetic records judged on real ones, and what they lean on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.report.audit.charts import Mark, Row, confusion_picture, dot_chart, slope_picture
from synthpop_gb.report.audit.grids import grid, known, part, percent, table_of, text_in
from synthpop_gb.report.words import Column, counted, fixed, number, said, whole

__all__ = ["importance", "prediction"]

_TRAINED = {
    "real": "real records", "synthetic": "synthetic records", "real again": "a bootstrap of the real records",
    "dummy": "no model: the most frequent value, or the mean",
}  # fmt: skip
"""What each model was learnt from, in words."""

_METHODS = {"permutation": "By permutation", "shap": "By SHAP"}


def prediction(checks: Checks) -> dict | None:
    """Return how well models learnt from either side predict real records; None where none was trained."""
    frame = table_of(checks, "prediction", ("trained_on",))
    if frame.empty:
        return None
    numbers = "accuracy" not in frame or frame["accuracy"].isna().all()
    measure = "r2" if numbers else "accuracy"
    if measure not in frame or frame[measure].isna().all():
        return None
    confusion = table_of(checks, "confusion", ("actual", "predicted", "records", "trained_on"))
    panels = []
    if len(confusion):
        first = confusion[confusion["split"] == confusion["split"].min()] if "split" in confusion else confusion
        for side in ("real", "synthetic"):
            mine = first[first["trained_on"] == side]
            if len(mine) and mine["actual"].nunique() <= 12:
                panels.append(confusion_picture(mine, title=f"Learnt from {_TRAINED[side]}"))
    heading = "Does a model learnt from it predict real records?"
    return part(heading, [_sentence(frame, measure)], [_picture(frame, measure)], panels, _grid(frame))


def _sentence(frame: pd.DataFrame, measure: str) -> str:
    mean = frame.groupby("trained_on", sort=False)[measure].mean()
    if "synthetic" not in mean:
        return ""
    target = f" of {said(frame['target'].iloc[0])}" if "target" in frame else ""
    n = frame["split"].nunique() if "split" in frame else 1
    over = f", means of {counted(n, 'split')} of the real records" if n > 1 else ""
    if measure == "accuracy":
        write = lambda v: f"{number(100 * v, 1)} of 100 real records"  # noqa: E731
        text = f"A random forest{target} learnt from synthetic records is right for {write(mean['synthetic'])} that it never saw"
        text += f"; learnt from real records, for {number(100 * mean['real'], 1)}" if "real" in mean else ""
        text += f"; who always says the most frequent value, for {number(100 * mean['dummy'], 1)}" if "dummy" in mean else ""
    else:
        write = lambda v: f"{number(100 * v, 1)} %"  # noqa: E731
        text = (
            f"A random forest{target} learnt from synthetic records explains {write(mean['synthetic'])} of the variance of real "
        )
        text += "records that it never saw (R²)"
        text += f"; learnt from real records, {write(mean['real'])}" if "real" in mean else ""
        text += "; the mean alone explains nothing" if "dummy" in mean else ""
    return f"{text}{over}."


def _picture(frame: pd.DataFrame, measure: str) -> str:
    names = {
        "accuracy": "right, % of real records",
        "balanced_accuracy": "right, mean over the true values, %",
        "auc": "AUC, in per cent",
    }
    shown = [m for m in names if m in frame and frame[m].notna().any()] if measure == "accuracy" else ["r2"]
    names["r2"] = "variance explained (R²), %"
    mean, rows = frame.groupby("trained_on", sort=False).mean(numeric_only=True), []
    for m in shown:
        marks = []
        for side, series in (("synthetic", "synthetic"), ("real", "real"), ("dummy", "guess")):
            if side not in mean.index or not known(mean.loc[side, m]):
                continue
            ends = [100 * mean.loc[side, f"{m}_{e}"] if f"{m}_{e}" in mean else np.nan for e in ("low", "high")]
            marks.append(Mark(series, 100 * float(mean.loc[side, m]), *map(float, ends)))
        rows.append(Row(names[m], tuple(marks)))
    legend = {"synthetic": "learnt from synthetic", "real": "learnt from real", "guess": "no model"}
    low = min([m.value for r in rows for m in r.marks] + [0.0])
    label = "Prediction of real records. " + _sentence(frame, measure)
    return dot_chart(rows, label=label, axis="per cent", names=legend, ends=(min(low, 0.0), 100.0))


def _grid(frame: pd.DataFrame):
    mean = frame.groupby("trained_on", sort=False).mean(numeric_only=True).reset_index()
    mean = mean.assign(trained_on=[_TRAINED.get(v, v) for v in mean["trained_on"]])
    columns = [
        Column("trained_on", "Learnt from", text=True, wrap=True),
        Column("train_records", "Learnt from", "records", whole),
        Column("test_records", "Tested on", "real records", whole),
        Column("accuracy", "Right", "%", percent),
        Column("accuracy_low", "Lower", "95 %, Wilson", percent),
        Column("accuracy_high", "Upper", "95 %", percent),
        Column("balanced_accuracy", "Balanced", "%", percent),
        Column("auc", "AUC", "", fixed(3)),
        Column("r2", "R²", "", fixed(3)),
        Column("rmse", "RMSE", "", fixed(3)),
        Column("mae", "MAE", "", fixed(3)),
        Column("kept", "Skill kept", "of the real model’s, %", percent),
    ]
    return grid(mean, columns, "Models tested on real records that none of them saw")


def importance(checks: Checks) -> dict | None:
    """Return which variables models lean on, learnt from either side; None where that was not measured."""
    frame = table_of(checks, "importance", ("variable", "importance", "trained_on"))
    if frame.empty:
        return None
    agreement = table_of(checks, "importance_agreement", ("method", "trained_on", "spearman"))
    panels, sentences = [], []
    methods = text_in(frame, "method")
    for method in dict.fromkeys(methods):
        mine = frame[methods == method].pivot_table(index="variable", columns="trained_on", values="importance", sort=False)
        if {"real", "synthetic"} <= set(mine):
            if all(mine[s].max() > mine[s].min() for s in ("real", "synthetic")):  # else there is no order to draw
                panels.append(
                    slope_picture(mine.reset_index(), title=f"{_METHODS.get(method, said(method))}, most important first")
                )
            sentences.append(_agreement(method, mine, agreement[text_in(agreement, "method") == method]))
    columns = [
        Column("method", "Method", text=True),
        Column("trained_on", "Learnt from", text=True),
        Column("splits", "Splits", "", whole),
        Column("spearman", "Spearman", "rank correlation", fixed(2)),
        Column("kendall", "Kendall", "τ", fixed(2)),
        Column("top_same", "First is the same", "% of splits", percent),
        Column("first_three_same", "First three are", "% of splits", percent),
        Column("order_same", "Whole order is", "% of splits", percent),
    ]
    table = None
    if len(agreement):
        flags = {c: agreement[c].astype(float) for c in ("top_same", "first_three_same", "order_same") if c in agreement}
        by = agreement.assign(splits=1, **flags).groupby(["method", "trained_on"], sort=False)
        mean = by.mean(numeric_only=True).assign(splits=by["splits"].sum()).reset_index()
        table = grid(mean, columns, "Order of importance beside that learnt from real records")
    return part("Does it lean on the same variables?", sentences, panels=panels, table=table)


def _agreement(method: str, importance: pd.DataFrame, agreement: pd.DataFrame) -> str:
    real, made = (str(importance[s].idxmax()) for s in ("real", "synthetic"))
    text = f"{_METHODS.get(method, said(method))}, {said(real)} is the most important variable "
    if not (importance["synthetic"] > 0).any():
        text += "learnt from real records; learnt from synthetic ones no variable matters"
    elif real == made:
        text += "either way"
    else:
        text += f"learnt from real records, {said(made)} learnt from synthetic ones"
    of = {t: agreement.loc[text_in(agreement, "trained_on") == t, "spearman"].mean() for t in ("synthetic", "real again")}
    if known(of["synthetic"]):
        text += f"; the orders agree with a rank correlation of {number(of['synthetic'], 2)}"
        text += f", where two models of real records agree with {number(of['real again'], 2)}" if known(of["real again"]) else ""
    return text + "."
