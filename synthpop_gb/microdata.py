"""Microdata: anonymous records of persons without a zone, with their design weights, codebook and licence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from synthpop_gb.codebook import Universe, Variable
from synthpop_gb.errors import Finding
from synthpop_gb.provenance import InputFile

__all__ = ["Microdata"]


@dataclass(frozen=True, eq=False)
class Microdata:
    """A survey as read: codes untouched, meaning beside them.

    Attributes
    ----------
    name : str
        Short name, e.g. 'teaching-2011'.
    records : pandas.DataFrame
        One row a record, indexed by the survey's own record id (unique); columns hold the source's codes.
    variables : mapping of str to Variable
        By common name; each says which column holds it and what its codes mean.
    universe : Universe
        Whom the survey covers.
    weight : str or None
        Column of design weights; None where every record counts alike.
    year : int or None
        Year that the records describe.
    licence : str
        'open' where records may be copied into outputs; anything else is treated as 'restricted'.
    source : InputFile or None
        The file read.
    findings : tuple of Finding
        What was noticed while reading.
    strata, cluster : str or None
        Columns of the design's strata and primary sampling units, where the survey says; replicates resample by them.
    region : str or None
        Column of the part of the country that a record is from, where no variable 'region' says it; intervals learn from it how
        outcomes cluster.
    household : str or None
        Column of household ids, equal for people who live together, where the survey holds whole households. Columns that
        describe the household repeat on its members.
    household_weight : str or None
        Column of the household's design weight; the mean of its members' where None.
    communal : str or None
        Column that is true, or not empty, for residents of communal establishments, who live in no household.
    household_file : InputFile or None
        The file of households that was joined to the records, where there is one.
    """

    name: str
    records: pd.DataFrame
    variables: Mapping[str, Variable]
    universe: Universe
    weight: str | None = None
    year: int | None = None
    licence: str = "restricted"
    source: InputFile | None = None
    findings: tuple[Finding, ...] = field(default=())
    strata: str | None = None
    cluster: str | None = None
    region: str | None = None
    household: str | None = None
    household_weight: str | None = None
    communal: str | None = None
    household_file: InputFile | None = None

    def __repr__(self) -> str:
        """One line: name, size, universe, variables, licence."""
        return (
            f"Microdata {self.name}: {len(self.records):,} records of {self.universe.name}, "
            f"{len(self.variables)} variables ({', '.join(self.variables)}), licence {self.licence}"
        )
