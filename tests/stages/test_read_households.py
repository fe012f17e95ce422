"""Surveys of households in one file and in two: joined on the household's id, and everything that does not go together."""

import pandas as pd
import pytest

from synthpop_gb import read
from synthpop_gb.errors import InputError

PEOPLE = pd.DataFrame(
    {
        "pid": [1, 2, 3, 4, 5],
        "hid": [10, 10, 20, 30, 30],
        "age": [40, 12, 71, 33, 35],
        "sex": [1, 2, 2, 1, 1],
        "weight": [1.5, 1.5, 2.0, 1.0, 1.0],
    }
)
HOMES = pd.DataFrame({"hid": [30, 10, 20], "tenure": [1, 2, 1], "cars": [0, 2, 1], "hweight": [1.1, 1.6, 2.2]})
VARIABLES = {
    "age": read.variable("age", "age"),
    "sex": read.variable("sex", "sex", {1: "male", 2: "female"}),
    "tenure": read.variable("tenure", "tenure", {1: "owned outright", 2: "social rented"}),
}


def survey(folder, people=PEOPLE, homes=HOMES, **keys):
    people.to_csv(folder / "people.csv", index=False)
    given = {"id": "pid", "weight": "weight", "household": "hid", "variables": VARIABLES}
    if homes is not None:
        homes.to_csv(folder / "homes.csv", index=False)
        given["households"] = folder / "homes.csv"
    return read.survey(folder / "people.csv", **{**given, **keys})


def codes(found):
    return [f.code for f in found]


def test_what_describes_the_household_repeats_on_its_members(tmp_path):
    made = survey(tmp_path, household_weight="hweight")
    assert made.records["tenure"].tolist() == [2, 2, 1, 1, 1]
    assert made.records["cars"].tolist() == [2, 2, 1, 0, 0]
    assert made.records["hweight"].tolist() == [1.6, 1.6, 2.2, 1.1, 1.1]
    assert (made.household, made.household_weight, made.weight) == ("hid", "hweight", "weight")
    assert made.records["hid"].tolist() == PEOPLE["hid"].tolist()
    assert made.records.index.tolist() == [1, 2, 3, 4, 5]
    assert made.household_file.path.endswith("homes.csv")
    assert made.findings == ()


def test_one_file_needs_no_other(tmp_path):
    everything = PEOPLE.merge(HOMES, on="hid")
    made = survey(tmp_path, everything, None)
    assert made.household == "hid"
    assert made.household_file is None
    assert made.records["tenure"].tolist() == [2, 2, 1, 1, 1]
    assert survey(tmp_path, everything, None, household=None).household is None


@pytest.mark.parametrize("suffix", ["parquet", "tab", "dta", "sav"])
def test_the_files_may_be_of_any_format(tmp_path, suffix):
    PEOPLE.to_parquet(tmp_path / "people.parquet")
    path = tmp_path / f"homes.{suffix}"
    if suffix == "parquet":
        HOMES.assign(hid=HOMES["hid"].astype(str)).to_parquet(path)
    elif suffix == "tab":
        HOMES.rename(columns=str.upper).to_csv(path, sep="\t", index=False)
    elif suffix == "dta":
        HOMES.to_stata(path, write_index=False, value_labels={"tenure": {1: "Owned outright", 2: "Social rented"}})
    else:
        pytest.importorskip("pyreadstat").write_sav(HOMES, str(path))
    made = read.survey(tmp_path / "people.parquet", id="pid", household="HID", households=path, variables={
        **VARIABLES, "tenure": read.variable("tenure", "tenure")} if suffix == "dta" else VARIABLES)  # fmt: skip
    assert made.records["tenure"].tolist() == [2, 2, 1, 1, 1]
    assert [c.label for c in made.variables["tenure"].categories[:2]] == ["owned outright", "social rented"]


def test_value_labels_of_both_files_are_read(tmp_path):
    PEOPLE.to_stata(tmp_path / "people.dta", write_index=False, value_labels={"sex": {1: "Male", 2: "Female"}})
    HOMES.to_stata(tmp_path / "homes.dta", write_index=False, value_labels={"tenure": {1: "Owned outright", 2: "Social rented"}})
    made = read.survey(tmp_path / "people.dta", id="pid", household="hid", households=tmp_path / "homes.dta")
    assert [c.label for c in made.variables["sex"].categories] == ["male", "female"]
    assert [c.label for c in made.variables["tenure"].categories] == ["owned outright", "social rented"]


def test_households_without_members_and_members_without_households_are_said(tmp_path):
    homes = HOMES.assign(hid=[30, 10, 99])
    made = survey(tmp_path, homes=homes)
    lonely, lost = (f for f in made.findings if f.code == "unmatched-household")
    assert (lonely.count, lonely.rows["household"].tolist(), lonely.level) == (1, ["99"], "warning")
    assert (lost.count, lost.rows["row"].tolist(), lost.rows["household"].tolist()) == (1, [3], ["20"])
    assert made.records["tenure"].isna().tolist() == [False, False, True, False, False]
    assert made.records["cars"].tolist()[:2] == [2, 2]
    assert "1 record of people.csv belongs to households that homes.csv does not have (first: 20)" in lost.message


