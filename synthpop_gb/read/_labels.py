"""What labels say whatever their spelling: comparable keys, ages, totals, and the parts of nested names."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from synthpop_gb.codebook import AGE_TOP, age_atoms

__all__ = ["age_span", "bare", "does_not_apply", "is_total", "key", "parts"]

_MEASURE = re.compile(r";\s*measures:\s*(value|percent)\s*$", re.IGNORECASE)
_UNIT = re.compile(r"\s+-\s+Unit\s*:.*$")
_NOTE = re.compile(r"\s*\[note[^\]]*\]", re.IGNORECASE)
_SIGNED = re.compile(r"(?<![\w.])([+-])(?=\d)")


def bare(label: str) -> str:
    """Return a label without the publisher's trimmings: `; measures: Value`, ` - Unit : Persons`, `[note 12]`, line breaks.

    >>> bare("General health: Very good health; measures: Value")
    'General health: Very good health'
    """
    text = _UNIT.sub("", _NOTE.sub("", _MEASURE.sub("", str(label).lstrip("\ufeff\x00"))))
    return " ".join(text.split())


@lru_cache(maxsize=65536)
def key(label: str) -> str:
    """Return what two spellings of one label share: letters and digits in lower case; a sign before a number counts.

    >>> key("Very good") == key("very_good") == key("verygood"), key("-1 (overcrowded)")
    (True, 'minus1overcrowded')
    """
    text = unicodedata.normalize("NFKC", bare(label)).replace("\u2212", "-").replace("&", " and ").casefold()
    text = _SIGNED.sub(lambda m: "plus" if m[1] == "+" else "minus", text)
    text = re.sub(r"(?<=\d)\s*\+", "plus", text)
    return "".join(c for c in text if c.isalnum())


def parts(label: str) -> tuple[str, ...]:
    """Return the parts of a nested label, coarsest first.

    >>> parts("Tenure: Owned: Owns outright; measures: Value")
    ('Tenure', 'Owned', 'Owns outright')
    """
    return tuple(p for p in (q.strip() for q in re.split(r"\s*:\s*", bare(label))) if p)


_TOTAL = re.compile(
    r"^(total|all|persons|people|population|everyone|"
    r"all(persons|people|usualresidents|residents|households|householdspaces|ages|categories|individuals|sexes|both).*|"
    r"total(population|persons|people|residents|usualresidents|households|householdspaces|individuals|all.*))$"
)


def is_total(label: str) -> bool:
    """Whether a label names everybody: 'Total', 'All persons', 'All categories: Tenure', 'total_households'.

    >>> is_total("Total: All usual residents aged 16 years and over"), is_total("All aged 66 years and over")
    (True, False)
    """
    pieces = parts(label)
    if len(pieces) > 1 and key(pieces[1]).startswith("allcategories"):
        return True
    return bool(pieces) and bool(_TOTAL.match(key(pieces[0])) or _TOTAL.match(key(" ".join(pieces))))


def does_not_apply(label: str) -> bool:
    """Whether a label means that the question was not asked of these people (codes -8 and -9 of census files).

    >>> does_not_apply("Does not apply"), does_not_apply("No code required (aged under 16)")
    (True, True)
    """
    return key(label) in {"doesnotapply", "notapplicable", "minus8", "minus9"} or key(label).startswith("nocoderequired")


_LEAD = r"^(?:persons?|people)?\s*(?:x(?=\d))?(?:ages?|aged|a)?\s*(?:band|group|code)?\s*:?\s*(?:aged?\s*)?"
_TAIL = r"\s*(?:years?|yrs?|y)?(?:\s*of age)?\s*(?:old)?$"
_UP = r"(?:\+|p(?:lus|l)?|and (?:over|older|above)|or (?:over|older|more|above)|over)"
_AGE_FORMS = (
    (re.compile(_LEAD + r"(?:under|less than|younger than|<)\s*(\d{1,3})" + _TAIL), "below"),
    (re.compile(_LEAD + r"(\d{1,3})\s*(?:years?)?\s*(?:and|or) (?:under|younger|less)" + _TAIL), "to"),
    (re.compile(_LEAD + r"(\d{1,3})\s*(?:years?|yrs?)?\s*" + _UP + _TAIL), "from"),
    (re.compile(_LEAD + r"(?:over|above|older than|>)\s*(\d{1,3})" + _TAIL), "above"),
    (re.compile(_LEAD + r"(?:between )?(\d{1,3})\s*(?:years?)?\s*(?:to|and|-|~)\s*(\d{1,3})" + _TAIL), "span"),
    (re.compile(_LEAD + r"(\d{1,3})" + _TAIL), "one"),
)


@lru_cache(maxsize=65536)
def age_span(label: str) -> frozenset[str] | None:
    """Return the single years of age that a label means, or None where it is no age.

    >>> [sorted(age_span(t), key=int)[0::120] for t in ("Aged 4 years and under", "85 years and over", "a.50+", "a16_19")]
    [['0'], ['85'], ['50'], ['16']]
    >>> len(age_span("Aged under 1 year")), len(age_span("0 - 4")), age_span("Level 4")
    (1, 5, None)
    """
    text = unicodedata.normalize("NFKC", bare(label)).casefold()
    text = re.sub(r"[\u2010-\u2015\u2212]", "-", text)
    text = re.sub(r"(?<=[\da-z])[_.](?=[\da-z+])", " ", text)
    text = re.sub(r"(?<=\d)\s+(?=\d)", "-", text)  # a16_19, X16.24
    text = " ".join(text.split())
    for pattern, form in _AGE_FORMS:
        found = pattern.match(text)
        if not found:
            continue
        first = int(found[1])
        low, high = {
            "below": (0, first - 1), "to": (0, first), "from": (first, AGE_TOP), "above": (first + 1, AGE_TOP),
            "one": (first, first), "span": (first, int(found[2]) if form == "span" else first),
        }[form]  # fmt: skip
        return age_atoms(low, high) if 0 <= low <= high <= AGE_TOP else None
    return None
