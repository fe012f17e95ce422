"""Better starts: each does what its formula says, keeps what it must keep, learns only elsewhere, and is the same bits again."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import synthpop_gb as sp
from synthpop_gb.assessment.refits import zone_weights
from synthpop_gb.assessment.starts import Learnt, better_start, judged_errors, left_out_errors
from synthpop_gb.assessment.starts._joint import Joint
from synthpop_gb.assessment.starts._ridge import Ridge, _design, fit_ridge
from synthpop_gb.assessment.starts._split import add_tilt, split_profiles
from synthpop_gb.assessment.starts.regions import blended, find_regions
from synthpop_gb.assessment.starts.smoothing import smoothed, two_way_fit
from synthpop_gb.codebook import Universe
from synthpop_gb.errors import FitWarning, InputError
from synthpop_gb.harmonisation import exclude
from synthpop_gb.microdata import Microdata
from synthpop_gb.testing import assert_fits, assert_same_population, small_household_problem, small_problem
from tests.reference import starts as twin
from tests.stages.starts_world import records, study, with_level

EVERY = slice(None)


def all_weights(problem):
    return np.concatenate(list(zone_weights(problem, np.arange(problem.n_zones))))


def by_donor(problem, zone):
    """Start weight of each unit in a zone, by position."""
    start = problem.start.copy()
    for row in () if problem.tilt is None else problem.tilt_of:
        start = start * np.where(row >= 0, np.exp(problem.tilt[zone])[row], 1.0)
    out = np.zeros(len(problem.units))
    out[problem.donor] = start[problem.donor_profile] * problem.donor_shares()
    return out


@pytest.fixture(scope="module")
def aligned():
    return study()


@pytest.fixture(scope="module")
def elsewhere():
    return study("E", n_zones=120, seed=2)


# ---- profiles split


@given(st.integers(0, 99), st.integers(1, 4))
def test_splitting_profiles_changes_no_weights(seed, n_groups):
    problem = sp.formulate(study())
    group = np.random.default_rng(seed).integers(0, n_groups, len(problem.units))
    split = split_profiles(problem, group)
    assert split.start.sum() == pytest.approx(problem.start.sum())
    np.testing.assert_allclose(by_donor(split, 0), by_donor(problem, 0))
    for p in range(split.n_profiles):
        mine = split.donor[split.donor_start[p] : split.donor_start[p + 1]]
        assert len(set(group[mine])) == 1
    cells = np.empty((problem.n_constraints, len(problem.units)), int)
    cells[:, problem.donor] = problem.cell_of[:, problem.donor_profile]
    np.testing.assert_array_equal(cells[:, split.donor], split.cell_of[:, split.donor_profile])


def test_splitting_profiles_of_households_keeps_their_members():
    problem = small_household_problem()
    both = replace(
        problem, start=np.add(problem.start[:4], [0, 0, 0, 0.25]), cell_of=problem.cell_of[:, :4], donor_start=[0, 1, 2, 3, 5],
        incidence=type(problem.incidence)(*(problem.incidence.start[:5], problem.incidence.cell[: problem.incidence.start[4]],
                                            problem.incidence.count[: problem.incidence.start[4]]), 4),
        size=problem.size[:4],
    )  # fmt: skip
    split = split_profiles(both, np.array([0, 0, 0, 0, 1]))
    assert split.n_profiles == 5
    assert split.size.tolist() == [1, 1, 3, 2, 2]
    np.testing.assert_array_equal(split.incidence.matrix().toarray()[4], split.incidence.matrix().toarray()[3])
    assert split.donor_shares().tolist() == [1.0] * 5


# ---- own-region donors


@pytest.mark.parametrize("strength", [0.1, 0.5, 0.9])
def test_the_blend_is_the_formula_in_one_region(aligned, strength):
    problem = sp.formulate(aligned)
    regions = find_regions(problem, aligned)
    assert regions.names == ("north",)
    made = blended(problem, regions, strength)
    assert made.tilt is None
    expected = twin.blended_weights(aligned.weight, aligned.survey.records["region"], "north", strength)
    np.testing.assert_allclose(by_donor(made, 0), expected)
    assert made.start.sum() == pytest.approx(problem.start.sum())
    assert made.start.min() > 0


def test_the_blend_differs_by_zone_where_zones_lie_in_several_regions():
    aligned = study(regions=("north", "south", "nowhere"))
    problem = sp.formulate(aligned)
    made = blended(problem, find_regions(problem, aligned), 0.4)
    for zone, region in enumerate(aligned.geography.zones["region"]):
        expected = twin.blended_weights(aligned.weight, aligned.survey.records["region"], region, 0.4)
        np.testing.assert_allclose(by_donor(made, zone), expected)
    population = sp.solve(made, seed=4)
    assert_fits(population)
    used = pd.Series(aligned.survey.records["region"].to_numpy())
    share = {}
    for region in ("north", "south"):
        counts = population.donors(aligned.zones[aligned.geography.zones["region"] == region])
        share[region] = counts.n[used.to_numpy()[counts.record] == region].sum() / counts.n.sum()
    plain = sp.solve(problem, seed=4).donors()
    for region, found in share.items():
        assert found > plain.n[used.to_numpy()[plain.record] == region].sum() / plain.n.sum() + 0.1


def test_own_region_donors_alone_are_refused(aligned):
    problem = sp.formulate(aligned)
    for wrong in (1, 1.5, -0.1, "half"):
        with pytest.raises(ValueError, match="alone"):
            better_start(problem, aligned, own_region=wrong)
    with pytest.raises(ValueError, match="below 1"):
        blended(problem, find_regions(problem, aligned), 1.0)


def test_regions_are_told_by_study_and_missed_with_a_finding(aligned):
    problem = sp.formulate(aligned)
    assert find_regions(problem, aligned, "South").names == ("south",)
    with pytest.raises(InputError, match="start-region"):
        find_regions(problem, aligned, "Atlantis")
    unplaced = replace(aligned, geography=type(aligned.geography)(aligned.geography.zones[["district"]]))
    with pytest.raises(InputError, match="The zones do not say"):
        find_regions(problem, unplaced)
    nameless = replace(aligned, survey=replace(aligned.survey, region=None))
    with pytest.raises(InputError, match="The survey does not say"):
        find_regions(problem, nameless)
    some = study(regions=("north", "nowhere"))
    found = better_start(sp.formulate(some), some, own_region=0.3)
    assert [(f.code, f.level, f.count) for f in found.findings] == [("start-region", "warning", 6)]


def test_auto_takes_nothing_that_does_not_help(aligned):
    made = better_start(sp.formulate(aligned), aligned, own_region="auto")
    facts = made.facts["own_region"]
    assert list(facts["scores"]) == ["0.0", "0.1", "0.25", "0.5", "0.75"]
    best = min(facts["scores"].values())
    taken = facts["scores"][str(facts["strength"])]
    assert taken == best if best <= 0.99 else facts["strength"] == 0
    judged = better_start(sp.formulate(aligned), aligned, own_region="auto", judge=["age_sex"]).facts["own_region"]
    assert set(judged["errors"]["0.0"]) == {"age_sex"}
    with pytest.raises(InputError, match="No held-out table"):
        better_start(sp.formulate(aligned), aligned, own_region="auto", judge=["age"])


def test_auto_finds_a_region_that_is_otherwise():
    """Where work goes with sex in the zones' own region only, its donors predict work from sex."""
    survey = records(n=3000)
    survey["region"] = np.where(np.arange(len(survey)) % 2, "north", "south")
    own = (survey["region"] == "north").to_numpy() & (survey["work"] >= 0).to_numpy()
    rng = np.random.default_rng(3)
    survey.loc[own, "work"] = np.where(rng.random(own.sum()) < 0.95, survey["sex"][own], 1 - survey["sex"][own])
    aligned = study(survey=survey, n_zones=40)
    work = np.stack([aligned.constraints[1].targets.to_numpy()[:, s] * 0.5 for s in (0, 1)], axis=1)  # idle follow the women
    table = aligned.constraints[2]
    targets = pd.DataFrame(np.rint(work), table.targets.index, table.targets.columns)
    aligned = replace(aligned, constraints=(*aligned.constraints[:2], replace(table, targets=targets, published=targets)))
    facts = better_start(sp.formulate(aligned), aligned, own_region="auto").facts["own_region"]
    assert facts["strength"] >= 0.5
    assert facts["errors"]["0.75"]["work"] < facts["errors"]["0.0"]["work"]


