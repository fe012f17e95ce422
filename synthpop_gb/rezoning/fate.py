"""What becomes of each zone under a lookup: it nests in an area, is divided between several, or is lost; said with rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding, finding
from synthpop_gb.lookup import Lookup

__all__ = ["Fate", "fate"]


@dataclass(frozen=True, eq=False)
class Fate:
    """Areas of some zones, as sparse rows.

    Attributes
    ----------
    areas : pandas.Index
        Codes of the areas that some of these zones lie in, in order.
    part_start : (n_zones + 1,) int64
        Parts of zone z are part_start[z] to part_start[z + 1] - 1; a lost zone has none.
    area : (n_parts,) int32
        Position in `areas`; -1 = this part is in no area.
    share : (n_parts,) float64
        Share of the zone's units that go there; those of a zone add up to 1.
    findings : tuple of Finding
        'ambiguous-zone' (an error, unless best fit was asked for), 'zone-without-area', 'divided-zone', 'partly-covered',
        'no-zones' where nothing is left.
    """

    areas: pd.Index
    part_start: np.ndarray
    area: np.ndarray
    share: np.ndarray
    findings: tuple[Finding, ...] = field(default=())

    @property
    def n_parts(self) -> np.ndarray:
        """(n_zones,) int64: areas that each zone lies in; 0 = lost."""
        return np.diff(self.part_start)


def fate(zones: pd.Index, lookup: Lookup, *, best_fit: bool = False, people: np.ndarray | None = None) -> Fate:
    """Say where each zone goes, and everything that a user should know about it.

    Parameters
    ----------
    zones : pandas.Index
        Codes of the zones, of whatever kind: compared as text.
    lookup : Lookup
        From these zones to areas.
    best_fit : bool
        Give a zone in several areas wholly to the one with most of it (by weight, else by rows; the first code on a tie).
    people : (n_zones,) integers, optional
        Who lives there, for the findings. Zones without anybody are nobody's loss and are not complained of.

    Returns
    -------
    Fate

    Examples
    --------
    >>> zones = pd.Index(["a", "b", "c"])
    >>> found = fate(zones, Lookup.of({"a": "X", "b": "X", "d": "Y"}))
    >>> found.areas.tolist(), found.n_parts.tolist(), [f.code for f in found.findings]
    (['X'], [1, 1, 0], ['zone-without-area'])
    """
    codes = pd.Index(zones.astype(str))
    people = np.ones(len(codes), np.int64) if people is None else np.asarray(people)
    pairs = lookup.pairs
    total = pairs.groupby("zone", sort=False)["weight"].transform("sum")
    frame = pd.DataFrame({
        "z": codes.get_indexer(pairs["zone"]), "zone": pairs["zone"], "area": pairs["area"], "share": pairs["weight"] / total,
    })  # fmt: skip
    mine = frame[frame["z"] >= 0].sort_values(["z", "area"], kind="stable")
    several = mine["z"].duplicated(keep=False)
    said = _ambiguous(mine[several & (people[mine["z"]] > 0)], lookup, best_fit)
    if best_fit:
        best = mine.sort_values(["z", "share"], ascending=[True, False], kind="stable")
        mine = best[~best["z"].duplicated()].assign(share=1.0)
    elif lookup.weighted:
        said += _divided(mine[several & (people[mine["z"]] > 0)], lookup)
    areas = pd.Index(sorted(set(mine["area"]) - {""}), name=lookup.to, dtype=object)
    said += _lost(codes, mine, people, lookup)
    said += _partly(frame, areas, codes, lookup)
    if not len(areas):
        message = f"None of the {len(codes):,} zones lies in an area of {lookup.to}: the first zone is {_first(codes)}, "
        message += f"the lookup's {lookup.zone} begin with {_first(lookup.zones)}."
        said.append(finding("no-zones", message, place=lookup.to, why="Nobody would be left.",
                            remedy="Name the lookup's column that holds the codes of these zones."))  # fmt: skip
    start = np.concatenate([[0], np.cumsum(np.bincount(mine["z"], minlength=len(codes)))]).astype(np.int64)
    return Fate(areas, start, areas.get_indexer(mine["area"]).astype(np.int32), mine["share"].to_numpy(np.float64), tuple(said))


def _first(codes: pd.Index) -> str:
    return str(codes[0]) if len(codes) else "nothing"


def _ambiguous(split: pd.DataFrame, lookup: Lookup, best_fit: bool) -> list[Finding]:
    """Zones in several areas, where nothing says how they are divided, or they are not to be."""
    if split.empty or (lookup.weighted and not best_fit):
        return []
    n = split["z"].nunique()
    message = f"{n:,} {'zone lies' if n == 1 else 'zones lie'} in several areas of {lookup.to} (first: {split['zone'].iloc[0]})"
    message += "; each was given wholly to the one with most of it." if best_fit else ", and nothing says how they are divided."
    rows = split[["zone", "area", "share"]]
    if best_fit:
        why, remedy = "The other areas lack these people.", "Name a column of weights to divide such zones."
        said = finding("ambiguous-zone", message, place=lookup.to, count=n, rows=rows, level="warning", why=why, remedy=remedy)
        return [said]
    return [finding("ambiguous-zone", message, place=lookup.to, count=n, rows=rows)]


def _divided(split: pd.DataFrame, lookup: Lookup) -> list[Finding]:
    if split.empty:
        return []
    n = split["z"].nunique()
    message = f"{n:,} {'zone is' if n == 1 else 'zones are'} divided between areas of {lookup.to} by weight "
    message += f"(first: {split['zone'].iloc[0]})."
    return [finding("divided-zone", message, place=lookup.to, count=n, rows=split[["zone", "area", "share"]])]


def _lost(codes: pd.Index, mine: pd.DataFrame, people: np.ndarray, lookup: Lookup) -> list[Finding]:
    """Zones, or parts of zones, in no area."""
    found = np.zeros(len(codes), bool)
    found[mine["z"]] = True
    nowhere = np.zeros(len(codes))
    blank = mine[mine["area"] == ""]
    nowhere[blank["z"]] = blank["share"]
    gone = np.where(found, nowhere, 1.0)
    lost = (gone > 0) & (people > 0)
    if not lost.any():
        return []
    rows = pd.DataFrame({"zone": codes[lost], "share": gone[lost], "in_lookup": found[lost]})
    unknown = int((~found & lost).sum())
    message = f"{int(lost.sum()):,} of {len(codes):,} zones {'is' if lost.sum() == 1 else 'are'} in no area of {lookup.to}"
    message += f", {unknown:,} of them not in the lookup at all" if unknown else ""
    message += f" (first: {codes[lost][0]}); their people are left out."
    return [finding("zone-without-area", message, place=lookup.to, count=int(lost.sum()), rows=rows)]


def _partly(frame: pd.DataFrame, areas: pd.Index, codes: pd.Index, lookup: Lookup) -> list[Finding]:
    """Areas that zones outside lie in too: what is counted there is a part of them."""
    if not len(areas):
        return []
    there = frame[frame["area"].isin(areas)]
    outside = there["z"] < 0
    missing = there[outside].groupby("area")["zone"].nunique().reindex(areas, fill_value=0)
    partly = missing[missing > 0]
    if partly.empty:
        return []
    have = there[~outside].groupby("area")["zone"].nunique().reindex(partly.index, fill_value=0)
    rows = pd.DataFrame({"area": partly.index, "zones": have.to_numpy(), "zones_missing": partly.to_numpy()})
    verb = "holds" if len(partly) == 1 else "hold"
    message = f"{len(partly):,} of {len(areas):,} areas of {lookup.to} also {verb} zones that are not here "
    message += f"(first: {partly.index[0]}, {int(have.iloc[0]):,} zones here and {int(partly.iloc[0]):,} not)."
    return [finding("partly-covered", message, place=lookup.to, count=len(partly), rows=rows)]
