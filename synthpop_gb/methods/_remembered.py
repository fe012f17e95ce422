"""What a method works out once per problem, kept for the blocks that follow, in every worker."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Any

from synthpop_gb.problem import Problem

__all__ = ["Remembered"]

_MOST = 4  # blocks of one problem follow each other; replicates of one run side by side


class Remembered:
    """A builder that remembers what it made of the latest few problems.

    Parameters
    ----------
    build : callable
        Problem -> anything that depends on its cells (of levels too), tilts' cells, bins and, unless `start` is False, its start
        weights alone.
    start : bool
        Whether problems with other start weights are other problems: replicates of one problem differ in nothing else.
    """

    def __init__(self, build: Callable[[Problem], Any], *, start: bool = True):
        self._build, self._start, self._lock, self._known = build, start, threading.Lock(), {}

    def __call__(self, problem: Problem) -> Any:
        """Return what is known of the problem, recognised by its content: a worker elsewhere gets another object a block."""
        content = hashlib.blake2b(problem.start.tobytes() if self._start else b"", digest_size=16)
        content.update(problem.cell_of.tobytes() + problem.constraint_start.tobytes())
        if problem.tilt_of is not None:
            content.update(problem.tilt_of.tobytes() + str(problem.tilt.shape[1]).encode())
        if problem.n_guides:
            content.update(problem.guide_of.tobytes() + problem.guide_start.tobytes())
        for level in problem.levels:
            content.update(level.cell_of.tobytes() + level.constraint_start.tobytes())
        for members in (problem.incidence, *(level.incidence for level in problem.levels)):
            if members is not None:
                content.update(members.start.tobytes() + members.cell.tobytes() + members.count.tobytes())
        key = content.digest()
        with self._lock:
            found = self._known.pop(key) if key in self._known else self._build(problem)
            self._known[key] = found  # the latest last
            while len(self._known) > _MOST:
                del self._known[next(iter(self._known))]
            return found
