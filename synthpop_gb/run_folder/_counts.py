"""The files of counts: who stands where, written block by block and read back the same way, in the memory of one block.

`population/counts.parquet` has zone (dictionary), donor (the survey's own record id) and n. A row group holds whole zones, and
ids ascend within a zone, so that integer ids are written as small differences (delta encoding): 82 MB and 1.8 s for 50 million
rows at zstd level 1, where level 3 saves nothing and dictionary-encoded ids take 110 MB and 2.8 s. Where whole households were
placed, `population/households.parquet` has them in the same form: zone, household, n.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.atomic import replacing
from synthpop_gb.errors import InputError, finding
from synthpop_gb.population import DonorCounts, Population, digest_counts
from synthpop_gb.run_folder._files import COUNTS, HOMES, PROFILES, remove

__all__ = [
    "counts_facts", "opened", "places_as_written", "read_counts", "read_households", "read_profiles", "write_counts",
    "write_households", "write_profiles", "writing",
]  # fmt: skip

_ROWS = 1_500_000  # of a row group, at most (whole zones): what a reader holds at once
_FACTS = b"synthpop_gb"  # key of what the counts' footer says about them
_DIGESTED, _COMPARED = 2_000_000, 50  # people up to which all donors are compared on loading, and zones that are above
_WIDEST = 50_000_000  # span of integer ids up to which a table of all of them is the fastest way to look them up


def write_counts(population: Population, folder: Path) -> dict:
    """Write `population/counts.parquet`. Returns rows, people and digest, which the file's footer holds too (`counts_facts`)."""
    return _write(folder / COUNTS, "donor", "people", population.problem.records, _blocks(population))


def write_households(population: Population, folder: Path) -> dict | None:
    """Write `population/households.parquet`: zone, household (the survey's own id), n. None where persons were placed.

    Residents of communal establishments are units of their own, under the id that the problem gives them. Returns rows, units and
    digest, as the file's footer does.
    """
    if population.problem.households is None:
        remove(folder / HOMES)  # of an earlier attempt
        return None
    return _write(folder / HOMES, "household", "units", population.problem.households, _blocks(population, population.placed))


def _write(path: Path, column: str, counted: str, ids: pd.Index, blocks: Iterator[DonorCounts]) -> dict:
    """Write zone, id and n. While a thread encodes one block, the next is placed and the digest taken."""
    import pyarrow as pa

    numbered = _are_numbers(ids)
    donor_type = pa.int64() if numbered else pa.dictionary(pa.int32(), pa.string())
    donors = np.asarray(ids, dtype=np.int64) if numbered else pa.array([str(r) for r in ids], pa.string())
    schema = pa.schema([("zone", pa.dictionary(pa.int32(), pa.string())), (column, donor_type), ("n", pa.int32())])
    encoding = {"use_dictionary": ["zone", "n"] if numbered else True}
    if numbered:
        encoding["column_encoding"] = {column: "DELTA_BINARY_PACKED"}
    facts = {"rows": 0, counted: 0}

    def encode(writer, block: DonorCounts) -> None:
        row = np.repeat(np.arange(len(block.zones), dtype=np.int32), np.diff(block.indptr))
        zone = pa.DictionaryArray.from_arrays(row, pa.array(block.zones.astype(str), pa.string()))
        donor = pa.array(donors[block.record]) if numbered else pa.DictionaryArray.from_arrays(block.record, donors)
        batch = pa.record_batch([zone, donor, pa.array(block.n)], schema=schema)
        writer.write_batch(batch, row_group_size=max(len(block.n), 1))

    def passed_on(writer, pool) -> Iterator[DonorCounts]:
        before = None
        for block in blocks:
            if before is not None:
                before.result()
            before = pool.submit(encode, writer, block)
            facts["rows"] += len(block.n)
            facts[counted] += int(block.n.sum(dtype=np.int64))
            yield block
        if before is not None:
            before.result()

    with replacing(path) as temporary, writing(temporary, schema, encoding) as writer, ThreadPoolExecutor(1) as pool:
        facts["digest"] = digest_counts(passed_on(writer, pool), ids)
        writer.add_key_value_metadata({_FACTS: json.dumps(facts).encode()})
    return facts


def _are_numbers(records: pd.Index) -> bool:
    """Say whether ids are whole numbers that 64 bits with a sign hold; all others are written as text."""
    return records.dtype.kind == "i" or (records.dtype.kind == "u" and (not len(records) or int(records.max()) < 2**63))


def _blocks(population: Population, placed: Callable | None = None) -> Iterator[DonorCounts]:
    """Blocks of whole zones with at most about `_ROWS` people, so with no more rows. placed : of zones; the people where None."""
    placed = population.donors if placed is None else placed
    people = np.cumsum(population.status["people"].to_numpy(dtype=np.int64))
    first, n_zones = 0, len(population.zones)
    while first < n_zones:
        before = people[first - 1] if first else 0
        last = max(int(np.searchsorted(people, before + _ROWS, side="right")), first + 1)
        yield placed(np.arange(first, min(last, n_zones)))
        first = last


