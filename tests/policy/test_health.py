"""The health model: its expectation is that of people drawn one by one, and it is offered to whom it is said."""

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.geography import Geography
from synthpop_gb.policy import Donors, PolicyModel, donors_of, get_policy_model, probe, run_model
from synthpop_gb.policy.models.health import HealthIntervention, discounted_cases, example_rates, quintiles
from tests.policy.demo_run import population


def people(**columns):
    return Donors(pd.DataFrame({"age": [50, 60, 30], "sex": ["female", "male", "male"], **columns}, index=pd.Index(list("abc"))))


def by_place(donors, **columns):
    frames = [donors.assign(**{c: v[k] for c, v in columns.items()}) for k in range(len(next(iter(columns.values()))))]
    return Donors(pd.concat(frames, keys=range(len(frames)), names=["place", "donor"]))


def test_expectation_is_that_of_people_drawn_one_by_one():
    """Ten years of first cases of 200,000 people, a half of them treated, by hand."""
    rng, n, risk, relative, years = np.random.default_rng(7), 200_000, 0.02, 0.6, 10
    treated = rng.random(n) < 0.5
    alive, cases = np.ones(n, bool), 0
    for _ in range(years):
        case = alive & (rng.random(n) < np.where(treated, relative * risk, risk))
        cases += case.sum()
        alive &= ~case
    model = HealthIntervention(pd.DataFrame({"rate": [risk]}), relative_risk=relative, reach=0.5, uptake=1.0)
    expected = model.outcomes(people())["cases"].iloc[0]
    assert abs(cases / n - expected) < 4 * np.sqrt(expected * (1 - expected) / n)


def test_discounted_cases_are_the_sum_of_the_years():
    risk, years, d = np.array([0.0, 0.01, 0.3, 1.0]), 7, 0.035
    by_year = sum(risk * (1 - risk) ** t / (1 + d) ** t for t in range(years))
    assert discounted_cases(risk, years, d) == pytest.approx(by_year)
    assert discounted_cases(risk, years, 0.0) == pytest.approx(1 - (1 - risk) ** years)


def test_costs_and_gains_add_up():
    model = HealthIntervention(
        pd.DataFrame({"rate": [0.1]}), years=1, reach=0.8, uptake=0.25, cost_offered=10, cost_treated=100, saving_per_case=1_000,
        relative_risk=0.5, qaly_per_case=3.0, discount=0.5,
    )  # fmt: skip
    found = model.outcomes(people()).iloc[0]
    assert found["treated"] == pytest.approx(0.2)
    assert found["cost"] == pytest.approx(0.8 * 10 + 0.2 * 100)
    assert found["cases_averted"] == pytest.approx(0.2 * 0.05)
    assert found["saving"] == pytest.approx(0.2 * 0.05 * 1_000)
    assert found["qaly_gained"] == pytest.approx(0.2 * 0.05 * 3)  # the first year is not discounted
    assert found["cases"] + found["cases_averted"] == pytest.approx(found["cases_without"])


def test_who_is_offered_it():
    rates = pd.DataFrame({"rate": [0.1]})
    assert HealthIntervention(rates).outcomes(people())["eligible"].tolist() == [1, 1, 0]
    assert HealthIntervention(rates, sex="male", age_from=18).outcomes(people())["eligible"].tolist() == [0, 1, 1]
    model = HealthIntervention(rates, most_deprived_quintiles=2, uptake=[0.1, 0.2, 0.3, 0.4, 0.5])
    found = model.outcomes(by_place(people(), deprivation=[1, 2, 3]))
    assert found["eligible"].tolist() == [1, 1, 0, 1, 1, 0, 0, 0, 0]
    assert found["treated"].iloc[[0, 3]].tolist() == pytest.approx([0.5 * 0.1, 0.5 * 0.2])


def test_rates_are_those_of_age_sex_and_place():
    rates, model = example_rates(), HealthIntervention(years=1)
    found = model.outcomes(by_place(people(), deprivation=[1, 5]))["cases_without"]
    table = rates.set_index(["age_from", "sex", "deprivation"])["rate"]
    expected = [table[50.0, "female", q] for q in (1, 5)] + [table[60.0, "male", q] for q in (1, 5)]
    assert found.iloc[[0, 3, 1, 4]].tolist() == pytest.approx(expected)
    mean = HealthIntervention(years=1).outcomes(people())["cases_without"]
    assert mean.iloc[0] == pytest.approx(table[50.0, "female"].mean())
    unsexed = HealthIntervention(years=1)
    assert unsexed.outcomes(people().drop(columns="sex"))["cases_without"].iloc[0] == pytest.approx(table[50.0].mean())
    assert set(unsexed.facts()["defaults"]) == {"sex", "deprivation"}


