"""Replicates of a population: the same problem solved again from other draws, block by block, each from the point fit's duals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np

from synthpop_gb.execution._redrawn_levels import redrawn_levels
from synthpop_gb.execution._redrawn_units import redrawn_units
from synthpop_gb.execution.blocks import cut, default_block_size, run_blocks, task_for, without_donors
from synthpop_gb.execution.checkpoint import Checkpoint
from synthpop_gb.kernels.redraw import add_noise, redraw, redraw_layout
from synthpop_gb.kernels.streams import TABLES, stream_keys
from synthpop_gb.methods import BlockResult, Method, Remembered, Streams
from synthpop_gb.population import SOURCES, Population, Replicates, resampled
from synthpop_gb.problem import Problem

__all__ = ["check_sources", "solve_replicates", "which_replicates"]

_MOST = 10_000


def which_replicates(wanted: int | Sequence[int]) -> list[int]:
    """Numbers of the replicates asked for: 1 to n for a number n, or the numbers themselves. Raises ValueError for nonsense.

    >>> which_replicates(3), which_replicates([7])
    ([1, 2, 3], [7])
    """
    listed = [wanted] if np.ndim(wanted) == 0 else list(wanted)
    if any(isinstance(r, bool) or not (isinstance(r, Integral) or (isinstance(r, Real) and r % 1 == 0)) for r in listed):
        raise ValueError(f"replicates are a whole number or a list of numbers, not {wanted!r}")
    numbers = list(range(1, int(wanted) + 1)) if np.ndim(wanted) == 0 else sorted({int(r) for r in wanted})
    if np.ndim(wanted) == 0 and wanted < 0:
        raise ValueError(f"the number of replicates is 0 or more, not {wanted}")
    if numbers and not 1 <= numbers[0] <= numbers[-1] <= _MOST:
        raise ValueError(f"replicates are numbered from 1 to {_MOST:,}, not {numbers[0]} to {numbers[-1]}")
    return numbers


def check_sources(sources: Sequence[str]) -> tuple[str, ...]:
    """Put the sources in order. Raises ValueError for an unknown one, or none."""
    unknown = [s for s in sources if s not in SOURCES]
    if unknown or not sources or isinstance(sources, str):
        raise ValueError(f"sources of replicates are some of {', '.join(SOURCES)}, not {sources!r}")
    return tuple(s for s in SOURCES if s in sources)


def solve_replicates(
    population: Population,
    method: Method,
    options: Any,
    numbers: Sequence[int],
    sources: Sequence[str] = SOURCES,
    *,
    executor: Executor | None = None,
    workers: int = 1,
    block_size: int | None = None,
    checkpoint: str | Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Replicates:
    """Make replicates of a population.

    Parameters
    ----------
    population : Population
        The point solution; a replicate's fits start from its duals where the method keeps any.
    method, options
        As solved with.
    numbers : sequence of int
        Which replicates, from 1.
    sources : sequence of str
        What is drawn again; 'tables' has no effect where every count is exact, and is then left out of what is said.
    executor, workers, block_size, checkpoint
        As in `solve`; the result does not depend on them.
    progress : callable, optional
        Called with the number of zones solved, after each block.
    """
    sources, problem, seed = check_sources(sources), population.problem, population.provenance.seed
    errors = [problem.standard_error, *(level.standard_error for level in problem.levels)]
    inexact = any(error is not None and bool((error > 0).any()) for error in errors)
    sources = tuple(s for s in sources if s != "tables" or inexact)
    seen = replace(without_donors(problem), first_duals=population.duals)
    acting = _Redrawn(method) if "tables" in sources else method
    size = block_size or default_block_size(problem.n_zones, problem.n_profiles, workers)
    made = _Store(problem, numbers, sources)
    for number in numbers:
        start = resampled(problem, seed, number)[0] if "donors" in sources else problem.start
        drawn, streams = replace(seen, start=start), Streams(seed, number if "whole" in sources else 0)
        if isinstance(acting, _Redrawn):
            acting = _Redrawn(method, number)
        saved = None if checkpoint is None else Checkpoint(checkpoint, drawn, acting, options, streams, quiet=True)
        parts = [] if saved is None else saved.load()
        finished = np.concatenate([zones for _, zones, _ in parts] or [np.empty(0, np.int64)])
        together = problem.component if problem.levels else None
        blocks = cut(np.setdiff1d(np.arange(problem.n_zones), finished), size, together)
        task = task_for(executor, drawn, acting, options, streams)
        with closing(run_blocks([task(zones) for zones in blocks], executor, workers)) as results:
            for place, result in results:
                if saved is not None:
                    saved.save(blocks[place], result)
                parts.append((np.arange(len(blocks[place])), blocks[place], result))
                if progress is not None:
                    progress(len(blocks[place]))
        made.add(parts)
    return made.finish()


class _Redrawn:
    """A method that draws each zone's tables anew before it solves the zone."""

    def __init__(self, method: Method, replicate: int = 0):
        self.method, self.replicate = method, replicate
        self.name, self.options, self.needs = f"{method.name}, tables of replicate {replicate}", method.options, method.needs

    def solve_block(self, problem: Problem, zones: np.ndarray, options: Any, streams: Streams) -> BlockResult:
        block = problem.take(zones)
        error = np.zeros(block.n_cells) if block.standard_error is None else block.standard_error
        error = np.ascontiguousarray(np.broadcast_to(error, block.targets.shape))
        states = stream_keys(streams.seed, block.zone_keys, self.replicate, TABLES)
        published = None
        if block.published is not None:  # what soft methods aim at: noise, and no settling
            published = np.empty_like(block.published)
            add_noise(block.published, error, states.copy(), published)
        if block.incidence is None:
            targets = redraw(_redraw_layout(problem), block.targets, error, states)
        else:
            targets = redrawn_units(block, error, states)
        drawn = replace(block, targets=targets, published=published)
        if block.levels:
            drawn = replace(drawn, levels=redrawn_levels(block, targets, streams.seed, self.replicate))
        return self.method.solve_block(drawn, np.arange(len(zones)), options, streams)


