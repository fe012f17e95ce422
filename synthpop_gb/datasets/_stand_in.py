"""A made-up survey of whole households in census categories: stands in where the real one is under licence."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.datasets._county import make_county

__all__ = ["stand_in_survey"]

ADULT = 66
"""Age from which household composition tells older people apart, in years (Census 2021, TS003)."""

LIMITED = {
    "very good": (0.005, 0.03), "good": (0.02, 0.10), "fair": (0.20, 0.40), "bad": (0.60, 0.30), "very bad": (0.85, 0.12),
}  # fmt: skip
"""Chance of being limited a lot, and a little, by general health: assumed, to rise with ill health."""

_KEPT = (
    "person", "household", "region", "psu", "weight", "role", "age", "sex", "ethnic_group", "qualification", "economic_activity",
    "health", "disability", "household_composition", "household_size", "tenure", "accommodation", "cars", "income",
)  # fmt: skip


def stand_in_survey(persons: int = 30_000, seed: int = 2021) -> pd.DataFrame:
    """Make a survey of households that nobody answered, in categories that census tables of 2021 and 2022 can be joined to.

    People are those of the demo counties' surveys (`make_county`), with categories of the census: household size up to 8 and
    more, household composition (TS003, from who lives with whom, ages and partnership), disability (drawn given health, with
    assumed chances). The model has no NS-SEC, occupation, hours, religion, travel, bedrooms or rooms, and five ethnic groups.

    Parameters
    ----------
    persons : int
        Members of responding households, about.
    seed : int
        Fixes the draw.

    Returns
    -------
    pandas.DataFrame
        One row a person: person, household, region, psu, weight (mean 1), then the variables, as labels; age in years.

    Examples
    --------
    >>> survey = stand_in_survey(600, seed=1)
    >>> int(survey.groupby("household")["household_composition"].nunique().max())
    1
    """
    people = make_county("penmarrow", seed=seed, survey_persons=persons).survey
    people = people.astype({c: str for c in people.columns if isinstance(people[c].dtype, pd.CategoricalDtype)})
    people["household_size"] = _sizes(people["members"].to_numpy())
    people["household_composition"] = _composition(people)
    people["disability"] = _disability(people["health"].to_numpy(), seed)
    return people[list(_KEPT)]


def _sizes(members: np.ndarray) -> np.ndarray:
    labels = np.array(["1 person", *(f"{n} people" for n in range(2, 8)), "8 or more people"], dtype=object)
    return labels[np.minimum(members, 8) - 1]


def _composition(people: pd.DataFrame) -> np.ndarray:
    """Household composition of TS003, on every member's row."""
    homes = people.groupby("household", sort=False)
    size, youngest = homes["age"].transform("size"), homes["age"].transform("min")
    reference = people["role"] == "reference"
    married = (reference & (people["partnership"] == "married")).groupby(people["household"]).transform("any")
    kind = people["composition"]
    couple = np.where(married, "married couple", "cohabiting couple")
    dependent = ((people["role"] == "child") & (people["age"] < 16)).groupby(people["household"]).transform("any")
    old = youngest >= ADULT
    kind, couple = kind.to_numpy(object), couple.astype(object)
    found = np.full(len(people), "other household", dtype=object)
    found[(kind == "several generations") & dependent.to_numpy()] = "other household, dependent children"
    for family, parent in (("couple", couple), ("lone parent", np.full(len(people), "lone parent", dtype=object))):
        found = np.where(kind == f"{family} with dependent children", parent + ", dependent children", found)
        found = np.where(kind == f"{family} with adult children", parent + ", older children", found)
    found = np.where(np.isin(kind, ["couple", "pensioner couple"]), couple + ", no children", found)
    families = np.array(["couple" in k or "parent" in k for k in kind])
    old, alone = old.to_numpy(), (size == 1).to_numpy()
    found = np.where(families & old, "family, all 66+", found)
    return np.where(alone & old, "one person, 66+", np.where(alone, "one person, under 66", found))


def _disability(health: np.ndarray, seed: int) -> np.ndarray:
    """Draw who is limited, given health."""
    much, little = (np.array([LIMITED[h][i] for h in health]) for i in (0, 1))
    draw = np.random.default_rng([seed, 7]).random(len(health))
    return np.where(draw < much, "limited a lot", np.where(draw < much + little, "limited a little", "not limited"))
