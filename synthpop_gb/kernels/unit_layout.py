"""What the kernels that place whole households need to know of a problem, worked out once, and the work space of a component.

A *unit* is a household with its members, or a resident of a communal establishment. Units are placed for a *component*: one zone,
or all the zones that constraints of a level above bind together. Cells of all its zones and of the areas above lie in one flat
row of gaps, and `Component.place` says where: a swap within a zone then changes the gaps of the zone and of what it lies in.
"""

from typing import NamedTuple

import numpy as np

from synthpop_gb.kernels.layout import cell_salts

__all__ = ["Component", "UnitLayout", "UnitWork", "component", "unit_layout", "unit_work"]


class UnitLayout(NamedTuple):
    """Tables of one problem. All arrays C-contiguous, writeable for numba's sake, never written.

    n_cells : cells of zones, then of the levels above.
    start : (n_profiles + 1,) int64, cell, count : (nnz,) int32. Members of each profile's household by cell.
    household : (n_cells,) bool. Cells that count households.
    stratum : (3, n_profiles) int32. Swaps keep within strata. First the *narrow* ones, alike in all household cells and in
        `size`, so that swaps leave household tables and the number of people as they are; then those *alike* in household
        cells; then the *wide* one, everybody.
    order : (3, n_profiles) int32. Profiles stratum by stratum.
    first : (3, n_strata + 1) int32. First place in `order` of each stratum.
    size : (n_profiles,) int32. Members whom the *people's table* counts: the table of persons of a zone that counts most of them.
    people_first, people_end : its cells; both 0 where no table counts persons.
    """

    n_cells: int
    start: np.ndarray
    cell: np.ndarray
    count: np.ndarray
    household: np.ndarray
    stratum: np.ndarray
    order: np.ndarray
    first: np.ndarray
    size: np.ndarray
    people_first: int
    people_end: int


class Component(NamedTuple):
    """Zones that are placed together.

    place : (n_zones, n_cells) int32. Place of each cell in the flat row of gaps; -1 where nothing binds the zone to it.
    target : (n_gaps,) int32. Whole targets, in that row.
    household : (n_gaps,) bool. Whether it counts households.
    salts : (n_gaps,) uint64. Random numbers that sums of cells are recognised by.
    most : (n_zones, n_profiles) int32. Copies that a zone may have of a profile.
    """

    place: np.ndarray
    target: np.ndarray
    household: np.ndarray
    salts: np.ndarray
    most: np.ndarray


class UnitWork(NamedTuple):
    """Work space of one thread for components of up to so many zones; its content means nothing between components.

    fraction : (n_profiles,) float64, undecided, people : (n_profiles,) int32   the cube's
    inverse : (n_cells, stride) float64, direction, level : (stride,) float64, basis : (n_cells,) int32   the cube's basis
    chance : (n_zones, n_profiles) float64, alias : (n_zones, n_profiles) int32   donors by zone and stratum, to draw from
    small, large : (n_profiles,) int32   used while those are made
    """

    fraction: np.ndarray
    undecided: np.ndarray
    people: np.ndarray
    inverse: np.ndarray
    direction: np.ndarray
    level: np.ndarray
    basis: np.ndarray
    chance: np.ndarray
    alias: np.ndarray
    small: np.ndarray
    large: np.ndarray


def unit_layout(start, cell, count, tables, n_zone_tables, household) -> UnitLayout:
    """Work out the layout of a problem: see `UnitLayout`.

    start, cell, count : incidence of profiles and cells, those of zones first, then level by level.
    tables : (n_tables + 1,) int. First cell of each table, then the number of cells. n_zone_tables : how many are of zones.
    household : (n_tables,) bool. Which count households.
    """
    start, cell, count = np.array(start, np.int64), np.array(cell, np.int32), np.array(count, np.int32)
    tables, of_households = np.array(tables, np.int64), np.array(household, np.bool_)
    n_profiles, n_cells = len(start) - 1, int(tables[-1])
    household = np.repeat(of_households, np.diff(tables))
    profile = np.repeat(np.arange(n_profiles), np.diff(start))
    size, people = np.zeros(n_profiles, np.int64), (0, 0)
    for t in range(n_zone_tables):
        inside = (cell >= tables[t]) & (cell < tables[t + 1])
        members = np.bincount(profile[inside], count[inside], n_profiles).astype(np.int64)
        if not of_households[t] and members.sum() > size.sum():
            size, people = members, (int(tables[t]), int(tables[t + 1]))
    alike = _alike(profile, cell, count, household, n_profiles)
    narrow = _numbered(alike * (size.max(initial=0) + 1) + size)
    stratum = np.stack([narrow, alike, np.zeros(n_profiles, np.int64)]).astype(np.int32)
    order = np.argsort(stratum, axis=1, kind="stable").astype(np.int32)
    first = np.stack([np.searchsorted(np.sort(row), np.arange(narrow.max(initial=-1) + 2)) for row in stratum]).astype(np.int32)
    return UnitLayout(
        n_cells, start, cell, count, household, stratum, order, first,
        size.astype(np.int32), *people,
    )  # fmt: skip


def _alike(profile, cell, count, household, n_profiles):
    """(n_profiles,) number of the group of profiles that are alike in all cells of households."""
    here = household[cell]
    keys = np.zeros(n_profiles, np.uint64)
    np.add.at(keys, profile[here], cell_salts(len(household))[cell[here]] * count[here].astype(np.uint64))
    return _numbered(keys)


def _numbered(keys):
    """Give groups of equal keys numbers as they first appear: neighbours among profiles have neighbouring numbers."""
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    number = np.empty(len(first), np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    return number[group.reshape(-1)]


def component(place, target, household, most) -> Component:
    """Put a component together: see `Component`. target : (n_gaps,), taken to whole numbers."""
    place, most = np.ascontiguousarray(place, np.int32), np.ascontiguousarray(most, np.int32)
    salts = cell_salts(len(target))[:-1].copy()
    return Component(place, np.rint(target).astype(np.int32), np.ascontiguousarray(household, np.bool_), salts, most)


def unit_work(layout: UnitLayout, n_zones: int = 1) -> UnitWork:
    """Allocate the work space for components of up to n_zones zones: 8 x cells^2 and 12 bytes a zone and profile."""
    n_profiles, stride = len(layout.start) - 1, -(-layout.n_cells // 8) * 8
    return UnitWork(
        fraction=np.zeros(n_profiles),
        undecided=np.zeros(n_profiles, np.int32),
        people=np.zeros(n_profiles, np.int32),
        inverse=np.zeros((layout.n_cells, stride)),
        direction=np.zeros(stride),
        level=np.zeros(stride),
        basis=np.zeros(layout.n_cells, np.int32),
        chance=np.zeros((n_zones, n_profiles)),
        alias=np.zeros((n_zones, n_profiles), np.int32),
        small=np.zeros(n_profiles, np.int32),
        large=np.zeros(n_profiles, np.int32),
    )
