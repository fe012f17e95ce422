"""Generators: what they promise to keep is kept, what they promise to be is so, and broken frames are told, not crashed on."""

import math
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from synthpop_gb.errors import InputError
from synthpop_gb.synthesis import Settings, draw_within, fit_distributions, fit_joint_normal, sequential
from synthpop_gb.synthesis._columns import columns_of
from synthpop_gb.synthesis.conditionals import Predictor, draw_conditional, natural_spline
from synthpop_gb.synthesis.copula import hermite, latent_correlation, nearest_correlation, reached_correlation
from synthpop_gb.synthesis.joint_normal import normal_em
from synthpop_gb.synthesis.marginals import FAMILIES, fit_family, fit_marginal
from tests.reference import synthesis as slow

GENERATORS = {
    "level 1": lambda f, seed, n=None: fit_distributions(f).draw(n, seed=seed, correlated=False),
    "level 2": lambda f, seed, n=None: fit_distributions(f).draw(n, seed=seed),
    "within": lambda f, seed, n=None: draw_within(f, f.columns[-1] if len(f.columns) else "x", seed=seed, n=n),
    "linear": lambda f, seed, n=None: sequential(f, seed=seed, n=n, method="linear"),
    "spline": lambda f, seed, n=None: sequential(f, seed=seed, n=n, method="spline"),
    "cart": lambda f, seed, n=None: sequential(f, seed=seed, n=n, method="cart"),
    "proper": lambda f, seed, n=None: sequential(f, seed=seed, n=n, settings=Settings(proper=True)),
    "bootstrap": lambda f, seed, n=None: sequential(f, seed=seed, n=n, method="bootstrap"),
}
each_generator = pytest.mark.parametrize("make", GENERATORS.values(), ids=GENERATORS)


def people(n=3000, seed=5):
    """Correlated people of every type of column, some values missing, more among the young."""
    rng = np.random.default_rng(seed)
    age = rng.gamma(4, 10, n)
    income = np.exp(7 + 0.01 * age + 0.4 * rng.standard_normal(n))
    income[rng.random(n) < 0.1] = 0
    frame = pd.DataFrame(
        {
            "age": age,
            "income": income,
            "children": rng.poisson(1.2, n),
            "ill": rng.random(n) < 1 / (1 + np.exp(3 - age / 20)),
            "place": np.array(["north", "south", "west"])[(age / 30 + rng.random(n)).astype(int).clip(0, 2)],
            "band": pd.Categorical.from_codes((age > 40).astype(int), ["young", "old"], ordered=True),
        }
    )
    frame.loc[rng.random(n) < np.where(age < 30, 0.5, 0.05), "income"] = np.nan
    frame.loc[rng.random(n) < 0.1, "place"] = None
    return frame


# ---- every generator


@each_generator
def test_same_seed_same_bits_and_another_seed_others(make):
    frame = people(300)
    pd.testing.assert_frame_equal(make(frame, 3), make(frame, 3))
    assert not make(frame, 3)["age"].equals(make(frame, 4)["age"])


@each_generator
def test_columns_types_and_number_are_kept(make):
    frame = people(300)
    made = make(frame, 1, 77)
    assert len(made) == 77
    assert list(made) == list(frame)
    assert (made.dtypes == frame.dtypes).all()
    assert made.index.equals(pd.RangeIndex(77))


@each_generator
def test_categories_and_counts_are_real_ones_and_shares_come_back(make):
    frame = people()
    made = make(frame, 1, 6000)
    counts = ("children",) if make not in (GENERATORS["linear"], GENERATORS["spline"]) else ()  # a line knows no bounds
    for name in (*counts, "ill", "place", "band"):
        assert set(made[name].dropna()) <= set(frame[name].dropna())
        shares = pd.concat([s[name].value_counts(normalize=True, dropna=False) for s in (frame, made)], axis=1).fillna(0)
        assert np.abs(shares.iloc[:, 0] - shares.iloc[:, 1]).max() < 0.05, name
    assert np.abs(frame.isna().mean() - made.isna().mean()).max() < 0.03


@each_generator
def test_means_and_spreads_come_back(make):
    frame = people()
    made = make(frame, 2, 6000)
    for name in ("age", "children"):
        assert made[name].mean() == pytest.approx(frame[name].mean(), rel=0.06)
        assert made[name].std() == pytest.approx(frame[name].std(), rel=0.1)


