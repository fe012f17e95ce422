"""Files of a map: which formats there are, where they go, pictures and layers of one figure by zone written into them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.errors import Finding, finding
from synthpop_gb.indicators import UNRELIABLE, Indicators

__all__ = [
    "BESIDE",
    "FORMATS",
    "PICTURES",
    "USUAL",
    "check_formats",
    "directed",
    "figures_of",
    "slug",
    "stem_of",
    "write_layers",
    "write_map",
]

FORMATS = {
    "png": ".png", "svg": ".svg", "gpkg": ".gpkg", "geoparquet": ".geo.parquet", "geojson": ".geojson", "pmtiles": ".pmtiles",
}  # fmt: skip
"""What maps are written as: format and ending."""

USUAL = ("png", "svg", "gpkg", "geoparquet")
"""What they are written as where nobody asks for others."""

PICTURES = ("png", "svg")

BESIDE = ("estimate", "standard_error", "lower", "upper", "half_width", "n_eff", "donors", "largest_donor", "reliability")
"""Columns of indicators that stand beside the counts of the same share."""

_EITHER = "rise or fall not known"


def check_formats(formats: Sequence[str]) -> list[Finding]:
    """Say which formats there are not: `study-value`."""
    unknown = [f for f in formats if f not in FORMATS]
    remedy = f"Use {', '.join(FORMATS)}."
    found = [finding("study-value", f"Maps are not written as {f!r}.", place="format", remedy=remedy) for f in unknown]
    return found or ([] if formats else [finding("study-value", "No format is named.", place="format", remedy=remedy)])


def figures_of(found: Indicators, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Figures by area, with half the length of the interval."""
    frame = found.frame.set_index(found.place)
    frame.insert(list(frame.columns).index("upper") + 1, "half_width", (frame["upper"] - frame["lower"]) / 2)
    return frame if columns is None else frame[list(columns)]


def write_map(
    frame: pd.DataFrame, aligned: Aligned, stem: Path, *, title: str, fields, show: str, areas, level: float | None,
    how_sure: bool, formats: Sequence[str], subtitle: str = "", change: bool = False,
) -> list[Path]:  # fmt: skip
    """Write pictures and layers of one figure by zone.

    frame : by zone, the column `show` and, where there are intervals, those of `figures_of`; fields : a `Field` by column;
    areas : such frames by parent level, for a GeoPackage; level : coverage of intervals, None without; change : colours diverge
    around nought. Returns the files, pictures first.
    """
    from synthpop_gb.report import draw_change, draw_map, draw_pair

    pictures = [f for f in formats if f in PICTURES]
    field, drawn = fields[show], []
    value = field.scale * frame[show]
    doubtful = frame["reliability"] == "unreliable" if "reliability" in frame else None
    hatched = f"Hatched: {UNRELIABLE}" if doubtful is not None and doubtful.any() else ""
    if pictures and change:
        drawn += draw_change(value, aligned.geography, stem, title=title, unit=field.legend, subtitle=subtitle, formats=pictures,
                             lower=frame["lower"], upper=frame["upper"])  # fmt: skip
    elif pictures:
        drawn += draw_map(value, aligned.geography, stem, title=title, unit=field.legend, formats=pictures,
                          unreliable=doubtful, subtitle=f"{subtitle} {hatched}".strip())  # fmt: skip
    if pictures and how_sure and "half_width" in frame:
        width = fields["half_width"]
        drawn += draw_pair(
            value, width.scale * frame["half_width"], aligned.geography, stem.with_name(f"{stem.name}-how-sure"), title=title,
            unit=field.legend, width_unit=width.legend, level=level, unreliable=doubtful, subtitle=hatched, formats=pictures,
            centre=0.0 if change else None,
        )  # fmt: skip
    shown = [show, *(["half_width"] if "half_width" in frame else [])]
    hatch = ("direction", _EITHER) if change else ("reliability", "unreliable")
    more = {"areas": areas, "hatch": hatch}
    return drawn + write_layers(frame, aligned, stem, formats, fields=fields, show=shown, title=title, **more)


def directed(frame: pd.DataFrame) -> pd.DataFrame:
    """Say of each change whether it is a rise or a fall, as far as its interval tells."""
    words = np.select([frame["lower"] > 0, frame["upper"] < 0, frame["estimate"].notna()], ["rise", "fall", _EITHER], "")
    return frame.assign(direction=words)


def write_layers(
    frame: pd.DataFrame, aligned: Aligned, stem: Path, formats, *, fields, show, title: str, areas=None, **more
) -> list[Path]:
    """Write the files of `formats` that hold polygons: arguments as `write_map` has them, `more` of `export.geopackage`."""
    from synthpop_gb.export import geopackage
    from synthpop_gb.report.maps import attribution_of

    more |= {"fields": fields, "show": show, "parents": areas, "about": f"{title}. {attribution_of(aligned.zones)}"}
    wanted = [stem.with_name(stem.name + FORMATS[f]) for f in formats if f not in PICTURES]
    return [geopackage(frame, aligned.geography, path, **more) for path in wanted]


def stem_of(output: str | Path | None, folder: Path, what: str) -> Path:
    """Path of a map's files without ending: as asked, or in the run's folder `maps`."""
    stem = Path(output) if output else folder / "maps" / slug(what)
    for ending in FORMATS.values():
        if stem.name.lower().endswith(ending):
            return stem.with_name(stem.name[: -len(ending)])
    return stem.with_suffix("") if stem.suffix.lower() == ".parquet" else stem


_SPOKEN = ((">=", " from "), ("<=", " up to "), ("!=", " not "), ("==", " "), ("<", " below "), (">", " above "), ("=", " "))


def slug(text: str) -> str:
    """File name of any condition: letters, digits and hyphens; two conditions share one only if they say the same.

    >>> slug("health in ('bad', 'very bad')"), slug("age >= 65"), slug("age < 65")
    ('health-in-bad-very-bad', 'age-from-65', 'age-below-65')
    """
    spoken = text
    for sign, word in _SPOKEN:
        spoken = spoken.replace(sign, word)
    name = re.sub(r"[^a-z0-9]+", "-", spoken.lower()).strip("-") or "map"
    return name if len(name) <= 60 else f"{name[:50].strip('-')}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
