"""Two populations compared: each a run's folder or a file of two columns with its survey; tables, a page and a map of where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb import run_folder
from synthpop_gb.atomic import replacing
from synthpop_gb.checks import Checks, without_records
from synthpop_gb.errors import Finding, InputError, finding, refuse
from synthpop_gb.geography import Geography
from synthpop_gb.microdata import Microdata
from synthpop_gb.pipeline._common_codes import CommonCodes, common_codes, places_of
from synthpop_gb.population import DonorCounts, Population

__all__ = ["Comparison", "compare"]

_TABLES = ("compare_coverage", "compare_tables", "compare_groups", "compare_zones")


@dataclass(frozen=True, eq=False)
class Comparison:
    """What comparing gives: the checks, their page and files where a folder was named."""

    checks: Checks
    files: tuple[Path, ...] = ()
    report: Path | None = None


def compare(
    a: str | Path,
    b: str | Path,
    *,
    survey: str | Path | Sequence[str | Path] = (),
    id: str | None = None,  # noqa: A002 - as studies call it
    weight: str | None = None,
    by: Sequence[str] = (),
    pairs: bool = True,
    output: str | Path | None = None,
    overwrite: bool = False,
) -> Comparison:
    """Compare two populations of the same zones.

    Parameters
    ----------
    a, b : path
        A finished run's folder, or a file of two columns (`read.two_column`).
    survey : path, or one for each file
        Survey of the files: a study file, whose [survey] table is taken, or a file of records. Where absent a file is read with
        the survey of the run that it is compared with.
    id, weight : str, optional
        Columns of a survey that is given as a file of records.
    by : sequence of str
        Variables compared; by default all that both surveys describe, at most 12.
    pairs : bool
        Cross every two of them.
    output : path, optional
        Folder in which each table is written as Parquet and CSV, and compare.html.
    overwrite : bool
        Replace an earlier comparison there.

    Returns
    -------
    Comparison
        Its checks hold `compare_zones`, `compare_tables`, `compare_groups`, `compare_coverage`; see
        `validation.two_populations.compare_populations`.

    Raises
    ------
    InputError
        Every finding about the populations, the surveys, or where to write: `study-missing` for a file without a survey,
        `no-zones` where no zone is in both, `unknown-variable`, `output-exists` ...
    """
    from synthpop_gb.validation.two_populations import compare_populations

    output = None if output is None else Path(output)
    if output is not None and not overwrite and (output / "compare.html").exists():
        raise InputError([finding("output-exists", f"{output} holds a comparison.", place=str(output))])
    sides = _open_both(Path(a), Path(b), survey, id, weight)
    codes = common_codes(sides[0].survey, sides[1].survey, by, [v for s in sides for v in s.constraints])
    found = [*codes.findings, *(f for s in sides for f in s.findings)]
    if not codes.a.names:
        message = f"{sides[0].survey.name} and {sides[1].survey.name} describe no variable in common."
        found.append(finding("unknown-variable", message, place="by", level="error"))
    shared = sides[0].counts.zones.intersection(sides[1].counts.zones)
    if not len(shared):
        found.append(_no_zones(*sides))
    refuse(found)
    people = [_placed(side, codes, at) for at, side in enumerate(sides)]
    open_to_all = all(s.survey.licence == "open" for s in sides)
    geography = next((s.geography for s in sides if s.geography is not None and s.geography.boundary_file is not None), None)
    checks = compare_populations(*people, pairs=pairs, least_records=1 if open_to_all else 10, names=_names(sides))
    noticed = [f if s.survey.licence == "open" else without_records(f) for s in sides for f in s.findings]
    checks = replace(checks, findings=(*codes.findings, *noticed, *checks.findings))
    if output is None:
        return Comparison(checks)
    return Comparison(checks, *_write(checks, output, (sides[0].name, sides[1].name), geography))


@dataclass(eq=False)
class _Side:
    """One population as opened."""

    name: str
    counts: DonorCounts
    survey: Microdata
    universe: str
    findings: tuple[Finding, ...] = ()
    geography: Geography | None = None
    constraints: tuple[str, ...] = ()
    population: Population | None = None
    replicates: list[Population] = field(default_factory=list)


def _open_both(a: Path, b: Path, survey, id: str | None, weight: str | None) -> list[_Side]:  # noqa: A002
    """Open both; a file takes the survey named for it, or that of the other's run. Every problem of either is raised."""
    named = [survey] if isinstance(survey, str | Path) else list(survey)
    files = [p for p in (a, b) if not p.is_dir()]
    sides: dict[int, _Side] = {}
    problems: list[Finding] = []
    surveys: list[Microdata] = []
    if len(named) > len(files):
        message = f"{len(named)} surveys are named for {len(files)} files of two columns."
        problems.append(finding("study-value", message, place="survey", remedy="A run's folder knows its survey."))
    for path in named:
        try:
            surveys.append(_survey(Path(path), id, weight))
        except InputError as error:
            problems += error.findings
    for at, path in enumerate((a, b)):
        if path.is_dir():
            try:
                sides[at] = _open_run(path)
            except InputError as error:
                problems += error.findings
    surveys = surveys or ([s.survey for s in sides.values()] if not named else [])
    for at, path in enumerate((a, b)):
        if path.is_dir():
            continue
        if not surveys:
            if not problems:
                message = f"{path} holds ids of survey records, and no survey is named to look them up in."
                remedy = "Name it with --survey: a study file, or the file of records with --id."
                problems.append(finding("study-missing", message, place=str(path), remedy=remedy))
            continue
        try:
            sides[at] = _open_file(path, surveys[min(files.index(path), len(surveys) - 1)])
        except InputError as error:
            problems += error.findings
    refuse(problems)
    if sides[0].name == sides[1].name:
        for at, letter in ((0, "A"), (1, "B")):
            sides[at].name = f"{sides[at].name} ({letter})"
    return [sides[0], sides[1]]


