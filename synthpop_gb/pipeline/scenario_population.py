"""Populations of a scenario: changed people, shifted donors, and people made again for a projection's tables."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.assessment.indicator import REPLICATES
from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.errors import Finding, FitWarning, InputError, finding, refuse
from synthpop_gb.policy import donors_of
from synthpop_gb.population import Population
from synthpop_gb.simulation import (
    SHIFTED,
    Amplify,
    Balance,
    Changed,
    Raise,
    Shift,
    Step,
    change_population,
    projected_tables,
    shifted,
)
from synthpop_gb.spec import Scenario, Study
from synthpop_gb.spec.scenario import PopulationChange

__all__ = ["Populations", "populations_of", "read_places"]

_STEPS = {"amplify": Amplify, "balance": Balance, "raise": Raise, "shift": Shift}


@dataclass(eq=False)
class Populations:
    """What a scenario file changes of the population, made.

    shifts : parameters of a reform by name, for scenarios that only shift donors' columns; changed : population and what it is
    compared with, by name; told : what was changed, in plain values by name; findings : what was noticed.
    """

    shifts: dict[str, dict] = field(default_factory=dict)
    changed: dict[str, Changed | tuple[Population, Population]] = field(default_factory=dict)
    told: dict[str, list[dict]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def populations_of(scenario: Scenario, study: Study, population: Population, aligned: Aligned) -> Populations:
    """Make every population that a scenario names.

    Raises
    ------
    InputError
        Every finding about all of them; a scenario that shifts donors and moves people too is refused ('study-value').
    """
    made, problems = Populations(), []
    for name, changes in scenario.populations.items():
        try:
            if changes[0].change == "project":
                made.changed[name] = _projected(changes, study, population, made)
                made.told[name] = [c.model_dump(mode="json", exclude_none=True) for c in changes]
                continue
            steps = [step_of(c) for c in changes]
            made.told[name] = [s.to_dict() for s in steps]
            shifts = [s for s in steps if isinstance(s, Shift)]
            shifted(donors_of(aligned), shifts)  # refuses what cannot be
            if len(shifts) == len(steps):
                made.shifts[name] = {SHIFTED: shifts}
            elif shifts:
                message = f"{name!r} shifts donors' answers and moves people too: give each a scenario of its own."
                raise InputError([finding("study-value", message, place=name)])
            else:
                made.changed[name] = change_population(population, steps, aligned=aligned, seed=scenario.seed)
                made.findings += made.changed[name].findings
        except InputError as error:
            problems += [_of_population(f, name, len(changes)) for f in error.findings]
    refuse(problems)
    return made


def _of_population(found: Finding, name: str, steps: int) -> Finding:
    """Say of which population of the file a finding is, and of which of its steps where it has several."""
    place = f"population {name!r}"
    if number := re.match(r"population\.(\d+)$", found.place or ""):
        place += f", step {int(number[1]) + 1}" if steps > 1 else ""
    message = re.sub(r"^population\.\d+: ", "", found.message)
    return replace(found, place=place, message=f"{place}: {message}")


def step_of(change: PopulationChange) -> Step:
    """Make the step that an entry of a scenario file describes."""
    settings = change.settings()
    if change.change == "shift":
        settings = {**settings, "factor": settings.get("factor", 1.0), "amount": settings.get("amount", 0.0)}
    return _STEPS[change.change](**settings)


def _projected(changes: list[PopulationChange], study: Study, population: Population, made: Populations):
    """Solve the study again for a projection's tables: the same survey, seed, method and start; with what it is compared to."""
    from synthpop_gb.execution import solve
    from synthpop_gb.pipeline.inputs import examine_study, read_inputs
    from synthpop_gb.pipeline.starting import start_study

    inputs = read_inputs(study)
    refuse(inputs.findings)
    names = []
    for change in changes:
        coming = _tables(change)
        names += [t.name for t in coming]
        inputs.tables, notes = projected_tables(inputs.tables, coming, geography=inputs.geography, level=change.level)
        made.findings += notes
    aligned, findings, inputs = examine_study(study, inputs)
    refuse(findings)
    problem = replace(start_study(study, aligned, inputs, population.provenance.start).problem, aligned=aligned)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        after = solve(
            problem, method=study.method.name, options=study.method.options(), seed=population.provenance.seed,
            replicates=_numbers(population), sources=study.replicates.sources,
        )  # fmt: skip
    told = {"changes": [{"change": "project", "tables": names}]}
    made.findings += [replace(f, level="warning") for f in after.findings()]
    return replace(after, provenance=replace(after.provenance, scenario=told)), population


def _numbers(population: Population) -> int | list[int]:
    """Numbers of the replicates that the population has, so that each is compared with its own."""
    made = population.replicates
    return REPLICATES if made is None or len(made) < 2 else made.numbers.tolist()


def _tables(change: PopulationChange) -> list[BenchmarkTable]:
    """Read the tables of a projection. Raises InputError with every finding about them."""
    from synthpop_gb.pipeline.inputs import read_tables

    found, problems = [], []
    for table in change.tables or ():
        try:
            found += read_tables(table).values()
        except InputError as error:
            problems += error.findings
    refuse(problems)
    return [replace(t, level=None) for t in found]


def read_places(scenario: Scenario) -> pd.DataFrame | None:
    """Read the table of what rules read of a place, indexed by codes of its level; None where the scenario names none.

    Raises InputError ('missing-file', 'unreadable-file', 'study-reference' for columns that it lacks).
    """
    if scenario.places is None:
        return None
    told, path = scenario.places, Path(scenario.places.path)
    try:
        frame = pd.read_parquet(path) if path.suffix.lower() == ".parquet" else pd.read_csv(path, dtype={0: str})
        frame = frame.set_index(frame.columns[0])
    except FileNotFoundError:
        raise InputError([finding("missing-file", f"There is no file {path}.", place="places.path")]) from None
    except (ValueError, OSError, IndexError) as error:
        raise InputError([finding("unreadable-file", f"{path} is no table of places: {error}.", place=str(path))]) from None
    frame = frame.set_axis(frame.index.astype(str)).rename_axis(None if told.level == "zone" else told.level)
    columns = told.columns or {str(c): str(c) for c in frame.columns}
    if lost := [c for c in columns if c not in frame.columns]:
        message = f"{path.name} has no column {', '.join(lost)}; it has {', '.join(map(str, frame.columns))}."
        raise InputError([finding("study-reference", message, place="places.columns", count=len(lost))])
    if frame.index.duplicated().any():
        first = frame.index[frame.index.duplicated()][0]
        raise InputError([finding("duplicate-zone", f"{path.name} has several rows of {first}.", place=str(path))])
    return frame[list(columns)].rename(columns=columns)
