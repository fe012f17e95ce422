"""The last word on whole households: is there a point that meets every table, and which? By HiGHS, within a limit of time."""

from __future__ import annotations

import numpy as np

from synthpop_gb.kernels.unit_layout import Component, UnitLayout

__all__ = ["nearest_whole"]

_INFEASIBLE = 2  # scipy.optimize.milp's status
_VARIABLES = 100_000  # more would not end within any limit worth setting


def nearest_whole(
    weights: np.ndarray, parts: Component, layout: UnitLayout, seconds: float, *, whole: bool
) -> tuple[np.ndarray | None, bool]:
    """Look for units that meet all targets of a component exactly, of profiles whose weight is above 0.

    Parameters
    ----------
    weights : (n_zones, n_profiles) float64
        Fitted weights: the fewer units are placed far above them the better.
    parts, layout : Component, UnitLayout
        The component.
    seconds : float
        Limit of time.
    whole : bool
        Whether units must be whole; otherwise it is a linear programme, quick, and tells only what is impossible.

    Returns
    -------
    counts : (n_zones, n_profiles) int32 or None
        None where none was found; of a linear programme always.
    impossible : bool
        Whether there is none: proven.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    zone, profile = np.nonzero((weights > 0) & (parts.most > 0))
    if not len(zone):
        return (None, True) if parts.target.any() else (np.zeros(weights.shape, np.int32) if whole else None, False)
    if len(zone) > _VARIABLES:
        return None, False
    first, size = layout.start[profile], np.diff(layout.start)[profile]
    entry = np.repeat(first, size) + np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    column = np.repeat(np.arange(len(zone)), size)
    row = parts.place[zone[column], layout.cell[entry]]
    bound = row >= 0
    incidence = coo_array(
        (layout.count[entry][bound].astype(np.float64), (row[bound], column[bound])), shape=(len(parts.target), len(zone))
    ).tocsr()
    given = weights[zone, profile]
    # A household in the place of a likely one costs little, in that of an unlikely one much: near the fit, not nearest to it.
    cost = -np.log(np.maximum(given, 1e-12) / given.max())
    most = np.minimum(parts.most[zone, profile], max(int(parts.target.max(initial=0)), 1))
    found = milp(
        cost, constraints=LinearConstraint(incidence, parts.target, parts.target), bounds=Bounds(0, most),
        integrality=np.full(len(zone), int(whole)), options={"time_limit": seconds, "mip_rel_gap": 1.0},
    )  # fmt: skip
    if found.status == _INFEASIBLE:
        return None, True
    if not whole or found.x is None:
        return None, False
    counts = np.zeros(weights.shape, np.int32)
    counts[zone, profile] = np.rint(found.x).astype(np.int32)
    miss = incidence @ counts[zone, profile] - parts.target
    return (counts if not miss.any() else None), False
