"""Units dealt out equal the twin's; each goes where its share says in the long run; every kind is divided evenly."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.kernels.allocate import allocate_zones
from synthpop_gb.kernels.streams import REZONE, stream_keys
from tests.kernels.whole_problems import read_only
from tests.reference.allocate import allocate


@st.composite
def zones(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_zones = draw(st.integers(1, 5))
    units, parts = rng.integers(0, 40, n_zones), rng.integers(0, 5, n_zones)
    kind = rng.integers(0, draw(st.sampled_from([1, 3, 1000])), units.sum()).astype(np.int32)
    share = np.concatenate([rng.dirichlet(np.ones(k)) for k in parts] or [np.empty(0)])
    starts = [np.concatenate([[0], np.cumsum(x)]).astype(np.int64) for x in (units, parts)]
    keys = stream_keys(5, rng.integers(0, 2**63, n_zones).astype(np.uint64), 0, REZONE)
    read_only(kind, share, keys, *starts)
    return starts[0], kind, starts[1], share, keys


@given(zones())
def test_equals_the_twin(made):
    unit_start, kind, part_start, share, keys = made
    part = allocate_zones(*made)
    for z, key in enumerate(keys):
        mine, k = part[unit_start[z] : unit_start[z + 1]], part_start[z + 1] - part_start[z]
        if k == 0:
            assert (mine == -1).all()
            continue
        expected = allocate(kind[unit_start[z] : unit_start[z + 1]], share[part_start[z] : part_start[z + 1]], key)
        assert (mine == expected).all()


@given(zones())
def test_a_zone_hangs_on_its_own_stream_alone(made):
    unit_start, kind, part_start, share, keys = made
    part = allocate_zones(*made)
    for z in range(len(keys)):
        mine = slice(unit_start[z], unit_start[z + 1])
        a, b = part_start[z], part_start[z + 1]
        alone = allocate_zones(
            np.array([0, mine.stop - mine.start]),
            kind[mine].copy(),
            np.array([0, b - a]),
            share[a:b].copy(),
            keys[z : z + 1].copy(),
        )
        assert (alone == part[mine]).all()


@given(zones(), st.floats(0.02, 0.98))
def test_of_two_areas_each_takes_its_share_of_all_and_of_every_stretch_to_within_one(made, share):
    unit_start, kind, _, _, keys = made
    part_start = 2 * np.arange(len(keys) + 1)
    part = allocate_zones(unit_start, kind, part_start, np.tile([share, 1 - share], len(keys)), keys)
    for z in range(len(keys)):
        mine = slice(unit_start[z], unit_start[z + 1])
        for least in np.unique(kind[mine]):  # units of the first kinds are a stretch of the order
            stretch = kind[mine] <= least
            assert abs((part[mine][stretch] == 0).sum() - share * stretch.sum()) < 1 + 1e-9


def test_each_unit_goes_to_each_area_with_its_share_as_chance():
    n, times, share = 17, 20_000, np.array([0.5, 0.2, 0.3])
    keys = stream_keys(9, np.arange(times, dtype=np.uint64), 0, REZONE)
    kind = np.tile(np.repeat([0, 1, 2], [5, 4, 8]).astype(np.int32), times)
    part = allocate_zones(np.arange(times + 1) * n, kind, 3 * np.arange(times + 1), np.tile(share, times), keys).reshape(times, n)
    for j, p in enumerate(share):
        chance = (part == j).mean(axis=0)
        assert (np.abs(chance - p) < 5 * np.sqrt(p * (1 - p) / times)).all()  # 5 standard errors, 51 units x areas
    # spread: drawn one by one 17 units would scatter with variance n p (1 - p)
    assert (part == 0).sum(axis=1).var() < 0.3