def counts_facts(folder: str | Path, file: str = COUNTS) -> dict:
    """Return what the footer of a file of counts says: rows, people, digest. Raises as `read_counts` does."""
    with opened(Path(folder) / file) as opened_file:
        return json.loads((opened_file.metadata.metadata or {}).get(_FACTS, b"{}"))


def read_counts(folder: str | Path, records: pd.Index) -> Iterator[DonorCounts]:
    """Read `population/counts.parquet` a row group at a time: what was written, independent of whoever solved it.

    Parameters
    ----------
    folder : path
        A run's folder.
    records : pandas.Index
        The survey's record ids; positions in the counts refer to it.

    Yields
    ------
    DonorCounts
        Whole zones; zones without people have no rows, so they do not appear.

    Raises
    ------
    InputError
        `missing-file`, `unreadable-file`; `input-changed` where the file names a record that is not among `records`.
    """
    return _read(Path(folder) / COUNTS, "donor", records)


def read_households(folder: str | Path, households: pd.Index) -> Iterator[DonorCounts]:
    """Read `population/households.parquet` a row group at a time, as `read_counts` does.

    households : (n_units,) ids of what was placed (`Aligned.households.ids`, `Problem.households`); positions refer to it.
    """
    return _read(Path(folder) / HOMES, "household", households)


def _read(path: Path, column: str, ids: pd.Index) -> Iterator[DonorCounts]:
    with opened(path, read_dictionary=["zone", column]) as file:
        place = _Places(ids, str(path), column)
        seen: set[str] = set()
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, use_threads=False).combine_chunks()
            if table.num_rows == 0:
                continue
            zone = table["zone"].chunk(0)
            codes = zone.indices.to_numpy()
            starts = np.flatnonzero(np.diff(codes, prepend=-1))
            names = np.asarray(zone.dictionary.to_pylist(), dtype=object)[codes[starts]]
            if len(set(names)) < len(names) or seen.intersection(names):
                message = f"{place.file} does not hold each zone's rows together, so it was not written by a run."
                raise InputError([finding("unreadable-file", message, place=place.file)])
            seen.update(names)
            indptr = np.append(starts, len(codes)).astype(np.int64)
            yield DonorCounts(
                pd.Index(names.tolist(), name="zone"), indptr, place(table[column].chunk(0)), table["n"].chunk(0).to_numpy()
            )


class _Places:
    """Positions of record ids, looked up fast enough for 50 million of them."""

    def __init__(self, records: pd.Index, file: str, column: str):
        self.file, self._what = file, "record" if column == "donor" else column
        self._records = records
        self._lowest = 0
        self._table = None
        if _are_numbers(records) and len(records) and int(records.max()) - int(records.min()) < _WIDEST:
            self._lowest = int(records.min())
            self._table = np.full(int(records.max()) - self._lowest + 1, -1, np.int32)
            self._table[np.asarray(records, np.int64) - self._lowest] = np.arange(len(records), dtype=np.int32)

    def __call__(self, donor) -> np.ndarray:
        """(n,) int32 positions of an Arrow array of ids, plain or dictionary."""
        import pyarrow as pa

        if isinstance(donor, pa.DictionaryArray):
            known = self._records.astype(str).get_indexer(pd.Index(donor.dictionary.to_pylist(), dtype=object))
            found = known.astype(np.int32)[donor.indices.to_numpy()]
        else:
            ids = donor.to_numpy()
            if self._table is None:
                found = self._records.get_indexer(pd.Index(ids)).astype(np.int32)
            else:
                offset = ids - self._lowest
                outside = (offset < 0) | (offset >= len(self._table))
                found = self._table[np.where(outside, 0, offset)]
                found[outside] = -1
        if (found < 0).any():
            missing = donor[int(np.argmax(found < 0))].as_py()
            message = f"{self.file} places {self._what} {missing!r}, which the survey at hand does not have."
            raise InputError([finding("input-changed", message, place=self.file, count=int((found < 0).sum()))])
        return found


def places_as_written(population: Population, folder: Path, run: Mapping) -> bool:
    """Say whether a loaded population places the donors that the run wrote: a small one by the digest of all its people.

    A large one by `_COMPARED` zones evenly over all of them, against `population/counts.parquet`. Households likewise, since
    other households may have the same people. Raises as `read_counts` does.
    """
    problem = population.problem
    if population.people <= _DIGESTED:
        if population.digest() != run["digest"]:
            return False
        homes = run.get("households", {}).get("digest")
        return homes is None or homes == digest_counts([population.placed()], problem.units)
    where = np.unique(np.linspace(0, len(population.zones) - 1, _COMPARED).astype(np.int64))
    asked = population.zones[where].astype(str)
    files = [(read_counts, problem.records, population.donors)]
    files += [] if problem.households is None else [(read_households, problem.households, population.placed)]
    return all(
        digest_counts((_rows_of(block, asked) for block in read(folder, ids)), ids) == digest_counts([placed(where)], ids)
        for read, ids, placed in files
    )


