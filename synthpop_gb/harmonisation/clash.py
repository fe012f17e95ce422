"""Combinations that the tables ask for and no record has: found by counting, before anything is fitted.

If no record has a cell of R, a cell of S and a cell of T at once, then of N people each lacks at least one of the three, so
t(R) + t(S) + t(T) <= 2 N; of two sets, t(R) + t(S) <= N (Bonferroni's inequality; the condition of Gale, 1957, "A theorem
on flows in networks", for two tables). Largest such sets are listed once for the survey; each zone is then a sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding, finding
from synthpop_gb.harmonisation._words import listed, number

__all__ = ["Box", "clashes", "empty_boxes", "find_clashes"]

Box = tuple[tuple[int, frozenset[int]], ...]
"""Sets of cells that no record has at once: (constraint, its cells) twice or three times."""

MOST_RECTANGLES = 1_000
"""Rectangles kept of one pair of constraints; beyond that a clash may go unnoticed, but none is ever invented."""

MOST_CELLS = 20_000
"""Combinations of three constraints' cells beyond which only pairs are looked at."""

MOST_BOXES = 4_000
"""Boxes tested in every zone, those first that the zones come nearest to."""


def empty_boxes(cell_of: np.ndarray, sizes: Sequence[int], share: Sequence[np.ndarray] | None = None) -> list[Box]:
    """Largest sets of cells of two or three constraints that no profile has at once.

    cell_of : (n_constraints, n_profiles) integers, 0 to sizes[c] - 1, every cell met at least once.
    share : one (n_cells,) array a constraint, each cell's largest share of a zone's people. Where it is given, boxes that no
        zone can overfill are left out.

    >>> empty_boxes(np.array([[0, 0, 1], [0, 1, 1]]), [2, 2])
    [((0, frozenset({1})), (1, frozenset({0})))]
    """
    share = share or [np.ones(n) for n in sizes]
    found: dict[Box, None] = {}
    for a, b in combinations(range(len(sizes)), 2):
        support = np.zeros((sizes[a], sizes[b]), bool)
        support[cell_of[a], cell_of[b]] = True
        found.update({((a, rows), (b, columns)): None for rows, columns in _rectangles(support, share[a], share[b])})
    for three in combinations(range(len(sizes)), 3):
        if np.prod([sizes[k] for k in three]) > MOST_CELLS:
            continue
        support = np.zeros([sizes[k] for k in three], bool)
        support[tuple(cell_of[k] for k in three)] = True
        if not support.all():
            found.update(dict.fromkeys(_slices(support, three, share)))
    return list(found)


def _slices(support: np.ndarray, three: tuple[int, ...], share: Sequence[np.ndarray]) -> list[Box]:
    """Empty boxes of three constraints that start from one cell of one of them, grown to every cell that shares the hole."""
    boxes = []
    for axis in range(3):
        turned = np.moveaxis(support, axis, 0)
        b, c = (three[k] for k in range(3) if k != axis)
        for cell in range(len(turned)):
            for rows, columns in _rectangles(turned[cell], share[b], share[c]):
                if len(rows) == turned.shape[1] or len(columns) == turned.shape[2]:
                    continue  # says no more than the pair does
                hole = turned[np.ix_(range(len(turned)), sorted(rows), sorted(columns))].any(axis=(1, 2))
                if not hole.any():
                    continue  # the pair of the other two again
                parts = {three[axis]: frozenset(np.flatnonzero(~hole).tolist()), b: rows, c: columns}
                boxes.append(tuple(sorted(parts.items())))
    return boxes


def _rectangles(
    support: np.ndarray, row_share: np.ndarray, column_share: np.ndarray
) -> list[tuple[frozenset[int], frozenset[int]]]:
    """Largest empty rectangles of a boolean matrix, by closing the rows' holes under intersection; only those that matter."""
    if support.all():
        return []
    holes = [frozenset(np.flatnonzero(~row).tolist()) for row in support]
    closed: dict[frozenset[int], None] = {}
    for hole in holes:
        if len(closed) > MOST_RECTANGLES:
            break
        closed.update({h: None for h in [hole, *(hole & other for other in closed)] if h})
    found = []
    for columns in closed:
        rows = frozenset(i for i, hole in enumerate(holes) if columns <= hole)
        if min(1.0, row_share[list(rows)].sum()) + min(1.0, column_share[list(columns)].sum()) > 1.0:
            found.append((rows, columns))
    return found


