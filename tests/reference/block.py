"""A block made whole zone by zone, as dense rows."""

import numpy as np

from synthpop_gb.kernels.layout import whole_layout, whole_work
from synthpop_gb.kernels.whole import whole_zone
from tests.reference.ipf import weights_from_duals


def whole_block(method, start, cell_of, constraint_start, duals, empty, targets, states, max_moves):
    """(n_zones, n_profiles) whole people and (n_zones,) remainders; everything made afresh for every zone."""
    people, remainder = np.zeros((len(targets), len(start)), np.int32), np.zeros(len(targets))
    for z in np.flatnonzero(~np.asarray(empty)):
        layout = whole_layout(cell_of, constraint_start)
        weights = weights_from_duals(start, cell_of, duals[z])
        left = whole_zone(method, weights, targets[z], layout, whole_work(layout), states[z : z + 1].copy(), people[z], max_moves)
        remainder[z] = left[0]
    return people, remainder