@each_generator
def test_the_frame_is_left_alone(make):
    frame = people(200)
    before = frame.copy(deep=True)
    make(frame, 1)
    pd.testing.assert_frame_equal(frame, before)


BROKEN = {
    "one row": pd.DataFrame({"a": [1.5], "b": ["x"]}),
    "two rows": pd.DataFrame({"a": [1.5, 2.5], "b": ["x", "y"], "c": [1, 1]}),
    "all missing": pd.DataFrame({"a": np.arange(30.0), "b": np.full(30, np.nan), "c": pd.Series([None] * 30, dtype="str")}),
    "constant": pd.DataFrame({"a": np.arange(30.0), "b": np.ones(30), "c": ["<b>x</b>"] * 30}),
    "repeated": pd.DataFrame({"a": np.arange(30.0), "b": np.arange(30.0), "c": -np.arange(30.0)}),
    "first missing": pd.DataFrame({"b": np.full(30, np.nan), "a": np.arange(30.0)}),
    "more columns than rows": pd.DataFrame(np.random.default_rng(1).random((4, 9))).add_prefix("v"),
    "nullable": pd.DataFrame(
        {"a": pd.array([1, None, 3] * 9, dtype="Int64"), "b": pd.array([True, None, False] * 9, dtype="boolean")}
    ),
}  # fmt: skip


@each_generator
@pytest.mark.parametrize("frame", BROKEN.values(), ids=BROKEN)
def test_poor_frames_are_made_without_a_warning(make, frame):
    made = make(frame, 1, 20)
    assert made.shape == (20, frame.shape[1])
    for name in frame:
        assert made[name].isna().all() or frame[name].notna().any()
        assert frame[name].isna().any() or made[name].notna().all()
    assert make(frame, 1, 0).shape == (0, frame.shape[1])


@each_generator
def test_unusable_frames_are_told_all_at_once(make):
    for empty in (pd.DataFrame(), pd.DataFrame({"a": []}), pd.DataFrame(index=[1, 2])):
        with pytest.raises(InputError) as told:
            make(empty, 1)
        assert [f.code for f in told.value.findings] == ["no-records"]
    bad = pd.DataFrame(
        {"day": pd.to_datetime(["2020-01-01"] * 3), "a": [1.0, np.inf, 2.0], "c": [1j, 2, 3], "d": [[1], [2], [3]]}
    )
    with pytest.raises(InputError) as told:
        make(bad, 1)
    assert [f.place for f in told.value.findings] == ["day", "a", "c", "d"]


cells = {
    "number": st.one_of(st.none(), st.sampled_from([0.0, 1.0, -2.5, 1e9, 1e-9]), st.floats(-1e6, 1e6)),
    "count": st.one_of(st.none(), st.integers(0, 30)),
    "word": st.one_of(st.none(), st.sampled_from(["a", "b", "<i>c</i>", "=1+1", ""])),
    "truth": st.booleans(),
}


@given(
    st.integers(1, 12).flatmap(
        lambda n: st.fixed_dictionaries({k: st.lists(c, min_size=n, max_size=n) for k, c in cells.items()})
    )
)
@settings(max_examples=20)
def test_any_small_frame_is_made(columns):
    frame = pd.DataFrame(columns).astype({"number": float, "count": float})
    for make in GENERATORS.values():
        made = make(frame, 1, 9)
        assert made.shape == (9, 4)
        for name in ("word", "truth"):
            assert set(made[name].dropna()) <= set(frame[name].dropna())
        for name in frame:
            if frame[name].notna().all():
                assert made[name].notna().all()


def test_two_columns_of_one_name_are_told():
    with pytest.raises(InputError, match="share a name: a"):
        columns_of(pd.DataFrame([[1, 2]], columns=["a", "a"]))


# ---- distributions


