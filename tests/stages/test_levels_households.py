"""Whole households in zones that levels bind together: tables of households and persons, of zones and areas."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthpop_gb import formulate, harmonise, solve, validate
from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.geography import Geography
from synthpop_gb.testing import assert_fits, assert_same_population
from tests.nested_problems import turned
from tests.stages.household_study import variable, world

ZONES, LEVELS = ("household_size", "age"), ("tenure", "sex")


def harmonised(n_zones=6, seed=0, noise=0, levels=LEVELS):
    """The study of the hand-made world, with `levels` known for its two areas only."""
    made = world(n_zones, seed)
    area, rng, tables = made.aligned.geography.zones["lad"], np.random.default_rng(seed), {}
    for t in made.aligned.constraints:
        counts = t.targets.groupby(area).sum() if t.name in levels else t.targets
        if noise and t.name in levels:
            counts = counts + rng.integers(-noise, noise + 1, counts.shape)
        counts.columns = pd.MultiIndex.from_arrays([counts.columns.get_level_values(0)], names=[t.name])
        tables[t.name] = BenchmarkTable(t.name, counts.rename_axis("zone"), (variable(t.name),), t.universe)
    survey = made.aligned.survey
    constraints = [t.name for t in made.aligned.constraints if t.name not in levels]
    return harmonise(survey, tables, made.aligned.geography, constraints=constraints, levels={"lad": list(levels)}, seed=seed)


def test_household_and_person_tables_of_areas_bind_whole_households():
    aligned = harmonised()
    (level,) = aligned.levels
    assert [t.universe.unit for t in level.constraints] == ["household", "person"]
    problem = formulate(aligned)
    population = solve(problem, method="balance", seed=3)
    assert_fits(population)
    assert not population.status["level_remainder"].any()
    checks = validate(population, aligned)
    assert checks.headline["lad tables met"] == "2 of 2 areas"
    observed = checks["level_fit"].set_index(["table", "area"]).loc[("tenure", "A"), "observed"]
    assert observed == level.constraints[0].targets.loc["A"].sum()
    assert not [f for f in checks.findings if f.code in ("level-not-met", "zone-not-fitted", "recount-differs")]


def test_perturbed_tables_of_areas_are_settled_each_in_its_universe():
    aligned = harmonised(seed=2, noise=4)
    (level,) = aligned.levels
    area = level.of_zone
    homes, people = (t.targets.sum(axis=1).groupby(area).sum().to_numpy() for t in aligned.constraints)
    tenure, sex = (t.targets.sum(axis=1).to_numpy() for t in level.constraints)
    assert tenure.tolist() == homes.tolist()
    assert sex.tolist() == people.tolist()
    population = solve(formulate(aligned), method="balance", seed=1)
    assert not population.status["level_remainder"].any()
    assert not population.status["remainder"].any()


def test_bits_do_not_depend_on_order_or_blocks():
    problem = formulate(harmonised())
    population = solve(problem, method="balance", seed=9, workers=1)
    level = problem.levels[0]
    order = np.array([3, 5, 0, 2, 4, 1])
    other = turned(problem, order)
    assert other.levels[0].of_zone.tolist() != level.of_zone.tolist()
    assert_same_population(population, solve(other, method="balance", seed=9, workers=2, block_size=1))


def test_soft_tables_of_areas_give_way():
    problem = formulate(harmonised())
    level, moved = problem.levels[0], problem.levels[0].targets.copy()
    moved[0, 0] += 6  # published, and not what the zones add up to
    soft = replace(level, published=moved, standard_error=np.where(np.arange(level.n_cells) < 2, 3.0, 0.0))
    population = solve(replace(problem, levels=(soft,)), method="balance", seed=1)
    assert (population.status["fit"] == "CONVERGED").all()
    weights = population.fitted() @ level.members.matrix()
    sums = np.zeros_like(level.targets)
    np.add.at(sums, level.of_zone, weights)
    assert level.targets[0, 0] - 1e-6 < sums[0, 0] < moved[0, 0]
    assert np.allclose(sums[:, 2:], level.targets[:, 2:], atol=1e-4)


def test_bounds_are_refused():
    with pytest.raises(ValueError, match="one zone alone"):
        solve(formulate(harmonised()), method="balance", options={"upper": 5.0})


def perturbed(n_zones=8, seed=0, noise=1):
    """Three levels, every count of every table with noise of its own: zones, pairs of zones, all zones."""
    made = world(n_zones, seed)
    zones, rng, tables = made.aligned.geography.zones, np.random.default_rng(seed + 50), {}
    places = Geography(pd.DataFrame({"pair": [f"P{i // 2}" for i in range(n_zones)], "lad": "L"}, index=zones.index))
    above = {"tenure": "pair", "sex": "lad"}
    for t in made.aligned.constraints:
        counts = t.targets
        if t.name in above:
            counts = counts.groupby(places.zones[above[t.name]]).sum()
        counts = (counts + rng.integers(-noise, noise + 1, counts.shape)).clip(lower=0)
        counts.columns = pd.MultiIndex.from_arrays([counts.columns.get_level_values(0)], names=[t.name])
        tables[t.name] = BenchmarkTable(
            t.name,
            counts.rename_axis("zone"),
            (variable(t.name),),
            t.universe,
            level=above.get(t.name),
            standard_error=float(noise),
        )
    constraints = [t.name for t in made.aligned.constraints if t.name not in above]
    levels = {"pair": ["tenure"], "lad": ["sex"]}
    return harmonise(made.aligned.survey, tables, places, constraints=constraints, levels=levels, seed=seed)


@pytest.mark.parametrize("seed", range(4))
def test_perturbed_tables_of_three_levels_are_fitted_and_nest(seed):
    aligned = perturbed(seed=seed)
    problem = formulate(aligned)
    assert [level.name for level in problem.levels] == ["pair", "lad"]
    population = solve(problem, method="balance", seed=seed)
    assert (population.status["fit"] == "CONVERGED").all()
    assert population.status["residual"].max() < 1e-5  # of the optimum, not of the counts
    assert population.settled.shape == (problem.n_zones, problem.n_duals)
    goals, (pairs, whole) = population.goals, population.level_goals
    first = problem.constraint_start
    homes, people = goals[:, first[0] : first[1]].sum(axis=1), goals[:, first[1] : first[2]].sum(axis=1)
    of_pair = np.bincount(problem.levels[0].of_zone, homes)
    np.testing.assert_array_equal(pairs.sum(axis=1), of_pair)
    assert whole.sum() == people.sum()
    assert not population.status["level_remainder"].any()
    assert not population.status["remainder"].any()
    checks = validate(population, aligned)
    fit = checks["level_fit"]
    assert fit["exact"].all()
    assert fit["noisy_cells"].sum() == sum(level.targets.size for level in problem.levels)
    assert (fit["cells_within_noise"] <= fit["noisy_cells"]).all()
    assert checks.headline["pair tables met"] == "4 of 4 areas"
    counted = population.fitted() @ problem.levels[0].members.matrix()
    assert np.abs(pairs - [counted[problem.levels[0].of_zone == a].sum(axis=0) for a in range(4)]).max() < 6


def test_whole_tables_of_areas_are_not_biased():
    problem = formulate(perturbed(seed=1))
    runs = [solve(problem, method="balance", seed=s, options={"effort": "quick"}) for s in range(40)]
    of_zone, members = problem.levels[0].of_zone, problem.levels[0].members.matrix()
    fitted = np.zeros_like(problem.levels[0].targets)
    np.add.at(fitted, of_zone, runs[0].fitted() @ members)
    goals = np.stack([r.level_goals[0] for r in runs])
    assert np.ptp(goals, axis=0).any()
    spread = np.maximum(goals.std(axis=0), 0.3) / np.sqrt(len(runs))
    assert np.sqrt(np.mean(((goals.mean(axis=0) - fitted) / spread) ** 2)) < 2


def test_perturbed_levels_have_the_same_bits_in_any_order():
    problem = formulate(perturbed(seed=2))
    problem = replace(problem, levels=tuple(replace(level, published=None) for level in problem.levels))
    population = solve(problem, method="balance", seed=4, workers=1)
    other = turned(problem, np.array([6, 1, 3, 0, 7, 2, 5, 4]))
    assert_same_population(population, solve(other, method="balance", seed=4, workers=2, block_size=1))
