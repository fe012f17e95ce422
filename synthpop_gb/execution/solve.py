"""solve: a problem in, a population out, in one pass over blocks of zones, wherever they run."""

from __future__ import annotations

import dataclasses
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from synthpop_gb.errors import FitWarning
from synthpop_gb.execution.blocks import cut, default_block_size, default_workers, run_blocks, task_for, without_donors
from synthpop_gb.execution.checkpoint import Checkpoint
from synthpop_gb.execution.replicates import check_sources, solve_replicates, which_replicates
from synthpop_gb.methods import BlockResult, Method, Streams, get_method, make_options
from synthpop_gb.population import SOURCES, Population, counted_units
from synthpop_gb.problem import Problem
from synthpop_gb.provenance import Provenance
from synthpop_gb.status import FitStatus, WholeStatus

if TYPE_CHECKING:
    from synthpop_gb.kernels.links import Link

__all__ = ["solve"]

_SEED_LIMIT = 2**63
_COLUMNS = ("fit", "cycles", "residual", "worst_cell", "remainder")  # of `BlockResult`, by zone


def solve(
    problem: Problem,
    *,
    method: str | Method = "ipf",
    options: Mapping[str, Any] | Any | None = None,
    seed: int = 0,
    executor: Executor | None = None,
    workers: int | None = None,
    block_size: int | None = None,
    checkpoint: str | Path | None = None,
    progress: Callable[[int, int, float | None], None] | None = None,
    replicates: int | Sequence[int] = 0,
    sources: Sequence[str] = SOURCES,
) -> Population:
    """Make a population: fit every zone, then settle whole people, block by block.

    The same seed gives the same people to the last bit, whatever the executor, the number of workers, the size of blocks, the
    order of zones, and whether the run was interrupted.

    Parameters
    ----------
    problem : Problem
        What to solve, from `formulate`.
    method : str or Method
        Name of a registered method, or a method itself.
    options : mapping or dataclass, optional
        The method's options; its defaults where absent. See `methods.IPFOptions` for 'ipf'.
    seed : int
        Fixes every random draw; 0 or more.
    executor : concurrent.futures.Executor, optional
        Where blocks run: a `ProcessPoolExecutor`, dask's `client.get_executor()` ... ; threads of our own by default.
    workers : int, optional
        How many blocks are solved side by side; every core of this process, or what the executor tells, by default. 1 without an
        executor = in the calling thread.
    block_size : int, optional
        Zones in a block; by default as many as make 0.1 to 2 seconds of work.
    checkpoint : path, optional
        Folder in which finished blocks are kept. Solving again with the same folder goes on where the last attempt stopped.
        It is left for the caller to delete, since only the caller knows when the population is safe.
    progress : callable, optional
        Called as progress(zones done, zones in all, seconds left or None), from the calling thread, after each block; a zone
        counts once for the population and once for each replicate.
    replicates : int or sequence of int
        How many replicates to make beside the population, numbered from 1, or the numbers of some: `[7]` makes the same seventh
        replicate as 40 would.
    sources : sequence of str
        What a replicate draws again: 'whole' (the draw of whole people and donors), 'donors' (the survey, by bootstrap), 'tables'
        (the publisher's perturbation).

    Returns
    -------
    Population

    Raises
    ------
    ValueError
        For an unknown method or option; a method that cannot place households, heed levels, start from weights that differ by
        zone or limit copies of a donor, where the problem asks for it; a negative seed, fewer than one worker, an empty block,
        or replicates or sources that there are none of.

    Warns
    -----
    FitWarning
        Once, where zones miss targets, with how many and the worst.

    Examples
    --------
    >>> from synthpop_gb.testing import small_problem
    >>> solve(small_problem(), seed=1)
    Population: 30 people in 2 zones, 4 profiles of 6 donors
    whole people meet every target in 2 of 2 zones
    2 of 2 zones converged
    """
    method = get_method(method)
    options = make_options(method, options)
    if problem.incidence is not None and method.needs != "incidence":
        raise ValueError(f"the problem is of households, which {method.name!r} cannot place: use a method such as 'balance'")
    if problem.levels and not getattr(method, "nests", False):
        raise ValueError(
            f"{method.name!r} cannot bind zones together by the tables of {problem.levels[0].name}: use another method"
        )
    if problem.tilt is not None and not getattr(method, "tilts", False):
        raise ValueError(
            f"{method.name!r} cannot start from weights that differ by zone, as this problem's do: use 'ipf' or 'balance'"
        )
    if problem.max_copies is not None and not getattr(method, "caps", False):
        raise ValueError(f"{method.name!r} cannot limit how often a donor stands in a zone: use 'ipf' or 'balance'")
    if not 0 <= seed < _SEED_LIMIT:
        raise ValueError(f"the seed is a whole number from 0 to 2**63 - 1, not {seed}")
    if workers is not None and workers < 1:
        raise ValueError(f"at least one worker is needed, not {workers}")
    numbers, sources = which_replicates(replicates), check_sources(sources)
    streams = Streams(int(seed))
    workers = workers or default_workers(executor)
    saved = None if checkpoint is None else Checkpoint(checkpoint, problem, method, options, streams)
    parts = [] if saved is None else saved.load()

    todo = np.setdiff1d(np.arange(problem.n_zones), np.concatenate([zones for _, zones, _ in parts] or [np.empty(0, np.int64)]))
    size = default_block_size(len(todo), problem.n_profiles, workers) if block_size is None else block_size
    blocks = cut(todo, size, problem.component if problem.levels else None)
    seen = without_donors(problem)
    task = task_for(executor, seen, method, options, streams)
    if executor is None and len(blocks) * (1 + len(numbers)) <= 1:
        workers = 1
    if executor is None and workers > 1 and len(todo):
        method.solve_block(
            seen, blocks[0][:1] if not problem.levels else blocks[0], options, streams
        )  # compile, or load compiled code, once and not in every thread
    clock = _Clock(problem.n_zones * (1 + len(numbers)), problem.n_zones - len(todo), progress)
    with closing(run_blocks([task(zones) for zones in blocks], executor, workers)) as finished:
        for number, result in finished:
            if saved is not None:
                saved.save(blocks[number], result)
            parts.append((np.arange(len(blocks[number])), blocks[number], result))
            clock.tick(len(blocks[number]))

    link = method.link(options) if hasattr(method, "link") else None
    population = _assemble(problem, parts, Provenance(int(seed), method.name, dataclasses.asdict(options)), link)
    if numbers:
        made = solve_replicates(
            population, method, options, numbers, sources, executor=executor, workers=workers, block_size=block_size,
            checkpoint=None if checkpoint is None else Path(checkpoint) / "replicates", progress=clock.tick,
        )  # fmt: skip
        population = dataclasses.replace(population, replicates=made)
    for finding in population.findings():
        warnings.warn(FitWarning(str(finding)), stacklevel=2)
    return population


