"""The door to every figure that a population yields: estimate, error, interval, who stands behind it, how far to trust it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import ndtri

from synthpop_gb.aligned import Aligned
from synthpop_gb.assessment.benchmarks import benchmarked, goals_of, request_findings
from synthpop_gb.assessment.estimates import Means, means_of, quantiles_of
from synthpop_gb.assessment.features import Design
from synthpop_gb.assessment.intervals import ModelError
from synthpop_gb.assessment.leave_one_out import LeftOut, leave_one_out
from synthpop_gb.errors import InputError
from synthpop_gb.execution.replicates import solve_replicates
from synthpop_gb.indicators import FEW_DONORS, Answers, Indicators, Question, classify
from synthpop_gb.indicators.question import code_text
from synthpop_gb.indicators.sums import donors_behind
from synthpop_gb.methods import get_method, make_options
from synthpop_gb.population import DonorCounts, Population

__all__ = ["REPLICATES", "indicator", "region_of", "with_replicates"]

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
    aligned = aligned or population.problem.aligned
    if aligned is None:
        raise ValueError("the records are needed: give aligned=, or ask the run's folder (sp.pipeline.indicator_run)")
    if not 0 < level < 1:
        raise ValueError(f"the level of intervals is above 0 and below 1, not {level}")
    if not (aligned.records.equals(population.problem.records) and aligned.zones.equals(population.zones)):
        raise ValueError("aligned= has other records or zones, or has them in another order, than the population")
    answers = question.ask(aligned)
    names = population.problem.constraint_names
    if problems := request_findings(question, aligned, resembles=resembles, benchmark=benchmark, constraints=names):
        raise InputError(problems)
    asked_of, population = population, with_replicates(population, REPLICATES)
    region = region_of(aligned)
    left_out = left_out or leave_one_out(population, region)
    if not left_out.zones.equals(population.zones):
        raise ValueError("left_out= has other zones, or has them in another order, than the population")
    learnt_from = left_out if answers.areas.name == "zone" else left_out.at(answers.area, answers.areas)
    design = Design.of(population.problem, range(population.problem.n_constraints), region)
    if question.measure == "quantile":
        distribution, value, means = quantiles_of(answers, population, design)
    else:
        distribution, value, means = None, None, means_of(answers, population, design)
    model = ModelError.learn(learnt_from, level)
    error = _errors(model, means, resembles)
    if benchmark is not None:
        parent, goal = goals_of(benchmark, aligned)
        means = benchmarked(means, parent, goal)
        model = ModelError.learn(learnt_from.benchmarked(parent), level)
        met = (parent >= 0) & np.isfinite(goal)[parent]
        error = np.where(met[:, None], _errors(model, means, resembles), error)
    behind = donors_behind(answers, population.blocks() if counts is None else counts, population.zones)
    spread, z = means.spread, ndtri((1 + level) / 2)
    deviation = np.sqrt(spread**2 + means.finite + error**2 + _of_few(question, behind, means))
    frame = _frame(question, answers, means, spread, error, deviation, z, distribution, value)
    frame = _with_donors(frame, question, behind)
    basis = _basis(model, means, population, region, resembles, benchmark, level, own=population is asked_of)
    basis["records by group"] = np.bincount(answers.group[answers.group >= 0], minlength=len(answers.groups)).tolist()
    return Indicators(question, frame, level, question.unit, basis)


def _errors(model: ModelError, means: Means, resembles: str | None) -> np.ndarray:
    """Find the standard deviation of the model error, (n_areas, n_groups)."""
    return np.stack([model.deviation(f, means.scale[:, g], resembles) for g, f in enumerate(means.features)], axis=1)


def region_of(aligned: Aligned) -> np.ndarray | None:
    """Code of the part of the country that each usable record is from, -1 where unknown; None where the survey does not say.

    From the survey's column of regions where it names one, else its variable 'region', whose codes for 'no answer' are no part of
    the country.
    """
    survey = aligned.survey
    column = survey.region
    if column is None and "region" in survey.variables:
        variable = survey.variables["region"]
        column = variable.column or variable.name
    if column is None or column not in survey.records.columns:
        return None
    values = survey.records.loc[aligned.records, column]
    of_column = [v for v in survey.variables.values() if (v.column or v.name) == column]
    if of_column:
        values = values.where(values.map(code_text).isin([str(c.code) for c in of_column[0].categories if c.atoms]))
    codes = pd.factorize(values, sort=True)[0]
    return codes.astype(np.int64) if codes.max(initial=-1) > 0 else None


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


def _of_few(question: Question, behind, means: Means) -> np.ndarray:
    """Variance of a mean of very few records, by the survey's: one record shows none, and its figure would look certain."""
    if question.measure in ("count", "total"):  # a mean over everybody
        return np.zeros(means.estimate.shape)
    overall = np.array([f.variance for f in means.features])
    return np.where(behind.donors < FEW_DONORS, overall / np.fmax(behind.n_eff, 1.0), 0.0)


