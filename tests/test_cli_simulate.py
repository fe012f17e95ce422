"""simulate: tables, page and record of a scenario on a finished run; what is broken is a finding, and nothing is written."""

import json
import re

import numpy as np
import pandas as pd
import pytest

import synthpop_gb as sp
from synthpop_gb.pipeline.demo import demo_study
from synthpop_gb.pipeline.scenario_population import read_places
from synthpop_gb.spec import Scenario
from tests.command_line import invoke

MODEL = """
import numpy as np
import pandas as pd


class Levy:
    name, units, parameters = "levy", {"net": "pounds a year"}, {"rate": 0.2, "free": 0.0}

    def __init__(self, year=2020, inputs=None):
        self.year, self.inputs = year, dict(inputs or {})

    def outcomes(self, donors, parameters=None):
        p = {**self.parameters, **(parameters or {})}
        income = donors[self.inputs.get("income", "income")].fillna(0.0)
        return pd.DataFrame({"net": income - p["rate"] * (income - p["free"]).clip(lower=0.0)})

    def facts(self):
        return {"year": self.year, "inputs left at a default": [] if self.inputs else ["income"]}


def broken(donors):
    raise RuntimeError("no luck")


def ranked(donors, parameters=None):
    return pd.DataFrame({"net": donors["income"].fillna(0.0), "rank": donors["income"].fillna(0.0).rank()})


def dice(donors, parameters=None):
    return pd.DataFrame({"net": np.random.default_rng().random(len(donors))}, index=donors.index)


def leaves(donors):
    raise SystemExit(3)


def short(donors):
    return pd.DataFrame({"x": [1.0]})
"""
SCENARIO = """
name = "levy"
title = "A levy <script>alert(1)</script> & more"
year = 2031
inputs = { income = "income" }
gain = 1.0
[deciles]
of = "net"
[[reform]]
name = "higher"
title = "=HYPERLINK(1) <b>higher</b>"
parameters = { rate = 0.3 }
[[outcome]]
what = "net"
measures = ["mean", "change", "losers"]
by = ["district", "sex"]
where = "age >= 16"
[[population]]
name = "pay-rise"
change = "shift"
column = "income"
where = "age >= 30"
factor = 1.1
[[population]]
name = "smokers"
change = "raise"
what = "smokes = 'yes'"
by = 0.1
zones = { msoa = ["D02100001"] }
"""


OPTIONS = 'year = 2031\ninputs = { income = "income" }'


