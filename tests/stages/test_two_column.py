"""Populations of two columns: read in a stream, checked, written, and everything that can be wrong with such a file."""

import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import synthpop_gb as sp
from synthpop_gb import read
from synthpop_gb.errors import InputError
from synthpop_gb.export import two_column as write
from synthpop_gb.population import DonorCounts, ZoneDonors
from synthpop_gb.read import two_column_files
from synthpop_gb.testing import small_problem

RECORDS = pd.Index([68001367, 68004087, 68006127, 68006807], name="pidp")
ROWS = [
    ("E01000002", 68004087),
    ("E01000001", 68001367),
    ("E01000001", 68004087),
    ("E01000001", 68001367),
    ("S01006506", 68006127),
]


def text(rows=ROWS, header="ZoneID,pidp", comma=","):
    return "\n".join([header.replace(",", comma), *(comma.join(map(str, r)) for r in rows)]) + "\n"


def file(tmp_path, content, name="people.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def codes(made):
    """Codes of what was found, in reading or in refusing."""
    return {f.code for f in made.findings}


def refused(path, **options):
    with pytest.raises(InputError) as caught:
        read.two_column(path, **options)
    return caught.value


def as_rows(made):
    """{(zone, donor): people}."""
    zone = np.repeat(made.zones.to_numpy(), np.diff(made.counts.indptr))
    return dict(zip(zip(zone, made.donors[made.counts.record].tolist(), strict=True), made.counts.n.tolist(), strict=True))


EXPECTED = {("E01000001", 68001367): 2, ("E01000001", 68004087): 1, ("E01000002", 68004087): 1, ("S01006506", 68006127): 1}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("people.csv", text()),
        ("people.csv", text().replace("\n", "\r\n")),
        ("people.csv", "\ufeff" + text()),
        ("people.csv", '"ZoneID","pidp"\n' + "".join(f'"{z}","{d}"\n' for z, d in ROWS)),
        ("people.tab", text(comma="\t")),
        ("people.csv", text(comma=";")),
        ("people.csv.gz", gzip.compress(text().encode())),
        ("people.csv", text([(d, z) for z, d in ROWS], "donor,area")),
        ("people.csv", text([(i, "Leeds", z, d) for i, (z, d) in enumerate(ROWS)], "person_number,lad,lsoa11cd,k_pidp")),
        ("people.csv", text([(f" {z}", f"{d} ") for z, d in ROWS])),
        ("people.csv", text().encode("utf-16")),
    ],
)
def test_any_writing_of_the_same_rows_is_the_same_population(tmp_path, name, content):
    made = read.two_column(file(tmp_path, content, name), records=RECORDS)
    assert as_rows(made) == EXPECTED
    assert made.zones.tolist() == sorted(made.zones)
    assert (made.people, made.rows) == (5, 5)
    assert codes(made) - {"encoding"} == {"unused-donors"}
    assert made.donors is RECORDS


def test_counts_stand_for_rows(tmp_path):
    rows = [(*key, n) for key, n in EXPECTED.items()]
    made = read.two_column(file(tmp_path, text(rows, "ZoneID,pidp,n")))
    assert as_rows(made) == EXPECTED
    assert made.columns == ("ZoneID", "pidp", "n")


@pytest.mark.parametrize("kind", ["int64", "string", "dictionary"])
def test_parquet(tmp_path, kind):
    zone, donor = zip(*ROWS, strict=True)
    columns = {"ZoneID": pa.array(zone), "pidp": pa.array(donor)}
    if kind != "int64":
        columns["pidp"] = columns["pidp"].cast(pa.string())
    if kind == "dictionary":
        columns = {k: v.dictionary_encode() for k, v in columns.items()}
    pq.write_table(pa.table(columns), tmp_path / "people.parquet")
    assert as_rows(read.two_column(tmp_path / "people.parquet", records=RECORDS)) == EXPECTED


def test_without_a_survey_any_id_is_taken_and_order_of_rows_does_not_matter(tmp_path):
    one = read.two_column(file(tmp_path, text()))
    two = read.two_column(file(tmp_path, text(ROWS[::-1]), "b.csv"))
    assert one.donors.tolist() == [68001367, 68004087, 68006127]
    assert one.digest() == two.digest()
    assert one.findings == ()


def test_summary_by_hand(tmp_path):
    frame = read.two_column(file(tmp_path, text([*ROWS, ("E01000001", 5)])), records=RECORDS).summary().set_index("zone")
    first = frame.loc["E01000001"]
    assert first[["people", "donors", "copies_unknown"]].tolist() == [3, 2, 1]
    assert first["largest_share"] == pytest.approx(2 / 3)
    assert first["effective_donors"] == pytest.approx(9 / 5)
    assert frame["people"].sum() == 5


