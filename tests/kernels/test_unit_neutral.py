"""Moves that leave zones as they are: areas come nearer, zones stay, what is told is what a count finds."""

import numpy as np
import pytest

from synthpop_gb.kernels.unit_layout import unit_work
from synthpop_gb.kernels.unit_neutral import nest_units
from synthpop_gb.kernels.unit_pairs import pair_work
from synthpop_gb.kernels.unit_swaps import ALIKE, anneal_units, list_units, prepare_donors
from synthpop_gb.kernels.unit_whole import placed_units
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
    error, drawn = nest_units(n, first, 10, 2000, 0.6, 0.7, units.weights, parts, layout, placed, work, pairs, state)
    found = gaps(units, parts, placed)
    np.testing.assert_array_equal(found, placed.gap)
    assert not found[:first].any()
    assert np.abs(found).sum() == error == 0
    assert 0 < drawn <= 20_000
    assert (placed.counts >= 0).all()


def test_limits_on_copies_are_heeded():
    units, layout, parts, placed, n, work, pairs = made(2)
    parts.most[:] = np.maximum(units.truth, 1)
    nest_units(n, 18, 10, 2000, 0.6, 0.7, units.weights, parts, layout, placed, work, pairs, np.array([3], np.uint64))
    assert (placed.counts <= parts.most).all()


@pytest.mark.parametrize("seed", range(4))
def test_areas_come_before_zones(seed):
    units, layout, parts, placed, n, work, _ = made(seed)
    first, before = len(units.weights) * units.n_own, 6 * 8
    state = np.array([seed + 9], np.uint64)
    prepare_donors(units.weights, ALIKE, False, layout, work)
    at_first = np.abs(placed.gap[:first]).sum() + 6 * np.abs(placed.gap[first:]).sum()
    error, _ = anneal_units(
        n, ALIKE, False, first, 6, at_first, 1.0, 0.8, 10, 4000, units.weights, parts, layout, placed, work, state
    )
    found = np.abs(gaps(units, parts, placed))
    assert error == found[:first].sum() + 6 * found[first:].sum() < before
    np.testing.assert_array_equal(gaps(units, parts, placed), placed.gap)
