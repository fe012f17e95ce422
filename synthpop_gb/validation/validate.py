"""Count a population's people again, and set them against every table, every pair of variables and every held-out table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned, AlignedTable
from synthpop_gb.checks import Checks
from synthpop_gb.households import Households
from synthpop_gb.population import DonorCounts, Population
from synthpop_gb.validation.comparisons import Comparison, held_out_tables, pairs, table_names
from synthpop_gb.validation.donor_reuse import donor_reuse, most_used_records
from synthpop_gb.validation.findings import findings
from synthpop_gb.validation.fitted_cells import FittedCells
from synthpop_gb.validation.held_out import held_out as held_out_frame
from synthpop_gb.validation.held_out import held_out_zones
from synthpop_gb.validation.level_fit import level_findings, level_fit, level_headline, tables_above
from synthpop_gb.validation.metrics import effective_number
from synthpop_gb.validation.pairs import comparison_cells, intersections
from synthpop_gb.validation.recount import BLOCK, Ledger, RecordUse, recount
from synthpop_gb.validation.summary import headline, zone_summary
from synthpop_gb.validation.yardsticks import YARDSTICKS, Ruler
from synthpop_gb.validation.zone_fit import CountedTable, cell_fit, parent_fit, table_fit, zone_fit

__all__ = ["validate"]


def validate(
    population: Population,
    aligned: Aligned,
    *,
    counts: Iterable[DonorCounts] | None = None,
    held_out: Sequence[AlignedTable] | None = None,
) -> Checks:
    """Check a population against everything that was published about its zones.

    The people are counted again from their donors and the survey's own answers; nothing is taken from the solver but its
    statuses and its fractional fit, which the whole people are compared with. Where a fit to soft targets settled the tables by
    itself, those take the place of the harmonised targets; the counts as published stand beside them as ever.

    Parameters
    ----------
    population : Population
        What was solved; supplies statuses and the fractional fit.
    aligned : Aligned
        Records, constraints, held-out tables and zones.
    counts : iterable of DonorCounts, optional
        The people to be judged, e.g. read back from a run's files; by default those of `population.blocks()`. Cut anywhere
        between zones, in any order; zones left out count as empty.
    held_out : sequence of AlignedTable, optional
        Tables to judge by that were not fitted; `aligned.held_out` by default.

    Returns
    -------
    Checks
        With the headline, tables and findings that `Checks` describes.

    Raises
    ------
    ValueError
        Where the counts name unknown zones or records or a zone twice, a held-out table lacks zones, or population and
        `aligned` do not belong together.
    """
    zones = aligned.zones
    held_out = aligned.held_out if held_out is None else tuple(held_out)
    crossed = [p for p in pairs(aligned, held_out) if p.reference is not None or population.duals is not None]
    kept_back = held_out_tables(aligned, held_out)
    compared, above = [*crossed, *kept_back], [table for _, table, _ in tables_above(aligned)]
    fitted = [*aligned.constraints, *above]
    ledger = Ledger(
        [t.record_cell for t in (*fitted, *compared)],
        [t.targets.shape[1] for t in fitted] + [c.n_cells for c in compared],
        None if aligned.households is None else _heads(aligned.households),
    )
    ruler = Ruler(compared, [_survey_share(c, aligned.weight) for c in compared], len(zones), keep=len(crossed))
    use = RecordUse.empty(len(aligned.records))
    observed, reuse, homes = _count(population, aligned, ledger, ruler, use, counts, len(fitted))

    expected = _expected(population, aligned)
    counted = [
        _counted(name, t, expected[k], zones, observed[:, ledger.columns(k)])
        for k, (name, t) in enumerate(zip(table_names(aligned.constraints), aligned.constraints, strict=True))
    ]
    tables = {"cell_fit": cell_fit(counted, zones), "zone_fit": zone_fit(counted, zones)}
    tables["parent_fit"] = parent_fit(counted, aligned.geography.zones, aligned.geography.parents)
    if above:
        first = len(aligned.constraints)
        tables["level_fit"] = level_fit(
            aligned, [observed[:, ledger.columns(first + k)] for k in range(len(above))], _level_goals(population, aligned)
        )
    tables["table_fit"] = table_fit(counted, tables["zone_fit"])
    tables["intersections"] = intersections(ruler, crossed, 0, aligned.weight)
    tables["intersection_cells"] = comparison_cells(ruler, crossed, 0, "pair")
    tables["held_out_zones"] = held_out_zones(ruler, kept_back, len(crossed), zones)
    tables["held_out"] = held_out_frame(ruler, kept_back, len(crossed), tables["held_out_zones"], aligned.weight)
    tables["held_out_cells"] = comparison_cells(ruler, kept_back, len(crossed), "table")
    tables["donor_reuse"] = donor_reuse(reuse, zones, homes)
    tables["record_use"] = most_used_records(use, aligned.records, aligned.weight, named=aligned.survey.licence == "open")
    of_people = [k for k, c in enumerate(crossed) if c.unit == "person"] or list(range(len(crossed)))
    joint = _joint(ruler, of_people)
    units = {t.name: t.unit for t in counted}
    soft = population.settled is not None
    by_zone, reused = tables["zone_fit"], tables["donor_reuse"]
    tables["zones"] = zone_summary(zones, population.status, by_zone, reused, joint, units, soft=soft)
    records = {
        "records": len(aligned.records),
        "effective records": round(effective_number(aligned.weight), 1),
        "records used": int((use.copies > 0).sum()),
    }
    told = findings(tables, population.status["people"])
    if above:
        records |= level_headline(tables["level_fit"])
        told = (*told, *level_findings(tables["level_fit"], soft=soft))
    return Checks(headline(tables) | records, tables, told)


def _heads(homes: Households) -> np.ndarray:
    """(n_records,) bool: first members of households, who stand for them; residents of communal establishments are in none."""
    heads = np.zeros(len(homes.member), bool)
    heads[homes.reference[~homes.communal]] = True
    return heads


def _counted(name: str, table: AlignedTable, expected: np.ndarray, zones: pd.Index, observed: np.ndarray) -> CountedTable:
    published, unit = _by_zone(table.published, zones), table.universe.unit
    return CountedTable(name, table.cell_labels, expected, published, observed, table.standard_errors, unit)


def _expected(population: Population, aligned: Aligned) -> list[np.ndarray]:
    """Return what people should be, table by table: harmonised targets, or the tables that a soft fit settled on by itself."""
    if population.settled is None:
        return [_by_zone(t.targets, aligned.zones) for t in aligned.constraints]
    settled = population.goals[population.zones.get_indexer(aligned.zones)]
    bounds = population.problem.constraint_start[1:-1]
    return [np.ascontiguousarray(part) for part in np.split(settled, bounds, axis=1)]


def _level_goals(population: Population, aligned: Aligned) -> dict[tuple[str, str], np.ndarray]:
    """Tables of levels that a soft fit settled on by itself, by level and table: (n_areas, n_cells) in the order of `aligned`."""
    found = {}
    if population.settled is None:
        return found
    named = {level.name: (level, goals) for level, goals in zip(population.problem.levels, population.level_goals, strict=True)}
    for level in aligned.levels:
        if level.name not in named:
            continue
        solved, goals = named[level.name]
        where = solved.areas.get_indexer(level.areas)
        for table, part in zip(level.constraints, np.split(goals[where], solved.constraint_start[1:-1], axis=1), strict=True):
            found[level.name, table.name] = np.ascontiguousarray(part)
    return found


def _by_zone(frame: pd.DataFrame, zones: pd.Index) -> np.ndarray:
    return np.ascontiguousarray(frame.reindex(zones).to_numpy(np.float64))


def _survey_share(comparison: Comparison, weight: np.ndarray) -> np.ndarray:
    """Distribution of the survey over the cells of a comparison; nought throughout where nobody is in its universe."""
    inside = comparison.record_cell >= 0
    total = np.bincount(comparison.record_cell[inside], weight[inside], minlength=comparison.n_cells)
    return total / (total.sum() or 1.0)


def _count(population, aligned, ledger, ruler, use, counts, n_fitted) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Count every block and measure it: people by zone and constraint cell, and reuse of donors and of households by zone."""
    zones = aligned.zones
    at = population.zones.get_indexer(zones)
    if (at < 0).any():
        raise ValueError(f"the population has no zone {zones[at < 0][0]}: harmonise with the study that it was made from")
    fitted = None if population.duals is None else FittedCells(population, ledger, aligned.records)
    first = int(ledger.start[n_fitted])
    observed, reuse = np.zeros((len(zones), first), np.int64), np.zeros((len(zones), 4), np.int64)
    homes = None if ledger.heads is None else np.zeros_like(reuse)
    size = max(16, min(BLOCK, 2**22 // max(population.problem.n_profiles, 1)))  # at most 32 MB of weights at once
    for block in recount(population.blocks() if counts is None else counts, ledger, zones, use, size):
        observed[block.where], reuse[block.where] = block.counts[:, :first], block.reuse
        if homes is not None:
            homes[block.where] = block.homes
        ruler.measure(block.where, block.counts[:, first:], None if fitted is None else fitted(at[block.where])[:, first:])
    return observed, reuse, homes


def _joint(ruler: Ruler, pairs: list[int]) -> pd.DataFrame:
    """Mean over pairs of variables, by zone: per cent of people in the wrong two-way cell, and of the fit's cells."""
    people = ruler.people[:, pairs].sum(axis=1)
    wrong = ruler.misplaced[:, pairs].sum(axis=1)
    share = 100 * wrong / np.where(people > 0, people, 1.0)[:, None]
    wanted = {"two_way_wrong": "whole", "two_way_rounding": "rounding"}
    return pd.DataFrame({name: share[:, YARDSTICKS.index(y)] for name, y in wanted.items()})
