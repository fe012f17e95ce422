"""What rules ask of people: columns and labels understood, benefit units made of households."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.circumstances import (
    circumstances_of,
    families_by_links,
    families_of,
    links_that_cannot_be,
    meaning_of,
    region_number,
)
from tests.reference import families as slow

ROLES = ("reference", "partner", "child", "other", "")


@st.composite
def homes(draw):
    """Households of one to six, in any order of rows, with ages that differ within a household."""
    sizes = draw(st.lists(st.integers(1, 6), min_size=1, max_size=6))
    household = np.repeat(np.arange(len(sizes)), sizes)
    age = np.concatenate([draw(st.lists(st.integers(0, 95), min_size=s, max_size=s, unique=True)) for s in sizes])
    role = np.array(draw(st.lists(st.sampled_from(ROLES), min_size=len(age), max_size=len(age))), object)
    student = np.array(draw(st.lists(st.booleans(), min_size=len(age), max_size=len(age))))
    order = np.array(draw(st.permutations(range(len(age)))))
    return household[order], age[order], role[order], student[order]


@given(homes(), st.booleans())
def test_families_are_those_of_the_twin(people, told):
    household, age, role, student = people
    made = families_of(household, age, role=role if told else None, student=student)
    unit, spouse, child = slow.families(household, age, role if told else None, student)
    assert made.unit.tolist() == unit
    assert made.spouse.tolist() == spouse
    assert made.child.tolist() == child


@given(homes(), st.booleans(), st.randoms(use_true_random=False))
def test_families_keep_their_laws(people, told, random):
    household, age, role, student = people
    made = families_of(household, age, role=role if told else None, student=student)
    assert (made.home[made.unit] == household).all(), "a unit is of one household"
    assert (np.bincount(made.unit[made.head], minlength=len(made.home)) == 1).all(), "each has one head"
    assert (np.bincount(made.home[made.first]) == 1).all(), "each household has one first unit"
    assert (made.head.astype(int) + made.partner + made.child == 1).all()
    has = made.spouse >= 0
    assert (made.spouse[made.spouse[has]] == np.flatnonzero(has)).all(), "partners are each other's"
    for parent in (made.mother, made.father):
        known = np.flatnonzero(parent >= 0)
        assert (household[parent[known]] == household[known]).all()
        assert (age[parent[known]] - age[known] >= 12).all()
    assert not ((made.mother >= 0) & (made.mother == made.father)).any()
    order = np.array(random.sample(range(len(age)), len(age)))
    again = families_of(household[order], age[order], role=role[order] if told else None, student=student[order])
    assert again.unit.tolist() == made.unit[order].tolist(), "the order of rows does not matter"


def test_ties_are_decided_by_values_not_by_place():
    household, age, income = np.zeros(3, int), np.array([30, 30, 30]), np.array([5.0, 9.0, 7.0])
    made = families_of(household, age, ties=(-income,))
    assert made.spouse.tolist() == [-1, 2, 1]
    assert families_of(household, age, ties=(-income[::-1],)).spouse.tolist() == [1, 0, -1]


def test_parents_of_one_sex_stand_in_both_places():
    role = np.array(["reference", "partner", "child"])
    women = families_of(np.zeros(3, int), np.array([40, 38, 5]), role=role, male=np.array([False, False, True]))
    assert (women.mother[2], women.father[2]) == (0, 1)
    couple = families_of(np.zeros(3, int), np.array([40, 38, 5]), role=role, male=np.array([True, False, True]))
    assert (couple.mother[2], couple.father[2]) == (1, 0)


@pytest.mark.parametrize(
    ("kind", "label", "word"),
    [
        ("role", "Household Reference Person", "reference"), ("role", "Grandchild", "other"), ("role", "Son-in-law", "other"),
        ("role", "Husband or wife", "partner"), ("role", "Step-daughter", "child"), ("activity", "other inactive", "other"),
        ("activity", "does not apply", "none"), ("activity", "Looking after home or family", "home"),
        ("activity", "Economically active: In employment: Employee", "employee"), ("activity", "unemployed", "unemployed"),
        ("activity", "Self employed without employees", "self-employed"), ("activity", "Long-term sick or disabled", "sick"),
        ("tenure", "Rents: council (local authority)", "social"), ("tenure", "private rented", "private"),
        ("tenure", "Owned with a mortgage or loan", "mortgage"), ("tenure", "owned outright", "outright"),
        ("tenure", "Lives rent free", "free"), ("sex", "Female", "female"), ("sex", "male", "male"),
        ("partnership", "Never married and never registered a civil partnership", "single"),
        ("partnership", "Surviving civil partner", "widowed"), ("qualification", "no qualifications", "low"),
        ("qualification", "level 4 or above", "high"), ("ethnic_group", "Mixed: White and Asian", "mixed"),
        ("health", "very bad", "very bad"),
    ],
)  # fmt: skip
def test_labels_are_understood(kind, label, word):
    assert meaning_of(kind, [label])[0].tolist() == [word]


def test_codes_need_to_be_explained_and_unknown_labels_are_counted():
    words, unknown = meaning_of("role", [1.0, 2.0, None, 7.0], {"1": "reference", "2": "partner"})
    assert words.tolist() == ["reference", "partner", "", ""]
    assert unknown == {"7": 1}
    with pytest.raises(ValueError, match="not boss"):
        meaning_of("role", ["1"], {"1": "boss"})


def test_columns_are_found_named_and_missed():
    survey = pd.DataFrame(
        {"age": ["16-24", "75 and over", None], "pay": [100.0, -9.0, np.nan], "gender": ["male", "x", "female"]}
    )
    known = circumstances_of(survey, {"employment_income": "pay", "rent": 1200.0})
    assert known.frame["age"].tolist() == [20.0, 80.0, 40.0]
    assert known.number("employment_income").tolist() == [100.0, 0.0, 0.0]
    assert known.number("rent").tolist() == [1200.0] * 3
    assert known.taken["sex"] == "gender"
    assert known.unknown == {"sex": {"x": 1}}
    assert {"age", "unknown ages", "activity", "pension_income"} <= set(known.defaults)
    with pytest.raises(KeyError, match="no column 'wage'"):
        circumstances_of(survey, {"income": "wage"})
    with pytest.raises(KeyError, match="no input 'wages'"):
        circumstances_of(survey, {"wages": "pay"})
    with pytest.raises(ValueError, match="no column says ages"):
        circumstances_of(survey[["pay"]])


def test_regions_are_numbered_by_code_and_by_name():
    assert region_number(["Yorkshire and The Humber", "north-west", "E09000033", "EAST_MIDLANDS", "Greater London"]).tolist() == [
        4,
        2,
        8,
        5,
        8,
    ]
    assert not region_number(
        ["North East Lincolnshire", "North East Derbyshire", "Londonderry", "South Yorkshire", "E08000035"]
    ).any()
    assert region_number(["E12000001", "YORKSHIRE", "East of England", "W06000015", None]).tolist() == [1, 4, 7, 11, 0]


@st.composite
def linked(draw):
    """Households with couples, their children, and sometimes a child's child or lodgers."""
    rows = []
    for home in range(draw(st.integers(1, 5))):
        for _ in range(draw(st.integers(1, 3))):
            begin, couple = len(rows), draw(st.booleans())
            old = draw(st.integers(30, 60))
            rows += [[home, old, begin + 1 if couple else -1, -1, -1]]
            rows += [[home, old - 1, begin, -1, -1]] if couple else []
            for _ in range(draw(st.integers(0, 3))):
                rows += [
                    [
                        home,
                        draw(st.integers(0, 25)) if old > 45 else draw(st.integers(0, 14)),
                        -1,
                        begin,
                        begin + 1 if couple else -1,
                    ]
                ]
    return np.array(rows).T, draw(st.randoms(use_true_random=False))


