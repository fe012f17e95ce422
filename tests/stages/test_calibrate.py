"""Calibration as users meet it: regression estimator, raking, bounds, soft targets, whole people, equal bits, saved runs."""

import json
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthpop_gb import load, save, solve
from synthpop_gb.methods import CalibrateOptions
from synthpop_gb.testing import assert_fits, assert_same_population, small_problem
from tests.problems import make_problem
from tests.reference.entropy import incidence

BOUNDS = {"lower": 0.2, "upper": 5.0}


def cells_of(problem, weights):
    return weights @ incidence(problem.cell_of, problem.n_cells)


def people_of(population):
    return np.stack([np.bincount(population.profile[a:b], population.count[a:b], population.problem.n_profiles)
                     for a, b in zip(population.indptr[:-1], population.indptr[1:], strict=True)])  # fmt: skip


def perturbed(problem, sd, seed=0):
    """The problem with its targets as the truth, published with noise of standard deviation `sd` in every cell."""
    rng = np.random.default_rng(seed)
    truth = problem.targets
    published = np.where(truth.sum(axis=1, keepdims=True) > 0, np.rint(truth + rng.normal(0, sd, truth.shape)).clip(0), 0.0)
    return replace(problem, published=published, standard_error=np.full(problem.n_cells, sd))


@pytest.fixture(scope="module")
def problem():
    return make_problem(n_zones=14, n_cats=(2, 5, 4), empty=(3,))


def test_linear_is_the_regression_estimator(problem):
    """GREG total of y = expansion total of y + (t - A'd)' B, B the weighted regression of y on the cells (Deville & Sarndal)."""
    population = solve(problem, method="calibrate", options={"distance": "linear", "soft": False}, seed=1)
    a, y = incidence(problem.cell_of, problem.n_cells), np.random.default_rng(4).normal(10, 3, problem.n_profiles)
    weights = population.fitted()
    for z, target in enumerate(problem.targets):
        if not target.any():
            assert not weights[z].any()
            continue
        d = problem.start * target[:2].sum() / problem.start.sum()
        b = np.linalg.pinv(a.T @ (d[:, None] * a)) @ (a.T @ (d * y))
        assert weights[z] @ y == pytest.approx(d @ y + (target - a.T @ d) @ b, rel=1e-9)
    assert_fits(population)


def test_linear_weights_below_nought_are_counted_and_nobody_is_drawn_from_them():
    problem = small_problem(1)
    problem = replace(problem, targets=np.array([[14.0, 1.0, 1.0, 14.0]]), start=np.array([8.0, 1.0, 1.0, 1.0]))
    population = solve(problem, method="calibrate", options={"distance": "linear"}, seed=1)
    negative = (population.fitted() < 0).sum()
    assert population.status["negative"].item() == negative > 0
    assert (people_of(population) >= 0).all()
    assert (population.status["whole"] == "EXACT").all()


def test_entropy_with_exact_targets_gives_the_weights_of_ipf(problem):
    ipf = solve(problem, method="ipf", seed=1)
    population = solve(problem, method="calibrate", seed=1)
    np.testing.assert_allclose(population.fitted(), ipf.fitted(), atol=1e-6)
    assert population.settled is None
    assert_fits(population)


def test_bounds_hold_and_are_reported_where_they_cannot():
    problem = make_problem(n_zones=14, n_profiles=8, n_cats=(2, 4))
    d = problem.start / problem.start.sum()
    for distance in ("logit", "bounded"):
        population = solve(problem, method="calibrate", options={"distance": distance, **BOUNDS}, seed=1)
        ratio = population.fitted() / (problem.targets[:, :2].sum(axis=1, keepdims=True) * d)
        assert ratio.min() >= 0.2 - 1e-9
        assert ratio.max() <= 5 + 1e-9
        with pytest.warns(UserWarning, match="infeasible|stalled"):
            tight = solve(problem, method="calibrate", options={"distance": distance, "lower": 0.99, "upper": 1.01}, seed=1)
        missed = tight.status[tight.status["fit"] != "CONVERGED"]
        assert (missed["residual"] > 0.1).any()
        assert (missed["worst_cell"] != "").all()


@pytest.mark.parametrize("sd", [2.0, 4.0])
def test_soft_fits_are_nearer_the_truth_than_the_tables_published(sd):
    truth = make_problem(n_zones=60, n_profiles=120, n_cats=(2, 5, 5, 5), mean_people=1500.0, seed=3)
    soft = perturbed(truth, sd)
    population = solve(soft, method="calibrate", seed=1)
    assert (population.status["fit"] == "CONVERGED").all()
    ours = np.abs(cells_of(soft, population.fitted()) - truth.targets).sum()
    theirs = np.abs(soft.published - truth.targets).sum()
    whole = np.abs(cells_of(soft, people_of(population)) - truth.targets).sum()
    assert ours < 0.97 * theirs
    assert whole < theirs
    assert population.status["misfit"].mean() < 17


