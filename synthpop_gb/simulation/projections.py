"""A population moved to a projection's tables: the same survey and the same start, solved again for other counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.geography import Geography

__all__ = ["projected_tables"]


def projected_tables(
    tables: Mapping[str, BenchmarkTable],
    projected: Sequence[BenchmarkTable],
    *,
    geography: Geography | None = None,
    level: str | None = None,
) -> tuple[dict[str, BenchmarkTable], tuple[Finding, ...]]:
    """Bring a study's tables to a projection.

    A table whose variables are all among a projected table's, and that counts the same people (or households) as far as both say,
    is replaced by the projection's counts; every other keeps its composition in each zone, and grows as the zone does: its counts
    times projected over present total, of households where households are projected, else of people; where several say so, of
    those counted with the fewest limits. Harmonising then settles what still differs by a person or two, and what
    universes imply.

    Parameters
    ----------
    tables : mapping of name to BenchmarkTable
        The study's, by zone.
    projected : sequence of BenchmarkTable
        Projected counts: by zone; with `level` by areas of that level, whose growth, cell by cell, each of their zones then
        follows.
    geography : Geography, optional
        Where zones lie; needed with `level`.
    level : str, optional
        Level of the projection's areas: 'lad'.

    Returns
    -------
    (dict, tuple of Finding)
        The tables, and 'projection-partial' for zones that are in no projection, which keep their counts.

    Raises
    ------
    InputError
        'study-reference' where a projection shares no variable with the study, has other categories, or a level is unknown.

    Notes
    -----
    With `level` each zone keeps its share of every cell of its area: the constant-share method (Smith, Tayman & Swanson 2001,
    State and Local Population Projections); of a cell that is empty throughout the area, its share of the area's people.
    """
    problems, notes = [], []
    if level is not None and (geography is None or level not in geography.parents):
        known = ", ".join(geography.parents) if geography is not None else "none"
        message = f"the projection's areas are of {level!r}, which the study does not know of its zones; it knows {known}."
        raise InputError([finding("study-reference", message, place="population.level")])
    area = None if level is None else geography.zones[level]
    out, replaced = dict(tables), set()
    growth: dict[str, tuple[int, pd.Series]] = {}  # by unit: limits on whom it is of, and by how much each zone grows
    for new in projected:
        mine = [n for n, t in tables.items() if t.level is None and _counted_in(t, new)]
        if not mine:
            known = "; ".join(map(_said, tables.values()))
            message = f"no table of the study counts what {new.name} does ({_said(new)}); they count {known}."
            problems.append(finding("study-reference", message, place=new.name))
        for name in mine:
            try:
                made, whole = _projected(tables[name], _margin(new, tables[name].variable_names), area)
            except InputError as error:
                problems += error.findings
                continue
            lost = int((~whole).sum())
            if lost:
                first = whole.index[~whole][0]
                message = f"{new.name} projects no counts for {lost:,} of {len(whole):,} zones (first: {first})."
                notes.append(finding("projection-partial", message, place=new.name, count=lost))
            before, after = _totals(tables[name]), _totals(made)
            found = len(_limits(tables[name])), (after / before.where(before > 0)).where(whole)
            growth[_unit(made)] = min(growth.get(_unit(made), found), found, key=lambda g: g[0])
            out[name] = made
            replaced.add(name)
    if problems:
        raise InputError(problems)
    for name, table in tables.items():
        if name not in replaced and table.level is None and growth:
            _, theirs = growth.get(_unit(table), next(iter(growth.values())))
            out[name] = _scaled(table, theirs.reindex(table.counts.index).fillna(1.0).to_numpy()[:, None])
    return out, tuple(notes)


def _counted_in(table: BenchmarkTable, new: BenchmarkTable) -> bool:
    """Whether a projection holds a table's counts: its variables, and the same people or households, as far as both say."""
    own, mine, theirs = set(table.variable_names), _limits(table), _limits(new)
    if not own <= set(new.variable_names):
        return False
    if new.universe is None:  # a sum over all ages says nothing of those over 16
        return not (mine.keys() - own) & set(new.variable_names)
    if table.universe is None:
        return True
    wider = {name: atoms for name, atoms in mine.items() if name not in own or name in theirs}  # categories tell the others
    return _unit(table) == _unit(new) and wider == theirs


def _limits(table: BenchmarkTable) -> dict[str, frozenset[str]]:
    """Find limits on whom a table counts, but being a usual resident, of whom projections are without saying so."""
    members = {} if table.universe is None else table.universe.members
    return {name: atoms for name, atoms in members.items() if name != "population_base"}


def _said(table: BenchmarkTable) -> str:
    of = "" if table.universe is None else f" of {table.universe.name}"
    return " x ".join(table.variable_names) + of


