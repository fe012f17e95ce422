"""Counting two populations and their replicates, a block of zones at a time, in the same cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd

from synthpop_gb.coded import Coded
from synthpop_gb.population import DonorCounts
from synthpop_gb.validation.difference import moderated_variance, variance_trend
from synthpop_gb.validation.metrics import effective_number
from synthpop_gb.validation.recount import Ledger, RecordUse, recount

__all__ = ["Counted", "Layout", "PlacedPeople", "common_people", "count_block", "pairs_of_luck", "together_by_luck"]


_PAIRS = 40  # of one population's draws that are compared with each other, to see what luck does


@dataclass(frozen=True, eq=False)
class PlacedPeople:
    """One population to be compared: who was copied where, and what the records are.

    Attributes
    ----------
    name : str
        For headings and sentences.
    counts : DonorCounts
        All zones; positions refer to the rows of `coded`.
    coded : Coded
        (n_records) The survey's records in the common categories.
    universe, survey_name, vintage : str
        Whom it counts, the survey's name, the year that zone codes tell; for words.
    survey : str
        What tells two surveys apart, e.g. the file's hash: records of the same draw are no noise between two populations.
    replicates : function, optional
        From zone codes to an iterator of `n_replicates` `DonorCounts` of those zones, in order.
    n_replicates : int
        How many.
    sources : tuple of str
        What the replicates draw again: 'whole', 'donors', 'tables'.
    inside : numpy.ndarray, optional
        (n_records,) bool: records that are compared; all where absent.
    """

    name: str
    counts: DonorCounts
    coded: Coded
    universe: str = ""
    survey_name: str = ""
    survey: str = ""
    vintage: str = ""
    replicates: Callable[[pd.Index], Iterator[DonorCounts]] | None = None
    n_replicates: int = 0
    sources: tuple[str, ...] = ()
    inside: np.ndarray | None = field(default=None)

    @property
    def zones(self) -> pd.Index:
        """Zone codes."""
        return self.counts.zones

    @property
    def people(self) -> int:
        """How many people live in all zones together."""
        return int(self.counts.n.sum(dtype=np.int64))

    @cached_property
    def copies(self) -> np.ndarray:
        """(n_records,) float64: people copied from each record."""
        return np.bincount(self.counts.record, self.counts.n, len(self.coded))

    @property
    def donors_used(self) -> int:
        """How many records stand somewhere."""
        return int((self.copies > 0).sum())

    @property
    def effective(self) -> float:
        """Effective number of donors, (sum n)^2 / sum n^2."""
        return effective_number(self.copies)


def common_people(
    a: PlacedPeople, b: PlacedPeople, zones: pd.Index
) -> tuple[PlacedPeople, PlacedPeople, list[tuple[str, int, int]]]:
    """Leave out the ages at either end that one population has nobody of and the other one person in a hundred or more.

    What a population does not count is told from the people it has, not from what is said of it: a file of two columns says
    nothing, and a survey of everybody may have been used for adults.

    Returns
    -------
    (a, b, left_out)
        The two with `inside` set, and (category, people in a, people in b) of each category left out.
    """
    sides = (a, b)
    inside = [np.ones(len(s.coded), bool) if s.inside is None else s.inside for s in sides]
    left_out: list[tuple[str, int, int]] = []
    if "age" in a.coded.names:
        at, labels = a.coded.names.index("age"), a.coded.labels[a.coded.names.index("age")]
        shared = [s.counts.at(np.flatnonzero(s.zones.isin(zones))) for s in sides]
        people = []
        for s, c, keep in zip(sides, shared, inside, strict=True):
            copies = np.bincount(c.record, c.n, len(s.coded)) * keep
            people.append(np.bincount(s.coded.codes[:, at], copies, len(labels)))
        real = [i for i, label in enumerate(labels) if not label.startswith("(")]
        gone = []
        for ends in (real, real[::-1]):
            for i in ends:
                none, some = min(p[i] for p in people), max(p[i] / max(p.sum(), 1) for p in people)
                if none > 0 or (some > 0 and some < 0.01):
                    break
                if some > 0:
                    gone.append(i)
        gone = sorted(set(gone))
        if 0 < len(gone) < len(real):
            left_out = [(f"age {labels[i]}", int(people[0][i]), int(people[1][i])) for i in gone]
            inside = [keep & ~np.isin(s.coded.codes[:, at], gone) for s, keep in zip(sides, inside, strict=True)]
    return *(replace(s, inside=keep) for s, keep in zip(sides, inside, strict=True)), left_out


@dataclass(frozen=True, eq=False)
class Layout:
    """Which tables are counted, and where their cells stand among all columns.

    Attributes
    ----------
    tables : tuple of tuple of str
        Variables of each table: one, or two.
    groups : tuple of str
        Each column in words: 'age = 75+ and health = bad'.
    start : (n_tables + 1,) int64
        First column of each table.
    ledgers : (Ledger, Ledger)
        Cells of the two surveys' records.
    """

    tables: tuple[tuple[str, ...], ...]
    groups: tuple[str, ...]
    start: np.ndarray
    ledgers: tuple[Ledger, Ledger]

    @classmethod
    def of(cls, a: PlacedPeople, b: PlacedPeople, pairs: bool) -> Layout:
        """Lay out every variable, and every pair where asked."""
        names, labels = a.coded.names, a.coded.labels
        tables = [(i,) for i in range(len(names))]
        tables += list(combinations(range(len(names)), 2)) if pairs else []
        groups, sizes = [], []
        cells = ([], [])
        for table in tables:
            shape = tuple(len(labels[i]) for i in table)
            sizes.append(int(np.prod(shape)))
            said = [[f"{names[i].replace('_', ' ')} = {x}" for x in labels[i]] for i in table]
            groups += [" and ".join(said[k][i] for k, i in enumerate(key)) for key in np.ndindex(*shape)]
            for side, into in zip((a, b), cells, strict=True):
                cell = np.ravel_multi_index(tuple(side.coded.codes[:, i] for i in table), shape)
                into.append(
                    np.where(side.inside, cell, -1).astype(np.int32) if side.inside is not None else cell.astype(np.int32)
                )
        start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        ledgers = tuple(Ledger(tuple(into), tuple(sizes)) for into in cells)
        return cls(tuple(tuple(names[i] for i in t) for t in tables), tuple(groups), start, ledgers)

    @property
    def n_columns(self) -> int:
        """How many cells there are in all tables."""
        return int(self.start[-1])

    @property
    def single(self) -> np.ndarray:
        """(n_tables,) bool: tables of one variable."""
        return np.array([len(t) == 1 for t in self.tables])

    @cached_property
    def table_of(self) -> np.ndarray:
        """(n_columns,) int64: which table each column belongs to."""
        return np.repeat(np.arange(len(self.tables)), np.diff(self.start))

    def named(self, least: int) -> np.ndarray:
        """(n_columns,) bool: groups of which both surveys have `least` records, or one has none at all."""
        fits = np.ones(self.n_columns, bool)
        for ledger in self.ledgers:
            records = np.concatenate(
                [np.bincount(c[c >= 0], minlength=n) for c, n in zip(ledger.record_cell, ledger.n_cells, strict=True)]
            )
            fits &= (records >= least) | (records == 0)
        return fits

    def trend(self, squares: np.ndarray, means: np.ndarray, count: int, at: np.ndarray) -> np.ndarray:
        """`variance_trend` of (n_zones, n_columns) cells, table by table."""
        kind = np.broadcast_to(self.table_of, squares.shape).ravel()
        return variance_trend(squares.ravel(), means.ravel(), count, at.ravel(), kind).reshape(squares.shape)

    def replicate_variance(self, counted: dict, scale: float, total: dict[str, np.ndarray]) -> np.ndarray | None:
        """Variance of the difference of all zones together; None where nobody has replicates."""
        parts = []
        for (_, sums), mine in zip(counted.items(), (total["a"], total["b"]), strict=True):
            if len(sums) < 2:
                parts.append(None)
                continue
            means = sums.mean(axis=0)
            squares = ((sums - means) ** 2).sum(axis=0)
            trend = self.trend(squares[None], means[None], len(sums), mine[None])[0]
            parts.append(moderated_variance(squares, trend, len(sums)))
        return combined(*parts, scale)


@dataclass(frozen=True, eq=False)
class Counted:
    """A block of zones counted: (n_zones, n_columns) people of both, the variance that replicates give their difference.

    people_a, people_b : (n_zones,) people who are compared. variance : None where nobody has replicates. luck : what
    replicates show of it, a pair after the other (`pairs_of_luck`): (counts of one draw, of another, the variance that all other
    draws give their difference).
    """

    a: np.ndarray
    b: np.ndarray
    people_a: np.ndarray
    people_b: np.ndarray
    variance: np.ndarray | None
    luck: Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]


def count_block(a: PlacedPeople, b: PlacedPeople, zones: pd.Index, layout: Layout, replicated: dict) -> Counted:
    """Count some zones in both; the replicates' sums over zones are added to `replicated`."""
    counts, people, variances = [], [], []
    n_first = int(layout.start[1])  # the first table is of one variable and counts everybody who is compared
    for side, ledger in zip((a, b), layout.ledgers, strict=True):
        mine = _tally(side.counts.at(side.zones.get_indexer(zones)), ledger, zones)
        counts.append(mine)
        people.append(mine[:, :n_first].sum(axis=1))
    scale = np.divide(people[0], people[1], out=np.ones_like(people[0]), where=people[1] > 0)[:, None]
    draws = []
    for side, ledger, mine, other in zip((a, b), layout.ledgers, counts, counts[::-1], strict=True):
        if side.n_replicates < 2:
            variances.append(None)
            continue
        sums, squares, kept = np.zeros_like(mine), np.zeros_like(mine), []
        for number, block in enumerate(side.replicates(zones)):
            away = _tally(block, ledger, zones) - mine  # deviations from the population keep squares small and exact
            sums, squares = sums + away, squares + away * away
            replicated[side][number] += (away + mine).sum(axis=0)
            kept.append(away.astype(np.float32))
        n = side.n_replicates
        expected = (mine + other * (scale if side is a else 1 / scale)) / 2
        trend = layout.trend(_centred(sums, squares, n), np.maximum(mine + sums / n, 0.0), n, expected)
        variances.append(moderated_variance(_centred(sums, squares, n), trend, n))
        draws.append((mine, sums, squares, kept))
    return Counted(*counts, *people, combined(*variances, scale), _luck(draws, layout))


