"""Replicates: the same bits however they are made, what each source changes, and what survives a folder."""

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthpop_gb import run_folder
from synthpop_gb.execution import solve
from synthpop_gb.population import bootstrap_multipliers, resampled
from synthpop_gb.testing import assert_same_population
from tests.problems import make_problem

NUMBERS = [1, 2, 3, 4]


@pytest.fixture(scope="module")
def problem():
    made = make_problem(n_zones=9, mean_people=200.0, empty=(4,))
    return replace(made, standard_error=np.full(made.n_cells, 1.2))


@pytest.fixture(scope="module")
def population(problem):
    return solve(problem, seed=5, workers=1, replicates=4)


def assert_same_replicates(left, right):
    assert left.sources == right.sources
    for number in set(left.numbers) & set(right.numbers):
        a, b = left.place(number), right.place(number)
        for one, other in zip(left.rows(a), right.rows(b), strict=True):
            assert (one == other).all()
        assert (left.fit[a] == right.fit[b]).all()
        assert (left.remainder[a] == right.remainder[b]).all()


def test_the_population_is_the_one_without_replicates(problem, population):
    assert_same_population(population, solve(problem, seed=5, workers=1))
    assert population.replicates.numbers.tolist() == NUMBERS


@pytest.mark.parametrize("block_size", [1, 4, 100])
@pytest.mark.parametrize("workers", [1, 2])
def test_same_bits_for_any_workers_and_blocks(problem, population, workers, block_size):
    made = solve(problem, seed=5, workers=workers, block_size=block_size, replicates=4)
    assert_same_replicates(made.replicates, population.replicates)


def test_same_bits_on_processes_and_threads(problem, population):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert_same_replicates(solve(problem, seed=5, executor=pool, replicates=2).replicates, population.replicates)
    with ThreadPoolExecutor(3) as pool:
        assert_same_replicates(solve(problem, seed=5, executor=pool, replicates=4).replicates, population.replicates)


def test_any_replicate_by_itself_and_any_zone_by_itself(problem, population):
    assert_same_replicates(solve(problem, seed=5, replicates=[3]).replicates, population.replicates)
    order = np.array([7, 2, 0])
    some = solve(problem.take(order), seed=5, replicates=4).replicates
    for number in NUMBERS:
        for here, there in enumerate(order):
            a, b = some.rows(some.place(number)), population.replicates.rows(population.replicates.place(number))
            assert (a[1][a[0][here] : a[0][here + 1]] == b[1][b[0][there] : b[0][there + 1]]).all()
            assert (a[2][a[0][here] : a[0][here + 1]] == b[2][b[0][there] : b[0][there + 1]]).all()


def test_replicates_go_on_after_a_kill(problem, population, tmp_path):
    class StopError(Exception):
        pass

    def stop(done, total, left):
        if done > 20:
            raise StopError

    with pytest.raises(StopError):
        solve(problem, seed=5, workers=1, block_size=3, replicates=4, checkpoint=tmp_path, progress=stop)
    seen = []
    again = solve(
        problem, seed=5, workers=1, block_size=3, replicates=4, checkpoint=tmp_path, progress=lambda done, *_: seen.append(done)
    )
    assert_same_replicates(again.replicates, population.replicates)
    assert len(seen) < 15, "blocks that were finished were solved again"


def test_each_source_by_itself(problem):
    made = {s: solve(problem, seed=5, replicates=6, sources=[s]) for s in ("whole", "donors", "tables")}
    exact = made["whole"].problem.targets
    for source, population in made.items():
        assert population.replicates.sources == (source,)
        profiles = [tuple(map(bytes, population.replicates.rows(r))) for r in range(6)]
        assert len(set(profiles)) == 6, f"{source} changes nobody"
        margins = [_margins(population.replicate(n)) for n in range(1, 7)]
        if source == "tables":
            assert any((m != exact).any() for m in margins)
            assert np.abs(np.mean(margins, axis=0) - exact).max() < 5
        else:
            assert all((m == exact).all() for m in margins), "only 'tables' changes targets"


