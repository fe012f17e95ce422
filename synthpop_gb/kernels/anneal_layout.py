"""What annealing needs to know of a problem, worked out once, and the work space of one thread.

Profiles are rows here, so that a proposal reads two short runs of memory. Beside the cells that targets are given for stand the
*bins* of statistics that no constraint counts; both are part of a profile's hash, which finds "the same profile, except that
constraint k has cell b" at once.
"""

from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels.layout import cell_salts, hash_table

__all__ = ["AnnealLayout", "AnnealWork", "anneal_layout", "anneal_work"]


class AnnealLayout(NamedTuple):
    """Tables of one problem for annealing. All arrays C-contiguous, writeable for numba's sake, never written.

    n_cells : cells that targets are given for; also the number of the cell "outside the universe".
    cells : (n_profiles, n_constraints) uint16 or uint32. Cell of each profile.
    start : (n_constraints + 1,) int32. First cell of each constraint.
    partial : (n_constraints,) bool. Whether some profile is outside the constraint's universe.
    bins : (n_profiles, n_guides) int32. Bin of each profile, numbered across guides, in order of the statistic.
    bin_start : (n_guides + 1,) int32. First bin of each guide.
    keys : (n_profiles,) uint64. Sum of the salts of the profile's cells and bins (Zobrist 1970).
    salts : (n_cells + 1,) uint64, bin_salts : (n_bins + 1,) uint64. Of each cell and bin; 0 outside.
    table : (a power of two,) int32. Open-addressing hash from key to profile, -1 where free.
    """

    n_cells: int
    cells: np.ndarray
    start: np.ndarray
    partial: np.ndarray
    bins: np.ndarray
    bin_start: np.ndarray
    keys: np.ndarray
    salts: np.ndarray
    bin_salts: np.ndarray
    table: np.ndarray


class AnnealWork(NamedTuple):
    """Work space of one thread; its content means nothing between zones.

    gap : (n_cells + 1,) int32. Count minus target; 0 outside.
    up, down : (n_cells + 1,) float64. Change of the weighted TAE when one person joins or leaves a cell; 0 outside.
    short : (n_cells,) int32. Cells with too few people, constraint by constraint from its first cell on.
    n_short : (n_constraints,) int32. How many; -1 where the list is out of date.
    over : (n_bins,) int32. People up to and including a bin, minus how many there should be.
    eligible : (n_profiles,) bool; weight, chance : (n_profiles,) float64; alias, small, large : (n_profiles,) int32. Donors.
    """

    gap: np.ndarray
    up: np.ndarray
    down: np.ndarray
    short: np.ndarray
    n_short: np.ndarray
    over: np.ndarray
    eligible: np.ndarray
    weight: np.ndarray
    chance: np.ndarray
    alias: np.ndarray
    small: np.ndarray
    large: np.ndarray


def anneal_layout(cell_of, constraint_start, guide_of=None, guide_start=None) -> AnnealLayout:
    """Work out the layout of a problem: see `AnnealLayout`.

    cell_of : (n_constraints, n_profiles) int. Cell of each profile, numbered across constraints; -1 outside a universe.
    constraint_start : (n_constraints + 1,) int. First cell of each constraint.
    guide_of : (n_guides, n_profiles) int, guide_start : (n_guides + 1,) int. The same of the bins; every profile is in one.
    """
    cells = np.array(cell_of, dtype=np.int64, order="C", ndmin=2)
    start = np.array(constraint_start, dtype=np.int32)
    n_cells, n_profiles = int(start[-1]), cells.shape[1]
    absent = cells < 0
    cells[absent] = n_cells
    bins = np.zeros((0, n_profiles), np.int32) if guide_of is None else np.array(guide_of, dtype=np.int32, ndmin=2)
    bin_start = np.zeros(1, np.int32) if guide_start is None else np.array(guide_start, dtype=np.int32)
    salts = cell_salts(n_cells + int(bin_start[-1]))
    bin_salts = salts[n_cells:].copy()
    salts = np.append(salts[:n_cells], np.uint64(0))
    keys = np.zeros(n_profiles, np.uint64)
    for row in cells:
        keys += salts[row]
    for row in bins:
        keys += bin_salts[row]
    unsigned = np.uint16 if n_cells < 1 << 16 else np.uint32  # unsigned: numba need not allow for indexing from the end
    rows = np.ascontiguousarray(cells.T, dtype=unsigned)
    return AnnealLayout(
        n_cells,
        rows,
        start,
        absent.any(axis=1),
        np.ascontiguousarray(bins.T),
        bin_start,
        keys,
        salts,
        bin_salts,
        hash_table(keys),
    )


def anneal_work(layout: AnnealLayout) -> AnnealWork:
    """Allocate the work space for one thread: about 30 bytes a profile."""
    n_profiles, n_constraints = layout.cells.shape
    return AnnealWork(
        gap=np.zeros(layout.n_cells + 1, np.int32),
        up=np.zeros(layout.n_cells + 1),
        down=np.zeros(layout.n_cells + 1),
        short=np.zeros(layout.n_cells, np.int32),
        n_short=np.zeros(n_constraints, np.int32),
        over=np.zeros(int(layout.bin_start[-1]), np.int32),
        eligible=np.zeros(n_profiles, np.bool_),
        weight=np.zeros(n_profiles),
        chance=np.zeros(n_profiles),
        alias=np.zeros(n_profiles, np.int32),
        small=np.zeros(n_profiles, np.int32),
        large=np.zeros(n_profiles, np.int32),
    )
