"""Level: constraints that bind several zones together, such as a table published for MSOAs only."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from synthpop_gb.frozen import freeze
from synthpop_gb.incidence import Incidence

__all__ = ["Level"]

_ARRAYS = (
    ("of_zone", np.int32, 1), ("targets", np.float64, 2), ("cell_of", np.int32, 2), ("constraint_start", np.int32, 1),
    ("standard_error", np.float64, None), ("published", np.float64, 2),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Level:
    """Constraints of one parent level: the zones of an area must meet them together. Read-only arrays, also after pickling.

    Attributes
    ----------
    name : str
        'msoa', 'lad' ...: a column of the geography.
    areas : pandas.Index
        Codes of the areas.
    of_zone : (n_zones,) int32
        Area (position) that each zone lies in; -1 where the level binds it to nothing.
    targets : (n_areas, n_cells) float64
        Settled counts, in people (households for household tables).
    cell_of : (n_constraints, n_profiles) int32
        Cell of each profile, numbered across the level's constraints; -1 = outside the universe, or counted by `incidence`.
    constraint_start : (n_constraints + 1,) int32
        First cell of each constraint.
    cells : pandas.MultiIndex
        Levels constraint, category: labels of the cells.
    standard_error : (n_cells,) or (n_areas, n_cells) float64, optional
        Standard deviation of the publisher's perturbation of each published count; None = exact.
    published : (n_areas, n_cells) float64, optional
        The counts before they were reconciled with the zones'. None = the targets.
    incidence : Incidence, optional
        Where units are households: members in each cell.
    """

    name: str
    areas: pd.Index
    of_zone: np.ndarray
    targets: np.ndarray
    cell_of: np.ndarray
    constraint_start: np.ndarray
    cells: pd.MultiIndex
    standard_error: np.ndarray | None = None
    published: np.ndarray | None = None
    incidence: Incidence | None = None

    def __post_init__(self):
        freeze(self, _ARRAYS)
        shape = (len(self.areas), len(self.cells))
        for name in ("targets", "published"):
            if getattr(self, name) is not None and getattr(self, name).shape != shape:
                raise ValueError(
                    f"{name} of the level {self.name!r} are {getattr(self, name).shape}, expected {shape} as labelled"
                )
        if self.standard_error is not None and self.standard_error.shape not in (shape[1:], shape):
            raise ValueError(f"standard_error of the level {self.name!r} is {self.standard_error.shape}, expected {shape[1:]}")
        if self.constraint_start[-1] != len(self.cells) or len(self.cell_of) != len(self.constraint_start) - 1:
            raise ValueError(f"the level {self.name!r} has other cells than its labels")
        if self.of_zone.size and not -1 <= self.of_zone.min() <= self.of_zone.max() < len(self.areas):
            raise ValueError(f"zones lie in areas that the level {self.name!r} does not have")
        if not (np.isfinite(self.targets).all() and (self.targets >= 0).all()):
            raise ValueError(f"targets of the level {self.name!r} must be finite and not negative")

    def __reduce__(self):
        return (Level, tuple(getattr(self, f.name) for f in fields(self)))

    @property
    def n_cells(self) -> int:
        """How many cells across the level's constraints."""
        return len(self.cells)

    @property
    def constraint_names(self) -> list[str]:
        """Names of the constraints, in their order."""
        return [str(n) for n in self.cells.get_level_values(0)[self.constraint_start[:-1]]]

    @property
    def counts_units(self) -> np.ndarray:
        """(n_constraints,) bool: constraints that count units themselves; where those are households, others count persons."""
        return (self.cell_of >= 0).any(axis=1)

    @property
    def members(self) -> Incidence:
        """Members of each profile in each cell, whatever the units are."""
        return Incidence.of_cells(self.cell_of, self.n_cells) if self.incidence is None else self.incidence

    def counted(self, zones: np.ndarray, indptr: np.ndarray, profile: np.ndarray, count: np.ndarray) -> np.ndarray:
        """Count units of some zones (positions) by area and cell: (n_areas, n_cells) float64.

        indptr, profile, count : whole counts of these zones, CSR.
        """
        from scipy.sparse import csr_array

        members, bound = self.members.matrix(), self.of_zone[zones] >= 0
        whole = csr_array((count.astype(np.float64), profile, indptr), shape=(len(zones), members.shape[0]))
        out = np.zeros(self.targets.shape)
        np.add.at(out, self.of_zone[zones][bound], (whole @ members).toarray()[bound])
        return out

    def by_zone(self, by_area: np.ndarray, zones: np.ndarray) -> np.ndarray:
        """Return numbers of the area that each of some zones lies in, nought for none: (n_areas, n) -> (n_zones, n)."""
        area = self.of_zone[zones]
        if not len(by_area):
            return np.zeros((len(area), np.shape(by_area)[1]))
        return np.where((area >= 0)[:, None], by_area[np.maximum(area, 0)], 0.0)

    def take(self, zones: np.ndarray) -> Level:
        """Return the level for some zones (positions) and the areas that they lie in. Whole areas only make sense."""
        area = self.of_zone[zones]
        kept = np.unique(area[area >= 0])
        number = np.full(len(self.areas) + 1, -1, np.int32)
        number[kept] = np.arange(len(kept))
        published = None if self.published is None else self.published[kept]
        error = self.standard_error
        return replace(
            self, areas=self.areas[kept], of_zone=number[area], targets=self.targets[kept], published=published,
            standard_error=error[kept] if error is not None and error.ndim == 2 else error,
        )  # fmt: skip

    def __repr__(self) -> str:
        """One line: areas x cells, zones bound."""
        bound = int((self.of_zone >= 0).sum())
        return f"Level {self.name}: {len(self.areas):,} areas x {self.n_cells} cells, which bind {bound:,} zones"
