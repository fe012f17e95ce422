"""Scotland's Census: SuperWEB2 exports, CSV and Excel, with banner, filters, header, counts and footer; '-' is nought."""

from __future__ import annotations

import re

import numpy as np

from synthpop_gb.read._codebooks import codebook_file, common_name, guess_variable
from synthpop_gb.read._files import Sheet, stem_of
from synthpop_gb.read._grid import Grid, Request, pivot
from synthpop_gb.read._labels import bare, is_total, key
from synthpop_gb.read._numbers import numbers, texts
from synthpop_gb.read._zones import is_code

__all__ = ["is_superweb2", "read_superweb2"]

NOUGHT = frozenset({"-", "\u2013"})
"""How SuperWEB2 prints a nought."""


def is_superweb2(sheet: Sheet) -> bool:
    """Whether the rows above the header are a SuperWEB2 banner."""
    above = " ".join(cell for row in sheet.preamble for cell in row)
    return "SuperWEB2" in above or ("Scotland's Census" in above and "Counting:" in above)


def read_superweb2(sheet: Sheet, request: Request) -> Grid:
    """Read an export in either arrangement: zones by categories, or one row a zone and category with a last column Count."""
    above = [bare(cell) for row in sheet.preamble for cell in row if cell.strip()]
    known = _known(above, sheet)
    zone = max(range(sheet.table.num_columns), key=lambda i: int(is_code(texts(sheet.table.column(i))).sum()))
    zones = texts(sheet.table.column(zone))
    listed = is_code(zones)
    others = [i for i in range(sheet.table.num_columns) if i != zone]
    counting = [i for i in others if key(sheet.columns[i]) == "count"]
    if counting:
        grid = _long(sheet, zones, listed, others, counting[0], known, request)
    else:
        header = bare(sheet.columns[0])
        positions = [i for i in others if i > zone]
        read = [numbers(sheet.table.column(i), NOUGHT) for i in positions]
        keys = [(bare(sheet.columns[i]),) for i in positions]
        names = request.names or tuple(known.get("variables") or [_name(header, [k[0] for k in keys])])
        marks = {j: m for j, (_, m) in enumerate(read) if m}
        grid = Grid(zones, keys, [v for v, _ in read], names, marks, None, known)
        grid.rows(listed)
    grid.known = known
    grid.findings = [*sheet.findings, *grid.findings]
    return grid


def _long(
    sheet: Sheet, zones: np.ndarray, listed: np.ndarray, others: list[int], count: int, known: dict, request: Request
) -> Grid:
    """Pivot the long arrangement; columns with one value (what is counted) say nothing."""
    table = sheet.table
    labels = {i: texts(table.column(i))[listed] for i in others if i != count}
    labels = {i: x for i, x in labels.items() if len(set(x)) > 1}
    values, marks = numbers(table.column(count), NOUGHT)
    place = {int(old): new for new, old in enumerate(np.flatnonzero(listed))}
    marks = {place[r]: t for r, t in marks.items() if r in place}
    names = tuple(_name(bare(sheet.columns[i]), sorted({str(v) for v in x})) for i, x in labels.items())
    return pivot(zones[listed], list(labels.values()), values[listed], marks, request.names or names, sheet.place)


def _known(above: list[str], sheet: Sheet) -> dict:
    """Return what the codebook knows of the table: by its number in the banner or the file's name; else the census."""
    book = codebook_file("tables_scotland")
    publication = {k: v for k, v in book["publication"].items() if k != "title"}
    text = f"{' '.join(above)} {stem_of(sheet.path)}"
    number = re.search(r"(?<![A-Za-z])UV\d{3}[a-z]?", text)
    entry = book["tables"].get(number[0]) if number else None
    if entry:
        return {**publication, **entry, "name": number[0]}
    found = {**publication, "name": number[0]} if number else dict(publication)
    if any("household" in line.casefold() for line in above if line.startswith("Counting")):
        found["universe"] = "households"
    elif re.search(r"\ball people\b", text, re.IGNORECASE):
        found["universe"] = "usual residents"
    return found


def _name(heading: str, labels: list[str]) -> str:
    leaves = [label for label in labels if not is_total(label)]
    return common_name(heading) or guess_variable(leaves, heading) or re.sub(r"\W+", "_", heading.casefold()).strip("_")
