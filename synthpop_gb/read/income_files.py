"""Published incomes of areas: ONS estimates for MSOAs, HMRC and ASHE figures by local authority, any CSV of value and error."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist
from typing import NoReturn

import numpy as np
import pandas as pd

from synthpop_gb.area_incomes import MEASURES, AreaIncomes
from synthpop_gb.errors import Finding, InputError, finding, refuse
from synthpop_gb.provenance import InputFile
from synthpop_gb.read._files import Sheet, open_sheet, stem_of
from synthpop_gb.read._income_layouts import Layout, layout_of
from synthpop_gb.read._labels import key
from synthpop_gb.read._numbers import numbers, texts
from synthpop_gb.read._zones import zone_column
from synthpop_gb.read.tidy_files import find_column, unknown_layout

__all__ = ["area_incomes"]

_LOWER = re.compile(r"^(lower|low|lowercl|lcl|lowerlimit|lowerconfidencelimit.*|cilower|.*lowerconfidencelimit.*)$")
_UPPER = re.compile(r"^(upper|high|uppercl|ucl|upperlimit|upperconfidencelimit.*|ciupper|.*upperconfidencelimit.*)$")
_ERROR = re.compile(r"^(standarderror|stderr|stderror|se|error)$")


def area_incomes(
    path: str | Path,
    *,
    measure: str | None = None,
    area: str | None = None,
    value: str | None = None,
    standard_error: str | float | None = None,
    relative_error: float | None = None,
    lower: str | None = None,
    upper: str | None = None,
    level: float = 0.95,
    kind: str | None = None,
    of: str | None = None,
    above: float | None = None,
    year: int | None = None,
    equivalised: bool | None = None,
    name: str | None = None,
    member: str | None = None,
) -> AreaIncomes:
    r"""Read incomes as published for areas, with their errors.

    Three publishers' files are recognised. *ONS income estimates for small areas*, a row an MSOA and measure: mean household
    income, total, net, and net equivalised before or after housing costs, with confidence limits. *HMRC Survey of Personal
    Incomes by local authority*: mean and median of total, employment, self-employment and pension income of taxpayers. *Earnings
    by band and local authority*: number of people and amount by band; their mean, or with `above` the share at or above it. Any
    other file needs a column of area codes and one of values.

    Parameters
    ----------
    path : path
        CSV (any delimiter, encoding, gzip), Parquet or Excel file.
    measure : str, optional
        Which of the file's measures: 'net_income_before_housing_costs', 'employment_income_mean'. Needed where it has several.
    area, value : str, optional
        Columns of area codes and of values; found where absent.
    standard_error : str or float, optional
        Column of standard errors, or one number for all areas in the values' unit.
    relative_error : float, optional
        One standard error for all areas, as a share of each value.
    lower, upper : str, optional
        Columns of confidence limits; found where absent. The standard error is a share of the value: the width of the interval on
        the scale of logarithms, over twice the normal quantile, since limits of incomes are published asymmetric.
    level : float
        Level of these limits.
    kind : str, optional
        'mean', 'median' or 'share', where the file does not say; 'mean' by default.
    of : str, optional
        'household' or 'person', where the file does not say; 'household' by default.
    above : float, optional
        Of shares: the amount that incomes are at or above, pounds a year.
    year : int, optional
        Year of the figures, where the file does not say.
    equivalised : bool, optional
        Whether incomes are adjusted for the household's size, where the file does not say.
    name : str, optional
        Short name; that of the measure, or of the file, by default.
    member : str, optional
        Which file of a zip, or sheet of a workbook.

    Returns
    -------
    AreaIncomes
        Findings that travel with it: 'rows-without-zone', 'not-a-number' (areas left out), 'income-unlike'.

    Raises
    ------
    InputError
        'missing-file', 'unreadable-file', 'unknown-layout', 'missing-column', 'not-a-number', 'duplicate-zone', 'no-zones',
        'study-value'.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "net.csv"
    >>> _ = file.write_text("area,value,lower,upper\nE02000001,30000,27000,33333\nE02000002,\"45,000\",40500,50000\n")
    >>> net = area_incomes(file, year=2021)
    >>> net, (100 * net.relative_errors).round(2).tolist()
    (AreaIncomes net: mean of households in 2 areas, typically 37,500 pounds a year, standard error 5.4 %, [5.38, 5.38])
    """
    sheet = open_sheet(path, member)
    layout = layout_of(sheet, measure, above)
    usual = {"kind": layout.kind or "mean", "of": layout.of or "household"}
    asked = {"kind": kind, "of": of, "above": above, "year": year, "equivalised": equivalised}
    layout = replace(layout, **(usual | {k: v for k, v in asked.items() if v is not None}))
    if layout.kind not in MEASURES:
        _wrong(sheet, f"kind is 'mean', 'median' or 'share', not {layout.kind!r}.")
    if layout.of not in ("household", "person"):
        _wrong(sheet, f"of is 'household' or 'person', not {layout.of!r}.")
    share = layout.kind == "share"
    if share != (layout.above is not None):
        _wrong(sheet, "a share needs `above`, the amount that incomes are at or above; nothing else has one.")
    codes, values, columns = _values(sheet, layout, area, value)
    errors = _errors(sheet, columns, values, standard_error, relative_error, lower, upper, level, layout.rows)
    frame, findings = _checked(sheet, codes, values, errors, share)
    return AreaIncomes(
        name=name or layout.name or stem_of(sheet.path), values=frame, measure=layout.kind, of=layout.of,
        what=layout.what, equivalised=layout.equivalised, unit="share" if share else "pounds a year",
        year=layout.year, period=layout.period, above=layout.above, source=InputFile.of(path),
        findings=(*sheet.findings, *layout.findings, *findings),
    )  # fmt: skip


def _wrong(sheet: Sheet, message: str) -> NoReturn:
    raise InputError([finding("study-value", f"{sheet.place}: {message}", place=sheet.place)])


def _values(sheet: Sheet, layout: Layout, area: str | None, value: str | None):
    """Codes and values of the rows that are asked for, and the columns among which errors are looked for."""
    column = find_column(sheet, area, "area codes") if area else layout.area or zone_column(sheet.table)
    if column is None:
        raise unknown_layout(sheet, "no column of area codes was found.", "Name it with `area`.")
    if layout.values is not None:
        return layout.codes, layout.values, []
    named = value or layout.value
    if named is None:
        others = [c for c in sheet.columns if key(c) in ("value", "income", "mean", "median", "estimate", "amount")]
        if len(others) != 1:
            raise unknown_layout(sheet, "it is not clear which column holds the incomes.", "Name it with `value`.")
        named = others[0]
    named = find_column(sheet, named, "incomes")
    rows = slice(None) if layout.rows is None else layout.rows
    return texts(sheet.table[column])[rows], numbers(sheet.table[named])[0][rows], sheet.columns


def _errors(sheet, columns, values, standard_error, relative_error, lower, upper, level, rows) -> np.ndarray:
    """Find each value's standard error; NaN where nothing says."""
    if standard_error is not None and relative_error is not None:
        _wrong(sheet, "give either standard_error or relative_error.")
    if not 0 < level < 1:
        _wrong(sheet, f"the level of confidence limits is above 0 and below 1, not {level}.")
    for number in (standard_error, relative_error):
        if isinstance(number, int | float) and not 0 <= number < np.inf:
            _wrong(sheet, f"a standard error is a number that is not negative, not {number}.")
    if relative_error is not None:
        return relative_error * values
    if isinstance(standard_error, int | float):
        return np.full(len(values), float(standard_error))
    rows = slice(None) if rows is None else rows
    found = standard_error or next((c for c in columns if _ERROR.match(key(c))), None)
    if found is not None:
        return numbers(sheet.table[find_column(sheet, found, "standard errors")])[0][rows]
    low = lower or next((c for c in columns if _LOWER.match(key(c))), None)
    high = upper or next((c for c in columns if _UPPER.match(key(c))), None)
    if low is None or high is None:
        return np.full(len(values), np.nan)
    low, high = (numbers(sheet.table[find_column(sheet, c, "confidence limits")])[0][rows] for c in (low, high))
    with np.errstate(invalid="ignore", divide="ignore"):
        width = np.where((low > 0) & (high >= low), np.log(high) - np.log(low), np.nan)
    return values * width / (2 * NormalDist().inv_cdf((1 + level) / 2))


