"""Incidence: how many members of each profile's household fall in each cell, as sparse rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthpop_gb.frozen import freeze

__all__ = ["Incidence"]


@dataclass(frozen=True, eq=False)
class Incidence:
    """Rows of a sparse matrix, profiles by cells. C-contiguous and read-only, also after pickling.

    Attributes
    ----------
    start : (n_profiles + 1,) int64
        Entries of profile p are start[p] to start[p + 1] - 1.
    cell : (nnz,) int32
        Cells, ascending within a profile.
    count : (nnz,) int32
        Members of the household in that cell, > 0; 1 for cells of household tables.
    n_cells : int
        How many cells there are.
    """

    start: np.ndarray
    cell: np.ndarray
    count: np.ndarray
    n_cells: int

    def __post_init__(self):
        freeze(self, (("start", np.int64, 1), ("cell", np.int32, 1), ("count", np.int32, 1)))
        if (
            self.start[0] != 0
            or (np.diff(self.start) < 0).any()
            or self.start[-1] != len(self.cell)
            or len(self.cell) != len(self.count)
        ):
            raise ValueError("start must delimit the entries of every profile")
        if len(self.cell) and not 0 <= self.cell.min() <= self.cell.max() < self.n_cells:
            raise ValueError(f"cells run from 0 to {self.n_cells - 1}")
        if (self.count <= 0).any():
            raise ValueError("an entry of an incidence counts one member or more")

    def __reduce__(self):
        return (Incidence, (self.start, self.cell, self.count, self.n_cells))

    @classmethod
    def of_rows(cls, matrix: np.ndarray) -> Incidence:
        """Make one of a dense (n_profiles, n_cells) matrix of whole numbers.

        >>> Incidence.of_rows(np.array([[1, 0, 2], [0, 1, 0]])).cell.tolist()
        [0, 2, 1]
        """
        row, cell = np.nonzero(matrix)
        start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(matrix)))])
        return cls(start, cell, np.asarray(matrix)[row, cell], matrix.shape[1])

    @classmethod
    def of_cells(cls, cell_of: np.ndarray, n_cells: int) -> Incidence:
        """Make one of a (n_constraints, n_profiles) array of cells numbered across constraints, -1 = outside: one member each.

        >>> Incidence.of_cells(np.array([[0, 1], [-1, 2]]), 3).start.tolist()
        [0, 1, 3]
        """
        inside = cell_of.T >= 0
        start = np.concatenate([[0], np.cumsum(inside.sum(axis=1))])
        cell = np.sort(np.where(inside, cell_of.T, n_cells), axis=1)  # those outside come last, and are cut off
        return cls(start, cell[cell < n_cells], np.ones(start[-1]), n_cells)

    @property
    def n_profiles(self) -> int:
        """How many profiles."""
        return len(self.start) - 1

    def matrix(self):
        """Return the same as a scipy.sparse.csr_array (n_profiles, n_cells) of float64."""
        from scipy.sparse import csr_array

        return csr_array((self.count.astype(np.float64), self.cell, self.start), shape=(self.n_profiles, self.n_cells))

    def beside(self, other: Incidence) -> Incidence:
        """Put the cells of another incidence of the same profiles after these.

        Raises ValueError where the profiles differ in number.
        """
        if other.n_profiles != self.n_profiles:
            raise ValueError(f"{other.n_profiles} profiles beside {self.n_profiles}")
        profile = np.concatenate([np.repeat(np.arange(i.n_profiles), np.diff(i.start)) for i in (self, other)])
        order = np.argsort(profile, kind="stable")
        cell = np.concatenate([self.cell, other.cell + self.n_cells])[order]
        count = np.concatenate([self.count, other.count])[order]
        return Incidence(self.start + other.start, cell, count, self.n_cells + other.n_cells)

    def __repr__(self) -> str:
        """One line: profiles x cells, entries."""
        return f"Incidence: {self.n_profiles:,} profiles x {self.n_cells} cells, {len(self.cell):,} entries"
