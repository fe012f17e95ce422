"""Places as rules know them: whether somewhere is in Scotland or London, and the number of its region."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

__all__ = ["is_london", "is_scotland", "region_number"]

_REGIONS = (
    (1, r"E12000001|north east( england)?"), (2, r"E12000002|north west( england)?"),
    (4, r"E12000003|yorkshire(( and|,| &)( the)? humber(side)?)?"), (5, r"E12000004|east midlands"),
    (6, r"E12000005|west midlands"), (7, r"E12000006|east( of england)?|eastern( england)?"),
    (8, r"E12000007|E09\d{6}|(greater |inner |outer )?london"), (9, r"E12000008|south east( england)?"),
    (10, r"E12000009|south west( england)?"), (11, r"W\d{8}|wales"), (12, r"S\d{8}|scotland"), (13, r"N\d{8}|northern ireland"),
)  # fmt: skip
"""Numbers of the Family Resources Survey's GVTREGN, which EUROMOD and SimPaths share (3 was Merseyside): code or
whole name, since North East Lincolnshire is in Yorkshire and The Humber."""


def region_number(places) -> np.ndarray:
    """Return numbers of regions and countries of the UK as in the Family Resources Survey; 0 where a place is none of them.

    places : array_like of str; GSS codes of regions and countries (of anything in Wales, Scotland, Northern Ireland, and of
    London boroughs), or names.

    >>> region_number(["E12000003", "London", "S12000036", "Penmarrow"])
    array([ 4,  8, 12,  0])
    """
    code, distinct = pd.factorize(pd.Series(places).astype(object))
    words = [re.sub(r"[\s_-]+", " ", str(d)).strip() for d in distinct]
    numbers = [next((n for n, pattern in _REGIONS if re.fullmatch(pattern, w, re.IGNORECASE)), 0) for w in words]
    return np.array([*numbers, 0], np.int64)[code]


def is_scotland(places) -> np.ndarray:
    """Whether places are in Scotland, by code or name: (n,) bool.

    >>> is_scotland(["Scotland", "S12000036", "E06000023"]).tolist()
    [True, True, False]
    """
    return region_number(places) == 12


def is_london(places) -> np.ndarray:
    """Whether places are in Greater London, by code or name: (n,) bool.

    >>> is_london(["E12000007", "E09000001", "Leeds"]).tolist()
    [True, True, False]
    """
    return region_number(places) == 8
