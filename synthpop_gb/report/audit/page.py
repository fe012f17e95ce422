"""The page of an audit: one file that opens anywhere without a network, written to be read by who is no statistician."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding
from synthpop_gb.report._html import file_in, put, render, written_finding
from synthpop_gb.report.audit import front
from synthpop_gb.report.audit.closing import words_for
from synthpop_gb.report.audit.exposure import exposure
from synthpop_gb.report.audit.intersections import coverage, intersections, scan_sentences
from synthpop_gb.report.audit.models import models
from synthpop_gb.report.audit.pairs import association, pairs
from synthpop_gb.report.audit.variables import variables

__all__ = ["write_audit"]


def write_audit(
    path: str | Path,
    checks: Checks,
    *,
    title: str,
    facts: Mapping[str, object],
    findings: Sequence[Finding] = (),
    unit: str = "records",
) -> Path:
    """Write audit.html: the verdict for each use, what does not fit, the worst groups in words, pictures, how to read them.

    Parameters
    ----------
    path : path
        File, or a folder in which audit.html is written. An existing file is replaced.
    checks : Checks
        What the audit found. Sections whose tables are absent are left out; so are columns. Tables read: 'verdicts' (use, verdict
        of 'fit', 'care', 'unfit' or 'unknown', figure, threshold, reason, table), 'scan_tables', 'scan_cells', 'scan_points',
        'scan_rarity', 'scan_coverage', 'scan_zone_cells', 'univariate', 'univariate_bins', 'utility_tables', 'association',
        'association_norms', 'propensity', 'regression', 'prediction', 'confusion', 'importance', 'importance_agreement',
        'fairness', 'disclosure_identity', 'disclosure_attribute', 'disclosure_distance', 'attacks', 'zone_uniqueness',
        'intruder', 'copies'.
    title : str
        Heading; "Synthetic" is put before it where it does not stand in it.
    facts : mapping
        What was compared with what, in order: heading to text or number, shown under the title. A value that is itself a mapping
        ('settings', 'versions', 'files') is a list at the end of the page.
    findings : sequence of Finding
        Findings that are not in `checks`, such as those of reading the files.
    unit : str
        What rows are: 'records', 'people' or 'households'.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        `output-locked` where the file cannot be written.

    Notes
    -----
    Text is escaped, and the page forbids scripts altogether. It names small groups of the real data, and so must not go further
    than these may.

    >>> import tempfile
    >>> import pandas as pd
    >>> use = {"use": "counts by sex", "verdict": "fit", "figure": "0.1 %", "threshold": "1 %", "reason": "As good as a sample."}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = write_audit(folder, Checks({}, {"verdicts": pd.DataFrame([use])}), title="Survey of 2021", facts={"rows": 12})
    ...     "Fit for the one use that was judged." in made.read_text(encoding="utf-8")
    True
    """
    found = front.ordered_findings(checks, findings)
    top, rest = front.facts_of(facts)
    missed, missed_grid = coverage(checks)
    context = {
        "title": title if "synthetic" in title.casefold() else f"Synthetic data: {title}",
        "facts": top,
        "more_facts": rest,
        "unit": unit,
        "verdict": front.verdicts(checks),
        "first": front.first_findings(found),
        "more": sum(f.level in ("error", "warning") for f in found) - len(front.first_findings(found)),
        "groups": front.groups(checks, unit),
        "apart": front.groups(checks, unit, copied=True),
        "groups_grid": front.groups_grid(checks),
        "lost": front.lost_by_chance(checks, unit),
        "scanned": scan_sentences(checks, unit),
        "missed": missed,
        "missed_grid": missed_grid,
        "scan": intersections(checks, unit),
        "zone_groups": front.zone_groups_grid(checks),
        "withheld": next((f.message for f in found if f.code == "few-behind"), ""),
        "variables": variables(checks, unit),
        "pairs": pairs(checks),
        "association": association(checks),
        "models": models(checks),
        "disclosure": exposure(checks, unit),
        "words": words_for(checks),
        "findings": [written_finding(f, named=False) for f in found],
    }
    return put(file_in(path, "audit.html"), render("audit.html.j2", context, styles=("style.css", "audit.css")))
