"""What a run was made from, as plain values for run.json: survey, tables, variables, zones, what settling changed.

A card is written from these alone, so that it can be written anew when the survey lies in a safe room.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from synthpop_gb.aligned import Aligned, AlignedTable
from synthpop_gb.checks import without_records

__all__ = ["MOST_CATEGORIES", "describe"]

MOST_CATEGORIES = 40
"""Categories that are listed; of single years of age and the like only their number is told."""

_MOST_COLUMNS = 500


def describe(aligned: Aligned) -> dict[str, Any]:
    """Describe what a population is made from.

    Parameters
    ----------
    aligned : Aligned
        Survey, tables and zones after harmonising.

    Returns
    -------
    dict
        survey (name, universe, year, records, usable, weighted, file), tables (one a constraint or held-out table: name, table,
        role, variables, universe, year, standard_error, cells, file), variables (name, label, origin, tables, held_out, universe,
        n_categories, categories), copied (names of those that no table constrains), other_columns, zones (number, levels,
        boundaries), settled (by table: zones, cells, people), floor, noticed (code, level, count, message). No record's answer is
        in it: labels are those of tables, and of the survey only where its licence is open.
    """
    survey, tables = aligned.survey, (*aligned.constraints, *aligned.held_out)
    known = {v.column for v in survey.variables.values()} | {survey.weight, survey.strata, survey.cluster, survey.region}
    others = [str(c) for c in survey.records.columns if c not in known]
    zones = aligned.geography
    return {
        "survey": {
            "name": survey.name, "universe": survey.universe.name, "year": survey.year, "records": len(survey.records),
            "usable": len(aligned.records), "weighted": survey.weight is not None,
            "file": None if survey.source is None else survey.source.path,
        },
        "tables": [_table(t, i < len(aligned.constraints)) for i, t in enumerate(tables)],
        "variables": (described := _variables(aligned)), "copied": [v["name"] for v in described if v["origin"] == "copied"],
        "other_columns": {"number": len(others), "names": others[:_MOST_COLUMNS]},
        "zones": {
            "number": len(zones.codes), "levels": {p: int(zones.zones[p].nunique()) for p in zones.parents},
            "boundaries": zones.boundary_file is not None, "files": [s.path for s in zones.sources],
        },
        "settled": _settled(aligned.changes),
        "floor": float(aligned.floor.sum()) if len(aligned.floor) else 0.0,
        "noticed": [
            {"code": f.code, "level": f.level, "count": int(f.count), "message": _said(f, survey.licence)}
            for f in aligned.findings
        ],
    }  # fmt: skip


def _said(item, licence: str) -> str:
    return (item if licence == "open" else without_records(item)).message


def _table(table: AlignedTable, fitted: bool) -> dict[str, Any]:
    return {
        "name": table.name, "table": table.table or table.name, "role": "constraint" if fitted else "held out",
        "variables": list(table.variables), "universe": table.universe.name, "year": table.year,
        "standard_error": float(table.standard_error), "cells": int(table.targets.shape[1]),
        "file": None if table.source is None else table.source.path,
    }  # fmt: skip


def _variables(aligned: Aligned) -> list[dict[str, Any]]:
    """Every variable that tables or the survey have, those of tables first."""
    survey = aligned.survey
    names = [v for t in (*aligned.constraints, *aligned.held_out) for v in t.variables]
    made = []
    for name in dict.fromkeys([*names, *survey.variables]):
        fitted = [t for t in aligned.constraints if name in t.variables]
        kept = [t for t in aligned.held_out if name in t.variables]
        variable = survey.variables.get(name)
        if fitted or kept:
            table = (fitted or kept)[0]
            labels = [c.label for c in table.categories[table.variables.index(name)]]
            universe = table.universe.name
        else:  # labels of a survey's own may be answers that one record gave
            categories = variable.categories if variable is not None else ()
            labels = [c.label for c in categories] if survey.licence == "open" else [None] * len(categories)
            universe = survey.universe.name
        made.append(
            {
                "name": name, "label": name.replace("_", " ") if variable is None else variable.label,
                "origin": "constrained" if fitted else "copied", "tables": [t.name for t in fitted],
                "held_out": [t.name for t in kept], "universe": universe, "n_categories": len(labels),
                "categories": labels if len(labels) <= MOST_CATEGORIES and None not in labels else [],
            }
        )  # fmt: skip
    return made


def _settled(changes: pd.DataFrame) -> list[dict[str, Any]]:
    """One row a table that settling changed: zones, cells, people moved."""
    if changes.empty:
        return []
    changed = changes[changes["people_moved"] > 0]
    return [
        {
            "table": str(table), "zones": len(mine), "cells": int(mine["cells_changed"].sum()),
            "people": float(mine["people_moved"].sum()),
        }
        for table, mine in changed.groupby("table", sort=False, observed=True)
    ]  # fmt: skip
