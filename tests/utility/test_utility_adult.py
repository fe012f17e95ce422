"""Adult, boys, Titanic and heart failure: real records against syntheses that are known to be right and wrong."""

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.validation.utility import tables, utility
from tests.pairs import make_pair, shuffled

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def adult(data_folder):
    return pd.read_parquet(data_folder / "classic" / "adult" / "adult.parquet").drop(columns="split")


def test_sexes_swapped_within_couples_are_the_worst_table_and_a_bootstrap_passes(adult):
    rng = np.random.default_rng(1)
    swapped = adult.assign(sex=adult["sex"].astype(object))
    turned = adult["relationship"].isin(["Husband", "Wife"]).to_numpy() & (rng.random(len(adult)) < 0.02)
    swapped.loc[turned, "sex"] = np.where(swapped.loc[turned, "sex"] == "Male", "Female", "Male")
    bad = tables(make_pair(adult, swapped))
    worst = bad["utility_tables"].query("k == 2").iloc[0]
    assert {worst["a"], worst["b"]} == {"relationship", "sex"}
    assert worst["verdict"] == "poor"
    assert "relationship x sex" in bad.findings[0].message
    good = tables(make_pair(adult, adult.iloc[rng.integers(0, len(adult), len(adult))]), order=3)
    assert not good.findings
    assert good["utility_tables"]["s_pmse"].mean() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("file", "columns", "target"),
    [
        ("mice/boys.csv", None, "tv"),
        ("titanic3/titanic3.csv", ["pclass", "sex", "age", "fare", "survived"], "survived"),
        ("heart-failure/heart_failure_clinical_records.csv", None, "DEATH_EVENT"),
    ],
)
def test_small_real_data_go_through_with_gaps_and_lose_skill_with_their_links(data_folder, file, columns, target):
    real = pd.read_csv(data_folder / "classic" / file)[lambda d: columns or list(d.columns)]
    if target != "tv":
        real[target] = real[target].map({0: "no", 1: "yes"})
    rng = np.random.default_rng(2)
    good = utility(make_pair(real, real.iloc[rng.integers(0, len(real), len(real))], target=target), permutations=5)
    bad = utility(make_pair(real, shuffled(real), target=target), permutations=5)
    assert good["utility_tables"]["s_pmse"].median() < 1.6 < bad["utility_tables"].query("k == 2")["s_pmse"].max()
    kept = [c["prediction"].set_index("trained_on").loc["synthetic", "kept"] for c in (good, bad)]
    assert kept[0] > 0.8 > kept[1]
