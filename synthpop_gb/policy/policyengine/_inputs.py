"""What PolicyEngine's rules read of people, filled from a survey's columns: as mapped, as understood, or left at its default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.circumstances import meaning_of, numbers
from synthpop_gb.errors import Finding, finding
from synthpop_gb.policy.policyengine._engine import Engine, Input
from synthpop_gb.policy.policyengine._plain import PLAIN, is_engine_survey

__all__ = ["Filled", "fill_inputs"]

_SEX = {"male": "MALE", "female": "FEMALE"}
_TENURE = {
    "outright": "OWNED_OUTRIGHT", "mortgage": "OWNED_WITH_MORTGAGE", "social": "RENT_FROM_HA", "private": "RENT_PRIVATELY",
    "free": "RENT_PRIVATELY",
}  # fmt: skip
_ACTIVITY = {
    "employee": "FT_EMPLOYED", "self-employed": "FT_SELF_EMPLOYED", "student": "STUDENT", "unemployed": "UNEMPLOYED",
    "retired": "RETIRED", "home": "CARER", "sick": "LONG_TERM_DISABLED", "other": "OTHER_INACTIVE", "none": "CHILD",
}  # fmt: skip
_ACCOMMODATION = {
    "detached": "HOUSE_DETACHED", "semi-detached": "HOUSE_SEMI_DETACHED", "terraced": "HOUSE_TERRACED",
    "purpose-built flat": "FLAT", "flat": "FLAT", "converted or shared house": "CONVERTED_HOUSE",
    "caravan or temporary": "MOBILE",
}  # fmt: skip
"""The engine's names by the plain words of `circumstances`, and of accommodation by the common codebook's labels."""

_NEW_STATE_PENSION = "gov.dwp.state_pension.new_state_pension.amount"
_PENSION_AGE = 66
"""State Pension age from October 2020 until the rise that begins in April 2026 (Pensions Act 2014, s. 26)."""


@dataclass
class Filled:
    """Inputs by variable, (n,) a value a person; how each was filled; and what is wrong with what was asked."""

    values: dict[str, np.ndarray] = field(default_factory=dict)
    how: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)
    columns: set[str] = field(default_factory=set)
    """Columns of the survey that were read."""


def fill_inputs(donors: pd.DataFrame, inputs: Mapping[str, Any], engine: Engine, *, year: int, skip: tuple[str, ...]) -> Filled:
    """Fill the engine's inputs of every person.

    Parameters
    ----------
    donors : (n,) pandas.DataFrame
        Persons, with labels for codes.
    inputs : mapping of variable to source
        A column's name; a number or true/false for everybody; a table with `column` or `value`, `map` from labels to values, and
        `blank`, the value where the column is blank; or a function of the donors. These go first.
    engine : Engine
        Knows its variables.
    year : int
        Fiscal year of the survey's amounts.
    skip : tuple of str
        Variables that are made elsewhere: ids, places, draws.

    Returns
    -------
    Filled
        Values of a household's variable stand on every member. What is not there is left at the engine's default.
    """
    out = Filled()
    for name, source in inputs.items():
        if name in PLAIN:
            continue  # not the engine's, but what its inputs are understood from
        about = engine.variable(name)
        if about is None:
            message = f"PolicyEngine has no variable {name!r}.{engine.near(name)}"
            out.findings.append(finding("engine-input", message, place=f"inputs.{name}"))
        elif name in skip:
            message = f"The input {name!r} is made for every household and cannot be given."
            out.findings.append(finding("engine-input", message, place=f"inputs.{name}", remedy="Take it out."))
        else:
            _keep(out, about, *_sourced(donors, name, source, out))
    if is_engine_survey(donors):
        _own_columns(donors, engine, skip, out)
    _understood(donors, engine, year, out)
    return out


def _sourced(donors: pd.DataFrame, name: str, source: Any, out: Filled) -> tuple[pd.Series | None, str]:
    """Values that a source gives, None where it cannot, and how it is told."""
    if isinstance(source, Callable) and not isinstance(source, type):
        out.columns.add(f"inputs.{name}")
        return pd.Series(np.asarray(source(donors)), index=donors.index), "a function of the donors"
    if isinstance(source, bool | int | float | np.number):
        return pd.Series(source, index=donors.index), f"{source} for everybody"
    asked = {"column": source} if isinstance(source, str) else dict(source) if isinstance(source, Mapping) else {}
    unknown = set(asked) - {"column", "map", "blank", "value"}
    if unknown or ("column" in asked) == ("value" in asked):
        message = f"The input {name!r} is neither a column, a number, nor a table with `column` or `value`, `map` and `blank`."
        out.findings.append(finding("engine-input", message, place=f"inputs.{name}"))
        return None, ""
    if "value" in asked:
        return pd.Series(asked["value"], index=donors.index), f"{asked['value']!r} for everybody"
    column = str(asked["column"])
    if column not in donors.columns:
        message = f"The survey has no column {column!r}, which the input {name!r} is to be filled from."
        out.findings.append(finding("engine-input", message, place=f"inputs.{name}"))
        return None, ""
    values = donors[column]
    out.columns.add(column)
    if "map" in asked:
        meaning = {str(k): v for k, v in asked["map"].items()}
        labels = values.astype("string")
        strange = sorted(set(labels.dropna()) - set(meaning))
        if strange and "blank" not in asked:
            message = f"The input {name!r} maps {column!r}, but not {', '.join(map(repr, strange[:5]))}."
            remedy = "Add them to `map`, or give `blank` for all others."
            out.findings.append(finding("engine-input", message, place=f"inputs.{name}", count=len(strange), remedy=remedy))
            return None, ""
        values = labels.map(meaning).astype(object)
    if "blank" in asked:
        values = values.astype(object).where(values.notna(), asked["blank"])
    return values, f"column {column!r}"


def _keep(out: Filled, about: Input, values: pd.Series | None, how: str) -> None:
    """Take values that are of the variable's kind; say which are not."""
    if values is None:
        return
    place = f"inputs.{about.name}"
    blank = values.isna().to_numpy()
    if blank.any():
        message = f"The input {about.name!r} ({how}) is blank for {int(blank.sum()):,} donors."
        remedy = "Give `blank`, the value that stands for no answer, or leave such records out of the study."
        out.findings.append(finding("engine-input", message, place=place, count=int(blank.sum()), remedy=remedy))
        return
    if about.names:
        text = values.astype(str)
        strange = sorted(set(text) - set(about.names))
        if strange:
            message = f"The input {about.name!r} ({how}) holds {', '.join(map(repr, strange[:5]))}, which it knows not."
            remedy = f"Give `map` to {', '.join(about.names[:12])}."
            out.findings.append(finding("engine-input", message, place=place, count=len(strange), remedy=remedy))
            return
        out.values[about.name] = text.to_numpy(object)
    else:
        if about.kind not in ("float", "int", "bool"):
            out.values[about.name] = values.astype(str).to_numpy(object)
        else:
            number = pd.to_numeric(values, errors="coerce").astype(np.float64)
            if not np.isfinite(number).all():
                n = int((~np.isfinite(number)).sum())
                message = f"The input {about.name!r} ({how}) holds {n:,} values that are no numbers."
                out.findings.append(finding("engine-input", message, place=place, count=n))
                return
            out.values[about.name] = number.to_numpy().astype({"float": np.float64, "int": np.int64, "bool": bool}[about.kind])
    out.how[about.name] = how


