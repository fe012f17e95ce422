"""One table's counts for the zones of the study: every count a number, every zone once, no subtotal beside its parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.benchmark import GUEST_LIMIT, BenchmarkTable
from synthpop_gb.errors import Finding, finding
from synthpop_gb.geography.vintage import OFFICIAL_CODE, vintages
from synthpop_gb.harmonisation._words import listed, number
from synthpop_gb.harmonisation.subtotals import without_subtotals
from synthpop_gb.harmonisation.zones import among

__all__ = ["Prepared", "prepare"]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A table as it can be used: without subtotals, in the order of the study's zones.

    values : (n_zones, n_columns) float64, noughts where a zone cannot be used; bad : (n_zones,) bool, those zones.
    errors : (n_zones, n_columns) float64, standard deviation of each count's perturbation; None where zones do not differ in it.
    """

    table: BenchmarkTable
    values: np.ndarray
    bad: np.ndarray
    errors: np.ndarray | None = None


def prepare(table: BenchmarkTable, zones: pd.Index, geography: pd.Index) -> tuple[Prepared, list[Finding]]:
    """Take the study's zones from a table and say everything that is wrong with them.

    zones : codes of the study area, in order; geography : all codes that the lookup knows.

    Returns the prepared table and findings: 'duplicate-zone', 'missing-zone' or 'zone-vintage', 'unknown-zone',
    'truncated-file', 'not-a-number', 'missing-count', 'negative-count', 'fractional-count', 'nested-subtotal',
    'incomplete-cells'. What the reader found already is not said twice.
    """
    findings: list[Finding] = []
    values, bad = _numbers(table, *_rows(table, zones, geography, findings), zones, findings)
    table, values = without_subtotals(table, values, findings)
    _compare_total(table, values, bad, zones, findings)
    known = {f.code for f in table.findings}
    errors = None
    if table.errors is not None:
        errors = table.errors[~table.errors.index.duplicated()].reindex(zones).fillna(0.0).to_numpy(np.float64)
    return Prepared(table, values, bad, errors), [f for f in findings if f.code not in known]


def _rows(table: BenchmarkTable, zones: pd.Index, geography: pd.Index, findings: list[Finding]) -> tuple[np.ndarray, np.ndarray]:
    """Row of each zone in the table (the first; 0 where there is none), and which zones are missing or double."""
    index = table.counts.index
    if index.equals(zones) and index.is_unique:
        return np.arange(len(zones)), np.zeros(len(zones), bool)
    again = index.duplicated()
    twice = index[again].unique()
    twice = twice[among(twice, zones)]
    if len(twice):
        message = f"{table.name} lists {number(len(twice), 'zone')} more than once: {listed(twice)}."
        findings.append(
            finding("duplicate-zone", message, place=table.name, count=len(twice), rows=pd.DataFrame({"zone": twice}))
        )
    once = index[~again]
    row = once.get_indexer(zones)
    missing = zones[row < 0]
    unknown = once[~among(once, geography)]
    if len(missing):
        findings.append(_missing(table, missing, unknown, zones))
    if len(unknown):
        message = f"{table.name} has {number(len(unknown), 'row')} of zones that the lookup does not know: {listed(unknown)}."
        level = "note" if not len(missing) else None
        rows = pd.DataFrame({"zone": unknown})
        findings.append(finding("unknown-zone", message, place=table.name, count=len(unknown), rows=rows, level=level))
    if GUEST_LIMIT in (len(table.counts), table.counts.size, int(table.counts.count().sum())):
        message = f"{table.name} has exactly 25,000 rows, the guest limit of the Nomis API."
        findings.append(finding("truncated-file", message, place=table.name, level=None if len(missing) else "warning"))
    return np.flatnonzero(~again)[np.maximum(row, 0)] if len(index) else np.zeros(len(zones), int), (row < 0) | among(
        zones, twice
    )


