"""Measures against their slow twins, hand-worked fractions, published figures, and the identities between them."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binomtest, mannwhitneyu

from synthpop_gb.validation import vw as vw_of_one_total
from synthpop_gb.validation.chance import paired_difference, paired_probability, share_difference, wilson
from synthpop_gb.validation.utility.measures import TABLE_MEASURES, pmse_null, propensity_measures, table_measures, verdict
from tests.reference import utility as twin

counts = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=8)
# real and synthetic cells 6, 3, 1 and 4, 4, 2: c = 1/2, expected synthetic = real
REAL, SYNTHETIC = [6, 3, 1], [4, 4, 2]
VW = Fraction(4, 5) + Fraction(2, 7) + Fraction(2, 3)  # 2^2 / (10/2), 1^2 / (7/2), 1^2 / (3/2)


def test_hand_worked_table():
    m = table_measures(REAL, SYNTHETIC)
    assert m["vw"] == pytest.approx(float(VW))
    assert m["pmse"] == pytest.approx(float(VW * Fraction(1, 8) / 20))
    assert m["s_pmse"] == m["s_vw"] == pytest.approx(float(VW / 2))
    assert m["mabsdd"] == pytest.approx(float(Fraction(2 + 1 + 1, 10)))
    assert m["specks"] == pytest.approx(0.2)
    assert m["po50"] == pytest.approx(100 * (6 + 4 + 2) / 20 - 50)  # cells guessed by their majority: 6 real, 4 and 2 synthetic
    assert m["ft"] == pytest.approx(4 * ((2 - 6**0.5) ** 2 + (2 - 3**0.5) ** 2 + (2**0.5 - 1) ** 2))
    assert m["g"] == pytest.approx(2 * (4 * math.log(4 / 6) + 4 * math.log(4 / 3) + 2 * math.log(2)))
    assert (m["cells"], m["df"], m["df_g"]) == (3, 2, 2)
    assert list(m) == list(TABLE_MEASURES)


@given(counts)
def test_tables_equal_the_twin(cells):
    o, s = zip(*cells, strict=True)
    assume(sum(o) and sum(s))
    found, hoped = table_measures(o, s), twin.table(o, s)
    for name, value in hoped.items():
        assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name


@given(counts)
def test_identities_of_tables(cells):
    o, s = (np.array(x, float) for x in zip(*cells, strict=True))
    assume(o.sum() and s.sum())
    m, n1, n2 = table_measures(o, s), o.sum(), s.sum()
    c, n = n2 / (n1 + n2), n1 + n2
    assert m["pmse"] == pytest.approx(m["vw"] * c * (1 - c) ** 2 / n)  # Raab, Nowok & Dibben (2021), appendix A
    if m["df"]:
        assert m["s_pmse"] == pytest.approx(m["vw"] / m["df"])
        assert m["s_pmse"] == pytest.approx(m["pmse"] / pmse_null(m["df"], n1, n2))
    assert m["specks"] == pytest.approx(m["mabsdd"] / 2, abs=1e-12)
    assert m["ft"] == pytest.approx(8 * n2 * m["dbhatt"] ** 2, abs=1e-6)
    assert m["pmse"] <= c * (1 - c) + 1e-12
    assert 0 <= m["jsd"] <= 1 + 1e-12
    scaled = table_measures(o * n2 / n1, s)  # equal totals: the measure of `validation.metrics`
    assert scaled["vw"] == pytest.approx(vw_of_one_total(s, o * n2 / n1), rel=1e-9, abs=1e-9)
    if n1 == n2 and not (o == s).any():
        assert m["po50"] == pytest.approx(50 * m["specks"])


@given(counts)
def test_order_of_cells_and_empty_cells_do_not_matter(cells):
    o, s = (np.array(x, float) for x in zip(*cells, strict=True))
    assume(o.sum() and s.sum())
    for name, value in table_measures(o, s).items():
        again = table_measures(np.append(o[::-1], 0), np.append(s[::-1], 0))[name]
        assert again == pytest.approx(value, rel=1e-9, abs=1e-9, nan_ok=True)


def test_same_table_is_nought_apart_and_one_cell_cannot_be_standardised():
    m = table_measures([3, 7, 5], [6, 14, 10])
    assert all(
        m[n] == pytest.approx(0, abs=1e-7) for n in ("vw", "pmse", "ft", "g", "jsd", "mabsdd", "wmabsdd", "dbhatt", "po50")
    )
    assert math.isnan(table_measures([5], [3])["s_pmse"])
    assert math.isnan(table_measures([0, 0], [3, 2])["pmse"])
    with pytest.raises(ValueError, match="cells"):
        table_measures([1, 2], [1])


@pytest.mark.parametrize("name", ["s_vw", "s_ft", "s_g", "s_jsd", "s_wmabsdd"])
def test_standardised_measures_are_one_for_a_sample_of_the_real_records(name):
    rng = np.random.default_rng(5)
    share = np.array([0.3, 0.25, 0.2, 0.1, 0.08, 0.07])
    o = share * 4000
    found = [table_measures(o, s)[name] for s in rng.multinomial(6000, share, size=600)]
    # cells of share p have a mean absolute deviation of sqrt(1 - p): their sum over df misses 1 by a few per cent
    assert np.mean(found) == pytest.approx(1, abs=0.1)


def test_published_range_of_po50_and_verdicts():
    apart = table_measures([10, 0], [0, 10])
    assert (apart["po50"], apart["specks"], apart["dbhatt"], apart["jsd"]) == (50, 1, 1, 1)
    assert [verdict(x) for x in (0, 2.99, 3, 9.99, 10, math.nan)] == [
        "good",
        "good",
        "acceptable",
        "acceptable",
        "poor",
        "unknown",
    ]


def test_published_one_way_verdicts():
    """S_pMSE of the ten variables of a parametric synthesis of SD2011 (Raab, Nowok & Dibben 2021, section 3)."""
    printed = {"sex": 0.548971, "income": 1.002243, "region": 1.391493, "height": 2.967702, "weight": 52.668412}
    assert [verdict(x) for x in printed.values()] == ["good"] * 4 + ["poor"]


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.25, 0.5, 0.7, 0.9]), st.booleans()), min_size=2, max_size=25))
def test_propensity_equals_the_twin(records):
    scores, synthetic = zip(*records, strict=True)
    assume(0 < sum(synthetic) < len(synthetic))
    t = np.array(synthetic, float)
    found, hoped = propensity_measures(np.array(scores), 1 - t, t), twin.propensity(scores, synthetic)
    for name, value in hoped.items():
        assert found[name] == pytest.approx(value), name
    x = np.array(scores)
    u = mannwhitneyu(x[t == 1], x[t == 0]).statistic
    assert found["u"] == pytest.approx(u + t.sum() * (t.sum() + 1) / 2)


@given(counts, st.integers(2, 5))
def test_weights_count_like_repeated_records(cells, times):
    o, s = (np.array(x, float) for x in zip(*cells, strict=True))
    assume(o.sum() and s.sum())
    score = s / np.where(o + s > 0, o + s, 1)
    one = propensity_measures(np.repeat(score, times), np.repeat(o, times), np.repeat(s, times))
    many = propensity_measures(score, times * o, times * s)
    assert one == pytest.approx(many)


def test_null_of_pmse():
    assert pmse_null(2, 100, 300) == pytest.approx(2 * 0.75 * 0.25**2 / 400)
    assert math.isnan(pmse_null(2, 0, 0))


def test_published_intervals():
    """Newcombe (1998): single shares (Statistics in Medicine 17:857, table I), differences of paired shares (17:2635)."""
    table = {(81, 263): (0.2553, 0.3662), (15, 148): (0.0624, 0.1605), (0, 20): (0, 0.1611), (1, 29): (0.0061, 0.1718)}
    for (r, n), (low, high) in table.items():
        assert wilson(r, n) == pytest.approx((low, high), abs=5e-5)
    assert paired_difference(36, 12, 2, 0) == pytest.approx((0.0569, 0.3404), abs=5e-5)
    for case, ends in {
        (56, 70, 48, 80): (0.0524, 0.3339),
        (9, 10, 3, 10): (0.1705, 0.8090),
        (10, 10, 0, 10): (0.6075, 1),
    }.items():
        assert share_difference(*case) == pytest.approx(ends, abs=5e-5)  # 17:873, table II, method 10
    assert all(math.isnan(x) for x in (*wilson(0, 0), *paired_difference(0, 0, 0, 0), *share_difference(1, 2, 0, 0)))


@given(st.integers(0, 60), st.integers(0, 60))
def test_paired_probability_is_the_exact_binomial(first, second):
    exact = binomtest(first, first + second, 0.5).pvalue if first + second else 1.0
    assert paired_probability(first, second) == pytest.approx(exact)


@given(*[st.integers(0, 40)] * 4)
def test_paired_intervals_hold_the_difference_and_turn_with_the_sides(a, b, c, d):
    assume(a + b + c + d > 0)
    low, high = paired_difference(a, b, c, d)
    assert -1 - 1e-9 <= low <= (b - c) / (a + b + c + d) + 1e-9
    assert paired_difference(a, c, b, d) == pytest.approx((-high, -low), abs=1e-9)
