"""What a method works out once per problem, kept for the blocks that follow, in every worker."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from typing import Any

from synthpop_gb.problem import Problem

__all__ = ["Remembered"]


class Remembered:
    """A builder that remembers what it made of the latest problem: blocks of one problem follow each other.

    Parameters
    ----------
    build : callable
        Problem -> anything that depends on its start weights and cells alone.
    """

    def __init__(self, build: Callable[[Problem], Any]):
        self._build, self._lock, self._known = build, threading.Lock(), {}

    def __call__(self, problem: Problem) -> Any:
        """Return what is known of the problem, recognised by its content: a worker elsewhere gets another object a block."""
        content = hashlib.blake2b(problem.start.tobytes(), digest_size=16)
        content.update(problem.cell_of.tobytes() + problem.constraint_start.tobytes())
        key = content.digest()
        with self._lock:
            if key not in self._known:
                self._known.clear()
                self._known[key] = self._build(problem)
            return self._known[key]
