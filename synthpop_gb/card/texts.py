"""A card as files: README.md, card.json, datapackage.json, ro-crate-metadata.json, and on request croissant.json and ddi.xml."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from typing import Any

from synthpop_gb.card.croissant import croissant as croissant_of
from synthpop_gb.card.datapackage import datapackage
from synthpop_gb.card.ddi import ddi as ddi_of
from synthpop_gb.card.noun import Card, CardFile
from synthpop_gb.card.readme import readme
from synthpop_gb.card.rocrate import ro_crate

__all__ = ["CARD_FILES", "card_texts"]

CARD_FILES = ("README.md", "card.json", "datapackage.json", "ro-crate-metadata.json", "croissant.json", "ddi.xml")

_TYPES = {".md": "text/markdown", ".json": "application/json", ".xml": "application/xml"}


def card_texts(card: Card, *, croissant: bool = False, ddi: bool = False) -> dict[str, str]:
    """Write a card in every form.

    Parameters
    ----------
    card : Card
        What is to be stated; its `files` without those made here.
    croissant, ddi : bool
        Make these too.

    Returns
    -------
    dict of str to str
        Text by file name. The RO-Crate lists the others with their SHA-256.
    """
    texts = {"README.md": readme(card), "card.json": as_json(card.to_dict()), "datapackage.json": as_json(datapackage(card))}
    if croissant:
        texts["croissant.json"] = as_json(croissant_of(card))
    if ddi:
        texts["ddi.xml"] = ddi_of(card)
    mine = tuple(_described(name, text) for name, text in texts.items())
    texts["ro-crate-metadata.json"] = as_json(ro_crate(replace(card, files=(*mine, *card.files))))
    return texts


def _described(name: str, text: str) -> CardFile:
    data = text.encode("utf-8")
    return CardFile(name, len(data), hashlib.sha256(data).hexdigest(), _TYPES[name[name.rindex(".") :]])


def as_json(value: Any) -> str:
    """JSON that every reader takes: no NaN, UTF-8, two spaces."""
    return json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False, default=_plain) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: Any) -> Any:
    return _finite(value.item()) if hasattr(value, "item") else str(value)
