"""Tidy tables, wide and long, single and joint, with and without the caller's help."""
# ruff: noqa: E501 - rows of files stand as publishers write them

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthpop_gb import read
from synthpop_gb.errors import InputError


def put(path, text):
    path.write_text(text)
    return path


def codes(findings):
    return [f.code for f in findings]


def test_wide_tables_of_known_labels_need_no_help(tmp_path):
    table = read.table(
        put(tmp_path / "h.csv", "zone,name,verygood,good,fair,bad,verybad\nE01000001,A,1,2,3,4,5\nE01000002,B,6,7,8,9,10\n")
    )
    assert table.variable_names == ("health",)
    assert table.counts.columns.get_level_values(0).tolist() == ["very good", "good", "fair", "bad", "very bad"]
    assert (table.name, table.universe, table.standard_error, table.year) == ("h", None, 0.0, None)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_ages_are_read_from_their_labels(tmp_path, suffix):
    frame = pd.DataFrame(
        {"lsoa_code": ["E01000001"], "Aged 15 years and under": [1], "16-24": [2], "a25_64": [3], "65+": [4], "total": [10]}
    )
    path = tmp_path / f"ages{suffix}"
    frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)
    table = read.table(path)
    assert table.counts.columns.get_level_values("age").tolist() == ["0-15", "16-24", "25-64", "65+"]
    assert table.total.tolist() == [10]


@pytest.mark.parametrize(
    "text",
    [
        "zone,female: 0-15,female: 16+,male: 0-15,male: 16+\nA,1,2,3,4\n",
        "zone,female|0-15,female|16+,male|0-15,male|16+\nA,1,2,3,4\n",
        "zone,Fa0_15,Fa16_pl,Ma0_15,Ma16_pl\nA,1,2,3,4\n",
        "zone,sex,age,count\nA,female,0-15,1\nA,female,16+,2\nA,male,0-15,3\nA,male,16+,4\n",
        "zone,sex,0-15,16+\nA,female,1,2\nA,male,3,4\n",
        "zone;sex;age;count\nA;female;0-15;1\nA;female;16+;2\nA;male;0-15;3\nA;male;16+;4\n",
    ],
)
def test_joint_tables_in_every_arrangement(tmp_path, text):
    table = read.table(put(tmp_path / "t.csv", text), universe="usual residents")
    assert table.variable_names == ("sex", "age")
    assert table.counts.loc["A"].to_dict() == {
        ("female", "0-15"): 1,
        ("female", "16+"): 2,
        ("male", "0-15"): 3,
        ("male", "16+"): 4,
    }


def test_margins_of_joint_tables_are_left_out_and_the_total_kept(tmp_path):
    rows = [("All people", 10, 4, 6), ("0 - 15", 3, 1, 2), ("16 and over", 7, 3, 4)]
    text = "dz,age_group,all_people,female,male\n" + "".join(f"S01006506,{a},{n},{f},{m}\n" for a, n, f, m in rows)
    table = read.table(put(tmp_path / "t.csv", text))
    assert table.counts.loc["S01006506"].tolist() == [1, 2, 3, 4]
    assert table.total.tolist() == [10]
    assert table.variable_names == ("age_group", "sex"), "the file's own name for a variable is kept"


def test_headers_that_are_no_labels_are_mapped_by_the_caller(tmp_path):
    path = put(tmp_path / "cons.csv", '"m16_24","f16_24","Car","NoCar","X1.1"\n671,679,9449,1896,347\n887,832,10497,2925,397\n')
    joint = read.table(
        path,
        zone="#",
        variables=["sex", "age"],
        columns={"m16_24": ["male", "16-24"], "f16_24": ["female", "16-24"]},
        universe="people aged 16 to 74",
    )
    assert joint.counts.index.tolist() == ["1", "2"], "rows are numbered where there are no codes"
    assert joint.counts[("female", "16-24")].tolist() == [679, 832]
    assert joint.universe.members["age"] == {str(a) for a in range(16, 75)}
    car = read.table(path, name="car", zone="#", variables=["car"], columns={"Car": "car", "NoCar": "no car"})
    assert [(c.code, c.atoms) for c in car.variables[0].categories] == [("car", {"car"}), ("no car", {"no car"})]
    nssec = read.table(path, name="nssec", zone="#", variables=["nssec"], columns={"X1.1": "1.1"})
    assert nssec.variables[0].categories[0].atoms == {"large employers"}


def test_described_variables_speak_for_their_labels(tmp_path):
    path = put(tmp_path / "t.csv", "zone,yes,no\nA,1,2\n")
    smokes = read.variable("smokes", "", {"yes": "smoker", "no": "non-smoker"})
    table = read.table(path, variables=[smokes])
    assert table.counts.columns.tolist() == [("smoker",), ("non-smoker",)]
    assert table.variables[0].atoms == {"smoker", "non-smoker"}


