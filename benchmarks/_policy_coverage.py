"""Coverage of intervals of poverty and inequality by zone: demo counties whose true people are known, those with incomes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from _intervals import Z
from _measure import figure

__all__ = ["distribution_coverage"]

_WORLDS, _SEEDS, _ZONES, _REPLICATES = ("penmarrow", "rutlow", "calderholme", "harrowmere"), (11, 12), 24, 40
_LEVELS = (0.1, 0.2, 0.5, 0.8, 0.9)
_MEASURES = ("mean", "quantile", "poverty", "gini", "s80s20", "p90p10")


def after_tax(donors):
    """Give incomes less a fifth of what is above 12,570."""
    income = pd.to_numeric(donors["income"]).fillna(0.0)
    return pd.DataFrame({"net": income - 0.2 * np.maximum(income - 12_570.0, 0.0)}, index=donors.index)


def distribution_coverage(*, folder: Path) -> tuple[str, dict]:
    """Share of zones whose nominal 90 % interval holds the truth, by measure; and of intervals without the model error."""
    rows = [_county(world, seed, folder / f"{world}-{seed}") for world in _WORLDS for seed in _SEEDS]
    found = pd.concat(rows, ignore_index=True)
    values = {
        "counties": figure(len(rows), "counties"),
        "zones": figure(int((found["measure"] == "mean").sum()), "zones"),
    }
    for measure, mine in found.groupby("measure", sort=False):
        covered, alone = float(mine["covered"].mean()), float(mine["alone"].mean())
        wide = float((mine["half"] / mine["truth"].abs()).median())
        values[f"{measure}_coverage"] = figure(covered, "", f"{covered:.2f}")
        values[f"{measure}_replicates_alone"] = figure(alone, "", f"{alone:.2f}")
        values[f"{measure}_width"] = figure(wide, "", f"{100 * wide:.0f} %")
    return 'simulate(population, model, measures=[...], where="income > 0")', values


def _county(world: str, seed: int, folder: Path) -> pd.DataFrame:
    """One row a zone and measure."""
    import synthpop_gb as sp
    from synthpop_gb.pipeline.demo import demo_study
    from synthpop_gb.simulation import simulate

    county = sp.datasets.make_county(world, zones=_ZONES, seed=seed, survey_persons=4000)
    county.write(folder)
    (folder / "study.toml").write_text(demo_study(".", households=False), encoding="utf-8")
    aligned = sp.pipeline.align(sp.load_study(folder / "study.toml"))[0]
    population = sp.solve(sp.formulate(aligned), seed=1, replicates=_REPLICATES)
    found = simulate(population, after_tax, measures=_MEASURES, where="income > 0", aligned=aligned).frame
    found = found.set_index(["zone", "measure"])
    people = county.persons.assign(net=after_tax(county.persons)["net"])
    line = 0.6 * float(np.quantile(people["net"], 0.5, method="inverted_cdf"))
    rows = []
    for zone, mine in people[pd.to_numeric(people["income"]).fillna(0.0) > 0].groupby("zone"):
        for measure, truth in _truth(np.sort(mine["net"].to_numpy()), line).items():
            row = found.loc[(zone, measure)]
            alone = abs(row["estimate"] - truth) <= Z * np.hypot(row["replicate_error"], row["finite_error"])
            half = (row["upper"] - row["lower"]) / 2
            rows.append((measure, truth, row["lower"] <= truth <= row["upper"], alone, half))
    return pd.DataFrame(rows, columns=["measure", "truth", "covered", "alone", "half"])


def _truth(value: np.ndarray, line: float) -> dict[str, float]:
    """Measures of people written out, values ascending."""
    n, total = len(value), value.sum()
    rank = np.arange(1, n + 1)
    q = dict(zip(_LEVELS, np.quantile(value, _LEVELS, method="inverted_cdf"), strict=True))
    summed = np.concatenate([[0.0], np.cumsum(value)])
    poor, rest = (np.interp(p * n, np.arange(n + 1), summed) for p in (0.2, 0.8))
    return {
        "mean": float(value.mean()), "quantile": float(q[0.5]), "poverty": float((value < line).mean()),
        "gini": float((2 * rank - 1) @ value / (n * total) - 1), "s80s20": float((total - rest) / poor),
        "p90p10": float(q[0.9] / q[0.1]),
    }  # fmt: skip
