"""What an audit of a survey under licence withholds: groups that fewer than ten records are in, wherever they are named."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.checks import Checks
from synthpop_gb.coded import Coded
from synthpop_gb.errors import finding
from synthpop_gb.validation.intersections import withhold_few
from synthpop_gb.validation.intersections.withheld import records_behind
from synthpop_gb.validation.intersections.words import cell_words

FIT, SURVEY, TABLE = "the fractional fit", "the survey of ours", "published job x sex"


@pytest.fixture
def records():
    """Thirty cooks, nine spies: two of them women."""
    codes = np.array([[0, i % 2] for i in range(30)] + [[1, int(i > 1)] for i in range(9)])
    return Coded(("job", "sex"), (("cook", "spy"), ("f", "m")), codes, np.full(39, 2.5))


def checks():
    cells = pd.DataFrame(
        {
            "reference": [FIT, FIT, FIT, TABLE], "combination": ["job x sex", "job", "job", "job x sex"],
            "cell": ["job = spy and sex = f", "job = spy", "job = cook", "job = spy and sex = f"],
            "kind": ["too many", "missing", "too few", "invented"], "explained_by": "",
        }
    )  # fmt: skip
    zones = pd.DataFrame({"zone": ["E1", "E2"], "reference": FIT, "worst_cell": ["job = spy", "sex = f and job = cook"]})
    tables = pd.DataFrame({"reference": [FIT, SURVEY], "passes": pd.array([True, None], "boolean")})
    points = pd.DataFrame({"reference": [FIT, SURVEY, SURVEY, SURVEY], "expected": [2.5, 24.9, 25.0, 0.0], "cells": 1})
    rarity = pd.DataFrame({"reference": FIT, "missing": [0, 3, 10], "people": [0.0, 7.5, 30.0]})
    coverage = pd.DataFrame(
        {"what": "rule", "name": ["job = 'spy'", "sex = 'f'"], "reason": ["23 of the reference ...", "43 ..."],
         "contradicted": [22.5, 42.5]}
    )  # fmt: skip
    found = (
        finding("misweighted-group", "Against it, 2 groups (worst: job = spy and sex = f: 9 people where 2.5 were expected).",
                place="job = spy and sex = f", rows=cells.head(3)),
        finding("lost-group", "1 groups have nobody (job = spy: 22 in the reference; sex = m: 3).", place="job = spy",
                rows=cells[1:2]),
        finding("rule-contradicted", "job = 'spy': 23 of the reference meet it themselves.", place="job = 'spy'"),
    )  # fmt: skip
    head = {"worst group": "job = spy and sex = f: 9 people where 2.5 were expected", "zones": 2, "passes": None}
    frames = {
        "scan_cells": cells, "scan_zones": zones, "scan_points": points, "scan_rarity": rarity, "scan_coverage": coverage,
        "scan_tables": tables, "copies": pd.DataFrame({"people": [97.5]}),
    }  # fmt: skip
    return Checks(head, frames, found)


def test_groups_of_few_records_are_named_nowhere(records):
    found = withhold_few(checks(), records, published=[TABLE], impossible=["job = 'spy'", "sex = 'f'"])
    assert found["scan_cells"][["reference", "cell"]].values.tolist() == [[FIT, "job = cook"], [TABLE, "job = spy and sex = f"]]
    assert found["scan_zones"]["worst_cell"].tolist() == ["", "sex = f and job = cook"]
    assert found["scan_points"]["expected"].tolist() == [2.5, 25.0, 0.0]  # the survey's own: ten records weigh 25
    assert found["scan_rarity"]["people"].isna().tolist() == [False, True, False]
    said = found["scan_coverage"].set_index("name")
    assert said.loc["job = 'spy'", "reason"] == "some of the reference meet it themselves"
    assert np.isnan(said.loc["job = 'spy'", "contradicted"])
    assert said.loc["sex = 'f'", "contradicted"] == 42.5
    assert found.headline["worst group"] == "a group of fewer than 10 records: 9 people where 2.5 were expected"
    first, second, rule, last = found.findings
    assert "worst: a group of fewer than 10 records: 9 people" in first.message
    assert first.rows["cell"].tolist() == ["job = cook"]
    assert second.message == "1 groups have nobody (a group of fewer than 10 records: 22 in the reference; sex = m: 3)."
    assert second.rows is None
    assert rule.message == "job = 'spy': some of the reference meet it themselves."
    assert (last.code, last.count) == ("few-behind", 2)
    everything = " ".join(str(f.to_dict()) for f in (first, second)) + str(found.headline)
    assert "job = spy" not in everything


def test_nothing_is_said_where_nothing_is_withheld(records):
    few = withhold_few(checks(), records, published=[TABLE], few=1)
    assert [f.code for f in few.findings] == [f.code for f in checks().findings]
    pd.testing.assert_frame_equal(few["scan_cells"], checks()["scan_cells"])


def test_a_label_that_reads_as_two_variables_counts_the_fewer():
    """'a = x and b = y' is a's own label in one record, and both variables in twenty."""
    labels = (("x", "x and b = y"), ("y", "z"))
    codes = np.array([[0, 0]] * 20 + [[1, 1]])
    found = records_behind(["a = x and b = y", "nonsense", "a = x and"], Coded(("a", "b"), labels, codes, np.ones(21)))
    assert found == {"a = x and b = y": 1, "nonsense": 0, "a = x and": 0}


@given(st.data())
def test_records_behind_any_cell(data):
    """As many records as have the categories, whatever the labels are."""
    labels = st.lists(st.text(st.sampled_from("ab= xnd"), min_size=1, max_size=6).map(lambda s: s.strip() or "a"), min_size=1,
                      max_size=3, unique=True)  # fmt: skip
    names = ("n", "a and n", "b")
    sides = tuple(tuple(data.draw(labels)) for _ in names)
    codes = np.array([[data.draw(st.integers(0, len(s) - 1)) for s in sides] for _ in range(8)])
    at = data.draw(st.sampled_from([(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]))
    record = codes[0]
    words = cell_words([names[i] for i in at], [sides[i][record[i]] for i in at])
    truth = int((codes[:, list(at)] == record[list(at)]).all(axis=1).sum())
    assert records_behind([words], Coded(names, sides, codes, np.ones(8)))[words] <= truth
