# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # How wrong is a population that meets every table?
#
# A made-up county is known to the last person. We rebuild it from a survey and tables, and compare with the truth.

# %%
import tempfile
from pathlib import Path

import synthpop_gb as sp

folder = Path(tempfile.mkdtemp())
run = sp.pipeline.run_demo(folder, scale=0.3, seed=2021)
run.population

# %% [markdown]
# Every table is met in every zone, by recount of the written files:

# %%
run.checks["table_fit"][["table", "tae", "zones_exact"]]

# %% [markdown]
# What no table says: the true error of each indicator beside the error of giving every zone the county's own mean.

# %%
error = run.checks["true_error"].set_index("indicator")[["rmse", "rmse_average", "correlation"]]
error

# %% [markdown]
# People in bad or very bad health, by zone, ready for a map or a join:

# %%
condition = sp.indicators.parse_condition("health in ('bad', 'very bad')")
ill = sp.indicators.share_by_zone(run.population.blocks(), condition.matches(run.aligned), run.aligned.zones)
ill.head()

# %%
assert int(run.checks["table_fit"]["tae"].sum()) == 0
assert (error["rmse"] < error["rmse_average"]).mean() >= 0.75
