"""Moves that leave zones as they are: the pieces equal their twins; areas come nearer, zones stay, what is told is counted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.kernels.unit_layout import unit_work
from synthpop_gb.kernels.unit_neutral import list_moves, nest_units, try_swaps, units_by_zone, wanted_of
from synthpop_gb.kernels.unit_pairs import draw_swaps, pair_work, slot_of
from synthpop_gb.kernels.unit_swaps import NARROW, Placed, exchange_units, list_units, prepare_donors, propose
from synthpop_gb.kernels.unit_whole import placed_units
from synthpop_gb.kernels.unit_zones import close_zones
from synthpop_gb.methods._area_programme import choose_moves
from tests.kernels.unit_problems import UNLIMITED, Units, units
from tests.reference import unit_neutral as twin


def made(seed, n_zones=3, n_profiles=80):
    """Zones with a table of households and one of people, an area with another of people; counts that meet the zones' tables."""
    rng = np.random.default_rng(seed)
    size = rng.integers(1, 4, n_profiles)
    counted = np.zeros((n_profiles, 3 + 3 + 4), int)
    counted[np.arange(n_profiles), size - 1] = 1
    for p in range(n_profiles):
        np.add.at(counted[p], 3 + rng.integers(0, 3, size[p]), 1)
        np.add.at(counted[p], 6 + rng.integers(0, 4, size[p]), 1)
    weights = rng.gamma(0.5, 1.5, (n_zones, n_profiles))
    truth = rng.poisson(weights).astype(np.int32)
    most = np.full(weights.shape, UNLIMITED, np.int32)
    household = np.array([True, False, False])
    units = Units(counted, np.array([0, 3, 6, 10]), 2, household, weights, truth, most)
    layout, parts = units.layout(), units.parts()
    parts.target[-4:] += np.array([3, -2, -2, 1], np.int32)  # zones are met, the area is not
    placed = placed_units(n_zones, n_profiles, len(parts.target), int(truth.sum()) + 64)
    placed.counts[:] = truth
    _, n, error = list_units(weights, parts, layout, placed)
    assert error == 8
    return units, layout, parts, placed, n, unit_work(layout, n_zones), pair_work(4000)


def gaps(units, parts, placed):
    return units.targets(placed.counts) - parts.target


@st.composite
def scattered(draw):
    """Units of zones in any order, off their targets, some zones in no area: (units, layout, parts, placed, n, a generator)."""
    made = draw(units(most_zones=3).filter(lambda found: found.truth.sum() > 1))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    layout, parts = made.layout(), made.parts()
    parts.place[rng.random(len(parts.place)) < 0.2, made.n_own :] = -1
    parts.target[:] = np.maximum(parts.target + rng.integers(-1, 2, len(parts.target)), 0)
    placed = placed_units(*made.weights.shape, len(parts.target), int(made.truth.sum()))
    placed.counts[:] = made.truth
    _, n, _ = list_units(made.weights, parts, layout, placed)
    order = rng.permutation(n)
    placed.zone[:], placed.profile[:] = placed.zone[order], placed.profile[order]
    return made, layout, parts, placed, n, rng


def counted_afresh(made, parts, zone, profile):
    return twin.gaps(zone, profile, made.counted, parts.place, parts.target)


@given(scattered())
def test_an_exchange_changes_gaps_and_copies_as_its_twin_and_goes_back(problem):
    made, layout, parts, placed, n, rng = problem
    price = rng.integers(0, 5, len(parts.target))
    before, copies = placed.gap.copy(), placed.counts.copy()
    zone, profile = placed.zone.tolist(), placed.profile.tolist()
    i, q = int(rng.integers(n)), int(rng.integers(made.weights.shape[1]))
    after = twin.exchanged(profile, i, q)
    np.testing.assert_array_equal(before, counted_afresh(made, parts, zone, profile))
    rise = exchange_units(i, q, price, parts, layout, placed)
    np.testing.assert_array_equal(placed.gap, counted_afresh(made, parts, zone, after))
    assert placed.profile.tolist() == after
    assert rise == twin.rise(before, placed.gap, price)
    assert (placed.counts - copies)[zone[i]].sum() == 0
    np.testing.assert_array_equal(np.bincount(after, minlength=len(layout.size)), placed.counts.sum(axis=0))
    assert exchange_units(i, profile[i], None, parts, layout, placed) == 0
    np.testing.assert_array_equal(placed.gap, before)
    np.testing.assert_array_equal(placed.counts, copies)


