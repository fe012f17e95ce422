"""Donors as PolicyEngine's three tables: persons, benefit units and households, with ids from 0 and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.circumstances import families_of, meaning_of, numbers
from synthpop_gb.errors import InputError, finding, refuse
from synthpop_gb.policy._donors import Donors
from synthpop_gb.policy.policyengine._draws import DRAWS, FIRST, NEW_CLAIMANT, SHARE, draws_of
from synthpop_gb.policy.policyengine._engine import ENTITIES, Engine
from synthpop_gb.policy.policyengine._inputs import Filled, fill_inputs
from synthpop_gb.policy.policyengine._places import PLACES
from synthpop_gb.policy.policyengine._plain import is_engine_survey, plain_columns

__all__ = ["FIXED", "Tables", "fix", "make_tables"]

FIXED = ("benefit_unit", "claimant", "household_reference", "member")
"""Columns that `fix` gives donors beside the draws: who is assessed together, around whom, and the order within the household."""

_MADE = ("person_id", "person_benunit_id", "person_household_id", "benunit_id", "household_id", "household_weight", *PLACES)
_WED = ("legal_partnership", "partnership")


@dataclass(frozen=True, eq=False)
class Tables:
    """A dataset of the engine, and where its rows came from.

    Attributes
    ----------
    frames : mapping of 'person', 'benunit', 'household' to DataFrame
        Ids run from 0 in steps of 1, in order.
    person_row : numpy.ndarray
        (n_persons,) row of `donors` that each person is.
    benunit_household : numpy.ndarray
        (n_benunits,) household of each benefit unit.
    households : pandas.Index
        (n_households,) what each household is called: its id, or (place, id).
    filled : Filled
        How inputs were filled.
    kept : tuple of str
        Draws that the survey itself supplied.
    """

    frames: Mapping[str, pd.DataFrame]
    person_row: np.ndarray
    benunit_household: np.ndarray
    households: pd.Index
    filled: Filled
    kept: tuple[str, ...]


def fix(
    donors: Donors, seed: int, inputs: Mapping[str, Any] | None = None, labels: Mapping[str, Mapping[str, str]] | None = None
) -> Donors:
    """Give donors the columns that are fixed once for each: benefit units, order in the household, and the five draws.

    Where donors are repeated for classes of place, each class gets the same. Fixed columns that are there already stay. What the
    survey calls otherwise (`plain_columns`) is put under its plain name first.
    """
    _refuse_lone(donors)
    homes, plain = donors.households, plain_columns(donors, inputs or {}, labels or {})
    if plain:
        donors = Donors(donors.assign(**plain))
        donors.households = homes
    ids = donors.index.get_level_values("donor")
    once = ~ids.duplicated()
    first = donors[once]
    home = pd.factorize(first["household"])[0]
    fixed = pd.DataFrame(index=pd.Index(ids[once], name="donor"))
    if is_engine_survey(first):
        unit = first.groupby("household")["person_benunit_id"].transform(lambda s: pd.factorize(s)[0]).to_numpy()
        fixed["benefit_unit"] = unit
        fixed["claimant"] = False  # the survey's own inputs, or the engine, say who
        fixed["household_reference"] = False
    else:
        made = _units(first, home)
        fixed["benefit_unit"], fixed["claimant"] = made["unit"].to_numpy(), made["claimant"].to_numpy()
        fixed["household_reference"] = made["reference"].to_numpy()
    fixed["member"] = pd.Series(home).groupby(home).cumcount().to_numpy()
    drawn = draws_of(fixed.index, fixed["benefit_unit"], first["household"], seed)
    fixed = pd.concat([fixed, drawn], axis=1)
    new = [c for c in fixed.columns if c not in donors.columns]
    at = fixed.index.get_indexer(ids)
    out = Donors(donors.assign(**{c: fixed[c].to_numpy()[at] for c in new}))
    out.households = homes
    return out


def _units(donors: pd.DataFrame, home: np.ndarray) -> pd.DataFrame:
    """Benefit units from roles, ages and studies: the unit's number within the household, claimants, and the reference."""

    def words(kind: str, column: str) -> np.ndarray | None:
        return meaning_of(kind, donors[column])[0] if column in donors.columns else None

    age = pd.Series(numbers(donors["age"]) if "age" in donors.columns else 40.0, index=donors.index).fillna(0.0)
    sex, activity = words("sex", "sex"), words("activity", "economic_activity")
    ties = [pd.to_numeric(donors["income"], errors="coerce").fillna(0.0).to_numpy()] if "income" in donors.columns else []
    made = families_of(
        home, age.to_numpy(np.float64), role=words("role", "role"), male=None if sex is None else sex == "male",
        student=None if activity is None else activity == "student", ties=ties,
    )  # fmt: skip
    first_of = np.zeros(int(home.max(initial=-1)) + 1, np.int64)
    first_of[made.home[made.first]] = np.flatnonzero(made.first)
    return pd.DataFrame({
        "unit": made.unit - first_of[home],
        "claimant": (made.head | made.partner) & (age.to_numpy() >= 16),
        "reference": made.head & made.first[made.unit],
    })  # fmt: skip


def _refuse_lone(donors: Donors) -> None:
    """Benefits are of households: a survey of persons alone cannot be run."""
    if donors.households is None or "household" not in donors.columns:
        message = "PolicyEngine works out benefits of whole households, and the survey does not say who lives together."
        remedy = "Name the survey's column of household ids as [survey] household."
        raise InputError([finding("engine-input", message, place="household", remedy=remedy)])


