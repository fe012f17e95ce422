"""Regressions, prediction and fairness: against statsmodels and hand-worked cases, and on pairs known to be good and bad."""

import math
import sys

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.errors import InputError
from synthpop_gb.validation.utility import utility
from synthpop_gb.validation.utility._importance import rank_agreement
from synthpop_gb.validation.utility._sides import sides
from synthpop_gb.validation.utility._trials import AGAIN, DUMMY, REAL, SYNTHETIC, Forest, task, trial
from synthpop_gb.validation.utility.fairness import fairness
from synthpop_gb.validation.utility.prediction import class_measures, number_measures, prediction
from synthpop_gb.validation.utility.regression import interval_overlap, lack_of_fit, regression
from synthpop_gb.validation.verdicts import pair_verdicts
from tests.pairs import make_pair, people, shuffled

SMALL = Forest(trees=20)


def bootstrap(frame, n, seed=11):
    return frame.iloc[np.random.default_rng(seed).integers(0, len(frame), n)].reset_index(drop=True)


def fresh(n, **roles):
    """A pair whose sides are independent samples of one population."""
    return make_pair(people(n), people(n, seed=31), target="income", protected=("sex", "age"), **roles)


def test_linear_regression_is_that_of_statsmodels():
    from statsmodels.api import OLS, add_constant

    real = people(300)
    found = regression(make_pair(real, people(200, seed=4), target="wealth"), predictors=("age", "sex"))["regression"]
    x = np.stack([(real["age"] - real["age"].mean()) / real["age"].std(ddof=0), real["sex"] == "female"], axis=1).astype(float)
    if (real["sex"] == "female").sum() > 150:
        x[:, 1] = 1 - x[:, 1]
    hoped = OLS(real["wealth"], add_constant(x)).fit()
    assert found["real"].to_numpy() == pytest.approx(hoped.params.to_numpy())
    assert found["real_error"].to_numpy() == pytest.approx(hoped.bse.to_numpy())
    assert found["variable"].tolist() == ["(intercept)", "age", "sex"]


def test_logistic_regression_by_hand():
    """One predictor of two values: odds 30:10 and 20:40, log odds ratio log 6, variance 1/30 + 1/10 + 1/20 + 1/40."""
    side = pd.DataFrame({"x": ["a"] * 40 + ["b"] * 60, "y": ["n"] * 30 + ["y"] * 10 + ["n"] * 20 + ["y"] * 40})
    row = regression(make_pair(side, side, target="y"))["regression"].iloc[1]
    assert (row["variable"], row["term"], row["against"]) == ("x", "a", "b")  # b is the more frequent
    assert row["outcome"] == "y = n" or row["outcome"] == "y = y"
    assert abs(row["real"]) == pytest.approx(math.log(6), rel=1e-6)
    assert row["real_error"] == pytest.approx(math.sqrt(1 / 30 + 1 / 10 + 1 / 20 + 1 / 40), rel=1e-5)
    assert (row["overlap"], row["standardised"], row["same_conclusion"]) == (pytest.approx(1), pytest.approx(0), 1)


def test_weights_of_regression_count_effective_records():
    real, made = people(200), people(150, seed=4)
    weight = np.tile([1.0, 3.0], 75)
    one = regression(make_pair(real, made, target="wealth", synthetic_weight=weight), predictors=("age",))["regression"]
    repeated = made.loc[np.repeat(np.arange(150), weight.astype(int))]
    many = regression(make_pair(real, repeated, target="wealth"), predictors=("age",))["regression"]
    assert one["synthetic"].to_numpy() == pytest.approx(many["synthetic"].to_numpy())
    effective, n = weight.sum() ** 2 / (weight**2).sum(), weight.sum()
    ratio = math.sqrt((n - 2) / (effective - 2))  # the same fit, worth fewer records
    assert (one["synthetic_error"] / many["synthetic_error"]).to_numpy() == pytest.approx(ratio)


