"""Indicators counted from profiles equal a plain count of people; questions refuse what the survey cannot answer, all at once."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from synthpop_gb.codebook import Category, Variable
from synthpop_gb.errors import InputError
from synthpop_gb.execution import solve
from synthpop_gb.formulation import formulate
from synthpop_gb.harmonisation import harmonise
from synthpop_gb.indicators import Question, classify
from synthpop_gb.indicators.sums import donors_behind, fractional_sums, profile_means, replicate_sums
from tests.stages.nouns import world


@pytest.fixture(scope="module")
def made():
    survey, tables, places = world(n_zones=8)
    rng = np.random.default_rng(3)
    survey.records["income"] = np.where(rng.random(len(survey.records)) < 0.1, np.nan, rng.gamma(2.0, 100.0, len(survey.records)))
    survey.records["town"] = rng.choice(["Ab", "Cd"], len(survey.records))
    aligned = harmonise(survey, tables, places, constraints=["age", "sex", "health"])
    return aligned, solve(formulate(aligned), seed=1, replicates=3)


def people_of(population, aligned):
    """One row a person: zone, and the record's columns."""
    block = population.donors()
    zone = np.repeat(block.zones, np.diff(block.indptr))
    rows = aligned.frame().iloc[np.repeat(block.record, block.n)].reset_index(drop=True)
    return rows.assign(zone=np.repeat(zone, block.n))


def test_counts_of_people_are_those_of_the_placed_donors(made):
    aligned, population = made
    answers = Question("health = 'bad'", by=("zone", "sex")).ask(aligned)
    behind = donors_behind(answers, population.blocks(3), population.zones)
    rows = people_of(population, aligned)
    for s, label in ((1, "male"), (2, "female")):
        column = answers.groups.get_loc((label,))
        mine = rows[rows["sex"] == s]
        counted = mine.groupby("zone").size().reindex(aligned.zones, fill_value=0)
        bad = (mine["health"] == 3).groupby(mine["zone"]).sum().reindex(aligned.zones, fill_value=0)
        assert (behind.people[:, column] == counted).all()
        assert (behind.total(answers.value)[:, column] == bad).all()
    block = population.donors(aligned.zones[:1])
    male = answers.group[block.record] == answers.groups.get_loc(("male",))
    n = block.n[male].astype(float)
    place = (0, answers.groups.get_loc(("male",)))
    assert behind.donors[place] == len(n)
    assert behind.largest[place] == n.max() / n.sum()
    assert np.isclose(behind.n_eff[place], n.sum() ** 2 / (n**2).sum())


def test_fractional_sums_are_weights_times_records(made):
    aligned, population = made
    answers = Question("income", "mean", where="age >= 16", by=("lad", "town")).ask(aligned)
    inside = np.stack([answers.group == g for g in range(2)], 1)
    values = np.concatenate([inside, inside * answers.value[:, None]], axis=1)
    sums = fractional_sums(profile_means(values.astype(float), population.problem), answers, population)
    weights, problem = population.fitted(), population.problem
    profile = np.repeat(np.arange(problem.n_profiles), np.diff(problem.donor_start))
    zone_weight = weights[:, profile] * (problem.donor_weight / problem.start[profile])
    frame = aligned.frame().iloc[problem.donor]
    used = (frame["age"].to_numpy() != "0") & frame["income"].notna().to_numpy()
    for area in range(2):
        here = answers.area == area
        for column, (town,) in enumerate(answers.groups):
            w = zone_weight[here].sum(axis=0) * (used & (frame["town"] == town).to_numpy())
            assert np.isclose(sums[area, column], w.sum())
            assert np.isclose(sums[area, 2 + column], (w * np.nan_to_num(frame["income"].to_numpy())).sum())


def test_sums_are_the_same_for_a_sparse_matrix(made):
    aligned, population = made
    answers = Question("health = 'bad'", by=("lad",)).ask(aligned)
    columns = np.random.default_rng(1).random((population.problem.n_profiles, 3))
    assert np.allclose(fractional_sums(csr_matrix(columns), answers, population), fractional_sums(columns, answers, population))
    pairs = [list(replicate_sums(lambda weight, c=c: c, answers, population)) for c in (columns, csr_matrix(columns))]
    assert np.allclose(*pairs)


def test_replicates_are_summed_by_their_own_weights(made):
    aligned, population = made
    answers = Question("income", "total", by=("zone",)).ask(aligned)
    values = np.stack([answers.base, answers.value], axis=1).astype(float)
    sums = list(replicate_sums(lambda weight: profile_means(values, population.problem, weight), answers, population))
    assert len(sums) == 3
    for place, number in enumerate(population.replicates.numbers):
        own = population.replicate(number)
        dense = np.zeros((len(own.zones), own.problem.n_profiles))
        dense[np.repeat(np.arange(len(own.zones)), np.diff(own.indptr)), own.profile] = own.count
        assert np.allclose(sums[place], dense @ profile_means(values, own.problem))


def test_every_mistake_in_a_question_comes_at_once(made):
    aligned, _ = made
    with pytest.raises(InputError) as caught:
        Question("incme", "mean", where="helth = 'bad'", by=("zone", "sexx", "lad")).ask(aligned)
    text = str(caught.value)
    for said in ("incme", "'income'", "helth", "sexx", "several levels"):
        assert said in text
    with pytest.raises(InputError, match="categories, not numbers"):
        Question("health", "mean").ask(aligned)
    with pytest.raises(InputError, match="no column of numbers"):
        Question("town", "mean").ask(aligned)
    with pytest.raises(InputError, match="nothing can be estimated"):
        Question("health = 'bad'", where="age >= 16 and age < 16").ask(aligned)


def test_categories_that_share_a_label_are_one_group(made):
    aligned, _ = made
    town = Variable("town", (Category("Ab", "Town", frozenset("x")), Category("Cd", "Town", frozenset("y"))), "town")
    survey = replace(aligned.survey, variables={**aligned.survey.variables, "town": town})
    answers = Question("health = 'bad'", by=("town",)).ask(replace(aligned, survey=survey))
    assert answers.groups.tolist() == [("Town",)]
    assert answers.base.all()


def test_shares_say_of_whom():
    assert Question("x = 1").unit == "share of people"
    assert Question("x = 1", where="age >= 16").unit == "share of people, where age >= 16"
    assert Question("x = 1", "count", where="age >= 16").unit == "people"
    assert Question("income", "mean").unit == "in the unit of income"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"measure": "average"}, "measure is one of"), ({"quantile": 1.0}, "above 0 and below 1"),
        ({"by": ("zone", "zone")}, "something twice"), ({"quantile": float("nan")}, "above 0 and below 1"),
    ],
)  # fmt: skip
def test_nonsense_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Question("income", **wrong)


def test_classes_of_reliability_have_closed_limits():
    found = classify([1.0, 1.0, 1.0], [0.05, 0.0499, 0.2], [99, 99, 99])
    assert found.tolist() == ["reasonably precise", "precise", "unreliable"]
    assert classify([0.0, np.nan], [0.1, 0.1], [99, 99]).tolist() == ["unreliable", ""]
    assert pd.Series(classify([1.0], [0.0], [9])).tolist() == ["unreliable"]
