"""The card as ddi.xml: DDI Codebook 2.5, for data archives. Elements stand in the order of that version's schema."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET  # only writes: nothing of others is parsed

from synthpop_gb.card.claims import Claim
from synthpop_gb.card.dictionary import columns_of, describe_file
from synthpop_gb.card.noun import NOT_STATED, Card, CardFile, CardSource, CardVariable
from synthpop_gb.card.readme import citation

__all__ = ["ddi"]

NAMESPACE = "ddi:codebook:2_5"
_SCHEMA = f"{NAMESPACE} http://www.ddialliance.org/Specification/DDI-Codebook/2.5/XMLSchema/codebook.xsd"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DATA = ("population/counts.parquet", "people/people.parquet", "people/people.csv")


def ddi(card: Card) -> str:
    """Return the DDI Codebook of a card as XML text."""
    root = ET.Element("codeBook", {
        "xmlns": NAMESPACE, "xmlns:xsi": _XSI, "xsi:schemaLocation": _SCHEMA, "version": "2.5", "xml:lang": "en",
    })  # fmt: skip
    _document(root, card)
    _study(root, card)
    files = [f for f in card.files if f.path in _DATA] or [f for f in card.files if f.fields][:1]
    for number, file in enumerate(files, 1):
        _file(root, file, f"F{number}")
    _data(root, card, files)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _add(parent: ET.Element, tag: str, text: object = None, **attributes: str) -> ET.Element:
    """Add an element; characters that no XML may hold are replaced."""
    found = ET.SubElement(parent, tag, {k: _FORBIDDEN.sub("\ufffd", str(v)) for k, v in attributes.items()})
    if text is not None:
        found.text = _FORBIDDEN.sub("\ufffd", str(text))
    return found


def _texts(parent: ET.Element, tag: str, texts: Iterable[object], **attributes: str) -> None:
    for text in texts:
        if text:
            _add(parent, tag, text, **attributes)


def _said(claims: Iterable[Claim]) -> str:
    return " ".join(c.text for c in claims)


def _citation(parent: ET.Element, card: Card, title: str, *, ours: bool) -> None:
    """Add a citation; ours : whether this program made what is cited, and when. Of a file that was only audited nobody said."""
    about = card.about
    found = _add(parent, "citation")
    _add(_add(found, "titlStmt"), "titl", title)
    _texts(_add(found, "rspStmt"), "AuthEnty", about.creator or [NOT_STATED])
    made = _add(found, "prodStmt")
    _texts(made, "producer", about.creator)
    if about.licence:
        _add(made, "copyright", about.licence)
    if ours:
        name, _, version = about.software.partition(" ")
        if about.created:
            _add(made, "prodDate", about.created[:10], date=about.created[:10])
        _add(made, "software", name, version=version)
    _texts(made, "fundAg", about.funding)
    if about.contact:
        _add(_add(found, "distStmt"), "contact", about.contact)
    if about.version:
        _add(_add(found, "verStmt"), "version", about.version)
    _add(found, "biblCit", citation(card))


def _document(root: ET.Element, card: Card) -> None:
    _citation(_add(root, "docDscr"), card, f"Codebook of: {card.about.title}", ours=True)


def _study(root: ET.Element, card: Card) -> None:
    about = card.about
    study = _add(root, "stdyDscr")
    _citation(study, card, about.title, ours=card.kind == "population")
    info = _add(study, "stdyInfo")
    subject = _add(info, "subject")
    _texts(subject, "keyword", dict.fromkeys(["synthetic data", *about.keywords]))
    _add(info, "abstract", _said((*card["unfitted"].claims, *card["summary"].claims)))
    if about.purpose:
        _add(info, "abstract", about.purpose, contentType="purpose")
    summary = _add(info, "sumDscr")
    for year in dict.fromkeys(s.year for s in card.sources if s.year):
        _add(summary, "timePrd", year, date=str(year), event="single")
    _add(summary, "anlyUnit", "synthetic person" if card.kind == "population" else "synthetic record")
    _texts(summary, "universe", dict.fromkeys(s.universe for s in card.sources))
    _add(summary, "dataKind", "synthetic microdata")
    method = _add(study, "method")
    collection = _add(method, "dataColl")
    _texts(collection, "collMode", [_said(card["generator"].claims)])
    sources = _add(collection, "sources")
    for s in card.sources:
        _add(sources, "dataSrc", _source(s))
    _texts(collection, "cleanOps", [_said(card["preparation"].claims)])
    analysis = _add(method, "anlyInfo")
    _texts(analysis, "EstSmpErr", [_said(card["uncertainty"].claims)])
    for name in ("unfitted", "fidelity", "combinations", "artefacts", "audit"):
        _texts(analysis, "dataAppr", [_said(card[name].claims)], type=name)
    access = _add(study, "dataAccs")
    use = _add(access, "useStmt")
    _texts(use, "confDec", [_said(card["disclosure"].claims)])
    _texts(use, "restrctn", ["; ".join(f"Not for: {n}" for n in about.not_for)])
    _add(use, "citReq", citation(card))
    _add(use, "conditions", f"Licence: {about.licence or NOT_STATED}")
    _texts(use, "disclaimer", [_said(card["limits"].claims)])


def _source(source: CardSource) -> str:
    terms = f"publisher {source.publisher or NOT_STATED}, licence {source.licence or NOT_STATED}, SHA-256 {source.sha256}"
    what = [source.file, source.role, source.name, str(source.year or ""), source.universe, terms]
    return "; ".join(w for w in what if w)


def _file(root: ET.Element, file: CardFile, name: str) -> None:
    text = _add(_add(root, "fileDscr", ID=name), "fileTxt")
    _add(text, "fileName", file.path)
    print_ = _add(text, "dataFingerprint", type="dataFile")
    _add(print_, "digitalFingerprintValue", file.sha256)
    _add(print_, "algorithmSpecification", "SHA-256")
    _add(text, "fileCont", describe_file(file.path, file.description))
    size = _add(text, "dimensns")
    if file.rows is not None:
        _add(size, "caseQnty", file.rows)
    _add(size, "varQnty", len(file.fields))
    _add(text, "fileType", file.media_type)


def _data(root: ET.Element, card: Card, files: list[CardFile]) -> None:
    """Describe columns of the data files, then the variables that come with a person's record."""
    data = _add(root, "dataDscr")
    number = 0
    columns = set()
    for f, file in enumerate(files, 1):
        for column in columns_of(file.path, file.fields):
            number += 1
            columns.add(column.name)
            var = _add(data, "var", ID=f"V{number}", name=column.name, files=f"F{f}")
            _add(var, "labl", column.description or column.name)
            for label in column.categories:
                _add(_add(var, "catgry"), "catValu", label)
            kind = "numeric" if column.type in ("integer", "number") else "character"
            _add(var, "varFormat", type=kind)
    for variable in card.variables:
        if variable.name not in columns:
            number += 1
            _variable(data, variable, f"V{number}")


def _variable(data: ET.Element, variable: CardVariable, name: str) -> None:
    var = _add(data, "var", ID=name, name=variable.name)
    _add(var, "labl", variable.label)
    if variable.universe:
        _add(var, "universe", variable.universe)
    words = {"constrained": f"Copied from the record; zone totals constrained by {', '.join(variable.tables)}.",
             "copied": "Copied from the record; no table constrains it.", "modelled": "Modelled: chosen by the fit."}  # fmt: skip
    _add(var, "txt", words.get(variable.origin, f"Origin {NOT_STATED}."))
    for value, label in enumerate(variable.categories, 1):
        category = _add(var, "catgry")
        _add(category, "catValu", value)
        _add(category, "labl", label)
