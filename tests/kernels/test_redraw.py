"""Tables redrawn equal their slow twin, agree with each other, and scatter by the publisher's noise about the old ones."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from synthpop_gb.kernels.redraw import redraw, redraw_layout
from synthpop_gb.kernels.streams import TABLES, stream_keys
from tests.reference import redraw as twin

AGE, SEX, WORK = 4, 2, 3  # work is asked of the two older age groups only
START = np.array([0, AGE, AGE + SEX, AGE + SEX + AGE * SEX, AGE + SEX + AGE * SEX + WORK], np.int32)


def world():
    """Age, sex, age x sex, and work among the older half: every combination but work among the young is a profile."""
    rows = [(a, s, a * SEX + s, w) for a in range(AGE) for s in range(SEX) for w in (range(WORK) if a >= 2 else [-1])]
    cells = np.array(rows).T
    cell_of = np.where(cells >= 0, cells + START[:-1, None], -1).astype(np.int32)
    return np.linspace(1, 3, cell_of.shape[1]), cell_of


def counts_of(cell_of, people):
    out = np.zeros((len(people), START[-1]))
    for row in cell_of:
        inside = np.flatnonzero(row >= 0)
        np.add.at(out.T, row[inside], people[:, inside].T)
    return out


def drawn(error, n_zones=400, seed=4, mean=30.0, keys=None):
    start, cell_of = world()
    people = np.random.default_rng(seed).poisson(mean, (n_zones, len(start))).astype(float)
    targets = counts_of(cell_of, people)
    keys = stream_keys(seed, np.arange(n_zones, dtype=np.uint64), 1, TABLES) if keys is None else keys
    layout = redraw_layout(start, cell_of, START)
    return targets, redraw(layout, targets, error, keys.copy()), keys, (start, cell_of, layout)


def agrees(made):
    age, sex, both, work = np.split(made, START[1:-1], axis=1)
    joint = both.reshape(-1, AGE, SEX)
    return (
        (joint.sum(axis=2) == age).all()
        and (joint.sum(axis=1) == sex).all()
        and (work.sum(axis=1) == age[:, 2:].sum(axis=1)).all()
        and (made >= 0).all()
        and (made == np.floor(made)).all()
    )


@settings(max_examples=30)
@given(st.integers(0, 2**40), st.floats(0.3, 4), st.floats(0.0, 40))
def test_one_zone_equals_the_twin(seed, error, mean):
    start, cell_of = world()
    keep = [0, 1, 3]  # tables of which no two earlier ones are shared by a third: what the twin does
    cells = [np.arange(START[k], START[k + 1]) for k in keep]
    first = np.concatenate([[0], np.cumsum([len(c) for c in cells])]).astype(np.int32)
    few = np.stack([np.where(cell_of[k] >= 0, cell_of[k] - START[k] + first[i], -1) for i, k in enumerate(keep)])
    people = np.random.default_rng(seed).poisson(mean, (3, len(start))).astype(float)
    targets = counts_of(cell_of, people)[:, np.concatenate(cells)]
    keys = stream_keys(seed, np.arange(3, dtype=np.uint64), 2, TABLES)
    made = redraw(redraw_layout(start, few, first), targets, np.full(first[-1], error), keys.copy())
    for z in range(3):
        expected = twin.redraw_zone(start, few, first, targets[z], np.full(first[-1], error), keys[z])
        assert (made[z] == expected).all()


@settings(max_examples=20)
@given(st.integers(0, 2**40), st.floats(0.1, 6), st.floats(0.2, 60))
def test_redrawn_tables_are_whole_and_agree(seed, error, mean):
    _, made, _, _ = drawn(np.full(START[-1], error), 20, seed, mean)
    assert agrees(made)


def test_zones_are_drawn_alone():
    targets, made, keys, (_, _, layout) = drawn(np.full(START[-1], 1.5), 12)
    for z in (0, 5, 11):
        assert (redraw(layout, targets[z : z + 1], np.full(START[-1], 1.5), keys[z : z + 1].copy())[0] == made[z]).all()


def test_counts_scatter_by_the_noise_about_the_old_ones():
    error = np.full(START[-1], 2.0)
    targets, made, _, _ = drawn(error, 4000)
    change = made - targets
    assert np.abs(change.mean(axis=0)).max() < 5 * 2.5 / np.sqrt(4000)
    spread = change[:, START[2] : START[3]].std(axis=0)  # eight cells of one table, moved again to meet age and sex
    assert (spread > 0.5 * 2.0).all()
    assert (spread < 1.6 * 2.0).all()


def test_exact_tables_and_noughts_stay():
    targets, made, _, _ = drawn(np.zeros(START[-1]), 5)
    assert (made == targets).all()
    targets, made, _, _ = drawn(np.full(START[-1], 3.0), 5, mean=0.0)
    assert (made == 0).all()


def test_tables_of_different_universes_only():
    """No table counts everybody: each universe keeps a total of its own."""
    cell_of = np.array([[0, 1, -1, -1], [2, 2, -1, -1], [-1, -1, 3, 4]], np.int32)
    first, start = np.array([0, 2, 3, 5], np.int32), np.ones(4)
    layout = redraw_layout(start, cell_of, first)
    keys = stream_keys(9, np.arange(50, dtype=np.uint64), 1, TABLES)
    made = redraw(layout, np.tile([10.0, 20.0, 30.0, 5.0, 7.0], (50, 1)), np.full(5, 2.0), keys)
    assert (made[:, :2].sum(axis=1) == made[:, 2]).all()
    assert made[:, 3:].sum(axis=1).std() > 0.5
