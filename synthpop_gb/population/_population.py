"""Population: whole people by zone and profile, what became of each zone, and the rule that places donors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding, finding
from synthpop_gb.population._areas import areas_missed
from synthpop_gb.population._donors import DonorCounts, digest_counts, id_order, sort_by_id, with_members
from synthpop_gb.population._replicates import Replicates, resampled
from synthpop_gb.population._words import areas_said, fits_said, missed_said
from synthpop_gb.problem import Problem
from synthpop_gb.provenance import Provenance
from synthpop_gb.status import FitStatus, WholeStatus

if TYPE_CHECKING:
    from synthpop_gb.kernels.links import Link

__all__ = ["STATUS_COLUMNS", "Population", "counted_units"]

STATUS_COLUMNS = ("fit", "cycles", "residual", "worst_cell", "whole", "remainder", "people")
"""Columns of `Population.status` that every method fills, in order; a method's own follow them."""

_BLOCK = 512  # zones derived at once: about 6 MB of donors for zones of 1,500 people


def counted_units(problem: Problem, indptr: np.ndarray, profile: np.ndarray, count: np.ndarray) -> dict[str, np.ndarray]:
    """People by zone, and households where those are placed: columns of the status, (n_zones,) int64 each."""
    live = np.flatnonzero(np.diff(indptr))

    def by_zone(value):
        out = np.zeros(len(indptr) - 1, np.int64)
        if len(live):
            out[live] = np.add.reduceat(count.astype(np.int64) * value, indptr[live])
        return out

    found = {"people": by_zone(problem.people_of[profile])}
    if problem.households is not None:
        alone = np.zeros(problem.n_profiles, bool) if problem.communal is None else problem.communal
        found["households"] = by_zone(~alone[profile])
    return found


