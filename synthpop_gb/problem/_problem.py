"""The noun itself: its arrays, who its units and donors are, its parts for some zones."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.frozen import freeze
from synthpop_gb.incidence import Incidence
from synthpop_gb.level import Level
from synthpop_gb.problem._checks import check

__all__ = ["Problem", "zone_key"]


_ARRAYS = (
    ("start", np.float64, 1), ("cell_of", np.int32, 2), ("constraint_start", np.int32, 1), ("targets", np.float64, 2),
    ("zone_keys", np.uint64, 1), ("donor_start", np.int64, 1), ("donor", np.int32, 1), ("donor_weight", np.float64, 1),
    ("standard_error", np.float64, None), ("published", np.float64, 2), ("first_duals", np.float64, 2),
    ("stratum", np.int32, 1), ("cluster", np.int32, 1), ("member_start", np.int64, 1), ("member", np.int32, 1),
    ("size", np.int32, 1), ("communal", np.bool_, 1), ("tilt_of", np.int32, 2), ("tilt", np.float64, 2),
    ("guide_of", np.int32, 2), ("guide_start", np.int32, 1), ("guide_targets", np.float64, 2),
)  # fmt: skip


def zone_key(code: str) -> int:
    """64-bit key of a zone's code: what its random streams hang on. BLAKE2b, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(str(code).encode(), digest_size=8).digest(), "little")


