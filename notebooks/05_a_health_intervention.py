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
# # Whom does a health check reach, and does it narrow the gap?
#
# A check-up is offered to people of 40 to 74. Poorer places are iller, and fewer there come. Two ways are set beside each other:
# offered everywhere to four in ten, or to all of them, but only in the most deprived two fifths of the zones. The county is made
# up, and so are the rates of the disease: the way is real, the figures are not.

# %%
import tempfile
from pathlib import Path

import pandas as pd

import synthpop_gb as sp
from synthpop_gb.policy.models.health import HealthIntervention, example_rates, quintiles
from synthpop_gb.simulation import simulate

folder = Path(tempfile.mkdtemp())
run = sp.pipeline.run_demo(folder, scale=0.5, seed=2021)
inputs = folder / "demo-county-inputs"
run.population

# %% [markdown]
# Rules read one thing of a place: its fifth of deprivation, from an index by zone (of the demo county its own; in England the
# Index of Multiple Deprivation, whose decile 1 is the most deprived). Zones of one fifth share one run of the model.

# %%
index = pd.read_csv(inputs / "truth" / "effects.csv").set_index("zone")["deprivation"]
fifth = quintiles(index, most_deprived="high")
fifth.value_counts().sort_index()

# %% [markdown]
# The yearly risk by age, sex and fifth; whoever comes has four fifths of it for ten years. Of those offered a check, 35 % come in
# the most deprived fifth and 65 % in the least.

# %%
model = HealthIntervention(
    example_rates(), relative_risk=0.8, reach=0.4, uptake=[0.35, 0.42, 0.50, 0.58, 0.65], cost_offered=5, cost_treated=60,
    qaly_per_case=2.0, years=10,
)  # fmt: skip
targeted = {"in the poorer two fifths": {"most_deprived_quintiles": 2, "reach": 1.0}}
model

# %% [markdown]
# The model runs once on every record of the survey in every fifth, not once on every person of the county; counts do the rest.

# %%
wanted = ["cases_without", "cases_averted", "cost", "qaly_gained"]
found = simulate(
    run.population, model, reforms=targeted, outcomes=wanted, measures=("total",), by=("zone",), places=fifth.to_frame(),
    aligned=run.aligned,
)  # fmt: skip
found

# %% [markdown]
# What each way comes to: cases averted in ten years, money, and money for each year of healthy life.

# %%
totals = found.frame[found.frame["measure"] == "total"].pivot_table("estimate", "scenario", "outcome", aggfunc="sum")
totals["pounds a year of healthy life"] = totals["cost"] / totals["qaly_gained"]
totals.round(1)

# %% [markdown]
# And where. Cases averted for a thousand expected ones, by fifth: offered everywhere, the check does least where illness is most.

# %%
frame = found.frame[found.frame["measure"] == "total"]
by_zone = frame.pivot_table("estimate", ["scenario", "zone"], "outcome").join(fifth, on="zone")
by_fifth = by_zone.groupby(["scenario", "deprivation"])[["cases_averted", "cases_without"]].sum()
share = 1000 * by_fifth["cases_averted"] / by_fifth["cases_without"]
per_thousand = share.rename("share").reset_index().pivot_table("share", "deprivation", "scenario")
per_thousand.round(1)

# %% [markdown]
# No figure without its interval. The truth of a made-up county is known: the model is run on the people who really live there.

# %%
people = pd.read_parquet(inputs / "truth" / "persons.parquet", columns=["zone", "age", "sex"])
people = people.assign(deprivation=people["zone"].astype(str).map(fifth).to_numpy(), sex=people["sex"].astype(str))
people.index = pd.MultiIndex.from_arrays([people["deprivation"], people.index], names=["place", "donor"])
truth = model.outcomes(people)["cases_averted"].groupby(people["zone"].astype(str).to_numpy()).sum()
averted = frame[(frame["outcome"] == "cases_averted") & (frame["scenario"] == "baseline")].set_index("zone")
held = truth.reindex(averted.index).between(averted["lower"], averted["upper"]).mean()
off = (averted["estimate"] / truth.reindex(averted.index) - 1).abs().median()
print(f"90 % intervals hold the truth in {held:.0%} of {len(averted)} zones; the median zone is {off:.1%} off")
averted[["estimate", "lower", "upper", "reliability"]].head()

# %%
everywhere, poorer = (totals.loc[s, "pounds a year of healthy life"] for s in ("baseline", "in the poorer two fifths"))
assert 0 < poorer < everywhere  # the same check is worth more where there is more illness
assert per_thousand.loc[1, "baseline"] < per_thousand.loc[5, "baseline"]  # offered everywhere it widens the gap
assert per_thousand.loc[1, "in the poorer two fifths"] > per_thousand.loc[1, "baseline"]
assert per_thousand.loc[[3, 4, 5], "in the poorer two fifths"].max() == 0
assert held > 0.7
assert off < 0.1