# ---- smoothing


@given(st.integers(0, 999), st.integers(2, 4))
def test_two_way_smoothing_is_the_twins_and_keeps_two_way_margins(seed, n_features):
    rng = np.random.default_rng(seed)
    features = rng.integers(0, rng.integers(1, 4, n_features)[:, None], (n_features, 30))
    features = np.unique(features, axis=1)
    start = rng.gamma(0.5, 2.0, features.shape[1]) + 0.05
    found = two_way_fit(start, features, cycles=3000, tolerance=1e-10)
    assert found.sum() == pytest.approx(start.sum())
    used = features[features.max(axis=1) > 0]
    for a in range(len(used)):
        for b in range(a):
            code = used[a] * 10 + used[b]
            # where profiles that exist force some weight to nought, cycles come nearer by 1 / cycles only
            np.testing.assert_allclose(np.bincount(code, found), np.bincount(code, start), rtol=1e-3)
    if len(used) > 1:
        few = two_way_fit(start, features, cycles=20, tolerance=0.0)
        np.testing.assert_allclose(few, twin.two_way_fit(start, used, 20), rtol=1e-9)


def test_smoothing_moves_towards_the_model_and_keeps_shares_within_profiles(aligned):
    problem = sp.formulate(aligned)
    half, whole = smoothed(problem, 0.5), smoothed(problem, 1.0)
    np.testing.assert_allclose(half.start, (problem.start + whole.start) / 2)
    np.testing.assert_allclose(half.donor_shares(), problem.donor_shares())
    np.testing.assert_allclose(np.bincount(half.donor_profile, half.donor_weight), half.start)
    np.testing.assert_allclose(smoothed(whole, 1.0).start, whole.start, rtol=1e-4)
    assert better_start(problem, aligned, smooth=0.5).problem.start.tolist() == half.start.tolist()
    chosen = better_start(problem, aligned, smooth=True, seed=3).facts["smooth"]
    assert chosen["likelihood"][str(chosen["strength"])] == max(chosen["likelihood"].values())
    with pytest.raises(ValueError, match="0 to 1"):
        smoothed(problem, 1.5)


