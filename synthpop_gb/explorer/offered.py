"""What the explorer shows of a study: its variables by domain, in groups, at every level, beside what the census published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned, AlignedTable
from synthpop_gb.codebook import Variable
from synthpop_gb.errors import InputError, finding
from synthpop_gb.indicators import FEW_DONORS, parse_condition
from synthpop_gb.indicators.question import labels_of
from synthpop_gb.indicators.tabulated import Group, Level, Measured

__all__ = ["ASKED", "DOMAINS", "EVERYBODY", "Census", "Offer", "offer_of"]

DOMAINS = {
    "Demographics": (
        "age", "sex", "gender", "ethnic", "religion", "birth", "marital", "partnership", "family", "composition", "language",
        "residence", "migra", "passport", "household_size", "members",
    ),
    "Health and wellbeing": ("health", "ill", "disab", "carer", "care", "wellbeing", "bmi", "sf12", "ghq", "deprivation"),
    "Work, income and education": (
        "econom", "employ", "occup", "industr", "income", "earn", "hours", "grade", "ns_sec", "nssec", "student", "qualif",
        "educat", "benefit", "poverty", "wage", "work", "unemp",
    ),
    "Housing": ("tenure", "accommodation", "rooms", "bedroom", "heating", "house", "dwelling", "occupancy"),
    "Lifestyle and travel": ("smok", "alcohol", "drink", "diet", "exercise", "sport", "internet", "car", "travel", "transport"),
}  # fmt: skip
"""Domains and the beginnings of words by which a variable is put into one; the first that fits."""

ASKED, OTHER = "Questions of the study", "Other"

EVERYBODY = "everybody"

_MOST, _DECADES = 30, (0, 16, 25, 35, 45, 55, 65, 75)
_PYRAMID = "age x sex"


@dataclass(frozen=True, eq=False)
class Census:
    """What a table published of a variable, also of categories that are not shown.

    counts : (n_zones, n_columns), total : (n_zones,) everybody counted; universe : whom; source : where it is from.
    """

    counts: np.ndarray
    total: np.ndarray
    universe: str
    source: str


@dataclass(frozen=True, eq=False)
class Offer:
    """Everything that is to be estimated for the page.

    Attributes
    ----------
    measured : tuple of Measured
        In the order in which they are listed.
    titles, domains, whom : tuple of str
        One each: heading, domain, and of whom shares are ('usual residents').
    census : mapping of int to Census
        By position in `measured`.
    groups : tuple of Group
        Everybody first.
    levels : tuple of Level
        Zones first, the whole study area, 'all', last.
    pyramid : tuple of (Measured, Census or None, ages, sexes) or None
        Ages by sex, of two sexes.
    """

    measured: tuple[Measured, ...]
    titles: tuple[str, ...]
    domains: tuple[str, ...]
    whom: tuple[str, ...]
    census: dict[int, Census]
    groups: tuple[Group, ...]
    levels: tuple[Level, ...]
    pyramid: tuple | None


def offer_of(
    aligned: Aligned,
    conditions: Sequence[tuple[str, str, str | None]] = (),
    *,
    only: Sequence[str] | None = None,
    subgroups: Sequence[str] | None = None,
) -> Offer:
    """List what a study's survey can be asked about, category by category.

    Parameters
    ----------
    aligned : Aligned
        Survey, tables, zones.
    conditions : sequence of (title, condition, where)
        Further shares.
    only : sequence of str, optional
        Variables to be shown; all with at most 30 categories, and numbers, where None.
    subgroups : sequence of str, optional
        Variables whose categories make groups; where None sex and age, as far as the survey has them.

    Raises
    ------
    InputError
        `bad-condition`, every finding at once.
    """
    found, problems = _Found(aligned), []
    names = _names(aligned) if only is None else list(only)
    for name in names:
        try:
            found.add_variable(name)
        except InputError as error:
            problems += error.findings if only is not None else []
    for title, condition, where in conditions:
        try:
            found.add_condition(title, condition, where)
        except InputError as error:
            problems += error.findings
    dividing = _Found(aligned)  # variables make groups and the pyramid whether or not they are shown
    for name in dict.fromkeys([*(subgroups or ()), "sex", "age"]):
        try:
            dividing.add_variable(name)
        except InputError as error:
            problems += error.findings if name in (subgroups or ()) else []
    if problems:
        raise InputError(problems)
    twice = {t for t in found.titles if found.titles.count(t) > 1}
    named = [m.name.replace("_", " ") for m in found.measured]
    found.titles = [f"{t} ({name})" if t in twice else t for t, name in zip(found.titles, named, strict=True)]
    order = sorted(range(len(found.measured)), key=lambda i: [*DOMAINS, OTHER, ASKED].index(found.domains[i]))
    at = {old: new for new, old in enumerate(order)}
    return Offer(
        *(tuple(column[i] for i in order) for column in (found.measured, found.titles, found.domains, found.whom)),
        {at[i]: census for i, census in found.census.items()},
        _groups(dividing, ("sex", "age") if subgroups is None else subgroups), _levels(aligned), _pyramid(dividing),
    )  # fmt: skip


def _names(aligned: Aligned) -> list[str]:
    """Variables of the survey, then its columns of numbers that nothing else is known of."""
    survey = aligned.survey
    own = {
        survey.weight,
        survey.strata,
        survey.cluster,
        survey.region,
        survey.household,
        survey.household_weight,
        survey.communal,
    }
    names = [n for n, v in survey.variables.items() if n != "region" and not ({n, v.column} & (own - {None}))]
    described = {v.column or n for n, v in survey.variables.items()} | own
    frame = aligned.frame()
    for column in frame.columns:
        values = frame[column]
        numbers = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
        if numbers and column not in described and values.nunique() > _MOST and not values.is_monotonic_increasing:
            names.append(str(column))
    return names


class _Found:
    """What is offered so far."""

    def __init__(self, aligned: Aligned):
        self.aligned = aligned
        self.measured: list[Measured] = []
        self.titles: list[str] = []
        self.domains: list[str] = []
        self.whom: list[str] = []
        self.census: dict[int, Census] = {}
        self.homes = np.zeros(len(aligned.records), bool)
        if aligned.households is not None:
            self.homes[aligned.households.reference[~aligned.households.communal]] = True

    def _add(self, measured: Measured, title: str, domain: str, whom: str) -> None:
        self.measured.append(measured)
        self.titles.append(title)
        self.domains.append(domain)
        self.whom.append(whom)

    def add_variable(self, name: str) -> None:
        """Offer the categories of a variable, or the mean of a column of numbers."""
        survey = self.aligned.survey
        variable = survey.variables.get(name)
        table = table_of(self.aligned, name)
        column = (variable.column or name) if variable is not None else name
        values = survey.records.loc[self.aligned.records].get(column)
        if table is None and values is not None and _is_number(variable, values):
            if name == "age":
                self._add_categories(name, variable, _banded(values), None)
            else:
                self._add_mean(name, variable, values)
            return
        labels = labels_of(name, self.aligned)
        if len(labels.categories) <= _MOST:
            self._add_categories(name, variable, labels, table)

    def _add_categories(self, name, variable, labels: pd.Categorical, table: AlignedTable | None) -> None:
        codes, names = np.asarray(labels.codes), [str(c) for c in labels.categories]
        of_table = table is not None
        # the label of a category of one is one record's answer
        least = FEW_DONORS if self.aligned.survey.licence != "open" else 0 if of_table else 1
        kept = np.bincount(codes[codes >= 0], minlength=len(names)) >= least
        if kept.sum() < 2:
            return
        household = of_table and table.universe.unit == "household" and self.homes.any()
        base = (codes >= 0) & (self.homes if household else True)
        columns = np.flatnonzero(kept)
        values = np.stack([(codes == c) & base for c in columns], axis=1).astype(float)
        whom = table.universe.name if of_table else "people of whom it is known" if (codes < 0).any() else "people"
        title = variable.label if variable is not None else name.replace("_", " ")
        measured = Measured(name, tuple(names[c] for c in columns), base, values, of="household" if household else "person")
        if of_table:
            counts = _margin(table, name, names)
            self.census[len(self.measured)] = Census(
                counts[:, columns], counts.sum(axis=1), table.universe.name, _source(table)
            )  # fmt: skip
        self._add(measured, _heading(title), _domain(name, title), whom)

    def _add_mean(self, name, variable, values: pd.Series) -> None:
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        base = np.isfinite(numbers)
        if base.sum() < FEW_DONORS:
            return
        title = variable.label if variable is not None else name.replace("_", " ")
        measured = Measured(name, ("mean",), base, np.where(base, numbers, 0.0)[:, None], share=False)
        self._add(measured, _heading(title), _domain(name, title), f"in the unit of {name}, per person")

    def add_condition(self, title: str, condition: str, where: str | None) -> None:
        """Offer the share of people who meet a condition."""
        parsed = parse_condition(condition)
        met, base = parsed.matches(self.aligned), parsed.known(self.aligned)
        whom = "people" if base.all() else "people of whom it is known"
        if where is not None:
            asked = parse_condition(where)
            base = base & asked.matches(self.aligned) & asked.known(self.aligned)
            whom = f"people, where {where}"
        if not base.any():
            message = f"of no record of the survey is {condition!r} known, so nothing can be estimated."
            raise InputError([finding("bad-condition", message, place="indicator")])
        measured = Measured(condition, (title or condition,), base, (met & base).astype(float)[:, None])
        self._add(measured, title or condition, ASKED, whom)


def table_of(aligned: Aligned, name: str) -> AlignedTable | None:
    """Return the table that a variable's common categories are those of, as `labels_of` takes them."""
    return next((t for t in (*aligned.constraints, *aligned.held_out) if name in t.variables), None)


