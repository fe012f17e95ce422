"""Which columns tell who is copied: those of records, or of households where whole ones were placed."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

__all__ = ["Copied", "copied_of"]


class Copied(NamedTuple):
    """Whose copies there are ('people', 'households'), of what each is one, and the columns of the table `zones` that tell."""

    who: str
    each: str
    different: str
    effective: str
    largest: str


_PEOPLE = Copied("people", "record", "donors", "effective_donors", "largest_share")
_HOUSEHOLDS = Copied("households", "household", "different_households", "effective_households", "largest_household")


def copied_of(zones: pd.DataFrame) -> Copied:
    """Choose by the columns of the table of zones."""
    return _HOUSEHOLDS if _HOUSEHOLDS.effective in zones else _PEOPLE
