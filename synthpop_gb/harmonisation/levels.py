"""Tables of parent levels: told from those of zones, taken for whole areas, and moved to what their zones' tables add up to.

A table of MSOAs beside tables of LSOAs binds the LSOAs of each MSOA together. Where it counts something that the zones' tables
count too (their total, their ages), the zones' sums and the area's own count must agree before people can meet both; perturbed
tables do not. Levels are settled from the finest up, each moved to the sums of what is settled below it, by the same unbiased
draw that settles the tables of one zone (`reconcile`), so that whole numbers can nest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from synthpop_gb.aligned import AlignedLevel, AlignedTable
from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.errors import Finding, finding
from synthpop_gb.geography import Geography
from synthpop_gb.harmonisation._words import listed, nearest, number
from synthpop_gb.harmonisation.cells import Draft
from synthpop_gb.harmonisation.check import check_donors, check_nested
from synthpop_gb.harmonisation.counts import Prepared, prepare
from synthpop_gb.harmonisation.reconcile import settle_drafts
from synthpop_gb.harmonisation.resolve import Request, resolve
from synthpop_gb.harmonisation.view import View
from synthpop_gb.harmonisation.zones import among

__all__ = ["Above", "Place", "look_above", "settle_above"]

_OF_ZONES = ("few-records", "empty-zone", "perturbed", "structural-clash")  # said of the zones already, or of no use for areas


@dataclass(frozen=True, eq=False)
class Place:
    """Areas of one level: name, codes, and the area (position) of each zone of the study, -1 for none."""

    name: str
    areas: pd.Index
    of_zone: np.ndarray


@dataclass(frozen=True, eq=False)
class Above:
    """What a study asks for above its zones.

    own : tables of the zones themselves, by name. places : the levels asked for, the finest first. requests, prepared : as those
    of zones, each request with its level.
    """

    own: dict[str, BenchmarkTable]
    places: tuple[Place, ...]
    requests: list[Request]
    prepared: dict[str, Prepared]


def look_above(
    tables: Mapping[str, BenchmarkTable],
    geography: Geography,
    area: Geography,
    levels: Mapping[str, Sequence[str]] | None,
    held_out: Mapping[str, Sequence[str]] | None,
) -> tuple[Above, list[Finding]]:
    """Find the tables of every level asked for, and the areas that lie wholly in the study area.

    A table is of the level that it says (`BenchmarkTable.level`), else of that whose codes its rows have. One that says a level
    and has rows of zones is added up with the lookup.

    Returns findings: 'study-reference' (no such level or table), 'no-parent', 'partial-area', 'added-up', those of `prepare`.
    """
    levels, held_out = dict(levels or {}), dict(held_out or {})
    findings: list[Finding] = []
    level_of = {name: _level(table, geography, [*levels, *held_out]) for name, table in tables.items()}
    own = {name: tables[name] for name, level in level_of.items() if level is None}
    above = Above(own, (), [], {})
    places = []
    for level in dict.fromkeys([*levels, *held_out]):
        if level not in geography.parents:
            message = f"The lookup has no parent level {level!r}.{nearest(level, geography.parents)}"
            findings.append(finding("study-reference", message, place=f"levels.{level}"))
            continue
        place, said = _place(level, geography, area)
        findings += said
        mine = {name: tables[name] for name, its in level_of.items() if its == level}
        requests, said = resolve(mine, levels.get(level, ()), held_out.get(level, ()))
        findings += [_of_level(f, level) for f in said if f.code != "study-missing" or level in levels]
        if not len(place.areas):
            continue
        places.append(place)
        for request in requests:
            above.requests.append(replace(request, level=level))
            if request.table not in above.prepared:
                table, said = _added_up(mine[request.table], level, geography, place.areas)
                codes = pd.Index(geography.zones[level].dropna().unique())
                above.prepared[request.table], more = prepare(table, place.areas, codes)
                findings += said + [_of_areas(f, level) for f in more]
    order = sorted(range(len(places)), key=lambda i: (-_n_areas(geography, places[i].name), i))
    return replace(above, places=tuple(places[i] for i in order)), findings


def _of_level(item: Finding, level: str) -> Finding:
    """Say at which level nothing was found, and how a table of zones comes to serve it."""
    message = item.message.replace("No table counts", f"No table of {level} counts", 1)
    remedy = item.remedy if message == item.message else (
        f'Add the table of {level}; or list a table of zones once more, with level = "{level}": it is added up with the lookup.'
    )  # fmt: skip
    return replace(item, message=message, place=f"levels.{level}", remedy=remedy)


def _of_areas(item: Finding, level: str) -> Finding:
    """Call the areas of a level what they are, where a table lacks some."""
    if item.code != "missing-zone":
        return item
    message = item.message.replace(" zones of the study", f" areas of {level}").replace(" zones asked for", f" areas of {level}")
    remedy = f"Supply the rows, or leave the table out of levels.{level}."
    return replace(item, message=message, why="The zones of an area without a row are bound by nothing there.", remedy=remedy)


def _n_areas(geography: Geography, level: str) -> int:
    return int(geography.zones[level].nunique())


def _level(table: BenchmarkTable, geography: Geography, asked: Sequence[str]) -> str | None:
    """Level of a table: what it says, else the one asked for whose codes it has and whose zones' it has not; None = zones."""
    if table.level is not None:
        return table.level
    if not asked or not len(table.counts) or among(table.counts.index, geography.codes).any():
        return None
    for level in asked:
        if level in geography.parents:
            codes = pd.Index(geography.zones[level].dropna().astype(str).unique())
            if among(table.counts.index.astype(str), codes).any():
                return level
    return None


