"""Why no households could meet a zone's tables, and what would have to give: which targets clash, proof, the least to relax."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.problem import Problem
from synthpop_gb.validation.clashing import ENOUGH, Clash, Reach

__all__ = ["relax"]

_COLUMNS = {
    "zones": ["zone", "feasible", "least_change", "cells", "change", "proven"],
    "relax": ["zone", "table", "cell", "target", "to", "change"],
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
    'size = 1 (4) needs at least 4 in all of sex, where the tables count 3: 1 too few.'
    """
    where = _positions(problem, zones)
    usable = problem.start > 0
    matrix = problem.members.matrix()[np.flatnonzero(usable)]
    rows: dict[str, list] = {name: [] for name in _COLUMNS}
    for z in where:
        zone, target = str(problem.zones[z]), problem.targets[z]
        reach, every = Reach(matrix, target), np.arange(problem.n_cells)
        least = reach.least_change(every)[0]
        if least <= ENOUGH:
            rows["zones"].append((zone, True, 0.0, 0, 0.0, True))
            continue
        cells, clashes, proven = reach.fewest()
        whole = bool((target == np.rint(target)).all())
        total, change, _ = reach.least_change(every, free=cells, whole=whole)
        if not np.isfinite(total):  # whole changes of these cells alone may not do: then in parts
            total, change, _ = reach.least_change(every, free=cells)
        rows["zones"].append((zone, False, least, len(cells), total, proven))
        for c in cells:
            rows["relax"].append((zone, *map(str, problem.cells[c]), target[c], target[c] + change[c], change[c]))
        for number, clash in enumerate(clashes, 1):
            multiplier, words = _scaled(clash.multiplier), _words(problem, target, clash)
            excess = float(target[clash.cells] @ multiplier)
            for c, k in zip(clash.cells, multiplier, strict=True):
                rows["clashes"].append((zone, number, *map(str, problem.cells[c]), target[c], k, excess, words))
            rows["missing"] += [(zone, number, *pair) for pair in _missing(problem, matrix, target, clash)]
    tables = {name: pd.DataFrame(found, columns=_COLUMNS[name]) for name, found in rows.items()}
    return Checks(_headline(tables), tables)


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


def _words(problem: Problem, target: np.ndarray, clash: Clash) -> str:
    """Say the proof of a clash in a sentence."""
    multiplier = _scaled(clash.multiplier)
    asked, room = multiplier > 0, multiplier < 0
    left = float(target[clash.cells[asked]] @ multiplier[asked])
    right = -float(target[clash.cells[room]] @ multiplier[room])
    named = [f"{_times(k)}{said} ({count:,.10g})" for k, said, count in _sides(problem, target, clash.cells, multiplier)]
    if not room.any():
        who = "record" if problem.households is None else "household"
        return f"No {who} of the survey is in {_joined(named, 'and')}."
    verb = "needs" if len(named) == 1 else "need"
    there = [f"{_times(k)}{said}" for k, said, _ in _sides(problem, target, clash.cells, -multiplier)]
    return (
        f"{_joined(named, 'and')} {verb} at least {left:,.10g} in {_joined(there, 'or')}, where the tables count {right:,.10g}: "
        f"{left - right:,.10g} too few."
    )


def _sides(problem: Problem, target: np.ndarray, cells: np.ndarray, multiplier: np.ndarray) -> Iterator[tuple[float, str, float]]:
    """Yield (multiplier, name, target) of the cells on one side, those above nought; a table all alike is named as a whole."""
    times = dict(zip(cells.tolist(), multiplier.tolist(), strict=True))
    for first, last in pairwise(problem.constraint_start.tolist()):
        mine = [c for c in range(first, last) if times.get(c, 0.0) > 0]
        if len(mine) == last - first > 1 and len({times[c] for c in mine}) == 1:
            yield times[first], f"all of {problem.cells[first][0]}", float(target[first:last].sum())
            continue
        yield from ((times[c], " = ".join(map(str, problem.cells[c])), float(target[c])) for c in mine)


def _times(k: float) -> str:
    return "" if k == 1 else f"{k:,.4g} × "


def _joined(parts: list[str], word: str) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"


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
