"""Whole households beside PopulationSim's: a made-up survey, zones whose households are drawn from it, 33 cells.

PopulationSim (Paul et al. 2018) is run where the environment variable SYNTHPOP_GB_POPULATIONSIM names a Python that has it: its
whole pipeline, from balancing to expanded households, with its simultaneous integeriser. What a zone costs it, in processor
time as ours, is the difference between two runs, so that what it does once is not counted.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
from _homes import household_problem, place
from _measure import figure, run_timed

__all__ = ["whole_households"]

TABLES = {"size": 5, "tenure": 4, "cars": 3, "age_sex": 14, "work": 4, "health": 3}
_N_HOME = 3  # tables of households
_HOUSEHOLDS, _ZONES, _FEW, _MORE, _SEED = 10_000, 500, 2, 12, 2011


def whole_households(*, folder: Path) -> tuple[str, dict]:
    """500 zones, exact and quick, and PopulationSim on the first 12 of them."""
    homes, people, counted = _survey()
    weight = np.exp(0.5 * np.random.default_rng(_SEED + 1).standard_normal(_HOUSEHOLDS))
    targets = _targets(counted, weight)
    values = {"zones": figure(_ZONES, "zones"), "cells": figure(counted.shape[1], "cells")}
    for effort in ("exact", "quick"):
        runs = [place(household_problem(counted, weight, TABLES, _N_HOME, targets), _SEED, effort=effort) for _ in range(2)]
        status = runs[0][0].status
        values |= _missed(effort, status["remainder_households"].to_numpy(), status["remainder_persons"].to_numpy())
        values |= {
            f"{effort}_ms": figure(min(r[2] for r in runs), "ms"),
            f"{effort}_fit_ms": figure(min(r[1] for r in runs), "ms"),
        }
    rival = os.environ.get("SYNTHPOP_GB_POPULATIONSIM")
    if rival:
        few, _ = _run_rival(rival, folder / "few", homes, people, weight, targets[:_FEW])
        more, drawn = _run_rival(rival, folder / "more", homes, people, weight, targets[:_MORE])
        gap = np.abs(drawn @ counted - targets[:_MORE])
        n_home = sum(list(TABLES.values())[:_N_HOME])
        ms = (more - few) / (_MORE - _FEW) * 1e3
        values |= _missed("populationsim", gap[:, :n_home].sum(axis=1), gap[:, n_home:].sum(axis=1))
        values |= {
            "populationsim_ms": figure(ms, "ms"),
            "exact_times_faster": figure(ms / values["exact_ms"]["value"], "times"),
            "quick_times_faster": figure(ms / values["quick_ms"]["value"], "times"),
        }
    return "sp.solve(problem, method='balance', options={'effort': 'exact'})", values


def _missed(name, households, persons):
    """Mean total absolute error a zone by tables of households and of persons, and share of zones without any."""
    return {
        f"{name}_tae_households": figure(float(households.mean()), "households"),
        f"{name}_tae_persons": figure(float(persons.mean()), "persons"),
        f"{name}_zones_exact": figure(100 * float((households + persons == 0).mean()), "%"),
    }


def _survey():
    """Households, their members, and (n_households, 33) incidence: attributes that depend on a household's wealth and on age."""
    rng, n = np.random.default_rng(_SEED), _HOUSEHOLDS
    wealth, size = rng.standard_normal(n), rng.choice(5, n, p=[0.3, 0.34, 0.16, 0.14, 0.06])
    tenure = np.digitize(wealth + 0.6 * rng.standard_normal(n), [-1.1, -0.3, 0.5])
    cars = np.digitize(wealth + 0.35 * (size - 1) + 0.7 * rng.standard_normal(n), [-0.7, 0.9])
    home = np.repeat(np.arange(n), size + 1)
    age = np.clip(rng.normal(50 - 5 * size[home], 21), 0, 89)
    band = np.digitize(age, [5, 16, 25, 35, 50, 65])
    work = np.where(band < 2, 3, np.digitize(wealth[home] + rng.standard_normal(len(home)), [-0.8, 0.2]))
    ill = 0.05 * (age - 45) - 0.5 * wealth[home] + rng.standard_normal(len(home))
    homes = pd.DataFrame({"size": size, "tenure": tenure, "cars": cars})
    people = pd.DataFrame({
        "home": home, "age_sex": band * 2 + rng.integers(0, 2, len(home)), "work": work, "health": np.digitize(ill, [0.8, 2.4])
    })  # fmt: skip
    counted, first = np.zeros((n, sum(TABLES.values())), np.int64), 0
    for name, cells in TABLES.items():
        inside, value = (np.arange(n), homes[name]) if name in homes else (home, people[name])
        np.add.at(counted, (inside, value.to_numpy() + first), 1)
        first += cells
    return homes, people, counted


