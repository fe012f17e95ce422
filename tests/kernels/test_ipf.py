"""Fitting equals its slow twins, keeps the laws of iterative proportional fitting, and tells the truth where it cannot fit."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthpop_gb.kernels import ipf as kernel
from synthpop_gb.kernels.fit_layout import fit_layout
from synthpop_gb.kernels.ipf import fit_block, weights_from_duals
from synthpop_gb.status import FitStatus
from tests.kernels.fit_problems import Fit, problems
from tests.reference import entropy as entropy_twin
from tests.reference import ipf as twin

CONVERGED, STALLED, LIMIT, INFEASIBLE, EMPTY = FitStatus


def fitted(problem, tolerance=1e-6, relative=False, max_cycles=1000, **options):
    """The fit and its (n_zones, n_profiles) weights."""
    fit = fit_block(fit_layout(*problem.arrays), problem.targets, tolerance, relative, max_cycles, **options)
    return fit, weights_from_duals(problem.start, problem.cell_of, fit.duals)


def problem(cells, targets, start=None):
    """Cells by constraint, each numbered from 0, -1 outside; targets by zone and constraint."""
    cell_of = np.array(cells, np.int32)
    sizes = [len(t) for t in targets[0]]
    bounds = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    cell_of = np.where(cell_of >= 0, cell_of + bounds[:-1, None], -1).astype(np.int32)
    start = np.ones(cell_of.shape[1]) if start is None else np.array(start, float)
    return Fit(start, cell_of, bounds, np.array([np.concatenate(t) for t in targets], float))


# ---- equal to the twins


@given(problems(), st.integers(1, 40))
def test_plain_cycles_are_the_twins_cycles(made, most):
    fit, weights = fitted(made, 1e-9, True, most, newton=False)
    for z, target in enumerate(made.targets):
        if fit.status[z] == EMPTY:
            assert not target.any()
            assert fit.cycles[z] == 0
            continue
        last = fit.cycles[z]  # a zone that has not converged keeps its best cycle, which need not be the last
        first = last if fit.status[z] == CONVERGED else 1
        expected = [twin.fit_zone(*made.arrays, target, n) for n in range(first, last + 1)]
        nearest = min(expected, key=lambda w, z=z: np.abs(w - weights[z]).max())
        np.testing.assert_allclose(weights[z], nearest, rtol=1e-9, atol=1e-12 * nearest.max())


@given(problems())
def test_the_optimum_is_the_newton_twins(made):
    fit, weights = fitted(made, 1e-10, True)
    for z, target in enumerate(made.targets):
        if fit.status[z] == CONVERGED and target.any():
            expected = entropy_twin.fit_zone(made.start, made.cell_of, target)
            residual = np.abs(twin.margins(made.cell_of, expected, len(target)) - target)
            if (residual <= 1e-9 * target).all():  # the twin has converged too
                np.testing.assert_allclose(weights[z], expected, rtol=1e-4, atol=1e-7 * target.max())


@given(problems(), st.floats(-3, 3))
def test_weights_from_duals_equal_the_twin(made, size):
    rng = np.random.default_rng(7)
    duals = rng.normal(size, 2, made.targets.shape)
    duals[rng.random(duals.shape) < 0.1] = -np.inf
    weights = weights_from_duals(made.start, made.cell_of, duals)
    for z in range(len(duals)):
        expected = twin.weights_from_duals(made.start, made.cell_of, duals[z])
        np.testing.assert_allclose(weights[z], expected, rtol=1e-12)
        out = np.full(len(made.start), np.nan)
        assert weights_from_duals(made.start, made.cell_of, duals[z], out) is out
        assert (out == weights[z]).all()


# ---- laws


@given(problems(), st.sampled_from([1e-2, 1e-6, 1e-9]), st.booleans())
def test_every_target_is_met_where_weights_can_meet_it(made, tolerance, relative):
    fit, weights = fitted(made, tolerance, relative)
    empty = ~made.targets.any(axis=1)
    assert (fit.status == np.where(empty, EMPTY, CONVERGED)).all()
    miss = np.abs(made.margins(weights) - made.targets)
    allowed = np.maximum(tolerance * (made.targets if relative else 1.0), kernel.ROUNDING * made.targets)
    assert (miss <= allowed * (1 + 1e-6) + 1e-12 * made.targets).all()
    np.testing.assert_allclose(fit.residual, miss.max(axis=1), rtol=1e-3, atol=1e-11 * made.targets.max())
    assert np.isfinite(weights).all()
    assert (weights >= 0).all()
    assert (weights[empty] == 0).all()


@given(problems(outside=False))
def test_totals_are_kept(made):
    _, weights = fitted(made, 1e-9, True)
    totals = made.targets[:, : made.constraint_start[1]].sum(axis=1)
    np.testing.assert_allclose(weights.sum(axis=1), totals, rtol=1e-8)


def test_odds_ratios_of_the_start_weights_are_kept():
    rng = np.random.default_rng(3)
    rows, columns = np.divmod(np.arange(12), 4)
    start = rng.lognormal(0, 1, 12)
    made = problem([rows, columns], [[[20, 30, 50], [40, 30, 20, 10]], [[1, 1, 98], [25, 25, 25, 25]]], start)
    _, weights = fitted(made, 1e-10, True)
    before = start.reshape(3, 4)
    for w in weights.reshape(-1, 3, 4):
        ratios = [x[:-1, :-1] * x[1:, 1:] / (x[:-1, 1:] * x[1:, :-1]) for x in (w, before)]
        np.testing.assert_allclose(*ratios, rtol=1e-9)


@settings(max_examples=30)
@given(problems(tilt=1.5), st.randoms(use_true_random=False))
def test_bits_do_not_depend_on_block_lanes_or_order(made, random):
    spoilt = made.targets * np.random.default_rng(1).uniform(
        0.7, 1.4, made.targets.shape
    )  # neighbours that contradict themselves
    targets = np.concatenate([made.targets, spoilt])
    layout = fit_layout(*made.arrays)
    whole = fit_block(layout, targets, 1e-6, False, 60)
    order = np.array(random.sample(range(len(targets)), len(targets)))
    parts = [[z] for z in order], [order[:1], order[1:]], [order]
    for blocks in parts:
        for zones in blocks:
            for one, all_of_them in zip(fit_block(layout, targets[zones], 1e-6, False, 60), whole, strict=True):
                np.testing.assert_array_equal(one, all_of_them[zones])


def test_bits_do_not_depend_on_the_number_of_lanes():
    rng = np.random.default_rng(5)
    cells = np.stack([rng.integers(0, n, 60) for n in (4, 3, 5)])
    targets = [[100 * rng.dirichlet(np.ones(n)) for n in (4, 3, 5)] for _ in range(70)]
    made = problem(cells, targets, rng.lognormal(0, 1, 60))
    layout, expected = fit_layout(*made.arrays), fitted(made)[0]
    no_tilt = kernel._read_only(np.zeros((len(made.targets), 0)), np.float64)
    assert set(expected.status) >= {CONVERGED}
    for lanes in (1, 3, 4, 16, 70):
        found = kernel._new_fit(*made.targets.shape)
        kernel._fit_block(layout, kernel._read_only(made.targets, np.float64), no_tilt, 1e-6, False, 1000, True, lanes, found)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)


@given(problems())
def test_equal_profiles_may_be_one_or_several(made):
    fit, weights = fitted(made)
    split = Fit(np.r_[made.start / 4, 3 * made.start / 4], np.tile(made.cell_of, 2), made.constraint_start, made.targets)
    again, halves = fitted(split)
    assert (fit.status == again.status).all()
    np.testing.assert_allclose(halves[:, : len(made.start)] + halves[:, len(made.start) :], weights, rtol=1e-9, atol=1e-12)


@settings(max_examples=40)
@given(problems(outside=False, tilt=1.0))
def test_a_contradiction_is_fitted_no_worse_than_by_plain_cycles(made):
    made.targets *= np.random.default_rng(11).uniform(0.8, 1.25, made.targets.shape)
    fit, weights = fitted(made)
    plain, _ = fitted(made, newton=False)
    assert np.isfinite(weights).all()
    assert (weights >= 0).all()
    unfit = np.isin(fit.status, [STALLED, INFEASIBLE, LIMIT])
    assert (fit.residual[unfit] <= plain.residual[unfit] * 1.001).all()
    assert set(fit.status[made.targets.any(axis=1) & (plain.status == CONVERGED)]) <= {CONVERGED}
    assert fit.cycles[fit.status == STALLED].max(initial=0) <= 200


# ---- statuses on constructed cases


def test_infeasible_zone_names_the_cell_and_fits_the_rest():
    cells = [[0, 0, 1, 1], [0, 1, 0, 1]]  # nobody is in cell 2 of the second constraint
    made = problem(cells, [[[40, 60], [50, 45, 5]], [[40, 60], [50, 50, 0]]])
    fit, weights = fitted(made)
    assert fit.status.tolist() == [INFEASIBLE, CONVERGED]
    assert fit.worst_cell[0] == 4
    assert 5 <= fit.residual[0] <= 6
    assert fit.cycles[0] < 50
    np.testing.assert_allclose(made.margins(weights)[0, :4], [40, 60, 50, 45], atol=4)


def test_infeasible_in_one_universe_leaves_the_other_exact():
    made = problem([[0, 1, 0, 1], [0, 0, -1, -1]], [[[30, 70], [0, 8]]])  # the second table wants 8 of whom nobody is alive
    fit, weights = fitted(made)
    assert fit.status.tolist() == [INFEASIBLE]
    assert fit.worst_cell[0] == 3
    np.testing.assert_allclose(made.margins(weights)[0], [30, 70, 0, 0], atol=1e-6)


def test_infeasible_because_other_targets_are_nought():
    made = problem([[0, 1, 1], [0, 0, 1]], [[[0, 50], [0, 50]], [[20, 30], [0, 50]]])  # who is in cell 0 is in cell 2
    fit, weights = fitted(made)
    assert fit.status.tolist() == [CONVERGED, INFEASIBLE]
    assert fit.worst_cell[1] == 0
    assert weights[1, 0] == 0


def test_contradictory_totals_stall_at_once():
    made = problem([[0, 0, 1, 1], [0, 1, 0, 1]], [[[40, 60], [50, 53]]])
    fit, weights = fitted(made)
    assert fit.status.tolist() == [STALLED]
    assert fit.cycles[0] < 40
    assert 1 <= fit.residual[0] <= 3
    assert fit.worst_cell[0] in range(4)
    np.testing.assert_allclose(weights.sum(), 103, atol=3.1)


def test_structural_clash_stalls_and_names_a_cell_of_it():
    # old people are retired and only they are, but the tables want 30 old and 50 retired
    made = problem([[0, 0, 1, 1], [0, 0, 1, 1], [0, 1, 0, 1]], [[[70, 30], [50, 50], [50, 50]], [[70, 30], [70, 30], [60, 40]]])
    fit, weights = fitted(made)
    assert fit.status.tolist() == [STALLED, CONVERGED]
    assert fit.worst_cell[0] in range(4)
    assert fit.cycles[0] < 60
    assert np.isfinite(weights).all()
    rival = twin.margins(made.cell_of, twin.fit_zone(*made.arrays, made.targets[0], 1000), 6)
    assert fit.residual[0] <= 1.001 * np.abs(rival - made.targets[0]).max()


def test_clash_by_combination_ends_soon_near_the_least_residual():
    # cell (0, 0) of the two-way table has no record, so the first categories cannot both have 60 of 100
    made = problem([[0, 1, 1], [1, 0, 1]], [[[60, 40], [60, 40]]])
    fit, _ = fitted(made)
    assert fit.status.tolist() == [STALLED]
    assert fit.cycles[0] < 200
    rival = twin.margins(made.cell_of, twin.fit_zone(*made.arrays, made.targets[0], 5000), 4)
    assert fit.residual[0] <= 1.1 * np.abs(rival - made.targets[0]).max()


def test_weights_that_must_vanish_are_still_a_fit():
    made = problem([[0, 1, 1], [1, 0, 1]], [[[60, 40], [40, 60]]])  # met only where the third profile has nobody
    fit, weights = fitted(made)
    assert fit.status.tolist() == [CONVERGED]
    np.testing.assert_allclose(weights[0], [60, 40, 0], atol=1e-5)
    assert fit.cycles[0] < 60


def test_the_limit_of_cycles_is_said():
    made = problem([[0, 0, 1, 1], [0, 1, 0, 1]], [[[40, 60], [10, 90]]], [1, 50, 30, 1])
    for most in (1, 2, 3, 5):
        fit, weights = fitted(made, 1e-9, max_cycles=most, newton=False)
        assert fit.status.tolist() == [LIMIT]
        assert fit.cycles.tolist() == [most]
        np.testing.assert_allclose(weights[0], twin.fit_zone(*made.arrays, made.targets[0], most), rtol=1e-12)
    assert fitted(made, 1e-9, max_cycles=4)[0].status.tolist() == [LIMIT]
    assert fitted(made, 1e-9)[0].status.tolist() == [CONVERGED]


def test_empty_zones_have_nobody():
    made = problem([[0, 1], [0, 1]], [[[0, 0], [0, 0]], [[1, 2], [1, 2]]])
    fit, weights = fitted(made)
    assert fit.status.tolist() == [EMPTY, CONVERGED]
    assert np.isneginf(fit.duals[0]).all()
    assert (weights[0] == 0).all()
    assert (fit.cycles[0], fit.residual[0], fit.worst_cell[0]) == (0, 0.0, -1)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e6])
@pytest.mark.parametrize("start", [1e-12, 1.0, 1e12])
def test_targets_and_start_weights_of_any_size(size, start):
    rng = np.random.default_rng(2)
    cells = np.stack([rng.integers(0, n, 50) for n in (5, 4, 3)])
    weights = rng.lognormal(0, 4, 50)
    made = problem(cells, [[np.zeros(5), np.zeros(4), np.zeros(3)]], start * rng.lognormal(0, 1, 50))
    made.targets[0] = size * twin.margins(made.cell_of, weights, 12) / weights.sum()
    assert made.targets.max() > 100 * made.targets.min()
    fit, found = fitted(made, 1e-6, True)
    assert fit.status.tolist() == [CONVERGED]
    np.testing.assert_allclose(made.margins(found), made.targets, rtol=1.01e-6)


def test_one_zone_one_profile_one_cell():
    made = problem([[0]], [[[7.5]]], [3.0])
    fit, weights = fitted(made)
    assert fit.status.tolist() == [CONVERGED]
    np.testing.assert_allclose(weights, [[7.5]], rtol=1e-15)


def test_no_zones_and_no_weight_at_all():
    made = problem([[0, 1]], [[[1.0, 2.0]]])
    made.targets = np.empty((0, 2))
    assert fitted(made)[1].shape == (0, 2)
    made = problem([[0, 1]], [[[1.0, 2.0]]], [0, 0])
    fit, weights = fitted(made)
    assert fit.status.tolist() == [INFEASIBLE]
    assert fit.worst_cell.tolist() == [1]
    assert not weights.any()


def test_a_large_problem_goes_by_cycles_alone():
    n = kernel.MOST_NEWTON_CELLS
    cells = np.stack([np.arange(2 * n) % n, np.arange(2 * n) // n])
    made = problem(cells, [[np.full(n, 2.0), [n, n]]])
    fit, _ = fitted(made, newton=True)
    assert fit.status.tolist() == [CONVERGED]
    assert kernel._lanes(fit_layout(*made.arrays), n) == 4


def test_nonsense_is_refused():
    made = problem([[0, 1]], [[[1.0, 2.0]]])
    for tolerance, most in ((0.0, 10), (-1.0, 10), (np.nan, 10), (1e-6, 0)):
        with pytest.raises(ValueError, match="tolerance must be above 0"):
            fitted(made, tolerance, False, most)


def test_read_only_arrays_are_compiled_for_once():
    made = problem([[0, 0, 1, 1], [0, 1, 0, 1]], [[[40, 60], [50, 50]]])
    fit, _ = fitted(made)
    compiled = len(kernel._fit_block.signatures), len(kernel.write_weights.signatures)
    for array in (made.targets, made.start, made.cell_of, fit.duals):
        array.flags.writeable = False
    fitted(made)
    weights_from_duals(made.start, made.cell_of.astype(np.int64), fit.duals[0])
    fitted(Fit(made.start, made.cell_of, made.constraint_start, np.asfortranarray(np.r_[made.targets, made.targets])))
    assert (len(kernel._fit_block.signatures), len(kernel.write_weights.signatures)) == compiled


# ---- real data


@pytest.mark.data
def test_cakemap_has_three_zones_that_cannot_be_fitted(data_folder):
    folder = data_folder / "classic" / "cakemap"
    people, tables = pd.read_csv(folder / "ind.csv"), pd.read_csv(folder / "cons.csv")
    variables = [people["Sex"].astype(str) + people["ageband4"], people["Car"], people["NSSEC8"]]
    codes = np.array([np.unique(v, return_inverse=True)[1] for v in variables])
    sizes = codes.max(axis=1) + 1
    bounds = np.concatenate([[0], np.cumsum(sizes)])
    targets = tables.to_numpy(float)
    for a, b in pairwise(bounds):  # rounding of the published tables: each to the first one's total
        targets[:, a:b] *= (targets[:, : bounds[1]].sum(axis=1) / targets[:, a:b].sum(axis=1))[:, None]
    made = Fit(np.ones(len(people)), (codes + bounds[:-1, None]).astype(np.int32), bounds.astype(np.int32), targets)
    fit, weights = fitted(made, 1e-6, True)
    assert np.flatnonzero(fit.status != CONVERGED).tolist() == [6, 81, 83]
    assert set(fit.status[[6, 81, 83]]) == {STALLED}
    assert fit.cycles.max() < 100
    assert (weights >= 0).all()
    for z in (6, 81, 83):
        rival = twin.margins(made.cell_of, twin.fit_zone(*made.arrays, targets[z], 200), len(targets[z]))
        assert fit.residual[z] <= 1.01 * np.abs(rival - targets[z]).max()


# ---- tilts: factors on the start weights that differ by zone


def tilted(made, n_tilts, seed):
    """The problem with tilts as further constraints: (layout, cells of the tilts by profile, their logarithms by zone)."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, n_tilts)
    bounds = np.concatenate([[0], np.cumsum(sizes)])
    tilt_of = bounds[:-1, None] + rng.integers(0, sizes[:, None], (n_tilts, len(made.start)))
    tilt_of[rng.random(tilt_of.shape) < 0.2] = -1
    n_cells = made.targets.shape[1]
    cell_of = np.vstack([made.cell_of, np.where(tilt_of >= 0, tilt_of + n_cells, -1)]).astype(np.int32)
    starts = np.concatenate([made.constraint_start, n_cells + bounds[1:]]).astype(np.int32)
    tilt = rng.normal(0, 0.7, (len(made.targets), bounds[-1]))
    return fit_layout(made.start, cell_of, starts), cell_of, tilt_of, tilt


