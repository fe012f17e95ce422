"""Projections: counts by zone or by larger area, what is not projected keeps its composition; solved again for the new tables."""

from dataclasses import replace

import numpy as np
import pytest

import synthpop_gb as sp
from synthpop_gb.errors import InputError
from synthpop_gb.simulation import projected_tables
from tests.stages import homes_world
from tests.stages.nouns import ADULTS, AGE, EVERYBODY, SEX, table, variable, world


@pytest.fixture(scope="module")
def study():
    return world(n_zones=6, seed=2)


def zones_of(tables):
    return next(iter(tables.values())).counts.index


def test_a_projected_table_replaces_its_own_and_the_others_grow_with_it(study):
    _, tables, _ = study
    age = replace(tables["age"], name="age 2031", counts=tables["age"].counts * 2)
    made, notes = projected_tables(tables, [age])
    assert not notes
    assert (made["age"].counts == 2 * tables["age"].counts).all(axis=None)
    for name in ("sex", "health"):
        assert (made[name].counts == 2 * tables[name].counts).all(axis=None)
    assert tables["age"].counts.sum().sum() * 2 == made["age"].counts.sum().sum()


def test_growth_of_larger_areas_is_followed_cell_by_cell(study):
    _, tables, places = study
    level = places.parents[0]
    area = places.zones[level]
    now = tables["age"].counts
    present = now.groupby(area).sum()
    grown = present * np.array([1.0, 1.0, 1.0, 1.0, 1.5])  # a half more aged 65 and over
    projected = replace(tables["age"], name="projection", counts=grown)
    made, _ = projected_tables(tables, [projected], geography=places, level=level)
    wanted = now * np.array([1.0, 1.0, 1.0, 1.0, 1.5])
    assert (np.abs(made["age"].counts - wanted) < 1).all(axis=None)
    assert (made["age"].counts.sum(axis=1) == np.rint(wanted.sum(axis=1))).all()
    total = made["age"].counts.sum(axis=1) / now.sum(axis=1)
    share = lambda t: t.div(t.sum(axis=1), axis=0)  # noqa: E731
    assert np.allclose(share(made["sex"].counts), share(tables["sex"].counts), atol=0.02)
    assert np.allclose(made["sex"].counts.sum(axis=1), tables["sex"].counts.sum(axis=1) * total, atol=1)


def test_people_projected_where_there_are_none_yet_are_spread_like_the_areas_people(study):
    _, tables, places = study
    level = places.parents[0]
    now = tables["age"].counts.copy()
    now.iloc[:, -1] = 0
    area = places.zones[level].reindex(now.index)
    coming = now.groupby(area).sum()
    coming.iloc[:, -1] = 600
    made, _ = projected_tables(
        {"age": replace(tables["age"], counts=now)}, [replace(tables["age"], counts=coming)], geography=places, level=level
    )
    counts = made["age"].counts
    assert np.allclose(counts.iloc[:, -1].groupby(area).sum(), 600, atol=2)  # zones are rounded each by itself
    share = now.sum(axis=1) / now.sum(axis=1).groupby(area).transform("sum")
    assert np.allclose(counts.iloc[:, -1], 600 * share, atol=1)
    assert (np.abs(counts.iloc[:, :-1] - now.iloc[:, :-1]) <= 1).all(axis=None)


def test_a_joint_projection_gives_its_margins(study):
    _, tables, _ = study
    zones = zones_of(tables)
    counts = np.arange(len(zones) * 10).reshape(len(zones), 10) + 5
    joint = table("age x sex 2031", (AGE, SEX), counts, zones)
    made, _ = projected_tables({k: tables[k] for k in ("age", "sex", "health")}, [joint])
    assert (made["sex"].counts.to_numpy() == counts.reshape(-1, 5, 2).sum(axis=1)).all()
    assert (made["age"].counts.to_numpy() == counts.reshape(-1, 5, 2).sum(axis=2)).all()


