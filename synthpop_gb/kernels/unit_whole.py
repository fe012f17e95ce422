"""Whole households of a component: a balanced draw, then swaps until household and person tables are exact, or once more.

An attempt draws anew by the cube method (the first lets small fractions meet before), settles household tables and numbers of
people (`unit_totals`), anneals within narrow strata, cold, since all that is left to move are a few people, and matches two or
three swaps that together are what is missing (`unit_pairs`), twice over. Attempts that fail are followed by others with more
proposals and wider strata. The first exact one counts, or else the best.
"""

from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.unit_cube import cube_units
from synthpop_gb.kernels.unit_pairs import match_swaps
from synthpop_gb.kernels.unit_swaps import ALIKE, NARROW, WIDE, Placed, anneal_units, list_units, prepare_donors
from synthpop_gb.kernels.unit_totals import settle_totals

__all__ = ["Effort", "place_units", "placed_units"]

_FIRST = 10_000  # proposals a zone of the first attempt, a fourfold each time after; most zones need some 3,000
_STEPS, _HOT, _COOLING = 20, 0.6, 0.9  # of annealing: from 0.6 to 0.08 people
_FEW = 24  # people missed up to which matching is tried
_TRIES = 10_000  # proposals a zone to settle totals
_BOLDEST = 10  # attempts after which proposals are no longer multiplied: by then the limit is reached
_SHORT = 2_000  # of these, before swaps are matched for the first time
_NEAR = 2  # attempts that stay within one of the weights; `unit_swaps.propose`


class Effort(NamedTuple):
    """How long to search.

    max_proposals : swaps that one attempt may propose, a zone. restarts : attempts after the first.
    swaps, triples : see `unit_pairs.match_swaps`; swaps a zone, 0 = not at all.
    done : attempts made before, which make these bolder.
    least : of the first attempt's draw, see `cube_units`. 0 keeps what no table counts together best, 1 is quickest.
    """

    max_proposals: int
    restarts: int
    swaps: int
    triples: int
    done: int = 0
    least: float = 0.0


def placed_units(n_zones: int, n_profiles: int, n_gaps: int, room: int) -> Placed:
    """Allocate what a component's units are written to; `room` units at most."""
    return Placed(
        np.zeros((n_zones, n_profiles), np.int32), np.zeros(n_gaps, np.int32),
        np.zeros(room, np.int32), np.zeros(room, np.int32), np.zeros(room, np.int32),
    )  # fmt: skip


@njit
def place_units(weights, effort, parts, layout, placed, best, work, pairs, state):
    """Draw whole units for a component from its fitted weights and bring them onto its targets.

    weights : (n_zones, n_profiles) float64, units, finite and >= 0. Only read.
    effort : `Effort`; parts, layout : of `component` and `unit_layout`; work, pairs : of `unit_work` and `pair_work`.
    placed : of `placed_units`, with room for the units of weights rounded up, and a few more. Overwritten.
    best : (n_zones, n_profiles) int32. Written: the counts found.
    state : (1,) uint64, the component's stream, advanced. Same stream, same counts.
    Returns (error, proposals, restarts): total absolute error of `best` in units and people, 0 where exact; swaps proposed and
        looked at; attempts after the first.
    """
    fewest, proposals, limit, zones = -1, 0, np.int64(_FIRST) * 4 ** min(effort.done, _BOLDEST), weights.shape[0]
    for attempt in range(effort.done, effort.done + effort.restarts + 1):
        least = effort.least if attempt == 0 else 0.0
        for z in range(zones):
            cube_units(weights[z], parts.most[z], least, layout, work, state, placed.counts[z])
        near = attempt < _NEAR
        tops, n, error = list_units(weights, parts, layout, placed)
        if error > 0:
            limit = min(limit, effort.max_proposals)
            tops, n, off, error, made = settle_totals(tops, n, near, _TRIES * zones, weights, parts, layout, placed, work, state)
            proposals += made
            error, made = _search(
                tops if near else n, attempt, near, off, error, limit, effort, weights, parts, layout, placed, work, pairs, state
            )
            proposals += made
            limit *= 4
        if fewest < 0 or error < fewest:
            fewest = error
            best[:] = placed.counts
        if fewest == 0:
            return fewest, proposals, attempt - effort.done
    return fewest, proposals, effort.restarts


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _search(n, attempt, near, off, error, limit, effort, weights, parts, layout, placed, work, pairs, state):
    """Anneal, match what is left, and both once more. Returns (total absolute error, swaps proposed and looked at)."""
    which = ALIKE if attempt % 3 == 2 else NARROW
    if off > 0 and not near:
        which = WIDE
    zones = weights.shape[0]
    if n == 0:
        return error, 0
    prepare_donors(weights, which, near, layout, work)
    tried, shares = 0, (min(_SHORT, limit), max(limit - _SHORT, 0))
    for share in shares:
        if share == 0:
            continue
        error, made = anneal_units(
            n,
            which,
            near,
            error,
            _HOT,
            _COOLING,
            _STEPS,
            share * zones // _STEPS,
            weights,
            parts,
            layout,
            placed,
            work,
            state,
        )
        tried += made
        if error > 0 and effort.swaps > 0 and error <= _FEW * zones:
            found, made = match_swaps(
                n, effort.swaps * zones, effort.triples, which, near, weights, parts, layout, placed, work, pairs, state
            )
            tried += made
            if found:
                error = 0
        if error == 0:
            break
    return error, tried
