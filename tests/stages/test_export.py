"""What leaves for other programs holds the same people, says no more than the licence allows, and runs nothing."""

import csv
import gzip
import sys
from dataclasses import replace

import geopandas
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from synthpop_gb.codebook import Category, Variable
from synthpop_gb.errors import InputError
from synthpop_gb.export import _rows, geopackage, people, polygons
from synthpop_gb.export import people as people_function
from synthpop_gb.export.geopackage import column_names
from synthpop_gb.geography import Geography
from synthpop_gb.population import DonorCounts
from tests.stages.grid_world import HOSTILE, on_grid, shares, solved, squares, with_boundaries


def code_of(error):
    return {f.code for f in error.value.findings}


def counts_of(frame):
    return frame.groupby(["zone", "donor"], observed=True).size()


def meant(population):
    block = population.donors()
    zone = np.repeat(block.zones, np.diff(block.indptr))
    return pd.Series(
        block.n, pd.MultiIndex.from_arrays([zone, population.problem.records[block.record]], names=["zone", "donor"])
    )


def same_people(frame, population):
    found, wanted = counts_of(frame).sort_index(), meant(population).sort_index()
    assert found.index.tolist() == [(str(z), d) for z, d in wanted.index]
    assert found.tolist() == wanted.tolist()


# --- one row a person


@pytest.mark.parametrize("name", ["people.parquet", "people.csv", "people.csv.gz"])
def test_rows_are_the_population(tmp_path, name):
    aligned, population, _ = solved()
    path = people(population, aligned, tmp_path / "sub" / name)
    frame = pd.read_parquet(path) if name.endswith("parquet") else pd.read_csv(path)
    assert list(frame) == ["person", "zone", "lad", "region", "donor", "age", "sex", "health"]
    same_people(frame, population)
    assert frame["person"].is_unique
    assert frame["person"].iloc[0] == f"{aligned.zones[0]}-000001"
    assert (frame["person"].str[:-7] == frame["zone"].astype(str)).all()
    assert frame["lad"].astype(str).tolist() == aligned.geography.zones["lad"].loc[frame["zone"].astype(str)].tolist()
    records = aligned.frame().loc[frame["donor"]]
    for variable in aligned.survey.variables.values():
        labels = {c.code: c.label for c in variable.categories}
        assert frame[variable.name].astype(str).tolist() == records[variable.column].astype(str).map(labels).tolist()
    assert sorted(p.name for p in path.parent.iterdir()) == [name]  # nothing half-written stays


def test_chunks_change_nothing(tmp_path, monkeypatch):
    aligned, population, _ = solved()
    whole = pd.read_parquet(people(population, aligned, tmp_path / "a.parquet"))
    monkeypatch.setattr(_rows, "CHUNK", 100)
    monkeypatch.setattr(sys.modules["synthpop_gb.export._person_rows"], "CHUNK", 100)
    path = people(population, aligned, tmp_path / "b.parquet")
    assert pq.ParquetFile(path).metadata.num_row_groups > 12
    pd.testing.assert_frame_equal(pd.read_parquet(path).astype(str), whole.astype(str))
    one, other = (tmp_path / f"{n}.csv" for n in "ab")
    people(population, aligned, other)
    monkeypatch.undo()
    assert people(population, aligned, one).read_bytes() == other.read_bytes()


def test_partitioned_folder(tmp_path):
    aligned, population, _ = solved(n_zones=48)
    folder = people(population, aligned, tmp_path / "people")
    assert sorted(p.name for p in folder.iterdir()) == ["lad=E07000001", "lad=E07000002"]  # 24 zones each
    frame = pd.read_parquet(folder)
    same_people(frame, population)
    assert frame["lad"].astype(str).tolist() == aligned.geography.zones["lad"].loc[frame["zone"].astype(str)].tolist()
    by_region = people(population, aligned, tmp_path / "regions", partition="region")
    assert [p.name for p in by_region.iterdir()] == ["region=E12000003"]
    small, population, _ = solved(n_zones=12)
    assert [p.name for p in people(population, small, tmp_path / "small").iterdir()] == ["region=E12000003"]  # too few for lads
    with pytest.raises(InputError, match=r"there are: lad, region"):
        people(population, small, tmp_path / "x", partition="county")


