"""Tables that disagree are settled: one total a universe and zone, equal shared margins, the fewest people moved, no bias.

Census 2021 counts are perturbed cell by cell (cell key method: ONS 2023, "Protecting personal data in Census 2021
results"), so two tables of one zone differ in their totals by a few people and no population can meet both. Every table is
moved to the median total of its universe, or to that of a table the user trusts; a universe that the cells of a settled
table add up to (people aged 16 and over, within age) takes that sum. Tables of households are settled among themselves. Exact
tables come through untouched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from synthpop_gb.codebook import Variable
from synthpop_gb.errors import Finding, finding
from synthpop_gb.harmonisation._words import listed, number
from synthpop_gb.harmonisation.cells import Draft
from synthpop_gb.harmonisation.margins import block_sums, cells_inside, shared_blocks
from synthpop_gb.harmonisation.universe import contains, signature
from synthpop_gb.problem import zone_key

__all__ = ["Settled", "Trusted", "settle_drafts"]


@dataclass(frozen=True, eq=False)
class Trusted:
    """A table whose totals are taken as they are: name, total (n_zones,) float64, signature of its universe."""

    name: str
    total: np.ndarray
    mark: Mapping[str, frozenset[str]]


@dataclass(frozen=True, eq=False)
class Settled:
    """What settling made of the constraints.

    targets : one (n_zones, n_cells) float64 array of whole numbers a draft; changes, floor : as in `Aligned`.
    """

    targets: list[np.ndarray]
    changes: pd.DataFrame
    floor: pd.Series


class _Words(NamedTuple):
    """What findings are called, and the rows that they speak of."""

    code: str
    place: str
    places: str | None

    def count(self, n: int) -> str:
        return number(n, self.place, self.places)


@dataclass(frozen=True, eq=False)
class _Draws:
    """Random streams of every zone, one a purpose's name; the zones' keys are hashed only where a table must be settled."""

    zones: pd.Index
    seed: int

    @cached_property
    def keys(self) -> np.ndarray:
        """Hash of every zone's code: (n_zones,) uint64."""
        return np.array([zone_key(code) for code in self.zones.tolist()], dtype=np.uint64)

    def streams(self, name: str) -> np.ndarray:
        """State of every zone's stream of that name: (n_zones,) uint64."""
        from synthpop_gb.kernels.streams import SETTLE, stream_keys

        return stream_keys(self.seed, self.keys, np.uint64(zone_key(name)), SETTLE)

    def uniforms(self, name: str) -> np.ndarray:
        """First draw of every zone's stream of that name: (n_zones,) float64 in [0, 1)."""
        from synthpop_gb.kernels.settle import uniforms

        return uniforms(self.streams(name))


def settle_drafts(
    drafts: Sequence[Draft],
    zones: pd.Index,
    variables: Mapping[str, Variable],
    shares: Sequence[np.ndarray],
    *,
    trusted: Trusted | None = None,
    seed: int = 0,
    settled: int = 0,
    code: str = "total-mismatch",
    place: str = "zone",
    places: str | None = None,
) -> tuple[Settled, list[Finding]]:
    """Bring constraints to totals and shared margins that agree.

    Parameters
    ----------
    drafts : constraints, in the study's order, all with the same zones.
    variables : the survey's variables, which tell one universe from another.
    shares : one (n_cells,) array a draft, the survey's people in each cell: how a table without anybody is filled.
    trusted : the table whose totals its universe takes; None = the median of the universe's tables.
    seed : fixes the draws; zone z of table t has the same draw whichever zones and tables are there besides.
    settled : how many of the drafts, the first ones, are settled already: the others are moved to them.
    code, place, places : code of the findings, and what the rows are called in them, one and several.

    Returns `Settled` and findings: 'total-mismatch', or `code` (totals or shared margins differ; an error where totals differ by
    a fifth of all people, since they cannot count the same ones), 'perturbed'.
    """
    draws = _Draws(zones, seed)
    marks = [signature(d.universe, variables) for d in drafts]
    done: dict[int, np.ndarray] = {i: drafts[i].published for i in range(settled)}
    known, say = set(done), _Words(code, place, places)
    findings: list[Finding] = []
    for group in _universes(marks):
        members = [drafts[i] for i in group]
        total, implied = _total(members, marks[group[0]], drafts, marks, done, trusted, draws)
        findings += _mismatch(members, marks[group[0]], total, implied, zones, trusted, say)
        for i in sorted(group, key=lambda i: (drafts[i].source != (trusted.name if trusted else None), len(drafts[i].cells))):
            if i in known:
                continue
            done[i] = _settle(drafts[i], marks[i], drafts, marks, done, total, shares[i], draws)
    targets = [done[i] for i in range(len(drafts))]
    findings += _margins_moved(drafts, marks, targets, zones, say)
    findings += _still_apart(drafts, marks, targets, zones, say)
    changes, floor = _changes(drafts, targets, zones)
    findings += _perturbed(drafts, changes, floor)
    return Settled(targets, changes, floor), findings


