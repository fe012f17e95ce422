"""IncomeTarget: which column of the survey a published income is compared with, in which areas, and in which year's money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.area_incomes import AreaIncomes
from synthpop_gb.errors import Finding, InputError, finding, refuse
from synthpop_gb.indicators import Question
from synthpop_gb.indicators.question import Answers

__all__ = ["IncomeTarget", "Matched", "match", "match_all"]


@dataclass(frozen=True)
class IncomeTarget:
    """A published income, and what of the survey it is compared with.

    Attributes
    ----------
    incomes : AreaIncomes
        As published.
    column : str
        Column of the survey with the same income; of households it is read on the reference.
    level : str
        Column of the geography whose areas it is published for: 'msoa', 'lad'; or 'zone'.
    where : str, optional
        Condition on who is counted: "age >= 16 and income > 0".
    uprate : float, optional
        Factor that brings what is published to the survey's year. Needed where the years differ; 1 to take it as it stands.
    held_out : bool
        Keep it back: it moves nothing, and judges.
    """

    incomes: AreaIncomes
    column: str
    level: str
    where: str | None = None
    uprate: float | None = None
    held_out: bool = False


@dataclass(frozen=True, eq=False)
class Matched:
    """A target on the study's records and zones.

    target : as given; incomes : uprated; answers : who counts, with which income; area : (n_zones,) int64 row of `areas`, -1 =
    none; areas : Index of the published areas (those that some zone lies in), then of areas of which nothing is published;
    published, error : (n_areas,) float64 in the survey's money, NaN where nothing is published.
    """

    target: IncomeTarget
    incomes: AreaIncomes
    answers: Answers
    area: np.ndarray
    areas: pd.Index
    published: np.ndarray
    error: np.ndarray


def match(aligned: Aligned, target: IncomeTarget) -> tuple[Matched, list[Finding]]:
    """Bring a target to the study's records and zones.

    Raises
    ------
    InputError
        With every reason why it cannot be used: `income-year` where years differ and no factor is given; `income-error` where no
        standard error is known; `income-areas` where the level is unknown or nothing is published for any of its areas;
        `bad-condition` for the column or `where`. Areas of the study without a figure are a warning, `income-areas`.
    """
    incomes, place, found = target.incomes, f"start.incomes: {target.incomes.name}", []
    found += _years(aligned, target, place)
    errors = incomes.values["standard_error"].to_numpy(float)
    if np.isnan(errors).any():
        message = f"{incomes.name}: no standard error is known of {int(np.isnan(errors).sum()):,} of {len(errors):,} areas."
        found.append(finding("income-error", message, place=place, count=int(np.isnan(errors).sum())))
    answers = None
    try:
        answers = Question(target.column, "mean", target.where, of=incomes.of).ask(aligned)
    except InputError as error:
        found += error.findings
    codes = _codes(aligned, target.level)
    if codes is None:
        known = ", ".join(("zone", *aligned.geography.parents))
        message = f"{incomes.name}: the zones have no level {target.level!r}; they have {known}."
        found.append(finding("income-areas", message, place=place, level="error"))
        raise InputError(found)
    row = incomes.row_of(codes)
    if (row < 0).all():
        shown = f"{codes.iloc[0]} and the like; it has {', '.join(map(str, incomes.areas[:2]))}"
        message = f"{incomes.name} has a figure for none of the study's areas ({shown})."
        found.append(finding("income-areas", message, place=place, count=codes.nunique(), level="error"))
    if any(f.level == "error" for f in found):
        raise InputError(found)
    if (row < 0).any():
        lacking = pd.Index(codes[row < 0].dropna().unique())
        message = (
            f"{incomes.name} has no figure for {len(lacking):,} of {codes.nunique():,} areas of the study "
            f"(first: {lacking[0] if len(lacking) else 'zones in no area'}): they get what others like them have."
        )
        rows = pd.DataFrame({"area": lacking})
        found.append(finding("income-areas", message, place=place, count=len(lacking), rows=rows))
    factor = 1.0 if target.uprate is None else target.uprate
    incomes = incomes.uprate(factor) if factor != 1.0 else incomes
    return Matched(target, incomes, answers, *_placed(incomes, codes, row)), found


def match_all(aligned: Aligned, targets: Sequence[IncomeTarget]) -> tuple[list[Matched], tuple[Finding, ...]]:
    """Bring all targets to the study: what they are on its records and zones, and findings. Raises InputError as `match`."""
    matched, found = [], []
    for target in targets:
        try:
            one, said = match(aligned, target)
        except InputError as error:
            found += [*target.incomes.findings, *error.findings]
            continue
        matched.append(one)
        elsewhere = {
            id(f) for f in target.incomes.findings if f.code == "income-regrouped" and not f.rows["area"].isin(one.areas).any()
        }
        found += [*(f for f in target.incomes.findings if id(f) not in elsewhere), *said]
    refuse(found)
    return matched, tuple(found)


def _years(aligned: Aligned, target: IncomeTarget, place: str) -> list[Finding]:
    """Say where what is published is of another year than the survey, and nothing says how incomes changed."""
    theirs, ours = target.incomes.year, aligned.survey.year
    if target.uprate is not None or theirs == ours:
        return []
    if theirs is None or ours is None:
        which = "the survey's" if theirs is not None else f"{target.incomes.name}'s"
        message = f"{target.incomes.name} is taken as it stands: {which} year is not known."
        return [finding("income-year", message, place=place, level="warning")]
    message = f"{target.incomes.name} is of {theirs} ({target.incomes.period or 'one year'}), the survey of {ours}."
    return [finding("income-year", message, place=place)]


def _codes(aligned: Aligned, level: str) -> pd.Series | None:
    if level == "zone":
        return pd.Series(aligned.zones.astype(str), aligned.zones)
    return aligned.geography.zones[level] if level in aligned.geography.parents else None


def _placed(incomes: AreaIncomes, codes: pd.Series, row: np.ndarray):
    """(area of every zone, areas, published, error): published areas in the order of their rows, the others after them."""
    used = np.unique(row[row >= 0])
    blank = codes.isna().to_numpy()
    others = pd.Index(codes[(row < 0) & ~blank].unique())
    place = np.full(len(incomes.areas) + 1, -1, np.int64)
    place[used] = np.arange(len(used))
    area = np.where(row >= 0, place[row], np.where(blank, -1, len(used) + others.get_indexer(codes)))
    areas = pd.Index([*incomes.areas[used], *others], name="area")
    published, error = np.full(len(areas), np.nan), np.full(len(areas), np.nan)
    values = incomes.values.iloc[used]
    published[: len(used)], error[: len(used)] = values["value"], values["standard_error"]
    return area, areas, published, error
