"""The demo counties' codebook: every variable, its categories in printing order, its universe, and the tables published."""

from __future__ import annotations

import numpy as np
import pandas as pd

DOES_NOT_APPLY = "does not apply"
"""Code of persons outside a variable's universe (children under 16), as -8 and -9 are in census files."""

RESIDENTS = "usual residents"
ADULTS = "usual residents aged 16 and over"
HOUSEHOLDS = "households"

ADULT_AGE = 16
"""Age from which qualification, economic activity, partnership and smoking are asked, in years, as in the census."""

AGE_EDGES = (0, 16, 25, 35, 45, 55, 65, 75)
"""First age of each published band, in years: the eight bands of the 2011 Census microdata teaching file."""

CATEGORIES: dict[str, tuple[str, ...]] = {
    "age": ("0-15", "16-24", "25-34", "35-44", "45-54", "55-64", "65-74", "75+"),
    "sex": ("female", "male"),
    "health": ("very good", "good", "fair", "bad", "very bad"),
    "ethnic_group": ("white", "mixed", "asian", "black", "other"),
    "partnership": ("never married", "married", "separated", "divorced", "widowed"),
    "qualification": (
        "no qualifications", "other qualifications", "level 1", "level 2", "apprenticeship", "level 3", "level 4 or above",
    ),
    "economic_activity": (
        "employee", "self-employed", "unemployed", "student", "retired", "looking after home or family",
        "long-term sick or disabled", "other inactive",
    ),
    "smokes": ("yes", "no"),
    "role": ("reference", "partner", "child", "other"),
    "composition": (
        "pensioner alone", "adult alone", "pensioner couple", "couple", "couple with dependent children",
        "couple with adult children", "lone parent with dependent children", "lone parent with adult children",
        "several generations", "adults sharing", "students sharing",
    ),
    "tenure": ("owned outright", "owned with mortgage", "social rented", "private rented"),
    "accommodation": ("detached", "semi-detached", "terraced", "flat"),
    "cars": ("no car", "1 car", "2 cars", "3 or more cars"),
    "household_size": ("1 person", "2 people", "3 people", "4 people", "5 people", "6 or more people"),
    "low_income": ("yes", "no"),
}  # fmt: skip
"""Categories of each variable in printing order. 'age' lists the published bands; records hold single years."""

UNIVERSES: dict[str, str] = {
    **dict.fromkeys(("age", "sex", "health", "ethnic_group", "role"), RESIDENTS),
    **dict.fromkeys(("partnership", "qualification", "economic_activity", "smokes"), ADULTS),
    **dict.fromkeys(("composition", "tenure", "accommodation", "cars", "household_size", "low_income"), HOUSEHOLDS),
}

PUBLISHED: tuple[str, ...] = (
    "age", "sex", "health", "ethnic_group", "partnership", "qualification", "economic_activity",
    "tenure", "household_size", "accommodation", "cars",
)  # fmt: skip
"""One-way tables that a county publishes by zone."""

HELD_OUT: tuple[tuple[str, ...], ...] = (
    ("age", "sex"), ("age", "health"), ("ethnic_group", "health"), ("age", "economic_activity"), ("sex", "economic_activity"),
    ("age", "qualification"), ("tenure", "household_size"), ("tenure", "cars"),
)  # fmt: skip
"""Joint tables published beside them, to be held out of the fit."""

OUTCOMES: tuple[str, ...] = ("smokes", "low_income")
"""What no table publishes: the truth that a synthetic population has to estimate."""

LABELS: dict[str, str] = {
    "age": "Age last birthday, years", "sex": "Sex", "health": "General health", "ethnic_group": "Ethnic group",
    "partnership": "Legal partnership status", "qualification": "Highest level of qualification",
    "economic_activity": "Economic activity", "smokes": "Smokes cigarettes", "role": "Relation to the reference person",
    "composition": "Household composition", "tenure": "Tenure of household", "accommodation": "Accommodation type",
    "cars": "Cars or vans", "household_size": "Household size",
    "low_income": "Equivalised net income below 60 % of the national median",
}  # fmt: skip


def universe_of(variables: tuple[str, ...]) -> str:
    """Universe of a table that crosses `variables`; the narrowest of theirs.

    Raises ValueError where households and persons are mixed.

    >>> universe_of(("age", "qualification"))
    'usual residents aged 16 and over'
    """
    universes = {UNIVERSES[name] for name in variables}
    if HOUSEHOLDS in universes and len(universes) > 1:
        raise ValueError(f"{' and '.join(variables)} mix persons with households: a table counts one or the other")
    return ADULTS if ADULTS in universes else universes.pop()


def cells_of(variables: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Categories of each variable that can occur in the table's universe: the age band 0-15 leaves tables of adults."""
    lists = [CATEGORIES[name] for name in variables]
    if universe_of(variables) == ADULTS:
        lists = [cats[1:] if name == "age" else cats for name, cats in zip(variables, lists, strict=True)]
    return lists


def age_band(age: np.ndarray) -> np.ndarray:
    """Index of the published band of each age. age: integers, years.

    >>> age_band(np.array([0, 15, 16, 90])).tolist()
    [0, 0, 1, 7]
    """
    return np.searchsorted(AGE_EDGES, age, side="right") - 1


def labelled(name: str, codes: np.ndarray) -> pd.Categorical:
    """Codes as labels of variable `name`; -1 becomes 'does not apply' where the universe is narrower than all residents."""
    labels = list(CATEGORIES[name])
    if UNIVERSES[name] == ADULTS:
        labels.append(DOES_NOT_APPLY)
        codes = np.where(codes < 0, len(labels) - 1, codes)
    return pd.Categorical.from_codes(codes, categories=labels)


def codebook() -> pd.DataFrame:
    """Every variable of the survey with its codes: one row a category, columns variable, label, unit, universe, code.

    'age' has one row without a code, since records hold single years.
    """
    rows = []
    for name, categories in CATEGORIES.items():
        unit = "household" if UNIVERSES[name] == HOUSEHOLDS else "person"
        codes = ("",) if name == "age" else (*categories, DOES_NOT_APPLY) if UNIVERSES[name] == ADULTS else categories
        rows += [(name, LABELS[name], unit, UNIVERSES[name], code) for code in codes]
    return pd.DataFrame(rows, columns=["variable", "label", "unit", "universe", "code"])
