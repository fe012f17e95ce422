"""rezone on the command line, files under the ids of expand, and studies whose tables are of other zones or several nations."""

import json
import re

import numpy as np
import pandas as pd
import pytest

import synthpop_gb as sp
from synthpop_gb.errors import InputError
from synthpop_gb.export import people
from synthpop_gb.export.rezoned import area_counts, area_people
from synthpop_gb.lookup import Lookup
from synthpop_gb.pipeline.demo import demo_study
from synthpop_gb.rezoning import deal_out, fate, rezone
from tests.command_line import finished_run, invoke
from tests.stages.household_study import world


@pytest.fixture(scope="session")
def county(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rezoned")
    sp.datasets.make_county("penmarrow", zones=12, seed=8, survey_persons=1500).write(folder)
    text = re.sub(r"constraints = \[[^\]]*\]", 'constraints = ["age", "sex"]', demo_study(".").split("[truth]")[0], count=1)
    text = re.sub(r"held_out = .*", "held_out = []", re.sub(r"replicates = .*\n", "", text))
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def finished(county, tmp_path_factory):
    return finished_run(county / "study.toml", tmp_path_factory.mktemp("runs"))


@pytest.fixture
def lookup(finished, tmp_path):
    """Zones 0 to 3 in =A, 4 to 7 in B, zone 8 in B and C, 9 in none; zone 10 and 11 are not there, one elsewhere is."""
    zones = list(sp.load(finished).zones)
    rows = [(z, "=A", "Ash", 10) for z in zones[:4]] + [(z, "B", "Beech", 10) for z in zones[4:8]]
    rows += [(zones[8], "B", "Beech", 30), (zones[8], "C", "Cedar", 10), (zones[9], "", "", 5), ("E01999999", "C", "Cedar", 5)]
    path = tmp_path / "lookup.csv"
    pd.DataFrame(rows, columns=["lsoa21cd", "wd24cd", "wd24nm", "homes"]).to_csv(path, index=False)
    return path


def test_areas_are_counted_and_everything_is_said(finished, lookup, tmp_path):
    target = tmp_path / "areas.csv"
    asked = ("--weight", "homes", "--count", "sex = 'female'", "--count", "age >= 65", "-o", target)
    result = invoke("rezone", finished, "--lookup", lookup, "--to", "wd24cd", *asked)
    assert result.exit_code == 0, result.output
    for code in ("divided-zone", "zone-without-area", "partly-covered"):
        assert f"[{code}]" in result.output
    found = pd.read_csv(target)
    population = sp.load(finished)
    size = population.status["people"].to_numpy()
    assert found["wd24cd"].tolist() == ["'=A", "B", "C"]  # no spreadsheet runs it
    assert found["name"].tolist() == ["Ash", "Beech", "Cedar"]
    assert found["zones_missing"].tolist() == [0, 0, 1]
    assert found["people"].sum() == size[:9].sum()
    assert found["people"].iloc[0] == size[:4].sum()
    assert abs(found["people"].iloc[2] - size[8] / 4) < 1
    sex = population.problem.aligned.constraints[1]
    women = sex.targets.iloc[:4, [c.label for c in sex.categories[0]].index("female")].sum()
    assert found["sex = 'female'"].iloc[0] == women
    assert found["share of sex = 'female'"].iloc[0] == pytest.approx(women / size[:4].sum())


def test_ambiguous_zones_exit_with_1_and_write_nothing(finished, lookup, tmp_path):
    target = tmp_path / "areas.csv"
    result = invoke("rezone", finished, "--lookup", lookup, "--to", "wd24cd", "-o", target)
    assert result.exit_code == 1
    assert "[ambiguous-zone]" in result.output
    assert "1 zone lies in several areas" in result.output
    assert not target.exists()
    tied = invoke("rezone", finished, "--lookup", lookup, "--to", "wd24cd", "-o", target, "--best-fit")
    assert tied.exit_code == 1  # a row for each part, so that neither area has most of the zone
    assert "as much of each lies in one as in another" in tied.output
    assert "--weight" in tied.output
    assert not target.exists()


def test_best_fit_lists_areas_that_lose_all_and_calls_none_of_them_whole(finished, lookup, tmp_path):
    target, size = tmp_path / "areas.csv", sp.load(finished).status["people"].to_numpy()
    frame = pd.read_csv(lookup, keep_default_na=False).query("lsoa21cd != 'E01999999'")
    frame.to_csv(lookup, index=False)
    result = invoke("rezone", finished, "--lookup", lookup, "--to", "wd24cd", "--weight", "homes", "--best-fit", "-o", target)
    assert result.exit_code == 0, result.output
    found = pd.read_csv(target)
    assert found["wd24cd"].tolist() == ["'=A", "B", "C"]
    assert found["people"].tolist() == [size[:4].sum(), size[4:9].sum(), 0]
    assert found["zones_best_fit"].tolist() == [0, 1, 1]
    assert found["zones_missing"].tolist() == [0, 0, 0]
    assert "1 of 3 areas are covered whole; 2 gave or took people of zones in several areas (best fit)" in result.output
    assert "in 1 nobody is counted" in result.output
    assert "ZoneDonors" not in result.output
    assert "demo-county counted by wd24cd: " in result.output


def test_everything_said_can_be_had_as_json(finished, lookup):
    asked = ("--lookup", lookup, "--to", "wd24cd", "--json")
    size, zones = sp.load(finished).status["people"], list(sp.load(finished).zones)
    told = json.loads(invoke("rezone", finished, *asked, "--weight", "homes").stdout)
    assert [row["wd24cd"] for row in told["areas"]] == ["=A", "B", "C"]
    lost = next(f for f in told["findings"] if f["code"] == "zone-without-area")
    assert [row["zone"] for row in lost["rows"]] == zones[9:]
    assert [row["left_out"] for row in lost["rows"]] == size.iloc[9:].tolist()
    refused = invoke("rezone", finished, *asked)
    assert refused.exit_code == 1
    (said,) = [f for f in json.loads(refused.stdout)["findings"] if f["level"] == "error"]
    assert {row["zone"] for row in said["rows"]} == {zones[8]}


def test_people_keep_the_ids_that_expand_gives_them(finished, lookup, tmp_path):
    asked = ("--lookup", lookup, "--from", "lsoa21cd", "--to", "wd24cd", "--weight", "homes")
    assert invoke("rezone", finished, *asked, "--format", "people", "-o", tmp_path / "p.parquet").exit_code == 0
    assert invoke("rezone", finished, *asked, "--format", "counts", "-o", tmp_path / "c.parquet").exit_code == 0
    assert invoke("expand", finished, "--to", tmp_path / "people.parquet").exit_code == 0
    found, every = pd.read_parquet(tmp_path / "p.parquet"), pd.read_parquet(tmp_path / "people.parquet")
    assert list(found.columns) == ["person", "wd24cd", "zone", "donor"]
    assert found["person"].is_unique
    both = found.merge(every, on="person", suffixes=("", "_of_expand"))
    assert len(both) == len(found)
    assert (both["donor"] == both["donor_of_expand"]).all()
    assert (both["zone"].astype(str) == both["zone_of_expand"].astype(str)).all()
    counts = pd.read_parquet(tmp_path / "c.parquet")
    tallied = found.groupby(["wd24cd", "donor"], observed=True).size()
    assert counts.set_index(["wd24cd", "donor"])["n"].to_dict() == tallied.to_dict()
    again = invoke("rezone", finished, *asked, "--format", "counts", "-o", tmp_path / "c.parquet")
    assert again.exit_code == 1
    assert "[output-exists]" in again.output
    assert "Name another file, or add --overwrite." in again.output
    assert "run" not in again.output.split("[output-exists]")[1].split("Nothing was written")[0].replace(str(tmp_path), "")
    other = invoke("rezone", finished, *asked, "--format", "counts", "-o", tmp_path / "c.xlsx")
    assert other.exit_code == 1
    assert "[study-value]" in other.output


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (("--to", "ward"), "missing-column"),
        (("--to", "wd24cd", "--from", "nowhere"), "missing-column"),
        (("--to", "wd24cd", "--from", "wd24nm"), "no-zones"),
        (("--to", "wd24cd", "--weight", "wd24nm"), "not-a-number"),
        (("--to", "wd24cd", "--weight", "homes", "--count", "import os"), "bad-condition"),
    ],
)
def test_broken_requests_are_findings(finished, lookup, asked, code):
    result = invoke("rezone", finished, "--lookup", lookup, *asked)
    assert result.exit_code == 1
    assert f"[{code}]" in result.output