@pytest.mark.parametrize(
    ("family", "draw"),
    [
        ("normal", lambda r, n: r.normal(10, 3, n)),
        ("log-normal", lambda r, n: r.lognormal(1, 0.8, n)),
        ("gamma", lambda r, n: r.gamma(2.5, 3, n)),
        ("Weibull", lambda r, n: 4 * r.weibull(3.0, n)),
        ("exponential", lambda r, n: r.exponential(3, n)),
        ("beta", lambda r, n: 2 + 5 * r.beta(0.6, 0.5, n)),
        ("uniform", lambda r, n: r.uniform(-1, 3, n)),
        ("logistic", lambda r, n: r.logistic(1, 2, n)),
    ],
)
def test_the_family_that_made_the_numbers_is_found(family, draw):
    (column,) = columns_of(pd.DataFrame({"x": draw(np.random.default_rng(8), 4000)}))
    fitted = fit_marginal(column)
    by_family = {name: (aic, distance) for name, aic, distance in fitted.tried}
    nested = {"exponential": "gamma", "uniform": "beta"}.get(family)  # wider families that hold this one may win by luck
    assert fitted.distribution in (family, nested)
    assert by_family[family][0] - fitted.aic < 10
    assert by_family[family][1] < 0.03
    assert fitted.tried[0] == (fitted.distribution, fitted.aic, fitted.ks)
    assert [t[1] for t in fitted.tried] == sorted(t[1] for t in fitted.tried)


@given(st.integers(0, 10_000), st.sampled_from(FAMILIES))
def test_maximum_likelihood_is_a_maximum_and_ks_is_its_twins(seed, family):
    values = np.random.default_rng(seed).gamma(2, 2, 60).round(2) + 0.01
    parameters, aic, ks = fit_family(family, values)
    scipy = {"log-normal": "lognorm", "Weibull": "weibull_min", "exponential": "expon", "normal": "norm"}.get(family, family)
    made = getattr(stats, scipy)
    free = {"exponential": 1, "beta": 4}.get(family, 2)
    assert aic == pytest.approx(2 * free - 2 * made.logpdf(values, *parameters).sum())
    assert ks == pytest.approx(slow.ks(values, made(*parameters).cdf))
    fixed = {"log-normal": {1}, "Weibull": {1}, "gamma": {1}, "exponential": {0}, "beta": {2, 3}, "uniform": {0, 1}}.get(
        family, set()
    )
    for at in set(range(len(parameters))) - fixed:
        for factor in (0.97, 1.03):
            moved = list(parameters)
            moved[at] *= factor
            assert 2 * free - 2 * made.logpdf(values, *moved).sum() >= aic - 1e-6


def test_hand_worked_likelihoods():
    values = np.array([1.0, 2.0, 4.0])
    assert fit_family("exponential", values)[0] == (0.0, 7 / 3)
    assert fit_family("exponential", values)[1] == pytest.approx(2 + 2 * 3 * (math.log(7 / 3) + 1))  # -log L = n (log mean + 1)
    shape, place, scale = fit_family("log-normal", values)[0]
    assert (place, scale) == (0.0, pytest.approx(2.0))  # geometric mean
    assert shape == pytest.approx(math.log(2) * math.sqrt(2 / 3))  # logs -a, 0, a about their mean, a = log 2
    assert fit_family("log-normal", np.array([0.0, 1.0])) is None


def test_noughts_are_a_mass_of_their_own():
    rng = np.random.default_rng(3)
    values = np.where(rng.random(4000) < 0.3, 0.0, rng.lognormal(3, 1, 4000))
    learnt = fit_distributions(pd.DataFrame({"pay": values, "age": values * 0.1 + rng.normal(40, 2, 4000)}))
    row = learnt.marginals.iloc[0]
    assert row["distribution"] == "log-normal"
    assert row["nought"] == (values == 0).mean()
    made = learnt.draw(20_000, seed=1)["pay"]
    assert (made == 0).mean() == pytest.approx(row["nought"], abs=0.015)
    assert made.min() == 0
    grade = learnt.fitted[0].grade(np.array([0.01, 0.9]))
    assert grade.tolist() == [row["nought"] / 2, 0.9]


def test_supports_are_respected():
    frame = people()
    made = fit_distributions(frame, families=("gamma", "uniform")).draw(20_000, seed=1)
    assert made["income"].min() >= 0
    uniform = fit_distributions(frame[["age"]], families=("uniform",)).draw(5000, seed=2)["age"]
    assert frame["age"].min() <= uniform.min() <= uniform.max() <= frame["age"].max()
    whole = pd.DataFrame({"n": np.random.default_rng(1).poisson(30, 500)})
    assert (fit_distributions(whole).draw(seed=1)["n"].dtype, len(np.unique(whole))) == (whole["n"].dtype, whole["n"].nunique())


