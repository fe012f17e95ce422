"""Tables as urns to draw people from: checked, put in an order in which each shares variables with one earlier table at most."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.errors import Finding, InputError, finding

__all__ = ["Urns", "make_urns"]


@dataclass(frozen=True, eq=False)
class Urns:
    """Arrays for `kernels.urns`, which explains targets, parent, lead and group_start; and what their numbers stand for.

    zones : zone codes; table_start : (n_tables + 1,) first cell of each table; group : (n_cells,) group of each cell.
    source : variable -> a table that has it, in the order in which the user gave them; categories : variable -> its categories;
    codes : variable -> (n_cells,) position of the category of each cell of tables that have it, -1 elsewhere.
    """

    targets: np.ndarray
    parent: np.ndarray
    lead: np.ndarray
    group_start: np.ndarray
    zones: pd.Index
    table_start: np.ndarray
    group: np.ndarray
    source: dict[str, int]
    categories: dict[str, pd.Index]
    codes: dict[str, np.ndarray]

    def degrees_of_freedom(self) -> np.ndarray:
        """Count the combinations that the tables leave open, by zone: those with people expected, less what the tables fix.

        Categories with nobody in a zone do not count there. Two tables of I and J categories leave (I - 1)(J - 1).
        """
        filled = self.targets > 0
        groups = np.add.reduceat(filled, self.group_start[:-1], axis=1)
        fixed = filled.sum(axis=1) - (groups > 0).sum(axis=1) + 1  # cells of all tables, less the groups they share
        ways = filled.astype(float)  # combinations of later tables that go with a cell
        for t in range(len(self.parent) - 1, -1, -1):
            below = np.add.reduceat(ways, self.group_start[:-1], axis=1)
            a, b = (self.table_start[i] for i in (self.parent[t], self.parent[t] + 1)) if self.parent[t] >= 0 else (0, 0)
            ways[:, a:b] *= below[:, self.lead[t, a:b]]
        roots = [t for t in range(len(self.parent)) if self.parent[t] < 0]
        whole = np.prod([ways[:, self.table_start[t] : self.table_start[t + 1]].sum(axis=1) for t in roots], axis=0)
        return np.maximum(whole - fixed, 0).astype(np.int64)


def make_urns(tables: Mapping | Iterable[BenchmarkTable]) -> Urns:
    """Read, check and order tables; see `qis` for what may be given and what is raised."""
    frames = _read(tables)
    _check(frames)
    categories = _categories(frames)
    names = list(frames)
    order, parent = _order([tuple(frames[n].columns.names) for n in names])
    shared_before, blocks, lead, codes = [], [], [], {v: [] for v in categories}
    placed: list[tuple[str, ...]] = []
    for t in order:
        variables = frames[names[t]].columns.names
        shared = [v for v in variables if any(v in earlier for earlier in placed)]
        placed.append(tuple(variables))
        arranged = [*shared, *(v for v in variables if v not in shared)]
        sizes = [len(categories[v]) for v in arranged]
        frame = frames[names[t]]
        if len(arranged) > 1:
            frame = frame.reorder_levels(arranged, axis=1)
        full = pd.MultiIndex.from_product([categories[v] for v in arranged], names=arranged)
        blocks.append(frame.reindex(columns=full, fill_value=0).to_numpy(float))
        shared_before.append((shared, int(np.prod(sizes[len(shared) :], dtype=int))))
        positions = np.unravel_index(np.arange(len(full)), sizes) if sizes else ()
        for v in categories:
            codes[v].append(positions[arranged.index(v)] if v in arranged else np.full(len(full), -1))
    codes = {v: np.concatenate(parts) for v, parts in codes.items()}
    table_start = np.concatenate([[0], np.cumsum([b.shape[1] for b in blocks])])
    n_groups = [b.shape[1] // rest for b, (_, rest) in zip(blocks, shared_before, strict=True)]
    first_group = np.concatenate([[0], np.cumsum(n_groups)])
    group_start = np.concatenate([[0], np.cumsum(np.repeat([rest for _, rest in shared_before], n_groups))])
    for t, (shared, _) in enumerate(shared_before):
        within = np.zeros(table_start[-1], np.int64)
        for v in shared:
            within = within * len(categories[v]) + codes[v]
        lead.append(first_group[t] + (np.where(within >= 0, within, 0) if shared else 0 * within))
    targets = np.ascontiguousarray(np.concatenate(blocks, axis=1))
    return Urns(
        targets=targets,
        parent=np.array(parent, np.int32),
        lead=np.array(lead, np.int32),
        group_start=group_start.astype(np.int32),
        zones=frames[names[0]].index,
        table_start=table_start,
        group=np.repeat(np.arange(len(group_start) - 1), np.diff(group_start)),
        source={v: next(i for i, t in enumerate(order) if v in frames[names[t]].columns.names) for v in categories},
        categories=categories,
        codes=codes,
    )


def _read(tables) -> dict[str, pd.DataFrame]:
    """Return tables by title, as frames of zones by cells with one named level of columns a variable."""
    given = dict(tables) if isinstance(tables, Mapping) else {table.name: table for table in tables}
    if not given:
        raise ValueError("no tables: give at least one")
    frames = {}
    for key, table in given.items():
        frame = table.counts if isinstance(table, BenchmarkTable) else table
        if isinstance(frame, Mapping):
            frame = pd.Series(dict(frame))
        if isinstance(frame, pd.Series):
            frame = frame.to_frame("all").T
        if not isinstance(frame, pd.DataFrame):
            raise ValueError(f"table {key!r} is a {type(frame).__name__}: give a DataFrame, Series, mapping or BenchmarkTable")
        names = list(frame.columns.names)
        if None in names:
            names = list(key) if isinstance(key, tuple) else [key] if len(names) == 1 else names
        if None in names or len(names) != frame.columns.nlevels or len(set(names)) != len(names):
            raise ValueError(f"table {key!r} has {frame.columns.nlevels} variables: name each level of its columns")
        if reserved := {"zone", "n"} & set(names):
            raise ValueError(f"a variable cannot be called {reserved.pop()!r}: that is a column of the answer")
        levels = [frame.columns.get_level_values(i) for i in range(len(names))]
        columns = pd.MultiIndex.from_arrays(levels, names=names)
        if columns.has_duplicates:
            raise ValueError(f"table {key!r} has a cell twice: {columns[columns.duplicated()][0]}")
        frames[str(key) if not isinstance(key, tuple) else " x ".join(key)] = frame.set_axis(columns, axis=1)
    return frames


def _check(frames: dict[str, pd.DataFrame]) -> None:
    """Raise InputError with all that is wrong with the numbers; put all zones into the order of the first table."""
    found: list[Finding] = []
    first, reference = next(iter(frames.items()))
    for title, frame in frames.items():
        if repeated := list(frame.index[frame.index.duplicated()]):
            where = f"{title} lists {len(repeated)} zones more than once (first: {repeated[0]})."
            found.append(finding("duplicate-zone", where, place=title, count=len(repeated)))
        elif missing := list(reference.index.symmetric_difference(frame.index)):
            where = f"{first} and {title} do not have the same zones: {len(missing)} are in one only (first: {missing[0]})."
            found.append(finding("missing-zone", where, place=title, count=len(missing)))
        try:
            numbers = frame.to_numpy(float)
        except (TypeError, ValueError):
            found.append(finding("not-a-number", f"{title} has cells that are no numbers.", place=title))
            continue
        for code, wrong, what in (
            ("not-a-number", ~np.isfinite(numbers), "missing or not finite"),
            ("negative-count", numbers < 0, "below nought"),
            ("fractional-count", np.isfinite(numbers) & (numbers != np.rint(numbers)), "not whole"),
        ):
            if wrong.any():
                z, c = np.argwhere(wrong)[0]
                message = f"{title} has {wrong.sum()} counts that are {what} (first: zone {frame.index[z]}, {frame.columns[c]})."
                found.append(finding(code, message, place=title, count=int(wrong.sum()), level="error"))
    if not found:
        for title in frames:
            frames[title] = frames[title].loc[reference.index].astype(float)
        found = [*_disagreements(frames, first)]
    if found:
        raise InputError(found)


def _disagreements(frames: dict[str, pd.DataFrame], first: str) -> Iterable[Finding]:
    """Find totals that differ from the first table's; where none does, shared variables on which two tables differ."""
    totals = {title: frame.sum(axis=1) for title, frame in frames.items()}
    off = {title: total[total != totals[first]] for title, total in totals.items() if (total != totals[first]).any()}
    for title, total in off.items():
        zone = total.index[0]
        message = (
            f"{first} and {title} disagree on how many people there are in {len(total)} zones "
            f"(first: zone {zone}, {totals[first][zone]:,.0f} and {total[zone]:,.0f})."
        )
        yield finding("total-mismatch", message, place=title, count=len(total), level="error", remedy=_SETTLE)
    titles = [] if off else list(frames)
    for i, left in enumerate(titles):
        for right in titles[i + 1 :]:
            shared = [v for v in frames[left].columns.names if v in frames[right].columns.names]
            if not shared:
                continue
            a, b = (frames[title].T.groupby(level=shared, sort=False).sum() for title in (left, right))
            a, b = a.align(b, fill_value=0.0)
            if (wrong := (a != b)).any(axis=None):
                zones = wrong.columns[wrong.any(axis=0)]
                cell = wrong.index[wrong[zones[0]]][0]
                people = f"{a.loc[cell, zones[0]]:,.0f} and {b.loc[cell, zones[0]]:,.0f}"
                message = (
                    f"{left} and {right} disagree on {' x '.join(shared)} in {len(zones)} zones "
                    f"(first: zone {zones[0]}, {cell}, {people})."
                )
                yield finding("total-mismatch", message, place=right, count=len(zones), level="error", remedy=_SETTLE)


