"""What an indicator asks: of whom, which value, in which groups; every word is tried on the survey before anything is counted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.codebook import Variable
from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.indicators.conditions import parse_condition
from synthpop_gb.indicators.matching import Words, common_labels

__all__ = ["ANSWERED", "MEASURES", "UNITS", "Answers", "Asked", "Question", "asked_about", "mask_of"]

MEASURES = ("share", "count", "mean", "total", "quantile")
"""What can be asked for: a share or a count of people who meet a condition; mean, total or quantile of a number."""

UNITS = {"person": "people", "household": "households"}
"""Who can be asked about, and what several of them are called."""

_MOST_GROUPS = 500
_PLACES = ("zone", "all")
ANSWERED = (
    "estimate", "standard_error", "lower", "upper", "counted", "people", "replicate_error", "finite_error", "model_error",
    "n_eff", "donors", "largest_donor", "reliability",
)  # fmt: skip
"""Columns of the answer, which no group can be called."""


@dataclass(frozen=True)
class Question:
    """One indicator, in words.

    Attributes
    ----------
    what : str
        For 'share' and 'count' a condition such as "health in ('bad', 'very bad')"; for the others a column of numbers.
    measure : str
        One of `MEASURES`.
    where : str or None
        Condition on who is asked about: "age >= 16". Everybody where None.
    by : tuple of str
        'zone', a parent level such as 'lad', or 'all' (the whole study area), and variables whose categories make groups.
    quantile : float
        Which quantile, above 0 and below 1: 0.5 = the median. For the measure 'quantile' only.
    of : str
        'person', or 'household' where whole households were placed: each then counts once, by what is known of it and of its
        reference, and residents of communal establishments do not count.

    Raises
    ------
    ValueError
        For an unknown measure or unit, a quantile out of range, or something twice in `by`.
    """

    what: str
    measure: str = "share"
    where: str | None = None
    by: tuple[str, ...] = ("zone",)
    quantile: float = 0.5
    of: str = "person"

    def __post_init__(self):
        if self.measure not in MEASURES:
            raise ValueError(f"measure is one of {', '.join(MEASURES)}, not {self.measure!r}")
        if self.of not in UNITS:
            raise ValueError(f"unit is one of {', '.join(UNITS)}, not {self.of!r}")
        if not (math.isfinite(self.quantile) and 0 < self.quantile < 1):
            raise ValueError(f"quantile is a number above 0 and below 1, not {self.quantile}")
        object.__setattr__(self, "by", (self.by,) if isinstance(self.by, str) else tuple(self.by))
        if len(set(self.by)) < len(self.by):
            raise ValueError(f"by names something twice: {', '.join(self.by)}")

    def __str__(self) -> str:
        """Return the question as one line for headings: 'share: health in (...); where age >= 16'."""
        head = f"{self.quantile:g} quantile" if self.measure == "quantile" else self.measure
        of = "" if self.of == "person" else " of households"
        return f"{head}{of}: {self.what}" + (f"; where {self.where}" if self.where else "")

    @property
    def unit(self) -> str:
        """Of its estimates: 'share of people', 'people', or that of the column; shares say of whom."""
        if self.measure == "share":
            return f"share of {self.whom}"
        return UNITS[self.of] if self.measure == "count" else f"in the unit of {self.what}"

    @property
    def whom(self) -> str:
        """Who is asked about: 'people', or 'people, where age >= 16'."""
        return f"{UNITS[self.of]}, where {self.where}" if self.where else UNITS[self.of]

    def ask(self, aligned: Aligned) -> Answers:
        """Find each record's answer.

        Raises
        ------
        InputError
            Every finding at once (`bad-condition`): conditions that mean nothing, unknown columns, columns that are no numbers,
            groups that the survey cannot form, a place that the geography does not have, households where there are none.
        """
        problems: list[Finding] = []
        n = len(aligned.records)
        asked = asked_about(aligned, self.by, self.where, self.of, problems)
        if self.measure in ("share", "count"):
            met, known = _attempt(problems, lambda: mask_of(self.what, aligned), (np.zeros(n, bool), np.ones(n, bool)))
            value = met.astype(float)
        else:
            value = _attempt(problems, lambda: _numbers(self.what, aligned), np.zeros(n))
            known = ~np.isnan(value)
        if problems or asked is None:
            raise InputError(problems)
        return asked.answered(self, value, known)


@dataclass(frozen=True, eq=False)
class Answers:
    """A question tried on a survey's usable records, and where their zones belong.

    Attributes
    ----------
    question : Question
    base : (n_records,) bool
        Records that count: in the base, with an answer, in a group.
    value : (n_records,) float64
        The answer: 1 or 0 for a condition, else the number. 0 outside the base.
    group : (n_records,) int32
        Group of each record; -1 outside the base.
    groups : pandas.Index
        Labels of the groups: a MultiIndex with a level a variable; one empty label where none was asked for.
    area : (n_zones,) int64
        Area of each zone, a position in `areas`; -1 where the geography does not say.
    areas : pandas.Index
        Codes of the areas, named by their level.
    everybody : (n_records,) bool
        Records that stand for what is asked about at all: everybody, or the references of households.
    of_zone : (n_zones,) int32, optional
        Class of place of each zone, where `base`, `value` and `group` differ by it and are (n_classes, n_records). None = they do
        not.
    """

    question: Question
    base: np.ndarray
    value: np.ndarray
    group: np.ndarray
    groups: pd.Index
    area: np.ndarray
    areas: pd.Index
    everybody: np.ndarray
    of_zone: np.ndarray | None = None

    @property
    def binary(self) -> bool:
        """Whether every answer is yes or no."""
        return self.question.measure in ("share", "count")


@dataclass(frozen=True, eq=False)
class Asked:
    """Of whom something is asked, and in which areas and groups: what questions that differ in their value only share.

    base : (n_records,) bool, records asked about and in a group; group : (n_records,) int32, -1 outside the base; both may be by
    class of place, (n_classes, n_records), as in `Answers`, where the rest is explained.
    """

    base: np.ndarray
    group: np.ndarray
    groups: pd.Index
    area: np.ndarray
    areas: pd.Index
    everybody: np.ndarray
    of_zone: np.ndarray | None = None

    def answered(self, question: Question, value: np.ndarray, known: np.ndarray) -> Answers:
        """Put a value to it; `known` : (n_records,) bool. Raises InputError where it is known of nobody who is asked about."""
        base = self.base & known
        if not base.any():
            raise InputError(
                [_bad("of no record of the survey is this known, so nothing can be estimated.", "See where and by.")]
            )
        group = np.where(base, self.group, -1).astype(np.int32)
        return Answers(question, base, np.where(base, value, 0.0), group, self.groups, self.area, self.areas, self.everybody)


def asked_about(aligned: Aligned, by: Sequence[str], where: str | None, of: str, problems: list[Finding]) -> Asked | None:
    """Find who is asked about, in which areas and groups; what is wrong is added to `problems`, and None returned."""
    before, n = len(problems), len(aligned.records)
    everybody = _attempt(problems, lambda: _everybody(of, aligned), np.ones(n, bool))
    met, known = _attempt(problems, lambda: mask_of(where, aligned), (np.ones(n, bool), np.ones(n, bool)))
    level = [p for p in by if p in (*_PLACES, *aligned.geography.parents)]
    if len(level) > 1:
        problems.append(_bad(f"by names several levels of place: {', '.join(level)}.", "Name one of them."))
    groups = [name for name in by if name not in level]
    if taken := [name for name in by if name in ANSWERED]:
        problems.append(_bad(f"by names {', '.join(taken)}, which is a column of the answer.", "Rename the survey's column."))
    places = ", ".join(("zone", "all", *aligned.geography.parents))
    columns = [_attempt(problems, lambda name=name: labels_of(name, aligned, places), None) for name in groups]
    if len(problems) > before:
        return None
    code, index = _attempt(problems, lambda: _crossed(groups, columns, n), (None, None))
    if code is None:
        return None
    area, areas = _areas(level[0] if level else "all", aligned)
    base = everybody & met & known & (code >= 0)
    return Asked(base, np.where(base, code, -1).astype(np.int32), index, area, areas, everybody)


def _bad(message: str, remedy: str | None = None) -> Finding:
    return finding("bad-condition", message, place="indicator", remedy=remedy)


def _attempt(problems: list[Finding], what, instead):
    try:
        return what()
    except InputError as error:
        problems.extend(error.findings)
        return instead


def _everybody(of: str, aligned: Aligned) -> np.ndarray:
    """Find the records that stand for a unit: all, or the references of households."""
    if of == "person":
        return np.ones(len(aligned.records), bool)
    homes = aligned.households
    if homes is None:
        message = "the survey does not say who lives together, so nothing can be said of households."
        raise InputError([_bad(message, "Ask about persons, or name the survey's household column in the study.")])
    out = np.zeros(len(aligned.records), bool)
    out[homes.reference[~homes.communal]] = True
    return out


def mask_of(condition: str | None, aligned: Aligned) -> tuple[np.ndarray, np.ndarray]:
    """Find the records that meet a condition, and those of which that is known."""
    if condition is None:
        return np.ones(len(aligned.records), bool), np.ones(len(aligned.records), bool)
    parsed = parse_condition(condition)
    return parsed.matches(aligned), parsed.known(aligned)


def _words(aligned: Aligned) -> Words:
    return Words(aligned.frame(), aligned.survey.variables, common_labels(aligned))


def _numbers(name: str, aligned: Aligned) -> np.ndarray:
    """Return a column of numbers of the survey, NaN where there is none."""
    words = _words(aligned)
    found = words.find(name)
    if found is None:
        raise InputError([_bad(words.unknown_name(name))])
    variable, column = found
    values = words.frame[column]
    described = [variable] if variable is not None else [v for v in aligned.survey.variables.values() if v.column == column]
    if any(_is_coded(v) for v in described):
        message = f"{name} has categories, not numbers, so it has no mean."
        raise InputError([_bad(message, "Ask for the share of a category, or name a column of numbers.")])
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    if (np.isnan(numbers) & values.notna().to_numpy()).any() or np.isinf(numbers).any():
        first = values[np.isnan(numbers) & values.notna().to_numpy()].head(1).tolist() or ["an infinite number"]
        raise InputError([_bad(f"{name} is no column of numbers (first that is none: {first[0]!r}).")])
    return numbers


def _is_coded(variable: Variable) -> bool:
    """Whether a variable's codes stand for categories; single years of age are numbers."""
    labels = [c.label for c in variable.categories if c.atoms]
    return bool(labels) and not all(label.isdigit() and label == str(c.code) for c, label in
                                    zip((c for c in variable.categories if c.atoms), labels, strict=True))  # fmt: skip


