"""Lookups however their columns are called, and boundary files of every kind."""

import geopandas
import pandas as pd
import pytest
from shapely.geometry import box

from synthpop_gb import read
from synthpop_gb.errors import InputError

OAS = pd.DataFrame(
    {
        "OA21CD": ["E00000001", "E00000002", "E00000003", "E00000004"],
        "LSOA21CD": ["E01000001", "E01000001", "E01000002", "W01001959"],
        "LSOA21NM": ["City 001A", "City 001A", "City 001B", "Môn 001A"],
        "LSOA21NMW": ["", "", "", "Ynys 001A"],
        "MSOA21CD": ["E02000001", "E02000001", "E02000001", "W02000001"],
        "LAD22CD": ["E09000001", "E09000001", "E09000001", "W06000001"],
        "LAD22NM": ["City of London", "City of London", "City of London", "Isle of Anglesey"],
        "RGN22NM": ["London", "London", "London", "Wales"],
        "ObjectId": [1, 2, 3, 4],
    }
)


def outline(codes=("E01000001", "E01000002", "W01001959"), column="LSOA21CD"):
    shapes = [box(i, 0, i + 1, 1) for i in range(len(codes))]
    return geopandas.GeoDataFrame(
        {column: list(codes), "LSOA21NM": [f"Zone {c}" for c in codes]}, geometry=shapes, crs="EPSG:27700"
    )


def found(geography):
    return {f.code: f for f in geography.findings}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_one_row_a_zone_with_the_areas_it_lies_in(tmp_path, suffix):
    path = tmp_path / f"lookup{suffix}"
    OAS.to_csv(path, index=False, encoding="utf-8-sig") if suffix == ".csv" else OAS.to_parquet(path)
    geography = read.geography(path, zone="LSOA21CD")
    assert geography.codes.tolist() == ["E01000001", "E01000002", "W01001959"]
    assert geography.codes.name == "zone"
    assert geography.parents == ("msoa", "lad", "region")
    assert geography.zones.loc["W01001959"].to_dict() == {
        "name": "Môn 001A", "msoa": "W02000001", "lad": "W06000001", "lad_name": "Isle of Anglesey", "region": "Wales",
    }  # fmt: skip
    assert read.geography(path).codes.tolist() == OAS["OA21CD"].tolist(), "the finest level, where none is named"
    assert geography.sources[0].path == str(path)


@pytest.mark.parametrize(
    ("columns", "parents"),
    [
        (["oa_code", "lsoa_code", "msoa_code", "la_code", "region_code"], ("msoa", "lad", "region")),
        (["OA", "LSOA", "MSOA", "LAD", "RGN"], ("msoa", "lad", "region")),
        (["oa21cd", "lsoa21cd", "msoa21cd", "ladcd", "rgncd"], ("msoa", "lad", "region")),
        (["oa_code", "lsoa21_code", "msoa21_code", "ltla22_code", "region22_code"], ("msoa", "ltla", "region")),
        (["oa", "LSOA 2021 code", "x", "y", "z"], None),
    ],
)
def test_columns_are_known_by_stem_and_year(tmp_path, columns, parents):
    path = tmp_path / "lookup.csv"
    frame = OAS[["OA21CD", "LSOA21CD", "MSOA21CD", "LAD22CD", "RGN22NM"]].set_axis(columns, axis=1)
    frame.to_csv(path, index=False)
    geography = read.geography(path, zone=columns[1])
    if parents:
        assert geography.parents == parents
    assert len(geography.codes) == 3


def test_parents_can_be_named(tmp_path):
    path = tmp_path / "lookup.csv"
    OAS.assign(nation=["England"] * 3 + ["Wales"]).to_csv(path, index=False)
    assert read.geography(path, zone="LSOA21CD", parents={"country": "nation"}).zones["country"].tolist() == [
        "England",
        "England",
        "Wales",
    ]
    assert read.geography(path, zone="LSOA21CD", parents=["LAD22CD"]).parents == ("lad",)
    with pytest.raises(InputError, match="do not nest"):
        read.geography(path, zone="LAD22CD", parents=["OA21CD"])
    with pytest.raises(InputError, match="Did you mean 'nation'"):
        read.geography(path, zone="LSOA21CD", parents={"country": "naton"})


def test_columns_that_are_asked_for_are_levels_whatever_they_are_called(tmp_path):
    path = tmp_path / "lookup.csv"
    frame = pd.DataFrame({"zone": list("abcd"), "region": list("NNSS"), "Town": ["x", "x", "y", "y"],
                          "patch_code": [7, 7, 7, 8], "own": list("pqrs")})  # fmt: skip
    frame.to_csv(path, index=False)
    assert read.geography(path, zone="zone").parents == ("region",)
    geography = read.geography(path, zone="zone", levels=["town", "patch", "region", "nowhere", "zone"])
    assert set(geography.parents) == {"region", "town", "patch"}
    assert geography.zones["patch"].tolist() == ["7", "7", "7", "8"]
    frame = pd.concat([frame, frame.assign(Town="z")])
    frame.to_csv(path, index=False)
    with pytest.raises(InputError, match="zones do not nest in 'Town'"):
        read.geography(path, zone="zone", levels=["town"])


def test_a_zone_in_two_areas_takes_the_larger_part(tmp_path):
    path = tmp_path / "lookup.csv"
    rows = [("E01000001", "E14000001")] * 3 + [("E01000001", "E14000002")] + [(f"E0100010{i}", "E14000001") for i in range(9)]
    pd.DataFrame(rows, columns=["lsoa_code", "constituency_code"]).to_csv(path, index=False)
    geography = read.geography(path)
    assert geography.zones.loc["E01000001", "constituency"] == "E14000001"
    said = found(geography)["not-nested"]
    assert said.rows.to_numpy().tolist() == [["E01000001", "E14000001", 3, True], ["E01000001", "E14000002", 1, False]]
    assert "first: E01000001, given E14000001 by 3 of 4 rows" in said.message


