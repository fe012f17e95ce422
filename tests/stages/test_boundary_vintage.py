"""Zones and polygons of different years, levels or columns: what is said, and which file is named."""

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely

from synthpop_gb import read
from synthpop_gb.errors import InputError
from synthpop_gb.geography import Geography
from synthpop_gb.geography.vintage import kinds, lacking, published, vintages
from synthpop_gb.harmonisation.zones import choose_zones

OLD = [f"E01{n:06d}" for n in range(11_000, 11_010)]
NEW = [*OLD[:8], "E01033770", "E01033771"]


def polygons(codes, path, points=5, **columns):
    """Write circles, one a code, of so many points."""
    angle = np.linspace(0, 2 * np.pi, points - 1, endpoint=False)
    rings = [shapely.Polygon(np.c_[3 * i + np.cos(angle), np.sin(angle)]) for i in range(len(codes))]
    frame = geopandas.GeoDataFrame({"code": list(codes), **columns}, geometry=rings, crs=27700)
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_file(path)
    return path


def places(codes, folder, **boundaries):
    """Read zones listed in a lookup, with boundaries."""
    lookup = folder / "zones.csv"
    pd.DataFrame({"LSOA_CODE": list(codes), "n": 1}).to_csv(lookup, index=False)
    return read.geography(lookup, zone="LSOA_CODE", **boundaries)


def said(zones, drawn):
    (found,) = lacking(pd.Index(zones), drawn, "b.gpkg")
    return found


def test_nothing_is_said_where_every_zone_is_drawn():
    assert lacking(pd.Index(OLD), [*NEW, *OLD, None], "b") == []


@pytest.mark.parametrize(
    ("zones", "drawn", "are", "polygons_are", "take"),
    [
        (OLD, NEW, "LSOAs of the 2011 census", "of the 2021 census", "(December 2011) Boundaries EW BSC"),
        (NEW, OLD, "LSOAs of the 2021 census", "of the 2011 census", "(December 2021) Boundaries EW BSC"),
        (["S01006506"], ["S01013482"], "data zones of the 2011 census", "of the 2022 census", "Data Zone Boundaries 2011"),
        (["S02002600"], ["S02001300"], "intermediate zones of the 2022 census", "of the 2011 census", "Zone Boundaries 2022"),
        (["E14001100"], ["E14000600"], "constituencies of 2024", "of before 2024", "Constituencies (2024) Boundaries UK BSC"),
        (["E06000063", "E06000001"], ["E07000026", "E06000001"], "local authorities of 2023 or later", "of before 2023", "2023)"),
        (["E07000150", "E06000060"], ["E06000061", "E06000060"], "local authorities of before 2021", "of 2021 or later", "2020)"),
        (OLD, ["E02000001", "E02000002"], "LSOAs", "MSOAs", "Lower layer Super Output Areas"),
        (["S01006506"], ["E01000001"], "data zones", "LSOAs", "Data Zone Boundaries 2011"),
    ],
)  # fmt: skip
def test_another_year_or_level_is_told(zones, drawn, are, polygons_are, take):
    found = said(zones, drawn)
    assert found.code == "boundaries-vintage"
    assert found.level == "warning"
    assert f"are {are}, the polygons {polygons_are}." in found.message
    assert take in found.remedy
    assert found.count == len(set(zones) - set(drawn)) == len(found.rows)
    assert ("BFC" in found.remedy) == ("ONS" in found.remedy), "resolutions are those of the ONS"


@pytest.mark.parametrize(
    ("zones", "drawn"),
    [
        (OLD, OLD[:-1]),  # one polygon lost
        (OLD, [*OLD[:2], "E01033770"]),  # most lie elsewhere: another place, not another year
        (["E01000001", "W01000001"], ["E01000001"]),  # a nation
        (["E01000001", "S01006506"], ["E01000001"]),  # a nation with zones of its own
        (["a", "b"], ["a"]),
        (["E05000001"], ["E05000002"]),  # wards say no year
        (["E06000001", "E06000002"], ["E06000001"]),
        (["E01000001"], ["x", "y"]),
    ],
)
def test_what_is_merely_missing_is_no_vintage(zones, drawn):
    found = said(zones, drawn)
    assert found.code == "missing-boundary"
    assert "zones (first: " in found.message


def test_a_nation_that_is_missing_is_named_by_its_file():
    assert 'Add "Data Zone Boundaries 2022"' in said(["E01000001", "S01013482"], ["E01000001"]).remedy


def test_words_of_codes():
    assert vintages(pd.Index(OLD)) == {"E01": {2011}}
    assert vintages(pd.Index(NEW)) == {"E01": {2011, 2021}}
    assert kinds([None, "E01000001", "E01000001", float("nan"), "x", "E0100001"]).to_dict() == {"E01000001": "E01"}
    assert published("E05", None) == '"Wards (the zones\' year) Boundaries UK BSC" of the ONS Open Geography portal'
    assert published("E12", 2021) == published("", None) == ""


