"""Universes kept apart: whom a table counts, whether the survey covers them, and which records are among them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.codebook import Universe, Variable, age_label
from synthpop_gb.errors import Finding, finding
from synthpop_gb.harmonisation._words import listed, number
from synthpop_gb.harmonisation.records import Coded

__all__ = ["common_universe", "contains", "membership", "signature"]

_JOINT_TABLES = {
    2021: {
        "sex": "RM121 (age x sex)", "health": "RM043 (ethnic group x health x age)",
        "ethnic_group": "RM032 (ethnic group x sex x age)",
        "economic_activity": "RM024 (economic activity x sex x age)", "hours": "RM056 (hours x sex x age)",
        "occupation": "RM102 (occupation x age)", "nssec": "RM090 (NS-SEC x age)",
        "disability": "RM070 (disability x NS-SEC x age)",
        "religion": "RM045 (religion x health x age)", "legal_partnership": "RM074 (legal partnership x sex x age)",
    },
    2011: {
        "sex": "LC1117EW (sex x age)", "health": "LC3206EW (health x ethnic group x sex x age)",
        "ethnic_group": "LC2101EW (ethnic group x sex x age)",
        "economic_activity": "LC6107EW (economic activity x sex x age)", "hours": "LC6117EW (hours x age)",
        "occupation": "LC6112EW (occupation x age)", "nssec": "LC6114EW (NS-SEC x age)",
        "qualification": "LC5102EW (qualification x age)",
    },
}  # fmt: skip
"""Nomis tables that cross a variable with age down to small areas: what to ask for where the survey has only some ages."""


_FRAME = ("population_base", "residence_type")
"""Properties that a survey has by the way its sample is drawn: where it does not record them, its own universe decides,
and where that is silent too its records are taken to be such people as the table counts."""


def common_universe(
    table: BenchmarkTable,
    variables: tuple[str, ...],
    survey: Universe,
    described: Collection[str],
    tables: Mapping[str, BenchmarkTable],
    households: bool = False,
) -> tuple[Universe | None, list[Finding]]:
    """Whom table and survey both speak of: the table's universe, or the part of it that the survey covers.

    The part can be taken where the table is crossed with the variable that the survey is restricted in, such as age, and no
    category lies across the boundary; a note says so. Otherwise the table counts people whom no record can stand for.

    survey : whom the survey covers; described : names of its variables; tables : all tables of the study, to recommend from;
    households : whether the survey holds whole households, so that tables of households can be counted too.

    Returns the universe with only such members as the survey's variables can tell, or None with the findings:
    'universe-unknown', 'mixed-universe', 'narrow-universe' (a warning where the survey lacks communal establishments only).
    """
    if table.universe is None:
        message = f"Nothing says whom {table.name} counts."
        return None, [finding("universe-unknown", message, place=table.name)]
    if households and table.universe.unit == "household" and survey.unit == "person":
        members = {n: a for n, a in table.universe.members.items() if n not in _FRAME or n in described}
        return Universe(table.universe.name, "household", members), []
    if table.universe.unit != survey.unit or survey.unit != "person":
        counts = f"{table.name} counts {table.universe.name} (unit: {table.universe.unit})"
        message = f"{counts}; the survey holds {survey.name} (unit: {survey.unit})."
        remedy = (
            "Name the column of household ids (`household` in [survey]), where the survey holds whole ones. Else keep to tables "
            "of persons: leave this one out, or ask for the table of the same subject that counts usual residents."
        )
        return None, [finding("mixed-universe", message, place=table.name, remedy=remedy)]
    members, findings, narrower = dict(table.universe.members), [], False
    for name, covered in survey.members.items():
        counted = members.get(name)
        if counted is not None and counted <= covered:
            if name not in described:
                del members[name]
            continue
        if name in _FRAME and counted is None:
            findings += _communal(table, survey) if name == "residence_type" else []
            continue
        by = next((v for v in table.variables if v.name == name), None)
        if by is None or _straddles(by, covered, counted):
            findings.append(_narrow(table, variables, survey, name, tables))
            continue
        members[name], narrower = covered if counted is None else covered & counted, True
        findings += _left_out(table, survey, by, covered, counted)
    for name in _FRAME:
        if name in members and name not in described and name not in survey.members:
            del members[name]
    if any(f.level == "error" for f in findings):
        return None, findings
    return Universe(survey.name if narrower else table.universe.name, "person", members), findings


def _communal(table: BenchmarkTable, survey: Universe) -> list[Finding]:
    """Warn of a household survey against a table of all residents: what is missing is small and known, so the study goes on."""
    message = (
        f"{table.name} counts {table.universe.name}, communal establishments included; the survey covers only {survey.name}."
    )
    return [finding("narrow-universe", message, place=table.name, level="warning",
                    why="People in halls, care homes and prisons are made from records of people in households.",
                    remedy="Ask for the table of residents in households, or accept it.")]  # fmt: skip


def _left_out(
    table: BenchmarkTable, survey: Universe, by: Variable, covered: frozenset[str], counted: frozenset[str] | None
) -> list[Finding]:
    """Note the categories of a table that lie wholly outside the survey's universe."""
    out = [c.label for c in by.categories if c.atoms and not (c.atoms & covered) and (counted is None or c.atoms & counted)]
    if not out:
        return []
    message = f"{table.name}: {listed(out, 4)} lie outside the survey's universe ({survey.name}) and were left out."
    return [finding("narrow-universe", message, place=table.name, count=len(out), level="note",
                    why="The survey covers only part of the people the table counts.",
                    remedy="Nothing: the table's own categories tell them apart.")]  # fmt: skip


