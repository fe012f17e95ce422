"""Weights nearest the start weights that meet every target and nowhere exceed a limit: raking with an upper bound a profile.

Minimum relative entropy under A w = t and w <= most has the solution w = min(most, start * exp(sum of the duals)), with duals that
maximise a concave dual function (Deville & Sarndal 1992, JASA 87, section 2, for bounded distances; the bound here is absolute, not
a multiple of the start weight). Cells are raked in turn, as in iterative proportional fitting, which is coordinate ascent on that
dual: the factor of a cell solves sum of min(most, factor * w) = t over its profiles, which rises piece by piece along straight lines
and is solved exactly by Newton's method from below. Zones come with the duals of a fit without limits, from which it is never far.
"""

import math

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.status import FitStatus

__all__ = ["cap_block", "capped_weights"]

_STALLED, _CONVERGED = int(FitStatus.STALLED), int(FitStatus.CONVERGED)
_INFEASIBLE, _LIMIT, _EMPTY = int(FitStatus.INFEASIBLE), int(FitStatus.CYCLE_LIMIT), int(FitStatus.EMPTY)
_WINDOW, _RATIO = 20, 0.99  # stalled: the largest miss shrank by less than 1 % in 20 cycles
_PIECES = 60  # straight pieces that one cell's factor may pass in one cycle
_ROUNDING = 1e-13


@njit
def capped_weights(start, cell_of, duals, most, out):
    """Compute the weights of one zone: min(most, start * exp(sum of the duals)).

    start, most : (n_profiles,) float64, units; cell_of : (n_constraints, n_profiles) int32, -1 = outside; duals : (n_cells,).
    out : (n_profiles,) float64, written. The sums of duals are left uncut in it where `most` is empty.
    """
    for p in range(start.shape[0]):
        total = 0.0
        for k in range(cell_of.shape[0]):
            if cell_of[k, p] >= 0:
                total += duals[cell_of[k, p]]
        out[p] = start[p] * math.exp(total)
        if most.shape[0] > 0:
            out[p] = min(out[p], most[p])


@njit
def cap_block(start, cell_of, n_constraints, duals, targets, donors, caps, tolerance, max_cycles, status, cycles, residual, worst):
    """Bring zones in which some weight exceeds its limit under it, and onto the targets again.

    start : (n_profiles,) float64, units. cell_of : (>= n_constraints, n_profiles) int32, cells numbered across constraints, -1 =
        outside; rows beyond n_constraints are tilts, whose duals stay.
    duals : (n_zones, n_cells + tilt cells) float64: of a fit without limits; overwritten for zones that exceed them.
    targets : (n_zones, n_cells) float64. donors : (n_profiles,), caps : (n_zones,) int64: the limit is donors * caps.
    tolerance : units. max_cycles : limit of cycles.
    status (int8), cycles (int32), residual, worst (int32) : (n_zones,), of that fit; overwritten for those zones.
    Returns (n_zones,) int32: how many profiles stand at their limit.

    A zone whose targets need more than the donors may give ends STALLED, or INFEASIBLE where one cell alone needs more than all its
    profiles may have; the other cells are met as far as cycles bring them.
    """
    n_zones, n_profiles, n_cells = targets.shape[0], start.shape[0], targets.shape[1]
    free, most = np.empty(n_profiles), np.empty(n_profiles)
    held = np.zeros(n_zones, np.int32)
    room, fixed, moving, factor = np.empty(n_cells), np.empty(n_cells), np.empty(n_cells), np.empty(n_cells)
    for z in range(n_zones):
        if status[z] == _EMPTY:
            continue
        capped_weights(start, cell_of, duals[z], most[:0], free)
        over = False
        for p in range(n_profiles):
            most[p] = donors[p] * caps[z]
            over = over or free[p] > most[p] * (1.0 + 1e-12)
        if not over:
            continue
        outcome, taken, mark = -1, 0, math.inf
        miss, where = 0.0, -1
        while outcome < 0:
            for k in range(n_constraints):
                _rake_capped(cell_of[k], targets[z], free, most, room, fixed, moving, factor)
                for p in range(n_profiles):
                    c = cell_of[k, p]
                    if c >= 0:
                        free[p] *= factor[c]
                for c in range(n_cells):
                    if factor[c] != 1.0:
                        duals[z, c] += math.log(factor[c]) if factor[c] > 0.0 else -math.inf
            taken += 1
            miss, where, lacking = _largest_miss(cell_of, n_constraints, targets[z], free, most, room, fixed, tolerance)
            if miss <= max(tolerance, _ROUNDING * targets[z].max()):
                outcome = _CONVERGED
            elif taken >= max_cycles:
                outcome = _LIMIT
            elif taken % _WINDOW == 0:
                if not miss < _RATIO * mark:
                    outcome = _STALLED
                mark = miss
            if outcome >= 0 and outcome != _CONVERGED and lacking:
                outcome = _INFEASIBLE
        status[z], residual[z], worst[z] = outcome, miss, where
        cycles[z] += taken
        for p in range(n_profiles):
            held[z] += free[p] >= most[p]
    return held


