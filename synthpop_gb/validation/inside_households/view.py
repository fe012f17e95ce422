"""Households as they can be described: members in order, with ages in years, roles, work; of a survey or of true people alike."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.codebook import Variable
from synthpop_gb.microdata import Microdata

__all__ = ["ROLES", "View", "of_survey", "of_truth", "role_of", "works"]

ROLES = ("reference", "partner", "child", "other")
_ROLE_NAMES = ("role", "relationship", "relationship_to_reference", "relationship_to_head", "relation")
_NAMES = {
    "sex": ("sex", "gender"),
    "ethnic_group": ("ethnic_group", "ethnicity"),
    "activity": ("economic_activity", "activity", "employment_status", "employment"),
    "tenure": ("tenure",),
    "composition": ("composition", "household_composition", "household_type", "family_type"),
}
"""What is described, and the variables (or columns) that say it, the first that is there."""


@dataclass(frozen=True, eq=False)
class View:
    """Members of households, household by household.

    Attributes
    ----------
    unit : (n_members,) int64
        Household of each member, ascending.
    n_units : int
        How many households.
    years : (n_members,) float64 or None
        Ages in years; None where ages are in bands.
    role : (n_members,) int8 or None
        Position in `ROLES`, relation to the reference; None where nobody says. Without a reference it is the first member.
    partner : (n_members,) int64 or None
        Row of each member's partner, -1 = none, where a column points to it.
    labels : dict of str to (n_members,) object array
        Labels of what is known: keys of `_NAMES`; None where a value is missing.
    zone : (n_units,) int64 or None
        Position of the zone that each household is in, of true people.
    """

    unit: np.ndarray
    n_units: int
    years: np.ndarray | None
    role: np.ndarray | None
    partner: np.ndarray | None
    labels: dict[str, np.ndarray]
    zone: np.ndarray | None = None

    @property
    def size(self) -> np.ndarray:
        """(n_units,) int64: members."""
        return np.bincount(self.unit, minlength=self.n_units)

    @property
    def reference(self) -> np.ndarray:
        """(n_units,) int64: row of each household's reference: who is called so, else the first member; -1 = nobody."""
        out = np.full(self.n_units, -1, np.int64)
        rows = np.arange(len(self.unit))[::-1]
        out[self.unit[rows]] = rows
        if self.role is not None:
            named = rows[self.role[rows] == 0]
            out[self.unit[named]] = named
        return out


def role_of(label: object) -> int:
    """Say which of `ROLES` a label of a relationship to the reference person is.

    >>> [ROLES[role_of(x)] for x in ("HRP", "Husband/wife", "Step-child", "Grandchild", "Son-in-law", "lodger")]
    ['reference', 'partner', 'child', 'other', 'other', 'other']
    """
    text = str(label).strip().lower()
    if re.search(r"grand|in.law|niece|nephew|foster|cousin", text):
        return 3
    if re.match(r"(household )?reference|hrp|head|self\b|householder", text):
        return 0
    if re.search(r"partner|spouse|husband|wife|cohabit", text):
        return 1
    return 2 if re.search(r"child|\bson\b|daughter", text) else 3


def works(label: object) -> bool:
    """Say whether a label of economic activity is of somebody in work.

    >>> [works(x) for x in ("employee, part-time", "Self-employed", "unemployed", "In employment", "not working", "student")]
    [True, True, False, True, False, False]
    """
    text = str(label).strip().lower()
    return bool(re.match(r"(full.?time |part.?time )?(employee|employed|self.?employed|in employment|in work|working)", text))


def of_survey(aligned: Aligned) -> View:
    """Describe the households of the survey's usable records; a resident of a communal establishment is a unit of one."""
    homes, frame = aligned.households, aligned.frame()
    frame = frame.iloc[homes.member]
    unit = np.repeat(np.arange(len(homes.ids)), homes.size)
    return _view(frame, unit, len(homes.ids), aligned.survey)