def _targets(counted, weight):
    """Tables of zones of about 400 households, each drawn from the survey with its own leaning towards every cell."""
    rng = np.random.default_rng(_SEED + 2)
    n_home = sum(list(TABLES.values())[:_N_HOME])
    spread = np.where(np.arange(counted.shape[1]) < n_home, 0.4, 0.12)
    targets = np.empty((_ZONES, counted.shape[1]))
    for z in range(_ZONES):
        share = weight * np.exp(np.clip(counted @ (spread * rng.standard_normal(len(spread))), -6, 6))
        households = max(int(rng.normal(400, 80)), 100)
        targets[z] = rng.multinomial(households, share / share.sum()) @ counted
    return targets


def _run_rival(python, folder, homes, people, weight, targets):
    """Run PopulationSim on some zones. Returns (processor seconds, (n_zones, n_households) households placed)."""
    for name in ("data", "configs", "output"):
        (folder / name).mkdir(parents=True)
    zones, columns = np.arange(1, len(targets) + 1), [f"{name}{k}" for name, n in TABLES.items() for k in range(n)]
    total = targets[:, : TABLES["size"]].sum(axis=1)
    grossed = weight * total.sum() / weight.sum()
    number = pd.RangeIndex(1, _HOUSEHOLDS + 1, name="hh_id")
    homes.assign(PUMA=1, WGTP=grossed).set_index(number).to_csv(folder / "data" / "seed_households.csv")
    members = people.drop(columns="home").assign(hh_id=people["home"] + 1, per_num=np.arange(len(people)) + 1)
    members.to_csv(folder / "data" / "seed_persons.csv", index=False)
    cross = pd.DataFrame({"TAZ": zones, "PUMA": 1, "REGION": 1})
    cross.to_csv(folder / "data" / "geo_cross_walk.csv", index=False)
    by_zone = pd.DataFrame(targets.astype(int), columns=columns).assign(TAZ=zones, HHBASE=total.astype(int))
    by_zone.to_csv(folder / "data" / "taz.csv", index=False)
    rows = ["target,geography,seed_table,importance,control_field,expression",
            "num_hh,TAZ,households,1000000000,HHBASE,(households.WGTP > 0) & (households.WGTP < np.inf)"]  # fmt: skip
    for name, n in TABLES.items():
        table = "households" if name in homes else "persons"
        rows += [f"{name}{k},TAZ,{table},1000,{name}{k},{table}['{name}'] == {k}" for k in range(n)]
    (folder / "configs" / "controls.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "configs" / "settings.yaml").write_text(_SETTINGS, encoding="utf-8")
    seconds = run_timed([python, "-m", "populationsim", "-w", str(folder)]).cpu_seconds
    placed = pd.read_csv(folder / "output" / "final_expanded_household_ids.csv")
    drawn = np.zeros((len(targets), _HOUSEHOLDS))
    np.add.at(drawn, (placed["TAZ"].to_numpy() - 1, placed["hh_id"].to_numpy() - 1), 1)
    return seconds, drawn


_SETTINGS = """
INTEGERIZE_WITH_BACKSTOPPED_CONTROLS: True
SUB_BALANCE_WITH_FLOAT_SEED_WEIGHTS: False
GROUP_BY_INCIDENCE_SIGNATURE: True
USE_NUMBA: True
NUMBA_PRECISION: 'float64'
USE_SIMUL_INTEGERIZER: True
USE_CVXPY: False
INTEGERIZER_TIMEOUT: 300
max_expansion_factor: 30
geographies: [REGION, PUMA, TAZ]
seed_geography: PUMA
data_dir: data
input_table_list:
  - {tablename: households, filename: seed_households.csv, index_col: hh_id}
  - {tablename: persons, filename: seed_persons.csv}
  - {tablename: geo_cross_walk, filename: geo_cross_walk.csv}
  - {tablename: TAZ_control_data, filename: taz.csv}
household_weight_col: WGTP
household_id_col: hh_id
total_hh_control: num_hh
control_file_name: controls.csv
output_tables:
  action: include
  tables: [summary_TAZ, expanded_household_ids]
models:
  - input_pre_processor
  - setup_data_structures
  - initial_seed_balancing
  - meta_control_factoring
  - final_seed_balancing
  - integerize_final_seed_weights
  - sub_balancing.geography=TAZ
  - expand_households
  - summarize
  - write_tables
resume_after:
"""
