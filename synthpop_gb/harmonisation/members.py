"""Who lives with whom among a survey's records: households as units, nobody split, and all that is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from synthpop_gb.codebook import Category, Variable
from synthpop_gb.errors import Finding, finding
from synthpop_gb.harmonisation._words import listed, nearest, number
from synthpop_gb.harmonisation.records import MISSING, Coded, code_text, take_weights
from synthpop_gb.harmonisation.sizes import SIZES, short_of_members
from synthpop_gb.households import Households
from synthpop_gb.microdata import Microdata

__all__ = ["COUNTED", "Homes", "check_sizes", "household_weights", "live_together", "uneven_values"]

COUNTED = "household ids"
"""Source of the variables that who lives with whom tells by itself."""

ROUNDING = 1e-4
"""Relative difference of two members' weights that is put down to rounding."""

_WEIGHTLESS = ("missing-weight", "negative-weight")
_LOST = "A household whose weight cannot be told, of itself or of some member, is left out whole."

_NO = {"", "0", "false", "no", "n"}


@dataclass(frozen=True, eq=False)
class Homes:
    """Who lives with whom among all records of a survey, usable or not.

    unit : (n_records,) int64, household or communal resident of each record, -1 = neither.
    ids : (n_units,) their ids, in order of their first record; communal : (n_units,) bool.
    reference : (n_records,) bool, the first member of each household; False for communal residents, whom no table of
        households counts.
    short : (n_units,) bool, households that are said to have more members than there are, some record having no id.
    """

    unit: np.ndarray
    ids: pd.Index
    communal: np.ndarray
    reference: np.ndarray
    short: np.ndarray

    @property
    def size(self) -> np.ndarray:
        """(n_units,) int64: members of each unit."""
        return np.bincount(self.unit[self.unit >= 0], minlength=len(self.ids))

    def any_member(self, mask: np.ndarray) -> np.ndarray:
        """(n_units,) bool: some member has it. mask : (n_records,) bool."""
        return np.bincount(self.unit[mask & (self.unit >= 0)], minlength=len(self.ids)) > 0

    def of_members(self, by_unit: np.ndarray, none) -> np.ndarray:
        """Repeat a value of each unit on its members; `none` for records of no household."""
        return np.where(self.unit >= 0, by_unit[np.maximum(self.unit, 0)] if len(by_unit) else none, none)

    def usable(self, weight: np.ndarray, lacking: np.ndarray, inside: np.ndarray) -> np.ndarray:
        """Whose household can be used: all members are there, with a weight and every value needed, and somebody is counted.

        weight : (n_records,) float64; lacking, inside : (n_records,) bool. Returns (n_records,) bool, whole households.
        """
        good = ~self.short & ~self.any_member(lacking | ~(weight > 0)) & self.any_member(inside)
        return self.of_members(good, False).astype(bool)

    def taken(self, usable: np.ndarray, weight: np.ndarray) -> Households:
        """Return the noun of the households that can be used; usable, weight : (n_records,) as from `usable`."""
        unit = self.unit[usable]
        member = np.argsort(unit, kind="stable")  # the order of the survey within a unit: the reference first
        units, start = np.unique(unit[member], return_index=True)
        reference = member[start] if len(start) else np.zeros(0, np.int64)
        return Households(
            self.ids[units], weight[usable][reference], np.append(start, len(member)).astype(np.int64), member.astype(np.int32),
            self.communal[units],
        )  # fmt: skip

    def lost(self, survey: Microdata, weight: np.ndarray, lacking: Mapping[str, np.ndarray], usable: np.ndarray) -> list[Finding]:
        """'lost-household': how many households and people were left out, and for want of what.

        lacking : variable -> (n_records,) bool; usable : (n_records,) bool.
        """
        reasons = {**{f"no value of {n}": mask for n, mask in lacking.items()}, "no weight": ~(weight > 0)}
        causes = {why: self.any_member(mask) & ~self.communal for why, mask in reasons.items()}
        causes["no id"] = self.short
        gone = np.any([*causes.values(), np.zeros(len(self.ids), bool)], axis=0)
        gone &= ~self.any_member(usable)
        if not gone.any():
            return []
        n, people = int(gone.sum()), int(self.size[gone].sum())
        parts = [f"{why}: {int((hit & gone).sum()):,}" for why, hit in causes.items() if (hit & gone).any()]
        message = (
            f"{survey.name}: {n:,} of {number(int((~self.communal).sum()), 'household')} ({number(people, 'person', 'people')}) "
            f"{'was' if n == 1 else 'were'} left out, some member having {'; '.join(parts)}."
        )
        why = ["; ".join(w for w, hit in causes.items() if hit[u]) for u in np.flatnonzero(gone)]
        rows = pd.DataFrame({"household": self.ids[gone], "people": self.size[gone], "reason": why})
        return [finding("lost-household", message, place=survey.name, count=n, rows=rows)]


