"""Why no households could meet a zone's tables, and what would have to give: which targets clash, proof, the least to relax."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.problem import Problem
from synthpop_gb.validation.clashing import ENOUGH, Clash, Reach
from synthpop_gb.validation.proof_words import clash_words

__all__ = ["relax"]

_COLUMNS = {
    "zones": ["zone", "feasible", "least_change", "cells", "change", "proven"],
    "relax": ["zone", "table", "cell", "target", "to", "change"],
    "others": ["zone", "number", "table", "cell", "target", "to", "change"],
    "keeping": ["zone", "table", "cell", "target", "to", "change"],
    "clashes": ["zone", "clash", "table", "cell", "target", "multiplier", "excess", "words"],
    "missing": ["zone", "clash", "table", "cell", "other_table", "other_cell"],
}
_WHOLE_UP_TO = 60  # multipliers of a proof are told as whole numbers, where some number up to this makes them so


def relax(problem: Problem, zones: Iterable[str] | None = None) -> Checks:
    """Say of zones whether any weights of the survey's units meet all their tables, and if not, what is to give.

    Every target is taken as it stands in the problem, exact; weights need not be whole and may be of any size, so what is
    impossible here is impossible for every method. Tables of the levels above take no part.

    Parameters
    ----------
    problem : Problem
        Of households or of persons.
    zones : iterable of str, optional
        Codes of the zones: those that a fit could not meet, say (`population.unfitted.index`). All by default: a linear programme
        each.

    Returns
    -------
    Checks
        headline: 'zones looked at', 'zones that nobody could meet', 'cells to relax', 'change in all'. tables:

        - 'zones': zone, feasible, least_change (the least total change of any targets that makes the zone feasible, in what the
          tables count), cells (how many at least must be relaxed), change (their total), proven (fewer will not do)
        - 'relax': one row a cell of a smallest set, of several as small one with large targets: zone, table, cell, target, to
          (whole where the targets are), change
        - 'others': other sets of as few, two at most, number from 1: zone, number, then as 'relax'
        - 'keeping': the least change in all that keeps the total of every table, where any does: columns as of 'relax'
        - 'clashes': sets of cells that cannot be met together though any fewer could: zone, clash (number within the zone),
          table, cell, target, multiplier, excess, words. No household counts more with the multipliers above nought than with
          those below; the targets do, by the excess
        - 'missing': donors that a clash lacks: zone, clash, table, cell, other_table, other_cell; no household of the survey that
          a table's target is for is in both. `other_table` is empty where none is in the cell at all

    Raises
    ------
    KeyError
        Where a zone is not in the problem.

    Examples
    --------
    Four people live alone; the table of sex counts three people.

    >>> from dataclasses import replace
    >>> from synthpop_gb.testing import small_household_problem
    >>> problem = small_household_problem(1)
    >>> found = relax(replace(problem, targets=np.array([[4.0, 0.0, 2.0, 1.0]])))
    >>> found["relax"][["table", "target", "to"]].values.tolist()
    [['size', 4.0, 3.0]]
    >>> found["clashes"]["words"][0]
    'The households of size make 4 people; sex counts 3: 1 too few.'
    """
    where = _positions(problem, zones)
    usable = problem.start > 0
    matrix = problem.members.matrix()[np.flatnonzero(usable)]
    table_of = np.repeat(np.arange(problem.n_constraints), np.diff(problem.constraint_start))
    rows: dict[str, list] = {name: [] for name in _COLUMNS}
    for z in where:
        zone, target = str(problem.zones[z]), problem.targets[z]
        reach, every = Reach(matrix, target), np.arange(problem.n_cells)
        least = reach.least_change(every)[0]
        if least <= ENOUGH:
            rows["zones"].append((zone, True, 0.0, 0, 0.0, True))
            continue
        cells, clashes, proven = reach.fewest()
        total, change = _changed(reach, target, cells)
        rows["zones"].append((zone, False, least, len(cells), total, proven))
        rows["relax"] += [(zone, *row) for row in _changes(problem, target, change, cells)]
        for number, other in enumerate(reach.others(cells, clashes) if proven else [], 1):
            moved = _changed(reach, target, other)[1]
            rows["others"] += [(zone, number, *row) for row in _changes(problem, target, moved, other)]
        total, moved = _changed(reach, target, every, keep=table_of)
        if np.isfinite(total):
            rows["keeping"] += [(zone, *row) for row in _changes(problem, target, moved, np.flatnonzero(np.abs(moved) > ENOUGH))]
        for number, clash in enumerate(clashes, 1):
            multiplier = _scaled(clash.multiplier)
            words = clash_words(problem, matrix, target, clash.cells, multiplier)
            excess = float(target[clash.cells] @ multiplier)
            for c, k in zip(clash.cells, multiplier, strict=True):
                rows["clashes"].append((zone, number, *map(str, problem.cells[c]), target[c], k, excess, words))
            rows["missing"] += [(zone, number, *pair) for pair in _missing(problem, matrix, target, clash)]
    tables = {name: pd.DataFrame(found, columns=_COLUMNS[name]) for name, found in rows.items()}
    return Checks(_headline(tables), tables)


def _changed(reach: Reach, target: np.ndarray, cells: np.ndarray, keep: np.ndarray | None = None) -> tuple[float, np.ndarray]:
    """Find the least total change of these cells that mends a zone, and (n_cells,) changes: whole where targets are."""
    every, whole = np.arange(len(target)), bool((target == np.rint(target)).all())
    total, change, _ = reach.least_change(every, free=cells, whole=whole, keep=keep)
    if not np.isfinite(total):  # whole changes of these cells alone may not do: then in parts
        total, change, _ = reach.least_change(every, free=cells, keep=keep)
    return total, change


def _changes(problem: Problem, target: np.ndarray, change: np.ndarray, cells: np.ndarray) -> Iterator[tuple]:
    """Yield (table, cell, target, to, change) of some cells."""
    return ((*map(str, problem.cells[c]), target[c], target[c] + change[c], change[c]) for c in cells)


def _headline(tables: dict[str, pd.DataFrame]) -> dict[str, object]:
    zones = tables["zones"]
    return {
        "zones looked at": len(zones),
        "zones that nobody could meet": int((~zones["feasible"].astype(bool)).sum()),
        "cells to relax": int(zones["cells"].sum()),
        "change in all": float(zones["change"].sum()),
    }


def _positions(problem: Problem, zones: Iterable[str] | None) -> np.ndarray:
    if zones is None:
        return np.arange(problem.n_zones)
    codes = pd.Index(list(zones))
    where = problem.zones.get_indexer(codes)
    if (where < 0).any():
        raise KeyError(f"no such zone: {codes[where < 0][0]}")
    return where


def _scaled(multiplier: np.ndarray) -> np.ndarray:
    """Multiply by what makes all whole, where a small number does; by what makes the least 1 otherwise.

    >>> _scaled(np.array([1.0, -0.5, 0.25]))
    array([ 4., -2.,  1.])
    """
    least = multiplier / np.abs(multiplier).min()
    for factor in range(1, _WHOLE_UP_TO + 1):
        whole = np.rint(least * factor)
        if np.allclose(least * factor, whole, atol=1e-4 * factor, rtol=0):
            return whole
    return least


def _missing(problem: Problem, matrix, target: np.ndarray, clash: Clash) -> Iterator[tuple[str, str, str, str]]:
    """Yield donors that would resolve a clash: in a cell that asks too much, and in none of those that it leaves no room in."""
    table_of = np.repeat(np.arange(problem.n_constraints), np.diff(problem.constraint_start))
    there = (matrix > 0).astype(np.int64)
    room = clash.cells[clash.multiplier < 0]
    for c in clash.cells[clash.multiplier > 0]:
        mine = np.flatnonzero(there[:, [c]].toarray()[:, 0])
        if not len(mine):
            yield (*map(str, problem.cells[c]), "", "")
            continue
        together = np.asarray(there[mine].sum(axis=0)).reshape(-1)
        others = np.isin(table_of, table_of[room]) & (table_of != table_of[c]) & (target > 0) & (together == 0)
        others[room] = False
        for other in np.flatnonzero(others):
            yield (*map(str, problem.cells[c]), *map(str, problem.cells[other]))
