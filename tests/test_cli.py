"""The command line end to end on a small made-up county: what a user types, what comes back, what is written."""

import json
import re
import shutil

import pandas as pd
import pytest

import synthpop_gb as sp
from synthpop_gb.pipeline.demo import demo_study
from tests.command_line import finished_run, invoke

SMALL = 'constraints = ["age", "sex", "health"]'
ALL = 'constraints = ["age", "sex", "health", "ethnic_group", "qualification", "economic_activity"]'


@pytest.fixture(scope="session")
def county(tmp_path_factory):
    """Files of a county of twelve zones, and its study file with three constraints."""
    folder = tmp_path_factory.mktemp("county")
    sp.datasets.make_county("penmarrow", zones=12, seed=5, survey_persons=1500).write(folder)
    text = demo_study(".", schema="study.schema.json").replace(ALL, SMALL)
    text = text.replace('held_out = ["age x sex", "age x health", "ethnic_group x health"]', 'held_out = ["age x sex"]')
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def here(county, tmp_path):
    """A copy of the county that a test may break."""
    shutil.copytree(county, tmp_path / "in")
    return tmp_path / "in"


@pytest.fixture(scope="session")
def finished(county, tmp_path_factory):
    """A finished run of the county, with report and map."""
    return finished_run(county / "study.toml", tmp_path_factory.mktemp("runs"))


def test_run_writes_the_documented_files_and_ends_with_the_report(finished):
    for name in ("run.json", "README.md", "report.html", "population/profiles.parquet", "population/counts.parquet"):
        assert (finished / name).is_file(), name
    counts = pd.read_parquet(finished / "population" / "counts.parquet")
    assert counts["n"].sum() == json.loads((finished / "run.json").read_text(encoding="utf-8"))["people"]
    assert {p.suffix for p in (finished / "maps").iterdir()} == {".png", ".svg", ".gpkg", ".parquet"}
    assert not list(finished.rglob("*.partial"))
    assert not (finished / "population" / ".blocks").exists()


def test_a_finished_run_is_not_overwritten(finished, county):
    before = (finished / "run.json").stat().st_mtime_ns
    result = invoke("run", county / "study.toml", "-o", finished.parent)
    assert result.exit_code == 1
    assert "[output-exists]" in result.output
    assert (finished / "run.json").stat().st_mtime_ns == before


def test_run_json_repeats_the_run_to_the_same_bits(finished, tmp_path):
    result = invoke("run", finished / "run.json", "-o", tmp_path, "--no-report", "--workers", "1")
    assert result.exit_code == 0, result.output
    again = json.loads((tmp_path / "demo-county" / "run.json").read_text(encoding="utf-8"))
    assert again["digest"] == json.loads((finished / "run.json").read_text(encoding="utf-8"))["digest"]


def test_run_json_refuses_changed_inputs(here, tmp_path):
    assert invoke("run", here / "study.toml", "-o", tmp_path / "a", "--no-report").exit_code == 0
    survey = here / "survey.csv"
    survey.write_text(survey.read_text(encoding="utf-8").replace("male", "male ", 1), encoding="utf-8")
    result = invoke("run", tmp_path / "a" / "demo-county" / "run.json", "-o", tmp_path / "b")
    assert result.exit_code == 1
    assert "[input-changed]" in result.output
    assert not (tmp_path / "b").exists()


def test_validate_with_a_further_held_out_table(finished, county):
    result = invoke("validate", finished, "--held-out", county / "held_out" / "age_by_health.csv")
    assert result.exit_code == 0, result.output
    assert "held out age x health" in result.output
    assert "age x sex" in result.output


def test_map_writes_pictures_and_layers(finished, tmp_path):
    result = invoke("map", finished, "--indicator", "age >= 65 and sex = 'female'", "-o", tmp_path / "old")
    assert result.exit_code == 0, result.output
    assert {p.name for p in tmp_path.iterdir()} == {"old.png", "old.svg", "old.gpkg", "old.geo.parquet"}


def test_a_bad_condition_is_explained(finished):
    result = invoke("map", finished, "--indicator", "helth in ('bad')")
    assert result.exit_code == 1
    assert "[bad-condition]" in result.output
    assert "Did you mean 'health'?" in result.output


@pytest.mark.parametrize(
    "attack", ["__import__('os').system('echo x')", "age >= 65; drop", "().__class__", "health in (open('/etc/passwd'))"]
)
def test_conditions_never_run_code(finished, attack):
    assert invoke("map", finished, "--indicator", attack).exit_code == 1


@pytest.mark.parametrize("name", ["people.parquet", "people.csv", "people.csv.gz", "people"])
def test_expand_writes_one_row_a_person(finished, tmp_path, name):
    result = invoke("expand", finished, "--to", tmp_path / name)
    assert result.exit_code == 0, result.output
    people = pd.read_csv(tmp_path / name) if ".csv" in name else pd.read_parquet(tmp_path / name)
    assert len(people) == json.loads((finished / "run.json").read_text(encoding="utf-8"))["people"]
    assert {"zone", "donor"} <= set(people.columns)
    assert invoke("expand", finished, "--to", tmp_path / name).exit_code == 1


