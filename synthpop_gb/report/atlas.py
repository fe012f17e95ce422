"""The interactive map: one drawing, a list of measures, a histogram that picks out zones. Altair inlined; needs no network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.export import script_json, script_text
from synthpop_gb.export.polygons import dissolved
from synthpop_gb.geography.classes import MISSING, classify
from synthpop_gb.report.measures import Measure
from synthpop_gb.report.words import number

__all__ = ["Atlas", "make_atlas", "runtime"]

MOST_AREAS = 5_000
"""Areas drawn one by one: half a megabyte of outlines for 3,317 zones, and hovering stays quick in a browser."""

_WIDTH = 620
_PIXELS = 1_600
"""Outlines are kept to a fraction of this across the map: finer than a screen shows."""


@dataclass(frozen=True)
class Atlas:
    """What the page needs to draw: level of the areas, specification, areas and measures as JSON, measures by group."""

    level: str
    n_areas: int
    spec: str
    areas: str
    measures: str
    groups: tuple[tuple[str, tuple[tuple[int, str], ...]], ...]
    first: int


def make_atlas(aligned: Aligned, shapes, offered: Sequence[Measure], first: int) -> Atlas | None:
    """Prepare the map of a study: zones, or, above 5,000 zones, the finest areas that are few enough.

    Parameters
    ----------
    aligned : Aligned
        Zones, and the areas that they nest in.
    shapes : geopandas.GeoDataFrame
        Polygons in metres, indexed by zone.
    offered : sequence of Measure
        What can be shown.
    first : int
        Position of the one shown first.

    Returns
    -------
    Atlas or None
        None where no level is coarse enough.
    """
    places = aligned.geography.zones
    level = "zone"
    if len(places) > MOST_AREAS:
        sizes = {p: places[p].nunique() for p in aligned.geography.covering}
        level = next((p for p, n in sizes.items() if 2 <= n <= MOST_AREAS), None)
        if level is None:
            return None
    if level == "zone":
        area, codes = None, places.index
        names = places["name"] if "name" in places else pd.Series("", places.index)
    else:
        area, codes = pd.factorize(places[level])
        named = places[f"{level}_name"] if f"{level}_name" in places else pd.Series("", places.index)
        names = named.groupby(places[level]).first().reindex(codes)
        shapes = dissolved(shapes, places[level])
    chosen = [(i, m) for i, m in enumerate(offered) if m.adds or area is None]
    values = [m.values(area, len(codes)) for _, m in chosen]
    first = next((k for k, (i, _) in enumerate(chosen) if i == first), 0)
    drawn = codes.isin(shapes.index)
    height = _height(shapes)
    features = _features(shapes.geometry.reindex(codes[drawn]), codes, names, values, chosen, np.flatnonzero(drawn))
    groups: dict[str, list] = {}
    for k, (_, m) in enumerate(chosen):
        groups.setdefault(m.group, []).append((k, m.label))
    return Atlas(
        level, len(codes), script_json(_spec(height, first, level, len(codes))), script_json(features),
        script_json([_described(m, v) for (_, m), v in zip(chosen, values, strict=True)]),
        tuple((g, tuple(ms)) for g, ms in groups.items()), first,
    )  # fmt: skip


@cache
def runtime() -> str:
    """Return the JavaScript of Vega, Vega-Lite and Vega-Embed that vl-convert carries; it leaves only `vegaEmbed` behind."""
    import altair
    import vl_convert

    version = ".".join(altair.SCHEMA_VERSION.lstrip("v").split(".")[:2])
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=version)
    return script_text(f"(function () {{\n{bundle}\n}})();")


def _height(shapes) -> int:
    west, south, east, north = shapes.total_bounds
    return int(np.clip(_WIDTH * (north - south) / max(east - west, 1.0), 340, 680))


def _features(shapes, codes, names: pd.Series, values, chosen, rows: np.ndarray) -> list[dict]:
    """GeoJSON features in whole metres from the south-west corner: shorter than degrees, and the page needs no projection."""
    import shapely

    geometry = shapes.to_numpy()
    west, south, east, north = shapely.total_bounds(geometry)
    step = max(east - west, north - south) / _PIXELS
    geometry = np.where(shapely.get_num_coordinates(geometry) > 12, shapely.simplify(geometry, step / 2), geometry)
    unit = 10.0 ** max(0, np.floor(np.log10(step)))
    moved = shapely.transform(geometry, lambda xy: np.round((xy - (west, south)) / unit))
    written = shapely.to_geojson(moved)
    rounded = [np.round(v, m.decimals + 1) for v, (_, m) in zip(values, chosen, strict=True)]
    out = []
    for text, row in zip(written, rows.tolist(), strict=True):
        shape = json.loads(text.replace(".0,", ",").replace(".0]", "]"))
        numbers = [None if np.isnan(v[row]) else int(v[row]) if v[row].is_integer() else float(v[row]) for v in rounded]
        name = names.iloc[row]
        out.append(
            {"type": "Feature", "geometry": shape, "c": str(codes[row]), "n": "" if pd.isna(name) else str(name), "v": numbers}
        )
    return out


def _described(measure: Measure, values: np.ndarray) -> dict:
    """Describe one measure: unit, format, limits, colours and legend."""
    signed = measure.label.endswith("estimate − truth")
    classes = classify(np.round(values, measure.decimals + 1), centre=0.0 if signed else None)
    known = values[~np.isnan(values)]
    spread = f"{number(known.min(), measure.decimals)} to {number(known.max(), measure.decimals)}" if known.size else "none"
    legend = [
        {"colour": c, "label": label, "count": n}
        for c, label, n in zip(classes.colours, classes.labels, classes.counts, strict=True)
    ]
    if classes.missing:
        legend.insert(0, {"colour": MISSING, "label": "no value", "count": classes.missing})
    return {
        "label": measure.label, "group": measure.group, "unit": measure.unit, "format": f",.{measure.decimals}f",
        "limits": classes.limits.tolist(), "colours": list(classes.colours), "legend": legend[::-1],
        "median": number(float(np.median(known)), measure.decimals) if known.size else "none", "spread": spread,
    }  # fmt: skip


def _spec(height: int, first: int, level: str, n_areas: int) -> dict:
    """Map and histogram over one shared data set named 'areas'; which measure is shown is the parameter `measure`."""
    import altair as alt

    limits = " + ".join(f"(datum.value >= known[measure].limits[{i}] ? 1 : 0)" for i in range(5))
    base = (
        alt.Chart(alt.Data(name="areas"))
        .transform_calculate(value="datum.v[measure]")
        .transform_calculate(colour=f"isValid(datum.value) ? known[measure].colours[{limits}] : '{MISSING}'")
    )
    brush = alt.selection_interval(name="brush", encodings=["x"])
    hover = alt.selection_point(name="hover", on="pointerover", clear="pointerout", fields=["c"], empty=False)
    said = "isValid(datum.value) ? format(datum.value, known[measure].format) + ' ' + known[measure].unit : 'no value'"
    tip = {"expr": f"{{title: datum.n || datum.c, '{level}': datum.c, 'value': {said}}}"}
    fill = alt.Color("colour:N", scale=None, legend=None)
    drawing = (
        base.mark_geoshape(tooltip=tip)
        .encode(
            color=alt.condition(brush, fill, alt.value("#eceff1")),
            stroke=alt.condition(hover, alt.value("#111827"), alt.value("#ffffff")),
            strokeWidth=alt.condition(hover, alt.value(2), alt.value(0.35 if n_areas <= 1_000 else 0.1)),
        )
        .project(type="identity", reflectY=True)
        .properties(width=_WIDTH, height=height)
        .add_params(hover)
    )
    bars = (
        base.transform_filter("isValid(datum.value)")
        .mark_bar(tooltip=False)
        .encode(
            x=alt.X("value:Q", bin=alt.Bin(maxbins=50), title=None, axis=alt.Axis(grid=False, labelFlush=True, tickCount=8)),
            y=alt.Y("count():Q", title=None, axis=alt.Axis(tickCount=3, domain=False, orient="right")),
            color=fill,
        )
        .properties(width=_WIDTH, height=84)
        .add_params(brush)
    )
    known = alt.param(name="known", value=[])
    chart = alt.vconcat(drawing, bars, spacing=10).add_params(alt.param(name="measure", value=first), known)
    axis = {
        "labelColor": "#5f6b76",
        "labelFontSize": 12,
        "gridColor": "#e1e6eb",
        "domainColor": "#9aa5b1",
        "tickColor": "#9aa5b1",
    }
    font = "Source Sans 3, Segoe UI, -apple-system, Helvetica Neue, Arial, sans-serif"
    spec = chart.configure(background="transparent", font=font, view={"stroke": None}, axis=axis, padding=2).to_dict()
    # what was picked out in one measure's bars means nothing in another's, so choosing a measure lets go; Vega takes any element
    # of the page as the source of an event, Vega-Lite's schema knows only its own
    letting_go = [{"source": "scope", "type": "dblclick"}, {"source": "#atlas-measure", "type": "change"}]
    next(p for p in spec["params"] if p["name"] == "brush")["select"]["clear"] = letting_go
    return spec
