"""Utility of tables: every variable, pair and triple of variables counted on both sides, and how far apart the counts are."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pandas as pd

from synthpop_gb.checks import Checks
from synthpop_gb.coded import Coded
from synthpop_gb.errors import Finding, finding
from synthpop_gb.pair import Pair
from synthpop_gb.validation.utility._sides import sides
from synthpop_gb.validation.utility.measures import ACCEPTABLE, GOOD, TABLE_MEASURES, plainly, table_measures, verdict

__all__ = ["tables"]

_DENSE = 1_000_000
"""Tables of more cells than this are counted by sorting, so that memory goes with the records and not with the cells."""


def tables(
    pair: Pair,
    *,
    order: int = 2,
    groups: int = 5,
    third: str | None = None,
    most_tables: int = 5_000,
    worst: int = 5,
) -> Checks:
    """Compare all tables of up to `order` variables.

    Numbers are cut into groups by the real ones; missing is a category. Counts are scaled to the effective numbers of records.
    A table of k variables is the propensity model with all their interactions, so its pMSE is that of a saturated logistic
    regression (Raab, Nowok & Dibben 2021, section 2).

    Parameters
    ----------
    pair : Pair
        Both sides.
    order : int
        1, 2 or 3: variables in the largest tables.
    groups : int
        Groups of a number, see `coded.group_numbers`.
    third : str, optional
        Three-way tables are those with this variable. By default all of them, as long as there are at most `most_tables`;
        else those with the variable that has the largest median S_pMSE over its two-way tables.
    most_tables : int
        Most tables of one order; what is left out is said.
    worst : int
        How many tables the finding names.

    Returns
    -------
    Checks
        Table 'utility_tables', one row a table: k, a, b, c (empty where not used), the measures of `measures.TABLE_MEASURES` and
        verdict ('good' where S_pMSE is below 3, 'acceptable' below 10, 'poor'), the worst first within each k; findings
        'utility-low' and 'utility-partial'.

    Raises
    ------
    ValueError
        For an order other than 1, 2 or 3.
    KeyError
        For a third variable that is not there.

    >>> from synthpop_gb.pair import PairVariable
    >>> def side(sex, ill):
    ...     return pd.DataFrame({"sex": pd.Categorical(list(sex), list("fm")), "ill": pd.Categorical(list(ill), list("ny"))})
    >>> kinds = (PairVariable("sex", "category"), PairVariable("ill", "category"))
    >>> found = tables(Pair(side("ffmm", "nynn"), side("ffmm", "nnny"), kinds))  # right one by one, wrong together
    >>> found["utility_tables"][["a", "b", "vw"]].round(2).values.tolist()
    [['sex', '', 0.0], ['ill', '', 0.0], ['sex', 'ill', 5.33]]
    """
    if order not in (1, 2, 3):
        raise ValueError(f"tables of {order!r} variables: 1, 2 or 3 are possible")
    both = sides(pair)
    if third is not None:
        both.pair.variable(third)
    if not both.usable:
        return Checks({}, {"utility_tables": _frame([])}, both.findings)
    counted = both.coded(groups=groups)
    names, findings = both.pair.names, list(both.findings)
    rows = [_row(counted, (i,)) for i in range(len(names))]
    if order >= 2 and len(names) >= 2:
        wanted = _within(list(combinations(range(len(names)), 2)), most_tables, findings)
        rows += [_row(counted, at) for at in wanted]
    if order == 3 and len(names) >= 3:
        wanted = _triples(rows, names, third, most_tables, findings)
        rows += [_row(counted, at) for at in wanted]
    table = _frame(rows)
    findings += _low(table, worst)
    return Checks(_headline(table), {"utility_tables": table}, tuple(findings))


def _row(counted: tuple[Coded, Coded], at: tuple[int, ...]) -> dict[str, object]:
    """Count one table on both sides and measure it."""
    real, synthetic = counted
    names = [real.names[i] for i in at] + [""] * (3 - len(at))
    keys = {"k": len(at), **dict(zip("abc", names, strict=True))}
    return {**keys, **table_measures(*_counts(real, synthetic, at))}


def _counts(real: Coded, synthetic: Coded, at: tuple[int, ...]) -> list[np.ndarray]:
    """Weighted counts of each side's cells, of some more cells than are not empty."""
    cell = [np.zeros(len(side), np.int64) for side in (real, synthetic)]
    size = 1
    for i in at:
        size *= len(real.labels[i])
        cell = [c * len(real.labels[i]) + side.codes[:, i] for c, side in zip(cell, (real, synthetic), strict=True)]
    if size > _DENSE:
        distinct, number = np.unique(np.concatenate(cell), return_inverse=True)
        size, cell = len(distinct), [number[: len(real)], number[len(real) :]]
    return [np.bincount(c, side.weight, minlength=size) for c, side in zip(cell, (real, synthetic), strict=True)]


