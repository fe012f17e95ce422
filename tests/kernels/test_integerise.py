"""TRS and largest remainder equal their twins; totals are kept; TRS has the weight as its mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from synthpop_gb.kernels.integerise import largest_remainder_zone, trs_zone
from synthpop_gb.kernels.layout import whole_layout, whole_work
from tests.kernels.whole_problems import problems, random_problem, read_only
from tests.reference import integerise as twin

fractions = hnp.arrays(
    np.float64,
    st.integers(1, 30),
    elements=st.one_of(st.floats(0, 20), st.integers(0, 8).map(lambda v: v / 4), st.floats(0, 1e6)),
)


def work_of(n):
    return whole_work(whole_layout(np.zeros((1, n), np.int32), [0, 1]))


@given(fractions, st.integers(0, 2**63))
def test_trs_equals_the_twin(weights, seed):
    read_only(weights)
    counts, state, twin_state = np.zeros(len(weights), np.int32), np.array([seed], np.uint64), np.array([seed], np.uint64)
    trs_zone(weights, work_of(len(weights)), state, counts)
    assert counts.tolist() == twin.trs(weights, twin_state).tolist()
    assert (np.abs(counts - weights) < 1).all()


@given(fractions)
def test_largest_remainder_equals_the_twin(weights):
    read_only(weights)
    counts = np.zeros(len(weights), np.int32)
    largest_remainder_zone(weights, work_of(len(weights)), counts)
    assert counts.tolist() == twin.largest_remainder(weights).tolist()
    assert counts.sum() == np.rint(weights.sum())


@given(problems(universes=False), st.integers(0, 2**63))
def test_totals_are_kept(problem, seed):
    _, work = problem.layout()
    counts = np.zeros(len(problem.weights), np.int32)
    trs_zone(problem.weights, work, np.array([seed], np.uint64), counts)
    if problem.miss < 1e-3:
        assert counts.sum() == problem.people.sum()
    largest_remainder_zone(problem.weights, work, counts)
    assert counts.sum() == np.rint(problem.weights.sum())


def test_trs_mean_is_the_weight():
    problem, n = random_problem(2), 4000
    _, work = problem.layout()
    counts, total = np.zeros(len(problem.weights), np.int32), np.zeros(len(problem.weights))
    for seed in range(n):
        trs_zone(problem.weights, work, np.array([seed], np.uint64), counts)
        total += counts
    fraction = problem.weights - np.floor(problem.weights)
    spread = fraction * (1 - fraction)
    z = (total / n - problem.weights)[spread > 0.02] / np.sqrt(spread[spread > 0.02] / n)
    assert np.sqrt((z**2).mean()) < 1.25


def test_largest_remainder_breaks_ties_by_order():
    counts = np.zeros(4, np.int32)
    largest_remainder_zone(*read_only(np.array([0.5, 1.5, 0.5, 0.5])), work_of(4), counts)
    assert counts.tolist() == [1, 2, 0, 0]


@pytest.mark.parametrize("weights", [[0.0, 0.0], [2.0, 3.0], [1e9 + 0.5, 0.5]])
def test_whole_and_huge_weights(weights):
    (weights,) = read_only(np.array(weights))
    counts = np.zeros(2, np.int32)
    trs_zone(weights, work_of(2), np.array([1], np.uint64), counts)
    assert counts.sum() == weights.sum()
