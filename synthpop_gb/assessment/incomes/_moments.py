"""What fits make of incomes: each area's figure, and how it answers to tilts when every zone is fitted to its tables again.

Weights of zone z, tilted by theta along a score g, are w_p = s_p exp(theta g_p + sum of duals of p's cells) with A'w = t. Fitting
again keeps A'w, so a sum f'w changes with theta by f'W(g - A b), where b regresses g on the cells A with the weights W: the
covariance of f with what the zone's tables do not know of g.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array

from synthpop_gb.assessment.incomes._aims import Aim, Aims
from synthpop_gb.assessment.refits import zone_weights
from synthpop_gb.problem import Problem

__all__ = ["Moments", "first_duals", "moments_of"]

_BLOCK = 256
_RIDGE = 1e-9  # share of a cell's people: tables repeat each other's totals, so their cells' products have no inverse


@dataclass(frozen=True, eq=False)
class Moments:
    """Figures of areas under a fit.

    ratio : of each aim (n_areas,), incomes over those who count; NaN where nobody does. answer : (n, n) sparse, how figures on
    the scale of goals (row) answer to tilts (column), areas of all aims numbered through.
    """

    ratio: tuple[np.ndarray, ...]
    answer: csr_array


def first_duals(problem: Problem) -> np.ndarray | None:
    """Where fits of whole households begin, and what each leaves for the next; None for persons, whose fits are begun anew."""
    return None if problem.incidence is None or problem.levels else np.zeros((problem.n_zones, problem.n_cells))


def moments_of(aims: Aims, problem: Problem, *, answers: bool = True, duals: np.ndarray | None = None) -> Moments:
    """Fit every zone of a tilted problem and work out the figures.

    answers : without them that matrix is empty. duals : from `first_duals`, in and out: fits of nearby tilts take few steps.
    """
    first = np.cumsum([0, *(len(a.matched.areas) for a in aims.aims)])
    sums = [np.zeros((len(a.matched.areas), 2)) for a in aims.aims]
    parts = []
    laws = _Laws(aims) if answers else None
    for zones, weights in _weights(problem, duals):
        held = [_held(aim, zones, weights) for aim in aims.aims]
        for aim, mine, total in zip(aims.aims, held, sums, strict=True):
            inside = aim.matched.area[zones] >= 0
            np.add.at(total, aim.matched.area[zones][inside], mine[inside])
        if laws is not None:
            parts.append((zones, laws.covariances(zones, weights)))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = tuple(s[:, 0] / s[:, 1] for s in sums)
    size = (int(first[-1]), int(first[-1]))
    answer = _assembled(aims, parts, ratio, [s[:, 1] for s in sums], first, size) if answers else csr_array(size)
    return Moments(ratio, answer)


def _weights(problem: Problem, duals: np.ndarray | None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield zones (positions) and their fitted weights; those that levels bind together are fitted with their areas."""
    if not problem.levels:
        for first in range(0, problem.n_zones, _BLOCK):
            zones = np.arange(first, min(first + _BLOCK, problem.n_zones))
            mine = None if duals is None else duals[first : first + _BLOCK]
            yield from ((zones, weights) for weights in zone_weights(problem, zones, duals=mine))
        return
    from synthpop_gb.methods._nested_balance import fit_zones_together
    from synthpop_gb.methods.balance import BalanceOptions

    options = BalanceOptions(soft=False, tolerance=1e-4)
    order = np.argsort(problem.component, kind="stable")
    for zones in np.split(order, np.flatnonzero(np.diff(problem.component[order])) + 1):
        fits = fit_zones_together(problem, zones, options)
        yield zones, np.stack([fits.weights(row) for row in range(len(zones))])


def _held(aim: Aim, zones: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(n, 2) sums over each zone: incomes, those who count."""
    column = aim.incomes_of(zones)
    incomes = weights @ aim.income[:, 0] if aim.income.shape[1] == 1 else np.einsum("zp,pz->z", weights, aim.income[:, column])
    return np.stack([incomes, weights @ aim.people], axis=1)


class _Laws:
    """Residual covariances of incomes and people with scores, zone by zone."""

    def __init__(self, aims: Aims):
        self._aims = aims
        self._members = aims.problem.members.matrix()
        self._pairs = _cell_pairs(self._members)

    def covariances(self, zones: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """(n, n_aims, 2, n_scores) of each zone: of incomes, and of those who count, with each score."""
        n, k = len(zones), self._members.shape[1]
        gram = np.asarray(weights @ self._pairs).reshape(n, k, k)
        at = np.arange(k)
        gram[:, at, at] += _RIDGE * gram[:, at, at] + 1e-12
        scores = self._aims.scores
        told = np.stack([np.asarray((weights * scores[:, s]) @ self._members) for s in range(scores.shape[1])], axis=2)
        slopes = np.linalg.solve(gram, told)
        out = np.empty((n, len(self._aims.aims), 2, scores.shape[1]))
        for i, aim in enumerate(self._aims.aims):
            values = [np.broadcast_to(aim.people, weights.shape)]
            one = aim.income.shape[1] == 1
            values.insert(0, np.broadcast_to(aim.income[:, 0], weights.shape) if one else aim.income[:, aim.incomes_of(zones)].T)
            for j, value in enumerate(values):
                weighted = weights * value
                known = np.einsum("zk,zks->zs", np.asarray(weighted @ self._members), slopes)
                out[:, i, j] = weighted @ scores - known
        return out


def _cell_pairs(members: csr_array) -> csr_array:
    """(n_profiles, n_cells^2) sparse: products of a profile's members in two cells; weights times it are Gram matrices."""
    n, k = members.shape
    lengths = np.diff(members.indptr)
    profile = np.repeat(np.arange(n), lengths**2)
    first = np.repeat(members.indptr[:-1], lengths**2)
    within = np.arange(len(profile)) - np.repeat(np.cumsum(lengths**2) - lengths**2, lengths**2)
    size = np.repeat(lengths, lengths**2)
    left, right = first + within // np.maximum(size, 1), first + within % np.maximum(size, 1)
    cell = members.indices[left].astype(np.int64) * k + members.indices[right]
    return csr_array((members.data[left] * members.data[right], (profile, cell)), shape=(n, k * k))


def _assembled(aims: Aims, parts, ratios, people, first: np.ndarray, size: tuple[int, int]) -> csr_array:
    """Put zones' covariances together: derivative of each area's figure with respect to each area's tilt."""
    rows, columns, entries = [], [], []
    for zones, found in parts:
        for i, aim in enumerate(aims.aims):
            area = aim.matched.area[zones]
            slope, ratio, held = (v[np.maximum(area, 0), None] for v in (aim.slope(ratios[i]), ratios[i], people[i]))
            with np.errstate(invalid="ignore", divide="ignore"):
                change = slope * (found[:, i, 0] - ratio * found[:, i, 1]) / held
            for j, other in enumerate(aims.aims):
                theirs = other.matched.area[zones]
                both = (area >= 0) & (theirs >= 0) & np.isfinite(change[:, other.score])
                rows.append(first[i] + area[both])
                columns.append(first[j] + theirs[both])
                entries.append(change[both, other.score])
    return csr_array(coo_array((np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns))), shape=size))
