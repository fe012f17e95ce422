"""PolicyEngine UK beside the donors' run: equal household by household on expanded copies, places right, nothing fetched."""

import builtins
import socket
from functools import cache

import numpy as np
import pandas as pd
import pytest

import synthpop_gb as sp
from synthpop_gb.errors import InputError
from synthpop_gb.policy import donors_of, get_policy_model, places_for, prepared, run_model
from synthpop_gb.policy.policyengine import (
    OUTCOMES,
    PolicyEngineUK,
    placed_tables,
    read_outcomes,
    read_tables,
    write_dataset,
)
from synthpop_gb.policy.policyengine import _engine as the_engine
from synthpop_gb.policy.policyengine._draws import DRAWS
from synthpop_gb.policy.policyengine._tables import make_tables
from synthpop_gb.policy.probe import probe
from tests.policy import demo_run

pytest.importorskip("policyengine_uk", reason="the extra `policy` is not installed: no test of PolicyEngine UK")

YEAR = 2026
"""Fiscal year from which universal credit draws who is a new claimant."""
WANTED = (*OUTCOMES, "universal_credit_pre_benefit_cap", "uc_benefit_cap_reduction")
ALLOWANCE = {"gov": {"hmrc": {"income_tax": {"allowances": {"personal_allowance": {"amount": 15000}}}}}}
RENT = {"rent": {"column": "tenure", "map": {"private rented": 9600, "social rented": 9100}, "blank": 0}, "council_tax": 1800}


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Nothing may be fetched: every connection fails."""

    def refuse(*_):
        raise AssertionError("the engine asked for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def places(aligned):
    """Put the made-up county's zones in Leeds, Camden and Glasgow by turns: rules of three kinds."""
    turn = np.arange(len(aligned.zones)) % 3
    return pd.DataFrame(
        {
            "region": np.array(["Yorkshire and The Humber", "London", "Scotland"], object)[turn],
            "local_authority": np.array(["Leeds", "Camden", "Glasgow City"], object)[turn],
            "constituency": np.array(["Leeds East", "Holborn and St Pancras", "Glasgow North"], object)[turn],
        },
        index=aligned.zones,
    )


def model(**options):
    return PolicyEngineUK(year=YEAR, inputs=RENT, outcomes=WANTED, **options)


@cache
def donors_run(reformed: bool):
    """Outcomes of every donor in every class of place, and the model."""
    aligned, population = demo_run.population()
    rules = model()
    found = run_model(
        rules, aligned, places=places(aligned), parameters=ALLOWANCE if reformed else None,
        scenario="higher allowance" if reformed else "baseline", seed=population.provenance.seed,
    )  # fmt: skip
    return found, rules


@cache
def expanded():
    """Three zones' households as copies, one of each kind of place."""
    aligned, population = demo_run.population()
    return placed_tables(population, aligned, year=YEAR, inputs=RENT, places=places(aligned), zones=tuple(aligned.zones[:3]))


@cache
def plain_runs():
    """The copies run by PolicyEngine as its users run it, the reform and its baseline: values by person and by household."""
    import policyengine_uk
    from policyengine_uk.data import UKSingleYearDataset

    tables = {e: f.copy() for e, f in expanded().items()}
    parameter = "gov.hmrc.income_tax.allowances.personal_allowance.amount"
    reformed = policyengine_uk.Microsimulation(
        dataset=UKSingleYearDataset(**tables, fiscal_year=YEAR), reform={parameter: {str(YEAR): 15000}}
    )
    return {True: by_entity(reformed), False: by_entity(reformed.baseline)}


def by_entity(simulation):
    """Outcomes of persons, and of benefit units and households by household."""
    found = {"person": {}, "household": {}}
    for name in WANTED:
        entity = simulation.tax_benefit_system.variables[name].entity.key
        kind = "person" if entity == "person" else "household"
        values = simulation.calculate(name, YEAR, map_to=kind)
        found[kind][name] = np.asarray(values, np.float64)
    ids = {e: np.asarray(simulation.calculate(f"{e}_id", YEAR)).astype(int) for e in found}
    return {e: pd.DataFrame(found[e], index=ids[e]).sort_index() for e in found}


