"""Tables that disagree are settled on one total a universe, without bias, the same whichever zones are there."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthpop_gb.geography import Geography
from synthpop_gb.harmonisation import examine, harmonise
from tests.stages.nouns import ADULTS, AGE, EVERYBODY, HEALTH, SEX, table, variable, world, zone_codes

NAMES = ["age", "sex", "health"]


def totals(aligned):
    return np.stack([c.targets.to_numpy().sum(axis=1) for c in aligned.constraints])


def only(geography, codes):
    return Geography(geography.zones.loc[codes])


def test_exact_tables_come_through_untouched():
    survey, tables, geography = world()
    aligned = harmonise(survey, tables, geography, constraints=[*NAMES, "age x sex"])
    for constraint in aligned.constraints:
        assert constraint.targets.equals(constraint.published)
    assert aligned.changes.empty
    assert list(aligned.changes.columns) == ["table", "zone", "published", "settled", "cells_changed", "people_moved"]
    assert (aligned.floor == 0).all()
    assert not {"total-mismatch", "perturbed"} & {f.code for f in aligned.findings}


def test_the_median_total_is_taken_and_the_change_reported():
    survey, tables, geography = world(noise=1.5)
    aligned = harmonise(survey, tables, geography, constraints=NAMES)
    published = np.stack([tables[n].counts.to_numpy().sum(axis=1) for n in NAMES])
    assert np.array_equal(totals(aligned), np.tile(np.median(published, axis=0), (3, 1)))
    assert np.array_equal(aligned.floor, np.abs(published - np.median(published, axis=0)).sum(axis=0))
    for constraint in aligned.constraints:
        moved = (constraint.targets - constraint.published).to_numpy()
        assert np.array_equal(np.abs(moved).sum(axis=1), np.abs(moved.sum(axis=1)))  # nobody moved twice
    by_zone = aligned.changes.groupby("zone").people_moved.sum().reindex(aligned.zones, fill_value=0)
    assert np.array_equal(by_zone, aligned.floor)
    found = next(f for f in aligned.findings if f.code == "total-mismatch")
    gap = published.max(axis=0) - published.min(axis=0)
    assert found.count == (gap > 0).sum()
    assert f"largest gap {gap.max()}, {aligned.zones[gap.argmax()]}" in found.message
    assert set(found.rows.columns) == {"zone", "age", "sex", "health", "settled", "gap"}
    assert "perturbed" in {f.code for f in aligned.findings}


def test_a_median_between_two_people_falls_either_way():
    n = 2000
    survey, _, _ = world(1)
    zones = zone_codes(n)
    geography = Geography(pd.DataFrame(index=pd.Index(zones, name="zone")))
    tables = {
        "age": table("age", AGE, np.tile([20, 20, 20, 20, 20], (n, 1)), zones),
        "sex": table("sex", SEX, np.tile([60, 41], (n, 1)), zones),
    }
    aligned = harmonise(survey, tables, geography, constraints=["age", "sex"])
    taken = totals(aligned)[0]
    assert set(taken) == {100.0, 101.0}
    assert abs((taken == 101).mean() - 0.5) < 4.5 * 0.5 / np.sqrt(n)
    assert (aligned.floor == 1).all()


@pytest.mark.parametrize("name", ["sex", "age_by_sex", "residents"])
def test_the_total_of_a_named_table_is_taken(name):
    survey, tables, geography = world(noise=1.5)
    zones = list(geography.codes)
    residents = variable("residents", "everybody")
    tables["residents"] = table("residents", residents, np.arange(290, 290 + len(zones))[:, None], zones)
    aligned = harmonise(survey, tables, geography, constraints=NAMES, total_from=name)
    assert np.array_equal(totals(aligned), np.tile(tables[name].counts.to_numpy().sum(axis=1), (3, 1)))


def test_a_total_from_nowhere_is_found():
    survey, tables, geography = world()
    aligned, findings = examine(survey, tables, geography, constraints=NAMES, total_from="sux")
    assert aligned is None
    assert [(f.code, f.place) for f in findings if f.level == "error"] == [("study-reference", "total_from")]
    assert "'sex'" in findings[-1].message


@settings(max_examples=15)
@given(st.randoms(use_true_random=False), st.integers(0, 5))
def test_a_zone_is_settled_alike_whatever_other_zones_there_are(random, seed):
    survey, tables, geography = world(noise=1.5, n_zones=9)
    names = ["age", "sex", "health", "age x sex"]
    whole = harmonise(survey, tables, geography, constraints=names, seed=seed)
    codes = list(geography.codes)
    random.shuffle(codes)
    codes = codes[: random.randint(1, len(codes))]
    part = harmonise(survey, tables, only(geography, codes), constraints=names, seed=seed)
    for a, b in zip(whole.constraints, part.constraints, strict=True):
        assert np.array_equal(a.targets.loc[codes], b.targets)
    assert np.array_equal(whole.floor[codes], part.floor)


def test_another_seed_is_another_draw_of_the_same_totals():
    survey, tables, geography = world(noise=1.5, n_zones=40)
    one, two = (harmonise(survey, tables, geography, constraints=NAMES, seed=s) for s in (1, 2))
    assert np.array_equal(totals(one), totals(two))
    assert not one.constraints[0].targets.equals(two.constraints[0].targets)


def test_no_category_gains_on_average():
    survey, tables, geography = world(noise=1.5, n_zones=60)
    published = tables["age"].counts.to_numpy(float)
    draws = np.stack(
        [harmonise(survey, tables, geography, constraints=NAMES, seed=s).constraints[0].targets.to_numpy() for s in range(60)]
    )
    expected = published * (draws[0].sum(axis=1) / published.sum(axis=1))[:, None]
    share = expected % 1  # each cell is its expectation rounded up or down
    z = (draws.mean(axis=0) - expected) / np.sqrt(np.maximum(share * (1 - share), 0.01) / len(draws))
    assert np.sqrt((z**2).mean()) < 1.15
    assert np.abs(z).max() < 5


ACTIVITY = variable("activity", "employed", "unemployed", "inactive")


def with_activity(noise, bands=AGE, n_zones=15):
    """A world with a table of people aged 16 and over, and adults' activity in the survey."""
    survey, tables, geography = world(noise=noise, n_zones=n_zones)
    rng = np.random.default_rng(3)
    records = survey.records.assign(activity=np.where(survey.records.age == "0", np.nan, rng.integers(1, 4, len(survey.records))))
    adults = tables["age"].counts.to_numpy()[:, 1:].sum(axis=1) + np.rint(rng.normal(0, noise, n_zones)).astype(int)
    counts = np.stack([rng.multinomial(a, [0.6, 0.1, 0.3]) for a in adults])
    tables["activity"] = table("activity", ACTIVITY, counts, geography.codes, universe=ADULTS)
    survey = type(survey)("survey", records, {**survey.variables, "activity": ACTIVITY}, EVERYBODY, weight="weight", year=2021)
    return survey, tables, geography


