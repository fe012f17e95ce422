"""Bootstrap multipliers equal their slow twin, have mean 1, and know nothing of a record's place in the file."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.kernels.bootstrap import poisson_multipliers, rao_wu_multipliers
from synthpop_gb.kernels.streams import BOOTSTRAP, stream_keys
from tests.reference import bootstrap as twin


def states(n, seed=3, replicate=1):
    return stream_keys(seed, np.arange(n, dtype=np.uint64), replicate, BOOTSTRAP)


@given(st.integers(0, 2**62), st.integers(0, 300))
def test_poisson_equals_its_twin(seed, n):
    assert (poisson_multipliers(states(n, seed)) == twin.poisson_multipliers(states(n, seed))).all()


def test_poisson_counts_have_mean_and_variance_1_whatever_their_order():
    keys = states(200_000)
    drawn = poisson_multipliers(keys)
    assert abs(drawn.mean() - 1) < 5 / np.sqrt(len(drawn))
    assert abs(drawn.var() - 1) < 5 * np.sqrt(3 / len(drawn))
    order = np.random.default_rng(1).permutation(len(keys))
    assert (poisson_multipliers(keys[order]) == drawn[order]).all()


@given(st.lists(st.integers(0, 6), max_size=8), st.integers(0, 2**62))
def test_rao_wu_equals_its_twin_and_keeps_each_stratums_total(sizes, seed):
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    found = rao_wu_multipliers(start, states(len(sizes), seed))
    assert (found == twin.rao_wu_multipliers(start, states(len(sizes), seed))).all()
    for first, last in itertools.pairwise(start):
        assert np.isclose(found[first:last].sum(), last - first)


def test_rao_wu_has_the_variance_of_the_stratified_mean():
    """Var of the mean of y over strata equals the textbook's s^2 / n, without a finite population correction."""
    rng = np.random.default_rng(5)
    sizes = np.array([5, 12])
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    y = rng.normal(size=17)
    means = [[(rao_wu_multipliers(start, states(2, seed)) * y)[a:b].mean() for a, b in ((0, 5), (5, 17))] for seed in range(4000)]
    expected = [y[:5].var(ddof=1) / 5, y[5:].var(ddof=1) / 12]
    assert np.allclose(np.var(means, axis=0), expected, rtol=0.12)
