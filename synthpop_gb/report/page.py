"""The page: everything about one population in a single file that opens anywhere, without a network."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from synthpop_gb.aligned import Aligned
from synthpop_gb.checks import Checks
from synthpop_gb.errors import InputError, finding
from synthpop_gb.geography import Geography
from synthpop_gb.indicators import Indicators
from synthpop_gb.population import Population
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
    path = Path(path)
    if path.is_dir() or not path.suffix:
        path = path / "report.html"
    if truth is not None:
        checks = Checks(checks.headline, {**checks.tables, **truth.tables}, checks.findings)
    if geography is not None and aligned.geography.boundary_file is None:
        aligned = replace(aligned, geography=geography.subset(aligned.zones))
    html = _render(context_of(population, aligned, checks, title, path, truth_unit, indicators))
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(html, encoding="utf-8", newline="\n")
        os.replace(partial, path)
    except PermissionError as error:
        raise InputError([finding("output-locked", f"{path} cannot be written: {error.strerror}.", place=str(path))]) from error
    finally:
        partial.unlink(missing_ok=True)
    return path


def _render(context: dict) -> str:
    """Fill the template. Scripts are named to the browser by their hash, so that no other script can run in the page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    kept_tidy = {"trim_blocks": True, "lstrip_blocks": True}
    environment = Environment(loader=PackageLoader("synthpop_gb.report"), autoescape=True, undefined=StrictUndefined, **kept_tidy)
    environment.filters["ticked"] = _ticked
    source = environment.loader.get_source
    scripts = [runtime(), source(environment, "atlas.js")[0]] if context["atlas"] else []
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    allowed = "script-src " + (hashes or "'none'")
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; {allowed}"
    style = source(environment, "style.css")[0]
    return environment.get_template("report.html.j2").render(context, policy=policy, style=style, scripts=scripts)


def _ticked(text: str):
    """Escape a text and set what stands between back quotes as code."""
    from markupsafe import Markup, escape

    parts = str(text).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in enumerate(parts))
