"""The method 'balance': households and persons fitted together, exactly and softly, within bounds; whole households placed."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthpop_gb import formulate, solve
from synthpop_gb.datasets import make_county
from synthpop_gb.incidence import Incidence
from synthpop_gb.kernels.links import ENTROPY, HELD, Link, described, link_from, link_value, unit_scales
from synthpop_gb.level import Level
from synthpop_gb.methods import BalanceOptions
from synthpop_gb.methods._balanced import fit_zones
from synthpop_gb.methods._nested_balance import fit_zones_together
from synthpop_gb.pipeline import check
from synthpop_gb.pipeline.demo import demo_study
from synthpop_gb.problem import Problem, zone_key
from synthpop_gb.status import FitStatus
from synthpop_gb.testing import assert_fits, assert_same_population, small_household_problem, small_problem
from tests.problems import make_problem
from tests.reference import balance as twin


def town(n_zones=6, seed=1, homes=120, noise=0.0):
    """Zones drawn from 80 kinds of household with tables of size, tenure, age by sex and work; published with noise."""
    rng = np.random.default_rng(seed)
    size, n = rng.choice([1, 2, 3, 4], 160, p=[0.35, 0.35, 0.2, 0.1]), 160
    blocks = [np.eye(4, dtype=int)[size - 1], np.eye(3, dtype=int)[rng.integers(0, 3, n)]]
    blocks += [np.stack([np.bincount(rng.integers(0, k, s), minlength=k) for s in size]) for k in (6, 3)]
    counted = np.unique(np.concatenate(blocks, axis=1), axis=0)
    n, bounds = len(counted), np.array([0, 4, 7, 13, 16])
    start = rng.lognormal(0, 0.5, n)
    shares = start * np.exp(rng.normal(0, 0.15, (n_zones, 16)) @ counted.T)
    targets = np.stack([rng.multinomial(homes + 10 * z, s / s.sum()) @ counted for z, s in enumerate(shares)]).astype(float)
    published = np.rint(targets + noise * rng.normal(0, 1, targets.shape)).clip(0)
    cell_of = np.full((4, n), -1)
    cell_of[0], cell_of[1] = counted[:, :4].argmax(axis=1), counted[:, 4:7].argmax(axis=1) + 4
    zones, size = pd.Index([f"Z{z:03d}" for z in range(n_zones)], name="zone"), counted[:, 7:13].sum(axis=1)
    names = np.repeat(["size", "tenure", "age by sex", "work"], [4, 3, 6, 3])
    return Problem(
        start=start, cell_of=cell_of, constraint_start=bounds, targets=targets, published=published,
        standard_error=np.full(16, noise) if noise else None, donor_start=np.arange(n + 1), donor=np.arange(n),
        donor_weight=start, zone_keys=np.array([zone_key(z) for z in zones], np.uint64), zones=zones,
        records=pd.RangeIndex(size.sum(), name="person"),
        cells=pd.MultiIndex.from_arrays([names, [f"c{c}" for c in range(16)]], names=["constraint", "category"]),
        incidence=Incidence.of_rows(counted), households=pd.RangeIndex(n, name="household"), member=np.arange(size.sum()),
        member_start=np.concatenate([[0], np.cumsum(size)]), size=size,
    )  # fmt: skip


def test_households_and_people_meet_every_table():
    population = solve(town(), method="balance", seed=1)
    assert_fits(population, tolerance=1e-5)
    assert set(population.status["fit"]) == {"CONVERGED"}
    assert population.status["remainder"].sum() == 0
    assert population.link.kind == ENTROPY
    assert population.settled is None
    for name in ("tae_published", "shift", "misfit", "remainder_households", "remainder_persons"):
        assert (population.status[name] == 0).all()


def test_weights_are_those_of_the_twin():
    problem = town(2)
    fitted = solve(problem, method="balance", seed=1).fitted()
    for z in range(2):
        s = problem.start * problem.targets[z, :4].sum() / problem.start.sum()
        expected, _ = twin.balance_zone(problem.members.matrix().toarray(), s, problem.targets[z], np.zeros(16))
        np.testing.assert_allclose(fitted[z], expected, rtol=1e-5, atol=1e-7)


def test_persons_get_the_weights_of_ipf():
    problem = make_problem(8, 36, seed=3)
    balanced, raked = (solve(problem, method=m, seed=1) for m in ("balance", "ipf"))
    assert_fits(balanced)
    np.testing.assert_allclose(balanced.fitted(), raked.fitted(), atol=1e-4)


@pytest.mark.parametrize("options", [{}, {"standard_error": 2.0}, {"upper": 2.5}, {"fit": "ipu"}])
def test_the_same_bits_whatever_the_blocks_and_workers(options):
    problem = town(5, noise=1.5)
    whole = solve(problem, method="balance", options=options, seed=3, workers=1)
    with ThreadPoolExecutor(2) as pool:
        other = solve(problem, method="balance", options=options, seed=3, block_size=2, executor=pool)
    assert_same_population(whole, other)
    turned = solve(problem.take(np.arange(5)[::-1]), method="balance", options=options, seed=3, workers=1)
    assert_same_population(whole, turned)
    if whole.duals is not None:
        np.testing.assert_array_equal(whole.duals, other.duals)
        np.testing.assert_array_equal(whole.duals, turned.duals[::-1])


def test_soft_tables_settle_by_themselves_and_agree():
    problem = town(8, noise=2.0)
    population = solve(problem, method="balance", seed=1)
    assert_fits(population)
    settled = population.settled
    assert (settled == np.rint(settled)).all()
    people = settled[:, :4] @ np.arange(1, 5)
    np.testing.assert_array_equal(people, settled[:, 7:13].sum(axis=1))
    np.testing.assert_array_equal(people, settled[:, 13:].sum(axis=1))
    np.testing.assert_array_equal(settled[:, :4].sum(axis=1), settled[:, 4:7].sum(axis=1))
    margins = population.fitted() @ problem.members.matrix()
    assert np.abs(settled - margins)[:, :7].max() < 1.001
    truth, published = problem.targets, problem.published
    assert np.abs(margins - truth).sum() < np.abs(published - truth).sum()  # nearer the truth than what was published
    np.testing.assert_allclose(population.status["shift"], np.abs(margins - published).max(axis=1), atol=1e-6)
    np.testing.assert_allclose(population.status["misfit"], ((margins - published) ** 2 / 4).sum(axis=1), rtol=1e-6)


def test_soft_fit_is_the_optimum():
    problem = town(1, noise=2.0)
    population = solve(problem, method="balance", options={"importance": {"size": 4.0}}, seed=1)
    s = problem.start * problem.targets[0, :4].sum() / problem.start.sum()
    variance = np.where(np.arange(16) < 4, 1.0, 4.0) * 0.01
    expected, _ = twin.balance_zone(problem.members.matrix().toarray(), s, problem.published[0], variance)
    np.testing.assert_allclose(population.fitted()[0], expected, rtol=1e-5, atol=1e-7)


def test_importance_holds_a_table_harder():
    problem = town(6, noise=2.0)
    plain, held = (solve(problem, method="balance", options=o, seed=1) for o in ({}, {"importance": {"tenure": 100.0}}))
    miss = [np.abs(p.fitted() @ problem.members.matrix() - problem.published)[:, 4:7].sum() for p in (plain, held)]
    assert miss[1] < 0.2 * miss[0]


def test_hard_fit_of_soft_tables_takes_the_settled_targets():
    problem = town(3, noise=2.0)
    population = solve(problem, method="balance", options={"soft": False}, seed=1)
    assert population.settled is None
    np.testing.assert_allclose(population.fitted() @ problem.members.matrix(), problem.targets, atol=1e-5)


def nested(noise):
    """A town whose zones lie in two areas with a table of size by tenure, all published with noise; true tables agree."""
    problem = town(6, noise=noise)
    exact = solve(replace(problem, published=problem.targets, standard_error=None), method="balance", seed=5)
    joint = problem.cell_of[0] * 3 + problem.cell_of[1] - 4
    rows, area = np.eye(12, dtype=int)[joint], np.repeat([0, 1], 3).astype(np.int32)
    zone = np.repeat(np.arange(6), np.diff(exact.indptr))
    targets = np.zeros((2, 12))
    np.add.at(targets, area[zone], exact.count[:, None] * rows[exact.profile])
    published = (targets + np.rint(noise * np.random.default_rng(0).normal(0, 1, targets.shape))).clip(0)
    cells = pd.MultiIndex.from_product([["size by tenure"], map(str, range(12))], names=["constraint", "category"])
    level = Level("msoa", pd.Index(["M0", "M1"]), area, targets, joint[None], np.array([0, 12]), cells,
                  np.full(12, noise), published, Incidence.of_rows(rows))  # fmt: skip
    return replace(problem, levels=(level,))


def test_soft_fits_of_zones_that_areas_bind_are_made_whole_on_tables_rounded_from_the_fit_which_nest():
    problem = nested(2.0)
    population = solve(problem, method="balance", seed=1)
    assert set(population.status["fit"]) == {"CONVERGED"}
    assert (population.status[["remainder", "level_remainder"]] == 0).all(axis=None)
    assert population.settled is not None
    (level,), (goals,) = problem.levels, population.level_goals
    zone = np.repeat(np.arange(6), np.diff(population.indptr))
    counted = np.zeros((2, 12))
    np.add.at(counted, level.of_zone[zone], population.count[:, None] * level.members.matrix().toarray()[population.profile])
    np.testing.assert_array_equal(counted, goals)
    assert np.abs(goals - level.published).max() < 12  # near what was published
    miss = np.abs(population.fitted() @ problem.members.matrix() - problem.published)
    assert miss.max() < 12  # near what was published, which no weights meet


def test_bounds_hold_and_the_fit_gives_the_weights_back():
    problem = town(4)
    d = problem.start * problem.targets[:, :4].sum(axis=1, keepdims=True) / problem.start.sum()
    free = solve(problem, method="balance", seed=1).fitted() / d
    low, high = 0.3, 2.5
    assert (free > high).any()
    assert (free < low).any()
    population = solve(problem, method="balance", options={"lower": low, "upper": high}, seed=1)
    assert_fits(population, tolerance=1e-5)
    ratio = population.fitted() / d
    assert ratio.max() <= high + 1e-9
    assert ratio.min() >= low - 1e-9
    assert population.link == link_from(described(population.link)) == Link(HELD, low, high)


def test_a_zone_within_its_bounds_keeps_its_bits():
    problem = town(4)
    free = solve(problem, method="balance", seed=1)
    wide = solve(problem, method="balance", options={"upper": 1000.0}, seed=1)
    np.testing.assert_array_equal(free.duals, wide.duals)
    assert_same_population(free, wide)


def test_no_household_is_copied_more_often_than_allowed():
    problem = town(4)
    free = solve(problem, method="balance", seed=1)
    donors = np.diff(problem.donor_start)
    assert (free.fitted() > 4 * donors).any()
    population = solve(replace(problem, max_copies=4), method="balance", seed=1)
    assert_fits(population, tolerance=1e-5)
    assert (population.fitted() <= 4 * donors + 1e-9).all()
    assert population.households().n.max() <= 4
    assert free.households().n.max() > 4


def test_tilts_multiply_the_start_weights():
    plain = town(3)
    rng = np.random.default_rng(4)
    tilt_of = np.stack([plain.cell_of[0], np.where(rng.random(plain.n_profiles) < 0.5, 4, -1)])
    tilt = rng.normal(0, 0.5, (3, 5))
    problem = replace(plain, tilt_of=tilt_of, tilt=tilt)
    population = solve(problem, method="balance", seed=1)
    assert_fits(population, tolerance=1e-5)
    factor = np.exp(tilt[1, tilt_of[0]] + np.where(tilt_of[1] == 4, tilt[1, 4], 0.0))
    s = problem.start * factor * problem.targets[1, :4].sum() / problem.start.sum()
    expected, _ = twin.balance_zone(problem.members.matrix().toarray(), s, problem.targets[1], np.zeros(16))
    np.testing.assert_allclose(population.fitted()[1], expected, rtol=1e-5, atol=1e-7)
    assert np.abs(population.fitted() - solve(plain, method="balance", seed=1).fitted()).max() > 0.1


def test_zones_that_cannot_be_fitted_say_so_and_get_the_nearest():
    problem = town(5)
    targets = problem.targets.copy()
    targets[1, 0] += 40  # more people alone, but neither households by tenure nor people
    targets[3] = 0.0
    with pytest.warns(UserWarning, match="zones miss targets"):
        population = solve(replace(problem, targets=targets), method="balance", seed=1, options={"effort": "quick"})
    assert population.status["fit"].tolist() == ["CONVERGED", "STALLED", "CONVERGED", "EMPTY", "CONVERGED"]
    assert population.status["residual"].iloc[1] > 2
    assert population.status["worst_cell"].iloc[1] != ""
    fitted = population.fitted()
    assert not fitted[3].any()
    assert np.abs(fitted[1] @ problem.members.matrix() - targets[1]).sum() < 200
    assert population.status["people"].iloc[3] == 0


def test_a_cell_without_donors_is_infeasible():
    problem = replace(town(2), start=np.where(town(2).cell_of[1] == 6, 0.0, town(2).start))
    with pytest.warns(UserWarning, match="zones miss targets"):
        population = solve(problem, method="balance", seed=1, options={"effort": "quick"})
    assert set(population.status["fit"]) == {"INFEASIBLE"}
    assert set(population.status["worst_cell"]) == {"tenure = c6"}


def test_residents_of_communal_establishments_are_placed_with_households():
    """Units of one person without household cells; the table of people alone tells how many."""
    counted = np.array([[1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 2, 1], [0, 1, 1, 1], [0, 0, 0, 1]])
    problem = replace(
        small_household_problem(2), incidence=Incidence.of_rows(counted), cell_of=[[0, 0, 1, 1, -1], [-1] * 5],
        communal=np.arange(5) == 4, size=np.array([1, 1, 3, 2, 1]), member_start=np.array([0, 1, 2, 5, 7, 8]),
        member=np.arange(8), records=pd.RangeIndex(8), targets=np.array([[4.0, 3.0, 7.0, 10.0], [2.0, 1.0, 2.0, 4.0]]),
    )  # fmt: skip
    population = solve(problem, method="balance", seed=1)
    assert_fits(population)
    assert population.status["households"].tolist() == [7, 3]
    assert population.people == 17 + 6


def test_scales_come_from_the_constraint_that_counts_most():
    members = Incidence.of_rows(np.array([[1, 0, 2], [0, 1, 3], [0, 0, 1]]))
    start, bounds = np.array([2.0, 3.0, 5.0]), np.array([0, 2, 3])
    assert unit_scales(members, start, bounds, np.array([[4.0, 6.0, 18.0], [4.0, 6.0, 0.0]])).tolist() == [1.0, 2.0]
    assert unit_scales(members, start, bounds, np.zeros((1, 3))).tolist() == [0.0]


def test_updating_keeps_no_duals_and_says_when_it_has_not_converged():
    problem = town(2)
    with pytest.warns(UserWarning, match="zones miss targets"):
        early = solve(problem, method="balance", options={"fit": "ipu", "max_cycles": 3}, seed=1)
    assert set(early.status["fit"]) == {"CYCLE_LIMIT"}
    assert (early.status["residual"] > 1e-6).all()
    late = solve(problem, method="balance", options={"fit": "ipu", "tolerance": 0.01, "max_cycles": 100_000}, seed=1)
    assert set(late.status["fit"]) == {"CONVERGED"}
    assert late.duals is None
    with pytest.raises(ValueError, match="keeps no duals"):
        late.fitted()


def test_replicates_begin_at_the_fit_and_hold_whole_households():
    population = solve(town(3, noise=1.0), method="balance", seed=1, replicates=2)
    other = population.replicate(2)
    assert other.households().people.tolist() == other.status["households"].tolist()
    assert (other.status["people"] > 0).all()


@pytest.mark.parametrize("levels", [False, True])
def test_replicates_of_tables_move_people_and_households_in_agreement(levels):
    """Tables of households exact, of people perturbed: what a replicate draws anew is met, and stays as large as it was."""
    problem = nested(2.0) if levels else town(4, noise=2.0)
    error = np.where(np.isin(problem.cells.get_level_values(0), ["size", "tenure"]), 0.0, 2.0)
    problem = replace(problem, standard_error=error, published=problem.targets)
    made = solve(problem, method="balance", seed=1, replicates=3, sources=["tables"])
    assert (made.replicates.remainder == 0).all()
    assert (made.replicates.fit == 0).all()
    for number in (1, 2, 3):
        other = made.replicate(number)
        if not levels:  # the sizes of households are exact, and say how many people there are
            assert other.status["people"].tolist() == made.status["people"].tolist()
        assert (other.status["people"] / made.status["people"]).between(0.9, 1.1).all()
        assert other.digest() != made.digest()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"soft": 1}, "soft is true or false"),
        ({"standard_error": -1.0}, "standard error of every table is a number of persons from 0"),
        ({"soft": False, "standard_error": 1.0}, "standard_error makes targets soft"),
        ({"importance": {"size": 0.0}}, "importance of size is a number above 0"),
        ({"lower": 1.5}, "bounds are 0 <= lower < 1 < upper"),
        ({"upper": 0.5}, "bounds are 0 <= lower < 1 < upper"),
        ({"fit": "ipf"}, "fit is one of newton, ipu"),
        ({"fit": "ipu", "upper": 3.0}, "'ipu' heeds neither bounds"),
        ({"zeros": "hard"}, "zeros is one of soft, exact"),
        ({"tolerance": 0}, "tolerance is a number of persons above 0"),
        ({"max_steps": 0}, "max_steps is a whole number, at least 1"),
    ],
)
def test_options_out_of_range_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        BalanceOptions(**options)


def test_links_hold_exponentials_within_bounds():
    link = Link(HELD, 0.2, 3.0)
    for u in np.linspace(-4, 4, 41):
        value, _, _ = link_value(link, u)
        assert value == pytest.approx(np.clip(np.exp(u), 0.2, 3.0))
        rise = (link_value(link, u + 1e-6)[2] - link_value(link, u - 1e-6)[2]) / 2e-6
        assert rise == pytest.approx(value, rel=1e-5)


def test_names_of_no_constraint_are_refused_with_those_there_are():
    for option in ("standard_error", "importance"):
        with pytest.raises(ValueError, match=f"{option} names no constraint: sizes; there are size, sex"):
            solve(small_household_problem(), method="balance", options={option: {"sizes": 1.0}})


def test_a_problem_of_persons_is_balanced_whole():
    assert_fits(solve(small_problem(3), method="balance", seed=2))


@pytest.fixture(scope="module")
def perturbed_county(tmp_path_factory):
    """A made-up county of 60 zones whose eight tables were each perturbed by themselves, as a problem."""
    folder = tmp_path_factory.mktemp("perturbed")
    make_county("penmarrow", seed=2021, perturbed=True).write(folder)
    (folder / "study.toml").write_text(demo_study(".", households=True), encoding="utf-8")
    return formulate(check(folder / "study.toml")[0])


def test_every_zone_of_a_perturbed_county_ends_at_its_optimum(perturbed_county):
    problem, zones, options = perturbed_county, np.arange(perturbed_county.n_zones), BalanceOptions()
    assert (problem.standard_error > 0).all()
    fits, matrix = fit_zones(problem, zones, options), problem.members.matrix()
    assert set(fits.status) == {FitStatus.CONVERGED}
    assert fits.steps.max() <= 40
    weights = np.stack([fits.weights(z) for z in zones])
    gradient = weights @ matrix - fits.targets + options.prior * fits.variance * fits.duals
    assert np.abs(gradient).max() < 2 * options.tolerance
    assert np.abs(weights @ matrix - fits.targets).max() < 3
    homes = fits.targets[:, : problem.constraint_start[1]].sum(axis=1)
    np.testing.assert_allclose(weights.sum(axis=1), homes, rtol=0.01)
    for z in zones[:2]:
        s = problem.start * homes[z] / problem.start.sum()
        expected, _ = twin.balance_zone(matrix.toarray(), s, fits.targets[z], options.prior * fits.variance[z])
        np.testing.assert_allclose(weights[z], expected, rtol=1e-4, atol=1e-6)


def test_a_perturbed_county_is_placed_near_its_published_tables(perturbed_county):
    problem = perturbed_county.take(np.arange(4))
    population = solve(problem, method="balance", options={"effort": "quick", "milp_nodes": 0}, seed=1)
    assert set(population.status["fit"]) == {"CONVERGED"}
    assert (population.status["tae_published"] < 0.05 * problem.published.sum(axis=1)).all()
    assert (population.status["remainder"] < 0.01 * problem.published.sum(axis=1)).all()
    homes = problem.published[:, : problem.constraint_start[1]].sum(axis=1)
    np.testing.assert_allclose(population.status["households"], homes, rtol=0.01)


@pytest.mark.parametrize("noise", [0.5, 2.0])
@pytest.mark.parametrize("error", [None, 0.1, 0.02])
def test_soft_zones_and_areas_that_disagree_end_at_their_optimum(noise, error):
    problem, zones = nested(noise), np.arange(6)
    options = BalanceOptions(standard_error=error)
    fits = fit_zones_together(problem, zones, options)
    assert set(fits.status) == {FitStatus.CONVERGED}
    assert fits.steps.max() <= 30
    (level,), n, softness = problem.levels, problem.n_cells, 0.01 * (error or noise) ** 2
    members = problem.members.beside(level.members).matrix()
    scale = problem.targets[:, :4].sum(axis=1) / problem.start.sum()
    weights = scale[:, None] * problem.start * np.exp(fits.duals @ members.T)
    np.testing.assert_allclose(weights, np.stack([fits.weights(z) for z in zones]), rtol=1e-9)
    sums = weights @ members
    np.testing.assert_allclose(sums[:, :n] + softness * fits.duals[:, :n], problem.published, atol=2e-6)
    for area in (0, 1):
        of_area = np.flatnonzero(level.of_zone == area)
        above = fits.duals[of_area[0], n:]
        np.testing.assert_allclose(sums[of_area, n:].sum(axis=0) + softness * above, level.published[area], atol=2e-6)
