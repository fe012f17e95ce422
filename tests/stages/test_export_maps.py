"""GeoPackages that open as maps, tiles, GeoParquet with boxes: read back by GDAL, SQLite and, where there is one, QGIS."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from xml.etree import ElementTree as ET

import geopandas
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest

from synthpop_gb.errors import InputError
from synthpop_gb.export import geopackage
from synthpop_gb.export._qml import plain, value_style
from synthpop_gb.export._tiles import zooms
from synthpop_gb.export.fields import RELIABILITY_CLASSES, Field, estimate_fields, share_fields
from synthpop_gb.export.polygons import dissolved, polygons
from synthpop_gb.geography.classes import DIVERGING, classify
from synthpop_gb.indicators import RELIABILITY, Indicators
from tests.stages.grid_world import HOSTILE, on_grid

FIELDS = estimate_fields("In bad health", "share of people", share=True)


def estimates(zones):
    """Shares by zone with intervals; the second has no value, every fourth is unreliable."""
    share = np.random.default_rng(3).random(len(zones)) / 3
    share[1] = np.nan
    frame = pd.DataFrame({"estimate": share, "half_width": share / 5, "donors": 20}, zones)
    classes = np.where(np.arange(len(zones)) % 4 == 0, "unreliable", "precise")
    return frame.assign(reliability=np.where(np.isnan(share), "", classes))


def written(folder, **more):
    aligned, _, _ = on_grid(folder, left_out=("E01000003",))
    values = estimates(aligned.zones)
    lad = aligned.geography.zones["lad"]
    parents = {"lad": values[["estimate"]].groupby(lad).mean()}
    path = geopackage(values, aligned.geography, folder / "m.gpkg", fields=FIELDS, show=["estimate", "half_width"],
                      parents=parents, about="Made up © nobody", **more)  # fmt: skip
    return aligned, values, path


def ask(path, query, *values):
    with closing(sqlite3.connect(path)) as file:
        return file.execute(query, values).fetchall()


def rules(path, layer, style=0):
    """(label, filter) of every rule of a layer's style that draws something."""
    found = ask(path, "SELECT styleQML FROM layer_styles WHERE f_table_name = ? ORDER BY useAsDefault DESC, id", layer)
    return [(r.get("label"), r.get("filter")) for r in ET.fromstring(found[style][0]).iter("rule") if r.get("symbol")]


def test_layers_in_the_national_grid(tmp_path):
    aligned, values, path = written(tmp_path)
    layers = dict(pyogrio.list_layers(path))
    assert {n for n, kind in layers.items() if kind is not None} == {"zones", "lad", "region"}
    assert set(layers.values()) == {"MultiPolygon", None}
    for name, column, n in (
        ("zones", "zone", 12),
        ("lad", "area", aligned.geography.zones["lad"].nunique()),
        ("region", "area", 1),
    ):
        frame = geopandas.read_file(path, layer=name)
        assert frame.crs.to_epsg() == 27700
        assert len(frame) == n == frame[column].nunique()
        assert frame.geometry.area.sum() == pytest.approx(11e6)
    zones, lads = (geopandas.read_file(path, layer=name) for name in ("zones", "lad"))
    assert zones["estimate"].to_numpy() == pytest.approx(values["estimate"].to_numpy(), nan_ok=True)
    assert lads.set_index("area")["zones"].to_dict() == aligned.geography.zones.groupby("lad").size().to_dict()
    assert lads["estimate"].notna().all()
    assert ask(path, "SELECT description FROM gpkg_contents WHERE table_name = 'zones'") == [("Made up © nobody",)]


