"""Rows of whole households: their people one after another, and the households themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.errors import InputError, finding
from synthpop_gb.export._person_rows import (
    PersonRows,
    answers_of,
    by_zone_columns,
    ids_of,
    numbered,
    person_columns,
    table_of,
)
from synthpop_gb.export._rows import CHUNK, Tally, check_file
from synthpop_gb.export._whole import check_whole
from synthpop_gb.export.pointers import pointers
from synthpop_gb.export.release import row_rank
from synthpop_gb.households import Households
from synthpop_gb.population import DonorCounts, with_members

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["HouseholdRows", "MemberRows", "household_columns", "with_added"]

_HOME = "-H"
"""Between the zone's code and the number of a household, so that no household's id is a person's."""


def household_columns(aligned: Aligned, include: Iterable[str] | None = None) -> dict[str, pd.Series]:
    """Answers that go with each household, by name: those that its members share; one value a unit, the reference's.

    Without `include`: variables of an open survey in which no two members of a household differ, and those of household tables;
    else none. Raises InputError (`missing-column`; `study-value` where members differ in a column that is named).
    """
    homes = aligned.households
    of_tables = {v for t in (*aligned.constraints, *aligned.held_out) if t.universe.unit == "household" for v in t.variables}
    found, differing = {}, []
    for name, values in person_columns(aligned, include).items():
        if _alike(values, homes) or name in of_tables:
            found[name] = values.iloc[homes.reference]
        elif include is not None:
            differing.append(name)
    if differing:
        message = f"Members of a household differ in {', '.join(differing)}, so no household has one value of it."
        remedy = "Write it with the people."
        raise InputError([finding("study-value", message, place="include", count=len(differing), remedy=remedy)])
    return found


def _alike(values: pd.Series, homes: Households) -> bool:
    """Whether no two members of a household differ."""
    code = pd.factorize(values)[0]
    return bool((code == code[homes.reference][homes.of_record]).all())


