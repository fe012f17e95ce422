"""Whole households: the draw equals its twin, swaps keep what they should, matched swaps hit, and what is said is so."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from synthpop_gb.kernels.streams import WHOLE, stream_keys
from synthpop_gb.kernels.unit_block import place_alone
from synthpop_gb.kernels.unit_cube import cube_units
from synthpop_gb.kernels.unit_layout import unit_work
from synthpop_gb.kernels.unit_pairs import match_swaps, pair_work
from synthpop_gb.kernels.unit_swaps import ALIKE, NARROW, WIDE, anneal_units, list_units, prepare_donors
from synthpop_gb.kernels.unit_totals import settle_totals
from synthpop_gb.kernels.unit_whole import Effort, place_units, placed_units
from tests.kernels.unit_problems import UNLIMITED, Units, units
from tests.reference import unit_whole as twin
from tests.reference.balance import balance_zone


def start(problem, seed=3):
    """A drawn state: (layout, parts, work, placed, state)."""
    layout, parts, state = problem.layout(), problem.parts(), np.array([seed], np.uint64)
    work = unit_work(layout, len(problem.weights))
    placed = placed_units(*problem.weights.shape, len(parts.target), int(np.ceil(problem.weights).sum()) + 40)
    for z, weights in enumerate(problem.weights):
        cube_units(weights, parts.most[z], 0.0, layout, work, state, placed.counts[z])
    return layout, parts, work, placed, state


def recount(problem, counts):
    return problem.targets(counts) - problem.targets(problem.truth)


@settings(deadline=None, max_examples=40)
@given(units(limits=False), st.sampled_from([0.0, 0.1, 0.5, 1.0]), st.integers(0, 2**63))
def test_draw_equals_the_twin(problem, least, seed):
    layout = problem.layout()
    problem.weights = np.random.default_rng(seed % 2**32).gamma(0.8, size=problem.truth.shape)  # no ties between fractions
    work, counts = unit_work(layout), np.full(len(problem.counted), -1, np.int32)
    mine, theirs = np.array([seed], np.uint64), np.array([seed], np.uint64)
    n_open = cube_units(problem.weights[0], problem.most[0], least, layout, work, mine, counts)
    strata = [layout.order[NARROW, a:b] for a, b in itertools.pairwise(layout.first[NARROW])]
    expected, expected_open = twin.balanced_draw(
        problem.weights[0], problem.counted, problem.of_households, theirs, least, strata
    )
    assert counts.tolist() == expected.tolist()
    assert (n_open, mine[0]) == (expected_open, theirs[0])


@settings(deadline=None, max_examples=40)
@given(units(), st.sampled_from([0.0, 0.1, 1.0]), st.integers(0, 2**63))
def test_laws_of_the_draw(problem, least, seed):
    """Counts are weights rounded up or down, within the limits; up to two household tables come out within their rounding."""
    layout = problem.layout()
    counts = np.empty(len(problem.counted), np.int32)
    n_open = cube_units(
        problem.weights[0], problem.most[0], least, layout, unit_work(layout), np.array([seed], np.uint64), counts
    )
    assert (np.abs(counts - problem.weights[0]) < 1 + 1e-9).all()
    assert (counts <= problem.most[0]).all()
    assert n_open <= np.linalg.matrix_rank(problem.counted)
    homes = problem.counted[:, problem.of_households]
    wanted = problem.weights[0] @ homes
    if problem.household.sum() <= 2 and np.abs(wanted - np.rint(wanted)).max() < 1e-5:
        assert (counts @ homes == np.rint(wanted)).all()


@pytest.mark.parametrize("least", [0.0, 0.3, 1.0])
def test_draw_is_unbiased(least):
    rng = np.random.default_rng(3)
    counted = np.unique(np.hstack([np.eye(3, dtype=int)[rng.integers(0, 3, 60)], rng.integers(0, 3, (60, 4))]), axis=0)
    weights = rng.gamma(0.5, size=len(counted)) * 2
    problem = Units(counted, np.array([0, 3, 7]), 2, np.array([True, False]), weights[None], weights[None],
                    np.full((1, len(counted)), UNLIMITED, np.int32))  # fmt: skip
    layout, counts, total, n = problem.layout(), np.empty(len(counted), np.int32), np.zeros(len(counted)), 4000
    work = unit_work(layout)
    for key in stream_keys(1, np.arange(n, dtype=np.uint64), 0, WHOLE):
        cube_units(weights, problem.most[0], least, layout, work, np.array([key]), counts)
        total += counts
    spread = (weights % 1) * (1 - weights % 1)
    z = (total / n - weights)[spread > 0.02] / np.sqrt(spread[spread > 0.02] / n)
    assert np.sqrt((z**2).mean()) < 1.25
    assert np.abs(z).max() < 4.5


@settings(deadline=None, max_examples=40)
@given(units(most_zones=3), st.integers(0, 2**63))
def test_list_of_units(problem, seed):
    layout, parts, _, placed, _ = start(problem, seed)
    tops, n, error = list_units(problem.weights, parts, layout, placed)
    assert n == placed.counts.sum()
    assert (placed.gap == recount(problem, placed.counts)).all()
    assert error == np.abs(placed.gap).sum()
    listed = np.zeros_like(placed.counts)
    np.add.at(listed, (placed.zone[:n], placed.profile[:n]), 1)
    assert (listed == placed.counts).all()
    above = np.zeros_like(placed.counts)
    np.add.at(above, (placed.zone[:tops], placed.profile[:tops]), 1)
    assert (above == (placed.counts > problem.weights)).all()


@settings(deadline=None, max_examples=40)
@given(units(most_zones=3), st.sampled_from([NARROW, ALIKE, WIDE]), st.booleans(), st.integers(0, 2**63))
def test_laws_of_annealing(problem, which, near, seed):
    """Errors never rise; gaps are the counts'; strata keep their units; near swaps stay near; limits and zeros are kept."""
    layout, parts, work, placed, state = start(problem, seed)
    tops, n, before = list_units(problem.weights, parts, layout, placed)
    choice = tops if near else n
    assume(choice > 0)
    strata = [np.bincount(layout.stratum[which], row, len(problem.counted)) for row in placed.counts]
    prepare_donors(problem.weights, which, near, layout, work)
    error, made = anneal_units(
        choice, which, near, before, 1.0, 0.9, 10, 200, problem.weights, parts, layout, placed, work, state
    )
    assert error <= before
    assert made <= 2_000
    assert (placed.gap == recount(problem, placed.counts)).all()
    assert error == np.abs(placed.gap).sum()
    assert (placed.counts >= 0).all()
    assert (placed.counts <= parts.most).all()
    assert not placed.counts[problem.weights == 0].any()
    for old, row in zip(strata, placed.counts, strict=True):
        assert (np.bincount(layout.stratum[which], row, len(problem.counted)) == old).all()
    if near:
        assert (np.abs(placed.counts - problem.weights) < 1 + 1e-6).all()
    if which != WIDE:
        homes = problem.counted[:, problem.of_households]
        drawn = start(problem, seed)[3].counts
        assert (placed.counts @ homes == drawn @ homes).all()


