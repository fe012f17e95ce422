"""Two populations compared on the command line: runs and files of two columns, with their surveys; and what cannot be."""

import re

import numpy as np
import pandas as pd
import pytest

import synthpop_gb as sp
from synthpop_gb.errors import InputError
from synthpop_gb.pipeline._common_codes import common_codes
from synthpop_gb.pipeline.comparing import compare
from synthpop_gb.pipeline.demo import demo_study
from tests.command_line import finished_run, invoke
from tests.stages.nouns import ADULTS, EVERYBODY, ages, people, variable

HOSTILE = "<img src=x onerror=alert(1)>.csv"


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    """Files of a county of twelve zones and two studies of it that differ in their seed."""
    folder = tmp_path_factory.mktemp("county")
    sp.datasets.make_county("penmarrow", zones=12, seed=5, survey_persons=1500).write(folder)
    text = demo_study(".").split("[truth]")[0].replace('"ethnic_group", "qualification", "economic_activity"', '"ethnic_group"')
    text = re.sub(r"\n.*(qualification|economic_activity)\.csv.*", "", text)
    text = re.sub(r"replicates = .*", 'replicates = { number = 12, sources = ["whole"] }', text)
    (folder / "a.toml").write_text(text, encoding="utf-8")
    (folder / "b.toml").write_text(
        re.sub(r"seed = \d+", "seed = 8", text).replace("replicates", "# replicates"), encoding="utf-8"
    )
    return folder


@pytest.fixture(scope="module")
def runs(county, tmp_path_factory):
    """Two finished runs and a file of two columns made from the first."""
    folder = tmp_path_factory.mktemp("runs")
    a, b = (finished_run(county / f"{x}.toml", folder / x) for x in "ab")
    result = invoke("expand", a, "--to", folder / "a.csv", "--format", "two-column")
    assert result.exit_code == 0, result.output
    return a, b, folder / "a.csv"


