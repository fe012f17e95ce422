"""Population scenarios: rates exact to a person, tables kept where like donors are there, whole people, the same bits, recorded."""

import numpy as np
import pandas as pd
import pytest

import synthpop_gb as sp
from synthpop_gb.errors import InputError
from synthpop_gb.indicators import parse_condition
from synthpop_gb.simulation import Amplify, Balance, Raise, Shift, change_population
from tests.simulation.counties import households, persons

SMOKES = "smokes = 'yes'"


def counted(population, aligned, condition):
    """People by zone who meet a condition, and all, from placed donors."""
    met = np.ones(len(aligned.records), bool) if condition is None else parse_condition(condition).matches(aligned)
    placed = population.donors()
    zone = np.repeat(np.arange(len(placed.zones)), np.diff(placed.indptr))
    return np.bincount(zone, placed.n * met[placed.record], len(placed.zones))


def tables_of(population):
    """Members by zone and cell."""
    from scipy.sparse import csr_array

    shape = (len(population.zones), population.problem.n_profiles)
    return (
        csr_array((population.count, population.profile, population.indptr), shape) @ population.problem.members.matrix()
    ).toarray()


@pytest.mark.parametrize("which", ["persons", "households"])
def test_a_rate_is_exact_to_a_person_and_zones_keep_their_people(which):
    aligned, population = persons() if which == "persons" else households()
    step = Raise(SMOKES, where="age >= 16", to=0.3) if which == "persons" else Raise("work = 'works'", to=0.6)
    changed = change_population(population, step)
    whom = "age >= 16 and smokes in ('yes', 'no')" if which == "persons" else "work in ('works', 'does not')"
    what = f"{SMOKES} and age >= 16" if which == "persons" else "work = 'works'"
    for number in (0, 1, 2):
        now, before = changed.population.replicate(number), population.replicate(number)
        base = counted(now, aligned, whom)
        assert (base == counted(before, aligned, whom)).all()  # of whom it is a share: as many as before
        rate = 0.3 if which == "persons" else 0.6
        assert (counted(now, aligned, what) == np.floor(rate * base + 0.5)).all()
        assert (counted(now, aligned, None) == counted(before, aligned, None)).all()
    assert not changed.findings
    if which == "households":
        assert (changed.population.status["households"] == population.status["households"]).all()


def test_a_rate_that_no_table_speaks_of_leaves_every_table_as_it_is():
    aligned, population = persons()
    changed = change_population(population, Raise(SMOKES, by=0.02))
    alike = changed.moved["alike"] == 1.0
    assert alike.any()
    same = (tables_of(changed.population) == tables_of(changed.baseline)).all(axis=1)
    assert same[alike.to_numpy()].all()
    assert tables_of(changed.baseline) == pytest.approx(tables_of(population))


def test_a_rate_of_a_fitted_table_changes_that_table_alone_where_it_can():
    aligned, population = persons()
    changed = change_population(population, Raise("health in ('bad', 'very bad')", times=1.2))
    cells = population.problem.cells.get_level_values(0)
    was, now = tables_of(changed.baseline), tables_of(changed.population)
    assert (was[:, cells == "health"] != now[:, cells == "health"]).any()
    for name in ("age", "sex"):
        assert (was[:, cells == name] == now[:, cells == name]).mean() > 0.9


def test_who_is_as_likely_as_their_like_in_the_survey_is_raised():
    """Adults smoke, children do not: nobody below 16 is exchanged for a smoker while like donors are there."""
    aligned, population = persons()
    changed = change_population(population, Raise(SMOKES, by=0.05))
    assert (counted(changed.population, aligned, f"age < 16 and {SMOKES}") == 0).all()


def test_only_chosen_zones_change():
    aligned, population = persons()
    level = aligned.geography.parents[0]
    code = aligned.geography.zones[level].iloc[0]
    inside = (aligned.geography.zones[level] == code).to_numpy()
    changed = change_population(population, Raise(SMOKES, to=0.5, zones={level: [code]}))
    was, now = (counted(p, aligned, SMOKES) for p in (changed.baseline, changed.population))
    assert (was[~inside] == now[~inside]).all()
    assert (now[inside] > was[inside]).all()
    named = change_population(population, Raise(SMOKES, to=0.5, zones=list(aligned.zones[inside])))
    assert named.population.digest() == changed.population.digest()


@pytest.mark.parametrize("which", ["persons", "households"])
def test_a_group_is_amplified_without_bias(which):
    aligned, population = persons() if which == "persons" else households()
    where = "health = 'bad'" if which == "persons" else "age >= 65"
    changed = change_population(population, Amplify(where, 1.5))
    was, now, people = (counted(p, aligned, c) for p, c in
                        ((changed.baseline, where), (changed.population, where), (population, None)))  # fmt: skip
    assert (np.abs(now - np.minimum(1.5 * was, people)) < 1).all()
    assert (counted(changed.population, aligned, None) == people).all()
    assert (counted(change_population(population, Amplify(where, 0.0)).population, aligned, where) == 0).all()