@pytest.mark.parametrize("reformed", [False, True])
def test_copies_have_what_their_donors_have(reformed):
    aligned, _ = demo_run.population()
    outcomes, _ = donors_run(reformed)
    tables, ran = expanded(), plain_runs()[reformed]
    home, person = tables["household"], tables["person"]
    assert home["place"].nunique() == 3
    unit = pd.Index(aligned.households.ids.astype(str)).get_indexer(home["donor_household"])
    record = pd.Index(aligned.records.astype(str)).get_indexer(person["donor"])
    of_person = home["place"].to_numpy()[person["person_household_id"]]
    for name in ran["person"]:
        assert np.array_equal(outcomes[name][of_person, record], ran["person"][name])
    for name in ran["household"]:
        expected = outcomes[name][home["place"].to_numpy(), aligned.households.reference[unit]]
        np.testing.assert_allclose(ran["household"][name], expected, rtol=0, atol=1e-9)
    assert (ran["household"]["household_net_income"] > 0).mean() > 0.9


def test_projecting_by_counts_is_summing_over_copies():
    aligned, population = demo_run.population()
    outcomes, _ = donors_run(False)
    ran, zone = plain_runs()[False]["household"], expanded()["household"]["zone"]
    for code in aligned.zones[:3]:
        counts = population.households([code])
        place = outcomes.places.of_zone[aligned.zones.get_loc(code)]
        unit = aligned.households.ids.get_indexer(population.problem.households[counts.record])
        for name in ran:
            projected = counts.n @ outcomes[name][place, aligned.households.reference[unit]]
            assert projected == pytest.approx(ran[name][(zone == code).to_numpy()].sum(), rel=1e-12)


def test_scottish_tax_and_londons_cap_are_their_own():
    outcomes, _ = donors_run(False)
    classes = {c: i for i, c in enumerate(outcomes.places.classes["region"])}
    assert set(classes) == {"YORKSHIRE", "LONDON", "SCOTLAND"}
    england, london, scotland = (classes[r] for r in ("YORKSHIRE", "LONDON", "SCOTLAND"))
    tax = outcomes["income_tax"]
    assert np.array_equal(tax[london], tax[england])
    payers = tax[england] > 10_000
    assert payers.any()
    assert (tax[scotland][payers] > tax[england][payers]).all()
    before, cut = outcomes["universal_credit_pre_benefit_cap"], outcomes["uc_benefit_cap_reduction"]
    capped = (cut[england] > 0) & (before[london] == before[england])
    assert capped.any()
    relief = np.round((cut[england] - cut[london])[capped])
    higher = [25_323 - 22_020, 16_967 - 14_753]  # of families and of single people (SI 2013/376, reg. 80A, since April 2023)
    assert (np.isin(relief, higher) | (cut[london][capped] == 0)).all()
    assert (before[scotland] == before[england]).any()


def test_a_higher_allowance_cuts_taxes_and_nothing_else_of_persons():
    base, reformed = donors_run(False)[0], donors_run(True)[0]
    tax = reformed["income_tax"] - base["income_tax"]
    assert (tax.mean(axis=1) < -100).all()
    assert (tax < 0).mean() > 0.3
    assert np.array_equal(reformed["national_insurance"], base["national_insurance"])
    gain = reformed["household_net_income"] - base["household_net_income"]
    assert (gain.mean(axis=1) > 0).all()


def test_every_household_has_its_zones_places():
    aligned, _ = demo_run.population()
    home, wanted = expanded()["household"], places(aligned)
    names = {"Leeds": "LEEDS", "Camden": "CAMDEN", "Glasgow City": "GLASGOW_CITY"}
    assert home["local_authority"].tolist() == wanted["local_authority"].map(names).reindex(home["zone"]).tolist()
    assert home["constituency"].tolist() == wanted["constituency"].reindex(home["zone"]).tolist()
    assert set(zip(home["region"], home["local_authority"], strict=True)) == {
        ("YORKSHIRE", "LEEDS"), ("LONDON", "CAMDEN"), ("SCOTLAND", "GLASGOW_CITY"),
    }  # fmt: skip


