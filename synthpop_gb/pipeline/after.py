"""What is done with a finished run: load it, validate it again, map it, expand it to one row a person."""

from __future__ import annotations

import re
from pathlib import Path

from synthpop_gb import run_folder
from synthpop_gb.aligned import Aligned
from synthpop_gb.errors import InputError, finding, refuse
from synthpop_gb.pipeline.inputs import align, examine_study, read_inputs
from synthpop_gb.pipeline.run import Run, report_on
from synthpop_gb.population import Population
from synthpop_gb.spec import Study
from synthpop_gb.spec.model import Table

__all__ = ["draw", "expand_run", "load", "map_run", "validate_run"]


def load(folder: str | Path, *, aligned: Aligned | None = None) -> Population:
    """Load a population from a run's folder.

    A run made from a study reads its survey and tables again (their hashes are checked), so that records under licence need
    not lie in the folder. One saved from Python needs `aligned` where the survey's licence is not open.

    Raises
    ------
    InputError
        `missing-file` where there is no finished run; `input-changed` where an input is not what it was; `licence`.
    """
    run = run_folder.read_run(folder)
    if aligned is None and run["study"] is not None:
        aligned = _aligned(run)
    return run_folder.load(folder, aligned=aligned)


def _aligned(run: dict) -> Aligned:
    """Read a run's inputs again, unchanged as they must be."""
    refuse(run_folder.changed_inputs(run["inputs"]))
    return align(Study.model_validate(run["study"]))[0]


def _opened(folder: Path) -> tuple[Study, Aligned, Population]:
    """Open a run that was made from a study."""
    run = run_folder.read_run(folder)
    if run["study"] is None:
        message = f"{folder} was saved from Python without a study, so its tables cannot be found."
        raise InputError([finding("study-missing", message, place=str(folder), remedy="Use sp.load and sp.validate in Python.")])
    aligned = _aligned(run)
    return Study.model_validate(run["study"]), aligned, run_folder.load(folder, aligned=aligned)


def validate_run(folder: str | Path, *, held_out=()) -> Run:
    """Count a run's files again and write validation tables and report anew, with further held-out table files if given.

    Raises
    ------
    InputError
        Where the run or an input is not as it was, or a held-out table cannot be read or harmonised: every finding.
    """
    folder = Path(folder)
    study, aligned, population = _opened(folder)
    if held_out:
        known = {t.path for t in study.tables}
        wanted = [str(Path(p).resolve()) for p in held_out]
        extra = tuple(Table(path=p) for p in wanted if p not in known)
        inputs = read_inputs(study.model_copy(update={"tables": [*study.tables, *extra]}))
        named = [t for t in inputs.tables.values() if t.source is not None and t.source.path in wanted]
        names = [*study.held_out, *(" x ".join(t.variable_names) for t in named)]
        wider = study.model_copy(update={"held_out": list(dict.fromkeys(names))})
        judged, findings, _ = examine_study(wider, inputs)
        refuse(findings)
        aligned = judged
    return report_on(study, folder, aligned, population)


def map_run(folder: str | Path, indicator: str, output: str | Path | None = None, *, title: str | None = None) -> list[Path]:
    """Map the share of people in each zone who meet a condition; returns the files: PNG, SVG, GeoPackage, GeoParquet.

    Raises
    ------
    InputError
        `bad-condition`; `missing-file` where the study names no boundaries.
    """
    folder = Path(folder)
    _, aligned, _ = _opened(folder)
    return draw(folder, aligned, indicator, title=title, output=output)


def draw(
    folder: Path, aligned: Aligned, indicator: str, *, title: str | None = None, output: str | Path | None = None
) -> list[Path]:
    """Draw one map of a run from its written counts; see `map_run`."""
    from synthpop_gb.export import geopackage
    from synthpop_gb.indicators import parse_condition, share_by_zone
    from synthpop_gb.report.maps import draw_map

    if aligned.geography.boundary_file is None:
        message = "The study names no boundaries, so nothing can be drawn."
        raise InputError([finding("missing-file", message, place="zones.boundaries", remedy="Add `boundaries` under [zones].")])
    mask = parse_condition(indicator).matches(aligned)
    shares = share_by_zone(run_folder.read_counts(folder, aligned.records), mask, aligned.zones)
    stem = Path(output) if output else folder / "maps" / slug(indicator)
    stem = stem.with_suffix("") if stem.suffix.lower() in {".png", ".svg", ".gpkg", ".parquet"} else stem
    stem.parent.mkdir(parents=True, exist_ok=True)
    drawn = draw_map(100 * shares["share"], aligned.geography, stem, title=title or indicator, unit="% of people")
    for suffix in (".gpkg", ".geo.parquet"):
        drawn.append(geopackage(shares, aligned.geography, stem.with_name(stem.name + suffix)))
    return drawn


def slug(text: str) -> str:
    """File name of any text: letters, digits and hyphens, at most 60 characters.

    >>> slug("health in ('bad', 'very bad')")
    'health-in-bad-very-bad'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60].strip("-") or "map"


def expand_run(folder: str | Path, target: str | Path, *, overwrite: bool = False) -> Path:
    """Write one row a person of a run to a file or a partitioned folder; returns its path.

    Raises
    ------
    InputError
        `output-exists` unless `overwrite`; `output-locked`.
    """
    from synthpop_gb.export import people

    target = Path(target)
    _, aligned, population = _opened(Path(folder))
    return people(population, aligned, target, overwrite=overwrite)
