"""Rounded margins: whole, unbiased, each cell rounded up or down, and what tables share they still share."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthpop_gb.kernels.rounding import round_margins, shared_margins
from synthpop_gb.kernels.streams import ROUND, stream_keys


def tables(*columns):
    """Lay out tables: (cell_of numbered across, bounds) of category codes by profile, -1 outside."""
    sizes = [int(c.max()) + 1 for c in columns]
    bounds = np.concatenate([[0], np.cumsum(sizes)])
    return np.array([np.where(c < 0, -1, c + b) for c, b in zip(columns, bounds[:-1], strict=True)]), bounds


def world(seed=0, shape=(4, 2, 3)):
    """Age, sex, work of those who are not of the youngest age; age x sex crossed, ages in two bands."""
    age, sex, work = (x.ravel() for x in np.meshgrid(*map(np.arange, shape), indexing="ij"))
    rng = np.random.default_rng(seed)
    named = {"age": age, "sex": sex, "band": age // 2, "age x sex": age * shape[1] + sex, "work": np.where(age == 0, -1, work)}
    return rng, named


def rounded(cell_of, bounds, weights, seed=1, start=None):
    start = np.ones(cell_of.shape[1]) if start is None else start
    made = shared_margins(start, cell_of, bounds)
    fitted = np.zeros((len(weights), bounds[-1]))
    for row in cell_of:
        np.add.at(fitted.T, row[row >= 0], weights[:, row >= 0].T)
    atoms = np.zeros((len(weights), made.inside.shape[1]))
    np.add.at(atoms.T, made.atom[made.atom >= 0], weights[:, made.atom >= 0].T)
    share = np.array([start[(cell_of == c).any(axis=0)].sum() for c in range(bounds[-1])])
    keys = stream_keys(seed, np.arange(len(weights)).astype(np.uint64), 0, ROUND)
    return round_margins(made, bounds, fitted, atoms, share, keys), fitted


CHOICES = [
    ("age", "sex", "work"),
    ("age", "band", "sex"),
    ("sex", "age x sex", "age"),
    ("work", "age"),
    ("work",),
    ("band", "age x sex", "work", "sex"),
]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(CHOICES), st.integers(0, 10_000), st.sampled_from([0.1, 5.0, 300.0]))
def test_shared_margins_stay_shared_and_cells_near(chosen, seed, size):
    rng, named = world(seed)
    cell_of, bounds = tables(*(named[c] for c in chosen))
    weights = rng.gamma(0.5, size, (6, cell_of.shape[1]))
    got, fitted = rounded(cell_of, bounds, weights, seed)
    np.testing.assert_array_equal(got, np.rint(got))
    assert (got >= 0).all()
    part = {c: got[:, bounds[k] : bounds[k + 1]] for k, c in enumerate(chosen)}
    fits = {c: fitted[:, bounds[k] : bounds[k + 1]] for k, c in enumerate(chosen)}
    everybody = [c for c in chosen if c != "work"]
    for c in everybody:
        np.testing.assert_array_equal(part[c].sum(axis=1), part[everybody[0]].sum(axis=1))
        assert (np.abs(part[c].sum(axis=1) - weights.sum(axis=1)) < 1).all()
        assert (np.abs(part[c] - fits[c]) < 3).all()
    if {"age", "work"} <= set(chosen):
        np.testing.assert_array_equal(part["work"].sum(axis=1), part["age"][:, 1:].sum(axis=1))
    if {"age", "band"} <= set(chosen):
        np.testing.assert_array_equal(part["band"], part["age"].reshape(6, 2, 2).sum(axis=2))
    if {"age x sex", "sex"} <= set(chosen):
        np.testing.assert_array_equal(part["sex"], part["age x sex"].reshape(6, 4, 2).sum(axis=1))
    if {"age x sex", "band"} <= set(chosen):
        np.testing.assert_array_equal(part["band"], part["age x sex"].reshape(6, 2, 4).sum(axis=2))


def test_whole_margins_stay_as_they_are():
    rng, named = world()
    cell_of, bounds = tables(named["age"], named["sex"], named["work"])
    got, fitted = rounded(cell_of, bounds, rng.poisson(3, (5, cell_of.shape[1])).astype(float) + 1e-9)
    np.testing.assert_array_equal(got, np.rint(fitted))


def test_rounding_is_unbiased():
    rng, named = world(3)
    cell_of, bounds = tables(named["age"], named["sex"], named["work"])
    weights = np.repeat(rng.gamma(1.0, 3.0, (1, cell_of.shape[1])), 20_000, axis=0)
    got, fitted = rounded(cell_of, bounds, weights)
    error = got.std(axis=0) / np.sqrt(len(got))
    assert (np.abs(got.mean(axis=0) - fitted[0]) < 4.5 * np.maximum(error, 1e-3)).all()


def test_tables_that_share_nothing_share_their_universe_only():
    _, named = world()
    cell_of, bounds = tables(named["age"], named["sex"])
    made = shared_margins(np.ones(cell_of.shape[1]), cell_of, bounds)
    assert made.inside.shape == (2, 1)
    assert [[int(s.own.max()) + 1 for s in part] for part in made.shared] == [[1], [1, 1]]


@pytest.mark.parametrize("order", [np.arange(6), np.arange(6)[::-1]])
def test_a_zone_is_rounded_alike_in_any_company(order):
    rng, named = world(7)
    cell_of, bounds = tables(named["age"], named["sex"], named["age x sex"], named["work"])
    weights = rng.gamma(0.5, 9.0, (6, cell_of.shape[1]))
    whole, _ = rounded(cell_of, bounds, weights)
    made = shared_margins(np.ones(cell_of.shape[1]), cell_of, bounds)
    keys = stream_keys(1, np.arange(6).astype(np.uint64), 0, ROUND)[order]
    fitted = np.stack([weights[:, (cell_of == c).any(axis=0)].sum(axis=1) for c in range(bounds[-1])], axis=1)
    atoms = np.stack([weights[:, made.atom == a].sum(axis=1) for a in range(made.inside.shape[1])], axis=1)
    got = round_margins(made, bounds, fitted[order], atoms[order], np.ones(bounds[-1]), keys)
    np.testing.assert_array_equal(got, whole[order])
