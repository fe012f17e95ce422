"""The five numbers that PolicyEngine would draw from hashes of ids or places in a table, fixed once per donor instead."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.kernels.streams import ENGINE, stream_keys, uniforms
from synthpop_gb.problem import zone_key

__all__ = ["DRAWS", "FIRST", "NEW_CLAIMANT", "SHARE", "draws_of"]

DRAWS = {
    "months_since_last_birthday": ("person", 12.0),
    "uc_deduction_random_draw": ("benunit", 1.0),
    "uc_deduction_type_random_draw": ("benunit", 1.0),
    "warm_home_discount_random_draw": ("household", 1.0),
    "uc_receives_new_claimant_health_element": ("benunit", 1.0),
}
"""By variable: whose it is, and the number that it stays below.

In simulations built from data policyengine-uk fills the first four from a hash of the id, months_since_last_birthday also from
ranks by weight, and the last, which is true where the draw is below the share of new claimants, from a generator's next number,
benefit unit by benefit unit. So copies of one donor would differ by them (universal credit by up to 1.5 % of its total), and they
would change whenever ids are numbered anew."""

NEW_CLAIMANT = "uc_receives_new_claimant_health_element"
SHARE = "gov.dwp.universal_credit.rebalancing.new_claimant_share"
FIRST = 2026
"""Fiscal year from which the universal credit health element of new claimants is lower (Universal Credit Act 2025, s. 2), and the
parameter with the share of claimants who are new, which grows."""

_BELOW_ONE = 1.0 - 2.0**-24
"""Largest float32 below 1: the engine's numbers are float32, in which draws nearer to 1 would be 1."""


def draws_of(donors: pd.Index, units: pd.Series, household: pd.Series, seed: int) -> pd.DataFrame:
    """Draw the five for every donor.

    Parameters
    ----------
    donors : pandas.Index
        (n,) ids, unique.
    units : pandas.Series
        (n,) number of the benefit unit within the household.
    household : pandas.Series
        (n,) id of the household.
    seed : int
        The study's.

    Returns
    -------
    pandas.DataFrame
        One row a donor, a column a draw; the draws of a benefit unit or a household stand on each of its members. Those of a
        person hang on the seed and the donor's id, those of a household and its units on the household's id, so they do not
        change when other donors come or go, or ids of copies are numbered anew.

    Examples
    --------
    >>> few = draws_of(pd.Index(["a", "b"]), pd.Series([0, 1]), pd.Series(["h", "h"]), seed=1)
    >>> many = draws_of(pd.Index(["z", "a", "b"]), pd.Series([0, 0, 1]), pd.Series(["g", "h", "h"]), seed=1)
    >>> bool((few.to_numpy() == many.to_numpy()[1:]).all()), few["warm_home_discount_random_draw"].nunique()
    (True, 1)
    """
    texts = {
        "person": [f"person/{d}" for d in donors],
        "benunit": [f"benunit/{u}/{h}" for u, h in zip(units, household, strict=True)],
        "household": [f"household/{h}" for h in household],
    }
    found = {}
    for entity, keys in texts.items():
        hashed = np.array([zone_key(k) for k in keys], np.uint64)
        names = [name for name, (whose, _) in DRAWS.items() if whose == entity]
        drawn = uniforms(stream_keys(seed, hashed, 0, ENGINE), len(names))
        for column, name in zip(drawn.T, names, strict=True):
            found[name] = np.minimum(column, _BELOW_ONE) * DRAWS[name][1]
    return pd.DataFrame({name: found[name] for name in DRAWS}, index=donors)
