"""Maps of figures by zone: pictures, and files that QGIS, code and web maps open; of shares, indicators and changes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb import run_folder
from synthpop_gb.aligned import Aligned
from synthpop_gb.errors import Finding, finding, refuse
from synthpop_gb.indicators import UNRELIABLE, Indicators, parse_condition, share_by_zone

__all__ = [
    "FORMATS", "USUAL", "check_boundaries", "check_drawable", "check_formats", "draw", "draw_across", "draw_against",
    "draw_indicator", "slug", "stem_of",
]  # fmt: skip

FORMATS = {
    "png": ".png", "svg": ".svg", "gpkg": ".gpkg", "geoparquet": ".geo.parquet", "geojson": ".geojson", "pmtiles": ".pmtiles",
}  # fmt: skip
"""What maps are written as: format and ending."""

USUAL = ("png", "svg", "gpkg", "geoparquet")
"""What they are written as where nobody asks for others."""

_PICTURES = ("png", "svg")


def check_formats(formats: Sequence[str]) -> list[Finding]:
    """Say which formats there are not: `study-value`."""
    unknown = [f for f in formats if f not in FORMATS]
    remedy = f"Use {', '.join(FORMATS)}."
    found = [finding("study-value", f"Maps are not written as {f!r}.", place="format", remedy=remedy) for f in unknown]
    return found or ([] if formats else [finding("study-value", "No format is named.", place="format", remedy=remedy)])


def check_drawable(asked, aligned: Aligned) -> list[Finding]:
    """Say why a question, or a request for one, cannot be mapped: `study-value`, or `missing-file` without boundaries."""
    found = []
    if tuple(asked.by) != ("zone",):
        message = f"Only figures by zone, without groups, can be mapped; these are by {', '.join(asked.by) or 'nothing'}."
        found.append(finding("study-value", message, place="map", remedy="Ask by zone alone, or leave the map out."))
    return [*found, *check_boundaries(aligned)]


def check_boundaries(aligned: Aligned) -> list[Finding]:
    """`missing-file` where the study names no boundaries."""
    if aligned.geography.boundary_file is not None:
        return []
    message = "The study names no boundaries, so nothing can be drawn."
    return [finding("missing-file", message, place="zones.boundaries", remedy="Add `boundaries` under [zones].")]


def draw(
    folder: Path,
    aligned: Aligned,
    indicator: str,
    *,
    title: str | None = None,
    output: str | Path | None = None,
    found: Indicators | None = None,
    parents: Mapping[str, Indicators] | None = None,
    how_sure: bool = False,
    formats: Sequence[str] = USUAL,
) -> list[Path]:
    """Draw a share by zone from a run's written counts; see `after.map_run`.

    found, parents : the same share with its intervals, by zone and by level, where there are replicates.
    """
    from synthpop_gb.export import estimate_fields, share_fields

    refuse(check_boundaries(aligned))
    known = parse_condition(indicator).known(aligned)
    of = "people" if known.all() else "those of whom it is known"
    shares = _shares(folder, aligned, indicator)
    what = title or indicator
    fields, areas = share_fields(what, of), {}
    for level in aligned.geography.covering:
        areas[level] = _shares_of(shares, aligned.geography.zones[level])
    if found is not None:
        fields = {**estimate_fields(f"{what}, expected", f"share of {of}", share=True, level=found.level, of=of), **fields}
        shares = shares.join(_figures(found, _BESIDE))
        areas = {p: a.join(_figures(parents[p], _BESIDE)) if parents and p in parents else a for p, a in areas.items()}
    return _written(
        shares, aligned, stem_of(output, folder, indicator), title=what, fields=fields, show="share", areas=areas,
        level=None if found is None else found.level, how_sure=how_sure, formats=formats,
    )  # fmt: skip


def draw_indicator(
    found: Indicators,
    aligned: Aligned,
    stem: Path,
    *,
    title: str,
    parents: Mapping[str, Indicators] | None = None,
    change: bool = False,
    how_sure: bool = False,
    formats: Sequence[str] = USUAL,
) -> list[Path]:
    """Map indicators by zone, without groups; returns the files.

    Zones whose figure is unreliable are faded and hatched. A `change` diverges around nought, and zones of which it is not known
    whether they gain or lose are. `parents` fill the layers of a GeoPackage; `how_sure` adds a picture of the intervals' length.

    Raises
    ------
    InputError
        `missing-file` where the study names no boundaries, `study-value` where the figures are not by zone alone, or for an
        unknown format.
    """
    from synthpop_gb.export import estimate_fields

    refuse([*check_drawable(found.question, aligned), *check_formats(formats)])
    share, whom = found.question.measure == "share", found.question.whom
    centre = 0.0 if change else None
    fields = estimate_fields(title, found.unit, share=share, level=found.level, of=whom, centre=centre)
    frame, areas = _figures(found), {level: _figures(p) for level, p in (parents or {}).items()}
    if change:
        frame, areas = _directed(frame), {level: _directed(a) for level, a in areas.items()}
    said = f"Median ± {_half_width(found)} ({100 * found.level:g} %)."
    return _written(
        frame, aligned, stem, title=title, fields=fields, show="estimate", areas=areas, level=found.level, how_sure=how_sure,
        formats=formats, subtitle=said, change=change,
    )  # fmt: skip


def draw_across(
    folder: Path, aligned: Aligned, indicator: str, variable: str, stem: Path, *, title: str | None, formats: Sequence[str]
) -> list[Path]:
    """Draw the share among the people of each category of a variable: one map a category, all in one scale.

    Raises InputError (`bad-condition`) for an unknown variable, or one with more than twelve categories.
    """
    from synthpop_gb.export import Field
    from synthpop_gb.indicators.question import labels_of
    from synthpop_gb.report import draw_multiples

    labels = labels_of(variable, aligned)
    used = [c for i, c in enumerate(labels.categories) if (labels.codes == i).any()]
    if len(used) > 12:
        message = f"{variable} has {len(used)} categories: more maps than a sheet holds."
        refuse([finding("bad-condition", message, place="across", remedy="Name a variable with twelve categories or fewer.")])
    shares = {c: _shares(folder, aligned, indicator, np.asarray(labels == c)) for c in used}
    frame = pd.DataFrame({c: s["share"] for c, s in shares.items()})
    spoken = variable.replace("_", " ")
    heading, unit = title or f"{indicator}, by {spoken}", f"% of the people of each {spoken}"
    pictures, drawn = [f for f in formats if f in _PICTURES], []
    if pictures:
        drawn = draw_multiples(100 * frame, aligned.geography, stem, title=heading, unit=unit, formats=pictures)
    fields = {c: Field(str(c), "share of its people", indicator, 100.0, unit) for c in used}
    return [*drawn, *_layers(frame, aligned, stem, formats, fields=fields, show=used, title=heading)]


def draw_against(
    folder: Path, aligned: Aligned, first: str, second: str, stem: Path, *, title: str | None, formats: Sequence[str]
) -> list[Path]:
    """Draw the shares of people who meet two conditions in one map of nine colours."""
    from synthpop_gb.export import Field
    from synthpop_gb.report import draw_bivariate

    both = [_shares(folder, aligned, c)["share"] for c in (first, second)]
    pictures = [f for f in formats if f in _PICTURES]
    heading, drawn = title or f"{first}; {second}", []
    if pictures:
        drawn = list(draw_bivariate(100 * both[0], 100 * both[1], aligned.geography, stem, title=heading, labels=(first, second),
                                    units=("% of people", "% of people"), formats=pictures))  # fmt: skip
    frame = pd.DataFrame({"first": both[0], "second": both[1]})
    fields = {n: Field(c, "share of people", "", 100.0, "% of people") for n, c in zip(frame, (first, second), strict=True)}
    return drawn + _layers(frame, aligned, stem, formats, fields=fields, show=list(frame), title=heading)


def _written(
    frame: pd.DataFrame, aligned: Aligned, stem: Path, *, title: str, fields, show: str, areas, level: float | None,
    how_sure: bool, formats: Sequence[str], subtitle: str = "", change: bool = False,
) -> list[Path]:  # fmt: skip
    """Write pictures and layers of one figure by zone."""
    from synthpop_gb.report import draw_change, draw_map, draw_pair

    pictures = [f for f in formats if f in _PICTURES]
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
    return drawn + _layers(frame, aligned, stem, formats, fields=fields, show=shown, title=title, **more)


_EITHER = "gain or loss not known"


def _directed(frame: pd.DataFrame) -> pd.DataFrame:
    """Say of each change whether it is a gain or a loss, as far as its interval tells."""
    words = np.select([frame["lower"] > 0, frame["upper"] < 0, frame["estimate"].notna()], ["gain", "loss", _EITHER], "")
    return frame.assign(direction=words)


def _layers(
    frame: pd.DataFrame, aligned: Aligned, stem: Path, formats, *, fields, show, title: str, areas=None, **more
) -> list[Path]:
    """Write the files that hold polygons."""
    from synthpop_gb.export import geopackage
    from synthpop_gb.report.maps import attribution_of

    more |= {"fields": fields, "show": show, "parents": areas, "about": f"{title}. {attribution_of(aligned.zones)}"}
    wanted = [stem.with_name(stem.name + FORMATS[f]) for f in formats if f not in _PICTURES]
    return [geopackage(frame, aligned.geography, path, **more) for path in wanted]


def _shares(folder: Path, aligned: Aligned, indicator: str, among: np.ndarray | None = None) -> pd.DataFrame:
    """Count who meets a condition in each zone of a run; `among` : (n_records,) bool, those who are asked about."""
    condition = parse_condition(indicator)
    known = condition.known(aligned)
    known = known if among is None else known & among
    return share_by_zone(run_folder.read_counts(folder, aligned.records), condition.matches(aligned), aligned.zones, known)


def _shares_of(shares: pd.DataFrame, area: pd.Series) -> pd.DataFrame:
    """Add zones' counts up to areas."""
    counts = shares[["people", "known", "matching"]].groupby(area.reindex(shares.index).astype(str)).sum()
    return counts.assign(share=(counts["matching"] / counts["known"]).where(counts["known"] > 0))


_BESIDE = ("estimate", "standard_error", "lower", "upper", "half_width", "n_eff", "donors", "largest_donor", "reliability")
"""Columns of indicators that stand beside the counts of the same share."""


def _figures(found: Indicators, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Figures by area, with half the length of the interval."""
    frame = found.frame.set_index(found.place)
    frame.insert(list(frame.columns).index("upper") + 1, "half_width", (frame["upper"] - frame["lower"]) / 2)
    return frame if columns is None else frame[list(columns)]


def _half_width(found: Indicators) -> str:
    half = float((found.frame["upper"] - found.frame["lower"]).median() / 2)
    return f"{100 * half:.1f} points" if found.question.measure == "share" else f"{half:,.3g}"


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