def with_added(aligned: Aligned, names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Add named columns to what is written anyway: `include` of people, and of households, which get what members share.

    Raises InputError (`missing-column`).
    """
    named = person_columns(aligned, list(names))
    people, homes = [*person_columns(aligned)], []
    if aligned.households is not None:
        points = pointers(aligned)
        people += list(points) if aligned.survey.licence == "open" else []
        shared = [n for n, values in named.items() if n not in points and _alike(values, aligned.households)]
        homes = list(dict.fromkeys([*household_columns(aligned), *shared]))
    return list(dict.fromkeys([*people, *named])), homes


@dataclass(frozen=True, eq=False)
class MemberRows(PersonRows):
    """People of whole households, household by household, the reference first. Counts are of units, not of people."""

    homes: Households = None  # type: ignore[assignment]
    by_unit: dict[str, pa.Array] = field(default_factory=dict)
    points: dict[str, np.ndarray] = field(default_factory=dict)

    own: ClassVar[tuple[str, ...]] = ("person", "household", "place", "zone", "donor", "donor_household", "communal")

    @classmethod
    def of(cls, population, aligned, include, counts=None, donors="keep", households="keep") -> MemberRows:
        """Prepare the rows of a population; see `export.people`."""
        homes, points = aligned.households, pointers(aligned)
        if include is None:
            points = points if aligned.survey.licence == "open" else {}
        else:
            include = list(include)
            points = {n: p for n, p in points.items() if n in include}
            include = [n for n in include if n not in points]
        by_zone, areas = by_zone_columns(population, aligned, cls.own)
        ids, units = ids_of(donors, aligned.records), ids_of(households, homes.ids)
        answers = person_columns(aligned, include)
        rank = None if isinstance(donors, str) and donors == "keep" else unit_rank(homes, donors, {**answers, **points})
        by_record = ({} if ids is None else {"donor": ids}) | answers_of(answers, (*by_zone, *cls.own, *points))
        by_unit = {} if units is None else {"donor_household": units}
        return cls(population, by_zone, by_record, areas, counts, rank, homes, by_unit, points)

    def placed(self, where: np.ndarray) -> DonorCounts:
        """Place units in some zones (positions)."""
        return self.population.placed(where)

    def people(self, block: DonorCounts) -> np.ndarray:
        """(n_zones,) int64: people of a block by zone."""
        running = np.concatenate([[0], np.cumsum(block.n * self.homes.size[block.record], dtype=np.int64)])
        return np.diff(running[block.indptr])

    def tables(self, block: DonorCounts) -> Iterator[pa.Table]:
        """Rows of one block, at most CHUNK at a time; a household may lie across two tables, but never across others' rows."""
        import pyarrow as pa

        homes, unit, of_zone = self.homes, block.record, self.positions(block)
        size, communal = homes.size[unit], homes.communal[unit]
        begin = np.concatenate([[0], np.cumsum(block.n * size, dtype=np.int64)])  # first row of each entry
        first_home = np.concatenate([[0], np.cumsum(np.where(communal, 0, block.n), dtype=np.int64)])
        zone_begin, zone_home = begin[block.indptr], first_home[block.indptr]
        for start in range(0, int(begin[-1]), CHUNK):
            row = np.arange(start, min(start + CHUNK, int(begin[-1])))
            entry = np.searchsorted(begin, row, side="right") - 1
            copy, place = np.divmod(row - begin[entry], size[entry])
            here = np.searchsorted(zone_begin, row, side="right") - 1
            record = homes.member[homes.member_start[unit[entry]] + place]
            number, alone = row - zone_begin[here] + 1, communal[entry]
            home = np.where(alone, 0, first_home[entry] - zone_home[here] + copy + 1)
            zone = pa.array(of_zone[here])
            names, member, mine = self.zone_names.take(zone), pa.array(record), pa.array(unit[entry])
            columns = {"person": numbered(names, number), "household": numbered(names, home, _HOME)}
            columns["place"] = pa.array(np.where(alone, 0, place + 1).astype(np.int32), mask=alone)
            columns |= {name: values.take(zone) for name, values in self.by_zone.items()}
            columns |= {name: values.take(member) for name, values in self.by_record.items() if name == "donor"}
            columns |= {name: values.take(mine) for name, values in self.by_unit.items()}
            columns["communal"] = pa.array(alone)
            for name, points in self.points.items():  # to whom the member at that place of this very copy is
                to = points[record]
                columns[name] = numbered(names, np.where(to > 0, number - place - 1 + to, 0))
            columns |= {name: values.take(member) for name, values in self.by_record.items() if name != "donor"}
            yield table_of(columns)

    def schema(self) -> pa.Schema:
        """Columns and their types."""
        import pyarrow as pa

        text, whole = pa.string(), pa.int32()
        ids = [(n, v.type) for n, v in (*self.by_record.items(), *self.by_unit.items()) if n in ("donor", "donor_household")]
        return pa.schema([
            ("person", text), ("household", text), ("place", whole), *((n, v.type) for n, v in self.by_zone.items()), *ids,
            ("communal", pa.bool_()), *((n, text) for n in self.points),
            *((n, v.type) for n, v in self.by_record.items() if n != "donor"),
        ])  # fmt: skip

    def tally(self, block: DonorCounts, expected: Tally) -> None:
        """Add the rows that a block is to make, by zone and donor, and the households by zone."""
        super().tally(with_members(block, self.homes.member_start, self.homes.member), expected)
        expected.add(block.zones.astype(str), block.without(self.homes.communal).people, "homes")

    def check(self, path: Path, kind: str, expected: Tally) -> None:
        """Read a written file back: the people by zone and donor, and every household whole. Raises OSError."""
        super().check(path, kind, expected)
        donor = self.by_record["donor"].to_pylist() if "donor" in self.by_record else None
        check_whole(path, kind, self.homes, sum(expected.of.get("homes", {}).values()), donor)


def unit_rank(homes: Households, donors, answers: dict) -> np.ndarray:
    """(n_units,) int64 rank by which a zone's households are put in order: by what is written of their members, one by one."""
    shown = pd.DataFrame({n: np.asarray(v) for n, v in answers.items()}, range(len(homes.member)))
    rank = row_rank(None if isinstance(donors, str) else donors, shown) + 1
    width = int(homes.size.max(initial=1))
    rows = np.zeros((len(homes.ids), width + 1), np.int64)
    rows[homes.of_record, homes.place] = rank
    rows[:, 0] = homes.communal
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


@dataclass(frozen=True, eq=False)
class HouseholdRows(MemberRows):
    """Households, one row each, under the ids and in the order of their people's rows."""

    own: ClassVar[tuple[str, ...]] = ("household", "zone", "donor_household", "size")
    file: ClassVar[str] = "households.parquet"

    @classmethod
    def of(cls, population, aligned, include, counts=None, donors="keep", households="keep") -> HouseholdRows:
        """Prepare the rows of a population; see `export.households`."""
        people = MemberRows.of(population, aligned, None, counts, donors, households)
        by_zone, areas = by_zone_columns(population, aligned, cls.own)
        answers = answers_of(household_columns(aligned, include), (*by_zone, *cls.own))
        return cls(population, by_zone, {}, areas, counts, people.rank, people.homes, people.by_unit | answers)

    def tables(self, block: DonorCounts) -> Iterator[pa.Table]:
        """Rows of one block, at most CHUNK at a time."""
        import pyarrow as pa

        block = block.without(self.homes.communal)
        of_zone = self.positions(block)
        begin = np.concatenate([[0], np.cumsum(block.n, dtype=np.int64)])
        zone_begin = begin[block.indptr]
        for start in range(0, int(begin[-1]), CHUNK):
            row = np.arange(start, min(start + CHUNK, int(begin[-1])))
            unit = block.record[np.searchsorted(begin, row, side="right") - 1]
            here = np.searchsorted(zone_begin, row, side="right") - 1
            zone, mine = pa.array(of_zone[here]), pa.array(unit)
            columns = {"household": numbered(self.zone_names.take(zone), row - zone_begin[here] + 1, _HOME)}
            columns |= {name: values.take(zone) for name, values in self.by_zone.items()}
            columns |= {name: values.take(mine) for name, values in self.by_unit.items() if name == "donor_household"}
            columns["size"] = pa.array(self.homes.size[unit].astype(np.int32))
            columns |= {name: values.take(mine) for name, values in self.by_unit.items() if name != "donor_household"}
            yield table_of(columns)

    def schema(self) -> pa.Schema:
        """Columns and their types."""
        import pyarrow as pa

        ids = [(n, v.type) for n, v in self.by_unit.items() if n == "donor_household"]
        return pa.schema([
            ("household", pa.string()), *((n, v.type) for n, v in self.by_zone.items()), *ids, ("size", pa.int32()),
            *((n, v.type) for n, v in self.by_unit.items() if n != "donor_household"),
        ])  # fmt: skip

    def tally(self, block: DonorCounts, expected: Tally) -> None:
        """Add the rows that a block is to make, by zone and, where it is written, household of the survey."""
        block = block.without(self.homes.communal)
        expected.add(block.zones.astype(str), block.people)
        if "donor_household" in self.by_unit:
            ids = self.by_unit["donor_household"].take(block.record).to_numpy(zero_copy_only=False)
            expected.add(ids, block.n, "donor_household")

    def check(self, path: Path, kind: str, expected: Tally) -> None:
        """Read a written file back and compare. Raises OSError."""
        donor = "donor_household" if "donor_household" in self.by_unit else None
        check_file(path, kind, expected, donor=donor, what="households")
