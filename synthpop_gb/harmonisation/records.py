"""The survey's side: ids, design weights, and the category of every record, with all that is wrong said once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.codebook import Universe, Variable, age_atoms
from synthpop_gb.errors import Finding, finding
from synthpop_gb.harmonisation._words import listed, nearest, number
from synthpop_gb.harmonisation.recode import Recode
from synthpop_gb.microdata import Microdata

__all__ = [
    "MISSING", "UNKNOWN", "Coded", "check_design", "code_text", "code_variable", "described_universe", "find_variable",
    "take_weights",
]  # fmt: skip

MISSING, UNKNOWN = -1, -2
"""Instead of a category: no value, and a code that the codebook does not have."""


@dataclass(frozen=True, eq=False)
class Coded:
    """One variable of the survey by record.

    `category` holds (n_records,) int16 positions in `variable.categories`, or MISSING, UNKNOWN.
    `unknown` lists the codes that the codebook does not have, with their number of records; `mapped` those that only the
    user's recode gave a category.
    """

    variable: Variable
    category: np.ndarray
    unknown: pd.Series
    mapped: frozenset[str] = frozenset()

    def by_category(self, value_of: list, missing, unknown) -> np.ndarray:
        """Array by record of one value a category: `value_of` in the order of the categories."""
        return np.array([*value_of, unknown, missing])[self.category]


def take_weights(survey: Microdata, among: np.ndarray | None = None, of: str = "record") -> tuple[np.ndarray, list[Finding]]:
    """Design weights by record: (n_records,) float64, nought where a record cannot be used.

    among : (n_records,) bool, records that need a weight; None = all. of : what they stand for, in words.

    Findings: 'duplicate-record', 'no-weight', 'missing-column', 'missing-weight', 'negative-weight', 'zero-weight'.
    """
    records, place = survey.records, survey.name
    findings: list[Finding] = []
    twice = records.index[records.index.duplicated()].unique()
    if len(twice):
        message = f"{survey.name} has {number(len(twice), 'record id')} more than once: {listed(twice)}."
        rows = pd.DataFrame({"record": twice})
        findings.append(finding("duplicate-record", message, place=place, count=len(twice), rows=rows))
    if survey.weight is None:
        message = f"{survey.name} has no design weights; each of its {number(len(records), 'record')} counts as one."
        return np.ones(len(records)), [*findings, finding("no-weight", message, place=place)]
    if survey.weight not in records:
        message = f"{survey.name} has no column {survey.weight!r} with design weights.{nearest(survey.weight, records.columns)}"
        return np.ones(len(records)), [*findings, finding("missing-column", message, place=place)]
    weight = pd.to_numeric(records[survey.weight], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    place = f"{survey.name}: {survey.weight}"
    for code, mask, what in (
        ("missing-weight", ~np.isfinite(weight), "no design weight that is a number"),
        ("negative-weight", weight < 0, "a design weight below nought"),
        ("zero-weight", weight == 0, "the design weight nought"),
    ):
        mask = mask if among is None else mask & among
        if mask.any():
            which = records.index[mask]
            who = number(len(which), f"{of} of {survey.name} has", f"{of}s of {survey.name} have")
            message = f"{who} {what} (first: {'' if of == 'record' else 'that of record '}{which[0]})."
            rows = pd.DataFrame({"record": which, survey.weight: records[survey.weight].to_numpy()[mask]})
            findings.append(finding(code, message, place=place, count=len(which), rows=rows))
    return np.where(np.isfinite(weight) & (weight > 0), weight, 0.0), findings


def check_design(survey: Microdata, usable: np.ndarray) -> list[Finding]:
    """'lone-cluster' where usable records of a stratum are all of one cluster; 'missing-column' for columns of the design.

    usable : (n_records,) bool. Records without a stratum are in one together, those without a cluster are one each, or one a
        household where the survey holds whole ones.
    """
    named = [c for c in (survey.strata, survey.cluster) if c is not None]
    if absent := [c for c in named if c not in survey.records]:
        messages = [f"{survey.name} has no column {c!r} of the design.{nearest(c, survey.records.columns)}" for c in absent]
        return [finding("missing-column", m, place=f"{survey.name}: {c}") for m, c in zip(messages, absent, strict=True)]
    if not named:
        return []
    records = survey.records[usable]
    who = range(len(records)) if survey.household not in records else records[survey.household].astype(object)
    units = pd.DataFrame({"stratum": "", "cluster": [f"alone {i}" for i in who]}, index=records.index)
    if survey.strata is not None:
        units["stratum"] = records[survey.strata].astype(str).fillna("(none)")
    if survey.cluster is not None:
        units["cluster"] = (
            records[survey.cluster].astype(object).where(records[survey.cluster].notna(), units["cluster"]).astype(str)
        )
    clusters = units.drop_duplicates()["stratum"].value_counts(sort=False)
    lone = clusters[clusters == 1].index.rename("stratum").to_frame(index=False)
    if lone.empty:
        return []
    what = "cluster" if survey.cluster is not None else "record" if survey.household is None else "household"
    message = f"{survey.name} is one {what}."
    if survey.strata is not None:
        strata = number(len(lone), "stratum has", "strata have")
        message = f"{survey.name}: {strata} only one {what} that can be used: {listed(lone.stratum)}."
    return [finding("lone-cluster", message, place=f"{survey.name}: {named[0]}", count=len(lone), rows=lone)]


def find_variable(survey: Microdata, name: str, needed_by: str) -> tuple[Variable | None, list[Finding]]:
    """Find the survey's own description of a variable; 'unknown-variable' or 'missing-column' where it cannot be read."""
    variable = survey.variables.get(name)
    if variable is None:
        message = f"{needed_by} needs {name!r}, which {survey.name} does not describe.{nearest(name, survey.variables)}"
        return None, [finding("unknown-variable", message, place=survey.name)]
    column = variable.column or name
    if column not in survey.records:
        message = f"{survey.name} has no column {column!r} for {name}.{nearest(column, survey.records.columns)}"
        return None, [finding("missing-column", message, place=f"{survey.name}: {column}")]
    return variable, []


