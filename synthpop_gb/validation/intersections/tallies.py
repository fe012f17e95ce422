"""Cross-tables of both sides, cell by cell that occurs: the kernel's tallies for many combinations, on threads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import prod

import numpy as np

from synthpop_gb.coded import Coded

__all__ = ["CrossTable", "Merged", "cross_tables", "default_workers", "merge_sides", "strides_of"]


@dataclass(frozen=True, eq=False)
class CrossTable:
    """One combination of variables, counted on both sides.

    Attributes
    ----------
    at : tuple of int
        Positions of the variables.
    sizes : tuple of int
        How many categories each has.
    keys : numpy.ndarray
        (n_cells,) int64, ascending: number of each cell that occurs on either side, the last variable fastest.
    expected, observed : numpy.ndarray
        (n_cells,) float64 people of the reference and of the population.
    records : numpy.ndarray
        (n_cells,) float64: how many records of the reference are in the cell.
    """

    at: tuple[int, ...]
    sizes: tuple[int, ...]
    keys: np.ndarray
    expected: np.ndarray
    observed: np.ndarray
    records: np.ndarray

    @property
    def codes(self) -> np.ndarray:
        """(n_cells, k) int64: category of each variable."""
        return (
            np.stack(np.unravel_index(self.keys, self.sizes), axis=1) if len(self.keys) else np.zeros((0, len(self.at)), np.int64)
        )

    def part(self, rows: np.ndarray, positions: Sequence[int]) -> np.ndarray:
        """Numbers of the cells that some rows are in, in the cross-table of some of the variables (positions in `at`)."""
        strides = strides_of([self.sizes[i] for i in positions])
        return self.codes[rows][:, list(positions)] @ strides

    def __len__(self) -> int:
        """Return the number of cells that occur."""
        return len(self.keys)


@dataclass(frozen=True, eq=False)
class Merged:
    """Distinct records of both sides, one below the other.

    codes : (n_variables, n_classes) int32; values : (n_classes, 3) float64: people of the reference, people of the population,
    records of the reference.
    """

    codes: np.ndarray
    values: np.ndarray


def default_workers() -> int:
    """How many threads: the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def strides_of(sizes: Sequence[int]) -> np.ndarray:
    """(k,) int64: what each code is multiplied by in the number of a cell, the last variable fastest."""
    return np.array([prod(sizes[i + 1 :]) for i in range(len(sizes))], np.int64)


def merge_sides(reference: Coded, observed: Coded) -> Merged:
    """Bring both sides' distinct records together.

    Raises ValueError where the two do not have the same variables with the same labels.
    """
    from synthpop_gb.kernels.tally import collapse_rows

    if reference.names != observed.names or reference.labels != observed.labels:
        raise ValueError("reference and observed have other variables or labels: make both with one Pair.coded, or select alike")
    codes, values = [], []
    for side, column in ((reference, 0), (observed, 1)):
        first, people, records = collapse_rows(side.codes, side.weight)
        sums = np.zeros((len(first), 3))
        sums[:, column] = people
        if column == 0:
            sums[:, 2] = records
        codes.append(side.codes[first])
        values.append(sums)
    return Merged(np.ascontiguousarray(np.concatenate(codes).T), np.concatenate(values))


def cross_tables(
    merged: Merged, sizes: Sequence[int], combinations: Iterable[tuple[int, ...]], workers: int | None = None
) -> list[CrossTable]:
    """Count every combination. The same to the last bit however many threads there are: each combination is one thread's work.

    Parameters
    ----------
    merged : Merged
        From `merge_sides`.
    sizes : sequence of int
        Categories of each variable.
    combinations : iterable of tuple of int
        Positions of the variables, ascending.
    workers : int, optional
        Threads; the cores of this process by default.

    Returns
    -------
    list of CrossTable
        In the order of `combinations`; cells where neither side has anybody are left out.
    """
    from synthpop_gb.kernels.tally import tally_cells

    sizes = [int(s) for s in sizes]

    def count(at):
        mine = tuple(sizes[i] for i in at)
        keys, sums = tally_cells(merged.codes, np.array(at, np.int64), strides_of(mine), prod(mine), merged.values)
        some = (sums[:, 0] > 0) | (sums[:, 1] > 0)
        return CrossTable(tuple(at), mine, keys[some], *(np.ascontiguousarray(sums[some, i]) for i in range(3)))

    jobs = list(combinations)
    workers = workers or default_workers()
    if workers == 1 or len(jobs) < 2:
        return [count(at) for at in jobs]
    with ThreadPoolExecutor(workers, thread_name_prefix="synthpop-gb") as pool:
        return list(pool.map(count, jobs))