def test_many_rows_are_folded_on_the_way(tmp_path, monkeypatch):
    monkeypatch.setattr(two_column_files, "_PENDING", 2)
    monkeypatch.setattr("synthpop_gb.read._two_column_rows._BYTES", 64)
    rng = np.random.default_rng(3)
    rows = [(f"E0100{z:04d}", int(d)) for z, d in zip(rng.integers(1, 9, 400), rng.integers(1, 30, 400), strict=True)]
    made = read.two_column(file(tmp_path, text(rows)))
    expected = pd.Series(rows).value_counts().to_dict()
    assert as_rows(made) == expected


# what can be wrong


def test_everything_is_said_at_once(tmp_path):
    rows = [*ROWS * 10, ("", 68001367), ("E01000001", ""), ("E01000001", 99), ("ZoneID", "pidp"), ("oddzone", 68001367)]
    made = read.two_column(file(tmp_path, text(rows) + "E01000001,1,2\n"), records=RECORDS, zones=["E01000001", "E01000009"])
    assert codes(made) == {
        "rows-without-zone", "missing-value", "unknown-donor", "repeated-rows", "ragged-rows", "unused-donors", "unknown-zone",
        "missing-zone",
    }  # fmt: skip
    count = {f.code: f.count for f in made.findings}
    assert (count["rows-without-zone"], count["missing-value"], count["repeated-rows"], count["ragged-rows"]) == (1, 1, 1, 1)
    assert made.people == 51
    assert made.unknown.to_dict() == {"E01000001": 1}


def test_ids_that_are_written_otherwise_are_found(tmp_path):
    rows = [(z, f"{d}.0") for z, d in ROWS]
    made = read.two_column(file(tmp_path, text(rows)), records=RECORDS)
    assert as_rows(made) == EXPECTED
    assert next(f for f in made.findings if f.code == "lost-digits").level == "warning"
    noughts = read.two_column(file(tmp_path, text([("E01000001", 7)]), "b.csv"), records=pd.Index(["007", "008"]))
    assert as_rows(noughts) == {("E01000001", "007"): 1}


def test_ids_with_an_exponent_are_refused(tmp_path):
    error = refused(file(tmp_path, text([*ROWS, ("E01000001", "6.80014E+07")])), records=RECORDS)
    assert codes(error) >= {"lost-digits", "unknown-donor"}
    assert next(f for f in error.findings if f.code == "lost-digits").level == "error"


def test_floats_of_parquet(tmp_path):
    zone, donor = zip(*ROWS, strict=True)
    pq.write_table(pa.table({"ZoneID": zone, "pidp": pa.array(donor, pa.float64())}), tmp_path / "f.parquet")
    assert as_rows(read.two_column(tmp_path / "f.parquet", records=RECORDS)) == EXPECTED
    pq.write_table(pa.table({"ZoneID": zone, "pidp": pa.array(np.array(donor, np.float32))}), tmp_path / "g.parquet")
    assert "unknown-donor" in codes(refused(tmp_path / "g.parquet", records=RECORDS))


def test_another_survey_is_an_error_and_a_few_unknown_a_warning(tmp_path):
    path = file(tmp_path, text())
    error = refused(path, records=pd.Index([1, 2, 3]))
    (found,) = (f for f in error.findings if f.code == "unknown-donor")
    assert found.level == "error"
    assert found.rows["people"].sum() == 5
    few = read.two_column(path, records=RECORDS.drop(68006127))
    assert next(f for f in few.findings if f.code == "unknown-donor").level == "warning"


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([("S01000001", 1), ("S01006506", 1)], "zone-vintage"),
        ([("S01006506", 1), ("S01013482", 1)], "zone-vintage"),
        ([("E01000001", 1), ("E02000001", 1)], "mixed-levels"),
    ],
)
def test_zones_of_two_years_or_levels(tmp_path, rows, code):
    assert code in codes(refused(file(tmp_path, text(rows))))


