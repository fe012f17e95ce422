"""Regions of respondents and of zones, where the survey and the geography name the same ones."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.indicators.question import code_text
from synthpop_gb.population import DonorCounts

__all__ = ["Regions", "regions_of"]


@dataclass(frozen=True, eq=False)
class Regions:
    """Where records come from and zones lie, and who was placed where; or why that is not known.

    Attributes
    ----------
    of_record, of_zone : (n_records,) and (n_zones,) int64
        Region, -1 = not known.
    n : int
        Regions that both name.
    reason : str
        Why nothing is known, where n = 0.
    placed : (n,) int64
        People by region of their zone. Added to by `add`.
    own : (n,) int64
        Those of them who copy a respondent of that region.
    """

    of_record: np.ndarray
    of_zone: np.ndarray
    n: int
    reason: str = ""
    placed: np.ndarray = field(init=False)
    own: np.ndarray = field(init=False)

    def __post_init__(self):
        for name in ("placed", "own"):
            object.__setattr__(self, name, np.zeros(self.n, np.int64))

    def add(self, block: DonorCounts, where: np.ndarray) -> None:
        """Count the people of a block, whose zones are at the positions `where`."""
        if not self.n:
            return
        here = np.repeat(self.of_zone[where], np.diff(block.indptr))
        inside = here >= 0
        self.placed[:] += np.bincount(here[inside], block.n[inside], minlength=self.n).astype(np.int64)
        home = inside & (self.of_record[block.record] == here)
        self.own[:] += np.bincount(here[home], block.n[home], minlength=self.n).astype(np.int64)


def regions_of(aligned: Aligned, level: str | None = None) -> Regions:
    """Find the regions that records come from among the areas of zones, by label or code, in any case.

    Parameters
    ----------
    aligned : Aligned
        Its survey names a column of regions, or has the variable 'region'.
    level : str, optional
        Parent level to look at; the first that shares a name with the survey's regions where absent.
    """
    nowhere = np.full(len(aligned.records), -1), np.full(len(aligned.zones), -1)
    survey = aligned.survey
    column = survey.region or (survey.variables["region"].column if "region" in survey.variables else None)
    if column is None or column not in survey.records:
        return Regions(*nowhere, 0, "the survey does not say which region a record is from")
    home = _labels(aligned, column)
    areas = aligned.geography.zones
    for name in [level] if level else [c for c in areas.columns if c != "name"]:
        if name not in areas:
            continue
        of_zone = areas[name].astype("string").str.strip().str.casefold()
        both = sorted(set(of_zone.dropna()) & set(home.dropna()))
        if both:
            index = pd.Index(both)
            return Regions(index.get_indexer(home), index.get_indexer(of_zone), len(both))
    return Regions(*nowhere, 0, "the survey's regions are not among the zones' areas")


def _labels(aligned: Aligned, column: str) -> pd.Series:
    """Region of each usable record as the codebook labels it, in lower case."""
    values = aligned.survey.records.loc[aligned.records, column]
    known = [v for v in aligned.survey.variables.values() if v.column == column]
    if known:
        label = {str(c.code): c.label for c in known[0].categories if c.atoms}
        values = values.map(code_text).map(label)
    return values.astype("string").str.strip().str.casefold()