@pytest.mark.parametrize("correlation", ["spearman", "pearson"])
def test_level_2_has_the_correlations_of_the_data_whatever_the_distributions_and_level_1_has_none(correlation):
    frame = people(4000)[["age", "income", "children", "ill", "band"]].fillna({"income": 0})
    frame["taller"] = frame["age"] + np.random.default_rng(1).normal(0, 8, 4000)
    learnt = fit_distributions(frame, correlation=correlation)

    def matrix(data):
        return data.assign(ill=data["ill"].astype(float), band=data["band"].cat.codes).corr(correlation).to_numpy()

    assert np.abs(matrix(learnt.draw(60_000, seed=1)) - matrix(frame)).max() < (0.03 if correlation == "spearman" else 0.06)
    alone = matrix(learnt.draw(60_000, seed=1, correlated=False))
    assert np.abs(alone - np.eye(len(alone))).max() < 0.03


def test_levels_share_their_marginals_and_variables_their_streams():
    frame = people(500)
    learnt = fit_distributions(frame)
    first, second = (learnt.draw(seed=4, correlated=c) for c in (False, True))
    pd.testing.assert_series_equal(first["age"], second["age"])  # the first latent is the same in both
    alone = fit_distributions(frame[["income"]]).draw(seed=4)
    pd.testing.assert_series_equal(alone["income"], first["income"])


def test_normal_scores_understate_ties_and_words_that_are_none_are_refused():
    rng = np.random.default_rng(2)
    x = rng.standard_normal(4000)
    frame = pd.DataFrame({"x": x, "y": (x + 0.3 * rng.standard_normal(4000) > 0).astype(int)})
    kept = {c: fit_distributions(frame, correlation=c).latent.iloc[0, 1] for c in ("spearman", "normal-scores")}
    assert kept["normal-scores"] < 0.85 < kept["spearman"]
    with pytest.raises(ValueError, match="there is no correlation"):
        fit_distributions(frame, correlation="kendall")
    with pytest.raises(ValueError, match="there is no family"):
        fit_distributions(frame, families=("cauchy",))


def test_within_groups_level_1_is_independent_given_the_group_and_only_then():
    rng = np.random.default_rng(1)
    ill = np.repeat([False, True], 3000)
    x, noise = rng.normal(3 * ill, 1), rng.standard_normal(6000)
    frame = pd.DataFrame({"ill": ill, "x": x, "y": 3 * ill + 0.8 * (x - 3 * ill) + 0.6 * noise})
    for level, inside in ((False, 0.0), (True, 0.8)):
        made = draw_within(frame, "ill", seed=1, n=30_000, correlated=level)
        assert made["ill"].mean() == pytest.approx(0.5, abs=0.02)
        assert made["x"].corr(made["y"]) > 0.6
        for _, group in made.groupby("ill"):
            assert group["x"].corr(group["y"]) == pytest.approx(inside, abs=0.03)
    with pytest.raises(KeyError, match="there is no column"):
        draw_within(frame, "well", seed=1)


# ---- copula


def cut(*shares):
    ends = np.cumsum(shares)[:-1]
    return lambda u: np.searchsorted(ends, u, side="right").astype(float)


@given(st.floats(-0.95, 0.95), st.floats(0.1, 0.9), st.floats(0.1, 0.9))
def test_mehlers_series_is_the_integral(rho, first, second):
    f, g = cut(first, 1 - first), cut(second / 2, second / 2, 1 - second)
    series = reached_correlation(hermite(f), hermite(g), rho)
    assert series == pytest.approx(slow.orthant_correlation(rho, f, g), abs=0.02)  # the twin's grid is coarse at the cuts


@pytest.mark.parametrize("rho", [-0.9, -0.3, 0.0, 0.5, 0.95])
def test_closed_forms(rho):
    grade, sign = hermite(lambda u: u), hermite(cut(0.5, 0.5))
    assert reached_correlation(grade, grade, rho) == pytest.approx(6 / math.pi * math.asin(rho / 2), abs=1e-4)  # Pearson 1907
    assert reached_correlation(sign, sign, rho) == pytest.approx(2 / math.pi * math.asin(rho), abs=2e-3)  # Sheppard 1899
    wanted = np.array([[1, reached_correlation(grade, sign, rho)], [0, 1]])
    found = latent_correlation(wanted + np.triu(wanted, 1).T, [grade, sign])
    assert found[0, 1] == pytest.approx(rho, abs=1e-6)
    assert latent_correlation(np.array([[1, np.nan], [np.nan, 1]]), [grade, hermite(lambda u: u * 0)])[0, 1] == 0


