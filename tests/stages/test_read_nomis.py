"""Nomis files in each of their layouts, small and written here: bulk 2021 and 2011, zip, query download, API."""
# ruff: noqa: E501 - rows of files stand as publishers write them

import gzip
import zipfile

import pytest

from synthpop_gb import read
from synthpop_gb.errors import InputError

HEALTH = ["Very good health", "Good health", "Fair health", "Bad health", "Very bad health"]
ZONES = [("City of London 001A", "E01000001"), ("City of London 001B", "E01000002"), ("Leeds 001A", "E01033769")]
ROWS = [[807, 491, 137, 24, 6], [829, 462, 106, 27, 12], [10, 0, 3, 1, 0]]


def bulk(stem="General health", total="Total: All usual residents", labels=HEALTH, rows=ROWS, suffix="", year=2021):
    header = "date,geography,geography code," + ",".join(f'"{stem}: {label}{suffix}"' for label in (total, *labels))
    lines = [
        f'{year},"{name}",{code},{sum(row)},' + ",".join(map(str, row)) for (name, code), row in zip(ZONES, rows, strict=False)
    ]
    return "\n".join([header, *lines]) + "\n"


def codes(error):
    return [f.code for f in error.value.findings]


@pytest.mark.parametrize("suffix", ["", "; measures: Value"])
@pytest.mark.parametrize("file", ["census2021-ts037-lsoa.csv", "census2021-ts037-lsoa..csv", "renamed.csv", "my TS037 table.csv"])
def test_bulk_files_are_recognised_with_and_without_measures(tmp_path, suffix, file):
    path = tmp_path / file
    path.write_text(bulk(suffix=suffix))
    table = read.table(path)
    assert (table.name, table.variable_names, table.year, table.standard_error) == ("ts037", ("health",), 2021, 0.5)
    assert table.universe.name == "usual residents"
    assert table.counts[("very good",)].tolist() == [807, 829, 10]
    assert list(table.counts.columns.get_level_values("health")) == ["very good", "good", "fair", "bad", "very bad"]
    assert table.total.tolist() == [1465, 1436, 14]
    assert table.counts.index.name == "zone"
    assert table.source.path == str(path)


def test_gzip_and_byte_order_marks_make_no_difference(tmp_path):
    path = tmp_path / "census2021-ts037-lsoa.csv.gz"
    path.write_bytes(gzip.compress(("\ufeff" + bulk()).encode("utf-8")))
    assert read.table(path).counts.to_numpy().sum() == 2915


def test_nested_subtotals_are_left_out_and_said(tmp_path):
    path = tmp_path / "census2021-ts054-lsoa.csv"
    labels = [
        "Owned",
        "Owned: Owns outright",
        "Owned: Owns with a mortgage or loan",
        "Shared ownership",
        "Shared ownership: Shared ownership",
    ]
    labels += [
        "Social rented",
        "Social rented: Rents from council or Local Authority",
        "Social rented: Other social rented",
        "Private rented",
    ]
    labels += ["Private rented: Private landlord or letting agency", "Private rented: Other private rented", "Lives rent free"]
    header = "date,geography,geography code," + ",".join(
        f'"Tenure of household: {x}"' for x in ("Total: All households", *labels)
    )
    path.write_text(f"{header}\n2021,A,E01000001,51,11,1,10,2,2,15,7,8,20,12,8,3\n")
    table = read.table(path)
    assert table.counts.loc["E01000001"].tolist() == [1, 10, 2, 7, 8, 12, 8, 3]
    assert table.total.tolist() == [51]
    assert table.universe.unit == "household"
    assert [f.count for f in table.findings if f.code == "nested-subtotal"] == [4]


def test_nesting_by_wording_alone_is_seen(tmp_path):
    path = tmp_path / "census2021-ts039-lsoa.csv"
    hours = [
        "19 hours or less",
        "9 hours or less",
        "10 to 19 hours",
        "20 to 49 hours",
        "20 to 34 hours",
        "35 to 49 hours",
        "50 or more hours",
    ]
    labels = [
        "Total: All usual residents aged 5 and over",
        "Provides no unpaid care",
        *(f"Provides {h} unpaid care a week" for h in hours),
    ]
    header = "date,geography,geography code," + ",".join(f'"Provision of unpaid care: {x}"' for x in labels)
    path.write_text(f"{header}\n2021,A,E01000001,111,80,12,7,5,9,3,6,10\n")
    table = read.table(path)
    assert table.counts.loc["E01000001"].tolist() == [80, 7, 5, 3, 6, 10]
    assert table.universe.members["age"] >= {"5", "90"}
    assert "4" not in table.universe.members["age"]