def make_tables(donors: Donors, engine: Engine, *, inputs: Mapping[str, Any], year: int, share: float | None = None) -> Tables:
    """Lay donors out as the engine's dataset.

    Parameters
    ----------
    donors : Donors
        With the columns of `fix`, and `region` and `local_authority` as the engine names them.
    engine : Engine
        Knows its variables.
    inputs : mapping
        As in `fill_inputs`.
    year : int
        Fiscal year of the amounts.
    share : float, optional
        Share of universal credit claimants with a health element who are new ones; the engine's for `year` where absent.

    Raises
    ------
    InputError
        `engine-input` for everything that cannot be filled, `engine-place` where places are not told.
    """
    _refuse_lone(donors)
    filled = fill_inputs(donors, inputs, engine, year=year, skip=_MADE)
    filled.findings += _places_told(donors, engine)
    refuse(filled.findings)
    households = donors.households.index
    of_place = [donors.index.get_level_values("place")] if donors.index.nlevels > 1 else []
    key = pd.MultiIndex.from_arrays([*of_place, donors["household"]]) if of_place else pd.Index(donors["household"])
    household = households.get_indexer(key)
    order = np.lexsort((donors["member"].to_numpy(), donors["benefit_unit"].to_numpy(), household))
    household = household[order]
    unit_start = np.diff(household, prepend=-1) != 0
    unit_start |= np.diff(donors["benefit_unit"].to_numpy()[order], prepend=-1) != 0
    benunit = np.cumsum(unit_start) - 1
    first = {"benunit": np.flatnonzero(unit_start), "household": np.flatnonzero(np.diff(household, prepend=-1) != 0)}
    person = {
        "person_id": np.arange(len(order)), "person_benunit_id": benunit, "person_household_id": household,
    }  # fmt: skip
    n_homes = len(first["household"])
    home = {
        "household_id": np.arange(n_homes),
        "household_weight": np.ones(n_homes),
        **{name: donors[name].to_numpy(object)[order][first["household"]] for name in PLACES},
    }
    tables = {"person": person, "benunit": {"benunit_id": np.arange(len(first["benunit"]))}, "household": home}
    kept = tuple(name for name in DRAWS if name in filled.values)
    values = {**_relations(donors, filled, engine), **filled.values}
    values |= {name: donors[name].to_numpy(np.float64) for name in DRAWS if name not in filled.values}
    if NEW_CLAIMANT not in kept:
        values[NEW_CLAIMANT] = values[NEW_CLAIMANT] < (engine.parameter(SHARE, max(year, FIRST)) if share is None else share)
    for name, column in values.items():
        entity = engine.variable(name).entity
        taken = np.asarray(column)[order]
        tables[entity][name] = taken if entity == "person" else taken[first[entity]]
    for name in ("rent", "council_tax"):  # the engine cannot project a dataset without them
        if name not in home:
            home[name] = np.zeros(n_homes)
    frames = {entity: pd.DataFrame(tables[entity]) for entity in ENTITIES}
    return Tables(frames, order, household[first["benunit"]], households, filled, kept)


def _places_told(donors: pd.DataFrame, engine: Engine) -> list:
    """`engine-place` where donors were not put in classes of place, or a class is called what the engine does not know."""
    known = {"region": set(engine.regions), "local_authority": set(engine.local_authorities.values())}
    found = []
    for name in PLACES:
        strange = sorted(set(map(str, donors[name].unique())) - known[name]) if name in donors.columns else ["nothing"]
        if strange:
            message = f"Households live in {', '.join(map(repr, strange[:3]))}, which is no {name} of PolicyEngine."
            remedy = "Give the model the classes of place that `places_for(model, geography)` finds."
            found.append(finding("engine-place", message, place=name, count=len(strange), remedy=remedy))
    return found


def _relations(donors: pd.DataFrame, filled: Filled, engine: Engine) -> dict[str, np.ndarray]:
    """Who is assessed around whom, told by the benefit units, so that the engine need not presume it from ages and order."""
    if is_engine_survey(donors):
        return {}
    found: dict[str, np.ndarray] = {
        "is_claimant_or_partner": donors["claimant"].to_numpy(bool),
        "is_household_head": donors["household_reference"].to_numpy(bool),
    }
    keys = [donors[c].to_numpy() for c in ("household", "benefit_unit")]
    keys += [donors.index.get_level_values("place").to_numpy()] if donors.index.nlevels > 1 else []
    unit = pd.Series(pd.MultiIndex.from_arrays(keys).factorize()[0], index=range(len(donors)))
    wed = next((c for c in _WED if c in donors.columns), None)
    filled.columns |= {c for c in ("role", "economic_activity", wed) if c in donors.columns}
    if wed is not None:
        married = donors["claimant"].to_numpy(bool) & (meaning_of("partnership", donors[wed])[0] == "married")
        pairs = pd.Series(married.astype(int)).groupby(unit.to_numpy()).transform("sum").to_numpy()
        found["is_married"] = pairs >= 2
    if "economic_activity" in donors.columns:
        age = filled.values["age"]
        learning = meaning_of("activity", donors["economic_activity"])[0] == "student"
        stage = np.select(
            [age < 4, age < 7, age < 11, age < 14, age < 16, learning & (age < 18), learning & (age < 20), learning],
            ["PRE_PRIMARY", "NOT_COMPLETED_PRIMARY", "PRIMARY", "LOWER_SECONDARY", "UPPER_SECONDARY", "POST_SECONDARY",
             "POST_SECONDARY", "TERTIARY"],
            "NOT_IN_EDUCATION",
        )  # fmt: skip
        found["current_education"] = stage.astype(object)
    told = {name: values for name, values in found.items() if name not in filled.values}
    filled.how.update(dict.fromkeys(told, "benefit units made from roles, ages and activity"))
    return told
