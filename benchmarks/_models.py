"""The models that come along beside the demo county's own incomes, and tables for other programs written and read back."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
from _measure import figure
from _studies import county_of_households

COUNTY, ZONES, SEED = "penmarrow", 60, 2021
ALIKE = {
    "income_tax.allowance_taper": 0.0, "income_tax.rates": [0.20, 0.40], "income_tax.limits": [37_700.0],
    "national_insurance.class_4_rate": 0.12, "national_insurance.class_4_upper_rate": 0.02, "national_insurance.oldest": 999,
    "child_benefit.eldest": 1_100 / 52, "child_benefit.further": 728 / 52, "child_benefit.charge_from": 1e9,
    "child_benefit.charge_to": 2e9, "universal_credit.take_up": 0.0,
}  # fmt: skip
"""What the county's own rules do otherwise than the law, so that nothing but universal credit and its age of children is left."""


def tax_benefit(*, folder: Path) -> tuple[str, dict]:
    """Tax the true households of the demo county, and set them beside the county's own net incomes."""
    from synthpop_gb.policy.models.tax_benefit import TaxBenefit

    donors, homes, credit = _county()
    model = TaxBenefit(2021)
    model.outcomes(donors)
    began = time.perf_counter()
    found = model.outcomes(donors)["household"]
    seconds = time.perf_counter() - began
    alike = model.outcomes(donors, ALIKE)["household"]["net_income"]
    pupils = (donors["age"].between(16, 18) & (donors["economic_activity"] == "student") & (donors["role"] == "child")).to_numpy()
    without = (np.abs(credit) <= 1) & ~pd.Series(pupils).groupby(donors["household"].to_numpy()).any().reindex(
        homes.index
    ).to_numpy()
    gap = (alike - homes["net_income"])[without].abs()
    difference = found["net_income"] - homes["net_income"]
    receives, theirs = found["universal_credit"] > 0, credit > 1
    return "python benchmarks/figures.py --only tax_benefit", {
        "households": figure(len(homes), "households"),
        "comparable": figure(100 * float(without.mean()), "%"),
        "comparable_largest_difference": figure(float(gap.max()), "pounds a year"),
        "correlation": figure(float(np.corrcoef(found["net_income"], homes["net_income"])[0, 1]), ""),
        "within_a_pound": figure(100 * float((difference.abs() <= 1).mean()), "%"),
        "mean_difference": figure(float(difference.mean()), "pounds a year"),
        "receives_credit": figure(100 * float(receives.mean()), "%"),
        "county_receives_credit": figure(100 * float(theirs.mean()), "%"),
        "seconds_a_100000_people": figure(seconds / len(donors) * 1e5, "s"),
    }


def entity_tables(*, folder: Path) -> tuple[str, dict]:
    """Write the demo county's households for three models, every copy and by weight; each is read back and compared."""
    from synthpop_gb.export.entity_tables import euromod, openfisca, simpaths

    aligned, population = county_of_households(COUNTY, zones=ZONES, seed=SEED, folder=folder / "county")
    values = {"people": figure(population.people, "people")}
    for write in (openfisca, euromod, simpaths):
        for weighted in (False, True):
            took = []
            for _ in range(3):
                began = time.perf_counter()
                made = write(population, aligned, folder / write.__name__, weighted=weighted, overwrite=True)
                took.append(time.perf_counter() - began)
            name = f"{write.__name__}_{'weighted' if weighted else 'copies'}"
            values[f"{name}_seconds"] = figure(min(took), "s")
            values[f"{name}_mb"] = figure(sum(f.stat().st_size for f in made.iterdir()) / 1e6, "MB")
    return "python benchmarks/figures.py --only entity_tables", values


def _county():
    """Everybody of the demo county as donors, the true households, and the credit that each was paid by the county's rules."""
    import synthpop_gb as sp
    from synthpop_gb.policy import Donors

    county = sp.datasets.make_county(COUNTY, zones=ZONES, seed=SEED)
    people, homes = county.persons, county.households.set_index("household")
    text = people.select_dtypes("category").columns
    people = people.assign(**{c: people[c].astype(str) for c in text if c != "zone"})
    donors = Donors(
        people.drop(columns="zone").assign(tenure=homes["tenure"].astype(str).reindex(people["household"]).to_numpy())
    )
    donors.households = homes.assign(members=homes["members"], communal=False)
    age, income = people["age"], people["income"].astype(float)
    works = people["economic_activity"].isin(["employee", "self-employed"])
    tax = 0.2 * income.sub(12_570).clip(0, 37_700) + 0.4 * income.sub(50_270).clip(0)
    tax += works * (0.12 * income.sub(9_568).clip(0, 40_702) + 0.02 * income.sub(50_270).clip(0))
    children = (age < 16).groupby(people["household"]).sum()
    net = (income - tax).groupby(people["household"]).sum() + (1_100 + 728 * (children - 1)).where(children > 0, 0)
    return donors, homes, (homes["net_income"] - net.reindex(homes.index)).to_numpy()
