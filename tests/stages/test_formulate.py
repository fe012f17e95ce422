"""From aligned inputs to arrays: profiles, donors, cells, targets; the same whatever the order of records and zones."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthpop_gb.formulation import formulate
from synthpop_gb.geography import Geography
from synthpop_gb.harmonisation import harmonise
from synthpop_gb.problem import zone_key
from tests.stages.nouns import ADULTS, world

NAMES = ["age", "sex", "health"]


@pytest.fixture(scope="module")
def inputs():
    return world(noise=1.0)


def problem_of(survey, tables, geography, names=NAMES):
    return formulate(harmonise(survey, tables, geography, constraints=names))


def test_profiles_are_the_distinct_combinations_of_cells(inputs):
    aligned = harmonise(*inputs, constraints=NAMES)
    problem = formulate(aligned)
    cells = np.stack([c.record_cell for c in aligned.constraints], axis=1)
    assert problem.n_profiles == len(np.unique(cells, axis=0)) == 30
    assert problem.n_cells == 10
    assert problem.cells.tolist()[4:8] == [("age", "65+"), ("sex", "male"), ("sex", "female"), ("health", "good")]
    assert problem.constraint_start.tolist() == [0, 5, 7, 10]
    assert sorted(map(tuple, problem.cell_of.T)) == list(map(tuple, problem.cell_of.T))
    assert np.array_equal(problem.targets, np.concatenate([c.targets for c in aligned.constraints], axis=1))
    assert problem.zone_keys.tolist() == [zone_key(z) for z in aligned.zones]


def test_donors_are_the_records_of_their_profile(inputs):
    aligned = harmonise(*inputs, constraints=NAMES)
    problem = formulate(aligned)
    cells = np.stack([c.record_cell for c in aligned.constraints]) + problem.constraint_start[:-1, None]
    assert sorted(problem.donor) == list(range(len(aligned.records)))
    for p in range(problem.n_profiles):
        donors = problem.donor[problem.donor_start[p] : problem.donor_start[p + 1]]
        assert (np.diff(donors) > 0).all()
        assert (cells[:, donors] == problem.cell_of[:, [p]]).all()
        assert problem.start[p] == pytest.approx(aligned.weight[donors].sum())
    assert np.array_equal(problem.donor_weight, aligned.weight[problem.donor])


def test_outside_a_universe_is_minus_one(inputs):
    survey, tables, geography = inputs
    tables = {**tables, "health": replace(tables["health"], universe=ADULTS, counts=tables["health"].counts * 4 // 5)}
    aligned = harmonise(survey, tables, geography, constraints=["health", "age"])
    problem = formulate(aligned)
    outside = problem.cell_of[0] == -1
    assert (problem.cell_of[1, outside] == 3).all()
    assert outside.sum() == 1
    assert problem.n_profiles == 1 + 4 * 3


@settings(max_examples=12)
@given(st.randoms(use_true_random=False))
def test_shuffled_zones_are_the_same_problem_in_another_order(inputs, random):
    survey, tables, geography = inputs
    order = list(range(len(geography.codes)))
    random.shuffle(order)
    one = problem_of(survey, tables, geography)
    two = problem_of(survey, tables, Geography(geography.zones.iloc[order]))
    for name in ("start", "cell_of", "constraint_start", "donor_start", "donor", "donor_weight"):
        assert np.array_equal(getattr(one, name), getattr(two, name))
    assert np.array_equal(one.targets[order], two.targets)
    assert np.array_equal(one.zone_keys[order], two.zone_keys)
    assert list(one.zones[order]) == list(two.zones)


@settings(max_examples=12)
@given(st.randoms(use_true_random=False))
def test_shuffled_records_are_the_same_profiles(inputs, random):
    survey, tables, geography = inputs
    order = list(range(len(survey.records)))
    random.shuffle(order)
    one = problem_of(survey, tables, geography)
    two = problem_of(replace(survey, records=survey.records.iloc[order]), tables, geography)
    assert np.array_equal(one.cell_of, two.cell_of)
    assert np.array_equal(one.targets, two.targets)
    assert np.array_equal(one.donor_start, two.donor_start)
    assert np.allclose(one.start, two.start, rtol=1e-12)
    assert all(
        set(one.records[one.donor[a:b]]) == set(two.records[two.donor[a:b]])
        for a, b in zip(one.donor_start[:-1], one.donor_start[1:], strict=True)
    )


@pytest.mark.parametrize("values", [("a", "b", None), (1.0, 2.0, np.nan)], ids=["words", "numbers"])
def test_records_without_a_stratum_are_in_one_and_without_a_cluster_are_one_each(inputs, values):
    survey, tables, geography = inputs
    n = len(survey.records)
    column = [values[0]] * 10 + [values[1]] * (n - 15) + [values[2]] * 5
    survey = replace(survey, records=survey.records.assign(design=column), strata="design", cluster="design")
    problem = problem_of(survey, tables, geography)
    assert problem.stratum.tolist() == [0] * 10 + [1] * (n - 15) + [2] * 5
    assert problem.cluster[:-5].tolist() == problem.stratum[:-5].tolist()
    assert sorted(problem.cluster[-5:]) == [2, 3, 4, 5, 6]
    turned = problem_of(replace(survey, records=survey.records[::-1]), tables, geography)
    assert turned.cluster[::-1].tolist() == problem.cluster.tolist()
