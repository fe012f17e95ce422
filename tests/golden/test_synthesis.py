"""Published demonstrations on open data: the counts, and which way the results point; figures are in docs/figures.md."""

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.synthesis import draw_within, fit_distributions, fit_joint_normal, sequential

pytestmark = pytest.mark.data
SEEDS = range(5)


@pytest.fixture(scope="module")
def titanic(data_folder):
    frame = pd.read_csv(data_folder / "classic" / "titanic3" / "titanic3.csv").dropna(subset=["age", "fare"])
    return frame.assign(sex=(frame["sex"] == "female").astype(float))[["pclass", "sex", "age", "fare", "survived"]]


@pytest.fixture(scope="module")
def boys(data_folder):
    return pd.read_csv(data_folder / "classic" / "mice" / "boys.csv")


def difference(real, made):
    return np.abs(real.corr("spearman") - made.corr("spearman")).sum().max()


def test_titanic_has_the_published_passengers(titanic):
    assert (len(titanic), titanic["survived"].sum()) == (1045, 427)


def test_level_1_loses_the_correlations_and_level_2_keeps_them(titanic):
    features = titanic.drop(columns="survived")
    learnt = fit_distributions(features)
    first, second = (np.mean([difference(features, learnt.draw(seed=s, correlated=c)) for s in SEEDS]) for c in (False, True))
    assert first == pytest.approx(1.29, abs=0.08)
    assert second < 0.2
    assert learnt.marginals.set_index("variable").loc["fare", "distribution"] == "log-normal"


def test_the_log_normal_misfits_young_ages(titanic):
    learnt = fit_distributions(titanic[["age"]], families=("log-normal",))
    young = (learnt.draw(50_000, seed=1)["age"] < 5).mean()
    assert young < 0.6 * (titanic["age"] < 5).mean()
    tried = fit_distributions(titanic[["age"]]).tried.set_index("distribution")["aic"]
    assert tried["log-normal"] > tried["normal"] + 500


def test_survival_can_be_learnt_from_level_1_only_where_it_was_fitted_by_outcome(titanic):
    from sklearn.ensemble import RandomForestClassifier

    features = list(titanic)[:-1]
    learnt = fit_distributions(titanic)

    def accuracy(made):
        forest = RandomForestClassifier(50, min_samples_leaf=5, random_state=1, n_jobs=1).fit(made[features], made["survived"])
        return forest.score(titanic[features], titanic["survived"])

    dummy = (titanic["survived"] == 0).mean()
    whole = np.mean([accuracy(learnt.draw(seed=s, correlated=False)) for s in SEEDS])
    within = np.mean([accuracy(draw_within(titanic, "survived", seed=s, correlated=False)) for s in SEEDS])
    both = np.mean([accuracy(draw_within(titanic, "survived", seed=s)) for s in SEEDS])
    assert whole < dummy + 0.06
    assert both > within > dummy + 0.08
    assert both > 0.74


def test_heart_failure_has_the_published_patients(data_folder):
    frame = pd.read_csv(data_folder / "classic" / "heart-failure" / "heart_failure_clinical_records.csv")
    assert (len(frame), frame["DEATH_EVENT"].sum()) == (299, 96)


def test_boys_joint_normal_keeps_moments_and_breaks_bounds(boys):
    real = boys[["age", "hgt", "wgt"]]
    learnt = fit_joint_normal(real)
    made = learnt.draw(20_000, seed=1)
    assert len(real) == 748
    assert learnt.converged
    np.testing.assert_allclose(made.corr(), real.corr(), atol=0.02)
    np.testing.assert_allclose(made.mean(), real.mean(), rtol=0.03)
    assert (made["wgt"] < 0).mean() > 0.02  # nobody weighs less than nothing: the normal distribution does
    assert fit_joint_normal(real, missing="complete").n_records == real.notna().all(axis=1).sum()


def test_boys_volume_bends_with_age(boys):
    """Volumes stay small and alike until eleven, then rise and scatter: a line misses that, roots on splines and trees do not."""
    real = boys[["age", "tv"]]
    young = real[real["age"] < 11]["tv"].std()
    for method, close in (("linear", False), ("sqrt-spline", True), ("cart", True)):
        made = pd.concat([sequential(real, seed=s, method={"tv": method}) for s in SEEDS])
        assert (made[made["age"] < 11]["tv"].std() < 1.5 * young) == close, method
        assert (made["tv"].min() >= 0) == close, method
        assert made["tv"].isna().mean() == pytest.approx(real["tv"].isna().mean(), abs=0.04)
