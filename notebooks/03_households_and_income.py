# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What do households live on, where no census says?
#
# A survey knows incomes and not where people live; a census knows where they live and not their incomes. Whole households of
# the survey are placed so that every table is met, and bring their incomes along. How right are these, zone by zone? And what
# is it worth that somebody publishes the mean income of larger areas?

# %%
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import synthpop_gb as sp
from synthpop_gb.assessment import IncomeTarget, calibrate_incomes
from synthpop_gb.pipeline.demo import demo_study

folder = Path(tempfile.mkdtemp())
county = sp.datasets.make_county("harrowmere", zones=40, seed=7, survey_persons=4_000)
county.write(folder)
(folder / "study.toml").write_text(demo_study(".", households=True), encoding="utf-8")
study = sp.load_study(folder / "study.toml")
aligned, _ = sp.pipeline.inputs.align(study)
problem = sp.formulate(aligned)
aligned

# %% [markdown]
# ## Published: mean net income of households, adjusted for their size, by MSOA
#
# Made of the county's true households, with an error as a publisher would have it: 3 % of each figure, said by confidence limits.

# %%
homes, lookup = county.households, county.lookup.set_index("zone")
zone = homes["zone"].astype(str)
by_msoa = homes["equivalised_income"].groupby(zone.map(lookup["msoa"])).mean()
shown = by_msoa * np.exp(0.03 * np.random.default_rng(1).standard_normal(len(by_msoa)))
limits = {"lower": shown * np.exp(-1.96 * 0.03), "upper": shown * np.exp(1.96 * 0.03)}
pd.DataFrame({"value": shown, **limits}).rename_axis("area").round(0).to_csv(folder / "incomes.csv")
incomes = sp.read.area_incomes(folder / "incomes.csv", name="net income", year=2021)
incomes

# %% [markdown]
# ## Start weights tilted towards them, as far as they are sure
#
# Every table is met as before; within its cells incomes move. `predicted` is what an area would get if its own figure were
# not published, `weight` how much of `after` is that figure.

# %%
found = calibrate_incomes(problem, aligned, [IncomeTarget(incomes, "equivalised_income", "msoa")])
print(found)
found.frame[["area", "published", "before", "predicted", "after", "standard_error", "weight"]].round(2)

# %% [markdown]
# ## Whole households, and what their zones live on
#
# The same seed, with and without. Then the truth: mean income and low income of the households of every zone, of which
# nothing was published.

# %%
populations = {name: sp.solve(p, method="balance", seed=2021) for name, p in (("before", problem), ("after", found.problem))}
truth = pd.DataFrame({
    "income": homes["equivalised_income"].groupby(zone).mean(),
    "low income": (homes["low_income"] == "yes").groupby(zone).mean(),
}).reindex(aligned.zones)  # fmt: skip


def by_zone(population):
    """Mean income and share on low income of each zone's whole households."""
    people, donors = aligned.frame(), population.donors()
    reference = np.zeros(len(people), bool)
    reference[aligned.households.reference] = True
    used = reference[donors.record]
    at = np.repeat(np.asarray(donors.zones), np.diff(donors.indptr))[used]
    placed = people.iloc[donors.record[used]]
    frame = pd.DataFrame({"zone": at, "n": donors.n[used], "income": placed["equivalised_income"].to_numpy(),
                          "low income": (placed["low_income"] == "yes").to_numpy(float)})  # fmt: skip
    sums = frame[["income", "low income"]].mul(frame["n"], axis=0).groupby(frame["zone"]).sum()
    return sums.div(frame.groupby("zone")["n"].sum(), axis=0).reindex(aligned.zones)


errors = pd.DataFrame({
    name: {
        "mean income, %": 100 * (by_zone(p)["income"] / truth["income"] - 1).abs().mean(),
        "low income, points": 100 * (by_zone(p)["low income"] - truth["low income"]).abs().mean(),
    }
    for name, p in populations.items()
})  # fmt: skip
errors.round(2)

# %% [markdown]
# Tables are met by both populations alike: incomes cost nothing in fit.

# %%
fits = {name: (p.status["whole"] == "EXACT").mean() for name, p in populations.items()}
fits

# %%
assert errors.loc["mean income, %", "after"] < errors.loc["mean income, %", "before"]
assert found.facts["targets"][0]["error_after"] < found.facts["targets"][0]["error_before"]
assert fits["after"] >= fits["before"] - 0.05
