"""Whole tables of areas that agree with whole tables of the zones below, and fitted margins moved without breaking relations.

What cells of zones and of an area tell of one another is a relation like any other (`consistent`): over all cells of zone and
area together it is nought for every household, and so for the sums over an area's zones. With the sums of whole zones given, the
area's cells follow them as far as the fitted households say (their regression on what is given), and are rounded by a flight
that keeps the relations.
"""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.consistent import WHOLE_WITHIN, fly, keep, with_totals
from synthpop_gb.kernels.entropy import factorise, solve

__all__ = ["moved_above_nought", "round_rest"]

_TRIES = 40  # times that cells below nought are brought back to it
_WITHIN = 1e-9


def moved_above_nought(relations, values):
    """Move cells so that none is below nought and all relations that they keep are still kept.

    relations : of `relations_of`. values : (n_cells,) float64, which keep them.
    Returns (values, done): (n_cells,) float64; False where it went on without an end.

    Cells below nought become nought, the others give way in proportion to what they have; and again, where that takes one below.
    """
    every, n = relations.every, len(values)
    out = with_totals(np.array(values, np.float64), relations.constraint_start)
    done = _raise(relations._replace(first=np.zeros(every.shape[1], np.bool_)), out)
    return np.maximum(out[:n], 0.0), done


def round_rest(relations, given, fitted, moments, key):
    """Round the cells of an area to whole numbers that agree with cells that are given.

    relations : of `relations_of`, over the cells given and then the area's, with their constraints.
    given : (2, n_given) float64, the same cells as fitted and as given: whole.
    fitted : (n_rest,) float64, fitted margins of the area.
    moments : (n_given, n_given + n_rest) float64, two-way sums of the area's weights.
    key : (1,) uint64, state of a stream of purpose ROUND; advanced.
    Returns (whole, done): (n_rest,) float64; False where no flight ended at whole numbers that keep all relations: cells are then
    left where it ended.
    """
    n_given, n = given.shape[1], given.shape[1] + len(fitted)
    values = np.concatenate([given[1], fitted])
    values[n_given:] += _regressed(given[1] - given[0], np.ascontiguousarray(moments, np.float64))
    first = np.zeros(relations.every.shape[1], np.bool_)
    bounds = relations.constraint_start
    first[:n_given] = True
    first[n:] = bounds[:-1] < n_given
    out = with_totals(values, bounds)
    done = _raise(relations._replace(first=first), out)
    nearest = np.rint(out)
    out = np.where(np.abs(out - nearest) < WHOLE_WITHIN, nearest, out)
    fly(relations.every, np.ones(len(out), np.bool_), out, key)
    nearest = np.rint(out)
    done = done and np.abs(out - nearest).max(initial=0.0) < WHOLE_WITHIN and not (np.abs(relations.every @ nearest) > 0.5).any()
    return (nearest if done else out)[n_given:n], bool(done and nearest.min(initial=0.0) >= 0)


@njit
def _regressed(change, moments):
    """Find how much the rest changes with the cells given: (n_rest,)."""
    n, n_all = moments.shape
    square, inverse, x, least = np.zeros((n, n, 1)), np.zeros((n, 1)), np.zeros((n, 1)), np.zeros((n, 1))
    for i in range(n):
        x[i, 0] = change[i]
        for j in range(i + 1):
            square[i, j, 0] = moments[i, j]
    factorise(square, least, inverse, n)
    solve(square, inverse, x, n)
    out = np.zeros(n_all - n)
    for c in range(n_all - n):
        for i in range(n):
            out[c] += x[i, 0] * moments[i, n + c]
    return out


@njit
def _raise(relations, values):
    """Bring cells that are not given to nought or more, the others moved in proportion so that relations hold; in place."""
    n_relations, n_cells = relations.every.shape
    gram, inverse, gap = np.zeros((n_relations, n_relations, 1)), np.zeros((n_relations, 1)), np.zeros((n_relations, 1))
    weight = np.empty(n_cells)
    for _ in range(_TRIES):
        for c in range(n_cells):
            weight[c] = values[c]
            if not relations.first[c] and values[c] <= 0.0:
                values[c] = weight[c] = 0.0
        keep(relations, weight, values, gram, inverse, gap)
        below = 0.0
        for c in range(n_cells):
            if not relations.first[c]:
                below = min(below, values[c])
        if below > -_WITHIN:
            return True
    return False
