"""Release on the command line: what keeps to the rule is written without ids, what breaks it is refused and nothing is left."""

import json
import re

import numpy as np
import pandas as pd
import pytest

import synthpop_gb as sp
from synthpop_gb.cli.results import _PROFILES
from synthpop_gb.pipeline.demo import demo_study
from synthpop_gb.release import PROFILES
from tests.command_line import finished_run, invoke


@pytest.fixture(scope="session")
def county(tmp_path_factory):
    folder = tmp_path_factory.mktemp("released")
    sp.datasets.make_county("penmarrow", zones=12, seed=6, survey_persons=1500).write(folder)
    text = re.sub(r"replicates = .*\n", "replicates = 3\n", demo_study(".").split("[truth]")[0])
    text = re.sub(r"held_out = .*", 'held_out = ["age x sex"]', text).split("[[indicators]]")[0]
    (folder / "open.toml").write_text(text, encoding="utf-8")
    (folder / "guarded.toml").write_text(text.replace('licence = "open"', 'licence = "restricted"'), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def finished(county, tmp_path_factory):
    return finished_run(county / "open.toml", tmp_path_factory.mktemp("open"))


@pytest.fixture(scope="session")
def guarded(county, tmp_path_factory):
    return finished_run(county / "guarded.toml", tmp_path_factory.mktemp("guarded"))


def test_the_profiles_on_the_command_line_are_those_there_are():
    assert tuple(PROFILES) == _PROFILES


def test_people_for_anybody_have_no_ids(finished, tmp_path):
    result = invoke("expand", finished, "--to", tmp_path / "people.parquet", "--release", "open", "--keys", "sex")
    assert result.exit_code == 0, result.output
    frame = pd.read_parquet(tmp_path / "people.parquet")
    assert "donor" not in frame
    assert {"age", "sex", "health"} <= set(frame)
    assert len(frame) == json.loads((finished / "run.json").read_text(encoding="utf-8"))["people"]


@pytest.mark.parametrize("target", ["people.parquet", "people"])
def test_people_who_break_the_rule_are_refused_and_nothing_is_left(finished, tmp_path, target):
    keys = ["--keys", "age,sex,ethnic_group", "--keys", "health, economic_activity"]
    result = invoke("expand", finished, "--to", tmp_path / target, "--release", "open", *keys)
    assert result.exit_code == 1
    assert "release-refused" in result.output
    assert "are alone in their zone by age, sex, ethnic_group" in result.output
    assert not list(tmp_path.iterdir())
    result = invoke("expand", finished, "--to", tmp_path / target, "--release", "public")
    assert result.exit_code == 1
    assert "rows of people may not leave" in result.output
    assert not list(tmp_path.iterdir())


def test_what_was_there_stays_where_a_release_is_refused(finished, tmp_path):
    target = tmp_path / "people.csv"
    assert invoke("expand", finished, "--to", target, "--release", "safeguarded").exit_code == 0
    before = target.read_bytes()
    assert b"donor" in before.splitlines()[0]
    assert invoke("expand", finished, "--to", target, "--release", "public", "--overwrite").exit_code == 1
    assert target.read_bytes() == before


def test_a_restricted_survey_leaves_neither_ids_nor_answers(guarded, tmp_path):
    result = invoke("expand", guarded, "--to", tmp_path / "people.parquet", "--release", "open")
    assert result.exit_code == 0, result.output
    frame = pd.read_parquet(tmp_path / "people.parquet")
    assert not {"donor", "age", "sex", "health", "income"} & set(frame)
    assert "zone" in frame


def test_keys_need_a_rule_and_a_survey_that_has_them(finished, tmp_path):
    target = tmp_path / "people.parquet"
    assert invoke("expand", finished, "--to", target, "--keys", "age").exit_code == 2
    assert invoke("expand", finished, "--to", target, "--release", "opeen").exit_code == 2
    result = invoke("expand", finished, "--to", target, "--release", "open", "--keys", "shoe")
    assert result.exit_code == 1
    assert "shoe" in result.output
    assert not target.exists()


def test_from_python_a_rule_of_ones_own(finished, tmp_path):
    rule = {"name": "ours", "donor_ids": "hash", "maximum_unique_share": 100}
    path = sp.pipeline.expand_run(finished, tmp_path / "people.parquet", release=rule)
    labels = pd.read_parquet(path)["donor"]
    assert labels.str.fullmatch("[0-9a-f]{16}").all()
    with pytest.raises(sp.InputError, match="study-key"):
        sp.pipeline.expand_run(finished, tmp_path / "x.parquet", release={"name": "ours", "colour": "red"})


def test_figures_for_anybody_are_withheld_and_rounded(finished, tmp_path):
    asked = ("indicator", finished, "health = 'very bad'", "--measure", "count", "--by", "zone", "--by", "sex")
    plain = tmp_path / "plain.csv"
    assert invoke(*asked, "--output", plain).exit_code == 0
    target = tmp_path / "released.csv"
    result = invoke(*asked, "--output", target, "--release", "open")
    assert result.exit_code == 0, result.output
    assert "Released by the rule open" in result.output
    before, after = pd.read_csv(plain), pd.read_csv(target)
    assert list(before) == list(after)
    small = before["estimate"].between(0.01, 9.99)
    assert small.any()
    assert after.loc[small, ["estimate", "lower", "upper", "counted", "donors"]].isna().all(axis=None)
    shown = after.dropna(subset=["estimate"])
    assert (shown["estimate"] % 5 == 0).all()
    assert (shown["people"] % 5 == 0).all()
    assert (after.loc[after["estimate"].isna(), "reliability"] == "withheld").all()
    printed = invoke(*asked, "--release", "open").output
    assert "withheld" in printed
    assert printed == invoke(*asked, "--release", "open").output, "nearest rounding is the same each time"


def test_released_figures_are_mapped_and_read_back(finished, tmp_path):
    result = invoke("indicator", finished, "smokes = 'yes'", "--release", "public", "--map", "--output", tmp_path / "s.parquet")
    assert result.exit_code == 0, result.output
    frame = pd.read_parquet(tmp_path / "s.parquet")
    layer = pd.read_parquet(next(line for line in result.output.splitlines() if line.endswith(".geo.parquet")))
    np.testing.assert_array_equal(np.sort(layer["estimate"]), np.sort(frame["estimate"]))
