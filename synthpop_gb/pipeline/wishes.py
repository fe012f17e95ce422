"""What a study asks for beyond its tables, tried before anything is computed: method, recodes, maps, the known truth."""

from __future__ import annotations

import difflib
from dataclasses import replace
from pathlib import Path

from synthpop_gb.aligned import Aligned
from synthpop_gb.distribution import Distribution
from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.pipeline.mapping import map_findings
from synthpop_gb.spec import Study
from synthpop_gb.spec.model import RecodeModel
from synthpop_gb.spec.options import method_findings

__all__ = ["check_method", "check_wishes", "make_distributions", "make_recodes"]


def check_method(study: Study) -> list[Finding]:
    """Say what is wrong with the method: `study-value`, `study-key`.

    Its name and options, which are right in a study that was loaded; and that it places persons, or distributions are asked
    for, where the survey holds households.
    """
    from synthpop_gb.methods import METHODS

    findings = method_findings(study.method.name, study.method.options())
    nesting = [name for name, method in METHODS.items() if getattr(method, "nests", False)]
    if study.levels and study.method.name in METHODS and study.method.name not in nesting:
        message = f"method: '{study.method.name}' solves one zone at a time, and levels bind zones together."
        remedy = f"Use {' or '.join(map(repr, nesting))}, or take `levels` out."
        findings.append(finding("study-value", message, place="method.name", remedy=remedy))
    if not study.survey.of_households:
        return findings
    whole = [name for name, method in METHODS.items() if method.needs == "incidence"]
    if study.method.name in METHODS and study.method.name not in whole:
        message = f"method: '{study.method.name}' places persons, and survey.household asks for whole households."
        remedy = f"Use {' or '.join(map(repr, whole)) or 'another method'}, or take `household` out to place persons."
        findings.append(finding("study-value", message, place="method.name", remedy=remedy))
    if study.distributions:
        message = "distributions: they are of people, one by one, and do not go with whole households."
        remedy = "Take `distributions` out, or `household` to place persons."
        findings.append(finding("study-value", message, place="distributions", remedy=remedy))
    return findings


def make_recodes(recodes: dict[str, RecodeModel]) -> tuple[dict, list[Finding]]:
    """Turn the study's recodes into `Recode`s, and say which of them say nothing or two things at once: `study-value`."""
    from synthpop_gb.harmonisation import Recode

    made, findings = {}, []
    for name, r in recodes.items():
        try:
            made[name] = Recode(bands=tuple(r.bands or ()), merge=tuple(map(tuple, r.merge or ())), map=r.map or {})
        except ValueError as error:
            findings.append(finding("study-value", f"recode.{name}: {error}.", place=f"recode.{name}"))
    return made, findings


def make_distributions(study: Study, aligned: Aligned) -> tuple[tuple[Distribution, ...], list[Finding]]:
    """Read the study's distributions and try them on records and zones; those that will do, and every finding."""
    from synthpop_gb import read
    from synthpop_gb.methods import METHODS

    made, findings = [], []
    for number, wanted in enumerate(study.distributions):
        try:
            target = tuple(wanted.shares) if wanted.path is None else read.shares(wanted.path, zone=wanted.zone)
        except InputError as error:
            findings += error.findings
            continue
        found = Distribution(wanted.column, tuple(wanted.edges), target)
        wrong = found.findings(aligned.frame(), aligned.zones)
        findings += [replace(f, message=f"distributions.{number}: {f.message}", place=f"distributions.{number}") for f in wrong]
        made += [] if wrong else [found]
    if made and not getattr(METHODS.get(study.method.name), "heeds_distributions", False):
        message = f"distributions: the method '{study.method.name}' does not heed them."
        findings.append(finding("unheeded", message, place="distributions", count=len(made)))
    return tuple(made), findings


def check_wishes(study: Study, aligned: Aligned) -> list[Finding]:
    """Try every condition on the survey, and look for the files that maps and truth need: all findings, nothing computed."""
    findings: list[Finding] = []
    for number, wanted in enumerate(study.maps):
        place = f"maps.{number}"
        for f in map_findings(wanted, aligned, replicates=study.replicates.number > 1):
            if f.code != "missing-file" or number == 0:  # boundaries are missed once
                at = f.place if f.code == "missing-file" else place
                findings.append(finding(f.code, f"{place}: {f.message}", place=at, remedy=f.remedy))
    from synthpop_gb.pipeline.indicators import check_indicators

    findings += [*check_indicators(study, aligned), *_tables_named(study, aligned)]
    if study.truth is not None:
        for name, condition in study.truth.indicators.items():
            findings += _tried(condition, aligned, f"truth.indicators.{name}")
        if not Path(study.truth.persons).is_file():
            message = f"truth.persons: there is no file {study.truth.persons}."
            findings.append(finding("missing-file", message, place="truth.persons"))
    return findings


def _tried(condition: str, aligned: Aligned, place: str) -> list[Finding]:
    """Parse a condition and apply it to the survey's records."""
    from synthpop_gb.indicators import parse_condition

    try:
        parse_condition(condition).matches(aligned)
    except InputError as error:
        return [finding(f.code, f"{place}: {f.message}", place=place) for f in error.findings]
    return []


def _tables_named(study: Study, aligned: Aligned) -> list[Finding]:
    """Find options of the method by table (`weights`, `standard_error`) that name a table which is no constraint."""
    names, found = [t.name for t in aligned.constraints], []
    for option, value in study.method.options().items():
        for table in value if isinstance(value, dict) else ():
            if table not in names:
                near = difflib.get_close_matches(table, names, n=1)
                hint = f" Did you mean '{near[0]}'?" if near else f" There are: {', '.join(names)}."
                message = f"method.{option}: no constraint is called '{table}'.{hint}"
                found.append(finding("study-reference", message, place=f"method.{option}"))
    return found
