"""Places: the distinct classes of place that a model's rules read, and which class every zone is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.errors import InputError, finding
from synthpop_gb.frozen import freeze
from synthpop_gb.geography import Geography

__all__ = ["Places"]


@dataclass(frozen=True, eq=False)
class Places:
    """Classes of place: zones alike in everything of a place that rules read are of one class, and share one run per donor.

    Attributes
    ----------
    classes : pandas.DataFrame
        One row a class, numbered from 0; a column each for what is read of a place ('region', 'council_tax_band_d'). Without
        columns there is one class.
    of_zone : numpy.ndarray
        (n_zones,) int32: class of each zone.
    """

    classes: pd.DataFrame
    of_zone: np.ndarray

    def __post_init__(self):
        freeze(self, [("of_zone", np.int32, 1)])

    def __len__(self) -> int:
        """How many classes."""
        return max(len(self.classes), 1)

    @classmethod
    def everywhere(cls, n_zones: int) -> Places:
        """One class: rules that read nothing of a place."""
        return cls(pd.DataFrame(index=pd.RangeIndex(1)), np.zeros(n_zones, np.int32))

    @classmethod
    def of(cls, geography: Geography, columns: Sequence[str], table: pd.DataFrame | None = None) -> Places:
        """Find the classes of a study's zones.

        Parameters
        ----------
        geography : Geography
            Its levels ('lad', 'region', and their names 'lad_name') can be columns.
        columns : sequence of str
            What rules read of a place; none = one class.
        table : pandas.DataFrame, optional
            Further columns by area: indexed by zone code, or by codes of a level that its index is named for ('lad').

        Raises
        ------
        InputError
            `study-reference` for a column that neither has, and for zones of which it is not known.
        """
        known = geography.zones
        if table is not None:
            known = known.assign(**geography.by_zone(table))
        if not columns:
            return cls.everywhere(len(known))
        found = []
        for name in columns:
            if name not in known.columns:
                message = f"The model reads {name!r} of a place, which the study does not know of its zones."
                remedy = f"Name one of {', '.join(map(str, known.columns))}, or give a table of it by zone or level."
                found.append(finding("study-reference", message, place="places", remedy=remedy))
            elif (blank := known[name].isna()).any():
                message = f"{name!r} is not known of {int(blank.sum()):,} zones (first: {known.index[blank][0]})."
                remedy = "Give the table a row of every zone, or of every area of its level, with a value in that column."
                found.append(finding("study-reference", message, place=f"places.{name}", count=int(blank.sum()), remedy=remedy))
        if found:
            raise InputError(found)
        taken = known[list(columns)].reset_index(drop=True)
        classes = taken.drop_duplicates().sort_values(list(columns), kind="stable").reset_index(drop=True)
        number = pd.MultiIndex.from_frame(classes).get_indexer(pd.MultiIndex.from_frame(taken))
        return cls(classes, number.astype(np.int32))

    def __repr__(self) -> str:
        """One line: how many classes, of what."""
        if not len(self.classes.columns):
            return "Places: one class, rules read nothing of a place"
        return f"Places: {len(self):,} classes of {', '.join(map(str, self.classes.columns))}"
