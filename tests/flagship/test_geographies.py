"""Studies of other geographies on the published files: joined, harmonised at three levels and counted elsewhere, by hand."""

import re

import numpy as np
import pandas as pd
import pytest

import synthpop_gb as sp
from synthpop_gb.rezoning import rezone, rezone_table
from synthpop_gb.spec import load_study

pytestmark = pytest.mark.data


@pytest.fixture(scope="session")
def stand_in(pytestconfig):
    """The made-up survey where the studies of inputs/ look for it; results do not depend on what lay there."""
    path = pytestconfig.rootpath / "outputs" / "stand-in-survey.csv"
    path.parent.mkdir(exist_ok=True)
    sp.datasets.stand_in_survey(40_000).to_csv(path, index=False)
    return path


def english_ages(data_folder):
    table = pd.read_parquet(data_folder / "census2021-lsoa-ew" / "ts007a.parquet").set_index("geography code")
    return table.drop(columns="Age: Total")


def scottish_ages(data_folder):
    table = pd.read_parquet(data_folder / "census2022-scotland-dz11" / "age20_by_sex_UV102b.parquet")
    table = table[table["age_group"] != "All people"]
    table = table.assign(people=table["female"] + table["male"])
    return table.pivot_table(index="dz11_code", columns="age_group", values="people", aggfunc="sum")


def test_the_border_is_crossed_and_every_zone_is_exact(run_study, data_folder, stand_in):
    run = run_study("border-2022")
    zones = run.aligned.zones
    english, scottish = zones[zones.str.startswith("E")], zones[zones.str.startswith("S")]
    assert (len(english), len(scottish)) == (200, 143)
    assert (run.population.status["whole"] == "EXACT").all()
    age = run.aligned.constraints[0]
    labels = [c.label for c in age.categories[0]]
    assert labels[:4] == ["0-4", "5-9", "10-14", "15-19"]
    ours, theirs = english_ages(data_folder).loc[english], scottish_ages(data_folder).loc[scottish]
    assert (age.published.loc[english].to_numpy() == ours.to_numpy()).all()
    young = theirs[["0 - 4", "5 - 9", "10 - 14"]].assign(more=theirs["15"] + theirs["16 - 17"] + theirs["18 - 19"])
    assert (age.published.loc[scottish].to_numpy()[:, :4] == young.to_numpy()).all()
    errors = age.errors[:, labels.index("15-19")]
    assert np.allclose(errors[zones.get_indexer(english)], 0.5)
    assert np.allclose(errors[zones.get_indexer(scottish)], 1.1 * np.sqrt(6))  # three bands, two sexes
    levels = run.aligned.geography
    assert levels.covering == ("ltla",)
    assert levels.zones.loc[scottish, "ward"].isna().all()
    assert len(levels.boundaries()) == 343


def test_trafford_is_harmonised_at_three_levels(data_folder, pytestconfig, stand_in):
    study = load_study(pytestconfig.rootpath / "inputs" / "trafford-2021.toml")
    aligned, findings, _ = sp.pipeline.examine_study(study)
    assert not [f for f in findings if f.level == "error"]
    assert len(aligned.zones) == 738
    assert [(v.name, len(v.areas)) for v in aligned.levels] == [("lsoa", 139), ("msoa", 28)]
    units = {t.name: t.universe.unit for t in aligned.constraints}
    assert sorted(units.values()) == ["household"] * 4 + ["person"] * 4
    people = pd.read_parquet(data_folder / "census2021-trafford" / "msoa.parquet")
    people = people[people["table"] == "population_by_sex_and_age"]
    joint = next(t for v in aligned.levels for t in v.constraints if t.name == "age x sex")
    ages = people["category"].str.extract(r"Aged (\d+) year", expand=False)
    girls = people[(ages.astype(float) < 5) & people["category"].str.contains("Female")]
    under_one = people[people["category"].str.contains("under 1 year") & people["category"].str.contains("Female")]
    by_hand = pd.concat([girls, under_one]).groupby("area_code")["value"].sum()
    ours = joint.published.loc[:, (["0-4"], ["female"])].sum(axis=1)
    assert (ours == by_hand.reindex(ours.index)).all()
    for level in aligned.levels:  # what zones of an area add up to is what its own tables add up to
        for unit in ("household", "person"):
            zone_total = next(t.targets.sum(axis=1) for t in aligned.constraints if t.universe.unit == unit)
            sums = np.bincount(level.of_zone, zone_total.to_numpy(), len(level.areas))
            for t in level.constraints:
                if t.universe.unit == unit and not t.universe.members:
                    assert (t.targets.sum(axis=1).to_numpy() == sums).all()


