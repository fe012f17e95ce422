"""Every combination in every zone: people placed there against the fractional fit or a published table, block by block."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from math import prod

import numpy as np
import pandas as pd

from synthpop_gb.aligned import AlignedTable
from synthpop_gb.coded import Coded
from synthpop_gb.population import DonorCounts, Population
from synthpop_gb.validation.intersections.tallies import CrossTable, strides_of

__all__ = ["ByZone", "FitRuler", "Layout", "TableRuler", "layouts_of", "table_layout", "zone_blocks"]

_BLOCK = 256
"""Zones measured at once, at most: 33 MB of weights at 16,000 profiles."""


@dataclass(frozen=True, eq=False)
class Layout:
    """One combination: its variables, their labels, and which cells occur among the records.

    Attributes
    ----------
    at : tuple of int
        Positions of the variables among the records' (or the table's own, 0 to k - 1).
    names : tuple of str
        Variables.
    labels : tuple of tuple of str
        Categories of each.
    keys : numpy.ndarray
        (n_cells,) int64, ascending: numbers of the cells in the full cross-table, the last variable fastest.
    """

    at: tuple[int, ...]
    names: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    keys: np.ndarray

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many categories each variable has."""
        return tuple(len(x) for x in self.labels)


@dataclass(frozen=True, eq=False)
class ByZone:
    """What one reference showed, for all its combinations.

    Attributes
    ----------
    layouts : list of Layout
        By combination.
    by_zone : numpy.ndarray
        (n_zones, n_combinations, 11) float32: `ZONE_SUMS` of the kernel.
    by_cell : list of numpy.ndarray
        (n_cells, 11) float64 by combination: `CELL_SUMS` of the kernel.
    worst : list of numpy.ndarray
        (n_cells,) int64 by combination: zone where the cell differs most beyond chance, -1 where it never occurs.
    bins : numpy.ndarray
        (n_combinations, BINS) int64: p values of zones' cells, counted by size.
    """

    layouts: list[Layout]
    by_zone: np.ndarray
    by_cell: list[np.ndarray]
    worst: list[np.ndarray]
    bins: np.ndarray

    @classmethod
    def empty(cls, layouts: Sequence[Layout], n_zones: int) -> ByZone:
        """Nothing measured yet."""
        from synthpop_gb.kernels.tally_zones import BINS, CELL_SUMS, ZONE_SUMS

        n = len(layouts)
        return cls(
            list(layouts), np.zeros((n_zones, n, len(ZONE_SUMS)), np.float32),
            [np.zeros((len(x.keys), len(CELL_SUMS))) for x in layouts],
            [np.full(len(x.keys), -1, np.int64) for x in layouts], np.zeros((n, BINS), np.int64),
        )  # fmt: skip

    def cross_tables(self) -> list[CrossTable]:
        """Return both sides' people over all zones, by combination."""
        out = []
        for layout, cells in zip(self.layouts, self.by_cell, strict=True):
            e, o = cells[:, 0].copy(), cells[:, 1].copy()
            some = (e > 0) | (o > 0)
            out.append(CrossTable(layout.at, layout.sizes, layout.keys[some], e[some], o[some], np.zeros(int(some.sum()))))
        return out


