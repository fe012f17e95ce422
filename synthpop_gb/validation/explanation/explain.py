"""Explain one zone or area: its targets, its fit, its donors, which cells miss and why, and what would mend it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.population import DonorCounts, Population
from synthpop_gb.validation.comparisons import table_names
from synthpop_gb.validation.explanation.areas import (
    LEVEL_COLUMNS,
    Place,
    area_causes,
    bound_with,
    find_area,
    find_zone,
    level_frame,
)
from synthpop_gb.validation.explanation.causes import Cause, causes_of
from synthpop_gb.validation.explanation.counted import Counted, count, of_zones, unit_word
from synthpop_gb.validation.explanation.donors import donor_frame, few_withheld, support_of, used_by_cell
from synthpop_gb.validation.explanation.notes import notes_of
from synthpop_gb.validation.explanation.noun import CAUSES, Explanation
from synthpop_gb.validation.explanation.proving import Proof, prove
from synthpop_gb.validation.explanation.words import amount, cell_words, listed

__all__ = ["explain", "zone_causes"]

_CAUSE_COLUMNS = ("zone", "cause", "table", "cell", "amount", "unit", "words", "remedy")
_SAID = 6  # causes told in words; the tables hold all
_PROVED = 5  # zones of an area that linear programmes are asked about: a second or so each
_ZONES = 40  # zones of an area whose causes are looked for, the worst first


def explain(
    population: Population,
    aligned: Aligned,
    zone: str | None = None,
    *,
    area: str | None = None,
    counts: Iterable[DonorCounts] | None = None,
) -> Explanation:
    """Say how a zone, or an area of several, fits its tables, why cells miss, and what would mend it.

    Works for every method, for people and whole households. Whoever was placed is counted again from the donors. Causes that are
    certain come first: nobody in the survey is so; the zone's other tables exclude everybody who is; one table leaves no room for
    another (whatever the weights, see `room`); what these do not explain follows from how the fit ended.

    Parameters
    ----------
    population : Population
        What was solved.
    aligned : Aligned
        What it was made from.
    zone : str, optional
        Code or name of a zone. One of `zone` and `area` is needed.
    area : str, optional
        Code or name of an area of a parent level: 'msoa', 'lad' ...
    counts : iterable of DonorCounts, optional
        The people judged, e.g. read back from a run's files; those of the population by default.

    Returns
    -------
    Explanation

    Raises
    ------
    InputError
        `unknown-zone` for a place that is not there, or is there several times.
    ValueError
        Where neither or both of `zone` and `area` are given, or population and `aligned` do not belong together.

    Examples
    --------
    Two records, and a zone that also wants somebody in bad health, whom nobody in the survey is like.

    >>> from synthpop_gb import formulate, solve
    >>> from synthpop_gb.aligned import AlignedTable
    >>> from synthpop_gb.codebook import Category, Universe
    >>> from synthpop_gb.geography import Geography
    >>> from synthpop_gb.microdata import Microdata
    >>> everybody, zones = Universe("usual residents"), pd.Index(["E01000001"], name="zone")
    >>> health = tuple(Category(h, h, frozenset([h])) for h in ("good", "fair", "bad"))
    >>> cells = pd.MultiIndex.from_arrays([["good", "fair", "bad"]], names=["health"])
    >>> wanted = pd.DataFrame([[5.0, 3.0, 2.0]], zones, cells)
    >>> table = AlignedTable("health", ("health",), (health,), wanted, np.array([0, 1], np.int32), everybody, 0.0, wanted)
    >>> survey = Microdata("two", pd.DataFrame({"health": ["good", "fair"]}), {}, everybody, licence="open")
    >>> place = Geography(pd.DataFrame({"name": ["Mill Lane"]}, zones))
    >>> study = Aligned(survey, survey.records.index, np.ones(2), (table,), (), place, pd.DataFrame(), pd.Series(0.0, zones))
    >>> found = explain(solve(formulate(study), seed=1), study, "Mill Lane")
    >>> found.why[0]
    'Health = bad asks for 2 people, and nobody in the survey is so.'
    >>> found.remedies[0][:53]
    "Merge 'fair' and 'bad' of health (`recode.health.merg"
    """
    if (zone is None) == (area is None):
        raise ValueError("name a zone or an area, one of the two")
    if not population.problem.records.equals(aligned.records):
        raise ValueError("population and `aligned` have different records: harmonise the study that it was made from")
    place = find_zone(aligned, zone) if area is None else find_area(aligned, area)
    needed = bound_with(aligned, place.zones)
    everybody = count(population, aligned, place.zones, counts) if len(needed) == len(place.zones) else None
    levels = pd.DataFrame(columns=list(LEVEL_COLUMNS))
    if everybody is None:
        placed = _placed(population, needed, counts)
        everybody = count(population, aligned, place.zones, [placed])
        levels = level_frame(aligned, placed, place.zones)
    elif aligned.levels:
        levels = level_frame(aligned, everybody.placed, place.zones)
    return _explained(place, everybody, levels)


def _placed(population: Population, zones: pd.Index, counts: Iterable[DonorCounts] | None) -> DonorCounts:
    """Donors of some zones, placed by the population or found in what was written."""
    return population.donors(population.zones.get_indexer(zones)) if counts is None else of_zones(counts, zones)


def _explained(place: Place, counted: Counted, levels: pd.DataFrame) -> Explanation:
    """Put words and tables together."""
    n_missed = counted.missed.sum(axis=1)
    worst = np.argsort(-_error(counted), kind="stable")
    looked = [int(z) for z in worst if n_missed[z]][:_ZONES]
    proofs = _proofs(counted, looked[:_PROVED])
    by_zone = {z: causes_of(counted, z, proofs.get(z)) for z in looked}
    above = area_causes(levels)
    cells = _cells(counted, by_zone)
    donors, facts = donor_frame(counted)
    codes = counted.problem.zones[counted.where].astype(str)
    causes = _causes([(codes[z], c) for z in looked for c in by_zone[z]] + [("", c) for c in above])
    tables = {"tables": _tables(counted, cells), "cells": few_withheld(counted, cells), "causes": causes, "donors": donors}
    relaxed = [p.relax for p in proofs.values() if len(p.relax)]
    kept = [p.keeping for p in proofs.values() if p.keeping is not None and len(p.keeping)]
    if kept:
        tables["keeping"] = pd.concat(kept, ignore_index=True)
    if relaxed:
        tables["relax"] = pd.concat(relaxed, ignore_index=True)
    if len(levels):
        tables["levels"] = levels
    if place.level != "zone":
        tables["zones"] = _zones(counted, by_zone)
    many = len(place.zones) > 1
    why = [(f"{z}: {w}" if many and z else w) for z, w in zip(causes["zone"], causes["words"], strict=True)]
    remedies = _remedies(counted, causes, proofs)
    told = _shortened(why, int((n_missed > 0).sum()), looked)
    return Explanation(
        place.code, place.name, place.level, _headline(place, counted, tables), told,
        remedies, notes_of(counted, cells, facts), tables,
    )  # fmt: skip


def zone_causes(population: Population, aligned: Aligned, *, counts: Iterable[DonorCounts] | None = None) -> pd.DataFrame:
    """Look for the causes in the zones that miss most, forty at most; columns as of the table 'causes' of `Explanation`.

    population, aligned, counts : as of `explain`.
    """
    zones = population.unfitted.index[:_ZONES]
    if not len(zones):
        return _causes([])
    counted = count(population, aligned, zones, counts)
    return _causes([(str(code), c) for z, code in enumerate(zones) for c in causes_of(counted, z)])


def _causes(rows: list[tuple[str, Cause]]) -> pd.DataFrame:
    """One row a cause, the surest kinds first, the largest of a kind first."""
    found = [(z, c.cause, c.table, c.cell, c.amount, c.unit, _capital(c.words), c.remedy) for z, c in rows]
    causes = pd.DataFrame(found, columns=list(_CAUSE_COLUMNS))
    order = causes["cause"].map({name: i for i, name in enumerate(CAUSES)}).astype(float)
    causes = causes.assign(order=order).sort_values(["order", "amount"], ascending=[True, False], kind="stable")
    return causes.drop(columns="order").reset_index(drop=True)


def _remedies(counted: Counted, causes: pd.DataFrame, proofs: dict[int, Proof]) -> tuple[str, ...]:
    """Say what would mend the place, each once: merging, the fewest targets to relax, what else its causes call for."""
    mended = causes[(causes["cause"] != "pulled along") & (causes["remedy"] != "")]
    first = mended["cause"] == "empty cell"  # merging keeps the people; relaxing gives them up
    units = {tuple(map(str, key)): unit for key, unit in zip(counted.problem.cells, counted.units, strict=True)}
    relaxed = [proof.remedy(units) for proof in proofs.values()]
    said = [*mended.loc[first, "remedy"], *filter(None, relaxed), *mended.loc[~first, "remedy"]]
    return tuple(dict.fromkeys(said))[:_SAID]


def _proofs(counted: Counted, zones: list[int]) -> dict[int, Proof]:
    """Ask linear programmes about zones whose targets may clash: those that a hard fit misses, or that no fit speaks of."""
    if counted.population.settled is not None:
        return {}
    asked = [z for z in zones if counted.missed_fit[z].any() or counted.fitted is None]
    codes = counted.problem.zones[counted.where]
    proofs = prove(counted.problem, [codes[z] for z in asked]) if asked else {}
    return {z: proofs[str(codes[z])] for z in asked}


def _error(counted: Counted) -> np.ndarray:
    """(n_zones,) total absolute miss of whole units."""
    return np.abs(counted.observed - counted.goal).sum(axis=1)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _shortened(why: list[str], n_zones: int, looked: list[int]) -> tuple[str, ...]:
    """Return the first few sentences, and how many more there are."""
    out = why[:_SAID]
    if len(why) > _SAID:
        more = len(why) - _SAID
        out.append(f"{more:,} more {'cause stands' if more == 1 else 'causes stand'} in the table of causes.")
    if n_zones > len(looked):
        out.append(f"Causes were looked for in the {len(looked):,} worst of {n_zones:,} zones that miss targets.")
    return tuple(out)


def _cells(counted: Counted, by_zone: dict[int, list[Cause]]) -> pd.DataFrame:
    """One row a cell, summed over the zones; see `Explanation`."""
    problem, support = counted.problem, support_of(counted)
    names, (used, largest) = table_names(counted.aligned.constraints), used_by_cell(counted)
    cause = np.full(problem.n_cells, "", object)
    for causes in by_zone.values():
        for item in reversed(causes):
            cause[list(item.cells)] = item.cause
    fitted = np.full(problem.n_cells, np.nan) if counted.fitted is None else counted.fitted.sum(axis=0)
    columns = {
        "table": np.array(names, object)[counted.tables], "cell": problem.cells.get_level_values(1).astype(str).to_numpy(),
        "unit": counted.units,
        "published": counted.published.sum(axis=0), "target": counted.target.sum(axis=0), "goal": counted.goal.sum(axis=0),
        "fitted": fitted, "observed": counted.observed.sum(axis=0), "error": (counted.observed - counted.goal).sum(axis=0),
        "donors": support.any.astype(np.int64), "donors_here": support.here.astype(np.int64),
        "effective_donors": support.effective, "used": used, "largest_share": largest, "missed": counted.missed.any(axis=0),
        "cause": cause,
    }  # fmt: skip
    return pd.DataFrame(columns)


def _tables(counted: Counted, cells: pd.DataFrame) -> pd.DataFrame:
    """One row a table; see `Explanation`."""
    first = counted.problem.constraint_start
    names, rows = table_names(counted.aligned.constraints), []
    for k, table in enumerate(counted.aligned.constraints):
        own = slice(first[k], first[k + 1])
        mine = cells.iloc[own]
        off = np.nan
        if counted.fitted is not None:
            off = float(np.abs(counted.fitted[:, own] - counted.target[:, own]).max(initial=0.0))
        error = float(np.abs(counted.observed[:, own] - counted.goal[:, own]).sum())
        sums = [float(mine[c].sum()) for c in ("published", "target")]
        fitted = float(mine["fitted"].sum(skipna=False))
        rows.append((names[k], unit_word(table), len(mine), *sums, fitted, float(mine["observed"].sum()), error, off,
                     int(counted.missed[:, own].sum())))  # fmt: skip
    columns = ["table", "unit", "cells", "published", "target", "fitted", "observed", "error", "largest_fit_miss", "cells_missed"]
    return pd.DataFrame(rows, columns=columns)


def _zones(counted: Counted, by_zone: dict[int, list[Cause]]) -> pd.DataFrame:
    """One row a zone of an area, the worst first; see `Explanation`."""
    status, geography = counted.population.status.iloc[counted.where], counted.aligned.geography.zones
    codes = counted.problem.zones[counted.where]
    name = geography["name"].reindex(codes).astype(str).to_numpy() if "name" in geography else ""
    worst = [
        cell_words(*counted.problem.cells[int(np.argmax(np.abs(row)))]) if np.abs(row).any() else ""
        for row in counted.observed - counted.goal
    ]
    frame = pd.DataFrame({
        "zone": codes.astype(str), "name": name, "people": counted.placed.people, "fit": status["fit"].to_numpy(),
        "whole": status["whole"].to_numpy(), "error": _error(counted), "worst_cell": worst,
        "cause": [by_zone[z][0].cause if by_zone.get(z) else "" for z in range(len(codes))],
    })  # fmt: skip
    return frame.sort_values("error", ascending=False, kind="stable").reset_index(drop=True)


def _headline(place: Place, counted: Counted, tables: dict[str, pd.DataFrame]) -> str:
    """Say in one sentence whether it fits."""
    missed, cells = counted.missed, tables["cells"]
    zones = f"{len(place.zones):,} zones of {place.level}, " if place.level != "zone" else ""
    whole = tables["tables"].groupby("unit", sort=False)["error"].sum()
    people = amount(float(counted.placed.people.sum()))
    aim = "count" if counted.population.settled is None else "count of the tables that the fit settled on"
    if not missed.any():
        above = int(tables["levels"]["missed"].sum()) if "levels" in tables else 0
        if above:
            return f"{zones}{people}: every {aim} of its own is met, but {above:,} cells of the areas it lies in are not."
        met = f"all {len(cells):,} cells of {len(tables['tables']):,} tables are met exactly"
        return f"{zones}{people}, and nothing misses: {met}."
    errors = listed(amount(n, unit) for unit, n in whole.items() if n)
    said = f"with {errors} of total absolute error" if errors else "in the fractional fit only"
    n, of = int(missed.sum()), missed.size
    where = f" in {int(missed.any(axis=1).sum()):,} zones" if place.level != "zone" else ""
    verb = "misses its" if n == 1 else "miss their"
    return f"{zones}{people}, and {n:,} of {of:,} cells {verb} {aim}{where}, {said}."
