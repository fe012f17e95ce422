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
# # Who gains from a higher personal allowance, and where?
#
# A stylised tax-benefit model is run once on each household of a survey; the counts of a synthetic population turn what it says
# into figures of deciles, groups and areas, with intervals. The county is made up, and so are its people: the way is real, the
# figures are not.

# %%
import tempfile
from pathlib import Path

import synthpop_gb as sp
from synthpop_gb.assessment import leave_one_out
from synthpop_gb.assessment.indicator import with_replicates
from synthpop_gb.simulation import Raise, change_population, simulate
from synthpop_gb.simulation.beside import beside

folder = Path(tempfile.mkdtemp())
run = sp.pipeline.run_demo(folder, scale=0.2, seed=2021, households=True)
population = with_replicates(run.population, 6)  # six are quick; take forty for figures that are used
left_out = leave_one_out(population)
population

# %% [markdown]
# Two reforms that cost about the same in this county: a personal allowance of 15,000 pounds instead of 12,570, or universal
# credit that is taken away more slowly, 40 pence in the pound instead of 55.

# %%
reforms = {"allowance": {"income_tax.personal_allowance": 15_000.0}, "taper": {"universal_credit.taper": 0.40}}
common = {"outcomes": ["net_income"], "left_out": left_out, "aligned": run.aligned}
found = simulate(
    population, "tax-benefit", reforms=reforms, measures=["total_change", "gainers"], by=("all",), threshold=1.0, **common
)
overall = found.frame[["scenario", "measure", "estimate", "lower", "upper"]]
overall

# %%
cost = overall.query("measure == 'total_change'").set_index("scenario")["estimate"]
assert 0.5 < cost["taper"] / cost["allowance"] < 2.0

# %% [markdown]
# By decile of people, in the order of the baseline's equivalised income; mean change of a person's household, pounds a year:

# %%
tenths = simulate(
    population, "tax-benefit", reforms=reforms, measures=["change"], by=("all", "decile"), deciles="equivalised_income",
    check=False, **common,
)  # fmt: skip
change = tenths.frame.pivot(index="decile", columns="scenario", values="estimate").round(0)
change

# %%
lower, upper = change.iloc[:5].mean(), change.iloc[5:].mean()
assert upper["allowance"] > 2 * lower["allowance"]  # whoever earns more gains more
assert upper["taper"] < lower["taper"]

# %% [markdown]
# By area and tenure. Whoever rents from a social landlord is further from the allowance, and nearer to the taper:

# %%
groups = simulate(
    population, "tax-benefit", reforms=reforms, measures=["change"], by=("msoa", "tenure"), check=False, **common
).frame
groups[["scenario", "msoa", "tenure", "estimate", "lower", "upper", "reliability"]].head(10)

# %%
by_tenure = groups.groupby(["scenario", "tenure"])["estimate"].mean().unstack("tenure").round(0)
by_tenure

# %%
assert by_tenure.loc["allowance", "social rented"] < by_tenure.loc["allowance", "owned with mortgage"]

# %% [markdown]
# And if ten in a hundred people of working age more were out of work? The population itself is changed: people give way to donors
# who are like them in every table but that of work, exactly so many in every zone. That is a scenario, not an estimate.

# %%
jobless = change_population(population, Raise("economic_activity = 'unemployed'", where="age >= 16 and age < 65", by=0.10))
jobless

# %%
base = simulate(population, "tax-benefit", measures=["mean"], by=("all",), check=False, **common)
both = beside(base, "jobs lost", jobless, "tax-benefit", measures=["change", "total_change"], by=("all",), check=False,
              left_out=left_out, aligned=run.aligned)  # fmt: skip
both.frame.query("scenario == 'jobs lost'")[["measure", "estimate", "lower", "upper"]]

# %%
assert both.rows("jobs lost", "net_income", "total_change")["upper"].item() < 0
assert (jobless.moved["after"] == jobless.moved["wanted"]).all()
