"""Two surveys brought to the same variables and categories: what two populations can be compared on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.codebook import Category, Variable, age_atoms, age_label, common_categories, covers
from synthpop_gb.coded import MISSING, Coded
from synthpop_gb.errors import Finding, finding
from synthpop_gb.harmonisation.records import code_variable
from synthpop_gb.microdata import Microdata

__all__ = ["CommonCodes", "common_codes"]

_MANY = 25  # common categories above which a variable is left out unless it is asked for
_MOST = 12  # variables taken where nobody says which: 66 pairs
_AGE_BANDS = (0, 16, 25, 35, 45, 55, 65, 75, 85)
_FIRST = (
    "age",
    "sex",
    "ethnic_group",
    "health",
    "disability",
    "religion",
    "marital_status",
    "economic_activity",
    "qualification",
)
_NOT_APPLY = "(does not apply)"


@dataclass(frozen=True, eq=False)
class CommonCodes:
    """Records of two surveys in the same categories.

    Attributes
    ----------
    a, b : Coded
        One row a record of each, all records.
    inside : (numpy.ndarray, numpy.ndarray)
        (n_records,) bool each: records whose age both surveys tell apart from ages that only one covers.
    findings : tuple of Finding
        Variables that cannot be compared, and ages that straddle.
    """

    a: Coded
    b: Coded
    inside: tuple[np.ndarray, np.ndarray]
    findings: tuple[Finding, ...]


def common_codes(a: Microdata, b: Microdata, wanted: Sequence[str] = (), first: Sequence[str] = ()) -> CommonCodes:
    """Code the variables that both surveys describe in the finest categories that both can express.

    Parameters
    ----------
    a, b : Microdata
        The two surveys; may be the same.
    wanted : sequence of str
        These variables. Where none is named: all that both describe with 2 to 25 common categories, at most 12.
    first : sequence of str
        Which of them come first, e.g. a run's constraints.

    Returns
    -------
    CommonCodes
        Without any variable where there is none; ages in bands where there are many single years.
    """
    findings: list[Finding] = []
    shared = [n for n in a.variables if n in b.variables]
    if wanted:
        lacking = [n for n in wanted if n not in shared]
        if lacking:
            known = ", ".join(shared) or "nothing"
            message = f"{', '.join(lacking)}: not described by both {a.name} and {b.name}. Both describe: {known}."
            findings.append(finding("unknown-variable", message, place="by", count=len(lacking)))
        shared = [n for n in dict.fromkeys(wanted) if n in shared]
    else:
        order = {n: i for i, n in enumerate(dict.fromkeys([*_FIRST[:2], *first, *_FIRST]))}
        shared = sorted(_once(a, shared), key=lambda n: order.get(n, len(order)))
    inside = (np.ones(len(a.records), bool), np.ones(len(b.records), bool))
    names, labels, columns = [], [], ([], [])
    for name in shared:
        made = _one(name, a, b, inside, findings)
        if made is None:
            continue
        said, codes = made
        if not wanted and (not 2 <= len(said) <= _MANY or len(names) == _MOST):
            continue
        names.append(name)
        labels.append(said)
        for into, column in zip(columns, codes, strict=True):
            into.append(column)
    coded = []
    for side, survey in zip(columns, (a, b), strict=True):
        n = len(survey.records)
        codes = np.stack(side, axis=1) if side else np.empty((n, 0), np.int32)
        coded.append(Coded(tuple(names), tuple(labels), codes, np.ones(n)))
    return CommonCodes(*coded, inside, tuple(findings))


def _once(survey: Microdata, names: list[str]) -> list[str]:
    """Leave out second names of a column; the name that codebooks know is kept."""
    kept: dict[str, str] = {}
    for name in sorted(names, key=lambda n: n not in _FIRST):
        kept.setdefault(survey.variables[name].column or name, name)
    return [n for n in names if n in set(kept.values())]


def _one(
    name: str, a: Microdata, b: Microdata, inside: tuple[np.ndarray, np.ndarray], findings: list[Finding]
) -> tuple[tuple[str, ...], list[np.ndarray]] | None:
    """Labels and both surveys' codes of one variable; None where a survey lacks the column or they share no category."""
    sides = []
    for survey in (a, b):
        variable = survey.variables[name]
        if (variable.column or name) not in survey.records:
            message = f"{survey.name} has no column {variable.column or name!r} for {name}."
            findings.append(finding("missing-column", message, place=survey.name, level="warning"))
            return None
        sides.append(code_variable(survey, variable))
    variables = [s.variable for s in sides]
    groups = common_categories(variables)
    if name == "age" and len(groups) > 2 * len(_AGE_BANDS):
        groups = common_categories([*variables, _bands()])
        groups = tuple(sorted(groups, key=lambda g: min((int(x) for x in g.atoms if x.isdigit()), default=999)))
    if not groups:
        return None
    labels, codes = [g.label for g in groups], []
    for side in sides:
        place = [covers(groups, c.atoms) if c.atoms else len(groups) for c in side.variable.categories]
        # after the categories: code_variable's UNKNOWN (-2) and MISSING (-1) are taken from the end of the list
        codes.append(np.array([*place, len(groups) + 1, len(groups) + 1], np.int32)[side.category])
    if name == "age":
        _straddling(groups, variables, codes, inside, findings)
    for label in (_NOT_APPLY, MISSING):
        at, here = len(groups) + (label == MISSING), len(labels)
        if any((c == at).any() for c in codes):
            codes = [np.where(c == at, here, c).astype(np.int32) for c in codes] if at != here else codes
            labels.append(label)
    return tuple(labels), codes


def _bands() -> Variable:
    ends = [x - 1 for x in _AGE_BANDS[1:]] + [None]
    atoms = [age_atoms(low, high) for low, high in zip(_AGE_BANDS, ends, strict=True)]
    return Variable("age", tuple(Category(age_label(x), age_label(x), x) for x in atoms))


def _straddling(
    groups: Sequence[Category],
    variables: Sequence[Variable],
    codes: list[np.ndarray],
    inside: tuple[np.ndarray, np.ndarray],
    findings: list[Finding],
) -> None:
    """Leave out ages that one survey covers in part: 10-19 against a survey that begins at 16."""
    for at, group in enumerate(groups):
        held = [frozenset().union(*(c.atoms for c in v.categories if c.atoms <= group.atoms)) for v in variables]
        oldest = all(held) and max(int(x) for x in held[0] | held[1]) >= 75  # 90+, 120 and the oldest met are all the oldest
        if all(held) and held[0] != held[1] and not oldest:
            for keep, code in zip(inside, codes, strict=True):
                keep &= code != at
            message = f"Age {group.label}: the two surveys cover other ages of it, so these people were left out."
            findings.append(finding("other-universe", message, place="age", count=1))


def places_of(index: pd.Index, records: pd.Index) -> np.ndarray:
    """(n,) int32 positions of some records among all."""
    return records.get_indexer(index).astype(np.int32)
