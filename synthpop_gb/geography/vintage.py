"""Codes and polygons of different years or levels: what codes betray, which zones lack a polygon and why, which file to take."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from synthpop_gb.errors import Finding, finding

__all__ = ["OFFICIAL_CODE", "advice", "kinds", "lacking", "lacking_finding", "level_of", "published", "vintages"]

OFFICIAL_CODE = r"[EWSNK]\d{8}"
"""What a whole official code is like: a letter for the nation (K: of several), eight digits."""

_NEW_2021 = {
    "E00": "E00176775", "W00": "W00010266", "E01": "E01033769", "W01": "W01001959", "E02": "E02006935", "W02": "W02000424",
    "S00": "S00135307", "S01": "S01013482", "S02": "S02002515",
}  # fmt: skip
"""First code of the 2021 census (Scotland: 2022) of each kind of zone that the 2011 census did not use (ONS and NRS code
lists). Scotland gave every zone a new code; England and Wales only those whose boundary changed."""

_NEW_SEATS = {"E14": "E14001063", "S14": "S14000060", "W07": "W07000081"}
"""First code of the constituencies of 2024 of each nation that had another boundary before."""

_BEGUN = {
    2018: "S12000047 S12000048", 2019: "E06000058 E06000059 E07000244 E07000245 E07000246 S12000049 S12000050",
    2020: "E06000060", 2021: "E06000061 E06000062", 2023: "E06000063 E06000064 E06000065 E06000066", 2025: "E08000038 E08000039",
}  # fmt: skip
_ENDED = {
    2018: "S12000015 S12000024",
    2019: "E06000028 E06000029 E07000048 E07000049 E07000050 E07000051 E07000052 E07000053 E07000190 E07000191 E07000201 "
          "E07000204 E07000205 E07000206 S12000044 S12000046",
    2020: "E07000004 E07000005 E07000006 E07000007",
    2021: "E07000150 E07000151 E07000152 E07000153 E07000154 E07000155 E07000156",
    2023: "E07000026 E07000027 E07000028 E07000029 E07000030 E07000031 E07000163 E07000164 E07000165 E07000166 E07000167 "
          "E07000168 E07000169 E07000187 E07000188 E07000189 E07000246",
    2025: "E08000016 E08000019",
}  # fmt: skip
"""Local authorities by the year (April) in which they began and ended (ONS code history)."""

_AUTHORITIES = ("E06", "E07", "E08", "E09", "W06", "S12", "N09")
_LEVELS = {
    "output areas": ("E00", "W00", "S00"), "LSOAs": ("E01", "W01"), "data zones": ("S01",), "MSOAs": ("E02", "W02"),
    "intermediate zones": ("S02",), "local authorities": _AUTHORITIES, "wards": ("E05", "W05", "S13", "N08"),
    "constituencies": ("E14", "W07", "S14", "N05", "N06"), "regions": ("E12",), "countries": ("E92", "W92", "S92", "N92"),
    "Northern Irish zones": ("N00", "N20", "N21"),
}  # fmt: skip
_LEVEL = {kind: level for level, codes in _LEVELS.items() for kind in codes}

_FILES = {
    "output areas": "Output Areas (December {year}) Boundaries EW BGC",
    "LSOAs": "Lower layer Super Output Areas (December {year}) Boundaries EW BSC",
    "MSOAs": "Middle layer Super Output Areas (December {year}) Boundaries EW BSC",
    "local authorities": "Local Authority Districts ({year}) Boundaries UK BSC",
    "wards": "Wards ({year}) Boundaries UK BSC",
    "constituencies": "Westminster Parliamentary Constituencies ({year}) Boundaries UK BSC",
    "data zones": "Data Zone Boundaries {year}", "intermediate zones": "Intermediate Zone Boundaries {year}",
}  # fmt: skip

_GENERALISED = (
    "Of its resolutions BSC (super generalised, 200 m) and BGC (generalised, 20 m) are made for maps; BFC is in full detail, and "
    "BFE runs out to sea."
)
"""What the letters at the end of a published file's name mean (ONS Open Geography)."""


