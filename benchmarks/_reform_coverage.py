"""Coverage of intervals of a reform's mean change: demo counties whose true people and households are known.

Every county is placed household by household from its survey and its tables; the tax-benefit model is run on donors and projected
by counts, and run on the true people. A zone is covered where the interval of the mean change holds the true mean change.

Incomes of these counties differ between places by nothing but who lives there. What intervals are worth where they do is measured
too: the true incomes of every zone times a factor of its own that no table or survey knows of, of several spreads.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
from _intervals import LEVEL, Z
from _measure import figure

__all__ = ["reform_coverage"]

REFORMS = {
    "personal allowance of 15,000": {"income_tax.personal_allowance": 15000.0},
    "basic rate of 22 %": {"income_tax.rates": (0.22, 0.40, 0.45)},
    "child benefit doubled": {"child_benefit.eldest": 51.2, "child_benefit.further": 33.9},
    "universal credit taper of 45 %": {"universal_credit.taper": 0.45},
    "standard allowances a fifth higher": {
        "universal_credit.single_young": 374.02, "universal_credit.single": 472.14, "universal_credit.couple_young": 587.08,
        "universal_credit.couple": 741.12,
    },
}  # fmt: skip
_WORLDS, _SEEDS = ("penmarrow", "rutlow", "calderholme", "harrowmere"), (11, 12)
_IN_BAND = (0.85, 0.95)
_PLACE = (0.0, 0.1, 0.2, 0.3)  # standard deviation of the logarithm of that factor


def reform_coverage(*, folder: Path, zones: int = 24, replicates: int = 40) -> tuple[str, dict]:
    """Share of zones whose interval of the mean change of net income holds the truth, by reform and by county."""
    began, rows, taken = time.perf_counter(), [], 0.0
    for world in _WORLDS:
        for seed in _SEEDS:
            frame, seconds = _county(world, seed, folder / f"{world}-{seed}", zones, replicates)
            rows.append(frame)
            taken += seconds
            print(frame.groupby(["place", "reform"])[["covered", "by_replicates"]].mean().round(3).to_string(), flush=True)
    every = pd.concat(rows, ignore_index=True)
    found = every[every["place"] == 0.0]
    values = {
        "counties": figure(found[["world", "seed"]].drop_duplicates().shape[0], "counties"),
        "zones": figure(int(found.groupby("reform").size().iloc[0]), "zones"),
        **_coverage("all", found),
        "median_half": figure(float(found["half"].median()), "pounds a year", f"£{found['half'].median():,.0f}"),
        "median_change": figure(float(found["truth"].abs().median()), "pounds a year", f"£{found['truth'].abs().median():,.0f}"),
        "simulating_seconds": figure(taken, "s"),
        "seconds": figure(time.perf_counter() - began, "s"),
    }
    for i, (reform, mine) in enumerate(found.groupby("reform", sort=False), 1):
        values[f"reform_{i}_name"] = figure(0, "", str(reform))
        values |= _coverage(f"reform_{i}", mine)
    for world, mine in found.groupby("world", sort=False):
        values |= _coverage(str(world), mine)
    cells = found.groupby(["world", "reform"])["covered"].mean()
    inside = ((cells >= _IN_BAND[0]) & (cells <= _IN_BAND[1])).sum()
    values["in_band"] = figure(int(inside), "", f"{inside} of {len(cells)}")
    for effect, mine in every.groupby("place"):
        covered = float(mine["covered"].mean())
        values[f"place_{round(100 * effect)}_coverage"] = figure(covered, "", f"{covered:.2f}")
    low = cells.idxmin()
    values["lowest"] = figure(float(cells.min()), "", f"{cells.min():.2f} ({low[1]}, {low[0]})")
    return "python benchmarks/figures.py --only reform_coverage", values


def _coverage(name: str, found: pd.DataFrame) -> dict:
    """Coverage, that of the replicates' spread alone, and bias in standard errors."""
    covered, alone = found["covered"].mean(), found["by_replicates"].mean()
    off = float(((found["estimate"] - found["truth"]) / found["error"]).mean())
    wide = float((found["half"] / found["truth"].abs().where(found["truth"].abs() > 1.0)).median())
    return {
        f"{name}_coverage": figure(float(covered), "", f"{covered:.2f}"),
        f"{name}_replicates_alone": figure(float(alone), "", f"{alone:.2f}"),
        f"{name}_bias": figure(off, "standard errors", f"{off:+.2f}"),
        f"{name}_width": figure(wide, "", f"{100 * wide:.0f} %"),
    }


def _county(world: str, seed: int, folder: Path, zones: int, replicates: int) -> tuple[pd.DataFrame, float]:
    """One county: a row a zone and reform."""
    import synthpop_gb as sp
    from synthpop_gb.assessment.indicator import with_replicates
    from synthpop_gb.pipeline.demo import demo_study
    from synthpop_gb.simulation import simulate

    county = sp.datasets.make_county(world, zones=zones, seed=seed, survey_persons=4000)
    county.write(folder)
    (folder / "study.toml").write_text(demo_study(".", households=True), encoding="utf-8")
    aligned = sp.pipeline.align(sp.load_study(folder / "study.toml"))[0]
    population = with_replicates(sp.solve(sp.formulate(aligned), method="balance", seed=1), replicates)
    began = time.perf_counter()
    made = simulate(
        population, "tax-benefit-2024", reforms=REFORMS, outcomes=["net_income"], measures=["change"], by=("zone",), level=LEVEL
    )
    seconds, parts = time.perf_counter() - began, []
    truths = {effect: _truth(county, effect, seed) for effect in _PLACE}
    for effect, reform in ((e, r) for e in _PLACE for r in REFORMS):
        rows = made.rows(reform, "net_income", "change").set_index("zone")
        true = truths[effect][reform].reindex(rows.index)
        plain = np.hypot(rows["replicate_error"], rows["finite_error"])
        parts.append(
            pd.DataFrame(
                {
                    "world": world, "seed": seed, "place": effect, "reform": reform, "zone": rows.index,
                    "estimate": rows["estimate"].to_numpy(), "truth": true.to_numpy(), "error": rows["standard_error"].to_numpy(),
                    "half": ((rows["upper"] - rows["lower"]) / 2).to_numpy(),
                    "covered": ((true >= rows["lower"]) & (true <= rows["upper"])).to_numpy(),
                    "by_replicates": ((true - rows["estimate"]).abs() <= Z * plain).to_numpy(),
                }
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True), seconds


def _truth(county, effect: float, seed: int) -> pd.DataFrame:
    """Mean change of net income in each zone among the true people: the model run on all of them, incomes times the zone's."""
    from synthpop_gb.policy import Donors, get_policy_model

    people = county.persons.merge(county.households.drop(columns="zone"), on="household").set_index("person")
    people.index.name = "donor"
    zone, codes = pd.factorize(people["zone"], sort=True)
    factor = np.exp(np.random.default_rng(seed).normal(-(effect**2) / 2, effect, len(codes)))
    people = people.assign(income=people["income"] * factor[zone])
    homes = people[people["role"] == "reference"].set_index("household").assign(communal=False, weight=1.0)
    donors = Donors(people.assign(weight=1.0))
    donors.households = homes
    model, changes = get_policy_model("tax-benefit-2024"), {}
    before = model.outcomes(donors)["household"]["net_income"]
    for reform, parameters in REFORMS.items():
        change = model.outcomes(donors, parameters)["household"]["net_income"] - before
        changes[reform] = change.reindex(people["household"]).to_numpy()
    return pd.DataFrame(changes).groupby(people["zone"].to_numpy()).mean()
