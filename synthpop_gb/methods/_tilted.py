"""Start weights that differ by zone, as kernels take them: tilts stand as further constraints to which nothing is fitted."""

from __future__ import annotations

import numpy as np

from synthpop_gb.problem import Problem

__all__ = ["log_start", "tilted_cells", "with_tilt"]


def tilted_cells(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Cells of constraints and tilts, (n, n_profiles) int32, numbered through; and the first cell of each, then their number.

    Without tilts these are the problem's own arrays.

    >>> from synthpop_gb.testing import small_problem
    >>> tilted_cells(small_problem())[1]
    array([0, 2, 4], dtype=int32)
    """
    if problem.tilt is None:
        return problem.cell_of, problem.constraint_start
    n_cells, rows = problem.n_cells, problem.tilt_of
    # a fit asks only where constraints begin: all cells of tilts may lie in one of them, and the others be empty
    last = np.full(len(rows), n_cells + problem.tilt.shape[1], np.int32)
    cell_of = np.ascontiguousarray(np.vstack([problem.cell_of, np.where(rows >= 0, rows + n_cells, -1)]).astype(np.int32))
    cell_of.setflags(write=False)
    return cell_of, np.concatenate([problem.constraint_start, last]).astype(np.int32)


def with_tilt(problem: Problem, duals: np.ndarray, zones: np.ndarray) -> np.ndarray:
    """Duals of some zones with the tilts beside them: (n_zones, n_cells + tilt cells) float64, as `tilted_cells` numbers them."""
    return duals if problem.tilt is None else np.ascontiguousarray(np.hstack([duals, problem.tilt[zones]]))


def log_start(problem: Problem, zones: np.ndarray) -> np.ndarray:
    """(n_zones, n_profiles) float64: logarithms of the start weights of some zones, tilts included; -inf = never."""
    with np.errstate(divide="ignore"):
        out = np.broadcast_to(np.log(problem.start), (len(zones), problem.n_profiles)).copy()
    for row in problem.tilt_of if problem.tilt is not None else ():
        inside = row >= 0
        out[:, inside] += problem.tilt[np.ix_(zones, row[inside])]
    return out
