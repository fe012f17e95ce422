"""What is worth knowing of a place that fits or not: tables as published, closeness of the fit, donors, thin cells."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from synthpop_gb.validation.explanation.counted import Counted
from synthpop_gb.validation.explanation.donors import excluding, number_told
from synthpop_gb.validation.explanation.words import amount, cell_words, listed, share

__all__ = ["notes_of"]

COPIES, TIMES = 10.0, 5.0
"""A cell is thin where a donor stands for so many of the place, and for so many times what a donor does on average."""


def notes_of(counted: Counted, cells: pd.DataFrame, facts: Mapping[str, float]) -> tuple[str, ...]:
    """Say what is worth knowing, in sentences.

    cells : the explanation's table of cells; facts : of `donor_frame`.
    """
    found = [
        _closeness(counted),
        *_published(counted),
        *_settled(counted),
        *_noise(counted),
        *_donors(facts),
        *_noughts(counted),
        *_thin(counted, cells, facts),
    ]
    return tuple(sentence for sentence in found if sentence)


def _closeness(counted: Counted) -> str:
    if counted.fitted is None:
        return "The method keeps no fractional weights, so only whole units can be compared with the tables."
    against = counted.target if counted.population.settled is None else counted.goal
    off = np.abs(counted.fitted - against)
    zone, cell = np.unravel_index(np.argmax(off), off.shape)
    words = "every target" if counted.population.settled is None else "every whole table that it settled on"
    if off[zone, cell] < 0.005:
        above = _missed_above(counted)
        own = " of the zones' own" if above else ""
        return f"Fractional weights meet {words}{own} to {off[zone, cell]:.1g} of a person{above}."
    where, how = cell_words(*counted.problem.cells[cell]), amount(off[zone, cell], counted.units[cell])
    return f"Fractional weights are furthest from their aim at {where}: {how}."


def _missed_above(counted: Counted) -> str:
    """Say what the fit misses most of the tables of areas above the zones; nothing where it meets them."""
    status, levels = counted.population.status.iloc[counted.where], counted.problem.levels
    off = status[status["worst_cell"].astype(str).str.startswith(tuple(f"{level.name}: " for level in levels))] if levels else []
    if not len(off):
        return ""
    worst = off.loc[off["residual"].idxmax()]
    table, _, category = str(worst["worst_cell"]).partition(" = ")
    unit = "households" if counted.problem.counts_households(table) else "people"
    where, how = cell_words(table, category), amount(float(worst["residual"]), unit)
    return f", but miss tables of areas above them: most {where}, by {how}"


def _published(counted: Counted) -> list[str]:
    """Tables that disagree as published, by the unit they count: their totals, and what settling moved."""
    moved = np.abs(counted.target - counted.published).sum(axis=0)
    out = []
    first, tables = counted.problem.constraint_start, counted.aligned.constraints
    groups: dict[tuple[str, str], list[int]] = {}
    for k, table in enumerate(tables):
        groups.setdefault((table.universe.unit, table.universe.name), []).append(k)
    for members in groups.values():
        sums = {k: counted.published[:, first[k] : first[k + 1]].sum() for k in members}
        changed = sum(moved[first[k] : first[k + 1]].sum() for k in members)
        if changed < 0.5:
            continue
        unit = counted.units[first[members[0]]]
        totals = listed((f"{cell_words(tables[k].name)} {n:,.0f}" for k, n in sums.items()), 8)
        settled = counted.target[:, first[members[0]] : first[members[0] + 1]].sum()
        if len(set(np.round(list(sums.values()), 6))) > 1:
            words = (
                f"As published the tables disagree on how many {unit} there are: {totals}; they were settled at {settled:,.0f}"
            )
        else:
            words = f"As published some tables contradict each other ({totals} {unit})"
        out.append(f"{words}, which moved {amount(float(changed), unit)} in all. No population can meet them as published.")
    return out


def _settled(counted: Counted) -> list[str]:
    """Say what a fit to soft targets settled by itself."""
    if counted.population.settled is None:
        return []
    off = np.abs(counted.goal - counted.target).sum(axis=0)
    if off.sum() < 0.5:
        return []
    most = int(np.argmax(off))
    return [
        f"The tables are known with an error, so the fit weighed them against each other: {int((off >= 0.5).sum()):,} cells were "
        f"settled elsewhere, most {cell_words(*counted.problem.cells[most])} by {amount(float(off[most]), counted.units[most])}."
    ]


def _noise(counted: Counted) -> list[str]:
    """Say how many perturbed counts, as published, are met within the publisher's noise."""
    error = counted.problem.standard_error
    if error is None:
        return []
    error = np.broadcast_to(error if error.ndim == 1 else error[counted.where], counted.observed.shape)
    noisy = error > 0
    if not noisy.any():
        return []
    off = np.abs(counted.observed - counted.published)[noisy]
    within, n = int((off <= 1.96 * error[noisy]).sum()), off.size
    return [
        f"The publisher perturbed {n:,} of these counts; {within:,} of them ({share(within, n)}) are met to within that noise; "
        "noise alone would leave 95 %."
    ]


def _donors(facts: Mapping[str, float]) -> list[str]:
    if not facts["people"]:
        return ["Nobody lives here."]
    homes = f" in {facts['households']:,.0f} different households" if "households" in facts else ""
    return [
        f"{amount(facts['people'])} are copies of {facts['donors']:,.0f} different records{homes}, worth "
        f"{facts['effective']:,.0f} that are used alike; the most used record stands for {amount(facts['most'])} "
        f"({share(facts['most'], facts['people'])})."
    ]


def _noughts(counted: Counted) -> list[str]:
    """Say how many donors the targets of nought leave, where they exclude more than half; and which of them exclude most."""
    problem = counted.problem
    n = np.diff(problem.donor_start).astype(np.float64)
    left, every = float(n[counted.open.any(axis=0)].sum()), float(n.sum())
    if len(counted.where) > 1 or left > 0.5 * every:
        return []
    most = excluding(counted, 0, n)[:3]
    which = listed((f"{cell_words(*problem.cells[c])} ({number_told(counted, blocked)})" for c, blocked in most), 3)
    units = "records" if problem.households is None else "households"
    return [
        f"Targets of nought leave only {number_told(counted, left)} of the survey’s {every:,.0f} {units}. "
        f"Those that exclude most: {which}."
    ]


def _thin(counted: Counted, cells: pd.DataFrame, facts: Mapping[str, float]) -> list[str]:
    """Name the cells that few donors must fill."""
    usual = facts["people"] / max(float(counted.aligned.weight.sum() ** 2 / (counted.aligned.weight**2).sum()), 1.0)
    copies = cells["target"] / cells["effective_donors"].where(cells["effective_donors"] > 0)
    thin = cells.assign(copies=copies)[(copies >= COPIES) & (copies >= TIMES * usual)]
    if thin.empty:
        return []
    thin = thin.sort_values("copies", ascending=False, kind="stable")
    said = [
        f"{cell_words(r['table'], r['cell'])} ({amount(r['target'], r['unit'])} from "
        f"{number_told(counted, max(r['effective_donors'], 1))} alike)"
        for r in thin.head(4).to_dict("records")
    ]
    more = f"; {len(thin) - 4:,} more cells are as thin" if len(thin) > 4 else ""
    return [f"Few donors must fill {listed(said, 4)}{more}. What these people are beside, a handful of records decide."]
