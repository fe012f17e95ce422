"""A whole study on a grid of square zones, solved and checked: what report and export are tried on."""

import warnings
from dataclasses import replace
from functools import cache

import geopandas
import numpy as np
import pandas as pd
import shapely

from synthpop_gb.codebook import Category, Variable
from synthpop_gb.errors import FitWarning
from synthpop_gb.execution import solve
from synthpop_gb.formulation import formulate
from synthpop_gb.geography import Geography
from synthpop_gb.harmonisation import harmonise
from synthpop_gb.validation import validate
from tests.stages.nouns import AGE, world

HOSTILE = [
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "{{ 7 * 7 }}{% raw %}",
    '=HYPERLINK("http://example.invalid")',
    "$x_{1}$ & \u2028 \\frac",
    "<!-- -->",
]


def squares(zones, columns=4, side=1000.0, crs=27700):
    """Square polygons in metres, row by row, that share their corners."""
    boxes = [shapely.box(400_000 + side * (i % columns), 300_000 + side * (i // columns), 400_000 + side * (i % columns + 1),
                         300_000 + side * (i // columns + 1)) for i in range(len(zones))]  # fmt: skip
    return geopandas.GeoDataFrame({"code": list(zones)}, geometry=boxes, crs=27700).to_crs(crs)


def with_boundaries(geography, folder, columns=4, crs=27700, left_out=()):
    """The geography with a file of squares; zones `left_out` have none."""
    path = folder / "squares.geo.parquet"
    frame = squares(geography.codes, columns, crs=crs)
    frame[~frame["code"].isin(left_out)].to_parquet(path)
    return Geography(geography.zones, str(path), "code")


@cache
def solved(n_zones=12, licence="open", hostile=False, noise=0.0, impossible=0):
    """(aligned, population, checks) of a small study; in `impossible` zones all are children in bad health, as no record is."""
    survey, tables, geography = world(n_zones, noise=noise)
    frame = geography.zones.assign(region="E12000003")
    if hostile:
        survey, tables = _renamed(survey, tables)
        frame = frame.assign(name=[HOSTILE[i % len(HOSTILE)] for i in range(n_zones)])
    survey = replace(survey, licence=licence, name=HOSTILE[0] if hostile else survey.name)
    if impossible:
        clash = (survey.records["age"] == AGE.categories[0].code) & (survey.records["health"] == 3)
        survey = replace(survey, records=survey.records[~clash])
        tables = tables | {"age": _all_in(tables["age"], 0, impossible), "health": _all_in(tables["health"], 2, impossible)}
    aligned = harmonise(survey, tables, Geography(frame), constraints=["age", "sex", "health"], held_out=["age x sex"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # where the impossible was asked for
        population = solve(formulate(aligned), seed=11)
    return aligned, population, validate(population, aligned)


def on_grid(folder, *, columns=4, crs=27700, left_out=(), **study):
    """The same with boundaries written to a folder."""
    aligned, population, checks = solved(**study)
    return replace(aligned, geography=with_boundaries(aligned.geography, folder, columns, crs, left_out)), population, checks


def _renamed(survey, tables):
    """Labels of health replaced by hostile ones."""
    old = survey.variables["health"]
    labels = [HOSTILE[0], HOSTILE[2], HOSTILE[3]]
    new = Variable(
        "health", tuple(Category(c.code, label, c.atoms) for c, label in zip(old.categories, labels, strict=True)), old.column
    )
    return replace(survey, variables={**survey.variables, "health": new}), {
        k: replace(t, variables=tuple(new if v.name == "health" else v for v in t.variables)) for k, t in tables.items()
    }


def _all_in(table, cell, n):
    """The table with everybody of the first n zones in one cell."""
    counts = table.counts.copy()
    total = counts.sum(axis=1).iloc[:n]
    counts.iloc[:n] = 0
    counts.iloc[:n, cell] = total.to_numpy()
    return replace(table, counts=counts)


def shares(aligned, seed=0):
    """A number by zone."""
    return pd.Series(np.random.default_rng(seed).random(len(aligned.zones)) * 100, aligned.zones)
