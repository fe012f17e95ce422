"""Shifts: a column changed for donors who meet a condition, households too; the survey and the model's own donors stay."""

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.errors import InputError
from synthpop_gb.policy import Donors, donors_of
from synthpop_gb.simulation import SHIFTED, Shift, Shifted, shifted
from tests.simulation.counties import persons


def donors():
    made = Donors({"age": [10, 30, 70, 80], "income": [0.0, 100.0, 80.0, np.nan], "sex": ["female", "male", None, "male"]})
    homes = {"age": [30, 70], "income": [100.0, 80.0], "sex": ["male", None]}
    made.households = pd.DataFrame(homes, index=pd.Index([1, 2], name="household"))
    return made


def test_those_who_meet_the_condition_are_shifted_and_nobody_else():
    before = donors()
    after = shifted(before, [Shift("income", where="age >= 65", factor=1.5, amount=10.0)])
    assert after["income"].tolist()[:3] == [0.0, 100.0, 130.0]
    assert np.isnan(after["income"].iloc[3])
    assert after.households["income"].tolist() == [100.0, 130.0]
    assert before["income"].tolist()[:3] == [0.0, 100.0, 80.0]
    assert before.households["income"].tolist() == [100.0, 80.0]


def test_who_is_not_known_to_meet_it_is_left_alone():
    assert shifted(donors(), [Shift("income", where="sex = 'male'", amount=-5.0)])["income"].tolist()[:3] == [0.0, 95.0, 80.0]


def test_shifts_follow_each_other_and_stop_at_a_least():
    steps = [Shift("income", factor=2.0), Shift("income", where="income >= 200", amount=-250.0, least=0.0)]
    assert shifted(donors(), steps)["income"].tolist()[:3] == [0.0, 0.0, 160.0]


def test_everything_wrong_at_once():
    steps = [Shift("incme", factor=2.0), Shift("sex", factor=2.0), Shift("income", where="agee > 3", factor=2.0)]
    with pytest.raises(InputError) as error:
        shifted(donors(), steps)
    assert len(error.value.findings) == 3
    assert "Did you mean 'income'?" in error.value.findings[0].message


def test_a_model_sees_shifted_donors_under_that_scenario_alone():
    aligned, _ = persons()
    given = donors_of(aligned)
    model = Shifted(lambda people: people[["income"]].fillna(0.0))
    base = model.outcomes(given)["income"]
    more = model.outcomes(given, {SHIFTED: [Shift("income", where="age >= 65", factor=1.1)]})["income"]
    old = (given["age"] >= 65).to_numpy()
    assert np.allclose(more[old], 1.1 * base[old])
    assert (more[~old] == base[~old]).all()
    assert (aligned.frame()["income"].fillna(0.0).to_numpy() == base.to_numpy()).all()


def test_what_a_model_declares_is_handed_through():
    class Model:
        name, places, units, parameters = "mine", ("lad",), {"x": "pounds"}, {"rate": 0.2}

        def outcomes(self, people, parameters=None):
            return pd.DataFrame({"x": people["age"] * (parameters or self.parameters)["rate"]})

        def facts(self):
            return {"engine": 3}

    model = Shifted(Model())
    assert (model.name, model.places, model.units, model.facts()) == ("mine", ("lad",), {"x": "pounds"}, {"engine": 3})
    assert set(model.parameters) == {"rate", SHIFTED}
    assert model.outcomes(donors(), {"rate": 0.5})["x"].tolist() == [5.0, 15.0, 35.0, 40.0]
    assert not hasattr(Shifted(lambda people: people), "places_of")
