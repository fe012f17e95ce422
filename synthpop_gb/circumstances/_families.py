"""Families: the benefit units of households, who is whose partner, and the parents of children."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Families", "families_of"]

ADULT = 16
"""Age at which nobody is a child any more unless in education (Universal Credit Regulations 2013, reg. 4 and 5)."""
OLDEST_PUPIL = 18
"""Age up to which a young person in education is dependent. The law says 19, of non-advanced education; most 19-year-olds who
study are at university, which a survey's 'student' does not tell."""
COUPLE_GAP = 15
"""Years between two adults up to which they are taken for a couple where the survey says nothing of their relation."""
PARENT_GAP = 12
"""Years that a parent is older than a child, at least."""


@dataclass(frozen=True, eq=False)
class Families:
    """Benefit units: a single adult or a couple, with their dependent children; every other adult is a unit of their own.

    Attributes
    ----------
    unit : numpy.ndarray
        (n,) int64 benefit unit of each person, 0 ... n_units - 1, by household, the reference's unit first.
    home : numpy.ndarray
        (n_units,) int64 household of each unit, as numbered in `families_of`.
    head, partner, child : numpy.ndarray
        (n,) bool: what each person is in the unit; `child` = dependent.
    spouse : numpy.ndarray
        (n,) int64 position of the partner; -1 = nobody.
    mother, father : numpy.ndarray
        (n,) int64 positions of parents in the household, of dependent and of grown-up children; -1 = nobody.
    first : numpy.ndarray
        (n_units,) bool: the unit of the household's reference, who pays its rent.
    """

    unit: np.ndarray
    home: np.ndarray
    head: np.ndarray
    partner: np.ndarray
    child: np.ndarray
    spouse: np.ndarray
    mother: np.ndarray
    father: np.ndarray
    first: np.ndarray

    def sum(self, values, where=None) -> np.ndarray:
        """Add up a value of every person by unit: (n_units,) float64. where: (n,) bool, who counts."""
        values = np.broadcast_to(np.asarray(values, np.float64), self.unit.shape)
        return np.bincount(self.unit, values if where is None else np.where(where, values, 0.0), len(self.home))

    def __repr__(self) -> str:
        """One line: how many units, couples, children."""
        return (
            f"Families: {len(self.home):,} benefit units, {int(self.partner.sum()):,} couples, {int(self.child.sum()):,} children"
        )


def families_of(
    household: np.ndarray,
    age: np.ndarray,
    *,
    role: np.ndarray | None = None,
    male: np.ndarray | None = None,
    student: np.ndarray | None = None,
    ties: Sequence[np.ndarray] = (),
    adult: int = ADULT,
) -> Families:
    """Make benefit units of households.

    The reference is whom the survey says, or else the oldest; the partner whom it says, or else, where it tells no relations, the
    oldest other adult within 15 years of age. Dependent are children under 16, and those up to 18 in education who are the
    reference's; they go with the reference, grandchildren too. What is made hangs on values alone, never on the order of rows.

    Parameters
    ----------
    household : (n,) int
        Household of each person, numbered from 0 without gaps.
    age : (n,) int or float
        Years.
    role : (n,) of str, optional
        'reference', 'partner', 'child', 'other', '' = not known; None where the survey tells no relations.
    male : (n,) bool, optional
        Tells mothers from fathers; without it parents are the reference as mother and the partner as father.
    student : (n,) bool, optional
        In education.
    ties : sequence of (n,) arrays
        Values that decide between people of one household who are alike so far, such as incomes.
    adult : int
        Age at which nobody is a child any more unless in education.

    Returns
    -------
    Families

    Examples
    --------
    A couple with a girl of 5, a boy of 17 at school, and a lodger:

    >>> made = families_of(np.zeros(5, int), np.array([41, 5, 43, 17, 30]), student=np.array([0, 0, 0, 1, 0], bool),
    ...                    role=np.array(["partner", "child", "reference", "child", "other"]))
    >>> made.unit.tolist(), made.child.tolist(), made.spouse.tolist()
    ([0, 0, 0, 0, 1], [False, True, False, True, False], [2, -1, 0, -1, -1])
    """
    household, age = np.asarray(household, np.int64), np.asarray(age, np.float64)
    n, n_homes = len(age), int(household.max(initial=-1)) + 1
    told = np.full(n, "", object) if role is None else np.asarray(role, object)
    in_education = np.zeros(n, bool) if student is None else np.asarray(student, bool)
    keys = tuple(np.asarray(t) for t in ties)

    def best(wanted: np.ndarray, rank: tuple) -> np.ndarray:
        """(n_homes,) position of the first of those wanted in each household by rank (ascending), -1 = nobody."""
        rows = np.flatnonzero(wanted)
        order = rows[np.lexsort((*(k[rows] for k in keys[::-1]), *(r[rows] for r in rank[::-1]), household[rows]))]
        out = np.full(n_homes, -1, np.int64)
        home, where = np.unique(household[order], return_index=True)
        out[home] = order[where]
        return out

    head_of = best(np.ones(n, bool), (told != "reference", np.isin(told, ("child", "partner")), -age))
    is_head = np.zeros(n, bool)
    is_head[head_of[head_of >= 0]] = True
    gap = np.abs(age - age[head_of[household]]) if n else age
    could = ~is_head & (age >= adult) & (age[head_of[household]] >= adult) if n else is_head
    could &= (told == "partner") if role is not None else (gap <= COUPLE_GAP)
    partner_of = best(could, (-age,))
    is_partner = np.zeros(n, bool)
    is_partner[partner_of[partner_of >= 0]] = True
    pupil = in_education & (age <= OLDEST_PUPIL) & ((told == "child") if role is not None else (gap >= PARENT_GAP))
    child = ~is_head & ~is_partner & ((age < adult) | pupil)
    alone = ~is_head & ~is_partner & ~child
    # units are numbered household by household, the reference's first, the others by age
    rank = np.lexsort((*keys[::-1], -age, ~is_head, household))
    opens = rank[(is_head | alone)[rank]]
    unit = np.full(n, -1, np.int64)
    unit[opens] = np.arange(len(opens))
    joins = ~(is_head | alone)
    unit[joins] = unit[head_of[household[joins]]]
    spouse = np.full(n, -1, np.int64)
    both = partner_of >= 0
    spouse[partner_of[both]], spouse[head_of[both]] = head_of[both], partner_of[both]
    mother, father = _parents(household, age, told, male, child, head_of, partner_of)
    return Families(unit, household[opens], is_head | alone, is_partner, child, spouse, mother, father, is_head[opens])


def _parents(household, age, told, male, child, head_of, partner_of) -> tuple[np.ndarray, np.ndarray]:
    """Positions of mothers and fathers; of two of one sex the reference stands first in the other's place too."""
    n = len(age)
    mother, father = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    rows = np.flatnonzero(child | (told == "child"))
    for number, whose in enumerate((head_of, partner_of)):
        parent = whose[household[rows]]
        real = (parent >= 0) & (parent != rows)
        real[real] &= age[parent[real]] - age[rows[real]] >= PARENT_GAP
        at, who = rows[real], parent[real]
        as_father = np.full(len(at), number == 1) if male is None else np.asarray(male, bool)[who]
        taken = np.where(as_father, father[at], mother[at]) >= 0  # the reference is of the same sex
        as_father = as_father ^ taken
        father[at[as_father]], mother[at[~as_father]] = who[as_father], who[~as_father]
    return mother, father
