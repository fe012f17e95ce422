"""Lookups between geographies: one row a zone, or a row for each part of it, with the area it lies in and perhaps a weight."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.lookup import Lookup, paired
from synthpop_gb.provenance import InputFile
from synthpop_gb.read._files import Sheet, open_sheet
from synthpop_gb.read._numbers import factor, numbers, texts
from synthpop_gb.read._zones import zone_column
from synthpop_gb.read.geography_files import named_column
from synthpop_gb.read.tidy_files import find_column, unknown_layout

__all__ = ["column_of", "lookup"]


def lookup(path: str | Path, *, to: str, zone: str | None = None, weight: str | None = None) -> Lookup:
    r"""Read which areas zones lie in.

    Parameters
    ----------
    path : path
        CSV (any delimiter, encoding, gzip), Parquet or Excel file. Rows may be of smaller areas than the zones, such as output
        areas: those of one zone and area are added up. Rows that are identical in every column count once.
    to : str
        Column of the areas' codes. A blank there means: in no area.
    zone : str, optional
        Column of the zones' codes; the finest of the file where absent.
    weight : str, optional
        Column that says how much of a zone a row is, such as households or people: a zone in several areas is divided by it.

    Raises
    ------
    InputError
        'missing-file', 'unreadable-file', 'unknown-layout', 'missing-column', 'not-a-number', 'negative-count', 'no-zones'.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "lsoa_ward.csv"
    >>> _ = file.write_text("LSOA21CD,WD24CD,homes\nE01000001,E05000001,30\nE01000001,E05000002,10\nE01000002,E05000002,9\n")
    >>> lookup(file, zone="LSOA21CD", to="WD24CD", weight="homes")
    Lookup LSOA21CD to WD24CD: 2 zones in 2 areas; 1 zones lie in several, by weight
    """
    sheet = open_sheet(path)
    column = find_column(sheet, zone, "zone codes") if zone else zone_column(sheet.table)
    if column is None:
        raise unknown_layout(sheet, "no column of zone codes was found.", "Name it with `zone` (`from` in a study).")
    target = find_column(sheet, to, "codes of areas")
    if target == column:
        message = f"{sheet.place}: zones and areas are the same column, {column!r}."
        raise InputError([finding("study-reference", message, place=sheet.place)])
    findings: list[Finding] = [*sheet.findings]
    codes, areas = texts(sheet.table[column]), texts(sheet.table[target])
    weights = np.ones(len(codes)) if weight is None else _weights(sheet, find_column(sheet, weight, "weights"), codes)
    first = _first_of_each(sheet)
    known = np.array([c is not None for c in codes], dtype=bool)
    if not known.any():
        message = f"{sheet.place} has no zone codes in {column!r}."
        raise InputError([finding("no-zones", message, place=sheet.place)])
    if not known.all():
        message = f"{sheet.place}: {int((~known).sum()):,} rows have no zone code in {column!r} and were left out."
        findings.append(finding("rows-without-zone", message, place=sheet.place, count=int((~known).sum())))
    there = np.array(["" if a is None else a for a in areas], dtype=object)
    findings += _repeated(sheet, codes[known & ~first], there[known & ~first])
    known &= first
    pairs = paired(codes[known], there[known], weights[known])
    return Lookup(column, target, pairs, weight is not None, _names(sheet, target, there), InputFile.of(path), tuple(findings))


def column_of(path: str | Path, zones: set[str]) -> str:
    """Return the column of a lookup that has most of some zones' codes.

    Raises InputError ('unknown-layout') where none has any.
    """
    sheet = open_sheet(path)
    shares = {c: len(zones.intersection(texts(sheet.table[c]))) for c in sheet.columns}
    best = max(shares, key=lambda c: shares[c], default=None)
    if best is None or not shares[best]:
        raise unknown_layout(sheet, f"no column has the codes of these zones ({', '.join(sorted(zones)[:2])} ...).")
    return best


def _first_of_each(sheet: Sheet) -> np.ndarray:
    """(n_rows,) bool: rows that are identical to no row before, in every column."""
    n = sheet.table.num_rows
    row = np.zeros(n, np.int64)  # rows that are alike so far have one number
    for column in sheet.columns:
        code, values = factor(sheet.table[column])
        row = np.unique(row * (len(values) + 1) + code + 1, return_inverse=True)[1].reshape(-1)
        if n and row.max() == n - 1:  # as a rule after the first column, that of the smallest areas
            break
    found = np.zeros(n, bool)
    found[np.unique(row, return_index=True)[1]] = True
    return found


def _repeated(sheet: Sheet, codes: np.ndarray, areas: np.ndarray) -> list[Finding]:
    if not len(codes):
        return []
    verb = "row is identical to an earlier one and was left out" if len(codes) == 1 else "rows are identical to earlier ones and"
    message = f"{sheet.place}: {len(codes):,} {verb}{'' if len(codes) == 1 else ' were left out'} (first: {codes[0]}, "
    message += f"{areas[0] or 'no area'})."
    why = "A part of a zone that is listed twice would weigh twice."
    remedy = "Nothing, if they are repeats; if each is another part of the zone, keep the column that tells them apart."
    rows = pd.DataFrame({"zone": codes, "area": areas})
    return [finding("repeated-rows", message, place=sheet.place, count=len(codes), rows=rows, why=why, remedy=remedy)]


def _weights(sheet: Sheet, column: str, codes: np.ndarray) -> np.ndarray:
    """Weights of every row; InputError where one is no number, or negative."""
    values, _ = numbers(sheet.table[column])
    findings = []
    for code, wrong, what in (
        ("not-a-number", ~np.isfinite(values), "is no number"),
        ("negative-count", np.isfinite(values) & (values < 0), "is negative"),
    ):
        if wrong.any():
            first = int(np.argmax(wrong))
            message = f"{sheet.place}: the weight {column!r} {what} in {int(wrong.sum()):,} rows (first: row {first + 1}, "
            message += f"{codes[first]})."
            rows = pd.DataFrame({"row": np.flatnonzero(wrong) + 1, "zone": codes[wrong]})
            findings.append(finding(code, message, place=sheet.place, count=int(wrong.sum()), rows=rows,
                                    why="It cannot be told how the zone is divided.", remedy="Correct the weights."))  # fmt: skip
    if findings:
        raise InputError([*sheet.findings, *findings])
    return values


def _names(sheet: Sheet, target: str, areas: np.ndarray) -> dict[str, str]:
    """Names of the areas, from the column of names that goes with the column of codes."""
    column = named_column(sheet, target)
    if column is None:
        return {}
    return {code: name for code, name in zip(areas, texts(sheet.table[column]), strict=True) if code and name}