def test_a_tie_between_two_areas_is_said(tmp_path):
    path = tmp_path / "lookup.csv"
    rows = [("E01000001", "E14000009"), ("E01000001", "E14000002")] + [(f"E0100010{i}", "E14000002") for i in range(9)]
    pd.DataFrame(rows, columns=["lsoa_code", "constituency_code"]).to_csv(path, index=False)
    geography = read.geography(path)
    assert geography.zones.loc["E01000001", "constituency"] == "E14000009"
    said = found(geography)["not-nested"]
    assert "Of 1 as many rows name one as another: E01000001 was given E14000009, not E14000002." in said.message
    assert "most of" not in said.message + said.why


def test_the_latest_of_several_years_is_the_parent(tmp_path):
    path = tmp_path / "lookup.csv"
    pd.DataFrame({"lsoa21_code": ["E01000001"], "ltla22_code": ["E07000001"], "ltla24_code": ["E06000063"]}).to_csv(
        path, index=False
    )
    assert read.geography(path).zones["ltla"].tolist() == ["E06000063"]


def test_zones_of_another_year_are_no_parents(tmp_path):
    path = tmp_path / "lookup.csv"
    pd.DataFrame({"lsoa11_code": ["E01000001", "E01000002"], "change_code": ["U", "S"], "lsoa21_code": ["E01000001", "E01033800"],
                  "ltla22_code": ["E09000001"] * 2}).to_csv(path, index=False)  # fmt: skip
    geography = read.geography(path, zone="lsoa21_code")
    assert geography.parents == ("ltla",)
    assert read.geography(path).codes.tolist() == ["E01000001", "E01033800"], "of two years of one level, the later"


@pytest.mark.parametrize("suffix", [".geo.parquet", ".gpkg", ".geojson", ".shp"])
def test_boundaries_of_every_kind(tmp_path, suffix):
    path = tmp_path / f"zones{suffix}"
    shapes = outline()
    shapes.to_parquet(path) if suffix == ".geo.parquet" else shapes.to_file(path)
    geography = read.boundaries(path)
    assert geography.codes.tolist() == ["E01000001", "E01000002", "W01001959"]
    assert geography.zones["name"].tolist() == ["Zone E01000001", "Zone E01000002", "Zone W01001959"]
    assert geography.boundary_column == "LSOA21CD"
    assert geography.boundaries().geometry.area.tolist() == [1, 1, 1]
    lookup = tmp_path / "lookup.csv"
    OAS.to_csv(lookup, index=False)
    both = read.boundaries(path, lookup)
    assert both.codes.tolist() == ["E01000001", "E01000002", "W01001959"], "the boundaries say which level is meant"
    assert both.parents == ("msoa", "lad", "region")
    assert [s.path for s in both.sources] == [str(lookup), str(path)]


def test_zones_without_a_polygon_are_said(tmp_path):
    path, lookup = tmp_path / "zones.gpkg", tmp_path / "lookup.csv"
    outline(("E01000001", "E01000002", "E01000002")).to_file(path)
    OAS.to_csv(lookup, index=False)
    geography = read.geography(lookup, zone="LSOA21CD", boundaries=path)
    assert found(geography)["missing-boundary"].rows["zone"].tolist() == ["W01001959"]
    assert found(geography)["duplicate-zone"].level == "warning"


def test_boundaries_of_other_zones_are_refused(tmp_path):
    path, lookup = tmp_path / "zones.geojson", tmp_path / "lookup.csv"
    outline(("S01006506",)).to_file(path)
    OAS.to_csv(lookup, index=False)
    with pytest.raises(InputError, match="no column with codes of these zones"):
        read.geography(lookup, zone="LSOA21CD", boundaries=path)
    with pytest.raises(InputError, match="no column 'CODE'"):
        read.geography(lookup, zone="LSOA21CD", boundaries=path, boundary_column="CODE")


def test_what_cannot_be_read_is_said(tmp_path):
    bad = tmp_path / "zones.gpkg"
    bad.write_bytes(b"no geopackage")
    cases = [
        ({"boundaries": bad}, "unreadable-file"),
        ({"boundaries": tmp_path / "x.gpkg"}, "missing-file"),
        ({"lookup": tmp_path / "x.csv"}, "missing-file"),
        ({}, "no-zones"),
    ]
    words = tmp_path / "words.csv"
    words.write_text("a,b\nx,y\n")
    for arguments, code in [*cases, ({"lookup": words}, "unknown-layout")]:
        with pytest.raises(InputError) as error:
            read.geography(**arguments)
        assert [f.code for f in error.value.findings] == [code]


def test_zones_can_be_given_as_codes():
    assert read.geography(codes=["a", "b", "a"]).codes.tolist() == ["a", "b"]


def test_lookups_without_area_codes_go_by_names_of_columns(tmp_path):
    path = tmp_path / "lookup.csv"
    pd.DataFrame(
        {"zone": ["D1", "D2"], "name": ["One", "Two"], "msoa": ["M1", "M1"], "msoa_name": ["First"] * 2, "district": ["X"] * 2}
    ).to_csv(path, index=False)
    geography = read.geography(path)
    assert geography.zones.loc["D2"].to_dict() == {"name": "Two", "msoa": "M1", "msoa_name": "First", "district": "X"}
