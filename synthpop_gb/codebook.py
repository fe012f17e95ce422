"""Codes and what they mean: variables as sets of atoms, so that any two sources can be brought to common categories.

Each category of each source is a set of *atoms*, the finest pieces that any source tells apart (single years of age, the
19 ethnic groups ...). Two sources are compared by their atoms alone: the finest categories that both can express are the
finest common coarsening of their two partitions, found here once for every variable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

__all__ = ["AGE_TOP", "Category", "Universe", "Variable", "age_atoms", "age_label", "common_categories", "covers"]

AGE_TOP = 120
"""Oldest single year of age that open-ended bands reach, in years."""


@dataclass(frozen=True)
class Universe:
    """Who is counted: a unit and the atoms that a member must have.

    Attributes
    ----------
    name : str
        As people say it: 'usual residents aged 16 and over'.
    unit : str
        'person' or 'household'.
    members : mapping of variable name to frozenset of atoms
        A record belongs where each of its named variables lies within these atoms; empty = everybody of the unit.
    """

    name: str
    unit: str = "person"
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Category:
    """One value of a variable in one source: the source's code, a label for people, the atoms it stands for.

    No atoms means "does not apply": records with such a code are outside the variable's universe.
    """

    code: str
    label: str
    atoms: frozenset[str]


@dataclass(frozen=True)
class Variable:
    """One variable as one source codes it.

    Attributes
    ----------
    name : str
        Common name: 'age', 'sex', 'health', 'ethnic_group' ... The same in every source.
    categories : tuple of Category
        In the order in which tables print them.
    column : str
        Column of the source that holds it; empty for the variable of a table's columns.
    label : str
        For headings; defaults to the name in words.
    source : str
        Which codebook says so.
    """

    name: str
    categories: tuple[Category, ...]
    column: str = ""
    label: str = ""
    source: str = ""

    def __post_init__(self):
        if not self.label:
            object.__setattr__(self, "label", self.name.replace("_", " "))

    @property
    def atoms(self) -> frozenset[str]:
        """Every atom that some category holds."""
        return frozenset().union(*(c.atoms for c in self.categories))

    def with_column(self, column: str) -> Variable:
        """Return the same variable, read from another column."""
        return replace(self, column=column)


def age_atoms(first: int, last: int | None = None) -> frozenset[str]:
    """Atoms of the ages from `first` to `last`, both included, in years; open-ended without `last`.

    >>> sorted(age_atoms(16, 18))
    ['16', '17', '18']
    """
    return frozenset(str(year) for year in range(first, (AGE_TOP if last is None else last) + 1))


def age_label(atoms: Iterable[str]) -> str:
    """Return the usual label of a run of ages: '0-15', '75+', or runs joined by commas.

    >>> age_label(age_atoms(16, 44)), age_label(age_atoms(75))
    ('16-44', '75+')
    """
    years = sorted(int(a) for a in atoms)
    runs: list[list[int]] = []
    for year in years:
        if runs and year == runs[-1][1] + 1:
            runs[-1][1] = year
        else:
            runs.append([year, year])
    return ", ".join(f"{a}+" if b >= AGE_TOP else str(a) if a == b else f"{a}-{b}" for a, b in runs)


def common_categories(variables: Iterable[Variable], within: frozenset[str] | None = None) -> tuple[Category, ...]:
    """Finest categories that all sources can express: the finest common coarsening of their partitions.

    Parameters
    ----------
    variables : iterable of Variable
        The same variable in each source. Categories of one source must not overlap.
    within : frozenset of str, optional
        Only these atoms count, e.g. the ages of a universe; what lies outside is dropped before merging.

    Returns
    -------
    tuple of Category
        In the order of the first variable; code and label are the same: the label of the category that has exactly these
        atoms in some source, else the ages, else the labels of the first source joined by ' or '.

    >>> def ages(*bands):
    ...     return Variable("age", tuple(Category(str(a), "", age_atoms(a, b)) for a, b in bands))
    >>> [c.label for c in common_categories([ages((0, 15), (16, 24), (25, None)), ages((0, 15), (16, 19), (20, 44), (45, None))])]
    ['0-15', '16+']
    """
    variables = list(variables)
    parent: dict[str, str] = {}

    def root(atom: str) -> str:
        parent.setdefault(atom, atom)
        while parent[atom] != atom:
            parent[atom] = parent[parent[atom]]
            atom = parent[atom]
        return atom

    for variable in variables:
        for category in variable.categories:
            atoms = sorted(category.atoms if within is None else category.atoms & within)
            for atom in atoms:
                parent[root(atom)] = root(atoms[0])
    groups: dict[str, set[str]] = {}
    for variable in variables:
        for category in variable.categories:
            for atom in sorted(category.atoms if within is None else category.atoms & within):
                groups.setdefault(root(atom), set()).add(atom)
    return tuple(_named(frozenset(atoms), variables) for atoms in groups.values())


def _named(atoms: frozenset[str], variables: list[Variable]) -> Category:
    """Name a set of atoms: ages by their span, else a source's own label, else the parts of the coarsest source joined."""
    if variables[0].name == "age" and all(a.isdigit() for a in atoms):
        label = age_label(atoms)
        return Category(label, label, atoms)
    for variable in variables:
        for category in variable.categories:
            if category.atoms == atoms and category.label:
                return Category(category.label, category.label, atoms)
    parts = min(([c.label for c in v.categories if c.atoms and c.atoms <= atoms] or [""] * 99 for v in variables), key=len)
    label = " or ".join(dict.fromkeys(parts))
    return Category(label, label, atoms)


def covers(categories: Iterable[Category], atoms: frozenset[str]) -> int:
    """Index of the category whose atoms include `atoms`; -1 where there is none or `atoms` is empty."""
    if atoms:
        for i, category in enumerate(categories):
            if atoms <= category.atoms:
                return i
    return -1
