"""The nearest record is the nearest of all, whatever is given up on the way, and ties are broken evenly."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.kernels.nearest import nearest_records
from synthpop_gb.kernels.streams import stream_keys
from tests.reference import nearest as twin


def run(number, category, to_number, to_category, inverse=None, own=None, seed=0):
    n = len(number)
    key = stream_keys(seed, np.arange(n).astype(np.uint64), 0, 99)
    own = np.full(n, -1) if own is None else own
    inverse = np.ones(number.shape[1]) if inverse is None else inverse
    out = np.empty(n), np.empty(n), np.empty(n, np.int64), np.empty(n, np.int64)
    nearest_records(number, category, to_number, to_category, inverse, key, own, *out)
    return out


@st.composite
def two_sets(draw):
    p, k = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    sizes = draw(st.integers(0, 5)), draw(st.integers(0, 7))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    numbers = [rng.choice([0.0, 0.25, 0.5, 1.0, 3.0, np.nan], (m, p)) for m in sizes]
    categories = [rng.integers(-1, 2, (m, k)).astype(np.int32) for m in sizes]
    own = rng.integers(-1, max(sizes[1], 1), sizes[0])
    return numbers[0], categories[0], numbers[1], categories[1], rng.choice([0.5, 1.0, 3.0], p), own


@given(two_sets())
def test_equals_the_twin(case):
    *sets, own = case
    first, second, at, ties = run(*sets, own)
    for i, (near, next_near, where) in enumerate(twin.nearest_records(*sets, own)):
        np.testing.assert_equal(first[i], near)
        np.testing.assert_equal(second[i], next_near)
        assert ties[i] == len(where)
        assert at[i] in where or (at[i] == -1 and not where)


def test_laws():
    rng = np.random.default_rng(1)
    number, category = rng.random((50, 2)), rng.integers(0, 3, (50, 2)).astype(np.int32)
    itself = run(number, category, number, category)
    assert (itself[0] == 0).all()
    assert (itself[2] == np.arange(50)).all()
    others = run(number, category, number, category, own=np.arange(50))
    assert (others[0] == itself[1]).all(), "the second nearest, but for itself, is the nearest other"
    order = rng.permutation(50)
    again = run(number[order], category[order], number, category)
    np.testing.assert_array_equal(again[2], order)


def test_ties_are_broken_evenly_and_repeatably():
    nothing, one = np.empty((4000, 0)), np.zeros((4000, 1), np.int32)
    four = np.empty((4, 0)), np.zeros((4, 1), np.int32)
    at = run(nothing, one, *four)[2]
    share = np.bincount(at, minlength=4) / 4000
    assert np.abs(share - 0.25).max() < 4 * np.sqrt(0.25 * 0.75 / 4000)
    assert (run(nothing, one, *four)[2] == at).all()
    assert (run(nothing, one, *four, seed=1)[2] != at).any()


def test_whole_numbers_as_far_apart_are_ties():
    none = np.empty((1, 0), np.int32)
    ties = run(np.array([[7.0]]), none, np.array([[4.0], [10.0]]), np.empty((2, 0), np.int32), np.array([0.1]))[3]
    assert ties[0] == 2
