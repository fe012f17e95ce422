"""Margins of a fit taken to whole tables that agree with each other: every cell rounded up or down, unbiased.

A fit to soft targets has one set of weights, so its margins agree, but they are not whole. Rounded table by table they would no
longer agree; so what tables share is rounded first: who is in which universes, then table by table, those of most cells first,
each holding to the groups of its cells that an earlier table counts too (two tables of age, or ages 16 and over beside a table
of people of 16 and over). Rounding of one table to given totals is the systematic draw of `settle` (Madow 1949, Ann. Math.
Statist. 20; as controlled rounding: Cox 1987, JASA 82), each cell's expected count rounded up or down.
"""

from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.components import component_of
from synthpop_gb.kernels.settle import meet_margins, settle, uniforms
from synthpop_gb.kernels.streams import mix

__all__ = ["Margins", "Shared", "round_margins", "shared_margins"]

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_WHOLE = 1e-5  # persons: nearer to a whole number than this is whole


class Shared(NamedTuple):
    """One partition of a table's cells by what an earlier table counts too.

    other : int. The earlier table: a constraint, or -1 for the table of universes.
    own : (n_cells,) int32. Block of each of the table's own cells, 0 to n - 1. Where `rest` is True, the last block holds the
        cells that the other table says nothing of, and its total is what the other blocks leave.
    theirs : (n_other_cells,) int32. Block of each of the other table's cells, -1 where it counts people beyond.
    """

    other: int
    own: np.ndarray
    theirs: np.ndarray
    rest: bool


class Margins(NamedTuple):
    """Tables of a problem as `round_margins` needs them: cells as if numbered per table, the table of universes first.

    atom : (n_profiles,) int32. Combination of universes that a profile is in, -1 for none. inside : (n_constraints, n_atoms)
    bool. order : the constraints, those of most cells first. shared : for the constraints in that order, the partitions by
    earlier tables, the finest first.
    """

    atom: np.ndarray
    inside: np.ndarray
    order: tuple[int, ...]
    shared: tuple[tuple[Shared, ...], ...]


def shared_margins(start, cell_of, constraint_start) -> Margins:
    """Find what the tables of a problem share; once a problem. Arguments as in `Problem`; profiles of start 0 take no part."""
    used = np.flatnonzero(np.asarray(start) > 0)
    cells = np.asarray(cell_of)[:, used] - np.asarray(constraint_start)[:-1, None]
    cells = np.where(np.asarray(cell_of)[:, used] < 0, -1, cells)
    patterns, of = np.unique(cells >= 0, axis=1, return_inverse=True)
    of = of.reshape(-1)
    some = patterns.any(axis=0)
    number = np.where(some, np.cumsum(some) - 1, -1)
    atom = np.full(len(start), -1, np.int32)
    atom[used] = number[of]
    sizes = np.diff(constraint_start)
    order = tuple(int(k) for k in np.argsort(-sizes, kind="stable"))
    tables = {-1: (number[of], int(some.sum()))}
    shared = []
    for k in order:
        found = [_partition(j, *tables[j], cells[k], int(sizes[k])) for j in tables]
        shared.append(tuple(sorted((s for s in found if s is not None), key=lambda s: -int(s.own.max()))))
        tables[k] = cells[k], int(sizes[k])
    return Margins(atom, patterns[:, some], order, tuple(shared))


def _partition(other, theirs, n_theirs, own, n_own):
    """Find the finest groups of cells that hold the same people in both tables; None where there are none."""
    pairs = np.unique(np.stack([theirs, own]), axis=1)
    pairs = pairs[:, (pairs >= 0).any(axis=0)]
    left, right = pairs[0] % (n_theirs + 1), n_theirs + 1 + pairs[1] % (n_own + 1)  # -1 is the last of its table: "outside"
    group = component_of(left, right, n_theirs + n_own + 2)
    outside = {int(group[n_theirs]), int(group[-1])}
    groups = [g for g in np.unique(group[n_theirs + 1 : -1]) if g not in outside and (group[:n_theirs] == g).any()]
    if not groups:
        return None
    place = {int(g): b for b, g in enumerate(groups)}
    mine = np.array([place.get(int(g), len(groups)) for g in group[n_theirs + 1 : -1]], np.int32)
    yours = np.array([place.get(int(g), -1) for g in group[:n_theirs]], np.int32)
    return Shared(other, mine, yours, bool((mine == len(groups)).any()))