@given(linked())
def test_linked_families_keep_their_laws(people):
    (household, age, spouse, mother, father), random = people
    assert not any(w.any() for w in links_that_cannot_be(household, age, spouse, mother, father).values())
    made = families_by_links(household, age, spouse, mother, father)
    assert (made.home[made.unit] == household).all()
    assert (np.bincount(made.unit[made.head], minlength=len(made.home)) == 1).all()
    assert (np.bincount(made.home[made.first]) == 1).all()
    assert (made.head.astype(int) + made.partner + made.child == 1).all()
    has = spouse >= 0
    assert (made.unit[has] == made.unit[spouse[has]]).all(), "couples are one unit"
    young = made.child & (mother >= 0)
    assert (made.unit[young] == made.unit[mother[young]]).all(), "children are their mother's"
    assert not made.child[(age >= 16)].any()
    order = np.array(random.sample(range(len(age)), len(age)))
    back = np.append(np.argsort(order), -1)
    again = families_by_links(household[order], age[order], *(back[links[order]] for links in (spouse, mother, father)))
    same = pd.crosstab(again.unit, made.unit[order]).gt(0)
    assert (same.sum(axis=0) == 1).all()
    assert (same.sum(axis=1) == 1).all()


def test_links_that_cannot_be_are_told_apart():
    household, age = np.array([0, 0, 0, 1]), np.array([40, 12, 10, 40])
    nobody = np.full(4, -1)
    wrong = links_that_cannot_be(household, age, np.array([1, 0, -1, -1]), nobody, nobody)
    assert [k for k, v in wrong.items() if v.any()] == ["a partner under 16"]
    wrong = links_that_cannot_be(household, age, np.array([3, -1, -1, 0]), np.array([-1, 2, -1, -1]), nobody)
    assert [k for k, v in wrong.items() if v.any()] == ["a parent who is no older", "somebody of another household"]
    wrong = links_that_cannot_be(household, age, nobody, np.array([-1, 0, -1, -1]), np.array([-1, 0, -1, -1]))
    assert [k for k, v in wrong.items() if v.any()] == ["one parent twice"]
