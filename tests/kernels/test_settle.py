"""Settling equals its slow twin, moves as few people as possible, and favours no cell."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from synthpop_gb.kernels.settle import meet_margins, settle, uniforms
from synthpop_gb.kernels.streams import SETTLE, stream_keys
from tests.reference import settle as twin


@st.composite
def tables(draw, whole=True):
    n_zones, n_cells = draw(st.integers(0, 5)), draw(st.integers(1, 7))
    n_blocks = draw(st.integers(1, n_cells))
    cell = st.integers(0, 400).map(float) if whole else st.floats(0, 400, allow_subnormal=False).map(lambda x: round(x, 3))
    counts = np.array(draw(st.lists(cell | st.just(0.0), min_size=n_zones * n_cells, max_size=n_zones * n_cells))).reshape(
        n_zones, n_cells
    )
    block = np.array(
        draw(st.permutations([*range(n_blocks), *(draw(st.integers(0, n_blocks - 1)) for _ in range(n_cells - n_blocks))])),
        np.int32,
    )
    totals = np.array(draw(st.lists(st.integers(0, 900).map(float), min_size=n_zones * n_blocks, max_size=n_zones * n_blocks)))
    share = np.array(draw(st.lists(st.integers(1, 9).map(float), min_size=n_cells, max_size=n_cells)))
    keys = np.array(draw(st.lists(st.integers(0, 2**64 - 1), min_size=n_zones, max_size=n_zones)), np.uint64)
    return counts.reshape(n_zones, n_cells), block, totals.reshape(n_zones, n_blocks), share, keys


def settled(counts, block, totals, share, keys):
    out = np.full_like(counts, np.nan)
    settle(counts, block, totals, share, keys, out)
    return out


def sums(counts, block, n):
    return np.stack([counts[:, block == b].sum(axis=1) for b in range(n)], axis=1)


@given(tables())
def test_equals_the_twin(table):
    assert np.array_equal(settled(*table), twin.settle(*table))


@given(tables())
def test_totals_are_met_with_the_fewest_people_moved(table):
    counts, block, totals, _, _ = table
    out = settled(*table)
    assert (out >= 0).all()
    assert (out == np.floor(out)).all()
    assert np.array_equal(sums(out, block, totals.shape[1]), totals)
    old = sums(counts, block, totals.shape[1])
    assert np.array_equal(sums(np.abs(out - counts), block, totals.shape[1]), np.abs(totals - old))


@given(tables())
def test_noughts_stay_nought_where_anybody_is_in_the_block(table):
    counts, block, totals, _, _ = table
    anybody = (sums(counts, block, totals.shape[1]) > 0)[:, block]
    assert (settled(*table)[anybody & (counts == 0)] == 0).all()


@given(tables(whole=False))
def test_fractions_become_whole_within_one_of_their_expectation(table):
    counts, block, totals, _, _ = table
    out = settled(*table)
    assert (out == np.floor(out)).all()
    assert np.array_equal(sums(out, block, totals.shape[1]), totals)
    old = sums(counts, block, totals.shape[1])
    fractional = np.stack([(counts[:, block == b] % 1 != 0).any(axis=1) for b in range(totals.shape[1])], axis=1)
    expected = counts * np.divide(totals, old, out=np.zeros_like(old), where=old > 0)[:, block]
    where = fractional[:, block]
    assert (np.abs(out - expected)[where] < 1 + 1e-9).all()


@given(tables(), st.randoms(use_true_random=False))
def test_a_zone_does_not_know_its_neighbours(table, random):
    counts, block, totals, share, keys = table
    order = list(range(len(counts)))
    random.shuffle(order)
    order = order[: max(1, len(order) - 1)]
    assert np.array_equal(settled(counts[order], block, totals[order], share, keys[order]), settled(*table)[order])


def test_no_cell_is_favoured():
    counts = np.tile([731.0, 5.0, 0.0, 212.0, 1.0, 60.0], (40_000, 1))
    keys = stream_keys(7, np.arange(len(counts), dtype=np.uint64), 0, SETTLE)
    block, share = np.zeros(6, np.int32), np.ones(6)
    for total in (1009 + 4.0, 1009 - 4.0, 1009 + 1.0, 500.0):
        out = settled(counts, block, np.full((len(counts), 1), total), share, keys)
        expected = counts[0] * total / counts[0].sum()
        spread = np.sqrt(np.maximum(out.var(axis=0), 1e-12) / len(counts))
        assert (np.abs(out.mean(axis=0) - expected) < 4.5 * spread + 1e-9).all(), total
        assert (np.abs(out - expected) < 1 + 1e-9).all()


@given(st.lists(st.integers(0, 2**64 - 1), max_size=20))
def test_uniforms_equal_the_twin(keys):
    keys = np.array(keys, np.uint64)
    assert np.array_equal(uniforms(keys), twin.uniforms(keys))


@settings(max_examples=25)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_two_margins_are_met_by_moving_people(n_zones, rows, columns, seed):
    rng = np.random.default_rng(seed)
    table = rng.poisson(rng.choice([1, 5]), (n_zones, rows, columns)).astype(float)
    wanted = np.zeros_like(table)
    for z in range(n_zones):  # margins of another table of the same size
        wanted[z] = rng.multinomial(int(table[z].sum()), np.full(rows * columns, 1 / (rows * columns))).reshape(rows, columns)
    totals = np.concatenate([wanted.sum(2), wanted.sum(1)], axis=1)
    a, b = np.divmod(np.arange(rows * columns), columns)
    block = np.stack([a, rows + b]).astype(np.int32)
    keys = rng.integers(0, 2**63, n_zones).astype(np.uint64)
    out, weight = table.reshape(n_zones, -1).copy(), np.maximum(1.0, table.reshape(n_zones, -1))
    start = out.copy()
    wrong = meet_margins(out, weight, block, totals, keys)
    expected, expected_wrong = twin.meet_margins(start, weight, block, totals, keys)
    assert np.array_equal(out, expected)
    assert np.array_equal(wrong, expected_wrong)
    assert (wrong == 0).all()  # every cell may be entered, so a single move helps as long as anything is wrong
    assert np.array_equal(out.sum(1), start.sum(1))
    assert np.array_equal(out.reshape(table.shape).sum(2), wanted.sum(2))
    assert np.array_equal(out.reshape(table.shape).sum(1), wanted.sum(1))
    assert (out >= 0).all()


def test_a_cell_of_weight_nought_is_not_entered():
    table, weight = np.array([[10.0, 0.0, 0.0, 10.0]]), np.array([[10.0, 0.0, 0.0, 10.0]])
    block = np.array([[0, 0, 1, 1], [2, 3, 2, 3]], np.int32)
    wrong = meet_margins(table, weight, block, np.array([[11.0, 9.0, 10.0, 10.0]]), np.array([5], np.uint64))
    assert table.tolist() == [[10.0, 0.0, 0.0, 10.0]]
    assert wrong.tolist() == [1.0]
