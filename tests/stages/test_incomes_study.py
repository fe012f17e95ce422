"""`[[start.incomes]]` of a study file: read, checked, run, noted, reported, and the same again."""

import json

import numpy as np
import pandas as pd
import pytest

import synthpop_gb as sp
from synthpop_gb.cli import main
from synthpop_gb.errors import InputError
from tests.stages.incomes_world import county, with_incomes

AIMED = """[[start.incomes]]
path = "msoa.csv"
column = "equivalised_income"
level = "msoa"
name = "net income"
year = 2021
[[start.incomes]]
path = "zone.csv"
column = "equivalised_income"
level = "zone"
name = "<b>zones</b>"
uprate = 1.0
held_out = true
[[start.incomes]]
path = "median.csv"
kind = "median"
column = "equivalised_income"
level = "msoa"
relative_error = 0.03
year = 2021
held_out = true
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = county(tmp_path_factory.mktemp("incomes"))
    for name, truth in made.truth.items():
        frame = pd.DataFrame({"area": truth.index, "value": truth, "lower": truth / 1.06, "upper": truth * 1.06})
        frame.round(2).to_csv(made.folder / f"{name}.csv", index=False)
    median = made.made.households.groupby(made.made.households["zone"].astype(str).map(made.areas))["equivalised_income"].median()
    median.rename_axis("area").rename("value").to_csv(made.folder / "median.csv")
    return made


@pytest.fixture(scope="module")
def made(world, tmp_path_factory):
    return sp.pipeline.run(with_incomes(world, AIMED), tmp_path_factory.mktemp("out"), workers=1)


def test_a_run_tells_every_area_before_and_after(made, world):
    table = pd.read_parquet(made.folder / "validation" / "incomes.parquet")
    assert set(table["incomes"]) == {"net income", "<b>zones</b>", "median"}
    aimed = table[table["incomes"] == "net income"].set_index("area")
    truth = world.truth["msoa"].reindex(aimed.index)
    assert np.abs(aimed["after"] / truth - 1).mean() < np.abs(aimed["before"] / truth - 1).mean()
    assert np.abs(aimed["counted"] / aimed["after"] - 1).max() < 0.05  # whole people inherit
    assert (aimed["n_eff"] > 100).all()
    assert set(aimed["reliability"]) <= {"precise", "reasonably precise", "acceptable"}
    zones = table[table["incomes"] == "<b>zones</b>"].set_index("area")
    assert np.abs(zones["after"] / zones["published"] - 1).mean() < np.abs(zones["before"] / zones["published"] - 1).mean()
    assert (zones["reliability"] == "").all()
    assert "areas left out" in made.checks.headline["income net income"]
    assert made.population.problem.tilt is not None
    assert (made.population.status["fit"] == "CONVERGED").all()


def test_counted_is_the_mean_of_the_written_households(made, world):
    counts = pd.read_parquet(made.folder / "population" / "households.parquet")
    column = next(c for c in counts.columns if c not in ("zone", "n", "count"))
    number = next(c for c in counts.columns if c in ("n", "count"))
    homes = pd.read_csv(world.folder / "survey.csv").drop_duplicates("household").set_index("household")["equivalised_income"]
    joined = counts.assign(
        value=homes.reindex(counts[column].astype(str)).to_numpy(), msoa=counts["zone"].astype(str).map(world.areas)
    )
    mean = joined["value"].mul(joined[number]).groupby(joined["msoa"]).sum() / joined[number].groupby(joined["msoa"]).sum()
    table = pd.read_parquet(made.folder / "validation" / "incomes.parquet").query("incomes == 'net income'").set_index("area")
    assert table["counted"].to_numpy() == pytest.approx(mean.reindex(table.index).to_numpy())
    median = (
        pd.read_parquet(made.folder / "validation" / "incomes.parquet").query("incomes == 'median'").set_index("area")["counted"]
    )
    for area, mine in joined.groupby("msoa"):
        ordered = np.sort(np.repeat(mine["value"].to_numpy(), mine[number].to_numpy()))
        assert median[area] == ordered[(len(ordered) - 1) // 2]


def test_the_page_shows_them_and_no_name_runs(made):
    page = (made.folder / "report.html").read_text(encoding="utf-8")
    assert 'id="incomes"' in page
    assert "net income" in page
    assert "<b>zones</b>" not in page
    assert "&lt;b&gt;zones&lt;/b&gt;" in page


def test_the_card_says_that_incomes_were_aimed_at(made):
    card = (made.folder / "README.md").read_text(encoding="utf-8")
    assert "Published incomes, net income" in card
    assert "<b>zones</b>" not in card


def test_the_same_again_and_loaded(made, tmp_path):
    again = sp.pipeline.run(made.folder / "run.json", tmp_path, report=False, workers=2)
    assert again.population.digest() == made.population.digest()
    assert np.array_equal(again.population.problem.tilt, made.population.problem.tilt)
    loaded = sp.load(made.folder)
    assert loaded.digest() == made.population.digest()
    noted = json.loads((made.folder / "run.json").read_text(encoding="utf-8"))
    assert noted["start"]["incomes"]["targets"][0]["areas"]
    assert {"msoa.csv", "zone.csv", "median.csv"} <= {f["path"].rsplit("/", 1)[-1] for f in noted["inputs"]}


def test_a_changed_file_of_incomes_is_noticed(made, world, tmp_path):
    path = world.folder / "msoa.csv"
    before = path.read_bytes()
    path.write_bytes(before + b"\n")
    try:
        with pytest.raises(InputError) as error:
            sp.pipeline.run(made.folder / "run.json", tmp_path, report=False)
        assert error.value.findings[0].code == "input-changed"
    finally:
        path.write_bytes(before)


def test_check_says_every_reason(world):
    wrong = """[[start.incomes]]
path = "msoa.csv"
column = "wealth"
level = "lad"
year = 2019
[[start.incomes]]
path = "none.csv"
column = "income"
level = "msoa"
[[start.incomes]]
path = "msoa.csv"
column = "income"
level = "msoa"
measure = "net"
[method]
name = "balance"
"""
    _, found = sp.pipeline.check(with_incomes(world, wrong, "wrong"))
    assert {f.code for f in found if f.level == "error"} == {
        "missing-file",
        "missing-column",
    }  # files first, then what is in them
    _, found = sp.pipeline.check(
        with_incomes(world, wrong.split("[[start.incomes]]")[1].join(["[[start.incomes]]", ""]), "wrong")
    )
    assert {f.code for f in found if f.level == "error"} == {"income-year", "bad-condition", "income-areas"}


def test_keys_are_checked(world, capsys):
    for key, code in (
        ("measur = 'x'", "study-key"),
        ("standard_error = 5", "study-value"),
        ("to = 'x'", "study-value"),
    ):
        with pytest.raises(InputError) as error:
            sp.load_study(with_incomes(world, f"{AIMED}{key}\n", "keys"))
        assert error.value.findings[0].code == code
    with pytest.raises(SystemExit) as end:
        main(["check", str(with_incomes(world, AIMED.replace("msoa.csv", "nowhere.csv"), "gone"))])
    assert end.value.code == 1
