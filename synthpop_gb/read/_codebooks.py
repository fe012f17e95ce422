"""The codebooks as data (`synthpop_gb/codebooks/*.toml`): what each label of each publication means, in atoms.

Nothing here knows a publication by name; what is known of one stands in its TOML file. `people`, `work` and `households` hold
the common variables, `tables_*` the published tables, `teaching_*` the census teaching files.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from synthpop_gb.codebook import Category, Variable, age_label
from synthpop_gb.read._labels import age_span, bare, does_not_apply, is_total, key, parts

__all__ = [
    "Common",
    "atoms_of",
    "category",
    "codebook_file",
    "common",
    "common_name",
    "common_variables",
    "guess_variable",
    "variable",
]

_COMMON_FILES = ("people", "work", "households")


@cache
def codebook_file(name: str) -> dict:
    """Contents of one codebook file, such as 'tables_2021'."""
    return tomllib.loads(files("synthpop_gb").joinpath("codebooks", f"{name}.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Common:
    """One common variable.

    Attributes
    ----------
    name, label : str
        Name in studies, and heading.
    atoms : tuple of str
        Its finest pieces, in printing order. Empty for age, whose atoms are the single years.
    groups : mapping of str to frozenset of str
        Named sets of atoms that sources use.
    meaning : mapping of str to frozenset of str
        Comparable key of every known spelling to the atoms it stands for.
    """

    name: str
    label: str
    atoms: tuple[str, ...]
    groups: Mapping[str, frozenset[str]]
    meaning: Mapping[str, frozenset[str]]
    titles: Mapping[frozenset[str], str] = field(default_factory=dict)


@cache
def common_variables() -> dict[str, Common]:
    """All common variables by name."""
    raw = {name: entry for file in _COMMON_FILES for name, entry in codebook_file(file).items()}
    return {name: _common(name, entry) for name, entry in raw.items()}


def _common(name: str, entry: dict) -> Common:
    atoms = entry.get("atoms", {})
    sets = {atom: frozenset([atom]) for atom in atoms}
    for group, spec in entry.get("groups", {}).items():
        sets[group] = frozenset().union(*(sets[member] for member in spec["of"]))
    meaning: dict[str, frozenset[str]] = {}
    spellings = {**atoms, **{g: spec["also"] for g, spec in entry.get("groups", {}).items()}}
    for title, others in spellings.items():
        for spelling in (title, *others):
            if meaning.setdefault(key(spelling), sets[title]) != sets[title]:
                raise ValueError(f"codebook: {spelling!r} means two things in the variable {name!r}")
    groups = {g: sets[g] for g in entry.get("groups", {})}
    return Common(name, entry["label"], tuple(atoms), groups, meaning, {s: title for title, s in sets.items()})


@cache
def _names() -> dict[str, str]:
    found: dict[str, str] = {}
    for file in _COMMON_FILES:
        for name, entry in codebook_file(file).items():
            for spelling in (name, entry["label"], *entry.get("names", ())):
                found.setdefault(key(spelling), name)
    return found


def common_name(text: str) -> str | None:
    """Name of the common variable that a heading means, or None. Numbers of categories are passed over.

    >>> common_name("General health"), common_name("Ethnic group (20 categories)"), common_name("C2021_HEALTH_6_NAME")
    ('health', 'ethnic_group', 'health')
    """
    text = re.sub(r"\(\d+ categories\)|^c_?(20\d\d)?_|_(name|code)$|_\d+[a-z]?$", "", str(text).strip(), flags=re.IGNORECASE)
    text = re.sub(r"_\d+[a-z]?$", "", text)
    return _names().get(key(text))


def common(name: str) -> Common | None:
    """Return the common variable of this name (or of a heading that means it), or None."""
    return common_variables().get(name) or common_variables().get(common_name(name) or "")


def atoms_of(variable_name: str, label: str) -> frozenset[str] | None:
    """Atoms that a label stands for in a variable, or None where the codebook does not know it.

    Nested labels are looked up whole, then without their coarser parts. Labels that say "does not apply" have no atoms.

    >>> sorted(atoms_of("health", "General health: Very good health; measures: Value"))
    ['very good']
    >>> len(atoms_of("age", "Aged 16 to 24 years")), atoms_of("health", "purple")
    (9, None)
    """
    if does_not_apply(label):
        return frozenset()
    known = common(variable_name)
    if known is None:
        return None
    pieces = parts(label)
    if pieces and known.name == "age":
        return age_span(pieces[-1])
    for start in range(len(pieces)):
        found = known.meaning.get(key(":".join(pieces[start:])))
        if found is None and start == len(pieces) - 1:
            found = known.meaning.get(key(re.sub(r"^\d+[.:]\s+", "", pieces[start])))
        if found is not None:
            return found
    return None


def category(variable_name: str, label: str, code: str | None = None) -> Category:
    """Category of a variable from its label in a source; the common title stands as label where the codebook knows it.

    A label that no codebook knows is an atom of its own, so that the same label in survey and table means the same. A number
    beyond those of a variable that ends in '8 or more' belongs there, where the smaller ones are known.

    >>> category("ethnic_group", "Mixed or Multiple ethnic groups").label
    'mixed'
    >>> category("cake", "3-5 a week")
    Category(code='3-5 a week', label='3-5 a week', atoms=frozenset({'3-5 a week'}))
    >>> category("household_size", "11").label
    '8 or more people'
    """
    atoms = atoms_of(variable_name, label)
    known = common(variable_name)
    if atoms is None and known is not None:
        atoms = _at_least(known, bare(label))
    if atoms is None:
        title = bare(label)
        atoms = frozenset([title.casefold()])
    elif known is not None and known.name == "age" and atoms:
        title = age_label(atoms)
    else:
        title = known.titles.get(atoms, str(label)) if known and atoms else str(label)
    return Category(title if code is None else code, title, atoms)


def _at_least(known: Common, text: str) -> frozenset[str] | None:
    """Open-ended atom that a number belongs to, or None."""
    if not text.isdecimal() or key("1") not in known.meaning:
        return None
    first = {atom: re.match(r"(\d+) or more\b", atom) for atom in known.atoms}
    found = [atom for atom, start in first.items() if start and int(text) >= int(start[1])]
    return frozenset(found) if len(found) == 1 else None


def variable(
    name: str,
    column: str = "",
    categories: Mapping[str, str] | Iterable[str] | None = None,
    missing: Iterable[str] = (),
    label: str = "",
) -> Variable:
    """Describe one variable of a survey that no codebook describes.

    Parameters
    ----------
    name : str
        Common name ('age', 'health' ...) or one of your own.
    column : str
        Column of the file.
    categories : mapping of code to category, or iterable of labels that are their own codes, or None
        Categories are the common codebook's ('very good', '16-24'), any spelling of them, or labels of your own. None: the
        reader fills them in from the file's value labels, else from its values (single years for ages).
    missing : iterable of str
        Codes that mean "no answer" or "does not apply": they belong to no category.

    >>> sex = variable("sex", "k_sex_dv", {1: "male", 2: "female"}, missing=[-9])
    >>> [(c.code, c.label, len(c.atoms)) for c in sex.categories]
    [('1', 'male', 1), ('2', 'female', 1), ('-9', 'no answer', 0)]
    """
    if categories is None:
        pairs: list[tuple[str, str]] = []
    elif isinstance(categories, Mapping):
        pairs = [(str(code), str(meaning)) for code, meaning in categories.items()]
    else:
        pairs = [(str(c), str(c)) for c in categories]
    made = [category(name, meaning, code) for code, meaning in pairs]
    made += [Category(str(code), "no answer", frozenset()) for code in missing]
    known = common(name)
    return Variable(name, tuple(made), column, label or (known.label if known else ""), "study")


def guess_variable(labels: Iterable[str], hint: str = "") -> str | None:
    """Name the common variable whose codebook knows all these labels, or None where there is none or more than one.

    labels : category labels of one variable; totals are passed over. hint : heading or file name that may name the variable.

    >>> guess_variable(["bad", "fair", "good", "verybad", "verygood"])
    'health'
    >>> guess_variable(["0", "1", "2"]) is None
    True
    """
    wanted = [label for label in dict.fromkeys(map(bare, labels)) if not is_total(label) and not does_not_apply(label)]
    if not wanted:
        return None
    named = common_name(hint) if hint else None
    candidates = [named] if named else list(common_variables())
    fits = [name for name in candidates if _fits(name, wanted)]
    return fits[0] if len(fits) == 1 else None


def _fits(name: str, labels: list[str]) -> bool:
    """Whether a variable knows every label and tells them apart. Categories may nest (subtotals are left out later)."""
    found = [atoms_of(name, label) for label in labels]
    apart = len(set(found)) >= 0.75 * len(found)
    return all(found) and apart and (len(labels) > 1 or len(common_variables()[name].atoms) == 1)
