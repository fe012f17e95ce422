"""Read back people of households and see that every household is whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.export._rows import batches, guarded
from synthpop_gb.households import Households

__all__ = ["check_whole"]


def check_whole(path: Path, kind: str, homes: Households, meant: int, donors: list | None) -> None:
    """Read the places of a written file one after another: 1, 2 ... to the household's size, all under one id.

    Parameters
    ----------
    path, kind
        The file, and its ending.
    homes : Households
        Of the survey.
    meant : int
        How many households there are to be.
    donors : list, optional
        What stands in the column `donor` for each record; None where it is not written, so that sizes cannot be told.

    Raises
    ------
    OSError
        Where a household is split, lacks a member, or there are other households than meant.
    """
    text = kind != ".parquet"
    known = (
        None if donors is None else pd.Index([guarded(d) if isinstance(d, str) else str(d) for d in donors] if text else donors)
    )
    size_of = homes.size[homes.of_record]
    n_homes, broken, before = 0, 0, ("", 0, 0)  # id, place and size that the row before had
    for batch in batches(path, kind, ("zone", "household", "place", *(("donor",) if donors is not None else ()))):
        columns = {name: batch.column(name).to_numpy(zero_copy_only=False) for name in batch.schema.names if name != "zone"}
        home = pd.Series(columns["household"], dtype=object).fillna("").to_numpy(object)
        place = pd.to_numeric(pd.Series(columns["place"]), errors="coerce").fillna(0).to_numpy(np.int64)
        last_home, last_place = np.append([before[0]], home)[:-1], np.append([before[1]], place)[:-1]
        going_on = place > 1
        wrong = going_on & ((home != last_home) | (place != last_place + 1))
        wrong |= ((place == 1) & (home == last_home)) | ((place == 0) != (home == ""))
        size = np.zeros(len(home), np.int64)
        if known is not None:
            record = known.get_indexer(pd.Index(columns["donor"]))
            size = np.where(place > 0, size_of[record], 0)
            wrong |= (place > 0) & (homes.place[record] != place)
            wrong |= ~going_on & (last_place != np.append([before[2]], size)[:-1])  # the one before ended too early
        n_homes, broken = n_homes + int((place == 1).sum()), broken + int(wrong.sum())
        before = (home[-1], place[-1], size[-1]) if len(home) else before
    broken += int(known is not None and before[1] != before[2])
    if broken or n_homes != meant:
        raise OSError(
            f"{path} was not written: of {meant:,} households it holds {n_homes:,}, and {broken:,} rows are out of their place"
        )
