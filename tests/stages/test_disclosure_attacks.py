"""Attacks succeed on copies, fail on fresh people, and rates have published intervals."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.validation.disclosure import attack_table, inference, linkage, residual_risk, singling_out, wilson
from synthpop_gb.validation.disclosure.rates import expected_singles
from synthpop_gb.validation.disclosure.singling_out import Predicate, matches, multivariate, univariate, values_of
from tests.stages.made_pairs import KEYS, pair_of, people

# Newcombe 1998, Statistics in Medicine 17, table I, method 3 (score, without continuity correction)
NEWCOMBE = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]


@pytest.mark.parametrize(("successes", "n", "lower", "upper"), NEWCOMBE)
def test_wilson_intervals_are_the_published_ones(successes, n, lower, upper):
    assert wilson(successes, n) == (pytest.approx(lower, abs=5e-5), pytest.approx(upper, abs=5e-5))


@given(st.integers(1, 500), st.floats(0, 1), st.floats(0.5, 0.999))
def test_wilson_laws(n, share, level):
    k = round(share * n)
    low, high = wilson(k, n, level)
    assert 0 <= low <= k / n <= high <= 1
    flipped = wilson(n - k, n, level)
    assert flipped == (pytest.approx(1 - high), pytest.approx(1 - low))
    assert high - low >= wilson(10 * k, 10 * n, level)[1] - wilson(10 * k, 10 * n, level)[0]


def test_risk_by_hand():
    assert residual_risk((0.5, 0.4, 0.6), (0.2, 0.1, 0.3))[0] == pytest.approx(0.375)
    assert residual_risk((0.2, 0.1, 0.3), (0.2, 0.1, 0.3))[0] == 0
    assert residual_risk((1.0, 0.9, 1.0), (0.4, 0.3, 0.5))[0] == 1
    assert all(math.isnan(v) for v in residual_risk((0.5, 0.4, 0.6), (1.0, 0.9, 1.0)))
    assert all(math.isnan(v) for v in wilson(0, 0))


@given(st.integers(1, 30), st.data())
def test_expected_singles_is_the_mean_over_parts(n, data):
    size, c = data.draw(st.integers(1, n)), data.draw(st.integers(0, n))
    by_hand = c * math.comb(n - c, size - 1) / math.comb(n, size) if n - c >= size - 1 else 0.0
    assert expected_singles(np.array([c]), n, size)[0] == pytest.approx(by_hand, abs=1e-12)


# singling out


SMALL = pd.DataFrame({"age": [20.0, 30.0, 30.0, 80.0], "job": ["a", "a", "b", "c"], "car": ["x", "x", None, "x"]})


def test_predicates_of_one_variable_by_hand():
    (values,) = values_of([pair_of(SMALL, SMALL).synthetic], pair_of(SMALL, SMALL))
    found = {p.conditions[0][:2] + (() if math.isnan(p.conditions[0][2]) else (p.conditions[0][2],)) for p in univariate(values)}
    # youngest and oldest; jobs b (code 1) and c (2); the only one without a car's answer
    assert found == {("age", "<=", 20.0), ("age", ">=", 80.0), ("job", "=", 1.0), ("job", "=", 2.0), ("car", "missing")}
    both = Predicate((("age", ">=", 30.0), ("job", "=", 0.0)))
    assert matches(both, values) == 1
    assert matches(Predicate((("car", "missing", 0.0),)), values) == 1


def test_singling_out_by_hand():
    real = pd.DataFrame({"job": ["a", "b", "c", "c"]})
    synthetic = pd.DataFrame({"job": ["a", "b", "c", "d"]})
    row = singling_out(pair_of(real, synthetic), seed=1)[0]
    # all four are alone in the synthetic data; a and b are in the real, c is two people there, d nobody
    assert (row["n"], row["success"]) == (4, 0.5)
    assert math.isnan(row["risk"])
    strangers = pd.DataFrame({"job": pd.Categorical(["a", "a", "c", "d"])})
    row = singling_out(pair_of(real, synthetic), seed=1, holdout=strangers)[0]
    assert (row["control"], row["risk"]) == (0.5, 0.0)  # c and d


def test_predicates_of_several_variables_are_true_of_one():
    pair = pair_of(people(400, 1), people(400, 2))
    (values,) = values_of([pair.synthetic], pair)
    found = multivariate(values, 50, np.random.default_rng(1), conditions=3)
    assert len(found) == len(set(found)) > 10
    assert all(matches(p, values) == 1 and len(p.conditions) == 3 for p in found)


def test_control_and_attack_are_of_one_size():
    """Fresh people: a large real set and a small holdout are as easily singled out in once their sizes are one."""
    risks = []
    for seed in range(12):
        pair = pair_of(people(1200, 3 * seed), people(600, 3 * seed + 1))
        risks.append(singling_out(pair, seed=1, holdout=people(200, 3 * seed + 2), n=400)[1]["risk"])
    assert abs(np.mean(risks)) < 4 * np.std(risks) / np.sqrt(12) + 0.01


# linkage and inference


def test_linkage_finds_copies_and_nobody_else():
    names = pd.DataFrame({"a": [f"a{i}" for i in range(60)], "b": [f"b{i}" for i in range(60)]})
    strangers = names.iloc[30:].astype("category")
    row = linkage(pair_of(names.iloc[:30], names.iloc[:30]), seed=1, keys=["a"], holdout=strangers)
    assert row["success"] == 1.0
    assert row["baseline"] == pytest.approx(1 / 30)
    assert row["control"] < 0.2  # unlike everybody, so both files draw at random
    assert row["risk"] == pytest.approx(1.0)


@pytest.mark.parametrize("leaked", [0.0, 0.25, 0.5, 1.0])
def test_the_risk_grows_with_what_leaked(leaked):
    """As Giomi et al. show: of records unlike each other, the share that was let through is the risk."""
    n = 400
    real, others, strangers = (pd.DataFrame({"a": [f"a{s}{i}" for i in range(n)], "b": [f"b{s}{i}" for i in range(n)]})
                               for s in "xyz")  # fmt: skip
    synthetic = pd.concat([real.iloc[: int(leaked * n)], others.iloc[int(leaked * n) :]])
    row = linkage(pair_of(real, synthetic), seed=1, keys=["a"], holdout=strangers.astype("category"))
    assert row["risk"] == pytest.approx(leaked, abs=0.02)


def test_linkage_of_ties_is_no_better_than_chance():
    alike = pd.DataFrame({"a": ["x"] * 500, "b": ["y"] * 500})
    row = linkage(pair_of(alike, alike.iloc[:50]), seed=1, keys=["a"])
    assert row["lower"] < 1 / 50 < row["upper"]


def test_inference_by_hand():
    real = pd.DataFrame({"key": ["a", "b", "c", "d"], "t": ["x", "y", "y", "y"], "income": [100.0, 200.0, 300.0, 1000.0]})
    synthetic = pd.DataFrame({"key": ["a", "b", "c", "d"], "t": ["x", "y", "x", "x"], "income": [104.0, 211.0, 300.0, 900.0]})
    row = inference(pair_of(real, synthetic), "t", seed=1, keys=["key"])
    assert (row["success"], row["baseline"]) == (0.5, 0.25)  # a and b; naming x, the synthetic data's commonest
    row = inference(pair_of(real, synthetic), "income", seed=1, keys=["key"], tolerance=0.05)
    assert row["success"] == 0.5  # 4 % and 0 % off; 5.5 % and 10 % are too much
    # the better of the median (255.5, near nobody) and the commonest value (104, near the first)
    assert row["baseline"] == 0.25


def test_risks_of_fresh_people_are_about_nought_and_of_copies_are_not():
    real = people(1500, 1)
    arguments = {"seed": 1, "keys": KEYS, "holdout": people(1500, 2), "n": 1000}
    fresh = attack_table(pair_of(real, people(1500, 3), target="ill"), **arguments)
    copies = attack_table(pair_of(real, real.sample(frac=1, random_state=1), target="ill"), **arguments)
    assert fresh["attack"].tolist() == copies["attack"].tolist()
    assert fresh["attack"].str.startswith(("singling out", "linkage", "inference: ill")).all()
    many = fresh["n"] >= 20
    assert (fresh["risk_lower"][many] < 0.02).all()
    assert (copies["risk_lower"][copies["n"] >= 20] > 0.05).all()
    assert (copies["success"] >= copies["lower"]).all()
    rates = copies[["success", "control", "baseline", "lower", "upper", "control_lower", "control_upper"]]
    assert ((rates.to_numpy() >= 0) & (rates.to_numpy() <= 1)).all()


def test_every_variable_is_wanted_where_none_is_named():
    rows = attack_table(pair_of(people(60, 1), people(60, 2)), seed=1, keys=["age"], n=20)
    assert rows["wanted"].tolist()[3:] == ["sex", "region", "ill", "income"]