def _missing(table: BenchmarkTable, missing: pd.Index, unknown: pd.Index, zones: pd.Index) -> Finding:
    """Say that zones are missing, and whether it is because their codes are of another year or another kind."""
    rows = pd.DataFrame({"zone": missing})
    share = f"{len(missing):,} of {len(zones):,}"
    theirs, ours = vintages(table.counts.index), vintages(zones)
    if set(table.counts.index.astype(str).str.slice(0, 3)).isdisjoint(set(missing.astype(str).str.slice(0, 3))):
        kinds = f"{listed(missing, 1).split(' ...')[0]} is of another kind than {listed(table.counts.index, 1).split(' ...')[0]}"
        message = f"{table.name} has none of the {share} zones asked for: {kinds}."
        return finding("missing-zone", message, place=table.name, count=len(missing), rows=rows,
                       remedy="Get the table for the zones of the study, or add its areas up with a lookup.")  # fmt: skip
    newer = any(2021 in theirs.get(k, ()) and 2011 in y for k, y in vintages(missing).items()) and not _has_2021(ours)
    older = any(2021 in y and 2021 not in theirs.get(k, ()) for k, y in vintages(missing).items())
    recoded = len(missing) < 0.5 * len(zones) and len(unknown) >= 0.1 * len(missing) and _are_gss(missing, unknown)
    # a table of another year has codes that the study's lookup does not know; one of a smaller area has not
    if len(unknown) and (newer or older or recoded):
        what = (
            "2021 codes, the study older ones"
            if newer
            else "older codes, the study 2021 ones"
            if older
            else "codes of another year"
        )
        message = f"{table.name} has {what}: {share} zones of the study are not in it ({listed(missing)})"
        message += f", and it has {number(len(unknown), 'zone')} that the lookup does not know." if len(unknown) else "."
        rows = pd.DataFrame(
            {"zone": [*missing, *unknown], "where": ["study only"] * len(missing) + ["table only"] * len(unknown)}
        )
        return finding("zone-vintage", message, place=table.name, count=len(missing), rows=rows)
    message = f"{table.name} lacks {share} zones of the study: {listed(missing)}."
    remedy = None
    if not len(unknown) and len(missing) > 0.5 * len(zones):
        remedy = "If the table is of your study area, name that area: `parent` or `codes` under [zones]. Else supply the rows."
    return finding("missing-zone", message, place=table.name, count=len(missing), rows=rows, remedy=remedy)


def _are_gss(missing: pd.Index, unknown: pd.Index) -> bool:
    """Whether both are codes of the Government Statistical Service (a letter and eight digits) of one kind of area."""
    both = missing.append(unknown).astype(str)
    return bool(both.str.fullmatch(OFFICIAL_CODE).all()) and len(set(both.str.slice(0, 3))) == 1


def _has_2021(found: dict[str, set[int]]) -> bool:
    return any(2021 in years for years in found.values())


