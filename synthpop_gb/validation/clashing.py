"""What targets no weights can meet: least changes, smallest sets that clash, smallest sets to relax; by linear programmes.

Weights w >= 0 meet the targets t where A' w = t. Where none do, there are multipliers y of the cells with A y <= 0, so that no
household counts more on one side of them than on the other, and t' y > 0, so that the targets do (Farkas 1902): a proof that can
be said in words. Cells that clash, though any fewer would not, make an irreducible set (Chinneck & Dravnieks 1991, ORSA J.
Comput. 3: deletion filter). A set of cells mends a zone where it has a cell of every irreducible set; the smallest is found by
looking for hitting sets of those known until one mends everything (Reiter 1987, Artif. Intell. 32; so it is proven smallest).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Clash", "Reach"]

ENOUGH = 1e-4  # what cells count: a total miss below is none
_MULTIPLIER = 1e-6  # smaller ones are rounding
_MOST_SETS = 200  # irreducible sets looked at, before the smallest set to relax is no longer proven


@dataclass(frozen=True, eq=False)
class Clash:
    """An irreducible set of cells that clash.

    cells : (n,) positions of its cells. multiplier : (n,) what proves it: no household's sum of multiplier * members is above 0,
    that of the targets is `excess`.
    """

    cells: np.ndarray
    multiplier: np.ndarray
    excess: float


class Reach:
    """What weights of some profiles can reach.

    Parameters
    ----------
    matrix : (n_profiles, n_cells) scipy sparse
        Members in each cell.
    target : (n_cells,) float64
        What is to be met.
    """

    def __init__(self, matrix, target: np.ndarray):
        self._columns, self._target = matrix.T.tocsr(), np.asarray(target, np.float64)

    def least_change(
        self, cells: np.ndarray, *, free: np.ndarray | None = None, whole: bool = False, keep: np.ndarray | None = None
    ):
        """Find the least total change of targets that makes some cells reachable together.

        cells : positions of the cells that count; the others may come out as they like. free : those of `cells` that may change,
        all by default. whole : change by whole numbers only. keep : (len(cells),) int, table of each; its changes then cancel.
        Returns (total, change (len(cells),), multiplier (len(cells),) or None where whole); total is inf where no change of the
        free ones will do.
        """
        from scipy.optimize import Bounds, LinearConstraint, linprog, milp
        from scipy.sparse import csr_array, hstack, vstack

        n, profiles = len(cells), self._columns.shape[1]
        may = np.ones(n, bool) if free is None else np.isin(cells, free)
        at = np.flatnonzero(may)
        unit = csr_array((np.ones(len(at)), (at, np.arange(len(at)))), shape=(n, len(at)))
        matrix = hstack([self._columns[cells], -unit, unit]).tocsr()
        cost = np.concatenate([np.zeros(profiles), np.ones(2 * len(at))])
        low, high = np.zeros(len(cost)), np.full(len(cost), np.inf)
        target = self._target[cells]
        goal = target
        if keep is not None:
            of = csr_array((np.ones(len(at)), (np.unique(keep[at], return_inverse=True)[1], np.arange(len(at)))))
            none = csr_array((of.shape[0], profiles))
            matrix, goal = vstack([matrix, hstack([none, of, -of])]).tocsr(), np.append(target, np.zeros(of.shape[0]))
        high[profiles + len(at) :] = target[at]
        if whole:
            rows = LinearConstraint(matrix, goal, goal)
            kinds = np.concatenate([np.zeros(profiles), np.ones(2 * len(at))])
            found = milp(cost, constraints=rows, bounds=Bounds(low, high), integrality=kinds)
        else:
            found = linprog(cost, A_eq=matrix, b_eq=goal, bounds=np.stack([low, high], axis=1), method="highs")
        if found.x is None:
            return np.inf, np.zeros(n), None
        change = np.zeros(n)
        change[at] = found.x[profiles : profiles + len(at)] - found.x[profiles + len(at) :]
        return float(np.abs(change).sum()), change, None if whole else found.eqlin.marginals[:n]

    def clash(self, cells: np.ndarray) -> Clash | None:
        """Find an irreducible set among some cells; None where these can be met together."""
        total, _, multiplier = self.least_change(cells)
        if total <= ENOUGH:
            return None
        left = cells[np.abs(multiplier) > _MULTIPLIER]
        for cell in left.tolist():  # drop a cell: if the others still clash, it was not needed
            fewer = left[left != cell]
            if len(fewer) and self.least_change(fewer)[0] > ENOUGH:
                left = fewer
        total, _, multiplier = self.least_change(left)
        return Clash(left, multiplier, float(self._target[left] @ multiplier))

    def fewest(self) -> tuple[np.ndarray, list[Clash], bool]:
        """Find the smallest set of cells to relax: (cells, the clashes found on the way, whether it is proven smallest)."""
        every, clashes, relaxed = np.arange(len(self._target)), [], np.empty(0, np.int64)
        while len(clashes) < _MOST_SETS:
            found = self.clash(np.setdiff1d(every, relaxed))
            if found is None:
                return relaxed, clashes, True
            clashes.append(found)
            relaxed = _hitting_set([c.cells for c in clashes], self._target)
        while (found := self.clash(np.setdiff1d(every, relaxed))) is not None:
            relaxed = np.append(relaxed, found.cells[np.argmax(np.abs(found.multiplier))])
        return np.sort(relaxed), clashes, False

    def others(self, cells: np.ndarray, clashes: list[Clash], most: int = 2, tries: int = 6) -> list[np.ndarray]:
        """Find a few other sets of as few cells that mend everything, after `fewest`; not all that there are."""
        every, found, seen = np.arange(len(self._target)), [], [cells]
        for _ in range(tries):
            other = _hitting_set([c.cells for c in clashes], self._target, seen)
            if len(other) != len(cells) or len(found) == most:
                break
            seen.append(other)
            if self.clash(np.setdiff1d(every, other)) is None:
                found.append(other)
        return found


def _hitting_set(sets: list[np.ndarray], size: np.ndarray, but: list[np.ndarray] | None = None) -> np.ndarray:
    """Find the fewest positions that have one of every set, ascending; of as few those of the largest size.

    but : sets of positions that are not wanted, nor any that holds one of them. Empty where nothing is left.

    >>> _hitting_set([np.array([0, 1]), np.array([1, 2]), np.array([1, 3])], np.ones(4))
    array([1])
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    n = len(size)
    cost = 1.0 + 0.1 / n * (1.0 - size / max(float(size.max()), 1.0))  # all such parts together are less than one cell more
    rows = np.zeros((len(sets), n))
    for row, cells in zip(rows, sets, strict=True):
        row[cells] = 1.0
    limits = [LinearConstraint(rows, 1.0, np.inf)]
    for cells in but or []:
        limits.append(LinearConstraint(np.isin(np.arange(n), cells).astype(float), -np.inf, len(cells) - 1.0))
    found = milp(cost, constraints=limits, bounds=Bounds(0, 1), integrality=np.ones(n))
    return np.empty(0, np.int64) if found.x is None else np.flatnonzero(np.rint(found.x))