@given(scattered())
def test_swaps_are_tried_as_by_the_twin(problem):
    made, layout, parts, placed, n, rng = problem
    price = rng.integers(0, 5, len(parts.target))
    zone, profile = placed.zone.tolist(), placed.profile.tolist()
    i = int(rng.integers(n))
    others = [j for j in range(n) if j != i and zone[j] == zone[i]]
    q, r = (int(p) for p in rng.integers(made.weights.shape[1], size=2))
    j = others[rng.integers(len(others))] if others and rng.random() < 0.6 else -1
    state, again = np.full((2, 1), rng.integers(1, 2**63), np.uint64)
    swaps = [(i, q), (j, r)] if j >= 0 else [(i, q)]
    arrays = price, made.counted, parts.place, parts.target, parts.most
    expected, more, after = twin.tried(zone, profile, swaps, 1.5, *arrays, again)
    assert try_swaps(i, q, j, r, 1.5, price, parts, layout, placed, state) == (expected, more)
    assert placed.profile.tolist() == after
    assert state == again
    np.testing.assert_array_equal(placed.gap, counted_afresh(made, parts, zone, after))


@given(scattered())
def test_units_are_put_zone_by_zone_and_what_a_zone_misses_is_the_twins(problem):
    made, _, parts, placed, n, rng = problem
    zone, profile, first = twin.sorted_by_zone(placed.zone.tolist(), placed.profile.tolist(), len(made.weights))
    assert units_by_zone(n, placed).tolist() == first
    assert placed.zone.tolist() == zone
    assert placed.profile.tolist() == profile
    for z in range(len(made.weights)):
        for end in (len(made.weights) * made.n_own, int(rng.integers(len(parts.target) + 1))):
            assert wanted_of(z, end, parts, placed) == twin.wanted(placed.gap, parts.place[z], end, parts.salts)


def drawn_swaps(n, weights, layout, parts, own, work, state, proposals):
    """Draw swaps of units as kernels do, one after another."""
    for _ in range(proposals if n else 0):
        i, q = propose(n, NARROW, False, weights, parts, layout, own, work, state)
        if q >= 0:
            yield int(i), int(q)


@given(scattered(), st.integers(1, 60), st.integers(1, 30))
def test_moves_listed_are_those_of_all_pairs(problem, draws, room):
    made, layout, parts, placed, n, rng = problem
    zones, first_area = len(made.weights), len(made.weights) * made.n_own
    work, pairs = unit_work(layout, zones), pair_work(draws)
    state, again = np.full((2, 1), rng.integers(1, 2**63), np.uint64)
    moves, keys = np.empty((room * zones, 6), np.int64), np.empty(room * zones, np.uint64)
    found = list_moves(n, first_area, draws, made.weights, parts, layout, placed, work, pairs, state, moves, keys)
    first, expected = units_by_zone(n, placed), []
    for z in range(zones):
        low, high = first[z], first[z + 1]
        own = Placed(placed.counts, placed.gap, placed.zone[low:high], placed.profile[low:high], placed.kept[low:high])
        drawn = drawn_swaps(int(high - low), made.weights, layout, parts, own, work, again, draws)
        listed = twin.neutral_moves(z, own.profile.tolist(), drawn, first_area, room, made.counted, parts.place, parts.salts)
        expected += [((i + low, q, j + low if j >= 0 else -1, *rest), key) for (i, q, j, *rest), key in listed]
    told = [(tuple(row), int(key)) for row, key in zip(moves[:found].tolist(), keys[:found], strict=True)]
    assert told == expected
    assert state == again


@given(scattered(), st.integers(1, 60))
def test_swaps_drawn_are_hashed_by_what_they_change(problem, draws):
    made, layout, parts, placed, n, rng = problem
    work, pairs, end = unit_work(layout, len(made.weights)), pair_work(draws), int(rng.integers(len(parts.target) + 1))
    state, again = np.full((2, 1), rng.integers(1, 2**63), np.uint64)
    prepare_donors(made.weights, NARROW, False, layout, work)
    drawn = draw_swaps(n, draws, draws, end, NARROW, False, made.weights, parts, layout, placed, work, pairs, state)
    expected = list(drawn_swaps(n, made.weights, layout, parts, placed, work, again, draws))
    assert list(zip(pairs.unit[:drawn].tolist(), pairs.donor[:drawn].tolist(), strict=True)) == expected
    known = {}
    for k, (i, q) in enumerate(expected):
        at = placed.zone[i], placed.profile[i], q
        change = twin.change_of(*at, made.counted, parts.place, len(parts.target))[:end]
        assert pairs.key[k] == twin.key_of(change, parts.salts[:end])
        assert pairs.table[slot_of(pairs.key[k], pairs)] == known.setdefault(tuple(change), k)  # the first of its like