def labels_of(name: str, aligned: Aligned, places: str = "zone, all") -> pd.Categorical:
    """Give each usable record its category of a variable: the common categories where a table of the study has the variable.

    Raises InputError (`bad-condition`) for an unknown name, or a column with more than 500 values.
    """
    for table in (*aligned.constraints, *aligned.held_out):
        if name in table.variables:
            level = table.variables.index(name)
            labels = [c.label for c in table.categories[level]]
            of_cell = np.array([labels.index(str(v)) for v in table.targets.columns.get_level_values(level)] + [-1])
            return pd.Categorical.from_codes(of_cell[aligned.cell_of_all(table)], labels, ordered=True)
    words = _words(aligned)
    found = words.find(name)
    if found is None:
        raise InputError([_bad(f"by: {words.unknown_name(name)}", f"Name a level of place ({places}) or a variable.")])
    variable, column = found
    values = words.frame[column]
    if variable is None:
        codes, distinct = pd.factorize(values, sort=True)
        if len(distinct) > _MOST_GROUPS:
            message = f"{name} has {len(distinct):,} different values, too many for groups."
            raise InputError([_bad(message, "Name a variable with fewer.")])
        return pd.Categorical.from_codes(codes, [str(d) for d in distinct], ordered=True)
    known = [c for c in variable.categories if c.atoms]
    labels = list(dict.fromkeys(c.label for c in known))
    place = {str(c.code): labels.index(c.label) for c in known}
    codes, distinct = pd.factorize(values)
    lookup = np.array([place.get(code_text(d), -1) for d in distinct] + [-1])
    return pd.Categorical.from_codes(lookup[codes], labels, ordered=True)


