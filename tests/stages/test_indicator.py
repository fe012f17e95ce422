"""Indicators: estimates against brute force over weights and expanded people, laws of intervals, edges, benchmarks, folders."""

import importlib
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import synthpop_gb as sp
from synthpop_gb.assessment import leave_one_out
from synthpop_gb.errors import FitWarning, InputError
from synthpop_gb.execution import solve
from synthpop_gb.formulation import formulate
from synthpop_gb.geography import Geography
from synthpop_gb.harmonisation import harmonise
from synthpop_gb.indicators import Question
from tests.stages.nouns import world

NAMES = ["age", "sex", "health"]
ASKED = [
    {"what": "health = 'bad'"},
    {"what": "children >= 2", "where": "age >= 16", "by": ("zone", "sex")},
    {"what": "town = 'Ab'", "measure": "count", "by": ("zone", "health")},
    {"what": "income", "measure": "mean", "by": ("lad", "town")},
    {"what": "income", "measure": "total", "by": ("all",)},
    {"what": "income", "measure": "quantile", "by": ("zone",), "quantile": 0.25},
    {"what": "children", "measure": "quantile", "by": ("zone", "sex")},
    {"what": "income", "measure": "quantile", "by": ("lad",), "where": "sex = 'male'", "quantile": 0.9},
]


def study(n_zones=8, seed=1, empty=(), order=None, noise=0.0):
    """Survey with an income, children and a town; zones at positions `empty` have nobody."""
    survey, tables, places = world(n_zones=n_zones, seed=seed, noise=noise)
    rng, n = np.random.default_rng(3), len(survey.records)
    survey.records["income"] = np.where(rng.random(n) < 0.1, np.nan, rng.gamma(2.0, 100.0, n))
    survey.records["children"] = rng.integers(0, 5, n)
    survey.records["town"] = rng.choice(["Ab", "Cd"], n)
    survey.records["flat"] = 7.5
    if empty:
        hollow = {}
        for name, table in tables.items():
            counts = table.counts.copy()
            counts.iloc[list(empty)] = 0
            hollow[name] = replace(table, counts=counts)
        tables = hollow
    frame = places.zones if order is None else places.zones.iloc[order]
    return harmonise(survey, tables, Geography(frame), constraints=NAMES)


@pytest.fixture(scope="module")
def made():
    aligned = study()
    return aligned, solve(formulate(aligned), seed=1, replicates=6)


@pytest.fixture(scope="module")
def left_out(made):
    return leave_one_out(made[1], refits=3)


def ask(made, left_out, **asked):
    return sp.assessment.indicator(made[1], left_out=left_out, **asked)


def records_of(made):
    """Fractional weight of every record in every zone (n_zones, n_donors), and the donors' rows."""
    aligned, population = made
    problem = population.problem
    profile = np.repeat(np.arange(problem.n_profiles), np.diff(problem.donor_start))
    weight = population.fitted()[:, profile] * (problem.donor_weight / problem.start[profile])
    frame = aligned.frame().iloc[problem.donor].reset_index(drop=True)
    sexes, states = {1: "male", 2: "female"}, {1: "good", 2: "fair", 3: "bad"}
    return weight, frame.assign(sex=frame["sex"].map(sexes), health=frame["health"].map(states), adult=frame["age"] != "0")


def people_of(made):
    """One row a person."""
    aligned, population = made
    _, frame = records_of(made)
    place = pd.Series(np.arange(len(frame)), population.problem.donor)
    block = population.donors()
    rows = frame.iloc[place.loc[np.repeat(block.record, block.n)]].reset_index(drop=True)
    zone = np.repeat(np.repeat(block.zones, np.diff(block.indptr)), block.n)
    return rows.assign(zone=zone, lad=aligned.geography.zones["lad"].loc[zone].to_numpy(), all="all")


