"""Write a folder of entity tables, with what each column means, read it back, and only then give it its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.atomic import replacing
from synthpop_gb.circumstances import region_number
from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.export._rows import guarded
from synthpop_gb.export.entity_tables._check import Meant, check_tables
from synthpop_gb.export.entity_tables._layout import Layout, Rows
from synthpop_gb.export.entity_tables._tables import Column, Numbering, Table, made

__all__ = ["households_table", "regions_of", "units_table", "write_tables", "zones_of"]

MARK = "columns.csv"
"""File that says what the others hold; a folder with it is one of ours and may be replaced."""


def write_tables(
    layout: Layout,
    tables: Sequence[Table],
    numbering: Numbering,
    folder: str | Path,
    *,
    keys: dict[str, str],
    overwrite: bool = False,
    say: Callable[[Finding], object] | None = None,
) -> Path:
    """Write tables and `columns.csv`, read them back and compare; nothing is left where they differ.

    Parameters
    ----------
    layout : Layout
        Who is written.
    tables : sequence of Table
        One of persons and one of households, and others.
    numbering : Numbering
        How ids are given.
    folder : path
        Made, or replaced with `overwrite` where it holds such tables.
    keys : dict
        Which columns of the table of persons hold household, person, unit, partner, mother, father and age; and of the table of
        households household, zone and weight.
    say : callable, optional
        Is given notes: households that were left out.

    Raises
    ------
    InputError
        `output-exists`, `output-locked`; `export-differs` where what was read back is not what was meant.
    """
    folder = Path(folder)
    _may_write(folder, overwrite)
    meant = Meant(layout)
    with replacing(folder) as temporary:
        temporary.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            writers = [_opened(stack, temporary / t.file, t) for t in tables]
            for rows in layout.rows(meant.add):
                for table, write in zip(tables, writers, strict=True):
                    write(table.arrow(rows, layout))
        _describe(tables).to_csv(temporary / MARK, index=False)
        problems = check_tables(temporary, tables, numbering, meant, keys)
        if problems:
            message = f"{folder} was not written: {'; '.join(problems)}."
            raise InputError([finding("export-differs", message, place=str(folder), count=len(problems))])
    if say is not None:
        for note in (*meant.notes(), *_defaults(layout, tables)):
            say(note)
    return folder


def _defaults(layout: Layout, tables: Sequence[Table]) -> list[Finding]:
    """`export-defaults`: columns that stand at a default, labels that were not understood, zones whose region is not known."""
    columns = [c.name for t in tables for c in t.columns if c.source == "default"]
    rows = [{"what": name, "why": "the survey does not say it"} for name in columns]
    rows += [
        {"what": f"{k}: {label}", "why": f"not understood, on {n:,} records"}
        for k, v in layout.known.unknown.items()
        for label, n in v.items()
    ]
    unknown = int((regions_of(layout) == 0).sum())
    rows += [{"what": "region", "why": f"not known of {unknown:,} zones"}] if unknown else []
    if not rows:
        return []
    some = ", ".join(r["what"] for r in rows[:6]) + (f" and {len(rows) - 6:,} more" if len(rows) > 6 else "")
    return [finding("export-defaults", f"Left at a default or not known: {some}.", count=len(rows), rows=pd.DataFrame(rows))]


def _opened(stack: ExitStack, path: Path, table: Table):
    """Open a file, write its header, and return what writes rows."""
    import pyarrow as pa
    from pyarrow import csv

    sink = stack.enter_context(pa.OSFile(str(path), "wb"))
    names = [guarded(c.name) for c in table.columns]
    if any(table.delimiter in n or '"' in n or "\n" in n for n in names):
        names = ['"' + n.replace('"', '""') + '"' for n in names]
    sink.write((table.delimiter.join(names) + "\n").encode())
    options = csv.WriteOptions(include_header=False, delimiter=table.delimiter, quoting_style="needed")
    return lambda rows: csv.write_csv(rows, sink, options)


def _describe(tables: Sequence[Table]) -> pd.DataFrame:
    """One row a column: file, column, meaning, source."""
    rows = [(t.file, c.name, c.what, c.source) for t in tables for c in t.columns]
    return pd.DataFrame([[guarded(str(v)) for v in r] for r in rows], columns=["file", "column", "meaning", "source"])


def _may_write(folder: Path, overwrite: bool) -> None:
    """Refuse to replace without leave, and ever to delete what is none of ours. Raises InputError (`output-exists`)."""
    if not folder.exists():
        return
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if not folder.is_dir() or not (folder / MARK).is_file() or any(p.is_dir() for p in folder.iterdir()):
        message = f"{folder} exists and is no folder of entity tables."
        raise InputError([finding("output-exists", message, place=str(folder), remedy="Name another folder.")])
    if not overwrite:
        message, why = f"{folder} exists already.", "A folder is never replaced in silence."
        raise InputError([finding("output-exists", message, place=str(folder), why=why, remedy="Add --overwrite.")])


def zones_of(layout: Layout, own: Sequence[str]) -> list[Column]:
    """Zone and the areas that it nests in, as columns; one that is called as a column of ours gets another name."""
    zones = layout.population.zones
    areas = layout.aligned.geography.zones.reindex(zones)[list(layout.aligned.geography.parents)]
    columns = [made("zone", "code of the zone", "zone", zones.astype(str).to_numpy(object))]
    for level in areas:
        name = f"{level}_area" if level in own else str(level)
        values = areas[level].astype("string").fillna("").to_numpy(object)
        columns.append(made(name, f"code of the {level} that the zone lies in", "zone", values))
    return columns


def households_table(
    layout: Layout,
    numbering: Numbering,
    name: str,
    *,
    weight: str = "weight",
    file: str = "households.csv",
    more: Sequence[Column] = (),
) -> Table:
    """Make the table of households: id, weight, zone and areas, and the survey's household where its ids may leave."""
    own = (name, weight, "zone", "donor_household", "members", *(c.name for c in more))
    columns = [
        made(name, "id of the household, as in the other tables", "row", numbering.home),
        made(weight, "households that the row stands for", "row", lambda rows: rows.weight),
        *zones_of(layout, own),
        *more,
        made("members", "people in it", "home", layout.homes.size.astype(np.int64)),
    ]
    if layout.home_ids is not None:
        ids = layout.home_ids.astype(str).to_numpy(object)
        columns.append(made("donor_household", "the survey's id of the household copied", "home", ids))
    return Table(file, "home", tuple(columns))


