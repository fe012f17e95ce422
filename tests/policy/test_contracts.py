"""What a policy model is given and gives: donors with labels, classes of place, outcomes with their shape."""

import pickle

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.errors import InputError
from synthpop_gb.geography import Geography
from synthpop_gb.policy import Donors, Outcomes, Places, PolicyModel, as_model, donors_of, get_policy_model, register_policy_model
from tests.stages.household_study import world


@pytest.fixture(scope="module")
def aligned():
    return world().aligned


def geography():
    zones = pd.DataFrame({"lad": ["X", "X", "Y"], "region": ["N", "N", "S"]}, index=pd.Index(["a", "b", "c"], name="zone"))
    return Geography(zones)


def test_donors_are_persons_in_order_with_their_households(aligned):
    donors = donors_of(aligned)
    assert isinstance(donors, Donors)
    assert donors.index.equals(pd.Index(aligned.records))
    assert donors.index.name == "donor"
    homes = donors.households
    assert set(donors["household"]) == set(homes.index)
    assert (homes["members"] == donors.groupby("household").size().reindex(homes.index)).all()
    assert pickle.loads(pickle.dumps(donors)).households.equals(homes)
    assert type(donors[donors["weight"] > 0]) is pd.DataFrame


def test_donors_repeat_for_every_class_of_place(aligned):
    places = Places.of(geography(), ["region"])
    donors = donors_of(aligned, places)
    assert len(donors) == 2 * len(aligned.records)
    assert donors.index.names == ["place", "donor"]
    assert donors.loc[0, "region"].eq("N").all()
    assert donors.loc[1, "region"].eq("S").all()
    assert donors.households.index.names == ["place", "household"]


def test_places_are_distinct_classes():
    places = Places.of(geography(), ["lad", "region"])
    assert len(places) == 2
    assert places.of_zone.tolist() == [0, 0, 1]
    table = pd.DataFrame({"band_d": [1900.0, 2100.0]}, index=pd.Index(["X", "Y"], name="lad"))
    assert Places.of(geography(), ["band_d"], table).classes["band_d"].tolist() == [1900.0, 2100.0]
    assert len(Places.of(geography(), [])) == 1


def test_places_unknown_are_refused_all_at_once():
    table = pd.DataFrame({"band_d": [1900.0]}, index=pd.Index(["X"], name="lad"))
    with pytest.raises(InputError) as error:
        Places.of(geography(), ["brma", "band_d"], table)
    assert [f.place for f in error.value.findings] == ["places", "places.band_d"]


def test_any_function_is_a_model():
    model = as_model(lambda donors: donors[["age"]])
    assert isinstance(model, PolicyModel)
    with pytest.raises(TypeError):
        as_model(3)


def test_models_are_known_by_name():
    def make():
        return as_model(lambda donors: donors)

    register_policy_model("test-contracts", make)
    assert get_policy_model("test-contracts").name == "lambda"
    with pytest.raises(ValueError, match="already"):
        register_policy_model("test-contracts", lambda: None)
    with pytest.raises(InputError, match="unknown-policy-model"):
        get_policy_model("no such model")


def test_outcomes_have_their_shape():
    places, records = Places.of(geography(), ["region"]), pd.Index([7, 8, 9])
    found = Outcomes("m", "baseline", {}, ("tax",), ("person",), ("pounds",), np.arange(6.0).reshape(1, 2, 3), records, places)
    assert found["tax"].shape == (2, 3)
    assert found.frame().loc[(1, 7), "tax"] == 3.0
    with pytest.raises(KeyError, match="gives no outcome"):
        found["income"]
    with pytest.raises(ValueError, match="outcomes x classes"):
        Outcomes("m", "baseline", {}, ("tax",), ("person",), ("",), np.zeros((1, 1, 3)), records, places)


def test_single_years_of_age_stay_numbers_though_the_last_is_open():
    from synthpop_gb.codebook import Category, Variable
    from synthpop_gb.policy._donors import _labelled

    single = Variable("age", tuple(Category(str(a), f"{a}+" if a == 120 else str(a), frozenset([str(a)])) for a in range(121)))
    ages = pd.Series([3, 64, 120])
    assert _labelled(ages, single).equals(ages)
