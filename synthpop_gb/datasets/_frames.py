"""From columns of codes to tables of people with labels: the truth as data frames, small in memory."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.datasets._categories import CATEGORIES, labelled
from synthpop_gb.datasets._households import Columns

SIZE_TOP = len(CATEGORIES["household_size"])


def person_values(people: Columns) -> Columns:
    """Variables of persons by their public names: codes of CATEGORIES, years for age, pounds a year for income."""
    return {
        "role": people["role"],
        "age": people["age"].astype(np.int16),
        "sex": people["sex"],
        "ethnic_group": people["ethnic"],
        "partnership": people["partnership"],
        "qualification": people["qualification"],
        "economic_activity": people["activity"],
        "health": people["health"],
        "smokes": people["smokes"],
        "income": people["income"].astype(np.int32),
    }


def household_values(hh: Columns) -> Columns:
    """Variables of households by their public names: codes of CATEGORIES, counts, pounds a year for incomes."""
    return {
        "composition": hh["composition"],
        "members": hh["size"].astype(np.int16),
        "household_size": (np.minimum(hh["size"], SIZE_TOP) - 1).astype(np.int8),
        "tenure": hh["tenure"],
        "accommodation": hh["accommodation"],
        "cars": hh["cars"],
        "net_income": hh["net_income"].astype(np.int32),
        "equivalised_income": hh["equivalised_income"].astype(np.int32),
        "low_income": hh["low_income"],
    }


def frames(hh: Columns, people: Columns, zone_codes: pd.Index) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return persons and households of the whole county, categories as pandas categoricals (one byte a value).

    `person` and `household` number the rows from 0; `partner` is the partner's person number, -1 = none. About 35 bytes a
    person and 40 a household.
    """
    zone = pd.Categorical.from_codes(hh["zone"], categories=zone_codes.rename(None))
    persons = {
        "person": np.arange(len(people["household"]), dtype=np.int32),
        "household": people["household"].astype(np.int32),
        "zone": zone[people["household"]],
        "partner": people["partner"].astype(np.int32),
        **_with_labels(person_values(people)),
    }
    households = {"household": np.arange(len(hh["zone"]), dtype=np.int32), "zone": zone, **_with_labels(household_values(hh))}
    return pd.DataFrame(persons), pd.DataFrame(households)


def _with_labels(values: Columns) -> dict[str, object]:
    return {name: labelled(name, codes) if name in CATEGORIES and name != "age" else codes for name, codes in values.items()}
