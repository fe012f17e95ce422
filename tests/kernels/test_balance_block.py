"""Balancing side by side equals balancing one zone, in any company; the tree of households loses nobody."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from synthpop_gb.kernels import balance_block as module
from synthpop_gb.kernels.balance_block import balance_block
from synthpop_gb.kernels.balance_layout import balance_layout
from synthpop_gb.status import FitStatus
from tests.kernels.household_problems import households
from tests.kernels.test_balance import balance
from tests.reference import balance as twin


def block(made, targets, variance=0.0, *, group=None, groups=None, scale=None, tolerance=1e-8, max_steps=300, duals=None):
    layout = balance_layout(*made.rows, made.start, made.constraint_start, group)
    targets = np.atleast_2d(targets)
    variance = np.broadcast_to(np.asarray(variance, float), targets.shape).copy()
    groups = np.ones((len(targets), 1)) if groups is None else groups
    scale = np.ones(len(targets)) if scale is None else scale
    return balance_block(layout, scale, groups, targets, variance, tolerance, max_steps, duals)


def weights_of(made, start, duals):
    with np.errstate(invalid="ignore", divide="ignore"):
        return start * np.exp(np.where(made.counted > 0, made.counted * duals, 0.0).sum(axis=1))


@settings(max_examples=60, deadline=None)
@given(households(), st.integers(0, 3))
def test_the_tree_holds_every_row(made, n_groups):
    group = np.random.default_rng(0).integers(0, n_groups + 1, len(made.start))
    tree = balance_layout(*made.rows, made.start, made.constraint_start, group)
    rows, path = {}, []
    for i, depth in enumerate(tree.depth):
        path = [*path[: max(depth - 1, 0)], *([(tree.cell_at[tree.cell[i]], tree.count[i])] if depth else [])]
        assert tree.cell[i] == 0 or depth > 0
        for e in range(tree.leaf_start[i], tree.leaf_start[i + 1]):
            rows[tuple(sorted(path)), tree.leaf_group[e]] = tree.leaf_weight[e]
    wanted = {}
    for counted, s, g in zip(made.counted, made.start, group, strict=True):
        if s > 0:
            word = tuple((c, n) for c, n in enumerate(counted) if n), g
            wanted[word] = wanted.get(word, 0.0) + s
    assert rows == pytest.approx(wanted)
    assert len(tree.depth) <= 1 + sum(len(w[0]) for w in wanted)


@settings(max_examples=60, deadline=None)
@given(households(), st.sampled_from(["exact", "soft", "mixed"]), st.integers(0, 99))
def test_zones_side_by_side_equal_zones_alone(made, kind, seed):
    rng = np.random.default_rng(seed)
    targets, n_cells = made.targets, made.targets.shape[1]
    variance = {"exact": np.zeros(n_cells), "soft": np.full(n_cells, 4.0), "mixed": rng.choice([0.0, 4.0], n_cells)}[kind]
    scale = made.truth.sum(axis=1) / made.start.sum()
    fit = block(made, targets, variance, scale=scale)
    for z, target in enumerate(targets):
        if scale[z] == 0:
            assert (fit.status[z], fit.worst[z], fit.steps[z]) == (FitStatus.EMPTY, -1, 0)
            continue
        weights, _, status, _, residual, _ = balance(made.rows, scale[z] * made.start, target, variance)
        size = max(target.max(), 1.0)
        mine = weights_of(made, scale[z] * made.start, fit.duals[z])
        if status == fit.status[z] == FitStatus.CONVERGED:
            np.testing.assert_allclose(mine, weights, rtol=1e-5, atol=1e-5 * size)
        else:
            assert max(residual, fit.residual[z]) < 1e-6 * size
        miss = np.abs(np.where(variance > 0, mine @ made.counted + variance * np.where(variance > 0, fit.duals[z], 0) - target,
                               mine @ made.counted - target))  # fmt: skip
        assert miss.max() == pytest.approx(fit.residual[z], abs=1e-9 * size)


@settings(max_examples=30, deadline=None)
@given(households(), st.sampled_from([0.0, 2.0]), st.integers(0, 99))
def test_groups_multiply_the_start_weights(made, variance, seed):
    rng = np.random.default_rng(seed)
    group, target = rng.integers(0, 3, len(made.start)), made.targets[:1]
    groups = np.exp(rng.normal(0, 0.5, (1, 3)))
    groups[0, 2] *= rng.integers(0, 2)
    if not target.any():
        return
    tilted = made.start * groups[0, group]
    scale = made.truth[:1].sum(axis=1) / made.start.sum()
    fit = block(made, target, variance, group=group, groups=groups, scale=scale)
    weights, _, status, *_ = balance(made.rows, scale[0] * tilted, target[0], variance)
    if status == fit.status[0] == FitStatus.CONVERGED:
        mine = weights_of(made, scale[0] * tilted, fit.duals[0])
        np.testing.assert_allclose(mine, weights, rtol=1e-5, atol=1e-5 * max(target.max(), 1))


@settings(max_examples=30, deadline=None)
@given(households(most_zones=9), st.sampled_from([0.0, 1.0]))
def test_a_zone_has_the_same_bits_in_any_company(made, variance):
    scale = made.truth.sum(axis=1) / made.start.sum()
    together = block(made, made.targets, variance, scale=scale)
    turned = block(made, made.targets[::-1].copy(), variance, scale=scale[::-1].copy())
    for a, b in zip(together, turned, strict=True):
        np.testing.assert_array_equal(a, b[::-1])
    for z in range(len(made.targets)):
        for a, b in zip(together, block(made, made.targets[z], variance, scale=scale[z : z + 1]), strict=True):
            np.testing.assert_array_equal(a[z], b[0])


def clash(n_zones=5):
    """Zones of a small problem of which every second contradicts itself, and the third lacks a household."""

    class Made:
        counted = np.array([[1, 0, 1, 0, 0], [1, 0, 0, 1, 0], [0, 1, 1, 1, 0], [0, 1, 2, 0, 0]])
        start = np.full(4, 10.0)
        constraint_start = np.array([0, 2, 5])
        rows = None

    from synthpop_gb.incidence import Incidence

    i = Incidence.of_rows(Made.counted)
    Made.rows = i.start, i.cell, i.count
    targets = np.tile([50.0, 20.0, 45.0, 45.0, 0.0], (n_zones, 1))
    targets[1::2, 2:4] = [30.0, 40.0]
    targets[2, 4] = 3.0
    return Made, targets


def test_statuses_are_those_of_one_zone():
    made, targets = clash()
    fit = block(made, targets)
    assert [FitStatus(s).name for s in fit.status] == ["CONVERGED", "STALLED", "INFEASIBLE", "STALLED", "CONVERGED"]
    for z, target in enumerate(targets):
        weights, _, status, _, residual, worst = balance(made.rows, made.start, target)
        assert (status, worst) == (fit.status[z], fit.worst[z]) or residual < 1e-8
        np.testing.assert_allclose(weights_of(made, made.start, fit.duals[z]), weights, rtol=1e-6)
        assert fit.residual[z] == pytest.approx(residual, abs=1e-6)


def test_more_zones_than_lanes_and_fewer_give_the_same(monkeypatch):
    made, targets = clash(11)
    wide = block(made, targets)
    monkeypatch.setattr(module, "LANES", 2)
    for a, b in zip(wide, block(made, targets), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_limit_of_steps_is_told():
    made, targets = clash()
    fit = block(made, targets[:1], max_steps=1)
    assert FitStatus(fit.status[0]) == FitStatus.CYCLE_LIMIT
    assert fit.steps[0] == 1
    again = block(made, targets[:1], duals=block(made, targets[:1]).duals, tolerance=1e-6)
    assert again.steps[0] == 0


def stiff(made, seed, noise, error):
    """Targets of which every cell was perturbed by itself, so that tables disagree, and the variance that goes with them."""
    rng = np.random.default_rng(seed)
    targets = np.rint(made.targets + rng.normal(0, noise, made.targets.shape)).clip(0)
    scale = np.maximum(targets[:, : made.constraint_start[1]].sum(axis=1), 1.0) / made.start.sum()
    return targets, np.full(targets.shape[1], 0.01 * error**2), scale


def check_optimum(made, fit, targets, variance, scale):
    """Assert that what was found is the one optimum: weights of the duals, in log space, whose gradient is nought."""
    used = made.start > 0
    for z, target in enumerate(targets):
        assert fit.status[z] == FitStatus.CONVERGED, (z, FitStatus(fit.status[z]), fit.steps[z], fit.residual[z])
        duals = fit.duals[z].astype(np.longdouble)
        weights = scale[z] * made.start[used] * np.exp(made.counted[used] @ duals)
        reach = max(1.0, np.abs(made.counted * fit.duals[z]).max() / 50)
        gradient = weights @ made.counted[used] + variance * duals - target
        size = max(target.max(), weights.sum(), 1.0)
        assert np.abs(gradient).max() < 1e-6 + 1e-11 * reach * size


@settings(max_examples=150, deadline=None)
@given(households(), st.integers(0, 9999), st.sampled_from([0.5, 2.0, 30.0]), st.sampled_from([0.05, 0.5, 2.0]))
def test_soft_fits_end_at_their_optimum_whatever_the_tables_say(made, seed, noise, error):
    targets, variance, scale = stiff(made, seed, noise, error)
    fit = block(made, targets, variance, scale=scale, tolerance=1e-6, max_steps=200)
    check_optimum(made, fit, targets, variance, scale)


@settings(max_examples=40, deadline=None)
@given(households(most_zones=2), st.integers(0, 9999))
def test_stiff_fits_equal_the_twin_and_scipy(made, seed):
    targets, variance, scale = stiff(made, seed, 1.0, 0.5)
    fit = block(made, targets, variance, scale=scale, tolerance=1e-6, max_steps=200)
    for z, target in enumerate(targets):
        start, size = scale[z] * made.start, max(target.max(), 1.0)
        mine = weights_of(made, start, fit.duals[z])
        theirs, _ = twin.balance_zone(made.counted, start, target, variance)
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-5 * size)
        alone, _, status, _, residual, _ = balance(made.rows, start, target, variance, tolerance=1e-6)
        assert status == FitStatus.CONVERGED, (status, residual)
        np.testing.assert_allclose(mine, alone, rtol=1e-5, atol=1e-6 * size)
        used = start > 0

        def dual(x, start=start[used], a=made.counted[used], target=target):
            with np.errstate(over="ignore"):
                w = start * np.exp(a @ x)
            return w.sum() - target @ x + variance @ x**2 / 2, w @ a - target + variance * x

        best = optimize.minimize(dual, fit.duals[z], jac=True, method="L-BFGS-B")  # from the answer there is nowhere lower
        assert dual(fit.duals[z])[0] <= best.fun + 1e-9 * max(abs(best.fun), 1.0)


def test_a_soft_nought_and_a_soft_cell_without_households_keep_the_others_where_they_are():
    made, targets = clash(3)
    targets = targets[:1]
    targets[0] = [50.0, 20.0, 45.0, 0.0, 3.0]  # a published nought where every second household has somebody, a cell of nobody
    for error in (1e-3, 0.5, 5.0):
        variance, scale = np.full(5, error**2), np.array([70.0 / 40])
        fit = block(made, targets, variance, scale=scale, tolerance=1e-6)
        check_optimum(made, fit, targets, variance, scale)
        assert fit.duals[0, 4] == pytest.approx(3.0 / error**2)
        assert fit.steps[0] < 60
        assert weights_of(made, scale[0] * made.start, fit.duals[0]).sum() < 80


def test_tables_that_differ_by_thousands_still_have_an_answer():
    made, targets = clash(3)
    targets *= np.array([[1.0], [100.0], [1e4]])
    targets[:, 0] += [500.0, 2000.0, 9e4]
    variance = np.full(5, 0.0025)
    scale = targets[:, :2].sum(axis=1) / made.start.sum()
    check_optimum(made, block(made, targets, variance, scale=scale, tolerance=1e-6), targets, variance, scale)
