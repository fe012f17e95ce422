"""Recodes: the user's own coarser categories, as data (bands, merged labels, renamed labels), never as expressions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from synthpop_gb.codebook import Category, Variable, age_atoms, age_label, common_categories
from synthpop_gb.errors import Finding, finding
from synthpop_gb.harmonisation._words import nearest

__all__ = ["Recode", "recoded_categories"]


@dataclass(frozen=True)
class Recode:
    """How one variable is to be coarsened in survey and tables alike; exactly one of the three is given.

    Attributes
    ----------
    bands : tuple of int
        For ages: lower limits of the bands in years, the last one open-ended. Ages below the first stay as they are.
    merge : tuple of tuple of str
        Groups of category labels (or codes) of either source; each becomes one category.
    map : mapping of str to str
        Label (or code) to new label; equal new labels merge. A code that the survey's codebook does not know may be named
        too: it then counts as the category of the new label.

    Raises ValueError where none or several are given, or bands do not rise.

    >>> Recode(merge=[["bad", "very bad"]]).groups()
    [(None, ('bad', 'very bad'))]
    >>> Recode(map={"bad": "poor", "very bad": "poor"}).groups()
    [('poor', ('bad', 'very bad'))]
    """

    bands: tuple[int, ...] = ()
    merge: tuple[tuple[str, ...], ...] = ()
    map: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self):
        object.__setattr__(self, "bands", tuple(int(b) for b in self.bands))
        object.__setattr__(
            self, "merge", tuple((g,) if isinstance(g, str) else tuple(str(label) for label in g) for g in self.merge)
        )
        object.__setattr__(self, "map", {str(k): str(v) for k, v in dict(self.map).items()})
        if sum(map(bool, (self.bands, self.merge, self.map))) != 1:
            raise ValueError("a recode needs exactly one of bands, merge and map")
        if any(b <= a for a, b in zip(self.bands, self.bands[1:], strict=False)) or (self.bands and self.bands[0] < 0):
            raise ValueError(f"bands must be rising ages in years, not {self.bands}")

    def groups(self) -> list[tuple[str | None, tuple[str, ...]]]:
        """Return (new label or None, labels that become one category); none for bands."""
        if self.merge:
            return [(None, labels) for labels in self.merge]
        new: dict[str, list[str]] = {}
        for old, label in self.map.items():
            new.setdefault(label, []).append(old)
        return [(label, tuple(old)) for label, old in new.items()]


def recoded_categories(
    recode: Recode | None, table: Variable, survey: Variable, within: frozenset[str] | None = None, mapped: Collection[str] = ()
) -> tuple[tuple[Category, ...], list[Finding]]:
    """Find the common categories of a table's and a survey's variable after the user's recode.

    mapped : codes of records that no codebook has and the recode names.

    Returns (categories in the table's order, findings): 'study-reference' where the recode names an unknown label, and
    'coarse-join' where its bands cut through a category of one source and had to be widened.
    """
    if recode is None:
        return common_categories([table, survey], within), []
    wanted, names, findings = _partition(recode, table, survey, mapped)
    categories = common_categories([table, survey, wanted], within)
    findings += _cut_bands(recode, wanted, categories, within)
    if within is not None:
        names = {atoms & within: name for atoms, name in names.items()}
    return tuple(replace(c, code=names[c.atoms], label=names[c.atoms]) if c.atoms in names else c for c in categories), findings


def _partition(
    recode: Recode, table: Variable, survey: Variable, mapped: Collection[str]
) -> tuple[Variable, dict[frozenset[str], str], list[Finding]]:
    """Write the recode as a variable of its own: each group of labels a category; the user's names by atoms."""
    if recode.bands:
        ends = [b - 1 for b in recode.bands[1:]] + [None]
        bands = [age_atoms(a, b) for a, b in zip(recode.bands, ends, strict=True)]
        return Variable(table.name, tuple(Category(age_label(b), age_label(b), b) for b in bands)), {}, []
    atoms_of = _by_label([table, survey])
    categories, names, findings = [], {}, []
    for label, members in recode.groups():
        atoms = frozenset()
        for member in members:
            known = atoms_of.get(member.strip().lower())
            if known is None and member not in mapped:
                message = f"The recode of {table.name} names {member!r}, which is no category of the survey or the table."
                hint = nearest(member, (c.label for v in (table, survey) for c in v.categories))
                findings.append(finding("study-reference", message + hint, place=f"recode.{table.name}"))
            atoms |= known or frozenset()
        if label is not None:
            names[atoms] = label
        elif table.name != "age":
            names[atoms] = " or ".join(members)
        categories.append(Category(label or "", label or "", atoms))
    return Variable(table.name, tuple(categories)), names, findings


def _by_label(variables: Iterable[Variable]) -> dict[str, frozenset[str]]:
    """Atoms by lower-case label, of all sources together, and by code where no label is the same."""
    labels: dict[str, frozenset[str]] = {}
    codes: dict[str, frozenset[str]] = {}
    for category in (c for v in variables for c in v.categories):
        for found, key in ((labels, category.label), (codes, category.code)):
            key = key.strip().lower()
            found[key] = found.get(key, frozenset()) | category.atoms
    return codes | labels


def _cut_bands(recode: Recode, wanted: Variable, got: tuple[Category, ...], within: frozenset[str] | None) -> list[Finding]:
    """Say which bands could not be had because a category of survey or table crosses their limit."""
    if not recode.bands:
        return []
    reach = [b.atoms if within is None else b.atoms & within for b in wanted.categories]
    lost = [
        b.label for b, atoms in zip(wanted.categories, reach, strict=True) if atoms and not any(c.atoms == atoms for c in got)
    ]
    if not lost:
        return []
    message = f"The bands {', '.join(lost)} of {wanted.name} cut through categories of survey or table; they became "
    message += ", ".join(c.label for c in got if any(c.atoms & b.atoms for b in wanted.categories if b.label in lost)) + "."
    return [finding("coarse-join", message, place=f"recode.{wanted.name}", count=len(lost))]
