"""Scenario files: every mistake at once, with its line and the nearest key; nothing in a file is run; the schema is the model's."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from synthpop_gb.errors import InputError
from synthpop_gb.spec import Scenario, load_scenario, scenario_schema

ROOT = Path(__file__).parents[2]
GOOD = """
name = "here"
model = "tax-benefit"
year = 2024
inputs = { income = "pay" }
gain = 1
[places]
path = "${TABLES}/tax.csv"
level = "lad"
columns = { band_d = "council_tax" }
[deciles]
of = "equivalised_income"
[[reform]]
name = "more"
[reform.parameters]
"income_tax.personal_allowance" = 15000
[[outcome]]
what = "net_income"
measures = ["change", "gainers"]
by = ["lad", "decile"]
[[population]]
name = "later"
change = "project"
level = "lad"
tables = ["age.csv", { path = "../sex.csv", zone = "code" }]
[[population]]
name = "jobs"
change = "raise"
what = "work = 'yes'"
by = 0.05
[[population]]
name = "jobs"
change = "amplify"
where = "age >= 65"
times = 1.2
"""


def write(folder, text):
    path = folder / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    return path


def findings(folder, text):
    with pytest.raises(InputError) as error:
        load_scenario(write(folder, text))
    return [(f.code, f.place, f.message) for f in error.value.findings]


def test_a_whole_scenario(tmp_path, monkeypatch):
    monkeypatch.setenv("TABLES", "/open/tables")
    scenario = load_scenario(write(tmp_path, GOOD))
    assert scenario.places.path == "/open/tables/tax.csv"
    assert [t.path for t in scenario.population[0].tables] == [str(tmp_path / "age.csv"), str(tmp_path.parent / "sex.csv")]
    assert scenario.outcome[0].what == ["net_income"]
    assert [len(c) for c in scenario.populations.values()] == [1, 2]
    assert Scenario.model_validate(scenario.model_dump()) == scenario
    jsonschema.validate(tomllib.loads(GOOD), scenario_schema())


def test_every_mistake_at_once_with_its_line(tmp_path, monkeypatch):
    monkeypatch.delenv("NOWHERE", raising=False)
    text = """
name = "../x"
modle = "tax-benefit"
model = "tax-benfit"
gain = -1
[places]
path = "${NOWHERE}/a.csv"
[[reform]]
name = "empty"
[reform.parameters]
[[outcome]]
what = "net"
wher = "age > 3"
where = "age >"
[[population]]
name = "a"
change = "raise"
what = "smokes = 'yes'"
shares = { x = 1.0 }
"""
    found = findings(tmp_path, text)
    places = {(code, place) for code, place, _ in found}
    assert places == {
        ("study-value", "scenario.toml:2: name"), ("study-key", "scenario.toml:3: modle"),
        ("unknown-policy-model", "scenario.toml:4: model"), ("study-value", "scenario.toml:5: gain"),
        ("study-environment", "scenario.toml:7: places.path"), ("study-value", "scenario.toml:10: reform.0.parameters"),
        ("study-key", "scenario.toml:13: outcome.0.wher"), ("study-value", "scenario.toml:14: outcome.0.where"),
        ("study-value", "scenario.toml:15: population.0"),
    }  # fmt: skip
    said = " ".join(message for _, _, message in found)
    for words in ("'model'?", "'tax-benefit'?", "'where'?", "shares is not for 'raise'", "one of to, by and times"):
        assert words in said


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ('[[reform]]\nname = "baseline"\nparameters = { a = 1 }', "baseline"),
        ('[[reform]]\nname = "a"\nparameters = { a = 1 }\n[[reform]]\nname = "a"\nparameters = { a = 2 }', "2 scenarios"),
        ('[[outcome]]\nwhat = "x"\nby = ["decile"]', "need [deciles]"),
        ('[[population]]\nname = "a"\nchange = "shift"\ncolumn = "pay"', "changes nothing"),
        ('[[population]]\nname = "a"\nchange = "balance"\nvariable = "sex"\nshares = { male = 0.4 }', "add up to 1"),
        ('[[population]]\nname = "a"\nchange = "amplify"\nwhere = "age > 3"', "needs times"),
        ('[[population]]\nname = "a"\nchange = "melt"', "Input should be"),
        ('[[population]]\nname = "a"\nchange = "project"\ntables = ["x.csv"]\n'
         '[[population]]\nname = "a"\nchange = "amplify"\nwhere = "age > 3"\ntimes = 2', "mixes a projection"),
        ('[[outcome]]\nwhat = "x"\nquantile = 1.0', "less than 1"),
    ],
)  # fmt: skip
def test_nonsense_is_refused(tmp_path, lines, words):
    found = findings(tmp_path, f'name = "x"\nmodel = "tax-benefit"\n{lines}\n')
    assert any(words in message for _, _, message in found), found


def test_a_file_cannot_name_code(tmp_path):
    found = findings(tmp_path, 'name = "x"\nmodel = "model.py:Mine"\n')
    assert [f[0] for f in found] == ["unknown-policy-model"]


@pytest.mark.parametrize("text", ["name = ", "name = 'x'\nname = 'y'", "\x00"])
def test_what_is_no_toml_is_a_finding(tmp_path, text):
    assert [f[0] for f in findings(tmp_path, text)] == ["study-syntax"]


def test_files_that_cannot_be_read_are_findings(tmp_path):
    with pytest.raises(InputError, match="no scenario file"):
        load_scenario(tmp_path / "no.toml")
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read"):
        load_scenario(tmp_path / "a.toml")


def test_the_shipped_schema_is_the_models():
    shipped = json.loads((ROOT / "synthpop_gb" / "spec" / "scenario.schema.json").read_text(encoding="utf-8"))
    assert shipped == scenario_schema(), "run: synthpop-gb schema --scenario -o synthpop_gb/spec/scenario.schema.json"


def test_every_key_says_what_it_means():
    schema = scenario_schema()
    for part in (schema, *schema["$defs"].values()):
        for key, entry in part.get("properties", {}).items():
            assert entry.get("description") or "$ref" in entry, key


@pytest.mark.parametrize("path", sorted((ROOT / "inputs" / "scenarios").glob("*.toml")), ids=lambda p: p.name)
def test_scenarios_that_come_along_are_read(path):
    scenario = load_scenario(path)
    assert scenario.name == path.stem
    text = path.read_text(encoding="utf-8")
    assert text.startswith("#:schema ../../synthpop_gb/spec/scenario.schema.json")
    jsonschema.validate(tomllib.loads(text), scenario_schema())


def test_there_are_scenarios_that_come_along():
    assert len(list((ROOT / "inputs" / "scenarios").glob("*.toml"))) >= 4
