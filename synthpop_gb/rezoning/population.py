"""Whole people and households brought to other areas: counted where zones nest, dealt out whole where zones are divided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.errors import refuse
from synthpop_gb.lookup import Lookup
from synthpop_gb.population import DonorCounts, Population, ZoneDonors, id_order, sort_by_id, with_members
from synthpop_gb.problem import zone_key
from synthpop_gb.rezoning.fate import Fate, fate

__all__ = ["Dealt", "deal_out", "rezone"]

_UNITS = 1_500_000  # of a block of whole zones, about: what is held at once beside the result


@dataclass(frozen=True, eq=False)
class Dealt:
    """Units of a block of zones, one entry a copy: zone by zone, in the order in which the population places them.

    zone : (n,) int64 positions in the population's zones; unit : (n,) int32 positions in its units; number : (n,) int64, from 1
    in each zone; area : (n,) int32 positions in `Fate.areas`, -1 = in none.
    """

    zone: np.ndarray
    unit: np.ndarray
    number: np.ndarray
    area: np.ndarray


def rezone(
    population: Population | ZoneDonors, lookup: Lookup, *, to: str | None = None, seed: int | None = None, best_fit: bool = False
) -> ZoneDonors:
    """Count a population's people, or households with their people, in other areas.

    A zone that lies in one area goes there whole. A zone divided between areas by the lookup's weights has its people (whole
    households, where those are what was placed) dealt out without bias: each goes to an area with the probability that is the
    area's weight, kinds of people in proportion (`kernels.allocate`), by a draw from the zone's own stream, so a zone's people
    go the same ways whatever else is in the study. Nobody is split, duplicated or averaged.

    Parameters
    ----------
    population : Population or ZoneDonors
        Who lives where.
    lookup : Lookup
        Areas of its zones (`read.lookup`, `Lookup.of`).
    to : str, optional
        What the areas are called in the result; the lookup's column by default.
    seed : int, optional
        Fixes the draws; the population's own by default, 0 for `ZoneDonors`.
    best_fit : bool
        Give zones in several areas wholly to the one with most of them, instead of dividing or refusing them. Areas that get
        nobody thereby are in the result, with nobody.

    Returns
    -------
    ZoneDonors
        One row an area, in order of the codes; `findings` say which zones were divided or lost, and which areas are covered in
        part.

    Raises
    ------
    InputError
        'ambiguous-zone' where zones lie in several areas and no weights say how they are divided, nor with `best_fit` which has
        most of them; 'no-zones' where no zone lies in an area. With every other finding.
    ValueError
        For `ZoneDonors` of whole households, which do not know who belongs together: rezone the population that they came from.

    Examples
    --------
    >>> from synthpop_gb import solve
    >>> from synthpop_gb.testing import small_problem
    >>> population = solve(small_problem(3), seed=1)
    >>> rezone(population, Lookup.of({"Z00000": "N", "Z00001": "N", "Z00002": "S"}), to="side").summary()[["zone", "people"]]
      zone  people
    0    N      30
    1    S      15
    """
    if isinstance(population, ZoneDonors) and population.households is not None:
        raise ValueError("households that were counted by area can be divided no further: rezone the population they came from")
    where = fate(population.zones, lookup, best_fit=best_fit, people=_people(population))
    refuse((*lookup.findings, *where.findings))
    units = _units(population)
    _, rank = id_order(units)
    size, chunks, people_of = len(units), [], _sizes(population)
    lost = np.zeros(len(population.zones), np.int64)
    for dealt in deal_out(population, where, seed=seed):
        kept = dealt.area >= 0
        np.add.at(lost, dealt.zone[~kept], people_of[dealt.unit[~kept]])
        chunks.append(np.unique(dealt.area[kept].astype(np.int64) * size + rank[dealt.unit[kept]], return_counts=True))
    counts = _gathered(chunks, where.areas, units, size)
    name = f"{_name(population)} counted by {to or lookup.to}"
    columns = (to or lookup.to, "donor", "n")
    findings = (*lookup.findings, *where.recounted(population.zones, lost))
    households = ids = None
    records = units
    if isinstance(population, Population) and population.problem.households is not None:
        households, ids, records = counts, units, population.problem.records
        members = with_members(counts, population.problem.member_start, population.problem.member)
        counts = sort_by_id(members, *id_order(records))
    rows = int(counts.n.sum(dtype=np.int64))
    return ZoneDonors(name, counts, records, rows, columns, findings=findings, households=households, household_ids=ids)


def deal_out(population: Population | ZoneDonors, where: Fate, *, seed: int | None = None) -> Iterator[Dealt]:
    """Yield every unit with the area that it goes to, some zones at a time; see `rezone` for the draw.

    where : from `fate`, of the population's zones.
    """
    from synthpop_gb.kernels.allocate import allocate_zones
    from synthpop_gb.kernels.streams import REZONE, stream_keys

    of_unit = _kinds(population)
    for first, block in _blocks(population):
        n_zones = len(block.zones)
        zone = np.repeat(np.arange(n_zones), np.diff(block.indptr))
        unit, at = np.repeat(block.record, block.n), np.repeat(zone, block.n)
        start = np.concatenate([[0], np.cumsum(np.bincount(at, minlength=n_zones))]).astype(np.int64)
        parts = slice(where.part_start[first], where.part_start[first + n_zones])
        part_start = where.part_start[first : first + n_zones + 1] - where.part_start[first]
        keys = stream_keys(_seed(population, seed), _keys(population, first, n_zones), _replicate(population), REZONE)
        part = allocate_zones(start, of_unit[unit], part_start, np.ascontiguousarray(where.share[parts]), keys)
        entry = np.where(part >= 0, part_start[at] + part, -1)
        area = np.append(where.area[parts], np.int32(-1))[entry]
        yield Dealt(at + first, unit, np.arange(len(at)) - start[at] + 1, area)


def _units(population: Population | ZoneDonors) -> pd.Index:
    return population.donors if isinstance(population, ZoneDonors) else population.problem.units


def _people(population: Population | ZoneDonors) -> np.ndarray:
    if isinstance(population, ZoneDonors):
        return population.counts.people
    return population.status["people"].to_numpy(np.int64)


def _sizes(population: Population | ZoneDonors) -> np.ndarray:
    """(n_units,) int64: people of each unit."""
    if isinstance(population, ZoneDonors) or population.problem.households is None:
        return np.ones(len(_units(population)), np.int64)
    return np.diff(population.problem.member_start)


def _kinds(population: Population | ZoneDonors) -> np.ndarray:
    """(n_units,) int32: profile of each unit, in whose order the cells of the first constraint weigh most; 0 where unknown."""
    kind = np.zeros(len(_units(population)), np.int32)
    if isinstance(population, Population):
        kind[population.problem.donor] = population.problem.donor_profile
    return kind


def _blocks(population: Population | ZoneDonors) -> Iterator[tuple[int, DonorCounts]]:
    """Position of the first zone, and the units of some whole zones."""
    people = np.cumsum(_people(population))
    first, n_zones = 0, len(people)
    while first < n_zones:
        before = people[first - 1] if first else 0
        last = max(int(np.searchsorted(people, before + _UNITS, side="right")), first + 1)
        rows = np.arange(first, last)
        yield first, population.counts.at(rows) if isinstance(population, ZoneDonors) else population.placed(rows)
        first = last


def _seed(population: Population | ZoneDonors, seed: int | None) -> int:
    if seed is not None:
        return seed
    return 0 if isinstance(population, ZoneDonors) else population.provenance.seed


def _replicate(population: Population | ZoneDonors) -> int:
    return 0 if isinstance(population, ZoneDonors) else population.number


def _keys(population: Population | ZoneDonors, first: int, n: int) -> np.ndarray:
    if isinstance(population, ZoneDonors):
        return np.array([zone_key(z) for z in population.zones[first : first + n]], np.uint64)
    return population.problem.zone_keys[first : first + n]


def _name(population: Population | ZoneDonors) -> str:
    if isinstance(population, ZoneDonors):
        return population.name
    return str((population.provenance.study or {}).get("name", "population"))


def _gathered(chunks: list, areas: pd.Index, units: pd.Index, size: int) -> DonorCounts:
    """Put blocks together: areas by units, units in the order of their ids. An area may have got people from several blocks."""
    key = np.concatenate([k for k, _ in chunks]) if chunks else np.empty(0, np.int64)
    n = np.concatenate([n for _, n in chunks]) if chunks else np.empty(0, np.int64)
    order = np.argsort(key, kind="stable")
    key, n = key[order], n[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    key, n = key[first], np.add.reduceat(n, first) if len(first) else n
    area, rank = np.divmod(key, max(size, 1))
    indptr = np.concatenate([[0], np.cumsum(np.bincount(area, minlength=len(areas)))]).astype(np.int64)
    by_id, _ = id_order(units)
    return DonorCounts(areas.rename("zone"), indptr, by_id[rank].astype(np.int32), n.astype(np.int32))