def live_together(survey: Microdata) -> tuple[Microdata, Homes | None, list[Finding]]:
    """Tell households and communal residents apart, and describe what follows from that.

    Returns the survey, with the variables 'household_size' (people counted, where the survey holds every age and does not
    describe it) and 'residence_type' (where it has communal residents and does not describe it); the homes, None where the
    survey holds single persons; and findings: 'missing-column', 'unmatched-household', 'derived-variable'.
    """
    if survey.household is None:
        return survey, None, []
    records, findings = survey.records, []
    for what in ("household", "household_weight", "communal"):
        column = getattr(survey, what)
        if column is not None and column not in records:
            message = f"{survey.name} has no column {column!r} ({what}).{nearest(column, records.columns)}"
            findings.append(finding("missing-column", message, place=survey.name))
    if findings:
        return survey, None, findings
    homes = _homes(survey)
    if len(homes.ids) and homes.communal.all():
        column = survey.communal
        marks = ", ".join(map(repr, survey.records[column].astype(str).unique()[:4]))
        message = f"{survey.name}: {column!r} marks everybody as resident of a communal establishment (its values: {marks})."
        remedy = "Make it true or 1 for such residents alone; empty, 0, no or false for all others."
        return survey, None, [finding("study-value", message, place=f"{survey.name}: {column}", remedy=remedy)]
    alone = homes.unit < 0
    if alone.any():
        n = int(alone.sum())
        who = f"{survey.name}: {number(n, 'record has', 'records have')}"
        short, told = short_of_members(survey, homes.unit, homes.size, homes.communal)
        homes = replace(homes, short=short)
        message = (
            f"{who} no id in {survey.household!r} and {'was' if n == 1 else 'were'} left out (first: {records.index[alone][0]})"
            f"{_whose_members(homes, told)}."
        )
        rows = pd.DataFrame({"record": records.index[alone]})
        place = f"{survey.name}: {survey.household}"
        findings.append(finding("unmatched-household", message, place=place, count=n, rows=rows))
    survey = _with_residence(survey, homes)
    survey, said = _with_size(survey, homes)
    return survey, homes, findings + said


def _whose_members(homes: Homes, told: str | None) -> str:
    """Say which households lack members for want of ids; told : the column that says how many people live in each."""
    if told is None:
        return "; nothing says how many people live in a household, so those that they belong to may be placed without them"
    if not homes.short.any():
        return f"; no household has fewer members than {told!r} says"
    n = int(homes.short.sum())
    who = f"{number(n, 'household has', 'households have')} fewer members than {told!r} says"
    return f"; {who} and {'was' if n == 1 else 'were'} left out as well (first: {homes.ids[homes.short][0]})"


