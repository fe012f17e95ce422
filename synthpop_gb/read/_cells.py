"""Which columns of a grid are cells: totals, subtotals beside their parts and people who were not asked are told apart."""

from __future__ import annotations

import numpy as np

from synthpop_gb.codebook import Category, Variable, age_label
from synthpop_gb.errors import InputError, finding
from synthpop_gb.read._codebooks import atoms_of, category, common
from synthpop_gb.read._grid import Grid, Request
from synthpop_gb.read._labels import bare, does_not_apply, is_total, key, parts

__all__ = ["describe", "keep_cells"]


def keep_cells(grid: Grid, place: str) -> None:
    """Leave only the finest cells in the grid; the total of everybody goes to `grid.total`, the rest to notes.

    Raises InputError where categories overlap and it cannot be told which of them are subtotals.
    """
    _outside(grid, place)
    _totals(grid)
    subtotals = _repeated(grid, place)
    for level in range(len(grid.variables)):
        dropped = _nested(grid, level, place)
        if dropped:
            subtotals += [bare(label) for label in dropped]
            grid.cells([i for i, k in enumerate(grid.keys) if k[level] not in dropped])
    if subtotals:
        shown = "; ".join(subtotals[:3]) + (" ..." if len(subtotals) > 3 else "")
        message = f"{place}: {len(subtotals)} subtotals stand beside their parts and were left out ({shown})."
        grid.findings.append(finding("nested-subtotal", message, place=place, count=len(subtotals)))


def _outside(grid: Grid, place: str) -> None:
    """Leave out columns of people to whom the question does not apply."""
    listed = {key(h) for h in grid.known.get("outside", ())}
    out = [i for i, k in enumerate(grid.keys) if any(does_not_apply(label) or key(label) in listed for label in k)]
    if not out:
        return
    people = sum(float(np.nansum(grid.columns[i])) for i in out)
    labels = "; ".join(
        dict.fromkeys(bare(label) for i in out for label in grid.keys[i] if does_not_apply(label) or key(label) in listed)
    )
    message = f"{place}: {people:,.0f} people or households to whom the question does not apply were left out ({labels})."
    grid.findings.append(finding("does-not-apply", message, place=place, count=int(people)))
    grid.cells([i for i in range(len(grid.keys)) if i not in set(out)])


def _totals(grid: Grid) -> None:
    """Take the total of everybody aside, and leave out totals over one variable of a joint table."""
    whole = [i for i, k in enumerate(grid.keys) if all(map(is_total, k))]
    some = [i for i, k in enumerate(grid.keys) if any(map(is_total, k))]
    if len(some) == len(grid.keys):  # a table of one figure a zone: the total is the cell
        return
    if whole and grid.total is None:
        grid.total = grid.columns[whole[0]]
    if some:
        grid.cells([i for i in range(len(grid.keys)) if i not in set(some)])


def _repeated(grid: Grid, place: str) -> list[str]:
    """Leave one of several columns of one name: the later where the codebook calls the first a subtotal, or one of equals."""
    listed = {key(s) for s in grid.known.get("repeated_subtotals", ())}
    first: dict[tuple[str, ...], int] = {}
    subtotals, out = [], set()
    for i, labels in enumerate(grid.keys):
        earlier = first.setdefault(tuple(map(key, labels)), i)
        if earlier == i:
            continue
        if len(labels) == 1 and key(labels[0]) in listed:
            subtotals.append(labels[0])
            out.add(earlier)
        elif np.array_equal(grid.columns[earlier], grid.columns[i], equal_nan=True):
            out.add(i)
        else:
            message = f"{place} has two columns called {' x '.join(map(bare, labels))!r} with different counts."
            raise InputError([finding("unknown-layout", message, place=place, remedy="Rename or delete one of them.")])
    if out:
        grid.cells([i for i in range(len(grid.keys)) if i not in out])
    return subtotals


