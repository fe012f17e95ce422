"""The page: everything about one population in a single file that opens anywhere, without a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from synthpop_gb.aligned import Aligned
from synthpop_gb.checks import Checks
from synthpop_gb.geography import Geography
from synthpop_gb.indicators import Indicators
from synthpop_gb.population import Population
from synthpop_gb.report._html import file_in, put, render, source
from synthpop_gb.report.atlas import runtime
from synthpop_gb.report.context import context_of

__all__ = ["write_report"]


def write_report(
    path: str | Path,
    *,
    population: Population,
    aligned: Aligned,
    checks: Checks,
    title: str,
    geography: Geography | None = None,
    truth: Checks | None = None,
    truth_unit: str = "% of people",
    indicators: Sequence[tuple[str, Indicators]] = (),
) -> Path:
    """Write report.html: the verdict, what failed first, fit, maps, combinations, held-out tables, and how it was made.

    Parameters
    ----------
    path : path
        File, or a folder in which report.html is written. An existing report is replaced.
    population : Population
        What was made; supplies provenance.
    aligned : Aligned
        What it was made from.
    checks : Checks
        What validation found; with tables 'true_error' and 'true_error_zones' where the truth is known.
    title : str
        Heading.
    geography : Geography, optional
        Zones with boundaries, where those of `aligned` have none. Without any, the page has no maps.
    truth : Checks, optional
        Comparison with a known truth, where it is not in `checks` already.
    truth_unit : str
        What the numbers of that comparison are.
    indicators : sequence of (heading, Indicators)
        What the study asked for, with intervals.

    Returns
    -------
    Path
        The file. Up to 5,000 zones are drawn one by one, above that larger areas, and zones as pictures.

    Raises
    ------
    InputError
        `output-locked` where the file cannot be written.
    """
    path = file_in(path, "report.html")
    if truth is not None:
        checks = Checks(checks.headline, {**checks.tables, **truth.tables}, checks.findings)
    if geography is not None and aligned.geography.boundary_file is None:
        aligned = replace(aligned, geography=geography.subset(aligned.zones))
    context = context_of(population, aligned, checks, title, path, truth_unit, indicators)
    scripts = [runtime(), source("atlas.js")] if context["atlas"] else []
    return put(path, render("report.html.j2", context, scripts=scripts))