@pytest.mark.parametrize("order", [["activity", "sex", "age"], ["age", "sex", "activity"]])
def test_a_narrower_universe_takes_the_total_that_the_wider_one_implies(order):
    survey, tables, geography = with_activity(noise=1.5)
    aligned = harmonise(survey, tables, geography, constraints=order)
    by = {c.name: c.targets.to_numpy() for c in aligned.constraints}
    assert np.array_equal(by["activity"].sum(axis=1), by["age"][:, 1:].sum(axis=1))
    assert np.array_equal(by["sex"].sum(axis=1), by["age"].sum(axis=1))
    activity = next(c for c in aligned.constraints if c.name == "activity")
    children = (survey.records.age == "0").to_numpy()
    assert (activity.record_cell[children] == -1).all()
    assert (activity.record_cell[~children] >= 0).all()
    mismatch = [f for f in aligned.findings if f.code == "total-mismatch"]
    assert any("implied by age" in f.message for f in mismatch)


def test_a_universe_nobody_implies_has_its_own_median():
    survey, tables, geography = with_activity(noise=1.5)
    aligned = harmonise(survey, tables, geography, constraints=["sex", "activity"])
    wanted = np.minimum(tables["activity"].counts.sum(axis=1), tables["sex"].counts.sum(axis=1))
    assert np.array_equal(aligned.constraints[1].targets.sum(axis=1), wanted)


@pytest.mark.parametrize("names", [["age x sex", "age", "sex"], ["age", "health", "age x sex", "sex"], ["sex", "age x sex"]])
def test_shared_margins_agree_afterwards(names):
    survey, tables, geography = world(noise=1.5, n_zones=30)
    aligned = harmonise(survey, tables, geography, constraints=names)
    by = {c.name: c for c in aligned.constraints}
    joint = by["age x sex"].targets
    for name in ("age", "sex"):
        if name in by:
            assert np.array_equal(joint.T.groupby(level=name, sort=False).sum().T, by[name].targets)
    assert (joint.to_numpy()[by["age x sex"].published.to_numpy() == 0] == 0).all()
    assert not any("still disagree" in f.message or f.code == "structural-clash" for f in aligned.findings)


