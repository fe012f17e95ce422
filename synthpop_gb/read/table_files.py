"""Reading a published table from whatever file it came in: the layout is recognised, then its own module reads it."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.codebook import Universe, Variable
from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.read import nomis_files, ons_files, scotland_files, tidy_files, tidy_long
from synthpop_gb.read._assemble import assemble
from synthpop_gb.read._files import Sheet, open_sheet
from synthpop_gb.read._grid import Grid, Request

__all__ = ["FORMATS", "nomis", "table", "tables"]

FORMATS: dict[str, Callable[[Sheet, Request], Grid]] = {
    "superweb2": scotland_files.read_superweb2,
    "nomis-query": nomis_files.read_query,
    "nomis-api": nomis_files.read_api,
    "nomis-bulk": nomis_files.read_bulk,
    "ons-custom": ons_files.read_custom,
    "long": tidy_long.read_long,
    "wide": tidy_files.read_wide,
}
"""Layouts that can be read, in the order in which they are tried."""

_FOOTED = {"superweb2", "nomis-query"}
"""Layouts with footers of their own, whose rows do not fit the header."""


def _layout(sheet: Sheet, request: Request) -> str:
    """Name of the layout that a sheet has."""
    if scotland_files.is_superweb2(sheet):
        return "superweb2"
    if nomis_files.is_nomis_query(sheet):
        return "nomis-query"
    if nomis_files.is_nomis_api(sheet):
        return "nomis-api"
    if request.zone is None and request.columns is None and nomis_files.is_nomis_bulk(sheet):
        return "nomis-bulk"
    if ons_files.is_ons_custom(sheet):
        return "ons-custom"
    return "long" if tidy_long.is_long(sheet, request) else "wide"


def table(
    path: str | Path,
    *,
    name: str | None = None,
    format: str = "auto",  # noqa: A002 - as studies call it
    zone: str | None = None,
    variables: Sequence[str | Variable] | None = None,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    total: str | None = None,
    remainder: str | Sequence[str] | None = None,
    aggregate: bool = False,
    universe: str | Universe | None = None,
    standard_error: float | None = None,
    year: int | None = None,
    member: str | None = None,
) -> BenchmarkTable:
    r"""Read a table of published counts.

    Nomis bulk files (2011, 2021, CSV or zip), Nomis queries and API answers, ONS custom datasets, SuperWEB2 exports and
    tidy tables, wide or long, are recognised; the arguments are for what a file does not say.

    Parameters
    ----------
    path : path
        CSV (any delimiter, encoding, gzip), zip, Parquet or Excel file.
    name : str, optional
        Name in the study; by default the publication's ('ts037') or the file's.
    format : str
        'auto', or one of `FORMATS`.
    zone : str, optional
        Column of zone codes; '#' numbers the rows from 1.
    variables : sequence of str or Variable, optional
        Variables that the columns cross, where labels do not tell.
    columns : mapping of header to category, or to one category a variable, optional
        Wide tables: which headers to use, and what they mean.
    total : str, optional
        Header of the published total.
    remainder : str or sequence of str, optional
        Category (one a variable) that takes what the cells leave of the total.
    aggregate : bool
        Add up several rows of one zone, such as output areas with a column of their LSOA named by `zone`.
    universe : str or Universe, optional
        Who is counted: 'usual residents aged 16 and over', 'households' ...
    standard_error : float, optional
        Standard deviation of the publisher's perturbation of one cell, in units counted.
    year : int, optional
        Census year.
    member : str, optional
        File of a zip ('msoa'), sheet of a workbook, or table of a file that holds several.

    Returns
    -------
    BenchmarkTable
        Finest cells only. Cells that hold marks instead of numbers stay as they stand, so that only a study of those zones
        is refused. What was noticed is in `findings`.

    Raises
    ------
    InputError
        With every finding of the file where it cannot be used: 'missing-file', 'unreadable-file', 'unknown-layout',
        'missing-column', 'truncated-file', 'duplicate-zone', 'universe-unknown', 'missing-extra'.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "health.csv"
    >>> _ = file.write_text("zone,very good,good,fair,bad,very bad\nE01000001,807,491,137,24,6\n")
    >>> table(file, universe="usual residents")
    BenchmarkTable health: health, 1 zones x 5 cells, usual residents
    """
    if format not in ("auto", *FORMATS):
        raise ValueError(f"format must be 'auto' or one of {', '.join(FORMATS)}; got {format!r}")
    request = Request(
        name, zone, None if variables is None else tuple(variables), columns, total,
        remainder if remainder is None or isinstance(remainder, str) else tuple(remainder), aggregate, universe,
        standard_error, year, member,
    )  # fmt: skip
    path = Path(path)
    sheet = open_sheet(path, member)
    layout = _layout(sheet, request) if format == "auto" else format
    if layout not in _FOOTED:
        sheet.report_broken()
    try:
        return assemble(FORMATS[layout](sheet, request), request, path, sheet.place)
    except InputError as error:
        raise InputError(dict.fromkeys([*error.findings, *sheet.findings])) from None


def tables(files: str | Path | Iterable[str | Path], *, name: str | None = None, **same) -> dict[str, BenchmarkTable]:
    """Read several tables: a pattern ('inputs/2011/*.csv', '**' allowed), one path, or a list of either.

    name : name of the table, where there is but one file. Other arguments are those of `table`, the same for every file.

    Returns
    -------
    dict of str to BenchmarkTable
        By name, in order of file names; a name met twice is told apart by the file's.

    Raises
    ------
    InputError
        With every finding of every file that cannot be used; 'missing-file' where a pattern fits nothing.
    """
    given = [files] if isinstance(files, str | Path) else list(files)
    findings: list[Finding] = []
    paths: list[Path] = []
    for one in given:
        text = str(one)
        is_pattern = not Path(text).exists() and any(c in text for c in "*?[")
        fits = sorted(Path(p) for p in glob.glob(text, recursive=True) if Path(p).is_file()) if is_pattern else [Path(text)]
        if not fits:
            findings.append(finding("missing-file", f"No file fits {text}.", place=text))
        paths += fits
    if name is not None and len(paths) > 1:
        message = f"{len(paths)} files cannot all be called {name!r}."
        raise InputError(
            [finding("study-value", message, place=name, remedy="Name each file's table by itself, or leave the name out.")]
        )
    found: dict[str, BenchmarkTable] = {}
    for path in dict.fromkeys(paths):
        try:
            one = table(path, name=name, **same)
        except InputError as error:
            findings += error.findings
            continue
        if one.name in found:
            message = f"{path} and {found[one.name].source.path} both hold the table {one.name}."
            findings.append(
                finding("study-reference", message, place=str(path), remedy="Give one of them another `name`, or leave it out.")
            )
        found[one.name] = one
    if any(f.level == "error" for f in findings):
        raise InputError(findings)
    return found


def nomis(files: str | Path | Iterable[str | Path], **same) -> dict[str, BenchmarkTable]:
    """Read Nomis files of any of its layouts; the same as `tables`.

    Raises
    ------
    InputError
        As `tables`.
    """
    return tables(files, **same)
