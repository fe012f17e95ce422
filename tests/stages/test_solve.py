"""solve: targets met, statuses told, methods as objects, progress, warnings."""

import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from synthpop_gb.errors import FitWarning
from synthpop_gb.execution import blocks, solve
from synthpop_gb.execution.blocks import default_block_size
from synthpop_gb.methods import METHODS, BlockResult, IPFOptions, get_method, register_method
from synthpop_gb.population import STATUS_COLUMNS
from synthpop_gb.testing import assert_fits, small_problem
from tests.problems import make_problem


@pytest.mark.parametrize("n_cats", [(2, 5, 4), (3,), (2, 2, 3, 2, 4)])
def test_people_meet_every_target(n_cats):
    population = solve(make_problem(n_cats=n_cats, n_profiles=min(30, int(np.prod(n_cats)))), seed=5)
    assert_fits(population, tolerance=1e-4)
    assert list(population.status.columns) == list(STATUS_COLUMNS)
    assert population.status.index.name == "zone"
    assert (population.status["worst_cell"] == "").all()
    assert (population.status["people"] == population.problem.targets[:, : n_cats[0]].sum(axis=1)).all()


def test_result_is_immutable_and_says_how_it_was_made():
    population = solve(small_problem(), seed=9, options={"tolerance": 1e-3})
    for array in (population.indptr, population.profile, population.count, population.duals):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    made = population.provenance
    assert (made.seed, made.method, made.options["tolerance"]) == (9, "ipf", 1e-3)


def test_no_zones_and_nobody():
    nobody = solve(small_problem(3).take(np.arange(0)), seed=1)
    assert nobody.people == 0
    assert len(nobody.status) == 0
    assert repr(nobody)
    empty = replace(small_problem(3), targets=np.zeros((3, 4)))
    population = solve(empty, seed=1)
    assert list(population.status["fit"]) == ["EMPTY"] * 3
    assert population.people == 0
    assert population.donors().people.tolist() == [0, 0, 0]
    assert len(list(population.blocks())) == 1


def test_zone_that_cannot_be_filled_is_named_and_the_others_are_exact():
    problem = make_problem(n_zones=12, feasible=False, mean_people=100)
    wanted = problem.targets[:, -1] > 0
    assert wanted.sum() > 0
    with pytest.warns(FitWarning) as caught:
        population = solve(problem, seed=1)
    assert len(caught) == 1
    status = population.status
    assert (status["fit"].eq("INFEASIBLE") == wanted).all()
    assert (status.loc[wanted, "worst_cell"] == "table 2 = category 3").all()
    assert (status.loc[wanted, "residual"] >= problem.targets[wanted, -1] - 1e-6).all()
    assert (status["whole"].eq("REMAINDER") == wanted).all()
    assert f"{wanted.sum()} of 12 zones miss targets" in str(caught[0].message)
    assert "table 2 = category 3" in str(caught[0].message)


def test_contradicting_tables_stall_and_say_where():
    """Women under 30 live in no record, yet the tables want only women and only the young."""
    problem = small_problem(2)
    cut = replace(problem, start=np.array([0.0, 1.0, 1.5, 1.5]), targets=np.array([[15.0, 0.0, 7.0, 8.0], [5.0, 10.0, 7.0, 8.0]]))
    with pytest.warns(FitWarning):
        population = solve(cut, seed=1)
    assert population.status["fit"].iloc[0] in ("INFEASIBLE", "STALLED")
    assert population.status["residual"].iloc[0] > 1
    assert population.status["worst_cell"].iloc[0] != ""
    assert population.status["fit"].iloc[1] == "CONVERGED"
    assert f"(largest miss {population.status['residual'].iloc[0]:,.0f} persons, Z00000 " in repr(population)


@pytest.mark.filterwarnings("ignore::synthpop_gb.errors.FitWarning")
@pytest.mark.parametrize("integerise", ["trs", "largest_remainder"])
def test_draws_without_balance_keep_totals_and_say_what_they_miss(integerise):
    problem = make_problem(n_zones=30)
    population = solve(problem, seed=1, options={"integerise": integerise})
    assert (population.status["people"] == problem.targets[:, :2].sum(axis=1)).all()
    assert (population.status["remainder"] > 0).any()
    assert (population.status["whole"].eq("EXACT") == population.status["remainder"].eq(0)).all()
    fitted = population.fitted()
    whole = np.zeros_like(fitted)
    for z in range(30):
        whole[z, population.profile[population.indptr[z] : population.indptr[z + 1]]] = population.count[
            population.indptr[z] : population.indptr[z + 1]
        ]
    assert (np.abs(whole - fitted) < 1 + 1e-3).all()


def test_whole_people_are_unbiased():
    """Mean counts over seeds against the weights: the rms z of cells with room to vary."""
    problem, n_seeds = make_problem(n_zones=4, mean_people=40), 300
    total = np.zeros((4, problem.n_profiles))
    for seed in range(n_seeds):
        population = solve(problem, seed=seed, workers=1)
        for z in range(4):
            a, b = population.indptr[z], population.indptr[z + 1]
            total[z, population.profile[a:b]] += population.count[a:b]
    weights = population.fitted()
    share = weights % 1
    room = share * (1 - share) > 0.02
    z = (total / n_seeds - weights)[room] / np.sqrt((share * (1 - share))[room] / n_seeds)
    assert np.sqrt(np.mean(z**2)) < 1.25
    assert np.abs(z).max() < 6


