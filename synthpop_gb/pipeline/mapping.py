"""Maps of figures by zone: pictures, and files that QGIS, code and web maps open; of shares, indicators and changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb import run_folder
from synthpop_gb.aligned import Aligned
from synthpop_gb.errors import Finding, InputError, finding, refuse
from synthpop_gb.indicators import Indicators, parse_condition, share_by_zone
from synthpop_gb.pipeline.map_files import (
    BESIDE,
    PICTURES,
    USUAL,
    check_formats,
    directed,
    figures_of,
    stem_of,
    write_layers,
    write_map,
)
from synthpop_gb.spec.model import MapRequest

__all__ = [
    "check_boundaries", "check_drawable", "draw", "draw_across", "draw_against", "draw_indicator", "draw_wanted", "map_findings",
]  # fmt: skip


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


def map_findings(wanted: MapRequest, aligned: Aligned, *, replicates: bool) -> list[Finding]:
    """Say why a map cannot be drawn: conditions and variables that mean nothing, intervals that there are not, no boundaries."""
    found = check_boundaries(aligned)
    for condition in filter(None, (wanted.indicator, wanted.against)):
        found += _tried(lambda c=condition: parse_condition(c).matches(aligned))
    if wanted.across is not None:
        found += _tried(lambda: _categories(wanted.across, aligned))
    if wanted.against is not None and wanted.across is not None:
        remedy = "Ask for two maps."
        found.append(finding("study-value", "A map is against a second condition or across a variable, not both.", remedy=remedy))
    if wanted.how_sure and not replicates:
        message = "There are no replicates, so figures have no intervals and nothing says how sure they are."
        found.append(finding("study-missing", message, place="replicates", remedy="Run the study with `replicates = 40`."))
    return found


def _tried(what: Callable) -> list[Finding]:
    try:
        what()
    except InputError as error:
        return list(error.findings)
    return []


def _categories(variable: str, aligned: Aligned) -> tuple[pd.Categorical, list[str]]:
    """Category of each record of a variable, and those that there are. Raises InputError (`bad-condition`) for over twelve."""
    from synthpop_gb.indicators.question import labels_of

    labels = labels_of(variable, aligned)
    used = [c for i, c in enumerate(labels.categories) if (labels.codes == i).any()]
    if len(used) > 12:
        message = f"{variable} has {len(used)} categories: more maps than a sheet holds."
        raise InputError([finding("bad-condition", message, remedy="Name a variable with twelve categories or fewer.")])
    return labels, used


def draw_wanted(
    folder: Path,
    aligned: Aligned,
    wanted: MapRequest,
    *,
    output: str | Path | None = None,
    shares: Callable[[str], Indicators] | None = None,
    levels: Sequence[str] = (),
) -> list[Path]:
    """Draw a map as a study or a command asks for it; returns the files.

    shares : gives the share with its intervals by 'zone' or a level, where there are replicates; levels : those that a
    GeoPackage's layers are to have intervals of.
    """
    second = f" against {wanted.against}" if wanted.against else f" across {wanted.across}" if wanted.across else ""
    stem, title, formats = stem_of(output, folder, wanted.indicator + second), wanted.title, wanted.formats
    if wanted.against is not None:
        return draw_against(folder, aligned, wanted.indicator, wanted.against, stem, title=title, formats=formats)
    if wanted.across is not None:
        return draw_across(folder, aligned, wanted.indicator, wanted.across, stem, title=title, formats=formats)
    found = None if shares is None else shares("zone")
    parents = {p: shares(p) for p in levels} if shares is not None and "gpkg" in formats else {}
    return draw(folder, aligned, wanted.indicator, title=title, output=stem, found=found, parents=parents,
                how_sure=wanted.how_sure, formats=formats)  # fmt: skip


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
        shares = shares.join(figures_of(found, BESIDE))
        areas = {p: a.join(figures_of(parents[p], BESIDE)) if parents and p in parents else a for p, a in areas.items()}
    return write_map(
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
    frame, areas = figures_of(found), {level: figures_of(p) for level, p in (parents or {}).items()}
    if change:
        frame, areas = directed(frame), {level: directed(a) for level, a in areas.items()}
    said = f"Median ± {_half_width(found)} ({100 * found.level:g} %)."
    return write_map(
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
    from synthpop_gb.report import draw_multiples

    labels, used = _categories(variable, aligned)
    shares = {c: _shares(folder, aligned, indicator, np.asarray(labels == c)) for c in used}
    frame = pd.DataFrame({c: s["share"] for c, s in shares.items()})
    spoken = variable.replace("_", " ")
    heading, unit = title or f"{indicator}, by {spoken}", f"% of the people of each {spoken}"
    pictures, drawn = [f for f in formats if f in PICTURES], []
    if pictures:
        drawn = draw_multiples(100 * frame, aligned.geography, stem, title=heading, unit=unit, formats=pictures)
    fields = {c: Field(str(c), "share of its people", indicator, 100.0, unit) for c in used}
    return [*drawn, *write_layers(frame, aligned, stem, formats, fields=fields, show=used, title=heading)]


def draw_against(
    folder: Path, aligned: Aligned, first: str, second: str, stem: Path, *, title: str | None, formats: Sequence[str]
) -> list[Path]:
    """Draw the shares of people who meet two conditions in one map of nine colours."""
    from synthpop_gb.export import Field
    from synthpop_gb.report import draw_bivariate

    both = [_shares(folder, aligned, c)["share"] for c in (first, second)]
    pictures = [f for f in formats if f in PICTURES]
    heading, drawn = title or f"{first}; {second}", []
    if pictures:
        drawn = list(draw_bivariate(100 * both[0], 100 * both[1], aligned.geography, stem, title=heading, labels=(first, second),
                                    units=("% of people", "% of people"), formats=pictures))  # fmt: skip
    frame = pd.DataFrame({"first": both[0], "second": both[1]})
    fields = {n: Field(c, "share of people", "", 100.0, "% of people") for n, c in zip(frame, (first, second), strict=True)}
    return drawn + write_layers(frame, aligned, stem, formats, fields=fields, show=list(frame), title=heading)


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


def _half_width(found: Indicators) -> str:
    half = float((found.frame["upper"] - found.frame["lower"]).median() / 2)
    return f"{100 * half:.1f} points" if found.question.measure == "share" else f"{half:,.3g}"
