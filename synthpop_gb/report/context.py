"""What stands on the page, as plain values: verdict, tables, charts, maps, findings, provenance."""

from __future__ import annotations

import base64
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.checks import Checks
from synthpop_gb.errors import InputError
from synthpop_gb.export import polygons
from synthpop_gb.population import Population
from synthpop_gb.report import figures, households, incomes, summary, tables, uncertainty
from synthpop_gb.report._html import written_finding
from synthpop_gb.report.atlas import MOST_AREAS, Atlas, make_atlas
from synthpop_gb.report.copied import copied_of
from synthpop_gb.report.maps import attribution_of, render_map
from synthpop_gb.report.measures import Measure, first_shown, measures
from synthpop_gb.report.words import counted, number, percent, plain, said, whole

__all__ = ["context_of"]

_STATIC_MAPS = 2


def context_of(
    population: Population, aligned: Aligned, checks: Checks, title: str, path: Path, truth_unit: str, indicators=()
) -> dict:
    """Gather everything that the template writes. Text in it is plain; the template escapes it."""
    atlas, pictures, no_map = _maps(aligned, checks, truth_unit)
    return {
        "title": title,
        "verdict": summary.verdict(aligned, checks, truth_unit),
        "tiles": summary.tiles(aligned, checks),
        "failed": summary.failures_grid(aligned, checks),
        "publish": summary.publish_said(checks),
        "fit": tables.fit_grid(aligned, checks),
        "causes": households.causes_grid(checks),
        "homes": households.households_of(aligned, checks),
        "incomes": incomes.incomes_of(population, checks),
        "levels": tables.levels_grid(checks),
        "changes": tables.changes_grid(aligned),
        "floor": _floor(aligned),
        "worst": tables.zones_grid(aligned, checks),
        "pairs": tables.pairs_grid(checks),
        "pair_grid": _pair_grid(checks),
        "pair_chart": _pair_chart(checks),
        "held_out": tables.held_out_grid(checks),
        "held_out_chart": _held_out_chart(checks),
        "truth": tables.truth_grid(checks, truth_unit),
        "truth_chart": _truth_chart(checks, truth_unit),
        "sure": uncertainty.sure(population, checks, indicators),
        "left_out": uncertainty.left_out_grid(checks),
        "indicators": uncertainty.indicators_grid(indicators),
        "indicator_charts": uncertainty.charts(indicators),
        "counted": "People or households" if aligned.households is not None else "People",
        "reuse": _reuse(checks),
        "records": tables.records_grid(aligned, checks),
        "findings": [written_finding(f, named=aligned.survey.licence == "open") for f in summary.found(aligned, checks)],
        "atlas": atlas, "pictures": pictures, "no_map": no_map, "attribution": attribution_of(aligned.zones),
        "made": _made(population, aligned, path),
        "universes": list(dict.fromkeys(t.universe.name for t in aligned.constraints)),
        "constraints": [" × ".join(t.variables).replace("_", " ") for t in aligned.constraints],
        "n_zones": len(aligned.zones),
    }  # fmt: skip


def _maps(aligned: Aligned, checks: Checks, truth_unit: str) -> tuple[Atlas | None, list[dict], str]:
    """Return the interactive map, pictures of zones where these are too many for it, and why there is no map."""
    if aligned.geography.boundary_file is None:
        return None, [], "The study names no boundaries, so nothing can be drawn: add boundaries under [zones]."
    try:
        shapes = polygons(aligned.geography)
    except InputError as error:
        return None, [], f"Nothing can be drawn. {error.findings[0].message}"
    offered = measures(aligned, checks, truth_unit)
    first = first_shown(offered)
    chosen = [] if len(aligned.zones) <= MOST_AREAS else _pictured(offered, first)
    return make_atlas(aligned, shapes, offered, first), [_picture(aligned, shapes, m) for m in chosen], ""


def _pictured(offered: list[Measure], first: int) -> list[Measure]:
    """Choose what is drawn zone by zone: what the map opens with, and the category that differs most between zones."""
    categories = [
        m
        for m in offered
        if m.unit.startswith("% of") and m.group not in ("Fit", "People", "Tables kept back", "Combinations", "True error")
    ]
    by_spread = sorted(categories, key=lambda m: -float(np.nan_to_num(np.nanstd(m.values()))))
    return [offered[first], *[m for m in by_spread if m is not offered[first]]][:_STATIC_MAPS]


def _picture(aligned: Aligned, shapes, measure: Measure) -> dict:
    values = pd.Series(measure.values(), aligned.zones)
    png = render_map(values, aligned.geography, title=f"{measure.group}: {measure.label}", unit=measure.unit, shapes=shapes)
    said = f"Map of {counted(len(values), 'zone')}: {measure.group}, {measure.label}, {measure.unit}"
    said += f"; median {number(float(values.median()), measure.decimals)}"
    return {"png": base64.b64encode(png).decode(), "alt": said}


