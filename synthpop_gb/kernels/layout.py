"""What the whole-people kernels need to know of a problem, worked out once, and the work space they share.

`WholeLayout` turns cells into *slots*: each profile's cell on every constraint, then its cell in the two-way table of every
pair of constraints. Two-way tables are no targets, but their misfit is what rounding costs a population (`halving`). A hash
of the profiles finds "the same profile, except that constraint k has cell b" at once, which is what repairing a margin takes
(`repair`).
"""

from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.streams import mix

__all__ = [
    "NO_LIMIT",
    "ONE_WAY_PULL",
    "WholeLayout",
    "WholeWork",
    "cell_salts",
    "find_profile",
    "hash_table",
    "whole_layout",
    "whole_work",
]

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
NO_LIMIT = np.iinfo(np.int32).max
ONE_WAY_PULL = 3  # a squared one-way misfit against a two-way one: more costs two-way accuracy, less needs more repair


class WholeLayout(NamedTuple):
    """Tables of one problem for the whole-people kernels. All arrays C-contiguous, writeable for numba's sake, never written.

    n_cells : cells that targets are given for.
    outside : slot of whoever is outside a universe; also the number of one-way cells, the added total included.
    cells : (n_constraints, n_profiles) int32. One-way cell, `outside` where the profile is not in the universe. Where no
        constraint counts everybody, one constraint of one cell is added, so that a zone's total is kept.
    slots : (n_profiles, n_constraints + n_pairs) uint16 or uint32. The same cells, then the two-way cells (only those that
        occur) from outside + 1.
    cost : (n_profiles,) int32. Squared misfit that a profile makes alone: ONE_WAY_PULL a one-way cell, 1 a two-way cell.
    start : (n_constraints + 1,) int32. First one-way cell of each constraint.
    partial : (n_constraints,) bool. Whether some profile is outside the constraint's universe.
    keys : (n_profiles,) uint64. Sum of the salts of the profile's one-way cells (Zobrist 1970).
    salts : (outside + 1,) uint64. Of each cell; 0 outside.
    table : (a power of two,) int32. Open-addressing hash from key to profile, -1 where free.
    n_slots : slots in all.
    """

    n_cells: int
    outside: int
    cells: np.ndarray
    slots: np.ndarray
    cost: np.ndarray
    start: np.ndarray
    partial: np.ndarray
    keys: np.ndarray
    salts: np.ndarray
    table: np.ndarray
    n_slots: int


class WholeWork(NamedTuple):
    """Work space of one thread; its content means nothing between zones, and nothing in it reaches the next zone's answer.

    misfit : (n_slots,) int32          halving: signed misfit of a colouring, by slot
    grid, undecided, people : (n_profiles,) int32
    sign : (n_profiles,) int8
    fraction : (n_profiles,) float64
    inverse : (outside, stride) float64   cube: the basis inverse, transposed, rows padded to whole vector registers
    direction, level : (stride,) float64  cube: a direction in the null space; fractions of the basis units
    basis : (outside,) int32           cube: unit in each row of the basis, -1 where none yet
    gap : (outside + 1,) int32         repair: count minus target by one-way cell; 0 outside
    excess : (n_constraints,) int32    repair: sum of a constraint's gaps
    short : (outside + n_constraints,) int32, n_short : (n_constraints,) int32   repair: cells that want people
    most : (n_profiles,) int32         repair: people that a profile may have; set by whoever limits them, a zone at a time
    """

    misfit: np.ndarray
    grid: np.ndarray
    undecided: np.ndarray
    people: np.ndarray
    sign: np.ndarray
    fraction: np.ndarray
    inverse: np.ndarray
    direction: np.ndarray
    level: np.ndarray
    basis: np.ndarray
    gap: np.ndarray
    excess: np.ndarray
    short: np.ndarray
    n_short: np.ndarray
    most: np.ndarray


