"""Whole people of one zone: draw whole counts by one of four methods, then repair what the draw missed."""

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.cube import cube_zone
from synthpop_gb.kernels.halving import halve_zone
from synthpop_gb.kernels.integerise import largest_remainder_zone, trs_zone
from synthpop_gb.kernels.repair import repair_zone

__all__ = ["CUBE", "HALVING", "LARGEST_REMAINDER", "TRS", "whole_zone"]

HALVING, CUBE, TRS, LARGEST_REMAINDER = 0, 1, 2, 3


@njit
def whole_zone(method, weights, targets, layout, work, state, counts, max_moves):
    """Draw whole counts from one zone's fitted weights and bring them onto its targets.

    method : HALVING (default everywhere: unbiased, two-way margins nearly kept), CUBE (unbiased, one-way margins nearly
        kept), TRS (unbiased), LARGEST_REMAINDER (biased, no randomness).
    weights : (n_profiles,) float64, persons, finite, >= 0, below 2^31. Only read; read-only arrays do (they compile apart,
        as numba types them so).
    targets : (n_cells,) float64, persons. Taken to the nearest whole numbers: harmonised targets are whole.
    layout, work : of `whole_layout` (once a problem) and `whole_work` (once a thread).
    state : (1,) uint64. The zone's stream of purpose WHOLE; advanced. Same stream, same counts, whatever was computed before.
    counts : (n_profiles,) int32. Overwritten.
    max_moves : moves that repair may make (`repair.MAX_MOVES`); 0 leaves the draw as it is.
    Returns (remainder, n_moves): sum over cells of |count - target| in persons, 0 where exact; moves made by repair.
    """
    if method == HALVING:
        halve_zone(weights, layout, work, state, counts)
    elif method == CUBE:
        cube_zone(weights, layout, work, state, counts)
    elif method == TRS:
        trs_zone(weights, work, state, counts)
    else:
        largest_remainder_zone(weights, work, counts)
    return repair_zone(weights, targets, layout, work, state, counts, max_moves)