def _floor(aligned: Aligned) -> dict:
    """Say how far tables that disagree are from what any population can meet."""
    floor = aligned.floor if len(aligned.floor) else pd.Series([0.0])
    return {
        "total": whole(float(floor.sum())), "mean": number(float(floor.mean()), 1), "most": whole(float(floor.max())),
        "zones": counted(int((floor > 0).sum()), "zone"), "any": bool((floor > 0).any()),
    }  # fmt: skip


def _pairs(checks: Checks) -> pd.DataFrame:
    frame = checks.tables.get("intersections", pd.DataFrame())
    return frame if frame.empty else frame[~frame["pair"].str.startswith("all pairs")]


def _pair_grid(checks: Checks) -> str:
    """Squares of all pairs, where there are enough variables to make a picture."""
    pairs = _pairs(checks)
    if len(pairs) < 3:
        return ""
    names = pairs["pair"].str.replace("_", " ").str.split(" x ", n=1, expand=True)
    value = pairs["wrong_whole"].where(pairs["reference"] != "fit", pairs["rounding"])
    shown = {"first": names[0], "second": names[1], "value": value, "published": pairs["reference"] != "fit"}
    return figures.pair_grid(pd.DataFrame(shown))


def _pair_chart(checks: Checks) -> str:
    pairs = _pairs(checks)
    if pairs.empty:
        return ""
    pairs = pairs.assign(pair=pairs["pair"].map(said))
    fit = pairs["reference"] == "fit"  # the fit cannot be measured against itself
    pairs = pairs.assign(wrong_fit=pairs["wrong_fit"].where(~fit))
    return figures.yardstick_chart(pairs.sort_values("wrong_independence", ascending=False), "pair")


def _held_out_chart(checks: Checks) -> str:
    held = checks.tables.get("held_out", pd.DataFrame())
    if held.empty:
        return ""
    return figures.yardstick_chart(held.assign(table=held["table"].map(said)), "table")


def _truth_chart(checks: Checks, unit: str) -> str:
    by_zone = checks.tables.get("true_error_zones", pd.DataFrame())
    return "" if by_zone.empty else figures.truth_scatter(by_zone, unit)


def _reuse(checks: Checks) -> dict:
    """Donors in words and as a histogram."""
    zones = checks["zones"]
    live = zones[zones["people"] > 0]
    if live.empty:
        return {}
    who, each, donors, effective, largest = copied_of(live)
    placed = checks["donor_reuse"].set_index("zone")[who].reindex(live["zone"]).to_numpy(np.float64)
    live = live[placed > 0]
    share = 100 * live[effective] / placed[placed > 0]
    worst = live.loc[live[largest].idxmax()]
    varied = float(share.quantile(0.05)) < 95  # where nearly everybody is somebody else there is nothing to draw
    return {
        "chart": figures.histogram(share.to_numpy(), f"effective number of different {who} in 100") if varied else "",
        "who": who, "each": each,
        "donors": number(float(live[donors].median())), "effective": number(float(live[effective].median()), 0),
        "share": number(float(share.median()), 0), "largest": percent(float(100 * live[largest].median())),
        "worst": plain(worst["zone"]), "worst_share": percent(100 * float(worst[largest])),
    }  # fmt: skip


def _made(population: Population, aligned: Aligned, path: Path) -> dict:
    """Where everything came from, and the command that makes it again."""
    provenance, survey = population.provenance, aligned.survey
    files = (survey.source, survey.household_file, *aligned.geography.sources)
    sources = list(provenance.inputs) or [s for s in files if s is not None]
    again = f"synthpop-gb run {_quoted(path.with_name('run.json'))} --output again" if provenance.study else None
    return {
        "created": _date(provenance.created),
        "seed": provenance.seed,
        "method": provenance.method,
        "options": ", ".join(f"{k} = {v}" for k, v in provenance.options.items()) or "defaults",
        "versions": provenance.versions,
        "inputs": [{"path": f.path, "sha256": f.sha256, "size": f"{f.bytes:,} bytes"} for f in sources],
        "again": again or f"sp.solve(sp.formulate(aligned), method={provenance.method!r}, seed={provenance.seed})",
        "survey": survey.name,
        "licence": survey.licence,
        "survey_universe": survey.universe.name,
        "year": survey.year,
        "records": len(aligned.records),
        "profiles": population.problem.n_profiles,
    }


def _quoted(path: Path) -> str:
    text = path.as_posix()
    return text if all(c.isalnum() or c in "/._-:~" for c in text) else "'" + text.replace("'", "'\\''") + "'"


def _date(text: str) -> str:
    """Write an ISO time for people: '24 November 2026, 01:37 UTC'."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{time.day} {time:%B %Y, %H:%M}{' UTC' if time.utcoffset() is not None and not time.utcoffset() else ''}"
