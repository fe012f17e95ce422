"""Tables that somebody tidied: a zone column and a column a category (wide)."""

from __future__ import annotations

import csv
import difflib
import re
from pathlib import Path

import numpy as np

from synthpop_gb.errors import InputError, finding
from synthpop_gb.read._codebooks import atoms_of, codebook_file, common, common_name, guess_variable
from synthpop_gb.read._files import Sheet, stem_of
from synthpop_gb.read._grid import Grid, Request
from synthpop_gb.read._headers import split_headers
from synthpop_gb.read._labels import bare, is_total, key
from synthpop_gb.read._numbers import is_countlike, numbers, texts
from synthpop_gb.read._zones import zone_column

__all__ = ["find_column", "known_tidy", "read_wide", "unknown_layout", "zones_of"]

_NOT_COUNTS = re.compile(
    r"^(year|date|time|objectid|fid|id|index|unnamed\d*|cduid|easting|northing|lat|latitude|long|longitude|bng[en]|shape(area|length)|area(sqkm|ha)?|globalid|.*(percent|percentage))$"
)

_TRAILING_TOTAL = re.compile(r":\s*total$", re.IGNORECASE)


def unknown_layout(sheet: Sheet, message: str, remedy: str = "") -> InputError:
    """Return the error that a file's columns cannot be made sense of, listing them."""
    shown = ", ".join(repr(bare(c)) for c in sheet.columns[:8]) + (" ..." if len(sheet.columns) > 8 else "")
    more = {"remedy": remedy} if remedy else {}
    return InputError([finding("unknown-layout", f"{sheet.place}: {message} Columns: {shown}.", place=sheet.place, **more)])


