"""The method 'anneal': tables met, statuses that do not flatter, the same bits however the work is done, every option heeded."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.errors import FitWarning
from synthpop_gb.execution import solve
from synthpop_gb.methods import AnnealOptions, anneal_trace
from synthpop_gb.problem import Problem, zone_key
from synthpop_gb.run_folder import load, save
from synthpop_gb.testing import assert_fits, assert_same_population, small_problem
from tests.problems import make_problem

SEED = 2011
quiet = pytest.mark.filterwarnings("ignore::synthpop_gb.errors.FitWarning")


def annealed(problem, options=None, **kwargs):
    return solve(problem, method="anneal", **{"seed": SEED, "options": options, "workers": 1, **kwargs})


def dense(population):
    out = np.zeros((population.problem.n_zones, population.problem.n_profiles), int)
    for z in range(len(out)):
        a, b = population.indptr[z], population.indptr[z + 1]
        out[z, population.profile[a:b]] = population.count[a:b]
    return out


def recount(population):
    problem, people = population.problem, dense(population)
    made = np.zeros((problem.n_zones, problem.n_cells))
    for row in problem.cell_of:
        np.add.at(made.T, row[row >= 0], people[:, row >= 0].T)
    return made


@pytest.mark.parametrize(
    "options",
    [{}, {"start": "cube"}, {"start": "trs"}, {"start": "random"}, {"donors": "design"}, {"guided": 0.0, "donors": "uniform"},
     {"preset": "fmf"}],
)  # fmt: skip
def test_people_meet_every_target_from_every_start(options):
    problem = make_problem(n_zones=30, empty=(4,))
    population = annealed(problem, options)
    assert_fits(population, tolerance=1e-4)
    status = population.status
    assert (status["whole"] == "EXACT").all()
    assert status["stopped"].tolist() == ["nobody" if z == 4 else "met" for z in range(30)]
    assert (status["people"] == problem.targets[:, :2].sum(axis=1)).all()
    assert ((status["proposals"] >= status["accepted"]) & (status["accepted"] >= 0)).all()
    assert (status["fallback"] == "").all()
    assert status.loc[status["people"] > 0, "eligible"].between(1, problem.n_profiles).all()


@pytest.mark.parametrize("options", [{}, {"start": "random", "donors": "uniform"}, {"preset": "fmf"}])
def test_the_same_bits_however_the_work_is_done(options):
    problem = make_problem(n_zones=23, empty=(4,))
    expected = annealed(problem, options, block_size=23)
    for workers, size in [(1, 1), (2, 1), (2, 7), (3, None)]:
        found = annealed(problem, options, workers=workers, block_size=size)
        assert found.digest() == expected.digest()
        assert found.status.equals(expected.status)
        assert found.duals.tobytes() == expected.duals.tobytes()
    order = np.random.default_rng(5).permutation(problem.n_zones)
    assert_same_population(annealed(problem.take(order), options, block_size=7), expected)
    for z in (0, 9, 22):
        alone = annealed(problem.take(np.array([z])), options)
        assert (dense(alone) == dense(expected)[[z]]).all()
        assert alone.status.iloc[0].equals(expected.status.iloc[z])
    with pytest.raises(AssertionError, match="hold different people"):
        assert_same_population(annealed(problem, options, seed=SEED + 1), expected)


def test_the_same_bits_in_other_processes():
    problem = guided_problem(9)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = annealed(problem, executor=pool, workers=None, block_size=4)
    assert_same_population(found, expected := annealed(problem))
    assert found.status.equals(expected.status)


@quiet
def test_statuses_do_not_flatter():
    problem = make_problem(n_zones=12, feasible=False, mean_people=100)
    wanted = problem.targets[:, -1] > 0
    population = annealed(problem)
    status = population.status
    assert (status["fit"].eq("INFEASIBLE") == wanted).all()
    assert (status["whole"].eq("REMAINDER") == wanted).all()
    assert (status.loc[wanted, "worst_cell"] == "table 2 = category 3").all()
    assert set(status.loc[wanted, "stopped"]) <= {"unchanged", "no move accepted"}
    miss = np.abs(recount(population) - problem.targets).sum(axis=1)
    assert (status["remainder"] == miss).all()
    assert (status["people"] == problem.targets[:, :2].sum(axis=1)).all()
    fmf = annealed(problem, {"preset": "fmf"}).status
    assert (status["remainder"] <= fmf["remainder"]).all()


@quiet
def test_zones_of_one_and_of_one_profile():
    one = replace(small_problem(3), targets=np.array([[1.0, 0, 0, 1], [0, 1, 1, 0], [0, 0, 0, 0]]))
    population = annealed(one)
    assert population.status["people"].tolist() == [1, 1, 0]
    assert population.status["whole"].eq("EXACT").all()
    assert population.donors().people.tolist() == [1, 1, 0]
    only = Problem(
        start=[3.0], cell_of=[[0], [2]], constraint_start=[0, 2, 3], targets=[[7.0, 0, 7], [5.0, 2, 7]],
        zone_keys=[zone_key("a"), zone_key("b")], donor_start=[0, 2], donor=[0, 1], donor_weight=[1.0, 2.0],
        zones=pd.Index(["a", "b"]), records=pd.Index([1, 2]),
        cells=pd.MultiIndex.from_tuples([("x", "1"), ("x", "2"), ("y", "1")], names=["constraint", "category"]),
    )  # fmt: skip
    status = annealed(only).status
    assert status["remainder"].tolist() == [0, 4]
    assert status["stopped"].tolist() == ["met", "no move accepted"]
    assert annealed(only, {"preset": "fmf"}).status["stopped"].tolist() == ["met", "unchanged"]
    nobody = annealed(small_problem(3).take(np.arange(0)))
    assert nobody.people == 0


def test_tables_that_disagree_on_the_total_stop_at_the_floor():
    problem = small_problem(4)
    targets = problem.targets.copy()
    targets[:, 3] += 2
    with pytest.warns(FitWarning):
        population = annealed(replace(problem, targets=targets))
    assert population.status["stopped"].eq("floor").all()
    assert (population.status["remainder"] == 2).all()
    assert (population.status["people"] == 15).all()  # the first table's total: both cost the same
    with pytest.warns(FitWarning):
        heavier = annealed(replace(problem, targets=targets), {"weights": {"age": 2.0}})
    assert (heavier.status["people"] == 17).all()


def test_no_table_counts_everybody():
    """The total is then that of the fitted weights: 3 women, 4 of a working age, and whoever is in neither."""
    problem = Problem(
        start=[2.0, 3.0, 4.0, 1.0], cell_of=[[0, 0, -1, -1], [-1, 1, 1, -1]], constraint_start=[0, 1, 2], targets=[[3.0, 4.0]],
        zone_keys=[zone_key("a")], donor_start=[0, 1, 2, 3, 4], donor=[0, 1, 2, 3], donor_weight=[2.0, 3, 4, 1],
        zones=pd.Index(["a"]), records=pd.Index([1, 2, 3, 4]),
        cells=pd.MultiIndex.from_tuples([("women", "all"), ("adults", "all")], names=["constraint", "category"]),
    )  # fmt: skip
    population = annealed(problem)
    assert population.status["whole"].tolist() == ["EXACT"]
    assert population.people == round(population.fitted().sum())


def test_where_no_donor_is_eligible_the_fallback_is_named():
    problem = small_problem(2)
    targets = np.array([[15.0, 0.0, 0.0, 0.0], [5.0, 10.0, 7.0, 8.0]])  # the first zone has women of no age
    with pytest.warns(FitWarning) as caught:
        population = annealed(replace(problem, targets=targets))
    assert "1 zone has no eligible donor (first: Z00000); taken instead: fewest empty cells" in str(caught[1].message)
    status = population.status
    assert status["fallback"].tolist() == ["fewest empty cells", ""]
    assert status["eligible"].tolist() == [2, 4]
    assert status["people"].tolist() == [15, 15]
    assert status["remainder"].tolist() == [15, 0]
    assert [f.code for f in population.findings()] == ["zone-not-fitted", "no-eligible-donor"]
    assert recount(population)[0, 0] == 15
    assert population.donors().people.tolist() == [15, 15]
    missing = replace(problem, start=np.zeros(4), donor_weight=np.zeros(6))
    with pytest.warns(FitWarning):
        status = annealed(missing).status
    assert status["stopped"].eq("no donors").all()
    assert status["remainder"].eq(30).all()


@quiet
def test_weights_decide_which_table_is_missed():
    """Men are wanted of whom every record is old, and nobody old is wanted: one of the two tables has to give way."""
    problem = small_problem(1)
    start = np.array([2.0, 1.0, 0.0, 1.5])
    clash = replace(problem, start=start, targets=np.array([[5.0, 10.0, 12.0, 3.0]]))
    for heavy, light in (("sex", "age"), ("age", "sex")):
        population = annealed(clash, {"weights": {heavy: 3.0}})
        gap = np.abs(recount(population) - clash.targets)[0]
        exact, missed = (gap[:2], gap[2:]) if heavy == "sex" else (gap[2:], gap[:2])
        assert exact.sum() == 0, (heavy, light)
        assert missed.sum() == 14
    with pytest.raises(ValueError, match="names no constraint of this problem: agee; there are sex, age"):
        annealed(problem, {"weights": {"agee": 2.0}})


def guided_problem(n_zones=20, seed=3):
    """Profiles told apart by a bin of four as well; zones want the bins in shares that differ from the survey's."""
    made = make_problem(n_zones=n_zones, seed=seed)
    rng = np.random.default_rng(seed)
    parts = 4
    donors = np.arange(made.n_profiles * parts)
    share = rng.dirichlet(np.ones(parts), n_zones)
    return replace(
        made, start=np.repeat(made.start / parts, parts), cell_of=np.repeat(made.cell_of, parts, axis=1),
        donor_start=np.append(donors, len(donors)), donor=donors, donor_weight=np.repeat(made.start / parts, parts),
        records=pd.Index(donors), guide_of=np.tile(np.arange(parts), made.n_profiles)[None],
        guide_start=np.array([0, parts]), guide_targets=share,
        guides=pd.MultiIndex.from_product([["pay"], list("abcd")], names=["distribution", "bin"]),
    )  # fmt: skip