def of_truth(aligned: Aligned, persons: pd.DataFrame, households: pd.DataFrame | None, household: str) -> View:
    """Describe true people by the survey's codebook.

    persons : one row a person with columns `zone` and `household`; households : one row a household with that column, whose
    further columns repeat on members. People in zones that the study does not have are left out.
    """
    where = aligned.zones.get_indexer(persons["zone"].astype(object))
    frame = persons[where >= 0].assign(_zone=where[where >= 0])
    if households is not None:
        more = households[[household, *households.columns.difference(persons.columns)]]
        frame = frame.merge(more, on=household, how="left", sort=False)
    unit, ids = pd.factorize(frame[household], sort=False)
    order = np.argsort(unit, kind="stable")
    frame, unit = frame.iloc[order], unit[order]
    zone = np.zeros(len(ids), np.int64)
    zone[unit] = frame["_zone"].to_numpy()
    if "person" in frame:
        frame = frame.set_index("person", drop=False)
    return _view(frame, unit, len(ids), aligned.survey, zone)


def _view(frame: pd.DataFrame, unit: np.ndarray, n_units: int, survey: Microdata, zone: np.ndarray | None = None) -> View:
    labels = {}
    for name, known in _NAMES.items():
        found = _labels(frame, survey, known)
        if found is not None:
            labels[name] = found
    role = _labels(frame, survey, _ROLE_NAMES)
    if role is not None:
        codes, values = pd.factorize(role)
        role = np.array([role_of(v) for v in values] or [3], np.int8)[np.where(codes < 0, 0, codes)]
        role = np.where(codes < 0, 3, role).astype(np.int8)
    return View(unit, n_units, _years(frame, survey), role, _partner(frame, unit, survey), labels, zone)


def _labels(frame: pd.DataFrame, survey: Microdata, names: tuple[str, ...]) -> np.ndarray | None:
    """Labels of the first of some variables that is there, described or not."""
    for name in names:
        variable = survey.variables.get(name)
        column = name if variable is None else variable.column
        if column in frame:
            return _said(frame[column], variable)
    return None


def _said(values: pd.Series, variable: Variable | None) -> np.ndarray:
    """Labels of codes; a code that nobody describes says itself, one that does not apply is missing."""
    code, found = pd.factorize(values)
    known = {} if variable is None else {c.code: (c.label if c.atoms else None) for c in variable.categories}
    said = [known.get(str(v), known.get(str(v).removesuffix(".0"), str(v))) for v in found]
    return np.array([*said, None], object)[code]


def _years(frame: pd.DataFrame, survey: Microdata) -> np.ndarray | None:
    """Ages in years, where the survey holds single years."""
    variable = survey.variables.get("age")
    column = "age" if variable is None else variable.column
    if column not in frame:
        return None
    years = pd.to_numeric(frame[column], errors="coerce").to_numpy(np.float64)
    single = variable is None or sum(len(c.atoms) == 1 for c in variable.categories) > 60
    return years if single and np.isfinite(years).mean() > 0.9 else None


def _partner(frame: pd.DataFrame, unit: np.ndarray, survey: Microdata) -> np.ndarray | None:
    """Row of each partner, of a column `partner` that holds record ids or numbers of members within the household."""
    variable = survey.variables.get("partner")
    column = "partner" if variable is None else variable.column
    if column not in frame or column == frame.index.name:
        return None
    values, rows = frame[column].to_numpy(object), np.arange(len(frame))
    by_id = frame.index.get_indexer(pd.Index(values)) if frame.index.is_unique else np.full(len(frame), -1)
    if (by_id >= 0).any():
        return np.where((by_id >= 0) & (unit[by_id] == unit), by_id, -1)
    first = np.searchsorted(unit, unit)
    number = pd.to_numeric(frame[column], errors="coerce").fillna(0).to_numpy(np.int64)
    at = first + number - 1
    good = (number > 0) & (at < len(unit)) & (at != rows)
    at = np.where(good, at, 0)
    return np.where(good & (unit[at] == unit), at, -1)
