"""A scenario simulated on a run: outcomes by area, group and decile beside the baseline, written into the run's folder."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from synthpop_gb import run_folder
from synthpop_gb.aligned import Aligned
from synthpop_gb.assessment.indicator import REPLICATES, with_replicates
from synthpop_gb.atomic import replacing
from synthpop_gb.errors import Finding, InputError, distinct, refuse
from synthpop_gb.pipeline.scenario_answers import Asking, joined, requests_of, withheld
from synthpop_gb.pipeline.scenario_model import model_of
from synthpop_gb.pipeline.scenario_population import Populations, populations_of, read_places
from synthpop_gb.policy import Outcomes, PolicyModel, run_model
from synthpop_gb.policy._parameters import flattened
from synthpop_gb.provenance import versions
from synthpop_gb.simulation import SHIFTED
from synthpop_gb.spec import Scenario, load_scenario

__all__ = ["Simulated", "simulate_run"]


@dataclass(frozen=True, eq=False)
class Simulated:
    """What simulating a scenario on a run gives.

    Attributes
    ----------
    scenario : Scenario
        As read.
    folder : Path
        Where the results lie.
    frame : pandas.DataFrame
        Every figure, tidy: scenario, outcome, measure, unit, where; a column a level of place (missing but for a row's own); a
        column a variable that makes groups ('' where it makes none); then as in `Simulation.frame`. Withheld as the survey's
        licence demands.
    populations : Populations
        What was changed of the population.
    facts : mapping
        What scenario.json holds.
    findings : tuple of Finding
        What was noticed.
    files : tuple of Path
        Files written.
    """

    scenario: Scenario
    folder: Path
    frame: pd.DataFrame
    populations: Populations
    facts: dict
    findings: tuple[Finding, ...] = field(default=())
    files: tuple[Path, ...] = field(default=())

    def __repr__(self) -> str:
        """Name scenarios, and what each costs and changes."""
        lines = [f"{self.scenario.heading}: {self.facts['model']}, {', '.join(self.facts['scenarios']) or 'the baseline alone'}"]
        overall = self.frame[self.frame["all"].notna() & (self.frame["measure"] == "total_change")]
        overall = overall[(overall[self.facts["groups"]] == "").all(axis=1)]
        for row in overall[overall["outcome"] == self.facts["main"]].itertuples():
            lines.append(
                f"  {row.scenario}: {row.outcome} changes by {row.estimate:,.0f} {row.unit}".rstrip() + " in all "
                f"({row.lower:,.0f} to {row.upper:,.0f})"
            )
        lines.append(f"{len(self.frame):,} figures, {100 * self.facts['level']:g}% intervals")
        return "\n".join(lines)


def simulate_run(
    folder: str | Path,
    scenario: Scenario | str | Path,
    *,
    model: PolicyModel | str | None = None,
    output: str | Path | None = None,
    level: float | None = None,
    draw: bool = False,
    page: bool = True,
) -> Simulated:
    """Simulate a scenario on a finished run.

    Parameters
    ----------
    folder : path
        The run's.
    scenario : Scenario or path
        A scenario, or its file.
    model : PolicyModel or str, optional
        A model of your own, or 'file.py:Name', instead of the one that the scenario names. The file is run.
    output : path, optional
        Folder for the results; RUN/simulations/<name> where absent, and then run.json and the card tell of it.
    level : float, optional
        Nominal coverage of the intervals, instead of the scenario's.
    draw : bool
        Map the change of the first outcome by zone, scenario by scenario: PNG, SVG, GeoPackage, GeoParquet.
    page : bool
        Write simulation.html.

    Returns
    -------
    Simulated

    Raises
    ------
    InputError
        Every finding about the scenario, its model, its populations, or the run. Nothing was written then.
    ValueError
        For a level out of range.
    """
    from synthpop_gb.pipeline.after import opened
    from synthpop_gb.pipeline.indicators import left_out_of
    from synthpop_gb.pipeline.mapping import check_boundaries

    folder = Path(folder)
    scenario = scenario if isinstance(scenario, Scenario) else load_scenario(scenario, other_model=model is not None)
    level = scenario.level if level is None else level
    if not 0 < level < 1:
        raise ValueError(f"the level of intervals is above 0 and below 1, not {level}")
    made, places = _both(lambda: model_of(scenario, model), lambda: read_places(scenario))
    study, aligned, population = opened(folder, replicates=True)
    refuse(check_boundaries(aligned) if draw else ())
    reforms = {r.name: flattened(r.parameters) for r in scenario.reform}
    base = run_model(made, aligned, places=places, seed=population.provenance.seed)
    requests = requests_of(scenario, base)
    population = with_replicates(population, REPLICATES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tables say the same
        changed = populations_of(scenario, study, population, aligned)
        asking = Asking(
            population, aligned, made, {**reforms, **changed.shifts}, changed, places, level, scenario,
            left_out_of(population, aligned, folder), list(run_folder.read_counts(folder, aligned.records)),
        )  # fmt: skip
        answers = [asking.answer(request) for request in requests]
    answers = answers if aligned.survey.licence == "open" else [withheld(a) for a in answers]
    frame = joined(requests, answers)
    held = sum(int(a.facts.get("withheld", 0)) for a in answers)
    findings = distinct([*changed.findings, *(f for a in answers for f in a.findings)])
    facts = _facts(scenario, made.parameters, base, reforms, changed, requests, answers, population, level, held, findings)
    place = folder / "simulations" / scenario.name if output is None else Path(output)
    result = Simulated(scenario, place, frame, changed, facts, findings)
    files = _written(result, aligned, answers, requests, draw=draw, page=page)
    if output is None:
        run_folder.record_simulation(folder, {k: facts[k] for k in _RECORDED})
        run_folder.write_card(folder)
    return replace(result, files=tuple(files))


def _both(*makers: Callable) -> list:
    """Call each; everything that is wrong with any of them at once."""
    made, problems = [], []
    for make in makers:
        try:
            made.append(make())
        except InputError as error:
            problems += error.findings
    refuse(problems)
    return made


_RECORDED = ("name", "title", "created", "model", "scenarios", "populations", "level")


def _facts(
    scenario, known, base: Outcomes, reforms, changed: Populations, requests, answers, population, level, held, findings
) -> dict:
    """Say everything that the figures hang on, in plain values: what scenario.json holds."""
    return {
        "synthpop_gb_scenario": 1,
        "name": scenario.name,
        "title": scenario.heading,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": base.model,
        "facts": dict(base.facts),
        "scenarios": [*reforms, *changed.told],
        "populations": list(changed.told),
        "reforms": reforms,
        "parameters": {k: v for k, v in (known or {}).items() if any(k in r for r in reforms.values()) and k != SHIFTED},
        "titles": {**{r.name: r.title or r.name for r in scenario.reform},
                   **{n: next((c.title for c in cs if c.title), n) for n, cs in scenario.populations.items()}},
        "changes": changed.told,
        "moved": {name: _moved(one) for name, one in changed.changed.items() if hasattr(one, "moved")},
        "main": requests[0].what[0],
        "levels": list(dict.fromkeys(a.place for a in answers)),
        "units": dict(zip(base.names, base.units, strict=True)),
        "whom": answers[0].whom,
        "groups": list(dict.fromkeys(g for a in answers for g in a.groups)),
        "deciles": None if scenario.deciles is None else scenario.deciles.model_dump(),
        "gain": scenario.gain,
        "level": level,
        "replicates": len(population.replicates),
        "classes of place": len(base.places),
        "read of a place": list(map(str, base.places.classes.columns)),
        "people": population.people,
        "seed": population.provenance.seed if scenario.seed is None else scenario.seed,
        "withheld": held,
        "versions": versions(),
        "scenario": scenario.model_dump(mode="json", exclude_none=True),
        "findings": [f.to_dict(most=20) for f in findings],
    }  # fmt: skip


def _moved(one) -> list[dict]:
    """Sum up what each step of a changed population did."""
    found = one.moved.groupby("step").agg(
        zones=("exchanges", lambda n: int((n > 0).sum())), exchanges=("exchanges", "sum"), before=("before", "sum"),
        wanted=("wanted", "sum"), after=("after", "sum"), missed=("missed", "sum"),
    )  # fmt: skip
    return [{"step": str(step), **row} for step, row in zip(one.steps, found.to_dict("records"), strict=True)]


def _written(result: Simulated, aligned: Aligned, answers, requests, *, draw: bool, page: bool) -> list[Path]:
    """Write tables, scenario.json, page and maps, each whole or not at all; files of an earlier simulation of the name go."""
    from synthpop_gb.export import guarded
    from synthpop_gb.pipeline.map_files import slug
    from synthpop_gb.pipeline.mapping import draw_indicator

    place, frame = result.folder, result.frame
    files = [place / n for n in ("outcomes.parquet", "outcomes.csv", "scenario.json")]
    place.mkdir(parents=True, exist_ok=True)
    with replacing(files[0]) as temporary:
        frame.to_parquet(temporary, index=False)
    labels = list(frame.columns[: list(frame.columns).index("estimate")])
    with replacing(files[1]) as temporary:
        plain = frame.assign(**{c: ["" if pd.isna(v) else guarded(str(v)) for v in frame[c]] for c in labels})
        plain.rename(columns={c: guarded(str(c)) for c in labels}).to_csv(temporary, index=False)
    run_folder.write_json(files[2], result.facts)
    if page:
        from synthpop_gb.report.simulation import write_simulation

        files.append(write_simulation(place / "simulation.html", frame, result.facts, aligned.geography))
    else:
        (place / "simulation.html").unlink(missing_ok=True)
    if draw:
        for request, found in zip(requests, answers, strict=True):
            if request.by != ["zone"] or "change" not in request.measures:
                continue
            for name in result.facts["scenarios"]:
                figures = found.indicators(name, request.what[0], "change")
                stem = place / "maps" / slug(f"{name} {request.what[0]}")
                title = f"{result.facts['titles'].get(name, name)}: change of {request.what[0]}"
                files += draw_indicator(figures, aligned, stem, title=title, change=True)
            break
    return files
