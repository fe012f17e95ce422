"""How softly targets are met: standard errors as tables carry them, or as options give them, for the methods that heed them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.methods._checks import is_number
from synthpop_gb.problem import Problem

__all__ = ["by_constraint", "check_softness", "soft_areas", "soft_targets"]


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
    error = _errors(problem, problem.cells, problem.standard_error, options)
    published = None if problem.published is None else problem.published[zones]
    return _softened(problem.targets[zones], published, error if error.ndim == 1 else error[zones], options)


def soft_areas(problem: Problem, zones: np.ndarray, options: Any) -> tuple[np.ndarray, np.ndarray]:
    """Targets and variances of the areas that some zones lie in, (n, n_duals - n_cells), 0 where in none: as `soft_targets`."""
    targets, variance = [], []
    for level in problem.levels:
        error = _errors(problem, level.cells, level.standard_error, options)
        found = _softened(level.targets, level.published, error, options)
        for out, value in zip((targets, variance), found, strict=True):
            out.append(level.by_zone(value, zones))
    return np.concatenate(targets, axis=1), np.concatenate(variance, axis=1)


def _errors(problem: Problem, cells: pd.MultiIndex, own: np.ndarray | None, options: Any) -> np.ndarray:
    """Find standard errors of cells: as tables carry them, or as the options give them instead; 0 where exact."""
    own = np.zeros(len(cells)) if own is None or not options.soft else own
    return by_constraint(problem, options.standard_error, "standard_error", own, cells)


def _softened(
    settled: np.ndarray, published: np.ndarray | None, error: np.ndarray, options: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Targets and variances of zones or areas, rows of cells."""
    published = settled if published is None else published
    error = np.broadcast_to(error, settled.shape)
    exact = (error == 0) | ((published == 0) & (options.zeros == "exact"))
    targets = np.where(error == 0, settled, published)
    return np.ascontiguousarray(targets), np.ascontiguousarray(np.where(exact, 0.0, error**2))


def by_constraint(
    problem: Problem, given: float | Mapping[str, float] | None, option: str, own: np.ndarray, cells: pd.MultiIndex | None = None
) -> np.ndarray:
    """Find numbers by cell as an option gives them, for all constraints or by name; those not named keep their own.

    cells : labels of the cells; the zones' own by default. own : (..., n_cells).
    Raises ValueError where a name is no constraint's, of zones or of the levels above.
    """
    cells = problem.cells if cells is None else cells
    if given is None:
        return own
    if not isinstance(given, Mapping):
        return np.full(len(cells), float(given))
    known = [str(name) for part in (problem, *problem.levels) for name in part.cells.get_level_values(0).unique()]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ValueError(f"{option} names no constraint: {', '.join(unknown)}; there are {', '.join(dict.fromkeys(known))}")
    out, names = np.array(own, dtype=np.float64, copy=True), cells.get_level_values(0).astype(str)
    for table, value in given.items():
        out[..., names == table] = value
    return out