def test_households_are_smoothed_by_their_members():
    problem = small_household_problem()
    made = smoothed(problem, 1.0)
    assert made.start.sum() == pytest.approx(problem.start.sum())
    assert (made.start > 0).all()


# ---- ridge


@given(st.integers(0, 999))
def test_ridge_is_the_twins(seed):
    rng = np.random.default_rng(seed)
    n = 30
    features, response = rng.normal(size=(n, 4)), rng.normal(size=(n, 2))
    weight = rng.gamma(1.0, 1.0, (n, 2))
    features[:, 3] = 2.0  # says nothing
    for made, penalty in zip(fit_ridge(features, response, weight, [1e-3, 1.0]), [1e-3, 1.0], strict=True):
        design = _design(features, made.centre, made.scale)
        for j in range(2):
            intercept, coefficients = twin.ridge(design, response[:, j], weight[:, j], penalty)
            np.testing.assert_allclose(made.predict(features)[:, j], intercept + design @ coefficients, rtol=1e-5, atol=1e-7)
        again = Ridge.of_plain(made.plain())
        np.testing.assert_array_equal(again.predict(features), made.predict(features))


# ---- learnt joints


def test_the_error_that_is_said_is_of_strengths_chosen_without_the_areas_judged():
    from synthpop_gb.assessment.starts.learnt import _cross_validated

    fold, drawn = np.arange(20) % 4, np.random.default_rng(3)
    error = {(f, g, f_out): drawn.random(6) for f in range(4) for g in range(f, 4) for f_out in {f, g}}  # trained without f and g

    def judged(train, out):
        assert not (train & out).any()
        gone = np.unique(fold[~train])
        return error[gone[0], gone[-1], fold[out][0]]

    by_strength, nested = _cross_validated(judged, fold)
    np.testing.assert_allclose(by_strength, sum(error[f, f, f] for f in range(4)))
    expected = 0.0
    for f in range(4):
        inner = sum(error[min(f, g), max(f, g), g] for g in range(4) if g != f)
        expected += error[f, f, f][np.argmin(inner)]
    assert nested == pytest.approx(expected)
    assert nested >= by_strength.min()


