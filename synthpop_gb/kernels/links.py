"""Links between duals and weights: what a distance between weights and start weights makes of the sum of a profile's duals.

A weight is w = d F(u): u is the sum of the duals of the profile's cells, d its start weight, F(0) = F'(0) = 1. F is the inverse
of the derivative of the distance (Deville & Sarndal 1992, JASA 87, table 1). `EXPONENTIAL` is what iterative proportional fitting
leaves: start weights as the survey grosses them. For the others d is the start weight brought to the zone's size, so that w / d
is the zone's share over the survey's, and bounds on it mean something.
"""

import math
from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.ipf import weights_from_duals, write_weights

__all__ = [
    "BOUNDED", "ENTROPY", "EXPONENTIAL", "HELD", "LINEAR", "LINKS", "LOGIT", "Link", "described", "fitted_margins", "link_from",
    "link_value", "linked_weights", "unit_scales", "unit_weights", "write_linked", "zone_scales",
]  # fmt: skip

EXPONENTIAL, LINEAR, BOUNDED, ENTROPY, LOGIT, HELD = 0, 1, 2, 3, 4, 5
LINKS = {"exponential": EXPONENTIAL, "linear": LINEAR, "bounded": BOUNDED, "entropy": ENTROPY, "logit": LOGIT, "held": HELD}
"""Codes by name."""


class Link(NamedTuple):
    """A link: its code, and the bounds on w / d of `BOUNDED`, `LOGIT` and `HELD`, 0 <= lower < 1 < upper; others read neither."""

    kind: int = EXPONENTIAL
    lower: float = 0.0
    upper: float = 1e300


def described(link) -> dict | None:
    """Return a link as plain values for JSON, None for `EXPONENTIAL`; `link_from` reads them again.

    >>> described(Link(LOGIT, 0.5, 3.0)), link_from(described(Link(LOGIT, 0.5, 3.0)))
    ({'distance': 'logit', 'lower': 0.5, 'upper': 3.0}, Link(kind=4, lower=0.5, upper=3.0))
    """
    if link is None or link.kind == EXPONENTIAL:
        return None
    name = next(n for n, kind in LINKS.items() if kind == link.kind)
    return {"distance": name, "lower": link.lower, "upper": link.upper}


def link_from(values):
    """Return the link that `described` told of; None for None. Raises KeyError for a distance that this version does not know."""
    return None if values is None else Link(LINKS[values["distance"]], float(values["lower"]), float(values["upper"]))


@njit
def link_value(link, u):
    """Return (F(u), F'(u), integral of F from 0 to u) for one u > -inf.

    LINEAR: 1 + u, the generalised regression estimator. BOUNDED: the same, cut at the bounds. ENTROPY: exp(u). HELD: that, cut at
    the bounds. LOGIT: Deville & Sarndal 1992, case 6, F = (L (U - 1) + U (1 - L) e^Au) / (U - 1 + (1 - L) e^Au) with
    A = (U - L) / ((1 - L) (U - 1)).
    """
    low, high = link.lower, link.upper
    if link.kind == LINEAR:
        return 1.0 + u, 1.0, u + 0.5 * u * u
    if link.kind == BOUNDED:
        if u < low - 1.0:
            edge = low - 1.0
            return low, 0.0, edge + 0.5 * edge * edge + low * (u - edge)
        if u > high - 1.0:
            edge = high - 1.0
            return high, 0.0, edge + 0.5 * edge * edge + high * (u - edge)
        return 1.0 + u, 1.0, u + 0.5 * u * u
    if link.kind == LOGIT:
        steep = (high - low) / ((1.0 - low) * (high - 1.0))
        x = steep * u + math.log((1.0 - low) / (high - 1.0))
        small = math.exp(-abs(x))
        share = 1.0 / (1.0 + small) if x >= 0.0 else small / (1.0 + small)
        value = low + (high - low) * share
        over = max(x, 0.0) + math.log1p(small) - math.log((high - low) / (high - 1.0))  # log(1 + e^x) less its value at u = 0
        return value, steep * (value - low) * (high - value) / (high - low), low * u + (high - low) / steep * over
    value = math.exp(u)
    if link.kind == HELD and not low <= value <= high:
        held = min(max(value, low), high)
        return held, 0.0, held * (1.0 + u - math.log(held)) - 1.0 if held > 0.0 else -1.0
    return value, value, value - 1.0


@njit
def write_linked(link, scale, start, cell_of, duals, out):
    """Compute the weights of zones from their duals, for other kernels.

    scale : (n_zones,) float64 from `zone_scales`; start, cell_of, duals as in `ipf.write_weights`.
    out : (n_zones, n_profiles) float64, persons. Written; `LINEAR` may leave weights below nought. A dual of -inf means nobody.
    """
    if link.kind == EXPONENTIAL:
        write_weights(start, cell_of, duals, out)
        return
    n_constraints, n_profiles = cell_of.shape
    for z in range(duals.shape[0]):
        dual, w = duals[z], out[z]
        w[:] = 0.0
        for k in range(n_constraints):
            cell = cell_of[k]
            for p in range(n_profiles):
                if cell[p] >= 0:
                    w[p] += dual[cell[p]]
        for p in range(n_profiles):
            if w[p] == -math.inf or scale[z] == 0.0:
                w[p] = 0.0
            else:
                w[p] = scale[z] * start[p] * link_value(link, w[p])[0]