def _within(wanted: list[tuple[int, ...]], most: int, findings: list[Finding]) -> list[tuple[int, ...]]:
    """Keep the first so many tables, and say what was left out."""
    if len(wanted) > most:
        message = (
            f"{len(wanted) - most:,} of {len(wanted):,} tables of {len(wanted[0])} variables were not looked at (`most_tables`)."
        )
        findings.append(finding("utility-partial", message, count=len(wanted) - most))
    return wanted[:most]


def _triples(
    rows: list[dict], names: tuple[str, ...], third: str | None, most: int, findings: list[Finding]
) -> list[tuple[int, ...]]:
    """Choose the three-way tables: all, or those with one variable."""
    all_of_them = comb(len(names), 3)
    if third is None:
        if all_of_them <= most:
            return list(combinations(range(len(names)), 3))
        third = _hardest(rows, names)
        message = (
            f"{all_of_them - comb(len(names) - 1, 2):,} of {all_of_them:,} three-way tables were not looked at: "
            f"only those with {third}, whose two-way tables are worst."
        )
        findings.append(finding("utility-partial", message, count=all_of_them - comb(len(names) - 1, 2)))
    at = names.index(third)
    return _within([t for t in combinations(range(len(names)), 3) if at in t], most, findings)


def _hardest(rows: list[dict], names: tuple[str, ...]) -> str:
    """Return the variable with the largest median S_pMSE over its two-way tables; the first of equals."""
    two = [r for r in rows if r["k"] == 2]
    medians = [np.median([0.0] + [np.nan_to_num(r["s_pmse"]) for r in two if n in (r["a"], r["b"])]) for n in names]
    return names[int(np.argmax(medians))]


def _frame(rows: list[dict]) -> pd.DataFrame:
    """Rows as a table, the worst of each order first."""
    table = pd.DataFrame(rows, columns=["k", "a", "b", "c", *TABLE_MEASURES])
    table = table.astype(dict.fromkeys("abc", object))
    table["verdict"] = [verdict(x) for x in table["s_pmse"].astype(float)]
    return table.sort_values(["k", "s_pmse"], ascending=[True, False], kind="stable", ignore_index=True)


def name_of(row: dict) -> str:
    """Name a table by its variables: 'age x sex'."""
    return " x ".join(str(row[n]) for n in "abc" if row[n])


def _low(table: pd.DataFrame, worst: int) -> list[Finding]:
    poor = table[table["s_pmse"] >= ACCEPTABLE].sort_values("s_pmse", ascending=False, kind="stable")
    if poor.empty:
        return []
    named = "; ".join(
        f"{name_of(r)} (S_pMSE {plainly(r['s_pmse'])}, {100 * r['specks']:.3g} % of records in other cells)"
        for r in poor.head(worst).to_dict("records")
    )
    message = f"{len(poor):,} of {len(table):,} tables have S_pMSE of {ACCEPTABLE:g} or more, the worst {named}."
    return [finding("utility-low", message, count=len(poor), rows=poor.reset_index(drop=True))]


def _headline(table: pd.DataFrame) -> dict[str, object]:
    out = {}
    for k, rows in table.groupby("k"):
        known = rows["s_pmse"].dropna()
        if known.empty:
            continue
        out[f"S_pMSE of {('one', 'two', 'three')[int(k) - 1]}-way tables"] = (
            f"median {plainly(known.median())}, largest {plainly(known.max())} ({name_of(rows.loc[known.idxmax()].to_dict())}); "
            f"{(known < GOOD).sum():,} of {len(known):,} good, {(known >= ACCEPTABLE).sum():,} poor"
        )
    return out
