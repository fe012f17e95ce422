"""`synthpop-gb explore` on a run: what it writes and says, and every way of asking for nonsense."""

import click
import pytest

import synthpop_gb as sp
from synthpop_gb.assessment import indicator
from synthpop_gb.pipeline.demo import demo_study
from tests.command_line import invoke
from tests.stages.explorer_world import Read


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of twelve zones of the demo county with four replicates."""
    folder = tmp_path_factory.mktemp("county")
    sp.datasets.make_county("penmarrow", zones=12, seed=5, survey_persons=1500).write(folder)
    text = demo_study(".").split("[truth]")[0].replace("replicates = 40", "replicates = 4")
    text += "[[maps]]\nindicator = \"health in ('bad', 'very bad')\"\ntitle = \"Bad health\"\n"
    (folder / "study.toml").write_text(text, encoding="utf-8")
    assert invoke("run", folder / "study.toml", "-o", folder, "--no-report").exit_code == 0
    return folder / "demo-county"


def test_a_page_lies_in_the_runs_folder(run):
    result = invoke("explore", run)
    assert result.exit_code == 0, result.output
    path = run / "explorer.html"
    assert str(path) in result.output
    read = Read(path)
    assert read.meta["title"] == "Penmarrow, a made-up county"
    names = {i["name"] for i in read.meta["items"]}
    assert {"age", "smokes", "income", "health in ('bad', 'very bad')"} <= names
    assert [level["name"] for level in read.meta["levels"]] == ["zone", "msoa", "all"]  # one district is the whole
    domains = {i["name"]: i["domain"] for i in read.meta["items"]}
    assert domains["smokes"] == "Lifestyle and travel"
    assert domains["income"] == "Work, income and education"
    assert domains["qualification"] == "Work, income and education"
    assert domains["health"] == "Health and wellbeing"
    assert sp.load(run).people == int(dict(read.meta["facts"])["People"].replace(",", ""))


def test_its_figures_are_those_of_the_command_indicator(run):
    invoke("explore", run, "-o", run / "page.html", "--variable", "smokes")
    item = Read(run / "page.html").item("smokes")
    back = Read(run / "page.html").figures(item["levels"]["0"][""], 12)
    frame = indicator(sp.load(run), "smokes = 'yes'").frame
    yes = item["columns"].index("yes")
    half = (frame["upper"] - frame["lower"]) / 2
    assert (abs(back["estimate"][yes] - frame["estimate"]) <= half.median() / 200 + 1e-9).all()
    assert {i["name"] for i in Read(run / "page.html").meta["items"]} >= {"smokes"}
    assert "age" not in {i["name"] for i in Read(run / "page.html").meta["items"]}
    assert {v for v, _ in Read(run / "page.html").meta["groups"]} == {"", "sex", "age"}


def test_questions_and_subgroups_are_added(run, tmp_path):
    question = "age >= 65 and health = 'fair'"
    result = invoke("explore", run, "-o", tmp_path / "x.html", "-i", question, "-g", "smokes", "--level", "0.8")
    assert result.exit_code == 0, result.output
    read = Read(tmp_path / "x.html")
    assert question in {i["name"] for i in read.meta["items"]}
    assert {v for v, _ in read.meta["groups"]} == {"", "smokes"}
    assert read.meta["coverage"] == 0.8


def test_nonsense_is_told_at_once_and_nothing_is_written(run, tmp_path):
    path = tmp_path / "no.html"
    result = invoke("explore", run, "-o", path, "-i", "helth = 'bad'", "-i", "health = 'bd'", "-v", "nothing", "-g", "nobody")
    assert result.exit_code == 1
    assert result.output.count("[bad-condition]") == 4
    assert "Traceback" not in result.output
    assert not path.exists()
    assert invoke("explore", tmp_path).exit_code == 1
    assert invoke("explore", run, "--level", "1").exit_code == 2


def test_it_opens_in_the_browser(run, monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(click, "launch", asked.append)
    assert invoke("explore", run, "-o", tmp_path / "x.html", "-v", "sex", "--open").exit_code == 0
    assert asked == [(tmp_path / "x.html").resolve().as_uri()]


def test_without_the_package_of_the_map_it_says_what_to_install(run, monkeypatch, tmp_path):
    from synthpop_gb.explorer import page

    monkeypatch.setattr(page, "find_spec", lambda name: None)
    result = invoke("explore", run, "-o", tmp_path / "x.html")
    assert result.exit_code == 1
    assert "[missing-extra]" in result.output
    assert "synthpop_gb[explore]" in result.output
