"""Published incomes brought to areas of another vintage: areas divided or merged are compared together, none is divided."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from synthpop_gb.area_incomes import AreaIncomes
from synthpop_gb.errors import finding
from synthpop_gb.kernels.components import component_of
from synthpop_gb.lookup import Lookup

__all__ = ["rezone_incomes"]


def rezone_incomes(incomes: AreaIncomes, lookup: Lookup) -> AreaIncomes:
    """Bring figures of former areas to those that a study has, such as MSOAs of 2011 to those of 2021.

    Former and present areas that share people make groups: mostly one of each. The figure of a group of several former areas is
    their mean, by the lookup's weights (households, people) where it has any and otherwise each alike; their errors are taken as
    independent. A group of several present areas is compared as a whole: how they differ nobody published. Medians and shares are
    averaged likewise, which of medians is near enough for parts that differ little.

    Parameters
    ----------
    incomes : AreaIncomes
        Of the lookup's zones.
    lookup : Lookup
        From these to the present areas.

    Returns
    -------
    AreaIncomes
        `groups` says which row each present area belongs to; a row is named by its present area, or, of several, by the former
        ones, 'E02000001+E02000002'. Finding: 'income-regrouped' (a note) with areas that are not one to one, and how many groups
        lack the figure of a former area and are left out.

    Examples
    --------
    >>> values = pd.DataFrame({"value": [30.0, 20.0, 40.0], "standard_error": [1.0, 1.0, 1.0]}, index=list("abc"))
    >>> old = AreaIncomes("net", values)
    >>> new = rezone_incomes(old, Lookup.of(pd.DataFrame({"zone": list("abcc"), "area": list("XXYZ")})))
    >>> new.values["value"].to_dict(), dict(new.groups)
    ({'X': 25.0, 'c': 40.0}, {'X': 'X', 'Y': 'c', 'Z': 'c'})
    """
    pairs = lookup.pairs[lookup.pairs["area"] != ""]
    former, old = np.unique(pairs["zone"].to_numpy(str), return_inverse=True)
    present, new = np.unique(pairs["area"].to_numpy(str), return_inverse=True)
    number = component_of(old, new + len(former), len(former) + len(present))
    group = np.unique(number, return_inverse=True)[1].reshape(-1)
    n = int(group.max(initial=-1)) + 1
    weight = np.bincount(old, pairs["weight"], len(former)) if lookup.weighted else np.ones(len(former))
    row = incomes.areas.astype(str).get_indexer(pd.Index(former, dtype=object))
    known = row >= 0
    of_former = group[: len(former)]
    value, error = (incomes.values[c].to_numpy(float)[np.maximum(row, 0)] for c in ("value", "standard_error"))
    lacking = np.bincount(of_former, ~known, n) > 0
    total = np.bincount(of_former, np.where(known, weight, 0.0), n)
    whole = (total > 0) & ~lacking
    names = _names(former, present, group, n)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(of_former, np.where(known, weight * value, 0.0), n) / total
        spread = np.sqrt(np.bincount(of_former, np.where(known, (weight * error) ** 2, 0.0), n)) / total
    frame = pd.DataFrame({"value": mean, "standard_error": spread}, index=pd.Index(names, name="area"))[whole]
    groups = {p: names[g] for p, g in zip(present.tolist(), group[len(former) :].tolist(), strict=True) if whole[g]}
    changed = (np.bincount(of_former, minlength=n) != 1) | (np.bincount(group[len(former) :], minlength=n) != 1)
    used = total > 0
    findings = []
    if (changed & used).any():
        lost = int((lacking & used).sum())
        message = (
            f"{incomes.name}: {int((changed & used).sum()):,} groups of areas are not the same in {lookup.zone} and {lookup.to} "
            f"(first: {names[changed & used][0]}) and are compared together"
            + (f"; {lost:,} of them lack a figure of one of theirs and are left out." if lost else ".")
        )
        rows = pd.DataFrame({"area": names[changed & used]})
        findings = [finding("income-regrouped", message, place=incomes.name, count=len(rows), rows=rows)]
    return replace(incomes, values=frame, groups=groups, findings=(*incomes.findings, *findings))


def _names(former: np.ndarray, present: np.ndarray, group: np.ndarray, n: int) -> np.ndarray:
    """Name groups by their one present area, or else by their former areas."""
    sides: list[list[list[str]]] = [[[] for _ in range(n)] for _ in range(2)]
    for side, codes, numbers in ((0, former, group[: len(former)]), (1, present, group[len(former) :])):
        for code, g in zip(codes.tolist(), numbers.tolist(), strict=True):
            sides[side][g].append(code)
    return np.array([new[0] if len(new) == 1 else "+".join(old) for old, new in zip(*sides, strict=True)], dtype=object)
