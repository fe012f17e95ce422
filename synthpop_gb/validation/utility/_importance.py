"""Which variables a model leans on, by permuting them and by SHAP, and whether two models lean on them in the same order."""

from __future__ import annotations

import math
import warnings

import numpy as np

from synthpop_gb.validation.utility._sides import generator, part
from synthpop_gb.validation.utility._trials import AGAIN, REAL, SYNTHETIC, Trial, with_fewer_trees

__all__ = ["METHODS", "importances", "rank_agreement", "rankings"]

METHODS = ("permutation", "shap")


def importances(
    trial: Trial, seed: int, *, permuted: int, repeats: int, explained: int, explained_trees: int
) -> dict[str, dict[str, np.ndarray]]:
    """Return each variable's importance by method and by what the model was trained on: (n_variables,) float64.

    permuted, repeats : test records looked at, and times that a variable is permuted among them; the importance is the mean
    fall of accuracy, or of R2 for a number (Breiman 2001).
    explained, explained_trees : test records and first trees explained by SHAP; the importance is the mean absolute SHAP
    value, over the classes of a category (Lundberg et al. 2020).
    """
    (permutation,) = part("sklearn.inspection", "permutation_importance")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what shap's import deprecates is not ours to mend
        (explainer,) = part("shap", "TreeExplainer")
    rng = generator(seed, f"importance {trial.split}")
    order = rng.permutation(len(trial.test))
    own = int(rng.integers(2**31))
    x = trial.task.x[0][trial.test].astype(np.float32)
    out = {m: {} for m in METHODS}
    for name, model in trial.models.items():
        some = order[:permuted]
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = permutation(
                model, x[some], trial.actual[some], n_repeats=repeats, random_state=own, n_jobs=1,
                sample_weight=trial.weight[some] / trial.weight[some].mean(),
            )  # fmt: skip
            out["permutation"][name] = np.asarray(found.importances_mean, np.float64)
            few = with_fewer_trees(model, explained_trees)
            values = explainer(few).shap_values(x[order[:explained]], check_additivity=False)
        out["shap"][name] = _mean_absolute(values)
    return out


def _mean_absolute(values) -> np.ndarray:
    """Mean absolute SHAP value by variable; shap returns (n, p), (n, p, classes) or a list of (n, p) by version and model."""
    values = np.stack(values, axis=-1) if isinstance(values, list) else np.asarray(values)
    values = np.abs(values).mean(axis=0)
    return values.mean(axis=-1) if values.ndim == 2 else values


def rankings(importance: np.ndarray) -> np.ndarray:
    """Rank variables from 1, the most important; equals share their mean rank.

    >>> rankings(np.array([0.1, 0.5, 0.1])).tolist()
    [2.5, 1.0, 2.5]
    """
    from scipy.stats import rankdata

    return rankdata(-np.asarray(importance))


def rank_agreement(real: np.ndarray, other: np.ndarray) -> dict[str, object]:
    """Measure how far two models order variables alike.

    Parameters
    ----------
    real, other : numpy.ndarray
        (n,) importances of the same variables.

    Returns
    -------
    dict
        'spearman' and 'kendall' (tau-b) of the importances, NaN for fewer than two variables or where one side's are all
        equal; 'top_same', whether the most important variable is the same; 'first_three_same', whether the first three are,
        in order; 'order_same', whether the whole order is. Of equals the first variable goes first.

    >>> rank_agreement(np.array([3.0, 2, 1]), np.array([3.0, 1, 2]))
    {'spearman': 0.5, 'kendall': 0.333333, 'top_same': True, 'first_three_same': False, 'order_same': False}
    """
    from scipy.stats import kendalltau

    orders = [np.argsort(-np.asarray(i), kind="stable") for i in (real, other)]
    out = {"spearman": math.nan, "kendall": math.nan}
    if len(real) >= 2 and all((np.asarray(i) != i[0]).any() for i in (real, other)):
        ranks = [rankings(i) - (len(real) + 1) / 2 for i in (real, other)]
        out["spearman"] = round(float((ranks[0] @ ranks[1]) / math.sqrt((ranks[0] @ ranks[0]) * (ranks[1] @ ranks[1]))), 6)
        out["kendall"] = round(float(kendalltau(real, other).statistic), 6)
    for name, n in (("top_same", 1), ("first_three_same", 3), ("order_same", len(real))):
        out[name] = bool((orders[0][:n] == orders[1][:n]).all())
    return out


def rows_of(trial: Trial, found: dict[str, dict[str, np.ndarray]]) -> tuple[list[dict], list[dict]]:
    """Rows of the tables 'importance' and 'importance_agreement' of one trial."""
    each, agreement = [], []
    for method, models in found.items():
        for name, values in models.items():
            keys = {"split": trial.split, "method": method, "trained_on": name}
            ranks = rankings(values)
            each += [
                {**keys, "variable": v, "importance": float(i), "rank": float(r)}
                for v, i, r in zip(trial.task.variables, values, ranks, strict=True)
            ]
        agreement += [
            {"split": trial.split, "method": method, "trained_on": name, **rank_agreement(models[REAL], models[name])}
            for name in (SYNTHETIC, AGAIN)
            if name in models and REAL in models
        ]
    return each, agreement
