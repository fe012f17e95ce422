"""Zones and areas fitted together: equal to the dense twin, tables of both met, in any order of zones; contradictions end."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthpop_gb.incidence import Incidence
from synthpop_gb.kernels.nest_layout import nest_layout
from synthpop_gb.kernels.nested import nested_newton
from tests.reference import nested as reference


def made(seed, n_zones=5, n_profiles=12, cells=(2, 3), levels=((0, 0, 1, 1, 1),), level_cells=(2,), counts=False):
    """Zones with true weights, so that every table can be met: incidence, start weights, layout, targets."""
    rng = np.random.default_rng(seed)
    blocks = []
    for width in (*cells, *level_cells):
        block = np.zeros((n_profiles, width), int)
        block[np.arange(n_profiles), rng.integers(0, width, n_profiles)] = rng.integers(1, 4, n_profiles) if counts else 1
        blocks.append(block)
    members = np.concatenate(blocks, axis=1)
    of_zone = [np.array(level)[:n_zones] for level in levels]
    nest = nest_layout(n_zones, sum(cells), of_zone, level_cells)
    truth = rng.gamma(0.7, 20, (n_zones, n_profiles))
    return members, rng.uniform(0.5, 3, n_profiles), nest, truth, together(nest, truth, members)


def together(nest, weights, members):
    targets = np.zeros(nest.own[-1])
    for z, row in enumerate(nest.index):
        inside = row >= 0
        np.add.at(targets, row[inside], (weights[z] @ members)[inside])
    return targets


def fitted(members, start, nest, targets, variance=None, most=100, tolerance=1e-8, live=None):
    rows = Incidence.of_rows(members)
    variance = np.zeros(len(targets)) if variance is None else variance
    live = np.ones(nest.n_zones, bool) if live is None else live
    duals = np.where((targets == 0) & (variance == 0), -np.inf, 0.0)
    weights, gap = np.zeros((nest.n_zones, len(start))), np.zeros(len(targets))
    steps, met = nested_newton(
        rows.start, rows.cell, rows.count, np.log(np.atleast_2d(start)), nest, live, targets, variance,
        np.full(len(targets), tolerance), most, duals, weights, gap,
    )  # fmt: skip
    return weights, duals, gap, steps, met


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.booleans(), st.booleans())
def test_equals_the_dense_twin_and_meets_every_table(seed, counts, soft):
    members, start, nest, _, targets = made(seed, counts=counts)
    variance = np.random.default_rng(seed).choice([0.0, 2.0, 9.0], len(targets)) if soft else np.zeros(len(targets))
    weights, duals, gap, _, met = fitted(members, start, nest, targets, variance)
    theirs, _ = reference.fit_together(np.tile(start, (nest.n_zones, 1)), members, nest.index, targets, variance)
    assert met
    assert np.abs(gap).max() <= 1e-8
    assert np.allclose(weights, theirs, atol=1e-5)
    if not soft:
        assert np.allclose(together(nest, weights, members), targets, atol=1e-7)
    spent = variance * np.where(variance > 0, duals, 0)
    assert np.allclose(gap, together(nest, weights, members) - targets + spent, atol=1e-9)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**6))
def test_three_levels_that_do_not_nest_in_each_other(seed):
    levels = ((0, 0, 1, 1, -1, 2, 2), (0, 0, 0, 1, 1, 1, -1), (0, 0, 0, 0, 0, 0, 0))
    members, start, nest, _, targets = made(seed, 7, 16, (3, 2), levels, (2, 3, 4))
    weights, _, gap, _, met = fitted(members, start, nest, targets)
    theirs, _ = reference.fit_together(np.tile(start, (7, 1)), members, nest.index, targets, np.zeros(len(targets)))
    assert met, np.abs(gap).max()
    assert np.allclose(weights, theirs, atol=1e-5)


def test_without_levels_every_zone_is_fitted_alone():
    members, start, nest, _, targets = made(3, levels=(), level_cells=())
    weights, *_ = fitted(members, start, nest, targets)
    for z in range(nest.n_zones):
        alone = nest_layout(1, 5, [], [])
        own, *_ = fitted(members, start, alone, targets[5 * z : 5 * z + 5])
        assert np.allclose(weights[z], own[0], atol=1e-6)


def test_order_of_zones_does_not_matter():
    members, start, nest, _, targets = made(11)
    weights, *_ = fitted(members, start, nest, targets)
    turned = [4, 3, 2, 1, 0]
    other = nest_layout(5, 5, [np.array([0, 0, 1, 1, 1])[turned]], [2])
    moved = np.concatenate([targets[:25].reshape(5, 5)[turned].ravel(), targets[25:]])
    again, *_ = fitted(members, start, other, moved)
    assert np.allclose(again[[turned.index(z) for z in range(5)]], weights, atol=1e-6)


def test_cells_without_people_stay_empty_and_so_do_zones():
    members, start, nest, truth, _ = made(5)
    truth[:, members[:, 1] > 0] = 0.0
    truth[2] = 0.0
    targets = together(nest, truth, members)
    weights, duals, _, _, met = fitted(members, start, nest, targets, live=np.arange(5) != 2)
    assert met
    assert not weights[2].any()
    assert not weights[:, members[:, 1] > 0].any()
    assert np.isneginf(duals[1])


@pytest.mark.parametrize("gap", [1.0, 40.0])
def test_contradictions_end_and_spare_the_other_area(gap):
    members, start, nest, _, targets = made(7)
    wrong = targets.copy()
    wrong[25] += gap  # the first area's table has more people than its zones
    weights, _, miss, steps, met = fitted(members, start, nest, wrong, most=500)
    right, *_ = fitted(members, start, nest, targets)
    assert not met
    assert steps < 200
    assert np.abs(miss[10:25]).max() < 1e-5
    assert np.allclose(weights[2:], right[2:], atol=1e-4)
    assert np.abs(miss[[25, 26]]).sum() > 0.9 * gap * 0.4


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from([0.25, 0.0025]))
def test_soft_tables_that_disagree_end_at_their_one_optimum(seed, variance):
    """Noise in every table: duals are gap over variance, hundreds that cancel out; the gradient of the convex dual is nought."""
    levels = ((0, 0, 1, 1, 1), (0, 0, 0, 0, 0))
    members, start, nest, _, targets = made(seed, 5, 40, (2, 3, 3), levels, (2, 4), counts=seed % 2 == 0)
    noisy = np.maximum(targets + np.random.default_rng(seed).normal(0, 1.5, len(targets)), 0.0)
    given = np.full(len(targets), variance)
    weights, duals, gap, steps, met = fitted(members, start, nest, noisy, given, most=200, tolerance=1e-6)
    assert met, (steps, np.abs(gap).max())
    of_zone = np.where(nest.index >= 0, duals[nest.index], 0.0)
    theirs = start * np.exp(of_zone @ members.T)
    np.testing.assert_allclose(weights, theirs, rtol=1e-6)
    assert np.abs(together(nest, theirs, members) - noisy + given * duals).max() < 1e-5
