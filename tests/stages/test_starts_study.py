"""[start] of a study file, from reading to the folder: learnt, chosen, limited, left out; noted, and the same again."""

import json

import numpy as np
import pandas as pd
import pytest

import synthpop_gb as sp
from synthpop_gb.errors import InputError
from synthpop_gb.run_folder import read_counts
from tests.stages.starts_world import records, study

AGES, SEXES = ["young", "middle", "old"], ["male", "female"]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Folder of a survey, tables of the study's twelve zones and of 120 others, and a lookup."""
    folder = tmp_path_factory.mktemp("inputs")
    people = records()
    named = people.assign(
        age=np.array(AGES)[people["age"]], sex=np.array(SEXES)[people["sex"]], tenure=np.array(["own", "rent"])[people["tenure"]]
    )
    named.drop(columns="work").to_csv(folder / "survey.csv")
    parts = [study(), study("E", n_zones=120, seed=2)]
    for name, k in (("age", 0), ("sex", 1)):
        table = pd.concat([p.constraints[k].targets for p in parts]).set_axis([AGES, SEXES][k], axis=1)
        table.astype(int).to_csv(folder / f"{name}.csv", index_label="zone")
    joint = pd.concat([p.held_out[0].targets for p in parts])
    joint.set_axis([f"{a} {s}" for a in AGES for s in SEXES], axis=1).astype(int).to_csv(folder / "joint.csv", index_label="zone")
    pd.concat([p.geography.zones for p in parts]).assign(county=["ours"] * 12 + ["theirs"] * 120).to_csv(folder / "lookup.csv")
    return folder


def write(folder, start, extra="", name="starts"):
    cells = ", ".join(f'"{a} {s}" = ["{a}", "{s}"]' for a in AGES for s in SEXES)
    variables = "\n".join(
        f'[survey.variables.{v}]\ncolumn = "{v}"\ncategories = {{ {", ".join(f"{c} = {json.dumps(c)}" for c in words)} }}'
        for v, words in (("age", AGES), ("sex", SEXES), ("tenure", ["own", "rent"]))
    )
    path = folder / f"{name}.toml"
    path.write_text(
        f'''name = "{name}"
seed = 5
constraints = ["age", "sex"]
held_out = ["age x sex"]
tables = [
    {{ path = "age.csv", zone = "zone", variables = ["age"], universe = "usual residents" }},
    {{ path = "sex.csv", zone = "zone", variables = ["sex"], universe = "usual residents" }},
    {{ path = "joint.csv", zone = "zone", variables = ["age", "sex"], columns = {{ {cells} }}, universe = "usual residents" }},
]
{extra}
[zones]
lookup = "lookup.csv"
zone = "zone"
parent = {{ county = "ours" }}
[survey]
path = "survey.csv"
id = "id"
region = "region"
universe = "usual residents"
{variables}
[start]
{start}
''',
        encoding="utf-8",
    )
    return path


FULL = """own_region = 0.2
smooth = 0.25
max_copies = 6
exclude = "tenure = 'rent' and age = 'old'"
learnt = [{ table = "age x sex" }]"""


def test_a_start_is_made_noted_repeated_and_loaded(inputs, tmp_path):
    made = sp.pipeline.run(write(inputs, FULL), tmp_path, report=False, workers=1)
    run = json.loads((made.folder / "run.json").read_text(encoding="utf-8"))
    facts = run["start"]
    assert facts["own_region"]["strength"] == 0.2
    assert facts["smooth"]["strength"] == 0.25
    assert facts["learnt"][0]["areas"] == 120
    assert facts["learnt"][0]["error_learnt"] < 0.7 * facts["learnt"][0]["error_fit"]
    assert made.population.status["whole"].eq("EXACT").all()
    gone = made.aligned.survey.findings[-1]
    assert gone.code == "excluded"
    for block in read_counts(made.folder, made.aligned.records):
        assert block.n.max() <= 6
        assert not set(made.aligned.records[block.record]) & set(gone.rows["record"])
    plain = sp.pipeline.run(write(inputs, "", name="plain"), tmp_path, report=False, workers=1)
    wrong = [c["held_out"]["zone_mean_whole"].iloc[0] for c in (made.checks, plain.checks)]
    assert wrong[0] < 0.8 * wrong[1]
    assert "start" not in json.loads((plain.folder / "run.json").read_text(encoding="utf-8"))

    again = sp.pipeline.run(made.folder / "run.json", tmp_path / "again", report=False, workers=2)
    assert again.population.digest() == made.population.digest()
    loaded = sp.load(made.folder)
    assert loaded.digest() == made.population.digest()
    np.testing.assert_array_equal(loaded.problem.tilt, made.population.problem.tilt)


