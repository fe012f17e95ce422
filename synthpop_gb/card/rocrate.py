"""The card as ro-crate-metadata.json: RO-Crate 1.1 with the Process Run Crate profile, that says how the data were made.

The profile (0.5) builds on 1.1, which readers of later versions take too.

Addresses of files are relative and percent-encoded; everything else that is described has a name that starts with '#'.
"""

from __future__ import annotations

from typing import Any

from synthpop_gb.card.datapackage import known_licence
from synthpop_gb.card.dictionary import describe_file
from synthpop_gb.card.escape import identifier, iri, one_line, web_address
from synthpop_gb.card.noun import NOT_STATED, Card, CardFile, CardSource
from synthpop_gb.card.readme import citation

__all__ = ["ro_crate"]

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
SPECIFICATION = "https://w3id.org/ro/crate/1.1"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"


def ro_crate(card: Card) -> dict[str, Any]:
    """Return the RO-Crate of a card's files."""
    about = card.about
    people = [_person(name, i) for i, name in enumerate(about.creator, 1)]
    licence = _licence(about.licence)
    licences = {i["@id"]: i for i in (licence, *(_licence(s.licence) for s in card.sources if known_licence(s.licence)[1]))}
    inputs = [_input(s) for s in card.sources]
    files = [_file(f) for f in card.files]
    made_here = card.kind == "population"
    action = _action(card, inputs, files)
    contact = _contact(about.contact)
    funders = [{"@id": f"#funder-{i}", "@type": "Organization", "name": one_line(f)} for i, f in enumerate(about.funding, 1)]
    variables = [_variable(v) for v in card.variables]
    root: dict[str, Any] = {
        "@id": "./", "@type": "Dataset", "name": one_line(about.title),
        "description": " ".join(c.text for c in (*card["unfitted"].claims, *card["summary"].claims)) or one_line(about.title),
        "datePublished": about.created[:10] or "1970-01-01", "dateCreated": about.created if made_here else "",
        "license": _reference(licence), "keywords": ", ".join(dict.fromkeys(["synthetic data", *map(one_line, about.keywords)])),
        "creditText": citation(card), "author": [_reference(p) for p in people], "publisher": [_reference(p) for p in people],
        "version": one_line(about.version), "url": web_address(about.url), "contactPoint": contact and _reference(contact),
        "funder": [_reference(f) for f in funders], "hasPart": [_reference(f) for f in files],
        "isBasedOn": [_reference(i) for i in inputs], "variableMeasured": [_reference(v) for v in variables],
        "mentions": _reference(action), "conformsTo": {"@id": PROFILE},
    }  # fmt: skip
    descriptor = {
        "@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"}, "conformsTo": {"@id": SPECIFICATION},
    }  # fmt: skip
    software = {
        "@id": "#software", "@type": "SoftwareApplication", "name": about.software.split(" ")[0],
        "version": about.software.partition(" ")[2] or NOT_STATED,
    }  # fmt: skip
    profile = {"@id": PROFILE, "@type": ["CreativeWork", "Profile"], "name": "Process Run Crate", "version": "0.5"}
    entities = [descriptor, _tidy(root), *files, *inputs, *people, *funders, *variables, *licences.values(), software]
    entities += [contact] if contact else []
    entities += [action, profile]
    return {"@context": [CONTEXT, {"sha256": "http://schema.org/sha256"}], "@graph": entities}


def _reference(entity: dict[str, Any]) -> dict[str, str]:
    return {"@id": entity["@id"]}


def _tidy(entity: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in entity.items() if v not in ("", [], None)}


def _person(name: str, number: int) -> dict[str, Any]:
    """Creators are texts of a study: whether it is a person or an organisation, nobody says."""
    return {"@id": f"#creator-{number}", "@type": "Organization", "name": one_line(name)}


def _contact(text: str) -> dict[str, Any] | None:
    if not text:
        return None
    address = web_address(text)
    email = address.removeprefix("mailto:") if address.startswith("mailto:") else ""
    return _tidy(
        {"@id": "#contact", "@type": "ContactPoint", "name": one_line(text), "email": email, "url": "" if email else address}
    )


def _licence(text: str) -> dict[str, Any]:
    """Licence by its address where it has one; 'not stated' is said too, since no statement means all rights reserved."""
    name, path = known_licence(text)
    said = one_line(text) or "Licence not stated"
    return _tidy(
        {
            "@id": path or "#licence", "@type": "CreativeWork", "name": said, "identifier": name,
            "description": f"Licence: {said}.",
        }
    )  # fmt: skip


def _file(file: CardFile) -> dict[str, Any]:
    said = describe_file(file.path, file.description)
    return {
        "@id": iri(file.path), "@type": "File", "name": file.path, "description": said, "encodingFormat": file.media_type,
        "contentSize": str(file.bytes), "sha256": file.sha256,
    }  # fmt: skip


def _input(source: CardSource) -> dict[str, Any]:
    """One input: described, not part of the crate."""
    path = known_licence(source.licence)[1]
    what = [source.role, source.name, source.universe, str(source.year or "")]
    return _tidy(
        {
            "@id": f"#input-{identifier(source.file)}", "@type": "CreativeWork", "name": one_line(source.file),
            "description": "; ".join(one_line(w) for w in what if w), "sha256": source.sha256,
            "contentSize": "" if source.bytes is None else str(source.bytes), "url": web_address(source.url),
            "creditText": one_line(source.publisher), "license": {"@id": path} if path else one_line(source.licence),
        }
    )  # fmt: skip


def _variable(variable) -> dict[str, Any]:
    """One variable, with where its values come from."""
    universe = one_line(variable.universe)
    origin = {"constrained": f"copied from the record; zone totals constrained by {', '.join(variable.tables)}",
              "copied": "copied from the record", "modelled": "modelled: chosen by the fit"}  # fmt: skip
    return _tidy(
        {
            "@id": f"#variable-{identifier(variable.name)}", "@type": "PropertyValue", "name": one_line(variable.label),
            "description": origin.get(variable.origin, variable.origin) + (f"; of {universe}" if universe else ""),
        }
    )  # fmt: skip


def _action(card: Card, inputs: list[dict], files: list[dict]) -> dict[str, Any]:
    """How the files came about: the run of the program that made them, or the audit of files that others made."""
    made_here = card.kind == "population"
    folders = ("population/", "people/", "validation/") if made_here else ("audit/", "audit.html")
    made = [f for f in files if f["@id"].startswith(folders)]
    text = " ".join(c.text for c in card["generator"].claims[:2])
    name = f"{'Making' if made_here else 'Audit'} of {one_line(card.about.title)}"
    return _tidy(
        {
            "@id": "#run" if made_here else "#audit", "@type": "CreateAction", "name": name, "description": text,
            "endTime": card.about.created, "instrument": {"@id": "#software"}, "object": [_reference(i) for i in inputs],
            "result": [_reference(f) for f in made],
            "agent": [{"@id": f"#creator-{i}"} for i, _ in enumerate(card.about.creator, 1)] if made_here else [],
            "actionStatus": "http://schema.org/CompletedActionStatus",
        }
    )  # fmt: skip
