"""Iterative proportional updating: household weights scaled to one cell after another, of household and person tables alike.

Ye, Konduri, Pendyala, Sana & Waddell (2009), TRB 88th annual meeting, paper 09-2096. In a cycle every cell in turn multiplies the
weights of all households that have a member in it by target over fitted count, however many members. It needs hundreds of
cycles where Newton's method (`balance`) needs ten steps, and what it ends at is nearest to nothing in particular; it is here
since others use it.
"""

import math

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.status import FitStatus

__all__ = ["ipu_zone", "transposed"]

_WINDOW, _ENOUGH = 100, 0.999  # stalled: the largest miss shrank by less than 0.1 % in 100 cycles

_CONVERGED, _STALLED, _LIMIT = int(FitStatus.CONVERGED), int(FitStatus.STALLED), int(FitStatus.CYCLE_LIMIT)
_INFEASIBLE, _EMPTY = int(FitStatus.INFEASIBLE), int(FitStatus.EMPTY)


def transposed(row_start, cell, count, n_cells):
    """Turn an incidence by profile into one by cell: (first (n_cells + 1,) int64, profile (nnz,) int32, members (nnz,) float64).

    >>> transposed(np.array([0, 2, 3]), np.array([0, 1, 1]), np.array([1, 2, 3]), 2)
    (array([0, 1, 3]), array([0, 0, 1], dtype=int32), array([1., 2., 3.]))
    """
    order = np.argsort(cell, kind="stable")
    profile = np.repeat(np.arange(len(row_start) - 1), np.diff(row_start))[order].astype(np.int32)
    first = np.concatenate([[0], np.cumsum(np.bincount(cell, minlength=n_cells))]).astype(np.int64)
    return first, profile, count[order].astype(np.float64)


@njit
def ipu_zone(first, profile, members, targets, tolerance, max_cycles, weights):
    """Update the weights of one zone until every cell is met.

    first, profile, members : of `transposed`. targets : (n_cells,) float64, what each cell counts.
    tolerance : largest miss, in what cells count. max_cycles : limit of cycles; a zone that makes no headway stops before.
    weights : (n_profiles,) float64, units. In: start weights of the zone; out: the fitted ones.
    Returns (status, cycles, residual, worst) as `balance.balance_zone`. A cell with a target that no household is in stays missed
    (INFEASIBLE), and is never divided by; a target of 0 takes its households out.
    """
    n_cells, mark, taken, lacking = targets.shape[0], math.inf, 0, -1
    if not targets.any():
        weights[:] = 0.0
        return _EMPTY, 0, 0.0, -1
    status = _LIMIT
    for taken in range(max_cycles + 1):
        residual, worst = 0.0, -1
        for c in range(n_cells):
            miss = abs(_fitted(first, profile, members, weights, c) - targets[c])
            if miss > residual:
                residual, worst = miss, c
        if residual <= tolerance:
            status = _CONVERGED
            break
        if taken % _WINDOW == 0:
            if not residual < _ENOUGH * mark:
                status = _STALLED
                break
            mark = residual
        if taken == max_cycles:
            break
        for c in range(n_cells):
            there = _fitted(first, profile, members, weights, c)
            if there > 0.0:
                factor = targets[c] / there
                for e in range(first[c], first[c + 1]):
                    weights[profile[e]] *= factor
            elif targets[c] > tolerance:
                lacking = c
    if lacking >= 0 and status != _CONVERGED:
        status, worst = _INFEASIBLE, lacking
    return status, taken, residual, worst


@njit
def _fitted(first, profile, members, weights, c):
    """Count what the weights put in one cell."""
    total = 0.0
    for e in range(first[c], first[c + 1]):
        total += members[e] * weights[profile[e]]
    return total
