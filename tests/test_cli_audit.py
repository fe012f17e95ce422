"""The command audit: two files, a run, and what does not belong together."""

import json

import numpy as np
import pandas as pd
import pytest

import synthpop_gb as sp
from synthpop_gb.pipeline.demo import demo_study
from tests.command_line import finished_run, invoke


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    place, rng = tmp_path_factory.mktemp("audit"), np.random.default_rng(1)
    frame = pd.DataFrame({"sex": rng.choice(["f", "m"], 600), "age": rng.integers(16, 90, 600)})
    frame["works"] = np.where((frame["age"] < 65) & (rng.random(600) < 0.8), "yes", "no")
    frame["pay"] = rng.integers(0, 5000, 600)
    frame.to_csv(place / "real.csv", index=False)
    frame.to_csv(place / "copy.csv", index=False)
    frame.sample(600, replace=True, random_state=1).to_csv(place / "good.csv", index=False)
    frame.assign(works=frame["works"].sample(frac=1, random_state=2).to_numpy()).to_csv(place / "bad.csv", index=False)
    frame.head(0).to_csv(place / "empty.csv", index=False)
    return place


def test_two_files(files):
    bad = invoke("audit", files / "real.csv", files / "bad.csv", "-o", files / "bad", "--keys", "sex,age", "--no-models")
    assert bad.exit_code == 3, bad.output
    assert "NOT FIT" in bad.output
    assert (files / "bad" / "audit.html").is_file()
    again = invoke("audit", files / "real.csv", files / "bad.csv", "-o", files / "bad")
    assert again.exit_code == 1
    assert "output-exists" in again.stderr


def test_bad_files_write_nothing(files):
    found = invoke("audit", files / "real.csv", files / "empty.csv", "-o", files / "none", "--keys", "sexx", "--target", "wage")
    assert found.exit_code == 1
    assert not (files / "none").exists()


@pytest.mark.parametrize(
    "given", [["real.csv"], [".", "good.csv"], [".", "--target", "works"], ["real.csv", "good.csv", "--variables", "sex"]]
)
def test_wrong_usage(files, given):
    named = [files / g if not g.startswith("--") and g not in ("works", "sex") else g for g in given]
    assert invoke("audit", *named).exit_code == 2


def test_a_release_rule_refuses(files):
    found = invoke(
        "audit", files / "real.csv", files / "copy.csv", "-o", files / "out", "--keys", "age,pay", "--release", "public"
    )
    assert found.exit_code == 1
    assert "release-refused" in found.stderr
    assert (files / "out" / "audit.html").is_file()


def test_a_run(tmp_path):
    sp.datasets.make_county("penmarrow", zones=12, seed=5, survey_persons=1500).write(tmp_path / "in")
    (tmp_path / "in" / "study.toml").write_text(demo_study(".").split("[truth]")[0], encoding="utf-8")
    run = finished_run(tmp_path / "in" / "study.toml", tmp_path / "runs")
    found = invoke("audit", run, "--order", 2, "--keys", "age,sex")
    assert found.exit_code in (0, 3), found.output
    assert (run / "audit.html").is_file()
    assert (run / "audit" / "scan_zones.parquet").is_file()
    assert "audit/verdicts.parquet" in (run / "card.json").read_text(encoding="utf-8")
    unknown = invoke("audit", run, "--variables", "sex,shoe,age")
    assert unknown.exit_code == 1
    assert "[unknown-variable]" in unknown.stderr
    assert invoke("audit", run, "--overwrite").exit_code == 2


def text_of(path):
    """Everything that a file says, Parquet decoded."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path).to_csv()
    return path.read_text(encoding="utf-8", errors="ignore") if path.suffix in (".json", ".html", ".md", ".csv") else ""


def test_a_restricted_survey_s_run_names_no_group_of_few_records(tmp_path):
    sp.datasets.make_county("penmarrow", zones=12, seed=5, survey_persons=1500).write(tmp_path / "in")
    survey = pd.read_csv(tmp_path / "in" / "survey.csv")
    survey["occupation"] = np.where(np.arange(len(survey)) % 3 == 0, "cook", "clerk")
    survey.loc[[7, 8], "occupation"] = "Quillfeather"
    survey.to_csv(tmp_path / "in" / "survey.csv", index=False)
    study = demo_study(".").split("[truth]")[0].replace('licence = "open"', 'licence = "restricted"')
    (tmp_path / "in" / "study.toml").write_text(study, encoding="utf-8")
    run = finished_run(tmp_path / "in" / "study.toml", tmp_path / "runs")
    found = invoke("audit", run, "--order", 2, "--impossible", "age < 10 and health = 'very good'")
    assert found.exit_code in (0, 3), found.output
    assert "Quillfeather" not in found.output
    for path in run.rglob("*"):
        assert path.is_dir() or "Quillfeather" not in text_of(path), path
    tables = {n: pd.read_parquet(run / "audit" / f"{n}.parquet") for n in ("scan_cells", "scan_zone_cells", "scan_zones")}
    named = tables["scan_zones"].rename(columns={"worst_cell": "cell"})
    frame = pd.concat([named, tables["scan_cells"], tables["scan_zone_cells"]])
    cells = set(frame.loc[~frame["reference"].str.startswith("published"), "cell"]) - {""}
    assert cells
    for cell in cells:  # no label of the made-up county holds these words
        parts = [part.split(" = ") for part in cell.split(" and ")]
        having = np.logical_and.reduce([survey[name].astype(str) == label for name, label in parts])
        assert having.sum() >= 10, cell
    notes = [f for f in json.loads((run / "audit" / "checks.json").read_text())["findings"] if f["code"] == "few-behind"]
    assert len(notes) == 1
    assert notes[0]["message"].split(" groups")[0] + " groups are neither named" in (run / "audit.html").read_text("utf-8")


def test_an_exact_copy_is_not_released_for_want_of_measures(files):
    """Nobody tried it on people who were kept apart, or said what is known: that is no pass."""
    for more in ([], ["--cloned"], ["--keys", "sex"]):
        asked = ["-o", files / "copied", "--overwrite", "--no-models", "--release", "open", *more]
        found = invoke("audit", files / "real.csv", files / "copy.csv", *asked)
        assert found.exit_code == 1, found.output
        assert "not measured" in found.stderr
    assert invoke("audit", files / "real.csv", files / "copy.csv", *asked, "--open").exit_code in (0, 3)
