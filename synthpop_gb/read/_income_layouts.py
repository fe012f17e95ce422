"""Publishers' own layouts of area incomes: what their measures are of, and where they stand."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.read._files import Sheet, stem_of
from synthpop_gb.read._labels import key
from synthpop_gb.read._numbers import numbers, texts

__all__ = ["Layout", "layout_of"]


@dataclass(frozen=True, eq=False)
class Layout:
    """Where incomes stand in a file, and what they are; None where the file does not say.

    area, value : columns; rows : (n,) bool, rows of the measure; codes, values : where they had to be worked out.
    """

    area: str | None = None
    value: str | None = None
    rows: np.ndarray | None = None
    codes: np.ndarray | None = None
    values: np.ndarray | None = None
    name: str = ""
    kind: str | None = None
    of: str | None = None
    what: str = ""
    equivalised: bool | None = None
    year: int | None = None
    period: str = ""
    above: float | None = None
    findings: tuple[Finding, ...] = field(default=())


_ONS = {
    "total_annual_income": ("total, before tax, with benefits", False),
    "net_annual_income": ("net of tax and contributions", False),
    "net_income_before_housing_costs": ("net, equivalised, before housing costs", True),
    "net_income_after_housing_costs": ("net, equivalised, after housing costs", True),
}
"""Measures of the ONS income estimates for small areas (technical report, financial year ending 2020)."""

_HMRC = {
    "total_income": "total income before tax, of taxpayers",
    "employment_income": "income from employment, of taxpayers who have any",
    "self_employment_income": "income from self-employment, of taxpayers who have any",
    "pension_income": "income from pensions, of taxpayers who have any",
    "total_tax": "income tax, of taxpayers",
}
"""Measures of the Survey of Personal Incomes by local authority (HMRC): whoever pays no tax is not in it."""

_FURTHEST = 1.5  # times what HMRC prints of the same people; above that something else is counted


def layout_of(sheet: Sheet, measure: str | None, above: float | None) -> Layout:
    """Recognise a publisher's layout; an empty one for other files.

    Raises InputError (`study-value`) where the file has several measures, and none, or one that it does not have, is named.
    """
    columns = {key(c): c for c in sheet.columns}
    if {"measure", "msoacode", "income"} <= set(columns):
        return _ons(sheet, columns, measure)
    if {"code", "employmentincomelowerbound", "employmentincomecount", "employmentincomeamount"} <= set(columns):
        return _bands(sheet, columns, above)
    found = {f"{m}_{kind}": columns[key(f"{m}_{kind}")] for m in _HMRC for kind in ("mean", "median")
             if key(f"{m}_{kind}") in columns}  # fmt: skip
    if found:
        chosen = _chosen(sheet, measure, found)
        income, kind = chosen.rsplit("_", 1)
        return Layout(area=columns.get("code"), value=found[chosen], name=chosen, kind=kind, of="person", what=_HMRC[income],
                      equivalised=False)  # fmt: skip
    if {"code", "totalincomecount", "totalincomeamount"} <= set(columns):
        amount, count = (numbers(sheet.table[columns[f"totalincome{c}"]])[0] for c in ("amount", "count"))
        with np.errstate(invalid="ignore", divide="ignore"):
            return Layout(codes=texts(sheet.table[columns["code"]]), values=amount / count, area=columns["code"], of="person",
                          name="total_income_mean", kind="mean", what=_HMRC["total_income"], equivalised=False)  # fmt: skip
    return Layout(value=measure)


def _ons(sheet: Sheet, columns: Mapping[str, str], measure: str | None) -> Layout:
    """One row an MSOA and measure."""
    of_row = texts(sheet.table[columns["measure"]])
    chosen = _chosen(sheet, measure, {str(m): m for m in dict.fromkeys(of_row) if m is not None})
    what, equivalised = _ONS.get(chosen, ("", None))
    return Layout(
        area=columns["msoacode"], value=columns["income"], rows=of_row == chosen, name=chosen, kind="mean", of="household",
        what=what, equivalised=equivalised, year=2019, period="financial year ending March 2020",
    )  # fmt: skip


def _bands(sheet: Sheet, columns: Mapping[str, str], above: float | None) -> Layout:
    """Read people and amount by band of employment income: their mean, or the share at or above an amount."""
    low, count, amount = (numbers(sheet.table[columns[f"employmentincome{c}"]])[0] for c in ("lowerbound", "count", "amount"))
    codes = texts(sheet.table[columns["code"]])
    known = np.array([c is not None for c in codes], bool) & np.isfinite(low + count + amount)
    number, areas = pd.factorize(codes[known])
    people = np.bincount(number, count[known], len(areas))
    shared = {"codes": areas.astype(object), "area": columns["code"], "of": "person", "equivalised": False,
              "what": "income from employment, of those who have any"}  # fmt: skip
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(number, amount[known], len(areas)) / people
        if above is None:
            return Layout(values=mean, name="employment_income_mean", kind="mean", findings=_unlike(sheet, areas, mean), **shared)
        if above not in set(low[known].tolist()):
            bounds = ", ".join(f"{b:g}" for b in sorted(set(low[known].tolist())))
            message = f"{sheet.place}: no band begins at {above:g}; they begin at {bounds}."
            raise InputError([finding("study-value", message, place=sheet.place)])
        share = np.bincount(number, count[known] * (low[known] >= above), len(areas)) / people
    return Layout(values=share, name=f"employment_income_from_{above:g}", kind="share", above=above,
                  findings=_unlike(sheet, areas, mean), **shared)  # fmt: skip


def _unlike(sheet: Sheet, areas, mean: np.ndarray) -> tuple[Finding, ...]:
    """Compare bands with HMRC's means of the same authorities, where that file lies beside: one may count other people."""
    beside = next((p for p in sheet.path.parent.glob("spi_by_la.*") if p.is_file()), None)
    if beside is None:
        return ()
    from synthpop_gb.read._files import open_sheet

    theirs = open_sheet(beside)
    columns = {key(c): c for c in theirs.columns}
    if not {"code", "employmentincomemean"} <= set(columns):
        return ()
    known = pd.Series(numbers(theirs.table[columns["employmentincomemean"]])[0], texts(theirs.table[columns["code"]]))
    ratio = float(np.nanmedian(mean / known[~known.index.duplicated()].reindex(areas).to_numpy()))
    if not ratio > _FURTHEST and not ratio < 1 / _FURTHEST:
        return ()
    message = (
        f"{sheet.place}: mean employment income by its bands is {ratio:.2f} times that of {beside.name} "
        f"(median of {len(areas):,} areas)."
    )
    return (finding("income-unlike", message, place=sheet.place, count=len(areas)),)


def _chosen(sheet: Sheet, measure: str | None, there: Mapping[str, str]) -> str:
    """Return the measure asked for, or the only one. Raises InputError (`study-value`)."""
    if measure in there:
        return str(measure)
    if measure is None and len(there) == 1:
        return next(iter(there))
    near = difflib.get_close_matches(str(measure), there, n=1) if measure else []
    hint = f" Did you mean {near[0]!r}?" if near else f" There are {', '.join(there)}."
    asked = "no measure is named" if measure is None else f"there is no measure {measure!r}"
    message = f"{stem_of(sheet.path)}: {asked}.{hint}"
    raise InputError([finding("study-value", message, place=sheet.place, remedy="Name one with `measure`.")])
