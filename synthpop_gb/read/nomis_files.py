"""Nomis: bulk files of 2011 and 2021, query downloads (title block, mnemonic column) and CSV from the API."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

from synthpop_gb.benchmark import GUEST_LIMIT
from synthpop_gb.errors import InputError, finding
from synthpop_gb.read._codebooks import atoms_of, codebook_file, common_name, guess_variable
from synthpop_gb.read._files import Sheet, stem_of
from synthpop_gb.read._grid import Grid, Request, pivot
from synthpop_gb.read._labels import bare, is_total, key, parts
from synthpop_gb.read._numbers import numbers, texts
from synthpop_gb.read._universes import universe

__all__ = ["is_nomis_api", "is_nomis_bulk", "is_nomis_query", "known_table", "read_api", "read_bulk", "read_query"]


def is_nomis_bulk(sheet: Sheet) -> bool:
    """Whether a sheet has the columns of a bulk file: area code, then headers `Variable: category`."""
    names = [bare(c).casefold() for c in sheet.columns]
    return "geography code" in names and len(names) > names.index("geography code") + 1 and ":" in names[-1]


def is_nomis_query(sheet: Sheet) -> bool:
    """Whether a sheet is a query download: a title block, then a column called mnemonic."""
    return any(bare(c).casefold() == "mnemonic" for c in sheet.columns[:3])


def is_nomis_api(sheet: Sheet) -> bool:
    """Whether a sheet has the columns of the API's CSV."""
    names = {c.upper() for c in sheet.columns}
    return "GEOGRAPHY_CODE" in names and "OBS_VALUE" in names


_BOOKS = {2021: "tables_2021", 2011: "tables_2011"}
_NUMBER = re.compile(r"(?<![a-z0-9])(ts\d{3}[a-z]?|[kq]s\d{3})(?:ew|uk)?(?![a-z0-9])")


def _census(year: str | int | None) -> dict:
    """Year and noise of a census, {} where it is not one of ours."""
    book = _BOOKS.get(int(year)) if year else None
    return {k: v for k, v in codebook_file(book)["publication"].items() if k != "title"} if book else {}


def known_table(name: str, stem: str, labels: list[str], year: int | None = None) -> dict:
    """Return what the codebooks know of a Nomis table, by its number in `name` (file name or title), else by stem and labels.

    name : text that may hold 'ts037', 'ks201ew' or 'nm_2055_1'; stem : what stands before the first colon of every header;
    year : census year, where the file says.
    """
    number = _NUMBER.search(name.casefold())
    dataset = re.search(r"(?<![a-z0-9])nm_(\d+)_1(?!\d)", name.casefold())
    found: list[dict] = []
    for of, file in _BOOKS.items():
        book = codebook_file(file)
        for table, entry in book["tables"].items():
            whole = {**book["publication"], **entry, "name": table}
            if (number and number[1] == table) or (dataset and entry.get("nomis") == int(dataset[1])):
                return whole
            fits = key(entry["stem"]) == key(stem) and year in (None, of)
            if fits and all(atoms_of(entry["variables"][0], label) for label in labels):
                found.append(whole)
    if len(found) > 1:  # TS008 and TS020 have the same headers and count different people
        return {**{k: v for k, v in found[0].items() if k != "name"}, "universe": None}
    return found[0] if found else {}


def read_bulk(sheet: Sheet, request: Request) -> Grid:
    """Read a bulk file. Percentages and the rows of 2011 files that split an area into urban and rural are left out.

    Raises InputError with 'unknown-layout' where the file holds percentages only.
    """
    names = [bare(c).casefold() for c in sheet.columns]
    code = names.index("geography code")
    area = [i for i, n in enumerate(names) if n == "rural urban"]
    values = [i for i in range(len(names)) if i > code and i not in area and not _PER_CENT.search(sheet.columns[i])]
    if not values:
        message = f"{sheet.place} holds percentages, no counts."
        raise InputError([finding("unknown-layout", message, place=sheet.place, remedy="Download the measure `Value`.")])
    headers = [bare(sheet.columns[i]) for i in values]
    stems, keys = _dimensions(headers)
    leaves = [k[0] for k in keys if not is_total(k[0])] if len(stems) == 1 else []
    census = _from_date(sheet, names)
    stem = stems[0] if len(stems) == 1 else ""
    known = known_table(f"{stem_of(sheet.path)} {sheet.member}", stem, _finest(leaves), census.get("year"))
    guessed = (_variable(s, [k[d] for k in keys]) for d, s in enumerate(stems))
    variables = request.names or tuple(known.get("variables") or guessed)
    known = {**census, **_from_total(keys), **known}
    columns, marks = _columns(sheet.table, values)
    total = None
    if request.total is not None:
        wanted = [j for j, i in enumerate(values) if bare(sheet.columns[i]) == bare(request.total)]
        total = columns[wanted[0]] if wanted else None
    grid = Grid(texts(sheet.table.column(code)), keys, columns, variables, marks, total, known, sheet.findings)
    if area:
        whole = np.array([t is not None and is_total(t) for t in texts(sheet.table.column(area[0]))])
        if whole.any():
            grid.rows(whole)
    return grid


