"""People of other areas: one row a person under the id that the run's people have, and one row an area and donor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from synthpop_gb.atomic import replacing
from synthpop_gb.export._person_rows import ids_of, numbered, table_of
from synthpop_gb.export._rows import CHUNK, Tally, check_file, writing
from synthpop_gb.export._target import kind_of
from synthpop_gb.population import Population, ZoneDonors

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Dealing", "area_counts", "area_people", "area_table"]

_OWN = ("person", "household", "zone", "donor", "donor_household", "n", "place")


class Dealing(Protocol):
    """Units of a block of zones and where they go, one entry a copy; see `rezoning.Dealt`."""

    zone: np.ndarray
    unit: np.ndarray
    number: np.ndarray
    area: np.ndarray


def area_people(
    population: Population,
    dealt: Iterable[Dealing],
    areas: pd.Index,
    path: str | Path,
    *,
    to: str = "area",
    overwrite: bool = False,
) -> Path:
    """Write one row a person: `person`, the area's code, `zone`, `donor`; of whole households `household` and `donor_household`.

    Ids of people and households are those of `export.people`, so that areas can be joined to its rows. Who is in no area has no
    row.

    Parameters
    ----------
    population : Population
        Whose people.
    dealt : iterable of Dealing
        All units, some whole zones at a time (`rezoning.deal_out`).
    areas : pandas.Index
        Codes that the areas' positions refer to.
    path : path
        '.parquet', '.csv' or '.csv.gz'.
    to : str
        Name of the column of areas.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    InputError
        `study-value` for another ending; `output-exists`; `output-locked`.
    OSError
        Where what was read back does not hold the same people by zone and donor.
    """
    path = Path(path)
    kind = kind_of(path, overwrite)
    column = f"{to}_area" if to in _OWN else to
    expected, donors = Tally(), ids_of("keep", population.problem.records)
    with replacing(path) as temporary:
        first = next(_tables(population, [], areas, column))
        with writing(temporary, kind, first.schema) as write:
            for block in dealt:
                for table in _tables(population, [block], areas, column):
                    for name in ("zone", "donor"):
                        counted = table.column(name).value_counts()
                        values = [v.as_py() for v in counted.field("values")]
                        expected.add(np.array(values, object), counted.field("counts").to_numpy(), name)
                    write(table)
        check_file(temporary, kind, expected, donor="donor" if len(donors) else None)
    return path


def _tables(population: Population, dealt: Iterable[Dealing], areas: pd.Index, column: str) -> Iterator[pa.Table]:
    """Rows of some blocks, at most about CHUNK at a time; an empty table where there is no block."""
    blocks = list(dealt)
    if not blocks:
        nobody = np.empty(0, np.int64)
        yield _rows(population, nobody, nobody, nobody, nobody, nobody, areas, column)
    for block in blocks:
        problem = population.problem
        size = _sizes(population)[block.unit]
        before = np.concatenate([[0], np.cumsum(size)])
        zone_first = np.searchsorted(block.zone, block.zone)  # entries are in the order of zones
        number = before[:-1] - before[zone_first]
        home = np.zeros(len(block.unit), np.int64)
        if problem.households is not None:
            lives = ~_communal(population)[block.unit]
            running = np.concatenate([[0], np.cumsum(lives)])
            home = np.where(lives, running[1:] - running[zone_first], 0)
        kept = np.flatnonzero(block.area >= 0)
        for start in range(0, len(kept), CHUNK // 4):
            some = kept[start : start + CHUNK // 4]
            yield _rows(population, block.zone[some], block.unit[some], number[some], home[some], block.area[some], areas, column)


def _sizes(population: Population) -> np.ndarray:
    """(n_units,) int64: people of each unit."""
    problem = population.problem
    return np.ones(len(problem.units), np.int64) if problem.households is None else np.diff(problem.member_start)


def _communal(population: Population) -> np.ndarray:
    """(n_units,) bool: residents of communal establishments."""
    problem = population.problem
    found = np.zeros(len(problem.units), bool)
    if problem.communal is not None:
        found[problem.donor] = problem.communal[problem.donor_profile]
    return found


def _rows(population, zone, unit, number, home, area, areas: pd.Index, column: str) -> pa.Table:
    """People of some units: `number` people of the zone stand before each."""
    import pyarrow as pa

    problem = population.problem
    size = _sizes(population)[unit]
    of = np.repeat(np.arange(len(unit)), size)
    place = np.arange(len(of)) - np.repeat(np.cumsum(size) - size, size)
    record = unit if problem.households is None else problem.member[problem.member_start[unit][of] + place]
    codes = pa.array(population.zones.astype(str), pa.string())
    names = codes.take(pa.array(zone[of]))
    columns = {"person": numbered(names, number[of] + place + 1)}
    if problem.households is not None:
        columns["household"] = numbered(names, home[of], "-H")
    columns[column] = pa.DictionaryArray.from_arrays(
        pa.array(area[of].astype(np.int32)), pa.array(areas.astype(str), pa.string())
    )
    columns["zone"] = pa.DictionaryArray.from_arrays(pa.array(zone[of].astype(np.int32)), codes)
    columns["donor"] = ids_of("keep", problem.records).take(pa.array(record.astype(np.int64)))
    if problem.households is not None:
        columns["donor_household"] = ids_of("keep", problem.households).take(pa.array(unit[of].astype(np.int64)))
    return table_of(columns)


def area_counts(rezoned: ZoneDonors, path: str | Path, *, to: str = "area", overwrite: bool = False) -> Path:
    """Write one row an area and donor: area, `donor`, `n` people. Raises as `area_people`."""
    path = Path(path)
    kind = kind_of(path, overwrite)
    counts = rezoned.counts
    ids = ids_of("keep", rezoned.donors)
    frame = {
        f"{to}_area" if to in _OWN else to: np.repeat(counts.zones.astype(str).to_numpy(object), np.diff(counts.indptr)),
        "donor": ids.to_numpy(zero_copy_only=False)[counts.record], "n": counts.n,
    }  # fmt: skip
    return _write(pd.DataFrame(frame), path, kind)


def area_table(frame: pd.DataFrame, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a table of areas. Raises as `area_people`."""
    path = Path(path)
    return _write(frame, path, kind_of(path, overwrite))


def _write(frame: pd.DataFrame, path: Path, kind: str) -> Path:
    """Write a frame whole or not at all."""
    import pyarrow as pa

    table = pa.Table.from_pandas(frame, preserve_index=False)
    texts = [pa.types.is_large_string(f.type) or pa.types.is_string_view(f.type) for f in table.schema]
    plain = [f.with_type(pa.string()) if text else f for f, text in zip(table.schema, texts, strict=True)]
    table = table.cast(pa.schema(plain))
    with replacing(path) as temporary, writing(temporary, kind, table.schema) as write:
        write(table)
    return path
