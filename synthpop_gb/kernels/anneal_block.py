"""A block of zones annealed: for each zone its donors, the people it starts from, the annealing; no weight matrix ever exists."""

from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels._jit import njit
from synthpop_gb.kernels.anneal import NO_DONORS, NOBODY, anneal_zone
from synthpop_gb.kernels.anneal_donors import draw_donor, eligible_donors, make_alias
from synthpop_gb.kernels.ipf import write_weights
from synthpop_gb.kernels.sparse_rows import add_row, empty_rows
from synthpop_gb.kernels.streams import next_below
from synthpop_gb.kernels.whole import whole_zone
from synthpop_gb.status import FitStatus

__all__ = ["DESIGN", "FITTED", "RANDOM", "RECORDS", "AnnealOut", "anneal_block", "anneal_out"]

FITTED, DESIGN, RECORDS = 0, 1, 2  # what donors are proposed by
RANDOM = -1  # start from random donors; else a method of `whole_zone`
_CONVERGED = int(FitStatus.CONVERGED)


class AnnealOut(NamedTuple):
    """What annealing has to say of each zone: (n_zones,) arrays.

    stopped : int8, the rule that fired (`anneal`); tae, distance : float64, persons; steps : int32; proposals, accepted,
    eligible : int64, the last the profiles eligible; empty : int32, cells wanted by nobody that each of them has (0: the rule of
    eligible donors held); by : int8, what donors were proposed by after all.
    """

    stopped: np.ndarray
    tae: np.ndarray
    distance: np.ndarray
    steps: np.ndarray
    proposals: np.ndarray
    accepted: np.ndarray
    eligible: np.ndarray
    empty: np.ndarray
    by: np.ndarray


def anneal_out(n_zones) -> AnnealOut:
    """Allocate what `anneal_block` writes."""
    whole = [np.zeros(n_zones, np.int64) for _ in range(3)]
    floats = np.zeros(n_zones), np.zeros(n_zones)
    kinds = np.zeros(n_zones, np.int32), np.full(n_zones, -1, np.int8)
    return AnnealOut(np.full(n_zones, NOBODY, np.int8), *floats, np.zeros(n_zones, np.int32), *whole, *kinds)


@njit
def anneal_block(
    begin, by, start, records, cell_of, duals, status, targets, people, price, over_targets, over_price,
    whole_layout, whole_work, layout, work, schedule, unfit, keys, out, trace, every,
):  # fmt: skip
    """Anneal a block of zones from their fit.

    begin : how the people to start with are drawn: a method of `whole_zone` (unrepaired), or RANDOM.
    by : what donors are proposed by: FITTED weights, DESIGN weights, or RECORDS (each alike). Where no fit converged, FITTED
        falls back on DESIGN: weights that miss the targets are no guide to them.
    start, records : (n_profiles,) float64. Design weight of each profile, and how many records it has.
    cell_of, duals, status : as in `whole_block`, of the fit.
    targets : (n_zones, n_cells) float64; people : (n_zones,) int64. How many people each zone gets.
    schedule, unfit : `Schedule` of zones whose fit converged, and of the others.
    price, over_price, layout, work, trace, every : as in `anneal_zone`. over_targets : (n_zones, n_bins) int32.
    whole_layout, whole_work : of the same problem, for the start.
    keys : (3, n_zones) uint64. Streams of purposes WHOLE, START and ANNEAL; advanced.
    out : `AnnealOut`, written.
    Returns indptr (n_zones + 1,) int64, profile (nnz,) int32 ascending within a zone, count (nnz,) int32 > 0, as CSR.
    """
    n_zones, n_profiles = targets.shape[0], start.shape[0]
    weights, counts = np.empty((1, n_profiles)), np.zeros(n_profiles, np.int32)
    indptr = np.zeros(n_zones + 1, np.int64)
    profile, count = empty_rows(n_zones, n_profiles)
    n = 0
    for z in range(n_zones):
        indptr[z + 1] = n
        if people[z] > 0:
            out.eligible[z], out.empty[z] = eligible_donors(targets[z], start, layout, work.eligible)
        if out.eligible[z] == 0:
            out.stopped[z] = NOBODY if people[z] == 0 else NO_DONORS
            out.tae[z] = np.rint(targets[z]).sum()
            continue
        write_weights(start, cell_of, duals[z : z + 1], weights)
        out.by[z] = _donors(by, weights[0], start, records, status[z], work)
        if begin == RANDOM or out.empty[z] > 0:
            chosen = np.empty(people[z], np.int32)
            _fill(chosen, 0, keys[1, z : z + 1], work)
        else:
            whole_zone(begin, weights[0], targets[z], whole_layout, whole_work, keys[0, z : z + 1], counts, 0)
            chosen = _listed(counts, people[z], keys[1, z : z + 1], work)
        plan = schedule if status[z] == _CONVERGED else unfit
        stopped, tae, distance, steps, proposals, accepted, _ = anneal_zone(
            chosen, targets[z], price, over_targets[z], over_price, layout, work, plan, keys[2, z : z + 1], trace, every
        )
        out.stopped[z], out.tae[z], out.distance[z], out.steps[z] = stopped, tae, distance, steps
        out.proposals[z], out.accepted[z] = proposals, accepted
        counts[:] = 0
        for i in range(chosen.shape[0]):
            counts[chosen[i]] += 1
        profile, count, n = add_row(counts, profile, count, n)
        indptr[z + 1] = n
    return indptr, profile[:n].copy(), count[:n].copy()


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _donors(by, weights, start, records, status, work):
    """Make the table of donors among the eligible. Returns what they are proposed by after all."""
    if by == FITTED and status != _CONVERGED:
        by = DESIGN
    while True:
        for p in range(start.shape[0]):
            weight = weights[p] if by == FITTED else start[p] if by == DESIGN else records[p]
            work.weight[p] = weight if work.eligible[p] else 0.0
        if make_alias(work.weight, work.chance, work.alias, work.small, work.large) > 0.0 or by == DESIGN:
            return by
        by = DESIGN  # every eligible donor has a design weight


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _fill(chosen, first, state, work):
    """Draw the people from number `first` on among the donors."""
    for i in range(first, chosen.shape[0]):
        chosen[i] = draw_donor(state, work.chance, work.alias)


@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _listed(counts, n, state, work):
    """List the people of a draw one by one; random ones go, or random donors come, until there are n."""
    total = 0
    for p in range(counts.shape[0]):
        total += counts[p]
    everybody = np.empty(max(total, n), np.int32)
    i = 0
    for p in range(counts.shape[0]):
        for _ in range(counts[p]):
            everybody[i] = p
            i += 1
    _fill(everybody, total, state, work)
    for last in range(total - 1, n - 1, -1):
        everybody[next_below(state, last + 1)] = everybody[last]
    return everybody[:n]
