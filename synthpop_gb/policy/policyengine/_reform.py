"""Reforms as scenario files write them, turned into PolicyEngine's: parameter name = {period = value}."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Any

from synthpop_gb.errors import finding, refuse
from synthpop_gb.policy._parameters import flattened

__all__ = ["as_reform"]

_PERIOD = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?([.:]\d{4}(-\d{2}(-\d{2})?)?)?|year:\S+")


def as_reform(parameters: Mapping[str, Any] | None, known: Collection[str], year: int) -> dict[str, dict[str, Any]]:
    """Turn parameters into the engine's reform.

    Parameters
    ----------
    parameters : mapping, optional
        A parameter's name to its value in `year`, or to values by period ('2025', '2025-04-06.2030-12-31'), as PolicyEngine
        has them. Names may be nested, as TOML reads dots: {"gov": {"hmrc": ...}}.
    known : collection of str
        Names of the engine's parameters.
    year : int
        Fiscal year of the run.

    Raises
    ------
    InputError
        `engine-parameter` for each name that the engine does not have, with the nearest, and each value or period that is none.

    Examples
    --------
    >>> allowance = "gov.hmrc.income_tax.allowances.personal_allowance.amount"
    >>> as_reform({allowance: 15000}, {allowance}, 2025) == {allowance: {"2025": 15000}}
    True
    >>> as_reform({"gov": {"rate": {"2026": 0.2}}}, {"gov.rate"}, 2025)
    {'gov.rate': {'2026': 0.2}}
    """
    findings, out = [], {}
    for name, value in flattened(parameters or {}).items():
        values = {str(k): v for k, v in value.items()} if isinstance(value, Mapping) else {str(year): value}
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            message = f"PolicyEngine has no parameter {name!r}.{hint}"
            findings.append(finding("engine-parameter", message, place=f"parameters.{name}"))
        elif not values or any(not isinstance(v, bool | int | float | str) for v in values.values()):
            message = f"The value of the parameter {name!r} is {value!r}, and not a number, a word or true or false."
            findings.append(finding("engine-parameter", message, place=f"parameters.{name}"))
        elif strange := [k for k in values if not _PERIOD.fullmatch(k)]:
            message = f"The parameter {name!r} has a value of {strange[0]!r}, which is no period such as '2025' or '2025-04-06'."
            findings.append(finding("engine-parameter", message, place=f"parameters.{name}"))
        else:
            out[name] = values
    refuse(findings)
    return out