def code_text(value: object) -> str:
    """Write a code as codebooks do: whole numbers without a point.

    >>> [code_text(v) for v in (1, 1.0, 1.1, "x ", np.int64(97))]
    ['1', '1', '1.1', 'x', '97']
    """
    if isinstance(value, float | np.floating) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def code_variable(survey: Microdata, variable: Variable, recode: Recode | None = None) -> Coded:
    """Find the category of every record in one variable; codes that only the user's `recode` maps are added to their category."""
    column = survey.records[variable.column or variable.name]
    position, values = pd.factorize(column)
    texts = [code_text(v) for v in values]
    known = {c.code: i for i, c in enumerate(variable.categories)}
    labels = {c.label.strip().lower(): i for i, c in enumerate(variable.categories)}
    found = np.full(len(texts) + 1, MISSING, np.int16)
    for i, text in enumerate(texts):
        target = recode.map.get(text, "").strip().lower() if recode else ""
        found[i] = known.get(text, MISSING if text == "" else labels.get(target, UNKNOWN))
    mapped = frozenset(text for i, text in enumerate(texts) if text not in known and found[i] >= 0)
    category = found[position]
    counts = np.bincount(position[category == UNKNOWN], minlength=len(texts))
    unknown = pd.Series({text: int(n) for text, n in zip(texts, counts, strict=True) if n}, dtype=np.int64)
    return Coded(variable, category, unknown.sort_values(ascending=False, kind="stable"), mapped)


def described_universe(survey: Microdata) -> Universe:
    """Whom the survey covers, with the ages that its codes can express where its universe says nothing of age.

    A survey whose age codes start at 16 knows no children, whatever its description says.
    """
    age = survey.variables.get("age")
    years = sorted(int(a) for a in age.atoms if a.isdigit()) if age else []
    last = years[-1] if years and years[-1] < 75 else None  # surveys end in 75+, 80+, 90+ or single years up to the oldest met
    if not years or "age" in survey.universe.members or (years[0] < 5 and last is None):
        return survey.universe
    members: Mapping[str, frozenset[str]] = {**survey.universe.members, "age": age_atoms(years[0], last)}
    span = f"aged {years[0]} and over" if last is None else f"aged {years[0]} to {last}"
    return Universe(f"{survey.universe.name} {span}", survey.universe.unit, members)
