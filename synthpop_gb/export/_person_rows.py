"""Rows of people: what each is put together from, block by block."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.errors import InputError, finding
from synthpop_gb.export._rows import CHUNK, Tally, check_file
from synthpop_gb.export.release import row_rank
from synthpop_gb.population import DonorCounts, Population

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["PersonRows", "answers_of", "by_zone_columns", "ids_of", "numbered", "person_columns", "table_of", "undescribed"]


_WHOLE = re.compile(r"0|[1-9]\d{0,17}")


def undescribed(aligned: Aligned) -> list[str]:
    """Columns of numbers, such as incomes, that neither the codebook nor the survey's design speaks of: written only if named."""
    survey, frame = aligned.survey, aligned.frame()
    known = {v.column or name for name, v in survey.variables.items()} | {frame.index.name}
    known |= {survey.weight, survey.strata, survey.cluster, survey.region}
    known |= {survey.household, survey.household_weight, survey.communal}
    return [str(c) for c in frame.columns if c not in known and frame[c].dtype.kind in "iuf"]


def person_columns(aligned: Aligned, include: Iterable[str] | None = None) -> dict[str, pd.Series]:
    """Answers that go with each person, by name: one value a usable record, in order of `aligned.records`.

    Variables as categorical labels (codes that the codebook does not know stay as they are), or as whole numbers where the survey
    holds numbers and every answer that was given is one: single years of age. Other survey columns as they are. Without
    `include`: all variables where the survey's licence is 'open', else none.
    """
    survey, frame = aligned.survey, aligned.frame()
    if include is None:
        names = [n for n, v in survey.variables.items() if v.column in frame] if survey.licence == "open" else []
    else:
        names = list(dict.fromkeys(include))
        unknown = [n for n in names if n not in frame and (n not in survey.variables or survey.variables[n].column not in frame)]
        if unknown:
            message = f"The survey {survey.name} has no {', '.join(map(repr, unknown))}."
            raise InputError([finding("missing-column", message, place=survey.name, count=len(unknown))])
    return {name: _labels(aligned, name) if name in survey.variables else frame[name] for name in names}


def _labels(aligned: Aligned, name: str) -> pd.Series:
    """Labels of one variable, categorical in the order of its categories; whole numbers where no label says more than one."""
    variable = aligned.survey.variables[name]
    code, distinct = pd.factorize(aligned.frame()[variable.column])
    known = {c.code: c.label for c in variable.categories}
    shown = [str(int(d)) if isinstance(d, float | np.floating) and float(d).is_integer() else str(d) for d in distinct]
    labels = [known.get(s, s) for s in shown]
    if len(distinct) and distinct.dtype.kind in "iuf" and all(_WHOLE.fullmatch(label) for label in labels):
        return pd.Series(pd.array([*map(int, labels), None], "Int64")[code], aligned.records)
    ordered = [label for label in dict.fromkeys([*known.values(), *labels]) if label in set(labels)]
    where = np.array([*(ordered.index(label) for label in labels), -1])
    return pd.Series(pd.Categorical.from_codes(where[code], ordered), aligned.records)


def ids_of(given: pd.Index | str, kept: pd.Index) -> pa.Array | None:
    """Return what stands in a column of ids: those kept, others in their place, or nothing ('drop')."""
    import pyarrow as pa

    ids = given if not isinstance(given, str) else kept if given == "keep" else None
    return None if ids is None else pa.array(ids.to_numpy() if ids.dtype.kind in "iu" else ids.astype(str).to_numpy(object))


def by_zone_columns(population: Population, aligned: Aligned, own: Iterable[str]) -> tuple[dict[str, pa.Array], pd.DataFrame]:
    """Zone and the areas that it nests in, one value a zone; a level that is called as a column of ours gets another name."""
    areas = aligned.geography.zones.reindex(population.zones)[list(aligned.geography.parents)]
    columns = {"zone": _dictionary(population.zones.astype(str))}
    for level in areas:
        columns[f"{level}_area" if level in own else level] = _dictionary(areas[level].astype("string"))
    return columns, areas


def answers_of(answers: dict[str, pd.Series], taken: Iterable[str]) -> dict[str, pa.Array]:
    """Answers as columns; one that is called as a column of ours gets another name."""
    import pyarrow as pa

    return {f"{name}_of_donor" if name in taken else name: pa.array(values) for name, values in answers.items()}


def numbered(zone: pa.StringArray, number: np.ndarray, mark: str = "-") -> pa.Array:
    """Ids within zones: the zone's code, a mark, six digits or more. Nothing where the number is 0."""
    import pyarrow as pa
    import pyarrow.compute as pc

    digits = pc.utf8_lpad(pc.cast(pa.array(number, mask=number == 0), pa.string()), 6, "0")
    return pc.binary_join_element_wise(zone, digits, mark)


def table_of(columns: dict[str, pa.Array]) -> pa.Table:
    """Put columns side by side."""
    import pyarrow as pa

    return pa.table(columns)