def test_several_rows_a_zone_are_added_up_where_asked(tmp_path):
    path = put(
        tmp_path / "oa.csv", "OA,white,black,LSOA\nE00000001,1,2,E01000001\nE00000002,3,4,E01000001\nE00000003,5,6,E01000002\n"
    )
    assert read.table(path).counts.index.tolist() == ["E00000001", "E00000002", "E00000003"]
    table = read.table(path, zone="LSOA", aggregate=True)
    assert table.counts.to_dict("index") == {
        "E01000001": {("white",): 4, ("black",): 6},
        "E01000002": {("white",): 5, ("black",): 6},
    }
    with pytest.raises(InputError, match="aggregate = true"):
        read.table(path, zone="LSOA")


def test_the_remainder_goes_where_it_belongs(tmp_path):
    path = put(tmp_path / "e.csv", "zone,Persons,white british,irish,other white\nA,10,5,2,2\nB,4,2,1,1\n")
    table = read.table(path, remainder="gypsy or irish traveller")
    assert table.counts[("gypsy or irish traveller",)].tolist() == [1, 0]
    assert "remainder" in codes(table.findings)
    with pytest.raises(InputError, match="no column of the total"):
        read.table(put(tmp_path / "f.csv", "zone,white,black\nA,1,2\n"), remainder="mixed")
    short = read.table(put(tmp_path / "g.csv", "zone,all,white,black\nA,3,2,2\n"), total="all", remainder="mixed")
    assert [f.level for f in short.findings if f.code == "remainder"] == ["warning"]


def test_other_means_what_no_other_column_says(tmp_path):
    path = put(tmp_path / "e.csv", "zone,White British,Roma,Other White,Arab,Other\nA,1,2,3,4,5\n")
    found = {c.label: c.atoms for c in read.table(path).variables[0].categories}
    assert found["Other White"] == {"white polish", "any other white"}
    assert found["any other ethnic group"] == {"any other ethnic group"}


def test_subtotals_are_told_by_meaning_where_words_do_not_nest(tmp_path):
    path = put(tmp_path / "e.csv", "zone,white,mixed,asian,black,arab,any other ethnic group,other\nA,1,2,3,4,5,6,11\n")
    table = read.table(path)
    assert table.counts.to_numpy().sum() == 21
    assert [f.message for f in table.findings if f.code == "nested-subtotal"] == [
        "e.csv: 1 subtotals stand beside their parts and were left out (other)."
    ]


def test_categories_that_overlap_without_nesting_are_refused(tmp_path):
    with pytest.raises(InputError, match="count some people twice"):
        read.table(put(tmp_path / "a.csv", "zone,0-15,16-64,50+\nA,1,2,3\n"))


def test_long_tables_with_constant_columns_years_and_percentages(tmp_path):
    path = tmp_path / "long.csv"
    rows = [f"{z},Name {z},2021-03-21,{label},{kind},Persons,{n}" for z in ("E01000001", "E01000002")
            for label, n in (("Very good health", 5), ("Good health", 6), ("Fair health", 7), ("Bad health", 8), ("Very bad health", 9))
            for kind, n in (("Count", n), ("Percent", 20))]  # fmt: skip
    path.write_text("area_code,area_name,period,general_health,measure,unit,value\n" + "\n".join(rows) + "\n")
    table = read.table(path)
    assert table.variable_names == ("general_health",)
    assert table.year == 2021
    assert table.counts.to_numpy().tolist() == [[5, 6, 7, 8, 9]] * 2
    assert read.table(path, variables=["health"]).variable_names == ("health",)


def test_labels_that_end_in_number_and_percent_are_told_apart(tmp_path):
    rows = [
        f"E06000001,{label} ({kind}),{n}"
        for label, n in (("White", 8), ("Black", 2))
        for kind, n in (("number", n), ("percent", 10.0 * n))
    ]
    table = read.table(put(tmp_path / "e.csv", "ltla21_code,ethnic_group,value\n" + "\n".join(rows) + "\n"))
    assert table.counts.loc["E06000001"].to_dict() == {("white",): 8, ("black",): 2}


def test_files_of_many_tables_need_a_member(tmp_path):
    rows = [("general_health", "general_health", "E01000001", "Leeds 1", "Very good health", "Persons", 5.0),
            ("general_health", "general_health", "E01000001", "Leeds 1", "Good health", "Persons", 4.0),
            ("population_by_sex_and_age", "age | sex", "E01000001", "Leeds 1", "Aged under 1 year | All persons", "Persons", 3.0),
            ("population_by_sex_and_age", "age | sex", "E01000001", "Leeds 1", "Aged under 1 year | Female", "Persons", 1.0),
            ("population_by_sex_and_age", "age | sex", "E01000001", "Leeds 1", "Aged under 1 year | Male", "Persons", 2.0),
            ("household_size", "indicator", "E01000001", "Leeds 1", "1 person in household", "Households", 2.0),
            ("language", "language", "E01000001", "Leeds 1", "Manx Gaelic", "Persons", 2.0)]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["table", "dims", "area_code", "area_name", "category", "unit", "value"])
    path = tmp_path / "many.parquet"
    frame.astype({c: "category" for c in frame.columns if c != "value"}).to_parquet(path)
    health = read.table(path, member="general_health")
    assert (health.name, health.variable_names, health.universe.name) == ("general_health", ("health",), "usual residents")
    joint = read.table(path, member="population_by_sex_and_age")
    assert joint.counts.loc["E01000001"].to_dict() == {("0", "female"): 1, ("0", "male"): 2}
    assert read.table(path, member="household_size").universe.unit == "household"
    assert read.table(path, member="language").variable_names == ("language",)
    with pytest.raises(InputError, match="holds 4 tables: general_health"):
        read.table(path)
    with pytest.raises(InputError, match="none called 'health'"):
        read.table(path, member="health")


