"""Copied people on the page: how often records stand again, who is alone in a zone, what an intruder learns of a respondent."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.report.audit.grids import grid, known, percent, table_of, text_in
from synthpop_gb.report.audit.univariate import SYNTHETIC
from synthpop_gb.report.audit.words import amount, listed, per_hundred
from synthpop_gb.report.svg import GREY, Drawing, Linear
from synthpop_gb.report.words import Column, Grid, counted, number, said, whole

__all__ = ["copies", "intruder", "zones"]


def _one(share: float, unit: str) -> bool:
    """Tell whether a share is said in the singular."""
    return per_hundred(share, unit).startswith(("1 of", "no "))


def copies(checks: Checks, unit: str) -> str:
    """Say how often the survey's records stand in the population; '' where they were not copied."""
    frame = table_of(checks, "copies", ("people", "records"))
    if frame.empty:
        return ""
    row = frame.iloc[0]
    text = f"{amount(float(row['people']), unit)} are copies of {counted(int(row['records']), 'survey record')}"
    text += f", {int(row['records_used']):,} of which are used" if known(row.get("records_used")) else ""
    text += f", worth {number(row['effective_records'])} used alike" if known(row.get("effective_records")) else ""
    text += (
        f". The most copied record is {number(row['most_copied'], 3)} % of all {unit}" if known(row.get("most_copied")) else ""
    )
    return f"{text[0].upper()}{text[1:]}. Every answer is a respondent’s own: what protects respondents is the survey’s licence."


def zones(checks: Checks, unit: str) -> dict | None:
    """Say how many people are alone on their keys within their zone."""
    frame = table_of(checks, "zone_uniqueness", ("people", "unique"))
    if frame.empty:
        return None
    people = float(frame["people"].sum())
    live = frame[frame["people"] > 0]
    share = 100 * live["unique"] / live["people"]
    if not people:
        return None
    keys = said(str(frame["keys"].iloc[0])) if "keys" in frame else "the keys"
    alone = float(frame["unique"].sum()) / people
    where = f"{counted(len(live), 'zone')}; in the median zone {number(float(share.median()), 1)} %"
    sentences = [f"On {keys}, {per_hundred(alone, unit)} {'is' if _one(alone, unit) else 'are'} alone in their zone ({where})."]
    limits = ((3, "under_3"), (5, "under_5"), (10, "under_10"))
    under = [(f"fewer than {n}", float(frame[c].sum()) / people) for n, c in limits if c in frame]
    under = [(what, s) for what, s in under if s > 0]
    if under:
        sentences.append("In groups of " + listed([f"{what}: {per_hundred(s, unit)}" for what, s in under]) + ".")
    varied = len(live) > 1 and float(share.max() - share.min()) > 0
    worst = live.assign(share=live["unique"] / live["people"]).sort_values("share", ascending=False, kind="stable")
    columns = [
        Column("zone", "Zone", text=True),
        Column("people", unit.capitalize(), "", whole),
        Column("unique", "Alone", "", whole),
        Column("share", "Alone", "%", percent),
        Column("under_3", "Groups under 3", unit, whole),
        Column("under_5", "Under 5", unit, whole),
        Column("under_10", "Under 10", unit, whole),
    ]
    table = grid(worst, columns, "Zones with most people alone on their keys", most=10, what="zone") if alone else None
    return {"sentences": sentences, "table": table, "chart": _spread(share.to_numpy(), unit) if varied else ""}


def _spread(share: np.ndarray, unit: str) -> str:
    """Draw in how many zones which per cent of people are alone."""
    count, edges = np.histogram(share, bins=min(30, max(8, len(share) // 20)))
    drawing = Drawing(
        460, 170, f"Zones by per cent of {unit} alone on the keys: from {number(share.min(), 1)} to {number(share.max(), 1)}."
    )
    x, y = Linear(float(edges[0]), float(edges[-1]), 44, 450), Linear(0.0, float(count.max()), 128, 12)
    for value, said_as in y.marks(4):
        if float(value).is_integer():
            drawing.line(44, y(value), 450, y(value))
            drawing.text(38, y(value) + 4, said_as, size=10.5, anchor="end", fill=GREY)
    for n, low, high in zip(count, edges[:-1], edges[1:], strict=True):
        tip = f"{number(low, 1)} to {number(high, 1)} %: {counted(int(n), 'zone')}"
        drawing.rect(x(low) + 0.4, y(float(n)), x(high) - x(low) - 0.8, 128 - y(float(n)), SYNTHETIC, tip)
    for value, said_as in x.marks(7):
        drawing.text(x(value), 143, said_as, size=10.5, anchor="middle", fill=GREY)
    drawing.text(247, 162, f"{unit} alone on the keys in their zone, %", size=11, anchor="middle", fill=GREY)
    drawing.text(11, 70, "zones", size=11, anchor="middle", fill=GREY, turn=-90)
    return drawing.svg()


def intruder(checks: Checks, *, first: bool) -> Grid | None:
    """List what an intruder learns who knows that somebody answered: the main measures, or all of them."""
    frame = table_of(checks, "intruder", ("measure",))
    if frame.empty or "value" not in frame:
        return None
    main = frame.get("headline", pd.Series(True, frame.index)).astype(bool)
    if first:
        frame = frame[main].reset_index(drop=True)
    elif main.all():
        return None
    target, sees, unit = (text_in(frame, c) for c in ("target", "sees", "unit"))
    frame = frame.assign(
        measure=[f"{m}: {said(t)}" if t else m for m, t in zip(text_in(frame, "measure"), target, strict=True)],
        sees=sees, value=[_with_unit(v, u) for v, u in zip(frame["value"], unit, strict=True)],
        baseline=[_with_unit(v, u) for v, u in zip(frame["baseline"], unit, strict=True)] if "baseline" in frame else "",
    )  # fmt: skip
    columns = [
        Column("measure", "What", text=True, wrap=True),
        Column("sees", "The intruder has", text=True, wrap=True),
        Column("value", "Figure"),
        Column("baseline", "Beside"),
        Column("baseline_is", "which is", text=True, wrap=True),
        Column("respondents", "Respondents", "", whole),
    ]
    return grid(frame, columns, "What is learnt of a respondent by somebody who knows the keys and that they answered", most=40)


def _with_unit(value, unit: str) -> str:
    if not known(value):
        return "–"
    size = abs(float(value))
    shown = number(float(value), 0 if size >= 100 or float(value).is_integer() else 1 if size >= 10 else 2 if size >= 0.1 else 4)
    return f"{shown} {unit}".strip()
