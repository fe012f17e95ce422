"""Charts that stand still: drawn by Altair, inlined as SVG, so that they print and need no script."""

from __future__ import annotations

import textwrap
from io import BytesIO, StringIO

import numpy as np
import pandas as pd

from synthpop_gb.report.words import said

__all__ = [
    "YARDSTICKS", "before_and_after", "caterpillar", "histogram", "pair_grid", "share_chart", "truth_scatter", "yardstick_chart",
]  # fmt: skip

_FONT = "Arial, Helvetica, sans-serif"
_INK, _GREY, _LINE = "#1f2933", "#5f6b76", "#e4e9ee"

_CONFIG = {
    "background": "transparent",
    "font": _FONT,
    "padding": {"left": 2, "right": 12, "top": 4, "bottom": 4},
    "view": {"stroke": None},
    "axis": {
        "labelColor": _GREY, "titleColor": _GREY, "gridColor": _LINE, "domainColor": "#9aa5b1", "tickColor": "#9aa5b1",
        "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "titlePadding": 8,
    },
    "legend": {"labelColor": _INK, "labelFontSize": 12, "columnPadding": 18, "symbolStrokeWidth": 0, "offset": 14},
}  # fmt: skip

_BAR = "M-0.16,-1.15L0.16,-1.15L0.16,1.15L-0.16,1.15Z"
"""An upright bar, as Vega draws symbols: in units of half the symbol's size."""

YARDSTICKS = (
    ("wrong_whole", "this population", "circle", "#253494"),
    ("wrong_fit", "fractional fit", "circle", "#7fb8d8"),
    ("wrong_independence", "independence", "diamond", "#e08214"),
    ("wrong_average", "study area’s average", "square", "#b2abd2"),
    ("wrong_survey", "survey as it is", "triangle-up", "#8073ac"),
    ("floor", "noise floor", _BAR, "#111827"),
)
"""Column, name, symbol and colour of each yardstick, the same in every chart; symbols differ for who sees no colours."""

_MOST_POINTS = 1_500
"""Points above which a scatter is inlined as a picture: as shapes it would be megabytes."""


def _svg(chart) -> str:
    """Return the chart as an SVG element. All text in it is escaped by Vega."""
    buffer = StringIO()
    chart.configure(**_CONFIG).save(buffer, format="svg")
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def yardstick_chart(frame: pd.DataFrame, name: str) -> str:
    """Draw one row a pair or table, one symbol a yardstick, over per cent of people, or households, in the wrong cell.

    frame : columns `name` and those of `YARDSTICKS` that are known; rows in the order in which they are drawn. A column `unit`
        says what each row counts.
    Returns an SVG element.
    """
    import altair as alt

    known = [y for y in YARDSTICKS if y[0] in frame and frame[y[0]].notna().any()]
    long = pd.concat(
        [
            pd.DataFrame({"row": frame[name].astype(str), "value": frame[c], "yardstick": label})
            for c, label, _, _ in reversed(known)
        ]
    )  # ours on top
    long = long[long["value"].notna()]
    order = frame[name].astype(str).tolist()
    labels = [y[1] for y in known]
    axis = alt.Axis(labelLimit=260, ticks=False, domain=False, grid=False, labelColor=_INK, labelPadding=10)
    rows = alt.Y("row:N", sort=order, title=None, axis=axis)
    legend = alt.Legend(orient="top", symbolSize=110, columns=6, labelLimit=200)
    colours, shapes = ([y[i] for y in known] for i in (3, 2))
    base = alt.Chart(long.astype({"row": object, "yardstick": object}))
    units = list(dict.fromkeys(frame["unit"])) if "unit" in frame else ["people"]
    title = f"% of {' or '.join(sorted(units, reverse=True))} in the wrong cell"
    value = alt.X("value:Q", title=title, scale=alt.Scale(domainMin=0, nice=True), axis=alt.Axis(tickCount=8))
    line = base.mark_rule(color="#c5ced6", strokeWidth=1.5).encode(y=rows, x=alt.X("min(value):Q"), x2="max(value):Q")
    points = base.mark_point(filled=True, size=105, opacity=1).encode(
        x=value,
        y=rows,
        color=alt.Color("yardstick:N", sort=labels, title=None, scale=alt.Scale(domain=labels, range=colours), legend=legend),
        shape=alt.Shape("yardstick:N", sort=labels, title=None, scale=alt.Scale(domain=labels, range=shapes)),
    )
    return _svg((line + points).properties(width=560, height=alt.Step(27)))


