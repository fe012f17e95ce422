"""Which wanted cells can still be filled: equal to striking profiles out one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.kernels.support import supported
from tests.reference import support as twin


@given(st.integers(0, 4), st.integers(0, 12), st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 2**32 - 1))
def test_equals_the_twin(n_zones, n_profiles, sizes, seed):
    rng = np.random.default_rng(seed)
    start = np.concatenate([[0], np.cumsum(sizes)])
    cells = np.stack([rng.integers(-1, size, n_profiles) for size in sizes], axis=1)
    cell_of = np.where(cells >= 0, cells + start[:-1], -1).astype(np.int32)
    targets = (rng.random((n_zones, start[-1])) < 0.7) * rng.integers(1, 50, (n_zones, start[-1])).astype(float)
    found = supported(cell_of, targets)
    assert np.array_equal(found & (targets > 0), twin.supported(cell_of, targets) & (targets > 0))
    assert not found[targets == 0].any()
    assert np.array_equal(found, supported(cell_of[::-1].copy(), targets))
