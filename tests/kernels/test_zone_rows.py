"""Rows of zones and donors folded into sparse rows: equal to the twin, whatever the order of rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from synthpop_gb.kernels.zone_rows import merge_zones, scatter_rows
from tests.reference.zone_rows import merged


def fold(zone, donor, n, n_zones):
    """Both kernels as a reader calls them: {zone: [(donor, people), ...]}."""
    good = (zone >= 0) & (donor >= 0)
    start = np.concatenate([[0], np.cumsum(np.bincount(zone[good], minlength=n_zones))]).astype(np.int64)
    packed = np.empty(start[-1], np.int64)
    scatter_rows(zone, donor, n, start[:-1].copy(), packed)
    indptr = np.empty(n_zones + 1, np.int64)
    largest = merge_zones(start, packed, indptr)
    rows = {
        z: [(int(p >> 32), int(p & 0xFFFFFFFF)) for p in packed[indptr[z] : indptr[z + 1]]]
        for z in range(n_zones)
        if indptr[z + 1] > indptr[z]
    }
    assert largest == max((m for r in rows.values() for _, m in r), default=0)
    return rows


@st.composite
def rows(draw):
    length = draw(st.integers(0, 60))
    zone = draw(hnp.arrays(np.int32, length, elements=st.integers(-1, 5)))
    donor = draw(hnp.arrays(np.int32, length, elements=st.sampled_from([-1, 0, 1, 2, 7, 2**31 - 1])))
    return zone, donor, draw(hnp.arrays(np.int32, length, elements=st.integers(1, 2**24)))


@given(rows())
def test_equal_to_the_twin(made):
    assert fold(*made, 6) == merged(*made)


@given(rows(), st.integers(0, 2**32 - 1))
def test_order_of_rows_does_not_matter(made, seed):
    order = np.random.default_rng(seed).permutation(len(made[0]))
    assert fold(*(a[order] for a in made), 6) == fold(*made, 6)


@given(rows())
def test_one_person_a_row_needs_no_counts(made):
    zone, donor, _ = made
    assert fold(zone, donor, np.zeros(0, np.int32), 6) == merged(zone, donor, np.ones(len(zone), np.int32))