def test_what_a_run_noted_is_used_again_and_nothing_chosen_anew(inputs, tmp_path):
    made = sp.pipeline.run(write(inputs, FULL), tmp_path, report=False, workers=1)
    path = made.folder / "run.json"
    run = json.loads(path.read_text(encoding="utf-8"))
    run["start"]["own_region"]["strength"] = 0.75
    other = tmp_path / "run.json"
    other.write_text(json.dumps(run), encoding="utf-8")
    again = sp.pipeline.run(other, tmp_path / "again", report=False, workers=1)
    assert again.population.provenance.start["own_region"]["strength"] == 0.75
    assert "repeat-differs" in {f.code for f in again.checks.findings}


@pytest.mark.parametrize(
    ("start", "code", "said"),
    [
        ("own_region = 1", "study-value", "less than 1"),
        ('own_region = "half"', "study-value", "auto"),
        ("own_regions = 0.5", "study-key", "own_region"),
        ("max_copies = 2.5", "study-value", "whole number"),
        ("max_copies = 0", "study-value", "greater than 0"),
        ("smooth = 1.2", "study-value", "less than or equal to 1"),
        ('own_region = 0.5\nregion = "Atlantis"', "start-region", "No zone lies"),
        ('own_region = "auto"\njudge = ["tenure"]', "study-reference", "no held-out table"),
        ('learnt = [{ table = "age x tenure" }]', "study-reference", "No table counts"),
        ('learnt = [{ table = "age x sex", train = "msoa" }]', "start-training", "no tables of the level"),
        ('exclude = "tenure = rent"', "bad-condition", "quotes"),
        ("exclude = \"age in ('young', 'middle', 'old')\"", "no-records", "nobody is left"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_computed(inputs, tmp_path, start, code, said):
    path = write(inputs, start, name="wrong")
    _, findings = sp.pipeline.check(path)
    wrong = [f for f in findings if f.level == "error"]
    assert code in {f.code for f in wrong}
    assert said in " ".join(str(f) for f in wrong)
    with pytest.raises(InputError):
        sp.pipeline.run(path, tmp_path)
    assert not (tmp_path / "wrong").exists()


@pytest.mark.parametrize(("start", "key"), [("max_copies = 3", "max_copies"), ('learnt = [{ table = "age x sex" }]', "learnt")])
def test_a_method_that_cannot_is_refused_by_the_check(inputs, start, key):
    path = write(inputs, start, extra='[method]\nname = "anneal"', name="annealed")
    _, findings = sp.pipeline.check(path)
    wrong = [f for f in findings if f.level == "error"]
    assert [f.place for f in wrong] == [f"start.{key}"]
    assert "'ipf'" in wrong[0].remedy


def test_without_zones_elsewhere_nothing_can_be_learnt(inputs):
    path = write(inputs, 'learnt = [{ table = "age x sex" }]', name="alone")
    text = path.read_text(encoding="utf-8").replace('parent = { county = "ours" }', "")
    path.write_text(text, encoding="utf-8")
    _, findings = sp.pipeline.check(path)
    assert any(f.code == "start-training" and "no zone outside" in f.message for f in findings)