def test_the_run_says_what_it_was_made_with():
    _, rules = donors_run(False)
    facts = rules.facts()
    assert facts["engine"]["policyengine-uk"] == "2.162.10"
    assert facts["draws"] == {"seed": 4, "variables": list(DRAWS), "kept_from_survey": []}
    assert facts["inputs"]["employment_income"] == "column 'income' by 'economic_activity'"
    assert "savings" in facts["defaults"]
    assert "rent" not in facts["defaults"]
    assert not set(facts["defaults"]) & set(facts["inputs"])
    (note,) = rules.findings()
    assert note.code == "engine-defaults"
    assert "savings" in note.message
    assert set(rules.units.values()) == {"pounds a year"}


def test_results_come_back_as_outcomes():
    aligned, _ = demo_run.population()
    ran, wanted = plain_runs()[False], donors_run(False)[0]
    back = read_outcomes(ran, expanded(), aligned, places=places(aligned))
    assert back.places.of_zone.tolist() == wanted.places.of_zone.tolist()
    for name in OUTCOMES:
        there = back[name] != 0
        np.testing.assert_allclose(back[name][there], wanted[name][there], rtol=0, atol=1e-9)
    (partly,) = back.findings
    assert partly.level == "warning"
    assert partly.count > 0
    shuffled = {k: f.sample(frac=1.0, random_state=1) for k, f in ran.items()}
    assert np.array_equal(read_outcomes(shuffled, expanded(), aligned, places=places(aligned)).values, back.values)


def test_results_that_are_not_the_datasets_are_refused():
    aligned, _ = demo_run.population()
    where, ran = places(aligned), plain_runs()[False]
    copies = expanded()["household"].groupby(["donor_household", "place"])["household_id"].transform("size")
    one = int(copies.idxmax())
    other = ran["household"].copy()
    other.loc[one, "universal_credit"] += 50.0
    for broken, said in (
        ({"household": other}, "differs between copies of one donor for 1 donors (by up to 50.00)"),
        ({"household": ran["household"].iloc[1:]}, "lack 1 ids of household"),
        ({"household": ran["household"].iloc[[0, *range(len(ran["household"]))]]}, "stand twice"),
        ({"household": ran["household"].assign(x="a")}, "'x' holds"),
        ({"family": ran["household"]}, "not of 'family'"),
        ({}, "no results"),
    ):
        with pytest.raises(InputError, match="engine-results") as error:
            read_outcomes(broken, expanded(), aligned, places=where)
        assert said in str(error.value)


def test_a_dataset_is_written_and_opened_by_the_engine_and_by_us(tmp_path):
    aligned, population = demo_run.population()
    path, few = tmp_path / "homes.h5", tuple(aligned.zones[:3])
    options = {"year": YEAR, "inputs": RENT, "places": places(aligned), "zones": few}
    assert write_dataset(population, aligned, path, **options) == path
    from policyengine_uk.data import UKSingleYearDataset

    opened, meant = UKSingleYearDataset(str(path)), expanded()
    assert opened.time_period == str(YEAR)
    for entity, frame in read_tables(path).items():
        assert frame.columns.tolist() == meant[entity].columns.tolist()
        assert len(getattr(opened, entity)) == len(meant[entity])
    people = population.donors(list(few)).people.sum()
    assert len(opened.person) == people
    survey = sp.read.policyengine(path)
    assert len(survey.records) == people
    assert survey.year == YEAR
    with pytest.raises(InputError, match="output-exists"):
        write_dataset(population, aligned, path, **options)
    write_dataset(population, aligned, path, weighted=True, overwrite=True, **options)
    home = read_tables(path)["household"]
    assert home["household_weight"].sum() == len(meant["household"])
    assert home.groupby("zone")["household_weight"].sum().tolist() == meant["household"].groupby("zone").size().tolist()
    assert not home.duplicated(["zone", "donor_household"]).any()
    replicate = placed_tables(population, aligned, **{**options, "zones": few[:1]}, counts=[population.households(few[:1])])
    assert len(replicate["household"]) == (meant["household"]["zone"] == few[0]).sum()


