"""Maps on the command line: layers with a style, several maps, two figures, how sure, formats, boundaries of another year."""

import sqlite3
from contextlib import closing

import geopandas
import numpy as np
import pandas as pd
import pytest

import synthpop_gb as sp
from synthpop_gb.cli import main, results
from synthpop_gb.pipeline import map_files, mapping
from synthpop_gb.pipeline.after import opened
from synthpop_gb.pipeline.demo import demo_study
from synthpop_gb.pipeline.indicators import ask, left_out_of
from synthpop_gb.spec.model import IndicatorRequest
from tests.command_line import finished_run, invoke

ILL = "health in ('bad', 'very bad')"


def study_in(folder, replicates):
    """Files of a county of twelve zones, and a study of three constraints."""
    sp.datasets.make_county("penmarrow", zones=12, seed=7, survey_persons=1500).write(folder)
    text = demo_study(".").split("[truth]")[0]
    text = text.replace('"age", "sex", "health", "ethnic_group", "qualification", "economic_activity"', '"age", "sex", "health"')
    lines = [line for line in text.splitlines() if not line.startswith("held_out")]
    lines = [f"replicates = {replicates}" if line.startswith("replicates") else line for line in lines]
    (folder / "study.toml").write_text("\n".join(lines), encoding="utf-8")
    return folder / "study.toml"


@pytest.fixture(scope="session")
def county(tmp_path_factory):
    return study_in(tmp_path_factory.mktemp("mapped"), 3)


@pytest.fixture(scope="session")
def finished(county, tmp_path_factory):
    return finished_run(county, tmp_path_factory.mktemp("runs"))


def ending(path):
    return path.name[path.name.index(".") :]


def test_every_format_and_how_sure(finished, tmp_path):
    formats = ",".join(map_files.FORMATS)
    result = invoke("map", finished, "--indicator", ILL, "--how-sure", "--format", formats, "-o", tmp_path / "ill.gpkg")
    assert result.exit_code == 0, result.output
    written = {p.name for p in tmp_path.iterdir()}
    assert written == {"ill-how-sure.png", "ill-how-sure.svg", *(f"ill{e}" for e in map_files.FORMATS.values())}
    assert set(result.output.splitlines()) == {str(tmp_path / name) for name in written}
    assert tuple(map_files.FORMATS) == results._FORMATS
    assert results._FORMATS[:4] == map_files.USUAL


def test_the_geopackage_of_a_map_has_all_levels_with_figures(finished, tmp_path):
    assert invoke("map", finished, "--indicator", ILL, "--title", "Ill", "-o", tmp_path / "m", "--format", "gpkg").exit_code == 0
    path = tmp_path / "m.gpkg"
    zones, districts = (geopandas.read_file(path, layer=name) for name in ("zones", "district"))
    assert districts["matching"].sum() == zones["matching"].sum()
    by = zones.groupby("district")[["matching", "known"]].sum()
    assert districts.set_index("area")["share"].to_dict() == pytest.approx((by["matching"] / by["known"]).to_dict())
    for frame in (zones, districts):
        assert frame["half_width"].to_numpy() == pytest.approx(((frame["upper"] - frame["lower"]) / 2).to_numpy())
        assert (frame["lower"] <= frame["estimate"]).all()
    with closing(sqlite3.connect(path)) as file:
        styles = file.execute("SELECT f_table_name, styleName FROM layer_styles WHERE useAsDefault ORDER BY id").fetchall()
    assert ("zones", "Ill") in styles
    assert ("district", "Ill") in styles


def test_an_indicator_is_mapped_with_its_levels(finished):
    result = invoke("indicator", finished, "income", "--measure", "mean", "--where", "age >= 16", "--map", "--how-sure",
                    "--format", "svg,gpkg")  # fmt: skip
    assert result.exit_code == 0, result.output
    paths = [line for line in result.output.splitlines() if line.startswith(str(finished))]
    assert sorted(p.rpartition("by-zone")[2] for p in paths) == ["-how-sure.svg", ".gpkg", ".svg"]
    county = geopandas.read_file(next(p for p in paths if p.endswith(".gpkg")), layer="county")
    assert county["estimate"].notna().all()
    assert county["zones"].tolist() == [12]


