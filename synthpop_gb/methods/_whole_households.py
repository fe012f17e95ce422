"""From fitted weights of households to whole ones, zone by zone, and what each still misses, and why."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from synthpop_gb.kernels.unit_block import place_alone
from synthpop_gb.kernels.unit_layout import unit_work
from synthpop_gb.kernels.unit_pairs import pair_work
from synthpop_gb.methods._placing import (
    ROOM,
    UNLIMITED,
    Whole,
    first_effort,
    gathered,
    go_on,
    layout_of,
    parts_of,
    room_for,
    row_of,
)  # fmt: skip
from synthpop_gb.methods._whole_options import WholeOptions
from synthpop_gb.problem import Problem

__all__ = ["whole_households"]

_BATCH = 32  # zones whose weights are held at once


def whole_households(
    problem: Problem,
    zones: np.ndarray,
    weights_of: Callable[[int], np.ndarray],
    targets: np.ndarray,
    options: WholeOptions,
    states: np.ndarray,
    *,
    most: np.ndarray | None = None,
) -> Whole:
    """Draw whole units for some zones from their fitted weights and bring them onto tables of households and of persons.

    What a zone comes out as depends on its own weights, targets and state alone. Zones that levels bind together:
    `nested_households`.

    Parameters
    ----------
    problem : Problem
        Of households or of persons, without levels.
    zones : (n,) int
        Positions of zones in it.
    weights_of : callable
        Position in `zones` -> (n_profiles,) float64, fitted weights, units.
    targets : (n, n_cells) float64
        Whole targets of these zones; taken to the nearest whole number.
    options : WholeOptions
        How hard to search.
    states : (n,) uint64
        Streams of purpose WHOLE of these zones.
    most : (n_profiles,) or (n, n_profiles) int, optional
        Units that a zone may have of a profile. None = any number.

    Returns
    -------
    Whole

    References
    ----------
    Deville & Tille (2004), Biometrika 91: the draw. Williamson, Birkin & Rees (1998), Environ. Plan. A 30: swaps of households.
    """
    layout, effort, n = layout_of(problem), options.search, len(zones)
    most = None if most is None else np.broadcast_to(most, (n, problem.n_profiles))
    rows, found, ending = [None] * n, np.zeros((n, 4)), np.empty(n, object)
    work, pairs = unit_work(layout), pair_work(max(effort.swaps, 1))
    parts = parts_of(problem, layout, zones[:1], targets[:1], (), None)
    unlimited, of_households = np.full((1, problem.n_profiles), UNLIMITED, np.int32), layout.household
    best, states = np.empty(unlimited.shape, np.int32), np.array(states, np.uint64)
    for begin in range(0, n, _BATCH):
        batch = np.arange(begin, min(begin + _BATCH, n))
        weights = np.stack([np.asarray(weights_of(int(i)), np.float64) for i in batch])
        wanted = np.rint(targets[batch]).astype(np.int32)
        limits = unlimited if most is None else np.ascontiguousarray(most[batch], np.int32)
        placed = room_for(weights, parts)
        indptr, profile, count, said = place_alone(
            weights, wanted, limits, ROOM, first_effort(effort), parts, layout, placed, best, work, pairs,
            states[begin : begin + _BATCH],
        )  # fmt: skip
        found[batch] = said
        for j, i in enumerate(batch):
            mine = slice(indptr[j], indptr[j + 1])
            rows[i], ending[i] = (profile[mine], count[mine]), "exact"
            error = int(said[j, :2].sum())
            if error == 0:
                continue
            if options.effort == "quick":
                ending[i] = "not found"
                continue
            counts = np.zeros(best.shape, np.int32)
            counts[0, profile[mine]] = count[mine]
            own = parts_of(problem, layout, zones[i : i + 1], targets[i : i + 1], (), None if most is None else most[i : i + 1])
            counts, found[i, 2], found[i, 3], ending[i] = go_on(
                counts, error, int(said[j, 2]), int(said[j, 3]), weights[j : j + 1], options, own, layout,
                room_for(weights[j : j + 1], own), work, pairs, states[i : i + 1],
            )  # fmt: skip
            rows[i] = row_of(counts[0])
            miss = np.abs(counts[0] @ problem.members.matrix() - wanted[j])
            found[i, :2] = miss[of_households].sum(), miss[~of_households].sum()
    return gathered(rows, found, ending)
