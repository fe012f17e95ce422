"""What is done with a finished run: load it, validate it again, map it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from synthpop_gb import run_folder
from synthpop_gb.aligned import Aligned, AlignedTable
from synthpop_gb.errors import Finding, InputError, finding, refuse
from synthpop_gb.pipeline.inputs import align, examine_study, read_inputs
from synthpop_gb.pipeline.map_files import USUAL, check_formats
from synthpop_gb.pipeline.mapping import draw_wanted, map_findings
from synthpop_gb.pipeline.run import Run, report_on
from synthpop_gb.pipeline.starting import problem_of_run
from synthpop_gb.population import Population
from synthpop_gb.provenance import InputFile
from synthpop_gb.spec import Study
from synthpop_gb.spec.model import MapRequest, Table
from synthpop_gb.spec.start import StartModel

__all__ = ["load", "map_run", "opened", "validate_run"]


def load(folder: str | Path, *, aligned: Aligned | None = None) -> Population:
    """Load a population from a run's folder.

    A run made from a study reads its survey and tables again (their hashes are checked), so that records under licence need not
    lie in the folder and indicators can be asked of it. A run of an open survey holds all that is needed to load it: where its
    inputs are gone or changed it is loaded without, and `sp.indicator` then needs `aligned=`. One saved from Python needs
    `aligned` where the survey's licence is not open.

    Raises
    ------
    InputError
        `missing-file` where there is no finished run; `input-changed` where an input is not what it was; `licence`.
    """
    run = run_folder.read_run(folder)
    alone = (Path(folder) / "population" / "problem.npz").exists()  # an open survey: the folder is enough
    if aligned is None and run["study"] is not None and not alone:
        aligned = _aligned(run)
    problem = problem_of_run(run, aligned) if aligned is not None and run["study"] is not None else None
    population = run_folder.load(folder, aligned=aligned, problem=problem)
    if aligned is None and run["study"] is not None and not run_folder.changed_inputs(run["inputs"]):
        population = replace(population, problem=replace(population.problem, aligned=_aligned(run)))
    return population


def _aligned(run: dict) -> Aligned:
    """Read a run's inputs again, unchanged as they must be."""
    refuse(run_folder.changed_inputs(run["inputs"]))
    return align(Study.model_validate(run["study"]))[0]


def opened(folder: Path, *, replicates: bool = False) -> tuple[Study, Aligned, Population]:
    """Open a run that was made from a study; with its replicates where asked."""
    run = run_folder.read_run(folder)
    if run["study"] is None:
        message = f"{folder} was saved from Python without a study, so its tables cannot be found."
        remedy = "Use Python: sp.load, then sp.validate, sp.indicator or sp.export.people with the aligned inputs."
        raise InputError([finding("study-missing", message, place=str(folder), remedy=remedy)])
    aligned = _aligned(run)
    population = run_folder.load(folder, problem=problem_of_run(run, aligned), replicates=replicates)
    return Study.model_validate(run["study"]), aligned, population


def validate_run(folder: str | Path, *, held_out=()) -> Run:
    """Count a run's files again and write validation tables and report anew, with further held-out table files if given.

    Raises
    ------
    InputError
        Where the run or an input is not as it was, or a held-out table cannot be read or harmonised: every finding.
    """
    folder = Path(folder)
    study, aligned, population = opened(folder, replicates=True)  # what was asked of them is written anew
    extra, files = _judges(study, aligned, held_out) if held_out else ((), ())
    noted = {"judged_by": [asdict(f) for f in files]} if files else None
    return report_on(study, folder, aligned, population, held_out=(*aligned.held_out, *extra), extra=noted)


def _judges(study: Study, aligned: Aligned, paths) -> tuple[tuple[AlignedTable, ...], tuple[InputFile, ...]]:
    """Read further tables and bring them to the survey's categories; what was fitted stays as it is."""
    known = {t.path for t in study.tables}
    wanted = [str(Path(p).resolve()) for p in paths]
    more = tuple(Table(path=p) for p in wanted if p not in known)
    inputs = read_inputs(study.model_copy(update={"tables": [*study.tables, *more]}))
    refuse(inputs.findings)
    tables = [t for t in inputs.tables.values() if t.source is not None and t.source.path in wanted]
    found = []
    for table in tables:
        # constraints that this table could serve are left out, so that none of them is looked for in it
        others = [c for c in study.constraints if not set(c.split(" x ")) <= set(table.variable_names)]
        others = others or study.constraints
        start = StartModel(exclude=study.start.exclude)
        changed = {"constraints": others, "held_out": [table.name], "maps": [], "truth": None, "start": start}
        asked = study.model_copy(update=changed)
        judged, findings, _ = examine_study(asked, inputs)
        refuse(findings)
        (judge,) = judged.held_out
        at = judged.records.get_indexer(aligned.records)
        found.append(replace(judge, record_cell=np.where(at >= 0, judge.record_cell[at], -1).astype(np.int32)))
    return tuple(found), tuple(t.source for t in tables)


def map_run(
    folder: str | Path,
    indicator: str,
    output: str | Path | None = None,
    *,
    title: str | None = None,
    against: str | None = None,
    across: str | None = None,
    how_sure: bool = False,
    formats: Sequence[str] = USUAL,
    say: Callable[[Finding], None] | None = None,
) -> list[Path]:
    """Map the share of people in each zone who meet a condition; returns the files.

    Where the run has replicates, zones whose share is unreliable are faded and hatched, and the files hold intervals.

    Parameters
    ----------
    folder : path
        A finished run's.
    indicator : str
        Condition.
    output : path, optional
        Stem of the files; RUN/maps/<condition> where absent.
    title : str, optional
        Heading; the condition where absent.
    against : str, optional
        A second condition: both shares in one map of nine colours.
    across : str, optional
        A variable: one map a category, the share among the people in it, all in one scale.
    how_sure : bool
        Beside the map another of how long the intervals are; needs replicates.
    formats : sequence of str
        Of `map_files.FORMATS`: png, svg, gpkg (opens in QGIS as a map), geoparquet, geojson, pmtiles.
    say : callable, optional
        Called with each finding about boundaries: zones without a polygon, boundaries of another year, level or detail.

    Raises
    ------
    InputError
        `bad-condition`; `missing-file` where the study names no boundaries; `study-value` for an unknown format;
        `study-missing` for intervals of a run without replicates.
    """
    from synthpop_gb.pipeline.indicators import left_out_of, share_of

    folder = Path(folder)
    refuse(check_formats(formats))
    wanted = MapRequest(
        indicator=indicator, title=title, against=against, across=across, how_sure=how_sure, formats=list(formats)
    )
    _, aligned, population = opened(folder, replicates=True)
    refuse(map_findings(wanted, aligned, replicates=population.replicates is not None))
    for found in aligned.geography.findings if say is not None else ():
        if found.code in ("missing-boundary", "boundaries-vintage", "boundaries-detail"):
            say(found)
    shares = None
    if population.replicates is not None and not (against or across):
        left_out = left_out_of(population, aligned, folder)

        def shares(by: str):
            return share_of(indicator, population, aligned, folder, left_out, by=by)

    return draw_wanted(folder, aligned, wanted, output=output, shares=shares, levels=aligned.geography.covering)
