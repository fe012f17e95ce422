"""Halving: whole counts by colouring, unbiased, one-way and two-way margins nearly kept; the default.

Fractions are put on a grid of 1/32 by systematic sampling, then the grid is halved until it is whole. At each step the units that
are odd multiples of the step go one step up or down. Which of them go together is a *colouring* (signs) chosen so that ups and
downs cancel in every cell of every constraint and of every two-way table; then one fair coin says which of the two colours
goes up. Because of the coin each step is a martingale whatever the colouring, so E[counts] = weights exactly, however hard
the colouring was optimised. Rounding bit by bit: Lovasz, Spencer & Vesztergombi (1986, European J. Combinatorics 7, theorem
2, lindisc <= 2 herdisc); equal steps both ways under one coin: Cox (1987, JASA 82, 520-524).

A unit of weight w < 1/2 is coloured at step s with probability about w / s, so the work is set by the people (32 + 16 + ...
+ 1 of them each), not by the number of profiles, and profiles of negligible weight cost nothing but a look.
"""

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.layout import ONE_WAY_PULL
from synthpop_gb.kernels.streams import next_below, next_uniform

__all__ = ["GRID_BITS", "SWEEPS", "halve_zone", "to_grid"]

GRID_BITS = 5  # a grid of 1/32: what the finer bits would add to the two-way error is below 1 part in 100 of it
SWEEPS = (0, 0, 0, 2, 4)  # improving sweeps at steps 1/32 ... 1/2: an error made at a coarse step weighs most


@njit
def halve_zone(weights, layout, work, state, counts):
    """Draw whole counts for one zone with E[counts] = weights and |counts - weights| < 1.

    weights : (n_profiles,) float64, persons, finite and >= 0. Only read.
    layout, work : of `whole_layout` and `whole_work`.
    state : (1,) uint64, the zone's stream; advanced.
    counts : (n_profiles,) int32. Overwritten.
    """
    grid, undecided, odd = work.grid, work.undecided, work.people
    n = to_grid(weights, state, counts, grid, undecided)
    for bit in range(GRID_BITS):
        step = np.int32(1 << bit)
        n_odd = _find_odd(undecided, n, grid, step, odd)
        if n_odd == 0:
            continue
        _colour(odd, n_odd, layout, SWEEPS[bit], state, work.sign, work.misfit)
        if next_uniform(state) < 0.5:
            step = np.int32(-step)
        for i in range(n_odd):
            grid[odd[i]] += step * work.sign[i]
    for i in range(n):
        p = undecided[i]
        counts[p] += grid[p] >> GRID_BITS


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def to_grid(weights, state, counts, grid, undecided):
    """Whole parts into counts; fractions onto the grid by systematic sampling in the profiles' order.

    Returns how many are left undecided.
    """
    scale = 1 << GRID_BITS
    shift = next_uniform(state)
    total, before, n = 0.0, 0.0, 0
    for p in range(weights.shape[0]):
        whole = np.floor(weights[p])
        counts[p] = np.int32(whole)
        total += (weights[p] - whole) * scale
        now = np.floor(total + shift)
        g = np.int32(now - before)
        before = now
        if g == scale:
            counts[p] += 1
        elif g > 0:
            grid[p] = g
            undecided[n] = p
            n += 1
    return n


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _find_odd(undecided, n, grid, step, odd):
    """List the units that stand at an odd multiple of the step. Returns how many."""
    n_odd = 0
    for i in range(n):
        if grid[undecided[i]] & step:
            odd[n_odd] = undecided[i]
            n_odd += 1
    return n_odd


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _colour(units, n, layout, sweeps, state, sign, misfit):
    """Give each unit a sign so that signs nearly cancel in every slot: greedily in order, then by sweeps of improving changes.

    The order is the profiles' own, from a random start: neighbours share most slots, so that they tend to take opposite signs.
    """
    slots, cost, outside, n_constraints = layout.slots, layout.cost, layout.outside, layout.cells.shape[0]
    misfit[:] = 0
    first = next_below(state, n)
    for sweep in range(sweeps + 1):
        changed = sweep == 0
        for k in range(n):
            i = first + k
            if i >= n:
                i -= n
            row = slots[units[i]]
            pull = 0
            for j in range(row.shape[0]):
                pull += misfit[row[j]]
            if sweep == 0:
                step = np.int32(-1 if pull > 0 or (pull == 0 and next_uniform(state) < 0.5) else 1)
                sign[i] = step
            elif sign[i] * pull > cost[units[i]]:
                step = np.int32(-2 * sign[i])
                sign[i] = -sign[i]
                changed = True
            else:
                continue
            for j in range(n_constraints):
                misfit[row[j]] += ONE_WAY_PULL * step
            for j in range(n_constraints, row.shape[0]):
                misfit[row[j]] += step
            misfit[outside] = 0
        if not changed:
            return
