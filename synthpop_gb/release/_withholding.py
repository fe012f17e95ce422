"""Small counts withheld, and with them as few people as will do, so that no margin gives them away."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from synthpop_gb.errors import InputError, finding

__all__ = ["withhold"]

_LINE = 1e-6  # cost of a step over what is withheld already: next to nothing, so that short ways are taken among equals


def withhold(
    counts, minimum: int, *, row_totals: bool = True, column_totals: bool = True, hidden=None
) -> tuple[np.ndarray, np.ndarray]:
    """Find the counts of a table that must be withheld, so that those below a minimum cannot be worked out from totals.

    A table with totals is a graph: rows and columns are its points, cells are lines between them, and totals are lines to one
    more row and column. Totals determine a withheld cell exactly where its line lies on no circle of withheld lines (Gusfield
    1988, SIAM J. Computing 17). So for each count below the minimum a circle is closed, by the cells with the fewest people: a
    rectangle where there is one, else the cheapest way around (Dijkstra). Cells of nobody are never withheld: they could not
    have been smaller, and so would leave one side of what they are to protect open.

    A withheld count can then not be told exactly; how far it can be narrowed by knowing that counts are not negative is not
    looked at.

    Parameters
    ----------
    counts : array-like
        (n_rows, n_columns) whole numbers >= 0.
    minimum : int
        Counts above 0 and below this are withheld.
    row_totals, column_totals : bool
        Whether the totals of rows and of columns are known to readers, published here or elsewhere.
    hidden : array-like of bool, optional
        Cells withheld for other reasons, to be protected as well.

    Returns
    -------
    (primary, secondary)
        (n_rows, n_columns) bool each: withheld for being small (or hidden), and to protect those.

    Raises
    ------
    InputError
        `release-refused` where a cell cannot be protected, since no other cell of its row and column has anybody.
    ValueError
        For counts that are negative or not whole.

    >>> primary, secondary = withhold([[3, 20, 30], [40, 50, 60], [70, 80, 15]], 10)
    >>> primary.astype(int).tolist(), secondary.astype(int).tolist()
    ([[1, 0, 0], [0, 0, 0], [0, 0, 0]], [[0, 1, 0], [1, 1, 0], [0, 0, 0]])
    """
    table = np.atleast_2d(np.asarray(counts, np.float64))
    if np.isnan(table).any() or (table < 0).any() or (table % 1 != 0).any():
        raise ValueError("counts are whole numbers from 0 up")
    primary = (table > 0) & (table < minimum)
    if hidden is not None:
        primary = primary | np.asarray(hidden, bool)
    cost = _extended(table, primary, row_totals, column_totals)
    lost = []
    for r, c in np.argwhere(primary).tolist():
        around = _rectangle(cost, r, c)
        if around is None:
            around = _way_around(cost, r, c)
        if around is None:
            lost.append((r, c))
            continue
        rows, columns = around
        cost[rows, columns] = np.minimum(cost[rows, columns], _LINE)
    if lost:
        message = f"{len(lost):,} counts below {minimum} can be worked out from totals, whatever else is withheld."
        remedy = "Merge categories or areas, or leave the totals out."
        raise InputError([finding("release-refused", message, place="table", count=len(lost), remedy=remedy)])
    inner = cost[: table.shape[0], : table.shape[1]]
    return primary, (inner <= _LINE) & ~primary


def _extended(table: np.ndarray, primary: np.ndarray, row_totals: bool, column_totals: bool) -> np.ndarray:
    """(n_rows + 1, n_columns + 1) cost of withholding a line: its people, next to nothing where withheld, infinite for never."""
    n, m = table.shape
    cost = np.full((n + 1, m + 1), np.inf)
    cost[:n, :m] = np.where(primary, _LINE, np.where(table > 0, table, np.inf))
    if not row_totals:  # nobody knows them: as good as withheld
        cost[:n, m] = _LINE
    if not column_totals:
        cost[n, :m] = _LINE
    if not (row_totals and column_totals):
        cost[n, m] = np.inf if row_totals or column_totals else _LINE
    return cost


def _rectangle(cost: np.ndarray, r: int, c: int) -> tuple[list[int], list[int]] | None:
    """Cheapest circle of four lines through (r, c)."""
    whole = cost[r, :][None, :] + cost + cost[:, c][:, None]
    whole[r, :] = np.inf
    whole[:, c] = np.inf
    best = int(whole.argmin())
    if not np.isfinite(whole.flat[best]):
        return None
    i, j = divmod(best, cost.shape[1])
    return [r, i, i], [j, j, c]


def _way_around(cost: np.ndarray, r: int, c: int) -> tuple[list[int], list[int]] | None:
    """Cheapest way from row r to column c that does not take the line between them."""
    n, m = cost.shape
    rows, columns = np.nonzero(np.isfinite(cost))
    used = ~((rows == r) & (columns == c))
    rows, columns = rows[used], columns[used]
    graph = coo_array((cost[rows, columns], (rows, n + columns)), shape=(n + m, n + m)).tocsr()
    _, before = dijkstra(graph, directed=False, indices=r, return_predecessors=True)
    at, way = n + c, []
    while at != r:
        previous = int(before[at])
        if previous < 0:
            return None
        way.append((previous, at) if previous < n else (at, previous))
        at = previous
    return [a for a, _ in way], [b - n for _, b in way]
