"""What a population of whole households says: of people through their households, of households once each, and how sure it is."""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.assessment import indicator, leave_one_out
from synthpop_gb.assessment.features import Design, Variable, describe
from synthpop_gb.assessment.leave_one_out import _cells
from synthpop_gb.assessment.refits import zone_weights
from synthpop_gb.errors import InputError
from synthpop_gb.execution import solve
from synthpop_gb.incidence import Incidence
from synthpop_gb.indicators import Question
from synthpop_gb.population import Replicates
from synthpop_gb.testing import small_household_problem
from tests.reference import features as slow_features
from tests.stages.household_study import counted, world


def with_replicates(population, number=5):
    """Populations whose households were drawn again around the one that there is."""
    rng, problem = np.random.default_rng(3), population.problem
    rows = [[], [], []]
    for _ in range(number):
        drawn = rng.poisson(population.count)
        keep = drawn > 0
        before = np.concatenate([[0], np.cumsum(keep)])
        for into, array in zip(rows, (before[population.indptr], population.profile[keep], drawn[keep]), strict=True):
            into.append(array.astype(np.int64 if into is rows[0] else np.int32))
    nothing = np.zeros((number, problem.n_zones))
    made = Replicates(np.arange(1, number + 1), ("whole", "donors"), *map(tuple, rows), nothing.astype(np.int8), nothing)
    return replace(population, replicates=made)


@pytest.fixture(scope="module")
def asked():
    made = world(n_zones=8, n_households=90)
    return made.aligned, with_replicates(made.population), made


def placed(made):
    """One row a synthetic person: the record's answers, its zone and how often it stands there in expectation."""
    profile, record, share = made.problem.people_shares()
    population, rows = made.population, []
    for z, zone in enumerate(population.zones):
        weight = np.zeros(made.problem.n_profiles)
        entry = slice(population.indptr[z], population.indptr[z + 1])
        weight[population.profile[entry]] = population.count[entry]
        rows.append(made.frame.iloc[record].assign(zone=zone, n=weight[profile] * share))
    return pd.concat(rows)


def test_shares_means_and_counts_of_people_follow_their_households(asked):
    aligned, population, made = asked
    folk = placed(made)
    share = indicator(population, "age = 'child'", where="sex = 'female'", aligned=aligned).frame.set_index("zone")
    women = folk[folk["sex"] == "female"]
    expected = (women["n"] * (women["age"] == "child")).groupby(women["zone"]).sum() / women.groupby("zone")["n"].sum()
    np.testing.assert_allclose(share["estimate"], expected)
    np.testing.assert_allclose(share["people"], women.groupby("zone")["n"].sum())
    count = indicator(population, "tenure = 'rented'", measure="count", by="lad", aligned=aligned).frame
    renting = folk[(folk["tenure"] == "rented")].assign(lad=lambda f: f["zone"].map(aligned.geography.zones["lad"]))
    np.testing.assert_allclose(count["estimate"], renting.groupby("lad")["n"].sum())


def test_of_households_each_counts_once(asked):
    aligned, population, made = asked
    folk = placed(made)
    references = made.frame.index[made.homes.reference[~made.homes.communal]]
    homes = folk[folk.index.isin(references)]
    found = indicator(population, "tenure = 'rented'", unit="household", aligned=aligned)
    by_zone = homes.groupby("zone")["n"].sum()
    expected = (homes["n"] * (homes["tenure"] == "rented")).groupby(homes["zone"]).sum() / by_zone
    np.testing.assert_allclose(found.frame["estimate"], expected)
    np.testing.assert_allclose(found.frame["people"], population.status["households"])
    assert (found.frame["counted"] * population.status["households"].to_numpy()).round(6).tolist() == list(
        aligned.constraints[1].targets.iloc[:, 1]
    )
    assert found.unit == "share of households"
    assert "of households" in str(found.question)
    count = indicator(population, "tenure = 'rented'", measure="count", unit="household", aligned=aligned)
    np.testing.assert_allclose(count.frame["estimate"], aligned.constraints[1].targets.iloc[:, 1])
    assert count.unit == "households"
    mean = indicator(population, "income", measure="mean", unit="household", by="all", aligned=aligned).frame["estimate"][0]
    assert mean == pytest.approx(np.average(homes["income"], weights=homes["n"]))