def test_published_expectations_of_overlap():
    """Raab & Nowok (2017), section 4: mean abs z of 0.798 and mean overlap of 79.6 % for one synthesis from the right model."""
    z = np.abs(np.random.default_rng(1).normal(size=20_000))
    overlap = [interval_overlap((-1.96, 1.96), (d - 1.96, d + 1.96)) for d in z]
    assert overlap == pytest.approx(1 - z / (2 * 1.96))
    assert z.mean() == pytest.approx(0.798, abs=0.01)
    assert np.mean(overlap) == pytest.approx(0.796, abs=0.005)
    assert interval_overlap((0, 1), (2, 3)) == -1
    assert math.isnan(interval_overlap((0, 0), (0, 1)))
    assert lack_of_fit(np.array([2.0]), np.array([[1.0]]), 100, 50) == 2  # 2^2 / 1 x 50 / 100


def test_regression_passes_a_bootstrap_and_fails_lost_links():
    real = people(2500)
    good = regression(make_pair(real, bootstrap(real, 2500), target="income"))["regression_fit"].iloc[0]
    bad = regression(make_pair(real, shuffled(real), target="income"))
    assert 0.3 < good["s_lof"] < 2.5
    assert good["mean_overlap"] > 0.6
    assert bad["regression_fit"]["s_lof"].iloc[0] > 10
    assert "utility-low" in [f.code for f in bad.findings]


def test_separation_and_aliases_are_findings():
    real, made = people(200), people(200, seed=2)
    real["twice"], made["twice"] = 2 * real["age"], 2 * made["age"]
    found = regression(make_pair(real, made, target="income"))
    table = found["regression"].set_index("variable")
    assert table.loc["twice", "undetermined"] == "both"
    assert np.isnan(table.loc["twice", "real"])
    assert "repeat others: twice" in found.findings[0].message
    for side in (real, made):
        side["sure"] = np.where(side["income"] == "high", "a", "b")
    lost = regression(make_pair(real, made, target="income"))
    assert lost["regression"].empty
    assert "alone decides the outcome" in lost.findings[0].message


def test_certain_records_say_nothing_of_other_coefficients():
    """A value whose records all have one outcome: its coefficient is infinite, the others are those without its records."""
    real, made = people(300), people(300, seed=2)
    real["town"] = np.where(np.arange(300) % 3 == 0, "A", np.where(real["income"] == "high", "B", "A"))
    made["town"] = real["town"]
    names = ("age", "sex", "town")
    row = regression(make_pair(real, made, target="income"), predictors=names)["regression"].set_index("variable")
    assert row.loc["town", "undetermined"] in ("real", "both")
    rest = regression(make_pair(real[real["town"] == "A"], made, target="income"), predictors=names)["regression"]
    rest = rest.set_index("variable")
    slope = row["real"] / np.where(row.index == "age", real["age"].std(ddof=0), 1)
    again = rest["real"] / np.where(rest.index == "age", real.loc[real["town"] == "A", "age"].std(ddof=0), 1)
    assert abs(slope["age"]) == pytest.approx(abs(again["age"]), rel=1e-5)
    assert abs(slope["sex"]) == pytest.approx(abs(again["sex"]), rel=1e-5)


def test_three_classes_are_two_regressions_near_the_multinomial():
    from statsmodels.api import MNLogit, add_constant

    real = people(1500)
    found = regression(make_pair(real, people(1500, seed=8), target="education"), predictors=("age",))["regression"]
    assert found["outcome"].nunique() == 2
    x = add_constant(((real["age"] - real["age"].mean()) / real["age"].std(ddof=0)).to_numpy())
    order = real["education"].value_counts().index
    joint = MNLogit(real["education"].map({c: i for i, c in enumerate(order)}).to_numpy(), x).fit(disp=0)
    assert pytest.approx(joint.params, abs=0.05) == found["real"].to_numpy().reshape(2, 2).T


def test_measures_of_models_by_hand():
    score = np.array([[0.9, 0.1, 0], [0.2, 0.8, 0], [0.6, 0.4, 0], [0.1, 0.2, 0.7]])
    found = class_measures(np.array([0, 1, 1, 2]), score, np.ones(4))
    assert found["accuracy"] == 0.75
    assert found["balanced_accuracy"] == pytest.approx((1 + 0.5 + 1) / 3)
    assert found["auc"] == pytest.approx(1)  # each class has its records before the others
    assert number_measures(np.array([1.0, 2, 3]), np.full(3, 2.0), np.ones(3)) == pytest.approx(
        {"r2": 0, "rmse": math.sqrt(2 / 3), "mae": 2 / 3}
    )
    assert math.isnan(number_measures(np.ones(3), np.ones(3), np.ones(3))["r2"])
    assert rank_agreement(np.array([1.0]), np.array([2.0]))["top_same"]
    assert math.isnan(rank_agreement(np.array([1.0, 2]), np.zeros(2))["spearman"])


