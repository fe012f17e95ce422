"""People alone with their keys in a zone are those that counting everybody one by one finds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.kernels.uniqueness import unique_in_zones
from tests.reference import uniqueness as twin

LIMITS = np.array([2, 3, 5, 10])


@st.composite
def placed(draw):
    n_records, n_zones = draw(st.integers(1, 8)), draw(st.integers(0, 4))
    rows = [sorted(draw(st.sets(st.integers(0, n_records - 1)))) for _ in range(n_zones)]
    indptr = np.concatenate([[0], np.cumsum([len(r) for r in rows])]).astype(np.int64)
    record = np.array([x for r in rows for x in r], np.int32)
    n = np.array([draw(st.integers(1, 9)) for _ in record], np.int32)
    key_of = np.array(draw(st.lists(st.integers(-1, 3), min_size=n_records, max_size=n_records)), np.int32)
    return indptr, record, n, key_of


def run(indptr, record, n, key_of):
    n_keys = int(key_of.max(initial=-1)) + 1
    few = np.full((len(indptr) - 1, len(LIMITS)), -1, np.int64)
    sums = [np.zeros(n_keys, np.int64) for _ in range(4)]
    alike, tally = np.zeros(len(key_of), np.int64), np.zeros(n_keys, np.int64)
    unique_in_zones(indptr, record, n, key_of, LIMITS, few, *sums, alike, tally, np.empty(n_keys, np.int32))
    assert not tally.any()
    return few, *sums, alike


@given(placed())
def test_equals_the_twin(case):
    for got, wanted in zip(run(*case), twin.unique_in_zones(*case, LIMITS), strict=True):
        np.testing.assert_array_equal(got, wanted)


@given(placed())
def test_laws(case):
    indptr, record, n, key_of = case
    few, people, zones, squares, largest, alike = run(*case)
    assert (np.diff(few, axis=1) >= 0).all()
    inside = key_of[record] >= 0
    assert people.sum() == n[inside].sum()
    assert (largest <= people).all()
    assert (zones <= len(indptr) - 1).all()
    assert alike.sum() == squares.sum(), "copies by people with their keys, and people by people"
