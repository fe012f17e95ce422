"""The one owner of a run's files: write, load, resume; what may be copied and what not.

A pipeline calls `begin`, solves with `checkpoint=blocks_folder(folder)`, then `write_population`, `read_counts` for the recount,
`write_checks`, and `finish`, which writes the card too; `write_card` writes it anew. From Python `save` and `load` do it all.
Layout: `outputs/README.md` of the project.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from synthpop_gb.card import describe
from synthpop_gb.checks import Checks
from synthpop_gb.errors import InputError, finding
from synthpop_gb.run_folder._card import inventory, write_card, write_pair
from synthpop_gb.run_folder._checks import AUDIT, read_checks, write_checks
from synthpop_gb.run_folder._counts import counts_facts, places_as_written, read_counts, read_households
from synthpop_gb.run_folder._files import PROBLEM, begin, blocks_folder, end, is_finished, read_json, write_json
from synthpop_gb.run_folder._problem import read_problem
from synthpop_gb.run_folder._record import (
    changed_files,
    changed_inputs,
    provenance_of,
    read_run,
    record_simulation,
    write_run,
)
from synthpop_gb.run_folder._store import is_open, read_population, write_population

if TYPE_CHECKING:
    from synthpop_gb.aligned import Aligned
    from synthpop_gb.population import Population
    from synthpop_gb.problem import Problem

__all__ = [
    "AUDIT", "begin", "blocks_folder", "changed_inputs", "counts_facts", "finish", "inventory", "is_finished", "load",
    "read_checks", "read_counts", "read_households", "read_json", "read_run", "record_simulation", "save", "write_card",
    "write_checks", "write_json", "write_pair", "write_population",
]  # fmt: skip


def save(
    population: Population,
    folder: str | Path,
    *,
    aligned: Aligned | None = None,
    licence: str | None = None,
    checks: Checks | None = None,
    overwrite: bool = False,
) -> Path:
    """Save a population as a run's folder.

    Parameters
    ----------
    population : Population
        What to save.
    folder : path
        New or empty, or a run's with `overwrite`.
    aligned : Aligned, optional
        What the problem was formulated from: tells the survey's licence and the input files.
    licence : str, optional
        The survey's licence where `aligned` is not given. Only with 'open' can the population be loaded again by itself; without,
        record ids and counts are saved, and `load` needs the survey.
    checks : Checks, optional
        Results of validation, saved with it.
    overwrite : bool
        Replace a finished run.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        `output-exists`, `output-locked`; `licence` where `licence` says open and the survey is not.

    Examples
    --------
    >>> import tempfile
    >>> from synthpop_gb import solve
    >>> from synthpop_gb.testing import small_problem
    >>> with tempfile.TemporaryDirectory() as place:
    ...     folder = save(solve(small_problem(), seed=1), f"{place}/mine", licence="open")
    ...     load(folder).people
    30
    """
    if aligned is not None:
        if is_open(licence) and not is_open(aligned.survey.licence):
            survey = aligned.survey
            message = f"the survey {survey.name} has the licence {survey.licence!r}, so its records may not be saved as open."
            raise InputError([finding("licence", message, place=survey.name)])
        licence = aligned.survey.licence
        if not population.provenance.inputs:
            survey = aligned.survey
            files = (survey.source, survey.household_file, *aligned.geography.sources)
            sources = tuple(s for s in files if s is not None)
            population = replace(population, provenance=replace(population.provenance, inputs=sources))
    folder = begin(folder, overwrite=overwrite)
    write_population(population, folder, licence=licence)
    if checks is not None:
        write_checks(checks, folder, licence=licence)
    finish(population, folder, licence=licence, checks=checks, aligned=aligned)
    return folder


def finish(
    population: Population,
    folder: str | Path,
    *,
    licence: str | None = None,
    checks: Checks | None = None,
    aligned: Aligned | None = None,
    extra: Mapping | None = None,
) -> dict:
    """Complete a run: run.json, the card (README.md, card.json, datapackage.json, ro-crate-metadata.json); then it is finished.

    Parameters
    ----------
    population : Population
        As written; its `provenance` names study and inputs.
    folder : path
        A run's folder with the population in it.
    licence : str, optional
        The survey's.
    checks : Checks, optional
        Their figures go into the card.
    aligned : Aligned, optional
        What it was made from: variables, tables and universes are noted in run.json, and told by the card.
    extra : mapping, optional
        Further facts for run.json, plain values by name.

    Returns
    -------
    dict
        What run.json holds.
    """
    from synthpop_gb.execution.checkpoint import problem_hash

    folder = Path(folder)
    if aligned is not None:
        extra = {"made_from": describe(aligned), **(extra or {})}
    run = write_run(population, folder, licence=licence, problem_hash=problem_hash(population.problem), extra=extra)
    write_card(folder, run=run, checks=checks)
    end(folder)
    return run


def load(
    folder: str | Path, *, aligned: Aligned | None = None, problem: Problem | None = None, replicates: bool = True
) -> Population:
    """Load a saved population.

    Parameters
    ----------
    folder : path
        A finished run's folder.
    aligned, problem : optional
        What the population was made from. Needed where the survey's licence kept its records out of the folder; either will do.
    replicates : bool
        Load the run's replicates too, where it has some.

    Returns
    -------
    Population
        Equal to what was saved, donors included.

    Raises
    ------
    InputError
        `missing-file` where there is no finished run; `licence` where the survey is needed and not given; `input-changed` where
        the survey, tables or zones given are not those of the run, a file in the folder was changed, or this version would place
        other donors than are written (above two million people, fifty zones are compared).

    Warns
    -----
    UserWarning
        Where an input file of the run has changed since; what is loaded is the run as it was.
    """
    folder = Path(folder)
    run = read_run(folder)
    if wrong := changed_files(folder, run):
        raise InputError(wrong)
    alone = aligned is None and problem is None
    if alone and not (folder / PROBLEM).exists():
        message = f"{folder} was made from a survey that may not be copied, so the population cannot be loaded without it."
        remedy = "Read the survey and the tables again and pass `aligned=`, or load the run with its study file."
        raise InputError([finding("licence", message, place=str(folder), remedy=remedy)])
    changed = [f for f in changed_inputs(run["inputs"]) if f.code == "input-changed"]
    if alone:
        problem = read_problem(folder / PROBLEM)
        for f in changed:
            warnings.warn(f"{f.message} What was loaded is the run as it was.", stacklevel=2)
    elif problem is None:
        from synthpop_gb.formulation import formulate

        problem = formulate(aligned)
    if run.get("scenario") and problem.n_profiles != len(problem.donor):
        from synthpop_gb.problem import by_unit

        problem = by_unit(problem)
    from synthpop_gb.execution.checkpoint import problem_hash

    if problem_hash(problem) != run["problem"]:
        message = f"survey, tables or zones are not those that {folder} was made from."
        raise InputError(changed or [finding("input-changed", message, place=str(folder))])
    population = read_population(folder, problem, provenance_of(run), run["method"].get("link"), replicates=replicates)
    if not places_as_written(population, folder, run):
        version = run["versions"].get("synthpop_gb", "that made it")
        message = f"This version places other donors than {folder} holds."
        remedy = f"Load it with synthpop_gb {version}, which made the run (all versions are in run.json), or run the study again."
        raise InputError([finding("input-changed", message, place=str(folder), remedy=remedy)])
    return population