def test_prediction_keeps_skill_for_a_fresh_sample_and_loses_it_with_the_links():
    found = prediction(fresh(900), forest=SMALL, permuted=200, explained=40)
    table = found["prediction"].set_index("trained_on")
    assert list(table.index) == [REAL, SYNTHETIC, AGAIN, DUMMY]
    assert table.loc[SYNTHETIC, "accuracy"] == pytest.approx(table.loc[REAL, "accuracy"], abs=0.06)
    assert table.loc[REAL, "accuracy"] > table.loc[DUMMY, "accuracy"] + 0.05
    assert table.loc[DUMMY, ["auc", "balanced_accuracy", "skill"]].tolist() == [0.5, 0.5, 0]
    assert table.loc[REAL, ["train_records", "test_records"]].tolist() == [630, 270]
    confusion = found["confusion"].groupby("trained_on")["records"].sum()
    assert (confusion == 270).all()
    agreement = found["importance_agreement"]
    assert len(agreement) == 4
    assert agreement.query("method == 'shap'")["spearman"].min() > 0.5
    real = people(900)
    bad = prediction(make_pair(real, shuffled(real), target="income"), forest=SMALL, permuted=200, explained=40)
    assert bad["prediction"].set_index("trained_on").loc[SYNTHETIC, "kept"] < 0.5
    assert "utility-low" in [f.code for f in bad.findings]


def test_numbers_are_predicted_in_their_own_unit():
    real = people(400)
    pair = make_pair(real.assign(wealth=1e6 * real["wealth"]), people(400, seed=2).assign(wealth=1e6), target="wealth")
    made = prediction(pair, forest=SMALL, permuted=100, explained=20)
    table = made["prediction"].set_index("trained_on")
    assert table.loc[DUMMY, "rmse"] > 1e6
    assert table.loc[REAL, "r2"] > 0.3
    assert table.loc[SYNTHETIC, "r2"] <= 0
    assert made["confusion"].empty


def test_models_of_copies_never_see_the_records_that_they_are_tested_on():
    real = people(300)
    copies = real.iloc[np.random.default_rng(1).integers(0, 300, 4000)]
    made = task(sides(make_pair(real, copies, target="income", cloned=True)), None, [])
    done = trial(made, 1, 0, SMALL)
    donors = made.both.donor[made.rows[1]]
    assert done.trained[SYNTHETIC] <= (~np.isin(donors, made.rows[0][done.test])).sum()
    plain = prediction(make_pair(real, copies, target="income"), forest=SMALL, permuted=50, explained=10)
    assert any("repeated among the synthetic" in f.message for f in plain.findings)


def test_same_seed_same_tables_and_splits_are_independent_of_their_number():
    pair = fresh(200)
    one, two, more = (prediction(pair, seed=5, splits=k, forest=SMALL, permuted=50, explained=10) for k in (1, 1, 2))
    for name in one.tables:
        pd.testing.assert_frame_equal(one[name], two[name], check_exact=True)
    first = more["prediction"].query("split == 0").reset_index(drop=True)
    pd.testing.assert_frame_equal(first, one["prediction"], check_exact=True)
    assert "mean of 2 splits" in more.headline["prediction of income"]


