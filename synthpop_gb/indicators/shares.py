"""Shares by zone: how many of each zone's people meet a condition, from counts of donors alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from synthpop_gb.population import DonorCounts

__all__ = ["share_by_zone"]


def share_by_zone(counts: Iterable[DonorCounts], mask: np.ndarray, zones: pd.Index) -> pd.DataFrame:
    """Count the people of each zone who are copies of the records in `mask`.

    Parameters
    ----------
    counts : iterable of DonorCounts
        `Population.blocks()`, or what was read from a run's folder; each zone in one block only.
    mask : (n_records,) bool array
        Records that meet the condition, by position: `Condition.matches(aligned)`.
    zones : pandas.Index
        Zones wanted, in order.

    Returns
    -------
    pandas.DataFrame
        Indexed by zone: people, matching (both int64), and share (matching / people; NaN in a zone without people).

    >>> record, n = np.array([0, 1, 1], np.int32), np.array([3, 1, 5], np.int32)
    >>> block = DonorCounts(pd.Index(["A", "B"]), np.array([0, 2, 3]), record, n)
    >>> share_by_zone([block], np.array([True, False]), pd.Index(["B", "A"])).reset_index()
      zone  people  matching  share
    0    B       5         0   0.00
    1    A       4         3   0.75
    """
    people, matching = np.zeros(len(zones), np.int64), np.zeros(len(zones), np.int64)
    for block in counts:
        where = zones.get_indexer(block.zones)
        inside = where >= 0
        people[where[inside]] += block.people[inside]
        met = np.concatenate([[0], np.cumsum(np.where(mask[block.record], block.n, 0), dtype=np.int64)])
        matching[where[inside]] += (met[block.indptr[1:]] - met[block.indptr[:-1]])[inside]
    share = np.divide(matching, people, out=np.full(len(zones), np.nan), where=people > 0)
    return pd.DataFrame({"people": people, "matching": matching, "share": share}, index=zones.rename("zone"))
