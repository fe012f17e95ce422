"""Structural zeros: combinations that cannot be, declared as conditions and looked up on the labels of cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import pandas as pd

from synthpop_gb.coded import MISSING
from synthpop_gb.errors import InputError, finding
from synthpop_gb.indicators import Condition, parse_condition
from synthpop_gb.indicators.matching import Words
from synthpop_gb.validation.intersections.tallies import CrossTable

__all__ = ["Rule", "impossible_cells", "make_rules"]

_MOST_CELLS = 2_000_000
"""Cells of the cross-table of one rule's variables; beyond them a rule is refused instead of filling the memory."""


@dataclass(frozen=True, eq=False)
class Rule:
    """One declared structural zero.

    Attributes
    ----------
    text : str
        As written.
    at : tuple of int
        Positions of the variables that it names, ascending.
    holds : numpy.ndarray
        bool, one a cell of their cross-table, the last variable fastest: whether the rule says that nobody can be there.
    """

    text: str
    at: tuple[int, ...]
    holds: np.ndarray


def make_rules(texts: Iterable[str], names: Sequence[str], labels: Sequence[Sequence[str]]) -> tuple[Rule, ...]:
    """Parse conditions and decide them for every cell that their variables can make; nothing is run as code.

    Parameters
    ----------
    texts : iterable of str
        Conditions as `parse_condition` reads them: "relationship = 'Husband' and sex = 'Female'", "age < 16 and hours > 0".
    names, labels : sequence
        Variables, and the labels of each one's categories. Labels that are numbers, bands ('16-24', '75+') or spans ('17 to
        24.5') have an order. A cell with a missing value meets no condition on it.

    Raises
    ------
    InputError
        All findings at once ('bad-condition'): what cannot be parsed, names and labels that do not exist (with the nearest one),
        limits that cut through a band, conditions that nothing or everything meets.

    >>> rule, = make_rules(["age < 16 and work = 'yes'"], ["sex", "age", "work"], [["f", "m"], ["0-15", "16+"], ["yes", "no"]])
    >>> rule.at, rule.holds.tolist()
    ((1, 2), [True, False, False, False])
    """
    found, problems = [], []
    for text in (texts,) if isinstance(texts, str) else texts:
        try:
            found.append(_rule(parse_condition(text), names, labels))
        except InputError as error:
            problems += error.findings
    if problems:
        raise InputError(problems)
    return tuple(found)


def _rule(condition: Condition, names: Sequence[str], labels: Sequence[Sequence[str]]) -> Rule:
    words = Words(pd.DataFrame(columns=list(names)), {}, {})
    columns = {name: words.find(name) for name in condition.names}
    if unknown := [name for name, column in columns.items() if column is None]:
        raise InputError([finding("bad-condition", f"{condition}: {words.unknown_name(name)}") for name in unknown])
    at = tuple(sorted({list(names).index(column) for _, column in columns.values()}))
    sizes = [len(labels[i]) for i in at]
    if prod(sizes) > _MOST_CELLS:
        raise InputError([finding("bad-condition", f"{condition}: its variables have more than {_MOST_CELLS:,} combinations.")])
    grid = np.unravel_index(np.arange(prod(sizes)), sizes)
    said = {names[i]: np.array([None if x == MISSING else x for x in labels[i]], object) for i in at}
    holds = condition.matches(pd.DataFrame({name: words[g] for (name, words), g in zip(said.items(), grid, strict=True)}))
    if holds.all() or not holds.any():
        whom = "everybody, so nobody could be right" if holds.all() else "no combination of labels"
        raise InputError([finding("bad-condition", f"{condition}: it is met by {whom}.")])
    return Rule(condition.text, at, holds)


def impossible_cells(table: CrossTable, rules: Iterable[Rule]) -> np.ndarray:
    """(n_cells,) int64: number of the first rule that forbids each cell of a cross-table, -1 where none does.

    A rule can be decided where the table crosses all its variables.
    """
    out = np.full(len(table), -1, np.int64)
    for number, rule in enumerate(rules):
        if set(rule.at) <= set(table.at) and len(table):
            cells = table.part(np.arange(len(table)), [table.at.index(i) for i in rule.at])
            out = np.where((out < 0) & rule.holds[cells], number, out)
    return out
