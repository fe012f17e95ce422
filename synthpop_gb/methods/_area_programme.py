"""What areas still miss, mended by neutral moves chosen together: an integer programme over moves, not over households.

Annealing over neutral moves (`kernels.unit_neutral`) makes one after another, and ends where no single one helps. Many together
may: which, is a programme with a row for each cell of the areas and a column for each move, which is made or not; what a row
misses costs. All moves are offered to its linear relaxation; those that it would like best, to the integer programme. By HiGHS,
within limits of nodes, not of time.
"""

from __future__ import annotations

import numpy as np

from synthpop_gb.kernels.unit_layout import Component, UnitLayout
from synthpop_gb.kernels.unit_swaps import Placed

__all__ = ["choose_moves"]

_COLUMNS = 5_000  # moves offered to the integer programme
_OFFERED = 30_000  # and to its relaxation, besides those that mend something
_MOVING = 0.001  # what a person moved costs beside one missed: the fewer the better
_NEAR = 0.5  # the answer may be worse than the best by this share: by the cost of moving, that is


def choose_moves(
    moves: np.ndarray, keys: np.ndarray, first_area: int, nodes: int, parts: Component, layout: UnitLayout, placed: Placed
) -> np.ndarray:
    """Choose moves after which areas miss as little as can be.

    Parameters
    ----------
    moves : (n, 6) int64
        Neutral moves, as `kernels.unit_neutral.list_moves` writes them.
    keys : (n,) uint64
        Keys of their changes: of moves that change the same one is offered.
    first_area : int
        Place of the first cell of an area in the row of gaps.
    nodes : int
        Limit of nodes of the search.
    parts, layout, placed : Component, UnitLayout, Placed
        The component; only read.

    Returns
    -------
    (k,) int64
        Rows of `moves`, of different units; none where none of them help.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csc_array, eye_array, hstack

    miss = placed.gap[first_area:].astype(np.float64)
    _, first = np.unique(keys, return_index=True)
    if not miss.any() or not len(first):
        return np.empty(0, np.int64)
    offered = np.sort(first)
    changes = _changes(moves[offered], first_area, parts, layout, placed)
    moved = np.abs(changes).sum(axis=1)
    mends = (changes @ np.sign(miss) < 0) | (abs(changes) @ (miss != 0) > 2)
    nearest = np.union1d(np.argsort(moved, kind="stable")[:_OFFERED], np.flatnonzero(mends)[:_OFFERED])
    offered, changes, moved = offered[nearest], changes[nearest], moved[nearest]
    best = np.sort(np.argsort(_reduced_costs(changes, moved, miss), kind="stable")[:_COLUMNS])
    offered, changes, moved = offered[best], changes[best], moved[best]
    n, rows = len(offered), len(miss)
    slack = [eye_array(rows), -eye_array(rows)]
    once = _conflicts(moves[offered])
    found = milp(
        np.concatenate([_MOVING * moved, np.ones(2 * rows)]),
        constraints=[
            LinearConstraint(csc_array(hstack([changes.T, *slack])), -miss, -miss),
            LinearConstraint(csc_array(hstack([once, csc_array((once.shape[0], 2 * rows))])), -np.inf, 1.0),
        ],
        bounds=Bounds(0.0, np.concatenate([np.ones(n), np.full(2 * rows, np.inf)])),
        integrality=np.concatenate([np.ones(n), np.zeros(2 * rows)]),
        options={"node_limit": int(nodes), "mip_rel_gap": _NEAR},
    )
    if found.x is None:
        return np.empty(0, np.int64)
    chosen = found.x[:n] > 0.5
    after = np.abs(miss + changes[chosen].sum(axis=0)).sum()
    return offered[chosen] if after < np.abs(miss).sum() else np.empty(0, np.int64)


def _changes(moves, first_area, parts, layout, placed):
    """(n, area cells) scipy CSR: what each move changes in the areas."""
    from scipy.sparse import coo_array

    row, column, change = [], [], []
    for unit, donor, before in ((0, 1, 4), (2, 3, 5)):
        there = np.flatnonzero(moves[:, unit] >= 0)
        zone = placed.zone[moves[there, unit]]
        for profile, sign in ((moves[there, donor], 1), (moves[there, before], -1)):
            begin, size = layout.start[profile], np.diff(layout.start)[profile]
            entry = np.repeat(begin - np.cumsum(size) + size, size) + np.arange(size.sum())
            place = parts.place[np.repeat(zone, size), layout.cell[entry]]
            above = place >= first_area
            row.append(np.repeat(there, size)[above])
            column.append(place[above] - first_area)
            change.append(sign * layout.count[entry][above].astype(np.float64))
    shape = len(moves), len(placed.gap) - first_area
    found = coo_array((np.concatenate(change), (np.concatenate(row), np.concatenate(column))), shape=shape).tocsr()
    found.eliminate_zeros()
    return found


def _reduced_costs(changes, moved, miss):
    """(n,) what the relaxation would lose by making each move, less where it is wanted more."""
    from scipy.optimize import linprog
    from scipy.sparse import csc_array, eye_array, hstack

    n, rows = changes.shape
    if n <= _COLUMNS:
        return np.zeros(n)
    found = linprog(
        np.concatenate([_MOVING * moved, np.ones(2 * rows)]),
        A_eq=csc_array(hstack([changes.T, eye_array(rows), -eye_array(rows)])), b_eq=-miss,
        bounds=np.stack([np.zeros(n + 2 * rows), np.concatenate([np.ones(n), np.full(2 * rows, np.inf)])], axis=1),
        method="highs-ds",
    )  # fmt: skip
    return moved if found.x is None else _MOVING * moved - changes @ found.eqlin.marginals


def _conflicts(moves):
    """(units in more than one move, n) scipy CSR: a unit may move once."""
    from scipy.sparse import coo_array

    unit, move = np.concatenate([moves[:, 0], moves[:, 2]]), np.tile(np.arange(len(moves)), 2)
    unit, move = unit[unit >= 0], move[np.concatenate([moves[:, 0], moves[:, 2]]) >= 0]
    _, row, often = np.unique(unit, return_inverse=True, return_counts=True)
    shared = often[row] > 1
    number = np.cumsum(often > 1) - 1
    return coo_array(
        (np.ones(shared.sum()), (number[row[shared]], move[shared])), shape=(int((often > 1).sum()), len(moves))
    ).tocsr()
