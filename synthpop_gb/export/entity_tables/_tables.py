"""Tables of entities: columns said once, with what they mean and where they are from; written row by row as they are laid out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthpop_gb.circumstances import Circumstances
from synthpop_gb.export._rows import guarded
from synthpop_gb.export.entity_tables._layout import Layout, Rows

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Column", "Numbering", "Table", "answer", "coded", "made"]


@dataclass(frozen=True)
class Numbering:
    """How ids are given.

    Attributes
    ----------
    first : int
        Id of the first household, benefit unit and person.
    nobody : int
        What stands for nobody in columns of partners and parents.
    by_household : bool
        Whether a person's id is the household's times 100 plus the place in it, as EUROMOD has it; else people are numbered
        through.
    """

    first: int = 0
    nobody: int = -1
    by_household: bool = False

    def home(self, rows: Rows) -> np.ndarray:
        """(n_homes,) ids of households."""
        return self.first + rows.first[0] + np.arange(len(rows.unit))

    def person(self, rows: Rows, place: np.ndarray | None = None) -> np.ndarray:
        """(n_people,) ids of people, or of whoever stands at a place in their household (0 = nobody)."""
        at = rows.place if place is None else place
        if self.by_household:
            ids = self.home(rows)[rows.home] * 100 + at
        else:
            begin = np.arange(len(rows.home)) - (rows.place - 1)  # row of the household's first member
            ids = self.first + rows.first[2] + begin + at - 1
        return ids if place is None else np.where(place > 0, ids, self.nobody)

    def home_of_person(self, rows: Rows) -> np.ndarray:
        """(n_people,) ids of people's households."""
        return self.home(rows)[rows.home]

    def link(self, place: np.ndarray) -> Callable[[Rows], np.ndarray]:
        """Return what gives ids of partners or parents; place : (n_records,) where they stand in the household, 0 = nobody."""
        return lambda rows: self.person(rows, place[rows.record])

    def unit(self, rows: Rows, layout: Layout) -> np.ndarray:
        """(n_people,) ids of benefit units."""
        first = layout.first_family
        n = np.diff(first)[rows.unit]
        begin = np.cumsum(n) - n
        return self.first + rows.first[1] + begin[rows.home] + layout.families.unit[rows.record] - first[rows.unit[rows.home]]


@dataclass(frozen=True, eq=False)
class Column:
    """One column.

    Attributes
    ----------
    name : str
        As the other model calls it.
    what : str
        What it means, with unit and codes.
    source : str
        Where it is from: 'survey: income', 'made', or 'default'.
    of : str
        'record', 'home', 'family' or 'zone': `values` has one value for each of these; 'row': `values` makes them from rows.
    values : numpy.ndarray or callable
        The values, or a function of `Rows` that gives one a person (of tables of others, one an entity).
    """

    name: str
    what: str
    source: str
    of: str
    values: np.ndarray | Callable[[Rows], np.ndarray]

    @property
    def is_text(self) -> bool:
        """Whether it holds text."""
        return not callable(self.values) and np.asarray(self.values).dtype.kind in "OUS"


@dataclass(frozen=True, eq=False)
class Table:
    """One file: its name, what a row is ('person', 'family' or 'home'), its columns, and what parts them."""

    file: str
    of: str
    columns: tuple[Column, ...]
    delimiter: str = ","

    def arrow(self, rows: Rows, layout: Layout) -> pa.Table:
        """Lay out the columns for some rows."""
        import pyarrow as pa

        if self.of == "person":
            at = {"record": rows.record, "home": rows.unit[rows.home], "zone": rows.zone[rows.home]}
            at["family"] = layout.families.unit[rows.record]
        elif self.of == "home":
            at = {"home": rows.unit, "zone": rows.zone, "record": layout.homes.reference[rows.unit]}
        else:
            first, home = layout.first_family, layout.home_of_unit(rows)
            n = np.diff(first)[rows.unit]
            family = first[rows.unit[home]] + np.arange(len(home)) - (np.cumsum(n) - n)[home]
            at = {"family": family, "home": rows.unit[home], "zone": rows.zone[home], "record": layout.head[family]}
        found = {}
        for c in self.columns:
            if c.of == "row":
                found[c.name] = pa.array(c.values(rows))
            elif c.is_text:
                code, distinct = _coded(c.values)
                taken = pa.array([guarded(str(d)) for d in distinct], pa.string()).take(pa.array(code[at[c.of]]))
                found[c.name] = taken
            else:
                found[c.name] = pa.array(np.asarray(c.values)[at[c.of]])
        return pa.table(found)


def _coded(values) -> tuple[np.ndarray, np.ndarray]:
    import pandas as pd

    code, distinct = pd.factorize(pd.Series(values, dtype=object).fillna(""))
    return code, distinct


def answer(layout: Layout, name: str, what: str, of: str, values, *needs: str) -> Column:
    """Make a column of what the survey says; its source names the columns, or what stands in their place."""
    known = layout.known
    columns = [known.taken[n] for n in needs if known.has(n)]
    defaults = [n for n in needs if not known.has(n)]
    source = f"survey: {', '.join(dict.fromkeys(columns))}" if columns else "default"
    if defaults and columns:
        source += f"; not known: {', '.join(defaults)}"
    return Column(name, what, source, of, np.asarray(values))


def made(name: str, what: str, of: str, values) -> Column:
    """Make a column of what is worked out here: ids, links, weights, places."""
    return Column(name, what, "made", of, values)


def coded(known: Circumstances, name: str, codes: Mapping[str, int], default: int) -> np.ndarray:
    """(n_records,) int64 codes of the words of an input; `default` where it is not known."""
    if name not in known.frame:
        return np.full(len(known.frame), default, np.int64)
    return known.frame[name].map(codes).fillna(default).to_numpy(np.int64)
