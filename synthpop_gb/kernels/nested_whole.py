"""Halving of zones that hang together: whole counts, unbiased, zones' margins and those of the areas above them nearly kept.

`halving` of all zones of a component at once: fractions on a grid of 1/32, halved until it is whole, with one fair coin a step
for the whole component, so E[counts] = weights. Ups and downs are made to cancel in every cell and two-way table of each zone,
and in every cell of each area over all its zones.
"""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.halving import GRID_BITS, SWEEPS, to_grid
from synthpop_gb.kernels.layout import ONE_WAY_PULL
from synthpop_gb.kernels.streams import next_below, next_uniform

__all__ = ["halve_nested"]


@njit
def halve_nested(weights, index, n_own, layout, state, counts):
    """Draw whole counts for the zones of a component with E[counts] = weights and |counts - weights| < 1.

    weights : (n_zones, n_profiles) float64, persons, finite, >= 0.
    index : (n_zones, n_duals) int64. Variable of each of a zone's cells (`nest_layout`), those of its areas after its `n_own`.
    layout : of `whole_layout`, of the zones' constraints and then the levels'.
    state : (1,) uint64, the component's stream; advanced.
    counts : (n_zones, n_profiles) int32. Overwritten.
    """
    n_zones, n_profiles = weights.shape
    grid = np.zeros((n_zones, n_profiles), np.int8)
    undecided, mine, n = np.empty(n_zones * n_profiles, np.int64), np.empty(n_profiles, np.int32), 0
    for z in range(n_zones):
        for i in range(to_grid(weights[z], state, counts[z], grid[z], mine)):
            undecided[n] = z * n_profiles + mine[i]
            n += 1
    odd, sign = np.empty(n, np.int64), np.empty(n, np.int8)
    misfit, above = np.zeros((n_zones, layout.n_slots), np.int32), np.zeros(index.max() + 1, np.int32)
    for bit in range(GRID_BITS):
        step, n_odd = np.int32(1 << bit), 0
        for i in range(n):
            if grid[undecided[i] // n_profiles, undecided[i] % n_profiles] & step:
                odd[n_odd] = undecided[i]
                n_odd += 1
        if n_odd == 0:
            continue
        _colour(odd, n_odd, index, n_own, layout, SWEEPS[bit], state, sign, misfit, above)
        if next_uniform(state) < 0.5:
            step = np.int32(-step)
        for i in range(n_odd):
            grid[odd[i] // n_profiles, odd[i] % n_profiles] += step * sign[i]
    for i in range(n):
        z, p = undecided[i] // n_profiles, undecided[i] % n_profiles
        counts[z, p] += grid[z, p] >> GRID_BITS


@njit
def _colour(units, n, index, n_own, layout, sweeps, state, sign, misfit, above):
    """Give each unit a sign so that signs nearly cancel in every slot of its zone and every cell of its areas."""
    cells, slots, cost, outside = layout.cells, layout.slots, layout.cost, layout.outside
    n_profiles, n_cells, n_constraints = cells.shape[1], index.shape[1], cells.shape[0]
    low = 0  # constraints of the levels: their cells are numbered from n_own to n_cells
    while low < n_constraints and layout.start[low] < n_own:
        low += 1
    high = low
    while high < n_constraints and layout.start[high] < n_cells:
        high += 1
    misfit[:], above[:] = 0, 0
    first = next_below(state, n)
    for sweep in range(sweeps + 1):
        changed = sweep == 0
        for k in range(n):
            i = first + k
            if i >= n:
                i -= n
            z, p = units[i] // n_profiles, units[i] % n_profiles
            row, mine, where = slots[p], misfit[z], index[z]
            pull, alone = 0, cost[p]
            for j in range(row.shape[0]):
                pull += mine[row[j]]
            for j in range(low, high):
                if cells[j, p] != outside and where[cells[j, p]] >= 0:
                    pull += above[where[cells[j, p]]]
                    alone += ONE_WAY_PULL
            if sweep == 0:
                step = np.int32(-1 if pull > 0 or (pull == 0 and next_uniform(state) < 0.5) else 1)
                sign[i] = step
            elif sign[i] * pull > alone:
                step = np.int32(-2 * sign[i])
                sign[i] = -sign[i]
                changed = True
            else:
                continue
            for j in range(n_constraints):
                mine[row[j]] += ONE_WAY_PULL * step
            for j in range(n_constraints, row.shape[0]):
                mine[row[j]] += step
            mine[outside] = 0
            for j in range(low, high):
                if cells[j, p] != outside and where[cells[j, p]] >= 0:
                    above[where[cells[j, p]]] += ONE_WAY_PULL * step
        if not changed:
            return
