"""Are the people of a population those of its households: both counted again from what was written."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.errors import Finding, finding
from synthpop_gb.population import DonorCounts, with_members, zone_digests

__all__ = ["households_differ"]


def households_differ(households: Iterable[DonorCounts], people: Iterable[DonorCounts], aligned: Aligned) -> tuple[Finding, ...]:
    """Compare people with the members of households, zone by zone.

    Parameters
    ----------
    households : iterable of DonorCounts
        Units placed, e.g. `run_folder.read_households`.
    people : iterable of DonorCounts
        Records and copies of them, e.g. `run_folder.read_counts`.
    aligned : Aligned
        Who lives with whom in the survey.

    Returns
    -------
    tuple of Finding
        Nothing, or 'recount-differs' with the zones (rows: zone, and which of the two lacks it, if one does).
    """
    homes = aligned.households
    members = (with_members(block, homes.member_start, homes.member) for block in households)
    both = pd.concat(
        [zone_digests(blocks, aligned.records) for blocks in (members, people)], axis=1, keys=["households", "people"]
    )
    wrong = both[both["households"] != both["people"]]
    if wrong.empty:
        return ()
    absent = wrong.isna()
    lacking = absent["households"].map({True: "households", False: ""}) + absent["people"].map({True: "people", False: ""})
    rows = pd.DataFrame({"zone": wrong.index.astype(str), "lacking": lacking.to_numpy()})
    message = f"The people of {len(rows):,} zones are not the members of the households placed there, first {rows['zone'][0]}."
    return (finding("recount-differs", message, place=str(rows["zone"][0]), count=len(rows), rows=rows),)