def code_text(value) -> str:
    """Return a survey's code as codebooks write it: 3.0, which a column with gaps makes of 3, is '3'."""
    return str(int(value)) if isinstance(value, float | np.floating) and float(value).is_integer() else str(value)


def _crossed(names: Sequence[str], columns: Iterable[pd.Categorical], n: int) -> tuple[np.ndarray, pd.Index]:
    """Cross the groups of several variables: each record's group, and the labels of those that some record is in."""
    columns = list(columns)
    if not columns:
        return np.zeros(n, np.int64), pd.Index([""], name="group")
    code, known = np.zeros(n, np.int64), np.ones(n, bool)
    for column in columns:
        code = code * len(column.categories) + column.codes
        known &= column.codes >= 0
    present, number = np.unique(code[known], return_inverse=True)
    if len(present) > _MOST_GROUPS:
        raise InputError([_bad(f"{' x '.join(names)} make {len(present):,} groups, more than {_MOST_GROUPS}.")])
    out = np.full(n, -1, np.int64)
    out[known] = number.reshape(-1)
    labels, rest = [], present
    for column in reversed(columns):
        labels.append(column.categories.to_numpy()[rest % len(column.categories)])
        rest = rest // len(column.categories)
    return out, pd.MultiIndex.from_arrays(labels[::-1], names=list(names))


def _areas(level: str, aligned: Aligned) -> tuple[np.ndarray, pd.Index]:
    """Area of each zone at a level, and the areas' codes in order of their first zone."""
    zones = aligned.zones
    if level == "zone":
        return np.arange(len(zones)), zones.rename("zone")
    if level == "all":
        return np.zeros(len(zones), np.int64), pd.Index(["all"], name="all")
    codes, areas = pd.factorize(aligned.geography.zones[level])
    return codes, pd.Index(areas, name=level)
