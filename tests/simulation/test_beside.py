"""Changed populations beside the one before: counted differences are those of the people, replicates are paired."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.assessment import leave_one_out
from synthpop_gb.errors import InputError
from synthpop_gb.simulation import Amplify, Raise, change_population, simulate
from synthpop_gb.simulation.beside import beside
from tests.simulation.counties import households, persons
from tests.simulation.test_deciles import tax


@pytest.fixture(scope="module")
def made():
    aligned, population = persons()
    left_out = leave_one_out(population, refits=2)
    changed = change_population(population, Raise("smokes = 'yes'", by=0.1))
    return aligned, population, changed, {"left_out": left_out, "aligned": aligned}


def sums(population, aligned):
    """Income by zone of the people placed."""
    placed = population.donors()
    zone = np.repeat(np.arange(len(placed.zones)), np.diff(placed.indptr))
    income = aligned.frame()["income"].fillna(0.0).to_numpy()
    return np.bincount(zone, placed.n * income[placed.record], len(placed.zones))


def test_differences_are_those_of_the_people(made):
    aligned, population, changed, common = made
    base = simulate(population, tax, outcomes=["net"], measures=["mean"], by=("zone",), **common)
    both = beside(base, "more smokers", changed, tax, measures=["mean", "change", "total_change"], by=("zone",), **common)
    assert both.scenarios == ("baseline", "more smokers")
    total = both.rows("more smokers", "net", "total_change")
    expected = 0.8 * (sums(changed.population, aligned) - sums(population, aligned))
    assert np.allclose(total["counted"], expected)
    assert np.allclose(total["estimate"], expected)  # whole people on both sides: nothing fractional is in between
    people = population.status["people"].to_numpy()
    assert np.allclose(both.rows("more smokers", "net", "change")["counted"], expected / people)
    mean = both.rows("more smokers", "net", "mean")
    assert np.allclose(mean["counted"], 0.8 * sums(changed.population, aligned) / people)


def test_intervals_are_of_paired_replicates(made):
    aligned, population, changed, common = made
    base = simulate(population, tax, outcomes=["net"], measures=["mean"], by=("zone",), **common)
    row = beside(base, "x", changed, tax, measures=["total_change"], by=("zone",), **common).rows("x", "net", "total_change")
    drawn = np.stack(
        [
            0.8 * (sums(changed.population.replicate(r), aligned) - sums(changed.baseline.replicate(r), aligned))
            for r in population.replicates.numbers
        ]
    )
    assert np.allclose(row["replicate_error"], drawn.std(axis=0, ddof=1))
    assert (row["model_error"] == 0).all()
    unpaired = np.stack([0.8 * sums(changed.population.replicate(r), aligned) for r in population.replicates.numbers])
    assert row["replicate_error"].mean() < unpaired.std(axis=0, ddof=1).mean()


def test_nothing_changed_is_no_difference(made):
    _, population, changed, common = made
    base = simulate(population, tax, outcomes=["net"], measures=["mean"], by=("all",), **common)
    same = beside(base, "same", changed.baseline, tax, before=changed.baseline, measures=["change"], by=("all",), **common).rows(
        "same", "net", "change"
    )
    assert (same["estimate"] == 0).all()
    assert (same["standard_error"] == 0).all()


def test_by_decile_of_the_population_before(made):
    aligned, population, changed, common = made
    asked = {"by": ("all", "decile"), "deciles": "net", **common}
    base = simulate(population, tax, outcomes=["net"], measures=["total"], **asked)
    both = beside(base, "x", changed, tax, measures=["total", "total_change"], **asked)
    rows = {m: both.rows("x", "net", m).set_index("decile")["counted"] for m in ("total", "total_change")}
    before = both.rows("baseline", "net", "total").set_index("decile")["counted"]
    assert np.allclose(rows["total"] - before, rows["total_change"])
    assert rows["total_change"].sum() == pytest.approx(
        0.8 * (sums(changed.population, aligned) - sums(population, aligned)).sum()
    )


def test_whole_households_and_their_outcomes():
    aligned, population = households()
    changed = change_population(population, Amplify("work = 'works'", 1.3))

    def benefit(donors, parameters=None):
        at_work = (donors["work"] == "works").groupby(donors["household"]).any().reindex(donors.households.index)
        return pd.DataFrame({"benefit": np.where(at_work, 0.0, 100.0)}, index=donors.households.index)

    common = {"left_out": leave_one_out(population, refits=2), "aligned": aligned}
    base = simulate(population, benefit, measures=["total"], by=("all",), **common)
    row = beside(base, "x", changed, benefit, measures=["total_change"], by=("all",), **common).rows("x")
    jobless = []
    works = (aligned.frame()["work"] == 1).to_numpy()
    for one in (changed.baseline, changed.population):
        placed, problem = one.households(), one.problem
        unit = np.repeat(np.arange(len(problem.units)), np.diff(problem.member_start))
        any_works = np.bincount(unit, works[problem.member], len(problem.units)) > 0
        jobless.append(int(placed.n[~any_works[placed.record]].sum()))
    assert row["counted"].item() == pytest.approx(100 * (jobless[1] - jobless[0]))


def test_what_cannot_be_compared_is_refused(made):
    aligned, population, changed, common = made
    base = simulate(population, tax, outcomes=["net"], measures=["mean"], by=("all",), **common)
    with pytest.raises(InputError, match="gross"):
        beside(base, "x", changed, tax, names=["gross"], measures=["change"], by=("all",), **common)
    with pytest.raises(InputError, match="moon"):
        beside(base, "x", changed, tax, measures=["change"], by=("moon",), **common)
    with pytest.raises(ValueError, match="before="):
        beside(base, "x", changed.population, tax, by=("all",), **common)
    made = changed.population.replicates
    renamed = replace(changed.population, replicates=replace(made, numbers=made.numbers + 1))
    with pytest.raises(ValueError, match="other numbers"):
        beside(base, "x", renamed, tax, before=changed.baseline, by=("all",), **common)
    bare = change_population(population.replicate(1), Raise("smokes = 'yes'", by=0.1), aligned=aligned, replicates=False)
    with pytest.raises(ValueError, match="replicates"):
        beside(base, "x", bare, tax, by=("all",), **common)
