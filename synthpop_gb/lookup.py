"""Lookup: which areas zones lie in, whole or by parts, as published: 2011 to 2021, output areas to wards, any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding
from synthpop_gb.provenance import InputFile

__all__ = ["Lookup"]


@dataclass(frozen=True, eq=False)
class Lookup:
    """Pairs of zone and area, and how much of each zone is in each of its areas.

    Attributes
    ----------
    zone, to : str
        What zones and areas are called: the file's columns.
    pairs : pandas.DataFrame
        One row a pair, in order of zone and area: `zone`, `area` (codes as text; '' = this part of the zone is in no area) and
        `weight` (float64, above 0: households or people where `weighted`, else how many rows of the file say it; 0 only where a
        zone lies in several areas and all its weights are 0, so that nothing says how it is divided).
    weighted : bool
        Whether weights measure how a zone is divided. Where they do not, a zone in several areas is ambiguous.
    names : mapping of area code to name
        Where the file has them.
    source : InputFile, optional
        The file.
    findings : tuple of Finding
        What was noticed while reading.

    Examples
    --------
    >>> Lookup.of({"a": "X", "b": "X", "c": "Y"}, to="ward")
    Lookup zone to ward: 3 zones in 2 areas; every zone lies in one
    """

    zone: str
    to: str
    pairs: pd.DataFrame
    weighted: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    source: InputFile | None = None
    findings: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, areas: Mapping[str, str] | pd.DataFrame, *, zone: str = "zone", to: str = "area", weight: str | None = None):
        """Make a lookup from Python.

        Parameters
        ----------
        areas : mapping of zone to area, or pandas.DataFrame
            Of a frame the columns `zone`, `to` and, where it is named, `weight` are taken; rows of one pair are added up.
        zone, to, weight : str
            What they are called.

        Raises
        ------
        KeyError
            Where a frame lacks a column.
        ValueError
            Where a weight is negative or no number.
        """
        frame = areas if isinstance(areas, pd.DataFrame) else pd.DataFrame({zone: list(areas), to: list(areas.values())})
        weights = np.ones(len(frame)) if weight is None else frame[weight].to_numpy(np.float64)
        if not (np.isfinite(weights).all() and (weights >= 0).all()):
            raise ValueError("weights of a lookup must be finite and not negative")
        codes, found = frame[zone].astype("string"), frame[to].astype("string").fillna("")
        known = codes.notna().to_numpy()
        pairs = paired(codes[known].to_numpy(object), found[known].to_numpy(object), weights[known])
        return cls(zone, to, pairs, weight is not None)

    @property
    def zones(self) -> pd.Index:
        """Codes of all zones, in order."""
        return pd.Index(self.pairs["zone"].unique(), name="zone")

    @property
    def areas(self) -> pd.Index:
        """Codes of all areas, in order."""
        return pd.Index(sorted(set(self.pairs["area"]) - {""}), name=self.to)

    def nested(self) -> pd.Series:
        """Area of every zone that lies in one alone, by zone code; '' where that is none."""
        alone = ~self.pairs["zone"].duplicated(keep=False)
        return self.pairs[alone].set_index("zone")["area"].rename(self.to)

    def __repr__(self) -> str:
        """One line: zones, areas, how many zones lie in several."""
        split = int((self.pairs.groupby("zone", sort=False).size() > 1).sum())
        how = f"{split:,} zones lie in several{', by weight' if self.weighted else ''}" if split else "every zone lies in one"
        return f"Lookup {self.zone} to {self.to}: {len(self.zones):,} zones in {len(self.areas):,} areas; {how}"


def paired(zones: np.ndarray, areas: np.ndarray, weights: np.ndarray) -> pd.DataFrame:
    """Add up the rows of each pair.

    Pairs of no weight are left out where their zone has others; a zone that lies in one area needs no weight. Where all pairs of
    a zone have none they stay, and say nothing about how it is divided.
    """
    frame = pd.DataFrame({"zone": zones, "area": areas, "weight": weights})
    pairs = frame.groupby(["zone", "area"], sort=True, as_index=False)["weight"].sum()
    of_zone = pairs.groupby("zone", sort=False)["weight"]
    nought, alone = of_zone.transform("sum").to_numpy() == 0, of_zone.transform("size").to_numpy() == 1
    pairs["weight"] = np.where(nought & alone, 1.0, pairs["weight"])
    return pairs[(pairs["weight"] > 0) | nought].reset_index(drop=True)