def units_table(
    layout: Layout, numbering: Numbering, name: str, *, household: str, file: str, more: Sequence[Column] = ()
) -> Table:
    """Make the table of benefit units: id, id of the household, further columns, dependent children."""

    def ids(rows: Rows) -> np.ndarray:
        return numbering.first + rows.first[1] + np.arange(len(layout.home_of_unit(rows)))

    def homes(rows: Rows) -> np.ndarray:
        return numbering.home(rows)[layout.home_of_unit(rows)]

    children = layout.families.sum(layout.families.child).astype(np.int64)
    columns = (
        made(name, "id of the benefit unit", "row", ids),
        made(household, "id of its household", "row", homes),
        *more,
        made("children", "dependent children", "family", children),
    )
    return Table(file, "family", columns)


def regions_of(layout: Layout) -> np.ndarray:
    """(n_zones,) int64 number of each zone's region, by a table of places, its areas' codes or names, or its own; 0 = unknown."""
    geography = layout.aligned.geography
    zones = geography.zones.reindex(layout.population.zones)
    told = [zones[name] for name in zones.columns if name != "name"]
    if layout.places is not None:
        places = geography.by_zone(layout.places).reindex(zones.index)
        told = [*(places[c] for c in places), *told]
    number = np.zeros(len(zones), np.int64)
    for values in (*told, zones.index):
        number = np.where(number > 0, number, region_number(values))
    return number
