"""Columns of a survey that point from one member of a household to another: partner, mother, reference person."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned

__all__ = ["pointers"]


def pointers(aligned: Aligned) -> dict[str, np.ndarray]:
    """Find the columns that hold ids of members of the record's own household.

    A column is one where every value is the id of somebody in the same household, or says that there is nobody: empty, or a
    negative number that is no id. Columns that number the members of a household (a mother who is person 2) need no finding: they
    stay right as they are, since members keep their places.

    Parameters
    ----------
    aligned : Aligned
        With households.

    Returns
    -------
    dict of str to (n_records,) int32
        By column: place in the household of whom each record points to, 1 = the reference; 0 = nobody.
    """
    homes, survey, frame = aligned.households, aligned.survey, aligned.frame()
    if homes is None:
        return {}
    described = {v.column or v.name for v in survey.variables.values()}
    apart = described | {survey.household, survey.household_weight, survey.weight, survey.communal, survey.strata, survey.cluster}
    found = {}
    for name in frame.columns:
        if name in apart or not (frame[name].dtype.kind in "iuOfT" or isinstance(frame[name].dtype, pd.StringDtype)):
            continue
        place = _places(frame[name], aligned.records, homes.of_record, homes.place)
        if place is not None:
            found[str(name)] = place
    return found


def _places(values: pd.Series, records: pd.Index, unit: np.ndarray, place: np.ndarray) -> np.ndarray | None:
    """Place of whom each value points to; None where the column is no pointer."""
    whole = records.dtype.kind in "iu"
    if whole:
        values = pd.to_numeric(values, errors="coerce") if values.dtype.kind not in "iu" else values
        nobody = values.isna() | (values < 0)
    else:
        values = values.astype(object)  # of categories none but its own can be asked for
        nobody = values.isna() | values.astype("string").str.strip().fillna("").isin(["", "-1"])
    at = np.where(nobody, -1, records.get_indexer(pd.Index(values.where(~nobody, records[0]) if len(records) else values)))
    pointing = np.flatnonzero(~nobody.to_numpy(bool))
    if not len(pointing) or (at[pointing] < 0).any() or (unit[at[pointing]] != unit[pointing]).any():
        return None
    if (at[pointing] == pointing).all():  # a copy of the record's own id
        return None
    out = np.zeros(len(records), np.int32)
    out[pointing] = place[at[pointing]]
    return out
