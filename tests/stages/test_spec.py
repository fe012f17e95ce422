"""Study files: every mistake at once, with its line; paths and nothing but paths are expanded; the schema is the model's."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from synthpop_gb.errors import InputError
from synthpop_gb.spec import load_study, study_schema

ROOT = Path(__file__).parents[2]
GOOD = """
name = "here"
constraints = ["age"]
tables = ["age.csv", { path = "${TABLES}/sex.csv", zone = "code" }]
[survey]
path = "../survey.csv"
"""


def write(folder, text, name="study.toml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def findings(folder, text):
    with pytest.raises(InputError) as error:
        load_study(write(folder, text))
    return error.value.findings


def test_paths_count_from_the_study_file_and_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("TABLES", "/open/tables")
    study = load_study(write(tmp_path, GOOD))
    assert study.survey.path == str(tmp_path.parent / "survey.csv")
    assert [t.path for t in study.tables] == [str(tmp_path / "age.csv"), "/open/tables/sex.csv"]
    assert study.tables[1].zone == "code"


def test_every_mistake_at_once_with_its_line(tmp_path, monkeypatch):
    monkeypatch.delenv("NOWHERE", raising=False)
    text = """
name = "../../etc"
constraints = []
tables = ["${NOWHERE}/a.csv", { path = "b.csv", zon = "x" }]
[survey]
pth = "s.csv"
licence = "mine"
[methd]
name = "ipf"
"""
    found = findings(tmp_path, text)
    by_place = {(f.code, f.place) for f in found}
    assert ("study-value", "study.toml:2: name") in by_place
    assert ("study-value", "study.toml:3: constraints") in by_place
    assert ("study-environment", "study.toml:4: tables.0") in by_place
    assert ("study-key", "study.toml:4: tables.1.zon") in by_place
    assert ("study-missing", "study.toml:5: survey.path") in by_place
    assert ("study-key", "study.toml:6: survey.pth") in by_place
    assert ("study-value", "study.toml:7: survey.licence") in by_place
    assert ("study-key", "study.toml:8: methd") in by_place
    assert len(found) == 8


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("constraint = 1", "constraints"), ("[zones]\nbondaries = 'x'", "boundaries"), ("[[maps]]\nindicater = 'x'", "indicator")],
)
def test_unknown_keys_name_the_nearest_known_one(tmp_path, monkeypatch, wrong, right):
    monkeypatch.setenv("TABLES", "/t")
    text = f"{wrong}\n{GOOD}" if "[" not in wrong else f"{GOOD}\n{wrong}"
    messages = [f.message for f in findings(tmp_path, text) if f.code == "study-key"]
    assert len(messages) == 1
    assert f"Did you mean '{right}'?" in messages[0]


@pytest.mark.parametrize("name", ["", "a/b", "..", "/abs", "a\\b", "-x", "x" * 100, "a b", "${HOME}"])
def test_the_name_cannot_leave_its_folder(tmp_path, monkeypatch, name):
    monkeypatch.setenv("TABLES", "/t")
    text = GOOD.replace('"here"', json.dumps(name))
    assert {f.code for f in findings(tmp_path, text)} == {"study-value"}


def test_environment_is_expanded_in_paths_only(tmp_path, monkeypatch):
    monkeypatch.setenv("TABLES", "/t")
    monkeypatch.setenv("SECRET", "boo")
    study = load_study(write(tmp_path, 'title = "${SECRET} {{ 7*7 }} <script>"\n' + GOOD))
    assert study.title == "${SECRET} {{ 7*7 }} <script>"


def test_syntax_errors_name_the_line(tmp_path):
    (only,) = findings(tmp_path, "name = \nseed = 1\n")
    assert only.code == "study-syntax"
    assert "line 1" in only.message


def test_missing_file_and_wrong_file(tmp_path):
    with pytest.raises(InputError) as error:
        load_study(tmp_path / "none.toml")
    assert error.value.findings[0].code == "missing-file"
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError) as error:
        load_study(tmp_path / "binary.toml")
    assert error.value.findings[0].code == "unreadable-file"


def test_the_shipped_schema_is_the_models():
    shipped = json.loads((ROOT / "synthpop_gb" / "spec" / "study.schema.json").read_text(encoding="utf-8"))
    assert shipped == study_schema(), "run: synthpop-gb schema -o synthpop_gb/spec/study.schema.json"


EXAMPLES = sorted((ROOT / "inputs").glob("*.toml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_example_studies_are_valid(path, monkeypatch):
    monkeypatch.setenv("SYNTHPOP_GB_DATA", "/somewhere")
    assert load_study(path).name == path.stem
    jsonschema.validate(tomllib.loads(path.read_text(encoding="utf-8")), study_schema())


def test_there_are_example_studies():
    names = {p.stem for p in EXAMPLES}
    real = {"leeds-2011", "yorkshire-2011", "yorkshire-2011-levels", "england-wales-2011", "leeds-2021", "england-wales-2021"}
    assert names == real | {"cakemap", "simpleworld", "demo-county", "demo-households"}


def test_six_nomis_tables_take_at_most_thirty_lines():
    for name in ("leeds-2021", "england-wales-2021"):
        assert len((ROOT / "inputs" / f"{name}.toml").read_text(encoding="utf-8").splitlines()) <= 30


def test_every_option_of_every_method_can_be_said_in_a_study():
    import dataclasses

    from synthpop_gb.methods import METHODS
    from synthpop_gb.spec.model import Method

    known = study_schema()["$defs"]["Method"]["properties"]
    for method in METHODS.values():
        for f in dataclasses.fields(method.options):
            assert len(known[f.name]["description"]) > 20, f"{method.name}: {f.name} is not described in the docstring"
    assert Method(integerise="cube").options() == {"integerise": "cube"}


def test_every_mistake_in_the_options_of_a_method_stands_with_its_line(tmp_path, monkeypatch):
    monkeypatch.setenv("TABLES", "/t")
    text = GOOD + "[method]\ntolerence = 1\nmax_cycles = 0.5\nnewton = 1\nintegerise = 'cubic'\n"
    found = {(f.code, f.place): f.message for f in findings(tmp_path, text)}
    message = found.pop(("study-key", "study.toml:8: method.tolerence"))
    assert "Did you mean 'tolerance'? It has: tolerance, relative, max_cycles" in message
    kept = enumerate(("max_cycles", "newton", "integerise"), 9)
    assert set(found) == {("study-value", f"study.toml:{n}: method.{key}") for n, key in kept}
    values = GOOD + "[method]\ntolerance = -1\nmax_cycles = 0\n"
    assert [f.place for f in findings(tmp_path, values)] == ["study.toml:8: method.tolerance", "study.toml:9: method.max_cycles"]
    (only,) = findings(tmp_path, GOOD + "[method]\nname = 'ipff'\n")
    assert "no method is called 'ipff'. Did you mean 'ipf'?" in only.message


def test_a_method_registered_by_somebody_else_has_its_options_in_studies(tmp_path, monkeypatch):
    from dataclasses import dataclass

    from synthpop_gb.methods import METHODS, register_method

    @dataclass(frozen=True)
    class Options:
        """Options.

        Attributes
        ----------
        shares : dict
            Share of each table, which
            add up to 1.
        """

        shares: dict[str, float] | None = None

        def __post_init__(self):
            if self.shares is not None and sum(self.shares.values()) != 1:
                raise ValueError("shares add up to 1")

    monkeypatch.setenv("TABLES", "/t")
    monkeypatch.setitem(METHODS, "theirs", None)
    METHODS.pop("theirs")
    register_method(type("Theirs", (), {"name": "theirs", "options": Options, "needs": "cells", "solve_block": None})())
    study = load_study(write(tmp_path, GOOD + "[method]\nname = 'theirs'\nshares = { age = 0.5, sex = 0.5 }\n"))
    assert study.method.options() == {"shares": {"age": 0.5, "sex": 0.5}}
    for wrong in ("{ age = 0.5 }", "{ age = 'a' }", "[1]"):
        assert {f.code for f in findings(tmp_path, GOOD + f"[method]\nname = 'theirs'\nshares = {wrong}\n")} == {"study-value"}
    assert (
        study_schema()["$defs"]["Method"]["properties"]["shares"]["description"]
        == "`theirs`: Share of each table, which add up to 1."
    )