def _finest(labels: list[str]) -> list[str]:
    """Labels that are no subtotal by their colons."""
    paths = [parts(label) for label in labels]
    return [
        label
        for label, p in zip(labels, paths, strict=True)
        if p[-1] != "Total" and not any(len(q) > len(p) and q[: len(p)] == p for q in paths)
    ]


def _dimensions(headers: list[str]) -> tuple[list[str], list[tuple[str, ...]]]:
    """Stem of each variable and the labels of each header: `Sex: Female`, or `Sex: Female; Age: 16 to 24` in joint tables."""
    pieces = [re.split(r";\s+", h) for h in headers]
    joint = len({len(p) for p in pieces}) == 1 and all(":" in part for p in pieces for part in p)
    if joint and len(pieces[0]) > 1:
        stems = [tuple(parts(part)[0] for part in p) for p in pieces]
        if len(set(stems)) == 1:
            return list(stems[0]), [tuple(_after(part, s) for part, s in zip(p, stems[0], strict=True)) for p in pieces]
    stem = _common_stem(headers)
    return [stem], [(_after(h, stem),) for h in headers]


def _common_stem(headers: list[str]) -> str:
    first = {parts(h)[0] for h in headers if parts(h)}
    return first.pop() if len(first) == 1 else ""


def _after(header: str, stem: str) -> str:
    return header[len(stem) :].lstrip(" :") if stem and header.startswith(stem) else header


def _variable(stem: str, labels: list[str]) -> str:
    """Name of a variable that no table of the codebook describes."""
    leaves = [label for label in labels if not is_total(label)]
    return (
        guess_variable(_finest(leaves), stem)
        or common_name(stem)
        or re.sub(r"\W+", "_", stem.casefold()).strip("_")
        or "category"
    )


def _from_date(sheet: Sheet, names: list[str]) -> dict:
    """Census of a bulk file's date column."""
    if "date" not in names:
        return {}
    first = next((v for v in texts(sheet.table.column(names.index("date")).slice(0, 10)) if v), "")
    return _census(first[:4] if first[:4].isdigit() else None)


def _from_total(keys: list[tuple[str, ...]]) -> dict:
    """Universe of a table that the codebook does not know, from the label of its total."""
    for k in keys:
        if all(map(is_total, k)) and (found := universe(re.sub(r"^total:?\s*", "", k[0], flags=re.IGNORECASE))):
            return {"universe": found}
    return {}


def _columns(table: pa.Table, positions: list[int]) -> tuple[list[np.ndarray], dict[int, dict[int, str]]]:
    read = [numbers(table.column(i)) for i in positions]
    return [values for values, _ in read], {j: marks for j, (_, marks) in enumerate(read) if marks}


def read_query(sheet: Sheet, request: Request) -> Grid:
    """Read a query download: title and universe from the block above, counts (not percentages) from the table."""
    mnemonic = next(i for i, c in enumerate(sheet.columns) if bare(c).casefold() == "mnemonic")
    block = {
        bare(row[0]).rstrip(" :").casefold(): bare(row[1])
        for row in sheet.preamble
        if len(row) > 1 and row[0].strip() and row[1].strip()
    }
    title = next((bare(row[0]) for row in sheet.preamble if row and row[0].strip()), "")
    kinds = [_first(sheet.table.column(i)) for i in range(sheet.table.num_columns)]
    labels: list[str] = []
    positions: list[int] = []
    heading = ""
    for i, name in enumerate(sheet.columns):
        heading = bare(name) if bare(name) and not (name.startswith("\x00") and name[1:].isdigit()) else heading
        if i > mnemonic and not re.fullmatch(r"%|per ?cent(age)?", kinds[i].casefold()):
            positions.append(i)
            labels.append(heading)
    units = [k for k in kinds if re.fullmatch(r"%|numbers?|value|per ?cent(age)?", k.casefold())]
    table = sheet.table.slice(1) if units else sheet.table
    dims = [(label,) for label in labels]
    date = re.search(r"20\d\d", block.get("date", ""))
    census = _census(date[0] if date else None)
    stem = title.split(" - ")[-1]
    leaves = _finest([d[0] for d in dims if not is_total(d[0])])
    known = known_table(f"{title} {stem_of(sheet.path)}", stem, leaves, census.get("year"))
    variables = request.names or tuple(known.get("variables") or [_variable(stem, [d[0] for d in dims])])
    said = universe(block["population"]) if "population" in block else None
    known = {**census, **({"universe": said} if said else _from_total(dims)), **{k: v for k, v in known.items() if v is not None}}
    columns, marks = _columns(table, positions)
    return Grid(texts(table.column(mnemonic)), dims, columns, variables, marks, None, known, sheet.findings)


