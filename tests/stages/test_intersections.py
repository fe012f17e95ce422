"""The scan: golden values of every measure, laws of chance by simulation, causes told apart, zones, and broken inputs."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom, binomtest, false_discovery_control, fisher_exact

from synthpop_gb.coded import MISSING, Coded
from synthpop_gb.errors import CODES, InputError
from synthpop_gb.synthesis import bootstrap, independent_columns, keep_pairs, swap_within_couples
from synthpop_gb.validation.chance import adjusted
from synthpop_gb.validation.intersections import protected_names, scan
from synthpop_gb.validation.intersections.evidence import Basis, Trial, two_samples
from synthpop_gb.validation.intersections.floors import (
    expected_lost,
    expected_missing,
    expected_srmse,
    expected_tvd,
    tvd_limit,
    unseen_mass,
)  # fmt: skip
from synthpop_gb.validation.intersections.plan import make_plan
from synthpop_gb.validation.intersections.rules import make_rules
from synthpop_gb.validation.intersections.tallies import cross_tables, merge_sides
from tests.reference import floors as twin


def coded(frame, labels=None, weight=None):
    """Codes of a frame of text; labels as found on it, or as given."""
    labels = labels or {c: sorted(frame[c].unique()) for c in frame}
    codes = (
        np.stack([pd.Categorical(frame[c], categories=labels[c]).codes for c in frame], axis=1) if len(frame.columns) else None
    )
    weight = np.ones(len(frame)) if weight is None else weight
    return Coded(tuple(frame.columns), tuple(tuple(labels[c]) for c in frame), codes, weight)


def both(real, synthetic):
    labels = {c: sorted(set(real[c]) | set(synthetic[c])) for c in real}
    return coded(real, labels), coded(synthetic, labels)


def letters(counts):
    """A frame of one column 'x' with so many of a, b, c ..."""
    return pd.DataFrame({"x": np.repeat(list("abcdefgh")[: len(counts)], counts)})


def couples(seed=0, n=4000):
    """Husbands are male and wives female but for one of each; work hangs on sex; place on nothing."""
    rng = np.random.default_rng(seed)
    role = rng.choice(["Husband", "Wife", "Single"], n, p=[0.4, 0.2, 0.4])
    sex = np.where(role == "Husband", "M", np.where(role == "Wife", "F", rng.choice(["M", "F"], n)))
    sex[np.flatnonzero(role == "Husband")[0]], sex[np.flatnonzero(role == "Wife")[0]] = "F", "M"
    work = np.where(rng.random(n) < np.where(sex == "M", 0.8, 0.6), "yes", "no")
    return pd.DataFrame({"role": role, "sex": sex, "work": work, "place": rng.choice(list("pqrs"), n)})


# ---- measures, by hand


def test_measures_of_a_table_worked_by_hand():
    """Expected 5 3 2 0, observed 4 3 0 3, ten people each."""
    table = scan(*both(letters([5, 3, 2]), letters([4, 3, 0, 3])), orders=[1])["scan_tables"].iloc[0]
    assert table["cells"] == 4
    assert (table["expected_cells"], table["observed_cells"], table["missing_cells"]) == (3, 3, 1)
    assert table["tvd"] == pytest.approx(0.3)
    assert table["srmse"] == pytest.approx(np.sqrt((1 + 0 + 4 + 9) / 4) / 2.5)
    assert table["vw_ratio"] == pytest.approx((1 / 4.5 + 0 + 4 / 1 + 9 / 1.5) / 3)  # c = 1/2, over 4 - 1 degrees of freedom
    assert table["invented"] == pytest.approx(0.3)
    assert table["invented_floor"] == 0  # no category has one record only
    assert table["missing"] == pytest.approx(0.2)
    assert table["missing_floor"] == pytest.approx(0.5**11 + 0.3 * 0.7**10 + 0.2 * 0.8**10)
    assert table["tvd_floor"] == pytest.approx(twin.expected_tvd([0.5, 0.3, 0.2], 10))
    assert table["tvd_limit"] == pytest.approx(min(1, twin.expected_tvd([0.5, 0.3, 0.2], 5) + np.sqrt(np.log(20) / 10)))


def test_cells_of_a_table_worked_by_hand():
    cells = scan(*both(letters([500, 300, 200]), letters([400, 300, 0, 300])), orders=[1])["scan_cells"].set_index("cell")
    assert cells.index.tolist() == ["x = d", "x = c", "x = a"]
    assert cells["kind"].tolist() == ["invented", "missing", "too few"]
    assert cells.loc["x = a", "ratio"] == pytest.approx(0.8)
    assert cells.loc["x = a", "excess"] == -100
    spread = 1 - 900 / 2000  # of the dispersion of a count that 45 of 100 are in
    tail = beta.cdf(0.5, 500 / spread, 400 / spread + 1)
    assert cells.loc["x = a", "p"] == pytest.approx(2 * tail)
    assert cells.loc["x = a", "p"] == pytest.approx(fisher_exact([[400, 600], [500, 500]]).pvalue, rel=0.2)
    low, high = beta.ppf(0.025, 400 / spread, 500 / spread + 1), beta.ppf(0.975, 400 / spread + 1, 500 / spread)
    assert cells.loc["x = a", ["lower", "upper"]].tolist() == pytest.approx([low / (1 - low), high / (1 - high)])
    relative = np.sqrt(0.6 / 400 + 0.5 / 500)  # Katz et al. (1978): standard error of the log of a ratio of shares
    katz = 0.8 * np.exp([-1.96 * relative, 1.96 * relative])
    assert cells.loc["x = a", ["lower", "upper"]].tolist() == pytest.approx(katz, abs=0.01)
    assert cells.loc["x = d", ["expected", "observed", "ratio"]].tolist() == [0, 300, np.inf]


def test_against_a_census_the_reference_has_no_error():
    sides = both(letters([500, 300, 200]), letters([40, 40, 20]))
    checks = scan(*sides, orders=[1], reference_kind="census", most=9, q=1.0)
    cells = checks["scan_cells"].set_index("cell")
    exact = binomtest(40, 100, 0.3, alternative="greater")
    assert cells.loc["x = b", "p"] == pytest.approx(2 * exact.pvalue)
    low, high = binomtest(40, 100).proportion_ci(0.95, "exact")
    assert cells.loc["x = b", ["lower", "upper"]].tolist() == pytest.approx([low / 0.3, high / 0.3])
    assert checks["scan_tables"]["tvd_limit"].iloc[0] == pytest.approx(
        twin.expected_tvd([0.5, 0.3, 0.2], 100) + np.sqrt(np.log(1 / 1.0) / 200)
    )


def test_effective_numbers_take_the_place_of_weights():
    real, made = letters([50, 50]), letters([60, 40])
    a, b = both(real, made)
    heavy = scan(a, b.weighing(np.full(100, 1000.0)), orders=[1], reference_kind="survey cloned")
    plain = scan(a, b, orders=[1], reference_kind="survey cloned")
    for name in ("tvd", "tvd_limit", "vw_ratio"):  # a thousand copies of each say no more than one
        assert heavy["scan_tables"][name].iloc[0] == pytest.approx(plain["scan_tables"][name].iloc[0])
    assert heavy["scan_tables"]["tvd_floor"].iloc[0] < plain["scan_tables"]["tvd_floor"].iloc[0]
    assert heavy["scan_tables"]["tvd_floor_effective"].iloc[0] == plain["scan_tables"]["tvd_floor"].iloc[0]


# ---- floors


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8).filter(sum), st.integers(1, 60))
def test_expected_tvd_is_exact(counts, n):
    share = np.array(counts) / sum(counts)
    assert expected_tvd(share, n) == pytest.approx(twin.expected_tvd(share, n), abs=1e-12)


def test_floors_agree_with_perfect_samples():
    share = np.random.default_rng(1).dirichlet(np.full(60, 0.4))
    tvd, srmse, missing, lost = twin.drawn(share, 300, 4000, 2).mean(axis=0)
    assert expected_tvd(share, 300) == pytest.approx(tvd, rel=0.01)
    assert expected_missing(share, 300) == pytest.approx(missing, rel=0.03)
    assert expected_lost(share, 300).sum() == pytest.approx(lost, rel=0.01)
    assert srmse <= expected_srmse(share, 300) <= 1.05 * srmse  # a bound that is near


def test_unseen_mass_is_what_the_next_sample_brings():
    rng = np.random.default_rng(3)
    share = rng.dirichlet(np.full(400, 0.3))
    seen = rng.multinomial(500, share, 800)
    actual = [share[x == 0].sum() for x in seen]
    guessed = [unseen_mass(x, x) for x in seen]
    assert np.mean(guessed) == pytest.approx(np.mean(actual), rel=0.05)


def test_perfect_samples_keep_within_the_limit_and_sampled_references_too():
    rng = np.random.default_rng(4)
    share = rng.dirichlet(np.full(300, 0.3))
    known = [np.abs(rng.multinomial(800, share) / 800 - share).sum() / 2 > tvd_limit(share, 800) for _ in range(1000)]
    assert np.mean(known) <= 0.05
    over = 0
    for _ in range(400):
        real, made = rng.multinomial(800, share), rng.multinomial(1500, share)
        limit = tvd_limit(real[real > 0] / 800, 1500, 800, unseen_mass(real, real))
        over += np.abs(made / 1500 - real / 800).sum() / 2 > limit
    assert over / 400 <= 0.05


def test_voas_williamson_is_one_for_samples_of_the_reference():
    rng = np.random.default_rng(6)
    share, ratios = rng.dirichlet(np.full(8, 5.0)), []
    real = letters(np.rint(800 * share).astype(int))
    for seed in range(200):
        ratios.append(scan(*both(real, bootstrap(real, seed=seed)), orders=[1], workers=1)["scan_tables"]["vw_ratio"].iloc[0])
    assert np.mean(ratios) == pytest.approx(1, abs=0.12)  # standard error 0.04


# ---- evidence


@given(st.integers(0, 40), st.integers(0, 40), st.floats(0.05, 0.95))
def test_tails_are_exact(success, failure, chance):
    p = Trial(np.array([float(success)]), np.array([float(failure)]), np.array([chance])).p_values()[0]
    n = success + failure
    tails = [binomtest(success, n, chance, alternative=a).pvalue if n else 1.0 for a in ("less", "greater")]
    assert p == pytest.approx(min(1, 2 * min(tails)), rel=1e-9)


@pytest.mark.parametrize(("n", "r"), [(100, 100), (400, 80), (80, 500)])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.8, 0.98])
def test_two_samples_rarely_differ_by_chance_and_common_cells_have_power(n, r, share):
    o, e = (a.astype(float) for a in np.meshgrid(np.arange(n + 1), np.arange(r + 1), indexing="ij"))
    chance = np.outer(binom.pmf(np.arange(n + 1), n, share), binom.pmf(np.arange(r + 1), r, share))
    p = two_samples(o, e, float(n), float(r)).p_values()
    for level in (0.05, 1e-3, 1e-5):
        assert (chance * (p <= level)).sum() <= 1.25 * level
    if 0.3 <= share <= 0.8:  # undivided counts leave a hundredth of it
        assert (chance * (p <= 1e-3)).sum() >= 0.5e-3
    turned = two_samples(n - o, r - e, float(n), float(r)).p_values()  # who is in it and who is not are one question
    apart = o + e != (n + r) / 2
    assert p[apart] == pytest.approx(turned[apart], rel=1e-6)


def test_a_sex_ratio_that_is_four_points_off_is_found():
    real, made = letters([2500, 2500]), letters([2700, 2300])
    checks = scan(*both(real, made), orders=[1])
    assert checks.headline["passes"] is False
    assert checks["scan_cells"]["p"].iloc[0] == pytest.approx(fisher_exact([[2500, 2500], [2700, 2300]]).pvalue, rel=0.1)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_p_values_equal_scipy(p):
    for control in ("bh", "by"):
        assert adjusted(np.array(p), control) == pytest.approx(false_discovery_control(p, method=control))


def test_deviance_and_unknown_control():
    assert Trial(np.array([3.0]), np.array([1.0]), np.array([0.5])).deviance()[0] == pytest.approx(
        2 * (3 * np.log(1.5) + np.log(0.5))
    )
    assert len(adjusted(np.zeros(0))) == 0
    with pytest.raises(ValueError, match="control"):
        adjusted(np.ones(2), "none")


def test_within_and_predicted_shares():
    basis = Basis(100, 200, np.inf, 50)
    trial = basis.within(np.array([5.0]), np.array([40.0]), (np.array([10.0]), np.array([80.0])))
    assert (trial.success[0], trial.failure[0], trial.chance[0]) == (10, 10, 0.5)  # 200 people are worth 50
    assert basis.whole(np.array([5.0]), np.array([40.0]), 3.0).chance[0] == pytest.approx(0.15)


# ---- chance and causes


def test_samples_of_one_population_pass():
    """At the rate q, or less: no discovery in at least 95 of 100 pairs of samples."""
    world, found = couples(1, 40_000), 0
    for seed in range(60):
        rows = np.random.default_rng(seed).permutation(len(world))
        real, made = (world.iloc[rows[a : a + 1500]] for a in (0, 1500))
        found += not scan(*both(real, made), workers=1).headline["passes"]
    assert found <= 6  # 3 expected at most; 7 or more of 60 happen once in 30


def test_generators_are_told_apart():
    real = couples()
    verdicts = {}
    for name, made in {
        "bootstrap": bootstrap(real, seed=1), "independent": independent_columns(real, seed=1),
        "pairs": keep_pairs(real, [("role", "work"), ("sex", "place")], seed=1),
        "swap": swap_within_couples(real, "role", "sex", share=0.1, seed=1),
    }.items():  # fmt: skip
        checks = scan(*both(real, made))
        verdicts[name] = checks.headline["passes"]
        if name != "bootstrap":
            assert "role = Husband and sex = F" in checks["scan_cells"]["cell"].head(2).tolist()
            assert checks.findings[0].code == "misweighted-group"
    assert verdicts == {"bootstrap": True, "independent": False, "pairs": False, "swap": False}


def test_a_cause_is_told_once():
    real = couples()
    checks = scan(*both(real, swap_within_couples(real, "role", "sex", share=0.2, seed=1)))
    cells = checks["scan_cells"]
    causes = cells[cells["explained_by"] == ""]
    assert set(causes["combination"].iloc[:3]) == {"role x sex"}
    after = cells[cells["explained_by"] != ""]
    assert (after["k"] == 3).all()
    husbands = after[after["cell"].str.contains("role = Husband and sex = F")]
    assert len(husbands) >= 4
    assert (husbands["explained_by"] == "role = Husband and sex = F").all()
    assert causes.set_index("cell").loc["role = Husband and sex = F", "follow"] == checks.headline[
        "groups that follow from them"
    ] - (len(after) - len(husbands))
    assert (cells["rank"] == np.arange(1, len(cells) + 1)).all()


def test_a_wrong_category_explains_the_pairs_and_threes_that_hold_it():
    real = couples()
    made = real[(real["place"] != "p") | (np.arange(len(real)) % 2 == 0)]  # half of p is gone
    checks = scan(*both(real, made))
    causes = checks["scan_cells"].query("explained_by == ''")
    assert (causes["combination"] == "place").all()
    assert causes["cell"].iloc[0] == "place = p"


def test_a_difference_of_three_variables_has_no_smaller_cause():
    """All pairs as they should be, and the three of them not: parity."""
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 2, (2, 6000))
    real = pd.DataFrame({"a": a, "b": b, "c": a ^ b ^ (np.arange(6000) % 2)}).astype(str)
    made = pd.DataFrame({"a": a, "b": b, "c": a ^ b}).astype(str)
    checks = scan(*both(real, made))
    cells = checks["scan_cells"]
    assert (cells["explained_by"] == "").all()
    assert set(cells["combination"]) == {"a x b x c"}
    assert len(cells) == 8


def test_two_wrong_categories_explain_their_crossing_together():
    rng = np.random.default_rng(0)

    def people(p, n=40_000):
        return pd.DataFrame({"a": rng.random(n) < p, "b": rng.random(n) < p}).astype(str)

    cells = scan(*both(people(0.2), people(0.3)))["scan_cells"].set_index("cell")
    assert cells.loc["a = True and b = True", "explained_by"] in ("a = True and others", "b = True and others")


# ---- structural zeros


def test_a_rule_may_be_one_condition_and_by_control_is_stricter():
    real = couples()
    made = swap_within_couples(real, "role", "sex", share=0.05, seed=1)
    sides = both(real, made)
    strict, plain = (scan(*sides, control=c).headline["groups beyond chance"] for c in ("by", "bh"))
    assert 0 < strict <= plain


def test_impossible_people_come_first_and_are_not_invented():
    real = couples()
    made = swap_within_couples(real, "role", "sex", share=0.1, seed=1)
    corner = int(((made["role"] == "Single") & (made["place"] == "p")).sum())
    rule = "role = 'Husband' and sex = 'F'"
    checks = scan(*both(real, made), impossible=[rule, "role = 'Single' and place = 'p'"])
    cells, there = checks["scan_cells"], int(((made["role"] == "Husband") & (made["sex"] == "F")).sum())
    assert cells["kind"].iloc[:2].tolist() == ["impossible", "impossible"]
    assert np.isnan(cells["p"].iloc[0])
    assert checks.headline["impossible combinations"] == 2
    assert checks.headline["people in impossible combinations"] == there + corner
    assert checks.findings[0].code == "impossible-combination"
    table = checks["scan_tables"].set_index("combination").loc["role x sex"]
    assert table["impossible"] == pytest.approx(there / len(made))
    assert table["invented"] == 0
    follow = cells[(cells["kind"] == "impossible") & (cells["k"] == 3)]
    assert follow["explained_by"].ne("").all()
    told = checks["scan_coverage"].query("what == 'rule'").set_index("name")
    assert told.loc[rule, "reason"] == "1 of the reference meet it themselves"
    assert [f.code for f in checks.findings].count("rule-contradicted") == 2


def test_rules_are_looked_at_beyond_the_orders_scanned():
    real = couples()
    checks = scan(*both(real, real), orders=[1], impossible="role = 'Husband' and sex = 'F' and work = 'no' and place = 'p'")
    assert checks["scan_tables"]["k"].max() == 4


def test_rules_on_bands_and_missing_labels():
    labels = [["0 to 4.5", "5 to 9", MISSING], ["yes", "no"]]
    (rule,) = make_rules(["hours >= 5 and work = 'no'"], ["hours", "work"], labels)
    assert rule.holds.reshape(3, 2).tolist() == [[False, False], [False, True], [False, False]]


def test_bad_rules_are_all_told():
    sides = both(couples(), couples())
    rules = ["role = 'Husban'", "rol = 'Wife'", "sex = ", "place > 3", "sex in ('M', 'F')", "__import__('os').system('x')"]
    with pytest.raises(InputError) as error:
        scan(*sides, impossible=rules)
    told = str(error.value)
    assert {f.code for f in error.value.findings} == {"bad-condition"}
    assert len(error.value.findings) == 6
    assert "Did you mean 'Husband'?" in told
    assert "Did you mean 'role'?" in told


# ---- what is looked at


def test_coverage_says_what_was_not_looked_at():
    real = couples().assign(id=[f"n{i}" for i in range(4000)], same="x")
    checks = scan(*both(real, real), orders=[1, 2], also=[("role", "sex", "work")], left_out=[("note", "free text")])
    coverage = checks["scan_coverage"].set_index("name")
    assert coverage.loc["note", "reason"] == "free text"
    assert "more than 500 categories" in coverage.loc["id", "reason"]
    assert "one category" in coverage.loc["same", "reason"]
    assert not coverage.loc["3-way combinations of 6 variables", "looked_at"]
    assert coverage.loc["3-way combinations of 6 variables", "combinations"] == 19
    assert coverage.loc["2-way combinations of 6 variables", ["combinations", "looked_at"]].tolist() == [6, True]
    assert coverage.loc["role x sex x work", "looked_at"]
    assert checks["scan_tables"]["k"].value_counts().to_dict() == {2: 6, 1: 6, 3: 1}
    assert any(f.code == "not-looked-at" for f in checks.findings)


def test_protected_combinations_survive_the_limit_of_cells():
    plan = make_plan(["job", "sex", "age", "region"], [50, 2, 5, 9], records=10_000, max_cells=66 + 73 + 90)
    taken = [" ".join("jsar"[i] for i in at) for at in plan.combinations]
    assert taken[:4] == ["s", "a", "j", "r"]
    assert "s a" in taken
    assert "s a r" in taken  # place beside protected attributes
    assert "j s a" not in taken
    assert plan.protected[taken.index("s a r")]
    assert not plan.protected[taken.index("r")]
    named = plan.coverage.query("what == 'combination'")
    assert named["reason"].str.contains("limit of 229 cells").all()
    assert not named["looked_at"].any()


def test_names_of_protected_attributes():
    names = ["Age", "hours_per_week", "native_country", "general health", "EthnicGroup", "legal_partnership", "average"]
    assert protected_names(names) == ("Age", "general health", "legal_partnership")
    assert protected_names(names, {"EthnicGroup": "ethnic_group"})[2] == "EthnicGroup"
    with pytest.raises(KeyError, match="no variable 'wage'"):
        make_plan(["age"], [2], records=5, protected=["wage"])


def test_rarity_counts_what_is_lost():
    real, made = letters([1, 1, 3, 60]), letters([0, 1, 0, 64])
    rarity = scan(*both(real, made), orders=[1])["scan_rarity"].set_index("rarity")
    assert rarity.loc["1", ["cells", "missing", "people"]].tolist() == [2, 1, 1]
    assert rarity.loc["2 to 4", ["cells", "missing", "people"]].tolist() == [1, 1, 3]
    assert rarity.loc["1", "missing_floor"] == pytest.approx(2 * (64 / 65) ** 65)


def test_lost_categories_are_named_with_their_chance():
    checks = scan(*both(letters([1, 500, 500]), letters([0, 500, 501])))
    (lost,) = [f for f in checks.findings if f.code == "lost-group"]
    assert "x = a: 1 in the reference, lost by 37 of 100 perfect samples" in lost.message
    assert lost.level == "note"
    assert checks.headline["passes"]  # chance alone does so
    gone = scan(*both(letters([100, 500, 500]), letters([0, 500, 600])))
    assert next(f for f in gone.findings if f.code == "lost-group").level == "warning"
    assert not gone.headline["passes"]


# ---- kinds, degenerate and hostile data


def test_invented_people_are_not_applicable_against_the_survey_that_was_cloned():
    real = couples()
    checks = scan(*both(real, bootstrap(real, seed=1)), reference_kind="survey cloned", reference_name="the survey")
    assert checks["scan_tables"]["invented"].isna().all()
    assert checks["scan_tables"]["passes"].isna().all()
    assert checks.headline["passes"] is None
    assert checks.headline["invented combinations"].startswith("not applicable")
    assert [f.level for f in checks.findings] == ["note"] * len(checks.findings)
    assert set(checks["scan_tables"]["reference"]) == {"the survey"}


@pytest.mark.parametrize("sizes", [(0, 0), (0, 5), (5, 0), (1, 1), (1, 5), (5, 1)])
def test_few_or_no_records_crash_nothing(sizes):
    frames = [couples(n=50).iloc[5 : 5 + n].reset_index(drop=True) for n in sizes]
    checks = scan(*both(*frames))
    assert len(checks["scan_tables"]) == checks.headline["combinations scanned"] >= 4
    if 0 in sizes:
        assert checks.findings[0].code == "nothing-to-compare"
        assert checks.headline["passes"] is None
        assert checks["scan_tables"]["tvd"].isna().all()
    else:
        assert checks.headline["passes"] in (True, False)


def test_constant_and_missing_columns():
    frame = pd.DataFrame({"a": ["x"] * 30, "b": [MISSING] * 30, "c": list("pq") * 15})
    checks = scan(*both(frame, frame))
    assert checks.headline["passes"]
    assert checks["scan_tables"].set_index("combination").loc["a", "tvd"] == 0


def test_no_variables_at_all():
    empty = Coded((), (), np.zeros((3, 0), np.int32), np.ones(3))
    checks = scan(empty, empty)
    assert checks.headline["combinations scanned"] == 0
    assert checks.findings[0].code == "nothing-to-compare"


def test_labels_are_shown_and_not_run():
    real = pd.DataFrame({"<b>x</b>": ["<script>alert(1)</script>", "=1+1"] * 50, "y": ["a\nb", "c"] * 50})
    made = real.assign(y=real["y"].to_numpy()[::-1])
    words = scan(*both(real, made))["scan_cells"]["cell"]
    assert words.str.contains("<b>x</b> = <script>alert(1)</script> and y = c", regex=False).any()
    assert not words.str.contains("\n").any()


def test_sides_that_do_not_belong_together_are_refused():
    a, b = both(couples(), couples())
    with pytest.raises(ValueError, match="other variables or labels"):
        scan(a, b.select(["sex", "role"]))
    with pytest.raises(ValueError, match="reference_kind"):
        scan(a, b, reference_kind="truth")


def test_results_do_not_depend_on_threads_or_on_how_records_are_written():
    real, made = couples(), independent_columns(couples(), seed=2)
    one, many = (scan(*both(real, made), workers=w) for w in (1, 5))
    shuffled = scan(*both(real.sample(frac=1, random_state=1), made.sample(frac=1, random_state=2)))
    grouped = made.groupby(list(made.columns), as_index=False).size()
    labels = {c: sorted(set(real[c]) | set(made[c])) for c in real}
    weighed = coded(grouped[list(made.columns)], labels, grouped["size"].to_numpy(float))
    for other in (many, shuffled):
        for name, frame in one.tables.items():
            pd.testing.assert_frame_equal(frame, other[name], check_exact=True)
        assert [f.message for f in one.findings] == [f.message for f in other.findings]
    again = scan(coded(real, labels), weighed, effective=len(made))
    pd.testing.assert_frame_equal(one["scan_cells"], again["scan_cells"])


def test_cross_tables_equal_pandas():
    real, made = couples(n=300), couples(5, n=200)
    a, b = both(real, made)
    for table in cross_tables(merge_sides(a, b), a.sizes, [(0,), (1, 3), (0, 1, 2), (0, 1, 2, 3)]):
        names = [a.names[i] for i in table.at]
        for frame, counts in ((real, table.expected), (made, table.observed)):
            wanted = frame.groupby(names).size()
            rows = [tuple(a.labels[v][c] for v, c in zip(table.at, r, strict=True)) for r in table.codes]
            got = pd.Series(counts, pd.MultiIndex.from_tuples(rows, names=names) if len(names) > 1 else [r[0] for r in rows])
            assert (got[got > 0].sort_index() == wanted.sort_index()).all()


@st.composite
def pairs_of_sides(draw):
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    labels = tuple(tuple("abcd"[:s]) for s in sizes)
    names, rng = tuple(f"v{i}" for i in range(len(sizes))), np.random.default_rng(draw(st.integers(0, 10_000)))
    sides = []
    for n in draw(st.tuples(st.integers(0, 30), st.integers(0, 30))):
        codes = np.stack([rng.integers(0, s, n) for s in sizes], axis=1).astype(np.int32)
        weight = draw(
            st.sampled_from([np.ones(n), rng.integers(0, 3, n).astype(float), rng.random(n), np.zeros(n), 1e6 * np.ones(n)])
        )
        sides.append(Coded(names, labels, codes, weight))
    return sides[0], sides[1], draw(st.sampled_from(["sample", "census", "survey cloned", "fit"]))


@given(pairs_of_sides())
def test_laws_hold_for_whatever_comes(case):
    reference, observed, kind = case
    rule = (
        ["v0 = 'a' and v1 = 'b'"] if len(reference.names) > 1 and len(reference.labels[0]) * len(reference.labels[1]) > 3 else []
    )
    rule = rule if len(reference.labels[1:2]) and "b" in reference.labels[1] else []
    checks = scan(reference, observed, orders=(1, 2, 3, 4), reference_kind=kind, impossible=rule, q=0.9, workers=1)
    tables, cells = checks["scan_tables"], checks["scan_cells"]
    for name in ("tvd", "tvd_floor", "tvd_limit", "invented", "impossible", "missing", "missing_floor"):
        known = tables[name].dropna()
        assert known.between(0, 1 + 1e-12).all(), name
    assert (tables["missing"].dropna() <= 2 * tables["tvd"].dropna() + 1e-9).all()
    assert (tables["invented"].dropna() <= 2 * tables["tvd"].reindex(tables["invented"].dropna().index) + 1e-9).all()
    assert (tables["cells"] >= tables["expected_cells"]).all()
    assert cells["p"].dropna().between(0, 1).all()
    assert (cells["p"].dropna() <= cells["q"].dropna() + 1e-12).all()
    assert (cells["lower"] <= cells["ratio"] * (1 + 1e-9)).all()
    assert (cells["upper"] >= cells["ratio"] * (1 - 1e-9)).all()
    assert cells["rank"].tolist() == list(range(1, len(cells) + 1))
    assert checks.headline["passes"] in (True, False, None)
    if reference.weight.sum() and observed.weight.sum():
        nested = tables.set_index("combination")["tvd"]
        for combination, value in nested.items():  # merging categories never makes two distributions more unlike
            for part in combination.split(" x "):
                assert nested[part] <= value + 1e-9


def test_every_code_is_declared():
    assert {"impossible-combination", "invented-combination", "misweighted-group", "lost-group", "not-looked-at"} <= set(CODES)


def test_lost_categories_are_all_counted_though_some_are_listed():
    real = pd.DataFrame({"x": [f"v{i:03d}" for i in range(400) for _ in range(3)] + ["kept"] * 3000})
    sides = both(real, pd.DataFrame({"x": ["kept"] * 3000}))
    (lost,) = [f for f in scan(*sides, orders=[1], most=20).findings if f.code == "lost-group"]
    assert lost.count == 400
    assert len(lost.rows) < 100
    assert "400 groups" in lost.message
