"""A survey of five households made by hand, true households to compare them with, and populations of copies."""

import numpy as np
import pandas as pd

from synthpop_gb.aligned import Aligned
from synthpop_gb.codebook import Category, Universe, Variable
from synthpop_gb.geography import Geography
from synthpop_gb.households import Households
from synthpop_gb.microdata import Microdata
from synthpop_gb.population import DonorCounts
from tests.stages.explained_world import ZONES, table

COLUMNS = ("household", "role", "age", "sex", "ethnic_group", "economic_activity", "tenure")
SURVEY = [
    ("a", "reference", 30, "f", "white", "employee", "own"), ("a", "partner", 34, "m", "asian", "self-employed", "own"),
    ("a", "child", 3, "f", "white", "does not apply", "own"),
    ("b", "reference", 70, "m", "white", "retired", "rent"),
    ("c", "reference", 45, "f", "asian", "unemployed", "rent"), ("c", "child", 20, "m", "asian", "student", "rent"),
    ("d", "reference", 52, "m", "white", "employee", "own"), ("d", "partner", 50, "f", "white", "employee", "own"),
    ("e", "reference", 88, "f", "white", "retired", "own"),
]  # fmt: skip
WEIGHT = np.array([2.0, 1.0, 1.0, 3.0, 1.0])


def people(rows=SURVEY):
    return pd.DataFrame(rows, columns=list(COLUMNS))


def described(name, labels):
    return Variable(name, tuple(Category(x, x, frozenset([x]) if x != "does not apply" else frozenset()) for x in labels), name)


def world(frame=None, variables=None, weight=WEIGHT, communal=(), licence="open"):
    """A study whose survey is `frame`: households in the order of their rows, a table of sizes and one of sexes."""
    frame = people() if frame is None else frame
    frame = frame.set_index(pd.Index([f"p{i}" for i in range(len(frame))], name="person"))
    home, ids = pd.factorize(frame["household"])
    start = np.concatenate([[0], np.cumsum(np.bincount(home))])
    alone = np.array([i in communal for i in ids])
    homes = Households(pd.Index(ids), np.asarray(weight, float), start, np.arange(len(frame), dtype=np.int32), alone)
    if variables is None:
        said = [n for n in COLUMNS[1:] if n != "age" and n in frame]
        variables = {n: described(n, list(dict.fromkeys(frame[n]))) for n in said}
        ages = tuple(Category(str(a), str(a), frozenset([str(a)])) for a in range(121))
        variables["age"] = Variable("age", ages, "age")
    survey = Microdata("made by hand", frame, variables, Universe("usual residents"), licence=licence, household="household")
    size = np.full(len(frame), -1)
    size[start[:-1]] = np.minimum(np.diff(start), 2) - 1
    sizes = table(
        "household_size", ["1", "2+"], [[2, 3], [2, 3]], np.where(np.isin(home, np.flatnonzero(alone)), -1, size), "household"
    )
    sexes = table("sex", ["f", "m"], [[5, 4], [5, 4]], (frame["sex"] == "m").astype(int))
    return Aligned(survey, frame.index, np.ones(len(frame)), (sizes, sexes), (), Geography(pd.DataFrame(index=ZONES)),
                   pd.DataFrame(), pd.Series(0.0, ZONES), households=homes)  # fmt: skip


def copies(aligned, rows):
    """DonorCounts of so many copies of each household, by zone."""
    homes, record, n, ends = aligned.households, [], [], [0]
    for row in rows:
        by_record = np.repeat(row, homes.size)
        record.append(np.flatnonzero(by_record))
        n.append(by_record[by_record > 0])
        ends.append(ends[-1] + len(n[-1]))
    return DonorCounts(
        aligned.zones, np.array(ends, np.int64), np.concatenate(record).astype(np.int32), np.concatenate(n).astype(np.int32)
    )