def test_variables_that_a_study_asks_for_are_recognised_beside_those_described(tmp_path):
    people = PEOPLE.assign(sex=["male", "female", "female", "male", "male"], pets=["cat", "dog", "cat", "cat", "dog"])
    only_tenure = {"tenure": VARIABLES["tenure"]}
    assert set(survey(tmp_path, people, variables=only_tenure).variables) == {"tenure"}
    made = survey(tmp_path, people, variables=only_tenure, wanted=["age", "sex", "tenure", "hid", "nothing"])
    assert set(made.variables) == {"tenure", "age", "sex"}
    assert made.variables["tenure"].categories == survey(tmp_path, people, variables=only_tenure).variables["tenure"].categories
    assert {c.code for c in made.variables["age"].categories} >= {"0", "12", "40", "90"}


@pytest.mark.parametrize("described", [True, False])
def test_an_age_below_nought_is_no_age(tmp_path, described):
    people = PEOPLE.assign(age=[40, -1, 71, 33, 35])
    made = survey(tmp_path, people, None, variables={"age": VARIABLES["age"]} if described else None)
    codes_of_age = [c.code for c in made.variables["age"].categories]
    assert "-1" not in codes_of_age
    assert {"0", "33", "90"} <= set(codes_of_age)
    assert made.records["age"].tolist() == [40, -1, 71, 33, 35]


def test_columns_that_there_are_end_in_how_many_more(tmp_path):
    wide = PEOPLE.assign(**{f"v{i}": i for i in range(9)})
    with pytest.raises(InputError) as error:
        survey(tmp_path, wide, None, weight="zzz")
    assert "v0, v1, v2, v3, v4 ... (4 more)." in str(error.value)


@pytest.mark.parametrize(
    ("ids", "hint"),
    [
        (["H30", "H010", "H20"], "They agree but for letters or noughts before the number."),
        ([300, 301, 302], "(first: '300')."),
        (["a", "b", "c"], "Those of homes.csv are no whole numbers, those of people.csv are."),
        ([5, 900, 77], "The column 'code' of people.csv has ids of homes.csv"),
    ],
)
def test_files_that_share_no_id_are_refused_once(tmp_path, ids, hint):
    people = PEOPLE.assign(code=[900, 900, 77, 5, 5])
    with pytest.raises(InputError) as error:
        survey(tmp_path, people, HOMES.assign(hid=ids), household_weight="hweight")
    (only,) = error.value.findings
    assert (only.code, only.level, only.count) == ("unmatched-household", "error", 3)
    assert only.message.startswith("None of the 3 household ids in 'hid' of people.csv (first: '10') is in 'hid' of homes.csv")
    assert hint in only.message


def test_a_few_ids_that_meet_by_chance_do_not_make_two_files_one(tmp_path):
    people = pd.DataFrame({"pid": range(500), "hid": range(500), "age": 40, "sex": 1, "weight": 1.0})
    homes = pd.DataFrame({"hid": range(498, 900), "tenure": 1})
    with pytest.raises(InputError) as error:
        survey(tmp_path, people, homes)
    (only,) = error.value.findings
    assert only.message.startswith("Only 2 of the 500 household ids")
    made = survey(tmp_path, people, homes.assign(hid=range(490, 892)))  # two in a hundred: warnings, as ever
    assert codes(made.findings) == ["unmatched-household", "unmatched-household"]


def test_one_id_on_two_households_is_an_error(tmp_path):
    with pytest.raises(InputError) as error:
        survey(tmp_path, homes=HOMES.assign(hid=[10, 10, 20]))
    (only,) = [f for f in error.value.findings if f.level == "error"]
    assert (only.code, only.count, only.rows["hid"].tolist()) == ("duplicate-household", 1, ["10"])


def test_households_without_an_id_are_said(tmp_path):
    made = survey(tmp_path, homes=pd.concat([HOMES, HOMES.iloc[[0]].assign(hid=None)]))
    assert codes(made.findings) == ["unmatched-household"]
    assert "1 household has no id" in made.findings[0].message


def test_a_clash_of_names_is_said_and_the_persons_column_stays(tmp_path):
    homes = HOMES.assign(weight=[5.0, 6.0, 7.0], age=[33, 40, 71], sex=[1, 1, 2])
    made = survey(tmp_path, homes=homes, household_weight="weight")
    (clash,) = made.findings
    assert clash.code == "column-clash"
    assert clash.rows["of_household"].tolist() == ["household_weight", "household_age", "household_sex"]
    assert made.weight == "weight"
    assert made.household_weight == "household_weight"
    assert made.records["household_weight"].tolist() == [6.0, 6.0, 7.0, 5.0, 5.0]
    assert made.records["age"].tolist() == PEOPLE["age"].tolist()


