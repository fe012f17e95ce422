"""Shares by zone: how many of each zone's people meet a condition, from counts of donors alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from synthpop_gb.population import DonorCounts

__all__ = ["share_by_zone"]


def share_by_zone(
    counts: Iterable[DonorCounts], mask: np.ndarray, zones: pd.Index, known: np.ndarray | None = None
) -> pd.DataFrame:
    """Count the people of each zone who are copies of the records in `mask`, and their share of those of whom it is known.

    Parameters
    ----------
    counts : iterable of DonorCounts
        `Population.blocks()`, or what was read from a run's folder; each zone in one block only.
    mask : (n_records,) bool array
        Records that meet the condition, by position: `Condition.matches(aligned)`.
    zones : pandas.Index
        Zones wanted, in order.
    known : (n_records,) bool array, optional
        Records of which it is known whether they meet it: `Condition.known(aligned)`. None: all, so that who did not answer
        counts as not meeting it.

    Returns
    -------
    pandas.DataFrame
        Indexed by zone: people, known (of whom it is known), matching (all int64), and share (matching / known; NaN in a zone
        where it is known of nobody).

    >>> record, n = np.array([0, 1, 1, 2], np.int32), np.array([3, 1, 5, 4], np.int32)
    >>> block = DonorCounts(pd.Index(["A", "B"]), np.array([0, 2, 4]), record, n)
    >>> share_by_zone([block], np.array([True, False, False]), pd.Index(["B", "A"]), np.array([True, True, False])).reset_index()
      zone  people  known  matching  share
    0    B       9      5         0   0.00
    1    A       4      4         3   0.75
    """
    people, answered, matching = np.zeros((3, len(zones)), np.int64)
    for block in counts:
        where = zones.get_indexer(block.zones)
        inside = where >= 0
        people[where[inside]] += block.people[inside]
        answered[where[inside]] += (block.people if known is None else _inside(block, known))[inside]
        matching[where[inside]] += _inside(block, mask if known is None else mask & known)[inside]
    share = np.divide(matching, answered, out=np.full(len(zones), np.nan), where=answered > 0)
    columns = {"people": people, "known": answered, "matching": matching, "share": share}
    return pd.DataFrame(columns, index=zones.rename("zone"))


def _inside(block: DonorCounts, mask: np.ndarray) -> np.ndarray:
    """People of each zone of a block who are copies of the records in `mask`: (n_zones,) int64."""
    met = np.concatenate([[0], np.cumsum(np.where(mask[block.record], block.n, 0), dtype=np.int64)])
    return met[block.indptr[1:]] - met[block.indptr[:-1]]