def answered(rows, asked):
    """Value of every row, and which rows are asked about: each question written out in pandas."""
    values = {
        "health = 'bad'": rows["health"] == "bad", "children >= 2": rows["children"] >= 2, "town = 'Ab'": rows["town"] == "Ab",
        "income": rows["income"], "children": rows["children"],
    }[asked["what"]].astype(float)  # fmt: skip
    where = {None: True, "age >= 16": rows["adult"], "sex = 'male'": rows["sex"] == "male"}[asked.get("where")]
    return values, values.notna() & where


def weighed(value, weight, asked):
    """One figure from values and weights."""
    measure = asked.get("measure", "share")
    if measure in ("share", "mean"):
        return (value * weight).sum() / weight.sum()
    if measure in ("count", "total"):
        return (value * weight).sum()
    order = np.argsort(value, kind="stable")
    reached = np.cumsum(weight[order]) / weight.sum()
    return value[order][np.searchsorted(reached, asked.get("quantile", 0.5) - 1e-12)]


@pytest.mark.parametrize("asked", ASKED, ids=lambda a: str(Question(**a)))
def test_estimates_are_sums_over_weights_and_counts_over_people(made, left_out, asked):
    aligned, _ = made
    frame = ask(made, left_out, **asked).frame
    weight, rows = records_of(made)
    people = people_of(made)
    zone_area = {"zone": aligned.zones, "lad": aligned.geography.zones["lad"], "all": ["all"] * 8}
    by = asked.get("by", ("zone",))
    for _, row in frame.iterrows():
        (value, base), (whole, counted) = answered(rows, asked), answered(people, asked)
        for name in by[1:]:
            base, counted = base & (rows[name] == row[name]), counted & (people[name] == row[name])
        w = weight[np.asarray(zone_area[by[0]]) == row[by[0]]].sum(axis=0)
        counted = counted & (people[by[0]] == row[by[0]])
        expected = weighed(value[base].to_numpy(), w[base], asked)
        assert row["estimate"] == pytest.approx(expected, rel=1e-9)
        assert row["people"] == pytest.approx(w[base].sum())
        mine = whole[counted].to_numpy()
        assert row["counted"] == pytest.approx(weighed(mine, np.ones(len(mine)), asked))
        if asked.get("measure") == "quantile":
            assert row["counted"] == np.quantile(mine, asked.get("quantile", 0.5), method="inverted_cdf")


def test_quantiles_of_many_values_lie_between_those_of_the_weights():
    survey, tables, places = world(n_zones=4, n_records=2500)
    survey.records["income"] = np.random.default_rng(5).gamma(2.0, 100.0, 2500)
    aligned = harmonise(survey, tables, places, constraints=NAMES)
    made = aligned, solve(formulate(aligned), seed=1, replicates=3)
    frame = sp.assessment.indicator(made[1], "income", measure="quantile", quantile=0.7).frame
    problem = made[1].problem
    profile = np.repeat(np.arange(problem.n_profiles), np.diff(problem.donor_start))
    weight = made[1].fitted()[:, profile] * (problem.donor_weight / problem.start[profile])
    income = aligned.frame()["income"].to_numpy()[problem.donor]
    for z in range(4):
        low, high = (weighed(income, weight[z], {"measure": "quantile", "quantile": q}) for q in (0.697, 0.703))
        assert low <= frame["estimate"][z] <= high
    assert (frame["lower"] < frame["estimate"]).all()
    assert (frame["estimate"] < frame["upper"]).all()
    assert (frame["replicate_error"] > 0).all()


