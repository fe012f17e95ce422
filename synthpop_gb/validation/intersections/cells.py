"""The cells that differ, worst first and in words, those that merely follow from others apart; and lost cells by rarity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthpop_gb.validation.intersections.explain import roots
from synthpop_gb.validation.intersections.floors import expected_lost
from synthpop_gb.validation.intersections.judge import Judged, Reference
from synthpop_gb.validation.intersections.words import cell_words, combination_words

__all__ = ["CELL_COLUMNS", "RARITY", "RARITY_COLUMNS", "cell_rows", "rarity_rows"]

CELL_COLUMNS = (
    "rank", "reference", "combination", "k", "cell", "kind", "expected", "observed", "ratio", "lower", "upper", "p", "q",
    "excess", "explained_by", "follow", "deviance", "protected",
)  # fmt: skip

RARITY_COLUMNS = ("reference", "k", "rarity", "cells", "missing", "missing_floor", "people")

_OF_EACH_KIND = 5

RARITY = ((0.0, "under 1"), (1.0, "1"), (2.0, "2 to 4"), (5.0, "5 to 9"), (10.0, "10 to 49"), (50.0, "50 and over"))
"""How rare a cell is, by the reference's count: each class from its number up to the next."""


def cell_rows(
    judged: Judged, names: Sequence[str], labels: Sequence[Sequence[str]], reference: Reference, most: int = 200
) -> tuple[pd.DataFrame, pd.Series]:
    """One row a cell that is told: causes worst first, then lost categories, then cells that follow from causes.

    Impossible cells come first, by their people, then the others by deviance: how surprising a cell is by its ratio and its
    size together. Columns: rank; reference; combination; k; cell (in words); kind ('impossible', 'invented', 'missing', 'too
    many', 'too few'); expected and observed (people, as counted on either side); ratio of shares with lower and upper (95 %);
    p; q (adjusted over all cells of all tables); excess (people more than the reference's share gives); explained_by (the
    cell that it follows from; empty for a cause); follow (how many told cells follow from it); deviance; protected.

    Parameters
    ----------
    judged : Judged
        From `judge`.
    names, labels : sequence
        Variables and their categories.
    reference : Reference
        What they were judged by.
    most : int
        Causes listed (and a few more of each kind), and again as many lost categories and cells that follow.

    Returns
    -------
    (pandas.DataFrame, pandas.Series)
        And how many causes there are in all, by kind.
    """
    cells = _told(judged)
    ends = roots(judged.causes)
    follow = _followers(ends, cells)
    cause = cells[cells["cause"]]
    lost = cells[~cells["told"]]
    after = cells[cells["told"] & ~cells["cause"]]
    order = ["impossible", "weight", "table", "row"]
    ways = [False, False, True, True]
    cause, lost, after = (x.sort_values(order, ascending=ways, kind="stable") for x in (cause, lost, after))
    further = cause.iloc[most:].groupby("kind").head(_OF_EACH_KIND)  # of a kind that more surprising ones crowd out
    parts = [part for part in (cause.head(most), further, lost.head(most), after.head(most)) if len(part)]
    chosen = pd.concat(parts) if parts else cells
    rows = [
        _row(judged, names, labels, ends, follow, int(t), int(r), kind)
        for t, r, kind in chosen[["table", "row", "kind"]].itertuples(index=False)
    ]
    frame = pd.DataFrame(rows, columns=[c for c in CELL_COLUMNS if c not in ("rank", "reference")])
    frame.insert(0, "rank", np.arange(1, len(frame) + 1))
    frame.insert(1, "reference", reference.name)
    return frame, cause["kind"].value_counts()


def _told(judged: Judged) -> pd.DataFrame:
    """Cells to choose from: told ones, and categories that are lost whether or not that is beyond chance."""
    parts = []
    for i, table in enumerate(judged.tables):
        told, bars = judged.told[i], judged.forbidden[i]
        alone = len(table.at) == 1 and judged.bases[i].observed > 0
        lost = ~told & ~bars & (table.observed == 0) & alone
        rows = np.flatnonzero(told | lost)
        weight = np.where(bars, table.observed, np.where(told, judged.surprise[i], table.expected))
        cause = told & (judged.causes[i].table < 0)
        kind = _kinds(table, judged.bases[i], bars)
        parts.append(
            pd.DataFrame(
                {
                    "table": i, "row": rows, "told": told[rows], "cause": cause[rows], "impossible": bars[rows] & told[rows],
                    "weight": weight[rows], "kind": kind[rows],
                }
            )
        )  # fmt: skip
    columns = ["table", "row", "told", "cause", "impossible", "weight", "kind"]
    some = [p for p in parts if len(p)]
    if some:
        return pd.concat(some, ignore_index=True)
    return pd.DataFrame({c: pd.Series(dtype=bool if c in columns[2:5] else object if c == "kind" else float) for c in columns})