def pair_grid(pairs: pd.DataFrame) -> str:
    """Draw variables against variables, each square with the per cent of people in the wrong two-way cell.

    pairs : columns first, second (names), value (per cent), published (whether the reference is a published table).
    Returns an SVG element.
    """
    import altair as alt

    data = pairs.assign(text=[f"{v:.2f}{'*' if p else ''}" for v, p in zip(pairs["value"], pairs["published"], strict=True)])
    order = list(dict.fromkeys([*pairs["first"], *pairs["second"]]))
    top = float(pairs["value"].max()) or 1.0
    plain = {"ticks": False, "domain": False, "labelColor": _INK, "labelLimit": 150, "grid": False, "labelPadding": 8}
    base = alt.Chart(data.astype({"first": object, "second": object})).encode(
        x=alt.X("first:N", sort=order[:-1], title=None, axis=alt.Axis(orient="top", labelAngle=-35, **plain)),
        y=alt.Y("second:N", sort=order[1:], title=None, axis=alt.Axis(**plain)),
    )
    fill = alt.Color(
        "value:Q",
        title="% of people",
        scale=alt.Scale(range=["#f1f9c5", "#41b6c4", "#253494"], domain=[0, top / 2, top]),
        legend=None,
    )
    square = base.mark_rect(stroke="#ffffff", strokeWidth=2, cornerRadius=3).encode(color=fill)
    text = base.mark_text(fontSize=12).encode(
        text="text:N", color=alt.condition(f"datum.value > {0.45 * top}", alt.value("#ffffff"), alt.value(_INK))
    )
    return _svg((square + text).properties(width=alt.Step(64), height=alt.Step(36)))


def histogram(values: np.ndarray, title: str, colour: str = "#2c7fb8") -> str:
    """Draw how many zones have which value. Returns an SVG element."""
    import altair as alt

    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, 31)
    count, _ = np.histogram(known, edges)
    data = pd.DataFrame({"from": edges[:-1], "to": edges[1:], "zones": count})
    scale = alt.Scale(domain=[low, high], nice=False, zero=False)
    chart = alt.Chart(data).mark_rect(color=colour, stroke="#ffffff", strokeWidth=0.5).encode(
        x=alt.X("from:Q", title=title, scale=scale, axis=alt.Axis(grid=False, tickCount=7)),
        x2="to:Q",
        y=alt.Y("zones:Q", title="zones", axis=alt.Axis(tickCount=4, domain=False)),
        y2=alt.datum(0),
    )  # fmt: skip
    return _svg(chart.properties(width=440, height=150))


