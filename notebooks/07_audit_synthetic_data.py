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
# # Is somebody's synthetic file right, for whom, and whom does it expose?
#
# Anybody's synthetic data can be audited: it needs the real file, the synthetic one, and what an intruder may know of somebody.
# Here three synthetic files of one survey are made that pull in different directions: records copied at random, columns drawn
# each by itself, and columns drawn one after the other by trees. The survey is that of a made-up county, or, where the folder of
# open data is set, two thousand records of the 2011 census.

# %%
import os
import tempfile
from pathlib import Path

import pandas as pd

import synthpop_gb as sp

folder = Path(tempfile.mkdtemp())
if "SYNTHPOP_GB_DATA" in os.environ:
    path = Path(os.environ["SYNTHPOP_GB_DATA"]) / "census2011-microdata-teaching-ew" / "teaching_file_2011_subset_59147.parquet"
    census = pd.read_parquet(path)
    names = {"Age": "age", "Sex": "sex", "Health": "health", "Ethnic Group": "ethnic_group", "Marital Status": "marital_status",
             "Economic Activity": "economic_activity"}  # fmt: skip
    survey = census[census["sample"] == "random10k"].head(2_000).rename(columns=names)[list(names.values())].astype(str)
else:
    county = sp.datasets.make_county("penmarrow", scale=0.25, seed=2021)
    columns = ["age", "sex", "health", "ethnic_group", "qualification", "economic_activity", "smokes"]
    survey = county.survey[columns]
survey = survey.sample(frac=1, random_state=7).reset_index(drop=True)
half = len(survey) // 2
real, kept_apart = survey.iloc[:half], survey.iloc[half:]
len(real), len(kept_apart)

# %%
files = {
    "copied": sp.synthesis.bootstrap(real, seed=1),
    "each column by itself": sp.synthesis.independent_columns(real, seed=1),
    "trees": sp.synthesis.sequential(real, seed=1),
}
files["trees"].head()

# %% [markdown]
# One call each: every combination of up to three variables, models, and attacks on what an intruder does not know. Half of the
# survey was kept apart, so that a leak can be told from what is generally known.

# %%
audits = {
    name: sp.pipeline.audit_files(
        real, synthetic, folder / name.replace(" ", "-"), holdout=kept_apart, keys=["age", "sex", "ethnic_group"],
        target="health", order=2, models=False, licence="open",
    )
    for name, synthetic in files.items()
}  # fmt: skip
verdicts = pd.DataFrame({name: a.checks["verdicts"].set_index("use")["verdict"] for name, a in audits.items()})
verdicts

# %% [markdown]
# Groups that are wrong beyond chance, the worst first: what drawing each column by itself does to people. Some cannot be.

# %%
worst = audits["each column by itself"].checks["scan_cells"]
worst[["cell", "kind", "expected", "observed"]].head(10)

# %% [markdown]
# How many combinations are beyond chance in each file:

# %%
beyond = pd.Series({name: int(a.checks["scan_tables"]["discoveries"].sum()) for name, a in audits.items()})
beyond

# %% [markdown]
# What this notebook says, checked:

# %%
assert verdicts.loc["Tables of two variables", "each column by itself"] == "unfit"
assert verdicts.loc["Tables of two variables", "trees"] in ("fit", "with care")
assert verdicts.loc["Giving them to people who may not see the real records", "copied"] == "unfit"
assert beyond["each column by itself"] > 10 * max(beyond["copied"], beyond["trees"])
assert (folder / "trees" / "audit.html").is_file()