def test_under_a_rule_larger_areas_are_outlines(finished):
    result = invoke("indicator", finished, "smokes = 'yes'", "--map", "--format", "gpkg", "--release", "safeguarded")
    assert result.exit_code == 0, result.output
    (path,) = [line for line in result.output.splitlines() if line.endswith(".gpkg")]
    assert "estimate" not in geopandas.read_file(path, layer="county")
    assert "estimate" in geopandas.read_file(path, layer="zones")


def test_one_map_a_category(finished, tmp_path):
    result = invoke("map", finished, "--indicator", ILL, "--across", "sex", "-o", tmp_path / "s", "--format", "png,geoparquet")
    assert result.exit_code == 0, result.output
    frame = geopandas.read_parquet(tmp_path / "s.geo.parquet")
    people = sp.load(finished)
    counts, aligned = people, opened(finished)[1]
    for sex in ("female", "male"):
        mine = sp.indicators.parse_condition(f"sex = '{sex}'").matches(aligned)
        ill = sp.indicators.parse_condition(ILL).matches(aligned)
        share = sp.indicators.share_by_zone(counts.blocks(), ill, aligned.zones, mine)["share"]
        assert frame.set_index("zone")[sex].to_numpy() == pytest.approx(share.to_numpy())


def test_two_shares_in_one_map(finished, tmp_path):
    result = invoke("map", finished, "--indicator", ILL, "--against", "age >= 65", "-o", tmp_path / "b", "--format", "svg,gpkg")
    assert result.exit_code == 0, result.output
    assert {ending(p) for p in tmp_path.iterdir()} == {".svg", ".gpkg"}
    layer = geopandas.read_file(tmp_path / "b.gpkg", layer="zones")
    assert layer["first"].between(0, 1).all()
    assert not np.allclose(layer["first"], layer["second"])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--format", "png,shp"], 1, "Maps are not written as 'shp'"),
        (["--across", "sox"], 1, "Did you mean 'sex'?"),
        (["--across", "income"], 1, "[bad-condition]"),
        (["--against", "age >="], 1, "[bad-condition]"),
        (["--against", "age >= 65", "--across", "sex"], 2, "name one of them"),
    ],
)
def test_what_cannot_be_drawn_is_said(finished, tmp_path, arguments, code, said):
    result = invoke("map", finished, "--indicator", ILL, "-o", tmp_path / "x", *arguments)
    assert result.exit_code == code, result.output
    assert said in result.output
    assert list(tmp_path.iterdir()) == []


def test_how_sure_needs_replicates(tmp_path):
    run = finished_run(study_in(tmp_path / "in", 0), tmp_path / "out")
    result = invoke("map", run, "--indicator", ILL, "--how-sure")
    assert result.exit_code == 1
    assert "[study-missing]" in result.output
    assert "replicates = 40" in result.output


def test_a_change_diverges_and_says_what_is_not_known(finished, tmp_path):
    _, aligned, population = opened(finished, replicates=True)
    found = ask(
        IndicatorRequest(what="smokes = 'yes'"), population, aligned, finished, left_out_of(population, aligned, finished)
    )
    middle = found.frame["estimate"].median()
    shifted = found.frame.assign(**{c: found.frame[c] - middle for c in ("estimate", "lower", "upper")})
    change = type(found)(found.question, shifted, found.level, found.unit, found.basis)
    mapping.draw_indicator(change, aligned, tmp_path / "c", title="Change", change=True, formats=["svg", "gpkg"])
    layer = geopandas.read_file(tmp_path / "c.gpkg", layer="zones")
    expected = np.select([shifted["lower"] > 0, shifted["upper"] < 0], ["rise", "fall"], "rise or fall not known")
    assert layer["direction"].tolist() == expected.tolist()
    with closing(sqlite3.connect(tmp_path / "c.gpkg")) as file:
        (qml,) = file.execute("SELECT styleQML FROM layer_styles WHERE f_table_name = 'zones' AND useAsDefault").fetchone()
    assert 'label="rise or fall not known"' in qml
    assert "179,88,6,255" in qml, "orange below nought"