def find_column(sheet: Sheet, name: str, what: str) -> str:
    """Column of the sheet that `name` means, spelling apart; raises InputError 'missing-column' with the nearest."""
    exact = (
        [c for c in sheet.columns if c == name]
        or [c for c in sheet.columns if bare(c) == bare(name)]
        or [c for c in sheet.columns if key(c) == key(name)]
    )
    if exact:
        return exact[0]
    near = difflib.get_close_matches(name, [bare(c) for c in sheet.columns], n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else f" There are: {', '.join(bare(c) for c in sheet.columns[:12])}."
    raise InputError([finding("missing-column", f"{sheet.place} has no column {name!r} ({what}).{hint}", place=sheet.place)])


def zones_of(sheet: Sheet, request: Request) -> tuple[str, np.ndarray]:
    """Zone column and codes; `zone = "#"` numbers the rows from 1."""
    if request.zone == "#":
        return "", np.array([str(i + 1) for i in range(len(sheet.table))], dtype=object)
    name = find_column(sheet, request.zone, "zone codes") if request.zone else zone_column(sheet.table)
    if name is None:
        raise unknown_layout(sheet, "no column of zone codes was found.", 'Name it with `zone`; `zone = "#"` numbers the rows.')
    return name, texts(sheet.table[name])


def known_tidy(sheet: Sheet) -> dict:
    """Return what is known of a tidied table: by its headers, or by a `tables.csv` (file, variables, universe) that lists it."""
    present = {key(c) for c in sheet.columns}
    fits = [
        (name, entry) for name, entry in codebook_file("tables_tidy").items() if {key(h) for h in entry["headers"]} <= present
    ]
    if fits:
        _, entry = max(fits, key=lambda f: (key(f[0]) in key(stem_of(sheet.path)), len(f[1]["headers"])))
        return {k: v for k, v in entry.items() if k != "headers"}
    return _listed(sheet.path)


def _listed(path: Path) -> dict:
    """Entry of a file in a `tables.csv` beside it or one folder up, as the demo counties write one."""
    for folder in (path.parent, path.parent.parent):
        manifest = folder / "tables.csv"
        if not manifest.is_file() or manifest.resolve() == path.resolve():
            continue
        with open(manifest, encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"file", "variables"} <= set(rows.fieldnames or ()):
                continue
            for row in rows:
                if (folder / row["file"]).resolve() == path.resolve():
                    noise = 0.5 if str(row.get("perturbed", "")).casefold() == "true" else 0.0
                    return {
                        "variables": row["variables"].split(),
                        "universe": row.get("universe") or None,
                        "standard_error": noise,
                        "listed": True,
                    }
    return {}


def read_wide(sheet: Sheet, request: Request) -> Grid:
    """Read one row a zone and one column a category; joint tables have headers such as 'female: 16-24'.

    Raises InputError with 'unknown-layout' or 'missing-column'.
    """
    sheet = _second_header(sheet)
    known = {} if request.columns else known_tidy(sheet)
    zone, zones = zones_of(sheet, request)
    headers, total = _headers(sheet, request, known, zone)
    mapped = request.columns or known.get("columns")
    if mapped:
        chosen = [find_column(sheet, h, "a category") for h in mapped]
        keys = [(c,) if isinstance(c, str) else tuple(c) for c in mapped.values()]
        outside = [h for h in headers if key(h) in {key(o) for o in known.get("outside", ())}]
        chosen, keys = chosen + outside, keys + [tuple(bare(h) for _ in keys[0]) for h in outside]
        variables = request.names or tuple(known.get("variables") or _guess_each(sheet, keys))
    else:
        variables, keys, chosen = _make_sense(sheet, headers, request, known)
    wrong = {len(k) for k in keys} - {len(variables)}
    if wrong:
        raise unknown_layout(
            sheet,
            f"{len(variables)} variables are named, but categories have {wrong.pop()} parts.",
            "Give one category a variable for each header.",
        )
    read = [numbers(sheet.table[c]) for c in chosen]
    marks = {j: m for j, (_, m) in enumerate(read) if m}
    totals = numbers(sheet.table[total])[0] if total else None
    return Grid(zones, keys, [v for v, _ in read], variables, marks, totals, known, sheet.findings)


def _second_header(sheet: Sheet) -> Sheet:
    """Use the labels in the first row where the header holds codes, as 2011 downloads from InFuse have them."""
    row = [sheet.table.column(i)[0].as_py() for i in range(sheet.table.num_columns)]
    labels = [v if isinstance(v, str) and ":" in v else None for v in row]
    if row[0] is not None or not any(labels):
        return sheet
    names = [label or name for label, name in zip(labels, sheet.columns, strict=True)]
    if len(set(names)) < len(names):
        return sheet
    return Sheet(
        sheet.path, sheet.table.slice(1).rename_columns(names), sheet.preamble, sheet.findings, sheet.member, sheet.broken
    )


def _headers(sheet: Sheet, request: Request, known: dict, zone: str) -> tuple[list[str], str | None]:
    """Columns of counts, and the column of the published total if there is one."""
    named = request.total or known.get("total")
    total = find_column(sheet, named, "the total") if named else None
    ignored = {key(h) for h in known.get("ignore", ())}
    found = [
        c for c in sheet.columns
        if c not in (zone, total) and key(c) not in ignored and bare(c) and not re.fullmatch(r"\x00\d+", c)
        and not _NOT_COUNTS.match(key(c)) and is_countlike(sheet.table[c])
    ]  # fmt: skip
    if total is None and len(found) > 1:
        totals = [c for c in found if is_total(c)]
        if totals and len(totals) < len(found):
            total = totals[0]
            found = [c for c in found if c not in totals]
    return found, total


def _make_sense(
    sheet: Sheet, headers: list[str], request: Request, known: dict
) -> tuple[tuple[str, ...], list[tuple[str, ...]], list[str]]:
    """Variables of the headers, the labels of each header, and the headers that are categories."""
    if not headers:
        raise unknown_layout(sheet, "no column of counts was found.")
    names = request.names or tuple(known.get("variables") or ())
    single = [(bare(h),) for h in headers]
    if len(names) == 1:
        strange = [h for h in headers if common(names[0]) and atoms_of(names[0], _TRAILING_TOTAL.sub("", bare(h))) is None]
        if strange and not request.names and not known.get("listed"):
            raise unknown_layout(
                sheet, f"{bare(strange[0])!r} is no category of {names[0]}.", "Name the headers to use with `columns`."
            )
        return names, single, headers
    if len(names) > 1:
        found = split_headers(headers, names)
        if found is None:
            message = f"the headers do not name one category of each of {' and '.join(names)}."
            raise unknown_layout(sheet, message, "Give the categories of each header with `columns`.")
        return *found, headers
    one = guess_variable(headers, stem_of(sheet.path)) or guess_variable(headers)
    if one:
        return (one,), single, headers
    found = split_headers(headers, None)
    if found:
        return *found, headers
    message = "the headers are categories of no known variable."
    raise unknown_layout(sheet, message, "Name the variable with `variables`, or each header's category with `columns`.")


def _guess_each(sheet: Sheet, keys: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Variables of categories that the caller gave without naming the variables."""
    found = []
    for d in range(len(keys[0])):
        labels = list(dict.fromkeys(k[d] for k in keys))
        hint = stem_of(sheet.path) if len(keys[0]) == 1 else ""
        found.append(guess_variable(labels, hint) or guess_variable(labels) or (common_name(hint) if hint else None))
    if not all(found):
        raise unknown_layout(
            sheet, "it cannot be told which variable the categories belong to.", "Name the variables with `variables`."
        )
    return tuple(found)
