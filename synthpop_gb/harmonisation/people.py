"""Households against people: how many can live in the households that the tables count, and who lives in none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from synthpop_gb.codebook import Universe, Variable
from synthpop_gb.errors import Finding, finding
from synthpop_gb.harmonisation._words import listed, number
from synthpop_gb.harmonisation.cells import Draft
from synthpop_gb.harmonisation.counts import prepare
from synthpop_gb.harmonisation.universe import signature
from synthpop_gb.harmonisation.view import View

__all__ = ["check_communal", "check_people"]

_BEYOND = (
    "Some of these people may live in communal establishments: use tables of residents in households, or add such residents to "
    "the survey and mark them with `communal`. Else check the sizes of the survey's households."
)

_NOISE = (
    "A few people apart is what the publisher's noise does: fitted softly, both are met as nearly as the noise allows. Of more, "
    "look for residents of communal establishments in the person tables, and at the sizes of the survey's households."
)

_RESIDENCE, _COMMUNAL = "residence_type", "communal establishment"


def check_people(
    drafts: Sequence[Draft],
    targets: Sequence[np.ndarray],
    record_cell: Sequence[np.ndarray],
    unit: np.ndarray,
    communal: np.ndarray,
    zones: pd.Index,
    variables: Mapping[str, Variable],
) -> list[Finding]:
    """'people-mismatch': zones whose person tables count more or fewer people than their households can have.

    A household of one cell has as many members in a universe of persons as the survey's households there: between the fewest
    and the most of them. Sums over the cells of a household table bound the people of the zone; outside the bounds no
    weights of any kind meet both tables. Sizes that end in '6 or more' bound loosely. Where the survey has communal residents
    in the universe, they may be any number, so there is no upper bound.

    Parameters
    ----------
    drafts, targets, record_cell : by constraint; targets (n_zones, n_cells) settled, record_cell (n_records,) usable records.
    unit : (n_records,) household of each record; communal : (n_records,) bool, residents of communal establishments.
    zones : codes; variables : the survey's, which tell one universe from another.

    Returns one finding a universe of persons, with every such zone: its people, the household table that bounds them most
    narrowly, the fewest and most people in its households, and the gap.
    """
    everywhere = signature(Universe("households", "household"), variables)
    bounding = [k for k, d in enumerate(drafts) if signature(d.universe, variables) == everywhere]
    findings, seen = [], []
    for k, draft in enumerate(drafts):
        mark = signature(draft.universe, variables)
        if draft.universe.unit == "household" or mark in seen or not bounding:
            continue
        seen.append(mark)
        inside = record_cell[k] >= 0
        members = np.bincount(unit[inside], minlength=int(unit.max(initial=-1)) + 1)
        total, open_ended = targets[k].sum(axis=1), bool((inside & communal).any())
        bounds = [_bounds(targets[h], record_cell[h], unit, members, open_ended) for h in bounding]
        gap = np.stack([np.maximum(np.maximum(low - total, total - high), 0.0) for low, high in bounds])
        worst = gap.max(axis=0)
        if not worst.any():
            continue
        table, where = gap.argmax(axis=0), np.flatnonzero(worst > 0)
        z = int(where[np.argmax(worst[where])])
        low, high = (np.array([bounds[table[i]][side][i] for i in where]) for side in (0, 1))
        said = f"{_whole(bounds[table[z]][0][z])} to {_whole(bounds[table[z]][1][z])}"
        message = (
            f"{draft.universe.name}: {number(len(where), 'zone counts', 'zones count')} other people than their households can "
            f"have; most in {zones[z]}, where {total[z]:,.0f} are counted and the households of "
            f"{drafts[bounding[table[z]]].name} have {said}."
        )
        rows = pd.DataFrame({
            "zone": zones[where], "people": total[where], "table": [drafts[bounding[table[i]]].name for i in where],
            "fewest": low, "most": high, "gap": worst[where],
        })  # fmt: skip
        noisy = draft.standard_error > 0 or any(drafts[h].standard_error > 0 for h in bounding)
        too_many = bool((total[where] > high).any()) and _RESIDENCE not in draft.universe.members
        remedy = _NOISE if noisy else _BEYOND if too_many else None
        findings.append(finding("people-mismatch", message, place=draft.universe.name, count=len(where), rows=rows,
                                remedy=remedy))  # fmt: skip
    return findings


def _bounds(
    target: np.ndarray, cell: np.ndarray, unit: np.ndarray, members: np.ndarray, open_ended: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Fewest and most people in each zone's households of one table: (n_zones,) each. Cells without a donor bound nothing."""
    n_cells, inside = target.shape[1], cell >= 0
    low, high = np.full(n_cells, np.inf), np.full(n_cells, -np.inf)
    np.minimum.at(low, cell[inside], members[unit[inside]])
    np.maximum.at(high, cell[inside], members[unit[inside]])
    unknown = ~np.isfinite(low)
    low[unknown], high[unknown] = 0.0, 0.0
    most = target @ high
    most[(target[:, unknown] > 0).any(axis=1)] = np.inf
    return target @ low, np.full(len(target), np.inf) if open_ended else most


