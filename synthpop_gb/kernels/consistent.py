"""Margins of a fit of whole households taken to whole tables that some households could have.

Tables of one population repeat each other: those of people agree on how many there are, sexes by age add up to sexes, households
of one, two and three people have as many members as the ages tell. Each such *relation* is a sum of cells, with whole factors,
that is nought for every household, and so for any number of them: a vector of the null space of the incidence. Margins of fitted
weights keep all relations; rounded cell by cell they keep none. Here the parts after the point are rounded by a flight (the first
phase of the cube method: Deville & Tille 2004, Biometrika 91, with cells for units and relations for balancing equations): a
random walk that stays on the relations, leaves each cell's mean where it was, and ends where cells are whole.
"""

from math import gcd, isqrt, lcm
from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.entropy import factorise, solve
from synthpop_gb.kernels.streams import next_uniform, shuffle

__all__ = ["WHOLE_WITHIN", "Relations", "among_cells", "fly", "keep", "onto", "relations_of", "round_consistent", "with_totals"]

WHOLE_WITHIN = 1e-5  # nearer to a whole number than this is whole
_PRIME = 2**31 - 1
_TINY = 1e-9  # of an entry of a relation, which are whole numbers


def _null_space(counted):
    """Find a basis in small whole numbers, (n, n_cells) int64, of what a matrix of whole numbers makes nought.

    >>> _null_space(np.array([[1, 0, 1], [0, 1, 2]]))  # alone, two together, people
    array([[-1, -2,  1]])
    """
    n_cells = counted.shape[1]
    square = (counted.T @ counted) % _PRIME  # the same null space, but for the luck of one in 2^31, which is checked below
    pivots, row = [], 0
    for c in range(n_cells):  # Gauss and Jordan, modulo a prime: no fractions, no rounding
        below = np.flatnonzero(square[row:, c])
        if not len(below):
            continue
        square[[row, row + below[0]]] = square[[row + below[0], row]]
        square[row] = square[row] * pow(int(square[row, c]), -1, _PRIME) % _PRIME
        others = square[:, c].copy()
        others[row] = 0
        square = (square - others[:, None] * square[row] % _PRIME) % _PRIME
        pivots.append(c)
        row += 1
    found = [_relation(square, pivots, c, n_cells) for c in range(n_cells) if c not in pivots]
    held = [r for r in found if r is not None and not (counted @ r).any()]
    return np.array(held, np.int64).reshape(-1, n_cells)