def test_a_joint_learnt_elsewhere_is_nearer_the_truth_and_meets_the_tables(aligned, elsewhere):
    problem = sp.formulate(aligned)
    made = better_start(problem, aligned, learnt=[Learnt("age_sex", training=elsewhere)])
    (before,), (after,) = (judged_errors(p, aligned.held_out[:1]).values() for p in (problem, made.problem))
    assert after < 0.6 * before
    (facts,) = made.facts["learnt"]
    assert facts["error_learnt"] < facts["error_fit"]
    population = sp.solve(made.problem, seed=5)
    assert_fits(population)
    assert "120 zones elsewhere" in repr(made)


def test_the_tilted_fit_has_the_joint_that_was_predicted(aligned, elsewhere):
    from synthpop_gb.assessment.starts.learnt import _predicted, learn, shares, tilted

    problem = sp.formulate(aligned)
    table, ridge, _ = learn(problem, aligned, Learnt("age_sex", training=elsewhere))
    joint, zones = Joint.of(problem, table), np.arange(problem.n_zones)
    expected = _predicted(ridge, shares(problem, zones), joint.counts(zones), joint.margins)
    population = sp.solve(tilted(problem, problem, [(table, ridge)]), seed=1)
    weights, members = population.fitted(), np.zeros((population.problem.n_profiles, 6))
    profile, record, share = population.problem.people_shares()
    np.add.at(members, (profile, table.record_cell[record]), share)
    np.testing.assert_allclose(weights @ members, expected, atol=0.02)
    assert len(joint.margins) == 3  # age, sex, everybody; work tells no cell of the joint


def test_a_joint_of_a_variable_that_no_table_has_splits_profiles(aligned, elsewhere):
    problem = sp.formulate(aligned)
    wanted = [Learnt("age_sex", training=elsewhere), Learnt("tenure", training=elsewhere)]
    made = better_start(problem, aligned, learnt=wanted)
    taken = [f["table"] for f in made.facts["learnt"] if f["strength"] is not None]
    if "tenure" in taken:
        assert made.problem.n_profiles > problem.n_profiles
    else:
        assert any("'tenure'" in f.message and f.level == "warning" for f in made.findings)
    assert_fits(sp.solve(made.problem, seed=2))


def test_what_is_held_out_is_never_learnt_from_the_zones_themselves(aligned, elsewhere):
    problem = sp.formulate(aligned)
    with pytest.raises(InputError, match="start-leak") as caught:
        better_start(problem, aligned, learnt=[Learnt("age_sex", training=aligned), Learnt("nothing", training=elsewhere)])
    assert [f.code for f in caught.value.findings] == ["start-leak", "start-training"]
    short = study("F", n_zones=6, seed=7)
    with pytest.raises(InputError, match="only 6 of its zones"):
        better_start(problem, aligned, learnt=[Learnt("age_sex", training=short)])
    other = replace(elsewhere, constraints=elsewhere.constraints[:2])
    with pytest.raises(InputError, match="other constraints"):
        better_start(problem, aligned, learnt=[Learnt("age_sex", training=other)])
    with pytest.raises(ValueError, match="name one of them"):
        Learnt("age_sex")


def test_truth_of_the_study_does_not_reach_the_start(aligned, elsewhere):
    """Whatever the held-out table of the study says, the start is the same bits."""
    problem = sp.formulate(aligned)
    table = aligned.held_out[0]
    lied = replace(aligned, held_out=(replace(table, targets=table.targets * 0 + 7),))
    made = [better_start(problem, a, learnt=[Learnt("age_sex", training=elsewhere)]).problem for a in (aligned, lied)]
    np.testing.assert_array_equal(made[0].tilt, made[1].tilt)


