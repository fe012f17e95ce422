"""The cube method by pivoting: whole counts by a random walk that keeps every margin, until about a profile a cell is left open.

Fractions y move inside the unit cube along directions u with A u = 0, up or down with the probabilities that make the walk a
martingale, until one of them reaches 0 or 1 (flight phase: Deville & Tille 2004, Biometrika 91, algorithm 1). As in the fast
flight of Chauvet & Tille (2006, Comput. Stat. 21) units enter one by one, but the direction comes from a basis inverse kept
by pivoting, as in the simplex method, instead of a fresh elimination: O(cells^2) a unit. What is left open at the end is
drawn systematically. Margins are kept up to that landing; `repair` does the rest.
"""

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.integerise import split, systematic
from synthpop_gb.kernels.streams import next_below, next_uniform

__all__ = ["EDGE", "REFACTOR_EVERY", "clear_basis", "close_basis", "cube_zone", "move_along", "settle_arrived"]

REFACTOR_EVERY = 500  # pivots between fresh inverses: rounding errors stay below 1e-10 persons
_ZERO = 1e-7  # entries of a direction below this are rounding errors: true ones are ratios of small determinants
EDGE = 1e-9  # a fraction this near 0 or 1 has arrived


@njit
def cube_zone(weights, layout, work, state, counts):
    """Draw whole counts for one zone with E[counts] = weights, |counts - weights| < 1, and margins kept but for the landing.

    weights : (n_profiles,) float64, persons, finite and >= 0. Only read.
    layout, work : of `whole_layout` and `whole_work`; state : (1,) uint64, the zone's stream, advanced.
    counts : (n_profiles,) int32. Overwritten.
    Returns how many profiles the flight left open: at most the rank of the constraints.
    """
    y, order = work.fraction, work.undecided
    n = split(weights, EDGE, counts, y, order)
    _flight(order, n, layout, work, state)
    n_open = settle_arrived(y, order, n, counts)
    systematic(y, order, n_open, state, counts)
    return n_open


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def settle_arrived(y, order, n, counts):
    """Count the units that arrived at 1; list those still open. Returns how many are."""
    n_open = 0
    for i in range(n):
        p = order[i]
        if y[p] > 1.0 - EDGE:
            counts[p] += 1
        elif y[p] > EDGE:
            order[n_open] = p
            n_open += 1
    return n_open


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _flight(order, n, layout, work, state):
    """Let the units order[:n] enter one by one. At the end fraction is 0 or 1 for all but the units left in the basis.

    They enter in the profiles' own order from a random start. Neighbours share most cells, so that fractions are mostly
    exchanged between similar profiles and two-way tables suffer less: half the squared error that a shuffled order adds
    (Grafstrom & Tille 2013 on spread).
    """
    kept = work.people
    free, pivots = clear_basis(work), 0
    first = next_below(state, n) if n > 0 else 0
    for i in range(n):
        entered, free = _step(order[first + i - n if first + i >= n else first + i], free, layout, work, state)
        pivots += entered
        if pivots == REFACTOR_EVERY:
            m = close_basis(work, kept)
            free, pivots = clear_basis(work), 0
            for k in range(m):
                _, free = _step(kept[k], free, layout, work, state)
    close_basis(work, kept)


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def clear_basis(work):
    """Start from an empty basis. Returns how many of its rows are free."""
    work.inverse[:] = 0.0
    work.level[:] = 0.0
    work.basis[:] = -1
    for r in range(work.basis.shape[0]):
        work.inverse[r, r] = 1.0
    return work.basis.shape[0]


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def close_basis(work, kept):
    """Write the basis units' fractions back; list the units. Returns how many."""
    n = 0
    for r in range(work.basis.shape[0]):
        j = work.basis[r]
        if j >= 0:
            work.fraction[j] = min(max(work.level[r], 0.0), 1.0)
            kept[n] = j
            n += 1
    return n


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _step(j, free, layout, work, state):
    """Let unit j enter: find the one direction that it opens, and go along it. Returns as `move_along`."""
    cells, u = layout.cells, work.direction
    u[:] = 0.0
    for k in range(cells.shape[0]):
        c = cells[k, j]
        if c != layout.outside:
            row = work.inverse[c]
            for r in range(u.shape[0]):
                u[r] += row[r]
    return move_along(j, free, work, state)


@njit(inline="always")
def move_along(j, free, work, state):
    """Let unit j enter a free row of the basis, or move along work.direction until a fraction arrives at 0 or 1.

    work.direction : the unit's column in terms of the basis. Returns (1 if it entered the basis, rows still free).
    """
    y, u, level, basis = work.fraction, work.direction, work.level, work.basis
    pivot = -1
    if free > 0:
        biggest = _ZERO
        for r in range(basis.shape[0]):
            if basis[r] < 0 and abs(u[r]) > biggest:
                biggest, pivot = abs(u[r]), r
    now = y[j]
    if pivot >= 0:
        free -= 1
    else:
        up, down, up_row, down_row = _room(now, u, level, basis)
        if next_uniform(state) * (up + down) < down:
            move, pivot = up, up_row
        else:
            move, pivot = -down, down_row
        for r in range(u.shape[0]):
            level[r] -= move * u[r]
        if pivot < 0:
            y[j] = 1.0 if move > 0 else 0.0
            return 0, free
        now += move
        y[basis[pivot]] = 1.0 if level[pivot] > 0.5 else 0.0
    _pivot_basis(work.inverse, u, pivot)
    basis[pivot] = j
    level[pivot] = now
    return 1, free


@njit(inline="always")
def _room(now, u, level, basis):
    """Measure how far the entering unit can rise and fall while every basis unit r, moving by -u_r, stays in [0, 1].

    Returns (rise, fall, row that stops the rise, row that stops the fall), rows -1 where the entering unit itself arrives first.
    """
    up, down, up_row, down_row = 1.0 - now, now, -1, -1
    for r in range(basis.shape[0]):
        if basis[r] < 0 or abs(u[r]) < _ZERO:
            continue
        a, b = level[r] / u[r], (level[r] - 1.0) / u[r]  # the unit arrives at 0 after a rise by a, at 1 after a rise by b
        if u[r] > 0:
            rise, fall = a, -b
        else:
            rise, fall = b, -a
        if rise < up:
            up, up_row = max(rise, 0.0), r
        if fall < down:
            down, down_row = max(fall, 0.0), r
    return up, down, up_row, down_row


@njit(inline="always")
def _pivot_basis(inverse, u, pivot):
    """Replace column `pivot` of the basis: inverse (transposed) -> E inverse, with E the eta matrix of u.

    Dantzig & Orchard-Hays (1954).
    """
    scale = 1.0 / u[pivot]
    for c in range(inverse.shape[0]):
        row = inverse[c]
        d = row[pivot] * scale
        if d != 0.0:
            for r in range(u.shape[0]):
                row[r] -= d * u[r]
            row[pivot] = d