def banded_problem():
    """Households of 1, or of 2 and more, who are 2 or 3: swaps that keep the size table may change how many people there are."""
    counted = np.array([[1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 1], [0, 1, 2, 0], [0, 1, 1, 2], [0, 1, 2, 1]])
    truth = np.array([[5, 4, 3, 2, 1, 2]])
    weights = truth + np.array([[0.0, 0.0, 0.4, -0.4, -0.4, 0.4]])
    return Units(counted, np.array([0, 2, 4]), 2, np.array([True, False]), weights, truth, np.full((1, 6), UNLIMITED, np.int32))


def test_totals_are_settled_first():
    problem = banded_problem()
    layout, parts, work, placed, state = start(problem)
    assert (layout.people_first, layout.people_end, layout.size.tolist()) == (2, 4, [1, 1, 2, 2, 3, 3])
    placed.counts[0] = [5, 4, 2, 2, 2, 2]  # one person too many, size as wanted
    tops, n, _ = list_units(problem.weights, parts, layout, placed)
    _, n, off, error, _ = settle_totals(tops, n, False, 5_000, problem.weights, parts, layout, placed, work, state)
    assert off == 0
    assert n == placed.counts.sum() == 17
    assert placed.counts[0] @ layout.size == problem.truth[0] @ layout.size
    assert error == np.abs(recount(problem, placed.counts)).sum()


