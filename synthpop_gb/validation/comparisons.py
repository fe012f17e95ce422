"""What is compared with what: every pair of constraint variables, and every held-out table, each with its reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned, AlignedTable
from synthpop_gb.codebook import Category, covers

__all__ = ["Comparison", "constraint_variables", "held_out_tables", "pairs", "table_names"]


@dataclass(frozen=True, eq=False)
class Comparison:
    """One cross-table of the population and what it is measured against.

    Attributes
    ----------
    name : str
        'age x sex', or the held-out table's own name.
    variables : tuple of str
        Variables crossed.
    labels : tuple of tuple of str
        Labels of each variable's categories; cells are all their combinations, the last variable fastest.
    record_cell : numpy.ndarray
        (n_records,) int32 cell of each record, -1 = outside the universe.
    reference : numpy.ndarray or None
        (n_zones, n_cells) float64 published counts; None: the fractional fit is the reference.
    source : str
        'held out' (published, not fitted), 'constraint' (published and fitted) or 'fit'.
    kept : tuple of bool
        By variable: whether its margin in each zone is fixed by the constraints.
    unit : str
        What is counted: 'person' or 'household'.
    """

    name: str
    variables: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    record_cell: np.ndarray
    reference: np.ndarray | None
    source: str
    kept: tuple[bool, ...]
    unit: str = "person"

    @property
    def shape(self) -> tuple[int, ...]:
        """How many categories each variable has."""
        return tuple(len(x) for x in self.labels)

    @property
    def n_cells(self) -> int:
        """How many cells."""
        return int(np.prod(self.shape))

    @property
    def cell_labels(self) -> list[str]:
        """Labels of the cells: 'bad x 75+'."""
        grid = np.unravel_index(np.arange(self.n_cells), self.shape)
        return [" x ".join(self.labels[v][i] for v, i in enumerate(key)) for key in zip(*grid, strict=True)]

    @cached_property
    def margins(self) -> tuple[np.ndarray, int]:
        """(n_kept, n_cells) int32 margin of each cell in each kept variable, numbered across variables; and how many margins."""
        grid = np.unravel_index(np.arange(self.n_cells), self.shape)
        rows, first = [], 0
        for i, size, kept in zip(grid, self.shape, self.kept, strict=True):
            if kept:
                rows.append(i + first)
                first += size
        return np.array(rows, np.int32).reshape(len(rows), self.n_cells), first


def table_names(tables: Sequence[AlignedTable]) -> list[str]:
    """Name tables by their variables ('age x sex'); where two have the same ones, by their own names too."""
    plain = [" x ".join(t.variables) for t in tables]
    return [f"{name} ({t.name})" if plain.count(name) > 1 else name for name, t in zip(plain, tables, strict=True)]


@dataclass(frozen=True, eq=False)
class _Variable:
    """One variable as the constraints know it: its categories, and the category of each record (-1 = outside).

    unit : what its table counts; of households `record` knows the references, `everybody` all members.
    """

    name: str
    categories: tuple[Category, ...]
    record: np.ndarray
    unit: str
    everybody: np.ndarray


def _level_codes(table: AlignedTable) -> list[np.ndarray]:
    """For each variable of a table: position of its category in each cell."""
    codes = []
    for v, categories in enumerate(table.categories):
        where = {c.label: i for i, c in enumerate(categories)}
        codes.append(np.array([where[label] for label in table.targets.columns.get_level_values(v)], np.int64))
    return codes


def _look_up(cell_values: np.ndarray, record_cell: np.ndarray) -> np.ndarray:
    """Value of each record's cell; -1 for records outside."""
    return np.append(cell_values, -1)[record_cell].astype(np.int32)


def constraint_variables(aligned: Aligned) -> dict[str, _Variable]:
    """Return the variables that the constraints cross, each with the finest categories that any of them has, in their order."""
    found: dict[str, _Variable] = {}
    for table in aligned.constraints:
        for v, (name, codes) in enumerate(zip(table.variables, _level_codes(table), strict=True)):
            if name not in found or len(table.categories[v]) > len(found[name].categories):
                record, everybody = (_look_up(codes, cell) for cell in (table.record_cell, aligned.cell_of_all(table)))
                found[name] = _Variable(name, table.categories[v], record, table.universe.unit, everybody)
    return found