def _universes(marks: list[dict]) -> list[list[int]]:
    """Positions of the drafts by universe, wider universes first, else in the order given."""
    groups: list[list[int]] = []
    for i, mark in enumerate(marks):
        same = next((g for g in groups if marks[g[0]] == mark), None)
        groups.append([i]) if same is None else same.append(i)
    return sorted(groups, key=lambda g: sum(contains(marks[h[0]], marks[g[0]]) for h in groups))


def _total(members, mark, drafts, marks, done, trusted, draws) -> tuple[np.ndarray, Draft | None]:
    """Total of one universe by zone, whole; and the settled table that implies it, if one does."""
    if trusted is not None and trusted.mark == mark:
        return np.floor(trusted.total + 0.5), None
    for i, cells in done.items():
        inside = cells_inside(drafts[i], marks[i], members[0].universe, mark)
        if inside is not None:
            return cells[:, inside].sum(axis=1), drafts[i]
    sums = np.stack([d.published.sum(axis=1) for d in {d.source: d for d in members}.values()])
    middle = np.median(sums, axis=0)
    half = middle != np.floor(middle)
    if half.any():  # the median of an even number of tables can lie between two people: either, with the right chance
        name = "total " + repr(sorted((k, sorted(v)) for k, v in mark.items() if v != frozenset(["person"]) or k))
        middle[half] = np.floor(middle[half] + draws.uniforms(name)[half])
    for i, cells in done.items():
        if contains(marks[i], mark):
            middle = np.minimum(middle, cells.sum(axis=1))
    return middle, None


def _settle(draft, mark, drafts, marks, done, total, share, draws) -> np.ndarray:
    """Move one table to its universe's total and to the margins that it shares with tables settled before."""
    from synthpop_gb.kernels.settle import meet_margins, settle

    margins = _margins(draft, mark, drafts, marks, done, total)
    whole = bool((draft.published == np.floor(draft.published)).all())
    if whole and all(np.array_equal(block_sums(draft.published, block, totals.shape[1]), totals) for block, totals in margins):
        return draft.published
    block, totals = margins[0]
    filled = share.astype(np.float64).copy()
    for b in range(totals.shape[1]):
        if not filled[block == b].any():  # no record is in this block: the check of empty cells says so
            filled[block == b] = 1.0
    out = np.empty_like(draft.published)
    settle(draft.published, block, np.ascontiguousarray(totals), filled, draws.streams(draft.name), out)
    if len(margins) > 1:
        first = np.cumsum([0, *(t.shape[1] for _, t in margins[:-1])])
        blocks = np.stack([b + offset for (b, _), offset in zip(margins, first, strict=True)]).astype(np.int32)
        weight = np.where(out.any(axis=1, keepdims=True) & ~draft.published.any(axis=1, keepdims=True), filled, draft.published)
        meet_margins(out, weight, blocks, np.concatenate([t for _, t in margins], axis=1), draws.streams(f"margins {draft.name}"))
    return out


def _margins(draft, mark, drafts, marks, done, total) -> list[tuple[np.ndarray, np.ndarray]]:
    """Blocks of a table's cells and their totals by zone: shared margins, the finest first, else the total alone."""
    found = []
    for i, cells in done.items():
        shared = shared_blocks(drafts[i], marks[i], draft, mark)
        if shared is not None and shared[1].any():
            found.append((shared[1], block_sums(cells, shared[0], int(shared[1].max()) + 1)))
    found.sort(key=lambda margin: -margin[1].shape[1])
    kept: list[tuple[np.ndarray, np.ndarray]] = []
    for block, totals in found:
        finer = (len(np.unique(np.stack([b, block]), axis=1).T) == b.max() + 1 for b, _ in kept)
        if not any(finer):  # a margin of a margin is met with it
            kept.append((block, totals))
    return kept or [(np.zeros(draft.published.shape[1], np.int32), total[:, None])]


def _mismatch(
    members: list[Draft],
    mark: dict,
    total: np.ndarray,
    implied: Draft | None,
    zones: pd.Index,
    trusted: Trusted | None,
    say: _Words,
) -> list[Finding]:
    """Say where the tables of one universe differ in their totals, or from the total implied for them."""
    sums = {d.source: d.published.sum(axis=1) for d in members}
    shown = {**sums, f"implied by {implied.name}": total} if implied else sums
    stacked = np.stack(list(shown.values()))
    gap = stacked.max(axis=0) - stacked.min(axis=0)
    off = gap > 0
    if not off.any():
        return []
    worst = int(np.argmax(gap))
    who = members[0].universe.name
    gross = gap.sum() > 0.2 * max(1.0, np.median(stacked, axis=0).sum())
    rows = pd.DataFrame({"zone": zones[off], **{k: v[off] for k, v in shown.items()}, "settled": total[off], "gap": gap[off]})
    message = (
        f"{listed(shown, 6)} disagree on {who} in {off.sum():,} of {say.count(len(zones))} "
        f"(largest gap {gap[worst]:,.0f}, {zones[worst]})."
    )
    if gross and not (trusted and (trusted.mark == mark or (implied and implied.source == trusted.name))):
        return [finding(say.code, message, place=listed(sums, 6), count=int(off.sum()), rows=rows, level="error",
                        why="Tables that differ by more than a fifth do not count the same people.",
                        remedy="Check the universe of each table; or name the one to trust with `total_from`.")]  # fmt: skip
    return [finding(say.code, message, place=listed(sums, 6), count=int(off.sum()), rows=rows)]