def test_a_joint_is_learnt_from_areas_above():
    aligned = study(n_zones=120, seed=8)
    above = with_level(aligned, np.argsort(np.argsort(aligned.constraints[0].targets.to_numpy()[:, 2], kind="stable")) // 4)
    problem = sp.formulate(above)
    made = better_start(problem, above, learnt=[Learnt("age_sex", level="msoa")])
    assert made.facts["learnt"][0]["areas"] == 30
    before, after = (judged_errors(p, above.held_out[:1])["age_sex"] for p in (problem, made.problem))
    assert after < 0.8 * before
    with pytest.raises(InputError, match="no tables of the level"):
        better_start(problem, above, learnt=[Learnt("age_sex", level="lad")])
    with pytest.raises(InputError, match="no table of msoa"):
        better_start(problem, above, learnt=[Learnt("sex_work", level="msoa")])


def test_facts_make_the_same_problem_again(elsewhere):
    import json

    aligned = study(regions=("north", "south"))
    problem = sp.formulate(aligned)
    asked = {"own_region": "auto", "smooth": True, "learnt": [Learnt("age_sex", training=elsewhere)], "max_copies": 9, "seed": 4}
    made = better_start(problem, aligned, **asked)
    again = better_start(problem, aligned, known=json.loads(json.dumps(made.facts)), **asked)
    assert again.facts == made.facts
    np.testing.assert_array_equal(again.problem.tilt, made.problem.tilt)
    np.testing.assert_array_equal(again.problem.start, made.problem.start)


# ---- solving from starts that differ by zone


@pytest.fixture(scope="module")
def tilted_problem(elsewhere):
    aligned = study(regions=("north", "south"), n_zones=20)
    learnt = [Learnt("age_sex", training=elsewhere)]
    return better_start(sp.formulate(aligned), aligned, own_region=0.3, learnt=learnt).problem


def test_the_bits_do_not_depend_on_how_the_work_is_done(tilted_problem, tmp_path):
    whole = sp.solve(tilted_problem, seed=3, workers=1, replicates=2)
    for options in (
        {"workers": 2, "block_size": 3},
        {"block_size": 1, "workers": 1},
        {"checkpoint": tmp_path / "a", "block_size": 4},
    ):
        other = sp.solve(tilted_problem, seed=3, replicates=2, **options)
        assert_same_population(whole, other)
        assert whole.replicates.digest() == other.replicates.digest()
    with ProcessPoolExecutor(2) as pool:
        assert_same_population(whole, sp.solve(tilted_problem, seed=3, executor=pool, block_size=7))
    order = np.random.default_rng(1).permutation(tilted_problem.n_zones)
    shuffled = replace(tilted_problem, **tilted_problem.by_zone(order))
    assert_same_population(whole, sp.solve(shuffled, seed=3))


def test_a_finished_block_of_another_tilt_is_not_taken(tilted_problem, tmp_path):
    sp.solve(tilted_problem, seed=3, checkpoint=tmp_path)
    other = replace(tilted_problem, tilt=tilted_problem.tilt * 0.5)
    expected = sp.solve(other, seed=3)
    assert_same_population(expected, sp.solve(other, seed=3, checkpoint=tmp_path))


def test_the_fit_keeps_the_odds_of_the_tilted_start():
    problem = small_problem(1)
    tilt = np.log([[3.0]])
    made = add_tilt(problem, np.array([[0, -1, -1, -1]]), tilt)
    weights = sp.solve(made, seed=1).fitted()[0]
    odds = weights[0] * weights[3] / (weights[1] * weights[2])
    assert odds == pytest.approx(3.0 * problem.start[0] * problem.start[3] / (problem.start[1] * problem.start[2]), rel=1e-4)


def test_methods_that_cannot_are_refused(tilted_problem):
    for method in ("anneal", "calibrate", "qisi"):
        with pytest.raises(ValueError, match="differ by zone"):
            sp.solve(tilted_problem, method=method)
        with pytest.raises(ValueError, match="how often a donor stands"):
            sp.solve(replace(small_problem(), max_copies=3), method=method)


# ---- limits on copies


@pytest.mark.parametrize(("most", "size", "cap"), [(1, 170, 1), (2, 340, 2), (0.007, 340, 2)])
def test_no_donor_stands_more_often_than_it_may(most, size, cap):
    problem = replace(sp.formulate(study(size=size)), max_copies=most)
    population = sp.solve(problem, seed=6)
    caps = problem.caps(np.arange(problem.n_zones))
    assert set(caps) == {cap}
    assert_fits(population)
    placed = population.donors()
    zone = np.repeat(np.arange(problem.n_zones), np.diff(placed.indptr))
    assert (placed.n <= caps[zone]).all()
    assert placed.n.max() == caps.max()
    weights = population.fitted()
    assert (weights <= np.diff(problem.donor_start) * caps[:, None] * (1 + 1e-9)).all()
    assert (population.status["at_limit"] > 0).any()
    free = sp.solve(replace(problem, max_copies=None), seed=6).donors()
    assert free.n.max() > caps.max()


def test_limits_hold_in_replicates(aligned):
    problem = replace(sp.formulate(study(size=150)), max_copies=2)
    population = sp.solve(problem, seed=6, replicates=2)
    for number in (1, 2):
        made = population.replicate(number)
        assert int(made.status["people"].sum()) == population.people
        lengths = np.diff(made.indptr)
        zone = np.repeat(np.arange(problem.n_zones), lengths)
        assert (made.count <= 2 * np.diff(problem.donor_start)[made.profile]).all(), zone


def test_a_limit_that_tables_cannot_keep_is_said(aligned):
    problem = sp.formulate(aligned)
    few = replace(problem, targets=problem.targets * 1000)
    made = better_start(few, aligned, max_copies=1)
    assert [f.code for f in made.findings] == ["too-few-copies"]
    assert "12 zones" in made.findings[0].message
    with pytest.warns(FitWarning):
        population = sp.solve(made.problem, seed=1)
    assert (population.status["fit"] == "INFEASIBLE").all()
    assert population.donors().n.max() == 1
    for wrong in (0, -1, 1.5, np.inf):
        with pytest.raises(ValueError, match="max_copies"):
            replace(problem, max_copies=wrong)


# ---- exclusions


def test_records_are_left_out_and_counted():
    people = pd.DataFrame({"job": ["none", "nurse", None], "age": [30, 40, 90]}, index=["a", "b", "c"])
    left = exclude(Microdata("three", people, {}, Universe("everybody")), "not job = 'none' and age > 35")
    assert left.records.index.tolist() == ["a", "c"]  # of c it is not known
    assert [(f.code, f.count) for f in left.findings] == [("excluded", 1)]
    assert left.findings[0].rows["record"].tolist() == ["b"]


def test_whole_households_are_left_out():
    people = pd.DataFrame(
        {"job": ["none", "nurse", "none", "none", "nurse"], "home": ["a", "a", "b", None, None]}, index=list("vwxyz")
    )
    survey = Microdata("five", people, {}, Universe("everybody"), household="home")
    left = exclude(survey, "job = 'nurse'")
    assert left.records.index.tolist() == ["x", "y"]
    assert left.findings[-1].count == 3
    with pytest.raises(InputError, match="nobody is left"):
        exclude(survey, "job in ('none', 'nurse')")
    with pytest.raises(InputError, match="bad-condition"):
        exclude(survey, "job = nurse")


# ---- what cross-validation measures


def test_left_out_errors_do_not_praise_a_start_for_the_areas_level(aligned):
    """A start that only shifts a table's level, alike for everybody, predicts it neither better nor worse."""
    problem = sp.formulate(aligned)
    k = 1
    cell = problem.cell_of[k] - problem.constraint_start[k]
    shifted = replace(problem, start=problem.start * np.array([1.0, 5.0])[cell])
    before, after = left_out_errors(problem), left_out_errors(shifted)
    assert after["sex"] == pytest.approx(before["sex"], abs=0.3)


# ---- whole households


def test_households_start_from_a_blend_a_limit_and_a_tilt():
    problem = small_household_problem(4)
    tilt = add_tilt(problem, np.array([[0, -1, 1, -1, -1]]), np.tile([0.5, -0.3], (4, 1)))
    for made in (problem, tilt):
        population = sp.solve(made, method="balance", seed=2)
        assert_fits(population)
        limited = replace(made, max_copies=6)
        under = sp.solve(limited, method="balance", seed=2)
        assert under.placed().n.max() <= 6
        assert (under.fitted() <= 6 * (1 + 1e-9)).all()
    plain, leaning = (sp.solve(p, method="balance", seed=2).fitted() for p in (problem, tilt))
    assert not np.allclose(plain, leaning, atol=1e-3)


def test_persons_are_balanced_from_the_same_starts_as_raked(tilted_problem):
    raked, balanced = (sp.solve(tilted_problem, method=m, seed=1).fitted() for m in ("ipf", "balance"))
    np.testing.assert_allclose(raked, balanced, atol=1e-3)
    limited = replace(tilted_problem, max_copies=2)
    raked, balanced = (sp.solve(limited, method=m, seed=1) for m in ("ipf", "balance"))
    np.testing.assert_allclose(raked.fitted(), balanced.fitted(), atol=1e-2)
    assert balanced.donors().n.max() <= 2
