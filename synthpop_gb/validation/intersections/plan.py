"""Which combinations of variables are looked at, which are not, and why: decided before anything is counted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, prod

import numpy as np
import pandas as pd

__all__ = ["COVERAGE_COLUMNS", "PLACES", "PROTECTED", "Plan", "make_plan", "protected_names"]

PROTECTED = frozenset(
    {
        "age", "sex", "gender", "ethnic", "ethnicity", "race", "racial", "health", "disability", "disabled", "religion", "faith",
        "belief", "marital", "marriage", "partnership", "pregnancy", "orientation",
    }
)  # fmt: skip
"""Words of names that mean protected attributes: the characteristics of the Equality Act 2010 that surveys ask for; health."""

PLACES = frozenset({"zone", "region", "lad", "ltla", "msoa", "lsoa", "district", "county", "ward", "constituency"})
"""Words of names that mean where somebody lives: crossed with protected attributes they stay protected."""

COVERAGE_COLUMNS = ("what", "name", "k", "combinations", "looked_at", "reason")

_LARGEST = 2**62  # possible cells that can be numbered
_COUNTED = 10**15
_MOST_NAMED = 50  # combinations named one by one, where they are left out
_ORDERS_TOLD = 6  # orders above this are told together


def _words(name: str) -> set[str]:
    return set(re.split(r"[\W_]+", name.casefold()))


def protected_names(names: Iterable[str], concepts: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Tell which variables are protected attributes, by their names or by what they are known to be.

    Parameters
    ----------
    names : iterable of str
        Names of variables.
    concepts : mapping of str to str, optional
        By name, the common name of a variable (`PairVariable.concept`), where the column is called otherwise.

    Returns
    -------
    tuple of str
        In the order of `names`.

    >>> protected_names(["Marital Status", "hours", "v17", "native_country"], {"v17": "ethnic_group"})
    ('Marital Status', 'v17')
    """
    concepts = concepts or {}
    return tuple(n for n in names if (_words(n) | _words(concepts.get(n, ""))) & PROTECTED)


@dataclass(frozen=True, eq=False)
class Plan:
    """What is scanned.

    Attributes
    ----------
    combinations : tuple of tuple of int
        Positions of the variables of each combination, ascending; fewer variables first, protected ones first among equals.
    protected : tuple of bool
        Of each combination: whether all its variables are protected attributes, or places beside at least one of them.
    coverage : pandas.DataFrame
        Columns what ('order', 'variable' or 'combination'), name, k, combinations (how many), looked_at, reason (why not).
    """

    combinations: tuple[tuple[int, ...], ...]
    protected: tuple[bool, ...]
    coverage: pd.DataFrame


