"""Families by links: benefit units of households whose survey says who is whose partner, mother and father."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthpop_gb.circumstances._families import ADULT, OLDEST_PUPIL, Families

__all__ = ["families_by_links", "links_that_cannot_be"]


def families_by_links(
    household: np.ndarray,
    age: np.ndarray,
    spouse: np.ndarray,
    mother: np.ndarray,
    father: np.ndarray,
    *,
    reference: np.ndarray | None = None,
    student: np.ndarray | None = None,
    ties: Sequence[np.ndarray] = (),
    adult: int = ADULT,
) -> Families:
    """Make benefit units where the survey links people: several families may live in one household.

    Dependent are children without a partner under 16, and those up to 18 in education who have a parent in the household; they go
    with their mother's unit, else their father's, else the reference's. A child's own child goes where the child goes.

    Parameters
    ----------
    household, age : (n,) arrays
        As in `families_of`.
    spouse, mother, father : (n,) int64
        Positions of partner and parents, -1 = nobody; see `links_that_cannot_be` for what they must be.
    reference : (n,) bool, optional
        One a household; the oldest adult otherwise.
    student, ties, adult
        As in `families_of`.

    Returns
    -------
    Families

    Examples
    --------
    A couple, their daughter of 20 with a baby, and a boy of 9:

    >>> links = np.array([[1, 0, -1, -1, -1], [-1, -1, 1, 2, 1], [-1, -1, 0, -1, 0]])
    >>> families_by_links(np.zeros(5, int), np.array([45, 44, 20, 0, 9]), *links).unit.tolist()
    [0, 0, 1, 1, 0]
    """
    household, age = np.asarray(household, np.int64), np.asarray(age, np.float64)
    spouse, mother, father = (np.asarray(a, np.int64) for a in (spouse, mother, father))
    n, n_homes = len(age), int(household.max(initial=-1)) + 1
    in_education = np.zeros(n, bool) if student is None else np.asarray(student, bool)
    has_parent = (mother >= 0) | (father >= 0)
    child = (spouse < 0) & ((age < adult) | (in_education & (age <= OLDEST_PUPIL) & has_parent))
    told = np.zeros(n, bool) if reference is None else np.asarray(reference, bool)
    order = np.lexsort((*(np.asarray(t) for t in ties[::-1]), -age, child, ~told, household))
    rank = np.empty(n, np.int64)
    rank[order] = np.arange(n)
    first = np.full(n_homes, -1, np.int64)
    homes, where = np.unique(household[order], return_index=True)
    first[homes] = order[where]
    child[first[first >= 0]] = False
    partner = ~child & (spouse >= 0)
    partner[partner] = rank[partner.nonzero()[0]] > rank[spouse[partner]]
    head = ~child & ~partner
    with_reference = np.zeros(n, bool)
    with_reference[first[first >= 0]] = True
    of_first = with_reference | ((spouse >= 0) & with_reference[np.maximum(spouse, 0)])
    opens = np.lexsort((rank, ~of_first, household))
    opens = opens[head[opens]]
    unit = np.full(n, -1, np.int64)
    unit[opens] = np.arange(len(opens))
    unit[partner] = unit[spouse[partner]]
    for _ in range(4):  # a child's child waits until its parent has a unit
        for parent in (mother, father):
            waiting = np.flatnonzero((unit < 0) & (parent >= 0))
            unit[waiting] = unit[parent[waiting]]
    left = np.flatnonzero(unit < 0)
    unit[left] = unit[first[household[left]]]
    return Families(unit, household[opens], head, partner, child, spouse, mother, father, of_first[opens])


def links_that_cannot_be(
    household: np.ndarray, age: np.ndarray, spouse: np.ndarray, mother: np.ndarray, father: np.ndarray
) -> dict[str, np.ndarray]:
    """Find people whose links make no sense: (n,) bool by what is wrong.

    >>> age, nobody = np.array([40, 38, 50]), np.full(3, -1)
    >>> wrong = links_that_cannot_be(np.zeros(3, int), age, np.array([1, 2, -1]), np.array([2, -1, 0]), nobody)
    >>> {k: v.tolist() for k, v in wrong.items() if v.any()}
    {"a partner who is somebody else's": [True, True, False], 'a parent who is no older': [False, False, True]}
    """
    n = len(age)

    def at(values: np.ndarray, links: np.ndarray) -> np.ndarray:
        return np.asarray(values)[np.maximum(links, 0)]

    def elsewhere(links: np.ndarray) -> np.ndarray:
        return (links >= 0) & (at(household, links) != household)

    has = spouse >= 0
    return {
        "a partner who is somebody else's": has & ((at(spouse, spouse) != np.arange(n)) | (spouse == np.arange(n))),
        "a partner under 16": has & ((age < ADULT) | (at(age, spouse) < ADULT)),
        "a parent who is no older": ((mother >= 0) & (at(age, mother) <= age)) | ((father >= 0) & (at(age, father) <= age)),
        "one parent twice": (mother >= 0) & (mother == father),
        "somebody of another household": elsewhere(spouse) | elsewhere(mother) | elsewhere(father),
    }
