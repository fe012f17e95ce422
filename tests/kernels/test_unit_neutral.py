"""Moves that leave zones as they are: areas come nearer, zones stay, what is told is what a count finds."""

import numpy as np
import pytest

from synthpop_gb.kernels.unit_layout import unit_work
from synthpop_gb.kernels.unit_neutral import list_moves, nest_units
from synthpop_gb.kernels.unit_pairs import pair_work
from synthpop_gb.kernels.unit_swaps import exchange_units, list_units
from synthpop_gb.kernels.unit_whole import placed_units
from synthpop_gb.kernels.unit_zones import close_zones
from synthpop_gb.methods._area_programme import choose_moves
from tests.kernels.unit_problems import UNLIMITED, Units


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