@pytest.mark.parametrize("seed", range(6))
def test_areas_come_right_and_zones_stay(seed):
    units, layout, parts, placed, n, work, pairs = made(seed)
    state = np.array([seed + 1], np.uint64)
    first = len(units.weights) * units.n_own
    price = np.ones(len(parts.target), np.int64)
    error, drawn = nest_units(n, first, 10, 700, 0.6, 0.7, price, units.weights, parts, layout, placed, work, pairs, state)
    found = gaps(units, parts, placed)
    np.testing.assert_array_equal(found, placed.gap)
    assert not found[:first].any()
    assert np.abs(found).sum() == error == 0
    assert 0 < drawn <= 21_000
    assert (placed.counts >= 0).all()


def test_limits_on_copies_are_heeded():
    units, layout, parts, placed, n, work, pairs = made(2)
    parts.most[:] = np.maximum(units.truth, 1)
    price, state = np.ones(len(parts.target), np.int64), np.array([3], np.uint64)
    nest_units(n, 18, 10, 700, 0.6, 0.7, price, units.weights, parts, layout, placed, work, pairs, state)
    assert (placed.counts <= parts.most).all()


@pytest.mark.parametrize("seed", range(6))
def test_zones_that_miss_tables_of_their_own_are_closed(seed):
    units, layout, parts, placed, n, work, pairs = made(seed)
    first, price = len(units.weights) * units.n_own, np.ones(len(parts.target), np.int64)
    rng, state = np.random.default_rng(seed), np.array([seed + 5], np.uint64)
    price[:first] = 4
    for unit in rng.choice(n, 6, replace=False):  # out of their tables, households too
        exchange_units(unit, int(rng.integers(units.weights.shape[1])), None, parts, layout, placed)
    before = np.abs(placed.gap[:first]).reshape(len(units.weights), -1).sum(axis=1)
    off, made_ = close_zones(n, first, 8, 4000, 4.0, 3000, 40, price, units.weights, parts, layout, placed, work, pairs, state)
    np.testing.assert_array_equal(gaps(units, parts, placed), placed.gap)
    after = np.abs(placed.gap[:first]).reshape(len(units.weights), -1).sum(axis=1)
    assert before.any()
    assert off == (after > 0).sum() == 0
    assert made_ > 0
    assert (placed.counts >= 0).all()


@pytest.mark.parametrize("seed", range(6))
def test_moves_that_are_listed_leave_zones_and_change_areas_as_their_keys_say(seed):
    units, layout, parts, placed, n, work, pairs = made(seed)
    first, state = len(units.weights) * units.n_own, np.array([seed + 1], np.uint64)
    moves, keys = np.empty((600, 6), np.int64), np.empty(600, np.uint64)
    found = list_moves(n, first, 700, units.weights, parts, layout, placed, work, pairs, state, moves, keys)
    before = placed.gap.copy()
    assert found > 20
    for row, key in zip(moves[:found].tolist(), keys[:found], strict=True):
        i, q, j, r, p, other = row
        assert placed.profile[i] == p
        exchange_units(i, q, None, parts, layout, placed)
        if j >= 0:
            assert placed.profile[j] == other
            exchange_units(j, r, None, parts, layout, placed)
        change = placed.gap - before
        assert not change[:first].any()
        assert (parts.salts * change.astype(np.uint64)).sum(dtype=np.uint64) == key
        for unit, profile in ((i, p), (j, other)):
            if unit >= 0:
                exchange_units(unit, profile, None, parts, layout, placed)
    np.testing.assert_array_equal(placed.gap, before)


@pytest.mark.parametrize("seed", range(6))
def test_moves_chosen_together_bring_areas_nearer(seed):
    units, layout, parts, placed, n, work, pairs = made(seed)
    first, state = len(units.weights) * units.n_own, np.array([seed + 1], np.uint64)
    moves, keys = np.empty((6000, 6), np.int64), np.empty(6000, np.uint64)
    found = list_moves(n, first, 2000, units.weights, parts, layout, placed, work, pairs, state, moves, keys)
    chosen = moves[choose_moves(moves[:found], keys[:found], first, 50, parts, layout, placed)]
    moving = chosen[:, [0, 2]][chosen[:, [0, 2]] >= 0]
    assert len(np.unique(moving)) == len(moving) > 0
    for i, q, j, r, _, _ in chosen.tolist():
        exchange_units(i, q, None, parts, layout, placed)
        if j >= 0:
            exchange_units(j, r, None, parts, layout, placed)
    assert not gaps(units, parts, placed).any()
    assert not len(choose_moves(moves[:found], keys[:found], first, 50, parts, layout, placed))