def _frame(question, answers, means: Means, spread, error, deviation, z, distribution, value) -> pd.DataFrame:
    """One row an area and group, in the unit of the question."""
    adds = question.measure in ("count", "total")
    factor = means.people if adds else np.ones(means.people.shape)
    parts = means.estimate, z * deviation, spread, error, np.sqrt(means.finite)
    with np.errstate(invalid="ignore"):  # nobody, times an error without bounds
        estimate, half, spread, error, finite = (x * factor for x in parts)
    if adds:  # of nobody there are none, for certain
        nobody = factor == 0
        estimate, half, spread, error, finite = (np.where(nobody, 0.0, x) for x in (estimate, half, spread, error, finite))
    unit = np.ones(factor.shape)
    lower, upper = estimate - half, estimate + half
    if distribution is not None:
        lower, upper = (distribution.quantile(np.clip(means.estimate + s * z * deviation, 0.0, 1.0)) for s in (-1, 1))
        with np.errstate(invalid="ignore", divide="ignore"):
            unit = np.where(deviation > 0, (upper - lower) / (2 * z * deviation), 0.0)  # value a share (Woodruff 1952)
        estimate = value
    else:  # linear calibration may have left fewer than nobody
        low, most = (0.0, factor) if answers.binary else _limits(answers, factor)
        estimate, lower, upper = (np.clip(x, low, most) for x in (estimate, lower, upper))
    columns = {
        "estimate": estimate, "standard_error": half / z * unit, "lower": lower, "upper": upper, "people": means.asked,
        "replicate_error": spread * unit, "finite_error": finite * unit, "model_error": error * unit,
    }  # fmt: skip
    n_areas, n_groups = estimate.shape
    labels = {str(answers.areas.name): np.repeat(answers.areas.to_numpy(), n_groups)}
    if isinstance(answers.groups, pd.MultiIndex):
        for name in answers.groups.names:
            labels[name] = np.tile(answers.groups.get_level_values(name).to_numpy(), n_areas)
    return pd.DataFrame(labels | {name: values.ravel() for name, values in columns.items()})


def _limits(answers: Answers, factor: np.ndarray) -> tuple:
    """Limits of a mean or total: not below nought where no answer of the survey is; none above."""
    return (0.0 if answers.value.min(initial=0.0) >= 0 else -np.inf), np.full(factor.shape, np.inf)


def _with_donors(frame: pd.DataFrame, question: Question, behind) -> pd.DataFrame:
    """Add who stands behind each figure, the figure counted among the whole people, and the class of reliability."""
    with np.errstate(invalid="ignore", divide="ignore"):
        counted = behind.value if question.measure in ("count", "total") else behind.value / behind.people
    counted = counted.ravel()
    if question.measure == "quantile":
        counted = _counted_quantile(behind, question.quantile, len(frame))
    place = list(frame.columns).index("people")
    frame.insert(place, "counted", counted)
    frame["n_eff"], frame["donors"] = behind.n_eff.ravel(), behind.donors.ravel()
    frame["largest_donor"] = behind.largest.ravel()
    share = question.measure == "share"
    frame["reliability"] = classify(frame["estimate"], frame["standard_error"], frame["donors"], share=share)
    return frame


def _counted_quantile(behind, level: float, n: int) -> np.ndarray:
    """Quantile of the answers of the whole people of each area and group."""
    order = np.lexsort((behind.answer, behind.cell))
    cell, answer, number = behind.cell[order], behind.answer[order], behind.number[order]
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
    kappas = [model.kappa(f.likeness, like) for f in means.features]
    tables = model.by_table()
    region_sd = [f.region for f in means.features]
    notes = [] if own else [f"{len(population.replicates)} replicates were made for this: the population has fewer than two"]
    if region is None:
        notes.append("the survey does not tell regions apart, so outcomes that cluster in places are taken for ordinary ones")
    elif any(f.region_error > f.region for f in means.features):
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
        "region error": [f.region_error for f in means.features], "resembles": like,
        "benchmark": None if benchmark is None else str(benchmark.index.name),
        "replicates": len(made), "sources": list(made.sources), "notes": notes,
        "in words": words,
    }  # fmt: skip