def _rows_of(block: DonorCounts, zones: pd.Index) -> DonorCounts:
    """Those rows of a block that are of the zones."""
    rows = np.flatnonzero(block.zones.isin(zones))
    lengths = np.diff(block.indptr)[rows]
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    entry = np.arange(indptr[-1]) + np.repeat(block.indptr[rows] - indptr[:-1], lengths)
    return DonorCounts(block.zones[rows], indptr, block.record[entry], block.n[entry])


def write_profiles(population: Population, folder: Path) -> None:
    """Write `population/profiles.parquet`: zone, profile, replicate, n."""
    import pyarrow as pa

    schema = pa.schema(
        [("zone", pa.dictionary(pa.int32(), pa.string())), ("profile", pa.int32()), ("replicate", pa.int16()), ("n", pa.int32())]
    )
    names = pa.array(population.zones.astype(str), pa.string())
    indptr, n_zones = population.indptr, len(population.zones)
    encoding = {"use_dictionary": ["zone", "n", "replicate"], "column_encoding": {"profile": "DELTA_BINARY_PACKED"}}
    with replacing(folder / PROFILES) as temporary, writing(temporary, schema, encoding) as writer:
        for first in range(0, n_zones, 1024):
            last = min(first + 1024, n_zones)
            a, b = indptr[first], indptr[last]
            zone = np.repeat(np.arange(last - first, dtype=np.int32), np.diff(indptr[first : last + 1]))
            columns = [
                pa.DictionaryArray.from_arrays(zone, names[first:last]), pa.array(population.profile[a:b]),
                pa.array(np.zeros(b - a, np.int16)), pa.array(population.count[a:b]),
            ]  # fmt: skip
            writer.write_batch(pa.record_batch(columns, schema=schema), row_group_size=max(int(b - a), 1))


def read_profiles(folder: Path, zones: pd.Index) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read `population/profiles.parquet` as sparse rows in the order of `zones`: (indptr, profile, count).

    Raises InputError (`missing-file`, `unreadable-file`; `input-changed` where it names another zone).
    """
    lengths, codes = np.zeros(len(zones), np.int64), zones.astype(str)
    with opened(folder / PROFILES, read_dictionary=["zone"]) as file:
        for row, _ in _profile_rows(file, ["zone"], codes, folder):
            lengths += np.bincount(row, minlength=len(zones))
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        profile, count = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.int32)
        for row, table in _profile_rows(file, ["zone", "profile", "n"], codes, folder):
            starts = np.flatnonzero(np.diff(row, prepend=-1))  # a zone's rows lie together, in order, in one row group
            into = np.repeat(indptr[row[starts]] - starts, np.diff(np.append(starts, len(row)))) + np.arange(len(row))
            profile[into], count[into] = table["profile"].chunk(0).to_numpy(), table["n"].chunk(0).to_numpy()
    return indptr, profile, count


def _profile_rows(file, columns: list[str], codes: pd.Index, folder: Path) -> Iterator[tuple[np.ndarray, object]]:
    """Yield a row group at a time: position of each row's zone among `codes`, and the table."""
    for group in range(file.num_row_groups):
        table = file.read_row_group(group, columns=columns, use_threads=False).combine_chunks()
        if table.num_rows:
            zone = table["zone"].chunk(0)
            where = codes.get_indexer(pd.Index(zone.dictionary.to_pylist(), dtype=object))
            if (where < 0).any():
                message = f"{folder / PROFILES} holds zones that the problem does not have."
                raise InputError([finding("input-changed", message, place=str(folder / PROFILES))])
            yield where[zone.indices.to_numpy()], table


def writing(path: Path, schema, encoding: dict):
    """Open a Parquet writer with the compression measured best above."""
    import pyarrow.parquet as pq

    return pq.ParquetWriter(path, schema, compression="zstd", compression_level=1, write_statistics=["zone"], **encoding)


def opened(path: Path, **options):
    """Open a Parquet file of ours, or say what is wrong with it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path, **options)
    except FileNotFoundError:
        raise InputError(
            [finding("missing-file", f"{path} is missing.", place=str(path), remedy="Run the study again.")]
        ) from None
    except pa.ArrowInvalid as error:
        raise InputError([finding("unreadable-file", f"{path} is no Parquet file: {error}.", place=str(path))]) from None