def _margin(table: BenchmarkTable, variables: tuple[str, ...]) -> BenchmarkTable:
    """Sum a table over the variables that are not asked for."""
    if table.variable_names == variables:
        return table
    counts = _summed(_numbers(table.counts), [table.counts.columns.get_level_values(v) for v in variables], variables)
    kept = tuple(next(v for v in table.variables if v.name == name) for name in variables)
    return replace(table, counts=counts, variables=kept, errors=None)


def _projected(table: BenchmarkTable, new: BenchmarkTable, area: pd.Series | None) -> tuple[BenchmarkTable, pd.Series]:
    """Project the counts of one table; returns it, and which zones are projected: (n_zones,) bool."""
    now, coming = _numbers(table.counts), _named(new, table)
    missing = [c for c in now.columns if c not in coming.columns]
    if missing:
        shown = ", ".join(" x ".join(map(str, c)) for c in missing[:4])
        message = f"{new.name} has no counts of {shown}, which {table.name} has."
        remedy = "Give the projection the same categories, by label or by code."
        raise InputError([finding("study-reference", message, place=new.name, count=len(missing), remedy=remedy)])
    coming = coming[list(now.columns)].set_axis(now.columns, axis=1)
    if area is None:
        whole = pd.Series(now.index.isin(coming.index), now.index)
        made = coming.reindex(now.index).where(whole, now)
    else:
        of = area.reindex(now.index)
        present = now.groupby(of).sum()
        ratio = (coming.reindex(present.index) / present.where(present > 0)).reindex(of).set_axis(now.index)
        whole = pd.Series(of.isin(coming.index).to_numpy(), now.index)
        people = now.sum(axis=1)
        share = (people / people.groupby(of).transform("sum")).fillna(0.0)
        anew = coming.reindex(of).set_axis(now.index).mul(share, axis=0)  # of a cell that nobody in the area is in yet
        empty = present.reindex(of).set_axis(now.index) == 0
        made = (now * ratio.fillna(1.0)).mask(empty, anew).where(whole, now)
    if not whole.any():
        first = coming.index[0] if len(coming) else "none"
        message = f"{new.name} projects none of the study's zones (its first row is {first})."
        raise InputError([finding("study-reference", message, place=new.name, remedy="Name the level of its areas.")])
    return replace(table, counts=_rounded(made), total=None, standard_error=0.0, errors=None, source=new.source), whole


def _named(new: BenchmarkTable, table: BenchmarkTable) -> pd.DataFrame:
    """Give a projection's categories the study's codes: by their atoms, else by label, else by code."""
    counts = _numbers(new.counts)
    levels = []
    for at, (mine, theirs) in enumerate(zip(table.variables, new.variables, strict=True)):
        codes = {c.code: c.code for c in mine.categories}
        labels = {c.label.casefold(): c.code for c in mine.categories}
        atoms = {c.atoms: c.code for c in mine.categories if c.atoms}
        known = {c.code: c for c in theirs.categories}

        def code(value, known=known, codes=codes, labels=labels, atoms=atoms):
            category = known.get(value)
            if category is not None and category.atoms in atoms:
                return atoms[category.atoms]
            label = str(category.label if category is not None else value).casefold()
            return labels.get(label, codes.get(value, value))

        levels.append([code(v) for v in counts.columns.get_level_values(at)])
    return _summed(counts, levels, table.variable_names)


def _summed(counts: pd.DataFrame, levels: Sequence, names: Sequence[str]) -> pd.DataFrame:
    """Sum columns that are alike in some labels; the columns of what is returned have one level a variable, always."""
    columns = pd.MultiIndex.from_arrays(list(levels), names=list(names))
    code, kept = columns.factorize()
    out = np.zeros((len(counts), len(kept)))
    np.add.at(out.T, code, counts.to_numpy(np.float64).T)
    return pd.DataFrame(out, counts.index, kept.set_names(list(names)))


def _scaled(table: BenchmarkTable, factor: np.ndarray) -> BenchmarkTable:
    counts = _rounded(_numbers(table.counts) * factor)
    return replace(table, counts=counts, total=None)


def _rounded(counts: pd.DataFrame) -> pd.DataFrame:
    """Round counts so that each zone's total is its own total rounded: largest remainders first."""
    values = np.maximum(counts.to_numpy(np.float64), 0.0)
    low = np.floor(values + 1e-9)
    short = np.rint(values.sum(axis=1)).astype(np.int64) - low.sum(axis=1).astype(np.int64)
    rank = np.argsort(np.argsort(-(values - low), axis=1, kind="stable"), axis=1, kind="stable")
    return pd.DataFrame(low + (rank < short[:, None]), counts.index, counts.columns)


def _numbers(counts: pd.DataFrame) -> pd.DataFrame:
    return counts.apply(pd.to_numeric, errors="coerce").fillna(0.0).astype(np.float64)


def _unit(table: BenchmarkTable) -> str:
    return "person" if table.universe is None else table.universe.unit


def _totals(table: BenchmarkTable) -> pd.Series:
    return _numbers(table.counts).sum(axis=1)
