"""Run a study: read, harmonise, formulate, solve, write, count again, report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from synthpop_gb import run_folder
from synthpop_gb.aligned import Aligned
from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding, InputError, finding, refuse
from synthpop_gb.pipeline.inputs import align
from synthpop_gb.population import Population
from synthpop_gb.spec import Study, load_study

__all__ = ["Run", "report_on", "run"]


@dataclass(frozen=True, eq=False)
class Run:
    """What running a study gives.

    Attributes
    ----------
    study, folder, aligned, population, checks : as made
    report : Path or None
        report.html, unless left out.
    """

    study: Study
    folder: Path
    aligned: Aligned
    population: Population
    checks: Checks
    report: Path | None

    @property
    def fits(self) -> bool:
        """Whether every zone's fit converged (or the zone is empty), and the written people, counted again, meet every target."""
        recounted = not any(f.level == "error" or f.code in ("zone-not-fitted", "level-not-met") for f in self.checks.findings)
        return self.population.unfitted.empty and recounted


def run(
    study: Study | str | Path,
    output: str | Path = "outputs",
    *,
    workers: int | None = None,
    executor=None,
    overwrite: bool = False,
    report: bool = True,
    progress: Callable | None = None,
) -> Run:
    """Make the population that a study describes, write it, count the written files again, and report.

    Parameters
    ----------
    study : Study or path
        A study, a study file, or the run.json of an earlier run (whose inputs must be unchanged).
    output : path
        Folder of runs; this run's folder in it has the study's name.
    workers, executor, progress
        As in `solve`. The result does not depend on them.
    overwrite : bool
        Replace a finished run of this name.
    report : bool
        Write report.html and the study's maps.

    Raises
    ------
    InputError
        With every finding about the study and its inputs. Nothing was written then.
    """
    from synthpop_gb.execution import solve
    from synthpop_gb.pipeline.starting import start_study

    earlier = None
    if not isinstance(study, Study):
        path, study = Path(study), load_study(study)
        earlier = _unchanged(path) if path.suffix == ".json" else None
    folder = Path(output) / study.name
    if run_folder.is_finished(folder) and not overwrite:
        raise InputError([finding("output-exists", f"{folder} holds a finished run.", place=str(folder))])
    aligned, inputs = align(study)
    started = start_study(study, aligned, inputs, (earlier or {}).get("start"))
    aligned = replace(aligned, findings=(*aligned.findings, *started.findings))
    problem = replace(started.problem, aligned=aligned)
    run_folder.begin(folder, overwrite=overwrite)
    try:
        population = solve(
            problem, method=study.method.name, options=study.method.options(), seed=study.seed, executor=executor,
            workers=workers, checkpoint=run_folder.blocks_folder(folder), progress=progress,
            replicates=study.replicates.number, sources=study.replicates.sources,
        )  # fmt: skip
        told, files = study.model_dump(mode="json", exclude_none=True), inputs.files(study)
        made = replace(population.provenance, study=told, inputs=files, start=started.facts or None)
        population = replace(population, provenance=made)
        written = run_folder.write_population(population, folder, licence=study.survey.licence)
        noticed = _repeated(earlier, written["digest"], population, folder)
        return report_on(study, folder, aligned, population, report=report, noticed=noticed)
    except InputError as error:
        error.folder = folder  # what was begun is not finished: the command line says so
        raise


def _unchanged(path: Path) -> dict:
    """Read the run.json that is to be repeated, and refuse it where an input is not what it was."""
    earlier = run_folder.read_json(path)
    try:
        refuse(run_folder.changed_inputs(earlier["inputs"]))
    except (TypeError, KeyError):
        message = f"{path} is not a run.json of a finished run."
        raise InputError([finding("unreadable-file", message, place=str(path))]) from None
    return earlier


def _repeated(earlier: dict | None, digest: str, population: Population, folder: Path) -> tuple[Finding, ...]:
    """Say where a run that was to be repeated made other people, or other replicates."""
    if earlier is None:
        return ()
    made, known = population.replicates, earlier.get("replicates", {}).get("digest")
    differs = [] if earlier.get("digest") in (None, digest) else ["people"]
    differs += ["replicates"] if made is not None and known not in (None, made.digest()) else []
    if not differs:
        return ()
    made_by = ", ".join(f"{k} {v}" for k, v in earlier.get("versions", {}).items())
    message = f"{folder} holds other {' and '.join(differs)} than the run it repeats, made by {made_by}."
    return (finding("repeat-differs", message, place=str(folder)),)


