# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # How sure is a figure, and does the method matter?
#
# Two populations of one county, both meeting every table: one drawn from the fit, one chosen by the Flexible Modelling
# Framework's rules. Then an interval for what no table says, set beside the truth.

# %%
import tempfile
from pathlib import Path

import pandas as pd

import synthpop_gb as sp

folder = Path(tempfile.mkdtemp())
run = sp.pipeline.run_demo(folder, scale=0.5, seed=2021)
problem = sp.formulate(run.aligned)
framework = sp.solve(problem, method="anneal", options={"preset": "fmf"}, seed=1)
framework

# %% [markdown]
# Both meet every table. A table that was kept back tells them apart: per cent of people in the wrong cell of age by health.

# %%
checks = {"ipf": run.checks, "FMF rules": sp.validate(framework, run.aligned)}
wrong = pd.DataFrame({name: c["held_out"].set_index("table")["wrong_whole"] for name, c in checks.items()})
wrong

# %% [markdown]
# Adults who smoke, by zone. No table counts them. The interval is learnt from how wrong each table was predicted without it.

# %%
smokers = sp.indicator(run.population, "smokes = 'yes'", where="age >= 16")
print(smokers)
smokers.frame[["zone", "estimate", "lower", "upper", "n_eff", "donors", "reliability"]].head()

# %% [markdown]
# The truth of a made-up county is known: in how many zones does the interval hold it, and in how many would replicates alone?

# %%
people = pd.read_parquet(folder / "demo-county-inputs" / "truth" / "persons.parquet")
adults = people[people["age"] >= 16]
truth = (adults["smokes"] == "yes").groupby(adults["zone"]).mean()
frame = smokers.frame.set_index("zone").join(truth.rename("truth"))
held = frame["truth"].between(frame["lower"], frame["upper"]).mean()
luck = 1.645 * frame["replicate_error"]
alone = frame["truth"].between(frame["estimate"] - luck, frame["estimate"] + luck).mean()
print(f"90 % intervals hold the truth in {held:.0%} of zones; replicates alone in {alone:.0%}")

# %%
assert (framework.status["remainder"] == 0).mean() > 0.9
assert wrong.loc["age x health", "FMF rules"] > wrong.loc["age x health", "ipf"]
assert held > alone
