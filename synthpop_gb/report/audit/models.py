"""Models on the page: can one tell the sides apart, and does one say the same when it is learnt from synthetic data."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.report.audit.charts import Mark, Row, dot_chart
from synthpop_gb.report.audit.grids import grid, known, part, percent, table_of, text_in
from synthpop_gb.report.audit.learning import importance, prediction
from synthpop_gb.report.audit.subgroups import fairness
from synthpop_gb.report.audit.words import quality, score
from synthpop_gb.report.words import Column, counted, fixed, number, said, whole

__all__ = ["models"]

_MOST_TERMS = 30

_MODELS = {
    "logistic": "logistic regression",
    "interactions": "logistic regression with interactions",
    "cart": "classification tree",
}


def models(checks: Checks) -> list[dict]:
    """Return the parts of the section on models that there are, each with sentences, pictures and a table."""
    parts = [_propensity(checks), _regression(checks), prediction(checks), importance(checks), fairness(checks)]
    return [p for p in parts if p]


def _propensity(checks: Checks) -> dict | None:
    frame = table_of(checks, "propensity", ("model",))
    if frame.empty or "s_pmse" not in frame:
        return None
    sentences = []
    for row in frame.to_dict("records"):
        name = _MODELS.get(str(row.get("model")), said(row.get("model")) or "model")
        if not known(row["s_pmse"]):
            sentences.append(f"A {name} could not be fitted.")
            continue
        sees = ", which sees each variable by itself," if row.get("model") == "logistic" else ""
        text = f"A {name}{sees} tells them apart {score(row['s_pmse'])} times as well as it would a perfect synthesis "
        text += f"({quality(row['s_pmse'])})"
        if row["s_pmse"] < 0.05:
            text = f"A {name}{sees} cannot tell them apart at all ({quality(row['s_pmse'])})"
        if known(row.get("auc")):
            cases = f"{number(100 * row['auc'], 0)} of 100 cases, where guessing gives 50"
            text += f"; shown one real and one synthetic record it picks out the synthetic one in {cases}"
        sentences.append(text + ".")
    frame = frame.assign(model=[_MODELS.get(m, m) for m in text_in(frame, "model")], word=frame["s_pmse"].map(quality))
    columns = [
        Column("model", "Model", text=True, wrap=True),
        Column("word", "Verdict", text=True),
        Column("s_pmse", "S_pMSE", "", fixed(1)),
        Column("pmse", "pMSE", "", fixed(5)),
        Column("pmse_null", "Perfect synthesis", "pMSE", fixed(5)),
        Column("null", "Told by", text=True),
        Column("po50", "PO50", "% beyond half", fixed(1)),
        Column("specks", "SPECKS", "", fixed(3)),
        Column("auc", "AUC", "", fixed(3)),
        Column("df", "Parameters", "", whole),
        Column("records", "Records", "looked at", whole),
    ]
    return part("Can a model tell real from synthetic?", sentences, table=grid(frame, columns, "Propensity models"))


def _regression(checks: Checks) -> dict | None:
    frame, fits = table_of(checks, "regression"), table_of(checks, "regression_fit")
    if frame.empty or not {"real", "synthetic", "overlap"} <= set(frame):
        return None
    return part(
        "Does a regression give the same answers?", _regression_sentences(frame, fits), [_forest(frame)],
        table=_regression_grid(frame),
    )  # fmt: skip


def _regression_sentences(frame: pd.DataFrame, fits: pd.DataFrame) -> list[str]:
    out = []
    outcomes = text_in(frame, "outcome")
    for outcome in dict.fromkeys(outcomes):
        mine = frame[outcomes == outcome]
        compared = mine[mine["overlap"].notna()]
        name = f"The regression of {said(outcome)}" if outcome else "The regression"
        if compared.empty:
            out.append(f"{name} has no coefficient that could be compared.")
            continue
        mean = float(compared["overlap"].clip(lower=0).mean())
        apart = int((compared["overlap"] <= 0).sum())
        text = f"{name}: 95 % intervals of the two sides overlap by {number(100 * mean, 0)} % on average over "
        text += counted(len(compared), "coefficient")
        text += f"; {counted(apart, 'pair')} {'does' if apart == 1 else 'do'} not touch" if apart else "; every pair touches"
        if "same_conclusion" in compared and compared["same_conclusion"].notna().any():
            same = int(compared["same_conclusion"].astype(float).sum())
            text += f". {same:,} of {len(compared):,} lead to the same conclusion"
        fit = fits[text_in(fits, "outcome") == outcome] if len(fits) else fits
        if len(fit) and known(fit.iloc[0].get("s_lof")):
            text += f"; all together they are {score(fit.iloc[0]['s_lof'])} times as far off as after a perfect synthesis"
        out.append(text + ".")
    return out


def _forest(frame: pd.DataFrame) -> str:
    """Draw coefficients with their intervals, those that overlap least."""
    live = frame[frame["real"].notna() & frame["synthetic"].notna() & (text_in(frame, "variable") != "(intercept)")]
    if live.empty:
        return ""
    few = live.loc[live["overlap"].fillna(-np.inf).sort_values(kind="stable").index[:_MOST_TERMS]].sort_index()
    several = len(set(text_in(few, "outcome"))) > 1
    rows = []
    for r in few.to_dict("records"):
        term, against = str(r.get("term") or ""), str(r.get("against") or "")
        label = said(r.get("variable", "")) + (f" = {term}" if term else "")
        beside = " · ".join(
            filter(None, [said(r.get("outcome", "")) if several else "", f"against {against}" if against else ""])
        )
        marks = tuple(Mark(s, r[s], r.get(f"{s}_low", np.nan), r.get(f"{s}_high", np.nan)) for s in ("real", "synthetic"))
        overlap = f"{number(100 * max(r['overlap'], 0.0), 0)} %" if known(r["overlap"]) else "–"
        rows.append(Row(label, marks, beside, overlap))
    left = len(live) - len(few)
    label = f"Coefficients with 95 % intervals from real and from synthetic {'data'}; {counted(len(few), 'coefficient')}"
    label += f", those that overlap least of {len(live):,}." if left else "."
    model = text_in(frame, "model").iloc[0]
    axis = (
        "coefficient, log odds"
        if model == "logistic"
        else "coefficient" + (", in units of the outcome" if model == "linear" else "")
    )
    return dot_chart(
        rows, label=label, axis=axis, names={"real": "real data", "synthetic": "synthetic data"}, right="overlap", line=0.0,
    )  # fmt: skip


def _regression_grid(frame: pd.DataFrame):
    order = frame["overlap"].fillna(-np.inf).sort_values(kind="stable").index
    frame = frame.loc[order].reset_index(drop=True)
    columns = [
        Column("outcome", "Outcome", text=True, wrap=True),
        Column("variable", "Variable", text=True, write=said),
        Column("term", "Value", text=True, wrap=True),
        Column("against", "Against", text=True, wrap=True),
        Column("real", "Real", "coefficient", fixed(3)),
        Column("real_error", "Real", "standard error", fixed(3)),
        Column("synthetic", "Synthetic", "coefficient", fixed(3)),
        Column("synthetic_error", "Synthetic", "standard error", fixed(3)),
        Column("standardised", "Difference", "real standard errors", fixed(1)),
        Column("overlap", "Overlap", "%", percent),
        Column("undetermined", "Not determined", text=True),
    ]
    return grid(frame, columns, "Coefficients, those that overlap least first", most=60, what="coefficient")
