"""Households: who lives together among the usable records, so that they are placed together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

__all__ = ["Households"]


@dataclass(frozen=True, eq=False)
class Households:
    """The units that are placed whole: households with all their members, and residents of communal establishments, one each.

    A table of households counts each household once, through its *reference*: its first member in the order of the survey. So
    `AlignedTable.record_cell` has a household's cell on that record and -1 on the other members, and whatever counts people by
    cell counts households as well.

    Attributes
    ----------
    ids : pandas.Index
        (n_units,) the survey's own household ids, unique; those of residents of communal establishments are made from the
        record's id.
    weight : numpy.ndarray
        (n_units,) float64 design weights, > 0, in households of the survey's grossing.
    member_start : numpy.ndarray
        (n_units + 1,) int64. Members of unit h are member_start[h] to member_start[h + 1] - 1 of `member`.
    member : numpy.ndarray
        (n_records,) int32 positions in `Aligned.records`, unit by unit, the reference first, each record once.
    communal : numpy.ndarray
        (n_units,) bool: one resident of a communal establishment, whom no table of households counts.
    """

    ids: pd.Index
    weight: np.ndarray
    member_start: np.ndarray
    member: np.ndarray
    communal: np.ndarray

    @property
    def size(self) -> np.ndarray:
        """(n_units,) int64: members of each unit."""
        return np.diff(self.member_start)

    @property
    def reference(self) -> np.ndarray:
        """(n_units,) int32: position of each unit's first member in `Aligned.records`."""
        return self.member[self.member_start[:-1]]

    @cached_property
    def of_record(self) -> np.ndarray:
        """(n_records,) int32: unit of each record."""
        unit = np.empty(len(self.member), np.int32)
        unit[self.member] = np.repeat(np.arange(len(self.ids), dtype=np.int32), self.size)
        return unit

    @cached_property
    def place(self) -> np.ndarray:
        """(n_records,) int32: place of each record in its unit, 1 = the reference."""
        place = np.empty(len(self.member), np.int32)
        place[self.member] = np.arange(len(self.member)) - np.repeat(self.member_start[:-1], self.size) + 1
        return place

    def at(self, place: np.ndarray) -> np.ndarray:
        """(n_records,) int64: record that stands at a place in each record's unit, -1 = nobody.

        place : (n_records,) int, 1 = the reference, 0 = nobody.
        """
        at = self.member_start[self.of_record] + np.maximum(place, 1) - 1
        return np.where(place > 0, self.member[np.minimum(at, len(self.member) - 1)], -1).astype(np.int64)

    def __repr__(self) -> str:
        """One line: how many households and members, how many in communal establishments."""
        alone = int(self.communal.sum())
        line = f"Households: {len(self.ids) - alone:,} households with {len(self.member) - alone:,} members"
        return line + (f", {alone:,} residents of communal establishments" if alone else "")
