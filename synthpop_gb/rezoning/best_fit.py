"""Best fit: a zone in several areas given wholly to the one with most of it, where there is such a one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding, finding
from synthpop_gb.lookup import Lookup

__all__ = ["best_fits"]

_SAME = 1e-9
"""Shares of a zone that differ by less are the same: weights were added up and divided."""


def best_fits(split: pd.DataFrame, lookup: Lookup) -> list[Finding]:
    """Say which zones were given wholly to one of their areas, and of which no area has most.

    Parameters
    ----------
    split : pandas.DataFrame
        Parts of zones in several areas, in order of zone and area: z, zone, area, share, unsaid (no weight measures it).
    lookup : Lookup
        Where they come from.

    Returns
    -------
    list of Finding
        'ambiguous-zone': an error for zones of which two areas have as much and no weight is measured, since the lookup tells
        them apart in nothing; warnings for ties of weights, given to the first code, and for the others. Rows: zone, area, share,
        given (whether this area got the zone).
    """
    if split.empty:
        return []
    most = split.groupby("z", sort=False)["share"].transform("max")
    leads = (split["share"] >= most - _SAME).to_numpy()
    tied = leads & (split[leads].groupby("z")["z"].size().reindex(split["z"]).to_numpy() > 1)
    tie = pd.Series(tied, split.index).groupby(split["z"]).transform("any")
    first = split.assign(order=np.where(most == split["share"], 0, 1)).sort_values(["z", "order"], kind="stable")
    rows = split.assign(given=split.index.isin(first.index[~first["z"].duplicated()]))
    said = []
    for mine, level, what, why, remedy in (
        (tie & split["unsaid"], "error", "and as much of each lies in one as in another", _UNKNOWN,
         "Name a column of weights with --weight: households or people of each part."),
        (tie & ~split["unsaid"], "warning", "and weigh as much in one as in another; each was given wholly to the first of these",
         "Another would have fitted as well. The other areas lack these people.", "Leave out --best-fit to divide such zones."),
        (~tie & split["unsaid"], "warning", "; each was given wholly to the one with most rows of the lookup",
         "The other areas lack these people.", "Name a column of weights with --weight to divide such zones."),
        (~tie & ~split["unsaid"], "warning", "; each was given wholly to the one with most of its weight",
         "The other areas lack these people.", "Leave out --best-fit to divide such zones."),
    ):  # fmt: skip
        if mine.any():
            n = split.loc[mine, "z"].nunique()
            message = f"{n:,} {'zone lies' if n == 1 else 'zones lie'} in several areas of {lookup.to} "
            message += f"(first: {split.loc[mine, 'zone'].iloc[0]}){'' if what.startswith(';') else ', '}{what}."
            shown = rows.loc[mine, ["zone", "area", "share", "given"]]
            said.append(
                finding("ambiguous-zone", message, place=lookup.to, count=n, rows=shown, level=level, why=why, remedy=remedy)
            )
    return said


_UNKNOWN = "It cannot be told which area has most of them, so that there is no best fit."
