"""Places as rules know them: whether somewhere is in Scotland or London, and the number of its region."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

__all__ = ["is_london", "is_scotland", "region_number"]

_REGIONS = (
    (1, r"^E12000001$|north[_ ]east"), (2, r"^E12000002$|north[_ ]west"), (4, r"^E12000003$|yorkshire"),
    (5, r"^E12000004$|east[_ ]midlands"), (6, r"^E12000005$|west[_ ]midlands"), (7, r"^E12000006$|east of england|^east(ern)?$"),
    (8, r"^E12000007$|^E09\d{6}$|london"), (9, r"^E12000008$|south[_ ]east"), (10, r"^E12000009$|south[_ ]west"),
    (11, r"^W\d{8}$|wales"), (12, r"^S\d{8}$|scotland"), (13, r"^N\d{8}$|northern ireland"),
)  # fmt: skip
"""Numbers of the Family Resources Survey's GVTREGN, which EUROMOD and SimPaths share (3 was Merseyside): code or name."""


def region_number(places) -> np.ndarray:
    """Return numbers of regions and countries of the UK as in the Family Resources Survey; 0 where a place is none of them.

    places : array_like of str; GSS codes of regions and countries (of anything in Wales, Scotland, Northern Ireland, and of
    London boroughs), or names.

    >>> region_number(["E12000003", "London", "S12000036", "Penmarrow"])
    array([ 4,  8, 12,  0])
    """
    code, distinct = pd.factorize(pd.Series(places).astype(object))
    numbers = [next((n for n, p in _REGIONS if re.search(p, str(d).strip(), re.IGNORECASE)), 0) for d in distinct]
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