def _kinds(table, basis, bars) -> np.ndarray:
    """Say what is wrong with each cell of a cross-table."""
    e, o = table.expected, table.observed
    many = o * basis.expected > e * basis.observed
    said = np.select([bars, e == 0, o == 0, many], ["impossible", "invented", "missing", "too many"], "too few")
    return said.astype(object)


def _followers(ends, cells: pd.DataFrame) -> pd.Series:
    """How many told cells follow from each cause, by (table, row)."""
    told = cells[cells["told"] & ~cells["cause"]]
    at = [(int(t), int(r)) for t, r in told[["table", "row"]].itertuples(index=False)]
    pairs = [(int(ends[t][0][r]), int(ends[t][1][r])) for t, r in at]
    return pd.Series(pairs, dtype=object).value_counts()


def _words(judged: Judged, names, labels, i: int, r: int) -> str:
    table = judged.tables[i]
    codes = np.unravel_index(table.keys[r], table.sizes)
    return cell_words([names[v] for v in table.at], [labels[v][c] for v, c in zip(table.at, codes, strict=True)])


def _row(judged: Judged, names, labels, ends, follow: pd.Series, i: int, r: int, kind: str) -> dict:
    table, basis, cause = judged.tables[i], judged.bases[i], judged.causes[i]
    e, o = table.expected[r : r + 1], table.observed[r : r + 1]
    low, high = basis.ratio_interval(e, o)
    because = ""
    if cause.table[r] >= 0:
        because = _words(judged, names, labels, int(ends[i][0][r]), int(ends[i][1][r])) + " and others" * bool(cause.together[r])
    return {
        "combination": combination_words([names[v] for v in table.at]), "k": len(table.at),
        "cell": _words(judged, names, labels, i, r), "kind": kind, "expected": float(e[0]), "observed": float(o[0]),
        "ratio": float(basis.ratio(e, o)[0]), "lower": float(low[0]), "upper": float(high[0]),
        "p": float(judged.p[i][r]), "q": float(judged.q[i][r]),
        "excess": float(o[0] - e[0] * basis.observed / basis.expected), "explained_by": because,
        "follow": int(follow.get((i, r), 0)), "deviance": float(judged.surprise[i][r]), "protected": judged.protected[i],
    }  # fmt: skip


def rarity_rows(judged: Judged, reference: Reference, people: float) -> pd.DataFrame:
    """One row an order and class of rarity: cells of the reference, how many are missing, and how many would be by chance.

    Columns: reference; k; rarity (class of the reference's count: records of a sample, people of a census or fit); cells; missing
    (of which nobody is in the population); missing_floor (expected for a perfect sample of the population's size, exact); people
    (of the reference, in missing cells). Impossible cells are left out.
    """
    parts = []
    for table, basis, bars in zip(judged.tables, judged.bases, judged.forbidden, strict=True):
        some = (table.expected > 0) & ~bars
        if not basis.expected or not basis.observed or not some.any():
            continue
        count = table.expected if basis.known else table.records
        edges = np.array([first for first, _ in RARITY])
        gone = some & (table.observed == 0)
        lost = expected_lost(table.expected / basis.expected, people)
        parts.append(
            pd.DataFrame(
                {
                    "k": len(table.at), "band": (np.searchsorted(edges, count + 1e-9, side="right") - 1)[some], "cells": 1,
                    "missing": gone[some].astype(int), "missing_floor": lost[some],
                    "people": np.where(gone, table.expected, 0)[some],
                }
            )
        )  # fmt: skip
    if not parts:
        return pd.DataFrame(columns=list(RARITY_COLUMNS))
    out = pd.concat(parts).groupby(["k", "band"], as_index=False).sum()
    out["rarity"] = [RARITY[b][1] for b in out["band"]]
    return out.assign(reference=reference.name)[list(RARITY_COLUMNS)]