def bins(population):
    return np.stack([dense(population)[:, population.problem.guide_of[0] == b].sum(axis=1) for b in range(4)], axis=1)


def test_distributions_are_met_and_tables_stay_exact():
    problem = guided_problem()
    plain = solve(problem, seed=SEED, workers=1)
    population = annealed(problem)
    assert_fits(population, tolerance=1e-4)
    people = population.status["people"].to_numpy()[:, None]
    wanted = np.rint(np.cumsum(problem.guide_targets, axis=1) * people)
    far = np.abs(np.cumsum(bins(population), axis=1) - wanted).sum(axis=1)
    assert (population.status["distance"] == far).all()
    assert far.max() == 0
    assert population.status["stopped"].eq("met").all()
    assert np.abs(np.cumsum(bins(plain), axis=1) - wanted).sum(axis=1).mean() > 50
    assert (annealed(problem, workers=2, block_size=3).digest()) == population.digest()


@quiet
def test_tables_come_first_where_a_distribution_cannot_be_met():
    problem = guided_problem()
    scarce = replace(problem, start=np.where(problem.guide_of[0] == 3, 0.0, problem.start))
    shares = np.tile([0.0, 0.0, 0.0, 1.0], (problem.n_zones, 1))
    population = annealed(replace(scarce, guide_targets=shares), {"attempts": 10})
    assert population.status["whole"].eq("EXACT").all()
    assert population.status["distance"].gt(0).all()
    assert bins(population)[:, :2].sum() == 0  # as near as it can be: everybody in the last bin but one