def test_a_list_of_tables_beside_the_files_names_variables_and_universes(tmp_path):
    (tmp_path / "tables").mkdir()
    put(
        tmp_path / "tables.csv",
        "table,file,variables,universe,perturbed\nsmokes,tables/smokes.csv,smokes,usual residents aged 16 and over,True\n",
    )
    table = read.table(put(tmp_path / "tables" / "smokes.csv", "zone,yes,no\nA,1,2\n"))
    assert (table.variable_names, table.universe.name, table.standard_error) == (
        ("smokes",),
        "usual residents aged 16 and over",
        0.5,
    )


def test_codes_and_names_of_larger_areas_are_no_categories(tmp_path):
    rows = [("E01000001", "Leeds 1", "E08000035", "Leeds", a, n) for a, n in (("female", 1), ("male", 2))]
    frame = pd.DataFrame(rows, columns=["LSOA21CD", "LSOA21NM", "LAD22CD", "LAD22NM", "sex", "count"])
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    assert read.table(path).variable_names == ("sex",)


def test_numbers_of_a_category_column_are_labels(tmp_path):
    text = "zone,age,count\n" + "".join(f"{z},{a},{a + 1}\n" for z in "AB" for a in range(3))
    table = read.table(put(tmp_path / "t.csv", text))
    assert table.counts.loc["A"].to_dict() == {("0",): 1, ("1",): 2, ("2",): 3}


def test_infuse_downloads_keep_their_labels_in_a_second_row(tmp_path):
    text = (
        'GEO_CODE,GEO_LABEL,F1,F2,F3,\n,,"Car or van availability : All categories: Car or van availability - Unit : Households",'
        '"Car or van availability : No cars or vans in household - Unit : Households",'
        '"Car or van availability : 1 or more cars or vans in household - Unit : Households",\nE05001341,Baildon,9,3,6,\n'
    )
    table = read.table(put(tmp_path / "cars.csv", text), zone="GEO_CODE")
    assert table.variable_names == ("cars",)
    assert table.counts.loc["E05001341"].tolist() == [3, 6]
    assert table.total.tolist() == [9]


def test_numbered_codes_keep_their_leading_noughts(tmp_path):
    table = read.table(put(tmp_path / "t.csv", "zone,female,male\n001,1,2\n010,3,4\n"))
    assert table.counts.index.tolist() == ["001", "010"]


def test_counts_are_whole_numbers_where_they_can_be(tmp_path):
    assert read.table(put(tmp_path / "a.csv", "zone,female,male\nA,1,2\n")).counts.to_numpy().dtype == np.int64
    assert read.table(put(tmp_path / "b.csv", "zone,female,male\nA,1.5,2\n")).counts.to_numpy().dtype == np.float64


def test_an_unknown_format_is_a_programming_error(tmp_path):
    with pytest.raises(ValueError, match="format must be"):
        read.table(put(tmp_path / "a.csv", "zone,female,male\nA,1,2\n"), format="excel")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    counts=st.lists(st.lists(st.integers(0, 10**6), min_size=6, max_size=6), min_size=1, max_size=6),
    delimiter=st.sampled_from(",;\t|"),
    order=st.randoms(use_true_random=False),
)
def test_wide_and_long_files_of_the_same_counts_are_the_same_table(tmp_path, counts, delimiter, order):
    cells = [(s, a) for s in ("female", "male") for a in ("0-15", "16-64", "65+")]
    zones = [f"E0100{i:04d}" for i in range(len(counts))]
    wide, long = tmp_path / "wide.csv", tmp_path / "long.csv"
    header = delimiter.join(["zone", *(f"{s}: {a}" for s, a in cells)])
    wide.write_text(
        "\n".join([header, *(delimiter.join([z, *map(str, row)]) for z, row in zip(zones, counts, strict=True))]) + "\n"
    )
    rows = [
        delimiter.join([z, s, a, str(n)])
        for z, row in zip(zones, counts, strict=True)
        for (s, a), n in zip(cells, row, strict=True)
    ]
    order.shuffle(rows)
    long.write_text("\n".join([delimiter.join(["zone", "sex", "age", "count"]), *rows]) + "\n")
    a, b = read.table(wide), read.table(long)
    assert (a.variable_names, b.variable_names) == (("sex", "age"), ("sex", "age"))
    assert a.counts.loc[zones, cells].to_numpy().tolist() == b.counts.loc[zones, cells].to_numpy().tolist() == counts