@pytest.mark.parametrize(("which", "variable"), [("persons", "sex"), ("persons", "ethnic_group"), ("households", "tenure")])
def test_categories_are_balanced(which, variable):
    aligned, population = persons() if which == "persons" else households()
    changed = change_population(population, Balance(variable))
    labels = [c.label for c in aligned.survey.variables[variable].categories if c.atoms]
    now = np.stack([counted(changed.population, aligned, f"{variable} = '{label}'") for label in labels], axis=1)
    known = now.sum(axis=1)
    away = np.abs(now - known[:, None] / len(labels))
    assert (away < 1).all() if which == "persons" else (away.sum(axis=1) <= 2 * changed.moved["missed"].to_numpy() + 2).all()
    first = labels[0]
    given = change_population(population, Balance(variable, shares={first: 1.0}))
    if which == "persons":
        assert (counted(given.population, aligned, f"{variable} = '{first}'") == known).all()


def test_steps_follow_each_other():
    aligned, population = persons()
    changed = change_population(population, [Raise(SMOKES, to=0.5), Raise(SMOKES, times=0.5)])
    people = counted(changed.population, aligned, f"{SMOKES} or smokes = 'no'")
    assert (np.abs(counted(changed.population, aligned, SMOKES) - 0.25 * people) <= 1).all()
    assert changed.moved.groupby("step").size().tolist() == [10, 10]


def test_the_same_seed_gives_the_same_bits_whatever_else_is_in_the_study():
    aligned, population = persons()
    one, two = (change_population(population, Raise(SMOKES, by=0.05)) for _ in range(2))
    assert one.population.digest() == two.population.digest()
    assert one.population.replicates.digest() == two.population.replicates.digest()
    other = change_population(population, Raise(SMOKES, by=0.05), seed=99)
    assert other.population.digest() != one.population.digest()
    part = population.problem.take(np.array([5, 2]))
    some = sp.solve(part, seed=7)
    few = change_population(some, Raise(SMOKES, by=0.05), aligned=_of_zones(aligned, [5, 2]), replicates=False)
    every = one.population.donors()
    for row, zone in enumerate([5, 2]):
        mine = few.population.donors()
        a, b = mine.indptr[row], mine.indptr[row + 1]
        c, d = every.indptr[zone], every.indptr[zone + 1]
        assert mine.record[a:b].tolist() == every.record[c:d].tolist()
        assert mine.n[a:b].tolist() == every.n[c:d].tolist()


def _of_zones(aligned, where):
    from dataclasses import replace

    return replace(aligned, geography=aligned.geography.subset(aligned.zones[where]))


def test_it_is_recorded_as_a_scenario(tmp_path):
    aligned, population = persons()
    changed = change_population(population, Raise(SMOKES, by=0.05))
    assert changed.population.provenance.scenario["changes"] == [{"change": "raise", "what": SMOKES, "by": 0.05}]
    assert population.provenance.scenario is None
    assert changed.baseline.provenance.scenario is None
    assert "A scenario, not an estimate" in repr(changed)
    folder = sp.save(changed.population, tmp_path / "more", aligned=aligned)
    assert "a scenario, not an estimate" in (folder / "README.md").read_text(encoding="utf-8")
    again = sp.load(folder, aligned=aligned)
    assert again.digest() == changed.population.digest()
    assert again.provenance.scenario == changed.population.provenance.scenario


def test_everything_wrong_at_once():
    _, population = persons()
    steps = [
        Raise("smokes = 'perhaps'", by=0.1),
        Amplify("age > 200", 2),
        Balance("smokess"),
        Balance("sex", shares={"neither": 1.0}),
        Raise(SMOKES, by=0.1, zones={"moon": ["x"], "zone": ["D0", "nowhere"]}),
    ]
    with pytest.raises(InputError) as error:
        change_population(population, steps, replicates=False)
    found = [(f.place, f.code) for f in error.value.findings]
    assert [p for p, _ in found] == [
        "population.0",
        "population.1",
        "population.2",
        "population.3",
        "population.4",
        "population.4",
    ]
    assert [c for _, c in found] == [
        "bad-condition", "scenario-empty", "bad-condition", "bad-condition", "study-reference", "study-reference",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "make",
    [
        lambda: Raise(SMOKES),
        lambda: Raise(SMOKES, to=0.1, by=0.1),
        lambda: Raise(SMOKES, to=1.1),
        lambda: Amplify(SMOKES, -1),
        lambda: Balance("sex", shares={"male": 0.4}),
        lambda: Shift("income"),
        lambda: Shift("income", factor=float("nan")),
    ],
)
def test_nonsense_is_refused(make):
    with pytest.raises(ValueError):
        make()


def test_a_shift_moves_nobody():
    _, population = persons()
    with pytest.raises(ValueError, match="shifted"):
        change_population(population, Shift("income", factor=2.0))


def test_goals_that_cannot_be_met_are_said():
    aligned, population = households()
    changed = change_population(population, Amplify("age = '0-15'", 50.0), replicates=False)
    (found,) = changed.findings
    assert found.code == "scenario-not-reached"
    assert (pd.Index(found.rows["zone"]).isin(aligned.zones)).all()
    assert (changed.moved["missed"] > 0).sum() == found.count
