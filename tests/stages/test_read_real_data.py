"""Every real file at hand: recognised without a word of help, and equal to the figures that were published."""

import numpy as np
import pandas as pd
import pytest

from synthpop_gb import read
from synthpop_gb.codebook import common_categories
from synthpop_gb.errors import InputError
from synthpop_gb.read._codebooks import codebook_file

pytestmark = pytest.mark.data

RESIDENTS_2011 = 56_075_912
TS = sorted(codebook_file("tables_2021")["tables"].keys() - {"ts066"})


def noted(table):
    return {f.code: f for f in table.findings}


@pytest.mark.parametrize(
    ("file", "variables", "cells", "universe"),
    [
        ("age9_by_sex", ("sex", "age"), 18, "usual residents"), ("ethnicity5", ("ethnic_group",), 5, "usual residents"),
        ("general_health5", ("health",), 5, "usual residents"),
        ("employment3", ("economic_activity",), 2, "usual residents aged 16 to 74"),
    ],
)  # fmt: skip
def test_2011_tables_of_all_34753_lsoas(data_folder, file, variables, cells, universe):
    table = read.table(data_folder / "census2011-lsoa-ew" / f"{file}.parquet")
    assert (table.name, table.variable_names, table.universe.name) == (file, variables, universe)
    assert (table.year, table.standard_error) == (2011, 0.0)
    assert table.counts.shape == (34_753, cells)
    outside = noted(table)["does-not-apply"].count if file == "employment3" else 0
    assert int(table.counts.to_numpy().sum()) + outside == RESIDENTS_2011


def test_2011_ethnic_groups_of_output_areas_add_up_to_those_of_lsoas(data_folder):
    folder = data_folder / "census2011-lsoa-ew"
    fine = read.table(folder / "ethnicity14_oa11_with_lookup.parquet", zone="LSOA", aggregate=True)
    assert int(fine.counts.to_numpy().sum()) == RESIDENTS_2011
    assert noted(fine)["remainder"].count == 57_680, "Gypsy or Irish Traveller, whom the 14 groups leave out"
    coarse = read.table(folder / "ethnicity5.parquet")
    five = common_categories([*coarse.variables, *fine.variables])
    assert {c.label for c in five} == {"white", "mixed", "asian", "black", "other"}
    for group in five:
        parts = [c.code for c in fine.variables[0].categories if c.atoms <= group.atoms]
        added = fine.counts[[(p,) for p in parts]].sum(axis=1).loc[coarse.counts.index]
        assert (added == coarse.counts[(group.label,)]).all(), f"{group.label} differs somewhere"


@pytest.mark.parametrize("name", TS)
def test_2021_leaves_add_up_to_the_published_total_in_every_lsoa(data_folder, name):
    folder = data_folder / "census2021-lsoa-ew"
    listed = pd.read_csv(folder / "tables.csv").set_index("table").loc[name]
    table = read.table(folder / f"{name}.parquet")
    entry = codebook_file("tables_2021")["tables"][name]
    assert (table.name, table.variable_names, table.year) == (name, tuple(entry["variables"]), 2021)
    assert len(table.counts) == listed["rows"]
    leaves = table.counts.to_numpy().sum(axis=1)
    if table.total is None:  # TS006 and TS041: one figure a zone
        assert leaves.sum() == pytest.approx(listed.sum_first_column)
        assert table.counts.shape[1] == 1
    else:
        assert table.total.sum() == listed.sum_first_column
        assert np.array_equal(leaves, table.total.to_numpy())
    described = table.variables[0].categories
    assert all(c.atoms for c in described)
    assert sum(len(c.atoms) for c in described) == len(table.variables[0].atoms), "categories exclude each other"
    nests = listed.sum_other_columns > listed.sum_first_column
    assert ("nested-subtotal" in noted(table)) == nests
    assert table.standard_error == 0.5
    assert (table.universe is None) == (name == "ts006")


@pytest.mark.parametrize("suffix", ["", ".full.gz"])
def test_raw_nomis_files_agree_with_their_parquet_copies(data_folder, suffix):
    paths = sorted((data_folder / "format-samples" / "nomis-bulk-2021").glob(f"*csv{suffix}"))
    assert len(paths) == (3 if suffix else 50)
    for path in paths:
        raw = read.table(path)
        copy = read.table(data_folder / "census2021-lsoa-ew" / f"{raw.name}.parquet")
        assert raw.counts.shape == ((len(copy.counts) if suffix else 25), copy.counts.shape[1])
        pd.testing.assert_frame_equal(raw.counts, copy.counts.loc[raw.counts.index], check_dtype=False)
        assert (raw.universe, raw.year) == (copy.universe, copy.year)


def test_one_table_by_age_bands_of_a_custom_dataset(data_folder):
    table = read.table(data_folder / "census2021-lsoa-ew" / "age6.parquet")
    assert table.counts.columns.get_level_values("age").tolist() == ["0-15", "16-24", "25-34", "35-49", "50-64", "65+"]
    assert int(table.counts.to_numpy().sum()) == 59_597_114


