"""Indicators and methods on the command line: asked of a run, asked for by a study, written, mapped, reported, repeated."""

import json
import re
import subprocess
import sys

import pandas as pd
import pytest

import synthpop_gb as sp
from synthpop_gb.pipeline.demo import demo_study
from tests.command_line import finished_run, invoke
from tests.stages.grid_world import HOSTILE

TWO = f"""
replicates = 3

[[indicators]]
what = "smokes = 'yes'"
where = "age >= 16"
name = "Adult smokers"
title = {json.dumps(HOSTILE[1])}
resembles = "health"
benchmark = "published.csv"

[[indicators]]
what = "income"
measure = "quantile"
by = ["district", "sex"]
title = {json.dumps(HOSTILE[0])}
"""


@pytest.fixture(scope="session")
def county(tmp_path_factory):
    """Files of a county of twelve zones, a benchmark, and its study with two indicators."""
    folder = tmp_path_factory.mktemp("asked")
    sp.datasets.make_county("penmarrow", zones=12, seed=6, survey_persons=1500).write(folder)
    district = pd.read_csv(folder / "lookup.csv", dtype=str)["district"].unique()
    pd.DataFrame({"district": district, "share": 0.25}).to_csv(folder / "published.csv", index=False)
    text = (
        demo_study(".").split("[truth]")[0].replace('"ethnic_group", "qualification", "economic_activity"', '"economic_activity"')
    )
    text = re.sub(r"replicates = .*\n", "", text)  # ours are named below
    text = re.sub(r"held_out = .*", 'held_out = ["age x sex"]', text).replace(
        "tables = [", TWO.split("\n\n")[0] + "\ntables = [", 1
    )
    asked = "\n\n".join(TWO.split("\n\n")[1:])
    (folder / "study.toml").write_text(text + asked, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def finished(county, tmp_path_factory):
    return finished_run(county / "study.toml", tmp_path_factory.mktemp("runs"))


# asked for by a study


def test_a_run_writes_what_its_study_asks_for(finished, county):
    folder = finished / "indicators"
    assert {p.suffix for p in folder.iterdir()} == {".csv", ".parquet"}
    assert len(list(folder.iterdir())) == 4
    smokers = pd.read_csv(folder / "adult-smokers.csv")
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "adult-smokers.parquet"), smokers, check_dtype=False)
    assert len(smokers) == 12
    assert smokers[["estimate", "lower", "upper", "standard_error", "counted"]].notna().all(axis=None)
    assert ((smokers["lower"] < smokers["estimate"]) & (smokers["estimate"] < smokers["upper"])).all()
    district = pd.read_csv(county / "lookup.csv", dtype=str).set_index("zone")["district"]
    met = smokers.assign(district=smokers["zone"].map(district), sum=smokers["estimate"] * smokers["people"]).groupby("district")
    assert (met["sum"].sum() / met["people"].sum()).tolist() == pytest.approx([0.25] * met.ngroups)
    incomes = next(p for p in folder.glob("*.csv") if p.stem.startswith("quantile-0-5-income"))
    assert pd.read_csv(incomes).columns[:2].tolist() == ["district", "sex"]


def test_the_report_says_how_sure_it_is_and_runs_nothing(finished):
    page = (finished / "report.html").read_text(encoding="utf-8")
    section = page[page.index('<section id="sure">') :].split("</section>")[0]
    for said in (
        "How sure is it?",
        "3 replicates",
        "Tables left out in turn",
        "What was asked",
        "% of people, where age &gt;= 16",
    ):
        assert said in section
    assert "&lt;img src=x onerror=" in section
    assert "window.hacked" in section
    assert "<img src=x" not in page
    assert "<script>window.hacked" not in page
    assert section.count("<svg") == 1  # zones in order; the other is by district


def test_its_maps_say_of_whom(finished):
    (drawn,) = (finished / "maps").glob("adult-smokers.svg")
    text = drawn.read_text(encoding="utf-8")
    assert "% of people, where age" in text
    assert {p.name.removeprefix("adult-smokers") for p in (finished / "maps").glob("adult-smokers*")} == {
        ".png", ".svg", ".gpkg", ".geo.parquet",
    }  # fmt: skip