def kinds(codes: Iterable[str]) -> pd.Series:
    """Kind of each code, its first three characters, indexed by code; codes of no official form are left out.

    >>> kinds(["E01000001", "W01000001", "D001"]).to_dict()
    {'E01000001': 'E01', 'W01000001': 'W01'}
    """
    texts = pd.Series(pd.unique(pd.Series(list(codes), dtype=object).dropna().astype(str)), dtype=object)
    texts = texts[texts.str.fullmatch(OFFICIAL_CODE).astype(bool)]
    return pd.Series(texts.str.slice(0, 3).to_numpy(), index=texts.to_numpy(), dtype=object)


def level_of(codes: Iterable[str]) -> str:
    """Level that all of some codes are of, in the plural; '' where they are of several, or of no official form.

    >>> level_of(["E01000001", "W01000001"]), level_of(["S01006506"]), level_of(["E01000001", "D001"])
    ('LSOAs', 'data zones', '')
    """
    codes = set(map(str, codes))
    known = kinds(codes)
    levels = {_LEVEL.get(kind, "") for kind in known} if len(known) == len(codes) else set()
    return levels.pop() if len(levels) == 1 else ""


def vintages(codes: pd.Index) -> dict[str, set[int]]:
    """Census years that zone codes betray, by kind of zone (the first three characters).

    2021 stands for codes that only the 2021 census (Scotland 2022) has; 2011 for any older code.

    >>> vintages(pd.Index(["E01000001", "E01033800", "S01006506"]))
    {'E01': {2011, 2021}, 'S01': {2011}}
    """
    codes = codes.astype(str)
    first = codes.str.slice(0, 3)
    found: dict[str, set[int]] = {}
    for kind in sorted(set(first)):
        if kind in _NEW_2021:
            new = codes[first == kind] >= _NEW_2021[kind]
            found[kind] = {year for year, is_there in ((2011, not new.all()), (2021, new.any())) if is_there}
    return found


def published(kind: str, year: int | None) -> str:
    """Name of the file to take for zones of a kind and year, and where it is published.

    >>> published("E01", 2011)
    '"Lower layer Super Output Areas (December 2011) Boundaries EW BSC" of the ONS Open Geography portal'
    >>> published("S01", 2021)
    '"Data Zone Boundaries 2022" of spatialdata.gov.scot'
    >>> published("X99", None)
    ''
    """
    level = _LEVEL.get(kind, "")
    if level not in _FILES:
        return ""
    scottish = level in ("data zones", "intermediate zones")
    shown = (
        2022 if scottish and year == 2021 else year or ("2011 or 2021, as the zones" if kind in _NEW_2021 else "the zones' year")
    )
    name = _FILES[level].format(year=shown)
    return f'"{name}" of {"spatialdata.gov.scot" if scottish else "the ONS Open Geography portal"}'


def advice(files: Iterable[str], verb: str = "Take") -> str | None:
    """Say which published files to take, and in which resolution; None where none is known.

    >>> advice([published("S01", 2011), ""])
    'Take "Data Zone Boundaries 2011" of spatialdata.gov.scot.'
    """
    known = [name for name in dict.fromkeys(files) if name]
    if not known:
        return None
    said = f"{verb} {' and '.join(known)}."
    return f"{said} {_GENERALISED}" if "ONS" in said else said


def lacking(zones: pd.Index, drawn: Iterable, place: str) -> list[Finding]:
    """Say which zones have no polygon, and whether that is because the polygons are of another year or level.

    Parameters
    ----------
    zones : pandas.Index
        Codes of the zones.
    drawn : iterable of str
        Codes that the boundary file has polygons of.
    place : str
        The file.

    Returns
    -------
    list of Finding
        None, or one: `boundaries-vintage` where codes betray another year or level, else `missing-boundary`. Its rows are the
        zones without a polygon, with what they and the polygons are taken for and the file to take.

    >>> lacking(pd.Index(["E01000001", "E01033800"]), ["E01000001", "E01000002"], "b.shp")[0].message
    'b.shp has no polygon for 1 of 2 zones (first: E01033800): 1 are LSOAs of the 2021 census, the polygons of the 2011 census.'
    """
    drawn = pd.Index(pd.unique(pd.Series(list(drawn), dtype=object).dropna().astype(str)))
    without = zones[~zones.isin(drawn)]
    if not len(without):
        return []
    ours, theirs, missed = kinds(zones), kinds(drawn), kinds(without)
    rows = pd.DataFrame({"zone": without, "zones_are": "", "polygons_are": "", "take": ""})
    for kind in missed.unique():
        said = _differ(kind, ours, theirs, missed)
        if said is not None:
            rows.loc[rows["zone"].isin(missed.index[missed == kind]), ["zones_are", "polygons_are", "take"]] = said
    return [lacking_finding(rows, len(zones), place)]


