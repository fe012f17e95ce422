"""Zone codes in files: which column holds them, of which level and census year they are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthpop_gb.read._labels import key
from synthpop_gb.read._numbers import texts

__all__ = ["GSS", "code_share", "is_code", "level_of", "levels_of", "zone_column", "zone_year"]

GSS = re.compile(r"[EWSNKJLM]\d{8}")
"""A code of the Government Statistical Service: a letter for the nation and eight digits."""

_LEVELS = {
    "00": "oa", "01": "lsoa", "02": "msoa", "05": "ward", "06": "lad", "07": "lad", "08": "lad", "09": "lad", "10": "county",
    "11": "county", "12": "region", "13": "region", "14": "constituency", "92": "country", "38": "sicbl", "54": "icb",
    "04": "country",
}  # fmt: skip
_LAD = {"W06", "S12", "N09"}
_ORDER = ("oa", "lsoa", "dz", "sdz", "msoa", "iz", "ward", "lad", "ltla", "utla", "county", "constituency", "region", "country")
"""Levels, finest first."""

_FIRST_2021 = {
    "E00": 176775, "W00": 10266, "E01": 33769, "W01": 1959, "E02": 6935, "W02": 424,
}  # fmt: skip
"""First number of each kind of zone that the 2021 census added (ONS code lists). Scotland publishes 2022 on 2011 data zones."""

_ZONE_NAMES = re.compile(
    r"^(zone|zoneid|zonecode|zones|area|areacode|areaid|geographycode|geocode|geoid|gsscode|mnemonic|code|areas|"
    r"(oa|lsoa|msoa|dz|datazone|sdz|iz|intzone|lad|la|ltla|utla|ward|wd|rgn|region|pcon|constituency)(\d\d|20\d\d)?(code|cd|id)?|.*(areas?|authorities|constituencies|zones?)code)$"
)


def level_of(code: str) -> str:
    """Level of geography of one code, '' where it is none.

    >>> level_of("E01000001"), level_of("S12000033"), level_of("Leeds")
    ('lsoa', 'lad', '')
    """
    if not GSS.fullmatch(code):
        return ""
    if code[:3] in _LAD:
        return "lad"
    if code[:3] == "W07":
        return "constituency"
    return _LEVELS.get(code[1:3], "")


def levels_of(codes: Sequence[str]) -> Counter[str]:
    """How many codes there are of each level; codes of no level are left out.

    >>> dict(levels_of(["E01000001", "E01000002", "W06000001", "Leeds"]))
    {'lsoa': 2, 'lad': 1}
    """
    found: Counter[str] = Counter()
    for kind, n in Counter(code[:3] for code in codes).items():
        if level := level_of(f"{kind}000000"):
            found[level] += n
    return found


def is_code(codes: np.ndarray) -> np.ndarray:
    """Which of (n,) texts (None allowed) are area codes: (n,) bool."""
    fits = pc.match_substring_regex(pa.array(codes, pa.string()), f"^{GSS.pattern}$")
    return fits.fill_null(False).to_numpy(zero_copy_only=False)


def zone_year(codes: Sequence[str]) -> int | None:
    """Census year that English and Welsh zone codes betray: 2021 where one is new since 2011, else None.

    Most codes are the same in both censuses, and Scottish tables of 2022 use data zones of 2011, so 2011 is never told.

    >>> zone_year(["E01000001", "E01035762"]), zone_year(["E01000001"])
    (2021, None)
    """
    last: dict[str, str] = {}
    for code in codes:
        kind = code[:3]
        if kind in _FIRST_2021 and code > last.get(kind, ""):
            last[kind] = code
    newer = (code[3:].isdigit() and int(code[3:]) >= _FIRST_2021[kind] for kind, code in last.items())
    return 2021 if any(newer) else None


def code_share(column: pa.ChunkedArray) -> float:
    """Share of a text column's values that are area codes, from its first 500 values."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
        return 0.0
    sample = [v for v in texts(column.slice(0, 500)) if v]
    return float(np.mean([bool(GSS.fullmatch(v)) for v in sample])) if sample else 0.0


def zone_column(table: pa.Table, candidates: Sequence[str] | None = None) -> str | None:
    """Column that holds the zone codes: area codes of the finest level, else a column named like one; None where there is none.

    Of several columns of one level the last year's wins (LSOA21CD before LSOA11CD).
    """
    names = list(candidates if candidates is not None else table.column_names)
    coded = [(n, code_share(table[n])) for n in names]
    coded = [n for n, share in coded if share >= 0.5]
    if coded:
        return min(coded, key=lambda n: (_rank(table[n]), -int((re.findall(r"\d\d", n) or ["0"])[-1]), names.index(n)))
    named = [n for n in names if _ZONE_NAMES.match(key(n))]
    for name in named:
        if not pa.types.is_floating(table[name].type):
            return name
    return None


def _rank(column: pa.ChunkedArray) -> int:
    levels = [level_of(v) for v in texts(column.slice(0, 200)) if v]
    found = [_ORDER.index(x) for x in levels if x in _ORDER]
    return min(found, default=len(_ORDER))