def test_fairness_counts_by_group_are_those_of_the_models():
    pair = fresh(900)
    found = fairness(pair, seed=2, forest=SMALL, fewest_together=25)["fairness"]
    made = task(sides(pair), None, [])
    done = trial(made, 2, 0, SMALL)
    female = (pair.real["sex"] == "female").to_numpy()[done.test]
    hit = done.predicted(SYNTHETIC) == done.actual
    row = found.query("by == 'sex' and group == 'female' and measure == 'accuracy'").iloc[0]
    assert row["synthetic"] == pytest.approx(hit[female].mean())
    assert row["records"] == female.sum()
    positive = made.classes.index(row["positive"])
    chosen, truly = done.predicted(REAL) == positive, done.actual == positive
    rates = found.query("by == 'sex' and group == 'female'").set_index("measure")["real"]
    assert rates["selection_rate"] == pytest.approx(chosen[female].mean())
    assert rates["true_positive_rate"] == pytest.approx(chosen[female & truly].mean())
    assert rates["false_positive_rate"] == pytest.approx(chosen[female & ~truly].mean())
    assert (found["difference_low"] <= found["difference"] + 1e-9).all()
    assert found.query("by == 'sex x age'")["records"].min() >= 25
    overall = prediction(pair, seed=2, forest=SMALL, permuted=20, explained=5)["prediction"].set_index("trained_on")
    everybody = found.query("by == '' and measure == 'accuracy'").iloc[0]
    assert everybody["synthetic"] == overall.loc[SYNTHETIC, "accuracy"]
    with pytest.raises(ValueError, match="no real record"):
        fairness(pair, positive="medium", forest=SMALL)


def test_group_wronged_by_the_synthetic_records_is_found():
    """In the synthetic records women's incomes are drawn by lot: a model of them serves women worse."""
    real, made = people(3000), people(3000, seed=31)
    women = (made["sex"] == "female").to_numpy()
    made.loc[women, "income"] = np.random.default_rng(1).permutation(made.loc[women, "income"].to_numpy())
    found = fairness(make_pair(real, made, target="income", protected=("sex",)), forest=Forest(trees=40))
    assert "female" in found.headline["group that loses most"]
    assert "female" in next(f for f in found.findings if f.code == "utility-low").message


def test_nobody_is_called_wronged_by_a_perfect_synthesis():
    """Fresh people of the same population: some of a hundred intervals exclude nought, and that is nobody's wrong."""
    roles = {"target": "income", "protected": ("sex", "age", "education")}
    found = []
    for seed in range(1, 4):
        pair = make_pair(people(3000, seed=seed), people(3000, seed=seed + 50), **roles)
        found.append(fairness(pair, seed=seed, forest=Forest(trees=40)))
    for checks in found:
        table = checks["fairness"].query("by != ''")
        assert table["q"].notna().sum() == table["p"].notna().sum() > 60
        assert (table["q"].dropna() >= table["p"].dropna()).all()
        use = pair_verdicts(checks).set_index("use").loc["Asking whom a model wrongs"]
        assert use["verdict"] == "fit", use["figure"]
    narrow = pd.concat([c["fairness"].query("by != ''") for c in found])
    assert ((narrow["difference_low"] > 0) | (narrow["difference_high"] < 0)).any()  # what a rule without correction would tell


def test_no_record_to_test_on_is_a_finding():
    """Each value of the target once: all are trained on, since each class needs a record."""
    names = [f"v{i}" for i in range(12)]
    checks = prediction(make_pair(people(12).assign(income=names), people(12, seed=3).assign(income=names), target="income"))
    assert checks["prediction"].empty
    assert ["test on" in f.message for f in checks.findings] == [True]


def test_missing_package_is_a_finding_and_the_rest_is_computed(monkeypatch):
    for name in ("sklearn", "sklearn.tree", "sklearn.linear_model", "sklearn.ensemble", "statsmodels"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "statsmodels.genmod.generalized_linear_model", None)
    pair = fresh(60)
    with pytest.raises(InputError, match="scikit-learn"):
        prediction(pair)
    checks = utility(pair)
    assert {"univariate", "association", "utility_tables"} <= set(checks.tables)
    assert [f.code for f in checks.findings if f.level == "error"] == ["missing-extra"] * 2


def test_everything_at_once_reads_as_words():
    checks = utility(fresh(400), permutations=5)
    assert checks.headline["variables compared"] == 7
    assert "S_pMSE by classification tree" in checks.headline
    assert "prediction of income" in checks.headline
    assert "of 7 variables" not in repr(checks)
    without = utility(fresh(100), prediction=False, permutations=2, order=2)
    assert "prediction" not in without.tables
    assert (without["utility_tables"]["k"] <= 2).all()
    with pytest.raises(KeyError, match="nothing"):
        utility(fresh(50), target="nothing")
