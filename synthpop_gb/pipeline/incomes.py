"""Published incomes of a study: read and brought to its areas; and, of a finished run, each area's before and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from synthpop_gb import run_folder
from synthpop_gb.aligned import Aligned
from synthpop_gb.area_incomes import error_unit, mean_error
from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.population import Population
from synthpop_gb.spec.start import IncomeModel

__all__ = ["add_incomes", "check_incomes", "income_targets"]


def income_targets(wanted: Sequence[IncomeModel]) -> list:
    """Read published incomes, brought to the study's vintage: an `IncomeTarget` each. Raises InputError with all findings."""
    made, found = [], []
    for number, one in enumerate(wanted):
        try:
            made.append(_target(one))
        except InputError as error:
            found += [replace(f, message=f"start.incomes.{number}: {f.message}") for f in error.findings]
    names = [t.incomes.name for t in made]
    if twice := sorted({n for n in names if names.count(n) > 1}):
        message = f"start.incomes: several are called {', '.join(twice)}."
        found.append(finding("study-value", message, place="start.incomes", remedy="Give each a `name` of its own."))
    if found:
        raise InputError(found)
    return made


def _target(one: IncomeModel):
    from synthpop_gb import read
    from synthpop_gb.assessment.incomes import IncomeTarget
    from synthpop_gb.rezoning import rezone_incomes

    incomes = read.area_incomes(
        one.path, measure=one.measure, area=one.area, value=one.value, standard_error=one.standard_error,
        relative_error=one.relative_error, lower=one.lower, upper=one.upper, level=one.confidence, kind=one.kind, of=one.of,
        above=one.above, year=one.year, name=one.name,
    )  # fmt: skip
    if one.lookup is not None:
        column = one.from_ or read.column_of(one.lookup, set(incomes.areas.astype(str)))
        incomes = rezone_incomes(incomes, read.lookup(one.lookup, zone=column, to=one.to, weight=one.weight))
    return IncomeTarget(incomes, one.column, one.level, one.where, one.uprate, one.held_out)


def check_incomes(wanted: Sequence[IncomeModel], aligned: Aligned) -> list[Finding]:
    """Say what speaks against a study's published incomes, nothing computed: every finding."""
    from synthpop_gb.assessment.incomes.target import match

    try:
        targets = income_targets(wanted)
    except InputError as error:
        return list(error.findings)
    found = []
    for target in targets:
        try:
            match(aligned, target)
        except InputError as error:
            found += error.findings
    return found


def add_incomes(study, folder, aligned: Aligned, population: Population, checks: Checks) -> Checks:
    """Add each published area's income to the checks: table 'incomes', and a line a target to the headline.

    The table has the columns of `CalibratedIncomes.frame`; `after` is of the population's own fit, and beside it stand `counted`
    (the same among its whole people; blank where the survey is not open and fewer than ten records stand behind it), `donors` and
    `n_eff` (records behind it, and their effective number), `reliability`.
    """
    from synthpop_gb.assessment.incomes import again, match_all

    known = (population.provenance.start or {}).get("incomes")
    if known is None:
        return checks
    targets = income_targets(study.start.incomes)
    matched, _ = match_all(aligned, targets)
    frame, _ = again(matched, known)
    parts, headline = [], {}
    for one, told in zip(matched, known["targets"], strict=True):
        mine = frame[frame["incomes"] == one.incomes.name].reset_index(drop=True)
        mine = _as_made(one, mine, folder, aligned, population)
        parts.append(mine)
        headline[f"income {one.incomes.name}"] = _in_words(told, mine)
    table = pd.concat(parts, ignore_index=True)
    return replace(checks, headline={**checks.headline, **headline}, tables={**checks.tables, "incomes": table})


def _as_made(one, frame: pd.DataFrame, folder, aligned: Aligned, population: Population) -> pd.DataFrame:
    """Set what the population has beside what was published."""
    from synthpop_gb.indicators import FEW_DONORS, classify
    from synthpop_gb.indicators.sums import donors_behind, fractional_sums, profile_means

    value = one.answers.value
    if one.incomes.measure == "share":
        value = (value >= one.incomes.above).astype(float)
    answers = replace(one.answers, area=one.area, areas=one.areas, value=np.where(one.answers.base, value, 0.0))
    behind = donors_behind(answers, run_folder.read_counts(folder, aligned.records), aligned.zones)
    with np.errstate(invalid="ignore", divide="ignore"):
        if one.incomes.measure == "median":  # of the fit it is told by the start's own record
            counted = _medians(behind, answers.value, len(frame))
        else:
            counted = (behind.total(answers.value) / behind.people)[:, 0]
            held = profile_means(np.stack([answers.value, answers.base.astype(float)], 1), population.problem)
            sums = fractional_sums(held, answers, population)
            frame = frame.assign(after=sums[:, 0] / sums[:, 1])
    if aligned.survey.licence != "open":  # few records' incomes are told by their mean
        counted = np.where(behind.donors[:, 0] < FEW_DONORS, np.nan, counted)
    share = one.incomes.measure == "share"
    reliable = classify(frame["after"], frame["standard_error"], behind.donors[:, 0], share=share)
    return frame.assign(
        counted=counted, donors=behind.donors[:, 0], n_eff=behind.n_eff[:, 0],
        reliability=np.where(frame["standard_error"].isna(), "", reliable),
    )  # fmt: skip


def _medians(behind, value: np.ndarray, n: int) -> np.ndarray:
    """Median income of the whole people of each area."""
    answer = value[behind.slot]
    out, order = np.full(n, np.nan), np.lexsort((answer, behind.cell))
    cell, answer, number = behind.cell[order], answer[order], behind.number[order]
    for a in np.unique(cell):
        mine = slice(*np.searchsorted(cell, [a, a + 1]))
        reached = np.cumsum(number[mine])
        out[a] = answer[mine][int(np.searchsorted(reached, 0.5 * reached[-1]))]
    return out


def _in_words(told: dict, frame: pd.DataFrame) -> str:
    """Say a target's errors before and after in one line."""
    known = frame[frame["published"].notna()]
    unit = error_unit(told["measure"])
    after, whole = (mean_error(known[c], known["published"], told["measure"]) for c in ("after", "counted"))
    predicted = "" if told["held_out"] else f"; areas left out {told['error_predicted']:.2f}"
    kept = "kept back, off by" if told["held_out"] else "off by"
    return (
        f"{told['measure']} of {told['column']} in {told['areas_published']:,} areas {kept} {told['error_before']:.2f} {unit} "
        f"before, {after:.2f} after ({whole:.2f} of whole people){predicted}; "
        f"the published figures' own errors make {told['noise']:.2f}"
    )
