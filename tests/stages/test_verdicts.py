"""Verdicts: each rule at its threshold, and "not known" wherever nothing was measured."""

import pandas as pd
import pytest

from synthpop_gb.checks import Checks
from synthpop_gb.errors import finding
from synthpop_gb.validation import refused_release
from synthpop_gb.validation.verdicts import pair_verdicts, population_verdicts, worst

TOTALS = "Totals and shares of one variable"
TWO = "Tables of two variables"
GROUPS = "Groups that several attributes make"
GIVE = "Giving them to people who may not see the real records"


def verdict(use, tables, findings=()):
    frame = pair_verdicts(Checks({}, tables, tuple(findings))).set_index("use")
    return frame.loc[use]


def scanned(tvd=0.01, floor=0.01, passes=True):
    """One combination that may fail, and a sparse one that passes."""
    return pd.DataFrame(
        {
            "reference": "real", "tvd": [tvd, 0.2], "tvd_floor": [floor, 0.1], "tvd_chance": [floor, 0.18],
            "passes": pd.array([passes, None if passes is None else True], "boolean"),
        }
    )  # fmt: skip


def cells(**columns):
    row = {
        "reference": "real",
        "explained_by": "",
        "q": 0.001,
        "kind": "too many",
        "observed": 5.0,
        "excess": 5.0,
        "cell": "a = b",
    }
    return pd.DataFrame([row | columns])


def test_nothing_measured_is_not_known():
    frame = pair_verdicts(Checks({}, {}))
    assert set(frame["verdict"]) == {"unknown"}
    assert (frame["reason"] != "").all()
    assert frame["use"].is_unique


@pytest.mark.parametrize(("s", "expected"), [(2.99, "fit"), (3.0, "care"), (9.99, "care"), (10.0, "unfit")])
def test_tables_by_the_published_rule(s, expected):
    tables = {"utility_tables": pd.DataFrame({"k": [2, 2], "a": ["x", "u"], "b": ["y", "v"], "c": ["", ""], "s_pmse": [0.5, s]})}
    found = verdict(TWO, tables)
    assert found["verdict"] == expected
    assert "u x v" in found["figure"]


def test_impossible_people_are_never_fit():
    found = verdict(GROUPS, {"scan_tables": scanned(), "scan_cells": cells(kind="impossible", observed=3.0)})
    assert found["verdict"] == "unfit"
    assert found["figure"].startswith("3 people in impossible")


@pytest.mark.parametrize(("tvd", "passes", "expected"), [(0.01, True, "fit"), (0.0199, False, "care"), (0.03, False, "unfit")])
def test_groups_by_how_far_beyond_chance(tvd, passes, expected):
    found = {"scan_tables": scanned(tvd=tvd, passes=passes), "scan_cells": cells().head(0 if passes else 1)}
    assert verdict(GROUPS, found)["verdict"] == expected


def test_groups_against_the_survey_that_was_cloned_are_not_judged():
    assert verdict(GROUPS, {"scan_tables": scanned(passes=None)})["verdict"] == "unknown"


@pytest.mark.parametrize(("kept", "expected"), [(0.95, "fit"), (0.8, "care"), (0.5, "unfit"), (-0.2, "unfit")])
def test_prediction_by_the_skill_that_is_kept(kept, expected):
    frame = pd.DataFrame({"trained_on": ["real", "synthetic"], "kept": [1.0, kept], "target": "y"})
    assert verdict("Training models that are used on real people", {"prediction": frame})["verdict"] == expected


@pytest.mark.parametrize(
    ("difference", "q", "again", "expected"),
    [
        (0.2, 0.2, 0.0, "fit"),
        (0.04, 0.01, 0.0, "fit"),
        (0.07, 0.01, 0.0, "care"),
        (0.3, 0.01, 0.1, "unfit"),
        (0.3, 0.01, 0.31, "fit"),
    ],
)
def test_fairness_counts_what_is_beyond_chance_and_beyond_the_luck_of_training(difference, q, again, expected):
    rates = {"real": 0.5, "synthetic": 0.5 + difference, "difference": difference, "again": 0.5 - again}
    row = {"by": "sex", "group": "f", "measure": "accuracy", "q": q, "again_q": 0.01 if again else 1.0, **rates}
    assert verdict("Asking whom a model wrongs", {"fairness": pd.DataFrame([row])})["verdict"] == expected