@dataclass(frozen=True, eq=False)
class PersonRows:
    """Everything that a row is put together from: a value a zone, a value a record, and the counts."""

    population: Population
    by_zone: dict[str, pa.Array]
    by_record: dict[str, pa.Array]
    areas: pd.DataFrame
    counts: Iterable[DonorCounts] | None = None
    rank: np.ndarray | None = None

    own: ClassVar[tuple[str, ...]] = ("person", "zone", "donor")
    file: ClassVar[str] = "people.parquet"

    @classmethod
    def of(cls, population: Population, aligned: Aligned, include, counts=None, donors="keep") -> PersonRows:
        """Prepare the rows of a population; see `export.people`."""
        by_zone, areas = by_zone_columns(population, aligned, cls.own)
        ids, answers = ids_of(donors, aligned.records), person_columns(aligned, include)
        rank = None
        if not (isinstance(donors, str) and donors == "keep"):
            shown = pd.DataFrame({n: v.to_numpy() for n, v in answers.items()}, range(len(aligned.records)))
            rank = row_rank(None if isinstance(donors, str) else donors, shown)
        by_record = ({} if ids is None else {"donor": ids}) | answers_of(answers, (*by_zone, "person", "donor"))
        return cls(population, by_zone, by_record, areas, counts, rank)

    def placed(self, where: np.ndarray) -> DonorCounts:
        """Place whom rows are made of in some zones (positions)."""
        return self.population.donors(where)

    def people(self, block: DonorCounts) -> np.ndarray:
        """(n_zones,) int64: people of a block by zone."""
        return block.people

    def in_order(self, block: DonorCounts) -> DonorCounts:
        """Put each zone's donors in the order of their rank, where they have one."""
        if self.rank is None:
            return block
        zone = np.repeat(np.arange(len(block.zones)), np.diff(block.indptr))
        order = np.lexsort((self.rank[block.record], zone))
        return DonorCounts(block.zones, block.indptr, block.record[order], block.n[order])

    def blocks(self, where: np.ndarray) -> Iterator[DonorCounts]:
        """Donors of some zones (positions), about CHUNK people at a time."""
        people = self.population.status["people"].to_numpy()[where]
        first = 0
        while first < len(where):
            last = first + max(1, int(np.searchsorted(np.cumsum(people[first:]), CHUNK, side="right")))
            yield self.placed(where[first:last])
            first = last

    def everybody(self) -> Iterator[DonorCounts]:
        """All people: the counts given, each zone checked to have its people, or else donors of all zones."""
        if self.counts is None:
            yield from self.blocks(np.arange(len(self.population.zones)))
            return
        left = self.population.status["people"].to_numpy(dtype=np.int64, copy=True)
        for block in self.counts:
            of_zone = self.positions(block)
            if (of_zone < 0).any() or (left[of_zone] != self.people(block)).any() or len(set(of_zone)) < len(of_zone):
                raise ValueError("counts name a zone that the population does not have, or twice, or with other people")
            left[of_zone] = 0
            yield block
        if left.any():
            raise ValueError(f"counts lack {int((left > 0).sum()):,} zones that have people")

    def positions(self, block: DonorCounts) -> np.ndarray:
        """Positions of a block's zones in the population; -1 for others."""
        return self.population.zones.astype(str).get_indexer(block.zones.astype(str))

    def by_area(self, code: np.ndarray) -> Iterator[tuple[int, Iterable[DonorCounts]]]:
        """Yield each area (code of every zone) and its donors, once its zones are all read."""
        if self.counts is None:
            yield from ((k, self.blocks(np.flatnonzero(code == k))) for k in range(int(code.max()) + 1))
            return
        live = self.population.status["people"].to_numpy() > 0
        waiting = np.bincount(code[live], minlength=int(code.max()) + 1)
        yield from ((int(k), []) for k in np.flatnonzero(waiting == 0))
        held: dict[int, list[DonorCounts]] = {}
        for block in self.everybody():
            of_zone = self.positions(block)
            area = code[of_zone]
            for k in np.unique(area).tolist():
                mine = area == k
                held.setdefault(k, []).append(block.at(np.flatnonzero(mine)))  # a copy, so that the block itself can go
                waiting[k] -= int(live[of_zone[mine]].sum())
                if waiting[k] == 0:
                    yield k, held.pop(k)

    def tables(self, block: DonorCounts) -> Iterator[pa.Table]:
        """Rows of one block, at most CHUNK at a time."""
        import pyarrow as pa

        of_zone = self.positions(block)
        begin = np.concatenate([[0], np.cumsum(block.n, dtype=np.int64)])
        zone_begin = begin[block.indptr]
        for start in range(0, int(begin[-1]), CHUNK):
            row = np.arange(start, min(start + CHUNK, int(begin[-1])))
            record = pa.array(block.record[np.searchsorted(begin, row, side="right") - 1])
            here = np.searchsorted(zone_begin, row, side="right") - 1
            zone = pa.array(of_zone[here])
            columns = {"person": numbered(self.zone_names.take(zone), row - zone_begin[here] + 1)}
            columns |= {name: values.take(zone) for name, values in self.by_zone.items()}
            columns |= {name: values.take(record) for name, values in self.by_record.items()}
            yield table_of(columns)

    @property
    def zone_names(self) -> pa.StringArray:
        """Codes of the zones as text."""
        import pyarrow as pa
        import pyarrow.compute as pc

        return pc.cast(self.by_zone["zone"].dictionary, pa.string())

    def schema(self) -> pa.Schema:
        """Columns and their types."""
        import pyarrow as pa

        return pa.schema([("person", pa.string()), *((n, v.type) for n, v in (self.by_zone | self.by_record).items())])

    def tally(self, block: DonorCounts, expected: Tally) -> None:
        """Add the rows that a block is to make, by zone and, where it is written, donor."""
        expected.add(block.zones.astype(str), block.people)
        if "donor" in self.by_record:
            expected.add(self.by_record["donor"].take(block.record).to_numpy(zero_copy_only=False), block.n, "donor")

    def check(self, path: Path, kind: str, expected: Tally) -> None:
        """Read a written file back and compare. Raises OSError."""
        check_file(path, kind, expected, donor="donor" if "donor" in self.by_record else None)


def _dictionary(values) -> pa.Array:
    """One value a zone as an Arrow dictionary whose codes are in order of first appearance."""
    import pyarrow as pa

    code, distinct = pd.factorize(values)
    indices = pa.array(code.astype(np.int32), mask=code < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array([str(d) for d in distinct], pa.string()))