def test_columns_have_names_units_and_words(tmp_path):
    _, _, path = written(tmp_path)
    with pyogrio.raw.open_arrow(path, layer="zones", use_pyarrow=True) as (_, batches):
        told = {f.name: f.metadata or {} for f in batches.schema}
    assert told["estimate"][b"GDAL:OGR:alternative_name"].decode() == "In bad health (share of people)"
    assert told["half_width"][b"GDAL:OGR:comment"].decode() == "Half the length of the interval."
    assert told["reliability"][b"GDAL:OGR:domain_name"].decode() == "reliability"
    words = ask(path, "SELECT value, description FROM gpkg_data_column_constraints WHERE constraint_type = 'enum'")
    assert dict(words) == RELIABILITY_CLASSES
    declared = ask(path, "SELECT table_name FROM gpkg_extensions WHERE extension_name = 'gpkg_schema'")
    assert sorted(declared) == [("gpkg_data_column_constraints",), ("gpkg_data_columns",)]
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]
    assert ask(path, "PRAGMA foreign_key_check") == []


def test_every_zone_is_in_one_class_and_doubtful_ones_are_hatched(tmp_path):
    _, values, path = written(tmp_path)
    assert ask(path, "SELECT f_table_name, styleName, useAsDefault FROM layer_styles ORDER BY id") == [
        ("zones", "In bad health", 1), ("zones", "Half-width (90 % interval)", 0), ("lad", "In bad health", 1),
        ("region", "outlines of region", 1),
    ]  # fmt: skip
    said = dict(rules(path, "zones"))
    classes = classify(100 * values["estimate"].to_numpy())
    counts = {label: ask(path, f"SELECT count(*) FROM zones WHERE {where}")[0][0] for label, where in said.items()}
    assert {k: counts[k] for k in classes.labels} == dict(zip(classes.labels, classes.counts, strict=True))
    assert counts["no value"] == 1
    assert counts["unreliable"] == 3
    assert list(said) == [*reversed(classes.labels), "no value", "unreliable"]
    (qml,) = ask(path, "SELECT styleQML FROM layer_styles WHERE f_table_name = 'zones' AND useAsDefault")[0]
    for colour in classes.colours:
        assert ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)) + ",255" in qml
    assert "In bad health (% of people)" in qml
    assert qml.count('class="LinePatternFill"') == 2


def test_changes_diverge_around_nought():
    values = np.array([-3.0, -1.0, 0.0, 0.5, 4.0])
    field = Field("Change in income", "pounds a year", centre=0.0)
    hatch = ("direction", "it's not known")
    _, _, qml = value_style("change", field, classify(values, centre=0.0), n_areas=5, code="zone", name=None, doubtful=hatch)
    said = [r.get("filter") for r in ET.fromstring(qml).iter("rule") if r.get("label") == "it's not known"]
    assert said == ["\"direction\" = 'it''s not known'"]
    for colour in DIVERGING[5]:
        assert ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)) + ",255" in qml


def test_labels_may_hold_anything(tmp_path):
    aligned, _, _ = on_grid(tmp_path, hostile=True)
    evil = [*HOSTILE, "[% env('HOME') %]", "' OR 1=1 --", '"; DROP TABLE zones; --', "\x00\x07]]>"]
    values = pd.DataFrame({text: np.arange(12.0) + i for i, text in enumerate(evil)}, aligned.zones)
    fields = {text: Field(text, unit=text, note=text) for text in evil}
    path = geopackage(
        values, aligned.geography, tmp_path / "e.gpkg", fields=fields, show=evil, layer="z'\"; DROP", about=evil[-3]
    )
    styles = ask(path, "SELECT styleName, styleQML FROM layer_styles WHERE f_table_name = ?", "z'\"; DROP")
    assert len({name for name, _ in styles}) == len(evil)
    for _, qml in styles:
        tip = ET.fromstring(qml).findtext("mapTip")
        assert re.findall(r"\[%\W*(\w+)\(", tip) == ["replace", "if"], "only our own expressions are evaluated"
        assert tip.count("[%") == 2
        assert "[% replace(replace(coalesce(" in tip, "names are shown as text, whatever tags they hold"
        assert "<script" not in tip
        assert "env('HOME') %]" not in qml
    assert geopandas.read_file(path, layer="z'\"; DROP").shape[0] == 12
    assert plain("[%[%%]%]\x01é") == "[ %[ %% ]% ]é"


