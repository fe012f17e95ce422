"""Two populations compared: formulas against worked values, luck alone finds nothing, and what differs is found first."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from synthpop_gb.coded import MISSING, Coded
from synthpop_gb.population import DonorCounts
from synthpop_gb.validation.chance import adjusted
from synthpop_gb.validation.difference import (
    expected_difference,
    measured_discovery,
    moderated_variance,
    normal_score,
    simes,
    skellam_tail,
    tail_probability,
    variance_trend,
    with_few_replicates,
)
from synthpop_gb.validation.two_populations import PlacedPeople, compare_populations

LABELS = (("0-15", "16-64", "65+"), ("male", "female"), ("good", "fair", "bad"))
NAMES = ("age", "sex", "health")


# formulas


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.1, 0.9))
def test_a_tail_is_that_of_the_binomial(a, b, share):
    p = float(tail_probability(a, b, share, 1.0))
    tails = stats.binom.sf(a - 1, a + b, share), stats.binom.cdf(a, a + b, share)
    assert p == pytest.approx(min(1, 2 * min(tails)), abs=1e-9) or abs(a - share * (a + b)) < 1e-6


@given(st.integers(100, 5000), st.floats(0.2, 5.0), st.floats(-4, 4))
def test_large_counts_are_normal(m, dispersion, z):
    d = z * np.sqrt(dispersion * m)
    p = float(tail_probability((m + d) / 2, (m - d) / 2, 0.5, dispersion)) if abs(d) < m else 0.0
    assert p == pytest.approx(min(1.0, 2 * stats.norm.sf(abs(z))), rel=0.6, abs=0.12)


@pytest.mark.parametrize("variance", [0.1, 0.5, 1.0, 3.0, 10.0, 100.0])
@pytest.mark.parametrize("difference", [2, 3, 5, 10])
def test_the_skellam_tail_is_close(variance, difference):
    exact = stats.skellam.sf(difference - 1, variance / 2, variance / 2)
    if exact > 1e-12:  # the exact one loses its digits further out
        assert float(skellam_tail(difference, variance)) == pytest.approx(exact, rel=0.04)


def test_counts_that_tables_fix_may_not_differ_and_few_loose_people_may():
    assert tail_probability([100, 101], [100, 100], 0.5, 0.0).tolist() == [1.0, 0.0]
    loose = tail_probability([12], [10], 0.5, 0.06 / 22)[0]  # 22 people of whom 0.06 in the mean are not fixed
    assert loose == pytest.approx(2 * stats.skellam.sf(1, 0.03, 0.03), rel=0.1)


@given(st.integers(0, 200))
def test_mean_difference_of_a_fair_binomial(m):
    exact = sum(abs(2 * x - m) * stats.binom.pmf(x, m, 0.5) for x in range(m + 1))
    assert float(expected_difference(m, 1.0)) == pytest.approx(exact, abs=1e-9)


def test_mean_difference_of_large_counts_is_the_normals():
    assert float(expected_difference(10_000, 0.3)) == pytest.approx(np.sqrt(2 / np.pi * 0.3 * 10_000), rel=1e-3)


def test_false_discoveries_by_hand():
    p = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216, 0.222, 0.251, 0.269, 0.275, 0.34, 0.341, 0.384]
    assert (adjusted(p) <= 0.05).sum() == 1  # 0.008 * 17 / 2 = 0.068
    assert adjusted(p[:2], tests=10).tolist() == pytest.approx([0.01, 0.04])
    assert adjusted(np.array([])).tolist() == []
    null = [[0.01], [0.2, 0.3], *[[]] * 18]
    assert measured_discovery([0.001, 0.002], null).tolist() == pytest.approx([1 / 21, 1 / 21])
    assert measured_discovery([0.001, 0.2], null).tolist() == pytest.approx([1 / 21, 1 / 20])
    assert measured_discovery([0.05], null).tolist() == pytest.approx([2 / 21])
    assert measured_discovery([], null).tolist() == []


def test_simes_and_scores():
    assert simes(np.array([[0.04, 0.05, 0.9]])).tolist() == pytest.approx([0.075])
    assert normal_score([1, -1], [0.0, 1.0]).tolist() == pytest.approx([38.0, 0.0], abs=0.02)
    assert float(with_few_replicates(0.05, 1e9)) == pytest.approx(0.05, rel=1e-4)


def test_variances_are_drawn_towards_their_like():
    squares, means = np.full(50, 9.0), np.full(50, 10.0)
    squares[0] = 0.0
    found = moderated_variance(squares, variance_trend(squares, means, 10), 10, prior=9.0)
    assert found[0] == pytest.approx(0.98 / 2)
    assert found[1] == pytest.approx((0.98 + 1) / 2)
    assert variance_trend(np.zeros(3), np.zeros(3), 5).tolist() == [0, 0, 0]
    kinds = variance_trend(np.array([9.0, 18.0]), np.array([1.5, 1.5]), 10, at=np.array([1.5, 3.0]), kind=np.array([0, 1]))
    assert kinds.tolist() == pytest.approx([1.0, 4.0])


# populations


def survey(n=600, seed=0):
    rng = np.random.default_rng(seed)
    codes = np.stack([rng.integers(0, len(labels), n) for labels in LABELS], axis=1)
    return Coded(NAMES, LABELS, codes, np.ones(n))


def counts(draws, zones):
    """DonorCounts of the records drawn in each zone."""
    rows = [np.unique(d, return_counts=True) for d in draws]
    indptr = np.concatenate([[0], np.cumsum([len(r) for r, _ in rows])]).astype(np.int64)
    record, n = (np.concatenate([r[i] for r in rows]).astype(np.int32) for i in (0, 1))
    return DonorCounts(pd.Index(zones, name="zone"), indptr, record, n)


ZONES = [f"E010{i:05d}" for i in range(1, 31)]


def drawn(coded, seed, zones=ZONES, people=300, weight=None, name="a", **more):
    """Place people drawn one by one: the null that the multinomial floor states."""
    rng = np.random.default_rng(seed)
    p = np.ones(len(coded)) if weight is None else weight
    placed = counts([rng.choice(len(coded), people, p=p / p.sum()) for _ in zones], zones)
    return PlacedPeople(name, placed, coded, **{"survey": "one", "universe": "everybody", "survey_name": "one", **more})


def replicated(coded, seed, number, **more):
    """The same with replicates: further draws."""
    first = drawn(coded, seed, **more)
    further = [drawn(coded, (seed, r), **more).counts for r in range(1, number + 1)]

    def replicates(zones):
        for made in further:
            yield made.at(made.zones.get_indexer(zones))

    return PlacedPeople(
        first.name, first.counts, coded, "everybody", "one", "one", "", replicates, number, ("whole",)
    )  # fmt: skip


def beyond(checks):
    return int((checks["compare_groups"]["q"] <= 0.05).sum())


def test_luck_alone_is_found_to_be_luck():
    """Of 40 pairs of populations that differ by luck alone, next to none has a group beyond noise."""
    coded = survey()
    found = [beyond(compare_populations(drawn(coded, 2 * s), drawn(coded, 2 * s + 1, name="b"))) for s in range(20)]
    found += [
        beyond(compare_populations(replicated(coded, 100 + 2 * s, 12), drawn(coded, 101 + 2 * s, name="b"))) for s in range(20)
    ]
    assert sum(n > 0 for n in found) <= 4  # 5 % of 40 in the mean


def test_luck_is_as_large_as_it_is_said_to_be():
    coded = survey()
    for a in (drawn(coded, 1), replicated(coded, 1, 12)):
        tables = compare_populations(a, drawn(coded, 2, name="b"))["compare_tables"]
        assert tables["ratio"].tolist() == pytest.approx([1.0] * len(tables), abs=0.12)


def test_what_differs_is_found_first_and_said_in_words():
    coded = survey()
    old_and_bad = (coded.codes[:, 0] == 2) & (coded.codes[:, 2] == 2)
    checks = compare_populations(drawn(coded, 1), drawn(coded, 2, weight=1 + 0.5 * old_and_bad, name="b"))
    groups, tables, zones = (checks[f"compare_{t}"] for t in ("groups", "tables", "zones"))
    assert groups.loc[0, "group"] == "age = 65+ and health = bad"
    assert groups.loc[0, "zone"] == "all"
    assert groups.loc[0, "z"] < -4
    assert groups.loc[0, "difference"] == groups.loc[0, "a"] - groups.loc[0, "b"]
    assert "fewer, where luck has a standard deviation of" in groups.loc[0, "words"]
    assert "health" in tables.loc[0, "variables"]
    assert set(zones["zone"]) == set(ZONES)
    assert any(f.code == "populations-differ" for f in checks.findings)


def test_one_zone_that_is_another_is_the_first():
    coded = survey()
    a, b = drawn(coded, 1), drawn(coded, 2, name="b")
    women = np.flatnonzero(coded.codes[:, 1] == 1)
    other = counts([np.random.default_rng(3).choice(women, 300)], ["E01000007"])
    keep = np.flatnonzero(b.zones != "E01000007")
    rest = b.counts.at(keep)
    joined = DonorCounts(
        rest.zones.append(other.zones), np.concatenate([rest.indptr, rest.indptr[-1] + other.indptr[1:]]),
        np.concatenate([rest.record, other.record]), np.concatenate([rest.n, other.n]),
    )  # fmt: skip
    zones = compare_populations(a, PlacedPeople("b", joined, coded, survey="one"))["compare_zones"]
    assert zones.loc[0, "zone"] == "E01000007"
    assert zones.loc[0, "q"] < 0.001
    assert "sex" in zones.loc[0, "worst_group"]
    assert (zones["q"] <= 0.05).sum() == 1


def test_a_population_is_itself():
    a = drawn(survey(), 1)
    checks = compare_populations(a, PlacedPeople("b", a.counts, a.coded, survey="one"))
    assert checks.headline["identical in all that was counted"] == "yes"
    assert len(checks["compare_groups"]) == 0
    assert (checks["compare_zones"]["tvd"] == 0).all()
    assert checks["compare_tables"]["tvd_all"].max() == 0
    assert checks.findings == ()


def test_counts_by_hand():
    coded = Coded(("sex",), (("male", "female"),), np.array([[0], [1]]), np.ones(2))
    a = PlacedPeople("a", counts([[0] * 300 + [1] * 100], ["Z"]), coded, survey="x")
    b = PlacedPeople("b", counts([[0] * 100 + [1] * 100], ["Z"]), coded, survey="x")
    checks = compare_populations(a, b)
    row = checks["compare_groups"].query("zone == 'Z' and group == 'sex = male'").iloc[0]
    assert (row["a"], row["b"], row["difference"]) == (300, 100, 100.0)  # 300 less twice 100: shares at the size of a
    share, scale = 400 / 600, 2.0
    assert row["noise"] == pytest.approx(np.sqrt(400 * scale * (1 - share)))
    zone = checks["compare_zones"].iloc[0]
    assert (zone["people_a"], zone["people_b"], zone["people_difference"]) == (400, 200, 200)
    assert zone["tvd"] == pytest.approx(25.0)


def test_two_surveys_add_their_own_noise():
    coded = survey(120)
    a, b = drawn(coded, 1), drawn(coded, 2, name="b")
    other = drawn(coded, 2, name="b", survey="another")
    same, apart = (compare_populations(a, x) for x in (b, other))
    assert apart.headline["noise"] == "multinomial and effective size"
    assert (apart["compare_tables"]["noise_all"] > 2 * same["compare_tables"]["noise_all"].min()).all()
    row = apart["compare_groups"].query("zone == 'all' and group == 'sex = male'")
    if len(row):  # p (1 - p) (2 / people + 1 / n_a + 1 / n_b), in people
        row, n = row.iloc[0], a.people
        p = (row["a"] + row["b"]) / (2 * n)
        by_zone = apart["compare_tables"].loc[0, "noise_all"] > 0
        assert by_zone
        assert row["noise"] == pytest.approx(n * np.sqrt(p * (1 - p) * (2 / n + 1 / a.effective + 1 / other.effective)), rel=0.02)


def test_other_people_and_zones_are_named_first_and_left_out():
    coded = survey()
    adults = np.where(coded.codes[:, 0] == 0, 0.0, 1.0)
    b = drawn(coded, 2, weight=adults, name="b", zones=[*ZONES[:20], "E01000099"], vintage="2021")
    checks = compare_populations(drawn(coded, 1), b)
    found = [f.code for f in checks.findings]
    assert found == ["other-universe", "zone-vintage", "unknown-zone", "unknown-zone", "zone-totals-differ", "noise-by-formula"]
    coverage = checks["compare_coverage"]
    assert coverage.loc[coverage["item"] == "only one has age 0-15", "b"].tolist() == ["0"]
    assert coverage.loc[coverage["item"] == "zone in b only", "zone"].tolist() == ["E01000099"]
    assert checks.headline["zones in a only"] == 10
    assert beyond(checks) == 0
    assert (checks["compare_zones"]["people_a"] < 300).all()


def test_groups_of_few_records_are_not_named():
    coded = survey(60)
    a, b = drawn(coded, 1), drawn(coded, 2, weight=1.0 + 5 * (coded.codes[:, 2] == 2), name="b")
    groups = compare_populations(a, b, least_records=10)["compare_groups"]
    sizes = {}
    for i, name in enumerate(NAMES):
        for k, label in enumerate(LABELS[i]):
            sizes[f"{name} = {label}"] = int((coded.codes[:, i] == k).sum())
    named = [g for g in groups["group"] if " and " not in g]
    assert named
    assert all(sizes[g] >= 10 for g in named)
    pairs = [g.split(" and ") for g in groups["group"] if " and " in g]
    assert all(min(sizes[x] for x in p) >= 10 for p in pairs)


@pytest.mark.parametrize("people", [0, 1])
def test_next_to_nobody_is_no_crash(people):
    coded = Coded(("sex", "x"), (("male", "female"), ("only", MISSING)), np.array([[0, 0], [1, 1]]), np.ones(2))
    a = PlacedPeople("a", counts([[0] * people, [1] * people], ["Y", "Z"]), coded, survey="x")
    b = PlacedPeople("b", counts([[1], []], ["Y", "Z"]), coded, survey="y")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checks = compare_populations(a, b)
    assert beyond(checks) == 0
    assert len(checks["compare_zones"]) == 2


def test_what_cannot_be_compared():
    a = drawn(survey(), 1)
    with pytest.raises(ValueError, match="no zone"):
        compare_populations(a, drawn(survey(), 1, zones=["S01006506"], name="b"))
    with pytest.raises(ValueError, match="coded alike"):
        compare_populations(a, PlacedPeople("b", a.counts, a.coded.select(["age", "sex"])))


def test_without_pairs_and_with_names():
    coded = survey()
    names = pd.Series("Leeds 001A", pd.Index(ZONES))
    checks = compare_populations(drawn(coded, 1), drawn(coded, 2, name="b"), pairs=False, names=names)
    assert sorted(checks["compare_tables"]["variables"]) == sorted(NAMES)
    assert len(checks["compare_tables"]) == 3
    assert checks["compare_zones"]["tvd_pairs"].isna().all()
    assert (checks["compare_zones"]["name"] == "Leeds 001A").all()


def test_blocks_do_not_matter(monkeypatch):
    from synthpop_gb.validation import two_populations

    coded = survey()
    whole = compare_populations(drawn(coded, 1), drawn(coded, 2, name="b"))
    monkeypatch.setattr(two_populations, "_BLOCK", 7)
    cut = compare_populations(drawn(coded, 1), drawn(coded, 2, name="b"))
    for name, table in whole.tables.items():
        pd.testing.assert_frame_equal(table, cut[name])
