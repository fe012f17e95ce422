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
# # Who lives in each neighbourhood of Leeds?
#
# The census publishes tables of every neighbourhood, and a sample of its records without any. We put the records into the
# neighbourhoods so that every table is met by whole people. Where the folder of open data is set (`SYNTHPOP_GB_DATA`) this is
# Leeds in 2011: 751,485 people in 482 small areas. Elsewhere it is a made-up county of the same kind.

# %%
import os
import tempfile
from pathlib import Path

import pandas as pd

import synthpop_gb as sp

# where this is run from, up to the folder that holds `inputs/`; the data that it names are found by SYNTHPOP_GB_DATA
here = next((p for p in [Path.cwd(), *Path.cwd().parents] if (p / "inputs" / "leeds-2011.toml").is_file()), None)
real = here is not None and "SYNTHPOP_GB_DATA" in os.environ
folder = Path(tempfile.mkdtemp())
if real:
    study = sp.load_study(here / "inputs" / "leeds-2011.toml")
else:
    sp.datasets.make_county("penmarrow", scale=0.3, seed=2021).write(folder / "county")
    (folder / "county" / "study.toml").write_text(sp.pipeline.demo.demo_study("."), encoding="utf-8")
    study = sp.load_study(folder / "county" / "study.toml")
    study = study.model_copy(update={"replicates": study.replicates.model_copy(update={"number": 0}), "indicators": []})
study.constraints, study.held_out

# %% [markdown]
# Before anything is computed, everything that is noticed about the inputs, at once:

# %%
aligned, findings = sp.pipeline.check(study)
pd.DataFrame({"code": [f.code for f in findings], "level": [f.level for f in findings], "what": [f.message for f in findings]})

# %% [markdown]
# One call makes the population, writes it, reads it again and counts it against every table.

# %%
run = sp.run(study, output=folder, report=False)
run.population

# %%
run.checks["table_fit"][["table", "zones", "tae", "zones_exact"]]

# %% [markdown]
# A population that meets its tables can still be wrong about what no table says. A table that was kept back tells: per cent of
# people in the wrong cell, of our whole people, of people placed as if variables had nothing to do with each other, and of the
# survey as it is.

# %%
held_out = run.checks["held_out"].set_index("table")[["wrong_whole", "wrong_independence", "wrong_survey"]]
held_out

# %% [markdown]
# People in bad or very bad health. The map says what it is of, in what unit, and whose data it stands on.

# %%
condition = sp.indicators.parse_condition("health in ('bad', 'very bad')")
ill = sp.indicators.share_by_zone(run.population.blocks(), condition.matches(run.aligned), run.aligned.zones)
sp.report.draw_map(
    100 * ill["share"], run.aligned.geography, folder / "ill", title="People in bad or very bad health", unit="% of people"
)

# %% [markdown]
# One row a person, with every answer that the survey has and its licence allows, by zone and in households of one's own making:

# %%
path = sp.export.people(run.population, run.aligned, folder / "people.parquet")
people = pd.read_parquet(path)
people.head()

# %% [markdown]
# What this notebook says, checked:

# %%
published = run.aligned.constraints[0].targets.sum(axis=1)
assert len(people) == run.population.people == published.sum()
assert people.groupby("zone", observed=True).size().reindex(published.index).eq(published).all()
assert run.checks["table_fit"]["tae"].sum() == 0
assert (held_out["wrong_whole"] < held_out["wrong_survey"]).all()
if real:
    assert (run.population.people, len(run.population.zones)) == (751_485, 482)