def test_a_file_made_from_a_run_is_that_run(runs, tmp_path):
    a, _, file = runs
    rows = pd.read_csv(file)
    assert rows.columns.tolist() == ["ZoneID", "pidp"]
    assert len(rows) == pd.read_parquet(a / "population" / "counts.parquet")["n"].sum()
    result = invoke("compare", a, file, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "identical in all that was counted: yes" in result.output
    assert "populations-differ" not in result.output
    assert "the same in everything that was counted" in (tmp_path / "out" / "compare.html").read_text(encoding="utf-8")


def test_another_seed_is_luck(runs, tmp_path):
    a, b, _ = runs
    checks = compare(a, b, output=tmp_path).checks
    assert checks.headline["noise"] == "replicates of demo-county (A) (whole)"
    assert (checks["compare_groups"]["q"] <= 0.05).sum() <= 2  # of hundreds; 5 % is what is tolerated
    assert (checks["compare_groups"]["q"] > 0.01).all()
    assert checks.headline["identical in all that was counted"] == "no"
    assert checks["compare_tables"]["ratio"].median() == pytest.approx(1, abs=0.15)
    assert (tmp_path / "compare.html").exists()


def test_tables_and_page_are_written_and_safe(runs, tmp_path):
    a, _, file = runs
    moved = pd.read_csv(file, dtype=str)
    first, last = moved["ZoneID"].iloc[[0, -1]]
    swapped = {first: last, last: first}
    moved["ZoneID"] = moved["ZoneID"].map(lambda z: swapped.get(z, z))
    moved.to_csv(tmp_path / HOSTILE, index=False)
    result = invoke("compare", a, tmp_path / HOSTILE, "-o", tmp_path / "out", "--by", "age", "--by", "sex", "--by", "health")
    assert result.exit_code == 0, result.output
    assert "[populations-differ]" in result.output
    names = [f"compare_{n}" for n in ("coverage", "groups", "tables", "zones")]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(
        ["compare.html", *(f"{n}{s}" for n in names for s in (".csv", ".parquet"))]
    )
    zones = pd.read_parquet(tmp_path / "out" / "compare_zones.parquet")
    assert set(zones["zone"].head(2)) == {first, last}
    written = pd.read_csv(tmp_path / "out" / "compare_zones.csv")
    pd.testing.assert_frame_equal(written[["zone", "tvd", "q"]], zones[["zone", "tvd", "q"]])
    page = (tmp_path / "out" / "compare.html").read_text(encoding="utf-8")
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert "data:image/png;base64," in page  # the map of where
    assert "http" not in page.split("</style>")[1]
    again = invoke("compare", a, tmp_path / HOSTILE, "-o", tmp_path / "out")
    assert again.exit_code == 1
    assert "[output-exists]" in again.output
    assert invoke("compare", a, tmp_path / HOSTILE, "-o", tmp_path / "out", "--overwrite", "--no-pairs").exit_code == 0


def test_two_files_with_a_survey_named_either_way(runs, county, tmp_path):
    _, _, file = runs
    result = invoke("compare", file, file, "--survey", county / "a.toml")
    assert result.exit_code == 0, result.output
    assert "identical in all that was counted: yes" in result.output
    records = invoke("compare", file, file, "--survey", county / "survey.csv", "--survey", county / "a.toml", "--id", "person")
    assert records.exit_code == 0, records.output
    assert "identical in all that was counted: yes" in records.output


def refused(*arguments):
    result = invoke("compare", *arguments)
    assert result.exit_code == 1, result.output
    return result.output


def test_what_cannot_be_compared_is_said(runs, county, tmp_path):
    a, _, file = runs
    assert "[study-missing]" in refused(file, file)
    assert "[study-value]" in refused(a, file, "--survey", county / "a.toml", "--survey", county / "a.toml")
    assert "[unknown-variable]" in refused(a, file, "--by", "shoe size")
    (tmp_path / "other.csv").write_text("ZoneID,pidp\nE01000001,nobody\nE01000001,none\n", encoding="utf-8")
    assert "[unknown-donor]" in refused(a, tmp_path / "other.csv")
    donor = pd.read_csv(file)["pidp"].iloc[0]
    (tmp_path / "elsewhere.csv").write_text(f"ZoneID,pidp\nS01006506,{donor}\n", encoding="utf-8")
    assert "[no-zones]" in refused(a, tmp_path / "elsewhere.csv")
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    assert "[missing-file]" in refused(tmp_path, file)
    assert "[unreadable-file]" in refused(a, tmp_path / "empty.csv")


def test_every_problem_of_both_comes_at_once(tmp_path):
    (tmp_path / "x.csv").write_text("", encoding="utf-8")
    (tmp_path / "run").mkdir()
    (tmp_path / "s.csv").write_text("id,sex\n1,male\n2,female\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        compare(tmp_path / "run", tmp_path / "x.csv", survey=tmp_path / "s.csv", id="id")
    assert {f.code for f in caught.value.findings} == {"missing-file", "unreadable-file"}


# common categories of two surveys


def microdata(records, variables, universe=EVERYBODY, name="s"):
    from synthpop_gb.microdata import Microdata

    return Microdata(name, records, {v.name: v for v in variables}, universe)


AGE = ages(0, 16, 25, 45, 65)
HEALTH = variable("health", "good", "fair", "bad")


def test_two_codings_meet_in_what_both_can_say():
    rng = np.random.default_rng(1)
    records = people(300, rng)
    a = microdata(records, [AGE, HEALTH, variable("sex", "male", "female")])
    coarse = ages(0, 25, 45, 65)
    b_records = records.assign(
        age=records["age"].map(lambda x: "0" if int(x) < 25 else x), health=records["health"].map({1: 1, 2: 2, 3: 2}), pet=1
    )
    b = microdata(
        b_records, [coarse, variable("health", "good", "not good", **{"not good": ["fair", "bad"]}), variable("pet", "cat")]
    )
    made = common_codes(a, b)
    assert made.a.names == ("age", "health")
    assert made.a.labels == made.b.labels == (("0-24", "25-44", "45-64", "65+"), ("good", "not good"))
    assert (made.a.codes == made.b.codes).all()
    assert made.inside[0].all()


def test_ages_that_one_covers_in_part_are_left_out():
    rng = np.random.default_rng(1)
    records = people(300, rng)
    a = microdata(records, [ages(0, 10, 25, 45, 65)])
    a.records["age"] = records["age"].replace({"16": "10"})
    b = microdata(records[records["age"].astype(int) >= 16], [ages(16, 25, 45, 65)], ADULTS)
    made = common_codes(a, b)
    assert made.a.labels[0] == ("0-9", "10-24", "25-44", "45-64", "65+")
    assert [f.code for f in made.findings] == ["other-universe"]
    assert (~made.inside[0]).sum() == (a.records["age"] == "10").sum()
    assert (~made.inside[1]).sum() == (b.records["age"] == "16").sum()


def test_missing_and_unknown_values_are_a_category_of_their_own():
    records = people(40, np.random.default_rng(1))
    records["health"] = records["health"].astype(object)
    records.loc[records.index[:3], "health"] = [9, 9, None]
    made = common_codes(microdata(records, [HEALTH]), microdata(records, [HEALTH]), ["health"])
    assert made.a.labels[0] == ("good", "fair", "bad", "(missing)")
    assert (made.a.codes[:3, 0] == 3).all()
    assert (made.a.codes[3:, 0] < 3).all()


def test_single_years_are_put_into_bands():
    years = ages(*range(100))
    records = pd.DataFrame({"age": [str(x) for x in range(100)]})
    made = common_codes(microdata(records, [years]), microdata(records, [years]))
    assert made.a.labels[0] == ("0-15", "16-24", "25-34", "35-44", "45-54", "55-64", "65-74", "75-84", "85+")
    assert made.a.codes[[0, 15, 16, 85, 99], 0].tolist() == [0, 0, 1, 8, 8]
