"""The card as croissant.json: Croissant 1.0 (ML Commons) with the responsible-AI vocabulary, for machine learning's tools."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from synthpop_gb.card.claims import Claim
from synthpop_gb.card.datapackage import known_licence, resource_name
from synthpop_gb.card.dictionary import columns_of, describe_file, key_of
from synthpop_gb.card.escape import identifier, iri, one_line, web_address
from synthpop_gb.card.noun import Card, CardFile
from synthpop_gb.card.readme import citation

__all__ = ["croissant"]

_CONTEXT = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column",
    "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"}, "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/", "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract", "field": "cr:field",
    "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject", "fileSet": "cr:fileSet", "format": "cr:format",
    "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5",
    "parentField": "cr:parentField", "path": "cr:path", "recordSet": "cr:recordSet", "references": "cr:references",
    "regex": "cr:regex", "repeated": "cr:repeated", "replace": "cr:replace", "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/", "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField",
    "transform": "cr:transform",
}  # fmt: skip

_TYPES = {"boolean": "sc:Boolean", "integer": "sc:Integer", "number": "sc:Float", "date": "sc:Date", "datetime": "sc:DateTime"}
_READ = {"application/vnd.apache.parquet": "application/x-parquet", "text/csv": "text/csv"}


def croissant(card: Card) -> dict[str, Any]:
    """Return the Croissant description of a card's tables."""
    about = card.about
    tables = [f for f in card.files if f.fields and f.media_type in _READ and "=" not in f.path and ".geo." not in f.path]
    name, path = known_licence(about.licence)
    found = {
        "@context": _CONTEXT, "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": f"synthetic-{identifier(about.name)}", "alternateName": one_line(about.title),
        "description": _text((*card["unfitted"].claims, *card["summary"].claims)),
        "license": path or name or one_line(about.licence) or "not stated",
        "url": web_address(about.url) or "./", "version": about.version or "1.0.0", "datePublished": about.created[:10],
        "citeAs": citation(card), "keywords": list(dict.fromkeys(["synthetic data", *map(one_line, about.keywords)])),
        "creator": [{"@type": "sc:Organization", "name": one_line(c)} for c in about.creator],
        "isLiveDataset": False,
        "rai:dataCollection": _text(card["generator"].claims), "rai:dataPreprocessingProtocol": _text(card["preparation"].claims),
        "rai:dataUseCases": " ".join((*about.uses, *(f"Not for: {n}" for n in about.not_for))),
        "rai:dataLimitations": _text(card["limits"].claims), "rai:dataBiases": _text(card["artefacts"].claims),
        "rai:personalSensitiveInformation": _text(card["disclosure"].claims),
        "distribution": [_file(f) for f in tables], "recordSet": [_records(f) for f in tables],
    }  # fmt: skip
    return {k: v for k, v in found.items() if v not in ("", [])}


def _text(claims: Iterable[Claim]) -> str:
    return " ".join(c.text for c in claims)


def _id(path: str) -> str:
    return resource_name(path) if not path.endswith(".csv") else f"{resource_name(path)}-csv"


def _file(file: CardFile) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject", "@id": f"{_id(file.path)}-file", "name": file.path.rsplit("/", 1)[-1],
        "description": describe_file(file.path, file.description), "contentUrl": iri(file.path), "contentSize": f"{file.bytes} B",
        "encodingFormat": _READ[file.media_type], "sha256": file.sha256,
    }  # fmt: skip


def _records(file: CardFile) -> dict[str, Any]:
    """One table as a set of records."""
    me = _id(file.path)
    names: dict[str, str] = {}
    for number, (column, _) in enumerate(file.fields):
        plain = identifier(column)
        names[column] = plain if plain not in names.values() else f"{plain}-{number}"
    fields = [
        {
            "@type": "cr:Field", "@id": f"{me}/{names[c.name]}", "name": names[c.name], "description": _about(c),
            "dataType": _TYPES.get(c.type, "sc:Text"),
            "source": {"fileObject": {"@id": f"{me}-file"}, "extract": {"column": c.name}},
        }
        for c in columns_of(file.path, file.fields)
    ]  # fmt: skip
    found = {
        "@type": "cr:RecordSet",
        "@id": me,
        "name": me,
        "description": describe_file(file.path, file.description),
        "field": fields,
    }
    key = key_of(file.path, file.fields)
    if key:
        found["key"] = [{"@id": f"{me}/{names[k]}"} for k in key]
    return found


def _about(column) -> str:
    return (column.description or one_line(column.name)) + (f" ({column.unit})" if column.unit else "")
