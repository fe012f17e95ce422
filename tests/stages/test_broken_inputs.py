"""Every kind of broken input is found: its code, where, how many; and all of them at once, whatever else is wrong."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.codebook import Category, Universe, Variable, age_atoms
from synthpop_gb.errors import CODES, InputError
from synthpop_gb.geography import Geography
from synthpop_gb.harmonisation import Recode, examine, harmonise
from tests.stages.nouns import ADULTS, HEALTH, SEX, ages, table, variable, world, zone_codes

NAMES = ("age", "sex", "health")
BROKEN = {}


def broken(code, place, count=1, level="error"):
    """Register a fault: a function that spoils (survey, tables, geography, arguments) and what must be found."""

    def register(spoil):
        BROKEN[spoil.__name__] = (spoil, code, place, count, level)
        return spoil

    return register


class Case:
    """One set of inputs to be spoilt."""

    def __init__(self, **kwargs):
        self.survey, self.tables, self.geography = world(**kwargs)
        self.arguments = {"constraints": list(NAMES)}
        self.also = set()

    def spoil_table(self, name, **changes):
        self.tables[name] = replace(self.tables[name], **changes)

    def spoil_records(self, **columns):
        self.survey = replace(self.survey, records=self.survey.records.assign(**columns))

    def counts(self, name):
        return self.tables[name].counts

    def examine(self):
        return examine(self.survey, self.tables, self.geography, **self.arguments)


# names in the study


@broken("study-reference", "constraints")
def unknown_constraint(case):
    case.arguments["constraints"] += ["helth"]
    return "Did you mean 'health'?"


@broken("study-reference", "held_out")
def held_out_is_also_fitted(case):
    case.arguments["held_out"] = ["age"]
    return "listed twice"


@broken("study-reference", "constraints")
def two_tables_answer_to_one_name(case):
    case.tables["more_health"] = replace(case.tables["health"], name="more_health")
    case.tables["other_health"] = replace(case.tables.pop("health"), name="other_health")
    return "name one of more_health, other_health"


@broken("study-missing", "constraints")
def no_constraints(case):
    case.arguments["constraints"] = []
    return "nothing to fit"


@broken("study-reference", "recode.health")
def recode_of_an_unknown_label(case):
    case.arguments["recodes"] = {"health": Recode(merge=[["bad", "vary bad"]])}
    return "'vary bad'"


@broken("study-reference", "recode.helth")
def recode_of_an_unknown_variable(case):
    case.arguments["recodes"] = {"helth": Recode(merge=[["bad", "fair"]])}
    return "Did you mean 'health'?"


# zones


@broken("no-zones", "zones.parent")
def parent_that_is_not_there(case):
    case.arguments["parent"] = ("lad", "Nrthby")
    return "Did you mean 'Northby'?"


@broken("study-reference", "zones.parent")
def level_that_is_not_there(case):
    case.arguments["parent"] = ("lads", "Northby")
    return "Did you mean 'lad'?"


@broken("unknown-zone", "zones", 2)
def zones_that_the_lookup_does_not_know(case):
    case.arguments["zones"] = [*case.geography.codes[:3], "E01999999", "E01000O04"]
    return "E01999999"


@broken("duplicate-zone", "zones", 1, "warning")
def zone_asked_for_twice(case):
    case.arguments["zones"] = [*case.geography.codes[:3], case.geography.codes[0]]
    return "E01000001"


@broken("duplicate-zone", "zones")
def lookup_with_a_zone_twice(case):
    case.geography = Geography(pd.concat([case.geography.zones, case.geography.zones.iloc[[3]]]))
    return "E01000004"


@broken("duplicate-zone", "health", 2)
def table_with_zones_twice(case):
    counts = case.counts("health")
    case.spoil_table("health", counts=pd.concat([counts, counts.iloc[[2, 5]]]))
    return "E01000003, E01000006"


@broken("missing-zone", "health", 3)
def table_without_some_zones(case):
    case.spoil_table("health", counts=case.counts("health").drop(index=case.geography.codes[[1, 4, 9]]))
    return "3 of 12"


@broken("missing-zone", "health", 12)
def table_of_another_level(case):
    counts = case.counts("health")
    case.spoil_table("health", counts=counts.set_axis(zone_codes(12, "E02")))
    return "another kind"


@broken("zone-vintage", "health", 2)
def table_of_2021_zones_for_2011_zones(case):
    codes = list(case.geography.codes)
    codes[3], codes[7] = "E01033800", "E01034000"
    case.spoil_table("health", counts=case.counts("health").set_axis(codes))
    return "2021 codes"


@broken("zone-vintage", "health", 2)
def table_of_2011_zones_for_2021_zones(case):
    codes = list(case.geography.codes)
    codes[3], codes[7] = "E01033800", "E01034000"
    case.geography = Geography(case.geography.zones.set_axis(codes))
    for name in ("age", "sex", "age_by_sex"):
        case.spoil_table(name, counts=case.counts(name).set_axis(codes))
    return "older codes"


@broken("zone-vintage", "health", 12)
def scottish_data_zones_of_another_census(case):
    ours, theirs = ([f"S01{n:06d}" for n in range(first, first + 12)] for first in (6506, 13482))
    case.geography = Geography(case.geography.zones.set_axis(ours))
    for name in ("age", "sex", "age_by_sex"):
        case.spoil_table(name, counts=case.counts(name).set_axis(ours))
    case.spoil_table("health", counts=case.counts("health").set_axis(theirs))
    return "12 of 12"


@broken("unknown-zone", "health", 2, "note")
def table_of_a_larger_area(case):
    counts = case.counts("health")
    case.spoil_table("health", counts=pd.concat([counts, counts.iloc[:2].set_axis(["E01030001", "E01030002"])]))
    return "E01030001"


@broken("truncated-file", "health")
def table_cut_at_the_limit_of_the_api(case):
    for name in ("age", "sex"):
        counts = case.counts(name)
        case.spoil_table(name, counts=pd.concat([counts, counts.iloc[[0]].set_axis(["E01026000"])]))
    case.spoil_table("health", counts=case.counts("health").reindex(zone_codes(25_000), fill_value=5))
    case.arguments["zones"] = [*case.geography.codes, "E01026000"]
    case.geography = Geography(pd.DataFrame(index=pd.Index(zone_codes(26_000), name="zone")))
    case.also = {"missing-zone"}
    return "25,000 rows"


# counts


@broken("not-a-number", "health", 2)
def counts_that_are_no_numbers(case):
    counts = case.counts("health").astype(object)
    counts.iloc[1, 0], counts.iloc[4, 2] = "c", "*"
    case.spoil_table("health", counts=counts)
    return "'c' in E01000002"


@broken("missing-count", "health", 2)
def blank_counts(case):
    counts = case.counts("health").astype(float)
    counts.iloc[1, 0] = counts.iloc[4, 2] = np.nan
    case.spoil_table("health", counts=counts)
    return "good in E01000002"


@broken("negative-count", "health", 1)
def negative_counts(case):
    case.counts("health").iloc[1, 0] = -3
    return "-3 in E01000002"


@broken("fractional-count", "health", 1, "warning")
def fractional_counts(case):
    counts = case.counts("health").astype(float)
    counts.iloc[1, 0] += 0.5
    case.spoil_table("health", counts=counts)
    return "E01000002"


@broken("nested-subtotal", "health", 1, "warning")
def subtotal_beside_its_parts(case):
    whole = variable("health", "good", "fair", "bad", "not good")
    counts = case.counts("health").to_numpy()
    case.tables["health"] = table("health", whole, np.column_stack([counts, counts[:, 1:].sum(axis=1)]), case.geography.codes)
    return "'not good' is the sum of 'fair', 'bad'"


@broken("nested-subtotal", "health", 1, "note")
def total_beside_its_parts(case):
    parts = [c.atoms for c in HEALTH.categories]
    whole = Variable("health", (Category("0", "all", frozenset().union(*parts)), *HEALTH.categories))
    counts = case.counts("health").to_numpy()
    case.tables["health"] = table("health", whole, np.column_stack([counts.sum(axis=1), counts]), case.geography.codes)
    return "'all' is the sum of"


@broken("incomplete-cells", "health", 12, "warning")
def cells_that_leave_somebody_out(case):
    case.spoil_table("health", total=case.counts("health").sum(axis=1) + 7)
    return "84 too few in all"


@broken("empty-zone", "zones", 2, "warning")
def zones_without_people(case):
    for name in NAMES:
        case.counts(name).iloc[[2, 3]] = 0
    return "E01000003, E01000004"


@broken("total-mismatch", "age, sex, health", 2, "warning")
def totals_that_differ(case):
    case.counts("health").iloc[2, 0] += 4
    case.counts("health").iloc[5, 1] -= 9
    return "2 of 12 zones (largest gap 9, E01000006)"


@broken("total-mismatch", "age, sex, health", 12)
def totals_that_cannot_be_of_the_same_people(case):
    case.spoil_table("health", counts=case.counts("health") * 2)
    return "12 of 12 zones"


@broken("unmapped-code", "health")
def table_with_a_category_nobody_describes(case):
    counts = case.counts("health")
    case.spoil_table("health", counts=counts.set_axis(pd.MultiIndex.from_arrays([["1", "2", "7"]], names=["health"]), axis=1))
    return "health: 7"


# survey


@broken("unknown-variable", "survey")
def variable_that_the_survey_does_not_describe(case):
    del (variables := dict(case.survey.variables))["health"]
    case.survey = replace(case.survey, variables=variables)
    return "'health'"


@broken("missing-column", "survey: Health")
def column_that_is_not_there(case):
    case.survey = replace(case.survey, variables={**case.survey.variables, "health": HEALTH.with_column("Health")})
    return "Did you mean 'health'?"


@broken("unmapped-code", "survey: health", 5)
def codes_that_the_codebook_does_not_have(case):
    case.spoil_records(health=[-9] * 4 + [6] + list(case.survey.records.health[5:]))
    return "-9, 6"


@broken("missing-value", "survey: health", 4, "warning")
def records_without_a_value(case):
    case.spoil_records(health=[np.nan] * 4 + list(case.survey.records.health[4:]))
    return "4 records have no value of health"


@broken("missing-weight", "survey: weight", 3)
def records_without_a_weight(case):
    case.spoil_records(weight=[None, "x", np.inf, *case.survey.records.weight[3:]])
    return "first: p00000"


@broken("negative-weight", "survey: weight", 2)
def records_of_negative_weight(case):
    case.spoil_records(weight=[-1, -2, *case.survey.records.weight[2:]])
    return "first: p00000"


@broken("zero-weight", "survey: weight", 2, "warning")
def records_of_weight_zero(case):
    case.spoil_records(weight=[0, 0, *case.survey.records.weight[2:]])
    return "the design weight nought"


@broken("no-weight", "survey", 1, "note")
def survey_without_weights(case):
    case.survey = replace(case.survey, weight=None)
    return "counts as one"


@broken("lone-cluster", "survey: stratum", 2, "warning")
def strata_of_one_cluster(case):
    rest = case.survey.records.index[3:]
    case.spoil_records(stratum=["a", "b", "b", *"c" * len(rest)], psu=[1, 2, 2, *rest])
    case.survey = replace(case.survey, strata="stratum", cluster="psu")
    return "2 strata have only one cluster that can be used: a, b"


@broken("missing-column", "survey: strata")
def column_of_the_design_that_is_not_there(case):
    case.survey = replace(case.survey, strata="strata")
    return "has no column 'strata' of the design"


@broken("missing-column", "survey")
def weight_column_that_is_not_there(case):
    case.survey = replace(case.survey, weight="wieght")
    return "Did you mean 'weight'?"


@broken("duplicate-record", "survey", 1)
def records_of_one_id(case):
    index = case.survey.records.index
    case.survey = replace(case.survey, records=case.survey.records.set_axis([*index[:-1], index[0]]))
    return "p00000"


@broken("vintage-mismatch", "survey", 3, "warning")
def survey_of_another_year(case):
    case.survey = replace(case.survey, year=2011)
    return "survey describes 2011, age, sex, health 2021"


@broken("vintage-mismatch", "constraints", 2, "warning")
def tables_of_different_years(case):
    case.spoil_table("health", year=2011)
    return "2011: health; 2021: age, sex"


@broken("missing-zone", "health", 1)
def zone_with_a_code_of_its_own(case):
    codes = ["Z" + c for c in case.geography.codes]
    case.geography = Geography(case.geography.zones.set_axis(codes))
    for name in ("age", "sex"):
        case.spoil_table(name, counts=case.counts(name).set_axis(codes))
    case.spoil_table("health", counts=case.counts("health").set_axis([*codes[:-1], "ZE01000013"]))
    return "1 of 12 zones"


@broken("few-records", "survey", 60, "warning")
def small_survey(case):
    case.survey = replace(case.survey, records=case.survey.records.iloc[:60])
    return "60 records"


# universes and categories


@broken("universe-unknown", "health")
def table_of_nobody_knows_whom(case):
    case.spoil_table("health", universe=None)
    return "whom health counts"


@broken("mixed-universe", "health")
def table_of_households(case):
    case.spoil_table("health", universe=Universe("households", "household"))
    return "health counts households"


@broken("narrow-universe", "health")
def survey_of_adults_for_a_table_of_everybody(case):
    case.survey = replace(case.survey, records=case.survey.records[case.survey.records.age != "0"], universe=ADULTS)
    case.spoil_table("sex", universe=ADULTS, counts=case.counts("sex") // 2)
    case.spoil_table("age", counts=case.counts("age"))
    case.arguments["total_from"] = "age"
    return "RM043 (ethnic group x health x age)"


@broken("universe-split", "health", 1)
def survey_category_across_the_universe(case):
    case.spoil_table("health", universe=Universe("people aged 18 and over", members={"age": age_atoms(18)}))
    case.arguments["constraints"] = ["age", "health"]
    youths = case.survey.records.index[case.survey.records.age == "16"]
    case.survey = replace(case.survey, records=case.survey.records.drop(index=youths[1:]))
    return "'16-24'"


@broken("one-category", "age")
def survey_and_table_that_share_nothing(case):
    survey_ages = ages(0, 30, name="age")
    case.survey = replace(
        case.survey,
        records=case.survey.records.assign(age=np.where(case.survey.records.age.astype(int) > 20, "30", "0")),
        variables={**case.survey.variables, "age": survey_ages},
    )
    middle = Variable("age", (Category("1", "20-39", age_atoms(20, 39)), Category("2", "rest", age_atoms(0, 19) | age_atoms(40))))
    case.tables["age"] = table("age", middle, np.full((12, 2), 150), case.geography.codes)
    return "only one category (0+)"


@broken("coarse-join", "age: age", 2, "warning")
def survey_and_table_that_share_little(case):
    other = ages(0, 20, 45, 70)
    counts = case.counts("age").to_numpy()
    case.tables["age"] = table(
        "age", other, np.column_stack([counts[:, 0], counts[:, 1:3].sum(1), counts[:, 3:]]), case.geography.codes
    )
    return "they share only 2: 0-44, 45+"


# survey against tables


@broken("empty-cell", "health", 12)
def people_that_no_record_can_stand_for(case):
    case.survey = replace(case.survey, records=case.survey.records[case.survey.records.health != 3])
    return "no microdata record anywhere"


@broken("empty-cell", "health", 1, "warning")
def people_whose_every_record_is_excluded_in_their_zone(case):
    records = case.survey.records
    case.survey = replace(case.survey, records=records[(records.health != 3) | (records.age == "65")])
    counts = case.counts("age")
    counts.iloc[4, 3] += counts.iloc[4, 4]
    counts.iloc[4, 4] = 0
    return "target persons in E01000005"


@broken("thin-donors", "health", 1, "warning")
def people_who_are_copies_of_very_few_records(case):
    records = case.survey.records
    keep = (records.health != 3) | (np.arange(len(records)) == np.flatnonzero(records.health == 3)[0])
    case.survey = replace(case.survey, records=records[keep])
    return "from 1 effective records"


@broken("structural-clash", "age and health", 1, "warning")
def two_tables_that_ask_for_what_no_record_has(case):
    records = case.survey.records
    case.survey = replace(case.survey, records=records[(records.health != 3) | (records.age == "65")])
    health, counts = case.counts("health"), case.counts("age")
    health.iloc[:, 0] += health.iloc[:, 2] - 5
    health.iloc[:, 2] = 5
    counts.iloc[4, 3] += counts.iloc[4, 4] - 1
    counts.iloc[4, 4] = 1
    return "worst in E01000005: health bad is wanted by 5 people, but all its records have age 65+ (1 people): 4 too many"


@broken("structural-clash", "age and sex and health", 1, "warning")
def three_tables_that_ask_for_what_no_record_has(case):
    records = case.survey.records
    case.survey = replace(case.survey, records=records[(records.health != 3) | (records.age == "65") | (records.sex == 2)])
    case.counts("age").iloc[4] = [100, 90, 50, 50, 10]
    case.counts("sex").iloc[4] = [280, 20]
    case.counts("health").iloc[4] = [100, 100, 100]
    return "all its records have age 65+ (10 people) or sex female (20 people): 70 too many"


@pytest.mark.parametrize("name", BROKEN)
def test_the_fault_is_found(name):
    spoil, code, place, count, level = BROKEN[name]
    case = Case()
    words = spoil(case)
    aligned, findings = case.examine()
    found = [f for f in findings if (f.code, f.place, f.level) == (code, place, level)]
    assert len(found) == 1, [(f.code, f.place, f.level, f.count, f.message) for f in findings]
    assert found[0].count == count, found[0].message
    assert words in str(found[0]), str(found[0])
    assert found[0].why
    assert found[0].remedy
    if level == "error":
        assert aligned is None
        with pytest.raises(InputError) as caught:
            harmonise(case.survey, case.tables, case.geography, **case.arguments)
        assert [str(f) for f in caught.value.findings] == [str(f) for f in findings]
    else:
        assert aligned is not None, [str(f) for f in findings if f.level == "error"]
    assert {f.code for f in findings if f.level == "error" and (f.code, f.place) != (code, place)} == case.also
    for f in findings:
        assert f.to_dict()["code"] in CODES


def test_there_are_many_kinds():
    assert len(BROKEN) >= 40


def test_sound_inputs_have_no_findings():
    assert Case().examine()[1] == ()


def test_everything_comes_at_once():
    case = Case()
    case.survey = replace(case.survey, year=2011, variables={**case.survey.variables, "health": HEALTH.with_column("health")})
    case.spoil_records(health=[8] * 3 + list(case.survey.records.health[3:]), weight=[-1, *case.survey.records.weight[1:]])
    case.survey = replace(case.survey, records=case.survey.records[case.survey.records.health != 3])  # nobody in bad health
    age = case.counts("age").astype(object)
    age.iloc[0, 0] = "c"
    case.spoil_table("age", counts=age)
    case.counts("sex").iloc[1, 0] = -1
    case.spoil_table("health", counts=pd.concat([case.counts("health").drop(index="E01000006"), case.counts("health").iloc[[8]]]))
    case.counts("health").iloc[2, 0] += 5
    case.spoil_table("age_by_sex", universe=Universe("households", "household"))
    case.tables["residents"] = table("residents", variable("residents", "all"), np.full((12, 1), 300), case.geography.codes)
    case.arguments.update(
        constraints=[*NAMES, "work", "residents"], held_out=["age x sex"], total_from="nothing",
        zones=[*case.geography.codes, "E01000000"],
        recodes={"aeg": Recode(bands=(0, 16)), "sex": Recode(map={"mail": "male"})},
    )  # fmt: skip
    aligned, findings = case.examine()
    assert aligned is None
    errors = sorted((f.code, f.place, f.count) for f in findings if f.level == "error")
    assert errors == sorted([
        ("study-reference", "constraints", 1), ("study-reference", "total_from", 1), ("study-reference", "recode.aeg", 1),
        ("study-reference", "recode.sex", 1), ("unknown-zone", "zones", 1), ("not-a-number", "age", 1),
        ("negative-count", "sex", 1),
        ("missing-zone", "health", 1), ("duplicate-zone", "health", 1), ("unmapped-code", "survey: health", 3),
        ("negative-weight", "survey: weight", 1), ("unknown-variable", "survey", 1), ("mixed-universe", "age_by_sex", 1),
        ("empty-cell", "health", 8),
    ])  # fmt: skip
    assert {"vintage-mismatch", "total-mismatch"} <= {f.code for f in findings if f.level == "warning"}


def test_a_geography_of_nothing_and_a_survey_of_nobody():
    case = Case()
    nowhere = Geography(case.geography.zones.iloc[:0])
    aligned, findings = examine(case.survey, case.tables, nowhere, constraints=["age"])
    assert aligned is None
    assert "no-zones" in {f.code for f in findings}
    nobody = replace(case.survey, records=case.survey.records.iloc[:0])
    aligned, findings = examine(nobody, case.tables, case.geography, constraints=["age", "sex"])
    assert aligned is None
    assert [f.code for f in findings if f.level == "error"] == ["few-records"]
    assert SEX.name in case.tables
