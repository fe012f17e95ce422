"""better_start: the study's problem with start weights that cross-validation, or the user, prefers to the survey's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from synthpop_gb.aligned import Aligned
from synthpop_gb.assessment.starts import regions as own
from synthpop_gb.assessment.starts import smoothing
from synthpop_gb.assessment.starts._ridge import Ridge
from synthpop_gb.assessment.starts.cross_validation import judged_errors, left_out_errors
from synthpop_gb.assessment.starts.learnt import Learnt, find_table, learn, tilted
from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.problem import Problem

if TYPE_CHECKING:
    from synthpop_gb.assessment.incomes import IncomeTarget

__all__ = ["BetterStart", "better_start"]


@dataclass(frozen=True, eq=False)
class BetterStart:
    """A problem with another start, and how it came about.

    Attributes
    ----------
    problem : Problem
        To be solved.
    facts : dict
        Strengths, errors and coefficients as plain values: with these and the same inputs `better_start(..., known=facts)` makes
        the same problem again, and nothing is chosen or learnt anew.
    findings : tuple of Finding
        What was asked for and not done, with the reason.
    """

    problem: Problem
    facts: dict[str, Any]
    findings: tuple[Finding, ...] = field(default=())

    def __repr__(self) -> str:
        """One line a change of the start."""
        said = []
        if "smooth" in self.facts:
            said.append(f"smoothed by {self.facts['smooth']['strength']:g}")
        if "own_region" in self.facts:
            blend = self.facts["own_region"]
            said.append(f"donors of {', '.join(blend['regions'])} favoured by {blend['strength']:g}")
        for one in self.facts.get("learnt", ()):
            where = f"{one['areas']:,} {'zones elsewhere' if one['from'] == 'other zones' else 'areas: ' + one['from']}"
            errors = f"{one['error_fit']:.2f} % in the wrong cell by the fit, {one['error_learnt']:.2f} % learnt"
            taken = "" if one["strength"] is not None else "; not taken"
            said.append(f"{one['table']} learnt from {where}: {errors}, left out{taken}")
        said += self.facts.get("incomes", {}).get("said", ())
        if "max_copies" in self.facts:
            said.append(f"a donor stands in a zone {self.facts['max_copies']:g} times at most")
        return "BetterStart: " + ("; ".join(said) or "the survey's own start")


def better_start(
    problem: Problem,
    aligned: Aligned,
    *,
    own_region: float | Literal["auto"] | None = None,
    region: str | None = None,
    smooth: bool | float = False,
    learnt: Sequence[Learnt] = (),
    incomes: Sequence[IncomeTarget] = (),
    income_bands: int = 20,
    income_prior: float | None = None,
    max_copies: float | None = None,
    judge: Sequence[str] = (),
    seed: int = 0,
    known: Mapping[str, Any] | None = None,
) -> BetterStart:
    """Give a problem better start weights: what fitting cannot change, it takes from them.

    Tables fix what they count; everything else that a population says, it has from its start. Smoothing comes first, then the
    own region's donors, then learnt joints, then incomes. Nothing is on by default, since no change helps everywhere.

    Parameters
    ----------
    problem : Problem
        From `formulate(aligned)`.
    aligned : Aligned
        What it was formulated from.
    own_region : float or 'auto', optional
        Strength, from 0 to below 1, with which donors from a zone's own region are favoured (`regions.blended`). 'auto' leaves
        each table out of the fit in turn and takes a strength only where predictions get better by one per cent.
    region : str, optional
        Region of all zones, by code or name; otherwise the geography's column 'region' tells.
    smooth : bool or float
        Strength of two-way smoothing (`smoothing.smoothed`), 0 to 1; True for the one under which donors left out are likeliest.
    learnt : sequence of Learnt
        Joint tables to learn elsewhere, in turn.
    incomes : sequence of IncomeTarget
        Published incomes of areas, towards which the start is tilted last of all, so far as they are sure; `income_bands` and
        `income_prior` as `bands` and `prior` of `calibrate_incomes`.
    max_copies : float, optional
        How often a donor may stand in a zone, at most; below 1 as a share of the zone's units. Methods 'ipf' and 'balance' keep
        to it in the fit, in whole counts and in placement; the others refuse.
    judge : sequence of str
        Names of held-out tables by which 'auto' chooses, instead of leaving tables out. They no longer judge the result.
    seed : int
        Fixes the folds of the survey by which smoothing is chosen.
    known : mapping, optional
        `facts` of an earlier call with the same arguments.

    Returns
    -------
    BetterStart

    Raises
    ------
    InputError
        `start-region`, `start-training`, `start-leak`, `study-reference`, and those of `calibrate_incomes`: every reason found
        why something cannot be done.
    ValueError
        For a strength outside its range. Donors of the own region alone (1) are refused: they do worse than everybody.

    Examples
    --------
    >>> from synthpop_gb.testing import small_problem
    >>> better_start(small_problem(), None, max_copies=5)
    BetterStart: a donor stands in a zone 5 times at most
    """
    wrong = [] if own_region in (None, "auto") else _strength(own_region)
    if wrong:
        raise ValueError(wrong)
    known, facts, findings, plain = known or {}, {}, [], problem
    if smooth is not False and smooth is not None:
        problem, facts["smooth"] = _smooth(problem, smooth, seed, known.get("smooth"))
    if own_region is not None:
        problem, facts["own_region"], said = _blend(problem, aligned, own_region, region, judge, known.get("own_region"))
        findings += said
    if learnt:
        problem, facts["learnt"], said = _learn(problem, plain, aligned, learnt, known.get("learnt"))
        findings += said
    if incomes:
        from synthpop_gb.assessment.incomes import calibrate_incomes

        found = calibrate_incomes(problem, aligned, incomes, bands=income_bands, prior=income_prior, known=known.get("incomes"))
        problem, facts["incomes"] = found.problem, found.facts
        findings += found.findings
    if max_copies is not None:
        problem, facts["max_copies"] = replace(problem, max_copies=max_copies), max_copies
        findings += _short_of_donors(problem)
    return BetterStart(problem, facts, tuple(findings))


def _strength(value) -> str:
    if not isinstance(value, int | float) or not 0 <= value < 1:
        return f"own_region is 'auto' or a strength from 0 to below 1, not {value!r}: the own region's donors alone are too few"
    return ""


def _smooth(problem: Problem, smooth: bool | float, seed: int, known: Mapping | None) -> tuple[Problem, dict]:
    if known is not None:
        facts = dict(known)
    elif smooth is True:
        strength, facts = smoothing.choose_strength(problem, seed)
        facts = {"strength": strength, **facts}
    else:
        facts = {"strength": float(smooth)}
    return smoothing.smoothed(problem, facts["strength"]), facts


def _blend(problem, aligned, wanted, region, judge, known) -> tuple[Problem, dict, list[Finding]]:
    found = own.find_regions(problem, aligned, region)
    findings = []
    if (found.of_zone < 0).any():
        away = aligned.zones[found.of_zone < 0]
        message = f"{len(away):,} zones lie in no region that donors come from (first: {away[0]}): no donors are favoured there."
        findings.append(finding("start-region", message, place="start.own_region", count=len(away), level="warning"))
    if known is not None:
        facts = dict(known)
    elif wanted == "auto":
        errors = left_out_errors
        if judge:
            tables = [t for t in aligned.held_out if t.name in judge]
            if missing := sorted(set(judge) - {t.name for t in tables}):
                message = f"No held-out table is called {', '.join(missing)}."
                raise InputError([finding("study-reference", message, place="start.judge")])
            errors = partial(judged_errors, judges=tables)
        strength, facts = own.choose_strength(problem, found, errors=errors)
        facts = {"strength": strength, "regions": list(found.names), **facts}
    else:
        facts = {"strength": float(wanted), "regions": list(found.names)}
    return own.blended(problem, found, facts["strength"]), facts, findings


def _learn(problem, plain, aligned, learnt, known) -> tuple[Problem, list[dict], list[Finding]]:
    facts, findings, refused, taken = [], [], [], []
    for number, wanted in enumerate(learnt):
        try:
            if known is not None:
                table, told = find_table(aligned, wanted), dict(known[number])
                ridge = Ridge.of_plain(told["ridge"]) if told.get("ridge") else None
            else:
                table, ridge, told = learn(plain, aligned, wanted)
        except InputError as error:
            refused += error.findings
            continue
        facts.append(told)
        if ridge is None:
            message = (f"{wanted.table!r}: areas left out are predicted no better ({told['error_learnt']:.2f} % of people in the "
                       f"wrong cell) than by the fit ({told['error_fit']:.2f} %), so nothing was learnt from it.")  # fmt: skip
            findings.append(finding("start-training", message, place="start.learnt", level="warning"))
        else:
            taken.append((table, ridge))
    if refused:
        raise InputError(refused)
    if taken:
        problem = tilted(problem, plain, taken)
    return problem, facts, findings


def _short_of_donors(problem: Problem) -> list[Finding]:
    """Say where a cell's target is more than all its donors may bring under the limit: nothing can meet it."""
    import numpy as np

    caps, members = problem.caps(np.arange(problem.n_zones)), problem.members.matrix()
    brought = np.asarray(np.diff(problem.donor_start) @ members)
    short = problem.targets > brought[None] * caps[:, None] + 0.5
    if not short.any():
        return []
    zone, cell = (int(i[0]) for i in np.nonzero(short))
    label, zones = " = ".join(map(str, problem.cells[cell])), int(short.any(axis=1).sum())
    message = (
        f"In {zones:,} zones some target is more than all its donors may bring (first: {problem.zones[zone]}, {label}: "
        f"{problem.targets[zone, cell]:,.0f} wanted, {brought[cell]:,.0f} times {caps[zone]} at most)."
    )
    return [finding("too-few-copies", message, place="start.max_copies", count=zones)]
