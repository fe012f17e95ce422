"""A run's README.md: what this population is, is not, and may be used for, in words anybody can check against run.json."""

from __future__ import annotations

from collections.abc import Mapping

from synthpop_gb.checks import Checks
from synthpop_gb.status import FIT_MEANING, FitStatus

__all__ = ["readme"]

_IS = """\
## What this is

A synthetic population of {people:,} people in {zones:,} small areas. Every person is a copy of one of {donors:,} survey records
(donors), chosen to meet each area's targets for {constraints}. Targets are the published counts, settled where these do
not agree with each other. People add up to the targets only in the areas that are exact (below), and to the published counts
only where nothing had to be settled either."""

_IS_NOT = """\
## What it is not

- It is not a list of real people: nobody in it lives where they are placed. Records repeat, within an area and between areas.
- What no table constrains is a guess from the survey's pattern: {constraints} are met by area; everything else is as frequent
  as the survey makes it among people alike on these. Local peculiarities beyond them are not in here.
- Combinations of the fitted variables are not published counts, even where each table is met exactly.
- Counts of a few people in one area are noise."""

_USES = """\
## What it may be used for

Estimates for areas and groups of areas that lean on the fitted variables; teaching; testing of software; starting populations of
simulations. Not decisions about one street or one person, nor evidence of how common a combination is where no table was fitted.
"""

_OPEN = """
The survey is declared open, so its records' categories travel with the run. Its own licence may still ask to be named."""

_RESTRICTED = """
The survey is not declared open: no record's answers are in this folder, only record ids, how often each was placed, and figures
that ten records or more stand behind. Whoever joins records to it must hold the survey's licence, and the result falls under that
licence."""

_MADE = """\
## How it was made

synthpop_gb {version}, method `{method}`, seed {seed}, {created}. {again}

Digest of the people: `{digest}`

{inputs}"""

_FILES = {
    "run.json": "everything needed to repeat this run",
    "population/counts.parquet": "zone, donor (the survey's record id), n: how many people of the zone are copies of that record",
    "population/profiles.parquet": "zone, profile (records alike on every fitted table), replicate, n",
    "population/status.parquet": "zone by zone: how the fit ended, its largest miss and where, what whole people miss",
    "population/duals.parquet": "duals of the fit by zone and cell, from which fractional weights are recomputed",
    "population/settled.parquet": "whole tables that the people were made to meet, settled by the fit to soft targets",
    "population/replicates.parquet": "zone, profile, replicate, n: other draws of the population, numbered from 1",
    "population/replicate_status.parquet": "zone by zone and replicate: how its refit ended, what its whole people miss",
    "population/problem.npz": "what was solved: targets, and which categories each record is in",
}


def readme(run: Mapping, checks: Checks | None = None) -> str:
    """Return the text for a run, from the content of its run.json and, where there are any, its checks."""
    study = run.get("study") or {}
    title = study.get("title") or study.get("name") or "Synthetic population"
    known = {**run, "constraints": _listed(run["constraints"])}
    uses = _USES + (_OPEN if run["licence"] == "open" else _RESTRICTED)
    parts = [f"# {title}", _IS.format_map(known), _fits(run, checks), _IS_NOT.format_map(known), uses, _files(run), _made(run)]
    return "\n\n".join(parts) + "\n"


def _fits(run: Mapping, checks: Checks | None) -> str:
    exact = run["whole"].get("EXACT", 0)
    worst = (
        ""
        if exact == run["zones"]
        else f"; the largest total absolute error in one area is {run['largest_remainder']:,.0f} people"
    )
    lines = [
        "## How well it fits",
        "",
        f"- Whole people meet every target exactly in {exact:,} of {run['zones']:,} areas{worst}.",
    ]
    for name, n in run["fit"].items():
        lines.append(f"- {n:,} area{'s' if n > 1 else ''} {name}: {FIT_MEANING[FitStatus[name]]}.")
    if missed := run["not_fitted"]:
        shown = ", ".join(f"{m['zone']} (misses {m['remainder']:,.0f}{_where(m['worst_cell'])})" for m in missed[:10])
        others = " and others, listed in run.json" if len(missed) > 10 else ""
        lines.append(f"- **Do not publish these areas as they stand:** {shown}{others}.")
    if checks is not None:
        lines += [f"- {key}: {_said(value)}" for key, value in checks.headline.items()]
    return "\n".join(lines)


def _where(cell: str) -> str:
    return f", most in {cell}" if cell else ""


def _files(run: Mapping) -> str:
    rows = [f"| `{name}` | {text} |" for name, text in _FILES.items() if name in run["files"] or name == "run.json"]
    return "\n".join(["## Files", "", "| file | holds |", "| --- | --- |", *rows])


def _made(run: Mapping) -> str:
    inputs = "\n".join(f"- `{i['path']}`, {i['bytes']:,} bytes, SHA-256 `{i['sha256']}`" for i in run["inputs"])
    again = "`synthpop-gb run run.json` makes it again." if run["study"] else "It was made in Python, not from a study file."
    return _MADE.format(
        version=run["versions"].get("synthpop_gb", "?"),
        method=run["method"]["name"],
        seed=run["seed"],
        created=run["created"],
        again=again,
        digest=run["digest"],
        inputs=f"Made from:\n\n{inputs}" if inputs else "No input files were recorded.",
    )


def _listed(names) -> str:
    names = [str(n).replace("_", " ") for n in names]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _said(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
