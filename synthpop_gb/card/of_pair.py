"""The card of anybody's synthetic records: what is known from a real and a synthetic file and from their audit, no more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from synthpop_gb.card.audit_claims import FEW, audited_combinations, audited_disclosure, audited_figures, verdicts
from synthpop_gb.card.claims import Claim, Facts, pointer, say, spoken
from synthpop_gb.card.described import MOST_CATEGORIES
from synthpop_gb.card.noun import About, Card, CardFile, CardSource, CardVariable, Section, synthetic_title
from synthpop_gb.card.of_run import checks_files, short_names
from synthpop_gb.checks import Checks
from synthpop_gb.errors import Finding, finding
from synthpop_gb.pair import Pair
from synthpop_gb.provenance import versions

__all__ = ["PAIR", "card_of_pair", "pair_record"]

PAIR = "pair.json"
"""File of a folder that holds what `pair_record` returns."""

FORMAT = 1


def pair_record(
    pair: Pair,
    *,
    created: str,
    card: Mapping[str, Any] | None = None,
    licence: str = "restricted",
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Describe a pair as plain values: the content of pair.json, from which its card is written.

    Parameters
    ----------
    pair : Pair
        Real and synthetic records.
    created : str
        ISO time of the audit.
    card : mapping, optional
        What the maker states: the keys of a study's [card].
    licence : str
        Of the real records; with anything but 'open' neither categories that fewer than ten real records have nor ranges of
        numbers are told.
    settings : mapping, optional
        How it was audited, plain values by name: what repeats the audit.

    Returns
    -------
    dict
        No record's answer is in it: sizes, variables with their categories, roles, files by name with SHA-256.
    """
    names = short_names(f.path for f in pair.files)
    return {
        "synthpop_gb_pair": FORMAT, "created": created, "versions": versions(), "card": dict(card or {}), "licence": licence,
        "settings": dict(settings or {}),
        "real": {"name": pair.real_name, "records": len(pair.real), "weighted": pair.weight is not None},
        "synthetic": {
            "name": pair.synthetic_name, "records": len(pair.synthetic), "weighted": pair.synthetic_weight is not None,
        },
        "cloned": pair.cloned, "keys": list(pair.keys), "target": pair.target, "protected": list(pair.protected),
        "variables": [_variable(pair, v, licence == "open") for v in pair.variables],
        "left_out": [list(item) for item in pair.left_out],
        "files": [{"path": names[f.path], "sha256": f.sha256, "bytes": f.bytes} for f in pair.files],
        "noticed": [{"code": f.code, "level": f.level, "count": int(f.count)} for f in pair.findings],
    }  # fmt: skip


def _variable(pair: Pair, variable, is_open: bool) -> dict[str, Any]:
    real, synthetic = pair.real[variable.name], pair.synthetic[variable.name]
    found = {
        "name": variable.name, "kind": variable.kind, "concept": variable.concept,
        "missing_real": float(real.isna().mean()) if len(real) else None,
        "missing_synthetic": float(synthetic.isna().mean()) if len(synthetic) else None,
        "categories": [], "n_categories": None,
    }  # fmt: skip
    if variable.kind == "category":
        labels = np.asarray([str(c) for c in real.cat.categories], object)
        often = np.bincount(real.cat.codes[real.cat.codes >= 0], minlength=len(labels)) >= FEW
        found["n_categories"] = len(labels)
        shown = labels if is_open else labels[often[: len(labels)]]
        found["categories"] = list(shown) if len(labels) <= MOST_CATEGORIES else []
    return found


def card_of_pair(record: Mapping[str, Any], audit: Checks | None, files: Iterable[CardFile] = ()) -> Card:
    """Make the card of a synthetic file that was audited.

    Parameters
    ----------
    record : mapping
        What `pair_record` returned.
    audit : Checks, optional
        What the audit found.
    files : iterable of CardFile
        Files that lie beside the card.

    Returns
    -------
    Card
    """
    facts = Facts({PAIR: record, **checks_files("audit", audit)})
    is_open = record.get("licence") == "open"
    about = _about(record)
    sources = _sources(record)
    risk = Section.of("disclosure", "Whom it could expose", [*_risk(facts), *audited_disclosure(facts, is_open=is_open)])
    combined = audited_combinations(
        facts, is_open=is_open, grouped=[v["name"] for v in record["variables"] if v["kind"] != "category"],
        weighted=bool(record["real"].get("weighted")),
    )  # fmt: skip
    sections = (
        _summary(facts), verdicts(facts), combined, risk, _limits(facts, audit),
        audited_figures(facts, is_open=is_open),
    )  # fmt: skip
    return Card(
        "dataset", about, tuple(s for s in sections if not s.empty), sources, _variables(record),
        tuple(_told(f, sources) for f in files),
        _unstated(about, audit),
    )  # fmt: skip


