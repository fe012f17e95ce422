"""Single variables, associations and the norms of their differences."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import ks_2samp, skew, spearmanr
from scipy.stats.contingency import association as scipy_association

from synthpop_gb.validation.utility._association_floors import v_floor
from synthpop_gb.validation.utility.association import association, correlation_ratio, cramers_v
from synthpop_gb.validation.utility.correlation import NORMS, correlation_difference, correlation_matrix, matrix_norm
from synthpop_gb.validation.utility.univariate import ks, ks_floor, moments, tvd_floor, univariate
from tests.pairs import make_pair, people, shuffled
from tests.reference import utility as twin

numbers = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=15)


@given(numbers, numbers)
def test_ks_equals_the_twin(x, y):
    assert ks(np.array(x), np.array(y)) == pytest.approx(twin.ks(x, y))


def test_ks_equals_scipy():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=80).round(1), rng.normal(0.5, 2, size=120).round(1)
    assert ks(x, y) == pytest.approx(ks_2samp(x, y, method="asymp").statistic)


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(1, 4)), min_size=2, max_size=10))
def test_weighted_moments_and_ks_are_those_of_repeated_records(pairs):
    x, w = (np.array(a, float) for a in zip(*pairs, strict=True))
    repeated = np.repeat(x, w.astype(int))
    found = moments(x, w)
    assert found["mean"] == pytest.approx(repeated.mean())
    assert found["sd"] == pytest.approx(repeated.std(ddof=1))
    if (x != x[0]).any():
        assert found["skewness"] == pytest.approx(skew(repeated))
    assert found["q50"] == np.quantile(repeated, 0.5, method="inverted_cdf")
    assert ks(x, x[:1], w, w[:1]) == pytest.approx(ks(repeated, x[:1]))


def test_floors_are_what_samples_show():
    rng = np.random.default_rng(3)
    real = rng.normal(size=3000)
    shown = np.mean([ks(real, rng.choice(real, 400)) for _ in range(300)])
    assert ks_floor(real, np.ones(3000), 400, draws=400) == pytest.approx(shown, rel=0.06)
    assert shown == pytest.approx(math.sqrt(math.pi / 2) * math.log(2) / 20, rel=0.06)  # mean of Kolmogorov's distribution
    share = np.array([0.5, 0.3, 0.15, 0.05])
    drawn = rng.multinomial(200, share, size=4000) / 200
    assert tvd_floor(share * 1000, 200) == pytest.approx(np.abs(drawn - share).sum(axis=1).mean() / 2, rel=0.03)


def test_univariate_tells_the_moved_the_missing_and_the_unheard_of():
    real = pd.DataFrame({"x": [1.0, 2, 3, 4], "c": ["a", "a", "b", "<b>"]})
    made = pd.DataFrame({"x": [1.0, 2, 3, 9], "c": ["a", "a", None, "new"]})
    table = univariate(make_pair(real, made))["univariate"].set_index("variable")
    x, c = table.loc["x"], table.loc["c"]
    sd = math.sqrt(5 / 3)
    assert x["mean_difference"] == pytest.approx((15 - 10) / 4 / sd)
    assert x["outside"] == 0.25
    assert (c["tvd"], c["missing_synthetic"]) == (0.5, 0.25)
    assert (c["only_synthetic"], c["only_synthetic_names"]) == (1, "new (25 %)")
    assert c["only_real_names"] == "b (25 %), <b> (25 %)"


def test_bins_hold_everybody():
    real = people(500).assign(code=[f"k{i % 70}" for i in range(500)])
    real.loc[:20, "hours"] = np.nan
    bins = univariate(make_pair(real, real.sample(400, random_state=1)))["univariate_bins"]
    shares = bins.groupby("variable")[["real", "synthetic"]].sum()
    assert shares.to_numpy() == pytest.approx(1)
    assert bins.groupby("variable").size().max() <= 40
    assert (bins["label"] == "(missing)").sum() == 1
    assert bins[bins["variable"] == "code"]["label"].iloc[-1] == "(others: 32 categories)"


@given(st.lists(st.lists(st.integers(0, 12), min_size=3, max_size=3), min_size=2, max_size=4))
def test_cramers_v_equals_the_twin(table):
    assume(sum(map(sum, table)) > 2)
    assert cramers_v(np.array(table)) == pytest.approx(twin.cramers_v(table), abs=1e-9, nan_ok=True)


def test_cramers_v_by_hand_and_without_its_correction():
    # phi^2 = (30 - 20)^2 / 25 x 4 / 100 = 0.16 at 30 20 / 20 30: (0.04) here; r - 1 = c - 1 = 1, n = 100
    table = np.array([[30, 20], [20, 30]])
    phi2 = 4 * 25 / 25 / 100
    assert cramers_v(table) == pytest.approx(math.sqrt((phi2 - 1 / 99) / (1 - 1 / 99)))
    assert cramers_v(table * 10_000) == pytest.approx(scipy_association(table * 10_000, method="cramer"), rel=1e-3)


def test_correlation_ratio_is_pearson_for_two_categories():
    x = people(200)
    code = (x["sex"] == "male").to_numpy().astype(int)
    r = np.corrcoef(code, x["hours"])[0, 1]
    assert correlation_ratio(code, x["hours"].to_numpy(), np.ones(200)) == pytest.approx(abs(r))


def test_correlations_equal_libraries_also_with_gaps_and_weights():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 3))
    x[:, 2] = np.round(x[:, 2])
    frame = pd.DataFrame(x)
    assert correlation_matrix(x) == pytest.approx(np.corrcoef(x.T))
    assert correlation_matrix(x, correlation="spearman") == pytest.approx(spearmanr(x).statistic)
    x[:7, 0], x[5:15, 2] = np.nan, np.nan
    frame = pd.DataFrame(x)
    for kind in ("pearson", "spearman"):
        assert correlation_matrix(x, correlation=kind) == pytest.approx(frame.corr(kind).to_numpy())
    w = rng.integers(0, 4, 60)
    for kind in ("pearson", "spearman"):
        repeated = pd.DataFrame(np.repeat(x, w, axis=0)).corr(kind).to_numpy()
        assert correlation_matrix(x, w.astype(float), correlation=kind) == pytest.approx(repeated)


def test_definitions_of_the_difference_of_matrices():
    """By hand: correlations 1/2, 0, -1/2 have become 0, 1/4, -1/2."""
    d = np.array([[0, -0.5, 0.25], [-0.5, 0, 0], [0.25, 0, 0]])
    assert [matrix_norm(d, n) for n in NORMS] == pytest.approx([1.5, 0.75, 0.75, math.sqrt(0.625), 0.5])
    d[0, 1] = d[1, 0] = np.nan
    assert matrix_norm(d, "upper") == 0.25
    assert math.isnan(matrix_norm(np.full((2, 2), np.nan), "max"))
    with pytest.raises(ValueError, match="no norm"):
        matrix_norm(d, "l1")
    real = people(300)[["age", "hours", "wealth"]]
    made = shuffled(real)
    entrywise, upper = (correlation_difference(real, made, norm=n) for n in ("entrywise", "upper"))
    assert entrywise == pytest.approx(2 * upper)
    assert correlation_difference(real, real, correlation="spearman", norm="induced_1") == 0
    with pytest.raises(ValueError, match="other columns"):
        correlation_difference(real, made[["hours", "age", "wealth"]])


def test_association_of_a_good_and_of_a_shuffled_side():
    real = people(1500)
    rng = np.random.default_rng(4)
    good = association(make_pair(real, real.iloc[rng.integers(0, 1500, 1500)]))
    bad = association(make_pair(real, shuffled(real)))
    kinds = good["association"]["kind"].value_counts()
    assert (kinds["pearson"], kinds["spearman"], kinds["cramers_v"], kinds["correlation_ratio"]) == (3, 3, 6, 12)
    ratio = (good["association"]["difference"].abs() / good["association"]["floor"]).mean()
    assert 0.7 < ratio < 1.4  # near what a perfect sample shows
    lost = bad["association"].set_index(["a", "b", "kind"]).loc[("age", "wealth", "pearson")]
    assert abs(lost["difference"]) > 10 * lost["floor"]
    norms = good["association_norms"]
    assert set(norms["variables"]) == {"numbers", "numbers and categories of two", "all"}
    some = norms[(norms["correlation"] == "pearson") & (norms["variables"] == "numbers")].set_index("norm")
    table = good["association"]
    assert some.loc["upper", "value"] == pytest.approx(table[table["kind"] == "pearson"]["difference"].abs().sum())
    assert (some["value"] < 4 * some["floor"]).all()


def test_floor_of_cramers_v_is_what_samples_show():
    rng = np.random.default_rng(2)
    table = np.array([[120.0, 60, 20], [40, 80, 80]])
    shown = [abs(cramers_v(t.reshape(2, 3)) - cramers_v(table)) for t in rng.multinomial(500, table.ravel() / 400, size=600)]
    assert v_floor(table, 500, cramers_v, seed=1, draws=400) == pytest.approx(np.mean(shown), rel=0.1)


def test_links_of_a_variable_that_no_longer_varies_are_said():
    """Left out of the norms, a link that is lost altogether would look like one that is kept."""
    real = people(300)
    found = association(make_pair(real, real.assign(hours=40.0)))
    (said,) = [f for f in found.findings if "not defined" in f.message]
    assert said.count == len(real.columns) - 1
    assert "hours" in said.message
    assert set(said.rows["a"]) | set(said.rows["b"]) == set(real.columns)
