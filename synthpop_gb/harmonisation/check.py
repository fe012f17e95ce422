"""Survey against settled tables: cells that nobody can fill, cells that few must fill, and tables that clash."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthpop_gb.errors import Finding, finding
from synthpop_gb.harmonisation._words import listed, number
from synthpop_gb.harmonisation.cells import Draft
from synthpop_gb.harmonisation.clash import clashes, find_clashes
from synthpop_gb.kernels.collapse import collapse
from synthpop_gb.microdata import Microdata

__all__ = ["check_donors", "check_nested", "check_years"]

COPIES = 10.0
"""People of one zone that a record of a cell stands for on average, from which the cell is called thin ..."""

TIMES = 5.0
"""... if that is also so many times what the average record of the survey stands for there."""


def check_years(survey: Microdata, drafts: Sequence[Draft]) -> list[Finding]:
    """'vintage-mismatch' where survey and tables, or the tables among themselves, describe different years."""
    findings = []
    years = sorted({d.year for d in drafts if d.year is not None})
    if len(years) > 1:
        message = f"The tables describe different years: {'; '.join(f'{y}: {listed(_of_year(drafts, y), 6)}' for y in years)}."
        why, remedy = (
            "People move, age and die between censuses, so the tables are not of the same people.",
            "Use tables of one year.",
        )
        findings.append(finding("vintage-mismatch", message, place="constraints", count=len(years), why=why, remedy=remedy))
    off = {d.source: d.year for d in drafts if d.year is not None and survey.year is not None and d.year != survey.year}
    if not off:
        return findings
    message = f"{survey.name} describes {survey.year}, {listed(off, 6)} {listed(sorted(set(off.values())))}."
    return [*findings, finding("vintage-mismatch", message, place=survey.name, count=len(off))]


def _of_year(drafts: Sequence[Draft], year: int) -> list[str]:
    """Names of the tables of one year."""
    return list(dict.fromkeys(d.source for d in drafts if d.year == year))


def check_donors(
    drafts: Sequence[Draft],
    targets: Sequence[np.ndarray],
    record_cell: Sequence[np.ndarray],
    weight: np.ndarray,
    zones: pd.Index,
    unit: np.ndarray | None = None,
) -> list[Finding]:
    """Everything that keeps records from filling the settled targets.

    drafts, targets, record_cell : by constraint; targets (n_zones, n_cells), record_cell (n_records,) of usable records.
    weight : (n_records,) float64 > 0.
    unit : (n_records,) household of each record, where whole households are placed. A cell is then filled if some household
        has such a member, and none of its members a cell that nobody is to have there. Tables of persons and of households
        are compared among themselves for clashes: what no person can be, no member of a household can be.

    Findings: 'empty-zone', 'few-records', 'empty-cell' (an error where no record is in the cell at all, a warning where the
    other tables exclude all of them in one zone), 'thin-donors', 'structural-clash'.
    """
    if not len(weight):
        message = "No record of the survey can be used: each lacks a weight, a value or a place in some table's universe."
        return [finding("few-records", message, place="survey", level="error", why="Nobody can stand for anybody.",
                        remedy="Look at the other findings about the survey.")]  # fmt: skip
    cells = np.stack(record_cell)
    effective = [_effective(c, t.shape[1], weight) for c, t in zip(cells, targets, strict=True)]
    kinds = [[k for k, d in enumerate(drafts) if (d.universe.unit == "household") == homes] for homes in (False, True)]
    groups = [
        _Group(kind, cells[kind], weight, [targets[k] for k in kind], homes)
        for homes, kind in zip((False, True), kinds, strict=True)
        if kind
    ]
    findings = _empty_zones(np.max([t.sum(axis=1) for t in targets], axis=0), zones) + _few_records(groups[0])
    findings += _empty_anywhere(drafts, targets, effective, zones)
    findings += _empty_here(drafts, targets, _together(cells, targets, weight, unit), effective, zones)
    findings += _thin(drafts, targets, effective, groups, zones)
    return findings + [f for g in groups for f in _clashes([drafts[k] for k in g.kind], g.targets, g.profiles, zones)]


class _Group:
    """Constraints of one unit, with the records that stand for it: everybody, or the first member of each household.

    kind : positions of the constraints; profiles : (n_constraints, n_profiles) distinct combinations of cells;
    people : (n_zones,) units of the zones; weight : (n_records,) of the records; targets : by constraint.
    """

    def __init__(self, kind: list[int], cells: np.ndarray, weight: np.ndarray, targets: list[np.ndarray], homes: bool):
        if homes:
            spokesmen = (cells >= 0).any(axis=0)
            cells, weight = cells[:, spokesmen], weight[spokesmen]
        first, _ = collapse(cells, [t.shape[1] for t in targets])
        self.kind, self.targets, self.weight, self.homes, self.profiles = kind, targets, weight, homes, cells[:, first]
        self.people = np.max([t.sum(axis=1) for t in targets], axis=0)

    @property
    def effective(self) -> float:
        """Effective number of records, (sum w)^2 / sum w^2 (Kish 1965)."""
        return float(self.weight.sum() ** 2 / (self.weight**2).sum()) if len(self.weight) else 1.0  # nobody: said elsewhere


def _together(cells: np.ndarray, targets: Sequence[np.ndarray], weight: np.ndarray, unit: np.ndarray | None) -> np.ndarray:
    """(n_profiles, width) int32: cells, numbered across constraints, that come together, -1 = none; the commonest sets first.

    Those of one record, or of all members of a household.
    """
    start = np.concatenate([[0], np.cumsum([t.shape[1] for t in targets])]).astype(np.int32)
    if unit is None:
        first, inverse = collapse(cells, [t.shape[1] for t in targets])
        numbered = np.where(cells[:, first] >= 0, cells[:, first] + start[:-1, None], -1).T
        mass = np.bincount(inverse, weights=weight)
    else:
        table, record = np.nonzero(cells >= 0)
        home, _ = pd.factorize(unit)
        one = np.sort(home[record].astype(np.int64) * start[-1] + cells[table, record] + start[table])
        one = one[np.append(True, one[1:] > one[:-1])[: len(one)]]  # each cell once
        of, cell = one // start[-1], one % start[-1]
        place = np.arange(len(one)) - np.searchsorted(of, of)
        rows = np.full((int(home.max()) + 1, int(place.max(initial=0)) + 1), -1, np.int32)
        rows[of, place] = cell
        numbered, inverse = np.unique(rows, axis=0, return_inverse=True)
        mass = np.bincount(inverse.reshape(-1)[home], weights=weight)
    return np.ascontiguousarray(numbered[np.argsort(-mass, kind="stable")].astype(np.int32))


def _effective(cell: np.ndarray, n_cells: int, weight: np.ndarray) -> np.ndarray:
    """Effective number of records in each cell, (sum w)^2 / sum w^2 (Kish 1965); nought where there is none."""
    inside = cell >= 0
    total = np.bincount(cell[inside], weights=weight[inside], minlength=n_cells)
    square = np.bincount(cell[inside], weights=weight[inside] ** 2, minlength=n_cells)
    return np.divide(total**2, square, out=np.zeros(n_cells), where=square > 0)


def _empty_zones(people: np.ndarray, zones: pd.Index) -> list[Finding]:
    empty = zones[people == 0]
    if not len(empty):
        return []
    message = f"{number(len(empty), 'zone has', 'zones have')} no people: {listed(empty)}."
    return [finding("empty-zone", message, place="zones", count=len(empty), rows=pd.DataFrame({"zone": empty}))]


def _few_records(group: _Group) -> list[Finding]:
    people, effective, n = group.people, group.effective, len(group.weight)
    typical = float(np.median(people)) if len(people) else 0.0
    if typical <= 2 * effective:
        return []
    message = (
        f"{number(n, 'household' if group.homes else 'record')} ({effective:,.0f} effective) stand for {people.sum():,.0f} "
        f"{'households' if group.homes else 'people'} in {number(len(people), 'zone')}: in the middle one each stands for "
        f"{typical / effective:,.1f}."
    )
    return [finding("few-records", message, place="survey", count=n)]


def _units(draft: Draft) -> tuple[str, str]:
    """Return what a table counts and what the survey has of it, in words."""
    return ("households", "household") if draft.universe.unit == "household" else ("persons", "microdata record")


def _empty_anywhere(
    drafts: Sequence[Draft], targets: Sequence[np.ndarray], effective: Sequence[np.ndarray], zones: pd.Index
) -> list[Finding]:
    """One finding a cell that people are wanted in and no record has."""
    findings = []
    for draft, target, records in zip(drafts, targets, effective, strict=True):
        for c in np.flatnonzero((records == 0) & target.any(axis=0)):
            where = np.flatnonzero(target[:, c])
            worst = where[np.argmax(target[where, c])]
            who, record = _units(draft)
            message = (
                f"{draft.name} = {draft.label(c)!r} has {target[worst, c]:,.0f} target {who} in {zones[worst]} "
                f"({target[:, c].sum():,.0f} in {number(len(where), 'zone')}) and no {record} anywhere."
            )
            rows = pd.DataFrame({"zone": zones[where], "table": draft.name, "cell": draft.label(c), "target": target[where, c]})
            findings.append(finding("empty-cell", message, place=draft.name, count=len(where), rows=rows))
    return findings


def _empty_here(
    drafts: Sequence[Draft], targets: Sequence[np.ndarray], cell_of: np.ndarray, effective: Sequence[np.ndarray], zones: pd.Index
) -> list[Finding]:
    """One finding a constraint for cells all of whose records have, in that zone, some other cell of target nought."""
    from synthpop_gb.kernels.support import supported

    start = np.concatenate([[0], np.cumsum([t.shape[1] for t in targets])]).astype(np.int32)
    together = np.concatenate(targets, axis=1)
    lost = (together > 0) & ~supported(cell_of, together) & (np.concatenate(effective) > 0)
    findings = []
    for k, draft in enumerate(drafts):
        z, c = np.nonzero(lost[:, start[k] : start[k + 1]])
        if not len(z):
            continue
        wanted = targets[k][z, c]
        worst = int(np.argmax(wanted))
        rows = pd.DataFrame({"zone": zones[z], "table": draft.name, "cell": [draft.label(j) for j in c], "target": wanted})
        message = (
            f"{draft.name} = {draft.label(c[worst])!r} has {wanted[worst]:,.0f} target {_units(draft)[0]} in {zones[z[worst]]}, "
            f"where every record of it has some other characteristic that nobody is to have there ({number(len(z), 'such cell')} "
            f"in {number(len(set(z)), 'zone')})."
        )
        findings.append(finding("empty-cell", message, place=draft.name, count=len(z), rows=rows, level="warning"))
    return findings


def _thin(
    drafts: Sequence[Draft],
    targets: Sequence[np.ndarray],
    effective: Sequence[np.ndarray],
    groups: Sequence[_Group],
    zones: pd.Index,
) -> list[Finding]:
    """One finding for all cells whose few records must stand for many people in some zone."""
    of_unit = {k: g.people / g.effective for g in groups for k in g.kind}
    rows = []
    for k, (draft, target, records) in enumerate(zip(drafts, targets, effective, strict=True)):
        usual = of_unit[k]
        copies = np.divide(target, records, out=np.zeros_like(target), where=records > 0)
        thin = (copies >= COPIES) & (copies >= TIMES * usual[:, None])
        for c in np.flatnonzero(thin.any(axis=0)):
            worst = int(np.argmax(np.where(thin[:, c], copies[:, c], 0)))
            rows.append(
                (draft.name, draft.label(c), records[c], int(thin[:, c].sum()), zones[worst], target[worst, c], copies[worst, c])
            )
    if not rows:
        return []
    frame = pd.DataFrame(
        rows, columns=["table", "cell", "effective_records", "zones", "worst_zone", "people", "people_per_record"]
    )
    frame = frame.sort_values("people_per_record", ascending=False, kind="stable", ignore_index=True)
    top = frame.iloc[0]
    who = "households" if next(d for d in drafts if d.name == top.table).universe.unit == "household" else "people"
    message = (
        f"{number(len(frame), 'cell has', 'cells have')} thin donors; worst: {top.table} = {top.cell!r}, "
        f"{top.people:,.0f} {who} in {top.worst_zone} from {top.effective_records:,.0f} effective records "
        f"({top.people_per_record:,.0f} {who} each)."
    )
    return [finding("thin-donors", message, place=top.table, count=len(frame), rows=frame)]


def check_nested(
    drafts: Sequence[Draft],
    targets: Sequence[np.ndarray],
    record_cell: Sequence[np.ndarray],
    areas: pd.Index,
    level: str,
) -> list[Finding]:
    """'structural-clash' between the tables of a level's areas and what is settled below them, added up.

    drafts, targets, record_cell : by constraint, those below and those of the level; targets (n_areas, n_cells), record_cell
        (n_records,) of usable records. Tables of households are passed over.
    areas : codes; level : its name. Clashes among tables below are said of the zones already.
    """
    kind = [k for k, d in enumerate(drafts) if d.universe.unit == "person"]
    if len(kind) < 2 or not len(areas):
        return []
    group = _Group(
        kind, np.stack([record_cell[k] for k in kind]), np.ones(len(record_cell[0])), [targets[k] for k in kind], False
    )
    mine = [drafts[k] for k in kind]
    names = [f"{d.name} of {d.request.level}" if d.request.level else f"{d.name} of its zones" for d in mine]
    above = {k for k, d in enumerate(mine) if d.request.level == level}
    return _clashes(mine, group.targets, group.profiles, areas, names, above, (f"area of {level}", f"areas of {level}"))


def _clashes(
    drafts: Sequence[Draft],
    targets: Sequence[np.ndarray],
    profiles: np.ndarray,
    zones: pd.Index,
    called: Sequence[str] | None = None,
    among: set[int] | None = None,
    words: tuple[str, str] = ("zone", "zones"),
) -> list[Finding]:
    """Structural clashes among constraints that can be compared: those that count everybody, with the others' rest as a cell.

    called : names, where they are others than the drafts'. among : constraints one of which must take part; None = any.
    """
    inside = (profiles >= 0).all(axis=1)
    total = targets[int(np.argmax(inside))].sum(axis=1)
    names, labels, cells, wanted, taking = [], [], [], [], set()
    for k, draft in enumerate(drafts):
        row, target, label = profiles[k], targets[k], [draft.label(c) for c in range(targets[k].shape[1])]
        if not inside[k]:
            if not inside.any():
                continue
            row = np.where(row < 0, target.shape[1], row)
            target = np.column_stack([target, np.maximum(0, total - target.sum(axis=1))])
            label = [*label, f"(not {draft.universe.name})"]
        met, row = np.unique(row, return_inverse=True)
        taking |= {len(names)} if among is None or k in among else set()
        names.append(draft.name if called is None else called[k])
        labels.append([label[c] for c in met])
        cells.append(row)
        wanted.append(np.ascontiguousarray(target[:, met]))
    if len(names) < 2:
        return []
    found = [(box, excess) for box, excess in find_clashes(np.stack(cells), wanted) if taking & {k for k, _ in box}]
    return clashes(names, labels, wanted, found, zones, words)