def test_licence_decides_what_is_written(tmp_path):
    aligned, population, _ = solved(licence="restricted")
    assert list(pd.read_parquet(people(population, aligned, tmp_path / "a.parquet"))) == [
        "person",
        "zone",
        "lad",
        "region",
        "donor",
    ]
    allowed = pd.read_parquet(people(population, aligned, tmp_path / "b.parquet", include=["sex", "weight"]))
    assert list(allowed)[5:] == ["sex", "weight"]
    assert allowed["weight"].tolist() == aligned.frame()["weight"].loc[allowed["donor"]].tolist()
    with pytest.raises(InputError) as error:
        people(population, aligned, tmp_path / "c.parquet", include=["sex", "income", "tenure"])
    assert code_of(error) == {"missing-column"}
    assert "'income', 'tenure'" in str(error.value)


@pytest.mark.parametrize("name", ["people.parquet", "people.csv"])
def test_single_years_are_numbers(tmp_path, name):
    aligned, population, _ = solved()
    ages = np.arange(len(aligned.survey.records)) % 97
    atoms = [Category(str(y), str(y) if y < 120 else "120+", frozenset([str(y)])) for y in range(121)]  # 120+ is nobody's
    words = Category("7", "seven", frozenset("7"))

    def told(column, categories):
        records = aligned.survey.records.assign(years=column)
        variables = aligned.survey.variables | {"years": Variable("years", tuple(categories), "years")}
        path = people(population, replace(aligned, survey=replace(aligned.survey, records=records, variables=variables)),
                      tmp_path / name, overwrite=True)  # fmt: skip
        return pd.read_parquet(path) if name.endswith("parquet") else pd.read_csv(path)

    found = told(ages, atoms)
    assert found["years"].dtype == "int64"
    expected = pd.Series(ages, aligned.survey.records.index).loc[found["donor"]]
    assert found["years"].tolist() == expected.tolist()
    some = told(np.where(ages == 5, np.nan, ages), atoms)  # whom it is not known of has none
    assert some["years"].isna().tolist() == (expected == 5).tolist()
    assert some["years"].dropna().tolist() == expected[expected != 5].tolist()
    if name.endswith("parquet"):
        assert pq.read_schema(tmp_path / name).field("years").type == "int64"
    labelled = told(ages, [words, *(a for a in atoms if a.code != "7")])
    assert "seven" in set(labelled["years"])
    assert "8" in set(labelled["years"].astype(str))
    assert told(np.where(ages == 96, 120, ages), atoms)["years"].astype(str).str.endswith("+").any()


def test_existing_files_are_kept(tmp_path):
    aligned, population, _ = solved()
    path = tmp_path / "people.parquet"
    path.write_text("mine")
    with pytest.raises(InputError) as error:
        people(population, aligned, path)
    assert code_of(error) == {"output-exists"}
    assert path.read_text() == "mine"
    people(population, aligned, path, overwrite=True)
    assert len(pd.read_parquet(path)) == population.people
    folder = people(population, aligned, tmp_path / "people")
    with pytest.raises(InputError):
        people(population, aligned, folder)
    people(population, aligned, folder, overwrite=True)
    (folder / "thesis.docx").write_text("years of work")
    with pytest.raises(InputError, match=r"thesis\.docx"):
        people(population, aligned, folder, overwrite=True)
    assert (folder / "thesis.docx").exists()
    with pytest.raises(InputError) as error:
        people(population, aligned, tmp_path / "people.xlsx")
    assert code_of(error) == {"study-value"}


@pytest.mark.parametrize(
    "other", ["year=2019/model.pkl", "lad=a/deep/people.parquet", "lad=a/people.parquet", "lad=a/people2.csv"]
)
def test_folders_of_others_are_kept_whatever_is_asked(tmp_path, other):
    aligned, population, _ = solved()
    path = tmp_path / "people" / other
    path.parent.mkdir(parents=True)
    path.write_text("years of work")
    with pytest.raises(InputError) as error:
        people(population, aligned, tmp_path / "people", overwrite=True)
    assert code_of(error) == {"output-exists"}
    assert path.read_text() == "years of work"


