"""Tables that somebody tidied: one row a zone and category (long), with one or several columns of categories."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow as pa

from synthpop_gb.benchmark import GUEST_LIMIT
from synthpop_gb.errors import InputError, finding
from synthpop_gb.read._codebooks import codebook_file, common_name, guess_variable
from synthpop_gb.read._files import Sheet, stem_of
from synthpop_gb.read._grid import Grid, Request, pivot
from synthpop_gb.read._labels import bare, is_total, key
from synthpop_gb.read._numbers import is_countlike, numbers, texts
from synthpop_gb.read._zones import code_share
from synthpop_gb.read.tidy_files import _NOT_COUNTS, find_column, known_tidy, unknown_layout, zones_of

__all__ = ["is_long", "read_long"]

_VALUES = (
    "value",
    "count",
    "observation",
    "obsvalue",
    "n",
    "number",
    "freq",
    "frequency",
    "people",
    "persons",
    "residents",
    "households",
    "population",
)
_PER_CENT = re.compile(r"\(?\b(per ?cent(age)?|proportion|rate)\b\)?\s*$|%\s*$", re.IGNORECASE)
_NUMBER = re.compile(r"\s*\((number|count)\)\s*$", re.IGNORECASE)


def is_long(sheet: Sheet, request: Request) -> bool:
    """Whether rows are cells: zones stand on several rows and some column of words differs among the rows of one zone."""
    if request.zone == "#" or request.aggregate:
        return False
    if _holds_tables(sheet):
        return True
    try:
        zone, zones = zones_of(sheet, request)
    except InputError:
        return False
    return bool(pd.Index(zones).has_duplicates and _label_columns(sheet, zone, zones))


def _holds_tables(sheet: Sheet) -> bool:
    return set(codebook_file("tables_long")["publication"]["headers"]) <= set(sheet.columns)


def _label_columns(sheet: Sheet, zone: str, zones: np.ndarray) -> list[str]:
    """Columns of words that differ among the rows of one zone: names of areas and codes of other areas do not count."""
    found = []
    zone_code, index = pd.factorize(zones)
    for name in sheet.columns:
        column = sheet.table[name]
        if name == zone or name.startswith("\x00") or code_share(column) >= 0.5 or key(name) in _VALUES:
            continue
        if is_countlike(column) and not _is_category_of_numbers(sheet, name):
            continue
        code, labels = pd.factorize(texts(column))
        pairs = pd.unique(zone_code * np.int64(len(labels) + 1) + code)
        if len(labels) > 1 and len(pairs) > len(index):
            found.append(name)
    return found


def _is_category_of_numbers(sheet: Sheet, name: str) -> bool:
    """Whether a column of numbers holds categories: single years of age, household sizes."""
    return common_name(name) is not None and any(key(c) in _VALUES for c in sheet.columns if c != name)


def read_long(sheet: Sheet, request: Request) -> Grid:
    """Read one row a zone and cell. A file of many tables needs `member`; percentages beside counts are left out.

    Raises InputError with 'unknown-layout', 'missing-column', 'truncated-file' or 'duplicate-zone'.
    """
    if _holds_tables(sheet):
        return _read_member(sheet, request)
    if len(sheet.table) == GUEST_LIMIT:
        message = f"{sheet.place} has exactly 25,000 rows, the guest limit of the Nomis API."
        raise InputError([finding("truncated-file", message, place=sheet.place, count=GUEST_LIMIT)])
    known = known_tidy(sheet)
    sheet = _counts_only(sheet)
    zone, zones = zones_of(sheet, request)
    named = _label_columns(sheet, zone, zones)
    year = next((y for c in sheet.columns if (y := _constant_year(sheet, c))), None)
    named = [c for c in named if not _constant_year(sheet, c)]
    values = _value_columns(sheet, zone, named)
    labels = [np.array([_NUMBER.sub("", t) if t else t for t in texts(sheet.table[c])], dtype=object) for c in named]
    if len(values) == 1:
        numbers_, marks = numbers(sheet.table[values[0]])
        grid = pivot(zones, labels, numbers_, marks, tuple(named), sheet.place)
    else:
        grid = _melt(sheet, zones, labels, named, values)
    guessed = tuple(_name(sheet, bare(n), sorted({str(k[d]) for k in grid.keys})) for d, n in enumerate(grid.variables))
    grid.variables = _ordered(request.names or tuple(known.get("variables") or ()), guessed, sheet)
    if request.columns:
        wanted = {key(h): c for h, c in request.columns.items()}
        keep = [i for i, k in enumerate(grid.keys) if key(k[0]) in wanted]
        grid.cells(keep)
        grid.keys = [(c,) if isinstance(c := wanted[key(k[0])], str) else tuple(c) for k in grid.keys]
    grid.known = {**({"year": year} if year else {}), **known}
    grid.findings = [*sheet.findings, *grid.findings]
    return grid


def _ordered(names: tuple[str, ...], guessed: tuple[str, ...], sheet: Sheet) -> tuple[str, ...]:
    """Names of the variables in the order of the file's columns, as the caller or a codebook names them."""
    if not names:
        return guessed
    if len(names) != len(guessed):
        raise unknown_layout(
            sheet, f"{len(names)} variables are named, but {len(guessed)} columns hold categories ({', '.join(guessed)})."
        )
    return guessed if set(names) == set(guessed) else names