def _checked(sheet: Sheet, codes, values, errors, share: bool) -> tuple[pd.DataFrame, list[Finding]]:
    """Keep the rows with a code and a value; findings about the others, InputError where areas come twice or none is left."""
    findings = []
    blank = np.array([c is None for c in codes], bool)
    if blank.any():
        message = f"{sheet.place}: {int(blank.sum()):,} rows have no area code and were left out."
        findings.append(finding("rows-without-zone", message, place=sheet.place, count=int(blank.sum())))
    with np.errstate(invalid="ignore"):
        good = np.isfinite(values) & ((values >= 0) & (values <= 1) if share else values > 0)
    wrong = ~blank & ~good
    if wrong.any():
        first = int(np.argmax(wrong))
        what = "no share from 0 to 1" if share else "no income above 0"
        message = f"{sheet.place}: {int(wrong.sum()):,} areas have {what} and were left out (first: {codes[first]})."
        rows = pd.DataFrame({"area": codes[wrong], "value": values[wrong]})
        findings.append(finding("not-a-number", message, place=sheet.place, count=int(wrong.sum()), rows=rows, level="warning"))
    kept = ~blank & good
    if not kept.any():
        refuse([finding("no-zones", f"{sheet.place} has no area with an income.", place=sheet.place)])
    index = pd.Index(codes[kept].astype(str).astype(object), name="area")
    if not index.is_unique:
        twice = index[index.duplicated()]
        message = f"{sheet.place} lists {len(twice):,} areas more than once (first: {twice[0]})."
        remedy = "Keep one row an area; where rows are of several measures, name one with `measure`."
        refuse([finding("duplicate-zone", message, place=sheet.place, count=len(twice), remedy=remedy, level="error")])
    errors = np.where(errors[kept] >= 0, errors[kept], np.nan)
    return pd.DataFrame({"value": values[kept], "standard_error": errors}, index), findings
