"""From a study to nouns: every input read, every finding of every file kept, whatever else is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from synthpop_gb.aligned import Aligned
from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.errors import Finding, InputError, finding, refuse
from synthpop_gb.geography import Geography
from synthpop_gb.microdata import Microdata
from synthpop_gb.pipeline.wishes import check_method, check_wishes, make_distributions, make_recodes
from synthpop_gb.provenance import InputFile
from synthpop_gb.spec import Study
from synthpop_gb.spec.model import Survey, Table

__all__ = ["Inputs", "align", "check", "examine_study", "read_inputs", "read_survey", "read_tables"]


@dataclass(eq=False)
class Inputs:
    """What a study names, as read; None or missing where a file could not be."""

    survey: Microdata | None = None
    tables: dict[str, BenchmarkTable] = field(default_factory=dict)
    geography: Geography | None = None
    findings: list[Finding] = field(default_factory=list)

    def files(self, study: Study) -> tuple[InputFile, ...]:
        """Every file that the result hangs on, once, in order of path: manifests, side files of Shapefiles and truth included."""
        nouns = [self.survey, *self.tables.values()]
        found = [n.source for n in nouns if n is not None and n.source is not None]
        found += [self.survey.household_file] if self.survey and self.survey.household_file else []
        found += self.geography.sources if self.geography else ()
        known = {Path(f.path) for f in found}
        beside = {p.parent / "tables.csv" for p in known} | {p.parent.parent / "tables.csv" for p in known}
        beside |= {p.with_suffix(s) for p in known if p.suffix == ".shp" for s in (".dbf", ".shx", ".prj", ".cpg")}
        beside |= {Path(t.lookup) for t in study.tables if t.lookup is not None}
        beside |= {Path(p) for p in (study.truth.persons, study.truth.households) if p} if study.truth else set()
        beside |= {Path(d.path) for d in study.distributions if d.path is not None}
        beside |= {Path(p) for i in study.start.incomes for p in (i.path, i.lookup) if p}
        beside |= {Path(asked.benchmark) for asked in study.indicators if asked.benchmark is not None}
        found += [InputFile.of(p) for p in sorted(beside - known) if p.is_file()]
        return tuple(sorted({f.path: f for f in found}.values(), key=lambda f: f.path))


def read_inputs(study: Study) -> Inputs:
    """Read survey, tables and geography side by side. Problems are collected in `findings`, not raised."""
    inputs = Inputs()
    with ThreadPoolExecutor(4) as pool:
        survey = pool.submit(_attempt, lambda: _read_survey(study))
        tables = [pool.submit(_attempt, lambda t=t: read_tables(t)) for t in study.tables]
        geography = pool.submit(_attempt, lambda: _read_geography(study))
        inputs.survey = _keep(survey.result(), inputs)
        for job in tables:
            for name, table in (_keep(job.result(), inputs) or {}).items():
                if name in inputs.tables:
                    message = f"Two tables are called {name}: {inputs.tables[name].source.path} and {table.source.path}."
                    remedy = "Give one of them another `name`, or its `level` if it is of larger areas."
                    inputs.findings.append(finding("study-reference", message, place=name, remedy=remedy))
                inputs.tables[name] = table
        inputs.geography = _keep(geography.result(), inputs)
    if inputs.geography is None and study.zones.lookup is None and study.zones.boundaries is None and inputs.tables:
        inputs.geography = _zones_of(inputs.tables)
    return inputs


def _read_survey(study: Study) -> Microdata:
    """Read the survey, less the records that are never to be placed."""
    from synthpop_gb.harmonisation import exclude

    asked = [*study.constraints, *study.held_out]
    asked += [name for names in [*study.levels.values(), *study.held_out_levels.values()] for name in names]
    survey = read_survey(study.survey, [part.strip() for name in asked for part in name.split(" x ")])
    return survey if study.start.exclude is None else exclude(survey, study.start.exclude)


def _attempt(read: Callable):
    """Return what `read` returns, or the findings it raised."""
    try:
        return read()
    except InputError as error:
        return error


def _keep(result, inputs: Inputs):
    if isinstance(result, InputError):
        inputs.findings.extend(result.findings)
        return None
    return result


def read_survey(survey: Survey, wanted: Sequence[str] = ()) -> Microdata:
    """Read the survey that a study's [survey] names, a census teaching file or any other. Raises InputError.

    wanted : variables to recognise where the study does not describe them.
    """
    from synthpop_gb import read

    if survey.format == "census-teaching" or (
        survey.format == "auto" and not survey.variables and read.is_census_microdata(survey.path)
    ):
        return read.census_microdata(survey.path, licence=survey.licence)
    variables = {
        name: read.variable(name, v.column, categories=v.categories, missing=v.missing) for name, v in survey.variables.items()
    }  # fmt: skip
    if survey.of_policyengine:
        return read.policyengine(survey.path, year=survey.year, name=survey.name, variables=variables, licence=survey.licence)
    return read.survey(
        survey.path, name=survey.name, variables=variables, id=survey.id, weight=survey.weight,
        strata=survey.strata, cluster=survey.cluster, region=survey.region, household=survey.household,
        households=survey.households, household_weight=survey.household_weight, communal=survey.communal,
        universe=survey.universe, year=survey.year, licence=survey.licence, wanted=wanted,
    )  # fmt: skip


def read_tables(table: Table) -> dict[str, BenchmarkTable]:
    """Read the tables of one file that a study or scenario names, by name, moved to the study's zones. Raises InputError."""
    from synthpop_gb import read

    # for the card only, and for what comes after reading
    stated = {"path", "publisher", "licence", "url", "level", "lookup", "from_", "to"}
    found = read.tables(table.path, **table.model_dump(exclude=stated, exclude_none=True))
    if table.lookup is not None:
        from synthpop_gb.rezoning import rezone_table

        zones = {str(code) for t in found.values() for code in t.counts.index}
        lookup = read.lookup(table.lookup, zone=table.from_ or read.column_of(table.lookup, zones), to=table.to)
        found = {name: rezone_table(t, lookup) for name, t in found.items()}
    if table.level is None:
        return found
    named = {name if table.name else f"{name} ({table.level})": t for name, t in found.items()}  # beside the same table of zones
    return {name: replace(t, name=name, level=table.level) for name, t in named.items()}


