"""The closed-form noise floor equals its twin, exact distributions where there are any, and simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import binom, hypergeom

from synthpop_gb.kernels.noise import noise_floor, poisson_deviation
from tests.reference import noise as twin


def run(expected, margin_of, n_margins):
    expected = np.atleast_2d(np.asarray(expected, np.float64))
    out = np.full((len(expected), 2), np.nan)
    noise_floor(expected, np.ascontiguousarray(margin_of, np.int32), n_margins, out)
    return out


def two_way(rows, columns):
    i, j = np.divmod(np.arange(rows * columns), columns)
    return np.stack([i, rows + j]).astype(np.int32), rows + columns


@pytest.mark.parametrize("mean", [0.0, 1e-9, 0.3, 1.0, 2.5, 17.0, 400.2])
def test_poisson_deviation_is_the_sum_it_stands_for(mean):
    assert poisson_deviation(mean) == pytest.approx(twin.poisson_deviation(mean), rel=1e-9, abs=1e-12)


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 5)), elements=st.integers(0, 60).map(lambda v: v / 4)))
def test_equals_the_twin(table):
    margin_of, n_margins = two_way(*table.shape)
    for kept, n in [(margin_of, n_margins), (margin_of[:1], table.shape[0]), (np.zeros((0, table.size)), 0)]:
        kept = np.asarray(kept, np.int64)
        assert run(table.ravel(), kept, n)[0] == pytest.approx(twin.noise_floor(table.ravel(), kept, n), rel=1e-5, abs=1e-4)


def test_three_kept_variables_equal_the_twin():
    rng = np.random.default_rng(3)
    expected = rng.gamma(1.0, 20.0, 24)
    i, j, k = np.unravel_index(np.arange(24), (2, 3, 4))
    margin_of = np.stack([i, 2 + j, 5 + k])
    assert run(expected, margin_of, 9)[0] == pytest.approx(twin.noise_floor(expected, margin_of, 9), rel=1e-5)


def test_two_by_two_is_close_to_the_exact_hypergeometric():
    for people, row, column in [(1500, 730, 90), (300, 20, 40), (40, 9, 3), (2000, 1000, 1000)]:
        e = row * column / people
        table = [e, row - e, column - e, people - row - column + e]
        x = np.arange(min(row, column) + 1)
        exact = 2 * (np.abs(x - e) * hypergeom.pmf(x, people, row, column)).sum()  # four equal cells, halved
        assert run(table, *two_way(2, 2))[0, 0] == pytest.approx(exact, rel=0.01 if e >= 1 else 0.06)


def test_a_plain_sample_is_close_to_the_exact_binomial():
    expected, people = np.array([700.0, 250.0, 45.0, 4.0, 1.0]), 1000
    x = np.arange(people + 1)
    exact = sum((np.abs(x - e) * binom.pmf(x, people, e / people)).sum() for e in expected) / 2
    assert run(expected, np.zeros((0, 5)), 0)[0, 1] == pytest.approx(exact, rel=0.01)


def test_close_to_simulated_tables_that_keep_both_margins():
    rng = np.random.default_rng(7)
    share = rng.dirichlet(np.ones(10) * 2).reshape(5, 2)
    rows, columns = np.array([300, 250, 200, 150, 100]), np.array([480, 520])
    for _ in range(200):
        share *= (rows / share.sum(1))[:, None]
        share *= columns / share.sum(0)
    table = np.floor(share).astype(int)  # any start with these margins will do: a long chain forgets it
    table[:, 0] += rows - table.sum(1)
    while (gap := table[:, 0].sum() - columns[0]) != 0:
        i = rng.integers(5)
        step = int(np.sign(gap))
        if table[i, 0] >= step and table[i, 1] >= -step:
            table[i] += np.array([-step, step])
    found = []
    for step in range(60_000):  # Metropolis over tables of these margins, stationary where odds ratios are those of `share`
        a, b = rng.choice(5, 2, replace=False)
        new = table.copy()
        new[a] += np.array([1, -1])
        new[b] += np.array([-1, 1])
        if (new < 0).any():
            continue
        odds = np.log(share[a, 0] * share[b, 1] / share[a, 1] / share[b, 0])
        ratio = odds + np.log(table[a, 1] * table[b, 0] / new[a, 0] / new[b, 1])
        if np.log(rng.random()) < ratio:
            table = new
        if step > 2_000:
            found.append(np.abs(table - share).sum() / 2)
    assert run(share.ravel(), *two_way(5, 2))[0, 0] == pytest.approx(np.mean(found), rel=0.04)


def test_empty_zones_and_single_cells_have_no_noise():
    assert run([[0, 0, 0, 0], [9, 0, 0, 0]], *two_way(2, 2)).tolist() == [[0, 0], [0, 0]]
