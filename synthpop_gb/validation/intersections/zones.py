"""The scan by zone: whole people against the fractional fit, against published joint tables, and all zones against the survey."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from synthpop_gb.aligned import AlignedTable
from synthpop_gb.checks import Checks
from synthpop_gb.coded import Coded
from synthpop_gb.errors import Finding, finding
from synthpop_gb.population import DonorCounts, Population
from synthpop_gb.validation.comparisons import table_names
from synthpop_gb.validation.intersections.judge import Reference
from synthpop_gb.validation.intersections.plan import Plan, make_plan
from synthpop_gb.validation.intersections.rules import Rule, make_rules
from synthpop_gb.validation.intersections.scan import report_on, scan
from synthpop_gb.validation.intersections.tallies import CrossTable, default_workers
from synthpop_gb.validation.intersections.words import group_sentence
from synthpop_gb.validation.intersections.zone_rows import combination_rows, zone_cell_rows, zone_scan_rows
from synthpop_gb.validation.intersections.zone_tallies import ByZone, FitRuler, TableRuler, layouts_of, zone_blocks
from synthpop_gb.validation.metrics import effective_number

__all__ = ["scan_zones"]


def scan_zones(
    counts: Iterable[DonorCounts],
    records: Coded,
    zones: pd.Index,
    *,
    fit: Population | None = None,
    tables: Sequence[AlignedTable] = (),
    survey: bool = True,
    orders: Iterable[int] = (1, 2, 3),
    also: Iterable[Iterable[str]] = (),
    protected: Iterable[str] = (),
    impossible: Iterable[str] = (),
    left_out: Iterable[tuple[str, str]] = (),
    survey_name: str = "the survey",
    q: float = 0.05,
    most: int = 200,
    max_cells: int = 10_000_000,
    workers: int | None = None,
) -> Checks:
    """Compare every combination of variables of a population of copied records, zone by zone. Nothing is drawn at random.

    Parameters
    ----------
    counts : iterable of DonorCounts
        The people: `population.blocks()`, or counts that a file holds. Zones left out have nobody.
    records : Coded
        The survey's records in the order that the counts refer to, weighted by design weight (`survey_codes`).
    zones : pandas.Index
        Zones of the study.
    fit : Population, optional
        Whose fractional fit is a reference, by zone and over all zones: of the same records in the same order. It need not be the
        population that is judged.
    tables : sequence of AlignedTable
        Published joint tables by zone, each a reference: `aligned.held_out`.
    survey : bool
        Whether all zones together are set beside the survey itself.
    orders, also, protected, impossible, left_out, q, most, max_cells, workers
        As for `scan`.
    survey_name : str
        Stands in the rows of the survey.

    Returns
    -------
    Checks
        Tables 'scan_tables', 'scan_cells', 'scan_rarity', 'scan_points' and 'scan_coverage' as of `scan`, over all zones
        together, for each reference in turn ('the fractional fit', 'published age x sex', the survey's name), and in
        'scan_tables' rows of '<reference>, by zone' before them (`zone_rows.combination_rows`). 'scan_zones': one row a zone and
        reference
        (`zone_rows.zone_scan_rows`). 'scan_zone_cells': groups in the wrong zones, worst first (`zone_rows.zone_cell_rows`).
        Headline: 'zones scanned', 'combinations scanned by zone', 'cells compared by zone'; for each reference 'by zone against
        <reference>' (text); of the first 'cells of zones beyond chance', 'worst group by zone' and 'passes by zone', and its
        headline over all zones, as of `scan`.

    Raises
    ------
    InputError
        Where a rule cannot be understood or decided.
    KeyError
        Where `also` or `protected` names a variable that is not there.
    ValueError
        Where counts, records, fit or tables do not belong together.
    """
    orders, also, left_out = tuple(orders), [tuple(a) for a in also], tuple(left_out)
    protected, impossible = _listed(protected), _listed(impossible)
    plan, rules = _plan(records, orders, also, protected, impossible, left_out, max_cells)
    rulers = _rulers(records, zones, plan, fit, tables)
    copies = np.zeros(len(records), np.int64)
    with ThreadPoolExecutor(workers or default_workers(), thread_name_prefix="synthpop-gb") as pool:
        for block in zone_blocks(counts, zones, len(records)):
            copies += np.bincount(block[2], block[3], minlength=len(records)).astype(np.int64)
            for ruler in rulers.values():
                ruler.add(pool, *block)
    whole, frames, headline, found = [], {"scan_zones": [], "scan_zone_cells": [], "by_zone": []}, {}, []
    people, effective = float(copies.sum()), effective_number(copies)
    published = {f"published {name}": table for name, table in zip(table_names(tables), tables, strict=True)}
    for name, ruler in rulers.items():
        unit, total = "people", people
        if isinstance(ruler, FitRuler):
            own, forbidding, against, worth = plan, rules, Reference(name, "fit", np.inf), people
        else:
            own, forbidding, against, worth = (
                _table_plan(ruler.found, protected),
                (),
                Reference(name, "census", np.inf),
                effective,
            )
            if published[name].universe.unit == "household":  # each counted once, through its reference
                mine = np.where(published[name].record_cell >= 0, copies, 0)
                unit, total, worth = "households", float(mine.sum()), effective_number(mine)
        whole.append(_together(ruler.found, own, forbidding, against, total, worth, q, most, records))
        by_zone = combination_rows(ruler.found, own.protected[-len(ruler.found.layouts) :], f"{name}, by zone", q)
        cells = zone_cell_rows(ruler.found, own.protected[-len(ruler.found.layouts) :], zones, name, q=q, most=most)
        frames["by_zone"].append(by_zone)
        frames["scan_zones"].append(zone_scan_rows(ruler.found, zones, name))
        frames["scan_zone_cells"].append(cells)
        told, problems = _told(name, by_zone, cells, len(zones), not headline, unit)
        headline, found = headline | told, found + problems
    if survey:
        cloned = {"reference_kind": "survey cloned", "reference_name": survey_name, "q": q, "most": most, "workers": workers}
        same = {"orders": orders, "also": also, "protected": protected, "impossible": impossible, "left_out": left_out}
        whole.append(scan(records, records.weighing(copies), max_cells=max_cells, **cloned, **same))
    return _merged(whole, frames, headline, found)


def _listed(given: Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _rulers(records: Coded, zones: pd.Index, plan: Plan, fit: Population | None, tables) -> dict[str, FitRuler | TableRuler]:
    """Make the references by zone, by name: the fit first."""
    rulers: dict[str, FitRuler | TableRuler] = {}
    if fit is not None:
        if len(fit.problem.records) != len(records):
            raise ValueError(f"the fit is of {len(fit.problem.records):,} records, not {len(records):,}")
        rulers["the fractional fit"] = FitRuler(records, layouts_of(records, plan.combinations), fit, zones)
    for name, table in zip(table_names(tables), tables, strict=True):
        if len(table.record_cell) != len(records):
            raise ValueError(f"the table {name} knows {len(table.record_cell):,} records, not {len(records):,}")
        rulers[f"published {name}"] = TableRuler(table, zones)
    return rulers


def _plan(records, orders, also, protected, impossible, left_out, max_cells) -> tuple[Plan, tuple[Rule, ...]]:
    rules = make_rules(impossible, records.names, records.labels)
    further = [*also, *([records.names[i] for i in rule.at] for rule in rules)]
    plan = make_plan(
        records.names, records.sizes, records=len(records), orders=orders, also=further, protected=protected,
        left_out=left_out, max_cells=max_cells,
    )  # fmt: skip
    return plan, rules


def _table_plan(found: ByZone, protected: Iterable[str]) -> Plan:
    """Plan of a published table: itself, and below it its margins, so that a cell that follows from a margin is told apart."""
    names, sizes = found.layouts[0].names, found.layouts[0].sizes
    known = tuple(n for n in protected if n in names)
    return make_plan(names, sizes, records=len(found.layouts[0].keys), orders=range(1, len(names) + 1), protected=known)


def _margins(table: CrossTable, plan: Plan) -> list[CrossTable]:
    """Sum a cross-table to every combination of its variables."""
    out = []
    for at in plan.combinations:
        positions = [table.at.index(v) for v in at]
        keys, cell = np.unique(table.part(np.arange(len(table)), positions), return_inverse=True)
        e, o, r = (np.bincount(cell.ravel(), x, len(keys)) for x in (table.expected, table.observed, table.records))
        out.append(CrossTable(at, tuple(table.sizes[p] for p in positions), keys, e, o, r))
    return out


def _together(
    found: ByZone, plan: Plan, rules, reference: Reference, people: float, effective: float, q, most, records
) -> Checks:
    """All zones as one: of a published table with its margins, since nothing else holds them."""
    tables, names, labels = found.cross_tables(), records.names, records.labels
    if reference.kind == "census":
        tables, names, labels = _margins(tables[0], plan), found.layouts[0].names, found.layouts[0].labels
    return report_on(tables, plan, rules, names, labels, reference, people=people, effective=effective, q=q, most=most)


def _told(
    name: str, by_zone: pd.DataFrame, cells: pd.DataFrame, n_zones: int, first: bool, unit: str = "people"
) -> tuple[dict, list[Finding]]:
    """Headline and findings of one reference by zone."""
    live = by_zone[by_zone["tvd"].notna()]
    if live.empty:
        return {}, [finding("nothing-to-compare", f"Against {name}, by zone: one of the two sides has nobody.", place=name)]
    beyond, fails = int(live["discoveries"].sum()), int((~live["passes"]).sum())
    wrong, floor = 100 * live["tvd"].mean(), 100 * live["tvd_floor"].mean()
    fail = "1 combination fails" if fails == 1 else f"{fails:,} combinations fail"
    mean = f", mean of {len(live):,} combinations" if len(live) > 1 else ""
    drawn = f"{unit} drawn at random from it, keeping no table: {floor:.2f} %"
    text = f"{wrong:.2f} % of {unit} in the wrong cell of their zone{mean} ({drawn}); {fail}"
    head: dict[str, object] = {f"by zone against {name}": text}
    worst = None
    if len(cells):
        row = cells.iloc[0]
        worst = f"{group_sentence(row['cell'], row['zone_observed'], row['zone_expected'], unit)} in {row['zone']}"
    if first:
        head = {
            "zones scanned": n_zones, "combinations scanned by zone": len(by_zone),
            "cells compared by zone": int(by_zone["cells"].sum()),
            **head, "cells of zones beyond chance": beyond, "worst group by zone": worst, "passes by zone": fails == 0,
        }  # fmt: skip
    if not fails:
        return head, []
    message = f"Against {name}, by zone: {text}, {beyond:,} cells of zones beyond chance (worst: {worst})."
    return head, [finding("misweighted-group", message, place=name, count=fails, rows=by_zone[~by_zone["passes"].fillna(True)])]


def _merged(whole: Sequence[Checks], frames: dict, headline: dict, found: Sequence[Finding]) -> Checks:
    """Put the references below one another; findings that several have, such as what was not looked at, once."""
    names = ("scan_tables", "scan_cells", "scan_rarity", "scan_points", "scan_coverage")
    tables = {name: _stacked([c[name] for c in whole]) for name in names}
    tables["scan_tables"] = _stacked([*frames["by_zone"], tables["scan_tables"]])
    tables |= {name: _stacked(frames[name]) for name in ("scan_zones", "scan_zone_cells")}
    for checks in whole[:1]:
        headline = headline | checks.headline
    said, every = set(), []
    for item in [*found, *(f for c in whole for f in c.findings)]:
        if item.message not in said:
            every.append(item)
            said.add(item.message)
    return Checks(headline, tables, tuple(every))


def _stacked(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put frames below one another; empty ones would change the types of columns."""
    some = [f for f in frames if len(f)] or list(frames[:1])
    return pd.concat(some, ignore_index=True) if some else pd.DataFrame()