def _read_geography(study: Study) -> Geography | None:
    from synthpop_gb import read

    zones = study.zones
    if zones.lookup is None and zones.boundaries is None:
        return None
    return read.geography(
        zones.lookup, zone=zones.zone, boundaries=zones.boundaries, boundary_column=zones.boundary_zone,
        levels=_levels_named(study),
    )  # fmt: skip


def _levels_named(study: Study) -> list[str]:
    """Levels that the study speaks of: columns of these names in the lookup are levels, whatever they are called."""
    named = [*study.levels, *study.held_out_levels, *(study.zones.parent or {}), *(t.level for t in study.tables if t.level)]
    tables = [*study.constraints, *study.held_out]
    variables = {*study.survey.variables, *(part.strip() for name in tables for part in name.split(" x "))}
    by = {level for asked in study.indicators for level in asked.by if level not in variables | {"zone", "all"}}
    return list(dict.fromkeys([*named, *sorted(by)]))


def _zones_of(tables: dict[str, BenchmarkTable]) -> Geography:
    """Without lookup and boundaries the zones are those of the first table."""
    import pandas as pd

    first = next(iter(tables.values()))
    return Geography(pd.DataFrame(index=pd.Index(first.counts.index.unique(), name="zone")))


def examine_study(study: Study, inputs: Inputs | None = None) -> tuple[Aligned | None, tuple[Finding, ...], Inputs]:
    """Read and harmonise without raising: (aligned or None, every finding, inputs).

    Where a file could not be read, what can be said of the others is said all the same.
    """
    from synthpop_gb.harmonisation import examine

    inputs = inputs or read_inputs(study)
    recodes, wrong = make_recodes(study.recode)
    found = [*check_method(study), *wrong, *inputs.findings]
    if inputs.survey is None or inputs.geography is None or not inputs.tables:
        return None, tuple(found), inputs
    unread = any(f.level == "error" for f in inputs.findings)
    constraints, held_out = (_answerable(names, inputs) if unread else names for names in (study.constraints, study.held_out))
    if not constraints:
        return None, tuple(found), inputs
    parent = next(iter(study.zones.parent.items())) if study.zones.parent else None
    aligned, findings = examine(
        inputs.survey, inputs.tables, inputs.geography, constraints=constraints, held_out=held_out, recodes=recodes,
        levels=study.levels, held_out_levels=study.held_out_levels,
        total_from=study.total_from, zones=study.zones.codes, parent=parent, seed=study.seed,
    )  # fmt: skip
    found += findings
    if aligned is not None:
        from synthpop_gb.pipeline.starting import check_start

        found += [*check_wishes(study, aligned), *check_start(study, aligned, inputs)]
        distributions, wrong = make_distributions(study, aligned)
        aligned, found = replace(aligned, distributions=distributions), [*found, *wrong]
    return (None if any(f.level == "error" for f in found) else aligned), tuple(found), inputs


def _answerable(names: list[str], inputs: Inputs) -> list[str]:
    """Those constraints that the tables which could be read may serve."""
    known = {v for t in inputs.tables.values() for v in t.variable_names}
    return [n for n in names if n in inputs.tables or {part.strip() for part in n.split(" x ")} <= known]


def align(study: Study) -> tuple[Aligned, Inputs]:
    """Read and harmonise; raises InputError with every finding where one of them is an error."""
    aligned, findings, inputs = examine_study(study)
    refuse(findings)
    return aligned, inputs


def check(study) -> tuple[Aligned | None, tuple[Finding, ...]]:
    """List every finding about the inputs of a study file (or `Study`), nothing computed, nothing raised for bad input."""
    from synthpop_gb.spec import load_study

    try:
        study = study if isinstance(study, Study) else load_study(study)
    except InputError as error:
        return None, error.findings
    aligned, findings, _ = examine_study(study)
    return aligned, findings
