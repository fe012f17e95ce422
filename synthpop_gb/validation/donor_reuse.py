"""How often the same record was copied: a zone of a thousand people who are ten different ones is no population."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.validation.recount import RecordUse

__all__ = ["donor_reuse", "most_used_records"]


def donor_reuse(reuse: np.ndarray, zones: pd.Index, homes: np.ndarray | None = None) -> pd.DataFrame:
    """One row a zone: zone, people, donors (distinct), largest_share (of people that are copies of one donor), effective_donors.

    effective_donors = (sum n)^2 / sum n^2 over the donors of the zone (Kish 1965; the inverse of the Herfindahl index): so
    many equally used donors would repeat themselves as much. Zones without people have 0 throughout.

    Of whole households also households, different_households, largest_household (share of them that are copies of one) and
    effective_households: the members of a household come together, so that its records tell no more than the household does.

    Parameters
    ----------
    reuse : numpy.ndarray
        (n_zones, 4) int64: people, distinct donors, people of the most used donor, sum of squared people by donor.
    zones : pandas.Index
        Zone codes.
    homes : numpy.ndarray, optional
        (n_zones, 4) int64, the same of households.

    >>> donor_reuse(np.array([[10, 4, 5, 34]]), pd.Index(["E1"])).round(2).to_dict("records")
    [{'zone': 'E1', 'people': 10, 'donors': 4, 'largest_share': 0.5, 'effective_donors': 2.94}]
    """
    columns = dict(zip(("people", "donors", "largest_share", "effective_donors"), _shares(reuse), strict=True))
    if homes is not None:
        names = ("households", "different_households", "largest_household", "effective_households")
        columns |= dict(zip(names, _shares(homes), strict=True))
    return pd.DataFrame({"zone": zones, **columns})


def _shares(reuse: np.ndarray) -> tuple[np.ndarray, ...]:
    """How many were placed, of how many donors, the share of the most used one, and the effective number: (n_zones,) each."""
    placed, donors, largest, squares = reuse.T
    return placed, donors, largest / np.maximum(placed, 1), placed.astype(np.float64) ** 2 / np.maximum(squares, 1)


def most_used_records(
    use: RecordUse, records: pd.Index, weight: np.ndarray, most: int = 100, *, named: bool = True
) -> pd.DataFrame:
    """One row for each of the most copied records: record, copies, zones, share (per cent of all people), times_weight.

    times_weight: how many times more often than its design weight's share of the survey; 1 would be the survey as it is.
    Ties keep the survey's order. Without `named` there are neither record nor times_weight: share divided by times_weight is
    the design weight itself, which a survey under licence does not give away.
    """
    order = np.argsort(-use.copies, kind="stable")[:most]
    order = order[use.copies[order] > 0]
    share = use.copies / max(int(use.copies.sum()), 1)
    frame = pd.DataFrame({"copies": use.copies[order], "zones": use.zones[order], "share": 100 * share[order]})
    if named:
        frame.insert(0, "record", records[order])
        frame["times_weight"] = share[order] / (weight[order] / weight.sum())
    return frame