@dataclass(frozen=True, eq=False)
class Population:
    """Whole counts by zone and profile (replicate 0); donors follow from them and are derived by block, never stored.

    Attributes
    ----------
    problem : Problem
        What was solved.
    indptr : (n_zones + 1,) int64
        Entries of zone z are indptr[z] to indptr[z + 1] - 1.
    profile : (nnz,) int32
        Profiles present in the zone, ascending.
    count : (nnz,) int32
        Units of that profile, > 0: people, or households where whole households are placed.
    status : pandas.DataFrame
        By zone: fit (name of a `FitStatus`), cycles, residual (largest miss of the fit, persons), worst_cell (where, as
        'ethnic_group = other'; empty where every cell is met), whole (name of a `WholeStatus`), remainder (total absolute
        error of the whole people against `goals`; persons), people; households, where those are placed; then the method's own.
    duals : (n_zones, n_duals) float64 or None
        Duals that the fit found for each cell, mostly the logarithms of its factors, then for each cell of the areas that
        the zone lies in, level by level; None where the method has none.
    provenance : Provenance
        Seed, method, options, versions.
    link : kernels.links.Link, optional
        What makes weights of the duals; None for the start weights times the exponential of their sum.
    settled : (n_zones, n_duals) float64, optional
        Whole tables that the method settled on and made the people meet, persons: a fit to soft targets settles tables that
        disagree by itself. Like `duals` they go on, after the zone's own cells, with those of the areas that it lies in. None
        where the people were made to meet the problem's targets.
    replicates : Replicates or None
        Further populations of the same problem, where some were asked for.
    number : int
        Which replicate this is; 0 = the population itself.
    """

    problem: Problem
    indptr: np.ndarray
    profile: np.ndarray
    count: np.ndarray
    status: pd.DataFrame
    duals: np.ndarray | None
    provenance: Provenance
    link: Link | None = None
    settled: np.ndarray | None = None
    replicates: Replicates | None = None
    number: int = 0

    @property
    def goals(self) -> np.ndarray:
        """(n_zones, n_cells) float64 whole persons: what the people were made to meet, `settled` or else the targets rounded."""
        return np.rint(self.problem.targets) if self.settled is None else self.settled[:, : self.problem.n_cells]

    @property
    def level_goals(self) -> tuple[np.ndarray, ...]:
        """(n_areas, n_level_cells) float64 by level: what zones together were made to meet, as `goals`."""
        found, first = [], self.problem.n_cells
        for level in self.problem.levels:
            wanted = np.rint(level.targets)
            if self.settled is not None:
                bound = level.of_zone >= 0
                wanted[level.of_zone[bound]] = self.settled[bound, first : first + level.n_cells]
            found.append(wanted)
            first += level.n_cells
        return tuple(found)

    @property
    def zones(self) -> pd.Index:
        """Zone codes, in order."""
        return self.problem.zones

    @property
    def people(self) -> int:
        """How many people live in all zones together."""
        return int(self.status["people"].sum())

    def households(self, zones=None) -> DonorCounts:
        """Place households in some zones; as `donors`, with positions in `problem.households` and households counted.

        Residents of communal establishments, one a unit, are among them.

        Raises
        ------
        ValueError
            Where the population is of persons.
        """
        if self.problem.households is None:
            raise ValueError("this population is of persons: no survey of whole households was given")
        return self.placed(zones)

    def donors(self, zones=None) -> DonorCounts:
        """Place donors in some zones: the people of a zone are copies of survey records, or members of copied households.

        See `placed` for the draw.

        Parameters
        ----------
        zones : sequence, optional
            Zone codes, or positions as an integer array; all zones by default.

        Returns
        -------
        DonorCounts
            Records (positions in `problem.records`) and people copied from them, zones in the order asked for.
        """
        placed = self.placed(zones)
        return placed if self.problem.households is None else self._with_members(placed)

    def placed(self, zones=None) -> DonorCounts:
        """Place units in some zones: those of a profile are copies of its donors, by design weight.

        The draw hangs on the seed and the zone's code alone (its stream `PLACE`), so it is the same whichever zones are asked
        for together.

        Parameters
        ----------
        zones : sequence, optional
            Zone codes, or positions as an integer array; all zones by default.

        Returns
        -------
        DonorCounts
            In the order of `zones`.

        Raises
        ------
        KeyError
            Where a zone is not in the population.
        ValueError
            Where people are of a profile without donors, which no fit to the survey gives.
        """
        from synthpop_gb.kernels.placement import place_zones
        from synthpop_gb.kernels.streams import PLACE, stream_keys

        problem, where = self.problem, self._positions(zones)
        keys = stream_keys(self.provenance.seed, problem.zone_keys[where], self.number, PLACE)
        order, donor, cumulated, guide = self._placing
        start, rank, n, unplaced = place_zones(
            *self._rows(where), keys, problem.donor_start, donor, cumulated, guide, len(problem.units), problem.caps(where)
        )
        if unplaced:
            raise ValueError(f"{unplaced:,} units are of profiles that no record with a design weight above 0 has")
        return DonorCounts(problem.zones[where], start, order[rank], n)

    def _with_members(self, placed: DonorCounts) -> DonorCounts:
        """Turn households placed into the people in them, in the order of their records' ids."""
        people = with_members(placed, self.problem.member_start, self.problem.member)
        return sort_by_id(people, *self._record_order)

    @cached_property
    def _record_order(self) -> tuple[np.ndarray, np.ndarray]:
        return id_order(self.problem.records)

    @cached_property
    def _placing(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What every block of donors is placed with, worked out once.

        Records in the order of their ids; donors by their rank in it (they are placed in ascending rank, so what comes out is in
        the order of ids without sorting); design weights cumulated within profiles, and where to look in them.
        """
        from synthpop_gb.kernels.placement import placement_guide

        order, rank = id_order(self.problem.units)
        donor = rank[self.problem.donor].astype(np.int32)
        return order.astype(np.int32), donor, *placement_guide(self.problem.donor_start, self.problem.donor_weight)

    def replicate(self, number: int) -> Population:
        """Return one replicate as a population of its own: for validating, exporting, or simulating on it.

        Its donors are placed by the replicate's bootstrap weights and its own streams. It keeps no duals. Its status is of the
        refit, and its remainder against the tables as they were redrawn (those of its areas too); `problem.targets` are those of
        the population.

        Raises
        ------
        KeyError
            Where there is no replicate of that number. 0 is the population itself.
        """
        if number == 0:
            return self
        if self.replicates is None:
            raise KeyError(f"there is no replicate {number}: none was asked for")
        place, drawn = self.replicates.place(number), self.replicates.sources
        indptr, profile, count = self.replicates.rows(place)
        for array in (profile, count):
            array.setflags(write=False)
        problem = self.problem
        if "donors" in drawn:
            start, weight = resampled(problem, self.provenance.seed, number)
            problem = replace(problem, start=start, donor_weight=weight)
        remainder = self.replicates.remainder[place].astype(np.float64)
        status = self.status[list(STATUS_COLUMNS)].assign(
            fit=np.array([s.name for s in FitStatus], dtype=object)[self.replicates.fit[place]],
            cycles=0,
            residual=np.nan,
            worst_cell="",
            whole=np.where(remainder == 0, WholeStatus.EXACT.name, WholeStatus.REMAINDER.name).astype(object),
            remainder=remainder,
            **counted_units(problem, indptr, profile, count),
        )
        own = number if "whole" in drawn else 0
        return Population(problem, indptr, profile, count, status, None, self.provenance, number=own)

    def blocks(self, size: int = _BLOCK) -> Iterator[DonorCounts]:
        """Yield the donors of `size` zones at a time, in order: a whole country in the memory of one block."""
        for first in range(0, len(self.zones), size):
            yield self.donors(np.arange(first, min(first + size, len(self.zones))))

    def fitted(self, zones=None) -> np.ndarray:
        """Compute the fractional weights of some zones from their duals.

        Parameters
        ----------
        zones : sequence, optional
            Zone codes, or positions as an integer array; all zones by default (n_zones x n_profiles x 8 bytes: mind the size).

        Returns
        -------
        (len(zones), n_profiles) float64
            Units of each profile. Zones without people are nought throughout; linear calibration may go below nought.

        Raises
        ------
        ValueError
            Where the method keeps no duals.
        """
        if self.duals is None:
            raise ValueError(
                f"the method {self.provenance.method!r} keeps no duals, so there are no fractional weights to recompute"
            )
        from synthpop_gb.kernels.links import linked_weights, unit_scales, unit_weights

        problem, where = self.problem, self._positions(zones)
        if problem.incidence is None and not problem.levels and problem.tilt is None:
            arrays = problem.start, problem.cell_of, problem.constraint_start, problem.targets[where]
            weights = linked_weights(self.link, *arrays, self.duals[where])
        else:
            start = problem.start
            if problem.tilt is not None:
                start = start * np.exp(problem.tilt[where] @ problem.tilts.matrix().T)
            scale = unit_scales(problem.members, problem.start, problem.constraint_start, problem.targets[where])
            weights = unit_weights(self.link, scale, start, self._dual_members, self.duals[where])
        if problem.max_copies is not None:
            weights = np.minimum(weights, np.diff(problem.donor_start) * problem.caps(where)[:, None])
        weights[(self.status["fit"] == "EMPTY").to_numpy()[where]] = 0.0
        return weights

    @cached_property
    def _dual_members(self):
        """Members of each profile in each cell that has a dual, as a sparse matrix."""
        return self.problem.all_members.matrix()

    def digest(self) -> str:
        """SHA-256, in hexadecimal, over (zone code, record id, people), sorted: equal for equal people in any order of zones."""
        return digest_counts(self.blocks(), self.problem.records)

    @property
    def unfitted(self) -> pd.DataFrame:
        """Rows of `status` whose zones miss a target, in the fit or as whole people, the largest total miss first."""
        fits = self.status["fit"].isin(["CONVERGED", "EMPTY"]) & (self.status["whole"] == "EXACT")
        return self.status[~fits].sort_values(["remainder", "residual"], ascending=False, kind="stable")

    def findings(self) -> tuple[Finding, ...]:
        """Return what does not fit: nothing, or findings that name the zones and cells, worst first.

        `level-not-met` where areas above the zones miss their tables, `zone-not-fitted`, and `no-eligible-donor` where a method
        had to fall back on donors that a zone's tables exclude.
        """
        missed, found = self.unfitted, []
        found += [f for f in [self._areas_missed()] if f is not None]
        if not missed.empty:
            message = f"{missed_said(self.problem, self.status, missed.index)}: {fits_said(self.problem, self.status)}."
            place = str(missed.index[0])
            found.append(finding("zone-not-fitted", message, place=place, count=len(missed), rows=missed.reset_index()))
        if "fallback" in self.status and (self.status["fallback"] != "").any():
            fell = self.status[self.status["fallback"] != ""]
            ways = ", ".join(dict.fromkeys(fell["fallback"]))
            who = "1 zone has" if len(fell) == 1 else f"{len(fell):,} zones have"
            message = f"{who} no eligible donor (first: {fell.index[0]}); taken instead: {ways}."
            place = str(fell.index[0])
            found.append(finding("no-eligible-donor", message, place=place, count=len(fell), rows=fell.reset_index()))
        return tuple(found)

    def _areas_missed(self) -> Finding | None:
        if "level_remainder" not in self.status or not self.status["level_remainder"].any():
            return None
        return areas_missed(self.problem, self.level_goals, self.indptr, self.profile, self.count)

    def _positions(self, zones) -> np.ndarray:
        if zones is None:
            return np.arange(len(self.zones))
        asked = np.asarray(zones)
        if asked.dtype.kind in "iu" and self.zones.dtype.kind not in "iu":
            if asked.size and (asked.min() < 0 or asked.max() >= len(self.zones)):
                raise KeyError(f"positions run from 0 to {len(self.zones) - 1}")
            return asked.astype(np.int64)
        where = self.zones.get_indexer(pd.Index(zones))
        if (where < 0).any():
            raise KeyError(f"no such zone: {pd.Index(zones)[where < 0][0]}")
        return where

    def _rows(self, where: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sparse rows of some zones, in the order asked for; read-only, as kernels are compiled for."""
        lengths = np.diff(self.indptr)[where]
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        if where.size and (np.diff(where) == 1).all():  # neighbours: no copying
            entry = slice(self.indptr[where[0]], self.indptr[where[-1] + 1])
        else:
            entry = np.arange(indptr[-1]) + np.repeat(self.indptr[where] - indptr[:-1], lengths)
        rows = indptr, self.profile[entry], self.count[entry]
        for array in rows:
            array.setflags(write=False)
        return rows

    def __repr__(self) -> str:
        """Size, whether the whole people meet the targets, and the statuses of the fit."""
        remainder = self.status["remainder"]
        above = self._areas_missed()
        exact = int((remainder == 0).sum()) if above else int((self.status["whole"] == "EXACT").sum())
        goal = "every target" if self.settled is None else "every whole table rounded from the fit"
        homes = self.problem.households is not None
        goal += " of the zone" if above else ""
        whole = f"whole {'households' if homes else 'people'} meet {goal} in {exact:,} of {len(self.status):,} zones"
        if exact < len(self.status):
            missed = "persons and households" if homes else "persons"
            whole += f" (largest total miss {remainder.max():,.0f} {missed}, {remainder.idxmax()})"
        whole += f"; {areas_said(self.problem, above)}" if above else ""
        others = " and in communal establishments" if self.problem.communal is not None and self.problem.communal.any() else ""
        homes = f" in {int(self.status['households'].sum()):,} households{others}" if "households" in self.status else ""
        return (
            f"Population: {self.people:,} people{homes} in {len(self.zones):,} zones, {self.problem.n_profiles:,} profiles of "
            f"{self.problem.donors_said}\n{whole}\n{fits_said(self.problem, self.status)}"
            + (f"\n{self.replicates!r}" if self.replicates is not None else "")
        )