def lacking_finding(rows: pd.DataFrame, n_zones: int, place: str) -> Finding:
    """Make the finding of `lacking` from its rows: zone, and, where it is known, zones_are, polygons_are, take."""
    message = f"{place} has no polygon for {len(rows):,} of {n_zones:,} zones (first: {rows['zone'].iloc[0]})"
    told = rows[rows["zones_are"] != ""] if "zones_are" in rows else rows.iloc[:0]
    if told.empty:
        remedy = advice(rows["take"], "Add") if "take" in rows else None
        return finding("missing-boundary", f"{message}.", place=place, count=len(rows), rows=rows, remedy=remedy)
    pairs = told.groupby(["zones_are", "polygons_are"], sort=False).size()
    parts = [f"{n:,} are {a}, the polygons {b}" for (a, b), n in pairs.items()]
    message += f": {'; '.join(parts)}."
    return finding("boundaries-vintage", message, place=place, count=len(rows), rows=rows, remedy=advice(rows["take"]))


def _differ(kind: str, ours: pd.Series, theirs: pd.Series, missed: pd.Series) -> list[str] | None:
    """Say how zones of a kind and polygons differ: what the zones are, what the polygons are, the file to take. None: unknown."""
    level = _LEVEL.get(kind)
    if level is None or theirs.empty:
        return None
    same = _AUTHORITIES if level == "local authorities" else (kind,)
    mine, polygons = ours.index[ours.isin(same)], theirs.index[theirs.isin(same)]
    if not len(polygons):
        known = [_LEVEL[k] for k in theirs.value_counts().index if k in _LEVEL]
        year = 2021 if (mine >= _NEW_2021.get(kind, "Z")).any() else 2011 if kind in ("S00", "S01", "S02") else None
        nation = not known or level in known or bool(set(known) & {_LEVEL.get(k) for k in ours.unique()})
        return [
            "" if nation else level,
            "" if nation else known[0],
            published(kind, year),
        ]  # a nation is missing, or a level wrong
    if level == "local authorities":
        return _authorities(kind, mine, polygons)
    first = _NEW_2021.get(kind) or _NEW_SEATS.get(kind)
    if first is None:
        return None
    old, new = ("of before 2024", "of 2024") if kind in _NEW_SEATS else _censuses(kind)
    zones_new, polygons_new = bool((mine >= first).any()), bool((polygons >= first).any())
    elsewhere = kind[0] != "S" and kind not in _NEW_SEATS and len(mine.intersection(polygons)) < 0.5 * len(mine)
    if zones_new == polygons_new or elsewhere or (zones_new and not (missed.index[missed == kind] >= first).any()):
        return None  # of one year, or of other places
    are = (new, old) if zones_new else (old, new)
    year = (2024 if zones_new else 2019) if kind in _NEW_SEATS else (2021 if zones_new else 2011)
    return [f"{level} {are[0]}", are[1], published(kind, year)]


def _censuses(kind: str) -> tuple[str, str]:
    return "of the 2011 census", f"of the {2022 if kind[0] == 'S' else 2021} census"


def _authorities(kind: str, zones: pd.Index, polygons: pd.Index) -> list[str] | None:
    """Local authorities of two years that cannot be one: the latest beginning among some, the first end among the others."""
    begun, ended = ({code: year for year, codes in table.items() for code in codes.split()} for table in (_BEGUN, _ENDED))
    spans = []
    for codes in (zones, polygons):
        spans.append((max((begun.get(c, 0) for c in codes), default=0), min((ended.get(c, 9999) for c in codes), default=9999)))
    (ours_from, ours_until), (theirs_from, theirs_until) = spans
    if ours_from >= theirs_until:
        return [f"local authorities of {ours_from} or later", f"of before {theirs_until}", published(kind, ours_from)]
    if theirs_from >= ours_until:
        return [f"local authorities of before {ours_until}", f"of {theirs_from} or later", published(kind, ours_until - 1)]
    return None