def _own_columns(donors: pd.DataFrame, engine: Engine, skip: tuple[str, ...], out: Filled) -> None:
    """Take every column of a PolicyEngine dataset that is a variable of the engine, as it would itself."""
    for column in map(str, donors.columns):
        about = engine.variable(column)
        if about is None or column in skip or column in out.values or column.endswith(("_id", "_weight")):
            continue
        out.columns.add(column)
        _keep(out, about, donors[column], "the survey's own")


def _understood(donors: pd.DataFrame, engine: Engine, year: int, out: Filled) -> None:
    """Fill from the common variables what was not given: age, sex, tenure, accommodation, activity, rent, incomes."""

    def wanting(name: str, column: str) -> bool:
        wanted = name not in out.values and column in donors.columns and all(f.place != f"inputs.{name}" for f in out.findings)
        out.columns |= {column} if wanted else set()
        return wanted

    for name in ("age", "rent", "council_tax"):
        if wanting(name, name):
            plain = pd.api.types.is_numeric_dtype(donors[name])
            values = donors[name] if plain else pd.Series(np.floor(numbers(donors[name])), index=donors.index)
            _keep(out, engine.variable(name), values, f"column {name!r}" + ("" if plain else ", the middle of each band"))
    for name, column, kind, names in (
        ("gender", "sex", "sex", _SEX),
        ("tenure_type", "tenure", "tenure", _TENURE),
        ("employment_status", "economic_activity", "activity", _ACTIVITY),
    ):
        if wanting(name, column):
            words, strange = meaning_of(kind, donors[column])
            if strange:
                _not_understood(out, engine, name, column, strange)
                continue
            values = pd.Series(words, index=donors.index).map(names)
            _keep(out, engine.variable(name), _finer(name, donors[column], values), f"column {column!r}")
    if wanting("is_disabled_for_benefits", "economic_activity"):
        sick = pd.Series(meaning_of("activity", donors["economic_activity"])[0] == "sick", index=donors.index)
        _keep(out, engine.variable("is_disabled_for_benefits"), sick, "column 'economic_activity': long-term sick or disabled")
    if wanting("accommodation_type", "accommodation"):
        values = donors["accommodation"].map(_ACCOMMODATION).fillna("OTHER")
        _keep(out, engine.variable("accommodation_type"), values, "column 'accommodation'")
    for name in ("age", "gender"):
        if name not in out.values and all(f.place != f"inputs.{name}" for f in out.findings):
            message = f"Nothing in the survey says what PolicyEngine calls {name!r}."
            remedy = "Describe the survey's variables 'age' and 'sex', or name columns as inputs."
            out.findings.append(finding("engine-input", message, place=f"inputs.{name}", remedy=remedy))
    _incomes(donors, engine, year, out)


