"""Iterative proportional fitting of zones side by side, finished by Newton steps on the dual: one optimum, two ways to it.

A cycle scales the weights to each constraint in turn (Deming & Stephan 1940, Ann. Math. Stat. 11); cycles lead to minimum
relative entropy (Csiszar 1975, Ann. Prob. 3, theorem 3.2). Every zone gets `FIRST_CYCLES` of them, which settle its scale; then
Newton steps (`entropy`), whose number hardly grows with the number of constraints. Where those make no headway, since tables
contradict each other, cycles go on from where they stopped until the largest miss stops shrinking: a zone that cannot be fitted
ends as plain cycles leave it. Which way a zone takes depends on the problem and its own targets alone.
"""

import math
from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.entropy import dual_newton
from synthpop_gb.kernels.fit_layout import fit_layout, fit_work
from synthpop_gb.kernels.raking import LEAST, cycle, prepare
from synthpop_gb.status import FitStatus

__all__ = [
    "FIRST_CYCLES",
    "LANES",
    "MOST_NEWTON_CELLS",
    "BlockFit",
    "fit_block",
    "fit_layout",
    "weights_from_duals",
    "write_weights",
]

LANES = 32  # zones side by side at most; changes no zone's bits
_WORK = 2**20  # numbers that one array of work space may hold, 8 MB: fewer lanes where a problem is large
FIRST_CYCLES = 3
MOST_NEWTON_CELLS = 600  # above, a Hessian a lane would cost more than the cycles it saves
STALL_WINDOW, STALL_RATIO = 10, 0.99  # stalled: the largest miss shrank by less than 1 % in 10 cycles
ROUNDING = 1e-13  # no cell is asked to be nearer than this share of its target
_NEARER = (
    0.1  # Newton steps that end without a fit count where they left this share of the miss: what rounding prevents, not tables
)

_CONVERGED, _STALLED, _LIMIT = int(FitStatus.CONVERGED), int(FitStatus.STALLED), int(FitStatus.CYCLE_LIMIT)
_INFEASIBLE, _EMPTY = int(FitStatus.INFEASIBLE), int(FitStatus.EMPTY)
_OPEN, _LACKING = 100, 101  # on the way: to be finished; to be finished by cycles, since a target has nobody


class BlockFit(NamedTuple):
    """What fitting found, zone by zone.

    duals : (n_zones, n_cells) float64. Weight = start * exp(sum of the profile's duals); -inf where the target is nought.
        Duals of one constraint can be moved against another's without changing a weight: compare weights, not duals.
    status : (n_zones,) int8. FitStatus. EMPTY: all targets nought. INFEASIBLE: a target above nought that no profile fills whose
        other cells have targets above nought; it is never divided by, and the other cells are fitted as far as they can be.
    cycles : (n_zones,) int32. Cycles and Newton steps taken.
    residual : (n_zones,) float64, persons. Largest abs(fitted - target).
    worst_cell : (n_zones,) int32. Cell furthest off by the measure of the tolerance; where INFEASIBLE the largest target that
        nobody can fill; -1 where nothing is off.
    """

    duals: np.ndarray
    status: np.ndarray
    cycles: np.ndarray
    residual: np.ndarray
    worst_cell: np.ndarray


def fit_block(layout, targets, tolerance, relative, max_cycles, newton=True, duals=None, tilt=None) -> BlockFit:
    """Fit a block of zones; duals come out, from which `weights_from_duals` makes weights.

    layout : `fit_layout(start, cell_of, constraint_start)`, made once per problem.
    targets : (n_zones, n_cells) float64, persons, finite and >= 0. Constraints of one universe share one total in each zone.
    tolerance : how far each cell may be from its target: persons, or where `relative` a share of the target. Never finer than
        1e-13 of the target, which is what rounding leaves.
    max_cycles : limit of cycles and Newton steps together, at least 1. newton : False for plain cycles only.
    duals : (n_zones, n_cells) float64, where to start from: those of a fit to nearby targets or start weights; noughts where
        None. An entry of -inf, a cell that was empty then, starts from nought.
    tilt : (n_zones, n_tilt_cells) float64, finite. Logarithms of factors on the start weights: the layout's last constraints,
        whose cells come after those of the targets, are then tilts, by which profiles are told apart and to which nothing is
        fitted. None where the layout has none.

    A zone that does not converge keeps the cycle at which its largest miss was least. The bits of a zone depend on its targets
    and the layout alone, not on the block, the lanes or the order of zones. No weight of a profile is ever stored.
    Raises ValueError where tolerance or max_cycles is out of range.
    """
    if not tolerance > 0 or max_cycles < 1:
        raise ValueError(f"tolerance must be above 0 and max_cycles at least 1, not {tolerance} and {max_cycles}")
    targets = _read_only(targets, np.float64)
    n_zones, n_cells = targets.shape
    out = _new_fit(n_zones, n_cells)
    if duals is not None:
        out.duals[:] = np.where(np.isfinite(duals), duals, 0.0)
    n_tilt_cells = int(layout.constraint_start[-1]) - n_cells
    tilt = _read_only(np.zeros((n_zones, n_tilt_cells)) if tilt is None else tilt, np.float64)
    if tilt.shape != (n_zones, n_tilt_cells):
        raise ValueError(
            f"tilts are {tilt.shape}, expected {(n_zones, n_tilt_cells)}: the layout has so many cells beyond the targets"
        )
    newton = bool(newton) and n_cells + n_tilt_cells <= MOST_NEWTON_CELLS
    lanes = min(_lanes(layout, n_cells + n_tilt_cells if newton else 1), max(n_zones, 1))
    _fit_block(layout, targets, tilt, float(tolerance), bool(relative), int(max_cycles), newton, lanes, out)
    return out


