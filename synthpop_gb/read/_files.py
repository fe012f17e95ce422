"""Opening files: any table becomes a `Sheet` of named columns, whatever its wrapping, encoding, delimiter or preamble."""

from __future__ import annotations

import csv
import difflib
import io
import re
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from synthpop_gb.read._sheet import Sheet, refuse_file, stem_of
from synthpop_gb.read._text import open_text

__all__ = ["Sheet", "open_sheet", "stem_of"]


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
            raise refuse_file("unreadable-file", f"{path.name} is a damaged Parquet file: {error}.", path) from None
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
        raise refuse_file("missing-file", f"There is no file {path}.{hint}", path) from None
    except OSError as error:
        raise refuse_file("missing-file", f"{path} cannot be opened: {error.strerror}.", path) from None
    if not head:
        raise refuse_file("unreadable-file", f"{path.name} is empty.", path)
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
        raise refuse_file("unreadable-file", f"{path.name} is a damaged zip file.", path) from None
    return open_text(path, chosen, lambda: pa.BufferReader(content), [], member=chosen)


_LEVELS = ("oa", "lsoa", "dz", "msoa", "iz", "ward", "ltla", "lad", "utla", "rgn", "ctry")
"""Levels of geography as Nomis names the files of a zip, finest first."""


def choose_member(names: list[str], member: str | None, path: Path) -> str:
    """Choose the file of an archive that `member` names; without one, its LSOAs, else the finest level.

    LSOA before OA: the zones most studies use, and the reason why somebody with both would say so.
    """
    if not names:
        raise refuse_file("unreadable-file", f"{path.name} holds no CSV file.", path)
    if member is not None:
        fits = [n for n in names if member.lower() in re.split(r"[^a-z0-9]+", n.lower()) or n.lower().endswith(member.lower())]
        if len(fits) != 1:
            message = f"{path.name} holds {len(fits) or 'no'} files named {member!r}: {', '.join(names[:12])}."
            raise refuse_file("missing-file", message, path, remedy="Name one of them with `member`.")
        return fits[0]
    levels = {level: n for n in names for level in _LEVELS if level in re.split(r"[^a-z0-9]+", Path(n).stem.lower())}
    for level in ("lsoa", *_LEVELS):
        if level in levels:
            return levels[level]
    if len(names) > 1:
        message = f"{path.name} holds {len(names)} files: {', '.join(names[:12])}."
        raise refuse_file("unknown-layout", message, path, remedy="Name one of them with `member`.")
    return names[0]


def _from_workbook(path: Path, member: str | None) -> Sheet:
    """Read one sheet of an Excel workbook: the first, or the one named."""
    try:
        import openpyxl
    except ImportError:
        raise refuse_file(
            "missing-extra", f"{path.name} is an Excel workbook, which needs the package openpyxl.", path,
            remedy="pip install synthpop_gb[excel], or save the sheet as CSV.",
        ) from None  # fmt: skip
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        names = book.sheetnames
        if member is not None and member not in names:
            raise refuse_file("missing-file", f"{path.name} has no sheet {member!r}: {', '.join(names)}.", path)
        rows = [["" if v is None else _plain(v) for v in row] for row in book[member or names[0]].iter_rows(values_only=True)]
    finally:
        book.close()
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return open_text(path, path.name, lambda: pa.BufferReader(text.getvalue().encode()), [], member=member or "")


def _plain(value) -> str:
    """Text of a workbook's cell; whole floats without their decimals."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
