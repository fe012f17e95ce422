"""Margins rounded to whole tables: relations are those of every household, all are kept, and nothing is biased."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from synthpop_gb.kernels.consistent import relations_of, round_consistent
from synthpop_gb.kernels.streams import ROUND, stream_keys
from tests.kernels.household_problems import households


def relations(made):
    of_households = (np.add.reduceat(made.counted, made.constraint_start[:-1], axis=1) == 1).all(axis=0)
    return relations_of(*made.rows, made.start, made.constraint_start, of_households)


def moments(made, found, weights):
    first = made.counted[:, found.first[: made.counted.shape[1]]]
    return np.stack([(first * w[:, None]).T @ made.counted for w in weights])


def totals(made, values):
    return np.concatenate([values, np.add.reduceat(values, made.constraint_start[:-1], axis=-1)], axis=-1)


@settings(max_examples=60, deadline=None)
@given(households())
def test_relations_span_the_null_space_of_the_incidence(made):
    found = relations(made)
    counted = totals(made, made.counted[made.start > 0])
    assert not (counted @ found.every.T).any()
    assert len(found.every) == counted.shape[1] - np.linalg.matrix_rank(counted)
    assert np.linalg.matrix_rank(found.every) == len(found.every)
    assert (found.every == np.rint(found.every)).all()
    assert not found.among_first[:, ~found.first].any()
    first = counted[:, found.first]
    assert len(found.among_first) == first.shape[1] - np.linalg.matrix_rank(first)


@settings(max_examples=60, deadline=None)
@given(households(), st.integers(0, 99))
def test_whole_tables_keep_every_relation(made, seed):
    rng, found = np.random.default_rng(seed), relations(made)
    weights = made.truth * rng.lognormal(0, 0.3, made.truth.shape)
    fitted = weights @ made.counted
    keys = stream_keys(seed, np.arange(len(fitted)).astype(np.uint64), 0, ROUND)
    whole, still = round_consistent(found, fitted, moments(made, found, weights), keys)
    done = whole[~still]
    assert (done == np.rint(done)).all()
    assert (done >= 0).all()
    np.testing.assert_array_equal(totals(made, done) @ found.every.T, 0.0)
    first = found.first[: fitted.shape[1]]
    assert (np.abs(done - fitted[~still])[:, first] < 1 + 1e-4).all()
    again, _ = round_consistent(found, fitted[::-1], moments(made, found, weights)[::-1], keys[::-1].copy())
    np.testing.assert_array_equal(whole, again[::-1])


@settings(max_examples=30, deadline=None)
@given(households(whole=True))
def test_whole_margins_stay(made):
    found = relations(made)
    keys = np.arange(len(made.targets)).astype(np.uint64)
    whole, still = round_consistent(found, made.targets + 1e-7, moments(made, found, made.truth), keys)
    assert not still.any()
    np.testing.assert_array_equal(whole, made.targets)


def sizes_and_ages():
    """Households of one to three, and people by age and by sex."""
    counted = np.array([[1, 0, 0, 0, 1, 1, 0], [1, 0, 0, 1, 0, 0, 1], [0, 1, 0, 1, 1, 1, 1], [0, 1, 0, 0, 2, 2, 0],
                        [0, 0, 1, 2, 1, 1, 2], [0, 0, 1, 1, 2, 3, 0]])  # fmt: skip
    bounds = np.array([0, 3, 5, 7])
    rows = np.nonzero(counted)
    start = np.concatenate([[0], np.cumsum(np.bincount(rows[0]))])
    return counted, relations_of(start, rows[1], counted[rows], np.ones(6), bounds, [True, False, False])


def test_sizes_of_households_tell_the_number_of_people():
    counted, found = sizes_and_ages()
    weights = np.array([20.3, 11.2, 15.9, 8.8, 5.4, 3.1])
    n = 20_000
    keys = stream_keys(7, np.arange(n).astype(np.uint64), 0, ROUND)
    fitted, first = weights @ counted, counted[:, :3] * weights[:, None]
    whole, still = round_consistent(found, np.tile(fitted, (n, 1)), np.tile(first.T @ counted, (n, 1, 1)), keys)
    assert not still.any()
    people = whole[:, :3] @ [1, 2, 3]
    np.testing.assert_array_equal(whole[:, 3:5].sum(axis=1), people)
    np.testing.assert_array_equal(whole[:, 5:].sum(axis=1), people)
    moved = whole.std(axis=0) > 0
    np.testing.assert_allclose(whole.mean(axis=0)[~moved], fitted[~moved])
    z = ((whole.mean(axis=0) - fitted) / (whole.std(axis=0).clip(1e-9) / np.sqrt(n)))[moved]
    assert np.sqrt((z**2).mean()) < 1.9  # 1 = as random as it should be
    assert np.abs(whole - fitted).max() < 4


def test_what_no_flight_settles_is_told():
    # every household is a child with two adults: from 3.5 children and 7 adults no flight leads to whole people
    found = relations_of(np.array([0, 2]), np.array([0, 1]), np.array([1, 2]), np.ones(1), np.array([0, 1, 2]), [False, False])
    fitted, none = np.array([[3.5, 7.0], [3.0, 6.0]]), np.zeros((2, 0, 2))
    whole, still = round_consistent(found, fitted, none, np.array([1, 2], np.uint64))
    assert still.tolist() == [True, False]
    assert whole.tolist() == [[3.5, 7.0], [3.0, 6.0]]