def test_what_must_not_leave_does_not(tmp_path):
    aligned, population = demo_run.population("guarded")
    options = {"places": places(aligned), "zones": aligned.zones[:1]}
    with pytest.raises(InputError, match="study-value"):
        write_dataset(population, aligned, tmp_path / "a.hdf5", **options)
    with pytest.raises(InputError, match="licence") as error:
        write_dataset(population, aligned, tmp_path / "a.h5", **options)
    said = error.value.findings[0].message
    assert "age" in said
    assert "income" in said
    with pytest.raises(InputError, match="hold its income"):
        write_dataset(
            population, aligned, tmp_path / "a.h5", **options,
            include=["accommodation", "age", "economic_activity", "partnership", "role", "sex", "tenure"],
        )  # fmt: skip
    with pytest.raises(InputError, match="engine-place"):
        write_dataset(population, aligned, tmp_path / "a.h5")
    assert list(tmp_path.iterdir()) == []


def test_copies_differ_only_where_the_engine_draws_from_ids():
    aligned, population = demo_run.population()
    rules, engine = model(), the_engine.engine()
    classes = places_for(rules, aligned.geography, places(aligned).assign(region="Scotland", local_authority="Fife"))
    donors = prepared(rules, donors_of(aligned, classes), population.provenance.seed)
    frames = make_tables(donors, engine, inputs=RENT, year=YEAR).frames
    size = {e: len(f) for e, f in frames.items()}
    again = {
        e: f.assign(**{c: f[c] + size[c.removesuffix("_id").removeprefix("person_")] for c in f if c.endswith("_id")})
        for e, f in frames.items()
    }
    twice = {e: pd.concat([frames[e], again[e]], ignore_index=True) for e in frames}
    wanted = ("universal_credit", "household_net_income", "uc_LCWRA_element")
    fixed = engine.run(twice, year=YEAR, priced=YEAR, wanted=wanted).values
    drawn = {e: f.drop(columns=[c for c in f if c in DRAWS]) for e, f in twice.items()}
    left = engine.run(drawn, year=YEAR, priced=YEAR, wanted=wanted).values
    for name in wanted:
        first, second = np.split(fixed[name], 2)
        assert np.array_equal(first, second)
        first, second = np.split(left[name], 2)
        assert (first != second).any(), f"{name} hangs on ids no more: the draws need not be fixed"


def test_classes_run_in_groups_have_the_same_outcomes():
    aligned, population = demo_run.population()
    wanted = donors_run(False)[0]
    rules = model(most_households=len(aligned.households.ids)).asked(["child_benefit", "income_tax"])
    found = run_model(rules, aligned, places=places(aligned), seed=population.provenance.seed)
    assert rules.facts()["runs"] == 3
    for name in found.names:
        assert np.array_equal(found[name], wanted[name])


def test_options_can_be_changed_of_a_model():
    rules = model(seed=3)
    assert rules.asked(["income_tax"]).wanted == ("income_tax",)
    later = rules.configured(year=2027)
    assert (later.year, later.priced, later.inputs, later.seed) == (2027, 2027, RENT, 3)
    assert PolicyEngineUK(year=2026, priced=2024).configured(year=2027).priced == 2024


def test_loans_that_are_drawn_while_uprating_are_refused():
    aligned, _ = demo_run.population()
    given = {"student_loan_plan": {"value": "PLAN_2"}, "highest_education": {"value": "TERTIARY"}}
    with pytest.raises(InputError, match="draws student loans"):
        run_model(PolicyEngineUK(year=2026, priced=2024, inputs=given), aligned, places=places(aligned))


def test_the_run_is_exported_by_name(tmp_path):
    from synthpop_gb.pipeline.exporting import export_run

    aligned, _ = demo_run.population()
    zone = str(aligned.zones[0])
    path = export_run(
        demo_run.run(), "policyengine", tmp_path / "a.h5", places=places(aligned), year=YEAR, zones=[zone], inputs={"rent": 0}
    )
    home, meant = read_tables(path)["household"], expanded()["household"]
    assert home["donor_household"].tolist() == meant["donor_household"][meant["zone"] == zone].tolist()
    assert set(home["local_authority"]) == {"LEEDS"}


def test_the_probe_finds_nothing_to_refuse():
    aligned, population = demo_run.population()
    outcomes, rules = donors_run(False)
    found = probe(rules, aligned, places=outcomes.places, seed=population.provenance.seed, outcomes=outcomes)
    assert found.projectable, repr(found)


