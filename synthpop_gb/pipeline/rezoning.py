"""A finished run brought to other areas: its people counted there, what is asked of them, and files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.errors import Finding, refuse
from synthpop_gb.lookup import Lookup
from synthpop_gb.pipeline.after import opened
from synthpop_gb.population import ZoneDonors

__all__ = ["Rezoned", "rezone_run"]


@dataclass(frozen=True, eq=False)
class Rezoned:
    """A run in other areas.

    Attributes
    ----------
    population : ZoneDonors
        Who lives in each area.
    table : pandas.DataFrame
        One row an area: its code (the column is called as the lookup's), name, people, households where whole ones were placed,
        donors, largest_share, effective_donors (see `ZoneDonors.summary`), zones_missing (zones of the area that the run does not
        have), zones_best_fit (zones that lie in it in part and were given wholly to it or to another), and for each condition
        asked `<condition>` (people) and `share of <condition>` (of those of whom it is known).
    path : Path or None
        The file written.
    """

    population: ZoneDonors
    table: pd.DataFrame
    path: Path | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found on the way: zones divided or lost, areas covered in part."""
        return self.population.findings

    def __repr__(self) -> str:
        """Say what was made, and show its first areas."""
        table, people = self.table, self.population
        homes = "" if people.households is None else f" in {int(people.households.n.sum(dtype=np.int64)):,} households"
        line = f"{people.name}: {people.people:,} people{homes} in {len(table):,} areas, "
        line += f"copies of {len(np.unique(people.counts.record)):,} donors"
        partly, fitted = table["zones_missing"] > 0, table["zones_best_fit"] > 0
        line += f"\n{int((~partly & ~fitted).sum()):,} of {len(table):,} areas are covered whole"
        line += f"; {int(fitted.sum()):,} gave or took people of zones in several areas (best fit)" if fitted.any() else ""
        nobody = int((table["people"] == 0).sum())
        line += f"; in {nobody:,} nobody is counted" if nobody else ""
        return f"{line}\n{table.head(10).to_string(index=False)}"

    def to_dict(self) -> dict:
        """Return plain values for JSON: `areas` (rows of the table), `path` and `findings` with every failing row."""
        rows = self.table.astype(object).where(self.table.notna(), None)
        return {
            "areas": rows.to_dict("records"), "path": None if self.path is None else str(self.path),
            "findings": [f.to_dict(most=None) for f in self.findings],
        }  # fmt: skip


def rezone_run(
    folder: str | Path,
    lookup: str | Path | Lookup,
    *,
    to: str | None = None,
    zone: str | None = None,
    weight: str | None = None,
    best_fit: bool = False,
    count: Sequence[str] = (),
    output: str | Path | None = None,
    layout: str = "areas",
    overwrite: bool = False,
    seed: int | None = None,
) -> Rezoned:
    """Count the people of a run in the areas of a lookup; see `rezoning.rezone` for how.

    Parameters
    ----------
    folder : path
        A run's folder.
    lookup : path or Lookup
        Which areas the run's zones lie in.
    to, zone, weight : str
        Columns of a lookup file: areas, zones (the one that has most of the run's where absent), how zones are divided.
    best_fit : bool
        Give zones in several areas wholly to the one with most of them.
    count : sequence of str
        Conditions whose people are counted in each area.
    output : path, optional
        File to write: '.parquet', '.csv' or '.csv.gz'.
    layout : str
        'areas' (the table), 'people' (one row a person, under the ids of `expand`, with area and zone) or 'counts' (one row an
        area and donor).
    overwrite : bool
        Replace an existing file.
    seed : int, optional
        Fixes who of a divided zone goes where; the run's own by default.

    Raises
    ------
    InputError
        `ambiguous-zone`, `no-zones` and everything about run, lookup, conditions and output. Nothing was written then.
    ValueError
        For an unknown layout, or a lookup file without `to`.
    """
    from synthpop_gb.export.rezoned import area_counts, area_people, area_table
    from synthpop_gb.indicators import parse_condition
    from synthpop_gb.rezoning import deal_out, fate, rezone

    if layout not in ("areas", "people", "counts"):
        raise ValueError(f"layout must be areas, people or counts, not {layout!r}")
    conditions = {text: parse_condition(text) for text in count}
    _, aligned, population = opened(Path(folder))
    found = lookup if isinstance(lookup, Lookup) else _read(lookup, to, zone, weight, population.zones)
    rezoned = rezone(population, found, seed=seed, best_fit=best_fit)
    table = _table(rezoned, found, aligned, conditions)
    path = None
    if output is not None and layout == "people":
        where = fate(population.zones, found, best_fit=best_fit, people=population.status["people"].to_numpy())
        refuse(where.findings)
        dealt = deal_out(population, where, seed=seed)
        path = area_people(population, dealt, where.areas, output, to=found.to, overwrite=overwrite)
    elif output is not None and layout == "counts":
        path = area_counts(rezoned, output, to=found.to, overwrite=overwrite)
    elif output is not None:
        path = area_table(table, output, overwrite=overwrite)
    return Rezoned(rezoned, table, path)


def _read(path: str | Path, to: str | None, zone: str | None, weight: str | None, zones: pd.Index) -> Lookup:
    from synthpop_gb import read

    if to is None:
        raise ValueError("name the lookup's column of areas with `to`")
    return read.lookup(path, zone=zone or read.column_of(path, set(zones.astype(str))), to=to, weight=weight)


def _table(rezoned: ZoneDonors, lookup: Lookup, aligned: Aligned, conditions: dict) -> pd.DataFrame:
    """One row an area; see `Rezoned.table`."""
    summary = rezoned.summary().drop(columns="copies_unknown")
    areas = summary.pop("zone").astype(str)
    columns = {lookup.to: areas}
    if lookup.names:
        columns["name" if lookup.to != "name" else "area_name"] = areas.map(lookup.names).fillna("")
    columns["people"] = summary.pop("people")
    if rezoned.households is not None:
        lives = np.isin(np.arange(len(rezoned.household_ids)), np.flatnonzero(aligned.households.communal), invert=True)
        homes = rezoned.households
        running = np.concatenate([[0], np.cumsum(homes.n * lives[homes.record], dtype=np.int64)])
        columns["households"] = np.diff(running[homes.indptr])
    columns |= dict(summary.items())
    partly = [f.rows.set_index("area")["zones_missing"] for f in rezoned.findings if f.code == "partly-covered"]
    missing = areas.map(partly[0]).fillna(0).astype(np.int64) if partly else pd.Series(0, areas.index)
    columns["zones_missing"] = missing.to_numpy()
    fitted = [f.rows["area"] for f in rezoned.findings if f.code == "ambiguous-zone"]
    shared = pd.concat(fitted).value_counts() if fitted else pd.Series(dtype=np.int64)
    columns["zones_best_fit"] = areas.map(shared).fillna(0).astype(np.int64).to_numpy()
    for text, condition in conditions.items():
        known, met = condition.known(aligned), condition.matches(aligned)
        people = rezoned.tally(met & known)
        base = rezoned.tally(known)
        columns[text] = people.astype(np.int64)
        columns[f"share of {text}"] = np.divide(people, base, out=np.full(len(base), np.nan), where=base > 0)
    return pd.DataFrame(columns)
