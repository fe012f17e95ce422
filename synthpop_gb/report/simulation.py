"""The page of a simulation: what was asked, what each scenario costs and whom it moves, where, and what holds it up."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.geography import Geography
from synthpop_gb.indicators import UNRELIABLE
from synthpop_gb.policy import CHANGES, SHARES
from synthpop_gb.report._html import put, render
from synthpop_gb.report.simulation_charts import deciles_chart
from synthpop_gb.report.words import Column, Grid, counted, grid_of, number, plain, said

__all__ = ["write_simulation"]

_ROWS = 60
_MEASURES = {
    "mean": "Mean", "total": "Total", "change": "Mean change", "total_change": "Total change", "gainers": "Rises",
    "losers": "Falls", "share": "Share", "count": "Count", "quantile": "Quantile", "poverty": "Poor", "gini": "Gini",
    "s80s20": "S80/S20", "p90p10": "P90/P10",
}  # fmt: skip


def write_simulation(path: str | Path, frame: pd.DataFrame, facts: Mapping[str, Any], geography: Geography | None) -> Path:
    """Write one self-contained page, which runs no script.

    Parameters
    ----------
    path : path
        File to write; replaced.
    frame : pandas.DataFrame
        Figures as `pipeline.Simulated.frame` has them, withheld as the licence demands.
    facts : mapping
        What scenario.json holds.
    geography : Geography, optional
        Zones; with boundaries the change of every scenario is mapped, unreliable zones faded and hatched.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        `output-locked`.
    """
    return put(Path(path), render("simulation.html.j2", _context(frame, facts, geography)))


def _context(frame: pd.DataFrame, facts: Mapping[str, Any], geography: Geography | None) -> dict:
    """Everything that the template asks for."""
    main, unit = facts["main"], facts["units"].get(facts["main"], "")
    scenarios = [_scenario(name, i, frame, facts, geography) for i, name in enumerate(facts["scenarios"])]
    return {
        "title": facts["title"], "model": facts["model"], "main": said(main), "unit": unit,
        "level": f"{100 * facts['level']:g} %",
        "sentences": [s["headline"] for s in scenarios] or [_baseline(frame, facts)], "scenarios": scenarios,
        "baseline": _overall(frame, facts, "baseline"), "groups": _groups(frame, facts), "asked": _asked(facts),
        "holds": _holds(facts), "findings": facts["findings"], "unreliable": UNRELIABLE, "people": number(facts["people"]),
        "gain": f"{facts['gain']:g}", "deciles": facts["deciles"],
    }  # fmt: skip


def _plain_rows(frame: pd.DataFrame, facts: Mapping[str, Any], level: str, scenario: str) -> pd.DataFrame:
    """Rows of a scenario and level without groups or conditions."""
    if level not in frame:
        return frame.iloc[:0]
    kept = frame[level].notna() & (frame["where"] == "") & (frame[list(facts["groups"])] == "").all(axis=1)
    return frame[kept & (frame["scenario"] == scenario)]


def _one(rows: pd.DataFrame, outcome: str, measure: str):
    found = rows[(rows["outcome"] == outcome) & (rows["measure"] == measure)]
    return None if found.empty else found.iloc[0]


def _baseline(frame: pd.DataFrame, facts: Mapping[str, Any]) -> str:
    row = _one(_plain_rows(frame, facts, "all", "baseline"), facts["main"], "mean")
    if row is None:
        return "Nothing was asked."
    return f"{said(facts['main']).capitalize()}: {_figure(row)} {row['unit']} on average ({_between(row)})."


def _scenario(name: str, position: int, frame: pd.DataFrame, facts: Mapping[str, Any], geography: Geography | None) -> dict:
    """One scenario's part of the page."""
    main, title = facts["main"], str(facts["titles"].get(name, name))
    changed = name in facts["populations"]
    return {
        "id": f"scenario-{position + 1}", "name": name, "title": title, "population": changed,
        "headline": _headline(name, title, frame, facts), "changes": _changes(name, facts),
        "overall": _overall(frame, facts, name), **_deciles(name, frame, facts),
        "map": _map(name, frame, facts, geography), "main": said(main),
    }  # fmt: skip


def _headline(name: str, title: str, frame: pd.DataFrame, facts: Mapping[str, Any]) -> str:
    rows, main = _plain_rows(frame, facts, "all", name), facts["main"]
    total, mean, rises, falls = (_one(rows, main, m) for m in ("total_change", "change", "gainers", "losers"))
    if total is None:
        return f"{title}: see the tables."
    words = f"{title}: {said(main)} changes by {_figure(total)} {total['unit']} in all ({_between(total)})"
    words += f", {_figure(mean)} on average" if mean is not None else ""
    if rises is not None and falls is not None:
        words += f"; it rises for {_figure(rises)} of people and falls for {_figure(falls)}"
    return f"{words}."


