"""Whole tables for whole households to meet: the targets where they are exact, else rounded from the fit so that they agree."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from synthpop_gb.kernels.consistent import Relations, among_cells, relations_of, round_consistent
from synthpop_gb.kernels.streams import ROUND
from synthpop_gb.methods._method import Streams
from synthpop_gb.methods._remembered import Remembered
from synthpop_gb.problem import Problem

__all__ = ["nearest_consistent", "whole_goals", "zone_relations"]

_REACH = 3.0  # how far from the fit the last resort may take a cell
_NODES = 10_000  # of its search; a handful are usual. A limit of time would make results depend on the machine


def whole_goals(
    problem: Problem, zones: np.ndarray, weights_of: Callable, margins: np.ndarray, soft: np.ndarray, streams: Streams
) -> tuple[np.ndarray, bool]:
    """Find whole targets for some zones, and say whether any of them were rounded from the fit.

    Parameters
    ----------
    problem : Problem
        Of households or of persons.
    zones : (n,) int
        Positions of the zones.
    weights_of : callable
        Position in `zones` -> (n_profiles,) float64, fitted weights, units.
    margins : (n, n_cells) float64
        Their sums.
    soft : (n, n_cells) bool
        Cells met softly: rounded from the margins. The others keep the problem's target.
    streams : Streams
        Randomness: each zone's stream of purpose ROUND.

    Returns
    -------
    (n, n_cells) float64, bool
    """
    goals = np.rint(problem.targets[zones])
    rows = np.flatnonzero(soft.any(axis=1))
    if not len(rows):
        return goals, False
    relations, matrix = zone_relations(problem), problem.members.matrix()
    first = matrix[:, np.flatnonzero(relations.first[: problem.n_cells])].T
    moments = np.stack([(first.multiply(weights_of(int(row))[None]) @ matrix).toarray() for row in rows])
    mixed = np.where(soft[rows], margins[rows], goals[rows])
    rounded, still = round_consistent(relations, mixed, moments, streams.keys(problem.zone_keys[zones[rows]], ROUND))
    for i in np.flatnonzero(still):
        rounded[i] = nearest_consistent(relations, mixed[i], soft[rows[i]])
    goals[rows] = np.where(soft[rows], rounded, goals[rows])
    return goals, True


def nearest_consistent(relations: Relations, wanted: np.ndarray, soft: np.ndarray) -> np.ndarray:
    """Find the whole numbers nearest to margins that keep all relations and exact cells; each by itself where there are none."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array, eye_array, hstack, vstack

    n, every = len(wanted), among_cells(relations)
    unit = eye_array(n)
    away = vstack([hstack([unit, -unit]), hstack([-unit, -unit])])  # |whole - wanted| <= the second half of the variables
    keep = hstack([csr_array(every), csr_array(every.shape)])
    low = np.where(soft, np.maximum(np.floor(wanted) - _REACH, 0.0), wanted)
    high = np.where(soft, np.ceil(wanted) + _REACH, wanted)
    found = milp(
        np.concatenate([np.zeros(n), np.ones(n)]),
        constraints=[LinearConstraint(keep, 0.0, 0.0), LinearConstraint(away, -np.inf, np.concatenate([wanted, -wanted]))],
        bounds=Bounds(np.concatenate([low, np.zeros(n)]), np.concatenate([high, np.full(n, np.inf)])),
        integrality=np.concatenate([np.ones(n), np.zeros(n)]), options={"node_limit": _NODES},
    )  # fmt: skip
    return np.rint(wanted if found.x is None else found.x[:n])


def _make_relations(problem: Problem) -> Relations:
    members = problem.members
    of_households = (problem.cell_of >= 0).any(axis=1) & (problem.incidence is not None)
    return relations_of(members.start, members.cell, members.count, problem.start, problem.constraint_start, of_households)


zone_relations = Remembered(_make_relations)