def _pieces(block, order):
    """One block a zone, in some order, zones without people left out: as a run's file is read."""
    for z in order:
        a, b = block.indptr[z], block.indptr[z + 1]
        if b > a:
            yield DonorCounts(block.zones[[z]], np.array([0, b - a]), block.record[a:b], block.n[a:b])


@pytest.mark.parametrize("name", ["people.parquet", "folder"])
def test_people_of_written_counts(tmp_path, name):
    """Other counts than the population would place now are what is written, whole areas from zones in any order."""
    aligned, population, _ = solved()
    block = population.donors()
    other = replace(block, record=((block.record + 1) % len(aligned.records)).astype(np.int32))
    order = [*range(0, len(block.zones), 2), *range(1, len(block.zones), 2)]
    path = people(population, aligned, tmp_path / name, counts=_pieces(other, order))
    frame = pd.read_parquet(path)
    zone = np.repeat(other.zones.astype(str), np.diff(other.indptr))
    wanted = pd.Series(other.n, [zone, aligned.records[other.record]]).groupby(level=[0, 1]).sum()
    found = counts_of(frame.assign(zone=frame["zone"].astype(str))).sort_index()
    assert found.to_dict() == wanted.to_dict()
    same = people(population, aligned, tmp_path / f"same-{name}", counts=[block])
    plain = people(population, aligned, tmp_path / f"plain-{name}")
    pd.testing.assert_frame_equal(pd.read_parquet(same), pd.read_parquet(plain))
    for wrong in (order[1:], [*order, order[0]]):
        with pytest.raises(ValueError, match="counts"):
            people(population, aligned, tmp_path / f"wrong-{name}", counts=_pieces(other, wrong))
    assert not (tmp_path / f"wrong-{name}").exists()


def test_spreadsheets_run_nothing(tmp_path):
    aligned, population, _ = solved(hostile=True)
    path = people(population, aligned, tmp_path / "people.csv")
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    cells = {cell for row in rows[1:] for cell in row}
    assert f"'{HOSTILE[3]}" in cells  # the formula is text
    assert HOSTILE[0] in cells
    assert not [c for c in cells if c.startswith(("=", "+", "@", "-", "\t", "\r"))]
    assert HOSTILE[3] in set(
        pd.read_parquet(people(population, aligned, tmp_path / "p.parquet"))["health"]
    )  # as it is where safe


@pytest.mark.parametrize("name", ["people.parquet", "people.csv.gz"])
def test_what_was_written_is_counted_again(tmp_path, monkeypatch, name):
    aligned, population, _ = solved()
    write = people_function.__globals__["PersonRows"].tables

    def lossy(self, block):
        for table in write(self, block):
            yield table.slice(1)

    monkeypatch.setattr(people_function.__globals__["PersonRows"], "tables", lossy)
    with pytest.raises(OSError, match="was not written: it holds"):
        people(population, aligned, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_gzip_is_gzip(tmp_path):
    aligned, population, _ = solved()
    with gzip.open(people(population, aligned, tmp_path / "p.csv.gz"), "rt", encoding="utf-8") as file:
        assert sum(1 for _ in file) == population.people + 1


# --- polygons and values


def test_polygons_are_valid_and_projected(tmp_path):
    aligned, _, _ = on_grid(tmp_path, crs=4326, left_out=("E01000003",))
    frame = polygons(aligned.geography)
    assert frame.crs.to_epsg() == 27700
    assert frame.index.tolist() == [z for z in aligned.zones if z != "E01000003"]
    assert frame.geometry.area.to_numpy() == pytest.approx(np.full(11, 1e6), rel=1e-3)
    with pytest.raises(InputError) as error:
        polygons(Geography(aligned.geography.zones))
    assert code_of(error) == {"missing-file"}
    with pytest.raises(InputError) as error:
        polygons(Geography(aligned.geography.zones.rename(index=lambda z: f"X{z}"), aligned.geography.boundary_file, "code"))
    assert code_of(error) == {"no-zones"}


def test_polygons_without_system_or_in_pieces(tmp_path):
    zones = pd.DataFrame(index=pd.Index(["a", "b"], name="zone"))
    bow = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])  # crosses itself
    for shapes, system in (
        (squares(["a", "b"]).geometry.tolist(), 27700),
        ([shapely.box(-1, 53, 0, 54), shapely.box(0, 53, 1, 54)], 4326),
    ):
        pieces = geopandas.GeoDataFrame(
            {"code": ["a", "a", "b"]}, geometry=[shapes[0], shapely.affinity.translate(shapes[0], 0, 0.5), shapes[1]]
        )
        pieces.to_parquet(tmp_path / "p.parquet")
        frame = polygons(Geography(zones, str(tmp_path / "p.parquet"), "code"), system)
        assert frame.index.tolist() == ["a", "b"]
        assert frame.crs.to_epsg() == system
    geopandas.GeoDataFrame({"code": ["a", "b"]}, geometry=[bow, shapes[0]], crs=27700).to_file(tmp_path / "q.gpkg")
    assert polygons(Geography(zones, str(tmp_path / "q.gpkg"), "code")).is_valid.all()


