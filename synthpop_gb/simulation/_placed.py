"""A population by unit: every placed unit an entry of its own, so that single copies can be exchanged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from synthpop_gb.population import DonorCounts, Population, Replicates, counted_units
from synthpop_gb.problem import Problem, by_unit
from synthpop_gb.status import WholeStatus

__all__ = ["placed_population"]

Exchange = Callable[[Population, DonorCounts], DonorCounts]


def placed_population(population: Population, exchange: Exchange | None = None, *, changes: tuple[dict, ...] = ()) -> Population:
    """Return the people as placed, each unit by itself, changed by `exchange`; replicates likewise.

    Parameters
    ----------
    population : Population
        Whose people. Estimates of what is returned are counts of whole people: it keeps no duals.
    exchange : callable, optional
        Called as exchange(population or one replicate of it, its placed units), returns the units that are there instead, each at
        most once in a zone.
    changes : tuple of dict
        What was changed, for `Provenance.scenario`.
    """
    problem = by_unit(population.problem)
    profile_of = np.full(len(problem.units), -1, np.int32)
    profile_of[problem.donor] = np.arange(len(problem.donor), dtype=np.int32)

    def rows(one: Population):
        units = one.placed()
        units = units if exchange is None else exchange(one, units)
        profile = profile_of[units.record]
        zone = np.repeat(np.arange(len(units.zones)), np.diff(units.indptr))
        order = np.lexsort((profile, zone))
        return units.indptr, profile[order], units.n[order].astype(np.int32)

    made = population.replicates
    again = None
    if made is not None:
        found = [rows(population.replicate(number)) for number in made.numbers.tolist()]
        off = np.stack([_remainder(problem, *r) for r in found]) if found else np.zeros((0, problem.n_zones))
        indptr, profile, count = zip(*(_small(*r) for r in found), strict=True) if found else ((), (), ())
        again = Replicates(made.numbers, made.sources, indptr, profile, count, made.fit, off.astype(np.float32))
    indptr, profile, count = rows(population)
    remainder = _remainder(problem, indptr, profile, count)
    status = population.status.assign(
        whole=np.where(remainder == 0, WholeStatus.EXACT.name, WholeStatus.REMAINDER.name).astype(object),
        remainder=remainder, **counted_units(problem, indptr, profile, count),
    )  # fmt: skip
    told = {"changes": list(changes)} if changes else None
    provenance = replace(population.provenance, scenario=told)
    for array in (indptr, profile, count):
        array.setflags(write=False)
    return Population(problem, indptr, profile, count, status, None, provenance, None, None, again, population.number)


def _remainder(problem: Problem, indptr, profile, count) -> np.ndarray:
    """(n_zones,) total absolute error against the targets, persons and households."""
    from scipy.sparse import csr_array

    whole = csr_array((count.astype(np.float64), profile, indptr), shape=(problem.n_zones, problem.n_profiles))
    return np.abs((whole @ problem.members.matrix()).toarray() - np.rint(problem.targets)).sum(axis=1)


def _small(indptr, profile, count):
    """Rows in the smallest integers that hold them."""
    count = count.astype(np.uint16 if count.max(initial=0) < 1 << 16 else np.int32)
    for array in (indptr, profile, count):
        array.setflags(write=False)
    return indptr, profile, count