def test_intervals_are_there_and_a_table_that_was_fitted_has_next_to_none(asked):
    aligned, population, _ = asked
    settled = indicator(population, "tenure = 'rented'", unit="household", aligned=aligned).frame
    open_ = indicator(population, "age = 'child'", where="tenure = 'rented'", aligned=aligned).frame
    for frame in (settled, open_):
        assert np.isfinite(frame[["lower", "upper", "standard_error"]]).all(axis=None)
        assert (frame["lower"] <= frame["estimate"]).all()
        assert (frame["upper"] >= frame["estimate"]).all()
    assert (settled["model_error"] < 1e-6).all()
    assert (open_["model_error"] > 0.01).all()


def test_groups_by_a_household_variable_hold_all_members(asked):
    aligned, population, made = asked
    frame = indicator(population, "age = 'child'", by=["all", "tenure"], aligned=aligned).frame.set_index("tenure")
    folk = placed(made)
    folk = folk[~folk["communal"]]
    expected = (folk["n"] * (folk["age"] == "child")).groupby(folk["tenure"]).sum() / folk.groupby("tenure")["n"].sum()
    np.testing.assert_allclose(frame["estimate"], expected.loc[frame.index])
    np.testing.assert_allclose(frame["people"], folk.groupby("tenure")["n"].sum().loc[frame.index])


def test_households_are_refused_where_there_are_none():
    from tests.stages.grid_world import solved

    aligned, _, _ = solved()
    with pytest.raises(InputError, match="who lives together"):
        Question("age >= 65", of="household").ask(aligned)
    with pytest.raises(ValueError, match="unit is one of"):
        Question("age >= 65", of="family")


@pytest.mark.parametrize("kind", ["share", "share of some", "number"])
@pytest.mark.parametrize("seed", [1, 2])
def test_features_of_households_equal_the_slow_twin(kind, seed):
    made, rng = world(n_zones=2, seed=seed), np.random.default_rng(seed)
    problem, n = made.problem, len(made.frame)
    base = rng.random(n) < (0.6 if kind == "share of some" else 2.0)
    value = np.where(base, rng.integers(0, 5 if kind == "number" else 2, n), 0).astype(float)
    found = describe(Variable(base, value), Design.of(problem, range(4)))
    rows = problem.incidence.matrix().toarray()
    profile = np.empty(len(problem.households), int)
    profile[problem.donor] = problem.donor_profile
    weight = np.empty(len(profile))
    weight[problem.donor] = problem.donor_weight / problem.donor_weight.mean()
    counts = {t.name: rows[profile][:, a:b] for t, a, b in zip(
        made.aligned.constraints, problem.constraint_start, problem.constraint_start[1:], strict=False)}  # fmt: skip
    wanted = slow_features.describe_households(base, value, made.homes.of_record, weight, profile, counts, made.homes.size)
    for name, expected in wanted.items():
        got = getattr(found, name)
        if name == "likeness":
            assert got.keys() == expected.keys()
            expected, got = list(expected.values()), list(got.values())
        np.testing.assert_allclose(got, expected, atol=1e-7, err_msg=name)


def test_members_stand_for_the_cells_that_their_household_is_known_by():
    made = world()
    for k, table in enumerate(made.aligned.constraints):
        for c, cell in enumerate(_cells(made.problem, k)):
            for of_problem, of_table in ((cell.base, table.record_cell >= 0), (cell.value > 0, table.record_cell == c)):
                by_unit = [np.bincount(made.homes.of_record, x, len(made.homes.ids)) for x in (of_problem, of_table)]
                assert by_unit[0].tolist() == by_unit[1].tolist()