@pytest.mark.parametrize("asked", ASKED, ids=lambda a: str(Question(**a)))
@pytest.mark.parametrize("level", [0.5, 0.9, 0.999])
def test_intervals_hold_the_estimate_and_stay_within_what_can_be(made, left_out, asked, level):
    found = ask(made, left_out, level=level, **asked)
    frame = found.frame
    assert (frame["lower"] <= frame["estimate"]).all()
    assert (frame["estimate"] <= frame["upper"]).all()
    assert (frame["lower"] >= 0).all()
    if found.question.measure == "share":
        assert (frame["upper"] <= 1).all()
    if found.question.measure == "count":
        assert (frame["upper"] <= 300).all()
    if found.question.measure == "quantile":
        assert frame["upper"].max() <= made[0].frame()[asked["what"]].max()
    parts = frame[["replicate_error", "finite_error", "model_error"]].to_numpy()
    np.testing.assert_allclose(np.sqrt((parts**2).sum(axis=1)), frame["standard_error"])
    assert set(frame["reliability"]) <= set(sp.indicators.RELIABILITY)
    assert f"{100 * level:g}% intervals" in repr(found)
    assert found.preview(2)


def test_counts_and_totals_add_up_over_groups_and_areas(made, left_out):
    bad = {"what": "health = 'bad'", "measure": "count"}
    whole = ask(made, left_out, by="all", **bad).frame["estimate"][0]
    for by in ("zone", "lad", ("zone", "sex"), ("lad", "town", "sex"), "town"):
        frame = ask(made, left_out, by=by, **bad).frame
        assert frame["estimate"].sum() == pytest.approx(whole)
    total = [
        ask(made, left_out, what="income", measure="total", by=by).frame["estimate"].sum() for by in ("all", ("zone", "sex"))
    ]
    assert total[0] == pytest.approx(total[1])
    counted = ask(made, left_out, by=("zone", "sex"), **bad).frame["counted"].sum()
    assert counted == (people_of(made)["health"] == "bad").sum()
    everybody = ask(made, left_out, what="age >= 0", measure="count", by=("zone", "health")).frame
    targets = made[0].constraints[2].targets
    np.testing.assert_allclose(everybody["estimate"], targets.to_numpy().ravel(), atol=1e-4)  # what the tables say


def test_what_a_table_says_has_no_model_error(made, left_out):
    frame = ask(made, left_out, what="health = 'bad'").frame
    np.testing.assert_allclose(frame["estimate"], made[0].constraints[2].targets["bad"].to_numpy().ravel() / 300, atol=1e-6)
    assert (frame["model_error"] < 1e-6).all()
    assert (frame["upper"] - frame["lower"] < 1e-3).all()


# edges


def test_a_condition_that_nobody_meets_is_nought_and_unreliable(made, left_out):
    for measure in ("share", "count"):
        frame = ask(made, left_out, what="income < 0", measure=measure).frame
        assert (frame["estimate"] == 0).all()
        assert (frame["counted"] == 0).all()
        assert (frame["lower"] == 0).all()
        assert (frame["reliability"] == "unreliable").all()
    frame = ask(made, left_out, what="income >= 0").frame
    np.testing.assert_allclose(frame["estimate"], 1.0)
    assert (frame["upper"] == 1.0).all()


@pytest.mark.parametrize("measure", ["mean", "quantile"])
def test_numbers_that_are_all_equal(made, left_out, measure):
    frame = ask(made, left_out, what="flat", measure=measure, by=("zone", "sex")).frame
    for column in ("estimate", "counted"):
        np.testing.assert_allclose(frame[column], 7.5)
    assert (frame["upper"] - frame["lower"] < 0.01).all()


