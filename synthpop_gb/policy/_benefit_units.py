"""Benefit units: who is assessed together, from the roles that people have in their household, or from their ages."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["benefit_units"]

_ROLES = {
    "reference": ("reference", "reference person", "household reference person", "head", "hrp", "self"),
    "partner": ("partner", "spouse", "husband", "wife", "civil partner", "cohabitee"),
    "child": ("child", "son", "daughter", "son or daughter", "stepchild", "foster child", "adopted child"),
}

_GAP = 16
"""Years between two adults from which the younger is taken for a child of the elder, where no roles are told."""


def benefit_units(
    home: np.ndarray,
    age: np.ndarray,
    *,
    role: pd.Series | None = None,
    student: np.ndarray | None = None,
    partnered: np.ndarray | None = None,
) -> pd.DataFrame:
    """Divide households into benefit units: a single adult or a couple with the children that they are responsible for.

    A child is under 16, or a qualifying young person: under 20 and in full-time education, and not living as a partner (Child
    Benefit (General) Regulations 2006, SI 2006/223, reg. 3; Universal Credit Regulations 2013, SI 2013/376, reg. 5, ends in the
    September after the 19th birthday, which ages in years do not tell). The reference person, the partner and all children of
    the household are one unit; every other adult is a unit alone, since roles do not say who else is a couple.

    Parameters
    ----------
    home : (n,) integers
        Household of each person, numbered from 0.
    age : (n,) numbers
        Years.
    role : (n,) pandas.Series of text, optional
        Relation to the reference person: reference, partner, child, anything else. Without it the eldest adult is the reference,
        and the next eldest the partner where they are less than 16 years apart and, where `partnered` is told, both married.
    student : (n,) bool, optional
        In full-time education; without it everybody of 16 to 18 years is taken to be.
    partnered : (n,) bool, optional
        Married or in a civil partnership.

    Returns
    -------
    pandas.DataFrame
        `unit`, numbered from 0 within the household; `claimant`, true for the one or two adults that the unit is formed around;
        `reference`, true for one person a household.

    Examples
    --------
    A couple with a child, a student of 17 and a grown-up son:

    >>> home = np.zeros(5, int)
    >>> role = pd.Series(["reference", "partner", "child", "child", "child"])
    >>> student = np.array([False, False, False, True, False])
    >>> benefit_units(home, np.array([50, 48, 9, 17, 24]), role=role, student=student)["unit"].tolist()
    [0, 0, 0, 0, 1]
    """
    home, age = np.asarray(home, np.int64), np.asarray(age, np.float64)
    learning = (age < 19) if student is None else np.asarray(student, bool)
    child = (age < 16) | ((age < 20) & learning)
    married = None if partnered is None else np.asarray(partnered, bool)
    if married is not None:
        child &= ~(married & (age >= 16))
    if role is None:
        first, partner = _by_age(home, age, child, married)
    else:
        first, partner = _by_role(home, age, role)
    child &= ~(first | partner)
    together = first | partner | child
    alone = ~together
    order = np.lexsort((np.arange(len(home)), home))
    before = np.cumsum(alone[order])
    start = np.flatnonzero(np.diff(home[order], prepend=home[order][:1] - 1)) if len(home) else np.zeros(0, np.int64)
    offset = np.zeros(len(home), np.int64)
    base = before - alone[order]
    offset[order] = before - np.repeat(base[start], np.diff(np.append(start, len(home))))
    unit = np.where(alone, offset, 0)
    claimant = (first | partner | alone) & (age >= 16)
    return pd.DataFrame({"unit": unit, "claimant": claimant, "reference": first})


def _by_role(home: np.ndarray, age: np.ndarray, role: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Reference person of each household, the eldest where several or none are called so; and the partner."""
    words = role.astype("string").str.strip().str.casefold()
    told = {name: words.isin(spellings).fillna(False).to_numpy(bool) for name, spellings in _ROLES.items()}
    first = _best(home, np.where(told["reference"], 1e6, 0.0) + age, np.ones(len(home), bool))
    partner = _best(home, age, told["partner"] & ~first)
    return first, partner


def _by_age(
    home: np.ndarray, age: np.ndarray, child: np.ndarray, married: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Eldest adult of each household, and the next eldest where near in age (and both married, where that is told)."""
    first = _best(home, age + np.where(child, 0.0, 1e6), np.ones(len(home), bool))
    next_one = _best(home, age, ~first & ~child)
    n = int(home.max(initial=-1)) + 1
    age_of, wed_of = np.full(n, -np.inf), np.ones(n, bool)
    age_of[home[first]] = age[first]
    near = next_one & (age_of[home] - age < _GAP)
    if married is not None:
        wed_of[home[first]] = married[first]
        near &= married & wed_of[home]
    return first, near


def _best(home: np.ndarray, value: np.ndarray, among: np.ndarray) -> np.ndarray:
    """(n,) bool: in each household the one of `among` with the highest value, the first of equals."""
    order = np.lexsort((np.arange(len(home)), -value, ~among, home))
    lead = np.diff(home[order], prepend=-1) != 0
    out = np.zeros(len(home), bool)
    out[order[lead]] = True
    return out & among
