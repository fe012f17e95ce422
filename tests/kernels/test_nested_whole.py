"""Whole people that nest: halving of several zones is halving of one where there is one; repair never makes it worse."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from synthpop_gb.kernels.halving import halve_zone
from synthpop_gb.kernels.layout import whole_layout, whole_work
from synthpop_gb.kernels.nested_repair import repair_nested
from synthpop_gb.kernels.nested_whole import halve_nested
from synthpop_gb.methods._nested import components, fit_component, flat_cells
from tests.nested_problems import nested_problem


def stream(seed):
    return np.array([seed * 7919 + 13], np.uint64)


def parts(seed, **more):
    problem = nested_problem(10, seed=seed, **more)
    (component,) = components(problem, np.arange(10))
    fit = fit_component(problem, component, np.zeros((10, problem.n_duals)), tolerance=1e-8)
    return problem, component, fit, whole_layout(*flat_cells(problem))


def missed(problem, component, counts):
    gap = -component.targets.copy()
    rows = problem.members
    for level in problem.levels:
        rows = rows.beside(level.members)
    for z, row in enumerate(component.nest.index):
        np.add.at(gap, row, counts[z] @ rows.matrix())
    return gap


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6))
def test_one_zone_without_levels_is_halved_as_ever(seed):
    problem = nested_problem(5, seed=seed % 50)
    layout = whole_layout(problem.cell_of, problem.constraint_start)
    weights = np.random.default_rng(seed).gamma(0.3, 3, problem.n_profiles)
    alone, together = np.zeros(problem.n_profiles, np.int32), np.zeros((1, problem.n_profiles), np.int32)
    halve_zone(weights, layout, whole_work(layout), stream(seed), alone)
    halve_nested(weights[None], np.arange(problem.n_cells)[None], problem.n_cells, layout, stream(seed), together)
    assert np.array_equal(alone, together[0])


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6))
def test_halving_rounds_and_keeps_areas_nearly(seed):
    problem, component, fit, layout = parts(seed % 50)
    counts = np.zeros(fit.weights.shape, np.int32)
    halve_nested(fit.weights, component.nest.index, problem.n_cells, layout, stream(seed), counts)
    assert (np.abs(counts - fit.weights) < 1 + 1e-9).all()
    n_own = 10 * problem.n_cells
    gap = missed(problem, component, counts)
    alone = np.zeros(fit.weights.shape, np.int32)
    apart = np.arange(10 * problem.n_duals).reshape(10, -1)  # every zone in areas of its own
    halve_nested(fit.weights, apart, problem.n_cells, layout, stream(seed), alone)
    assert np.abs(gap[n_own:]).sum() <= np.abs(missed(problem, component, alone)[n_own:]).sum() + 12


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from([40.0, 200.0]))
def test_repair_only_ever_lowers_the_misses_and_repeats_itself(seed, mean_people):
    problem, component, fit, layout = parts(seed % 50, mean_people=mean_people)
    rng, work, live = np.random.default_rng(seed), whole_work(layout), np.ones(10, bool)
    before = rng.poisson(fit.weights).astype(np.int32)  # far from any table
    before[fit.weights == 0] = 0
    found = []
    for _ in range(2):
        counts, miss = before.copy(), np.zeros(len(component.targets), np.int64)
        repair_nested(
            fit.weights, component.targets, component.nest.index, problem.n_cells, layout, work, stream(seed), counts, live, 1000,
            miss,
        )  # fmt: skip
        found.append(counts)
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(miss, missed(problem, component, counts))
    assert np.abs(miss).sum() <= np.abs(missed(problem, component, before)).sum()
    assert (counts >= 0).all()
    assert not counts[fit.weights == 0].any()


def test_two_zones_that_err_against_each_other_are_mended():
    """Sexes of two zones, and age x sex of both together; one zone has a boy too many, the other a girl, the area is right."""
    sex, joint = np.array([0, 1, 0, 1]), np.array([2, 3, 4, 5])  # girl, boy, woman, man
    layout = whole_layout(np.stack([sex, joint]), [0, 2, 6])
    index = np.array([[0, 1, 4, 5, 6, 7], [2, 3, 4, 5, 6, 7]])
    targets = np.array([3.0, 2, 2, 3, 2, 2, 3, 3])
    counts = np.array([[1, 2, 1, 1], [1, 0, 2, 2]], np.int32)
    miss = np.zeros(8, np.int64)
    repair_nested(
        np.full((2, 4), 1.25), targets, index, 2, layout, whole_work(layout), stream(1), counts, np.ones(2, bool), 0, miss
    )
    assert miss.tolist() == [-1, 1, 1, -1, 0, 0, 0, 0]
    repair_nested(
        np.full((2, 4), 1.25), targets, index, 2, layout, whole_work(layout), stream(1), counts, np.ones(2, bool), 1000, miss
    )
    assert not miss.any()
    assert counts.sum() == 10