def _first(column: pa.ChunkedArray) -> str:
    value = column[0].as_py() if len(column) else None
    return str(value).strip() if value is not None else ""


_PER_CENT = re.compile(r";\s*measures:\s*percent\s*$", re.IGNORECASE)
_NOT_VARIABLES = {"DATE", "GEOGRAPHY", "MEASURES", "OBS_STATUS", "OBS_CONF", "OBS", "URN", "RECORD", "FREQ"}


def read_api(sheet: Sheet, request: Request) -> Grid:
    """Read CSV from the API: one row a cell. Percentages, totals over a dimension and urban-rural splits are left out.

    Raises InputError with 'truncated-file' where the answer was cut at the guest limit or rows are missing of RECORD_COUNT.
    """
    columns = {c.upper(): c for c in sheet.columns}
    table = sheet.table
    _refuse_truncated(sheet, columns)
    keep = np.ones(len(table), bool)
    for name, wanted in (("MEASURES", "20100"), ("MEASURES_NAME", "Value"), ("RURAL_URBAN_NAME", "Total"), ("RURAL_URBAN", "0")):
        if name in columns:
            values = texts(table[columns[name]])
            keep &= values == wanted if (values == wanted).any() else keep
    stems = [
        c[:-5]
        for c in columns
        if c.endswith("_NAME") and c[:-5] not in _NOT_VARIABLES and not c.startswith(("GEOGRAPHY", "RURAL_URBAN"))
    ]
    if not stems:
        message = f"{sheet.place} holds codes without their labels."
        raise InputError(
            [
                finding(
                    "unknown-layout", message, place=sheet.place, remedy="Ask the API for the columns that end in _NAME as well."
                )
            ]
        )
    table = table.filter(pa.array(keep))
    labels = {s: texts(table[columns[f"{s}_NAME"]]) for s in stems}
    used = [s for s in stems if len(set(labels[s])) > 1 or not is_total(str(labels[s][0]))] or stems[:1]
    zones = texts(table[columns["GEOGRAPHY_CODE"]])
    values, marks = numbers(table[columns["OBS_VALUE"]])
    grid = pivot(zones, [labels[s] for s in used], values, marks, tuple(used), sheet.place)
    stem = common_name(used[0]) or used[0]
    known = known_table(stem_of(sheet.path), stem, []) if len(used) == 1 else {}
    named = tuple(_variable(s, sorted({k[d] for k in grid.keys})) for d, s in enumerate(used))
    grid.variables = request.names or tuple(known.get("variables") or named)
    census = re.search(r"C(20\d\d)_", " ".join(stems))
    grid.known = {**_census(census[1] if census else None), **_from_total(grid.keys), **known}
    grid.findings = [*sheet.findings, *grid.findings]
    return grid


def _refuse_truncated(sheet: Sheet, columns: dict[str, str]) -> None:
    """Refuse an answer that was cut."""
    rows = len(sheet.table)
    if "RECORD_COUNT" in columns:
        said, _ = numbers(sheet.table[columns["RECORD_COUNT"]])
        wanted = int(np.nanmax(said)) if np.isfinite(said).any() else rows
        if wanted > rows:
            message = f"{sheet.place} has {rows:,} of the {wanted:,} rows that the Nomis API had to give."
            raise InputError([finding("truncated-file", message, place=sheet.place, count=wanted - rows)])
    elif rows == GUEST_LIMIT:
        message = f"{sheet.place} has exactly 25,000 rows, the guest limit of the Nomis API."
        raise InputError([finding("truncated-file", message, place=sheet.place, count=rows)])
