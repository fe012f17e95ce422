"""A survey under licence leaves no value of a record in a run's folder: ids and counts only."""

import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import synthpop_gb as sp
from synthpop_gb import run_folder
from synthpop_gb.errors import InputError

SECRETS = 200
STUDY = """
name = "secret"
seed = 3
constraints = ["sex", "smokes"]
tables = [
    { path = "sex.csv", zone = "zone", universe = "usual residents" },
    { path = "smokes.csv", zone = "zone", universe = "usual residents", variables = ["smokes"] },
]
[survey]
path = "survey.csv"
id = "person"
weight = "weight"
universe = "usual residents"
licence = "LICENCE"
[survey.variables.sex]
column = "sex"
categories = { m = "male", f = "female" }
[survey.variables.smokes]
column = "smokes"
categories = { y = "yes", n = "no" }
"""


def write_study(folder, licence):
    """A study of two zones whose survey has a name and an income that nobody else has, in every record."""
    rng = np.random.default_rng(1)
    survey = pd.DataFrame(
        {
            "person": [f"P{i:04d}" for i in range(SECRETS)],
            "sex": rng.choice(["m", "f"], SECRETS),
            "smokes": rng.choice(["y", "n"], SECRETS),
            "weight": 1.0 + rng.integers(10**8, 10**9, SECRETS) / 1e9,  # a value of its own in every record
            "surname": [f"Quillfeather{i:04d}" for i in range(SECRETS)],
            "income": rng.integers(10**7, 10**8, SECRETS),
        }
    )
    survey.to_csv(folder / "survey.csv", index=False)
    (folder / "sex.csv").write_text("zone,male,female\nE1,30,40\nE2,25,15\n", encoding="utf-8")
    (folder / "smokes.csv").write_text("zone,yes,no\nE1,20,50\nE2,10,30\n", encoding="utf-8")
    (folder / "study.toml").write_text(STUDY.replace("LICENCE", licence), encoding="utf-8")
    return survey


def everything_in(folder):
    """Text of every file below a folder, Parquet and zip archives unpacked."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if path.suffix == ".parquet":
            frame = pd.read_parquet(path)
            yield path, frame.to_csv(float_format="%.17g") + " ".join(map(str, frame.columns))
        elif zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield path, " ".join(str(np.load(archive.open(n), allow_pickle=False).tolist()) for n in archive.namelist())
        else:
            yield path, path.read_bytes().decode("utf-8", "replace")


def leaks(folder, survey):
    """Files that hold a value only one record has, or say which category a record is in."""
    values = [*survey["surname"], *survey["income"].astype(str), *(f"{w:.9f}" for w in survey["weight"])]
    return [path.name for path, text in everything_in(folder) if any(v in text for v in values)]


def test_restricted_survey_leaves_no_record_values(tmp_path):
    survey = write_study(tmp_path, "restricted")
    run = sp.run(tmp_path / "study.toml", tmp_path / "outputs")
    assert run.fits
    assert leaks(run.folder, survey) == []
    assert not (run.folder / "population" / "problem.npz").exists()
    assert sp.load(run.folder).digest() == run.population.digest()  # reads the survey again, checks its hash


INDICATORS = """
[[indicators]]
what = "income"
measure = "quantile"
[[indicators]]
what = "income"
measure = "mean"
name = "by name"
by = ["zone", "surname"]
[[indicators]]
what = "income"
measure = "total"
by = ["all", "sex"]
"""


@pytest.mark.parametrize("licence", ["restricted", "open"])
def test_indicators_and_replicates_leave_no_record_values(tmp_path, licence):
    """Every income is one record's own, and so is every surname: neither quantiles nor groups of one may give it away."""
    survey = write_study(tmp_path, licence)
    study = tmp_path / "study.toml"
    text = study.read_text(encoding="utf-8").replace("seed = 3", "seed = 3\nreplicates = 3")
    study.write_text(text + INDICATORS, encoding="utf-8")
    run = sp.run(study, tmp_path / "outputs")
    assert len(list((run.folder / "indicators").glob("*.csv"))) == 3
    assert (run.folder / "population" / "replicates.parquet").exists()
    incomes = [path.name for path, text in everything_in(run.folder) if any(str(v) in text for v in survey["income"])]
    assert bool(incomes) == (licence == "open"), incomes
    if licence == "restricted":
        assert leaks(run.folder, survey) == []
        assert pd.read_parquet(run.folder / "indicators" / "by-name.parquet").empty