def _told(file: CardFile, sources: Iterable[CardSource]) -> CardFile:
    """Say of the audited files themselves, where they lie beside the card, which they are."""
    words = {"synthetic": "The synthetic data that were audited", "real": "Real data: not part of what may be handed on"}
    role = next((s.role for s in sources if s.sha256 == file.sha256), "")
    return replace(file, description=words.get(role, ""))


def _about(record: Mapping[str, Any]) -> About:
    said = record.get("card") or {}
    title = said.get("title") or record["synthetic"]["name"]
    several = {k: _several(said.get(k)) for k in ("creator", "uses", "not_for", "keywords", "funding", "changes")}
    single = {k: said.get(k) or "" for k in ("contact", "licence", "purpose", "citation", "version", "url")}
    software = f"synthpop_gb {record.get('versions', {}).get('synthpop_gb', '')}".strip()
    name = record["synthetic"]["name"]
    return About(synthetic_title(title, "Synthetic data"), name, record.get("created", ""), software, **several, **single)


def _several(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def _summary(facts: Facts) -> Section:
    n = facts.get(PAIR, "/left_out", "length")
    claims: list[Claim | None] = [
        say(
            "{synthetic} synthetic records of {variables} variables, compared with {real} real records ({name}).",
            synthetic=facts.get(PAIR, "/synthetic/records"), variables=facts.get(PAIR, "/variables", "length"),
            real=facts.get(PAIR, "/real/records"), name=facts.get(PAIR, "/real/name"),
        ),
        say("{n} columns were not compared.", n=n) if n.value else None,
        say("Groups that must not be wronged: {names}.", names=facts.get(PAIR, "/protected")),
        say("Models predict {target}.", target=facts.get(PAIR, "/target")),
    ]  # fmt: skip
    for i, item in enumerate((facts.files[PAIR]).get("noticed", [])):
        if item["level"] != "note":
            claims.append(
                say(
                    "Noticed: {code}, {count} times.",
                    code=facts.get(PAIR, pointer("noticed", i, "code")), count=facts.get(PAIR, pointer("noticed", i, "count")),
                )
            )  # fmt: skip
    return Section.of("summary", "What this is", claims)


def _risk(facts: Facts) -> list[Claim | None]:
    cloned = facts.get(PAIR, "/cloned")
    claims: list[Claim | None] = [
        say("An intruder was taken to know {keys}, and to want {target}.",
            keys=facts.get(PAIR, "/keys"), target=facts.get(PAIR, "/target"))
        or say("An intruder was taken to know {keys}.", keys=facts.get(PAIR, "/keys")),
    ]  # fmt: skip
    if (facts.files[PAIR]).get("licence") != "open":
        claims.append(
            say(
                "audit.html and audit/ show small groups of the {n} real records with their counts: they go no further than "
                "these records may. This card names none.",
                n=facts.get(PAIR, "/real/records"),
            )
        )  # fmt: skip
    if cloned.value:
        claims.append(
            say(
                "The {n} synthetic records are copies of real ones: the protection is the licence of these.",
                n=facts.get(PAIR, "/synthetic/records"),
            )
        )  # fmt: skip
    return claims


def _limits(facts: Facts, audit: Checks | None) -> Section:
    """How it was made is not known from the files; without an audit nothing is."""
    n = facts.get(PAIR, "/synthetic/records")
    claims = [say("How these {n} records were made does not follow from the files, and is not stated here.", n=n)]
    if audit is None:
        claims.append(say("None of the {n} records was audited.", n=n))
    return Section.of("limits", "What it cannot tell", claims)


def _sources(record: Mapping[str, Any]) -> tuple[CardSource, ...]:
    names = [("real", record["real"]["name"]), ("synthetic", record["synthetic"]["name"])]
    rows = []
    for i, entry in enumerate(record.get("files", [])):
        role, name = names[i] if i < len(names) else ("other", "")
        name = "" if name == entry["path"] else name
        rows.append(CardSource(entry["path"], role, name, sha256=entry["sha256"], bytes=entry["bytes"]))
    return tuple(rows)


def _variables(record: Mapping[str, Any]) -> tuple[CardVariable, ...]:
    origin = "copied" if record.get("cloned") else "not stated"
    return tuple(
        CardVariable(
            v["name"], spoken(v["name"]), origin, categories=tuple(v["categories"]), n_categories=v["n_categories"],
        )
        for v in record["variables"]
    )  # fmt: skip


def _unstated(about: About, audit: Checks | None) -> tuple[Finding, ...]:
    mine = [k for k in ("creator", "contact", "licence", "purpose") if not getattr(about, k)]
    found = []
    if mine:
        message = f"The card says 'not stated' for the result's {', '.join(mine)}."
        found.append(finding("not-stated", message, place="card", count=len(mine), remedy="Give them with the audit."))
    if audit is None:
        found.append(
            finding("not-stated", "There is no audit, so the card judges nothing.", place="audit", remedy="Audit the pair.")
        )
    return tuple(found)
