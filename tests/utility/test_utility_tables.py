"""Tables of variables, propensity models, and effective numbers of weighted and cloned records."""

import importlib
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.validation.utility._sides import sides
from synthpop_gb.validation.utility._tree import pruned_nodes
from synthpop_gb.validation.utility.measures import table_measures
from synthpop_gb.validation.utility.propensity import propensity
from synthpop_gb.validation.utility.tables import tables
from tests.pairs import make_pair, people, shuffled
from tests.reference import utility as twin


def by_crosstab(pair, names):
    """Measures of one table, counted by pandas, missing as a value."""
    real, synthetic = pair.coded(names)
    found = []
    for side in (real, synthetic):
        frame = pd.DataFrame(side.codes, columns=list(names)).assign(w=side.weight)
        found.append(frame.groupby(list(names))["w"].sum())
    both = pd.concat(found, axis=1).fillna(0)
    return table_measures(both.iloc[:, 0], both.iloc[:, 1])


def test_every_table_is_the_one_that_pandas_counts():
    real, made = people(400), people(300, seed=9)
    real.loc[:30, "hours"], made.loc[:9, "education"] = np.nan, None
    pair = make_pair(real, made)
    found = tables(pair, order=3)["utility_tables"]
    assert found["k"].value_counts().to_dict() == {1: 7, 2: 21, 3: 35}
    for row in found.to_dict("records"):
        hoped = by_crosstab(pair, [row[n] for n in "abc" if row[n]])
        assert {n: row[n] for n in hoped} == pytest.approx(hoped, nan_ok=True)


def test_sparse_counting_is_dense_counting(monkeypatch):
    pair = make_pair(people(200), people(200, seed=2))
    dense = tables(pair, order=3)["utility_tables"]
    monkeypatch.setattr(importlib.import_module("synthpop_gb.validation.utility.tables"), "_DENSE", 3)
    pd.testing.assert_frame_equal(tables(pair, order=3)["utility_tables"], dense)


def test_what_is_not_looked_at_is_said():
    pair = make_pair(people(200), shuffled(people(200)))
    few = tables(pair, order=3, most_tables=30)
    assert (few["utility_tables"]["k"] == 3).sum() == 15  # those with one variable, of 35
    assert [f.code for f in few.findings if f.code == "utility-partial"] == ["utility-partial"]
    fixed = tables(pair, order=3, third="sex")["utility_tables"]
    assert (fixed[fixed["k"] == 3][["a", "b", "c"]] == "sex").any(axis=1).all()
    with pytest.raises(KeyError, match="nobody"):
        tables(pair, order=3, third="nobody")
    with pytest.raises(ValueError, match="4 variables"):
        tables(pair, order=4)


def test_lost_links_are_found_and_a_bootstrap_passes():
    real = people(3000)
    worst = tables(make_pair(real, shuffled(real)))["utility_tables"].query("k == 2").iloc[0]
    assert {worst["a"], worst["b"]} <= {"age", "wealth", "married"}
    assert worst["verdict"] == "poor"
    rng = np.random.default_rng(7)
    good = tables(make_pair(real, real.iloc[rng.integers(0, 3000, 3000)]), order=3)["utility_tables"]
    assert good["s_pmse"].mean() == pytest.approx(1, abs=0.25)
    assert (good[good["k"] > 1]["verdict"] == "good").all()


def test_logistic_regression_on_one_category_is_its_table():
    pair = make_pair(people(300)[["education"]], people(200, seed=5)[["education"]])
    row = propensity(pair, models=("logistic",))["propensity"].iloc[0]
    table = tables(pair, order=1)["utility_tables"].iloc[0]
    for name in ("pmse", "s_pmse", "specks", "df"):
        assert row[name] == pytest.approx(table[name], rel=1e-4), name


def test_products_make_the_saturated_model_of_two_categories():
    pair = make_pair(people(300)[["education", "sex"]], shuffled(people(300))[["education", "sex"]])
    row = propensity(pair, models=("interactions",))["propensity"].iloc[0]
    table = tables(pair)["utility_tables"].query("k == 2").iloc[0]
    assert row["pmse"] == pytest.approx(table["pmse"], rel=1e-4)
    assert row["df"] == table["df"] == 5
    few = propensity(make_pair(people(50), people(50, seed=2)), models=("interactions",), most_parameters=5)
    assert few["propensity"].empty
    assert "parameters" in few.findings[0].message


def test_aliased_columns_take_no_degree_of_freedom():
    real, made = people(200)[["age", "hours"]], people(200, seed=2)[["age", "hours"]]
    twice = propensity(make_pair(real.assign(b=real["age"]), made.assign(b=made["age"])), models=("logistic",))["propensity"]
    once = propensity(make_pair(real, made), models=("logistic",))["propensity"]
    assert twice["df"].iloc[0] == once["df"].iloc[0] == 2
    assert twice["pmse"].iloc[0] == pytest.approx(once["pmse"].iloc[0], rel=1e-3)


