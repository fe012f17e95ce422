"""Calibration equals its slow twin and SciPy's optimum for every distance, and these laws hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from synthpop_gb.kernels.calibrate import calibrate_block
from synthpop_gb.kernels.links import LINKS, Link, link_value, linked_weights, zone_scales
from synthpop_gb.status import FitStatus
from tests.kernels.fit_problems import problems
from tests.reference import calibrate as twin
from tests.reference.entropy import fit_zone, incidence

KINDS = {"linear": Link(LINKS["linear"]), "entropy": Link(LINKS["entropy"])}
KINDS |= {name: Link(LINKS[name], 0.1, 6.0) for name in ("bounded", "logit")}


def calibrate(link, start, cell_of, bounds, targets, variance, tolerance=1e-8, max_steps=500, order=None):
    """Run the kernel on some zones: (weights, duals, status, steps, residual, worst)."""
    targets = np.atleast_2d(np.asarray(targets, float))
    variance = np.ascontiguousarray(np.broadcast_to(np.asarray(variance, float), targets.shape))
    n = len(targets)
    cells = np.ascontiguousarray(np.where(cell_of < 0, targets.shape[1], cell_of).T.astype(np.int32))
    scale = zone_scales(link, start, cell_of, bounds, targets)
    out = np.zeros_like(targets), np.empty(n, np.int8), np.empty(n, np.int32), np.empty(n), np.empty(n, np.int32)
    order = np.arange(n) if order is None else order
    part = [np.ascontiguousarray(x[order]) for x in (scale, targets, variance)]
    calibrate_block(link, part[0], start, cells, part[1], part[2], tolerance, max_steps, *out)
    return linked_weights(link, start, cell_of, bounds, targets[order], out[0]), *out


@pytest.mark.parametrize("kind", KINDS)
def test_links_equal_the_formula_and_their_integral(kind):
    link = KINDS[kind]
    assert link_value(link, 0.0) == pytest.approx((1.0, 1.0, 0.0), abs=1e-15)
    for u in np.linspace(-4, 4, 33):
        expected = [float(x) for x in twin.link(kind, u, link.lower, link.upper)]
        np.testing.assert_allclose(link_value(link, u), expected, rtol=1e-12, atol=1e-14)
        rise = (link_value(link, u + 1e-6)[2] - link_value(link, u - 1e-6)[2]) / 2e-6
        assert rise == pytest.approx(expected[0], rel=1e-6, abs=1e-6)
    for u in (-800.0, 800.0):
        if kind in ("bounded", "logit"):
            assert link_value(link, u)[0] == pytest.approx(link.lower if u < 0 else link.upper)


@settings(max_examples=60, deadline=None)
@given(problems(), st.sampled_from(sorted(KINDS)), st.integers(0, 99))
def test_soft_fit_equals_the_twin(made, kind, seed):
    rng, link = np.random.default_rng(seed), KINDS[kind]
    targets = np.rint(made.targets + rng.normal(0, 2, made.targets.shape)).clip(0)
    variance = np.full(targets.shape, 4.0)
    scale = zone_scales(link, made.start, made.cell_of, made.constraint_start, targets)
    weights, duals, status, _, residual, _ = calibrate(link, made.start, made.cell_of, made.constraint_start, targets, 4.0)
    for z in range(len(targets)):
        if scale[z] == 0:
            assert status[z] == FitStatus.EMPTY
            assert not weights[z].any()
            continue
        size = max(targets[z].max(), 1.0)
        assert status[z] == FitStatus.CONVERGED or residual[z] < 1e-9 * size
        expected, _ = twin.calibrate_zone(
            scale[z] * made.start, made.cell_of, targets[z], variance[z], kind, link.lower, link.upper
        )
        np.testing.assert_allclose(weights[z], expected, rtol=1e-5, atol=1e-6 * size)
        fitted = made.margins(weights[z : z + 1])[0]
        np.testing.assert_allclose(fitted + 4.0 * duals[z], targets[z], atol=2e-8 * size)


@settings(max_examples=60, deadline=None)
@given(problems(outside=True), st.sampled_from(["entropy", "linear"]))
def test_hard_fit_equals_the_twin(made, kind):
    link = KINDS[kind]
    weights, _, status, _, residual, worst = calibrate(link, made.start, made.cell_of, made.constraint_start, made.targets, 0.0)
    scale = zone_scales(link, made.start, made.cell_of, made.constraint_start, made.targets)
    for z, target in enumerate(made.targets):
        if scale[z] == 0:
            continue
        size = max(target.max(), 1.0)
        assert status[z] == FitStatus.CONVERGED or residual[z] < 1e-7 * size, (status[z], residual[z], worst[z])
        expected, _ = twin.calibrate_zone(scale[z] * made.start, made.cell_of, target, np.zeros(len(target)), kind)
        np.testing.assert_allclose(weights[z], expected, rtol=1e-5, atol=1e-6 * size)
        if kind == "entropy":
            np.testing.assert_allclose(
                weights[z], fit_zone(scale[z] * made.start, made.cell_of, target), rtol=1e-5, atol=1e-6 * size
            )


@pytest.mark.parametrize("kind", KINDS)
def test_soft_fit_is_the_optimum_that_scipy_finds(kind):
    link, rng = KINDS[kind], np.random.default_rng(5)
    bounds = np.array([0, 3, 5])
    cell_of = np.array([np.repeat([0, 1, 2], 4), 3 + np.tile([0, 1], 6)], np.int32)
    start = rng.uniform(1, 4, 12)
    target, variance = np.array([30.0, 20.0, 10.0, 45.0, 19.0]), np.array([1.0, 1.0, 4.0, 2.0, 2.0])
    weights = calibrate(link, start, cell_of, bounds, target, variance)[0][0]
    d, a = start * 60 / start.sum(), incidence(cell_of, 5)
    low = {"bounded": link.lower, "logit": link.lower + 1e-9, "entropy": 1e-9, "linear": -50.0}[kind]
    high = link.upper - 1e-9 if kind in ("bounded", "logit") else 100.0
    best = optimize.minimize(
        twin.objective, d.clip(low * d, high * d), (d, a, target, variance, kind, link.lower, link.upper),
        method="L-BFGS-B", bounds=list(zip(low * d, high * d, strict=True)),
        options={"maxiter": 5000, "maxfun": 500000, "ftol": 1e-15, "gtol": 1e-9},
    )  # fmt: skip
    mine = twin.objective(weights, d, a, target, variance, kind, link.lower, link.upper)
    assert mine <= best.fun * (1 + 1e-9)
    np.testing.assert_allclose(weights, best.x, rtol=2e-3)


def two_by_two():
    return np.array([3.0, 1.0, 1.0, 2.0]), np.array([[0, 0, 1, 1], [2, 3, 2, 3]], np.int32), np.array([0, 2, 4])


@pytest.mark.parametrize("kind", KINDS)
def test_bounds_hold_and_what_they_forbid_is_infeasible(kind):
    start, cell_of, bounds = two_by_two()
    link = KINDS[kind]._replace(lower=0.5, upper=1.5) if kind in ("bounded", "logit") else KINDS[kind]
    d = start * 70 / start.sum()
    targets = np.array([[44.0, 26.0, 38.0, 32.0], [69.0, 1.0, 38.0, 32.0]])
    weights, _, status, _, residual, worst = calibrate(link, start, cell_of, bounds, targets, 0.0)
    assert status[0] == FitStatus.CONVERGED
    np.testing.assert_allclose(incidence(cell_of, 4).T @ weights[0], targets[0], atol=1e-7)
    if kind in ("bounded", "logit"):
        assert (weights >= 0.5 * d - 1e-9).all()
        assert (weights <= 1.5 * d + 1e-9).all()
        assert status[1] == FitStatus.INFEASIBLE
        assert residual[1] > 4
        assert worst[1] in (0, 1)
    else:
        assert status[1] == FitStatus.CONVERGED
        assert (kind == "linear") == (weights[1].min() < 0)


def test_a_clash_stalls_when_hard_and_converges_when_soft():
    start, cell_of, bounds = two_by_two()
    start[1] = 0.0  # nobody is in cells 0 and 3 at once, so cell 2 must hold at least as many as cell 0
    target = np.array([60.0, 40.0, 20.0, 80.0])
    _, _, status, steps, residual, _ = calibrate(KINDS["entropy"], start, cell_of, bounds, target, 0.0)
    assert status[0] in (FitStatus.STALLED, FitStatus.CYCLE_LIMIT)
    assert residual[0] > 1
    assert steps[0] < 500
    weights, _, status, steps, residual, _ = calibrate(KINDS["entropy"], start, cell_of, bounds, target, 0.25)
    assert status[0] == FitStatus.CONVERGED
    assert residual[0] <= 1e-8
    assert (weights >= 0).all()
    assert steps[0] < 60


def test_totals_that_differ_meet_at_their_precision_weighted_mean():
    start, cell_of, bounds = two_by_two()
    target, variance = np.array([50.0, 50.0, 52.0, 52.0]), np.array([0.25, 0.25, 1.0, 1.0])
    weights = calibrate(KINDS["entropy"], start * 100, cell_of, bounds, target, variance)[0][0]
    assert weights.sum() == pytest.approx((100 / 0.5 + 104 / 2.0) / (1 / 0.5 + 1 / 2.0), abs=0.1)


def test_an_exact_cell_of_nobody_takes_its_profiles_out_and_an_unfillable_one_is_named():
    start, cell_of, bounds = two_by_two()
    for link in KINDS.values():
        weights, duals, status, *_ = calibrate(link, start, cell_of, bounds, [10.0, 0.0, 4.0, 6.0], 0.0, max_steps=100)
        assert duals[0, 1] == -np.inf
        assert (weights[0, 2:] == 0).all()
        assert status[0] == FitStatus.CONVERGED or link.kind in (LINKS["bounded"], LINKS["logit"])
    start[2:] = 0.0
    _, _, status, _, residual, worst = calibrate(KINDS["entropy"], start, cell_of, bounds, [10.0, 5.0, 9.0, 6.0], 0.0)
    assert (status[0], worst[0]) == (FitStatus.INFEASIBLE, 1)
    assert residual[0] >= 5 - 1e-9


@settings(max_examples=20, deadline=None)
@given(problems(), st.sampled_from(sorted(KINDS)), st.sampled_from([0.0, 1.0]))
def test_a_zone_has_the_same_bits_in_any_company(made, kind, variance):
    arrays = made.start, made.cell_of, made.constraint_start
    whole = calibrate(KINDS[kind], *arrays, made.targets, variance)
    turned = calibrate(KINDS[kind], *arrays, made.targets, variance, order=np.arange(len(made.targets))[::-1])
    for a, b in zip(whole, turned, strict=True):
        np.testing.assert_array_equal(a, b[::-1])
    for z in range(len(made.targets)):
        np.testing.assert_array_equal(whole[1][z], calibrate(KINDS[kind], *arrays, made.targets[z], variance)[1][0])


def test_scales_come_from_the_constraint_that_counts_most():
    start, link = np.array([1.0, 2.0, 1.0]), KINDS["linear"]
    cell_of, bounds = np.array([[0, 1, -1], [2, 2, 3]]), np.array([0, 2, 4])
    targets = np.array([[10.0, 5.0, 12.0, 8.0], [3.0, 3.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    np.testing.assert_allclose(zone_scales(link, start, cell_of, bounds, targets), [5.0, 2.0, 0.0])
    np.testing.assert_allclose(zone_scales(Link(), start, cell_of, bounds, targets), 1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_another_start_leads_to_the_same_weights_in_fewer_steps(kind):
    rng = np.random.default_rng(2)
    cats = np.stack(np.unravel_index(np.arange(24), (2, 3, 4)))
    bounds = np.array([0, 2, 5, 9], np.int32)
    cell_of, start = (cats + bounds[:-1, None]).astype(np.int32), rng.gamma(2.0, 1.0, 24)
    people = rng.poisson(30, 24).astype(float)
    targets = np.concatenate([np.bincount(row, people, s) for row, s in zip(cats, (2, 3, 4), strict=True)])[None]
    variance, n_cells = np.full(9, 0.5), 9
    scale = zone_scales(KINDS[kind], start, cell_of, bounds, targets)
    cells = np.ascontiguousarray(cell_of.T)

    def run(duals):
        out = duals.copy(), np.empty(1, np.int8), np.empty(1, np.int32), np.empty(1), np.empty(1, np.int32)
        calibrate_block(KINDS[kind], scale, start, cells, targets, variance[None], 1e-8, 200, *out)
        return linked_weights(KINDS[kind], start, cell_of, bounds, targets, out[0]), out

    plain, (duals, _, steps, _, _) = run(np.zeros((1, n_cells)))
    warm, (_, status, fewer, _, _) = run(duals)
    assert status[0] == FitStatus.CONVERGED
    assert np.allclose(warm, plain, atol=1e-6)
    assert fewer[0] == 0 < steps[0]
