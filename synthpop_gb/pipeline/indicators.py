"""Indicators of a run: those that its study asks for, and those that somebody asks of it afterwards."""

from __future__ import annotations

import csv
import secrets
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb import run_folder
from synthpop_gb.aligned import Aligned
from synthpop_gb.assessment import LeftOut, indicator, leave_one_out, region_of
from synthpop_gb.assessment.benchmarks import request_findings
from synthpop_gb.atomic import replacing
from synthpop_gb.errors import Finding, InputError, finding, refuse
from synthpop_gb.indicators import FEW_DONORS, Indicators, Question, published
from synthpop_gb.indicators.withheld import few_withheld, three_figures
from synthpop_gb.pipeline.map_files import USUAL, check_formats, slug
from synthpop_gb.population import Population
from synthpop_gb.release import ReleaseRule, release_rule
from synthpop_gb.spec import Study
from synthpop_gb.spec.model import IndicatorRequest

__all__ = ["Asked", "ask", "check_indicators", "indicator_run", "left_out_of", "read_benchmark", "write_indicators"]


@dataclass(frozen=True, eq=False)
class Asked:
    """An indicator of a run and the file that it was written to."""

    indicators: Indicators
    path: Path


def question_of(request: IndicatorRequest) -> Question:
    """Turn a study's request into a question. Raises ValueError for nonsense."""
    return Question(request.what, request.measure, request.where, tuple(request.by), request.quantile, request.unit)


def read_benchmark(path: str | Path, level: str | None) -> pd.Series:
    """Read a benchmark: a CSV or Parquet file whose first column holds area codes and whose last holds shares.

    The level is `level`, or the first column's name. Raises InputError (`missing-file`, `unreadable-file`).
    """
    path = Path(path)
    try:
        frame = pd.read_parquet(path) if path.suffix.lower() == ".parquet" else pd.read_csv(path, dtype={0: str})
        if frame.shape[1] < 2:
            raise ValueError("it has fewer than two columns")
        values = pd.to_numeric(frame.iloc[:, -1])
    except FileNotFoundError:
        raise InputError([finding("missing-file", f"There is no file {path}.", place="benchmark")]) from None
    except (ValueError, TypeError, OSError, csv.Error) as error:
        raise InputError(
            [finding("unreadable-file", f"{path} is no table of areas and values: {error}.", place=str(path))]
        ) from None
    return pd.Series(values.to_numpy(float), pd.Index(frame.iloc[:, 0].astype(str), name=level or str(frame.columns[0])))


def check_indicators(study: Study, aligned: Aligned) -> list[Finding]:
    """Try every indicator of a study on its survey: all findings, nothing computed."""
    found, files = [], {}
    for number, request in enumerate(study.indicators):
        place = f"indicators.{number}"
        problems = _request_problems(request, aligned)
        found += [finding(f.code, f"{place}: {f.message}", place=place, count=f.count, remedy=f.remedy) for f in problems]
        first = files.setdefault(_file_name(request), number)
        if first != number:
            message = f"{place}: its file would be that of indicators.{first}, indicators/{_file_name(request)}.csv."
            found.append(finding("study-value", message, place=place, remedy="Give it a `name` of its own."))
    if study.indicators and study.replicates.number < 2:
        message = "indicators: the study asks for fewer than two replicates, so the indicators would have no intervals."
        found.append(finding("study-missing", message, place="replicates", remedy="Add `replicates = 40`."))
    return found


def _request_problems(request: IndicatorRequest, aligned: Aligned) -> list[Finding]:
    """List everything that is wrong with one request."""
    try:
        question = question_of(request)
    except ValueError as error:
        return [finding("study-value", f"{error}.", place="indicator")]
    found, benchmark = [], None
    try:
        question.ask(aligned)
    except InputError as error:
        found += error.findings
    try:
        if request.benchmark is not None:
            benchmark = read_benchmark(request.benchmark, request.benchmark_level)
    except InputError as error:
        found += error.findings
    return [*found, *request_findings(question, aligned, resembles=request.resembles, benchmark=benchmark)]


def _file_name(request: IndicatorRequest) -> str:
    """Name of a request's files in `indicators/`, without ending."""
    measure = f"quantile {request.quantile:g}" if request.measure == "quantile" else request.measure
    measure += "" if request.unit == "person" else " of households"
    return slug(request.name or f"{measure} {request.what} {request.where or ''} by {' '.join(request.by)}")


def left_out_of(population: Population, aligned: Aligned, folder: Path | None = None) -> LeftOut:
    """Leave each table out, or take what the run's folder holds of it."""
    if folder is not None:
        try:
            known = LeftOut.of_tables(run_folder.read_checks(folder).tables, population.zones)
        except InputError:
            known = None
        if known is not None:
            return known
    return leave_one_out(population, region_of(aligned))


def ask(request: IndicatorRequest, population: Population, aligned: Aligned, folder: Path, left_out: LeftOut) -> Indicators:
    """Answer one request from the people who were written.

    Of a survey whose licence is not open no figure leaves that rests on fewer than ten records: it may be one record's answer.
    Quantiles, which are some record's answer, leave rounded to three figures.
    """
    benchmark = None if request.benchmark is None else read_benchmark(request.benchmark, request.benchmark_level)
    found = indicator(
        population, question_of(request), level=request.level, resembles=request.resembles, benchmark=benchmark, aligned=aligned,
        left_out=left_out, counts=run_folder.read_counts(folder, aligned.records),
    )  # fmt: skip
    return found if aligned.survey.licence == "open" else _rounded(_withheld(found))


