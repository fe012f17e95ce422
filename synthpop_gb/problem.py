"""Problem: the waist of the package. Arrays only, checked once, immutable afterwards."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned

__all__ = ["Problem", "zone_key"]


def zone_key(code: str) -> int:
    """64-bit key of a zone's code: what its random streams hang on. BLAKE2b, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(str(code).encode(), digest_size=8).digest(), "little")


@dataclass(frozen=True, eq=False)
class Problem:
    """Arrays that a solver needs. All C-contiguous and read-only, also after pickling (numba types read-only arrays apart).

    Attributes
    ----------
    start : (n_profiles,) float64
        Start weights: the design weight of each profile, in persons of the survey's grossing.
    cell_of : (n_constraints, n_profiles) int32
        Cell that each profile is in, numbered across all constraints; -1 = outside the constraint's universe.
    constraint_start : (n_constraints + 1,) int32
        First cell of each constraint; cells of constraint c are constraint_start[c] to constraint_start[c + 1] - 1.
    targets : (n_zones, n_cells) float64
        Harmonised counts; constraints of one universe share one total.
    zone_keys : (n_zones,) uint64
        Hash of each zone's code (`zone_key`).
    donor_start : (n_profiles + 1,) int64
        First donor of each profile in `donor`. Kept where the donors themselves are left out, since it tells how many there are.
    donor : (n_donors,) int32
        Positions in `records`, profile by profile.
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
    stratum, cluster : (n_records,) int32, optional
        Stratum and primary sampling unit of each record, numbered from 0: what the survey's bootstrap needs to know.
    guide_of : (n_guides, n_profiles) int32, optional
        Bin that each profile is in, numbered across all *guides*: distributions of statistics that are no constraint. Only
        methods that choose whole records heed them; profiles are then alike on the bins as well.
    guide_start : (n_guides + 1,) int32, optional
        First bin of each guide.
    guide_targets : (n_zones, n_bins) float64, optional
        Share of people wanted in each bin; the shares of a guide add up to 1.
    guides : pandas.MultiIndex, optional
        Levels distribution, bin: labels of the bins.
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
    aligned: Aligned | None = None

    _DTYPES = (  # a class constant, not a field: it carries no annotation
        ("start", np.float64, 1), ("cell_of", np.int32, 2), ("constraint_start", np.int32, 1), ("targets", np.float64, 2),
        ("zone_keys", np.uint64, 1), ("donor_start", np.int64, 1), ("donor", np.int32, 1), ("donor_weight", np.float64, 1),
    )  # fmt: skip
    _OPTIONAL = (
        ("standard_error", np.float64, None), ("published", np.float64, 2), ("first_duals", np.float64, 2),
        ("stratum", np.int32, 1), ("cluster", np.int32, 1),
    )  # fmt: skip
    _GUIDES = (("guide_of", np.int32, 2), ("guide_start", np.int32, 1), ("guide_targets", np.float64, 2))

    def __post_init__(self):
        given = [part for part in (*self._OPTIONAL, *self._GUIDES) if getattr(self, part[0]) is not None]
        for name, dtype, dimensions in (*self._DTYPES, *given):
            array = np.array(getattr(self, name), dtype=dtype, order="C")  # a copy: the caller's array stays writeable
            if dimensions is not None and array.ndim != dimensions:
                raise ValueError(f"{name} must have {dimensions} dimension(s), not {array.ndim}")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        self._check_shapes()
        self._check_guides()

    def _check_shapes(self):
        n_cells, n_profiles, n_zones = len(self.cells), len(self.start), len(self.zones)
        if self.cell_of.shape != (self.n_constraints, n_profiles):
            raise ValueError(f"cell_of is {self.cell_of.shape}, expected {(self.n_constraints, n_profiles)}")
        if self.targets.shape != (n_zones, n_cells) or self.constraint_start[-1] != n_cells:
            raise ValueError(f"targets are {self.targets.shape}, expected {(n_zones, n_cells)} as labelled")
        if len(self.zone_keys) != n_zones or len(np.unique(self.zone_keys)) != n_zones:
            raise ValueError("zone keys must be one a zone and distinct")
        if len(self.donor_start) != n_profiles + 1 or len(self.donor) not in (0, self.donor_start[-1]):
            raise ValueError("donor_start must delimit the donors of every profile")
        for c in range(self.n_constraints):
            row = self.cell_of[c]
            inside = row[row >= 0]
            if inside.size and (inside.min() < self.constraint_start[c] or inside.max() >= self.constraint_start[c + 1]):
                raise ValueError(f"constraint {c} names cells outside its own range")
        if not (np.isfinite(self.targets).all() and (self.targets >= 0).all()):
            raise ValueError("targets must be finite and not negative")
        if not (np.isfinite(self.start).all() and (self.start >= 0).all()):
            raise ValueError("start weights must be finite and not negative")
        self._check_optional()
        self._check_guides()

    def _check_optional(self):
        by_zone, by_record = (self.n_zones, self.n_cells), (len(self.records),)
        shapes = {"standard_error": [(self.n_cells,), by_zone], "published": [by_zone], "first_duals": [by_zone]}
        for name, _, _ in self._OPTIONAL:
            array, allowed = getattr(self, name), shapes.get(name, [by_record])
            if array is None:
                continue
            if array.shape not in allowed:
                raise ValueError(f"{name} is {array.shape}, expected {' or '.join(map(str, allowed))}")
            if name != "first_duals" and not (np.isfinite(array).all() and (array >= 0).all()):
                raise ValueError(f"{name} must be finite and not negative")

    def _check_guides(self):
        given = [name for name in ("guide_of", "guide_start", "guide_targets", "guides") if getattr(self, name) is not None]
        if not given:
            return
        if len(given) < 4:
            raise ValueError(f"guides need guide_of, guide_start, guide_targets and guides; only {', '.join(given)} given")
        shapes = (len(self.guide_start) - 1, self.n_profiles), (self.n_zones, len(self.guides))
        if (self.guide_of.shape, self.guide_targets.shape) != shapes or self.guide_start[-1] != len(self.guides):
            raise ValueError(f"guides are {self.guide_of.shape} and {self.guide_targets.shape}, expected {shapes} as labelled")
        low, high = self.guide_start[:-1, None], self.guide_start[1:, None]
        if ((self.guide_of < low) | (self.guide_of >= high)).any():
            raise ValueError("guide_of names bins outside a guide's own range")
        share = np.add.reduceat(self.guide_targets, self.guide_start[:-1], axis=1) if self.n_zones else np.ones(0)
        if not ((self.guide_targets >= 0).all() and np.allclose(share, 1.0, atol=1e-6)):
            raise ValueError("the shares of every guide must not be negative and add up to 1 in every zone")

    def __reduce__(self):
        return (Problem, tuple(None if f.name == "aligned" else getattr(self, f.name) for f in fields(self)))

    @cached_property
    def record_keys(self) -> np.ndarray:
        """(n_records,) uint64: a hash of each record's id, on which its own random streams hang."""
        return np.fromiter((zone_key(r) for r in self.records.tolist()), dtype=np.uint64, count=len(self.records))

    @property
    def n_constraints(self) -> int:
        """How many constraints."""
        return len(self.constraint_start) - 1

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

    def by_zone(self, zones: np.ndarray) -> dict:
        """Return the fields that have one entry a zone, cut to some zones (positions), by name."""
        found = {"targets": self.targets[zones], "zone_keys": self.zone_keys[zones], "zones": self.zones[zones]}
        found |= {n: getattr(self, n)[zones] for n in ("published", "first_duals") if getattr(self, n) is not None}
        if self.standard_error is not None and self.standard_error.ndim == 2:
            found["standard_error"] = self.standard_error[zones]
        if self.guide_targets is not None:
            found["guide_targets"] = self.guide_targets[zones]
        return found

    def take(self, zones: np.ndarray) -> Problem:
        """Return the same problem for some zones only (positions), e.g. to send a block to another machine."""
        return replace(self, aligned=None, **self.by_zone(zones))

    def __repr__(self) -> str:
        """One line: zones x profiles x cells."""
        return (
            f"Problem: {self.n_zones:,} zones x {self.n_profiles:,} profiles x {self.n_cells} cells "
            f"in {self.n_constraints} constraints; {len(self.donor):,} donors"
        )
