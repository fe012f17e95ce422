"""One table brought to the categories that it shares with the survey: targets by cell, and the cell of every record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.codebook import Category, Universe, Variable, covers
from synthpop_gb.errors import Finding, finding
from synthpop_gb.harmonisation._words import article, listed, number
from synthpop_gb.harmonisation.counts import Prepared
from synthpop_gb.harmonisation.recode import Recode, recoded_categories
from synthpop_gb.harmonisation.records import MISSING, UNKNOWN, Coded
from synthpop_gb.harmonisation.resolve import Request

__all__ = ["Draft", "distinct", "draft_table"]


@dataclass(frozen=True, eq=False)
class Draft:
    """A table on its way: what `AlignedTable` will hold, before totals are settled.

    published : (n_zones, n_cells) float64; bad : (n_zones,) bool, zones that cannot be used.
    record_cell : (n_records,) int32 over all records of the survey, -1 outside the universe.
    lacking : variable -> (n_records,) bool, records of the universe without a value in it.
    merged : (n_cells,) int64, how many published cells each cell is the sum of.
    errors : (n_zones, n_cells) float64, standard deviation of the perturbation of each count; None where zones do not differ.
    """

    request: Request
    source: str
    categories: tuple[tuple[Category, ...], ...]
    cells: pd.MultiIndex
    published: np.ndarray
    bad: np.ndarray
    record_cell: np.ndarray
    lacking: Mapping[str, np.ndarray]
    universe: Universe
    standard_error: float
    year: int | None
    merged: np.ndarray
    errors: np.ndarray | None = None

    @property
    def name(self) -> str:
        """Name of the constraint."""
        return self.request.name

    def label(self, cell: int) -> str:
        """Label of one cell for people."""
        return " x ".join(map(str, self.cells[cell]))


def draft_table(
    request: Request,
    prepared: Prepared,
    universe: Universe,
    inside: np.ndarray,
    coded: Mapping[str, Coded],
    recodes: Mapping[str, Recode],
) -> tuple[Draft | None, list[Finding]]:
    """Merge a table's cells and the survey's codes to their common categories.

    inside : (n_records,) int8 from `membership`; coded : the survey's variables by name.

    Returns the draft (None where nothing can be made of it) and findings: 'unmapped-code', 'coarse-join', 'one-category'.
    """
    table = prepared.table
    findings: list[Finding] = []
    described = {v.name: v for v in table.variables}
    categories: list[tuple[Category, ...]] = []
    for name in request.variables:
        within = universe.members.get(name)
        common, said = recoded_categories(recodes.get(name), described[name], coded[name].variable, within, coded[name].mapped)
        findings += said
        findings += _coarse(request, described[name], coded[name].variable, common, within, name in recodes)
        findings += _homeless(request, described[name], coded[name], common, inside == 1)
        categories.append(distinct(common))
    if all(len(c) < 2 for c in categories):
        shown = categories[0][0].label if categories[0] else "nothing"
        message = f"{request.name}: {table.name} and the survey share only one category ({shown})."
        level = "warning" if request.held_out else None
        findings.append(finding("one-category", message, place=table.name, level=level))
        return None, findings
    strange = _undescribed(prepared.table)
    if strange:
        return None, findings + strange
    cells = pd.MultiIndex.from_product([[c.label for c in part] for part in categories], names=list(request.variables))
    published, merged, errors = _merged(request, prepared, categories, universe)
    record_cell, lacking = _record_cells(request, inside, coded, categories)
    draft = Draft(
        request, table.name, tuple(categories), cells, published, prepared.bad, record_cell, lacking, universe,
        table.standard_error, table.year, merged, errors,
    )  # fmt: skip
    return draft, findings


def distinct(categories: tuple[Category, ...]) -> tuple[Category, ...]:
    """Return the same categories, labels made distinct where two sources call different people alike."""
    seen: dict[str, int] = {}
    out = []
    for category in categories:
        seen[category.label] = seen.get(category.label, 0) + 1
        label = category.label if seen[category.label] == 1 else f"{category.label} ({seen[category.label]})"
        out.append(category if label == category.label else replace(category, code=label, label=label))
    return tuple(out)


def _coarse(
    request: Request, table: Variable, survey: Variable, common: tuple[Category, ...], within: frozenset[str] | None, asked: bool
) -> list[Finding]:
    """Say where both sources are finer than what they share, unless the user's recode asked for it."""
    parts = [{c.atoms if within is None else c.atoms & within for c in v.categories} - {frozenset()} for v in (table, survey)]
    if asked or len(common) >= min(map(len, parts)) or len(common) < 2:
        return []
    message = (
        f"{table.name} has {len(parts[0])} categories in {request.table} and {len(parts[1])} in the survey, "
        f"but they share only {len(common)}: {listed((c.label for c in common), 12)}."
    )
    rows = pd.DataFrame({
        "category": [c.label for c in common],
        "table": ["; ".join(x.label for x in table.categories if x.atoms & c.atoms) for c in common],
        "survey": ["; ".join(x.label for x in survey.categories if x.atoms & c.atoms) for c in common],
    })  # fmt: skip
    return [finding("coarse-join", message, place=f"{request.table}: {table.name}", count=len(common), rows=rows)]