def test_problems_with_guides_survive_a_file(tmp_path):
    population = annealed(problem := guided_problem(5))
    save(population, tmp_path / "run", licence="open")
    read = load(tmp_path / "run")
    assert read.problem.guides.equals(problem.guides)
    assert (read.problem.guide_targets == problem.guide_targets).all()
    assert read.status["stopped"].equals(population.status["stopped"])
    assert read.digest() == population.digest()


@pytest.mark.parametrize(
    "wrong",
    [{"guide_of": None}, {"guide_targets": np.full((5, 4), 0.3)}, {"guide_of": np.full((1, 120), 4)}, {"guide_start": [0, 3]},
     {"guide_targets": np.full((4, 4), 0.25)}],
)  # fmt: skip
def test_guides_that_are_none_are_refused(wrong):
    with pytest.raises(ValueError, match="guide"):
        replace(guided_problem(5), **wrong)


def test_the_trace_is_of_the_same_people():
    problem = make_problem(n_zones=6)
    options = {"start": "random", "guided": 0.0}
    population = annealed(problem, options)
    for z, zone in enumerate(problem.zones):
        trace = anneal_trace(problem, zone, options, SEED)
        assert list(trace.columns) == ["proposals", "temperature", "tae"]
        assert trace["proposals"].iloc[0] == 0
        assert trace["proposals"].is_monotonic_increasing
        assert trace["proposals"].iloc[-1] == population.status["proposals"].iloc[z]
        assert trace["tae"].iloc[-1] == population.status["remainder"].iloc[z] == 0
        assert trace["tae"].iloc[0] > 20
        assert len(trace) <= 2003
    with pytest.raises(KeyError):
        anneal_trace(problem, "nowhere")