def test_one_column_without_a_word_is_a_map_too(tmp_path):
    aligned, _, _ = on_grid(tmp_path)
    path = geopackage(pd.Series(np.arange(12), aligned.zones, name="n"), aligned.geography, tmp_path / "a.gpkg")
    assert [label for label, _ in rules(path, "zones")][-1] == "no value"
    words = geopackage(pd.Series("x", aligned.zones, name="word"), aligned.geography, tmp_path / "b.gpkg")
    assert rules(words, "zones") == [("zones", None)], "without a number, outlines"
    bare = geopackage(pd.Series(np.nan, aligned.zones, name="n"), aligned.geography, tmp_path / "c.gpkg")
    assert [label for label, _ in rules(bare, "zones")] == ["no value"]


@pytest.mark.parametrize("broken", ["alias", "style", "layer"])
def test_a_file_that_does_not_come_back_is_not_written(tmp_path, monkeypatch, broken):
    aligned, _, _ = on_grid(tmp_path)
    module = sys.modules["synthpop_gb.export.geopackage"]
    describe = module.describe
    sql = {
        "alias": "UPDATE gpkg_data_columns SET name = 'x', title = 'x'", "style": "UPDATE layer_styles SET styleQML = 'x'",
        "layer": "DELETE FROM gpkg_contents WHERE table_name = 'lad'",
    }  # fmt: skip

    def spoilt(path, layers):
        describe(path, layers)
        with closing(sqlite3.connect(path)) as file, file:
            file.execute(sql[broken])

    monkeypatch.setattr(module, "describe", spoilt)
    fields = {"n": Field("Number", "people")}
    with pytest.raises((OSError, RuntimeError, ValueError)):
        geopackage(pd.Series(1.5, aligned.zones, name="n"), aligned.geography, tmp_path / "m.gpkg", fields=fields)
    assert not (tmp_path / "m.gpkg").exists()


