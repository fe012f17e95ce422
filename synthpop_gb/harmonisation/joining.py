"""Tables of several nations joined into one: disjoint zones, other codings, other perturbation, the same people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.codebook import Category, Variable, common_categories, covers
from synthpop_gb.errors import Finding, finding
from synthpop_gb.harmonisation._words import listed, number
from synthpop_gb.harmonisation.cells import distinct
from synthpop_gb.harmonisation.counts import Prepared, prepare
from synthpop_gb.harmonisation.resolve import breadth
from synthpop_gb.harmonisation.zones import among

__all__ = ["join_tables"]


def join_tables(
    tables: Mapping[str, BenchmarkTable], names: Sequence[str], zones: pd.Index, known: pd.Index
) -> tuple[dict[str, BenchmarkTable], list[Finding]]:
    """Make one table of each name that no table has for all zones, but several tables have for different zones.

    Two or more tables of exactly the variables named are joined where none of them has a zone of another; a kind of zone (the
    first three characters of its code) that none of these has is taken from the best margin of a larger table that has it, so
    that Scotland's age x sex can stand beside England's age. Categories become the finest that all parts share. A name that one
    table answers for all zones, and the name of a table, are left alone.

    Parameters
    ----------
    tables : by name, as read.
    names : constraints and held-out tables as asked for.
    zones : codes of the study area (or of the areas of a level), in order.
    known : all codes that the lookup knows.

    Returns
    -------
    dict, list
        The tables, joined ones added under the names asked for, with a row for each zone that some part has; and findings:
        'joined-tables' (a note: which table serves how many zones), 'one-sided-category', 'unlike-universes', 'duplicate-zone'
        (a zone in two of the tables), 'coarse-join' where parts are finer than what they share, and what `prepare` says of each
        part in its zones.

    Examples
    --------
    >>> from synthpop_gb.codebook import Universe, age_atoms
    >>> def ages(name, zone, counts, *bands):
    ...     of = Variable("age", tuple(Category(f"{a}", f"{a}+", age_atoms(a, b)) for a, b in bands))
    ...     cells = pd.MultiIndex.from_arrays([[c.code for c in of.categories]], names=["age"])
    ...     return BenchmarkTable(name, pd.DataFrame([counts], [zone], cells), (of,), Universe("usual residents"))
    >>> england = ages("ts007", "E01000001", (5, 6, 7), (0, 15), (16, 24), (25, None))
    >>> scotland = ages("UV103", "S01006506", (4, 9), (0, 15), (16, None))
    >>> zones = pd.Index(["E01000001", "S01006506"])
    >>> joined, findings = join_tables({"ts007": england, "UV103": scotland}, ["age"], zones, zones)
    >>> joined["age"].counts.to_numpy().tolist(), [f.code for f in findings]
    ([[5.0, 13.0], [4.0, 9.0]], ['joined-tables', 'coarse-join'])
    """
    made, findings = dict(tables), []
    for name in dict.fromkeys(names):
        variables = tuple(part.strip() for part in name.split(" x "))
        chosen, said = _parts(tables, name, variables, zones)
        findings += said
        if len(chosen) < 2:
            continue
        parts = {}
        for key, own in chosen.items():
            parts[key], said = prepare(tables[key], zones[own], known)
            findings += said
        joined, said = _joined(name, variables, parts, {k: zones[own] for k, own in chosen.items()})
        findings += said
        if joined is not None:
            made[name] = joined
    return made, findings


def _parts(
    tables: Mapping[str, BenchmarkTable], name: str, variables: tuple[str, ...], zones: pd.Index
) -> tuple[dict[str, np.ndarray], list[Finding]]:
    """Which table serves which zones: name of table -> (n_zones,) bool. Fewer than two where nothing is to be joined."""
    wanted = set(variables)
    having = {k: t for k, t in tables.items() if wanted <= set(t.variable_names)}
    if name in tables and set(tables[name].variable_names) != wanted:
        return {}, []  # the table of that name is meant
    has = {k: among(zones, t.counts.index) for k, t in having.items()}
    if any(mask.all() for mask in has.values()):
        return {}, []
    has = {k: mask for k, mask in has.items() if mask.any()}
    exact = [k for k in has if set(having[k].variable_names) == wanted]
    times = np.sum([has[k] for k in exact], axis=0) if exact else np.zeros(len(zones), int)
    if (times > 1).any():
        twice = zones[times > 1]
        message = f"{name}: {number(len(twice), 'zone')} {'is' if len(twice) == 1 else 'are'} in several of {listed(exact, 6)}: "
        message += f"{listed(twice)}."
        rows = pd.DataFrame({"zone": twice})
        return {}, [finding("duplicate-zone", message, place=name, count=len(twice), rows=rows,
                            why="Which of the tables is meant there cannot be told.",
                            remedy="Name one table as the constraint, or keep each zone in one of them.")]  # fmt: skip
    chosen = {k: has[k] for k in exact}
    order = list(tables)
    margins = sorted((k for k in has if k not in chosen), key=lambda k: (*breadth(tables[k]), order.index(k)))
    kind = zones.astype(str).str.slice(0, 3).to_numpy(object)
    for one in dict.fromkeys(kind):
        mine = kind == one
        if any((mask & mine).any() for mask in chosen.values()):
            continue
        best = next((k for k in margins if (has[k] & mine).any()), None)
        if best is not None:
            chosen[best] = chosen.get(best, np.zeros(len(zones), bool)) | (has[best] & mine)
    return chosen, []


def _joined(
    name: str, variables: tuple[str, ...], parts: Mapping[str, Prepared], zones: Mapping[str, pd.Index]
) -> tuple[BenchmarkTable | None, list[Finding]]:
    """Put prepared parts together over the categories that they share."""
    universes = {k: p.table.universe for k, p in parts.items()}
    first = next(iter(universes.values()))
    known = [u for u in universes.values() if u is not None]
    if any((u.unit, u.members) != (known[0].unit, known[0].members) for u in known):
        counted = "; ".join(f"{k} counts {u.name if u else 'nobody knows whom'}" for k, u in universes.items())
        return None, [finding("unlike-universes", f"{name}: {counted}.", place=name, count=len(universes))]
    findings = [_note(name, parts, zones)]
    axes: list[Variable] = []
    for variable in variables:
        described = {k: next(v for v in p.table.variables if v.name == variable) for k, p in parts.items()}
        within = first.members.get(variable) if first is not None else None
        common = distinct(common_categories(described.values(), within))
        findings += _one_sided(name, variable, common, described) + _coarse(name, variable, common, described, within)
        axes.append(Variable(variable, common, label=next(iter(described.values())).label))
    columns = pd.MultiIndex.from_product([[c.code for c in v.categories] for v in axes], names=list(variables))
    counts, variances = zip(*(_summed(p, axes, first) for p in parts.values()), strict=True)
    index = pd.Index(np.concatenate([z.to_numpy(object) for z in zones.values()]), name="zone")
    errors = pd.DataFrame(np.sqrt(np.concatenate(variances)), index, columns)
    tables = [p.table for p in parts.values()]
    years = {t.year for t in tables} - {None}
    return BenchmarkTable(
        name, pd.DataFrame(np.concatenate(counts), index, columns), tuple(axes), first,
        standard_error=float(errors.to_numpy().max(initial=0.0)), source=tables[0].source,
        year=years.pop() if len(years) == 1 else None,
        findings=tuple(f for t in tables for f in t.findings), errors=errors if (errors.to_numpy() > 0).any() else None,
    ), findings  # fmt: skip


def _summed(part: Prepared, axes: Sequence[Variable], universe) -> tuple[np.ndarray, np.ndarray]:
    """Count one part by joined cell, and the variance of their perturbation: (n_zones, n_cells) each."""
    columns = part.table.counts.columns
    place, out = {}, np.zeros(len(columns), bool)
    for variable in part.table.variables:
        within = None if universe is None else universe.members.get(variable.name)
        atoms = {c.code: c.atoms if within is None else c.atoms & within for c in variable.categories}
        got = [atoms.get(code, frozenset()) for code in columns.get_level_values(variable.name).astype(str)]
        axis = next((v for v in axes if v.name == variable.name), None)
        if axis is None:  # summed over, its categories outside the universe left out
            out |= np.array([not a for a in got])
        else:
            place[axis.name] = np.array([covers(axis.categories, a) for a in got])
            out |= place[axis.name] < 0
    cell = np.zeros(len(columns), np.int64)
    for axis in axes:
        cell = cell * len(axis.categories) + place[axis.name]
    n_cells = int(np.prod([len(v.categories) for v in axes]))
    variance = np.full(part.values.shape, part.table.standard_error**2) if part.errors is None else part.errors**2
    counts, spread = np.zeros((len(part.values), n_cells)), np.zeros((len(part.values), n_cells))
    for column in np.flatnonzero(~out):
        counts[:, cell[column]] += part.values[:, column]
        spread[:, cell[column]] += variance[:, column]
    return counts, spread


def _note(name: str, parts: Mapping[str, Prepared], zones: Mapping[str, pd.Index]) -> Finding:
    served = {k: len(z) for k, z in zones.items()}
    shown = ", ".join(f"{k} ({number(n, 'zone')}, standard error {parts[k].table.standard_error:g})" for k, n in served.items())
    rows = pd.DataFrame({
        "table": list(served), "zones": list(served.values()), "year": [p.table.year for p in parts.values()],
        "standard_error": [p.table.standard_error for p in parts.values()],
    })  # fmt: skip
    return finding("joined-tables", f"{name} is joined from {shown}.", place=name, count=len(served), rows=rows)


def _one_sided(name: str, variable: str, common: Sequence[Category], described: Mapping[str, Variable]) -> list[Finding]:
    """Say which categories only some parts know: they are nought in the zones of the others."""
    rows = [(c.label, k) for c in common for k, v in described.items() if not c.atoms & v.atoms]
    if not rows:
        return []
    frame = pd.DataFrame(rows, columns=["category", "unknown_to"])
    labels = list(dict.fromkeys(frame["category"]))
    message = f"{name}: {listed((repr(x) for x in labels), 4)} of {variable} {'is' if len(labels) == 1 else 'are'} not known to "
    message += f"{listed(dict.fromkeys(frame['unknown_to']), 4)}, whose zones get noughts there."
    return [finding("one-sided-category", message, place=name, count=len(labels), rows=frame)]


def _coarse(
    name: str, variable: str, common: Sequence[Category], described: Mapping[str, Variable], within: frozenset[str] | None
) -> list[Finding]:
    """Note where parts are finer than the categories that all of them share."""
    finer = {
        k: n
        for k, v in described.items()
        if (n := len({c.atoms if within is None else c.atoms & within for c in v.categories} - {frozenset()})) > len(common)
    }
    if not finer:
        return []
    parts = ", ".join(f"{k} has {n}" for k, n in finer.items())
    message = f"{name}: {variable} has {len(common)} categories that all tables tell apart ({parts})."
    rows = pd.DataFrame({"category": [c.label for c in common]} | {
        k: ["; ".join(x.label for x in v.categories if x.atoms & c.atoms) for c in common] for k, v in described.items()
    })  # fmt: skip
    return [finding("coarse-join", message, place=name, count=len(common), rows=rows, level="note",
                    why="One constraint needs categories that every nation has.", remedy="Nothing.")]  # fmt: skip