def _survey(path: Path, id: str | None, weight: str | None) -> Microdata:  # noqa: A002
    """Read a survey: that of a study file, or a file of records."""
    from synthpop_gb.pipeline.inputs import read_survey
    from synthpop_gb.spec import load_study
    from synthpop_gb.spec.model import Survey

    if path.suffix.lower() in (".toml", ".json"):
        return read_survey(load_study(path).survey)
    return read_survey(Survey(path=str(path), id=id, weight=weight))


def _open_run(folder: Path) -> _Side:
    """Open a run's folder: the people who were written, its survey, its replicates."""
    from synthpop_gb.pipeline.after import opened

    study, aligned, population = opened(folder, replicates=True)
    counts = _joined(run_folder.read_counts(folder, aligned.records))
    made = population.replicates
    replicates = [] if made is None or len(made) < 2 else [population.replicate(int(n)) for n in made.numbers]
    place = places_of(aligned.records, aligned.survey.records.index)
    counts = DonorCounts(counts.zones, counts.indptr, place[counts.record], counts.n)
    universes = list(dict.fromkeys(t.universe.name for t in aligned.constraints))
    names = tuple(dict.fromkeys(v for t in aligned.constraints for v in t.variables))
    return _Side(
        study.name, counts, aligned.survey, universes[0], (), aligned.geography, names, population, replicates
    )  # fmt: skip


def _open_file(path: Path, survey: Microdata) -> _Side:
    """Read a file of two columns with its survey."""
    from synthpop_gb import read
    from synthpop_gb.harmonisation.records import described_universe

    made = read.two_column(path, records=survey.records.index)
    return _Side(made.name, made.counts, survey, described_universe(survey).name, made.findings)


def _joined(blocks) -> DonorCounts:
    """All blocks of a run's counts as one."""
    blocks = list(blocks)
    if not blocks:
        return DonorCounts(
            pd.Index([], name="zone", dtype=object), np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32)
        )
    ends = np.cumsum([0, *(len(b.n) for b in blocks)])
    indptr = np.concatenate([[0], *(b.indptr[1:] + end for b, end in zip(blocks, ends, strict=False))]).astype(np.int64)
    zones = pd.Index(np.concatenate([b.zones.astype(str) for b in blocks]), name="zone")
    return DonorCounts(zones, indptr, np.concatenate([b.record for b in blocks]), np.concatenate([b.n for b in blocks]))


def _placed(side: _Side, codes: CommonCodes, at: int):
    """Put together what is compared: counts, codes, and the function that places replicates."""
    from synthpop_gb.read.two_column_files import vintage_of
    from synthpop_gb.validation.two_populations import PlacedPeople

    def replicates(zones: pd.Index):
        place = places_of(side.population.problem.records, side.survey.records.index)
        for made in side.replicates:
            block = made.donors(zones)
            yield DonorCounts(zones, block.indptr, place[block.record], block.n)

    source = side.survey.source
    return PlacedPeople(
        side.name, side.counts, (codes.a, codes.b)[at], side.universe, side.survey.name,
        side.survey.name if source is None else source.sha256, vintage_of(side.counts.zones.astype(str)),
        replicates if side.replicates else None, len(side.replicates),
        side.population.replicates.sources if side.replicates else (), codes.inside[at],
    )  # fmt: skip


def _names(sides: Sequence[_Side]) -> pd.Series | None:
    """Names of zones, from the first geography that has some."""
    for side in sides:
        if side.geography is not None and "name" in side.geography.zones:
            return side.geography.zones["name"].astype("string").fillna("").astype(object)
    return None


def _no_zones(a: _Side, b: _Side) -> Finding:
    """Say that nothing can be compared, with an example of either's zones."""
    first = [s.counts.zones[0] if len(s.counts.zones) else "none" for s in (a, b)]
    message = f"No zone is in both: {a.name} has {first[0]} ..., {b.name} has {first[1]} ..."
    return finding(
        "no-zones", message, place=b.name, why="Nothing can be compared.", remedy="Make both for zones of one level and year."
    )


def _write(checks: Checks, folder: Path, names: tuple[str, str], geography: Geography | None) -> tuple[tuple[Path, ...], Path]:
    """Write each table as Parquet and CSV, the map, and the page."""
    from synthpop_gb.export import guarded
    from synthpop_gb.report.comparison import write_comparison

    written = []
    for name in _TABLES:
        table = checks[name]
        for suffix in (".parquet", ".csv"):
            path = folder / f"{name}{suffix}"
            with replacing(path) as temporary:
                if suffix == ".parquet":
                    table.to_parquet(temporary, index=False, compression="zstd")
                else:
                    texts = table.select_dtypes(include=["object", "string"]).columns
                    table.assign(**{c: [guarded(str(v)) for v in table[c]] for c in texts}).to_csv(temporary, index=False)
            written.append(path)
    page = write_comparison(folder / "compare.html", checks, names=names, geography=geography)
    return tuple(written), page
