"""Utility of a pair: what its measures show for syntheses that are right, and for Adult without the links between columns."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd
from _measure import figure

__all__ = ["adult", "perfect"]


def _pair(real: pd.DataFrame, synthetic: pd.DataFrame, **roles):
    """Two frames with the same columns as a pair; text and categories are categories."""
    from synthpop_gb.pair import Pair, PairVariable

    frames, variables = ({}, {}), []
    for name in real:
        number = pd.api.types.is_numeric_dtype(real[name])
        variables.append(PairVariable(name, "number" if number else "category"))
        categories = None if number else sorted({*real[name].astype(str), *synthetic[name].astype(str)})
        for out, side in zip(frames, (real, synthetic), strict=True):
            column = side[name].reset_index(drop=True)
            out[name] = column.astype(float) if number else pd.Categorical(column.astype(str), categories)
    return Pair(pd.DataFrame(frames[0]), pd.DataFrame(frames[1]), tuple(variables), **roles)


def _people(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Records of two numbers and three categories that hang together."""
    age = rng.integers(16, 90, n)
    ill = np.where(rng.random(n) < age / 150, "ill", "well")
    home = np.where(rng.random(n) < age / 100, "own", rng.choice(["rent", "parents"], n))
    income = np.exp(rng.normal(9.5 + 0.3 * (home == "own") - 0.2 * (ill == "ill"), 0.5))
    sex = rng.choice(["female", "male"], n)
    return pd.DataFrame({"age": age, "sex": sex, "ill": ill, "home": home, "income": income.round()})


def perfect(*, folder: Path, syntheses: int = 100) -> tuple[str, dict]:
    """Mean standardised measures of perfect syntheses: records of 2,000 drawn anew from themselves, 100 times."""
    from synthpop_gb.validation.utility.propensity import propensity
    from synthpop_gb.validation.utility.regression import regression
    from synthpop_gb.validation.utility.tables import tables

    rng = np.random.default_rng(1)
    real = _people(2000, rng)
    found: dict[str, list[float]] = {}
    for i in range(syntheses):
        pair = _pair(real, real.iloc[rng.integers(0, len(real), len(real))], target="ill")
        table = tables(pair, order=3)["utility_tables"]
        for name in ("s_pmse", "s_ft", "s_g", "s_jsd", "s_wmabsdd"):
            for k, rows in table.groupby("k"):
                found.setdefault(f"{name}_{k}", []).append(rows[name].mean())
        models = propensity(pair, models=("logistic", "interactions", "cart"), permutations=10, seed=i)["propensity"]
        for row in models.to_dict("records"):
            found.setdefault(f"s_pmse_{row['model']}", []).append(row["s_pmse"])
        fit = regression(pair)["regression_fit"].iloc[0]
        for name in ("s_lof", "mean_abs_standardised", "mean_overlap"):
            found.setdefault(name, []).append(fit[name])
    values = {name: figure(float(np.mean(v)), "", f"{np.mean(v):.2f}") for name, v in found.items()}
    values["syntheses"] = figure(syntheses, "syntheses")
    return "python benchmarks/figures.py --only utility_perfect", values


def adult(*, folder: Path) -> tuple[str, dict]:
    """Adult's 48,842 records against a bootstrap sample of them, and against their columns shuffled one by one."""
    from synthpop_gb.validation.utility import utility

    real = pd.read_parquet(Path(os.environ["SYNTHPOP_GB_DATA"]) / "classic" / "adult" / "adult.parquet").drop(columns="split")
    rng = np.random.default_rng(1)
    sides = {
        "bootstrap": real.iloc[rng.integers(0, len(real), len(real))],
        "shuffled": pd.DataFrame({c: real[c].to_numpy()[rng.permutation(len(real))] for c in real}),
    }
    values = {"records": figure(len(real), "records")}
    for name, synthetic in sides.items():
        began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_utime
        checks = utility(_pair(real, synthetic, target="income", protected=("sex", "race")), seed=1)
        values[f"{name}_seconds"] = figure(time.perf_counter() - began, "s")
        values[f"{name}_cpu_seconds"] = figure(resource.getrusage(resource.RUSAGE_SELF).ru_utime - used, "s")
        values |= {f"{name}_{key}": entry for key, entry in _summary(checks).items()}
    return "python benchmarks/figures.py --only utility_adult", values


def _short(value: float) -> dict:
    """A figure of three digits, without powers of ten."""
    return figure(value, "", "0" if value < 1e-9 else f"{value:,.0f}" if value >= 100 else f"{value:.3g}")


def _summary(checks) -> dict[str, dict]:
    """The figures of one pair that the docs quote."""
    out = {}
    tables = checks["utility_tables"]
    for k, rows in tables.groupby("k"):
        out[f"s_pmse_median_{k}"] = _short(rows["s_pmse"].median())
        worst = rows.loc[rows["s_pmse"].idxmax()]
        out[f"s_pmse_largest_{k}"] = _short(worst["s_pmse"])
        out[f"worst_{k}"] = figure(" x ".join(x for x in worst[["a", "b", "c"]] if x), "")
    for row in checks["propensity"].to_dict("records"):
        out[f"s_pmse_{row['model']}"] = _short(row["s_pmse"])
        out[f"auc_{row['model']}"] = figure(row["auc"], "", f"{row['auc']:.3f}")
    fit = checks["regression_fit"].iloc[0]
    out["overlap"] = figure(100 * fit["mean_overlap"], "%", f"{100 * fit['mean_overlap']:.0f} %")
    out["lack_of_fit"] = _short(fit["s_lof"])
    for row in checks["prediction"].to_dict("records"):
        name = row["trained_on"].replace(" ", "_")
        out[f"accuracy_{name}"] = figure(row["accuracy"], "", f"{row['accuracy']:.3f}")
        out[f"model_auc_{name}"] = figure(row["auc"], "", f"{row['auc']:.3f}")
    for row in checks["importance_agreement"].to_dict("records"):
        name = f"rank_{row['method']}_{row['trained_on'].replace(' ', '_')}"
        known = row["spearman"] == row["spearman"]
        out[name] = figure(row["spearman"] if known else "unknown", "", f"{row['spearman']:.2f}" if known else "unknown")
    norms = checks["association_norms"].query("variables == 'numbers'").set_index(["correlation", "norm"])
    for kind in ("pearson", "spearman"):
        for norm in ("entrywise", "upper", "induced_1"):
            value = norms.loc[(kind, norm), "value"]
            out[f"{kind}_{norm}"] = figure(value, "", f"{value:.3f}")
    return out
