"""Opening files: any table becomes a `Sheet` of named columns, whatever its wrapping, encoding, delimiter or preamble."""

from __future__ import annotations

import csv
import difflib
import io
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.read._numbers import number_of

__all__ = ["Sheet", "open_sheet", "open_text", "stem_of"]

SNIFFED = 1 << 16
"""Bytes of a file that are looked at to find out what it is."""
_DELIMITERS = (",", "\t", ";", "|")
_SUFFIXES = {
    ".csv", ".tsv", ".tab", ".txt", ".gz", ".zip", ".parquet", ".xlsx", ".geo", ".full", ".data", ".bulk", ".dta", ".sav",
}  # fmt: skip


@dataclass
class Sheet:
    """A file opened: `table` has one column a header, in file order; `preamble` holds the rows above the header as text.

    `broken` holds rows with another number of columns than the header: footers, or damage.
    """

    path: Path
    table: pa.Table
    preamble: list[list[str]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    member: str = ""
    broken: list[str] = field(default_factory=list)

    @property
    def columns(self) -> list[str]:
        """Headers, in file order."""
        return self.table.column_names

    def report_broken(self) -> None:
        """Add a finding about rows that do not fit the header, where there are any."""
        if self.broken:
            message = f"{self.place}: {len(self.broken):,} rows have not the {len(self.columns)} columns of the header"
            message += f" (first: {self.broken[0][:60]!r})."
            self.findings.append(finding("ragged-rows", message, place=self.place, count=len(self.broken)))

    @property
    def place(self) -> str:
        """File name for messages."""
        return f"{self.path.name}:{self.member}" if self.member else self.path.name


def stem_of(path: str | Path) -> str:
    """Return the file's name without its endings: 'census2021-ts002-lsoa' of 'census2021-ts002-lsoa..csv.full.gz'.

    >>> stem_of("a/census2021-ts002-lsoa..csv.full.gz")
    'census2021-ts002-lsoa'
    """
    name = Path(path).name
    while Path(name).suffix.lower() in _SUFFIXES or name.endswith("."):
        name = name.rstrip(".")
        name = name[: -len(Path(name).suffix)] if Path(name).suffix.lower() in _SUFFIXES else name
    return name


def _refuse(code: str, message: str, path: Path, **more) -> InputError:
    return InputError([finding(code, message, place=str(path), **more)])


def open_sheet(path: str | Path, member: str | None = None) -> Sheet:
    """Open a CSV (any delimiter, encoding, gzip or zip), Parquet or Excel file.

    member : which file of a zip or sheet of a workbook; part of its name is enough.

    Raises
    ------
    InputError
        'missing-file', 'unreadable-file' (empty, damaged, an HTML page, not a table) or 'missing-extra'.
    """
    path = Path(path)
    head = _head(path)
    if head[:4] == b"PAR1":
        try:
            table = pq.ParquetFile(path).read()  # read_table would import pyarrow.dataset: most of a second
        except (pa.ArrowException, OSError) as error:
            raise _refuse("unreadable-file", f"{path.name} is a damaged Parquet file: {error}.", path) from None
        return Sheet(path, _without_index(table))
    if head[:2] == b"PK":
        return _from_zip(path, member)
    return open_text(path, path.name, lambda: _stream(path, head), [])


def _head(path: Path) -> bytes:
    """First bytes of a file, or the finding that there is none."""
    try:
        with open(path, "rb") as file:
            head = file.read(4)
    except FileNotFoundError:
        near = difflib.get_close_matches(path.name, [p.name for p in path.parent.glob("*")] if path.parent.is_dir() else [], n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise _refuse("missing-file", f"There is no file {path}.{hint}", path) from None
    except OSError as error:
        raise _refuse("missing-file", f"{path} cannot be opened: {error.strerror}.", path) from None
    if not head:
        raise _refuse("unreadable-file", f"{path.name} is empty.", path)
    return head


def _stream(path: Path, head: bytes):
    return pa.CompressedInputStream(str(path), "gzip") if head[:2] == b"\x1f\x8b" else pa.OSFile(str(path), "rb")


def _without_index(table: pa.Table) -> pa.Table:
    return table.drop_columns([c for c in table.column_names if re.fullmatch(r"__index_level_\d+__", c)])


def _from_zip(path: Path, member: str | None) -> Sheet:
    """Open one file of a zip, or one sheet of a workbook (a zip as well)."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if not n.endswith("/")]
            if "[Content_Types].xml" in names:
                return _from_workbook(path, member)
            chosen = choose_member([n for n in names if n.lower().endswith((".csv", ".tsv", ".txt"))], member, path)
            content = archive.read(chosen)
    except zipfile.BadZipFile:
        raise _refuse("unreadable-file", f"{path.name} is a damaged zip file.", path) from None
    return open_text(path, chosen, lambda: pa.BufferReader(content), [], member=chosen)


_LEVELS = ("oa", "lsoa", "dz", "msoa", "iz", "ward", "ltla", "lad", "utla", "rgn", "ctry")
"""Levels of geography as Nomis names the files of a zip, finest first."""


def choose_member(names: list[str], member: str | None, path: Path) -> str:
    """Choose the file of an archive that `member` names; without one, its LSOAs, else the finest level.

    LSOA before OA: the zones most studies use, and the reason why somebody with both would say so.
    """
    if not names:
        raise _refuse("unreadable-file", f"{path.name} holds no CSV file.", path)
    if member is not None:
        fits = [n for n in names if member.lower() in re.split(r"[^a-z0-9]+", n.lower()) or n.lower().endswith(member.lower())]
        if len(fits) != 1:
            message = f"{path.name} holds {len(fits) or 'no'} files named {member!r}: {', '.join(names[:12])}."
            raise _refuse("missing-file", message, path, remedy="Name one of them with `member`.")
        return fits[0]
    levels = {level: n for n in names for level in _LEVELS if level in re.split(r"[^a-z0-9]+", Path(n).stem.lower())}
    for level in ("lsoa", *_LEVELS):
        if level in levels:
            return levels[level]
    if len(names) > 1:
        message = f"{path.name} holds {len(names)} files: {', '.join(names[:12])}."
        raise _refuse("unknown-layout", message, path, remedy="Name one of them with `member`.")
    return names[0]


def _from_workbook(path: Path, member: str | None) -> Sheet:
    """Read one sheet of an Excel workbook: the first, or the one named."""
    try:
        import openpyxl
    except ImportError:
        raise _refuse(
            "missing-extra", f"{path.name} is an Excel workbook, which needs the package openpyxl.", path,
            remedy="pip install synthpop_gb[excel], or save the sheet as CSV.",
        ) from None  # fmt: skip
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        names = book.sheetnames
        if member is not None and member not in names:
            raise _refuse("missing-file", f"{path.name} has no sheet {member!r}: {', '.join(names)}.", path)
        rows = [["" if v is None else _plain(v) for v in row] for row in book[member or names[0]].iter_rows(values_only=True)]
    finally:
        book.close()
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return open_text(path, path.name, lambda: pa.BufferReader(text.getvalue().encode()), [], member=member or "")


def _plain(value) -> str:
    """Text of a workbook's cell; whole floats without their decimals."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def open_text(path: Path, name: str, opener, findings: list[Finding], member: str = "") -> Sheet:
    """Read delimited text from what `opener()` returns (called again where a second look is needed)."""
    try:
        with opener() as stream:
            raw = stream.read(SNIFFED)
    except OSError as error:
        raise _refuse("unreadable-file", f"{name} cannot be unpacked: {error}.", path) from None
    encoding, text = _decode(bytes(raw))
    if re.match(r"\s*<(!doctype|html|\?xml)", text, re.IGNORECASE):
        title = re.search(r"<title>\s*(.*?)\s*</title>", text, re.IGNORECASE | re.DOTALL)
        said = f" that says {title[1][:80]!r}" if title else ""
        message = f"{name} is no table but a web page{said}: the download failed."
        raise _refuse("unreadable-file", message, path, remedy="Download it again.")
    if "\x00" in text or not text.strip():
        raise _refuse("unreadable-file", f"{name} is {'empty' if not text.strip() else 'not text'}.", path)
    delimiter, rows, lines = _shape(text, len(raw) == SNIFFED)
    header, skip = _header(rows, lines)
    if header is None:
        message = f"{name} is not a table: no row of column names was found."
        raise _refuse("unreadable-file", message, path)
    names = _column_names(rows[header])
    table, broken = _parse(path, name, opener, encoding, delimiter, names, skip, rows[header:])
    if encoding != "utf-8":
        findings.append(finding("encoding", f"{name} is not UTF-8; it was read as {encoding}.", place=str(path)))
    table = table.drop_columns([n for n in names if n.startswith("\x00") and table[n].null_count == len(table)])
    if not len(table):
        raise _refuse("unreadable-file", f"{name} has column names but no rows.", path)
    return Sheet(path, table, rows[:header], findings, member, broken)


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
                        column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=True,
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
            raise _refuse("unreadable-file", f"{name} cannot be read to its end: {error}.", path) from None
    raise _refuse("unreadable-file", f"{name} cannot be read as a table: {str(last).splitlines()[0]}.", path)