def truth_scatter(by_zone: pd.DataFrame, unit: str) -> str:
    """Draw estimate against truth, a point a zone, a panel an indicator; the line is where they agree.

    by_zone : columns indicator, truth, estimate, in `unit`. Returns an SVG element, or an img element with a picture where points
    are many.
    """
    import altair as alt

    panels = []
    live = by_zone[by_zone["truth"].notna() & by_zone["estimate"].notna()]
    for name, rows in live.groupby("indicator", sort=False, observed=True):
        data = rows[["truth", "estimate"]]
        low, high = float(data.min().min()), float(data.max().max())
        pad = 0.04 * (high - low or 1.0)
        scale = alt.Scale(domain=[low - pad, high + pad], nice=False, zero=False)
        ends = pd.DataFrame({"a": [low, high]})
        line = (
            alt.Chart(ends)
            .mark_line(color="#9aa5b1", strokeDash=[4, 3])
            .encode(x=alt.X("a:Q", scale=scale), y=alt.Y("a:Q", scale=scale))
        )
        values = alt.Data(values=data.round(3).to_dict("records"))  # a frame would be refused above 5,000 rows
        points = alt.Chart(values).mark_circle(size=18, opacity=0.55, color="#2c7fb8").encode(
            x=alt.X("truth:Q", title=f"truth, {unit}", axis=alt.Axis(tickCount=5), scale=scale),
            y=alt.Y("estimate:Q", title=f"estimate, {unit}", axis=alt.Axis(tickCount=5), scale=scale),
        )  # fmt: skip
        title = alt.Title(textwrap.wrap(str(name), 32)[:3], fontSize=12.5, color=_INK, anchor="start")
        panels.append((line + points).properties(width=186, height=186, title=title))
    if not panels:
        return ""
    chart = alt.concat(*panels, columns=4, spacing=26)
    return _svg(chart) if len(live) <= _MOST_POINTS * 4 else _picture(chart)


_MOST_BARS = 400


def caterpillar(found) -> str:
    """Draw estimates in order with their intervals, one bar a zone; above 400 zones that many, evenly over the order.

    found : Indicators by zone. Returns an SVG element.
    """
    import altair as alt

    factor = 100.0 if found.question.measure == "share" else 1.0
    frame = found.frame[found.frame["estimate"].notna()].sort_values("estimate", kind="stable").reset_index(drop=True)
    if len(frame) > _MOST_BARS:
        frame = frame.iloc[np.unique(np.linspace(0, len(frame) - 1, _MOST_BARS).round().astype(int))].reset_index(drop=True)
    data = pd.DataFrame(
        {
            "place": np.arange(1, len(frame) + 1), "estimate": factor * frame["estimate"], "lower": factor * frame["lower"],
            "upper": factor * frame["upper"], "kind": np.where(frame["reliability"] == "unreliable", "unreliable", "usable"),
        }
    ).round(4)  # fmt: skip
    tones = alt.Scale(domain=["usable", "unreliable"], range=["#2c7fb8", "#b8c0c8"])
    colour = alt.Color("kind:N", title=None, legend=alt.Legend(orient="top", symbolStrokeWidth=3), scale=tones)
    x = alt.X("place:Q", title="zones, from the lowest estimate to the highest", axis=alt.Axis(grid=False, tickCount=6),
              scale=alt.Scale(domain=[0, len(frame) + 1], nice=False))  # fmt: skip
    spread = alt.Scale(zero=False)
    y = alt.Y(
        "lower:Q",
        title=_short(f"estimate, interval: {found.shown_unit.split(', where ')[0]}"),
        axis=alt.Axis(tickCount=5),
        scale=spread,
    )
    base = alt.Chart(alt.Data(values=data.to_dict("records")))
    width = max(0.6, min(3.0, 500 / max(len(frame), 1)))
    bars = base.mark_rule(strokeWidth=width, opacity=0.55).encode(x=x, y=y, y2="upper:Q", color=colour)
    points = base.mark_circle(size=10, opacity=1, color=_INK).encode(x="place:Q", y="estimate:Q")
    return _svg((bars + points).properties(width=640, height=210))


_SIDES = (("population", "this population", "circle", "#253494"), ("survey", "survey, weighted", "triangle-up", "#8073ac"),
          ("truth", "truth", _BAR, "#111827"))  # fmt: skip