@settings(deadline=None, max_examples=40)
@given(units(most_zones=2), st.booleans(), st.integers(0, 2**63))
def test_settling_never_harms_household_tables(problem, near, seed):
    layout, parts, work, placed, state = start(problem, seed)
    tops, n, _ = list_units(problem.weights, parts, layout, placed)
    before = np.abs(placed.gap[parts.household]).sum()
    _, n, off, error, made = settle_totals(tops, n, near, 500, problem.weights, parts, layout, placed, work, state)
    assert (placed.gap == recount(problem, placed.counts)).all()
    assert error == np.abs(placed.gap).sum()
    assert n == placed.counts.sum()
    assert made <= 500
    after = np.abs(placed.gap[parts.household]).sum()
    people = placed.gap[: problem.n_own * len(problem.weights)].reshape(len(problem.weights), -1)
    assert off == after + np.abs(people[:, layout.people_first : layout.people_end].sum(axis=1)).sum()
    assert after <= before
    assert (placed.counts >= 0).all()
    assert (placed.counts <= parts.most).all()
    assert not placed.counts[problem.weights == 0].any()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from([1, 2, 3]))
def test_matched_swaps_find_what_was_swapped_away(seed, swaps):
    """From one to three swaps off, the way back is found: among few profiles every swap is drawn many times."""
    rng = np.random.default_rng(seed)
    counted = np.hstack([np.ones((12, 1), int), rng.integers(0, 4, (12, 5))])
    truth = rng.integers(2, 6, (1, 12))
    problem = Units(counted, np.array([0, 1, 6]), 2, np.array([True, False]), truth + 0.5, truth,
                    np.full((1, 12), UNLIMITED, np.int32))  # fmt: skip
    layout, parts, work, placed, state = start(problem)
    placed.counts[0] = truth[0]
    for _ in range(swaps):
        p, q = rng.permutation(12)[:2]
        placed.counts[0, p] -= 1
        placed.counts[0, q] += 1
    assume(placed.counts.min() > 0)
    _, n, error = list_units(problem.weights, parts, layout, placed)
    assume(error > 0)
    prepare_donors(problem.weights, WIDE, False, layout, work)
    found, looked = match_swaps(n, 1_000, 500, WIDE, False, problem.weights, parts, layout, placed, work, pair_work(1_000), state)
    assert found
    assert not recount(problem, placed.counts).any()
    assert not placed.gap.any()
    assert looked <= 1_000 * 502
    assert placed.counts.sum() == truth.sum()
    listed = np.bincount(placed.profile[:n], minlength=12)
    assert (listed == placed.counts[0]).all()


def test_matched_swaps_leave_things_alone_where_nothing_hits():
    problem = banded_problem()
    layout, parts, work, placed, state = start(problem)
    parts.target[2] += 50
    _, n, _ = list_units(problem.weights, parts, layout, placed)
    before = placed.counts.copy()
    prepare_donors(problem.weights, WIDE, False, layout, work)
    found, _ = match_swaps(n, 200, 10, WIDE, False, problem.weights, parts, layout, placed, work, pair_work(200), state)
    assert not found
    assert (placed.counts == before).all()


@settings(deadline=None, max_examples=40)
@given(units(most_zones=3), st.integers(0, 2**63))
def test_what_is_said_is_so(problem, seed):
    """The error is that of a recount, limits and weights of nought are kept, the same stream gives the same counts."""
    counts, (error, proposals, restarts) = problem.place(seed)
    assert error == np.abs(recount(problem, counts)).sum()
    assert (counts >= 0).all()
    assert (counts <= problem.most).all()
    assert not counts[problem.weights == 0].any()
    assert 0 <= restarts <= 3
    assert proposals >= 0
    used = unit_work(problem.layout(), len(problem.weights))
    for array in used:
        array[...] = 7  # what is left of others' work must not matter
    again, same = problem.place(seed, work=used)
    assert (again == counts).all()
    assert same == (error, proposals, restarts)


