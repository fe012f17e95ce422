"""Aligned: survey, tables and zones after harmonising; they now speak of the same people in the same categories."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthpop_gb.codebook import Category, Universe
from synthpop_gb.distribution import Distribution
from synthpop_gb.errors import Finding
from synthpop_gb.geography import Geography
from synthpop_gb.households import Households
from synthpop_gb.microdata import Microdata
from synthpop_gb.provenance import InputFile

__all__ = ["Aligned", "AlignedLevel", "AlignedTable"]


@dataclass(frozen=True, eq=False)
class AlignedTable:
    """One table after harmonising: a constraint to be fitted, or a held-out table to be compared with.

    Attributes
    ----------
    name : str
        What the study asked for: 'age', 'age x sex'; two margins may come from one benchmark table.
    variables : tuple of str
        Variables crossed, in order of the cell index's levels.
    categories : tuple of tuple of Category
        Common categories of each variable (finest that survey and table share).
    targets : pandas.DataFrame
        Zones x cells, float64 whole numbers; columns a MultiIndex with one level a variable holding category labels.
        For constraints: after settling totals. For held-out tables: as published, merged to the common categories.
    record_cell : numpy.ndarray
        (n_records,) int32: which column of `targets` each record of `Aligned.records` falls in, -1 = outside the universe. A
        table of households has a household's cell on its reference (`Households.reference`) and -1 on its other members.
    universe : Universe
        Who is counted.
    standard_error : float
        Standard deviation of the publisher's perturbation of one published cell; 0 = exact. The largest where zones differ.
    published : pandas.DataFrame
        The same cells before settling totals.
    merged : numpy.ndarray, optional
        (n_cells,) how many published cells each cell is the sum of; None = one each.
    table : str
        Name of the benchmark table that it was taken from; empty where nobody said.
    year : int, optional
        Year of that table.
    source : InputFile, optional
        The file of that table.
    errors : numpy.ndarray, optional
        (n_zones, n_cells) float64: standard deviation of the perturbation of each count in `published`, where zones differ in it
        (tables of several publishers, sums of zones). None = the same in every zone.
    """

    name: str
    variables: tuple[str, ...]
    categories: tuple[tuple[Category, ...], ...]
    targets: pd.DataFrame
    record_cell: np.ndarray
    universe: Universe
    standard_error: float
    published: pd.DataFrame
    merged: np.ndarray | None = None
    table: str = ""
    year: int | None = None
    source: InputFile | None = None
    errors: np.ndarray | None = None

    @property
    def standard_errors(self) -> np.ndarray:
        """(n_cells,), or (n_zones, n_cells) where zones differ: standard deviation of the perturbation of each published count.

        In people; 0 = exact. Publishers perturb cell by cell and sum afterwards: a cell merged from m published ones has m
        times the variance.
        """
        if self.errors is not None:
            return self.errors
        merged = np.ones(self.targets.shape[1]) if self.merged is None else self.merged
        return float(self.standard_error) * np.sqrt(merged)

    @property
    def cell_labels(self) -> list[str]:
        """Labels of the cells for people: 'bad', or 'female x 75+' where variables are crossed."""
        return [" x ".join(map(str, key)) for key in self.targets.columns]


@dataclass(frozen=True, eq=False)
class AlignedLevel:
    """Tables of one parent level after harmonising: the zones of an area are to meet them together.

    Attributes
    ----------
    name : str
        'msoa', 'lad' ...: a column of the geography.
    areas : pandas.Index
        Codes of the areas, the rows of every table's targets.
    of_zone : numpy.ndarray
        (n_zones,) int32 area (position) of each zone, -1 where the level binds it to nothing.
    constraints, held_out : tuple of AlignedTable
        Tables to be fitted, and tables kept back; `targets` and `published` have one row an area.
    changes : pandas.DataFrame
        What reconciling with the zones' tables changed: columns table, zone (the area's code), published, settled, cells_changed,
        people_moved.
    """

    name: str
    areas: pd.Index
    of_zone: np.ndarray
    constraints: tuple[AlignedTable, ...]
    held_out: tuple[AlignedTable, ...] = ()
    changes: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __repr__(self) -> str:
        """One line: areas, tables."""
        return f"AlignedLevel {self.name}: {len(self.areas):,} areas; {', '.join(c.name for c in self.constraints)}"


@dataclass(frozen=True, eq=False)
class Aligned:
    """What harmonising returns, and all that formulating and validating need.

    Attributes
    ----------
    survey : Microdata
        The survey as read.
    records : pandas.Index
        Ids of the records that can be used (in the universe, with a value in every variable needed, weight above zero).
    weight : numpy.ndarray
        (n_records,) float64 design weights of those records, > 0.
    constraints, held_out : tuple of AlignedTable
        Tables to be fitted, and tables kept back.
    geography : Geography
        The zones of the study area, in the order of every targets' index.
    changes : pandas.DataFrame
        What settling changed: columns table, zone, published (total), settled (total), cells_changed, people_moved.
    floor : pandas.Series
        By zone: total absolute error of the settled targets against the published tables, sum over constraints and cells of
        abs(settled - published). A population that meets every settled target shows exactly this error; where tables differ
        only in their totals it is the sum over tables of abs(published total - settled total).
    findings : tuple of Finding
        Everything noticed on the way, reading included.
    distributions : tuple of Distribution
        What methods that choose whole records should bring about beyond the tables. None by default.
    households : Households or None
        Who lives together, where whole households are to be placed; None = persons.
    levels : tuple of AlignedLevel
        Tables of parent levels, the finest level first.
    """

    survey: Microdata
    records: pd.Index
    weight: np.ndarray
    constraints: tuple[AlignedTable, ...]
    held_out: tuple[AlignedTable, ...]
    geography: Geography
    changes: pd.DataFrame
    floor: pd.Series
    findings: tuple[Finding, ...] = field(default=())
    distributions: tuple[Distribution, ...] = field(default=())
    households: Households | None = None
    levels: tuple[AlignedLevel, ...] = ()

    @property
    def zones(self) -> pd.Index:
        """Zone codes, in order."""
        return self.geography.codes

    def frame(self) -> pd.DataFrame:
        """Return the usable records with all the survey's columns, in the order of `records`."""
        return self.survey.records.loc[self.records]

    def cell_of_all(self, table: AlignedTable) -> np.ndarray:
        """(n_records,) int32 cell of each record of a table; of a table of households that of the record's household.

        In communal establishments there are no households: -1.
        """
        if self.households is None or table.universe.unit != "household":
            return table.record_cell
        return table.record_cell[self.households.reference][self.households.of_record]

    def __repr__(self) -> str:
        """One line: sizes, and how many findings of each level."""
        levels = pd.Series([f.level for f in self.findings], dtype=object).value_counts()
        found = ", ".join(f"{n} {level}{'s' if n > 1 else ''}" for level, n in levels.items()) or "nothing found"
        return (
            f"Aligned: {len(self.records):,} records, {len(self.zones):,} zones, "
            f"{len(self.constraints)} constraints ({', '.join(c.name for c in self.constraints)}); {found}"
        )
