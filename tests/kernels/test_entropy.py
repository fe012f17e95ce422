"""Newton steps on the dual: each part equals dense linear algebra, and they fit what plain cycles cannot within reason."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthpop_gb.kernels.entropy import dual_newton, evaluate, factorise, fill_hessian, solve
from synthpop_gb.kernels.fit_layout import fit_layout, fit_work
from synthpop_gb.kernels.ipf import weights_from_duals
from tests.kernels.fit_problems import problems
from tests.reference import ipf as twin
from tests.reference.entropy import fit_zone, incidence

LANES = 3


def evaluated(made, seed):
    """Layout, work space evaluated at random multipliers, and the weights that belong to them, (lanes, n_profiles)."""
    layout, n_cells = fit_layout(*made.arrays), made.targets.shape[1]
    work = fit_work(layout, LANES)
    rng = np.random.default_rng(seed)
    work.u[:n_cells] = rng.lognormal(0, 1, (n_cells, LANES))
    work.u[:n_cells][rng.random((n_cells, LANES)) < 0.1] = 0.0
    evaluate(layout, work)
    with np.errstate(divide="ignore"):
        duals = np.log(work.u[:n_cells].T)
    return layout, work, weights_from_duals(made.start, made.cell_of, duals)


@given(problems(), st.integers(0, 99))
def test_margins_and_hessian_are_those_of_the_incidence_matrix(made, seed):
    layout, work, weights = evaluated(made, seed)
    n_cells = made.targets.shape[1]
    hessian, scratch = np.full((n_cells + 1, n_cells + 1, LANES), np.nan), np.full((n_cells + 1, LANES), np.nan)
    fill_hessian(layout, work, hessian, scratch)
    a = incidence(made.cell_of, n_cells)
    for l, w in enumerate(weights):
        np.testing.assert_allclose(work.margin[:n_cells, l], a.T @ w, rtol=1e-12, atol=1e-14 * w.max(initial=0))
        np.testing.assert_allclose(np.tril(hessian[:n_cells, :n_cells, l]), np.tril(a.T @ (w[:, None] * a)), rtol=1e-12)


@given(st.integers(1, 12), st.integers(0, 12), st.integers(0, 2**32 - 1))
def test_factor_and_solution_of_a_semi_definite_matrix(n, rank, seed):
    rng = np.random.default_rng(seed)
    b = rng.integers(-3, 4, (n, min(rank, n))).astype(float)
    matrix = b @ b.T
    rhs = matrix @ rng.normal(size=n)
    hessian, inverse, x = np.tril(matrix)[..., None].repeat(2, 2), np.empty((n, 2)), rhs[:, None].repeat(2, 1)
    factorise(hessian, np.zeros((n, 2)), inverse, n)
    solve(hessian, inverse, x, n)
    np.testing.assert_array_equal(x[:, 0], x[:, 1])
    assert (inverse[:, 0] > 0).sum() == np.linalg.matrix_rank(matrix)
    np.testing.assert_allclose(matrix @ x[:, 0], rhs, rtol=1e-7, atol=1e-7 * max(np.abs(rhs).max(), 1))


@settings(max_examples=40)
@given(problems(whole=False, tilt=1.0), st.sampled_from([1.0, 1e-4, 1e4]))
def test_newton_steps_fit_from_far_away(made, far):
    made.start *= far * made.targets[:, : made.constraint_start[1]].sum(axis=1).max() / made.start.sum()
    layout, n_cells = fit_layout(*made.arrays), made.targets.shape[1]
    targets = np.ascontiguousarray(np.resize(made.targets, (LANES, n_cells)).T)
    work = fit_work(layout, LANES)
    work.u[:n_cells] = targets > 0
    steps, met = np.empty(LANES, np.int32), np.empty(LANES, np.bool_)
    dual_newton(layout, work, targets, 1e-7 * targets, 100, steps, met)
    assert met.all()
    assert steps.max() < 60
    np.testing.assert_allclose(work.margin[:n_cells], targets, rtol=1e-7)


def test_one_lane_on_its_own_and_the_limit_of_steps():
    start = np.array([1.0, 5.0, 3.0, 2.0])
    cell_of = np.array([[0, 0, 1, 1], [2, 3, 2, 3]], np.int32)
    target = np.array([30.0, 70.0, 10.0, 90.0])
    layout = fit_layout(start, cell_of, [0, 2, 4])
    for most in (0, 1, 2, 50):
        work = fit_work(layout, 1)
        steps, met = np.empty(1, np.int32), np.empty(1, np.bool_)
        dual_newton(layout, work, target[:, None].copy(), np.full((4, 1), 1e-9), most, steps, met)
        assert steps[0] <= most
        assert met[0] == (most == 50)
    weights = weights_from_duals(start, cell_of, np.log(work.u[:4, 0]))
    np.testing.assert_allclose(weights, fit_zone(start, cell_of, target), rtol=1e-9)
    np.testing.assert_allclose(weights, twin.fit_zone(start, cell_of, [0, 2, 4], target, 500), rtol=1e-9)


@pytest.mark.parametrize("gap", [1e-3, 1.0, 50.0])
def test_a_contradiction_is_seen_within_a_few_steps(gap):
    start, cell_of = np.ones(4), np.array([[0, 0, 1, 1], [2, 3, 2, 3]], np.int32)
    layout, work = fit_layout(start, cell_of, [0, 2, 4]), None
    work = fit_work(layout, 2)
    targets = np.array([[30.0, 70.0, 10.0, 90.0], [30.0, 70.0, 10.0, 90.0 + gap]]).T.copy()
    steps, met = np.empty(2, np.int32), np.empty(2, np.bool_)
    dual_newton(layout, work, targets, np.full((4, 2), 1e-9), 500, steps, met)
    assert met.tolist() == [True, False]
    assert steps[1] <= 20
    assert np.isfinite(work.u).all()