def test_run_json_knows_and_repeats_it(finished, tmp_path):
    known = json.loads((finished / "run.json").read_text(encoding="utf-8"))
    assert known["replicates"]["numbers"] == [1, 2, 3]
    assert any(i["path"].endswith("published.csv") for i in known["inputs"])
    assert invoke("run", finished / "run.json", "-o", tmp_path, "--no-report", "--workers", "1").exit_code == 0
    again = tmp_path / "demo-county"
    assert json.loads((again / "run.json").read_text(encoding="utf-8"))["digest"] == known["digest"]
    for path in (finished / "indicators").glob("*.csv"):
        assert (again / "indicators" / path.name).read_bytes() == path.read_bytes()
    for name in ("replicates", "replicate_status"):
        one, other = (pd.read_parquet(f / "population" / f"{name}.parquet") for f in (finished, again))
        pd.testing.assert_frame_equal(one, other)


def test_validate_and_map_keep_what_was_asked(finished, tmp_path):
    before = {p.name: p.read_bytes() for p in (finished / "indicators").glob("*.csv")}
    assert invoke("validate", finished).exit_code == 0
    assert "How sure is it?" in (finished / "report.html").read_text(encoding="utf-8")
    assert {p.name: p.read_bytes() for p in (finished / "indicators").glob("*.csv")} == before
    assert json.loads((finished / "run.json").read_text(encoding="utf-8"))["replicates"]["numbers"] == [1, 2, 3]
    assert (finished / "validation" / "left_out.parquet").is_file()
    assert invoke("map", finished, "--indicator", "smokes = 'yes'", "-o", tmp_path / "smokers").exit_code == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("smokes = 'yes'", "smoke = 'yes'", "Did you mean 'smokes'?"),
        ('"income"', '"incom"', "'income'"),
        ('resembles = "health"', 'resembles = "wealth"', "no constraint is called 'wealth'"),
        ("published.csv", "missing.csv", "There is no file"),
        ("published.csv", "lookup.csv", "is no table of areas and values"),
        ('name = "Adult smokers"', 'name = "Adult smokers"\nbenchmark_level = "planet"', "of the level 'planet'"),
        ('name = "Adult smokers"', 'name = "Adult smokers"\nbenchmark_level = "msoa"', "among the zones' msoa"),
        ('name = "Adult smokers"', 'name = "Adult smokers"\nby = ["zone", "sex"]', "without groups"),
        ('by = ["district", "sex"]', 'by = ["district", "msoa"]', "several levels of place"),
        ('by = ["district", "sex"]', 'by = ["sex", "sex"]', "something twice"),
        ('by = ["district", "sex"]', 'by = ["district"]\nquantile = 1.5', "less than 1"),
        ('by = ["district", "sex"]', 'name = "adult SMOKERS"', "Give it a `name` of its own"),
        ("replicates = 3", "replicates = 1", "fewer than two replicates"),
    ],
)
def test_mistakes_about_indicators_are_found_by_check(county, old, new, said):
    text = (county / "study.toml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    path = county / "wrong.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    result = invoke("check", path)
    assert result.exit_code == 1
    assert said in result.output


def test_all_mistakes_come_at_once(county):
    text = (county / "study.toml").read_text(encoding="utf-8")
    for old, new in (("smokes = 'yes'", "smoke = 'yes'"), ('"income"', '"incom"'), ("published.csv", "missing.csv")):
        text = text.replace(old, new)
    (county / "wrong.toml").write_text(text, encoding="utf-8")
    output = invoke("check", county / "wrong.toml").output
    for said in ("indicators.0: smoke = 'yes'", "indicators.1", "There is no file"):
        assert said in output


# asked of a run


def test_indicator_prints_figures(finished):
    result = invoke("indicator", finished, "smokes = 'yes'")
    assert result.exit_code == 0, result.output
    assert "Indicators, share: smokes = 'yes'" in result.output
    assert result.output.count(" %") >= 36
    assert "90% intervals" in result.output
    again = invoke("indicator", finished, "smokes = 'yes'")
    assert again.output == result.output


def test_indicator_by_groups_with_all_that_can_be_asked(finished, county, tmp_path):
    for suffix, read in ((".csv", pd.read_csv), (".parquet", pd.read_parquet)):
        target = tmp_path / f"out{suffix}"
        result = invoke("indicator", finished, "income", "--measure", "mean", "--where", "age >= 16", "--by", "district",
                        "--by", "sex", "--level", "0.8", "--resembles", "health", "--output", target)  # fmt: skip
        assert result.exit_code == 0, result.output
        assert "80% intervals" in result.output
        frame = read(target)
        assert frame.columns[:2].tolist() == ["district", "sex"]
        assert frame["estimate"].between(frame["lower"], frame["upper"]).all()
    quantile = invoke("indicator", finished, "income", "--measure", "quantile", "--quantile", "0.9", "--by", "all")
    assert quantile.exit_code == 0, quantile.output
    assert "0.9 quantile: income" in quantile.output
    met = invoke("indicator", finished, "smokes = 'yes'", "--benchmark", county / "published.csv")
    assert met.exit_code == 0, met.output
    assert "no benchmark" not in met.output


def test_indicator_is_mapped(finished, tmp_path):
    result = invoke("indicator", finished, "smokes = 'yes'", "--where", "age >= 75", "--map")
    assert result.exit_code == 0, result.output
    drawn = [line for line in result.output.splitlines() if "maps" in line]
    assert len(drawn) == 4
    layer = pd.read_parquet(next(d for d in drawn if d.endswith(".geo.parquet")))
    assert {"estimate", "lower", "upper", "reliability"} <= set(layer.columns)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["smoke = 'yes'"], "Did you mean 'smokes'?"),
        (["smokes = 'yes'", "--where", "aeg > 16"], "'age'"),
        (["smokes = 'yes'", "--level", "1.5"], "level"),
        (["smokes = 'yes'", "--level", "nan"], "level"),
        (["income", "--measure", "quantile", "--quantile", "0"], "quantile"),
        (["smokes = 'yes'", "--resembles", "nonsense"], "no constraint is called"),
        (["smokes = 'yes'", "--by", "galaxy"], "galaxy"),
        (["smokes = 'yes'", "--by", "district", "--map"], "Only figures by zone"),
        (["health", "--measure", "mean"], "categories, not numbers"),
        (["__import__('os').system('echo x')"], "bad-condition"),
    ],
)
def test_a_bad_question_ends_with_findings(finished, tmp_path, arguments, said):
    result = invoke("indicator", finished, *arguments, "--output", tmp_path / "x.csv")
    assert result.exit_code == 1
    assert said in result.output
    assert not list(tmp_path.iterdir())


