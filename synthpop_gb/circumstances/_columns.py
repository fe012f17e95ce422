"""Columns: which of a survey's columns says what rules ask for, and what stands in place of those it has not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthpop_gb.circumstances._words import WORDS, meaning_of

__all__ = ["INPUTS", "Circumstances", "circumstances_of", "numbers"]

INPUTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "age": ("years", ("age", "age_years", "resident_age", "dvage")),
    "sex": ("female, male", ("sex", "gender")),
    "role": ("reference, partner, child, other", ("role", "relationship", "relation_to_reference", "relation", "hhrole")),
    "activity": ("employee, self-employed, ...", ("economic_activity", "activity", "activity_status", "employment_status")),
    "partnership": ("single, married, ...", ("partnership", "marital_status", "legal_partnership_status")),
    "tenure": ("outright, mortgage, social, private, free", ("tenure", "tenure_of_household", "tenure_type")),
    "income": ("pounds a year before tax", ("income", "gross_income", "total_income")),
    "employment_income": ("pounds a year", ("employment_income", "earnings")),
    "self_employment_income": ("pounds a year", ("self_employment_income",)),
    "pension_income": ("pounds a year", ("pension_income", "state_pension_and_pension")),
    "other_income": ("pounds a year", ("other_income",)),
    "rent": ("pounds a year, of the household", ("rent", "annual_rent")),
    "council_tax": ("pounds a year, of the household", ("council_tax",)),
    "council_tax_band": ("A to H", ("council_tax_band",)),
    "qualification": ("none, low, medium, high", ("qualification", "highest_qualification", "qualifications")),
    "ethnic_group": ("white, mixed, asian, black, other", ("ethnic_group", "ethnicity")),
    "health": ("very good to very bad", ("health", "general_health")),
    "hours": ("hours of paid work a week", ("hours", "hours_worked")),
}
"""What rules ask of a person: unit, and the columns that are looked for, the first that there is being taken."""

KINDS = ("employment_income", "self_employment_income", "pension_income", "other_income")
"""Kinds of income that rules treat differently."""

UNKNOWN_AGE = 40.0
"""Years, where a record has none."""

_KIND_OF = {"employee": 0, "self-employed": 1, "retired": 2}


@dataclass(frozen=True, eq=False)
class Circumstances:
    """What is known of each person, in the words of `WORDS` and in numbers.

    Attributes
    ----------
    frame : pandas.DataFrame
        Indexed as the records; a column for each input that the survey has, and always age, activity and the kinds of income.
    taken : mapping of str to str
        Which column each input was taken from; a value as text where one was given for all.
    defaults : mapping of str to str
        Inputs that the survey has not, and what stands in their place.
    unknown : mapping of str to dict
        By input: labels that were not understood, and on how many rows.
    """

    frame: pd.DataFrame
    taken: Mapping[str, str]
    defaults: Mapping[str, str] = field(default_factory=dict)
    unknown: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether the survey says it."""
        return name in self.taken

    def number(self, name: str, default: float = 0.0) -> np.ndarray:
        """(n,) float64 of an input of numbers; `default` where it is not known."""
        if name not in self.frame:
            return np.full(len(self.frame), default)
        return self.frame[name].fillna(default).to_numpy(np.float64)

    def is_(self, name: str, *words: str) -> np.ndarray:
        """(n,) bool: whether an input is one of some words; nowhere where it is not known."""
        if name not in self.frame:
            return np.zeros(len(self.frame), bool)
        return self.frame[name].isin(words).to_numpy(bool)

    def facts(self) -> dict:
        """Return plain values for the record of a run."""
        return {
            "inputs": dict(self.taken), "defaults": dict(self.defaults),
            "labels_not_understood": {k: dict(v) for k, v in self.unknown.items()},
        }  # fmt: skip


