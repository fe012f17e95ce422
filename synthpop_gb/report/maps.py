"""Static maps: a choropleth as PNG and SVG that can stand in a paper without a word beside it."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pandas as pd

from synthpop_gb.atomic import replacing
from synthpop_gb.export import polygons
from synthpop_gb.geography import Geography
from synthpop_gb.geography.classes import classify
from synthpop_gb.report._sheet import Sheet, lay_out

__all__ = ["OFFICIAL", "attribution_of", "draw_map", "render_map"]

_OURS = "Synthetic estimates made with synthpop_gb."
OFFICIAL = f"Contains National Statistics data and OS data © Crown copyright and database right. {_OURS}"
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
) -> list[Path]:
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
        'quantile' or 'equal' steps; see `classes.classify`, also for `n_classes` and `centre`.
    outlines : str or None
        Parent level whose borders are drawn on top; 'auto' takes the first with 2 to 400 areas of 5 zones or more on average.
    attribution : str, optional
        Line at the foot; by default what official zone codes ask for.
    formats : sequence of str
        'png' (200 dots an inch) and 'svg'.
    unreliable : pandas.Series, optional
        True by zone where the number should not be used by itself: these zones are faded and hatched, and the legend says so.

    Returns
    -------
    list of Path
        The files. Nothing of matplotlib's global state is read into or changed; no figure stays open.

    Raises
    ------
    InputError
        `missing-file` without boundaries, `output-locked`.
    """
    path = Path(path)
    if path.suffix.lower() in (".png", ".svg"):
        path, formats = path.with_suffix(""), (path.suffix[1:].lower(),)
    numbers = _of(values, geography)
    chosen = classify(numbers.to_numpy(), method=classes, n=n_classes, centre=centre)
    sheet = Sheet(title, unit, subtitle, attribution_of(geography.codes) if attribution is None else attribution)
    figure = lay_out(polygons(geography), numbers, geography, chosen, sheet, outlines, unreliable)
    written = []
    for kind in formats:
        target = path.with_name(f"{path.name}.{kind}")
        with replacing(target) as temporary:
            _save(figure, temporary, kind)
        written.append(target)
    return written


def render_map(values: pd.Series, geography: Geography, *, title: str, unit: str, shapes=None, dpi: int = 130) -> bytes:
    """Return the PNG of the same map for a page, without a line at its foot; `shapes` are polygons read before, in metres."""
    numbers = _of(values, geography)
    shapes = polygons(geography) if shapes is None else shapes
    figure = lay_out(shapes, numbers, geography, classify(numbers.to_numpy()), Sheet(title, unit, "", ""), "auto")
    buffer = BytesIO()
    _save(figure, buffer, "png", dpi)
    return buffer.getvalue()


def attribution_of(zones: pd.Index) -> str:
    """Return the line that official zone codes (E01000001, W01000001, S01006506) ask for; nothing for other places."""
    official = pd.Series(zones.astype(str)).str.fullmatch(r"[EWSNK]\d{8}").mean() if len(zones) else 0.0
    return OFFICIAL if official > 0.5 else _OURS


def _of(values: pd.Series, geography: Geography) -> pd.Series:
    """Return the numbers in the geography's order, NaN where there is none."""
    if not values.index.is_unique:
        raise ValueError("values must have one row a zone")
    return values.reindex(geography.codes).astype("float64")


def _save(figure, target, kind: str, dpi: int = 200) -> None:
    """Write the figure. The time of making is left out of the file, so that the same map gives the same bytes."""
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    figure.savefig(target, format=kind, dpi=dpi, metadata=metadata, facecolor="#ffffff")