def _relation(square, pivots, free, n_cells):
    """Read one vector of the null space off the reduced matrix, as whole numbers; None where they would be large."""
    parts = [(free, (1, 1))]
    for row, pivot in enumerate(pivots):
        parts.append((pivot, _fraction(-int(square[row, free]) % _PRIME)))
    if any(part is None for _, part in parts):
        return None
    scale = lcm(*(below for _, (_, below) in parts))
    out = np.zeros(n_cells, np.int64)
    for c, (above, below) in parts:
        out[c] = above * (scale // below)
    return out // gcd(*out.tolist())


def _fraction(residue):
    """Find the fraction that a number modulo the prime stands for (Wang's reconstruction), None where it has no small one."""
    bound = isqrt(_PRIME // 2)
    r0, r1, t0, t1 = _PRIME, residue, 0, 1
    while r1 > bound:
        quotient = r0 // r1
        r0, r1, t0, t1 = r1, r0 - quotient * r1, t1, t0 - quotient * t1
    if abs(t1) > bound or t1 == 0:
        return None
    return (r1, t1) if t1 > 0 else (-r1, -t1)


class Relations(NamedTuple):
    """Relations as `round_consistent` needs them: of the cells and, after them, of the total of each constraint.

    every : (n_relations, n_cells + n_constraints) float64, all of them. first : (n_cells + n_constraints,) bool, what is rounded
    before the rest: cells and totals of households. among_first : (n, n_cells + n_constraints) float64, the relations among these
    alone. constraint_start : (n_constraints + 1,) int64, first cell of each constraint.
    """

    every: np.ndarray
    first: np.ndarray
    among_first: np.ndarray
    constraint_start: np.ndarray


def relations_of(row_start, cell, count, start, constraint_start, of_households):
    """Find the relations of an incidence: once a problem.

    row_start, cell, count : of an incidence. start : (n_profiles,) float64; profiles of 0 say nothing.
    constraint_start : (n_constraints + 1,) int. of_households : (n_constraints,) bool, which are rounded first.
    """
    bounds = np.asarray(constraint_start, np.int64)
    counted = np.zeros((len(start), bounds[-1]), np.int64)
    counted[np.repeat(np.arange(len(start)), np.diff(row_start)), cell] = count
    counted = with_totals(np.unique(counted[np.asarray(start) > 0], axis=0), bounds)
    first = np.concatenate([np.repeat(of_households, np.diff(bounds)), of_households]).astype(bool)
    among = np.zeros((0, len(first)))
    if first.any():
        found = _null_space(counted[:, first])
        among = np.zeros((len(found), len(first)))
        among[:, first] = found
    return Relations(_null_space(counted).astype(np.float64), first, among, bounds)


def among_cells(relations):
    """Return the relations of cells alone, (n_relations, n_cells) float64: one that names totals says the same of their cells."""
    bounds = relations.constraint_start
    n_cells = int(bounds[-1])
    return relations.every[:, :n_cells] + np.repeat(relations.every[:, n_cells:], np.diff(bounds), axis=1)


def with_totals(values, bounds):
    """Put the totals of the constraints after the cells: (..., n_cells) -> (..., n_cells + n_constraints)."""
    return np.concatenate([values, np.add.reduceat(values, bounds[:-1], axis=-1)], axis=-1)


def round_consistent(relations, fitted, moments, keys):
    """Round fitted margins to whole numbers that keep the relations.

    relations : Relations. fitted : (n_zones, n_cells) float64, margins of each zone's weights.
    moments : (n_zones, n_first, n_cells) float64. Two-way sums of the weights: of each cell rounded first with every cell, where
        n_first counts cells of households; totals are none.
    keys : (n_zones,) uint64, states of the streams of purpose ROUND.
    Returns (whole, open): (n_zones, n_cells) float64, and (n_zones,) bool, zones in which no flight ended at whole numbers that
    keep all relations; their cells are left where it ended.

    Cells of households are rounded up or down first. Other households bring other people: so the margins of people are moved by
    what the fitted households say (their regression on the cells of households), and then rounded up or down. They may end a few
    people away from the fit, but each cell's mean is its margin, and what holds of every household nearly, such as that those of
    six or more are mostly of six, still does. Totals of constraints are rounded up or down like cells.
    """
    n_cells = np.shape(fitted)[1]
    fitted = with_totals(np.maximum(np.asarray(fitted, np.float64), 0.0), relations.constraint_start)
    moments = with_totals(np.asarray(moments, np.float64), relations.constraint_start)
    nearest = np.rint(fitted)
    out = np.where(np.abs(fitted - nearest) < WHOLE_WITHIN, nearest, fitted)
    _round(relations, np.ascontiguousarray(moments, np.float64), out, np.array(keys, np.uint64))
    nearest = np.rint(out)
    broken = (np.abs(nearest @ relations.every.T) > 0.5).any(axis=1)  # sums of whole numbers: exact
    still = (np.abs(out - nearest) >= WHOLE_WITHIN).any(axis=1) | broken | (out < 0).any(axis=1)
    return np.where(still[:, None], out, nearest)[:, :n_cells], still


@njit
def _round(relations, moments, values, keys):
    n_relations, n_cells = relations.every.shape
    n_first = moments.shape[1]
    gram, inverse, gap = np.zeros((n_relations, n_relations, 1)), np.zeros((n_relations, 1)), np.zeros((n_relations, 1))
    square, scale, change = np.zeros((n_first, n_first, 1)), np.zeros((n_first, 1)), np.zeros((n_first, 1))
    none = np.zeros((n_first, 1))
    first, everyone, before = np.flatnonzero(relations.first)[:n_first], np.ones(n_cells, np.bool_), np.empty(n_cells)
    for z in range(values.shape[0]):
        state, v = keys[z : z + 1], values[z]
        before[:] = v
        if n_first > 0:
            fly(relations.among_first, relations.first, v, state)
            for i in range(n_first):
                change[i, 0] = v[first[i]] - before[first[i]]
                for j in range(i + 1):
                    square[i, j, 0] = moments[z, i, first[j]]
            factorise(square, none, scale, n_first)
            solve(square, scale, change, n_first)
            for c in range(n_cells):
                if not relations.first[c] and before[c] != np.floor(before[c]):
                    for i in range(n_first):
                        v[c] += change[i, 0] * moments[z, i, c]
            keep(relations, before, v, gram, inverse, gap)
        fly(relations.every, everyone, v, state)


@njit
def onto(relations, give, within, v, gram, inverse, gap):
    """Move one row of cells to the nearest that keeps the relations, each giving way in proportion to `give`; 0 = it stays.

    relations : (n_relations, n_cells) float64. give : (n_cells,) float64, >= 0. v : (n_cells,) float64, changed in place.
    within : by how much relations may be broken for the row to be left as it is. gram, inverse, gap : work space.
    Returns whether the row was moved.
    """
    n_relations, n_cells = relations.shape
    gram[:], gap[:] = 0.0, 0.0
    for c in range(n_cells):
        for r in range(n_relations):
            gap[r, 0] -= relations[r, c] * v[c]
            if give[c] != 0.0:
                for q in range(r + 1):
                    gram[r, q, 0] += give[c] * relations[r, c] * relations[q, c]
    if n_relations == 0 or np.abs(gap).max() <= within:
        return False
    factorise(gram, np.zeros((n_relations, 1)), inverse, n_relations)
    solve(gram, inverse, gap, n_relations)
    for c in range(n_cells):
        if give[c] != 0.0:
            for r in range(n_relations):
                v[c] += give[c] * relations[r, c] * gap[r, 0]
    return True


@njit
def keep(relations, weight, v, gram, inverse, gap):
    """Bring cells that were not whole back onto the relations, moving each in proportion to its margin."""
    give = weight.copy()
    for c in range(v.shape[0]):
        if relations.first[c] or weight[c] == np.floor(weight[c]):
            give[c] = 0.0
    onto(relations.every, give, -1.0, v, gram, inverse, gap)
    for c in range(v.shape[0]):
        if give[c] != 0.0:
            nearest = np.floor(v[c] + 0.5)
            if abs(v[c] - nearest) < WHOLE_WITHIN:
                v[c] = nearest


@njit
def fly(relations, wanted, v, state):
    """Round the cells wanted of one zone in place, as far as it goes."""
    n_relations, n_cells = relations.shape
    order, way = np.empty(n_cells, np.int64), np.empty(n_relations + 1)
    matrix, pivot = np.empty((n_relations, n_relations + 1)), np.empty(n_relations + 1, np.int64)
    n = 0
    for c in range(n_cells):
        if wanted[c] and v[c] != np.floor(v[c]):
            order[n] = c
            n += 1
    shuffle(state, order, n)
    while n > 0:
        width = min(n, n_relations + 1)
        for r in range(n_relations):
            for j in range(width):
                matrix[r, j] = relations[r, order[j]]
        if not _free_direction(matrix, pivot, n_relations, width, way):
            break
        up, down = np.inf, np.inf  # how far the walk may go either way
        for j in range(width):
            if way[j] != 0.0:
                low = v[order[j]] - np.floor(v[order[j]])
                up = min(up, (1.0 - low) / way[j] if way[j] > 0.0 else -low / way[j])
                down = min(down, low / way[j] if way[j] > 0.0 else -(1.0 - low) / way[j])
        length = up if next_uniform(state) * (up + down) < down else -down
        kept = 0
        for j in range(n):
            c = order[j]
            if j < width and way[j] != 0.0:
                v[c] += length * way[j]
                nearest = np.floor(v[c] + 0.5)
                if abs(v[c] - nearest) < _TINY:
                    v[c] = nearest
                    continue
            order[kept] = c
            kept += 1
        n = kept


@njit
def _free_direction(matrix, pivot, n_rows, width, way):
    """Find a vector that a matrix makes nought, in way; False where there is none. matrix is overwritten."""
    row = 0
    for j in range(width):
        best, at = _TINY, -1
        for r in range(row, n_rows):
            if abs(matrix[r, j]) > best:
                best, at = abs(matrix[r, j]), r
        if at < 0:  # this column depends on those before it
            way[:width] = 0.0
            way[j] = 1.0
            for r in range(row):
                way[pivot[r]] = -matrix[r, j]
            return True
        for k in range(j, width):
            matrix[row, k], matrix[at, k] = matrix[at, k], matrix[row, k]
        scale = matrix[row, j]
        for k in range(j, width):
            matrix[row, k] /= scale
        for r in range(n_rows):
            if r != row and matrix[r, j] != 0.0:
                factor = matrix[r, j]
                for k in range(j, width):
                    matrix[r, k] -= factor * matrix[row, k]
        pivot[row] = j
        row += 1
    return False
