"""Tables of households and of their people perturbed anew: another draw of the publisher's noise that still agrees.

Which cells of such tables hang together cannot be read off single profiles as in `redraw`, since a household is in many cells
of a table of people. What they share are the *relations* of `consistent`: sums of cells, with whole factors, that are nought for
every household. Noise is moved to the nearest that keeps every relation, each cell giving way in proportion to its variance, and
rounded by a flight along them (again and again, where it ends between whole numbers); whatever the targets disagree on stays as
it was.
"""

from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.consistent import Relations, among_cells, onto, relations_of, round_consistent

__all__ = ["UnitRelations", "agreed_noise", "unit_relations"]

_ROUNDS = 50  # times that cells which noise would take below nought are held there, and the others made to agree with them
_FLIGHTS = 40  # a flight may end where relations with factors leave parts; another may not
_NOUGHT = 1e-6  # of a relation: sums of noise, in what tables count


class UnitRelations(NamedTuple):
    """What tables of households and people have in common, worked out once.

    relations : of `consistent`, none of them rounded before others. among_cells : (n_relations, n_cells) float64, the same of
    cells alone. lift : (n_cells,) float64, cells of some households, 1 or more where any household is: it keeps every relation.
    """

    relations: Relations
    among_cells: np.ndarray
    lift: np.ndarray


def unit_relations(row_start, cell, count, constraint_start):
    """Find what the tables of an incidence (CSR, profiles by cells) have in common.

    Households of one and of two, and their people:

    >>> homes = np.array([0, 2, 4]), np.array([0, 2, 1, 2]), np.array([1, 1, 1, 2])
    >>> found = unit_relations(*homes, np.array([0, 2, 3]))
    >>> found.among_cells[0].tolist(), found.lift.tolist()
    ([-1.0, -2.0, 1.0], [1.0, 1.0, 3.0])
    """
    bounds = np.asarray(constraint_start, np.int64)
    found = relations_of(row_start, cell, count, np.ones(len(row_start) - 1), bounds, np.zeros(len(bounds) - 1, bool))
    n_cells = int(bounds[-1])
    among = among_cells(found)
    lift = np.zeros(n_cells)
    for p in range(len(row_start) - 1):
        mine = slice(row_start[p], row_start[p + 1])
        if (lift[cell[mine]] == 0.0).any():
            lift[cell[mine]] += count[mine]
    return UnitRelations(found, np.ascontiguousarray(among[among.any(axis=1)]), lift)


def agreed_noise(known, noise, variance, lowest, keys):
    """Take noise to whole numbers that keep every relation.

    known : UnitRelations. noise : (n, n_cells) float64, what each cell's count is moved by, in what it counts.
    variance : (n, n_cells) float64, how far cells give way beside each other; those of 0 keep their noise.
    lowest : (n, n_cells) float64, <= 0: the least that each may be moved by (the count itself, downwards).
    keys : (n,) uint64, streams of the rounding; read only.
    Returns (noise, stuck): (n, n_cells) float64 whole numbers, and (n,) bool, rows for which none were found.
    """
    moved, lowest = np.array(noise, np.float64, order="C"), np.ascontiguousarray(lowest, np.float64)
    stuck = _agree(known.among_cells, np.ascontiguousarray(variance, np.float64), lowest, moved)
    up = np.ceil(np.abs(moved).max(initial=0.0)) + 1.0
    lift, out, left = up * known.lift, moved.copy(), np.flatnonzero(~stuck)
    for flight in range(_FLIGHTS):  # lifted, nothing is below nought, and the relations are the same
        states = np.asarray(keys, np.uint64)[left] + np.uint64(flight)
        whole, still = round_consistent(known.relations, moved[left] + lift, np.zeros((len(left), 0, moved.shape[1])), states)
        out[left] = whole - lift
        left = left[still | (out[left] < lowest[left]).any(axis=1)]
        if not len(left):
            break
    stuck[left] = True
    return out, stuck


@njit
def _agree(relations, variance, lowest, noise):
    """Move noise, in place, to the nearest on the relations that is nowhere below the lowest. Returns rows without any."""
    n_relations, n_cells = relations.shape
    gram, inverse, gap = np.zeros((n_relations, n_relations, 1)), np.zeros((n_relations, 1)), np.zeros((n_relations, 1))
    stuck = np.ones(noise.shape[0], np.bool_)
    for z in range(noise.shape[0]):
        v, free = noise[z], variance[z].copy()
        for _ in range(_ROUNDS):
            if not onto(relations, free, _NOUGHT, v, gram, inverse, gap):
                stuck[z] = False
                break
            for c in range(n_cells):
                if v[c] < lowest[z, c]:
                    v[c], free[c] = lowest[z, c], 0.0
    return stuck