def test_households_keep_their_ids_and_nobody_is_split(tmp_path):
    made = world(8, licence="open")
    population, zones = made.population, made.population.zones
    frame = pd.DataFrame({"zone": [*zones, *zones], "area": ["A"] * 8 + ["B"] * 8, "w": [1.0] * 8 + [3.0] * 8})
    lookup = Lookup.of(frame, weight="w")
    where = fate(zones, lookup)
    path = area_people(population, deal_out(population, where), where.areas, tmp_path / "moved.parquet", to="household")
    found = pd.read_parquet(path)
    assert list(found.columns) == ["person", "household", "household_area", "zone", "donor", "donor_household"]
    every = pd.read_parquet(people(population, made.aligned, tmp_path / "people.parquet"))
    both = found.merge(every, on="person", suffixes=("", "_of_expand"))
    assert len(both) == len(found) == len(every) == population.people
    assert (both["donor"] == both["donor_of_expand"]).all()
    assert (both["donor_household"] == both["donor_household_of_expand"]).all()
    same = (both["household"] == both["household_of_expand"]) | (both["household"].isna() & both["communal"])
    assert same.all()
    assert both.groupby("household")["household_area"].nunique().max() == 1
    share = (found["household_area"] == "B").mean()
    assert 0.6 < share < 0.9
    counts = rezone(population, lookup)
    rows = pd.read_parquet(area_counts(counts, tmp_path / "counts.parquet"))
    assert rows["n"].sum() == population.people
    with pytest.raises(InputError, match="output-exists"):
        area_counts(counts, tmp_path / "counts.parquet")