def _cells(codes: np.ndarray, sizes: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Cell of each record among those that occur, int32, and their numbers. codes: (k, n_records)."""
    key = strides_of(sizes) @ codes.astype(np.int64)
    if prod(sizes) > 1 << 22:
        keys, cell = np.unique(key, return_inverse=True)
        return cell.ravel().astype(np.int32), keys
    seen = np.zeros(prod(sizes), bool)
    seen[key] = True
    return (np.cumsum(seen) - 1)[key].astype(np.int32), np.flatnonzero(seen)


def layouts_of(records: Coded, combinations: Iterable[tuple[int, ...]]) -> list[Layout]:
    """Lay out combinations of the records' variables."""
    codes, sizes = np.ascontiguousarray(records.codes.T), records.sizes.tolist()
    out = []
    for at in combinations:
        keys = _cells(codes[list(at)], [sizes[i] for i in at])[1]
        out.append(Layout(at, tuple(records.names[i] for i in at), tuple(records.labels[i] for i in at), keys))
    return out


def table_layout(table: AlignedTable) -> tuple[Layout, np.ndarray, np.ndarray]:
    """Lay out a published table: its layout, (n_records,) int32 cell of each record, and its columns in the layout's order."""
    labels = tuple(tuple(c.label for c in categories) for categories in table.categories)
    columns = table.targets.columns
    codes = np.stack([pd.Index(x).get_indexer(columns.get_level_values(v)) for v, x in enumerate(labels)])
    key = strides_of([len(x) for x in labels]) @ codes.astype(np.int64)
    order = np.argsort(key, kind="stable")
    rank = np.empty(len(key) + 1, np.int64)
    rank[order], rank[-1] = np.arange(len(key)), -1
    layout = Layout(tuple(range(len(labels))), tuple(table.variables), labels, key[order])
    return layout, rank[table.record_cell].astype(np.int32), order


def zone_blocks(
    counts: Iterable[DonorCounts], zones: pd.Index, n_records: int, size: int = _BLOCK
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield (positions of zones, indptr, record, n) of some zones at a time; zones that the counts leave out come last, empty.

    Raises ValueError where a zone is not in `zones` or comes twice, or a record does not exist.
    """
    seen = np.zeros(len(zones), bool)
    for block in counts:
        where = zones.get_indexer(block.zones)
        if (where < 0).any():
            raise ValueError(f"the counts name zones that are not in the study, e.g. {block.zones[where < 0][0]}")
        if seen[where].any() or len(np.unique(where)) != len(where):
            raise ValueError(
                f"the counts list a zone more than once: {block.zones[seen[where] | pd.Index(where).duplicated()][0]}"
            )
        if len(block.record) and not 0 <= int(block.record.min()) <= int(block.record.max()) < n_records:
            raise ValueError(f"the counts name records beyond the {n_records:,} there are")
        seen[where] = True
        for a in range(0, len(where), size):
            b = min(a + size, len(where))
            indptr = np.array(block.indptr[a : b + 1], np.int64)
            rows = slice(int(indptr[0]), int(indptr[-1]))
            yield (
                where[a:b].astype(np.int64),
                indptr - indptr[0],
                np.array(block.record[rows], np.int32),
                np.array(block.n[rows], np.int32),
            )
    absent, none = np.flatnonzero(~seen), np.zeros(0, np.int32)
    for a in range(0, len(absent), size):
        where = absent[a : a + size]
        yield where, np.zeros(len(where) + 1, np.int64), none, none


class FitRuler:
    """Measures blocks of zones against the fractional fit, each combination on one thread: the same bits however many.

    Parameters
    ----------
    records : Coded
        In the order of `fit.problem.records`.
    layouts : sequence of Layout
        Combinations.
    fit : Population
        Its duals give the fractional weights; profiles stand for their donors by design weight.
    zones : pandas.Index
        Zones of the study, each in the fit.

    Attributes
    ----------
    found : ByZone
        Added to by `add`.
    """

    def __init__(self, records: Coded, layouts: Sequence[Layout], fit: Population, zones: pd.Index):
        problem = fit.problem
        profile, record, share = problem.people_shares()
        first = np.concatenate([[0], np.cumsum(np.bincount(profile, minlength=problem.n_profiles))])
        self.found, self._fit = ByZone.empty(layouts, len(zones)), fit
        self._donors = (  # copies: the problem's own are read-only, for which the kernel would be compiled anew
            first, np.array(record), np.array(share),
        )  # fmt: skip
        self._codes, self._position = np.ascontiguousarray(records.codes.T), fit.zones.get_indexer(zones)
        if (self._position < 0).any():
            raise ValueError(f"the fit has no zone {zones[self._position < 0][0]}")

    def add(self, pool: Executor, where: np.ndarray, indptr: np.ndarray, record: np.ndarray, n: np.ndarray) -> None:
        """Add some zones, as `zone_blocks` yields them."""
        from synthpop_gb.kernels.tally_zones import compare_with_fit, profile_cells

        fitted = self._fit.fitted(self._position[where])

        def measure(c: int) -> None:
            layout, found = self.found.layouts[c], self.found
            cell, _ = _cells(self._codes[list(layout.at)], layout.sizes)
            spread = profile_cells(*self._donors, cell, len(layout.keys))
            rows = np.zeros((len(where), found.by_zone.shape[2]))
            sums = rows, found.by_cell[c], found.worst[c], found.bins[c]
            compare_with_fit(fitted, *spread, indptr, record, n, cell, where, *sums)
            found.by_zone[where, c] = rows

        list(pool.map(measure, range(len(self.found.layouts))))


class TableRuler:
    """Measures blocks of zones against a table published by zone; in a perturbed one half a person is expected for a nought.

    Parameters
    ----------
    table : AlignedTable
        Its `record_cell` in the order of the counts' records.
    zones : pandas.Index
        Zones of the study, each in the table.

    Attributes
    ----------
    found : ByZone
        Of one combination; added to by `add`.
    """

    def __init__(self, table: AlignedTable, zones: pd.Index):
        layout, self._cell, order = table_layout(table)
        self._expected = np.ascontiguousarray(table.targets.reindex(zones).to_numpy(np.float64)[:, order])
        if np.isnan(self._expected).any():
            lacking = zones[np.isnan(self._expected).any(axis=1)]
            raise ValueError(f"the table {table.name} has no counts for {len(lacking):,} zones, e.g. {lacking[0]}")
        if table.standard_error > 0:  # a nought that the publisher may have made is no proof that nobody is there
            self._expected = np.where(self._expected == 0, 0.5, self._expected)
        self.found = ByZone.empty([layout], len(zones))

    def add(self, pool: Executor, where: np.ndarray, indptr: np.ndarray, record: np.ndarray, n: np.ndarray) -> None:
        """Add some zones, as `zone_blocks` yields them."""
        from synthpop_gb.kernels.tally_zones import compare_with_table

        found, rows = self.found, np.zeros((len(where), self.found.by_zone.shape[2]))
        sums = rows, found.by_cell[0], found.worst[0], found.bins[0]
        compare_with_table(self._expected[where], indptr, record, n, self._cell, where, *sums)
        found.by_zone[where, 0] = rows