def test_a_question_that_cannot_be_is_a_matter_of_usage(finished):
    result = invoke("indicator", finished, "smokes = 'yes'", "--by", "sex", "--by", "sex")
    assert result.exit_code == 2
    assert "something twice" in result.output
    assert invoke("indicator", finished, "income", "--measure", "mode").exit_code == 2


# methods


def test_methods_are_listed_and_explained():
    listed = invoke("methods")
    assert listed.exit_code == 0
    for name in ("ipf", "calibrate", "qisi"):
        assert re.search(rf"^{name}\b", listed.output, re.M)
        told = invoke("methods", name)
        assert told.exit_code == 0
        assert "max_moves = " in told.output
    assert not re.search(r"^      $", invoke("methods", "ipf").output, re.M), "an option without a meaning"
    unknown = invoke("methods", "nonsense")
    assert unknown.exit_code == 2
    assert "ipf" in unknown.output


def test_methods_are_compared_on_a_study(county, tmp_path):
    target = tmp_path / "x.csv"
    result = invoke("compare-methods", county / "study.toml", "-m", "ipf", "-m", "ipf:integerise=trs", "-m", "ipf", "-o", target)
    assert result.exit_code == 0, result.output
    assert result.output.count("ipf ...") == 1, "the same method is solved once"
    frame = pd.read_csv(target, index_col=0)
    assert frame.index.tolist() == ["ipf", "ipf:integerise=trs", "fractional fit of ipf", "independence"]
    assert frame.loc["ipf", "zones_exact"] == 100.0
    assert (frame.loc[["ipf", "ipf:integerise=trs"], "ms_a_zone"] > 0).all()
    assert frame["wrong age x sex"].between(0, 100).all()
    assert (frame.loc[:, "wrong age x sex"].loc["independence"]) > 0


