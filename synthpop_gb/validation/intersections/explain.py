"""Cause and consequence among cells: a difference of few variables is told once, the cells of more variables that follow apart.

If husbands are too many, so are white husbands, husbands of 40 and white husbands of 40. A cell *follows* from a larger cell that
holds it where, given how many people that one has, its own share of them is as expected; or from several together, where no
interaction of all its variables is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from synthpop_gb.validation.intersections.evidence import Basis
from synthpop_gb.validation.intersections.tallies import CrossTable

__all__ = ["REST", "Cause", "find_causes", "roots"]

REST = 1 / 3
"""A cell follows, too, where all but a third of its excess people do: the rest can be told once the cause is mended."""


@dataclass(frozen=True, eq=False)
class Cause:
    """What the cells of one cross-table follow from.

    Attributes
    ----------
    table, row : numpy.ndarray
        (n_cells,) int64: cross-table and row of the larger cell, -1 where the cell follows from none.
    together : numpy.ndarray
        (n_cells,) bool: it follows from several larger cells together; `table` and `row` are the most surprising of them.
    """

    table: np.ndarray
    row: np.ndarray
    together: np.ndarray


def find_causes(
    tables: Sequence[CrossTable],
    told: Sequence[np.ndarray],
    surprise: Sequence[np.ndarray],
    barred: Sequence[np.ndarray],
    bases: Sequence[Basis],
    limit: float,
) -> list[Cause]:
    """Find what each told cell follows from.

    Parameters
    ----------
    tables : sequence of CrossTable
        Fewer variables first.
    told : sequence of numpy.ndarray
        (n_cells,) bool by table: cells that differ beyond chance, or are impossible and have people.
    surprise : sequence of numpy.ndarray
        (n_cells,) float64 by table: deviance, see `Trial.deviance`.
    barred : sequence of numpy.ndarray
        (n_cells,) bool by table: impossible cells; they follow from impossible ones alone.
    bases : sequence of Basis
        What the two sides are worth, by table.
    limit : float
        p values above it are no discovery.

    Returns
    -------
    list of Cause
        By table.
    """
    number = {t.at: i for i, t in enumerate(tables)}
    out = []
    for i, table in enumerate(tables):
        cause = Cause(np.full(len(table), -1, np.int64), np.full(len(table), -1, np.int64), np.zeros(len(table), bool))
        rows = np.flatnonzero(told[i])
        if len(table.at) > 1 and len(rows):
            parts = _parts(table, rows, tables, number)
            _single(cause, rows, table, tables, parts, told, surprise, barred, i, bases[i], limit)
            _together(cause, rows, table, tables, parts, told, surprise, barred[i], bases[i], limit)
        out.append(cause)
    return out


def _parts(table, rows, tables, number) -> dict[tuple[int, ...], tuple[int, np.ndarray]]:
    """Larger cells of every order that hold the rows: by positions, the cross-table's number and the rows in it."""
    found = {}
    for k in range(1, len(table.at)):
        for positions in combinations(range(len(table.at)), k):
            other = number.get(tuple(table.at[p] for p in positions))
            if other is not None:
                found[positions] = other, np.searchsorted(tables[other].keys, table.part(rows, positions))
    return found


def _follows(trial, excess, rest, limit) -> np.ndarray:
    return (trial.p_values() > limit) | (np.abs(rest) <= REST * np.abs(excess))


def _excess(basis: Basis, expected, observed) -> np.ndarray:
    return observed - expected * (basis.observed / basis.expected)


def _single(cause, rows, table, tables, parts, told, surprise, barred, i, basis, limit) -> None:
    """Follow from one larger cell: of those that explain, one of fewest variables, and of these the most surprising."""
    e, o = table.expected[rows], table.observed[rows]
    excess, best = _excess(basis, e, o), np.full(len(rows), -1.0)
    order_of_best = np.full(len(rows), len(table.at))
    for positions, (other, at) in parts.items():
        larger = tables[other].expected[at], tables[other].observed[at]
        given = np.divide(e * larger[1], larger[0], out=np.zeros_like(e), where=larger[0] > 0)
        good = told[other][at] & _follows(basis.within(e, o, larger), excess, o - given, limit)
        good &= np.where(barred[i][rows], barred[other][at], True)
        weight = surprise[other][at]
        better = good & ((len(positions) < order_of_best) | ((len(positions) == order_of_best) & (weight > best)))
        best, order_of_best = np.where(better, weight, best), np.where(better, len(positions), order_of_best)
        cause.table[rows[better]], cause.row[rows[better]] = other, at[better]


def _together(cause, rows, table, tables, parts, told, surprise, barred, basis, limit) -> None:
    """Follow from all pairs (of three variables) or both categories (of two): no interaction of all variables is needed.

    Predicted ratio R(ab) R(ac) R(bc) / (R(a) R(b) R(c)), or R(a) R(b): Kirkwood's (1935) superposition of the ratios.
    """
    k = len(table.at)
    orders = {2: ((1, 1.0),), 3: ((2, 1.0), (1, -1.0))}.get(k, ())
    terms = [(parts.get(c), sign) for size, sign in orders for c in combinations(range(k), size)]
    if not terms or any(t is None for t, _ in terms):
        return
    e, o = table.expected[rows], table.observed[rows]
    log_ratio, some, best = np.zeros(len(rows)), np.zeros(len(rows), bool), np.full(len(rows), -1.0)
    where, row = np.full(len(rows), -1, np.int64), np.full(len(rows), -1, np.int64)
    for (other, at), sign in terms:
        with np.errstate(divide="ignore", invalid="ignore"):
            log_ratio += sign * np.log(basis.ratio(tables[other].expected[at], tables[other].observed[at]))
        weight = np.where(told[other][at], surprise[other][at], -1.0)
        where, row = np.where(weight > best, other, where), np.where(weight > best, at, row)
        some, best = some | told[other][at], np.maximum(weight, best)
    usable = np.isfinite(log_ratio) & some & (cause.table[rows] < 0) & ~barred[rows] & (e > 0)
    ratio = np.exp(np.where(usable, np.minimum(log_ratio, 700.0), 0.0))
    rest = o - e * ratio * (basis.observed / basis.expected)
    good = usable & _follows(basis.whole(e, o, ratio), _excess(basis, e, o), rest, limit)
    cause.table[rows[good]], cause.row[rows[good]], cause.together[rows[good]] = where[good], row[good], True


def roots(causes: Sequence[Cause]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Follow causes to those that have none: (table, row) by table, (n_cells,) each; a cell without a cause is its own root."""
    out = []
    for i, cause in enumerate(causes):
        table, row = np.full(len(cause.table), i, np.int64), np.arange(len(cause.table))
        for other in np.unique(cause.table[cause.table >= 0]).tolist():
            mine = cause.table == other
            table[mine], row[mine] = (a[cause.row[mine]] for a in out[other])
        out.append((table, row))
    return out
