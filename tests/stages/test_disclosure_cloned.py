"""Copied people: who is alone in a zone, and what is learnt of respondents, against tables worked by hand and slow counts."""

import math

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.aligned import Aligned
from synthpop_gb.codebook import Category, Universe, Variable
from synthpop_gb.errors import InputError
from synthpop_gb.geography import Geography
from synthpop_gb.microdata import Microdata
from synthpop_gb.population import DonorCounts
from synthpop_gb.validation.disclosure import cloned_disclosure, zone_uniqueness
from tests.stages.grid_world import solved


def variable(name, *labels):
    return Variable(name, tuple(Category(x, x, frozenset([f"{name}:{x}"])) for x in labels), name)


def by_hand(**places):
    """Four respondents; the fourth is copied nowhere."""
    records = pd.DataFrame(
        {
            "age": ["young", "young", "old", "old"],
            "sex": ["m", "m", "f", "m"],
            "answer": ["x", "y", "x", "y"],
            "region": ["North", "South", "North", "South"],
            "income": [1.5, 2.5, 3.5, 4.5],
        },
        index=pd.Index([11, 12, 13, 14], name="id"),
    )
    variables = (variable("age", "young", "old"), variable("sex", "m", "f"), variable("answer", "x", "y"),
                 variable("region", "North", "South"))  # fmt: skip
    survey = Microdata("small", records, {v.name: v for v in variables}, Universe("everybody"))
    zones = pd.DataFrame(places or {"lad": ["L", "L"]}, index=pd.Index(["Z1", "Z2"], name="zone"))
    floor = pd.Series(0.0, zones.index)
    return Aligned(survey, records.index, np.ones(4), (), (), Geography(zones), pd.DataFrame(), floor)


COUNTS = DonorCounts(
    pd.Index(["Z1", "Z2"]), np.array([0, 2, 5]), np.array([0, 2, 0, 1, 2], np.int32), np.array([2, 1, 1, 1, 3], np.int32)
)
"""Z1: the first twice, the third; Z2: the first, the second, the third three times."""

KEYS = ["age", "sex"]


def measured(aligned=None, **arguments):
    found = cloned_disclosure([COUNTS], aligned or by_hand(), KEYS, **arguments)
    return found, found["intruder"].set_index(["measure", "target"])


def test_uniqueness_by_hand():
    frame = zone_uniqueness([COUNTS], by_hand(), KEYS)
    # Z1: two young men, one old woman; Z2: two young men, three old women
    assert frame.columns.tolist() == ["zone", "people", "unique", "under_3", "under_5", "under_10"]
    assert frame.to_numpy().tolist() == [["Z1", 3, 1, 3, 3, 3], ["Z2", 5, 0, 2, 5, 5]]


def test_what_an_intruder_learns_by_hand():
    found, rows = measured(targets=["answer"])
    value, baseline = rows["value"], rows["baseline"]
    assert value["copied", ""] == 75.0
    assert value["zones with a copy", ""] == 2.0  # 2, 1, 2
    third = 100 / 3
    assert value["found by keys", ""] == pytest.approx(third)  # the old woman
    assert value["answer given away", "answer"] == pytest.approx(third)
    assert baseline["answer given away", "answer"] == pytest.approx(third)  # x, which most people have
    assert value["all answers given away", ""] == pytest.approx(third)
    # of four young men three are copies of the first: 3/4, 1/4, and 1 for the old woman
    assert value["answer guessed", "answer"] == pytest.approx(100 * (3 / 4 + 1 / 4 + 1) / 3)
    assert baseline["answer guessed", "answer"] == pytest.approx(100 * (7 / 8 + 1 / 8 + 7 / 8) / 3)
    # young men are 2 and 2, old women 1 and 3
    assert value["zone guessed by a copy", ""] == pytest.approx(100 * (1 / 2 + 1 / 2 + 10 / 16) / 3)
    assert baseline["zone guessed by a copy", ""] == pytest.approx(100 * (1 / 2 + 1 / 2 + 10 / 16) / 3)
    assert value["zone guessed by the tables", ""] == pytest.approx(100 * (1 / 2 + 1 / 2 + 3 / 4) / 3)
    assert rows["respondents"].loc["answer guessed", "answer"] == 3
    copies = found["copies"].iloc[0]
    assert copies[["people", "records", "records_used"]].tolist() == [8, 4, 3]
    assert copies["herfindahl"] == pytest.approx((3**2 + 1 + 4**2) / 64)
    assert copies["effective_records"] == pytest.approx(64 / 26)
    assert found["donor_reuse"]["donors"].tolist() == [2, 3]