@pytest.mark.parametrize("wrong", ["nonsense", "ipf:integerise", "ipf:integerise=dice", "ipf:colour=red"])
def test_methods_that_there_are_not_are_a_matter_of_usage(county, wrong):
    assert invoke("compare-methods", county / "study.toml", "-m", wrong).exit_code == 2


@pytest.mark.parametrize("way", ["interactive", "script"])
def test_methods_are_compared_from_anywhere(county, tmp_path, way):
    """Fresh processes never import the caller's script: nothing needs a main guard."""
    code = (
        "import synthpop_gb as sp\n"
        f"print(sp.pipeline.compare_methods({str(county / 'study.toml')!r}, ['ipf']).loc['ipf', 'zones_exact'])\n"
    )
    (tmp_path / "plain.py").write_text(code, encoding="utf-8")
    arguments = ["-c", code] if way == "interactive" else [tmp_path / "plain.py"]
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "100.0"


def test_a_loaded_run_of_an_open_survey_can_be_asked(finished):
    population = sp.load(finished)
    found = sp.indicator(population, "smokes = 'yes'", where="age >= 16", by=["district", "sex"])
    assert found.frame["estimate"].notna().all()


@pytest.fixture(scope="session")
def guarded(county, tmp_path_factory):
    """A run of a survey that is not open, with one record of a kind of its own, and a label that is a formula."""
    folder = tmp_path_factory.mktemp("guarded")
    survey = pd.read_csv(county / "survey.csv", dtype=str)
    survey["job"] = ["=HYPERLINK(1)" if i % 2 else "clerk" for i in range(len(survey))]
    survey.loc[7, "job"] = "only"
    survey["people"] = survey["job"]
    survey.to_csv(county / "guarded.csv", index=False)
    text = (county / "study.toml").read_text(encoding="utf-8").replace('licence = "open"', 'licence = "restricted"')
    text = text.replace("/survey.csv", "/guarded.csv").split("[[indicators]]")[0]
    asked = '[[indicators]]\nwhat = "income"\nmeasure = "mean"\nname = "jobs"\nby = ["all", "job"]\n'
    (county / "guarded.toml").write_text(text + asked, encoding="utf-8")
    result = invoke("run", county / "guarded.toml", "-o", folder)
    assert result.exit_code == 0, result.output
    return folder / "demo-county", survey["income"][7]


def test_no_record_of_a_restricted_survey_tells_its_answer(guarded):
    folder, income = guarded
    jobs = pd.read_csv(folder / "indicators" / "jobs.csv").set_index("job")
    figures = ["estimate", "standard_error", "lower", "upper", "counted", "replicate_error", "finite_error", "model_error"]
    assert "only" not in jobs.index  # a group of one record: its label is that record's answer
    assert jobs.loc["clerk", figures].notna().all()
    assert not (jobs[figures] == float(income)).any(axis=None)
    assert "withheld" in invoke("indicator", folder, "income", "--measure", "mean", "--by", "job").output


def test_no_label_in_a_csv_is_a_formula(guarded):
    text = (guarded[0] / "indicators" / "jobs.csv").read_text(encoding="utf-8")
    assert "'=HYPERLINK(1)" in text
    assert ",=" not in text
