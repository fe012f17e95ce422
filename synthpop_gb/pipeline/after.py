"""What is done with a finished run: load it, validate it again, map it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from synthpop_gb import run_folder
from synthpop_gb.aligned import Aligned, AlignedTable
from synthpop_gb.errors import Finding, InputError, finding, refuse
from synthpop_gb.pipeline.inputs import align, examine_study, read_inputs
from synthpop_gb.pipeline.run import Run, report_on
from synthpop_gb.pipeline.starting import problem_of_run
from synthpop_gb.population import Population
from synthpop_gb.provenance import InputFile
from synthpop_gb.spec import Study
from synthpop_gb.spec.model import Table
from synthpop_gb.spec.start import StartModel

__all__ = ["check_drawable", "draw", "draw_indicator", "load", "map_run", "opened", "slug", "validate_run"]


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


def map_run(folder: str | Path, indicator: str, output: str | Path | None = None, *, title: str | None = None) -> list[Path]:
    """Map the share of people in each zone who meet a condition; returns the files: PNG, SVG, GeoPackage, GeoParquet.

    Where the run has replicates, zones whose share is unreliable are faded and hatched, and the files hold intervals.

    Raises
    ------
    InputError
        `bad-condition`; `missing-file` where the study names no boundaries.
    """
    from synthpop_gb.pipeline.indicators import left_out_of, share_of

    folder = Path(folder)
    _, aligned, population = opened(folder, replicates=True)
    found = None
    if population.replicates is not None:
        found = share_of(indicator, population, aligned, folder, left_out_of(population, aligned, folder))
    return draw(folder, aligned, indicator, title=title, output=output, found=found)


def draw(
    folder: Path, aligned: Aligned, indicator: str, *, title: str | None = None, output: str | Path | None = None, found=None
) -> list[Path]:
    """Draw one map of a run from its written counts; see `map_run`. `found`: `Indicators` of the share, to fade by."""
    from synthpop_gb.export import geopackage
    from synthpop_gb.indicators import parse_condition, share_by_zone
    from synthpop_gb.report.maps import draw_map

    refuse(check_boundaries(aligned))
    condition = parse_condition(indicator)
    known = condition.known(aligned)
    shares = share_by_zone(run_folder.read_counts(folder, aligned.records), condition.matches(aligned), aligned.zones, known)
    stem = Path(output) if output else folder / "maps" / slug(indicator)
    stem = stem.with_suffix("") if stem.suffix.lower() in {".png", ".svg", ".gpkg", ".parquet"} else stem
    stem.parent.mkdir(parents=True, exist_ok=True)
    doubtful = None if found is None else found.frame.set_index("zone")["reliability"] == "unreliable"
    drawn = draw_map(
        100 * shares["share"],
        aligned.geography,
        stem,
        title=title or indicator,
        unit="% of people" if known.all() else "% of those of whom it is known",
        subtitle=_hatched(doubtful),
        unreliable=doubtful,
    )
    if found is not None:
        columns = ["estimate", "standard_error", "lower", "upper", "n_eff", "donors", "largest_donor", "reliability"]
        shares = shares.join(found.frame.set_index("zone")[columns])
    for suffix in (".gpkg", ".geo.parquet"):
        drawn.append(geopackage(shares, aligned.geography, stem.with_name(stem.name + suffix)))
    return drawn


def check_drawable(asked, aligned: Aligned) -> list[Finding]:
    """Say why a question, or a request for one, cannot be mapped: `study-value`, or `missing-file` without boundaries."""
    found = []
    if tuple(asked.by) != ("zone",):
        message = f"Only figures by zone, without groups, can be mapped; these are by {', '.join(asked.by) or 'nothing'}."
        found.append(finding("study-value", message, place="map", remedy="Ask by zone alone, or leave the map out."))
    return [*found, *check_boundaries(aligned)]


def check_boundaries(aligned: Aligned) -> list[Finding]:
    """`missing-file` where the study names no boundaries."""
    if aligned.geography.boundary_file is not None:
        return []
    message = "The study names no boundaries, so nothing can be drawn."
    return [finding("missing-file", message, place="zones.boundaries", remedy="Add `boundaries` under [zones].")]


def draw_indicator(found, aligned: Aligned, stem: Path, *, title: str) -> list[Path]:
    """Map indicators by zone, without groups: zones whose figure is unreliable are faded and hatched. Returns the files.

    Raises InputError (`missing-file`) where the study names no boundaries, or the figures are not by zone alone.
    """
    from synthpop_gb.export import geopackage
    from synthpop_gb.report.maps import draw_map

    refuse(check_drawable(found.question, aligned))
    frame = found.frame.set_index("zone")
    share, doubtful = found.question.measure == "share", frame["reliability"] == "unreliable"
    stem.parent.mkdir(parents=True, exist_ok=True)
    drawn = draw_map(
        frame["estimate"] * (100 if share else 1), aligned.geography, stem, title=title,
        unit=found.shown_unit, unreliable=doubtful,
        subtitle=f"Median ± {_half_width(found)} ({100 * found.level:g} %). {_hatched(doubtful)}".strip(),
    )  # fmt: skip
    for suffix in (".gpkg", ".geo.parquet"):
        drawn.append(geopackage(frame, aligned.geography, stem.with_name(stem.name + suffix)))
    return drawn


def _hatched(doubtful) -> str:
    """Say why zones are faded and hatched; nothing where none is."""
    from synthpop_gb.indicators import UNRELIABLE

    return f"Hatched: {UNRELIABLE}" if doubtful is not None and doubtful.any() else ""


def _half_width(found) -> str:
    half = float((found.frame["upper"] - found.frame["lower"]).median() / 2)
    return f"{100 * half:.1f} points" if found.question.measure == "share" else f"{half:,.3g}"


_SPOKEN = ((">=", " from "), ("<=", " up to "), ("!=", " not "), ("==", " "), ("<", " below "), (">", " above "), ("=", " "))


def slug(text: str) -> str:
    """File name of any condition: letters, digits and hyphens; two conditions share one only if they say the same.

    >>> slug("health in ('bad', 'very bad')"), slug("age >= 65"), slug("age < 65")
    ('health-in-bad-very-bad', 'age-from-65', 'age-below-65')
    """
    spoken = text
    for sign, word in _SPOKEN:
        spoken = spoken.replace(sign, word)
    name = re.sub(r"[^a-z0-9]+", "-", spoken.lower()).strip("-") or "map"
    return name if len(name) <= 60 else f"{name[:50].strip('-')}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
