"""Sums of many values at once by area and group: over each replicate's whole people, or over donors as they were placed.

A profile's records are told apart by group: an *entry* is what one unit of a profile adds to one group. Profiles whose records
are all of one group, as where groups are constraints, have one entry, so that groups cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from synthpop_gb.indicators.question import Answers, Asked
from synthpop_gb.indicators.sums import profile_means
from synthpop_gb.population import DonorCounts, Population, resampled
from synthpop_gb.problem import Problem

__all__ = ["Entries", "by_class", "classes_of", "placed_sums", "replicate_group_sums"]


def classes_of(asked: Asked | Answers) -> int:
    """How many classes of place answers are told by."""
    return 1 if asked.of_zone is None else int(asked.of_zone.max(initial=0)) + 1


def by_class(values: np.ndarray, n_classes: int) -> np.ndarray:
    """(n_classes, n_records), of values that may be alike in all classes."""
    return np.broadcast_to(values, (n_classes, values.shape[-1]))


@dataclass(frozen=True, eq=False)
class Entries:
    """Profiles of each class of place, and the groups that their records are in.

    start : (n_classes x n_profiles + 1,) int64; group : (n_entries,) int32; person : by class, positions among the problem's
    people (`Problem.people_shares`), entry by entry; record : their records; first : by class, (n_entries of the class + 1,)
    int64.
    """

    start: np.ndarray
    group: np.ndarray
    person: tuple[np.ndarray, ...]
    record: tuple[np.ndarray, ...]
    first: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, asked: Asked | Answers, problem: Problem) -> Entries:
        """Find them."""
        profile, record, _ = problem.people_shares()
        n_classes, n_groups = classes_of(asked), len(asked.groups)
        keys, person, records, first = [], [], [], []
        for group in by_class(asked.group, n_classes):
            mine = np.flatnonzero(group[record] >= 0)
            key = profile[mine] * n_groups + group[record[mine]]
            order = np.argsort(key, kind="stable")
            distinct, begins = np.unique(key[order], return_index=True)
            keys.append(distinct + len(keys) * problem.n_profiles * n_groups)
            person.append(mine[order])
            records.append(record[mine[order]])
            first.append(np.append(begins, len(order)).astype(np.int64))
        key = np.concatenate(keys)
        start = np.searchsorted(key, np.arange(n_classes * problem.n_profiles + 1) * n_groups).astype(np.int64)
        return cls(start, (key % n_groups).astype(np.int32), tuple(person), tuple(records), tuple(first))

    def values(self, columns: Sequence[np.ndarray], share: np.ndarray) -> np.ndarray:
        """(n_entries, n_columns): columns, (n_records, n_columns) by class, averaged by the share of each of the people."""
        from scipy.sparse import csr_matrix

        parts = []
        for person, record, first, values in zip(self.person, self.record, self.first, columns, strict=True):
            rows = csr_matrix((share[person], record, first), (len(first) - 1, len(values)))
            parts.append(rows @ values)
        return np.concatenate(parts)


def _projected(rows, asked: Asked | Answers, start, group, values, n_slots: int) -> np.ndarray:
    """Sum values of entries over sparse rows of zones: (n_areas, n_groups, n_values)."""
    from synthpop_gb.kernels.project import project_rows

    indptr, slot, count = rows
    shape = len(asked.groups), values.shape[1]
    out = np.zeros((len(asked.areas), *shape))
    offset = np.zeros(len(asked.area), np.int64) if asked.of_zone is None else asked.of_zone.astype(np.int64) * n_slots
    project_rows(
        indptr.astype(np.int64), slot.astype(np.int32), count.astype(np.int32), offset, asked.area.astype(np.int64), start, group,
        np.ascontiguousarray(values), out, np.zeros(shape), np.zeros(shape[0], bool),
    )  # fmt: skip
    return out


def replicate_group_sums(
    asked: Asked | Answers, population: Population, columns: Callable[[int], Sequence[np.ndarray]]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Sum columns over the whole people of each replicate, one after another.

    columns : from the replicate's place to columns by class of place, (n_records, n_columns) each.
    Yields (n_areas, n_groups, n_columns), and (n_areas,) all who stand for what is asked about.
    """
    from scipy.sparse import csr_matrix

    made, problem = population.replicates, population.problem
    entries, again = Entries.of(asked, problem), "donors" in made.sources
    everybody, inside = asked.everybody.astype(np.float64)[:, None], asked.area >= 0
    for place, number in enumerate(made.numbers.tolist()):
        weight = resampled(problem, population.provenance.seed, number)[1] if again else None
        values = entries.values(columns(place), problem.people_shares(weight)[2])
        indptr, profile, count = made.rows(place)
        counts = csr_matrix((count.astype(np.float64), profile, indptr), (problem.n_zones, problem.n_profiles))
        all_of_zone = (counts @ profile_means(everybody, problem, weight))[:, 0]
        all_of_area = np.zeros(len(asked.areas))
        np.add.at(all_of_area, asked.area[inside], all_of_zone[inside])
        yield _projected((indptr, profile, count), asked, entries.start, entries.group, values, problem.n_profiles), all_of_area


def placed_sums(asked: Asked | Answers, blocks: Iterable[DonorCounts], zones, columns: Sequence[np.ndarray]) -> np.ndarray:
    """Sum columns over people as they were placed: (n_areas, n_groups, n_columns).

    columns : (n_records, n_columns) by class of place.
    """
    group = by_class(asked.group, len(columns)).ravel()
    inside = np.flatnonzero(group >= 0)
    start = np.searchsorted(inside, np.arange(len(group) + 1)).astype(np.int64)
    values = np.concatenate(list(columns))[inside]
    out = np.zeros((len(asked.areas), len(asked.groups), values.shape[1]))
    for block in blocks:
        at = zones.get_indexer(block.zones)
        area = np.where(at >= 0, asked.area[at], -1)
        some = Asked(asked.base, asked.group, asked.groups, area, asked.areas, asked.everybody,
                     None if asked.of_zone is None else asked.of_zone[at])  # fmt: skip
        rows = block.indptr, block.record, block.n
        out += _projected(rows, some, start, group[inside].astype(np.int32), values, len(columns[0]))
    return out
