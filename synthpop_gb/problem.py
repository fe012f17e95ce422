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
    aligned: Aligned | None = None

    _DTYPES = (  # a class constant, not a field: it carries no annotation
        ("start", np.float64, 1), ("cell_of", np.int32, 2), ("constraint_start", np.int32, 1), ("targets", np.float64, 2),
        ("zone_keys", np.uint64, 1), ("donor_start", np.int64, 1), ("donor", np.int32, 1), ("donor_weight", np.float64, 1),
    )  # fmt: skip
    _OPTIONAL = (
        ("standard_error", np.float64, None), ("published", np.float64, 2), ("first_duals", np.float64, 2),
        ("stratum", np.int32, 1), ("cluster", np.int32, 1),
    )  # fmt: skip

    def __post_init__(self):
        given = [part for part in self._OPTIONAL if getattr(self, part[0]) is not None]
        for name, dtype, dimensions in (*self._DTYPES, *given):
            array = np.array(getattr(self, name), dtype=dtype, order="C")  # a copy: the caller's array stays writeable
            if dimensions is not None and array.ndim != dimensions:
                raise ValueError(f"{name} must have {dimensions} dimension(s), not {array.ndim}")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        self._check_shapes()

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
