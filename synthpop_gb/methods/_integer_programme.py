"""The last word on whole households: is there a point that meets every table, and which? By HiGHS, within limits of its work.

The limits are of nodes, steps and variables, never of time: what comes out does not depend on the machine or on what else it does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels.unit_layout import Component, UnitLayout

__all__ = ["can_be_met", "nearest_whole"]

_INFEASIBLE = 2  # scipy.optimize's status, of linprog and of milp
_VARIABLES = 100_000  # more are not looked at
_STEPS = 100_000  # of the simplex method; some hundreds are usual
_NEAR, _SPAN = 800, 1  # profiles by which counts are first let move, and by how many units
_MOST = 3_200  # whole variables of a programme: the work at its root alone grows faster than they do


class _Programme(NamedTuple):
    """Units of a component that may be placed, and what they count: (n,) by variable."""

    zone: np.ndarray
    profile: np.ndarray
    matrix: object  # (n_targets, n) scipy CSC, float64
    most: np.ndarray  # units
    cost: np.ndarray  # of a unit: little for a likely household, much for an unlikely one: near the fit, not nearest to it


def can_be_met(weights: np.ndarray, parts: Component, layout: UnitLayout) -> bool:
    """Say whether weights could meet all targets of a component exactly, in whole numbers or not, of profiles weighing above 0.

    weights : (n_zones, n_profiles) float64, units. Where the component is too large to tell, it is said that they could.
    """
    from scipy.optimize import linprog

    there = (weights > 0) & (parts.most > 0)
    if not there.any():
        return not parts.target.any()
    if there.sum() > _VARIABLES:
        return True
    programme = _programme(there, weights, parts, layout)
    found = linprog(
        programme.cost, A_eq=programme.matrix, b_eq=parts.target, bounds=np.stack([np.zeros(len(programme.most)), programme.most], 1),
        method="highs-ds", options={"maxiter": _STEPS},
    )  # fmt: skip
    return found.status != _INFEASIBLE


def nearest_whole(
    weights: np.ndarray, best: np.ndarray, parts: Component, layout: UnitLayout, nodes: int
) -> tuple[np.ndarray | None, bool]:
    """Look for whole units that meet all targets of a component exactly, of profiles whose weight is above 0.

    First among the likeliest profiles and those placed already, moved by a unit each; then, where they are few enough, among all.

    Parameters
    ----------
    weights : (n_zones, n_profiles) float64
        Fitted weights: the fewer units are placed far above them the better.
    best : (n_zones, n_profiles) int
        The best units found otherwise.
    parts, layout : Component, UnitLayout
        The component.
    nodes : int
        Limit of nodes of the search, each time.

    Returns
    -------
    counts : (n_zones, n_profiles) int32 or None
        None where none was found.
    impossible : bool
        Whether there is none: proven.
    """
    there, counts = (weights > 0) & (parts.most > 0), np.zeros(weights.shape, np.int32)
    if not there.any():
        return (None, True) if parts.target.any() else (counts, False)
    near = there & (best > 0)
    near.reshape(-1)[np.argsort(np.where(there, -weights, 1.0), axis=None, kind="stable")[:_NEAR]] = True
    for among, every in ((near & there, False), (there, True)):
        if among.sum() > _MOST:
            break
        programme = _programme(among, weights, parts, layout)
        placed = best[programme.zone, programme.profile]
        low = np.zeros(len(placed)) if every else np.maximum(placed - _SPAN, 0)
        high = programme.most if every else np.minimum(programme.most, placed + _SPAN)
        units, impossible = _search(programme, low, high, parts.target, nodes)
        if units is not None:
            counts[programme.zone, programme.profile] = units
            return counts, False
        if every and impossible:
            return None, True
    return None, False


def _search(programme, low, high, target, nodes):
    """Solve a programme within bounds. Returns (whole units or None, whether there are none: proven)."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    found = milp(
        programme.cost, constraints=LinearConstraint(programme.matrix, target, target), bounds=Bounds(low, np.maximum(low, high)),
        integrality=np.ones(len(low)), options={"node_limit": int(nodes), "mip_rel_gap": 1.0},
    )  # fmt: skip
    if found.x is None:
        return None, found.status == _INFEASIBLE
    units = np.rint(found.x).astype(np.int32)
    return (None if (programme.matrix @ units - target).any() else units), False


def _programme(among: np.ndarray, weights: np.ndarray, parts: Component, layout: UnitLayout) -> _Programme:
    """Set up the programme of some units of a component: among, (n_zones, n_profiles) bool."""
    from scipy.sparse import coo_array

    zone, profile = np.nonzero(among)
    first, size = layout.start[profile], np.diff(layout.start)[profile]
    entry = np.repeat(first, size) + np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    column = np.repeat(np.arange(len(zone)), size)
    row = parts.place[zone[column], layout.cell[entry]]
    bound = row >= 0
    matrix = coo_array(
        (layout.count[entry][bound].astype(np.float64), (row[bound], column[bound])), shape=(len(parts.target), len(zone))
    ).tocsc()
    given = weights[zone, profile]
    cost = -np.log(np.maximum(given, 1e-12) / given.max(initial=1e-12))
    most = np.minimum(parts.most[zone, profile], max(int(parts.target.max(initial=0)), 1))
    return _Programme(zone, profile, matrix, most, cost)
