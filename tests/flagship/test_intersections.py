"""Adult and Leeds by the scan: what is known to be wrong is found without being told where to look."""

import pandas as pd
import pytest

from synthpop_gb import read
from synthpop_gb.synthesis import bootstrap, independent_columns, lose_rare, swap_within_couples
from synthpop_gb.validation.intersections import scan, scan_zones, survey_codes


@pytest.fixture(scope="module")
def adult(data_folder):
    return pd.read_parquet(data_folder / "classic" / "adult" / "adult.parquet").drop(columns="split")


def scanned(real, made):
    return scan(*read.pair(real, made, cloned=False).coded())


@pytest.mark.data
def test_adult_has_the_counts_that_are_known(adult):
    assert len(adult) == 48_842
    assert pd.crosstab(adult["relationship"], adult["sex"]).loc[["Husband", "Wife"]].to_numpy().tolist() == [
        [1, 19715],
        [2328, 3],
    ]
    assert (adult["native_country"] == "Holand-Netherlands").sum() == 1


@pytest.mark.data
def test_a_bootstrap_of_adult_passes(adult):
    checks = scanned(adult, bootstrap(adult, seed=7))
    assert checks.headline["passes"] is True
    assert checks.headline["groups beyond chance"] == 0
    assert checks.headline["combinations scanned"] == 15 + 105 + 455


@pytest.mark.data
def test_independent_columns_are_found_out(adult):
    checks = scanned(adult, independent_columns(adult, seed=7))
    first = checks["scan_cells"].head(3).set_index("cell")
    assert checks.headline["passes"] is False
    assert first.loc["relationship = Husband and sex = Female", "expected"] == 1
    assert first.loc["relationship = Husband and sex = Female", "observed"] > 6000
    assert first.loc["marital_status = Never-married and relationship = Husband", "expected"] == 0
    assert first.loc["marital_status = Never-married and relationship = Husband", "kind"] == "invented"
    assert checks["scan_tables"].query("k == 1")["passes"].all()


@pytest.mark.data
def test_a_hundred_swapped_couples_are_the_first_finding(adult):
    made = swap_within_couples(adult, "relationship", "sex", share=0.05, seed=7)
    checks = scanned(adult, made)
    row = checks["scan_cells"].iloc[0]
    there = ((made["relationship"] == "Husband") & (made["sex"] == "Female")).sum()
    assert (row["cell"], row["expected"], row["observed"]) == ("relationship = Husband and sex = Female", 1, there)
    assert row["follow"] > 10
    assert checks.headline["passes"] is False
    assert "relationship = Husband and sex = Female" in checks.findings[0].message


@pytest.mark.data
def test_lost_countries_are_the_first_finding(adult):
    checks = scanned(adult, lose_rare(adult, 30, seed=7))
    lost = checks["scan_cells"].query("kind == 'missing' and combination == 'native_country'")
    assert len(lost) == 9
    assert "native_country = Holand-Netherlands" in lost["cell"].tolist()
    assert checks.findings[0].code == "lost-group"
    assert checks.headline["passes"] is False


@pytest.mark.data
def test_two_populations_of_leeds_with_no_error_are_told_apart(data_folder, monkeypatch, pytestconfig):
    import warnings

    import synthpop_gb as sp

    monkeypatch.setenv("SYNTHPOP_GB_DATA", str(data_folder))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        aligned, _ = sp.pipeline.align(sp.load_study(pytestconfig.rootpath / "inputs" / "leeds-2011.toml"))
        problem = sp.formulate(aligned)
        made = [sp.solve(problem, seed=1), sp.solve(problem, method="anneal", options={"preset": "fmf"}, seed=1)]
    records = survey_codes(aligned, ["sex", "age", "health", "ethnic_group", "religion", "country_of_birth"])
    every = [("age", "sex", "health", "ethnic_group")]
    ours, framework = (
        scan_zones(p.blocks(), records, aligned.zones, fit=made[0], tables=aligned.held_out, also=every) for p in made
    )
    assert [p.status["remainder"].sum() for p in made] == [0, 0]
    assert (ours.headline["passes"], framework.headline["passes"]) == (True, False)
    at = ("the fractional fit, by zone", "sex x age x health x ethnic_group")
    four = [c["scan_tables"].set_index(["reference", "combination"]).loc[at] for c in (ours, framework)]
    assert four[0]["tvd"] < 0.7 * four[0]["tvd_floor"] < four[1]["tvd"]
    held = ours["scan_tables"].set_index("reference").loc["published age x sex, by zone"]
    assert 100 * held["tvd"] == pytest.approx(2.05, abs=0.03)
    assert set(ours["scan_zones"]["reference"]) == {"the fractional fit", "published age x sex"}
    assert len(ours["scan_zones"]) == 2 * 482
