"""Balancing one zone equals its slow twin and SciPy's optimum, and these laws hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from synthpop_gb.incidence import Incidence
from synthpop_gb.kernels.balance import balance_bounded, balance_work, balance_zone
from synthpop_gb.status import FitStatus
from tests.kernels.fit_problems import problems
from tests.kernels.household_problems import households
from tests.reference import balance as twin
from tests.reference.entropy import fit_zone


def balance(rows, start, target, variance=0.0, bounds=None, tolerance=1e-8, max_steps=300, duals=None):
    """Run the kernel on one zone: (weights, duals, status, steps, residual, worst)."""
    target = np.asarray(target, float)
    variance = np.broadcast_to(np.asarray(variance, float), target.shape).copy()
    duals = np.zeros(len(target)) if duals is None else duals.copy()
    weights, work = np.empty(len(start)), balance_work(len(start), len(target))
    with np.errstate(divide="ignore"):
        log_start = np.log(np.asarray(start, float))
    limits = () if bounds is None else tuple(np.broadcast_to(np.asarray(b, float), len(start)).copy() for b in bounds)
    kernel = balance_zone if bounds is None else balance_bounded
    found = kernel(*rows, log_start, *limits, target, variance, tolerance, max_steps, duals, weights, work)
    return weights, duals, *found


@settings(max_examples=80, deadline=None)
@given(households())
def test_exact_fit_equals_the_twin_and_meets_every_target(made):
    for target in made.targets:
        weights, duals, status, _, residual, worst = balance(made.rows, made.start, target)
        size = max(target.max(), 1.0)
        if not target.any():
            assert (status, worst) == (FitStatus.EMPTY, -1)
            assert not weights.any()
            continue
        assert status == FitStatus.CONVERGED or residual < 1e-6 * size, (status, residual, worst)
        np.testing.assert_allclose(weights @ made.counted, target, atol=2e-6 * size)
        assert (weights >= 0).all()
        if status == FitStatus.CONVERGED:
            expected, _ = twin.balance_zone(made.counted, made.start, target, np.zeros(len(target)))
            np.testing.assert_allclose(weights, expected, rtol=1e-4, atol=1e-4 * size)
            with np.errstate(divide="ignore", invalid="ignore"):
                again = made.start * np.exp(np.where(made.counted > 0, made.counted * duals, 0.0).sum(axis=1))
            np.testing.assert_allclose(weights, again, rtol=1e-9, atol=1e-12 * size)


@settings(max_examples=60, deadline=None)
@given(households(), st.integers(0, 99))
def test_soft_fit_equals_the_twin(made, seed):
    rng = np.random.default_rng(seed)
    target = np.rint(made.targets[0] + rng.normal(0, 2, made.targets.shape[1])).clip(0)
    variance = rng.choice([1.0, 4.0, 9.0], len(target))
    start = made.start * max(made.truth[0].sum(), 1.0) / made.start.sum()
    weights, duals, status, _, residual, _ = balance(made.rows, start, target, variance)
    size = max(target.max(), 1.0)
    assert status == FitStatus.CONVERGED or residual < 1e-9 * size
    expected, _ = twin.balance_zone(made.counted, start, target, variance)
    np.testing.assert_allclose(weights, expected, rtol=1e-5, atol=1e-6 * size)
    np.testing.assert_allclose(weights @ made.counted + variance * duals, target, atol=1e-7 * size)


@pytest.mark.parametrize("variance", [0.0, 2.0])
def test_weights_are_the_optimum_that_scipy_finds(variance):
    rng = np.random.default_rng(3)
    size = np.array([1, 1, 1, 2, 2, 3, 3, 4])
    women = np.array([0, 1, 1, 1, 2, 1, 2, 2])
    counted = np.stack([size == 1, size > 1, women, size - women], axis=1).astype(int)
    start = rng.uniform(1, 4, 8)
    target = (start * np.exp(counted @ [0.3, 0.0, -0.2, 0.2])) @ counted + (0.0 if variance == 0 else 1.5)
    soft = np.full(4, variance)
    weights = balance(rows(counted), start, target, variance)[0]
    conditions = () if variance else {"type": "eq", "fun": lambda w: w @ counted - target}
    best = optimize.minimize(
        twin.objective, start, (counted, start, target, soft), method="SLSQP", bounds=[(1e-9, None)] * 8,
        constraints=conditions, options={"ftol": 1e-14, "maxiter": 2000},
    )  # fmt: skip
    assert best.success
    assert twin.objective(weights, counted, start, target, soft) <= best.fun + 1e-8
    np.testing.assert_allclose(weights, best.x, rtol=1e-4)


def rows(counted):
    """Incidence of a dense matrix, as kernels take it."""
    i = Incidence.of_rows(np.asarray(counted))
    return i.start, i.cell, i.count


@settings(max_examples=40, deadline=None)
@given(problems())
def test_persons_get_the_weights_of_iterative_proportional_fitting(made):
    i = Incidence.of_cells(made.cell_of, made.targets.shape[1])
    for target in made.targets:
        if target.any():
            weights, _, status, _, residual, _ = balance((i.start, i.cell, i.count), made.start, target)
            size = max(target.max(), 1.0)
            assert status == FitStatus.CONVERGED or residual < 1e-6 * size
            scaled = (
                made.start * target[: made.constraint_start[1]].sum() / made.start.sum()
            )  # the twin needs a start of the right size
            expected = fit_zone(scaled, made.cell_of, target)
            np.testing.assert_allclose(weights, expected, rtol=1e-4, atol=1e-4 * size)


@settings(max_examples=40, deadline=None)
@given(households(), st.sampled_from([0.0, 3.0]))
def test_a_fit_begun_at_its_answer_takes_no_step(made, variance):
    target = made.targets[0]
    _, duals, status, *_ = balance(made.rows, made.start, target, variance, tolerance=1e-6)
    if status == FitStatus.CONVERGED:
        _, _, status, steps, *_ = balance(made.rows, made.start, target, variance, tolerance=1.1e-6, duals=duals)
        assert (status, steps) == (FitStatus.CONVERGED, 0)


@settings(max_examples=60, deadline=None)
@given(households(), st.integers(0, 99))
def test_bounds_hold_and_equal_the_twin(made, seed):
    rng, target = np.random.default_rng(seed), made.targets[0]
    low, high = 0.9 * made.truth[0], 1.1 * made.truth[0] + rng.uniform(0, 0.2, len(made.start)) * made.truth[0].max()
    if not target.any():
        return
    start = made.start * made.truth[0].sum() / made.start.sum()
    weights, _, status, _, residual, worst = balance(made.rows, start, target, bounds=(low, high))
    size = max(target.max(), 1.0)
    alive = weights > 0
    assert (weights[alive] <= high[alive] * (1 + 1e-9)).all()
    assert (weights[alive] >= low[alive] * (1 - 1e-9)).all()
    assert status == FitStatus.CONVERGED or residual < 0.02 * size, (status, residual, worst)
    if status == FitStatus.CONVERGED:
        expected, _ = twin.balance_zone(made.counted, start, target, np.zeros(len(target)), low, high)
        if np.abs(expected @ made.counted - target).max() < 1e-6 * size:
            mine, theirs = (
                twin.objective(w, made.counted, made.start, target, np.zeros(len(target))) for w in (weights, expected)
            )
            assert mine <= theirs + 1e-5 * size


def test_bounds_that_forbid_a_target_are_infeasible():
    counted, start = np.array([[1, 0, 1], [0, 1, 2], [0, 1, 3]]), np.array([5.0, 5.0, 5.0])
    *_, status, _, residual, worst = balance(rows(counted), start, [9.0, 6.0, 23.0], bounds=(0.0, 8.0))
    assert (status, worst) == (FitStatus.INFEASIBLE, 0)
    assert residual >= 1.0
    assert balance(rows(counted), start, [8.0, 6.0, 22.0], bounds=(0.0, 8.0))[2] == FitStatus.CONVERGED


def test_a_clash_stalls_and_gets_the_nearest_weights():
    counted = np.array([[1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 1], [0, 1, 2, 0]])
    target = np.array([50.0, 20.0, 30.0, 40.0])  # 50 alone and 20 couples are 90 people, the other table has 70
    weights, duals, status, steps, residual, _ = balance(rows(counted), np.full(4, 10.0), target)
    assert status == FitStatus.STALLED
    assert steps < 80
    assert 2 < residual < 12
    variance = 0.01 * target
    best = twin.balance_zone(counted, np.full(4, 10.0), target, variance)[0]
    np.testing.assert_allclose(weights, best, rtol=1e-6)
    assert np.isfinite(duals).all()


def test_a_cell_that_no_household_fills_is_named_and_the_others_are_met():
    counted = np.array([[1, 0, 0, 1], [0, 1, 0, 2], [0, 1, 0, 3]])
    weights, _, status, _, residual, worst = balance(rows(counted), np.ones(3), [10.0, 5.0, 4.0, 22.0])
    assert (status, worst) == (FitStatus.INFEASIBLE, 2)
    assert residual == pytest.approx(4.0)
    np.testing.assert_allclose(weights @ counted, [10, 5, 0, 22], atol=1e-6)


def test_start_weights_of_any_size_are_brought_to_the_zone_in_a_step():
    rng = np.random.default_rng(1)
    counted = np.unique(
        np.concatenate([np.eye(3, dtype=int)[rng.integers(0, 3, 60)], rng.integers(0, 4, (60, 3))], axis=1), axis=0
    )
    start = rng.lognormal(0, 0.5, len(counted))
    target = start * np.exp(rng.normal(0, 0.2, 6)[:] @ counted.T) @ counted
    near = balance(rows(counted), start, target)
    far = balance(rows(counted), start * 1e6, target)
    assert far[3] <= near[3] + 2
    np.testing.assert_allclose(near[0], far[0], rtol=1e-6)
