"""The explorer of a finished run: everything estimated once, its simulations read, one page written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from synthpop_gb import run_folder
from synthpop_gb.aligned import Aligned
from synthpop_gb.assessment import LeftOut, leave_one_out, region_of
from synthpop_gb.assessment.tabulate import tabulate
from synthpop_gb.errors import Finding, finding
from synthpop_gb.explorer import content_of, offer_of, outlines_of, require_engine, simulation_items, write_page
from synthpop_gb.explorer.offered import Offer
from synthpop_gb.export import polygons
from synthpop_gb.indicators.tabulated import Figures
from synthpop_gb.population import DonorCounts, Population
from synthpop_gb.spec import Study

__all__ = ["Explored", "explore", "explore_run"]

_MOST = 5_000_000
"""Figures of one level: with intervals about three bytes each on the page."""


@dataclass(frozen=True, eq=False)
class Explored:
    """What was written.

    Attributes
    ----------
    path : Path
        The page.
    figures : int
        Estimates on it.
    simulations : tuple of str
        Names of the simulations on it.
    findings : tuple of Finding
        What the page lacks, and why.
    """

    path: Path
    figures: int
    simulations: tuple[str, ...]
    findings: tuple[Finding, ...]

    def __repr__(self) -> str:
        """One line: figures, simulations, size."""
        told = f", {len(self.simulations)} simulations ({', '.join(self.simulations)})" if self.simulations else ""
        return f"Explorer: {self.figures:,} figures{told}; {self.path.stat().st_size / 1e6:.1f} MB"


def explore_run(
    folder: str | Path,
    *,
    output: str | Path | None = None,
    variables: Sequence[str] | None = None,
    indicators: Sequence[str] = (),
    subgroups: Sequence[str] | None = None,
    level: float = 0.9,
) -> Explored:
    """Write one self-contained page that shows a run: maps, areas compared, their profiles, tables, simulations.

    Parameters
    ----------
    folder : path
        A finished run that was made from a study. With replicates its figures have intervals.
    output : path, optional
        The page; `explorer.html` in the run's folder where None.
    variables : sequence of str, optional
        Variables of the survey to be shown; all with at most 30 categories, and columns of numbers, where None.
    indicators : sequence of str
        Further conditions whose shares are shown: "health in ('bad', 'very bad')". Those of the study come by themselves.
    subgroups : sequence of str, optional
        Variables whose categories make subgroups; where None sex and age, as far as the survey has them.
    level : float
        Nominal coverage of the intervals, above 0 and below 1.

    Returns
    -------
    Explored

    Raises
    ------
    InputError
        What opening a run raises; `bad-condition`; `missing-extra` where boundaries are there and the package maplibre is not;
        `output-locked`.
    ValueError
        For a level out of range.
    """
    from synthpop_gb.pipeline.after import opened
    from synthpop_gb.pipeline.indicators import left_out_of

    folder = Path(folder)
    study, aligned, population = opened(folder, replicates=True)
    path = folder / "explorer.html" if output is None else Path(output)
    return explore(
        population, aligned, path if path.suffix else path / "explorer.html", title=study.title or study.name,
        conditions=_conditions(study, indicators), variables=variables, subgroups=subgroups, level=level,
        left_out=left_out_of(population, aligned, folder) if _sure(population) else None,
        counts=lambda: run_folder.read_counts(folder, aligned.records), simulations=folder / "simulations",
        facts=_facts(run_folder.read_run(folder)),
    )  # fmt: skip


def explore(
    population: Population,
    aligned: Aligned,
    path: str | Path,
    *,
    title: str,
    conditions: Sequence[tuple[str, str, str | None]] = (),
    variables: Sequence[str] | None = None,
    subgroups: Sequence[str] | None = None,
    level: float = 0.9,
    left_out: LeftOut | None = None,
    counts: Callable[[], Iterable[DonorCounts]] | None = None,
    simulations: Path | None = None,
    facts: Mapping[str, str] | None = None,
) -> Explored:
    """Write the page of a population that is at hand; see `explore_run`.

    Parameters
    ----------
    population, aligned
        What was made, and what it was made from.
    path : path
        The page.
    title : str
        Its heading.
    conditions : sequence of (title, condition, where)
        Further shares.
    variables, subgroups, level
        As in `explore_run`.
    left_out : LeftOut, optional
        From `leave_one_out`; worked out where None.
    counts : callable, optional
        Gives the people as written, anew at each call; those that the population places otherwise.
    simulations : path, optional
        Folder of simulations, each a folder with `outcomes.parquet`.
    facts : mapping, optional
        What else is said at the foot of the page.

    Raises
    ------
    InputError, ValueError
        As `explore_run`.
    """
    if not 0 < level < 1:
        raise ValueError(f"the level of intervals is above 0 and below 1, not {level}")
    drawn = None if aligned.geography.boundary_file is None else require_engine()
    offer = offer_of(aligned, conditions, only=variables, subgroups=subgroups)
    outlines, findings = _outlines(aligned)
    items, unread = _simulations(simulations, offer, aligned)
    region, sure = region_of(aligned), _sure(population)
    if sure and left_out is None:
        left_out = leave_one_out(population, region)

    def made(measured, groups, levels) -> list[list[Figures]]:
        written = None if counts is None else counts()
        return tabulate(
            population, measured, groups, levels, left_out=left_out, region=region, level=level, counts=written
        )  # fmt: skip

    figures, trimmed = _tabulated(offer, made)
    pyramid = None if offer.pyramid is None else [f[0] for f in made([offer.pyramid[0]], offer.groups[:1], offer.levels)]
    findings = (*findings, *trimmed, *unread, *(() if sure else (_unsure(),)))
    content = content_of(
        aligned, offer, figures, title=title, facts=_said(population, aligned) | dict(facts or {}), level=level, sure=sure,
        pyramid=pyramid, outlines=outlines, simulations=items, notes=[f.message for f in findings],
    )  # fmt: skip
    path = write_page(Path(path), content, drawn if outlines is not None else None)
    n = sum(f.estimate.size for level_figures in figures.values() for f in level_figures)
    return Explored(path, n, tuple(dict.fromkeys(s.simulation for s in items)), findings)


def _sure(population: Population) -> bool:
    """Whether there are replicates enough for intervals."""
    return population.replicates is not None and len(population.replicates) > 1


def _unsure() -> Finding:
    message = "The run has fewer than two replicates, so the page shows no intervals and no classes of reliability."
    why, remedy = "How sure a figure is cannot be told from one population.", "Add `replicates = 40` to the study."
    return finding("study-missing", message, place="replicates", level="note", why=why, remedy=remedy)


def _conditions(study: Study, indicators: Sequence[str]) -> list[tuple[str, str, str | None]]:
    """List the shares that the study maps or asks about, and those asked for now; each once."""
    found = [(m.title or m.indicator, m.indicator, None) for m in study.maps]
    shares = [r for r in study.indicators if r.measure == "share" and r.unit == "person"]
    found += [(r.title or r.name or r.what, r.what, r.where) for r in shares]
    found += [(text, text, None) for text in indicators]
    return list({(condition, where): (title, condition, where) for title, condition, where in reversed(found)}.values())[::-1]


def _tabulated(offer: Offer, made: Callable) -> tuple[dict[int, list[Figures]], tuple[Finding, ...]]:
    """Estimate everything offered; levels of very many areas without subgroups, or not at all."""
    columns = sum(len(m.columns) for m in offer.measured)
    size = {k: columns * len(place.areas) for k, place in enumerate(offer.levels)}
    whole = [k for k, n in size.items() if n * len(offer.groups) <= _MOST]
    alone = [k for k, n in size.items() if k not in whole and n <= _MOST]
    findings, figures = [], {}
    for chosen, groups in ((whole, offer.groups), (alone, offer.groups[:1])):
        if chosen:
            figures |= dict(zip(chosen, made(offer.measured, groups, [offer.levels[k] for k in chosen]), strict=True))
    for k in (k for k in size if k not in whole):
        what = "no subgroups" if k in alone else "no figures"
        message = f"{len(offer.levels[k].areas):,} areas of the level {offer.levels[k].name} have {what} on the page: too many."
        findings.append(finding("explorer-trimmed", message, place=offer.levels[k].name))
    return dict(sorted(figures.items())), tuple(findings)


def _outlines(aligned: Aligned):
    """Outlines of the zones, and what is to be said of those that have none."""
    if aligned.geography.boundary_file is None:
        message = "The study names no boundaries, so the page has no map; its tables and graphs hold the same figures."
        return None, (finding("no-map", message, place="zones.boundaries"),)
    shapes = polygons(aligned.geography)
    left = len(aligned.zones) - len(shapes)
    found = ()
    if left:
        message = f"{left:,} of {len(aligned.zones):,} zones have no polygon: they are in the page's tables, not on its map."
        found = (finding("missing-boundary", message, place="zones.boundaries", count=left),)
    return outlines_of(shapes, aligned.zones.get_indexer(shapes.index)), found


def _simulations(folder: Path | None, offer: Offer, aligned: Aligned):
    """Read the run's simulations; what cannot be read is told, not fatal."""
    items, findings = [], []
    for path in sorted(folder.glob("*/outcomes.parquet")) if folder is not None else ():
        name = path.parent.name
        try:
            frame = pd.read_parquet(path)
            facts = _scenario_facts(path.with_name("scenario.json"))
            wanted = {"scenario", "outcome", "measure", "estimate", "lower", "upper", "people", "donors", "reliability"}
            if lacking := wanted - set(frame.columns):
                raise ValueError(f"it lacks the columns {', '.join(sorted(lacking))}")
        except (OSError, ValueError) as error:
            message = f"The simulation {name} is not on the page: {error}."
            findings.append(finding("unreadable-file", message, place=str(path), level="warning"))
            continue
        title = str(facts.get("title") or name)
        items += simulation_items(title, frame, offer.levels, facts=facts, shown=aligned.survey.licence == "open")
    return items, tuple(findings)


def _scenario_facts(path: Path) -> dict:
    """Title, units and level that lie beside a simulation's figures; nothing where they do not."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _said(population: Population, aligned: Aligned) -> dict[str, str]:
    """List what is said of the population at the foot of the page."""
    from synthpop_gb.report.maps import sources_of

    replicates, survey = len(population.replicates) if _sure(population) else 0, aligned.survey
    return {
        "People": f"{population.people:,}", "Zones": f"{len(aligned.zones):,}",
        "Survey": f"{survey.name}, {len(aligned.records):,} records" + (f", {survey.year}" if survey.year else ""),
        "Fitted to": ", ".join(c.name.replace("_", " ").replace(" x ", " × ") for c in aligned.constraints),
        "Method": f"{population.provenance.method}, seed {population.provenance.seed}",
        "Replicates": f"{replicates}" if replicates else "none, so no intervals",
        "Sources": sources_of(aligned.zones),
    }  # fmt: skip


def _facts(run: Mapping) -> dict[str, str]:
    return {"Made": str(run.get("created", ""))[:10], "Version": str(run.get("versions", {}).get("synthpop_gb", ""))}