def test_a_table_left_out_is_predicted_by_the_others():
    made = world(n_zones=10, n_households=120)
    left_out = leave_one_out(made.population, refits=3)
    assert list(left_out.cells["table"].unique()) == ["household_size", "tenure", "age", "sex"]
    shares = left_out.cells.assign(published=left_out.published[:, 0]).groupby("table")["published"].sum()
    np.testing.assert_allclose(shares, 1.0)
    targets = made.aligned.constraints[1].targets
    rented = left_out.cells.index[left_out.cells["cell"] == "rented"][0]
    np.testing.assert_allclose(left_out.published[rented], targets.iloc[:, 1] / targets.sum(axis=1))
    np.testing.assert_allclose(left_out.people[rented], targets.sum(axis=1))
    assert np.isfinite(left_out.variance).all()
    sizes = left_out.cells.index[left_out.cells["table"] == "household_size"]
    weight, at_home = made.homes.weight, ~made.homes.communal
    survey = np.bincount(np.minimum(made.homes.size, 3)[at_home] - 1, weight[at_home]) / weight[at_home].sum()
    published = left_out.published[sizes]
    assert np.abs(left_out.predicted[sizes] - published).mean() < np.abs(survey[:, None] - published).mean()


def test_the_size_of_households_follows_from_the_people_in_them():
    """Where all households have one or two members, people and households together say how many have one."""
    problem = small_household_problem(4)
    rows = np.array([[2, 2, 0, 2, 1]] * 4) + np.arange(4)[:, None] * np.array([1, 0, 0, 0, 0])
    start = np.where(problem.size <= 2, problem.start, 0.0)
    problem = replace(problem, targets=rows @ problem.incidence.matrix().toarray(), start=start)
    problem = replace(  # and a table of households that says no more than how many there are
        problem,
        cell_of=np.vstack([problem.cell_of, np.full(5, 4)]),
        constraint_start=np.array([0, 2, 4, 5]),
        targets=np.column_stack([problem.targets, rows.sum(axis=1)]),
        cells=problem.cells.append(pd.MultiIndex.from_tuples([("households", "all")])),
        incidence=problem.incidence.beside(Incidence.of_rows(np.ones((5, 1)))),
    )
    found = leave_one_out(counted(problem, rows), refits=2)
    sizes = found.cells.index[found.cells["table"] == "size"]
    np.testing.assert_allclose(found.predicted[sizes], found.published[sizes], atol=1e-4)


def test_replicates_made_for_an_indicator_take_one_attempt_a_zone(monkeypatch):
    """And the population's own are used as they are, where there are any."""
    module = import_module("synthpop_gb.assessment.indicator")
    asked, plain = [], module.solve_replicates

    def noted(population, method, options, numbers):
        asked.append((options.restarts, options.milp_nodes))
        return plain(population, method, options, numbers)

    monkeypatch.setattr(module, "solve_replicates", noted)
    population = solve(small_household_problem(3), method="balance", seed=1)
    made = module.with_replicates(population, 2)
    assert asked == [(0, 0)]
    assert len(made.replicates) == 2
    assert module.with_replicates(made, 2) is made
    assert len(asked) == 1
    module.with_replicates(population, 2, one_attempt=False)
    assert asked[1][0] > 0


@pytest.mark.parametrize("kept", [None, [0], [1]])
def test_zones_fitted_side_by_side_are_those_fitted_one_by_one(kept):
    """Tilts that tilt nothing take the way of one zone after another."""
    problem = small_household_problem(6)
    targets = problem.targets.copy()
    targets[2] = 0.0  # nobody lives there
    problem = replace(problem, targets=targets)
    level = replace(problem, tilt_of=np.zeros((1, problem.n_profiles), np.int32), tilt=np.zeros((6, 1)))
    together, single = (np.concatenate(list(zone_weights(p, np.arange(6), kept))) for p in (problem, level))
    np.testing.assert_allclose(together, single, rtol=1e-4, atol=1e-6)
    assert not together[2].any()
    assert together[[0, 1, 3, 4, 5]].sum(axis=1).all()