def _place(level: str, geography: Geography, area: Geography) -> tuple[Place, list[Finding]]:
    """Areas of a level all of whose zones are in the study, in the order of their codes."""
    findings = []
    every, mine = geography.zones[level], area.zones[level]
    orphans = area.codes[mine.isna()]
    if len(orphans):
        message = f"{number(len(orphans), 'zone lies', 'zones lie')} in no {level} of the lookup: {listed(orphans)}."
        rows = pd.DataFrame({"zone": orphans})
        findings.append(finding("no-parent", message, place=f"levels.{level}", count=len(orphans), rows=rows))
    inside = mine.dropna().astype(str).value_counts()
    whole = every[~every.index.duplicated()].dropna().astype(str).value_counts().reindex(inside.index)
    partial = inside.index[(inside < whole).to_numpy()].sort_values()
    if len(partial):
        rows = pd.DataFrame({"area": partial, "zones": inside[partial].to_numpy(), "of": whole[partial].to_numpy()})
        first = rows.iloc[0]
        areas = number(len(partial), f"area of {level} lies", f"areas of {level} lie")
        message = f"{areas} only partly in the study area ({first.zones} of {first.of} zones of {first.area})."
        findings.append(finding("partial-area", message, place=f"levels.{level}", count=len(partial), rows=rows))
    areas = inside.index[(inside == whole).to_numpy()].sort_values().rename(level)
    of_zone = areas.get_indexer(
        pd.Index(mine.astype(object).where(mine.notna(), None).map(lambda c: None if c is None else str(c)))
    )
    return Place(level, areas, of_zone.astype(np.int32)), findings


def _added_up(table: BenchmarkTable, level: str, geography: Geography, areas: pd.Index) -> tuple[BenchmarkTable, list[Finding]]:
    """Add up a table whose rows are zones; areas of which a zone's row is missing are left out."""
    if table.level is None or not among(table.counts.index, geography.codes).any():
        return table, []
    parent = geography.zones[level]
    parent = parent[~parent.index.duplicated()].dropna().astype(str)
    parent = parent[parent.isin(areas)]
    rows = table.counts[~table.counts.index.duplicated()]
    known = parent[parent.index.isin(rows.index)]
    complete = known.value_counts().reindex(parent.value_counts().index, fill_value=0) == parent.value_counts()
    known = known[known.map(complete).to_numpy()]
    counts = rows.loc[known.index].groupby(known.to_numpy()).sum(min_count=1)
    areas = number(len(counts), f"area of {level}", f"areas of {level}")
    message = f"{table.name}: {number(len(known), 'row')} of zones added up to {areas}."
    error, errors = table.standard_error * float(np.sqrt(len(known) / max(len(counts), 1))), None  # the mean number of zones
    if table.errors is not None:
        own = table.errors[~table.errors.index.duplicated()].reindex(known.index).fillna(0.0)
        errors = np.sqrt((own**2).groupby(known.to_numpy()).sum())  # noise of zones is independent
        error = float(errors.to_numpy().max(initial=0.0))
    said = finding("added-up", message, place=table.name, count=len(counts))
    return replace(table, counts=counts.rename_axis("zone"), total=None, standard_error=error, errors=errors), [said]


