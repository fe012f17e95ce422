"""The tax-benefit model: equal to the demo county's own where the rules are set alike, and what places and reforms change."""

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.geography import Geography
from synthpop_gb.policy import Donors, Places, PolicyModel, donors_of, get_policy_model, probe
from synthpop_gb.policy.models.tax_benefit import TAX_YEARS, TaxBenefit, describe, parameters_of
from tests.policy.demo_run import population

COUNTY = {
    "income_tax.allowance_taper": 0.0, "income_tax.rates": [0.20, 0.40], "income_tax.limits": [37_700.0],
    "national_insurance.class_4_rate": 0.12, "national_insurance.class_4_upper_rate": 0.02, "national_insurance.oldest": 999,
    "child_benefit.eldest": 1_100 / 52, "child_benefit.further": 728 / 52, "child_benefit.charge_from": 1e9,
    "child_benefit.charge_to": 2e9,
}  # fmt: skip
"""What the demo county's own taxes do differently: no allowance lost, class 1 for everybody who works, no charge."""


@pytest.fixture(scope="module")
def donors():
    return donors_of(population()[0])


def people(*rows, **shared):
    """Donors of hand-made households: rows of (household, role, age, activity, income)."""
    frame = pd.DataFrame(rows, columns=["household", "role", "age", "economic_activity", "income"])
    frame = frame.assign(sex="female", tenure="owned outright", weight=1.0).assign(**shared)
    frame.index = pd.Index([f"p{i}" for i in range(len(frame))], name="donor")
    first = frame.drop_duplicates("household").drop(columns="household")
    made = Donors(frame)
    members = frame.groupby("household", sort=False).size().to_numpy()
    made.households = first.assign(members=members, communal=False).set_axis(
        pd.Index(frame["household"].unique(), name="household")
    )
    return made


def placed(donors, **columns):
    """The same donors in two classes of place."""
    places = Places(pd.DataFrame(columns), np.array([0, 1]))
    made = Donors(pd.concat([donors.assign(**{c: v[k] for c, v in columns.items()}) for k in (0, 1)], keys=[0, 1]))
    made.index.names = ["place", "donor"]
    made.households = pd.concat([donors.households] * 2, keys=[0, 1])
    assert len(places) == 2
    return made


def test_it_is_the_countys_own_net_income_where_rules_are_alike(donors):
    found = TaxBenefit(2021).outcomes(donors, {**COUNTY, "universal_credit.take_up": 0.0})["household"]
    homes, age = donors.households, donors["age"].astype(float)
    income, works = donors["income"], donors["economic_activity"].isin(["employee", "self-employed"])
    tax = 0.2 * income.sub(12_570).clip(0, 37_700) + 0.4 * income.sub(50_270).clip(0)
    tax += works * (0.12 * income.sub(9_568).clip(0, 40_702) + 0.02 * income.sub(50_270).clip(0))
    children = (age < 16).groupby(donors["household"]).sum()
    before = (income - tax).groupby(donors["household"]).sum() + (1_100 + 728 * (children - 1)).where(children > 0, 0)
    no_credit = (homes["net_income"] - before.reindex(homes.index)).abs() <= 1
    pupils = age.between(16, 18) & (donors["economic_activity"] == "student") & (donors["role"] == "child")
    alike = no_credit & ~pupils.groupby(donors["household"]).any().reindex(homes.index)  # the county's children are under 16
    assert alike.mean() > 0.7
    for name in ("net_income", "equivalised_income"):
        assert (found[name] - homes[name])[alike].abs().max() <= 0.5 + 1e-6  # the county rounds to pounds


def test_it_is_near_the_countys_own_under_the_law(donors):
    found = TaxBenefit(2021).outcomes(donors)["household"]["net_income"]
    assert np.corrcoef(found, donors.households["net_income"])[0, 1] > 0.98


def test_a_family_by_hand():
    """A teacher on 30,000, a partner at home, children of 3 and 8, 7,000 pounds of rent, 2024."""
    donors = people(
        ("h", "reference", 35, "employee", 30_000.0), ("h", "partner", 34, "looking after home", 0.0),
        ("h", "child", 3, "does not apply", 0.0), ("h", "child", 8, "does not apply", 0.0), rent=7_000.0,
    )  # fmt: skip
    found = TaxBenefit(2024).outcomes(donors)
    tax, insurance = 0.2 * 17_430, 0.08 * 17_430
    assert found["person"].loc["p0"].round(2).tolist() == [round(tax, 2), round(insurance, 2)]
    home = found["household"].loc["h"]
    child_benefit = 52 * (25.60 + 16.95)
    most = 12 * (617.60 + 333.33 + 287.92) + 7_000  # the first child was born before April 2017
    credit = most - 0.55 * (30_000 - tax - insurance - 12 * 404)
    assert credit + child_benefit < 22_020
    assert home["universal_credit"] == pytest.approx(credit)
    assert home["net_income"] == pytest.approx(30_000 - tax - insurance + child_benefit + credit)
    assert home["equivalised_income"] == pytest.approx(home["net_income"] / (0.67 + 0.33 + 0.4))


