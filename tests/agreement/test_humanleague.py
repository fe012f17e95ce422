"""Quasirandom sampling against humanleague (Smith 2018, JOSS 3(25)), where it is installed: the same laws, other people."""

from itertools import pairwise

import numpy as np
import pytest

import synthpop_gb as sp
from tests.problems import make_problem

A, B = np.array([200, 180, 120]), np.array([90, 160, 130, 120])


@pytest.fixture(scope="module")
def humanleague():
    return pytest.importorskip("humanleague", reason="humanleague is not installed")


def ours(seed):
    drawn = sp.qis({"a": dict(enumerate(A.tolist())), "b": dict(enumerate(B.tolist()))}, seed=seed)
    table = np.zeros((len(A), len(B)), int)
    table[drawn.counts["a"], drawn.counts["b"]] = drawn.counts["n"]
    return table, drawn.status.iloc[0]


def test_tables_from_margins(humanleague):
    axes, expected = [np.array([0]), np.array([1])], np.outer(A, B) / A.sum()
    theirs = [humanleague.qis(axes, [A, B], 1024 * k) for k in range(40)]
    mine = [ours(seed) for seed in range(40)]
    for table, facts in theirs:
        assert facts["conv"]
        assert (table.sum(axis=1) == A).all()
        assert (table.sum(axis=0) == B).all()
        assert facts["expectation"] == pytest.approx(expected)
    for table, status in mine:
        assert (table.sum(axis=1) == A).all()
        assert (table.sum(axis=0) == B).all()
        assert status["chi_square"] == pytest.approx(((table - expected) ** 2 / expected).sum())
    for tables in ([t for t, _ in theirs], [t for t, _ in mine]):
        assert np.abs(np.mean(tables, axis=0) - expected).max() < 2.0
    assert np.mean([s["chi_square"] for _, s in mine]) < 2 * np.mean([f["chiSq"] for _, f in theirs]) + 1


def test_chi_square_and_degrees_of_freedom(humanleague):
    from scipy.stats import chi2

    _, facts = humanleague.qis([np.array([0]), np.array([1])], [A, B])
    _, status = ours(1)
    assert status["degrees_of_freedom"] == (len(A) - 1) * (len(B) - 1)
    assert facts["pValue"] == pytest.approx(chi2.sf(facts["chiSq"], status["degrees_of_freedom"]))


def test_tables_that_share_a_variable(humanleague):
    first, second = np.array([[30, 40], [50, 60]]), np.array([[20, 60, 0], [40, 10, 50]])
    theirs, facts = humanleague.qis([np.array([0, 1]), np.array([1, 2])], [first, second])
    assert facts["conv"]
    tables = {names: dict(np.ndenumerate(table)) for names, table in ((("a", "b"), first), (("b", "c"), second))}
    drawn = sp.qis(tables, seed=1).counts
    mine = np.zeros((2, 2, 3), int)
    mine[drawn["a"], drawn["b"], drawn["c"]] = drawn["n"]
    for table in (theirs, mine):
        assert (table.sum(axis=2) == first).all()
        assert (table.sum(axis=0) == second).all()
    assert np.abs(mine - facts["expectation"]).max() < 6


def test_people_from_a_survey(humanleague):
    """QISI where every combination has a record: exact in both, and ours as near the fit as theirs."""
    shape = (3, 4, 5)
    problem = make_problem(n_zones=4, n_profiles=60, n_cats=shape, seed=4, mean_people=800)
    where = tuple(problem.cell_of - problem.constraint_start[:-1, None])
    start = np.zeros(shape)
    start[where] = problem.start
    population = sp.solve(problem, method="qisi", seed=1)
    assert (population.status["whole"] == "EXACT").all()
    off = {"ours": 0.0, "theirs": 0.0}
    for z, weights in enumerate(population.fitted()):
        margins = [problem.targets[z, a:b].astype(int) for a, b in pairwise(problem.constraint_start)]
        theirs, facts = humanleague.qisi(start, [np.array([k]) for k in range(3)], margins)
        assert facts["conv"]
        mine = np.zeros(60)
        entries = slice(population.indptr[z], population.indptr[z + 1])
        mine[population.profile[entries]] = population.count[entries]
        off["ours"] += np.abs(mine - weights).sum()
        off["theirs"] += np.abs(theirs[where] - weights).sum()
    assert off["ours"] < 1.2 * off["theirs"]
