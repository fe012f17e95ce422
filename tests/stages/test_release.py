"""Rules of release: withheld counts cannot be worked out, rounded ones add up, ids are gone, what breaks a rule is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthpop_gb.checks import Checks
from synthpop_gb.errors import InputError
from synthpop_gb.export import donor_labels, people
from synthpop_gb.indicators import Indicators, Question, published
from synthpop_gb.release import (
    PROFILES,
    ReleaseRule,
    check_release,
    release_rule,
    release_table,
    round_counts,
    round_values,
    withhold,
)
from tests.reference.withholding import protected
from tests.stages.grid_world import solved

OPEN = PROFILES["open"]

# rules


def test_profiles_say_what_they_do_and_can_be_written_and_read():
    assert list(PROFILES) == ["safeguarded", "open", "public"]
    for name, rule in PROFILES.items():
        assert rule.name == name
        assert len(rule.words) > 50
        assert release_rule(name) is not None
        assert release_rule(rule.to_dict()) == rule
        assert str(rule).startswith(f"{name}: ")
    assert release_rule({"profile": "open", "rounding": 10, "name": "ours"}).rounding == 10
    assert release_rule({"name": "ours"}).donor_ids == "keep"


def test_all_that_is_wrong_with_a_rule_comes_at_once():
    with pytest.raises(InputError) as error:
        release_rule({"profile": "opeen", "roundng": 5, "minimum_count": -1})
    said = str(error.value)
    assert "Did you mean 'open'?" in said
    assert "Did you mean 'rounding'?" in said
    assert "minimum_count" in said
    for wrong in (
        {"donor_ids": "burn"}, {"rounding": 0}, {"rounding": 2.5}, {"rounding_method": "up"}, {"maximum_risk": 2},
        {"people": "yes"},
        {"minimum_count": True}, {"name": ""}, {"maximum_unique_share": float("nan")},
    ):  # fmt: skip
        with pytest.raises(InputError):
            release_rule(wrong)


# rounding


def test_rounding_by_hand():
    assert round_values([0, 2, 2.5, 7, 8], 5).tolist() == [0, 0, 5, 5, 10]
    # remainders 1 1 1 make 3, of which one goes up; 4 4 2 make 10: two go up
    assert round_counts([[1, 1, 1], [4, 4, 12]], 5).tolist() == [[5, 0, 0], [5, 5, 10]]
    assert round_counts([3, np.nan, 4], 5).tolist()[0::2] == [5, 0] or round_counts([3, np.nan, 4], 5).tolist()[0::2] == [0, 5]
    assert np.isnan(round_counts([3, np.nan, 4], 5)[1])


tables = st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=6), min_size=1, max_size=5).map(
    lambda rows: np.array([(r * 6)[: len(rows[0])] for r in rows])
)


@given(tables, st.sampled_from([1, 3, 5, 10]), st.sampled_from(["nearest", "random"]), st.integers(0, 9))
def test_rounded_counts_are_beside_the_counts_and_add_up(table, base, method, seed):
    rounded = round_counts(table, base, method=method, seed=seed)
    assert (np.abs(rounded - table) < base).all()
    assert (rounded % base == 0).all()
    total, of_total = table.sum(axis=1), rounded.sum(axis=1)
    assert (np.abs(of_total - total) < base).all()
    if method == "nearest":
        np.testing.assert_array_equal(of_total, round_values(total, base))
    np.testing.assert_array_equal(rounded, round_counts(table, base, method=method, seed=seed))
    again = round_counts(rounded, base, method=method, seed=seed + 1)
    np.testing.assert_array_equal(again, rounded)


def test_random_rounding_is_unbiased_cell_by_cell_and_in_total():
    row = np.array([1, 2, 3, 4, 0, 12])
    drawn = round_counts(np.tile(row, (20_000, 1)), 5, method="random", seed=3)
    assert np.abs(drawn.mean(axis=0) - row).max() < 5 * 2.5 / np.sqrt(20_000)
    assert abs(drawn.sum(axis=1).mean() - row.sum()) < 5 * 2.5 / np.sqrt(20_000)


def test_rounding_refuses_nonsense():
    for wrong in ({"counts": [-1], "base": 5}, {"counts": [0.5], "base": 5}, {"counts": [1], "base": 0},
                  {"counts": [1], "base": 5, "method": "random"}, {"counts": [1], "base": 5, "method": "up"}):  # fmt: skip
        with pytest.raises(ValueError, match=r"."):
            round_counts(**wrong)


# withholding


def test_withholding_by_hand():
    # one small cell in a line of three: the rectangle of fewest people with it is 20, 40, 50
    primary, secondary = withhold([[3, 20, 30], [40, 50, 60], [70, 80, 15]], 10)
    assert np.argwhere(primary).tolist() == [[0, 0]]
    assert np.argwhere(secondary).tolist() == [[0, 1], [1, 0], [1, 1]]
    # one line, whose total is known: the next smallest goes too
    primary, secondary = withhold([[3, 20, 8, 30]], 5, column_totals=False)
    assert (primary | secondary).tolist() == [[True, False, True, False]]
    # nothing small, nothing withheld; no totals, nothing to protect from
    assert not withhold([[0, 10], [20, 30]], 10)[0].any()
    assert not withhold([[3, 10], [20, 30]], 5, row_totals=False, column_totals=False)[1].any()


counts = st.integers(1, 5).flatmap(
    lambda m: st.lists(st.lists(st.sampled_from([0, 1, 2, 9, 10, 15, 40]), min_size=m, max_size=m), min_size=1, max_size=5)
)


@given(counts, st.booleans(), st.booleans())
def test_what_is_withheld_cannot_be_worked_out_from_totals(table, rows, columns):
    table = np.array(table)
    hopeless = ~protected(table > 0, row_totals=rows, column_totals=columns) & (table > 0) & (table < 10)
    if hopeless.any():  # even withholding everybody else would not do
        with pytest.raises(InputError, match="can be worked out"):
            withhold(table, 10, row_totals=rows, column_totals=columns)
        return
    primary, secondary = withhold(table, 10, row_totals=rows, column_totals=columns)
    assert (primary == ((table > 0) & (table < 10))).all()
    assert not (primary & secondary).any()
    assert (table[secondary] >= 10).all()
    withheld = primary | secondary
    np.testing.assert_array_equal(protected(withheld, row_totals=rows, column_totals=columns), withheld)


def test_a_table_of_thousands_of_zones():
    table = np.random.default_rng(1).poisson(18, (3000, 6))
    primary, secondary = withhold(table, 10)
    assert primary.sum() > 100
    withheld = primary | secondary
    lines = withheld.sum(axis=1)
    assert (lines[lines > 0] >= 2).all()
    assert withheld.mean() < 0.2


def test_tables_for_release():
    table = pd.DataFrame([[3, 22, 31], [41, 50, 62], [71, 80, 15]], list("abc"), list("xyz"))
    shown = release_table(table, OPEN)
    assert shown.isna().sum().sum() == 4
    assert not check_release(OPEN, tables={"counts": shown})
    assert shown.loc["c"].sum() == round_values(166, 5)
    records = pd.DataFrame(50, table.index, table.columns)
    records.loc["b", "z"] = 9
    assert np.isnan(release_table(table, OPEN, records=records).loc["b", "z"])
    said = [f.message for f in check_release(OPEN, tables={"counts": table})]
    assert "counts shows 1 counts below 10" in said[0]
    assert "not rounded to 5" in said[1]


# indicators


def figures(rows, measure="count", by=("zone", "sex")):
    frame = pd.DataFrame(rows, columns=[*by, "estimate", "people", "donors"])
    frame = frame.assign(lower=frame["estimate"] * 0.8, upper=frame["estimate"] * 1.2, counted=frame["estimate"], n_eff=33.333,
                         standard_error=1.2345, replicate_error=1.0, finite_error=1.0, model_error=1.0, largest_donor=0.1234,
                         reliability="acceptable")  # fmt: skip
    return Indicators(Question("health = 'bad'", measure, by=by), frame, 0.9, "people", {"in words": "Said."})


def test_counts_by_group_are_withheld_with_what_protects_them_and_rounded():
    found = figures([("a", "f", 3.0, 60, 40), ("a", "m", 22.0, 61, 40), ("b", "f", 41.0, 62, 40), ("b", "m", 53.0, 63, 40),
                     ("c", "f", 71.0, 64, 40), ("c", "m", 88.0, 65, 40)])  # fmt: skip
    shown = published(found, OPEN).frame
    assert shown["estimate"].isna().tolist() == [True, True, True, True, False, False]
    assert shown.loc[4:, "estimate"].tolist() == [70.0, 90.0]
    assert shown.loc[4, ["lower", "upper", "standard_error", "people"]].tolist() == [55.0, 90.0, 1.2, 65.0]
    assert shown.loc[0, ["lower", "upper", "counted", "donors", "standard_error"]].isna().all()
    assert shown["reliability"].tolist() == ["withheld"] * 4 + ["acceptable"] * 2
    said = published(found, OPEN)
    assert said.basis["withheld"] == 4
    assert "Said. Released by the rule open: 4 figures are withheld" in repr(said)


def test_shares_withhold_both_sides_and_few_records():
    rows = [
        ("a", 0.5, 100, 40),
        ("b", 0.05, 100, 40),
        ("c", 0.95, 100, 40),
        ("d", 0.5, 100, 9),
        ("e", 0.0, 100, 40),
        ("f", 0.4, 8, 40),
    ]
    shown = published(figures(rows, "share", ("zone",)), OPEN).frame
    assert shown["estimate"].isna().tolist() == [False, True, True, True, False, True]
    assert shown["estimate"].iloc[0] == 0.5
    assert shown["people"].isna().tolist() == [False] * 5 + [True]
    one = published(figures([("a", 0.05, 100, 40), ("b", 0.5, 100, 40), ("c", 0.6, 100, 40)], "share", ("zone",)), OPEN).frame
    assert one["estimate"].isna().tolist() == [True, True, False], "a single one withheld would be the rest of the total"


def test_means_and_quantiles_and_a_rule_that_asks_for_nothing():
    rows = [("a", 23456.7, 100, 40), ("b", 1234.5, 8, 40), ("c", 999.0, 50, 40), ("d", 5.0, 500, 40)]
    quantiles = published(figures(rows, "quantile", ("zone",)), OPEN).frame
    assert quantiles["estimate"].tolist()[0] == 23500.0
    assert quantiles["estimate"].isna().tolist() == [False, True, False, False]
    means = published(figures(rows, "mean", ("zone",)), OPEN).frame
    assert means["estimate"].isna().tolist() == [False, True, True, False]
    found = figures(rows, "mean", ("zone",))
    pd.testing.assert_frame_equal(published(found, ReleaseRule("nothing")).frame, found.frame, check_dtype=False)


def test_a_figure_that_totals_give_away_is_refused():
    with pytest.raises(InputError, match="release-refused"):
        published(figures([("a", 3.0, 100, 40), ("b", 0.0, 100, 40)], "count", ("zone",)), OPEN)


# people


def test_ids_are_dropped_relabelled_or_hashed():
    ids = pd.Index([f"P{i}" for i in range(500)])
    rules = {name: ReleaseRule("mine", donor_ids=name) for name in ("keep", "drop", "relabel", "hash")}
    assert donor_labels(ids, rules["keep"]) is ids
    assert donor_labels(ids, rules["drop"]) is None
    one, two = (donor_labels(ids, rules["relabel"], seed=s) for s in (1, 2))
    assert sorted(one) == list(range(1, 501))
    assert (one != two).any()
    assert (donor_labels(ids, rules["relabel"]) != donor_labels(ids, rules["relabel"])).any(), "drawn anew where no seed is given"
    salt = b"0123456789abcdef"
    hashed = donor_labels(ids, rules["hash"], salt=salt)
    assert hashed.is_unique
    assert hashed.str.fullmatch("[0-9a-f]{16}").all()
    assert (hashed == donor_labels(ids, rules["hash"], salt=salt)).all()
    assert not set(hashed) & set(donor_labels(ids, rules["hash"]))
    with pytest.raises(ValueError, match="16 bytes"):
        donor_labels(ids, rules["hash"], salt=b"short")


@pytest.mark.parametrize("name", ["people.parquet", "people.csv", "people"])
def test_people_without_ids_are_the_same_people_in_an_order_of_their_own(tmp_path, name):
    aligned, population, _ = solved()
    path = people(population, aligned, tmp_path / name, donors="drop")
    frame = pd.read_csv(path) if name.endswith("csv") else pd.read_parquet(path)
    named = pd.read_parquet(people(population, aligned, tmp_path / "named.parquet"))
    assert "donor" not in frame
    columns = ["zone", "age", "sex", "health"]
    counted, wanted = (f.astype(dict.fromkeys(columns, str)).groupby(columns).size() for f in (frame, named))
    pd.testing.assert_series_equal(counted, wanted)
    # the order of a zone's rows is that of their answers: it says nothing of records
    for _, rows in frame.astype({"zone": str}).groupby("zone"):
        answers = rows[["age", "sex", "health"]].astype(str).apply(tuple, axis=1)
        assert (answers != answers.shift()).sum() == answers.nunique(), "people alike stand together, whoever they copy"
    people(population, aligned, tmp_path / name, donors="drop", overwrite=True)


def test_order_does_not_depend_on_the_ids(tmp_path):
    """The same people copied from records that are called otherwise, in another order, give the same file without ids."""
    aligned, population, _ = solved()
    block = population.donors()
    order = np.random.default_rng(1).permutation(len(aligned.records))
    frames = []
    for change in (np.arange(len(order)), order):
        rank = np.argsort(change)
        moved = replace(aligned, records=aligned.records[change], weight=aligned.weight[change])
        counts = type(block)(block.zones, block.indptr, rank[block.record].astype(np.int32), block.n)
        path = people(population, moved, tmp_path / f"{len(frames)}.parquet", donors="drop", counts=[counts])
        frames.append(pd.read_parquet(path).astype(str))
    pd.testing.assert_frame_equal(*frames)


def test_labels_stand_in_place_of_ids(tmp_path):
    aligned, population, _ = solved()
    labels = donor_labels(aligned.records, ReleaseRule("mine", donor_ids="relabel"), seed=4)
    frame = pd.read_parquet(people(population, aligned, tmp_path / "a.parquet", donors=labels))
    named = pd.read_parquet(people(population, aligned, tmp_path / "b.parquet"))
    of = dict(zip(aligned.records, labels, strict=True))
    wanted = named["donor"].map(of).groupby(named["zone"].astype(str)).value_counts().sort_index()
    found = frame["donor"].groupby(frame["zone"].astype(str)).value_counts().sort_index()
    assert found.to_dict() == wanted.to_dict()
    for _, rows in frame.groupby("zone", observed=True):
        assert rows["donor"].is_monotonic_increasing


# what breaks a rule


def refused(*args, **kwargs):
    return [f.message for f in check_release(*args, **kwargs)]


def test_everything_that_breaks_a_rule_is_listed():
    alone = pd.DataFrame({"zone": ["Z"], "people": [100], "unique": [20]})
    said = refused(PROFILES["public"], licence="restricted", columns=["person", "zone", "donor", "health"], answers=["health"],
                   uniqueness=alone, keys=["age", "sex"])  # fmt: skip
    assert len(said) == 4
    for words in (
        "rows of people may not leave",
        "record ids may not leave",
        "licence is 'restricted'",
        "20.0 % of people are alone",
    ):
        assert any(words in s for s in said), words
    assert any("by age, sex" in s for s in said)
    assert all(f.code == "release-refused" and f.level == "error" for f in check_release(PROFILES["public"], columns=["zone"]))
    assert not refused(OPEN, licence="restricted", columns=["person", "zone"])
    assert "was not measured" in refused(OPEN, licence="open", columns=["zone", "age"], answers=["age"])[0]
    few = alone.assign(unique=5)
    assert not refused(OPEN, licence="open", columns=["zone", "age"], answers=["age"], uniqueness=few, keys=["age"])
    assert not refused(PROFILES["safeguarded"], licence="restricted", columns=["person", "zone", "donor"])
    assert not refused(OPEN, uniqueness=alone.assign(people=0, unique=0))


def test_a_pair_is_held_against_the_rule():
    attacks = pd.DataFrame({"attack": ["linkage", "few"], "n": [500, 3], "risk": [0.2, 0.9], "risk_upper": [0.25, 1.0]})
    tables = {"disclosure_identity": pd.DataFrame({"repU": [7.0, 1.0]}), "attacks": attacks}
    said = refused(OPEN, checks=Checks({}, tables))
    assert len(said) == 2
    assert "7.0 % of the real records are replicated uniques; 5 % may be" in said[0]
    assert "linkage is 0.20, at most 0.25; 0.1 may be" in said[1]
    assert not refused(PROFILES["safeguarded"], checks=Checks({}, tables))
