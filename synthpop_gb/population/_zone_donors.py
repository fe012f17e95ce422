"""ZoneDonors: a population as two columns say it, zone and donor, with nothing else known of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding
from synthpop_gb.population._donors import DonorCounts, digest_counts
from synthpop_gb.provenance import InputFile

__all__ = ["ZoneDonors"]


@dataclass(frozen=True, eq=False)
class ZoneDonors:
    """Who was copied where, as a file of one row a person says; how it was made is not known.

    Attributes
    ----------
    name : str
        For headings: the file's name.
    counts : DonorCounts
        All zones in order of their codes, donors ascending within each; positions refer to `donors`.
    donors : pandas.Index
        Record ids: the survey's own, in its order, where it was at hand; else those met in the file, ascending.
    rows : int
        Rows that were read, those left out included.
    columns : tuple of str
        Columns of zone and donor, and of counts where there is one.
    unknown : pandas.Series
        By zone code, people whose donor the survey does not hold, whom `counts` leave out. Empty without a survey.
    source : InputFile or None
        The file.
    findings : tuple of Finding
        What was noticed while reading, or on the way.
    households : DonorCounts or None
        Where whole households were placed: households by zone, positions refer to `household_ids`. `counts` are their members.
    household_ids : pandas.Index or None
        The survey's ids of households.
    """

    name: str
    counts: DonorCounts
    donors: pd.Index
    rows: int
    columns: tuple[str, ...]
    unknown: pd.Series = field(default_factory=lambda: pd.Series(dtype=np.int64))
    source: InputFile | None = None
    findings: tuple[Finding, ...] = ()
    households: DonorCounts | None = None
    household_ids: pd.Index | None = None

    @property
    def zones(self) -> pd.Index:
        """Zone codes, in order."""
        return self.counts.zones

    @property
    def people(self) -> int:
        """How many people live in all zones together."""
        return int(self.counts.n.sum(dtype=np.int64))

    def tally(self, values) -> np.ndarray:
        """Add up a value of every record over the people of each zone: (n_zones,) float64.

        values : (n_records,) numbers, in the order of `donors`; of a condition 1 where it is met, so that people are counted.
        """
        running = np.concatenate([[0.0], np.cumsum(np.asarray(values, np.float64)[self.counts.record] * self.counts.n)])
        return running[self.counts.indptr[1:]] - running[self.counts.indptr[:-1]]

    def digest(self) -> str:
        """SHA-256 over (zone code, record id, people): that of a `Population` with the same people and ids."""
        return digest_counts([self.counts], self.donors)

    def summary(self) -> pd.DataFrame:
        """One row a zone: zone, people, donors, largest_share, effective_donors, copies_unknown.

        donors: distinct records. largest_share: share of the zone's people who are copies of one of them. effective_donors:
        (sum n)^2 / sum n^2 (Kish 1965). copies_unknown: people left out, since the survey does not hold their donor.
        """
        counts, start = self.counts, self.counts.indptr[:-1]
        n, has = counts.n.astype(np.int64), np.diff(counts.indptr) > 0
        squares, largest = np.zeros(len(has), np.int64), np.zeros(len(has), np.int64)
        if has.any():  # reduceat over zones with rows only: an empty one would take its neighbour's
            squares[has] = np.add.reduceat(n * n, start[has])
            largest[has] = np.maximum.reduceat(n, start[has])
        people = counts.people
        lost = self.unknown.reindex(self.zones, fill_value=0).to_numpy(np.int64)
        columns = {
            "zone": self.zones.to_numpy(), "people": people, "donors": np.diff(counts.indptr),
            "largest_share": largest / np.maximum(people, 1), "effective_donors": people**2 / np.maximum(squares, 1),
            "copies_unknown": lost,
        }  # fmt: skip
        return pd.DataFrame(columns)

    def __repr__(self) -> str:
        """One line: zones, people, donors."""
        used = len(np.unique(self.counts.record))
        homes = "" if self.households is None else f" in {int(self.households.n.sum(dtype=np.int64)):,} households"
        return f"ZoneDonors {self.name}: {self.people:,} people{homes} in {len(self.zones):,} zones, copies of {used:,} donors"