def test_progress_counts_up_and_ends_at_all():
    said = []
    solve(make_problem(n_zones=10), seed=1, workers=1, block_size=4, progress=lambda *x: said.append(x))
    assert [s[:2] for s in said] == [(0, 10), (4, 10), (8, 10), (10, 10)]
    assert said[0][2] is None
    assert said[1][2] >= said[-1][2] == 0.0


def test_no_warning_where_everything_fits():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        solve(make_problem(empty=(2,)), seed=1)


@pytest.mark.parametrize("workers", [1, 2, 16])
def test_default_blocks_keep_memory_and_workers_in_mind(workers):
    for n_zones in (1, 50, 35_000):
        for n_profiles in (1, 200, 16_000, 10**7):
            size = default_block_size(n_zones, n_profiles, workers)
            assert size >= 1
            assert size == 1 or size * n_profiles <= 4_000_000
            assert size <= max(1, -(-n_zones // workers))


@dataclass(frozen=True)
class NearestOptions:
    """Options of the method below."""

    people: int = 10


class FirstProfile:
    """A method of somebody else's: everybody is of the first profile."""

    name, options, needs = "first-profile", NearestOptions, "cells"

    def solve_block(self, problem, zones, options, streams):
        n = len(zones)
        whole = np.full(n, options.people, np.int32)
        made = np.zeros((n, problem.n_cells))
        made[:, problem.cell_of[:, 0]] = options.people
        miss = np.abs(made - problem.targets[zones])
        return BlockResult(
            indptr=np.arange(n + 1),
            profile=np.zeros(n, np.int32),
            count=whole,
            fit=np.full(n, 1, np.int8),
            cycles=np.zeros(n, np.int32),
            residual=miss.max(axis=1),
            worst_cell=miss.argmax(axis=1).astype(np.int32),
            remainder=miss.sum(axis=1),
        )


def test_a_method_is_one_object():
    with pytest.warns(FitWarning):
        population = solve(small_problem(3), method=FirstProfile(), options={"people": 4}, block_size=2)
    assert population.people == 12
    assert population.duals is None
    assert population.provenance.method == "first-profile"
    assert set(population.donors().record) <= {0, 4}


def test_methods_are_registered_by_name():
    method = FirstProfile()
    try:
        assert register_method(method) is method
        register_method(method)
        with pytest.warns(FitWarning):
            assert solve(small_problem(), method="first-profile").people == 20
        with pytest.raises(ValueError, match="another method is called 'first-profile'"):
            register_method(FirstProfile())
    finally:
        METHODS.pop("first-profile", None)
    with pytest.raises(TypeError, match="has no options, needs, solve_block"):
        register_method(type("Half", (), {"name": "half"})())
    with pytest.raises(ValueError, match="NearestOptions are not options of 'ipf': give IPFOptions"):
        solve(small_problem(), options=NearestOptions())


@pytest.mark.parametrize("wrong", [{"tolerance": 0}, {"tolerance": float("nan")}, {"max_cycles": 0}, {"integerise": "round"}])
def test_options_are_checked(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        IPFOptions(**wrong)


def test_status_frame_survives_a_zone_index_of_any_name():
    problem = small_problem(2)
    population = solve(replace(problem, zones=pd.Index(problem.zones, name="lsoa11cd")), seed=1)
    assert population.status.index.name == "zone"


def test_worker_threads_open_two_problems_at_once(monkeypatch):
    """Workers of dask are threads of one process: while one opens a problem, another may just have taken the last one out."""
    loads = blocks.pickle.loads

    def slowly(shared):
        time.sleep(0.001)
        return loads(shared)

    monkeypatch.setattr(blocks.pickle, "loads", slowly)
    method = Teller()
    problem = small_problem()
    tasks = [(f"{k}", blocks.pickle.dumps((problem.take(np.arange(0)), method, k, None))) for k in (1, 2)]
    by_zone = problem.by_zone(np.arange(2))
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda i: blocks._solve_elsewhere(*tasks[i % 2], by_zone), range(64)))
    assert told == [1, 2] * 32
    assert len(blocks._opened) == 1


class Chatty:
    """The method 'ipf' with columns of its own: a number and a text of the zone's own width."""

    name, options, needs = "chatty", IPFOptions, "cells"

    def solve_block(self, problem, zones, options, streams):
        result = get_method("ipf").solve_block(problem, zones, options, streams)
        spoken = np.array(["x" * (1 + int(z)) for z in zones])
        return replace(result, extra={"spoken": spoken, "number": 2.0 * zones})


def test_columns_of_a_method_reach_the_status_and_survive_a_restart(tmp_path):
    problem = small_problem(5)
    made = [solve(problem, method=Chatty(), seed=1, workers=1, block_size=2, checkpoint=tmp_path) for _ in range(2)]
    for population in made:
        assert population.status["spoken"].tolist() == ["x" * (1 + z) for z in range(5)]
        assert population.status["number"].tolist() == [0.0, 2.0, 4.0, 6.0, 8.0]


class Teller:
    """A method that returns its options: which of the problems was opened."""

    def solve_block(self, problem, zones, options, streams):
        return options
