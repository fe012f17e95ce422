"""Disclosure measures of a pair: hand-worked tables, slow twins, laws, and pairs that are broken."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.errors import InputError
from synthpop_gb.validation.disclosure import (
    Guards,
    Limits,
    attribute,
    attribute_table,
    cap,
    crossed,
    disclosure,
    distance_table,
    identity,
    identity_table,
)
from tests.pairs import make_pair
from tests.reference import disclosure as twin
from tests.stages.made_pairs import KEYS, pair_of, people

TABLES = {
    "disclosure_identity",
    "disclosure_attribute",
    "disclosure_guarded",
    "disclosure_distance",
    "disclosure_near",
    "attacks",
}

# real: a xxy, b yy, c x, d y, e xxy; synthetic: a xy, b yy, c y, e xx, f x
REAL = [*"aaabbcdeee"], [*"xxyyyxyxxy"]
SYNTHETIC = [*"aabbceef"], [*"xyyyyxxx"]


def hand():
    frame = [pd.DataFrame({"key": q, "target": t}) for q, t in (REAL, SYNTHETIC)]
    return pair_of(*frame, keys=("key",), target="target")


def codes(side):
    return np.array(["abcdef".index(q) for q in side[0]]), np.array(["xy".index(t) for t in side[1]])


def test_identity_by_hand():
    # real: c and d are alone (2 of 10); synthetic: c and f (2 of 8); of c and d the synthetic data have c, once
    assert identity(codes(REAL)[0], codes(SYNTHETIC)[0]) == {"UiO": 20.0, "UiS": 25.0, "UiOiS": 10.0, "repU": 10.0}


def test_attribute_by_hand():
    found = attribute(crossed(*codes(REAL), *codes(SYNTHETIC)))
    wanted = {
        "Dorig": 40.0,  # b b c d
        "Dsyn": 75.0,  # b b c e e f
        "iS": 90.0,  # all but d
        "DiS": 60.0,  # b b c e e e
        "DiSCO": 40.0,  # b b, and the two x of e; c is told wrongly
        "DiSDiO": 20.0,  # b b
        "max_denom": 2.0,
        "mean_denom": 2.0,
    }
    assert found == pytest.approx(wanted)


def test_cap_by_hand():
    found = cap(crossed(*codes(REAL), *codes(SYNTHETIC)))
    wanted = {
        "baseCAPd": 50.0,  # five x, five y
        "CAPd": 100 * (5 / 3 + 2 + 1 + 1 + 5 / 3) / 10,
        "CAPs": 100 * (1 + 2 + 1 + 2 + 1) / 8,
        "DCAP": 100 * 5.5 / 9,  # a 1/2 three times, b twice 1, c 0, e 1 1 0
        "DCAPd": 55.0,
        "DCAPs": 100 * 5.5 / 8,
        "DCAPb": 100 * 5.5 / 7,  # all synthetic but f
        "TCAP": 100 * 4 / 6,  # of b b c e e e
        "TCAPs": 50.0,
        "TCAPb": 100 * 4 / 7,
    }
    assert found == pytest.approx(wanted)


def test_the_tables_hold_the_same():
    pair = hand()
    row = identity_table(pair, ["key"]).iloc[0]
    assert (row["UiO"], row["UiS"], row["repU"], row["combinations"]) == (20.0, 25.0, 10.0, 5)
    frame, left_out = attribute_table(pair, ["key"], seed=1)
    assert frame["target"].tolist() == ["target"]
    assert frame.loc[0, ["DiSCO", "DiSDiO"]].tolist() == [40.0, 20.0]
    assert frame.loc[0, "TCAP"] == pytest.approx(200 / 3)
    assert left_out.empty


records = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), min_size=1, max_size=12)


@given(records, records)
def test_equals_an_intruder_who_goes_from_record_to_record(real, synthetic):
    d, s = (np.array(side, np.int64) for side in (real, synthetic))
    table = crossed(d[:, 0], d[:, 1], s[:, 0], s[:, 1])
    found = attribute(table) | cap(table)
    for name, value in twin.attribute(real, synthetic).items():
        np.testing.assert_allclose(found[name], value, err_msg=name)
    for name, value in twin.identity(d[:, 0], s[:, 0]).items():
        np.testing.assert_allclose(identity(d[:, 0], s[:, 0])[name], value, err_msg=name)
    assert found["iS"] >= found["DiS"] >= found["DiSCO"] >= found["DiSDiO"]
    assert found["baseCAPd"] <= found["CAPd"] + 1e-9 <= 100 + 2e-9
    assert found["DCAPd"] + 1e-9 >= found["DiSCO"]
    if not np.isnan(found["TCAP"]):
        assert found["TCAP"] >= found["DiSCO"] - 1e-9
    if len(real) == len(synthetic):  # Raab, Nowok & Dibben: then the two denominators are one
        assert found["TCAPs"] == pytest.approx(found["DiSCO"])
        assert found["DCAPs"] == pytest.approx(found["DCAPd"])


def test_records_looked_up_in_themselves_give_away_what_the_original_does():
    real = people(300, 1)
    frame, _ = attribute_table(pair_of(real, real), KEYS, seed=1, groups=None)
    np.testing.assert_allclose(frame["DiSCO"], frame["Dorig"])
    np.testing.assert_allclose(frame["DiSDiO"], frame["Dorig"])
    np.testing.assert_allclose(frame["CAPs"], frame["CAPd"])
    np.testing.assert_allclose(frame["DCAP"], frame["CAPd"])
    row = identity_table(pair_of(real, real), KEYS).iloc[0]
    assert row["UiO"] == row["UiS"] == row["UiOiS"] == row["repU"]


# what is no disclosure


def with_a_rule():
    """All children are single, everybody is 'no' but a few; 120 records each side."""
    key = ["child"] * 60 + ["adult"] * 60
    status = ["single"] * 60 + ["single", "married"] * 30
    number = [str(i % 20) for i in range(120)]
    rare = ["no"] * 118 + ["yes"] * 2
    return pd.DataFrame({"age": key, "number": number, "status": status, "rare": rare})


def test_levels_that_dominate_and_that_a_key_implies_are_left_out():
    frame, left_out = attribute_table(pair_of(with_a_rule(), with_a_rule()), ["age"], seed=1)
    frame = frame.set_index("target")
    # keys by age alone: children are single for certain, and nobody else is anything for certain
    assert frame.loc["status", "DiSCO"] == 50.0
    # one level makes up all of it: 60 > 50 records and 100 % > 90 %
    assert frame.loc["status", ["dominating", "implied", "DiSCO_guarded"]].tolist() == [1, 1, 0.0]
    rows = left_out[left_out["target"] == "status"].set_index("rule")
    assert rows.loc["1-way", ["level", "records", "percent"]].tolist() == ["single", 60, 100.0]
    assert rows.loc["2-way", ["key", "key_level", "level", "percent"]].tolist() == ["age", "child", "single", 100.0]
    spared, _ = attribute_table(pair_of(with_a_rule(), with_a_rule()), ["age"], seed=1, guards=Guards((60, 90), (60, 80)))
    assert spared.set_index("target").loc["status", "DiSCO_guarded"] == 50.0


def test_named_levels_and_large_denominators_are_left_out():
    pair = pair_of(with_a_rule(), with_a_rule())
    named = Guards((999, 90), (999, 80), {"status": ["single"]})
    frame, left_out = attribute_table(pair, ["age"], ["status"], seed=1, guards=named)
    assert frame.loc[0, ["DiSCO", "DiSCO_guarded", "iS"]].tolist() == [0.0, 0.0, 100.0]
    assert left_out["rule"].tolist() == ["named"]
    few = Guards((999, 90), (999, 80), denominator_limit=5)
    assert attribute_table(pair, ["age"], ["status"], seed=1, guards=few)[0].loc[0, "DiSCO"] == 0.0


def test_missing_values_are_values_or_left_out():
    real = pd.DataFrame({"key": ["a", None, "b", "b"], "t": ["x", "x", "y", None]})
    pair = pair_of(real, real)
    assert identity_table(pair, ["key"]).loc[0, "UiO"] == 50.0
    assert identity_table(pair, ["key"], missing="leave out").loc[0, "UiO"] == 25.0
    as_value, left_out = (attribute_table(pair, ["key"], seed=1, missing=m)[0].loc[0] for m in ("category", "leave out"))
    assert (as_value["Dorig"], left_out["Dorig"]) == (50.0, 50.0)  # a, missing; a, b
    with pytest.raises(ValueError, match="leave out"):
        disclosure(pair, seed=1, missing="drop")


def test_numbers_are_cut_into_groups_of_the_real_ones():
    real = pd.DataFrame({"key": ["a"] * 4, "income": [1.0, 2.0, 3.0, 4.0]})
    pair = pair_of(real, real)
    exact, halves = (attribute_table(pair, ["key"], seed=1, groups=g)[0].loc[0, "levels"] for g in (None, 2))
    assert (exact, halves) == (4, 2)
    assert identity_table(pair, ["income"], groups=None).loc[0, "UiO"] == 100.0
    assert identity_table(pair, ["income"], groups=2).loc[0, "UiO"] == 0.0


# closest records


def test_distances_by_hand():
    # range 10; 1 is 1 from 0 and 3 from 4; 5 is 5 from 0 and 10 and 1 from 4; 7 is 3 from 10 and from 4: half counts
    line = [pd.DataFrame({"x": [float(v) for v in values]}) for values in ([0, 10], [1, 5, 7], [4])]
    frame = distance_table(pair_of(line[0], line[1]), seed=1, holdout=line[2]).set_index("comparison")
    row = frame.loc["synthetic to real"]
    assert row[["mean", "median", "identical"]].tolist() == pytest.approx([0.3, 0.3, 0.0])
    assert row["share_closer"] == pytest.approx(0.5)
    assert row["expected"] == pytest.approx(2 / 3)
    assert frame.loc["synthetic to holdout", "median"] == pytest.approx(0.3)
    assert frame.loc["holdout to real", "mean"] == pytest.approx(0.4)
    assert frame.loc["real to other real", "mean"] == pytest.approx(1.0)
    # nearest over second nearest: 1/9, 5/5, 3/7
    assert row["ratio"] == pytest.approx(3 / 7)


def test_fresh_people_are_as_close_to_strangers_as_chance_has_it():
    shares, inside = [], 0
    for seed in range(30):
        row = distance_table(pair_of(people(200, 3 * seed), people(200, 3 * seed + 1)), seed=1, holdout=people(100, 3 * seed + 2))
        row = row.iloc[0]
        shares.append(row["share_closer"])
        inside += row["lower"] <= row["expected"] <= row["upper"]
    assert np.mean(shares) == pytest.approx(2 / 3, abs=4 * np.std(shares) / np.sqrt(30))
    assert inside >= 26  # of 30 intervals at 95 %; fewer has a chance of 1 in 60


def test_few_categories_are_no_leak():
    """Where nearly everybody has twins on both sides, ties are divided: half and half stays half."""
    rng = np.random.default_rng(3)
    real, synthetic, strangers = (pd.DataFrame({"x": rng.choice(list("abc"), n), "y": rng.choice(list("de"), n)})
                                  for n in (400, 500, 400))  # fmt: skip
    row = distance_table(pair_of(real, synthetic), seed=1, holdout=strangers).iloc[0]
    assert row["identical"] == 100.0
    assert row["lower"] < 0.5 < row["upper"]
    assert row["share_closer"] == pytest.approx(0.5, abs=0.05)


def test_nothing_depends_on_threads_and_everything_on_the_seed():
    pair, strangers = pair_of(people(900, 1), people(700, 2), keys=KEYS, target="ill"), people(300, 3)
    one = disclosure(pair, seed=5, holdout=strangers, attacks=200, most=400, workers=1)
    same = disclosure(pair, seed=5, holdout=strangers, attacks=200, most=400, workers=3)
    other = disclosure(pair, seed=6, holdout=strangers, attacks=200, most=400)
    for name in TABLES:
        pd.testing.assert_frame_equal(one[name], same[name])
    assert not one["disclosure_distance"].equals(other["disclosure_distance"])


# all together


def test_copies_are_found_and_fresh_people_pass():
    real, strangers = people(1500, 1), people(1500, 2)
    fresh = disclosure(pair_of(real, people(1500, 3), keys=KEYS, target="ill"), seed=1, holdout=strangers, attacks=500)
    assert set(fresh.tables) == TABLES
    assert "disclosure-risk" not in {
        f.code for f in fresh.findings if "replicated" not in f.message and "unique" not in f.message
    }
    assert "expected 50.0 %" in fresh.headline["closer to training than to holdout"]
    copies = disclosure(pair_of(real, real.sample(frac=1, random_state=1), keys=KEYS, target="ill"), seed=1, holdout=strangers)
    places = {f.place for f in copies.findings if f.code == "disclosure-risk"}
    assert {
        "linkage",
        "inference: ill",
        "distance to the closest record",
        "identical records",
        "ill",
        "age x sex x region",
    } <= places
    assert copies.headline["identical to a real record"] == "100.0 %"
    assert copies["disclosure_attribute"].set_index("target")["wanted"].to_dict() == {"ill": True, "income": False}
    lenient = Limits(100, 100, 100, 100, 1, near=100)
    quiet = disclosure(pair_of(real, real, keys=KEYS, target="ill"), seed=1, holdout=strangers, limits=lenient)
    assert "disclosure-risk" not in {f.code for f in quiet.findings}


def test_without_a_holdout_it_says_what_cannot_be_said():
    found = disclosure(pair_of(people(300, 1), people(300, 2), keys=KEYS), seed=1, attacks=100)
    assert "no-holdout" in {f.code for f in found.findings}
    assert found["attacks"][["risk", "control"]].isna().all(axis=None)
    assert found["disclosure_distance"]["share_closer"].isna().all()
    assert found["disclosure_distance"]["comparison"].tolist() == ["synthetic to real", "real to other real"]
    assert "no holdout" in found.headline["largest risk of an attack"]


def test_cloned_records_are_not_measured_as_if_they_were_not():
    found = disclosure(replace(hand(), cloned=True), seed=1)
    assert not found.tables
    assert [f.code for f in found.findings] == ["not-applicable"]
    assert all("not applicable" in v and "licence" in v for v in found.headline.values())


def test_keys_are_named_or_guessed_and_said_so():
    pair = pair_of(people(50, 1), people(50, 2), protected=("sex",), target="ill")
    found = disclosure(pair, seed=1, attacks=10)
    assert found.headline["keys"] == "sex"
    assert "no-keys" in {f.code for f in found.findings}
    none = disclosure(replace(pair, protected=()), seed=1, attacks=10)
    assert "disclosure_identity" not in none.tables
    assert {f.level for f in none.findings if f.code == "no-keys"} == {"warning"}
    with pytest.raises(InputError) as error:
        disclosure(pair, seed=1, keys=["sex", "shoe", "hat"])
    assert "'shoe', 'hat'" in str(error.value)
    with pytest.raises(InputError, match="hat"):
        disclosure(pair, seed=1, keys=["sex"], target="hat")


# broken


FRAMES = {
    "nobody synthetic": (people(20, 1), people(0, 2)),
    "nobody real": (people(0, 1), people(20, 2)),
    "nobody": (people(0, 1), people(0, 2)),
    "one each": (people(1, 1), people(1, 2)),
    "one synthetic": (people(20, 1), people(1, 2)),
    "constant": (pd.DataFrame({"a": [1.0] * 9, "b": ["x"] * 9}), pd.DataFrame({"a": [1.0] * 7, "b": ["x"] * 7})),
    "all missing": (
        pd.DataFrame({"a": [np.nan] * 6, "b": pd.Series([None] * 6, dtype=object)}),
        pd.DataFrame({"a": [np.nan] * 5, "b": pd.Series([None] * 5, dtype=object)}),
    ),
    "missing on one side": (
        pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": ["x", "y", "y"]}),
        pd.DataFrame({"a": [np.nan] * 3, "b": pd.Series([None] * 3, dtype=object)}),
    ),
    "one variable": (people(30, 1)[["ill"]], people(30, 2)[["ill"]]),
    "infinite": (pd.DataFrame({"a": [1.0, np.inf, 3.0, 4.0]}), pd.DataFrame({"a": [1.0, -np.inf, 3.0]})),
    "no variables": (pd.DataFrame(index=range(4)), pd.DataFrame(index=range(4))),
}


@pytest.mark.parametrize("strangers", [False, True])
@pytest.mark.parametrize("kind", FRAMES)
def test_broken_pairs_give_findings_not_tracebacks(kind, strangers):
    real, synthetic = FRAMES[kind]
    pair = pair_of(real, synthetic)
    holdout = real.iloc[: max(len(real) // 2, 0)] if strangers and len(real) > 1 and real.shape[1] else None
    for keys in (pair.names[:1], pair.names[-1:], ()):
        found = disclosure(pair, seed=1, keys=keys, holdout=holdout, attacks=20, most=10)
        assert "attacks" in found.tables
        assert all(isinstance(v, str) for v in found.headline.values())
    if kind in ("nobody", "nobody real", "nobody synthetic", "one each", "one synthetic", "no variables"):
        assert "nothing-to-measure" in {f.code for f in found.findings}


def test_a_holdout_that_does_not_fit_is_a_finding():
    pair = pair_of(people(30, 1), people(30, 2), keys=KEYS)
    with pytest.raises(InputError, match="'region', 'ill', 'income'"):
        disclosure(pair, seed=1, holdout=people(10, 3)[["age", "sex"]])
    with pytest.raises(InputError, match="no records"):
        disclosure(pair, seed=1, holdout=people(0, 3))
    odd = people(10, 3).astype({"age": object})
    odd.loc[0, "age"] = "old"
    odd.loc[1, "sex"] = "<script>"
    found = disclosure(pair, seed=1, holdout=odd, attacks=10)
    assert "missing-value" in {f.code for f in found.findings}


def test_one_person_kept_apart_makes_no_risk():
    """Ten of a hundred synthetic records equal a real one by likeness alone; a single stranger who does not proves no leak."""
    rng = np.random.default_rng(1)
    real, made = (pd.DataFrame({"a": rng.integers(0, 6, 400), "b": rng.choice(list("uvwxyz"), 400)}) for _ in range(2))
    pair = make_pair(real, made, keys=("a",), target="b")
    for stranger in ({"a": 0.0, "b": "q"}, {"a": 3.0, "b": "u"}):
        checks = disclosure(pair, seed=1, holdout=pd.DataFrame([stranger]))
        assert not [f.message for f in checks.findings if f.code == "disclosure-risk"]
