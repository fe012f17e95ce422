"""The pivoting cube equals the least-squares form of the same walk, and shares the textbook flight's laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.kernels import cube
from synthpop_gb.kernels.cube import cube_zone
from synthpop_gb.kernels.layout import whole_layout, whole_work
from tests.kernels.whole_problems import problems, random_problem, read_only
from tests.reference import cube as twin


def draw(problem, seed, work=None):
    layout, fresh = problem.layout()
    work = fresh if work is None else work
    counts, state = np.full(len(problem.weights), -7, np.int32), np.array([seed], np.uint64)
    n_open = cube_zone(problem.weights, layout, work, state, counts)
    return counts, n_open, state, work.fraction.copy()


@pytest.mark.parametrize("seed", range(40))
def test_equals_the_twin(seed):
    problem = random_problem(seed, n_profiles=50 + 10 * (seed % 5))
    a = twin.incidence(problem.cell_of, len(problem.targets))
    twin_state = np.array([seed], np.uint64)
    expected, y = twin.pivoting_cube(problem.weights, a, twin_state)
    counts, n_open, state, fraction = draw(problem, seed)
    assert fraction == pytest.approx(y, abs=1e-7)
    assert counts.tolist() == expected.tolist()
    assert state[0] == twin_state[0]
    assert n_open == ((y > 0) & (y < 1)).sum()


@given(problems(), st.integers(0, 2**63))
def test_laws_of_the_flight(problem, seed):
    """Margins and the cube are kept; what is left open has independent columns; every count is its weight rounded up or down."""
    counts, n_open, _, fraction = draw(problem, seed)
    assert (np.abs(counts - problem.weights) < 1).all()
    a = twin.incidence(problem.cell_of, len(problem.targets))
    after = np.floor(problem.weights + 1e-9) + fraction
    assert a @ after == pytest.approx(a @ problem.weights, abs=1e-6)
    assert ((fraction >= 0) & (fraction <= 1)).all()
    undecided = (fraction > 1e-9) & (fraction < 1 - 1e-9)
    assert undecided.sum() == n_open
    everybody = (problem.cell_of >= 0).all(axis=1).any()
    rows = a if everybody else np.vstack([a, np.ones(len(problem.weights))])  # the total is kept where no table gives it
    assert np.linalg.matrix_rank(rows[:, undecided]) == n_open


@given(problems(), st.integers(0, 2**31))
def test_textbook_flight_has_the_same_laws(problem, seed):
    a = twin.incidence(problem.cell_of, len(problem.targets))
    start = problem.weights - np.floor(problem.weights)
    y = twin.flight(start, a, np.random.default_rng(seed))
    assert a @ y == pytest.approx(a @ start, abs=1e-6)
    undecided = (y > 1e-9) & (y < 1 - 1e-9)
    assert np.linalg.matrix_rank(a[:, undecided]) == undecided.sum()


def test_mean_is_the_weight():
    problem, n = random_problem(5), 4000
    layout, work = problem.layout()
    counts, total = np.zeros(len(problem.weights), np.int32), np.zeros(len(problem.weights))
    for seed in range(n):
        cube_zone(problem.weights, layout, work, np.array([seed], np.uint64), counts)
        total += counts
    fraction = problem.weights - np.floor(problem.weights)
    spread = fraction * (1 - fraction)
    z = (total / n - problem.weights)[spread > 0.02] / np.sqrt(spread[spread > 0.02] / n)
    assert np.sqrt((z**2).mean()) < 1.25
    assert np.abs(z).max() < 4.5


def test_rounding_errors_do_not_pile_up():
    """Ten thousand pivots, several fresh inverses: margins as at the start; also with weights that differ a millionfold."""
    rng = np.random.default_rng(1)
    sizes = (6, 14, 5, 8, 4, 3)
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    cell_of = np.stack([rng.integers(0, s, 12_000) for s in sizes]).astype(np.int32) + start[:-1, None]
    layout = whole_layout(cell_of, start)
    work, counts = whole_work(layout), np.zeros(12_000, np.int32)
    for scale in (1.0, 1e-6, 1e6):
        (weights,) = read_only(np.exp(rng.normal(0, 3, 12_000)) * np.where(rng.random(12_000) < 0.5, scale, 1.0))
        assert cube.REFACTOR_EVERY * 4 < 12_000
        cube_zone(weights, layout, work, np.array([7], np.uint64), counts)
        after = np.floor(weights + 1e-9) + work.fraction
        for row in cell_of:
            drift = np.bincount(row, after - weights, start[-1])
            assert np.abs(drift).max() < 1e-9 * max(1.0, weights.sum())


@pytest.mark.parametrize("weights", [[3.0, 0.0, 5.0, 2.0], [1e-6] * 4, [0.0] * 4, [1e6 + 0.25, 1e6 + 0.75, 0.5, 0.5]])
def test_weights_of_every_size(weights):
    layout = whole_layout(np.array([[0, 0, 1, 1], [2, 3, 2, 3]]), [0, 2, 4])
    work, counts = whole_work(layout), np.zeros(4, np.int32)
    (weights,) = read_only(np.array(weights))
    for seed in range(50):
        cube_zone(weights, layout, work, np.array([seed], np.uint64), counts)
        assert (np.abs(counts - weights) < 1).all()


@given(problems(), st.integers(0, 2**63))
def test_work_space_carries_nothing_over(problem, seed):
    _, work = problem.layout()
    for array in work:
        array[...] = 1
    assert draw(problem, seed, work)[0].tolist() == draw(problem, seed)[0].tolist()
