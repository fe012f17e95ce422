"""Twenty-five kinds of broken input through the command line: the code named, exit code 1, no traceback, nothing written."""

import json
import re
import shutil

import pandas as pd
import pytest
from click.testing import CliRunner

import synthpop_gb as sp
from synthpop_gb.cli import main

STUDY = """
name = "broken"
constraints = ["age", "sex", "health"]
held_out = ["age x sex"]
tables = ["tables/age.csv", "tables/sex.csv", "tables/health.csv", "held_out/age_by_sex.csv"]
[survey]
path = "survey.csv"
id = "person"
weight = "weight"
universe = "usual residents"
[zones]
lookup = "lookup.csv"
boundaries = "boundaries.geo.parquet"
"""


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    sp.datasets.make_county("penmarrow", zones=12, seed=5, survey_persons=1500).write(folder)
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    return folder


@pytest.fixture
def here(good, tmp_path):
    shutil.copytree(good, tmp_path / "in")
    return tmp_path / "in"


def edit(path, old, new, count=-1):
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {path.name}"
    path.write_text(text.replace(old, new, count), encoding="utf-8")


def frame(path, change):
    table = pd.read_csv(path, dtype=object)
    change(table).to_csv(path, index=False)


def put(row, column, value):
    def change(table):
        table.loc[row, column] = value
        return table

    return change


def study(old, new):
    return lambda here: edit(here / "study.toml", old, new)


def table(change, name="tables/health.csv"):
    return lambda here: frame(here / name, change)


def survey(change):
    return lambda here: frame(here / "survey.csv", change)


def zones_of_2011(here):
    """Tables of LSOAs (2011) for a study of LSOAs (2021)."""
    for name in ("tables/age.csv", "tables/sex.csv", "tables/health.csv", "held_out/age_by_sex.csv", "lookup.csv"):
        edit(here / name, "D01100", "E01033" if name == "tables/health.csv" else "E01011")
    edit(here / "study.toml", 'boundaries = "boundaries.geo.parquet"', "")


