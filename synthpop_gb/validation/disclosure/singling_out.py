"""Singling out: predicates that are true of one synthetic record, and of how many real people they are true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.pair import Pair
from synthpop_gb.validation.disclosure._records import labelled

__all__ = ["Predicate", "Values", "matches", "multivariate", "random_predicates", "univariate", "values_of"]


@dataclass(frozen=True)
class Predicate:
    """Conditions joined by 'and': (variable, sign, value), sign one of '=', '<=', '>=', 'missing'; of labels, value is a code."""

    conditions: tuple[tuple[str, str, float], ...]


@dataclass(frozen=True, eq=False)
class Values:
    """Columns as float64: numbers as they are, categories as codes, missing NaN; `numbers` names the numbers."""

    columns: dict[str, np.ndarray]
    numbers: frozenset[str]
    n: int


def values_of(frames: Sequence[pd.DataFrame], pair: Pair) -> list[Values]:
    """Bring frames to columns in which a predicate means the same."""
    numbers = frozenset(pair.of_kind("number"))
    columns: list[dict[str, np.ndarray]] = [{} for _ in frames]
    for v in pair.variables:
        if v.name in numbers:
            made = [f[v.name].to_numpy(np.float64) for f in frames]
        else:
            made = [np.where(c < 0, np.nan, c) for c in labelled(frames, pair, v.name, None)[1]]
        for into, column in zip(columns, made, strict=True):
            into[v.name] = column
    return [Values(c, numbers, len(f)) for c, f in zip(columns, frames, strict=True)]


def matches(predicate: Predicate, records: Values) -> int:
    """Count the records of which a predicate is true."""
    left = None  # records of which all conditions so far are true: few after the first
    for name, sign, value in predicate.conditions:
        column = records.columns[name] if left is None else records.columns[name][left]
        if sign == "missing":
            true = np.isnan(column)
        elif sign == "=":
            true = column == value
        else:
            true = column <= value if sign == "<=" else column >= value
        left = np.flatnonzero(true) if left is None else left[true]
    return records.n if left is None else len(left)


def univariate(synthetic: Values) -> list[Predicate]:
    """All predicates of one variable that are true of exactly one synthetic record.

    Of categories, a label that one record has; of numbers, at or below a smallest and at or above a largest value that one
    record has; of both, being the only one without a value (Giomi et al. 2023, section 5.1: rare values and extremes).
    """
    found = []
    for name, column in synthetic.columns.items():
        known = column[~np.isnan(column)]
        if len(column) - len(known) == 1:
            found.append(Predicate(((name, "missing", np.nan),)))
        if not len(known):
            continue
        distinct, count = np.unique(known, return_counts=True)
        if name in synthetic.numbers:
            if count[0] == 1:
                found.append(Predicate(((name, "<=", float(distinct[0])),)))
            if count[-1] == 1 and len(distinct) > 1:
                found.append(Predicate(((name, ">=", float(distinct[-1])),)))
        else:
            found += [Predicate(((name, "=", float(v)),)) for v in distinct[count == 1]]
    return found


def multivariate(synthetic: Values, n: int, rng: np.random.Generator, *, conditions: int, tries: int = 10) -> list[Predicate]:
    """Up to n different predicates of several variables that are true of exactly one synthetic record.

    Each is drawn from a synthetic record: `conditions` variables at random, of categories the record's label, of numbers at or
    above its value where that is above the median, else at or below it. Those that are true of other synthetic records too are
    dropped, so fewer than n may be found in n * `tries` draws (Giomi et al. 2023, section 5.1).
    """
    names = list(synthetic.columns)
    if not names or not synthetic.n:
        return []
    middle = {k: float(np.median(v[~np.isnan(v)])) for k, v in synthetic.columns.items() if not np.isnan(v).all()}
    found: dict[Predicate, None] = {}
    for _ in range(n * tries):
        if len(found) == n:
            break
        row = int(rng.integers(synthetic.n))
        chosen = rng.choice(len(names), min(conditions, len(names)), replace=False)
        made = Predicate(tuple(_condition(synthetic, names[i], row, middle) for i in sorted(chosen)))
        if made not in found and matches(made, synthetic) == 1:
            found[made] = None
    return list(found)


def _condition(records: Values, name: str, row: int, middle: dict[str, float]) -> tuple[str, str, float]:
    value = float(records.columns[name][row])
    if np.isnan(value):
        return name, "missing", 0.0
    if name not in records.numbers:
        return name, "=", value
    return name, ">=" if value > middle[name] else "<=", value


def random_predicates(synthetic: Values, n: int, rng: np.random.Generator, *, conditions: int) -> list[Predicate]:
    """Draw n predicates by somebody who knows only which values there are: the naive guess.

    Variables, values and signs are drawn evenly, each by itself, without regard to which occur together.
    """
    domains = {k: d for k, v in synthetic.columns.items() if len(d := np.unique(v[~np.isnan(v)]))}
    names = list(domains)
    if not names:
        return []
    out = []
    for _ in range(n):
        made = []
        for i in sorted(rng.choice(len(names), min(conditions, len(names)), replace=False)):
            name = names[i]
            value = float(domains[name][rng.integers(len(domains[name]))])
            sign = ("<=", ">=")[int(rng.integers(2))] if name in synthetic.numbers else "="
            made.append((name, sign, value))
        out.append(Predicate(tuple(made)))
    return out
