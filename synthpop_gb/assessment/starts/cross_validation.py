"""How well a start predicts what it was not told: each table left out of the fit of every zone in turn, and compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from synthpop_gb.aligned import AlignedTable
from synthpop_gb.assessment.refits import spread_zones, untold_by, zone_weights
from synthpop_gb.indicators.sums import profile_means
from synthpop_gb.problem import Problem

__all__ = ["ZONES", "best", "judged_errors", "left_out_errors", "scores"]

ZONES = 200
"""Zones that starts are judged on, at most; more only smooth what is a mean of hundreds already."""


def left_out_errors(problem: Problem, *, zones: int = ZONES) -> dict[str, float]:
    """Per cent of each table's people (or households) in the wrong cell where it is predicted from the other tables.

    Every zone is fitted by entropy to the constraints that share no variable with the table left out. Then predictions are raked
    to what a fit would know all the same: the table's sum over all these zones, and each zone's size. What is left to the start
    is how the other tables tell which zones are above and which below, which is what it tells of the joint. (Without the raking a
    start is praised for the area's level, which any fit is told: own-region donors then always win, and the joint gets worse.)
    Compared are half the sum of absolute differences between shares, mean over zones.

    Parameters
    ----------
    problem : Problem
        Its start and tilts are what is judged.
    zones : int
        How many zones at most (`refits.spread_zones`).

    Returns
    -------
    dict
        Constraint = per cent.
    """
    where, first = spread_zones(problem, zones), problem.constraint_start
    members = problem.members.matrix().tocsc()
    out = {}
    for k, name in enumerate(problem.constraint_names):
        mine = members[:, first[k] : first[k + 1]]
        found = np.concatenate([np.asarray(w @ mine) for w in zone_weights(problem, where, untold_by(problem, k))])
        published = problem.targets[where, first[k] : first[k + 1]]
        out[name] = _wrong(_with_totals(found, published), published)
    return out


def judged_errors(problem: Problem, judges: Sequence[AlignedTable], *, zones: int = ZONES) -> dict[str, float]:
    """Per cent of people in the wrong cell of tables that are not fitted: each zone fitted to all its constraints.

    A table that a start was chosen by is no longer one that judges the result.
    """
    where, sizes = spread_zones(problem, zones), [table.targets.shape[1] for table in judges]
    inside = [table.record_cell[:, None] == np.arange(n) for table, n in zip(judges, sizes, strict=True)]
    members = profile_means(np.hstack(inside).astype(float), problem)
    found = np.concatenate([w @ members for w in zone_weights(problem, where)])
    parts = np.split(found, np.cumsum(sizes)[:-1], axis=1)
    return {t.name: _wrong(f, t.targets.to_numpy()[where]) for t, f in zip(judges, parts, strict=True)}


def scores(errors: Mapping[float, Mapping[str, float]]) -> dict[float, float]:
    """Score each candidate against the first: geometric mean over tables of its error over that one's; lower is better.

    >>> scores({0.0: {"a": 2.0, "b": 10.0}, 0.5: {"a": 1.0, "b": 10.0}})
    {0.0: 1.0, 0.5: 0.7071}
    """
    base = next(iter(errors.values()))
    out = {}
    for strength, found in errors.items():
        ratios = [np.log(found[t] / base[t]) for t in base if base[t] > 0 and found[t] > 0]
        out[strength] = round(float(np.exp(np.mean(ratios))), 4) if ratios else 1.0
    return out


def best(found: Mapping[float, float], worth: float = 0.0) -> float:
    """Return the candidate with the least score, of equals the first; the first of all unless another is better by `worth`.

    >>> best({0.0: 1.0, 0.25: 0.99, 0.5: 0.99}), best({0.0: 1.0, 0.25: 0.995}, worth=0.01)
    (0.25, 0.0)
    """
    chosen, first = min(found, key=lambda s: found[s]), next(iter(found))
    return chosen if found[chosen] <= found[first] - worth else first


def _with_totals(found: np.ndarray, expected: np.ndarray, cycles: int = 50) -> np.ndarray:
    """Rake predictions (n_zones, n_cells) to the sums of what was published, over zones and over cells."""
    found, rows, columns = found.copy(), expected.sum(axis=1), expected.sum(axis=0)
    for _ in range(cycles):
        for axis, wanted in ((1, rows[:, None]), (0, columns[None])):
            sums = found.sum(axis=axis, keepdims=True)
            found *= np.divide(wanted, sums, out=np.zeros_like(sums), where=sums > 0)
    return found


def _wrong(found: np.ndarray, expected: np.ndarray) -> float:
    live = (expected.sum(axis=1) > 0) & (found.sum(axis=1) > 0)
    if not live.any():
        return 0.0
    shares = [x[live] / x[live].sum(axis=1, keepdims=True) for x in (found, expected)]
    return float(50 * np.abs(shares[0] - shares[1]).sum(axis=1).mean())