def _melt(sheet: Sheet, zones: np.ndarray, labels: list[np.ndarray], named: list[str], values: list[str]) -> Grid:
    """Several columns of counts beside columns of categories: the headers are one more variable."""
    read = [numbers(sheet.table[c]) for c in values]
    marks = {j * len(zones) + r: t for j, (_, m) in enumerate(read) for r, t in m.items()}
    tall = [np.tile(x, len(values)) for x in labels]
    heads = np.repeat(np.array([bare(c) for c in values], dtype=object), len(zones))
    return pivot(
        np.tile(zones, len(values)), [*tall, heads], np.concatenate([v for v, _ in read]), marks, (*named, ""), sheet.place
    )


def _value_columns(sheet: Sheet, zone: str, named: list[str]) -> list[str]:
    """Column of counts, or several that are the categories of one more variable."""
    numeric = [
        c
        for c in sheet.columns
        if c != zone
        and c not in named
        and not c.startswith("\x00")
        and not _NOT_COUNTS.match(key(c))
        and is_countlike(sheet.table[c])
    ]
    called = [c for c in numeric if key(c) in _VALUES]
    if called or len(numeric) == 1:
        return (called or numeric)[:1]
    if len(numeric) > 1 and guess_variable(numeric):
        return numeric
    message = (
        "no column of counts was found."
        if not numeric
        else f"it cannot be told which of {len(numeric)} columns holds the counts."
    )
    raise unknown_layout(sheet, message, "Call the column of counts `count`.")


def _counts_only(sheet: Sheet) -> Sheet:
    """Leave out rows that are percentages of other rows: labels end in (percent), or a column says so."""
    out = np.zeros(len(sheet.table), bool)
    for name in sheet.columns:
        column = sheet.table[name]
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)) or name.startswith("\x00"):
            continue
        code, labels = pd.factorize(texts(column))
        if len(labels) <= 2000:
            rates = np.array([bool(_PER_CENT.search(str(x))) for x in labels] + [False])
            if rates.any() and not rates[: len(labels)].all():
                out |= rates[code]
    if not out.any():
        return sheet
    n = int(out.sum())
    message = f"{sheet.place}: {n:,} rows of percentages were left out."
    why = "Percentages are no counts."
    sheet.findings.append(finding("does-not-apply", message, place=sheet.place, count=n, why=why, remedy="Nothing."))
    return Sheet(sheet.path, sheet.table.filter(pa.array(~out)), sheet.preamble, sheet.findings, sheet.member, sheet.broken)


def _constant_year(sheet: Sheet, name: str) -> int | None:
    """Year that a column of dates says for every row."""
    if key(name) not in {"year", "date", "period", "time", "censusyear"}:
        return None
    found = {str(v)[:4] for v in texts(sheet.table[name].slice(0, 1000)) if v}
    return int(found.pop()) if len(found) == 1 and all(re.fullmatch(r"(19|20)\d\d", f) for f in found) else None


def _name(sheet: Sheet, heading: str, labels: list[str]) -> str:
    """Variable of one column of categories: by its heading, else by its labels, else the heading itself."""
    leaves = [x for x in labels if not is_total(x)]
    heading_name = common_name(heading) if heading else None
    generic = key(heading) in {"", "category", "categories", "group", "label", "variable", "indicator", "measure"}
    guessed = (
        guess_variable(leaves, "" if generic else heading)
        or guess_variable(leaves, stem_of(sheet.path))
        or guess_variable(leaves)
    )
    slug = re.sub(r"\W+", "_", heading.casefold()).strip("_")
    if heading and not generic and common_name(heading) and heading == slug:
        return heading  # the file's own name for it is kept: studies call it so
    return heading_name or guessed or (slug if not generic else common_name(stem_of(sheet.path)) or slug or "category")


def _read_member(sheet: Sheet, request: Request) -> Grid:
    """Read one table of a file that holds many (columns table, dims, area_code, category, unit, value)."""
    book = codebook_file("tables_long")
    tables = texts(sheet.table["table"])
    present = list(dict.fromkeys(tables))
    member = request.member if request.member is not None else (present[0] if len(present) == 1 else None)
    if member not in present:
        message = (
            f"{sheet.place} holds {len(present)} tables"
            + (f", none called {member!r}: " if member else ": ")
            + ", ".join(present[:60])
            + "."
        )
        raise InputError([finding("unknown-layout", message, place=sheet.place, remedy="Name one of them with `member`.")])
    table = sheet.table.filter(pa.array(tables == member))
    unit = texts(table["unit"])[0]
    dims = [d.strip() for d in str(texts(table["dims"])[0]).split("|")]
    pieces = [tuple(p.strip() for p in c.split(" | ")) for c in texts(table["category"])]
    labels = [np.array([p[d] for p in pieces], dtype=object) for d in range(len(dims))]
    values, marks = numbers(table["value"])
    zone = find_column(sheet, request.zone or "area_code", "zone codes")
    grid = pivot(texts(table[zone]), labels, values, marks, (), sheet.place)
    entry = book["tables"].get(member) or codebook_file("tables_2021")["tables"].get(book["same_as"].get(member, ""), {})
    # a finer classification than the common variable's is a variable of its own: population_religion_detailed is not religion
    own = [member if dim == "indicator" or common_name(dim) else dim for dim in dims]
    guessed = tuple(guess_variable([k[d] for k in grid.keys], dim) or own[d] for d, dim in enumerate(dims))
    grid.variables = request.names or tuple(entry.get("variables") or guessed)
    publication = {k: v for k, v in book["publication"].items() if k != "headers"}
    grid.known = {
        **publication,
        **({} if entry else {"universe": "households"} if unit == "Households" else {}),
        **entry,
        "name": member,
    }
    grid.findings = [*sheet.findings, *grid.findings]
    return grid
