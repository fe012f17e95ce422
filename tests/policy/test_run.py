"""A model's outcomes reach every donor as given, or everything that is wrong with them is said at once."""

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.errors import InputError
from synthpop_gb.policy import Places, donors_of, probe, run_model
from tests.stages.household_study import world


@pytest.fixture(scope="module")
def aligned():
    return world().aligned


def codes_of(call):
    with pytest.raises(InputError) as error:
        call()
    return [f.code for f in error.value.findings], str(error.value)


def test_outcomes_of_persons_and_households_stand_on_persons(aligned):
    def model(donors):
        homes = donors.households
        return {
            "person": pd.DataFrame({"old": donors["age"] == "old"}, index=donors.index).iloc[::-1],  # any order
            "household": (homes["members"] * 10.0).rename("home"),
        }

    found = run_model(model, aligned)
    donors = donors_of(aligned)
    assert found.names == ("old", "home")
    assert found.of == ("person", "household")
    assert (found["old"][0] == (donors["age"] == "old")).all()
    assert (found["home"][0] == 10.0 * donors.groupby("household")["household"].transform("size")).all()
    assert found.frame().loc[donors.index[0], "home"] == found["home"][0, 0]


def test_classes_of_place_are_run_together(aligned):
    places = Places(pd.DataFrame({"rate": [1.0, 2.0, 3.0]}), np.arange(len(aligned.zones)) % 3)
    calls = []

    def model(donors):
        calls.append(len(donors))
        return donors[["rate"]]

    found = run_model(model, aligned, places=places)
    assert calls == [3 * len(aligned.records)]
    assert (found["rate"] == np.array([[1.0], [2.0], [3.0]])).all()
    with pytest.raises(ValueError, match="zones"):
        run_model(model, aligned, places=Places.everywhere(1))


def test_what_a_model_does_to_its_donors_stays_there(aligned):
    def model(donors, parameters=None):
        donors["age"] = "child"
        donors.households["members"] = 0
        return pd.DataFrame({"x": 1.0}, index=donors.index)

    before = aligned.frame().copy()
    run_model(model, aligned)
    assert aligned.frame().equals(before)
    assert (donors_of(aligned)["age"] != "child").any()


def frame_of(donors, **columns):
    return pd.DataFrame(columns or {"x": 1.0}, index=donors.index)