def test_files_of_another_year_are_told_when_they_are_read_and_only_of_the_zones_chosen(tmp_path):
    lookup = pd.DataFrame({"LSOA11CD": OLD, "LAD11CD": ["E08000035"] * 9 + ["E08000036"]})
    lookup.to_csv(tmp_path / "lookup.csv", index=False)
    path = polygons(NEW, tmp_path / "lsoa21.gpkg")
    found = read.geography(tmp_path / "lookup.csv", boundaries=path)
    assert [f.code for f in found.findings] == ["boundaries-vintage"]
    assert found.findings[0].count == 2
    one, _ = choose_zones(found, parent=("lad", "E08000036"))
    assert one.findings[0].message.startswith(
        "lsoa21.gpkg has no polygon for 1 of 1 zones (first: E01011009): 1 are LSOAs of the 2011"
    )
    assert one.findings[0].remedy == found.findings[0].remedy
    some, _ = choose_zones(found, zones=OLD[:8])
    assert some.findings == ()


def test_several_files_are_judged_together(tmp_path):
    codes = [*OLD, "S01006506"]
    both = [polygons(NEW, tmp_path / "e.parquet"), polygons(["S01013500"], tmp_path / "s.parquet")]
    with pytest.raises(InputError) as error:  # one file of which no zone is
        places(codes, tmp_path, boundaries=both)
    assert [(f.code, f.level) for f in error.value.findings] == [("boundaries-vintage", "error")]
    both[1] = polygons(["S01006506"], tmp_path / "s.parquet")
    (found,) = places(codes, tmp_path, boundaries=both).findings
    assert found.code == "boundaries-vintage"
    assert found.place == "e.parquet, s.parquet"


def test_a_wrong_column_is_told_with_the_right_one(tmp_path):
    path = polygons(OLD, tmp_path / "b.parquet", name=[f"Leeds {n}" for n in range(10)])
    with pytest.raises(InputError) as error:
        places(OLD, tmp_path, boundaries=path, boundary_column="name")
    (found,) = error.value.findings
    assert (found.code, found.level) == ("boundaries-vintage", "error")
    assert "its column 'name' holds none of the 10 zones, 'code' 10." in found.message
    assert "Name 'code'" in found.remedy


def test_polygons_of_strangers_say_what_they_are(tmp_path):
    path = polygons(["E02000001"], tmp_path / "b.geojson")
    with pytest.raises(
        InputError, match="they are LSOAs, the polygons MSOAs; its column 'code' holds 1 codes such as E02000001"
    ) as error:
        places(OLD, tmp_path, boundaries=path)
    assert (
        "Lower layer Super Output Areas (December 2011 or 2021, as the zones) Boundaries EW BSC" in error.value.findings[0].remedy
    )
    words = polygons(["north", "south"], tmp_path / "c.gpkg")
    with pytest.raises(InputError) as error:
        places(OLD, tmp_path, boundaries=words)
    assert [f.code for f in error.value.findings] == ["unknown-layout"]


@pytest.mark.parametrize("suffix", [".parquet", ".gpkg"])
def test_detail_is_told(tmp_path, suffix):
    plain, fine = polygons(OLD[:5], tmp_path / f"plain{suffix}", 20), polygons(OLD[5:], tmp_path / f"fine{suffix}", 300)
    full = polygons(OLD, tmp_path / f"full{suffix}", 900)
    assert places(OLD[:5], tmp_path, boundaries=plain).findings == ()
    (found,) = places(OLD, tmp_path, boundaries=full).findings
    assert (found.code, found.level) == ("boundaries-detail", "note")
    assert "with about 900 points" in found.message
    (found,) = places(OLD, tmp_path, boundaries=[plain, fine]).findings
    assert found.code == "boundaries-detail"
    assert "fine" in found.message and "will not meet" in found.message  # noqa: PT018


def test_geography_without_official_codes_is_as_before():
    places = Geography(
        pd.DataFrame(index=pd.Index(["a", "b"], name="zone")), findings=tuple(lacking(pd.Index(["a", "b"]), ["a"], "f"))
    )
    kept, _ = choose_zones(places, ["b"])
    assert [f.message for f in kept.findings] == ["f has no polygon for 1 of 1 zones (first: b)."]


@pytest.mark.data
@pytest.mark.parametrize(("year", "other", "missing"), [(11, 21, 1106), (21, 11, 2025)])
def test_real_lsoas_of_both_censuses(data_folder, year, other, missing):
    codes, drawn = (
        pd.read_parquet(data_folder / f"boundaries/lsoa{y}.geo.parquet", columns=[f"lsoa{y}_code"]).iloc[:, 0]
        for y in (year, other)
    )
    found = said(codes, drawn)
    assert (found.code, found.count) == ("boundaries-vintage", missing)
    assert f"(December 20{year}) Boundaries EW BSC" in found.remedy
    assert lacking(pd.Index(codes), codes, "b") == []


@pytest.mark.data
def test_real_authorities_begin_and_end_when_the_table_says(data_folder):
    from synthpop_gb.geography import vintage

    changes = pd.read_parquet(data_folder / "lookups" / "ltla_ltla.parquet")
    years = sorted(int(c[4:6]) for c in changes if c.endswith("_code"))
    codes = {y: set(changes[f"ltla{y}_code"].dropna()) for y in years}
    for table, gone in ((vintage._BEGUN, False), (vintage._ENDED, True)):
        for year, listed in table.items():
            for code in listed.split():
                there = [2000 + y for y in years if code in codes[y]]
                expected = [2000 + y for y in years if (2000 + y < year if gone else 2000 + y >= year)]
                if there and 2016 < year < 2025 and code != "E07000246":  # which lived from 2019 to 2023
                    assert there == expected, code
