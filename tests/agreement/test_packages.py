"""The fit against other packages' proportional fitting, where they are installed: the same problem, the same weights."""

import numpy as np
import pytest

import synthpop_gb as sp
from tests.problems import make_problem

SHAPE = (3, 4, 5)


@pytest.fixture(scope="module")
def problem():
    """Every combination has a record, so that dense tables and profiles are the same problem."""
    return make_problem(n_zones=3, n_profiles=int(np.prod(SHAPE)), n_cats=SHAPE, seed=4, mean_people=500)


def dense_start(problem):
    """Start weights as a table of one axis a constraint."""
    table = np.zeros(SHAPE)
    table[tuple(problem.cell_of - problem.constraint_start[:-1, None])] = problem.start
    return table


def margins(problem, zone):
    """Targets of one zone, one array a constraint."""
    return [
        problem.targets[zone, a:b].copy()
        for a, b in zip(problem.constraint_start[:-1], problem.constraint_start[1:], strict=True)
    ]


def ours(problem):
    """Fitted weights of every zone as tables of one axis a constraint."""
    where = tuple(problem.cell_of - problem.constraint_start[:-1, None])
    tables = np.zeros((problem.n_zones, *SHAPE))
    for table, weights in zip(tables, sp.solve(problem, seed=1, workers=1).fitted(), strict=True):
        table[where] = weights
    return tables


def test_ipfn(problem):
    ipfn = pytest.importorskip("ipfn", reason="ipfn is not installed")
    for zone, table in enumerate(ours(problem)):
        theirs = ipfn.ipfn.ipfn(
            dense_start(problem),
            margins(problem, zone),
            [[0], [1], [2]],
            convergence_rate=1e-10,
            max_iteration=2000,
            rate_tolerance=0,
        ).iteration()
        assert table == pytest.approx(theirs, rel=1e-4, abs=1e-5)


def test_humanleague(problem):
    humanleague = pytest.importorskip("humanleague", reason="humanleague is not installed")
    axes = [np.array([k]) for k in range(len(SHAPE))]
    for zone, table in enumerate(ours(problem)):
        theirs, state = humanleague.ipf(dense_start(problem), axes, margins(problem, zone))
        assert state["conv"]
        assert table == pytest.approx(theirs, rel=1e-4, abs=1e-5)
