"""Pairs of real and synthetic files: brought to one set of variables, or every reason why they cannot be."""

import numpy as np
import pandas as pd
import pytest

from synthpop_gb import read
from synthpop_gb.coded import MISSING, Coded, group_numbers
from synthpop_gb.errors import InputError

N = 60
REAL = pd.DataFrame(
    {
        "pidp": range(1001, 1001 + N),
        "Sex": ["male", "female", "female"] * (N // 3),
        "age": [16 + (7 * i) % 70 for i in range(N)],
        "Marital-Status": ["single", "married", None, "single"] * (N // 4),
        "income": [1000.5 + 13.7 * ((11 * i) % N) for i in range(N)],
    }
)


def codes(error):
    return sorted(f.code for f in error.value.findings if f.level == "error")


def test_columns_are_matched_by_name_and_given_one_type():
    made = read.pair(REAL, REAL.rename(columns=str.upper).iloc[::-1].astype({"AGE": float}), keys=["sex", "AGE"], target="Income")
    assert made.names == ("Sex", "age", "Marital-Status", "income")
    assert [v.kind for v in made.variables] == ["category", "number", "category", "number"]
    assert [v.concept for v in made.variables] == ["sex", "age", "legal_partnership", ""]
    assert made.keys == ("Sex", "age")
    assert made.target == "income"
    assert made.protected == ("Sex", "age", "Marital-Status")
    assert dict(made.left_out)["pidp"].startswith("an id")
    for name in made.of_kind("category"):
        assert list(made.real[name].cat.categories) == list(made.synthetic[name].cat.categories)
    assert made.real.dtypes["age"] == made.synthetic.dtypes["age"] == np.float64


def test_codes_have_the_same_labels_on_both_sides():
    other = REAL.assign(Sex=["female", "intersex", "male"] * (N // 3), age=np.where(np.arange(N) % 5, REAL["age"], np.nan))
    real, synthetic = read.pair(REAL, other).coded(["Sex", "age", "Marital-Status"])
    assert real.labels == synthetic.labels
    assert real.labels[0] == ("female", "male", "intersex")
    assert MISSING in real.labels[1]
    assert MISSING in real.labels[2]
    assert (np.bincount(synthetic.codes[:, 1])[-1], np.bincount(real.codes[:, 2])[-1]) == (N // 5, N // 4)
    assert len(np.bincount(real.codes[:, 1])) <= len(real.labels[1]) - 1, "nobody of the real side lacks an age"


@pytest.mark.parametrize("suffix", ["csv", "parquet", "dta", "sav"])
def test_files_of_every_format(tmp_path, suffix):
    frame = REAL.rename(columns={"Marital-Status": "marital"}).assign(code=[1, 2, 2] * (N // 3))
    paths = [tmp_path / f"{side}.{suffix}" for side in ("real", "other")]
    for path in paths:
        if suffix == "csv":
            frame.to_csv(path, index=False)
        elif suffix == "parquet":
            frame.to_parquet(path)
        elif suffix == "dta":
            frame.to_stata(path, write_index=False, value_labels={"code": {1: "yes", 2: "no"}})
        else:
            pyreadstat = pytest.importorskip("pyreadstat")
            pyreadstat.write_sav(frame, str(path), variable_value_labels={"code": {1: "yes", 2: "no"}})
    made = read.pair(*paths)
    assert made.names == ("Sex", "age", "marital", "income", "code")
    assert made.real["marital"].isna().sum() == N // 4
    assert len(made.files) == 2
    assert made.files[0].path.endswith(f"real.{suffix}")
    if suffix in ("dta", "sav"):
        assert list(made.real["code"].cat.categories) == ["yes", "no"], "value labels make categories, in the order of codes"
    pd.testing.assert_frame_equal(made.real, made.synthetic)


def test_labels_on_one_side_apply_to_codes_on_the_other(tmp_path):
    frame = pd.DataFrame({"health": [1, 2, 3] * 20, "age": [float(i % 7) for i in range(60)]})
    frame.to_stata(tmp_path / "real.dta", write_index=False, value_labels={"health": {1: "good", 2: "fair", 3: "bad"}})
    made = read.pair(tmp_path / "real.dta", frame)
    assert made.synthetic["health"].value_counts().to_dict() == {"good": 20, "fair": 20, "bad": 20}


def test_everything_wrong_with_the_request_comes_at_once(tmp_path):
    with pytest.raises(InputError) as error:
        read.pair(REAL, REAL, keys=["sexx", "age"], target="incme", weight="wgt", exclude=["no such"])
    assert codes(error) == ["missing-column"] * 4
    assert "Did you mean 'income'?" in str(error.value)


def test_files_that_are_none(tmp_path):
    (tmp_path / "real.csv").write_text("")
    with pytest.raises(InputError) as error:
        read.pair(tmp_path / "real.csv", tmp_path / "nothing.parquet")
    assert codes(error) == ["missing-file", "unreadable-file"]


def test_a_file_without_rows(tmp_path):
    REAL.head(0).to_parquet(tmp_path / "synthetic.parquet")
    with pytest.raises(InputError) as error:
        read.pair(REAL, tmp_path / "synthetic.parquet")
    assert "empty-side" in codes(error)


def test_no_column_in_common():
    with pytest.raises(InputError) as error:
        read.pair(REAL[["Sex", "age"]], pd.DataFrame({"colour": ["red"], "shape": ["round"]}))
    assert codes(error) == ["no-common-columns"]


@pytest.mark.parametrize("other", [REAL.assign(Sex=None), REAL.head(1), REAL.assign(age="old"), REAL.assign(age=7, Sex="male")])
def test_what_can_still_be_compared_is(other):
    made = read.pair(REAL, other)
    assert "income" in made.names
    made.coded()


def test_what_was_noticed_is_said():
    other = REAL.assign(Sex=None, age=["old"] * 3 + list(REAL["age"][3:])).rename(columns={"income": "pay"}).head(20)
    found = {f.code: f for f in read.pair(REAL, other).findings}
    assert set(found) == {"all-missing", "types-differ", "columns-differ", "few-rows"}
    assert found["types-differ"].count == 3
    assert "'old'" in found["types-differ"].message
    assert set(found["columns-differ"].rows["column"]) == {"income", "pay"}


def test_columns_that_cannot_be_told_apart():
    with pytest.raises(InputError) as error:
        read.pair(REAL.assign(sex="male"), REAL)
    assert codes(error) == ["duplicate-column"]


def test_weights_are_numbers_not_below_nought():
    with pytest.raises(InputError) as error:
        read.pair(REAL.assign(w=["much"] + [1] * (N - 1)), REAL.assign(w=-1.0), weight="w")
    assert codes(error) == ["missing-weight", "negative-weight"]
    made = read.pair(REAL.assign(w=2.0), REAL, weight="W")
    assert made.weight.sum() == 2 * N
    assert made.synthetic_weight is None
    assert "w" not in made.names


def test_copies_are_noticed():
    frame = REAL.assign(a=list("xyz") * (N // 3), b=range(N), c=["p", "q"] * (N // 2)).drop(columns="pidp")
    assert "looks-cloned" in {f.code for f in read.pair(frame, frame.sample(N, replace=True, random_state=1)).findings}
    assert not read.pair(frame, frame).cloned
    assert read.pair(frame, frame, cloned=True).cloned


def test_dates_and_truth_values():
    frame = pd.DataFrame({"born": pd.date_range("1970-01-02", periods=40, freq="7D"), "ill": [True, False] * 20})
    made = read.pair(frame, frame)
    assert [v.kind for v in made.variables] == ["number", "category"]
    assert made.real["born"].iloc[0] == 1.0
    assert set(made.real["ill"]) == {"yes", "no"}


def test_infinite_numbers_are_missing():
    frame = pd.DataFrame({"x": [1.0, np.inf, -np.inf, 2.5] * 10, "y": list("ab") * 20})
    assert read.pair(frame, frame).real["x"].isna().sum() == 20


def test_names_with_markup_stay_text():
    frame = pd.DataFrame({"<b>x</b>": ["<script>alert(1)</script>", "=1+1"] * 20, "n": range(0, 80, 2)})
    made = read.pair(frame, frame)
    assert made.names[0] == "<b>x</b>"
    assert made.coded()[0].labels[0] == ("<script>alert(1)</script>", "=1+1")


@pytest.mark.parametrize("values", [[5.0], [1, 1, 1], [0] * 9 + [3], list(range(100)), [-2.5, -1, 0, 7]])
def test_groups_of_numbers_hold_every_value_once(values):
    edges, labels = group_numbers(np.array(values, float))
    at = np.searchsorted(edges, np.array(values, float), side="right")
    assert (np.diff(edges) > 0).all()
    assert len(labels) == len(edges) + 1
    assert set(at) == set(range(len(labels))), "no group is empty"


def test_coded_refuses_what_does_not_agree():
    with pytest.raises(ValueError, match="no label"):
        Coded(("a",), (("x",),), np.array([[1]]), np.ones(1))
    with pytest.raises(ValueError, match="shape"):
        Coded(("a",), (("x",),), np.array([[0]]), np.ones(2))
    two = Coded(("a", "b"), (("x", "y"), ("p",)), np.array([[1, 0], [0, 0]]), np.array([1.0, 3.0]))
    assert two.select(["b"]).labels == (("p",),)
    assert two.effective == 1.6
    with pytest.raises(KeyError):
        two.select(["c"])


def test_a_variable_coded_otherwise_is_named_and_left_out():
    found = read.pair(REAL, REAL.assign(Sex=REAL["Sex"].map({"male": 1, "female": 2})))
    assert "Sex" not in found.names
    assert [f.code for f in found.findings if f.level == "warning"] == ["no-common-values"]


def test_names_of_real_people_are_noticed():
    names = pd.Series([f"Person {i}" for i in range(200)])
    real = pd.DataFrame({"name": names, "age": [20.0 + i % 50 for i in range(200)]})
    copied = read.pair(real, real.assign(name=names.iloc[::-1].to_numpy()))
    (item,) = [f for f in copied.findings if f.code == "identifiers-copied"]
    assert item.count == 200
    made_up = read.pair(real, real.assign(name=[f"Other {i}" for i in range(200)]))
    assert "identifiers-copied" not in {f.code for f in made_up.findings}


def test_a_target_of_two_numbers_is_a_category():
    frame = pd.DataFrame({"survived": [0, 1, 1] * 20, "fare": [float(i % 11) for i in range(60)]})
    assert read.pair(frame, frame, target="survived").variable("survived").kind == "category"
    assert read.pair(frame, frame).variable("survived").kind == "number"


def test_infinite_numbers_are_told():
    frame = pd.DataFrame({"x": [1.0, np.inf, 2.5, 3.5] * 10, "y": list("ab") * 20})
    assert {f.code for f in read.pair(frame, frame).findings if f.level == "warning"} == {"types-differ"}


def test_a_mark_behind_a_value_label_is_missing(tmp_path):
    frame = pd.DataFrame({"job": [1, 2, 3] * 20, "age": [float(i % 7) for i in range(60)]})
    frame.to_stata(tmp_path / "real.dta", write_index=False, value_labels={"job": {1: "nurse", 2: "miner", 3: "?"}})
    made = read.pair(tmp_path / "real.dta", tmp_path / "real.dta")
    assert list(made.real["job"].cat.categories) == ["miner", "nurse"] or list(made.real["job"].cat.categories) == [
        "nurse",
        "miner",
    ]
    assert made.real["job"].isna().sum() == 20
