"""ONS custom datasets: long rows with a code and a label for the area and for each variable, then Observation."""

from __future__ import annotations

import re

import numpy as np

from synthpop_gb.errors import finding
from synthpop_gb.read._codebooks import common_name, guess_variable
from synthpop_gb.read._files import Sheet
from synthpop_gb.read._grid import Grid, Request, pivot
from synthpop_gb.read._labels import bare, key
from synthpop_gb.read._numbers import numbers, texts

__all__ = ["is_ons_custom", "read_custom"]


def _pairs(sheet: Sheet) -> list[tuple[str, str]]:
    """Column pairs (`X Code`, `X`), in file order."""
    names = {key(c): c for c in sheet.columns}
    return [(c, names[key(c)[:-4]]) for c in sheet.columns if key(c).endswith("code") and key(c)[:-4] in names]


def is_ons_custom(sheet: Sheet) -> bool:
    """Whether a sheet has pairs of code and label columns and a last column Observation (or Count, in Northern Ireland)."""
    return len(_pairs(sheet)) > 1 and key(sheet.columns[-1]) in {"observation", "observations", "count"}


def read_custom(sheet: Sheet, request: Request) -> Grid:
    """Read a custom dataset. Rows of code -8 (does not apply) are left out and said.

    Areas that the office withheld are not in the file at all; a study that needs them says so when tables are aligned.
    """
    area, *pairs = _pairs(sheet)
    table = sheet.table
    codes = [texts(table[code]) for code, _ in pairs]
    labels = [texts(table[label]) for _, label in pairs]
    values, marks = numbers(table[sheet.columns[-1]])
    outside = np.zeros(len(table), bool)
    for code in codes:
        outside |= (code == "-8") | (code == "-9")
    findings = list(sheet.findings)
    if outside.any():
        people = float(np.nansum(values[outside]))
        message = f"{sheet.place}: {people:,.0f} people or households to whom a question does not apply (code -8) were left out."
        findings.append(finding("does-not-apply", message, place=sheet.place, count=int(people)))
        keep = np.flatnonzero(~outside)
        place = {int(old): new for new, old in enumerate(keep)}
        marks = {place[r]: t for r, t in marks.items() if r in place}
        codes, labels, values = [c[keep] for c in codes], [x[keep] for x in labels], values[keep]
    zones = texts(table[area[0]])[~outside]
    labels = [_distinct(c, x) for c, x in zip(codes, labels, strict=True)]
    grid = pivot(zones, labels, values, marks, (), sheet.place)
    named = [re.sub(r"\s*\(\d+ categories\)", "", bare(label)) for _, label in pairs]
    guessed = tuple(_name(n, sorted({k[d] for k in grid.keys})) for d, n in enumerate(named))
    grid.variables = request.names or guessed
    year = 2021 if any(re.search(r"\(\d+ categories\)", label) for _, label in pairs) else None
    grid.known = {"year": year, "standard_error": 0.5} if year else {}
    grid.findings = [*findings, *grid.findings]
    return grid


def _distinct(codes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Labels, with the code behind those that two codes share."""
    seen: dict[str, set[str]] = {}
    for code, label in set(zip(codes, labels, strict=True)):
        seen.setdefault(label, set()).add(code)
    double = {label for label, found in seen.items() if len(found) > 1}
    if not double:
        return labels
    return np.array([f"{x} ({c})" if x in double else x for c, x in zip(codes, labels, strict=True)], dtype=object)


def _name(heading: str, labels: list[str]) -> str:
    return common_name(heading) or guess_variable(labels, heading) or re.sub(r"\W+", "_", heading.casefold()).strip("_")
