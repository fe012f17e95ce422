"""Whole people of a zone: exact, unbiased after repair as well, and the same bits whatever was computed before."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.kernels.repair import MAX_MOVES
from synthpop_gb.kernels.whole import CUBE, HALVING, LARGEST_REMAINDER, TRS, whole_zone
from tests.kernels.whole_problems import problems, random_problem
from tests.reference import repair as twin

METHODS = (HALVING, CUBE, TRS, LARGEST_REMAINDER)


def draw(problem, method, seed, work=None, max_moves=MAX_MOVES):
    layout, fresh = problem.layout()
    counts = np.full(len(problem.weights), -9, np.int32)
    state = np.array([seed], np.uint64)
    left, moves = whole_zone(method, problem.weights, problem.targets, layout, work or fresh, state, counts, max_moves)
    return counts, left, moves


@pytest.mark.parametrize("method", METHODS)
@given(problem=problems(universes=False, crossed=True), seed=st.integers(0, 2**63))
def test_every_method_ends_exact_where_every_combination_exists(method, problem, seed):
    if problem.miss > 0.1 or (problem.weights <= 0).any():
        return
    counts, left, _ = draw(problem, method, seed)
    assert left == 0
    assert counts.sum() == problem.people.sum()
    assert twin.tae(counts, problem.cell_of, problem.targets) == 0


@pytest.mark.parametrize("method", METHODS)
@given(problem=problems(), seed=st.integers(0, 2**63))
def test_remainder_is_the_recount(method, problem, seed):
    for max_moves in (0, MAX_MOVES):
        counts, left, moves = draw(problem, method, seed, max_moves=max_moves)
        assert left == twin.tae(counts, problem.cell_of, problem.targets)
        assert (counts >= 0).all()
        assert (counts[problem.weights == 0] == 0).all()
        assert moves <= max_moves


@pytest.mark.parametrize("method", METHODS)
def test_same_bits_whatever_went_before(method):
    """Zones one by one with fresh work spaces, and all zones with one, in two orders."""
    zones = [random_problem(s, n_profiles=60) for s in range(6)]
    for z in zones[1:]:
        z.cell_of = zones[0].cell_of  # one layout for all: weights need not meet their targets for this
    alone = [draw(z, method, 100 + i)[0].tolist() for i, z in enumerate(zones)]
    _, work = zones[0].layout()
    for order in (range(6), reversed(range(6))):
        for i in order:
            assert draw(zones[i], method, 100 + i, work)[0].tolist() == alone[i]


def test_seeds_give_different_people():
    problem = random_problem(1)
    assert len({tuple(draw(problem, HALVING, s)[0]) for s in range(50)}) > 40
    assert len({tuple(draw(problem, CUBE, s)[0]) for s in range(50)}) > 40


@pytest.mark.parametrize("method", [HALVING, CUBE])
def test_mean_is_the_weight_after_repair(method):
    problem, n = random_problem(8, sizes=(5, 2, 5, 5), n_profiles=150, mean_people=1500.0), 2000
    layout, work = problem.layout()
    counts, total = np.zeros(150, np.int32), np.zeros(150)
    for seed in range(n):
        state = np.array([seed], np.uint64)
        left, _ = whole_zone(method, problem.weights, problem.targets, layout, work, state, counts, MAX_MOVES)
        assert left == 0
        total += counts
    fraction = problem.weights - np.floor(problem.weights)
    spread = fraction * (1 - fraction)
    z = (total / n - problem.weights)[spread > 0.02] / np.sqrt(spread[spread > 0.02] / n)
    assert np.sqrt((z**2).mean()) < 1.5  # 2,000 seeds: a bias that 200 seeds would not show
    assert np.abs(z).max() < 6


def test_writeable_and_read_only_inputs_give_the_same():
    problem = random_problem(2)
    expected = draw(problem, HALVING, 5)[0].tolist()
    problem.weights, problem.targets = problem.weights.copy(), problem.targets.copy()
    assert draw(problem, HALVING, 5)[0].tolist() == expected
