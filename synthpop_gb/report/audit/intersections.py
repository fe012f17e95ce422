"""Intersections on the page: the scan in a sentence, the picture of all cells, rarity, and what was not looked at."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.report.audit.cells import KIND_MARKS, cells_picture, order_words, rarity_picture
from synthpop_gb.report.audit.front import beyond_chance, copied_from, worst_cells
from synthpop_gb.report.audit.grids import grid, table_of, text_in
from synthpop_gb.report.audit.words import listed, per_hundred, reference_words
from synthpop_gb.report.words import Column, Grid, counted, fixed, number, said, whole

__all__ = ["coverage", "intersections", "scan_sentences"]

_PANELS = 6

_UNCOUNTED = 10**15
"""As many combinations stand for "at least so many": they are not added up."""


def scan_sentences(checks: Checks, unit: str) -> list[str]:
    """Say how much was compared and how much of it is wrong, a sentence a reference."""
    tables, out = table_of(checks, "scan_tables", ("k", "combination")), []
    if tables.empty:
        return out
    for reference, mine in tables.groupby(text_in(tables, "reference"), sort=False):
        k, n = int(mine["k"].max()), len(mine)
        cells = f", {counted(int(mine['cells'].sum()), 'cell')}," if "cells" in mine else ""
        upto = f"combinations of up to {k} variables" if k > 1 else "variables one by one"
        first = f"Against {reference_words(reference)}: {n:,} {upto}{cells} were compared."
        if n == 1:
            first = f"Against {reference_words(reference)}: one combination{cells} was compared."
        if "discoveries" in mine:
            wrong = int(mine["discoveries"].fillna(0).sum())
            first += (
                f" {counted(wrong, 'cell')} {'differs' if wrong == 1 else 'differ'} by more than chance explains."
                if wrong
                else f" No cell differs by more than {_luck(mine)} explains."
            )
        if "tvd" in mine and mine["tvd"].notna().any():
            worst = mine.loc[mine["tvd"].idxmax()]
            first += (
                f" Furthest off is {said(worst['combination'])}: {per_hundred(float(worst['tvd']), unit)} would have to change "
            )
            first += "cells"
            floor = worst.get("tvd_floor", np.nan)
            first += f", where a perfect sample would need {per_hundred(float(floor), unit)}" if pd.notna(floor) else ""
            few = worst.get("tvd_floor_effective", np.nan)
            if pd.notna(floor) and pd.notna(few) and few > 1.2 * floor:  # copies: many people, few of them different
                first += f", one of no more different records {per_hundred(float(few), unit)}"
            first += "."
        out.append(first)
        invented = float(mine["invented"].max()) if "invented" in mine and mine["invented"].notna().any() else np.nan
        if np.isnan(invented) and "invented" in mine:
            out.append(
                f"Invented combinations are not applicable against {reference_words(reference)}: the synthetic {unit} are copies "
                "of its records."
            )
    return out


def _luck(tables: pd.DataFrame) -> str:
    """Name the chance that cells were tested by: of copies that of their few different records, which hides much."""
    if not {"tvd_floor", "tvd_floor_effective"} <= set(tables):
        return "chance"
    few, many = tables["tvd_floor_effective"].mean(), tables["tvd_floor"].mean()
    return "the luck of so few different records" if few > 1.2 * many else "chance"


def intersections(checks: Checks, unit: str) -> dict:
    """Return the pictures and tables of the scan, empty where there is none."""
    cells, points = _cells(checks), table_of(checks, "scan_points", ("k", "expected", "observed", "cells"))
    panels: list[str] = []
    names = list(dict.fromkeys([*text_in(points, "reference"), *cells["reference"]]))
    names = [n for n in names if n not in copied_from(checks)] or names  # a place differs from a country: no error, so no picture
    cells = cells[cells["reference"].isin(names)]
    n = cells.loc[cells["explained_by"] == "", "kind"].value_counts()
    orders = sorted({*points.get("k", ()), *cells["k"]})
    for reference in names:
        for k in orders:
            mine = cells[(cells["reference"] == reference) & (cells["k"] == k)].reset_index(drop=True)
            quiet = points[(text_in(points, "reference") == reference) & (points["k"] == k)] if len(points) else None
            if not len(mine) and (quiet is None or not len(quiet)):
                continue
            title = order_words(int(k))
            title += f", against {reference_words(reference)}" if len(names) > 1 else ""
            panels.append(cells_picture(mine, quiet, title=title, unit=unit))
    legend = [{"kind": kind, "n": int(n[kind]), "mark": _key(kind)} for kind in KIND_MARKS if n.get(kind, 0)]
    return {
        "panels": panels[:_PANELS],
        "legend": legend,
        "complete": len(points) > 0,
        "follow": bool((cells["explained_by"] != "").any()),
        "rarity": _rarity(checks),
        "tables": _tables(checks),
    }


def _key(kind: str) -> str:
    """Draw the symbol of a kind for the legend."""
    from synthpop_gb.report.svg import Drawing

    shape, colour = KIND_MARKS[kind]
    drawing = Drawing(14, 14, kind)
    drawing.mark(shape, 7, 7, 9, colour)
    return drawing.svg().replace('role="img"', 'aria-hidden="true"')


def _cells(checks: Checks) -> pd.DataFrame:
    """Return the wrong cells with their places in the picture."""
    cells = worst_cells(checks)
    if cells.empty or "k" not in cells:
        return pd.DataFrame(columns=["reference", "k", "kind", "rank", "cell", "expected", "observed", "explained_by"])
    cells = cells[beyond_chance(cells) & cells["expected"].notna() & cells["observed"].notna()]
    rank = cells["rank"].fillna(np.inf) if "rank" in cells else np.arange(len(cells))
    return cells.assign(reference=text_in(cells, "reference"), cell=text_in(cells, "cell"), rank=rank).reset_index(drop=True)


def _rarity(checks: Checks) -> list[str]:
    frame = table_of(checks, "scan_rarity", ("k", "rarity", "cells", "missing"))
    if frame.empty:
        return []
    if "missing_floor" not in frame:
        frame = frame.assign(missing_floor=np.nan)
    drawn = []
    names = text_in(frame, "reference")
    for (reference, k), mine in frame.groupby([names, "k"], sort=False):
        if mine["cells"].sum() > 0 and len(drawn) < _PANELS:
            title = order_words(int(k)) + (f", {reference_words(reference)}" if len(set(names)) > 1 else "")
            drawn.append(rarity_picture(mine, title=title))
    return drawn


def _tables(checks: Checks, most: int = 25) -> Grid | None:
    """List the combinations furthest above their noise floor."""
    frame = table_of(checks, "scan_tables", ("combination", "tvd"))
    if frame.empty:
        return None
    floor = frame.get("tvd_floor", 0.0)
    order = (frame["tvd"] - floor).fillna(-1).sort_values(ascending=False, kind="stable").index
    percent = lambda v: number(100 * v, 2) if pd.notna(v) else "–"  # noqa: E731
    columns = [
        Column("combination", "Combination", text=True, write=said, wrap=True),
        Column("reference", "Measured against", text=True),
        Column("cells", "Cells", "", whole),
        Column("tvd", "Wrong cell", "% of people", percent),
        Column("tvd_floor", "Perfect sample", "%", percent),
        Column("tvd_floor_effective", "Of the donors’ size", "%", percent),
        Column("srmse", "SRMSE", "", fixed(2)),
        Column("vw_ratio", "VW ÷ (m − 1)", "", fixed(1)),
        Column("impossible", "Impossible", "%", percent),
        Column("invented", "Invented", "%", percent),
        Column("invented_floor", "Perfect sample", "invented, %", percent),
        Column("missing", "Missing", "%", percent),
        Column("missing_floor", "Perfect sample", "missing, %", percent),
        Column("missing_cells", "Missing", "cells", whole),
        Column("tvd_limit", "Limit", "wrong cell, %", percent),
        Column("discoveries", "Beyond chance", "cells", whole),
    ]
    caption = "Combinations furthest above what a perfect sample shows"
    return grid(frame.loc[order].reset_index(drop=True), columns, caption, most=most, what="combination")


def coverage(checks: Checks) -> tuple[list[str], Grid | None]:
    """Say what was not looked at: sentences, and a table of it."""
    frame = table_of(checks, "scan_coverage")
    if frame.empty or "looked_at" not in frame:
        return [], None
    missed = frame[~frame["looked_at"].eq(True)]
    if missed.empty:
        return ["Every combination that could be formed was looked at, up to the order given under settings."], None
    columns = [
        Column("name", "Not looked at", text=True, write=said, wrap=True),
        Column("what", "What", text=True),
        Column("k", "Variables", "", whole),
        Column("combinations", "Combinations", "", whole),
        Column("reason", "Why", text=True, wrap=True),
    ]
    missed = missed.assign(name=text_in(missed, "name") if "name" in missed else text_in(missed, "combination"))
    many = missed["combinations"].fillna(1) if "combinations" in missed else pd.Series(1, missed.index)
    orders = many[(text_in(missed, "what") == "order") & (many < _UNCOUNTED)].sum()
    alone = text_in(missed, "what") == "variable"
    sentences = []
    if orders:
        sentences.append(
            f"{counted(int(orders), 'combination')} of more variables than were asked for {_was(int(orders))} not looked at."
        )
    for reason, names in missed[alone]["name"].groupby(text_in(missed[alone], "reason"), sort=False):
        sentences.append(f"Not looked at, or not crossed: {listed(names.tolist(), 8)} ({reason or 'no reason given'}).")
    rules = text_in(missed, "what") == "rule"
    sentences += [f"The rule “{name}” could not be looked at." for name in missed.loc[rules, "name"]]
    left = ~alone & ~rules & (text_in(missed, "what") != "order")
    if left.any():
        n = int(many[left].sum())
        sentences.append(f"{counted(n, 'combination')} that could be asked for by name {_was(n)} not looked at.")
    return sentences, grid(missed.reset_index(drop=True), columns, "What was not looked at, and why", most=40, what="row")


def _was(n: int) -> str:
    return "was" if n == 1 else "were"