def find_clashes(cell_of: np.ndarray, targets: Sequence[np.ndarray]) -> list[tuple[Box, np.ndarray]]:
    """Boxes that some zone overfills: (box, people too many by zone, a number of at most nought where the zone does not).

    cell_of : (n_constraints, n_profiles) integers as for `empty_boxes`.
    targets : one (n_zones, n_cells) float64 array a constraint, whole numbers.
    """
    people = targets[0].sum(axis=1)
    shares = [np.divide(t, people[:, None], out=np.zeros_like(t), where=people[:, None] > 0).max(axis=0) for t in targets]
    boxes = empty_boxes(cell_of, [t.shape[1] for t in targets], shares)
    reach = np.array([sum(min(1.0, shares[k][list(cells)].sum()) for k, cells in box) - (len(box) - 1) for box in boxes])
    likely = [boxes[i] for i in np.argsort(-reach, kind="stable")[:MOST_BOXES] if reach[i] > 0]
    start = np.concatenate([[0], np.cumsum([t.shape[1] for t in targets])])
    together = np.concatenate(targets, axis=1)
    found = []
    for first in range(0, len(likely), 256):
        part = likely[first : first + 256]
        member = np.zeros((together.shape[1], len(part)))
        for j, box in enumerate(part):
            for k, cells in box:
                member[start[k] + np.array(sorted(cells)), j] = 1.0
        excess = together @ member - people[:, None] * (np.array([len(box) for box in part]) - 1)  # whole numbers: exact
        found += [(part[j], excess[:, j]) for j in np.flatnonzero((excess > 0.5).any(axis=0))]
    return found


def clashes(
    names: Sequence[str],
    labels: Sequence[Sequence[str]],
    targets: Sequence[np.ndarray],
    found: Sequence[tuple[Box, np.ndarray]],
    zones: pd.Index,
    words: tuple[str, str] = ("zone", "zones"),
) -> list[Finding]:
    """One 'structural-clash' finding for each set of tables that clash, pairs first, with the worst cause in every zone as rows.

    A zone is named once, with the smallest set of tables that explains it.

    names, labels, targets : by constraint, name, labels of the cells, and (n_zones, n_cells) targets.
    words : what the zones are called, one and several: areas of a level clash in the same way.
    """
    by_tables: dict[tuple[int, ...], list[tuple[Box, np.ndarray]]] = {}
    for box, excess in found:
        by_tables.setdefault(tuple(k for k, _ in box), []).append((box, excess))
    findings, told = [], np.zeros(len(zones), bool)
    for tables, members in sorted(by_tables.items(), key=lambda item: len(item[0])):
        excess = np.stack([e for _, e in members])
        worst_box, worst = excess.argmax(axis=0), np.where(told, 0.0, excess.max(axis=0))
        where = np.flatnonzero(worst > 0.5)
        if not len(where):
            continue  # two of these tables clash already
        told |= worst > 0.5
        where = where[np.argsort(-worst[where], kind="stable")]
        causes = [_cause(members[worst_box[z]][0], names, labels, targets, int(z)) for z in where[:1000]]
        rows = pd.DataFrame({"zone": zones[where[:1000]], "people": worst[where[:1000]], "cause": causes})
        title = " and ".join(names[k] for k in tables)
        verb = "asks" if len(where) == 1 else "ask"
        message = (
            f"{title}: {number(len(where), *words)} {verb} for combinations that no record has ({listed(zones[where], 5)}); "
            f"worst in {zones[where[0]]}: {causes[0]}."
        )
        findings.append(finding("structural-clash", message, place=title, count=len(where), rows=rows))
    return findings


def _cause(box: Box, names: Sequence[str], labels: Sequence[Sequence[str]], targets: Sequence[np.ndarray], zone: int) -> str:
    """Say who is wanted, and why so many cannot be had, for one box in one zone."""
    k, cells = min(
        box, key=lambda part: (len(part[1]) + sum(len(labels[j]) - len(out) for j, out in box if j != part[0]), part[0])
    )
    wanted = targets[k][zone, sorted(cells)].sum()
    others, possible = [], 0.0
    for j, out in box:
        if j == k:
            continue
        rest = [c for c in range(len(labels[j])) if c not in out]
        room = targets[j][zone, rest].sum()
        possible += room
        others.append(f"{names[j]} {listed((labels[j][c] for c in rest), 4)} ({room:,.0f} people)")
    who = listed((labels[k][c] for c in sorted(cells)), 4)
    excess = f"{wanted - possible:,.0f} too many"
    return f"{names[k]} {who} is wanted by {wanted:,.0f} people, but all its records have {' or '.join(others)}: {excess}"
