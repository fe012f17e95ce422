"""Who is counted, from the words in which publishers and studies say it."""

from __future__ import annotations

import re

from synthpop_gb.codebook import Universe, age_atoms

__all__ = ["universe"]

_HOUSEHOLD = re.compile(r"\bhousehold(s|ers)?( spaces| reference persons?)?\b")
_REFERENCE = re.compile(r"\bhousehold reference persons?\b|\bhrps?\b")
_PERSON = re.compile(r"\b(residents?|people|persons?|individuals?|population|men|women|males?|females?|children)\b")
_AGE_FORMS = (
    (re.compile(r"\bunder (\d{1,3})\b"), lambda a, _: (0, a - 1)),
    (re.compile(r"\b(\d{1,3})(?: years?)?(?: of age)? and under\b"), lambda a, _: (0, a)),
    (re.compile(r"\b(\d{1,3}) ?(?:to|-|and) ?(\d{1,3})\b"), lambda a, b: (a, b)),
    (re.compile(r"\b(\d{1,3}) ?(?:years? )?(?:of age )?(?:and|or) (?:over|older|above)\b"), lambda a, _: (a, None)),
    (re.compile(r"\b(\d{1,3}) ?\+"), lambda a, _: (a, None)),
)
_WORK = re.compile(r"\b(not )?in employment\b")


def universe(text: str) -> Universe | None:
    """Return the universe that a text describes, or None where it names neither persons nor households.

    Understood: usual residents, people, households, household reference persons (one a household, so the unit is the
    household); ages ("aged 16 and over", "16 to 74", "under 16"); "in employment", "not in
    employment"; "in households", "in communal establishments"; "short-term residents"; "with a second address".

    >>> u = universe("All usual residents aged 16 years and over in employment the week before the census")
    >>> u.unit, sorted(u.members), len(u.members["age"])
    ('person', ['age', 'in_employment', 'population_base'], 105)
    >>> universe("All households").unit, universe("bananas")
    ('household', None)
    >>> universe("Household Reference Persons aged 16 to 74").unit
    'household'
    """
    words = " ".join(str(text).casefold().replace("\u2013", "-").split())
    words = re.sub(r"^total:?\s*|^all categories:.*", "", words)
    persons = _PERSON.search(words)
    if not persons and not _HOUSEHOLD.search(words):
        return None
    name = re.sub(r"^all\s+", "", words)
    if not persons:
        return Universe(name, "household")
    unit = "household" if _REFERENCE.search(words) else "person"  # one person a household: it counts households
    members: dict[str, frozenset[str]] = {}
    if "short-term" in words:
        members["population_base"] = frozenset({"short-term resident"})
    elif "resident" in words:
        members["population_base"] = frozenset({"usual resident"})
    for pattern, limits in _AGE_FORMS:
        if found := pattern.search(words):
            low, high = limits(int(found[1]), int(found[2]) if found.lastindex == 2 else 0)
            members["age"] = age_atoms(low, high)
            break
    if found := _WORK.search(words):
        members["in_employment"] = frozenset({"not in employment" if found[1] else "in employment"})
    if re.search(r"\bin households\b|\bin a household\b|\bhousehold residents\b", words):
        members["residence_type"] = frozenset({"household"})
    elif "communal" in words:
        members["residence_type"] = frozenset({"communal establishment"})
    if "with a second address" in words:
        members["second_address"] = frozenset({"in the UK", "outside the UK"})
    if re.search(r"\b(fe)?males?\b|\b(wo)?men\b", words) and not ("female" in words and re.search(r"\bmales?\b", words)):
        members["sex"] = frozenset({"female" if re.search(r"\bfemales?\b|\bwomen\b", words) else "male"})
    return Universe(name, unit, members)