def test_tables_of_older_zones_serve_a_study_through_a_lookup(county, finished, tmp_path):
    """Every zone but the last two stands under another name in the older table; two older zones make up one new one."""
    ages = pd.read_csv(county / "tables" / "age.csv")
    old = ages.assign(zone="X" + ages["zone"])
    spare = old.iloc[[0]].copy()
    half = old.columns[1:]
    old.loc[0, half] = old.loc[0, half] // 2
    spare[half] = ages.loc[[0], half].to_numpy() - old.loc[[0], half].to_numpy()
    spare["zone"] = "Xmore"
    pd.concat([old, spare]).to_csv(tmp_path / "age.csv", index=False)
    pairs = pd.DataFrame({"old": [*old["zone"], "Xmore"], "new": [*ages["zone"], ages["zone"].iloc[0]]})
    pairs.to_csv(tmp_path / "changes.csv", index=False)
    text = (county / "study.toml").read_text(encoding="utf-8")
    asked = f'{{ path = "{tmp_path}/age.csv", lookup = "{tmp_path}/changes.csv", from = "old", to = "new", '
    asked += 'universe = "usual residents" }'
    text = text.replace('"./tables/age.csv"', asked).replace('"./', f'"{county}/')
    study = tmp_path / "study.toml"
    study.write_text(text, encoding="utf-8")
    assert invoke("check", study).exit_code == 0, invoke("check", study).output
    run = finished_run(study, tmp_path / "runs")
    record, before = (json.loads((f / "run.json").read_text(encoding="utf-8")) for f in (run, finished))
    assert record["digest"] == before["digest"]  # the same counts, so the same people
    assert any(i["path"].endswith("changes.csv") for i in record["inputs"])
    assert record["study"]["tables"][0]["from"] == "old"
    assert invoke("run", run / "run.json", "-o", tmp_path / "again", "--no-report").exit_code == 0
    old.to_csv(tmp_path / "age.csv", index=False)  # half of the first zone is no longer there
    lost = invoke("check", study)
    assert lost.exit_code == 1
    assert "[partly-covered]" in lost.output
    assert f"lacks 1 of 12 zones of the study: {ages['zone'].iloc[0]}" in lost.output


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ('lookup = "x.csv"', "lookup and to go together"),
        ('to = "new"', "lookup and to go together"),
        ('from = "old"', "lookup and to go together"),
        ('lookup = "x.csv", to = "new", frm = "old"', "Did you mean 'from'?"),
        ('lookup = "x.csv", to = "new"', "[missing-file]"),
    ],
)
def test_study_keys_of_rezoned_tables(county, tmp_path, keys, said):
    text = (county / "study.toml").read_text(encoding="utf-8")
    text = text.replace('"./tables/age.csv"', f'{{ path = "./tables/age.csv", {keys} }}').replace('"./', f'"{county}/')
    (tmp_path / "study.toml").write_text(text, encoding="utf-8")
    result = invoke("check", tmp_path / "study.toml")
    assert result.exit_code == 1
    assert said in result.output


def test_lists_of_lookups_in_a_study(county, tmp_path):
    lookup = pd.read_csv(county / "lookup.csv")
    lookup[["zone"]].assign(ward=np.where(np.arange(len(lookup)) % 2, "W1", "W2")).to_csv(tmp_path / "wards.csv", index=False)
    text = (county / "study.toml").read_text(encoding="utf-8").replace('"./', f'"{county}/')
    text = re.sub(r'lookup = "(.*)"', rf'lookup = ["\1", "{tmp_path}/wards.csv"]', text)
    study = tmp_path / "study.toml"
    study.write_text(text, encoding="utf-8")
    run = finished_run(study, tmp_path / "runs")
    result = invoke("indicator", run, "sex = 'female'", "--by", "ward")
    assert "[missing-file]" not in result.output
    assert "W1" in result.output or result.exit_code == 1  # without replicates indicators may be refused, but the level is known
    study.write_text(text.replace("[zones]", '[zones]\nzone = ["zone"]'), encoding="utf-8")
    result = invoke("check", study)
    assert result.exit_code == 1
    assert "names 1 columns" in result.output
