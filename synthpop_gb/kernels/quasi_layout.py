"""The profiles of a problem as a tree with one level a constraint, and the work space of quasirandom draws from it.

The weight below a node is the chance of a person to have its category, given those of the nodes above: what drawing category by
category takes.
"""

from typing import NamedTuple

import numpy as np

__all__ = ["QuasiLayout", "QuasiWork", "quasi_layout", "quasi_work"]


class QuasiLayout(NamedTuple):
    """The profiles of one problem as a tree. All arrays C-contiguous, writeable for numba's sake, never written.

    n_cells : cells that targets are given for; being outside the universe of constraint k is cell n_cells + k.
    start : (n_constraints + 1,) int32. First cell of each constraint.
    partial : (n_constraints,) bool. Whether some profile is outside the constraint's universe.
    order : (n_profiles,) int32. Profiles in lexicographic order of their cells, as they hang on the leaves.
    leaf : (n_leaves + 1,) int32. Profiles of leaf i are order[leaf[i]] to order[leaf[i + 1] - 1]: one, unless profiles repeat.
    leaf_cells : (n_leaves, n_constraints) int32. Cells of each leaf.
    level : (n_constraints + 1,) int32. Nodes of constraint k are level[k] to level[k + 1] - 1; those of the last are the leaves.
    cell : (n_nodes,) int32. Cell that a node stands for.
    child : (n_nodes,) int32. First child of each node, at the next level; its last child is the one before the next node's
        first. Leaves have none: their entry is the number of nodes.
    """

    n_cells: int
    start: np.ndarray
    partial: np.ndarray
    order: np.ndarray
    leaf: np.ndarray
    leaf_cells: np.ndarray
    level: np.ndarray
    cell: np.ndarray
    child: np.ndarray


class QuasiWork(NamedTuple):
    """Work space of one thread; nothing in it reaches the next zone's answer.

    value : (n_nodes,) float64        people to be expected in a node, by the weights of the moment
    base, weight : (n_leaves,) float64   fitted weights of the leaves; those of the fit to what remains
    alive : (n_leaves,) int32         leaves that can still be drawn
    left, mark : (n_cells + n_constraints,) int64    people still wanted; those wanted at the last fit
    factor, scale, margin : (n_cells + n_constraints,) float64   factor of the moment, at the last fit; margins of a fit
    point : (n_constraints,) uint32   Sobol point
    """

    value: np.ndarray
    base: np.ndarray
    weight: np.ndarray
    alive: np.ndarray
    left: np.ndarray
    mark: np.ndarray
    factor: np.ndarray
    scale: np.ndarray
    margin: np.ndarray
    point: np.ndarray


def quasi_layout(cell_of, constraint_start) -> QuasiLayout:
    """Hang the profiles of a problem on a tree: see `QuasiLayout`.

    cell_of : (n_constraints, n_profiles) int. Cell of each profile, numbered across constraints; -1 outside a universe.
    constraint_start : (n_constraints + 1,) int. First cell of each constraint.
    """
    cells = np.array(cell_of, dtype=np.int32, order="C", ndmin=2)
    start = np.array(constraint_start, dtype=np.int32)
    n_cells, absent = int(start[-1]), cells < 0
    cells = np.where(absent, (n_cells + np.arange(len(cells), dtype=np.int32))[:, None], cells)
    order = np.lexsort(cells[::-1]).astype(np.int32)
    cells = cells[:, order]
    new = np.ones(cells.shape[1], bool)  # whether a profile starts a node of the level looked at
    new[1:] = False
    firsts = []
    for row in cells:
        new[1:] |= row[1:] != row[:-1]
        firsts.append(np.flatnonzero(new))
    level = np.concatenate([[0], np.cumsum([len(f) for f in firsts])]).astype(np.int32)
    child = [level[k + 1] + np.searchsorted(firsts[k + 1], firsts[k]) for k in range(len(firsts) - 1)]
    child.append(np.full(len(firsts[-1]), level[-1]))
    return QuasiLayout(
        n_cells=n_cells,
        start=start,
        partial=absent.any(axis=1),
        order=order,
        leaf=np.append(firsts[-1], len(order)).astype(np.int32),
        leaf_cells=np.ascontiguousarray(cells[:, firsts[-1]].T, dtype=np.int32),
        level=level,
        cell=np.concatenate([row[f] for row, f in zip(cells, firsts, strict=True)]).astype(np.int32),
        child=np.concatenate(child).astype(np.int32),
    )


def quasi_work(layout: QuasiLayout) -> QuasiWork:
    """Allocate the work space for one thread: 8 bytes a node and 20 a profile."""
    n_leaves, n_constraints = layout.leaf_cells.shape
    n_cells = layout.n_cells + n_constraints
    return QuasiWork(
        value=np.zeros(len(layout.cell)),
        base=np.zeros(n_leaves),
        weight=np.zeros(n_leaves),
        alive=np.zeros(n_leaves, np.int32),
        left=np.zeros(n_cells, np.int64),
        mark=np.zeros(n_cells, np.int64),
        factor=np.zeros(n_cells),
        scale=np.zeros(n_cells),
        margin=np.zeros(n_cells),
        point=np.zeros(n_constraints, np.uint32),
    )
