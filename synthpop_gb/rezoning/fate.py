"""What becomes of each zone under a lookup: it nests in an area, is divided between several, or is lost; said with rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding, finding
from synthpop_gb.lookup import Lookup
from synthpop_gb.rezoning.best_fit import best_fits

__all__ = ["Fate", "fate"]

_NAMED = 10
"""Zones that are named in a message."""


@dataclass(frozen=True, eq=False)
class Fate:
    """Areas of some zones, as sparse rows.

    Attributes
    ----------
    areas : pandas.Index
        Codes of the areas that some of these zones lie in, in order; also those that best fit gives nobody.
    part_start : (n_zones + 1,) int64
        Parts of zone z are part_start[z] to part_start[z + 1] - 1; a lost zone has none.
    area : (n_parts,) int32
        Position in `areas`; -1 = this part is in no area.
    share : (n_parts,) float64
        Share of the zone's units that go there; those of a zone add up to 1.
    findings : tuple of Finding
        'ambiguous-zone' (an error, unless best fit was asked for and there is one), 'zone-without-area', 'divided-zone',
        'partly-covered', 'no-zones' where nothing is left.
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

    def recounted(self, codes: pd.Index, lost: np.ndarray) -> tuple[Finding, ...]:
        """Return the findings with the people who were in fact left out, (n_zones,) integers, instead of those to be expected."""
        out = []
        for found in self.findings:
            if found.code == "zone-without-area":
                at = codes.astype(str).get_indexer(found.rows["zone"])
                found = without_area(found.rows.assign(left_out=np.asarray(lost)[at]), found.place)
            out.append(found)
        return tuple(out)


def fate(zones: pd.Index, lookup: Lookup, *, best_fit: bool = False, people: np.ndarray | None = None) -> Fate:
    """Say where each zone goes, and everything that a user should know about it.

    Parameters
    ----------
    zones : pandas.Index
        Codes of the zones, of whatever kind: compared as text.
    lookup : Lookup
        From these zones to areas.
    best_fit : bool
        Give a zone in several areas wholly to the one with most of it: by weight, and the first code where two weigh the same,
        which is said; else by rows of the lookup, and where two have as many nothing tells them apart, which is an error.
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
    frame = _parts(codes, lookup)
    mine = frame[frame["z"] >= 0].sort_values(["z", "area"], kind="stable")
    areas = pd.Index(sorted(set(mine["area"]) - {""}), name=lookup.to, dtype=object)
    split = mine[mine["z"].duplicated(keep=False) & (people[mine["z"]] > 0)]
    said = best_fits(split, lookup) if best_fit else _ambiguous(split[split["unsaid"]], lookup)
    if best_fit:
        best = mine.sort_values(["z", "share"], ascending=[True, False], kind="stable")
        mine = best[~best["z"].duplicated()].assign(share=1.0)
    else:
        said += _divided(split[~split["unsaid"]], lookup)
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


def _parts(codes: pd.Index, lookup: Lookup) -> pd.DataFrame:
    """Each pair of the lookup: `z` (position of the zone; -1 = not here), zone, area, share, `unsaid` (nothing measures it)."""
    pairs = lookup.pairs
    weights = pairs.groupby("zone", sort=False)["weight"]
    total, n = weights.transform("sum").to_numpy(), weights.transform("size").to_numpy()
    share = np.divide(pairs["weight"].to_numpy(), total, out=1.0 / n, where=total > 0)
    unsaid = (total == 0) | (not lookup.weighted)
    z = codes.get_indexer(pairs["zone"])
    return pd.DataFrame({"z": z, "zone": pairs["zone"], "area": pairs["area"], "share": share, "unsaid": unsaid})


def _several(split: pd.DataFrame, lookup: Lookup) -> str:
    """Begin a sentence about zones in several areas."""
    n = split["z"].nunique()
    return f"{n:,} {'zone lies' if n == 1 else 'zones lie'} in several areas of {lookup.to} (first: {split['zone'].iloc[0]})"


def _ambiguous(split: pd.DataFrame, lookup: Lookup) -> list[Finding]:
    """Zones in several areas, where nothing says how they are divided."""
    if split.empty:
        return []
    rows, n, remedy = split[["zone", "area", "share"]], split["z"].nunique(), None
    message = f"{_several(split, lookup)}, and nothing says how they are divided."
    if lookup.weighted:
        message, remedy = f"{_several(split, lookup)}, and all weights of each are 0.", "Correct the weights of these zones."
    return [finding("ambiguous-zone", message, place=lookup.to, count=n, rows=rows, remedy=remedy)]


def _divided(split: pd.DataFrame, lookup: Lookup) -> list[Finding]:
    if split.empty:
        return []
    n = split["z"].nunique()
    message = f"{n:,} {'zone is' if n == 1 else 'zones are'} divided between areas of {lookup.to} by weight "
    message += f"(first: {split['zone'].iloc[0]})."
    return [finding("divided-zone", message, place=lookup.to, count=n, rows=split[["zone", "area", "share"]])]


def _lost(codes: pd.Index, mine: pd.DataFrame, people: np.ndarray, lookup: Lookup) -> list[Finding]:
    """Zones, or parts of zones, in no area; of a part as many people as are to be expected."""
    found = np.zeros(len(codes), bool)
    found[mine["z"]] = True
    nowhere = np.zeros(len(codes))
    blank = mine[mine["area"] == ""]
    nowhere[blank["z"]] = blank["share"]
    gone = np.where(found, nowhere, 1.0)
    lost = (gone > 0) & (people > 0)
    if not lost.any():
        return []
    rows = pd.DataFrame({
        "zone": codes[lost], "people": people[lost], "left_out": np.rint(people[lost] * gone[lost]).astype(np.int64),
        "share": gone[lost], "in_lookup": found[lost],
    })  # fmt: skip
    return [without_area(rows, lookup.to)]


def without_area(rows: pd.DataFrame, to: str) -> Finding:
    """Say which zones are in no area, wholly or in part, and how many of their people are left out.

    rows : one a zone, with zone, people, left_out, share (of the zone that is in no area), in_lookup.
    """
    whole, part = rows[rows["share"] == 1], rows[rows["share"] < 1]
    said = []
    if len(whole):
        unknown = int((~whole["in_lookup"]).sum())
        said.append(f"{len(whole):,} {'zone is' if len(whole) == 1 else 'zones are'} in no area of {to}")
        missing = "not in the lookup at all" if unknown == len(whole) else f"{unknown:,} of them not in the lookup at all"
        said[-1] += f", {missing}" if unknown else ""
        said[-1] += f" ({_listed(whole['zone'])}): {int(whole['left_out'].sum()):,} people are left out."
    if len(part):
        each = [f"{n:,} of the {of:,} people of {z}" for z, of, n in part[["zone", "people", "left_out"]].itertuples(index=False)]
        said.append(
            f"{len(part):,} {'zone is' if len(part) == 1 else 'zones are'} partly in no area of {to}: {_listed(each)} are"
        )
        said[-1] += " left out."
    return finding("zone-without-area", " ".join(said), place=to, count=len(rows), rows=rows)


def _listed(words: Iterable[str]) -> str:
    """Words with commas between, the first ten: all of them stand in the finding's rows."""
    words = list(words)
    return ", ".join(words[:_NAMED]) + (f" and {len(words) - _NAMED:,} more" if len(words) > _NAMED else "")


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
