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
# # Where is a population wrong, and how would anybody know?
#
# Every table is met, in every zone. That says nothing about what no table counts. Three ways to find out: a county that is made
# up, so that the truth is known; tables that were kept back; and intervals that are learnt from how wrong each table was
# predicted without it. Where the folder of open data is set, the second is tried on Leeds too.

# %%
import os
import tempfile
from pathlib import Path

import pandas as pd

import synthpop_gb as sp

folder = Path(tempfile.mkdtemp())
run = sp.pipeline.run_demo(folder, scale=0.3, seed=2021)
run.population

# %% [markdown]
# ## The truth is known
#
# True error of things that no table says, in percentage points, beside the error of giving every zone the county's own mean:

# %%
error = run.checks["true_error"].set_index("indicator")[["rmse", "rmse_average", "correlation"]]
error

# %% [markdown]
# Adults who smoke: where we say too many (purple) and too few (orange). Neighbouring zones are wrong alike where something that
# no table counts sets them apart.

# %%
people = pd.read_parquet(folder / "demo-county-inputs" / "truth" / "persons.parquet")
adults = people[people["age"] >= 16]
truth = (adults["smokes"] == "yes").groupby(adults["zone"]).mean()
smokers = sp.indicator(run.population, "smokes = 'yes'", where="age >= 16")
frame = smokers.frame.set_index("zone").join(truth.rename("truth"))
places = run.aligned.geography
sp.report.draw_change(
    100 * (frame["estimate"] - frame["truth"]), places, folder / "wrong", title="Adults who smoke: estimate less truth",
    unit="points of per cent",
)  # fmt: skip

# %% [markdown]
# ## Tables kept back
#
# Does the method matter? Two populations of one county, both meeting every table: one drawn from the fit, one chosen by the
# Flexible Modelling Framework's rules. Per cent of people in the wrong cell of tables that neither saw:

# %%
framework = sp.solve(sp.formulate(run.aligned), method="anneal", options={"preset": "fmf"}, seed=1)
checks = {"ipf": run.checks, "FMF rules": sp.validate(framework, run.aligned)}
wrong = pd.DataFrame({name: c["held_out"].set_index("table")["wrong_whole"] for name, c in checks.items()})
wrong

# %% [markdown]
# ## Intervals
#
# The interval is learnt from how wrong each table was predicted when it was left out. Half its length beside the estimate; zones
# whose figure should not be used by itself are hatched.

# %%
doubtful = frame["reliability"] == "unreliable"
sp.report.draw_pair(
    100 * frame["estimate"], 50 * (frame["upper"] - frame["lower"]), places, folder / "pair", title="Adults who smoke",
    unit="% of adults", width_unit="points of per cent", level=smokers.level, unreliable=doubtful,
)  # fmt: skip

# %% [markdown]
# In how many zones does the interval hold the truth, and in how many would the spread between replicates alone?

# %%
held = frame["truth"].between(frame["lower"], frame["upper"]).mean()
luck = 1.645 * frame["replicate_error"]
alone = frame["truth"].between(frame["estimate"] - luck, frame["estimate"] + luck).mean()
print(f"{100 * smokers.level:g} % intervals hold the truth in {held:.0%} of zones; replicates alone in {alone:.0%}")

# %% [markdown]
# ## On real data
#
# Leeds at the 2011 census: the published table of age by sex was kept back. Where it is missed most:

# %%
# where this is run from, up to the folder that holds `inputs/`; the data that it names are found by SYNTHPOP_GB_DATA
here = next((p for p in [Path.cwd(), *Path.cwd().parents] if (p / "inputs" / "leeds-2011.toml").is_file()), None)
if here is not None and "SYNTHPOP_GB_DATA" in os.environ:
    leeds = sp.run(here / "inputs" / "leeds-2011.toml", output=folder, report=False)
    missed = leeds.checks["held_out_zones"].set_index("zone")["wrong_whole"]
    sp.report.draw_map(missed, leeds.aligned.geography, folder / "leeds", title="Leeds: age by sex, kept back",
                       unit="% of people in the wrong cell")  # fmt: skip
else:
    leeds = None

# %% [markdown]
# What this notebook says, checked:

# %%
assert int(run.checks["table_fit"]["tae"].sum()) == 0
assert (error["rmse"] < error["rmse_average"]).mean() >= 0.75
assert (framework.status["remainder"] == 0).mean() > 0.9
assert wrong.loc["age x health", "FMF rules"] > wrong.loc["age x health", "ipf"]
assert held > alone
if leeds is not None:
    assert missed.mean() < leeds.checks["held_out"]["zone_mean_independence"].iloc[0]
