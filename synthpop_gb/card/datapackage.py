"""The card as datapackage.json: Frictionless Data Package 2.0 (datapackage.org), with a table schema for every table.

Version 2 is what readers of version 1 (frictionless-py, the R package frictionless) accept too: paths are relative, names are
lower case, hashes name their algorithm.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from synthpop_gb.card.dictionary import Column, columns_of, describe_file, foreign_keys, key_of
from synthpop_gb.card.escape import identifier, one_line, web_address
from synthpop_gb.card.noun import Card, CardFile, CardSource
from synthpop_gb.card.readme import citation

__all__ = ["datapackage"]

SCHEMA = "https://datapackage.org/profiles/2.0/datapackage.json"

_LICENCES = {
    "open government licence v3.0": ("OGL-UK-3.0", "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"),
    "ogl v3.0": ("OGL-UK-3.0", "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"),
    "ogl v3": ("OGL-UK-3.0", "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"),
    "ogl-uk-3.0": ("OGL-UK-3.0", "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"),
    "cc by 4.0": ("CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/"),
    "cc-by-4.0": ("CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/"),
    "cc0 1.0": ("CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    "cc0-1.0": ("CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
    "mit": ("MIT", "https://opensource.org/license/mit"),
}


def known_licence(text: str) -> tuple[str, str]:
    """(SPDX name, address) of a licence as people write it; ('', '') where it is not known, the address as such where it is one.

    >>> known_licence("Open Government Licence v3.0")[0], known_licence("ask us"), known_licence("https://example.org/terms")
    ('OGL-UK-3.0', ('', ''), ('', 'https://example.org/terms'))
    """
    return _LICENCES.get(one_line(text).lower()) or ("", web_address(text) if "@" not in text else "")


def datapackage(card: Card) -> dict[str, Any]:
    """Return the descriptor of a card's files.

    Files in one folder with the same columns (areas of a partitioned `people/`) are one resource of several paths.
    """
    about = card.about
    paths = [f.path for f in card.files]
    described = " ".join(c.text for c in (*card["unfitted"].claims, *card["summary"].claims))
    package = {
        "$schema": SCHEMA,
        "name": f"synthetic-{identifier(about.name)}".replace("synthetic-synthetic", "synthetic"),
        "title": about.title,
        "description": described,
        "homepage": web_address(about.url),
        "version": one_line(about.version),
        "created": about.created,
        "keywords": list(dict.fromkeys(["synthetic data", *(one_line(k) for k in about.keywords)])),
        "licenses": _licences(about.licence),
        "contributors": _contributors(card),
        "sources": [_source(s) for s in card.sources],
        "citation": citation(card),
        "resources": [_resource(group, paths) for group in _grouped(card.files)],
    }
    return {k: v for k, v in package.items() if v not in ("", [], None)}


def _licences(text: str) -> list[dict[str, str]]:
    """Licences by SPDX name or address; one that is neither can stand in the description only."""
    name, path = known_licence(text)
    found = {"name": name, "path": path, "title": one_line(text)}
    return [{k: v for k, v in found.items() if v}] if name or path else []


def _contributors(card: Card) -> list[dict[str, Any]]:
    made = [{"title": one_line(c), "roles": ["creator"]} for c in card.about.creator]
    contact = one_line(card.about.contact)
    if contact:
        address = web_address(contact)
        entry: dict[str, Any] = {"title": contact, "roles": ["contact"]}
        if address.startswith("mailto:"):
            entry["email"] = address.removeprefix("mailto:")
        elif address:
            entry["path"] = address
        made.append(entry)
    return made + [{"title": one_line(f), "roles": ["funder"]} for f in card.about.funding]


def _source(source: CardSource) -> dict[str, Any]:
    what = [source.file, source.role, source.name, str(source.year or ""), source.publisher, source.licence]
    found = {
        "title": "; ".join(one_line(w) for w in what if w), "path": web_address(source.url),
        "hash": f"sha256:{source.sha256}" if source.sha256 else "", "bytes": source.bytes,
    }  # fmt: skip
    return {k: v for k, v in found.items() if v not in ("", None)}


def _grouped(files: Iterable[CardFile]) -> list[list[CardFile]]:
    """Files of one partitioned table together; every other by itself."""
    groups: dict[tuple, list[CardFile]] = {}
    for f in files:
        parts = PurePosixPath(f.path).parts
        partitioned = len(parts) > 2 and "=" in parts[-2]
        groups.setdefault((parts[0], f.fields) if partitioned else (f.path,), []).append(f)
    return list(groups.values())


def resource_name(path: str) -> str:
    """Name of a file as a resource: 'population/counts.parquet' as 'synthetic-population-counts'.

    >>> resource_name("population/counts.parquet"), resource_name("maps/bad health.geo.parquet"), resource_name("run.json")
    ('synthetic-population-counts', 'synthetic-maps-bad-health.geo', 'synthetic-run')
    """
    stem = path.removesuffix(PurePosixPath(path).suffix)
    return f"synthetic-{identifier(stem.replace('/', '-'), 150)}"


def _resource(group: list[CardFile], paths: list[str]) -> dict[str, Any]:
    first = group[0]
    several = len(group) > 1
    suffix = PurePosixPath(first.path).suffix.removeprefix(".")
    name = resource_name(first.path)
    if several:
        name = f"synthetic-{identifier(PurePosixPath(first.path).parts[0])}"
    elif sum(resource_name(p) == name for p in paths) > 1:  # the same table as CSV and Parquet
        name = f"{name}-{suffix}"
    found: dict[str, Any] = {
        "name": name,
        "path": [f.path for f in group] if several else first.path,
        "title": describe_file(first.path, first.description),
        "description": describe_file(first.path, first.description)
        + (f"; {first.rows:,} rows" if first.rows is not None and not several else ""),
        "format": suffix,
        "mediatype": first.media_type,
        "bytes": sum(f.bytes for f in group),
    }
    if several:
        found["hashes"] = {f.path: f"sha256:{f.sha256}" for f in group}
    else:
        found["hash"] = f"sha256:{first.sha256}"
    if suffix in ("csv", "json", "svg", "html"):
        found["encoding"] = "utf-8"
    if first.fields:
        found |= {"type": "table", "schema": _schema(first, paths)}
    return found


def _schema(file: CardFile, paths: list[str]) -> dict[str, Any]:
    """Table schema: fields in order, keys, what stands for a missing value (in CSV an empty cell; Parquet has nulls)."""
    schema: dict[str, Any] = {"fields": [_field(c) for c in columns_of(file.path, file.fields)], "missingValues": [""]}
    if key := key_of(file.path, file.fields):
        schema["primaryKey"] = list(key)
    keys = foreign_keys(file.path, file.fields, paths)
    if keys:
        schema["foreignKeys"] = [
            {"fields": [column], "reference": {"resource": resource_name(target), "fields": [there]}}
            for column, target, there in keys
        ]
    return schema


def _field(column: Column) -> dict[str, Any]:
    found = {"name": column.name, "type": column.type, "description": column.description, "unit": column.unit}
    if column.categories:
        found["constraints"] = {"enum": list(column.categories)}
    return {k: v for k, v in found.items() if v != ""}
