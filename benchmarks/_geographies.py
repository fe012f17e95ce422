"""Studies of other geographies, counted again table by table from the written files, and people brought to other areas."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
from _measure import ROOT, figure
from _studies import measure_study

__all__ = ["measure_levels", "rezoning"]

SURVEY = ROOT / "outputs" / "stand-in-survey.csv"


def stand_in() -> None:
    """Write the made-up survey that the studies name, as their heads say."""
    import synthpop_gb as sp

    SURVEY.parent.mkdir(exist_ok=True)
    sp.datasets.stand_in_survey(40_000).to_csv(SURVEY, index=False)


def measure_levels(name: str, *, folder: Path) -> tuple[str, dict]:
    """Run a study of the stand-in survey once, and count every table of every level again from the file of people."""
    import synthpop_gb as sp

    stand_in()
    command, values = measure_study(name, 1, folder=folder)
    run = folder / name
    aligned, _ = sp.pipeline.align(sp.load_study(run / "run.json"))
    counted = recounted(run, aligned)
    for level, of_zone, table in tables_of(aligned):
        inside = of_zone >= 0
        found = np.zeros((len(table.targets), table.targets.shape[1]))
        np.add.at(found, of_zone[inside], counts_of(counted, table)[inside])
        gap = np.abs(found - table.targets.to_numpy())
        apart = np.abs(found - table.published.to_numpy())
        label = f"{level} {table.name}".replace(" ", "_")
        met, n = int((gap.sum(axis=1) == 0).sum()), len(gap)
        unit = "households" if table.universe.unit == "household" else "people"
        values[f"{label}_exact"] = figure(met, "areas", f"{met:,} of {n:,} areas")
        values[f"{label}_tae"] = figure(int(gap.sum()), unit)
        values[f"{label}_tae_published"] = figure(int(apart.sum()), unit)
        if (table.standard_errors > 0).any():
            within = apart < 1.96 * table.standard_errors + 0.5
            values[f"{label}_within_noise"] = figure(100 * within.mean(), "%")
    joined = [f for f in aligned.findings if f.code == "joined-tables"]
    if joined:
        values["joined_tables"] = figure(len(joined), "tables")
    return command, values


def tables_of(aligned) -> list:
    """Every fitted table with its level and the area of each zone: 'zone', the zones themselves, then level by level."""
    own = np.arange(len(aligned.zones))
    found = [("zone", own, t) for t in aligned.constraints]
    return found + [(level.name, level.of_zone, t) for level in aligned.levels for t in level.constraints]


def recounted(run: Path, aligned) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of the file of people by plain pandas: position of zone and of record, and how many."""
    frame = pd.read_parquet(run / "population" / "counts.parquet")
    zone = aligned.zones.get_indexer(frame["zone"].astype(str))
    donor = frame["donor"].astype(str).to_numpy(object)
    record = pd.Index(aligned.records.astype(str)).get_indexer(donor)
    assert (zone >= 0).all()
    assert (record >= 0).all()
    return zone, record, frame["n"].to_numpy(), len(aligned.zones)


def counts_of(counted: tuple, table) -> np.ndarray:
    """(n_zones, n_cells): who is counted by a table, zone by zone; households by their references."""
    zone, record, n, n_zones = counted
    cell = table.record_cell[record]
    inside = cell >= 0
    found = np.zeros((n_zones, table.targets.shape[1]))
    np.add.at(found, (zone[inside], cell[inside]), n[inside])
    return found


def rezoning(*, folder: Path) -> tuple[str, dict]:
    """England and Wales 2021 in LSOAs, its people counted in constituencies that divide LSOAs, by the people of output areas."""
    import synthpop_gb as sp
    from synthpop_gb.rezoning import fate, rezone

    data = Path(os.environ["SYNTHPOP_GB_DATA"])
    aligned, _ = sp.pipeline.align(sp.load_study(ROOT / "inputs" / "england-wales-2021.toml"))
    population = sp.solve(sp.formulate(aligned), method="ipf", seed=2021)
    path = data / "lookups" / "oa21_lsoa21_msoa21_lad_region_uk.parquet"
    lookup = sp.read.lookup(path, zone="lsoa_code", to="constituency_code", weight="population")
    rezone(population, lookup)  # compiled
    began = time.perf_counter()
    found = rezone(population, lookup)
    seconds = time.perf_counter() - began
    where = fate(population.zones, lookup)
    expected = np.zeros(len(where.areas))
    people = population.status["people"].to_numpy()
    zone = np.repeat(np.arange(len(people)), where.n_parts)
    np.add.at(expected, where.area, people[zone] * where.share)
    split = int((where.n_parts > 1).sum())
    gap = np.abs(found.counts.people - expected)
    values = {
        "zones": figure(len(people), "zones"),
        "divided": figure(split, "zones"),
        "areas": figure(len(found.zones), "constituencies"),
        "people": figure(found.people, "people"),
        "lost": figure(population.people - found.people, "people"),
        "largest_gap": figure(float(gap.max()), "people"),
        "seconds": figure(seconds, "s"),
    }
    return "sp.rezone(population, lookup)", values