@pytest.fixture(scope="module")
def hollow():
    """Zone 2 has nobody; few people are very old and in Ab, so some replicates of some zones have none."""
    aligned = study(empty=(2,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        return aligned, solve(formulate(aligned), seed=1, replicates=6)


@pytest.mark.parametrize("asked", ASKED, ids=lambda a: str(Question(**a)))
def test_an_empty_zone_has_no_shares_and_counts_of_nought(hollow, asked):
    found = sp.assessment.indicator(hollow[1], **asked)
    by, measure = asked.get("by", ("zone",)), asked.get("measure", "share")
    frame = found.frame
    if by[0] != "zone":
        assert frame["estimate"].notna().all()
        return
    empty = frame["zone"] == hollow[0].zones[2]
    assert frame.loc[~empty, ["estimate", "lower", "upper", "counted"]].notna().all(axis=None)
    if measure in ("count", "total"):
        assert (frame.loc[empty, ["estimate", "lower", "upper", "counted", "standard_error", "people"]] == 0).all(axis=None)
    else:
        assert frame.loc[empty, ["estimate", "lower", "upper", "counted"]].isna().all(axis=None)
        assert (frame.loc[empty, "reliability"] == "").all()
    assert (frame.loc[empty, "donors"] == 0).all()
    assert "nan" not in found.preview()
    wide = found.pivot()  # noqa: PD010 - not of pandas
    assert wide.index.tolist() == hollow[0].zones.tolist()
    assert wide.size == len(frame)


def test_groups_that_some_replicates_have_nobody_in_keep_their_intervals(made, left_out):
    frame = ask(made, left_out, what="town = 'Ab'", by=("zone", "income"), where="income > 700").frame
    some = frame["people"] > 1e-9
    assert some.any()
    assert frame.loc[some, ["lower", "upper", "standard_error"]].notna().all(axis=None)
    assert (frame.loc[some, "upper"] - frame.loc[some, "lower"] >= 0).all()
    assert (frame.loc[some, "reliability"] == "unreliable").all()


def test_groups_with_nobody_asked_about_have_no_figure(made, left_out):
    frame = ask(made, left_out, what="town = 'Ab'", by=("lad", "sex"), where="sex = 'male'").frame
    assert frame.loc[frame["sex"] == "female", "estimate"].isna().all()
    assert frame.loc[frame["sex"] == "male", "estimate"].notna().all()


def test_areas_that_hold_only_part_of_the_zones(made):
    aligned, population = made
    zones = aligned.geography.zones.copy()
    zones.loc[zones.index[:3], "lad"] = None
    partly = replace(aligned, geography=Geography(zones))
    frame = sp.assessment.indicator(population, "town = 'Ab'", by="lad", aligned=partly, measure="count").frame
    whole = sp.assessment.indicator(population, "town = 'Ab'", measure="count").frame.set_index("zone")["estimate"]
    assert frame["lad"].tolist() == ["E07000001", "E07000002"]
    assert frame["estimate"][0] == pytest.approx(whole.iloc[3])
    assert frame["estimate"].sum() == pytest.approx(whole.iloc[3:].sum())


def test_one_table_is_enough(made):
    aligned, _ = made
    alone = harmonise(aligned.survey, {"age": _table(aligned, "age")}, Geography(aligned.geography.zones), constraints=["age"])
    found = sp.assessment.indicator(solve(formulate(alone), seed=1, replicates=3), "town = 'Ab'")
    assert found.frame["model_error"].gt(0).all()
    assert "only 1 table to learn from" in repr(found)
    assert "1 table left out" in repr(found)


def _table(aligned, name):
    _, tables, _ = world(n_zones=len(aligned.zones))
    return tables[name]


@pytest.mark.parametrize(
    "method", [("calibrate", {"distance": "linear", "soft": False}), ("calibrate", {"distance": "logit"}), ("calibrate", {}),
               ("qisi", {})], ids=str,
)  # fmt: skip
@pytest.mark.parametrize("asked", [ASKED[1], ASKED[2], ASKED[6]], ids=lambda a: str(Question(**a)))
def test_every_method_can_be_asked(method, asked):
    aligned = study(n_zones=5, noise=3.0)
    name, options = method
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        population = solve(formulate(aligned), method=name, options=options, seed=1, replicates=3)
    frame = sp.assessment.indicator(population, **asked).frame
    assert (frame["lower"] <= frame["estimate"]).all()
    assert (frame["estimate"] <= frame["upper"]).all()
    assert (frame["lower"] >= 0).all()
    assert (frame["estimate"] - frame["counted"]).abs().max() < (25 if asked.get("measure") == "count" else 2)


def test_without_duals_the_whole_people_are_asked(made, left_out):
    aligned, population = made
    bare = replace(population, duals=None)
    frame = sp.assessment.indicator(bare, "town = 'Ab'", measure="count", left_out=left_out).frame
    problem = population.problem
    share = np.bincount(np.repeat(np.arange(problem.n_profiles), np.diff(problem.donor_start)), problem.donor_weight * (
        aligned.frame()["town"].to_numpy()[problem.donor] == "Ab")) / problem.start  # fmt: skip
    zone = np.repeat(np.arange(8), np.diff(population.indptr))
    np.testing.assert_allclose(frame["estimate"], np.bincount(zone, population.count * share[population.profile]))


# benchmarks


def test_a_benchmark_is_met_exactly(made, left_out):
    aligned, _ = made
    goal = pd.Series({"E07000001": 0.3, "E07000002": 0.62}, name="share").rename_axis("lad")
    plain = ask(made, left_out, what="town = 'Ab'").frame
    found = ask(made, left_out, what="town = 'Ab'", benchmark=goal)
    frame = found.frame.assign(lad=aligned.geography.zones["lad"].to_numpy())
    for lad, mine in frame.groupby("lad"):
        assert np.average(mine["estimate"], weights=mine["people"]) == pytest.approx(goal[lad], abs=1e-9)
    step = np.log(frame["estimate"] / (1 - frame["estimate"])) - np.log(plain["estimate"] / (1 - plain["estimate"]))
    assert frame.assign(step=step).groupby("lad")["step"].std().max() < 1e-9
    assert found.basis["benchmark"] == "lad"
    assert "no benchmark" not in repr(found)
    assert (frame["lower"] < frame["estimate"]).all()


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_a_benchmark_of_nobody_or_everybody_leaves_no_doubt(made, left_out, end):
    goal = pd.Series({"all": end}).rename_axis("all")
    frame = ask(made, left_out, what="town = 'Ab'", benchmark=goal).frame
    assert (frame[["estimate", "lower", "upper"]] == end).all(axis=None)


def test_a_benchmark_that_the_survey_knows_nothing_of_is_not_certain(made, left_out):
    """Nobody in the survey is so; a tenth are said to be. What is then told of a zone is a draw's chance at the very least."""
    frame = ask(made, left_out, what="income < 0", benchmark=pd.Series({"all": 0.1}).rename_axis("all")).frame
    np.testing.assert_allclose(frame["estimate"], 0.1)
    assert (frame["standard_error"] > np.sqrt(0.1 * 0.9 / 300) * 0.99).all()


def test_zones_that_the_benchmark_does_not_name_are_left_alone(made, left_out):
    goal = pd.Series({"E07000001": 0.3, "elsewhere": 0.9}).rename_axis("lad")
    with pytest.warns(FitWarning, match="no value for 1 of 2"):
        frame = ask(made, left_out, what="town = 'Ab'", benchmark=goal).frame
    plain = ask(made, left_out, what="town = 'Ab'").frame
    same = ["estimate", "lower", "upper", "model_error"]
    pd.testing.assert_frame_equal(frame.iloc[4:][same], plain.iloc[4:][same])
    assert not np.allclose(frame["estimate"][:4], plain["estimate"][:4])


def test_every_mistake_about_a_benchmark_comes_at_once(made, left_out):
    bad = pd.Series([0.2, 1.4, np.nan], pd.Index(["X", "X", "Y"], name="lad"))
    with pytest.raises(InputError) as caught:
        ask(made, left_out, what="town = 'Ab'", by=("zone", "sex"), resembles="nonsense", benchmark=bad)
    text = str(caught.value)
    for said in ("nonsense", "without groups", "no shares between 0 and 1", "more than once", "among the zones' lad"):
        assert said in text
    with pytest.raises(InputError, match="of the level 'county'"):
        ask(made, left_out, what="town = 'Ab'", benchmark=pd.Series({"X": 0.2}).rename_axis("county"))


# the same figures


def test_the_same_seed_gives_the_same_figures(made):
    _, population = made
    one, other = (sp.assessment.indicator(population, "town = 'Ab'", by=("zone", "sex")).frame for _ in range(2))
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_any_order_of_zones(made):
    order = [5, 0, 7, 2, 1, 6, 4, 3]
    aligned = study(order=order)
    population = solve(formulate(aligned), seed=1, replicates=6)
    for asked in ASKED:
        frame = sp.assessment.indicator(population, **asked).frame
        straight = sp.assessment.indicator(made[1], **asked).frame
        keys = list(asked.get("by", ("zone",)))
        merged = straight[keys].merge(frame, on=keys, how="left")
        pd.testing.assert_frame_equal(merged, straight, rtol=1e-6, check_dtype=False)


@pytest.mark.parametrize("number", [0, 1])
def test_without_replicates_it_makes_its_own(number, monkeypatch):
    monkeypatch.setattr(importlib.import_module("synthpop_gb.assessment.indicator"), "REPLICATES", 4)
    aligned = study(n_zones=4)
    problem = formulate(aligned)
    bare = sp.assessment.indicator(solve(problem, seed=2, replicates=number), "town = 'Ab'")
    own = sp.assessment.indicator(solve(problem, seed=2, replicates=4), "town = 'Ab'")
    pd.testing.assert_frame_equal(bare.frame, own.frame)
    assert own.basis["replicates"] == 4
    assert "only 4 replicates" in repr(own)


def test_sources_that_are_not_drawn_again_are_said():
    aligned = study(n_zones=4)
    found = sp.assessment.indicator(solve(formulate(aligned), seed=2, replicates=3, sources=["whole"]), "town = 'Ab'")
    assert "do not draw again: donors" in repr(found)
    still = sp.assessment.indicator(solve(formulate(aligned), seed=2, replicates=3, sources=["tables"]), "town = 'Ab'")
    assert still.basis["sources"] == []
    assert np.isfinite(still.frame["standard_error"]).all()


def test_a_population_from_a_folder_answers_alike(made, left_out, tmp_path):
    aligned, population = made
    sp.save(population, tmp_path / "run")
    again = sp.load(tmp_path / "run", aligned=aligned)
    for asked in ASKED[:4]:
        fresh = sp.assessment.indicator(again, aligned=aligned, left_out=left_out, **asked).frame
        pd.testing.assert_frame_equal(fresh, ask(made, left_out, **asked).frame)


def test_another_studys_records_or_zones_are_refused(made, left_out):
    _, population = made
    with pytest.raises(ValueError, match="other records or zones"):
        sp.assessment.indicator(population, "town = 'Ab'", aligned=study(order=[1, 0, 2, 3, 4, 5, 6, 7]))
    other = replace(left_out, zones=left_out.zones[::-1])
    with pytest.raises(ValueError, match="left_out= has other zones"):
        sp.assessment.indicator(population, "town = 'Ab'", left_out=other)
    with pytest.raises(ValueError, match="records are needed"):
        sp.assessment.indicator(replace(population, problem=replace(population.problem, aligned=None)), "town = 'Ab'")
    for level in (0, 1, -1, float("nan")):
        with pytest.raises(ValueError, match="above 0 and below 1"):
            sp.assessment.indicator(population, "town = 'Ab'", level=level)


def test_pivot_keeps_groups_and_areas_in_order(made, left_out):
    found = ask(made, left_out, what="children >= 2", by=("zone", "sex", "town"))
    wide = found.pivot()  # noqa: PD010 - not of pandas
    assert wide.shape == (8, 4)
    assert wide.columns.tolist() == [("male", "Ab"), ("male", "Cd"), ("female", "Ab"), ("female", "Cd")]
    assert (wide.to_numpy().ravel() == found.frame["estimate"]).all()