def test_totals_settle_by_precision_and_whole_people_meet_the_rounded_tables(problem):
    soft = perturbed(problem, 1.0)
    population = solve(soft, method="calibrate", seed=1)
    assert_fits(population)
    fitted, settled = cells_of(soft, population.fitted()), population.settled
    np.testing.assert_array_equal(settled, cells_of(soft, people_of(population)))
    assert (np.abs(settled - fitted) < 2).all()
    totals = np.stack([settled[:, a:b].sum(axis=1) for a, b in zip([0, 2, 7], [2, 7, 11], strict=True)])
    np.testing.assert_array_equal(totals[0], totals[1])
    np.testing.assert_array_equal(totals[0], totals[2])
    tae = np.abs(cells_of(soft, people_of(population)) - soft.published).sum(axis=1)
    np.testing.assert_allclose(population.status["tae_published"], tae)
    np.testing.assert_allclose(population.status["shift"], np.abs(fitted - soft.published).max(axis=1), atol=1e-6)
    assert "rounded from the fit" in repr(population)


def test_whole_people_of_soft_fits_are_unbiased():
    problem = replace(small_problem(1), published=np.array([[5.4, 9.0, 8.0, 8.1]]), standard_error=np.ones(4))
    many = [solve(problem, method="calibrate", seed=s) for s in range(600)]
    counts = np.stack([people_of(p)[0] for p in many])
    error = counts.std(axis=0) / np.sqrt(len(counts))
    assert (np.abs(counts.mean(axis=0) - many[0].fitted()[0]) < 4.5 * error + 1e-9).all()


def test_exact_tables_stay_exact_beside_soft_ones(problem):
    error = np.where(np.arange(problem.n_cells) < 2, 0.0, 2.0)
    soft = replace(perturbed(problem, 2.0), standard_error=error)
    population = solve(soft, method="calibrate", seed=1)
    np.testing.assert_allclose(cells_of(soft, population.fitted())[:, :2], problem.targets[:, :2], atol=1e-5)
    np.testing.assert_array_equal(population.settled[:, :2], problem.targets[:, :2])
    by_name = solve(perturbed(problem, 2.0), method="calibrate", options={"standard_error": {"table 0": 0.0}}, seed=1)
    assert_same_population(population, by_name)


def test_a_clash_that_stops_raking_is_settled_by_soft_targets():
    problem = replace(small_problem(1), start=np.array([2.0, 0.0, 1.5, 1.5]), targets=np.array([[12.0, 3.0, 5.0, 10.0]]))
    with pytest.warns(UserWarning, match="stalled"):
        solve(problem, method="ipf", seed=1)
    population = solve(problem, method="calibrate", options={"standard_error": 1.0}, seed=1)
    assert population.status["fit"].item() == "CONVERGED"
    assert population.status["whole"].item() == "EXACT"
    assert population.status["tae_published"].item() > 5
    assert population.status["misfit"].item() > 10


def test_a_published_nought_may_be_soft_or_exact():
    problem = replace(small_problem(1), targets=np.array([[15.0, 0.0, 7.0, 8.0]]), standard_error=np.full(4, 2.0))
    soft, exact = (solve(problem, method="calibrate", options={"zeros": z, "prior": 1.0}, seed=1) for z in ("soft", "exact"))
    assert cells_of(problem, soft.fitted())[0, 1] > 0.1
    assert cells_of(problem, exact.fitted())[0, 1] == 0
    assert not people_of(exact)[0, 2:].any()


def test_the_smaller_the_prior_the_nearer_the_published_counts(problem):
    soft = perturbed(problem, 2.0)
    misfit = [solve(soft, method="calibrate", options={"prior": x}, seed=1).status["misfit"].sum() for x in (1.0, 0.1, 0.001)]
    assert misfit[0] > misfit[1] > misfit[2]


