"""A study's [start]: the problem with the start weights that it asks for, learnt and chosen, or as an earlier run noted them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.assessment.starts import BetterStart, Learnt, better_start
from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.formulation import formulate
from synthpop_gb.pipeline.incomes import check_incomes, income_targets
from synthpop_gb.pipeline.inputs import Inputs, read_inputs
from synthpop_gb.pipeline.wishes import make_recodes
from synthpop_gb.problem import Problem, zone_key
from synthpop_gb.spec import Study

__all__ = ["check_start", "problem_of_run", "start_study"]

_TRAINING = 4_000  # zones learnt from, at most


def start_study(study: Study, aligned: Aligned, inputs: Inputs, known: Mapping[str, Any] | None = None) -> BetterStart:
    """Formulate a study's problem and give it the start that [start] asks for.

    Parameters
    ----------
    study, aligned, inputs : as read and harmonised.
    known : mapping, optional
        What an earlier run noted under `start`: nothing is then chosen or learnt anew.

    Raises
    ------
    InputError
        Every finding about why it cannot be done; see `better_start`.
    """
    problem, asked = formulate(aligned), study.start
    if not asked.changes:
        return BetterStart(problem, {})
    learnt, refused = [], []
    for wanted in asked.learnt:
        try:
            learnt.append(_learnt(study, aligned, inputs, wanted))
        except InputError as error:
            refused += error.findings
    try:
        incomes = income_targets(asked.incomes)
    except InputError as error:
        refused += error.findings
    if refused:
        raise InputError(refused)
    return better_start(
        problem, aligned, own_region=asked.own_region, region=asked.region, smooth=asked.smooth, learnt=learnt, incomes=incomes,
        income_bands=asked.income_bands, income_prior=asked.income_prior, max_copies=asked.max_copies, judge=asked.judge,
        seed=study.seed, known=known,
    )  # fmt: skip


def check_start(study: Study, aligned: Aligned, inputs: Inputs) -> list[Finding]:
    """Say what speaks against a study's [start], nothing chosen or learnt: every finding."""
    from synthpop_gb.assessment.starts.learnt import find_table
    from synthpop_gb.assessment.starts.regions import find_regions
    from synthpop_gb.methods import METHODS

    asked, found = study.start, []
    method = METHODS.get(study.method.name)
    several = False
    if asked.own_region is not None:
        try:
            regions = find_regions(formulate(aligned), aligned, asked.region)
            several = len(regions.names) > 1 or bool((regions.of_zone < 0).any())
        except InputError as error:
            found += error.findings
    for name in asked.judge:
        if name not in {t.name for t in aligned.held_out}:
            message = f"start.judge: no held-out table is called {name!r}."
            found.append(finding("study-reference", message, place="start.judge"))
    for wanted in asked.learnt:
        try:
            find_table(aligned, _learnt(study, aligned, inputs, wanted))
        except InputError as error:
            found += error.findings
    found += check_incomes(asked.incomes, aligned)
    tilting = "learnt" if asked.learnt else "own_region" if several else "incomes"
    for needed, attribute, key in (
        (bool(asked.learnt) or several or bool(asked.incomes), "tilts", tilting),
        (asked.max_copies is not None, "caps", "max_copies"),
    ):  # fmt: skip
        if needed and method is not None and not getattr(method, attribute, False):
            able = " or ".join(repr(n) for n, m in METHODS.items() if getattr(m, attribute, False))
            message = f"start.{key}: the method {study.method.name!r} cannot do that."
            found.append(finding("study-value", message, place=f"start.{key}", remedy=f"Use {able}."))
    if asked.max_copies is not None and any(level.constraints for level in aligned.levels):
        message = "start.max_copies: a limit on copies looks at one zone alone, and the tables of levels bind zones together."
        found.append(finding("study-value", message, place="start.max_copies", remedy="Leave out either."))
    return found


def problem_of_run(run: Mapping[str, Any], aligned: Aligned) -> Problem:
    """Return the problem that a run solved, from its run.json and its inputs, harmonised again."""
    study = Study.model_validate(run["study"])
    inputs = read_inputs(study) if study.start.learnt else Inputs()
    return start_study(study, aligned, inputs, run.get("start")).problem


def _learnt(study: Study, aligned: Aligned, inputs: Inputs, wanted) -> Learnt:
    """Harmonise other zones for learning, or name the level."""
    if wanted.train != "other zones":
        return Learnt(wanted.table, level=wanted.train)
    from synthpop_gb.harmonisation import examine

    chosen = _other_zones(study, aligned, inputs)
    if not len(chosen):
        message = f"{wanted.table!r} cannot be learnt: no zone outside the study area is in the lookup and in the tables."
        raise InputError([finding("start-training", message, place="start.learnt")])
    recodes, _ = make_recodes(study.recode)
    other, findings = examine(
        inputs.survey, inputs.tables, inputs.geography, constraints=study.constraints, held_out=[wanted.table], recodes=recodes,
        total_from=study.total_from, zones=chosen.tolist(), seed=study.seed,
    )  # fmt: skip
    wrong = [f for f in findings if f.level == "error"]
    if other is None:
        told = [replace(f, message=f"For {wanted.table!r} to be learnt from other zones: {f.message}") for f in wrong]
        raise InputError(told or [finding("start-training", f"{wanted.table!r} cannot be learnt.", place="start.learnt")])
    return Learnt(wanted.table, training=other)


def _other_zones(study: Study, aligned: Aligned, inputs: Inputs) -> pd.Index:
    """Zones that are not the study's and stand in every table that has any such zone: those with the least keys, ascending."""
    codes = inputs.geography.codes.difference(aligned.zones)
    for table in inputs.tables.values():
        there = codes.intersection(table.counts.index)
        codes = there if len(there) else codes
    keys = np.fromiter((zone_key(c) for c in codes.tolist()), np.uint64, len(codes))
    return codes[np.sort(np.argsort(keys, kind="stable")[:_TRAINING])]