def test_categories_are_known_by_label_or_code_whatever_their_order(study):
    _, tables, _ = study
    theirs = variable("sex", "female", "male")  # 1 is female there
    counts = tables["sex"].counts.to_numpy()[:, ::-1] + 3
    made, _ = projected_tables(tables, [table("other", theirs, counts, zones_of(tables))])
    assert (made["sex"].counts.to_numpy() == counts[:, ::-1]).all()


def test_households_grow_with_households():
    _, tables, _ = homes_world.world()
    tenure = replace(tables["tenure"], counts=tables["tenure"].counts * 3)
    age = replace(tables["age"], counts=tables["age"].counts * 2)
    made, _ = projected_tables(tables, [age, tenure])
    assert (made["household_size"].counts == 3 * tables["household_size"].counts).all(axis=None)
    assert (made["sex"].counts == 2 * tables["sex"].counts).all(axis=None)


def test_a_table_of_others_is_not_replaced_but_grows(study):
    _, tables, _ = study
    zones = zones_of(tables)
    adults = {"sex": replace(tables["sex"], universe=ADULTS), "health": tables["health"]}
    joint = table("age x sex 2031", (AGE, SEX), np.full((len(zones), 10), 50), zones)
    for whom in (None, EVERYBODY):
        with pytest.raises(InputError, match=r"sex of usual residents aged 16 and over; health of usual residents"):
            projected_tables(adults, [replace(joint, universe=whom)])
    grown = replace(tables["health"], name="health 2031", counts=tables["health"].counts * 3)
    for known in (joint, replace(joint, universe=None)):
        made, _ = projected_tables({**adults, "age": tables["age"]}, [grown, known])
        assert (made["sex"].counts == 3 * tables["sex"].counts).all(axis=None)
        assert (made["age"].counts == 100).all(axis=None)
    made, _ = projected_tables({**adults, "age": tables["age"]}, [replace(joint, universe=ADULTS), grown])
    assert (made["sex"].counts == 250).all(axis=None)
    assert (made["age"].counts == 3 * tables["age"].counts).all(axis=None)  # as everybody grows, not as adults do


def test_zones_that_are_not_projected_keep_their_counts_and_are_said(study):
    _, tables, _ = study
    part = replace(tables["age"], counts=tables["age"].counts.iloc[2:] * 2)
    made, (note,) = projected_tables(tables, [part])
    assert note.code == "projection-partial"
    assert note.count == 2
    for name in ("age", "sex"):
        assert (made[name].counts.iloc[:2] == tables[name].counts.iloc[:2]).all(axis=None)


def test_what_cannot_be_projected_is_refused_all_at_once(study):
    _, tables, places = study
    zones = zones_of(tables)
    work = table("work", variable("work", "yes", "no"), np.ones((len(zones), 2)), zones)
    less = table("health", variable("health", "good", "bad"), np.ones((len(zones), 2)), zones)
    away = replace(tables["sex"], counts=tables["sex"].counts.set_axis([f"X{i}" for i in range(len(zones))]))
    with pytest.raises(InputError) as error:
        projected_tables(tables, [work, less, away])
    assert [f.place for f in error.value.findings] == ["work", "health", "sex"]
    with pytest.raises(InputError, match="moon"):
        projected_tables(tables, [work], geography=places, level="moon")


def test_the_same_survey_and_seed_meet_the_new_tables(study):
    survey, tables, places = study
    age = tables["age"].counts * np.array([1.0, 1.0, 1.0, 1.0, 1.4])
    made, _ = projected_tables(tables, [replace(tables["age"], counts=np.rint(age))])
    aligned = sp.harmonise(survey, made, places, constraints=["age", "sex", "health"])
    population = sp.solve(sp.formulate(aligned), seed=1)
    placed = population.donors()
    old = (survey.records["age"].astype(str) == "65").to_numpy()[survey.records.index.get_indexer(aligned.records)]
    zone = np.repeat(np.arange(len(placed.zones)), np.diff(placed.indptr))
    got = np.bincount(zone, placed.n * old[placed.record])
    assert np.abs(got - np.rint(age.iloc[:, -1])).max() <= 2  # totals of three rounded tables are settled