# shares matter only in a block that is nought in a zone: the point problem's start weights would do as well as any
_redraw_layout = Remembered(lambda p: redraw_layout(np.ones(p.n_profiles), p.cell_of, p.constraint_start), start=False)


class _Store:
    """Replicates as they come, in the smallest integers that hold them."""

    def __init__(self, problem: Problem, numbers: Sequence[int], sources: tuple[str, ...]):
        self._n_zones, self._numbers, self._sources = problem.n_zones, numbers, sources
        self._profile_type = np.uint16 if problem.n_profiles <= 1 << 16 else np.int32
        self._rows: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._fit = np.zeros((len(numbers), problem.n_zones), np.int8)
        self._remainder = np.zeros((len(numbers), problem.n_zones), np.float32)

    def add(self, parts: list[tuple[np.ndarray, np.ndarray, BlockResult]]) -> None:
        """Put one replicate's blocks in the order of the zones. `parts` is emptied."""
        place, lengths = len(self._rows), np.zeros(self._n_zones, np.int64)
        for rows, zones, result in parts:
            lengths[zones] = np.diff(result.indptr)[rows]
            above = (result.extra or {}).get("level_remainder", np.zeros(len(result.fit)))
            self._fit[place, zones], self._remainder[place, zones] = result.fit[rows], (result.remainder + above)[rows]
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        largest = max((int(result.count.max(initial=0)) for _, _, result in parts), default=0)
        profile = np.empty(indptr[-1], self._profile_type)
        count = np.empty(indptr[-1], np.uint16 if largest < 1 << 16 else np.int32)
        while parts:
            rows, zones, result = parts.pop()
            for row, zone in zip(rows.tolist(), zones.tolist(), strict=True):
                here, there = slice(indptr[zone], indptr[zone + 1]), slice(result.indptr[row], result.indptr[row + 1])
                profile[here], count[here] = result.profile[there], result.count[there]
        for array in (indptr, profile, count):
            array.setflags(write=False)
        self._rows.append((indptr, profile, count))

    def finish(self) -> Replicates:
        indptr, profile, count = zip(*self._rows, strict=True) if self._rows else ((), (), ())
        return Replicates(np.array(self._numbers, np.int64), self._sources, indptr, profile, count, self._fit, self._remainder)
