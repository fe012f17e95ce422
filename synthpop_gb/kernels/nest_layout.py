"""How zones hang together through the areas above them: which duals each has, and in which order they are eliminated.

The Hessian of zones that share areas is an arrow: a zone's cells meet only each other and those of the areas that it lies in.
Eliminating zones first, then areas from the finest level to the coarsest, keeps every matrix as small as one zone's cells and its
areas' (multifrontal method: Duff & Reid 1983, ACM Trans. Math. Softw. 9; elimination trees: Liu 1990, SIAM J. Matrix Anal. 11).
Levels that do not nest in each other are eliminated as well: matrices are then wider by the areas that they bring together.
"""

from typing import NamedTuple

import numpy as np

__all__ = ["Nest", "nest_layout"]


class Nest(NamedTuple):
    """Duals of some zones and of the areas above them. *Nodes* are the zones, then the areas level by level.

    n_zones : how many of the nodes are zones.
    index : (n_zones, n_duals) int64. Number of the variable of each of a zone's cells, those of the levels after its own; -1
        where a level binds the zone to nothing.
    own : (n_nodes + 1,) int64. Variables own[k] to own[k + 1] - 1 are those of node k; each node has one a cell.
    ptr : (n_nodes + 1,) int64. Entries of `var` for each node.
    var : (nnz,) int64. Variables in the matrix of each node: its own, then those of later nodes that it meets.
    cell : (nnz,) int64. For zones, the cell (0 to n_duals - 1) of each of those variables; unused for areas.
    parent : (n_nodes,) int64. The node whose matrix takes what eliminating this one leaves; -1 for none.
    into : (nnz,) int64. Position in the parent's matrix of each variable that is not the node's own.
    room : (n_nodes + 1,) int64. Where each node's numbers are in the store of factors: n_own x n for zones, n x n for areas.
    """

    n_zones: int
    index: np.ndarray
    own: np.ndarray
    ptr: np.ndarray
    var: np.ndarray
    cell: np.ndarray
    parent: np.ndarray
    into: np.ndarray
    room: np.ndarray


def nest_layout(n_zones, n_cells, of_zone, level_cells) -> Nest:
    """Work out the layout of zones that levels bind together.

    n_zones, n_cells : zones, and cells of each.
    of_zone : sequence of (n_zones,) int, one a level, the finest first: area of each zone, -1 for none.
    level_cells : sequence of int, cells of each level.

    >>> nest = nest_layout(3, 2, [np.array([0, 0, 1])], [1])
    >>> nest.index.tolist(), nest.parent.tolist()
    ([[0, 1, 6], [2, 3, 6], [4, 5, 7]], [3, 3, 4, -1, -1])
    """
    sizes = [n_cells] * n_zones
    above: list[list[int]] = [[] for _ in range(n_zones)]
    first_cell = n_cells + np.concatenate([[0], np.cumsum(level_cells)]).astype(np.int64)
    index = np.full((n_zones, int(first_cell[-1])), -1, np.int64)
    index[:, :n_cells] = np.arange(n_zones * n_cells).reshape(n_zones, n_cells)
    before = n_zones * n_cells
    cells_of = [{-1: 0} for _ in range(n_zones)]  # first cell of each node that a zone meets
    for areas, first, width in zip(of_zone, first_cell[:-1], level_cells, strict=True):
        areas = np.asarray(areas, np.int64)
        n_areas, node = int(areas.max(initial=-1)) + 1, len(sizes)
        for z in np.flatnonzero(areas >= 0):
            above[z].append(node + int(areas[z]))
            cells_of[z][node + int(areas[z])] = int(first)
        bound = areas >= 0
        index[bound, first : first + width] = before + areas[bound, None] * width + np.arange(width)
        before += n_areas * width
        sizes += [width] * n_areas
    own = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    later = _eliminate([*map(set, above), *(set() for _ in range(len(sizes) - n_zones))])
    parent = np.array([min(met, default=-1) for met in later], np.int64)
    columns, cells = [], []
    for k, met in enumerate(later):
        nodes = [k, *sorted(met)]
        columns.append(np.concatenate([np.arange(own[n], own[n + 1]) for n in nodes]))
        starts = [0, *(cells_of[k][n] for n in nodes[1:])] if k < n_zones else [0] * len(nodes)
        cells.append(np.concatenate([s + np.arange(sizes[n]) for s, n in zip(starts, nodes, strict=True)]))
    into = []
    for k, mine in enumerate(columns):
        place = np.full(len(mine), -1)
        if parent[k] >= 0:
            theirs = columns[parent[k]]
            order = np.argsort(theirs)
            place[sizes[k] :] = order[np.searchsorted(theirs[order], mine[sizes[k] :])]
        into.append(place)
    ptr = np.concatenate([[0], np.cumsum([len(c) for c in columns])]).astype(np.int64)
    rooms = [len(c) * (sizes[k] if k < n_zones else len(c)) for k, c in enumerate(columns)]
    flat = [np.concatenate(part).astype(np.int64) for part in (columns, cells, into)]
    room = np.concatenate([[0], np.cumsum(rooms)]).astype(np.int64)
    return Nest(n_zones, index, own, ptr, flat[0], flat[1], parent, flat[2], room)


def _eliminate(later):
    """Add to the later nodes that each node meets those that eliminating earlier ones brings together."""
    for k, met in enumerate(later):
        if met:
            first = min(met)
            later[first] |= met - {first}
            assert first > k
    return later
