"""Calibrating to area incomes: equal to the twin, tables met as before, and what soft targets promise."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import synthpop_gb as sp
from synthpop_gb.assessment.incomes import IncomeTarget, calibrate_incomes
from synthpop_gb.assessment.incomes._aims import aims_of, income_bands
from synthpop_gb.assessment.incomes._link import _likeliest, link_areas
from synthpop_gb.assessment.incomes._moments import moments_of
from synthpop_gb.assessment.incomes._told import noticed
from synthpop_gb.assessment.incomes.target import match
from synthpop_gb.assessment.refits import zone_weights
from synthpop_gb.errors import InputError
from tests.reference import incomes as slow
from tests.stages.incomes_world import county, persons, published

EARNERS = "income > 0"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = county(tmp_path_factory.mktemp("county"))
    path = made.folder / "plain.toml"
    path.write_text(made.text, encoding="utf-8")
    made.aligned = sp.pipeline.align(sp.load_study(path))[0]
    made.problem = sp.formulate(made.aligned)
    return made


def fitted(problem):
    return np.concatenate(list(zone_weights(problem, np.arange(problem.n_zones))))


def figures_of(problem, aligned, target):
    """Mean of the target's column by area under the problem's fit, worked out record by record."""
    one = match(aligned, target)[0]
    profile, record, share = problem.people_shares()
    weight = fitted(problem)[:, profile] * share * one.answers.base[record]
    sums = np.zeros((len(one.areas), 2))
    inside = one.area >= 0
    np.add.at(sums, one.area[inside], np.stack([weight @ one.answers.value[record], weight.sum(axis=1)], axis=1)[inside])
    return pd.Series(sums[:, 0] / sums[:, 1], one.areas)


# the parts


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 9)), min_size=4, max_size=40), st.integers(4, 30))
def test_bands_score_as_the_twin_says(people, bands):
    value, weight = np.array(people, float).T
    band, score = income_bands(value, weight, bands)
    expected = slow.normal_scores(value, weight)
    assert (np.diff(score) > 0).all()
    assert abs(np.bincount(band, weight) @ score) < 1e-9 * weight.sum()
    mean = np.array([np.average(expected[band == b], weights=weight[band == b]) for b in range(len(score))])
    assert np.allclose(score, mean - np.average(expected, weights=weight))
    order = np.argsort(value, kind="stable")
    assert (np.diff(band[order]) >= 0).all()  # who has more is in no lower band


@given(st.integers(0, 10_000), st.integers(5, 30), st.floats(0.01, 2.0), st.booleans())
def test_the_linking_model_is_the_twins(seed, n, tau, sloped):
    rng = np.random.default_rng(seed)
    psi, x = rng.uniform(0.01, 0.5, n), np.column_stack([np.ones(n), rng.normal(size=n)])[:, : 1 + sloped]
    y = x @ rng.normal(size=1 + sloped) + rng.normal(size=n) * np.sqrt(psi + tau**2)
    found = link_areas(y, psi, x, tau)
    assert np.allclose(found.beta, slow.generalised_least_squares(y, psi, x, tau))
    gamma = tau**2 / (tau**2 + psi)
    assert np.allclose(gamma * y + (1 - gamma) * found.expected, slow.best_predictor(y, psi, x, tau))
    likeliest = _likeliest(y, psi, x)
    best = slow.adjusted_likelihood(y, psi, x, likeliest)
    assert likeliest > 0
    assert all(slow.adjusted_likelihood(y, psi, x, t) <= best + 1e-6 for t in np.geomspace(0.002, 4.9, 300))


def test_areas_without_a_figure_are_expected_on_the_line_and_say_nothing():
    y, x = np.array([1.0, 2.0, 3.0, np.nan, 5.0]), np.column_stack([np.ones(5), np.arange(5.0)])
    found = link_areas(y, np.full(5, 1e-4), x, 0.1, tested=True)
    assert found.expected == pytest.approx([1, 2, 3, 4, 5], abs=1e-6)
    flat = link_areas(np.array([1.0, -1.0, 1.0, -1.0, 1.0]), np.full(5, 1.0), x, 0.1, tested=True)
    assert len(flat.beta) == 1  # a slope within twice its error is left out


def test_the_error_said_is_the_error_made():
    """Many sets of few areas from the model itself: mean squared error of best predictors against the mean of what is said."""
    rng, made, said = np.random.default_rng(8), [], []
    for _ in range(400):
        psi, x = rng.uniform(0.2, 2.0, 20) * 0.02, np.ones((20, 1))
        theta = 0.1 + 0.12 * rng.standard_normal(20)
        y = theta + np.sqrt(psi) * rng.standard_normal(20)
        y[:2], psi[:2] = np.nan, np.nan  # nothing is published of two
        found = link_areas(y, psi, x)
        gamma = found.weight(psi)
        best = gamma * np.nan_to_num(y) + (1 - gamma) * found.expected
        made.append((best - theta) ** 2)
        said.append(found.squared_error(psi))
    ratio = np.mean(said, axis=0) / np.mean(made, axis=0)
    assert 0.85 < ratio[2:].mean() < 1.2
    assert 0.8 < ratio[:2].mean() < 1.25
    sure = link_areas(np.linspace(-1, 1, 20), np.full(20, 1e-9), np.ones((20, 1)))
    assert sure.squared_error(np.full(20, 1e-9)) == pytest.approx(1e-9, rel=1e-3)


def test_targets_that_only_judge_move_nothing(world):
    judge = IncomeTarget(published(world.truth["msoa"], 0.02, of="household"), "equivalised_income", "msoa", held_out=True)
    found = calibrate_incomes(world.problem, world.aligned, [judge])
    assert found.facts["steps"] == 0
    assert found.problem.tilt is None
    assert found.frame["after"].equals(found.frame["before"])


@pytest.mark.parametrize("kind", ["persons", "households", "median", "share"])
def test_answers_to_tilts_are_those_of_small_steps(world, kind):
    if kind == "persons":
        aligned = persons()
        target = IncomeTarget(published(np.full(3, 2e4), index=["SD0", "SD1", "SD2"]), "income", "district", where=EARNERS)
        problem = sp.formulate(aligned)
    else:
        aligned, problem, truth = world.aligned, world.problem, world.truth["msoa"]
        more = {"households": {}, "median": {"measure": "median"}, "share": {"measure": "share", "above": 30_000.0}}[kind]
        target = IncomeTarget(
            published(truth if kind != "share" else 0.4 + 0 * truth, of="household", **more), "equivalised_income", "msoa"
        )
    aims = aims_of(problem, [match(aligned, target)[0]], 12)
    aim, step = aims.aims[0], 1e-3
    tilt = np.array([0.3, *np.zeros(len(aim.matched.areas) - 1)])
    at = moments_of(aims, aims.tilted([tilt]))
    up, down = (
        aim.linked(moments_of(aims, aims.tilted([tilt + d * (np.arange(len(tilt)) == 0)]), answers=False).ratio[0])
        for d in (step, -step)
    )
    measured = (up - down) / (2 * step)
    assert at.answer.toarray()[:, 0] == pytest.approx(measured, abs=2e-4)
    assert measured[0] > 0.01


def test_the_tilts_are_the_twins_best():
    aligned = persons(n_zones=6, n=120)
    problem = sp.formulate(aligned)
    goal = np.array([19e3, 24e3, 21e3, 30e3, 18e3, 22e3])
    error = np.array([0.02, 0.1, 0.05, 0.05, 0.3, 0.02])
    target = IncomeTarget(published(goal, error, index=aligned.zones), "income", "zone", where=EARNERS)
    found = calibrate_incomes(problem, aligned, [target], bands=6, prior=0.4)
    aims = aims_of(problem, [match(aligned, target)[0]], 6)
    aim, split = aims.aims[0], aims.problem
    data = (split.start, aims.scores[:, 0], split.cell_of, split.targets, aim.matched.area, aim.income[:, 0], aim.people)
    assert found.frame["tilt"].to_numpy() == pytest.approx(slow.best_tilts(np.log(goal), error, 0.4, *data), abs=2e-3)


# what it promises


def test_tables_are_met_as_before_and_incomes_by_record_are_what_is_said(world):
    target = IncomeTarget(published(world.truth["msoa"], 0.01, of="household"), "equivalised_income", "msoa")
    found = calibrate_incomes(world.problem, world.aligned, [target])
    members = found.problem.members.matrix()
    assert np.abs(fitted(found.problem) @ members - found.problem.targets).max() < 1e-3
    for problem, column in ((world.problem, "before"), (found.problem, "after")):
        mine = figures_of(problem, world.aligned, target).to_numpy()
        assert mine == pytest.approx(found.frame[column].to_numpy(), rel=1e-6)
    before, after = (np.abs(found.frame[c] / found.frame["published"] - 1).mean() for c in ("before", "after"))
    assert after < 0.2 * before
    zone = world.truth["zone"]
    by_zone = [figures_of(p, world.aligned, IncomeTarget(published(zone, 0.01, of="household"), "equivalised_income", "zone"))
               for p in (world.problem, found.problem)]  # fmt: skip
    errors = [np.abs(f / zone.reindex(f.index) - 1).mean() for f in by_zone]
    assert errors[1] < errors[0]  # zones that were told nothing are nearer their truth


def test_sure_figures_are_met_unsure_ones_are_not(world):
    truth = world.truth["msoa"] * np.array([1.0, 1.15, 0.9, 1.0])
    gaps = []
    for error in (1e-4, 0.05, 1.0):
        target = IncomeTarget(published(truth, error, of="household"), "equivalised_income", "msoa")
        frame = calibrate_incomes(world.problem, world.aligned, [target], prior=0.3).frame
        gaps.append(np.abs(np.log(frame["after"] / frame["published"])).to_numpy())
    assert gaps[0].max() < 1e-3
    assert (gaps[0] < gaps[1]).all()
    assert (gaps[1] <= gaps[2] + 1e-9).all()
    weights = frame["weight"].to_numpy()
    assert (weights > 0).all()
    assert (weights < 0.1).all()


def test_a_prior_of_nought_moves_all_areas_together(world):
    target = IncomeTarget(published(world.truth["zone"] * 1.1, 0.02, of="household"), "equivalised_income", "zone")
    frame = calibrate_incomes(world.problem, world.aligned, [target], prior=0.0).frame
    assert frame["tilt"].nunique() <= len(frame)
    assert (
        np.ptp(frame["tilt"] - np.polyval(np.polyfit(np.log(frame["before"]), frame["tilt"], 1), np.log(frame["before"]))) < 1e-4
    )


def test_out_of_reach_is_said_and_stops_at_the_limit(world):
    target = IncomeTarget(published(world.truth["msoa"] * 40, 1e-3, of="household"), "equivalised_income", "msoa")
    found = calibrate_incomes(world.problem, world.aligned, [target], prior=50.0)
    assert found.frame["at_limit"].all()
    assert [f.code for f in found.findings] == ["income-shortfall"]
    assert found.findings[0].count == len(found.frame)
    shares = found.frame.assign(published=0.125, after=0.0625)
    assert "0.125 published, 0.0625 reached" in noticed(shares)[0].message


def test_what_is_kept_back_moves_nothing_and_judges(world):
    aimed = IncomeTarget(published(world.truth["msoa"], 0.02, of="household"), "equivalised_income", "msoa")
    judge = IncomeTarget(
        published(world.truth["zone"], 0.02, of="household", name="zones"), "equivalised_income", "zone", held_out=True
    )
    both, alone = (calibrate_incomes(world.problem, world.aligned, t) for t in ([aimed, judge], [aimed]))
    assert np.allclose(both.frame["tilt"][: len(alone.frame)], alone.frame["tilt"], atol=1e-6)
    kept = both.frame[both.frame["held_out"]]
    assert np.abs(kept["tilt"]).max() < 1e-6
    assert kept["standard_error"].isna().all()
    assert (kept["weight"] == 0).all()
    told = both.facts["targets"][1]
    assert told["held_out"]
    assert told["error_after"] < told["error_before"]


def test_two_levels_and_two_kinds_of_income_settle_together(world):
    people = world.made.persons
    adults = people[people["age"] >= 16]
    earned = adults["income"].groupby(adults["zone"].astype(str).map(world.made.lookup.set_index("zone")["district"])).mean()
    targets = [
        IncomeTarget(published(earned, 0.005, name="earned"), "income", "district", where="age >= 16"),
        IncomeTarget(published(world.truth["msoa"], 0.03, of="household"), "equivalised_income", "msoa"),
        IncomeTarget(published(world.truth["zone"], 0.05, of="household", name="zones"), "equivalised_income", "zone"),
    ]
    found = calibrate_incomes(world.problem, world.aligned, targets)
    assert found.facts["settled"]
    assert found.facts["steps"] < 15
    for told in found.facts["targets"]:
        assert told["error_after"] < told["error_before"]
    again = calibrate_incomes(world.problem, world.aligned, targets, known=found.facts)
    assert np.array_equal(again.problem.tilt, found.problem.tilt)
    assert np.array_equal(again.problem.start, found.problem.start)
    pd.testing.assert_frame_equal(again.frame, found.frame, check_exact=False, rtol=1e-9)


def test_zones_bound_by_levels_are_fitted_with_their_areas():
    from tests.stages.starts_world import with_level

    aligned = with_level(persons(n_zones=8), [0, 0, 0, 0, 1, 1, 1, 1])
    level = aligned.levels[0]
    from dataclasses import replace

    aligned = replace(aligned, levels=(replace(level, constraints=level.held_out, held_out=()),))
    problem = sp.formulate(aligned)
    target = IncomeTarget(published(np.linspace(18e3, 26e3, 8), 0.02, index=aligned.zones), "income", "zone", where=EARNERS)
    found = calibrate_incomes(problem, aligned, [target])
    population = sp.solve(found.problem, seed=1, workers=1)
    one = match(aligned, target)[0]
    profile, record, share = found.problem.people_shares()
    weight = population.fitted()[:, profile] * share * one.answers.base[record]
    assert (weight @ one.answers.value[record]) / weight.sum(axis=1) == pytest.approx(found.frame["after"].to_numpy(), rel=1e-4)


# what is refused


def test_every_reason_is_said_at_once():
    aligned = persons()
    good = published(np.full(8, 2e4), index=aligned.zones)
    targets = [
        IncomeTarget(published(np.full(8, 2e4), index=aligned.zones, year=2019), "income", "zone"),
        IncomeTarget(published(np.full(8, 2e4), np.nan, index=aligned.zones), "income", "zone"),
        IncomeTarget(good, "incomes", "zone"),
        IncomeTarget(good, "income", "msoa"),
        IncomeTarget(published([2e4], index=["E02000001"]), "income", "district"),
        IncomeTarget(published(np.full(8, 2e4), index=aligned.zones, of="household"), "income", "zone"),
    ]
    with pytest.raises(InputError) as error:
        calibrate_incomes(sp.formulate(aligned), aligned, targets)
    codes = [f.code for f in error.value.findings]
    assert codes == ["income-year", "income-error", "bad-condition", "income-areas", "income-areas", "bad-condition"]


def test_areas_without_a_figure_get_the_line_and_a_warning():
    aligned = persons(n_zones=12)
    target = IncomeTarget(published(np.full(11, 3e4), 0.01, index=aligned.zones[1:]), "income", "zone", where=EARNERS, uprate=1.1)
    found = calibrate_incomes(sp.formulate(aligned), aligned, [target])
    assert [(f.code, f.level, f.count) for f in found.findings] == [("income-areas", "warning", 1)]
    last = found.frame.iloc[-1]
    assert last["area"] == aligned.zones[0]
    assert np.isnan(last["published"])
    assert last["weight"] == 0
    assert last["tilt"] > 0.1
    assert last["after"] > last["before"]
    assert found.frame["published"].iloc[0] == pytest.approx(33_000)


def test_arguments_out_of_range():
    aligned = persons()
    problem = sp.formulate(aligned)
    target = IncomeTarget(published(np.full(8, 2e4), index=aligned.zones), "income", "zone")
    for more in ({"bands": 3}, {"prior": -1.0}, {"prior": np.nan}):
        with pytest.raises(ValueError):
            calibrate_incomes(problem, aligned, [target], **more)
    with pytest.raises(ValueError):
        calibrate_incomes(problem, aligned, [])
