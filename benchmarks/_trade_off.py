"""boys: what several syntheses are worth and what they give away, over seeds; figures and the privacy-utility plot."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from _measure import ROOT, figure

__all__ = ["GENERATORS", "VARIABLES", "boys", "draw", "load_boys", "measured"]

VARIABLES = ("age", "hgt", "wgt", "hc", "tv")
"""Age in years, height and head in cm, weight in kg, testicular volume in ml. What a joint normal cannot take (region, stages)
and what follows from others (body mass index) is left out."""

KEYS, TARGET = ("age", "hgt", "wgt"), "tv"
SEEDS = 20
PLOT = ROOT / "docs" / "_static" / "privacy-utility.svg"


def _sequential(**options) -> Callable:
    def make(real, seed):
        from synthpop_gb.synthesis import Settings, sequential

        settings = Settings(minbucket=options.get("minbucket", 5))
        return sequential(real, seed=seed, method=options["method"], settings=settings)

    return make


def _bootstrap(real: pd.DataFrame, seed: int) -> pd.DataFrame:
    return real.iloc[np.random.default_rng(seed).integers(len(real), size=len(real))].reset_index(drop=True)


def _distributions(correlated: bool) -> Callable:
    def make(real, seed):
        from synthpop_gb.synthesis import fit_distributions

        return fit_distributions(real).draw(seed=seed, correlated=correlated)

    return make


def _joint_normal(real, seed):
    from synthpop_gb.synthesis import fit_joint_normal

    return fit_joint_normal(real).draw(seed=seed)


GENERATORS: dict[str, tuple[str, Callable]] = {
    "real": ("real records", lambda real, seed: real),
    "bootstrap": ("bootstrap", _bootstrap),
    "cart": ("trees, leaves of 5", _sequential(method="cart")),
    "cart_30": ("trees, leaves of 30", _sequential(method="cart", minbucket=30)),
    "spline": ("splines, roots of volume", _sequential(method=dict.fromkeys(VARIABLES, "spline") | {"tv": "sqrt-spline"})),
    "linear": ("linear", _sequential(method="linear")),
    "joint": ("joint normal", _joint_normal),
    "level_2": ("distributions, level 2", _distributions(True)),
    "level_1": ("distributions, level 1", _distributions(False)),
}
"""By short name: name in the plot, and function of real records and seed."""


def load_boys() -> pd.DataFrame:
    """Return the records of 748 Dutch boys (Fredriks et al. 2000; distributed with R's mice), numbers only."""
    path = Path(os.environ["SYNTHPOP_GB_DATA"]) / "classic" / "mice" / "boys.csv"
    return pd.read_csv(path)[list(VARIABLES)].astype(float)


def measured(records: pd.DataFrame, seeds: range) -> pd.DataFrame:
    """One row a generator and seed: measures of utility and of disclosure.

    Each seed divides the records anew: 70 % are synthesised from, 30 % held out, so that what is given away of people can be told
    from what is known of people at large.
    """
    rows = []
    for seed in seeds:
        order = np.random.default_rng(seed).permutation(len(records))
        n = round(0.7 * len(records))
        training, holdout = (records.iloc[np.sort(part)].reset_index(drop=True) for part in (order[:n], order[n:]))
        for name, (_, make) in GENERATORS.items():
            made = make(training, seed).astype(float)
            rows.append({"generator": name, "seed": seed, **_measures(training, made, holdout, seed)})
    return pd.DataFrame(rows)


def _measures(real: pd.DataFrame, made: pd.DataFrame, holdout: pd.DataFrame, seed: int) -> dict[str, float]:
    from synthpop_gb.pair import Pair, PairVariable
    from synthpop_gb.validation.disclosure import disclosure
    from synthpop_gb.validation.utility.correlation import correlation_difference
    from synthpop_gb.validation.utility.propensity import propensity
    from synthpop_gb.validation.utility.tables import tables

    whole = {name: bool((real[name].dropna() % 1 == 0).all()) for name in real}
    pair = Pair(
        real, made, tuple(PairVariable(n, "number", n if n == "age" else "", whole[n]) for n in real), keys=KEYS, target=TARGET
    )
    scores = propensity(pair, seed=seed)["propensity"].set_index("model")["s_pmse"]
    found = disclosure(pair, seed=seed, holdout=holdout, key_groups=20, missing="leave out")
    attribute = found["disclosure_attribute"].set_index("target").loc[TARGET]
    distance = found["disclosure_distance"].iloc[0]
    attacks = found["attacks"].groupby(found["attacks"]["attack"].str.split(":").str[0])["risk"].max()
    return {
        "s_pmse_logistic": scores["logistic"], "s_pmse_cart": scores["cart"],
        "s_pmse_pairs": tables(pair)["utility_tables"].query("k == 2")["s_pmse"].mean(),
        "correlation": correlation_difference(real, made, norm="upper"), "impossible": 100 * (made < 0).any(axis=1).mean(),
        "replicated_uniques": found["disclosure_identity"]["repU"].iloc[0],
        "disclosed": attribute["DiSCO"], "disclosed_holdout": attribute["DiSCO_holdout"],
        "closer": 100 * (distance["share_closer"] - distance["expected"]), "identical": distance["identical"],
        "inference": attacks["inference"],
    }  # fmt: skip


_SHOWN = {
    "s_pmse_pairs": "S_pMSE of pairs of variables",
    "s_pmse_cart": "S_pMSE, tree",
    "s_pmse_logistic": "S_pMSE, logistic",
    "correlation": "difference of Pearson's correlations, each pair once",
    "impossible": "% of records with a number below nought",
    "replicated_uniques": "replicated uniques, %",
    "disclosed": "volume disclosed (DiSCO), %",
    "disclosed_holdout": "the same of boys who were held out, %",
    "closer": "closer to training than to holdout, points",
    "identical": "identical to a real record, %",
    "inference": "risk of inference",
}
"""Every measure, and its name in the plot."""


def draw(table: pd.DataFrame, path: Path) -> None:
    """Write the privacy-utility plot as SVG, the same bytes for the same figures."""
    import matplotlib as mpl

    from synthpop_gb.report.trade_off import trade_off

    named = table.assign(data=table["generator"].map({name: said for name, (said, _) in GENERATORS.items()}))
    axes = {side: {m: _SHOWN[m] for m in names} for side, names in (
        ("disclosure", ("replicated_uniques", "closer", "inference")), ("utility", ("s_pmse_pairs", "s_pmse_cart")),
    )}  # fmt: skip
    with mpl.rc_context({"svg.hashsalt": "privacy-utility", "svg.fonttype": "none", "font.family": "sans-serif"}):
        trade_off(named, name="data", **axes).savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def boys(*, folder: Path) -> tuple[str, dict]:
    """Means over seeds of every measure and generator; writes the plot that the docs show."""
    records = load_boys()
    table = measured(records, range(SEEDS))
    PLOT.parent.mkdir(exist_ok=True)
    draw(table, PLOT)
    values = {
        "boys": figure(len(records), "boys"),
        "training": figure(round(0.7 * len(records)), "boys"),
        "seeds": figure(SEEDS, "seeds"),
    }
    means = table.groupby("generator", sort=False)[list(_SHOWN)].mean()
    percent = ("impossible", "replicated_uniques", "disclosed", "disclosed_holdout", "identical")
    for name, row in means.iterrows():
        for measure, value in row.items():
            text = f"{value:.1f} %" if measure in percent else f"{value:.1f}" if measure == "closer" else f"{value:.2f}"
            values[f"{name}_{measure}"] = figure(value, "%" if measure in percent else "", text.replace("-0.00", "0.00"))
    values["rank_correlation"] = figure(means["s_pmse_pairs"].rank().corr(means["inference"].rank()))
    return "python benchmarks/figures.py --only boys", values