def _figure(row, column: str = "estimate") -> str:
    """Write one figure: shares in per cent, large numbers whole, ratios with two decimals."""
    value = row[column]
    if row["measure"] in SHARES:
        return f"{number(100 * value, 1)} %"
    size = abs(row["estimate"]) if np.isfinite(row["estimate"]) else 0.0
    return number(value, 0 if size >= 100 else 2)


def _between(row) -> str:
    return f"{_figure(row, 'lower')} to {_figure(row, 'upper')}"


def _written(rows: pd.DataFrame) -> pd.DataFrame:
    """Figures as texts: estimate, interval, records, class."""
    told = [(_figure(r), _between(r) if np.isfinite(r["lower"]) else "–") for _, r in rows.iterrows()]
    shown = rows.assign(figure=[t[0] for t in told], interval=[t[1] for t in told])
    held = rows["estimate"].isna() & (rows["people"] > 0)
    return shown.assign(
        figure=shown["figure"].where(~held, "withheld"), what=[said(o) for o in rows["outcome"]],
        how=[_MEASURES.get(m, m) for m in rows["measure"]], whom=[number(p) for p in rows["people"]],
        records=[number(d) for d in rows["donors"]],
    )  # fmt: skip


_FIGURES = [
    Column("what", "Outcome", text=True), Column("how", "Measure", text=True), Column("unit", "Unit", text=True),
    Column("figure", "Estimate"), Column("interval", "Interval"), Column("whom", "People"),
    Column("records", "Records", "behind"),
    Column("reliability", "Reliability", text=True),
]  # fmt: skip


def _overall(frame: pd.DataFrame, facts: Mapping[str, Any], name: str) -> Grid | None:
    rows = _written(_plain_rows(frame, facts, "all", name))
    return grid_of(rows, _FIGURES, "The whole study area") if len(rows) else None


def _deciles(name: str, frame: pd.DataFrame, facts: Mapping[str, Any]) -> dict:
    """Chart and table by decile; nothing where there are none."""
    none = {"chart": "", "deciles": None}
    others = [g for g in facts["groups"] if g != "decile"]
    if facts["deciles"] is None or "decile" not in frame or "all" not in frame:
        return none
    kept = frame["all"].notna() & (frame["decile"] != "") & (frame["where"] == "") & (frame[others] == "").all(axis=1)
    rows = frame[kept & (frame["scenario"] == name) & (frame["outcome"] == facts["main"])]
    change = rows[rows["measure"] == "change"]
    if change.empty:
        return none
    wide = change[["decile"]].reset_index(drop=True)
    columns = [Column("decile", "Decile", "1 = lowest")]
    for measure in CHANGES:
        mine = rows[rows["measure"] == measure].reset_index(drop=True)
        if mine.empty:
            continue
        written = _written(mine)
        wide = wide.assign(**{measure: written["figure"], f"{measure} interval": written["interval"]})
        columns += [Column(measure, _MEASURES[measure], str(mine["unit"].iloc[0])), Column(f"{measure} interval", "Interval")]
    of = f"Tenths of people by {said(facts['deciles']['of'])} of the baseline"
    of += "" if facts["deciles"]["within"] == "all" else f", within each {facts['deciles']['within']}"
    title = f"Mean change of {said(facts['main'])}, {facts['units'].get(facts['main'], '')}"
    moved = name in facts["populations"] and name in facts["moved"]
    foot = "Other people are in a decile than before, so that its mean and its total can move apart." if moved else ""
    return {"chart": deciles_chart(change, title), "deciles": grid_of(wide, columns, of, foot=foot)}


def _groups(frame: pd.DataFrame, facts: Mapping[str, Any]) -> list[Grid]:
    """Show what else was asked: a table for each set of areas, groups and condition, every scenario in it."""
    grids = []
    for level in facts["levels"]:
        rows = frame[frame[level].notna()]
        for key, mine in rows.groupby([rows["where"], *((rows[g] != "") for g in facts["groups"])], sort=False):
            key = key if isinstance(key, tuple) else (key,)
            groups = [g for g, there in zip(facts["groups"], key[1:], strict=True) if there]
            if (level == "all" and not groups and not key[0]) or (groups == ["decile"] and level == "all" and not key[0]):
                continue
            if level == "zone" and not groups and not key[0] and set(mine["measure"]) <= {"mean", "change"}:
                continue  # on the maps
            named = [Column("scenario", "Scenario", text=True)]
            named += [] if level == "all" else [Column(level, level.capitalize(), text=True)]
            named += [Column(g, said(g).capitalize(), text=True) for g in groups]
            caption = f"By {', '.join([level, *map(said, groups)])}" + (f", of those with {key[0]}" if key[0] else "")
            foot = "" if len(mine) <= _ROWS else f"{len(mine) - _ROWS:,} more are in outcomes.csv."
            grids.append(grid_of(_written(mine.head(_ROWS)), [*named, *_FIGURES], caption, foot=foot))
    return grids