class _Clock:
    """Tell the caller how far it is, and guess how long it will take from the blocks solved so far."""

    def __init__(self, total: int, done: int, progress: Callable | None):
        self._total, self._done, self._resumed, self._progress = total, done, done, progress
        self._began = time.monotonic()
        if progress is not None:
            progress(done, total, None if done < total else 0.0)

    def tick(self, zones: int) -> None:
        self._done += zones
        if self._progress is not None:
            pace = (time.monotonic() - self._began) / (self._done - self._resumed)
            self._progress(self._done, self._total, pace * (self._total - self._done))


def _assemble(
    problem: Problem, parts: list[tuple[np.ndarray, np.ndarray, BlockResult]], provenance: Provenance, link: Link | None = None
) -> Population:
    """Put results in the order of the problem's zones. `parts` is emptied on the way, so that nothing is held twice for long.

    Raises ValueError where a method reports a status that is none.
    """
    n_zones = problem.n_zones
    lengths = np.zeros(n_zones, np.int64)
    columns = {
        "fit": np.zeros(n_zones, np.int8), "cycles": np.zeros(n_zones, np.int32), "residual": np.zeros(n_zones),
        "worst_cell": np.zeros(n_zones, np.int32), "remainder": np.zeros(n_zones),
    }  # fmt: skip
    extra: dict[str, np.ndarray] = {}
    for rows, zones, result in parts:
        for name, value in (result.extra or {}).items():
            found = extra.setdefault(name, np.zeros(n_zones, value.dtype))
            if found.dtype != value.dtype:  # texts of another width
                found = extra[name] = found.astype(np.promote_types(found.dtype, value.dtype))
            found[zones] = value[rows]
        lengths[zones] = np.diff(result.indptr)[rows]
        for name in _COLUMNS:
            columns[name][zones] = getattr(result, name)[rows]
    unknown = ~np.isin(columns["fit"], list(FitStatus))
    if unknown.any():
        place = problem.zones[np.argmax(unknown)]
        raise ValueError(
            f"the method {provenance.method!r} ended zone {place} with {columns['fit'][unknown][0]}, which is no FitStatus"
        )
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    profile, count = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.int32)
    duals = np.zeros((n_zones, problem.n_duals)) if all(r.duals is not None for _, _, r in parts) else None
    settled = _whole_targets(problem) if any(r.settled is not None for _, _, r in parts) else None
    while parts:
        rows, zones, result = parts.pop()
        source = np.repeat(result.indptr[rows], lengths[zones]) + _within(lengths[zones])
        target = np.repeat(indptr[zones], lengths[zones]) + _within(lengths[zones])
        profile[target], count[target] = result.profile[source], result.count[source]
        if duals is not None:
            duals[zones] = result.duals[rows]
        if settled is not None and result.settled is not None:
            settled[zones, : result.settled.shape[1]] = result.settled[rows]
    for array in (indptr, profile, count, duals, settled):
        if array is not None:
            array.setflags(write=False)
    extra = counted_units(problem, indptr, profile, count) | extra
    return Population(problem, indptr, profile, count, _status(problem, columns, extra), duals, provenance, link, settled)