def _margins(population):
    out = np.zeros(population.problem.targets.shape)
    zone = np.repeat(np.arange(len(population.zones)), np.diff(population.indptr))
    for row in population.problem.cell_of:
        np.add.at(out, (zone, row[population.profile]), population.count)
    return out


def test_exact_tables_cannot_be_redrawn(problem):
    made = solve(replace(problem, standard_error=None), seed=5, replicates=1)
    assert made.replicates.sources == ("whole", "donors")


def test_a_replicate_is_a_population_of_its_own(population):
    own = population.replicate(2)
    people = own.status["people"].to_numpy()
    assert (own.donors().people == people).all()
    assert own.people == people.sum() > 0
    assert population.replicate(0) is population
    assert own.digest() != population.replicate(3).digest() != population.digest()
    with pytest.raises(KeyError, match="no replicate 9"):
        population.replicate(9)


def test_the_bootstrap_weighs_records_by_their_ids(problem):
    drawn = bootstrap_multipliers(problem, 5, 1)
    assert set(drawn) <= set(range(12))
    order = np.random.default_rng(1).permutation(len(problem.records))
    moved = replace(problem, records=problem.records[order], donor=np.argsort(order)[problem.donor])
    assert (bootstrap_multipliers(moved, 5, 1) == drawn[order]).all()


def test_clusters_are_resampled_whole_within_strata(problem):
    n = len(problem.records)
    stratum, cluster = np.arange(n) % 3, np.arange(n) // 2
    drawn = bootstrap_multipliers(replace(problem, stratum=stratum, cluster=cluster), 5, 1)
    units = pd.Series(drawn).groupby([stratum, cluster])
    assert (units.min() == units.max()).all()
    means = units.first().groupby(level=0).mean()
    assert np.allclose(means, 1.0), "each stratum keeps its total"
    assert len(set(np.round(bootstrap_multipliers(replace(problem, stratum=stratum), 5, 1), 9))) > 2


def test_lost_profiles_keep_a_whisper(problem):
    start, weight = resampled(problem, 5, 1)
    assert (start > 0).all()
    assert (weight >= 0).all()
    assert (start < 1e-5 * problem.start).any(), "the case is not covered: no profile was lost"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"replicates": -1}, "0 or more"), ({"replicates": [0]}, "numbered from 1"), ({"replicates": True}, "whole number"),
        ({"replicates": 1.5}, "whole number"), ({"replicates": [1.5]}, "whole number"), ({"replicates": "40"}, "whole number"),
        ({"replicates": float("nan")}, "whole number"), ({"replicates": {1, 2}}, "whole number"),
        ({"replicates": 2, "sources": ["luck"]}, "sources"),
        ({"replicates": 2, "sources": []}, "sources"), ({"replicates": 20_000}, "numbered from 1"),
    ],
)  # fmt: skip
def test_nonsense_is_refused(problem, wrong, message):
    with pytest.raises(ValueError, match=message):
        solve(problem, seed=5, **wrong)


def test_replicates_survive_a_folder(population, tmp_path):
    run_folder.save(population, tmp_path / "run", licence="open")
    again = run_folder.load(tmp_path / "run")
    assert_same_replicates(again.replicates, population.replicates)
    assert again.replicate(2).digest() == population.replicate(2).digest()
    assert run_folder.load(tmp_path / "run", replicates=False).replicates is None
    said = json.loads((tmp_path / "run" / "run.json").read_text())["replicates"]
    assert said["numbers"] == NUMBERS
    assert said["sources"] == ["whole", "donors", "tables"]
    table = pd.read_parquet(tmp_path / "run" / "population" / "replicates.parquet")
    assert table["n"].sum() == sum(int(c.sum()) for c in population.replicates.count)
    run_folder.save(solve(population.problem, seed=5), tmp_path / "run", licence="open", overwrite=True)
    assert not (tmp_path / "run" / "population" / "replicates.parquet").exists()


def test_replicates_of_nobody():
    empty = solve(make_problem(n_zones=2, empty=(0, 1)), seed=1, replicates=2)
    assert empty.replicate(1).people == 0
