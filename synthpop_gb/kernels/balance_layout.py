"""Households laid out as a tree, so that what begins alike is walked once.

A household is a row of (cell, members) pairs. Rows sorted as words are share their beginnings, and rows that share one hang on
the same branch: each node of the tree is one pair, and stands for all households below it. Products of factors along rows and
sums over rows need one step a node instead of one a pair, a third as many on real surveys. Tables in which rows differ least,
those of households mostly, come first, since that makes the shared beginnings longest.
"""

from typing import NamedTuple

import numpy as np

__all__ = ["BalanceLayout", "balance_layout"]


class BalanceLayout(NamedTuple):
    """Nodes in the order of a walk, parents before children; cells renumbered so that they ascend along every row.

    cell_at : (n_cells,) int64. The problem's number of each cell as numbered here.
    depth : (n_nodes,) int64. Pairs from the root to the node; node 0 is the root, 0 deep, and no pair.
    cell : (n_nodes,) uint16, count : (n_nodes,) float64. The pair.
    key : (n_nodes,) uint32. Which distinct pair it is, of key_cell (n_keys,) int64 and key_count (n_keys,) float64.
    leaf_start : (n_nodes + 1,) int64. Rows ending at node i are leaf_start[i] to leaf_start[i + 1] - 1, with their start weights
        leaf_weight (n_leaves,) float64, and their groups leaf_group (n_leaves,) int64: zones may multiply weights by group.
    deepest : int. Length of the longest row.
    """

    cell_at: np.ndarray
    depth: np.ndarray
    cell: np.ndarray
    count: np.ndarray
    key: np.ndarray
    key_cell: np.ndarray
    key_count: np.ndarray
    leaf_start: np.ndarray
    leaf_weight: np.ndarray
    leaf_group: np.ndarray
    deepest: int


def balance_layout(row_start, cell, count, start, constraint_start, group=None):
    """Build the tree of an incidence: once a problem.

    row_start, cell, count : as in `balance.balance_zone`. start : (n_profiles,) float64, start weights; profiles of 0 take no
        part. constraint_start : (n_constraints + 1,) int, first cell of each constraint.
    group : (n_profiles,) int, from 0: what `balance_block` multiplies start weights by differs by group. None = one group.

    >>> tree = balance_layout([0, 2, 4], np.array([0, 1, 0, 2]), np.array([1, 2, 1, 1]), np.ones(2), [0, 1, 3])
    >>> tree.depth.tolist(), tree.cell_at[tree.cell[1:]].tolist(), tree.leaf_start.tolist()
    ([0, 1, 2, 2], [0, 2, 1], [0, 0, 0, 1, 2])
    """
    row_start, start = np.asarray(row_start, np.int64), np.asarray(start, np.float64)
    used = np.flatnonzero(start > 0)
    counted = np.zeros((len(start), int(constraint_start[-1])), np.int32)
    counted[np.repeat(np.arange(len(start)), np.diff(row_start)), cell] = count
    counted = counted[used]
    cell_at = _plain_first(counted, constraint_start)
    counted = counted[:, cell_at]
    group = np.zeros(len(used), np.int64) if group is None else np.asarray(group, np.int64)[used]
    order = np.lexsort((group, *counted.T[::-1]))
    counted, group, weight = counted[order], group[order], start[used][order]
    inside = counted > 0
    new = inside & (np.arange(counted.shape[1]) >= _first_difference(counted)[:, None])
    row, column = np.nonzero(new)
    n_keys = int(counted.max(initial=0)) + 1
    pair, key = np.unique(column * n_keys + counted[row, column], return_inverse=True)
    depth = np.cumsum(inside, axis=1)[row, column]
    # the node at which a row ends: the last made so far, since what follows a row in the order goes deeper or elsewhere
    end = np.where(inside.any(axis=1), np.cumsum(new.sum(axis=1)), 0)
    leaf, of = np.unique(np.stack([end, group]), axis=1, return_inverse=True)
    made = BalanceLayout(
        cell_at, _rooted(depth, np.int64), _rooted(column, np.uint16), _rooted(counted[row, column], np.float64),
        _rooted(key.reshape(-1), np.uint32), pair // n_keys, (pair % n_keys).astype(np.float64),
        np.searchsorted(leaf[0], np.arange(len(row) + 2)).astype(np.int64), np.bincount(of.reshape(-1), weight, leaf.shape[1]),
        leaf[1].astype(np.int64), int(depth.max(initial=0)),
    )  # fmt: skip
    for array in made:
        if isinstance(array, np.ndarray):
            array.setflags(write=False)
    return made


def _rooted(values, dtype):
    """Put the root, which is no pair, before the nodes."""
    return np.concatenate([np.zeros(1, dtype), values.astype(dtype)])


def _plain_first(counted, constraint_start):
    """Order cells: constraint by constraint, those in which fewest rows differ first."""
    cells = np.split(np.arange(constraint_start[-1]), constraint_start[1:-1])
    kinds = [len(np.unique(counted[:, c], axis=0)) for c in cells]
    return np.concatenate([cells[k] for k in np.argsort(kinds, kind="stable")]).astype(np.int64)


def _first_difference(counted):
    """First column in which each row differs from the one before it; 0 for the first row, the number of columns for equals."""
    differ = np.ones((len(counted), counted.shape[1] + 1), bool)
    differ[1:, :-1] = counted[1:] != counted[:-1]
    first = differ.argmax(axis=1)
    first[:1] = 0
    return first
