"""A county on disk, laid out as publishers lay out their files, so that a study file can name them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from synthpop_gb.datasets._categories import HOUSEHOLDS, codebook, universe_of

if TYPE_CHECKING:
    from synthpop_gb.datasets._county import DemoCounty

README = """{county}: a demo county of synthpop_gb
{line}
Nobody here is real. Places and people are invented by a documented model (synthpop_gb.datasets) that imitates published
magnitudes of England and Wales. Copy, change and publish these files freely.

World    {name}: {about}
Made by  make_county("{name}", zones={zones}, seed={seed}, perturbed={perturbed}, survey_persons={asked}).write(folder)
Size     {persons:,} persons in {households:,} households of {zones:,} zones; survey of {survey:,} persons

What a study is given
  survey.csv                 one row a person of the responding households, all counties; `weight` is the design weight (mean 1),
                             `household` and `psu` say who was drawn together, `region` where. Codes are the labels themselves;
                             "does not apply" marks children under 16. Age is in single years.
  codebook.csv               every variable of the survey: label, unit, universe, codes in order
  tables.csv                 every table: file, variables, universe, total counted, whether it is meant to be held out
  tables/<variable>.csv      counts by zone, one column a category{noise}
  lookup.csv                 zone, name, and the msoa, district and county that it lies in, with names
  boundaries.geo.parquet     polygons of the zones (zone, name, geometry), British National Grid (EPSG:27700), metres

What it is judged by
  held_out/<a>_by_<b>.csv    joint counts in long form: zone, a column a variable, count{noise}
  truth/persons.parquet      everybody, with zone, household and partner (person number, -1 = none)
  truth/households.parquet   every household, with zone
  truth/outcomes.csv         by zone: smokers and low-income households, which no table publishes; median equivalised income
  truth/effects.csv          by zone: the model's own effects (deprivation and the rest)
  county.json                the parameters of the world, the seed, the versions of the libraries used
Incomes are pounds of 2021/22 a year: `income` before tax, `net_income` of the household, `equivalised_income` to a couple.
"""


def write_county(county: DemoCounty, folder: Path) -> Path:
    """Write every file of the layout in README; files of the same names are replaced. Returns the folder."""
    for part in ("tables", "held_out", "truth"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    _csv(county.survey, folder / "survey.csv")
    _csv(codebook(), folder / "codebook.csv")
    _csv(county.lookup, folder / "lookup.csv")
    _csv(_tables(county, folder), folder / "tables.csv")
    county.boundaries.to_parquet(folder / "boundaries.geo.parquet", index=False, compression="zstd")
    county.persons.to_parquet(folder / "truth" / "persons.parquet", index=False, compression="zstd")
    county.households.to_parquet(folder / "truth" / "households.parquet", index=False, compression="zstd")
    _csv(county.outcomes().reset_index(), folder / "truth" / "outcomes.csv")
    _csv(county.effects.round(6).reset_index(), folder / "truth" / "effects.csv")
    _notes(county, folder)
    return folder


def _tables(county: DemoCounty, folder: Path) -> pd.DataFrame:
    """Write published and held-out tables; return the list of them."""
    rows = []
    for name, table in county.tables.items():
        _csv(table.reset_index(), folder / "tables" / f"{name}.csv")
        rows.append((name, f"tables/{name}.csv", name, table, False))
    for name, table in county.held_out.items():
        _csv(_long(table), folder / "held_out" / f"{name}.csv")
        rows.append((name, f"held_out/{name}.csv", " ".join(table.columns.names), table, True))
    listed = [
        {
            "table": name,
            "file": file,
            "variables": variables,
            "unit": "household" if universe_of(tuple(variables.split())) == HOUSEHOLDS else "person",
            "universe": universe_of(tuple(variables.split())),
            "cells": table.shape[1],
            "total": int(table.to_numpy().sum()),
            "perturbed": county.perturbed,
            "held_out": held_out,
        }
        for name, file, variables, table, held_out in rows
    ]
    return pd.DataFrame(listed)


def _long(table: pd.DataFrame) -> pd.DataFrame:
    """One row a zone and cell: the zone, a column a variable, count."""
    cells = table.columns.to_frame(index=False)
    zone = table.index.repeat(len(cells))
    columns = {name: np.tile(values.to_numpy(), len(table)) for name, values in cells.items()}
    return pd.DataFrame({"zone": zone, **columns, "count": table.to_numpy().ravel()})


def _notes(county: DemoCounty, folder: Path) -> None:
    import geopandas
    import scipy
    import shapely

    world = county.world
    noise = "; perturbed as Census 2021 was" if county.perturbed else "; exact"
    text = README.format(
        county=world.county, line="=" * (len(world.county) + 29), name=world.name, about=world.about, seed=county.seed,
        perturbed=county.perturbed, zones=len(county.lookup), persons=len(county.persons), households=len(county.households),
        survey=len(county.survey), asked=county.survey_persons, noise=noise,
    )  # fmt: skip
    (folder / "README.txt").write_text(text, encoding="utf-8", newline="\n")
    versions = {m.__name__: m.__version__ for m in (np, scipy, pd, shapely, geopandas)}
    record = {
        "world": asdict(world),
        "seed": county.seed,
        "zones": len(county.lookup),
        "perturbed": county.perturbed,
        "survey_persons": county.survey_persons,
        "versions": versions,
    }
    (folder / "county.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


def _csv(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")
