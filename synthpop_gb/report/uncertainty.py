"""How sure a population is: what was asked of it, with intervals, and the tables left out that the intervals were learnt from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.indicators import RELIABILITY, UNRELIABLE, Indicators
from synthpop_gb.population import Population
from synthpop_gb.report import figures
from synthpop_gb.report.words import Column, Grid, counted, fixed, grid_of, number, said, whole

__all__ = ["charts", "indicators_grid", "left_out_grid", "sure"]

_SOURCES = {
    "whole": "the whole people",
    "donors": "the survey’s records",
    "tables": "the publisher’s perturbation of counts",
}


def sure(population: Population, checks: Checks, indicators: Sequence[tuple[str, Indicators]]) -> list[str]:
    """Say in sentences what replicates and intervals are."""
    made = population.replicates
    if made is None or "left_out" not in checks.tables:
        return []
    drawn = [_SOURCES[s] for s in made.sources] or ["nothing"]
    exact = float((made.remainder == 0).mean()) if made.remainder.size else 1.0
    sentences = [
        f"{counted(len(made), 'replicate')} of this population were made; each draws {_listed(drawn)} again. "
        f"{100 * exact:.4g} % of their zones meet every table exactly.",
        "Replicates show luck only. What they cannot show, how a zone differs from what its tables say, is far more, so "
        "intervals here are learnt from tables left out in turn. Wherever the truth was known they held it less often than they "
        "say for some outcomes and more often for others: where it matters, compare with something published.",
    ]
    if indicators:
        classes = (
            pd.concat([i.frame["reliability"] for _, i in indicators]).value_counts().reindex(list(RELIABILITY), fill_value=0)
        )
        bad = int(classes["unreliable"])
        sentences.append(
            f"{whole(bad)} of {whole(int(classes.sum()))} figures below are unreliable for practical purposes: {UNRELIABLE}."
        )
    return sentences


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def indicators_grid(indicators: Sequence[tuple[str, Indicators]]) -> Grid | None:
    """One row an indicator: range, interval, classes."""
    rows = []
    for heading, found in indicators:
        frame, share = found.frame, found.question.measure == "share"
        factor = 100 if share else 1
        half = (frame["upper"] - frame["lower"]) / 2
        classes = frame["reliability"].value_counts()
        rows.append(
            {
                "heading": heading, "by": ", ".join(found.question.by), "figures": len(frame),
                "unit": found.shown_unit, "median": factor * frame["estimate"].median(),
                "range": f"{_plain(factor * frame['estimate'].min())} to {_plain(factor * frame['estimate'].max())}",
                "half": factor * half.median(),
                "usable": len(frame) - int(classes.get("unreliable", 0)), "unreliable": int(classes.get("unreliable", 0)),
            }
        )  # fmt: skip
    if not rows:
        return None
    levels = " and ".join(dict.fromkeys(f"{100 * found.level:g} %" for _, found in indicators))
    columns = [
        Column("heading", "Indicator", text=True, wrap=True), Column("by", "By", text=True),
        Column("unit", "Unit", text=True, wrap=True),
        Column("median", "Median", "estimate", _plain), Column("range", "Range", "lowest to highest"),
        Column("half", "Half-width", "of intervals, median", _plain),
        Column("usable", "Usable", "figures", whole), Column("unreliable", "Unreliable", "figures", whole),
    ]  # fmt: skip
    return grid_of(pd.DataFrame(rows), columns, f"Indicators asked for, with intervals of {levels} nominal coverage")


def _plain(value: float) -> str:
    return number(float(value), 1 if abs(value) < 1000 else 0)


def left_out_grid(checks: Checks) -> Grid | None:
    """One row a table left out: how far off its prediction was, and the replicates' own error beside it."""
    by_zone = checks.tables.get("left_out", pd.DataFrame())
    if by_zone.empty:
        return None
    error = by_zone["published"] - by_zone["predicted"]
    frame = by_zone.assign(error=error, sampling=np.sqrt(by_zone["variance"]))
    rows = []
    for table, mine in frame.groupby("table", sort=False, observed=True):
        rows.append(
            {
                "table": table,
                "cells": mine["cell"].nunique(),
                "error": 100 * float(np.sqrt((mine["error"] ** 2).mean())),
                "q90": 100 * float(mine["error"].abs().quantile(0.9)),
                "sampling": 100 * float(np.sqrt((mine["sampling"] ** 2).mean())),
                "ratio": float((mine["error"].abs() / mine["sampling"]).quantile(0.9)) / 1.645,
            }
        )
    columns = [
        Column("table", "Table left out", text=True, write=said), Column("cells", "Cells", "", whole),
        Column("error", "Error", "root mean square, % points", fixed(2)),
        Column("q90", "Error of nine in ten", "at most, % points", fixed(2)),
        Column("sampling", "Luck alone", "standard error, % points", fixed(2)),
        Column("ratio", "Times luck", "at the 90 % quantile", fixed(1)),
    ]  # fmt: skip
    return grid_of(pd.DataFrame(rows), columns, "How wrong each table was predicted without it, over zones and cells")


def charts(indicators: Sequence[tuple[str, Indicators]]) -> list[tuple[str, str]]:
    """Draw every zone's estimate with its interval, in order, for indicators by zone without groups: (heading, SVG) each."""
    drawn = []
    for heading, found in indicators:
        if found.place == "zone" and not found.groups and found.frame["estimate"].notna().sum() > 1:
            drawn.append((heading, figures.caterpillar(found)))
    return drawn