def test_fairness_of_a_number_is_not_judged_by_rates_and_says_so():
    row = {"by": "sex", "group": "f", "measure": "mean_absolute_error", "q": 0.01, "difference": 3.0}
    found = verdict("Asking whom a model wrongs", {"fairness": pd.DataFrame([row])})
    assert found["verdict"] == "unknown"
    assert "number" in found["reason"]


def one_number(**changes):
    row = {"variable": "gain", "n_real": 2000.0, "n_synthetic": 2000.0, "mean_difference": 0.01, "outside": 0.0} | changes
    table = pd.DataFrame({"k": [1], "a": ["gain"], "b": [""], "c": [""], "s_pmse": [1.0]})
    return verdict(TOTALS, {"utility_tables": table, "univariate": pd.DataFrame([row])})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "fit"),
        ({"mean_difference": 0.5}, "unfit"),  # gains ten times as large stay in the largest of five groups: the table is right
        ({"mean_difference": 0.08}, "fit"),
        ({"mean_difference": 0.09, "n_real": 9000.0, "n_synthetic": 9000.0}, "care"),
        ({"mean_difference": 0.5, "n_real": 60.0, "n_synthetic": 60.0}, "fit"),  # under three standard errors
        ({"mean_difference": float("nan"), "outside": 1.0}, "unfit"),  # always 1 in the real records, and 2 in these
        ({"outside": 0.02}, "care"),
        ({"n_synthetic": 12.0}, "unknown"),
        ({"n_real": 29.0}, "unknown"),
    ],
)
def test_totals_need_the_means_and_the_range_of_numbers_and_records_enough(changes, expected):
    found = one_number(**changes)
    assert found["verdict"] == expected
    if expected in ("care", "unfit"):
        assert "gain" in found["figure"]


@pytest.mark.parametrize(("s", "expected"), [(1.0, "unknown"), (5.0, "unknown"), (20.0, "unfit")])
def test_few_records_are_not_fit_for_anything_and_can_be_unfit(s, expected):
    tables = {"utility_tables": pd.DataFrame({"k": [2], "a": ["x"], "b": ["y"], "c": [""], "s_pmse": [s]})}
    few = pd.DataFrame({"n_real": [500.0], "n_synthetic": [9.0]})
    assert verdict(TWO, {**tables, "univariate": few})["verdict"] == expected


def attacked(n=2000, control_n=2000, upper=0.06):
    return pd.DataFrame({"attack": ["linkage"], "n": [n], "control_n": [control_n], "risk": [0.01], "risk_upper": [upper]})


def test_giving_away_needs_records_kept_apart():
    tables = {"disclosure_distance": pd.DataFrame({"identical": [0.0]}), "attacks": attacked()}
    alone = [finding("no-holdout", "none", place="")]
    risk = [finding("disclosure-risk", "Whoever knows the keys learns income.", place="linkage")]
    assert verdict(GIVE, tables)["verdict"] == "fit"
    assert verdict(GIVE, tables, alone)["verdict"] == "care"
    assert verdict(GIVE, tables, [*alone, *risk])["verdict"] == "unfit"
    assert verdict(GIVE, tables, risk)[["reason", "table"]].tolist() == [risk[0].message, "attacks"]


@pytest.mark.parametrize("few", [{"control_n": 1}, {"n": 3}, {"upper": 0.35}])
def test_a_handful_kept_apart_rules_no_leak_out(few):
    tables = {"disclosure_distance": pd.DataFrame({"identical": [0.0]}), "attacks": attacked(**few)}
    assert verdict(GIVE, tables)["verdict"] == "care"
    assert verdict(GIVE, {**tables, "attacks": pd.DataFrame()})["verdict"] == "care"