def test_propensity_tells_good_from_bad_and_repeats_to_the_last_bit():
    real = people(1500)
    rng = np.random.default_rng(6)
    good = make_pair(real, real.iloc[rng.integers(0, 1500, 1500)])
    bad = make_pair(real, shuffled(real))
    found = propensity(good, permutations=20)["propensity"].set_index("model")
    assert 0.5 < found.loc["logistic", "s_pmse"] < 2
    assert 0.5 < found.loc["cart", "s_pmse"] < 1.6
    lost = propensity(bad, permutations=20)
    assert lost["propensity"].set_index("model").loc["cart", "s_pmse"] > 3
    assert lost["propensity"].set_index("model").loc["logistic", "s_pmse"] < 1  # its margins are right
    again = propensity(bad, permutations=20)["propensity"]
    pd.testing.assert_frame_equal(again, lost["propensity"], check_exact=True)
    some = propensity(bad, permutations=5, most_records=500)
    assert some["propensity"]["records"].tolist() == [2500, 500]  # logistic regression looks at five times as many
    assert len([f for f in some.findings if f.code == "utility-partial"]) == 2
    with pytest.raises(ValueError, match="no propensity model"):
        propensity(bad, models=("oracle",))


@given(st.data())
def test_pruned_tree_is_the_best_of_all_subtrees(data):
    left, right, weights = [-1], [-1], [None]
    for _ in range(data.draw(st.integers(0, 6))):
        leaf = data.draw(st.sampled_from([i for i, a in enumerate(left) if a < 0]))
        left[leaf], right[leaf] = len(left), len(left) + 1
        left += [-1, -1]
        right += [-1, -1]
    n = len(left)
    own = [data.draw(st.tuples(st.integers(0, 9), st.integers(0, 9))) if left[i] < 0 else (0, 0) for i in range(n)]
    weights = [list(w) for w in own]
    for i in range(n - 1, -1, -1):
        if left[i] >= 0:
            weights[i] = [weights[left[i]][k] + weights[right[i]][k] for k in (0, 1)]
    cp = data.draw(st.sampled_from([0.0, 0.05, 0.2, 0.6]))
    first, second = np.array(own, float).T
    belongs = pruned_nodes(np.array(left), np.array(right), first, second, cp)
    price = cp * min(weights[0])
    leaves = np.unique(belongs[np.array(left) < 0])
    risk = sum(min(weights[k]) + price for k in leaves)
    assert risk == pytest.approx(twin.pruned_risk(0, left, right, weights, price))
    assert (belongs[belongs] == belongs).all()


def test_weights_are_worth_their_effective_number():
    real, made = people(400), people(300, seed=9)
    weight = np.random.default_rng(1).integers(1, 4, 300).astype(float)
    pair = make_pair(real, made, synthetic_weight=weight)
    row = tables(pair, order=1)["utility_tables"].query("a == 'sex'").iloc[0]
    effective = weight.sum() ** 2 / (weight**2).sum()
    share = [(made["sex"] == s).to_numpy() @ weight / weight.sum() for s in ("female", "male")]
    hoped = table_measures([(real["sex"] == s).sum() for s in ("female", "male")], np.array(share) * effective)
    assert row["s_pmse"] == pytest.approx(hoped["s_pmse"])
    assert sides(pair).n_synthetic == pytest.approx(effective)
    alike = tables(replace(pair, synthetic_weight=np.full(300, 7.0)))["utility_tables"]
    pd.testing.assert_frame_equal(alike, tables(replace(pair, synthetic_weight=None))["utility_tables"])


def cloned_population(real, people_of_it, seed):
    """A population of copies of few records: every record has its own number of copies, most have none."""
    rng = np.random.default_rng(seed)
    share = rng.gamma(0.3, size=len(real))
    return real.iloc[rng.choice(len(real), people_of_it, p=share / share.sum())].reset_index(drop=True)


def test_cloned_population_is_judged_at_its_effective_number():
    real = people(600)
    copies = cloned_population(real, 50_000, seed=3)
    count = copies.value_counts(dropna=False).to_numpy(float)
    both = sides(make_pair(real, copies, cloned=True))
    assert both.n_synthetic == pytest.approx(count.sum() ** 2 / (count**2).sum())
    assert (both.pair.real["wealth"].to_numpy()[both.donor] == both.pair.synthetic["wealth"].to_numpy()).all()
    naive = tables(make_pair(real, copies), order=1)["utility_tables"]["s_pmse"]
    fair = tables(make_pair(real, copies, cloned=True), order=1)["utility_tables"]["s_pmse"]
    assert naive.median() > 10 > 3 > fair.median()
    weighted = make_pair(
        real, real, synthetic_weight=copies["wealth"].value_counts().reindex(real["wealth"]).fillna(0).to_numpy()
    )
    same = tables(replace(weighted, cloned=True), order=1)["utility_tables"]
    assert same["s_pmse"].to_numpy() == pytest.approx(fair.to_numpy())


def test_copies_of_alike_records_are_shared_and_strangers_are_told():
    real = pd.DataFrame({"x": [1.0, 1, 2, 3]})
    made = pd.DataFrame({"x": [1.0] * 6 + [2.0] * 3 + [9.0]})
    both = sides(make_pair(real, made, cloned=True))
    assert both.pair.synthetic["x"].tolist() == [1, 1, 2, 9]
    assert both.pair.synthetic_weight.tolist() == [3, 3, 3, 1]
    assert both.donor.tolist() == [0, 1, 2, -1]
    assert "1 synthetic people equal no real record" in both.findings[0].message
    assert sides(both) is both


def test_nothing_to_compare_is_a_finding():
    found = tables(make_pair(people(5), people(5).head(0)))
    assert found["utility_tables"].empty
    assert found.findings[0].code == "utility-not-computed"
    assert math.isnan(table_measures([1], [0])["pmse"])
