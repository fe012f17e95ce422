"""Prediction: models trained on synthetic records beside models trained on real ones, tested on real records held back."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding, finding
from synthpop_gb.pair import Pair
from synthpop_gb.validation.chance import wilson
from synthpop_gb.validation.utility._importance import importances, rows_of
from synthpop_gb.validation.utility._sides import sides
from synthpop_gb.validation.utility._trials import AGAIN, DUMMY, REAL, SYNTHETIC, Forest, Trial, task, trials
from synthpop_gb.validation.utility._words import percent, said
from synthpop_gb.validation.utility.measures import propensity_measures

__all__ = ["ENOUGH", "KEPT", "prediction", "skill"]

KEPT, ENOUGH = 0.75, 0.9
"""Below the first share of the real model's skill, models of the synthetic records are found wanting; from the second on they
will do. Conventions of this package, on which verdicts rest as well."""

_COLUMNS = (
    "split", "target", "trained_on", "train_records", "test_records", "accuracy", "accuracy_low", "accuracy_high",
    "balanced_accuracy", "auc", "r2", "rmse", "mae", "skill", "kept",
)  # fmt: skip


def prediction(
    pair: Pair,
    *,
    target: str | None = None,
    seed: int = 1,
    splits: int = 1,
    forest: Forest | None = None,
    permuted: int = 2_000,
    repeats: int = 5,
    explained: int = 200,
    explained_trees: int = 25,
) -> Checks:
    """Train random forests on synthetic and on real records and test both on real records that were held back.

    Parameters
    ----------
    pair : Pair
        Both sides.
    target : str, optional
        What is predicted, from all other variables; `pair.target` by default.
    seed : int
        Of splits, forests and permutations.
    splits : int
        Times that the real records are split anew into training and test records.
    forest : Forest, optional
        Trees, fewest records in a leaf, share of real records trained on (0.7), most records trained on.
    permuted, repeats : int
        Test records and repeats of permutation importance.
    explained, explained_trees : int
        Test records and trees explained by SHAP. A few hundred records settle an order of variables; what is not looked at is
        said.

    Returns
    -------
    Checks
        'prediction', one row a split and model: split, target, trained_on ('real', 'synthetic', 'real again': a bootstrap sample
        of the real training records, which shows how far two models of one quality differ; 'dummy': the most frequent value or
        the mean), train_records, test_records; of a category accuracy with its Wilson interval, balanced_accuracy and auc (of
        more classes than two the mean of each against the rest); of a number r2, rmse, mae; skill (see `skill`) and kept, the
        share of the real model's skill.
        'confusion': split, trained_on, actual, predicted, records, share (of the actual value's records).
        'importance': split, method ('permutation', 'shap'), trained_on, variable, importance, rank.
        'importance_agreement': split, method, trained_on ('synthetic', 'real again'), and `_importance.rank_agreement` with
        the order of the model trained on real records: spearman, kendall, top_same, first_three_same, order_same.

    Raises
    ------
    KeyError
        For a target that is not there.
    InputError
        'missing-extra' where scikit-learn or shap is not installed.

    Notes
    -----
    Esteban, Hyland & Rätsch (2017) for training on synthetic and testing on real records. Real test records may have been
    among those that the synthetic ones were made from; a synthesis that repeats them is told by a finding.
    """
    both = sides(pair)
    findings = list(both.findings)
    made = task(both, target, findings)
    done = [] if made is None else trials(made, seed, splits, forest or Forest(), findings)
    options = {"permuted": permuted, "repeats": repeats, "explained": explained, "explained_trees": explained_trees}
    return judge(done, seed, options, findings)


def judge(done: list[Trial], seed: int, options: dict[str, int], findings: list[Finding]) -> Checks:
    """Measure trials that were run."""
    rows, confusion, each, agreement = [], [], [], []
    for t in done:
        rows += _measured(t)
        confusion += _confusion(t)
        found = rows_of(t, importances(t, seed, **options))
        each += found[0]
        agreement += found[1]
    if done and len(done[0].test) > options["explained"]:
        message = (
            f"Importance was taken from {min(len(done[0].test), options['permuted']):,} test records (permutation) and "
            f"{options['explained']:,} of them (SHAP, {options['explained_trees']} trees) of {len(done[0].test):,}."
        )
        findings.append(finding("utility-partial", message, count=len(done[0].test) - options["explained"]))
    tables = {
        "prediction": pd.DataFrame(rows, columns=list(_COLUMNS)),
        "confusion": pd.DataFrame(confusion, columns=["split", "trained_on", "actual", "predicted", "records", "share"]),
        "importance": pd.DataFrame(each, columns=["split", "method", "trained_on", "variable", "importance", "rank"]),
        "importance_agreement": pd.DataFrame(
            agreement,
            columns=["split", "method", "trained_on", "spearman", "kendall", "top_same", "first_three_same", "order_same"],
        ),
    }
    return Checks(_headline(tables, findings), tables, tuple(findings))


def skill(measured: dict[str, float]) -> float:
    """Return what a model is worth beyond guessing: 2 AUC - 1 of a category, R2 of a number; 0 for the dummy, 1 for perfect.

    >>> skill({"auc": 0.75}), skill({"r2": 0.4})
    (0.5, 0.4)
    """
    auc = measured.get("auc", math.nan)
    return measured.get("r2", math.nan) if math.isnan(auc) else 2 * auc - 1


def class_measures(actual: np.ndarray, score: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """Accuracy, balanced accuracy and AUC of predicted probabilities.

    actual : (n,) int class; score : (n, n_classes); weight : (n,) float64, which adds up to the effective number of records.

    >>> found = class_measures(np.array([0, 0, 0, 1]), np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]]), np.ones(4))
    >>> found["accuracy"], found["balanced_accuracy"], found["auc"]  # 3 of 4; (2/3 + 1) / 2; 2 of 3 pairs in order
    (0.75, 0.8333333333333333, 0.6666666666666666)
    """
    right = score.argmax(axis=1) == actual
    total = float(weight.sum())
    hits = float(weight[right].sum())
    present = np.unique(actual)
    recall = [float(weight[right & (actual == k)].sum() / weight[actual == k].sum()) for k in present]
    against = present[-1:] if score.shape[1] == 2 and len(present) == 2 else present
    areas = [propensity_measures(score[:, k], weight * (actual != k), weight * (actual == k))["auc"] for k in against]
    low, high = wilson(hits, total)
    return {
        "accuracy": hits / total, "accuracy_low": low, "accuracy_high": high, "balanced_accuracy": float(np.mean(recall)),
        "auc": float(np.mean(areas)),
    }  # fmt: skip


def number_measures(actual: np.ndarray, predicted: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """R2, root mean square error and mean absolute error of predicted numbers; R2 is NaN where they do not vary.

    >>> number_measures(np.array([1.0, 3.0]), np.array([2.0, 3.0]), np.ones(2))  # 1 - 1/2; sqrt(1/2); 1/2
    {'r2': 0.5, 'rmse': 0.7071067811865476, 'mae': 0.5}
    """
    share = weight / weight.sum()
    squares = float(share @ (actual - predicted) ** 2)
    spread = float(share @ (actual - share @ actual) ** 2)
    return {
        "r2": 1 - squares / spread if spread > 0 else math.nan,
        "rmse": math.sqrt(squares),
        "mae": float(share @ np.abs(actual - predicted)),
    }


def _measured(t: Trial) -> list[dict[str, object]]:
    rows = []
    for name, score in t.scores.items():
        row = {"split": t.split, "target": t.task.target, "trained_on": name, "train_records": t.trained[name]}
        row["test_records"] = len(t.test)
        if t.task.classes:
            row |= class_measures(t.actual, score, t.weight)
        else:
            found = number_measures(t.actual, score, t.weight)
            row |= {"r2": found["r2"], "rmse": found["rmse"] * t.task.unit, "mae": found["mae"] * t.task.unit}
        rows.append({**row, "skill": skill(row)})
    best = next((r["skill"] for r in rows if r["trained_on"] == REAL), math.nan)
    return [{**r, "kept": r["skill"] / best if best > 0 else math.nan} for r in rows]


def _confusion(t: Trial) -> list[dict[str, object]]:
    classes = t.task.classes
    rows = []
    for name in t.scores if classes else ():
        table = np.zeros((len(classes),) * 2)
        np.add.at(table, (t.actual, t.predicted(name)), t.weight)
        for i, actual in enumerate(classes):
            total = table[i].sum()
            for j, predicted in enumerate(classes):
                share = table[i, j] / total if total > 0 else math.nan
                keys = {"split": t.split, "trained_on": name, "actual": actual, "predicted": predicted}
                rows.append({**keys, "records": float(table[i, j]), "share": float(share)})
    return rows


def _headline(tables: dict[str, pd.DataFrame], findings: list[Finding]) -> dict[str, object]:
    table, agreement = tables["prediction"], tables["importance_agreement"]
    if table.empty:
        return {}
    target, splits = table["target"].iloc[0], table["split"].nunique()
    mean = table.groupby("trained_on")[["accuracy", "auc", "r2", "skill", "kept"]].mean()
    measures = [("accuracy", "accuracy"), ("auc", "AUC")] if mean["accuracy"].notna().any() else [("r2", "R2")]
    words = ((SYNTHETIC, "trained on synthetic"), (REAL, "on real"), (AGAIN, "on real again"), (DUMMY, "dummy"))
    parts = []
    for column, label in measures:
        values = [f"{said(mean.loc[name, column], '.3f')} {word}" for name, word in words if name in mean.index]
        parts.append(f"{label} {', '.join(values)}")
    if splits > 1:
        parts.append(f"mean of {splits} splits")
    out = {f"prediction of {target}": "; ".join(parts)}
    if SYNTHETIC in mean.index and (kept := mean.loc[SYNTHETIC, "kept"]) < KEPT:
        message = (
            f"Models of {target} trained on synthetic records keep {100 * kept:.0f} % of the skill of those trained on real ones."
        )
        findings.append(finding("utility-low", message, place=str(target)))
    for method, rows in agreement.groupby("method"):
        by = rows.groupby("trained_on")[["spearman", "top_same", "order_same"]].mean()
        if SYNTHETIC in by.index:
            a, b = by.loc[SYNTHETIC], by.loc[AGAIN]
            out[f"order of importance by {'SHAP' if method == 'shap' else method}"] = (
                f"rank correlation {said(a['spearman'], '.2f')} (real again {said(b['spearman'], '.2f')}), first variable "
                f"kept in {percent(a['top_same'])} of splits ({percent(b['top_same'])}), "
                f"whole order in {percent(a['order_same'])} ({percent(b['order_same'])})"
            )
    return out
