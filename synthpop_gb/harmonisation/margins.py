"""What two tables have in common: the sums of cells that must be equal in both, whatever their categories and universes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from synthpop_gb.codebook import Category, Universe
from synthpop_gb.harmonisation.cells import Draft
from synthpop_gb.harmonisation.universe import contains

__all__ = ["block_sums", "cells_inside", "shared_blocks"]

Mark = Mapping[str, frozenset[str]]
"""Signature of a universe: see `universe.signature`."""


def shared_blocks(wide: Draft, wide_mark: Mark, narrow: Draft, mark: Mark) -> tuple[np.ndarray, np.ndarray] | None:
    """Blocks of cells that must have equal sums in two tables: (block of each cell of `wide`, block of each of `narrow`).

    `wide` counts at least the people of `narrow`; its cells outside that universe get block -1. None where the cells of
    `wide` do not tell the universe of `narrow` apart.
    """
    inside = cells_inside(wide, wide_mark, narrow.universe, mark)
    if inside is None:
        return None
    left, right, n = np.zeros(len(wide.cells), np.int32), np.zeros(len(narrow.cells), np.int32), 1
    for axis, name in enumerate(wide.request.variables):
        if name in narrow.request.variables:
            other = narrow.request.variables.index(name)
            a, b, size = _components(wide.categories[axis], narrow.categories[other], narrow.universe.members.get(name))
            left, right, n = left * size + a[_level(wide, axis)], right * size + b[_level(narrow, other)], n * size
    used = np.unique(right)
    number_of = np.full(n, -1, np.int32)
    number_of[used] = np.arange(len(used))
    return np.where(inside, number_of[left], -1), number_of[right]


def cells_inside(wide: Draft, wide_mark: Mark, universe: Universe, mark: Mark) -> np.ndarray | None:
    """Which cells of `wide` make up a universe of signature `mark`: (n_cells,) bool; None where they do not tell it apart."""
    if not contains(wide_mark, mark):
        return None
    inside = np.ones(len(wide.cells), bool)
    for name, atoms in mark.items():
        if wide_mark.get(name) == atoms:
            continue
        if name not in wide.request.variables:
            return None
        axis = wide.request.variables.index(name)
        member = [_side(category, universe.members[name]) for category in wide.categories[axis]]
        if None in member:
            return None
        inside &= np.array(member)[_level(wide, axis)]
    return inside


def block_sums(cells: np.ndarray, block: np.ndarray, n: int) -> np.ndarray:
    """Sum the cells of each block by zone; block -1 is left out. Returns (n_zones, n)."""
    out = np.zeros((n, len(cells)))
    for c in np.flatnonzero(block >= 0):
        out[block[c]] += cells[:, c]
    return out.T


def _side(category: Category, universe: frozenset[str]) -> bool | None:
    """Whether a category lies inside a universe (True), outside (False) or across its boundary (None)."""
    return None if category.atoms & universe and not category.atoms <= universe else category.atoms <= universe


def _level(draft: Draft, axis: int) -> np.ndarray:
    """Category of each cell on one axis."""
    return np.asarray(draft.cells.codes[axis])


def _components(
    wide: tuple[Category, ...], narrow: tuple[Category, ...], within: frozenset[str] | None
) -> tuple[np.ndarray, np.ndarray, int]:
    """Finest blocks that the categories of two tables have in common: block of each category of either, and how many."""
    sets = [c.atoms if within is None else c.atoms & within for c in (*wide, *narrow)]
    block = np.arange(len(sets))
    for i in range(len(wide)):
        for j in range(len(wide), len(sets)):
            if sets[i] & sets[j]:
                block[block == block[j]] = block[i]
    _, block = np.unique(block, return_inverse=True)
    return block[: len(wide)].astype(np.int32), block[len(wide) :].astype(np.int32), int(block.max()) + 1