def _homes(survey: Microdata) -> Homes:
    """Give the units numbers in the order of their first record."""
    records = survey.records
    ids = records[survey.household]
    position, values = pd.factorize(ids)
    known = np.array([*(code_text(v) or None for v in values), None], dtype=object)
    communal = np.zeros(len(records), bool) if survey.communal is None else _is_true(records[survey.communal])
    text = known[position]
    text[communal] = [f"communal {record}" for record in records.index[communal]]
    taken = set(text[~communal].tolist())
    for i in np.flatnonzero(communal):
        while text[i] in taken:
            text[i] += "'"
        taken.add(text[i])
    unit, names = pd.factorize(text)
    first = np.zeros(len(records), bool)
    first[np.unique(unit, return_index=True)[1]] = True
    alone = np.zeros(len(names), bool)
    alone[unit[communal]] = True
    whole = pd.api.types.is_integer_dtype(ids) and not communal.any()
    index = pd.Index(names.astype(np.int64) if whole else names.astype(str), name=str(survey.household))
    return Homes(unit.astype(np.int64), index, alone, first & ~communal & (unit >= 0), np.zeros(len(names), bool))


def _is_true(column: pd.Series) -> np.ndarray:
    """Whom a column marks: true, or neither blank nor a word or number for no."""
    position, values = pd.factorize(column)
    return np.array([*(code_text(v).casefold() not in _NO for v in values), False], bool)[position]


def _with_residence(survey: Microdata, homes: Homes) -> Microdata:
    """Describe residence type, where the survey knows communal residents but no such variable."""
    name = "residence_type"
    if survey.communal is None or name in survey.variables or name in survey.records:
        return survey
    kinds = ("household", "communal establishment")
    values = np.where(homes.of_members(homes.communal, False).astype(bool), kinds[1], kinds[0])
    categories = tuple(Category(kind, kind, frozenset([kind])) for kind in kinds)
    variable = Variable(name, categories, name, source=COUNTED)
    records = survey.records.assign(**{name: values})
    return replace(survey, records=records, variables={**survey.variables, name: variable})


def _with_size(survey: Microdata, homes: Homes) -> tuple[Microdata, list[Finding]]:
    """Count the members of each household, where the survey describes no size and leaves no age out."""
    name = "household_size"
    age = survey.variables.get("age")
    years = [int(a) for a in age.atoms if a.isdigit()] if age else [0]
    if name in survey.variables or name in survey.records or "age" in survey.universe.members or min(years, default=0) >= 5:
        return survey, []
    label = np.array([*SIZES, None], dtype=object)
    size = np.minimum(homes.size, len(SIZES)) - 1
    size[homes.communal] = len(SIZES)
    categories = tuple(Category(atom, atom, frozenset([atom])) for atom in SIZES)
    records = survey.records.assign(**{name: label[homes.of_members(size, len(SIZES))]})
    variables = {**survey.variables, name: Variable(name, categories, name, source=COUNTED)}
    message = f"{survey.name} does not describe household_size: it was counted from the members of each household."
    return replace(survey, records=records, variables=variables), [finding("derived-variable", message, place=survey.name)]


def household_weights(survey: Microdata, homes: Homes) -> tuple[np.ndarray, list[Finding]]:
    """Design weight of each record's household: (n_records,) float64, nought where the household has none.

    Findings: those of `take_weights`, warnings where some household has a weight, and 'uneven-household' where the weights of one
    household differ beyond rounding.
    """
    if survey.household_weight is None:
        weight, findings = take_weights(survey)
        column = survey.weight
        spread = homes.unit >= 0
    else:
        column = survey.household_weight
        alone = homes.of_members(homes.communal, False).astype(bool)
        spokesmen = homes.reference | alone
        values = survey.records[column]
        if survey.weight is not None and survey.weight in survey.records:  # residents of no household have their own
            values = values.where(~(alone & values.isna()), survey.records[survey.weight])
        given = replace(survey, records=survey.records.assign(**{column: values}), weight=column)
        weight, findings = take_weights(given, spokesmen, "record" if alone.any() else "household")
        known = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        spread = (homes.unit >= 0) & np.isfinite(known)
        weight = np.where(spokesmen, weight, np.where(spread, known, 0.0))
    if column is None:
        return weight, findings
    n_units = len(homes.ids)
    low, high = np.full(n_units, np.inf), np.zeros(n_units)
    np.minimum.at(low, homes.unit[spread], weight[spread])
    np.maximum.at(high, homes.unit[spread], weight[spread])
    apart = (high > 0) & (low < high * (1 - ROUNDING)) & ((low > 0) | (survey.household_weight is not None))
    if survey.household_weight is None:
        mean = np.bincount(homes.unit[spread], weights=weight[spread], minlength=n_units) / np.maximum(homes.size, 1)
        mean = np.where(low == high, low, mean)  # equal weights keep their bits
        by_unit, used = np.where((low > 0) & (high > 0), mean, 0.0), "their mean was used"
    else:
        by_unit, used = np.zeros(n_units), "the first member's was used"
        by_unit[homes.unit[spokesmen]] = weight[spokesmen]
    if (by_unit > 0).any():  # households without are left out, and 'lost-household' counts them
        findings = [replace(f, level="warning", why=_LOST) if f.code in _WEIGHTLESS else f for f in findings]
    if apart.any():
        n, first = int(apart.sum()), int(np.flatnonzero(apart)[0])
        message = (
            f"{survey.name}: the weights in {column!r} differ within {number(n, 'household')} (first: {homes.ids[first]}, "
            f"{low[first]:g} to {high[first]:g}); {used}."
        )
        rows = pd.DataFrame({"household": homes.ids[apart], "lowest": low[apart], "highest": high[apart]})
        findings = [*findings, finding("uneven-household", message, place=f"{survey.name}: {column}", count=n, rows=rows,
                    why="A household is placed whole, so it has one weight.",
                    remedy="Name the household's own weight with `household_weight`, if the survey has one.")]  # fmt: skip
    return homes.of_members(by_unit, 0.0), findings


