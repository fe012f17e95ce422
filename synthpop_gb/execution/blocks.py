"""Where blocks of zones run: inline, on threads, or on any executor with the interface of `concurrent.futures`.

Kernels release the interpreter's lock, so threads are the default and share the problem. Any other executor gets tasks that
carry all they need: the block's own targets, and the rest of the problem, pickled once and opened once by each worker.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

import numpy as np

from synthpop_gb.methods import BlockResult, Method, Streams
from synthpop_gb.problem import Problem

__all__ = ["cut", "default_block_size", "default_workers", "run_blocks", "task_for", "without_donors"]

_ENTRIES = 4_000_000  # zones x profiles looked at in one block: about 0.1 to 2 s of work
_LARGEST = 1024  # zones


def default_workers(executor: Executor | None = None) -> int:
    """How many blocks an executor solves at once: cores of this process without one, 64 where it does not tell."""
    if executor is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if hasattr(executor, "_max_workers"):  # pools of threads and processes
        return executor._max_workers
    client = getattr(executor, "_client", None)  # dask's client.get_executor()
    return (sum(client.nthreads().values()) if hasattr(client, "nthreads") else 0) or 64


def without_donors(problem: Problem) -> Problem:
    """Return what methods get to see: donors are placed afterwards, so neither they nor record ids need to travel."""
    none = np.empty(0)
    gone = {
        "donor": none,
        "donor_weight": none,
        "records": problem.records[:0],
        "stratum": None,
        "cluster": None,
        "aligned": None,
    }
    if problem.households is not None:
        gone |= {"households": problem.households[:0], "member": none, "member_start": none}
    return replace(problem, **gone)


def default_block_size(n_zones: int, n_profiles: int, workers: int) -> int:
    """Zones a block: enough work to drown a task's overhead, little enough to keep all workers busy to the end and memory small.

    >>> default_block_size(34_753, 212, 2), default_block_size(34_753, 16_000, 2), default_block_size(482, 212, 2)
    (1024, 250, 61)
    """
    return max(1, min(_LARGEST, _ENTRIES // max(n_profiles, 1), -(-n_zones // (4 * workers))))


def cut(zones: np.ndarray, size: int, component: np.ndarray | None = None) -> list[np.ndarray]:
    """Cut positions of zones into blocks of at most `size`; zones of one `component` (number by zone) stay together.

    >>> cut(np.arange(5), 2, np.array([0, 1, 0, 3, 3]))
    [array([0, 2]), array([1]), array([3, 4])]
    """
    if size < 1:
        raise ValueError(f"a block holds at least one zone, not {size}")
    if component is None:
        return [zones[first : first + size] for first in range(0, len(zones), size)]
    blocks: list[list[int]] = []
    order = zones[np.argsort(component[zones], kind="stable")]
    for together in np.split(order, np.flatnonzero(np.diff(component[order])) + 1):
        if blocks and len(blocks[-1]) + len(together) <= size:
            blocks[-1].extend(together.tolist())
        elif len(together):
            blocks.append(together.tolist())
    return [np.array(block) for block in blocks]


def task_for(
    executor: Executor | None, problem: Problem, method: Method, options: Any, streams: Streams
) -> Callable[[np.ndarray], tuple[Callable, tuple]]:
    """Return what makes a task of a block: zones -> (function, arguments), sharing memory where the executor can."""
    if executor is None or isinstance(executor, ThreadPoolExecutor):
        return lambda zones: (method.solve_block, (problem, zones, options, streams))
    shared = pickle.dumps((problem.take(np.arange(0)), method, options, streams), protocol=5)
    name = hashlib.sha256(shared).hexdigest()
    return lambda zones: (_solve_elsewhere, (name, shared, problem.by_zone(zones)))


_opened: dict[str, tuple] = {}  # what this worker has unpickled: the latest problem only
_opening = threading.Lock()  # a worker may be a thread beside others: dask's are


def _solve_elsewhere(name, shared, by_zone) -> BlockResult:
    """Solve one block in a worker that shares no memory with whoever asked."""
    with _opening:
        opened = _opened.get(name)
        if opened is None:
            opened = pickle.loads(shared)  # noqa: S301 - from our own process, through the user's own executor
            _opened.clear()
            _opened[name] = opened
    problem, method, options, streams = opened
    block = replace(problem, **by_zone)
    return method.solve_block(block, np.arange(block.n_zones), options, streams)


def run_blocks(
    tasks: Sequence[tuple[Callable, tuple]], executor: Executor | None = None, workers: int = 1
) -> Iterator[tuple[int, BlockResult]]:
    """Run tasks and yield (task's number, result) as they finish; whoever places results must place them by number.

    Parameters
    ----------
    tasks : sequence of (function, arguments)
        From `task_for`.
    executor : concurrent.futures.Executor, optional
        Where they run. Without one: inline where `workers` is 1, else on as many threads of our own.
    workers : int
        Bounds how many tasks are in flight: twice as many, so that no worker waits and no queue grows.

    Raises
    ------
    Whatever a task raises; tasks not yet begun are then cancelled, and our own threads waited for.
    """
    if executor is None and workers == 1:
        for number, (function, arguments) in enumerate(tasks):
            yield number, function(*arguments)
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="synthpop-gb") if executor is None else executor
    flying: dict = {}
    try:
        waiting = iter(enumerate(tasks))
        while True:
            while len(flying) < 2 * workers + 1 and (task := next(waiting, None)) is not None:
                number, (function, arguments) = task
                flying[pool.submit(function, *arguments)] = number
            if not flying:
                return
            done, _ = wait(flying, return_when=FIRST_COMPLETED)
            for future in done:
                yield flying.pop(future), future.result()
    finally:
        for future in flying:
            future.cancel()
        if executor is None:
            pool.shutdown(wait=True, cancel_futures=True)