def test_where_fractions_meet_strata_keep_their_sums():
    """One unit a stratum is open when all have met, so that every stratum has its weight rounded up or down."""
    rng = np.random.default_rng(8)
    size = rng.integers(1, 4, 200)
    people = np.stack([np.bincount(rng.integers(0, 4, k), minlength=4) for k in size])
    counted = np.unique(np.hstack([np.eye(3, dtype=int)[size - 1], people]), axis=0)
    weights = rng.gamma(0.5, size=len(counted)) * 0.5
    problem = Units(counted, np.array([0, 3, 7]), 2, np.array([True, False]), weights[None], weights[None],
                    np.full((1, len(counted)), UNLIMITED, np.int32))  # fmt: skip
    layout, counts, work = problem.layout(), np.empty(len(counted), np.int32), unit_work(problem.layout())
    n_strata = layout.stratum[NARROW].max() + 1
    wanted = np.bincount(layout.stratum[NARROW], weights)
    for seed in range(20):
        n_open = cube_units(weights, problem.most[0], 1.0, layout, work, np.array([seed], np.uint64), counts)
        assert n_open <= n_strata
        assert (np.abs(np.bincount(layout.stratum[NARROW], counts) - wanted) < 1).all()


@settings(deadline=None, max_examples=25)
@given(units(), st.sampled_from([0.0, 1.0]), st.integers(0, 2**32))
def test_zones_placed_in_one_call_are_those_placed_alone(problem, least, seed):
    """Rows, what is missed and streams are the same as zone by zone; three zones of one problem, the second with nobody."""
    layout, parts = problem.layout(), problem.parts()
    rng, n_profiles = np.random.default_rng(seed), len(problem.counted)
    weights = np.stack([problem.weights[0], np.zeros(n_profiles), problem.weights[0]])
    targets = np.stack([parts.target, parts.target * 0, parts.target + rng.integers(0, 2, len(parts.target))]).astype(np.int32)
    effort, work, pairs = Effort(3_000, 1, 200, 2, least=least), unit_work(layout), pair_work(200)
    placed = placed_units(1, n_profiles, len(parts.target), int(np.ceil(weights).sum(axis=1).max()) + 40)
    states = np.arange(seed, seed + 3, dtype=np.uint64)
    kept, best = states.copy(), np.empty((1, n_profiles), np.int32)
    limits = np.full((3, n_profiles), UNLIMITED, np.int32)
    limits[0] = problem.most[0]
    indptr, profile, count, found = place_alone(
        weights, targets, limits, 40, effort, problem.parts(), layout, placed, best, work, pairs, states
    )
    assert indptr[0] == 0
    for z in range(3):
        parts.target[:] = targets[z]
        parts.most[0] = limits[z]
        error, proposals, restarts = place_units(
            weights[z : z + 1], effort, parts, layout, placed, best, work, pairs, kept[z : z + 1]
        )
        row = np.zeros(n_profiles, int)
        row[profile[indptr[z] : indptr[z + 1]]] = count[indptr[z] : indptr[z + 1]]
        assert (row == best[0]).all()
        gap = np.abs(row @ problem.counted - targets[z])
        assert found[z].tolist() == [gap[problem.of_households].sum(), gap[~problem.of_households].sum(), proposals, restarts]
        assert error == gap.sum()
    assert (states == kept).all()


@pytest.mark.parametrize("n_zones", [1, 4])
def test_zones_of_a_town_are_exact(n_zones):
    """Some 200 households a zone of 300 kinds: 3 household and 2 person tables, and a joint table of the area above."""
    rng = np.random.default_rng(11)
    size = rng.integers(1, 6, 400)
    people = [np.stack([np.bincount(rng.integers(0, n, k), minlength=n) for k in size]) for n in (6, 4, 8)]
    homes = [np.eye(5, dtype=int)[size - 1], *(np.eye(n, dtype=int)[rng.integers(0, n, 400)] for n in (3, 3))]
    blocks = [*homes, *(people if n_zones > 1 else people[:2])]
    counted = np.unique(np.hstack(blocks), axis=0)
    tables = np.concatenate([[0], np.cumsum([b.shape[1] for b in blocks])])
    truth = rng.poisson(200 / len(counted), (n_zones, len(counted)))
    weights = 0.5 * truth  # half of what is true and half of what balancing makes of even weights: all tables are met
    for z in range(n_zones):
        weights[z] += 0.5 * balance_zone(counted, np.full(len(counted), 0.5), truth[z] @ counted, np.zeros(counted.shape[1]))[0]
    problem = Units(counted, tables, 5, np.arange(len(blocks)) < 3, weights, truth,
                    np.full(truth.shape, UNLIMITED, np.int32))  # fmt: skip
    counts, (error, _, restarts) = problem.place(5, Effort(200_000, 10, 1_000, 5))
    assert error == 0
    assert not recount(problem, counts).any()
    assert restarts < 10