def _homeless(
    request: Request, table: Variable, survey: Coded, common: tuple[Category, ...], inside: np.ndarray
) -> list[Finding]:
    """Say which records of the universe have a category that no cell of the table holds: they would drop out without a word."""
    strange = [c for c in common if not c.atoms & table.atoms]
    of_code = [any(c.atoms & s.atoms for s in strange) for c in survey.variable.categories]
    records = int((inside & survey.by_category(of_code, False, False).astype(bool)).sum())
    if not records:
        return []
    labels = [c.label for c, odd in zip(survey.variable.categories, of_code, strict=True) if odd]
    who = f"{number(records, 'record')} of the survey {'has' if records == 1 else 'have'}"
    message = f"{who} {article(table.name)} {table.name} that {request.table} does not count: {listed(labels)}."
    why, remedy = (
        "They belong to the people whom the table counts, and to none of its cells.",
        "Merge the category into one of the table's with a recode.",
    )
    level = "warning" if request.held_out else None
    return [
        finding(
            "unmapped-code", message, place=f"{request.table}: {table.name}", count=records, why=why, remedy=remedy, level=level
        )
    ]


def _undescribed(table: BenchmarkTable) -> list[Finding]:
    """Say which codes of a table's columns no codebook describes."""
    findings = []
    for variable in table.variables:
        codes = table.counts.columns.get_level_values(variable.name).astype(str)
        strange = sorted(set(codes) - {c.code for c in variable.categories})
        if strange:
            what = f"{number(len(strange), 'category', 'categories')} of {variable.name}: {listed(strange)}"
            why, remedy = "People counted under this code belong to no category.", "Describe the code in the study."
            message = f"{table.name}: no codebook describes {what}."
            findings.append(finding("unmapped-code", message, place=table.name, count=len(strange), why=why, remedy=remedy))
    return findings


def _merged(
    request: Request, prepared: Prepared, categories: list[tuple[Category, ...]], universe: Universe
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Sum the counts of the common cells: (n_zones, n_cells); columns outside the universe are left out, margins summed.

    Also returns how many columns each cell is the sum of, since every one carries the publisher's perturbation, and, where
    zones differ in that, its standard deviation by zone and cell.
    """
    columns = prepared.table.counts.columns
    cell = np.zeros(len(columns), np.int64)
    out = np.zeros(len(columns), bool)
    shape = [len(c) for c in categories]
    for variable in prepared.table.variables:
        within = universe.members.get(variable.name)
        atoms = {c.code: c.atoms if within is None else c.atoms & within for c in variable.categories}
        got = [atoms[code] for code in columns.get_level_values(variable.name).astype(str)]
        out |= np.array([not a for a in got])
        if variable.name in request.variables:
            axis = request.variables.index(variable.name)
            place = np.array([covers(categories[axis], a) for a in got])
            cell += place * int(np.prod(shape[axis + 1 :]))
            out |= place < 0
    merged = np.zeros((int(np.prod(shape)), len(prepared.values)))
    for column in np.flatnonzero(~out):  # in this order, whichever zones there are: fractions keep their bits
        merged[cell[column]] += prepared.values[:, column]
    variance = None if prepared.errors is None else np.zeros_like(merged)
    for column in np.flatnonzero(~out) if variance is not None else ():
        variance[cell[column]] += prepared.errors[:, column] ** 2
    errors = None if variance is None else np.ascontiguousarray(np.sqrt(variance).T)
    return np.ascontiguousarray(merged.T), np.bincount(cell[~out], minlength=len(merged)), errors


def _record_cells(
    request: Request, inside: np.ndarray, coded: Mapping[str, Coded], categories: list[tuple[Category, ...]]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Cell of every record, -1 outside the universe or without a value; and who lacks a value in which variable."""
    cell = np.zeros(len(inside), np.int32)
    lacking: dict[str, np.ndarray] = {}
    for name, common in zip(request.variables, categories, strict=True):
        known = frozenset().union(*(c.atoms for c in common))
        values = [covers(common, c.atoms & known) for c in coded[name].variable.categories]
        place = coded[name].by_category(values, MISSING, UNKNOWN).astype(np.int32)
        lacking[name] = (inside != 0) & (place < 0)
        cell = np.where(place < 0, -1, cell * len(common) + place)
    for name in set(coded) - set(request.variables):
        lacking[name] = (inside == -1) & (coded[name].category < 0)
    none = (inside != 1) | np.any(list(lacking.values()), axis=0)
    return np.where(none, -1, cell).astype(np.int32), lacking
