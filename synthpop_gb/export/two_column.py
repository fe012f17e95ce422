"""A population as two columns, zone and donor, one row a person: the form that SIPHER's is published in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from synthpop_gb.atomic import replacing
from synthpop_gb.errors import InputError, finding
from synthpop_gb.export._rows import CHUNK, guarded, writing
from synthpop_gb.export._target import kind_of
from synthpop_gb.population import DonorCounts, Population, ZoneDonors

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["two_column"]


def two_column(
    population: Population | ZoneDonors,
    path: str | Path,
    *,
    columns: tuple[str, str] = ("ZoneID", "pidp"),
    counts: Iterable[DonorCounts] | None = None,
    overwrite: bool = False,
    unit: Literal["person", "household"] = "person",
) -> Path:
    """Write one row a person: the zone's code and the survey's own id of the record that the person is a copy of.

    Parameters
    ----------
    population : Population or ZoneDonors
        Who is written, a block of zones at a time.
    path : path
        '.csv', '.csv.gz' or '.parquet'. An id in text that a spreadsheet would run as a formula gets a ' in front in CSV.
    columns : (str, str)
        Names of the two columns.
    counts : iterable of DonorCounts, optional
        Who is written instead: what a run's folder holds (`run_folder.read_counts`, `run_folder.read_households`).
    overwrite : bool
        Replace an existing file.
    unit : str
        'household': one row a household, with the survey's own id of it. Residents of communal establishments have none.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        `study-value` for another ending or two columns of one name; `output-exists`; `output-locked`.
    ValueError
        Where households are asked of a population of persons.
    OSError
        Where what was read back does not hold the same people: zone, donor and how often they go together.

    Examples
    --------
    >>> import tempfile
    >>> from synthpop_gb import solve
    >>> from synthpop_gb.testing import small_problem
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = two_column(solve(small_problem(), seed=1), Path(folder, "people.csv"))
    ...     lines = file.read_text().splitlines()
    >>> lines[0].replace('"', ""), len(lines)
    ('ZoneID,pidp', 31)
    """
    path = Path(path)
    if columns[0] == columns[1]:
        raise InputError([finding("study-value", f"Both columns are called {columns[0]!r}.", place="columns")])
    kind = kind_of(path, overwrite)
    if unit == "household":
        counts, ids = _households(population, counts)
    else:
        lone = isinstance(population, ZoneDonors)
        ids = population.donors if lone else population.problem.records
        if counts is None:
            counts = [population.counts] if lone else population.blocks()
    with replacing(path) as temporary:
        _write(counts, ids, temporary, kind, columns)
    return path


def _households(
    population: Population | ZoneDonors, counts: Iterable[DonorCounts] | None
) -> tuple[Iterable[DonorCounts], pd.Index]:
    """Return counts of households, without residents of communal establishments, and what positions in them refer to."""
    if isinstance(population, ZoneDonors) or population.problem.households is None:
        raise ValueError("this population is of persons: no survey of whole households was given")
    problem = population.problem
    communal = np.zeros(len(problem.households), bool)
    if problem.communal is not None:
        communal[problem.donor] = problem.communal[problem.donor_profile]
    zones = np.arange(len(population.zones))
    counts = (population.placed(part) for part in np.array_split(zones, len(zones) // 512 + 1)) if counts is None else counts
    return (block.without(communal) for block in counts), problem.households


def _write(counts: Iterable[DonorCounts], ids: pd.Index, path: Path, kind: str, columns: tuple[str, str]) -> None:
    """Write all rows, read them back, and compare the checksums of both."""
    import pyarrow as pa

    whole = ids.dtype.kind in "iu"
    donors = pa.array(ids.to_numpy() if whole else ids.astype(str).to_numpy(object))
    # Parquet keeps the few distinct values of each column once; in CSV they are written out
    donor_type = donors.type if whole else pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema([(columns[0], pa.dictionary(pa.int32(), pa.string())), (columns[1], donor_type)])
    meant = _Sum(ids, kind != ".parquet")
    with writing(path, kind, schema) as write:
        for block in counts:
            for zone, record in _people(block):
                names = pa.DictionaryArray.from_arrays(zone, pa.array(block.zones.astype(str), pa.string()))
                people = donors.take(pa.array(record)) if whole else pa.DictionaryArray.from_arrays(record, donors)
                write(pa.table([names, people], names=list(columns)))
            meant.add_counts(block)
    found = _Sum(ids, kind != ".parquet")
    for zone, donor in _read(path, kind):
        found.add_rows(zone, donor)
    if found.total != meant.total or found.rows != meant.rows:
        raise OSError(f"{path} was not written: it does not hold the {meant.rows:,} people meant, but {found.rows:,} others")


def _people(block: DonorCounts) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(positions of zones, records) of one row a person, at most CHUNK rows at a time."""
    begin = np.concatenate([[0], np.cumsum(block.n, dtype=np.int64)])
    for first in range(0, int(begin[-1]), CHUNK):
        last = min(first + CHUNK, int(begin[-1]))
        entry = np.searchsorted(begin, np.array([first, last - 1]), side="right") - 1
        entries = np.arange(entry[0], entry[1] + 1)
        times = np.minimum(begin[entries + 1], last) - np.maximum(begin[entries], first)
        zone = np.searchsorted(block.indptr, entries, side="right") - 1
        yield np.repeat(zone.astype(np.int32), times), np.repeat(block.record[entries].astype(np.int32), times)


