"""Tallies equal counting by hand, whichever way they are made; comparisons by zone equal loops with SciPy's Poisson."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.kernels.tally import collapse_rows, tally_cells, tally_dense, tally_hashed
from synthpop_gb.kernels.tally_zones import (
    BINS,
    BINS_PER_DECADE,
    CELL_SUMS,
    ZONE_SUMS,
    compare_with_fit,
    compare_with_table,
    poisson_log10_p,
    profile_cells,
)  # fmt: skip
from tests.reference import tally as twin


@st.composite
def records(draw):
    n, n_variables = draw(st.integers(0, 40)), draw(st.integers(1, 4))
    sizes = np.array([draw(st.sampled_from([1, 2, 3, 50_000])) for _ in range(n_variables)])
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    codes = np.stack([rng.integers(0, min(s, 4), n) * (1 if s < 4 else s // 4) for s in sizes]).astype(np.int32)
    k = draw(st.integers(1, n_variables))
    columns = np.sort(rng.permutation(n_variables)[:k]).astype(np.int64)
    strides = np.concatenate([np.cumprod(sizes[columns][::-1])[::-1][1:], [1]]).astype(np.int64)
    return codes, columns, strides, int(sizes[columns].prod()), rng.integers(0, 4, (n, 2)) * rng.choice([1.0, 0.5], (n, 1))


@given(records())
def test_tallies_equal_the_twin_and_each_other(case):
    codes, columns, strides, span, values = case
    keys, sums = tally_cells(codes, columns, strides, span, values)
    wanted, wanted_sums = twin.tally_cells(codes, columns, strides, values)
    assert keys.tolist() == sorted(wanted.tolist())
    assert (sums == wanted_sums).all()  # weights are halves: sums are exact
    assert (sums.sum(axis=0) == values.sum(axis=0)).all()
    hashed, hashed_sums = tally_hashed(codes, columns, strides, values)
    assert (hashed == keys).all()
    assert hashed_sums.tobytes() == sums.tobytes()
    if span <= 100_000:
        dense, dense_sums = tally_dense(codes, columns, strides, span, values)
        assert (dense == keys).all()
        assert dense_sums.tobytes() == sums.tobytes()


def test_tallies_have_the_same_bits_both_ways_with_any_weights():
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 30, (3, 20_000)).astype(np.int32)
    columns, strides = np.arange(3), np.array([900, 30, 1])
    values = rng.random((20_000, 2))
    dense, hashed = tally_dense(codes, columns, strides, 27_000, values), tally_hashed(codes, columns, strides, values)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(dense, hashed, strict=True))
    assert len(dense[0]) > 10_000  # the hash table grew several times


@given(records())
def test_collapsing_equals_the_twin(case):
    codes, values = np.ascontiguousarray(case[0].T), np.ascontiguousarray(case[4][:, 0])
    found = collapse_rows(codes, values)
    assert [tuple(row) for row in zip(*map(np.ndarray.tolist, found), strict=True)] == twin.collapse_rows(codes, values)


def test_collapsing_many_rows():
    codes = np.random.default_rng(1).integers(0, 40, (60_000, 3)).astype(np.int32)
    first, people, n = collapse_rows(codes, np.ones(len(codes)))
    rows, counts = np.unique(codes, axis=0, return_counts=True)
    order = np.lexsort(codes[first].T[::-1])
    assert (codes[first][order] == rows).all()
    assert (n[order] == counts).all()
    assert (people == n).all()
    assert (np.diff(first) > 0).all()


def test_nothing_to_tally():
    empty = np.zeros((2, 0), np.int32)
    keys, sums = tally_cells(empty, np.arange(2), np.array([2, 1]), 4, np.zeros((0, 3)))
    assert len(keys) == 0
    assert sums.shape == (0, 3)
    assert len(collapse_rows(np.zeros((0, 2), np.int32), np.zeros(0))[0]) == 0


@pytest.mark.parametrize(
    ("observed", "expected"), [(0, 4.0), (1, 0.01), (7, 2.5), (40, 90.0), (90, 40.0), (5, 5.0), (1000, 900.0)]
)
def test_poisson_p_values_equal_scipy(observed, expected):
    assert 10 ** poisson_log10_p(float(observed), expected) == pytest.approx(twin.poisson_p(observed, expected), rel=1e-9)


def test_poisson_p_values_do_not_underflow():
    assert poisson_log10_p(6540.0, 1.0) < -20_000


@st.composite
def zones(draw):
    n_zones, n_records, n_profiles, n_cells = (draw(st.integers(1, 5)) for _ in range(4))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    profile = np.sort(rng.integers(0, n_profiles, n_records))
    profile_start = np.searchsorted(profile, np.arange(n_profiles + 1)).astype(np.int64)
    member, share = rng.permutation(n_records).astype(np.int32), rng.integers(0, 3, n_records) / 2.0
    rows = rng.integers(0, 4, n_zones)
    indptr = np.concatenate([[0], np.cumsum(rows)]).astype(np.int64)
    record, n = rng.integers(0, n_records, indptr[-1]).astype(np.int32), rng.integers(1, 9, indptr[-1]).astype(np.int32)
    cell_of = rng.integers(-1, n_cells, n_records).astype(np.int32)
    return (
        rng.integers(0, 5, (n_zones, n_profiles)).astype(float),
        profile_start,
        member,
        share,
        indptr,
        record,
        n,
        cell_of,
        n_cells,
    )


@given(zones())
def test_zones_equal_the_twin(case):
    fitted, profile_start, member, share, indptr, record, n, cell_of, n_cells = case
    start, cell, part = profile_cells(profile_start, member, share, cell_of, n_cells)
    expected = twin.expected_by_zone(fitted, profile_start, member, share, cell_of, n_cells)
    zone, cells, observed = twin.compare(expected, indptr, record, n, cell_of)
    got = []
    for how in ("fit", "table"):
        by_zone, by_cell = np.zeros((len(fitted), len(ZONE_SUMS))), np.zeros((n_cells, len(CELL_SUMS)))
        worst, bins = np.full(n_cells, -1), np.zeros(BINS, np.int64)
        counts = (indptr, record, n, cell_of, np.arange(10, 10 + len(fitted)), by_zone, by_cell, worst, bins)
        if how == "fit":
            compare_with_fit(fitted, start, cell, part, *counts)
        else:
            compare_with_table(expected, *counts)
        assert by_zone[:, [0, 1, 2, 3, 5, 6, 8]] == pytest.approx(zone, abs=1e-9)
        assert by_cell[:, [0, 1, 2, 3, 5, 6]] == pytest.approx(cells[:, :6], abs=1e-9)
        assert bins.sum() == zone[:, 6].sum() == by_cell[:, 7].sum()
        for c in np.flatnonzero(worst >= 0):
            z = worst[c] - 10
            assert by_cell[c, [9, 10]] == pytest.approx([expected[z, c], observed[z, c]])
            if by_cell[c, 8] > 0:
                mean = expected[z, c] or 0.5  # half a person where nobody is expected
                assert 10 ** -by_cell[c, 8] == pytest.approx(twin.poisson_p(observed[z, c], mean), rel=1e-6)
        got.append((by_zone, by_cell, bins))
    assert all(np.allclose(a, b) for a, b in zip(*got, strict=True))


def test_zones_may_be_measured_in_blocks():
    rng = np.random.default_rng(5)
    expected, record = rng.random((6, 4)) * 9, rng.integers(0, 5, 60).astype(np.int32)
    indptr, n = np.arange(0, 61, 10), np.ones(60, np.int32)
    cell_of = np.array([0, 1, 2, 3, -1], np.int32)
    whole = [np.zeros((6, 11)), np.zeros((4, 11)), np.full(4, -1), np.zeros(BINS, np.int64)]
    compare_with_table(expected, indptr, record, n, cell_of, np.arange(6), *whole)
    parts = [np.zeros((6, 11)), np.zeros((4, 11)), np.full(4, -1), np.zeros(BINS, np.int64)]
    for a, b in ((0, 2), (2, 6)):
        rows = indptr[a : b + 1] - indptr[a]
        block = slice(indptr[a], indptr[b])
        compare_with_table(expected[a:b], rows, record[block], n[block], cell_of, np.arange(a, b), parts[0][a:b], *parts[1:])
    assert all(a.tobytes() == b.tobytes() for a, b in zip(whole, parts, strict=True))


def test_a_count_within_two_standard_deviations_is_never_rare():
    """What the kernel does not look up: its p value would be above 0.03."""
    for e in np.concatenate([np.arange(0.05, 8, 0.05), np.arange(8, 200, 1.7)]):
        for o in range(int(np.ceil(max(0, e - 2 * np.sqrt(e)))), int(e + 2 * np.sqrt(e)) + 1):
            assert twin.poisson_p(o, e) > 0.03
    assert BINS / BINS_PER_DECADE == 50