def test_leeds_counted_in_wards_and_divided_between_constituencies(run_study, data_folder):
    population = run_study("leeds-2021").population
    size = population.status["people"]
    wards = pd.read_parquet(data_folder / "lookups" / "lsoa21_ward24_ltla24.parquet").set_index("lsoa21_code")["ward24_code"]
    found = rezone(
        population, sp.read.lookup(data_folder / "lookups" / "lsoa21_ward24_ltla24.parquet", zone="lsoa21_code", to="ward24_code")
    )
    by_hand = size.groupby(wards.reindex(size.index)).sum()
    assert dict(zip(found.zones, found.counts.people, strict=True)) == by_hand.to_dict()
    assert found.findings == ()
    areas = pd.read_parquet(data_folder / "lookups" / "oa21_lsoa21_msoa21_lad_region_uk.parquet")
    areas = areas[areas["lsoa_code"].isin(size.index)]
    share = areas.groupby(["lsoa_code", "constituency_code"])["population"].sum()
    share = share / share.groupby(level=0).transform("sum")
    expected = (share * size.reindex(share.index.get_level_values(0)).to_numpy()).groupby(level=1).sum()
    path = data_folder / "lookups" / "oa21_lsoa21_msoa21_lad_region_uk.parquet"
    lookup = sp.read.lookup(path, zone="lsoa_code", to="constituency_code", weight="population")
    divided = rezone(population, lookup)
    assert divided.people == population.people
    got = pd.Series(divided.counts.people, divided.zones)
    split = int((share.groupby(level=0).size() > 1).sum())
    assert split > 0
    assert (got - expected).abs().max() < 2 * np.sqrt(split) + 1


def test_tables_of_2011_serve_zones_of_2021_that_were_not_divided(data_folder):
    table = sp.read.table(data_folder / "census2011-lsoa-ew" / "general_health5.parquet")
    changes = pd.read_parquet(data_folder / "lookups" / "lsoa11_lsoa21_ltla22.parquet")
    lookup = sp.read.lookup(data_folder / "lookups" / "lsoa11_lsoa21_ltla22.parquet", zone="lsoa11_code", to="lsoa21_code")
    new = rezone_table(table, lookup)
    unchanged = changes[changes["change_code"] == "U"]
    assert (new.counts.loc[unchanged["lsoa21_code"]].to_numpy() == table.counts.loc[unchanged["lsoa11_code"]].to_numpy()).all()
    merged = changes[changes["change_code"] == "M"]
    by_hand = table.counts.loc[merged["lsoa11_code"]].groupby(merged["lsoa21_code"].to_numpy()).sum()
    assert (new.counts.loc[by_hand.index].to_numpy() == by_hand.to_numpy()).all()
    assert set(new.counts.index) == set(unchanged["lsoa21_code"]) | set(merged["lsoa21_code"])
    (said,) = [f for f in new.findings if f.code == "ambiguous-zone"]
    divided = changes[changes["lsoa11_code"].duplicated(keep=False)]
    assert said.count == divided["lsoa11_code"].nunique()
    assert re.search(r"864 zones lie in several areas", said.message)