def test_the_first_of_two_equal_headers_is_the_subtotal_of_national_identities(tmp_path):
    path = tmp_path / "census2021-ts027-lsoa.csv"
    labels = ["Total: All usual residents", "British only identity", "Any other combination of only UK identities", "Cornish only identity",
              "Any other combination of only UK identities ", "Irish only identity", "Other identity only", "Non-UK identity only"]  # fmt: skip
    header = "date,geography,geography code," + ",".join(f"National identity: {x}" for x in labels)
    path.write_text(f"{header}\n2021,A,E01000001,20,10,5,2,3,1,4,5\n")
    table = read.table(path)
    assert table.counts.loc["E01000001"].tolist() == [10, 2, 3, 1, 4]


def test_short_term_residents_are_never_taken_for_usual_ones(tmp_path):
    text = bulk("Sex", "All persons", ["Female", "Male"], [[3, 4]])
    named, unnamed = tmp_path / "census2021-ts020-lsoa.csv", tmp_path / "sex.csv"
    named.write_text(text)
    unnamed.write_text(text)
    assert read.table(named).universe.members["population_base"] == {"short-term resident"}
    assert read.table(unnamed).universe is None, "TS008 and TS020 have the same headers"
    assert read.table(unnamed, universe="usual residents").universe.name == "usual residents"


def test_a_density_is_no_count(tmp_path):
    path = tmp_path / "census2021-ts006-lsoa.csv"
    path.write_text(
        'date,geography,geography code,"Population Density: Persons per square kilometre; measures: Value"\n2021,A,E01000001,100.5\n'
    )
    table = read.table(path)
    assert "not-counts" in [f.code for f in table.findings]
    assert table.universe is None


def test_unknown_bulk_tables_keep_categories_of_their_own_and_the_universe_of_their_total(tmp_path):
    path = tmp_path / "census2021-ts099-lsoa.csv"
    path.write_text(bulk("Favourite cake", "Total: All usual residents aged 16 years and over", ["Sponge", "Parkin"], [[3, 4]]))
    table = read.table(path)
    assert table.variable_names == ("favourite_cake",)
    assert [c.label for c in table.variables[0].categories] == ["Sponge", "Parkin"]
    assert "15" not in table.universe.members["age"]


def test_joint_bulk_headers_are_crossed(tmp_path):
    path = tmp_path / "census2021-rm121-ltla.csv"
    cells = [
        f"Sex: {s}; Age: {a}; measures: Value"
        for s in ("All persons", "Female", "Male")
        for a in ("Total", "Aged 15 years and under", "Aged 16 years and over")
    ]
    path.write_text(
        "date,geography,geography code," + ",".join(f'"{c}"' for c in cells) + "\n2021,Leeds,E08000035,10,4,6,5,1,4,5,3,2\n"
    )
    table = read.table(path)
    assert table.variable_names == ("sex", "age")
    assert table.counts.loc["E08000035"].to_dict() == {
        ("female", "0-15"): 1,
        ("female", "16+"): 4,
        ("male", "0-15"): 3,
        ("male", "16+"): 2,
    }
    assert table.total.tolist() == [10]


def test_2011_bulk_keeps_whole_areas_and_its_own_meanings(tmp_path):
    path = tmp_path / "accommodation.csv"
    labels = [
        "All categories: Accommodation type",
        "Unshared dwelling: Total",
        "Unshared dwelling: Whole house or bungalow: Total",
    ]
    labels += ["Unshared dwelling: Whole house or bungalow: Detached", "Unshared dwelling: Flat, maisonette or apartment: Total"]
    labels += [
        "Unshared dwelling: Flat, maisonette or apartment: Part of a converted or shared house (including bed-sits)",
        "Shared dwelling",
    ]
    header = '"date","geography","geography code","Rural Urban",' + ",".join(
        f'"Dwelling Type: {x}; measures: Value"' for x in labels
    )
    rows = ["Total", "Urban (total)", "Rural (total)"]
    path.write_text(
        "\n".join(
            [
                header,
                *(
                    f'"2011","Leeds","E08000035","{r}",{n},{n - 1},4,4,{n - 5},{n - 5},1'
                    for r, n in zip(rows, (20, 13, 12), strict=True)
                ),
            ]
        )
    )
    table = read.table(path)
    assert (table.year, table.standard_error, table.universe.unit) == (2011, 0.0, "household")
    assert table.counts.loc["E08000035"].to_dict() == {("detached",): 4, ("converted building",): 15, ("shared dwelling",): 1}
    converted = next(c for c in table.variables[0].categories if c.label == "converted building")
    assert converted.atoms == {"converted or shared house", "other converted building"}, "2011 did not tell them apart"


