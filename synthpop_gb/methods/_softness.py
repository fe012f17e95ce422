"""How softly targets are met: standard errors as tables carry them, or as options give them, for the methods that heed them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from synthpop_gb.methods._checks import is_number
from synthpop_gb.problem import Problem

__all__ = ["by_constraint", "check_softness", "soft_targets"]


def check_softness(options: Any) -> None:
    """Check the options `soft` and `standard_error`, and sort the latter's names. Raises ValueError."""
    if not isinstance(options.soft, bool):
        raise ValueError(f"soft is true or false, not {options.soft!r}")
    given = options.standard_error
    if given is None:
        return
    if not options.soft:
        raise ValueError("standard_error makes targets soft: leave it out, or set soft to true")
    by_table = dict(given) if isinstance(given, Mapping) else {"every table": given}
    for table, value in by_table.items():
        if not (is_number(value) and value >= 0):
            raise ValueError(f"the standard error of {table} is a number of persons from 0, not {value!r}")
    if isinstance(given, Mapping):
        object.__setattr__(options, "standard_error", {str(table): float(value) for table, value in sorted(by_table.items())})


def soft_targets(problem: Problem, zones: np.ndarray, options: Any) -> tuple[np.ndarray, np.ndarray]:
    """Targets and variances of some zones, (n, n_cells): published counts where soft, the settled ones where exact.

    options : with `soft`, `standard_error` and `zeros`, as those of 'calibrate'.
    """
    error = problem.standard_error
    if options.standard_error is not None:
        own = np.zeros(problem.n_cells) if error is None else error
        error = by_constraint(problem, options.standard_error, "standard_error", own)
    if error is None or not options.soft:
        error = np.zeros(problem.n_cells)
    settled = problem.targets[zones]
    published = settled if problem.published is None else problem.published[zones]
    error = np.broadcast_to(error if error.ndim == 1 else error[zones], settled.shape)
    exact = (error == 0) | ((published == 0) & (options.zeros == "exact"))
    targets = np.where(error == 0, settled, published)
    return np.ascontiguousarray(targets), np.ascontiguousarray(np.where(exact, 0.0, error**2))


def by_constraint(problem: Problem, given: float | Mapping[str, float], option: str, own: np.ndarray) -> np.ndarray:
    """Find numbers by cell as an option gives them, for all constraints or by name; those not named keep their own.

    Raises ValueError where a name is no constraint's, of the levels above neither.
    """
    if not isinstance(given, Mapping):
        return np.full(problem.n_cells, float(given))
    names = problem.cells.get_level_values(0).astype(str)
    above = {str(name) for level in problem.levels for name in level.cells.get_level_values(0)}
    unknown = sorted(set(given) - set(names) - above)
    if unknown:
        raise ValueError(f"{option} names no constraint: {', '.join(unknown)}; there are {', '.join(dict.fromkeys(names))}")
    out = np.array(own, dtype=np.float64, copy=True)
    for table, value in given.items():
        out[..., names == table] = value
    return out