@given(problems(), st.integers(1, 3), st.integers(0, 99), st.booleans())
def test_a_tilt_is_another_start_in_every_zone(made, n_tilts, seed, newton):
    layout, cell_of, tilt_of, tilt = tilted(made, n_tilts, seed)
    fit = fit_block(layout, made.targets, 1e-9, True, 2000, newton=newton, tilt=tilt)
    weights = weights_from_duals(made.start, cell_of, np.hstack([fit.duals, tilt]))
    for z, target in enumerate(made.targets):
        factor = np.where(tilt_of >= 0, np.append(tilt[z], 0.0)[tilt_of], 0.0).sum(axis=0)
        own = Fit(made.start * np.exp(factor), made.cell_of, made.constraint_start, target[None])
        alone, expected = fitted(own, 1e-9, True, 2000, newton=newton)
        assert (fit.status[z] in (EMPTY, CONVERGED)) or newton is False
        if fit.status[z] == alone.status[0] == CONVERGED:
            np.testing.assert_allclose(weights[z], expected[0], rtol=1e-6, atol=1e-7 * target.max())


@given(problems(), st.integers(0, 99))
def test_the_order_of_zones_does_not_matter_to_tilts(made, seed):
    layout, _, _, tilt = tilted(made, 2, seed)
    whole = fit_block(layout, made.targets, 1e-6, False, 100, tilt=tilt)
    zones = np.random.default_rng(seed).permutation(len(tilt))
    for one, all_of_them in zip(fit_block(layout, made.targets[zones], 1e-6, False, 100, tilt=tilt[zones]), whole, strict=True):
        np.testing.assert_array_equal(one, all_of_them[zones])


def test_tilts_must_be_of_the_layouts_cells():
    made = problem([[0, 1]], [[[2, 3]]])
    layout, _, _, tilt = tilted(made, 1, 0)
    for wrong in (None, tilt[:, :0], np.vstack([tilt, tilt])):
        if wrong is None or wrong.shape != tilt.shape:
            with pytest.raises(ValueError, match="tilts are"):
                fit_block(fit_layout(*made.arrays) if wrong is None else layout, made.targets, 1e-6, False, 9,
                          tilt=np.zeros((1, 1)) if wrong is None else wrong)  # fmt: skip