BROKEN = {
    "numbered anew": (lambda d: frame_of(d).reset_index(drop=True), ["that there are not", "gives nothing for"]),
    "a donor missing": (lambda d: frame_of(d).iloc[1:], ["gives nothing for 1 of"]),
    "a donor twice": (lambda d: pd.concat([frame_of(d), frame_of(d).iloc[:2]]), ["2 persons more than once"]),
    "not known": (lambda d: frame_of(d, x=np.where(np.arange(len(d)) < 3, np.nan, 1.0)), ["not known (NaN) for 3 of"]),
    "infinite": (lambda d: frame_of(d, x=np.where(np.arange(len(d)) < 1, np.inf, 1.0)), ["not finite for 1 of"]),
    "text": (lambda d: frame_of(d, x="many"), ["outcomes are numbers"]),
    "times": (lambda d: frame_of(d, x=pd.Timestamp("2026-01-01")), ["outcomes are numbers"]),
    "nothing": (lambda d: frame_of(d)[[]], ["gives no outcomes"]),
    "no table": (lambda d: 7, ["returns int"]),
    "another kind": (lambda d: {"benunit": frame_of(d)}, ["gives outcomes of 'benunit'"]),
    "a column of the answer": (lambda d: frame_of(d, estimate=1.0), ["'estimate', which is a column of the answer"]),
    "one name twice": (lambda d: pd.concat([frame_of(d), frame_of(d)], axis=1), ["2 outcomes called 'x'"]),
    "several at once": (
        lambda d: frame_of(d, lower="text", y=np.nan).iloc[1:],
        ["outcomes are numbers", "not known (NaN)", "gives nothing for 1", "'lower', which is a column"],
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_outcomes_are_findings(aligned, kind):
    model, said = BROKEN[kind]
    codes, message = codes_of(lambda: run_model(model, aligned))
    assert set(codes) == {"model-outcomes"}
    for words in said:
        assert words in message
    assert len(codes) >= len(said) - 1


def test_a_model_that_raises_is_a_finding_without_a_traceback(aligned):
    def model(donors):
        raise KeyError("no column rent\nsecond line")

    with pytest.raises(InputError) as error:
        run_model(model, aligned, scenario="baseline")
    assert [f.code for f in error.value.findings] == ["model-failed"]
    assert "KeyError" in str(error.value)
    assert "Traceback" not in str(error.value)
    assert error.value.__cause__ is None


def test_parameters_that_a_model_has_not_are_refused(aligned):
    class Model:
        name, parameters = "rates", {"basic_rate": 0.2, "higher_rate": 0.4}

        def outcomes(self, donors, parameters=None):
            return frame_of(donors, tax=(parameters or {}).get("basic_rate", 0.2))

    codes, message = codes_of(lambda: run_model(Model, aligned, parameters={"basic_rat": 0.1, "z": 1}, scenario="reform"))
    assert codes == ["model-parameter", "model-parameter"]
    assert "did you mean 'basic_rate'?" in message
    assert run_model(Model, aligned, parameters={"basic_rate": 0.1}, scenario="reform")["tax"].max() == 0.1


@pytest.mark.parametrize("value", ["a lot", None, True, float("inf"), [0.1]])
def test_parameters_of_another_kind_are_refused(aligned, value):
    class Model:
        name, parameters = "rates", {"basic_rate": 0.2, "bands": (0.2, 0.4)}

        def outcomes(self, donors, parameters=None):
            return frame_of(donors, tax=(parameters or {}).get("bands", (0.2,))[0])

    codes, message = codes_of(lambda: run_model(Model, aligned, parameters={"basic_rate": value}, scenario="reform"))
    assert codes == ["model-parameter"]
    assert "nothing of the kind" in message
    assert run_model(Model, aligned, parameters={"bands": [0.1, 0.2, 0.3]}, scenario="reform")["tax"].max() == 0.1


def test_households_are_refused_where_nobody_knows_them():
    from synthpop_gb.harmonisation import harmonise
    from tests.stages.nouns import world as persons

    survey, tables, places = persons(n_zones=3)
    aligned = harmonise(survey, tables, places, constraints=["age", "sex"])
    codes, message = codes_of(lambda: run_model(lambda d: {"household": frame_of(d)}, aligned))
    assert codes == ["model-outcomes"]
    assert "who lives together" in message


class Engine:
    """An engine with names of its own for places, that fixes a draw for each donor by its id."""

    name, places = "engine", ("brma",)

    def places_of(self, geography, table=None):
        return Places(pd.DataFrame({"brma": ["inner", "outer"]}), np.arange(len(geography.codes)) % 2)

    def prepared(self, donors, seed):
        ids = donors.index.get_level_values(-1).astype(str)
        draw = [(sum(map(ord, i)) * 7919 + seed) % 101 / 101 for i in ids]
        out = type(donors)(pd.DataFrame(donors).assign(draw=draw))
        out.households = donors.households
        return out

    def outcomes(self, donors, parameters=None):
        return pd.DataFrame({"x": donors["draw"] + (donors["brma"] == "outer")}, index=donors.index)


def test_engines_find_their_own_places_and_fix_draws_for_donors(aligned):
    found = run_model(Engine, aligned, seed=5)
    assert len(found.places) == 2
    assert np.allclose(found["x"][1] - found["x"][0], 1.0)
    assert not np.allclose(run_model(Engine, aligned, seed=6)["x"], found["x"])
    told = probe(Engine, aligned, seed=5)
    assert told.projectable, told  # copies have their donor's draw, whatever their id
