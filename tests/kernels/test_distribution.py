"""Distributions in one pass equal the definitions, person by person."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.kernels.distribution import distribution_of_counts, distribution_of_weights
from tests.reference import distribution as twin

LEVELS = np.array([0.1, 0.2, 0.5, 0.8, 1.0])


def outputs(n_areas, n_groups, n_levels, n_lines):
    return [np.full((n_areas, n_groups, *more), np.nan) for more in ((), (), (), (n_levels,), (n_levels,), (n_lines,))]


def by_weights(weights, slot, share, value, group, n_groups, lines):
    order = np.argsort(value, kind="stable")
    shape = len(weights), n_groups
    levels = np.broadcast_to(LEVELS, (*shape, len(LEVELS))).copy()
    out = outputs(*shape, len(LEVELS), len(lines))
    wide = np.broadcast_to(lines, (*shape, len(lines))).copy()
    distribution_of_weights(
        weights, slot[order].astype(np.int32), share[order], value[order], group[order].astype(np.int32), levels, wide, *out
    )
    return out


@st.composite
def cases(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_areas, n_slots, n_groups, n = (draw(st.integers(1, hi)) for hi in (3, 4, 3, 12))
    spread = draw(st.sampled_from([1, 3, 1000]))  # ties, and none
    value = rng.integers(1, spread + 1, n).astype(float)
    weights = rng.gamma(0.7, 5.0, (n_areas, n_slots)) * (rng.random((n_areas, n_slots)) < 0.8)
    lines = rng.integers(0, spread, 2) + 0.5
    return weights, rng.integers(0, n_slots, n), rng.random(n), value, rng.integers(0, n_groups, n), n_groups, lines


def same(found, a, g, weight, value, lines):
    people, total, pairs, quantile, poorest, reached = (x[a, g] for x in found)
    if weight.sum() == 0:
        assert people == total == pairs == 0
        assert not quantile.any()
        return
    wanted = twin.distribution(weight, value, LEVELS, lines)
    assert np.allclose([people, total, pairs / (people * total) - 1], wanted[:3], rtol=1e-9, atol=1e-12)
    assert (quantile == wanted[3]).all()
    assert np.allclose(poorest, wanted[4])
    assert np.allclose(reached, wanted[5])


@given(cases())
def test_weights_equal_the_twin(case):
    weights, slot, share, value, group, n_groups, lines = case
    found = by_weights(*case)
    for a in range(len(weights)):
        for g in range(n_groups):
            mine = group == g
            same(found, a, g, weights[a, slot[mine]] * share[mine], value[mine], lines)


@given(cases())
def test_counts_equal_the_twin_and_the_weights(case):
    weights, slot, _, value, group, n_groups, lines = case
    counts = np.ceil(weights[:, slot])  # each entry is a slot of its own
    n_areas, n = counts.shape
    rank = np.empty(n, np.int64)
    rank[np.argsort(value, kind="stable")] = np.arange(n)
    indptr = np.arange(n_areas + 1) * n
    levels = np.broadcast_to(LEVELS, (n_areas, n_groups, len(LEVELS))).copy()
    wide = np.broadcast_to(lines, (n_areas, n_groups, len(lines))).copy()
    out = outputs(n_areas, n_groups, len(LEVELS), len(lines))
    of = np.where(np.arange(n) == 0, -1, group).astype(np.int32)  # the first is nobody's
    rows = indptr, np.tile(np.arange(n), n_areas), counts.ravel()
    distribution_of_counts(*rows, rank, value, of, levels, wide, *out)
    for a in range(n_areas):
        for g in range(n_groups):
            mine = of == g
            same(out, a, g, counts[a, mine], value[mine], lines)


def test_by_hand():
    ones = np.ones((1, 4))
    out = by_weights(ones, np.arange(4), np.ones(4), np.array([4.0, 1.0, 3.0, 2.0]), np.zeros(4, int), 1, np.array([2.0]))
    people, total, pairs, quantile, poorest, reached = (x[0, 0] for x in out)
    assert (people, total, reached[0]) == (4.0, 10.0, 2.0)
    assert pairs / (people * total) - 1 == 0.25  # of 1, 2, 3, 4
    assert quantile.tolist() == [1.0, 1.0, 2.0, 4.0, 4.0]
    assert np.allclose(poorest, [0.4, 0.8, 3.0, 3.0 + 3.0 + 0.2 * 4.0, 10.0])


@given(cases(), st.floats(0.5, 20))
def test_laws(case, factor):
    weights, slot, share, value, group, n_groups, lines = case
    found = by_weights(*case)
    scaled = by_weights(weights * factor, slot, share, value * 2, group, n_groups, lines * 2)
    people, total, pairs, quantile, *_ = found
    live = people > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        gini, again = pairs / (people * total) - 1, scaled[2] / (scaled[0] * scaled[1]) - 1
    assert np.allclose(gini[live], again[live])
    assert ((gini[live] > -1e-9) & (gini[live] < 1)).all()
    assert np.allclose(scaled[1], 2 * factor * total)
    assert (np.diff(quantile, axis=-1) >= 0).all()
    below_nought = by_weights(-weights, slot, share, value, group, n_groups, lines)
    assert not any(x.any() for x in below_nought)
