"""Surveys in every file format, and the census teaching files as the statistical office gives them."""
# ruff: noqa: E501 - rows of files stand as publishers write them

import sys

import numpy as np
import pandas as pd
import pytest

from synthpop_gb import read
from synthpop_gb.errors import InputError
from synthpop_gb.read._codebooks import codebook_file

FRAME = pd.DataFrame(
    {
        "pidp": [11, 12, 13, 14],
        "sex": [1, 2, 2, -9],
        "age": [34, 70, 16, 50],
        "weight": [1.5, 0.0, 2.0, 1.0],
        "health": [1, 5, 3, 2],
    }
)
VARIABLES = {
    "sex": read.variable("sex", "sex", {1: "male", 2: "female"}),
    "age": read.variable("age", "age"),
    "health": read.variable("health", "health", {1: "very good", 2: "good", 3: "fair", 4: "bad", 5: "very bad"}),
}


def codes(error):
    return [f.code for f in error.value.findings]


def stata(path):
    FRAME.to_stata(path, write_index=False, value_labels={"sex": {1: "male", 2: "female", -9: "missing"}})


def spss(path):
    pyreadstat = pytest.importorskip("pyreadstat")
    pyreadstat.write_sav(FRAME, str(path), variable_value_labels={"sex": {1: "male", 2: "female"}})


