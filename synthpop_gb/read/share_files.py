"""Shares of bins by zone: a wide CSV or Parquet file with a zone column and one column a bin, in order."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthpop_gb.read._files import open_sheet
from synthpop_gb.read._grid import Request
from synthpop_gb.read._numbers import numbers
from synthpop_gb.read.tidy_files import zones_of

__all__ = ["shares"]


def shares(path: str | Path, *, zone: str | None = None) -> pd.DataFrame:
    """Read shares by zone for a `Distribution`.

    Parameters
    ----------
    path : path
        CSV or Parquet: one row a zone, one column a bin, bins from the lowest to the highest as the columns stand.
    zone : str, optional
        Column of zone codes; found by its name or its codes where absent.

    Returns
    -------
    pandas.DataFrame
        Float64 shares, NaN where blank or no number; index: zone codes.

    Raises
    ------
    InputError
        `missing-file`, `unreadable-file`; `missing-column` or `unknown-layout` where no zone column is found.
    """
    sheet = open_sheet(path)
    name, codes = zones_of(sheet, Request(zone=zone))
    columns = {c: numbers(sheet.table[c])[0] for c in sheet.columns if c != name}
    return pd.DataFrame(columns, index=pd.Index(codes, name="zone"))
