"""Layout: what every copy of a household brings along, worked out once on the survey's records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.circumstances import Circumstances, Families, circumstances_of
from synthpop_gb.errors import Finding, InputError, finding
from synthpop_gb.export._household_rows import unit_rank
from synthpop_gb.export._person_rows import person_columns
from synthpop_gb.export.entity_tables._links import linked_families
from synthpop_gb.households import Households
from synthpop_gb.population import DonorCounts, Population

__all__ = ["Layout", "Rows", "layout_of"]

_PEOPLE = 2**18
"""People laid out at once, about."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Some zones' households, each with its people: what columns are made of.

    Attributes
    ----------
    zone, unit, weight : numpy.ndarray
        (n_homes,) zone (position in the population), household of the survey (position), and how many it stands for.
    home, place, record : numpy.ndarray
        (n_people,) household (position in these rows), place in it from 1, and the survey's record (position).
    first : tuple of int
        How many households, benefit units and people were laid out before.
    """

    zone: np.ndarray
    unit: np.ndarray
    weight: np.ndarray
    home: np.ndarray
    place: np.ndarray
    record: np.ndarray
    first: tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Layout:
    """The survey's households with their families, and who of them is placed where.

    Attributes
    ----------
    population, aligned : as given
    homes : Households
        Of the survey.
    known : Circumstances
        What is known of each record.
    families : Families
        Benefit units of the survey's households, numbered through.
    spouse, mother, father : numpy.ndarray
        (n_records,) int64 place in the household of partner and parents; 0 = nobody.
    left_out : numpy.ndarray
        (n_units,) bool: what is not laid out: residents of communal establishments, and whom the other model cannot take.
    weighted : bool
        One row a household of the survey and zone, weighing its copies, instead of one a copy.
    counts : iterable of DonorCounts, optional
        Households by zone.
    rank : (n_units,) numpy.ndarray, optional
        Order within zones, where ids of donors are not kept.
    ids, home_ids : pandas.Index or None
        What stands for ids of records and households; None = nothing.
    wanted : (n_zones,) numpy.ndarray of bool, optional
        Zones that are laid out; all by default.
    places : pandas.DataFrame, optional
        Further columns of places, by zone or level.
    """

    population: Population
    aligned: Aligned
    homes: Households
    known: Circumstances
    families: Families
    spouse: np.ndarray
    mother: np.ndarray
    father: np.ndarray
    left_out: np.ndarray
    weighted: bool
    counts: Iterable[DonorCounts] | None = None
    rank: np.ndarray | None = None
    ids: pd.Index | None = None
    home_ids: pd.Index | None = None
    wanted: np.ndarray | None = None
    places: pd.DataFrame | None = None

    @cached_property
    def first_family(self) -> np.ndarray:
        """(n_units + 1,) int64: families of household h are first_family[h] to first_family[h + 1] - 1."""
        return np.searchsorted(self.families.home, np.arange(len(self.homes.ids) + 1))

    @cached_property
    def head(self) -> np.ndarray:
        """(n_families,) int64 record of each family's head."""
        out = np.empty(len(self.families.home), np.int64)
        heads = np.flatnonzero(self.families.head)
        out[self.families.unit[heads]] = heads
        return out

    def home_of_unit(self, rows: Rows) -> np.ndarray:
        """(n_units of the rows,) int64: household, a position in the rows, of each benefit unit; household by household."""
        return np.repeat(np.arange(len(rows.unit)), np.diff(self.first_family)[rows.unit])

    def blocks(self) -> Iterator[DonorCounts]:
        """Households by zone, some zones at a time. Raises ValueError where they are not the population's people."""
        zones, left = self.population.zones.astype(str), self.population.status["people"].to_numpy(dtype=np.int64, copy=True)
        wanted = np.ones(len(zones), bool) if self.wanted is None else self.wanted
        left[~wanted] = 0
        where = np.flatnonzero(wanted)
        steps = np.array_split(where, max(len(where) // 256, 1))
        for block in self.counts if self.counts is not None else (self.population.placed(s) for s in steps):
            at = zones.get_indexer(block.zones.astype(str))
            if (at < 0).any():
                raise ValueError("counts name a zone that the population does not have")
            if not wanted[at].all():
                block, at = block.at(np.flatnonzero(wanted[at])), at[wanted[at]]
            people = np.concatenate([[0], np.cumsum(block.n * self.homes.size[block.record], dtype=np.int64)])
            left[at] -= np.diff(people[block.indptr])
            yield from self._parts(block, np.diff(people[block.indptr]))
        if left.any():
            raise ValueError(f"counts do not hold the people of {int((left != 0).sum()):,} zones, once")

    def _parts(self, block: DonorCounts, people: np.ndarray) -> Iterator[DonorCounts]:
        """Yield zones of a block, few enough to be laid out at once."""
        part = (np.cumsum(people) - 1).clip(0) // _PEOPLE
        for p in np.unique(part):
            yield block.at(np.flatnonzero(part == p))

    def rows(self, on_block=None) -> Iterator[Rows]:
        """Lay out everybody; `on_block` is shown each block of counts, without what is left out."""
        first, size = (0, 0, 0), self.homes.size
        families = np.diff(self.first_family)
        zones = self.population.zones.astype(str)
        for block in self.blocks():
            block = block.without(self.left_out)
            if on_block is not None:
                on_block(block)
            zone = np.repeat(zones.get_indexer(block.zones.astype(str)), np.diff(block.indptr))
            unit, n = block.record.astype(np.int64), block.n.astype(np.int64)
            if self.rank is not None:
                order = np.lexsort((self.rank[unit], zone))
                zone, unit, n = zone[order], unit[order], n[order]
            copies = np.ones(len(n), np.int64) if self.weighted else n
            weight = np.repeat(n if self.weighted else np.ones_like(n), copies)
            zone, unit = np.repeat(zone, copies), np.repeat(unit, copies)
            home = np.repeat(np.arange(len(unit)), size[unit])
            begin = np.cumsum(size[unit]) - size[unit]
            place = np.arange(len(home)) - begin[home] + 1
            record = self.homes.member[self.homes.member_start[unit[home]] + place - 1]
            yield Rows(zone, unit, weight, home, place, record, first)
            first = (first[0] + len(unit), first[1] + int(families[unit].sum()), first[2] + len(home))

    def without(self, more: np.ndarray) -> Layout:
        """Leave out more households of the survey: (n_units,) bool."""
        return replace(self, left_out=self.left_out | more)


def layout_of(
    population: Population,
    aligned: Aligned,
    *,
    inputs: Mapping[str, str | float] | None = None,
    labels: Mapping[str, Mapping[str, str]] | None = None,
    include: Sequence[str] = (),
    weighted: bool = False,
    counts: Iterable[DonorCounts] | None = None,
    donors: pd.Index | str = "keep",
    donor_households: pd.Index | str | None = None,
    zones: Sequence[str] | None = None,
    places: pd.DataFrame | None = None,
    adult: int = 16,
    opposite_sex: bool = False,
    needed: Sequence[str] = ("age", "sex"),
) -> Layout:
    """Find what the tables are made of, and refuse what cannot be made.

    adult: age from which nobody is a child unless in education. opposite_sex: couples of one sex are two benefit units, as models
    have it that know no others. needed: inputs without which there are no tables. Else as the writers have it.

    Raises
    ------
    InputError
        Everything at once: `study-value` for a population of persons, `missing-column` for what is needed and not there,
        `licence` for answers of a survey that is not open and that `include` does not name, `bad-links`.
    """
    homes = aligned.households
    if homes is None or population.problem.households is None:
        message = "This population is of persons: other models are given whole households."
        remedy = "Name the survey's household column in the study, and make the run again."
        raise InputError([finding("study-value", message, place="households", remedy=remedy)])
    try:
        known = circumstances_of(_labelled(aligned), inputs, labels)
    except (KeyError, ValueError) as error:
        message = f"{aligned.survey.name}: {error.args[0]}."
        raise InputError([finding("missing-column", message, place=aligned.survey.name)]) from None
    wanted, strange = _wanted(population, zones)
    found = [*strange, *_needed(known, needed, aligned), *_licensed(known, include, aligned)]
    families, wrong = linked_families(aligned, known, adult=adult, opposite_sex=opposite_sex)
    found += wrong
    if found or families is None:
        raise InputError(found)

    def place(of: np.ndarray) -> np.ndarray:
        return np.where(of >= 0, homes.place[of], 0).astype(np.int64)

    keep = isinstance(donors, str) and donors == "keep"
    donor_households = ("keep" if keep else "drop") if donor_households is None else donor_households
    rank = None if keep else unit_rank(homes, donors, dict(known.frame.items()))
    return Layout(
        population, aligned, homes, known, families, place(families.spouse), place(families.mother), place(families.father),
        homes.communal.copy(), weighted, counts, rank, _shown(donors, aligned.records), _shown(donor_households, homes.ids),
        wanted, places,
    )  # fmt: skip


def _wanted(population: Population, zones: Sequence[str] | None) -> tuple[np.ndarray | None, list[Finding]]:
    """(n_zones,) bool: zones asked for; and `study-reference` for those that there are not."""
    if not zones:
        return None, []
    known = population.zones.astype(str)
    strange = [z for z in map(str, zones) if z not in known]
    if not strange:
        return known.isin([str(z) for z in zones]), []
    message = f"There is no zone {', '.join(strange[:5])}{' ...' if len(strange) > 5 else ''}."
    return None, [finding("study-reference", message, place="zones", count=len(strange), remedy="Name zones of the run.")]


def _shown(given: pd.Index | str, kept: pd.Index) -> pd.Index | None:
    return given if not isinstance(given, str) else kept if given == "keep" else None


def _labelled(aligned: Aligned) -> pd.DataFrame:
    """Usable records, by column of the survey and by name of the variable, with labels instead of codes."""
    frame = aligned.frame()
    columns = {str(c): frame[c] for c in frame.columns}
    names = [n for n, v in aligned.survey.variables.items() if (v.column or n) in frame.columns]
    for name, values in person_columns(aligned, names).items():
        column = aligned.survey.variables[name].column or name
        said = values.astype(object) if isinstance(values.dtype, pd.CategoricalDtype) else values
        columns[name] = columns[str(column)] = said
    return pd.DataFrame(columns, index=frame.index)


def _needed(known: Circumstances, needed: Sequence[str], aligned: Aligned) -> list[Finding]:
    missing = [n for n in needed if not known.has(n)]
    if not missing:
        return []
    message = f"{aligned.survey.name} has no column for {', '.join(missing)}, which the other model needs."
    remedy = f"Name it: --input {missing[0]}=COLUMN, or a number that holds for all."
    return [finding("missing-column", message, place=aligned.survey.name, count=len(missing), remedy=remedy)]


def _licensed(known: Circumstances, include: Sequence[str], aligned: Aligned) -> list[Finding]:
    """`licence` where answers would leave that nobody said may."""
    if aligned.survey.licence == "open":
        return []
    columns = {c for c in known.taken.values() if c in aligned.survey.records.columns or c in aligned.survey.variables}
    left = sorted(columns - set(include))
    if not left:
        return []
    message = f"The tables would hold answers of {aligned.survey.name}, whose licence is not open: {', '.join(left)}."
    remedy = f"Where the licence allows it, give your word: --include {','.join(left)}."
    return [finding("licence", message, place=aligned.survey.name, count=len(left), remedy=remedy)]