def test_columns_of_written_files_are_no_survey_columns(tmp_path):
    write_study(tmp_path, "restricted")
    run = sp.run(tmp_path / "study.toml", tmp_path / "outputs")
    for path in (run.folder / "population").glob("*.parquet"):
        frame = pd.read_parquet(path)
        assert not {"sex", "smokes", "weight", "surname", "income"} & set(frame.columns), path.name
    counts = pd.read_parquet(run.folder / "population" / "counts.parquet")
    assert set(counts.columns) == {"zone", "donor", "n"}


def test_people_of_a_restricted_survey_are_ids_only(tmp_path):
    survey = write_study(tmp_path, "restricted")
    run = sp.run(tmp_path / "study.toml", tmp_path / "outputs", report=False)
    target = tmp_path / "people.parquet"
    sp.pipeline.expand_run(run.folder, target)
    people = pd.read_parquet(target)
    assert len(people) == 110
    assert not {"sex", "smokes", "weight", "surname", "income"} & set(people.columns)
    assert leaks(tmp_path / "outputs", survey) == []


def test_open_survey_is_copied_where_the_study_says_so(tmp_path):
    """The search above would find something: an open run does hold what the restricted one must not."""
    survey = write_study(tmp_path, "open")
    run = sp.run(tmp_path / "study.toml", tmp_path / "outputs", report=False)
    sp.pipeline.expand_run(run.folder, tmp_path / "outputs" / "people.parquet")
    assert leaks(tmp_path / "outputs", survey)


def test_changed_survey_is_refused(tmp_path):
    survey = write_study(tmp_path, "restricted")
    run = sp.run(tmp_path / "study.toml", tmp_path / "outputs", report=False)
    survey.assign(weight=2.0).to_csv(tmp_path / "survey.csv", index=False)
    with pytest.raises(InputError) as caught:
        sp.load(run.folder)
    assert "input-changed" in [f.code for f in caught.value.findings]


def test_no_design_weight_follows_from_what_is_written(tmp_path):
    """Share of people divided by times the design weight is the weight: neither that nor a record's name may be there."""
    write_study(tmp_path, "restricted")
    run = sp.run(tmp_path / "study.toml", tmp_path / "outputs")
    for path in (run.folder / "validation").glob("*.parquet"):
        assert not {"record", "donor", "id", "times_weight"} & set(pd.read_parquet(path).columns), path.name
    assert list(pd.read_parquet(run.folder / "validation" / "record_use.parquet")) == ["copies", "zones", "share"]
    assert "times its design weight" not in (run.folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("licence", ["restricted", "open"])
def test_findings_name_records_of_open_surveys_only(tmp_path, licence):
    survey = write_study(tmp_path, licence)
    survey.loc[7, "smokes"] = None
    survey.loc[11, "weight"] = 0.0
    survey.to_csv(tmp_path / "survey.csv", index=False)
    run = sp.run(tmp_path / "study.toml", tmp_path / "outputs")
    assert {"missing-value", "zero-weight"} <= {f.code for f in run.aligned.findings}
    run_folder.write_checks(replace(run.checks, findings=run.aligned.findings), run.folder, licence=licence)
    for name in ("report.html", "validation/checks.json"):
        text = (run.folder / name).read_text(encoding="utf-8")
        assert "the design weight nought" in text
        assert "1 record has no value of smokes" in text
        assert [p for p in ("P0007", "P0011") if p in text] == ([] if licence == "restricted" else ["P0007", "P0011"]), name


@pytest.mark.data
def test_restricted_run_of_leeds_holds_ids_and_counts_only(run_study):
    run = run_study("leeds-2011", licence="restricted")
    assert run.population.digest() == run_study("leeds-2011").population.digest()
    names = {p.name for p in (run.folder / "population").iterdir()}
    assert "problem.npz" not in names
    for path in run.folder.rglob("*.parquet"):
        columns = set(pd.read_parquet(path).columns)
        assert not columns & {"Health", "Ethnic Group", "Sex", "Age", "Region", "health", "ethnic_group", "weight"}, path
