"""Links: who is whose partner and parent in the survey's households, by its own columns of ids, or by roles; what cannot be."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.circumstances import Circumstances, Families, families_by_links, families_of, links_that_cannot_be
from synthpop_gb.errors import Finding, finding
from synthpop_gb.export.pointers import pointers
from synthpop_gb.households import Households

__all__ = ["linked_families"]

LINKS = {"partner": r"partner|spouse|^s?ppid$", "mother": r"mother|^mn(s)?pid$", "father": r"father|^fn(s)?pid$"}
"""How columns are called that hold the id of a partner or parent; pid and its like are Understanding Society's."""


def linked_families(
    aligned: Aligned, known: Circumstances, *, adult: int, opposite_sex: bool
) -> tuple[Families | None, list[Finding]]:
    """Make the benefit units of the survey's households.

    Where a column holds the ids of partners (`export.pointers`), by it and those of mothers and fathers; else by roles; else by
    ages. `opposite_sex`: couples of one sex become two units.

    Returns
    -------
    Families, or None where links cannot be so; and `bad-links`.
    """
    homes, points = aligned.households, _points(aligned)
    if "partner" not in points:
        wrong = _bad_roles(known, homes)
        return (None if wrong else _by_roles(known, homes, adult, opposite_sex)), wrong
    age, male = known.number("age"), known.is_("sex", "male")
    nobody = "", np.zeros(len(homes.member), np.int64)
    spouse, mother, father = (homes.at(points.get(name, nobody)[1]) for name in LINKS)
    strange = links_that_cannot_be(homes.of_record, age, spouse, mother, father)
    by_home = {name: np.bincount(homes.of_record, w, len(homes.ids)) > 0 for name, w in strange.items()}
    wrong = _told(by_home, ", ".join(column for column, _ in points.values()))
    if wrong:
        return None, wrong
    if opposite_sex:
        alike = (spouse >= 0) & (male == male[np.maximum(spouse, 0)])
        spouse = np.where(alike, -1, spouse)
    reference = known.is_("role", "reference") if known.has("role") else homes.place == 1
    made = families_by_links(
        homes.of_record, age, spouse, mother, father, reference=reference, student=known.is_("activity", "student"), adult=adult
    )
    return made, []


def _points(aligned: Aligned) -> dict[str, tuple[str, np.ndarray]]:
    """Find columns of ids by what they link to: name of the column, and the place in the household of whom it names."""
    found: dict[str, tuple[str, np.ndarray]] = {}
    for column, place in pointers(aligned).items():
        kind = next((k for k, pattern in LINKS.items() if re.search(pattern, column, re.IGNORECASE)), None)
        if kind is not None:
            found.setdefault(kind, (column, place))
    return found


def _told(wrong: dict[str, np.ndarray], place: str) -> list[Finding]:
    """`bad-links` with the number of households that each is true of; wrong: (n_units,) bool by what is wrong."""
    any_wrong = np.any(list(wrong.values()), axis=0)
    if not any_wrong.any():
        return []
    told = "; ".join(f"{name} in {int(w.sum()):,}" for name, w in wrong.items() if w.any())
    message = f"Who is whose partner or child cannot be so in {int(any_wrong.sum()):,} households of the survey: {told}."
    rows = pd.DataFrame({name: w[any_wrong] for name, w in wrong.items()})
    return [finding("bad-links", message, place=place, count=int(any_wrong.sum()), rows=rows)]


def _bad_roles(known: Circumstances, homes: Households) -> list[Finding]:
    """`bad-links` for roles that make no household: two references, two partners, partners who are children."""
    if not known.has("role"):
        return []
    age, wrong = known.number("age"), {}
    for role in ("reference", "partner"):
        several = np.bincount(homes.of_record, known.is_("role", role), len(homes.ids)) > 1
        wrong[f"more than one {role}"] = several
    wrong["a partner under 16"] = np.bincount(homes.of_record, known.is_("role", "partner") & (age < 16), len(homes.ids)) > 0
    parents = known.is_("role", "reference", "partner")
    oldest = np.full(len(homes.ids), np.inf)  # of households without a reference nothing can be said
    oldest[homes.of_record[parents]] = 0.0
    np.maximum.at(oldest, homes.of_record[parents], age[parents])
    older = known.is_("role", "child") & (age >= oldest[homes.of_record])
    wrong["a child as old as its parents"] = np.bincount(homes.of_record, older, len(homes.ids)) > 0
    return _told(wrong, known.taken["role"])


def _by_roles(known: Circumstances, homes: Households, adult: int, opposite_sex: bool) -> Families:
    """Make benefit units by roles, or by ages where there are none."""
    male, age = known.is_("sex", "male"), known.number("age")
    role = known.frame["role"].to_numpy(object) if known.has("role") else None
    more = {"male": male, "student": known.is_("activity", "student"), "ties": (-known.number("income"),), "adult": adult}
    made = families_of(homes.of_record, age, role=role, **more)
    has = np.flatnonzero(made.partner)
    alike = has[male[has] == male[made.spouse[has]]]
    if not opposite_sex or not len(alike):
        return made
    words = np.where(made.child, "child", "other").astype(object) if role is None else role.copy()
    words[made.head & made.first[made.unit]], words[made.partner], words[alike] = "reference", "partner", "other"
    return families_of(homes.of_record, age, role=words, **more)