@pytest.mark.parametrize(
    ("name", "total", "cells"),
    [("tenure-households", 23_366_044, 10), ("household-type", 23_366_044, 11), ("accommodation-type", 23_366_044, 8)],
)
def test_2011_bulk_files_of_local_authorities(data_folder, name, total, cells):
    table = read.table(data_folder / "format-samples" / f"nomis_bulk_2011_{name}-lad.csv")
    assert table.counts.shape == (348, cells)
    assert np.array_equal(table.counts.to_numpy().sum(axis=1), table.total.to_numpy())
    assert (int(table.total.sum()), table.universe.unit, table.year) == (total, "household", 2011)


@pytest.mark.parametrize(
    ("file", "variables", "sum_of_cells", "total"),
    [
        ("age20_by_sex_UV102b.parquet", ("age", "sex"), 5_439_899, 5_439_618),
        ("ethnicity_UV201.parquet", ("ethnic_group",), 5_440_355, 5_439_618),
        ("religion_UV205.parquet", ("religion",), 5_439_534, 5_439_618),
        ("disability_UV303.parquet", ("disability",), 5_440_042, 5_439_618),
        ("tenure_households_UV404.parquet", ("tenure",), 2_509_403, 2_509_357),
        ("accommodation_type_households_UV402.parquet", ("accommodation",), 2_508_716, 2_509_357),
        ("occupancy_bedrooms_households_UV415.parquet", ("bedroom_occupancy",), 2_509_053, 2_509_357),
        ("raw/UV201_ethnic_group_dz11_superweb2.csv.gz", ("ethnic_group",), 5_440_355, 5_439_618),
        ("raw/UV205_religion_dz11_superweb2.csv.gz", ("religion",), 5_439_534, 5_439_618),
        ("raw/UV303_disability_dz11_superweb2.xlsx", ("disability",), 5_440_042, 5_439_618),
    ],
)  # fmt: skip
def test_scottish_cells_do_not_add_up_and_that_is_said(data_folder, file, variables, sum_of_cells, total):
    table = read.table(data_folder / "census2022-scotland-dz11" / file)
    assert (table.variable_names, table.year, table.standard_error) == (variables, 2022, 1.1)
    assert len(table.counts) == 6_976
    assert (int(table.counts.to_numpy().sum()), int(table.total.sum())) == (sum_of_cells, total)
    assert (
        f"{abs(sum_of_cells - total):,} too {'few' if sum_of_cells < total else 'many'} in all"
        in noted(table)["perturbed"].message
    )


def test_scottish_exports_agree_with_their_tidied_copies(data_folder):
    folder = data_folder / "census2022-scotland-dz11"
    for raw, copy in (
        ("UV201_ethnic_group_dz11_superweb2.csv.gz", "ethnicity_UV201"),
        ("UV205_religion_dz11_superweb2.csv.gz", "religion_UV205"),
    ):
        a, b = read.table(folder / "raw" / raw), read.table(folder / f"{copy}.parquet")
        pd.testing.assert_frame_equal(a.counts, b.counts, check_dtype=False)
        assert [c.atoms for c in a.variables[0].categories] == [c.atoms for c in b.variables[0].categories]


def test_the_2011_table_of_scotland_is_exact(data_folder):
    table = read.table(data_folder / "census2022-scotland-dz11" / "deprivation_households_2011_QS119SC.parquet")
    assert (table.year, table.standard_error) == (2011, 0.0)
    assert np.array_equal(table.counts.to_numpy().sum(axis=1), table.total.to_numpy())


@pytest.mark.parametrize("level", ["oa", "lsoa", "msoa", "ward", "la_gm"])
def test_every_table_of_one_councils_long_files(data_folder, level):
    path = data_folder / "census2021-trafford" / f"{level}.parquet"
    with pytest.raises(InputError, match="Name one of them with `member`"):
        read.table(path)
    listed = pd.read_csv(data_folder / "census2021-trafford" / "tables.csv").query("geography == @level").set_index("table")
    for name in listed.index:
        if level == "lsoa" and name == "population_by_sex_and_age":
            continue  # a file of its own, see below
        table = read.table(path, member=name)
        assert len(table.counts) == listed.areas[name], name
        if (
            not noted(table).keys() & {"nested-subtotal", "not-counts"}
            and table.total is None
            and " | " not in listed.dimensions[name]
        ):
            assert float(table.counts.to_numpy().sum()) == pytest.approx(listed.sum_of_values[name]), name
        if name in codebook_file("tables_long")["same_as"] and name != "population_density":
            assert table.universe is not None, name
            assert all(c.atoms for c in table.variables[0].categories), name


def test_economic_activity_which_the_national_set_lacks(data_folder):
    table = read.table(data_folder / "census2021-trafford" / "lsoa.parquet", member="economic_activity_status")
    survey = read.census_microdata(data_folder / "census2011-microdata-teaching-ew" / "teaching_file_2011_subset_59147.parquet")
    common = common_categories([survey.variables["economic_activity"], *table.variables])
    assert len(common) == 9, "all nine of the teaching file"
    assert table.counts.shape == (139, 19)


