"""Titanic and heart failure: data made from distributions, with and without correlation, beside what was published."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from _definitions import readings, summary
from _measure import figure

__all__ = ["PUBLISHED", "heart", "load_heart", "load_titanic", "titanic"]

PUBLISHED = (1.28, 0.28)
"""L1 norm of the difference between the correlation matrices of real and synthetic passengers, level 1 and level 2."""

SEEDS = 50
_NORMS = ("entrywise", "upper", "induced_1")


def load_titanic() -> pd.DataFrame:
    """Return passengers whose class, sex, age, fare and survival are known, as numbers: class 1 to 3, sex 1 = female."""
    path = Path(os.environ["SYNTHPOP_GB_DATA"]) / "classic" / "titanic3" / "titanic3.csv"
    frame = pd.read_csv(path).dropna(subset=["pclass", "sex", "age", "fare", "survived"])
    frame = frame.assign(sex=(frame["sex"] == "female").astype(float)).rename(columns={"pclass": "class"})
    return frame[["class", "sex", "age", "fare", "survived"]].reset_index(drop=True)


def load_heart() -> pd.DataFrame:
    """Return 299 patients: the six measurements of the published validation, and whether they died."""
    path = Path(os.environ["SYNTHPOP_GB_DATA"]) / "classic" / "heart-failure" / "heart_failure_clinical_records.csv"
    names = ["serum_creatinine", "ejection_fraction", "age", "platelets", "serum_sodium", "creatinine_phosphokinase"]
    return pd.read_csv(path)[[*names, "DEATH_EVENT"]].rename(columns={"DEATH_EVENT": "died"}).astype(float)


def makers(real: pd.DataFrame, outcome: str) -> dict[str, Callable[[int], pd.DataFrame]]:
    """Four ways of making data for a model of the outcome, by name."""
    from synthpop_gb.synthesis import draw_within, fit_distributions

    learnt = fit_distributions(real)
    return {
        "level_1": lambda seed: learnt.draw(seed=seed, correlated=False),
        "level_2": lambda seed: learnt.draw(seed=seed),
        "within_level_1": lambda seed: draw_within(real, outcome, seed=seed, correlated=False),
        "within_level_2": lambda seed: draw_within(real, outcome, seed=seed),
    }


def titanic(*, folder: Path) -> tuple[str, dict]:
    """Which reading of "L1 norm" comes nearest to what was published, and what forests learn at either level."""
    real = load_titanic()
    values = {
        "passengers": figure(len(real), "passengers"), "survived": figure(int(real["survived"].sum()), "passengers"),
        "seeds": figure(SEEDS, "seeds"), **_ages(real),
    }  # fmt: skip
    table = readings(real, "survived", range(SEEDS))
    values |= _plain(table) | _nearest(summary(table, PUBLISHED))
    return "python benchmarks/figures.py --only titanic", values | forests(real, "survived", SEEDS)


def heart(*, folder: Path) -> tuple[str, dict]:
    """What forests learn of patients at either level, and how far apart the correlation matrices are."""
    real = load_heart()
    values = {
        "patients": figure(len(real), "patients"), "died": figure(int(real["died"].sum()), "patients"),
        "seeds": figure(SEEDS, "seeds"),
    }  # fmt: skip
    values |= _plain(readings(real, "died", range(SEEDS)))
    return "python benchmarks/figures.py --only heart", values | forests(real, "died", SEEDS)


def _ages(real: pd.DataFrame) -> dict:
    """Which distributions fit, and how many young passengers each has."""
    from synthpop_gb.synthesis import fit_distributions

    best = fit_distributions(real)
    marginals = best.marginals.set_index("variable")
    other = fit_distributions(real[["age"]], families=("log-normal",))
    young = {"real": real["age"], "fitted": best.draw(200_000, seed=1)["age"], "log_normal": other.draw(200_000, seed=1)["age"]}
    return {
        "age_distribution": figure(marginals.loc["age", "distribution"]), "age_ks": figure(marginals.loc["age", "ks"]),
        "fare_distribution": figure(marginals.loc["fare", "distribution"]), "fare_ks": figure(marginals.loc["fare", "ks"]),
        "log_normal_ks": figure(other.marginals["ks"].iloc[0]),
        "young_below_nought": figure(100 * (young["fitted"] < 0).mean(), "%"),
        **{f"young_{name}": figure(100 * (ages < 5).mean(), "%") for name, ages in young.items()},
    }  # fmt: skip


def _span(mean: float, low: float, high: float) -> dict:
    return figure(mean, "", f"{mean:.2f} ({low:.2f} to {high:.2f})")


def _plain(table: pd.DataFrame) -> dict:
    """Differences under each definition: all records, families by AIC, Spearman's correlations kept, features only."""
    part = table[(table["variables"] == "features") & table["norm"].isin(_NORMS)]
    part = part[(part["level"] == 0) | ((part["fitted"] == "all records") & (part["families"] == "least AIC"))]
    part = part[part["keeps"].isin(["", "spearman"])]
    values = {}
    for (correlation, norm, level), v in part.groupby(["correlation", "norm", "level"])["value"]:
        name = f"{correlation}_{norm}_{f'level_{level}' if level else 'floor'}"
        values[name] = _span(v.mean(), v.quantile(0.05), v.quantile(0.95))
    return values


