"""Tables of an audit by hand, with the columns that the stages make, small enough to be looked through."""

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.errors import finding

nan = np.nan
TITLE = "Synthetic survey"
FACTS = {
    "real": "census.csv, 1,000 records",
    "synthetic": "made.csv, 2,000 records",
    "keys": ["age", "sex"],
    "settings": {"seed": 2011, "false discovery rate": 0.05},
    "versions": {"synthpop_gb": "0.4.0"},
}


def tables(name="relationship", value="Husband"):
    """Tables by name; `name` and `value` are a variable's and a category's."""
    cell, pair = f"{name} = {value} and sex = Female", f"{name} x sex"
    bins = [("sex", "category", 0, "Female", nan, nan, 0.5, 0.4), ("sex", "category", 1, "Male", nan, nan, 0.5, 0.6)]
    bins += [("age", "number", i, f"{10 * i} to {10 * i + 9}", 10.0 * i, 10.0 * i + 9, 0.1, 0.1) for i in range(9)]
    bins += [("age", "number", 9, "(missing)", nan, nan, 0.1, 0.1), (name, "category", 0, value, nan, nan, 0.4, 0.4)]
    cells = [
        (1, "the real data", pair, 2, cell, "impossible", 1.0, 259.0, 129.5, 30.0, 900.0, nan, nan, 257.0, "", 1, 900.0, False),
        (
            2,
            "the real data",
            pair,
            2,
            f"{name} = Wife and sex = Male",
            "invented",
            0.0,
            68.0,
            np.inf,
            9.0,
            np.inf,
            0.0,
            0.0,
            68.0,
            "",
            0,
            90.0,
            True,
        ),
        (
            3,
            "the real data",
            "country",
            1,
            "country = Holland",
            "missing",
            41.0,
            0.0,
            0.0,
            0.0,
            0.05,
            1e-9,
            1e-7,
            -82.0,
            "",
            0,
            80.0,
            False,
        ),
        (
            4,
            "the real data",
            "sex",
            1,
            "sex = Female",
            "too few",
            500.0,
            800.0,
            0.8,
            0.7,
            0.9,
            0.001,
            0.01,
            -200.0,
            "",
            2,
            20.0,
            True,
        ),
        (
            5,
            "the real data",
            "country",
            1,
            "country = Peru",
            "missing",
            1.0,
            0.0,
            0.0,
            0.0,
            4.0,
            0.7,
            0.9,
            -2.0,
            "",
            0,
            1.0,
            False,
        ),
        (
            6,
            "the real data",
            f"age x {pair}",
            3,
            f"age = 20 and {cell}",
            "impossible",
            0.0,
            31.0,
            np.inf,
            5.0,
            np.inf,
            nan,
            nan,
            31.0,
            cell,
            0,
            70.0,
            False,
        ),
    ]
    scan_cells = pd.DataFrame(
        cells,
        columns=[
            "rank",
            "reference",
            "combination",
            "k",
            "cell",
            "kind",
            "expected",
            "observed",
            "ratio",
            "lower",
            "upper",
            "p",
            "q",
            "excess",
            "explained_by",
            "follow",
            "deviance",
            "protected",
        ],
    )
    points = pd.DataFrame(
        {
            "reference": "the real data",
            "k": [1, 2, 2, 3],
            "expected": [1000.0, 2.0, 0.0, 31.6],
            "observed": [800.0, 259.0, 68.0, 30.0],
            "beyond": [True, True, True, False],
            "cells": [1, 1, 1, 7],
            "spread": 3.0,
        }
    )
    return {
        "verdicts": pd.DataFrame(
            {
                "use": ["counts by sex", "models", f"release of {value}", "teaching"],
                "verdict": ["fit", "care", "unfit", "unknown"],
                "figure": ["0.4 % of records", "AUC 0.81", "repU 12 %", ""],
                "threshold": ["1 %", "0.85", "5 %", ""],
                "reason": ["As good as a sample.", "A little worse.", "Too many are alone.", "Nobody said for what."],
                "table": ["univariate", "prediction", "disclosure_identity", ""],
            }
        ),
        "scan_tables": pd.DataFrame(
            {
                "reference": "the real data",
                "combination": ["sex", pair],
                "k": [1, 2],
                "cells": [2, 12],
                "expected_cells": [2, 11],
                "observed_cells": [2, 12],
                "tvd": [0.1, 0.13],
                "tvd_floor": [0.01, 0.03],
                "tvd_floor_effective": [0.02, 0.04],
                "tvd_limit": [0.03, 0.06],
                "srmse": [0.2, 0.5],
                "srmse_floor": [0.02, 0.1],
                "vw_ratio": [40.0, 90.0],
                "invented": [0.0, 0.03],
                "invented_floor": 0.0,
                "impossible": [0.0, 0.13],
                "missing": [0.0, 0.02],
                "missing_floor": [0.0, 0.001],
                "missing_floor_effective": 0.0,
                "missing_cells": pd.array([pd.NA, 1], "Int64"),
                "discoveries": pd.array([1, 4], "Int64"),
                "protected": [True, False],
                "passes": pd.array([False, pd.NA], "boolean"),
            }
        ),
        "scan_cells": scan_cells,
        "scan_points": points,
        "scan_rarity": pd.DataFrame(
            {
                "reference": "the real data",
                "k": [1, 2, 2],
                "rarity": ["50 and over", "1", "2 to 4"],
                "cells": [2, 40, 10],
                "missing": [0, 30, 2],
                "missing_floor": [0.0, 5.4, 0.3],
                "people": [0.0, 30.0, 6.0],
            }
        ),
        "scan_coverage": pd.DataFrame(
            {
                "what": ["order", "order", "variable", "combination"],
                "name": ["2-way", "4-way", "person_id", pair],
                "k": [2, 4, 1, 4],
                "combinations": [10, 5, 3, 1],
                "looked_at": [True, False, False, False],
                "reason": ["", "order above 3", "more than 500 categories", "order above 3: protected"],
            }
        ),
        "scan_zone_cells": pd.DataFrame(
            {
                "rank": [1],
                "reference": ["the fit by zone"],
                "combination": [pair],
                "k": [2],
                "cell": [cell],
                "expected": [10.5],
                "observed": [12.0],
                "misplaced": [4.0],
                "floor": [1.2],
                "excess": [2.8],
                "z": [4.0],
                "p": [1e-5],
                "q": [0.001],
                "zones": [3],
                "zone": ["E01000001"],
                "zone_expected": [0.4],
                "zone_observed": [5.0],
                "explained_by": [""],
            }
        ),
        "univariate": pd.DataFrame(
            {
                "variable": ["age", "sex", name],
                "kind": ["number", "category", "category"],
                "tvd": [0.0, 0.1, 0.02],
                "tvd_floor": [0.02, 0.01, 0.01],
                "ks": [0.01, nan, nan],
                "ks_floor": [0.02, nan, nan],
                "missing_real": 0.1,
                "missing_synthetic": 0.1,
                "mean_real": [45.0, nan, nan],
                "mean_synthetic": [45.2, nan, nan],
                "mean_difference": [0.01, nan, nan],
                "outside": [0.0, nan, nan],
                "only_real": [nan, 0, 1],
                "only_real_names": ["", "", f"{value} (1 %)"],
                "only_synthetic": [nan, 0, 0],
            }
        ),
        "univariate_bins": pd.DataFrame(bins, columns=["variable", "kind", "bin", "label", "low", "high", "real", "synthetic"]),
        "utility_tables": pd.DataFrame(
            {
                "k": [1, 1, 2, 2, 3],
                "a": ["sex", name, "sex", "age", "age"],
                "b": ["", "", name, "sex", "sex"],
                "c": ["", "", "", "", name],
                "cells": [2, 6, 12, 10, 60],
                "s_pmse": [0.9, 3.0, 2326.04, nan, 9.99],
                "pmse": 0.01,
                "vw": 20.0,
                "mabsdd": 0.2,
                "specks": 0.1,
                "dbhatt": 0.05,
                "s_ft": 9.0,
                "s_g": 8.0,
                "s_jsd": 8.5,
            }
        ),
        "association": pd.DataFrame(
            {
                "a": ["age", "age", "sex"],
                "b": ["sex", name, name],
                "kind": ["correlation_ratio", "correlation_ratio", "cramers_v"],
                "real": [0.2, 0.5, 0.7],
                "synthetic": [0.19, 0.1, 0.71],
                "difference": [-0.01, -0.4, 0.01],
                "floor": 0.02,
            }
        ),
        "association_norms": pd.DataFrame(
            {
                "correlation": ["pearson"] * 3,
                "norm": ["entrywise", "upper", "induced_1"],
                "variables": "numbers",
                "n_variables": 4,
                "value": [2.58, 1.29, 1.28],
                "floor": [0.1, 0.05, nan],
            }
        ),
        "propensity": pd.DataFrame(
            {
                "model": ["logistic", "cart"],
                "s_pmse": [1e-9, 275.1],
                "pmse": [0.0, 0.14],
                "pmse_null": [0.0001, 0.0005],
                "null": ["exact", "permutation"],
                "po50": [0.0, 35.8],
                "specks": [0.0, 0.7],
                "auc": [0.5, 0.912],
                "df": [4, 60],
                "records": [3000, 3000],
            }
        ),
        "regression": pd.DataFrame(
            {
                "outcome": "income = high",
                "model": "logistic",
                "variable": ["(intercept)", "age", name],
                "term": ["", "", value],
                "against": ["", "", "Wife"],
                "real": [-1.0, 0.4, 0.3],
                "real_error": 0.1,
                "real_low": [-1.2, 0.2, 0.1],
                "real_high": [-0.8, 0.6, 0.5],
                "synthetic": [-1.0, -0.4, nan],
                "synthetic_error": [0.1, 0.1, nan],
                "synthetic_low": [-1.2, -0.6, nan],
                "synthetic_high": [-0.8, -0.2, nan],
                "standardised": [0.0, -8.0, nan],
                "overlap": [1.0, -1.0, nan],
                "same_conclusion": [1.0, 0.0, nan],
                "undetermined": ["", "", "synthetic"],
            }
        ),
        "regression_fit": pd.DataFrame({"outcome": ["income = high"], "s_lof": [340.4], "compared": [2]}),
        "prediction": pd.DataFrame(
            {
                "split": 0,
                "target": "income",
                "trained_on": ["real", "synthetic", "real again", "dummy"],
                "accuracy": [0.864, 0.761, 0.861, 0.7607],
                "accuracy_low": 0.7,
                "accuracy_high": 0.9,
                "balanced_accuracy": [0.77, 0.5, 0.77, 0.5],
                "auc": [0.91, 0.49, 0.91, 0.5],
                "r2": nan,
                "kept": [1.0, -0.02, 0.99, 0.0],
                "train_records": [700, 700, 700, 0],
                "test_records": 300,
            }
        ),
        "confusion": pd.DataFrame(
            {
                "split": 0,
                "trained_on": ["real"] * 4 + ["synthetic"] * 4,
                "actual": ["low", "low", value, value] * 2,
                "predicted": ["low", value] * 4,
                "records": [220.0, 10, 30, 40, 230, 0, 70, 0],
                "share": 0.5,
            }
        ),
        "importance": pd.DataFrame(
            {
                "split": 0,
                "method": "shap",
                "trained_on": ["real"] * 3 + ["synthetic"] * 3,
                "variable": ["age", "sex", name] * 2,
                "importance": [3.0, 2.0, 1.0, 1.0, 2.0, 3.0],
                "rank": [1.0, 2, 3, 3, 2, 1],
            }
        ),
        "importance_agreement": pd.DataFrame(
            {
                "split": 0,
                "method": "shap",
                "trained_on": ["synthetic", "real again"],
                "spearman": [-1.0, 0.99],
                "kendall": [-1.0, 0.9],
                "top_same": [False, True],
                "first_three_same": False,
                "order_same": False,
            }
        ),
        "fairness": pd.DataFrame(
            {
                "split": 0,
                "by": ["", "sex", "sex"],
                "group": ["everybody", "Female", value],
                "measure": "accuracy",
                "positive": "high",
                "records": [300, 150, 150],
                "n": 300.0,
                "real": [0.86, 0.9, 0.8],
                "real_low": 0.7,
                "real_high": 0.95,
                "synthetic": [0.76, 0.6, 0.8],
                "synthetic_low": 0.5,
                "synthetic_high": 0.9,
                "difference": [-0.1, -0.3, 0.0],
                "difference_low": [-0.2, -0.4, -0.1],
                "difference_high": [-0.05, -0.2, 0.1],
                "p": [0.001, 0.001, 0.5],
                "q": [nan, 0.002, 0.5],
                "again": [0.85, 0.89, 0.8],
                "again_q": [nan, 0.4, 1.0],
            }
        ),
        "disclosure_identity": pd.DataFrame(
            {
                "keys": "age x sex",
                "without": ["", "age"],
                "real": 1000,
                "synthetic": 2000,
                "combinations": [90, 2],
                "UiO": [3.1, 0.1],
                "UiS": [3.0, 0.0],
                "UiOiS": [1.0, 0.0],
                "repU": [0.5, 0.0],
                "repU_holdout": nan,
            }
        ),
        "disclosure_attribute": pd.DataFrame(
            {
                "target": ["income", name],
                "wanted": [True, False],
                "iS": 95.4,
                "DiS": 3.1,
                "DiSCO": [2.2, 0.5],
                "DiSCO_guarded": [0.1, 0.5],
                "DiSDiO": 0.1,
                "DiSCO_shuffled": [2.2, 0.5],
                "DiSCO_holdout": nan,
                "baseCAPd": 63.6,
                "DCAP": 63.5,
                "TCAP": 70.8,
            }
        ),
        "disclosure_distance": pd.DataFrame(
            {
                "comparison": ["synthetic to real", "real to other real"],
                "records": 300,
                "median": [0.09, 0.01],
                "p05": 0.0,
                "identical": [0.0, 0.133],
                "ratio": 0.9,
                "share_closer": nan,
                "lower": nan,
                "upper": nan,
                "expected": nan,
            }
        ),
        "attacks": pd.DataFrame(
            {
                "attack": ["singling out, one variable", "inference: income"],
                "known": "age, sex",
                "wanted": ["who", value],
                "n": [1, 300],
                "success": [1.0, 0.65],
                "lower": [0.2, 0.6],
                "upper": [1.0, 0.7],
                "control": [nan, 0.6],
                "control_lower": [nan, 0.55],
                "control_upper": [nan, 0.65],
                "baseline": [0.0, 0.76],
                "risk": [nan, 0.128],
                "risk_lower": [nan, -0.01],
                "risk_upper": [nan, 0.26],
            }
        ),
        "zone_uniqueness": pd.DataFrame(
            {
                "zone": ["E01000001", "E01000002", "E01000003"],
                "people": [100, 200, 0],
                "unique": [1, 30, 0],
                "under_3": [5, 60, 0],
                "under_5": [9, 90, 0],
                "under_10": [20, 150, 0],
            }
        ),
        "intruder": pd.DataFrame(
            {
                "sees": ["the people", "the people and ids"],
                "measure": ["answer guessed", "found by keys"],
                "target": ["income", ""],
                "value": [63.4, 12.0],
                "unit": ["%", "% of respondents"],
                "baseline": [60.0, nan],
                "baseline_is": ["a random person’s", ""],
                "respondents": 1000,
                "headline": [True, False],
            }
        ),
        "copies": pd.DataFrame(
            {
                "people": [751485],
                "records": [59147],
                "records_used": [58000],
                "most_copied": [0.031],
                "effective_records": [41000.4],
            }
        ),
    }


def audit(**names):
    """Checks of an audit, with findings of every level."""
    value = names.get("value", "Husband")
    found = (
        finding("perturbed", f"A note on {value}.", level="note"),
        finding(
            "worse-than-independence", f"{value} is worse than chance.", rows=pd.DataFrame({"group": [value], "record": ["P7"]})
        ),
    )
    return Checks({}, tables(**names), found)
