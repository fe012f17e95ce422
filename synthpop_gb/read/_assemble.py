"""From a grid to a `BenchmarkTable`: one row a zone, finest cells, universe, total, and everything noticed on the way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.codebook import Universe, Variable
from synthpop_gb.errors import InputError, finding
from synthpop_gb.provenance import InputFile
from synthpop_gb.read._cells import describe, keep_cells
from synthpop_gb.read._codebooks import category
from synthpop_gb.read._files import stem_of
from synthpop_gb.read._grid import Grid, Request
from synthpop_gb.read._labels import key
from synthpop_gb.read._universes import universe
from synthpop_gb.read._zones import is_code, levels_of, zone_year

__all__ = ["assemble"]


def assemble(grid: Grid, request: Request, path: Path, place: str) -> BenchmarkTable:
    """Make the table of a grid.

    Raises InputError with 'duplicate-zone', 'unknown-layout' (nothing left, or cells that overlap) or 'universe-unknown'.
    Cells that are no numbers stay in the table as they stand, so that only a study which needs them is refused.
    """
    _only_zones(grid, place)
    keep_cells(grid, place)
    if not grid.keys or not len(grid.zones):
        message = f"{place} has no {'counts' if not grid.keys else 'zone codes'} that could be told."
        raise InputError([finding("unknown-layout", message, place=place)])
    _one_row_a_zone(grid, request, place)
    known = grid.known
    remainder = _take_remainder(grid, request, place)
    variables = describe(grid, request, place)
    if remainder is not None:
        variables = _add_remainder(grid, variables, remainder)
    counts = _frame(grid, variables)
    newer = zone_year(grid.zones)
    year = request.year or known.get("year") or newer
    if year is not None and newer is not None and year < newer:
        grid.findings.append(finding("year-unlike-zones", f"{place} is of {year}, but its zones are of {newer}.", place=place))
    error = request.standard_error if request.standard_error is not None else known.get("standard_error", 0.0)
    _notice(grid, place, error)
    total = None if grid.total is None else pd.Series(_whole(grid.total), index=counts.index, name="total")
    name = request.name or known.get("name") or stem_of(path)
    return BenchmarkTable(
        name=name, counts=counts, variables=variables, universe=_universe(request, known, place), total=total,
        standard_error=float(error), year=year, source=InputFile.of(path), findings=tuple(grid.findings),
    )  # fmt: skip


def _only_zones(grid: Grid, place: str) -> None:
    """Leave out rows without a zone: footnotes, sums, names where all others are codes."""
    blank = np.array([not z for z in grid.zones], dtype=bool)
    coded = is_code(grid.zones)
    odd = ~blank & ~coded if coded.sum() >= 0.5 * (~blank).sum() else np.zeros(len(blank), bool)
    if odd.any():
        filled = np.zeros(len(blank), bool)
        for column in grid.columns:
            filled |= ~np.isnan(column)
        named = [str(z) for z in grid.zones[odd & filled]]
        if named:
            message = f"{place}: {len(named)} rows without an area code were left out ({', '.join(named[:3])})."
            grid.findings.append(finding("rows-without-zone", message, place=place, count=len(named)))
    if (blank | odd).any():
        grid.rows(~(blank | odd))
    levels = levels_of(grid.zones)
    if len(levels) > 1:
        message = f"{place} mixes levels of geography: {', '.join(f'{n:,} {level}' for level, n in levels.most_common())}."
        grid.findings.append(finding("mixed-levels", message, place=place, count=len(grid.zones)))


def _one_row_a_zone(grid: Grid, request: Request, place: str) -> None:
    """Add up the rows of each zone where asked; else refuse zones that stand twice with different counts."""
    index = pd.Index(grid.zones)
    twice = index.duplicated()
    if not twice.any():
        return
    if request.aggregate:
        code, zones = pd.factorize(index)
        add = [np.bincount(code, weights=c, minlength=len(zones)) for c in grid.columns]
        grid.total = None if grid.total is None else np.bincount(code, weights=grid.total, minlength=len(zones))
        grid.zones, grid.columns = np.asarray(zones, dtype=object), add
        grid.marks = {c: {int(code[r]): t for r, t in rows.items()} for c, rows in grid.marks.items()}
        return
    first = ~twice
    values = np.column_stack(grid.columns)
    earlier = np.flatnonzero(first)[pd.Index(grid.zones[first]).get_indexer(index[twice])]
    same = np.array_equal(values[earlier], values[twice], equal_nan=True)
    zones = index[twice].unique()
    if not same:
        message = f"{place} lists {len(zones):,} zones more than once (first: {zones[0]})."
        remedy = "Keep one row a zone; where the rows are parts of the zone, add them up with `aggregate = true`."
        rows = pd.DataFrame({"zone": zones})
        raise InputError([finding("duplicate-zone", message, place=place, count=len(zones), rows=rows, remedy=remedy)])
    message = f"{place} lists {len(zones):,} zones twice with the same counts (first: {zones[0]}); each was used once."
    grid.findings.append(finding("repeated-rows", message, place=place, count=len(zones)))
    grid.rows(first)


def _take_remainder(grid: Grid, request: Request, place: str) -> tuple[tuple[str, ...], np.ndarray] | None:
    """Return what the cells leave of the published total, where a category is named that takes it."""
    named = request.remainder or grid.known.get("remainder")
    if not named or grid.total is None:
        if request.remainder:
            message = f"{place} has no column of the total, so nothing can be left over for {request.remainder!r}."
            raise InputError([finding("unknown-layout", message, place=place, remedy="Name the column with `total`.")])
        return None
    rest = grid.total - np.sum(grid.columns, axis=0)
    labels = (named,) if isinstance(named, str) else tuple(named)
    short = int((rest < 0).sum())
    message = f"{place}: {np.nansum(rest):,.0f} people or households whom no cell counts were put in {' x '.join(labels)!r}"
    message += f"; in {short:,} zones the cells exceed the total." if short else "."
    level = "warning" if short else "note"
    grid.findings.append(finding("remainder", message, place=place, count=int(np.nansum(rest)), level=level))
    return labels, rest


def _add_remainder(
    grid: Grid, variables: tuple[Variable, ...], remainder: tuple[tuple[str, ...], np.ndarray]
) -> tuple[Variable, ...]:
    """Add the remainder's cell, and its category where it is new."""
    labels, rest = remainder
    made, code = [], []
    for v, label in zip(variables, labels, strict=True):
        new = category(v.name, label)
        old = next((c for c in v.categories if c.atoms == new.atoms or key(c.code) == key(new.code)), None)
        code.append((old or new).code)
        made.append(v if old else Variable(v.name, (*v.categories, new), v.column, v.label, v.source))
    grid.keys.append(tuple(code))
    grid.columns.append(rest)
    return tuple(made)