_WORDS = {
    "entrywise": "all entries", "upper": "each pair once", "induced_1": "largest column sum", "frobenius": "Frobenius norm",
    "max": "largest entry", "spearman": "Spearman's", "pearson": "Pearson's", "normal-scores": "the normal scores'",
    "pearson as it is": "Pearson's, put in as it is,",
}  # fmt: skip


def _nearest(found: pd.DataFrame) -> dict:
    """The readings nearest to what was published, in words, with their figures."""
    values = {
        "readings": figure(len(found), "readings"),
        "readings_both": figure(int(found["both_within"].sum()), "readings"),
        "readings_both_all": figure(int((found["both_within"] & (found["fitted"] == "all records")).sum()), "readings"),
    }
    everybody = found[found["fitted"] == "all records"]
    column = everybody[(everybody["correlation"] == "spearman") & (everybody["norm"] == "induced_1")]
    column = column[column["variables"] == "features"]
    for name, rows in (("nearest", found), ("nearest_all", everybody), ("nearest_induced", column)):
        row = rows.iloc[0]
        families = "" if row["families"] == "least AIC" else ", all log-normal"
        values[name] = figure(
            f"{_WORDS[row['correlation']]} correlations of the {row['variables']}, {_WORDS[row['norm']]}; distributions of "
            f"{row['fitted']}{families}; level 2 keeps {_WORDS[row['keeps']]} correlations"
        )
        for level in (1, 2):
            at = f"level_{level}"
            values[f"{name}_{at}"] = _span(row[at], row[f"{at}_low"], row[f"{at}_high"])
    return values


def forests(real: pd.DataFrame, outcome: str, seeds: int) -> dict:
    """Accuracy, confusion and order of importance of forests trained on real and on synthetic records, over seeds."""
    measured, orders, agreement, confusion = [], [], [], []
    for name, make in makers(real, outcome).items():
        for seed in range(seeds):
            found = _predicted(real, make(seed), outcome, seed)
            for table, rows in (
                (measured, found["prediction"]), (orders, found["importance"]), (agreement, found["importance_agreement"]),
                (confusion, found["confusion"]),
            ):  # fmt: skip
                rows = rows[(rows["trained_on"] == "synthetic") | (name == "level_1")]
                names = rows["trained_on"].replace({"synthetic": name, "real again": "again"})
                table.append(rows.assign(trained_on=names, seed=seed))
    measured, orders, agreement, confusion = map(pd.concat, (measured, orders, agreement, confusion))
    values = {}
    for name, rows in measured.groupby("trained_on", sort=False):
        v = rows["accuracy"]
        values[f"{name}_accuracy"] = figure(100 * v.mean(), "%", f"{100 * v.mean():.1f} % (sd {100 * v.std():.1f})")
    for name, rows in confusion.groupby("trained_on", sort=False):
        cells = rows.groupby(["actual", "predicted"])["records"].mean()
        values[f"{name}_confusion"] = figure("; ".join(f"{a} taken for {p}: {n:.0f}" for (a, p), n in cells.items()))
    for method in ("shap", "permutation"):
        end = "" if method == "shap" else "_permutation"
        for name, rows in orders[orders["method"] == method].groupby("trained_on", sort=False):
            mean = rows.groupby("variable")["importance"].mean().sort_values(ascending=False)
            values[f"{name}_order{end}"] = figure(", ".join(v.replace("_", " ") for v in mean.index))
        for name, rows in agreement[agreement["method"] == method].groupby("trained_on", sort=False):
            values[f"{name}_kept{end}"] = figure(100 * rows["order_same"].mean(), "%", f"{100 * rows['order_same'].mean():.0f} %")
            values[f"{name}_agreement{end}"] = figure(rows["spearman"].mean(), "", f"{rows['spearman'].mean():.2f}")
    return values


def _predicted(real: pd.DataFrame, made: pd.DataFrame, outcome: str, seed: int):
    """Checks of one synthetic data set: 70 % of the real records to train on, forests of 100 trees."""
    from synthpop_gb.pair import Pair, PairVariable
    from synthpop_gb.validation.utility.prediction import prediction

    sides = []
    for side in (real, made):
        named = pd.Categorical(np.where(side[outcome] == 1, "yes", "no"), categories=["no", "yes"])
        sides.append(side.astype(float).assign(**{outcome: named}).reset_index(drop=True))
    kinds = tuple(PairVariable(c, "category" if c == outcome else "number") for c in real)
    return prediction(Pair(*sides, kinds, target=outcome), seed=seed, splits=1, repeats=3, explained_trees=50)
