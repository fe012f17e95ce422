"""Places as PolicyEngine names them: the region and local authority of every zone, found by code or exact name, or refused."""

from __future__ import annotations

import difflib
import re
import tomllib
from functools import cache
from importlib.resources import files

import pandas as pd

from synthpop_gb.errors import Finding, finding
from synthpop_gb.geography import Geography
from synthpop_gb.policy._places import Places

__all__ = ["PLACES", "constituencies_of", "zone_places"]

PLACES = ("region", "local_authority")
"""What PolicyEngine's rules read of a place: Scottish and Welsh rules and London's benefit cap by region, council tax reduction
by local authority, local housing allowance by the region's commonest rental market."""

_LOCAL = ("local_authority", "lad", "ltla", "la", "council", "ca", "lgd", "district")
_REGION = ("region", "rgn", "country")
_CONSTITUENCY = ("constituency", "pcon", "parliamentary_constituency")
_NATIONS = {"W": "WALES", "S": "SCOTLAND", "N": "NORTHERN_IRELAND"}


def zone_places(
    geography: Geography, authorities: dict[str, str], table: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, list[Finding]]:
    """Find region and local authority of every zone.

    A region is known by its own code or name, or by the nation that begins the codes of Welsh, Scottish and Northern Irish zones
    and authorities. A local authority is known by its name: as PolicyEngine has it, by another spelling of it, or by the name of
    an authority that was merged into it. Nothing is taken for being like another: what is not known is said, with the nearest.

    Parameters
    ----------
    geography : Geography
        Its levels 'lad' and 'region' (or 'district', 'council', 'country'), with their names.
    authorities : mapping
        PolicyEngine's name of a local authority by its own: {'Leeds': 'LEEDS'}.
    table : pandas.DataFrame, optional
        Columns 'region' and 'local_authority' by zone, or by a level that its index is named for; these go first.

    Returns
    -------
    tuple of (pandas.DataFrame, list of Finding)
        By zone: `region`, `local_authority`, each '' where it is not known; and `engine-place` findings, errors for unknown and
        contradictory places, a note for authorities that were merged.
    """
    known = _with_table(geography, table)
    region, local = _regions(known), _authorities(known, authorities)
    regions = [spellings[-1] for spellings in _book()["regions"].values()]
    findings = _unknown(*region, "region", regions) + _unknown(*local[:2], "local authority", list(authorities))
    places = pd.DataFrame({"region": region[0], "local_authority": local[0]}, index=known.index)
    findings += _clashes(places, known)
    if local[2]:
        said = "; ".join(f"{old} is part of {new}" for old, new in sorted(local[2].items()))
        message = f"{len(local[2])} local authorities of the study were merged since: {said}."
        findings.append(finding("engine-place", message, place="local_authority", count=len(local[2]), level="note",
                                why="The rules of an authority are those of the one that governs there now.",
                                remedy="Nothing, if that is meant."))  # fmt: skip
    return places, findings


def constituencies_of(geography: Geography, table: pd.DataFrame | None = None) -> pd.Series | None:
    """Return the constituency of every zone as the study has it, its name before its code; None where it has none.

    PolicyEngine's rules read none, so it makes no class of place; datasets carry it.
    """
    known = _with_table(geography, table)
    for column in _candidates(known, _CONSTITUENCY):
        if known[column].notna().all():
            return known[column].astype(str).rename("constituency")
    return None


def classes_of(places: pd.DataFrame) -> Places:
    """Distinct classes of region and local authority, and the class of every zone."""
    zones = places.rename_axis("zone")
    return Places.of(Geography(zones), PLACES)


@cache
def _book() -> dict:
    return tomllib.loads(files("synthpop_gb").joinpath("codebooks", "policyengine_places.toml").read_text(encoding="utf-8"))


def _plain(text) -> str:
    """Return a comparable form of a name: letters and digits, 'and' for '&'.

    >>> _plain("Bristol, City of"), _plain("Kings Lynn & West Norfolk") == _plain("King's Lynn and West Norfolk")
    ('bristolcityof', True)
    """
    return re.sub(r"[^a-z0-9]", "", str(text).casefold().replace("&", " and "))


def _with_table(geography: Geography, table: pd.DataFrame | None) -> pd.DataFrame:
    """Zones with a table's columns in front, joined by zone or by the level its index is named for."""
    zones = geography.zones
    if table is None:
        return zones
    theirs = geography.by_zone(table)
    found = zones.drop(columns=[c for name in theirs for c in (name, f"{name}_name") if c in zones.columns])
    return pd.concat([theirs, found], axis=1)


def _candidates(known: pd.DataFrame, levels: tuple[str, ...]) -> list[str]:
    return [c for level in levels for c in (f"{level}_name", level) if c in known.columns]


