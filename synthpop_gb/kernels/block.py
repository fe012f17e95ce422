"""A block of zones made whole: each zone's weights computed, drawn from and forgotten, so that no weight matrix ever exists."""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.layout import NO_LIMIT
from synthpop_gb.kernels.links import Link, write_linked
from synthpop_gb.kernels.sparse_rows import add_row, empty_rows
from synthpop_gb.kernels.whole import whole_zone
from synthpop_gb.status import FitStatus

__all__ = ["whole_block"]

_EMPTY = int(FitStatus.EMPTY)


def whole_block(
    method, start, cell_of, duals, status, targets, layout, work, states, max_moves, remainder, link=None, scale=None,
    most=None,
):  # fmt: skip
    """Draw the whole people of a block of zones from their duals.

    method : as in `whole_zone`.
    start : (n_profiles,) float64, persons; cell_of : (n_constraints, n_profiles) int32, -1 = outside.
    duals : (n_zones, n_cells) float64; a weight is what the link makes of the sum of the duals of the profile's cells.
    status : (n_zones,) int8. Zones with FitStatus.EMPTY get nobody.
    targets : (n_zones, n_cells) float64, persons.
    layout, work : of `whole_layout` (once a problem) and `whole_work` (once a thread).
    states : (n_zones,) uint64. Each zone's stream of purpose WHOLE; advanced.
    max_moves : moves a zone that repair may make; 0 leaves the draw as it is.
    remainder : (n_zones,) float64. Written: sum over cells of |count - target|, persons.
    link : Link, or None for start * exp(sum of duals). scale : (n_zones,) float64 from `links.zone_scales`; None for 1.
        Weights below nought, which the linear link may leave, are cut off; the others then share the zone's total.
    most : (donors, caps), or None: no profile gets more than donors (n_profiles,) int64 times caps (n_zones,) int64. Weights are
        cut off there.
    Returns indptr (n_zones + 1,) int64, profile (nnz,) int32 ascending within a zone, count (nnz,) int32 > 0, as CSR.
    """
    link = Link() if link is None else link
    scale = np.ones(len(status)) if scale is None else scale
    donors, caps = (np.empty(0, np.int64), np.empty(0, np.int64)) if most is None else most
    return _whole_block(
        link, scale, donors, caps, method, start, cell_of, duals, status, targets, layout, work, states, max_moves, remainder
    )


@njit
def _whole_block(
    link, scale, donors, caps, method, start, cell_of, duals, status, targets, layout, work, states, max_moves, remainder
):
    n_zones, n_profiles = status.shape[0], start.shape[0]
    weights, counts = np.empty((1, n_profiles)), np.zeros(n_profiles, np.int32)
    indptr = np.zeros(n_zones + 1, np.int64)
    profile, count = empty_rows(n_zones, n_profiles)
    n = 0
    for z in range(n_zones):
        remainder[z] = 0.0
        if status[z] != _EMPTY:
            write_linked(link, scale[z : z + 1], start, cell_of, duals[z : z + 1], weights)
            _cut_off(weights[0])
            if donors.shape[0] == n_profiles:
                for p in range(n_profiles):
                    work.most[p] = min(donors[p] * caps[z], NO_LIMIT)
                    weights[0, p] = min(weights[0, p], work.most[p])
            left, _ = whole_zone(method, weights[0], targets[z], layout, work, states[z : z + 1], counts, max_moves)
            remainder[z] = left
            profile, count, n = add_row(counts, profile, count, n)
        indptr[z + 1] = n
    work.most[:] = NO_LIMIT
    return indptr, profile[:n].copy(), count[:n].copy()


@njit
def _cut_off(weights):
    """Replace weights below nought by nought and scale the others to the former total."""
    above, total = 0.0, 0.0
    for p in range(weights.shape[0]):
        above += max(weights[p], 0.0)
        total += weights[p]
    if above > total:
        for p in range(weights.shape[0]):
            weights[p] = max(weights[p], 0.0) * max(total, 0.0) / above
