"""Delimited text: encoding, delimiter, preamble and header are told from the beginning, then pyarrow reads the rows."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from synthpop_gb.errors import Finding, finding
from synthpop_gb.read._numbers import number_of
from synthpop_gb.read._sheet import Sheet, refuse_file

__all__ = ["Layout", "examine_text", "open_text"]

SNIFFED = 1 << 16
"""Bytes of a file that are looked at to find out what it is."""
_DELIMITERS = (",", "\t", ";", "|")


@dataclass(frozen=True)
class Layout:
    """What a text file is: encoding, delimiter, distinct column names, physical lines above the rows, and its first rows.

    `rows` holds the beginning of the file, split; `header` says which of them holds the names.
    """

    encoding: str
    delimiter: str
    names: list[str]
    skip: int
    rows: list[list[str]]
    header: int


def examine_text(path: Path, name: str, opener) -> Layout:
    """Tell from a file's beginning how it is laid out. Raises InputError (`unreadable-file`) where it is no table."""
    try:
        with opener() as stream:
            raw = stream.read(SNIFFED)
    except OSError as error:
        raise refuse_file("unreadable-file", f"{name} cannot be unpacked: {error}.", path) from None
    encoding, text = _decode(bytes(raw))
    if re.match(r"\s*<(!doctype|html|\?xml)", text, re.IGNORECASE):
        title = re.search(r"<title>\s*(.*?)\s*</title>", text, re.IGNORECASE | re.DOTALL)
        said = f" that says {title[1][:80]!r}" if title else ""
        message = f"{name} is no table but a web page{said}: the download failed."
        raise refuse_file("unreadable-file", message, path, remedy="Download it again.")
    if "\x00" in text or not text.strip():
        raise refuse_file("unreadable-file", f"{name} is {'empty' if not text.strip() else 'not text'}.", path)
    delimiter, rows, lines = _shape(text, len(raw) == SNIFFED)
    header, skip = _header(rows, lines)
    if header is None:
        message = f"{name} is not a table: no row of column names was found."
        raise refuse_file("unreadable-file", message, path)
    return Layout(encoding, delimiter, _column_names(rows[header]), skip, rows, header)


def open_text(path: Path, name: str, opener, findings: list[Finding], member: str = "") -> Sheet:
    """Read delimited text from what `opener()` returns (called again where a second look is needed)."""
    seen = examine_text(path, name, opener)
    encoding, names, rows, header = seen.encoding, seen.names, seen.rows, seen.header
    table, broken = _parse(path, name, opener, encoding, seen.delimiter, names, seen.skip, rows[header:])
    if encoding != "utf-8":
        findings.append(finding("encoding", f"{name} is not UTF-8; it was read as {encoding}.", place=str(path)))
    table = _without_headers(table, names)
    table = table.drop_columns([n for n in names if n.startswith("\x00") and table[n].null_count == len(table)])
    if not len(table):
        raise refuse_file("unreadable-file", f"{name} has column names but no rows.", path)
    return Sheet(path, table, rows[:header], findings, member, broken)


def _without_headers(table: pa.Table, names: list[str]) -> pa.Table:
    """Leave out header rows that stand again among the data, as in pages of one download put together."""
    first = table.column(0)
    if not pa.types.is_string(first.type) or names[0].startswith("\x00"):
        return table
    again = pc.equal(first, names[0]).fill_null(False)
    return table.filter(pc.invert(again)) if pc.any(again).as_py() else table