@given(st.integers(0, 10_000), st.integers(2, 6))
def test_the_nearest_correlation_matrix_is_one_and_none_is_nearer(seed, size):
    rng = np.random.default_rng(seed)
    given_matrix = rng.uniform(-1, 1, (size, size))
    given_matrix = (given_matrix + given_matrix.T) / 2
    np.fill_diagonal(given_matrix, 1)
    near = nearest_correlation(given_matrix)
    assert np.linalg.eigvalsh(near)[0] > 0
    assert (np.diag(near) == 1).all()
    np.linalg.cholesky(near)
    np.testing.assert_allclose(nearest_correlation(near), near, atol=1e-7)
    for _ in range(20):
        root = rng.standard_normal((size, size))
        other = root @ root.T
        other /= np.sqrt(np.outer(np.diag(other), np.diag(other)))
        for step in (1.0, 0.05):
            rival = (1 - step) * near + step * other
            assert np.linalg.norm(rival - given_matrix) >= np.linalg.norm(near - given_matrix) - 1e-5


# ---- joint normal


def test_joint_normal_keeps_means_and_covariances():
    rng = np.random.default_rng(1)
    covariance = np.array([[4, 3, 0], [3, 9, -2], [0, -2, 1.0]])
    frame = pd.DataFrame(rng.multivariate_normal([10, 20, 30], covariance, 5000), columns=list("abc"))
    learnt = fit_joint_normal(frame)
    made = learnt.draw(50_000, seed=1)
    np.testing.assert_allclose(made.mean(), frame.mean(), atol=0.1)
    np.testing.assert_allclose(made.cov(), frame.cov(), atol=0.25)
    pd.testing.assert_frame_equal(made, learnt.draw(50_000, seed=1))


def test_em_undoes_what_complete_records_get_wrong():
    rng = np.random.default_rng(4)
    x = rng.standard_normal(20_000)
    y = x + 0.5 * rng.standard_normal(20_000)
    frame = pd.DataFrame({"x": x, "y": np.where(x > 0.3, np.nan, y)})  # missing at random given x
    em, complete = fit_joint_normal(frame), fit_joint_normal(frame, missing="complete")
    assert em.converged
    assert em.mean["y"] == pytest.approx(0, abs=0.03)
    assert em.covariance.loc["y", "y"] == pytest.approx(1.25, abs=0.05)
    assert complete.mean["y"] < -0.4
    assert em.draw(seed=1).isna().mean().tolist() == pytest.approx([0, (x > 0.3).mean()], abs=0.02)
    assert em.draw(seed=1, blanks=False).notna().all().all()


@given(st.integers(0, 10_000))
def test_em_climbs_to_a_maximum(seed):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((40, 3)) @ rng.standard_normal((3, 3)) + [1, 5, -3]
    values[rng.random((40, 3)) < 0.2] = np.nan
    values = values[~np.isnan(values).all(axis=1)]
    mean, covariance, _, converged = normal_em(values)
    assert converged
    top = slow.normal_log_likelihood(values, mean, covariance)
    for at in range(3):
        for step in (-0.02, 0.02):
            moved = mean.copy()
            moved[at] += step
            assert slow.normal_log_likelihood(values, moved, covariance) <= top + 1e-7
    for factor in (0.98, 1.02):
        assert slow.normal_log_likelihood(values, mean, covariance * factor) <= top + 1e-7


def test_em_of_complete_records_is_their_mean_and_covariance():
    values = np.random.default_rng(1).random((30, 4))
    mean, covariance, cycles, _ = normal_em(values)
    np.testing.assert_allclose(mean, values.mean(axis=0))
    np.testing.assert_allclose(covariance, np.cov(values.T, bias=True))
    assert cycles == 0


