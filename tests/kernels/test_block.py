"""A block of zones equals its zones one by one, whatever is computed before and beside them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.kernels import sparse_rows
from synthpop_gb.kernels.block import whole_block
from synthpop_gb.kernels.layout import whole_layout, whole_work
from synthpop_gb.kernels.streams import WHOLE, stream_keys
from synthpop_gb.kernels.whole import CUBE, HALVING, LARGEST_REMAINDER, TRS
from synthpop_gb.methods import METHODS, Streams
from tests.problems import make_problem
from tests.reference import block as twin


def run(problem, zones, fit, method, max_moves=1000):
    layout = whole_layout(problem.cell_of, problem.constraint_start)
    states, remainder = stream_keys(1, problem.zone_keys[zones], 0, WHOLE), np.full(len(zones), np.nan)
    known = problem.start, problem.cell_of, fit.duals[zones], fit.fit[zones], problem.targets[zones]
    found = whole_block(method, *known, layout, whole_work(layout), states, max_moves, remainder)
    return *found, remainder


def dense(indptr, profile, count, n_profiles):
    out = np.zeros((len(indptr) - 1, n_profiles), np.int32)
    for z in range(len(out)):
        out[z, profile[indptr[z] : indptr[z + 1]]] = count[indptr[z] : indptr[z + 1]]
    return out


@pytest.fixture(scope="module")
def problem():
    return make_problem(n_zones=9, empty=(0, 5))


@pytest.fixture(scope="module")
def fit(problem):
    method = METHODS["ipf"]
    return method.solve_block(problem, np.arange(problem.n_zones), method.options(), Streams(1))


@pytest.mark.parametrize("method", [HALVING, CUBE, TRS, LARGEST_REMAINDER])
@pytest.mark.parametrize("max_moves", [0, 1000])
def test_block_equals_its_zones_one_by_one(problem, fit, method, max_moves):
    zones = np.arange(problem.n_zones)
    indptr, profile, count, remainder = run(problem, zones, fit, method, max_moves)
    states = stream_keys(1, problem.zone_keys, 0, WHOLE)
    people, left = twin.whole_block(
        method,
        problem.start,
        problem.cell_of,
        problem.constraint_start,
        fit.duals,
        fit.fit == 4,
        problem.targets,
        states,
        max_moves,
    )
    assert (dense(indptr, profile, count, problem.n_profiles) == people).all()
    assert (remainder == left).all()
    assert (count > 0).all()
    assert indptr[0] == 0
    assert indptr[-1] == len(profile)
    assert (np.diff(profile)[np.setdiff1d(np.arange(len(profile) - 1), indptr[1:-1] - 1)] > 0).all()  # ascending within a zone


@given(st.lists(st.integers(0, 8), min_size=0, max_size=9, unique=True))
def test_any_zones_in_any_order(problem, fit, chosen):
    every = run(problem, np.arange(9), fit, HALVING)
    some = run(problem, np.array(chosen, np.int64), fit, HALVING)
    assert (dense(*some[:3], problem.n_profiles) == dense(*every[:3], problem.n_profiles)[chosen]).all()
    assert (some[3] == every[3][chosen]).all()


def test_room_is_made_as_needed():
    """More people of more profiles than the first guess has room for."""
    problem = make_problem(n_zones=3, n_profiles=1500, n_cats=(12, 13, 14), mean_people=6000)
    assert problem.n_profiles > sparse_rows._FIRST_GUESS
    method = METHODS["ipf"]
    fit = method.solve_block(problem, np.arange(3), method.options(), Streams(1))
    indptr, profile, count, remainder = run(problem, np.arange(3), fit, HALVING)
    assert len(profile) > 3 * sparse_rows._FIRST_GUESS
    assert (remainder == 0).all()
    assert (np.add.reduceat(count, indptr[:-1]) == problem.targets[:, :12].sum(axis=1)).all()
