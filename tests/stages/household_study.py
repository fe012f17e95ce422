"""A small study of whole households made by hand: a survey of them, zones that fit exactly, and the population that does so."""

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd

from synthpop_gb import Population, formulate
from synthpop_gb.aligned import Aligned, AlignedTable
from synthpop_gb.codebook import Category, Universe, Variable
from synthpop_gb.geography import Geography
from synthpop_gb.households import Households
from synthpop_gb.microdata import Microdata
from synthpop_gb.population import STATUS_COLUMNS, counted_units
from synthpop_gb.provenance import Provenance

HOMES, PEOPLE = Universe("households", "household"), Universe("usual residents")
AGES, SEXES, TENURES, SIZES = ("child", "adult", "old"), ("female", "male"), ("owned", "rented"), ("1", "2", "3+")
WORDS = {"age": AGES, "sex": SEXES, "tenure": TENURES, "household_size": SIZES}


def variable(name):
    return Variable(name, tuple(Category(x, x, frozenset([f"{name}:{x}"])) for x in WORDS[name]), name)


def survey_frame(rng, n_households, n_communal):
    """Households one after another, their members' relationships as ids (partner) and as numbers in the household (mother)."""
    rows = []
    for h in range(n_households):
        size = int(rng.choice([1, 2, 3, 4], p=[0.35, 0.3, 0.2, 0.15]))
        tenure, old = TENURES[int(rng.random() < 0.4)], rng.random() < 0.3
        couple, income = size > 1 and rng.random() < 0.8, float(rng.integers(10, 60) * 1000)
        first = len(rows)
        for place in range(size):
            child = place > int(couple)
            partner = f"p{first + 1 - place:04}" if couple and place < 2 else None
            rows.append(
                {
                    "household": f"h{h:03}", "age": "child" if child else "old" if old else "adult",
                    "sex": SEXES[int(rng.random() < 0.5)], "tenure": tenure, "household_size": SIZES[min(size, 3) - 1],
                    "income": income, "partner": partner, "mother": 1 if child else None, "psu": h // 3,
                }
            )  # fmt: skip
    for _ in range(n_communal):
        rows.append({"household": None, "age": "old", "sex": SEXES[int(rng.random() < 0.5)], "psu": -1})
    frame = pd.DataFrame(rows, index=pd.Index([f"p{i:04}" for i in range(len(rows))], name="person"))
    return frame.assign(communal=frame["household"].isna(), mother=frame["mother"].astype("Int64"))


def table(name, cells, targets, zones, universe):
    categories = (tuple(Category(x, x, frozenset([f"{name}:{x}"])) for x in WORDS[name]),)
    frame = pd.DataFrame(np.asarray(targets, float), zones, pd.MultiIndex.from_arrays([list(WORDS[name])], names=[name]))
    return AlignedTable(name, (name,), categories, frame, np.asarray(cells, np.int32), universe, 0.0, frame)


@cache
def world(n_zones=6, seed=0, licence="open", n_households=60, n_communal=4):
    """Aligned study, and the population by hand that meets every table of it."""
    rng = np.random.default_rng(seed)
    frame = survey_frame(rng, n_households, n_communal)
    zones, records = pd.Index([f"E{i:03}" for i in range(n_zones)], name="zone"), frame.index
    first = np.flatnonzero(frame["household"].isna() | ~frame["household"].duplicated())
    start = np.append(first, len(frame))
    ids = pd.Index(np.where(frame["communal"], frame.index, frame["household"])[first], name="household")
    weight = rng.uniform(0.5, 2.0, len(ids))
    homes = Households(ids, weight, start, np.arange(len(frame), dtype=np.int32), frame["communal"].to_numpy()[first])
    reference = np.zeros(len(frame), bool)
    reference[first] = True
    at_home = reference & ~frame["communal"].to_numpy()
    code = {n: frame[n].map({x: i for i, x in enumerate(WORDS[n])}).fillna(-1).to_numpy(int) for n in WORDS}
    cells = {
        n: np.where(at_home, code[n], -1) if n in ("tenure", "household_size") else code[n]
        for n in ("household_size", "tenure", "age", "sex")
    }
    place = Geography(pd.DataFrame({"lad": ["A"] * (n_zones // 2) + ["B"] * (n_zones - n_zones // 2)}, index=zones))
    features = np.stack([code["tenure"][first] == 1, homes.size > 1, code["age"][first] == 2], axis=1)
    chance = weight * np.exp(features @ rng.normal(0.0, 0.7, (3, n_zones))).T  # zones differ, as zones do
    drawn = np.stack([rng.multinomial(70, c / c.sum()) for c in chance])  # units by zone
    record_n = np.repeat(drawn, homes.size, axis=1)
    tables = []
    for name, c in cells.items():
        counts = np.stack([record_n[:, c == i].sum(axis=1) for i in range(len(WORDS[name]))], axis=1)
        tables.append(table(name, c, counts, zones, HOMES if name in ("tenure", "household_size") else PEOPLE))
    survey = Microdata(
        "by hand", frame, {n: variable(n) for n in WORDS}, PEOPLE, licence=licence, household="household", communal="communal"
    )
    aligned = Aligned(
        survey, records, np.repeat(weight, homes.size), tuple(tables), (), place, pd.DataFrame(), pd.Series(0.0, zones),
        households=homes,
    )  # fmt: skip
    problem = formulate(aligned)
    profile = np.empty(len(ids), int)
    profile[problem.donor] = problem.donor_profile
    rows = np.zeros((n_zones, problem.n_profiles), int)
    np.add.at(rows.T, profile, drawn.T)
    return SimpleNamespace(aligned=aligned, problem=problem, population=counted(problem, rows), frame=frame, homes=homes)


def counted(problem, rows, duals=None):
    """Return a population of some counts by zone and profile, which meets its tables."""
    rows = np.asarray(rows)
    indptr = np.concatenate([[0], np.cumsum((rows > 0).sum(axis=1))]).astype(np.int64)
    profile = np.nonzero(rows)[1].astype(np.int32)
    count = rows[rows > 0].astype(np.int32)
    for array in (profile, count, indptr):
        array.setflags(write=False)
    status = pd.DataFrame({c: 0.0 for c in STATUS_COLUMNS if c != "people"}, index=problem.zones)
    status = status.assign(fit="CONVERGED", whole="EXACT", worst_cell="", **counted_units(problem, indptr, profile, count))
    status = status[[*STATUS_COLUMNS, *(c for c in status if c not in STATUS_COLUMNS)]]
    return Population(problem, indptr, profile, count, status, duals, Provenance(1, "by hand", {}))


def without_aligned(problem):
    """Return the same problem as solvers see it."""
    return replace(problem, aligned=None)
