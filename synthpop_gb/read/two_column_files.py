"""Populations as two columns, zone and donor (SIPHER's `ZoneID,pidp`): fifty million rows in a stream, checked as they pass.

Whoever holds such a file and the licensed survey has the population; the file alone names records of people nobody can look up.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.errors import refuse
from synthpop_gb.population import DonorCounts, ZoneDonors
from synthpop_gb.provenance import InputFile
from synthpop_gb.read._numbers import number_of
from synthpop_gb.read._sheet import stem_of
from synthpop_gb.read._two_column_checks import row_findings, survey_findings, vintage_of, zone_findings
from synthpop_gb.read._two_column_rows import open_rows

__all__ = ["two_column", "vintage_of"]

_PENDING = 1 << 26  # rows held before they are folded into sparse rows: half a gigabyte
_DISTINCT = 5_000_000  # donors or zones that a file may name; more are no donors


def two_column(
    path: str | Path,
    *,
    records: pd.Index | None = None,
    zone: str | None = None,
    donor: str | None = None,
    n: str | None = None,
    zones: Iterable[str] | None = None,
) -> ZoneDonors:
    r"""Read a population of one row a person: zone and id of the survey record copied, or one row a zone and donor with a count.

    Memory grows with the distinct pairs of zone and donor (8 bytes each) and not with the rows; at most 64 million rows are held.

    Parameters
    ----------
    path : path
        CSV or other delimited text (.csv, .csv.gz, .tab ...; with a header or without), or Parquet.
    records : pandas.Index, optional
        The survey's record ids. Ids of the file that only differ in writing (68001367.0, 00012 for 12) are taken for them, with
        a finding; those that the survey does not hold are counted and left out. Without it any id is taken.
    zone, donor, n : str, optional
        Columns. Where absent, the zone's is the one with area codes, else one named like it; the donor's is named like an id,
        or the only other; the count's is named n, count, people ...; without one each row is one person.
    zones : iterable of str, optional
        Zone codes that the file should hold; others, and those lacking, are findings.

    Returns
    -------
    ZoneDonors

    Raises
    ------
    InputError
        With everything found, where something makes the file useless: `missing-file`, `unreadable-file`, `unknown-layout`,
        `missing-column`, `truncated-file`, `lost-digits`, `unknown-donor` (for most people), `zone-vintage`, `mixed-levels`,
        `not-a-number`, `negative-count`. Warnings and notes travel with what is returned: `missing-value`, `rows-without-zone`,
        `ragged-rows`, `repeated-rows`, `unknown-donor`, `unused-donors`, `unknown-zone`, `missing-zone`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "people.csv")
    ...     _ = file.write_text("ZoneID,pidp\nE01000001,7\nE01000001,7\nE01000002,9\n")
    ...     read = two_column(file)
    >>> read.people, read.counts.n.tolist(), read.donors.tolist()
    (3, [2, 1], [7, 9])
    """
    path = Path(path)
    rows = open_rows(path, zone, donor, n)
    with ThreadPoolExecutor(1) as pool:
        hashed = pool.submit(InputFile.of, path)
        gathered = _Gathered(_Codes(_DISTINCT), _Codes(_DISTINCT), header=rows.names)
        for batch in rows.batches():
            gathered.take(*batch)
        source = hashed.result()
    found = [*rows.findings, *row_findings(rows, gathered)]
    position, donors, findings = survey_findings(gathered.donor.texts, gathered.copies(), records, path)
    found += findings
    unknown = gathered.lost(position)
    counts = _ordered(gathered, position)
    found += zone_findings(counts, zones, path)
    refuse(found)
    return ZoneDonors(stem_of(path), counts, donors, gathered.rows, rows.names, unknown, source, tuple(found))


@dataclass
class _Codes:
    """Distinct texts of a column in order of first appearance; outer spaces do not count, blanks have the code -1."""

    most: int
    place: dict[str, int] = field(default_factory=dict)
    full: bool = False

    @property
    def texts(self) -> list[str]:
        """The texts, in the order of their codes."""
        return list(self.place)

    def of(self, column) -> np.ndarray:
        """(n,) int32 codes of an Arrow dictionary; -2 for texts beyond the most that are kept."""
        move = np.array([self._code(v) for v in column.dictionary.to_pylist()] + [-1], np.int32)
        return move[column.indices.fill_null(len(move) - 1).to_numpy(zero_copy_only=False)]

    def _code(self, value) -> int:
        text = "" if value is None else _text(value)
        if not text:
            return -1
        if text not in self.place and len(self.place) >= self.most:
            self.full = True
            return -2
        return self.place.setdefault(text, len(self.place))


def _text(value) -> str:
    """Write an id as text: floats of Parquet files with all their digits, so that a whole one is told by its '.0'."""
    return value.strip() if isinstance(value, str) else str(value)


@dataclass
class _Gathered:
    """Rows as codes, folded into sparse rows when there are many; and how many there were of each kind."""

    zone: _Codes
    donor: _Codes
    header: tuple[str, ...]
    rows: int = 0
    no_zone: int = 0
    no_donor: int = 0
    headers: int = 0
    wrong_n: dict[str, int] = field(default_factory=dict)
    pending: list[tuple[np.ndarray, np.ndarray, np.ndarray | None]] = field(default_factory=list)
    held: int = 0

    def take(self, zone, donor, n) -> None:
        """Take one batch."""
        z, d = self.zone.of(zone), self.donor.of(donor)
        self.rows += len(z)
        z, d, n = self._without_headers(z, d, n)
        self.no_zone += int((z == -1).sum())
        self.no_donor += int(((d == -1) & (z != -1)).sum())
        if n is not None:
            count = self._numbers(n)
            z = np.where(count > 0, z, -1).astype(np.int32)
            n = np.maximum(count, 1).astype(np.int32)
        self.pending.append((z, d, n))
        self.held += len(z)
        if self.held > _PENDING:
            self.fold()

    def _without_headers(self, z, d, n):
        """Leave out rows that repeat the header, as in files put together."""
        at = self.zone.place.get(self.header[0])
        if at is None:
            return z, d, n
        again = z == at
        self.headers += int(again.sum())
        return z[~again], d[~again], None if n is None else n.filter(_mask(~again))

    def _numbers(self, column) -> np.ndarray:
        """(n,) int64 counts; nought where there is no usable one, which is noted by its text."""
        values = [_text(v) if v is not None else "" for v in column.dictionary.to_pylist()] + [""]
        numbers = [number_of(v) if v else None for v in values]
        good = np.array([m is not None and m >= 0 and float(m).is_integer() and m < 2**31 for m in numbers])
        code = column.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False)
        for at, times in zip(*np.unique(code[~good[code]], return_counts=True), strict=True):
            self.wrong_n[values[at]] = self.wrong_n.get(values[at], 0) + int(times)
        return np.array([int(m) if ok else 0 for m, ok in zip(numbers, good, strict=True)], np.int64)[code]

    def fold(self) -> None:
        """Fold what is pending into sparse rows, which are then the only thing pending."""
        same = (np.arange(len(codes.place), dtype=np.int32) for codes in (self.zone, self.donor))
        indptr, record, people = self.folded(*same)
        self.pending = [(np.repeat(np.arange(len(indptr) - 1, dtype=np.int32), np.diff(indptr)), record, people)]
        self.held = len(record)

    def folded(self, zone_of: np.ndarray, donor_of: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sparse rows (indptr, donor, people) of all that is pending, which goes on the way.

        zone_of, donor_of : int32 new position of each code; -1 leaves its rows out.
        """
        from synthpop_gb.kernels.zone_rows import merge_zones, scatter_rows

        zone_of, donor_of = np.append(zone_of, [-1, -1]), np.append(donor_of, [-1, -1])  # codes -2 and -1 are of nobody
        size = np.zeros(int(zone_of.max()) + 1, np.int64)
        for at, (z, d, n) in enumerate(self.pending):
            z, d = zone_of[z], donor_of[d]
            size += np.bincount(z[(z >= 0) & (d >= 0)], minlength=len(size))
            self.pending[at] = z, d, n
        start = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
        packed, place = np.empty(int(start[-1]), np.int64), start[:-1].copy()
        for at, (z, d, n) in enumerate(self.pending):
            scatter_rows(z, d, np.zeros(0, np.int32) if n is None else n, place, packed)
            self.pending[at] = None  # free it: rows and sparse rows are not held together
        self.pending = []
        indptr = np.empty(len(start), np.int64)
        if merge_zones(start, packed, indptr) >= 2**31:
            raise OverflowError("a zone holds more than 2,147,483,647 copies of one donor")
        packed = packed[: indptr[-1]]
        people = (packed & 0xFFFFFFFF).astype(np.int32)
        packed >>= 32
        return indptr, packed.astype(np.int32), people

    def copies(self) -> np.ndarray:
        """(n_ids,) int64: people by code of the donor, in rows that have a zone."""
        people = np.zeros(len(self.donor.place), np.int64)
        for z, d, n in self.pending:
            good = (z >= 0) & (d >= 0)
            people += np.bincount(d[good], None if n is None else n[good], len(people)).astype(np.int64)
        return people

    def lost(self, position: np.ndarray) -> pd.Series:
        """People by zone code whose donor's position is below nought; zones without any are left out."""
        lost = np.append(position < 0, [False, False])
        people = np.zeros(len(self.zone.place), np.int64)
        for z, d, n in self.pending:
            here = lost[d] & (z >= 0)
            people += np.bincount(z[here], None if n is None else n[here], len(people)).astype(np.int64)
        found = pd.Series(people, pd.Index(self.zone.texts, name="zone", dtype=object), name="people")
        return found[found > 0].sort_index()


def _ordered(gathered: _Gathered, position: np.ndarray) -> DonorCounts:
    """Sparse rows of everybody, zones in order of their codes; zones all of whose rows were left out are not among them."""
    texts = np.array(gathered.zone.texts, dtype=object)
    order = np.argsort(texts.astype(str), kind="stable") if len(texts) else np.zeros(0, np.int64)
    rank = np.empty(len(texts), np.int32)
    rank[order] = np.arange(len(texts))
    indptr, record, n = gathered.folded(rank, position.astype(np.int32))
    if not len(texts):
        return DonorCounts(pd.Index([], name="zone", dtype=object), np.zeros(1, np.int64), record, n)
    some = np.append(np.diff(indptr) > 0, True)
    return DonorCounts(pd.Index(texts[order][some[:-1]], name="zone"), indptr[np.roll(some, 1)], record, n)


def _mask(keep: np.ndarray):
    import pyarrow as pa

    return pa.array(keep)