def _margins_moved(drafts, marks, targets, zones, say) -> list[Finding]:
    """Say which tables were moved further than their totals ask for: they shared a margin with a table, and it differed."""
    findings = []
    for i, (draft, new) in enumerate(zip(drafts, targets, strict=True)):
        change = new - draft.published
        extra = np.abs(change).sum(axis=1) - np.abs(change.sum(axis=1))
        extra[(draft.published != np.floor(draft.published)).any(axis=1)] = 0.0  # fractions are rounded: nobody disagreed
        off = extra > 0
        if not off.any():
            continue
        others = []
        for j, other in enumerate(drafts):
            shared = shared_blocks(other, marks[j], draft, marks[i]) if i != j else None
            if shared is None or not shared[1].any():
                continue
            n = int(shared[1].max()) + 1
            if (block_sums(other.published, shared[0], n) != block_sums(draft.published, shared[1], n))[off].any():
                others.append(other.name)
        worst = int(np.argmax(extra))
        moved = np.abs(change).sum(axis=1)
        who = ("household", "households") if draft.universe.unit == "household" else ("person", "people")
        message = (
            f"{draft.name} disagrees with {listed(others, 6)} on the margins they share in {off.sum():,} of "
            f"{say.count(len(zones))}; {number(int(moved[off].sum()), *who)} moved there "
            f"(most {moved[worst]:,.0f}, {zones[worst]})."
        )
        rows = pd.DataFrame({"zone": zones[off], "moved": moved[off], "beyond_total": extra[off]})
        findings.append(
            finding(say.code, message, place=draft.name, count=int(off.sum()), rows=rows,
                    why="Tables must agree on the margins they share before both can be met.",
                    remedy="Nothing: the table was moved to the shared margins and the change is reported.")
        )  # fmt: skip
    return findings


def _still_apart(drafts, marks, targets, zones, say) -> list[Finding]:
    """Say which pairs of constraints still have different shared margins: three tables in a ring cannot all be settled."""
    findings = []
    for i in range(len(drafts)):
        for j in range(len(drafts)):
            blocks = (
                shared_blocks(drafts[i], marks[i], drafts[j], marks[j])
                if i != j and not (j < i and marks[i] == marks[j])
                else None
            )
            if blocks is None:
                continue
            n = int(blocks[1].max()) + 1
            gap = np.abs(block_sums(targets[i], blocks[0], n) - block_sums(targets[j], blocks[1], n)).sum(axis=1)
            if gap.any():
                worst = int(np.argmax(gap))
                names = f"{drafts[i].name}, {drafts[j].name}"
                message = (
                    f"{names} still disagree on what they share in {say.count(int((gap > 0).sum()))} after settling totals "
                    f"(largest gap {gap[worst]:,.0f}, {zones[worst]})."
                )
                rows = pd.DataFrame({"zone": zones[gap > 0], "gap": gap[gap > 0]})
                findings.append(
                    finding(say.code, message, place=names, count=int((gap > 0).sum()), rows=rows,
                            why="Both cannot be met there.", remedy="Leave out the table that matters less.")
                )  # fmt: skip
    return findings


def _changes(drafts: Sequence[Draft], targets: list[np.ndarray], zones: pd.Index) -> tuple[pd.DataFrame, pd.Series]:
    """List what settling changed by table and zone, and the floor: what people who meet all settled counts differ by."""
    frames, floor = [], np.zeros(len(zones))
    for draft, new in zip(drafts, targets, strict=True):
        moved = np.abs(new - draft.published)
        z = np.flatnonzero(moved.any(axis=1))
        published, settled = draft.published[z].sum(axis=1), new[z].sum(axis=1)
        floor[z] += moved[z].sum(axis=1)
        frames.append(pd.DataFrame({
            "table": draft.name, "zone": zones[z], "published": published, "settled": settled,
            "cells_changed": (moved[z] > 0).sum(axis=1), "people_moved": moved[z].sum(axis=1),
        }))  # fmt: skip
    return pd.concat(frames, ignore_index=True), pd.Series(floor, index=zones, name="floor")


def _perturbed(drafts: Sequence[Draft], changes: pd.DataFrame, floor: pd.Series) -> list[Finding]:
    """Note which tables the publisher perturbed, and how far from them any population must stay."""
    names = [d.name for d in drafts if d.standard_error > 0]
    if not names:
        return []
    units = {d.universe.unit for d in drafts}
    who = "people" if units == {"person"} else "households" if units == {"household"} else "people and households"
    message = (
        f"{listed(names, 6)}: the publisher perturbed the counts; settling them moved {changes.people_moved.sum():,.0f} {who} "
    )
    message += f"({floor.mean():.1f} a zone on average, {floor.max():,.0f} at most)."
    return [finding("perturbed", message, place=listed(names, 6), count=len(names))]