def _numbers(
    table: BenchmarkTable, row: np.ndarray, bad: np.ndarray, zones: pd.Index, findings: list[Finding]
) -> tuple[np.ndarray, np.ndarray]:
    """Put counts in the order of the zones; every cell that is no count makes its zone unusable and is said."""
    if not len(table.counts):
        return np.zeros((len(zones), table.counts.shape[1])), np.ones(len(zones), bool)
    numeric = all(pd.api.types.is_numeric_dtype(d) and not pd.api.types.is_extension_array_dtype(d) for d in table.counts.dtypes)
    blank = text = None
    if numeric:
        values = table.counts.to_numpy(dtype=np.float64)[row]
    else:
        raw = table.counts.iloc[row].astype(object)
        values = raw.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        blank = raw.isna().to_numpy() | raw.astype(str).apply(lambda column: column.str.strip() == "").to_numpy()
        text = np.isnan(values) & ~blank
    here = ~bad[:, None]
    finite = np.isfinite(values)
    if not finite.all():
        text = here & ((np.isinf(values) | text) if text is not None else np.isinf(values))
        blank = here & ~finite & ~text
        original = table.counts.iloc[row] if not numeric else None
        _say(
            table,
            "not-a-number",
            "{n} of {name} {are} not a number (first: {value!r} in {zone})",
            text,
            zones,
            original,
            values,
            findings,
        )
        _say(table, "missing-count", "{n} of {name} {are} blank (first: {cell} in {zone})", blank, zones, None, values, findings)
        values = np.where(finite, values, 0.0)
    negative = here & (values < 0)
    _say(
        table,
        "negative-count",
        "{n} of {name} {are} below nought (first: {value:g} in {zone})",
        negative,
        zones,
        None,
        values,
        findings,
    )
    fractional = here & (values != np.floor(values))
    _say(table, "fractional-count", "{n} of {name} {are} not whole (first: {value:g} in {zone}); an unbiased draw rounds them",
         fractional, zones, None, values, findings)  # fmt: skip
    bad = bad | (~finite | (values < 0)).any(axis=1)
    values[bad] = 0.0
    return values, bad


def _say(table, code, sentence, mask, zones, original, values, findings) -> None:
    """Add one finding about the cells in `mask`, with the cells as rows (at most 10,000)."""
    if not mask.any():
        return
    z, c = (part[:10_000] for part in np.nonzero(mask))
    shown = values[z, c] if original is None else [original.iloc[i, j] for i, j in zip(z, c, strict=True)]
    cells = _cell_labels(table)
    rows = pd.DataFrame({"zone": zones[z], "cell": [cells[j] for j in c], "value": shown})
    n = int(mask.sum())
    text = sentence.format(
        n=number(n, "cell"), name=table.name, are="is" if n == 1 else "are", value=shown[0], zone=rows.zone[0], cell=rows.cell[0]
    )
    findings.append(finding(code, text + ".", place=table.name, count=n, rows=rows))


def _cell_labels(table: BenchmarkTable) -> list[str]:
    """Labels of the columns for people, the codes where the codebook has none."""
    parts = []
    for variable in table.variables:
        labels = {c.code: c.label or c.code for c in variable.categories}
        codes = table.counts.columns.get_level_values(variable.name).astype(str)
        parts.append([labels.get(code, code) for code in codes])
    return [" x ".join(cell) for cell in zip(*parts, strict=True)]


def _compare_total(table: BenchmarkTable, values: np.ndarray, bad: np.ndarray, zones: pd.Index, findings: list[Finding]) -> None:
    """Say where the cells do not add up to the publisher's own total, beyond what its perturbation explains."""
    if table.total is None or bad.all():
        return
    total = pd.to_numeric(table.total[~table.total.index.duplicated()].reindex(zones), errors="coerce").to_numpy(np.float64)
    gap = np.where(bad | np.isnan(total), 0.0, values.sum(axis=1) - np.nan_to_num(total))
    spread = 6 * table.standard_error * np.sqrt(values.shape[1] + 1)
    off = np.abs(gap) > spread
    drift = abs(gap.sum()) > spread * np.sqrt(len(zones)) + 0.001 * np.nansum(total)
    if not (off.any() if table.standard_error == 0 else off.mean() > 0.01 or drift):
        return
    worst = int(np.argmax(np.abs(gap)))
    off = gap != 0
    rows = pd.DataFrame({"zone": zones[off], "cells": values.sum(axis=1)[off], "total": total[off]})
    message = (
        f"{table.name}: the cells do not add up to the published total in {number(int(off.sum()), 'zone')} "
        f"(largest gap {abs(gap[worst]):,.0f}, {zones[worst]}; "
        f"{abs(gap.sum()):,.0f} {'too few' if gap.sum() < 0 else 'too many'} in all)."
    )
    findings.append(finding("incomplete-cells", message, place=table.name, count=int(off.sum()), rows=rows))