def _finer(name: str, labels: pd.Series, values: pd.Series) -> pd.Series:
    """Tell councils from other social landlords, and part-time from full-time work, where labels do."""
    text = labels.astype("string").str.casefold().fillna("")
    if name == "tenure_type":
        ours = text.str.contains("council|local authority", regex=True) & ~text.str.contains(
            "social rented$|association", regex=True
        )
        return values.mask((values == "RENT_FROM_HA") & ours.to_numpy(bool), "RENT_FROM_COUNCIL")
    if name == "employment_status":
        part = text.str.contains("part[- ]time", regex=True).to_numpy(bool)
        return values.mask(part & values.isin(["FT_EMPLOYED", "FT_SELF_EMPLOYED"]), values.astype(str).str.replace("FT_", "PT_"))
    return values


def _not_understood(out: Filled, engine: Engine, name: str, column: str, strange: Mapping[str, int]) -> None:
    """`engine-input` for labels that mean nothing to the engine."""
    message = f"The survey's {column!r} says {', '.join(map(repr, list(strange)[:5]))}, which is no {name} of PolicyEngine."
    remedy = f"Give the input {name}: `column`, and `map` to {', '.join(engine.variable(name).names)}."
    out.findings.append(finding("engine-input", message, place=f"inputs.{name}", count=sum(strange.values()), remedy=remedy))


def _incomes(donors: pd.DataFrame, engine: Engine, year: int, out: Filled) -> None:
    """Tell incomes apart by economic activity, where the survey has one column of them and none was given."""
    sources = ("employment_income", "self_employment_income", "private_pension_income", "state_pension_reported")
    if any(name in out.values for name in sources) or not {"income", "economic_activity"} <= set(donors.columns):
        return
    out.columns |= {"income", "economic_activity"}
    activity = meaning_of("activity", donors["economic_activity"])[0]
    income = pd.to_numeric(donors["income"], errors="coerce").fillna(0.0).to_numpy(np.float64)
    age = out.values.get("age", np.zeros(len(donors)))
    of_work, of_trade = np.isin(activity, ["employee", "student"]), activity == "self-employed"
    old = ~of_work & ~of_trade & (age >= _PENSION_AGE)
    of_pension = ~of_work & ~of_trade & (old | (activity == "retired"))
    state = np.where(old, np.minimum(np.maximum(income, 0.0), 52 * float(engine.parameter(_NEW_STATE_PENSION, year))), 0.0)
    how = "column 'income' by 'economic_activity'"
    made = {
        "employment_income": np.where(of_work, np.maximum(income, 0.0), 0.0),
        "self_employment_income": np.where(of_trade, income, 0.0),
        "state_pension_reported": np.where(of_pension, state, 0.0),
        "private_pension_income": np.where(of_pension, np.maximum(income - state, 0.0), 0.0),
    }
    out.values |= made
    out.how |= dict.fromkeys(made, how)
    left = ~(of_work | of_trade | of_pension) & (income > 0)
    if left.any():
        out.notes["income_left_out"] = (
            f"{int(left.sum()):,} donors neither work nor draw a pension: their income is taken for benefits, which the engine "
            "works out itself"
        )