def _nested(grid: Grid, level: int, place: str) -> list[str]:
    """Labels of one variable that are subtotals of others: by their wording, or by the atoms they stand for."""
    labels = list(dict.fromkeys(k[level] for k in grid.keys))
    paths = {label: _path(label) for label in labels}
    dropped = []
    for label in labels:
        path = paths[label]
        if any(len(other) > len(path) and other[: len(path)] == path for o, other in paths.items() if o != label):
            dropped.append(label)
    rest = [label for label in labels if label not in dropped]
    meaning = _meaning(rest, grid.variables[level], grid.known)
    for label, atoms in meaning.items():
        inside = [m for o, m in meaning.items() if o != label and m and m <= atoms]
        if atoms and inside and frozenset().union(*inside) == atoms and all(m < atoms for m in inside):
            dropped.append(label)
    return dropped


def _path(label: str) -> tuple[str, ...]:
    """Nested name of a label as comparable keys; 'Owned: Total' is 'Owned' itself."""
    path = tuple(map(key, parts(label)))
    return path[:-1] if len(path) > 1 and path[-1] == "total" else path


def _meaning(labels: list[str], variable: str, known: dict) -> dict[str, frozenset[str]]:
    """Atoms of each label, with the publication's own overrides; empty where no codebook knows it."""
    override = {key(k): v for k, v in known.get("labels", {}).items()}
    found = {}
    for label in labels:
        pieces = parts(label)
        last = pieces[-1] if pieces else ""
        if len(pieces) > 1 and key(last) == "total":
            found[label] = atoms_of(variable, ": ".join(pieces[:-1])) or frozenset()
        else:
            found[label] = atoms_of(variable, override.get(key(label), override.get(key(last), label))) or frozenset()
    return found


def _exclusive(labels: list[str], grid: Grid, level: int, place: str) -> dict[str, frozenset[str]]:
    """Atoms of the categories that are left, none in two of them: "other" means what no other category says.

    Other White leaves out Roma where Roma has a column of its own, and holds them where it has none.
    """
    meaning = _meaning(labels, grid.variables[level], grid.known)
    for label, atoms in meaning.items():
        last = key(parts(label)[-1]) if parts(label) else ""
        if last.startswith(("other", "anyother", "allother")):
            meaning[label] = atoms.difference(*(m for m in meaning.values() if m < atoms))
    owner: dict[str, str] = {}
    for label, atoms in meaning.items():
        for atom in atoms:
            other = owner.setdefault(atom, label)
            if other != label:
                message = f"{place}: {bare(other)!r} and {bare(label)!r} of {grid.variables[level]} count some people twice."
                remedy = "Name the headers to use, and the category of each, with `columns`."
                why = "Only categories that exclude each other can be fitted."
                raise InputError([finding("unknown-layout", message, place=place, remedy=remedy, why=why)])
    return meaning


def describe(grid: Grid, request: Request, place: str) -> tuple[Variable, ...]:
    """Describe each variable of a grid: its categories with their atoms, codes being the labels people read.

    The grid's keys become those codes. Raises InputError where two categories count the same people.
    """
    described = []
    for level, name in enumerate(grid.variables):
        given = next((v for v in request.variables or () if isinstance(v, Variable) and v.name == name), None)
        labels = list(dict.fromkeys(k[level] for k in grid.keys))
        atoms = _exclusive(labels, grid, level, place) if given is None else {}
        made = [_category(name, label, given, atoms.get(label, frozenset())) for label in labels]
        known = common(name)
        title = (given.label if given else "") or (known.label if known else "")
        described.append(Variable(name, tuple(made), "", title, str(grid.known.get("name", ""))))
        code = dict(zip(labels, (c.code for c in made), strict=True))
        grid.keys = [(*k[:level], code[k[level]], *k[level + 1 :]) for k in grid.keys]
    return tuple(described)


def _category(name: str, label: str, given: Variable | None, atoms: frozenset[str]) -> Category:
    """Category of one label: as the caller described it, as the codebook has it, or as an atom of its own."""
    for c in given.categories if given is not None else ():
        if key(label) in (key(c.code), key(c.label)):
            return Category(c.label or c.code, c.label or c.code, c.atoms)
    known = common(name)
    if not atoms or known is None:
        return category(name, label)
    title = age_label(atoms) if known.name == "age" else known.titles.get(atoms, parts(label)[-1])
    return Category(title, title, atoms)
