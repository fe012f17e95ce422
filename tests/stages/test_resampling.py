"""Generators by resampling keep what they say and break what they say; the same seed, the same records."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.synthesis import bootstrap, independent_columns, keep_pairs, lose_rare, swap_within_couples


def records(n=2000, seed=0):
    rng = np.random.default_rng(seed)
    role = rng.choice(["Husband", "Wife", "Child"], n, p=[0.4, 0.3, 0.3])
    sex = np.where(role == "Husband", "M", np.where(role == "Wife", "F", rng.choice(["M", "F"], n)))
    frame = pd.DataFrame({"role": role, "sex": sex, "age": np.where(role == "Child", rng.integers(0, 18, n), 40.0)})
    frame.loc[3, "age"] = np.nan
    return frame.astype({"role": "category"})


GENERATORS = {
    "bootstrap": bootstrap,
    "independent": independent_columns,
    "pairs": lambda r, n=None, *, seed: keep_pairs(r, [("role", "sex")], n, seed=seed),
    "rare": lambda r, n=None, *, seed: lose_rare(r, 30, n, seed=seed),
}


@pytest.mark.parametrize("name", GENERATORS)
def test_types_sizes_and_seeds(name):
    real, make = records(), GENERATORS[name]
    made = make(real, seed=1)
    assert (made.dtypes == real.dtypes).all()
    assert made.index.equals(pd.RangeIndex(len(real)))
    pd.testing.assert_frame_equal(made, make(real, seed=1))
    assert not made.equals(make(real, seed=2))
    assert len(make(real, 7, seed=1)) == 7
    assert make(real.iloc[:0], seed=1).empty
    assert make(real, 0, seed=1).empty
    with pytest.raises(ValueError, match="negative"):
        make(real, -1, seed=1)


@given(st.integers(0, 1000))
def test_records_of_a_bootstrap_are_records(seed):
    real = records(60)
    made = bootstrap(real, seed=seed)
    known = set(map(str, real.itertuples(index=False)))
    assert set(map(str, made.itertuples(index=False))) <= known


def test_pairs_are_kept_and_all_else_is_not():
    real = records()
    made = keep_pairs(real, [("role", "sex")], seed=1)
    assert not ((made["role"] == "Husband") & (made["sex"] == "F")).any()
    assert ((made["role"] == "Husband") & (made["age"] < 18)).any()
    alone = independent_columns(real, seed=1)
    assert ((alone["role"] == "Husband") & (alone["sex"] == "F")).mean() == pytest.approx(0.4 * 0.45, abs=0.03)
    neighbours = keep_pairs(real, seed=1)  # role with sex, age alone
    assert not ((neighbours["role"] == "Husband") & (neighbours["sex"] == "F")).any()
    with pytest.raises(KeyError, match="no column 'pay'"):
        keep_pairs(real, [("role", "pay")], seed=1)
    with pytest.raises(ValueError, match="two pairs"):
        keep_pairs(real, [("role", "sex"), ("sex", "age")], seed=1)


def test_swapping_keeps_every_variable_and_everything_else_of_the_records():
    real = records()
    made = swap_within_couples(real, "role", "sex", share=0.25, seed=1)
    n = round(0.25 * min((real["role"] == "Husband").sum(), (real["role"] == "Wife").sum()))
    assert ((made["role"] == "Husband") & (made["sex"] == "F")).sum() == n
    assert ((made["role"] == "Wife") & (made["sex"] == "M")).sum() == n
    assert made["sex"].value_counts().equals(real["sex"].value_counts())
    pd.testing.assert_frame_equal(made.drop(columns="sex"), real.drop(columns="sex"))
    assert swap_within_couples(real, "role", "sex", share=0, seed=1).equals(real)
    assert swap_within_couples(real, "role", "sex", ("King", "Queen"), seed=1).equals(real)
    with pytest.raises(ValueError, match="share"):
        swap_within_couples(real, "role", "sex", share=2, seed=1)
    with pytest.raises(KeyError, match="no column"):
        swap_within_couples(real, "role", "gender", seed=1)


def test_rare_values_are_lost():
    real = records().assign(country=["X"] * 5 + ["Y"] * 1995)
    made = lose_rare(real, 30, seed=1)
    assert set(made["country"]) == {"Y"}
    assert made["age"].isin(real["age"].dropna()).mean() > 0.99