_SETTLE = "Settle the tables on the same people first, as harmonise() does."


def _categories(frames: dict[str, pd.DataFrame]) -> dict[str, pd.Index]:
    """List the categories of each variable in any table, in the order first seen."""
    found: dict[str, pd.Index] = {}
    for frame in frames.values():
        for i, v in enumerate(frame.columns.names):
            here = frame.columns.get_level_values(i).unique().rename(None)
            found[v] = here if v not in found else found[v].append(here[~here.isin(found[v])])
    return found


def _order(variables: list[tuple[str, ...]]) -> tuple[list[int], list[int]]:
    """Return an order of tables and, in it, the place of the earlier table that shares all that a table shares with earlier ones.

    The next table is the one that shares most with an earlier one (Prim 1957): the tree of what is shared most is a join tree if
    there is one (Bernstein & Goodman 1981, SIAM J. Comput. 10). Raises ValueError where there is none.
    """
    order, parent = [0], [-1]
    while len(order) < len(variables):
        shared, back, t = max(
            (len(set(variables[t]) & set(variables[o])), -i, -t)
            for t in range(len(variables))
            if t not in order
            for i, o in enumerate(order)
        )
        t, place = -t, -back
        before = {v for o in order for v in variables[o]}
        if (set(variables[t]) & before) - set(variables[order[place]]):
            ring = ", ".join(" x ".join(variables[o]) for o in [*order, t])
            raise ValueError(
                f"tables share variables in a ring ({ring}), so people drawn from one after another need not meet all of them: "
                "leave one out, or use a survey and the method 'qisi'"
            )
        order.append(t)
        parent.append(place if shared else -1)
    return order, parent
