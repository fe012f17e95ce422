"""Rows of zone, donor and count, a batch at a time, from text or Parquet; and which columns hold them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.read._files import _head, _stream
from synthpop_gb.read._labels import bare, key
from synthpop_gb.read._numbers import number_of
from synthpop_gb.read._sheet import refuse_file
from synthpop_gb.read._text import Layout, examine_text
from synthpop_gb.read._zones import _ZONE_NAMES, GSS

__all__ = ["Rows", "open_rows"]

_BYTES, _ROWS = 1 << 23, 1 << 19  # of text, or of Parquet, decoded at once: every batch looks up each of its distinct ids
_IDS = (
    r".*pidp",
    r"donor(id)?",
    r".*(record|indiv(idual)?)(id|no|number)?|id|pid|uid|serial(num(ber)?)?",
    r".*person(id|no|number)?",
)
"""Names of the donor's column, likeliest first: a file of people may number them as well."""
_COUNTS = re.compile(r"(n|count|counts|freq|frequency|people|persons|copies|weight)$")
_TEXT = pa.dictionary(pa.int32(), pa.string())


@dataclass
class Rows:
    """An open file: `batches()` yields (zone, donor, count or None) as Arrow dictionaries of text.

    names : the columns, as the header calls them; findings : about the layout; broken : how many rows have other numbers of
    cells, and `first_broken` the first; cut : the last line, where the file does not end with a line's end.
    """

    path: Path
    names: tuple[str, ...]
    findings: list[Finding] = field(default_factory=list)
    broken: int = 0
    first_broken: str = ""
    cut: str = ""
    layout: Layout | None = None
    taken: tuple[str, ...] = ()

    def batches(self) -> Iterator[tuple]:
        """Yield the columns of each batch. Raises InputError (`unreadable-file`) where the file is damaged."""
        try:
            for batch in _text_batches(self) if self.layout else _parquet_batches(self):
                columns = [_as_dictionary(batch.column(name)) for name in self.taken]
                yield (*columns, None)[:3]
        except (pa.ArrowException, OSError) as error:
            said = str(error).splitlines()[0]
            raise refuse_file("unreadable-file", f"{self.path.name} cannot be read to its end: {said}.", self.path) from None


def open_rows(path: str | Path, zone: str | None, donor: str | None, n: str | None) -> Rows:
    """Open a file and tell its columns apart.

    Raises InputError: `missing-file`, `unreadable-file`, `missing-column`, `unknown-layout`.
    """
    path = Path(path)
    head = _head(path)
    if head[:2] == b"PK":
        remedy = "Unpack it, and read the file of rows in it."
        raise refuse_file("unreadable-file", f"{path.name} is a zip or a workbook.", path, remedy=remedy)
    if head[:4] == b"PAR1":
        try:
            with pq.ParquetFile(path) as file:
                names = [c for c in file.schema_arrow.names if not re.fullmatch(r"__index_level_\d+__", c)]
                first = next(file.iter_batches(batch_size=500, columns=names), None)
        except (pa.ArrowException, OSError) as error:
            raise refuse_file("unreadable-file", f"{path.name} is a damaged Parquet file: {error}.", path) from None
        sample = {name: [] if first is None else [str(v) for v in first.column(name).to_pylist()] for name in names}
        rows = Rows(path, ())
    else:
        layout = examine_text(path, path.name, lambda: _stream(path, head))
        rows = Rows(path, (), layout=layout, cut=_last_line(path, head, layout))
        layout = rows.layout = _with_header(layout, rows)
        names = layout.names
        body = layout.rows[layout.header + 1 : layout.header + 500]
        sample = {name: [r[i].strip() for r in body if len(r) > i] for i, name in enumerate(names)}
        if layout.encoding != "utf-8":
            message = f"{path.name} is not UTF-8; it was read as {layout.encoding}."
            rows.findings.append(finding("encoding", message, place=str(path)))
    rows.taken = _columns(path, sample, zone, donor, n)
    rows.names = tuple(bare(name) for name in rows.taken)
    for name in rows.taken:
        if sum(bare(other) == bare(name) for other in names) > 1:
            message = f"{path.name} has several columns called {bare(name)!r}."
            raise refuse_file("unknown-layout", message, path, remedy="Give each column a name of its own.")
    return rows


def _with_header(layout: Layout, rows: Rows) -> Layout:
    """Name the columns of a file that begins with data."""
    first = layout.rows[layout.header]
    if not any(GSS.fullmatch(cell.strip()) or number_of(cell) is not None for cell in first):
        return layout
    names = [f"column {i + 1}" for i in range(len(first))]
    message = f"{rows.path.name} has no row of column names; its columns were told apart by what they hold."
    rows.findings.append(finding("unknown-layout", message, place=str(rows.path), level="note", remedy="Nothing, if they are."))
    return Layout(layout.encoding, layout.delimiter, names, layout.skip, [names, *layout.rows[layout.header :]], 0)


