"""What every layout is brought to before it becomes a table: zones by labelled columns, and what is known of the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthpop_gb.codebook import Universe, Variable
from synthpop_gb.errors import Finding, InputError, finding

__all__ = ["Grid", "Request", "pivot"]


@dataclass(frozen=True)
class Request:
    """What the caller said about a table; every field may be left out."""

    name: str | None = None
    zone: str | None = None
    variables: tuple[str | Variable, ...] | None = None
    columns: Mapping[str, str | Sequence[str]] | None = None
    total: str | None = None
    remainder: str | tuple[str, ...] | None = None
    aggregate: bool = False
    universe: str | Universe | None = None
    standard_error: float | None = None
    year: int | None = None
    member: str | None = None

    @property
    def names(self) -> tuple[str, ...] | None:
        """Names of the variables asked for."""
        return None if self.variables is None else tuple(v.name if isinstance(v, Variable) else v for v in self.variables)


@dataclass
class Grid:
    """Counts by zone and labelled column, as the file has them.

    Attributes
    ----------
    zones : numpy.ndarray
        (n,) object: zone codes as text, None where blank.
    keys : list of tuple of str
        One label a variable for each column.
    columns : list of numpy.ndarray
        (n,) float64 each; NaN where blank or marked.
    variables : tuple of str
        Names of the variables, in the order of each key.
    marks : dict
        Column number to {row: text} of cells that are no numbers.
    total : numpy.ndarray or None
        (n,) float64: the publisher's own total, where a column of its own holds it.
    known : dict
        What the codebooks know of the publication: name, universe, year, standard_error, remainder, labels ...
    findings : list of Finding
        What was noticed on the way.
    """

    zones: np.ndarray
    keys: list[tuple[str, ...]]
    columns: list[np.ndarray]
    variables: tuple[str, ...]
    marks: dict[int, dict[int, str]] = field(default_factory=dict)
    total: np.ndarray | None = None
    known: dict = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def rows(self, keep: np.ndarray) -> None:
        """Keep only some rows; keep : (n,) bool or row numbers, ascending."""
        keep = np.flatnonzero(keep) if keep.dtype == bool else keep
        place = {int(old): new for new, old in enumerate(keep)}
        self.zones = self.zones[keep]
        self.columns = [c[keep] for c in self.columns]
        self.total = None if self.total is None else self.total[keep]
        self.marks = {c: {place[r]: t for r, t in rows.items() if r in place} for c, rows in self.marks.items()}

    def cells(self, keep: Sequence[int]) -> None:
        """Keep only some columns, in the order given."""
        self.keys = [self.keys[i] for i in keep]
        self.columns = [self.columns[i] for i in keep]
        self.marks = {new: self.marks[old] for new, old in enumerate(keep) if self.marks.get(old)}


def pivot(
    zones: np.ndarray, labels: list[np.ndarray], values: np.ndarray, marks: dict[int, str], variables: tuple[str, ...], place: str
) -> Grid:
    """Bring long rows (zone, label of each variable, count) to a grid; zones and columns in order of first appearance.

    zones, labels : (n,) object of text; values : (n,) float64; marks : text of cells that are no number, by row.

    Raises InputError with 'duplicate-zone' where a zone has two counts for one cell that differ.
    """
    zone_code, zone_index = pd.factorize(zones)
    frame = [pd.factorize(label) for label in labels]
    cell = np.zeros(len(zones), dtype=np.int64)
    for code, index in frame:
        cell = cell * (len(index) + 1) + code
    cell_code, cell_values = pd.factorize(cell, sort=True)  # in order of first appearance, variable by variable
    first = np.full(len(cell_values), -1, dtype=np.int64)
    first[cell_code[::-1]] = np.arange(len(cell_code))[::-1]
    keys = [tuple(label[row] for label in labels) for row in first]
    used = zone_code >= 0
    flat = zone_code * len(keys) + cell_code
    order = pd.Series(flat[used]).duplicated().to_numpy()
    findings: list[Finding] = []
    grid = np.full(len(zone_index) * len(keys), np.nan)
    grid[flat[used]] = values[used]
    if order.any():
        differ = grid[flat[used][order]] != values[used][order]
        zones_twice = pd.unique(zones[used][order])
        if (
            differ | (pd.Series(flat[used]).map(pd.Series(values[used]).groupby(flat[used]).nunique()).to_numpy()[order] > 1)
        ).any():
            message = f"{place} has {int(order.sum()):,} cells more than once, with different counts (first: {zones_twice[0]})."
            remedy = "Choose one of the tables or years that the file holds, with `member`, or by deleting rows."
            rows = pd.DataFrame({"zone": zones_twice})
            raise InputError([finding("duplicate-zone", message, place=place, count=len(zones_twice), rows=rows, remedy=remedy)])
        message = f"{place} repeats {int(order.sum()):,} of its rows; each was used once."
        findings.append(finding("repeated-rows", message, place=place, count=int(order.sum())))
    square = grid.reshape(len(zone_index), len(keys))
    marked: dict[int, dict[int, str]] = {}
    for row, text in marks.items():
        if zone_code[row] >= 0:
            marked.setdefault(int(cell_code[row]), {})[int(zone_code[row])] = text
    columns = [np.ascontiguousarray(square[:, i]) for i in range(len(keys))]
    return Grid(np.asarray(zone_index, dtype=object), keys, columns, variables, marked, findings=findings)
