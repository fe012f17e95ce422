"""Published tables brought to other zones before they are harmonised: sums of whole zones only, nothing divided."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.errors import Finding, finding
from synthpop_gb.lookup import Lookup

__all__ = ["rezone_table"]


def rezone_table(table: BenchmarkTable, lookup: Lookup) -> BenchmarkTable:
    """Add a table's zones up to other zones, such as LSOAs of 2011 to those of 2021 where they are unchanged or merged.

    A new zone is made only where every old zone that lies in it lies there wholly and is in the table: how the people of a
    divided zone are spread over cells is not known, whatever the lookup's weights. A sum of m perturbed counts has m times the
    variance (`BenchmarkTable.errors`).

    Parameters
    ----------
    table : BenchmarkTable
        Counts of the lookup's zones.
    lookup : Lookup
        From these zones to the new ones.

    Returns
    -------
    BenchmarkTable
        With the new zones that can be made, in order of their codes. Findings, notes beside those of reading: 'ambiguous-zone'
        for zones that are divided, with the new zones lost thereby; 'partly-covered' for new zones some of whose parts the table
        lacks; 'zone-without-area'; 'no-zones' (an error) where nothing is left; 'duplicate-zone' where it has a zone twice.

    Examples
    --------
    >>> from synthpop_gb.codebook import Category, Universe, Variable
    >>> sex = Variable("sex", (Category("f", "female", frozenset("f")), Category("m", "male", frozenset("m"))))
    >>> cells = pd.MultiIndex.from_arrays([["f", "m"]], names=["sex"])
    >>> counts = pd.DataFrame([(5, 4), (3, 2), (8, 9)], ["a", "b", "c"], cells)
    >>> old = BenchmarkTable("sex", counts, (sex,), Universe("usual residents"), standard_error=0.5)
    >>> new = rezone_table(old, Lookup.of(pd.DataFrame({"zone": list("abcc"), "area": list("XXYZ")})))
    >>> new.counts.to_numpy().tolist(), [f.code for f in new.findings], new.errors.loc["X"].round(2).tolist()
    ([[8.0, 6.0]], ['ambiguous-zone'], [0.71, 0.71])
    """
    index = table.counts.index.astype(str)
    pairs = lookup.pairs[lookup.pairs["area"] != ""]
    divided = lookup.pairs["zone"].duplicated(keep=False)
    split = lookup.pairs[divided & lookup.pairs["zone"].isin(index)]
    broken = set(lookup.pairs.loc[divided, "area"]) - {""}
    lacking = pairs[~pairs["zone"].isin(index) & ~pairs["area"].isin(broken)]
    touched = set(pairs.loc[pairs["zone"].isin(index), "area"])
    good = pairs[~pairs["area"].isin(broken | set(lacking["area"]))]
    findings = _said(table, lookup, split, lacking[lacking["area"].isin(touched)], good, index)
    twice = index[index.duplicated()].unique()
    areas, row = np.unique(good["area"].to_numpy(str), return_inverse=True) if len(good) else (np.empty(0, str), np.empty(0, int))
    areas, parts = pd.Index(areas.astype(object), name="zone"), np.bincount(row, minlength=len(areas))
    at = pd.Series(np.arange(len(index)), index)[~index.duplicated()].reindex(good["zone"]).to_numpy(np.int64)
    counts = _summed(table.counts, at, row, areas, parts)
    total = None if table.total is None else _summed(table.total.to_frame(), at, row, areas, parts).iloc[:, 0]
    errors = None
    if table.errors is not None:
        variance = np.zeros(counts.shape)
        np.add.at(variance, row, table.errors.to_numpy(np.float64)[at] ** 2)
        errors = pd.DataFrame(np.sqrt(variance), areas, counts.columns)
    elif table.standard_error > 0 and (parts > 1).any():
        each = table.standard_error * np.sqrt(parts)[:, None] * np.ones(counts.shape[1])
        errors = pd.DataFrame(each, areas, counts.columns)
    if len(twice):
        message = f"{table.name} lists {len(twice):,} zones more than once (first: {twice[0]}), so they cannot be added up."
        rows = pd.DataFrame({"zone": twice})
        findings.append(finding("duplicate-zone", message, place=table.name, count=len(twice), rows=rows))
    return replace(
        table, counts=counts, total=total, errors=errors, standard_error=_largest(table.standard_error, errors),
        findings=(*table.findings, *lookup.findings, *findings),
    )  # fmt: skip


def _largest(standard_error: float, errors: pd.DataFrame | None) -> float:
    return standard_error if errors is None or errors.empty else float(errors.to_numpy().max())


def _summed(frame: pd.DataFrame, at: np.ndarray, row: np.ndarray, areas: pd.Index, parts: np.ndarray) -> pd.DataFrame:
    """Add up rows; marks instead of numbers stay as they stand where a zone keeps to itself, and make a sum unknown."""
    number = frame.apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    out = np.zeros((len(areas), frame.shape[1]))
    np.add.at(out, row, number[at])
    summed = pd.DataFrame(out, areas, frame.columns)
    alone = parts[row] == 1
    odd = np.isnan(number[at[alone]])
    if odd.any():
        summed = summed.astype(object)
        for r, c in zip(*np.nonzero(odd), strict=True):
            summed.iloc[row[alone][r], c] = frame.iloc[at[alone][r], c]
    return summed


def _said(
    table: BenchmarkTable, lookup: Lookup, split: pd.DataFrame, lacking: pd.DataFrame, good: pd.DataFrame, index: pd.Index
) -> list[Finding]:
    """Say which zones could not be used, and which new ones could not be made."""
    findings, to = [], lookup.to
    if len(split):
        n, first = split["zone"].nunique(), split["zone"].iloc[0]
        message = f"{table.name}: {n:,} zones lie in several areas of {to} (first: {first}), so none of these "
        message += f"{split['area'].nunique():,} areas can be made from this table."
        why = "Which of their people live where is not known, whatever their number."
        remedy = "Nothing, if the study needs none of them; else get the table for the new zones."
        rows = split[["zone", "area"]]
        findings.append(
            finding("ambiguous-zone", message, place=table.name, count=n, rows=rows, level="note", why=why, remedy=remedy)
        )
    if len(lacking):
        n, first = lacking["area"].nunique(), lacking["area"].iloc[0]
        message = f"{table.name} lacks zones of {n:,} areas of {to} (first: {first}), which cannot be made."
        why, rows = "A sum over some of an area's zones is not the area's count.", lacking[["zone", "area"]]
        findings.append(finding("partly-covered", message, place=table.name, count=n, rows=rows, level="note", why=why))
    lost = index[~index.isin(lookup.pairs.loc[lookup.pairs["area"] != "", "zone"])]
    if len(lost):
        message = f"{table.name}: {len(lost):,} zones are in no area of {to} (first: {lost[0]}) and were left out."
        rows = pd.DataFrame({"zone": lost})
        findings.append(finding("zone-without-area", message, place=table.name, count=len(lost), rows=rows, level="note"))
    if good.empty:
        message = f"{table.name}: no area of {to} can be made from zones such as {index[0] if len(index) else 'none'}."
        why, remedy = "Nothing would be left of the table.", "Name the lookup's column that holds the codes of the table's zones."
        findings.append(finding("no-zones", message, place=table.name, why=why, remedy=remedy))
    return findings
