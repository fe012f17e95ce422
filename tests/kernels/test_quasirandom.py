"""Quasirandom people: equal to the twin, exact wherever every combination exists, evenly spread, and the same bits always."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import qmc

from synthpop_gb.kernels.quasi_layout import quasi_layout, quasi_work
from synthpop_gb.kernels.quasirandom import qisi_zone
from synthpop_gb.kernels.repair import MAX_MOVES, repair_zone
from synthpop_gb.kernels.sobol import first_point, next_point, unit
from synthpop_gb.methods._sobol import sobol_directions
from tests.kernels.whole_problems import problems, random_problem, read_only
from tests.reference import quasirandom as twin
from tests.reference.repair import tae


def draw(problem, seed, *, refit=0.1, cycles=5, work=None, targets=None):
    layout = quasi_layout(problem.cell_of, problem.start)
    (targets,) = read_only(np.array(problem.targets if targets is None else targets, float))
    directions = sobol_directions(len(problem.cell_of), int(targets.sum() + problem.weights.sum()) + 2)
    counts, state = np.full(len(problem.weights), -9, np.int32), np.array([seed], np.uint64)
    stuck, fits = qisi_zone(
        problem.weights, targets, layout, work or quasi_work(layout), directions, state, refit, cycles, counts
    )
    return counts, stuck, fits, state


def points(n_dimensions, n, seed=None):
    """Points of the kernel; unshifted without a seed."""
    directions, point = sobol_directions(n_dimensions, n), np.zeros(n_dimensions, np.uint32)
    if seed is not None:
        first_point(np.array([seed], np.uint64), point)
    out = [point.copy()]
    for i in range(1, n):
        next_point(directions, i, point)
        out.append(point.copy())
    return np.array(out)


@pytest.mark.parametrize("n_dimensions", [1, 2, 9, 40])
def test_points_are_those_of_scipy(n_dimensions):
    theirs = qmc.Sobol(n_dimensions, scramble=False, bits=32).random_base2(10)
    assert (points(n_dimensions, 1024) * 2.0**-32 == theirs).all()


def test_direction_numbers_are_what_they_have_always_been():
    """Another table of numbers would give other people for the same seed."""
    assert hashlib.sha256(sobol_directions(40, 1 << 20).astype("<u4").tobytes()).hexdigest().startswith("e4c81cf7d2908366")
    assert sobol_directions(3, 1000).shape == (10, 3)
    assert sobol_directions(3, 1).shape == (1, 3)
    with pytest.raises(ValueError, match="at most 2\\^30 points"):
        sobol_directions(2, 2**30 + 1)


@given(st.integers(0, 2**63), st.integers(0, 9))
def test_shifted_points_fill_dyadic_intervals_evenly(seed, power):
    """Of 2^k points one lies in each of 2^k equal intervals of every axis; two axes have one in every box of a (0, k, 2)-net."""
    n = 2**power
    shifted = points(5, n, seed)
    for column in shifted.T:
        assert sorted(column >> np.uint64(32 - power)) == list(range(n))
    for a in range(power + 1):
        boxes = (shifted[:, 0].astype(np.uint64) >> np.uint64(32 - a)) * 2 ** (power - a) + (
            shifted[:, 1].astype(np.uint64) >> np.uint64(32 - power + a)
        )
        assert len(set(boxes.tolist())) == n


def test_shifts_are_uniform_and_never_reach_the_ends():
    first = np.array([points(2, 1, s)[0] for s in range(4000)]) * 2.0**-32
    assert np.abs(first.mean(axis=0) - 0.5).max() < 0.02
    assert 0 < unit(np.uint32(0)) < unit(np.uint32(2**32 - 1)) < 1


@settings(max_examples=200)
@given(problems(), st.integers(0, 2**63), st.sampled_from([0.03, 0.1, 0.5, 1.0]), st.integers(1, 6))
def test_equal_to_the_twin(problem, seed, refit, cycles):
    if problem.people.sum() > 600:
        return  # the twin takes a millisecond a person
    counts, stuck, _, state = draw(problem, seed, refit=refit, cycles=cycles)
    expected_state = np.array([seed], np.uint64)
    expected, left = twin.qisi(problem.weights, problem.targets, problem.cell_of, problem.start, expected_state, refit, cycles)
    assert counts.tolist() == expected.tolist()
    assert stuck == left
    assert state == expected_state


@given(problems(), st.integers(0, 2**31), st.lists(st.integers(-3, 3), min_size=16, max_size=16))
def test_equal_to_the_twin_where_tables_cannot_be_met(problem, seed, noise):
    if problem.people.sum() > 300:
        return
    targets = np.maximum(problem.targets + noise[: len(problem.targets)], 0)
    counts, stuck, _, _ = draw(problem, seed, targets=targets)
    expected, left = twin.qisi(problem.weights, targets, problem.cell_of, problem.start, np.array([seed], np.uint64), 0.1, 5)
    assert counts.tolist() == expected.tolist()
    assert stuck == left


@given(problems(universes=False, crossed=True), st.integers(0, 2**63), st.sampled_from([0.05, 1.0]))
def test_exact_by_itself_where_every_combination_exists(problem, seed, refit):
    if problem.miss > 0.1 or (problem.weights <= 0).any():
        return
    counts, stuck, _, _ = draw(problem, seed, refit=refit)
    assert stuck == 0
    assert tae(counts, problem.cell_of, problem.targets) == 0
    assert counts.sum() == problem.people.sum()


@given(problems(), st.integers(0, 2**63))
def test_nobody_of_weight_nought_and_the_total_is_kept(problem, seed):
    counts, stuck, _, _ = draw(problem, seed)
    assert (counts >= 0).all()
    assert (counts[problem.weights == 0] == 0).all()
    if problem.miss < 0.1:
        assert counts.sum() == twin.wanted(problem.weights, problem.targets, problem.cell_of, problem.start)[0]
        gap = np.abs(twin.margins(twin.with_outside(problem.cell_of, 99), counts - problem.weights, 120)).max(initial=0)
        assert gap <= stuck + 0.6


@pytest.mark.parametrize("seed", range(20))
def test_what_is_left_is_little_and_exchanges_finish_it(seed):
    """Sparse support: 60 of 120 combinations, 80 people in tables of 5, 2, 4 and 3 categories."""
    problem = random_problem(seed)
    layout, work = problem.layout()
    for s in range(20):
        counts, stuck, _, state = draw(problem, s)
        assert stuck <= 6
        left, _ = repair_zone(problem.weights, problem.targets, layout, work, state, counts, MAX_MOVES)
        assert left == 0


def test_same_bits_whatever_went_before():
    zones = [random_problem(s) for s in range(6)]
    for z in zones[1:]:
        z.cell_of = zones[0].cell_of
    alone = [draw(z, 100 + i)[0].tolist() for i, z in enumerate(zones)]
    work = quasi_work(quasi_layout(zones[0].cell_of, zones[0].start))
    for order in (range(6), reversed(range(6))):
        for i in order:
            assert draw(zones[i], 100 + i, work=work)[0].tolist() == alone[i]


def test_order_of_profiles_does_not_matter():
    problem, shuffled = random_problem(3), random_problem(3)
    order = np.random.default_rng(1).permutation(60)
    shuffled.cell_of, shuffled.weights = problem.cell_of[:, order], problem.weights[order]
    assert draw(problem, 5)[0][order].tolist() == draw(shuffled, 5)[0].tolist()


def test_profiles_that_repeat_share_their_people_by_weight():
    problem = random_problem(3, n_profiles=120, mean_people=2000)
    problem.cell_of = np.repeat(problem.cell_of, 2, axis=1)
    problem.weights = np.repeat(problem.weights, 2) * np.tile([0.25, 0.75], 120)
    counts = sum(draw(problem, s)[0] for s in range(20)).reshape(-1, 2)
    assert counts[:, 0].sum() / counts.sum() == pytest.approx(0.25, abs=0.01)


def test_mean_over_seeds_is_near_the_weights():
    """Not exactly unbiased: fitting to what remains is not linear. The mean is off by a small part of a person."""
    problem, n = random_problem(8, sizes=(5, 2, 5, 5), n_profiles=150, mean_people=1500.0), 1000
    mean = sum(draw(problem, s)[0] for s in range(n)) / n
    assert np.abs(mean - problem.weights).mean() < 0.05
    assert np.abs(mean - problem.weights).max() < 0.5
    assert len({tuple(draw(problem, s)[0]) for s in range(50)}) == 50


def test_points_spread_people_better_than_chance():
    """The two-way tables of people drawn by Sobol points are nearer the fit than those of independent random points."""
    problem = random_problem(8, sizes=(5, 6, 5), n_profiles=150, mean_people=1500.0)

    def misfit(counts):
        pair = problem.cell_of[0] * 100 + problem.cell_of[1]
        return sum(abs((counts - problem.weights)[pair == c].sum()) for c in np.unique(pair))

    by_sobol = np.mean([misfit(draw(problem, s)[0]) for s in range(50)])
    rng = np.random.default_rng(1)
    chance = problem.weights / problem.weights.sum()
    by_chance = np.mean([misfit(rng.multinomial(int(problem.people.sum()), chance)) for _ in range(50)])
    assert by_sobol < 0.4 * by_chance


def test_nobody_and_no_weights():
    problem = random_problem(6)
    counts, stuck, fits, _ = draw(problem, 1, targets=np.zeros(len(problem.targets)))
    assert (counts.sum(), stuck, fits) == (0, 0, 0)
    problem.weights = problem.weights * 0.0
    counts, stuck, _, _ = draw(problem, 1)
    assert (counts.sum(), stuck) == (0, problem.people.sum())
