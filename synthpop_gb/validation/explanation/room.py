"""How much room one table leaves for a cell of another, donors being what they are: bounds that no weights can pass.

Where every unit is in one cell of a table at most (households in a table of households, people in any table), the units of its
cell h are as many as its target, and each has between min and max members in some other cell c, over the donors that the zone's
tables leave. So the target of c lies between the sums of target[h] * min[h, c] and target[h] * max[h, c], whatever the weights.
The bound is a Farkas certificate with one table on one side; what needs more tables is found by a linear programme.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthpop_gb.validation.explanation.counted import Counted, incidence_of

__all__ = ["Pinch", "pinches", "room_of"]

_SURE = 0.5  # people by which a bound must be passed


@dataclass(frozen=True, eq=False)
class Pinch:
    """A target that another table makes impossible.

    table : the constraint that bounds; column : what is bounded; over : units wanted beyond the bound (> 0: too many; < 0: too
    few); bound, wanted : the bound and the target; least, most : members of it in one unit of each of the table's cells.
    """

    table: int
    column: int
    over: float
    bound: float
    wanted: float
    least: np.ndarray
    most: np.ndarray


def room_of(columns, cell_of: np.ndarray, first: int, target: np.ndarray, live: np.ndarray, outside: float) -> tuple:
    """Return low, high, least and most for one table whose cells hold every unit once at most.

    columns : scipy.sparse.csr_array (n_profiles, n_columns) members; cell_of : (n_profiles,) cell, numbered from `first`, -1 =
    outside; target : (n_own_cells,); live : (n_profiles,) bool, profiles that may be used; outside : how many units may lie
    outside the table, infinite where nobody knows.
    """
    n, width = len(target), columns.shape[1]
    cell = np.where(live & (cell_of >= 0), cell_of - first, -1)
    profile = np.repeat(np.arange(columns.shape[0]), np.diff(columns.indptr))
    inside = cell[profile] >= 0
    at = cell[profile[inside]], columns.indices[inside]
    value = columns.data[inside]
    most, least, entries = np.zeros((n, width)), np.full((n, width), np.inf), np.zeros((n, width))
    np.maximum.at(most, at, value)
    np.minimum.at(least, at, value)
    np.add.at(entries, at, 1)
    units = np.bincount(cell[cell >= 0], minlength=n)
    least = np.where(entries == units[:, None], np.where(np.isfinite(least), least, 0.0), 0.0)  # some unit has none of it
    most[units == 0] = most.max(axis=0, initial=0.0)  # a cell without donors is a cause of its own, and bounds nothing else
    loose = live & (cell_of < 0)
    high = target @ most
    if loose.any():
        beyond = np.zeros(width)
        of_loose = loose[profile]
        np.maximum.at(beyond, columns.indices[of_loose], columns.data[of_loose])
        high = high + np.where(beyond > 0, outside, 0.0) * np.maximum(beyond, 1.0)
    return target @ least, high, least, most


def pinches(counted: Counted, zone: int) -> tuple[list[Pinch], list[tuple[int, int | None]]]:
    """List what one table makes impossible for a cell, or for the total, of another in one zone.

    Returns the pinches, the largest first and one a column, and what the columns are: (table, cell), or (table, None) for the sum
    over a table.
    """
    from scipy.sparse import csr_array, hstack

    problem, target, live = counted.problem, counted.target[zone], counted.open[zone]
    members, of_cell = incidence_of(problem), counted.tables
    sums = csr_array((np.ones(problem.n_cells), (np.arange(problem.n_cells), of_cell)))
    columns = csr_array(hstack([members, members @ sums]))
    columns.sort_indices()
    wanted = np.concatenate([target, np.bincount(of_cell, target)])
    what = [(int(t), c) for c, t in enumerate(of_cell)] + [(t, None) for t in range(problem.n_constraints)]
    owner = np.array([t for t, _ in what])
    parts = [k for k in range(problem.n_constraints) if (problem.cell_of[k] >= 0).any()]
    found: dict[int, Pinch] = {}
    for k in parts:
        first, last = problem.constraint_start[k : k + 2]
        low, high, least, most = room_of(
            columns, problem.cell_of[k], first, target[first:last], live, _outside(problem, parts, target, k)
        )
        for column in np.flatnonzero((owner != k) & ((wanted > high + _SURE) | (wanted < low - _SURE))):
            over = wanted[column] - (high if wanted[column] > high[column] else low)[column]
            before = found.get(column)
            if before is None or abs(over) > abs(before.over):
                bound = wanted[column] - over
                found[column] = Pinch(k, int(column), float(over), float(bound), float(wanted[column]),
                                      least[:, column], most[:, column])  # fmt: skip
    return sorted(found.values(), key=lambda p: -abs(p.over)), what


def _outside(problem, parts: list[int], target: np.ndarray, k: int) -> float:
    """How many units may lie outside a table: those of a table that holds every unit, less its own; infinite without one."""
    if problem.households is not None:
        return np.inf
    first, last = problem.constraint_start[k : k + 2]
    own = float(target[first:last].sum())
    whole = [j for j in parts if (problem.cell_of[j] >= 0).all()]
    totals = [float(target[problem.constraint_start[j] : problem.constraint_start[j + 1]].sum()) for j in whole]
    return max(max(totals) - own, 0.0) if totals else np.inf