def test_joint_normal_of_poor_frames():
    frame = pd.DataFrame({"a": [1.0, 2, 3, np.nan], "b": [5.0] * 4, "c": [np.nan] * 4, "d": [2.0, 4, 6, 8]})
    made = fit_joint_normal(frame).draw(50, seed=1)
    assert made["c"].isna().all()
    assert (made["b"] == 5).all()
    assert (2 * made["a"] - made["d"]).dropna().abs().max() <= 1  # one is twice the other, but for rounding to whole numbers
    one = fit_joint_normal(pd.DataFrame({"a": [3.0]})).draw(4, seed=1)
    assert (one["a"] == 3).all()
    with pytest.raises(InputError, match="numbers only"):
        fit_joint_normal(people(20))
    with pytest.raises(InputError, match="No value is known"):
        fit_joint_normal(frame[["c"]])
    with pytest.raises(InputError, match="No record has a value in every column"):
        fit_joint_normal(pd.DataFrame({"a": [1.0, np.nan], "b": [np.nan, 1.0]}), missing="complete")
    with pytest.raises(ValueError, match="'em' or 'complete'"):
        fit_joint_normal(frame, missing="mean")


# ---- sequential


def test_linear_regressions_keep_all_correlations():
    rng = np.random.default_rng(1)
    covariance = np.array([[4, 3, 0], [3, 9, -2], [0, -2, 1.0]])
    frame = pd.DataFrame(rng.multivariate_normal([10, 20, 30], covariance, 4000), columns=list("abc"))
    made = sequential(frame, seed=1, method="linear", n=40_000)
    np.testing.assert_allclose(made.corr(), frame.corr(), atol=0.03)


@pytest.mark.parametrize(("method", "bent"), [("linear", False), ("spline", True), ("cart", True)])
def test_splines_and_trees_bend_where_lines_cannot(method, bent):
    rng = np.random.default_rng(1)
    x = rng.uniform(-3, 3, 3000)
    frame = pd.DataFrame({"x": x, "y": x**2 + rng.normal(0, 0.3, 3000)})
    made = sequential(frame, seed=2, method=method)
    residual = made["y"] - made["x"] ** 2
    assert (residual.std() < 0.8) == bent


def test_square_roots_stay_above_nought():
    rng = np.random.default_rng(1)
    age = rng.uniform(0, 20, 2000)
    frame = pd.DataFrame({"age": age, "volume": (0.2 * age + 0.4 * rng.standard_normal(2000)) ** 2})
    assert sequential(frame, seed=1, method="linear")["volume"].min() < 0
    made = sequential(frame, seed=1, method="sqrt")
    assert made["volume"].min() >= 0
    assert np.sqrt(made["volume"]).corr(made["age"]) == pytest.approx(np.sqrt(frame["volume"]).corr(frame["age"]), abs=0.03)


def test_trees_use_values_of_real_records_and_regressions_make_new_ones():
    frame = people(500)
    made = sequential(frame, seed=1)
    assert set(made["income"].dropna()) <= set(frame["income"])
    assert len(set(sequential(frame, seed=1, method="linear")["income"].dropna()) & set(frame["income"])) < 5


def test_leaves_hold_at_least_minbucket_donors():
    x = np.arange(20.0)
    drawn = [sequential(pd.DataFrame({"x": x, "y": x}), seed=s, n=200, settings=Settings(minbucket=10)) for s in range(3)]
    for made in drawn:
        assert set(made.loc[made["x"] < 10, "y"]) == set(x[:10])
        assert set(made.loc[made["x"] >= 10, "y"]) == set(x[10:])


def test_the_pattern_of_missing_values_is_kept_with_what_it_depends_on():
    frame = people()
    for method in ("linear", "cart"):
        made = sequential(frame, seed=1, method=method, n=8000)
        for real, ours in zip(
            (frame[frame["age"] < 30], frame[frame["age"] >= 30]), (made[made["age"] < 30], made[made["age"] >= 30]), strict=True
        ):
            assert ours["income"].isna().mean() == pytest.approx(real["income"].isna().mean(), abs=0.04)
        both = frame["income"].isna() & frame["place"].isna()
        assert (made["income"].isna() & made["place"].isna()).mean() == pytest.approx(both.mean(), abs=0.015)


def test_categories_follow_numbers():
    frame = people()
    for method in ("linear", "cart"):
        made = sequential(frame, seed=1, method=method, n=8000)
        for name in ("ill", "place"):
            real, ours = (pd.get_dummies(f[name]).astype(float).corrwith(f["age"]) for f in (frame, made))
            np.testing.assert_allclose(ours, real, atol=0.06)


