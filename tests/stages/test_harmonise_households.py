"""Surveys of whole households against tables of households and of people: who is counted where, who is left out, what clashes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthpop_gb import formulate
from synthpop_gb.codebook import Category, Universe
from synthpop_gb.errors import CODES
from synthpop_gb.harmonisation import examine, harmonise
from synthpop_gb.harmonisation.members import SIZES
from synthpop_gb.read._codebooks import common_variables
from tests.stages.homes_world import HOMES, IN_HOMES, SIZE, TENURE, residence, world
from tests.stages.nouns import AGE, SEX, table

NAMES = ("household_size", "tenure", "age", "sex", "work")


def found(findings, code):
    return [f for f in findings if f.code == code]


def only(findings, code):
    (one,) = found(findings, code)
    assert one.why
    assert one.remedy
    assert one.to_dict()["code"] in CODES
    return one


def changed(survey, **columns):
    return replace(survey, records=survey.records.assign(**columns))


def put(survey, column, rows, value):
    values = survey.records[column].astype(object)
    values.iloc[rows] = value
    return changed(survey, **{column: values})


def homes_of(aligned):
    """Members of each household by record id, in the order of the noun."""
    homes = aligned.households
    ids = aligned.records.to_numpy()[homes.member]
    return {h: ids[a:b].tolist() for h, a, b in zip(homes.ids, homes.member_start[:-1], homes.member_start[1:], strict=True)}


# who is counted


def test_household_tables_are_constraints_beside_person_tables():
    survey, tables, places = world()
    aligned, findings = examine(survey, tables, places, constraints=NAMES)
    assert [f.code for f in findings] == ["derived-variable"]
    homes, records = aligned.households, survey.records
    assert homes_of(aligned) == {h: list(g) for h, g in records.groupby("hid", sort=False).groups.items()}
    by_name = {c.name: c for c in aligned.constraints}
    for name in ("household_size", "tenure"):
        cell = by_name[name].record_cell
        assert (cell[homes.reference] >= 0).all()
        assert (np.delete(cell, homes.reference) == -1).all()
        assert by_name[name].universe.unit == "household"
    assert (by_name["age"].record_cell >= 0).all()
    children = (records["age"] == "0").to_numpy()
    assert np.array_equal(by_name["work"].record_cell >= 0, ~children), "children stay, outside the universe of adults"
    first = ~records["hid"].duplicated()
    assert homes.weight.tolist() == records["weight"][first].tolist()
    assert aligned.weight.tolist() == records["weight"].tolist()
    expected = np.minimum(records.groupby("hid", sort=False).size().to_numpy(), 4) - 1
    assert by_name["household_size"].record_cell[homes.reference].tolist() == expected.tolist()
    for c in aligned.constraints:
        assert np.array_equal(c.targets, tables[c.name].counts), "exact tables come through untouched"


def test_the_waist_counts_what_the_tables_count():
    survey, tables, places = world()
    problem = formulate(harmonise(survey, tables, places, constraints=NAMES))
    assert len(problem.units) == survey.records["hid"].nunique()
    assert problem.start.sum() == pytest.approx(survey.records.groupby("hid")["weight"].first().sum())
    dense, start = problem.incidence.matrix().toarray(), problem.constraint_start
    assert (dense[:, start[0] : start[1]].sum(axis=1) == 1).all()
    assert (dense[:, start[2] : start[3]].sum(axis=1) == problem.size).all()
    assert (problem.cell_of[2:] == -1).all()


def test_nothing_changes_without_the_households():
    survey, tables, places = world()
    plain = replace(survey, household=None)
    aligned = harmonise(plain, tables, places, constraints=["age", "sex", "work"])
    assert aligned.households is None
    assert aligned.survey is plain
    _, findings = examine(plain, tables, places, constraints=NAMES)
    wrong = [f for f in findings if f.level == "error"]
    assert {(f.code, f.place) for f in wrong if f.code == "mixed-universe"} == {("mixed-universe", n) for n in NAMES[:2]}
    assert {f.code for f in wrong} == {"mixed-universe", "unknown-variable"}, "nothing is counted"
    assert "household ids" in str(found(findings, "mixed-universe")[0])


def test_members_need_not_stand_together():
    survey, tables, places = world()
    shuffled = replace(survey, records=survey.records.sample(frac=1, random_state=5))
    aligned = harmonise(shuffled, tables, places, constraints=NAMES)
    assert homes_of(aligned) == {h: list(g) for h, g in shuffled.records.groupby("hid", sort=False).groups.items()}
    reference = aligned.records[aligned.households.reference]
    assert list(reference) == list(shuffled.records.index[~shuffled.records["hid"].duplicated()])


def test_ids_are_met_however_they_were_read():
    survey, tables, places = world()
    number = survey.records["hid"].str[1:].astype(int)
    for ids in (number, number.astype("Int64"), number.astype(float), number.astype(str)):
        aligned = harmonise(changed(survey, hid=ids), tables, places, constraints=NAMES)
        assert [str(i) for i in aligned.households.ids] == [str(n) for n in number.unique()]


def test_a_table_of_reference_persons_counts_the_first_member():
    survey, tables, places = world()
    first = ~survey.records["hid"].duplicated()
    n = int(first.sum())
    counts = np.tile([n // 2, n - n // 2], (6, 1))
    tables["reference"] = table(
        "reference", SEX, counts, places.codes, universe=Universe("household reference persons", "household")
    )
    aligned, findings = examine(survey, tables, places, constraints=["age", "reference"])
    assert not found(findings, "uneven-household"), "other members may differ"
    cell = aligned.constraints[1].record_cell
    assert np.array_equal(cell, np.where(first, survey.records["sex"] - 1, -1))


# size


def test_sizes_are_counted_where_the_survey_says_none():
    survey, tables, places = world()
    aligned, findings = examine(survey, tables, places, constraints=["household_size", "age"])
    assert "counted from the members" in only(findings, "derived-variable").message
    said = aligned.survey.records["household_size"]
    members = survey.records.groupby("hid")["sex"].transform("size")
    assert said.str[0].astype(int).tolist() == members.tolist()


def test_ages_below_nought_are_said_to_be_codes():
    survey, tables, places = world()
    years = replace(AGE, categories=tuple(Category(str(y), str(y), frozenset([str(y)])) for y in range(101)))
    aged = changed(survey, age=survey.records["age"].map({c.code: 5 + 20 * i for i, c in enumerate(AGE.categories)}))
    aged = replace(put(aged, "age", [3], -1), variables={**survey.variables, "age": years})
    told = only(examine(aged, tables, places, constraints=["age"])[1], "unmapped-code")
    assert "1 record has an age code that no category has: -1. An age below nought is a code" in told.message
    assert '[recode.age] map = { "-1" = "0" }' in told.remedy


def test_sizes_are_those_of_the_codebook():
    assert tuple(a for a in common_variables()["household_size"].atoms if a != "0 people") == SIZES


def test_sizes_are_not_counted_where_children_are_left_out():
    survey, tables, places = world()
    adults = survey.records[survey.records["age"] != "0"]
    universe = Universe("people aged 16 and over", members={"age": frozenset(map(str, range(16, 121)))})
    for spoilt in (replace(survey, records=adults, universe=universe),
                   replace(survey, records=adults, variables={**survey.variables, "age": replace(
                       survey.variables["age"], categories=survey.variables["age"].categories[1:])})):  # fmt: skip
        _, findings = examine(spoilt, tables, places, constraints=["household_size", "work"])
        assert only(findings, "unknown-variable").level == "error"


def test_a_household_with_other_members_than_its_size_is_said():
    survey, tables, places = world()
    members = survey.records.groupby("hid")["sex"].transform("size")
    described = changed(survey, household_size=np.minimum(members, 4).astype(str).replace("4", "4+"))
    described = replace(described, variables={**survey.variables, "household_size": SIZE})
    assert not found(examine(described, tables, places, constraints=NAMES)[1], "incomplete-household")
    less = replace(described, records=described.records.drop(index=described.records.index[members == 2][1]))
    told = only(examine(less, tables, places, constraints=NAMES)[1], "incomplete-household")
    assert told.count == 1
    assert told.rows["members"].tolist() == [1]


# who cannot be used


def test_a_member_without_a_value_takes_the_household_out():
    survey, tables, places = world()
    rows = [int(np.flatnonzero(survey.records["hid"] == h)[-1]) for h in ("H0002", "H0003", "H0010")]
    spoilt = put(survey, "sex", rows, None)
    aligned, findings = examine(spoilt, tables, places, constraints=NAMES)
    assert {"H0002", "H0003", "H0010"}.isdisjoint(aligned.households.ids)
    assert len(aligned.households.ids) == survey.records["hid"].nunique() - 3
    people = int(survey.records["hid"].isin(["H0002", "H0003", "H0010"]).sum())
    lost = only(findings, "lost-household")
    assert lost.count == 3
    assert f"3 of 120 households ({people} people) were left out, some member having no value of sex: 3." in lost.message
    assert lost.rows["people"].sum() == people
    assert "left out with everybody who lives with them" in only(findings, "missing-value").message


def test_a_member_outside_a_universe_may_lack_its_value():
    survey, tables, places = world()
    children = np.flatnonzero(survey.records["age"] == "0")
    aligned, findings = examine(put(survey, "work", children, None), tables, places, constraints=NAMES)
    assert not found(findings, "lost-household")
    assert len(aligned.records) == len(survey.records)


def test_a_household_variable_is_needed_on_the_first_member_only():
    survey, tables, places = world()
    others = np.flatnonzero(survey.records["hid"].duplicated())
    _, findings = examine(put(survey, "tenure", others, None), tables, places, constraints=NAMES)
    assert not found(findings, "lost-household")
    assert not found(findings, "uneven-household")
    first = np.flatnonzero(~survey.records["hid"].duplicated())[:2]
    lost = only(examine(put(survey, "tenure", first, None), tables, places, constraints=NAMES)[1], "lost-household")
    assert (lost.count, "no value of tenure: 2" in lost.message) == (2, True)


def test_a_held_out_table_takes_nobody_out():
    survey, tables, places = world()
    spoilt = put(survey, "sex", [0], None)
    aligned = harmonise(spoilt, tables, places, constraints=["household_size", "age"], held_out=["sex", "tenure"])
    assert len(aligned.records) == len(survey.records)
    held = {t.name: t for t in aligned.held_out}
    assert held["sex"].record_cell[0] == -1
    assert (held["tenure"].record_cell >= 0).sum() == 120


def test_records_of_no_household_are_left_out_and_said():
    survey, tables, places = world()
    aligned, findings = examine(put(survey, "hid", [0, 7], None), tables, places, constraints=NAMES)
    told = only(findings, "unmatched-household")
    assert (told.count, told.level) == (2, "warning")
    assert set(told.rows["record"]).isdisjoint(aligned.records)


@pytest.mark.parametrize("how", ["described", "a column of numbers"])
def test_a_member_without_id_takes_the_household_out_where_its_size_is_said(how):
    survey, tables, places = world()
    members = survey.records.groupby("hid")["sex"].transform("size")
    column = np.minimum(members, 4).astype(str).replace("4", "4+") if how == "described" else members
    survey = changed(survey, **{"household_size" if how == "described" else "hhn": column, "rooms": members % 3 + 1})
    if how == "described":
        survey = replace(survey, variables={**survey.variables, "household_size": SIZE})
    home = survey.records["hid"] == "H0002"  # of three
    spoilt = put(survey, "hid", [int(np.flatnonzero(home)[-1])], None)
    aligned, findings = examine(spoilt, tables, places, constraints=NAMES)
    assert "H0002" not in aligned.households.ids
    assert len(aligned.households.ids) == 119
    assert set(survey.records.index[home]).isdisjoint(aligned.records)
    lost = only(findings, "lost-household")
    assert lost.message.endswith("1 of 120 households (2 people) was left out, some member having no id: 1.")
    named = "household_size" if how == "described" else "hhn"
    assert f"1 household has fewer members than '{named}' says" in only(findings, "unmatched-household").message
    assert not found(findings, "incomplete-household")


def test_without_a_size_the_members_left_are_said_to_be_perhaps_too_few():
    survey, tables, places = world()
    home = survey.records["hid"] == "H0002"
    odd = changed(survey, rooms=np.arange(len(survey.records)), size=np.where(home, 2.5, 3.0))
    aligned, findings = examine(put(odd, "hid", [int(np.flatnonzero(home)[-1])], None), tables, places, constraints=NAMES)
    assert "H0002" in aligned.households.ids
    assert "nothing says how many people live in a household" in only(findings, "unmatched-household").message
    assert not found(findings, "lost-household")


def test_a_member_of_weight_nought_takes_the_household_out():
    survey, tables, places = world()
    home = survey.records["hid"] == "H0004"
    spoilt = put(survey, "weight", [int(np.flatnonzero(home)[-1])], 0.0)
    spoilt = changed(spoilt, weight=spoilt.records["weight"].astype(float))
    aligned, findings = examine(spoilt, tables, places, constraints=NAMES)
    assert "H0004" not in aligned.households.ids
    assert "no weight: 1" in only(findings, "lost-household").message
    assert not found(findings, "uneven-household"), "said already"


# weights and values that differ


def test_weights_that_differ_are_averaged_and_said():
    survey, tables, places = world()
    home = np.flatnonzero(survey.records["hid"] == "H0004")
    spoilt = survey.records["weight"].copy()
    spoilt.iloc[home] = np.arange(1.0, len(home) + 1)
    aligned, findings = examine(changed(survey, weight=spoilt), tables, places, constraints=NAMES)
    told = only(findings, "uneven-household")
    assert (told.count, told.place) == (1, "survey: weight")
    where = list(aligned.households.ids).index("H0004")
    assert aligned.households.weight[where] == pytest.approx(spoilt.iloc[home].mean())
    assert np.unique(aligned.weight[aligned.households.of_record == where]).size == 1
    rounded = survey.records["weight"] * (1 + 1e-6 * (np.arange(len(survey.records)) % 2))
    assert not found(examine(changed(survey, weight=rounded), tables, places, constraints=NAMES)[1], "uneven-household")


@pytest.mark.parametrize(("value", "code"), [(None, "missing-weight"), (-2.0, "negative-weight")])
def test_a_member_without_a_weight_takes_the_household_out_and_nobody_else(value, code):
    survey, tables, places = world()
    row = int(np.flatnonzero(survey.records["hid"] == "H0004")[-1])
    aligned, findings = examine(put(survey, "weight", [row], value), tables, places, constraints=NAMES)
    assert only(findings, code).level == "warning"
    assert "H0004" not in aligned.households.ids
    assert len(aligned.households.ids) == survey.records["hid"].nunique() - 1
    aligned, findings = examine(changed(survey, weight=value), tables, places, constraints=NAMES)
    assert aligned is None
    assert only(findings, code).level == "error", "nobody is left"


def test_the_households_own_weight_comes_before_its_members():
    survey, tables, places = world()
    own = survey.records["hid"].str[1:].astype(float) + 1
    spoilt = changed(survey, hweight=own.where(~survey.records["hid"].duplicated()), weight=0.0)
    aligned, findings = examine(replace(spoilt, household_weight="hweight"), tables, places, constraints=NAMES)
    assert aligned.households.weight.tolist() == own[~survey.records["hid"].duplicated()].tolist()
    assert not found(findings, "zero-weight"), "weights of persons are not used"
    twice = changed(
        survey, hweight=np.where(np.arange(len(own)) == np.flatnonzero(survey.records["hid"] == "H0004")[1], 99.0, own)
    )
    told = only(examine(replace(twice, household_weight="hweight"), tables, places, constraints=NAMES)[1], "uneven-household")
    assert "the first member's was used" in told.message
    none = replace(put(spoilt, "hweight", [0], None), household_weight="hweight")
    aligned, findings = examine(none, tables, places, constraints=NAMES)
    told = only(findings, "missing-weight")
    assert (told.level, told.message) == (
        "warning", "1 household of survey has no design weight that is a number (first: that of record p00000).",
    )  # fmt: skip
    assert "H0000" not in aligned.households.ids
    assert "no weight: 1" in only(findings, "lost-household").message
    absent = replace(survey, household_weight="hwieght")
    assert only(examine(absent, tables, places, constraints=NAMES)[1], "missing-column").level == "error"


def test_values_that_differ_within_a_household_are_said_and_the_first_counts():
    survey, tables, places = world()
    home = np.flatnonzero(survey.records["hid"] == "H0004")
    mine = survey.records["tenure"].iloc[home[0]]
    spoilt = put(survey, "tenure", [home[1]], 3 - mine)
    aligned, findings = examine(spoilt, tables, places, constraints=NAMES)
    told = only(findings, "uneven-household")
    assert (told.count, told.rows["household"].tolist()) == (1, ["H0004"])
    assert aligned.constraints[1].record_cell[home[0]] == mine - 1


# communal establishments


def with_communal(survey, n=4):
    """The same survey with people in care homes, of two institutions."""
    old = survey.records.iloc[:n].assign(age="65", work=2, tenure=None, hid=[f"C{i // 2}" for i in range(n)], weight=1.0)
    old.index = pd.Index([f"c{i}" for i in range(n)], name="person")
    records = pd.concat([survey.records.assign(home=None), old.assign(home="care home")])
    return replace(survey, records=records, communal="home")


def test_residents_of_communal_establishments_are_units_of_one():
    survey, tables, places = world()
    aligned, findings = examine(with_communal(survey), tables, places, constraints=NAMES)
    assert not [f for f in findings if f.level != "note"]
    homes = aligned.households
    assert homes.communal.sum() == 4
    assert (homes.size[homes.communal] == 1).all()
    assert homes.ids[homes.communal].tolist() == [f"communal c{i}" for i in range(4)]
    record = homes.member[homes.member_start[:-1][homes.communal]]
    for c in aligned.constraints:
        counted = c.record_cell[record] >= 0
        assert counted.all() == (c.universe.unit == "person")
        assert counted.any() == counted.all()
    assert aligned.survey.records.loc["c0", "residence_type"] == "communal establishment"
    assert aligned.survey.records["household_size"].isna().sum() == 4
    assert formulate(aligned).communal.sum() >= 1


def test_people_in_households_are_another_universe():
    survey, tables, places = world()
    tables["sex"] = replace(tables["sex"], universe=IN_HOMES)
    tables["age"] = replace(tables["age"], counts=tables["age"].counts.add([0, 0, 0, 0, 20]))
    tables["work"] = replace(tables["work"], counts=tables["work"].counts.add([0, 20]))
    aligned, findings = examine(with_communal(survey), tables, places, constraints=NAMES)
    assert not [f for f in findings if f.level != "note"], [str(f) for f in findings]
    totals = {c.name: c.targets.sum(axis=1) for c in aligned.constraints}
    assert (totals["age"] - totals["sex"] == 20).all()
    sex = next(c for c in aligned.constraints if c.name == "sex")
    assert (sex.record_cell[-4:] == -1).all()


def test_ids_of_communal_residents_are_nobody_elses():
    survey, tables, places = world()
    spoilt = with_communal(survey)
    spoilt = put(spoilt, "hid", np.flatnonzero(spoilt.records["hid"] == "H0000"), "communal c0")
    aligned = harmonise(spoilt, tables, places, constraints=NAMES)
    assert aligned.households.ids.is_unique
    assert {"communal c0", "communal c0'"} <= set(aligned.households.ids)


@pytest.mark.parametrize("mark", [True, 1, "yes", "prison"])
def test_whoever_is_marked_is_communal(mark):
    survey, tables, places = world()
    blank = False if mark is True else 0 if mark == 1 else "no"
    spoilt = with_communal(survey)
    spoilt = changed(spoilt, home=[mark if h == "care home" else blank for h in spoilt.records["home"]])
    assert harmonise(spoilt, tables, places, constraints=NAMES).households.communal.sum() == 4


def test_a_mark_on_everybody_is_no_mark():
    survey, tables, places = world()
    coded = changed(with_communal(survey), home=2)  # 1 = yes, 2 = no
    aligned, findings = examine(coded, tables, places, constraints=NAMES)
    assert aligned is None
    (told,) = [f for f in findings if f.code == "study-value"]
    assert "marks everybody" in told.message
    assert "'2'" in told.message


def test_a_problem_tells_households_and_communal_residents_apart():
    survey, tables, places = world()
    problem = formulate(harmonise(with_communal(survey), tables, places, constraints=NAMES))
    alone = len(problem.donor) - survey.records["hid"].nunique()
    assert repr(problem).endswith(f"{survey.records['hid'].nunique():,} households and 4 residents of communal establishments")
    assert alone == 4
    counted = {n: problem.counts_households(n) for n in problem.cells.get_level_values(0).unique()}
    assert counted == {t.name: t.universe.unit == "household" for t in problem.aligned.constraints}


def test_people_whom_no_household_can_stand_for_are_counted_by_zone():
    survey, tables, places = world()
    tables["residence"] = residence(places.codes, [0, 7, 0, 30, 0, 0])
    told = only(examine(survey, tables, places, constraints=NAMES)[1], "narrow-universe")
    assert (told.level, told.count) == ("warning", 2)
    assert "37 people in communal establishments in 2 zones (most 30, E01000004)" in told.message
    assert told.rows["people"].tolist() == [7, 30]
    assert not found(examine(with_communal(survey), tables, places, constraints=NAMES)[1], "narrow-universe")
    in_homes = {**tables, **{n: replace(tables[n], universe=IN_HOMES) for n in ("age", "sex")}}
    assert not found(examine(survey, in_homes, places, constraints=["tenure", "age", "sex"])[1], "narrow-universe")


def test_two_tables_tell_the_people_in_communal_establishments():
    survey, tables, places = world()
    tables["sex"] = replace(tables["sex"], universe=IN_HOMES)
    tables["age"] = replace(tables["age"], counts=tables["age"].counts + np.array([[0, 0, 0, 0, 9]] * 6))
    findings = examine(survey, tables, places, constraints=["household_size", "age"], held_out=["sex"])[1]
    told = only(findings, "narrow-universe")
    assert told.rows["people"].tolist() == [9.0] * 6
    assert "age less sex" in told.message


# people and households


def test_people_who_cannot_live_in_the_households_are_said():
    survey, tables, places = world()
    assert not found(examine(survey, tables, places, constraints=NAMES)[1], "people-mismatch")
    people = {n: replace(tables[n], counts=tables[n].counts.copy()) for n in ("age", "sex")}
    sizes = tables["household_size"].counts.to_numpy()
    most = (sizes * [1, 2, 3, 5]).sum(axis=1)
    for name in people:
        people[name].counts.iloc[2, 1] += most[2] - people[name].counts.iloc[2].sum() + 11
    told = only(examine(survey, {**tables, **people}, places, constraints=["household_size", "age", "sex"])[1], "people-mismatch")
    (row,) = told.rows.to_dict("records")
    assert (row["zone"], row["table"], row["most"], row["gap"]) == ("E01000003", "household_size", most[2], 11)
    assert "communal establishments: use tables of residents in households" in told.remedy
    noisy = {n: replace(t, standard_error=0.5) for n, t in people.items()}
    told = only(examine(survey, {**tables, **noisy}, places, constraints=["household_size", "age", "sex"])[1], "people-mismatch")
    assert "the publisher's noise" in told.remedy
    communal = examine(with_communal(survey), {**tables, **people}, places, constraints=["household_size", "age", "sex"])[1]
    assert not found(communal, "people-mismatch"), "residents of communal establishments may be any number"


def test_too_few_people_for_the_households_is_said_of_adults_too():
    survey, tables, places = world()
    tables["work"].counts.iloc[1] = [3, 4]
    told = only(examine(survey, tables, places, constraints=["household_size", "tenure", "work"])[1], "people-mismatch")
    (row,) = told.rows.to_dict("records")
    assert (row["people"], row["fewest"]) == (7, 60)  # somebody aged 16 or over in each household
    assert "7 are counted" in told.message


# settling


def test_households_are_settled_among_themselves():
    survey, tables, places = world()
    tables["tenure"] = replace(tables["tenure"], counts=tables["tenure"].counts.add([2, 0]), standard_error=1.0)
    tables["sex"] = replace(tables["sex"], counts=tables["sex"].counts.add([0, 4]), standard_error=1.0)
    aligned, findings = examine(survey, tables, places, constraints=NAMES)
    assert {f.place for f in found(findings, "total-mismatch")} == {"household_size, tenure", "age, sex", "work"}
    totals = {c.name: c.targets.sum(axis=1).to_numpy() for c in aligned.constraints}
    assert np.array_equal(totals["household_size"], totals["tenure"])
    assert np.array_equal(totals["age"], totals["sex"])
    assert np.array_equal(totals["household_size"], np.full(6, 61))
    assert "people and households" in only(findings, "perturbed").message
    trusted = harmonise(survey, tables, places, constraints=NAMES, total_from="household_size")
    assert np.array_equal(trusted.constraints[0].targets, tables["household_size"].counts)
    assert np.array_equal(trusted.constraints[1].targets.sum(axis=1), np.full(6, 60))


def test_person_totals_are_drawn_as_without_households():
    survey, tables, places = world()
    tables["sex"] = replace(tables["sex"], counts=tables["sex"].counts.add([0, 1]))
    persons = ["age", "sex"]
    alone = harmonise(replace(survey, household=None), tables, places, constraints=persons, seed=4)
    together = harmonise(survey, tables, places, constraints=[*persons, "tenure"], seed=4)
    for a, b in zip(alone.constraints, together.constraints, strict=False):
        assert np.array_equal(a.targets, b.targets)


# donors


def test_a_household_cell_without_a_household_is_an_error():
    survey, tables, places = world()
    few = replace(survey, records=survey.records[survey.records.groupby("hid")["sex"].transform("size") < 4])
    told = only(examine(few, tables, places, constraints=NAMES)[1], "empty-cell")
    assert told.level == "error"
    assert "target households" in told.message
    assert "no household anywhere" in told.message


def test_a_cell_is_excluded_where_all_its_households_have_somebody_who_is_not_wanted():
    survey, tables, places = world()
    record = survey.records
    child = (record["age"] == "0").groupby(record["hid"]).transform("any")
    owned = changed(survey, tenure=np.where(child, 1, record["tenure"]))  # all children live in owned homes
    tables["tenure"].counts.iloc[3] = [0, 60]
    findings = examine(owned, tables, places, constraints=["tenure", "age"])[1]
    told = next(f for f in found(findings, "empty-cell") if f.place == "age")
    assert told.level == "warning"
    assert (told.rows["zone"].unique().tolist(), "0-15" in told.rows["cell"].tolist()) == (["E01000004"], True)


def test_a_person_cell_is_filled_by_any_household_with_such_a_member():
    survey, tables, places = world()
    tables["age"].counts.iloc[3] = [90, 60, 30, 0, 0]  # no record of a child has a cell of nought, but its parents may
    records = survey.records
    findings = examine(survey, tables, places, constraints=["age"])[1]
    assert not found(findings, "empty-cell")
    old = (records["age"] == "0").groupby(records["hid"]).transform("any") & (records["age"] != "0")
    aged = changed(survey, age=np.where(old, "65", records["age"]))
    told = only(examine(aged, tables, places, constraints=["age"])[1], "empty-cell")
    assert told.rows["cell"].tolist() == ["0-15"]


def test_a_clash_among_persons_is_one_among_households():
    survey, tables, places = world()
    records = survey.records
    women = changed(survey, sex=np.where(records["age"] == "65", 2, records["sex"]))
    tables["age"].counts.iloc[0] = [10, 10, 10, 10, 100]
    tables["sex"].counts.iloc[0] = [120, 20]
    told = only(examine(women, tables, places, constraints=["tenure", "age", "sex"])[1], "structural-clash")
    assert told.place == "age and sex"


def test_few_households_are_thin_donors_in_words_of_households():
    survey, tables, places = world(n_zones=2)
    records = survey.records
    rare = changed(survey, tenure=np.where(records["hid"] == "H0007", 2, 1))
    tables["tenure"] = table("tenure", TENURE, [[30, 30], [30, 30]], places.codes, universe=HOMES)
    told = only(examine(rare, tables, places, constraints=["tenure", "age"])[1], "thin-donors")
    assert "30 households in E01000001 from 1 effective records (30 households each)" in told.message


def test_nobody_left_is_said():
    survey, tables, places = world()
    gone = changed(survey, hid=None)
    aligned, findings = examine(gone, tables, places, constraints=NAMES)
    assert aligned is None
    assert {"unmatched-household", "few-records"} <= {f.code for f in findings}
    _, findings = examine(replace(survey, household="hdi"), tables, places, constraints=NAMES)
    assert next(f.code for f in findings if f.level == "error") == "missing-column"
    assert "Did you mean 'hid'?" in str(found(findings, "missing-column")[0])


def test_strata_count_households_not_members():
    survey, tables, places = world()
    records = survey.records
    stratum = np.where(records["hid"] == "H0004", "alone", "rest")
    told = only(examine(replace(changed(survey, st=stratum), strata="st"), tables, places, constraints=NAMES)[1], "lone-cluster")
    assert "only one household" in told.message


# laws


@given(st.integers(0, 10_000), st.floats(0, 0.2), st.integers(0, 3))
@settings(max_examples=25)
def test_whatever_is_missing_nobody_is_split(seed, share, noise):
    survey, tables, places = world(n_zones=3)
    rng = np.random.default_rng(seed)
    records = survey.records.astype({"sex": object, "tenure": object, "hid": object})
    for column in ("sex", "tenure", "hid"):
        records.loc[rng.random(len(records)) < share, column] = None
    records["weight"] = records["weight"] * (rng.random(len(records)) > share / 4)
    noisy = {
        n: replace(t, counts=(t.counts + rng.integers(-noise, noise + 1, t.counts.shape)).clip(lower=0))
        for n, t in tables.items()
    }
    aligned, findings = examine(replace(survey, records=records), noisy, places, constraints=NAMES, seed=seed)
    if aligned is None:
        assert any(f.level == "error" for f in findings)
        return
    homes = aligned.households
    whole = records[records["hid"].notna()].groupby("hid").groups
    assert all(set(people) == set(whole[home]) for home, people in homes_of(aligned).items())
    assert sorted(homes.member) == list(range(len(aligned.records)))
    assert (homes.weight > 0).all()
    assert np.array_equal(aligned.weight, homes.weight[homes.of_record])
    reference = np.zeros(len(aligned.records), bool)
    reference[homes.reference] = True
    for c in aligned.constraints:
        if c.universe.unit == "household":
            assert np.array_equal(c.record_cell >= 0, reference)
    lost = found(findings, "lost-household")
    assert len(whole) - len(homes.ids) == (lost[0].count if lost else 0)
    for unit in ("household", "person"):
        tops = [c.targets.sum(axis=1) for c in aligned.constraints if c.universe.unit == unit and c.name != "work"]
        assert all(np.array_equal(tops[0], t) for t in tops)
