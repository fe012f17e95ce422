"""Parameters as files write them: TOML makes tables of dotted names, and rules know whole paths."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["flattened"]

_PERIOD = re.compile(r"\d{4}|year:")


def flattened(parameters: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Name parameters by their whole path. Values by period ('2025', '2025-04-06', 'year:2025:2') are one value.

    >>> flattened({"income_tax": {"personal_allowance": 15000}, "gov.x": {"year:2025:2": 3}})
    {'income_tax.personal_allowance': 15000, 'gov.x': {'year:2025:2': 3}}
    """
    out: dict[str, Any] = {}
    for key, value in parameters.items():
        if isinstance(value, Mapping) and value and not all(_PERIOD.match(str(k)) for k in value):
            out |= flattened(value, f"{before}{key}.")
        else:
            out[f"{before}{key}"] = value
    return out