def test_everything_wrong_with_a_run_is_said():
    aligned, _ = demo_run.population()
    where = places(aligned)
    for options, parameters, codes in (
        ({"outcomes": ["incme_tax", "tenure_type"]}, None, {"engine-outcome"}),
        ({"inputs": {"rnt": 1, "savings": "nowhere", "rent": {"column": "tenure", "map": {}}}}, None, {"engine-input"}),
        ({"inputs": {"council_tax_band": {"value": "K"}, "region": "region", "savings": {"colum": "x"}}}, None, {"engine-input"}),
        ({}, {"gov.hmrc.income_tax.allowances.personal_allowance.amont": 1, "gov.hmrc.vat": {}}, {"engine-parameter"}),
    ):
        with pytest.raises(InputError) as error:
            run_model(PolicyEngineUK(**options), aligned, places=where, parameters=parameters)
        assert {f.code for f in error.value.findings} == codes
        assert len(error.value.findings) == len(options.get("outcomes", options.get("inputs", parameters)))
    assert "Did you mean 'gov.hmrc.income_tax.allowances.personal_allowance.amount'?" in str(error.value)
    with pytest.raises(InputError, match="engine-place"):
        run_model("policyengine-uk", aligned)
    with pytest.raises(InputError, match="engine-place"):
        PolicyEngineUK().outcomes(donors_of(aligned))
    persons, _ = demo_run.population("persons")
    with pytest.raises(InputError, match="does not say who lives together"):
        run_model("policyengine-uk", persons, places=where)
    with pytest.raises(ValueError, match="cannot be taken back"):
        PolicyEngineUK(year=2024, priced=2025)


def test_without_the_package_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.split(".")[0] == "policyengine_uk":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    the_engine.engine.cache_clear()
    with pytest.raises(InputError, match=r"pip install synthpop_gb\[policy\]"):
        the_engine.engine()
    assert get_policy_model("policyengine-uk").name == "policyengine-uk"
    monkeypatch.undo()
    the_engine.engine.cache_clear()


def test_a_survey_that_is_a_dataset_keeps_every_input(tmp_path):
    """Savings and disability stand in no census: they come along with the people copied."""
    aligned, _ = demo_run.population()
    tables = {e: f.copy() for e, f in expanded().items()}
    few = tables["household"]["household_id"] < 400
    tables["household"] = tables["household"][few].assign(savings=np.arange(few.sum()) * 10.0)
    tables["person"] = tables["person"][tables["person"]["person_household_id"] < 400]
    tables["benunit"] = tables["benunit"][tables["benunit"]["benunit_id"].isin(tables["person"]["person_benunit_id"])]
    tables["benunit"]["would_claim_uc"] = tables["benunit"]["benunit_id"] % 2 == 0
    engine, path = the_engine.engine(), tmp_path / "survey.h5"
    engine.save(tables, YEAR, path)
    survey = sp.read.policyengine(path, licence="open")
    study = sp.harmonise(
        survey, demo_tables(), demo_run.population()[0].geography, constraints=["household_size", "tenure", "age", "sex"]
    )
    rules = PolicyEngineUK(year=YEAR)
    found = run_model(rules, study, places=places(aligned), seed=1)
    facts = rules.facts()
    assert facts["draws"]["kept_from_survey"] == list(DRAWS)
    assert facts["inputs"]["savings"] == facts["inputs"]["would_claim_uc"] == "the survey's own"
    direct = engine.run({e: f.reset_index(drop=True) for e, f in tables.items()}, year=YEAR, priced=YEAR, wanted=OUTCOMES).values
    home = tables["household"].reset_index(drop=True)
    kinds = dict(enumerate(found.places.classes["region"]))
    reference = pd.Index(study.households.ids).get_indexer(home["household_id"])
    for place, region in kinds.items():
        here = (home["region"] == region).to_numpy()
        mine = found["household_net_income"][place][study.households.reference[reference]]
        assert np.array_equal(mine[here], direct["household_net_income"][here])


def demo_tables():
    """Tables of the demo county by name."""
    folder = demo_run.inputs() / "tables"
    return {k: v for n in ("household_size", "tenure", "age", "sex") for k, v in sp.read.tables(folder / f"{n}.csv").items()}
