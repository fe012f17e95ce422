"""Tables of areas rounded to agree with whole tables of zones; margins kept from nought without breaking relations."""

import numpy as np
import pytest

from synthpop_gb.incidence import Incidence
from synthpop_gb.kernels.consistent import relations_of, round_consistent
from synthpop_gb.kernels.consistent_areas import moved_above_nought, round_rest
from synthpop_gb.kernels.streams import ROUND, stream_keys


def town(seed=0, n_profiles=40):
    """Profiles by age (3) and sex (2), told to zones each, and age x sex (6), told to the area: relations tie all of them."""
    rng = np.random.default_rng(seed)
    counted = np.zeros((n_profiles, 11), int)
    for p in range(n_profiles):
        for _ in range(rng.integers(1, 5)):
            age, sex = rng.integers(0, 3), rng.integers(0, 2)
            counted[p, [age, 3 + sex, 5 + 2 * age + sex]] += 1
    rows, zones = Incidence.of_rows(counted), Incidence.of_rows(counted[:, :5])
    none = np.zeros(3, bool)
    together = relations_of(rows.start, rows.cell, rows.count, np.ones(n_profiles), np.array([0, 3, 5, 11]), none)
    alone = relations_of(zones.start, zones.cell, zones.count, np.ones(n_profiles), np.array([0, 3, 5]), none[:2])
    return counted, together, alone, rng.gamma(0.5, 2.0, (6, n_profiles))


def areas(seed, counted, together, alone, weights):
    fitted = weights @ counted
    keys = stream_keys(seed, np.arange(7, dtype=np.uint64), 0, ROUND)
    goals, still = round_consistent(alone, fitted[:, :5], np.zeros((6, 0, 5)), keys[:6])
    assert not still.any()
    moments = counted[:, :5].T @ (weights.sum(axis=0)[:, None] * counted)
    given = np.stack([fitted[:, :5].sum(axis=0), goals.sum(axis=0)])
    return given[1], round_rest(together, given, fitted[:, 5:].sum(axis=0), moments, keys[6:])


@pytest.mark.parametrize("seed", range(10))
def test_areas_agree_with_the_sums_of_their_zones(seed):
    counted, together, alone, weights = town(seed)
    given, (whole, done) = areas(seed, counted, together, alone, weights)
    assert done
    assert (whole >= 0).all()
    np.testing.assert_array_equal(whole, np.rint(whole))
    table = whole.reshape(3, 2)
    np.testing.assert_array_equal(table.sum(axis=1), given[:3])
    np.testing.assert_array_equal(table.sum(axis=0), given[3:])


def test_areas_are_not_biased():
    town_ = town(3)
    fitted = (town_[3] @ town_[0])[:, 5:].sum(axis=0)
    runs = np.stack([areas(seed, *town_)[1][0] for seed in range(400)])
    spread = np.maximum(runs.std(axis=0), 0.2) / 20
    assert np.sqrt(np.mean(((runs.mean(axis=0) - fitted) / spread) ** 2)) < 2


def test_cells_are_raised_to_nought_and_relations_kept():
    counted, together, _, weights = town(1)
    margins = weights.sum(axis=0) @ counted
    shift = counted[0] - counted[1]  # keeps all relations
    moved = margins + shift * (margins[shift < 0].min() + 1.0) * 3.0
    assert moved.min() < 0
    raised, done = moved_above_nought(together, moved)
    assert done
    assert raised.min() >= 0
    every = np.concatenate([raised, np.add.reduceat(raised, [0, 3, 5])])
    assert np.abs(together.every @ every).max() < 1e-6
    same, _ = moved_above_nought(together, margins)
    np.testing.assert_allclose(same, margins, atol=1e-4)
