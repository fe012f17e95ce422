"""Regions and local authorities of zones: by code or exact name, from any year's lookup; never a likeness, never a default."""

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.errors import InputError
from synthpop_gb.geography import Geography
from synthpop_gb.policy.policyengine._draws import DRAWS, draws_of
from synthpop_gb.policy.policyengine._places import classes_of, constituencies_of, zone_places
from synthpop_gb.policy.policyengine._reform import as_reform

AUTHORITIES = {
    "Leeds": "LEEDS", "Bristol, City of": "BRISTOL_CITY_OF", "Camden": "CAMDEN", "Glasgow City": "GLASGOW_CITY",
    "Cardiff": "CARDIFF", "Buckinghamshire": "BUCKINGHAMSHIRE", "St. Helens": "ST_HELENS",
    "King's Lynn and West Norfolk": "KINGS_LYNN_AND_WEST_NORFOLK", "York": "YORK",
}  # fmt: skip


def geography(**columns):
    n = len(next(iter(columns.values())))
    codes = columns.pop("zone", [f"E0100000{i}" for i in range(n)])
    return Geography(pd.DataFrame(columns, index=pd.Index(codes, name="zone")))


def found(geography, table=None):
    places, findings = zone_places(geography, AUTHORITIES, table)
    return places, [(f.code, f.level, f.place, f.count) for f in findings], [f.message for f in findings]


def test_names_in_their_spellings_and_codes_of_regions():
    names = ["Leeds", "bristol, city of", "St Helens", "Kings Lynn & West Norfolk"]
    places, problems, _ = found(
        geography(lad_name=names, region=["E12000003", "South West", "North West", "East of England"], lad=list("abcd"))
    )
    assert problems == []
    assert places["local_authority"].tolist() == ["LEEDS", "BRISTOL_CITY_OF", "ST_HELENS", "KINGS_LYNN_AND_WEST_NORFOLK"]
    assert places["region"].tolist() == ["YORKSHIRE", "SOUTH_WEST", "NORTH_WEST", "EAST_OF_ENGLAND"]


def test_nations_are_told_by_codes():
    places, problems, _ = found(
        geography(zone=["S01006506", "W01000001"], council_name=["Glasgow", None], lad_name=["", "Cardiff"])
    )
    assert problems == []
    assert places.to_numpy().tolist() == [["SCOTLAND", "GLASGOW_CITY"], ["WALES", "CARDIFF"]]
    places, problems, _ = found(geography(lad=["E09000007"], lad_name=["Camden"]))
    assert problems == []
    assert places.to_numpy().tolist() == [["LONDON", "CAMDEN"]]


def test_merged_authorities_are_where_they_went_and_it_is_said():
    places, problems, said = found(geography(lad_name=["Wycombe", "Aylesbury Vale"], region=["E12000008"] * 2))
    assert places["local_authority"].tolist() == ["BUCKINGHAMSHIRE"] * 2
    assert problems == [("engine-place", "note", "local_authority", 2)]
    assert "Wycombe is part of Buckinghamshire" in said[0]


def test_likeness_is_no_ground():
    places, problems, said = found(geography(lad_name=["Leeds", "Leed", "Atlantis"], region=["E12000003"] * 3))
    assert places["local_authority"].tolist() == ["LEEDS", "", ""]
    assert problems == [("engine-place", "error", "local_authority", 2)]
    assert "'Leed'" in said[0]
    assert "Is it 'Leeds'?" in said[0]
    _, problems, said = found(geography(lad_name=["Leeds"], rgn=["Yorkshire und Humber"]))
    assert problems == [("engine-place", "error", "region", 1)]
    assert "Is it 'Yorkshire and Humber'?" in said[0]
    _, problems, _ = found(geography(msoa=["x", "y"]))
    assert problems == [("engine-place", "error", p, 2) for p in ("region", "local_authority")]


def test_a_table_goes_first_by_zone_or_level():
    zones = geography(district=["D1", "D2", "D2"], region=["E12000003"] * 3)
    table = pd.DataFrame(
        {"region": ["London", "Wales"], "local_authority": ["Camden", "Cardiff"]}, index=pd.Index(["D1", "D2"], name="district")
    )
    zones = Geography(zones.zones.set_axis(["z1", "z2", "z3"]).rename_axis("zone"))
    places, problems, _ = found(zones, table)
    assert problems == []
    assert places["region"].tolist() == ["LONDON", "WALES", "WALES"]
    classes = classes_of(places)
    assert len(classes) == 2
    assert classes.of_zone.tolist() == [0, 1, 1]
    by_zone = pd.DataFrame({"local_authority": ["York"], "constituency": ["York Central"]}, index=["z1"])
    _, problems, _ = found(zones, by_zone)
    assert problems[0][2:] == ("local_authority", 2)
    assert constituencies_of(zones, by_zone) is None
    assert constituencies_of(zones, by_zone.reindex(["z1", "z2", "z3"]).fillna("x")).tolist() == ["York Central", "x", "x"]