def test_init_check_run_from_a_folder_alone(here, tmp_path):
    (here / "study.toml").unlink()
    shutil.rmtree(here / "truth")
    for name in ("tables.csv", "codebook.csv"):
        (here / name).unlink()
    result = invoke("init", here)
    assert result.exit_code == 0, result.output
    text = (here / "study.toml").read_text(encoding="utf-8")
    assert text.startswith("#:schema ")
    study = sp.load_study(here / "study.toml")
    assert {"age", "sex", "health"} <= set(study.constraints)
    assert study.survey.id == "person"
    assert study.survey.weight == "weight"
    assert study.survey.licence == "restricted"
    assert study.survey.household == "household"
    assert study.method.name == "balance"
    assert {"tenure", "household_size"} <= set(study.constraints), "the survey holds whole households"
    checked = invoke("check", here / "study.toml")
    assert checked.exit_code == 0, checked.output
    assert invoke("init", here).exit_code == 1, "an existing study file must not be replaced in silence"


def test_check_as_json_and_nothing_written(here):
    table = here / "tables" / "health.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("very bad", "dreadful"), encoding="utf-8")
    before = sorted(p.name for p in here.rglob("*"))
    result = invoke("check", here / "study.toml", "--json")
    found = json.loads(result.output)
    assert result.exit_code == 1
    assert all({"code", "level", "message", "place", "count", "why", "remedy", "rows"} == set(f) for f in found)
    assert sorted(p.name for p in here.rglob("*")) == before


def test_a_restricted_survey_leaves_no_record_values(here, tmp_path):
    study = here / "study.toml"
    study.write_text(study.read_text(encoding="utf-8").replace('licence = "open"', 'licence = "restricted"'), encoding="utf-8")
    assert invoke("run", study, "-o", tmp_path).exit_code == 0
    run = tmp_path / "demo-county"
    assert not (run / "population" / "problem.npz").exists()
    assert invoke("expand", run, "--to", tmp_path / "people.parquet").exit_code == 0
    assert not {"health", "income", "smokes"} & set(pd.read_parquet(tmp_path / "people.parquet").columns)
    assert sp.load(run).people > 0


def test_hostile_labels_stay_text(here, tmp_path):
    attack = '"</script><script>alert(1)</script>{{ 7*7 }}"'
    study = here / "study.toml"
    text = re.sub(
        r'^title = "Penmarrow.*"$', f"title = {json.dumps(json.loads(attack))}", study.read_text(encoding="utf-8"), flags=re.M
    )
    study.write_text(text, encoding="utf-8")
    lookup = here / "lookup.csv"
    lookup.write_text(lookup.read_text(encoding="utf-8").replace("Penmarrow Bay 001A", attack, 1), encoding="utf-8")
    assert invoke("run", study, "-o", tmp_path).exit_code == 0
    page = (tmp_path / "demo-county" / "report.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page
    assert "49" not in re.findall(r"<h1[^>]*>(.*?)</h1>", page, re.S)[0]


def test_help_lists_every_command():
    text = invoke("--help").output
    for name in (
        "init",
        "check",
        "run",
        "validate",
        "map",
        "indicator",
        "expand",
        "methods",
        "compare-methods",
        "demo",
        "schema",
    ):
        assert re.search(rf"^  {name}\b", text, re.M)
        assert invoke(name, "--help").exit_code == 0
    assert "Did you mean 'validate'?" in invoke("valdate").output


def test_the_demo_study_in_inputs_is_the_demos():
    from pathlib import Path

    shipped = Path(__file__).parents[1] / "inputs" / "demo-county.toml"
    assert shipped.read_text(encoding="utf-8") == demo_study("../outputs/demo-county-inputs")
    homes = shipped.with_name("demo-households.toml").read_text(encoding="utf-8")
    assert homes == demo_study("../outputs/demo-county-inputs", households=True)


def test_a_held_out_table_never_changes_what_was_fitted(finished, county):
    before = pd.read_parquet(finished / "validation" / "table_fit.parquet")
    result = invoke("validate", finished, "--held-out", county / "tables" / "ethnic_group.csv")
    assert result.exit_code == 0, result.output
    after = pd.read_parquet(finished / "validation" / "table_fit.parquet")
    pd.testing.assert_frame_equal(before, after)
    assert json.loads((finished / "run.json").read_text(encoding="utf-8"))["judged_by"][0]["path"].endswith("ethnic_group.csv")


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"study": 3}', '{"study": {}, "inputs": 5}', '{"inputs": [{"path": "x"}], "study": {"name": "x"}}']
)
def test_a_foreign_json_is_refused_without_a_traceback(tmp_path, text):
    (tmp_path / "run.json").write_text(text, encoding="utf-8")
    result = invoke("run", tmp_path / "run.json", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert not (tmp_path / "out").exists()


def test_opposite_conditions_get_maps_of_their_own():
    from synthpop_gb.pipeline.map_files import slug

    texts = [
        "age >= 65",
        "age < 65",
        "age > 65",
        "age <= 65",
        "health = 'bad'",
        "health != 'bad'",
        "not health = 'bad' and x = " + "'y'" * 60,
    ]
    assert len({slug(t) for t in texts}) == len(texts)
