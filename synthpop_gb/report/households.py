"""The section on households: their tables and those of people told apart, who lives with whom, what cannot be."""

from __future__ import annotations

import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.checks import Checks
from synthpop_gb.report.figures import share_chart
from synthpop_gb.report.words import Column, Grid, counted, fixed, grid_of, percent, said, whole

__all__ = ["causes_grid", "households_of"]

_DRAWN = ("children", "adults x workers", "partners: age gap", "reference and child: age gap")
"""Distributions of few cells that are drawn; the others stand in the table."""


def households_of(aligned: Aligned, checks: Checks) -> dict:
    """Gather what the template writes about households; nothing where persons were placed.

    Returns
    -------
    dict
        told (tables by what they count), mix, charts [(heading, SVG)], types (size and composition), broken; and sentences.
    """
    mix = checks.tables.get("household_mix", pd.DataFrame())
    if aligned.households is None or mix.empty:
        return {}
    cells = checks["household_cells"]
    known = "wrong" in mix
    drawn = [name for name in _DRAWN if name in set(mix["distribution"])]
    return {
        "sentences": _sentences(aligned, checks),
        "told": _told(aligned, checks),
        "known": known,
        "mix": _mix(mix, known),
        "charts": [(_heading(mix, name), share_chart(cells[cells["distribution"] == name])) for name in drawn],
        "types": _types(cells, known),
        "broken": _broken(checks["impossible_households"]),
    }


def causes_grid(checks: Checks) -> Grid | None:
    """List why zones miss targets, by cause; None where nobody looked or nothing misses."""
    frame = checks.tables.get("causes", pd.DataFrame())
    if frame.empty:
        return None
    rows = []
    for cause, mine in frame.groupby("cause", sort=False):
        sums = mine.groupby(["unit", "zone"])["amount"].max().groupby("unit").sum()  # causes of one zone overlap
        most = mine.loc[mine["amount"].idxmax()]
        rows.append({"cause": cause, "zones": mine["zone"].nunique(), "people": float(sums.get("people", 0.0)),
                     "households": float(sums.get("households", 0.0)), "where": f"{most['zone']}: {most['words']}"})  # fmt: skip
    columns = [
        Column("cause", "Cause", text=True), Column("zones", "Zones", "", whole), Column("people", "Off", "people", fixed(0)),
        Column("households", "Off", "households", fixed(0)), Column("where", "Where it is largest", text=True, wrap=True),
    ]  # fmt: skip
    if not any(r["households"] for r in rows):
        del columns[3]
    return grid_of(pd.DataFrame(rows), columns, "Why zones miss: causes, and the zone where each weighs most")


def _sentences(aligned: Aligned, checks: Checks) -> list[str]:
    placed = int(checks.headline.get("households", 0))
    communal = int(aligned.households.communal.sum())
    of = len(aligned.households.ids) - communal
    words = [
        f"{counted(placed, 'household')} were placed, each a copy of one of {of:,} in the survey with everybody who lives in it, "
        "so what is inside a household is what one said of itself. What may be wrong is how many there are of each kind."
    ]
    broken = checks["impossible_households"]
    if not broken["population"].any():
        words.append(f"Households that cannot be, of which there are none: {'; '.join(broken['meaning'])}.")
    if communal:
        words.append(f"People in communal establishments, {communal:,} in the survey, are in no household and left out here.")
    return words