def _source(table: AlignedTable) -> str:
    return (table.table or table.name).replace("_", " ") + (f", {table.year}" if table.year else "")


def _margin(table: AlignedTable, name: str, labels: Sequence[str]) -> np.ndarray:
    """(n_zones, n_categories) what a table published of one of its variables."""
    of_cell = table.published.columns.get_level_values(table.variables.index(name)).astype(str)
    counts = table.published.to_numpy(np.float64)
    return np.stack([counts[:, of_cell == label].sum(axis=1) for label in labels], axis=1)


def _is_number(variable: Variable | None, values: pd.Series) -> bool:
    """Whether values are numbers, not codes: no codebook's categories, or single years as their own labels."""
    if not pd.api.types.is_numeric_dtype(values):
        return False
    labels = [] if variable is None else [c.label for c in variable.categories if c.atoms]
    return not labels or (len(labels) > _MOST and all(label.isdigit() for label in labels))


def _banded(ages: pd.Series) -> pd.Categorical:
    """Bands of ages: children, then ten years each."""
    numbers = pd.to_numeric(ages, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    ends = [f"{a}-{b - 1}" for a, b in pairwise(_DECADES)] + [f"{_DECADES[-1]}+"]
    codes = np.where(np.isfinite(numbers), np.searchsorted(_DECADES, np.nan_to_num(numbers), side="right") - 1, -1)
    return pd.Categorical.from_codes(codes, ends, ordered=True)


def _heading(title: str) -> str:
    return title[:1].upper() + title[1:]


def _domain(name: str, title: str) -> str:
    """Put a variable into a domain by the beginnings of the words of its name and title."""
    words = [*name.lower().replace("-", "_").split("_"), *title.lower().replace("-", " ").split(), name.lower()]
    for domain, starts in DOMAINS.items():
        if any(w == s or (len(s) > 3 and w.startswith(s)) or (len(s) <= 3 and w in (s, f"{s}s")) for w in words for s in starts):
            return domain
    return OTHER


def _groups(found: _Found, subgroups: Sequence[str]) -> tuple[Group, ...]:
    """Everybody, and the categories of the variables that make groups."""
    n = len(found.aligned.records)
    out = [Group("", EVERYBODY, np.ones(n, bool))]
    offered = {m.name: m for m in found.measured}
    for name in subgroups:
        m = offered.get(name)
        if m is None or not m.share:
            continue
        codes = _codes(found.aligned, m)
        for c, label in enumerate(m.columns):
            member = codes == c
            if member.sum() >= FEW_DONORS:
                out.append(Group(name, label, member))
    return tuple(out)


def _codes(aligned: Aligned, m: Measured) -> np.ndarray:
    """Column of each record of what is measured, also of members of households; -1 = none."""
    if m.of == "household":
        labels = labels_of(m.name, aligned)
        place = {label: i for i, label in enumerate(m.columns)}
        return np.array([place.get(str(v), -1) for v in labels])
    return np.where(m.values.any(axis=1), m.values.argmax(axis=1), -1)


def _levels(aligned: Aligned) -> tuple[Level, ...]:
    """Zones, the parent levels with fewer areas than the one before and more than one, and everything."""
    zones, n = aligned.geography.zones, len(aligned.zones)
    out = [Level("zone", aligned.zones.rename("zone"), np.arange(n))]
    for name in aligned.geography.parents:
        codes, areas = pd.factorize(zones[name])
        if 1 < len(areas) < n:
            out.append(Level(name, pd.Index(areas, name=name), codes.astype(np.int64)))
    out[1:] = sorted(out[1:], key=lambda level: -len(level.areas))
    return (*out, Level("all", pd.Index(["all"], name="all"), np.zeros(n, np.int64)))


def _pyramid(found: _Found) -> tuple | None:
    """Ages by sex, with what the census published where a table crosses them."""
    offered = {m.name: m for m in found.measured}
    age, sex = offered.get("age"), offered.get("sex")
    if age is None or sex is None or not age.share or len(sex.columns) != 2:
        return None
    both = age.base & sex.base
    values = np.stack([both * age.values[:, a] * sex.values[:, s] for a in range(len(age.columns)) for s in (0, 1)], axis=1)
    columns = tuple(f"{a}, {s}" for a in age.columns for s in sex.columns)
    census = None
    for table in (*found.aligned.constraints, *found.aligned.held_out):
        if set(table.variables) == {"age", "sex"}:
            cells = {tuple(map(str, key)): i for i, key in enumerate(table.published.columns)}
            turned = table.variables[0] == "sex"
            wanted = [cells.get((s, a) if turned else (a, s)) for a in age.columns for s in sex.columns]
            if all(w is not None for w in wanted):
                counts = table.published.to_numpy(np.float64)
                census = Census(counts[:, wanted], counts.sum(axis=1), table.universe.name, _source(table))
    return Measured(_PYRAMID, columns, both, values), census, age.columns, sex.columns
