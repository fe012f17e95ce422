"""Small studies made by hand whose misfits have known causes: people, and households of a few kinds."""

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned, AlignedLevel, AlignedTable
from synthpop_gb.codebook import Category, Universe
from synthpop_gb.geography import Geography
from synthpop_gb.households import Households
from synthpop_gb.microdata import Microdata
from synthpop_gb.population import STATUS_COLUMNS, Population, counted_units
from synthpop_gb.provenance import Provenance

ZONES = pd.Index(["E01000001", "E01000002"], name="zone")


def table(name, labels, targets, record_cell, unit="person", published=None, index=ZONES, error=0.0):
    """A table of one variable; targets (n_zones, n_cells)."""
    categories = tuple(Category(x, x, frozenset([x])) for x in labels)
    columns = pd.MultiIndex.from_arrays([list(labels)], names=[name])
    frame = pd.DataFrame(np.array(targets, float), index, columns)
    before = frame if published is None else pd.DataFrame(np.array(published, float), index, columns)
    universe = Universe("households" if unit == "household" else "usual residents", unit)
    return AlignedTable(name, (name,), (categories,), frame, np.array(record_cell, np.int32), universe, error, before)


def study(*constraints, homes=None, levels=(), licence="open", findings=()):
    """A study of these constraints; the survey has a record a value of `record_cell`."""
    n = len(constraints[0].record_cell)
    records = pd.Index([f"r{i}" for i in range(n)], name="record")
    survey = Microdata("made by hand", pd.DataFrame({"x": range(n)}, records), {}, Universe("usual residents"), licence=licence)
    names = {"name": ["Mill Lane", "High Street"], "msoa": ["E02000001", "E02000001"], "msoa_name": ["Old Town", "Old Town"]}
    place = Geography(pd.DataFrame(names, index=ZONES))
    return Aligned(survey, records, np.ones(n), tuple(constraints), (), place, pd.DataFrame(), pd.Series(0.0, ZONES),
                   tuple(findings), households=homes, levels=tuple(levels))  # fmt: skip


def homes_of(*sizes, communal=()):
    """Households of these sizes, records in order."""
    start = np.concatenate([[0], np.cumsum(sizes)])
    ids = pd.Index([f"h{i}" for i in range(len(sizes))])
    alone = np.array([i in communal for i in range(len(sizes))])
    return Households(ids, np.ones(len(sizes)), start, np.arange(start[-1], dtype=np.int32), alone)


def level(*tables, name="msoa"):
    return AlignedLevel(name, pd.Index(["E02000001"]), np.zeros(len(ZONES), np.int32), tuple(tables))


def placed(problem, rows, **status):
    """A population of these counts by zone and profile, without duals."""
    rows = np.array(rows)
    indptr = np.concatenate([[0], np.cumsum((rows > 0).sum(axis=1))]).astype(np.int64)
    profile, count = np.nonzero(rows)[1].astype(np.int32), rows[rows > 0].astype(np.int32)
    for array in (profile, count, indptr):
        array.setflags(write=False)
    told = pd.DataFrame(dict.fromkeys([c for c in STATUS_COLUMNS if c != "people"], 0), index=problem.zones)
    told = told.assign(**counted_units(problem, indptr, profile, count), **({"fit": "CONVERGED", "whole": "EXACT"} | status))
    return Population(problem, indptr, profile, count, told, None, Provenance(1, "by hand", {}))