def _whole(values: np.ndarray) -> np.ndarray:
    """Whole numbers as integers, anything else as it is."""
    finite = np.isfinite(values).all()
    return values.astype(np.int64) if finite and (values == np.floor(values)).all() else values


def _frame(grid: Grid, variables: tuple[Variable, ...]) -> pd.DataFrame:
    """Zones by cells; a column with marks holds numbers and the marks as text."""
    columns = []
    for i, values in enumerate(grid.columns):
        marks = grid.marks.get(i)
        if marks:
            mixed = values.astype(object)
            for row, text in marks.items():
                mixed[row] = text
            columns.append(mixed)
        else:
            columns.append(_whole(values))
    index = pd.Index(grid.zones.tolist(), name="zone")
    cells = pd.MultiIndex.from_tuples(grid.keys, names=[v.name for v in variables])
    if len({c.dtype for c in columns}) == 1 and columns[0].dtype != object:
        return pd.DataFrame(np.column_stack(columns), index=index, columns=cells)
    frame = pd.DataFrame(dict(enumerate(columns)), index=index)
    frame.columns = cells
    return frame


def _notice(grid: Grid, place: str, error: float) -> None:
    """Add findings about the counts: marks, rates, perturbation."""
    marked = [(grid.zones[r], " x ".join(grid.keys[c]), text) for c, rows in grid.marks.items() for r, text in rows.items()]
    if marked:
        rows = pd.DataFrame(marked, columns=["zone", "cell", "value"])
        said = ", ".join(f"{text!r} {n:,}" for text, n in rows.value.value_counts().head(4).items())
        message = f"{place}: {len(rows):,} cells in {rows.zone.nunique():,} zones hold no number"
        message += f" ({said}; first: {rows.cell[0]}, {rows.zone[0]})."
        grid.findings.append(finding("marked-cells", message, place=place, count=len(rows), rows=rows.head(10_000)))
    if unit := grid.known.get("unit"):
        grid.findings.append(finding("not-counts", f"{place} holds {unit}, not counts.", place=place))
    if error > 0 and "unit" not in grid.known:
        gap = None if grid.total is None else grid.total - np.sum(grid.columns, axis=0)
        extra = ""
        if gap is not None and np.isfinite(gap).all() and gap.any():
            extra = (
                f" Cells add to the published total in {(gap == 0).mean():.0%} of zones (gaps: sd {gap.std():.1f},"
                f" largest {np.abs(gap).max():.0f}; {abs(gap.sum()):,.0f} too {'few' if gap.sum() > 0 else 'many'} in all)."
            )
        message = f"{place}: counts carry the publisher's noise, standard error {error:g} a cell.{extra}"
        grid.findings.append(finding("perturbed", message, place=place, count=len(grid.zones)))


def _universe(request: Request, known: dict, place: str) -> Universe | None:
    """Who is counted: as the caller says, else as the publication does."""
    given = request.universe if request.universe is not None else known.get("universe")
    if given is None or isinstance(given, Universe):
        return given
    found = universe(given)
    if found is None:
        message = f"{place}: the universe {given!r} names neither persons nor households."
        remedy = "Write it as: usual residents; usual residents aged 16 and over; people aged 16 to 74; households."
        raise InputError([finding("universe-unknown", message, place=place, remedy=remedy)])
    return found
