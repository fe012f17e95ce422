"""The section on incomes: areas' published figures, and what was fitted before and after start weights were tilted to them."""

from __future__ import annotations

import pandas as pd

from synthpop_gb.area_incomes import error_unit, mean_error
from synthpop_gb.checks import Checks
from synthpop_gb.population import Population
from synthpop_gb.report.figures import before_and_after
from synthpop_gb.report.words import Column, Grid, counted, fixed, grid_of, number, percent, said, whole

__all__ = ["incomes_of"]

_SHOWN = 12


def incomes_of(population: Population, checks: Checks) -> dict:
    """Gather what the template writes about published incomes; nothing where the study names none.

    Returns
    -------
    dict
        sentences, errors (a row a target), charts [(heading, SVG)], worst (areas that are furthest from what is published).
    """
    frame = checks.tables.get("incomes", pd.DataFrame())
    told = (population.provenance.start or {}).get("incomes", {}).get("targets", ())
    if frame.empty or not told:
        return {}
    known = frame[frame["published"].notna()]
    charts = [
        (
            _heading(t),
            before_and_after(known[known["incomes"] == t["incomes"]], "share" if t["measure"] == "share" else t["unit"]),
        )
        for t in told
    ]
    return {"sentences": _sentences(frame), "errors": _errors(known, told), "charts": charts, "worst": _worst(known, told)}


def _heading(told: dict) -> str:
    where = f", where {told['where']}" if told["where"] else ""
    what = f" ({told['what']})" if told["what"] else ""
    kept = "; kept back" if told["held_out"] else ""
    return f"{said(told['incomes'])}{what}: {told['measure']} of {said(told['column'])}{where}, by {told['level']}{kept}"


def _sentences(frame: pd.DataFrame) -> list[str]:
    words = [
        "Start weights were tilted area by area towards these figures, as far as they are sure; every table is met as before. "
        "An area whose figure was left out gets what areas like it say, and its error shows what the figures tell of each other."
    ]
    silent = frame[frame["published"].isna()]
    if len(silent):
        words.append(f"Of {counted(len(silent), 'area')} nothing is published; they have what the others say.")
    if short := int(frame["at_limit"].sum()):
        words.append(f"In {counted(short, 'area')} the survey has too few such people to come nearer.")
    return words


def _errors(known: pd.DataFrame, told) -> Grid:
    """One row a target: mean absolute differences from what is published."""
    rows = []
    for t in told:
        mine = known[known["incomes"] == t["incomes"]]
        off = {c: mean_error(mine[c], mine["published"], t["measure"]) for c in ("before", "predicted", "after", "counted")}
        rows.append({"incomes": t["incomes"], "role": "kept back" if t["held_out"] else "aimed at", "areas": len(mine),
                     "unit": error_unit(t["measure"]), "noise": t["noise"], "uprated": t["uprated"], **off})  # fmt: skip
    columns = [
        Column("incomes", "Incomes", text=True, write=said), Column("role", "Role", text=True),
        Column("areas", "Areas", "", whole), Column("uprated", "Uprated by", "factor", fixed(3)),
        Column("unit", "Off by", "unit", text=True),
        Column("before", "Before", "", percent), Column("predicted", "Left out", "", percent),
        Column("after", "After", "", percent), Column("counted", "Whole people", "", percent),
        Column("noise", "Published errors alone", "", percent),
    ]  # fmt: skip
    return grid_of(pd.DataFrame(rows), columns, "How far incomes of areas are from what is published: mean absolute differences")


def _worst(known: pd.DataFrame, told) -> Grid:
    """Areas furthest from what is published, in its standard errors."""
    gap = (known["after"] - known["published"]).abs() / known["published_error"].where(known["published_error"] > 0)
    share = {t["incomes"] for t in told if t["measure"] == "share"}
    frame = known.assign(gap=gap).sort_values("gap", ascending=False, kind="stable").head(_SHOWN)
    keys = ("published", "published_error", "before", "predicted", "after", "standard_error", "counted")
    written = {
        k: [number(100 * v, 1) + " %" if i in share else number(v, 0) for v, i in zip(frame[k], frame["incomes"], strict=True)]
        for k in keys
    }
    frame = frame.assign(**written)
    columns = [
        Column("incomes", "Incomes", text=True, write=said), Column("area", "Area", text=True), Column("published", "Published"),
        Column("published_error", "Standard error", "of it"), Column("before", "Before"), Column("predicted", "Left out"),
        Column("after", "After"), Column("standard_error", "Standard error", "of it"), Column("counted", "Whole people"),
        Column("weight", "Weight", "of the published", percent), Column("n_eff", "Effective", "records", fixed(0)),
        Column("reliability", "Reliability", text=True),
    ]  # fmt: skip
    return grid_of(frame, columns, "The areas that are furthest from what is published, in its own standard errors")
