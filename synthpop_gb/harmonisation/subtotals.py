"""Subtotals beside their parts, found by what categories hold and by what the counts add up to; both would count people twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.errors import Finding, finding
from synthpop_gb.harmonisation._words import listed

__all__ = ["without_subtotals"]


def without_subtotals(table: BenchmarkTable, values: np.ndarray, findings: list[Finding]) -> tuple[BenchmarkTable, np.ndarray]:
    """Drop categories that hold the people of others: by their atoms, or as the sum of neighbours in every row as read.

    All rows of the table are asked, not only the study's, so that a zone is treated alike whichever zones are chosen.

    values : (n_zones, n_columns) counts of the study's zones. Returns the table and those counts without the subtotals; adds
    findings 'nested-subtotal'.
    """
    drop = np.zeros(values.shape[1], bool)
    variables = []
    sample = _usable_rows(table, max(1, len(table.counts) // 64))  # a few rows rule out nearly every sum at once
    for variable in table.variables:
        codes = table.counts.columns.get_level_values(variable.name).astype(str)
        present = set(codes)
        order = [c for c in variable.categories if c.code in present]
        member = np.array([codes == c.code for c in order], dtype=np.float64).reshape(len(order), -1)
        known = _unions([c.atoms for c in order])
        suspects = known or _subtotals(sample @ member.T, least=0)
        margin = _usable_rows(table) @ member.T if suspects else sample[:0] @ member.T
        found = _subtotals(margin) if suspects else []
        counted = {j for j, _ in found}
        found += [
            (j, parts) for j, parts in known if j not in counted and _nearly_adds_up(margin, j, parts, table.standard_error)
        ]
        for j, parts in found:
            whole, pieces = order[j], [order[i] for i in parts]
            names = listed((repr(c.label or c.code) for c in pieces), 4)
            how = "is the sum of {} in every zone" if j in counted else "holds the people of {}"
            message = f"{table.name}: {whole.label or whole.code!r} {how.format(names)}; it was left out."
            nested = bool(whole.atoms) and whole.atoms == frozenset().union(*(c.atoms for c in pieces))
            findings.append(finding("nested-subtotal", message, place=table.name, level="note" if nested else "warning"))
            drop |= codes == whole.code
        wholes = {order[j].code for j, _ in found}
        variables.append(replace(variable, categories=tuple(c for c in variable.categories if c.code not in wholes)))
    if not drop.any():
        return table, values
    errors = None if table.errors is None else table.errors.loc[:, ~drop]
    return replace(table, counts=table.counts.loc[:, ~drop], variables=tuple(variables), errors=errors), values[:, ~drop]


def _usable_rows(table: BenchmarkTable, step: int = 1) -> np.ndarray:
    """Every `step`-th row of the table as read, those left out that hold anything but counts: (n_rows, n_columns) float64."""
    if not table.counts.size:
        return np.zeros((0, table.counts.shape[1]))
    rows = table.counts.iloc[::step]
    if not all(pd.api.types.is_numeric_dtype(d) for d in rows.dtypes):
        rows = rows.astype(object).apply(pd.to_numeric, errors="coerce")
    values = rows.to_numpy(dtype=np.float64, na_value=np.nan)
    return values[(np.isfinite(values) & (values >= 0)).all(axis=1)]


def _unions(atoms: list[frozenset[str]]) -> list[tuple[int, list[int]]]:
    """Categories whose atoms are those of two or more others that do not overlap, each with its parts.

    >>> _unions([frozenset("abc"), frozenset("a"), frozenset("bc"), frozenset("b"), frozenset("c"), frozenset("d")])
    [(0, [1, 3, 4]), (2, [3, 4])]
    """
    found = []
    for j, whole in enumerate(atoms):
        inside = [i for i, a in enumerate(atoms) if a and a < whole]
        finest = [i for i in inside if not any(atoms[k] < atoms[i] for k in inside)]
        widest = [i for i in inside if not any(atoms[i] < atoms[k] for k in inside)]
        for parts in (finest, widest):
            disjoint = len(parts) > 1 and sum(len(atoms[i]) for i in parts) == len(whole)
            if disjoint and frozenset().union(*(atoms[i] for i in parts)) == whole:
                found.append((j, parts))
                break
    return found


def _nearly_adds_up(margin: np.ndarray, j: int, parts: list[int], standard_error: float) -> bool:
    """Whether the counts allow what the atoms say, the publisher's perturbation aside: a wrong codebook must not drop people."""
    gap = abs(margin[:, parts].sum() - margin[:, j].sum())
    return bool(gap <= 0.02 * margin[:, j].sum() + 6 * standard_error * np.sqrt(len(margin) * (len(parts) + 1)))


def _subtotals(margin: np.ndarray, least: int = 5) -> list[tuple[int, list[int]]]:
    """Columns that are the sum of a run of two or more neighbours in every row, each with its parts, innermost first.

    margin : (n_zones, n) counts. In `least` rows that differ two of the parts must be above nought: less could be chance.
    """
    left, found = list(range(margin.shape[1])), []
    while True:
        for i, j in enumerate(left):
            runs = [left[i + 1 : b] for b in range(i + 3, len(left) + 1)] + [left[a:i] for a in range(i - 1)]
            runs += [left[:i] + left[i + 1 :]] if 0 < i < len(left) - 1 else []
            parts = next((r for r in runs if _adds_up(margin[:64], j, r) and _adds_up(margin, j, r, least)), None)
            if parts:
                break
        else:
            return found
        found.append((j, parts))
        left.remove(j)


def _adds_up(margin: np.ndarray, j: int, parts: list[int], least: int = 0) -> bool:
    """Whether column j is the sum of the parts in every row, and two of them are above nought in `least` rows that differ."""
    pieces = margin[:, parts]
    if not (pieces.sum(axis=1) == margin[:, j]).all():
        return False
    return not least or len(np.unique(pieces[(pieces > 0).sum(axis=1) >= 2], axis=0)) >= least
