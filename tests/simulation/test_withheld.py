"""What a licence withholds of a simulation: figures and labels of fewer than ten records, whatever was asked."""

from dataclasses import replace

import numpy as np
import pytest

from synthpop_gb.pipeline.scenario_answers import withheld
from synthpop_gb.simulation import simulate
from tests.simulation.worlds import Tax, of_persons


@pytest.mark.parametrize("measures", [["mean"], ["mean", "change"], ["change", "gainers"]])
def test_groups_of_few_records_are_left_out_though_the_baseline_was_not_asked_for(measures):
    aligned, population = of_persons()
    records = aligned.survey.records.assign(job=np.where(np.arange(len(aligned.survey.records)) < 9, "king", "clerk"))
    aligned = replace(aligned, survey=replace(aligned.survey, records=records))
    few = int((aligned.frame()["job"] == "king").sum())
    assert 0 < few < 10
    reforms = {"up": {"rate": 0.3}}
    found = simulate(population, Tax, reforms=reforms, outcomes="net", measures=measures, by=("all", "job"), aligned=aligned)
    assert set(found.frame["job"]) == {"king", "clerk"}
    told = withheld(found)
    assert set(told.frame["job"]) == {"clerk"}
    assert told.facts["withheld"] == (found.frame["job"] == "king").sum()
