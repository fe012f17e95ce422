"""Studies of whole households on the command line: sound inputs, and broken ones named with their code, nothing written."""

import json
import re
import shutil

import pandas as pd
import pytest

import synthpop_gb as sp
from tests.command_line import invoke

STUDY = """
name = "homes"
constraints = ["household_size", "tenure", "age", "sex"]
held_out = ["tenure x household_size"]
tables = [
    "tables/household_size.csv", "tables/tenure.csv", "tables/age.csv", "tables/sex.csv",
    "held_out/tenure_by_household_size.csv",
]
[survey]
path = "people.csv"
id = "person"
weight = "weight"
household = "household"
households = "homes.csv"
universe = "usual residents"
[zones]
lookup = "lookup.csv"
"""
OF_HOUSEHOLD = ["tenure", "accommodation", "cars", "composition", "household_size"]


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Files of a county of twelve zones, its survey split into people and households."""
    folder = tmp_path_factory.mktemp("homes")
    sp.datasets.make_county("penmarrow", zones=12, seed=5, survey_persons=1500).write(folder)
    survey = pd.read_csv(folder / "survey.csv", dtype=object)
    survey.drop(columns=OF_HOUSEHOLD).to_csv(folder / "people.csv", index=False)
    survey.drop_duplicates("household")[["household", *OF_HOUSEHOLD]].to_csv(folder / "homes.csv", index=False)
    (folder / "survey.csv").unlink()
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    return folder


@pytest.fixture
def here(good, tmp_path):
    """A copy that a test may break."""
    shutil.copytree(good, tmp_path / "in")
    return tmp_path / "in"


def edit(old, new):
    def change(here):
        text = (here / "study.toml").read_text(encoding="utf-8")
        assert old in text
        (here / "study.toml").write_text(text.replace(old, new), encoding="utf-8")

    return change


def frame(name, change):
    def spoil(here):
        change(pd.read_csv(here / name, dtype=object)).to_csv(here / name, index=False)

    return spoil


def put(name, column, rows, value):
    def change(table):
        table[column] = table[column].astype(object)
        table.loc[rows, column] = value
        return table

    return frame(name, change)


def first_home(table):
    """Rows of the members of the first household of several people."""
    return table.index[table["household"] == table["household"][table["household"].duplicated()].iloc[0]]


def weight_of_one(table):
    rows = first_home(table)
    table.loc[rows[1], "weight"] = str(2 * float(table.loc[rows[0], "weight"]))
    return table


def a_child_less(table):
    return table.drop(index=first_home(table)[-1])


BROKEN = {
    "an unknown key": (edit("households =", "houshold_file ="), "study-key", "error"),
    "no household ids": (edit('household = "household"\n', ""), "study-value", "error"),
    "a method of persons": (edit("[zones]", '[method]\nname = "ipf"\n[zones]'), "study-value", "error"),
    "an option of another method": (edit("[zones]", "[method]\nrecords_of_nobody = 1\n[zones]"), "study-key", "error"),
    "distributions": (
        edit("[survey]", '[[distributions]]\ncolumn = "age"\nedges = [9]\nshares = [0.5, 0.5]\n[survey]'), "study-value", "error",
    ),
    "no such column": (edit('"household"\nhouseholds', '"houshold"\nhouseholds'), "missing-column", "error"),
    "no such file": (edit('"homes.csv"', '"hoems.csv"'), "missing-file", "error"),
    "no such communal column": (edit("universe =", 'communal = "care"\nuniverse ='), "missing-column", "error"),
    "no such household weight": (edit("universe =", 'household_weight = "hw"\nuniverse ='), "missing-column", "error"),
    "a household twice": (frame("homes.csv", lambda t: pd.concat([t, t.iloc[[3]]])), "duplicate-household", "error"),
    "households without members": (
        frame("homes.csv", lambda t: pd.concat([t, t.iloc[[3]].assign(household="nobody's")])), "unmatched-household", "warning",
    ),
    "members of no household in the file": (frame("homes.csv", lambda t: t.iloc[1:]), "unmatched-household", "warning"),
    "members without an id": (put("people.csv", "household", [4], None), "unmatched-household", "warning"),
    "one name for two things": (frame("homes.csv", lambda t: t.assign(age="5")), "column-clash", "warning"),
    "weights that differ": (frame("people.csv", weight_of_one), "uneven-household", "warning"),
    "a member who is not in the file": (frame("people.csv", a_child_less), "incomplete-household", "warning"),
    "a value of a member missing": (put("people.csv", "sex", [4], None), "lost-household", "warning"),
    "a value of a household missing": (put("homes.csv", "tenure", [4], None), "lost-household", "warning"),
    "an unknown code of a household": (put("homes.csv", "tenure", [4], "a boat"), "unmapped-code", "error"),
    "no household of a kind": (frame("homes.csv", lambda t: t[t["tenure"] != "social rented"]), "empty-cell", "error"),
    "too few people for the households": (
        frame("tables/sex.csv", lambda t: t.assign(female="20", male="20")), "total-mismatch", "error",
    ),
    "households of somebody else": (
        frame("tables/tenure.csv", lambda t: t.assign(**dict.fromkeys(t.columns[1:], "4"))), "total-mismatch", "error",
    ),
}  # fmt: skip


def listed(study):
    result = invoke("check", study, "--json")
    assert not isinstance(result.exception, Exception) or isinstance(result.exception, SystemExit), result.exception
    return result, json.loads(result.output)


def test_sound_households_have_nothing_to_be_mended(good):
    result, findings = listed(good / "study.toml")
    assert result.exit_code == 0, result.output
    assert [f["code"] for f in findings if f["level"] != "note"] == [], findings
    assert "households" in repr(sp.pipeline.check(good / "study.toml")[0].households)


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_broken_is_named_and_nothing_is_written(here, tmp_path, kind):
    spoil, code, level = BROKEN[kind]
    spoil(here)
    before = sorted(str(p) for p in here.rglob("*"))
    result, findings = listed(here / "study.toml")
    assert (code, level) in {(f["code"], f["level"]) for f in findings}, result.output
    errors = {f["code"] for f in findings if f["level"] == "error"}
    assert result.exit_code == (1 if errors else 0)
    if level == "warning":
        assert not errors, result.output
    else:
        run = invoke("run", here / "study.toml", "-o", tmp_path / "out")
        assert run.exit_code == 1
        assert "Traceback" not in run.output
        assert not (tmp_path / "out").exists()
    assert sorted(str(p) for p in here.rglob("*")) == before


def test_people_who_do_not_go_with_their_households_are_said(here):
    for name in ("age", "sex"):
        path = here / "tables" / f"{name}.csv"
        table = pd.read_csv(path)
        column = table.columns[1] if name == "age" else table.columns[2]
        table.loc[2, column] += 100_000
        table.to_csv(path, index=False)
    _, findings = listed(here / "study.toml")
    (told,) = [f for f in findings if f["code"] == "people-mismatch"]
    assert [row["zone"] for row in told["rows"]] == [pd.read_csv(here / "lookup.csv").iloc[2, 0]]
    assert told["rows"][0]["gap"] > 0


def test_everything_comes_at_once(here):
    for kind in ("a household twice", "members without an id", "an unknown code of a household", "no such communal column"):
        BROKEN[kind][0](here)
    codes = {f["code"] for f in listed(here / "study.toml")[1]}
    assert {"duplicate-household", "missing-column"} <= codes


def test_the_file_of_households_is_an_input(good):
    from synthpop_gb.pipeline.inputs import read_inputs

    study = sp.load_study(good / "study.toml")
    assert str(good / "homes.csv") in [f.path for f in read_inputs(study).files(study)]


def test_persons_alone_are_still_placed_by_the_same_survey(here):
    edit('household = "household"\nhouseholds = "homes.csv"\n', "")(here)
    edit('"household_size", "tenure", ', "")(here)
    edit('["tenure x household_size"]', "[]")(here)
    aligned, findings = sp.pipeline.check(here / "study.toml")
    assert aligned.households is None
    assert sp.load_study(here / "study.toml").method.name == "ipf"
    assert not [f for f in findings if f.level == "error"]


def test_nothing_of_a_household_leaves_a_survey_that_is_not_open(here, tmp_path):
    """Its id, its weights, its size and who of it lacks an answer stay out of every page and file but those of the people."""

    def spoil(table):
        homes = [table.index[table["household"] == h] for h in table["household"].value_counts().index[:3]]
        table.loc[homes[0][1], "weight"] = "77.5"
        table.loc[homes[1][1], "sex"] = None
        return table.drop(index=homes[2][-1])

    frame("people.csv", spoil)(here)
    shown = invoke("run", here / "study.toml", "-o", tmp_path)
    assert shown.exit_code in (0, 3), shown.output
    assert {"uneven-household", "incomplete-household", "lost-household"} <= set(re.findall(r"\[([a-z-]+)\]", shown.output))
    ids = [*pd.read_csv(here / "homes.csv", dtype=object)["household"], *pd.read_csv(here / "people.csv", dtype=object)["person"]]
    texts = {
        p.name: p.read_text(encoding="utf-8") for p in (tmp_path / "homes").rglob("*.*") if p.suffix in (".html", ".md", ".json")
    }
    assert {"report.html", "README.md", "card.json", "checks.json", "run.json"} <= set(texts)
    for name, text in texts.items():
        assert not [i for i in ids if re.search(rf"\b{re.escape(i)}\b", text)], name


def test_people_and_households_never_replace_each_other(here, tmp_path):
    from synthpop_gb.pipeline.expanding import expand_paths

    assert invoke("run", here / "study.toml", "-o", tmp_path).exit_code in (0, 3)
    run, there = tmp_path / "homes", tmp_path / "rows"
    for target, households in (
        (there, there),
        (there, there / "people"),
        (there / "a.csv", there / "a.csv"),
        (there / "a.csv", there),
    ):
        with pytest.raises(sp.InputError) as refused:
            expand_paths(run, target, households=households)
        assert [f.code for f in refused.value.findings] == ["study-value"]
    assert expand_paths(run, there) == (there / "people", there / "households")


@pytest.mark.parametrize("weight", ["rb050", "nothing"])
def test_init_takes_weighted_people_who_live_together_for_the_survey(here, weight):
    people = pd.read_csv(here / "people.csv", dtype=object)
    people = people[["person", "household", "weight", "age", "sex"]].rename(columns={"household": "db030", "weight": weight})
    people.to_csv(here / "people.csv", index=False)
    (here / "homes.csv").unlink()
    shutil.rmtree(here / "held_out")
    assert invoke("init", here, "--force").exit_code == 0
    text = (here / "study.toml").read_text(encoding="utf-8")
    if weight == "nothing":  # two columns of a codebook alone make no survey
        assert 'path = "survey.csv"' in text
        assert "not recognised: people.csv" in text
        return
    assert 'path = "people.csv"' in text
    assert re.search(r'^weight = "rb050"', text, re.MULTILINE)
    assert re.search(r'^household = "db030"', text, re.MULTILINE)
