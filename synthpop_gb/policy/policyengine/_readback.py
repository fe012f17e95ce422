"""What PolicyEngine's files hold, read back: a dataset that was written, and results that somebody worked out from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["check_dataset"]


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
    import h5py

    with h5py.File(written, "r") as file:
        told = [f"year {_text(file['time_period/table']['values'])[0]}"] if _year(file) != int(year) else []
        for entity, meant in frames.items():
            rows = file[entity]["table"][:]
            if len(rows) != len(meant):
                told.append(f"{len(rows):,} rows of {entity} instead of {len(meant):,}")
                continue
            for column in meant.columns:
                found = _text(rows[column]) if column in rows.dtype.names else None
                if found is None or not _same(found, meant[column].to_numpy()):
                    told.append(f"{entity}.{column}")
        if not told:
            told += _links({e: {k: file[e]["table"][k] for k in ids} for e, ids in _IDS.items()})
    if told:
        raise OSError(f"{path} was not written: read back it differs in {', '.join(told[:8])}")


_IDS = {
    "person": ("person_id", "person_benunit_id", "person_household_id"),
    "benunit": ("benunit_id",),
    "household": ("household_id",),
}


def _links(ids: Mapping[str, Mapping[str, np.ndarray]]) -> list[str]:
    """What is wrong with the links: ids twice, units and households without people, people of none, units in two households."""
    person, told = ids["person"], []
    for entity in _IDS:
        own = ids[entity][f"{entity}_id"]
        if len(np.unique(own)) != len(own):
            told.append(f"ids of {entity} that stand twice")
    for entity in ("benunit", "household"):
        if not np.array_equal(np.unique(person[f"person_{entity}_id"]), np.sort(ids[entity][f"{entity}_id"])):
            told.append(f"members of {entity}")
    homes = pd.Series(person["person_household_id"]).groupby(person["person_benunit_id"]).nunique()
    if (homes > 1).any():
        told.append("benefit units in two households")
    return told


def _year(file) -> int:
    return int(str(_text(file["time_period/table"]["values"])[0])[:4])


def _text(values: np.ndarray) -> np.ndarray:
    """Values of a column, text decoded."""
    return np.array([v.decode("utf-8") for v in values], object) if values.dtype.kind == "S" else values


def _same(found: np.ndarray, meant: np.ndarray) -> bool:
    """Whether values are equal: numbers as numbers, everything else as text."""
    if meant.dtype.kind in "iufb" and found.dtype.kind in "iufb":
        return np.array_equal(np.asarray(found, np.float64), np.asarray(meant, np.float64))
    return np.array_equal(np.asarray(found, str), np.asarray(meant, str))
