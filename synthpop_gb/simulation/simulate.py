"""The door to policy figures: a model runs once on every donor, and counts turn what it says into figures with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.assessment.grounds import Grounds, aligned_of
from synthpop_gb.assessment.indicator import REPLICATES, with_replicates
from synthpop_gb.assessment.leave_one_out import LeftOut
from synthpop_gb.errors import Finding, InputError, distinct, finding, refuse
from synthpop_gb.indicators import parse_condition
from synthpop_gb.indicators.question import UNITS, Asked, asked_about
from synthpop_gb.policy import (
    BASELINE,
    Outcomes,
    Places,
    PolicyModel,
    PovertyLine,
    Simulation,
    as_model,
    poverty_line,
    probe,
    run_model,
)
from synthpop_gb.policy._run import classes_for
from synthpop_gb.population import DonorCounts, Population
from synthpop_gb.simulation.deciles import DECILE, Deciles, in_deciles, refined, tenths_of
from synthpop_gb.simulation.estimating import by_place, estimated
from synthpop_gb.simulation.lines import line_problems, lines_said, parents_of, poverty_lines
from synthpop_gb.simulation.wanted import Wanted, measures_by_outcome, wanted_of

__all__ = ["simulate"]


def simulate(
    population: Population,
    model: PolicyModel | Callable | str,
    *,
    reforms: Mapping[str, Mapping[str, Any]] | None = None,
    outcomes: Sequence[str] | str | None = None,
    measures: str | Sequence[str] | Mapping[str, Sequence[str]] = ("mean",),
    by: str | Sequence[str] = ("zone",),
    where: str | None = None,
    places: Places | pd.DataFrame | None = None,
    quantile: float = 0.5,
    line: PovertyLine | float | Mapping[str, Any] = 0.6,
    unit: str = "person",
    threshold: float = 0.0,
    deciles: Deciles | str | None = None,
    level: float = 0.9,
    aligned: Aligned | None = None,
    left_out: LeftOut | None = None,
    counts: Iterable[DonorCounts] | None = None,
    check: bool = True,
) -> Simulation:
    """Run a model on a population's donors, and estimate what it comes to in each area and group, with intervals.

    The model runs once on every survey record, in every class of place that its rules read; the fit, the replicates and the whole
    people are then counts of records. That is running it on everybody, as long as copies of a record have its outcome: a probe
    refuses outcomes of which that is not so. Intervals are made as those of `indicator`; of a change they are of each donor's
    change, so that what both scenarios share is not in them.

    Parameters
    ----------
    population : Population
        With fewer than two replicates, forty are made first.
    model : PolicyModel, callable or str
        See `policy.as_model`.
    reforms : mapping of str to mapping, optional
        Parameters that each reform changes, by its name.
    outcomes : sequence of str, optional
        Outcomes of the model, or conditions on them and the survey's columns ('universal_credit > 0'). All outcomes where None.
    measures : sequence of str, or mapping of outcome to these
        'mean', 'total', 'quantile'; 'share' and 'count' of an outcome that is yes or no; 'poverty', 'gini', 's80s20', 'p90p10' of
        a number; of each reform beside the baseline 'change' (its mean), 'total_change', 'gainers' and 'losers' (shares of people
        whose outcome rises or falls).
    by : str or sequence of str
        'zone', a parent level or 'all'; variables whose categories make groups; 'decile', tenths of people by `deciles`.
    where : str, optional
        Condition on who is asked about, by the survey's columns.
    places : Places or pandas.DataFrame, optional
        Classes of place, or a table of what rules read of a place, by zone or level; see `policy.places_for`.
    quantile : float
        Which quantile.
    line : PovertyLine, float or mapping
        Poverty line; a number is a share of the baseline's median.
    unit : str
        'person': figures are of people, a household's outcome standing on each member, while totals count a household once, in
        equal parts on its members. 'household': each household counts once, persons' outcomes added up over its members.
    threshold : float
        Change beyond which an outcome counts as risen ('gainers') or fallen ('losers'), in its unit.
    deciles : Deciles or str, optional
        The outcome of the baseline that deciles are of, and whose.
    level : float
        Nominal coverage of the intervals, above 0 and below 1.
    aligned, left_out, counts
        As `indicator` has them.
    check : bool
        Whether to probe the model under every scenario first.

    Returns
    -------
    Simulation

    Raises
    ------
    InputError
        Everything that is wrong with the model's outcomes and the question, at once; see `policy.run_model` and `policy.probe`.
    ValueError
        For a level, quantile, line or unit out of range; where `aligned` or `left_out` is of other records or zones.

    Examples
    --------
    >>> found = simulate(population, "tax-benefit", reforms={"allowance": {"personal_allowance": 15_000}},
    ...                  measures=["mean", "change"], by=["zone", "sex"])              # doctest: +SKIP
    >>> found.rows("allowance", "net_income", "change")                               # doctest: +SKIP
    """
    aligned, model, line = aligned_of(population, aligned), as_model(model), poverty_line(line)
    _check_numbers(level, quantile, unit)
    problems: list[Finding] = []
    by = (by,) if isinstance(by, str) else tuple(by)
    deciles = Deciles(deciles) if isinstance(deciles, str) else deciles
    asked = asked_about(aligned, [b for b in by if b != DECILE], where, unit, problems)
    if DECILE in by and deciles is None:
        problems.append(finding("study-value", "figures by decile need deciles=, the outcome that they are of.", place="by"))
    ran = _ran(model, aligned, places, reforms or {}, population.provenance.seed, problems)
    if BASELINE not in ran:
        raise InputError(problems)
    names = list(ran[BASELINE].names if outcomes is None else [outcomes] if isinstance(outcomes, str) else outcomes)
    of_each = measures_by_outcome(measures, names, bool(reforms), problems)
    poor = any("poverty" in m for m in of_each.values())
    problems += line_problems(line, aligned) if poor else []
    by_decile = deciles if DECILE in by else None
    noticed = _probed(model, aligned, ran, _used(names, by_decile, ran[BASELINE]), population.provenance.seed) if check else ()
    if not any(f.level == "error" for f in (*problems, *noticed)):
        ran = _refined(ran, aligned, by_decile, line if poor else None)
    wanted = wanted_of(ran, of_each, aligned, unit=unit, threshold=threshold, problems=problems)
    refuse([*problems, *noticed])
    own, population = population, with_replicates(population, REPLICATES)
    blocks = list(population.blocks() if counts is None else counts)
    if by_decile is not None:
        asked = in_deciles(asked, tenths_of(by_decile, ran[BASELINE], blocks, aligned))
    asked = by_place(asked, ran[BASELINE].places)
    grounds = Grounds.of(population, aligned, asked, level, left_out)
    lines = poverty_lines(wanted, line, asked, population, aligned, parents_of(line, ran[BASELINE].places, aligned))
    frame = estimated(wanted, asked, grounds, blocks, level, quantile=quantile, lines=lines)
    facts = _facts(ran, asked, grounds, own is population, unit=unit, where=where, quantile=quantile, threshold=threshold)
    facts["poverty lines"] = lines_said(line, lines, rounded=aligned.survey.licence != "open")
    return _simulation(ran, wanted, frame, level, facts, noticed, UNITS[unit] + (f", where {where}" if where else ""))


def _refined(
    ran: dict[str, Outcomes], aligned: Aligned, deciles: Deciles | None, line: PovertyLine | None
) -> dict[str, Outcomes]:
    """Tell classes of place apart by what deciles and poverty lines are relative to."""
    levels = [deciles.within] if deciles is not None else []
    levels += [line.of] if line is not None and line.amount is None else []
    for level in dict.fromkeys(n for n in levels if n != "all"):
        ran = {scenario: refined(outcome, aligned, level) for scenario, outcome in ran.items()}
    return ran


def _check_numbers(level: float, quantile: float, unit: str) -> None:
    """Raise ValueError for nonsense."""
    if not 0 < level < 1:
        raise ValueError(f"the level of intervals is above 0 and below 1, not {level}")
    if not 0 < quantile < 1:
        raise ValueError(f"quantile is a number above 0 and below 1, not {quantile}")
    if unit not in UNITS:
        raise ValueError(f"unit is one of {', '.join(UNITS)}, not {unit!r}")


def _ran(model, aligned: Aligned, places, reforms: Mapping, seed: int, problems: list[Finding]) -> dict[str, Outcomes]:
    """Outcomes of the baseline and of each reform; findings of all of them together."""
    ran: dict[str, Outcomes] = {}
    try:
        places = classes_for(model, aligned, places)
    except InputError as error:
        problems.extend(error.findings)
        return ran
    for scenario, parameters in ((BASELINE, None), *reforms.items()):
        if (scenario == BASELINE and parameters is not None) or not isinstance(scenario, str) or not scenario.strip():
            problems.append(finding("study-value", f"a reform cannot be called {scenario!r}.", place="reforms"))
            continue
        try:
            found = run_model(model, aligned, places=places, parameters=parameters, scenario=scenario, seed=seed)
        except InputError as error:
            problems.extend(error.findings)
            continue
        if BASELINE in ran and found.names != ran[BASELINE].names:
            message = f"{found.model} gives other outcomes under {scenario!r} than in the baseline."
            remedy = "Return the same columns whatever the reform."
            problems.append(finding("model-outcomes", message, place=scenario, remedy=remedy))
            continue
        ran[scenario] = found
    return ran


def _used(names: Sequence[str], deciles: Deciles | None, baseline: Outcomes) -> set[str]:
    """Outcomes that figures rest on: those asked for, those in conditions, those that people are put in order by."""
    used = set() if deciles is None else {deciles.of}
    for name in names:
        try:
            used.update([name] if name in baseline.names else parse_condition(name).names)
        except InputError:  # told elsewhere
            continue
    return used


def _probed(model, aligned: Aligned, ran: Mapping[str, Outcomes], used: set[str], seed: int) -> tuple[Finding, ...]:
    """Probe every scenario: errors of outcomes that are used, warnings of the others."""
    found, known = [], set()
    for scenario, of in ran.items():
        told = probe(
            model, aligned, places=of.places, parameters=of.parameters or None, scenario=scenario, seed=seed, outcomes=of
        )
        pairs = list(zip(told.frame["outcome"], told.frame["check"], strict=True))
        new = np.array([p not in known for p in pairs], bool)  # what the baseline has need not be said of every reform
        of_used = told.frame["outcome"].isin(used).to_numpy(bool)
        found += replace(told, frame=told.frame[new & of_used]).findings()
        found += replace(told, frame=told.frame[new & ~of_used]).findings("warning")
        known.update(pairs)
    return tuple(found)


def _facts(ran: Mapping[str, Outcomes], asked: Asked, grounds: Grounds, own: bool, **said) -> dict[str, Any]:
    """Plain values for the record of a run."""
    base, made = ran[BASELINE], grounds.population.replicates
    group = np.atleast_2d(asked.group)
    inside = [(group == g).any(axis=0).sum() for g in range(len(asked.groups))]
    tables = grounds.model.by_table()
    words = f"The model ran on {len(base.records):,} donors"
    words += f" in {len(base.places):,} classes of place" if len(base.places) > 1 else ""
    words += f"; model error learnt from {', '.join(tables)}, each left out in turn; {len(made):,} replicates"
    words += "" if own else ", made for this"
    return {
        "model": base.model, **said, "classes of place": len(base.places), "replicates": len(made),
        "sources": list(made.sources), "kappa by table": tables,
        "reforms": {s: dict(o.parameters) for s, o in ran.items() if s != BASELINE},
        "model facts": {s: dict(o.facts) for s, o in ran.items()},
        "records by group": [int(n) for n in inside], "in words": f"{words}.",
    }  # fmt: skip


def _simulation(ran, wanted: list[Wanted], frame: pd.DataFrame, level: float, facts, noticed, whom: str) -> Simulation:
    base = ran[BASELINE]
    found = distinct((*noticed, *(f for of in ran.values() for f in of.findings)))  # scenarios say the same of the model
    units = dict(zip(base.names, base.units, strict=True))
    units = {w.outcome: units.get(w.outcome, "") for w in wanted}
    return Simulation(base.model, tuple(ran), ran, frame, level, units, whom, facts, found)
