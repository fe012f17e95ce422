"""What a comparison means on a frame: through the atoms of the codebook where there is one, else on labels, bands and numbers."""

from __future__ import annotations

import difflib
import math
import operator as operators
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.codebook import Category, Variable, age_atoms
from synthpop_gb.indicators.conditions import Comparison

__all__ = ["Words", "common_labels", "truth_of"]

_ORDER = {"<": operators.lt, "<=": operators.le, ">": operators.gt, ">=": operators.ge}
_BAND = re.compile(r"\s*(\d+)\s*(?:(\+)|(?:-|–|to)\s*(\d+))?\s*(?:years?)?\s*", re.IGNORECASE)
_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_SPAN = re.compile(rf"\s*({_NUMBER})\s*to\s*({_NUMBER})\s*")
_YES, _NO, _UNKNOWN, _BOTH = 1, 0, -1, 2


def _key(text) -> str:
    """Names and labels are compared without case, and white space, '_' and a '-' between letters are alike.

    The '-' of a number or a band is kept: '-9' is not '9', and '16-24' is not '16 24'.
    """
    if isinstance(text, float) and text.is_integer():
        text = int(text)
    return re.sub(r"[\s_]+|(?<=[^\W\d_])-(?=[^\W\d_])", " ", str(text)).strip().casefold()


def _name_key(text) -> str:
    return re.sub(r"[\s_-]+", "_", str(text)).strip("_").casefold()


def _column(variable: Variable) -> str:
    """Column that holds a variable's codes: one called like it where the codebook names none."""
    return variable.column or variable.name


@dataclass(frozen=True)
class Words:
    """What names and labels may be used: a frame of records, the variables that its codes stand for, further labels."""

    frame: pd.DataFrame
    variables: Mapping[str, Variable]
    categories: Mapping[str, Iterable[Category]]

    def find(self, name: str) -> tuple[Variable | None, str] | None:
        """Variable (or None) and column that a name means; None where nothing is called so."""
        wanted = _name_key(name)
        for known, variable in self.variables.items():
            column = _column(variable)
            if wanted == _name_key(known) and column in self.frame.columns:
                return variable, column
        exact = [c for c in self.frame.columns if str(c) == name] or [c for c in self.frame.columns if _name_key(c) == wanted]
        return (None, exact[0]) if exact else None

    def unknown_name(self, name: str) -> str:
        """Say that nothing is called so, and what the nearest name is."""
        known = [name for name, v in self.variables.items() if _column(v) in self.frame.columns] or [
            str(c) for c in self.frame.columns
        ]
        everything = list(dict.fromkeys([*known, *map(str, self.frame.columns)]))
        return f"no variable or column is called {name!r}.{_nearest(name, everything, known)}"


def common_labels(aligned: Aligned) -> dict[str, list[Category]]:
    """Return the common categories of every variable that some table of the study crosses."""
    found: dict[str, list[Category]] = {}
    for table in (*aligned.constraints, *aligned.held_out):
        for name, categories in zip(table.variables, table.categories, strict=True):
            found.setdefault(name, []).extend(categories)
    return found


def _nearest(text, everything: Iterable[str], shown: Iterable[str] | None = None) -> str:
    """Return ' Did you mean ...?', else the words there are."""
    by_key = {_key(w): w for w in reversed(list(everything))}
    close = difflib.get_close_matches(_key(text), by_key, n=1)
    if close:
        return f" Did you mean {by_key[close[0]]!r}?"
    shown = list(by_key.values() if shown is None else shown)
    return f" There are: {', '.join(map(str, shown[:12]))}{' ...' if len(shown) > 12 else ''}."


