"""Tables of households and of their people drawn anew: they still agree, nothing falls below nought, and chance is fair."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from synthpop_gb.kernels.redraw_units import agreed_noise, unit_relations
from tests.kernels.household_problems import households
from tests.reference import redraw_units as twin


def known_of(homes):
    return unit_relations(*homes.rows, homes.constraint_start)


def keys(n, first=1):
    return np.arange(first, first + n, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)


@settings(deadline=None, max_examples=80)
@given(households(whole=True), st.integers(0, 2**32 - 1), st.sampled_from([0.5, 2.0, 30.0]))
def test_noise_agrees_is_whole_and_leaves_nobody_below_nought(homes, seed, error):
    rng, shape = np.random.default_rng(seed), homes.targets.shape
    variance = np.where(homes.targets > 0, error**2 * (rng.random(shape[1]) < 0.7), 0.0)
    noise = np.maximum(np.rint(rng.normal(0, 1, shape) * np.sqrt(variance)), -homes.targets)
    out, stuck = agreed_noise(known_of(homes), noise, variance, -homes.targets, keys(len(noise)))
    fine = out[~stuck]
    assert (fine == np.rint(fine)).all()
    assert (fine >= -homes.targets[~stuck]).all()
    np.testing.assert_allclose(fine @ twin.relations(homes.counted).T, 0.0, atol=1e-6 * (1 + error))
    same = variance[~stuck] == 0
    np.testing.assert_array_equal(fine[same], noise[~stuck][same])
    quiet = ~(noise != 0).any(axis=1)
    assert not stuck[quiet].any()


def test_noise_is_the_nearest_before_it_is_rounded():
    rng = np.random.default_rng(3)
    size = rng.integers(1, 5, 60)
    counted = np.column_stack([np.eye(4, dtype=int)[size - 1], [np.bincount(rng.integers(0, 3, s), minlength=3) for s in size]])
    row_start, (_, cell) = np.concatenate([[0], np.cumsum((counted > 0).sum(axis=1))]), np.nonzero(counted)
    known = unit_relations(row_start, cell, counted[counted > 0], np.array([0, 4, 7]))
    n, variance = 4000, rng.uniform(0.5, 9.0, 7)
    noise = rng.normal(0, 1, (n, 7)) * np.sqrt(variance)
    wanted = np.stack([twin.nearest(counted, row, variance) for row in noise])
    out, stuck = agreed_noise(known, noise, np.tile(variance, (n, 1)), np.full((n, 7), -1e6), keys(n))
    assert stuck.mean() < 0.01
    assert (np.abs(out - wanted)[~stuck] < 1).all()
    out = out[~stuck]
    assert (np.abs(out.mean(axis=0)) < 4 * out.std(axis=0) / np.sqrt(len(out))).all()  # rounding leans nowhere


def test_sizes_and_people_move_together():
    """Two sizes of household and their people: two more households of one person are two more people, or fewer larger ones."""
    known = unit_relations(np.array([0, 2, 4]), np.array([0, 2, 1, 2]), np.array([1, 1, 1, 2]), np.array([0, 2, 3]))
    exact_people = np.array([[4.0, 4.0, 0.0]])
    out, stuck = agreed_noise(known, np.array([[3.0, 0.0, 0.0]]), exact_people, np.array([[-9.0, -9.0, -27.0]]), keys(1))
    assert not stuck.any()
    assert out[0].tolist() == [2.0, -1.0, 0.0]  # the only whole numbers beside 2.4 and -1.2 that agree
    out, stuck = agreed_noise(known, np.array([[3.0, 0.0, 0.0]]), np.zeros((1, 3)), np.zeros((1, 3)), keys(1))
    assert stuck.all()  # nothing may give way