def make_plan(
    names: Sequence[str],
    sizes: Sequence[int],
    *,
    records: int,
    orders: Iterable[int] = (1, 2, 3),
    also: Iterable[Iterable[str]] = (),
    protected: Iterable[str] = (),
    left_out: Iterable[tuple[str, str]] = (),
    max_categories: int = 500,
    max_cells: int = 10_000_000,
) -> Plan:
    """Choose combinations of variables.

    Parameters
    ----------
    names, sizes : sequence
        Variables and how many categories each has.
    records : int
        Distinct records on both sides: no table has more cells that occur.
    orders : iterable of int
        All combinations of so many variables are looked at.
    also : iterable of iterable of str
        Further combinations, of any order.
    protected : iterable of str
        Protected attributes; by name where empty (`protected_names`).
    left_out : iterable of (str, str)
        Variables that are not there and why, for the coverage.
    max_categories : int
        Variables with more categories are looked at alone: crossed, almost every cell would be one record.
    max_cells : int
        Cells looked at in all; beyond them combinations are left out, those of protected attributes last.

    Raises
    ------
    KeyError
        Where `also` or `protected` names a variable that is not there.

    >>> plan = make_plan(["sex", "age", "id"], [2, 5, 900], records=900, orders=(1, 2))
    >>> plan.combinations
    ((0,), (1,), (2,), (0, 1))
    >>> plan.coverage[["name", "k", "combinations", "looked_at"]].to_dict("split")["data"]
    [['id', 1, 2, False], ['1-way combinations of 3 variables', 1, 3, True], ['2-way combinations of 3 variables', 2, 1, True], \
['3-way combinations of 3 variables', 3, 1, False]]
    """
    where = {name: i for i, name in enumerate(names)}
    orders, chosen = sorted({int(k) for k in orders if 1 <= int(k) <= len(names)}), [_positions(a, where) for a in also]
    special = {where[n] for n in _known(protected or protected_names(names), where)}
    places = {i for n, i in where.items() if _words(n) & PLACES} - special
    rows = [_row("variable", n, 1, 1, False, why) for n, why in left_out]
    alone = {}
    for i, size in enumerate(sizes):
        if size > max_categories:
            alone[i] = f"more than {max_categories:,} categories ({size:,}): looked at alone, not crossed"
        elif size < 2:
            alone[i] = "one category only: crossed with others it says nothing"
    if max(orders, default=0) > 1:
        rows += [_row("variable", names[i], 1, len(names) - 1, False, why) for i, why in alone.items()]

    def is_protected(at):
        return bool(set(at) & special) and set(at) <= special | places

    wanted = [c for k in orders for c in combinations(range(len(names)), k) if k == 1 or not set(c) & set(alone)]
    wanted = sorted(dict.fromkeys([*wanted, *chosen]), key=lambda c: (len(c), not is_protected(c), c))
    taken, cells = [], 0
    for at in wanted:
        possible = prod(int(sizes[i]) for i in at)
        more = min(possible, records)
        reason = "more possible cells than can be numbered" if possible >= _LARGEST else ""
        if not reason and cells + more > max_cells:
            reason = f"limit of {max_cells:,} cells"
        if reason:
            rows.append(_row("combination", " x ".join(names[i] for i in at), len(at), 1, False, reason))
        else:
            taken.append(at)
            cells += more
    rows += _orders(names, orders, alone, taken, is_protected)
    rows += [_row("combination", " x ".join(names[i] for i in c), len(c), 1, True, "") for c in chosen if c in taken]
    coverage = pd.DataFrame(rows, columns=list(COVERAGE_COLUMNS))
    return Plan(tuple(taken), tuple(is_protected(c) for c in taken), coverage)


def _row(what, name, k, many, looked_at, reason) -> dict:
    return dict(zip(COVERAGE_COLUMNS, (what, name, k, many, looked_at, reason), strict=True))


def _known(names: Iterable[str], where: Mapping[str, int]) -> tuple[str, ...]:
    names = (names,) if isinstance(names, str) else tuple(names)
    for name in names:
        if name not in where:
            raise KeyError(f"there is no variable {name!r}")
    return names


def _positions(names: Iterable[str], where: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(sorted({where[n] for n in _known(names, where)}))


def _orders(names, orders, alone, taken, is_protected) -> list[dict]:
    """One row an order looked at, one an order that is not, and the protected combinations of the next order by name."""
    n, rows = len(names), []
    many = np.bincount([len(c) for c in taken], minlength=n + 2)
    for k in range(1, min(n, _ORDERS_TOLD) + 1):
        name = f"{k}-way combinations of {n:,} variables"
        if k in orders:
            rows.append(_row("order", name, k, comb(n, k) if k == 1 else int(many[k]), True, ""))
        else:
            reason = f"order above {max(orders, default=0)}" if k > max(orders, default=0) else "not asked for"
            rows.append(_row("order", name, k, comb(n, k) - int(many[k]), False, reason))
    if n > _ORDERS_TOLD:
        rest = sum(comb(n, k) for k in range(_ORDERS_TOLD + 1, n + 1))
        name, reason = f"combinations of more than {_ORDERS_TOLD} variables", f"order above {max(orders, default=0)}"
        if rest > _COUNTED:  # of sixty variables there are more than any file's whole numbers hold
            rest, reason = _COUNTED, f"{reason}; at least so many"
        rows.append(_row("order", name, _ORDERS_TOLD + 1, rest, False, reason))
    k = max(orders, default=0) + 1
    named = (
        [c for c in combinations([i for i in range(n) if i not in alone], k) if is_protected(c) and c not in taken]
        if k > 1
        else []
    )
    for c in named[:_MOST_NAMED]:
        name = " x ".join(names[i] for i in c)
        rows.append(_row("combination", name, k, 1, False, f"order above {k - 1}: protected, can be asked for by name"))
    return rows
