"""Checks: what validation found, as tidy tables that every report, plot and reader shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from synthpop_gb.errors import Finding

__all__ = ["Checks"]


@dataclass(frozen=True, eq=False)
class Checks:
    """Results of validation.

    Attributes
    ----------
    headline : mapping of str to value
        The few numbers a director reads first (people, zones, zones exact, total absolute error, worst zone ...), with plain names.
    tables : mapping of str to pandas.DataFrame
        Tidy tables by name; the file `validation/<name>.parquet` holds each:

        - 'cell_fit': zone, table, cell, observed, expected, metric 'error' and 'z' as columns error, z, z_modified
        - 'zone_fit': one row a zone and table: people, TAE, TAE above the floor, SAE, RSSZ, non-fitting cells, fits
        - 'parent_fit': the same by parent level and parent
        - 'table_fit': one row a table: TAE, SAE, SRMSE, R2, zones exact, non-fitting cells
        - 'intersections': one row a pair of variables: error in per cent of people against the reference, and the yardsticks
        - 'held_out': one row a held-out table, likewise, and 'held_out_zones' by zone
        - 'donor_reuse': zone, people, distinct donors, largest share of one donor, effective number of donors
    findings : tuple of Finding
        What does not fit, worst first.
    """

    headline: Mapping[str, object]
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    findings: tuple[Finding, ...] = field(default=())

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return one tidy table by name."""
        return self.tables[name]

    def __repr__(self) -> str:
        """Headline, one number a line."""
        return "\n".join(["Checks", *(f"  {k}: {v:,}" if isinstance(v, int) else f"  {k}: {v}" for k, v in self.headline.items())])