WRITERS = {
    "csv": lambda p: FRAME.to_csv(p, index=False),
    "parquet": FRAME.to_parquet,
    "tab": lambda p: FRAME.rename(columns=str.upper).to_csv(p, index=False, sep="\t", encoding="latin-1"),
    "dta": stata,
    "sav": spss,
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_format_gives_the_same_records(tmp_path, suffix):
    path = tmp_path / f"wave.{suffix}"
    WRITERS[suffix](path)
    survey = read.survey(
        path, variables=VARIABLES, id="pidp", weight="weight", universe="usual residents aged 16 and over", year=2021
    )
    assert survey.records.index.tolist() == [11, 12, 13, 14]
    assert survey.records["age"].tolist() == [34, 70, 16, 50]
    assert survey.weight == "weight"
    assert survey.records["weight"].tolist() == [1.5, 0, 2, 1]
    assert (survey.name, survey.licence, survey.year) == ("wave", "restricted", 2021)
    assert [c.label for c in survey.variables["sex"].categories] == ["male", "female"]
    assert survey.source.bytes == path.stat().st_size
    assert "15" not in survey.universe.members["age"]
    negative = survey.records["sex"].isna().tolist()
    assert negative == [False, False, False, suffix not in ("csv", "parquet")], (
        "-9 is a missing code of the UK Data Service's formats"
    )


def test_codes_named_missing_are_blanked_everywhere(tmp_path):
    path = tmp_path / "wave.csv"
    FRAME.to_csv(path, index=False)
    survey = read.survey(path, variables=VARIABLES, missing=[-9])
    assert survey.records["sex"].isna().tolist() == [False, False, False, True]
    assert survey.records["sex"].dropna().tolist() == [1, 2, 2]
    assert survey.records["age"].tolist() == [34, 70, 16, 50]


def test_blanks_of_tab_files_are_missing_whatever_else_the_column_holds(tmp_path):
    path = tmp_path / "adult.tab"
    path.write_bytes("SERNUM\tSEX\tINCOME\tNAME\n1\t1\t -5.5\tZoë\n2\t \t\tBob\n3\t-8\t 7\t \n".encode("latin-1"))
    survey = read.survey(path, variables={"sex": read.variable("sex", "SEX", {1: "male", 2: "female"})}, id="sernum")
    assert survey.records["sex"].isna().tolist() == [False, True, True]
    assert survey.records["income"].isna().tolist() == [False, True, False], (
        "incomes can be negative: only described columns lose codes"
    )
    assert survey.records["name"].tolist()[0] == "Zoë"
    assert "encoding" in [f.code for f in survey.findings]


def test_a_missing_code_of_one_variable_belongs_to_no_category(tmp_path):
    path = tmp_path / "wave.csv"
    FRAME.to_csv(path, index=False)
    survey = read.survey(path, variables={"sex": read.variable("sex", "sex", {1: "male", 2: "female"}, missing=[-9])})
    assert {c.code: len(c.atoms) for c in survey.variables["sex"].categories} == {"1": 1, "2": 1, "-9": 0}


def test_whole_years_have_a_code_each_met_or_not(tmp_path):
    path = tmp_path / "wave.csv"
    FRAME.to_csv(path, index=False)
    age = read.survey(path, variables=VARIABLES).variables["age"]
    assert [c.code for c in age.categories][:3] == ["0", "1", "2"]
    assert len(age.categories) == 121


def test_value_labels_are_used_where_no_categories_are_given(tmp_path):
    path = tmp_path / "wave.dta"
    stata(path)
    sex = read.survey(path, variables={"sex": read.variable("sex", "sex", missing=[-9])}).variables["sex"]
    assert {c.code: c.label for c in sex.categories if c.atoms} == {"1": "male", "2": "female"}


def test_columns_are_recognised_by_name_and_values(tmp_path):
    path = tmp_path / "survey.csv"
    pd.DataFrame(
        {"person": ["P1", "P2"], "Marital status": ["single", "married"], "age": [3, 71], "smokes": ["yes", "does not apply"], "income": [100, 250],
         "health": ["very good", "bad"], "note": ["", ""]}
    ).to_csv(path, index=False)  # fmt: skip
    survey = read.survey(path, id="person")
    assert set(survey.variables) == {"marital_status", "legal_partnership", "age", "smokes", "health"}
    assert survey.variables["legal_partnership"].column == "Marital status"
    assert [len(c.atoms) for c in survey.variables["smokes"].categories] == [0, 1]
    assert "no-weight" in [f.code for f in survey.findings]


def test_all_that_is_wrong_with_a_survey_at_once(tmp_path):
    path = tmp_path / "survey.csv"
    pd.DataFrame({"id": [1, 1, 2], "Sex": ["m", "f", "f"], "w": ["1", "heavy", "2"]}).to_csv(path, index=False)
    with pytest.raises(InputError, match="Did you mean 'Sex'") as error:
        read.survey(
            path,
            variables={"sex": read.variable("sex", "sexx", {"m": "male", "f": "female"})},
            id="id",
            weight="w",
            universe="bananas",
        )
    assert sorted(codes(error)) == ["duplicate-record", "missing-column", "missing-weight", "universe-unknown"]
    pd.DataFrame({"a": [1, 2], "b": [3, 4]}).to_csv(path, index=False)
    with pytest.raises(InputError) as error:
        read.survey(path)
    assert "unknown-variable" in codes(error)


def test_household_ids_that_repeat_say_so(tmp_path):
    path = tmp_path / "survey.csv"
    pd.DataFrame({"hidp": [1, 1, 2], "sex": ["male", "female", "male"]}).to_csv(path, index=False)
    with pytest.raises(InputError, match="use the person's"):
        read.survey(path, id="hidp")


def test_blank_ids_are_refused(tmp_path):
    path = tmp_path / "survey.csv"
    path.write_text("id,sex\n1,male\n,female\n")
    with pytest.raises(InputError, match="have no id"):
        read.survey(path, id="id")


@pytest.mark.parametrize(("name", "content"), [("w.dta", b"not stata at all"), ("w.sav", b"not spss at all"), ("w.csv", b"")])
def test_damaged_surveys_are_findings(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read.survey(path)
    assert codes(error) == ["unreadable-file"]
    with pytest.raises(InputError) as error:
        read.survey(tmp_path / f"no-{name}")
    assert codes(error) == ["missing-file"]


def test_without_pyreadstat_the_extra_is_named(tmp_path, monkeypatch):
    path = tmp_path / "w.sav"
    path.write_bytes(b"$FL2")
    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    with pytest.raises(InputError, match=r"pip install synthpop_gb\[surveys\]") as error:
        read.survey(path)
    assert codes(error) == ["missing-extra"]


def teaching(book, n=40, seed=1):
    rng = np.random.default_rng(seed)
    entries = {k: v for k, v in codebook_file(book).items() if k != "file"}
    columns = {entry["column"]: rng.choice(list(entry["codes"]), n) for entry in entries.values()}
    frame = pd.DataFrame({codebook_file(book)["file"]["id"]: np.arange(7_000_000, 7_000_000 + n), **columns})
    return frame.map(lambda v: int(v) if str(v).lstrip("-").isdigit() else v)


@pytest.mark.parametrize(("book", "title"), [("teaching_2011", "2011 Census Microdata Teaching File"), ("teaching_2021", "")])
def test_teaching_files_are_recognised_with_and_without_a_title_row(tmp_path, book, title):
    frame = teaching(book)
    path = tmp_path / "file.csv"
    text = frame.to_csv(index=False)
    path.write_text((title + "," * (frame.shape[1] - 1) + "\n" if title else "") + text)
    assert read.is_census_microdata(path)
    survey = read.census_microdata(path)
    assert len(survey.records) == 40
    assert survey.year == codebook_file(book)["file"]["year"]
    assert survey.licence == "open"
    assert {"age", "sex", "health", "ethnic_group", "population_base", "in_employment"} <= set(survey.variables)
    for variable in survey.variables.values():
        assert set(survey.records[variable.column].astype(str)) <= {c.code for c in variable.categories}


def test_draws_of_the_teaching_file_can_be_told_apart(tmp_path):
    path = tmp_path / "file.parquet"
    frame = teaching("teaching_2011").assign(sample=["random10k"] * 10 + ["first50k"] * 25 + ["both"] * 5)
    frame.astype({"Region": "str", "Residence Type": "str"}).to_parquet(path)
    assert "not-a-random-draw" in [f.code for f in read.census_microdata(path).findings]
    assert len(read.census_microdata(path, sample="random10k").records) == 15
    with pytest.raises(InputError, match="no draw 'random'"):
        read.census_microdata(path, sample="random")


def test_other_files_are_no_teaching_files(tmp_path):
    path = tmp_path / "survey.csv"
    FRAME.to_csv(path, index=False)
    assert not read.is_census_microdata(path)
    assert not read.is_census_microdata(tmp_path / "nothing.csv")
    with pytest.raises(InputError, match="has not the columns of a census teaching file"):
        read.census_microdata(path)
    twice = teaching("teaching_2011")
    twice.loc[1, "Person ID"] = twice.loc[0, "Person ID"]
    twice.to_csv(path, index=False)
    with pytest.raises(InputError, match="stand twice"):
        read.census_microdata(path)