def test_columns_that_say_the_same_are_no_clash(tmp_path):
    people = PEOPLE.assign(tenure=[2, 2, 1, 1, 1])
    made = survey(tmp_path, people)
    assert made.findings == ()
    assert list(made.records.columns).count("tenure") == 1


def test_a_new_name_is_nobody_elses(tmp_path):
    homes = HOMES.assign(age=[1, 2, 3], household_age=[4, 5, 6])
    assert survey(tmp_path, homes=homes).findings[0].rows["of_household"].tolist() == ["household_age_"]


@pytest.mark.parametrize("keys", [
    {"household": None, "household_weight": "weight"}, {"household": None, "communal": "sex"}, {"household": None},
])  # fmt: skip
def test_nothing_about_households_without_their_ids(tmp_path, keys):
    with pytest.raises(InputError) as error:
        survey(tmp_path, **keys)
    (only,) = [f for f in error.value.findings if f.level == "error"]
    assert only.code == "study-missing"
    assert "`household`" in only.message


def test_missing_columns_are_said_once_and_all_together(tmp_path):
    with pytest.raises(InputError) as error:
        survey(tmp_path, household="hdi", household_weight="hwieght", communal="carehome")
    said = [f.message for f in error.value.findings if f.code == "missing-column"]
    assert len(said) == 4, said
    assert sum("homes.csv" in m for m in said) == 1
    assert any("Did you mean 'hid'?" in m for m in said)


def test_words_for_weights_of_households_are_said(tmp_path):
    with pytest.raises(InputError) as error:
        survey(tmp_path, homes=HOMES.assign(hweight=["a", "1", "2"]), household_weight="hweight")
    (only,) = [f for f in error.value.findings if f.level == "error"]
    assert (only.code, only.count) == ("missing-weight", 2)


def test_a_survey_with_household_weights_alone_is_not_without_weights(tmp_path):
    assert survey(tmp_path, household_weight="hweight", weight=None).findings == ()
    assert codes(survey(tmp_path, weight=None).findings) == ["no-weight"]


def test_a_missing_file_of_households_is_named(tmp_path):
    PEOPLE.to_csv(tmp_path / "people.csv", index=False)
    with pytest.raises(InputError) as error:
        read.survey(tmp_path / "people.csv", id="pid", household="hid", households=tmp_path / "none.csv", variables=VARIABLES)
    assert codes(error.value.findings) == ["missing-file"]


def test_columns_of_households_are_no_variables_to_be_recognised(tmp_path):
    everything = PEOPLE.merge(HOMES, on="hid").assign(home=["", "", "care home", "", ""], hid=["a", "a", "b", "c", "c"])
    made = survey(tmp_path, everything, None, variables=None, communal="home")
    assert {"hid", "home", "weight"}.isdisjoint(made.variables)
    assert made.communal == "home"


def test_a_file_of_no_households_leaves_nobody_described(tmp_path):
    PEOPLE.to_csv(tmp_path / "people.csv", index=False)
    HOMES.iloc[:0].to_parquet(tmp_path / "homes.parquet")
    made = read.survey(
        tmp_path / "people.csv", id="pid", household="hid", households=tmp_path / "homes.parquet", variables=VARIABLES
    )
    assert made.records["tenure"].isna().all()
    assert [f.count for f in made.findings if f.code == "unmatched-household"] == [5]


def test_a_household_that_lacks_makes_no_clash_of_columns(tmp_path):
    people = PEOPLE.assign(tenure=[2, 2, 1, 1, 1])
    made = survey(tmp_path, people, homes=HOMES.iloc[1:])
    assert {f.code for f in made.findings} == {"unmatched-household"}
    assert made.records["tenure"].tolist() == people["tenure"].tolist()


def test_negative_codes_are_no_household_and_mark_nobody(tmp_path):
    n = len(PEOPLE)
    coded = PEOPLE.assign(hid=[-9, -9, *PEOPLE["hid"][2:]], home=[1, -8, *[-8] * (n - 2)])
    coded.to_stata(tmp_path / "people.dta", write_index=False)
    made = read.survey(
        tmp_path / "people.dta", id="pid", household="hid", communal="home", variables={"sex": read.variable("sex", "sex")}
    )
    assert made.records["hid"].isna().tolist() == [True, True, *[False] * (n - 2)]
    assert made.records["home"].isna().tolist() == [False, *[True] * (n - 1)]
    coded.to_csv(tmp_path / "people.csv", index=False)  # elsewhere a negative number is a number
    made = read.survey(
        tmp_path / "people.csv", id="pid", household="hid", communal="home", variables={"sex": read.variable("sex", "sex")}
    )
    assert made.records["hid"].notna().all()