def _decode(raw: bytes) -> tuple[str, str]:
    """Return encoding and text of a file's beginning; a multi-byte character may be cut at its end."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16", raw.decode("utf-16", errors="ignore")
    try:
        return "utf-8", raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start >= len(raw) - 4 and len(raw) == SNIFFED:
            return "utf-8", raw[: error.start].decode("utf-8-sig")
        return "latin-1", raw.decode("latin-1")


def _shape(text: str, cut: bool) -> tuple[str, list[list[str]], list[int]]:
    """Delimiter, first rows, and the physical line on which each row starts."""
    best: tuple[int, str, list[list[str]], list[int]] | None = None
    for delimiter in _DELIMITERS:
        rows, lines = [], [0]
        reader = csv.reader(io.StringIO(text), delimiter=delimiter)
        try:
            for row in reader:
                rows.append(row)
                lines.append(reader.line_num)
        except csv.Error:
            pass
        if cut and len(rows) > 1:
            rows.pop()
        widths = [len(r) for r in rows[:400] if len(r) > 1]
        common = max(set(widths), key=widths.count) if widths else 0
        score = widths.count(common) * min(common, 4)
        if best is None or score > best[0]:
            best = (score, delimiter, rows, lines)
    return best[1:]


def _header(rows: list[list[str]], lines: list[int]) -> tuple[int | None, int]:
    """Index of the row of column names, and how many physical lines stand above it.

    Rows of data are those with numbers; the names stand in the first well-filled row of the block above the first of them.
    """
    widths = [len(r) for r in rows[:400] if sum(bool(c.strip()) for c in r) > 1]
    if not widths:
        return None, 0
    width = max(set(widths), key=lambda w: (widths.count(w), w))
    wide = [i for i, row in enumerate(rows) if len(row) == width and sum(bool(c.strip()) for c in row) > 1]
    data = next((i for i in wide if any(number_of(c) is not None for c in rows[i])), None)
    above = [i for i in wide if data is None or i < data] or wide[:1]
    start = above[-1]
    while start - 1 in above:
        start -= 1
    above = [i for i in above if i >= start]
    most = max(sum(bool(c.strip()) for c in rows[i]) for i in above)
    chosen = next(i for i in above if sum(bool(c.strip()) for c in rows[i]) >= 0.5 * most)
    return chosen, lines[chosen]


def _column_names(row: list[str]) -> list[str]:
    """Distinct column names: blank ones are a number behind a NUL, repeated ones keep their text behind one (see `bare`)."""
    seen: set[str] = set()
    names = []
    for i, cell in enumerate(row):
        name = cell.lstrip("\ufeff") if cell.strip() else f"\x00{i}"
        while name in seen:
            name = "\x00" + name
        seen.add(name)
        names.append(name)
    return names


def _parse(path: Path, name: str, opener, encoding: str, delimiter: str, names: list[str], skip: int, rows: list[list[str]]):
    """Read all rows with pyarrow, first with types told from the values, then as text; and the rows that do not fit."""
    broken: list[str] = []

    def keep(row) -> str:
        if row.actual_columns > 1:  # a single cell is a footnote
            broken.append(row.text or "")
        return "skip"

    multiline = any("\n" in cell for row in rows[:2000] for cell in row)
    lines = 1 + sum(cell.count("\n") for cell in rows[0]) if rows else 1
    coded = {n: pa.string() for i, n in enumerate(names) if any(len(r) > i and re.match(r"0\d", r[i].strip()) for r in rows[1:])}
    for types in (coded, dict.fromkeys(names, pa.string())):
        broken.clear()
        try:
            with opener() as stream:
                table = pa_csv.read_csv(
                    stream,
                    pa_csv.ReadOptions(
                        column_names=names, skip_rows=skip + lines, encoding=encoding, use_threads=False, block_size=1 << 22
                    ),
                    pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=multiline, invalid_row_handler=keep),
                    pa_csv.ConvertOptions(
                        column_types=types, null_values=["", " "], strings_can_be_null=True, quoted_strings_can_be_null=True,
                        true_values=[], false_values=[], timestamp_parsers=[],
                    ),
                )  # fmt: skip
            return table, broken
        except UnicodeDecodeError:
            return _parse(path, name, opener, "latin-1", delimiter, names, skip, rows)
        except pa.ArrowInvalid as error:
            if "UTF8" in str(error) and encoding == "utf-8":
                return _parse(path, name, opener, "latin-1", delimiter, names, skip, rows)
            last = error
        except OSError as error:
            raise refuse_file("unreadable-file", f"{name} cannot be read to its end: {error}.", path) from None
    raise refuse_file("unreadable-file", f"{name} cannot be read as a table: {str(last).splitlines()[0]}.", path)
