"""Labels: ages in every spelling, totals, numbers and marks, zone codes, headers of joint tables."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.codebook import AGE_TOP, age_atoms, age_label
from synthpop_gb.read._headers import split_headers
from synthpop_gb.read._labels import age_span, bare, does_not_apply, is_total, key, parts
from synthpop_gb.read._numbers import factor, is_countlike, number_of, numbers, texts
from synthpop_gb.read._zones import level_of, levels_of, zone_column, zone_year


@pytest.mark.parametrize(
    ("label", "ages"),
    [
        ("16-24", "16-24"), ("16 – 24", "16-24"), ("0 - 4", "0-4"), ("Aged 16 to 24 years", "16-24"), ("75+", "75+"),
        ("75 plus", "75+"),
        ("85 years and over", "85+"), ("65 or over", "65+"), ("90 and older", "90+"), ("over 65", "66+"), ("a16_19", "16-19"),
        ("0_02", "0-2"),
        ("75_pl", "75+"), ("a0.49", "0-49"), ("a.50+", "50+"), ("X16.24", "16-24"), ("Aged 4 years and under", "0-4"),
        ("Under 16", "0-15"),
        ("Aged under 1 year", "0"), ("Aged 1 year", "1"), ("16", "16"), ("age_16", "16"),
        ("Age: Aged 100 years and over", "100+"), ("16-24 years", "16-24"),
        ("Level 4", None), ("24-16", None), ("200", None), ("All ages", None), ("2 people", None),
    ],
)  # fmt: skip
def test_ages_in_every_spelling(label, ages):
    found = age_span(label)
    assert (age_label(found) if found else None) == ages


@given(st.integers(0, AGE_TOP), st.integers(0, AGE_TOP))
def test_bands_of_ages_come_back_as_written(a, b):
    low, high = min(a, b), max(a, b)
    for label in (f"{low}-{high}", f"Aged {low} to {high} years", f"a{low}_{high}", f"{low} to {high}"):
        assert age_span(label) == age_atoms(low, high)
    assert age_span(f"{low}+") == age_span(f"{low} years and over") == age_atoms(low)


@given(st.text(max_size=40))
def test_no_label_is_too_odd_to_look_at(text):
    key(text), parts(text), age_span(text), is_total(text), does_not_apply(text), bare(text), number_of(text)


def test_totals_are_told_from_categories():
    for label in (
        "Total",
        "All persons",
        "All usual residents",
        "Total: All households",
        "All categories: Tenure",
        "total_residents",
        "All People",
    ):
        assert is_total(label), label
    for label in (
        "All aged 66 years and over",
        "Owned: Total",
        "total_females",
        "All other sexual orientations",
        "Number of households",
    ):
        assert not is_total(label), label


def test_labels_lose_the_publishers_trimmings_only():
    assert bare("Aged 4 years and under\n[note 12]") == "Aged 4 years and under"
    assert bare("Sex: Female; measures: Value") == "Sex: Female"
    assert parts("Tenure : Owned : Total - Unit : Households") == ("Tenure", "Owned", "Total")


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", 12), ("1,234", 1234), ("1,234,567.5", 1234567.5), ("-3", -3), ("\u22123", -3), ("1\u00a0234", 1234), ("1e3", 1000),
     ("<5", None), ("c", None), ("12%", None), ("1,23", None), ("", None), ("=1+1", None)],
)  # fmt: skip
def test_numbers_as_people_type_them(text, value):
    assert number_of(text) == value


def test_marks_stay_and_blanks_are_blank():
    values, marks = numbers(pa.chunked_array([["1,234", None, "c", " 7 ", "-"]]))
    np.testing.assert_array_equal(values, [1234, np.nan, np.nan, 7, np.nan])
    assert marks == {2: "c", 4: "-"}
    values, marks = numbers(pa.chunked_array([["5", "-"]]), frozenset("-"))
    np.testing.assert_array_equal(values, [5, 0])
    assert not marks


def test_columns_of_counts_are_told_from_columns_of_words():
    assert is_countlike(pa.chunked_array([["12", "c", "<5"]]))
    assert is_countlike(pa.chunked_array([["c", "*", ".."]])), "all of it suppressed"
    assert not is_countlike(pa.chunked_array([["Leeds 001A", "Leeds 001B"]]))
    assert not is_countlike(pa.chunked_array([[None, None]], pa.string()))


def test_text_of_values_is_plain():
    assert texts(pa.chunked_array([[3.0, None, 2.5]])).tolist() == ["3", None, "2.5"]
    assert texts(pa.chunked_array([[" a", "a ", None, ""]])).tolist() == ["a", "a", None, None]
    codes, values = factor(pa.chunked_array([["b", " b", "a"], [None, "b"]]))
    assert (codes.tolist(), values.tolist()) == ([0, 0, 1, -1, 0], ["b", "a"])


def test_zone_codes_say_level_and_census():
    assert [level_of(c) for c in ("E00000001", "W01000001", "E02000001", "S12000033", "E12000003", "W07000081", "Leeds")] == [
        "oa", "lsoa", "msoa", "lad", "region", "constituency", "",
    ]  # fmt: skip
    assert levels_of(["E01000001", "E01000002", "E92000001"]) == {"lsoa": 2, "country": 1}
    assert zone_year(["E01000001", "E01033768"]) is None
    assert zone_year(["E01033769"]) == zone_year(["W01001959"]) == zone_year(["E02006935"]) == 2021
    assert zone_year(["S01006506"]) is None, "Scotland publishes 2022 on data zones of 2011"


def test_the_finest_codes_are_the_zones_and_the_latest_year_wins():
    codes = {"OA": ["E00000001"], "LSOA": ["E01000001"], "LAD": ["City of London"]}
    assert zone_column(pa.table(codes)) == "OA"
    assert zone_column(pa.table({"lsoa11_code": ["E01000001"], "lsoa21_code": ["E01000001"]})) == "lsoa21_code"
    assert zone_column(pa.table({"zone": ["A1"], "count": [1]})) == "zone"
    assert zone_column(pa.table({"a": ["x"], "b": [1]})) is None


@pytest.mark.parametrize(
    "headers",
    [
        ["female: 0-15", "female: 16+", "male: 0-15", "male: 16+"],
        ["female|0-15", "female|16+", "male|0-15", "male|16+"],
        ["Fa0_15", "Fa16_pl", "Ma0_15", "Ma16_pl"],
        ["f0_15", "f16pl", "m0_15", "m16pl"],
        ["female x 0-15", "female x 16+", "male x 0-15", "male x 16+"],
        ["Sex : Females - Age : Age 0 to 15 - Unit : Persons", "Sex : Females - Age : Age 16 and over - Unit : Persons",
         "Sex : Males - Age : Age 0 to 15 - Unit : Persons", "Sex : Males - Age : Age 16 and over - Unit : Persons"],
    ],
)  # fmt: skip
def test_joint_headers_split_in_every_spelling(headers):
    names, keys = split_headers(headers, None)
    assert names == ("sex", "age")
    assert len(set(keys)) == 4


def test_joint_headers_need_labels_that_mean_something():
    assert split_headers(["left: up", "left: down"], None) is None
    assert split_headers(["left: up", "left: down"], ["side", "way"])[0] == ("side", "way")
