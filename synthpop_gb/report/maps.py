"""Static maps: choropleths, changes, small multiples and pairs as PNG and SVG that can stand in a paper by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.atomic import replacing_all
from synthpop_gb.export import polygons
from synthpop_gb.geography import Geography
from synthpop_gb.geography.classes import classify, classify_widths
from synthpop_gb.geography.vintage import OFFICIAL_CODE
from synthpop_gb.report._panels import Outlines, of_classes
from synthpop_gb.report._sheet import Sheet, lay_out
from synthpop_gb.report.drawing import Drawing

__all__ = [
    "attribution_of",
    "draw_change",
    "draw_map",
    "draw_multiples",
    "draw_pair",
    "foot_of",
    "numbers_of",
    "render_map",
    "save",
    "sources_of",
]

_OURS = "Synthetic estimates made with synthpop_gb."
_SOURCES = "Contains National Statistics data and OS data © Crown copyright and database right."
"""What the Open Government Licence asks for under maps on official boundaries."""


def draw_map(
    values: pd.Series,
    geography: Geography,
    path: str | Path,
    *,
    title: str,
    unit: str,
    subtitle: str = "",
    classes: str = "quantile",
    n_classes: int = 5,
    centre: float | None = None,
    outlines: str | None = "auto",
    attribution: str | None = None,
    formats: Sequence[str] = ("png", "svg"),
    unreliable: pd.Series | None = None,
    doubt: str = "unreliable",
    reliability: pd.Series | None = None,
) -> Drawing:
    """Draw a choropleth.

    Parameters
    ----------
    values : pandas.Series
        Number by zone code; NaN, or no row, is drawn hatched and counted in the legend.
    geography : Geography
        Zones and boundaries; drawn in the British National Grid whatever their own reference system.
    path : path
        Stem; '.png' and '.svg' are added. With one of these endings only that file is written.
    title, unit, subtitle : str
        Heading; what the numbers are, e.g. '% of people'; a second line.
    classes : str
        'quantile' or 'equal' steps; see `geography.classes.classify`, also for `n_classes` and `centre`.
    outlines : str or None
        Parent level whose borders are drawn on top; 'auto' takes the first with 2 to 400 areas of 5 zones or more on average.
    attribution : str, optional
        Line at the foot; by default what official zone codes ask for.
    formats : sequence of str
        'png' (200 dots an inch) and 'svg'.
    unreliable : pandas.Series, optional
        True by zone where the number should not be used by itself: these zones are faded and hatched, and the legend calls them
        what `doubt` says.
    reliability : pandas.Series, optional
        Class of `indicators.RELIABILITY` by zone, in place of `unreliable`: zones fade class by class, so that the eye rests on
        what is known (value by alpha, Roth, Woodruff and Johnson 2010), and unreliable ones are hatched too.

    Returns
    -------
    Drawing
        List of the files; a notebook shows the picture. Nothing of matplotlib's global state is read into or changed; no figure
        stays open.

    Raises
    ------
    InputError
        `missing-file` without boundaries, `output-locked`.
    """
    numbers = numbers_of(values, geography)
    drawn = polygons(geography)
    chosen = classify(numbers.to_numpy(), method=classes, n=n_classes, centre=centre)
    here = numbers.reindex(drawn.index).to_numpy()
    panel, legend = of_classes(
        here, chosen, unit=unit, doubtful=_flags(unreliable, drawn.index), doubt=doubt,
        reliability=None if reliability is None else reliability.reindex(drawn.index).fillna("").to_numpy(object),
    )  # fmt: skip
    sheet = Sheet(title, subtitle, foot_of(geography, attribution))
    return save(lay_out(Outlines(drawn, geography, outlines), [panel], legend, sheet), path, formats)


def draw_change(
    values: pd.Series, geography: Geography, path: str | Path, *, title: str, unit: str, lower: pd.Series | None = None,
    upper: pd.Series | None = None, **more,
) -> Drawing:  # fmt: skip
    """Draw a change, or a difference: orange below nought, purple above, the middle class around it.

    Parameters
    ----------
    values : pandas.Series
        Change by zone.
    geography, path, title, unit
        As `draw_map`; so are `more` arguments.
    lower, upper : pandas.Series, optional
        Interval of the change by zone: where it holds nought, the zone is faded and hatched, since whether it rises or falls is
        not known.

    Returns
    -------
    Drawing
        As `draw_map`.
    """
    if lower is not None and upper is not None:
        more = {"unreliable": (lower <= 0) & (upper >= 0), "doubt": "rise or fall not known", **more}
    return draw_map(values, geography, path, title=title, unit=unit, centre=0.0, **more)


def draw_multiples(
    values: pd.DataFrame | Mapping[str, pd.Series],
    geography: Geography,
    path: str | Path,
    *,
    title: str,
    unit: str,
    subtitle: str = "",
    classes: str = "quantile",
    n_classes: int = 5,
    centre: float | None = None,
    outlines: str | None = "auto",
    attribution: str | None = None,
    formats: Sequence[str] = ("png", "svg"),
    columns: int | None = None,
    unreliable: pd.DataFrame | None = None,
) -> Drawing:
    """Draw small multiples: the same zones once a column, all in one scale, so that colours can be compared between them.

    Parameters
    ----------
    values : pandas.DataFrame or mapping of str to pandas.Series
        A column, or an entry, a map: its title and its number by zone code. At most 12.
    geography, path, title, unit, subtitle, classes, n_classes, centre, outlines, attribution, formats
        As `draw_map`; the classes divide the values of all maps together.
    columns : int, optional
        Maps side by side.
    unreliable : pandas.DataFrame, optional
        True by zone and column where the number should not be used by itself.

    Returns
    -------
    Drawing
        As `draw_map`.

    Raises
    ------
    ValueError
        Without a column, or with more than 12.
    """
    frame = pd.DataFrame(dict(values))
    if not 1 <= frame.shape[1] <= 12:
        raise ValueError(f"small multiples are 1 to 12 maps, not {frame.shape[1]}")
    drawn = polygons(geography)
    numbers = {name: numbers_of(frame[name], geography) for name in frame}
    together = classify(np.concatenate([n.to_numpy() for n in numbers.values()]), method=classes, n=n_classes, centre=centre)
    flags = {name: _flags(None if unreliable is None else unreliable[name], drawn.index) for name in frame}
    panels = [
        of_classes(n.reindex(drawn.index).to_numpy(), together, title=str(name), unit=unit, doubtful=flags[name])[0]
        for name, n in numbers.items()
    ]
    everything = np.concatenate([n.reindex(drawn.index).to_numpy() for n in numbers.values()])
    doubtful = np.concatenate([np.zeros(len(drawn), bool) if f is None else f for f in flags.values()])
    _, legend = of_classes(everything, together, unit=unit, doubtful=doubtful, count=False)
    sheet = Sheet(title, subtitle, foot_of(geography, attribution))
    return save(lay_out(Outlines(drawn, geography, outlines), panels, legend, sheet, columns), path, formats)


def draw_pair(
    estimate: pd.Series,
    half_width: pd.Series,
    geography: Geography,
    path: str | Path,
    *,
    title: str,
    unit: str,
    width_unit: str | None = None,
    subtitle: str = "",
    level: float = 0.9,
    outlines: str | None = "auto",
    attribution: str | None = None,
    formats: Sequence[str] = ("png", "svg"),
    centre: float | None = None,
    unreliable: pd.Series | None = None,
) -> Drawing:
    """Draw an estimate and beside it how sure it is: half the length of its interval, each with a scale of its own.

    Parameters
    ----------
    estimate, half_width : pandas.Series
        By zone code.
    geography, path, title, unit, subtitle, outlines, attribution, formats, centre, unreliable
        As `draw_map`.
    width_unit : str, optional
        Unit of the half-widths where it is another, such as 'points of per cent' beside '% of people'.
    level : float
        Coverage of the intervals.

    Returns
    -------
    Drawing
        As `draw_map`.
    """
    drawn = polygons(geography)
    numbers, widths = numbers_of(estimate, geography), numbers_of(half_width, geography)
    here, around = numbers.reindex(drawn.index).to_numpy(), widths.reindex(drawn.index).to_numpy()
    said = f"± of the {100 * level:g} % interval"
    told = classify(numbers.to_numpy(), centre=centre)
    left = of_classes(here, told, title="Estimate", unit=f"Estimate, {unit}", doubtful=_flags(unreliable, drawn.index))
    sure = classify_widths(widths.to_numpy(), told, n=4)
    right = of_classes(around, sure, title=f"How sure: {said}", unit=f"{said}, {width_unit or unit}")
    sheet = Sheet(title, subtitle, foot_of(geography, attribution))
    lines = Outlines(drawn, geography, outlines)
    return save(lay_out(lines, [left[0], right[0]], [*left[1], *right[1]], sheet, 2), path, formats)


def render_map(
    values: pd.Series, geography: Geography, *, title: str, unit: str, shapes=None, dpi: int = 130,
    unreliable: pd.Series | None = None, centre: float | None = None,
) -> bytes:  # fmt: skip
    """Return the PNG of the same map for a page, without a line at its foot; `shapes` are polygons read before, in metres."""
    numbers = numbers_of(values, geography)
    shapes = polygons(geography) if shapes is None else shapes
    chosen, doubtful = classify(numbers.to_numpy(), centre=centre), _flags(unreliable, shapes.index)
    panel, legend = of_classes(numbers.reindex(shapes.index).to_numpy(), chosen, unit=unit, doubtful=doubtful)
    figure = lay_out(Outlines(shapes, geography, "auto"), [panel], legend, Sheet(title, "", ""))
    buffer = BytesIO()
    _save(figure, buffer, "png", dpi)
    return buffer.getvalue()


def attribution_of(zones: pd.Index) -> str:
    """Return the line under a map: whose data it is, where official zone codes ask for that, and that it is an estimate."""
    return f"{sources_of(zones)} {_OURS}".strip()


def sources_of(zones: pd.Index) -> str:
    """Return whose data official zone codes (E01000001, W01000001, S01006506) stand for; '' where most codes are of others."""
    official = pd.Series(zones.astype(str)).str.fullmatch(OFFICIAL_CODE).mean() if len(zones) else 0.0
    return _SOURCES if official > 0.5 else ""


def numbers_of(values: pd.Series, geography: Geography) -> pd.Series:
    """Return the numbers in the geography's order, NaN where there is none. Raises ValueError for two of one zone."""
    if not values.index.is_unique:
        raise ValueError("values must have one row a zone")
    return values.reindex(geography.codes).astype("float64")


def save(figure, path: str | Path, formats: Sequence[str]) -> Drawing:
    """Write a figure in each format, all or none; with an ending in `path` in that format alone."""
    path = Path(path)
    if path.suffix.lower() in (".png", ".svg"):
        path, formats = path.with_suffix(""), (path.suffix[1:].lower(),)
    targets = [path.with_name(f"{path.name}.{kind}") for kind in formats]
    with replacing_all(*targets) as temporaries:
        for temporary, kind in zip(temporaries, formats, strict=True):
            _save(figure, temporary, kind)
    return Drawing(targets)


def _flags(flagged: pd.Series | None, zones: pd.Index) -> np.ndarray | None:
    return None if flagged is None else flagged.reindex(zones, fill_value=False).fillna(False).to_numpy(bool)


def foot_of(geography: Geography, attribution: str | None) -> str:
    """Return the line at a map's foot: as asked, or what its zones ask for."""
    return attribution_of(geography.codes) if attribution is None else attribution


def _save(figure, target, kind: str, dpi: int = 200) -> None:
    """Write the figure. The time of making is left out of the file, so that the same map gives the same bytes."""
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    figure.savefig(target, format=kind, dpi=dpi, metadata=metadata, facecolor="#ffffff")