def _withheld(found: Indicators) -> Indicators:
    """Blank the figures of people of whom fewer than ten records tell; leave out groups that fewer than ten records are in."""
    frame, held = few_withheld(found.frame, found.basis["records by group"] if found.groups else None)
    if not held:
        return found
    words = f"{found.basis['in words']} {held:,} figures are withheld: fewer than {FEW_DONORS} records stand behind each."
    return replace(found, frame=frame, basis={**found.basis, "withheld": held, "in words": words})


def _rounded(found: Indicators) -> Indicators:
    """Round quantiles to three figures."""
    if found.question.measure != "quantile":
        return found
    return replace(found, frame=three_figures(found.frame, np.ones(len(found.frame), bool)))


def share_of(
    condition: str, population: Population, aligned: Aligned, folder: Path, left_out: LeftOut, *, by: str = "zone"
) -> Indicators:
    """Estimate the share of people in each zone, or area of a level, who meet a condition, from the people who were written."""
    return ask(IndicatorRequest(what=condition, by=[by]), population, aligned, folder, left_out)


def write_indicators(
    requests: Sequence[IndicatorRequest], population: Population, aligned: Aligned, folder: Path, left_out: LeftOut
) -> list[Asked]:
    """Answer a study's requests and write `indicators/<name>.csv` and `.parquet` for each."""
    made = []
    for request in requests:
        found = ask(request, population, aligned, folder, left_out)
        path = folder / "indicators" / f"{_file_name(request)}.csv"
        for suffix in (".csv", ".parquet"):
            with replacing(path.with_suffix(suffix)) as temporary:
                _write(found, temporary, suffix)
        made.append(Asked(found, path))
    return made


def _write(found: Indicators, path: Path, suffix: str) -> None:
    """Write figures as Parquet or CSV, by the suffix of the file that they end in; no label of a CSV is a formula."""
    from synthpop_gb.export import guarded

    if suffix.lower() == ".parquet":
        found.frame.to_parquet(path, index=False)
        return
    labels = [found.place, *found.groups]
    frame = found.frame.assign(**{name: [guarded(str(v)) for v in found.frame[name]] for name in labels})
    frame.rename(columns={name: guarded(name) for name in labels}).to_csv(path, index=False)


def indicator_run(
    folder: str | Path,
    request: IndicatorRequest,
    *,
    output: str | Path | None = None,
    draw: bool = False,
    how_sure: bool = False,
    formats: Sequence[str] = USUAL,
    release: str | Mapping | ReleaseRule | None = None,
) -> tuple[Indicators, list[Path]]:
    """Ask something of a finished run; with `output` the figures are written, with `draw` mapped. Returns figures and files.

    Maps are written in `formats` (`map_files.FORMATS`), with `how_sure` beside another of how long the intervals are.

    With `release`, a rule, its profile's name or its mapping, small counts are withheld and the others rounded in whatever is
    returned, written and drawn (`indicators.published`). Rounding at random draws its seed anew and forgets it.

    Raises
    ------
    InputError
        Every finding about the words asked, the benchmark, the rule or the run; `release-refused` where a small count cannot be
        protected.
    ValueError
        For a measure, level or quantile out of range.
    """
    from synthpop_gb.pipeline.after import opened
    from synthpop_gb.pipeline.mapping import check_drawable, draw_indicator

    folder = Path(folder)
    output = None if output is None else Path(output)
    if output is not None and output.suffix not in (".csv", ".parquet"):
        message = f"figures are written as .csv or .parquet, not as {output.name}."
        raise InputError([finding("study-value", message, place="output", remedy="Give the file one of these endings.")])
    question_of(request)  # nonsense is refused before anything is read
    rule = None if release is None else release_rule(release)
    _, aligned, population = opened(folder, replicates=True)
    problems = _request_problems(request, aligned)
    refuse([*problems, *([*check_drawable(request, aligned), *check_formats(formats)] if draw else ())])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the table says the same
        left_out = left_out_of(population, aligned, folder)
        found = ask(request, population, aligned, folder, left_out)
        # under a rule the areas above stay outlines: figures of several levels would tell more together than each may
        levels = aligned.geography.covering if draw and rule is None and "gpkg" in formats else ()
        asked = {p: request.model_copy(update={"by": [p], "benchmark": None}) for p in levels}
        parents = {p: ask(r, population, aligned, folder, left_out) for p, r in asked.items()}
    if rule is not None:
        found = published(found, rule, seed=secrets.randbits(64))
    written = []
    if output is not None:
        with replacing(output) as temporary:
            _write(found, temporary, output.suffix)
        written.append(output)
    if draw:
        stem = folder / "maps" / _file_name(request)
        title = request.title or str(found.question)
        written += draw_indicator(found, aligned, stem, title=title, parents=parents, how_sure=how_sure, formats=formats)
    return found, written
