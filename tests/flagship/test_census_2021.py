"""Perturbed tables of Census 2021: the people are as near to the published tables as any whole population can be."""

import numpy as np
import pytest

from tests.flagship.raw_files import count_people, published_2021, survey_cells, table_errors

pytestmark = pytest.mark.data

TABLES = ("age", "sex", "health", "ethnic_group")


def assert_as_near_as_anybody(run, data_folder, zones):
    """TAE of every zone is the floor that its disagreeing totals leave: found by hand, from the published tables alone."""
    counted = count_people(run.folder / "population" / "counts.parquet", survey_cells(data_folder, 2021))
    published = {name: table.loc[counted["age"].index] for name, table in published_2021(data_folder).items()}
    assert len(counted["age"]) == zones
    people = counted["age"].sum(axis=1).to_numpy()
    totals = np.stack([published[name].sum(axis=1) for name in TABLES])
    errors = table_errors(counted, published)
    off = np.abs(totals - people)
    assert (errors.to_numpy() == off.T).all()  # each table is off by its own total and by nothing else
    middle = np.sort(totals, axis=0)
    least = (middle[3] - middle[0]) + (middle[2] - middle[1])  # least sum of distances of four numbers to any number
    assert (errors.sum(axis=1) == least).all()
    assert (run.aligned.floor.loc[counted["age"].index] == least).all()


def test_leeds_converges_and_is_exact_above_the_floor(run_study):
    run = run_study("leeds-2021")
    assert (run.population.status["fit"] == "CONVERGED").all()
    assert (run.population.status["whole"] == "EXACT").all()
    headline = run.checks.headline
    assert headline["total absolute error above the floor"] == headline["zones above the floor"] == 0


def test_what_settling_changed_is_reported(run_study):
    changes = run_study("leeds-2021").aligned.changes
    assert sorted(changes.columns) == sorted({"table", "zone", "published", "settled", "cells_changed", "people_moved"})
    assert len(changes) > 0
    assert (changes["people_moved"] >= (changes["published"] - changes["settled"]).abs()).all()
    assert changes["people_moved"].mean() < 10
    codes = {f.code for f in run_study("leeds-2021").aligned.findings}
    assert {"perturbed", "total-mismatch", "vintage-mismatch"} <= codes


@pytest.mark.flagship
def test_every_zone_of_england_and_wales_is_as_near_as_anybody_can_be(run_study, data_folder):
    run = run_study("england-wales-2021")
    status = run.population.status
    assert len(status) == 35_672
    assert (status["fit"] == "CONVERGED").all()
    assert (status["whole"] == "EXACT").all()
    assert run.checks.headline["total absolute error above the floor"] == 0
    assert_as_near_as_anybody(run, data_folder, 35_672)
