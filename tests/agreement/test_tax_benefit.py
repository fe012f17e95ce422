"""The stylised tax-benefit model beside PolicyEngine UK: the same taxes and child benefit, household by household."""

import os

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.policy import run_model
from synthpop_gb.policy.models.tax_benefit import TaxBenefit
from tests.policy.demo_run import population

pytest.importorskip("policyengine_uk", reason="policyengine-uk is not installed: pip install 'synthpop_gb[policy]'")
YEAR = 2024
"""From 2025 on the engine takes the winter fuel payment back from pensioners by their income tax."""


@pytest.fixture(scope="module")
def both():
    """Outcomes of both models, in a class of Scotland and one of London, by household and class of place."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    from synthpop_gb.policy.policyengine import PolicyEngineUK

    aligned, _ = population()
    places = pd.DataFrame({"region": "SCOTLAND", "local_authority": "CITY_OF_EDINBURGH"}, index=aligned.zones)
    places.iloc[0] = ["LONDON", "CAMDEN"]
    engine = PolicyEngineUK(
        year=YEAR,
        outcomes=["income_tax", "national_insurance", "child_benefit"],
        inputs={"would_claim_marriage_allowance": False},
    )
    theirs, ours = (run_model(m, aligned, places=places) for m in (engine, TaxBenefit(YEAR)))
    assert theirs.places.of_zone.tolist() == ours.places.of_zone.tolist()
    return aligned, theirs, ours


def by_household(aligned, outcomes, name, of="sum"):
    """(n_classes, n_households) of an outcome."""
    homes = aligned.households
    values = outcomes[name]
    if of == "any":
        return values[:, homes.reference]
    return np.stack([np.bincount(homes.of_record, v, len(homes.ids)) for v in values])


@pytest.fixture(scope="module")
def told(both):
    """(n_households,) bool: everybody's income is earnings, profits or a pension; of other kinds the engine takes none."""
    aligned, _, _ = both
    frame = aligned.frame()
    kinds = ("employee", "self-employed", "retired", "does not apply")
    other = ~frame["economic_activity"].isin(kinds).to_numpy() & (frame["income"].to_numpy() > 0)
    return np.bincount(aligned.households.of_record, other, len(aligned.households.ids)) == 0


def test_income_tax_is_the_same_in_scotland_and_london(both, told):
    aligned, theirs, ours = both
    mine = by_household(aligned, ours, "income_tax") + by_household(aligned, ours, "child_benefit_charge", "any")
    assert told.mean() > 0.5
    difference = np.abs(by_household(aligned, theirs, "income_tax") - mine)[:, told]  # theirs holds the charge on child benefit
    assert (difference <= 1.0).mean() > 0.99
    scottish = by_household(aligned, ours, "income_tax")
    assert (scottish[0] != scottish[1]).mean() > 0.4


def test_national_insurance_is_the_same_but_at_66(both):
    """Class 4 goes on to the end of the tax year in which somebody reaches pension age, which ages in years do not tell.

    Students' incomes are earnings for the engine's inputs, and of another kind for ours.
    """
    aligned, theirs, ours = both
    age = aligned.frame()["age"].to_numpy()
    difference = np.abs(theirs["national_insurance"] - ours["national_insurance"])
    alike = (age != 66) & (aligned.frame()["economic_activity"] != "student").to_numpy()
    assert difference[:, alike].max() < 0.5


def test_child_benefit_is_the_same(both):
    aligned, theirs, ours = both
    theirs, ours = (by_household(aligned, o, "child_benefit", "any") for o in (theirs, ours))
    assert (ours > 0).mean() > 0.2
    assert np.abs(theirs - ours).max() < 0.5