def pairs_of_luck(replicates: int) -> list[tuple[int, int]]:
    """Which draws of a population are compared with each other; -1 is the population itself, the others are its replicates.

    None where there are too few for what they show to mean anything: fewer than 20 pairs.

    >>> len(pairs_of_luck(5)), len(pairs_of_luck(6)), len(pairs_of_luck(100)), pairs_of_luck(6)[5:8]
    (0, 21, 40, [(-1, 5), (0, 1), (1, 2)])
    """
    pairs = [(-1, r) for r in range(replicates)]
    pairs += [(r, r + step) for step in range(1, replicates) for r in range(replicates - step)]
    return pairs[:_PAIRS] if len(pairs) >= 20 else []


def _centred(sums: np.ndarray, squares: np.ndarray, count: int) -> np.ndarray:
    """Sum of squared deviations from the mean, from sums and squares of deviations from something near it."""
    return np.maximum(squares - sums**2 / count, 0.0)


def _luck(draws: Sequence[tuple], layout: Layout) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield pairs of draws, each with the variance of their difference that the replicates other than these show.

    What cells like it have (the trend) is taken from all replicates: of hundreds of cells, two draws make no difference to it.
    """
    for mine, sums, squares, kept in draws:
        n = len(kept)
        means = np.maximum(mine + sums / n, 0.0)
        trend = layout.trend(_centred(sums, squares, n), means, n, means)
        for one, other in pairs_of_luck(n):
            away = [np.zeros_like(mine) if i < 0 else kept[i].astype(np.float64) for i in (one, other)]
            left = n - sum(i >= 0 for i in (one, other))
            rest = _centred(sums - away[0] - away[1], squares - away[0] ** 2 - away[1] ** 2, left)
            yield mine + away[0], mine + away[1], 2 * moderated_variance(rest, trend, left)


def together_by_luck(own: np.ndarray, sums: np.ndarray, layout: Layout) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield the same for all zones together: own (n_columns,) of the population, sums (n_replicates, n_columns)."""
    away = sums - own
    draws = (own[None], away.sum(axis=0)[None], (away**2).sum(axis=0)[None], [x[None] for x in away])
    yield from _luck([draws], layout)


def combined(a: np.ndarray | None, b: np.ndarray | None, scale) -> np.ndarray | None:
    """Variance of a - scale * b; where only one population has replicates the other is taken to vary as it does."""
    if a is None and b is None:
        return None
    a = b * scale if a is None else a
    return a + scale**2 * (a / scale if b is None else b)


def _tally(counts: DonorCounts, ledger: Ledger, zones: pd.Index) -> np.ndarray:
    """(n_zones, n_columns) float64 people."""
    out = np.zeros((len(zones), int(ledger.start[-1])))
    for block in recount([counts], ledger, zones, RecordUse.empty(ledger.n_records), size=len(zones)):
        out[block.where] = block.counts
    return out
