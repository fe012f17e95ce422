"""Error against a known truth equals the long way, and is nought where the people are the true ones."""

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.validation import compare_with_truth, true_error
from tests.stages.small_world import cut, donor_counts, exact_counts, population, world

INDICATORS = {
    "renting": lambda f: f["tenure"] == 1,
    "idle": lambda f: f["work"].astype(float).where(f["work"] >= 0),  # of people who are not young
    "age": "age",
}


@pytest.fixture(scope="module")
def study():
    aligned, people = world(seed=6, empty=(1,))
    counts = exact_counts(people, aligned, np.random.default_rng(0))
    return aligned, people, counts


def test_equals_the_long_way(study):
    aligned, people, counts = study
    stand_in = population(aligned, counts)
    checks = compare_with_truth(stand_in, aligned, people, INDICATORS)
    rows = aligned.frame().iloc[np.repeat(counts.record, counts.n)]
    zone = np.repeat(np.repeat(counts.zones, np.diff(counts.indptr)), counts.n)
    for name, of in INDICATORS.items():
        value = of if callable(of) else lambda f, column=of: f[column]
        estimate = pd.Series(value(rows).to_numpy(float)).groupby(zone).mean()
        truth = pd.Series(value(people).to_numpy(float)).groupby(people["zone"].to_numpy()).mean()
        got = checks["true_error_zones"].query("indicator == @name").set_index("zone")
        assert got.loc[estimate.index, "estimate"].to_numpy() == pytest.approx(estimate.to_numpy())
        assert got.loc[truth.index, "truth"].to_numpy() == pytest.approx(truth.to_numpy())
        row = checks["true_error"].set_index("indicator").loc[name]
        assert row["rmse"] == pytest.approx(np.sqrt(((estimate - truth) ** 2).mean()))
        assert row["mae"] == pytest.approx((estimate - truth).abs().mean())
        assert row["correlation"] == pytest.approx(estimate.corr(truth)) or estimate.std() == 0
        assert row["worst_zone"] == (estimate - truth).abs().idxmax()
        assert row["zones"] == 4
        v = value(aligned.frame()).to_numpy(float)
        known = ~np.isnan(v)
        survey = np.average(v[known], weights=aligned.weight[known])
        assert got["survey"].to_numpy() == pytest.approx(survey)
        assert f"true error of {name}" in checks.headline
    # age and idleness are constrained, so that exact people and the fit have no error there
    assert checks["true_error"].set_index("indicator").loc[["age", "idle"], ["rmse", "rmse_fit"]].to_numpy() == pytest.approx(
        0, abs=1e-6
    )


def test_fractional_means_follow_from_profiles(study):
    aligned, people, counts = study
    stand_in, problem = population(aligned, counts), population(aligned, counts).problem
    got = compare_with_truth(stand_in, aligned, people, {"renting": INDICATORS["renting"]})["true_error_zones"]["fit"]
    renting = (aligned.frame()["tenure"] == 1).to_numpy(float)
    weights, sums = stand_in.fitted(np.arange(5)), np.zeros(5)
    for p in range(problem.n_profiles):
        donors = slice(problem.donor_start[p], problem.donor_start[p + 1])
        sums += weights[:, p] * np.average(renting[problem.donor[donors]], weights=problem.donor_weight[donors])
    people = weights.sum(1)
    live = people > 0
    assert got[live].to_numpy() == pytest.approx(sums[live] / people[live])
    assert got[~live].isna().all()


def test_the_truth_itself_has_no_error_and_noise_is_the_standard_error(study):
    aligned, _, counts = study
    values = pd.DataFrame({"renting": aligned.frame()["tenure"].astype(float)})
    records = values["renting"].to_numpy()
    truth = {}
    for z, first, last in zip(counts.zones, counts.indptr[:-1], counts.indptr[1:], strict=True):
        truth[z] = np.average(records[counts.record[first:last]], weights=counts.n[first:last])
    truth = pd.DataFrame({"renting": pd.Series(truth).reindex(aligned.zones)})
    checks = true_error(cut(counts, [1, 2, 2]), aligned, truth, values)
    row = checks["true_error"].iloc[0]
    assert row["rmse"] == pytest.approx(0, abs=1e-12)
    assert row["bias"] == pytest.approx(0, abs=1e-12)
    assert np.isnan(row["rmse_fit"])
    live = truth["renting"].dropna()
    size = pd.Series(counts.people, counts.zones)
    assert row["floor"] == pytest.approx(np.sqrt((live * (1 - live) / size).mean()))


def test_what_is_missing_is_named(study):
    aligned, _, counts = study
    values = pd.DataFrame({"a": np.ones(len(aligned.records))}, index=aligned.records)
    with pytest.raises(KeyError, match="'b'"):
        true_error([counts], aligned, pd.DataFrame({"b": 0.0}, index=aligned.zones), values)
    with pytest.raises(KeyError):
        true_error([counts], aligned, pd.DataFrame({"a": 0.0}, index=aligned.zones[:2]), values)
    with pytest.raises(KeyError, match="X"):
        true_error([donor_counts([("X", [0], [1])])], aligned, pd.DataFrame({"a": 0.0}, index=aligned.zones), values)
