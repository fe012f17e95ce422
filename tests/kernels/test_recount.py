"""The recount equals counting people who were written out one by one."""

from itertools import chain, pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.kernels.recount import recount_zones
from tests.reference import recount as twin


@st.composite
def placed_donors(draw):
    n_zones, n_records, n_tables = draw(st.integers(0, 5)), draw(st.integers(1, 8)), draw(st.integers(1, 3))
    rows = [draw(st.lists(st.tuples(st.integers(0, n_records - 1), st.integers(-1, 6)), max_size=10)) for _ in range(n_zones)]
    cell = st.lists(st.integers(-1, 3), min_size=n_records, max_size=n_records)
    cells = [np.array(draw(cell), np.int32) for _ in range(n_tables)]
    indptr = np.concatenate([[0], np.cumsum([len(r) for r in rows])]).astype(np.int64)
    flat = np.array([x for r in rows for x in r], np.int32).reshape(-1, 2)
    return indptr, flat[:, 0].copy(), flat[:, 1].copy(), cells


def run(indptr, record, n, cells):
    n_records, n_zones = len(cells[0]), len(indptr) - 1
    sizes = [c.max() + 1 for c in cells]
    offset = np.concatenate([[0], np.cumsum(sizes)])
    combos, class_of = np.unique(np.stack(cells, axis=1), axis=0, return_inverse=True)
    slots = [[offset[t] + c for t, c in enumerate(row) if c >= 0] for row in combos]
    slot_start = np.concatenate([[0], np.cumsum([len(s) for s in slots])]).astype(np.int64)
    counts, reuse = np.zeros((n_zones, offset[-1]), np.int64), np.full((n_zones, 4), -1, np.int64)
    copies, used, placed = (np.zeros(n_records, np.int64) for _ in range(3))
    tally, seen, touched = np.zeros(len(combos), np.int64), np.empty(n_records, np.int32), np.empty(len(combos), np.int32)
    recount_zones(
        indptr, record, n, class_of.ravel().astype(np.int32), slot_start, np.array(list(chain(*slots)), np.int32), counts,
        reuse, copies, used, placed, tally, seen, touched,
    )  # fmt: skip
    assert not placed.any()
    assert not tally.any()
    return [counts[:, a:b] for a, b in pairwise(offset)], reuse, copies, used


@given(placed_donors())
def test_equals_the_twin(case):
    indptr, record, n, cells = case
    tables, reuse, copies, used = run(indptr, record, n, cells)
    expected, expected_reuse = twin.recount_zones(indptr, record, n, cells)
    for got, wanted in zip(tables, expected, strict=True):
        assert (got == wanted).all()
    assert (reuse == expected_reuse).all()
    assert copies.sum() == reuse[:, 0].sum() == np.maximum(n, 0).sum()
    assert used.sum() == reuse[:, 1].sum()
