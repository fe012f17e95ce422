"""Count the people again, block by block, from donors alone: never from what the solver remembers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthpop_gb.population import DonorCounts

__all__ = ["Ledger", "Recounted", "recount"]

BLOCK = 256
"""Zones counted at once, at most."""


@dataclass(frozen=True, eq=False)
class Ledger:
    """What is counted: columns of people by zone, table after table.

    Attributes
    ----------
    record_cell : sequence of numpy.ndarray
        For each table, (n_records,) int32 cell of each record, -1 = outside.
    n_cells : sequence of int
        Cells of each table.
    heads : numpy.ndarray, optional
        (n_records,) bool, of whole households: the records that stand for a household, one each.
    """

    record_cell: Sequence[np.ndarray]
    n_cells: Sequence[int]
    heads: np.ndarray | None = None
    class_of: np.ndarray = field(init=False)
    slot_start: np.ndarray = field(init=False)
    slot: np.ndarray = field(init=False)

    def __post_init__(self):
        code = np.zeros(self.n_records, np.int64)
        for cells in self.record_cell:  # records alike in every table are one class: 58,000 records, a few hundred classes
            code = np.unique(code * (int(cells.max(initial=-1)) + 2) + cells + 1, return_inverse=True)[1].ravel()
        example = np.zeros(int(code.max(initial=-1)) + 1, np.int64)
        example[code] = np.arange(self.n_records)
        column = np.full((len(example), len(self.n_cells)), -1, np.int64)
        for t, (cells, first) in enumerate(zip(self.record_cell, self.start, strict=False)):
            column[:, t] = np.where(cells[example] >= 0, cells[example] + first, -1)
        object.__setattr__(self, "class_of", code.astype(np.int32))
        object.__setattr__(self, "slot_start", np.concatenate([[0], np.cumsum((column >= 0).sum(axis=1))]).astype(np.int64))
        object.__setattr__(self, "slot", column[column >= 0].astype(np.int32))

    @property
    def n_records(self) -> int:
        """How many records there are to copy people from."""
        return len(self.record_cell[0])

    @property
    def start(self) -> np.ndarray:
        """(n_tables + 1,) first column of each table, then the number of columns."""
        return np.concatenate([[0], np.cumsum(self.n_cells)]).astype(np.int64)

    def columns(self, table: int) -> slice:
        """Columns of one table."""
        return slice(int(self.start[table]), int(self.start[table + 1]))

    def membership(self, shares):
        """Columns that each class counts in, times how classes make up something else.

        Parameters
        ----------
        shares : scipy.sparse matrix
            (n_classes, n_things), e.g. how the donors of each profile divide into classes.

        Returns
        -------
        scipy.sparse.csr_array
            (n_columns, n_things) float64.
        """
        from scipy.sparse import csr_array

        rows = csr_array(
            (np.ones(len(self.slot)), self.slot, self.slot_start), shape=(len(self.slot_start) - 1, int(self.start[-1]))
        )
        product = (rows.T.tocsr() @ shares).tocsr()
        product.sort_indices()  # equal sums in equal order, whatever the version of SciPy
        return product


@dataclass(frozen=True, eq=False)
class Recounted:
    """Some zones counted again.

    Attributes
    ----------
    where : (n,) int64
        Positions of the zones in the study.
    counts : (n, n_columns) int64
        People in each cell of the ledger.
    reuse : (n, 4) int64
        People, distinct donors, people of the most used donor, sum of squared people by donor.
    homes : (n, 4) int64 or None
        The same of households, where the ledger knows who stands for one.
    """

    where: np.ndarray
    counts: np.ndarray
    reuse: np.ndarray
    homes: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class RecordUse:
    """How often each record was copied, and in how many zones: (n_records,) int64 each, filled by `recount`."""

    copies: np.ndarray
    zones: np.ndarray

    @classmethod
    def empty(cls, n_records: int) -> RecordUse:
        """Nobody placed yet."""
        return cls(np.zeros(n_records, np.int64), np.zeros(n_records, np.int64))


def recount(
    counts: Iterable[DonorCounts], ledger: Ledger, zones: pd.Index, use: RecordUse, size: int = BLOCK
) -> Iterator[Recounted]:
    """Count people by cell, a block of zones at a time; zones that the counts leave out come last, with nobody in them.

    Parameters
    ----------
    counts : iterable of DonorCounts
        In any order and cut anywhere between zones; each zone at most once.
    ledger : Ledger
        What to count.
    zones : pandas.Index
        Zones of the study.
    use : RecordUse
        Added to.
    size : int
        Zones a block, at most.

    Raises
    ------
    ValueError
        Where a zone is not in the study or comes twice, a record does not exist, or a count is negative.
    """
    counted = np.zeros(len(zones), bool)
    work = _work(ledger)
    for block in counts:
        where = zones.get_indexer(block.zones)
        _check(block, where, counted, ledger.n_records)
        counted[where] = True
        for first in range(0, len(where), size):
            last = min(first + size, len(where))
            yield _count(block, first, last, where[first:last], ledger, use, work)
    absent = np.flatnonzero(~counted)
    nobody = np.zeros(0, np.int32)
    for first in range(0, len(absent), size):
        where = absent[first : first + size]
        block = DonorCounts(zones[where], np.zeros(len(where) + 1, np.int64), nobody, nobody)
        yield _count(block, 0, len(where), where, ledger, use, work)


def _check(block: DonorCounts, where: np.ndarray, counted: np.ndarray, n_records: int) -> None:
    if (where < 0).any():
        raise ValueError(f"the counts name zones that are not in the study, e.g. {block.zones[where < 0][0]}")
    if counted[where].any() or len(np.unique(where)) != len(where):
        twice = block.zones[counted[where] | pd.Index(where).duplicated()][0]
        raise ValueError(f"the counts list a zone more than once: {twice}")
    if len(block.record) and not 0 <= int(block.record.min()) <= int(block.record.max()) < n_records:
        raise ValueError(f"the counts name records beyond the {n_records:,} of the survey")
    if len(block.n) and int(block.n.min()) < 0:
        raise ValueError("the counts place fewer than no people")


def _work(ledger: Ledger) -> tuple[np.ndarray, ...]:
    n_classes = len(ledger.slot_start) - 1
    return (
        np.zeros(ledger.n_records, np.int64), np.zeros(n_classes, np.int64),
        np.empty(ledger.n_records, np.int32), np.empty(n_classes, np.int32),
    )  # fmt: skip


def _count(block, first, last, where, ledger, use, work) -> Recounted:
    from synthpop_gb.kernels.recount import recount_zones

    indptr = np.array(block.indptr[first : last + 1], np.int64)
    rows = slice(int(indptr[0]), int(indptr[-1]))
    counts, reuse = np.zeros((last - first, int(ledger.start[-1])), np.int64), np.empty((last - first, 4), np.int64)
    # copies: what is read from files is often read-only, for which the kernel would be compiled anew
    record, n = np.array(block.record[rows], np.int32), np.array(block.n[rows], np.int32)
    placed, tally, seen, touched = work
    recount_zones(
        indptr - indptr[0], record, n, ledger.class_of, ledger.slot_start, ledger.slot, counts, reuse, use.copies, use.zones,
        placed, tally, seen, touched,
    )  # fmt: skip
    if ledger.heads is None:
        return Recounted(where, counts, reuse)
    placed = DonorCounts(block.zones[first:last], indptr - indptr[0], record, n)
    return Recounted(where, counts, reuse, _reuse(placed.without(~ledger.heads)))


def _reuse(placed: DonorCounts) -> np.ndarray:
    """(n_zones, 4) int64 of donors that stand in a zone once each: as `Recounted.reuse`."""
    zone = np.repeat(np.arange(len(placed.zones)), np.diff(placed.indptr))
    largest, squares = np.zeros((2, len(placed.zones)), np.int64)
    np.maximum.at(largest, zone, placed.n)
    np.add.at(squares, zone, placed.n.astype(np.int64) ** 2)
    return np.stack([placed.people, np.diff(placed.indptr), largest, squares], axis=1)
