"""The same people to the last bit: any number of workers, size of blocks, order of zones, threads, processes, dask."""

import multiprocessing
import threading
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from synthpop_gb.execution import blocks, solve
from synthpop_gb.methods import METHODS
from synthpop_gb.testing import assert_same_population
from tests.problems import make_problem

SEED = 2011


@pytest.fixture(scope="module")
def problem():
    return make_problem(n_zones=23, empty=(4,))


@pytest.fixture(scope="module")
def expected(problem):
    return solve(problem, seed=SEED, workers=1, block_size=23)


def assert_equal_bits(found, expected):
    """Everything a population holds, not only its people."""
    assert list(found.zones) == list(expected.zones)
    for name in ("indptr", "profile", "count", "duals"):
        assert getattr(found, name).tobytes() == getattr(expected, name).tobytes(), name
    assert found.status.equals(expected.status)
    assert found.digest() == expected.digest()


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("block_size", [1, 7, 256, None])
def test_workers_and_block_sizes(problem, expected, workers, block_size):
    assert_equal_bits(solve(problem, seed=SEED, workers=workers, block_size=block_size), expected)


@pytest.mark.filterwarnings("ignore::synthpop_gb.errors.FitWarning")
@pytest.mark.parametrize("integerise", ["cube", "trs", "largest_remainder"])
def test_every_way_of_making_people_whole(problem, integerise):
    options = {"integerise": integerise}
    left = solve(problem, seed=SEED, options=options, workers=1, block_size=1)
    assert_equal_bits(solve(problem, seed=SEED, options=options, workers=2, block_size=8), left)


EVERY = [
    ("calibrate", {}), ("calibrate", {"distance": "logit", "soft": False}), ("anneal", {}), ("anneal", {"preset": "fmf"}),
    ("qisi", {}), ("balance", {}), ("balance", {"soft": False, "effort": "quick"}),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::synthpop_gb.errors.FitWarning")
@pytest.mark.parametrize(("method", "options"), EVERY, ids=lambda x: str(x))
def test_every_method_and_its_replicates(problem, method, options):
    problem = replace(problem, standard_error=np.full(problem.n_cells, 0.7))
    solved = {"method": method, "options": options, "seed": SEED, "replicates": 2}
    first = solve(problem, workers=1, block_size=23, **solved)
    for arguments in ({"workers": 1, "block_size": 1}, {"workers": 3, "block_size": 7}):
        again = solve(problem, **arguments, **solved)
        assert_equal_bits(again, first)
        for number in (1, 2):
            assert again.replicate(number).digest() == first.replicate(number).digest()
    order = np.random.default_rng(5).permutation(problem.n_zones)
    shuffled = solve(problem.take(order), block_size=5, **solved)
    assert shuffled.digest() == first.digest()
    assert shuffled.replicate(2).digest() == first.replicate(2).digest()
    alone = solve(problem.take(order[:1]), **{**solved, "replicates": [2]})
    assert_same_population(alone.replicate(2), solve(problem.take(order[:1]), **solved).replicate(2))


def test_every_method_is_tried():
    assert {"ipf", *(method for method, _ in EVERY)} == {
        n for n, m in METHODS.items() if type(m).__module__.startswith("synthpop_gb")
    }


def test_shuffled_and_fewer_zones(problem, expected):
    order = np.random.default_rng(5).permutation(problem.n_zones)
    shuffled = solve(problem.take(order), seed=SEED, block_size=7)
    assert_same_population(shuffled, expected)
    assert shuffled.digest() == expected.digest()
    assert shuffled.duals.tobytes() == expected.duals[order].tobytes()
    few = solve(problem.take(order[:5]), seed=SEED)
    for i, z in enumerate(order[:5]):
        assert (
            few.profile[few.indptr[i] : few.indptr[i + 1]] == expected.profile[expected.indptr[z] : expected.indptr[z + 1]]
        ).all()


def test_another_seed_gives_other_people(problem, expected):
    with pytest.raises(AssertionError, match="zones hold different people"):
        assert_same_population(solve(problem, seed=SEED + 1), expected)


def test_own_thread_pool(problem, expected):
    with ThreadPoolExecutor(2) as pool:
        assert_equal_bits(solve(problem, seed=SEED, executor=pool, block_size=5), expected)


def test_processes(problem, expected):
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert_equal_bits(solve(problem, seed=SEED, executor=pool, block_size=5), expected)


def test_dask(problem, expected):
    distributed = pytest.importorskip("distributed", reason="dask is not installed: pip install synthpop_gb[dask]")
    options = {"n_workers": 1, "threads_per_worker": 2, "processes": False, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        assert_equal_bits(solve(problem, seed=SEED, executor=client.get_executor(), block_size=5), expected)


class BackwardsExecutor(Executor):
    """Finishes what it is given last first, in batches, and counts what it holds."""

    def __init__(self):
        self.waiting, self.most, self.lock = [], 0, threading.Lock()

    def submit(self, function, /, *args, **kwargs):
        future = Future()
        with self.lock:
            self.waiting.append((future, function, args, kwargs))
            self.most = max(self.most, len(self.waiting))
        threading.Timer(0.02, self.finish).start()
        return future

    def finish(self):
        while True:
            with self.lock:
                if not self.waiting:
                    return
                future, function, args, kwargs = self.waiting.pop()
            if future.set_running_or_notify_cancel():
                future.set_result(function(*args, **kwargs))


def test_results_are_placed_by_block_and_the_queue_is_bounded(problem, expected):
    backwards = BackwardsExecutor()
    assert_equal_bits(solve(problem, seed=SEED, executor=backwards, workers=2, block_size=1), expected)
    assert backwards.most <= 5


def test_tasks_for_other_machines_share_what_zones_share(problem):
    from synthpop_gb.methods import METHODS, Streams

    method = METHODS["ipf"]
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:  # starts no process until used
        task = blocks.task_for(pool, problem, method, method.options(), Streams(SEED))
    _, first = task(np.array([3, 5]))
    _, second = task(np.array([7]))
    assert first[1] is second[1]  # one pickle of the rest of the problem, however many blocks
    assert first[2]["targets"].shape == (2, problem.n_cells)


def test_a_failing_block_stops_the_run(problem):
    class Failing:
        name, needs = "failing", "cells"
        from synthpop_gb.methods import IPFOptions as options

        def solve_block(self, problem, zones, options, streams):
            raise RuntimeError(f"no luck with {problem.zones[zones[0]]}")

    with pytest.raises(RuntimeError, match="no luck with E0"):
        solve(problem, method=Failing(), workers=2, block_size=3)
    assert not [t for t in threading.enumerate() if t.name.startswith("synthpop-gb")]


def test_wrong_arguments(problem):
    for wrong, message in [
        ({"workers": 0}, "at least one worker"),
        ({"block_size": 0}, "at least one zone"),
        ({"seed": -1}, "seed"),
        ({"method": "magic"}, "no method is called 'magic'; known are .*ipf"),
        ({"options": {"tolerence": 1}}, "no option 'tolerence'; it has .*tolerance"),
    ]:
        with pytest.raises(ValueError, match=message):
            solve(problem, **wrong)
