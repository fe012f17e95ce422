"""A dataset that was written, read back and compared with what was meant."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.hdf5 import read_hdf5_tables

__all__ = ["check_dataset", "read_tables"]

_IDS = {"person": ("person_benunit_id", "person_household_id"), "benunit": (), "household": ()}


def read_tables(path: str | Path) -> dict[str, pd.DataFrame]:
    """Read the three tables of a dataset of one year, every column of them.

    Parameters
    ----------
    path : path
        An .h5 file.

    Raises
    ------
    InputError
        As `read_hdf5_tables`.
    """
    stored = read_hdf5_tables(path)
    return {entity: stored[entity] for entity in _IDS}


def check_dataset(written: Path, frames: Mapping[str, pd.DataFrame], year: int, path: Path) -> None:
    """Read a dataset's file back, by another reader than wrote it, and compare it with what was meant.

    Parameters
    ----------
    written : Path
        The file.
    frames : mapping of entity to DataFrame
        What it is to hold: every column of every table.
    year : int
        Fiscal year it is to say.
    path : Path
        What messages call it.

    Raises
    ------
    OSError
        Where a table, a column, a value, a link between tables or the year differs.
    """
    stored = read_hdf5_tables(written)
    told = [] if str(stored["time_period"]["values"].iloc[0])[:4] == str(year) else ["the year"]
    for entity, meant in frames.items():
        found = stored[entity]
        if len(found) != len(meant):
            told.append(f"{len(found):,} rows of {entity} instead of {len(meant):,}")
            continue
        told += [f"{entity}.{c}" for c in meant.columns if c not in found or not _same(found[c].to_numpy(), meant[c].to_numpy())]
    told += [] if told else _links(stored)
    if told:
        raise OSError(f"{path} was not written: read back it differs in {', '.join(told[:8])}")


def _links(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Say which links are wrong: ids twice, units and households without people, people of none, units in two households."""
    person = tables["person"]
    told = [f"ids of {e} that stand twice" for e in _IDS if tables[e][f"{e}_id"].duplicated().any()]
    for entity in ("benunit", "household"):
        if set(person[f"person_{entity}_id"]) != set(tables[entity][f"{entity}_id"]):
            told.append(f"members of {entity}")
    if person[["person_benunit_id", "person_household_id"]].drop_duplicates()["person_benunit_id"].duplicated().any():
        told.append("benefit units in two households")
    return told


def _same(found: np.ndarray, meant: np.ndarray) -> bool:
    """Whether values are equal: numbers as numbers, everything else as text."""
    if meant.dtype.kind in "iufb" and found.dtype.kind in "iufb":
        return np.array_equal(np.asarray(found, np.float64), np.asarray(meant, np.float64))
    return np.array_equal(np.asarray(found, str), np.asarray(meant, str))
