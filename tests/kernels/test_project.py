"""Sums by area and group equal adding up everybody one by one, however areas and zones are cut."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.kernels.project import project_rows
from tests.reference import project as twin


@st.composite
def cases(draw):
    n_zones, n_slots, n_groups, n_values = (draw(st.integers(lo, 4)) for lo in (0, 1, 1, 1))
    n_areas = draw(st.integers(1, 3))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    inside = rng.random((n_slots, n_groups)) < 0.6
    entry_start = np.concatenate([[0], np.cumsum(inside.sum(axis=1))]).astype(np.int64)
    group = np.nonzero(inside)[1].astype(np.int32)
    values = rng.integers(-3, 9, (len(group), n_values)) / 4.0  # exact in binary: sums do not hang on their order
    present = rng.random((n_zones, n_slots)) < 0.7
    indptr = np.concatenate([[0], np.cumsum(present.sum(axis=1))]).astype(np.int64)
    slot = np.nonzero(present)[1].astype(np.int32)
    count = rng.integers(0, 5, len(slot)).astype(np.int32)
    area = rng.integers(-1, n_areas, n_zones)
    return indptr, slot, count, np.zeros(n_zones, np.int64), area, entry_start, group, values, n_areas, n_groups


def run(indptr, slot, count, offset, area, entry_start, group, values, n_areas, n_groups):
    out, zone, live = (
        np.zeros((n_areas, n_groups, values.shape[1])),
        np.zeros((n_groups, values.shape[1])),
        np.zeros(n_groups, bool),
    )
    project_rows(indptr, slot, count, offset, area, entry_start, group, values, out, zone, live)
    assert not zone.any()
    assert not live.any()
    return out


@given(cases())
def test_equals_the_twin(case):
    assert (run(*case) == twin.project_rows(*case)).all()


@given(cases())
def test_classes_of_place_are_slots_further_on(case):
    indptr, slot, count, offset, area, entry_start, group, values, n_areas, n_groups = case
    n_slots = len(entry_start) - 1
    twice = np.concatenate([entry_start, entry_start[1:] + entry_start[-1]])
    moved = offset + n_slots * (np.arange(len(offset)) % 2)
    both = np.concatenate([values, values])
    found = run(indptr, slot, count, moved, area, twice, np.tile(group, 2), both, n_areas, n_groups)
    assert (found == run(*case)).all()


@given(cases(), st.integers(0, 4))
def test_blocks_of_zones_add_up_and_doubling_doubles(case, cut):
    indptr, slot, count, offset, area, *rest = case
    cut = min(cut, len(area))
    first = run(indptr[: cut + 1], slot, count, offset[:cut], area[:cut], *rest)
    second = run(indptr[cut:], slot, count, offset[cut:], area[cut:], *rest)
    whole = run(*case)
    assert (first + second == whole).all()
    assert (run(indptr, slot, 2 * count, offset, area, *rest) == 2 * whole).all()