def test_a_table_without_anybody_is_filled_as_the_survey_says():
    survey, tables, geography = world()
    tables["health"].counts.iloc[2] = 0
    aligned = harmonise(survey, tables, geography, constraints=["age", "sex", "health"])
    zone = geography.codes[2]
    health = aligned.constraints[2].targets.loc[zone].to_numpy()
    share = survey.records.groupby("health").weight.sum().to_numpy()
    assert health.sum() == 300
    assert (np.abs(health - 300 * share / share.sum()) < 1).all()


def test_a_zone_that_most_tables_leave_empty_is_empty():
    survey, tables, geography = world()
    for name in ("age", "sex"):
        tables[name].counts.iloc[4] = 0
    tables["health"].counts.iloc[4] = [2, 0, 0]
    aligned = harmonise(survey, tables, geography, constraints=NAMES)
    assert (totals(aligned)[:, 4] == 0).all()
    assert any(f.code == "empty-zone" and f.count == 1 for f in aligned.findings)


def test_fractions_are_rounded_without_bias():
    survey, tables, geography = world()
    tables["health"] = table("health", HEALTH, tables["health"].counts.to_numpy() * 0.5 + 0.25, geography.codes)
    tables["age"] = table("age", AGE, tables["age"].counts.to_numpy() * 0.5, geography.codes)
    aligned = harmonise(survey, tables, geography, constraints=["age", "health"])
    for constraint in aligned.constraints:
        assert (constraint.targets.to_numpy() % 1 == 0).all()
    assert np.array_equal(*totals(aligned))
    assert {f.place for f in aligned.findings if f.code == "fractional-count"} == {"age", "health"}


def test_tables_that_cannot_count_the_same_people_are_refused():
    survey, tables, geography = world()
    tables["health"] = table("health", HEALTH, tables["health"].counts.to_numpy() // 2, geography.codes)
    aligned, findings = examine(survey, tables, geography, constraints=NAMES)
    assert aligned is None
    assert [f.code for f in findings if f.level == "error"] == ["total-mismatch"]
    aligned, findings = examine(survey, tables, geography, constraints=NAMES, total_from="age")
    assert aligned is not None
    assert [f.level for f in findings if f.code == "total-mismatch"] == ["warning"]


@given(st.integers(0, 2**32 - 1))
def test_whatever_the_tables_the_totals_agree(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 6))
    survey, _, _ = world(1)
    zones = zone_codes(n)
    geography = Geography(pd.DataFrame(index=pd.Index(zones, name="zone")))
    scale = rng.choice([0, 1, 40], n)[:, None]
    sizes = {"age": 5, "sex": 2, "health": 3}
    tables = {
        v.name: table(v.name, v, rng.poisson(scale * 3 / sizes[v.name], (n, sizes[v.name])), zones) for v in (AGE, SEX, HEALTH)
    }
    aligned, findings = examine(survey, tables, geography, constraints=NAMES, total_from=rng.choice(["age", "sex", None]))
    if aligned is None:
        assert "total-mismatch" in {f.code for f in findings if f.level == "error"}
    else:
        got = totals(aligned)
        assert (got == got[0]).all()


def margins_differ():
    """Two zones: sex 50 and 50, sex x age with 52 and 48 in the first, and with equal totals."""
    survey, tables, _ = world(2)
    zones = zone_codes(2)
    geography = Geography(pd.DataFrame(index=pd.Index(zones, name="zone")))
    joint = np.array([[12, 10, 10, 10, 10, 8, 10, 10, 10, 10], [10] * 10])
    tables["sex"] = table("sex", SEX, np.array([[50, 50], [50, 50]]), zones)
    tables["age_by_sex"] = table("age_by_sex", (SEX, AGE), joint, zones)
    return survey, tables, geography


@pytest.mark.parametrize("total_from", [None, "sex", "age_by_sex"])
def test_tables_with_one_total_and_two_margins_have_a_floor(total_from):
    survey, tables, geography = margins_differ()
    aligned = harmonise(survey, tables, geography, constraints=["sex", "sex x age"], total_from=total_from)
    apart = sum(np.abs(c.targets - c.published).sum(axis=1) for c in aligned.constraints)
    assert list(aligned.floor) == list(apart) == [4, 0]
    assert list(aligned.changes.people_moved) == [4]
    found = [f for f in aligned.findings if f.code == "total-mismatch"]
    assert [(f.level, f.count, list(f.rows.zone)) for f in found] == [("warning", 1, [geography.codes[0]])]
    assert "on the margins they share in 1 of 2 zones; 4 people moved" in found[0].message


def test_totals_alone_are_no_shared_margin():
    survey, tables, geography = world(noise=1.5)
    aligned = harmonise(survey, tables, geography, constraints=NAMES)
    assert not any("margins they share" in f.message for f in aligned.findings)
