"""Profiles by packed integers equal profiles by tuples, also where one integer cannot hold them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.kernels.collapse import collapse
from tests.reference import collapse as twin


@given(st.integers(1, 40), st.lists(st.integers(1, 2000), min_size=1, max_size=9), st.integers(0, 2**32 - 1))
def test_equals_the_twin(n_records, sizes, seed):
    rng = np.random.default_rng(seed)
    cells = np.stack([rng.integers(-1, min(size, 3), n_records) for size in sizes]).astype(np.int32)
    first, inverse = collapse(cells, sizes)
    expected_first, expected_inverse = twin.collapse(cells, sizes)
    assert np.array_equal(first, expected_first)
    assert np.array_equal(inverse, expected_inverse)


def test_spans_beyond_sixty_three_bits_keep_the_order():
    rng = np.random.default_rng(1)
    cells = rng.integers(-1, 4, (12, 300))
    narrow, wide = collapse(cells, [4] * 12), collapse(cells, [900] * 12)
    assert np.array_equal(narrow[0], wide[0])
    assert np.array_equal(narrow[1], wide[1])


def test_no_records():
    first, inverse = collapse(np.zeros((2, 0), np.int32), [3, 3])
    assert len(first) == len(inverse) == 0