def _columns(path: Path, sample: dict[str, list[str]], zone: str | None, donor: str | None, n: str | None) -> tuple[str, ...]:
    """Return the columns of zone, donor and, where there is one, count."""
    names = list(sample)
    given = {}
    lower = {bare(name).casefold(): name for name in reversed(names)}
    findings = []
    for what, wanted in (("zone", zone), ("donor", donor), ("n", n)):
        given[what] = None if wanted is None else lower.get(wanted.casefold())
        if wanted is not None and given[what] is None:
            there = ", ".join(bare(x) for x in names[:10])
            message = f"{path.name} has no column {wanted!r} ({what}). There are: {there}."
            findings.append(finding("missing-column", message, place=str(path)))
    if findings:
        raise InputError(findings)
    left = [x for x in names if x not in given.values()]
    zone = given["zone"] or _first(
        [x for x in left if _share_of_codes(sample[x]) >= 0.5 and not re.fullmatch(r"(lad|msoa|region|ward|iz)\w*", key(bare(x)))]
        or [x for x in left if _ZONE_NAMES.match(key(bare(x)))]
    )
    left = [x for x in left if x != zone]
    donor = given["donor"] or _first([x for like in _IDS for x in left if re.fullmatch(like, key(bare(x)))])
    n = given["n"] or _first([x for x in left if _COUNTS.match(key(bare(x))) and x != donor])
    if donor is None and zone is not None and len(rest := [x for x in left if x != n]) == 1:
        donor = rest[0]
    if zone is None or donor is None:
        if len(names) == 1:
            message = f"{path.name} has a single column, {bare(names[0])[:60]!r}: its cells are divided by no comma, tab, ; or |."
        else:
            there = ", ".join(bare(x) for x in names[:10])
            message = f"{path.name}: which column holds the {'zones' if zone is None else 'donors'} cannot be told from {there}."
        remedy = "Name the columns of zone and donor."
        raise refuse_file("unknown-layout", message, path, remedy=remedy)
    return (zone, donor) if n is None else (zone, donor, n)


def _first(names: list[str]) -> str | None:
    return names[0] if names else None


def _share_of_codes(values: list[str]) -> float:
    some = [v for v in values if v]
    return sum(bool(GSS.fullmatch(v)) for v in some) / len(some) if some else 0.0


def _last_line(path: Path, head: bytes, layout: Layout) -> str:
    """Return the last line of a plain file that does not end with a line's end; '' where it does, or is packed."""
    if head[:2] == b"\x1f\x8b" or layout.encoding == "utf-16":
        return ""
    with open(path, "rb") as file:
        file.seek(max(path.stat().st_size - 4096, 0))
        tail = file.read()
    return "" if tail.endswith((b"\n", b"\r")) else re.split(rb"[\r\n]", tail)[-1].decode(layout.encoding, "replace")


def _text_batches(rows: Rows) -> Iterator[pa.RecordBatch]:
    """Decode text eight megabytes at a time, every column as codes of the distinct texts in the batch."""

    def keep(row) -> str:
        rows.broken += 1
        rows.first_broken = rows.first_broken or (row.text or "")[:200]
        return "skip"

    layout, head = rows.layout, _head(rows.path)
    unnamed = layout.names[0] == "column 1" and layout.rows[0] == layout.names
    read = pa_csv.ReadOptions(
        column_names=layout.names, skip_rows=layout.skip + (not unnamed), block_size=_BYTES, encoding=layout.encoding
    )
    parse = pa_csv.ParseOptions(delimiter=layout.delimiter, invalid_row_handler=keep)
    convert = pa_csv.ConvertOptions(
        include_columns=list(rows.taken), column_types=dict.fromkeys(rows.taken, _TEXT), null_values=[""],
        strings_can_be_null=True, quoted_strings_can_be_null=True,
    )  # fmt: skip
    with _stream(rows.path, head) as stream:
        try:
            reader = pa_csv.open_csv(stream, read, parse, convert)
        except pa.ArrowInvalid as error:
            if "Empty CSV file" in str(error):
                raise refuse_file("unreadable-file", f"{rows.path.name} has column names but no rows.", rows.path) from None
            raise
        yield from reader


def _parquet_batches(rows: Rows) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(rows.path) as file:
        coded = [f.name for f in file.schema_arrow if f.name in rows.taken and _holds_text(f.type)]
    with pq.ParquetFile(rows.path, read_dictionary=coded) as file:
        yield from file.iter_batches(batch_size=_ROWS, columns=list(rows.taken))


def _holds_text(kind: pa.DataType) -> bool:
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.types.is_string(inner) or pa.types.is_large_string(inner)


def _as_dictionary(column: pa.Array) -> pa.DictionaryArray:
    """Return an array as a dictionary of its distinct values."""
    return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
