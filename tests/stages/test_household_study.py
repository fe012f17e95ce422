"""From a survey of households to a population: what harmonising hands on is placed, whole, and counted again."""

import numpy as np
import pytest

import synthpop_gb as sp
from synthpop_gb.assessment import compare_methods, default_candidates
from synthpop_gb.testing import assert_fits
from tests.stages.homes_world import world
from tests.stages.test_harmonise_households import NAMES, with_communal


@pytest.fixture(scope="module")
def aligned():
    survey, tables, places = world(n_zones=3, homes_a_zone=80)
    return sp.harmonise(survey, tables, places, constraints=NAMES)


def test_zones_made_of_the_surveys_households_are_met_exactly(aligned):
    population = sp.solve(sp.formulate(aligned), method="balance", seed=1, workers=1)
    assert_fits(population)
    assert (population.status["households"] == 80).all()
    people, homes = population.donors(), population.households()
    for z in range(3):
        n = np.zeros(len(aligned.records), int)
        n[people.record[people.indptr[z] : people.indptr[z + 1]]] = people.n[people.indptr[z] : people.indptr[z + 1]]
        of_home = np.zeros(len(aligned.households.ids), int)
        of_home[homes.record[homes.indptr[z] : homes.indptr[z + 1]]] = homes.n[homes.indptr[z] : homes.indptr[z + 1]]
        assert np.array_equal(n, of_home[aligned.households.of_record]), "nobody is split"
        for c in aligned.constraints:
            inside = c.record_cell >= 0
            counted = np.bincount(c.record_cell[inside], weights=n[inside], minlength=c.targets.shape[1])
            assert np.array_equal(counted, c.targets.to_numpy()[z])


def test_residents_of_communal_establishments_are_placed_where_people_tables_count_them():
    survey, tables, places = world(n_zones=3, homes_a_zone=80)
    tables["age"].counts.iloc[:, 4] += 12
    tables["sex"].counts.iloc[:, 1] += 12
    tables["work"].counts.iloc[:, 1] += 12
    old = with_communal(survey)
    old.records.loc[old.records["home"].notna(), "sex"] = 2
    aligned = sp.harmonise(old, tables, places, constraints=NAMES)
    population = sp.solve(sp.formulate(aligned), method="balance", seed=1, workers=1)
    assert_fits(population)
    alone = np.flatnonzero(aligned.households.communal)
    homes = population.households()
    placed = np.array([homes.n[a:b][np.isin(homes.record[a:b], alone)].sum()
                       for a, b in zip(homes.indptr[:-1], homes.indptr[1:], strict=True)])  # fmt: skip
    assert (population.placed().people - placed == 80).all(), "they are no households"
    assert placed.sum() > 0


def test_methods_of_households_are_compared_and_those_of_persons_refused(aligned):
    names = [c.name for c in default_candidates(households=True)]
    assert names == ["balance", "balance:effort=quick"]
    frame = compare_methods(aligned, ["balance"], seed=1)
    assert frame.loc["balance", "zones_exact"] == 100.0
    with pytest.raises(ValueError, match="whole households, which 'ipf', 'anneal' cannot place"):
        compare_methods(aligned, ["balance", "ipf", "anneal"], seed=1)