def _new_fit(n_zones, n_cells):
    """Allocate what `_fit_block` writes."""
    whole = np.full(n_zones, _OPEN, np.int8), np.zeros(n_zones, np.int32)
    return BlockFit(np.zeros((n_zones, n_cells)), *whole, np.zeros(n_zones), np.full(n_zones, -1, np.int32))


def _lanes(layout, n_cells):
    """How many zones side by side keep the work space small; at least 4."""
    rows = len(layout.row_cells) + len(layout.column_cells)
    return min(max(_WORK // max((n_cells + 1) ** 2, rows), 4), LANES)


def weights_from_duals(start, cell_of, duals, out=None):
    """Compute weights of each profile: start * exp(sum of the duals of its cells), computed as a product of one exp a cell.

    start : (n_profiles,) float64, persons; cell_of : (n_constraints, n_profiles) int32, -1 outside the universe.
    duals : (n_cells,) or (n_zones, n_cells) float64; -inf gives weight 0. A profile in no constraint keeps its start weight.
    out : (n_profiles,) or (n_zones, n_profiles) float64, written; made where None. Returned.

    >>> weights_from_duals(np.array([2.0, 3.0]), np.array([[0, 1]]), np.log([0.5, 2.0]))
    array([1., 6.])
    """
    duals = np.asarray(duals, np.float64)
    if out is None:
        out = np.empty((*duals.shape[:-1], len(start)))
    write_weights(
        _read_only(start, np.float64),
        _read_only(cell_of, np.int32),
        _read_only(np.atleast_2d(duals), np.float64),
        np.atleast_2d(out),
    )
    return out


def _read_only(array, dtype):
    """Give the compiler one type whatever the caller's array: C order, this dtype, read-only."""
    view = np.ascontiguousarray(array, dtype).view()
    view.flags.writeable = False
    return view


@njit
def write_weights(start, cell_of, duals, out):
    """Do what `weights_from_duals` does, for other kernels. duals: (n_zones, n_cells); out: (n_zones, n_profiles), written."""
    n_cells = duals.shape[1]
    u = np.ones(n_cells + 1)  # index -1, outside the universe, finds the last: 1
    for z in range(duals.shape[0]):
        for c in range(n_cells):
            u[c] = math.exp(duals[z, c])
        w = out[z]
        for p in range(w.shape[0]):
            w[p] = start[p]
        for k in range(cell_of.shape[0]):
            cell = cell_of[k]
            for p in range(w.shape[0]):
                w[p] *= u[cell[p]]


@njit
def _judge(margin, targets, allowed, l):
    """Judge how one lane fits: (score, residual, worst cell, lacking).

    score : largest miss over what is allowed, cells that nobody can fill left out; 1 or less is a fit.
    residual : largest miss of all cells, persons.
    lacking : whether a cell that nobody can fill misses by more than is allowed; the worst cell is then the largest of those.
    """
    score, residual, worst, unfilled, lacking = 0.0, 0.0, -1, 0.0, False
    for c in range(targets.shape[0]):
        t = targets[c, l]
        miss = abs(margin[c, l] - t)
        residual = max(residual, miss)
        if margin[c, l] > LEAST:
            if miss > score * allowed[c, l]:
                score = miss / allowed[c, l]
                worst = worst if lacking else c
        elif t > allowed[c, l] and t > unfilled:
            worst, unfilled, lacking = c, t, True
    return score, residual, worst, lacking


@njit
def _load(zones, targets, tilt, tolerance, relative, duals, u, t, allowed):
    """Put zones into lanes, starting from their duals; lanes to spare hold nobody."""
    n_cells, lanes = t.shape
    for l in range(lanes):
        for c in range(n_cells):
            target = targets[zones[l], c] if l < zones.shape[0] else 0.0
            t[c, l] = target
            allowed[c, l] = max(tolerance * target if relative else tolerance, ROUNDING * target)
            u[c, l] = math.exp(duals[zones[l], c]) if target > 0.0 else 0.0
        for c in range(tilt.shape[1]):
            u[n_cells + c, l] = math.exp(tilt[zones[l], c]) if l < zones.shape[0] else 1.0


@njit
def _write(out, z, u, l, outcome, taken, verdict):
    """Write down one zone as it stands in one lane."""
    for c in range(out.duals.shape[1]):
        out.duals[z, c] = math.log(u[c, l]) if u[c, l] > 0.0 else -math.inf
    _, out.residual[z], out.worst_cell[z], lacking = verdict
    out.cycles[z] = taken
    out.status[z] = outcome if not lacking else _LACKING if outcome == _OPEN else _INFEASIBLE


@njit
def _fit_block(layout, targets, tilt, tolerance, relative, max_cycles, newton, lanes, out):
    """Take all zones through the first cycles, those still open through Newton steps, those open then through the last cycles."""
    n_cells = targets.shape[1]
    work, t, allowed = fit_work(layout, lanes), np.empty((n_cells, lanes)), np.empty((n_cells, lanes))
    for way in range(3):
        todo = np.flatnonzero((out.status >= _OPEN) & (out.status <= (_LACKING if way == 2 else _OPEN)))
        if way == 1 and not newton:
            continue
        for i in range(0, todo.shape[0], lanes):
            zones = todo[i : i + lanes]
            _load(zones, targets, tilt, tolerance, relative, out.duals, work.u, t, allowed)
            if way == 0:
                _first_cycles(layout, work, zones, t, allowed, max_cycles, out)
            elif way == 1:
                _newton_steps(layout, work, zones, t, allowed, max_cycles, out)
            else:
                _last_cycles(layout, work, zones, t, allowed, max_cycles, out)


@njit
def _first_cycles(layout, work, zones, t, allowed, max_cycles, out):
    """Take the cycles that every zone gets."""
    moving, taken = np.ones(t.shape[1], np.bool_), min(FIRST_CYCLES, max_cycles)
    prepare(layout, work)
    for _ in range(taken):
        cycle(layout, work, t, moving)
    for l in range(zones.shape[0]):
        verdict = _judge(work.margin, t, allowed, l)
        outcome = _CONVERGED if verdict[0] <= 1.0 else _LIMIT if taken == max_cycles else _OPEN
        empty = not t[:, l].any()
        _write(out, zones[l], work.u, l, _EMPTY if empty else outcome, 0 if empty else taken, verdict)


@njit
def _newton_steps(layout, work, zones, t, allowed, max_cycles, out):
    """Take Newton steps; a zone that they bring neither to a fit nor much nearer stays as it was, only the steps are counted."""
    steps, met = np.empty(t.shape[1], np.int32), np.empty(t.shape[1], np.bool_)
    dual_newton(layout, work, t, allowed, max_cycles - FIRST_CYCLES, steps, met)
    for l in range(zones.shape[0]):
        z, verdict = zones[l], _judge(work.margin, t, allowed, l)
        taken = out.cycles[z] + steps[l]
        outcome = _CONVERGED if met[l] else _LIMIT if taken >= max_cycles else _OPEN
        if met[l] or verdict[1] < _NEARER * out.residual[z]:
            _write(out, z, work.u, l, outcome, taken, verdict)
        else:
            out.cycles[z], out.status[z] = taken, outcome


@njit
def _last_cycles(layout, work, zones, t, allowed, max_cycles, out):
    """Cycle until a fit, a stall or the limit; of a zone that ends without a fit the best cycle stays written."""
    lanes = t.shape[1]
    best, mark, begun = np.full(lanes, math.inf), np.full(lanes, math.inf), out.cycles[zones]
    moving = np.arange(lanes) < zones.shape[0]
    turn = 0
    prepare(layout, work)
    while moving.any():
        cycle(layout, work, t, moving)
        turn += 1
        for l in range(zones.shape[0]):
            if not moving[l]:
                continue
            z, taken, verdict = zones[l], begun[l] + turn, _judge(work.margin, t, allowed, l)
            outcome = _CONVERGED if verdict[0] <= 1.0 else _LIMIT if taken >= max_cycles else _OPEN
            if verdict[0] < best[l]:
                best[l] = verdict[0]
                _write(out, z, work.u, l, outcome, taken, verdict)
            if turn % STALL_WINDOW == 0:
                if outcome == _OPEN and not best[l] < STALL_RATIO * mark[l]:
                    outcome = _STALLED
                mark[l] = best[l]
            if outcome != _OPEN:
                moving[l] = False
                out.cycles[z] = taken
                out.status[z] = _INFEASIBLE if verdict[3] else outcome
