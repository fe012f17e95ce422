"""Assertions about populations, for our tests and for authors of methods; and a problem small enough to check by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthpop_gb.incidence import Incidence
from synthpop_gb.population import Population, zone_digests
from synthpop_gb.problem import Problem, zone_key

__all__ = ["assert_fits", "assert_same_population", "small_household_problem", "small_problem"]


def small_problem(n_zones: int = 2) -> Problem:
    """Return a problem of sex (2) x age (2), six records and `n_zones` zones of 15 people each, that fits exactly.

    Zone z has 5 + z % 6 women and 10 - z % 6 men, 7 young and 8 old.

    >>> small_problem()
    Problem: 2 zones x 4 profiles x 4 cells in 2 constraints; 6 donors
    """
    women = 5.0 + np.arange(n_zones) % 6
    zones = pd.Index([f"Z{z:05d}" for z in range(n_zones)], name="zone")
    return Problem(
        start=np.array([2.0, 1.0, 1.5, 1.5]),
        cell_of=np.array([[0, 0, 1, 1], [2, 3, 2, 3]]),
        constraint_start=np.array([0, 2, 4]),
        targets=np.column_stack([women, 15 - women, np.full(n_zones, 7.0), np.full(n_zones, 8.0)]),
        zone_keys=np.array([zone_key(z) for z in zones], dtype=np.uint64),
        donor_start=np.array([0, 2, 3, 4, 6]),
        donor=np.array([0, 4, 1, 2, 3, 5]),
        donor_weight=np.array([0.5, 1.5, 1.0, 1.5, 0.75, 0.75]),
        zones=zones,
        records=pd.Index([101, 102, 103, 104, 105, 106], name="record"),
        cells=pd.MultiIndex.from_tuples(
            [("sex", "female"), ("sex", "male"), ("age", "young"), ("age", "old")], names=["constraint", "category"]
        ),
    )


def small_household_problem(n_zones: int = 2) -> Problem:
    """Return a problem of whole households: their size (1, 2 or more), their members' sex; zones fit exactly.

    Zone z is 2 + z % 3 women and 2 men who live alone, two couples, a couple with a girl, and two men who share.

    >>> small_household_problem()
    Problem: 2 zones x 5 profiles x 4 cells in 2 constraints; 5 households
    """
    women = 2.0 + np.arange(n_zones) % 3
    zones = pd.Index([f"Z{z:05d}" for z in range(n_zones)], name="zone")
    counted = np.array([[1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 2, 1], [0, 1, 1, 1], [0, 1, 0, 2]])  # size 1, 2+; female, male
    return Problem(
        start=np.array([1.0, 1.0, 0.5, 2.0, 0.25]),
        cell_of=np.array([[0, 0, 1, 1, 1], [-1, -1, -1, -1, -1]]),
        constraint_start=np.array([0, 2, 4]),
        targets=np.column_stack([women + 2, np.full(n_zones, 4.0), women + 4, np.full(n_zones, 7.0)]),
        zone_keys=np.array([zone_key(z) for z in zones], dtype=np.uint64),
        donor_start=np.arange(6),
        donor=np.arange(5),
        donor_weight=np.array([1.0, 1.0, 0.5, 2.0, 0.25]),
        zones=zones,
        records=pd.Index(range(101, 110), name="record"),
        cells=pd.MultiIndex.from_tuples(
            [("size", "1"), ("size", "2+"), ("sex", "female"), ("sex", "male")], names=["constraint", "category"]
        ),
        incidence=Incidence.of_rows(counted),
        households=pd.Index(["a", "b", "c", "d", "e"], name="household"),
        member_start=np.array([0, 1, 2, 5, 7, 9]),
        member=np.arange(9),
        size=np.array([1, 1, 3, 2, 2]),
    )


def assert_same_population(left: Population, right: Population) -> None:
    """Assert that two populations hold the same people: equal counts of every record in every zone, in any order of zones.

    Raises AssertionError that names zones which differ.

    >>> from synthpop_gb import solve
    >>> assert_same_population(solve(small_problem(), seed=1, workers=1), solve(small_problem(), seed=1, workers=2, block_size=1))
    """
    found = [zone_digests(p.blocks(), p.problem.records) for p in (left, right)]
    frame = pd.concat(found, axis=1, keys=["left", "right"])
    differing = frame.index[(frame["left"] != frame["right"]).to_numpy()]
    assert not len(differing), f"{len(differing)} of {len(frame)} zones hold different people, first {', '.join(differing[:5])}"


def assert_fits(population: Population, *, tolerance: float = 0.01, exact: bool = True) -> None:
    """Assert that a population is what it says and meets its targets, by a count of its own.

    Checked are the shape of the sparse rows; that every zone CONVERGED (or is EMPTY) with the fractional weights, where the
    method keeps duals and settled no tables by itself, within `tolerance` persons of every target; that people recounted by
    cell agree with the status and, with `exact`, with the targets (or the tables that the method settled on); that the donors
    placed add up to the whole counts, profile by profile.

    Raises AssertionError that names the first zone and cell.

    >>> from synthpop_gb import solve
    >>> assert_fits(solve(small_problem(), seed=1))
    """
    problem, status = population.problem, population.status
    indptr, profile, count = population.indptr, population.profile, population.count
    delimited = indptr[0] == 0 and indptr[-1] == len(profile) == len(count) and (np.diff(indptr) >= 0).all()
    assert delimited, "rows do not delimit the entries"
    assert (count > 0).all(), "an entry of nobody"
    assert list(status.index) == list(problem.zones), "status is not in the order of the zones"
    unfit = status.index[~status["fit"].isin(["CONVERGED", "EMPTY"])]
    assert not len(unfit), f"{len(unfit)} zones are not fitted, first {unfit[0]}: {status.loc[unfit[0], 'fit']}"
    for first in range(0, problem.n_zones, 256):
        zones = np.arange(first, min(first + 256, problem.n_zones))
        if population.duals is not None and population.settled is None:
            _assert_close(problem, zones, population.fitted(zones), problem.targets, tolerance, "fractional weights")
        whole = _dense(indptr, profile, count, zones, problem.n_profiles)
        miss = np.abs(_by_cell(problem, whole) - population.goals[zones]).sum(axis=1)
        said = status["remainder"].to_numpy()[zones]
        assert np.allclose(miss, said, atol=1e-6), (
            f"zone {problem.zones[zones[np.argmax(miss != said)]]} misses {miss.max()} in all, not what it says"
        )
        if exact:
            _assert_close(problem, zones, whole, population.goals, 1e-9, "whole people")
        _assert_donors(population, zones, whole)


def _dense(indptr, column, value, rows, width) -> np.ndarray:
    """Fill some rows of a sparse matrix, dense."""
    out = np.zeros((len(rows), width))
    for i, z in enumerate(rows):
        np.add.at(out[i], column[indptr[z] : indptr[z + 1]], value[indptr[z] : indptr[z + 1]])
    return out


def _by_cell(problem: Problem, weights: np.ndarray) -> np.ndarray:
    """(n, n_profiles) weights -> (n, n_cells) sums."""
    out = np.zeros((len(weights), problem.n_cells))
    members = problem.members
    profile = np.repeat(np.arange(members.n_profiles), np.diff(members.start))
    np.add.at(out.T, members.cell, (weights[:, profile] * members.count).T)
    return out


def _assert_close(problem, zones, weights, goals, tolerance, what) -> None:
    gap = np.abs(_by_cell(problem, weights) - goals[zones])
    z, cell = np.unravel_index(np.argmax(gap), gap.shape)
    place = f"{problem.zones[zones[z]]}, {' = '.join(map(str, problem.cells[cell]))}"
    assert gap.max() <= tolerance, f"{what} miss {gap.max():.6g} persons in {place}"


def _assert_donors(population: Population, zones: np.ndarray, whole: np.ndarray) -> None:
    problem = population.problem
    placed = population.placed(zones)
    profile_of = np.full(len(problem.units), -1)
    profile_of[problem.donor] = problem.donor_profile
    by_profile = _dense(placed.indptr, profile_of[placed.record], placed.n, np.arange(len(zones)), problem.n_profiles)
    assert (placed.n > 0).all(), "a donor of nobody"
    assert (by_profile == whole).all(), f"donors do not add up to the whole counts of zones {problem.zones[zones[0]]} ..."