def _whole_targets(problem: Problem) -> np.ndarray:
    """(n_zones, n_duals): targets of zones, then of the areas that each lies in."""
    every = np.arange(problem.n_zones)
    return np.rint(np.concatenate([problem.targets, *(v.by_zone(v.targets, every) for v in problem.levels)], axis=1))


def _within(lengths: np.ndarray) -> np.ndarray:
    """0, 1, ... within each run: [3, 2] -> [0, 1, 2, 0, 1]."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)


def _status(problem: Problem, columns: dict[str, np.ndarray], extra: dict[str, np.ndarray]) -> pd.DataFrame:
    """Statuses by name and cells by label, one row a zone; a method's own columns last."""
    named = [" = ".join(map(str, cell)) for cell in problem.cells]
    named += [f"{v.name}: {' = '.join(map(str, cell))}" for v in problem.levels for cell in v.cells]
    labels = np.array([*named, ""], dtype=object)  # -1 is the last: no cell
    exact = columns["remainder"] == 0
    if "level_remainder" in extra:
        exact &= extra["level_remainder"] == 0
    return pd.DataFrame(
        {
            "fit": np.array([s.name for s in FitStatus], dtype=object)[columns["fit"]].tolist(),
            "cycles": columns["cycles"],
            "residual": columns["residual"],
            "worst_cell": labels[columns["worst_cell"]].tolist(),
            "whole": np.where(exact, WholeStatus.EXACT.name, WholeStatus.REMAINDER.name).tolist(),
            "remainder": columns["remainder"],
            **{name: value.tolist() if value.dtype.kind == "U" else value for name, value in extra.items()},
        },
        index=problem.zones.rename("zone"),
    )