def pairs(aligned: Aligned, held_out: Sequence[AlignedTable]) -> list[Comparison]:
    """All two-way intersections of the constraint variables, each against a published joint table where there is one.

    A pair that one constraint crosses has that constraint as its reference; else a held-out table whose categories merge into
    the pair's, for the same people; else the fractional fit. Two variables of households are counted in households; one of
    households and one of persons in people, by the household that they live in.
    """
    out = []
    for a, b in combinations(constraint_variables(aligned).values(), 2):
        unit = a.unit if a.unit == b.unit else "person"
        ours, theirs = (v.record if v.unit == unit else v.everybody for v in (a, b))
        inside = (ours >= 0) & (theirs >= 0)
        cell = np.where(inside, ours * len(b.categories) + theirs, -1).astype(np.int32)
        reference, source = None, "fit"
        for table in [*aligned.constraints, *sorted(held_out, key=lambda t: len(t.variables))]:
            merged = _merged(table, a, b, aligned.zones) if {a.name, b.name} <= set(table.variables) else None
            if merged is not None and table.universe.unit == unit and np.array_equal(table.record_cell >= 0, inside):
                reference, source = merged, "constraint" if any(table is t for t in aligned.constraints) else "held out"
                break
        labels = tuple(tuple(c.label for c in v.categories) for v in (a, b))
        kept = tuple(v.unit == unit and _fixed(v, inside) for v in (a, b))
        out.append(Comparison(f"{a.name} x {b.name}", (a.name, b.name), labels, cell, reference, source, kept, unit))
    return out


def _merged(table: AlignedTable, a: _Variable, b: _Variable, zones: pd.Index) -> np.ndarray | None:
    """Merge a published table into the cells of a pair, (n_zones, n_cells); None where its categories do not merge so."""
    codes = _level_codes(table)
    position = np.zeros(table.targets.shape[1], np.int64)
    for variable, size in ((a, 1), (b, len(b.categories))):
        v = table.variables.index(variable.name)
        into = np.array([covers(variable.categories, c.atoms) for c in table.categories[v]])
        if (into < 0).any():
            return None
        position = position * size + into[codes[v]]
    return _summed(table.targets.reindex(zones).to_numpy(np.float64), position, len(a.categories) * len(b.categories))


def _summed(counts: np.ndarray, position: np.ndarray, n_cells: int) -> np.ndarray:
    """Add up the columns that fall in the same position."""
    out = np.zeros((len(counts), n_cells))
    for column, where in enumerate(position):
        out[:, where] += counts[:, column]
    return out


def held_out_tables(aligned: Aligned, held_out: Sequence[AlignedTable]) -> list[Comparison]:
    """Every held-out table as a comparison with what was published."""
    known = constraint_variables(aligned)
    out = []
    for name, table in zip(table_names(held_out), held_out, strict=True):
        codes = _level_codes(table)
        shape = tuple(len(c) for c in table.categories)
        position = np.ravel_multi_index(tuple(codes), shape)
        counts = table.targets.reindex(aligned.zones).to_numpy(np.float64)
        if np.isnan(counts).any():
            lacking = aligned.zones[np.isnan(counts).any(axis=1)]
            raise ValueError(f"the held-out table {table.name} has no counts for {len(lacking):,} zones, e.g. {lacking[0]}")
        kept = tuple(
            v in known
            and known[v].unit == table.universe.unit
            and all(covers(categories, c.atoms) >= 0 for c in known[v].categories)
            and _fixed(known[v], table.record_cell >= 0)
            for v, categories in zip(table.variables, table.categories, strict=True)
        )
        out.append(
            Comparison(
                name, table.variables, tuple(tuple(c.label for c in categories) for categories in table.categories),
                _look_up(position, table.record_cell), _summed(counts, position, int(np.prod(shape))), "held out", kept,
                table.universe.unit,
            )
        )  # fmt: skip
    return out


def _fixed(variable: _Variable, inside: np.ndarray) -> bool:
    """Whether a constraint fixes the variable's margin among some records: no category of it lies across their edge."""
    size = len(variable.categories)
    known = variable.record >= 0
    among = np.bincount(variable.record[known & inside], minlength=size)
    total = np.bincount(variable.record[known], minlength=size)
    return bool(known[inside].all() and ((among == 0) | (among == total)).all())