def _changes(name: str, facts: Mapping[str, Any]) -> Grid | None:
    """Show what a scenario changes: parameters with the baseline's values, or steps of a changed population."""
    if name in facts["reforms"]:
        known = facts["parameters"]
        rows = [{"what": k, "was": _value(known.get(k)), "is": _value(v)} for k, v in facts["reforms"][name].items()]
        columns = [Column("what", "Parameter", text=True), Column("was", "Baseline"), Column("is", "Reform")]
        return grid_of(pd.DataFrame(rows), columns, "Parameters that it changes")
    moved = facts["moved"].get(name)
    if moved:
        columns = [
            Column("step", "Step", text=True, wrap=True), Column("zones", "Zones", "changed", number),
            Column("exchanges", "Exchanges", "", number), Column("before", "Before", "people", number),
            Column("wanted", "Wanted", "people", number), Column("after", "After", "people", number),
            Column("missed", "Away", "people", number),
        ]  # fmt: skip
        return grid_of(pd.DataFrame(moved), columns, "People exchanged, step by step")
    told = facts["changes"].get(name, [])
    rows = [{"change": c.get("change", ""), "how": _value({k: v for k, v in c.items() if k != "change"})} for c in told]
    columns = [Column("change", "Change", text=True), Column("how", "How", text=True, wrap=True)]
    return grid_of(pd.DataFrame(rows), columns, "What was changed") if rows else None


def _value(value: Any) -> str:
    """Write a plain value for people."""
    if value is None:
        return "–"
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {_value(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_value(v) for v in value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return plain(value)
    return f"{value:,.10g}"


def _map(name: str, frame: pd.DataFrame, facts: Mapping[str, Any], geography: Geography | None) -> str:
    """PNG of the mean change by zone, in base 64; '' where it cannot be drawn."""
    if geography is None or geography.boundary_file is None:
        return ""
    from synthpop_gb.report.maps import render_map

    rows = _plain_rows(frame, facts, "zone", name)
    rows = rows[(rows["outcome"] == facts["main"]) & (rows["measure"] == "change")].set_index("zone")
    value = rows["estimate"]
    if rows.empty or not np.isfinite(value).any():
        return ""
    unit, doubt = facts["units"].get(facts["main"], ""), rows["reliability"] == "unreliable"
    centre = 0.0 if value.min() < 0 < value.max() else None
    picture = render_map(
        value, geography, title=f"Mean change of {said(facts['main'])}", unit=unit, unreliable=doubt, centre=centre
    )
    return base64.b64encode(picture).decode()


def _asked(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Say what was asked, in terms and words."""
    rows = [("Model", facts["model"]), ("People", number(facts["people"]))]
    rows += [("Scenarios", "; ".join(str(facts["titles"].get(n, n)) for n in facts["scenarios"]))] if facts["scenarios"] else []
    if facts["deciles"]:
        within = facts["deciles"]["within"]
        whose = "the study area" if within == "all" else f"each {within}"
        rows.append(("Deciles", f"of {whose}, by {said(facts['deciles']['of'])} of the baseline"))
    rows.append(("Rise or fall", f"a change of more than {facts['gain']:g} {facts['units'].get(facts['main'], '')}".strip()))
    rows.append(("Intervals", f"{100 * facts['level']:g} %, from {counted(facts['replicates'], 'replicate')}"))
    return rows


def _holds(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Say what holds the figures up: the model's own facts, classes of place, what is withheld."""
    rows = []
    for key, value in facts["facts"].items():
        if key != "seconds" and value not in (None, "", {}, []):
            rows.append((said(key).capitalize(), _value(value)))
    read = ", ".join(map(said, facts["read of a place"]))
    classes = facts["classes of place"]
    rows.append(("Rules read of a place", f"{read}: {counted(classes, 'class', 'classes')}" if read else "nothing"))
    if facts["withheld"]:
        rows.append(("Withheld", f"{facts['withheld']:,} figures that fewer than ten records stand behind"))
    return rows
