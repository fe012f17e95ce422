"""Files as they should not be: each is refused or noticed in words, none is misread in silence."""
# ruff: noqa: E501 - rows of files stand as publishers write them

import gzip

import pytest

from synthpop_gb import read
from synthpop_gb.errors import InputError


def put(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def refused(path, **more):
    with pytest.raises(InputError) as error:
        read.table(path, **more)
    assert all(f.place and f.message and f.why and f.remedy for f in error.value.findings)
    return [f.code for f in error.value.findings]


def noticed(path, **more):
    return {f.code: f for f in read.table(path, **more).findings}


def test_a_missing_file_with_the_nearest_name(tmp_path):
    put(tmp_path / "health.csv", "zone,good\nA,1\n")
    with pytest.raises(InputError, match=r"Did you mean health\.csv"):
        read.table(tmp_path / "helth.csv")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""), ("blank.csv", b"\n\n  \n"), ("header.csv", b"zone,female,male\n"), ("page.csv", b"<!DOCTYPE html><html><title>Error</title></html>"),
        ("xml.csv", b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>"), ("binary.csv", bytes(range(256)) * 40),
        ("broken.parquet", b"PAR1 and nothing more"), ("broken.zip", b"PK\x03\x04 and nothing more"), ("prose.txt", b"There is no table here.\n"),
        ("cut.csv.gz", gzip.compress(b"zone,female,male\n" + b"A,1,2\n" * 5000)[:60]),
    ],
)  # fmt: skip
def test_files_that_are_no_tables(tmp_path, name, content):
    assert refused(put(tmp_path / name, content)) == ["unreadable-file"]


