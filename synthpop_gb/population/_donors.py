"""Donor counts: how many people each survey record stands for, zone by zone; their order by id, and their digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["DonorCounts", "digest_counts", "id_order", "sort_by_id", "with_members", "zone_digests"]


@dataclass(frozen=True, eq=False)
class DonorCounts:
    """How many people each donor stands for, in some zones: rows of a sparse matrix, zones by records.

    Attributes
    ----------
    zones : pandas.Index
        Zone codes, one a row. Read from a file, zones without people are left out.
    indptr : (n_zones + 1,) int64
        Entries of zone z are indptr[z] to indptr[z + 1] - 1.
    record : (nnz,) int32
        Positions in `problem.records`, each at most once in a zone, in the order of their ids where a population placed them.
    n : (nnz,) int32
        People copied from that record, > 0.
    """

    zones: pd.Index
    indptr: np.ndarray
    record: np.ndarray
    n: np.ndarray

    @property
    def people(self) -> np.ndarray:
        """(n_zones,) int64: people in each zone."""
        running = np.concatenate([[0], np.cumsum(self.n, dtype=np.int64)])
        return running[self.indptr[1:]] - running[self.indptr[:-1]]

    def at(self, rows: np.ndarray) -> DonorCounts:
        """Return some zones by position, in any order: a copy, so that the rest can go."""
        rows = np.asarray(rows, np.int64)
        indptr = np.concatenate([[0], np.cumsum(np.diff(self.indptr)[rows])]).astype(np.int64)
        record, n = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.int32)
        for new, old in enumerate(rows.tolist()):  # slices: index arrays of 50 million entries would take gigabytes
            here, there = slice(indptr[new], indptr[new + 1]), slice(self.indptr[old], self.indptr[old + 1])
            record[here], n[here] = self.record[there], self.n[there]
        return DonorCounts(self.zones[rows], indptr, record, n)

    def without(self, left_out: np.ndarray) -> DonorCounts:
        """Return the same counts without some donors. left_out: (n,) bool by position of the donor."""
        kept = ~left_out[self.record]
        indptr = np.concatenate([[0], np.cumsum(kept)])[self.indptr].astype(np.int64)
        return DonorCounts(self.zones, indptr, self.record[kept], self.n[kept])

    def __repr__(self) -> str:
        """One line: zones, people, donors placed."""
        return f"DonorCounts: {len(self.zones):,} zones, {int(self.n.sum()):,} people, {len(self.n):,} donors placed"


def id_order(records: pd.Index) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of records in the order of their ids, and the rank of each record: (n,) int64 each."""
    order = np.arange(len(records)) if records.is_monotonic_increasing else np.asarray(records.argsort(), np.int64)
    rank = np.empty(len(records), np.int64)
    rank[order] = np.arange(len(records))
    return order, rank


def sort_by_id(block: DonorCounts, order: np.ndarray, rank: np.ndarray) -> DonorCounts:
    """Return the same counts with every zone's donors in the order of their ids. order, rank: from `id_order`."""
    ranks = rank[block.record]
    falls = np.flatnonzero(np.diff(ranks) <= 0) + 1
    if np.isin(falls, block.indptr).all():  # ids fall only where a new zone begins
        return block
    packed = (ranks << 32) | block.n  # words sorted in place: the fastest way by far
    for first, last in zip(block.indptr[:-1].tolist(), block.indptr[1:].tolist(), strict=True):
        packed[first:last].sort()
    return DonorCounts(block.zones, block.indptr, order[packed >> 32].astype(np.int32), (packed & 0xFFFFFFFF).astype(np.int32))


def with_members(placed: DonorCounts, member_start: np.ndarray, member: np.ndarray) -> DonorCounts:
    """Turn units placed into the people in them, unit by unit.

    Parameters
    ----------
    placed : DonorCounts
        Positions of units.
    member_start, member : (n_units + 1,) int64 and (n_members,) int32
        Members of each unit, as in `Problem`.

    >>> placed = DonorCounts(pd.Index(["A"]), np.array([0, 2]), np.array([0, 2]), np.array([3, 1]))
    >>> people = with_members(placed, np.array([0, 2, 3, 4]), np.array([7, 8, 9, 5]))
    >>> people.record.tolist(), people.n.tolist()
    ([7, 8, 5], [3, 3, 1])
    """
    first, size = member_start[placed.record], np.diff(member_start)[placed.record]
    running = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    record = member[np.repeat(first - running[:-1], size) + np.arange(running[-1])]
    return DonorCounts(placed.zones, running[placed.indptr], record, np.repeat(placed.n, size))


def zone_digests(blocks: Iterable[DonorCounts], records: pd.Index) -> pd.Series:
    """SHA-256 of each zone's people: over its code and its (record id, people) in order of the ids. Empty zones are left out.

    Parameters
    ----------
    blocks : iterable of DonorCounts
        `Population.blocks()`, or what was read from a file.
    records : pandas.Index
        Ids that the counts' positions refer to.

    Returns
    -------
    pandas.Series
        bytes by zone code, in order of the codes.
    """
    words = [hashlib.blake2b(str(r).encode(), digest_size=8).digest() for r in records]
    key = np.frombuffer(b"".join(words), dtype="<u8")
    order, rank = id_order(records)
    found: dict[str, bytes] = {}
    for block in blocks:
        block = sort_by_id(block, order, rank)
        keys, people = key[block.record].tobytes(), block.n.astype("<i4").tobytes()
        for zone, a, b in zip(block.zones, block.indptr[:-1].tolist(), block.indptr[1:].tolist(), strict=True):
            if b > a:
                content = str(zone).encode() + b"\0" + keys[8 * a : 8 * b] + people[4 * a : 4 * b]
                found[str(zone)] = hashlib.sha256(content).digest()
    return pd.Series(found, dtype=object).sort_index()


def digest_counts(blocks: Iterable[DonorCounts], records: pd.Index) -> str:
    """SHA-256 over all zones' digests in order of their codes; see `zone_digests` for what it covers."""
    return hashlib.sha256(b"".join(zone_digests(blocks, records))).hexdigest()
