"""People drawn from tables alone: equal to the twin, and every urn empty in the end."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.kernels.urns import qis_zones
from synthpop_gb.methods._sobol import sobol_directions
from synthpop_gb.methods._tables import make_urns
from tests.reference import urns as twin

SHAPES = [
    [("a",), ("b",), ("c",)],
    [("a", "b"), ("c",)],
    [("a", "b"), ("b", "c")],
    [("a", "b"), ("b", "c"), ("c", "d"), ("e",)],
    [("b", "a"), ("a",)],
    [("a", "b", "c"), ("c", "b", "d"), ("d", "e")],
]


def tables_of(people, shape):
    """Tables that some people make: title -> counts by category; every category is listed, also where nobody has it."""
    found = {}
    for names in shape:
        levels = [range(3 if v == "c" else 2) for v in names]
        index = pd.MultiIndex.from_product(levels, names=names)
        found[" x ".join(names)] = (
            people.groupby(list(names)).size().reindex(index if len(names) > 1 else levels[0], fill_value=0)
        )
    return found


def draw(tables, seed):
    """Cells of everybody, and the urns."""
    urns = make_urns(tables)
    n = urns.targets[:, : urns.table_start[1]].sum(axis=1).astype(np.int64)
    cells = np.full((n.sum(), len(urns.parent)), -1, np.int32)
    states = np.array([seed], np.uint64)
    directions = sobol_directions(len(urns.parent), max(int(n.max()), 1))
    qis_zones(urns.targets, urns.parent, urns.lead, urns.group_start, directions, states, n, cells)
    return cells, urns


@given(st.sampled_from(SHAPES), st.integers(0, 60), st.integers(0, 2**32 - 1))
def test_equal_to_the_twin_and_every_urn_is_emptied(shape, n, seed):
    rng = np.random.default_rng(seed)
    people = pd.DataFrame({v: rng.integers(0, 3 if v == "c" else 2, n) for v in "abcde"})
    tables = tables_of(people, shape)
    cells, urns = draw(tables, seed)
    for t in range(len(urns.parent)):
        drawn = np.bincount(cells[:, t], minlength=urns.targets.shape[1])
        own = slice(urns.table_start[t], urns.table_start[t + 1])
        assert drawn[own].tolist() == urns.targets[0, own].tolist()
        assert drawn.sum() == n
    said = []  # the tables in the order of drawing, as the twin wants them
    for t in range(len(urns.parent)):
        names = [v for v in urns.codes if urns.codes[v][urns.table_start[t]] >= 0]
        own = range(urns.table_start[t], urns.table_start[t + 1])
        said.append((names, {tuple(int(urns.codes[v][c]) for v in names): int(urns.targets[0, c]) for c in own}))
    expected = twin.qis(said, n, np.array([seed], np.uint64))
    for row, person in zip(cells, expected, strict=True):
        for v, table in urns.source.items():
            assert urns.codes[v][row[table]] == person[v]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_any_order_of_tables_that_form_a_tree_will_do(order):
    rng = np.random.default_rng(2)
    people = pd.DataFrame({v: rng.integers(0, 3 if v == "c" else 2, 40) for v in "abcde"})
    shape = [SHAPES[3][i] for i in order]
    cells, urns = draw(tables_of(people, shape), 1)
    assert (np.bincount(cells.ravel(), minlength=urns.targets.shape[1]) == urns.targets[0]).all()
    assert (urns.parent < np.arange(4)).all()