def test_a_web_page_is_quoted(tmp_path):
    with pytest.raises(InputError, match="web page that says '403 Forbidden'"):
        read.table(put(tmp_path / "t.csv", "<html><head><title>403 Forbidden</title></head></html>"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_delimiters_and_encodings(tmp_path, delimiter, encoding):
    text = "\n".join(
        delimiter.join(r)
        for r in (["zone", "name", "female", "male"], ["W06000002", "Ynys Môn", "1", "2"], ["W06000001", "Gwynedd", "3", "4"])
    )
    path = put(tmp_path / "t.csv", text.encode(encoding))
    table = read.table(path)
    assert table.counts.to_numpy().tolist() == [[1, 2], [3, 4]]
    assert ("encoding" in [f.code for f in table.findings]) == (encoding in ("utf-16", "latin-1"))


def test_headers_over_several_lines_with_notes(tmp_path):
    text = '\ufeffArea code [note 2],Area name,All persons,"Aged 4 years and under\n[note 12]","Aged 5 years and over\n[note 12]"\nE06000047,County Durham,"522,100","28,400","493,700"\n'
    table = read.table(put(tmp_path / "t.csv", text))
    assert table.counts.loc["E06000047"].to_dict() == {("0-4",): 28400, ("5+",): 493700}
    assert table.total.tolist() == [522100]


@pytest.mark.parametrize(
    "mark", ["c", "*", "**", "..", ":", "[c]", "x", "-", "<5", "~", "suppressed", "#N/A", "n/a", "12%", "=1+1"]
)
def test_marks_stay_marks_and_are_said(tmp_path, mark):
    path = put(tmp_path / "t.csv", f"zone,female,male\nE01000001,1,2\nE01000002,{mark},4\nE01000003,5,6\nE01000004,7,8\n")
    table = read.table(path)
    assert table.counts[("female",)].tolist() == [1, mark, 5, 7]
    found = next(f for f in table.findings if f.code == "marked-cells")
    assert found.rows.to_dict("records") == [{"zone": "E01000002", "cell": "female", "value": mark}]
    assert found.level == "note", "only a study of that zone has to be refused"


def test_marks_late_in_a_large_file_do_not_stop_the_reading(tmp_path):
    rows = [f"E01{i:06d},{i},{i + 1}" for i in range(60_000)]
    rows[-1] = "E01059999,c,3"
    table = read.table(put(tmp_path / "t.csv", "zone,female,male\n" + "\n".join(rows) + "\n"))
    assert table.counts.iat[-1, 0] == "c"
    assert table.counts.iat[-2, 0] == 59_998


def test_blank_cells_are_blank_not_nought(tmp_path):
    table = read.table(put(tmp_path / "t.csv", "zone,female,male\nE01000001,,2\nE01000002,3,4\n"))
    assert table.counts.isna().to_numpy().sum() == 1


def test_negative_and_fractional_counts_come_through_for_the_check(tmp_path):
    table = read.table(put(tmp_path / "t.csv", "zone,female,male\nE01000001,-1,2.5\n"))
    assert table.counts.loc["E01000001"].tolist() == [-1, 2.5]


def test_thousands_separators_and_quoted_numbers(tmp_path):
    table = read.table(put(tmp_path / "t.csv", 'zone,female,male\n"E01000001","1,234","5"\nE01000002,"12 345",6\n'))
    assert table.counts[("female",)].tolist() == [1234, 12345]


def test_the_same_zone_twice(tmp_path):
    assert refused(put(tmp_path / "a.csv", "zone,female,male\nA,1,2\nA,1,3\n")) == ["duplicate-zone"]
    same = noticed(put(tmp_path / "b.csv", "zone,female,male\nA,1,2\nB,3,4\nA,1,2\n"))
    assert same["repeated-rows"].count == 1
    assert refused(put(tmp_path / "c.csv", "zone,sex,count\nA,female,1\nA,male,2\nA,female,3\n")) == ["duplicate-zone"]
    assert "repeated-rows" in noticed(put(tmp_path / "d.csv", "zone,sex,count\nA,female,1\nA,male,2\nA,female,1\n"))


def test_exactly_25_000_long_rows_are_a_cut_download(tmp_path):
    rows = [f"E01{z:06d},{sex},{z}" for z in range(12_500) for sex in ("female", "male")]
    path = put(tmp_path / "sex_by_age.csv", "zone,sex,count\n" + "\n".join(rows) + "\n")
    assert refused(path) == ["truncated-file"]
    assert len(read.table(put(path, "zone,sex,count\n" + "\n".join(rows[:-2]) + "\n")).counts) == 12_499


def test_footers_and_sums_over_areas(tmp_path):
    text = "area code,female,male\nE01000001,1,2\nE01000002,3,4\nTotal,4,6\n,,\nSource: a council,,\n"
    table = read.table(put(tmp_path / "t.csv", text))
    assert table.counts.index.tolist() == ["E01000001", "E01000002"]
    assert "rows-without-zone" in [f.code for f in table.findings]


def test_levels_of_geography_mixed_in_one_file(tmp_path):
    found = noticed(put(tmp_path / "t.csv", "area code,female,male\nE92000001,4,6\nE12000001,1,2\nE12000002,3,4\n"))
    assert "2 region, 1 country" in found["mixed-levels"].message


def test_zones_of_another_census_than_the_year(tmp_path):
    path = put(tmp_path / "t.csv", "zone,female,male\nE01000001,1,2\nE01035762,3,4\n")
    assert read.table(path).year == 2021
    assert "year-unlike-zones" in noticed(path, year=2011)
    assert "year-unlike-zones" not in noticed(put(tmp_path / "s.csv", "zone,female,male\nS01006506,1,2\n"), year=2022)


def test_rows_with_too_many_cells_are_said(tmp_path):
    found = noticed(put(tmp_path / "t.csv", "zone,name,female,male\nA,x,1,2\nB,York, east,3,4\nC,y,5,6\n"))
    assert found["ragged-rows"].count == 1
    assert "York, east" in found["ragged-rows"].message


def test_columns_that_cannot_be_told(tmp_path):
    path = put(tmp_path / "t.csv", "zone,purple,green\nA,1,2\n")
    assert refused(path) == ["unknown-layout"]
    assert read.table(path, variables=["colour"]).variable_names == ("colour",)
    assert refused(put(tmp_path / "n.csv", "purple,green\n1,2\n")) == ["unknown-layout"], "no zones"
    assert refused(put(tmp_path / "w.csv", "zone,name\nA,B\n")) == ["unknown-layout"], "no counts"
    assert refused(path, zone="zoen") == ["missing-column"]
    assert refused(path, columns={"purpel": "male"}) == ["missing-column"]
    assert refused(path, variables=["sex", "age"]) == ["unknown-layout"]
    assert refused(path, variables=["colour"], universe="bananas") == ["universe-unknown"]
    with pytest.raises(InputError, match="Did you mean 'purple'"):
        read.table(path, columns={"purpel": "male"})


def test_lookups_and_surveys_are_not_taken_for_tables(tmp_path):
    assert refused(put(tmp_path / "lookup.csv", "LSOA21CD,LSOA21NM,LAD22CD\nE01000001,A,E09000001\nE01000002,B,E09000001\n")) == [
        "unknown-layout"
    ]
    assert refused(
        put(tmp_path / "survey.csv", "person,region,age,sex,income\n1,E12000001,34,male,300\n2,E12000001,35,female,400\n")
    ) == ["unknown-layout"]


def test_labels_that_are_formulas_or_markup_stay_text(tmp_path):
    path = put(tmp_path / "t.csv", "zone,\"=cmd|' /C calc'!A0\",<script>alert(1)</script>\nA,1,2\n")
    labels = [c.label for c in read.table(path, variables=["thing"]).variables[0].categories]
    assert labels == ["=cmd|' /C calc'!A0", "<script>alert(1)</script>"]


def test_equal_headers_with_other_counts(tmp_path):
    assert refused(put(tmp_path / "a.csv", "zone,female,female,male\nA,1,2,3\n")) == ["unknown-layout"]
    assert read.table(put(tmp_path / "b.csv", "zone,female,female,male\nA,1,1,3\n")).counts.loc["A"].tolist() == [1, 3]


def test_every_finding_of_a_refused_file_is_carried(tmp_path):
    path = put(tmp_path / "t.csv", "zone,name,female,male\nA,Môn,1,2\nA,Môn,3,4\nB,x,y,5,6\n".encode("latin-1"))
    assert set(refused(path)) == {"duplicate-zone", "encoding", "ragged-rows"}