def test_limits_are_heeded_and_said():
    problem = make_problem(n_zones=6)
    cut = {"start": "random", "max_proposals": 5}
    with pytest.warns(FitWarning):
        status = annealed(problem, cut).status
    assert status["stopped"].eq("proposals").all()
    assert (status["proposals"] == 5).all()
    with pytest.warns(FitWarning):
        status = annealed(problem, {"start": "random", "steps": 1, "attempts": 0.02, "reheats": 0}).status
    assert status["stopped"].eq("steps").any()
    assert (status["cycles"] <= 1).all()


def test_the_preset_fixes_what_it_stands_for():
    options = AnnealOptions(preset="fmf")
    assert (options.start, options.donors, options.cooling, options.steps) == ("random", "uniform", 0.9, 100)
    assert (options.temperature * 2, options.attempts, options.successes, options.unchanged) == (0.5, 100, 10, 10)
    assert AnnealOptions(preset="fmf", cooling=0.9) == options
    assert AnnealOptions(preset="fmf", max_proposals=10).max_proposals == 10
    with pytest.raises(ValueError, match=r"cooling is 0.9 in the preset 'fmf', not 0.8: leave out one of the two"):
        AnnealOptions(preset="fmf", cooling=0.8)


@pytest.mark.parametrize(
    ("name", "values"),
    [("preset", ["fast"]), ("start", ["ipf", 1]), ("donors", ["all"]), ("temperature", [-1, float("nan"), True, "1"]),
     ("cooling", [0, 1.1, float("inf")]), ("steps", [0, 1.5, True]), ("attempts", [0, -1]), ("successes", [0]),
     ("unchanged", [0]),
     ("reheats", [-1, 0.5]), ("guided", [-0.1, 1.1]), ("max_proposals", [-1, 2**63]),
     ("weights", [1, {"a": 0}, {"a": "b"}, {1: 1.0}]),
     ("distribution_weight", [0, -1, float("nan")]), ("tolerance", [0, float("nan")]), ("max_cycles", [0])],
)  # fmt: skip
def test_options_are_checked(name, values):
    for value in values:
        with pytest.raises(ValueError, match=name):
            AnnealOptions(**{name: value})