def whole_layout(cell_of, constraint_start) -> WholeLayout:
    """Work out the layout of a problem: see `WholeLayout`.

    cell_of : (n_constraints, n_profiles) int. Cell of each profile, numbered across constraints; -1 outside a universe.
    constraint_start : (n_constraints + 1,) int. First cell of each constraint.

    Neighbouring profiles should share many cells (lexicographic order does): draws are then well spread over joint tables.
    Time and memory: n_profiles x pairs of constraints; 30 ms and 1.2 MB for 16,000 profiles on eight constraints.
    """
    cells = np.array(cell_of, dtype=np.int32, order="C", ndmin=2)
    start = np.array(constraint_start, dtype=np.int32)
    n_cells = outside = int(start[-1])
    if not (cells >= 0).all(axis=1).any():
        cells = np.vstack([cells, np.full((1, cells.shape[1]), outside, np.int32)])
        outside += 1
        start = np.append(start, np.int32(outside))
    absent = cells < 0
    cells[absent] = outside
    slots, n_slots = [*cells], outside + 1
    for a in range(len(cells)):
        for b in range(a + 1, len(cells)):
            code = cells[a].astype(np.int64) * (outside + 1) + cells[b]
            occurring, slot = np.unique(code, return_inverse=True)
            slot = slot.reshape(-1) + n_slots
            slot[absent[a] | absent[b]] = outside
            slots.append(slot)
            n_slots += len(occurring)
    unsigned = np.uint16 if n_slots <= 1 << 16 else np.uint32  # unsigned: numba need not allow for indexing from the end
    slots = np.ascontiguousarray(np.stack(slots, axis=1), dtype=unsigned)
    inside = slots != outside
    cost = ONE_WAY_PULL * inside[:, : len(cells)].sum(axis=1) + inside[:, len(cells) :].sum(axis=1)
    salts = cell_salts(outside)
    keys = np.zeros(cells.shape[1], np.uint64)
    for row in cells:
        keys += salts[row]
    partial, cost = absent.any(axis=1), cost.astype(np.int32)
    return WholeLayout(n_cells, outside, cells, slots, cost, start, partial, keys, salts, hash_table(keys), n_slots)


def whole_work(layout: WholeLayout) -> WholeWork:
    """Allocate the work space for one thread: about 25 bytes a profile, and 8 x cells^2."""
    n_constraints, n_profiles = layout.cells.shape
    stride = -(-layout.outside // 8) * 8
    return WholeWork(
        misfit=np.zeros(layout.n_slots, np.int32),
        grid=np.zeros(n_profiles, np.int32),
        undecided=np.zeros(n_profiles, np.int32),
        people=np.zeros(n_profiles, np.int32),
        sign=np.zeros(n_profiles, np.int8),
        fraction=np.zeros(n_profiles),
        inverse=np.zeros((layout.outside, stride)),
        direction=np.zeros(stride),
        level=np.zeros(stride),
        basis=np.zeros(layout.outside, np.int32),
        gap=np.zeros(layout.outside + 1, np.int32),
        excess=np.zeros(n_constraints, np.int32),
        short=np.zeros(layout.outside + n_constraints, np.int32),
        n_short=np.zeros(n_constraints, np.int32),
        most=np.full(n_profiles, NO_LIMIT, np.int32),
    )


@njit
def find_profile(key, keys, table):
    """Profile of that key, or -1. Of profiles with equal cells the first is found. Knuth (1973, vol. 3, 6.4, algorithm L)."""
    mask = np.uint64(table.shape[0] - 1)
    place = key & mask
    while True:
        p = np.int64(table[place])
        if p < 0 or keys[p] == key:
            return p
        place = (place + np.uint64(1)) & mask


@njit
def cell_salts(n):
    """Random 64 bits for each of n cells, and 0 for being outside. Returns (n + 1,) uint64."""
    out = np.zeros(n + 1, np.uint64)
    for c in range(n):
        out[c] = mix(np.uint64(c + 1) * _GAMMA)
    return out


@njit
def hash_table(keys):
    """Open-addressing hash from key to profile, for `find_profile`. keys : (n_profiles,) uint64. Returns int32, -1 where free."""
    size = 4
    while size < 2 * keys.shape[0]:
        size *= 2
    table = np.full(size, -1, np.int32)
    mask = np.uint64(size - 1)
    for p in range(keys.shape[0]):
        place = keys[p] & mask
        while table[place] >= 0 and keys[table[place]] != keys[p]:
            place = (place + np.uint64(1)) & mask
        if table[place] < 0:
            table[place] = p
    return table
