"""What a reader is told first: the verdict in a sentence, what failed and why, the numbers that matter, what was found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding
from synthpop_gb.report.copied import copied_of
from synthpop_gb.report.words import Column, Grid, counted, grid_of, number, percent, plain, said, small, whole
from synthpop_gb.status import FIT_MEANING, FitStatus

__all__ = ["Beyond", "Tile", "Verdict", "failures", "failures_grid", "found", "publish_said", "tiles", "verdict", "zone_names"]

_LEVELS = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True)
class Beyond:
    """Error in something that no table said, beside that of the simplest guess and of luck alone."""

    what: str
    unit: str
    ours: str
    simplest: str
    luck: str
    worse: bool


@dataclass(frozen=True)
class Verdict:
    """The answer to 'does it fit?': a tone ('ok', 'warn' or 'bad'), a headline, sentences, and what the tables do not cover."""

    tone: str
    headline: str
    sentences: tuple[str, ...]
    beyond: tuple[Beyond, ...]


@dataclass(frozen=True)
class Tile:
    """One number that matters: value, what it is, and a line that puts it in proportion."""

    value: str
    label: str
    beside: str = ""
    tone: str = ""


def zone_names(aligned: Aligned) -> pd.Series:
    """Names by zone code; empty where none are known."""
    zones = aligned.geography.zones
    names = zones["name"].map(plain) if "name" in zones else pd.Series("", zones.index)
    return names.reindex(aligned.zones).fillna("")


def failures(checks: Checks) -> pd.DataFrame:
    """Rows of the table 'zones' whose fit did not converge or whose people miss a target, the largest total error first."""
    zones = checks["zones"]
    failed = ~zones["fit"].isin(["CONVERGED", "EMPTY"]) | (zones["tae"] > 0)
    return zones[failed].sort_values(["tae", "residual"], ascending=False, kind="stable").reset_index(drop=True)


def verdict(aligned: Aligned, checks: Checks, truth_unit: str = "% of people") -> Verdict:
    """Say whether the people meet the tables, and what meeting them does not say."""
    failed, n = failures(checks), len(aligned.zones)
    settled = float(checks["table_fit"]["floor"].sum())
    tables = counted(len(aligned.constraints), "table")
    if failed.empty:
        tone = "ok"
        headline = f"Every table is met exactly in {'every one of the ' if n > 1 else 'the '}{counted(n, 'zone')}."
    else:
        tone = "warn" if len(failed) <= 0.05 * n else "bad"
        verb = "miss" if len(failed) > 1 else "misses"
        headline = (
            f"{len(failed):,} of {counted(n, 'zone')} {verb} published counts; the other {n - len(failed):,} meet every one."
        )
    people = int(checks["zones"]["people"].sum())
    homes, off = checks.headline.get("households"), int(failed["tae"].sum())
    who = (
        f"{people:,} whole people" if homes is None else f"{people:,} people in {homes:,} whole households{_and_others(aligned)}"
    )
    missed = counted(off, "person", "people") if homes is None else f"{off:,} people and households"
    first = f"{who}, counted again from the written files, against {tables}"
    first += "." if failed.empty else f": {missed} of error in all."
    sentences, units = [first], "people" if homes is None else "people and households"
    if settled:
        sentences.append(
            f"The tables as published disagree; settling them first left {whole(settled)} {units} of error against them as they "
            f"were, and the error above that floor is {whole(float(checks['zones']['tae_above_floor'].sum()))}."
        )
    if within := checks.headline.get("tables within the publisher's noise"):
        sentences.append(f"Of the tables of one zone, {within} are within the publisher's noise as a whole.")
    beyond = _beyond(checks, truth_unit)
    if not beyond:
        sentences.append(
            "Meeting every table says nothing about combinations of variables: see below how far they can be trusted."
        )
    warnings = sum(f.level == "warning" and f.code != "zone-not-fitted" for f in found(aligned, checks))
    if warnings:
        sentences.append(f"{counted(warnings, 'warning')} {'is' if warnings == 1 else 'are'} listed under “What was found”.")
    return Verdict(tone, headline, tuple(sentences), beyond)


def _beyond(checks: Checks, truth_unit: str) -> tuple[Beyond, ...]:
    """Set what no table said beside the simplest guess: held-out tables, and true error where it is known."""
    held, truth = (checks.tables.get(name, pd.DataFrame()) for name in ("held_out", "true_error"))
    points = "percentage points" if truth_unit.startswith("%") else truth_unit
    rows = [
        (
            f"{said(row['table'])}, held out",
            f"% of {row.get('unit', 'people')} in the wrong cell",
            row["wrong_whole"],
            row["wrong_independence"],
            row["floor"],
            2,
        )
        for row in _some(held).to_dict("records")
    ]
    rows += [
        (row["indicator"], f"true error of a zone, {points}", row["rmse"], row["rmse_average"], row["floor"], 1)
        for row in truth.head(4).to_dict("records")
        if row["zones"]
    ]
    return tuple(
        Beyond(what, unit, number(ours, digits), number(simplest, digits), number(luck, digits), ours > simplest)
        for what, unit, ours, simplest, luck, digits in rows
    )


def _and_others(aligned: Aligned) -> str:
    """Say that people live elsewhere too, where they do."""
    return " and in communal establishments" if aligned.households is not None and aligned.households.communal.any() else ""


def _some(held: pd.DataFrame) -> pd.DataFrame:
    """Four held-out tables, or six: where households are counted as well as people, the first three of each."""
    if "unit" not in held or held["unit"].nunique() < 2:
        return held.head(4)
    return held[held.groupby("unit").cumcount() < 3]


def tiles(aligned: Aligned, checks: Checks) -> list[Tile]:
    """Return the eight numbers under the verdict."""
    zones, headline = checks["zones"], checks.headline
    n, exact = len(zones), int(zones["exact"].sum())
    total, residual = float(zones["tae"].sum()), float(zones["residual"].fillna(0).max())
    homes = headline.get("households")
    universes = list(dict.fromkeys(t.universe.name for t in aligned.constraints))
    records, used = int(headline.get("records", len(aligned.records))), int(headline.get("records used", 0))
    effective = float(headline.get("effective records", records))
    copied = copied_of(zones)
    donors = zones.loc[zones["people"] > 0, copied.effective]
    different, met = float(donors.median()) if len(donors) else np.nan, residual < 0.01
    listed = universes[0] if len(universes) == 1 else f"{', '.join(universes[:-1])} and {universes[-1]}"
    over = f"over {counted(len(aligned.constraints), 'table')} of {listed}"
    units = "people" if homes is None else "people and households"
    single, placed = ("people", "people") if homes is None else ("people or households", "households")
    names = ", ".join(" × ".join(t.variables).replace("_", " ") for t in aligned.constraints)
    return [
        Tile(
            f"{int(zones['people'].sum()):,}",
            "whole people",
            universes[0] if homes is None else f"in {homes:,} households{_and_others(aligned)}",
        ),
        Tile(f"{exact:,} of {n:,}", "zones exact", _zones_beside(zones), "ok" if exact == n else "warn"),
        Tile(whole(total), f"{units} of total absolute error", over, "ok" if total == 0 else "warn"),
        Tile(small(residual), f"{single}: largest miss of the fit", f"before {placed} were made whole", "ok" if met else "warn"),
        _joint_tile(checks),
        Tile(f"{len(aligned.constraints):,}", "tables fitted", names if len(names) < 90 else f"{names[:88]}…"),
        Tile(f"{used:,} of {records:,}", "survey records used", f"worth {effective:,.0f} of equal weight"),
        Tile(number(different), f"different {copied.who} in a zone", "effective number, median of zones"),
    ]


def _joint_tile(checks: Checks) -> Tile:
    """Say what is known of combinations, in one number."""
    held, pairs = (checks.tables.get(name, pd.DataFrame()) for name in ("held_out", "intersections"))
    if len(held):
        row = held.iloc[0]
        beside = f"held out; independence {percent(row['wrong_independence'])} %"
        return Tile(f"{percent(row['wrong_whole'])} %", f"in the wrong cell of {said(row['table'])}", beside)
    fit = pairs[(pairs["pair"] == "all pairs") & (pairs["reference"] == "fit")] if len(pairs) else pairs
    if len(fit):
        row = fit.iloc[0]
        return Tile(
            f"{percent(row['rounding'])} %",
            "in another two-way cell than the fit",
            f"independence {percent(row['wrong_independence'])} %",
        )
    return Tile("–", "combinations", "one variable only")


def _zones_beside(zones: pd.DataFrame) -> str:
    empty, unfit = int((zones["target_people"] == 0).sum()), int((~zones["fit"].isin(["CONVERGED", "EMPTY"])).sum())
    parts = [f"{len(zones) - empty - unfit:,} converged"]
    parts += [f"{unfit:,} not converged"] if unfit else []
    parts += [f"{empty:,} without people"] if empty else []
    return ", ".join(parts)


def failures_grid(aligned: Aligned, checks: Checks, most: int = 30) -> Grid | None:
    """List the zones that miss targets with their cause; None where there are none."""
    failed = failures(checks)
    if failed.empty:
        return None
    names = zone_names(aligned)
    told = checks.tables.get("causes", pd.DataFrame(columns=["zone", "words"])).drop_duplicates("zone").set_index("zone")["words"]
    cause = [told.get(row["zone"], _cause(row)) for row in failed.to_dict("records")]
    alone = "households" not in checks.headline
    shown = failed.assign(name=failed["zone"].map(names), cause=cause)
    columns = [
        Column("zone", "Zone", text=True),
        Column("name", "Name", text=True),
        Column("target_people", "People", "wanted", whole),
        Column("tae", "Total error", "people" if alone else "people and households", whole),
        Column("cause", "Cause", text=True, wrap=True),
        Column("residual", "Largest miss", "people, of the fit" if alone else "of the fit, its unit", small),
        Column("worst_cell", "Where", "constraint = category", said, text=True),
    ]
    if not names.any():
        del columns[1]
    return grid_of(shown, columns, "Zones that miss published counts, the largest error first", most=most)


def publish_said(checks: Checks) -> str:
    """Say which of the zones that miss targets may be published: none, but those within the publisher's noise."""
    failed = failures(checks)
    within = int(failed["within_noise"].sum()) if "within_noise" in failed else 0
    if not within:
        return "Do not publish these zones as they stand."
    near = "as near the published counts as the publisher's noise lets anybody be"
    if within == len(failed):
        return f"The fit settled soft targets for itself, and {'this zone is' if within == 1 else 'all these zones are'} {near}."
    verb = "is" if within == 1 else "are"
    return f"{within:,} of these zones {verb} {near}; do not publish the others as they stand."


def _cause(row: dict) -> str:
    """Say in words why a zone misses targets."""
    status = FitStatus.__members__.get(row["fit"])
    if status is None or row["fit"] in ("CONVERGED", "EMPTY"):
        return f"the fit is met; made whole, it misses {said(row['worst_table'])}"
    return f"{row['fit'].lower().replace('_', ' ')}: {FIT_MEANING[status]}"


def found(aligned: Aligned, checks: Checks) -> list[Finding]:
    """Everything that was found, once each, errors first."""
    seen, out = set(), []
    for item in (*checks.findings, *aligned.findings):
        if (item.code, item.message) not in seen:
            seen.add((item.code, item.message))
            out.append(item)
    return sorted(out, key=lambda f: _LEVELS.get(f.level, 3))