def a_third(counts):
    """Counts of somebody else: a third of the people."""
    return counts.assign(**{c: (pd.to_numeric(counts[c]) // 3).astype(str) for c in counts.columns[1:]})


def adults_only(here):
    """A survey without children, against tables of everybody."""
    survey(lambda t: t[pd.to_numeric(t["age"]) >= 16])(here)
    study('"usual residents"', '"usual residents aged 16 and over"')(here)


def truncated(here):
    """A download that stops at the 25,000 rows of the guest limit."""
    codes = [f"E{i:08d}" for i in range(1, 25_001)]
    rows = pd.DataFrame({"GEOGRAPHY_CODE": codes, "C2021_HEALTH_6": 1, "C2021_HEALTH_6_NAME": "Very good health", "OBS_VALUE": 5})
    rows.assign(RECORD_OFFSET=range(25_000), RECORD_COUNT=60_000).to_csv(here / "tables" / "health.csv", index=False)


KINDS = {
    "study: not TOML": (study("name =", "name ="[:-1]), "study-syntax"),
    "study: unknown key": (study("[zones]", "[zones]\nparnet = 1"), "study-key"),
    "study: wrong value": (study('"broken"', "7"), "study-value"),
    "study: missing key": (study('path = "survey.csv"\n', ""), "study-missing"),
    "study: unset variable": (study('"survey.csv"', '"${NOT_SET_ANYWHERE}/s.csv"'), "study-environment"),
    "study: unknown constraint": (study('"health"]', '"health", "shoe_size"]'), "study-reference"),
    "study: unknown parent": (study("[zones]", '[zones]\nparent = { district = "Nowhere" }'), "no-zones"),
    "study: unknown method": (study("[zones]", '[method]\nname = "ipff"\n[zones]'), "study-value"),
    "study: recode two ways": (study("[zones]", "[recode.age]\nbands = [0, 16]\nmerge = [['0-15']]\n[zones]"), "study-value"),
    "study: two parents": (study("[zones]", '[zones]\nparent = { district = "a", county = "b" }'), "study-value"),
    "study: map of nothing": (study("[zones]", '[[maps]]\nindicator = "helth = 1"\n[zones]'), "bad-condition"),
    "file: missing": (lambda here: (here / "tables" / "sex.csv").unlink(), "missing-file"),
    "file: empty": (lambda here: (here / "tables" / "sex.csv").write_bytes(b""), "unreadable-file"),
    "file: a web page": (lambda here: (here / "tables" / "sex.csv").write_text("<!DOCTYPE html><body>Sorry"), "unreadable-file"),
    "file: not Parquet": (lambda here: (here / "boundaries.geo.parquet").write_bytes(b"PAR1 no"), "unreadable-file"),
    "table: cut at 25,000 rows": (truncated, "truncated-file"),
    "table: words for counts": (table(put(3, "bad", "suppressed")), "not-a-number"),
    "table: negative": (table(put(3, "bad", "-4")), "negative-count"),
    "table: blank cell": (table(put(3, "bad", None)), "missing-count"),
    "table: zone twice": (table(lambda t: pd.concat([t, t.iloc[[0]].assign(bad="9")])), "duplicate-zone"),
    "table: zone missing": (table(lambda t: t.iloc[1:]), "missing-zone"),
    "table: zones of another year": (zones_of_2011, "missing-zone"),
    "table: other universe's size": (table(a_third), "total-mismatch"),
    "survey: column missing": (study('weight = "weight"', 'weight = "wieght"'), "missing-column"),
    "survey: unknown code": (survey(put(7, "health", "dreadful")), "unmapped-code"),
    "survey: id twice": (survey(put(7, "person", "P0000001")), "duplicate-record"),
    "survey: weight missing": (survey(put(7, "weight", None)), "missing-weight"),
    "survey: weight negative": (survey(put(7, "weight", "-1")), "negative-weight"),
    "survey: nobody for a cell": (survey(lambda t: t[t["health"] != "very bad"]), "empty-cell"),
    "survey: adults only": (adults_only, "narrow-universe"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_broken_input_is_named_and_nothing_is_written(here, tmp_path, monkeypatch, kind):
    monkeypatch.delenv("NOT_SET_ANYWHERE", raising=False)
    break_it, code = KINDS[kind]
    break_it(here)
    before = sorted(str(p) for p in here.rglob("*"))
    result = CliRunner().invoke(main, ["run", str(here / "study.toml"), "-o", str(tmp_path / "out")])
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1
    assert f"[{code}]" in result.output, result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "out").exists()
    assert sorted(str(p) for p in here.rglob("*")) == before


def test_there_are_twenty_five_kinds():
    assert len(KINDS) >= 25


def test_several_faults_come_at_once(here):
    for kind in ("table: words for counts", "survey: unknown code", "survey: weight negative", "study: unknown constraint"):
        KINDS[kind][0](here)
    table(put(1, "male", "-2"), "tables/sex.csv")(here)
    result = CliRunner().invoke(main, ["check", str(here / "study.toml"), "--json"])
    codes = {f["code"] for f in json.loads(result.output) if f["level"] == "error"}
    assert result.exit_code == 1
    assert {"not-a-number", "negative-count", "unmapped-code", "negative-weight", "study-reference"} <= codes


def test_a_missing_file_does_not_hide_what_else_is_wrong(here):
    for kind in ("file: missing", "survey: weight negative", "table: negative"):
        KINDS[kind][0](here)
    result = CliRunner().invoke(main, ["check", str(here / "study.toml"), "--json"])
    codes = {f["code"] for f in json.loads(result.output) if f["level"] == "error"}
    assert {"missing-file", "negative-weight", "negative-count"} <= codes


def test_every_code_that_a_test_names_is_declared():
    from pathlib import Path

    from synthpop_gb.errors import CODES

    named = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"\)', Path(__file__).read_text(encoding="utf-8"))) - {"utf-8"}
    assert named <= set(CODES)