@pytest.mark.parametrize("name", ["m.gpkg", "m.geo.parquet", "m.parquet", "m.geojson"])
def test_values_and_polygons_come_back(tmp_path, name):
    aligned, _, _ = on_grid(tmp_path, left_out=("E01000002",))
    zones = aligned.zones
    values = pd.DataFrame(
        {"share of = 'other'": shares(aligned), "n": np.arange(len(zones)), "fits": True, "why": HOSTILE[0]}, zones
    ).iloc[1:]
    path = geopackage(values, aligned.geography, tmp_path / "out" / name)
    frame = geopandas.read_parquet(path) if name.endswith("parquet") else geopandas.read_file(path, layer=0)
    assert frame.crs.to_epsg() == (27700 if name.endswith("gpkg") else 4326)
    assert frame["zone"].tolist() == zones.tolist()
    assert frame["share_of_other"].iloc[1:].tolist() == pytest.approx(values.iloc[:, 0].tolist())
    assert frame["share_of_other"].isna().sum() == 1
    assert frame["why"].iloc[1] == HOSTILE[0]
    assert frame["lad"].tolist() == aligned.geography.zones["lad"].tolist()
    assert (frame.geometry.isna() | frame.geometry.is_empty).tolist() == [z == "E01000002" for z in zones]
    geopackage(values["n"], aligned.geography, path)  # replaces
    assert list(path.parent.iterdir()) == [path]


def test_what_cannot_be_written(tmp_path, monkeypatch):
    aligned, _, _ = on_grid(tmp_path)
    values = shares(aligned)
    with pytest.raises(InputError) as error:
        geopackage(values, aligned.geography, tmp_path / "m.shp")
    assert code_of(error) == {"study-value"}
    with pytest.raises(ValueError, match="one row a zone"):
        geopackage(pd.concat([values, values]), aligned.geography, tmp_path / "m.gpkg")
    module = sys.modules["synthpop_gb.export.geopackage"]
    read = module._read
    monkeypatch.setattr(module, "_read", lambda *args: read(*args).assign(zone="x"))
    with pytest.raises(OSError, match="gave other zones"):
        geopackage(values, aligned.geography, tmp_path / "m.gpkg")
    assert not (tmp_path / "m.gpkg").exists()


def test_names_that_every_format_takes():
    assert column_names(["geometry", "ZONE", "a", "A", "a_2", "", "é", "x" * 80]) == [
        "v_geometry", "v_ZONE", "a", "A_2", "a_2_2", "value", "value_2", "x" * 50,
    ]  # fmt: skip


def test_boundaries_may_hold_more_columns(tmp_path):
    aligned, _, _ = on_grid(tmp_path)
    geography = with_boundaries(aligned.geography, tmp_path)
    assert geopackage(shares(aligned), geography, tmp_path / "a.gpkg").exists()