@njit
def fitted_margins(link, scale, start, cell_of, duals, group, n_groups):
    """Find the margins of the weights that duals stand for, without keeping a weight.

    group : (n_profiles,) int32. A further partition of the profiles, -1 for none of its n_groups. Other arguments as in
    `write_linked`. Returns margins (n_zones, n_cells) and groups (n_zones, n_groups) float64, persons, and how many profiles
    have a weight below nought, (n_zones,) int32.
    """
    n_zones, n_cells = duals.shape
    margins, groups, negative = np.zeros((n_zones, n_cells)), np.zeros((n_zones, n_groups)), np.zeros(n_zones, np.int32)
    weights = np.empty((1, start.shape[0]))
    for z in range(n_zones):
        write_linked(link, scale[z : z + 1], start, cell_of, duals[z : z + 1], weights)
        for p in range(start.shape[0]):
            w = weights[0, p]
            negative[z] += w < 0.0
            if group[p] >= 0:
                groups[z, group[p]] += w
            for k in range(cell_of.shape[0]):
                if cell_of[k, p] >= 0:
                    margins[z, cell_of[k, p]] += w
    return margins, groups, negative


def linked_weights(link, start, cell_of, constraint_start, targets, duals):
    """Compute weights from duals: (n_zones, n_profiles) float64, persons.

    link : Link, or None for `EXPONENTIAL`. start, cell_of, constraint_start, targets: the problem's; targets and duals of the
        same zones, (n_zones, n_cells).

    >>> cell_of, bounds = np.array([[0, 1]], np.int32), np.array([0, 2], np.int32)
    >>> linked_weights(Link(LINEAR), np.array([1.0, 3.0]), cell_of, bounds, np.array([[20.0, 20.0]]), np.array([[1.0, -1 / 3]]))
    array([[20., 20.]])
    """
    if link is None or link.kind == EXPONENTIAL:
        return weights_from_duals(start, cell_of, duals)
    duals = np.atleast_2d(np.asarray(duals, np.float64))
    out = np.empty((len(duals), len(start)))
    scale = zone_scales(link, start, cell_of, constraint_start, targets)
    arrays = [np.ascontiguousarray(x).view() for x in (scale, start, cell_of, duals)]
    for array in arrays:  # one type for the compiler, whatever the caller's
        array.flags.writeable = False
    write_linked(link, *arrays, out)
    return out


def zone_scales(link, start, cell_of, constraint_start, targets):
    """Find what the start weights are multiplied by in each zone: (n_zones,) float64, 1 throughout for `EXPONENTIAL`.

    They are brought to the total of the constraint that counts most of the start weights, the first of equals: everybody, where
    a constraint counts everybody. Where that total is nought, the next decides; where all are, nobody lives there: 0.
    """
    targets = np.asarray(targets, np.float64)
    if link.kind == EXPONENTIAL:
        return np.ones(len(targets))
    inside = (np.asarray(cell_of) >= 0) @ np.asarray(start, np.float64)
    scale = np.zeros(len(targets))
    for k in np.argsort(-inside, kind="stable"):
        total = targets[:, constraint_start[k] : constraint_start[k + 1]].sum(axis=1)
        if inside[k] > 0:
            scale = np.where(scale > 0, scale, total / inside[k])
    return scale


def unit_scales(members, start, constraint_start, targets):
    """Find what the start weights of units that hold several people are multiplied by in each zone: (n_zones,) float64.

    members : incidence with start, cell and count (see `incidence`). start, constraint_start, targets : as in `zone_scales`.

    They are brought to the total of the constraint that counts members of most of the start weights, the first of equals; where
    that total is nought the next decides; where all are, nobody lives there: 0. A constraint of households counts each once, one
    of people all their members in its universe.
    """
    start, targets = np.asarray(start, np.float64), np.asarray(targets, np.float64)
    profile = np.repeat(np.arange(len(start)), np.diff(members.start))
    constraint = np.searchsorted(constraint_start, members.cell, side="right") - 1
    n = len(constraint_start) - 1
    counted = np.bincount(constraint, members.count * start[profile], n)
    touched = profile * n + constraint
    later = np.diff(touched, prepend=-1)
    touched = touched[later > 0] if (later >= 0).all() else np.unique(touched)  # cells in order: no need to sort
    units = np.bincount(touched % n, start[touched // n], n)
    scale = np.zeros(len(targets))
    for k in np.argsort(-units, kind="stable"):
        total = targets[:, constraint_start[k] : constraint_start[k + 1]].sum(axis=1)
        if counted[k] > 0:
            scale = np.where(scale > 0, scale, total / counted[k])
    return scale


def unit_weights(link, scale, start, members, duals):
    """Compute weights of units that hold several people from duals: (n_zones, n_profiles) float64, units.

    link : Link of kind `EXPONENTIAL`, `ENTROPY` or `HELD`, None for the first. scale : (n_zones,) from `unit_scales`, read by the
        latter two. start : (n_profiles,) or (n_zones, n_profiles) float64. members : (n_profiles, n_cells) scipy sparse array;
        duals : (n_zones, n_cells).
    """
    link = Link() if link is None else link
    u = duals @ members.T
    ratio = np.exp(u)
    if link.kind == HELD:
        ratio = np.where(np.isneginf(u), 0.0, np.clip(ratio, link.lower, link.upper))
    if link.kind == EXPONENTIAL:
        return start * ratio
    return np.asarray(scale)[:, None] * start * ratio
