"""Pairs of variables on the page: the heat map of two-way utility, and how far associations differ."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.report.audit.grids import grid, percent, table_of, text_in
from synthpop_gb.report.audit.matrix import DIFFERENCE, UTILITY, matrix_picture
from synthpop_gb.report.audit.words import quality, score
from synthpop_gb.report.words import Column, Grid, counted, fixed, number, said, whole

__all__ = ["association", "pairs"]

_STANDARDISED = {"vw": "VW", "s_ft": "S_FT", "s_g": "S_G", "s_jsd": "S_JSD", "s_wmabsdd": "S_WMabsDD"}

_NORMS = {
    "entrywise": ("Entrywise sum", "every pair twice"),
    "upper": ("Upper triangle", "every pair once"),
    "induced_1": ("Largest column sum", "induced 1-norm"),
    "frobenius": ("Frobenius", "root of squares"),
    "max": ("Largest", "one pair"),
}


def pairs(checks: Checks) -> dict | None:
    """Return the heat map of two-way utility, its legend and its tables; None where pairs were not compared."""
    frame = table_of(checks, "utility_tables", ("k", "a", "b"))
    if frame.empty or "s_pmse" not in frame:
        return None
    two, one = frame[frame["k"] == 2].reset_index(drop=True), frame[frame["k"] == 1]
    if two.empty and one.empty:
        return None
    order = table_of(checks, "univariate")
    names = list(dict.fromkeys([*order.get("variable", ()), *one["a"], *two["a"], *two["b"]]))
    names = [n for n in names if n in set(two["a"]) | set(two["b"]) | set(one["a"])]
    values = {(r.a, r.a): float(r.s_pmse) for r in one.itertuples()} | {(r.a, r.b): float(r.s_pmse) for r in two.itertuples()}
    tips = {(r["a"], r["b"] if r["k"] == 2 else r["a"]): _pair_tip(r) for r in pd.concat([one, two]).to_dict("records")}
    full = [
        values.get((a, b), values.get((b, a), np.nan))
        for i, b in enumerate(names)
        for a in names[: i + 1]
        if a != b or (a, a) in values
    ]
    sentence = _pairs_sentence(two)
    label = f"Heat map of {counted(len(names), 'variable')}. {sentence}"
    return {
        "sentence": sentence, "legend": UTILITY.legend(full), "n": len(names),
        "picture": matrix_picture(names, values, UTILITY, label=label, tips=tips),
        "table": _tables_grid(two, "Pairs of variables, worst first", full=False),
        "all": _tables_grid(two, "Pairs of variables, worst first, with every measure", most=40), "cells": _cells_words(two),
        "triples": _tables_grid(frame[frame["k"] == 3].reset_index(drop=True), "Three variables at a time, worst first", most=10),
    }  # fmt: skip


def _pair_tip(row: dict) -> str:
    text = f"S_pMSE {number(row['s_pmse'], 2)} ({quality(row['s_pmse'])})"
    return text + (f", {counted(int(row['cells']), 'cell')}" if pd.notna(row.get("cells", np.nan)) else "")


def _pairs_sentence(two: pd.DataFrame) -> str:
    known = two[two["s_pmse"].notna()]
    if known.empty:
        return "No pair of variables could be compared."
    words = known["s_pmse"].map(quality).value_counts()
    parts = [
        f"{int(words[w]):,} {'is' if words[w] == 1 else 'are'} {w}" for w in ("good", "acceptable", "poor") if words.get(w, 0)
    ]
    said_parts = ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]
    worst = known.loc[known["s_pmse"].idxmax()]
    text = f"Of {counted(len(known), 'pair')} of variables {said_parts}."
    if len(parts) == 1:
        text = f"All {len(known):,} pairs of variables are {parts[0].split(' ', 2)[2]}."
    if len(known) == 1:
        text = f"The one pair of variables is {parts[0].split(' ', 2)[2]}."
    beyond = f"{score(worst['s_pmse'])} times what a perfect synthesis would show"
    return f"{text} Worst is {said(worst['a'])} × {said(worst['b'])}, {beyond}."


def _cells_words(two: pd.DataFrame) -> str:
    if "cells" not in two or two["cells"].isna().all():
        return ""
    low, high = int(two["cells"].min()), int(two["cells"].max())
    return f"Tables have {low:,} to {high:,} cells" if low != high else f"Each table has {counted(low, 'cell')}"


def _tables_grid(frame: pd.DataFrame, caption: str, most: int = 12, full: bool = True) -> Grid | None:
    frame = frame.sort_values("s_pmse", ascending=False, kind="stable").reset_index(drop=True)
    digits = lambda v: number(v, 1 if abs(v) < 100 else 0) if pd.notna(v) else "–"  # noqa: E731
    names = [" × ".join(said(r[c]) for c in "abc" if c in r and isinstance(r[c], str) and r[c]) for r in frame.to_dict("records")]
    frame = frame.assign(name=names, word=frame["s_pmse"].map(quality))
    tones = {"good": "ok", "acceptable": "warn", "poor": "bad"}
    marked = {(i, 1): tones[w] for i, w in enumerate(frame["word"].head(most)) if w in tones}
    columns = [
        Column("name", "Table", text=True, wrap=True),
        Column("word", "Verdict", text=True),
        Column("s_pmse", "S_pMSE", "", digits),
        Column("specks", "Differ", "% of records (SPECKS)", percent),
        Column("cells", "Cells", "", whole),
        Column("pmse", "pMSE", "", lambda v: f"{v:.2g}"),
    ]
    if full:
        columns += [Column(key, heading, "", digits) for key, heading in _STANDARDISED.items()]
        columns += [Column(key, heading, "", fixed(3)) for key, heading in (("mabsdd", "MabsDD"), ("dbhatt", "dBhatt"))]
    return grid(frame, columns, caption, most=most, what="table", marked=marked)


def association(checks: Checks) -> dict | None:
    """Return the picture of how associations differ, and the norms; None where there are none."""
    frame = table_of(checks, "association", ("a", "b", "real", "synthetic", "difference"))
    norms = table_of(checks, "association_norms", ("norm", "correlation", "value"))
    if frame.empty and norms.empty:
        return None
    picture, legend, sentence = "", [], ""
    if {"a", "b", "difference"} <= set(frame):
        kind = text_in(frame, "kind")
        one = frame[kind != "spearman"].reset_index(drop=True)
        names = list(dict.fromkeys([*one["a"], *one["b"]]))
        order = {n: i for i, n in enumerate(table_of(checks, "univariate").get("variable", pd.Series(names)))}
        names.sort(key=lambda n: order.get(n, len(order)))
        values = {(r["a"], r["b"]): float(r["difference"]) for r in one.to_dict("records")}
        tips = {(r["a"], r["b"]): _association_tip(r) for r in one.to_dict("records")}
        full = [values.get((a, b), values.get((b, a), np.nan)) for i, b in enumerate(names) for a in names[:i]]
        sentence = _association_sentence(one)
        signed = lambda v: f"{'+' if v > 0.005 else ''}{number(v, 2)}"  # noqa: E731
        label = f"Differences of association of {counted(len(names), 'variable')}. {sentence}"
        picture = matrix_picture(names, values, DIFFERENCE, label=label, tips=tips, write=signed) if names else ""
        legend = DIFFERENCE.legend(full)
    return {
        "picture": picture,
        "legend": legend,
        "sentence": sentence,
        "norms": _norms_grid(norms),
        "table": _association_grid(frame),
    }


def _association_tip(row: dict) -> str:
    kind = said(row.get("kind", "")).replace("cramers v", "Cramér’s V").replace("pearson", "Pearson")
    return f"{kind} {number(row.get('real', np.nan), 2)} real, {number(row.get('synthetic', np.nan), 2)} synthetic"


def _association_sentence(frame: pd.DataFrame) -> str:
    known = frame[frame["difference"].notna()]
    if known.empty:
        return "No association could be compared."
    worst = known.loc[known["difference"].abs().idxmax()]
    mean = number(known["difference"].abs().mean(), 3)
    values = f"{number(worst['real'], 2)} real, {number(worst['synthetic'], 2)} synthetic"
    text = f"Associations are off by {mean} on average over {counted(len(known), 'pair')}; most "
    return text + f"for {said(worst['a'])} and {said(worst['b'])}: {values}."


def _norms_grid(norms: pd.DataFrame) -> Grid | None:
    """One row a set of variables, one column a definition: value, and that of a perfect sample in brackets."""
    if norms.empty or not {"norm", "correlation", "value"} <= set(norms):
        return None
    rows: dict[tuple, dict] = {}
    for r in norms.to_dict("records"):
        name = {"pearson": "Pearson", "spearman": "Spearman"}.get(r["correlation"], said(r["correlation"]))
        row = rows.setdefault((name, r.get("variables", "")), {"correlation": name, "variables": said(r.get("variables", ""))})
        row["n_variables"] = r.get("n_variables", np.nan)
        floor = r.get("floor", np.nan)
        row[r["norm"]] = number(r["value"], 2) + (f" ({number(floor, 2)})" if pd.notna(floor) else "")
    columns = [
        Column("correlation", "Correlation", text=True),
        Column("variables", "Of", text=True, wrap=True),
        Column("n_variables", "Variables", "", whole),
        *(Column(key, heading, unit) for key, (heading, unit) in _NORMS.items()),
    ]
    caption = "Size of the difference of the correlation matrices by definition (in brackets: of a perfect sample)"
    foot = "“L1 norm” is said of the first three; a figure without its definition says nothing."
    return grid(pd.DataFrame(list(rows.values())), columns, caption, foot=foot)


def _association_grid(frame: pd.DataFrame) -> Grid | None:
    if "difference" not in frame:
        return None
    frame = frame.loc[frame["difference"].abs().sort_values(ascending=False, kind="stable").index].reset_index(drop=True)
    columns = [
        Column("a", "Variable", text=True, write=said),
        Column("b", "and", text=True, write=said),
        Column("kind", "Measure", text=True, write=said),
        Column("real", "Real", "", fixed(3)),
        Column("synthetic", "Synthetic", "", fixed(3)),
        Column("difference", "Difference", "", fixed(3)),
        Column("floor", "Perfect sample", "absolute", fixed(3)),
    ]
    return grid(frame, columns, "Associations that differ most", most=15, what="pair")
