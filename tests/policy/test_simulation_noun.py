"""The noun that a simulation is: rows by name, units, indicators for maps; and poverty lines in words."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.errors import finding
from synthpop_gb.indicators import classify
from synthpop_gb.pipeline.scenario_answers import joined
from synthpop_gb.policy import PovertyLine, Simulation, poverty_line
from synthpop_gb.spec.scenario import OutcomeRequest


@pytest.fixture
def simulation():
    rows = [
        (scenario, outcome, measure, zone, sex)
        for scenario in ("baseline", "reform")
        for outcome, measure in (
            ("net", "mean"),
            ("net", "poverty"),
            ("tax", "total"),
            *([("net", "change")] * (scenario == "reform")),
        )
        for zone in ("Z1", "Z2")
        for sex in ("female", "male")
    ]
    frame = pd.DataFrame(rows, columns=["scenario", "outcome", "measure", "zone", "sex"])
    frame["estimate"] = np.arange(len(frame)) / 100 + 0.1
    frame["standard_error"] = 0.01
    frame = frame.assign(lower=frame["estimate"] - 0.02, upper=frame["estimate"] + 0.02, counted=frame["estimate"], people=50.0)
    frame = frame.assign(replicate_error=0.005, finite_error=0.005, model_error=0.005, n_eff=20.0, donors=20, largest_donor=0.1)
    frame["reliability"] = classify(frame["estimate"], frame["standard_error"], frame["donors"])
    note = finding("model-reads-place", "toy: 'region' varies.", level="warning")
    return Simulation("toy", ("baseline", "reform"), {}, frame, 0.9, {"net": "pounds", "tax": "pounds"}, findings=(note,))


def test_rows_are_found_by_name_and_asked_for_where_there_are_several(simulation):
    assert simulation.place == "zone"
    assert simulation.groups == ("sex",)
    assert simulation.measures == ("mean", "poverty", "total", "change")
    found = simulation.rows("reform", "net", "change")
    assert list(found.columns[:3]) == ["zone", "sex", "estimate"]
    assert len(found) == 4
    assert len(simulation.rows("baseline", "tax")) == 4  # it has one measure only
    with pytest.raises(KeyError, match="net, tax"):
        simulation.rows("baseline")
    with pytest.raises(KeyError, match="mean, poverty"):
        simulation.rows("baseline", "net")
    with pytest.raises(KeyError, match="there is none"):
        simulation.rows("another", "net", "mean")


def test_indicators_have_the_kind_and_unit_of_their_measure(simulation):
    poverty = simulation.indicators("reform", "net", "poverty")
    assert poverty.question.measure == "share"
    assert poverty.unit == "share of people"
    assert poverty.question.what == "poverty of net under reform"
    assert poverty.pivot().shape == (2, 2)  # noqa: PD010
    assert simulation.indicators("baseline", "tax", "total").question.measure == "total"
    assert simulation.indicators("reform", "net", "change").unit == "pounds"
    assert "2 %" in poverty.preview() or "%" in poverty.preview()
    assert simulation.unit_of("net", "gini") == ""
    assert simulation.unit_of("net", "count") == "people"


def test_two_quantiles_of_one_outcome_are_told_apart_in_a_table(simulation):
    told = replace(simulation, frame=simulation.frame.replace({"measure": {"mean": "quantile"}}))
    requests = [OutcomeRequest(what="net", measures=["quantile"], quantile=q) for q in (0.5, 0.9)]
    frame = joined(requests, [told, told])
    assert {"quantile", "quantile 0.9"} <= set(frame["measure"])
    assert (frame["measure"] == "quantile").sum() == (frame["measure"] == "quantile 0.9").sum() > 0
    assert set(frame.loc[frame["measure"] == "quantile 0.9", "unit"]) == {"pounds"}


def test_what_it_says_of_itself(simulation, tmp_path):
    said = repr(simulation)
    for words in ("Simulation of toy: baseline, reform", "28 figures by zone, sex", "[model-reads-place] toy"):
        assert words in said
    simulation.to_csv(tmp_path / "x.csv")
    assert len(pd.read_csv(tmp_path / "x.csv")) == len(simulation) == 28


def test_poverty_lines_are_taken_in_any_form_and_refused_in_none():
    assert poverty_line(0.5) == PovertyLine(share=0.5)
    assert poverty_line({"of": "region", "moving": True}) == PovertyLine(of="region", moving=True)
    assert str(PovertyLine(of="lad", moving=True)) == "below 60 % of the median of its lad, of each scenario"
    line = PovertyLine(amount=100.0)
    assert poverty_line(line) is line
    for wrong in (0.0, float("nan"), {"amount": float("inf")}, {"half": 0.5}):
        with pytest.raises(ValueError, match="poverty line"):
            poverty_line(wrong)