class _Sum:
    """Checksum of rows of zone and donor that does not hang on their order: the sum of a 64-bit mix of each row's two values.

    Mixing: splitmix64's finaliser (Steele, Lea & Flood 2014). Two different populations agree by chance once in 2^64.
    """

    def __init__(self, ids: pd.Index, text: bool):
        self.rows, self.total = 0, 0
        self._text = text
        self._ids = np.array([self._word(i) for i in ids.tolist()], np.uint64)

    def _word(self, value) -> int:
        """Hash a value as it stands in the file."""
        written = guarded(value) if self._text and isinstance(value, str) else str(value)
        return _hash(written)

    def add_counts(self, block: DonorCounts) -> None:
        """Add people as they were meant."""
        zones = np.array([self._word(str(z)) for z in block.zones], np.uint64)
        zone = np.repeat(zones, np.diff(block.indptr))
        self._add(zone, self._ids[block.record], block.n.astype(np.uint64))
        self.rows += int(block.n.sum(dtype=np.int64))

    def add_rows(self, zone: pa.DictionaryArray, donor: pa.DictionaryArray) -> None:
        """Add rows as they were read."""
        words = [
            np.array([_hash(str(v)) for v in c.dictionary.to_pylist()], np.uint64)[c.indices.to_numpy()] for c in (zone, donor)
        ]
        self._add(*words, np.ones(len(zone), np.uint64))
        self.rows += len(zone)

    def _add(self, zone: np.ndarray, donor: np.ndarray, times: np.ndarray) -> None:
        x = zone * np.uint64(3) + donor  # not symmetric: a zone is no donor
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
        x ^= x >> np.uint64(31)
        self.total = (self.total + int((x * times).sum(dtype=np.uint64))) % 2**64


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def _read(path: Path, kind: str) -> Iterator[tuple[pa.DictionaryArray, pa.DictionaryArray]]:
    """Both columns of a written file as dictionaries, a batch at a time."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    if kind == ".parquet":
        with parquet.ParquetFile(path) as file:
            texts = [f.name for f in file.schema_arrow if not pa.types.is_integer(f.type)]
        with parquet.ParquetFile(path, read_dictionary=texts) as file:
            batches = file.iter_batches(batch_size=CHUNK)
            yield from (tuple(c if pa.types.is_dictionary(c.type) else c.dictionary_encode() for c in b.columns) for b in batches)
        return
    with ExitStack() as stack:
        source = stack.enter_context(pa.OSFile(str(path), "rb"))
        if kind == ".csv.gz":
            source = stack.enter_context(pa.CompressedInputStream(source, "gzip"))
        names = ["zone", "donor"]
        coded = dict.fromkeys(names, pa.dictionary(pa.int32(), pa.string()))
        read, convert = csv.ReadOptions(column_names=names, skip_rows=1), csv.ConvertOptions(column_types=coded)
        yield from (tuple(b.columns) for b in csv.open_csv(source, read, convert_options=convert))