def test_geoparquet_has_boxes(tmp_path):
    aligned, _, _ = on_grid(tmp_path, crs=4326)
    path = geopackage(estimates(aligned.zones), aligned.geography, tmp_path / "m.geo.parquet")
    told = json.loads(pq.read_metadata(path).metadata[b"geo"])
    assert told["version"] == "1.1.0"
    assert told["columns"]["geometry"]["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]
    everything = geopandas.read_parquet(path)
    west, south, east, north = everything.geometry.iloc[0].bounds
    part = geopandas.read_parquet(path, bbox=(west, south, (west + east) / 2, (south + north) / 2))
    assert "E01000001" in set(part["zone"])
    assert len(part) < len(everything) == 12


def test_tiles_hold_every_zone(tmp_path):
    aligned, _, _ = on_grid(tmp_path, left_out=("E01000003",))
    values = estimates(aligned.zones).assign(yes=True, none=np.nan)
    path = geopackage(values, aligned.geography, tmp_path / "m.pmtiles", layer="areas")
    told = pyogrio.read_info(path, layer="areas")
    first, last = (int(told["dataset_metadata"][k]) for k in ("minzoom", "maxzoom"))
    assert 0 <= first < last <= 14
    assert told["crs"] == "EPSG:3857"
    for zoom in (first, last):
        frame = pyogrio.read_dataframe(path, ZOOM_LEVEL=zoom)
        assert set(frame["zone"]) == set(aligned.zones) - {"E01000003"}
    once = frame.drop_duplicates("zone").set_index("zone").reindex(aligned.zones.drop("E01000003"))
    assert once["estimate"].to_numpy() == pytest.approx(values["estimate"].drop("E01000003").to_numpy(), nan_ok=True)
    drawn = frame.dissolve("zone").to_crs(27700).geometry.area
    assert drawn.to_numpy() == pytest.approx(np.full(11, 1e6), rel=0.02)


def test_zooms_follow_the_size_of_zones():
    country = zooms((-6.4, 49.9, 1.8, 55.8), np.full(100, 1000.0))
    town = zooms((-1.6, 53.75, -1.5, 53.85), np.full(100, 300.0))
    assert country[0] < town[0]
    assert country[1] < town[1]
    assert zooms((0, 0, 0, 0), np.zeros(3)) == (10, 14), "nothing to see is no error"


def test_larger_areas_are_the_sum_of_their_zones(tmp_path):
    aligned, _, _ = on_grid(tmp_path, left_out=("E01000003",))
    shapes = polygons(aligned.geography)
    area = aligned.geography.zones["lad"]
    joined = dissolved(shapes, area.where(area != area.iloc[-1]))
    sizes = shapes.geometry.area.groupby(area.reindex(shapes.index)).sum()
    assert joined.area.to_dict() == pytest.approx(sizes.drop(area.iloc[-1]).to_dict())
    assert joined.crs == shapes.crs


def test_fields_know_every_column_of_indicators():
    listed = set(re.findall(r"`(\w+)`", Indicators.__doc__.split("frame : ")[1].split("level : ")[0]))
    assert listed - {"by", "question", "level", "RELIABILITY"} <= set(FIELDS)
    assert set(RELIABILITY_CLASSES) == set(RELIABILITY)
    assert FIELDS["estimate"].legend == "% of people"
    assert FIELDS["half_width"].alias == "Half-width (90 % interval) (share of people)"
    money = estimate_fields("Income", "pounds", level=0.95)
    assert (money["lower"].legend, money["lower"].scale, money["lower"].label) == (
        "pounds",
        1.0,
        "Lower end of the 95 % interval",
    )
    assert share_fields("x", "those of whom it is known")["share"].legend == "% of those of whom it is known"


def test_other_endings_are_refused(tmp_path):
    aligned, _, _ = on_grid(tmp_path)
    with pytest.raises(InputError, match=r"\.pmtiles"):
        geopackage(estimates(aligned.zones), aligned.geography, tmp_path / "m.mbtiles")


_QGIS = """
import json, os, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from qgis.core import QgsApplication, QgsVectorLayer
application = QgsApplication([], False)
application.initQgis()
layer = QgsVectorLayer(sys.argv[1] + "|layername=zones", "zones", "ogr")
renderer = layer.renderer()
print(json.dumps({"valid": layer.isValid(), "crs": layer.crs().authid(), "renderer": renderer.type(),
                  "count": layer.featureCount(),
                  "rules": [r.label() for r in renderer.rootRule().descendants()] if renderer.type() == "RuleRenderer" else [],
                  "aliases": {f.name(): f.alias() for f in layer.fields()}}))
sys.stdout.flush()
os._exit(0)
"""


@pytest.fixture(scope="module")
def qgis():
    """A Python that has QGIS."""
    pythons = (shutil.which("python3", path="/usr/bin:/usr/local/bin"), shutil.which("python-qgis"))
    for python in filter(None, pythons):
        if subprocess.run([python, "-c", "import qgis.core"], capture_output=True, check=False).returncode == 0:
            return python
    pytest.skip("there is no QGIS here")


def test_qgis_opens_it_as_a_map(tmp_path, qgis):
    _, values, path = written(tmp_path)
    script = tmp_path / "look.py"
    script.write_text(_QGIS, encoding="utf-8")
    done = subprocess.run([qgis, str(script), str(path)], capture_output=True, text=True, timeout=120, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["valid"], told["crs"], told["renderer"], told["count"]) == (True, "EPSG:27700", "RuleRenderer", 12)
    labels = classify(100 * values["estimate"].to_numpy()).labels
    assert told["rules"] == ["In bad health (% of people)", *reversed(labels), "no value", "unreliable"]
    assert told["aliases"]["estimate"] == "In bad health (share of people)"
