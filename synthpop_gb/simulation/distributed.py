"""The distribution of a value in areas and groups, exactly: of the fractional fit, of a replicate, or of people as placed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from synthpop_gb.indicators.group_sums import by_class, classes_of
from synthpop_gb.indicators.question import Asked
from synthpop_gb.indicators.sums import Behind
from synthpop_gb.population import Population, resampled
from synthpop_gb.problem import Problem

__all__ = ["Distributed", "Told", "fitted_rows", "replicate_rows", "told_of_counts"]

_MOST = 20_000_000  # weights held at once
_BLOCK = 512  # zones whose weights are held at once
_EXACT = 2_000_000  # records x areas that are gone through record by record in every replicate
_BINS = 64  # of values, where only the spread between replicates is asked for: their means are kept


@dataclass(frozen=True, eq=False)
class Told:
    """What `kernels.distribution` says, by area and group: arrays as it names them."""

    people: np.ndarray
    total: np.ndarray
    pairs: np.ndarray
    quantile: np.ndarray
    poorest: np.ndarray
    reached: np.ndarray

    @classmethod
    def empty(cls, n_areas: int, n_groups: int, n_levels: int, n_lines: int) -> Told:
        """Room for it."""
        shapes = (), (), (), (n_levels,), (n_levels,), (n_lines,)
        return cls(*(np.zeros((n_areas, n_groups, *more)) for more in shapes))

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """In the order of the kernel."""
        return self.people, self.total, self.pairs, self.quantile, self.poorest, self.reached


Rows = Callable[[np.ndarray], np.ndarray]
"""From positions of zones to their weights, (len(zones), n_profiles)."""


def fitted_rows(population: Population) -> Rows:
    """Weights of the fractional fit, or counts of whole units where the method keeps no duals."""
    if population.duals is not None:
        return population.fitted
    return _sparse_rows(population.indptr, population.profile, population.count, population.problem.n_profiles)


def replicate_rows(population: Population, place: int) -> tuple[Rows, np.ndarray]:
    """Whole counts of a replicate, and the share of each of the people of a profile in it."""
    made, problem = population.replicates, population.problem
    weight = None
    if "donors" in made.sources:
        weight = resampled(problem, population.provenance.seed, int(made.numbers[place]))[1]
    return _sparse_rows(*made.rows(place), problem.n_profiles), problem.people_shares(weight)[2]


def _sparse_rows(indptr, profile, count, n_profiles: int) -> Rows:
    from scipy.sparse import csr_matrix

    rows = csr_matrix((count.astype(np.float64), profile, indptr), (len(indptr) - 1, n_profiles))
    return lambda zones: rows[zones].toarray()


class Distributed:
    """A value of every record, laid out in ascending order, once for all who ask for its distribution.

    asked : whom, in which areas and groups; value : (n_records,) or (n_classes, n_records) float64; coarse : whether, where
    records and areas are many, values that lie close together may be put together, at their mean.
    """

    def __init__(self, asked: Asked, problem: Problem, value: np.ndarray, *, coarse: bool = False):
        self.asked, self.problem, self.n_classes = asked, problem, classes_of(asked)
        self.value, self.group = by_class(value, self.n_classes), by_class(asked.group, self.n_classes)
        self.profile, self.record, self.share = problem.people_shares()
        self.edges = None
        if coarse and len(self.record) * len(asked.areas) > _EXACT:
            told = self.value[self.group >= 0]
            if len(np.unique(told)) > _BINS:
                self.edges = np.unique(np.quantile(told, np.linspace(0, 1, _BINS + 1)[1:-1], method="nearest"))
        self.sets = self._sets()
        self.laid = [self._laid(classes) for classes, _ in self.sets]

    def _sets(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Areas by the classes of place that they are made of: pairs of classes and areas."""
        known = self.asked.area >= 0
        n_areas = len(self.asked.areas)
        if self.n_classes == 1:
            return [(np.zeros(1, np.int64), np.arange(n_areas))]
        inside = np.zeros((n_areas, self.n_classes), bool)
        inside[self.asked.area[known], self.asked.of_zone[known]] = True
        kinds, number = np.unique(inside, axis=0, return_inverse=True)
        return [(np.flatnonzero(kind), np.flatnonzero(number.reshape(-1) == k)) for k, kind in enumerate(kinds)]

    def _laid(self, classes: np.ndarray) -> tuple[np.ndarray, ...]:
        """Entries of some classes in ascending order of value; people alike in slot, group and value are one.

        Returns slot, value, group of each entry; then of each person of each class: the person, and its entry.
        """
        slot, value, group, person = [], [], [], []
        for k, c in enumerate(classes):
            mine = np.flatnonzero(self.group[c, self.record] >= 0)
            slot.append(k * self.problem.n_profiles + self.profile[mine])
            value.append(self.value[c, self.record[mine]])
            group.append(self.group[c, self.record[mine]])
            person.append(mine)
        slot, value, group, person = (np.concatenate(x) if x else np.empty(0, np.int64) for x in (slot, value, group, person))
        bins, rank = np.unique(value, return_inverse=True)
        if self.edges is not None:
            rank = np.searchsorted(self.edges, value, side="left")
        n_groups = max(len(self.asked.groups), 1)
        key = (rank.reshape(-1).astype(np.int64) * (len(classes) * self.problem.n_profiles) + slot) * n_groups + group
        distinct, entry = np.unique(key, return_inverse=True)
        of_slot = distinct // n_groups % (len(classes) * self.problem.n_profiles)
        of_group = distinct % n_groups
        of_value = None if self.edges is not None else bins[distinct // (n_groups * len(classes) * self.problem.n_profiles)]
        return of_slot.astype(np.int32), of_value, of_group.astype(np.int32), person, entry.reshape(-1), value

    def told(self, rows: Rows, levels, lines=None, share: np.ndarray | None = None) -> Told:
        """Find the distribution.

        levels, lines : (n_levels,), or (n_areas, n_groups, n_levels); rows, share : see `replicate_rows`.
        """
        from synthpop_gb.kernels.distribution import distribution_of_weights

        shape = len(self.asked.areas), len(self.asked.groups)
        levels, lines = _wide(levels, shape), _wide(np.empty(0) if lines is None else lines, shape)
        share = self.share if share is None else share
        out = Told.empty(*shape, levels.shape[-1], lines.shape[-1])
        for (classes, areas), laid in zip(self.sets, self.laid, strict=True):
            entries = self._entries(laid, share)
            for some, weights in self._weights(classes, areas, rows):
                part = Told.empty(len(some), shape[1], levels.shape[-1], lines.shape[-1])
                distribution_of_weights(weights, *entries, levels[some], lines[some], *part.arrays)
                for into, found in zip(out.arrays, part.arrays, strict=True):
                    into[some] = found
        return out

    def _entries(self, laid, share: np.ndarray) -> tuple[np.ndarray, ...]:
        """Entries as the kernel takes them: slot, share, value, group."""
        slot, value, group, person, entry, own = laid
        whole = np.bincount(entry, share[person], len(slot))
        if value is not None:
            return slot, whole, value, group
        plain = np.bincount(entry, minlength=len(slot))  # of those that a replicate lost, the plain mean
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.bincount(entry, share[person] * own, len(slot)) / whole
        mean = np.where(whole > 0, mean, np.bincount(entry, own, len(slot)) / plain)
        order = np.argsort(mean, kind="stable")
        return slot[order], whole[order], mean[order], group[order]

    def _weights(self, classes: np.ndarray, areas: np.ndarray, rows: Rows) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Weights of areas as many as fit into memory: pairs of areas and (n_areas, n_classes x n_profiles) weights."""
        n_profiles, area = self.problem.n_profiles, self.asked.area
        of_zone = np.zeros(len(area), np.int64) if self.n_classes == 1 else self.asked.of_zone
        size = max(_MOST // (len(classes) * n_profiles), 1)
        for first in range(0, len(areas), size):
            some = areas[first : first + size]
            zones = np.flatnonzero(np.isin(area, some))
            out = np.zeros((len(some), len(classes), n_profiles))
            place, kind = np.searchsorted(some, area[zones]), np.searchsorted(classes, of_zone[zones])
            for z in range(0, len(zones), _BLOCK):
                here = slice(z, z + _BLOCK)
                if len(area) == len(self.asked.areas):  # areas are zones
                    out[place[here], kind[here]] = rows(zones[here])
                else:
                    np.add.at(out, (place[here], kind[here]), rows(zones[here]))
            yield some, out.reshape(len(some), -1)


def told_of_counts(asked: Asked, behind: Behind, value: np.ndarray, levels) -> Told:
    """Find the distribution among people as they were placed. value : (n_records,) or (n_classes, n_records)."""
    from synthpop_gb.kernels.distribution import distribution_of_counts

    n_classes, shape = classes_of(asked), (len(asked.areas), len(asked.groups))
    flat = np.ascontiguousarray(by_class(value, n_classes)).ravel()
    group = np.ascontiguousarray(by_class(asked.group, n_classes)).ravel().astype(np.int32)
    rank = np.unique(flat, return_inverse=True)[1].reshape(-1).astype(np.int64)
    indptr = np.searchsorted(behind.cell // shape[1], np.arange(shape[0] + 1)).astype(np.int64)
    levels = _wide(levels, shape)
    out = Told.empty(*shape, levels.shape[-1], 0)
    rows = indptr, behind.slot.astype(np.int64), behind.number.astype(np.float64)
    distribution_of_counts(*rows, rank, flat, group, levels, np.empty((*shape, 0)), *out.arrays)
    return out


def _wide(values, shape: tuple[int, int]) -> np.ndarray:
    """(n_areas, n_groups, n) of values that may be alike everywhere."""
    values = np.asarray(values, np.float64)
    return np.ascontiguousarray(np.broadcast_to(values, (*shape, values.shape[-1])))