@njit
def _rake_capped(cell, target, free, most, room, fixed, moving, factor):
    """Find the factor of each cell of one constraint: sum over its profiles of min(most, factor * free) = target; 1 for others.

    room : (n_cells,), written: what the cell's profiles may have in all. Where that is less than the target, the factor leaves them
    just at their limits. The others are work space.
    """
    factor[:] = 1.0
    room[:] = 0.0
    for p in range(cell.shape[0]):
        if cell[p] >= 0 and free[p] > 0.0:
            room[cell[p]] += most[p]
    for piece in range(_PIECES):
        fixed[:] = 0.0
        moving[:] = 0.0
        for p in range(cell.shape[0]):
            c = cell[p]
            if c >= 0 and free[p] > 0.0:
                if factor[c] * free[p] >= most[p]:
                    fixed[c] += most[p]
                else:
                    moving[c] += free[p]
        settled = True
        for c in range(target.shape[0]):
            if room[c] <= 0.0:
                continue
            wanted = min(target[c], room[c])
            if moving[c] > 0.0:
                new = (wanted - fixed[c]) / moving[c]
                if new <= 0.0:  # too many stand at their limits: begin again from where none does
                    new = wanted / (moving[c] + _held(cell, free, most, factor, c)) if wanted > 0.0 else 0.0
                settled = settled and abs(new - factor[c]) <= 1e-15 * factor[c]
                factor[c] = new
            elif fixed[c] > wanted * (1.0 + 1e-15):
                new = wanted / _held(cell, free, most, factor, c)
                settled = settled and new == factor[c]
                factor[c] = new
        if settled:
            break


@njit
def _held(cell, free, most, factor, c):
    """Add up the weights, without limits and factor, of the profiles of a cell that stand at their limits."""
    total = 0.0
    for p in range(cell.shape[0]):
        if cell[p] == c and free[p] > 0.0 and factor[c] * free[p] >= most[p]:
            total += free[p]
    return total


@njit
def _largest_miss(cell_of, n_constraints, target, free, most, room, found, tolerance):
    """Largest |fitted - target| of one zone, its cell, and whether some cell needs more than all its profiles may have."""
    found[:] = 0.0
    room[:] = 0.0
    for k in range(n_constraints):
        for p in range(free.shape[0]):
            c = cell_of[k, p]
            if c >= 0 and free[p] > 0.0:
                found[c] += min(most[p], free[p])
                room[c] += most[p]
    miss, where, lacking = 0.0, -1, False
    for c in range(target.shape[0]):
        gap = abs(found[c] - target[c])
        lacking = lacking or room[c] < target[c] - tolerance
        if gap > miss:
            miss, where = gap, c
    return miss, where, lacking
