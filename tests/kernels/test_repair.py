"""Repair: exact wherever every combination exists, never worse, at least locally best, and it always ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.kernels.layout import find_profile, whole_layout, whole_work
from synthpop_gb.kernels.repair import MAX_MOVES, repair_zone
from tests.kernels.whole_problems import problems, random_problem, read_only
from tests.reference import repair as twin


def repaired(problem, counts, seed=1, max_moves=MAX_MOVES, targets=None):
    layout, work = problem.layout()
    counts = np.array(counts, np.int32)
    (targets,) = read_only(np.array(problem.targets if targets is None else targets, float))
    left, moves = repair_zone(problem.weights, targets, layout, work, np.array([seed], np.uint64), counts, max_moves)
    return counts, left, moves


def disturbed(problem, seed, n):
    """Counts from the true people by n random swaps."""
    rng = np.random.default_rng(seed)
    counts = problem.people.copy()
    for _ in range(n):
        p, q = rng.choice(np.flatnonzero(counts)) if counts.any() else -1, rng.integers(len(counts))
        if p >= 0 and problem.weights[q] > 0:
            counts[p] -= 1
            counts[q] += 1
    return counts


def totals_off(problem, counts, targets=None):
    """Whether some table's total differs from its targets': only then may people be added or removed."""
    gap = twin.margins(counts, problem.cell_of, len(problem.targets)) - (problem.targets if targets is None else targets)
    return bool(np.add.reduceat(gap, problem.start[:-1]).any())


@given(problems(universes=False, crossed=True), st.integers(0, 2**31), st.integers(0, 12))
def test_exact_where_every_combination_exists(problem, seed, n):
    if (problem.weights <= 0).any():
        return
    counts, left, moves = repaired(problem, disturbed(problem, seed, n), seed)
    assert left == 0 == twin.tae(counts, problem.cell_of, problem.targets)
    assert counts.sum() == problem.people.sum()
    assert moves <= 40


@given(problems(), st.integers(0, 2**31), st.integers(0, 8))
def test_never_worse_and_no_single_move_left(problem, seed, n):
    before = disturbed(problem, seed, n)
    counts, left, moves = repaired(problem, before, seed)
    assert left == twin.tae(counts, problem.cell_of, problem.targets)
    assert (counts >= 0).all()
    assert moves < MAX_MOVES
    assert (counts[problem.weights <= 0] <= before[problem.weights <= 0]).all()
    everybody = (problem.cell_of >= 0).all(axis=1).any()
    if everybody:
        assert left <= twin.tae(before, problem.cell_of, problem.targets)
        assert left == twin.best_move(counts, problem.weights, problem.cell_of, problem.targets, totals_off(problem, counts))
    else:
        assert abs(counts.sum() - problem.weights.sum()) <= max(1, abs(before.sum() - problem.weights.sum()))


@given(problems(universes=False), st.integers(0, 2**31), st.lists(st.integers(-3, 3), min_size=16, max_size=16))
def test_infeasible_targets_end_with_an_honest_remainder(problem, seed, noise):
    targets = np.maximum(problem.targets + noise[: len(problem.targets)], 0)
    counts, left, moves = repaired(problem, problem.people, seed, targets=targets)
    assert left == twin.tae(counts, problem.cell_of, targets)
    assert left <= twin.tae(problem.people, problem.cell_of, targets)
    assert moves <= MAX_MOVES
    totals = np.add.reduceat(targets, problem.start[:-1])
    if moves < MAX_MOVES:
        assert left >= np.abs(totals - np.median(totals)).sum() - 1e-9
        assert left == twin.best_move(counts, problem.weights, problem.cell_of, targets, totals_off(problem, counts, targets))


def test_tables_that_disagree_are_met_down_to_the_floor():
    """Two tables of 40 and one of 43 people: 3 are missed, wherever nothing else stands in the way."""
    problem = random_problem(4, sizes=(4, 3, 3), n_profiles=36, mean_people=40)
    targets = problem.targets.copy()
    targets[0] += 3
    counts, left, moves = repaired(problem, problem.people, targets=targets)
    assert left == 3
    assert counts.sum() == problem.people.sum()
    assert moves < 10


def test_people_are_added_where_all_tables_want_them():
    problem = random_problem(4, sizes=(4, 3, 3), n_profiles=36, mean_people=40)
    fewer = problem.people.copy()
    fewer[np.flatnonzero(fewer)[:2]] -= 1
    counts, left, _ = repaired(problem, fewer)
    assert left == 0
    assert counts.sum() == problem.people.sum()
    more = problem.people.copy()
    more[:3] += 1
    counts, left, _ = repaired(problem, more)
    assert left == 0
    assert counts.sum() == problem.people.sum()


def test_people_leave_a_universe_together_with_the_age_that_bars_them():
    """Work is asked of adults only: one adult too many is one worker too many, and both go in one switch."""
    cell_of = np.array([[0, 1, 1, 1], [-1, 2, 3, 4]], np.int32)  # child; adult in work, out of work, retired
    layout = whole_layout(cell_of, [0, 2, 5])
    weights, targets = read_only(np.array([5.2, 4.8, 3.0, 2.0]), np.array([6.0, 9.0, 4.0, 3.0, 2.0]))
    counts = np.array([5, 5, 3, 2], np.int32)
    left, moves = repair_zone(weights, targets, layout, whole_work(layout), np.array([1], np.uint64), counts, MAX_MOVES)
    assert (left, moves) == (0, 1)
    assert counts.tolist() == [6, 4, 3, 2]


def test_total_is_kept_where_no_table_counts_everybody():
    cell_of = np.array([[0, 1, -1, -1], [-1, 2, 3, -1]], np.int32)
    layout = whole_layout(cell_of, [0, 2, 4])
    weights, targets = read_only(np.array([2.0, 3.0, 4.0, 1.0]), np.array([2.0, 3.0, 3.0, 4.0]))
    counts = np.array([2, 4, 3, 3], np.int32)
    left, _ = repair_zone(weights, targets, layout, whole_work(layout), np.array([1], np.uint64), counts, MAX_MOVES)
    assert left == 0
    assert counts.tolist() == [2, 3, 4, 1]


def test_two_swaps_where_one_is_not_enough():
    """One person must go from the first cell of the second table to its last, and no profile in between has both."""
    cell_of = np.array([[0, 0, 1, 1], [2, 3, 3, 4]], np.int32)
    layout = whole_layout(cell_of, [0, 2, 5])
    weights, targets = read_only(np.full(4, 2.0), np.array([4.0, 4.0, 2.0, 4.0, 2.0]))
    for seed in range(20):
        counts = np.array([3, 1, 3, 1], np.int32)
        assert twin.best_move(counts, weights, cell_of, targets, True) == twin.tae(counts, cell_of, targets) == 2
        left, moves = repair_zone(weights, targets, layout, whole_work(layout), np.array([seed], np.uint64), counts, MAX_MOVES)
        assert left == 0
        assert moves >= 2
        assert counts.tolist() == [2, 2, 2, 2]


def test_targets_are_taken_to_whole_numbers():
    problem = random_problem(6)
    shifted = problem.targets + np.where(np.arange(len(problem.targets)) % 2, 0.4, -0.4)
    assert repaired(problem, problem.people, targets=shifted)[1:] == (0, 0)


def test_measuring_only_changes_nothing():
    problem = random_problem(6)
    counts, left, moves = repaired(problem, problem.people + 1, max_moves=0)
    assert (counts == problem.people + 1).all()
    assert left == twin.tae(counts, problem.cell_of, problem.targets)
    assert moves == 0


def test_nobody_and_no_profiles():
    problem = random_problem(6)
    assert repaired(problem, np.zeros(60), targets=np.zeros(len(problem.targets)))[1:] == (0, 0)
    layout = whole_layout(np.zeros((1, 0), np.int32), [0, 2])
    weights, targets = read_only(np.zeros(0), np.array([3.0, 0.0]))
    counts = np.zeros(0, np.int32)
    assert repair_zone(weights, targets, layout, whole_work(layout), np.array([1], np.uint64), counts, MAX_MOVES) == (3, 0)


@pytest.mark.parametrize("n", [1, 7, 300])
def test_every_profile_is_found_by_its_key(n):
    rng = np.random.default_rng(n)
    cell_of = np.stack([rng.integers(-1, 5, n), np.where(rng.random(n) < 0.2, -1, rng.integers(5, 9, n))]).astype(np.int32)
    layout = whole_layout(cell_of, [0, 5, 9])
    for p in range(n):
        q = find_profile(layout.keys[p], layout.keys, layout.table)
        assert (layout.cells[:, q] == layout.cells[:, p]).all()
    assert find_profile(np.uint64(1), layout.keys, layout.table) == -1