def round_margins(margins, constraint_start, fitted, atoms, share, keys):
    """Round the margins of fits to whole tables that agree.

    margins : of `shared_margins`. fitted : (n_zones, n_cells) float64, persons, the margins of each zone's weights, >= 0.
    atoms : (n_zones, n_atoms) float64, persons of each combination of universes under the same weights.
    share : (n_cells,) float64. Start weight in each cell; keys : (n_zones,) uint64, states of the streams of purpose ROUND.
    Returns (n_zones, n_cells) float64 whole numbers. Constraints of one universe share one total, the sum of all people rounded
    up or down at random; each cell is its fitted margin rounded up or down, or one further where its total was rounded.
    """
    keys, fitted, atoms = np.asarray(keys, np.uint64), _snapped(fitted), _snapped(atoms)
    one = np.zeros(atoms.shape[1], np.int32)
    total = _snapped(atoms.sum(axis=1, keepdims=True))
    total = np.floor(total + uniforms(_sub(keys, 0))[:, None])
    tables = {-1: np.empty_like(atoms)}
    settle(atoms, one, total, np.ones(atoms.shape[1]), _sub(keys, 1), tables[-1])
    for k, partitions in zip(margins.order, margins.shared, strict=True):
        cells = slice(constraint_start[k], constraint_start[k + 1])
        mine = np.ascontiguousarray(fitted[:, cells])
        people = tables[-1] @ margins.inside[k].astype(np.float64)
        blocks = [np.zeros(mine.shape[1], np.int32), *(s.own for s in partitions)]
        totals = [people[:, None], *(_totals(s, tables[s.other], people) for s in partitions)]
        finest = 1 if partitions else 0
        out = np.empty_like(mine)
        spread = np.maximum(share[cells], 1e-12)
        settle(mine, blocks[finest], np.maximum(totals[finest], 0.0), spread, _sub(keys, 2 * k + 2), out)
        if len(partitions) > 1:
            first = np.cumsum([0, *(t.shape[1] for t in totals[1:])])
            every = np.stack([b + f for b, f in zip(blocks[1:], first[:-1], strict=True)]).astype(np.int32)
            meet_margins(out, mine, every, np.ascontiguousarray(np.concatenate(totals[1:], axis=1)), _sub(keys, 2 * k + 3))
        tables[k] = out
    return np.concatenate([tables[k] for k in range(len(margins.order))], axis=1)


def _totals(shared, table, people):
    """Totals of a partition's blocks from the table that they are shared with: (n_zones, n_blocks)."""
    n = int(shared.own.max()) + 1
    out = np.zeros((len(table), n))
    for cell, block in enumerate(shared.theirs):
        if block >= 0:
            out[:, block] += table[:, cell]
    if shared.rest:
        out[:, -1] = people - out[:, :-1].sum(axis=1)
    return out


@njit
def _sub(keys, number):
    """Keys of the streams within a stream, one a table."""
    out = np.empty(keys.shape[0], np.uint64)
    for z in range(keys.shape[0]):
        out[z] = mix(keys[z] + np.uint64(number + 1) * _GAMMA)
    return out


def _snapped(values):
    """Values with those next to a whole number made whole, none below nought."""
    values = np.maximum(np.asarray(values, np.float64), 0.0)
    whole = np.rint(values)
    return np.where(np.abs(values - whole) < _WHOLE, whole, values)
