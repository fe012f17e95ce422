"""The probe finds what a copy of a donor may not have, and lets pass what it has."""

import itertools

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.harmonisation import harmonise
from synthpop_gb.policy import Places, probe, run_model
from synthpop_gb.policy._copies import copied, sampled
from synthpop_gb.policy._donors import donors_of
from tests.stages.household_study import world
from tests.stages.nouns import world as persons


@pytest.fixture(scope="module")
def aligned():
    return world().aligned


@pytest.fixture(scope="module")
def of_persons():
    survey, tables, places = persons(n_zones=4)
    survey.records["region"] = np.random.default_rng(1).choice(["north", "south", "west"], len(survey.records))
    survey.records["income"] = np.random.default_rng(2).gamma(2.0, 100.0, len(survey.records)).round(2)
    return harmonise(survey, tables, places, constraints=["age", "sex"])


def of(donors, values):
    return pd.DataFrame({"good": donors["income"] * 0.2, "bad": values}, index=donors.index)


_COUNT = itertools.count()
RULES = {
    "place": lambda d: of(d, d["income"] * np.where(d["region"] == "north", 0.5, 1.0)),
    "id": lambda d: of(d, np.asarray(d.index.to_series().map(lambda i: hash(str(i)) % 7), float)),
    "id by order of rows": lambda d: of(d, np.arange(len(d)) % 3),
    "others": lambda d: of(d, d["income"] < 0.6 * d["income"].median()),
    "others by number": lambda d: of(d, 1e6 / len(d)),
    "others by weight": lambda d: of(d, d["weight"] / d["weight"].sum()),
    "again": lambda d: of(d, np.full(len(d), next(_COUNT))),
}


@pytest.mark.parametrize("rule", RULES)
def test_each_is_told_from_the_others(of_persons, rule):
    found = probe(RULES[rule], of_persons)
    assert found.frame["outcome"].unique().tolist() == ["bad"]
    checks = found.frame["check"].tolist()
    check = rule.split(" ")[0]
    assert check in checks
    if rule in ("place", "again", "id"):
        assert checks == [check]
    (finding, *_) = found.findings()
    assert finding.level == "error"
    assert finding.place == "bad"
    assert "bad" in repr(found)


def test_honest_rules_pass(of_persons, aligned):
    assert probe(lambda d: of(d, d["income"] > 200), of_persons).projectable

    def of_homes(donors):
        first = donors.groupby("household")["age"].transform("first")  # who stands first in a household is the same in a copy
        members = donors.groupby("household")["sex"].transform("size")
        income = donors.groupby("household")["income"].transform("max").fillna(0.0)
        homes = donors.households[["members"]].astype(float)
        return {"person": pd.DataFrame({"a": first == "old", "b": income / members}, index=donors.index), "household": homes}

    found = probe(of_homes, aligned)
    assert found.projectable, found
    assert found.tried == len(aligned.records)


def test_households_that_read_ids_are_found(aligned):
    def model(donors):
        rank = donors.households.index.to_series().rank()
        return pd.DataFrame({"rank": rank}, index=donors.households.index)

    assert probe(model, aligned).frame["check"].tolist()[0] == "id"


def test_what_is_declared_may_be_read(of_persons):
    places = Places(pd.DataFrame({"region": ["north", "west"]}), np.arange(len(of_persons.zones)) % 2)
    assert probe(RULES["place"], of_persons, places=places).projectable
    assert not probe(RULES["others"], of_persons, places=places).projectable


def test_reforms_are_probed_too(of_persons):
    class Model:
        parameters = {"north": 0.0}  # noqa: RUF012

        def outcomes(self, donors, parameters=None):
            north = (parameters or {}).get("north", 0.0)
            return of(donors, north * (donors["region"] == "north"))

    assert probe(Model, of_persons).projectable
    found = probe(Model, of_persons, parameters={"north": 5.0}, scenario="north")
    assert found.frame["check"].tolist() == ["place"]
    assert "under 'north'" in found.findings()[0].message


def test_copies_are_their_originals_but_for_ids_rows_and_places(aligned):
    donors = donors_of(aligned)
    some = sampled(aligned, 40)
    assert 20 <= len(some) <= 60
    homes = aligned.households
    assert set(np.flatnonzero(np.isin(homes.of_record, homes.of_record[some]))) == set(some)
    copies = copied(donors, aligned, some, rng=np.random.default_rng(0))
    there = copies.donors.iloc[copies.back]
    assert (there["age"].to_numpy() == donors["age"].to_numpy()[copies.original]).all()
    assert not set(there.index) & set(donors.index)
    assert copies.donors.index.is_unique
    known = copies.donors.households
    assert set(copies.donors["household"]) == set(known.index)
    assert (known.index.to_numpy()[copies.household_of] == copies.donors["household"]).all()
    assert (known["members"] == copies.donors.groupby("household").size().reindex(known.index)).all()
    tenure = known["tenure"].reindex(there["household"]).to_numpy()
    original = donors.households["tenure"].reindex(donors["household"].iloc[copies.original]).to_numpy()
    assert pd.Series(tenure).equals(pd.Series(original))


def test_households_in_classes_of_place_are_told_apart(aligned):
    places = Places(pd.DataFrame({"rate": [1.0, 2.0, 3.0]}), np.arange(len(aligned.zones)) % 3)

    def model(donors):
        homes = donors.households
        own = homes["rate"] * homes["members"]
        levels = ["place", "household"]
        size = donors.assign(one=1.0).reset_index().groupby(levels)["one"].sum().reindex(homes.index)
        assert (size == homes["members"]).all()
        return {"household": pd.DataFrame({"own": own}), "person": donors[["rate"]]}

    found = run_model(model, aligned, places=places)
    size = donors_of(aligned).groupby("household")["household"].transform("size").to_numpy()
    order = [found.names.index(n) for n in ("own", "rate")]
    assert (found.values[order[0]] == np.array([[1.0], [2.0], [3.0]]) * size).all()
    assert (found.values[order[1]] == np.array([[1.0], [2.0], [3.0]])).all()
    assert found.of[order[0]] == "household"
    assert probe(model, aligned, places=places).projectable


def test_a_place_that_is_read_beside_the_declared_one_is_found(of_persons):
    places = Places(pd.DataFrame({"rate": [1.0, 2.0]}), np.arange(len(of_persons.zones)) % 2)

    def model(donors):
        return of(donors, donors["rate"] * (donors["region"] == "north"))

    found = probe(model, of_persons, places=places)
    assert found.frame[["outcome", "check"]].to_numpy().tolist() == [["bad", "place"]]
    assert found.columns == ("region",)
