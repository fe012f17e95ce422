"""QIS: people drawn from tables alone, no survey needed; a table comes back, since its people stand in no survey.

Quasirandom integer sampling (Smith, Lovelace & Birkin 2017). Every table is met exactly; beyond the tables, variables are as
independent as whole people allow. Real people are not: where there is a survey, the method 'qisi' keeps its associations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthpop_gb.benchmark import BenchmarkTable
from synthpop_gb.kernels.streams import QUASI
from synthpop_gb.kernels.urns import qis_zones
from synthpop_gb.methods._method import Streams
from synthpop_gb.methods._sobol import sobol_directions
from synthpop_gb.methods._tables import Urns, make_urns
from synthpop_gb.problem import zone_key

__all__ = ["QuasirandomTable", "qis"]

_BLOCK = 1_000_000  # people drawn before they are counted: bounds memory


@dataclass(frozen=True, eq=False)
class QuasirandomTable:
    """What `qis` has drawn.

    Attributes
    ----------
    counts : pandas.DataFrame
        One row a zone and combination of categories that anybody has: columns `zone`, one a variable, and `n`, persons > 0.
    status : pandas.DataFrame
        One row a zone: `people`; `chi_square` of the counts against independence given the tables, `degrees_of_freedom` and
        `p_value`. Quasirandom people are nearer independence than chance would have them: expect p-values near 1.
    """

    counts: pd.DataFrame
    status: pd.DataFrame

    @property
    def people(self) -> int:
        """How many people in all."""
        return int(self.status["people"].sum())

    def __repr__(self) -> str:
        """One line: people, zones, variables."""
        names = [c for c in self.counts.columns if c not in ("zone", "n")]
        zones = "1 zone" if len(self.status) == 1 else f"{len(self.status):,} zones"
        return f"QuasirandomTable: {self.people:,} people in {zones} by {' x '.join(map(str, names))}"


def qis(tables: Mapping | Iterable[BenchmarkTable], *, seed: int, replicate: int = 0) -> QuasirandomTable:
    """Draw whole people who meet every table exactly, from the tables alone.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame, or BenchmarkTables
        Counts of persons by zone (rows) and category (columns). The key is the variable's name; a table of several variables has
        a MultiIndex of columns whose levels are named after them. One zone alone may be given as Series or as mapping of category
        to count; it is called 'all'. Tables may share variables as long as they form no ring: age x sex and sex x health do not;
        with age x health as well, they do.
    seed, replicate : int
        Another seed or replicate gives another table. A zone's people hang on its code, not on the other zones.

    Raises
    ------
    InputError
        For counts that are missing, negative or not whole, zones that not all tables have, and totals that differ between tables.
    ValueError
        For no tables, variables without a name, tables that form a ring, or a seed or replicate that is no whole number >= 0.

    >>> drawn = qis({"sex": {"f": 3, "m": 2}, "age": {"young": 4, "old": 1}}, seed=1)
    >>> drawn
    QuasirandomTable: 5 people in 1 zone by sex x age
    >>> drawn.counts.groupby("age")["n"].sum().to_dict()
    {'old': 1, 'young': 4}
    """
    for name, value in (("seed", seed), ("replicate", replicate)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value < 1 << 63:
            raise ValueError(f"the {name} is a whole number from 0 to 2**63 - 1, not {value!r}")
    urns = make_urns(tables)
    people = urns.targets[:, : urns.table_start[1]].sum(axis=1).astype(np.int64)
    keys = np.array([zone_key(z) for z in urns.zones], np.uint64)
    states = Streams(seed, replicate).keys(keys, QUASI)
    directions = sobol_directions(len(urns.parent), int(people.max(initial=1)))
    parts, first = [], 0
    while first < len(people):
        last = first + max(1, int(np.searchsorted(np.cumsum(people[first:]), _BLOCK)))
        block = slice(first, last)
        cells = np.empty((people[block].sum(), len(urns.parent)), np.int32)
        qis_zones(urns.targets[block], urns.parent, urns.lead, urns.group_start, directions, states[block], people[block], cells)
        parts.append(_count(first + np.repeat(np.arange(len(people[block])), people[block]), cells))
        first = last
    found = pd.concat(parts) if parts else _count(np.empty(0, np.int64), np.empty((0, len(urns.parent)), np.int32))
    return QuasirandomTable(_label(found, urns), _judge(found, urns, people))


def _count(zone: np.ndarray, cells: np.ndarray) -> pd.DataFrame:
    """Count people by zone and cell of every table: columns zone, 0, 1, ..., n; in order."""
    frame = pd.DataFrame(cells)
    frame.insert(0, "zone", zone)
    return frame.groupby(list(frame.columns), sort=True).size().rename("n").reset_index()


def _label(found: pd.DataFrame, urns: Urns) -> pd.DataFrame:
    """Label counts with zone codes and categories; in order of zones and, variable by variable, of the categories first seen."""
    columns, order = {"zone": urns.zones[found["zone"].to_numpy()]}, [found["zone"].to_numpy()]
    for name, table in urns.source.items():
        code = urns.codes[name][found[table].to_numpy()]
        columns[name] = urns.categories[name].take(code)
        order.append(code)
    columns["n"] = found["n"].to_numpy()
    return pd.DataFrame(columns).iloc[np.lexsort(order[::-1])].reset_index(drop=True)


def _judge(found: pd.DataFrame, urns: Urns, people: np.ndarray) -> pd.DataFrame:
    """Find chi-square against independence given the tables: product of a person's cells over the groups that led to them."""
    from scipy.stats import chi2

    zone, expected = found["zone"].to_numpy(), np.ones(len(found))
    groups = np.add.reduceat(urns.targets, urns.group_start[:-1], axis=1)
    for t in range(len(urns.parent)):
        cell = found[t].to_numpy()
        expected *= urns.targets[zone, cell] / groups[zone, urns.group[cell]]
    expected *= people[zone]
    square = np.bincount(zone, found["n"].to_numpy() ** 2 / expected, len(people)) - people
    freedom = urns.degrees_of_freedom()
    p = np.where(freedom > 0, chi2.sf(np.maximum(square, 0.0), np.maximum(freedom, 1)), 1.0)
    columns = {"people": people, "chi_square": np.maximum(square, 0.0), "degrees_of_freedom": freedom, "p_value": p}
    return pd.DataFrame(columns, index=pd.Index(urns.zones, name="zone"))