def test_a_download_that_was_cut_upstream_holds_whole_zones_only(data_folder):
    table = read.table(data_folder / "census2021-trafford" / "lsoa_sex_by_single_year_age_91_of_139.parquet")
    assert table.counts.shape == (91, 182)
    assert not table.counts.isna().to_numpy().any()


@pytest.mark.parametrize(
    ("file", "zones", "total"),
    [
        ("census2021-msoa-ew/ethnicity_msoa21.parquet", 7_264, 59_597_690),
        ("census2021-msoa-ew/sexual_orientation_msoa21.parquet", 7_264, 48_566_430),
        ("census2021-ltla-ew/households21_ltla21.parquet", 331, 24_783_500),
        ("census2021-oa-ew/accommodation_type_households.parquet", 188_880, 24_782_785),
        ("census2021-ltla-ew/ethnicity_detailed_ltla21.parquet", 331, 59_597_578),
        ("format-samples/open_innovations_TS058-2021-3.csv", 573, 27_773_672),
    ],
)  # fmt: skip
def test_other_peoples_copies_of_2021_tables(data_folder, file, zones, total):
    table = read.table(data_folder / file)
    assert (len(table.counts), int(table.counts.to_numpy().sum()), table.year) == (zones, total, 2021)
    assert table.universe is not None


def test_a_first_release_sheet_with_notes_in_its_headers(data_folder):
    table = read.table(data_folder / "format-samples" / "ons_first_release_2021_population_and_household_estimates.csv")
    assert table.counts.columns.get_level_values("age")[-1] == "90+"
    assert table.total["E92000001"] == 56_489_800
    assert "mixed-levels" in noted(table)


def test_the_2011_teaching_file(data_folder):
    path = data_folder / "census2011-microdata-teaching-ew" / "teaching_file_2011_subset_59147.parquet"
    survey = read.census_microdata(path)
    assert (len(survey.records), survey.year, survey.licence) == (59_147, 2011, "open")
    assert len(read.census_microdata(path, sample="random10k").records) == 10_000
    codebook = pd.read_csv(path.parent / "codebook.csv", dtype=str)
    for column, rows in codebook.groupby("variable"):
        of = [v for v in survey.variables.values() if v.column == column]
        assert of, f"{column} is in no variable"
        assert {c.code for c in of[0].categories} == set(rows["code"]), column
        assert set(survey.records[column].astype(str)) <= set(rows["code"]), column


def test_the_2021_teaching_codebook_is_covered(data_folder):
    codebook = pd.read_csv(data_folder / "census2021-microdata-teaching-ew-codebook" / "codebook.csv", dtype=str)
    book = {e["column"]: e["codes"] for n, e in codebook_file("teaching_2021").items() if n != "file"}
    left_out = {"iol22cd"}  # inner and outer London: no table has it
    assert set(codebook["variable"]) - left_out == set(book)
    for column, rows in codebook.groupby("variable"):
        if column not in left_out:
            assert set(book[column]) == set(rows["code"]), column


@pytest.mark.parametrize(
    ("lookup", "zone", "outline", "zones", "parents"),
    [
        ("census2011-lsoa-ew/ethnicity14_oa11_with_lookup", "LSOA", "lsoa11", 34_753, ("msoa", "lad", "region")),

        (
            "lookups/oa21_lsoa21_msoa21_lad_region_uk", "lsoa_code", "lsoa21", 43_064,
            ("msoa", "lad", "constituency", "region", "country"),
        ),
        ("lookups/lsoa11_lsoa21_ltla22", "lsoa21_code", "lsoa21", 35_672, ("ltla",)),
        ("lookups/lsoa21_ward24_ltla24", None, "lsoa21", 35_672, ("ward", "ltla")),
        ("lookups/dz11_iz11_ltla20", None, "dz11", 6_976, ("iz", "ltla")),
        (None, None, "ltla24", 361, ()),
    ],
)  # fmt: skip
def test_lookups_and_boundaries_of_the_whole_country(data_folder, lookup, zone, outline, zones, parents):
    lookup = None if lookup is None else data_folder / f"{lookup}.parquet"
    geography = read.geography(lookup, zone=zone, boundaries=data_folder / "boundaries" / f"{outline}.geo.parquet")
    assert (len(geography.codes), geography.parents) == (zones, parents)
    lacking = noted(geography).get("missing-boundary")
    assert (lacking.count if lacking else 0) == (7_392 if zones == 43_064 else 0), (
        "Scotland's data zones are not in the E&W boundaries"
    )


def test_places_of_the_studies(data_folder):
    places = read.geography(data_folder / "census2011-lsoa-ew" / "ethnicity14_oa11_with_lookup.parquet", zone="LSOA").zones
    assert (places["lad"] == "Leeds").sum() == 482
    assert (places["region"] == "Yorkshire and The Humber").sum() == 3_317


def test_files_that_are_no_tables_are_refused(data_folder):
    paths = [*sorted((data_folder / "lookups").glob("*.parquet")), *sorted((data_folder / "imd").glob("*.parquet"))]
    assert len(paths) > 10
    for path in paths:
        with pytest.raises(InputError):
            read.table(path)