def report_on(
    study: Study, folder: Path, aligned: Aligned, population: Population, *, report: bool = True, held_out=None,
    noticed: tuple[Finding, ...] = (), extra: dict | None = None,
) -> Run:  # fmt: skip
    """Count a run's written files again, validate, write tables and report, and complete the folder."""
    from synthpop_gb.validation import validate

    counts = run_folder.read_counts(folder, aligned.records)
    checks = validate(population, aligned, counts=counts, held_out=held_out)
    checks = replace(checks, findings=(*noticed, *checks.findings))
    from synthpop_gb.validation.explanation import zone_causes

    causes = zone_causes(population, aligned, counts=run_folder.read_counts(folder, aligned.records))
    if len(causes):
        checks = replace(checks, tables={**checks.tables, "causes": causes})
    if study.truth is not None:
        from synthpop_gb.pipeline.truth import add_truth

        checks = add_truth(study.truth, folder, aligned, population, checks)
    if population.problem.households is not None:
        from synthpop_gb.pipeline.households import add_households

        checks = add_households(study.truth, folder, aligned, population, checks)
    if study.start.incomes:
        from synthpop_gb.pipeline.incomes import add_incomes

        checks = add_incomes(study, folder, aligned, population, checks)
    if "distance" in population.status:
        checks = replace(checks, headline={**checks.headline, "distributions asked for": _distances(population)})
    asked, left_out = [], None
    if population.replicates is not None and len(population.replicates) > 1:  # one has no spread
        from synthpop_gb.pipeline.indicators import left_out_of, write_indicators

        left_out = left_out_of(population, aligned)
        checks = replace(checks, tables={**checks.tables, **left_out.tables()})
        asked = write_indicators(study.indicators, population, aligned, folder, left_out)
        checks = replace(checks, headline={**checks.headline, **{f"indicator {a.path.stem}": _in_words(a) for a in asked}})
    run_folder.write_checks(checks, folder, licence=study.survey.licence)
    page = _write_report(study, folder, aligned, population, checks, asked, left_out) if report else None
    if study.people and not (folder / "people").exists():
        _write_people(folder, aligned, population)
    run_folder.finish(population, folder, licence=study.survey.licence, checks=checks, aligned=aligned, extra=extra)
    return Run(study, folder, aligned, population, checks, page)


def _write_people(folder: Path, aligned: Aligned, population: Population) -> None:
    """Write one row a person, as the run's files have them; of whole households one row a household beside."""
    from synthpop_gb.export import households, people

    if aligned.households is None:
        people(population, aligned, folder / "people" / "people.parquet", counts=run_folder.read_counts(folder, aligned.records))
        return
    for write, name in ((people, "people.parquet"), (households, "households.parquet")):
        counts = run_folder.read_households(folder, aligned.households.ids)
        write(population, aligned, folder / "people" / name, counts=counts)


def _distances(population: Population) -> str:
    """Say how far people are from the distributions that were asked for: people times bins that they are out by."""
    far = population.status["distance"]
    people = population.status["people"].clip(lower=1)
    worst = (far / people).idxmax()
    said = f"{far.mean():,.1f} people a zone out by one bin (mean; {100 * far.sum() / people.sum():.2f} % of people)"
    return f"{said}; the worst {worst}: {far[worst]:,.0f} of {people[worst]:,}"


def _in_words(asked) -> str:
    """Say an indicator's range, width and classes in one line."""
    return "; ".join(str(asked.indicators).splitlines()[1:3])


def _write_report(
    study: Study, folder: Path, aligned: Aligned, population: Population, checks: Checks, asked: list, left_out
) -> Path:
    from synthpop_gb.pipeline.indicators import share_of
    from synthpop_gb.pipeline.mapping import draw_indicator, draw_wanted
    from synthpop_gb.report import write_report

    for wanted in study.maps:

        def shares(by: str, condition: str = wanted.indicator):
            return share_of(condition, population, aligned, folder, left_out, by=by)

        draw_wanted(folder, aligned, wanted, shares=None if left_out is None else shares)
    shown = []
    for request, answer in zip(study.indicators, asked, strict=True):
        found = answer.indicators
        shown.append((request.title or request.name or str(found.question), found))
        if aligned.geography.boundary_file is not None and found.place == "zone" and not found.groups:
            draw_indicator(found, aligned, folder / "maps" / answer.path.stem, title=shown[-1][0])
    page = folder / "report.html"
    return write_report(page, population=population, aligned=aligned, checks=checks, title=study.heading, indicators=shown)
