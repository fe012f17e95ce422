"""Published figures for Leeds 2011: the held-out joint age x sex, as validation reports it, from the real tables."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.aligned import Aligned
from synthpop_gb.geography import Geography
from synthpop_gb.microdata import Microdata
from synthpop_gb.validation import validate
from tests.stages.small_world import EVERYBODY, aligned_table, donor_counts, formulate, rake, variable

AGE = variable("age", ["0-15", "16-44", "45-64", "65-74", "75+"])
BANDS = [["0_02", "03_04", "05_09", "10_15"], ["16_19", "20_44"], ["45_64"], ["65_74"], ["75_pl"]]
SEX = variable("sex", ["male", "female"])
HEALTH = variable("health", ["verygood", "good", "fair", "bad", "verybad"])
ETHNIC = variable("ethnic_group", ["white", "mixed", "asian", "black", "other"])


def leeds(folder):
    """Age, sex, health and ethnic group to fit, age x sex held out; the survey has Chinese with Other, the tables under Asian."""
    survey = pd.read_parquet(folder / "census2011-microdata-teaching-ew" / "teaching_file_2011_subset_59147.parquet")
    survey = survey[(survey["Population Base"] == 1) & (survey["Health"] > 0) & (survey["Ethnic Group"] > 0)].reset_index(
        drop=True
    )
    age = np.array([0, 0, 1, 1, 1, 2, 2, 3, 4])[survey["Age"]]
    sex, health, ethnic = (survey[c].to_numpy() - 1 for c in ("Sex", "Health", "Ethnic Group"))
    tables = folder / "census2011-lsoa-ew"
    areas = pd.read_parquet(tables / "ethnicity14_oa11_with_lookup.parquet").groupby("LSOA", observed=True)
    district = areas["LAD"].first().astype(str)
    zones = pd.Index(district.index[district == "Leeds"].astype(str), name="zone")
    by_age, groups, state = (
        pd.read_parquet(tables / f"{name}.parquet").set_index("zone_id").loc[zones]
        for name in ("age9_by_sex", "ethnicity5", "general_health5")
    )
    chinese = areas["Chinese"].sum().loc[zones].to_numpy()
    joint = np.stack([by_age[[f"{s}a{b}" for b in band]].sum(axis=1) for band in BANDS for s in "MF"], axis=1)
    five = np.stack(
        [groups["white"], groups["mixed"], groups["asian"] - chinese, groups["black"], groups["other"] + chinese], axis=1
    )
    cube = joint.reshape(len(zones), 5, 2)
    constraints = [
        ([AGE], cube.sum(2), age), ([SEX], cube.sum(1), sex), ([HEALTH], state[[c.label for c in HEALTH.categories]], health),
        ([ETHNIC], five, ethnic),
    ]  # fmt: skip
    made = [aligned_table(v, pd.DataFrame(np.asarray(counts), zones), cell) for v, counts, cell in constraints]
    held_out = aligned_table([AGE, SEX], pd.DataFrame(joint, zones), age * 2 + sex)
    ids = pd.RangeIndex(len(survey), name="id")
    return Aligned(
        Microdata("teaching-2011", pd.DataFrame(index=ids), {}, EVERYBODY), ids, np.ones(len(ids)), tuple(made), (held_out,),
        Geography(pd.DataFrame(index=zones)), pd.DataFrame(), pd.Series(0.0, zones),
    )  # fmt: skip


@pytest.mark.data
def test_held_out_age_by_sex_in_leeds(data_folder):
    aligned = leeds(data_folder)
    problem = formulate(aligned)
    weights = rake(problem, cycles=40)
    assert len(aligned.zones) == 482
    status = pd.DataFrame({"fit": "CONVERGED", "cycles": 40, "residual": 0.0, "worst_cell": ""}, index=aligned.zones)
    status = status.assign(whole="REMAINDER", remainder=0.0, people=weights.sum(axis=1))
    whole = []
    for z, zone in enumerate(aligned.zones):  # as whole people: rounded down, then the largest remainders
        n = np.floor(weights[z]).astype(int)
        n[np.argsort(n - weights[z], kind="stable")[: round(weights[z].sum()) - n.sum()]] += 1
        whole.append((zone, problem.donor[problem.donor_start[:-1]][n > 0], n[n > 0]))
    stand_in = SimpleNamespace(
        problem=problem, zones=problem.zones, status=status, duals=weights, fitted=lambda where: weights[where], settled=None
    )  # fmt: skip
    checks = validate(stand_in, aligned, counts=[donor_counts(whole)])
    row = checks["held_out"].iloc[0]
    assert row["people"] == checks.headline["people"] == 751_485
    assert row["zone_mean_fit"] == pytest.approx(2.07, abs=0.005)
    assert row["zone_mean_independence"] == pytest.approx(2.57, abs=0.005)
    assert row["wrong_fit"] < row["wrong_whole"] < row["wrong_fit"] + row["rounding"]
    assert row["floor"] < row["wrong_fit"] < row["wrong_independence"] < row["wrong_survey"]
    assert checks["intersections"].query("pair == 'age x sex'")["reference"].item() == "held out"
    assert checks["intersections"].query("reference == 'fit'")["wrong_fit"].eq(0).all()