def share_chart(cells: pd.DataFrame) -> str:
    """Draw a distribution: one row a cell, one symbol a source, over per cent.

    cells : columns cell, population, survey and truth (per cent; NaN where not known). Returns an SVG element.
    """
    import altair as alt

    known = [side for side in _SIDES if cells[side[0]].notna().any()]
    some = cells[cells[[side[0] for side in known]].fillna(0).max(axis=1) >= 0.05]
    long = pd.concat(
        [pd.DataFrame({"row": some["cell"].map(said), "value": some[c], "source": label}) for c, label, _, _ in reversed(known)]
    )
    long = long[long["value"].notna()].astype({"row": object, "source": object})
    labels = [side[1] for side in known]
    axis = alt.Axis(labelLimit=260, ticks=False, domain=False, grid=False, labelColor=_INK, labelPadding=10)
    rows = alt.Y("row:N", sort=some["cell"].map(said).tolist(), title=None, axis=axis)
    scale = alt.Scale(domainMin=0, nice=True)
    x = alt.X("value:Q", title="%", scale=scale, axis=alt.Axis(tickCount=6))
    base = alt.Chart(long)
    line = base.mark_rule(color="#c5ced6", strokeWidth=1.5).encode(y=rows, x=alt.X("min(value):Q"), x2="max(value):Q")
    legend = alt.Legend(orient="top", symbolSize=110, labelLimit=200)
    points = base.mark_point(filled=True, size=95, opacity=1).encode(
        x=x, y=rows,
        color=alt.Color("source:N", sort=labels, title=None, scale=alt.Scale(domain=labels, range=[k[3] for k in known]),
                        legend=legend),
        shape=alt.Shape("source:N", sort=labels, title=None, scale=alt.Scale(domain=labels, range=[k[2] for k in known])),
    )  # fmt: skip
    return _svg((line + points).properties(width=480, height=alt.Step(24)))


def _short(text: str, most: int = 60) -> str:
    """Cut a title of an axis to what fits beside it."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _picture(chart) -> str:
    import base64

    buffer = BytesIO()
    chart.configure(**_CONFIG).save(buffer, format="png", scale_factor=2)
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'


def before_and_after(frame: pd.DataFrame, unit: str) -> str:
    """Draw published figures of areas in their order, with two standard errors either way, and what was fitted before and after.

    frame : columns published, published_error, before, after; above 400 areas that many are drawn, evenly over the order.
    Returns an SVG element, '' where there is nothing.
    """
    import altair as alt

    frame = frame.sort_values("published", kind="stable").reset_index(drop=True)
    if frame.empty:
        return ""
    if len(frame) > _MOST_BARS:
        frame = frame.iloc[np.linspace(0, len(frame) - 1, _MOST_BARS).round().astype(int)].reset_index(drop=True)
    width = 2 * frame["published_error"]
    data = pd.DataFrame({
        "area": np.arange(len(frame)), "low": frame["published"] - width, "high": frame["published"] + width,
    })  # fmt: skip
    kinds = (("before", "circle", "#e08214"), ("after", "circle", "#253494"), ("published", _BAR, "#111827"))
    long = pd.concat([pd.DataFrame({"area": data["area"], "value": frame[name], "kind": name}) for name, _, _ in kinds])
    labels, shapes, colours = ([k[i] for k in kinds] for i in (0, 1, 2))
    across = alt.X("area:Q", title="areas, in order of what is published", axis=None)
    y = alt.Scale(zero=False, nice=True)
    bars = alt.Chart(data).mark_rule(color="#c5ced6", strokeWidth=2).encode(
        x=across, y=alt.Y("low:Q", scale=y, title=unit, axis=alt.Axis(tickCount=6)), y2="high:Q"
    )  # fmt: skip
    legend = alt.Legend(orient="top", symbolSize=90)
    points = alt.Chart(long.astype({"kind": object})).mark_point(filled=True, size=58, opacity=0.9).encode(
        x=across, y=alt.Y("value:Q", scale=y, title=unit),
        color=alt.Color("kind:N", sort=labels, title=None, scale=alt.Scale(domain=labels, range=colours), legend=legend),
        shape=alt.Shape("kind:N", sort=labels, title=None, scale=alt.Scale(domain=labels, range=shapes)),
    )  # fmt: skip
    return _svg((bars + points).properties(width=720, height=240))