def study_of(folder, licence="open"):
    """A study of persons of a county of ten zones, with three replicates."""
    sp.datasets.make_county("penmarrow", zones=10, seed=5, survey_persons=900).write(folder)
    text = demo_study(".")
    text = re.sub(r"constraints = \[.*?\]", 'constraints = ["age", "sex", "health"]', text, count=1, flags=re.DOTALL)
    text = re.sub(r"held_out = \[.*?\]", "held_out = []", text, count=1, flags=re.DOTALL)
    text = re.sub(r"^# ?replicates = .*$", "replicates = 3", text, flags=re.MULTILINE)
    text = text.replace('licence = "open"', f'licence = "{licence}"')
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    study = sp.load_study(path)
    changed = {"truth": None, "maps": [], "indicators": [], "recode": {}}
    return study.model_copy(update={**changed, "replicates": study.replicates.model_copy(update={"number": 3})})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A finished run, and the files of model and scenario."""
    folder = tmp_path_factory.mktemp("simulate")
    run = sp.run(study_of(folder / "inputs" if (folder / "inputs").mkdir() is None else folder), folder / "runs", report=False)
    (folder / "model.py").write_text(MODEL, encoding="utf-8")
    (folder / "levy.toml").write_text(SCENARIO, encoding="utf-8")
    return run.folder, folder


@pytest.fixture(scope="module")
def done(made):
    run, folder = made
    result = invoke("simulate", run, folder / "levy.toml", "--model", f"{folder / 'model.py'}:Levy", "--draw")
    assert result.exit_code == 0, result.output
    return run / "simulations" / "levy", result.output


def test_tables_hold_every_scenario_and_say_their_units(done):
    place, output = done
    frame = pd.read_parquet(place / "outcomes.parquet")
    assert list(frame["scenario"].unique()) == ["baseline", "higher", "pay-rise", "smokers"]
    assert set(frame.loc[frame["measure"] == "losers", "unit"]) == {"share of people", "share of people, where age >= 16"}
    total = frame[(frame["measure"] == "total_change") & frame["all"].notna() & (frame["decile"] == "")]
    assert (total.set_index("scenario").loc["higher", "estimate"] < 0).all()
    lose = frame[(frame["measure"] == "losers") & (frame["scenario"] == "higher") & (frame["where"] == "age >= 16")]
    assert lose["estimate"].between(0, 1).all()
    assert set(lose["district"].dropna()) == set(lose["district"])
    assert set(lose["sex"]) == {"female", "male"}
    deciles = frame[frame["decile"] != ""]
    assert set(deciles["decile"]) == {str(i) for i in range(1, 11)}
    zones = frame[frame["zone"].notna() & (frame["measure"] == "change")]
    inside = zones[(zones["scenario"] == "smokers") & (zones["estimate"] != 0)]
    assert 0 < inside["zone"].nunique() < 10  # people of one district alone were exchanged
    assert "changes by" in output
    assert pd.read_csv(place / "outcomes.csv").shape == frame.shape
    plain = pd.read_csv(place / "outcomes.csv", keep_default_na=False)  # areas of other levels are blank
    assert not (plain[["zone", "district", "all"]] == "nan").any(axis=None)


def test_the_pay_rise_is_a_reform_of_donors(done, made):
    place, _ = done
    run, _ = made
    frame = pd.read_parquet(place / "outcomes.parquet")
    row = frame[(frame["scenario"] == "pay-rise") & (frame["measure"] == "total_change") & frame["all"].notna()]
    population = sp.load(run)
    aligned = population.problem.aligned
    answers, placed = aligned.frame(), population.donors()
    more = np.where(answers["age"] >= 30, 0.1 * answers["income"].fillna(0.0), 0.0) * 0.8
    everybody = row[(row["decile"] == "")]
    assert everybody["counted"].item() == pytest.approx((placed.n * more[placed.record]).sum())


def test_the_run_and_its_card_tell_of_it(done, made):
    run, _ = made
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    (told,) = record["simulations"]
    assert told["name"] == "levy"
    assert told["populations"] == ["pay-rise", "smokers"]
    readme = (run / "README.md").read_text(encoding="utf-8")
    assert "Scenarios, not estimates" in readme
    facts = json.loads((done[0] / "scenario.json").read_text(encoding="utf-8"))
    assert facts["facts"]["year"] == 2031
    assert facts["facts"]["inputs left at a default"] == []
    assert facts["parameters"] == {"rate": 0.2}
    assert facts["moved"]["smokers"][0]["after"] > facts["moved"]["smokers"][0]["before"]
    sp.pipeline.validate_run(run)  # which writes run.json anew
    assert json.loads((run / "run.json").read_text(encoding="utf-8"))["simulations"] == record["simulations"]


def test_the_page_escapes_what_files_say(done):
    text = (done[0] / "simulation.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "a scenario, not an estimate" in text
    assert text.count("data:image/png;base64,") == 3
    assert "By decile" in text
    assert {p.suffix for p in (done[0] / "maps").iterdir()} == {".png", ".svg", ".gpkg", ".parquet"}
    layer = pd.read_parquet(
        next((done[0] / "maps").glob("*higher*.geo.parquet")), columns=["estimate", "lower", "upper", "direction"]
    )
    assert (layer["direction"] == "rise").eq(layer["lower"] > 0).all()
    assert (layer["direction"] == "fall").eq(layer["upper"] < 0).all()


def test_a_simulation_of_the_same_name_is_replaced(made, done):
    run, folder = made
    text = SCENARIO.split("[[population]]")[0].replace('[deciles]\nof = "net"\n', "")
    (folder / "again.toml").write_text(text, encoding="utf-8")
    elsewhere = folder / "elsewhere"
    arguments = ("--model", f"{folder / 'model.py'}:Levy", "--no-page", "--level", "0.5", "-o", elsewhere)
    before = (run / "run.json").read_bytes()
    assert invoke("simulate", run, folder / "again.toml", *arguments).exit_code == 0
    assert sorted(p.name for p in elsewhere.iterdir()) == ["outcomes.csv", "outcomes.parquet", "scenario.json"]
    assert json.loads((elsewhere / "scenario.json").read_text(encoding="utf-8"))["level"] == 0.5
    assert (run / "run.json").read_bytes() == before


@pytest.mark.parametrize(
    ("model", "change", "words"),
    [
        ("model.py:Levy", ("rate = 0.3", "rat = 0.3"), "model-parameter"),
        ("model.py:broken", ("year = 2031", ""), "study-key"),
        ("model.py:broken", (OPTIONS, ""), "model-failed"),
        ("model.py:leaves", (OPTIONS, ""), "model-failed"),
        ("model.py:short", (OPTIONS, ""), "model-outcomes"),
        ("model.py:ranked", (f"{OPTIONS}\ngain = 1.0\n[deciles]\nof = \"net\"", "deciles.of = \"rank\""), "model-reads-others"),
        ("model.py:dice", (OPTIONS, ""), "model-not-repeatable"),
        ("model.py:Levy", ("factor = 1.1", "factor = inf"), "study-value"),
        ("model.py:Nobody", ("", ""), "study-reference"),
        ("none.py:Levy", ("", ""), "missing-file"),
        ("model.py", ("", ""), "study-value"),
        ("levy", ("", ""), "unknown-policy-model"),
        ("model.py:Levy", ('of = "net"', 'of = "gross"'), "study-value"),
        ("model.py:Levy", ('column = "income"', 'column = "incme"'), "bad-condition"),
        ("model.py:Levy", ('["D02100001"]', '["Nowhere"]'), "study-reference"),
        ("model.py:Levy", ('what = "net"', 'what = "gross"'), "bad-condition"),
        ("model.py:Levy", ('by = ["district", "sex"]', 'by = ["moon"]'), "bad-condition"),
        ("model.py:Levy", ('name = "levy"', 'name = "a/../b"'), "study-value"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_a_finding_and_nothing_is_written(made, tmp_path, model, change, words):
    run, folder = made
    path = tmp_path / "x.toml"
    path.write_text(SCENARIO.replace(*change), encoding="utf-8")
    result = invoke("simulate", run, path, "--model", str(folder / model) if ":" in model else model, "-o", tmp_path / "out")
    assert result.exit_code == 1, result.output
    assert f"[{words}]" in result.output
    assert "Nothing was written" in result.output
    assert not (tmp_path / "out").exists()


def test_places_may_be_told_by_numbers_in_parquet(tmp_path):
    table = pd.DataFrame({"zone": [101, 102], "band_d": [1500.0, 1800.0]})
    table.to_parquet(tmp_path / "places.parquet", index=False)
    table.to_csv(tmp_path / "places.csv", index=False)
    for name in ("places.parquet", "places.csv"):
        places = {"path": str(tmp_path / name), "columns": {"band_d": "tax"}}
        told = read_places(Scenario(name="x", places=places))
        assert told["tax"].to_dict() == {"101": 1500.0, "102": 1800.0}


def test_every_population_that_is_wrong_is_named(made, tmp_path):
    run, folder = made
    path = tmp_path / "x.toml"
    path.write_text(SCENARIO.replace('column = "income"', 'column = "incme"').replace("'yes'", "'maybe'"), encoding="utf-8")
    result = invoke("simulate", run, path, "--model", f"{folder / 'model.py'}:Levy", "-o", tmp_path / "out")
    assert result.exit_code == 1, result.output
    assert "population 'pay-rise': no column of donors is called 'incme'" in result.output
    assert "population 'smokers': smokes = 'maybe'" in result.output
    assert "population.0" not in result.output


def test_a_model_of_ones_own_goes_before_the_one_that_the_file_names(made, tmp_path):
    run, folder = made
    path = tmp_path / "x.toml"
    path.write_text('model = "Levy"\n' + SCENARIO.split("[[population]]")[0], encoding="utf-8")
    result = invoke("simulate", run, path, "--model", f"{folder / 'model.py'}:Levy", "-o", tmp_path / "out", "--no-page")
    assert result.exit_code == 0, result.output


def test_a_model_that_stops_says_in_which_line(made, tmp_path):
    run, folder = made
    path = tmp_path / "x.toml"
    path.write_text('name = "x"\n', encoding="utf-8")
    result = invoke("simulate", run, path, "--model", f"{folder / 'model.py'}:broken", "-o", tmp_path / "out")
    line = MODEL.splitlines().index('    raise RuntimeError("no luck")') + 1
    assert f"RuntimeError: no luck (model.py, line {line})" in result.output


def test_a_scenario_without_a_model_needs_one_and_its_table_of_places_too(made, tmp_path):
    run, folder = made
    result = invoke("simulate", run, folder / "levy.toml")
    assert result.exit_code == 1
    assert "--model file.py:Name" in result.output
    (tmp_path / "x.toml").write_text('places = { path = "nowhere.csv" }\n' + SCENARIO, encoding="utf-8")
    result = invoke("simulate", run, tmp_path / "x.toml")
    assert result.exit_code == 1
    assert "--model file.py:Name" in result.output
    assert "[missing-file]" in result.output


def test_registered_models_by_name_and_every_outcome(made, tmp_path):
    run, _ = made
    path = tmp_path / "tax.toml"
    path.write_text(
        'name = "tax"\nmodel = "tax-benefit"\nyear = 2023\n[[reform]]\nname = "pa"\n[reform.parameters]\n'
        "income_tax.personal_allowance = 15000.0\n[[outcome]]\nwhat = \"*\"\nmeasures = \"mean\"\nby = \"all\"\n",
        encoding="utf-8",
    )  # fmt: skip
    made_of = sp.pipeline.simulate_run(run, path, output=tmp_path / "out", page=True)
    assert {"income_tax", "national_insurance", "income_after_tax"} <= set(made_of.frame["outcome"])
    assert made_of.facts["facts"]["tax_year"] == 2023
    assert made_of.facts["reforms"] == {"pa": {"income_tax.personal_allowance": 15000.0}}
    change = made_of.frame[(made_of.frame["outcome"] == "income_tax") & (made_of.frame["measure"] == "change")]
    assert (change["estimate"] < 0).any()
    page = (tmp_path / "out" / "simulation.html").read_text(encoding="utf-8")
    assert re.search(r"income tax changes by .* it rises for 0\.0 % of people and falls for \d", page)  # nobody "loses" by that
    assert not re.search(r"\b(Gain|Lose)\b", page)


def test_of_a_restricted_survey_figures_of_few_records_are_withheld(tmp_path):
    (tmp_path / "inputs").mkdir()
    run = sp.run(study_of(tmp_path / "inputs", "restricted"), tmp_path / "runs", report=False)
    (tmp_path / "model.py").write_text(MODEL, encoding="utf-8")
    text = SCENARIO.replace('by = ["district", "sex"]', 'by = ["zone", "sex", "health"]').replace("age >= 16", "age >= 65")
    (tmp_path / "levy.toml").write_text(text, encoding="utf-8")
    made_of = sp.pipeline.simulate_run(run.folder, tmp_path / "levy.toml", model=f"{tmp_path / 'model.py'}:Levy")
    few = (made_of.frame["donors"] < 10) & (made_of.frame["people"] > 0)
    assert few.any()
    assert made_of.frame.loc[few, ["estimate", "lower", "upper", "counted", "standard_error"]].isna().all(axis=None)
    assert made_of.frame.loc[~few & (made_of.frame["people"] > 0), "estimate"].notna().all()
    assert made_of.facts["withheld"] > 0
    page = (made_of.folder / "simulation.html").read_text(encoding="utf-8")
    assert "fewer than ten records" in page
    frame = pd.read_csv(made_of.folder / "outcomes.csv")
    assert frame.loc[(frame["donors"] < 10) & (frame["people"] > 0), "estimate"].isna().all()


def test_a_projection_is_solved_again_from_the_same_survey(made, tmp_path):
    run, _ = made
    ages = pd.read_csv(run.parents[1] / "inputs" / "tables" / "age.csv").set_index("zone")
    lookup = pd.read_csv(run.parents[1] / "inputs" / "lookup.csv").set_index("zone")
    coming = ages.groupby(lookup["district"]).sum() * ([1.0] * (ages.shape[1] - 1) + [1.6])
    coming.round().astype(int).rename_axis("district").to_csv(tmp_path / "ages.csv")
    (tmp_path / "model.py").write_text(MODEL, encoding="utf-8")
    text = """
name = "later"
[[population]]
name = "aged"
change = "project"
level = "district"
tables = [{ path = "ages.csv", zone = "district", variables = ["age"] }]
[[outcome]]
what = ["net", "age >= 75"]
measures = ["count", "total"]
by = "district"
"""
    text = text.replace('what = ["net", "age >= 75"]\nmeasures = ["count", "total"]', 'what = "age >= 75"\nmeasures = "count"')
    (tmp_path / "later.toml").write_text(text, encoding="utf-8")
    made_of = sp.pipeline.simulate_run(
        run, tmp_path / "later.toml", model=f"{tmp_path / 'model.py'}:Levy", output=tmp_path / "out"
    )
    frame = made_of.frame[made_of.frame["district"].notna() & (made_of.frame["measure"] == "count")]
    was, now = (frame[frame["scenario"] == s].set_index("district")["counted"] for s in ("baseline", "aged"))
    assert np.allclose(now / was, 1.6, rtol=0.03)
    assert made_of.facts["populations"] == ["aged"]
    after = made_of.populations.changed["aged"][0]
    assert after.provenance.scenario["changes"][0]["change"] == "project"