def _regions(known: pd.DataFrame) -> tuple[pd.Series, dict[str, str]]:
    """Region of each zone, '' where unknown, and what the study says there."""
    meaning = {_plain(s): name for name, spellings in _book()["regions"].items() for s in (name, *spellings)}
    region, said = pd.Series("", index=known.index, dtype=object), pd.Series("", index=known.index, dtype=object)
    for column in _candidates(known, _REGION):
        found = known[column].map(lambda v: meaning.get(_plain(v), ""), na_action="ignore").fillna("")
        region = region.where(region != "", found)
        said = said.where(said != "", known[column].fillna("").astype(str))
    codes = [known.index.to_series(), *(known[c] for c in _LOCAL if c in known.columns)]
    for values in codes:
        region = region.where(region != "", values.map(_nation))
    return region, said


def _nation(code) -> str:
    """Nation whose codes begin so, where it is one region too: W, S, N before eight digits; and London, with E09 boroughs."""
    text = str(code)
    if re.fullmatch(r"E09\d{6}", text):
        return "LONDON"
    return _NATIONS.get(text[0], "") if re.fullmatch(r"[WSN]\d{8}", text) else ""


def _authorities(known: pd.DataFrame, authorities: dict[str, str]) -> tuple[pd.Series, pd.Series, dict[str, str]]:
    """Local authority of each zone, '' where unknown; what the study says there; old authorities and what they became."""
    meaning = {_plain(s): name for own, name in authorities.items() for s in (own, name)}
    for own, spellings in _book()["spellings"].items():
        meaning |= {_plain(s): authorities[own] for s in spellings if own in authorities}
    merged = {_plain(old): own for own, entry in _book()["merged"].items() for old in entry["of"] if own in authorities}
    local, said = pd.Series("", index=known.index, dtype=object), pd.Series("", index=known.index, dtype=object)
    became: dict[str, str] = {}
    for column in _candidates(known, _LOCAL):
        values = known[column]
        found = values.map(lambda v: meaning.get(_plain(v), ""), na_action="ignore").fillna("")
        old = values.map(lambda v: merged.get(_plain(v), ""), na_action="ignore").fillna("")
        later = (local == "") & (found == "") & (old != "")
        became |= dict(zip(values[later].astype(str), old[later], strict=True))
        found = found.where(found != "", old.map(lambda own: authorities.get(own, "")))
        local = local.where(local != "", found)
        said = said.where(said != "", values.fillna("").astype(str))
    return local, said, became


def _unknown(found: pd.Series, said: pd.Series, what: str, known: list[str]) -> list[Finding]:
    """One error for the zones whose region or local authority is not known, with what the study calls them and what is near."""
    blank = found == ""
    if not blank.any():
        return []
    names = [n for n in said[blank].unique() if n]
    near = difflib.get_close_matches(names[0], known, n=1, cutoff=0.8) if names else []
    example = f", which the study calls {names[0]!r}" if names else ", of which the study says nothing"
    others = f"; {len(names):,} names are unknown" if len(names) > 1 else ""
    hint = f" Is it {near[0]!r}?" if near else ""
    message = f"The {what} of {int(blank.sum()):,} zones is not known (first: {found.index[blank][0]}{example}){others}.{hint}"
    remedy = (
        f"Give `places`, a table with a column '{what.replace(' ', '_')}' by zone or by a level of the lookup, or a lookup with "
        "the areas' codes and names."
    )
    rows = pd.DataFrame({"zone": found.index[blank], "said": said[blank].to_numpy()})
    return [finding("engine-place", message, place=what.replace(" ", "_"), count=int(blank.sum()), rows=rows, remedy=remedy)]


def _clashes(places: pd.DataFrame, known: pd.DataFrame) -> list[Finding]:
    """Zones whose code, region and local authority cannot all be true."""
    boroughs = set(_book()["london"]["boroughs"])
    told = (places["region"] != "") & (places["local_authority"] != "")
    in_london = places["local_authority"].isin(boroughs)
    wrong = told & (in_london != (places["region"] == "LONDON"))
    nation = known.index.to_series().map(lambda c: "ENGLAND" if re.fullmatch(r"E\d{8}", str(c)) else _nation(c))
    of_region = places["region"].where(places["region"].isin(set(_NATIONS.values())), "ENGLAND")
    wrong |= (nation != "") & (places["region"] != "") & (nation != of_region)
    if not wrong.any():
        return []
    first = places.index[wrong][0]
    where = places.loc[first]
    message = (
        f"{int(wrong.sum()):,} zones lie in a region and a local authority that exclude each other, or are of another nation "
        f"(first: {first}, {where['local_authority'] or 'no authority'} in {where['region']})."
    )
    rows = places[wrong].rename_axis("zone").reset_index()
    return [finding("engine-place", message, place="region", count=int(wrong.sum()), rows=rows)]