@pytest.mark.parametrize("options", [{}, {"distance": "linear"}, {"distance": "logit"}, {"soft": False, "integerise": "cube"}])
def test_the_same_people_however_the_work_is_done(problem, options):
    soft = perturbed(problem, 1.5)
    soft = replace(soft, standard_error=np.broadcast_to(soft.standard_error, soft.targets.shape))
    first = solve(soft, method="calibrate", options=options, seed=5, workers=1)
    others = [
        solve(soft, method="calibrate", options=options, seed=5, workers=3, block_size=2),
        solve(soft.take(np.arange(soft.n_zones)[::-1]), method="calibrate", options=options, seed=5, block_size=3),
    ]
    with ThreadPoolExecutor(2) as pool:
        others.append(solve(soft, method="calibrate", options=options, seed=5, executor=pool, block_size=1))
    for other in others:
        assert_same_population(first, other)
        back = other.zones.get_indexer(first.zones)
        np.testing.assert_array_equal(other.duals[back], first.duals)
        np.testing.assert_array_equal(other.goals[back], first.goals)
        pd.testing.assert_frame_equal(other.status.loc[first.zones], first.status)


def test_the_same_people_from_other_processes_and_after_a_restart(problem, tmp_path):
    soft = perturbed(problem, 1.5)
    first = solve(soft, method="calibrate", seed=5, checkpoint=tmp_path / "blocks", block_size=4)
    with ProcessPoolExecutor(2) as pool:
        assert_same_population(first, solve(soft, method="calibrate", seed=5, executor=pool, block_size=3))
    again = solve(soft, method="calibrate", seed=5, checkpoint=tmp_path / "blocks", block_size=7)
    np.testing.assert_array_equal(again.settled, first.settled)
    pd.testing.assert_frame_equal(again.status, first.status)


@pytest.mark.parametrize("options", [{}, {"distance": "linear"}, {"distance": "logit", **BOUNDS}, {"soft": False}])
def test_saved_and_loaded(problem, options, tmp_path):
    population = solve(perturbed(problem, 1.0), method="calibrate", options=options, seed=1)
    folder = save(population, tmp_path / "run", licence="open")
    again = load(folder)
    np.testing.assert_array_equal(again.fitted(), population.fitted())
    np.testing.assert_array_equal(again.goals, population.goals)
    assert (again.settled is None) == (population.settled is None)
    assert_same_population(again, population)
    pd.testing.assert_frame_equal(again.status, population.status)
    said = json.loads((folder / "run.json").read_text(encoding="utf-8"))["method"]
    assert said["link"]["distance"] == options.get("distance", "entropy")
    assert (folder / "population" / "settled.parquet").exists() == (options.get("soft", True))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"distance": "chi"}, "distance is one of entropy, linear, bounded, logit"),
        ({"distance": "logit", "lower": 1.0}, "0 <= lower < 1 < upper"),
        ({"lower": -0.1}, "0 <= lower"),
        ({"upper": float("inf")}, "0 <= lower < 1 < upper"),
        ({"upper": True}, "0 <= lower < 1 < upper"),
        ({"soft": 1}, "soft is true or false"),
        ({"prior": 0}, "prior is a number above 0"),
        ({"zeros": "never"}, "zeros is one of soft, exact"),
        ({"tolerance": float("nan")}, "tolerance is a number of persons above 0"),
        ({"max_steps": 2.5}, "max_steps is a whole number"),
        ({"max_moves": -1}, "max_moves is a whole number"),
        ({"integerise": "luck"}, "integerise is one of"),
        ({"standard_error": -1.0}, "standard error of every table"),
        ({"standard_error": {"age": float("nan")}}, "standard error of age"),
        ({"standard_error": 1.0, "soft": False}, "leave it out"),
        ({"bounds": 3}, "has no option 'bounds'"),
    ],
)
def test_broken_options_are_refused(problem, options, said):
    with pytest.raises(ValueError, match=said):
        solve(problem, method="calibrate", options=options)


def test_a_standard_error_of_no_constraint_is_refused(problem):
    with pytest.raises(ValueError, match="names no constraint: height; there are table 0"):
        solve(problem, method="calibrate", options={"standard_error": {"height": 1.0}})


def test_empty_zones_and_zones_of_one_person():
    problem = small_problem(3)
    targets = problem.targets.copy()
    targets[0], targets[1] = 0.0, [1.0, 0.0, 0.0, 1.0]
    for options in ({}, {"standard_error": 0.5}, {"standard_error": 0.5, "zeros": "exact"}, {"distance": "linear"}):
        population = solve(replace(problem, targets=targets), method="calibrate", options=options, seed=2)
        assert population.status["fit"].tolist() == ["EMPTY", "CONVERGED", "CONVERGED"]
        assert people_of(population)[0].sum() == 0
        assert people_of(population)[1].sum() in (0, 1, 2)
        assert not population.fitted()[0].any()


def test_options_are_plain_values_for_a_study():
    options = CalibrateOptions(standard_error={"sex": 2, "age": 1})
    assert options.standard_error == {"age": 1.0, "sex": 2.0}
    assert CalibrateOptions(standard_error=2).standard_error == 2