def test_boundaries_of_another_year_are_told_by_check_run_and_map(tmp_path):
    study = study_in(tmp_path / "in", 0)
    lookup = pd.read_csv(study.parent / "lookup.csv", dtype=str)
    codes = dict(zip(lookup["zone"], [f"E010{11_000 + i}" for i in range(len(lookup))], strict=True))
    for path in [
        study.parent / "lookup.csv",
        *(study.parent / "tables").glob("*.csv"),
        *(study.parent / "held_out").glob("*.csv"),
    ]:
        frame = pd.read_csv(path, dtype=str)
        frame.assign(**{frame.columns[0]: frame.iloc[:, 0].map(codes)}).to_csv(path, index=False)
    shapes = geopandas.read_parquet(study.parent / "boundaries.geo.parquet")
    renamed = shapes["zone"].map(codes)
    renamed.iloc[:2] = ["E01033770", "E01033771"]
    shapes.assign(zone=renamed).to_parquet(study.parent / "boundaries.geo.parquet")
    said = "2 are LSOAs of the 2011 census, the polygons of the 2021 census"
    checked = invoke("check", study)
    assert "[boundaries-vintage]" in checked.output
    assert said in checked.output
    assert "Lower layer Super Output Areas (December 2011) Boundaries EW BSC" in checked.output
    run = finished_run(study, tmp_path / "out")
    assert "boundaries-vintage" in (run / "report.html").read_text(encoding="utf-8")
    drawn = invoke("map", run, "--indicator", ILL, "-o", tmp_path / "m")
    assert drawn.exit_code == 0
    assert said in drawn.output
    assert "2 zones without a polygon not drawn" in (tmp_path / "m.svg").read_text(encoding="utf-8")


def test_help_needs_no_pandas():
    assert "--how-sure" in invoke("map", "--help").output
    assert {"map", "indicator"} <= set(main.list_commands(None))


def test_a_study_asks_for_every_kind_of_map(county, tmp_path):
    text = county.read_text(encoding="utf-8")
    text = (
        text.split("[[maps]]")[0].split("[[indicators]]")[0]
        + """
[[maps]]
indicator = "age >= 65"
title = "Old"
how_sure = true
formats = ["svg", "pmtiles"]

[[maps]]
indicator = "age >= 65"
across = "sex"
formats = ["svg"]

[[maps]]
indicator = "age >= 65"
against = "health in ('bad', 'very bad')"
formats = ["svg"]
"""
    )
    study = county.with_name("maps.toml")
    study.write_text(text, encoding="utf-8")
    run = finished_run(study, tmp_path)
    assert {p.name for p in (run / "maps").iterdir()} == {
        "age-from-65.svg", "age-from-65-how-sure.svg", "age-from-65.pmtiles", "age-from-65-across-sex.svg",
        "age-from-65-against-health-in-bad-very-bad.svg",
    }  # fmt: skip
    study.write_text(
        text.replace("replicates = 3", "replicates = 0").replace('"sex"\nformats', '"sox"\nagainst = "age"\nformats'),
        encoding="utf-8",
    )
    checked = invoke("check", study).output
    assert "maps.0: There are no replicates" in checked
    assert "maps.1: " in checked
    assert "Did you mean 'sex'?" in checked
    assert "not both" in checked
    study.write_text(text.replace('["svg", "pmtiles"]', '["svg", "shp"]'), encoding="utf-8")
    assert "shp" in invoke("check", study).output
    study.unlink()
