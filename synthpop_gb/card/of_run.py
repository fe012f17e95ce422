"""The card of a run: made from its run.json, its checks and, where there is one, its audit; nothing else is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from synthpop_gb.card.audit_claims import audited_combinations, audited_disclosure, audited_figures, verdicts
from synthpop_gb.card.claims import Facts
from synthpop_gb.card.fit_claims import fidelity, limits, summary, unfitted
from synthpop_gb.card.making_claims import artefacts, disclosure, generator, preparation, uncertainty
from synthpop_gb.card.noun import About, Card, CardFile, CardSource, CardVariable, Section, synthetic_title
from synthpop_gb.card.scenario_claims import scenario, simulations
from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding, finding

__all__ = ["card_of_run", "checks_files", "short_names"]


def card_of_run(run: Mapping[str, Any], checks: Checks | None, audit: Checks | None, files: Iterable[CardFile] = ()) -> Card:
    """Make the card of a run.

    Parameters
    ----------
    run : mapping
        Content of run.json.
    checks, audit : Checks, optional
        What lies in `validation/` and `audit/`.
    files : iterable of CardFile
        Files of the run's folder, but those of the card.

    Returns
    -------
    Card
        Claims without a figure are not in it; what nobody stated is a finding ('not-stated').
    """
    run = _without_paths(run)
    facts = Facts({"run.json": run, **checks_files("validation", checks), **checks_files("audit", audit)})
    is_open = run.get("licence") == "open"
    risk = disclosure(facts)
    measured = Section.of(risk.name, risk.heading, [*risk.claims, *audited_disclosure(facts, is_open=is_open)])
    sections = (
        scenario(facts), unfitted(facts), summary(facts), verdicts(facts), limits(facts), fidelity(facts),
        audited_combinations(facts, is_open=is_open), artefacts(facts), uncertainty(facts), simulations(facts), measured,
        preparation(facts), generator(facts), audited_figures(facts, is_open=is_open),
    )  # fmt: skip
    sources = _sources(run)
    about = _about(run)
    return Card(
        "population", about, tuple(s for s in sections if not s.empty), sources, _variables(run), tuple(files),
        _unstated(about, sources),
    )  # fmt: skip


def checks_files(folder: str, checks: Checks | None) -> dict[str, Any]:
    """Name what checks hold as the files that they are written to."""
    if checks is None:
        return {}
    summary = {"headline": dict(checks.headline), "findings": [f.to_dict() for f in checks.findings]}
    return {f"{folder}/checks.json": summary, **{f"{folder}/{n}.parquet": t for n, t in checks.tables.items()}}


def short_names(paths: Iterable[str]) -> dict[str, str]:
    r"""File names by path, never where a file lies on a machine; of files of one name the folder too, or a number.

    >>> short_names(["/home/ann/in/a/age.csv", "/home/ann/in/b/age.csv", "C:\\Users\\ann\\survey.dta"])
    {'/home/ann/in/a/age.csv': 'a/age.csv', '/home/ann/in/b/age.csv': 'b/age.csv', 'C:\\Users\\ann\\survey.dta': 'survey.dta'}
    >>> short_names(["/home/ann/age.csv", "/data/x/age.csv"])
    {'/home/ann/age.csv': 'age.csv', '/data/x/age.csv': 'age.csv (2)'}
    """
    parts = {p: _pure(p).parts for p in dict.fromkeys(paths)}
    names: dict[str, str] = {}
    for path, mine in parts.items():
        same = [p for p, other in parts.items() if other[-1:] == mine[-1:]]
        siblings = len({parts[p][:-2] for p in same}) == 1 and all(len(parts[p]) > 2 for p in same)
        number = same.index(path) + 1
        names[path] = "/".join(mine[-2:]) if len(same) > 1 and siblings else mine[-1] + (f" ({number})" if number > 1 else "")
    return names


def _pure(path: str) -> PurePosixPath | PureWindowsPath:
    return PureWindowsPath(path) if "\\" in path else PurePosixPath(path)


def _without_paths(run: Mapping[str, Any]) -> dict[str, Any]:
    """Replace every path of an input, and the folders above it, by its short name, wherever in the text it stands."""
    names = short_names(i["path"] for i in run.get("inputs", []))
    told = {p for p in _paths(run.get("study") or {}) if p not in names}
    names |= {p: _pure(p).name for p in told}
    order = sorted(names, key=len, reverse=True)

    def clean(value):
        if isinstance(value, str):
            for path in order:
                if path in value:
                    value = value.replace(path, names[path])
            return value
        if isinstance(value, Mapping):
            return {k: clean(v) for k, v in value.items()}
        return [clean(v) for v in value] if isinstance(value, list | tuple) else value

    return clean(dict(run))


def _paths(study: Mapping[str, Any]) -> list[str]:
    """Every path that a study names."""
    survey, zones = study.get("survey") or {}, study.get("zones") or {}
    found = [survey.get("path"), zones.get("lookup"), zones.get("boundaries"), (study.get("truth") or {}).get("persons")]
    found += [t.get("path") for t in study.get("tables", [])] + [d.get("path") for d in study.get("distributions", [])]
    found += [i.get("benchmark") for i in study.get("indicators", [])]
    return [p for p in found if p and len(p) > 3]


def _about(run: Mapping[str, Any]) -> About:
    study = run.get("study") or {}
    said = study.get("card") or {}
    title = said.get("title") or study.get("title") or study.get("name") or ""
    several = {k: tuple(said.get(k) or ()) for k in ("creator", "uses", "not_for", "keywords", "funding", "changes")}
    single = {k: said.get(k) or "" for k in ("contact", "licence", "purpose", "citation", "version", "url")}
    title = synthetic_title(title) if title else "Synthetic population"
    software = f"synthpop_gb {run.get('versions', {}).get('synthpop_gb', '')}".strip()
    return About(title, study.get("name") or "population", run.get("created", ""), software, **several, **single)


def _sources(run: Mapping[str, Any]) -> tuple[CardSource, ...]:
    """One row an input file, with what the study and the files say of it."""
    study, made = run.get("study") or {}, run.get("made_from") or {}
    survey, zones = study.get("survey") or {}, study.get("zones") or {}
    known = made.get("survey") or {}
    rows = []
    for entry in run.get("inputs", []):
        path, file = entry["path"], {"sha256": entry["sha256"], "bytes": entry["bytes"]}
        tables = [t for t in made.get("tables", []) if t.get("file") == path]
        if path in (survey.get("path"), known.get("file")):
            year, universe = survey.get("year") or known.get("year"), survey.get("universe") or known.get("universe", "")
            stated = {"publisher": survey.get("publisher"), "licence": survey.get("terms"), "url": survey.get("url")}
            rows.append(CardSource(path, "survey", known.get("name", ""), year, universe, **_words(stated), **file))
        elif tables:
            said = next((t for t in study.get("tables", []) if t.get("path") == path), None) or _pattern(study, path)
            universes = dict.fromkeys(t["universe"] for t in tables)
            year = said.get("year") or next((t["year"] for t in tables if t.get("year")), None)
            role = " and ".join(dict.fromkeys("constraint" if t["role"] == "constraint" else "held out" for t in tables))
            names = ", ".join(t["name"] for t in tables)
            rows.append(CardSource(path, role, names, year, "; ".join(universes), **_words(said), **file))
        elif path in (zones.get("lookup"), zones.get("boundaries")):
            role = "zones" if path == zones.get("lookup") else "boundaries"
            rows.append(CardSource(path, role, "", zones.get("year"), **_words(zones), **file))
        elif path == (study.get("truth") or {}).get("persons"):
            rows.append(CardSource(path, "truth", **file))
        else:
            rows.append(CardSource(path, "other", **file))
    order = ["survey", "constraint", "constraint and held out", "held out and constraint", "held out", "zones", "boundaries"]
    return tuple(sorted(rows, key=lambda s: order.index(s.role) if s.role in order else len(order)))


def _words(said: Mapping[str, Any]) -> dict[str, str]:
    return {k: said.get(k) or "" for k in ("publisher", "licence", "url")}


def _pattern(study: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """Find the entry whose pattern (`tables/*.csv`) a file answers to."""
    for table in study.get("tables", []):
        if any(c in table.get("path", "") for c in "*?[") and PurePosixPath(path).match(PurePosixPath(table["path"]).name):
            return table
    return {}


def _variables(run: Mapping[str, Any]) -> tuple[CardVariable, ...]:
    made = run.get("made_from") or {}
    found = [
        CardVariable(
            v["name"], v["label"], v["origin"], tuple(v["tables"]), tuple(v["held_out"]), v["universe"], tuple(v["categories"]),
            v["n_categories"] or None,
        )
        for v in made.get("variables", [])
    ]  # fmt: skip
    if not found:  # saved from Python without what it was made from: the tables are known all the same
        found = [CardVariable(c, c.replace("_", " "), "constrained", (c,)) for c in run.get("constraints", [])]
    return (*found, CardVariable("zone", "zone", "modelled", tuple(run.get("constraints", []))))


def _unstated(about: About, sources: Iterable[CardSource]) -> tuple[Finding, ...]:
    """Say what nobody stated: `not-stated`, once for the result and once for the inputs."""
    found = []
    mine = [k for k in ("creator", "contact", "licence", "purpose") if not getattr(about, k)]
    if mine:
        message = f"The card says 'not stated' for the result's {', '.join(mine)}."
        found.append(finding("not-stated", message, place="card", count=len(mine)))
    asked = {"publisher": "publisher", "licence": "licence", "year": "year"}
    files = [s for s in sources if s.role not in ("other", "truth")]
    for key in asked:
        without = [s.file for s in files if not getattr(s, key)]
        if without:
            shown = ", ".join(without[:4]) + (f" and {len(without) - 4} more" if len(without) > 4 else "")
            message = f"The card says 'not stated' for the {key} of {len(without)} of {len(files)} inputs: {shown}."
            remedy = "Add `publisher`, `licence` (`terms` of the survey), `year` and `url` to these inputs in the study."
            found.append(finding("not-stated", message, place="card", count=len(without), remedy=remedy))
    return tuple(found)
