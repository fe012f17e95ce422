"""One row a person: Parquet, CSV, or a folder partitioned by area, written a million rows at a time and read back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.errors import InputError, finding
from synthpop_gb.export._rows import CHUNK, Tally, check_file, writing
from synthpop_gb.export._target import kind_of, may_write
from synthpop_gb.export.release import row_rank
from synthpop_gb.population import DonorCounts, Population

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["people", "person_columns"]

_LEAST_ZONES = 20
"""Zones that an area of the partitioned folder has on average at least: local authorities rather than thousands of tiny files."""


def people(
    population: Population,
    aligned: Aligned,
    path: str | Path,
    *,
    include: Sequence[str] | None = None,
    partition: str | None = None,
    overwrite: bool = False,
    counts: Iterable[DonorCounts] | None = None,
    donors: pd.Index | Literal["keep", "drop"] = "keep",
) -> Path:
    """Write one row a person.

    Columns: `person` (zone code and number within the zone, so that a person keeps it whatever else is in the study), `zone`, the
    codes of the areas that the zone nests in, `donor` (the survey's own record id), and, where the survey's licence is open, the
    record's answers as labels.

    Parameters
    ----------
    population : Population
        Whose people; donors are placed a block at a time, so memory does not grow with the country.
    aligned : Aligned
        Zones, areas, records and their meaning.
    path : path
        '.parquet'; '.csv' or '.csv.gz' (a label that a spreadsheet would run as a formula gets a ' in front); or a folder, in
        which each `<area>=<code>/people.parquet` holds one area.
    include : sequence of str, optional
        Variables or survey columns to write, instead of all variables of an open survey and none of another. Naming them is the
        caller's word that the licence allows it.
    partition : str, optional
        Parent level of the folder; by default the first whose areas hold 20 zones or more on average, else the coarsest.
    overwrite : bool
        Replace an existing file, or a folder that holds nothing but what this function wrote.
    counts : iterable of DonorCounts, optional
        Who is written: what a run's folder holds (`run_folder.read_counts`), each zone once. By default the population's donors.
        A folder of areas keeps the counts of areas whose zones are not all read yet in memory, 8 bytes for each.
    donors : pandas.Index or 'keep' or 'drop'
        What stands in the column `donor`: the survey's ids, one label a usable record in their place (`export.donor_labels`), or
        nothing. Without the ids people of a zone are put in the order of what is written of them, and numbered in it.

    Returns
    -------
    Path
        The file or folder.

    Raises
    ------
    InputError
        `study-value` for another ending; `missing-column` for unknown names in `include`; `output-exists`; `output-locked`.
    ValueError
        Where `counts` do not hold each zone's people, once.
    OSError
        Where what was read back does not hold the same people by zone and donor.
    """
    path = Path(path)
    kind = kind_of(path)
    may_write(path, overwrite)
    rows = _Rows.of(population, aligned, include, counts, donors)
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind:
            _write_file(rows, rows.everybody(), partial, kind)
        else:
            _write_folder(rows, partial, _level(aligned, partition))
        if path.is_dir():
            shutil.rmtree(path)
        os.replace(partial, path)
    except PermissionError as error:
        raise InputError([finding("output-locked", f"{path} cannot be written: {error.strerror}.", place=str(path))]) from error
    finally:
        shutil.rmtree(partial) if partial.is_dir() else partial.unlink(missing_ok=True)
    return path


def person_columns(aligned: Aligned, include: Iterable[str] | None = None) -> dict[str, pd.Series]:
    """Answers that go with each person, by name: one value a usable record, in order of `aligned.records`.

    Variables as categorical labels (codes that the codebook does not know stay as they are), other survey columns as they are.
    Without `include`: all variables where the survey's licence is 'open', else none.
    """
    survey, frame = aligned.survey, aligned.frame()
    if include is None:
        names = [n for n, v in survey.variables.items() if v.column in frame] if survey.licence == "open" else []
    else:
        names = list(dict.fromkeys(include))
        unknown = [n for n in names if n not in frame and (n not in survey.variables or survey.variables[n].column not in frame)]
        if unknown:
            message = f"The survey {survey.name} has no {', '.join(map(repr, unknown))}."
            raise InputError([finding("missing-column", message, place=survey.name, count=len(unknown))])
    return {name: _labels(aligned, name) if name in survey.variables else frame[name] for name in names}


def _labels(aligned: Aligned, name: str) -> pd.Series:
    """Labels of one variable, categorical in the order of its categories."""
    variable = aligned.survey.variables[name]
    code, distinct = pd.factorize(aligned.frame()[variable.column])
    known = {c.code: c.label for c in variable.categories}
    shown = [str(int(d)) if isinstance(d, float | np.floating) and float(d).is_integer() else str(d) for d in distinct]
    labels = [known.get(s, s) for s in shown]
    ordered = [label for label in dict.fromkeys([*known.values(), *labels]) if label in set(labels)]
    where = np.array([*(ordered.index(label) for label in labels), -1])
    return pd.Series(pd.Categorical.from_codes(where[code], ordered), aligned.records)


@dataclass(frozen=True, eq=False)
class _Rows:
    """Everything that a row is put together from: a value a zone, a value a record, and the counts."""

    population: Population
    by_zone: dict[str, pa.Array]
    by_record: dict[str, pa.Array]
    areas: pd.DataFrame
    counts: Iterable[DonorCounts] | None = None
    rank: np.ndarray | None = None

    @classmethod
    def of(cls, population: Population, aligned: Aligned, include, counts=None, donors="keep") -> _Rows:
        import pyarrow as pa

        places = aligned.geography.zones.reindex(population.zones)
        areas = places[list(aligned.geography.parents)]
        by_zone = {"zone": _dictionary(population.zones.astype(str))}
        for level in areas:
            by_zone[level if level not in ("person", "zone", "donor") else f"{level}_area"] = _dictionary(
                areas[level].astype("string")
            )
        kept, dropped = (isinstance(donors, str) and donors == word for word in ("keep", "drop"))
        ids = aligned.records if kept else None if dropped else donors
        by_record = {}
        if ids is not None:
            by_record["donor"] = pa.array(ids.to_numpy() if ids.dtype.kind in "iu" else ids.astype(str).to_numpy(object))
        answers = person_columns(aligned, include)
        rank = (
            None
            if kept
            else row_rank(ids, pd.DataFrame({n: v.to_numpy() for n, v in answers.items()}, range(len(aligned.records))))
        )
        for name, values in answers.items():
            taken = name in by_zone or name in ("person", "donor")
            by_record[f"{name}_of_donor" if taken else name] = pa.array(values)
        return cls(population, by_zone, by_record, areas, counts, rank)

    def in_order(self, block: DonorCounts) -> DonorCounts:
        """Put each zone's donors in the order of their rank, where they have one."""
        if self.rank is None:
            return block
        zone = np.repeat(np.arange(len(block.zones)), np.diff(block.indptr))
        order = np.lexsort((self.rank[block.record], zone))
        return DonorCounts(block.zones, block.indptr, block.record[order], block.n[order])

    def blocks(self, where: np.ndarray) -> Iterator[DonorCounts]:
        """Donors of some zones (positions), about CHUNK people at a time."""
        people = self.population.status["people"].to_numpy()[where]
        first = 0
        while first < len(where):
            last = first + max(1, int(np.searchsorted(np.cumsum(people[first:]), CHUNK, side="right")))
            yield self.population.donors(where[first:last])
            first = last

    def everybody(self) -> Iterator[DonorCounts]:
        """All people: the counts given, each zone checked to have its people, or else donors of all zones."""
        if self.counts is None:
            yield from self.blocks(np.arange(len(self.population.zones)))
            return
        left = self.population.status["people"].to_numpy(dtype=np.int64, copy=True)
        for block in self.counts:
            of_zone = self.positions(block)
            if (of_zone < 0).any() or (left[of_zone] != block.people).any() or len(set(of_zone)) < len(of_zone):
                raise ValueError("counts name a zone that the population does not have, or twice, or with other people")
            left[of_zone] = 0
            yield block
        if left.any():
            raise ValueError(f"counts lack {int((left > 0).sum()):,} zones that have people")

    def positions(self, block: DonorCounts) -> np.ndarray:
        """Positions of a block's zones in the population; -1 for others."""
        return self.population.zones.astype(str).get_indexer(block.zones.astype(str))

    def by_area(self, code: np.ndarray) -> Iterator[tuple[int, Iterable[DonorCounts]]]:
        """Yield each area (code of every zone) and its donors, once its zones are all read."""
        if self.counts is None:
            yield from ((k, self.blocks(np.flatnonzero(code == k))) for k in range(int(code.max()) + 1))
            return
        live = self.population.status["people"].to_numpy() > 0
        waiting = np.bincount(code[live], minlength=int(code.max()) + 1)
        yield from ((int(k), []) for k in np.flatnonzero(waiting == 0))
        held: dict[int, list[DonorCounts]] = {}
        for block in self.everybody():
            of_zone = self.positions(block)
            area = code[of_zone]
            for k in np.unique(area).tolist():
                mine = area == k
                held.setdefault(k, []).append(_rows_of(block, np.flatnonzero(mine)))
                waiting[k] -= int(live[of_zone[mine]].sum())
                if waiting[k] == 0:
                    yield k, held.pop(k)

    def tables(self, block: DonorCounts) -> Iterator[pa.Table]:
        """Rows of one block, at most CHUNK at a time."""
        import pyarrow as pa
        import pyarrow.compute as pc

        of_zone = self.positions(block)
        begin = np.concatenate([[0], np.cumsum(block.n, dtype=np.int64)])
        zone_begin = begin[block.indptr]
        for start in range(0, int(begin[-1]), CHUNK):
            row = np.arange(start, min(start + CHUNK, int(begin[-1])))
            record = pa.array(block.record[np.searchsorted(begin, row, side="right") - 1])
            here = np.searchsorted(zone_begin, row, side="right") - 1
            zone = pa.array(of_zone[here])
            number = pc.utf8_lpad(pc.cast(pa.array(row - zone_begin[here] + 1), pa.string()), 6, "0")
            named = pc.cast(self.by_zone["zone"].dictionary, pa.string()).take(zone)
            columns = {"person": pc.binary_join_element_wise(named, number, "-")}
            columns |= {name: values.take(zone) for name, values in self.by_zone.items()}
            columns |= {name: values.take(record) for name, values in self.by_record.items()}
            yield pa.table(columns)

    def schema(self) -> pa.Schema:
        """Columns and their types."""
        import pyarrow as pa

        return pa.schema([("person", pa.string()), *((n, v.type) for n, v in (self.by_zone | self.by_record).items())])


def _area_column(level: str) -> str:
    """Return the column of a parent level; one that is called as a column of ours gets another name."""
    return f"{level}_area" if level in ("person", "zone", "donor") else level


def _dictionary(values) -> pa.Array:
    """One value a zone as an Arrow dictionary whose codes are in order of first appearance."""
    import pyarrow as pa

    code, distinct = pd.factorize(values)
    indices = pa.array(code.astype(np.int32), mask=code < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array([str(d) for d in distinct], pa.string()))


def _rows_of(block: DonorCounts, rows: np.ndarray) -> DonorCounts:
    """Copy some zones of a block (positions), so that the block itself can go."""
    lengths = np.diff(block.indptr)[rows]
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    entry = np.arange(indptr[-1]) + np.repeat(block.indptr[rows] - indptr[:-1], lengths)
    return DonorCounts(block.zones[rows], indptr, block.record[entry], block.n[entry])


def _write_file(rows: _Rows, blocks: Iterable[DonorCounts], path: Path, kind: str, drop: str | None = None) -> None:
    """Write one file and check it. `drop` is the column that the folder's name says."""
    schema = rows.schema()
    if drop:
        schema = schema.remove(schema.get_field_index(drop))
    expected = Tally()
    with writing(path, kind, schema) as write:
        for block in blocks:
            expected.add(block.zones.astype(str), block.people)
            if "donor" in rows.by_record:
                expected.add(rows.by_record["donor"].take(block.record).to_numpy(zero_copy_only=False), block.n, "donor")
            for table in rows.tables(rows.in_order(block)):
                write(table.drop_columns([drop]) if drop else table)
    check_file(path, kind, expected, donor="donor" in rows.by_record)


def _level(aligned: Aligned, partition: str | None) -> str | None:
    """Parent level that a folder is partitioned by; None where zones nest in nothing."""
    parents = aligned.geography.parents
    if partition is not None and partition not in parents:
        message = f"Zones do not nest in {partition!r}; there are: {', '.join(parents) or 'no areas'}."
        raise InputError([finding("study-reference", message, place="partition")])
    places = aligned.geography.zones
    covering = aligned.geography.covering
    wide = [p for p in covering if len(places) >= _LEAST_ZONES * places[p].nunique()]
    return partition or (wide or list(covering[-1:]) or [None])[0]


def _write_folder(rows: _Rows, folder: Path, level: str | None) -> None:
    """One file an area, `<level>=<code>/people.parquet`, as DuckDB, Arrow and R read it."""
    from urllib.parse import quote

    folder.mkdir()
    if level is None:
        _write_file(rows, rows.everybody(), folder / "people.parquet", ".parquet")
        return
    code, areas = pd.factorize(rows.areas[level].astype("string").fillna("__HIVE_DEFAULT_PARTITION__"))
    for k, blocks in rows.by_area(code):
        place = folder / f"{level}={quote(str(areas[k]), safe='')}"
        place.mkdir()
        _write_file(rows, blocks, place / "people.parquet", ".parquet", drop=_area_column(level))