def test_more_zones_than_there_are(tmp_path):
    rows = [(f"W01{i:06d}", 1) for i in range(1, 1911)]
    assert "zone-vintage" in codes(refused(file(tmp_path, text(rows))))
    assert read.two_column(file(tmp_path, text(rows[:-1]))).findings == ()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "unreadable-file"),
        ("ZoneID,pidp\n", "unreadable-file"),
        ("<!doctype html><title>Log in</title>", "unreadable-file"),
        (b"\x00\x01\x02\x03" * 50, "unreadable-file"),
        (b"PK\x03\x04 a zip", "unreadable-file"),
        (b"PAR1 not really", "unreadable-file"),
        (gzip.compress(text(ROWS * 5000).encode())[:-200], "unreadable-file"),
        (text(comma="~"), "unreadable-file"),
        (text([(z, d, 1) for z, d in ROWS], "ZoneID,pidp,ZoneID"), "unknown-layout"),
        (text([(1.5, 2.5, 3.5)] * 3, "x,y,z"), "unknown-layout"),
        (text([(z, d, -1) for z, d in ROWS], "ZoneID,pidp,n"), "negative-count"),
        (text([(z, d, "many") for z, d in ROWS], "ZoneID,pidp,n"), "not-a-number"),
        (text([(z, d, 1.5) for z, d in ROWS], "ZoneID,pidp,n"), "fractional-count"),
        (text([*((z, d, 1) for z, d in ROWS), ("E01000001", 1, "")], "ZoneID,pidp,n"), "missing-count"),
        (text([("", 1), ("", 2)]), "rows-without-zone"),
        (text() + "E01000001,", "truncated-file"),
        (text() + "E0100", "truncated-file"),
    ],
)
def test_broken_files_are_findings(tmp_path, content, code):
    assert code in codes(refused(file(tmp_path, content)))


def test_rows_of_a_worksheet_are_a_cut_file(tmp_path):
    assert "truncated-file" in codes(refused(file(tmp_path, text([("E01000001", 1)] * 65_535))))


def test_missing_files_and_columns(tmp_path):
    assert codes(refused(tmp_path / "none.csv")) == {"missing-file"}
    error = refused(file(tmp_path, text()), zone="nowhere", donor="nobody")
    assert [f.code for f in error.findings] == ["missing-column"] * 2


def test_a_last_line_without_an_end_is_fine(tmp_path):
    assert read.two_column(file(tmp_path, text().rstrip("\n"))).people == 5


def test_a_file_without_a_header(tmp_path):
    made = read.two_column(file(tmp_path, text().split("\n", 1)[1]))
    assert as_rows(made) == EXPECTED
    assert codes(made) == {"unknown-layout"}


def test_a_column_that_is_no_donor(tmp_path, monkeypatch):
    monkeypatch.setattr(two_column_files, "_DISTINCT", 3)
    error = refused(file(tmp_path, text([("E01000001", i) for i in range(10)])))
    assert codes(error) == {"unknown-layout"}


# writing


@pytest.fixture(scope="module")
def population():
    return sp.solve(small_problem(), seed=1)


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_written_and_read_back_it_is_the_same(population, tmp_path, ending):
    path = write(population, tmp_path / f"out{ending}", columns=("zone", "donor"))
    made = read.two_column(path, zone="zone", donor="donor")
    assert made.people == population.people
    assert made.digest() == population.digest()
    again = write(made, tmp_path / f"again{ending}", columns=("zone", "donor"))
    assert again.read_bytes() == path.read_bytes()


def test_ids_in_text_cannot_be_formulas(tmp_path):
    counts = DonorCounts(
        pd.Index(["=cmd()", "E2"]), np.array([0, 1, 3]), np.array([0, 0, 1], np.int32), np.array([2, 1, 1], np.int32)
    )
    made = ZoneDonors("x", counts, pd.Index(["=1+1", "+2"]), 4, ("a", "b"))
    written = write(made, tmp_path / "x.csv").read_text().replace('"', "")
    assert written.splitlines() == ["ZoneID,pidp", "'=cmd(),'=1+1", "'=cmd(),'=1+1", "E2,'=1+1", "E2,'+2"]


def test_writing_refuses(population, tmp_path):
    for path, code in ((tmp_path / "x.xlsx", "study-value"), (file(tmp_path, "mine", "x.csv"), "output-exists")):
        with pytest.raises(InputError) as caught:
            write(population, path)
        assert codes(caught.value) == {code}
    with pytest.raises(InputError):
        write(population, tmp_path / "y.csv", columns=("a", "a"))
    assert (tmp_path / "x.csv").read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["x.csv"]


def test_what_was_not_written_is_noticed(population, tmp_path, monkeypatch):
    from synthpop_gb.export import two_column as function

    module = __import__("sys").modules[function.__module__]
    whole = module._people
    monkeypatch.setattr(module, "_people", lambda block: list(whole(block))[:-1])
    with pytest.raises(OSError, match="was not written"):
        write(population, tmp_path / "x.csv")
    assert not list(tmp_path.iterdir())


def test_zones_by_position():
    counts = DonorCounts(
        pd.Index(["a", "b", "c"]), np.array([0, 2, 2, 3]), np.array([1, 2, 0], np.int32), np.array([3, 4, 5], np.int32)
    )
    taken = counts.at([2, 0])
    assert taken.zones.tolist() == ["c", "a"]
    assert taken.indptr.tolist() == [0, 1, 3]
    assert (taken.record.tolist(), taken.n.tolist()) == ([0, 1, 2], [5, 3, 4])