def uneven_values(survey: Microdata, homes: Homes, coded: Coded, *, of_reference: bool = False) -> list[Finding]:
    """'uneven-household' where members of one household differ in a variable that a table of households counts.

    of_reference : the table counts reference persons, so that other members may well differ.
    """
    name = coded.variable.name
    mine = np.full(len(homes.ids), MISSING, coded.category.dtype)
    mine[homes.unit[homes.reference]] = coded.category[homes.reference]
    settled = homes.of_members(mine, MISSING)
    inside = (homes.unit >= 0) & ~homes.of_members(homes.communal, False).astype(bool)
    odd = homes.any_member(inside & (coded.category >= 0) & (coded.category != settled))
    if of_reference or not odd.any():
        return []
    n, first = int(odd.sum()), homes.ids[int(np.flatnonzero(odd)[0])]
    where = f"the members of {number(n, 'household')} (first: {first})"
    message = f"{survey.name}: {name} differs between {where}; the first member's counts."
    rows = pd.DataFrame({"household": homes.ids[odd], "variable": name})
    place = f"{survey.name}: {coded.variable.column or name}"
    return [finding("uneven-household", message, place=place, count=n, rows=rows)]


def check_sizes(survey: Microdata, homes: Homes, coded: Coded) -> list[Finding]:
    """'incomplete-household' where the survey says another size than it has members of a household."""
    said = homes.reference & (coded.category >= 0) & ~homes.of_members(homes.short, False).astype(bool)
    unit = homes.unit[said]
    atoms = [SIZES[min(n, len(SIZES)) - 1] for n in homes.size[unit]]
    sets = [c.atoms for c in coded.variable.categories]
    known = frozenset().union(*sets) & frozenset(SIZES)
    odd = np.array([bool(known) and atom not in sets[c] for atom, c in zip(atoms, coded.category[said], strict=True)], bool)
    if not odd.any():
        return []
    n, homes_odd = int(odd.sum()), unit[odd]
    labels = [coded.variable.categories[c].label for c in coded.category[said][odd]]
    members = homes.size[homes_odd]
    message = (
        f"{survey.name}: {number(n, 'household has', 'households have')} another number of members than household_size says "
        f"(first: {homes.ids[homes_odd[0]]}, {labels[0]!r} with {number(int(members[0]), 'member')}; "
        f"{listed(homes.ids[homes_odd])})."
    )
    rows = pd.DataFrame({"household": homes.ids[homes_odd], "household_size": labels, "members": members})
    place = f"{survey.name}: {coded.variable.column or 'household_size'}"
    return [finding("incomplete-household", message, place=place, count=n, rows=rows)]