def test_two_adults_who_share_are_two_units_and_the_reference_pays_the_rent():
    donors = people(("h", "reference", 30, "unemployed", 0.0), ("h", "other", 24, "unemployed", 0.0), rent=2_000.0)
    home = TaxBenefit(2024).outcomes(donors)["household"].loc["h"]
    assert home["universal_credit"] == pytest.approx(12 * (393.45 + 311.68) + 2_000)


def test_nobody_is_paid_who_has_no_claim():
    donors = people(
        ("old", "reference", 70, "retired", 0.0), ("students", "reference", 20, "student", 0.0),
        ("young", "reference", 17, "unemployed", 0.0), ("rich", "reference", 40, "employee", 90_000.0), rent=9_000.0,
    )  # fmt: skip
    assert TaxBenefit(2024).outcomes(donors)["household"]["universal_credit"].tolist() == [0.0] * 4
    donors.households["communal"] = True
    assert TaxBenefit(2024).outcomes(people(("c", "", 40, "unemployed", 0.0)))["household"]["universal_credit"].iloc[0] > 0
    assert TaxBenefit(2024).outcomes(donors)["household"]["universal_credit"].sum() == 0


def test_the_charge_takes_child_benefit_from_the_better_off():
    donors = people(("h", "reference", 40, "employee", 95_000.0), ("h", "child", 5, "does not apply", 0.0))
    home = TaxBenefit(2025).outcomes(donors)["household"].loc["h"]
    assert home["child_benefit_charge"] == home["child_benefit"] == pytest.approx(52 * 26.05)


def test_scotland_taxes_and_london_caps_by_the_place_of_the_copy():
    rows = [("h", "reference", 35, "unemployed", 0.0), *[("h", "child", a, "does not apply", 0.0) for a in (9, 10, 11, 12)]]
    donors = placed(people(*rows, rent=15_000.0), scotland=[False, False], london=[False, True])
    home = TaxBenefit(2024).outcomes(donors)["household"]
    assert (home["universal_credit"] + home["child_benefit"]).tolist() == pytest.approx([22_020.0, 25_323.0])
    worker = placed(people(("w", "reference", 35, "employee", 50_000.0)), scotland=[False, True], london=[False, False])
    tax = TaxBenefit(2024).outcomes(worker)["person"]["income_tax"]
    in_scotland = 0.19 * 2_306 + 0.20 * (13_991 - 2_306) + 0.21 * (31_092 - 13_991) + 0.42 * (37_430 - 31_092)
    assert tax.tolist() == pytest.approx([0.2 * 37_430, in_scotland])


def test_council_tax_and_limits_of_rent_come_with_places():
    table = {"band_d": [1_800.0, 2_400.0], "rent_limit": [6_000.0, 20_000.0]}
    base = people(("h", "reference", 35, "unemployed", 0.0), rent=9_000.0, tenure="private rented", council_tax_band="A")
    model = TaxBenefit(2024)
    home = model.outcomes(placed(base, **table))["household"]
    assert home["council_tax"].tolist() == pytest.approx([0.75 * 1_200, 0.75 * 1_600])
    cap = 14_753.0
    assert home["universal_credit"].tolist() == pytest.approx([12 * 393.45 + 6_000, min(12 * 393.45 + 9_000, cap)])
    own = base.assign(council_tax=500.0, scotland=True)  # the survey's own: of where the donor lived
    assert isinstance(own, pd.DataFrame)
    kept = Donors(own)
    kept.households = base.households
    found = TaxBenefit(2024).outcomes(kept)
    assert found["household"]["council_tax"].tolist() == [500.0]


def test_classes_of_place_are_found_from_codes():
    codes = pd.Index(["S01000001", "E01000001", "E01000002", "E01000003"])
    zones = pd.DataFrame({"lad": ["S12000036", "E09000001", "E06000001", "E06000002"]}, index=codes)
    places = TaxBenefit().places_of(Geography(zones))
    assert len(places) == 3
    told = places.classes.iloc[places.of_zone].reset_index(drop=True)
    assert told["scotland"].tolist() == [True, False, False, False]
    assert told["london"].tolist() == [False, True, False, False]
    assert len(TaxBenefit().places_of(Geography(zones.iloc[2:]))) == 1
    table = pd.DataFrame({"band_d": [1.0, 2.0, 3.0, 4.0]}, index=pd.Index(zones["lad"], name="lad"))
    places = TaxBenefit().places_of(Geography(zones), table)
    assert list(places.classes.columns) == ["scotland", "london", "band_d"]
    assert len(places) == 4
    with pytest.raises(ValueError, match="'band_d' is not known of 1 zones"):
        TaxBenefit().places_of(Geography(zones), table.iloc[1:])
    regions = pd.DataFrame({"region": ["London", "Wales"]}, index=pd.Index(["x", "y"], name="district"))
    invented = Geography(pd.DataFrame({"district": ["x", "y"]}, index=pd.Index(["D1", "D2"])))
    assert len(TaxBenefit().places_of(invented)) == 1
    assert TaxBenefit().places_of(invented, regions).classes["london"].tolist() == [False, True]