def population(**changes):
    audit = {
        "scan_tables": pd.DataFrame(
            {
                "reference": ["the fractional fit, by zone", "the fractional fit"], "tvd": [0.05, 0.01],
                "tvd_floor": [0.05, 0.01], "tvd_chance": [0.05, 0.01], "passes": pd.array([True, True], "boolean"),
            }
        ),
        "scan_cells": cells().head(0), "zone_uniqueness": pd.DataFrame({"people": [100], "unique": [2]}),
    }  # fmt: skip
    validation = {
        "zone_fit": pd.DataFrame({"zone": ["Z"], "people": [100.0], "tae_above_floor": [0.0]}),
        "held_out": pd.DataFrame({"table": ["age x sex"], "wrong_whole": [2.0], "floor": [1.9], "wrong_independence": [4.0]}),
    }
    licence = changes.pop("licence", "open")
    for name, frame in changes.items():
        (audit if name in audit else validation)[name] = frame
    return population_verdicts(Checks({}, audit), Checks({}, validation), licence=licence).set_index("use")


def test_a_population_that_is_right():
    found = population()
    assert found.loc["Counts by zone of a fitted table", "verdict"] == "fit"
    assert found.loc["Counts by zone of age x sex, which was held out", "verdict"] == "fit"
    assert found.loc["Combinations of attributes by zone", "verdict"] == "fit"
    assert found.loc["Handing out rows of people", "verdict"] == "fit"
    assert found.loc["Answers that are in the survey alone, by zone", "verdict"] == "unknown"
    assert found.loc["Anything about households", "verdict"] == "unfit"


@pytest.mark.parametrize(
    ("wrong", "fit", "expected"),
    [
        (2.3, 1.0, "fit"), (2.3, 4.1, "care"), (3.0, 2.0, "care"), (4.1, 3.9, "care"), (4.1, 4.2, "unfit"), (4.1, None, "unfit"),
        (float("nan"), 1.0, "unknown"),
    ],
)  # fmt: skip
def test_held_out_between_a_perfect_draw_and_independence(wrong, fit, expected):
    frame = pd.DataFrame({"table": ["age x sex"], "wrong_whole": [wrong], "floor": [1.9], "wrong_independence": [4.0]})
    frame["wrong_fit"] = pd.array([fit], dtype="Float64").to_numpy(float, na_value=float("nan"))
    assert population(held_out=frame).loc["Counts by zone of age x sex, which was held out", "verdict"] == expected


def test_rows_of_a_licensed_survey_go_to_nobody():
    found = population(licence="End User Licence").loc["Handing out rows of people"]
    assert found["verdict"] == "unfit"
    assert "End User Licence" in found["figure"]


def test_the_worst_of_several():
    assert worst(["fit", "care", "unknown"]) == "care"
    assert worst(["unknown"]) == "unknown"


def test_a_broken_release_rule_changes_verdict_and_summary():
    frame = pair_verdicts(Checks({}, {}))
    checks = refused_release(
        Checks({"uses judged": "old"}, {"verdicts": frame}), "public", [finding("release-refused", "No.", place="")]
    )
    assert checks.headline["uses judged"] == "1 not fit, 6 not known"
    assert checks.headline["release rule"] == "public: broken in 1 way"
    assert checks["verdicts"].set_index("use").loc[GIVE, ["verdict", "reason"]].tolist() == ["unfit", "No."]
    assert refused_release(checks, "open", []).headline["release rule"] == "open: kept"


def test_combinations_are_no_better_than_the_worst_table_that_was_held_out():
    frame = pd.DataFrame(
        {"table": ["a x b", "c x d"], "wrong_whole": [3.0, 9.0], "floor": [1.9, 1.0], "wrong_independence": [4.0, 5.0]}
    )
    found = population(held_out=frame).loc["Combinations of attributes by zone"]
    assert found["verdict"] == "care"
    assert "c x d" in found["reason"]


def test_tables_left_out_are_counted_once_each():
    left = pd.DataFrame({"zone": ["Z"] * 4, "table": ["age", "age", "sex", "sex"]})
    validation = Checks({}, {"left_out": left})
    found = population_verdicts(Checks({}, {}), validation, licence="open", replicates=40).set_index("use")
    assert "2 tables left out in turn" in found.loc["Answers that are in the survey alone, by zone", "figure"]