def _told(aligned: Aligned, checks: Checks) -> Grid:
    """Tables of households and tables of people, added up apart."""
    fit = checks["table_fit"].assign(unit=[t.universe.unit for t in aligned.constraints])
    by_zone = checks["zone_fit"].merge(fit[["table", "unit"]], on="table")
    rows = []
    for unit, mine in fit.groupby("unit", sort=False):
        total = by_zone[by_zone["unit"] == unit].groupby("zone", observed=True)["tae"].sum()
        n = float(mine["people"].max())
        rows.append({
            "unit": "households" if unit == "household" else "people", "tables": len(mine), "cells": mine["cells"].sum(), "n": n,
            "exact": int((total == 0).sum()), "tae": mine["tae"].sum(),
            "wrong": 50 * mine["tae"].sum() / (mine["people"].sum() or 1),
            "worst": total.idxmax() if len(total) and total.max() > 0 else "", "worst_tae": total.max() if len(total) else 0.0,
        })  # fmt: skip
    columns = [
        Column("unit", "Tables of", text=True), Column("tables", "Tables", "", whole),
        Column("cells", "Cells", "a\u00a0zone", whole), Column("n", "Published", "in the largest table", whole),
        Column("exact", "Zones exact", f"of {len(aligned.zones):,}", whole),
        Column("tae", "TAE", "of the unit", whole), Column("wrong", "In the wrong cell", "%", percent),
        Column("worst", "Worst zone", text=True), Column("worst_tae", "TAE there", "of the unit", whole),
    ]  # fmt: skip
    marked = {(i, 4): "ok" if r["exact"] == len(aligned.zones) else "warn" for i, r in enumerate(rows)}
    return grid_of(pd.DataFrame(rows), columns, "Tables of households and of people, each in its own unit", marked=marked)


def _mix(mix: pd.DataFrame, known: bool) -> Grid:
    columns = [
        Column("distribution", "Who lives with whom", "", said, text=True), Column("unit", "Per cent of", text=True),
        Column("population", "Counted", "", whole),
    ]  # fmt: skip
    if known:
        columns += [
            Column("wrong", "In the wrong cell", "%, all zones", percent),
            Column("wrong_as_survey", "Survey as it is", "%, all zones", percent),
            Column("floor", "Drawn from the truth", "%, all zones", percent),
            Column("zone_wrong", "In the wrong cell", "%, zone by zone", percent),
            Column("zone_as_survey", "Survey as it is", "%, zone by zone", percent),
            Column("zone_floor", "Drawn from the truth", "%, zone by zone", percent),
        ]  # fmt: skip
        what = "Who lives with whom, against the truth"
    else:
        columns += [
            Column("survey", "In the survey", "", whole), Column("wrong_survey", "Away from the survey", "%", percent),
            Column("floor_survey", "Survey’s own sampling", "%", percent),
        ]  # fmt: skip
        what = "Who lives with whom, beside the survey"
    return grid_of(mix, columns, what)


def _heading(mix: pd.DataFrame, name: str) -> str:
    heading = said(name)
    return f"{heading[:1].upper()}{heading[1:]}, per cent of {mix.set_index('distribution').loc[name, 'unit']}"


def _types(cells: pd.DataFrame, known: bool, most: int = 24) -> Grid | None:
    """Household types: size by composition, the most frequent first."""
    mine = cells[cells["distribution"] == "size x composition"]
    if mine.empty:
        return None
    by = "truth" if known else "population"
    mine = mine[(mine[by] > 0) | (mine["population"] > 0)].sort_values(by, ascending=False, kind="stable")
    columns = [Column("cell", "Household", "", said, text=True), Column("population", "Population", "%", percent)]
    columns += [Column("survey", "Survey", "%, weighted", percent)]
    if known:
        columns += [Column("truth", "Truth", "%", percent), Column("error", "Error", "points", percent)]
    return grid_of(mine, columns, "Household types: size and composition, per cent of households", most=most)


def _or_few(value) -> str:
    return "under 10" if pd.isna(value) else whole(value)


def _broken(frame: pd.DataFrame) -> Grid | None:
    """Households that cannot be; None where there are none anywhere."""
    if not frame[["survey", "population"]].fillna(1).to_numpy().any():  # withheld: one or more
        return None
    columns = [
        Column("meaning", "Cannot be", text=True, wrap=True), Column("survey", "Survey", "households", _or_few),
        Column("survey_share", "Survey", "%, weighted", percent), Column("population", "Population", "households", whole),
        Column("population_share", "Population", "%", percent),
    ]  # fmt: skip
    return grid_of(frame, columns, "Households that cannot be, in the survey and in the population")
