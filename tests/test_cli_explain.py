"""`synthpop-gb explain` on runs: of people and of whole households, zones that fit and that do not, every way of writing it."""

import json
import re

import numpy as np
import pandas as pd
import pytest

import synthpop_gb as sp
from synthpop_gb.pipeline.demo import demo_study
from tests.command_line import invoke


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    """Files of a county of twelve zones; in its second zone everybody's health is very bad."""
    folder = tmp_path_factory.mktemp("county")
    sp.datasets.make_county("penmarrow", zones=12, seed=5, survey_persons=1500).write(folder)
    health = pd.read_csv(folder / "tables" / "health.csv")
    people = int(health.iloc[1, 1:].sum())
    health.iloc[1, 1:] = [0] * (health.shape[1] - 2) + [people]
    health.to_csv(folder / "tables" / "ill.csv", index=False)
    return folder


def study(county, name, *, households=False, ill=False):
    """A small study file of the county; the path."""
    text = demo_study(".", households=households).split("[truth]")[0]
    text = re.sub(r"replicates = .*\n", "", text)
    text = re.sub(r"held_out = \[.*?\]\n", "", text, flags=re.DOTALL)
    if households:
        text = re.sub(
            r"constraints = \[.*?\]\n", 'constraints = ["household_size", "tenure", "age", "sex"]\n', text, flags=re.DOTALL
        )
    else:
        text = re.sub(r"constraints = \[.*?\]\n", 'constraints = ["age", "sex", "health"]\n', text, flags=re.DOTALL)
    if ill:
        text = text.replace('"./tables/health.csv"', '{ path = "./tables/ill.csv", universe = "usual residents" }')
    text = re.sub(r"name = .*\n", f'name = "{name}"\n', text, count=1)
    path = county / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def misfit(county, tmp_path_factory):
    output = tmp_path_factory.mktemp("runs")
    result = invoke("run", study(county, "ill", ill=True), "-o", output)
    assert result.exit_code == 3, result.output
    return output / "ill"


@pytest.fixture(scope="module")
def homes(county, tmp_path_factory):
    output = tmp_path_factory.mktemp("runs")
    result = invoke("run", study(county, "homes", households=True), "-o", output)
    assert result.exit_code == 0, result.output
    return output / "homes"


def test_the_worst_zone_is_explained_where_none_is_named(misfit):
    result = invoke("explain", misfit)
    assert result.exit_code == 0, result.output
    zone = pd.read_parquet(misfit / "population" / "status.parquet").set_index("zone")["remainder"].idxmax()
    assert result.output.startswith(zone)
    assert "Targets of nought leave only" in result.output
    assert "health = very good" in result.output
    assert result.output.index("Why") < result.output.index("What would mend it") < result.output.index("Tables: what they ask")


def test_a_zone_that_fits_and_an_area(misfit):
    zones = pd.read_parquet(misfit / "population" / "status.parquet")["zone"]
    result = invoke("explain", misfit, "--zone", zones.iloc[0])
    assert result.exit_code == 0
    assert "nothing misses" in result.output
    lookup = sp.pipeline.load(misfit).problem.aligned.geography.zones
    area = lookup["district"].iloc[1]
    result = invoke("explain", misfit, "--area", area, "-z", zones.iloc[0])
    assert result.exit_code == 0
    assert "Zones, the worst first" in result.output


def test_what_is_written_is_what_was_counted(misfit, tmp_path):
    zone = pd.read_parquet(misfit / "population" / "status.parquet")["zone"].iloc[1]
    result = invoke("explain", misfit, "-z", zone, "-o", tmp_path / "why.json")
    assert result.exit_code == 0, result.output
    assert result.output.rstrip().endswith("why.json")
    told = json.loads((tmp_path / "why.json").read_text(encoding="utf-8"))["explanations"][0]
    counted = pd.read_parquet(misfit / "validation" / "cell_fit.parquet").query("zone == @zone")
    assert np.array_equal([c["observed"] for c in told["tables"]["cells"]], counted["observed"])
    assert np.array_equal([c["target"] for c in told["tables"]["cells"]], counted["expected"])
    for name in ("why.md", "why.html", "folder"):
        assert invoke("explain", misfit, "-z", zone, "-o", tmp_path / name).exit_code == 0
    assert pd.read_csv(tmp_path / "folder" / "cells.csv")["observed"].tolist() == counted["observed"].tolist()
    assert "<script" not in (tmp_path / "why.html").read_text(encoding="utf-8")


def test_every_place_that_is_not_there_is_named_at_once(misfit):
    result = invoke("explain", misfit, "-z", "nowhere", "-a", "Atlantis")
    assert result.exit_code == 1
    assert result.output.count("[unknown-zone]") == 2
    assert "Traceback" not in result.output


def test_a_run_of_households_is_explained_and_looked_into(homes):
    result = invoke("explain", homes)
    assert result.exit_code == 0, result.output
    assert "different households" in result.output
    assert re.search(r"household size +households", result.output)
    checks = sp.pipeline.validate_run(homes).checks
    assert set(checks["household_mix"]["distribution"]) >= {
        "size x composition",
        "partners: ages",
        "reference and child: age gap",
    }
    assert checks["impossible_households"]["population"].sum() == 0
    page = (homes / "report.html").read_text(encoding="utf-8")
    assert 'id="households"' in page
    assert "Who lives with whom" in page


def test_the_report_says_why(misfit):
    causes = pd.read_parquet(misfit / "validation" / "causes.parquet")
    assert set(causes["zone"]) == {pd.read_parquet(misfit / "population" / "status.parquet")["zone"].iloc[1]}
    page = (misfit / "report.html").read_text(encoding="utf-8")
    assert "Why zones miss" in page
    assert 'id="households"' not in page


def test_an_unknown_ending_is_refused_and_makes_no_folder(misfit, tmp_path):
    result = invoke("explain", misfit, "-o", tmp_path / "why.txt")
    assert result.exit_code == 1
    assert "study-value" in result.output
    assert not (tmp_path / "why.txt").exists()