def test_every_variable_is_wanted_that_has_categories():
    _, rows = measured()
    assert set(rows.loc["answer guessed"].index) == {"answer", "region"}
    with pytest.raises(InputError, match="shoe"):
        measured(targets=["shoe"])
    with pytest.raises(InputError, match=r"(?s)shoe.*hat"):
        cloned_disclosure([COUNTS], by_hand(), ["shoe", "hat"])


def test_own_region_by_hand():
    # Z1 lies in the north, Z2 in the south; northerners are the first and the third
    _, rows = measured(by_hand(part=["NORTH", "south "]))
    row = rows.loc["placed in own region", ""]
    assert row["value"] == pytest.approx(100 * (3 + 1) / 8)  # all of Z1; the second in Z2
    assert row["baseline"] == pytest.approx(50.0)
    _, rows = measured(by_hand(part=["elsewhere", "nowhere"]))
    row = rows.loc["placed in own region", ""]
    assert math.isnan(row["value"])
    assert "not among" in row["baseline_is"]


def test_the_headline_says_what_protects_and_what_is_not_applicable():
    found, _ = measured()
    assert "licence" in found.headline["what protects"]
    assert "not applicable" in found.headline["replicated uniques, DiSCO, distance to the closest record"]
    assert found.headline["alone with their keys in their zone"].startswith("12.5 % of people")
    assert {f.code for f in found.findings} == {"not-applicable"}
    guessed = cloned_disclosure([COUNTS], by_hand())
    assert guessed.headline["keys"] == "age, sex"
    assert "no-keys" in {f.code for f in guessed.findings}


def test_missing_answers_and_keys_are_values():
    aligned = by_hand()
    aligned.survey.records.loc[13, "sex"] = None
    aligned.survey.records.loc[12, "answer"] = None
    found, rows = measured(aligned, targets=["answer"])
    assert rows["value"]["found by keys", ""] == pytest.approx(100 / 3)
    assert rows["value"]["answer guessed", "answer"] == pytest.approx(100 * 2 / 3)
    assert "missing-value" in {f.code for f in found.findings}


def test_nobody_anywhere():
    nobody = DonorCounts(pd.Index([]), np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32))
    for counts in ([], [nobody]):
        found = cloned_disclosure(counts, by_hand(), KEYS)
        assert found["zone_uniqueness"]["people"].tolist() == [0, 0]
        assert found["intruder"]["respondents"].iloc[2] == 0
        assert found.headline["alone with their keys in their zone"].startswith("unknown")
    assert zone_uniqueness([COUNTS], by_hand(), [])["unique"].tolist() == [0, 0]


def test_counts_of_another_study_are_refused():
    wrong = DonorCounts(pd.Index(["Z9"]), np.array([0, 1]), np.array([0], np.int32), np.array([1], np.int32))
    with pytest.raises(ValueError, match="Z9"):
        zone_uniqueness([wrong], by_hand(), KEYS)
    beyond = DonorCounts(pd.Index(["Z1"]), np.array([0, 1]), np.array([99], np.int32), np.array([1], np.int32))
    with pytest.raises(ValueError, match="beyond"):
        zone_uniqueness([beyond], by_hand(), KEYS)
    with pytest.raises(ValueError, match="more than once"):
        zone_uniqueness([COUNTS, COUNTS], by_hand(), KEYS)


def test_a_solved_population_cut_anyhow():
    """Blocks of one zone or of all, read or solved: the same, and the same as counting rows of people."""
    aligned, population, _ = solved()
    whole = cloned_disclosure(population.blocks(), aligned, ["age", "sex"])
    cut = cloned_disclosure((population.donors(np.array([z])) for z in range(len(population.zones))), aligned, ["age", "sex"])
    for name in whole.tables:
        pd.testing.assert_frame_equal(whole[name], cut[name])
    block = population.donors()
    zone = np.repeat(np.repeat(block.zones, np.diff(block.indptr)), block.n)
    frame = aligned.frame().iloc[np.repeat(block.record, block.n)]
    rows = pd.DataFrame({"zone": zone, "age": frame["age"].to_numpy(), "sex": frame["sex"].to_numpy()})
    crowd = rows.groupby(["zone", "age", "sex"])["zone"].transform("size")
    by_zone = (crowd == 1).groupby(rows["zone"]).sum().reindex(aligned.zones, fill_value=0)
    assert whole["zone_uniqueness"]["unique"].tolist() == by_zone.tolist()