def test_classes_of_place_are_the_quintiles_where_they_are_known():
    zones = Geography(pd.DataFrame({"lad": ["x", "y", "y"]}, index=pd.Index(["a", "b", "c"], name="zone")))
    model = HealthIntervention()
    assert len(model.places_of(zones)) == 1
    table = quintiles(pd.Series([9.0, 1.0, 1.0], ["a", "b", "c"]), most_deprived="high").to_frame()
    places = model.places_of(zones, table)
    assert places.classes["deprivation"].iloc[places.of_zone].tolist() == [1, 4, 4]
    with pytest.raises(ValueError, match="not known of 1 zones"):
        model.places_of(zones, table.iloc[:2])
    outcomes = run_model(model, population()[0])
    assert outcomes.values.shape[1] == 1
    again = HealthIntervention(reach=0.1).configured(inputs={"sex": "gender"})
    assert (again.parameters["reach"], again.inputs, again.facts()["risk"]) == (0.1, {"sex": "gender"}, model.facts()["risk"])


def test_a_survey_says_who_is_a_case():
    model = HealthIntervention(outcome=("smokes", "yes"), relative_risk=0.9, reach=1.0, uptake=1.0, age_from=16)
    found = model.outcomes(people(smokes=["yes", "no", None]))
    assert found["cases_without"].tolist() == [1, 0, 0]
    assert found["cases_averted"].tolist() == pytest.approx([0.1, 0, 0])
    with pytest.raises(KeyError, match="no column 'smokes'"):
        model.outcomes(people())


def test_outcomes_are_of_the_donor_alone():
    donors, model = donors_of(population()[0]), get_policy_model("health-intervention")
    whole = model.outcomes(donors)
    part = donors.iloc[::-3]
    pd.testing.assert_frame_equal(model.outcomes(Donors(part)), whole.loc[part.index])
    assert isinstance(model, PolicyModel)
    none = model.outcomes(donors, {"reach": 0.0})
    assert (none[["treated", "cases_averted", "cost", "qaly_gained"]] == 0).all(axis=None)
    assert none["cases"].equals(whole["cases_without"])


def test_the_probe_lets_it_be_projected():
    aligned, _ = population()
    table = quintiles(pd.Series(np.arange(len(aligned.zones)), aligned.zones), most_deprived="high").to_frame()
    tried = probe(HealthIntervention(most_deprived_quintiles=3), aligned, places=table)
    assert tried.projectable, tried


def test_what_is_wrong_is_refused_at_once():
    with pytest.raises(ValueError, match=r"reach is a share.*relative_risk is 0 or more.*years is a whole number"):
        HealthIntervention(reach=2.0, relative_risk=-1.0, years=0.5)
    with pytest.raises(ValueError, match="did you mean 'uptake'"):
        HealthIntervention().outcomes(people(), {"uptakes": 0.5})
    for rates, told in [
        ({"rate": [0.1, 0.2]}, "two rates"), ({"rate": [2.0]}, "from 0 to 1"), ({"rates": [0.1]}, "have the columns"),
        ({"sex": ["female"], "rate": [0.1]}, "female and male"), ({"deprivation": [1], "rate": [0.1]}, "1 to 5"),
        ({"age_from": [0, 0, 50], "sex": ["female", "male", "male"], "rate": [0.1] * 3}, "1 groups of age_from, sex"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=told):
            HealthIntervention(pd.DataFrame(rates))
    with pytest.raises(ValueError, match="quintile from 1"):
        HealthIntervention().outcomes(by_place(people(), deprivation=[9.5]))
    with pytest.raises(ValueError, match="not by both"):
        HealthIntervention(pd.DataFrame({"rate": [0.1]}), outcome=("smokes", "yes"))


def test_quintiles_hold_a_fifth_each_and_zones_alike_together():
    score = pd.Series(np.arange(100.0), [f"z{i}" for i in range(100)])
    found = quintiles(score, most_deprived="high")
    assert found.value_counts().tolist() == [20] * 5
    assert found["z99"] == 1
    assert quintiles(score.rank(ascending=False), most_deprived="low").equals(found)
    people = pd.Series(np.where(np.arange(100) >= 90, 9.0, 1.0), score.index)  # half of the people live in the last ten zones
    assert quintiles(score, people=people, most_deprived="high").iloc[-4:].tolist() == [1] * 4
    deciles = pd.Series(np.repeat(np.arange(1, 11), 10), range(100))
    by_decile = quintiles(deciles, most_deprived="low")
    assert by_decile.groupby(deciles.to_numpy()).nunique().eq(1).all()
    assert by_decile.value_counts().tolist() == [20] * 5
    with pytest.raises(ValueError, match="which end"):
        quintiles(score, most_deprived="top")
    with pytest.raises(ValueError, match="1 zones is missing"):
        quintiles(score.where(score > 0), most_deprived="high")


@pytest.mark.data
def test_quintiles_of_the_english_index(data_folder):
    imd = pd.read_parquet(next((data_folder / "imd").glob("imd2019_england*.parquet")))
    decile = next(c for c in imd if "decile" in c.lower() and "imd" in c.lower())
    found = quintiles(imd.set_index(imd.columns[0])[decile], most_deprived="low")
    assert found.value_counts(normalize=True).sub(0.2).abs().max() < 0.001
    assert (found == (imd[decile].to_numpy() + 1) // 2).all()
    assert found["E01021988"] == 1  # Jaywick, the most deprived of all in 2019 (MHCLG, statistical release)