def circumstances_of(
    records: pd.DataFrame,
    inputs: Mapping[str, str | float] | None = None,
    labels: Mapping[str, Mapping[str, str]] | None = None,
) -> Circumstances:
    """Find what rules ask for among a survey's columns.

    An income that the survey tells by kind is taken by kind; a single income is an employee's earnings, the profits of somebody
    self-employed, a retired person's pension, and income of another kind for everybody else. Missing and negative incomes are 0.

    Parameters
    ----------
    records : pandas.DataFrame
        One row a person, labels instead of codes: what `policy.donors_of` gives.
    inputs : mapping, optional
        By name of an input (a key of `INPUTS`): the survey's column, or a number that holds for all; those not named are looked
        for by their usual names.
    labels : mapping, optional
        By name of an input: what labels or codes mean that are not understood by themselves, {'role': {'1': 'reference'}}.

    Returns
    -------
    Circumstances

    Raises
    ------
    KeyError
        Where `inputs` names an input that there is not, or a column that the survey has not.
    ValueError
        Where there is no age, or `labels` names words that there are not.

    Examples
    --------
    >>> survey = pd.DataFrame({"age": [40, 70], "economic_activity": ["employee", "retired"], "pay": [30000, 9000]})
    >>> found = circumstances_of(survey, {"income": "pay"})
    >>> found.frame["employment_income"].tolist(), found.frame["pension_income"].tolist()
    ([30000.0, 0.0], [0.0, 9000.0])
    """
    inputs, labels = dict(inputs or {}), dict(labels or {})
    _named(inputs, labels, records)
    taken, defaults, unknown, out = {}, {}, {}, {}
    for name, (_, usual) in INPUTS.items():
        column = inputs.get(name, next((u for u in usual if u in records.columns), None))
        if column is None:
            continue
        taken[name] = str(column)
        values = records[column] if isinstance(column, str) else pd.Series(float(column), records.index)
        if name in WORDS:
            out[name], strange = meaning_of(name, values, labels.get(name))
            if strange:
                unknown[name] = strange
        elif name == "council_tax_band":
            out[name] = values.astype("string").str.strip().str.upper().str[:1]
        else:
            out[name] = numbers(values)
    if "age" not in out:
        raise ValueError("no column says ages: name it, inputs={'age': 'the column'}")
    bands = [] if taken["age"] not in records else [a for a in records[taken["age"]].unique() if re.search(r"\d\D+\d", str(a))]
    if bands and not pd.api.types.is_numeric_dtype(records[taken["age"]]):
        defaults["age"] = "the middle of each band"
    blank = ~(np.asarray(out["age"]) >= 0)
    if blank.any():
        out["age"] = np.where(blank, UNKNOWN_AGE, out["age"])
        defaults["unknown ages"] = f"{UNKNOWN_AGE:g}, on {int(blank.sum()):,} records"
    if "activity" not in out:
        out["activity"] = np.where(out["age"] < 16, "none", "other")
        defaults["activity"] = "everybody's income is of another kind than earnings, profits and pensions"
    _kinds(out, taken, defaults)
    return Circumstances(pd.DataFrame(out, index=records.index), taken, defaults, unknown)


def _named(inputs: dict, labels: dict, records: pd.DataFrame) -> None:
    """Raise KeyError for what there is not."""
    strange = [n for n in (*inputs, *labels) if n not in INPUTS]
    if strange:
        raise KeyError(f"there is no input {', '.join(map(repr, strange))}; there are {', '.join(INPUTS)}")
    missing = [c for c in inputs.values() if isinstance(c, str) and c not in records.columns]
    if missing:
        raise KeyError(f"the survey has no column {', '.join(map(repr, missing))}")


def _kinds(out: dict, taken: dict, defaults: dict) -> None:
    """Complete the kinds of income; from a single one by what people do."""
    if "income" in out and not any(k in taken for k in KINDS):
        kind = np.array([_KIND_OF.get(a, 3) for a in out["activity"]])
        income = np.maximum(np.nan_to_num(np.asarray(out["income"], np.float64)), 0.0)
        for i, name in enumerate(KINDS):
            out[name] = np.where(kind == i, income, 0.0)
        defaults["kinds of income"] = "told by activity"
        return
    for name in KINDS:
        if name not in out:
            out[name] = np.zeros(len(out["age"]))
            defaults[name] = "0"
        out[name] = np.maximum(np.nan_to_num(np.asarray(out[name], np.float64)), 0.0)
    if "income" not in out and not any(k in taken for k in KINDS):
        defaults["income"] = "0"


def numbers(values: pd.Series) -> np.ndarray:
    """Read numbers; of labels of bands the middle, of open ones five above the end. (n,) float64, NaN where there is none.

    >>> numbers(pd.Series(["16-24", "75 and over", "under 16", "41"])).tolist()
    [20.0, 80.0, 8.0, 41.0]
    """
    if pd.api.types.is_numeric_dtype(values):
        return values.to_numpy(np.float64, na_value=np.nan)
    code, distinct = pd.factorize(values.astype(object))
    return np.array([*map(_middle, map(str, distinct)), np.nan])[code]


def _middle(label: str) -> float:
    found = [float(f.replace(",", "")) for f in re.findall(r"\d[\d,]*\.?\d*", label)]
    if len(found) >= 2:
        return (found[0] + found[1]) / 2
    if not found:
        return np.nan
    if re.search(r"\+|over|older|more", label):
        return found[0] + 5
    return found[0] / 2 if re.search(r"under|below|less", label) else found[0]
