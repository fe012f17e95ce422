"""Replicates: further populations of one problem, from other draws; and the bootstrap of the survey that they share.

What a population yields differs from the truth for several reasons; a replicate draws some of them again. Each *source* can be
switched on by itself:

- 'whole': the draw of whole people and of their donors;
- 'donors': which people the survey happened to ask, by the bootstrap (Rao & Wu 1988 where strata or clusters are known, else
  independent Poisson counts);
- 'tables': the publisher's perturbation of the counts.

What no source knows of is how a zone differs from what its tables say: see `assessment`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.problem import Problem

__all__ = ["SOURCES", "Replicates", "bootstrap_multipliers", "resampled"]

SOURCES = ("whole", "donors", "tables")
"""What replicates may draw again, by name."""

_WHISPER = 1e-6  # of its start weight, for a profile that the bootstrap lost: every target that could be met still can be


@dataclass(frozen=True, eq=False)
class Replicates:
    """Whole counts of R replicates by zone and profile; replicate numbers begin at 1, the population itself is 0.

    Attributes
    ----------
    numbers : (R,) int64
        Which replicates these are: their random streams hang on the number, so any of them can be made by itself.
    sources : tuple of str
        What was drawn again: some of `SOURCES`.
    indptr : tuple of R arrays (n_zones + 1,) int64
        Entries of zone z are indptr[r][z] to indptr[r][z + 1] - 1.
    profile : tuple of R arrays, uint16 or int32
        Profiles present in the zone, ascending.
    count : tuple of R arrays, uint16 or int32
        People of that profile, > 0.
    fit : (R, n_zones) int8
        `FitStatus` of each refit.
    remainder : (R, n_zones) float32
        Total absolute error of the whole people against the replicate's own targets, persons; with that of the areas that the
        zone lies in, where levels bind it.
    """

    numbers: np.ndarray
    sources: tuple[str, ...]
    indptr: tuple[np.ndarray, ...]
    profile: tuple[np.ndarray, ...]
    count: tuple[np.ndarray, ...]
    fit: np.ndarray
    remainder: np.ndarray

    def __len__(self) -> int:
        """How many replicates."""
        return len(self.numbers)

    def rows(self, place: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sparse rows of the replicate at a position: indptr int64, profile int32, count int32."""
        return self.indptr[place], self.profile[place].astype(np.int32), self.count[place].astype(np.int32)

    def place(self, number: int) -> int:
        """Position of a replicate's number. Raises KeyError where there is none of it."""
        found = np.flatnonzero(self.numbers == number)
        if not len(found):
            raise KeyError(f"there is no replicate {number}; there are {len(self)}, numbered from {self.numbers.min()}")
        return int(found[0])

    def digest(self) -> str:
        """SHA-256, in hexadecimal, over numbers, sources and whole counts by zone and profile."""
        found = hashlib.sha256("\0".join([*map(str, self.numbers.tolist()), *self.sources]).encode())
        for place in range(len(self)):
            for array in self.rows(place):
                found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()

    def summary(self) -> pd.DataFrame:
        """By replicate: zones that converged, zones whose whole people are exact, the largest remainder in persons."""
        columns = {
            "converged": (self.fit == 0).sum(axis=1),
            "exact": (self.remainder == 0).sum(axis=1),
            "largest_remainder": self.remainder.max(axis=1, initial=0.0),
        }
        return pd.DataFrame(columns, index=pd.Index(self.numbers, name="replicate"))

    def __repr__(self) -> str:
        """One line: how many, of what, and how well they fit."""
        exact = float((self.remainder == 0).mean()) if self.remainder.size else 1.0
        return f"Replicates: {len(self)}, drawn again: {', '.join(self.sources)}; {exact:.1%} of zones exact"


def bootstrap_multipliers(problem: Problem, seed: int, replicate: int) -> np.ndarray:
    """Draw how often each unit counts in a replicate: (n_units,) float64 with mean 1.

    By strata and clusters where the problem knows either (Rao & Wu 1988): n - 1 of the n clusters of each stratum, with
    replacement. Otherwise Poisson counts, one a unit. Replicate 0 is the survey as it is.

    >>> from synthpop_gb.testing import small_problem
    >>> bootstrap_multipliers(small_problem(), seed=1, replicate=0)
    array([1., 1., 1., 1., 1., 1.])
    """
    from synthpop_gb.kernels.bootstrap import poisson_multipliers, rao_wu_multipliers
    from synthpop_gb.kernels.streams import BOOTSTRAP, stream_keys

    n = len(problem.units)
    if replicate == 0:
        return np.ones(n)
    if problem.stratum is None and problem.cluster is None:
        return poisson_multipliers(stream_keys(seed, problem.unit_keys, replicate, BOOTSTRAP))
    stratum = np.zeros(n, np.int64) if problem.stratum is None else problem.stratum.astype(np.int64)
    cluster = np.argsort(np.argsort(problem.unit_keys)) if problem.cluster is None else problem.cluster.astype(np.int64)
    unit, of_record = np.unique(stratum * (int(cluster.max(initial=0)) + 1) + cluster, return_inverse=True)
    of_stratum = unit // (int(cluster.max(initial=0)) + 1)
    strata = np.arange(int(of_stratum.max(initial=-1)) + 1, dtype=np.uint64)
    first = np.searchsorted(of_stratum, np.append(strata.astype(np.int64), len(strata)))
    drawn = rao_wu_multipliers(first.astype(np.int64), stream_keys(seed, strata, replicate, BOOTSTRAP))
    return drawn[of_record.reshape(-1)]


def resampled(problem: Problem, seed: int, replicate: int) -> tuple[np.ndarray, np.ndarray]:
    """Weigh a problem's donors and profiles as a bootstrap replicate of the survey does.

    Returns
    -------
    start : (n_profiles,) float64
        Start weights. A profile whose records were all left out keeps a millionth of its weight, so that every target can still
        be met.
    donor_weight : (n_donors,) float64
        Design weights; within such a profile as they were.
    """
    profile = problem.donor_profile
    weight = problem.donor_weight * bootstrap_multipliers(problem, seed, replicate)[problem.donor]
    start = np.bincount(profile, weights=weight, minlength=problem.n_profiles)
    lost = (start <= 0.0) & (problem.start > 0.0)
    return np.where(lost, _WHISPER * problem.start, start), np.where(lost[profile], problem.donor_weight, weight)
