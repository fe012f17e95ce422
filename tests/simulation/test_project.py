"""A projection by counts equals running the model on everybody, each a row of its own, to the last penny."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthpop_gb.errors import InputError
from synthpop_gb.policy import donors_of, run_model
from synthpop_gb.simulation import expanded_donors, project, run_on_everybody
from tests.simulation.worlds import HomeTax, PlaceTax, Tax, of_households, of_persons

WORLDS = {"persons": (of_persons, Tax), "places": (of_persons, PlaceTax), "households": (of_households, HomeTax)}


@pytest.mark.parametrize("name", WORLDS)
@given(number=st.integers(0, 4), zones=st.sets(st.integers(0, 5), min_size=1), allowance=st.integers(0, 300))
@settings(max_examples=8)
def test_equals_the_expanded_people(name, number, zones, allowance):
    make, model = WORLDS[name]
    aligned, population = make()
    population = population.replicate(number)
    zones, parameters = np.array(sorted(zones)), {"allowance": float(allowance)}
    everybody = run_on_everybody(population, model, zones=zones, parameters=parameters, aligned=aligned)
    found = project(population, run_model(model, aligned, parameters=parameters), aligned=aligned)
    wide = found.set_index(["zone", "outcome"])["total"].unstack().loc[everybody.index, everybody.columns]  # noqa: PD010
    assert (wide.round(2) == everybody.round(2)).all(axis=None)
    assert np.allclose(wide, everybody, rtol=1e-12, atol=1e-9)
    people = found[found["outcome"] == found["outcome"].iloc[0]].set_index("zone")["people"]
    assert (people == population.status["people"].reindex(people.index)).all()


def test_groups_and_areas_add_up():
    aligned, population = of_persons()
    outcomes = run_model(Tax, aligned)
    whole = project(population, outcomes, by="all", aligned=aligned).set_index("outcome")
    for by in ("lad", ("zone", "sex"), ("lad", "sex", "age"), ("all", "health")):
        parts = project(population, outcomes, by=by, aligned=aligned).groupby("outcome")
        assert (parts["people"].sum() == whole["people"].loc[parts["people"].sum().index]).all()
        assert np.allclose(parts["total"].sum(), whole["total"].loc[parts["total"].sum().index])
    adults = project(population, outcomes, by="all", where="age != '0'", aligned=aligned, names=["pays"])
    assert adults["people"].iloc[0] < whole["people"].iloc[0]
    assert adults["outcome"].tolist() == ["pays"]
    with pytest.raises(InputError, match="bad-condition"):
        project(population, outcomes, by="no such thing", aligned=aligned)


def test_a_household_counts_once_and_its_group_by_head():
    aligned, population = of_households()
    outcomes = run_model(HomeTax, aligned)
    by_zone = project(population, outcomes, names=["home"], aligned=aligned)
    placed, homes = population.households(), aligned.households
    own = outcomes["home"][0][homes.reference]
    zone = np.repeat(np.arange(len(aligned.zones)), np.diff(placed.indptr))
    assert np.allclose(by_zone["total"], np.bincount(zone, own[placed.record] * placed.n, len(aligned.zones)))
    by_sex = project(population, outcomes, by=("zone", "sex"), names=["home"], aligned=aligned)
    assert np.allclose(by_sex.groupby("zone", sort=False)["total"].sum(), by_zone["total"])


def test_everybody_is_written_out_once_in_their_zone():
    aligned, population = of_households()
    zones = np.array([1, 3])
    everybody, zone, household_of = expanded_donors(population, donors_of(aligned), aligned, zones)
    assert len(everybody) == population.status["people"].iloc[zones].sum()
    assert (np.bincount(zone, minlength=6)[zones] == population.status["people"].iloc[zones]).all()
    assert everybody.index.equals(pd.RangeIndex(len(everybody), name="donor"))
    assert (everybody["household"] == household_of).all()
    size = everybody.groupby("household").size()
    assert (everybody.households["members"] == size).all()
