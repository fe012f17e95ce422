"""Deciles: equal tenths of the people placed, ties together, by area where asked; figures equal those of expanded people."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.assessment import leave_one_out
from synthpop_gb.errors import InputError
from synthpop_gb.geography import Geography
from synthpop_gb.simulation import simulate
from synthpop_gb.simulation.deciles import Deciles, decile_codes, refined
from tests.simulation.counties import persons


def tax(donors, parameters=None):
    """A flat tax: an outcome of persons."""
    rate = (parameters or {}).get("rate", 0.2)
    income = donors["income"].fillna(0.0)
    return pd.DataFrame({"net": income * (1 - rate), "tax": income * rate})


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 9)), min_size=1, max_size=60))
def test_tenths_are_of_people_and_equal_values_stay_together(pairs):
    value, people = np.array(pairs, float).T
    code = decile_codes(value, people)
    assert ((code >= 0) & (code <= 9)).all()
    order = np.argsort(value, kind="stable")
    assert (np.diff(code[order]) >= 0).all()
    for v in np.unique(value):
        assert len(set(code[value == v])) == 1


def test_distinct_values_make_equal_tenths():
    value = np.random.default_rng(1).permutation(1000.0 + np.arange(1000))
    assert (np.bincount(decile_codes(value, np.ones(1000))) == 100).all()


@pytest.fixture(scope="module")
def made():
    aligned, population = persons()
    return aligned, population, leave_one_out(population, refits=2)


def expanded(aligned, population):
    """One row a placed person: record position and zone."""
    placed = population.donors()
    zone = np.repeat(np.arange(len(placed.zones)), np.diff(placed.indptr))
    return np.repeat(placed.record, placed.n), np.repeat(zone, placed.n)


def test_figures_by_decile_are_those_of_the_people_themselves(made):
    aligned, population, left_out = made
    found = simulate(
        population, tax, reforms={"more": {"rate": 0.3}}, outcomes=["net"], measures=["mean", "change", "total_change"],
        by=("all", "decile"), deciles="net", left_out=left_out, aligned=aligned,
    )  # fmt: skip
    record, _ = expanded(aligned, population)
    income = aligned.frame()["income"].fillna(0.0).to_numpy()
    value = 0.8 * income
    code = decile_codes(value, np.bincount(record, minlength=len(value)))[record]
    people = pd.DataFrame({"decile": code + 1, "net": value[record], "change": -0.1 * income[record]})
    by = people.groupby("decile")
    rows = found.rows("baseline", "net", "mean").set_index("decile")
    assert np.allclose(rows["counted"].loc[by.size().index], by["net"].mean())
    rows = found.rows("more", "net", "change").set_index("decile")
    assert np.allclose(rows["counted"].loc[by.size().index], by["change"].mean())
    rows = found.rows("more", "net", "total_change").set_index("decile")
    assert np.allclose(rows["counted"].loc[by.size().index], by["change"].sum())
    share = by.size() / len(people)
    assert (share[share.index > share.index.min()] < 0.2).all()  # nought is the value of many, in one tenth together


def test_deciles_within_areas_are_each_areas_own(made):
    aligned, population, left_out = made
    level = aligned.geography.parents[-2] if len(aligned.geography.parents) > 1 else aligned.geography.parents[0]
    found = simulate(
        population, tax, outcomes=["net"], measures=["mean"], by=(level, "decile"), deciles=Deciles("net", level),
        left_out=left_out, aligned=aligned,
    ).rows("baseline", "net", "mean")  # fmt: skip
    record, zone = expanded(aligned, population)
    income = 0.8 * aligned.frame()["income"].fillna(0.0).to_numpy()
    area = aligned.geography.zones[level].to_numpy()[zone]
    for code in np.unique(area):
        mine = record[area == code]
        tenth = decile_codes(income, np.bincount(mine, minlength=len(income)))[mine]
        expected = pd.Series(income[mine]).groupby(tenth + 1).mean()
        rows = found[found[level] == code].set_index("decile")["counted"]
        assert np.allclose(rows.loc[expected.index], expected)


def test_deciles_cross_groups_and_classes_of_place(made):
    aligned, population, left_out = made
    half = np.arange(len(aligned.zones)) % 2
    table = pd.DataFrame({"side": np.where(half == 0, "a", "b")}, index=aligned.zones)

    def placed(donors, parameters=None):
        return pd.DataFrame({"net": donors["income"].fillna(0.0) * np.where(donors["side"] == "a", 0.8, 0.5)})

    placed.places = ("side",)
    found = simulate(
        population, placed, measures=["mean"], by=("all", "sex", "decile"), deciles="net", places=table, left_out=left_out,
        aligned=aligned,
    ).rows("baseline", "net", "mean")  # fmt: skip
    record, zone = expanded(aligned, population)
    income = aligned.frame()["income"].fillna(0.0).to_numpy()
    value = np.stack([0.8 * income, 0.5 * income])
    people = np.stack([np.bincount(record[half[zone] == h], minlength=len(income)) for h in (0, 1)])
    code = decile_codes(value, people)[half[zone], record]
    sex = aligned.frame()["sex"].to_numpy()[record]
    expected = pd.Series(value[half[zone], record]).groupby([sex, code + 1]).mean()
    rows = found.set_index(["sex", "decile"])["counted"]
    assert np.allclose(rows.reindex(expected.index), expected)


def test_what_deciles_cannot_be_of_is_said(made):
    aligned, population, left_out = made
    common = {"outcomes": ["net"], "by": ("all", "decile"), "left_out": left_out, "aligned": aligned}
    for deciles, words in ((None, "deciles="), ("wealth", "does not give"), (Deciles("net", "moon"), "moon")):
        with pytest.raises(InputError, match=words):
            simulate(population, tax, deciles=deciles, **common)


def test_classes_are_refined_by_area():
    aligned, _ = persons()
    from synthpop_gb.policy import run_model

    level = aligned.geography.parents[0]
    outcomes = run_model(tax, aligned)
    fine = refined(outcomes, aligned, level)
    assert len(fine.places) == aligned.geography.zones[level].nunique()
    assert (fine.values == np.repeat(outcomes.values, len(fine.places), axis=1)).all()
    with pytest.raises(InputError, match="moon"):
        refined(outcomes, replace(aligned, geography=Geography(aligned.geography.zones)), "moon")