def settle_above(
    view: View, places: Sequence[Place], zones: pd.Index, settled: Sequence[np.ndarray], seed: int
) -> tuple[tuple[AlignedLevel, ...], list[Finding]]:
    """Move the tables of every level to what is settled below them, the finest level first, and compare them with the survey.

    zones : codes; settled : the zones' settled targets, (n_zones, n_cells) each, in the order of the view's constraints.

    Returns the levels and findings: 'level-mismatch', 'empty-cell', 'thin-donors', 'structural-clash' (with what is below, too).
    """
    usable = view.usable()
    weight, unit = view.weight[usable], None if view.homes is None else view.homes.unit[usable]
    below = [(np.arange(len(zones)), view.constraints, list(settled))]
    made, findings = [], []
    for place in places:
        fitted = [d for d in view.drafts if d.request.level == place.name and not d.request.held_out]
        kept = [d for d in view.drafts if d.request.level == place.name and d.request.held_out]
        targets, changes = [d.published for d in fitted], pd.DataFrame()
        if fitted:
            fixed, sums = _sums(below, place)
            cells = [d.record_cell[usable] for d in fitted]
            shares = [np.bincount(c[c >= 0], weight[c >= 0], minlength=len(d.cells)) for c, d in zip(cells, fitted, strict=True)]
            drafts = [replace(d, published=s) for d, s in zip(fixed, sums, strict=True)]
            found, said = settle_drafts(
                [*drafts, *fitted], place.areas, view.survey.variables, [*sums, *shares], seed=seed, settled=len(drafts),
                code="level-mismatch", place=f"area of {place.name}", places=f"areas of {place.name}",
            )  # fmt: skip
            targets, changes = found.targets[len(drafts) :], found.changes
            said += check_donors(fitted, targets, cells, weight, place.areas, unit)
            findings += [f for f in said if f.code not in _OF_ZONES]
            lower = [d.record_cell[usable] for d in fixed]
            findings += check_nested([*fixed, *fitted], [*sums, *targets], [*lower, *cells], place.areas, place.name)
            below.append((place.of_zone, fitted, targets))
        tables = [
            _finished(d, t, place.areas, view, usable)
            for d, t in zip([*fitted, *kept], [*targets, *(d.published for d in kept)], strict=True)
        ]
        made.append(
            AlignedLevel(
                place.name, place.areas, place.of_zone, tuple(tables[: len(fitted)]), tuple(tables[len(fitted) :]), changes
            )
        )
    return tuple(made), findings


def _sums(below, place: Place) -> tuple[list[Draft], list[np.ndarray]]:
    """Add up what is settled below to the areas of a level: zones, and levels whose areas nest in it wholly."""
    fixed, sums = [], []
    bound = place.of_zone >= 0
    for of_zone, drafts, targets in below:
        if (of_zone[bound] < 0).any():
            continue
        pairs = pd.DataFrame({"lower": of_zone[bound], "upper": place.of_zone[bound]}).drop_duplicates()
        outside = np.isin(pairs["lower"], of_zone[~bound])
        if pairs["lower"].duplicated().any() or outside.any():
            continue
        for draft, target in zip(drafts, targets, strict=True):
            total = np.zeros((len(place.areas), target.shape[1]))
            np.add.at(total, pairs["upper"].to_numpy(), target[pairs["lower"].to_numpy()])
            fixed.append(draft)
            sums.append(total)
    return fixed, sums


def _finished(draft: Draft, targets: np.ndarray, areas: pd.Index, view: View, usable: np.ndarray) -> AlignedTable:
    published = pd.DataFrame(draft.published, index=areas, columns=draft.cells)
    new = published if targets is draft.published else pd.DataFrame(targets, index=areas, columns=draft.cells)
    return AlignedTable(
        draft.name, draft.request.variables, draft.categories, new, draft.record_cell[usable], draft.universe,
        draft.standard_error, published, draft.merged, draft.source, draft.year, view.tables[draft.source].source, draft.errors,
    )  # fmt: skip
