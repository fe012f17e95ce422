"""Small studies to simulate on: of persons with incomes, and of whole households; models with and without places."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from synthpop_gb.execution import solve
from synthpop_gb.formulation import formulate
from synthpop_gb.harmonisation import harmonise
from tests.stages.household_study import world as households
from tests.stages.nouns import world as persons


@cache
def of_persons(n_zones=8, replicates=6):
    """Aligned study and population of persons; incomes with two decimals, some alike."""
    survey, tables, places = persons(n_zones=n_zones)
    rng = np.random.default_rng(3)
    survey.records["income"] = np.where(
        rng.random(len(survey.records)) < 0.2, 120.0, rng.gamma(2.0, 100.0, len(survey.records)).round(2)
    )
    aligned = harmonise(survey, tables, places, constraints=["age", "sex", "health"])
    return aligned, solve(formulate(aligned), seed=1, replicates=replicates)


@cache
def of_households():
    """Aligned study and population of whole households, with replicates made of the population itself and its neighbours."""
    made = households()
    return made.aligned, solve(formulate(made.aligned), method="balance", seed=1, replicates=4)


class Tax:
    """A flat tax above an allowance on persons, a grant to households, by region where declared."""

    name, units = "toy tax", {"tax": "pounds a year"}
    parameters = {"rate": 0.2, "allowance": 100.0}  # noqa: RUF012

    def outcomes(self, donors, parameters=None):
        p = {**self.parameters, **(parameters or {})}
        income = pd.to_numeric(donors["income"]).fillna(0.0)
        tax = p["rate"] * np.maximum(income - p["allowance"], 0.0)
        return pd.DataFrame({"tax": tax.round(2), "net": (income - tax.round(2)), "pays": tax > 0}, index=donors.index)


class HomeTax(Tax):
    """The same, and what households have together."""

    name = "home tax"

    def outcomes(self, donors, parameters=None):
        found = Tax.outcomes(self, donors, parameters)
        homes = donors.households
        together = found.groupby(donors["household"].to_numpy())["net"].sum().reindex(homes.index.get_level_values(-1))
        grant = 3.25 * homes["members"].to_numpy() + 7.5
        return {"person": found, "household": pd.DataFrame({"home": together.to_numpy() + grant}, index=homes.index)}


class PlaceTax(Tax):
    """Rates by local authority."""

    name, places = "place tax", ("lad",)

    def outcomes(self, donors, parameters=None):
        found = Tax.outcomes(self, donors, parameters)
        factor = np.where(donors["lad"].to_numpy() == donors["lad"].min(), 1.0, 1.25)
        return found.assign(tax=(found["tax"] * factor).round(2))[["tax"]]


def people_of(population, aligned, frame):
    """One row a person: position of the zone, and the columns of `frame`, rows as `aligned.records`."""
    block = population.donors()
    zone = np.repeat(np.arange(len(aligned.zones)), np.diff(block.indptr))
    rows = frame.iloc[np.repeat(block.record, block.n)].reset_index(drop=True)
    return rows.assign(at=np.repeat(zone, block.n))


def without_duals(population):
    """The same population, whose fit is its whole people."""
    return replace(population, duals=None)
