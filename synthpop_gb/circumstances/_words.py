"""Words: a survey's own labels of sex, role, activity, tenure ... understood as one of a few plain words."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

__all__ = ["WORDS", "meaning_of"]

WORDS: dict[str, tuple[tuple[str, str], ...]] = {
    "sex": (("female", r"\bfemale|\bwom[ae]n\b|\bgirl"), ("male", r"\bmale|\bm[ae]n\b|\bboy")),
    "role": (
        ("other", r"grand|in[- ]law|lodger|sibling|brother|sister|unrelated|non[- ]relative"),
        ("partner", r"partner|spouse|husband|wife|cohabit"),
        ("reference", r"reference|\bhead\b|\bhrp\b|householder|person 1\b"),
        ("child", r"child|\bson\b|daughter|foster"),
        ("other", r"other|parent|relative|mother|father"),
    ),
    "activity": (
        ("student", r"student|full[- ]time education"),
        ("unemployed", r"unemploy|seeking work|jobseek"),
        ("self-employed", r"self[- ]?employ|own account|business owner"),
        ("retired", r"retire|pensioner"),
        ("sick", r"\bsick|disab|incapac"),
        ("home", r"look(ing)? after|\bhome\b|carer|homemak"),
        ("none", r"does not apply|not applicable|no code|aged? under|child"),
        ("other", r"inactive|not working|not in (work|employment)"),
        ("employee", r"employee|employ|in work|working|paid work|full[- ]time|part[- ]time"),
        ("other", r"other|training|scheme"),
    ),
    "tenure": (
        ("free", r"rent[- ]free|free of rent|lives? free"),
        ("social", r"social|council|local authority|housing association|registered provider"),
        ("private", r"private|rent|landlord"),
        ("mortgage", r"mortgage|loan|shared owner"),
        ("outright", r"outright|own"),
    ),
    "partnership": (
        ("separated", r"separat"), ("divorced", r"divorc|dissolved"), ("widowed", r"widow|surviving"),
        ("single", r"never|single|unmarried"), ("married", r"married|civil partner|cohabit|couple|partner"),
        ("none", r"does not apply|not applicable|no code"),
    ),
    "qualification": (
        ("none", r"does not apply|not applicable|no code"),
        ("low", r"\bno (formal )?(academic )?(or professional )?qualification|level 1\b|entry level|\bnone\b"),
        ("high", r"level [4-8]|degree|higher|university"),
        ("medium", r"level [23]|apprentice|a[- ]level|gcse|other|vocational|foreign|professional"),
    ),
    "ethnic_group": (
        ("mixed", r"mixed|multiple"), ("asian", r"asian|indian|pakistan|bangladesh|chinese"),
        ("black", r"black|african|caribbean"), ("white", r"white"), ("other", r"other|arab"),
    ),
    "health": (
        ("very bad", r"very (bad|poor)"), ("very good", r"very good|excellent"), ("bad", r"\bbad|\bpoor"), ("fair", r"fair"),
        ("good", r"good"),
    ),
}  # fmt: skip
"""By kind of answer: words in the order in which they are looked for, each with the pattern that labels of it have."""


def meaning_of(kind: str, labels, given: Mapping[str, str] | None = None) -> tuple[np.ndarray, dict[str, int]]:
    """Understand labels of one kind.

    Parameters
    ----------
    kind : str
        A key of `WORDS`.
    labels : array_like of str
        As the survey has them; missing values mean ''.
    given : mapping, optional
        What labels mean that no pattern knows, or knows wrongly: codes of a survey without labels, {'1': 'reference'}.

    Returns
    -------
    words : numpy.ndarray
        (n,) object: one of the kind's words, or '' where the label is missing or not understood.
    unknown : dict of str to int
        Labels that were not understood, and on how many rows.

    Raises
    ------
    ValueError
        Where `given` names a word that the kind has not.

    Examples
    --------
    >>> meaning_of("activity", ["Self-employed, full-time", "Long-term sick or disabled", "Economically active: Unemployed"])[0]
    array(['self-employed', 'sick', 'unemployed'], dtype=object)
    >>> meaning_of("role", ["1", "2", "x"], {"1": "reference", "2": "partner"})
    (array(['reference', 'partner', ''], dtype=object), {'x': 1})
    """
    given = {str(k).strip(): v for k, v in (given or {}).items()}
    known = {word for word, _ in WORDS[kind]}
    strange = sorted({str(v) for v in given.values()} - known)
    if strange:
        raise ValueError(f"{kind} means one of {', '.join(sorted(known))}, not {', '.join(strange)}")
    code, distinct = pd.factorize(pd.Series(labels).astype(object))
    words, unknown = np.full(len(distinct) + 1, "", object), {}
    for i, label in enumerate(distinct):
        text = str(int(label)) if isinstance(label, float) and label.is_integer() else str(label).strip()
        words[i] = given.get(text) or _word(kind, text.lower())
        if not words[i] and text:
            unknown[text] = int((code == i).sum())
    return words[code], unknown


def _word(kind: str, text: str) -> str:
    return next((word for word, pattern in WORDS[kind] if re.search(pattern, text)), "")
