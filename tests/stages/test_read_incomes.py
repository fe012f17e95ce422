"""Published incomes as files: publishers' layouts, limits to errors, traps; and the same brought to areas of another vintage."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import synthpop_gb as sp
from synthpop_gb.area_incomes import AreaIncomes
from synthpop_gb.errors import InputError
from synthpop_gb.lookup import Lookup
from synthpop_gb.read import area_incomes
from synthpop_gb.rezoning import rezone_incomes


def wrote(folder, text, name="incomes.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def code(path, **more):
    with pytest.raises(InputError) as error:
        area_incomes(path, **more)
    (only,) = error.value.findings
    return only.code


ONS = """measure,msoa_code,msoa_name,income,upper_cl,lower_cl,ci
total_annual_income,E02000001,A,"41,400",49100,34900,14200
net_income_before_housing_costs,E02000001,A,30000,33300,27027,6273
net_income_before_housing_costs,E02000002,B,20000,22200,18018,4182
"""


def test_ons_estimates_of_one_measure(tmp_path):
    path = wrote(tmp_path, ONS)
    found = area_incomes(path, measure="net_income_before_housing_costs")
    assert (found.measure, found.of, found.equivalised, found.year) == ("mean", "household", True, 2019)
    assert found.period == "financial year ending March 2020"
    assert found.values["value"].to_dict() == {"E02000001": 30000.0, "E02000002": 20000.0}
    # limits 1.11 and 1 / 1.11 times the value, on the scale of logarithms ln 1.11 / 1.96 either way
    assert found.relative_errors == pytest.approx(np.log(33300 / 27027) / 2 / 1.959964, rel=1e-5)
    assert code(path) == "study-value"
    assert code(path, measure="net_income_before_housing_cost") == "study-value"
    total = area_incomes(path, measure="total_annual_income")
    assert (total.equivalised, total.name, len(total.values)) == (False, "total_annual_income", 1)


def test_hmrc_means_and_medians_are_of_taxpayers_and_have_no_errors(tmp_path):
    path = wrote(
        tmp_path,
        "code,name,employment_income_count,employment_income_mean,employment_income_median\nE08000035,Leeds,296000,33300,26700\n",
    )
    found = area_incomes(path, measure="employment_income_median")
    assert (found.measure, found.of, found.values.loc["E08000035", "value"]) == ("median", "person", 26700)
    assert "taxpayers" in found.what
    assert np.isnan(found.relative_errors).all()
    assert found.year is None
    sure = area_incomes(path, measure="employment_income_mean", relative_error=0.02, year=2022)
    assert sure.values.loc["E08000035", "standard_error"] == pytest.approx(666)
    assert sure.year == 2022


BANDS = """code,name,employment_income_lower_bound,employment_income_upper_bound,employment_income_count,employment_income_amount
E08000035,Leeds,0,20000,100,1000000
E08000035,Leeds,20000,inf,300,15000000
"""


def test_bands_give_a_mean_or_a_share_and_are_compared_with_hmrcs(tmp_path):
    path = wrote(tmp_path, BANDS)
    mean = area_incomes(path)
    assert mean.values.loc["E08000035", "value"] == 40_000
    assert not mean.findings
    share = area_incomes(path, above=20_000, standard_error=0.01)
    assert (share.measure, share.above, share.unit) == ("share", 20_000, "share")
    assert share.values.loc["E08000035"].tolist() == [0.75, 0.01]
    assert code(path, above=30_000) == "study-value"
    wrote(tmp_path, "code,employment_income_mean\nE08000035,20000\n", "spi_by_la.csv")
    (said,) = area_incomes(path).findings
    assert said.code == "income-unlike"
    assert "2.00 times" in said.message


def test_any_other_file(tmp_path):
    path = wrote(tmp_path, "zone;net income;se\nZ1;25 000;500\nZ2;;500\n;30000;1\nZ3;-4;500\n")
    found = area_incomes(path, area="zone", value="net income", kind="median", of="person", year=2021, equivalised=False)
    assert found.values.to_dict("index") == {"Z1": {"value": 25_000.0, "standard_error": 500.0}}
    assert [f.code for f in found.findings] == ["rows-without-zone", "not-a-number"]
    assert found.findings[1].count == 2
    assert (found.measure, found.of, found.name) == ("median", "person", "incomes")


def test_what_cannot_be_read_is_said(tmp_path):
    twice = wrote(tmp_path, "area,value\nE02000001,1\nE02000001,2\n")
    assert code(twice) == "duplicate-zone"
    assert code(wrote(tmp_path, "area,value\nE02000001,none\n")) == "no-zones"
    assert code(wrote(tmp_path, "area,first,second\nE02000001,1,2\n")) == "unknown-layout"
    assert code(wrote(tmp_path, "area,value\nE02000001,5\n"), value="values") == "missing-column"
    good = wrote(tmp_path, "area,value\nE02000001,5\n")
    for wrong in ({"kind": "mode"}, {"of": "family"}, {"kind": "share"}, {"above": 3.0}, {"level": 1.5}, {"standard_error": -1.0},
                  {"standard_error": 1.0, "relative_error": 0.1}, {"relative_error": float("nan")}):  # fmt: skip
        assert code(good, **wrong) == "study-value", wrong
    assert code(tmp_path / "no.csv") == "missing-file"


def test_a_publishers_columns_without_codes_are_no_layout(tmp_path):
    assert code(wrote(tmp_path, BANDS.replace("code,", "ref,", 1), "bands.csv")) == "unknown-layout"
    assert code(wrote(tmp_path, "place,total_income_count,total_income_amount\nLeeds,3,9\n", "sums.csv")) == "unknown-layout"


def test_the_noun_refuses_what_is_none():
    def noun(value, error=1.0, **more):
        return AreaIncomes(
            "x", pd.DataFrame({"value": value, "standard_error": error}, index=[f"a{i}" for i in range(len(value))]), **more
        )

    for wrong in (lambda: noun([0.0]), lambda: noun([np.nan]), lambda: noun([1.0], -1.0), lambda: noun([1.0], np.inf),
                  lambda: noun([2.0], measure="share", above=1.0), lambda: noun([0.5], measure="share"),
                  lambda: noun([1.0], measure="mode"), lambda: noun([1.0], of="family"), lambda: noun([1.0]).uprate(0.0),
                  lambda: noun([1.0]).uprate(np.inf), lambda: noun([1.0]).with_errors()):  # fmt: skip
        with pytest.raises(ValueError):
            wrong()
    twice = pd.DataFrame({"value": [1.0, 2.0], "standard_error": 1.0}, index=["a", "a"])
    with pytest.raises(ValueError, match="twice"):
        AreaIncomes("x", twice)
    share = noun([0.5], 0.1, measure="share", above=20_000.0).uprate(1.1)
    assert (share.above, share.values["value"].iloc[0], share.uprated) == (pytest.approx(22_000), 0.5, 1.1)
    assert noun([100.0]).with_errors(relative_error=0.05).values["standard_error"].tolist() == [5.0]


# other vintages


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 9)), min_size=1, max_size=12), st.booleans())
def test_groups_share_nobody_and_keep_the_weighted_mean(pairs, weighted):
    frame = pd.DataFrame(pairs, columns=["zone", "area", "w"]).astype({"zone": str, "area": str})
    lookup = Lookup.of(frame.assign(zone="f" + frame["zone"], area="p" + frame["area"]), weight="w" if weighted else None)
    former = lookup.zones
    value = pd.Series(np.arange(len(former)) * 7.0 + 10, former)
    incomes = AreaIncomes("x", pd.DataFrame({"value": value, "standard_error": 2.0}))
    found = rezone_incomes(incomes, lookup)
    assert set(found.groups) == set(lookup.areas)
    assert set(found.groups.values()) == set(found.areas)
    weight = lookup.pairs.groupby("zone")["weight"].sum() if weighted else pd.Series(1.0, former)
    # everybody once: the mean over groups, by their weight, is that over former areas
    group = lookup.pairs.assign(group=lookup.pairs["area"].map(found.groups)).drop_duplicates("zone").set_index("zone")["group"]
    held = weight.groupby(group.reindex(weight.index)).sum()
    assert (held * found.values["value"].reindex(held.index)).sum() == pytest.approx((weight * value).sum())
    assert (found.values["standard_error"] <= 2.0 + 1e-12).all()
    joined = lookup.pairs.assign(group=lookup.pairs["area"].map(found.groups))
    assert not joined[["zone", "group"]].drop_duplicates()["zone"].duplicated().any()


def test_one_to_one_changes_nothing_and_a_lacking_part_loses_its_group():
    incomes = AreaIncomes("x", pd.DataFrame({"value": [1.0, 2.0, 3.0], "standard_error": 0.1}, index=list("abc")))
    same = rezone_incomes(incomes, Lookup.of({"a": "a", "b": "b", "c": "c"}))
    pd.testing.assert_frame_equal(same.values, incomes.values, check_names=False)
    assert not same.findings
    found = rezone_incomes(incomes, Lookup.of({"a": "X", "b": "X", "c": "Y", "d": "Y", "e": "Z"}))
    assert found.values["value"].to_dict() == {"X": 1.5}
    assert found.values["standard_error"].iloc[0] == pytest.approx(0.1 / np.sqrt(2))
    (said,) = found.findings
    assert said.code == "income-regrouped"
    assert "1 of them lack" in said.message


@pytest.mark.data
def test_the_publishers_own_files(data_folder):
    ons = area_incomes(
        data_folder / "income-small-area-ew-fye2020" / "msoa_income_estimates.parquet", measure="net_income_before_housing_costs"
    )
    assert len(ons.values) == 7_201
    assert 0.04 < np.median(ons.relative_errors) < 0.08
    lookup = sp.read.lookup(data_folder / "lookups" / "msoa11_msoa21_ltla22.parquet", zone="msoa11_code", to="msoa21_code")
    found = rezone_incomes(ons, lookup)
    assert len(found.values) == 7_182
    assert found.findings[-1].code == "income-regrouped"
    folder = data_folder / "income-lad-targets-uk"
    assert area_incomes(folder / "spi_by_la.csv.gz", measure="employment_income_mean").values.loc["E08000035", "value"] == 33_300
    (unlike,) = area_incomes(folder / "employment_income.csv.gz").findings
    assert unlike.code == "income-unlike"
    total = area_incomes(folder / "total_income.csv.gz").values.loc["E08000035", "value"]
    assert total == pytest.approx(35_100, rel=1e-3)
