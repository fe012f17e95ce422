"""Donors equal the twin's; each is used floor or ceil of its share; one zone's draw hangs on its own stream alone."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.kernels.placement import place_zones, placement_guide
from synthpop_gb.kernels.streams import PLACE, stream_keys
from tests.kernels.whole_problems import read_only
from tests.reference import placement as twin


@st.composite
def placements(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = rng.integers(0, draw(st.sampled_from([2, 6, 40])), draw(st.integers(1, 6)))
    donor_start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    n_records = int(sizes.sum()) + 5
    donor = rng.permutation(n_records)[: sizes.sum()].astype(np.int32)
    weight = rng.choice([0.0, 0.0, 1e-3, 1.0, 1.0, 2.5, 1e4], sizes.sum()) if rng.random() < 0.7 else np.ones(sizes.sum())
    dense = rng.poisson(rng.choice([0.3, 3.0, 50.0]), (draw(st.integers(0, 5)), len(sizes)))
    zone, profile = np.nonzero(dense)
    zone_start = np.concatenate([[0], np.cumsum(np.bincount(zone, minlength=len(dense)))]).astype(np.int64)
    number = dense[zone, profile].astype(np.int32)
    keys = stream_keys(11, rng.integers(0, 2**63, len(dense)).astype(np.uint64), 0, PLACE)
    read_only(donor_start, donor, weight)
    return dense, (zone_start, profile.astype(np.int32), number, keys), donor_start, donor, weight, n_records


def run(rows, donor_start, donor, weight, n_records, caps=()):
    caps = np.array(caps, np.int64)
    return place_zones(*rows, donor_start, donor, *placement_guide(donor_start, weight), n_records, caps)


@given(placements())
def test_equals_the_twin(made):
    dense, rows, donor_start, donor, weight, n_records = made
    start, record, people, unplaced = run(rows, donor_start, donor, weight, n_records)
    cumulated = np.array([weight[a:b].sum() for a, b in pairwise(donor_start)])
    assert unplaced == dense[:, cumulated == 0].sum()
    for z in range(len(dense)):
        mine = slice(rows[0][z], rows[0][z + 1])
        expected = twin.place(rows[1][mine], rows[2][mine], rows[3][z], donor_start, donor, weight)
        got = dict(zip(record[start[z] : start[z + 1]].tolist(), people[start[z] : start[z + 1]].tolist(), strict=True))
        assert got == expected
        assert list(got) == sorted(got)


@given(placements())
def test_each_donor_is_used_floor_or_ceil_of_its_share(made):
    dense, rows, donor_start, donor, weight, n_records = made
    start, record, people, _ = run(rows, donor_start, donor, weight, n_records)
    for z in range(len(dense)):
        used = np.zeros(n_records)
        used[record[start[z] : start[z + 1]]] = people[start[z] : start[z + 1]]
        for p, n in enumerate(dense[z]):
            mine = slice(donor_start[p], donor_start[p + 1])
            if weight[mine].sum() > 0:
                share = n * weight[mine] / weight[mine].sum()
                assert used[donor[mine]].sum() == n
                assert (np.abs(used[donor[mine]] - share) < 1 + 1e-9).all()
                assert (used[donor[mine]][weight[mine] == 0] == 0).all()


@given(placements())
def test_blocks_do_not_matter(made):
    dense, (zone_start, profile, number, keys), donor_start, donor, weight, n_records = made
    start, record, people, _ = run((zone_start, profile, number, keys), donor_start, donor, weight, n_records)
    for z in reversed(range(len(dense))):
        mine = slice(zone_start[z], zone_start[z + 1])
        alone = (zone_start[z : z + 2] - zone_start[z], profile[mine], number[mine], keys[z : z + 1])
        _, record_alone, people_alone, _ = run(alone, donor_start, donor, weight, n_records)
        assert record_alone.tolist() == record[start[z] : start[z + 1]].tolist()
        assert people_alone.tolist() == people[start[z] : start[z + 1]].tolist()


@pytest.mark.parametrize("n", [1, 3])
def test_mean_use_is_the_share(n):
    weight = np.array([1.0, 0.0, 3.0, 0.5, 1.5])
    donor_start, donor = np.array([0, 5], np.int64), np.arange(5, dtype=np.int32)
    keys = stream_keys(1, np.arange(20_000, dtype=np.uint64), 0, PLACE)
    rows = (np.arange(20_001), np.zeros(20_000, np.int32), np.full(20_000, n, np.int32), keys)
    read_only(donor_start, donor, weight)
    _, record, people, _ = run(rows, donor_start, donor, weight, 5)
    use = np.bincount(record, people, 5) / 20_000
    assert use == pytest.approx(n * weight / weight.sum(), abs=0.02)


# ---- limits on copies


@given(placements(), st.integers(1, 4))
def test_no_donor_stands_more_often_than_it_may(made, most):
    dense, rows, donor_start, donor, weight, n_records = made
    caps = np.full(len(dense), most)
    start, record, people, unplaced = run(rows, donor_start, donor, weight, n_records, caps)
    cumulated = np.array([weight[a:b].sum() for a, b in pairwise(donor_start)])
    assert unplaced == dense[:, cumulated == 0].sum()
    for z in range(len(dense)):
        used = np.zeros(n_records)
        used[record[start[z] : start[z + 1]]] = people[start[z] : start[z + 1]]
        for p, n in enumerate(dense[z]):
            mine = slice(donor_start[p], donor_start[p + 1])
            if weight[mine].sum() <= 0:
                continue
            use, able = used[donor[mine]], weight[mine] > 0
            assert use.sum() == n
            if n <= most * len(use):
                assert use.max() <= most
            if n <= most * able.sum():
                assert (use[~able] == 0).all()
                share = twin.capped_share(n, weight[mine], most)
                assert (np.abs(use - share) < 1 + 1e-6).all()


@given(placements())
def test_a_limit_that_never_binds_changes_nothing(made):
    dense, rows, *rest = made
    plain, limited = run(rows, *rest), run(rows, *rest, np.full(len(dense), 10_000))
    for one, other in zip(plain, limited, strict=True):
        np.testing.assert_array_equal(one, other)


def test_mean_use_under_a_limit_is_the_cut_share():
    weight = np.array([1.0, 0.0, 3.0, 0.5, 10.0])
    donor_start, donor = np.array([0, 5], np.int64), np.arange(5, dtype=np.int32)
    keys = stream_keys(1, np.arange(20_000, dtype=np.uint64), 0, PLACE)
    rows = (np.arange(20_001), np.zeros(20_000, np.int32), np.full(20_000, 5, np.int32), keys)
    read_only(donor_start, donor, weight)
    _, record, people, _ = run(rows, donor_start, donor, weight, 5, np.full(20_000, 2))
    use = np.bincount(record, people, 5) / 20_000
    assert use == pytest.approx(twin.capped_share(5, weight, 2), abs=0.02)
    assert use == pytest.approx([2 / 3, 0, 2, 1 / 3, 2], abs=0.02)
