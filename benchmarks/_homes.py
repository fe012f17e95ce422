"""Problems of whole households for benchmarks, from dense incidences; zones of EU-SILC whose people are known."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pandas as pd

import synthpop_gb as sp
from synthpop_gb.incidence import Incidence
from synthpop_gb.methods import _balanced
from synthpop_gb.methods.balance import BalanceOptions
from synthpop_gb.problem import Problem, zone_key

__all__ = ["household_problem", "incidence", "place", "silc_population", "zones_of"]


def household_problem(counted: np.ndarray, weight: np.ndarray, tables: dict[str, int], n_home_tables: int, targets) -> Problem:
    """Make a problem of households of known incidence.

    counted : (n_households, n_cells) members of each household by cell; weight : (n_households,); tables : cells of each table,
    those of households first; targets : (n_zones, n_cells).
    """
    rows, profile = np.unique(-counted, axis=0, return_inverse=True)  # the fullest first cells first, as `formulate` does
    rows, profile = -rows, profile.reshape(-1)
    first = np.concatenate([[0], np.cumsum(list(tables.values()))])
    cell_of = np.full((len(tables), len(rows)), -1)
    for c in range(n_home_tables):
        cell_of[c] = rows[:, first[c] : first[c + 1]].argmax(axis=1) + first[c]
    order = np.argsort(profile, kind="stable")
    zones = pd.Index([f"Z{z:05d}" for z in range(len(targets))], name="zone")
    cells = [(name, f"{k}") for name, n in tables.items() for k in range(n)]
    size = rows[:, first[n_home_tables] : first[n_home_tables + 1]].sum(axis=1)
    return Problem(
        start=np.bincount(profile, weight), cell_of=cell_of, constraint_start=first, targets=targets,
        zone_keys=np.array([zone_key(z) for z in zones], np.uint64),
        donor_start=np.concatenate([[0], np.cumsum(np.bincount(profile))]), donor=order, donor_weight=weight[order],
        zones=zones, records=pd.RangeIndex(len(counted)),
        cells=pd.MultiIndex.from_tuples(cells, names=["constraint", "category"]),
        incidence=Incidence.of_rows(rows), households=pd.RangeIndex(len(counted)), member_start=np.arange(len(counted) + 1),
        member=np.arange(len(counted)), size=size,
    )  # fmt: skip


def place(problem: Problem, seed: int, **options):
    """Solve on one core. Returns (population, processor ms a zone of the fit alone, of everything)."""
    one = problem.take(np.arange(1))
    sp.solve(one, method="balance", options=options, seed=seed, workers=1)  # compiled, and what is remembered laid out
    _balanced.fit_zones(problem, np.arange(1), BalanceOptions())
    began = time.process_time()
    _balanced.fit_zones(problem, np.arange(problem.n_zones), BalanceOptions())
    fitted = time.process_time() - began
    began = time.process_time()
    population = sp.solve(problem, method="balance", options=options, seed=seed, workers=1)
    return population, fitted / problem.n_zones * 1e3, (time.process_time() - began) / problem.n_zones * 1e3


def silc_population() -> pd.DataFrame:
    """People of eusilcP with the columns that tables are made of, households together."""
    people = pd.read_parquet(Path(os.environ["SYNTHPOP_GB_DATA"]) / "classic" / "simpop" / "eusilcP.parquet")
    people = people.sort_values("hid", kind="stable").reset_index(drop=True)
    people["home"] = np.unique(people["hid"], return_inverse=True)[1]
    members = people.groupby("home")["pid"].transform("size").to_numpy()
    people["members"], people["size"] = members, np.minimum(members, 6) - 1
    age = np.digitize(people["age"], [15, 24, 44, 64, 74], right=True)
    people["age_sex"] = age * 2 + (people["gender"] == "female")
    people["citizenship"] = people["citizenship"].cat.codes.replace(-1, 3).astype(int)
    people["activity"] = people["ecoStat"].cat.codes.replace(-1, 7).astype(int)
    people["income"] = people["eqIncome"].astype(float)
    return people


TABLES = {"size": 6, "age_sex": 12, "citizenship": 4, "activity": 8}


def incidence(people: pd.DataFrame) -> np.ndarray:
    """(n_households, 30) households by size, members by age and sex, citizenship and activity."""
    n, blocks = people["home"].max() + 1, []
    for name, cells in TABLES.items():
        block = np.zeros((n, cells), np.int64)
        one = people.drop_duplicates("home") if name == "size" else people
        np.add.at(block, (one["home"].to_numpy(), one[name].to_numpy()), 1)
        blocks.append(block)
    return np.concatenate(blocks, axis=1)


def zones_of(people: pd.DataFrame, households: int, rng: np.random.Generator, sorting: float = 0.5) -> np.ndarray:
    """(n_households,) zones of about so many households within regions, in which like incomes and ages are found together."""
    homes = people.groupby("home").agg(
        region=("region", "first"), income=("income", "first"), age=("age", "max")
    )  # fmt: skip
    alike = sorting * (
        (homes["income"].rank(pct=True) - 0.5) * 3.46 + 0.7 * (homes["age"] - homes["age"].mean()) / homes["age"].std()
    )
    score, zone, n = alike.to_numpy() + rng.normal(size=len(homes)), np.zeros(len(homes), np.int64), 0
    for _, inside in homes.reset_index().groupby("region", observed=True):
        here = inside["home"].to_numpy()[np.argsort(score[inside["home"].to_numpy()])]
        for part in np.array_split(here, max(1, round(len(here) / households))):
            zone[part] = n
            n += 1
    return zone