def _whole(people: float) -> str:
    return f"{people:,.0f}" if np.isfinite(people) else "any number"


def check_communal(view: View, zones: pd.Index) -> list[Finding]:
    """'narrow-universe' (a warning): people in communal establishments whom tables count and the survey knows nobody of.

    The number by zone is that of a table of residence type, else what tables of all residents and of residents in households
    differ by; nothing is said where neither is among the study's tables.
    """
    if view.homes.communal.any():
        return []
    everybody = [d for d in view.constraints if d.universe.unit == "person" and _RESIDENCE not in d.universe.members]
    everybody = [d for d in everybody if _RESIDENCE not in view.tables[d.source].universe.members]
    if not everybody:
        return []
    source, people = _communal_people(view, zones)
    if people is None or not (people > 0).any():
        return []
    where = np.flatnonzero(people > 0)
    worst = int(where[np.argmax(people[where])])
    message = (
        f"{source} shows {people[where].sum():,.0f} people in communal establishments in {number(len(where), 'zone')} "
        f"(most {people[worst]:,.0f}, {zones[worst]}); {listed((d.name for d in everybody), 6)} count them, the survey does not."
    )
    rows = pd.DataFrame({"zone": zones[where], "people": people[where]})
    return [finding("narrow-universe", message, place=source, count=len(where), rows=rows, level="warning",
                    why="No household can stand for them, so people and households of these zones cannot both be met.",
                    remedy="Ask for tables of residents in households, or add residents of communal establishments to the "
                           "survey and mark them with `communal`.")]  # fmt: skip


def _communal_people(view: View, zones: pd.Index) -> tuple[str, np.ndarray | None]:
    """Name of the table, or pair of tables, that tells, and the people by zone: (n_zones,) float64, or None."""
    for name, table in view.tables.items():
        variable = next((v for v in table.variables if v.name == _RESIDENCE), None)
        if variable is None or (table.universe is not None and table.universe.unit != "person"):
            continue
        ready, _ = prepare(table, zones, zones)
        codes = {c.code for c in variable.categories if c.atoms == {_COMMUNAL}}
        mine = np.isin(ready.table.counts.columns.get_level_values(_RESIDENCE).astype(str), list(codes))
        if mine.any() and not ready.bad.any():
            return name, ready.values[:, mine].sum(axis=1)
    wide, narrow = {}, {}
    for name, table in view.tables.items():
        if table.universe is None or table.universe.unit != "person":
            continue
        members = {n: atoms for n, atoms in table.universe.members.items() if n not in (_RESIDENCE, "population_base")}
        residence = table.universe.members.get(_RESIDENCE)
        if not members and residence in (None, frozenset(["household"])):
            (narrow if residence else wide)[name] = table
    for (a, everybody), (b, housed) in ((x, y) for x in wide.items() for y in narrow.items()):
        left, right = prepare(everybody, zones, zones)[0], prepare(housed, zones, zones)[0]
        if not (left.bad.any() or right.bad.any()):
            cells = everybody.standard_error**2 * left.values.shape[1] + housed.standard_error**2 * right.values.shape[1]
            gap = left.values.sum(axis=1) - right.values.sum(axis=1)
            return f"{a} less {b}", np.where(gap > 3 * np.sqrt(cells), gap, 0.0)
    return "", None