def test_2011_key_statistics_are_known_by_number_or_stem(tmp_path):
    labels = ["White: English/Welsh/Scottish/Northern Irish/British", "White: Other White", "Mixed/multiple ethnic groups: White and Asian",
              "Asian/Asian British: Chinese", "Black/African/Caribbean/Black British: African", "Other ethnic group: Arab"]  # fmt: skip
    path = tmp_path / "bulk.csv"
    path.write_text(bulk("Ethnic Group", "All categories: Ethnic group", labels, [[1, 2, 3, 4, 5, 6]], "; measures: Value", 2011))
    table = read.table(path)
    assert (table.name, table.universe.name, table.standard_error) == ("ks201", "usual residents", 0.0)
    assert "roma" in next(c.atoms for c in table.variables[0].categories if c.label == "other white"), (
        "Roma was Other White in 2011"
    )
    activity = ["Economically active: Employee: Part-time", "Economically active: Unemployed", "Economically inactive: Retired"]
    path = tmp_path / "KS601EW.csv"
    path.write_text(
        bulk("Economic Activity", "All usual residents aged 16 to 74", activity, [[1, 2, 3]], "; measures: Value", 2011)
    )
    assert read.table(path).universe.members["age"] == {str(a) for a in range(16, 75)}


def test_percentages_of_bulk_files_are_passed_over(tmp_path):
    path = tmp_path / "census2021-ts008-lsoa.csv"
    path.write_text(
        "date,geography,geography code,Sex: Female; measures: Value,Sex: Female; measures: Percent,Sex: Male; measures: Value,Sex: Male; measures: Percent\n"
        "2021,A,E01000001,3,30.0,7,70.0\n"
    )
    assert read.table(path).counts.loc["E01000001"].tolist() == [3, 7]
    path.write_text(
        "date,geography,geography code,Sex: Female; measures: Percent,Sex: Male; measures: Percent\n2021,A,E01000001,30.0,70.0\n"
    )
    with pytest.raises(InputError, match="percentages, no counts"):
        read.table(path)


def archive(path, *levels):
    with zipfile.ZipFile(path, "w") as file:
        for i, level in enumerate(levels):
            file.writestr(f"census2021-ts037-{level}.csv", bulk(rows=[[i, 0, 0, 0, 0]]))
        file.writestr("metadata/readme.txt", "see Nomis")
    return path


def test_zip_members_are_chosen_by_level(tmp_path):
    path = archive(tmp_path / "census2021-ts037.zip", "oa", "lsoa", "msoa", "ltla")

    def first(table):
        return int(table.counts.iat[0, 0])

    assert first(read.table(path)) == 1, "LSOAs, where nothing is said"
    assert first(read.table(path, member="oa")) == 0
    assert first(read.table(path, member="msoa")) == 2
    with pytest.raises(InputError, match="no files named 'ward'"):
        read.table(path, member="ward")
    assert first(read.table(archive(tmp_path / "b.zip", "msoa", "ltla"))) == 0, "the finest there is"


QUERY = """"TS037 - General health"
"ONS Crown Copyright Reserved [from Nomis on 12 March 2024]"
""
"Population :","All usual residents"
"Units      :","Persons"
"Date       :","2021"
""
"2021 super output area - lower layer","mnemonic","Total: All usual residents","Very good health","Good health","Fair health","Bad health","Very bad health"
"Leeds 001A","E01011264","1,465",807,491,137,24,6
"Leeds 001B","E01011265",1436,829,462,106,27,12
""
"In order to protect against disclosure of personal information, records have been swapped between different areas."
"Some counts will be affected, particularly small counts at the lowest geographies."
"""


def test_query_downloads_are_read_without_their_title_block_and_footnotes(tmp_path):
    path = tmp_path / "2841373812345.csv"
    path.write_text(QUERY)
    table = read.table(path)
    assert (table.name, table.variable_names, table.year) == ("ts037", ("health",), 2021)
    assert table.counts.index.tolist() == ["E01011264", "E01011265"]
    assert table.total.tolist() == [1465, 1436]
    assert table.counts.sum().tolist() == [1636, 953, 243, 51, 18]
    assert not {f.code for f in table.findings} & {"ragged-rows", "rows-without-zone"}


def test_percentages_of_query_downloads_are_passed_over(tmp_path):
    path = tmp_path / "query.csv"
    path.write_text(
        '"TS008 - Sex"\n"ONS Crown Copyright Reserved [from Nomis on 1 May 2024]"\n\n"Population :","All usual residents"\n"Date       :","2021"\n\n'
        '"local authority","mnemonic","Total: All persons",,"Female",,"Male",\n,,"number","%","number","%","number","%"\n'
        '"Leeds","E08000035",10,100.0,6,60.0,4,40.0\n"York","E06000014",20,100.0,11,55.0,9,45.0\n\n"Notes"\n'
    )
    table = read.table(path)
    assert table.counts.to_numpy().tolist() == [[6, 4], [11, 9]]
    assert table.universe.name == "usual residents"