def truth_of(comparison: Comparison, words: Words, problems: list[tuple[str, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Rows where a comparison holds, and rows where its opposite does, both (n_rows,) bool.

    Problems are appended as (text, position). The comparison is decided once for every distinct code, then spread over the rows.
    """
    found = words.find(comparison.name)
    if found is None:
        problems.append((words.unknown_name(comparison.name), comparison.position))
        return np.zeros((2, len(words.frame)), bool)
    variable, column = found
    code, distinct = pd.factorize(words.frame[column])
    if variable is None:
        kinds, text = _plain(comparison, distinct)
    else:
        kinds, text = _coded(comparison, distinct, variable, list(words.categories.get(variable.name, ())))
    if text:
        problems.append((text, comparison.position))
        return np.zeros((2, len(words.frame)), bool)
    of_row = np.append(np.asarray(kinds, np.int8), _UNKNOWN)[code]  # code -1 = no value: the last entry
    return of_row == _YES, of_row == _NO


def _coded(comparison: Comparison, distinct, variable: Variable, further: list[Category]) -> tuple[list[int], str]:
    """Decide a comparison for each distinct code of a variable, through atoms."""
    by_code = {_key(c.code): c for c in variable.categories}
    present = [by_code.get(_key(d)) for d in distinct]
    if comparison.operator in _ORDER:
        limit, text = _limit(comparison)
        if not text and not all(a.isdigit() for a in variable.atoms):
            text = f"{comparison.name} has no order: name its categories, {_some(variable)}."
        if text:
            return [], text
        compare = _ORDER[comparison.operator]
        wanted = frozenset(a for a in variable.atoms if compare(float(a), limit))
        itself: set[str] = set()
    else:
        wanted, itself, text = _named(comparison, variable, further)
        if text:
            return [], text
    kinds = [_kind(c, wanted, itself) for c in present]
    split = [c.label for c, kind in zip(present, kinds, strict=True) if kind == _BOTH]
    if split:
        return (
            [],
            f"{_quote(comparison)} cuts through {', '.join(map(repr, split))}: {comparison.name} has only {_some(variable)}.",
        )
    return kinds, ""


def _kind(category: Category | None, wanted: frozenset[str], itself: set[str]) -> int:
    """Whether a category lies wholly inside the atoms wanted, wholly outside, or on both sides; or is named outright."""
    if category is not None and category.code in itself:
        return _YES
    if category is None or not category.atoms:
        return _UNKNOWN
    return _YES if category.atoms <= wanted else _BOTH if category.atoms & wanted else _NO


def _named(comparison: Comparison, variable: Variable, further: list[Category]) -> tuple[frozenset[str], set[str], str]:
    """Atoms of the labels (or codes, or ages) that a comparison names, and the codes named outright."""
    wanted: set[str] = set()
    itself: set[str] = set()
    is_age = bool(variable.atoms) and all(a.isdigit() for a in variable.atoms)
    for value in comparison.values:
        hits = [c for c in [*variable.categories, *further] if _key(value) == _key(c.label)]
        hits = hits or (
            [c for c in variable.categories if _key(value) == _key(c.code)] if not (is_age and isinstance(value, float)) else []
        )
        band = _band(value) if is_age and not hits else None
        if hits:
            wanted |= hits[0].atoms
            itself |= {c.code for c in hits if c in variable.categories}
        elif band:
            wanted |= age_atoms(int(band[0]), None if math.isinf(band[1]) else int(band[1]))
        else:
            labels = [c.label for c in [*variable.categories, *further]]
            return frozenset(), set(), f"{comparison.name} has no category {_shown(value)}.{_nearest(value, labels)}"
    return frozenset(wanted), itself, ""


def _plain(comparison: Comparison, distinct) -> tuple[list[int], str]:
    """Decide a comparison for each distinct value of a column that no codebook describes."""
    numeric = pd.api.types.is_numeric_dtype(distinct) and not pd.api.types.is_bool_dtype(distinct)
    if comparison.operator not in _ORDER:
        known = {_key(d) for d in distinct}
        asked = [v for v in comparison.values if _key(v) not in known]
        if asked and not numeric:
            return [], f"no record has {comparison.name} {_shown(asked[0])}.{_nearest(asked[0], [str(d) for d in distinct])}"
        wanted = {_key(v) for v in comparison.values}
        return [_YES if _key(d) in wanted else _NO for d in distinct], ""
    limit, text = _limit(comparison)
    spans = [(float(d), float(d)) if numeric else _span(d) for d in distinct]
    if not text and any(s is None for s in spans):
        odd = next(d for d, s in zip(distinct, spans, strict=True) if s is None)
        text = f"{comparison.name} has no order ({str(odd)!r} is no number and no band of ages): name its values with in (...)."
    if text:
        return [], text
    compare = _ORDER[comparison.operator]
    ends = [(compare(low, limit), compare(high, limit)) for low, high in spans]
    split = [str(d) for d, (low, high) in zip(distinct, ends, strict=True) if low != high]
    if split:
        return [], f"{_quote(comparison)} cuts through {', '.join(map(repr, split))} of {comparison.name}."
    return [_YES if low else _NO for low, _ in ends], ""


def _limit(comparison: Comparison) -> tuple[float, str]:
    try:
        limit = float(comparison.values[0])
    except ValueError:
        limit = math.nan
    return limit, f"{_quote(comparison)} needs a number after {comparison.operator!r}." if math.isnan(limit) else ""


def _band(value) -> tuple[float, float] | None:
    """First and last of '65-74', '75+' or '70', in years; None where it is no band."""
    match = _BAND.fullmatch(f"{value:g}" if isinstance(value, float) else str(value))
    if match is None:
        return None
    low, plus, high = match.groups()
    return float(low), math.inf if plus else float(high or low)


def _span(value) -> tuple[float, float] | None:
    """First and last of a band, of a number, or of a group of numbers such as '-3 to 24.5'; None where it is none of them."""
    if (band := _band(value)) is not None:
        return band
    if (match := _SPAN.fullmatch(str(value))) is not None:
        return float(match.group(1)), float(match.group(2))
    return (float(str(value)),) * 2 if re.fullmatch(_NUMBER, str(value).strip()) else None


def _some(variable: Variable) -> str:
    labels = [c.label for c in variable.categories if c.atoms]
    return ", ".join(repr(label) for label in labels[:12]) + (" ..." if len(labels) > 12 else "")


def _shown(value) -> str:
    return f"{value:g}" if isinstance(value, float) else repr(value)


def _quote(comparison: Comparison) -> str:
    return f"{comparison.name} {comparison.operator} {', '.join(map(_shown, comparison.values))}"