def test_methods_by_variable_and_order():
    frame = people(400)
    made = sequential(frame, seed=1, method={"income": "linear"}, order=["band", "age", "income", "ill", "place", "children"])
    assert list(made) == list(frame)
    assert set(made["age"]) <= set(frame["age"])
    assert not set(made["income"].dropna()) <= set(frame["income"])
    again = sequential(frame, seed=1, order=["band", "age", "income", "ill", "place", "children"])
    pd.testing.assert_series_equal(made["age"], again["age"])  # what comes before is not moved by what comes later


def test_wrong_wishes_are_told_all_at_once():
    frame = pd.DataFrame({"a": [1.0, 2], "b": [-1.0, 1], "c": ["x", "y"]})
    with pytest.raises(InputError) as told:
        sequential(frame, seed=1, method={"a": "magic", "b": "sqrt", "z": "cart"}, order=["a", "b"])
    assert [f.code for f in told.value.findings] == ["study-value"] * 4
    with pytest.raises(InputError, match="no method 'logistic'"):
        sequential(frame, seed=1, method="logistic")
    with pytest.raises(ValueError, match="cannot be made"):
        sequential(frame, seed=1, n=-1)


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.tree", None)
    with pytest.raises(InputError, match="scikit-learn") as told:
        sequential(people(50), seed=1)
    assert told.value.findings[0].remedy == "pip install synthpop_gb[audit]"


def conditional(method, y, x, new, settings=None, seed=0, n_labels=0):
    predictor = Predictor(np.asarray(x, float), np.asarray(new, float), n_labels)
    used, wanted = np.arange(len(x)), np.arange(len(new))
    rng = np.random.default_rng(seed)
    return draw_conditional(method, np.asarray(y, float), [predictor], used, wanted, settings or Settings(), rng)


def test_hand_worked_regression():
    """y = 0, 2, 1 at x = 0, 1, 2: line 1/2 + x/2, residuals -1/2, 1, -1/2, variance (1/4 + 1 + 1/4) / (3 - 2) = 3/2."""
    drawn = conditional("linear", [0, 2, 1], [0, 1, 2], np.full(200_000, 4.0))
    assert drawn.mean() == pytest.approx(2.5, abs=0.01)
    assert drawn.var() == pytest.approx(1.5, abs=0.03)


def test_proper_draws_vary_with_their_parameters():
    """The mean at x = 0 of n records has variance sigma^2 / n beyond the scatter (Rubin 1987)."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal(50)
    y = x + rng.standard_normal(50)
    free = 48
    sigma = np.sqrt(np.sum((y - np.polyval(np.polyfit(x, y, 1), x)) ** 2) / free)
    draws = np.array([conditional("linear", y, x, np.zeros(400), Settings(proper=True), seed=s).mean() for s in range(2000)])
    expected = sigma**2 * free / (free - 2) * (1 / 50 + x.mean() ** 2 / ((x - x.mean()) ** 2).sum() + 1 / 400)
    assert draws.var() == pytest.approx(expected, rel=0.12)
    plain = np.array([conditional("linear", y, x, np.zeros(400), seed=s).mean() for s in range(500)])
    assert plain.var() == pytest.approx(sigma**2 / 400, rel=0.2)


def test_logistic_shares_of_a_table():
    x = np.repeat([0, 1], 500)
    y = np.concatenate([np.arange(500) < 100, np.arange(500) < 400])
    drawn = conditional("logistic", y, x, np.repeat([0, 1], 20_000), n_labels=2)
    assert drawn[:20_000].mean() == pytest.approx(0.2, abs=0.015)
    assert drawn[20_000:].mean() == pytest.approx(0.8, abs=0.015)


@given(st.integers(0, 10_000), st.integers(3, 7))
def test_the_spline_is_its_twins_and_straight_outside(seed, n_knots):
    rng = np.random.default_rng(seed)
    knots = np.concatenate([[0], np.sort(rng.uniform(0.1, 9.9, n_knots - 2)), [10.0]])
    if (np.diff(knots) < 1e-3).any():
        return
    x = rng.uniform(-5, 15, 30)
    np.testing.assert_allclose(natural_spline(x, knots), slow.natural_spline(x, knots), rtol=1e-7, atol=1e-9)
    for line in (np.array([-3.0, -2, -1]), np.array([11.0, 12, 13])):
        np.testing.assert_allclose(np.diff(natural_spline(line, knots), 2, axis=0), 0, atol=1e-8)
