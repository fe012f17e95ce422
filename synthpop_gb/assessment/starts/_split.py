"""Profiles told apart by more than the constraints say, and tilts put on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synthpop_gb.incidence import Incidence
from synthpop_gb.problem import Problem

__all__ = ["add_tilt", "split_profiles"]


def split_profiles(problem: Problem, group: np.ndarray) -> Problem:
    """Split each profile by a group of its donors, so that start weights may tell the groups apart.

    Parameters
    ----------
    problem : Problem
        With its donors.
    group : (n_units,) int
        Group of each unit, by position in `problem.units`.

    Returns
    -------
    Problem
        The same problem of more profiles: those of one former profile stand together, groups ascending; donors in their former
        order within each. Without `first_duals` nothing else changes, since cells and zones stay as they are.

    Examples
    --------
    >>> from synthpop_gb.testing import small_problem
    >>> split = split_profiles(small_problem(), np.array([0, 0, 0, 0, 1, 0]))
    >>> split.start, split.donor
    (array([0.5, 1.5, 1. , 1.5, 1.5]), array([0, 4, 1, 2, 3, 5], dtype=int32))
    """
    old, mine = problem.donor_profile, np.asarray(group)[problem.donor]
    order = np.lexsort((np.arange(len(mine)), mine, old))
    changes = (
        np.concatenate([[True], (np.diff(old[order]) != 0) | (np.diff(mine[order]) != 0)]) if len(order) else np.empty(0, bool)
    )
    first = np.flatnonzero(changes)
    parent = old[order][first]
    donor_start = np.append(first, len(order))
    if len(np.unique(parent)) < problem.n_profiles:
        raise ValueError("profiles without donors cannot be split")
    weight = problem.donor_weight[order]
    sums = np.add.reduceat(weight, first)
    # profiles may start with other than the sum of their donors' weights: each part gets its share
    share = sums / np.bincount(parent, sums, problem.n_profiles)[parent]

    def rows(incidence: Incidence | None) -> Incidence | None:
        if incidence is None:
            return None
        lengths = np.diff(incidence.start)[parent]
        start = np.concatenate([[0], np.cumsum(lengths)])
        entry = np.repeat(incidence.start[parent] - start[:-1], lengths) + np.arange(start[-1])
        return Incidence(start, incidence.cell[entry], incidence.count[entry], incidence.n_cells)

    levels = tuple(replace(v, cell_of=v.cell_of[:, parent], incidence=rows(v.incidence)) for v in problem.levels)
    taken = {
        name: None if getattr(problem, name) is None else getattr(problem, name)[..., parent]
        for name in ("size", "communal", "guide_of", "tilt_of")
    }
    return replace(
        problem, start=problem.start[parent] * share, cell_of=problem.cell_of[:, parent], donor_start=donor_start,
        donor=problem.donor[order], donor_weight=weight, incidence=rows(problem.incidence), levels=levels, **taken,
    )  # fmt: skip


def add_tilt(problem: Problem, tilt_of: np.ndarray, tilt: np.ndarray) -> Problem:
    """Return the problem with tilts beside those that it has.

    Parameters
    ----------
    tilt_of : (n_tilts, n_profiles) int
        Cell of each profile, -1 = none. Several tilts may share cells: members of a household each bring theirs.
    tilt : (n_zones, n_tilt_cells) float64
        Logarithms of the factors.
    """
    if problem.tilt is None:
        return replace(problem, tilt_of=tilt_of, tilt=tilt)
    moved = np.where(tilt_of >= 0, tilt_of + problem.tilt.shape[1], -1)
    return replace(problem, tilt_of=np.vstack([problem.tilt_of, moved]), tilt=np.hstack([problem.tilt, tilt]))