def _straddles(variable: Variable, covered: frozenset[str], counted: frozenset[str] | None) -> bool:
    """Whether a category lies partly inside and partly outside `covered`."""
    atoms = [c.atoms if counted is None else c.atoms & counted for c in variable.categories]
    return any(a & covered and not a <= covered for a in atoms)


def _narrow(
    table: BenchmarkTable, variables: tuple[str, ...], survey: Universe, name: str, tables: Mapping[str, BenchmarkTable]
) -> Finding:
    """Say that the survey covers fewer people than the table counts, whom it lacks, and which table to ask for instead."""
    subject = " x ".join(variables)
    covered = f"ages {age_label(survey.members[name])}" if name == "age" else name.replace("_", " ")
    joint = [key for key, t in tables.items() if t is not table and {*variables, name} <= set(t.variable_names)]
    known = _JOINT_TABLES.get(table.year or 0, {}).get(variables[0]) if name == "age" and len(variables) == 1 else None
    if joint:
        remedy = f"Use the table {joint[0]!r}, from which {subject} can be taken for {covered}: leave {table.name!r} out."
    elif name in table.variable_names:
        remedy = f"Ask for {subject} with a boundary where the survey has one ({covered})."
    else:
        remedy = f"Ask for {subject} crossed with {name}, from which {covered} can be taken" + (
            f": Nomis {known}." if known else "."
        )
    message = f"{table.name} counts {table.universe.name}; the survey covers only {survey.name}."
    return finding("narrow-universe", message, place=table.name, remedy=remedy)


def signature(universe: Universe, variables: Mapping[str, Variable]) -> dict[str, frozenset[str]]:
    """How a universe divides the survey's records: the atoms allowed by variable, without the variables that exclude nobody.

    Two tables of equal signature count the same people, or the same households, whatever they call them: the unit stands under
    the name ''.
    """
    found = {"": frozenset([universe.unit])}
    for name, atoms in universe.members.items():
        variable = variables[name]
        if not (variable.atoms <= atoms and all(c.atoms for c in variable.categories)):
            found[name] = variable.atoms & atoms
    return found


def contains(wide: Mapping[str, frozenset[str]], narrow: Mapping[str, frozenset[str]]) -> bool:
    """Whether everybody of the universe of signature `narrow` belongs to that of `wide`."""
    return all(name in narrow and narrow[name] <= atoms for name, atoms in wide.items())


def membership(name: str, universe: Universe, coded: Mapping[str, Coded]) -> tuple[np.ndarray, list[Finding]]:
    """Which records a universe counts: (n_records,) int8, 1 inside, 0 outside, -1 where a value is missing to tell.

    Finding: 'universe-split' where a category of the survey with records lies partly inside.
    """
    any_coded = next(iter(coded.values()))
    inside = np.ones(len(any_coded.category), np.int8)
    findings: list[Finding] = []
    for variable, atoms in universe.members.items():
        values = []
        for i, category in enumerate(coded[variable].variable.categories):
            split = bool(category.atoms & atoms) and not category.atoms <= atoms
            n = int((coded[variable].category == i).sum()) if split else 0
            if n:
                message = (
                    f"{name}: {variable} {category.label!r} of the survey ({number(n, 'record')}) lies partly in {universe.name}."
                )
                rows = pd.DataFrame({"variable": [variable], "category": [category.label], "records": [n]})
                findings.append(finding("universe-split", message, place=name, count=n, rows=rows))
            values.append(1 if category.atoms and category.atoms <= atoms else 0)
        member = coded[variable].by_category(values, -1, -1).astype(np.int8)
        inside = np.where((inside == 0) | (member == 0), 0, np.minimum(inside, member)).astype(np.int8)
    return inside, findings
