"""Iterative proportional updating: the published example, its slow twin, and its statuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthpop_gb.kernels.ipu import ipu_zone, transposed
from synthpop_gb.status import FitStatus
from tests.kernels.household_problems import households
from tests.reference import ipu as twin

# Ye, Konduri, Pendyala, Sana & Waddell (2009), table 1: households of type 1 and 2, people of type 1 to 3
EXAMPLE = np.array(
    [[1, 0, 1, 1, 1], [1, 0, 1, 0, 1], [1, 0, 2, 1, 0], [0, 1, 1, 0, 2], [0, 1, 0, 2, 1], [0, 1, 1, 1, 0], [0, 1, 2, 1, 2],
     [0, 1, 1, 1, 0]]
)  # fmt: skip
TARGET = np.array([35.0, 65.0, 91.0, 65.0, 104.0])
FIRST_CYCLE = [
    [11.67, 11.67, 11.67, 1, 1, 1, 1, 1],
    [11.67, 11.67, 11.67, 13.00, 13.00, 13.00, 13.00, 13.00],
    [9.51, 9.51, 9.51, 10.59, 13.00, 10.59, 10.59, 10.59],
    [8.05, 9.51, 8.05, 10.59, 11.00, 8.97, 8.97, 8.97],
    [12.37, 14.61, 8.05, 16.28, 16.91, 8.97, 13.78, 8.97],
]
FINAL = [1.36, 25.66, 7.98, 27.79, 18.45, 8.64, 1.47, 8.64]


def update(counted, start, target, tolerance=1e-6, max_cycles=3000):
    from synthpop_gb.incidence import Incidence

    i, weights = Incidence.of_rows(np.asarray(counted)), np.array(start, float)
    arrays = transposed(i.start, i.cell, i.count, i.n_cells)
    return weights, *ipu_zone(*arrays, np.asarray(target, float), tolerance, max_cycles, weights)


def test_the_published_example_is_reproduced_step_by_step():
    _, steps = twin.ipu(EXAMPLE, np.ones(8), TARGET, 1)
    np.testing.assert_allclose(steps, FIRST_CYCLE, atol=0.006)
    weights, status, cycles, residual, worst = update(EXAMPLE, np.ones(8), TARGET, tolerance=0.01)
    assert (status, worst) == (FitStatus.CONVERGED, worst)
    assert residual <= 0.01
    np.testing.assert_allclose(weights, FINAL, atol=0.02)
    assert 100 < cycles < 1000


@settings(max_examples=40, deadline=None)
@given(households(), st.integers(1, 20))
def test_cycles_equal_the_twin(made, cycles):
    target = made.targets[0]
    weights, status, taken, residual, worst = update(made.counted, made.start, target, 1e-9, cycles)
    if not target.any():
        assert status == FitStatus.EMPTY
        assert not weights.any()
        return
    expected, _ = twin.ipu(made.counted, made.start, target, taken)
    np.testing.assert_allclose(weights, expected, rtol=1e-9, atol=1e-12 * max(target.max(), 1))
    miss = np.abs(weights @ made.counted - target)
    assert residual == pytest.approx(miss.max(), rel=1e-6, abs=1e-9 * max(target.max(), 1))
    assert status != FitStatus.CONVERGED or residual <= 1e-9
    assert worst == -1 or miss[worst] == pytest.approx(miss.max(), rel=1e-6, abs=1e-9 * max(target.max(), 1))


def test_a_cell_that_no_household_is_in_is_told():
    counted = np.array([[1, 0, 0, 1], [0, 1, 0, 2]])
    weights, status, _, residual, worst = update(counted, [1, 1], [3, 2, 4, 7])
    assert (status, worst) == (FitStatus.INFEASIBLE, 2)
    assert residual == pytest.approx(4)
    np.testing.assert_allclose(weights, [3, 2])


def test_a_clash_stalls():
    counted = np.array([[1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 1], [0, 1, 2, 0]])
    _, status, cycles, residual, _ = update(counted, np.full(4, 10.0), [50, 20, 30, 40])
    assert status == FitStatus.STALLED
    assert cycles < 1000
    assert residual > 1
