"""The door to every figure that a population yields: estimate, error, interval, who stands behind it, how far to trust it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import ndtri

from synthpop_gb.aligned import Aligned
from synthpop_gb.assessment.benchmarks import benchmarked, goals_of, request_findings
from synthpop_gb.assessment.estimates import Distribution, Means, averaged_of, means_of, quantiles_of
from synthpop_gb.assessment.figures import Kind, figures, labels_by_row, model_errors, of_few, with_donors
from synthpop_gb.assessment.grounds import Grounds, aligned_of
from synthpop_gb.assessment.intervals import ModelError
from synthpop_gb.assessment.leave_one_out import LeftOut
from synthpop_gb.errors import InputError
from synthpop_gb.execution.replicates import solve_replicates
from synthpop_gb.indicators import Answers, Indicators, Question
from synthpop_gb.indicators.sums import Behind, donors_behind
from synthpop_gb.methods import get_method, make_options
from synthpop_gb.population import DonorCounts, Population

__all__ = ["REPLICATES", "indicator", "with_replicates"]

REPLICATES = 40
"""Replicates made where a population has none: enough for intervals; take 200 for published tables."""

_FEW = 10  # replicates: the spread of fewer is itself a quarter off


def indicator(
    population: Population,
    what: str | Question,
    *,
    measure: str = "share",
    where: str | None = None,
    by: str | Sequence[str] = ("zone",),
    quantile: float = 0.5,
    unit: str = "person",
    level: float = 0.9,
    resembles: str | None = None,
    benchmark: pd.Series | None = None,
    aligned: Aligned | None = None,
    left_out: LeftOut | None = None,
    counts: Iterable[DonorCounts] | None = None,
) -> Indicators:
    """Estimate something about the people, or the households, of each area, with an interval for the whole error.

    The interval is made of what replicates show (the draw of whole people, the survey's sample, the tables' perturbation), of the
    zone's being finite, and of the *model error*: what the tables cannot see of a zone, learnt by leaving each table out in turn.
    Coverage was measured, in docs/methods/uncertainty.md: on average somewhat below the nominal, for some outcomes far below.

    Parameters
    ----------
    population : Population
        What to ask. With fewer than two replicates, `REPLICATES` are made first.
    what : str or Question
        A condition for shares and counts, a column of numbers for the other measures; or the whole question.
    measure, where, by, quantile
        See `Question`.
    unit : str
        'household' where whole households were placed: each counts once, by what is known of it and of its reference.
    level : float
        Nominal coverage of the intervals, above 0 and below 1.
    resembles : str, optional
        Name of the constraint that the outcome is known to be like; its errors then count most.
    benchmark : pandas.Series, optional
        The same indicator as published for larger areas: value by code, the index named by the areas' level ('lad'). Estimates
        are brought onto it, which leaves only the error within those areas; zones of other areas are left as they are. For
        shares without groups, by zone.
    aligned : Aligned, optional
        Records and zones; found by itself where the population was made from it in this session, or loaded from a run whose
        survey had to be read again. A run's folder can always be asked by `pipeline.indicator_run`.
    left_out : LeftOut, optional
        From `leave_one_out`, where it is at hand; worked out otherwise.
    counts : iterable of DonorCounts, optional
        The people as written, e.g. read back from a run's files; those that the population places otherwise.

    Returns
    -------
    Indicators

    Raises
    ------
    InputError
        Every finding: `bad-condition` for words that the survey does not know; `study-reference` for an unknown table or
        area; `study-value` for a benchmark that cannot be used.
    ValueError
        Where there is no `aligned`, or it or `left_out` is of other records or zones; for a measure, level or quantile out of
        range.

    Examples
    --------
    >>> ill = indicator(population, "health in ('bad', 'very bad')", by=["zone", "sex"])  # doctest: +SKIP
    >>> ill.frame[["zone", "sex", "estimate", "lower", "upper", "reliability"]]          # doctest: +SKIP
    """
    question = (
        what
        if isinstance(what, Question)
        else Question(what, measure, where, tuple([by] if isinstance(by, str) else by), quantile, unit)
    )
    aligned = aligned_of(population, aligned)
    if not 0 < level < 1:
        raise ValueError(f"the level of intervals is above 0 and below 1, not {level}")
    answers = question.ask(aligned)
    names = population.problem.constraint_names
    if problems := request_findings(question, aligned, resembles=resembles, benchmark=benchmark, constraints=names):
        raise InputError(problems)
    asked_of, population = population, with_replicates(population, REPLICATES)
    grounds = Grounds.of(population, aligned, answers, level, left_out)
    design, model = grounds.design, grounds.model
    if question.measure == "quantile":
        distribution, value, means = quantiles_of(answers, population, design)
    else:
        distribution, value, means = None, None, means_of(answers, population, design, averaged_of(answers))
    error = model_errors(model, means, answers, resembles)
    if benchmark is not None:
        parent, goal = goals_of(benchmark, aligned)
        means = benchmarked(means, parent, goal)
        model = ModelError.learn(grounds.left_out.benchmarked(parent), level)
        met = (parent >= 0) & np.isfinite(goal)[parent]
        error = np.where(met[:, None], model_errors(model, means, answers, resembles), error)
    behind = donors_behind(answers, population.blocks() if counts is None else counts, population.zones)
    kind, z = _kind(answers), float(ndtri((1 + level) / 2))
    spread = means.spread
    deviation = np.sqrt(spread**2 + means.finite + error**2 + of_few(means, behind, kind))
    ends = None if distribution is None else _ends(distribution, value, means, z * deviation)
    columns = figures(means, spread, error, deviation, z, kind, ends)
    frame = pd.DataFrame(labels_by_row(answers) | with_donors(columns, _counted(answers, behind), behind, kind))
    basis = _basis(model, means, population, grounds.region, resembles, benchmark, level, own=population is asked_of)
    basis["records by group"] = np.bincount(answers.group[answers.group >= 0], minlength=len(answers.groups)).tolist()
    return Indicators(question, frame, level, question.unit, basis)


def _kind(answers: Answers) -> Kind:
    """Say what kind of number is asked for; means and totals are not below nought where no answer of the survey is."""
    measure = answers.question.measure
    least = 0.0 if answers.binary or answers.value.min(initial=0.0) >= 0 else None
    return Kind(measure in ("count", "total"), measure == "share", least, 1.0 if answers.binary else None)


def _ends(distribution: Distribution, value: np.ndarray, means: Means, half: np.ndarray) -> tuple:
    """Return a quantile, and the values at which its share +- the half-width is reached."""
    return value, *(distribution.quantile(np.clip(means.estimate + s * half, 0.0, 1.0)) for s in (-1, 1))


def _counted(answers: Answers, behind: Behind) -> np.ndarray:
    """Figure of the whole people themselves."""
    question = answers.question
    if question.measure == "quantile":
        return _counted_quantile(behind, answers.value, question.quantile, behind.people.size)
    total = behind.total(answers.value)
    with np.errstate(invalid="ignore", divide="ignore"):
        return total if question.measure in ("count", "total") else total / behind.people


def with_replicates(population: Population, number: int, *, one_attempt: bool = True) -> Population:
    """Make replicates for intervals, where there are none.

    one_attempt : whole households get one attempt a zone: what is left over is little beside what replicates differ by, and
    attempts are nearly all of the time (both measured: docs/methods/uncertainty.md).
    """
    if population.replicates is not None and len(population.replicates) > 1:  # one has no spread
        return population
    method = get_method(population.provenance.method)
    options = make_options(method, population.provenance.options)
    if one_attempt and population.problem.households is not None and hasattr(options, "restarts"):
        options = replace(options, restarts=0, milp_nodes=0)
    made = solve_replicates(population, method, options, list(range(1, number + 1)))
    return replace(population, replicates=made)


def _counted_quantile(behind: Behind, value: np.ndarray, level: float, n: int) -> np.ndarray:
    """Quantile of the answers of the whole people of each area and group."""
    answer = value.ravel()[behind.slot]
    order = np.lexsort((answer, behind.cell))
    cell, answer, number = behind.cell[order], answer[order], behind.number[order]
    first = np.searchsorted(cell, np.arange(n + 1))
    out = np.full(n, np.nan)
    for i in range(n):
        a, b = first[i], first[i + 1]
        if b > a:
            reached = np.cumsum(number[a:b])
            out[i] = answer[a + min(int(np.searchsorted(reached, level * reached[-1] - 1e-9)), b - a - 1)]
    return out


def _some(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _basis(model: ModelError, means: Means, population: Population, region, like, benchmark, level, *, own: bool) -> dict:
    """How the model error was fixed, in plain values and in words."""
    kappas = [model.kappa(f.likeness, like) for f, *_ in means.features]
    tables = model.by_table()
    region_sd = [f.region for f, *_ in means.features]
    notes = [] if own else [f"{len(population.replicates)} replicates were made for this: the population has fewer than two"]
    if region is None:
        notes.append("the survey does not tell regions apart, so outcomes that cluster in places are taken for ordinary ones")
    elif any(f.region_error > f.region for f, *_ in means.features):
        notes.append("differences between the survey's regions are within their own sampling error")
    if benchmark is None:
        notes.append("no benchmark: a shift of the whole area is not corrected")
    if len(tables) < 3:
        notes.append(f"only {_some(len(tables), 'table')} to learn from")
    made = population.replicates
    if unseen := [s for s in ("whole", "donors") if s not in made.sources]:
        notes.append(f"replicates do not draw again: {', '.join(unseen)}, so that part of the error is not in the intervals")
    if len(made) < _FEW:
        notes.append(f"only {len(made)} replicates to learn the spread from")
    words = (
        f"Model error learnt from {_some(len(tables), 'table')} left out in turn ({', '.join(tables)})"
        + (f", most from {like}, which the outcome is said to resemble" if like else "")
        + (f". Note: {'; '.join(notes)}." if notes else ".")
    )
    return {
        "level": level, "kappa": kappas, "kappa by table": tables, "region": region_sd,
        "region error": [f.region_error for f, *_ in means.features], "resembles": like,
        "benchmark": None if benchmark is None else str(benchmark.index.name),
        "replicates": len(made), "sources": list(made.sources), "notes": notes,
        "in words": words,
    }  # fmt: skip
