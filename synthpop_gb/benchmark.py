"""Benchmark tables: published counts of zones by cells, which know what they count and how exactly."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from synthpop_gb.codebook import Universe, Variable
from synthpop_gb.errors import Finding
from synthpop_gb.provenance import InputFile

__all__ = ["GUEST_LIMIT", "BenchmarkTable"]

GUEST_LIMIT = 25_000
"""Rows after which the Nomis API cuts a download short, without a word, for users without a key."""


@dataclass(frozen=True, eq=False)
class BenchmarkTable:
    """Published counts, as read: finest cells only, no subtotals.

    Attributes
    ----------
    name : str
        Name in the study: 'age_by_sex', 'ts037'.
    counts : pandas.DataFrame
        Zones (index of zone codes) by cells. Columns are a MultiIndex with one level a variable (named after it) that holds
        category codes; a table of one variable has one level too. Numbers as published.
    variables : tuple of Variable
        One a level, in order; each category code of the columns is described here.
    universe : Universe or None
        Who is counted; None where neither the file nor the study says.
    total : pandas.Series or None
        The publisher's own total by zone, where the file has one.
    standard_error : float
        Standard deviation of the publisher's perturbation of one cell, in units counted; 0 = exact. The largest where it differs.
    year : int or None
        Census year.
    source : InputFile or None
        The file read.
    level : str or None
        Parent level whose areas the rows are, or are to be added up to: 'msoa'. None = told from the codes.
    findings : tuple of Finding
        What was noticed while reading.
    errors : pandas.DataFrame or None
        That standard deviation of every count, shaped as `counts`, where zones differ in it: sums of zones, publishers joined.
        None = `standard_error` throughout.
    """

    name: str
    counts: pd.DataFrame
    variables: tuple[Variable, ...]
    universe: Universe | None = None
    total: pd.Series | None = None
    standard_error: float = 0.0
    year: int | None = None
    source: InputFile | None = None
    level: str | None = None
    findings: tuple[Finding, ...] = field(default=())
    errors: pd.DataFrame | None = None

    @property
    def variable_names(self) -> tuple[str, ...]:
        """Names of the variables that the columns cross."""
        return tuple(v.name for v in self.variables)

    def __repr__(self) -> str:
        """One line: name, variables, size, universe."""
        who = self.universe.name if self.universe else "universe unknown"
        size = f"{len(self.counts):,} zones x {self.counts.shape[1]} cells"
        return f"BenchmarkTable {self.name}: {' x '.join(self.variable_names)}, {size}, {who}"
