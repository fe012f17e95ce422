"""Halving equals its twin draw for draw, is a martingale at every step, and keeps margins far better than chance."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.kernels.halving import halve_zone
from synthpop_gb.kernels.integerise import trs_zone
from synthpop_gb.kernels.layout import whole_layout, whole_work
from tests.kernels.whole_problems import problems, random_problem, read_only
from tests.reference import halving as twin


def draw(problem, seed):
    layout, work = problem.layout()
    counts, state = np.full(len(problem.weights), -7, np.int32), np.array([seed], np.uint64)
    halve_zone(problem.weights, layout, work, state, counts)
    return counts, state


@given(problems(), st.integers(0, 2**63))
def test_equals_the_twin(problem, seed):
    counts, state = draw(problem, seed)
    twin_state = np.array([seed], np.uint64)
    expected, path = twin.halve(problem.weights, problem.cell_of, twin_state)
    assert counts.tolist() == expected.tolist()
    assert state[0] == twin_state[0]
    assert all(np.abs(step - problem.weights).max() < 1 for step in path)


@given(problems(), st.integers(0, 2**63))
def test_counts_are_weights_rounded_up_or_down(problem, seed):
    counts, _ = draw(problem, seed)
    assert (np.abs(counts - problem.weights) < 1).all()
    assert (counts[problem.weights == 0] == 0).all()


def test_each_step_is_fair():
    """Over all outcomes of one coin the step cancels: up and down are mirror images."""
    problem = random_problem(3)
    steps = {}
    for seed in range(400):
        _, path = twin.halve(problem.weights, problem.cell_of, np.array([seed], np.uint64))
        for k, (a, b) in enumerate(pairwise(path)):
            steps.setdefault(k, []).append((b - a)[np.argmax(b != a)] > 0)
    assert len(steps) == 5
    for ups in steps.values():
        assert abs(np.mean(ups) - 0.5) < 4 * 0.5 / np.sqrt(len(ups))


def test_mean_is_the_weight():
    problem, n = random_problem(5), 4000
    layout, work = problem.layout()
    counts, total = np.zeros(len(problem.weights), np.int32), np.zeros(len(problem.weights))
    for seed in range(n):
        halve_zone(problem.weights, layout, work, np.array([seed], np.uint64), counts)
        total += counts
    fraction = problem.weights - np.floor(problem.weights)
    spread = fraction * (1 - fraction)
    z = (total / n - problem.weights)[spread > 0.02] / np.sqrt(spread[spread > 0.02] / n)
    assert np.sqrt((z**2).mean()) < 1.25
    assert np.abs(z).max() < 4.5


def two_way_error(problem, drawer):
    """Mean squared misfit of all two-way cells to the weights', over 200 draws."""
    layout, work = problem.layout()
    rows, pull = twin.incidence(problem.cell_of)
    two_way = rows[:, pull == 1]
    counts, error = np.zeros(len(problem.weights), np.int32), []
    for seed in range(200):
        drawer(problem.weights, layout, work, np.array([seed], np.uint64), counts)
        error.append((((counts - problem.weights) @ two_way) ** 2).mean())
    return np.mean(error)


def test_two_way_tables_suffer_little():
    problem = random_problem(11, sizes=(5, 4, 6, 3, 4), n_profiles=500, mean_people=150.0)
    systematic = two_way_error(problem, lambda w, layout, work, state, counts: trs_zone(w, work, state, counts))
    assert two_way_error(problem, halve_zone) < 0.4 * systematic


@pytest.mark.parametrize(
    "weights",
    [[3.0, 0.0, 5.0, 2.0], [1e-6] * 4, [0.0] * 4, [1e6 + 0.25, 1e6 + 0.75, 0.5, 0.5], [1 - 1e-12, 1e-12, 0.5, 0.5]],
)
def test_weights_of_every_size(weights):
    cell_of = np.array([[0, 0, 1, 1], [2, 3, 2, 3]], np.int32)
    layout = whole_layout(cell_of, [0, 2, 4])
    work, counts = whole_work(layout), np.zeros(4, np.int32)
    (weights,) = read_only(np.array(weights))
    for seed in range(50):
        halve_zone(weights, layout, work, np.array([seed], np.uint64), counts)
        assert (np.abs(counts - weights) < 1).all()


def test_one_profile():
    layout = whole_layout(np.zeros((1, 1), np.int32), [0, 1])
    counts = np.zeros(1, np.int32)
    (weights,) = read_only(np.array([0.3]))
    drawn = []
    for seed in range(2000):
        halve_zone(weights, layout, whole_work(layout), np.array([seed], np.uint64), counts)
        drawn.append(counts[0])
    assert set(drawn) == {0, 1}
    assert abs(np.mean(drawn) - 0.3) < 4 * np.sqrt(0.21 / 2000)


@given(problems(), st.integers(0, 2**63))
def test_work_space_carries_nothing_over(problem, seed):
    layout, work = problem.layout()
    used = np.full(len(problem.weights), -1, np.int32)
    for array in work:
        array[...] = 1
    halve_zone(problem.weights, layout, work, np.array([seed], np.uint64), used)
    assert used.tolist() == draw(problem, seed)[0].tolist()