@pytest.mark.parametrize(
    ("zone", "region", "authority"),
    [("E01000001", "London", "Leeds"), ("E01000001", "E12000003", "Camden"), ("S01000001", "E12000003", "Leeds")],
)
def test_places_that_exclude_each_other_are_refused(zone, region, authority):
    _, problems, said = found(geography(zone=[zone], region=[region], lad_name=[authority]))
    assert problems == [("engine-place", "error", "region", 1)]
    assert "exclude each other" in said[0]


@pytest.mark.data
def test_every_authority_of_britain_of_nine_years_is_known(data_folder):
    pytest.importorskip("policyengine_uk", reason="the extra `policy` is not installed: no names of PolicyEngine UK")
    from synthpop_gb.policy.policyengine._engine import engine

    changes = pd.read_parquet(data_folder / "lookups" / "ltla_ltla.parquet")
    regions = pd.read_parquet(data_folder / "lookups" / "ltla21_region21.parquet").set_index("ltla21_code")["region21_code"]
    for year in range(16, 25):
        names = changes[[f"ltla{year}_code", f"ltla{year}_name"]].drop_duplicates()
        frame = pd.DataFrame({"lad_name": names.iloc[:, 1].to_numpy()}, index=pd.Index(names.iloc[:, 0], name="zone"))
        places, _ = zone_places(Geography(frame), engine().local_authorities)
        assert (places["local_authority"] != "").all(), year
    one = changes.drop_duplicates("ltla21_code")
    frame = pd.DataFrame({"lad_name": one["ltla21_name"].to_numpy()}, index=pd.Index(one["ltla21_code"], name="zone"))
    frame["region"] = regions.reindex(frame.index)
    frame = frame[frame["region"].notna()]
    places, findings = zone_places(Geography(frame), engine().local_authorities)
    assert findings == []
    assert (places["region"] == "LONDON").sum() == 33


def test_draws_are_the_donors_own():
    donors, units = pd.Index([7, 8, 9]), pd.Series([0, 0, 1])
    home = pd.Series(["h", "h", "h"])
    drawn = draws_of(donors, units, home, seed=5)
    assert drawn.columns.tolist() == list(DRAWS)
    alone = draws_of(donors[2:], units[2:], home[2:], seed=5)
    assert drawn.iloc[2:].equals(alone)
    assert not draws_of(donors, units, home, seed=6).equals(drawn)
    assert len(set(drawn["warm_home_discount_random_draw"])) == 1
    assert drawn["uc_deduction_random_draw"].tolist()[0] == drawn["uc_deduction_random_draw"].tolist()[1]
    assert drawn["uc_deduction_random_draw"].nunique() == 2
    assert drawn["months_since_last_birthday"].nunique() == 3
    many = draws_of(pd.RangeIndex(4000), pd.Series([0] * 4000), pd.Series(range(4000)), seed=1)
    assert many["months_since_last_birthday"].between(0, 12, inclusive="left").all()
    assert many["months_since_last_birthday"].mean() == pytest.approx(6, abs=0.2)
    rest = many.drop(columns="months_since_last_birthday")
    assert (rest.astype("float32") < 1).all(axis=None)
    assert rest.mean().to_list() == pytest.approx([0.5] * 4, abs=0.02)
    between = rest.corr().to_numpy()
    assert np.abs(between - np.eye(4)).max() < 0.06


def test_reforms_as_files_and_as_policyengine_write_them():
    known = {"gov.a.rate", "gov.a.bands[0].rate", "gov.b"}
    nested = {"gov": {"a": {"rate": 0.2, "bands[0]": {"rate": {"2025-04-06.2026-04-05": 0.1}}}, "b": True}}
    assert as_reform(nested, known, 2025) == {
        "gov.a.rate": {"2025": 0.2}, "gov.a.bands[0].rate": {"2025-04-06.2026-04-05": 0.1}, "gov.b": {"2025": True},
    }  # fmt: skip
    assert as_reform(None, known, 2025) == as_reform({}, known, 2025) == {}
    with pytest.raises(InputError, match="which is no period"):
        as_reform({"gov.b": {"2025-4": 1}}, known, 2025)