def test_a_survey_of_persons_has_taxes_alone():
    aligned, _ = population("persons")
    donors = donors_of(aligned)
    assert donors.households is None
    model = TaxBenefit(2021)
    found = model.outcomes(donors)
    assert list(found) == ["income_tax", "national_insurance", "income_after_tax"]
    assert "households" in model.facts()["defaults"]
    assert found["income_after_tax"].to_numpy() == pytest.approx(
        donors["income"] - found["income_tax"] - found["national_insurance"]
    )


def test_outcomes_hang_on_nothing_but_the_households_own_answers(donors):
    model = TaxBenefit(2024)
    whole = model.outcomes(donors)
    order = np.random.default_rng(1).permutation(len(donors))
    shuffled = Donors(donors.iloc[order])
    shuffled.households = donors.households.sample(frac=1, random_state=2)
    again = model.outcomes(shuffled)
    for kind in whole:
        pd.testing.assert_frame_equal(again[kind].reindex(whole[kind].index), whole[kind], rtol=1e-12)
    half = donors.households.index[: len(donors.households) // 2]
    part = Donors(donors[donors["household"].isin(half)])
    part.households = donors.households.loc[half]
    pd.testing.assert_frame_equal(model.outcomes(part)["household"], whole["household"].loc[half], rtol=1e-12)


@pytest.mark.parametrize("name", ["homes", "persons"])
def test_the_probe_lets_it_be_projected_in_one_class_of_place_and_in_three(name):
    aligned, _ = population(name)
    districts = aligned.zones
    places = pd.DataFrame({"region": ["Scotland", "London", *["Wales"] * (len(districts) - 2)]}, index=districts)
    reform = {"universal_credit.taper": 0.63, "income_tax.rates": [0.22, 0.42, 0.47]}
    assert probe(TaxBenefit(2024), aligned).projectable
    tried = probe(TaxBenefit(2024), aligned, places=places, parameters=reform, scenario="dearer")
    assert tried.projectable, tried


def test_a_survey_without_relations_is_told_by_ages(donors):
    frame = Donors(donors.drop(columns="role"))
    frame.households = donors.households
    model = TaxBenefit(2021)
    found = model.outcomes(frame)["household"]
    assert "role" in model.facts()["defaults"]
    assert (found["child_benefit"] > 0).mean() > 0.15
    assert np.isfinite(found.to_numpy()).all()


def test_reforms_change_what_they_name_and_no_more(donors):
    model = TaxBenefit(2024)
    base, higher = model.outcomes(donors), model.outcomes(donors, {"income_tax.personal_allowance": 15_000.0})
    assert (higher["person"]["income_tax"] <= base["person"]["income_tax"]).all()
    assert higher["person"]["national_insurance"].equals(base["person"]["national_insurance"])
    with pytest.raises(ValueError, match=r"did you mean 'income_tax.personal_allowance'"):
        model.outcomes(donors, {"income_tax.personal_alowance": 1.0})
    with pytest.raises(ValueError, match="rising limits"):
        model.outcomes(donors, {"income_tax.rates": [0.2, 0.4]})
    assert TaxBenefit(2024, parameters={"child_benefit.eldest": 0.0}).facts()["parameters_changed"] == {
        "child_benefit.eldest": 0.0
    }


@pytest.mark.parametrize("year", TAX_YEARS)
def test_every_year_has_whole_rules(year, donors):
    found = get_policy_model(f"tax-benefit-{year}").outcomes(donors)
    assert all(np.isfinite(f.to_numpy()).all() for f in found.values())
    p = parameters_of(year)
    assert list(p) == list(describe(year).index)
    for name in ("income_tax", "scottish_income_tax"):
        assert len(p[f"{name}.rates"]) == len(p[f"{name}.limits"]) + 1
    assert p["income_tax.limits"][-1] in (125_140.0, 150_000.0)


def test_it_is_a_policy_model():
    assert isinstance(TaxBenefit(), PolicyModel)
    with pytest.raises(ValueError, match="not of 1999"):
        TaxBenefit(1999)
    made = TaxBenefit(2021, inputs={"rent": 100.0}, parameters={"child_benefit.eldest": 9.0}).configured(
        year=2024, inputs={"sex": "s"}
    )
    assert (made.year, made.inputs, made.parameters["child_benefit.eldest"]) == (2024, {"rent": 100.0, "sex": "s"}, 9.0)
    assert made.parameters["child_benefit.further"] == parameters_of(2024)["child_benefit.further"]