def test_queries_of_unknown_tables_say_whom_they_count(tmp_path):
    path = tmp_path / "query.csv"
    path.write_text(
        QUERY.replace("TS037 - General health", "TS099 - Cake")
        .replace("Total: All usual residents", "Total")
        .replace("All usual residents", "All usual residents aged 16 and over")
        .replace(" health", " cake")
    )
    table = read.table(path)
    assert table.variable_names == ("cake",)
    assert table.universe.name == "usual residents aged 16 and over"


def api(rows=2, count=None, measures=True, name=True):
    header = ["DATE", "GEOGRAPHY_NAME", "GEOGRAPHY_CODE", "C2021_HEALTH_6"] + ["C2021_HEALTH_6_NAME"] * name
    header += ["MEASURES_NAME"] * measures + ["OBS_VALUE", "OBS_STATUS", "RECORD_OFFSET"] + ["RECORD_COUNT"] * (count is not None)
    lines = []
    labels = ["Total: All usual residents", *HEALTH]
    for z in range(rows):
        for i, label in enumerate(labels):
            for kind, value in (("Value", 15 if i == 0 else i), ("Percent", 7.5))[: 1 + measures]:
                row = ["2021", f"Area {z}", f"E0100{z:04d}", str(i)] + [f'"{label}"'] * name + [f'"{kind}"'] * measures
                lines.append(",".join([*row, str(value), "A", str(len(lines)), *([str(count)] if count is not None else [])]))
    return ",".join(f'"{h}"' for h in header) + "\n" + "\n".join(lines) + "\n"


def test_api_answers_are_pivoted_and_percentages_left_out(tmp_path):
    path = tmp_path / "NM_2055_1.data.csv"
    path.write_text(api(rows=3, count=36))
    table = read.table(path)
    assert (table.name, table.variable_names, table.standard_error) == ("ts037", ("health",), 0.5)
    assert table.counts.to_numpy().tolist() == [[1, 2, 3, 4, 5]] * 3
    assert table.total.tolist() == [15] * 3


def test_pages_of_one_answer_put_together_with_their_headers(tmp_path):
    path = tmp_path / "NM_2055_1.csv"
    lines = api(rows=4, count=48).splitlines()
    path.write_text("\n".join([*lines[:25], lines[0], *lines[25:]]) + "\n")
    table = read.table(path)
    assert table.counts.to_numpy().tolist() == [[1, 2, 3, 4, 5]] * 4


def test_an_api_answer_that_was_cut_is_refused(tmp_path):
    path = tmp_path / "health.csv"
    path.write_text(api(rows=3, count=40))
    with pytest.raises(InputError, match="36 of the 40 rows") as error:
        read.table(path)
    assert codes(error) == ["truncated-file"]
    lines = api(rows=2, measures=False).splitlines()
    path.write_text("\n".join([lines[0]] + [lines[1].replace("E01000000", f"E01{i:06d}") for i in range(25_000)]))
    with pytest.raises(InputError, match="exactly 25,000 rows") as error:
        read.table(path)
    assert codes(error) == ["truncated-file"]


def test_api_answers_without_labels_say_what_to_ask_for(tmp_path):
    path = tmp_path / "health.csv"
    path.write_text(api(name=False))
    with pytest.raises(InputError, match="_NAME"):
        read.table(path)


def test_several_files_by_pattern_with_every_problem_at_once(tmp_path):
    (tmp_path / "census2021-ts037-lsoa.csv").write_text(bulk())
    (tmp_path / "census2021-ts008-lsoa.csv").write_text(bulk("Sex", "All persons", ["Female", "Male"], [[3, 4]]))
    assert sorted(read.nomis(str(tmp_path / "*.csv"))) == ["ts008", "ts037"]
    (tmp_path / "broken.csv").write_text("")
    (tmp_path / "page.csv").write_text("<html><title>502 Bad Gateway</title></html>")
    with pytest.raises(InputError) as error:
        read.tables(str(tmp_path / "*.csv"))
    assert codes(error) == ["unreadable-file", "unreadable-file"]
    with pytest.raises(InputError, match="No file fits"):
        read.tables(str(tmp_path / "*.nothing"))
    with pytest.raises(InputError, match="cannot all be called"):
        read.tables(str(tmp_path / "*.csv"), name="x")


def test_two_files_of_one_table_are_told(tmp_path):
    for name in ("census2021-ts037-lsoa.csv", "census2021-ts037-oa.csv"):
        (tmp_path / name).write_text(bulk())
    with pytest.raises(InputError, match="both hold the table ts037"):
        read.tables(str(tmp_path / "*.csv"))