@dataclass(frozen=True, eq=False)
class Problem:
    """Arrays that a solver needs. All C-contiguous and read-only, also after pickling (numba types read-only arrays apart).

    *Units* are what is placed: records, or households where `households` is given. A profile is then a kind of household, and its
    donors are households, whose members come along.

    Attributes
    ----------
    start : (n_profiles,) float64
        Start weights: the design weight of each profile, in units of the survey's grossing.
    cell_of : (n_constraints, n_profiles) int32
        Cell that each profile is in, numbered across all constraints; -1 = outside the constraint's universe. Where units are
        households, constraints that count persons have -1 throughout: `incidence` says how many members are in each cell.
    constraint_start : (n_constraints + 1,) int32
        First cell of each constraint; cells of constraint c are constraint_start[c] to constraint_start[c + 1] - 1.
    targets : (n_zones, n_cells) float64
        Harmonised counts; constraints of one universe share one total.
    zone_keys : (n_zones,) uint64
        Hash of each zone's code (`zone_key`).
    donor_start : (n_profiles + 1,) int64
        First donor of each profile in `donor`. Kept where the donors themselves are left out, since it tells how many there are.
    donor : (n_donors,) int32
        Positions in `units`, profile by profile.
    donor_weight : (n_donors,) float64
        Design weights of those donors.
    zones, records : pandas.Index
        Zone codes; the survey's own record ids.
    cells : pandas.MultiIndex
        Levels constraint, category: labels of the cells.
    standard_error : (n_cells,) or (n_zones, n_cells) float64, optional
        Standard deviation of the publisher's perturbation of each published count, persons; 0 = exact. None = all exact.
    published : (n_zones, n_cells) float64, optional
        The counts as published, before tables that disagree were settled. None = the targets.
    first_duals : (n_zones, n_cells) float64, optional
        Where fitting starts: duals of a fit to nearby targets or start weights. Changes how many steps a fit takes, not its aim.
    stratum, cluster : (n_units,) int32, optional
        Stratum and primary sampling unit of each unit, numbered from 0: what the survey's bootstrap needs to know.
    guide_of : (n_guides, n_profiles) int32, optional
        Bin that each profile is in, numbered across all *guides*: distributions of statistics that are no constraint. Only
        methods that choose whole records heed them; profiles are then alike on the bins as well.
    guide_start : (n_guides + 1,) int32, optional
        First bin of each guide.
    guide_targets : (n_zones, n_bins) float64, optional
        Share of people wanted in each bin; the shares of a guide add up to 1.
    guides : pandas.MultiIndex, optional
        Levels distribution, bin: labels of the bins.
    incidence : Incidence, optional
        Where units are households: members of a profile's household in each cell, 1 for the household's own cells.
    households : pandas.Index, optional
        Ids of the survey's households, and of residents of communal establishments, each a unit of its own.
    member_start, member : (n_units + 1,) int64 and (n_members,) int32, optional
        Members of each unit, as positions in `records`, the reference first. Kept with `donor`, left out with it.
    size : (n_profiles,) int32, optional
        Members of each profile's household. None = 1.
    communal : (n_profiles,) bool, optional
        Profiles of residents of communal establishments, which are no households. None = nobody.
    levels : tuple of Level
        Constraints that bind several zones together, the finest level first.
    tilt_of : (n_tilts, n_profiles) int32, optional
        Cell that each profile is in of each *tilt*, numbered across all tilts; -1 = none. A tilt is a factor on the start weights
        that differs by zone, such as a joint table predicted for it.
    tilt : (n_zones, n_tilt_cells) float64, optional
        Logarithm of the factor. The start weight of a profile in a zone is start * exp(sum of its tilts).
    max_copies : float, optional
        How often one donor may stand in a zone: a whole number from 1, or below 1 a share of the zone's units (see `caps`).
    aligned : Aligned, optional
        What the problem was formulated from, for whoever needs the records afterwards. Solvers never see it: it is left behind
        where a problem is pickled, cut or stripped of its donors.
    """

    start: np.ndarray
    cell_of: np.ndarray
    constraint_start: np.ndarray
    targets: np.ndarray
    zone_keys: np.ndarray
    donor_start: np.ndarray
    donor: np.ndarray
    donor_weight: np.ndarray
    zones: pd.Index
    records: pd.Index
    cells: pd.MultiIndex
    standard_error: np.ndarray | None = None
    published: np.ndarray | None = None
    first_duals: np.ndarray | None = None
    stratum: np.ndarray | None = None
    cluster: np.ndarray | None = None
    guide_of: np.ndarray | None = None
    guide_start: np.ndarray | None = None
    guide_targets: np.ndarray | None = None
    guides: pd.MultiIndex | None = None
    incidence: Incidence | None = None
    households: pd.Index | None = None
    member_start: np.ndarray | None = None
    member: np.ndarray | None = None
    size: np.ndarray | None = None
    communal: np.ndarray | None = None
    levels: tuple[Level, ...] = ()
    tilt_of: np.ndarray | None = None
    tilt: np.ndarray | None = None
    max_copies: float | None = None
    aligned: Aligned | None = None

    def __post_init__(self):
        freeze(self, _ARRAYS)
        check(self)

    def __reduce__(self):
        return (Problem, tuple(None if f.name == "aligned" else getattr(self, f.name) for f in fields(self)))

    @property
    def units(self) -> pd.Index:
        """Ids of what is placed: households where there are any, else records."""
        return self.records if self.households is None else self.households

    @cached_property
    def unit_keys(self) -> np.ndarray:
        """(n_units,) uint64: a hash of each unit's id, on which its own random streams hang."""
        return np.fromiter((zone_key(r) for r in self.units.tolist()), dtype=np.uint64, count=len(self.units))

    @cached_property
    def members(self) -> Incidence:
        """Members of each profile in each cell, whatever the units are."""
        return Incidence.of_cells(self.cell_of, self.n_cells) if self.incidence is None else self.incidence

    @cached_property
    def all_members(self) -> Incidence:
        """Members of each profile in each cell that has a dual: the zones' own, then those of every level."""
        together = self.members
        for level in self.levels:
            together = together.beside(level.members)
        return together

    @cached_property
    def tilts(self) -> Incidence:
        """How often each profile counts each cell of the tilts; only where there are tilts."""
        return Incidence.of_cells(self.tilt_of, self.tilt.shape[1])

    @property
    def people_of(self) -> np.ndarray:
        """(n_profiles,) int32: people that one unit of a profile is."""
        return np.ones(self.n_profiles, np.int32) if self.size is None else self.size

    @cached_property
    def donor_profile(self) -> np.ndarray:
        """(n_donors,) int64: profile of each donor."""
        return np.repeat(np.arange(self.n_profiles), np.diff(self.donor_start))

    def donor_shares(self, donor_weight: np.ndarray | None = None) -> np.ndarray:
        """(n_donors,) float64: share of its profile's units that each donor stands for, by design weight.

        donor_weight : (n_donors,), e.g. of a replicate; the problem's own by default.
        """
        weight = self.donor_weight if donor_weight is None else donor_weight
        total = np.bincount(self.donor_profile, weight, minlength=self.n_profiles)
        return weight / np.where(total > 0, total, 1.0)[self.donor_profile]

    def donor_people(self) -> tuple[np.ndarray, np.ndarray]:
        """Who comes with the donors, donor by donor: (n_people,) donor, a position in `donor`, and record of each, both int."""
        if self.households is None:
            return np.arange(len(self.donor)), self.donor
        n = np.diff(self.member_start)[self.donor]
        entry = np.repeat(self.member_start[:-1][self.donor] - np.cumsum(n) + n, n) + np.arange(n.sum())
        return np.repeat(np.arange(len(self.donor)), n), self.member[entry]

    def people_shares(self, donor_weight: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Who comes with a unit of each profile, in expectation: profile, record and share, one entry a record.

        The shares of a profile add up to `people_of` it. A sum over people is that of weight[profile] * share * value[record].
        donor_weight : as in `donor_shares`.
        """
        donor, record = self.donor_people()
        return self.donor_profile[donor], record, self.donor_shares(donor_weight)[donor]

    @cached_property
    def component(self) -> np.ndarray:
        """(n_zones,) int64: zones that some level binds together share a number, that of the first of them."""
        from synthpop_gb.kernels.components import component_of

        ends = [np.empty((2, 0), np.int64)]
        for level in self.levels:
            bound = np.flatnonzero(level.of_zone >= 0)
            area, first = np.unique(level.of_zone[bound], return_inverse=True)
            lowest = np.full(len(area), self.n_zones)
            np.minimum.at(lowest, first, bound)
            ends.append(np.stack([bound, lowest[first]]))
        left, right = np.concatenate(ends, axis=1)
        return component_of(left, right, self.n_zones)

    @property
    def n_duals(self) -> int:
        """How many duals a zone has: one for each cell, of the levels above too."""
        return self.n_cells + sum(level.n_cells for level in self.levels)

    @property
    def n_constraints(self) -> int:
        """How many constraints."""
        return len(self.constraint_start) - 1

    @property
    def constraint_names(self) -> list[str]:
        """Names of the constraints, in their order."""
        return [str(n) for n in self.cells.get_level_values(0)[self.constraint_start[:-1]]]

    @property
    def counts_units(self) -> np.ndarray:
        """(n_constraints,) bool: constraints that count units themselves; where those are households, others count persons."""
        return (self.cell_of >= 0).any(axis=1)

    @property
    def n_guides(self) -> int:
        """How many guides: distributions of statistics that are no constraint."""
        return 0 if self.guide_start is None else len(self.guide_start) - 1

    @property
    def n_profiles(self) -> int:
        """How many profiles: distinct combinations of cells among the records."""
        return len(self.start)

    @property
    def n_zones(self) -> int:
        """How many zones."""
        return len(self.zones)

    @property
    def n_cells(self) -> int:
        """How many cells across all constraints."""
        return len(self.cells)

    def caps(self, zones: np.ndarray) -> np.ndarray:
        """(len(zones),) int64: how often one donor may stand in each zone (positions); empty where nothing limits it.

        A share is of the zone's units: the largest total of a constraint that counts units (of any constraint, where none
        does), rounded down, at least 1.
        """
        if self.max_copies is None:
            return np.empty(0, np.int64)
        if self.max_copies >= 1:
            return np.full(len(zones), int(self.max_copies), np.int64)
        first = self.constraint_start
        of_units = np.flatnonzero(self.counts_units) if self.counts_units.any() else range(self.n_constraints)
        totals = [self.targets[zones, first[k] : first[k + 1]].sum(axis=1) for k in of_units]
        units = np.max(totals, axis=0) if totals else np.zeros(len(zones))
        return np.maximum(np.floor(self.max_copies * units + 1e-9), 1).astype(np.int64)

    def by_zone(self, zones: np.ndarray) -> dict:
        """Return the fields that have one entry a zone, cut to some zones (positions), by name."""
        found = {"targets": self.targets[zones], "zone_keys": self.zone_keys[zones], "zones": self.zones[zones]}
        found |= {n: getattr(self, n)[zones] for n in ("published", "first_duals") if getattr(self, n) is not None}
        if self.standard_error is not None and self.standard_error.ndim == 2:
            found["standard_error"] = self.standard_error[zones]
        if self.guide_targets is not None:
            found["guide_targets"] = self.guide_targets[zones]
        if self.tilt is not None:
            found["tilt"] = self.tilt[zones]
        if self.levels:
            found["levels"] = tuple(level.take(zones) for level in self.levels)
        return found

    def take(self, zones: np.ndarray) -> Problem:
        """Return the same problem for some zones only (positions), e.g. to send a block to another machine."""
        return replace(self, aligned=None, **self.by_zone(zones))

    def counts_households(self, name: str) -> bool:
        """Whether a constraint, by name, counts households; so does one of a level, called `<level>: <name>`."""
        if self.households is None:
            return False
        for before, tables in (("", self), *((f"{level.name}: ", level) for level in self.levels)):
            names = [f"{before}{n}" for n in tables.constraint_names]
            if name in names:
                return bool(tables.counts_units[names.index(name)])
        return False

    @property
    def donors_said(self) -> str:
        """How many donors there are, in words: people, or households and residents of communal establishments."""
        n = len(self.donor)
        if self.households is None:
            return f"{n:,} donors"
        alone = 0 if self.communal is None else int(np.diff(self.donor_start)[self.communal].sum())
        return f"{n - alone:,} households" + (f" and {alone:,} residents of communal establishments" if alone else "")

    def __repr__(self) -> str:
        """One line: zones x profiles x cells; levels."""
        above = "".join(f"; {len(level.areas):,} {level.name} x {level.n_cells} cells" for level in self.levels)
        return (
            f"Problem: {self.n_zones:,} zones x {self.n_profiles:,} profiles x {self.n_cells} cells "
            f"in {self.n_constraints} constraints{above}; {self.donors_said}"
        )
